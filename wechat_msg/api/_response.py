"""What an answer says: the result of a call, or the error that WeChat gives instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import field

from wechat_msg._json import read_object
from wechat_msg._tracebacks import frozen
from wechat_msg.api.call import SECRET, Call, File
from wechat_msg.api.errcodes import make_api_error
from wechat_msg.api.reading import OtherKind
from wechat_msg.errors import (
    AccessTokenRejected,
    APIError,
    AuthorizationExpired,
    CallError,
    InvalidCredential,
    UnreadableAnswer,
)
from wechat_msg.fields import UnreadableField, read_integer

__all__ = ["Answer", "read_answer"]

T = TypeVar("T")

_OK = 200
#: What a function that reads an answer raises when it is not what the function was written for.
_NOT_AS_EXPECTED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@frozen
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        content_type: As it says.
        body: The bytes, unless it is a file.
        file: The file, if it is one.
    """

    status: int
    content_type: str
    body: bytes = field(default=b"", repr=False)
    file: File | None = None


def read_answer(call: Call[T], answer: Answer, *, hide: Callable[[str], str] = str) -> T:
    """Make the result of an answer.

    Args:
        call: What was asked.
        answer: What came back.
        hide: Takes secrets out of a text of WeChat.

    Raises:
        APIError: WeChat says that it did not do it.
        CallError: The call is for another kind of media; the text names the right function.
        UnreadableAnswer: It is not an answer to this call.
    """
    if answer.file is not None and call.parse_file is not None:
        return _parse(call.parse_file, answer.file, answer.status)
    found = _read_object(answer)
    errcode = _read_errcode(found, answer)
    if errcode != 0 and errcode not in call.also_done:
        raise _refuse(call, errcode, hide(str(found.get("errmsg") or "")))
    return _parse(call.parse, found, answer.status)


def _read_object(answer: Answer) -> dict[str, Any]:
    found = read_object(answer.body)
    if found is None:
        raise _unreadable(answer, "no JSON object", _NOT_WECHATS)
    return found


def _read_errcode(found: Mapping[str, Any], answer: Answer) -> int:
    try:
        errcode = read_integer(found.get("errcode") or 0) or 0
    except UnreadableField:
        raise _unreadable(answer, "an errcode that is no number", _NOT_EXPECTED) from None
    if errcode == 0 and answer.status != _OK:
        raise _unreadable(answer, "JSON, but no errcode", _NOT_WECHATS)
    return errcode


def _unreadable(answer: Answer, what: str, hint: str) -> UnreadableAnswer:
    kind = answer.content_type[:80] or "no Content-Type"
    return UnreadableAnswer(f"HTTP {answer.status}, {kind}, {len(answer.body)} bytes: {what}", answer.status, hint=hint)


_NOT_WECHATS = "应答不是微信接口的格式：可能被代理、网关或防火墙改写或截断"
_NOT_EXPECTED = "应答内容与预期不符：微信可能调整了该接口，可用 raw_call 查看原始应答"


def _refuse(call: Call[Any], errcode: int, errmsg: str) -> APIError:
    """Make the error; who asks without the account's access_token had something else refused."""
    error = make_api_error(errcode, errmsg)
    if not isinstance(error, AccessTokenRejected) or call.needs_access_token:
        return error
    with_secret = SECRET in call.params.values() or (isinstance(call.json, Mapping) and SECRET in call.json.values())
    cls = InvalidCredential if with_secret else AuthorizationExpired
    return cls(errcode, error.errmsg, error.rid, _HINTS[cls])


_HINTS: dict[type[APIError], str] = {
    InvalidCredential: "Check AppID and AppSecret. 请核对 AppID 与 AppSecret（重置 AppSecret 后旧的立即失效）",
    AuthorizationExpired: "Send the user through the authorisation again. 请让用户重新授权登录",
}


def _parse(parse: Callable[[Any], T], found: Any, status: int) -> T:
    try:
        return parse(found)
    except UnreadableField as error:
        member = " ".join(["a member", *map(str, error.args)])
        text = f"HTTP {status}: {member} is missing or of another kind"
        raise UnreadableAnswer(text, status, hint=_NOT_EXPECTED) from None
    except OtherKind as error:
        raise CallError(*error.args) from None
    except _NOT_AS_EXPECTED as error:
        text = f"HTTP {status}: not what the call expects, {type(error).__name__}"
        raise UnreadableAnswer(text, status, hint=_NOT_EXPECTED) from None
