"""Flask: an endpoint as a view."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import Any

from flask import Request, Response, request

from wechat_msg.adapters._choice import NOT_FOUND, SyncChoice, make_sync_chooser, read_stream
from wechat_msg.endpoint import PushEndpoint
from wechat_msg.exchange import PushRequest, PushResponse, parse_query

__all__ = ["push_view"]

_numbers = itertools.count(1)


def push_view(endpoint: SyncChoice[Request]) -> Callable[..., Response]:
    """Return a view for *endpoint*, or for a function that returns an endpoint for the request.

    The view has its own methods and a unique name: ``app.add_url_rule("/wechat", view_func=push_view(endpoint))``.

    Raises:
        SettingsError: The endpoint is asynchronous.
    """
    choose = make_sync_chooser(endpoint)
    proxy: Any = request

    def view(**_: object) -> Response:
        actual: Request = proxy._get_current_object()  # noqa: SLF001, werkzeug documents it; the proxy looks each time
        response = _answer(choose(actual), actual)
        return Response(response.body, response.status, response.headers, content_type=response.content_type)

    view.__name__ = f"wechat_push_{next(_numbers)}"
    view.methods = ("GET", "POST")  # type: ignore[attr-defined]  # Flask reads it
    return view


def _answer(endpoint: PushEndpoint | None, request: Request) -> PushResponse:
    if endpoint is None:
        return NOT_FOUND
    query, body = parse_query(request.query_string), _read_body(request, endpoint.settings.max_body + 1)
    return endpoint.handle(PushRequest(request.method, query, body, request.content_type or ""))


def _reads_as_flask(cls: type[Request]) -> bool:
    """Return whether a class of requests, which may be the application's own, reads bodies as Flask's does."""
    return cls.stream is Request.stream and cls.get_data is Request.get_data


def _read_body(request: Request, limit: int) -> bytes:
    """Read no more than *limit* bytes, and set the result of ``request.get_data()`` for code after the view."""
    declared = request.content_length or 0
    request.max_content_length = max(limit, declared)  # Flask would refuse a longer body before the endpoint does
    if declared > limit:
        vars(request)["stream"] = io.BytesIO(request.stream.read(limit))
    elif declared and "stream" not in vars(request) and _reads_as_flask(type(request)):
        # Nothing has read it before, and Flask's own reader is slow.
        body = read_stream(request.environ["wsgi.input"].read, declared)
        vars(request)["stream"] = io.BytesIO(body)
        return body
    return request.get_data()
