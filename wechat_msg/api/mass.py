"""群发: messages of an Official Account to many users at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.api._arguments import texts, without_none
from wechat_msg.api.call import Call, post
from wechat_msg.api.customer_service import MpNews, WxCard
from wechat_msg.api.results import Result, ResultOf, no_result
from wechat_msg.errors import CallError
from wechat_msg.fields import integer, model
from wechat_msg.replies import ImageReply, TextReply, VideoReply, VoiceReply

__all__ = [
    "Images",
    "MassMessage",
    "MassSent",
    "MassSpeed",
    "MassStatus",
    "MpNews",
    "WxCard",
    "delete",
    "get_speed",
    "get_status",
    "preview",
    "send",
    "send_to_all",
    "send_to_tag",
    "set_speed",
]

_CLIENTMSGID_EXISTS = 45065

# --- what is sent ----------------------------------------------------------------------------------------------------


def _to_media_ids(media_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts(media_ids, "media_ids"))


@frozen
class Images:
    """图片消息: one or more pictures.

    Attributes:
        media_ids: Media ids of the pictures.
        recommend: Text that recommends them.
        need_open_comment: Whether they may be commented on.
        only_fans_can_comment: Whether by followers only.
    """

    media_ids: tuple[str, ...] = field(converter=_to_media_ids)
    recommend: str | None = field(default=None, kw_only=True, repr=False)
    need_open_comment: bool | None = field(default=None, kw_only=True)
    only_fans_can_comment: bool | None = field(default=None, kw_only=True)


MassMessage = str | TextReply | ImageReply | VoiceReply | VideoReply | MpNews | Images | WxCard
"""What can be sent to many: text, one picture, voice, a video, articles, pictures; cards are refused now (45113)."""


def _write(message: MassMessage) -> dict[str, Any]:
    """Return the msgtype and the object that goes with it."""
    match message:
        case str():
            return {"msgtype": "text", "text": {"content": message}}
        case TextReply() | VoiceReply() | MpNews() | WxCard():
            return {"msgtype": message.msg_type, message.msg_type: message.to_customer_service()}
        case ImageReply():
            return {"msgtype": "image", "images": {"media_ids": [message.media_id]}}  # "images", though the type is not
        case Images(media_ids=media_ids):
            return {"msgtype": "image", "images": _options(**attrs.asdict(message)) | {"media_ids": list(media_ids)}}
        case VideoReply():
            return {"msgtype": "mpvideo", "mpvideo": _write_video(message)}
    raise CallError(f"{type(message).__name__} cannot be sent to many（不能群发这种消息）")


def _write_video(message: VideoReply) -> dict[str, Any]:
    return without_none(media_id=message.media_id, title=message.title, description=message.description)


def _write_preview(message: MassMessage) -> dict[str, Any]:
    match message:
        case ImageReply(media_id=media_id) | Images(media_ids=(media_id, *_)):
            return {"msgtype": "image", "image": {"media_id": media_id}}
    return _write(message)


def _options(**members: Any) -> dict[str, Any]:
    """Return the members that are not None; WeChat wants 0 and 1 for no and yes."""
    given = without_none(**members)
    return {name: int(value) if isinstance(value, bool) else value for name, value in given.items()}


# --- sending ---------------------------------------------------------------------------------------------------------


@model
class MassSent(Result):
    """A mass message that WeChat has taken; how it went tells a `MassSendJobFinishEvent`.

    Attributes:
        msg_id: Id of the message; `MassSendJobFinishEvent.msg_id` is the same as text. None: WeChat told none.
        msg_data_id: Id of the articles, for statistics; only of articles.
    """

    msg_id: int | None = None
    msg_data_id: int | None = None


def send_to_all(
    message: MassMessage, *, send_ignore_reprint: bool | None = None, clientmsgid: str | None = None
) -> Call[MassSent]:
    """群发给所有粉丝: send a message to everybody who follows.

    Subscription accounts send 1 a day; of a service account, a user receives 4 a month; 100 calls a day, 60 a minute.
    The administrator may have to agree within 30 minutes (89504).

    Without *clientmsgid* WeChat refuses content that it was given within the last 24 hours, even for another tag or
    other users: sending the call raises `DuplicateRequest` (45065), and nothing is sent.

    Args:
        message: What to send.
        send_ignore_reprint: Whether to go on when articles are judged a reprint; None: no.
        clientmsgid: An id of your own, up to 32 bytes (64 by one source; unconfirmed). Within 24 hours WeChat sends one
            message for each id; to ask again gives the result of the first time. To ask again within a minute raises
            `RateLimited` (45066). None: WeChat goes by the content.

    Raises:
        CallError: *message* cannot be sent to many.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return _send(
        "sendall",
        {"filter": {"is_to_all": True}},
        message,
        send_ignore_reprint=send_ignore_reprint,
        clientmsgid=clientmsgid,
    )


def send_to_tag(
    tag_id: int, message: MassMessage, *, send_ignore_reprint: bool | None = None, clientmsgid: str | None = None
) -> Call[MassSent]:
    """根据标签群发: send a message to everybody who has a tag; all as in `send_to_all`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    to = {"filter": {"is_to_all": False, "tag_id": tag_id}}
    return _send("sendall", to, message, send_ignore_reprint=send_ignore_reprint, clientmsgid=clientmsgid)


def send(
    openids: Iterable[str],
    message: MassMessage,
    *,
    send_ignore_reprint: bool | None = None,
    clientmsgid: str | None = None,
) -> Call[MassSent]:
    """根据 OpenID 列表群发: send a message to 2 to 10,000 users. Service accounts only; all as in `send_to_all`.

    Raises:
        CallError: *openids* is no list of texts, or *message* cannot be sent to many.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return _send(
        "send", {"touser": texts(openids)}, message, send_ignore_reprint=send_ignore_reprint, clientmsgid=clientmsgid
    )


def _send(
    name: str, to: Mapping[str, Any], message: MassMessage, *, send_ignore_reprint: bool | None, clientmsgid: str | None
) -> Call[MassSent]:
    options = _options(send_ignore_reprint=send_ignore_reprint, clientmsgid=clientmsgid)
    has_own_id = bool(clientmsgid)
    return Call(
        "POST",
        f"/cgi-bin/message/mass/{name}",
        ResultOf(MassSent),
        json={**to, **_write(message), **options},
        is_repeatable=has_own_id,
        # An id of the caller's names this message, which was sent. Without one WeChat goes by the content, and whoever
        # sends the same to another tag has sent nothing.
        also_done=frozenset({_CLIENTMSGID_EXISTS} if has_own_id else ()),
    )


def preview(message: MassMessage, *, openid: str | None = None, towxname: str | None = None) -> Call[MassSent]:
    """预览群发消息: send a message to one user, to see how it looks; 100 a day.

    Args:
        message: What to send. Of `Images`, only the first is shown.
        openid: The user.
        towxname: WeChat id of the user; is preferred to *openid*.

    Raises:
        CallError: *message* cannot be sent to many.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    to = without_none(touser=openid, towxname=towxname)
    return post("/cgi-bin/message/mass/preview", {**to, **_write_preview(message)}, ResultOf(MassSent))


# --- after sending ---------------------------------------------------------------------------------------------------


def delete(msg_id: int | str | None = None, *, url: str | None = None, article_idx: int | None = None) -> Call[None]:
    """删除群发: remove the page of articles or of a video that was sent; the message itself stays with the users.

    Args:
        msg_id: Id of the message.
        url: Address of the article, instead of *msg_id*.
        article_idx: Which article, from 1; None: all.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return post(
        "/cgi-bin/message/mass/delete", without_none(msg_id=msg_id, url=url, article_idx=article_idx), no_result
    )


@model
class MassStatus(Result):
    """How far a mass message is.

    Attributes:
        msg_status: ``SEND_SUCCESS``, ``SENDING``, ``SEND_FAIL`` or ``DELETE``.
        msg_id: Id of the message.
    """

    msg_status: str
    msg_id: int | None = None


def get_status(msg_id: int | str) -> Call[MassStatus]:
    """查询群发消息发送状态: tell how far a mass message is.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return post("/cgi-bin/message/mass/get", {"msg_id": msg_id}, ResultOf(MassStatus), is_repeatable=True)


@model
class MassSpeed(Result):
    """How fast mass messages go out.

    Attributes:
        speed: As for `set_speed`.
        realspeed: The same in 10,000 a minute.
    """

    speed: int = integer("speed")
    realspeed: int | None = None


def get_speed() -> Call[MassSpeed]:
    """获取群发速度: tell how fast mass messages go out. That it is a POST is unconfirmed.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return post("/cgi-bin/message/mass/speed/get", {}, ResultOf(MassSpeed), is_repeatable=True)


def set_speed(speed: int) -> Call[None]:
    """设置群发速度: set how fast mass messages go out.

    Args:
        speed: A minute: 0: 800,000; 1: 600,000; 2: 450,000; 3: 300,000; 4: 100,000.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return post("/cgi-bin/message/mass/speed/set", {"speed": speed}, no_result, is_repeatable=True)
