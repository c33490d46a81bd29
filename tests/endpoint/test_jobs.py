"""``queue=`` and ``run_job``: handlers that run where a job queue runs them; here a queue is a list."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.endpoint.test_delivery import (  # noqa: F401, the fixture works by its name
    ASYNC,
    EXECUTOR,
    KEY,
    KINDS,
    OPENID,
    PAYMENT,
    PLAIN,
    SAID,
    SEALED,
    SYNC,
    TOKEN,
    TOLD,
    build,
    build_event,
    ends,
    list_log,
    no_secrets_in_the_log,
)
from tests.helpers.processes import Worker, World, in_virtual_time
from tests.helpers.rows import each_row
from wechat_msg import (
    NO_DEDUP,
    AsyncPushEndpoint,
    ErrCodeReply,
    MemoryStore,
    PushEndpoint,
    PushSettings,
    SettingsError,
)
from wechat_msg.endpoint.records import Done, Free


class Broker(list[str]):
    """A queue in memory, which a web process fills.

    Attributes:
        error: What the next calls raise.
    """

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.times: list[float] = []
        self.is_filled = asyncio.Event()
        self.error: BaseException | None = None
        self.enqueue = world.adapt(self._enqueue)

    async def _enqueue(self, job: str) -> None:
        if self.error:
            raise self.error
        assert self.world.list_entries()
        self.append(job)
        self.is_filled.set()
        self.times.append(self.world.now)


def start(world: World, *args: Any, settings: Any = PLAIN, **options: Any) -> tuple[Worker, Worker, Broker]:
    """Start a web process and a worker that share a queue."""
    broker = Broker(world)
    web, worker = (
        world.start(*args, settings=settings, queue=broker.enqueue, late={"after": "first_try"}, **options)
        for _ in range(2)
    )
    return web, worker, broker


async def work(worker: Worker, broker: Broker, after: float = 0.0) -> None:
    """Run the first job of the queue when it is there."""
    await asyncio.sleep(after)
    await broker.is_filled.wait()
    job = broker.pop(0)
    if not broker:
        broker.is_filled.clear()
    await worker.call("run_job", job)


# --- a job that is run -----------------------------------------------------------------------------------------------


class TestAJob:
    @in_virtual_time
    async def test_gives_the_web_process_its_answer_in_time(self, world):
        web, worker, broker = start(world, 1)
        pushing = asyncio.create_task(web.push())
        await work(worker, broker)
        [(at, what)] = await pushing
        assert (what, at) == (TOLD, pytest.approx(1.3, abs=0.5))
        assert (web.runs, len(worker.runs), world.sent, world.list_entries()) == ([], 1, [], {})
        assert isinstance(world.find_record(), Done)

    @in_virtual_time
    async def test_that_takes_longer_is_acknowledged_and_sent_by_the_worker(self, world):
        web, worker, broker = start(world, 10)
        working = asyncio.create_task(work(worker, broker))
        assert await web.push() == ends((4.5, "success"))
        assert (world.find_record().slot, world.find_record().late) == ("0:0", True)
        await working
        assert (web.sent, worker.sent, world.list_entries()) == ([], [TOLD], {})

    @in_virtual_time
    async def test_that_begins_after_the_push_was_acknowledged_is_sent_by_the_worker(self, world):
        web, worker, broker = start(world, 1)
        assert await web.push() == ends((4.5, "success"))
        assert isinstance(world.find_record(), Free)
        assert [entry.attempt for entry in world.list_entries().values()] == [0]
        await work(worker, broker, after=20)
        assert (worker.sent, world.list_entries()) == ([TOLD], {})

    @each_row("settings", [PLAIN, SEALED])
    @in_virtual_time
    async def test_names_the_push_and_its_slot_and_no_text_of_the_user(self, settings):
        world = World(ASYNC)
        web, worker, broker = start(world, 1, settings=settings)
        pushing = asyncio.create_task(web.push(build(settings)))
        await asyncio.sleep(0.1)
        [job] = broker
        fields = json.loads(job)
        assert sorted(fields) == ["push", "slot", "v"]
        assert (fields["v"], fields["slot"], len(fields["push"])) == (1, "0:0", 64)
        for secret in (SAID, OPENID, TOKEN, KEY, settings.identity):
            assert secret not in job
        await work(worker, broker)
        assert (await pushing)[-1][1] == TOLD

    @in_virtual_time
    async def test_is_enqueued_once_for_all_tries(self, world):
        web, worker, broker = start(world, 1)
        tries = await asyncio.gather(*(web.push(tries=1) for _ in range(5)))
        assert len(broker) == 1
        assert {what for [(_, what)] in tries} == {"success"}
        await work(worker, broker)
        assert world.sent == [TOLD]

    @in_virtual_time
    async def test_that_is_run_twice_runs_the_handler_once(self, world):
        web, worker, broker = start(world, 10)
        second = world.start(1, queue=broker.enqueue, late={"after": "first_try"})
        pushing = asyncio.create_task(web.push())
        await asyncio.sleep(0.1)
        [job] = broker
        running = asyncio.create_task(worker.call("run_job", job))
        for each in (second, worker, web):
            await asyncio.sleep(1)
            await each.call("run_job", job)
        await running
        await pushing
        await second.call("run_job", job)
        assert (len(world.runs), world.sent) == (1, [TOLD])

    @in_virtual_time
    async def test_raises_what_the_handler_raised_and_is_tried_again(self, world):
        web, worker, broker = start(world, 1, ValueError("no answer"))
        await web.push()
        with pytest.raises(ValueError, match="no answer"):
            await work(worker, broker)
        [entry] = world.list_entries().values()
        assert (entry.state, entry.attempt) == ("open", 1)
        assert entry.due == pytest.approx(1.7e9 + world.now + 5, abs=0.1)
        for _ in range(2):
            with pytest.raises(ValueError, match="no answer"):
                await work(worker, broker)
        assert world.lost == [(SAID, "failed")]
        await asyncio.sleep(200)
        assert (len(broker), len(world.runs)) == (0, 3)

    @in_virtual_time
    async def test_in_time_that_fails_is_answered_by_its_next_attempt(self, world):
        web, worker, broker = start(world, 0.5, ValueError("no answer"))
        pushing = asyncio.create_task(web.push())
        with pytest.raises(ValueError, match="no answer"):
            await work(worker, broker)
        assert await pushing == ends((4.5, "success"))

    @in_virtual_time
    async def test_whose_worker_dies_is_enqueued_again(self, world):
        web, worker, broker = start(world, 20)
        await web.push()
        dying = asyncio.create_task(work(worker, broker))
        await asyncio.sleep(5)
        worker.kill()
        died = world.now
        second = world.start(1, queue=broker.enqueue, late={"after": "first_try"})
        await work(second, broker)
        assert world.now - died <= 2.5 + 6 + 60 + 6 + 2
        assert second.sent == [TOLD]
        dying.cancel()

    @in_virtual_time
    async def test_of_another_account_or_damaged_is_a_settings_error(self, world):
        web, worker, broker = start(world, 1)
        pushing = asyncio.create_task(web.push())
        await asyncio.sleep(0.1)
        good = json.loads(broker[0])
        for job in (
            "",
            "null",
            "[]",
            "garbage",
            "[" * 100_000,
            *(
                json.dumps(good | {name: value})
                for name, value in (("v", 2), ("push", "a:b"), ("push", 1), ("slot", "0"))
            ),
            *(json.dumps(good | {"slot": slot}) for slot in ("a:0", "0:", "0:0:0", "-1:0", "9" * 5000 + ":0", None)),
        ):
            with pytest.raises(SettingsError, match="run_job needs the text"):
                await worker.call("run_job", job)
        await worker.call("run_job", json.dumps(good | {"push": "0" * 64}))
        assert worker.runs == []
        await work(worker, broker)
        await pushing

    @in_virtual_time
    async def test_whose_answer_asks_for_another_try_leaves_nothing_and_the_next_try_is_enqueued(self, world):
        """As if nobody had handled the push; WeChat sends those of virtual payment for hours."""
        web, worker, broker = start(world, 1, ErrCodeReply(err_code=1))
        request = build_event(PAYMENT)
        for runs in (1, 2):
            pushing = asyncio.create_task(web.push(request, tries=1))
            await work(worker, broker)
            assert (world.find_record(request), world.list_entries()) == (None, {})
            [(_, what)] = await pushing
            assert what != "success"
            await asyncio.sleep(1)
            assert (len(worker.runs), len(broker)) == (runs, 0)

    @in_virtual_time
    async def test_that_must_not_be_acknowledged_is_not_when_it_has_failed_three_times(self, world):
        web, worker, broker = start(world, 1, ValueError("no answer"))
        request = build_event(PAYMENT)
        assert [what for _, what in await web.push(request)] == ["hung up"] * 3
        for _ in range(3):
            with pytest.raises(ValueError, match="no answer"):
                await work(worker, broker)
        assert [reason for _, reason in world.lost] == ["failed"]
        assert await web.push(request, tries=1) == ends((world.now, "hung up"))
        assert len(broker) == 1
        assert sorted(entry.state for entry in world.list_entries().values()) == ["lost", "open"]


# --- a queue that fails ----------------------------------------------------------------------------------------------


class TestAQueue:
    @in_virtual_time
    async def test_that_raises_is_503_and_leaves_nothing(self, world, caplog):
        web, worker, broker = start(world, 1)
        broker.error = ConnectionError("no broker")
        assert {what for _, what in await web.push()} == {503}
        assert (world.list_entries(), world.find_record(), broker) == ({}, None, [])
        assert any("was not enqueued" in line for line in list_log(caplog))
        assert not any("degraded" in line for line in list_log(caplog))
        broker.error = None
        pushing = asyncio.create_task(web.push())
        await work(worker, broker)
        assert (await pushing)[-1][1] == TOLD

    @in_virtual_time
    async def test_gets_no_push_that_is_too_large_to_be_kept(self, world, caplog):
        web, _, broker = start(world, 1, settings=PushSettings(token=TOKEN, max_body=400_000))
        assert {what for _, what in await web.push(build(fields={"Content": "x" * 300_000}))} == {503}
        assert (broker, world.list_entries()) == ([], {})
        assert {line.partition(" is ")[2] for line in list_log(caplog)} == {
            "too large to be kept（推送过大，无法保存）"
        }

    @in_virtual_time
    async def test_that_loses_a_job_gets_it_again(self, world):
        """After 60 seconds, then every minute, 5 minutes, 30 minutes."""
        web, _, broker = start(world, 1)
        await web.push()
        await asyncio.sleep(3000)
        pauses = [after - before for before, after in zip(broker.times, broker.times[1:], strict=False)]
        assert len(set(broker)) == 1
        assert 55 <= pauses[0] <= 70
        assert all(55 <= pause <= 70 or 295 <= pause <= 310 or 1795 <= pause <= 1810 for pause in pauses)
        assert pauses == sorted(pauses, key=lambda pause: round(pause, -2))
        assert 5 <= len(broker) <= 8

    @in_virtual_time
    async def test_with_many_workers_that_look_gets_one_job_each_time(self, world):
        web, _, broker = start(world, 1)
        others = [world.start(1, queue=broker.enqueue, late={"after": "first_try"}) for _ in range(3)]
        await web.push()
        web.kill()
        await asyncio.sleep(3)
        for other in others:
            await other.call("recover")
        await asyncio.sleep(65)
        assert len(broker) == 2

    @in_virtual_time
    async def test_is_not_asked_while_the_store_is_down(self, world):
        web, worker, broker = start(world, 1)
        web.store.down = True
        assert {what for _, what in await web.push()} == {503}
        assert broker == []
        web.store.down = False
        pushing = asyncio.create_task(web.push())
        await work(worker, broker)
        assert (await pushing)[-1][1] == TOLD

    @in_virtual_time
    async def test_does_not_count_against_max_running_of_the_web_process(self, world):
        web, worker, broker = start(world, 0.1, max_running=1)
        pushing = [asyncio.create_task(web.push(build(fields={"MsgId": each + 1}))) for each in range(3)]
        for _ in range(3):
            await work(worker, broker)
        assert [one[-1][1] for one in await asyncio.gather(*pushing)] == [TOLD] * 3

    @in_virtual_time
    async def test_may_be_used_without_a_policy(self, world):
        """Then the answer is in time, or lost."""
        broker = Broker(world)
        web, worker = (world.start(8, queue=broker.enqueue) for _ in range(2))
        for each in (web, worker):
            each.endpoint = type(each.endpoint)(**_options_of(each.endpoint, late=None))
        working = asyncio.create_task(work(worker, broker))
        tries = await web.push()
        assert tries == ends((5, "hung up"), (8, TOLD))
        await working
        assert (world.sent, world.lost, world.list_entries()) == ([], [], {})

    @each_row("store", [None, MemoryStore(), NO_DEDUP])
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    def test_needs_a_store_that_workers_share(self, cls, store):
        with pytest.raises(SettingsError, match="queue"):
            cls(PLAIN, None, store=store, queue=print)

    @each_row("kind", [SYNC, EXECUTOR, ASYNC])
    @in_virtual_time
    async def test_is_needed_by_run_job(self, kind):
        worker = World(kind).start(1)
        with pytest.raises(SettingsError, match="queue"):
            await worker.call("run_job", "{}")

    def test_that_is_async_needs_an_async_endpoint(self):
        async def enqueue(job: str) -> None: ...

        with pytest.raises(SettingsError, match="AsyncPushEndpoint"):
            PushEndpoint(PLAIN, None, store=_Store(), queue=enqueue)
        assert AsyncPushEndpoint(PLAIN, None, store=_Store(), queue=enqueue).queue


class _Store:
    """A store of a user's own."""

    def get(self, key: str) -> bytes | None: ...

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool: ...


def _options_of(endpoint: Any, **changes: Any) -> dict[str, Any]:
    names = ("settings", "handler", "store", "queue", "executor", "on_lost", "clock", "monotonic", "sleep")
    return {name: getattr(endpoint, name) for name in names} | changes
