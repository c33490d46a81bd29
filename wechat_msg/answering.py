"""From the answer of a handler to the response to a push; every step is a pure function of its arguments."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from wechat_msg.errors import MalformedPush, ReplyError
from wechat_msg.events._kinds import get_kind
from wechat_msg.exchange import Push, PushResponse
from wechat_msg.messages import Message
from wechat_msg.replies import (
    Acknowledgement,
    ChapterPermissionReply,
    ErrCodeReply,
    ImageReply,
    IosRefundReply,
    MusicReply,
    NewsReply,
    RawReply,
    RenderedReply,
    Reply,
    ResultReply,
    TextReply,
    TransferCustomerServiceReply,
    VideoReply,
    VoiceReply,
)
from wechat_msg.settings import MINI_PROGRAM, OFFICIAL_ACCOUNT, AccountKind, PushSettings
from wechat_msg.signature import compute_msg_signature
from wechat_msg.wire import Format, clean_text, parse_rendered, render_body

__all__ = [
    "Answer",
    "Change",
    "OneAnswer",
    "acknowledge",
    "answer_cloud_function",
    "explain_refusal",
    "is_nothing",
    "is_stream",
    "list_replies",
    "may_reply",
    "render_reply",
    "seal_reply",
    "to_reply",
    "write_reply",
]

OneAnswer = Reply | str | None
"""A `Reply`, text for a `TextReply`, None or ``""`` for an acknowledgement."""


class Change:
    """Base class of answers that also change something that is stored: `Ask` and `End` of conversations."""

    __slots__ = ()

    def settle(self, message: Message) -> Generator[Any, Any, Answer]:
        """Yield the steps that make the change, and return the answer that the user gets."""
        raise NotImplementedError


Answer = OneAnswer | Change | Sequence[OneAnswer] | Iterator[OneAnswer] | AsyncIterator[OneAnswer]
"""The answer of a handler: one answer, or several, of which empty ones are left out; a generator may still run."""

_CONTENT_TYPES: Mapping[Format, str] = {
    "xml": "application/xml; charset=utf-8",
    "json": "application/json; charset=utf-8",
}
_SUCCESS = Acknowledgement()
_NO_STREAMS = str, Reply, list, tuple, type(None)  # to tell an iterator from them takes longer
#: Replies with the same members in both formats, but for the list of articles; and the members of all of them.
_CONVERTIBLE = (TextReply, ImageReply, VoiceReply, VideoReply, MusicReply, NewsReply, TransferCustomerServiceReply)
_HEAD = {"ToUserName", "FromUserName", "CreateTime", "MsgType"}
_MEMBERS = _HEAD | {"Content", "Image", "Voice", "Video", "Music", "ArticleCount", "Articles", "TransInfo"}
#: Replies that are no passive replies to users; every account may give them.
_DOCUMENTS = (ErrCodeReply, ResultReply, IosRefundReply, ChapterPermissionReply, RawReply)
_MINI_PROGRAM_REPLIES = (Acknowledgement, RenderedReply, TransferCustomerServiceReply, *_DOCUMENTS)
#: The answers that say nothing, by `PushKind.nothing`.
_NOTHING: Mapping[str, Reply] = {
    "success": _SUCCESS,
    "ErrCode": ErrCodeReply(),
    "errcode": ErrCodeReply(err_msg="ok"),
}
#: The members whose names some kinds of push want in lower case.
_STATUS = {"ErrCode", "ErrMsg", "ResultCode", "ResultMsg"}


def seal_reply(
    settings: PushSettings,
    push: Push,
    reply: OneAnswer,
    *,
    now: Callable[[], float] = time.time,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> PushResponse:
    """Make the response to *push*, in its format and its mode, sealed with its key.

    Args:
        settings: The account's settings; a sealed reply is signed with ``token``, never with a previous one.
        push: The push to answer.
        reply: The answer of the handler. None and ``""`` give the acknowledgement for this kind of push.
        now: Clock, seconds since the epoch.
        random_bytes: Source of the envelope's random bytes (16) and of the nonce (4).

    Raises:
        ReplyError: The reply has none of the allowed types, cannot be written, or is not valid for a Mini Program.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
    """
    timestamp = int(now())
    chosen = _choose_reply(settings.account_kind, push.message, reply)
    if isinstance(chosen, Acknowledgement):
        return PushResponse(200, chosen.body.encode())
    document = _write(push.message, chosen, timestamp, push.format)
    if push.cipher is not None:
        encrypt = push.cipher.encrypt(document.encode(), appid=push.appid, random_bytes=random_bytes)
        document = _seal(settings, encrypt, str(timestamp), random_bytes, push.format)
    return PushResponse(200, document.encode(), _CONTENT_TYPES[push.format])


def render_reply(
    settings: PushSettings, push: Push, answer: OneAnswer, *, now: Callable[[], float] = time.time
) -> Acknowledgement | RenderedReply:
    """Write the answer to *push* once, so that `seal_reply` can answer every re-send with the same reply.

    Args:
        settings: The account's settings.
        push: The push to answer. The reply is written in its format, and `seal_reply` can convert it to the other one.
            A `RawReply`, an `ErrCodeReply` and a reply class of your own are written in both, if possible.
        answer: The answer of the handler.
        now: Clock for the reply's CreateTime, seconds since the epoch.

    Raises:
        ReplyError: As `seal_reply`.
    """
    return write_reply(push, _choose_reply(settings.account_kind, push.message, answer), now=now)


def write_reply(push: Push, reply: Reply, *, now: Callable[[], float]) -> Acknowledgement | RenderedReply:
    """Write a reply that this account may give, so that `seal_reply` can answer *push* and its re-sends with it."""
    if isinstance(reply, Acknowledgement):
        return reply
    timestamp, form = int(now()), push.format
    documents: dict[Format, str] = {form: _write(push.message, reply, timestamp, form)}
    if isinstance(reply, RenderedReply):  # it is complete, and can be written in this format
        return reply
    if type(reply) not in _CONVERTIBLE:
        other: Format = "json" if form == "xml" else "xml"
        with contextlib.suppress(Exception):  # a reply class of the user's own may not support both formats
            documents[other] = _write(push.message, reply, timestamp, other)
    return RenderedReply(documents=documents)


def answer_cloud_function(
    message: Message,
    reply: OneAnswer,
    *,
    account_kind: AccountKind = OFFICIAL_ACCOUNT,
    now: Callable[[], float] = time.time,
) -> dict[str, Any] | str:
    """Make the result of a cloud function (云函数): a dict for a reply, ``"success"`` or ``""`` for an acknowledgement.

    Args:
        message: The push, as `parse_message` returns it.
        reply: The answer of the handler.
        account_kind: OFFICIAL_ACCOUNT or MINI_PROGRAM; decides which answers are valid.
        now: Clock, seconds since the epoch.

    Raises:
        ReplyError: As `seal_reply`.

    Example:
        >>> from wechat_msg import parse_message
        >>> message = parse_message({"ToUserName": "wx0123456789abcdef", "FromUserName": "oUSER", "MsgType": "text",
        ...                          "CreateTime": 1555684067, "MsgId": "49d7_1555684067", "Content": "hi"})
        >>> answer_cloud_function(message, "hello")["Content"]
        'hello'
        >>> answer_cloud_function(message, None)
        'success'
    """
    chosen = _choose_reply(account_kind, message, reply)
    if isinstance(chosen, Acknowledgement):
        return chosen.body
    document: dict[str, Any] = json.loads(_write(message, chosen, int(now()), "json"))
    return document


def to_reply(message: Message, answer: OneAnswer) -> Reply:
    """Turn the answer of a handler into a reply; a text without a character that can be sent is an acknowledgement.

    Raises:
        ReplyError: The answer has none of the allowed types.
    """
    if isinstance(answer, str):
        answer = TextReply(content=answer)
    if answer is None or (isinstance(answer, TextReply) and _is_empty(answer.content)):
        return acknowledge(message)
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, Change):
        raise ReplyError(
            "an Ask or End must be the whole answer, not a part of one; a question may be a list"
            "（Ask、End 须单独返回，不能放在列表或生成器里；问题本身可以是列表）"
        )
    raise ReplyError(
        f"a handler must return a Reply, text or None, or several of them, not {type(answer).__name__}"
        "（处理函数应返回文本、Reply、None，或由它们组成的列表、生成器）"
    )


def _is_empty(text: str) -> bool:
    """Return whether a text has no character that can be sent."""
    return not text or (not text[0].isprintable() and not clean_text(text))


def list_replies(message: Message, answer: Answer) -> list[Reply]:
    """Turn the answer of a handler into replies: at least one, and the acknowledgement only if there is no other.

    Raises:
        ReplyError: The answer, or one of several, has none of the allowed types.
    """
    if isinstance(answer, (str, Reply, bytes)) or not isinstance(answer, Sequence):
        one: Any = answer
        return [to_reply(message, one)]
    replies = (to_reply(message, each) for each in answer)
    return [reply for reply in replies if not is_nothing(reply)] or [acknowledge(message)]


def is_nothing(reply: Reply) -> bool:
    """Return whether a reply says nothing to the user."""
    return isinstance(reply, Acknowledgement) or (isinstance(reply, ErrCodeReply) and reply in _NOTHING.values())


def is_stream(answer: object) -> bool:
    """Return whether the answer of a handler is an iterator, sync or async."""
    return not isinstance(answer, _NO_STREAMS) and isinstance(answer, (Iterator, AsyncIterator))


def acknowledge(message: Message) -> Reply:
    """Return the answer to *message* that says nothing: for some events a document, ``success`` for all others."""
    return _NOTHING[get_kind(message).nothing]


def may_reply(account_kind: AccountKind, reply: Reply) -> bool:
    """Return whether this kind of account may answer a push with *reply* (被动回复)."""
    return account_kind is not MINI_PROGRAM or isinstance(reply, _MINI_PROGRAM_REPLIES)


def explain_refusal(reply: Reply) -> ReplyError:
    """Return the error for a reply that `may_reply` refuses."""
    return ReplyError(
        f"a Mini Program cannot be answered with a {type(reply).__name__}:"
        " give the endpoint late=AnswerLater(send), return None and send a customer-service message,"
        " or return a TransferCustomerServiceReply"
        "（小程序不支持被动回复：请给 endpoint 配置 late=AnswerLater(send)，或返回 None 并自行调用客服消息接口，"
        "或返回 TransferCustomerServiceReply 转人工客服）"
    )


def _choose_reply(account_kind: AccountKind, message: Message, answer: OneAnswer) -> Reply:
    if isinstance(answer, (Acknowledgement, RenderedReply)):  # what was written before was also checked before
        return answer
    reply = to_reply(message, answer)
    if not may_reply(account_kind, reply):
        raise explain_refusal(reply)
    return reply


def _write(message: Message, reply: Reply, timestamp: int, form: Format) -> str:
    if not isinstance(reply, RenderedReply):
        return render_body(_to_document(message, reply, form, timestamp), form)
    return reply.documents[form] if form in reply.documents else _convert(reply, form)


def _convert(reply: RenderedReply, form: Format) -> str:
    """Write a reply again in another format: no real push changes its format, so this need not be fast."""
    refused = ReplyError(f"this reply cannot be written as {form}")
    try:
        fields = parse_rendered(next(iter(reply.documents.values()), "{}"))
        if fields["MsgType"] not in {cls.msg_type for cls in _CONVERTIBLE} or not fields.keys() <= _MEMBERS:
            raise refused  # it is of a class of the user's own
        fields |= {name: int(fields[name]) for name in ("CreateTime", "ArticleCount") if name in fields}
        if articles := fields.get("Articles"):
            items = articles["item"] if isinstance(articles, dict) else articles
            items = items if isinstance(items, list) else [items]
            fields["Articles"] = {"item": items} if form == "xml" else items
    except (LookupError, TypeError, ValueError, MalformedPush):
        raise refused from None
    return render_body(fields, form)


def _to_document(message: Message, reply: Reply, form: Format, timestamp: int) -> dict[str, Any]:
    fields = reply.to_fields(form)
    if not reply.msg_type:
        return _to_business_document(message, reply, fields, timestamp)
    to_user_name = reply.to_user_name or message.from_user_name
    if not to_user_name:
        raise ReplyError("the push names no user to reply to（该推送没有用户，无法回复）")
    return {
        "ToUserName": to_user_name,
        "FromUserName": reply.from_user_name or message.to_user_name,
        "CreateTime": timestamp if reply.create_time is None else reply.create_time,
        "MsgType": reply.msg_type,
        **fields,
    }


def _to_business_document(message: Message, reply: Reply, fields: dict[str, Any], timestamp: int) -> dict[str, Any]:
    if isinstance(reply, (ErrCodeReply, ResultReply)) and get_kind(message).is_lower_case:
        fields = {name.lower() if name in _STATUS else name: value for name, value in fields.items()}
    if not isinstance(reply, ResultReply):
        return fields
    return {
        "ToUserName": reply.to_user_name or message.from_user_name or None,
        "FromUserName": reply.from_user_name or message.to_user_name or None,
        "CreateTime": timestamp if reply.create_time is None else reply.create_time,
        "MsgType": message.msg_type,
        "Event": getattr(message, "event", None),
        **fields,
    }


def _seal(
    settings: PushSettings, encrypt: str, timestamp: str, random_bytes: Callable[[int], bytes], form: Format
) -> str:
    nonce = str(int.from_bytes(random_bytes(4), "big"))
    msg_signature = compute_msg_signature(settings.token, timestamp=timestamp, nonce=nonce, encrypt=encrypt)
    # No part comes from outside, so a template is enough.
    if form == "json":
        return f'{{"Encrypt":"{encrypt}","MsgSignature":"{msg_signature}","TimeStamp":{timestamp},"Nonce":"{nonce}"}}'
    return (
        f"<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt><MsgSignature><![CDATA[{msg_signature}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )
