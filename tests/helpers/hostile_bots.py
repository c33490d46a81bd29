"""Servers that answer a push wrongly, each with the simulator's verdict."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import time
import zlib
from collections.abc import Iterable, Iterator

from attrs import frozen

from tests.helpers.raw_http import Connection, Handle, render

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIPPED = OK + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
MB = b"x" * (1 << 20)
BOMB = gzip.compress(bytes(50 << 20), 1)
LONG = 100
"""MB of the longest answers that end."""


@frozen
class Bot:
    """A server and its verdict.

    Attributes:
        name: What it does.
        handle: Serves a connection.
        code: Of the problem; None: its answer is an acknowledgement.
        is_greedy: Whether a careless client would fill its memory.
    """

    name: str
    handle: Handle
    code: str | None
    is_greedy: bool = False

    @property
    def limit(self) -> float:
        """The simulator's time limit in seconds: short if the bot uses all of it."""
        return 0.2 if self.code == "timed_out" else 5.0


# --- how they answer --------------------------------------------------------------------------------------------------


def sending(*pieces: bytes | Iterable[bytes]) -> Handle:
    """Read the request, send all pieces, and hang up in good order."""

    def handle(connection: Connection) -> None:
        connection.read_request()
        for piece in pieces:
            for data in [piece] if isinstance(piece, bytes) else piece:
                connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
        connection.read(1 << 20)

    return handle


class Endless:
    """A body without end; as drops, it comes byte by byte with pauses."""

    def __init__(self, data: bytes, *, in_drops: bool = False) -> None:
        self._data = data
        self._in_drops = in_drops

    def __iter__(self) -> Iterator[bytes]:
        if not self._in_drops:
            return itertools.repeat(self._data)
        return (self._wait(byte) for byte in itertools.cycle(self._data))

    @staticmethod
    def _wait(byte: int) -> bytes:
        time.sleep(0.02)
        return bytes([byte])


def drip(data: bytes) -> Endless:
    """Send these bytes again and again, slowly enough for any time-out of the socket alone."""
    return Endless(data, in_drops=True)


def stay_silent(connection: Connection) -> None:
    """Read the request, and never answer."""
    connection.read_request()
    connection.read(1)


def answer_unasked(connection: Connection) -> None:
    """Answer before anything is read, and reset the connection by closing it with the request unread."""
    connection.send(render(b"success"))
    connection.socket.recv(1)


def hang_up(connection: Connection) -> None:
    """Read nothing and answer nothing."""


def reset(connection: Connection) -> None:
    """Reset the connection."""
    connection.read_request()
    connection.send(OK)
    connection.reset()


def answer_to_hello(answer: bytes | Endless) -> Handle:
    """Answer the first bytes of a TLS handshake."""

    def handle(connection: Connection) -> None:
        connection.socket.recv(1)
        for data in [answer] if isinstance(answer, bytes) else answer:
            connection.send(data)

    return handle


def redirect(status: str) -> Handle:
    """Redirect the client to the same address."""
    return sending(render(b"", status, location="/wechat"))


def with_length(length: str, body: bytes = b"success") -> Handle:
    """Announce another length than the body has."""
    return sending(render(body, content_length=length))


BOTS = [
    Bot("long body", sending(OK + b"Content-Length: %d\r\n\r\n" % (LONG << 20), [MB] * LONG), "too_long", True),
    Bot("long body of no known length", sending(OK + b"\r\n", [MB] * LONG), "too_long", True),
    Bot("endless body", sending(OK + b"\r\n", Endless(MB)), "too_long", True),
    Bot("endless chunks", sending(CHUNKED, Endless(b"10000\r\n" + MB[:65536] + b"\r\n")), "too_long", True),
    Bot("endless chunks of one byte", sending(CHUNKED, Endless(b"1\r\nx\r\n" * 10000)), "too_long", True),
    Bot("endless chunk of size -1", sending(CHUNKED + b"-1\r\n", Endless(MB)), "too_long", True),
    Bot("endless trailer", sending(CHUNKED + b"0\r\n", Endless(b"A: b\r\n" * 1000)), "too_long"),
    Bot("endless 100-continue", sending(Endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)), "too_long"),
    Bot("endless headers", sending(OK, Endless(b"A: b\r\n" * 1000)), "not_http"),
    Bot("endless header", sending(OK, b"A: ", Endless(MB)), "not_http", True),
    Bot("endless status line", sending(Endless(MB)), "not_http", True),
    Bot("dripping status line", sending(drip(b"HTTP/1.1 200 OK ")), "timed_out"),
    Bot("dripping 100-continue", sending(drip(b"HTTP/1.1 100 Continue\r\n\r\n")), "timed_out"),
    Bot("dripping headers", sending(OK, drip(b"A: b\r\n")), "timed_out"),
    Bot("dripping body", sending(OK + b"\r\n", drip(b"success")), "timed_out"),
    Bot("dripping chunks", sending(CHUNKED, drip(b"1\r\nx\r\n")), "timed_out"),
    Bot("silence", stay_silent, "timed_out"),
    Bot("success before the request is read", answer_unasked, None),
    Bot("301 to itself", redirect("301 Moved Permanently"), "redirected"),
    Bot("302 to itself", redirect("302 Found"), "redirected"),
    Bot("308 to itself", redirect("308 Permanent Redirect"), "redirected"),
    Bot("204", sending(b"HTTP/1.1 204 No Content\r\n\r\n"), "wrong_status"),
    Bot("500", sending(render(b"success", "500 Internal Server Error")), "wrong_status"),
    Bot("garbage", sending(bytes(range(256)) * 8), "not_http"),
    Bot("greeting of another protocol", sending(b"220 mail.example ESMTP\r\n"), "not_http"),
    Bot("HTTP/0.9", sending(b"success"), "not_http"),
    Bot("HTTP/2", sending(b"HTTP/2 200 OK\r\n\r\n"), "not_http"),
    Bot("a status that is none", sending(b"HTTP/1.1 OK OK\r\n\r\nsuccess"), "not_http"),
    Bot("a status above all", sending(b"HTTP/1.1 20000 OK\r\n\r\nsuccess"), "not_http"),
    Bot("Content-Length of a terabyte", with_length(str(1 << 40)), "hung_up"),
    Bot("Content-Length beyond any memory", with_length("9" * 30), "not_http"),
    Bot("Content-Length beyond any number", with_length("9" * 5000), "not_http"),
    Bot("Content-Length below 0", with_length("-1"), "not_http"),
    Bot("Content-Length that is no number", with_length("NaN"), "not_http"),
    Bot("Content-Length that is empty", with_length(""), "not_http"),
    Bot("two Content-Lengths", with_length("7\r\nContent-Length: 8"), "not_http"),
    Bot("Content-Length too small", with_length("3"), "unreadable"),
    Bot("chunk size that is no number", sending(CHUNKED + b"zz\r\nsuccess\r\n0\r\n\r\n"), "not_http"),
    Bot("chunk size below 0", sending(CHUNKED + b"-7\r\nsuccess\r\n0\r\n\r\n"), "not_http"),
    Bot("chunk size beyond any memory", sending(CHUNKED + b"f" * 30 + b"\r\nsuccess\r\n"), "hung_up"),
    Bot("cut chunk", sending(CHUNKED + b"7\r\nsucc"), "hung_up"),
    Bot("cut between chunks", sending(CHUNKED + b"7\r\nsuccess\r\n"), "hung_up"),
    Bot("cut body", with_length("8"), "hung_up"),
    Bot("cut within the headers", sending(OK + b"Content-Ty"), "hung_up"),
    Bot("cut after the headers", sending(OK + b"Content-Length: 7\r\n\r\n"), "hung_up"),
    Bot("cut after the status line", sending(OK), "hung_up"),
    Bot("hangs up at once", hang_up, "hung_up"),
    Bot("hangs up after the request", sending(), "hung_up"),
    Bot("reset", reset, "hung_up"),
    Bot("gzip", sending(render(gzip.compress(b"success"), content_encoding="gzip")), "unreadable"),
    Bot("gzip bomb", sending(render(BOMB, content_encoding="gzip")), "unreadable", True),
    Bot(
        "deflate bomb",
        sending(render(zlib.compress(bytes(50 << 20), 1), content_encoding="deflate")),
        "unreadable",
        True,
    ),
    Bot(
        "gzip bomb in chunks",
        sending(GZIPPED, [b"10000\r\n" + BOMB[:65536] + b"\r\n"], b"0\r\n\r\n"),
        "unreadable",
        True,
    ),
    Bot("XML without end of its depth", sending(render(b"<xml>" + b"<a>" * 40_000)), "unreadable", True),
    Bot("XML of many elements", sending(render(b"<xml>" + b"<a><b/></a>" * 10_000 + b"</xml>")), "repeated", True),
    Bot("JSON of many members", sending(render(b'{"a": [' + b"{}," * 40_000 + b"1]}")), "wrong_format", True),
    Bot("deep JSON", sending(render(b'{"a":' * 20_000)), "unreadable", True),
    Bot("XML longer than any reply", sending(render(b"<xml>" + b"<a/>" * 200_000 + b"</xml>")), "too_long", True),
    Bot("HTTP/1.0", sending(b"HTTP/1.0 200 OK\r\n\r\nsuccess"), None),
    Bot("lines that end with LF", sending(b"HTTP/1.1 200 OK\nContent-Length: 7\n\nsuccess"), None),
]


# --- sockets that do not even accept ----------------------------------------------------------------------------------


@contextlib.contextmanager
def never_accept() -> Iterator[str]:
    """Let connections wait in the queue."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
