"""Topic: customer-service messages and agents, and mass messages."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.documents import MAX_TEXT_BYTES
from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import ErrcodeError, ok
from wechat_msg.testing.fake_api.routes import Params, constant, route

#: Required member of each type of customer-service message.
_NEEDED = {
    "text": "content",
    "image": "media_id",
    "voice": "media_id",
    "video": "media_id",
    "music": "thumb_media_id",
    "news": "articles",
    "mpnews": "media_id",
    "mpnewsarticle": "article_id",
    "msgmenu": "list",
    "wxcard": "card_id",
    "miniprogrampage": "thumb_media_id",
    "link": "url",
}
_MASS_TYPES = ("mpnews", "text", "voice", "image", "mpvideo")

# --- customer-service messages ---------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/message/custom/business/send", "touser")
@route("POST", "/cgi-bin/message/custom/send", "touser")
def _send(account: FakeAccount, params: Params) -> None:
    message = params.request.json
    if message["touser"] in account.blacklist:
        raise ErrcodeError(43019)
    account.check_window(message["touser"])
    _check_message(account, message)
    account.add_message(message)


def _check_message(account: FakeAccount, message: dict[str, Any]) -> None:
    needed = _NEEDED.get(message.get("msgtype", ""))
    if needed is None:
        raise ErrcodeError(40008)
    content = message[message["msgtype"]]
    if not content[needed]:
        raise ErrcodeError(44004)
    if needed == "content" and len(content["content"].encode()) > MAX_TEXT_BYTES:
        raise ErrcodeError(45002)
    if needed == "articles" and len(content["articles"]) != 1:
        raise ErrcodeError(45008)
    for name in {"media_id", "thumb_media_id"} & set(content):
        account.get_media(content[name])


constant("POST", "/cgi-bin/message/custom/typing", "touser", "command")
constant("POST", "/cgi-bin/message/custom/business/typing", "touser", "command")

# --- agents ----------------------------------------------------------------------------------------------------------


@route("POST", "/customservice/kfaccount/add", "kf_account", "nickname")
def _add_agent(account: FakeAccount, params: Params) -> None:
    agents, name = account.created("agents"), params["kf_account"]
    if name in agents:
        raise ErrcodeError(61453, "kf_account exsited")
    agents[name] = {
        "kf_account": name,
        "kf_nick": params["nickname"],
        "kf_id": str(account.new_number()),
        "kf_headimgurl": "",
        "kf_openid": f"o-{name}",
    }


def _get_agent(account: FakeAccount, params: Params) -> Any:
    # Which number from 61450 to 61457 and 65400 to 65417 WeChat returns is unconfirmed.
    agents = account.created("agents")
    if params.get("kf_account") not in agents:
        raise ErrcodeError(61452, "invalid kf_account")
    return agents[params["kf_account"]]


@route("POST", "/customservice/kfaccount/update", "nickname")
def _update_agent(account: FakeAccount, params: Params) -> None:
    _get_agent(account, params)["kf_nick"] = params["nickname"]


@route("POST GET", "/customservice/kfaccount/del")
def _delete_agent(account: FakeAccount, params: Params) -> None:
    del account.created("agents")[_get_agent(account, params)["kf_account"]]


@route("POST", "/customservice/kfaccount/inviteworker", "invite_wx")
def _invite_worker(account: FakeAccount, params: Params) -> None:
    invited = {"invite_wx": params["invite_wx"], "invite_expire_time": account.now + 86400, "invite_status": "waiting"}
    _get_agent(account, params).update(invited)


@route("POST", "/customservice/kfaccount/uploadheadimg")
def _upload_head_image(account: FakeAccount, params: Params) -> None:
    agent = _get_agent(account, params)
    agent["kf_headimgurl"] = account.url_of(account.add_file(params.request, "image", is_permanent=True))


@route("GET", "/cgi-bin/customservice/getkflist")
def _list_agents(account: FakeAccount, _: Params) -> Any:
    return {"kf_list": list(account.created("agents").values())}


@route("GET", "/cgi-bin/customservice/getonlinekflist")
def _list_online_agents(account: FakeAccount, _: Params) -> Any:
    shown = ("kf_account", "kf_id", "kf_openid")
    agents = account.created("agents").values()
    return {"kf_online_list": [{**{k: agent[k] for k in shown}, "status": 1, "accepted_case": 1} for agent in agents]}


@route("POST", "/customservice/msgrecord/getmsglist", "starttime", "endtime", "msgid", "number")
def _list_records(_: FakeAccount, params: Params) -> Any:
    talk = [
        {"openid": "oUSER", "opercode": 2003, "text": "您好", "time": params["starttime"], "worker": "agent@wechat"},
        {"openid": "oUSER", "opercode": 2002, "text": "你好", "time": params["endtime"], "worker": "agent@wechat"},
    ]
    page = talk[params["msgid"] - 1 :][: params["number"]]
    return ok(recordlist=page, number=len(page), msgid=params["msgid"] + len(page))


_SESSION = {"createtime": 1763703600, "kf_account": "agent@wechat"}
constant("GET", "/customservice/kfaccount/setadmin", "kf_openid")
constant("GET", "/customservice/kfaccount/canceladmin", "kf_openid")
constant("POST", "/customservice/kfsession/create", "kf_account", "openid")
constant("POST", "/customservice/kfsession/close", "kf_account", "openid")
constant("GET", "/customservice/kfsession/getsession", "openid", answer=ok(**_SESSION))
constant(
    "GET",
    "/customservice/kfsession/getsessionlist",
    "kf_account",
    answer={"sessionlist": [{"createtime": 1763703600, "openid": "oUSER"}]},
)
constant(
    "GET",
    "/customservice/kfsession/getwaitcase",
    answer={"count": 1, "waitcaselist": [{"latest_time": 1763703600, "openid": "oUSER2"}]},
)

# --- mass messages ---------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/message/mass/sendall", "filter")
def _send_to_tag(account: FakeAccount, params: Params) -> Any:
    if not params["filter"].get("is_to_all") and params["filter"]["tag_id"] not in account.created("tags"):
        raise ErrcodeError(45159)
    return _send_mass(account, params)


@route("POST", "/cgi-bin/message/mass/send")
def _send_to_users(account: FakeAccount, params: Params) -> Any:
    account.get_users(params.get("touser"), range(2, 10_001))
    return _send_mass(account, params)


@route("POST", "/cgi-bin/message/mass/preview")
def _preview(account: FakeAccount, params: Params) -> Any:
    if not params.get("towxname"):
        account.get_user(params.get("touser"))
    _check_mass(account, params)
    return ok(msg_id=account.new_number())


def _send_mass(account: FakeAccount, params: Params) -> Any:
    _check_mass(account, params)
    # Without a clientmsgid, WeChat compares the content for all recipients alike.
    kind, earlier = params["msgtype"], account.created("clientmsgids")
    name = params.get("clientmsgid") or repr((kind, params.get("images") or params[kind]))
    if name in earlier:
        raise ErrcodeError(45065, msg_id=earlier[name])
    msg_id = earlier[name] = account.new_number()
    account.created("mass jobs")[msg_id] = "SEND_SUCCESS"
    article = {"msg_data_id": account.new_number()} if kind == "mpnews" else {}
    return {"errcode": 0, "errmsg": "send job submission success", "msg_id": msg_id, **article}


def _check_mass(account: FakeAccount, params: Params) -> None:
    kind = params.get("msgtype")
    if kind == "wxcard":
        raise ErrcodeError(45113)
    if kind not in _MASS_TYPES:
        raise ErrcodeError(40008)
    content = params.get("images") or params[kind]
    if kind == "text" and not content["content"]:
        raise ErrcodeError(44004)
    for media_id in () if kind == "text" else content.get("media_ids") or (content["media_id"],):
        account.get_media(media_id)


@route("POST", "/cgi-bin/message/mass/get", "msg_id")
def _get_status(account: FakeAccount, params: Params) -> Any:
    return {"msg_id": int(params["msg_id"]), "msg_status": account.created("mass jobs")[int(params["msg_id"])]}


@route("POST", "/cgi-bin/message/mass/delete")
def _delete_mass(account: FakeAccount, params: Params) -> None:
    if not params.get("url"):
        _get_status(account, params)
        account.created("mass jobs")[int(params["msg_id"])] = "DELETE"


constant("POST GET", "/cgi-bin/message/mass/speed/get", answer=ok(speed=0, realspeed=80))
constant("POST", "/cgi-bin/message/mass/speed/set")
