"""Mini Programs: content checks, codes, links and messages that change."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.fake_api.account import Account
from wechat_msg.testing.fake_api.answer import PNG, Answer, Refusal, make_answer, ok
from wechat_msg.testing.fake_api.routes import Asked, route, sample

_DAY = 86400
_LONGEST_SCENE = 32

# --- content ---------------------------------------------------------------------------------------------------------

_FOUND = {"strategy": "content_model", "errcode": 0, "suggest": "pass", "label": 100, "prob": 90}
_PASS = {"suggest": "pass", "label": 100}
_TRACE_ID = "60ae120f-371d5872-4941a05b"
sample(
    "POST",
    "/wxa/msg_sec_check",
    "openid",
    "content",
    "scene",
    answer=ok(trace_id=_TRACE_ID, result=_PASS, detail=[_FOUND]),
)
sample("POST", "/wxa/media_check_async", "openid", "media_url", "media_type", answer=ok(trace_id=_TRACE_ID))
sample("POST", "/wxa/getuserriskrank", "openid", "appid", answer=ok(risk_rank=0, unoin_id=2258658297))

# --- codes -----------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/wxaapp/createwxaqrcode")
@route("POST", "/wxa/getwxacode")
def _get_code(account: Account, asked: Asked) -> Answer:
    if not asked.get("path"):
        raise Refusal(40159)
    codes = account.made("codes")
    codes[account.new_number()] = asked["path"]
    return make_answer(PNG, content_type="image/png", headers={"Num-Used": str(len(codes))})


@route("POST", "/wxa/getwxacodeunlimit", "scene")
def _get_unlimited_code(_: Account, asked: Asked) -> Answer:
    if len(asked["scene"]) > _LONGEST_SCENE or "%" in asked["scene"]:
        raise Refusal(40129)
    if asked.get("page", "").startswith("/"):
        raise Refusal(41030)
    return make_answer(PNG, content_type="image/png")


# --- links -----------------------------------------------------------------------------------------------------------


@route("POST", "/wxa/generatenfcscheme", "model_id")
@route("POST", "/wxa/generatescheme")
def _generate_scheme(account: Account, asked: Asked) -> Any:
    return ok(openlink=_keep_link(account, "weixin://dl/business/?t=", asked, asked.get("jump_wxa") or {}))


@route("POST", "/wxa/generate_urllink")
def _generate_url_link(account: Account, asked: Asked) -> Any:
    return ok(url_link=_keep_link(account, "https://wxaurl.cn/", asked, asked))


def _keep_link(account: Account, prefix: str, asked: Asked, target: dict[str, Any]) -> str:
    link = prefix + account.new_name()
    account.made("links")[link] = {
        "appid": account.appid,
        "path": target.get("path", ""),
        "query": target.get("query", ""),
        "create_time": account.now,
        "expire_time": asked.get("expire_time") or account.now + asked.get("expire_interval", 30) * _DAY,
        "env_version": target.get("env_version", "release"),
    }
    return link


@route("POST", "/wxa/queryscheme", "scheme")
def _query_scheme(account: Account, asked: Asked) -> Any:
    return ok(scheme_info=_find_link(account, asked["scheme"]), quota_info={"remain_visit_quota": 3_000_000})


@route("POST", "/wxa/query_urllink", "url_link")
def _query_url_link(account: Account, asked: Asked) -> Any:
    return ok(url_link_info=_find_link(account, asked["url_link"]), quota_info={"remain_visit_quota": 3_000_000})


def _find_link(account: Account, link: str) -> Any:
    if link not in account.made("links"):
        # Which number of 85400 to 85408 it is, is unconfirmed.
        raise Refusal(85402)
    return account.made("links")[link]


sample("POST", "/wxa/genwxashortlink", "page_url", answer=ok(link="#小程序://示例/8ZcfzBRzCnG7FrA"))

# --- messages that change --------------------------------------------------------------------------------------------


@route("GET POST", "/cgi-bin/message/wxopen/activityid/create")
def _create_activity(account: Account, _: Asked) -> Any:
    activity_id = account.new_name()
    account.made("activities")[activity_id] = 0
    return ok(activity_id=activity_id, expiration_time=account.now + _DAY)


@route("POST", "/cgi-bin/message/wxopen/updatablemsg/send", "activity_id", "template_info")
@route("POST", "/cgi-bin/message/wxopen/chattoolmsg/send", "activity_id", "template_id")
def _update_message(account: Account, asked: Asked) -> None:
    states, activity_id = account.made("activities"), asked["activity_id"]
    if activity_id not in states:
        raise Refusal(47501)
    if states[activity_id] == 1 or asked["target_state"] not in (0, 1):
        raise Refusal(47502)
    states[activity_id] = asked["target_state"]
