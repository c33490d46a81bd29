"""What goes wrong on purpose."""

from __future__ import annotations

from typing import Generic, TypeVar

from wechat_msg._tracebacks import define

__all__ = ["EVERY_PATH", "FaultPlan"]

T = TypeVar("T")

EVERY_PATH = "*"


@define
class _Entry(Generic[T]):
    path: str
    what: T
    times_left: int | None


class FaultPlan(Generic[T]):
    """What is to happen to the next requests to a path.

    Entries for a number of times come first, in the order in which they were made; then, of those that are for good,
    the newest.
    """

    def __init__(self) -> None:
        self._counted: list[_Entry[T]] = []
        self._for_good: list[_Entry[T]] = []

    def add(self, path: str, what: T, times: int | None) -> None:
        """Plan *what* for the next *times* requests to *path*; None: for all of them."""
        if times is None:
            self._for_good.insert(0, _Entry(path, what, None))
        elif times > 0:
            self._counted.append(_Entry(path, what, times))

    def next(self, path: str) -> T | None:
        """Return what is to happen to this request to *path*."""
        for entry in (*self._counted, *self._for_good):
            if entry.path in (path, EVERY_PATH):
                self._count(entry)
                return entry.what
        return None

    def _count(self, entry: _Entry[T]) -> None:
        if entry.times_left is not None:
            entry.times_left -= 1
            self._counted = [one for one in self._counted if one.times_left]

    def remove(self, path: str) -> None:
        """Forget what was planned for *path*; ``*``: everything."""
        for entries in (self._counted, self._for_good):
            entries[:] = [entry for entry in entries if path not in (EVERY_PATH, entry.path)]
