"""Responses of the fake API: JSON, a file, or an errcode."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from attrs import field

from wechat_msg._tracebacks import frozen

__all__ = ["JSON_TYPE", "PNG", "ErrcodeError", "FakeResponse", "make_response", "ok"]

#: WeChat's own form of the header, which is not the standard's.
JSON_TYPE = "application/json; encoding=utf-8"

_ERRMSGS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40030: "invalid refresh_token",
    40032: "invalid openid list size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40035: "invalid parameter",
    40037: "invalid template_id",
    40066: "invalid url",
    40097: "invalid args",
    40125: "invalid appsecret",
    40129: "invalid scene",
    40159: "invalid length for path, or the data is not json string",
    40163: "code been used",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43019: "user is on the blacklist",
    43101: "user refuse to accept the msg",
    44001: "empty media data",
    44002: "empty post data",
    44003: "empty news data",
    44004: "empty content",
    45002: "content size out of limit",
    45003: "title size out of limit",
    45004: "description size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45017: "invalid tag name",
    45047: "out of response count limit",
    45056: "too many tags",
    45058: "can't modify sys tag",
    45059: "too many tags for this user",
    45065: "clientmsgid exist",
    45113: "card message is not supported",
    45157: "invalid tag name",
    45158: "tag name too long",
    45159: "invalid tagid",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    47501: "invalid activity id",
    47502: "invalid target state",
    48001: "api unauthorized",
    48006: "forbid to clear quota because of reaching the limit",
    61500: "date format error",
    65301: "not exist the menuid",
    65303: "there is no selfmenu, please create selfmenu first",
    85402: "link not found",
    87007: "session_key is not existed or expired",
    87008: "invalid sig_method",
    87009: "invalid signature",
}


@frozen
class FakeResponse:
    """A response to the client."""

    body: bytes = field(repr=False)
    content_type: str = JSON_TYPE
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict, repr=False)


class ErrcodeError(Exception):
    """Raised by topics to respond with an errcode.

    Args:
        errcode: The number.
        errmsg: The text; if empty, the text that WeChat uses, where it is known.
        more: Further members.
    """

    def __init__(self, errcode: int, errmsg: str = "", **more: Any) -> None:
        super().__init__(errcode)
        self.errcode: int = errcode
        self.errmsg: str = errmsg or _ERRMSGS.get(errcode, "refused")
        self.more: dict[str, Any] = more

    def to_json(self, rid: str) -> dict[str, Any]:
        """Return the JSON object of the response, with the id of the request."""
        return {"errcode": self.errcode, "errmsg": f"{self.errmsg} rid: {rid}", **self.more}


def ok(**members: Any) -> dict[str, Any]:
    """Return the JSON object of a successful response."""
    return {"errcode": 0, "errmsg": "ok", **members}


def make_response(
    content: Mapping[str, Any] | bytes,
    *,
    status: int = 200,
    content_type: str = JSON_TYPE,
    headers: Mapping[str, str] | None = None,
) -> FakeResponse:
    """Return a response with a JSON object or bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return FakeResponse(body, content_type, status, headers or {})


def _make_png(side: int) -> bytes:
    """Return a white square."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


#: The image of every code.
PNG = _make_png(64)
