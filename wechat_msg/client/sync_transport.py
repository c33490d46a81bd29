"""SyncTransport: sends requests with the library requests."""

from __future__ import annotations

import functools
import os
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection

from wechat_msg.api._response import APIResponse
from wechat_msg.client.environment import EMPTY, Environment, check_socks_support
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.steps import Request
from wechat_msg.client.transport import CHUNK_SIZE, MAX_IDLE, translate_error
from wechat_msg.errors import CallError

__all__ = ["SyncTransport"]

_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_NEVER_SENT = (requests.ConnectTimeout, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL)
#: Functions that return before the first byte of a request is sent. The class of an error is not enough: a time-out of
#: the handshake is a ReadTimeout, and a connection that breaks after the request may be a ProxyError.
_BEFORE_SENDING = frozenset(
    function.__code__
    for function in (
        requests.Session.prepare_request,
        HTTPAdapter.get_connection_with_tls_context,
        HTTPAdapter.cert_verify,
        HTTPConnection.connect,
        HTTPSConnection.connect,
    )
)
_MAX_CONNECTIONS = 256  # that are kept, for as many threads


class SyncTransport:
    """A transport with a session of requests.

    Args:
        session: The user's session; if None, the transport makes one.
        monotonic: The clock that measures how long connections are idle.
    """

    def __init__(self, session: requests.Session | None, monotonic: Callable[[], float]) -> None:
        if session is not None and not isinstance(session, requests.Session):
            raise CallError("session must be a requests.Session")
        self._is_ours = session is None
        self._session = session or _make_session(monotonic)
        self._environment = Environment.read() if session is None or session.trust_env else EMPTY
        self._monotonic = monotonic
        self._used_at = monotonic()

    def send(self, request: Request) -> APIResponse:
        """Send a request and return its answer.

        Raises:
            TransportError: There is no answer.
            CallError: The proxy cannot be used.
        """
        connect_timeout = request.connect_timeout
        if isinstance(request.body, MultipartBody):
            request.body.open()
            connect_timeout = request.read_timeout  # in requests it also limits the sending of each piece
        session = self._get_session()
        try:
            with session.request(
                request.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=(connect_timeout, request.read_timeout),
                stream=True,
                allow_redirects=False,  # the access_token would be sent along
                hooks={"response": [*session.hooks.get("response", ()), _remove_location]},
                auth=_keep_headers if "Authorization" in request.headers else None,
                **self._find_proxy_options(session, request.url),
            ) as response:
                request.receiver.start(response.status_code, response.headers)
                for piece in _read(response):
                    request.receiver.feed(piece)
            return request.receiver.end()
        except Exception as error:
            failure = translate_error(error, request.url, _FAILURES, _was_before_sending)
            if failure is None:
                raise
        raise failure  # outside of the except block, so that the original is not its context

    def _get_session(self) -> requests.Session:
        """Return the session; after a fork or a pause it gets new connections, as processes cannot share them."""
        now = self._monotonic()
        if _used_in.get(self._session) != os.getpid() or now - self._used_at > MAX_IDLE:
            _renew_connections(self._session)
        _used_in[self._session], self._used_at = os.getpid(), now
        return self._session

    def _find_proxy_options(self, session: requests.Session, url: str) -> dict[str, Any]:
        """Return proxy and certificates: the session's, else the environment's (requests has the opposite order)."""
        parts = urlsplit(url)
        keys = (f"{parts.scheme}://{parts.hostname}", parts.scheme, f"all://{parts.hostname}", "all")
        if any(key in session.proxies for key in keys):  # None is a setting, too: no proxy
            proxy = select_proxy(url, session.proxies)
        else:
            proxy = self._environment.find_proxy(url)
        check_socks_support(proxy, "socks", "PySocks")
        verify = session.verify
        if verify is True:
            verify = self._environment.find_certificates(url, proxy) or True
        # The most specific key, so that requests does not look for a proxy in the environment; "" means no proxy.
        return {"proxies": {keys[0]: proxy or ""}, "verify": verify}

    def close(self) -> None:
        """Close the session, unless it is the user's."""
        if self._is_ours:
            self._session.close()


def _was_before_sending(error: BaseException) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return isinstance(error, _NEVER_SENT) or any(frame.f_code in _BEFORE_SENDING for frame, _ in frames)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Otherwise requests would replace the header Authorization by a password of the user's netrc file.
    return request


def _remove_location(response: requests.Response, **_: object) -> None:
    # Even without following it, requests parses the address, which may fail, and reads the whole body.
    response.headers.pop("Location", None)


def _read(response: requests.Response) -> Iterator[bytes]:
    """Yield the bytes as they arrive; `iter_content` waits for a full piece."""
    read1 = getattr(response.raw, "read1", None) if isinstance(response.raw, urllib3.HTTPResponse) else None
    if read1 is None:  # before urllib3 2.2, or if an adapter makes its own responses
        yield from response.iter_content(CHUNK_SIZE)
        return
    while piece := read1(CHUNK_SIZE, decode_content=True):
        yield piece


# --- connections -----------------------------------------------------------------------------------------------------


def _make_session(monotonic: Callable[[], float]) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # see Environment
    adapter = _Adapter(monotonic)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Adapter(HTTPAdapter):
    """An adapter that keeps connections for many threads, but uses none that was idle for long."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        super().__init__(pool_maxsize=_MAX_CONNECTIONS)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return the pool for a request."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _expire(pool.ConnectionCls, self._monotonic)
        return pool


class _Expiring(HTTPConnection):
    """A connection that its pool replaces, like a broken one, if it was idle for long."""

    monotonic: Callable[[], float]
    _used_at = float("-inf")

    def request(self, *args: Any, **options: Any) -> None:
        """Send a request."""
        self._used_at = self.monotonic()
        super().request(*args, **options)

    @property
    def is_connected(self) -> bool:
        """Whether it can be used again."""
        return super().is_connected and self.monotonic() - self._used_at <= MAX_IDLE


@functools.lru_cache(maxsize=64)
def _expire(cls: type[HTTPConnection], monotonic: Callable[[], float]) -> type[HTTPConnection]:
    """Return a subclass of *cls* whose connections expire."""
    if issubclass(cls, _Expiring):
        return cls
    return type(cls.__name__, (_Expiring, cls), {"monotonic": staticmethod(monotonic)})


#: The process in which a client used a session last. Before, the user may have used it and forked.
_used_in: WeakKeyDictionary[requests.Session, int] = WeakKeyDictionary()


def _renew_connections(session: requests.Session) -> None:
    """Give *session* new connections; those that another process or thread uses stay open."""
    session.adapters = OrderedDict((prefix, _copy(adapter)) for prefix, adapter in session.adapters.items())


def _copy(adapter: BaseAdapter) -> BaseAdapter:
    """Copy an adapter without its connections, as pickling it does."""
    if not isinstance(adapter, HTTPAdapter):
        return adapter
    copied = object.__new__(type(adapter))
    copied.__dict__.update(adapter.__dict__)
    copied.__setstate__(adapter.__getstate__())
    return copied
