"""What a store is: two methods, of which one is atomic."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["AsyncStore", "Store"]


@runtime_checkable
class Store(Protocol):
    """A shared place for small values that expire; whatever must happen exactly once is built on it.

    Keys are text of 1 to 200 printable ASCII characters. Values are bytes, some kilobytes at most. A *ttl* is in
    seconds, greater than 0, and may be a fraction; a store may round it up by some milliseconds. Methods are safe to
    call from many threads, and, unless the store is made for one process, from many processes.

    A store that cannot do its work (it is down, full, read-only, too slow) raises `StoreError` within a second or two;
    it never guesses, and it never waits for ever.
    """

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*; None: there is none, or it has expired.

        Raises:
            StoreError: The store cannot tell.
        """
        ...

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """Set *key* to *value* for *ttl* seconds if it has the *expected* value; as one indivisible step.

        Args:
            key: The key.
            expected: The value it must have now; None: it must be absent or expired.
            value: The value it gets; None: it is deleted, and *ttl* means nothing.
            ttl: Seconds until it expires, counted from now.

        Returns:
            True if it took effect; of many that expect the same, exactly one is told so.

        Raises:
            StoreError: The store cannot do it. It may have taken effect all the same, if the answer was lost.
        """
        ...


@runtime_checkable
class AsyncStore(Protocol):
    """A `Store` whose two methods are awaited."""

    async def get(self, key: str) -> bytes | None:
        """Like `Store.get`."""
        ...

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """Like `Store.compare_and_set`."""
        ...
