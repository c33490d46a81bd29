"""What an error tracker may see of this package: reprs that never fail, as trackers record `self` of every frame."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

__all__ = ["define", "frozen", "safe_repr"]

T = TypeVar("T")


def safe_repr(method: Callable[[T], str]) -> Callable[[T], str]:
    """Decorate a ``__repr__``, so that it also works while ``__init__`` has not come to its end."""

    @functools.wraps(method)
    def call(self: T) -> str:
        try:
            return method(self)
        except AttributeError:
            return f"<{type(self).__name__}, not initialised>"

    return call


def _with_safe_repr(decorate: Any) -> Any:
    @functools.wraps(decorate)
    def make(cls: Any = None, **options: Any) -> Any:
        if cls is None:
            return functools.partial(make, **options)
        made = decorate(cls, **options)
        made.__repr__ = safe_repr(made.__repr__)
        return made

    return make


if TYPE_CHECKING:
    from attrs import define, frozen
else:
    define, frozen = _with_safe_repr(attrs.define), _with_safe_repr(attrs.frozen)
