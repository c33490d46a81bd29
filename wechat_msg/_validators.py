"""Validators for the options of attrs classes. Their errors name the option, never its value."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import attrs

from wechat_msg.errors import WeChatError

__all__ = ["Validator", "Validators", "is_seconds", "is_whole_number"]

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


class Validators:
    """Factory for validators that raise *error*; attrs can combine them, as by ``attrs.validators.optional``.

    Example:
        >>> from wechat_msg._tracebacks import frozen
        >>> from wechat_msg.errors import SettingsError
        >>> check = Validators(SettingsError)
        >>> @frozen
        ... class Options:
        ...     deliveries: int = attrs.field(default=3, validator=check(is_whole_number(1), "a whole number from 1"))
        >>> Options(deliveries=0)
        Traceback (most recent call last):
        wechat_msg.errors.SettingsError: deliveries must be a whole number from 1
    """

    def __init__(self, error: Callable[[str], WeChatError]) -> None:
        self._error = error

    def __call__(self, is_valid: Callable[[Any], object], what: str) -> Validator:
        """Return a validator that calls *is_valid*; its error says that the option must be *what*."""

        def validate(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
            if not is_valid(value):
                raise self._error(f"{attribute.alias} must be {what}")

        return validate

    def instance_of(self, *classes: type, what: str | None = None) -> Validator:
        """Return a validator for objects of one of the *classes*."""
        return self(lambda value: isinstance(value, classes), what or " or ".join(cls.__name__ for cls in classes))

    def one_of(self, *values: str) -> Validator:
        """Return a validator for one of the given texts."""
        return self(lambda value: isinstance(value, str) and value in values, " or ".join(map(repr, values)))


def is_whole_number(minimum: float = float("-inf"), maximum: float = float("inf")) -> Callable[[object], bool]:
    """Return a function that returns whether a value is an int in these limits, and not a bool."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum


def is_seconds(value: object, *, or_zero: bool = False, maximum: float = sys.float_info.max) -> bool:
    """Return whether *value* is a duration: a number of seconds greater than 0, or 0 if *or_zero*."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    is_too_long = isinstance(value, int) and value > sys.float_info.max  # arithmetic with it would fail
    return (0 < value <= maximum and not is_too_long) or (or_zero and value == 0)
