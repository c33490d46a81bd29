"""FastAPI and Starlette: an endpoint as a router."""

from __future__ import annotations

import functools
from contextlib import aclosing, suppress
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import request_response

from wechat_msg.adapters._choice import Choice, answer_asgi, choose

__all__ = ["push_router"]


def push_router(endpoint: Choice[Request], path: str) -> APIRouter:
    """Make a router that serves *endpoint*, or one that a function picks from the request, at *path*.

    Dependencies of the application, and of routers that include this one, run before the endpoint is asked.
    A sync endpoint runs in the thread pool, so that its handlers never stall the loop.
    """

    async def view(request: Request) -> Response:
        read_body = functools.partial(_read_body, request)
        response = await answer_asgi(choose(endpoint, request), request.scope, read_body, run_in_threadpool)
        headers = {"content-type": response.content_type, **response.headers}
        return Response(response.body, response.status, headers)

    router = APIRouter(route_class=_PushRoute)
    router.add_api_route(path, view, methods=["GET", "POST"], include_in_schema=False)
    return router


class _PushRoute(APIRoute):
    """A route that also works in an application of Starlette alone, which has no dependencies to run."""

    def __init__(self, path: str, endpoint: Any, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if not self.dependencies:
            self.app = request_response(endpoint)


async def _read_body(request: Request, limit: int) -> bytes:
    """Read *limit* bytes, or the whole body, and leave them to what awaits ``request.body()`` after the view.

    A body that a dependency has read is here as well, unless it was read by ``request.stream()``: then it is empty.
    """
    body = bytearray()
    with suppress(ClientDisconnect, RuntimeError):  # the latter: the stream was consumed
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) >= limit:
                    break
    request._body = bytes(body)  # noqa: SLF001
    return request._body  # noqa: SLF001
