"""Stores: small values that threads, processes or machines share, so that something happens exactly once.

`RedisStore` and `AsyncRedisStore` are in `wechat_msg.stores.redis` (extra ``redis``), `DjangoStore` in
`wechat_msg.stores.django` (extra ``django``).
"""

from wechat_msg.stores._base import AsyncStore, Store
from wechat_msg.stores._thread import for_event_loop, in_thread
from wechat_msg.stores.memory import MemoryStore
from wechat_msg.stores.sqlite import SQLiteStore

__all__ = ["AsyncStore", "MemoryStore", "SQLiteStore", "Store", "for_event_loop", "in_thread"]
