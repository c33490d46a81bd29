"""Counts in one user's state, as one of several processes: ``counting_worker.py sync|async <file or URL> <count>``."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import redis
import redis.asyncio
from attrs import define

from wechat_msg import Conversations, SQLiteStore, TextMessage
from wechat_msg.stores.redis import AsyncRedisStore, RedisStore

MESSAGE = TextMessage(from_user_name="o", to_user_name="gh", create_time=1, content="hi")


@define
class Count:
    """How often the user's state was changed."""

    count: int = 0


def count(conversations: Conversations[Count], updates: int) -> None:
    for _ in range(updates):
        with conversations.open(MESSAGE) as state:
            state.count += 1


async def count_async(conversations: Conversations[Count], updates: int) -> None:
    async def count() -> None:
        async with conversations.open(MESSAGE) as state:
            state.count += 1

    for _ in range(updates // 2):  # two tasks at a time
        await asyncio.gather(count(), count())


@contextlib.contextmanager
def open_store(kind: str, place: str) -> Iterator[Any]:
    """Open a store: a file, or a Redis for both kinds."""
    if not place.startswith("redis://"):
        with SQLiteStore(place) as store:
            yield store
    elif kind == "sync":
        with redis.Redis.from_url(place) as client:
            yield RedisStore(client)
    else:
        yield AsyncRedisStore(redis.asyncio.Redis.from_url(place))


if __name__ == "__main__":
    kind, place, updates = sys.argv[1:]
    with open_store(kind, place) as store:
        conversations = Conversations(store, Count, wait=300.0)
        if kind == "sync":
            count(conversations, int(updates))
        else:
            asyncio.run(count_async(conversations, int(updates)))
