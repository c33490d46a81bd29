"""Counts in one user's state, as one of several processes: ``counting_worker.py sync|async <store> <updates>``."""

from __future__ import annotations

import asyncio
import sys

from attrs import define

from wechat_msg import Conversations, SQLiteStore, TextMessage

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


if __name__ == "__main__":
    kind, path, updates = sys.argv[1:]
    with SQLiteStore(path) as store:
        conversations = Conversations(store, Count, wait=300.0)
        if kind == "sync":
            count(conversations, int(updates))
        else:
            asyncio.run(count_async(conversations, int(updates)))
