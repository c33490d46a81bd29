"""Sends requests with the library httpx2."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2

from wechat_msg.api.answers import Answer
from wechat_msg.client.exchange import Request
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.receiving import Receiver
from wechat_msg.client.transport import PIECE, explain
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


class AsyncTransport:
    """A client of httpx2: the user's, or one of its own."""

    def __init__(self, session: httpx2.AsyncClient | None) -> None:
        if session is not None and not isinstance(session, httpx2.AsyncClient):
            raise CallError("the session of an AsyncClient is an httpx2.AsyncClient")
        self._is_ours = session is None
        self._session = session or httpx2.AsyncClient(limits=httpx2.Limits(max_connections=None))

    async def send(self, request: Request) -> Answer:
        """Send a request and take its answer.

        Raises:
            TransportError: There is none.
        """
        headers = dict(request.headers)
        content: bytes | AsyncIterator[bytes] | None
        if isinstance(request.body, MultipartBody):
            await asyncio.to_thread(request.body.open)
            headers["Content-Length"] = str(len(request.body))
            content = _read(request.body)
        else:
            content = request.body
        try:
            async with self._session.stream(
                request.method,
                request.url,
                content=content,
                headers=headers,
                timeout=httpx2.Timeout(request.read_timeout, connect=request.connect_timeout),
                follow_redirects=False,  # the access_token would go along
            ) as response:
                request.receiver.start(response.status_code, response.headers)
                async for piece in response.aiter_bytes():  # as they come, not in full pieces
                    await _feed(request.receiver, piece)
            return request.receiver.end()
        except _FAILURES as error:
            failure = explain(error, _NEVER_SENT)
        raise failure  # out here, so that the original is not its context either

    async def close(self) -> None:
        """Close the session, if it is our own."""
        if self._is_ours:
            await self._session.aclose()


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
