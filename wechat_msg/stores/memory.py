"""MemoryStore: for one process, and for tests."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

from wechat_msg.errors import SettingsError

__all__ = ["MemoryStore"]


class MemoryStore:
    """A store in the memory of one process; its contents end with the process.

    Args:
        max_entries: How many entries it holds at most. When it is full, those that were written longest ago go first.
        clock: Seconds, on any clock that only goes forward; a parameter for tests.

    Raises:
        SettingsError: *max_entries* is no whole number from 1.

    Example:
        >>> store = MemoryStore()
        >>> store.compare_and_set("key", None, b"value", ttl=60)
        True
        >>> store.compare_and_set("key", None, b"other", ttl=60)
        False
        >>> store.get("key")
        b'value'
    """

    def __init__(self, max_entries: int = 10_000, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not isinstance(max_entries, int) or max_entries < 1:
            raise SettingsError("max_entries is a whole number from 1")
        self._max_entries = max_entries
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[bytes, float]] = {}  # value and end, in the order in which they were written
        self._ends: list[tuple[float, str]] = []  # a heap; holds ends that are no longer true, too

    def __len__(self) -> int:
        """Return how many entries it holds, expired ones included."""
        return len(self._entries)

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        value, end = self._entries.get(key, (None, 0.0))
        return value if end > self._clock() else None

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        with self._lock:
            now = self._clock()
            if self.get(key) != expected:
                return False
            self._entries.pop(key, None)
            if value is not None:
                self._entries[key] = (value, now + ttl)
                heapq.heappush(self._ends, (now + ttl, key))
            self._make_room(now)
            return True

    def _make_room(self, now: float) -> None:
        """Drop what has expired, then what was written longest ago."""
        while self._ends and self._ends[0][0] <= now:
            end, key = heapq.heappop(self._ends)
            if self._entries.get(key, (b"", -1.0))[1] == end:
                del self._entries[key]
        while len(self._entries) > self._max_entries:
            del self._entries[next(iter(self._entries))]
        if len(self._ends) > 2 * len(self._entries) + 64:
            self._ends = [(end, key) for key, (_, end) in self._entries.items()]
            heapq.heapify(self._ends)
