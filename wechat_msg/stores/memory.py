"""MemoryStore: for one process, and for tests."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import islice
from typing import cast

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg._validators import Validators, is_whole_number
from wechat_msg.errors import SettingsError

__all__ = ["MemoryStore"]

#: What a call does at most of the work that is due, so that no call takes long; fewer than two would not be enough.
_STEPS = 64

_Entry = tuple[bytes, float]
_ABSENT: tuple[None, float] = (None, -math.inf)
_NO_END = (math.nan, "")

_check = Validators(SettingsError)


@define(slots=False, eq=False, repr=False)
class MemoryStore:
    """A store in the memory of one process; its contents end with the process.

    Args:
        max_entries: The maximum number of entries. A full store deletes those that were written longest ago.
        clock: Seconds, on any clock that only goes forward; a parameter for tests.

    Raises:
        SettingsError: *max_entries* is not a whole number from 1.

    Example:
        >>> store = MemoryStore()
        >>> store.compare_and_set("key", None, b"value", ttl=60)
        True
        >>> store.compare_and_set("key", None, b"other", ttl=60)
        False
        >>> store.get("key")
        b'value'
    """

    _max_entries: int = field(
        default=10_000, alias="max_entries", validator=_check(is_whole_number(1), "a whole number from 1")
    )
    _clock: Callable[[], float] = field(default=time.monotonic, alias="clock", kw_only=True)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    #: Value and end, in the order in which they were written.
    _entries: dict[str, _Entry] = field(factory=dict, init=False)
    #: A heap; it also holds ends that are outdated.
    _ends: list[tuple[float, str]] = field(factory=list, init=False)
    #: A former heap, while it is copied without what is outdated.
    _former_ends: list[tuple[float, str] | None] = field(factory=list, init=False)
    _copied: int = field(default=0, init=False)
    #: Some of the entries that were written longest ago, the last one first; to find each by itself would take longer.
    _oldest: list[tuple[str, _Entry]] = field(factory=list, init=False)

    def __len__(self) -> int:
        """Return the number of entries, including expired ones."""
        return len(self._entries)

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        value, end = self._entries.get(key, _ABSENT)
        return value if end > self._clock() else None

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        with self._lock:
            now, entries = self._clock(), self._entries
            found, end = entries.get(key, _ABSENT)
            if (found if end > now else None) != expected:
                return False
            if found is not None:
                del entries[key]  # so that it will be the last one
            if value is not None:
                entries[key] = (value, now + ttl)
                heappush(self._ends, (now + ttl, key))
            self._make_room(now)
            return True

    def _make_room(self, now: float) -> None:
        """Delete expired entries, then those that were written longest ago."""
        ends, entries = self._ends, self._entries
        if ends and ends[0][0] <= now:
            self._delete_expired(now)
        if self._former_ends or len(ends) > 2 * len(entries) + _STEPS:
            self._copy_ends(now)
        for _ in range(_STEPS):  # what has expired goes first, if it is found soon
            if not self._former_ends or len(entries) <= self._max_entries:
                break
            self._copy_ends(now)
        while len(entries) > self._max_entries:
            self._delete_oldest()

    def _delete_expired(self, now: float) -> None:
        for _ in range(_STEPS):
            end, key = heappop(self._ends)
            if self._entries.get(key, _ABSENT)[1] == end:
                del self._entries[key]
            if not self._ends or self._ends[0][0] > now:
                break

    def _delete_oldest(self) -> None:
        """Delete an entry, or forget one that was changed since it was among the oldest."""
        if not self._oldest:
            self._oldest = [*islice(self._entries.items(), _STEPS)][::-1]
        key, entry = self._oldest.pop()
        if self._entries.get(key) is entry:
            del self._entries[key]

    def _copy_ends(self, now: float) -> None:
        """Copy some ends that are not outdated to a new heap; delete what has expired."""
        if not self._former_ends:
            self._former_ends, self._ends, self._copied = cast("list[tuple[float, str] | None]", self._ends), [], 0
        former = self._former_ends
        # The heap is nearly in order, so pushing is quick.
        for place in range(self._copied, min(self._copied + _STEPS, len(former))):
            end, key = item = former[place] or _NO_END
            former[place] = None
            if self._entries.get(key, _ABSENT)[1] != end:
                continue
            if end > now:
                heappush(self._ends, item)
            else:
                del self._entries[key]
        self._copied += _STEPS
        if self._copied >= len(former):
            self._former_ends = []
