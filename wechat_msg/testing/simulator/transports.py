"""Transports for one request over HTTP, with a deadline and a limit on the size of the answer."""

from __future__ import annotations

import contextlib
import http.client
import io
import re
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from wechat_msg.errors import SettingsError
from wechat_msg.exchange import PushRequest
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.simulator import problems
from wechat_msg.testing.simulator.verdicts import BotResponse, NoResponse

__all__ = ["MAX_RESPONSE_BYTES", "AsyncPushTransport", "HTTPTransport", "PushTransport", "make_target", "split_url"]

#: Far more than any reply. How much WeChat itself reads is unconfirmed.
MAX_RESPONSE_BYTES = 1 << 20
_PIECE = 1 << 14
_USER_AGENT = "Mozilla/4.0"  # WeChat's own
_PLAIN = re.compile(r"[!-~]+")
_NO_URL = Text("must be http:// or https://, a host, and a path", "网址由 http:// 或 https://、主机与路径组成")
_NO_SCHEME = Text("must begin with http:// or https://", "网址须以 http:// 或 https:// 开头")
_HAS_PASSWORD = Text(
    "must not contain a user name or password; WeChat does not send them", "网址不能带用户名与密码，微信不会发送"
)
_NO_HOST = Text("must have a host after http:// or https://", "网址缺少主机")
_NO_PORT = Text("the port must be a number from 1 to 65535", "网址中的端口应为 1 到 65535 的数字")
_NOT_PLAIN = Text(
    "must encode spaces and non-ASCII characters as in %20, and a non-ASCII host as in xn--",
    "网址中的空格与非 ASCII 字符须写成 %20 的形式，中文域名须写成 xn-- 的形式",
)
_SIZE = re.compile(r"[0-9]{1,15}")


class PushTransport(Protocol):
    """A way to send a request to the endpoint."""

    def send(self, request: PushRequest, limit: float) -> BotResponse | NoResponse:
        """Send a request and return its result after *limit* seconds at most."""
        ...

    def close(self) -> None:
        """Release all resources."""
        ...


class AsyncPushTransport(Protocol):
    """The asynchronous `PushTransport`."""

    async def send(self, request: PushRequest, limit: float) -> BotResponse | NoResponse:
        """Send a request and return its result after *limit* seconds at most."""
        ...

    async def close(self) -> None:
        """Release all resources."""
        ...


def split_url(url: str) -> SplitResult:
    """Split an address into its parts.

    Raises:
        SettingsError: *url* is invalid; the text says why.
    """
    parts = _split(url)
    if isinstance(parts, Text):
        raise SettingsError(parts.en, hint=parts.zh, setting="url")
    return parts


def _split(url: object) -> SplitResult | Text:
    """Split an address into its parts, or return why it is invalid."""
    if not isinstance(url, str):
        return _NO_URL
    try:
        parts = urlsplit(url)
    except ValueError:
        return _NO_URL
    if parts.scheme not in ("http", "https") or not url.partition(":")[2].startswith("//"):
        return _NO_SCHEME
    if "@" in parts.netloc:
        return _HAS_PASSWORD
    if not parts.hostname:
        return _NO_HOST
    if not _PLAIN.fullmatch(url):
        return _NOT_PLAIN
    return parts if _is_port(parts) else _NO_PORT


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def make_target(parts: SplitResult, request: PushRequest) -> str:
    """Return path and query of a request; the query of the address itself comes first."""
    query = "&".join(filter(None, (parts.query, request.query_string)))
    return (parts.path or "/") + (f"?{query}" if query else "")


class HTTPTransport:
    """A transport that opens a new connection for each request.

    Args:
        url: Address of the endpoint.
        ssl_context: How certificates are checked. If None, against the public authorities, as WeChat does.

    Raises:
        SettingsError: *url* is invalid.
    """

    def __init__(self, url: str, ssl_context: ssl.SSLContext | None = None) -> None:
        self._parts = split_url(url)
        self._ssl_context = ssl_context

    def close(self) -> None:
        """Do nothing; no connection is kept open."""

    def send(self, request: PushRequest, limit: float) -> BotResponse | NoResponse:
        """Send a request and return its result after *limit* seconds at most."""
        deadline = time.monotonic() + limit
        connection = self._connect(deadline)
        if isinstance(connection, NoResponse):
            return connection
        with connection:
            return _exchange(connection, self._render(request), request.method, deadline)

    def _connect(self, deadline: float) -> socket.socket | NoResponse:
        parts = self._parts
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            connection = _open_socket(str(parts.hostname), port, deadline)
        except (OSError, UnicodeError) as error:  # UnicodeError: the host is not a DNS name
            return NoResponse(problems.UNREACHABLE, getattr(error, "strerror", None) or type(error).__name__)
        if parts.scheme == "http":
            return connection
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            try:
                secure = self._secure(connection, deadline)
            except TimeoutError:
                return NoResponse(problems.TIMED_OUT, "in the TLS handshake")
            except OSError as error:
                return NoResponse(problems.of_tls(reason := _describe(error)), reason)
            undo.pop_all()
            return secure

    def _secure(self, connection: socket.socket, deadline: float) -> ssl.SSLSocket:
        context = self._ssl_context or ssl.create_default_context()
        connection.settimeout(_seconds_until(deadline))
        return context.wrap_socket(connection, server_hostname=self._parts.hostname)

    def _render(self, request: PushRequest) -> bytes:
        headers = {"Host": self._parts.netloc, "User-Agent": _USER_AGENT, "Accept": "*/*", "Connection": "close"}
        if request.method != "GET":
            headers |= {"Content-Type": request.content_type, "Content-Length": str(len(request.body))}
            headers |= request.headers
        head = [f"{request.method} {make_target(self._parts, request)} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in headers.items() if value]
        return "\r\n".join([*head, "", ""]).encode() + request.body


def _open_socket(host: str, port: int, deadline: float) -> socket.socket:
    """Connect to the first address of a host that accepts the connection."""
    failure = OSError()
    for *_, address in _look_up(host, port, deadline):
        try:
            return socket.create_connection(address[:2], timeout=_seconds_until(deadline))
        except OSError as error:
            failure = error
    raise failure


def _look_up(host: str, port: int, deadline: float) -> list[Any]:
    """Look up the addresses of a host, in a thread because the system call has no time limit."""
    addresses: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            addresses.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            addresses.set_exception(error)

    threading.Thread(target=ask, name="WeChat", daemon=True).start()
    return addresses.result(_seconds_until(deadline))


def _describe(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError):
        return str(error.reason or "")
    return error.strerror or type(error).__name__


def _exchange(connection: socket.socket, request: bytes, method: str, deadline: float) -> BotResponse | NoResponse:
    stream = _Stream(connection, deadline)
    lost = False
    try:
        lost = _send(connection, request, deadline)
        return _receive(stream, method)
    except TimeoutError:
        return NoResponse(problems.TIMED_OUT)
    except _TooLong:
        return NoResponse(problems.TOO_LONG, f"more than {MAX_RESPONSE_BYTES} bytes")
    except OSError:
        return NoResponse(problems.HUNG_UP, "while the request was being sent" if lost else "")
    except http.client.IncompleteRead:  # also raised for an invalid chunk size
        return NoResponse(problems.HUNG_UP if stream.has_ended else problems.NOT_HTTP)
    except (http.client.HTTPException, ValueError, OverflowError):
        return NoResponse(problems.NOT_HTTP)


def _send(connection: socket.socket, request: bytes, deadline: float) -> bool:
    """Send the request; return True if the server stopped reading, as it may after an early answer."""
    connection.settimeout(_seconds_until(deadline))
    try:
        connection.sendall(request)
    except ConnectionError:
        return True
    return False


def _receive(stream: _Stream, method: str) -> BotResponse | NoResponse:
    # HTTPResponse only calls makefile of a socket.
    response = http.client.HTTPResponse(stream, method=method)  # type: ignore[arg-type]
    response.begin()
    if stream.has_ended:  # HTTPResponse treats it as the end of the headers
        return NoResponse(problems.HUNG_UP, "within the headers")
    if not _SIZE.fullmatch(response.getheader("Content-Length", "0").strip()):
        return NoResponse(problems.NOT_HTTP, "Content-Length")
    # In pieces: read() would allocate memory for the whole Content-Length at once.
    body = b"".join(iter(lambda: response.read(_PIECE), b""))
    if response.length:
        return NoResponse(problems.HUNG_UP, f"{response.length} bytes are missing")
    return BotResponse(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


class _TooLong(Exception):
    """The answer exceeds the limit."""


class _Stream(io.RawIOBase):
    """A readable stream over a socket, with a deadline; a socket's own time-out restarts with every byte.

    It returns MAX_RESPONSE_BYTES at most: HTTPResponse alone would read a chunk of size -1 without end.
    """

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._remaining = MAX_RESPONSE_BYTES
        self.has_ended = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, _PIECE)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(_seconds_until(self._deadline))
        size = self._connection.recv_into(buffer)
        self.has_ended = size == 0
        self._remaining -= size
        if self._remaining < 0:
            raise _TooLong
        return size


def _seconds_until(deadline: float) -> float:
    """Return how many seconds are left until *deadline*.

    Raises:
        TimeoutError: The deadline has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
