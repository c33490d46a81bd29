"""Read the bodies of requests within limits; Refusal, the reason to refuse one."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request

from wechat_msg.errors import MalformedPush
from wechat_msg.testing.bilingual import Text
from wechat_msg.wire import parse_json

__all__ = ["Refusal", "read_body", "read_object"]

_MAX_OBJECT_BYTES = 1 << 20
_SIZE = re.compile(r"[0-9]{1,15}", re.ASCII)
_TOO_LONG = Text("Too large: at most {megabytes} MB.", "内容过大：最多 {megabytes} MB。")
_NO_JSON = Text("The body must be a JSON object.", "请求体须为 JSON 对象。")


class Refusal(Exception):
    """A reason to refuse a request.

    Attributes:
        status: HTTP status.
        why: What the user reads.
    """

    def __init__(self, status: int, why: Text) -> None:
        super().__init__(why.en)
        self.status = status
        self.why = why


async def read_body(request: Request, most: int) -> bytes:
    """Return the body.

    Raises:
        Refusal: It has more than *most* bytes.
    """
    too_long = Refusal(413, _TOO_LONG.format(megabytes=most >> 20))
    announced = request.headers.get("content-length", "0")
    if not _SIZE.fullmatch(announced) or int(announced) > most:
        raise too_long
    body = bytearray()
    with contextlib.suppress(ClientDisconnect):
        async for piece in request.stream():
            body += piece
            if len(body) > most:
                raise too_long
    return bytes(body)


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body, of 1 MB at most.

    Raises:
        Refusal: There is none, or it is too large.
    """
    try:
        return parse_json(await read_body(request, _MAX_OBJECT_BYTES))
    except MalformedPush:
        raise Refusal(400, _NO_JSON) from None
