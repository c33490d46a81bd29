"""The standard library's WSGI server with threads, for what needs no better one."""

from __future__ import annotations

import sys
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, ClassVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

__all__ = ["QuietHandler", "ThreadingServer"]


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """Serves each connection in a thread of its own; for `wsgiref.simple_server.make_server`."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind as any server does: that of HTTP would also ask for the name of the host, which can take long."""
        TCPServer.server_bind(self)
        self.server_name: str = str(self.server_address[0])
        self.server_port: int = self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up, or say nothing themselves."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class QuietHandler(WSGIRequestHandler):
    """Says nothing of requests that went well."""

    timeout: ClassVar[float | None] = 10.0

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
