"""in_thread: an AsyncStore of any Store; for_event_loop: the same where it is needed."""

from __future__ import annotations

import asyncio
import inspect
import os
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import cast

from wechat_msg.errors import SettingsError
from wechat_msg.stores.base import AsyncStore, Store
from wechat_msg.stores.memory import MemoryStore

__all__ = ["for_event_loop", "in_thread"]


def in_thread(store: Store, executor: Executor | None = None) -> AsyncStore:
    """Make an `AsyncStore` of *store*: its methods run in threads, so that they cannot stall an event loop.

    Args:
        store: Any store.
        executor: Where they run; None: four threads of its own, started when they are needed. It never is the event
            loop's own pool, where slow handlers could keep a store waiting.

    Raises:
        SettingsError: *store* is an `AsyncStore` already, or no store.

    Example:
        >>> import asyncio
        >>> from wechat_msg.stores import MemoryStore, in_thread
        >>> asyncio.run(in_thread(MemoryStore()).compare_and_set("key", None, b"value", ttl=60))
        True
    """
    if not isinstance(store, Store) or inspect.iscoroutinefunction(store.get):
        raise SettingsError("in_thread takes a Store, which is not async")
    return _InThread(store, executor)


def for_event_loop(store: Store | AsyncStore) -> Store | AsyncStore:
    """Return *store* as an event loop may ask it; what is in memory answers at once, and stays as it is."""
    if isinstance(store, MemoryStore) or inspect.iscoroutinefunction(store.get):
        return store
    return in_thread(cast("Store", store))


class _InThread:
    def __init__(self, store: Store, executor: Executor | None) -> None:
        self._store = store
        self._executor = executor
        self._own: dict[int, Executor] = {}  # by process: after a fork there are no threads

    async def get(self, key: str) -> bytes | None:
        return await asyncio.get_running_loop().run_in_executor(self._find_executor(), self._store.get, key)

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return await asyncio.get_running_loop().run_in_executor(
            self._find_executor(), self._store.compare_and_set, key, expected, value, ttl
        )

    def _find_executor(self) -> Executor:
        own = self._executor or self._own.get(os.getpid())
        return own or self._own.setdefault(os.getpid(), ThreadPoolExecutor(4, thread_name_prefix="wechat_msg.store"))
