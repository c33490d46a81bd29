"""Customer-service messages and agents, and mass messages."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.documents import LONGEST_TEXT
from wechat_msg.testing.fake_api.account import Account
from wechat_msg.testing.fake_api.answer import Refusal, ok
from wechat_msg.testing.fake_api.routes import Asked, route, sample

#: The member without which a customer-service message of this type is nothing.
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
def _send(account: Account, asked: Asked) -> None:
    message = asked.request.json
    if message["touser"] in account.blacklist:
        raise Refusal(43019)
    account.check_window(message["touser"])
    _check_message(account, message)
    account.keep_message(message)


def _check_message(account: Account, message: dict[str, Any]) -> None:
    needed = _NEEDED.get(message.get("msgtype", ""))
    if needed is None:
        raise Refusal(40008)
    content = message[message["msgtype"]]
    if not content[needed]:
        raise Refusal(44004)
    if needed == "content" and len(content["content"].encode()) > LONGEST_TEXT:
        raise Refusal(45002)
    if needed == "articles" and len(content["articles"]) != 1:
        raise Refusal(45008)
    for name in {"media_id", "thumb_media_id"} & set(content):
        account.get_media(content[name])


sample("POST", "/cgi-bin/message/custom/typing", "touser", "command")
sample("POST", "/cgi-bin/message/custom/business/typing", "touser", "command")

# --- agents ----------------------------------------------------------------------------------------------------------


@route("POST", "/customservice/kfaccount/add", "kf_account", "nickname")
def _add_agent(account: Account, asked: Asked) -> None:
    agents, name = account.made("agents"), asked["kf_account"]
    if name in agents:
        raise Refusal(61453, "kf_account exsited")
    agents[name] = {
        "kf_account": name,
        "kf_nick": asked["nickname"],
        "kf_id": str(account.new_number()),
        "kf_headimgurl": "",
        "kf_openid": f"o-{name}",
    }


def _get_agent(account: Account, asked: Asked) -> Any:
    # Which number of 61450 to 61457 and 65400 to 65417 it is, is unconfirmed.
    agents = account.made("agents")
    if asked.get("kf_account") not in agents:
        raise Refusal(61452, "invalid kf_account")
    return agents[asked["kf_account"]]


@route("POST", "/customservice/kfaccount/update", "nickname")
def _update_agent(account: Account, asked: Asked) -> None:
    _get_agent(account, asked)["kf_nick"] = asked["nickname"]


@route("POST GET", "/customservice/kfaccount/del")
def _delete_agent(account: Account, asked: Asked) -> None:
    del account.made("agents")[_get_agent(account, asked)["kf_account"]]


@route("POST", "/customservice/kfaccount/inviteworker", "invite_wx")
def _invite_worker(account: Account, asked: Asked) -> None:
    invited = {"invite_wx": asked["invite_wx"], "invite_expire_time": account.now + 86400, "invite_status": "waiting"}
    _get_agent(account, asked).update(invited)


@route("POST", "/customservice/kfaccount/uploadheadimg")
def _upload_head_image(account: Account, asked: Asked) -> None:
    agent = _get_agent(account, asked)
    agent["kf_headimgurl"] = account.url_of(account.keep_file(asked.request, "image", is_permanent=True))


@route("GET", "/cgi-bin/customservice/getkflist")
def _list_agents(account: Account, _: Asked) -> Any:
    return {"kf_list": list(account.made("agents").values())}


@route("GET", "/cgi-bin/customservice/getonlinekflist")
def _list_online_agents(account: Account, _: Asked) -> Any:
    shown = ("kf_account", "kf_id", "kf_openid")
    agents = account.made("agents").values()
    return {"kf_online_list": [{**{k: agent[k] for k in shown}, "status": 1, "accepted_case": 1} for agent in agents]}


@route("POST", "/customservice/msgrecord/getmsglist", "starttime", "endtime", "msgid", "number")
def _list_records(_: Account, asked: Asked) -> Any:
    talk = [
        {"openid": "oUSER", "opercode": 2003, "text": "您好", "time": asked["starttime"], "worker": "agent@wechat"},
        {"openid": "oUSER", "opercode": 2002, "text": "你好", "time": asked["endtime"], "worker": "agent@wechat"},
    ]
    page = talk[asked["msgid"] - 1 :][: asked["number"]]
    return ok(recordlist=page, number=len(page), msgid=asked["msgid"] + len(page))


_SESSION = {"createtime": 1763703600, "kf_account": "agent@wechat"}
sample("GET", "/customservice/kfaccount/setadmin", "kf_openid")
sample("GET", "/customservice/kfaccount/canceladmin", "kf_openid")
sample("POST", "/customservice/kfsession/create", "kf_account", "openid")
sample("POST", "/customservice/kfsession/close", "kf_account", "openid")
sample("GET", "/customservice/kfsession/getsession", "openid", answer=ok(**_SESSION))
sample(
    "GET",
    "/customservice/kfsession/getsessionlist",
    "kf_account",
    answer={"sessionlist": [{"createtime": 1763703600, "openid": "oUSER"}]},
)
sample(
    "GET",
    "/customservice/kfsession/getwaitcase",
    answer={"count": 1, "waitcaselist": [{"latest_time": 1763703600, "openid": "oUSER2"}]},
)

# --- mass messages ---------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/message/mass/sendall", "filter")
def _send_to_tag(account: Account, asked: Asked) -> Any:
    if not asked["filter"].get("is_to_all") and asked["filter"]["tag_id"] not in account.made("tags"):
        raise Refusal(45159)
    return _send_mass(account, asked)


@route("POST", "/cgi-bin/message/mass/send")
def _send_to_users(account: Account, asked: Asked) -> Any:
    account.get_users(asked.get("touser"), range(2, 10_001))
    return _send_mass(account, asked)


@route("POST", "/cgi-bin/message/mass/preview")
def _preview(account: Account, asked: Asked) -> Any:
    if not asked.get("towxname"):
        account.get_user(asked.get("touser"))
    _check_mass(account, asked)
    return ok(msg_id=account.new_number())


def _send_mass(account: Account, asked: Asked) -> Any:
    _check_mass(account, asked)
    # Without an id of the caller's, WeChat goes by the content, whoever is to get it.
    kind, earlier = asked["msgtype"], account.made("clientmsgids")
    name = asked.get("clientmsgid") or repr((kind, asked.get("images") or asked[kind]))
    if name in earlier:
        raise Refusal(45065, msg_id=earlier[name])
    msg_id = earlier[name] = account.new_number()
    account.made("mass jobs")[msg_id] = "SEND_SUCCESS"
    article = {"msg_data_id": account.new_number()} if kind == "mpnews" else {}
    return {"errcode": 0, "errmsg": "send job submission success", "msg_id": msg_id, **article}


def _check_mass(account: Account, asked: Asked) -> None:
    kind = asked.get("msgtype")
    if kind == "wxcard":
        raise Refusal(45113)
    if kind not in _MASS_TYPES:
        raise Refusal(40008)
    content = asked.get("images") or asked[kind]
    if kind == "text" and not content["content"]:
        raise Refusal(44004)
    for media_id in () if kind == "text" else content.get("media_ids") or (content["media_id"],):
        account.get_media(media_id)


@route("POST", "/cgi-bin/message/mass/get", "msg_id")
def _get_status(account: Account, asked: Asked) -> Any:
    return {"msg_id": int(asked["msg_id"]), "msg_status": account.made("mass jobs")[int(asked["msg_id"])]}


@route("POST", "/cgi-bin/message/mass/delete")
def _delete_mass(account: Account, asked: Asked) -> None:
    if not asked.get("url"):
        _get_status(account, asked)
        account.made("mass jobs")[int(asked["msg_id"])] = "DELETE"


sample("POST GET", "/cgi-bin/message/mass/speed/get", answer=ok(speed=0, realspeed=80))
sample("POST", "/cgi-bin/message/mass/speed/set")
