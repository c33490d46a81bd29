"""Readers that turn the JSON object of a response into the result of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import attrs

from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg.fields import build, items_reader_of, model, reader_of

__all__ = ["Member", "Members", "PageOf", "Result", "ResultOf", "WrongFunction", "next_offset", "no_result"]

T = TypeVar("T")


class WrongFunction(LookupError):
    """Raised by readers if the media id needs another function, which the text names."""


@model
class Result:
    """Base class of results that are models.

    Attributes:
        raw: The whole response as received, including members that have no attribute yet.
    """

    raw: Mapping[str, Any] = attrs.field(factory=dict, repr=False, eq=False, kw_only=True)


def no_result(answer: Mapping[str, Any]) -> None:
    """Read a response that only says that the call succeeded."""


@frozen
class ResultOf(Generic[T]):
    """Reader that returns the response as the model *cls*, a subclass of `Result`."""

    cls: type[T]

    @clears_locals
    def __call__(self, answer: Mapping[str, Any]) -> T:  # noqa: D102
        return build(self.cls, answer, raw=answer)


@frozen
class PageOf(Generic[T]):
    """Reader that returns one page of a list as the model *cls*, whose attribute *name* is *offset*, as requested."""

    cls: type[T]
    offset: int
    name: str = "offset"

    @clears_locals
    def __call__(self, answer: Mapping[str, Any]) -> T:  # noqa: D102
        return build(self.cls, answer, raw=answer, **{self.name: self.offset})


def next_offset(offset: int, found: int, total: int) -> int | None:
    """Return the offset of the page after one with *found* items; None after the last page, or an empty one."""
    end = offset + found
    return end if found and end < total else None


@frozen
class Member(Generic[T]):
    """Reader that returns one member of the response; *of* is its type: a model, ``int``, ``bool`` or ``str``."""

    name: str
    of: type[T]

    @clears_locals
    def __call__(self, answer: Mapping[str, Any]) -> T:  # noqa: D102
        value: T | None = reader_of(self.of)(answer[self.name])
        if value is None:
            raise LookupError(self.name)
        return value


@frozen
class Members(Generic[T]):
    """Reader that returns a list of the response as a tuple, empty if the member is missing.

    The type of the items is *of*: a model, ``int`` or ``str``.
    """

    name: str
    of: type[T]

    @clears_locals
    def __call__(self, answer: Mapping[str, Any]) -> tuple[T, ...]:  # noqa: D102
        value = answer.get(self.name)
        return () if value is None else items_reader_of(self.of)(value)
