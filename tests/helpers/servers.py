"""Real servers in processes of their own, and a client that sends exactly what it is told."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol
from urllib.parse import urlencode

import pytest
from attrs import define, frozen

from wechat_msg import PushRequest

ROOT = Path(__file__).parents[2]
TIMEOUT = 60.0  # seconds after which a test gives up waiting, long enough for a busy machine

GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:0", "--threads", "4", "--no-control-socket")
UVICORN = ("-m", "uvicorn", "--host", "127.0.0.1", "--port", "0")

_ADDRESS = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]*)")


def need(program: str) -> str:
    """Return where *program* is; see `do_without`."""
    return shutil.which(program) or do_without(program)


def do_without(program: str) -> NoReturn:
    """Skip a test whose *program* is not installed; in CI, fail."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{program} is not installed")


# --- servers ---------------------------------------------------------------------------------------------------------


class Process(Protocol):
    """What runs a program, as far as `Program` has to know."""

    pid: int

    def wait(self, timeout: float) -> object: ...
    def poll(self) -> int | None: ...


@frozen
class Program:
    """A program that runs."""

    _process: Process
    _output: BinaryIO

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self) -> None:
        """Wait until the program has ended."""
        self._process.wait(TIMEOUT)

    def read_log(self) -> str:
        """Return everything that the program has printed so far."""
        return _read(self._output)

    def wait_for_port(self) -> int:
        """Return the port of the address that the program prints."""
        deadline = time.monotonic() + TIMEOUT
        while not (address := _ADDRESS.search(self.read_log())):
            assert self._process.poll() is None, f"ended:\n{self.read_log()}"
            assert time.monotonic() < deadline, f"tells no address:\n{self.read_log()}"
            time.sleep(0.01)
        return int(address[1])


@frozen
class Server(Program):
    """A program that listens at `port` of 127.0.0.1."""

    port: int


@contextlib.contextmanager
def serve(*command: str, environ: Mapping[str, str] | None = None, folder: Path = ROOT) -> Iterator[Server]:
    """Start Python with *command* in *folder*, wait until it prints its address, and stop it at the end.

    The program listens on port 0, so it gets a free port, and no two programs want the same.
    """
    with _start(command, environ, folder) as (process, output):
        yield Server(process, output, Program(process, output).wait_for_port())


@contextlib.contextmanager
def start(*command: str, environ: Mapping[str, str] | None = None, folder: Path = ROOT) -> Iterator[Program]:
    """Start Python with *command* in *folder*, and stop it at the end."""
    with _start(command, environ, folder) as (process, output):
        yield Program(process, output)


@contextlib.contextmanager
def _start(
    command: tuple[str, ...], environ: Mapping[str, str] | None, folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], BinaryIO]]:
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            ("sh", "-c", WATCHED, "sh", sys.executable, *command),
            cwd=folder,
            env=complete(environ),
            stdin=subprocess.PIPE,  # Popen closes it at the end
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        yield process, output


def run(
    *command: str, environ: Mapping[str, str] | None = None, folder: Path = ROOT, stdin: str = ""
) -> tuple[int, str]:
    """Run Python with *command* in *folder* to its end; return its exit status and what it printed."""
    done = subprocess.run(
        (sys.executable, *command),
        cwd=folder,
        env=complete(environ),
        input=stdin.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


#: Runs a program, and kills it with all its children when standard input ends, even if the tests were killed.
WATCHED = 'exec 3<&0; { read _ <&3; kill -KILL 0; } & exec "$@" </dev/null'


def complete(environ: Mapping[str, str] | None) -> dict[str, str]:
    """Return the environment of a program that listens on a free port of 127.0.0.1."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("WECHAT_", "DJANGO_"))}
    return {**inherited, "PYTHONUNBUFFERED": "1", "HOST": "127.0.0.1", "PORT": "0", **(environ or {})}


def _read(output: BinaryIO) -> str:
    # Unlike seek and read, pread does not move the position at which the program writes.
    return os.pread(output.fileno(), 1 << 22, 0).decode(errors="replace")


# --- client ----------------------------------------------------------------------------------------------------------


@frozen
class Response:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@define
class Client:
    """A kept-alive connection to a server; it sends bytes as given, without checks."""

    port: int
    _socket: socket.socket | None = None

    def push(self, path: str, request: PushRequest, headers: Mapping[str, str] | None = None) -> Response:
        """Send a push made by `build_push`."""
        return self.send(
            request.method,
            f"{path}?{urlencode(request.query)}",
            request.body,
            {"Content-Type": request.content_type, **(headers or {})},
        )

    def send(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
        """Send a request with a true Content-Length and return the answer."""
        response = self.send_raw(render_request(method, target, body, headers), method)
        assert response is not None, "the server closed the connection without an answer"
        return response

    def send_raw(self, request: bytes, method: str = "POST", *, end: bool = False) -> Response | None:
        """Send these bytes and return the answer; None if the server closed the connection instead.

        Args:
            request: Head and body, valid or not.
            method: Decides whether the answer has a body.
            end: Close the sending side, but read the answer.
        """
        was_kept = self._socket is not None
        connection = self._connect()
        response = http.client.HTTPResponse(connection, method=method)
        try:
            with contextlib.suppress(ConnectionError):  # it may have answered before it had read everything
                connection.sendall(request)
                if end:
                    connection.shutdown(socket.SHUT_WR)
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            answer = Response(response.status, headers, response.read())
        except (ConnectionError, http.client.HTTPException):
            self.close()
            # The server may have closed a kept connection after the last answer.
            return self.send_raw(request, method, end=end) if was_kept else None
        if response.will_close or end:
            self.close()
        return answer

    def send_until_closed(self, request: bytes) -> list[int]:
        """Send these bytes and return the status of every answer that comes before the server closes the connection."""
        self.close()
        connection = self._connect()
        answers = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
            while data := connection.recv(1 << 16):
                answers += data
        self.close()
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)]

    def hang_up(self, request: bytes, *, reset: bool = False) -> None:
        """Send these bytes and close the connection at once, normally or with a reset."""
        self.close()
        connection = self._connect()
        connection.sendall(request)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        return self._socket


def render_request(method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Write a request; *headers* may contradict the body."""
    head = {"Host": "localhost", "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items() if value), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body
