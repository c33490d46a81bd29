"""Arguments of calls: checks of lists, mappings and template values; writers of JSON bodies and queries."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import attrs

from wechat_msg.errors import CallError

__all__ = [
    "TemplateValue",
    "as_list",
    "as_mapping",
    "optional_mapping",
    "optional_mappings",
    "texts",
    "to_date",
    "to_object",
    "to_objects",
    "to_template_data",
    "without_none",
    "write_json",
    "write_options",
    "write_query",
]

T = TypeVar("T")

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_WRITE_ERRORS = (TypeError, ValueError, RecursionError)

TemplateValue = str | int | float | Decimal | Mapping[str, Any]
"""Value of one key of a template: a text, a number, or ``{"value": ..., "color": ...}`` as WeChat has it."""


def without_none(**members: Any) -> dict[str, Any]:
    """Return the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def write_options(**members: Any) -> dict[str, Any]:
    """Return the members that are not None, with 0 and 1 for booleans, as WeChat expects them in some calls.

    Example:
        >>> write_options(offset=0, no_content=True, index=None)
        {'offset': 0, 'no_content': 1}
    """
    given = without_none(**members)
    return {name: int(value) if isinstance(value, bool) else value for name, value in given.items()}


def as_list(values: Iterable[T], name: str) -> list[T]:
    """Return the items of an iterable that is not a text.

    Raises:
        CallError: *values* is not iterable, or is one text, whose items would be its letters.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise CallError(f"{name} must be a list（{name} 应为列表）")
    return list(values)


def texts(values: Iterable[str], name: str = "openids") -> list[str]:
    """Return a list of texts.

    Raises:
        CallError: *values* is not iterable, is one text, or has an item that is not a text.
    """
    listed = as_list(values, name)
    if not all(isinstance(value, str) for value in listed):
        raise CallError(f"{name} must be a list of texts（{name} 应为文本的列表）")
    return listed


def as_mapping(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a copy of a mapping.

    Raises:
        CallError: *value* is not a mapping.
    """
    if not isinstance(value, Mapping):
        raise CallError(f"{name} must be a mapping（{name} 应为映射）")
    return dict(value)


def optional_mapping(value: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    """Return a copy of a mapping, or None if *value* is None.

    Raises:
        CallError: *value* is neither.
    """
    return None if value is None else as_mapping(value, name)


def optional_mappings(values: Iterable[Mapping[str, Any]] | None, name: str) -> list[dict[str, Any]] | None:
    """Return a list of copies of mappings, or None if *values* is None.

    Raises:
        CallError: *values* is not a list of mappings.
    """
    if values is None:
        return None
    return [as_mapping(value, f"{name}[{number}]") for number, value in enumerate(as_list(values, name))]


def to_object(value: object, cls: type[Any], name: str) -> dict[str, Any]:
    """Return the members that are not None of a *cls*, which is an attrs class; or a copy of a mapping.

    Raises:
        CallError: *value* is neither, or contains itself.
    """
    if isinstance(value, Mapping):
        return dict(value)
    with contextlib.suppress(RecursionError):
        if isinstance(value, cls):
            return attrs.asdict(value, filter=lambda _, member: member is not None)
    raise CallError(f"{name} must be of the class {cls.__name__}, or a mapping（{name} 应为 {cls.__name__} 或映射）")


def to_objects(values: Iterable[object], cls: type[Any], name: str) -> list[dict[str, Any]]:
    """Return the items of a list, each as `to_object` does.

    Raises:
        CallError: *values* is not a list, or an item is neither a *cls* nor a mapping.
    """
    return [to_object(value, cls, f"each of {name}") for value in as_list(values, name)]


def to_date(value: date | str, name: str, form: str = "%Y-%m-%d") -> str:
    """Return the text of a date; a text is returned unchanged.

    Raises:
        CallError: *value* is neither.

    Example:
        >>> to_date(date(2026, 11, 29), "begin_date"), to_date("2026-11-29", "begin_date")
        ('2026-11-29', '2026-11-29')
    """
    if isinstance(value, date):
        return value.strftime(form)
    if isinstance(value, str):
        return value
    sample = date(2026, 11, 29).strftime(form)
    raise CallError(f"{name} must be a date, or a text such as {sample}（{name} 应为日期，或形如 {sample} 的文本）")


def to_template_data(data: Mapping[str, TemplateValue]) -> dict[str, dict[str, Any]]:
    """Return the ``data`` of a template message, in which each value is an object.

    Raises:
        CallError: *data* is not a mapping, a name is not a text, or a value is not a text, a number or a mapping.

    Example:
        >>> to_template_data({"thing1": "拿铁", "number2": 2, "time3": {"value": "15:01", "color": "#173177"}})
        {'thing1': {'value': '拿铁'}, 'number2': {'value': '2'}, 'time3': {'value': '15:01', 'color': '#173177'}}
    """
    members = as_mapping(data, "data")
    if not all(isinstance(key, str) for key in members):
        raise CallError("the names in data must be texts（data 的字段名应为文本）")
    return {key: _to_template_value(value, f"data[{key!r}]") for key, value in members.items()}


def _to_template_value(value: object, name: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (str, int, float, Decimal)) and not isinstance(value, bool):  # users must not read "True"
        with contextlib.suppress(ValueError):  # raised for numbers of more than 4,300 digits
            return {"value": str(value)}
    raise CallError(f"{name} must be text, a number or a mapping（{name} 应为文本、数字或映射）")


def write_json(value: Any, name: str) -> str:
    r"""Return *value* as JSON without ``\uXXXX`` escapes, which WeChat shows to users or refuses (40033).

    Raises:
        CallError: JSON or UTF-8 cannot represent *value*.

    Example:
        >>> write_json({"content": "你好"}, "the body")
        '{"content":"你好"}'
    """
    try:
        text = _JSON.encode(value)
        text.encode()
    except _WRITE_ERRORS as error:
        reason = type(error).__name__
    else:
        return text
    raise CallError(f"{name} cannot be written as JSON: {reason}（内容无法写成 JSON：{reason}）")


def write_query(params: Mapping[str, Any], name: str) -> str:
    """Return *params* as a query string, in their order.

    Raises:
        CallError: A value is neither a text nor an int, or UTF-8 cannot represent it.

    Example:
        >>> write_query({"redirect_uri": "https://example.com/?a=1", "start": 0}, "the query")
        'redirect_uri=https%3A%2F%2Fexample.com%2F%3Fa%3D1&start=0'
    """
    try:
        if all(isinstance(value, (str, int)) and not isinstance(value, bool) for value in params.values()):
            return urlencode(params, quote_via=quote)
    except _WRITE_ERRORS:
        pass
    raise CallError(f"{name} must hold only texts and whole numbers（查询参数只能是文本或整数）")
