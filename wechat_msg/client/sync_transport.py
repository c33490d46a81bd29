"""Sends requests with the library requests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import requests
import urllib3
from requests.adapters import HTTPAdapter

from wechat_msg.api.answers import Answer
from wechat_msg.client.exchange import Request
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.transport import PIECE, explain
from wechat_msg.errors import CallError

__all__ = ["SyncTransport"]

_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_NEVER_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidSchema,  # such as a SOCKS proxy without PySocks
    requests.exceptions.InvalidURL,
    requests.exceptions.ProxyError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.LocationValueError,
)
_CONNECTIONS = 256  # kept at most, for as many threads


class SyncTransport:
    """A session of requests: the user's, or one of its own."""

    def __init__(self, session: requests.Session | None) -> None:
        if session is not None and not isinstance(session, requests.Session):
            raise CallError("the session of a Client is a requests.Session")
        self._is_ours = session is None
        self._session = session or _make_session()
        self._pid = os.getpid()

    def send(self, request: Request) -> Answer:
        """Send a request and take its answer.

        Raises:
            TransportError: There is none.
        """
        connect_timeout = request.connect_timeout
        if isinstance(request.body, MultipartBody):
            request.body.open()
            connect_timeout = request.read_timeout  # in requests it is also the limit for each piece that is sent
        try:
            with self._get_session().request(
                request.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=(connect_timeout, request.read_timeout),
                stream=True,
                allow_redirects=False,  # the access_token would go along
                hooks={"response": [*self._session.hooks.get("response", ()), _forget_redirect]},
                auth=_leave if "Authorization" in request.headers else None,
            ) as response:
                request.receiver.start(response.status_code, response.headers)
                for piece in _read(response):
                    request.receiver.feed(piece)
            return request.receiver.end()
        except _FAILURES as error:
            failure = explain(error, _NEVER_SENT)
        raise failure  # out here, so that the original is not its context either

    def _get_session(self) -> requests.Session:
        """Return the session; after a fork another one, as two processes cannot speak over one connection."""
        if self._is_ours and self._pid != os.getpid():
            self._session, self._pid = _make_session(), os.getpid()
        return self._session

    def close(self) -> None:
        """Close the session, if it is our own."""
        if self._is_ours:
            self._session.close()


def _leave(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Without this, requests would put a password of the user's netrc file in place of the header.
    return request


def _forget_redirect(response: requests.Response, **_: object) -> None:
    # Even if it is not to go there, requests takes the address apart, which may fail, and loads the whole page.
    response.headers.pop("Location", None)


def _read(response: requests.Response) -> Iterator[bytes]:
    """Yield the bytes as they come; `iter_content` waits until it has a full piece."""
    read1 = getattr(response.raw, "read1", None) if isinstance(response.raw, urllib3.HTTPResponse) else None
    if read1 is None:  # before urllib3 2.2, or from an adapter that makes its answers itself
        yield from response.iter_content(PIECE)
        return
    while piece := read1(PIECE, decode_content=True):
        yield piece


def _make_session() -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
