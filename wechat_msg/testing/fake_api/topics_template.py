"""Template messages and subscription messages."""

from __future__ import annotations

import re
from typing import Any

from wechat_msg.testing.fake_api.account import Account
from wechat_msg.testing.fake_api.answer import Refusal, ok
from wechat_msg.testing.fake_api.routes import Asked, route, sample

#: How many characters the value of a key may have, by the letters of the key.
_LONGEST = {"thing": 20, "number": 32, "letter": 32, "symbol": 5, "character_string": 32, "phrase": 5, "car_number": 8}

# --- sending ---------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/message/template/send", "touser", "template_id")
def _send_template(account: Account, asked: Asked) -> Any:
    if not account.users[asked["touser"]]["subscribe"]:
        raise Refusal(43004)
    return _send(account, "templates", asked)


@route("POST", "/cgi-bin/message/subscribe/bizsend", "touser", "template_id")
@route("POST", "/cgi-bin/message/subscribe/send", "touser", "template_id")
def _send_subscription(account: Account, asked: Asked) -> Any:
    return _send(account, "subscription templates", asked)


@route("POST", "/cgi-bin/message/template/subscribe", "touser", "template_id", "scene", "title")
def _send_one_time(account: Account, asked: Asked) -> None:
    _check(account, asked["touser"], asked.get("data"))


@route("POST", "/cgi-bin/message/wxopen/template/uniform_send", "touser", "mp_template_msg")
def _send_uniform(account: Account, asked: Asked) -> None:
    _check(account, asked["touser"], asked["mp_template_msg"].get("data"))


def _send(account: Account, kind: str, asked: Asked) -> Any:
    if asked["template_id"] not in account.made(kind):
        raise Refusal(40037)
    _check(account, asked["touser"], asked.get("data"))
    return ok(msgid=account.new_number())


def _check(account: Account, openid: str, data: Any) -> None:
    if openid in account.refusing or openid in account.blacklist:
        raise Refusal(43101)
    if not data:
        raise Refusal(47003, "argument invalid! data is empty")
    for key, item in data.items():
        value = str(item.get("value", ""))
        longest = _LONGEST.get(re.sub(r"[0-9]+$", "", key), len(value))
        if not value or len(value) > longest:
            raise Refusal(47003, f"argument invalid! data.{key}.value invalid")


# --- templates of template messages ----------------------------------------------------------------------------------


@route("POST", "/cgi-bin/template/api_add_template", "template_id_short")
def _add_template(account: Account, asked: Asked) -> Any:
    return ok(template_id=account.add_template(asked["template_id_short"]))


@route("GET", "/cgi-bin/template/get_all_private_template")
def _list_templates(account: Account, _: Asked) -> Any:
    return {"template_list": list(account.made("templates").values())}


@route("POST", "/cgi-bin/template/del_private_template", "template_id")
def _delete_template(account: Account, asked: Asked) -> None:
    if account.made("templates").pop(asked["template_id"], None) is None:
        raise Refusal(40037)


_INDUSTRY = {"first_class": "IT科技", "second_class": "互联网|电子商务"}
sample("POST", "/cgi-bin/template/api_set_industry", "industry_id1", "industry_id2")
sample(
    "GET",
    "/cgi-bin/template/get_industry",
    answer={"primary_industry": _INDUSTRY, "secondary_industry": {**_INDUSTRY, "second_class": "IT软件与服务"}},
)
# The members of the answer are unconfirmed.
sample("POST", "/wxa/sec/queryblocktmplmsg", "tmpl_msg_id", answer=ok(msginfo=[]))

# --- templates of subscription messages ------------------------------------------------------------------------------


@route("POST", "/wxaapi/newtmpl/addtemplate", "tid", "kidList")
def _add_subscription_template(account: Account, asked: Asked) -> Any:
    return ok(priTmplId=account.add_subscription_template(f"模板 {asked['tid']}"))


@route("POST", "/wxaapi/newtmpl/deltemplate", "priTmplId")
def _delete_subscription_template(account: Account, asked: Asked) -> None:
    if account.made("subscription templates").pop(asked["priTmplId"], None) is None:
        raise Refusal(40037)


@route("GET", "/wxaapi/newtmpl/gettemplate")
def _list_subscription_templates(account: Account, _: Asked) -> Any:
    return ok(data=list(account.made("subscription templates").values()))


@route("GET", "/wxaapi/newtmpl/getpubtemplatetitles", "ids", "start", "limit")
def _list_titles(_: Account, asked: Asked) -> Any:
    titles = [{"tid": tid, "title": f"模板 {tid}", "type": 2, "categoryId": "616"} for tid in range(99, 149)]
    start = int(asked["start"])
    return ok(count=len(titles), data=titles[start : start + int(asked["limit"])])


_KEYWORDS = [
    {"kid": 1, "name": "物品名称", "example": "名称", "rule": "thing"},
    {"kid": 2, "name": "金额", "example": "100元", "rule": "amount"},
]
sample("GET", "/wxaapi/newtmpl/getcategory", answer=ok(data=[{"id": 616, "name": "公交"}]))
sample("GET", "/wxaapi/newtmpl/getpubtemplatekeywords", "tid", answer=ok(count=2, data=_KEYWORDS))

# --- service cards ---------------------------------------------------------------------------------------------------

_CARD = {"notify_type": 2001, "content_json": '{"status":1}', "code_state": 1, "code_expire_time": 1763790000}
sample("POST", "/wxa/set_user_notify", "openid", "notify_type", "notify_code", "content_json")
sample("POST", "/wxa/set_user_notifyext", "openid", "notify_type", "notify_code", "ext_json")
sample("POST", "/wxa/get_user_notify", "openid", "notify_type", "notify_code", answer=ok(notify_info=_CARD))
