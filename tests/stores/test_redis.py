"""The stores in Redis, with real servers that are killed, frozen, full and not Redis at all."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import redis.asyncio

from tests.helpers import servers
from tests.helpers.frames import list_arguments, list_locals
from tests.helpers.redis_server import run_redis
from tests.helpers.rows import check_rows
from wechat_msg.errors import SettingsError, StoreError
from wechat_msg.stores import AsyncStore, Store
from wechat_msg.stores.redis import AsyncRedisStore, RedisStore
from wechat_msg.testing import StoreContract

PASSWORD = "a-password-that-nobody-may-see"
KEY, VALUE = "the-key-that-nobody-may-see", b"a-value-that-nobody-may-see"
#: Seconds in which a call must have failed. What redis-py does takes a minute.
LIMIT = 10.0
PATIENT = {"timeout": servers.TIMEOUT}
PREFIX = "wechat_msg:"


class InLoop:
    """An asynchronous store, called from an event loop of its own."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store
        self._runner = asyncio.Runner()

    def get(self, key):
        return self._runner.run(self._store.get(key))

    def compare_and_set(self, key, expected, value, ttl):
        return self._runner.run(self._store.compare_and_set(key, expected, value, ttl))

    def close(self):
        self._runner.close()


@pytest.fixture(scope="module")
def server():
    with run_redis() as server:
        yield server


@pytest.fixture
def dedicated_server():
    with run_redis() as server:
        yield server


@pytest.fixture(params=["sync", "async"])
def connect(request):
    """Make stores, sync and asynchronous ones that are called in the same way."""
    with contextlib.ExitStack() as stack:

        def connect(url, timeout=servers.TIMEOUT, **options):
            if request.param == "sync":
                store = RedisStore(redis.Redis.from_url(url, **options), timeout=timeout)
            else:
                store = InLoop(AsyncRedisStore(redis.asyncio.Redis.from_url(url, **options), timeout=timeout))
            stack.callback(store.close)
            return store

        yield connect


@pytest.fixture
def store(connect, dedicated_server):
    store = connect(dedicated_server.url)
    claim(store, "at first")
    return store


@pytest.fixture
def key(request):
    """A key of the test's own."""
    return request.node.name


def claim(store, key=KEY):
    return store.compare_and_set(key, None, VALUE, 60)


def fail(operation, match):
    """Run *operation*, which must raise a StoreError soon, with no secrets in it."""
    started = time.monotonic()
    with pytest.raises(StoreError, match=match) as caught:
        operation()
    assert time.monotonic() - started < LIMIT
    assert not any(secret in str(caught.value) for secret in (KEY, VALUE.decode(), PASSWORD))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def fail_always(store, match):
    """Use *store* in every way; each must fail."""
    fail(lambda: store.get(KEY), match)
    fail(lambda: claim(store), match)
    fail(lambda: store.compare_and_set(KEY, VALUE, None, 60), match)


# --- the contract ----------------------------------------------------------------------------------------------------


#: Of a time in the past PEXPIRE deletes.
LESS_TO_LIVE = """
for _, key in ipairs(redis.call("KEYS", "*")) do
  redis.call("PEXPIRE", key, redis.call("PTTL", key) - ARGV[1])
end
"""


class Contract(StoreContract):
    """The contract without waiting: as much is taken from the time that keys have yet to live."""

    short_ttl = 5.0

    @pytest.fixture(autouse=True)
    def _find_server(self, server):
        self.server = server

    def advance(self, seconds):
        self.server.execute("EVAL", LESS_TO_LIVE, 0, round(seconds * 1000))


class TestRedisStore(Contract):
    def make_store(self):
        return RedisStore(redis.Redis.from_url(self.server.url), **PATIENT)

    def test_lets_entries_expire_by_the_real_clock(self, key):
        store = self.make_store()
        store.compare_and_set(key, None, VALUE, 0.05)
        time.sleep(0.06)
        assert store.get(key) is None
        assert claim(store, key)
        store.close()


class TestRedisStoreOfClientThatDecodes(Contract):
    def make_store(self):
        client = redis.Redis(port=self.server.port, decode_responses=True, protocol=3, encoding="utf-16")
        return RedisStore(client, **PATIENT)


class TestAsyncRedisStore(Contract):
    def make_store(self):
        return AsyncRedisStore(redis.asyncio.Redis(port=self.server.port, decode_responses=True), **PATIENT)


class PoolOfTheUser(redis.ConnectionPool):
    pass


class AsyncPoolOfTheUser(redis.asyncio.ConnectionPool):
    pass


class TestRedisStoreOfClientWithPoolOfItsOwn(Contract):
    def make_store(self):
        pool = PoolOfTheUser(port=self.server.port, decode_responses=True)
        return RedisStore(redis.Redis(connection_pool=pool), **PATIENT)


class TestAsyncRedisStoreOfClientWithPoolOfItsOwn(Contract):
    def make_store(self):
        self.pool = AsyncPoolOfTheUser(port=self.server.port, decode_responses=True)
        return AsyncRedisStore(redis.asyncio.Redis(connection_pool=self.pool), **PATIENT)

    def close_store(self, store):
        return self.pool.disconnect()


class OnCluster(Contract):
    def __init__(self, server):
        self.server = server
        self.client = redis.RedisCluster(host="127.0.0.1", port=server.port, decode_responses=True)

    def make_store(self):
        return RedisStore(self.client, **PATIENT)

    def close_store(self, store):
        """Not yet: to learn what a cluster is like takes a client long, so the tests share one."""


class OnClusterAsync(Contract):
    def __init__(self, server):
        self.server = server

    def make_store(self):
        self.client = redis.asyncio.RedisCluster(host="127.0.0.1", port=self.server.port, decode_responses=True)
        return AsyncRedisStore(self.client, **PATIENT)

    def close_store(self, store):
        return self.client.aclose()


class TestCluster:
    def test_keeps_the_contract(self):
        with run_redis("--cluster-enabled", "yes") as server:
            server.execute("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while b"cluster_state:ok" not in server.execute("CLUSTER", "INFO"):
                time.sleep(0.05)
            on_cluster = OnCluster(server)
            for contract in (on_cluster, OnClusterAsync(server)):
                for name in dir(contract):
                    if name.startswith("test_"):
                        getattr(contract, name)()
            on_cluster.client.close()


# --- settings --------------------------------------------------------------------------------------------------------


class TestIsMadeOf:
    def test_nothing_but_a_client(self):
        def check(make):
            with pytest.raises(SettingsError, match=r"redis\.Redis"):
                RedisStore(make())

        check_rows(
            [
                (row,)
                for row in [
                    redis.asyncio.Redis,
                    lambda: redis.ConnectionPool(),
                    lambda: redis.Redis,
                    lambda: "redis://localhost",
                    lambda: None,
                ]
            ],
            check,
        )

    def test_nothing_but_an_asynchronous_client(self):
        def check(make):
            with pytest.raises(SettingsError, match=r"redis\.asyncio\.Redis"):
                AsyncRedisStore(make())

        check_rows([(row,) for row in [redis.Redis, lambda: "redis://localhost", lambda: None]], check)

    def test_a_timeout_that_is_one(self):
        def check(timeout):
            with pytest.raises(SettingsError, match="timeout"):
                RedisStore(redis.Redis(), timeout=timeout)
            with pytest.raises(SettingsError, match="timeout"):
                AsyncRedisStore(redis.asyncio.Redis(), timeout=timeout)

        check_rows([(row,) for row in [0, -1, float("nan"), "1"]], check)

    def test_a_client_without_talking_to_the_server(self):
        RedisStore(redis.Redis(host="host.invalid"))
        AsyncRedisStore(redis.asyncio.Redis(host="host.invalid"))

    def test_a_client_and_is_a_store(self):
        assert isinstance(RedisStore(redis.Redis()), Store)
        assert isinstance(AsyncRedisStore(redis.asyncio.Redis()), AsyncStore)

    def test_redis_which_is_imported_only_for_it(self):
        code = "import sys, wechat_msg.stores, wechat_msg.testing; sys.exit('redis' in sys.modules)"
        assert subprocess.run((sys.executable, "-c", code), cwd=servers.ROOT, check=False).returncode == 0


class TestReaches:
    @pytest.mark.parametrize("options", [{}, {"protocol": 2}, {"protocol": 3}, {"decode_responses": True}], ids=str)
    def test_a_server_at_a_port(self, connect, server, options, key):
        store = connect(server.url, **options)
        assert claim(store, key)
        assert store.get(key) == VALUE

    def test_a_server_at_a_unix_socket(self, connect, server, key):
        store = connect(f"unix://{server.unix_socket}")
        assert claim(store, key)
        assert store.get(key) == VALUE

    def test_a_server_that_wants_a_password(self, connect):
        with run_redis(password=PASSWORD) as server:
            assert claim(connect(server.url))

    def test_the_chosen_database(self, connect, server, key):
        store = connect(server.url.removesuffix("0") + "5")
        assert claim(store, key)
        assert connect(server.url).get(key) is None

    def test_keys_that_begin_with_the_prefix(self, server):
        client = redis.Redis.from_url(server.url)
        for prefix in (PREFIX, "shop:", ""):
            store = RedisStore(client, prefix=prefix) if prefix != PREFIX else RedisStore(client)
            assert claim(store, "prefixed")
            assert client.delete(f"{prefix}prefixed") == 1
        client.close()

    def test_the_server_with_no_more_connections_than_needed(self, connect, dedicated_server):
        store = connect(dedicated_server.url)
        for number in range(20):
            claim(store, f"key {number}")
        assert clients_of(dedicated_server) == 1

    def test_the_server_with_one_command_for_a_claim_and_one_for_its_end(self, store, dedicated_server, key):
        store.compare_and_set("at first", VALUE, None, 60)  # now the server knows the script
        dedicated_server.execute("CONFIG", "RESETSTAT")
        assert claim(store, key)
        assert store.compare_and_set(key, VALUE, b"another", 60)
        calls = dedicated_server.execute("INFO", "commandstats")
        sent = {name: count["calls"] for name, count in calls.items() if name in ("cmdstat_set", "cmdstat_evalsha")}
        assert sent == {"cmdstat_set": 2, "cmdstat_evalsha": 1}  # the script itself sets once
        assert "cmdstat_ping" not in calls

    def test_the_server_from_many_threads_and_keeps_few_connections(self, dedicated_server):
        store = RedisStore(redis.Redis.from_url(dedicated_server.url), **PATIENT)
        with ThreadPoolExecutor(40) as pool:
            assert all(pool.map(lambda number: claim(store, f"key {number}"), range(400)))
        assert clients_of(dedicated_server) <= 32
        store.close()
        assert until(lambda: clients_of(dedicated_server) == 0)

    def test_the_server_from_many_tasks_over_few_connections(self, dedicated_server):
        async def use():
            store = AsyncRedisStore(redis.asyncio.Redis.from_url(dedicated_server.url), **PATIENT)
            done = await asyncio.gather(*(store.compare_and_set(f"key {i}", None, VALUE, 60) for i in range(400)))
            return done, dedicated_server.execute("INFO", "stats")

        done, stats = asyncio.run(use())
        assert all(done)
        assert stats["total_connections_received"] < 40


def clients_of(server):
    return len(server.execute("CLIENT", "LIST").splitlines()) - 1  # but for the one that asks


def until(condition):
    """Wait for *condition*, for which a StoreError means no."""
    deadline = time.monotonic() + servers.TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(StoreError):
            if condition():
                return True
        time.sleep(0.005)
    return False


# --- failures --------------------------------------------------------------------------------------------------------


class TestAServerThat:
    def test_is_not_there(self, connect, dedicated_server):
        dedicated_server.kill()
        fail_always(connect(dedicated_server.url), "cannot be reached")

    def test_was_killed_and_restarted(self, store, dedicated_server):
        dedicated_server.kill()
        fail_always(store, "cannot be reached")
        dedicated_server.start()
        assert claim(store)
        assert store.get(KEY) == VALUE

    def test_was_started_again_is_used_again(self, store, dedicated_server):
        dedicated_server.stop()
        dedicated_server.start()
        assert until(lambda: claim(store))
        dedicated_server.kill()
        dedicated_server.start()
        assert until(lambda: store.get(KEY) is None)

    def test_is_frozen(self, connect, dedicated_server):
        known, new = (connect(dedicated_server.url, timeout=0.2) for _ in range(2))
        claim(connect(dedicated_server.url), "at first")
        assert until(lambda: known.get("at first") == VALUE)
        dedicated_server.freeze()
        fail_always(known, "in time")
        fail_always(new, "in time")
        dedicated_server.thaw()
        assert until(lambda: known.get("at first") == VALUE)
        assert until(lambda: new.get("at first") == VALUE)

    def test_is_frozen_stops_many_at_once_only_for_a_moment(self, dedicated_server):
        store = RedisStore(redis.Redis.from_url(dedicated_server.url), timeout=0.2)
        dedicated_server.freeze()
        started = time.monotonic()
        with ThreadPoolExecutor(100) as pool:
            errors = list(pool.map(lambda number: error_of(lambda: claim(store)), range(100)))
        assert {type(error) for error in errors} == {StoreError}
        assert time.monotonic() - started < LIMIT  # one after the other: 20 s

    def test_is_out_of_memory(self, store, dedicated_server):
        dedicated_server.execute("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction")
        fail(lambda: claim(store), "out of memory")
        assert store.get("at first") == VALUE
        assert store.compare_and_set("at first", VALUE, None, 60)
        dedicated_server.execute("CONFIG", "SET", "maxmemory", "0")
        assert claim(store)

    def test_is_a_replica(self, store, dedicated_server):
        dedicated_server.execute("REPLICAOF", "127.0.0.1", 1)
        fail(lambda: claim(store), "read-only replica")
        dedicated_server.execute("REPLICAOF", "NO", "ONE")
        assert claim(store)

    def test_forgot_its_scripts(self, store, dedicated_server):
        dedicated_server.execute("SCRIPT", "FLUSH")
        assert claim(store)

    def test_holds_something_else(self, store, dedicated_server):
        dedicated_server.execute("RPUSH", f"{PREFIX}{KEY}", "a", "list")
        fail_always(store, "rejects the command")
        assert claim(store, "another key")

    @pytest.mark.parametrize("login", ["", ":wrong@", f":{PASSWORD}-not@", f"somebody:{PASSWORD}@"], ids=len)
    def test_refuses_the_password(self, connect, login):
        with run_redis(password=PASSWORD) as server:
            fail_always(connect(f"redis://{login}127.0.0.1:{server.port}"), "user or the password")

    def test_cannot_hold_the_key(self, store):
        fail(lambda: claim(store, "\ud800"), "not ASCII")
        fail(lambda: store.get("\ud800"), "not ASCII")


def error_of(operation):
    try:
        operation()
    except Exception as error:
        return error
    return None


@contextlib.contextmanager
def serve(talk):
    """Listen at a port of 127.0.0.1, and *talk* to everyone who comes, each in a thread; yield the address."""
    connections = []

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connections.append(listener.accept()[0])
                threading.Thread(target=run, args=(connections[-1],), daemon=True).start()

    def run(connection):
        with contextlib.suppress(OSError):
            talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in connections:
                connection.close()


def answer_always(answer):
    """Answer everything with *answer*."""

    def talk(connection):
        while connection.recv(1 << 16):
            connection.sendall(answer)

    return talk


def hang_up(connection):
    connection.close()


def be_silent(connection):
    while connection.recv(1 << 16):
        pass


class TestWhatIsNotRedis:
    def test_is_detected_by_its_answers(self, connect):
        def check(answer):
            with serve(answer_always(answer)) as url:
                fail_always(connect(url, timeout=0.1), "Redis: ")

        check_rows(
            [
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                b":7\r\n",
                b":seven\r\n",
                b"$seven\r\nabc\r\n",
                b"*1\r\n:1\r\n",
                b"*-7\r\n",
                b"\r\n\r\n",
                b"\0" * 100,
                b"-\r\n",
                b"-ERR no idea\r\n",
            ],
            check,
        )

    @pytest.mark.parametrize("talk", [hang_up, be_silent])
    def test_is_detected_by_the_form_of_its_answers(self, connect, talk):
        with serve(talk) as url:
            fail_always(connect(url, timeout=0.1), "in time|cannot be reached|protocol")

    def test_is_detected_by_its_greeting(self, connect):
        with serve(answer_always(b":1\r\n")) as url:
            fail_always(connect(f"{url}/5", password=PASSWORD), "Redis: ")

    def test_is_detected_by_its_answers_while_it_loads_its_data(self, connect):
        with serve(answer_always(b"-LOADING Redis is loading the dataset in memory\r\n")) as url:
            fail_always(connect(url), "loading")

    def test_may_accept_no_connection(self, connect):
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as stack:
            address = full.getsockname()
            for _ in range(3):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(address)
            fail_always(connect(f"redis://127.0.0.1:{address[1]}", timeout=0.1), "in time")


class LosesAnswers:
    """Stands before a server; when `armed`, it hands on the next command, but hangs up instead of the answer."""

    def __init__(self, server):
        self.armed = False
        self._port = server.port

    def talk(self, connection):
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            while command := connection.recv(1 << 16):
                server.sendall(command)
                answer = server.recv(1 << 16)
                if self.armed:
                    self.armed = False
                    connection.close()
                    return
                connection.sendall(answer)


class TestALostAnswer:
    @pytest.fixture
    def line(self, server):
        return LosesAnswers(server)

    @pytest.fixture
    def store(self, connect, line):
        with serve(line.talk) as url:
            store = connect(url)
            store.compare_and_set(
                "at first", VALUE, None, 60
            )  # now the server knows the script: no lost answer asks for it
            yield store

    def test_is_reported_although_the_claim_took_effect(self, store, line, key):
        line.armed = True
        fail(lambda: claim(store, key), "cannot be reached")
        assert store.get(key) == VALUE

    def test_is_reported_although_the_deletion_took_effect(self, store, line, key):
        claim(store, key)
        line.armed = True
        fail(lambda: store.compare_and_set(key, VALUE, None, 60), "cannot be reached")
        assert store.get(key) is None


# --- processes and event loops ---------------------------------------------------------------------------------------


class TestAfterAFork:
    def test_parent_and_child_have_connections_of_their_own(self, dedicated_server):
        code = """
            import os, sys, redis
            from wechat_msg.stores.redis import RedisStore

            store = RedisStore(redis.Redis.from_url(sys.argv[1]), timeout=60)
            for name in ("parent", "child"):
                store.compare_and_set(name, None, name.encode(), 60)
            child = os.fork()
            name = "parent" if child else "child"
            right = all(store.get(name) == name.encode() for _ in range(300))
            sys.exit(not right or os.waitpid(child, 0)[1] if child else not right)
            """
        command = (sys.executable, "-W", "error", "-c", textwrap.dedent(code), dedicated_server.url)
        assert subprocess.run(command, cwd=servers.ROOT, timeout=servers.TIMEOUT, check=False).returncode == 0


class TestInEventLoops:
    @pytest.fixture
    def store(self, dedicated_server):
        return AsyncRedisStore(redis.asyncio.Redis.from_url(dedicated_server.url), **PATIENT)

    def test_one_after_another(self, store, dedicated_server):
        for number in range(3):
            assert asyncio.run(store.compare_and_set(f"key {number}", None, VALUE, 60))
        assert len(store._opened) == 1
        assert until(lambda: clients_of(dedicated_server) == 0)

    def test_several_at_the_same_time(self, store):
        async def use(number):
            for _ in range(20):
                assert await store.get("key") is None
            return await store.compare_and_set(f"key {number}", None, VALUE, 60)

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda number: asyncio.run(use(number)), range(8)))

    @pytest.mark.filterwarnings("ignore::ResourceWarning")
    def test_that_end_without_notice(self, store):
        for number in range(3):
            loop = asyncio.new_event_loop()
            assert loop.run_until_complete(store.compare_and_set(f"key {number}", None, VALUE, 60))
            loop.close()
        assert asyncio.run(store.get("key 2")) == VALUE
        gc.collect()  # what had no notice warns of being left open

    def test_it_can_be_closed_and_used_again(self, store, dedicated_server):
        async def use():
            await store.aclose()
            await store.get("key")
            await store.aclose()
            assert await asyncio.to_thread(until, lambda: clients_of(dedicated_server) == 0)
            return await store.compare_and_set("key", None, VALUE, 60)

        assert asyncio.run(use())

    def test_it_survives_calls_that_are_cancelled(self, store, dedicated_server):
        async def use():
            for delay in range(40):
                calls = [asyncio.ensure_future(store.get("key")) for _ in range(5)]
                await asyncio.sleep(delay / 20_000)
                for call in calls:
                    call.cancel()
                await asyncio.wait(calls)
            claimed = await store.compare_and_set("key", None, VALUE, 60)
            return claimed, await store.get("key")

        assert asyncio.run(use()) == (True, VALUE)

    def test_it_ends_when_its_caller_is_cancelled(self, store, dedicated_server):
        async def use():
            await store.get("key")
            dedicated_server.freeze()
            async with asyncio.timeout(0.05):
                await store.get("key")

        with pytest.raises(TimeoutError):
            asyncio.run(use())


class TestTheFramesOfAnError:
    def test_hold_no_password(self, connect, dedicated_server):
        dedicated_server.execute("CONFIG", "SET", "requirepass", "another")
        store = connect(dedicated_server.url.replace("://", f"://:{PASSWORD}@"))
        for call in (lambda: store.get(KEY), lambda: claim(store)):
            error = error_of(call)
            assert isinstance(error, StoreError)
            seen = [*list_locals(error), *list_arguments(error)]
            assert [place for place, shown in seen if PASSWORD in shown] == []
