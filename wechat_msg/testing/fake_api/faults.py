"""Planned faults of the fake API."""

from __future__ import annotations

from typing import Generic, TypeVar

from wechat_msg._tracebacks import define

__all__ = ["EVERY_PATH", "FaultPlan"]

T = TypeVar("T")

EVERY_PATH = "*"


@define
class _PlannedFault(Generic[T]):
    path: str
    outcome: T
    times_left: int | None


class FaultPlan(Generic[T]):
    """Outcomes of the next requests, by path.

    Entries for a number of times come first, in the order in which they were added; then the newest of the permanent
    ones.
    """

    def __init__(self) -> None:
        self._counted: list[_PlannedFault[T]] = []
        self._permanent: list[_PlannedFault[T]] = []

    def add(self, path: str, outcome: T, times: int | None) -> None:
        """Plan an outcome for the next *times* requests to *path*; for all of them if *times* is None."""
        if times is None:
            self._permanent.insert(0, _PlannedFault(path, outcome, None))
        elif times > 0:
            self._counted.append(_PlannedFault(path, outcome, times))

    def next(self, path: str) -> T | None:
        """Return the outcome of this request to *path*, and count it; None if there is no plan."""
        for entry in (*self._counted, *self._permanent):
            if entry.path in (path, EVERY_PATH):
                self._count(entry)
                return entry.outcome
        return None

    def _count(self, entry: _PlannedFault[T]) -> None:
        if entry.times_left is not None:
            entry.times_left -= 1
            self._counted = [one for one in self._counted if one.times_left]

    def remove(self, path: str) -> None:
        """Remove the entries for *path*; all entries if it is ``*``."""
        for entries in (self._counted, self._permanent):
            entries[:] = [entry for entry in entries if path not in (EVERY_PATH, entry.path)]
