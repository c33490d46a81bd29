"""Pushes in two and three processes, in random orders of their steps, with deaths, stops, failures and ends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from tests.helpers.worlds import Mutation, Scenario, explore, walk
from wechat_msg._flow import Get
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.records import InboxEntry, dump_texts
from wechat_msg.endpoint.registry import RunningPushes

STORE = ("fails", "lies")
ALL = ("dies", "stops", "stalls", "drains")

SCENARIOS = {
    "answers after the first try": Scenario(faults=2),
    "answers after the last try": Scenario(faults=2, after="last_try"),
    "nothing fails": Scenario(processes=3, pushes=2),
    "three processes": Scenario(processes=3, pushes=2, spread=15.0, faults=2),
    "a push after the fault": Scenario(pushes=2, spread=30.0, faults=2),
    "processes that end": Scenario(faults=2, kinds=ALL),
    "a store that fails": Scenario(faults=3, kinds=STORE),
    "a store that is down": Scenario(faults=2, kinds=("outage", "dies", "stops")),
    "a store that is emptied": Scenario(pushes=2, faults=1, kinds=("empties",)),
    "handlers and senders that fail": Scenario(faults=1, errors=2),
    "a Mini Program": Scenario(faults=2, pushes=2, account="mini program", kinds=ALL),
    "a queue": Scenario(faults=1, workers=True, kinds=ALL),
    "a queue that loses jobs": Scenario(faults=2, workers=True, lost_jobs=2),
    "no room": Scenario(faults=1, pushes=3, max_running=1),
    "no room in threads": Scenario(faults=1, pushes=3, max_running=1, waits_for_room=False),
    "one after another": Scenario(faults=1, pushes=3, ordered=True),
}
WALKS = {"a queue that loses jobs": 50, "no room": 50, "no room in threads": 50, "one after another": 50}


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_was_acknowledged_is_kept_and_answered_once(name):
    problems, _ = explore(SCENARIOS[name], range(WALKS.get(name, 100)))
    assert problems == []


@pytest.mark.endurance
def test_what_was_acknowledged_is_kept_in_a_minute_of_walks():
    end, first, problems = time.process_time() + 60, 1_000_000, []
    while time.process_time() < end and not problems:
        for name, scenario in SCENARIOS.items():
            found, _ = explore(scenario, range(first, first + 20))
            problems += [f"{name}, {problem}" for problem in found]
        first += 20
    assert problems == []


class TestTheWalks:
    def test_can_be_repeated(self):
        first, second = (walk(SCENARIOS["processes that end"], 7) for _ in range(2))
        assert (first.now, first.seen) == (second.now, second.seen)

    def test_reach_everything_that_can_happen(self):
        """A walk that sees nothing would find nothing wrong."""
        seen: Counter[str] = Counter()
        for name, walks in (("processes that end", 50), ("a Mini Program", 150), ("a queue that loses jobs", 30)):
            seen += explore(SCENARIOS[name], range(walks))[1]
        assert seen.keys() >= {
            *("acknowledged", "answered in time", "the user saw an error", "sent", "sent twice"),
            *("dies", "stops", "stalls", "drains", "handed back", "taken over", "job", "job lost"),
        }


# --- faults in the code ----------------------------------------------------------------------------------------------


class NoEntry(Inbox):
    """An inbox that keeps nothing."""

    def put(self, entry: InboxEntry) -> Generator[Any, Any, str]:
        lane = yield from self._process.hold_lane()
        return f"{lane.number}:0"


class LateEntry(Inbox):
    """An inbox that writes an entry after the record has its slot."""

    def put(self, entry: InboxEntry) -> Generator[Any, Any, str]:
        lane = yield from self._process.hold_lane()
        yield from self.set_limit(lane.number, 8, (yield from self.read_limits()))
        self.later = f"{lane.number}:0", entry
        return self.later[0]

    def wrap(self, flow: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Return the flow of a delivery that writes the entry before its answer goes out."""
        reply = yield from flow
        if hasattr(self, "later"):
            slot, entry = self.later
            del self.later
            yield from self.replace(slot, None, entry)
        return reply


class SendsFirst(Inbox):
    """An inbox that learns that there is an answer only after it was sent."""

    def replace(self, slot: str, raw: bytes | None, entry: InboxEntry | None) -> Generator[Any, Any, bool]:
        if entry is not None and entry.state == "answered":
            return True
        return (yield from super().replace(slot, raw, entry))


class NeverChecks(Process):
    """A process that sends without looking whether it still holds its lane."""

    def has_held_since(self, claim: str, began: float) -> bool:
        return claim.count(".") == 2 or super().has_held_since(claim, began)


class NoRegistry(RunningPushes):
    """A registry that forgets everything."""

    def add(self, running: Any) -> bool:
        return True

    def find(self, key: str) -> None:
        return None

    def remove(self, running: Any, reply: Any = None) -> bool:
        self.end(running, reply)
        return True


class TrustsItself(Process):
    """A process without a registry must look at its lane."""

    def is_dead(self, claim: str) -> Generator[Any, Any, bool]:
        lane, process, _ = claim.split(".")
        return bool(process) and (yield Get(self.store, self._name_lane(lane))) != dump_texts([process])


class Repeats(TrustsItself):
    """A process that makes the same claim again and again."""

    def make_claim(self, name: str, *, shared: bool) -> Generator[Any, Any, str]:
        claim = yield from super().make_claim(name, shared=shared)
        return f"0.{claim.split('.')[1]}.{'0' * 16}"


class WithoutALane(Process):
    """A process that claims without holding a lane."""

    def make_claim(self, name: str, *, shared: bool) -> Generator[Any, Any, str]:
        yield from ()
        return f"0.{self.id}.{name}{next(self.numbers):08}" if shared else f".{self.id}.{name}00000000"

    numbers = iter(range(10**8))


MUTATIONS = {
    "no entry": (
        Mutation(inbox=NoEntry),
        Scenario(),
        "an acknowledged push is in no entry",
    ),
    "an entry that is written after the record": (
        Mutation(inbox=LateEntry),
        Scenario(faults=2),
        "an acknowledged push is in no entry",
    ),
    "an answer that is sent before it is in the entry": (
        Mutation(inbox=SendsFirst),
        Scenario(faults=2),
        "two answers reached the user",
    ),
    "no look at the lane before an answer is sent": (
        Mutation(process=NeverChecks),
        Scenario(faults=2),
        "an answer is sent for a claim that is not in the record",
    ),
    "no registry": (
        Mutation(process=TrustsItself, registry=NoRegistry),
        Scenario(faults=2, after="last_try"),
        "a process runs the handler twice at once",
    ),
    "claims without a lane": (
        Mutation(process=WithoutALane),
        Scenario(),
        "the handler ran again although nothing failed",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_walk_finds(name):
    mutation, scenario, problem = MUTATIONS[name]
    assert any(problem in walk(scenario, seed, mutation).problems for seed in range(2000))


def test_a_walk_finds_claims_whose_bytes_repeat_if_there_is_no_registry_to_hide_it():
    scenario, problem = Scenario(faults=3, after="last_try", kinds=("stops", "stalls")), "two answers reached the user"
    repeats, differ = (Mutation(process=process, registry=NoRegistry) for process in (Repeats, TrustsItself))
    assert any(problem in walk(scenario, seed, repeats).problems for seed in range(1000))
    assert not any(problem in walk(scenario, seed, differ).problems for seed in range(200))
