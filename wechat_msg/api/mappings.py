"""Arguments that are mappings: what a template is filled with, and the small objects that stand in a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from wechat_msg.api.call import as_list
from wechat_msg.errors import CallError

__all__ = ["Filling", "as_mapping", "fill_template", "mapping_if_any", "mappings_if_any"]

Filling = str | int | float | Decimal | Mapping[str, Any]
"""What one place of a template is filled with: a text, a number, or WeChat's own ``{"value": ..., "color": ...}``."""


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
        return {"value": str(value)}
    raise CallError(f"{name} must be text, a number or a mapping")
