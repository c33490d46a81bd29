"""Topic: template messages and subscription messages."""

from __future__ import annotations

import re
from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import ErrcodeError, ok
from wechat_msg.testing.fake_api.routes import Params, constant, route

#: Maximum length of a value, by the letters of its key.
_LIMITS = {"thing": 20, "number": 32, "letter": 32, "symbol": 5, "character_string": 32, "phrase": 5, "car_number": 8}

# --- sending ---------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/message/template/send", "touser", "template_id")
def _send_template(account: FakeAccount, params: Params) -> Any:
    if not account.users[params["touser"]]["subscribe"]:
        raise ErrcodeError(43004)
    return _send(account, "templates", params)


@route("POST", "/cgi-bin/message/subscribe/bizsend", "touser", "template_id")
@route("POST", "/cgi-bin/message/subscribe/send", "touser", "template_id")
def _send_subscription(account: FakeAccount, params: Params) -> Any:
    return _send(account, "subscription templates", params)


@route("POST", "/cgi-bin/message/template/subscribe", "touser", "template_id", "scene", "title")
def _send_one_time(account: FakeAccount, params: Params) -> None:
    _check(account, params["touser"], params.get("data"))


@route("POST", "/cgi-bin/message/wxopen/template/uniform_send", "touser", "mp_template_msg")
def _send_uniform(account: FakeAccount, params: Params) -> None:
    _check(account, params["touser"], params["mp_template_msg"].get("data"))


def _send(account: FakeAccount, kind: str, params: Params) -> Any:
    if params["template_id"] not in account.created(kind):
        raise ErrcodeError(40037)
    _check(account, params["touser"], params.get("data"))
    return ok(msgid=account.new_number())


def _check(account: FakeAccount, openid: str, data: Any) -> None:
    if openid in account.refusing or openid in account.blacklist:
        raise ErrcodeError(43101)
    if not data:
        raise ErrcodeError(47003, "argument invalid! data is empty")
    for key, item in data.items():
        value = str(item.get("value", ""))
        longest = _LIMITS.get(re.sub(r"[0-9]+$", "", key), len(value))
        if not value or len(value) > longest:
            raise ErrcodeError(47003, f"argument invalid! data.{key}.value invalid")


# --- templates of template messages ----------------------------------------------------------------------------------


@route("POST", "/cgi-bin/template/api_add_template", "template_id_short")
def _add_template(account: FakeAccount, params: Params) -> Any:
    return ok(template_id=account.add_template(params["template_id_short"]))


@route("GET", "/cgi-bin/template/get_all_private_template")
def _list_templates(account: FakeAccount, _: Params) -> Any:
    return {"template_list": list(account.created("templates").values())}


@route("POST", "/cgi-bin/template/del_private_template", "template_id")
def _delete_template(account: FakeAccount, params: Params) -> None:
    if account.created("templates").pop(params["template_id"], None) is None:
        raise ErrcodeError(40037)


_INDUSTRY = {"first_class": "IT科技", "second_class": "互联网|电子商务"}
constant("POST", "/cgi-bin/template/api_set_industry", "industry_id1", "industry_id2")
constant(
    "GET",
    "/cgi-bin/template/get_industry",
    answer={"primary_industry": _INDUSTRY, "secondary_industry": {**_INDUSTRY, "second_class": "IT软件与服务"}},
)
# The members of the answer are unconfirmed.
constant("POST", "/wxa/sec/queryblocktmplmsg", "tmpl_msg_id", answer=ok(msginfo=[]))

# --- templates of subscription messages ------------------------------------------------------------------------------


@route("POST", "/wxaapi/newtmpl/addtemplate", "tid", "kidList")
def _add_subscription_template(account: FakeAccount, params: Params) -> Any:
    return ok(priTmplId=account.add_subscription_template(f"模板 {params['tid']}"))


@route("POST", "/wxaapi/newtmpl/deltemplate", "priTmplId")
def _delete_subscription_template(account: FakeAccount, params: Params) -> None:
    if account.created("subscription templates").pop(params["priTmplId"], None) is None:
        raise ErrcodeError(40037)


@route("GET", "/wxaapi/newtmpl/gettemplate")
def _list_subscription_templates(account: FakeAccount, _: Params) -> Any:
    return ok(data=list(account.created("subscription templates").values()))


@route("GET", "/wxaapi/newtmpl/getpubtemplatetitles", "ids", "start", "limit")
def _list_titles(_: FakeAccount, params: Params) -> Any:
    titles = [{"tid": tid, "title": f"模板 {tid}", "type": 2, "categoryId": "616"} for tid in range(99, 149)]
    start = int(params["start"])
    return ok(count=len(titles), data=titles[start : start + int(params["limit"])])


_KEYWORDS = [
    {"kid": 1, "name": "物品名称", "example": "名称", "rule": "thing"},
    {"kid": 2, "name": "金额", "example": "100元", "rule": "amount"},
]
constant("GET", "/wxaapi/newtmpl/getcategory", answer=ok(data=[{"id": 616, "name": "公交"}]))
constant("GET", "/wxaapi/newtmpl/getpubtemplatekeywords", "tid", answer=ok(count=2, data=_KEYWORDS))

# --- service cards ---------------------------------------------------------------------------------------------------

_CARD = {"notify_type": 2001, "content_json": '{"status":1}', "code_state": 1, "code_expire_time": 1763790000}
constant("POST", "/wxa/set_user_notify", "openid", "notify_type", "notify_code", "content_json")
constant("POST", "/wxa/set_user_notifyext", "openid", "notify_type", "notify_code", "ext_json")
constant("POST", "/wxa/get_user_notify", "openid", "notify_type", "notify_code", answer=ok(notify_info=_CARD))
