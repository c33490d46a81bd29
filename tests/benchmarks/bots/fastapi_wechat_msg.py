"""On wechat_msg and FastAPI, with the store that the variable STORE names."""

import os

from fastapi import FastAPI

from wechat_msg import NO_DEDUP, AsyncPushEndpoint, MemoryStore, PushSettings, SQLiteStore
from wechat_msg.adapters.fastapi import push_router


def open_store():
    name, _, place = os.environ["STORE"].partition(" ")
    if name == "AsyncRedisStore":
        from redis.asyncio import Redis

        from wechat_msg.stores.redis import AsyncRedisStore

        return AsyncRedisStore(Redis.from_url(place))
    return {"NO_DEDUP": lambda: NO_DEDUP, "MemoryStore": MemoryStore, "SQLiteStore": lambda: SQLiteStore(place)}[name]()


async def answer(message):
    return message.content if message.msg_type == "text" else "only text, please"


app = FastAPI()
app.include_router(push_router(AsyncPushEndpoint(PushSettings.from_env(), answer, store=open_store()), "/wechat"))
