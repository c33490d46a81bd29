"""Detection of bodies that were lost or changed between WeChat and this program, with the likely causes."""

from __future__ import annotations

import binascii
import re

from wechat_msg.errors import MalformedPush
from wechat_msg.wire import Format

__all__ = ["TYPE_NAMES", "explain_body", "explain_document", "is_plain_push"]

_START = 100  # bytes that decide whether a body is a form; more would let a hostile megabyte take long
_FORM = re.compile(rb"[\w.~*+%\[\]-]*(=|%3c|%7b)[^<>{}\s]*", re.IGNORECASE)  # <xml> or {"..., percent-encoded
_SHORTEST_BASE64 = 16  # characters; many a word is valid base64
#: Every push has one of these; InfoType is in pushes of third-party platforms (第三方平台).
TYPE_NAMES = frozenset(["MsgType", "InfoType"])


def _is_base64(body: bytes) -> bool:
    try:
        binascii.a2b_base64(body.translate(None, b"\r\n"), strict_mode=True)
    except ValueError:
        return False
    return len(body) >= _SHORTEST_BASE64


def _is_form(body: bytes) -> bool:
    start = body[:_START]
    return bool(_FORM.fullmatch(start)) or b"form-data" in start


def explain_body(body: bytes) -> MalformedPush:
    """Return the error for a body that is neither XML nor JSON: what it is instead, and what may have caused it."""
    stripped = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not stripped:
        return MalformedPush(
            "the body is empty: a proxy, a redirect or a middleware may have consumed it",
            hint="请求体为空：可能被反向代理、跳转（redirect）或中间件读走、丢弃",
        )
    if _is_base64(stripped):
        return MalformedPush(
            "the body is base64: an API gateway or cloud function may have encoded it (isBase64Encoded);"
            " decode it first",
            hint="请求体是 base64 编码：API 网关或云函数会这样传递（isBase64Encoded 为 true），请先解码再交给本库",
        )
    if _is_form(stripped):
        return MalformedPush(
            "the body is form-encoded: a framework or proxy may have parsed it as a form; pass the raw body on",
            hint="请求体是表单编码（form、URL 编码）：可能被框架或代理当作表单解析过，请传入原始请求体",
        )
    if stripped.startswith(b'"'):
        return MalformedPush(
            "the body is one JSON string: a gateway or framework may have encoded it as JSON; pass the raw body on",
            hint="请求体是一个 JSON 字符串：可能被网关或框架转成了 JSON，请传入原始请求体",
        )
    return MalformedPush(
        "the body is neither XML nor JSON: not a push of WeChat, or re-encoded in transit"
        " (compressed, another charset)",
        hint="请求体既不是 XML 也不是 JSON：不是微信的推送，或在途中被压缩、转码",
    )


def is_plain_push(body: bytes, form: Format) -> bool:
    """Return whether a document without ``Encrypt`` looks like a plain push, without parsing it."""
    return any((f"<{name}" if form == "xml" else f'"{name}"').encode() in body for name in TYPE_NAMES)


def explain_document(body: bytes) -> MalformedPush:
    """Return the error for XML or JSON that is neither a sealed nor a plain push."""
    if b'"isBase64Encoded"' in body:
        return MalformedPush(
            "the body is the event of an API gateway or cloud function: pass on its member body, decoded from base64"
            " if isBase64Encoded is true",
            hint="请求体是 API 网关或云函数的整个事件：请取出其中的 body（isBase64Encoded 为 true 时先做 base64 解码）",
        )
    return MalformedPush(
        "the body holds neither Encrypt nor MsgType: it was cut off, wrapped or converted in transit,"
        " or is not a push of WeChat",
        hint="请求体里既没有 Encrypt 也没有 MsgType：在途中被截断、包装或转换，或者不是微信的推送",
    )
