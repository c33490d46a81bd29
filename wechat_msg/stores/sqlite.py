"""SQLiteStore: for the processes of one machine, without a server."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Self

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg._validators import Validators, is_seconds
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
#: After this many writes, up to twice as many expired entries are deleted, so that they never accumulate.
_PURGE_EVERY = 64
_random = random.SystemRandom()  # that of the application may be seeded

_WHAT = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_PROTOCOL: "is locked by another process",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened or created; does its folder exist, and is it writable?",
    sqlite3.SQLITE_PERM: "cannot be opened: permission denied",
    sqlite3.SQLITE_READONLY: "cannot be written to: it, or its folder, is read-only",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: I/O error, or the disk is full",
    sqlite3.SQLITE_NOTADB: "is not a SQLite file",
    sqlite3.SQLITE_CORRUPT: "is damaged",
}

_Parameters = tuple[str | bytes | float, ...]


def _is_path(path: object) -> bool:
    name = os.fspath(path) if isinstance(path, os.PathLike) else path
    return isinstance(name, str) and name not in ("", ":memory:") and "\0" not in name


_check = Validators(SettingsError)


@define(slots=False, eq=False, repr=False)
class SQLiteStore:
    """A store in a SQLite file, for all threads and processes of one machine; needs only Python.

    The file is opened at the first use. Expired entries are deleted when new ones are written, so the file does not
    grow forever. If the file is deleted or replaced while it is in use, all processes change to the new one. It must
    be on a local disk: network file systems do not lock as SQLite requires. Two more files, ``-wal`` and ``-shm``,
    are next to it.

    Args:
        path: The file; it is created if it does not exist, but its folder is not.
        timeout: Seconds to wait while other processes hold a lock on the file.
        clock: Seconds since the epoch, the same for all processes; a parameter for tests.

    Raises:
        SettingsError: *path* is empty or ``":memory:"`` (use `MemoryStore`), or *timeout* is not a number from 0.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, SQLiteStore(f"{folder}/store.db") as store:
        ...     store.compare_and_set("key", None, b"value", ttl=60)
        ...     store.get("key")
        True
        b'value'
    """

    _path: str | os.PathLike[str] = field(
        alias="path", validator=_check(_is_path, "the path of a file; for a store in memory use MemoryStore")
    )
    _timeout: float = field(
        default=1.0,
        alias="timeout",
        kw_only=True,
        validator=_check(partial(is_seconds, or_zero=True), "seconds, 0 or more"),
    )
    _clock: Callable[[], float] = field(default=time.time, alias="clock", kw_only=True)
    _pool: Pool = field(init=False)
    #: Starts at a random number, as some processes do not write often enough to reach the next multiple.
    _writes: Iterator[int] = field(factory=lambda: itertools.count(_random.randrange(_PURGE_EVERY)), init=False)

    def __attrs_post_init__(self) -> None:
        # Absolute, as servers change their directory when they become daemons.
        self._pool = Pool(Path(self._path).absolute())
        # Python warns about connections that are not closed.
        weakref.finalize(self, self._pool.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are not in use; the store can still be used, and opens new ones."""
        self._pool.close()

    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        rows, _ = self._execute(_GET, (key, self._clock()))
        if not rows:
            return None
        (value,) = rows[0]
        if not isinstance(value, bytes):
            raise StoreError(f"{self._pool} holds a value that this package did not write")
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
        if self._pool.is_log_too_long():
            # Clean-up must neither delay nor fail the caller's write.
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
        """Execute a statement; return its rows, and the number of rows that it changed."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while True:
            try:
                with self._pool.connection() as connection:
                    cursor = connection.execute(statement, parameters)
                    return cursor.fetchall(), cursor.rowcount
            except (sqlite3.Error, OSError, UnicodeError) as error:
                if not _is_temporary(error) or time.monotonic() >= deadline:
                    raise StoreError(f"{self._pool} {_describe(error)}") from None
            # SQLite itself would sleep up to 100 ms at a time, and could miss the lock again and again.
            time.sleep(_random.uniform(0.0002, 0.002))


def _is_temporary(error: Exception) -> bool:
    """Tell whether another try may succeed soon."""
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
