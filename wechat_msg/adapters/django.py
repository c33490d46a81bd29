"""Django: an endpoint as a view, exempt from CSRF checks and from ATOMIC_REQUESTS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from django import conf
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from wechat_msg.adapters._choice import NOT_FOUND, Choice, Endpoint, choose, is_undeclared, read_stream
from wechat_msg.endpoint import AsyncPushEndpoint
from wechat_msg.exchange import PushRequest, PushResponse, parse_query

__all__ = ["push_view"]

V = TypeVar("V", bound=Callable[..., Any])


def push_view(endpoint: Choice[HttpRequest]) -> Callable[..., HttpResponse] | Callable[..., Awaitable[HttpResponse]]:
    """Make a view of *endpoint*, or of a function that picks one from the request.

    An `AsyncPushEndpoint` gives an async view; everything else a sync one, which Django runs in a thread under ASGI.
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
    # Nobody else sees what a store writes in a transaction before the request ends.
    for alias in connections if conf.settings.configured else [DEFAULT_DB_ALIAS]:
        transaction.non_atomic_requests(using=alias)(view)
    return csrf_exempt(view)


def _read(request: HttpRequest, endpoint: Endpoint) -> PushRequest:
    query, content_type = parse_query(request.META.get("QUERY_STRING", "")), request.headers.get("Content-Type", "")
    return PushRequest(request.method or "", query, _read_body(request, endpoint.settings.max_body + 1), content_type)


def _read_body(request: HttpRequest, limit: int) -> bytes:
    """Read no more than *limit* bytes, and leave them as ``request.body`` to middleware that reads it after the view.

    ``request.body`` itself would refuse what is longer than DATA_UPLOAD_MAX_MEMORY_SIZE.
    """
    # Under WSGI Django takes a chunked body for an empty one.
    read = request.META["wsgi.input"].read if is_undeclared(request.META) else request.read
    request._body = read_stream(read, limit)  # noqa: SLF001
    return request._body  # noqa: SLF001


def _convert(response: PushResponse) -> HttpResponse:
    return HttpResponse(response.body, response.content_type, response.status, headers=dict(response.headers))
