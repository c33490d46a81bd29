"""Pushes while a real store is down are answered in time, as ``on_store_error`` says, and it is logged once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest
import redis

from tests.helpers.redis_server import run_redis
from tests.helpers.servers import TIMEOUT
from wechat_msg import AsyncPushEndpoint, PushEndpoint, PushSettings, SQLiteStore
from wechat_msg.stores.redis import AsyncRedisStore, RedisStore
from wechat_msg.testing import build_push, open_reply

SETTINGS = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
IN_TIME = 4.5  # seconds
NOBODY = 65534


# --- Redis -----------------------------------------------------------------------------------------------------------


class OnRedis:
    """A private Redis, and the ways in which it fails."""

    def __init__(self, *options):
        self._options = options

    def __enter__(self):
        self._running = run_redis(*self._options)
        self.server = self._running.__enter__()
        return self

    def __exit__(self, *error):
        self._running.__exit__(*error)

    def make_store(self, colour):
        if colour == "async":
            return AsyncRedisStore(redis.asyncio.Redis.from_url(self.server.url))
        return RedisStore(redis.Redis.from_url(self.server.url))

    @contextlib.contextmanager
    def killed(self):
        self.server.kill()
        yield
        self.server.start()

    @contextlib.contextmanager
    def frozen(self):
        self.server.freeze()
        yield
        self.server.thaw()

    @contextlib.contextmanager
    def out_of_memory(self):
        self.server.execute("CONFIG", "SET", "maxmemory", "1")
        yield
        self.server.execute("CONFIG", "SET", "maxmemory", "0")

    @contextlib.contextmanager
    def answering_with_garbage(self):
        self.server.kill()
        with socket.create_server(("127.0.0.1", self.server.port)) as listener:
            threading.Thread(target=self._babble, args=(listener,), daemon=True).start()
            yield
            listener.shutdown(socket.SHUT_RDWR)
        self.server.start()

    def _babble(self, listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(1 << 16)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


# --- SQLite ----------------------------------------------------------------------------------------------------------


class OnSQLite:
    """A file in a folder of its own, and the ways in which it fails."""

    def __init__(self, folder):
        self.folder = folder / "store"
        self.path = self.folder / "store.db"

    def __enter__(self):
        self.folder.mkdir()
        return self

    def __exit__(self, *error):
        pass

    def make_store(self, _):
        return SQLiteStore(self.path)

    @contextlib.contextmanager
    def read_only(self):
        files = [*self.folder.iterdir(), self.folder]
        modes = [path.stat().st_mode for path in files]
        for path in files:
            path.chmod(0o555)
        with as_unprivileged_user():
            yield
        for path, mode in zip(files, modes, strict=True):
            path.chmod(mode)

    @contextlib.contextmanager
    def gone_with_its_folder(self):
        shutil.rmtree(self.folder)
        yield
        self.folder.mkdir()

    @contextlib.contextmanager
    def replaced_by_garbage(self):
        for path in self.folder.iterdir():  # SQLite could repair the file from the -wal file
            path.unlink()
        self.path.write_bytes(b"garbage, not a database " * 1000)
        yield
        self.path.unlink()

    @contextlib.contextmanager
    def locked_by_another_process(self):
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('BEGIN IMMEDIATE'); print('locked'); input()"
        command = [sys.executable, "-u", "-c", code, self.path]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "locked\n"
            yield
            process.communicate("\n", timeout=TIMEOUT)

    @contextlib.contextmanager
    def on_a_full_disk(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def as_unprivileged_user():
    """Run as the user nobody: file modes do not apply to root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


FAULTS = [
    ("redis", "killed"),
    ("redis", "frozen"),
    ("redis", "out_of_memory"),
    ("redis", "answering_with_garbage"),
    ("sqlite", "read_only"),
    ("sqlite", "gone_with_its_folder"),
    ("sqlite", "replaced_by_garbage"),
    ("sqlite", "locked_by_another_process"),
    ("sqlite", "on_a_full_disk"),
]


# --- the endpoint ----------------------------------------------------------------------------------------------------


class Bot:
    """An endpoint of either colour, its handler, and the runs of it."""

    def __init__(self, colour, store, **options):
        self.runs = []
        self.while_running = None
        if colour == "async":
            self._loop = asyncio.new_event_loop()
            endpoint = AsyncPushEndpoint(SETTINGS, self._answer_async, store=store, **options)
            self.handle = lambda request: self._loop.run_until_complete(endpoint.handle(request))
        else:
            self._loop = None
            self.handle = PushEndpoint(SETTINGS, self._answer, store=store, **options).handle

    def close(self):
        if self._loop:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def _answer(self, message):
        self.runs.append(message.msg_id)
        if self.while_running:
            self.while_running()
        return f"reply to {message.msg_id}"

    async def _answer_async(self, message):
        return self._answer(message)

    def send(self, msg_id):
        """Deliver a message; return the status, the text of the reply, and the seconds it took."""
        start = time.monotonic()
        fields = {"MsgType": "text", "Content": "hi", "MsgId": msg_id, "CreateTime": 1700000000}
        response = self.handle(build_push(SETTINGS, fields))
        reply = open_reply(SETTINGS, response) if response.status == 200 else None
        return response.status, reply and reply["Content"], time.monotonic() - start


@pytest.fixture(params=["sync", "async"])
def colour(request):
    return request.param


@pytest.fixture(params=FAULTS, ids=" ".join)
def backend(request, tmp_path):
    kind, fault = request.param
    with OnRedis() if kind == "redis" else OnSQLite(tmp_path) as backend:
        backend.broken = getattr(backend, fault)
        yield backend


@pytest.fixture
def start(colour, backend):
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            contextlib.closing(Bot(colour, backend.make_store(colour), **options))
        )


class TestStoreThatFails:
    @pytest.mark.parametrize("rule", ["handle", "refuse"])
    def test_leaves_pushes_to_the_rule_in_time_and_is_logged_once(self, start, backend, caplog, rule):
        bot = start(on_store_error=rule)
        assert bot.send(1)[:2] == (200, "reply to 1")

        with backend.broken():
            answers = [bot.send(msg_id) for msg_id in (2, 3)]

        expected = [(200, "reply to 2"), (200, "reply to 3")] if rule == "handle" else [(503, None)] * 2
        assert [answer[:2] for answer in answers] == expected
        assert max(seconds for *_, seconds in answers) < IN_TIME
        assert bot.runs == (["1", "2", "3"] if rule == "handle" else ["1"])
        said = [record for record in caplog.records if record.name == "wechat_msg"]
        assert [record.levelname for record in said] == ["ERROR"]
        assert "deduplication is degraded" in said[0].getMessage()

    def test_deduplicates_again_when_it_is_well(self, start, backend):
        bot = start()
        with backend.broken():
            bot.send(1)

        assert [bot.send(2)[:2] for _ in range(3)] == [(200, "reply to 2")] * 3
        assert bot.runs == ["1", "2"]

    def test_in_the_middle_of_a_message_does_not_cost_its_reply(self, start, backend):
        bot = start()
        bot.send(1)
        with contextlib.ExitStack() as stack:
            bot.while_running = lambda: stack.enter_context(backend.broken())
            status, reply, seconds = bot.send(2)

        assert (status, reply) == (200, "reply to 2")
        assert seconds < IN_TIME
        assert bot.runs == ["1", "2"]
