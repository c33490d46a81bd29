"""Django: an endpoint as a view, exempt from CSRF checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from wechat_msg.adapters.choice import NOT_FOUND, Choice, Endpoint, choose
from wechat_msg.endpoint import AsyncPushEndpoint
from wechat_msg.push import PushRequest, PushResponse, parse_query

__all__ = ["push_view"]


def push_view(endpoint: Choice[HttpRequest]) -> Callable[..., HttpResponse] | Callable[..., Awaitable[HttpResponse]]:
    """Make a view of *endpoint*, or of a function that picks one from the request.

    An `AsyncPushEndpoint` gives an async view; everything else a sync one, which Django runs in a thread under ASGI.
    """
    if isinstance(endpoint, AsyncPushEndpoint):
        return _make_async_view(endpoint)

    @csrf_exempt
    def view(request: HttpRequest, **_: object) -> HttpResponse:
        chosen = choose(endpoint, request)
        if chosen is None:
            return _convert(NOT_FOUND)
        handle = async_to_sync(chosen.handle) if isinstance(chosen, AsyncPushEndpoint) else chosen.handle
        return _convert(handle(_read(request, chosen)))

    return view


def _make_async_view(endpoint: AsyncPushEndpoint) -> Callable[..., Awaitable[HttpResponse]]:
    @csrf_exempt
    async def view(request: HttpRequest, **_: object) -> HttpResponse:
        return _convert(await endpoint.handle(_read(request, endpoint)))

    return view


def _read(request: HttpRequest, endpoint: Endpoint) -> PushRequest:
    query, content_type = parse_query(request.META.get("QUERY_STRING", "")), request.headers.get("Content-Type", "")
    return PushRequest(request.method or "", query, request.read(endpoint.settings.max_body + 1), content_type)


def _convert(response: PushResponse) -> HttpResponse:
    return HttpResponse(
        response.body, status=response.status, content_type=response.content_type, headers=dict(response.headers)
    )
