"""in_thread: makes an AsyncStore of a Store; for_event_loop: does so if the store could block an event loop."""

from __future__ import annotations

import asyncio
import inspect
import os
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import cast

from wechat_msg.errors import SettingsError
from wechat_msg.stores._base import AsyncStore, Store
from wechat_msg.stores.memory import MemoryStore

__all__ = ["for_event_loop", "in_thread"]


def in_thread(store: Store, executor: Executor | None = None) -> AsyncStore:
    """Make an `AsyncStore` of *store*: its methods run in threads, so that they do not block an event loop.

    Args:
        store: Any store.
        executor: The executor that runs them; if None, four threads, started when they are needed. The event loop's
            own pool is not used, as slow handlers could keep a store waiting there.

    Raises:
        SettingsError: *store* is an `AsyncStore`, or not a store.

    Example:
        >>> import asyncio
        >>> from wechat_msg.stores import MemoryStore, in_thread
        >>> asyncio.run(in_thread(MemoryStore()).compare_and_set("key", None, b"value", ttl=60))
        True
    """
    if not isinstance(store, Store) or inspect.iscoroutinefunction(store.get):
        raise SettingsError("store must be a Store, not an AsyncStore")
    return _InThread(store, executor)


def for_event_loop(store: Store | AsyncStore) -> Store | AsyncStore:
    """Return *store* so that it does not block an event loop; a `MemoryStore` or `AsyncStore` is returned as it is."""
    if isinstance(store, MemoryStore) or inspect.iscoroutinefunction(store.get):
        return store
    return in_thread(cast("Store", store))


class _InThread:
    def __init__(self, store: Store, executor: Executor | None) -> None:
        self._store = store
        self._executor = executor
        self._pools: dict[int, Executor] = {}  # by process, as threads do not survive a fork

    async def get(self, key: str) -> bytes | None:
        return await asyncio.get_running_loop().run_in_executor(self._find_executor(), self._store.get, key)

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return await asyncio.get_running_loop().run_in_executor(
            self._find_executor(), self._store.compare_and_set, key, expected, value, ttl
        )

    def _find_executor(self) -> Executor:
        own = self._executor or self._pools.get(os.getpid())
        return own or self._pools.setdefault(os.getpid(), ThreadPoolExecutor(4, thread_name_prefix="wechat_msg.store"))
