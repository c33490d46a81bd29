"""The stores that need no server, and the contract that every store keeps."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.rows import check_rows
from tests.helpers.servers import ROOT, TIMEOUT
from wechat_msg.errors import SettingsError, StoreError
from wechat_msg.stores import AsyncStore, MemoryStore, SQLiteStore, Store, in_thread
from wechat_msg.stores._sqlite_pool import Pool
from wechat_msg.testing import StoreContract

VALUE = b"a value"
LIMIT = 4.0  # seconds, in which every call must have ended: SQLite's own default would be 5


class Clock:
    def __init__(self, now=1_700_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


def claim(store, key="key"):
    return store.compare_and_set(key, None, VALUE, 60)


def fail(operation, match):
    """Run *operation*, which must raise a StoreError soon."""
    started = time.monotonic()
    with pytest.raises(StoreError, match=match) as caught:
        operation()
    assert time.monotonic() - started < LIMIT
    assert caught.value.__cause__ is None


# --- the contract ----------------------------------------------------------------------------------------------------


class Contract(StoreContract):
    """The contract without waiting."""

    @pytest.fixture(autouse=True)
    def _prepare(self, tmp_path):
        self.path = tmp_path / "store.db"
        self.clock = Clock()

    def advance(self, seconds):
        self.clock.now += seconds


class TestMemoryStoreKeepsTheContract(Contract):
    def make_store(self):
        return MemoryStore(clock=self.clock)


class TestSQLiteStoreKeepsTheContract(Contract):
    def make_store(self):
        return SQLiteStore(self.path, timeout=TIMEOUT, clock=self.clock)


class TestMemoryStoreInThreadKeepsTheContract(Contract):
    def make_store(self):
        return in_thread(MemoryStore(clock=self.clock))


class TestSQLiteStoreInThreadKeepsTheContract(Contract):
    def make_store(self):
        self.store = SQLiteStore(self.path, timeout=TIMEOUT, clock=self.clock)
        return in_thread(self.store)

    def close_store(self, store):
        self.store.close()


class ChecksThenSets(MemoryStore):
    """Leaves time for others between the check and the setting, as one does who asks a server twice."""

    def compare_and_set(self, key, expected, value, ttl):
        if self.get(key) != expected:
            return False
        time.sleep(0.005)
        return super().compare_and_set(key, self.get(key), value, ttl)


class IgnoresTimeToLive(MemoryStore):
    def compare_and_set(self, key, expected, value, ttl):
        return super().compare_and_set(key, expected, value, 1e9)


class RoundsUpToSeconds(MemoryStore):
    def compare_and_set(self, key, expected, value, ttl):
        return super().compare_and_set(key, expected, value, -(-ttl // 1))


class RoundsDownToSeconds(MemoryStore):
    def compare_and_set(self, key, expected, value, ttl):
        return super().compare_and_set(key, expected, value, ttl // 1)


class TakesEmptyForAbsent(MemoryStore):
    def get(self, key):
        return super().get(key) or None


class FoldsCase(MemoryStore):
    def get(self, key):
        return super().get(key.lower())

    def compare_and_set(self, key, expected, value, ttl):
        return super().compare_and_set(key.lower(), expected, value, ttl)


class StripsKeys(MemoryStore):
    def get(self, key):
        return super().get(key.rstrip())

    def compare_and_set(self, key, expected, value, ttl):
        return super().compare_and_set(key.rstrip(), expected, value, ttl)


class DeletesWhateverThereIs(MemoryStore):
    def compare_and_set(self, key, expected, value, ttl):
        return super().compare_and_set(key, self.get(key) if value is None else expected, value, ttl)


class RenewsWhatItRefuses(MemoryStore):
    def compare_and_set(self, key, expected, value, ttl):
        found = self.get(key)
        done = super().compare_and_set(key, expected, value, ttl)
        if not done and found is not None:
            super().compare_and_set(key, found, found, ttl)
        return done


class ReplacesExpired(MemoryStore):
    def compare_and_set(self, key, expected, value, ttl):
        if expected is not None and self.get(key) is None and self._entries.get(key, (None,))[0] == expected:
            expected = None
        return super().compare_and_set(key, expected, value, ttl)


class DecodesValues(MemoryStore):
    def get(self, key):
        value = super().get(key)
        return value if value is None else value.decode(errors="replace").encode()


class ReturnsOtherTypes(MemoryStore):
    def get(self, key):
        value = super().get(key)
        return value if value is None else memoryview(value)


def failures_of(store_class):
    """Return the names of the tests that stores of the class fail, and what they say."""

    class TestIt(StoreContract, unittest.TestCase):
        def setUp(self):
            self.clock = Clock()

        def make_store(self):
            return store_class(clock=self.clock)

        async def advance(self, seconds):
            self.clock.now += seconds

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(TestIt).run(result)
    assert result.testsRun > 30
    assert not result.errors
    return {test._testMethodName: text for test, text in result.failures}


class TestTheContract:
    def test_is_kept_by_a_good_store_under_unittest_too(self):
        assert failures_of(MemoryStore) == {}

    def test_finds_a_store_that_checks_first_and_sets_later(self):
        failures = failures_of(ChecksThenSets)
        assert "claims won; exactly one must" in failures["test_of_many_claims_at_once_exactly_one_wins"]
        assert {
            "test_no_increment_is_lost",
            "test_of_many_deletions_at_once_exactly_one_wins",
            "test_of_many_claims_of_an_expired_key_exactly_one_wins",
            "test_of_many_that_expect_the_same_value_exactly_one_wins",
        } <= set(failures)

    def test_finds_a_store_that_ignores_the_time_to_live(self):
        failures = failures_of(IgnoresTimeToLive)
        assert "get returned b'first' of a key that is absent or expired" in failures["test_a_value_expires"]

    def test_finds_other_mistakes(self):
        def check(store_class, test):
            assert test in failures_of(store_class)

        check_rows(
            [
                (RoundsUpToSeconds, "test_a_time_to_live_may_be_a_fraction_of_a_second"),
                (RoundsDownToSeconds, "test_a_time_to_live_may_be_a_fraction_of_a_second"),
                (TakesEmptyForAbsent, "test_an_empty_value_is_not_absent"),
                (FoldsCase, "test_keys_are_the_same_only_if_every_character_is"),
                (StripsKeys, "test_keys_are_the_same_only_if_every_character_is"),
                (DeletesWhateverThereIs, "test_a_value_is_deleted_only_if_it_is_the_expected_one"),
                (RenewsWhatItRefuses, "test_a_refused_value_does_not_make_the_other_live_longer"),
                (RenewsWhatItRefuses, "test_a_refused_value_does_not_make_the_other_live_shorter"),
                (ReplacesExpired, "test_an_expired_value_is_no_longer_the_expected_one"),
                (DecodesValues, "test_a_value_may_hold_any_bytes"),
                (ReturnsOtherTypes, "test_an_absent_key_can_be_claimed"),
            ],
            check,
        )

    def test_really_waits_by_default(self):
        started = time.monotonic()
        asyncio.run(StoreContract().advance(0.05))
        assert time.monotonic() - started >= 0.05

    def test_asks_for_a_store(self):
        with pytest.raises(NotImplementedError, match="make_store"):
            StoreContract().test_a_new_key_is_absent()

    def test_closes_stores_in_either_way(self):
        closed = []

        class Closable(MemoryStore):
            def close(self):
                closed.append("close")

        class AsyncClosable(Closable):
            async def aclose(self):
                closed.append("aclose")

        for store in (Closable(), AsyncClosable()):
            contract = StoreContract()
            contract.make_store = lambda store=store: store
            contract.test_a_new_key_is_absent()
        assert closed == ["close", "aclose"]

    def test_needs_no_pytest(self, tmp_path):
        code = "import sys, wechat_msg.testing; sys.exit('pytest' in sys.modules)"
        assert subprocess.run((sys.executable, "-c", code), cwd=ROOT, check=False).returncode == 0

    def test_is_reported_in_detail_by_pytest(self, tmp_path):
        (tmp_path / "test_it.py").write_text(
            textwrap.dedent("""\
                from wechat_msg.stores import MemoryStore
                from wechat_msg.testing import StoreContract

                class Forgets(MemoryStore):
                    def get(self, key):
                        return None

                class TestIt(StoreContract):
                    def make_store(self):
                        return Forgets()
                """)
        )
        command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "be_claimed", "-q")
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert "AssertionError: get returned None, not the bytes b'first'" in done.stdout
        assert "where None = type(None)" not in done.stdout
        assert "assert <class 'NoneType'> is bytes" in done.stdout


# --- MemoryStore -----------------------------------------------------------------------------------------------------


class TestMemoryStore:
    def test_is_a_store(self):
        assert isinstance(MemoryStore(), Store)

    def test_holds_at_least_one_entry(self):
        def check(number):
            with pytest.raises(SettingsError, match="max_entries"):
                MemoryStore(number)

        check_rows([0, -1], check)

    def test_drops_what_has_expired_before_anything_else(self):
        clock = Clock()
        store = MemoryStore(3, clock=clock)
        for key, ttl in (("long", 60), ("short", 1), ("longer", 90)):
            store.compare_and_set(key, None, VALUE, ttl)
        clock.now += 2
        claim(store, "new")
        assert [store.get(key) for key in ("long", "longer", "new")] == [VALUE] * 3
        assert len(store) == 3

    def test_drops_what_has_expired_first_although_it_was_rewritten_often(self):
        clock = Clock()
        store = MemoryStore(1000, clock=clock)
        kept = [f"kept {number}" for number in range(100)]
        for key in kept:
            store.compare_and_set(key, None, VALUE, 10_000)
        for expected in (None, VALUE, VALUE, VALUE):
            for number in range(900):
                store.compare_and_set(f"short {number}", expected, VALUE, 10)
        clock.now += 20
        for number in range(200):
            claim(store, f"new {number}")
        assert [key for key in kept if store.get(key) is None] == []

    def test_drops_what_was_written_longest_ago_when_nothing_has_expired(self):
        store = MemoryStore(3)
        for key in ("first", "second", "third"):
            claim(store, key)
        store.compare_and_set("first", VALUE, b"again", 60)
        claim(store, "fourth")
        assert store.get("second") is None
        assert [store.get(key) for key in ("third", "first", "fourth")] == [VALUE, b"again", VALUE]

    def test_does_not_keep_what_is_read_often(self):
        store = MemoryStore(2)
        claim(store, "first")
        claim(store, "second")
        store.get("first")
        claim(store, "third")
        assert store.get("first") is None

    def test_stays_small_after_100_000_messages(self):
        clock = Clock()
        store = MemoryStore(1_000_000, clock=clock)
        for number in range(100_000):
            clock.now += 0.01
            store.compare_and_set(f"key {number}", None, VALUE, 1)
        assert len(store) <= 101
        assert len(store._ends) <= 2 * 101 + 64

    def test_stays_small_when_the_same_key_is_set_again_and_again(self):
        store = MemoryStore()
        claim(store)
        for _ in range(10_000):
            store.compare_and_set("key", VALUE, VALUE, 60)
        assert len(store) == 1
        assert len(store._ends) <= 100

    def test_stays_small_when_nothing_expires(self):
        store = MemoryStore(1000)
        for number in range(10_000):
            claim(store, f"key {number}")
        assert len(store) == 1000
        assert len(store._ends) <= 2 * 1000 + 64

    def test_drops_in_the_order_of_writing_what_was_written_again_meanwhile(self):
        store = MemoryStore(100)
        for number in range(101):
            claim(store, f"key {number}")
        for number in range(1, 101, 2):
            assert store.compare_and_set(f"key {number}", VALUE, b"again", 60)
        for number in range(101, 151):
            claim(store, f"key {number}")
        assert [store.get(f"key {number}") for number in range(1, 101)] == [b"again", None] * 50
        claim(store, "the last one")
        assert store.get("key 1") is None
        assert store.get("key 3") == b"again"

    def test_drops_what_expires_at_once_in_small_parts(self):
        clock = Clock()
        store = MemoryStore(clock=clock)
        for number in range(2000):
            store.compare_and_set(f"key {number}", None, VALUE, 60)
        clock.now += 60
        sizes = []
        for number in range(100):
            claim(store, f"new {number}")
            sizes.append(len(store))
        assert max(before - after for before, after in itertools.pairwise([2000, *sizes])) < 100
        assert sizes[-1] == 100

    def test_forgets_the_ends_of_what_was_deleted_in_small_parts(self):
        clock = Clock()
        store = MemoryStore(clock=clock)
        claim(store, "stays")
        store.compare_and_set("goes", None, VALUE, 30)
        for number in range(2000):
            claim(store, f"key {number}")
        for number in range(2000):
            store.compare_and_set(f"key {number}", VALUE, None, 60)
        held = [len(store._ends) + len(store._former_ends)]
        for _ in range(100):
            store.compare_and_set("stays", VALUE, VALUE, 60)
            held.append(len(store._ends) + len(store._former_ends))
        assert max(before - after for before, after in itertools.pairwise(held)) < 100
        assert held[-1] < 200
        clock.now += 30
        claim(store, "new")
        assert len(store) == 2


class TestInThread:
    def test_makes_an_asynchronous_store(self):
        assert isinstance(in_thread(MemoryStore()), AsyncStore)

    def test_passes_errors_on(self):
        with pytest.raises(StoreError):
            asyncio.run(in_thread(SQLiteStore("/no/such/folder/store.db")).get("key"))

    def test_does_not_stall_the_event_loop(self):
        turned_often = threading.Event()

        class Slow(MemoryStore):
            def get(self, key):
                return b"the loop went on" if turned_often.wait(10) else b"the loop stood still"

        async def use():
            reading = asyncio.ensure_future(in_thread(Slow()).get("key"))
            for _ in range(5):
                await asyncio.sleep(0.001)
            turned_often.set()
            return await reading

        assert asyncio.run(use()) == b"the loop went on"

    def test_takes_a_given_executor(self):
        class NamesItsThread(MemoryStore):
            def get(self, key):
                return threading.current_thread().name.encode()

        with ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:
            assert asyncio.run(in_thread(NamesItsThread(), executor).get("key")).startswith(b"mine")


# --- SQLiteStore: the file -------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def store(path):
    with SQLiteStore(path, timeout=TIMEOUT) as store:
        yield store


@pytest.fixture
def impatient_store(path):
    with SQLiteStore(path, timeout=0.2) as store:
        yield store


def size_of(path, suffix=""):
    return path.with_name(path.name + suffix).stat().st_size


class TestSQLiteStore:
    def test_is_a_store(self, store):
        assert isinstance(store, Store)

    def test_needs_a_file(self):
        def check(path):
            with pytest.raises(SettingsError, match="MemoryStore"):
                SQLiteStore(path)

        check_rows(["", ":memory:", "nul\0"], check)

    @pytest.mark.parametrize("timeout", [-1, float("nan"), "1"])
    def test_needs_a_timeout_that_is_one(self, path, timeout):
        with pytest.raises(SettingsError, match="timeout"):
            SQLiteStore(path, timeout=timeout)

    def test_opens_nothing_before_it_is_used(self, path):
        SQLiteStore(path)
        SQLiteStore("/no/such/folder/store.db")
        assert not path.exists()

    def test_keeps_its_entries(self, path):
        with SQLiteStore(path) as store:
            claim(store)
        with SQLiteStore(str(path)) as store:
            assert store.get("key") == VALUE
            assert not claim(store)

    def test_lets_entries_expire_at_the_moment_that_was_set(self, path):
        clock = Clock()
        with SQLiteStore(path, clock=clock) as store:
            claim(store)
            clock.now += 60
            assert store.get("key") is None
            assert not store.compare_and_set("key", VALUE, b"new", 60)
            assert claim(store)

    def test_lets_entries_expire_by_the_real_clock(self, store):
        store.compare_and_set("key", None, VALUE, 0.05)
        time.sleep(0.06)
        assert store.get("key") is None
        assert claim(store)

    def test_can_be_used_after_it_was_closed(self, store):
        claim(store)
        store.close()
        assert store.get("key") == VALUE

    def test_leaves_nothing_but_its_file_behind(self, store, path):
        claim(store)
        store.close()
        assert [file.name for file in path.parent.iterdir()] == ["store.db"]

    def test_stays_with_its_file_when_the_directory_changes(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with SQLiteStore("store.db") as store:
            claim(store)
            (tmp_path / "other").mkdir()
            monkeypatch.chdir("other")
            assert store.get("key") == VALUE

    def test_lives_in_a_file_with_other_tables(self, store, path):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE mine (name)")
            claim(store)
            assert connection.execute("SELECT * FROM mine").fetchall() == []

    def test_stays_small_after_many_messages(self, path):
        clock, largest = Clock(), 0
        with SQLiteStore(path, clock=clock) as store:
            for number in range(20_000):
                clock.now += 0.001
                store.compare_and_set(f"a key, as long as they are {number}", None, VALUE, 0.5)
                if not number % 1000:
                    largest = max(largest, size_of(path, "-wal"))
        assert size_of(path) < 500_000
        assert largest < 10_000_000

    def test_empties_a_log_that_grows_too_long(self, path):
        pool, largest = Pool(path, max_log=200_000, empty_for=0.0), 0  # however long a busy machine takes for it
        with pool.connection():
            pass
        for number in range(2000):
            pool.limit_log()
            with pool.connection() as connection:
                connection.execute("INSERT INTO wechat_msg_store VALUES (?, ?, 1e12)", (f"key {number}", VALUE))
            largest = max(largest, size_of(path, "-wal"))
        pool.close()
        assert 200_000 < largest < 2_000_000

    def test_keeps_its_log_within_twice_the_limit_however_busy_it_is(self, path):
        """It is 16 MB; all the writes together are 90 MB, and there is no moment without readers and writers."""

        def write_and_read(number):
            store.compare_and_set(f"key {number}", None, bytes(60_000), 60)
            store.get(f"key {number}")
            return size_of(path, "-wal")

        with SQLiteStore(path, timeout=TIMEOUT) as store, ThreadPoolExecutor(8) as pool:
            assert max(pool.map(write_and_read, range(1500))) < 32_000_000

    def test_continues_while_a_long_read_of_another_program_keeps_its_log_from_being_emptied(self, store, path):
        claim(store)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM wechat_msg_store").fetchall()
            begun = time.monotonic()
            for number in range(400):
                assert store.compare_and_set(f"key {number}", None, bytes(60_000), 60)
            assert size_of(path, "-wal") > 16_000_000
            assert time.monotonic() - begun < 20  # it does not wait in vain with every write

    def test_needs_few_connections(self, store, path):
        with ThreadPoolExecutor(40) as pool:
            assert all(pool.map(lambda number: claim(store, f"key {number}"), range(400)))
        assert len([fd for fd in Path("/proc/self/fd").iterdir() if "store.db" in link_of(fd)]) <= 3 * 16

    def test_leaves_no_connection_open_when_it_is_forgotten(self, path):
        code = """
            import gc, sys
            from wechat_msg.stores import SQLiteStore
            SQLiteStore(sys.argv[1]).get("key")
            gc.collect()
            at_exit = SQLiteStore(sys.argv[1])
            at_exit.get("key")
            """
        assert run(code, path, options=("-W", "error", "-X", "dev")) == ""
        assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def link_of(fd):
    with contextlib.suppress(OSError):
        return str(fd.readlink())
    return ""


def run(code, *args, options=()):
    """Run *code* in a process of its own; return what it prints, also of errors."""
    done = subprocess.run(
        (sys.executable, *options, "-c", textwrap.dedent(code), *map(str, args)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return done.stdout


class TestASQLiteFileThat:
    def test_is_in_no_folder(self, tmp_path):
        store = SQLiteStore(tmp_path / "folder" / "store.db")
        fail(lambda: claim(store), "cannot be opened")
        fail(lambda: store.get("key"), "cannot be opened")
        (tmp_path / "folder").mkdir()
        assert claim(store)

    def test_is_in_what_is_not_a_folder(self, tmp_path):
        (tmp_path / "file").write_bytes(b"")
        fail(lambda: claim(SQLiteStore(tmp_path / "file" / "store.db")), "cannot be opened")

    def test_is_a_folder(self, store, path):
        path.mkdir()
        fail(lambda: claim(store), "cannot be opened")
        path.rmdir()
        assert claim(store)

    def test_is_not_a_database(self, store, path):
        path.write_bytes(b"not a database " * 1000)
        fail(lambda: claim(store), r"store\.db' is not a SQLite file")
        fail(lambda: store.get("key"), "is not a SQLite file")
        path.unlink()
        assert claim(store)

    def test_is_damaged(self, store, path):
        for number in range(200):
            claim(store, f"key {number}")
        store.close()
        content = path.read_bytes()
        path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
        fail(lambda: claim(store), "is damaged")
        path.unlink()
        assert claim(store)

    def test_is_empty(self, store, path):
        path.write_bytes(b"")
        assert claim(store)

    def test_holds_a_table_of_another_program(self, store, path):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE wechat_msg_store (key TEXT, value TEXT, expires REAL)")
            connection.execute("INSERT INTO wechat_msg_store VALUES ('key', 'a text', 9e9)")
            connection.commit()
        fail(lambda: store.get("key"), "did not write")
        fail(lambda: claim(store), "cannot be used")

    def test_cannot_hold_the_key(self, store):
        fail(lambda: claim(store, "\ud800"), "not ASCII")
        fail(lambda: store.get("\ud800"), "not ASCII")

    def test_is_locked_by_another_process(self, impatient_store, path):
        store = impatient_store
        claim(store, "at first")
        with Worker(path) as worker:
            worker.ask("lock")
            started = time.monotonic()
            fail(lambda: claim(store), "is locked by another process")
            assert time.monotonic() - started >= 0.2
            assert store.get("at first") == VALUE
            worker.ask("unlock")
            assert claim(store)

    def test_is_being_made_by_another_process(self, impatient_store, path):
        store = impatient_store
        folder = os.open(path.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        fail(lambda: claim(store), "is locked by another process")
        os.close(folder)
        assert claim(store)

    def test_is_locked_for_a_moment(self, path):
        with SQLiteStore(path, timeout=TIMEOUT) as store, Worker(path) as worker:
            worker.ask("lock")
            threading.Timer(0.1, worker.ask, ("unlock",)).start()
            assert claim(store)

    def test_is_too_large_for_the_disk(self, path):
        code = """
            import resource, signal, sys
            from wechat_msg.errors import StoreError
            from wechat_msg.stores import SQLiteStore

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            store = SQLiteStore(sys.argv[1])
            store.compare_and_set("at first", None, b"value", 60)
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
            kept = 0
            try:
                while kept < 1000:
                    store.compare_and_set(f"key {kept}", None, bytes(10_000), 60)
                    kept += 1
            except StoreError as error:
                print(error)
            print(store.get("at first"), store.get(f"key {kept}"))
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            print(store.compare_and_set(f"key {kept}", None, b"value", 60))
            print([store.get(f"key {number}") for number in range(kept)] == [bytes(10_000)] * kept, kept > 5)
            """
        error, *rest = run(code, path).splitlines()
        assert "the disk is full" in error
        assert rest == ["b'value' None", "True", "True True"]


NOBODY = """
    import os, sys
    from wechat_msg.errors import StoreError
    from wechat_msg.stores import SQLiteStore

    if not os.getuid():  # whom no permission stops
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    store = SQLiteStore(sys.argv[1])
    for use in (lambda: store.get("key"), lambda: store.compare_and_set("new", None, b"new", 60)):
        try:
            print(use())
        except StoreError as error:
            print(error)
    """


class TestAReadOnly:
    @pytest.fixture
    def path(self):
        # Not tmp_path, into which nobody but its owner may look.
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            yield Path(folder, "store.db")
            Path(folder).chmod(0o755)

    def test_folder_gets_no_file(self, path):
        path.parent.chmod(0o555)
        for line in run(NOBODY, path).splitlines():
            assert "cannot be opened or created" in line

    def test_folder_gets_no_entries(self, path):
        with SQLiteStore(path) as store:
            claim(store)
        path.chmod(0o666)
        path.parent.chmod(0o555)
        lines = run(NOBODY, path).splitlines()
        assert len(lines) == 2
        assert all("cannot be opened" in line or "read-only" in line for line in lines)

    def test_file_gets_no_entries(self, path):
        with SQLiteStore(path) as store:
            claim(store)
        path.chmod(0o444)
        path.parent.chmod(0o777)
        *_, writing = run(NOBODY, path).splitlines()
        assert "read-only" in writing
        path.chmod(0o666)
        with SQLiteStore(path) as store:
            assert claim(store, "new")


# --- SQLiteStore: processes ------------------------------------------------------------------------------------------


WORKER = """
    import json, sqlite3, sys
    from wechat_msg.stores import SQLiteStore

    store = SQLiteStore(sys.argv[1], timeout=60)
    lock = sqlite3.connect(sys.argv[1], isolation_level=None)
    for line in sys.stdin:
        command, *keys = json.loads(line)
        if command == "lock":
            lock.execute("BEGIN EXCLUSIVE")
        if command == "unlock":
            lock.execute("ROLLBACK")
        try:
            answer = [store.compare_and_set(key, None, b"value", 60) for key in keys]
        except Exception as error:
            answer = repr(error)
        print(json.dumps(answer), flush=True)
    """


class Worker:
    """A process that claims keys of a store in a file when it is asked."""

    def __init__(self, path):
        self._path = path

    def __enter__(self):
        self.process = subprocess.Popen(
            (sys.executable, "-c", textwrap.dedent(WORKER), str(self._path)),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        with self.process:
            self.process.kill()

    def send(self, command, *keys):
        print(json.dumps([command, *keys]), file=self.process.stdin, flush=True)

    def listen(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, command, *keys):
        self.send(command, *keys)
        return self.listen()


@pytest.fixture
def workers(path):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Worker(path)) for _ in range(3)]


class TestOfManyProcesses:
    def test_exactly_one_wins_each_key(self, workers):
        keys = [f"key {number}" for number in range(500)]
        for worker in workers:
            worker.send("claim", *keys)
        won = [worker.listen() for worker in workers]
        assert [sum(column) for column in zip(*won, strict=True)] == [1] * len(keys)

    def test_none_has_to_wait_long(self, path):
        code = """
            import sys, time
            from wechat_msg.stores import SQLiteStore

            store, slowest, began = SQLiteStore(sys.argv[1], timeout=60), 0.0, time.monotonic()
            for number in range(300):
                time.sleep(max(0.0, began + number / 250 - time.monotonic()))
                started = time.monotonic()
                assert store.compare_and_set(f"{sys.argv[2]} {number}", None, b"value", 1)
                slowest = max(slowest, time.monotonic() - started)
            print(slowest)
            """
        with ThreadPoolExecutor(4) as pool:
            for round_ in range(3):  # the machine may be busy with something else, but hardly each time
                slowest = list(pool.map(lambda name: float(run(code, path, name)), range(4 * round_, 4 * round_ + 4)))
                if max(slowest) < 1:
                    return
        pytest.fail(f"a call has taken {max(slowest):.1f} s")

    def test_all_go_over_to_a_new_file(self, workers, path):
        for worker in workers:
            worker.ask("claim", "key", "another key")
        for remove_all in (False, True):
            for file in path.parent.glob("store.db*" if remove_all else "store.db"):
                file.unlink()
            assert [worker.ask("claim", "key") for worker in workers] == [[True], [False], [False]]
            assert [worker.ask("claim", "another key") for worker in workers[::-1]] == [[True], [False], [False]]

    def test_all_go_over_to_a_new_file_at_the_same_time(self, workers, path):
        for number in range(20):
            path.unlink(missing_ok=True)
            for worker in workers:
                worker.send("claim", f"key {number}")
            assert sorted(worker.listen() for worker in workers) == [[False], [False], [True]]

    def test_all_agree_about_what_took_the_place_of_the_file(self, workers, path):
        for worker in workers:
            worker.ask("claim", "key")
        path.with_suffix(".new").write_bytes(b"not a database" * 1000)
        path.with_suffix(".new").replace(path)
        # What was in the -wal file may still be enough to go on with.
        answers = [worker.ask("claim", "new") for worker in workers]
        assert answers == [[True], [False], [False]] or all("StoreError" in answer for answer in answers)
        path.unlink()
        assert [worker.ask("claim", "key") for worker in workers] == [[True], [False], [False]]

    def test_some_may_be_killed_while_they_write(self, path, tmp_path):
        code = """
            import sys
            from wechat_msg.stores import SQLiteStore

            store, number = SQLiteStore(sys.argv[1], timeout=60), 0
            while store.compare_and_set(f"{sys.argv[2]} {number}", None, b"value", 600):
                print(number, flush=True)
                number += 1
            """
        for round_ in range(5):
            outputs = [tmp_path / f"{round_} {number}" for number in range(2)]
            with contextlib.ExitStack() as stack:
                for output in outputs:
                    command = (sys.executable, "-c", textwrap.dedent(code), str(path), output.name)
                    with output.open("wb") as file:
                        writer = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=file))
                    stack.callback(writer.kill)
                deadline = time.monotonic() + TIMEOUT
                while min(map(lines_of, outputs)) < 20:
                    assert time.monotonic() < deadline
                    time.sleep(0.001 + 0.001 * round_)
            with SQLiteStore(path) as store:
                for output in outputs:
                    assert all(store.get(f"{output.name} {number}") == b"value" for number in range(lines_of(output)))
                assert claim(store, f"{round_}")
            with contextlib.closing(sqlite3.connect(path)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def lines_of(path):
    return path.read_bytes().count(b"\n")


class TestAForkOfAProcessWithASQLiteStore:
    def test_leaves_parent_and_children_with_connections_of_their_own(self, path):
        code = """
            import os, sys
            from wechat_msg.stores import SQLiteStore

            store = SQLiteStore(sys.argv[1], timeout=60)
            store.compare_and_set("at first", None, b"value", 60)
            children = []
            for _ in range(4):
                child = os.fork()
                if not child:
                    won = sum(store.compare_and_set(f"key {number}", None, b"value", 60) for number in range(100))
                    os.write(1, b"%d\\n" % won)
                    sys.exit(store.get("at first") != b"value")  # with all that Python does at its end
                children.append(child)
            won = sum(store.compare_and_set(f"key {number}", None, b"value", 60) for number in range(100))
            os.write(1, b"%d\\n" % won)
            print(*(f"exit {os.waitpid(child, 0)[1]}" for child in children), sep="\\n")
            """
        lines = run(code, path, options=("-W", "error", "-X", "dev")).splitlines()
        assert [line for line in lines if line.startswith("exit")] == ["exit 0"] * 4
        assert sum(int(line) for line in lines if not line.startswith("exit")) == 100

    def test_may_happen_while_threads_use_the_store(self, path):
        code = """
            import os, sys, threading
            from wechat_msg.stores import SQLiteStore

            store, stop = SQLiteStore(sys.argv[1], timeout=60), threading.Event()

            def work(name):
                number = 0
                while not stop.is_set():
                    assert store.compare_and_set(f"{name} {number}", None, b"value", 60)
                    number += 1
                os.write(1, b"worked\\n" if number > 10 else b"hardly worked\\n")

            threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
            for thread in threads:
                thread.start()
            for round_ in range(20):
                child = os.fork()
                if not child:
                    os._exit(not store.compare_and_set(f"child {round_}", None, b"value", 60))
                assert os.waitpid(child, 0)[1] == 0
                assert not store.compare_and_set(f"child {round_}", None, b"value", 60)
            stop.set()
            for thread in threads:
                thread.join()
            """
        assert run(code, path, options=("-W", "ignore::DeprecationWarning")) == "worked\n" * 3

    def test_may_happen_behind_the_back_of_python(self, path):
        code = """
            import ctypes, os, sys
            from wechat_msg.stores import SQLiteStore, _sqlite_pool

            store = SQLiteStore(sys.argv[1], timeout=60)
            store.compare_and_set("at first", None, b"value", 60)
            child = ctypes.PyDLL(None).fork()  # as uWSGI does
            won = sum(store.compare_and_set(f"key {number}", None, b"value", 60) for number in range(100))
            if not child:
                store.close()
                os._exit(won if len(_sqlite_pool._inherited) == 1 else 255)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print(won + status, store.get("at first"))
            """
        assert run(code, path) == "100 b'value'\n"
