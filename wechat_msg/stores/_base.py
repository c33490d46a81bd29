"""Store and AsyncStore: the protocol of a store, two methods of which one is atomic."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["AsyncStore", "Store"]


@runtime_checkable
class Store(Protocol):
    """A shared store of small values that expire; what must happen exactly once is built on it.

    Keys are text of 1 to 200 printable ASCII characters. Values are bytes, some kilobytes at most. A *ttl* is in
    seconds, greater than 0, and may be a fraction; a store may round it up by some milliseconds. Methods are safe to
    call from many threads, and, unless the store is made for one process, from many processes.

    A store that fails (it is down, full, read-only, too slow) raises `StoreError` within a second or two. It never
    guesses, and it never waits forever.
    """

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*; None if there is none, or if it has expired.

        Raises:
            StoreError: The store failed.
        """
        ...

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """Set *key* to *value* for *ttl* seconds if it has the *expected* value, in one atomic step.

        Args:
            key: The key.
            expected: The value that *key* must have now; None if it must be absent or expired.
            value: The new value; None if the key is deleted, and *ttl* is ignored.
            ttl: Seconds until it expires, counted from now.

        Returns:
            True if it took effect. Of many callers that expect the same value, exactly one gets True.

        Raises:
            StoreError: The store failed. The change may still have taken effect, if the answer was lost.
        """
        ...


@runtime_checkable
class AsyncStore(Protocol):
    """A `Store` whose two methods are awaited."""

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        ...

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        ...
