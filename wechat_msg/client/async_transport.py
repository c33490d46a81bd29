"""Sends requests with the library httpx2."""

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
from wechat_msg.client.environment import Environment, check_socks
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.receiving import Receiver
from wechat_msg.client.steps import Request
from wechat_msg.client.transport import MAX_IDLE, PIECE, explain
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


@frozen
class _Way:
    """What connections have in common; those of another loop or process are of no use.

    Attributes:
        pid: The process.
        loop: The event loop.
        proxy: URL of the proxy, or None.
        certificates: Path of those to trust, or None.
    """

    pid: int
    loop: asyncio.AbstractEventLoop
    proxy: str | None = field(repr=False)  # may hold a password
    certificates: str | None


class AsyncTransport:
    """A client of httpx2: the user's, or some of its own, as one belongs to an event loop."""

    def __init__(self, session: httpx2.AsyncClient | None) -> None:
        if session is not None and not isinstance(session, httpx2.AsyncClient):
            raise CallError("the session of an AsyncClient is an httpx2.AsyncClient")
        self._session = session
        self._home: dict[str, tuple[int, asyncio.AbstractEventLoop]] = {}  # where the user's session was used first
        self._environment = Environment.read()
        self._contexts: dict[str | None, ssl.SSLContext] = {}
        # A loop that ends closes its generators, and with them the connections.
        self._opened: dict[_Way, tuple[httpx2.AsyncClient, AsyncGenerator[httpx2.AsyncClient, None]]] = {}
        if session is None:
            self._prepare()

    def _prepare(self) -> None:
        """Load the certificates, which takes too long for an event loop."""
        for certificates in (None, self._environment.certificates):
            with contextlib.suppress(OSError):  # a call fails of it
                self._find_context(certificates)

    def check(self) -> None:
        """Make sure that a session of the user's can be used here.

        Raises:
            CallError: It is closed, or belongs to another event loop.
        """
        if self._session is None:
            return
        if self._session.is_closed:
            raise CallError("the session of this AsyncClient is closed（session 已关闭）")
        here = os.getpid(), asyncio.get_running_loop()
        if self._home.setdefault("loop", here) != here:
            raise CallError(_OTHER_LOOP)

    async def send(self, request: Request) -> APIResponse:
        """Send a request and take its answer.

        Raises:
            TransportError: There is none.
            CallError: The proxy that is to be asked cannot be.
        """
        headers = dict(request.headers)
        content: bytes | AsyncIterator[bytes] | None
        if isinstance(request.body, MultipartBody):
            await asyncio.to_thread(request.body.open)
            headers["Content-Length"] = str(len(request.body))
            content = _read(request.body)
        else:
            content = request.body
        progress = _Progress(is_before_sending=self._session is None)
        try:
            session = self._session or await self._find_session(request.url)
            async with session.stream(
                request.method,
                request.url,
                content=content,
                headers=headers,
                timeout=httpx2.Timeout(request.read_timeout, connect=request.connect_timeout),
                follow_redirects=False,  # the access_token would go along
                extensions={"trace": progress.take},
            ) as response:
                response.headers.encoding = "iso-8859-1"  # instead of a guess; as requests does it
                request.receiver.start(response.status_code, response.headers)
                async for piece in response.aiter_bytes():  # as they come, not in full pieces
                    await _feed(request.receiver, piece)
            return request.receiver.end()
        except Exception as error:
            failures = (*_FAILURES, RuntimeError) if _is_of_asyncio(error) else _FAILURES
            failure = explain(error, failures, progress.was_before_sending)
            if failure is None:
                raise
        raise failure  # out here, so that the original is not its context either

    async def _find_session(self, url: str) -> httpx2.AsyncClient:
        """Return the session of our own for the running loop, and for what the environment says of *url*."""
        proxy = self._environment.find_proxy(url)
        certificates = self._environment.find_certificates(url, proxy)
        check_socks(proxy, "socksio", "socksio")
        way = _Way(os.getpid(), asyncio.get_running_loop(), proxy, certificates)
        if way not in self._opened:
            for ended in [other for other in list(self._opened) if other.loop.is_closed()]:
                self._opened.pop(ended, None)
            opening = self._open(way)
            self._opened[way] = await anext(opening), opening
        return self._opened[way][0]

    async def _open(self, way: _Way) -> AsyncGenerator[httpx2.AsyncClient, None]:
        context = self._find_context(way.certificates)
        limits = httpx2.Limits(max_connections=None, keepalive_expiry=MAX_IDLE)
        proxy = None if way.proxy is None else _make_proxy(way.proxy, context)
        async with httpx2.AsyncClient(trust_env=False, verify=context, proxy=proxy, limits=limits) as session:
            yield session

    def _find_context(self, certificates: str | None) -> ssl.SSLContext:
        if certificates not in self._contexts:
            self._contexts[certificates] = _make_context(certificates)
        return self._contexts[certificates]

    async def close(self) -> None:
        """Close what is our own in the running loop; other loops do so when they end."""
        here = os.getpid(), asyncio.get_running_loop()
        for way in list(self._opened):
            if (way.pid, way.loop) == here:
                _, opening = self._opened.pop(way)
                await opening.aclose()


@define
class _Progress:
    """How far a request has come, as httpcore2 tells; a transport of the user's may tell nothing."""

    is_before_sending: bool

    async def take(self, event: str, info: Mapping[str, Any]) -> None:
        """Take the news."""
        if event.endswith("send_request_headers.started"):
            self.is_before_sending = info["request"].method == b"CONNECT"  # to a proxy, and not yet the request
        elif event.endswith(("connect_tcp.started", "connect_unix_socket.started")):
            self.is_before_sending = True

    def was_before_sending(self, error: BaseException) -> bool:
        """Tell whether nothing has been sent of the request."""
        return self.is_before_sending or isinstance(error, _NEVER_SENT)


def _is_of_asyncio(error: Exception) -> bool:
    """Tell whether asyncio has raised it, as the user has used the session in another loop before."""
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


async def _feed(receiver: Receiver, piece: bytes) -> None:
    """Write in a thread: as `_read`; what is kept in memory takes no time."""
    if receiver.writes_a_file:
        await asyncio.to_thread(receiver.feed, piece)
    else:
        receiver.feed(piece)


async def _read(body: MultipartBody) -> AsyncIterator[bytes]:
    """Read in a thread: a disk or a pipe may take its time."""
    while piece := await asyncio.to_thread(body.read, PIECE):
        yield piece


_OTHER_LOOP = (
    "the session of this AsyncClient was used in another event loop, to which its connections belong: leave session "
    "out, or make both in each loop（httpx2 会话只能用于一个事件循环：请不要传 session，或在每个事件循环里各建一个）"
)
