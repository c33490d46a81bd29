"""HTTP servers that send exactly the bytes they are given, valid or not."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping

from attrs import define, field, frozen

PATIENCE = 30.0
"""Seconds after which a server gives up on a client that does not come."""


@frozen
class Request:
    """A request as received."""

    line: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@define
class Connection:
    """The server's side of a connection."""

    socket: socket.socket
    _requests: list[Request]
    _buffer: bytearray = field(factory=bytearray)

    def read(self, size: int) -> bytes:
        """Return that many bytes, fewer only if the client has hung up."""
        while len(self._buffer) < size and (data := self.socket.recv(min(1 << 18, size))):
            self._buffer += data
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def read_head(self) -> tuple[str, dict[str, str]]:
        """Return the request line and the headers; names in lower case."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the client has hung up")
            self._buffer += data
        line, *lines = self.read(end + 4).decode("latin-1").strip().split("\r\n")
        return line, {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def read_request(self) -> Request:
        """Return a whole request."""
        line, headers = self.read_head()
        size = int(headers.get("content-length", "0"))
        body = self.read(size)
        if len(body) < size:
            raise ConnectionError("the client has hung up")
        request = Request(line, headers, body)
        self._requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        """Send these bytes."""
        self.socket.sendall(data)

    def answer(self, body: bytes, **headers: str | None) -> None:
        """Send a valid answer, and keep the connection."""
        self.send(render(body, connection=None, **headers))

    def reset(self) -> None:
        """Reset the connection; data in transit are lost."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


Handle = Callable[[Connection], object]
"""Serves one connection, which is closed afterwards."""


@define
class Server:
    """Listens at `url`.

    Attributes:
        connections: All that were made, the oldest first.
        requests: Those that have come whole, the oldest first.
    """

    url: str
    connections: list[Connection] = field(factory=list)
    requests: list[Request] = field(factory=list)


@contextlib.contextmanager
def listen(*handles: Handle, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve each connection in a thread of its own: the first one with the first function; the last serves the rest."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening, contextlib.ExitStack() as stack:
        server = Server(f"{'https' if context else 'http'}://127.0.0.1:{listening.getsockname()[1]}")

        def accept() -> None:
            with contextlib.suppress(OSError):  # the end
                while True:
                    connection = Connection(listening.accept()[0], server.requests)
                    server.connections.append(connection)
                    handle = handles[min(len(server.connections), len(handles)) - 1]
                    stack.callback(_start(_serve, connection, handle, context).join, PATIENCE)

        accepting = _start(accept)
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(PATIENCE)
            for connection in server.connections:
                with contextlib.suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)


def _serve(connection: Connection, handle: Handle, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), contextlib.closing(connection.socket) as plain:
        plain.settimeout(PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            connection.socket = context.wrap_socket(plain, server_side=True)
        with contextlib.closing(connection.socket):
            handle(connection)


def _start(function: Callable[..., object], *args: object) -> threading.Thread:
    thread = threading.Thread(target=function, args=args, daemon=True)
    thread.start()
    return thread


@contextlib.contextmanager
def refuse() -> Iterator[str]:
    """Reserve a port at which nothing listens, and yield its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def answering(answer: bytes) -> Handle:
    """Make a server that reads a request, sends these bytes and hangs up."""

    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(answer)
        # The client may go on reading, but nothing will come; to close at once with data unread would be a reset.
        connection.socket.shutdown(socket.SHUT_WR)
        connection.read(1 << 20)

    return handle


def render(body: bytes, status: str = "200 OK", **headers: str | None) -> bytes:
    """Write the last answer of a connection; `content_type="text/html"` is a header, None leaves one out."""
    named: dict[str, str | None] = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
    named["Connection"] = "close"
    named |= {re.sub("_", "-", name).title(): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in named.items() if value is not None), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
