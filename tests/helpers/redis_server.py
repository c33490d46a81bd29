"""Private Redis servers that tests can stop, kill and freeze."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from tests.helpers.servers import TIMEOUT, WATCHED, need

#: Below those from which systems give programs a port when they ask for any: nobody gets one of these by chance.
_PORTS = range(20_000, 30_000)
_REDIS = ("sh", "-c", WATCHED, "sh", "redis-server", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")


class RedisServer:
    """A program that listens at `port` of 127.0.0.1, with no data on any disk; see `run_redis`."""

    def __init__(self, folder: str, options: tuple[str, ...], password: str | None) -> None:
        self.port = 0
        self.password = password
        self.unix_socket = f"{folder}/redis.sock"
        self._log = Path(folder, "log")
        self._options = (*options, *(("--requirepass", password) if password else ()))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"

    def execute(self, *command: str | int) -> object:
        """Execute a command on the server and return its answer."""
        with redis.Redis(unix_socket_path=self.unix_socket, password=self.password, socket_timeout=TIMEOUT) as client:
            return client.execute_command(*command)

    def start(self) -> None:
        """Start it, again at the port it had; its data are gone."""
        ports = [self.port] if self.port else random.sample(_PORTS, 20)
        for port in ports:
            if _is_free(port) and self._start(port):
                self.port = port
                return
        raise AssertionError(f"redis-server does not start:\n{self._log.read_text()}")

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process. The system keeps its connections and accepts new ones."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue the process."""
        self._send(signal.SIGCONT)

    def _start(self, port: int) -> bool:
        Path(self.unix_socket).unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                (*_REDIS, "--port", str(port), "--unixsocket", self.unix_socket, *self._options),
                cwd=self._log.parent,
                stdin=subprocess.PIPE,  # it ends when this end is closed, or when the tests end
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._wait(self._process)

    def _wait(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + TIMEOUT
        while process.poll() is None:
            assert time.monotonic() < deadline, f"redis-server does not answer:\n{self._log.read_text()}"
            # It creates this socket after it has the port, so no other server can be mistaken for it.
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
                client.connect(self.unix_socket)
                client.sendall(b"PING\r\n")
                if client.recv(64):  # may be an error, if it wants a password
                    return True
            time.sleep(0.005)
        self._end(signal.SIGKILL)
        return False

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with self._process as process:  # closes stdin, by which its watcher ends, too
            process.send_signal(number)
            if number == signal.SIGTERM:
                process.wait(TIMEOUT)
        self._process = None


@contextlib.contextmanager
def run_redis(*options: str, password: str | None = None) -> Iterator[RedisServer]:
    """Start a Redis server of one's own with *options*, as ``"--maxmemory", "2mb"``, and end it at the end."""
    need("redis-server")
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(folder, options, password)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
