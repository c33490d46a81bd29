"""How an endpoint starts and ends: recovery, drain, the exit of the interpreter, and the lifespans of applications."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import threading
import weakref
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette

from tests.endpoint.test_delivery import (  # noqa: F401, the fixture works by its name
    ASYNC,
    EXECUTOR,
    KINDS,
    NOW,
    PLAIN,
    SYNC,
    TOLD,
    build,
    list_log,
    no_secrets_in_the_log,
)
from tests.helpers.processes import World, in_virtual_time
from tests.helpers.rows import each_row
from tests.helpers.servers import run
from tests.helpers.virtual_time import make_executor
from wechat_msg import (
    NO_DEDUP,
    AnswerLater,
    AsyncPushEndpoint,
    PushEndpoint,
    PushRequest,
    PushSettings,
    SettingsError,
    SQLiteStore,
    StoreError,
    open_push,
)
from wechat_msg._flow import drive
from wechat_msg.adapters.asgi import push_app
from wechat_msg.adapters.fastapi import push_router
from wechat_msg.endpoint.records import Done, Free, load_entry, load_record
from wechat_msg.endpoint.upkeep import LOOK_EVERY


async def let_die(world: World, count: int = 1) -> None:
    """Let a process die that has acknowledged so many pushes, and let its lane end."""
    worker = world.start(100, kind=ASYNC)
    await asyncio.gather(*(worker.push(build(fields={"MsgId": 100 + number})) for number in range(count)))
    worker.kill()
    await asyncio.sleep(3)


# --- starting --------------------------------------------------------------------------------------------------------


class TestRecover:
    @in_virtual_time
    async def test_returns_the_number_of_pushes_and_does_not_wait_for_their_handlers(self, world):
        await let_die(world, 3)
        worker, began = world.start(10), world.now
        assert await worker.call("recover") == 3
        assert world.now == pytest.approx(began, abs=0.1)
        assert worker.sent == []
        await asyncio.sleep(40)
        assert worker.sent == [TOLD] * 3
        assert await worker.call("recover") == 0

    @in_virtual_time
    async def test_runs_one_handler_after_another_in_a_sync_endpoint_without_executor(self):
        world = World(SYNC)
        await let_die(world, 3)
        worker = world.start(10)
        await worker.call("recover")
        await asyncio.sleep(40)
        assert [at - worker.runs[0] for at in worker.runs] == pytest.approx([0, 10, 20], abs=0.1)

    @in_virtual_time
    async def test_runs_the_others_if_a_handler_ends_its_thread_in_a_sync_endpoint_without_executor(self):
        world = World(SYNC)
        await let_die(world, 3)

        async def handle(message: Any) -> str:
            if len(worker.runs) == 1:
                raise SystemExit
            return TOLD

        worker = world.start(handle)
        assert await worker.call("recover") == 3
        await asyncio.sleep(1)
        assert (len(worker.runs), worker.sent) == (3, [TOLD] * 2)
        await asyncio.sleep(70)
        assert (worker.sent, world.list_entries()) == ([TOLD] * 3, {})

    @in_virtual_time
    async def test_reports_the_error_of_the_store_and_looks_again(self, world, caplog):
        """A server that starts while the store is down must start all the same."""
        await let_die(world)
        worker = world.start(1)
        worker.store.down = True
        assert await worker.call("recover") == 0
        assert "the store is down" in caplog.text
        worker.store.down = False
        await asyncio.sleep(9)
        assert worker.sent == [TOLD]

    @in_virtual_time
    async def test_is_needed_in_no_process_that_gets_pushes(self, world):
        await let_die(world)
        worker = world.start(1)
        await worker.push()
        await asyncio.sleep(3)
        assert worker.sent == [TOLD]

    @each_row(
        "request",
        {
            "GET": PushRequest("GET", {"signature": "x", "timestamp": "1", "nonce": "n", "echostr": "e"}),
            "a POST that is refused": attrs.evolve(build(), query={}),
            "anything else": PushRequest("PUT", {}),
        },
    )
    @each_row("kind", KINDS)
    @in_virtual_time
    async def test_begins_with_the_first_request_of_any_kind(self, kind, request):
        world = World(kind)
        await let_die(world)
        worker = world.start(1)
        assert (await world.handle(worker.endpoint, request)).status >= 400
        await asyncio.sleep(3)
        assert worker.sent == [TOLD]
        await asyncio.sleep(20)


class TestBeforeTheFirstRequest:
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    def test_an_endpoint_asks_no_store_and_starts_no_thread(self, cls):
        store, threads = CountingStore(), threading.active_count()
        endpoint = cls(PLAIN, None, store=store, late=AnswerLater(print, after="last_try"))
        assert endpoint is not None
        assert (store.calls, threading.active_count()) == (0, threads)

    def test_an_import_starts_no_thread(self):
        code = "import threading, wechat_msg.endpoint; print(threading.active_count())"
        assert run("-c", code) == (0, "1\n")


class CountingStore:
    """A store of a user's own that counts calls."""

    calls = 0

    def get(self, key: str) -> bytes | None:
        self.calls += 1
        return None

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        self.calls += 1
        return True


# --- ending ----------------------------------------------------------------------------------------------------------


class TestDrain:
    @in_virtual_time
    async def test_waits_for_running_handlers_and_no_longer(self, early_world, caplog):
        worker = early_world.start(6)
        await worker.push()
        began = early_world.now
        await worker.call("drain", 30)
        assert early_world.now - began == pytest.approx(1.5, abs=0.1)
        assert (worker.sent, early_world.list_entries(), list_log(caplog)) == ([TOLD], {}, [])
        assert not early_world.memory.get(f"{PLAIN.identity}:lane:0")

    @in_virtual_time
    async def test_then_hands_back_what_runs_and_another_process_takes_it_over_at_once(self, early_world, caplog):
        first, second = early_world.start(60), early_world.start(1)
        await asyncio.gather(first.push(), first.push(build(fields={"MsgId": 7})))
        began = early_world.now
        await first.call("drain", 2)
        assert early_world.now - began == pytest.approx(2, abs=0.1)
        assert list_log(caplog) == [
            "the process ends while 2 handlers run; 2 of their pushes were handed back to others"
        ]
        assert isinstance(early_world.find_record(), Free)
        assert [entry.attempt for entry in early_world.list_entries().values()] == [0, 0]
        assert await second.call("recover") == 2
        await asyncio.sleep(2)
        assert second.sent == [TOLD] * 2
        await asyncio.sleep(60)
        assert (first.sent, first.lost, early_world.list_entries()) == ([], [], {})
        assert isinstance(early_world.find_record(), Done)

    @in_virtual_time
    async def test_hands_back_to_processes_that_only_look_now_and_then(self, world):
        first, second = world.start(60, kind=ASYNC), world.start(1)
        await second.push(build(fields={"MsgId": 7}))
        await first.push()
        await first.call("drain", 0)
        ended = world.now
        await asyncio.sleep(10)
        assert second.sent == [TOLD]
        assert second.runs[1] - ended <= 6.5

    @in_virtual_time
    async def test_hands_back_what_was_not_acknowledged_to_the_next_try(self, world):
        first, second = world.start(60), world.start(0)
        pushing = asyncio.create_task(first.push(tries=1))
        await asyncio.sleep(1)
        await first.call("drain", 0)
        assert world.find_record() is None
        assert (await second.push())[0][1] == TOLD
        await pushing
        await asyncio.sleep(70)
        assert world.sent == []

    @in_virtual_time
    async def test_takes_over_nothing_more(self, world):
        worker = world.start(3)
        await worker.push()
        await worker.call("drain", 0)
        await let_die(world)
        await asyncio.sleep(30)
        assert len(worker.runs) == 1

    @each_row("kind", [SYNC, EXECUTOR])
    @in_virtual_time
    async def test_runs_no_handler_that_waited_for_a_thread(self, kind):
        world = World(kind)
        await let_die(world, 3)
        worker = world.start(10, **({"executor": make_executor(1)} if kind == EXECUTOR else {}))
        await worker.call("recover")
        await asyncio.sleep(1)
        await worker.call("drain", 2)
        assert [entry.attempt for entry in world.list_entries().values()] == [1, 1, 1]
        await asyncio.sleep(60)
        assert len(worker.runs) == 1
        assert len(world.list_entries()) == 3

    @in_virtual_time
    async def test_may_be_followed_by_recover(self, world):
        """As when one application after another serves the same endpoint."""
        worker = world.start(3)
        await worker.call("drain", 0)
        await let_die(world)
        assert await worker.call("recover") == 1
        await asyncio.sleep(5)
        assert worker.sent == [TOLD]

    @in_virtual_time
    async def test_with_a_store_that_is_down_ends_all_the_same(self, early_world):
        worker = early_world.start(60)
        await worker.push()
        worker.store.down = True
        began = early_world.now
        await worker.call("drain", 1)
        assert early_world.now - began < 2
        worker.store.down = False
        second = early_world.start(1)
        await asyncio.sleep(3)
        assert await second.call("recover") == 1
        await asyncio.sleep(60)
        assert early_world.sent == [TOLD]

    @each_row("store", [None, NO_DEDUP])
    @each_row("kind", [EXECUTOR, ASYNC])
    @in_virtual_time
    async def test_hands_back_nothing_that_only_this_process_can_answer(self, caplog, kind, store):
        caplog.clear()
        world = World(kind)
        worker = world.start(10, store=store)
        await worker.push()
        await worker.call("drain", 1)
        [line] = list_log(caplog)
        assert line == "the process ends while 1 handlers run; 0 of their pushes were handed back to others"
        await asyncio.sleep(10)
        assert worker.sent == [TOLD]

    @in_virtual_time
    async def test_of_an_endpoint_without_work_logs_nothing(self, world, caplog):
        worker = world.start(0)
        await worker.push()
        await worker.call("drain", 10)
        assert list_log(caplog) == []

    @each_row("seconds", ["5", -1, math.nan, None, True])
    @each_row("kind", KINDS)
    @in_virtual_time
    async def test_for_anything_but_a_number_of_seconds_is_a_settings_error(self, kind, seconds):
        worker = World(kind).start(0)
        with pytest.raises(SettingsError, match="number of seconds"):
            await worker.call("drain", seconds)
        assert (await worker.push())[0][1] == TOLD


class TestAnUnusedEndpoint:
    @in_virtual_time
    async def test_ends_what_it_does_in_the_background(self, world):
        def count_flows():
            return len(asyncio.all_tasks()) + threading.active_count()

        before, worker = count_flows(), world.start(0)
        await worker.push()
        await asyncio.sleep(1)
        assert count_flows() == before + 2
        endpoint = weakref.ref(worker.endpoint)
        worker.endpoint = None
        gc.collect()
        assert endpoint() is None
        await asyncio.sleep(1.2 * LOOK_EVERY)
        assert count_flows() == before


class TestTheExitOfTheInterpreter:
    def exit_with(self, tmp_path: Any, handling: str) -> tuple[str, SQLiteStore, Any]:
        """Run a program that ends while it handles a push, and return its output and what stands in the store."""
        path = tmp_path / "store.db"
        status, output = run("-c", EXITS + handling, str(path))
        assert status == 0, output
        store, identity = SQLiteStore(path), PushSettings(token="spamtest").identity
        entry = store.get(f"{identity}:inbox:0:0")
        assert store.get(f"{identity}:lane:0") is None
        return output, store, entry

    def test_hands_back_what_runs_in_a_daemon_thread_with_a_warning(self, tmp_path):
        output, store, raw = self.exit_with(tmp_path, "endpoint.recover(); started.wait(20)\n")
        assert "the process ends while 1 handlers run; 1 of their pushes were handed back to others" in output
        entry = load_entry(raw)
        record = load_record(store.get(entry.key))
        assert (entry.state, entry.attempt, type(record)) == ("open", 1, Free)

    def test_waits_for_the_threads_of_executors(self, tmp_path):
        output, _, raw = self.exit_with(tmp_path, "endpoint = start(ThreadPoolExecutor(1), 0.2); endpoint.recover()\n")
        assert (output, raw) == ("sent\n", None)


EXITS = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from tests.endpoint.test_starting_and_ending import *
from wechat_msg.testing import build_push

settings, started = PushSettings(token="spamtest"), threading.Event()

def start(executor=None, seconds=60):
    def handle(message):
        started.set()
        time.sleep(seconds)
        return "hi"
    return PushEndpoint(settings, handle, store=SQLiteStore(sys.argv[1]), executor=executor,
        late=AnswerLater(lambda message: print("sent", flush=True), after="last_try"))

endpoint = start()
acknowledge(start()._handling, build_push(settings, {"Content": "hi"}, now=lambda: NOW))
"""


# --- applications ----------------------------------------------------------------------------------------------------


def make_recorder(cls: type[Any], calls: list[str], error: Exception | None = None) -> Any:
    """Return an endpoint that records the calls of its public methods."""

    def record(name: str) -> Any:
        calls.append(name)
        if error:
            raise error
        return 0

    class Sync(PushEndpoint):
        def recover(self) -> Any:
            return record(f"recover in {threading.current_thread().name.split('_')[0].split('-')[0]}")

        def drain(self, seconds: float = 30.0) -> Any:
            return record(f"drain {round(seconds)}")

    class Async(AsyncPushEndpoint):
        async def recover(self) -> Any:
            return record("recover")

        async def drain(self, seconds: float = 30.0) -> Any:
            return record(f"drain {round(seconds)}")

    return (Async if cls is AsyncPushEndpoint else Sync)(PLAIN)


async def live(app: Any, *, requests: tuple[PushRequest, ...] = ()) -> list[str]:
    """Start an ASGI application, send it requests, end it, and return what it said."""
    events: asyncio.Queue[Any] = asyncio.Queue()
    said: list[str] = []
    was_said = asyncio.Event()

    async def send(event: Any) -> None:
        said.append(event["type"])
        was_said.set()

    await events.put({"type": "lifespan.startup"})
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    living = asyncio.create_task(app(scope, events.get, send))
    await was_said.wait()
    for request in requests:
        await call(app, request)
    await events.put({"type": "lifespan.shutdown"})
    await living
    return said


async def call(app: Any, request: PushRequest) -> None:
    query = "&".join(f"{name}={value}" for name, value in request.query.items()).encode()
    scope = {"type": "http", "method": request.method, "path": "/wechat", "raw_path": b"/wechat", "headers": []}

    async def receive() -> Any:
        return {"type": "http.request", "body": request.body}

    async def send(event: Any) -> None:
        pass

    await app({**scope, "query_string": query, "root_path": ""}, receive, send)


def make_fastapi(endpoint: Any) -> Any:
    app = FastAPI()
    app.include_router(push_router(endpoint, "/wechat"))
    return app


def make_nested(endpoint: Any) -> Any:
    """A router in a router, in an application with a lifespan of its own."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> Any:
        yield {"colour": "green"}

    app, outer = FastAPI(lifespan=lifespan), APIRouter(prefix="/outer")
    outer.include_router(push_router(endpoint, "/inner"))
    app.include_router(push_router(endpoint, "/wechat"))
    app.include_router(outer)
    return app


def make_starlette(endpoint: Any) -> Any:
    router = push_router(endpoint, "/wechat")
    return Starlette(routes=router.routes, lifespan=router.lifespan_context)


APPS: dict[str, Callable[[Any], Any]] = {"asgi": push_app, "fastapi": make_fastapi, "starlette": make_starlette}
COMPLETE = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


class TestAnApplication:
    @each_row("make", APPS)
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    def test_recovers_when_it_starts_and_drains_when_it_ends(self, cls, make):
        calls: list[str] = []
        assert asyncio.run(live(make(make_recorder(cls, calls)))) == COMPLETE
        assert len(calls) == 2
        assert calls[0].startswith("recover")
        assert "MainThread" not in calls[0]
        assert calls[1] == "drain 30"

    def test_may_have_a_router_in_a_router_and_a_lifespan_of_its_own(self):
        calls: list[str] = []
        assert asyncio.run(live(make_nested(make_recorder(AsyncPushEndpoint, calls)))) == COMPLETE
        assert sorted(calls) == ["drain 30", "drain 30", "recover", "recover"]

    @each_row("make", APPS)
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    def test_drains_the_endpoints_that_a_function_has_chosen(self, cls, make):
        calls: list[str] = []
        chosen = [make_recorder(cls, calls) for _ in range(3)]
        app = make(lambda _: chosen[len(calls) % 2])
        assert asyncio.run(live(app)) == COMPLETE
        assert calls == []
        assert asyncio.run(live(app, requests=(build(), build()))) == COMPLETE
        assert calls == ["drain 30"]

    @each_row("make", APPS)
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    @each_row("error", [StoreError("down"), TypeError("a bug")])
    def test_starts_and_ends_although_the_endpoint_cannot_recover(self, caplog, error, cls, make):
        caplog.clear()
        calls: list[str] = []
        assert asyncio.run(live(make(make_recorder(cls, calls, error)))) == COMPLETE
        assert list_log(caplog) == ["recover() of an endpoint failed", "drain() of an endpoint failed"]

    @each_row("make", APPS)
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    def test_answers_what_was_acknowledged_before_it_started(self, tmp_path, cls, make):
        path = tmp_path / f"{cls.__name__} {make.__name__}.db"
        sent: list[str] = []

        def start(kind: Any) -> Any:
            def send(message: dict[str, Any]) -> None:
                sent.append(message["text"]["content"])

            return kind(PLAIN, lambda message: TOLD, store=SQLiteStore(path), late=AnswerLater(send, after="last_try"))

        acknowledge(start(PushEndpoint)._handling, build())
        assert asyncio.run(live(make(start(cls)))) == COMPLETE
        assert sent == [TOLD]


def acknowledge(handling: Any, request: PushRequest) -> None:
    """Be another process that has acknowledged a push, and handed it back."""
    push = open_push(handling.options.settings, request, now=lambda: NOW)
    key = handling.make_key(push.message)
    inbox = handling.inbox
    drive(inbox.put(inbox.make_entry(push, key, "..", attempt=1)), lambda step: step.perform())
    drive(handling.process.end(), lambda step: step.perform())
    inbox.store.compare_and_set(key, None, Free("..", "0:0", late=True).dump(), 100)
