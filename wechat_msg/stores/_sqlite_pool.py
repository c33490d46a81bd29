"""The connections of a SQLiteStore: lent, kept, and closed before a fork."""

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

# Every statement is a transaction of its own, as no other is ever begun.
_SETUP = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    # With row ids, as without them every value of more than a kilobyte would take a page of its own.
    "CREATE TABLE IF NOT EXISTS wechat_msg_store (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS wechat_msg_store_expires ON wechat_msg_store (expires)",
)
#: SQLite starts the -wal file over, at about 4 MB, at a moment without readers and writers. A busy store has no such
#: moment: there the file is emptied at this size, in bytes, while the writers wait for some milliseconds.
_MAX_LOG = 16_000_000
#: Seconds to try to empty it, and then to leave it alone: another program may read in one transaction for minutes.
_EMPTY_FOR, _THEN_REST = 0.3, 2.0
_EMPTY_LOG = "PRAGMA busy_timeout = 50; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout = 0"
_MAX_IDLE = 16
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)

_Identity = tuple[int, int]


class _Connection(sqlite3.Connection):
    #: Which file it is, whatever lies at its path by now.
    identity: _Identity | None = None


class Pool:
    """Connections to one file that are not in use.

    SQLite forbids to carry connections over a fork, be it to use or to close them: the locks of a process are its own,
    but what SQLite remembers of them is inherited. So there are none while a process forks, see `_Forks`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._process = os.getpid()
        self._idle: list[_Connection] = []  # pop and append are atomic
        self._in_use: set[object] = set()
        self._emptying = threading.Lock()
        self._rest_until = 0.0
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
                is_good = is_locked(error)
                raise
            finally:
                self._give_back(connection, is_good=is_good)
        finally:
            self._in_use.discard(ticket)

    def limit_log(self) -> None:
        """Empty the -wal file if it is too long; called before every write, so that writers cannot outrun it."""
        if not self._is_log_too_long():
            return
        with self._emptying:
            deadline = time.monotonic() + _EMPTY_FOR
            while self._is_log_too_long():
                with self.connection() as connection:
                    connection.executescript(_EMPTY_LOG)
                if self._is_log_too_long() and time.monotonic() >= deadline:
                    self._rest_until = time.monotonic() + _THEN_REST
                time.sleep(random.uniform(0.001, 0.003))  # another process may be at it

    def _is_log_too_long(self) -> bool:
        return self._log.stat().st_size > _MAX_LOG and time.monotonic() >= self._rest_until

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
            self._emptying = threading.Lock()

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


def is_locked(error: Exception) -> bool:
    """Tell whether another connection was in the way, of this process or of another."""
    return get_code(error) in _LOCKED


def get_code(error: Exception) -> int:
    """Return SQLite's primary result code; 0: the error is not SQLite's."""
    # The lower byte is the kind of error, the others are details.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
