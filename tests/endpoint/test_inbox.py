"""The inbox: what was acknowledged is kept until its answer is sent; slots, deaths, attempts, and what is lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from typing import Any

import attrs
import pytest

from tests.endpoint.test_delivery import (  # noqa: F401, the fixture works by its name
    ASYNC,
    CLICK,
    EXECUTOR,
    HUNG_UP,
    KEY,
    KINDS,
    OPENID,
    PLAIN,
    PROGRAM,
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
from tests.helpers import virtual_time
from tests.helpers.processes import Worker, World, in_virtual_time
from tests.helpers.rows import each_row
from tests.helpers.servers import run
from tests.helpers.virtual_time import make_executor
from wechat_msg import NO_DEDUP, ErrCodeReply, MemoryStore, PushSettings, StoreError
from wechat_msg._flow import CompareAndSet, Get
from wechat_msg.endpoint.inbox import ENTRY_KEPT, Inbox
from wechat_msg.endpoint.lanes import LEASE, Process
from wechat_msg.endpoint.records import Done, Free, InboxEntry, Run, dump_texts
from wechat_msg.endpoint.upkeep import LOOK_EVERY

# --- slots -----------------------------------------------------------------------------------------------------------


class Slots:
    """A store, and the inboxes of processes on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[Any] = []
        self.store = MemoryStore(clock=lambda: self.now)

    def open(self) -> Inbox:
        return Inbox(self.store, "wx", Process(self.store, "wx", lambda: self.now), lambda: 1000 + self.now)

    def run(self, flow: Generator[Any, Any, Any], given: Any = None) -> Any:
        try:
            while True:
                step = flow.send(given)
                assert isinstance(step, (Get, CompareAndSet))
                self.calls.append(step)
                given = step.perform()
        except StopIteration as end:
            return end.value

    def put(self, inbox: Inbox, count: int = 1) -> list[str]:
        return [self.run(inbox.put(make_entry())) for _ in range(count)]

    def delete(self, inbox: Inbox, slot: str) -> bool:
        raw, _ = self.run(inbox.find(slot))
        deleted: bool = self.run(inbox.replace(slot, raw, None))
        return deleted

    @property
    def limits(self) -> list[int]:
        limits: list[int] = self.run(self.open().read_limits())
        return limits


def make_entry(**changes: Any) -> InboxEntry:
    values = {"key": "wx:push:0", "format": "xml", "is_sealed": False, "document": b"<xml/>", "came": 1000.0}
    return InboxEntry(**{**values, "due": 1000.0, "attempt": 1, "claim": "0.a.b", **changes})


@pytest.fixture
def slots() -> Slots:
    return Slots()


class TestASlot:
    def test_is_the_lowest_free_one_of_the_lane(self, slots):
        inbox = slots.open()
        assert slots.put(inbox, 4) == ["0:0", "0:1", "0:2", "0:3"]
        assert slots.delete(inbox, "0:2")
        assert slots.delete(inbox, "0:0")
        assert slots.put(inbox, 3) == ["0:0", "0:2", "0:4"]
        assert slots.put(slots.open(), 2) == ["1:0", "1:1"]

    def test_is_written_and_deleted_by_one_step_each(self, slots):
        inbox = slots.open()
        slots.put(inbox)
        slots.calls.clear()
        [slot] = slots.put(inbox)
        assert len(slots.calls) == 1
        found = slots.run(inbox.find(slot))
        slots.calls.clear()
        assert slots.run(inbox.replace(slot, found[0], None))
        assert len(slots.calls) == 1

    @each_row(("count", "limits"), [(1, [8]), (8, [8]), (9, [16]), (17, [32]), (200, [256])])
    def test_is_below_the_limit_of_its_lane_which_doubles(self, count, limits):
        slots = Slots()
        slots.put(slots.open(), count)
        assert slots.limits == limits
        raised = [step for step in slots.calls if isinstance(step, CompareAndSet) and step.key == "wx:lanes"]
        assert len(raised) == (limits[0] // 8).bit_length()

    def test_that_is_not_used_any_more_does_not_lower_the_limit_at_once(self, slots):
        inbox = slots.open()
        for slot in slots.put(inbox, 9):
            slots.delete(inbox, slot)
        assert (slots.limits, len(inbox)) == ([16], 0)

    def test_of_a_former_holder_of_the_lane_is_found_and_not_written_to(self, slots):
        slots.put(slots.open(), 3)
        slots.now = LEASE
        inbox = slots.open()
        assert slots.put(inbox) == ["0:8"]  # which of the first eight are free shows only when they are looked at
        assert inbox.list_own() == [f"0:{number}" for number in range(9)]
        for number in range(8):
            slots.run(inbox.find(f"0:{number}"))
        assert inbox.list_own() == ["0:0", "0:1", "0:2", "0:8"]
        assert slots.put(inbox) == ["0:3"]

    def test_that_another_process_has_written_to_is_left_to_it(self, slots):
        """As by one that stood still, and still believes in its lane."""
        inbox = slots.open()
        slots.put(inbox)
        slots.store.compare_and_set("wx:inbox:0:1", None, make_entry(key="wx:push:1").dump(), 100)
        assert slots.put(inbox) == ["0:2"]
        assert slots.run(inbox.find("0:1"))[1].key == "wx:push:1"

    def test_is_another_one_if_the_lane_was_lost_while_it_was_written(self, slots):
        inbox = slots.open()
        slots.put(inbox)
        flow = inbox.put(make_entry())
        step = next(flow)
        slots.now = 3  # the write took so long
        slots.put(slots.open())
        deletion = flow.send(step.perform())
        assert (deletion.key, deletion.value) == ("wx:inbox:0:1", None)
        deletion.perform()
        assert slots.run(flow, True) == "1:0"

    def test_is_kept_for_48_hours_from_the_arrival_of_the_push(self, slots):
        inbox = slots.open()
        [slot] = slots.put(inbox)
        raw, entry = slots.run(inbox.find(slot))
        slots.now = ENTRY_KEPT - 1
        assert slots.run(inbox.replace(slot, raw, entry))
        assert slots.run(inbox.find(slot)) is not None
        slots.now = ENTRY_KEPT + 1
        assert slots.run(inbox.find(slot)) is None

    @each_row("raw", [b"", b"garbage", b"\x03" + make_entry().dump()[1:], Run("0.a.b").dump()])
    def test_with_anything_else_is_a_store_error(self, raw):
        slots = Slots()
        slots.store.compare_and_set("wx:inbox:0:0", None, raw, 100)
        with pytest.raises(StoreError, match="not an entry"):
            slots.run(slots.open().find("0:0"))

    @each_row("raw", [b"", b"garbage", dump_texts(["a"]), b"\x03" + dump_texts(["8"])[1:]])
    def test_is_not_taken_if_the_list_of_limits_is_damaged(self, raw):
        slots = Slots()
        slots.store.compare_and_set("wx:lanes", None, raw, 100)
        with pytest.raises(StoreError, match=r"neither a lane|not a list of numbers"):
            slots.put(slots.open())

    def test_is_not_taken_from_a_store_that_refuses_everything(self, slots):
        inbox = slots.open()
        slots.put(inbox)
        slots.store.compare_and_set = lambda key, expected, value, ttl: False
        with pytest.raises(StoreError, match="refuses"):
            slots.put(inbox)


class TestALaneOfADeadProcess:
    @in_virtual_time
    async def test_is_walked_and_emptied_and_given_back(self, world):
        first = world.start(30, kind=ASYNC)
        await asyncio.gather(*(first.push(build(fields={"MsgId": number + 1})) for number in range(10)))
        assert (world.read_limits(), len(world.list_entries())) == ([16], 10)
        first.kill()
        await asyncio.sleep(3)
        second = world.start(0.1)
        assert await second.call("recover") == 10
        assert world.memory.get(f"{PLAIN.identity}:lane:1") is not None  # its own, as it walked the first
        assert world.memory.get(f"{PLAIN.identity}:lane:0") is None
        await asyncio.sleep(20)
        assert world.list_entries() == {}
        assert world.read_limits() == [0]
        assert sorted(second.sent) == [TOLD] * 10
        assert len(second.runs) == 10

    @in_virtual_time
    async def test_may_have_eight_thousand_slots(self, world):
        first = world.start(30, kind=ASYNC)
        await first.push()
        first.kill()
        await asyncio.sleep(3)
        key = f"{PLAIN.identity}:lanes"
        world.memory.compare_and_set(key, world.memory.get(key), dump_texts(["8000"]), 1000)
        for slot in ("0:4000", "0:7999"):
            entry = make_entry(key=f"{PLAIN.identity}:push:{slot[2:]}", document=build().body, came=1.7e9, due=1.7e9)
            world.memory.compare_and_set(f"{PLAIN.identity}:inbox:{slot}", None, entry.dump(), 1e5)
        second = world.start(0.1)
        assert await second.call("recover") == 3
        await asyncio.sleep(1)
        assert (second.sent, world.list_entries()) == ([TOLD] * 3, {})

    @in_virtual_time
    async def test_is_kept_while_it_is_walked_however_long_that_takes(self):
        world = World(EXECUTOR)
        first = world.start(30, kind=ASYNC)
        await first.push()
        first.kill()
        await asyncio.sleep(3)
        key = f"{PLAIN.identity}:lanes"
        world.memory.compare_and_set(key, world.memory.get(key), dump_texts(["100"]), 1000)
        second = world.start(0.1)
        second.store.seconds = 0.1
        walking = asyncio.create_task(second.call("recover"))
        for _ in range(9):
            await asyncio.sleep(1)
            assert world.memory.get(f"{PLAIN.identity}:lane:0") is not None
        await walking
        assert world.memory.get(f"{PLAIN.identity}:lane:0") is None

    @in_virtual_time
    async def test_is_walked_past_a_value_that_this_release_cannot_read_and_keeps_it(self, world):
        first = world.start(30, kind=ASYNC)
        await asyncio.gather(*(first.push(build(fields={"MsgId": number + 1})) for number in range(4)))
        first.kill()
        await asyncio.sleep(3)
        for slot in ("0:1", "0:3"):
            key = f"{PLAIN.identity}:inbox:{slot}"
            world.memory.compare_and_set(key, world.memory.get(key), b"of a later release", ENTRY_KEPT)
        second = world.start(0.1)
        assert await second.call("recover") == 2
        await asyncio.sleep(60)
        assert (second.sent, world.read_limits()) == ([TOLD] * 2, [4])

    @in_virtual_time
    async def test_and_four_others_are_walked_within_one_look_of_a_living_process(self, early_world):
        living, *others = (early_world.start(100) for _ in range(6))
        workers = enumerate((living, *others))
        await asyncio.gather(*(each.push(build(fields={"MsgId": number + 1})) for number, each in workers))
        for each in others:
            each.kill()
        await asyncio.sleep(LEASE + 1.2 * LOOK_EVERY + 0.1)
        assert len(living.runs) == 1 + 5
        await asyncio.sleep(100)
        assert (living.sent, early_world.list_entries()) == ([TOLD] * 6, {})

    @in_virtual_time
    async def test_is_not_held_by_a_process_that_looks_after_no_inbox(self, world):
        """Also while that one has pushes, a new process finds the lane free."""
        first, second = world.start(30, kind=ASYNC), world.start(0)
        second.endpoint = attrs.evolve(second.endpoint, late=None)
        await first.push()
        first.kill()
        await asyncio.sleep(3)
        await second.push(build(fields={"MsgId": 7}))
        assert world.memory.get(f"{PLAIN.identity}:lane:1000") is not None
        third = world.start(1)
        assert await third.call("recover") == 1
        await asyncio.sleep(2)
        assert third.sent == [TOLD]


# --- the death of a process ------------------------------------------------------------------------------------------


class TestAnAcknowledgedPush:
    @in_virtual_time
    async def test_is_in_the_inbox_before_it_is_acknowledged_and_no_longer_than_its_answer_is_sent(self, early_world):
        worker = early_world.start(10)
        pushing = asyncio.create_task(worker.push())
        await asyncio.sleep(3.4)
        assert early_world.list_entries() == {}
        await asyncio.sleep(0.2)
        assert [entry.state for entry in early_world.list_entries().values()] == ["open"]
        assert early_world.find_record() == Run(early_world.find_record().claim)
        assert await pushing == ends((4.5, "success"))
        record = early_world.find_record()
        assert (record.slot, record.late) == ("0:0", True)
        await asyncio.sleep(6)
        assert worker.sent == [TOLD]
        assert early_world.list_entries() == {}
        assert isinstance(early_world.find_record(), Done)

    @in_virtual_time
    async def test_is_handled_and_answered_by_another_process_after_a_death(self, world):
        first, second = world.start(20, kind=ASYNC), world.start(3)
        await second.push(build(fields={"MsgId": 5}))  # so it runs
        assert await first.push() == ends((7.5, "success"))
        first.kill()
        await asyncio.sleep(15)
        assert first.sent == []
        assert second.sent == [TOLD]
        [took_over] = second.runs[1:]
        assert 1.8 <= took_over - 7.5 <= 8.5
        assert world.list_entries() == {}
        assert isinstance(world.find_record(), Done)

    @in_virtual_time
    async def test_is_sent_and_not_handled_again_if_its_process_dies_while_it_sends(self, world):
        """Whether WeChat got the message is not known, so it may get it twice."""
        first, second = world.start(6, kind=ASYNC), world.start(1)
        first.dies_after_sending = True
        await first.push()
        await asyncio.sleep(5)
        assert first.sent == [TOLD]
        assert [entry.state for entry in world.list_entries().values()] == ["answered"]
        assert await second.call("recover") == 1
        await asyncio.sleep(1)
        assert (second.sent, second.runs, world.list_entries()) == ([TOLD], [], {})

    @in_virtual_time
    async def test_is_left_alone_while_its_process_lives(self, world):
        first, second = world.start(60, kind=ASYNC), world.start(3)
        await second.push(build(fields={"MsgId": 5}))
        await first.push()
        assert await second.call("recover") == 0
        await asyncio.sleep(70)
        assert (len(first.runs), len(second.runs)) == (1, 1)
        assert (first.sent, second.sent) == ([TOLD], [])

    @in_virtual_time
    async def test_is_answered_once_although_three_processes_recover_at_once(self, world):
        first = world.start(20, kind=ASYNC)
        await first.push()
        first.kill()
        await asyncio.sleep(3)
        others = [world.start(1) for _ in range(3)]
        assert sum(await asyncio.gather(*(each.call("recover") for each in others))) == 1
        await asyncio.sleep(30)
        assert (world.sent, len(world.runs)) == ([TOLD], 2)

    @each_row("at", [3.45, 3.6, 4.4])
    @in_virtual_time
    async def test_is_acknowledged_by_no_one_if_its_process_dies_before_and_the_next_try_is_answered(self, at):
        world = World(ASYNC)
        first, second = world.start(20), world.start(1)
        pushing = asyncio.create_task(first.push(tries=1))
        await asyncio.sleep(at)
        first.kill()
        await pushing
        tries = await second.push()
        await asyncio.sleep(30)
        assert tries[-1][1] in (TOLD, "success")
        assert (tries[-1][1] == TOLD) + len(world.sent) == 1
        assert world.list_entries() == {}

    @in_virtual_time
    async def test_that_was_answered_between_3_5_and_4_5_seconds_leaves_no_entry(self, early_world):
        worker = early_world.start(4)
        assert await worker.push() == ends((4, TOLD))
        assert early_world.list_entries() == {}
        assert any(":inbox:" in key for key in worker.store.writes)
        assert worker.sent == []

    @in_virtual_time
    async def test_that_was_answered_in_time_costs_no_more_than_two_steps_of_the_store(self, world):
        worker = world.start(0)
        await worker.push(build(fields={"MsgId": 5}))
        await asyncio.sleep(0.1)
        before = worker.store.calls
        await worker.push()
        assert worker.store.calls == before + 2
        assert world.list_entries() == {}

    @in_virtual_time
    async def test_of_a_sync_endpoint_is_kept_by_the_last_try(self):
        world = World(SYNC)
        first, second = world.start(30), world.start(1)
        assert await first.push() == ends(*HUNG_UP, (14.5, "success"))
        [entry] = world.list_entries().values()
        assert (entry.state, entry.attempt) == ("open", 1)
        first.kill()
        await asyncio.sleep(3)
        assert await second.call("recover") == 1
        await asyncio.sleep(20)
        assert world.sent == [TOLD]

    @in_virtual_time
    async def test_is_not_kept_if_it_is_larger_than_256_kb_which_is_logged(self, early_world, caplog):
        worker = early_world.start(10, settings=PushSettings(token=TOKEN, max_body=400_000))
        assert await worker.push(build(fields={"Content": "x" * 300_000})) == ends((4.5, "success"))
        assert early_world.list_entries() == {}
        [line] = list_log(caplog)
        assert "too large to be kept" in line
        await asyncio.sleep(10)
        assert worker.sent == [TOLD]


class TestAPushWhoseTriesReachSeveralProcesses:
    @in_virtual_time
    async def test_is_kept_by_the_one_that_acknowledges_and_sent_by_the_one_that_handled_it(self, world):
        first, second = (world.start(20, late={"after": "last_try"}) for _ in range(2))
        await first.push(tries=2)
        assert await second.push(tries=1) == ends((14.5, "success"))
        assert list(world.list_entries()) == ["1:0"]
        await asyncio.sleep(7)
        assert (first.sent, second.runs, world.list_entries()) == ([TOLD], [], {})
        await asyncio.sleep(30)
        assert not [key for key in world.memory._entries if ":lane:" in key and world.memory.get(key)]

    @in_virtual_time
    async def test_is_left_to_its_owner_if_the_one_that_acknowledged_dies(self, world):
        first, second, third = (world.start(40, late={"after": "last_try"}) for _ in range(3))
        await third.push(build(fields={"MsgId": 5}), tries=1)
        await first.push(tries=2)
        await second.push(tries=1)
        second.kill()
        await asyncio.sleep(60)
        assert (first.sent, second.sent, len(third.runs)) == ([TOLD], [], 1)
        assert world.list_entries() == {}

    @in_virtual_time
    async def test_is_taken_over_if_its_owner_dies(self, world):
        first, second = (world.start(40, late={"after": "last_try"}) for _ in range(2))
        await first.push(tries=2)
        await second.push(tries=1)
        first.kill()
        await asyncio.sleep(60)
        assert (second.sent, len(second.runs), world.list_entries()) == ([TOLD], 1, {})


class TestAnEventLoopThatEnds:
    def test_hands_back_what_was_acknowledged_without_a_drain(self):
        world = World(ASYNC)

        async def main() -> None:
            await world.start(100).push()

        virtual_time.run(main())
        [entry] = world.list_entries().values()
        assert (entry.state, entry.attempt) == ("open", 0)
        assert isinstance(world.find_record(), Free)


class TestAMiniProgram:
    """Its answers can only be sent, also those in time."""

    @in_virtual_time
    async def test_has_its_answer_sent_by_another_process_after_a_death(self, world):
        first, second = world.start(1, settings=PROGRAM, kind=ASYNC), world.start(9, settings=PROGRAM)
        first.dies_after_sending = True
        assert await first.push() == ends((1, "success"))
        await asyncio.sleep(5)
        assert first.sent == [TOLD]
        assert await second.call("recover") == 1
        await asyncio.sleep(1)
        assert (second.sent, second.runs, world.list_entries()) == ([TOLD], [], {})

    @in_virtual_time
    async def test_has_its_answer_sent_again_if_the_sender_fails(self, world):
        worker = world.start(1, settings=PROGRAM)
        worker.errors = [ConnectionError("no network"), None]
        await worker.push()
        await asyncio.sleep(20)
        assert (worker.sent, len(worker.runs), worker.lost, world.list_entries()) == ([TOLD] * 2, 1, [], {})

    @in_virtual_time
    async def test_has_its_answer_handed_back_while_it_is_sent(self, world):
        first, second = world.start(1, settings=PROGRAM), world.start(9, settings=PROGRAM)
        first.errors = [ConnectionError("no network")]
        await first.push()
        await first.call("drain", 0)
        await asyncio.sleep(3)
        await second.call("recover")
        await asyncio.sleep(20)
        assert (first.sent, second.sent, second.runs, world.lost) == ([TOLD], [TOLD], [], [])


class TestASealedPush:
    @each_row("mode", ["sealed", "compatible"])
    @each_row("format", ["xml", "json"])
    @in_virtual_time
    async def test_stands_in_the_store_as_it_came_and_is_opened_again(self, mode, format):
        world = World(ASYNC)
        first, second = world.start(20, settings=SEALED), world.start(1, settings=SEALED)
        await first.push(build(SEALED, mode=mode, format=format))
        stored = b"".join(raw for raw, _ in world.memory._entries.values())
        for secret in (SAID, OPENID, TOKEN, KEY):
            assert secret.encode() not in stored
        [entry] = world.list_entries().values()
        assert entry.is_sealed
        first.kill()
        await asyncio.sleep(3)
        assert await second.call("recover") == 1
        await asyncio.sleep(2)
        assert world.sent == [TOLD]

    @in_virtual_time
    async def test_is_opened_with_a_key_that_was_rotated(self, world):
        first = world.start(20, settings=SEALED, kind=ASYNC)
        await first.push(build(SEALED))
        first.kill()
        await asyncio.sleep(3)
        rotated = PushSettings(
            token=TOKEN, encoding_aes_key="B" * 43, appid=SEALED.appid, previous_encoding_aes_keys=[KEY]
        )
        second = world.start(1, settings=rotated)
        assert await second.call("recover") == 1
        await asyncio.sleep(2)
        assert (world.sent, world.lost) == ([TOLD], [])

    @in_virtual_time
    async def test_that_no_key_opens_any_more_is_lost_once(self, world, caplog):
        first = world.start(20, settings=SEALED, kind=ASYNC)
        await first.push(build(SEALED))
        first.kill()
        await asyncio.sleep(3)
        second = world.start(1, settings=PushSettings(token=TOKEN, encoding_aes_key="B" * 43, appid=SEALED.appid))
        assert await second.call("recover") == 0
        await asyncio.sleep(30)
        assert (world.sent, world.lost) == ([], [(None, "unreadable")])
        assert [entry.state for entry in world.list_entries().values()] == ["lost"]
        assert (
            sum("the answer to a push is lost: the push can no longer be opened" in each for each in list_log(caplog))
            == 1
        )


# --- attempts, and what is lost --------------------------------------------------------------------------------------


class Exit(BaseException):
    """What a task of asyncio can raise without the end of its event loop."""


EXITS = {EXECUTOR: SystemExit, ASYNC: Exit}


async def acknowledge_and_wait(worker: Worker, *requests: Any, seconds: float = 200.0) -> list[float]:
    """Push, wait until everything has ended, and return the times of the handler's runs."""
    tries = await worker.push(*(requests or (build(),)))
    assert tries[-1][1] == "success"
    await asyncio.sleep(seconds)
    return worker.runs


class TestAnAttempt:
    @in_virtual_time
    async def test_is_the_first_of_three_after_5_and_60_seconds_if_the_handler_fails(self, early_world, caplog):
        worker = early_world.start(6, ValueError("no answer"))
        first, second, third = await acknowledge_and_wait(worker)
        assert first == 0
        assert 6 + 5 <= second <= 6 + 5 + 6
        assert second + 6 + 60 <= third <= second + 6 + 60 + 6
        assert (worker.lost, worker.sent) == ([(SAID, "failed")], [])
        assert [entry.state for entry in early_world.list_entries().values()] == ["lost"]
        assert sum("the answer to a TextMessage is lost" in line for line in list_log(caplog)) == 1

    @in_virtual_time
    async def test_that_succeeds_is_the_last(self, early_world):
        answers = [KeyError("no"), KeyError("no"), None]

        async def handle(message: Any) -> str:
            await asyncio.sleep(6)
            if error := answers.pop(0):
                raise error
            return TOLD

        worker = early_world.start(handle)
        assert len(await acknowledge_and_wait(worker)) == 3
        assert (worker.sent, worker.lost, early_world.list_entries()) == ([TOLD], [], {})

    @each_row(("on_error", "sent"), [("acknowledge", []), (lambda message, error: "sorry", ["sorry"])])
    @in_virtual_time
    async def test_is_the_only_one_if_on_error_has_an_answer(self, on_error, sent):
        world = World(ASYNC)
        worker = world.start(6, ValueError(), on_error=on_error)
        assert len(await acknowledge_and_wait(worker)) == 1
        assert (worker.sent, worker.lost, world.list_entries()) == (sent, [], {})

    @in_virtual_time
    async def test_sends_again_and_does_not_handle_again_if_the_sender_fails(self, early_world, caplog):
        worker = early_world.start(6)
        worker.errors = [ConnectionError("no network"), ConnectionError("no network"), None]
        assert len(await acknowledge_and_wait(worker)) == 1
        assert worker.sent == [TOLD] * 3
        first, second, third = worker.sent_at
        assert 5 <= second - first <= 11
        assert 60 <= third - second <= 66
        assert (worker.lost, early_world.list_entries()) == ([], {})

    @in_virtual_time
    async def test_is_one_of_three_if_the_sender_fails_each_time(self, early_world, caplog):
        worker = early_world.start(6)
        worker.errors = [ConnectionError("no network")]
        assert len(await acknowledge_and_wait(worker)) == 1
        assert (worker.sent, worker.lost) == ([TOLD] * 3, [(SAID, "unsent")])

    @each_row("errcode", [48001, 45015, 45047, 45002])
    @in_virtual_time
    async def test_is_the_last_if_wechat_refuses_the_message(self, errcode):
        world = World(ASYNC)
        worker = world.start(6)
        error = RuntimeError("refused")
        error.errcode = errcode
        worker.errors = [error]
        await acknowledge_and_wait(worker)
        assert (worker.sent, worker.lost) == ([TOLD], [(SAID, "unsent")])
        [entry] = world.list_entries().values()
        assert (entry.state, entry.reason) == ("lost", "unsent")

    @each_row("errcode", [-1, 40001, 42001, 45011, 50001])
    @in_virtual_time
    async def test_is_followed_by_another_if_the_error_of_wechat_may_pass(self, errcode):
        world = World(ASYNC)
        worker = world.start(6)
        error = RuntimeError("busy")
        error.errcode = errcode
        worker.errors = [error, None]
        await acknowledge_and_wait(worker)
        assert (worker.sent, worker.lost) == ([TOLD] * 2, [])

    @in_virtual_time
    async def test_ends_with_handler_limit_and_what_the_handler_returns_later_is_dropped(self, early_world, caplog):
        worker = early_world.start(100, handler_limit=30)
        first, second, third = await acknowledge_and_wait(worker, seconds=400)
        assert 30 + 5 <= second - first <= 30 + 5 + 7
        assert 30 + 60 <= third - second <= 30 + 60 + 7
        assert (worker.sent, worker.lost) == ([], [(SAID, "failed")])

    @in_virtual_time
    async def test_is_the_only_one_that_is_answered_although_one_before_it_ends_after_handler_limit(self, early_world):
        seconds = [45.0, 20.0]

        async def handle(message: Any) -> str:
            answer = f"attempt {len(seconds)}"
            await asyncio.sleep(seconds.pop(0))
            return answer

        worker = early_world.start(handle, handler_limit=30)
        await acknowledge_and_wait(worker)
        assert (worker.sent, len(worker.runs), early_world.list_entries()) == (["attempt 1"], 2, {})

    @in_virtual_time
    async def test_counts_although_it_kills_its_process(self, world):
        deaths = 0
        worker = world.start(30, kind=ASYNC)
        await worker.push()
        while not world.lost:
            deaths += 1
            assert deaths <= 4
            worker.kill()
            await asyncio.sleep(3)
            worker = world.start(30)
            await worker.call("recover")
            await asyncio.sleep(1)
        assert (deaths, len(world.runs), world.lost) == (3, 3, [(SAID, "failed")])
        await asyncio.sleep(30)
        assert len(world.lost) == 1

    @in_virtual_time
    async def test_counts_although_the_handler_ends_its_thread(self, early_world):
        worker = early_world.start(6, EXITS[early_world.kind]("the end"))
        assert len(await acknowledge_and_wait(worker)) == 3
        assert (worker.lost, worker.sent) == ([(SAID, "failed")], [])

    @in_virtual_time
    async def test_counts_although_the_sender_ends_its_thread(self, early_world):
        worker = early_world.start(6)
        worker.errors = [EXITS[early_world.kind]("the end")]
        assert len(await acknowledge_and_wait(worker)) == 1
        assert (worker.lost, worker.sent) == ([(SAID, "unsent")], [TOLD] * 3)

    @in_virtual_time
    async def test_begins_with_the_handler_and_not_while_it_waits_for_a_thread(self):
        world = World(EXECUTOR)
        worker = world.start(2, handler_limit=5, executor=make_executor(1))
        await asyncio.gather(*(worker.push(build(fields={"MsgId": number + 1})) for number in range(8)))
        await asyncio.sleep(60)
        assert (len(worker.runs), world.lost) == (8, [])
        assert len(worker.sent) == 6  # the other two were in time

    @in_virtual_time
    async def test_begins_with_the_handler_and_not_while_it_waits_to_be_recovered(self):
        world = World(SYNC)
        first, second = world.start(100, kind=ASYNC), world.start(2, handler_limit=5)
        await asyncio.gather(*(first.push(build(fields={"MsgId": number + 1})) for number in range(8)))
        first.kill()
        await asyncio.sleep(3)
        assert await second.call("recover") == 8
        await asyncio.sleep(60)
        assert (len(second.runs), second.sent, world.lost) == (8, [TOLD] * 8, [])

    @in_virtual_time
    async def test_comes_in_time_although_the_clock_was_put_back(self, early_world):
        seconds_back, loop = 0.0, asyncio.get_running_loop()
        worker = early_world.start(6, ValueError(), clock=lambda: 1.7e9 + loop.time() - seconds_back)
        await worker.push()
        await asyncio.sleep(3)
        assert [entry.attempt for entry in early_world.list_entries().values()] == [1]
        seconds_back = 3600.0
        await asyncio.sleep(7)
        assert len(worker.runs) == 2
        await asyncio.sleep(200)

    @in_virtual_time
    async def test_whose_answer_asks_for_another_try_is_the_last_if_no_try_follows(self, early_world):
        worker = early_world.start(6, ErrCodeReply(err_code=1))
        assert len(await acknowledge_and_wait(worker)) == 1
        assert (worker.lost, worker.sent) == ([(SAID, "unsent")], [])
        assert {entry.state for entry in early_world.list_entries().values()} == {"lost"}
        assert isinstance(early_world.find_record(), Done)

    @in_virtual_time
    async def test_whose_answer_is_an_err_code_that_means_done_needs_nothing_sent(self, early_world):
        worker = early_world.start(6, ErrCodeReply())
        assert len(await acknowledge_and_wait(worker)) == 1
        assert (worker.lost, worker.sent, early_world.list_entries()) == ([], [], {})


class TestAWindow:
    @each_row(
        ("request", "seconds"),
        {
            "text": (build(), 172800),
            "click": (build_event(), 60),
            "scan": (build_event({**CLICK, "Event": "SCAN", "EventKey": "1", "Ticket": "t"}), 60),
            "follow": (build_event({**CLICK, "Event": "subscribe", "EventKey": ""}), 60),
            "enter": (build_event({**CLICK, "Event": "user_enter_tempsession", "SessionFrom": "a"}), 60),
        },
    )
    @each_row("is_over", [False, True])
    @in_virtual_time
    async def test_is_the_time_in_which_the_user_can_get_a_message(self, request, seconds, is_over):
        world, jump = World(ASYNC), 0.0

        async def handle(message: Any) -> str:
            nonlocal jump
            await asyncio.sleep(10)
            jump = seconds - 20 + 40 * is_over
            return TOLD

        worker = world.start(handle, clock=lambda: 1.7e9 + world.now + jump)
        await acknowledge_and_wait(worker, request, seconds=30)
        assert len(worker.sent) == (not is_over)
        assert [reason for _, reason in worker.lost] == ["window"] * is_over


class TestOnLost:
    @in_virtual_time
    async def test_is_called_for_a_reply_after_the_last_try_without_a_policy(self, early_world):
        worker = early_world.start(20)
        worker.endpoint = _without_policy(early_world, worker)
        await worker.push()
        await asyncio.sleep(20)
        assert worker.lost == [(SAID, "late")]

    @in_virtual_time
    async def test_that_raises_is_logged_and_changes_nothing(self, early_world, caplog):
        async def fail(message: Any, reason: str) -> None:
            raise RuntimeError("on_lost fails")

        worker = early_world.start(6, ValueError(), on_lost=early_world.adapt(fail))
        await acknowledge_and_wait(worker)
        assert [entry.state for entry in early_world.list_entries().values()] == ["lost"]
        assert list_log(caplog).count("on_lost raised an error") == 1

    @in_virtual_time
    async def test_may_take_longer_than_a_lease(self, early_world):
        """Others must not take over what runs in this process meanwhile."""
        calls = []

        called = asyncio.Event()

        async def lose(message: Any, reason: str) -> None:
            calls.append(early_world.now)
            called.set()
            await asyncio.sleep(14)

        async def handle(message: Any) -> str:
            await asyncio.sleep(100 if message.content == SAID else 20)
            return TOLD

        first = early_world.start(handle, handler_limit=30, on_lost=early_world.adapt(lose))
        await first.push()
        await asyncio.wait_for(called.wait(), 1000)
        second = early_world.start(1)
        await first.push(build(fields={"MsgId": 5, "Content": "another"}))
        for _ in range(20):
            assert early_world.memory.get(f"{PLAIN.identity}:lane:0") is not None
            await second.call("recover")
            await asyncio.sleep(1)
        assert (first.sent, second.runs, len(calls)) == ([TOLD], [], 1)


def _without_policy(world: World, worker: Worker) -> Any:
    return world.build(world.handler(20), store=worker.endpoint.store, on_lost=world.adapt(worker.lose))


# --- stores ----------------------------------------------------------------------------------------------------------


class TestAStore:
    @in_virtual_time
    async def test_that_is_emptied_in_the_middle_costs_no_answer_and_is_logged_once(self, early_world, caplog):
        worker = early_world.start(20)
        await worker.push()
        early_world.memory._entries.clear()
        early_world.memory._ends.clear()
        await asyncio.sleep(30)
        assert worker.runs == [0]
        assert worker.sent == [TOLD]
        assert len([line for line in list_log(caplog) if "gone" in line]) == 1
        assert early_world.list_entries() == {}

    @in_virtual_time
    async def test_that_fails_when_the_answer_is_ready_keeps_no_entry_for_longer(self, early_world):
        worker = early_world.start(4)
        pushing = asyncio.create_task(worker.push())
        await asyncio.sleep(3.8)
        assert early_world.list_entries()
        worker.store.down = True
        assert await pushing == ends((4, TOLD))
        worker.store.down = False
        await asyncio.sleep(60)
        assert (worker.runs, worker.sent, early_world.list_entries()) == ([0], [], {})

    @each_row("kind", KINDS)
    @in_virtual_time
    async def test_that_fails_when_the_answer_is_ready_gets_it_when_it_works_again(self, kind):
        world = World(kind)
        worker, other = world.start(3), world.start(0)
        pushing = asyncio.create_task(worker.push())
        await asyncio.sleep(2)
        worker.store.down = True
        assert await pushing == ends((3, TOLD))
        worker.store.down = False
        await asyncio.sleep(1.5)
        assert isinstance(world.find_record(), Done)
        for each in (worker, other):
            assert (await each.push())[0][1] == TOLD
        assert (world.runs, world.sent) == ([0], [])

    @in_virtual_time
    async def test_that_fails_when_the_answer_is_ready_loses_the_entry_of_another_process_when_it_works_again(
        self, early_world
    ):
        """As of a duplicate try, which was acknowledged there; the user has got the answer of the first."""
        worker, other = early_world.start(4.8, late={"after": "last_try"}), early_world.start(0)
        pushing = [asyncio.create_task(each.push(tries=1)) for each in (worker, other)]
        await asyncio.sleep(3.2)
        worker.store.down = True
        assert [(await each)[0][1] for each in pushing] == [TOLD, "success"]
        assert len(early_world.list_entries()) == 1
        worker.store.down = False
        await asyncio.sleep(60)
        assert (early_world.runs, early_world.sent, early_world.list_entries()) == ([0], [], {})

    @in_virtual_time
    async def test_that_evicts_lets_no_push_change_the_entry_of_another_in_its_slot(self, early_world):
        for evicts_record in (False, True):
            world = World(early_world.kind)
            worker = world.start(20)
            await worker.push()
            slot, record = f"{PLAIN.identity}:inbox:0:0", next(key for key in world.memory._entries if ":push:" in key)
            other = make_entry(key=f"{PLAIN.identity}:push:other", came=1.7e9, due=1.7e9 + 100).dump()
            world.memory.compare_and_set(slot, world.memory.get(slot), other, ENTRY_KEPT)
            free = Free("..", "0:0", late=True).dump()
            world.memory.compare_and_set(f"{PLAIN.identity}:push:other", None, free, ENTRY_KEPT)
            if evicts_record:
                world.memory.compare_and_set(record, world.memory.get(record), None, 1)
            await asyncio.sleep(20)
            assert world.memory.get(slot) == other
            assert (len(worker.runs), worker.sent, worker.lost) == (1, [], [(SAID, "gone")])

    @each_row("kept", [MemoryStore, NO_DEDUP])
    @in_virtual_time
    async def test_of_one_process_has_no_inbox(self, kept):
        for kind in (EXECUTOR, ASYNC):
            world = World(kind)
            worker = world.start(6, store=kept if kept is NO_DEDUP else kept(clock=asyncio.get_running_loop().time))
            assert await worker.push(tries=1) == [(pytest.approx(world.now), "success")]
            await asyncio.sleep(10)
            assert worker.sent == [TOLD]
            assert await worker.call("recover") == 0
            await worker.call("drain", 1)
            if kept is not NO_DEDUP:
                assert not any(":inbox:" in key or ":lane" in key for key in worker.endpoint.store._entries)

    @in_virtual_time
    async def test_that_fails_at_any_step_of_acknowledging_is_503_unless_it_is_the_last_try(self, early_world):
        """Each call fails once, or all from then on; the push is acknowledged only if it is kept, or at the end."""
        for number in range(1, 9):
            for for_good in (False, True):
                world = World(early_world.kind)
                worker = world.start(30, on_store_error="refuse")
                first = worker.store.calls + number
                worker.store.fails = lambda call, first=first, good=for_good: call >= first if good else call == first
                pushing = asyncio.create_task(worker.push())
                await asyncio.sleep(16)
                assert pushing.done(), number
                tries = pushing.result()
                last = tries[-1][1]
                if last == 503:  # the option says so, if the store is down
                    assert for_good
                    assert (world.runs, world.list_entries()) == ([], {})
                    continue
                assert last == "success"
                if len(tries) < 3:
                    assert world.list_entries(), (number, for_good)
                    assert world.find_record().slot
                assert {end for _, end in tries[:-1]} <= {503, "hung up"}
                worker.store.fails = lambda call: False
                await asyncio.sleep(40)
                assert (world.sent, worker.lost) == ([TOLD], []), (number, for_good)


class TestAfterAFork:
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    def test_the_child_recovers_what_its_parent_had_when_it_died(self, tmp_path):
        status, output = run("-W", "error", "-c", FORKS, str(tmp_path / "store.db"))
        assert (status, output) == (0, "the child has sent 1\n")


FORKS = """
import os, sys, time
from tests.endpoint.test_inbox import *
from wechat_msg import AnswerLater, PushEndpoint, SQLiteStore, open_push
from wechat_msg.testing import build_push

sent, settings = [], PushSettings(token="spamtest")
def start():
    endpoint = PushEndpoint(settings, lambda message: "hi", store=SQLiteStore(sys.argv[1]),
        late=AnswerLater(sent.append, after="last_try"))
    return endpoint
endpoint = start()
endpoint.handle(build_push(settings, {"Content": "hi", "MsgId": 1}))
process = endpoint._handling.process
push = open_push(settings, build_push(settings, {"Content": "hi", "MsgId": 2}))
key = endpoint._handling.make_key(push.message)
slots = Slots()
entry = endpoint._handling.inbox.make_entry(push, key, "9.dead.x", attempt=1)
slot = slots.run(endpoint._handling.inbox.put(entry))
endpoint.store.compare_and_set(key, None, Run("9.dead.x", slot, late=True).dump(), 100)
child = os.fork()
if child:
    os._exit(0)
assert len(endpoint._handling.inbox) == 0 and not endpoint._handling.inbox.list_own()
end = time.monotonic() + 10
while not sent and time.monotonic() < end:
    time.sleep(0.05)
    endpoint.recover()
print("the child has sent", len(sent), flush=True)
os._exit(0)
"""
