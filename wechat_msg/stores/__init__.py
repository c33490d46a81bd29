"""Stores: small values that threads, processes or machines share, so that something happens exactly once.

`RedisStore` and `AsyncRedisStore` are in `wechat_msg.stores.redis` (extra ``redis``), `DjangoStore` in
`wechat_msg.stores.django` (extra ``django``).
"""

from typing import TYPE_CHECKING

from wechat_msg._lazy import import_lazily
from wechat_msg.stores._base import AsyncStore, Store
from wechat_msg.stores._thread import for_event_loop, in_thread
from wechat_msg.stores.memory import MemoryStore

__all__ = ["AsyncStore", "MemoryStore", "SQLiteStore", "Store", "for_event_loop", "in_thread"]

if TYPE_CHECKING:
    from wechat_msg.stores.sqlite import SQLiteStore
else:
    __getattr__, __dir__ = import_lazily(__name__, {"sqlite": "SQLiteStore"})  # most bots do not need sqlite3
