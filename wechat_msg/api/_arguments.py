"""Arguments of calls: lists, mappings and what templates are filled with; how they are written as JSON and queries."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from wechat_msg.errors import CallError

__all__ = [
    "Filling",
    "as_list",
    "as_mapping",
    "fill_template",
    "mapping_if_any",
    "mappings_if_any",
    "texts",
    "without_none",
    "write_json",
    "write_query",
]

T = TypeVar("T")

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CANNOT_BE_WRITTEN = (TypeError, ValueError, RecursionError)

Filling = str | int | float | Decimal | Mapping[str, Any]
"""What one place of a template is filled with: a text, a number, or WeChat's own ``{"value": ..., "color": ...}``."""


def without_none(**members: Any) -> dict[str, Any]:
    """Return the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def as_list(values: Iterable[T], name: str) -> list[T]:
    """Return a list of what is not text.

    Raises:
        CallError: *values* is no list, or one text, which would be taken for a list of letters.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise CallError(f"{name} must be a list")
    return list(values)


def texts(values: Iterable[str], name: str = "openids") -> list[str]:
    """Return a list of texts.

    Raises:
        CallError: *values* is one text, which would be taken for a list of letters, or holds something else.
    """
    listed = as_list(values, name)
    if not all(isinstance(value, str) for value in listed):
        raise CallError(f"{name} must be a list of texts")
    return listed


def as_mapping(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a copy of a mapping.

    Raises:
        CallError: It is something else.
    """
    if not isinstance(value, Mapping):
        raise CallError(f"{name} must be a mapping")
    return dict(value)


def mapping_if_any(value: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    """Return a copy of a mapping, or None for None.

    Raises:
        CallError: It is something else.
    """
    return None if value is None else as_mapping(value, name)


def mappings_if_any(values: Iterable[Mapping[str, Any]] | None, name: str) -> list[dict[str, Any]] | None:
    """Return a list of copies of mappings, or None for None.

    Raises:
        CallError: It is no list, or holds something else.
    """
    return None if values is None else [as_mapping(value, f"each of {name}") for value in as_list(values, name)]


def fill_template(data: Mapping[str, Filling]) -> dict[str, dict[str, Any]]:
    """Return the ``data`` of a message, where each value is an object of its own.

    Raises:
        CallError: It is not a mapping, or a value is neither text nor number nor mapping.

    Example:
        >>> fill_template({"thing1": "拿铁", "number2": 2, "time3": {"value": "15:01", "color": "#173177"}})
        {'thing1': {'value': '拿铁'}, 'number2': {'value': '2'}, 'time3': {'value': '15:01', 'color': '#173177'}}
    """
    return {key: _fill(value, f"data[{key!r}]") for key, value in as_mapping(data, "data").items()}


def _fill(value: object, name: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (str, int, float, Decimal)) and not isinstance(value, bool):  # "True" is no text for users
        with contextlib.suppress(ValueError):  # Python writes no number of more than 4,300 digits
            return {"value": str(value)}
    raise CallError(f"{name} must be text, a number or a mapping")


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
