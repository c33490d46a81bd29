"""FastAPI and Starlette: an endpoint as a router."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response

from wechat_msg.adapters._choice import Choice, Served, answer_asgi, read_asgi_body

__all__ = ["push_router"]


def push_router(endpoint: Choice[Request], path: str) -> APIRouter:
    """Return a router that serves *endpoint*, or the endpoint that a function returns for the request, at *path*.

    Dependencies of the application and of routers that include this one run before the endpoint. A sync endpoint runs
    in the thread pool, so that its handlers do not block the event loop.

    The lifespan of the router calls `PushEndpoint.recover` when the application starts, and `PushEndpoint.drain` when
    it ends, also for the endpoints that a function has returned. FastAPI runs it when it includes the router; a
    Starlette application must be given it: ``Starlette(routes=router.routes, lifespan=router.lifespan_context)``.
    """
    served = Served(endpoint, run_in_threadpool)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        await served.recover()
        try:
            yield
        finally:
            await served.drain()

    async def view(request: Request) -> Response:
        read_body = functools.partial(_read_body, request)
        response = await answer_asgi(served.choose(request), request.scope, read_body, run_in_threadpool)
        headers = {"content-type": response.content_type, **response.headers}
        return Response(response.body, response.status, headers)

    router = APIRouter(route_class=_PushRoute, lifespan=lifespan)
    router.add_api_route(path, view, methods=["GET", "POST"], include_in_schema=False)
    return router


class _PushRoute(APIRoute):
    """A route that also works in a Starlette application, which has no dependencies."""

    def __init__(self, path: str, endpoint: Any, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if not self.dependencies:
            self.app = request_response(endpoint)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the view itself if there are no dependencies: FastAPI would read the query and the body for them."""
        handler = super().get_route_handler()
        dependant = inspect.getclosurevars(handler).nonlocals.get("dependant")  # with those of the including routers
        return handler if getattr(dependant, "dependencies", True) else self.endpoint


async def _read_body(request: Request, limit: int) -> bytes:
    """Read the body, but stop after *limit* bytes, and set the result of ``request.body()`` for code after the view.

    A body that a dependency has read by ``request.stream()`` is empty here.
    """
    known = vars(request)
    if "_body" not in known:
        known["_body"] = b"" if known.get("_stream_consumed") else await read_asgi_body(request.receive, limit)
    body: bytes = known["_body"]
    return body
