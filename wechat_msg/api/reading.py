"""How the JSON of an answer becomes the result of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import attrs

from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg.fields import build, items_reader_of, model, reader_of

__all__ = ["OtherKind", "Reads", "Result", "Takes", "TakesAll", "nothing"]

T = TypeVar("T")


class OtherKind(LookupError):
    """Raised by a function that reads an answer, where another function should have asked; the text names it."""


@model
class Result:
    """What the result of every call has that is a model.

    Attributes:
        raw: The whole answer as received, also what is new and not an attribute yet.
    """

    raw: Mapping[str, Any] = attrs.field(factory=dict, repr=False, eq=False, kw_only=True)


def nothing(answer: Mapping[str, Any]) -> None:
    """Read an answer that says no more than that it is done."""


@frozen
class Reads(Generic[T]):
    """Reads the answer into the model *cls*, a `Result`."""

    cls: type[T]

    @clears_locals
    def __call__(self, answer: Mapping[str, Any]) -> T:  # noqa: D102
        return build(self.cls, answer, raw=answer)


@frozen
class Takes(Generic[T]):
    """Takes one member of the answer: *of* is a model, ``int`` or ``str``."""

    name: str
    of: type[T]

    @clears_locals
    def __call__(self, answer: Mapping[str, Any]) -> T:  # noqa: D102
        value: T | None = reader_of(self.of)(answer[self.name])
        if value is None:
            raise LookupError(self.name)
        return value


@frozen
class TakesAll(Generic[T]):
    """Takes a list out of the answer: *of* is a model, ``int`` or ``str``; if it is missing, it is empty."""

    name: str
    of: type[T]

    @clears_locals
    def __call__(self, answer: Mapping[str, Any]) -> tuple[T, ...]:  # noqa: D102
        value = answer.get(self.name)
        return () if value is None else items_reader_of(self.of)(value)
