"""Shared code of the adapters: the choice of the endpoint, and the reading of WSGI and ASGI requests."""

from __future__ import annotations

import functools
import logging
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

from wechat_msg.endpoint import AsyncPushEndpoint, PushEndpoint
from wechat_msg.errors import SettingsError
from wechat_msg.exchange import PushRequest, PushResponse, parse_query

__all__ = [
    "NOT_FOUND",
    "Choice",
    "Endpoint",
    "Receive",
    "Scope",
    "Served",
    "SyncChoice",
    "answer_asgi",
    "choose",
    "is_chunked",
    "make_sync_chooser",
    "read_asgi_body",
    "read_stream",
]

_log = logging.getLogger("wechat_msg")

_DRAIN = 30.0  # seconds for all endpoints of an application

R = TypeVar("R")
Endpoint = PushEndpoint | AsyncPushEndpoint

SyncChoice = PushEndpoint | Callable[[R], PushEndpoint | None]
"""An endpoint, or a function that returns one for the framework's request; None means that there is no such account."""
Choice = Endpoint | Callable[[R], Endpoint | None]
"""Like `SyncChoice`, for frameworks that can await."""
Scope = MutableMapping[str, Any]
"""The scope of an ASGI request."""
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""The ASGI function that receives the body."""

NOT_FOUND = PushResponse(404, b"Not Found")


def choose(choice: Choice[R], request: R) -> Endpoint | None:
    """Return the endpoint for *request*; None if there is no such account."""
    return choice if isinstance(choice, (PushEndpoint, AsyncPushEndpoint)) else choice(request)


class Served(Generic[R]):
    """The endpoints that an ASGI application serves, from its start to its end.

    Args:
        choice: The endpoint, or a function that returns one for a request.
        run_in_thread: Calls a function in a thread, so that it does not block the event loop.
    """

    def __init__(self, choice: Choice[R], run_in_thread: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        self._choice = choice
        self._run_in_thread = run_in_thread
        self._chosen: weakref.WeakSet[Endpoint] = weakref.WeakSet()
        if isinstance(choice, (PushEndpoint, AsyncPushEndpoint)):
            self._chosen.add(choice)

    def choose(self, request: R) -> Endpoint | None:
        """Return the endpoint for *request*; None if there is no such account."""
        endpoint = choose(self._choice, request)
        if endpoint is not None and endpoint is not self._choice:
            self._chosen.add(endpoint)
        return endpoint

    async def recover(self) -> None:
        """Start the work on what was acknowledged before the application started."""
        for endpoint in tuple(self._chosen):
            await self._call(endpoint, "recover")

    async def drain(self) -> None:
        """Wait for running handlers, and hand back what still runs then."""
        end = time.monotonic() + _DRAIN
        for endpoint in tuple(self._chosen):
            await self._call(endpoint, "drain", max(end - time.monotonic(), 0.0))

    async def _call(self, endpoint: Endpoint, name: str, *args: float) -> None:
        function = functools.partial(getattr(endpoint, name), *args)
        try:
            await (function() if isinstance(endpoint, AsyncPushEndpoint) else self._run_in_thread(function))
        except Exception:  # noqa: BLE001, the application must start and end all the same
            _log.exception("%s() of an endpoint failed", name)


def make_sync_chooser(choice: SyncChoice[R]) -> Callable[[R], PushEndpoint | None]:
    """Make a `choose` of one argument, the request, for frameworks that cannot await.

    Raises:
        SettingsError: The endpoint is asynchronous. The function that is returned raises it, too.
    """
    _check_sync(choice)
    if isinstance(choice, PushEndpoint):
        return lambda _: choice

    def choose_checked(request: R) -> PushEndpoint | None:
        endpoint = choice(request)
        _check_sync(endpoint)
        return endpoint

    return choose_checked


def _check_sync(endpoint: object) -> None:
    if isinstance(endpoint, AsyncPushEndpoint):
        raise SettingsError("this framework cannot await; use PushEndpoint（同步框架请使用 PushEndpoint）")


def is_chunked(environ: Mapping[str, Any]) -> bool:
    """Return whether a WSGI server passes on a chunked body, whose length is unknown, and ends the stream itself."""
    return not environ.get("CONTENT_LENGTH") and bool(environ.get("wsgi.input_terminated"))


def read_stream(read: Callable[[int], bytes], limit: int) -> bytes:
    """Read no more than *limit* bytes.

    If the client hangs up, the body is empty or cut off, and the endpoint refuses it as malformed.
    """
    body, piece = bytearray(), b" "
    with suppress(OSError, ValueError):
        while piece and len(body) < limit:  # a server may pass on less than it is asked for
            piece = read(limit - len(body))
            body += piece
    return bytes(body)


async def answer_asgi(
    endpoint: Endpoint | None,
    scope: Scope,
    read_body: Callable[[int], Awaitable[bytes]],
    run_in_thread: Callable[[Callable[[], PushResponse]], Awaitable[PushResponse]],
) -> PushResponse:
    """Pass an ASGI request to *endpoint*. A sync one runs in a thread, so its handlers do not block the event loop.

    *read_body* takes the number of bytes after which it may stop.
    """
    if endpoint is None:
        return NOT_FOUND
    body = await read_body(endpoint.settings.max_body + 1)
    content_type = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    request = PushRequest(scope["method"], parse_query(scope["query_string"]), body, content_type)
    if isinstance(endpoint, AsyncPushEndpoint):
        return await endpoint.handle(request)
    return await run_in_thread(functools.partial(endpoint.handle, request))


async def read_asgi_body(receive: Receive, limit: int) -> bytes:
    """Read the body, but stop after *limit* bytes. If the client hangs up, return what arrived."""
    body, more = bytearray(), True
    while more and len(body) < limit:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return bytes(body)
