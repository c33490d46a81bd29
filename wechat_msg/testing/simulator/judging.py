"""Judge an answer as WeChat does. No I/O.

WeChat documents which answers are valid; for any other answer it shows the user of an Official Account that the service
is unavailable. How strictly it reads XML (control characters, unknown elements) is unconfirmed: this module is strict.
So is the limit of a text, 2,047 bytes or 2,048, and whether WeChat tries again after a longer one: here it does not.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from wechat_msg.errors import MalformedPush, PushError
from wechat_msg.events._kinds import find_kind
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import MINI_PROGRAM, PushSettings
from wechat_msg.signature import verify_msg_signature
from wechat_msg.testing.documents import MAX_DOCUMENT_BYTES, MAX_TEXT_BYTES, read_document
from wechat_msg.testing.simulator import problems
from wechat_msg.testing.simulator.problems import Problem
from wechat_msg.testing.simulator.verdicts import BotResponse, Verdict
from wechat_msg.wire import Format, detect_format

__all__ = ["judge_echo", "judge_reply"]

_ENVELOPE = ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")
_COMMON = ("ToUserName", "FromUserName", "CreateTime", "MsgType")
#: For each type: its members, and the path to the member that must not be empty.
_TYPES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("Content",), ("Content",)),
    "image": (("Image",), ("Image", "MediaId")),
    "voice": (("Voice",), ("Voice", "MediaId")),
    "video": (("Video",), ("Video", "MediaId")),
    "music": (("Music",), ("Music", "ThumbMediaId")),
    "news": (("ArticleCount", "Articles"), ("Articles",)),
    "transfer_customer_service": (("TransInfo",), ()),
    "transfer_biz_ai_ivr": ((), ()),
}
_OF_MINI_PROGRAMS = ("transfer_customer_service",)
_LISTS: Mapping[Format, str] = {"xml": "item", "json": "Articles"}
_MAX_ARTICLES = 8
_MAX_CHARACTERS = 200
_COMPRESSIONS = ("gzip", "deflate", "br", "zstd")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class _Rejection(Exception):
    """A problem that ends the judging of an answer."""

    def __init__(self, problem: Problem, detail: str = "") -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.detail = detail


def judge_echo(request: PushRequest, answer: BotResponse) -> Verdict:
    """Judge the answer to a URL verification (接入验证), or to the POST by which Cloud Run (云托管) checks a path."""
    try:
        _check_status(answer)
    except _Rejection as rejection:
        return Verdict("failed", problem=rejection.problem, detail=rejection.detail)
    is_echo = request.method == "GET"
    if answer.body not in ([request.query.get("echostr", "").encode()] if is_echo else [b"", b"success"]):
        problem = problems.NOT_ECHOED if is_echo else problems.NOT_SUCCESS
        return Verdict("failed", problem=problem, detail=f"{len(answer.body)} bytes")
    return Verdict("verified")


def judge_reply(
    settings: PushSettings, request: PushRequest, answer: BotResponse, fields: Mapping[str, Any]
) -> Verdict:
    """Judge the answer to a push.

    Args:
        settings: The account's settings.
        request: The push as it was sent.
        answer: The HTTP response of the bot.
        fields: The fields of the push, as they were before sealing.
    """
    document, kind = b"", find_kind(str(fields.get("Event", "")))
    members = kind.members
    try:
        _check_status(answer)
        if answer.body in (b"", b"success"):
            _check_document({"ErrCode": 0}, members)  # it means the same
            return Verdict("acknowledged")
        _check_encoding(answer)
        document = _open(settings, request, answer.body)
        reply = _read(document, request)
        if not members:
            _check_single(reply, _LISTS[detect_format(document)])
        if members or ("ErrCode" in reply and "MsgType" not in reply):
            _check_document(reply, members)
            return Verdict("acknowledged", document=document.decode())
        _check(settings, reply, fields)
    except _Rejection as rejection:
        return Verdict(
            "failed", problem=rejection.problem, detail=rejection.detail, document=document.decode("utf-8", "replace")
        )
    return Verdict("replied", reply=reply, document=document.decode())


def _check_status(answer: BotResponse) -> None:
    if answer.status in range(300, 400):
        # Without the query, which may contain the signature.
        target = re.split("[?#]", answer.headers.get("location", ""))[0][:_MAX_CHARACTERS]
        raise _Rejection(problems.REDIRECTED, f"HTTP {answer.status}" + (f" -> {target}" if target else ""))
    if answer.status != 200:
        raise _Rejection(problems.of_status(answer.status), f"HTTP {answer.status}")


def _check_encoding(answer: BotResponse) -> None:
    """Refuse a compressed answer: WeChat asks for none, and a megabyte may expand to a gigabyte."""
    encoding = answer.headers.get("content-encoding", "").lower()
    if encoding in _COMPRESSIONS:
        raise _Rejection(problems.UNREADABLE, f"Content-Encoding: {encoding}")


# --- the envelope -----------------------------------------------------------------------------------------------------


def _open(settings: PushSettings, request: PushRequest, body: bytes) -> bytes:
    """Return the inner document."""
    outer = _read(body, request)
    is_sealed = request.query.get("encrypt_type") == "aes"
    if "Encrypt" not in outer:
        # In the compatible mode pushes have plain members too, and WeChat accepts both kinds of reply.
        if is_sealed and b"MsgType" not in request.body:
            raise _Rejection(problems.UNSEALED)
        return body
    if not is_sealed:
        raise _Rejection(problems.SEALED)
    return _unseal(settings, outer)


def _unseal(settings: PushSettings, outer: Mapping[str, Any]) -> bytes:
    if not settings.ciphers:
        raise _Rejection(problems.WRONG_SEAL, "no key to decrypt it with")
    for name in _ENVELOPE:
        if not isinstance(outer.get(name), (str, int)):
            raise _Rejection(problems.WRONG_SEAL, name)
    encrypt, msg_signature, timestamp, nonce = (str(outer[name]) for name in _ENVELOPE)
    try:
        verify_msg_signature(
            settings.token, msg_signature=msg_signature, timestamp=timestamp, nonce=nonce, encrypt=encrypt
        )
        return settings.ciphers[0].decrypt(encrypt)
    except PushError as error:
        raise _Rejection(problems.WRONG_SEAL, type(error).__name__) from None


def _read(body: bytes, request: PushRequest) -> Mapping[str, Any]:
    if len(body) > MAX_DOCUMENT_BYTES:
        raise _Rejection(problems.TOO_LONG, f"{len(body)} bytes")
    try:
        if _CONTROL.search(body):
            raise _Rejection(problems.UNREADABLE, "control characters")
        document = read_document(body)
    except MalformedPush:
        raise _Rejection(problems.of_unreadable(body)) from None
    with contextlib.suppress(MalformedPush):  # a push that is malformed on purpose has no format
        if detect_format(body) != detect_format(request.body):
            raise _Rejection(problems.WRONG_FORMAT)
    return document


# --- the reply --------------------------------------------------------------------------------------------------------


def _check(settings: PushSettings, reply: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    for name in _COMMON:
        if reply.get(name) in (None, ""):
            raise _Rejection(problems.INCOMPLETE, name)
    kind = reply["MsgType"]
    if not isinstance(kind, str) or kind not in _TYPES:
        raise _Rejection(problems.WRONG_TYPE)
    if settings.account_kind == MINI_PROGRAM and kind not in _OF_MINI_PROGRAMS:
        raise _Rejection(problems.NOT_FOR_ACCOUNT, kind)
    members, path = _TYPES[kind]
    if set(reply) - {*_COMMON, *members}:
        raise _Rejection(problems.UNKNOWN_MEMBER)
    _check_path(reply, path)
    if (reply["ToUserName"], reply["FromUserName"]) != (fields.get("FromUserName"), fields.get("ToUserName")):
        raise _Rejection(problems.WRONG_ADDRESSEE)
    if not re.fullmatch(r"[0-9]{1,10}", str(reply["CreateTime"]), re.ASCII):
        raise _Rejection(problems.INCOMPLETE, "CreateTime")
    if kind == "text" and (size := len(str(reply["Content"]).encode())) > MAX_TEXT_BYTES:
        raise _Rejection(problems.TEXT_TOO_LONG, f"{size} bytes")
    if kind == "news":
        _check_articles(reply, is_event=fields.get("MsgType") == "event")


def _check_document(reply: Mapping[str, Any], members: tuple[str, ...]) -> None:
    if str(reply.get("ErrCode", 0)) != "0":  # a number of another name refuses what the event asks for
        raise _Rejection(problems.ASKS_AGAIN)
    for name in members:
        if reply.get(name) in (None, ""):
            raise _Rejection(problems.NO_DOCUMENT, name)


def _check_single(members: Mapping[str, Any], list_name: str) -> None:
    """Refuse repeated elements, which the parser returns as a list."""
    for name, value in members.items():
        if isinstance(value, list) and name != list_name:
            raise _Rejection(problems.REPEATED, name if name in _COMMON else "")
        for member in value if isinstance(value, list) else [value]:
            if isinstance(member, Mapping):
                _check_single(member, list_name)


def _check_path(reply: Mapping[str, Any], path: tuple[str, ...]) -> None:
    value: Any = reply
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if path and value in (None, ""):
        raise _Rejection(problems.INCOMPLETE, ".".join(path))


def _check_articles(reply: Mapping[str, Any], *, is_event: bool) -> None:
    articles = reply["Articles"]
    if isinstance(articles, Mapping):  # XML
        articles = articles.get("item", [])
    listed = articles if isinstance(articles, list) else [articles]
    most = _MAX_ARTICLES if is_event else 1
    if str(reply.get("ArticleCount")) != str(len(listed)) or not 1 <= len(listed) <= most:
        raise _Rejection(problems.ARTICLES, f"{len(listed)}")
    if not all(isinstance(article, Mapping) and article.get("Title") for article in listed):
        raise _Rejection(problems.INCOMPLETE, "Title")
