"""SQLiteStore: for the processes of one machine, without any server."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from wechat_msg.errors import SettingsError, StoreError
from wechat_msg.stores._sqlite_pool import Pool, get_code, is_locked

__all__ = ["SQLiteStore"]

_GET = "SELECT value FROM wechat_msg_store WHERE key = ? AND expires > ?"
_CLAIM = (
    "INSERT INTO wechat_msg_store (key, value, expires) VALUES (?, ?, ?) ON CONFLICT (key)"
    " DO UPDATE SET value = excluded.value, expires = excluded.expires WHERE wechat_msg_store.expires <= ?"
)
_REPLACE = "UPDATE wechat_msg_store SET value = ?, expires = ? WHERE key = ? AND value = ? AND expires > ?"
_DELETE = "DELETE FROM wechat_msg_store WHERE key = ? AND value = ? AND expires > ?"
_PURGE = (
    "DELETE FROM wechat_msg_store WHERE key IN"
    " (SELECT key FROM wechat_msg_store WHERE expires <= ? ORDER BY expires LIMIT ?)"
)
#: After so many writes up to twice as many expired entries are deleted, so that they can never pile up.
_PURGE_EVERY = 64

_WHAT = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_PROTOCOL: "is locked by another process",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened or made; is its folder there, and writable?",
    sqlite3.SQLITE_PERM: "must not be opened",
    sqlite3.SQLITE_READONLY: "cannot be written to: it, or its folder, is read-only",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: I/O error, or the disk is full",
    sqlite3.SQLITE_NOTADB: "is not a SQLite file",
    sqlite3.SQLITE_CORRUPT: "is damaged",
}

_Parameters = tuple[str | bytes | float, ...]


class SQLiteStore:
    """A store in a SQLite file, for all threads and processes of one machine; needs nothing but Python.

    Nothing is opened before the first use. Expired entries are deleted as new ones are written, so the file does not
    grow for ever. If the file is deleted or replaced while it is in use, all processes go over to the new one. It must
    lie on a disk of the machine itself: network file systems do not lock as SQLite needs it. Two more files, ``-wal``
    and ``-shm``, lie next to it.

    Args:
        path: The file; it is made if there is none, its folder is not.
        timeout: Seconds to wait while other processes keep the file locked.
        clock: Seconds since the epoch, the same for all processes; a parameter for tests.

    Raises:
        SettingsError: *path* is empty or ``":memory:"`` (`MemoryStore` is for that), or *timeout* is less than 0.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, SQLiteStore(f"{folder}/store.db") as store:
        ...     store.compare_and_set("key", None, b"value", ttl=60)
        ...     store.get("key")
        True
        b'value'
    """

    def __init__(
        self, path: str | os.PathLike[str], *, timeout: float = 1.0, clock: Callable[[], float] = time.time
    ) -> None:
        name = os.fspath(path) if isinstance(path, os.PathLike) else path
        if not isinstance(name, str) or name in ("", ":memory:") or "\0" in name:
            raise SettingsError("SQLiteStore needs the path of a file; for a store in memory take MemoryStore")
        if not isinstance(timeout, (int, float)) or not timeout >= 0:
            raise SettingsError("timeout is at least 0")
        self._clock = clock
        self._timeout = timeout
        # From any number on, as there are processes that never write often enough to come to the next multiple.
        self._writes = itertools.count(random.randrange(_PURGE_EVERY))
        # Absolute, as servers change their directory when they become daemons.
        self._pool = Pool(Path(name).absolute())
        # Python warns of connections that are thrown away open.
        weakref.finalize(self, self._pool.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are not in use just now; the store can still be used, and opens new ones."""
        self._pool.close()

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        rows, _ = self._execute(_GET, (key, self._clock()))
        if not rows:
            return None
        (value,) = rows[0]
        if not isinstance(value, bytes):
            raise StoreError(f"{self._pool} holds a value that is not of this store")
        return value

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        now = self._clock()
        if value is None:
            return self.get(key) is None if expected is None else self._write(_DELETE, (key, expected, now))
        if expected is None:
            return self._write(_CLAIM, (key, value, now + ttl, now))
        return self._write(_REPLACE, (value, now + ttl, key, expected, now))

    def _write(self, statement: str, parameters: _Parameters) -> bool:
        # Neither must make the caller's write fail.
        with contextlib.suppress(sqlite3.Error, OSError):
            self._pool.limit_log()
        _, changed = self._execute(statement, parameters)
        if changed and not next(self._writes) % _PURGE_EVERY:
            with contextlib.suppress(StoreError):
                self._execute(_PURGE, (self._clock(), 2 * _PURGE_EVERY), timeout=0.0)
        return changed == 1

    def _execute(
        self, statement: str, parameters: _Parameters, timeout: float | None = None
    ) -> tuple[list[tuple[object, ...]], int]:
        """Execute a statement; return its rows, and how many it has changed."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while True:
            try:
                with self._pool.connection() as connection:
                    cursor = connection.execute(statement, parameters)
                    return cursor.fetchall(), cursor.rowcount
            except (sqlite3.Error, OSError, UnicodeError) as error:
                if not _may_pass(error) or time.monotonic() >= deadline:
                    raise StoreError(f"{self._pool} {_describe(error)}") from None
            # SQLite's own way of waiting sleeps up to 100 ms at a time, and so can miss its turn again and again.
            time.sleep(random.uniform(0.0002, 0.002))


def _may_pass(error: Exception) -> bool:
    """Tell whether it may be otherwise in a moment."""
    return is_locked(error) or isinstance(error, BlockingIOError)


def _describe(error: Exception) -> str:
    if isinstance(error, BlockingIOError):
        return _WHAT[sqlite3.SQLITE_BUSY]
    if isinstance(error, UnicodeError):
        return "cannot hold this key: it is not ASCII"
    if isinstance(error, OSError):
        return f"{_WHAT[sqlite3.SQLITE_CANTOPEN]} ({type(error).__name__})"
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return f"{_WHAT.get(get_code(error), 'cannot be used')} ({name})"
