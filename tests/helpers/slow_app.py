"""A bot under several servers and processes: its handler sleeps as many seconds as the text says, and keeps a diary.

``/none``, ``/later`` and ``/fallback`` are endpoints with these policies. The environment tells the store (STORE: a URL
of Redis, or a path) and the diary (DIARY), to which every run of a handler adds one line when it starts and one when it
ends: which of the two, MsgId, process, and the time; and a late reply adds one, too. With SIGNED
every reply names its process.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from wechat_msg import (
    AnswerLater,
    AsyncPushEndpoint,
    FallbackReply,
    Message,
    PushEndpoint,
    PushSettings,
    SQLiteStore,
)

SETTINGS = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef", allow_plaintext=True)
FALLBACK = "please wait"


def write(what: str, name: object) -> None:
    line = f"{what} {name} {os.getpid()} {time.time()}\n"
    diary = os.open(os.environ["DIARY"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(diary, line.encode())  # one write, so that lines of many processes do not mix
    os.close(diary)


def name_of(message: Message) -> str:
    return getattr(message, "msg_id", None) or message.raw["EventKey"]


def reply_to(message: Message) -> str:
    return f"reply to {name_of(message)}" + (f" by {os.getpid()}" if os.environ.get("SIGNED") else "")


def sleep_and_answer(message: Message) -> str:
    write("start", name_of(message))
    time.sleep(float(getattr(message, "content", 0)))
    write("end", name_of(message))
    return reply_to(message)


async def sleep_and_answer_async(message: Message) -> str:
    write("start", name_of(message))
    await asyncio.sleep(float(getattr(message, "content", 0)))
    write("end", name_of(message))
    return reply_to(message)


def send(message: dict[str, Any]) -> None:
    write("sent", message["text"]["content"].removeprefix("reply to "))


POLICIES = {"/none": None, "/later": AnswerLater(send), "/fallback": FallbackReply(FALLBACK)}


def make_wsgi() -> Any:
    from wechat_msg.adapters.wsgi import push_app

    store = open_store()
    pool = ThreadPoolExecutor(16)
    executors = {"/later": pool}
    apps = {
        path: push_app(PushEndpoint(SETTINGS, sleep_and_answer, store=store, late=late, executor=executors.get(path)))
        for path, late in POLICIES.items()
    }
    return lambda environ, start_response: apps[environ["PATH_INFO"]](environ, start_response)


def make_asgi() -> Any:
    from wechat_msg.adapters.asgi import push_app

    apps = {path: push_app(endpoint) for path, endpoint in make_async_endpoints().items()}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope.get("path", "/none")](scope, receive, send)

    return app


def make_django() -> Any:
    """Make an application of a framework that cancels a request when its client has hung up."""
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.urls import path

    from wechat_msg.adapters.django import push_view

    endpoints = make_async_endpoints()
    urls = tuple(path(name[1:], push_view(endpoint)) for name, endpoint in endpoints.items())
    settings.configure(SECRET_KEY="secret", ALLOWED_HOSTS=["*"], ROOT_URLCONF=urls)
    return get_asgi_application()


def make_async_endpoints() -> dict[str, AsyncPushEndpoint]:
    store = open_store(for_async=True)
    return {
        path: AsyncPushEndpoint(SETTINGS, sleep_and_answer_async, store=store, late=late)
        for path, late in POLICIES.items()
    }


def open_store(*, for_async: bool = False) -> Any:
    place = os.environ["STORE"]
    if not place.startswith("redis://"):
        return SQLiteStore(place)
    import redis

    from wechat_msg.stores.redis import AsyncRedisStore, RedisStore

    if for_async:
        return AsyncRedisStore(redis.asyncio.Redis.from_url(place))
    return RedisStore(redis.Redis.from_url(place))
