"""Claim and finish, as an endpoint does in its store for every push; the floor writes the same without a store."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.helpers.postgres_server import Postgres, run_postgres
from tests.helpers.redis_server import RedisServer, run_redis
from tests.stores.test_django import set_up
from wechat_msg import MemoryStore, SQLiteStore, open_push, render_reply
from wechat_msg.endpoint.lanes import LEASE
from wechat_msg.endpoint.records import Done, Run
from wechat_msg.stores.django import DjangoStore
from wechat_msg.stores.redis import AsyncRedisStore, RedisStore

from .jobs import SEALED, TEXT, Job, Side, make_push

KEEP = 300.0  # seconds
PUSH = open_push(SEALED, make_push(SEALED, "text 400 B"))
RUNNING = Run("0." + "0" * 16 + "." + "0" * 16).dump()
DONE = Done("0." + "0" * 16 + "." + "0" * 16, render_reply(SEALED, PUSH, TEXT * 4)).dump()


class Places:
    """Where stores can be; a server starts when it is first asked for, and is None if it is not installed."""

    def __init__(self, servers: contextlib.ExitStack, stack: contextlib.ExitStack) -> None:
        self.stack = stack  # closes what jobs have opened
        self._servers = servers
        self.folder = Path(servers.enter_context(tempfile.TemporaryDirectory(prefix="benchmark")))
        self.runner = servers.enter_context(asyncio.Runner())

    @functools.cached_property
    def redis(self) -> RedisServer | None:
        return self._start(run_redis)

    @functools.cached_property
    def postgres(self) -> Postgres | None:
        return self._start(run_postgres)

    def _start(self, run: Callable[[], Any]) -> Any:
        with contextlib.suppress(pytest.skip.Exception):
            return self._servers.enter_context(run())
        return None


@contextlib.contextmanager
def open_places() -> Iterator[Places]:
    """In the end, close what jobs have opened, and then stop the servers."""
    with contextlib.ExitStack() as servers, contextlib.ExitStack() as stack:
        yield Places(servers, stack)


def describe_places(places: Places) -> str:
    """Return what is measured with, and what is missing."""
    found = [f"SQLite {sqlite3.sqlite_version}"]
    if places.redis:
        found.append(f"Redis {places.redis.execute('INFO', 'server')['redis_version']}")
    else:
        found.append("without Redis, which is not installed")
    if places.postgres:
        with connect_postgres(places) as connection:
            found.append(f"PostgreSQL {connection.info.server_version // 10000}")
    else:
        found.append("without PostgreSQL, which is not installed")
    return ", ".join([*found, *(f"{name} {version(name)}" for name in ("redis", "django", "psycopg"))])


def store_jobs(places: Places) -> Iterator[Job]:
    """Make the jobs for the servers that there are."""
    yield store_job("MemoryStore", MemoryStore(), partial(write_to_dict, {}))
    yield sqlite_job(places)
    if places.redis:
        yield redis_job(places)
        yield async_redis_job(places)
    yield from django_jobs(places)


def store_job(case: str, store: Any, floor: Side, runner: asyncio.Runner | None = None) -> Job:
    return Job(
        name="claim + finish",
        case=case,
        expected=("True", "True"),
        ours=partial(claim_and_finish_async if runner else claim_and_finish, store),
        floor=floor,
        timer=time.perf_counter,  # a server's time counts, too
        runner=runner,
    )


def make_key() -> str:
    return os.urandom(32).hex()


def claim_and_finish(store: Any) -> tuple[bool, bool]:
    key = make_key()
    claimed = store.compare_and_set(key, None, RUNNING, LEASE)
    return claimed, store.compare_and_set(key, RUNNING, DONE, KEEP)


async def claim_and_finish_async(store: Any) -> tuple[bool, bool]:
    key = make_key()
    claimed = await store.compare_and_set(key, None, RUNNING, LEASE)
    return claimed, await store.compare_and_set(key, RUNNING, DONE, KEEP)


def write_to_dict(entries: dict[str, bytes]) -> tuple[bool, bool]:
    key = make_key()
    entries[key] = RUNNING
    entries[key] = DONE
    return True, entries.pop(key) is DONE


# --- SQL -------------------------------------------------------------------------------------------------------------


def sqlite_job(places: Places) -> Job:
    open_sqlite(places, "floor.db").get("key")  # makes the table
    connection = connect_sqlite(places, "floor.db")
    connection.execute("PRAGMA synchronous=NORMAL")  # the file itself knows that it is in WAL mode
    floor = bare_sql(connection, "wechat_msg_store", "key", "?", time.time)
    return store_job("SQLiteStore", open_sqlite(places, "store.db"), floor)


def open_sqlite(places: Places, name: str) -> SQLiteStore:
    return places.stack.enter_context(SQLiteStore(places.folder / name))


def django_jobs(places: Places) -> Iterator[Job]:
    """Make a job for each database, and one for connections that are kept, which is not Django's default."""
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(places.folder / "django.db")}}
    if places.postgres:
        databases |= {"new": places.postgres.settings, "kept": {**places.postgres.settings, "CONN_MAX_AGE": None}}
    set_up(databases)
    from django.core.management import call_command
    from django.db import connections

    places.stack.callback(connections.close_all)
    call_command("migrate", verbosity=0)
    connections["default"].close()  # what is open, the store leaves open
    yield store_job("DjangoStore, SQLite", DjangoStore(), bare_django_sqlite(places))
    if places.postgres:
        call_command("migrate", database="new", verbosity=0)
        connections["new"].close()  # what is open, the store leaves open
        floor = bare_postgres(places)
        yield store_job("DjangoStore, PostgreSQL, CONN_MAX_AGE=0", DjangoStore("new"), floor)
        yield store_job("DjangoStore, PostgreSQL, CONN_MAX_AGE=None", DjangoStore("kept"), floor)


def bare_django_sqlite(places: Places) -> Side:
    shutil.copy(places.folder / "django.db", places.folder / "django-floor.db")
    connection = connect_sqlite(places, "django-floor.db")
    return bare_sql(connection, "wechat_msg_entry", "digest", "?", lambda: datetime.now(UTC).isoformat(" "))


def bare_postgres(places: Places) -> Side:
    connection = places.stack.enter_context(connect_postgres(places))
    return bare_sql(connection, "wechat_msg_entry", "digest", "%s", lambda: datetime.now(UTC))


def connect_postgres(places: Places) -> psycopg.Connection[Any]:
    settings = places.postgres.settings
    return psycopg.connect(dbname=settings["NAME"], user=settings["USER"], host=settings["HOST"], autocommit=True)


def connect_sqlite(places: Places, name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(places.folder / name, isolation_level=None)
    return places.stack.enter_context(contextlib.closing(connection))


def bare_sql(connection: Any, table: str, key_column: str, mark: str, now: Callable[[], object]) -> Side:
    insert = f"INSERT INTO {table} ({key_column}, value, expires) VALUES ({mark}, {mark}, {mark})"
    update = f"UPDATE {table} SET value = {mark}, expires = {mark} WHERE {key_column} = {mark}"

    def write() -> tuple[bool, bool]:
        key = make_key()
        claimed = connection.execute(insert, (key, RUNNING, now()))
        finished = connection.execute(update, (DONE, now(), key))
        return claimed.rowcount == 1, finished.rowcount == 1

    return write


# --- Redis -----------------------------------------------------------------------------------------------------------


def redis_job(places: Places) -> Job:
    connection = places.stack.enter_context(socket.create_connection(("127.0.0.1", places.redis.port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write() -> tuple[bool, bool]:
        claim, finish = make_commands()
        connection.sendall(claim)
        claimed = connection.recv(64)
        connection.sendall(finish)
        return claimed == b"+OK\r\n", connection.recv(64) == b"+OK\r\n"

    return store_job("RedisStore", open_redis(places), write)


def async_redis_job(places: Places) -> Job:
    reader, writer = places.runner.run(asyncio.open_connection("127.0.0.1", places.redis.port))
    places.stack.callback(writer.close)

    async def write() -> tuple[bool, bool]:
        claim, finish = make_commands()
        writer.write(claim)
        claimed = await reader.readline()
        writer.write(finish)
        return claimed == b"+OK\r\n", await reader.readline() == b"+OK\r\n"

    return store_job("AsyncRedisStore", open_async_redis(places), write, places.runner)


def open_redis(places: Places, prefix: str = "") -> RedisStore:
    store = RedisStore(redis.Redis.from_url(places.redis.url), prefix=prefix)
    places.stack.callback(store.close)
    return store


def open_async_redis(places: Places, prefix: str = "") -> AsyncRedisStore:
    store = AsyncRedisStore(redis.asyncio.Redis.from_url(places.redis.url), prefix=prefix)
    places.stack.callback(lambda: places.runner.run(store.aclose()))
    return store


def make_commands() -> tuple[bytes, bytes]:
    """Return two commands that claim and finish a key, but look at nothing."""
    key = make_key().encode()
    return (
        make_command(b"SET", key, RUNNING, b"NX", b"PX", b"2500"),
        make_command(b"SET", key, DONE, b"XX", b"PX", b"300000"),
    )


def make_command(*parts: bytes) -> bytes:
    return b"*%d\r\n%b" % (len(parts), b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
