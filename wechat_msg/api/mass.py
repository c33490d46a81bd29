"""群发: messages of an Official Account to many users at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.api._arguments import texts, without_none, write_options
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

# --- messages --------------------------------------------------------------------------------------------------------


def _to_media_ids(media_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts(media_ids, "media_ids"))


@frozen
class Images:
    """图片消息: one or more images.

    Attributes:
        media_ids: Media ids of the images.
        recommend: Text that recommends them.
        need_open_comment: Whether comments are allowed.
        only_fans_can_comment: Whether only followers may comment.
    """

    media_ids: tuple[str, ...] = field(converter=_to_media_ids)
    recommend: str | None = field(default=None, kw_only=True, repr=False)
    need_open_comment: bool | None = field(default=None, kw_only=True)
    only_fans_can_comment: bool | None = field(default=None, kw_only=True)


MassMessage = str | TextReply | ImageReply | VoiceReply | VideoReply | MpNews | Images | WxCard
"""A mass message: text, image, voice, video, articles, or several images; WeChat now refuses cards (45113)."""


def _write(message: MassMessage) -> dict[str, Any]:
    """Return the msgtype and the object of that name."""
    match message:
        case str():
            return {"msgtype": "text", "text": {"content": message}}
        case TextReply() | VoiceReply() | MpNews() | WxCard():
            return {"msgtype": message.msg_type, message.msg_type: message.to_customer_service()}
        case ImageReply():
            return {
                "msgtype": "image",
                "images": {"media_ids": [message.media_id]},
            }  # "images", although the msgtype is "image"
        case Images(media_ids=media_ids):
            return {
                "msgtype": "image",
                "images": write_options(**attrs.asdict(message)) | {"media_ids": list(media_ids)},
            }
        case VideoReply():
            return {"msgtype": "mpvideo", "mpvideo": _write_video(message)}
    raise CallError(f"{type(message).__name__} cannot be a mass message（不能群发这种消息）")


def _write_video(message: VideoReply) -> dict[str, Any]:
    return without_none(media_id=message.media_id, title=message.title, description=message.description)


def _write_preview(message: MassMessage) -> dict[str, Any]:
    match message:
        case ImageReply(media_id=media_id) | Images(media_ids=(media_id, *_)):
            return {"msgtype": "image", "image": {"media_id": media_id}}
    return _write(message)


# --- sending ---------------------------------------------------------------------------------------------------------


@model
class MassSent(Result):
    """A mass message that WeChat has accepted; a `MassSendJobFinishEvent` reports its outcome.

    Attributes:
        msg_id: Id of the message; `MassSendJobFinishEvent.msg_id` is the same id as text. None if WeChat returns none.
        msg_data_id: Id of the articles, for statistics; None for other messages.
    """

    msg_id: int | None = None
    msg_data_id: int | None = None


def send_to_all(
    message: MassMessage, *, send_ignore_reprint: bool | None = None, clientmsgid: str | None = None
) -> Call[MassSent]:
    """群发给所有粉丝: send a message to all followers.

    A subscription account sends 1 message a day; a user receives 4 a month from a service account. The limits are 100
    calls a day and 60 a minute. The administrator may have to confirm within 30 minutes (89504).

    Without *clientmsgid* WeChat refuses content that was sent within the last 24 hours, even to another tag or other
    users: sending the call raises `DuplicateRequest` (45065), and nothing is sent.

    Args:
        message: The message.
        send_ignore_reprint: Whether to send articles that WeChat judges a reprint; None means no.
        clientmsgid: An id of your own, up to 32 bytes (64 by one source; unconfirmed). Within 24 hours WeChat sends one
            message per id; a repeated call returns the first result, or raises `RateLimited` (45066) within a minute.
            If None, WeChat compares the content.

    Raises:
        CallError: *message* cannot be a mass message.

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
    """根据标签群发: send a message to all users with a tag, as `send_to_all` does.

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
    """根据 OpenID 列表群发: send a message to 2 to 10,000 users, as `send_to_all` does. Service accounts only.

    Raises:
        CallError: *openids* is not a list of texts, or *message* cannot be a mass message.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return _send(
        "send", {"touser": texts(openids)}, message, send_ignore_reprint=send_ignore_reprint, clientmsgid=clientmsgid
    )


def _send(
    name: str, to: Mapping[str, Any], message: MassMessage, *, send_ignore_reprint: bool | None, clientmsgid: str | None
) -> Call[MassSent]:
    options = write_options(send_ignore_reprint=send_ignore_reprint, clientmsgid=clientmsgid)
    has_own_id = bool(clientmsgid)
    return Call(
        "POST",
        f"/cgi-bin/message/mass/{name}",
        ResultOf(MassSent),
        json={**to, **_write(message), **options},
        is_repeatable=has_own_id,
        # With an id, 45065 is about this message, which was sent. Without one WeChat compares the content, so 45065 may
        # be about a message to other users.
        also_done=frozenset({_CLIENTMSGID_EXISTS} if has_own_id else ()),
    )


def preview(message: MassMessage, *, openid: str | None = None, towxname: str | None = None) -> Call[MassSent]:
    """预览群发消息: send a message to one user as a preview; 100 times a day.

    Args:
        message: The message. Of `Images`, only the first is sent.
        openid: The user.
        towxname: WeChat id of the user; takes precedence over *openid*.

    Raises:
        CallError: *message* cannot be a mass message.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    to = without_none(touser=openid, towxname=towxname)
    return post("/cgi-bin/message/mass/preview", {**to, **_write_preview(message)}, ResultOf(MassSent))


# --- after sending ---------------------------------------------------------------------------------------------------


def delete(msg_id: int | str | None = None, *, url: str | None = None, article_idx: int | None = None) -> Call[None]:
    """删除群发: delete the page of sent articles or of a sent video; users keep the message itself.

    Args:
        msg_id: Id of the message.
        url: URL of the article, instead of *msg_id*.
        article_idx: Number of the article, from 1; None for all.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return post(
        "/cgi-bin/message/mass/delete", without_none(msg_id=msg_id, url=url, article_idx=article_idx), no_result
    )


@model
class MassStatus(Result):
    """Status of a mass message.

    Attributes:
        msg_status: ``SEND_SUCCESS``, ``SENDING``, ``SEND_FAIL`` or ``DELETE``.
        msg_id: Id of the message.
    """

    msg_status: str
    msg_id: int | None = None


def get_status(msg_id: int | str) -> Call[MassStatus]:
    """查询群发消息发送状态: get the status of a mass message.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return post("/cgi-bin/message/mass/get", {"msg_id": msg_id}, ResultOf(MassStatus), is_repeatable=True)


@model
class MassSpeed(Result):
    """Speed of mass messages.

    Attributes:
        speed: As for `set_speed`.
        realspeed: The speed in 10,000 messages a minute.
    """

    speed: int = integer("speed")
    realspeed: int | None = None


def get_speed() -> Call[MassSpeed]:
    """获取群发速度: get the speed of mass messages. That the call is a POST is unconfirmed.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return post("/cgi-bin/message/mass/speed/get", {}, ResultOf(MassSpeed), is_repeatable=True)


def set_speed(speed: int) -> Call[None]:
    """设置群发速度: set the speed of mass messages.

    Args:
        speed: Messages a minute: 0 is 800,000; 1 is 600,000; 2 is 450,000; 3 is 300,000; 4 is 100,000.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    return post("/cgi-bin/message/mass/speed/set", {"speed": speed}, no_result, is_repeatable=True)
