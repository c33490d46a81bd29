"""Pool: the connections of a SQLiteStore, which are closed before a fork."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["Pool", "get_code", "is_locked"]

# Every statement is a transaction of its own.
_SETUP = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    # With row ids, as without them every value of more than a kilobyte takes a page of its own.
    "CREATE TABLE IF NOT EXISTS wechat_msg_store (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS wechat_msg_store_expires ON wechat_msg_store (expires)",
)
_RETRY_AFTER = 2.0  # seconds after a log could not be emptied: another program may read in one transaction for minutes
_EMPTY_LOG = "PRAGMA busy_timeout = 50; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout = 0"
_MAX_IDLE = 16
_random = random.SystemRandom()  # that of the application may be seeded
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)

_Identity = tuple[int, int]


class _Connection(sqlite3.Connection):
    #: Identifies the file that was opened, as another one may be at its path by now.
    identity: _Identity | None = None


class Pool:
    """The idle connections to one file.

    SQLite forbids using or closing a connection after a fork: locks belong to a process, but SQLite's records of them
    are inherited. So no connection is open while a process forks, see `_Forks`.

    SQLite restarts the -wal file, at about 4 MB, at a moment without readers and writers. A busy store has no such
    moment: there `limit_log` empties the file, while the writers wait for some milliseconds.

    Args:
        path: The file.
        max_log: The size in bytes at which the -wal file is emptied.
        empty_for: Seconds to try to empty it.
    """

    def __init__(self, path: Path, *, max_log: int = 16_000_000, empty_for: float = 0.3) -> None:
        self._path = path
        self._max_log = max_log
        self._empty_for = empty_for
        self._names = os.fspath(path), f"{path}-wal"  # stat takes them faster than paths
        self._process = os.getpid()
        self._idle: list[_Connection] = []  # pop and append are atomic
        self._in_use: set[object] = set()
        self._emptying = threading.Lock()
        self._retry_at = 0.0
        _forks.add(self)

    def __str__(self) -> str:
        return f"SQLite file {str(self._path)!r}"

    def connection(self) -> _Loan:
        """Lend a connection; it is closed after any error except that the file is locked."""
        return _Loan(self)

    def lend(self, loan: _Loan) -> _Connection:
        """Return a connection, which no fork closes before it is taken back."""
        with _forks.lock:
            self._abandon_inherited()
            self._in_use.add(loan)
        try:
            return self._acquire()
        except BaseException:
            self._in_use.discard(loan)
            raise

    def take_back(self, loan: _Loan, connection: _Connection, *, is_good: bool) -> None:
        """Take back a connection, which is closed if it is not *good*."""
        try:
            self._release(connection, is_good=is_good)
        finally:
            self._in_use.discard(loan)

    def limit_log(self) -> None:
        """Empty the -wal file if it is too long."""
        with self._emptying:
            deadline = time.monotonic() + self._empty_for
            while self.is_log_too_long():
                with self.connection() as connection:
                    connection.executescript(_EMPTY_LOG)
                if self.is_log_too_long() and time.monotonic() >= deadline:
                    self._retry_at = time.monotonic() + _RETRY_AFTER
                time.sleep(_random.uniform(0.001, 0.003))  # another process may be emptying it

    def is_log_too_long(self) -> bool:
        """Return whether to call `limit_log`; asked before every write, so that writers cannot outrun it."""
        try:
            size = os.stat(self._names[1]).st_size  # noqa: PTH116, called before every write
        except OSError:
            return False  # there is none, or the write will say what is wrong
        return size > self._max_log and time.monotonic() >= self._retry_at

    def close(self) -> None:
        """Close the idle connections."""
        while self._process == os.getpid() and (connection := self._pop()):
            connection.close()

    def drain(self, deadline: float) -> None:
        """Wait until no connection is in use, and close all; the caller must prevent that new ones are opened."""
        while self._in_use and time.monotonic() < deadline:
            time.sleep(0.0005)
        self.close()

    def _abandon_inherited(self) -> None:
        """Keep the parent's connections unused and unclosed after a fork that Python did not notice, as of uWSGI."""
        if self._process != os.getpid():
            _inherited.extend(self._idle)
            self._process, self._idle, self._in_use = os.getpid(), [], set()
            self._emptying = threading.Lock()

    def _acquire(self) -> _Connection:
        identity = self._identify()
        while connection := self._pop():
            if connection.identity == identity:
                return connection
            connection.close()
        with _creation_lock(self._path.parent):
            return self._open()

    def _pop(self) -> _Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _release(self, connection: _Connection, *, is_good: bool) -> None:
        if is_good and len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def _open(self) -> _Connection:
        if self._identify() is None:
            # These belong to a deleted file; SQLite would use them with the new one.
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
        """Return device and inode of the file at the path; None if there is none."""
        try:
            found = os.stat(self._names[0])  # noqa: PTH116, called for every statement
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino


class _Loan:
    """A context in which a connection of a pool is in use."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __enter__(self) -> _Connection:
        self._connection = self._pool.lend(self)
        return self._connection

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._pool.take_back(self, self._connection, is_good=error is None or is_locked(error))


class _Forks:
    """A guard that lets a process fork only while no pool has an open connection or opens one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # held only briefly, and while the process forks
        self._pools: weakref.WeakSet[Pool] = weakref.WeakSet()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before, after_in_parent=self._after, after_in_child=self._after_in_child)

    def add(self, pool: Pool) -> None:
        with self.lock:
            self._pools.add(pool)

    def _before(self) -> None:
        self.lock.acquire()
        deadline = time.monotonic() + 1.0
        for pool in self._pools:
            pool.drain(deadline)

    def _after(self) -> None:
        self.lock.release()

    def _after_in_child(self) -> None:
        # Replaced instead of released: another thread may hold it, if Python did not notice the fork.
        self.lock = threading.RLock()


_forks = _Forks()
#: Connections of a parent process, kept so that nothing closes them.
_inherited: list[_Connection] = []


@contextlib.contextmanager
def _creation_lock(folder: Path) -> Iterator[None]:
    """Hold a lock on *folder*, so that only one process or thread creates the file.

    Raises:
        BlockingIOError: Another process or thread holds the lock.
    """
    with contextlib.ExitStack() as stack:
        try:
            if sys.platform != "win32":  # Windows does not delete open files, so no lock is needed
                descriptor = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass  # SQLite reports what is wrong with the folder
        yield


def is_locked(error: BaseException) -> bool:
    """Tell whether another connection, of this process or another, held a lock."""
    return get_code(error) in _LOCKED


def get_code(error: BaseException) -> int:
    """Return SQLite's primary result code; 0 if the error is not SQLite's."""
    # The lower byte is the primary code, the others are details.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
