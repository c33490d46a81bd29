"""DjangoStore: a store in the project's database."""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar, cast

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.db.models.lookups import GreaterThan

from wechat_msg._tracebacks import clears_locals
from wechat_msg.errors import StoreError
from wechat_msg.stores.django._session import NotInstalled, run

if TYPE_CHECKING:  # models cannot be imported before the apps are ready
    from wechat_msg.stores.django.models import Entry

__all__ = ["DjangoStore"]

_log = logging.getLogger("wechat_msg")

T = TypeVar("T")

_CLAIMS_PER_SWEEP = 64
_SWEEP = 256  # entries; more than were added since the last sweep
_BATCH = 1000  # entries; for clear_expired
_MAX_TTL = 100 * 365 * 86400.0  # seconds; before the end of every database's calendar


class DjangoStore:
    """A store in a table of the project's database; it uses the database's clock, so machines' clocks may differ.

    Put ``"wechat_msg.stores.django"`` into ``INSTALLED_APPS`` and run ``manage.py migrate``. Expired entries are
    deleted in batches when new ones are added; ``manage.py clear_expired`` deletes all of them.

    Inside a transaction, other processes would not see its changes, so it raises `StoreError` there: in
    ``transaction.atomic``, and under ``ATOMIC_REQUESTS``, from which `push_view` exempts its views. To use it there,
    give its database a second alias in ``DATABASES``, which has its own connection, and pass that as *using*. In
    ``django.test.TestCase`` it works.

    ``OPTIONS`` of ``DATABASES`` limits how long it waits for a database that does not answer; without them it may wait
    forever. PostgreSQL: ``connect_timeout`` (s), ``tcp_user_timeout`` (ms) and, for locks,
    ``"options": "-c statement_timeout=2000"`` (ms). MySQL: ``connect_timeout``, ``read_timeout`` and ``write_timeout``
    (s). SQLite: ``timeout`` (s), 5 by default.

    It closes the connections that it opens according to ``CONN_MAX_AGE``: with 0, Django's default, after each call.

    Args:
        using: The alias of the database; no router is asked.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._using = using
        self._claims = itertools.count()

    @clears_locals
    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        return self._run(lambda: self._read(key))

    @clears_locals
    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""

        def change() -> bool:
            return self._change(key, expected, value, ttl)

        def change_again() -> bool:
            if change():
                return True
            if self._read(key) == value:  # set by another process, or by the first try, if its answer was lost
                raise StoreError("the connection was lost before the answer came")
            return False

        done = self._run(change, change_again)
        if done and expected is None and next(self._claims) % _CLAIMS_PER_SWEEP == 0:
            self._sweep()
        return done

    def clear_expired(self) -> int:
        """Delete all expired entries; return their number.

        Raises:
            StoreError: The database failed.
        """
        return sum(iter(lambda: self._run(lambda: self._delete_expired(_BATCH)), 0))

    # --- entries

    def _entries(self) -> QuerySet[Entry]:
        try:
            model = cast("type[Entry]", apps.get_model("wechat_msg", "Entry"))
        except LookupError as error:
            raise NotInstalled('"wechat_msg.stores.django" is not in INSTALLED_APPS') from error
        return model.objects.using(self._using)

    def _find(self, key: str) -> QuerySet[Entry]:
        return self._entries().filter(digest=_make_digest(key))

    def _read(self, key: str) -> bytes | None:
        value = self._find(key).filter(expires__gt=Now()).values_list("value", flat=True).first()
        return None if value is None else bytes(value)

    def _change(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        if expected is None:
            return self._read(key) is None if value is None else self._claim(key, value, ttl)
        found = self._find(key).filter(value=expected, expires__gt=Now())
        if value is None:
            return self._delete(found) == 1
        return found.update(value=value, expires=_after(ttl)) == 1

    def _claim(self, key: str, value: bytes, ttl: float) -> bool:
        # It reads first, so that a late claim does not write an error into the database's log.
        entry = self._find(key)
        alive = list(entry.values_list(GreaterThan(F("expires"), Now()), flat=True))
        if any(alive):
            return False
        if alive and entry.filter(expires__lte=Now()).update(value=value, expires=_after(ttl)):
            return True
        return self._insert(key, value, ttl)  # also if another process deleted it in between

    def _insert(self, key: str, value: bytes, ttl: float) -> bool:
        entries = self._entries()
        try:
            # Unlike save, bulk_create sends no signals.
            entries.bulk_create([entries.model(digest=_make_digest(key), value=value, expires=_after(ttl))])
        except IntegrityError:
            if connections[self._using].in_atomic_block:  # of a TestCase, which must survive the error
                transaction.set_rollback(True, using=self._using)
            return False
        return True

    def _sweep(self) -> None:
        """Delete some expired entries; a failure does not fail the claim."""
        try:
            self._run(lambda: self._delete_expired(_SWEEP))
        except StoreError as error:
            _log.warning("expired entries could not be deleted: %s", error)

    def _delete_expired(self, limit: int) -> int:
        entries = self._entries()
        expired = entries.filter(expires__lte=Now())
        digests = expired.order_by("expires").values_list("digest", flat=True)
        # Processes that sweep at the same time must not wait for each other's rows. A database without SKIP LOCKED gets
        # no transaction: SQLite fails at once in one that reads first and then writes.
        can_skip = connections[self._using].features.has_select_for_update_skip_locked
        with transaction.atomic(using=self._using) if can_skip else nullcontext():
            found = list((digests.select_for_update(skip_locked=True) if can_skip else digests)[:limit])
            return self._delete(expired.filter(digest__in=found)) if found else 0

    def _delete(self, entries: QuerySet[Entry]) -> int:
        # QuerySet.delete would read first and delete by primary key, if any receiver listens to signals of all models.
        return entries._raw_delete(self._using)  # noqa: SLF001

    def _run(self, work: Callable[[], T], again: Callable[[], T] | None = None) -> T:
        return run(self._using, work, again or work)


def _make_digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _after(ttl: float) -> CombinedExpression:
    return Now() + timedelta(seconds=min(ttl, _MAX_TTL))
