"""SQLiteStore: for the processes of one machine, without any server."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from wechat_msg.errors import SettingsError, StoreError

if sys.platform != "win32":
    import fcntl

__all__ = ["SQLiteStore"]

# Every statement is a transaction of its own, as no other is ever begun.
_SETUP = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    # With row ids, as without them every value of more than a kilobyte would take a page of its own.
    "CREATE TABLE IF NOT EXISTS wechat_msg_store (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS wechat_msg_store_expires ON wechat_msg_store (expires)",
)
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
#: SQLite begins the -wal file anew, at about 4 MB, when nobody reads or writes just then. Where that never happens, it
#: is emptied while the others wait, for some milliseconds.
_MAX_LOG = 16_000_000
_EMPTY_LOG = "PRAGMA busy_timeout = 50; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout = 0"
_MAX_IDLE = 16

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
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)

_Parameters = tuple[str | bytes | float, ...]
_Identity = tuple[int, int]


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
        self._pool = _Pool(Path(name).absolute())
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
        _, changed = self._execute(statement, parameters)
        if changed and not next(self._writes) % _PURGE_EVERY:
            self._tidy_up()
        return changed == 1

    def _tidy_up(self) -> None:
        # What the caller wanted is done by now: he shall not wait for a lock, nor see an error, because of this.
        with contextlib.suppress(StoreError):
            self._execute(_PURGE, (self._clock(), 2 * _PURGE_EVERY), timeout=0.0)
        with contextlib.suppress(sqlite3.Error, OSError):
            self._pool.limit_log()

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


class _Connection(sqlite3.Connection):
    #: Which file it is, whatever lies at its path by now.
    identity: _Identity | None = None


class _Pool:
    """Connections to one file that are not in use.

    SQLite forbids to carry connections over a fork, be it to use or to close them: the locks of a process are its own,
    but what SQLite remembers of them is inherited. So there are none while a process forks, see `_Forks`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = os.getpid()
        self._idle: list[_Connection] = []  # pop and append are atomic
        self._in_use: set[object] = set()
        _forks.add(self)

    def __str__(self) -> str:
        return f"SQLite file {str(self._path)!r}"

    @contextlib.contextmanager
    def connection(self) -> Iterator[_Connection]:
        """Lend a connection; it is closed if anything goes wrong but that the file is locked."""
        ticket = object()
        with _forks.lock:
            self._forget_inherited()
            self._in_use.add(ticket)
        try:
            connection = self._take()
            is_good = False
            try:
                yield connection
                is_good = True
            except sqlite3.Error as error:
                is_good = _is_locked(error)
                raise
            finally:
                self._give_back(connection, is_good=is_good)
        finally:
            self._in_use.discard(ticket)

    def limit_log(self) -> None:
        """Empty the -wal file if it has become far too long."""
        if self._path.with_name(f"{self._path.name}-wal").stat().st_size > _MAX_LOG:
            with self.connection() as connection:
                connection.executescript(_EMPTY_LOG)

    def close(self) -> None:
        """Close what is not in use."""
        while self._process == os.getpid() and (connection := self._pop()):
            connection.close()

    def come_to_rest(self, deadline: float) -> None:
        """Wait until nothing is in use, and close everything; connections taken meanwhile are the caller's fault."""
        while self._in_use and time.monotonic() < deadline:
            time.sleep(0.0005)
        self.close()

    def _forget_inherited(self) -> None:
        """Leave the parent's connections alone, where a fork was made behind Python's back, as uWSGI does."""
        if self._process != os.getpid():
            _inherited.extend(self._idle)
            self._process, self._idle, self._in_use = os.getpid(), [], set()

    def _take(self) -> _Connection:
        identity = self._identify()
        while connection := self._pop():
            if connection.identity == identity:
                return connection
            connection.close()
        with _one_at_a_time(self._path.parent):
            return self._open()

    def _pop(self) -> _Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _give_back(self, connection: _Connection, *, is_good: bool) -> None:
        if is_good and len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def _open(self) -> _Connection:
        if self._identify() is None:
            # They belong to a file that was deleted; SQLite would take them for those of the new one.
            for suffix in ("-wal", "-shm"):
                self._path.with_name(f"{self._path.name}{suffix}").unlink(missing_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=0.0, isolation_level=None, check_same_thread=False, factory=_Connection
        )
        try:
            for statement in _SETUP:
                connection.execute(statement).close()
            connection.identity = self._identify()
        except BaseException:
            connection.close()
            raise
        return connection

    def _identify(self) -> _Identity | None:
        """Tell which file lies at the path; None: there is none."""
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino


class _Forks:
    """Lets a process fork only while no pool has anything open or is about to open it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # held for moments, and while the process forks
        self._pools: weakref.WeakSet[_Pool] = weakref.WeakSet()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before, after_in_parent=self._after, after_in_child=self._after_in_child)

    def add(self, pool: _Pool) -> None:
        with self.lock:
            self._pools.add(pool)

    def _before(self) -> None:
        self.lock.acquire()
        deadline = time.monotonic() + 1.0
        for pool in self._pools:
            pool.come_to_rest(deadline)

    def _after(self) -> None:
        self.lock.release()

    def _after_in_child(self) -> None:
        # Not released: whoever forks behind Python's back has not acquired it, or another thread has.
        self.lock = threading.RLock()


_forks = _Forks()
#: Connections of a parent process, kept so that nothing closes them.
_inherited: list[_Connection] = []


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold a lock on *folder*, so that of several processes, or threads, only one makes the file.

    Raises:
        BlockingIOError: Another one holds it.
    """
    with contextlib.ExitStack() as stack:
        try:
            if sys.platform != "win32":  # where open files cannot be deleted, so that there is nothing to agree upon
                descriptor = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass  # SQLite will say what is wrong with the folder, or get along with it
        yield


def _is_locked(error: Exception) -> bool:
    return _code(error) in _LOCKED


def _may_pass(error: Exception) -> bool:
    """Tell whether it may be otherwise in a moment."""
    return _is_locked(error) or isinstance(error, BlockingIOError)


def _code(error: Exception) -> int:
    # The lower byte is the kind of error, the others are details.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _describe(error: Exception) -> str:
    if isinstance(error, BlockingIOError):
        return _WHAT[sqlite3.SQLITE_BUSY]
    if isinstance(error, UnicodeError):
        return "cannot hold this key: it is not ASCII"
    if isinstance(error, OSError):
        return f"{_WHAT[sqlite3.SQLITE_CANTOPEN]} ({type(error).__name__})"
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return f"{_WHAT.get(_code(error), 'cannot be used')} ({name})"
