"""How arguments are written: JSON and queries as WeChat wants them, and what cannot be written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from wechat_msg.errors import CallError

__all__ = ["write_json", "write_query"]

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CANNOT_BE_WRITTEN = (TypeError, ValueError, RecursionError)


def write_json(value: Any, name: str) -> str:
    r"""Write *value*, with characters as they are: WeChat shows ``\uXXXX`` to users, or refuses it (40033).

    Raises:
        CallError: It holds what JSON or UTF-8 cannot.

    Example:
        >>> write_json({"content": "你好"}, "the body")
        '{"content":"你好"}'
    """
    try:
        text = _JSON.encode(value)
        text.encode()
    except _CANNOT_BE_WRITTEN as error:
        reason = type(error).__name__
    else:
        return text
    raise CallError(f"{name} cannot be written as JSON: {reason}")


def write_query(params: Mapping[str, Any], name: str) -> str:
    """Write *params*, which are text or whole numbers, in their order.

    Raises:
        CallError: They are something else, or hold what UTF-8 cannot.

    Example:
        >>> write_query({"redirect_uri": "https://example.com/?a=1", "start": 0}, "the query")
        'redirect_uri=https%3A%2F%2Fexample.com%2F%3Fa%3D1&start=0'
    """
    try:
        if all(isinstance(value, (str, int)) and not isinstance(value, bool) for value in params.values()):
            return urlencode(params, quote_via=quote)
    except _CANNOT_BE_WRITTEN:
        pass
    raise CallError(f"{name}: not all of it is text or whole numbers")
