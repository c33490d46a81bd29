"""A bot under several servers and processes: its handler sleeps as many seconds as the text says, and keeps a diary.

``/none``, ``/later`` and ``/fallback`` are endpoints with these policies. Variables of the environment:

- STORE: a URL of Redis, the path of a SQLite file, or ``memory``.
- DIARY: the file to which every run of a handler adds one line when it starts and one when it ends: which of the two,
  MsgId, process, and the time. So do the two ends of sending a late reply, and the loss of a message.
- ONLY: the path of the only endpoint, at every path.
- PACE: what the seconds of all handlers are multiplied by.
- MAX_RUNNING: how many handlers may run at once.
- DRAIN: how many seconds a gunicorn worker that ends waits for its handlers.
- STORE_TIMEOUT: how many seconds Redis may take.
- RECOVERS: gunicorn workers recover when they start.
- STOPS_AT: where a process stops itself with SIGSTOP: "2" is before the second write of one process to the store, other
  than of lanes; "handling" is near the end of the handler; "sending" before the call. Of all processes one stops, once.
- SIGNED: every reply names its process.

gunicorn finds its hooks here, too: ``--config python:tests.helpers.slow_app``.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from wechat_msg import (
    AnswerLater,
    AsyncPushEndpoint,
    FallbackReply,
    MemoryStore,
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


def read_seconds(message: Message) -> float:
    return float(getattr(message, "content", 0)) * float(os.environ.get("PACE", "1"))


def sleep_and_answer(message: Message) -> str:
    write("start", name_of(message))
    time.sleep(0.9 * read_seconds(message))
    stop_at("handling")
    time.sleep(0.1 * read_seconds(message))
    write("end", name_of(message))
    return reply_to(message)


async def sleep_and_answer_async(message: Message) -> str:
    write("start", name_of(message))
    await asyncio.sleep(0.9 * read_seconds(message))
    stop_at("handling")
    await asyncio.sleep(0.1 * read_seconds(message))
    write("end", name_of(message))
    return reply_to(message)


SENDING = 0.1  # seconds that the call of WeChat's API takes


def begin_to_send(message: dict[str, Any]) -> str:
    name = message["text"]["content"].removeprefix("reply to ")
    write("sending" if message["touser"] == f"user{name}" else "wrong", name)
    stop_at("sending")
    return name


def send(message: dict[str, Any]) -> None:
    name = begin_to_send(message)
    time.sleep(SENDING)
    write("sent", name)


async def send_async(message: dict[str, Any]) -> None:
    name = begin_to_send(message)
    await asyncio.sleep(SENDING)
    write("sent", name)


def lose(message: Message | None, reason: str) -> None:
    write("lost", message and name_of(message))


def stop_at(point: str) -> None:
    if os.environ.get("STOPS_AT") != point:
        return
    with contextlib.suppress(FileExistsError):
        os.close(os.open(os.environ["DIARY"] + ".stopped", os.O_CREAT | os.O_EXCL))
        write("stopped", "-")
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.05)  # the calling thread may run on for a moment


class StoppingStore:
    """A store before one of whose writes the process stops."""

    def __init__(self, store: Any) -> None:
        self.store, self.writes = store, itertools.count(1)

    def get(self, key: str) -> bytes | None:
        return self.store.get(key)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        if ":lane" not in key:
            stop_at(str(next(self.writes)))
        return self.store.compare_and_set(key, expected, value, ttl)


def stoppable(store: Any) -> Any:
    return StoppingStore(store) if "STOPS_AT" in os.environ else store


ENDPOINTS: list[PushEndpoint] = []


def make_wsgi() -> Any:
    from wechat_msg.adapters.wsgi import push_app

    store = open_store()
    apps = {}
    for path, late in choose_policies(send).items():
        executor = ThreadPoolExecutor(16) if path == "/later" else None
        endpoint = PushEndpoint(SETTINGS, sleep_and_answer, store=store, late=late, executor=executor, **options())
        ENDPOINTS.append(endpoint)
        apps[path] = push_app(endpoint)
    only = os.environ.get("ONLY")
    return lambda environ, start_response: apps[only or environ["PATH_INFO"]](environ, start_response)


def post_worker_init(worker: Any) -> None:
    if "RECOVERS" in os.environ:
        for endpoint in ENDPOINTS:
            endpoint.recover()


def worker_exit(server: Any, worker: Any) -> None:
    if "DRAIN" in os.environ:
        for endpoint in ENDPOINTS:
            endpoint.drain(float(os.environ["DRAIN"]))


def choose_policies(send: Any) -> dict[str, Any]:
    policies = {"/none": None, "/later": AnswerLater(send), "/fallback": FallbackReply(FALLBACK)}
    only = os.environ.get("ONLY")
    return {only: policies[only]} if only else policies


def options() -> dict[str, Any]:
    limit = os.environ.get("MAX_RUNNING")
    return {"on_lost": lose, "max_running": int(limit) if limit else None}


def make_asgi() -> Any:
    from wechat_msg.adapters.asgi import push_app

    apps = {path: push_app(endpoint) for path, endpoint in make_async_endpoints().items()}
    only = os.environ.get("ONLY")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[only or scope.get("path", "/none")](scope, receive, send)

    return app


def make_fastapi() -> Any:
    from fastapi import FastAPI

    from wechat_msg.adapters.fastapi import push_router

    app = FastAPI()
    for path, endpoint in make_async_endpoints().items():
        app.include_router(push_router(endpoint, path))
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
        path: AsyncPushEndpoint(SETTINGS, sleep_and_answer_async, store=store, late=late, **options())
        for path, late in choose_policies(send_async).items()
    }


def open_store(*, for_async: bool = False) -> Any:
    place = os.environ["STORE"]
    if place == "memory":
        return MemoryStore()
    if not place.startswith("redis://"):
        return stoppable(SQLiteStore(place))
    import redis

    from wechat_msg.stores.redis import AsyncRedisStore, RedisStore

    if for_async:
        timeout = float(os.environ.get("STORE_TIMEOUT", "1"))
        return AsyncRedisStore(redis.asyncio.Redis.from_url(place), timeout=timeout)
    return stoppable(RedisStore(redis.Redis.from_url(place)))
