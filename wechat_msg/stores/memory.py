"""MemoryStore: for one process, and for tests."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg._validators import Validators, is_whole_number
from wechat_msg.errors import SettingsError

__all__ = ["MemoryStore"]

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
    _entries: dict[str, tuple[bytes, float]] = field(factory=dict, init=False)
    #: A heap; it also holds ends that are outdated.
    _ends: list[tuple[float, str]] = field(factory=list, init=False)

    def __len__(self) -> int:
        """Return the number of entries, including expired ones."""
        return len(self._entries)

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        value, end = self._entries.get(key, (None, 0.0))
        return value if end > self._clock() else None

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        with self._lock:
            now = self._clock()
            found, end = self._entries.get(key, (None, 0.0))
            if (found if end > now else None) != expected:
                return False
            self._entries.pop(key, None)
            if value is not None:
                self._entries[key] = (value, now + ttl)
                heapq.heappush(self._ends, (now + ttl, key))
            self._make_room(now)
            return True

    def _make_room(self, now: float) -> None:
        """Delete expired entries, then those that were written longest ago."""
        while self._ends and self._ends[0][0] <= now:
            end, key = heapq.heappop(self._ends)
            if self._entries.get(key, (b"", -1.0))[1] == end:
                del self._entries[key]
        while len(self._entries) > self._max_entries:
            del self._entries[next(iter(self._entries))]
        if len(self._ends) > 2 * len(self._entries) + 64:
            self._ends = [(end, key) for key, (_, end) in self._entries.items()]
            heapq.heapify(self._ends)
