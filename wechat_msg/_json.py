"""Lenient reader of JSON from WeChat's API: an invalid value does not make the rest of the answer unreadable."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from wechat_msg.wire import decode_damaged, replace_surrogates

__all__ = ["read_object"]

MAX_DEPTH = 64  # WeChat nests about eight deep; more could exhaust the stack of code that walks through the result
_MAX_DIGITS = 4300  # Python's own limit; the time to read an integer grows with the square of its length
#: An escaped backslash, or one that begins no escape of JSON; both mean a backslash.
_BACKSLASH = re.compile(r'\\\\|\\(?!["/bfnrt]|u[0-9A-Fa-f]{4})')


def read_object(body: bytes) -> dict[str, Any] | None:
    r"""Read a JSON object; return None if the text is something else, or cut off.

    Raw control characters are removed, except tabs and line breaks. Bytes that are not UTF-8 and halves of surrogate
    pairs become U+FFFD. A backslash that begins no escape is a backslash. If a member occurs twice, the last one
    counts. A number that is not finite, or has more than 4300 digits, becomes None.

    Example:
        >>> read_object(b'{"nickname":"a\xffb","remark":"C:\\dir","price":NaN}')
        {'nickname': 'a\ufffdb', 'remark': 'C:\\dir', 'price': None}
        >>> read_object(b'{"nickname":"a')
    """
    try:
        root = _read(body)
    except (ValueError, RecursionError):
        return None
    return root if isinstance(root, dict) and not _is_too_deep(root) else None


def _read(body: bytes) -> Any:
    try:
        text = body.decode()
        root = _STRICT.decode(text)
    except ValueError:
        text = decode_damaged(body)
        if not text.startswith("{"):  # such as an HTML page of megabytes
            return None
        text = _BACKSLASH.sub(r"\\\\", text)
        root = _LENIENT.decode(text)
    # Perhaps half of a surrogate pair. The search for a single character is the fastest, so it comes first.
    if "\\" in text and ("\\ud" in text or "\\uD" in text):
        root = json.loads(replace_surrogates(json.dumps(root, ensure_ascii=False)))
    return root


def _is_too_deep(root: dict[str, Any]) -> bool:
    level: list[Any] = [root]
    for _ in range(MAX_DEPTH):
        level = [
            member
            for each in level
            for member in (each.values() if isinstance(each, dict) else each)
            if isinstance(member, (dict, list))
        ]
        if not level:
            return False
    return True


def _read_float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _read_integer(text: str) -> int | None:
    return int(text) if len(text) <= _MAX_DIGITS else None


_STRICT = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_read_float)
#: Also accepts raw tabs and line breaks in texts.
_LENIENT = json.JSONDecoder(
    parse_constant=lambda _: None, parse_float=_read_float, parse_int=_read_integer, strict=False
)
