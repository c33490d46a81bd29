"""How the store talks to a database of Django's: outside transactions, and so that only StoreError comes out."""

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
    "DjangoStore is used inside a transaction, in which no other process sees what it does; use it outside of "
    "transaction.atomic and ATOMIC_REQUESTS, or give its database a second alias in DATABASES"
)
_NOT_MIGRATED = "the table of DjangoStore is missing or not to be used; run: manage.py migrate --database {}"


class NotInstalled(StoreError):
    """Django knows nothing of the app, or nothing at all."""

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
    """Do *work*, whose statements must be right each by itself: there is no transaction around them.

    Long-lived threads have no request at whose beginning Django would see to their connections. So if one that was open
    before has died, *again* is done over a new one. One that had to be opened is closed as ``CONN_MAX_AGE`` says.

    Args:
        using: The alias of the database.
        work: What to do.
        again: What to do the second time, knowing that the first may have taken effect.

    Raises:
        StoreError: The database cannot do it, or the store is used where it cannot work.
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
        # What was open before may be in the middle of something else, so it is not for us to close.
        if opened is None and not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _run_once(connection: BaseDatabaseWrapper, work: Callable[[], T]) -> T:
    with contextlib.ExitStack() as stack:
        if connection.in_atomic_block:
            # Only to tell somebody's transaction from that of a TestCase, in which this is a savepoint.
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
            return _InEventLoop("DjangoStore would block the event loop; wrap it with wechat_msg.stores.in_thread")
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
    # The first line only: those after it may quote the statement.
    return StoreError(f"the database cannot do it: {str(error).partition(chr(10))[0]}")
