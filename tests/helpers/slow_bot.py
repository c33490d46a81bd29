"""The bot of `slow_app` in processes of its own, and a client that delivers pushes to it as WeChat does."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from tests.helpers.redis_server import run_redis
from tests.helpers.servers import TIMEOUT, Server, serve
from tests.helpers.slow_app import SETTINGS
from tests.helpers.waiting import wait_until
from wechat_msg import PushRequest
from wechat_msg.testing import build_push, open_reply

HANGS_UP = 5.0  # seconds
TRIES = 3


# --- WeChat's side ---------------------------------------------------------------------------------------------------


def deliver(port: int, path: str, request: PushRequest, timeout: float = HANGS_UP) -> bytes | None:
    """Deliver a push once; return the answer, None if there is none in time or it is not one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(connection):
        try:
            connection.request("POST", f"{path}?{urlencode(request.query)}", request.body)
            response = connection.getresponse()
            return response.read() if response.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None


def deliver_until_answered(port: int, path: str, fields: Mapping[str, Any], tries: int) -> tuple[int, str | None]:
    """Deliver as WeChat does; return the number of the try that was answered, and the text of the reply."""
    for number in range(1, tries + 1):
        answer = deliver(port, path, build_push(SETTINGS, fields))  # sealed again for every try
        if answer is not None:
            reply = open_reply(SETTINGS, answer)
            return number, reply and reply["Content"]
    return 0, None


def make_text(msg_id: int, seconds: float) -> dict[str, Any]:
    return {
        "MsgType": "text",
        "Content": str(seconds),
        "MsgId": msg_id,
        "CreateTime": 1700000000,
        "FromUserName": f"user{msg_id}",
    }


# --- the bot's side --------------------------------------------------------------------------------------------------


@frozen
class Entry:
    """A line of the diary."""

    what: str
    name: str
    pid: int
    time: float


class Bot:
    """A bot, which can be ended and started again with the store and the diary that it had.

    Attributes:
        server: The first of its processes.
        is_running: Whether it was started and not ended.
        acknowledged: When messages were answered without an error; for the client to fill in.

    Args:
        command: What Python is started with.
        environ: Variables of the environment; see `slow_app`.
        diary: The file of the diary.
    """

    server: Server
    is_running = False

    def __init__(self, command: tuple[str, ...], environ: Mapping[str, str], diary: Path) -> None:
        self.diary = diary
        self.acknowledged: dict[str, float] = {}
        self._command = command
        self._environ = {**environ, "DIARY": str(diary)}
        self._running = contextlib.ExitStack()
        self._logs = ""

    def start(self, **environ: str) -> None:
        """Start it, with further variables of the environment."""
        self.server = self._running.enter_context(serve(*self._command, environ={**self._environ, **environ}))
        self.is_running = True
        wait_until_accepting(self.server.port)

    def end(self, number: signal.Signals | None = None) -> None:
        """Send the first process a signal and wait until it has ended; by default, kill all processes at once."""
        if not self.is_running:
            return
        if number is not None:
            os.kill(self.server.pid, number)
            self.server.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.server.pid, signal.SIGKILL)
        self._logs += self.server.read_log()
        self.is_running = False
        self._running.close()

    def find_workers(self) -> list[int]:
        """Return the processes that answer requests."""
        master = self.server.pid
        with contextlib.suppress(FileNotFoundError):
            children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
            return [int(pid) for pid in children if read_command(pid) == read_command(master) or is_spawned(pid)]
        return []

    def read_log(self) -> str:
        """Return everything that its processes have printed so far."""
        return self._logs + (self.server.read_log() if self.is_running else "")

    def read_diary(self, *whats: str) -> list[Entry]:
        lines = self.diary.read_text().splitlines() if self.diary.exists() else []
        entries = [line.split() for line in lines]
        return [Entry(w, name, int(pid), float(when)) for w, name, pid, when in entries if w in whats]

    def count_runs(self) -> Counter[str]:
        return Counter(entry.name for entry in self.read_diary("start"))


def read_command(pid: int | str) -> bytes:
    """Return what a process was started with; workers are forks, the shell that looks after the server is not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def is_spawned(pid: int | str) -> bool:
    """Return whether a process is a worker of uvicorn."""
    return b"spawn_main" in read_command(pid)


@contextlib.contextmanager
def start_bot(command: tuple[str, ...], store: str, folder: Path, **environ: str) -> Iterator[Bot]:
    """Start a bot with a store of its own: "redis", "sqlite", or a value for STORE."""
    with contextlib.ExitStack() as stack:
        if store == "redis":
            store = stack.enter_context(run_redis()).url
        bot = Bot(
            command, {"STORE": str(folder / "store.db") if store == "sqlite" else store, **environ}, folder / "diary"
        )
        bot.start()
        stack.callback(bot.end)
        yield bot


def wait_until_accepting(port: int) -> None:
    """Wait for the workers: uvicorn tells its address before they listen there."""

    def accepts() -> bool:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), TIMEOUT):
            return True
        return False

    wait_until(accepts)


class Killer(threading.Thread):
    """A thread that kills a random worker of a bot every so many seconds, and records which and when.

    Args:
        bot: The bot.
        every: Seconds.
        spares: Returns whether a worker must not be killed now.
    """

    def __init__(self, bot: Bot, every: float, spares: Callable[[int], bool] = lambda pid: False) -> None:
        super().__init__(daemon=True)
        self.bot = bot
        self.every = every
        self.spares = spares
        self.killed: dict[int, float] = {}
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.wait(self.every):
            alive = [pid for pid in self.bot.find_workers() if pid not in self.killed and not self.spares(pid)]
            if alive:
                victim = random.choice(alive)
                self.killed[victim] = time.time()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()
