"""Django: an endpoint as a view that is exempt from CSRF checks and from ATOMIC_REQUESTS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from django import conf
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from wechat_msg.adapters._choice import NOT_FOUND, Choice, Endpoint, choose, is_chunked, read_stream
from wechat_msg.endpoint import AsyncPushEndpoint
from wechat_msg.exchange import PushRequest, PushResponse, parse_query

__all__ = ["push_view"]

V = TypeVar("V", bound=Callable[..., Any])


def push_view(endpoint: Choice[HttpRequest]) -> Callable[..., HttpResponse] | Callable[..., Awaitable[HttpResponse]]:
    """Return a view for *endpoint*, or for a function that returns an endpoint for the request.

    The view of an `AsyncPushEndpoint` is async. All others are sync, and Django runs them in a thread under ASGI.
    """
    if isinstance(endpoint, AsyncPushEndpoint):

        @_exempt
        async def async_view(request: HttpRequest, **_: object) -> HttpResponse:
            return _convert(await endpoint.handle(_read(request, endpoint)))

        return async_view

    @_exempt
    def view(request: HttpRequest, **_: object) -> HttpResponse:
        if (chosen := choose(endpoint, request)) is None:
            return _convert(NOT_FOUND)
        handle = async_to_sync(chosen.handle) if isinstance(chosen, AsyncPushEndpoint) else chosen.handle
        return _convert(handle(_read(request, chosen)))

    return view


def _exempt(view: V) -> V:
    # In a transaction, other processes would see the writes of a store only after the request.
    for alias in connections if conf.settings.configured else [DEFAULT_DB_ALIAS]:
        transaction.non_atomic_requests(using=alias)(view)
    return csrf_exempt(view)


def _read(request: HttpRequest, endpoint: Endpoint) -> PushRequest:
    query, content_type = parse_query(request.META.get("QUERY_STRING", "")), request.headers.get("Content-Type", "")
    return PushRequest(request.method or "", query, _read_body(request, endpoint.settings.max_body + 1), content_type)


def _read_body(request: HttpRequest, limit: int) -> bytes:
    """Read no more than *limit* bytes, and set ``request.body`` for middleware that reads it after the view.

    ``request.body`` itself refuses bodies that are longer than DATA_UPLOAD_MAX_MEMORY_SIZE.
    """
    # Under WSGI, Django reads a chunked body as empty.
    read = request.META["wsgi.input"].read if is_chunked(request.META) else request.read
    request._body = read_stream(read, limit)  # noqa: SLF001
    return request._body  # noqa: SLF001


def _convert(response: PushResponse) -> HttpResponse:
    return HttpResponse(response.body, response.content_type, response.status, headers=dict(response.headers))
