"""``define`` and ``frozen`` of attrs, but repr, equality and hash have the same code in all classes.

attrs writes and compiles these methods for each class, which is a third of what a class costs at import.
"""

from __future__ import annotations

import functools
import operator
import reprlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

__all__ = ["define", "frozen", "safe_repr"]

T = TypeVar("T")
Attributes = Iterable[Any]  # attrs.Attribute, whose stub lacks eq_key


def safe_repr(method: Callable[[T], str]) -> Callable[[T], str]:
    """Decorate a ``__repr__``, so that it also works before ``__init__`` has finished."""

    @functools.wraps(method)
    def call(self: T) -> str:
        try:
            return method(self)
        except AttributeError:
            return f"<{type(self).__name__}, not initialised>"

    return call


def _make_repr(attributes: Attributes) -> Callable[[Any], str]:
    shown = [(each.name, each.repr if callable(each.repr) else repr) for each in attributes if each.repr]

    @reprlib.recursive_repr()
    def __repr__(self: Any) -> str:
        values = ", ".join([f"{name}={show(getattr(self, name))}" for name, show in shown])
        return f"{type(self).__qualname__.rpartition('>.')[2]}({values})"

    return __repr__


def _make_reader(attributes: Attributes) -> Callable[[Any], object]:
    """Return a function that reads what is compared of the attributes."""
    keys = {each.name: each.eq_key for each in attributes}
    if not any(keys.values()):
        return operator.attrgetter(*keys) if keys else lambda _: ()
    return lambda self: tuple([key(getattr(self, name)) if key else getattr(self, name) for name, key in keys.items()])


def _make_eq(attributes: Attributes) -> Callable[[Any, object], bool]:
    values_of = _make_reader(each for each in attributes if each.eq)

    def __eq__(self: Any, other: object) -> bool:
        return values_of(self) == values_of(other) if type(other) is type(self) else NotImplemented

    return __eq__


def _make_hash(cls: type[Any], attributes: Attributes) -> Callable[[Any], int]:
    values_of = _make_reader(each for each in attributes if (each.eq if each.hash is None else each.hash))

    def __hash__(self: Any) -> int:
        return hash((cls, values_of(self)))

    return __hash__


def _with_shared_methods(decorate: Any, *, is_frozen: bool) -> Any:
    @functools.wraps(decorate)
    def make(cls: Any = None, *, eq: bool = True, repr: bool = True, **options: Any) -> Any:
        if cls is None:
            return functools.partial(make, eq=eq, repr=repr, **options)
        own = vars(cls)
        made = decorate(cls, eq=False, repr=False, **options)
        attributes = attrs.fields(made)
        if eq and "__eq__" not in own:
            made.__eq__ = _make_eq(attributes)
            if "__hash__" not in own:
                made.__hash__ = _make_hash(made, attributes) if is_frozen else None
        made.__repr__ = safe_repr(_make_repr(attributes) if repr and "__repr__" not in own else made.__repr__)
        return made

    return make


if TYPE_CHECKING:
    from attrs import define, frozen
else:
    define = _with_shared_methods(attrs.define, is_frozen=False)
    frozen = _with_shared_methods(attrs.frozen, is_frozen=True)
