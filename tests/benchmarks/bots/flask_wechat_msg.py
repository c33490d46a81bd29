"""On wechat_msg and Flask, with the store that the variable STORE names."""

import os

from flask import Flask

from wechat_msg import NO_DEDUP, MemoryStore, PushEndpoint, PushSettings, SQLiteStore
from wechat_msg.adapters.flask import push_view


def open_store():
    name, _, place = os.environ["STORE"].partition(" ")
    if name == "RedisStore":
        import redis

        from wechat_msg.stores.redis import RedisStore

        return RedisStore(redis.Redis.from_url(place))
    return {"NO_DEDUP": lambda: NO_DEDUP, "MemoryStore": MemoryStore, "SQLiteStore": lambda: SQLiteStore(place)}[name]()


def answer(message):
    return message.content if message.msg_type == "text" else "only text, please"


app = Flask(__name__)
app.add_url_rule("/wechat", view_func=push_view(PushEndpoint(PushSettings.from_env(), answer, store=open_store())))
