"""AsyncTransport: sends requests with the library httpx2."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
from attrs import field

from wechat_msg._tracebacks import define, frozen
from wechat_msg.api._response import APIResponse
from wechat_msg.client.environment import Environment, check_socks_support
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.receiving import Receiver
from wechat_msg.client.steps import Request
from wechat_msg.client.transport import CHUNK_SIZE, MAX_IDLE, translate_error
from wechat_msg.errors import CallError

__all__ = ["AsyncTransport"]

_FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError)
_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.InvalidURL,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
_OTHER_LOOP = (
    "the session of this AsyncClient was used in another event loop, to which its connections belong: omit session, "
    "or make session and client in each loop"
    "（httpx2 会话只能用于一个事件循环：请不要传 session，或在每个事件循环里各建一个）"
)


@frozen
class _ConnectionKey:
    """The key of a session: its connections belong to one process and event loop, and use one proxy.

    Attributes:
        pid: The process.
        loop: The event loop.
        proxy: URL of the proxy; None if there is none.
        certificates: Path of the certificates to trust; None if httpx2 chooses them.
    """

    pid: int
    loop: asyncio.AbstractEventLoop
    proxy: str | None = field(repr=False)  # may hold a password
    certificates: str | None


class AsyncTransport:
    """A transport with a session of httpx2: the user's, or one of its own for each event loop."""

    def __init__(self, session: httpx2.AsyncClient | None) -> None:
        if session is not None and not isinstance(session, httpx2.AsyncClient):
            raise CallError("session must be an httpx2.AsyncClient")
        self._session = session
        self._first_use: dict[str, tuple[int, asyncio.AbstractEventLoop]] = {}  # process and loop of the user's session
        self._environment = Environment.read()
        self._contexts: dict[str | None, ssl.SSLContext] = {}
        # An event loop that ends closes its generators, and thereby the connections.
        self._opened: dict[_ConnectionKey, tuple[httpx2.AsyncClient, AsyncGenerator[httpx2.AsyncClient, None]]] = {}
        if session is None:
            self._load_certificates()

    def _load_certificates(self) -> None:
        """Load the certificates now, as that would block an event loop."""
        for certificates in (None, self._environment.certificates):
            with contextlib.suppress(OSError):  # a call reports it
                self._find_context(certificates)

    def check(self) -> None:
        """Check that the user's session can be used here.

        Raises:
            CallError: The session is closed, or belongs to another event loop.
        """
        if self._session is None:
            return
        if self._session.is_closed:
            raise CallError("the session of this AsyncClient is closed（session 已关闭）")
        here = os.getpid(), asyncio.get_running_loop()
        if self._first_use.setdefault("loop", here) != here:
            raise CallError(_OTHER_LOOP)

    async def send(self, request: Request) -> APIResponse:
        """Send a request and return its answer.

        Raises:
            TransportError: There is no answer.
            CallError: The proxy cannot be used.
        """
        content, headers = await _open_body(request)
        progress = _Progress(is_before_sending=self._session is None)
        try:
            session = self._session or await self._find_session(request.url)
            async with session.stream(
                request.method,
                request.url,
                content=content,
                headers=headers,
                timeout=httpx2.Timeout(request.read_timeout, connect=request.connect_timeout),
                follow_redirects=False,  # the access_token would be sent along
                extensions={"trace": progress.trace},
            ) as response:
                response.headers.encoding = "iso-8859-1"  # as in requests, instead of a guess
                request.receiver.start(response.status_code, response.headers)
                async for piece in response.aiter_bytes():  # as they arrive, not in full pieces
                    await _feed(request.receiver, piece)
            return request.receiver.end()
        except Exception as error:
            failures = (*_FAILURES, RuntimeError) if _is_raised_by_asyncio(error) else _FAILURES
            failure = translate_error(error, request.url, failures, progress.was_before_sending)
            if failure is None:
                raise
        raise failure  # outside of the except block, so that the original is not its context

    async def _find_session(self, url: str) -> httpx2.AsyncClient:
        """Return the session for the running event loop, and for the proxy and certificates of *url*."""
        proxy = self._environment.find_proxy(url)
        certificates = self._environment.find_certificates(url, proxy)
        check_socks_support(proxy, "socksio", "socksio")
        key = _ConnectionKey(os.getpid(), asyncio.get_running_loop(), proxy, certificates)
        if key not in self._opened:
            for ended in [other for other in list(self._opened) if other.loop.is_closed()]:
                self._opened.pop(ended, None)
            opening = self._open(key)
            self._opened[key] = await anext(opening), opening
        return self._opened[key][0]

    async def _open(self, key: _ConnectionKey) -> AsyncGenerator[httpx2.AsyncClient, None]:
        context = self._find_context(key.certificates)
        limits = httpx2.Limits(max_connections=None, keepalive_expiry=MAX_IDLE)
        proxy = None if key.proxy is None else _make_proxy(key.proxy, context)
        async with httpx2.AsyncClient(trust_env=False, verify=context, proxy=proxy, limits=limits) as session:
            yield session

    def _find_context(self, certificates: str | None) -> ssl.SSLContext:
        if certificates not in self._contexts:
            self._contexts[certificates] = _make_context(certificates)
        return self._contexts[certificates]

    async def close(self) -> None:
        """Close the sessions of the running event loop; those of other loops are closed when the loops end."""
        here = os.getpid(), asyncio.get_running_loop()
        for key in list(self._opened):
            if (key.pid, key.loop) == here:
                _, opening = self._opened.pop(key)
                await opening.aclose()


@define
class _Progress:
    """The progress of a request, as httpcore2 reports it; a transport of the user's may report nothing."""

    is_before_sending: bool

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Handle an event of httpcore2."""
        if event.endswith("send_request_headers.started"):
            self.is_before_sending = info["request"].method == b"CONNECT"  # to a proxy, and not yet the request
        elif event.endswith(("connect_tcp.started", "connect_unix_socket.started")):
            self.is_before_sending = True

    def was_before_sending(self, error: BaseException) -> bool:
        """Tell whether no byte of the request has been sent."""
        return self.is_before_sending or isinstance(error, _NEVER_SENT)


def _is_raised_by_asyncio(error: Exception) -> bool:
    """Tell whether asyncio raised the error, as it does if the session was used in another loop before."""
    *_, (innermost, _) = traceback.walk_tb(error.__traceback__)
    return str(innermost.f_globals.get("__name__")).startswith("asyncio.")


def _make_context(certificates: str | None) -> ssl.SSLContext:
    if certificates is None:
        return httpx2.create_ssl_context(trust_env=False)
    if Path(certificates).is_dir():
        return ssl.create_default_context(capath=certificates)
    return ssl.create_default_context(cafile=certificates)


def _make_proxy(url: str, context: ssl.SSLContext) -> httpx2.Proxy:
    return httpx2.Proxy(url, ssl_context=context if url.startswith("https:") else None)


async def _open_body(request: Request) -> tuple[bytes | AsyncIterator[bytes] | None, dict[str, str]]:
    """Return the content and the headers of a request."""
    if not isinstance(request.body, MultipartBody):
        return request.body, dict(request.headers)
    await asyncio.to_thread(request.body.open)
    return _read(request.body), {**request.headers, "Content-Length": str(len(request.body))}


async def _feed(receiver: Receiver, piece: bytes) -> None:
    """Feed the receiver; in a thread if it writes to a file, which may be slow."""
    if receiver.writes_a_file:
        await asyncio.to_thread(receiver.feed, piece)
    else:
        receiver.feed(piece)


async def _read(body: MultipartBody) -> AsyncIterator[bytes]:
    """Read in a thread, as a disk or a pipe may be slow."""
    while piece := await asyncio.to_thread(body.read, CHUNK_SIZE):
        yield piece
