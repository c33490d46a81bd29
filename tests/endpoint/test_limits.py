"""The slots of a lane that others look at: no entry of an acknowledged push is in another one."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.helpers.worlds import Shelf, make_push
from wechat_msg._flow import drive
from wechat_msg.endpoint.inbox import ENTRY_KEPT, Inbox
from wechat_msg.endpoint.lanes import Process

DAY = 86400.0


def run(flow: Generator[Any, Any, Any]) -> Any:
    return drive(flow, lambda step: step.perform())


class World:
    """A store, and a clock that only tests advance."""

    def __init__(self) -> None:
        self.now = 0.0
        self.store = Shelf(lambda: self.now)

    def start(self) -> Inbox:
        """Return the inbox of a new process."""
        process = Process(self.store, "i", lambda: self.now)
        return Inbox(self.store, "i", process, lambda: self.now)

    def put(self, inbox: Inbox, number: int = 1) -> str:
        """Put an entry into the inbox, and return its slot."""
        entry = inbox.make_entry(make_push(number), f"i:push:{number}", "..0000000000000000", attempt=1)
        return run(inbox.put(entry))

    def may_be_found(self, slot: str) -> bool:
        lane, number = map(int, slot.split(":"))
        limits = run(self.start().read_limits())
        return lane < len(limits) and number < limits[lane]


@pytest.fixture
def world() -> World:
    return World()


def test_the_list_of_limits_outlives_each_entry(world):
    inbox = world.start()
    for _ in range(10):
        world.now += 0.9 * DAY
        slot, put_at = world.put(inbox), world.now
        run(inbox.replace(slot, world.store.get(f"i:inbox:{slot}"), None))
    world.now = put_at + ENTRY_KEPT - 1
    assert world.may_be_found(slot)


def test_a_limit_that_was_lowered_while_a_process_stood_still_is_raised_again(world):
    inbox, other = world.start(), world.start()
    run(inbox.replace(slot := world.put(inbox), world.store.get(f"i:inbox:{slot}"), None))
    world.now = 5
    assert run(other.set_limit(0, 0, run(other.read_limits())))
    assert world.may_be_found(world.put(inbox))


def test_a_limit_is_not_lowered_after_another_process_has_taken_the_lane(world):
    walking, inbox = world.start(), world.start()
    run(walking.set_limit(0, 8, []))
    limits = run(walking.read_limits())
    slot = world.put(inbox)
    assert not run(walking.set_limit(0, 0, limits))
    assert world.may_be_found(slot)


def test_an_entry_that_was_written_after_the_lane_was_lost_is_put_elsewhere(world):
    inbox, other = world.start(), world.start()
    entry = inbox.make_entry(make_push(1), "i:push:1", "..0000000000000000", attempt=1)
    flow, step = inbox.put(entry), None
    while step is None or not step.key.startswith("i:inbox"):
        step = flow.send(step and step.perform())
    world.now = 5
    world.put(other, 2)
    written = step.perform()
    assert written
    slot = drive(iterate(flow, written), lambda step: step.perform())
    assert slot.startswith("1:")
    assert world.store.get("i:inbox:0:0") is None


def iterate(flow: Generator[Any, Any, Any], given: Any) -> Generator[Any, Any, Any]:
    """Continue a flow with the result of its last step."""
    try:
        while True:
            given = yield flow.send(given)
    except StopIteration as end:
        return end.value
