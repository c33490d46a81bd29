"""HTTP server of the fake API, with persistent connections."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import FakeResponse

__all__ = ["Handle", "Server"]

_HUNG_UP = "the client closed the connection within its request"

Handle = Callable[[APIRequest], FakeResponse | None]
"""Function that returns the response to a request, or None to close the connection."""


class Server(ThreadingHTTPServer):
    """HTTP server that listens on 127.0.0.1 at once and serves in its own threads until it is closed."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int, handle: Handle) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.handle = handle
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="FakeWeChatAPI", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """URL of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Bind without the look-up of the host name that `HTTPServer` makes, which can take long."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in its own thread."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that closed the connection."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Stop listening, and close all connections."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Handler of one connection."""

    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # sends headers and body together

    def do_GET(self) -> None:
        """Respond to a request, or close the connection."""
        response = self.server.handle(self._read_request())
        if response is None:
            self.close_connection = True
        else:
            self._write(response)

    do_POST = do_GET  # noqa: N815

    def _read_request(self) -> APIRequest:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return APIRequest(
            self.command,
            url.path,
            dict(parse_qsl(url.query, keep_blank_values=True)),
            headers,
            b"".join(self._read_body()),
            str(self.client_address[0]),
        )

    def _read_body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            yield self._read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self._read_line().partition(b";")[0], 16):
            yield self._read(size)
            self._read_line()
        while self._read_line():
            pass  # trailers

    def _read(self, size: int) -> bytes:
        content = self.rfile.read(size)
        if len(content) < size:
            raise ConnectionError(_HUNG_UP)
        return content

    def _read_line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise ConnectionError(_HUNG_UP)
        return line.strip()

    def _write(self, response: FakeResponse) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Suppress the log of requests."""
