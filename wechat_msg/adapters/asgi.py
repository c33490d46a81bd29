"""ASGI: an endpoint as an application, for uvicorn and hypercorn, or to mount in another application."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from wechat_msg.adapters._choice import Choice, Receive, Scope, Served, answer_asgi, read_asgi_body

__all__ = ["push_app"]

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def push_app(endpoint: Choice[Scope]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return an ASGI application for *endpoint*, or for a function that returns an endpoint for the ``scope``.

    A sync endpoint runs in the thread pool of the event loop. When the server starts, the application calls
    `PushEndpoint.recover`; when it ends, `PushEndpoint.drain`, also for the endpoints that a function has returned. If
    it is mounted in another application, which keeps the server's lifespan events to itself, that one should do so.
    """
    served = Served(endpoint, asyncio.to_thread)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _follow_lifespan(served, receive, send)
        elif scope["type"] == "http":
            read_body = functools.partial(read_asgi_body, receive)
            response = await answer_asgi(served.choose(scope), scope, read_body, asyncio.to_thread)
            headers = {"content-type": response.content_type, "content-length": str(len(response.body))}
            raw = [(name.lower().encode(), value.encode()) for name, value in {**headers, **response.headers}.items()]
            await send({"type": "http.response.start", "status": response.status, "headers": raw})
            await send({"type": "http.response.body", "body": response.body})

    return app


async def _follow_lifespan(served: Served[Scope], receive: Receive, send: Send) -> None:
    await receive()
    await served.recover()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await served.drain()
    await send({"type": "lifespan.shutdown.complete"})
