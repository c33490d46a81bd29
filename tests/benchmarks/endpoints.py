"""The whole job through an endpoint, with different stores.

The other libraries have nothing like it: their sides are their whole jobs. The floor is ours, without an endpoint.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import cycle, repeat
from typing import Any

from wechat_msg import (
    NO_DEDUP,
    AsyncPushEndpoint,
    MemoryStore,
    PushEndpoint,
    PushRequest,
    open_push,
    seal_reply,
)

from .functions import of_peers
from .jobs import SEALED, Job, expect, make_push
from .peers import Peer
from .stores import Places, open_async_redis, open_redis, open_sqlite

CASE = "text 400 B"
AHEAD = 120.0  # seconds in which none of the pushes, all made in advance, gets old
TARGETS = {
    ("PushEndpoint", "NO_DEDUP"): 0.72,
    ("PushEndpoint", "MemoryStore"): 1.20,
    ("AsyncPushEndpoint", "MemoryStore"): 1.75,
}


def endpoint_jobs(places: Places, count: Callable[[Job], int]) -> Iterator[Job]:
    """Make the jobs, all for the same messages, which are new to each of them; *count* says how many it takes."""

    def make(endpoint: Any, case: str, requests: Iterable[PushRequest] | None = None) -> Job:
        ours = handle_async if isinstance(endpoint, AsyncPushEndpoint) else handle
        name = type(endpoint).__name__
        return Job(
            name=name,
            case=case,
            expected=expect(CASE)[:1],
            ours=partial(ours, endpoint, iter(requests or pushes)),
            peers=of_peers(handle_theirs, cycle(pushes)),
            floor=partial(handle_without, cycle(pushes)),
            target=TARGETS.get((name, case)),
            timer=time.perf_counter if "Redis" in case else time.process_time,  # the server's time counts, too
            runner=places.runner,
        )

    pushes = [make_push(SEALED, CASE)]
    pushes = [make_push(SEALED, CASE, ahead=AHEAD, MsgId=number) for number in range(count(make(None, "")))]
    gc.freeze()  # a server does not have so many; the garbage collector is not to look at them again and again
    for name, store in open_stores(places, "sync", open_redis).items():
        yield make(PushEndpoint(SEALED, answer, store=store), name)
    yield make(PushEndpoint(SEALED, answer), "MemoryStore, re-send", repeat(pushes[0]))
    for name, store in open_stores(places, "async", open_async_redis).items():
        yield make(AsyncPushEndpoint(SEALED, answer_async, store=store), name)


def open_stores(places: Places, name: str, open_redis: Callable[..., Any]) -> dict[str, Any]:
    stores = {"NO_DEDUP": NO_DEDUP, "MemoryStore": MemoryStore(), "SQLiteStore": open_sqlite(places, name)}
    if places.redis:
        store = open_redis(places, f"{name}:")
        stores[type(store).__name__] = store
    return stores


def answer(message: Any) -> str:
    return message.content


async def answer_async(message: Any) -> str:
    return message.content


def handle(endpoint: PushEndpoint, requests: Iterator[PushRequest]) -> tuple[bytes]:
    return (endpoint.handle(next(requests)).body,)


async def handle_async(endpoint: AsyncPushEndpoint, requests: Iterator[PushRequest]) -> tuple[bytes]:
    return ((await endpoint.handle(next(requests))).body,)


def handle_without(requests: Iterator[PushRequest]) -> tuple[bytes]:
    push = open_push(SEALED, next(requests))
    return (seal_reply(SEALED, push, answer(push.message)).body,)


def handle_theirs(peer: Peer, requests: Iterator[PushRequest]) -> tuple[bytes]:
    request = next(requests)
    message = peer.open(request, is_sealed=True)
    return peer.reply(message, request.query, peer.read(message)[0])
