"""Topic: content checks, codes, links, updatable messages, privacy, logs and devices of Mini Programs."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import PNG, ErrcodeError, FakeResponse, make_response, ok
from wechat_msg.testing.fake_api.routes import Params, constant, route

_DAY = 86400
_MAX_SCENE_LENGTH = 32

# --- content ---------------------------------------------------------------------------------------------------------

_FOUND = {"strategy": "content_model", "errcode": 0, "suggest": "pass", "label": 100, "prob": 90}
_PASS = {"suggest": "pass", "label": 100}
_TRACE_ID = "60ae120f-371d5872-4941a05b"
constant(
    "POST",
    "/wxa/msg_sec_check",
    "openid",
    "content",
    "scene",
    answer=ok(trace_id=_TRACE_ID, result=_PASS, detail=[_FOUND]),
)
constant("POST", "/wxa/media_check_async", "openid", "media_url", "media_type", answer=ok(trace_id=_TRACE_ID))
constant("POST", "/wxa/getuserriskrank", "openid", "appid", answer=ok(risk_rank=0, unoin_id=2258658297))

# --- codes -----------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/wxaapp/createwxaqrcode")
@route("POST", "/wxa/getwxacode")
def _get_code(account: FakeAccount, params: Params) -> FakeResponse:
    if not params.get("path"):
        raise ErrcodeError(40159)
    codes = account.created("codes")
    codes[account.new_number()] = params["path"]
    return make_response(PNG, content_type="image/png", headers={"Num-Used": str(len(codes))})


@route("POST", "/wxa/getwxacodeunlimit", "scene")
def _get_unlimited_code(_: FakeAccount, params: Params) -> FakeResponse:
    if len(params["scene"]) > _MAX_SCENE_LENGTH or "%" in params["scene"]:
        raise ErrcodeError(40129)
    if params.get("page", "").startswith("/"):
        raise ErrcodeError(41030)
    return make_response(PNG, content_type="image/png")


# --- links -----------------------------------------------------------------------------------------------------------


@route("POST", "/wxa/generatenfcscheme", "model_id")
@route("POST", "/wxa/generatescheme")
def _generate_scheme(account: FakeAccount, params: Params) -> Any:
    return ok(openlink=_add_link(account, "weixin://dl/business/?t=", params, params.get("jump_wxa") or {}))


@route("POST", "/wxa/generate_urllink")
def _generate_url_link(account: FakeAccount, params: Params) -> Any:
    return ok(url_link=_add_link(account, "https://wxaurl.cn/", params, params))


def _add_link(account: FakeAccount, prefix: str, params: Params, target: dict[str, Any]) -> str:
    link = prefix + account.new_id()
    account.created("links")[link] = {
        "appid": account.appid,
        "path": target.get("path", ""),
        "query": target.get("query", ""),
        "create_time": account.now,
        "expire_time": params.get("expire_time") or account.now + params.get("expire_interval", 30) * _DAY,
        "env_version": target.get("env_version", "release"),
    }
    return link


@route("POST", "/wxa/queryscheme", "scheme")
def _query_scheme(account: FakeAccount, params: Params) -> Any:
    return ok(scheme_info=_find_link(account, params["scheme"]), quota_info={"remain_visit_quota": 3_000_000})


@route("POST", "/wxa/query_urllink", "url_link")
def _query_url_link(account: FakeAccount, params: Params) -> Any:
    return ok(url_link_info=_find_link(account, params["url_link"]), quota_info={"remain_visit_quota": 3_000_000})


def _find_link(account: FakeAccount, link: str) -> Any:
    if link not in account.created("links"):
        # Which number from 85400 to 85408 WeChat returns is unconfirmed.
        raise ErrcodeError(85402)
    return account.created("links")[link]


constant("POST", "/wxa/genwxashortlink", "page_url", answer=ok(link="#小程序://示例/8ZcfzBRzCnG7FrA"))

# --- updatable messages ----------------------------------------------------------------------------------------------


@route("GET POST", "/cgi-bin/message/wxopen/activityid/create")
def _create_activity(account: FakeAccount, _: Params) -> Any:
    activity_id = account.new_id()
    account.created("activities")[activity_id] = 0
    return ok(activity_id=activity_id, expiration_time=account.now + _DAY)


@route("POST", "/cgi-bin/message/wxopen/updatablemsg/send", "activity_id", "template_info")
@route("POST", "/cgi-bin/message/wxopen/chattoolmsg/send", "activity_id", "template_id")
def _update_message(account: FakeAccount, params: Params) -> None:
    states, activity_id = account.created("activities"), params["activity_id"]
    if activity_id not in states:
        raise ErrcodeError(47501)
    if states[activity_id] == 1 or params["target_state"] not in (0, 1):
        raise ErrcodeError(47502)
    states[activity_id] = params["target_state"]


# --- privacy ---------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/component/getprivacysetting")
def _get_privacy(account: FakeAccount, _: Params) -> Any:
    setting = account.created("privacy").get("setting", {})
    return ok(code_exist=1, privacy_list=["UserInfo", "PhoneNumber"], **setting)


@route("POST", "/cgi-bin/component/setprivacysetting", "owner_setting")
def _set_privacy(account: FakeAccount, params: Params) -> None:
    members = {name: params[name] for name in ("owner_setting", "setting_list") if name in params}
    account.created("privacy")["setting"] = {**members, "update_time": account.now}


@route("POST", "/cgi-bin/component/uploadprivacyextfile")
def _upload_privacy_file(account: FakeAccount, params: Params) -> Any:
    if "file" not in params.request.files:
        raise ErrcodeError(41005)
    return ok(ext_file_media_id=account.new_id())


# --- logs and devices ------------------------------------------------------------------------------------------------

_ERROR = {"errorMsg": "TypeError: x is undefined", "errorStack": "at pages/index", "uv": 2, "uvPercent": "1%", "pv": 3}
constant("POST", "/wxaapi/log/jserr_list", "startTime", "endTime", answer=ok(data=[_ERROR], totalCount=1))


@route("POST", "/cgi-bin/message/device/subscribe/send", "template_id")
def _send_to_devices(account: FakeAccount, params: Params) -> None:
    if params["template_id"] not in account.created("subscription templates"):
        raise ErrcodeError(40037)
    for user in account.get_users(params["to_openid_list"], range(1, 10_001)):
        if user["openid"] in account.refusing:
            raise ErrcodeError(43101)


@route("POST", "/wxa/getsnticket", "sn", "model_id")
def _get_sn_ticket(account: FakeAccount, _: Params) -> Any:
    return ok(sn_ticket=account.new_id())
