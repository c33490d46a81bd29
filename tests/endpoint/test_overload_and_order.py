"""``max_running=`` and ``ordered=True``: more work than a process, or a user, may have at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Any

import attrs
import pytest

from tests.endpoint.test_delivery import (  # noqa: F401, the fixture works by its name
    ASYNC,
    EXECUTOR,
    KINDS,
    PLAIN,
    SYNC,
    TOLD,
    build,
    ends,
    list_log,
    no_secrets_in_the_log,
)
from tests.helpers.processes import World, in_virtual_time
from tests.helpers.rows import each_row
from tests.helpers.virtual_time import make_executor
from wechat_msg import FallbackReply, SettingsError
from wechat_msg.endpoint import NO_DEDUP, AsyncPushEndpoint, PushEndpoint
from wechat_msg.endpoint.records import Free


@pytest.fixture(params=[SYNC, EXECUTOR])
def sync_world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def number(number: int, user: int = 0) -> Any:
    """Build a push; by default all are from one user."""
    return build(fields={"MsgId": 1000 + number, "Content": str(number), "FromUserName": f"oUSER{user}"})


class CountingExecutor(Executor):
    """An executor with one thread that knows what it was given."""

    def __init__(self) -> None:
        self.inner, self.futures = make_executor(1), []

    def submit(self, *args, **kwargs):
        self.futures.append(self.inner.submit(*args, **kwargs))
        return self.futures[-1]


# --- overload --------------------------------------------------------------------------------------------------------


class TestMaxRunning:
    @in_virtual_time
    async def test_lets_async_pushes_wait_as_a_resend_waits(self):
        world = World(ASYNC)
        worker = world.start(1, max_running=2)
        tries = await asyncio.gather(*(worker.push(number(each)) for each in range(6)))
        assert [what for [(_, what)] in tries] == [TOLD] * 6
        assert max(at for [(at, _)] in tries) < 4.5
        assert worker.runs == sorted(worker.runs)
        assert most_at_once(worker.runs, 1) == 2

    @in_virtual_time
    async def test_lets_the_next_one_begin_although_one_that_has_waited_still_runs(self):
        world = World(ASYNC)
        seconds = [1.0, 1.0, 9.0, 0.2, 0.2]

        async def handle(message: Any) -> str:
            await asyncio.sleep(seconds[int(message.content)])
            return TOLD

        worker = world.start(handle, max_running=2)
        await asyncio.gather(*(worker.push(number(each)) for each in range(5)))
        assert worker.runs[4] < 1 + 0.5 + 0.2 + 0.5 + 0.1
        await asyncio.sleep(10)
        assert worker.sent == [TOLD]

    @in_virtual_time
    async def test_lets_sync_pushes_be_sent_again(self, sync_world):
        worker = sync_world.start(1, max_running=1)
        first = asyncio.create_task(worker.push(number(1)))
        await asyncio.sleep(0.1)
        assert (await worker.push(number(2), tries=1)) == [(pytest.approx(0.1, abs=0.05), 503)]
        assert (await first)[-1][1] == TOLD
        assert (await worker.push(number(2), tries=1))[-1][1] == TOLD

    @in_virtual_time
    async def test_is_logged_once_a_minute(self, world, caplog):
        worker = world.start(30, max_running=1)
        pushing = [asyncio.create_task(worker.push(number(each), tries=1)) for each in range(5)]
        await asyncio.gather(*pushing)
        lines = [line for line in list_log(caplog) if "max_running" in line]
        assert lines == ["max_running=1 handlers run, so pushes have to wait（处理函数已达 max_running 上限）"]
        await asyncio.sleep(40)

    @each_row("kind", [EXECUTOR, ASYNC])
    @in_virtual_time
    async def test_keeps_what_finds_no_room_before_it_is_acknowledged_and_answers_it_later(self, kind):
        world = World(kind)
        worker = world.start(30, max_running=1)
        await worker.push(number(1))
        tries = await worker.push(number(2))
        assert tries[-1][1] == "success"
        assert len(tries) == (1 if kind == ASYNC else 3)
        record = world.find_record(number(2))
        assert (type(record), record.late) == (Free, True)
        assert sorted(entry.attempt for entry in world.list_entries().values()) == [0, 1]
        await asyncio.sleep(70)
        assert worker.sent == [TOLD] * 2
        assert (most_at_once(worker.runs, 30), world.list_entries()) == (1, {})

    @in_virtual_time
    async def test_refuses_no_resend_of_what_runs(self, sync_world):
        worker = sync_world.start(8, max_running=1, late={"after": "last_try"})
        assert await worker.push(number(1)) == ends((5, "hung up"), (8, TOLD))
        assert len(worker.runs) == 1
        await asyncio.sleep(20)

    @in_virtual_time
    async def test_is_respected_by_takeovers(self, world):
        first = world.start(100, kind=ASYNC)
        await asyncio.gather(*(first.push(number(each)) for each in range(5)))
        first.kill()
        await asyncio.sleep(3)
        worker = world.start(10, max_running=2)
        assert await worker.call("recover") == 2
        await asyncio.sleep(60)
        assert worker.sent == [TOLD] * 5
        assert most_at_once(worker.runs, 10) <= 2
        assert world.list_entries() == {}

    @in_virtual_time
    async def test_keeps_the_queue_of_an_executor_short(self):
        world = World(EXECUTOR)
        executor = CountingExecutor()
        worker = world.start(30, max_running=3, executor=executor)
        await asyncio.gather(*(worker.push(number(each), tries=1) for each in range(10)))
        assert sum(not future.done() for future in executor.futures) == 3
        assert len(worker.endpoint._handling.process.registry) == 3
        await asyncio.sleep(100)

    @each_row("kind", KINDS)
    @each_row(("late", "text"), [(None, "success"), (FallbackReply("busy"), "busy")])
    @in_virtual_time
    async def test_without_answer_later_costs_a_push_its_answer(self, kind, late, text):
        world = World(kind)
        worker = world.start(30, max_running=1)
        worker.endpoint = attrs.evolve(worker.endpoint, late=late)
        pushing = asyncio.create_task(worker.push(number(1)))
        await asyncio.sleep(0.1)
        tries = await worker.push(number(2))
        assert worker.lost == [("2", "overload")]
        assert [what for _, what in tries] == (["hung up"] * 2 if kind == ASYNC else [503] * 2) + [text]
        await pushing
        await asyncio.sleep(40)
        assert ("2", "overload") not in worker.lost[1:]

    @in_virtual_time
    async def test_keeps_what_finds_no_room_after_its_process_died(self, sync_world):
        first, second = sync_world.start(100, kind=ASYNC), sync_world.start(20, max_running=1)
        running = asyncio.create_task(second.push(number(1)))
        dying = asyncio.create_task(first.push(number(2), tries=1))
        await asyncio.sleep(1)
        first.kill()
        assert (await dying)[-1][1] == "hung up"
        tries = await second.push(number(2), tries=2)
        assert [what for _, what in tries] == [503, "success"]
        assert sync_world.find_record(number(2)).late
        await running
        await asyncio.sleep(60)
        assert (second.sent, sync_world.lost, sync_world.list_entries()) == ([TOLD] * 2, [], {})


def most_at_once(runs: list[float], seconds: float) -> int:
    """Return how many handlers ran at the same time."""
    return max(sum(one <= at < one + seconds - 0.01 for one in runs) for at in runs)


class TestStarvation:
    @in_virtual_time
    async def test_of_an_executor_is_logged_once_a_minute(self, caplog):
        world = World(EXECUTOR)
        worker = world.start(7, executor=make_executor(1))
        await asyncio.gather(*(worker.push(number(each)) for each in range(4)))
        await asyncio.sleep(40)
        [line] = [line for line in list_log(caplog) if "waited" in line]
        assert "waited 7 seconds for a thread" in line
        assert worker.sent == [TOLD] * 4

    @each_row(("seconds", "warns"), [(0, False), (4, False), (8, True), (200, True), (400, False)])
    @in_virtual_time
    async def test_of_the_server_is_known_by_the_time_of_the_signature(self, caplog, seconds, warns):
        caplog.clear()
        world = World(ASYNC)
        worker = world.start(0)
        request = number(1)
        await asyncio.sleep(seconds)
        await worker.push(request, tries=1)
        assert any("waited" in line for line in list_log(caplog)) == warns

    @in_virtual_time
    async def test_is_not_logged_for_the_next_tries(self, world, caplog):
        """WeChat signs each try when it sends it; one that came again by itself is not late."""
        worker = world.start(7, late={"after": "last_try"})
        await worker.push()
        await asyncio.sleep(20)
        assert list_log(caplog) == []


# --- order -----------------------------------------------------------------------------------------------------------


class Recorder:
    """A handler that records when it begins and ends, and what it handles."""

    def __init__(self, world: World, *seconds: float, fails: tuple[int, ...] = ()) -> None:
        self.world, self.seconds, self.fails = world, seconds, fails
        self.began: list[tuple[float, str]] = []
        self.running: dict[str, int] = {}

    async def handle(self, message: Any) -> str:
        user = message.from_user_name
        self.running[user] = self.running.get(user, 0) + 1
        assert self.running[user] == 1, "two messages of one user at once"
        self.began.append((round(self.world.now, 1), message.content))
        try:
            await asyncio.sleep(self.seconds[int(message.content) % len(self.seconds)])
        finally:
            self.running[user] -= 1
        if int(message.content) in self.fails:
            raise ValueError("no answer")
        return f"re {message.content}"

    @property
    def order(self) -> list[str]:
        return [text for _, text in self.began]


async def push_all(*pushes: Any) -> list[Any]:
    """Push one after another, 0.1 seconds apart, and return how the tries ended."""
    tasks = []
    for worker, request in pushes:
        tasks.append(asyncio.create_task(worker.push(request)))
        await asyncio.sleep(0.1)
    return await asyncio.gather(*tasks)


class TestOrdered:
    @in_virtual_time
    async def test_handles_the_messages_of_one_user_one_after_another(self, world):
        recorder = Recorder(world, 1.0, 0.2)
        worker = world.start(recorder.handle, ordered=True)
        tries = await push_all(*((worker, number(each)) for each in range(4)))
        assert recorder.order == ["0", "1", "2", "3"]
        assert [one[-1][1] for one in tries] == ["re 0", "re 1", "re 2", "re 3"]
        assert not [key for key in world.memory._entries if ":line:" in key and world.memory.get(key)]

    @in_virtual_time
    async def test_handles_other_users_at_the_same_time(self, world):
        recorder = Recorder(world, 2.0)
        worker = world.start(recorder.handle, ordered=True)
        await push_all(*((worker, number(each, user=each)) for each in range(5)))
        assert [at for at, _ in recorder.began] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=0.05)

    @in_virtual_time
    async def test_holds_for_two_processes(self, world):
        recorder = Recorder(world, 1.0, 0.1)
        first, second = (world.start(recorder.handle, ordered=True) for _ in range(2))
        await push_all(*(((first, second)[each % 2], number(each)) for each in range(6)))
        assert recorder.order == ["0", "1", "2", "3", "4", "5"]

    @in_virtual_time
    async def test_is_not_stopped_by_a_handler_that_fails(self, world):
        recorder = Recorder(world, 0.5, fails=(0,))
        worker = world.start(recorder.handle, ordered=True)
        tries = await asyncio.gather(worker.push(number(0), tries=1), _later(0.1, worker, number(1)))
        assert tries[1][-1][1] == "re 1"
        assert recorder.order == ["0", "1"]

    @in_virtual_time
    async def test_is_not_stopped_by_a_process_that_died(self, world):
        recorder = Recorder(world, 20.0, 0.1)
        first, second = (
            world.start(recorder.handle, ordered=True, kind=ASYNC),
            world.start(recorder.handle, ordered=True),
        )
        dying = asyncio.create_task(first.push(number(0), tries=1))
        await asyncio.sleep(1)
        first.kill()
        recorder.running.clear()
        [*_, (at, what)] = await second.push(number(1))
        assert at <= 1 + 2.5 + 1
        assert what == "re 1"
        await dying
        await asyncio.sleep(60)

    @in_virtual_time
    async def test_lets_the_next_message_wait_for_one_that_was_acknowledged(self, world):
        recorder = Recorder(world, 8.0, 0.1)
        worker = world.start(recorder.handle, ordered=True, kind=ASYNC)
        assert await worker.push(number(0)) == ends((4.5, "success"))
        assert (await worker.push(number(1)))[-1][1] == "re 1"
        assert recorder.order == ["0", "1"]
        assert worker.sent == ["re 0"]

    @in_virtual_time
    async def test_lets_the_next_message_wait_for_all_parts_of_an_answer(self, world):
        order = []

        async def write(message):
            for part in ("first", "last"):
                order.append(f"{part} of {message.content}")
                yield f"{part} of {message.content}"
                await asyncio.sleep(2)

        async def answer(message):
            return write(message)

        workers = [world.start(answer, ordered=True, kind=ASYNC) for _ in range(2)]
        await push_all((workers[0], number(0)), (workers[1], number(1)), (workers[0], number(2)))
        await asyncio.sleep(60)
        assert order == [f"{part} of {each}" for each in range(3) for part in ("first", "last")]
        assert {one for worker in workers for one in worker.sent} >= {f"last of {each}" for each in range(3)}

    @each_row("kind", [EXECUTOR, ASYNC])
    @in_virtual_time
    async def test_lets_no_push_use_up_handler_limit_while_it_waits_for_its_turn(self, kind):
        world = World(kind)
        recorder = Recorder(world, 2.0)
        worker = world.start(recorder.handle, ordered=True, handler_limit=5)
        await push_all(*((worker, number(each)) for each in range(8)))
        await asyncio.sleep(60)
        assert (recorder.order, world.lost) == (list("01234567"), [])

    @in_virtual_time
    async def test_works_out_of_order_rather_than_not_at_all_if_the_store_fails(self, world):
        recorder = Recorder(world, 0.1)
        worker = world.start(recorder.handle, ordered=True)
        await worker.push(number(0))
        worker.store.down = True
        assert (await worker.push(number(1)))[-1][1] == "re 1"

    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    def test_needs_a_store(self, cls):
        with pytest.raises(SettingsError, match="ordered"):
            cls(PLAIN, None, store=NO_DEDUP, ordered=True)
        assert cls(PLAIN, None, ordered=True).ordered


async def _later(seconds: float, worker: Any, request: Any) -> Any:
    await asyncio.sleep(seconds)
    return await worker.push(request)
