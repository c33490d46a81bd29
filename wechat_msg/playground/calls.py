"""Show the bot's calls of the API in the conversation."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from wechat_msg.errors import MalformedPush
from wechat_msg.playground.chat import Chat
from wechat_msg.playground.panel import call_to_json, text_to_json
from wechat_msg.playground.talks import Talks
from wechat_msg.playground.users import Users
from wechat_msg.testing.bilingual import Text, same
from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import FakeResponse
from wechat_msg.wire import parse_json

__all__ = ["SENDS", "put_menu", "record_call"]

SENDS = ("/cgi-bin/message/custom/send", "/cgi-bin/message/custom/business/send")
_TYPES = ("/cgi-bin/message/custom/typing", "/cgi-bin/message/custom/business/typing")
_TEMPLATES = {
    "/cgi-bin/message/template/send": "templates",
    "/cgi-bin/message/subscribe/send": "subscription templates",
    "/cgi-bin/message/subscribe/bizsend": "subscription templates",
}
#: What a bot can do about customer-service messages that WeChat refuses.
_ADVICE: Mapping[int, Text] = {
    48001: Text(
        "this account may not send customer-service messages: keep late answers for the user's next message "
        "(KeepReply)",
        "该账号没有客服消息权限：迟到的回答可留到用户下次发消息时再给（KeepReply）",
    ),
    45015: Text(
        "the user's last action is too long ago: keep the answer for the user's next message "
        "(AnswerLater with unsent=KeepReply)",
        "距用户上次互动太久：可把回答留到用户下次发消息时再给（AnswerLater 的 unsent=KeepReply）",
    ),
    45047: Text(
        "all messages that the user's last action allows have been sent: keep the others for the user's next message "
        "(AnswerLater with unsent=KeepReply)",
        "本次互动可发的客服消息条数已用完：其余可留到用户下次发消息时再给（AnswerLater 的 unsent=KeepReply）",
    ),
    45002: Text(
        "a text has at most 2,047 bytes of UTF-8: split it (wechat_msg.text.split_text)",
        "文本最多 2047 字节（UTF-8）：请拆分（wechat_msg.text.split_text）",
    ),
}
#: A menu with a button of each kind, for an account whose bot has not created one. Its names are in both languages.
_SAMPLE_MENU = [
    {
        "name": text_to_json(Text("Explore", "互动")),
        "sub_button": [
            {"type": "click", "name": text_to_json(Text("Today", "今日推荐")), "key": "TODAY"},
            {"type": "click", "name": text_to_json(Text("Help", "帮助")), "key": "HELP"},
        ],
    },
    {
        "name": text_to_json(Text("Tools", "工具")),
        "sub_button": [
            {
                "type": "scancode_waitmsg",
                "name": text_to_json(Text("Scan, with a notice", "扫码带提示")),
                "key": "SCAN_WAIT",
            },
            {"type": "scancode_push", "name": text_to_json(Text("Scan", "扫码推事件")), "key": "SCAN_PUSH"},
            {"type": "location_select", "name": text_to_json(Text("Send location", "发送位置")), "key": "LOCATION"},
            {"type": "pic_sysphoto", "name": text_to_json(Text("Take a picture", "系统拍照发图")), "key": "PHOTO"},
            {
                "type": "pic_photo_or_album",
                "name": text_to_json(Text("Picture or album", "拍照或相册")),
                "key": "ALBUM",
            },
        ],
    },
    {"type": "view", "name": text_to_json(Text("Website", "官网")), "url": "https://developers.weixin.qq.com/"},
]


def put_menu(chat: Chat, api: FakeWeChatAPI) -> None:
    """Put the menu that the bot has created into the conversation, or a sample."""
    made = api.created("menus").get("default")
    with contextlib.suppress(ValueError):
        chat.put("menu", kind="menu", is_sample=made is None, buttons=made["button"] if made else _SAMPLE_MENU)


def record_call(
    chat: Chat, api: FakeWeChatAPI, users: Users, talks: Talks, request: APIRequest, answer: FakeResponse
) -> None:
    """Add a call to the conversation if a user would notice it, or if it was refused."""
    errcode, asked = _read(answer.body).get("errcode", 0), _read(request.body)
    user = asked.get("touser")
    if request.path.startswith("/cgi-bin/menu/"):
        put_menu(chat, api)
    shown: dict[str, Any]
    if errcode:
        shown = {"kind": "refused", "path": request.path, "answer": _read(answer.body)}
        if request.path in SENDS and user in users:
            talks.note_refusal(str(user))
            shown |= {"user": user, "message": asked, "advice": text_to_json(_ADVICE.get(errcode, same("")))}
    elif user not in users:
        return
    elif request.path in _TYPES:
        chat.put("typing", kind="typing", user=user, is_on=asked.get("command") == "Typing")
        return
    elif request.path in SENDS:
        chat.put("typing", kind="typing", user=user, is_on=False)
        shown = {"kind": "service", "user": user, "message": asked, **talks.name_service(str(user))}
    elif request.path in _TEMPLATES:
        template = api.created(_TEMPLATES[request.path]).get(asked.get("template_id"), {})
        shown = {"kind": "template", "user": user, "title": template.get("title", ""), "message": asked}
    else:
        return
    chat.add(**shown, wire={"call": call_to_json(request, answer), **shown})


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        return parse_json(body)
    except MalformedPush:
        return {}
