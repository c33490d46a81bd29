"""Responses of WeChat's API: turned into the result of the call, or into an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import field

from wechat_msg._json import read_object
from wechat_msg._tracebacks import frozen
from wechat_msg.api.call import SECRET, Call, File
from wechat_msg.api.errcodes import make_api_error
from wechat_msg.api.results import WrongFunction
from wechat_msg.errors import (
    AccessTokenRejected,
    APIError,
    AuthorizationExpired,
    CallError,
    InvalidCredential,
    UnreadableAnswer,
)
from wechat_msg.fields import UnreadableField, read_integer

__all__ = ["APIResponse", "read_response"]

T = TypeVar("T")

_OK = 200
_NOT_WECHATS = "应答不是微信接口的格式：可能被代理、网关或防火墙改写或截断"
_NOT_EXPECTED = "应答内容与预期不符：微信可能调整了该接口，可用 raw_call 查看原始应答"
_HINTS: dict[type[APIError], str] = {
    InvalidCredential: "Check AppID and AppSecret. 请核对 AppID 与 AppSecret（重置 AppSecret 后旧的立即失效）",
    AuthorizationExpired: "Send the user through the authorisation again. 请让用户重新授权登录",
}
#: Errors of a reader whose response does not have the expected form.
_NOT_AS_EXPECTED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@frozen
class APIResponse:
    """A response of WeChat's API.

    Attributes:
        status: HTTP status.
        content_type: The Content-Type header.
        body: The body; empty if the response is a file.
        file: The file; None if the response is not a file.
    """

    status: int
    content_type: str
    body: bytes = field(default=b"", repr=False)
    file: File | None = None


def read_response(call: Call[T], response: APIResponse, *, hide: Callable[[str], str] = str) -> T:
    """Return the result of a call.

    Args:
        call: The call that was sent.
        response: The response to it.
        hide: Function that removes secrets from the errmsg.

    Raises:
        APIError: The response is an errcode that is not a success of this call.
        CallError: The media id needs another function, which the text names.
        UnreadableAnswer: The response does not have the form that the call expects.
    """
    if response.file is not None and call.parse_file is not None:
        return _parse(call.parse_file, response.file, response.status)
    found = read_object(response.body)
    if found is None:
        raise _unreadable(response, "no JSON object", _NOT_WECHATS)
    errcode = _read_errcode(found, response)
    if errcode != 0 and errcode not in call.also_done:
        raise _make_error(call, errcode, hide(str(found.get("errmsg") or "")))
    return _parse(call.parse, found, response.status)


def _read_errcode(found: Mapping[str, Any], response: APIResponse) -> int:
    try:
        errcode = read_integer(found.get("errcode") or 0) or 0
    except UnreadableField:
        raise _unreadable(response, "an errcode that is not a number", _NOT_EXPECTED) from None
    if errcode == 0 and response.status != _OK:
        raise _unreadable(response, "JSON, but no errcode", _NOT_WECHATS)
    return errcode


def _unreadable(response: APIResponse, what: str, hint: str) -> UnreadableAnswer:
    kind, status = response.content_type[:80] or "no Content-Type", response.status
    return UnreadableAnswer(f"HTTP {status}, {kind}, {len(response.body)} bytes: {what}", status, hint=hint)


def _make_error(call: Call[Any], errcode: int, errmsg: str) -> APIError:
    """Return the error. In a call without an access_token, the number is about the credential that it sent instead."""
    error = make_api_error(errcode, errmsg)
    if not isinstance(error, AccessTokenRejected) or call.needs_access_token:
        return error
    with_secret = SECRET in call.params.values() or (isinstance(call.json, Mapping) and SECRET in call.json.values())
    cls = InvalidCredential if with_secret else AuthorizationExpired
    return cls(errcode, error.errmsg, error.rid, _HINTS[cls])


def _parse(parse: Callable[[Any], T], found: Any, status: int) -> T:
    try:
        return parse(found)
    except UnreadableField as error:
        member = " ".join(["a member", *map(str, error.args)])
        text = f"HTTP {status}: {member} is missing or has another type"
        raise UnreadableAnswer(text, status, hint=_NOT_EXPECTED) from None
    except WrongFunction as error:
        raise CallError(*error.args) from None
    except _NOT_AS_EXPECTED as error:
        text = f"HTTP {status}: not what the call expects, {type(error).__name__}"
        raise UnreadableAnswer(text, status, hint=_NOT_EXPECTED) from None
