"""run: runs statements of the store outside of transactions, and raises only StoreError."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured, SynchronousOnlyOperation
from django.db import Error, InterfaceError, OperationalError, ProgrammingError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionDoesNotExist

from wechat_msg.errors import StoreError

__all__ = ["NotInstalled", "run"]

T = TypeVar("T")

_IN_TRANSACTION = (
    "DjangoStore was used inside a transaction, where other processes do not see its changes; use it outside of "
    "transaction.atomic and ATOMIC_REQUESTS, or give its database a second alias in DATABASES"
)
_NOT_MIGRATED = "the table of DjangoStore is missing or cannot be used; run: manage.py migrate --database {}"


class NotInstalled(StoreError):
    """The app is not installed, or Django is not set up."""

    hint = '请把 "wechat_msg.stores.django" 加入 INSTALLED_APPS，独立脚本还要先调用 django.setup()'


class _NotMigrated(StoreError):
    hint = "缺少数据表，或无权使用：请运行 manage.py migrate"


class _InTransaction(StoreError):
    hint = (
        "不能在 transaction.atomic 或 ATOMIC_REQUESTS 的事务里使用：请移到事务外，或在 DATABASES 中为同一数据库另设别名"
    )


class _InEventLoop(StoreError):
    hint = "事件循环里请用 wechat_msg.stores.in_thread 包装"


def run(using: str, work: Callable[[], T], again: Callable[[], T]) -> T:
    """Call *work*, whose statements must each be correct on their own: no transaction surrounds them.

    Django checks connections at the beginning of a request, which long-lived threads do not have. So if a connection
    that was open before is broken, *again* is called with a new one. A connection that is opened here is closed
    according to ``CONN_MAX_AGE``.

    Args:
        using: The alias of the database.
        work: Runs the statements.
        again: Runs them for the second time; the first time may have taken effect.

    Raises:
        StoreError: The database failed, or the store cannot be used here.
    """
    try:
        return _run_on(connections[using], work, again)
    except (
        Error,
        AppRegistryNotReady,
        ConnectionDoesNotExist,
        ImproperlyConfigured,
        SynchronousOnlyOperation,
    ) as error:
        raise _explain(error, using) from error


def _run_on(connection: BaseDatabaseWrapper, work: Callable[[], T], again: Callable[[], T]) -> T:
    opened = connection.connection
    try:
        return _run_once(connection, work)
    except (InterfaceError, OperationalError):
        if opened is None or connection.in_atomic_block:
            raise
        if connection.connection is opened and connection.is_usable():
            raise
        connection.close()
        return _run_once(connection, again)
    finally:
        # A connection that was open before may be in use by the caller, so it stays open.
        if opened is None and not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _run_once(connection: BaseDatabaseWrapper, work: Callable[[], T]) -> T:
    with contextlib.ExitStack() as stack:
        if connection.in_atomic_block:
            # Tells the caller's transaction from that of a TestCase, in which this is a savepoint.
            try:
                stack.enter_context(transaction.atomic(using=connection.alias, durable=True))
            except RuntimeError:
                raise _InTransaction(_IN_TRANSACTION) from None
        elif not connection.get_autocommit():
            raise _InTransaction(_IN_TRANSACTION)
        return work()


def _explain(error: Exception, using: str) -> StoreError:
    match error:
        case SynchronousOnlyOperation():
            return _InEventLoop("DjangoStore would block the event loop; wrap it in wechat_msg.stores.in_thread")
        case AppRegistryNotReady() | ImproperlyConfigured():
            return NotInstalled("Django is not set up")
        case ConnectionDoesNotExist():
            return NotInstalled(f"DATABASES has no alias {using!r}")
        case transaction.TransactionManagementError():
            pass
        case ProgrammingError():
            return _NotMigrated(_NOT_MIGRATED.format(using))
        case OperationalError() if "no such table" in str(error):  # SQLite
            return _NotMigrated(_NOT_MIGRATED.format(using))
    # Only the first line: the others may quote the statement.
    return StoreError(f"the database failed: {str(error).partition(chr(10))[0]}")
