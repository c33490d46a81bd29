"""FastAPI and Starlette: an endpoint as a router."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from wechat_msg.adapters.choice import NOT_FOUND, Choice, choose, read_body
from wechat_msg.endpoint import AsyncPushEndpoint
from wechat_msg.push import PushRequest, PushResponse, parse_query

__all__ = ["push_router"]


def push_router(endpoint: Choice[Request], path: str) -> APIRouter:
    """Make a router that serves *endpoint*, or one that a function picks from the request, at *path*.

    A sync endpoint runs in the thread pool, so that its handlers never stall the loop.
    """

    async def view(request: Request) -> Response:
        response = await _answer(endpoint, request)
        headers = {"content-type": response.content_type, **response.headers}
        return Response(response.body, response.status, headers)

    router = APIRouter()
    router.add_route(path, view, methods=["GET", "POST"], include_in_schema=False)
    return router


async def _answer(choice: Choice[Request], request: Request) -> PushResponse:
    endpoint = choose(choice, request)
    if endpoint is None:
        return NOT_FOUND
    body = await read_body(request.receive, endpoint.settings.max_body)
    query, content_type = parse_query(request.scope["query_string"]), request.headers.get("content-type", "")
    push = PushRequest(request.method, query, body, content_type)
    if isinstance(endpoint, AsyncPushEndpoint):
        return await endpoint.handle(push)
    return await run_in_threadpool(endpoint.handle, push)
