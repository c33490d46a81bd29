"""The lane of a process: taken before its first claim, renewed while it works, given back when it is idle."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator
from typing import Any

import attrs
import pytest

from tests.helpers.rows import each_row
from tests.helpers.servers import run
from wechat_msg import (
    NO_DEDUP,
    Acknowledgement,
    AsyncPushEndpoint,
    MemoryStore,
    PushEndpoint,
    PushSettings,
    SQLiteStore,
    StoreError,
)
from wechat_msg._flow import CompareAndSet, Get, Sleep, Wait
from wechat_msg.endpoint.lanes import IDLE, LEASE, LOST_AFTER, RENEW_EVERY, Process
from wechat_msg.endpoint.records import Run, dump_texts
from wechat_msg.endpoint.registry import Running
from wechat_msg.endpoint.upkeep import Upkeep
from wechat_msg.push import open_push
from wechat_msg.testing import build_push

SETTINGS = PushSettings(token="spamtest", appid="wx0123456789abcdef")
PUSH = open_push(SETTINGS, build_push(SETTINGS, {"Content": "hi"}))


class World:
    """A store and its clock, and processes on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.store = MemoryStore(clock=lambda: self.now)
        self.reported: list[str] = []
        self.keepers: list[Any] = []

    def fork(self, store: Any = None) -> Process:
        return Process(store or self.store, "wx", lambda: self.now)

    def keep_lane(self, process: Process) -> Generator[Any, Any, None]:
        """Return the flow of the keeper."""
        endpoint = PushEndpoint(SETTINGS, None, store=NO_DEDUP, monotonic=lambda: self.now)
        handling = attrs.evolve(
            endpoint._handling,
            store=process.store,
            process=process,
            report=lambda error: self.reported.append(error.args[0]),
        )
        return Upkeep(handling).keep_lane()

    def claim(self, process: Process) -> str:
        return self.run(process.make_claim("d" * 8, shared=True))

    def run(self, flow: Generator[Any, Any, Any], given: Any = None) -> Any:
        """Perform the steps of a store, up to another step or the end."""
        try:
            step = flow.send(given)
            while isinstance(step, (Get, CompareAndSet)):
                step = flow.send(step.perform())
        except StopIteration as end:
            return end.value
        return step

    def keep(self, process: Process, seconds: float) -> None:
        """Let a keeper work for some seconds."""
        flow, end = self.keep_lane(process), self.now + seconds
        self.keepers.append(flow)
        step = self.run(flow)
        while isinstance(step, Sleep) and self.now + step.seconds <= end:
            self.now += step.seconds
            step = self.run(flow)

    def find_holder(self, lane: int) -> bytes | None:
        return self.store.get(f"wx:lane:{lane}")


@pytest.fixture
def world() -> World:
    return World()


def value_of(process: Process) -> bytes:
    return dump_texts([process.id])


def test_two_renewals_may_fail_and_the_third_is_still_in_time():
    assert 3 * RENEW_EVERY < LEASE < 4 * RENEW_EVERY
    assert LOST_AFTER < LEASE


class TestALane:
    def test_is_the_lowest_free_one(self, world):
        processes = [world.fork() for _ in range(3)]
        assert [world.claim(process).split(".")[:2] for process in processes] == [
            [str(number), process.id] for number, process in enumerate(processes)
        ]
        world.store.compare_and_set("wx:lane:1", value_of(processes[1]), None, 1)
        assert world.claim(world.fork()).startswith("1.")

    def test_is_taken_with_the_first_claim_only(self, world):
        process = world.fork()
        assert world.find_holder(0) is None
        claims = {world.claim(process) for _ in range(100)}
        assert len(claims) == 100
        assert (world.find_holder(0), world.find_holder(1)) == (value_of(process), None)

    def test_is_renewed_while_the_process_works(self, world):
        process = world.fork()
        world.claim(process)
        process.registry.add(Running("push", PUSH, "d", 0.0, world.store, "push"))
        world.keep(process, 60)
        assert world.find_holder(0) == value_of(process)

    def test_is_renewed_by_one_step(self, world):
        process = world.fork()
        world.claim(process)
        flow = world.keep_lane(process)
        assert next(flow) == Sleep(RENEW_EVERY)
        value = value_of(process)
        assert next(flow) == CompareAndSet(world.store, "wx:lane:0", value, value, LEASE)

    def test_is_given_back_by_a_process_that_is_idle(self, world):
        process = world.fork()
        world.claim(process)
        assert process.needs("keep_lane")
        world.keep(process, IDLE - 1)
        assert world.find_holder(0) == value_of(process)
        assert not process.needs("keep_lane")
        world.keep(process, 3)
        assert world.find_holder(0) is None
        assert process.needs("keep_lane")

    def test_that_was_given_back_is_taken_again_with_the_next_claim(self, world):
        process = world.fork()
        world.claim(process)
        world.keep(process, IDLE + 2)
        assert world.claim(process).startswith("0.")
        assert world.find_holder(0) == value_of(process)

    def test_that_another_process_has_taken_is_lost_and_the_next_claim_names_another_one(self, world):
        first, second = world.fork(), world.fork()
        claim = world.claim(first)
        world.now = LEASE
        assert world.claim(second).startswith("0.")
        world.keep(first, RENEW_EVERY)
        assert world.find_holder(0) == value_of(second)
        assert world.claim(first).startswith("1.")
        assert world.run(second.is_dead(claim))

    def test_that_was_not_renewed_for_two_seconds_is_taken_again_before_the_next_claim(self, world):
        process = world.fork()
        world.claim(process)
        world.now = LOST_AFTER - 0.01
        assert not isinstance(next(process.make_claim("d", shared=True), "a claim"), CompareAndSet)
        world.now = LOST_AFTER
        step = next(process.make_claim("d", shared=True))
        assert (step.key, step.expected) == ("wx:lane:0", value_of(process))

    def test_that_has_ended_is_renewed_if_no_other_process_has_it(self, world):
        process, other = world.fork(), world.fork()
        claim = world.claim(process)
        process.registry.add(Running("push", PUSH, "d", 0.0, world.store, "push"))
        world.now = 20
        assert world.run(other.is_dead(claim))
        world.keep(process, RENEW_EVERY)
        assert not world.run(other.is_dead(claim))

    def test_that_was_let_go_during_a_renewal_stays_free(self, world):
        process = world.fork()
        world.claim(process)
        renewal = process.renew()
        step = next(renewal)
        world.run(process.end())

        assert world.run(renewal, step.perform()) is False
        assert world.store.get("wx:lane:0") is None

    def test_is_taken_once_although_many_deliveries_need_one(self, world):
        process = world.fork()
        flows = [process.make_claim("d" * 8, shared=True) for _ in range(5)]
        step = next(flows[0])
        waits = [next(flow) for flow in flows[1:]]
        assert all(isinstance(wait, Wait) for wait in waits)
        assert world.run(flows[0], step.perform()).startswith("0.")
        assert all(
            world.run(flow, wait.future.result()).startswith("0.") for flow, wait in zip(flows[1:], waits, strict=True)
        )
        assert world.find_holder(1) is None

    def test_that_no_store_gives_is_an_error_for_all_who_need_one(self, world):
        process = world.fork()
        first, second = (process.make_claim("d", shared=True) for _ in range(2))
        next(first)
        wait = next(second)
        with pytest.raises(StoreError, match="down"):
            first.throw(StoreError("down"))
        with pytest.raises(StoreError, match="down"):
            second.send(wait.future.result())
        assert isinstance(next(process.make_claim("d", shared=True)), CompareAndSet)


class TestAClaim:
    def test_is_alive_while_its_process_has_its_lane(self, world):
        process, other = world.fork(), world.fork()
        claim = world.claim(process)
        assert not world.run(other.is_dead(claim))
        world.now = LEASE
        assert world.run(other.is_dead(claim))

    def test_is_dead_if_its_process_has_another_lane(self, world):
        process, other = world.fork(), world.fork()
        claim = world.claim(process)
        assert world.run(other.is_dead(claim.replace("0.", "1.", 1)))

    def test_of_the_same_process_is_dead_unless_it_is_in_the_registry(self, world):
        process = world.fork()
        assert world.run(process.is_dead(world.claim(process)))

    def test_without_a_lane_is_always_alive(self):
        process = Process(None, "", time.monotonic)
        with pytest.raises(StopIteration) as end:
            next(process.make_claim("d" * 8, shared=True))
        claim = end.value.value
        assert claim.startswith(".")
        assert World().run(Process(None, "", time.monotonic).is_dead(claim)) is False


class TestTheRegistry:
    def test_gives_the_reply_to_those_who_waited_and_to_those_who_come_too_late(self):
        registry = Process(None, "", time.monotonic).registry
        running = Running("push", PUSH, "d", 0.0, MemoryStore(), "push")
        assert registry.add(running)
        assert not registry.add(Running("push", PUSH, "d", 0.0, MemoryStore(), "push"))
        early = registry.join(running)
        reply = Acknowledgement()
        assert registry.remove(running, reply)
        assert not registry.remove(running)
        assert (early.result(0), registry.join(running).result(0)) == (reply, reply)
        late = Running("push", PUSH, "d", 0.0, MemoryStore(), "push")
        registry.add(late)
        registry.remove(late, reply)
        assert registry.join(late).result(0) == reply


class TestTheKeeper:
    @each_row("error", [StoreError("down"), OSError("redis://user:password@host"), TypeError("a bug")])
    def test_survives_a_store_that_fails_and_calls_it_again(self, error):
        world = World()
        process = world.fork()
        world.claim(process)
        flow = world.keep_lane(process)
        for _ in range(3):
            while isinstance(next(flow), Sleep):
                pass
            assert isinstance(flow.throw(error), Sleep)
        text = "down" if isinstance(error, StoreError) else f"a store raised {type(error).__name__}"
        assert world.reported == [text] * 3

    def test_counts_the_time_that_the_store_takes_as_a_pause(self, world):
        process = world.fork()
        world.claim(process)
        flow = world.keep_lane(process)
        next(flow)
        step = next(flow)
        world.now += 0.5
        assert flow.send(step.perform()) == Sleep(pytest.approx(RENEW_EVERY - 0.5))

    def test_deletes_the_records_that_were_given_up_when_the_store_works_again(self, world):
        process = world.fork()
        claim = world.claim(process)
        for number, late in enumerate((False, True)):
            running = Running(f"push:{number}", PUSH, "d", 0.0, world.store, f"push:{number}")
            running.claim = claim
            world.store.compare_and_set(running.record_key, None, Run(claim, late=late).dump(), 600)
            process.registry.add(running)
            process.give_up(running)
        flow = world.keep_lane(process)
        while isinstance(next(flow), Sleep):
            pass
        assert isinstance(flow.throw(StoreError("down")), Sleep)
        world.keep(process, RENEW_EVERY)
        assert (world.store.get("push:0"), world.store.get("push:1")) == (None, None)

    def test_lets_others_handle_what_takes_longer_than_handler_limit(self, world):
        process = world.fork()
        running = Running("push", PUSH, "d", 0.0, world.store, "push")
        running.claim, running.ends = world.claim(process), 5.0
        world.store.compare_and_set("push", None, Run(running.claim).dump(), 600)
        process.registry.add(running)
        world.keep(process, 4.9)
        assert world.store.get("push") is not None
        world.keep(process, 1)
        assert world.store.get("push") is None
        assert process.find_running("push") is None

    def test_is_one_thread_that_starts_with_the_first_push(self, tmp_path):
        before = list_threads()
        endpoint = PushEndpoint(SETTINGS, lambda message: "hi", store=SQLiteStore(tmp_path / "store.db"))
        assert list_threads() == before
        for number in range(3):
            endpoint.handle(build_push(SETTINGS, {"Content": "hi", "MsgId": number + 1}))
        assert len(list_threads() - before) == 1
        assert all(thread.daemon for thread in list_threads())

    @each_row("options", [{}, {"store": MemoryStore()}, {"store": NO_DEDUP}])
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    def test_is_not_needed_if_no_other_process_can_read_the_store(self, cls, options):
        endpoint = cls(SETTINGS, None, **options)
        assert not endpoint._handling.process.needs("keep_lane")


def list_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "wechat_msg.upkeep"}


class TestAfterAFork:
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    def test_the_child_is_another_process_without_lane_thread_and_pushes(self, tmp_path):
        status, output = run("-W", "error", "-c", FORKS, str(tmp_path / "store.db"))
        assert (status, output) == (0, "the child has a lane of its own\n")

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    def test_behind_the_back_of_python_the_child_is_another_process_too(self, tmp_path):
        status, output = run("-W", "error", "-c", UNNOTICED_FORK, str(tmp_path / "store.db"))
        assert (status, output) == (0, "the child has a lane of its own\n")


FORKS = """
import os, sys, time
from tests.endpoint.test_lanes import *

endpoint = PushEndpoint(SETTINGS, lambda message: "hi", store=SQLiteStore(sys.argv[1]))
endpoint.handle(build_push(SETTINGS, {"Content": "hi", "MsgId": 1}))
process = endpoint._handling.process
mine, store = process.id, SQLiteStore(sys.argv[1])
process.registry.add(Running("push", PUSH, "d", 0.0, None, "push"))
process._lock.acquire()  # as if the thread held it
child = os.fork()
if child:
    process._lock.release()
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
assert process.id != mine and len(process.registry) == 0 and not list_threads()
endpoint.handle(build_push(SETTINGS, {"Content": "hi", "MsgId": 2}))
assert len(list_threads()) == 1
assert store.get("wx0123456789abcdef:lane:1000") == dump_texts([mine])  # it watches no inbox
assert store.get("wx0123456789abcdef:lane:1001") == value_of(process)
print("the child has a lane of its own", flush=True)
os._exit(0)
"""

UNNOTICED_FORK = """
import ctypes, os, sys
from tests.endpoint.test_lanes import *

endpoint = PushEndpoint(SETTINGS, lambda message: "hi", store=SQLiteStore(sys.argv[1]))
endpoint.handle(build_push(SETTINGS, {"Content": "hi", "MsgId": 1}))
process = endpoint._handling.process
mine = process.id
child = ctypes.PyDLL(None).fork()  # as uWSGI does
if child:
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
endpoint.handle(build_push(SETTINGS, {"Content": "hi", "MsgId": 2}))
assert process.id != mine
assert SQLiteStore(sys.argv[1]).get("wx0123456789abcdef:lane:1001") == value_of(process)
print("the child has a lane of its own", flush=True)
os._exit(0)
"""
