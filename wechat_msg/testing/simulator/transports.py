"""One request over HTTP: never longer than its time, never more of the answer than is needed."""

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
from wechat_msg.testing.simulator import problems
from wechat_msg.testing.simulator.results import Answer, NoAnswer
from wechat_msg.testing.text import Text

__all__ = ["MOST_BYTES", "AsyncTransport", "HTTPTransport", "Transport", "make_target", "split_url"]

#: No reply comes near. What WeChat itself would read is unconfirmed.
MOST_BYTES = 1 << 20
_PIECE = 1 << 14
_USER_AGENT = "Mozilla/4.0"  # WeChat's own
_PLAIN = re.compile(r"[!-~]+")
_NO_URL = Text("http:// or https://, a host, and the path", "网址由 http:// 或 https://、主机与路径组成")
_NO_SCHEME = Text("begins with http:// or https://", "网址须以 http:// 或 https:// 开头")
_HAS_PASSWORD = Text(
    "without user name and password, which WeChat does not send", "网址不能带用户名与密码，微信不会发送"
)
_NO_HOST = Text("a host is missing after http:// or https://", "网址缺少主机")
_NO_PORT = Text("the port is a number from 1 to 65535", "网址中的端口应为 1 到 65535 的数字")
_NOT_PLAIN = Text(
    "blanks and other characters than ASCII are written as in %20, a host as in xn--",
    "网址中的空格与非 ASCII 字符须写成 %20 的形式，中文域名须写成 xn-- 的形式",
)
_SIZE = re.compile(r"[0-9]{1,15}")


class Transport(Protocol):
    """Carries a request to the endpoint."""

    def send(self, request: PushRequest, limit: float) -> Answer | NoAnswer:
        """Send a request, and return what has come of it after *limit* seconds at most."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class AsyncTransport(Protocol):
    """A transport that is awaited."""

    async def send(self, request: PushRequest, limit: float) -> Answer | NoAnswer:
        """Send a request, and return what has come of it after *limit* seconds at most."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


def split_url(url: str) -> SplitResult:
    """Take an address apart.

    Raises:
        SettingsError: It is none; the text says why.
    """
    parts = _split(url)
    if isinstance(parts, Text):
        raise SettingsError(parts.en, hint=parts.zh, setting="url")
    return parts


def _split(url: object) -> SplitResult | Text:
    """Take an address apart, or say why it is none."""
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
    """Return path and query of a request; what the address has of its own stays in front."""
    query = "&".join(filter(None, (parts.query, request.query_string)))
    return (parts.path or "/") + (f"?{query}" if query else "")


class HTTPTransport:
    """Sends each request on a connection of its own.

    Args:
        url: Where the endpoint is.
        ssl_context: How certificates are checked; None: as WeChat does, against the public authorities.

    Raises:
        SettingsError: *url* is none.
    """

    def __init__(self, url: str, ssl_context: ssl.SSLContext | None = None) -> None:
        self._parts = split_url(url)
        self._ssl_context = ssl_context

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def send(self, request: PushRequest, limit: float) -> Answer | NoAnswer:
        """Send a request, and return what has come of it after *limit* seconds at most."""
        deadline = time.monotonic() + limit
        connection = self._connect(deadline)
        if isinstance(connection, NoAnswer):
            return connection
        with connection:
            return _exchange(connection, self._render(request), request.method, deadline)

    def _connect(self, deadline: float) -> socket.socket | NoAnswer:
        parts = self._parts
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            connection = _dial(str(parts.hostname), port, deadline)
        except (OSError, UnicodeError) as error:  # a host of which no DNS name can be made
            return NoAnswer(problems.UNREACHABLE, getattr(error, "strerror", None) or type(error).__name__)
        if parts.scheme == "http":
            return connection
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            try:
                secure = self._secure(connection, deadline)
            except TimeoutError:
                return NoAnswer(problems.TIMED_OUT, "in the TLS handshake")
            except OSError as error:
                return NoAnswer(problems.of_tls(reason := _explain(error)), reason)
            undo.pop_all()
            return secure

    def _secure(self, connection: socket.socket, deadline: float) -> ssl.SSLSocket:
        context = self._ssl_context or ssl.create_default_context()
        connection.settimeout(_left(deadline))
        return context.wrap_socket(connection, server_hostname=self._parts.hostname)

    def _render(self, request: PushRequest) -> bytes:
        headers = {
            "Host": self._parts.netloc,
            "User-Agent": _USER_AGENT,
            "Accept": "*/*",
            "Connection": "close",
        }
        if request.method != "GET":
            headers |= {"Content-Type": request.content_type, "Content-Length": str(len(request.body))}
        head = [f"{request.method} {make_target(self._parts, request)} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in headers.items() if value]
        return "\r\n".join([*head, "", ""]).encode() + request.body


def _dial(host: str, port: int, deadline: float) -> socket.socket:
    """Connect to the first address of a host that takes it."""
    failure = OSError()
    for *_, address in _look_up(host, port, deadline):
        try:
            return socket.create_connection(address[:2], timeout=_left(deadline))
        except OSError as error:
            failure = error
    raise failure


def _look_up(host: str, port: int, deadline: float) -> list[Any]:
    """Ask for the addresses of a host: in a thread, as the system knows no time limit for that."""
    addresses: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            addresses.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            addresses.set_exception(error)

    threading.Thread(target=ask, name="WeChat", daemon=True).start()
    return addresses.result(_left(deadline))


def _explain(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError):
        return str(error.reason or "")
    return error.strerror or type(error).__name__


def _exchange(connection: socket.socket, request: bytes, method: str, deadline: float) -> Answer | NoAnswer:
    stream = _Stream(connection, deadline)
    lost = False
    try:
        lost = _send(connection, request, deadline)
        return _receive(stream, method)
    except TimeoutError:
        return NoAnswer(problems.TIMED_OUT)
    except _TooLong:
        return NoAnswer(problems.TOO_LONG, f"more than {MOST_BYTES} bytes")
    except OSError:
        return NoAnswer(problems.HUNG_UP, "while the request was being sent" if lost else "")
    except http.client.IncompleteRead:  # also raised for the size of a chunk that is none
        return NoAnswer(problems.HUNG_UP if stream.has_ended else problems.NOT_HTTP)
    except (http.client.HTTPException, ValueError, OverflowError):
        return NoAnswer(problems.NOT_HTTP)


def _send(connection: socket.socket, request: bytes, deadline: float) -> bool:
    """Send it all; return whether the server stopped listening, as it may after an answer that came early."""
    connection.settimeout(_left(deadline))
    try:
        connection.sendall(request)
    except ConnectionError:
        return True
    return False


def _receive(stream: _Stream, method: str) -> Answer | NoAnswer:
    # HTTPResponse wants nothing of a socket but its makefile.
    response = http.client.HTTPResponse(stream, method=method)  # type: ignore[arg-type]
    response.begin()
    if stream.has_ended:  # which HTTPResponse takes for the end of the headers
        return NoAnswer(problems.HUNG_UP, "within the headers")
    if not _SIZE.fullmatch(response.getheader("Content-Length", "0").strip()):
        return NoAnswer(problems.NOT_HTTP, "Content-Length")
    # In pieces: memory for a Content-Length would be taken before anything has come.
    body = b"".join(iter(lambda: response.read(_PIECE), b""))
    if response.length:
        return NoAnswer(problems.HUNG_UP, f"{response.length} bytes are missing")
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


class _TooLong(Exception):
    """More has come than is wanted."""


class _Stream(io.RawIOBase):
    """What a socket receives, until a deadline. A time-out of the socket alone would begin anew with every byte.

    It gives out no more than MOST_BYTES, whatever they are: HTTPResponse alone would read a chunk of size -1 for ever.
    """

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._wanted = MOST_BYTES
        self.has_ended = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, _PIECE)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(_left(self._deadline))
        size = self._connection.recv_into(buffer)
        self.has_ended = size == 0
        self._wanted -= size
        if self._wanted < 0:
            raise _TooLong
        return size


def _left(deadline: float) -> float:
    """Return the seconds that are left.

    Raises:
        TimeoutError: None.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
