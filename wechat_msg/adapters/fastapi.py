"""FastAPI and Starlette: an endpoint as a router."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from wechat_msg.adapters.choice import Choice, answer_asgi, choose

__all__ = ["push_router"]


def push_router(endpoint: Choice[Request], path: str) -> APIRouter:
    """Make a router that serves *endpoint*, or one that a function picks from the request, at *path*.

    A sync endpoint runs in the thread pool, so that its handlers never stall the loop.
    """

    async def view(request: Request) -> Response:
        response = await answer_asgi(choose(endpoint, request), request.scope, request.receive, run_in_threadpool)
        headers = {"content-type": response.content_type, **response.headers}
        return Response(response.body, response.status, headers)

    router = APIRouter()
    router.add_route(path, view, methods=["GET", "POST"], include_in_schema=False)
    return router
