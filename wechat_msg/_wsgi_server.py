"""The standard library's WSGI server with threads, for the token server and the development server."""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, ClassVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

__all__ = ["QuietHandler", "ThreadingServer"]


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """A server that serves each connection in its own thread; for `wsgiref.simple_server.make_server`.

    While `max_threads` threads run, further connections wait to be accepted.
    """

    daemon_threads = True
    request_queue_size = 128
    max_threads: ClassVar[int] = 64

    def __init__(self, *args: Any, **options: Any) -> None:
        self._free_threads = threading.Semaphore(self.max_threads)
        super().__init__(*args, **options)

    def server_bind(self) -> None:
        """Bind without a look-up of the host's name, which `HTTPServer` would make and which can take long."""
        TCPServer.server_bind(self)
        self.server_name: str = str(self.server_address[0])
        self.server_port: int = self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread; wait until one is free."""
        self._free_threads.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free_threads.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection in this thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free_threads.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up or send nothing."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class QuietHandler(WSGIRequestHandler):
    """A request handler that logs no requests, and hangs up on clients that are too slow.

    Attributes:
        timeout: Seconds within which a whole request, head and body, must arrive. There is no limit if it is None.
    """

    timeout: ClassVar[float | None] = 10.0

    def setup(self) -> None:
        """Limit the time to read the request."""
        super().setup()
        if self.timeout is not None:
            self.rfile.close()
            self.rfile: io.BufferedIOBase = io.BufferedReader(_LimitedReader(self.connection, self.timeout))

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class _LimitedReader(io.RawIOBase):
    """A reader of a connection that stops when *limit* seconds have passed in all."""

    def __init__(self, connection: socket.socket, limit: float) -> None:
        self._connection = connection
        self._limit = limit
        self._deadline = time.monotonic() + limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(self._limit)  # for the response
