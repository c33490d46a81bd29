"""WSGI: an endpoint as an application, for gunicorn, uWSGI and mod_wsgi, or to mount in another application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse

from wechat_msg.adapters._choice import NOT_FOUND, SyncChoice, is_chunked, make_sync_chooser, read_stream
from wechat_msg.exchange import PushRequest, parse_query

__all__ = ["push_app"]

Environ = dict[str, Any]


def push_app(endpoint: SyncChoice[Environ]) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    """Return a WSGI application for *endpoint*, or for a function that returns an endpoint for the ``environ``.

    Raises:
        SettingsError: The endpoint is asynchronous.
    """
    choose = make_sync_chooser(endpoint)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        chosen = choose(environ)
        if chosen is None:
            response = NOT_FOUND
        else:
            request = _read_request(environ, chosen.settings.max_body)
            del environ  # wsgiref and CGI put os.environ into it, and error trackers record this frame
            response = chosen.handle(request)
        headers = {"Content-Type": response.content_type, "Content-Length": str(len(response.body)), **response.headers}
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", list(headers.items()))
        return [response.body]

    return app


def _read_request(environ: Environ, max_body: int) -> PushRequest:
    return PushRequest(
        environ["REQUEST_METHOD"],
        parse_query(environ.get("QUERY_STRING", "")),
        _read_body(environ, max_body + 1),
        environ.get("CONTENT_TYPE", ""),
    )


def _read_body(environ: Environ, limit: int) -> bytes:
    """Read no more than *limit* bytes. Read past the declared length only if the server ends the stream itself."""
    if not is_chunked(environ):
        length = environ.get("CONTENT_LENGTH") or ""
        limit = min(limit, int(length)) if length.isdecimal() else 0
    return read_stream(environ["wsgi.input"].read, limit)
