"""The store in Django's database, on SQLite and on PostgreSQL; run as a script this file starts a race of processes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import os
import textwrap
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.helpers.hostile import PLAIN
from tests.helpers.postgres_server import Postgres, find_programs, run_postgres
from tests.helpers.rows import check_rows
from tests.helpers.servers import GUNICORN, TIMEOUT, Client, run, serve
from wechat_msg import AsyncPushEndpoint, PushEndpoint, StoreError
from wechat_msg.stores.django import DjangoStore
from wechat_msg.testing import StoreContract, build_push, open_reply

APP = "wechat_msg.stores.django"
ON_SQLITE, ON_POSTGRES = "default", "postgres"
SECRET = "s3cretPassword"
LIMIT = 4.0  # seconds, in which a call must have failed: Django lets SQLite wait for 5
_numbers = itertools.count()


# --- databases -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres():
    """A server; None if none is installed, and the tests that need it are skipped."""
    if not find_programs() and not os.environ.get("CI"):
        yield None
        return
    with run_postgres() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def databases(tmp_path_factory, postgres):
    """Set up Django for this process: no other module of the tests does."""
    databases = list_databases(tmp_path_factory.mktemp("databases"), postgres)
    set_up(databases)
    from django.core.management import call_command
    from django.db import connections

    for alias in {ON_SQLITE, ON_POSTGRES} & {*databases}:
        call_command("migrate", database=alias, verbosity=0)
    yield databases
    connections.close_all()


def list_databases(folder: Any, postgres: Postgres | None) -> dict[str, Any]:
    """Return DATABASES: those that work, and some that do not."""
    sqlite = {"ENGINE": "django.db.backends.sqlite3"}
    file = folder / "db.sqlite3"
    databases = {
        ON_SQLITE: {**sqlite, "NAME": str(file), "OPTIONS": {"timeout": TIMEOUT}, "ATOMIC_REQUESTS": True},
        "impatient": {**sqlite, "NAME": str(file), "OPTIONS": {"timeout": 0.1}},
        "read_only": {**sqlite, "NAME": f"file:{file}?mode=ro"},
        "sqlite_empty": {**sqlite, "NAME": str(folder / "empty.sqlite3")},
        "sqlite_nowhere": {**sqlite, "NAME": str(folder / "nowhere" / "db.sqlite3"), "PASSWORD": SECRET},
    }
    if postgres:
        working = postgres.settings
        databases |= {
            ON_POSTGRES: {**working, "ATOMIC_REQUESTS": True},
            "postgres_kept": {**working, "CONN_MAX_AGE": None},
            "postgres_empty": {**working, "OPTIONS": {"options": "-c search_path=nowhere"}},
            "postgres_impatient": {**working, "OPTIONS": {"options": "-c statement_timeout=100"}},
            "postgres_nowhere": {**working, "HOST": str(folder), "PASSWORD": SECRET},
            "manual": {**working, "AUTOCOMMIT": False},
        }
    return databases


def set_up(databases: dict[str, Any]) -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="secret",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=[APP],
        DATABASES=databases,
        USE_TZ=True,
        LOGGING_CONFIG=None,
        ROOT_URLCONF="tests.stores.test_django",
    )
    django.setup()


def need(alias: str, databases: dict[str, Any]) -> str:
    return alias if alias in databases else pytest.skip("PostgreSQL is not installed")


@pytest.fixture(params=[ON_SQLITE, ON_POSTGRES], ids=["sqlite", "postgres"])
def using(request, databases):
    return need(request.param, databases)


@pytest.fixture
def store(using):
    """A store that has swept already, as it does with its first claim."""
    store = DjangoStore(using)
    store.compare_and_set(make_key(), None, b"x", 0.001)
    return store


@pytest.fixture
def kept(databases):
    """A store on PostgreSQL whose connection stays open, and is open."""
    store = DjangoStore(need("postgres_kept", databases))
    store.get("key")
    yield store
    connect("postgres_kept").close()


def make_key() -> str:
    return f"key:{os.getpid()}:{next(_numbers)}"


def connect(using: str) -> Any:
    from django.db import connections

    return connections[using]


def entries(using: str) -> Any:
    from wechat_msg.stores.django.models import Entry

    return Entry.objects.using(using)


def is_open(using: str) -> bool:
    return connect(using).connection is not None


def count_statements(using: str, function: Any, *args: Any) -> list[str]:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connect(using)) as queries:
        function(*args)
    return [query["sql"].split()[0] for query in queries]


def in_threads(count: int, function: Any) -> list[Any]:
    """Call *function* in so many threads at once."""
    barrier = threading.Barrier(count)

    def meet(number: int) -> Any:
        barrier.wait(TIMEOUT)
        return function(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(meet, range(count)))


# --- the contract ----------------------------------------------------------------------------------------------------


class Contract(StoreContract):
    """Time passes by moving the ends of all entries: the store sees no difference, as it reads the database's clock."""

    __test__ = False
    short_ttl = 5.0  # it takes no time to let that pass
    using = ON_SQLITE

    def make_store(self):
        return DjangoStore(self.using)

    async def advance(self, seconds):
        await asyncio.to_thread(move_ends, self.using, seconds)


def move_ends(using: str, seconds: float) -> None:
    from django.db.models import F

    entries(using).update(expires=F("expires") - timedelta(seconds=seconds))
    connect(using).close()


class TestContractOnSQLite(Contract):
    __test__ = True


class TestContractOnPostgreSQL(Contract):
    __test__ = True
    using = ON_POSTGRES

    @pytest.fixture(autouse=True)
    def _need_postgres(self, databases):
        need(self.using, databases)


# --- time and statements ---------------------------------------------------------------------------------------------


class TestTime:
    def test_is_the_databases(self, store, using, monkeypatch):
        from django.db.models.functions import Now

        key = make_key()
        monkeypatch.setattr(time, "time", lambda: 0.0)
        store.compare_and_set(key, None, b"x", 1000)

        later = entries(using).filter(value=b"x", expires__gt=Now() + timedelta(seconds=990))
        assert later.filter(expires__lt=Now() + timedelta(seconds=1010)).count() == 1
        assert store.compare_and_set(key, b"x", None, 1)

    def test_ends_the_life_of_a_value(self, store):
        key = make_key()
        store.compare_and_set(key, None, b"x", 0.05)

        time.sleep(0.1)

        assert store.get(key) is None
        assert store.compare_and_set(key, None, b"y", 60)

    @pytest.mark.parametrize("ttl", [1e9, 1e12, float("inf")])
    def test_may_be_longer_than_any_calendar(self, store, ttl):
        key = make_key()

        assert store.compare_and_set(key, None, b"x", ttl)
        assert store.get(key) == b"x"
        assert store.compare_and_set(key, b"x", b"y", ttl)


class TestStatements:
    """What each call costs."""

    def test_of_a_claim(self, store, using):
        key = make_key()

        first = count_statements(using, store.compare_and_set, key, None, b"x", 60)
        second = count_statements(using, store.compare_and_set, key, None, b"x", 60)

        assert first in (["SELECT", "INSERT"], ["SELECT", "BEGIN", "INSERT", "COMMIT"])  # the latter until Django 6.0
        assert second == ["SELECT"]

    def test_of_a_claim_after_another_has_expired(self, store, using):
        key = make_key()
        store.compare_and_set(key, None, b"x", 0.001)
        time.sleep(0.01)

        assert count_statements(using, store.compare_and_set, key, None, b"x", 60) == ["SELECT", "UPDATE"]

    def test_of_everything_else(self, store, using):
        key = make_key()
        store.compare_and_set(key, None, b"x", 60)

        assert count_statements(using, store.get, key) == ["SELECT"]
        assert count_statements(using, store.compare_and_set, key, b"x", b"y", 60) == ["UPDATE"]
        assert count_statements(using, store.compare_and_set, key, b"y", None, 60) == ["DELETE"]

    def test_do_not_depend_on_who_listens_to_signals(self, store, using):
        from django.db.models import signals

        every = [signals.pre_save, signals.post_save, signals.pre_delete, signals.post_delete]
        heard = []

        def listen(**_: Any) -> None:
            heard.append(1)

        key = make_key()
        for signal in every:
            signal.connect(listen)
        try:
            store.compare_and_set(key, None, b"x", 60)
            statements = count_statements(using, store.compare_and_set, key, b"x", None, 60)
        finally:
            for signal in every:
                signal.disconnect(listen)

        assert statements == ["DELETE"]  # reading first, another's value could be deleted
        assert not heard

    def test_go_to_the_database_that_was_named(self, store, using, monkeypatch):
        class Router:
            def db_for_read(self, model, **hints):
                return "sqlite_nowhere"

            db_for_write = db_for_read

        monkeypatch.setattr("django.db.router.routers", [Router()])
        key = make_key()

        assert store.compare_and_set(key, None, b"x", 60)
        assert store.get(key) == b"x"
        assert store.compare_and_set(key, b"x", None, 60)

    def test_do_not_hold_the_key(self, store, using):
        """What a key says of users is not in the database."""
        key = make_key()
        store.compare_and_set(key, None, b"x", 60)

        assert not entries(using).filter(digest__contains=key).exists()


# --- transactions ----------------------------------------------------------------------------------------------------


class TestTransaction:
    """A transaction of the caller, in which other processes would not see the store's changes."""

    @pytest.mark.parametrize(
        "call", [lambda store: store.get("key"), lambda store: store.compare_and_set("key", None, b"x", 60)]
    )
    def test_is_refused(self, using, store, call):
        from django.db import transaction

        with transaction.atomic(using=using):
            with pytest.raises(StoreError, match=r"inside a transaction.*alias.*事务外"):
                call(store)
            assert entries(using).count() >= 0, "the transaction is as it was"

    def test_is_refused_when_it_began_by_itself(self, databases):
        with pytest.raises(StoreError, match="inside a transaction"):
            DjangoStore(need("manual", databases)).compare_and_set("key", None, b"x", 60)

    def test_of_another_alias_does_no_harm(self, databases):
        from django.db import transaction

        key = make_key()
        with transaction.atomic(using=need("postgres_kept", databases)):
            assert DjangoStore(ON_POSTGRES).compare_and_set(key, None, b"x", 60)
        connect("postgres_kept").close()

        assert DjangoStore(ON_POSTGRES).get(key) == b"x"

    def test_of_a_test_case_is_fine(self, using):
        key = make_key()

        def use() -> None:
            store = DjangoStore(using)
            assert store.compare_and_set(key, None, b"x", 60)
            assert not store.compare_and_set(key, None, b"y", 60)
            assert store.compare_and_set(key, b"x", b"y", 60)
            assert store.get(key) == b"y"
            assert is_open(using)

        run_in_test_case(using, use)

        assert DjangoStore(using).get(key) is None, "the test case took it back"

    def test_of_a_test_case_survives_a_race_that_was_lost(self, using, monkeypatch):
        """On PostgreSQL an error spoils the whole transaction."""
        from django.db.models import QuerySet

        def use() -> None:
            store, key = DjangoStore(using), make_key()
            store.compare_and_set(key, None, b"x", 60)
            monkeypatch.setattr(QuerySet, "values_list", lambda *_, **__: [])  # as if somebody came in between
            assert not store.compare_and_set(key, None, b"y", 60)
            monkeypatch.undo()
            assert store.get(key) == b"x"

        run_in_test_case(using, use)

    def test_within_a_test_case_is_refused(self, using):
        from django.db import transaction

        def use() -> None:
            with transaction.atomic(using=using), pytest.raises(StoreError, match="inside a transaction"):
                DjangoStore(using).get("key")

        run_in_test_case(using, use)


def run_in_test_case(using: str, function: Any) -> None:
    from django.test import TestCase

    class Case(TestCase):
        databases = frozenset({using})

        def test(self) -> None:
            function()

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    connect(using).close()
    assert result.testsRun == 1
    assert not result.errors + result.failures, result.errors + result.failures


# --- ATOMIC_REQUESTS -------------------------------------------------------------------------------------------------


def build_text(content: str = "hi") -> Any:
    return build_push(PLAIN, {"MsgType": "text", "Content": content, "MsgId": make_key()})


class TestAtomicRequests:
    """They are on for both databases here."""

    def test_do_not_keep_threads_from_handling_a_message_once(self, using):
        handled = []

        def answer(message: Any) -> str:
            handled.append(message)
            time.sleep(0.1)
            return f"answer {len(handled)}"

        request = build_text()
        with serving(PushEndpoint(PLAIN, answer, store=DjangoStore(using))):
            answers = in_threads(4, lambda _: post(request))

        assert len(handled) == 1
        assert answers == ["answer 1"] * 4

    def test_do_not_keep_async_views_from_working(self, using):
        handled = []

        async def answer(message: Any) -> str:
            handled.append(message)
            await asyncio.sleep(0.1)
            return f"answer {len(handled)}"

        async def post_often() -> list[str]:
            return await asyncio.gather(*(post_async(request) for _ in range(3)))

        request = build_text()
        with serving(AsyncPushEndpoint(PLAIN, answer, store=DjangoStore(using))):
            answers = asyncio.run(post_often())

        assert len(handled) == 1
        assert answers == ["answer 1"] * 3

    def test_do_not_keep_processes_from_handling_a_message_once(self, databases, using):
        environ = {"STORE": json.dumps([databases, using])}
        command = [*GUNICORN, "--workers", "2", "tests.stores.test_django:make_wsgi()"]
        with serve(*command, environ=environ) as server:
            awake: set[str] = set()
            while len(awake) < 2:
                awake.update(in_threads(4, lambda _: post_to(server.port, build_text())))
            request = build_text("count")
            answers = in_threads(6, lambda _: post_to(server.port, request))

        assert len(set(answers)) == 1, answers

    def test_are_on(self, using):
        from django.http import HttpResponse

        def view(request: Any) -> HttpResponse:
            return HttpResponse(str(connect(using).in_atomic_block))

        with serving(view):
            assert send(build_text()).content == b"True"


def post_to(port: int, request: Any) -> str:
    with contextlib.closing(Client(port)) as client:
        response = client.push("/", request)
        assert response.status == 200
        return open_reply(PLAIN, response.body)["Content"]


def make_wsgi() -> Any:
    """Return an application that answers with its process and, if wanted, how often it was asked for that."""
    from django.core.wsgi import get_wsgi_application

    databases, using = json.loads(os.environ["STORE"])
    set_up(databases)

    def answer(message: Any) -> str:
        time.sleep(0.1)
        return f"{os.getpid()} {next(_numbers)}" if message.content == "count" else str(os.getpid())

    serving(PushEndpoint(PLAIN, answer, store=DjangoStore(using))).__enter__()
    return get_wsgi_application()


urlpatterns: list[Any] = []


@contextlib.contextmanager
def serving(served: Any) -> Any:
    """Serve an endpoint, or a view, at /."""
    from django.urls import clear_url_caches, path

    from wechat_msg.adapters.django import push_view

    is_endpoint = isinstance(served, (PushEndpoint, AsyncPushEndpoint))
    urlpatterns[:] = [path("", push_view(served) if is_endpoint else served)]
    clear_url_caches()
    yield
    urlpatterns.clear()


def send(request: Any) -> Any:
    from django.test import Client

    return Client().generic("POST", f"/?{urlencode(request.query)}", request.body, request.content_type)


def post(request: Any) -> str:
    response = send(request)
    assert response.status_code == 200
    return open_reply(PLAIN, response.content)["Content"]


async def post_async(request: Any) -> str:
    from django.test import AsyncClient

    url = f"/?{urlencode(request.query)}"
    response = await AsyncClient().generic("POST", url, request.body, request.content_type)
    assert response.status_code == 200
    return open_reply(PLAIN, response.content)["Content"]


# --- connections -----------------------------------------------------------------------------------------------------


class TestConnection:
    def test_that_had_to_be_opened_is_closed(self, store, using):
        connect(using).close()

        store.compare_and_set(make_key(), None, b"x", 60)

        assert not is_open(using)

    def test_that_was_open_stays_open(self, store, using):
        connect(using).ensure_connection()
        opened = connect(using).connection

        store.compare_and_set(make_key(), None, b"x", 60)

        assert connect(using).connection is opened
        connect(using).close()

    def test_that_is_to_be_kept_is_kept(self, databases):
        DjangoStore(need("postgres_kept", databases)).get("key")

        assert is_open("postgres_kept")
        connect("postgres_kept").close()

    def test_of_a_thread_ends_with_the_call(self, databases):
        store = DjangoStore(need(ON_POSTGRES, databases))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(store.get, ["key"] * 20))
            deadline = time.monotonic() + TIMEOUT
            while count_connections() > 1:  # the server takes its time to notice
                assert time.monotonic() < deadline


def count_connections() -> int:
    with connect(ON_POSTGRES).cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        (count,) = cursor.fetchone()
    connect(ON_POSTGRES).close()
    return count


class TestConnectionThatDied:
    """Between two calls, so that the next one finds out."""

    def test_is_replaced_when_reading(self, kept):
        key = make_key()
        kept.compare_and_set(key, None, b"x", 60)

        kill_connection()

        assert kept.get(key) == b"x"
        assert kept.get(key) == b"x"

    def test_is_replaced_when_claiming(self, kept):
        key = make_key()

        kill_connection()
        assert kept.compare_and_set(key, None, b"x", 60)
        kill_connection()
        assert not kept.compare_and_set(key, None, b"y", 60)

    def test_is_replaced_when_setting(self, kept):
        key = make_key()
        kept.compare_and_set(key, None, b"x", 60)

        kill_connection()
        assert kept.compare_and_set(key, b"x", b"x", 60)
        kill_connection()
        assert kept.compare_and_set(key, b"x", b"y", 60)
        kill_connection()
        assert not kept.compare_and_set(key, b"x", b"z", 60)
        kill_connection()
        assert kept.compare_and_set(key, b"y", None, 60)

    def test_is_replaced_within_a_request(self, kept):
        """It was open before, and may be in use, so it is open afterwards."""
        kill_connection()

        kept.get("key")

        assert is_open("postgres_kept")

    def test_with_the_answer_leaves_open_who_has_won(self, kept):
        key = make_key()

        with losing_answers(), pytest.raises(StoreError, match="answer"):
            kept.compare_and_set(key, None, b"x", 60)

        assert kept.get(key) == b"x"

    def test_with_the_answer_to_a_renewal_changes_nothing(self, kept):
        key = make_key()
        kept.compare_and_set(key, None, b"x", 60)

        with losing_answers():
            assert kept.compare_and_set(key, b"x", b"x", 60)

    def test_with_the_answer_to_a_deletion_leaves_open_who_has_won(self, kept):
        key = make_key()
        kept.compare_and_set(key, None, b"x", 60)

        with losing_answers(), pytest.raises(StoreError, match="answer"):
            kept.compare_and_set(key, b"x", None, 60)

        assert kept.get(key) is None

    def test_is_replaced_after_the_server_was_restarted(self, kept, postgres):
        key = make_key()
        kept.compare_and_set(key, None, b"x", 60)

        postgres.stop()
        for store in (kept, DjangoStore(ON_POSTGRES), kept):
            start = time.monotonic()
            with pytest.raises(StoreError, match="the database failed"):
                store.get(key)
            assert time.monotonic() - start < LIMIT
        postgres.start()

        assert kept.get(key) == b"x"
        assert not kept.compare_and_set(key, None, b"y", 60)


def kill_connection() -> None:
    with connect("postgres_kept").connection.cursor() as cursor:
        pid = cursor.execute("SELECT pg_backend_pid()").fetchone()[0]
    with connect(ON_POSTGRES).cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connect(ON_POSTGRES).close()


@contextlib.contextmanager
def losing_answers() -> Any:
    """Let the connection die after the first statement that writes, so that its answer is lost."""
    from django.db import OperationalError

    connection = connect("postgres_kept")
    has_died = False

    def lose(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal has_died
        result = execute(sql, params, many, context)
        if not has_died and sql.startswith(("INSERT", "UPDATE", "DELETE")):
            has_died = True
            connection.connection.commit()
            kill_connection()
            raise OperationalError("server closed the connection unexpectedly")
        return result

    with connection.execute_wrapper(lose):
        yield
    assert has_died


# --- trouble ---------------------------------------------------------------------------------------------------------


class TestTrouble:
    @pytest.fixture(params=["sqlite", "postgres"])
    def kind(self, request):
        return request.param

    @pytest.fixture
    def refuse(self, databases):
        """Ask a store that cannot do it, and return what it says."""

        def refuse(using: str) -> str:
            store, texts = DjangoStore(need(using, databases)), set()
            for call in (
                lambda: store.get("theKey"),
                lambda: store.compare_and_set("theKey", None, b"theValue", 60),
                lambda: store.compare_and_set("theKey", b"theValue", b"anotherValue", 60),
                lambda: store.compare_and_set("theKey", b"theValue", None, 60),
            ):
                start = time.monotonic()
                with pytest.raises(StoreError) as caught:
                    call()
                assert time.monotonic() - start < LIMIT
                texts.add(str(caught.value))
            (text,) = texts
            assert not [each for each in ("theKey", "theValue", b"theValue".hex(), SECRET) if each in text]
            return text

        return refuse

    def test_with_a_database_that_is_down(self, refuse, kind):
        assert "the database failed" in refuse(f"{kind}_nowhere")

    def test_with_a_table_that_is_missing(self, refuse, kind):
        text = refuse(f"{kind}_empty")

        assert f"manage.py migrate --database {kind}_empty" in text
        assert "请运行 manage.py migrate" in text

    def test_with_an_alias_that_is_unknown(self):
        with pytest.raises(StoreError, match="DATABASES has no alias 'unknown'"):
            DjangoStore("unknown").get("key")

    def test_with_a_database_that_is_read_only(self, databases):
        with pytest.raises(StoreError, match="readonly"):
            DjangoStore("read_only").compare_and_set(make_key(), None, b"x", 60)

    def test_with_a_database_that_another_program_has_locked(self):
        from django.db import transaction

        with transaction.atomic(using=ON_SQLITE):
            entries(ON_SQLITE).filter(digest="").update(value=b"")
            start = time.monotonic()
            with pytest.raises(StoreError, match="locked"):
                DjangoStore("impatient").compare_and_set(make_key(), None, b"x", 60)
            assert time.monotonic() - start < LIMIT
        connect(ON_SQLITE).close()

    def test_with_a_row_that_another_program_has_locked(self, kept):
        from django.db import transaction

        key = make_key()
        kept.compare_and_set(key, None, b"theValue", 60)
        with transaction.atomic(using="postgres_kept"):
            list(entries("postgres_kept").filter(value=b"theValue").select_for_update())
            start = time.monotonic()
            with pytest.raises(StoreError, match="statement timeout"):
                DjangoStore("postgres_impatient").compare_and_set(key, b"theValue", b"y", 60)
            assert time.monotonic() - start < LIMIT

    def test_in_an_event_loop(self, using):
        async def call() -> None:
            DjangoStore(using).get("key")

        with pytest.raises(StoreError, match=r"in_thread.*事件循环"):
            asyncio.run(call())

    def test_without_what_it_needs(self):
        def check(before, text):
            code = f"""
                import django
                from django.conf import settings
                from wechat_msg import StoreError
                from wechat_msg.stores.django import DjangoStore

                db = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
                store = DjangoStore()
                {before}
                try:
                    store.compare_and_set("key", None, b"x", 60)
                except StoreError as error:
                    print(error)
            """
            status, printed = run("-W", "error", "-c", textwrap.dedent(code))

            assert status == 0, printed
            assert text in printed
            assert "INSTALLED_APPS，" in printed

        check_rows(
            [
                ("", "Django is not set up"),
                ("settings.configure()", "Django is not set up"),
                ("settings.configure(DATABASES=db); django.setup()", "is not in INSTALLED_APPS"),
            ],
            check,
        )


# --- what has expired ------------------------------------------------------------------------------------------------


class TestExpired:
    @pytest.fixture(autouse=True)
    def _empty(self, using):
        entries(using).all()._raw_delete(using)
        yield
        connect(using).close()

    def add(self, using: str, count: int, seconds: float) -> None:
        from django.db.models.functions import Now

        model = entries(using).model
        entries(using).bulk_create(
            model(digest=make_key(), value=b"", expires=Now() + timedelta(seconds=seconds)) for _ in range(count)
        )

    def test_goes_as_new_entries_come(self, store, using):
        self.add(using, 1000, -1)

        for _ in range(64 * 5):
            assert store.compare_and_set(make_key(), None, b"x", 0.001)

        assert entries(using).count() <= 128

    def test_goes_even_if_every_process_claims_but_once(self, using):
        self.add(using, 20, -1)

        DjangoStore(using).compare_and_set(make_key(), None, b"x", 60)

        assert entries(using).count() == 1

    def test_stays_without_harm_if_it_cannot_be_deleted(self, using, caplog):
        from django.db import OperationalError, connections

        def fail(execute: Any, sql: str, *others: Any) -> Any:
            if "ORDER BY" in sql:  # the search for what has expired
                raise OperationalError("no space left")
            return execute(sql, *others)

        with connections[using].execute_wrapper(fail):
            assert DjangoStore(using).compare_and_set(make_key(), None, b"x", 60)
        assert "no space left" in caplog.text

    def test_is_cleared_by_a_command(self, using):
        self.add(using, 1001, -1)
        self.add(using, 7, 60)

        assert clear_expired(using) == "1001 expired entries deleted\n"
        assert clear_expired(using) == "0 expired entries deleted\n"
        assert entries(using).count() == 7

    def test_is_cleared_by_many_at_once(self, using):
        self.add(using, 4000, -1)

        def clear(_: int) -> int:
            return DjangoStore(using).clear_expired()

        assert sum(in_threads(4, clear)) == 4000

    def test_is_left_alone_while_another_program_uses_it(self, databases, using):
        """On PostgreSQL, where rows are locked one by one: the clean-up does not wait for them."""
        if using == ON_SQLITE:
            return
        from django.db import transaction

        self.add(using, 3, -1)
        with transaction.atomic(using="postgres_kept"):
            entries("postgres_kept").select_for_update()[:1].get()
            assert DjangoStore(using).clear_expired() == 2
        connect("postgres_kept").close()


class TestCommand:
    def test_is_for_the_default_database_by_default(self):
        assert "expired entries deleted" in clear_expired()

    def test_reports_what_is_wrong(self):
        from django.core.management import CommandError

        with pytest.raises(CommandError, match="migrate"):
            clear_expired("sqlite_empty")


def clear_expired(*databases: str) -> str:
    from django.core.management import call_command

    output = StringIO()
    call_command("clear_expired", *(f"--database={each}" for each in databases), stdout=output)
    return output.getvalue()


# --- the app ---------------------------------------------------------------------------------------------------------


class TestApp:
    def test_has_all_migrations(self):
        from django.core.management import call_command

        call_command("makemigrations", "--check", "--dry-run", verbosity=0)

    def test_passes_the_checks(self, databases):
        from django.core.management import call_command

        call_command("check", databases=[ON_SQLITE, *({ON_POSTGRES} & {*databases})])


# --- processes -------------------------------------------------------------------------------------------------------

PROCESSES, KEYS = 4, 30


@pytest.fixture(scope="module")
def races(databases):
    """For each database the claims that each process has won."""
    aliases = [alias for alias in (ON_SQLITE, ON_POSTGRES) if alias in databases]
    environ = {"STORE": json.dumps([databases, aliases])}
    status, printed = run("-W", "error", "-m", "tests.stores.test_django", environ=environ)
    assert status == 0, printed
    results = json.loads(printed)
    return {alias: [result[alias] for result in results] for alias in aliases}


def race() -> None:
    """Let several processes, each of which sets up Django for itself, claim the same keys at the same time."""
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(PROCESSES), context.SimpleQueue()
    processes = [context.Process(target=take_part, args=(start, results)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    print(json.dumps([results.get() for _ in processes]))
    for process in processes:
        process.join()


def take_part(start: Any, results: Any) -> None:
    databases, aliases = json.loads(os.environ["STORE"])
    set_up(databases)
    for alias in aliases:
        DjangoStore(alias).get("key")
    start.wait(TIMEOUT)
    results.put({alias: claim_all(DjangoStore(alias)) for alias in aliases})


def claim_all(store: DjangoStore) -> list[int]:
    """Claim a key every 5 ms, in step with the others as far as they began at once."""
    won, start = [], time.monotonic()
    for number in range(KEYS):
        time.sleep(max(start + number * 0.005 - time.monotonic(), 0))
        if store.compare_and_set(f"race:{number}", None, b"x", 60):
            won.append(number)
    return won


class TestProcesses:
    def test_of_which_exactly_one_wins_each_claim(self, races, using):
        assert sorted(itertools.chain(*races[using])) == list(range(KEYS))


if __name__ == "__main__":
    race()
