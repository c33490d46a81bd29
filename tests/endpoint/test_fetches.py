"""Kept answers in two processes, in random orders of their steps, with deaths, stops and failures at each of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator
from typing import Any

import attrs
import pytest

from tests.helpers.fetches import KINDS, Lane, Mutation, Question, Scenario, walk
from wechat_msg._flow import Get
from wechat_msg.endpoint.kept import Item, KeptAnswers
from wechat_msg.endpoint.records import dump_texts
from wechat_msg.endpoint.registry import RunningPushes

FLOW = Generator[Any, Any, Any]

SCENARIOS = {
    "two fetches at once": Scenario(fetches=(0.1, 0.1), kept=3),
    "a fetch that finds only a place": Scenario(fetches=(0.0, 0.1), kept=1, waits=12.0),
    "a fetch that takes all its tries": Scenario(questions=(Question(0.0, 19.0, 2),), fetches=(15.0,)),
    "an answer in the moment of the last try": Scenario(questions=(Question(0.0, 14.5, 2),)),
    "several parts in time": Scenario(questions=(Question(0.0, 1.0, 3),), fetches=(1.0,)),
    "two questions": Scenario(questions=(Question(0.0, 16.0, 2), Question(0.1, 1.0, 2)), fetches=(1.0, 15.5, 16.0)),
    "a generator": Scenario(questions=(Question(0.0, 1.0, 3, is_generator=True),), fetches=(16.0, 18.0)),
}


def explore(name: str, faults: int, seeds: range) -> tuple[list[str], Counter[str]]:
    """Return what was wrong in the first walk in which anything was, and how often things happened."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        world = walk(attrs.evolve(SCENARIOS[name], faults=faults), seed)
        seen += world.seen
        if world.problem:
            return [f"{name}, seed {seed}: {world.problem}"], seen
    return [], seen


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_part_is_delivered_once_and_in_order(name):
    for faults, walks in ((0, 20), (1, 40), (3, 40)):
        assert explore(name, faults, range(walks))[0] == []


@pytest.mark.parametrize("name", ["two fetches at once", "several parts in time"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_part_is_delivered_once_whichever_step_fails(name, kind):
    scenario = attrs.evolve(SCENARIOS[name], faults=1)
    for step in range(1, walk(SCENARIOS[name], 1).noisy_steps + 1):
        world = walk(scenario, 1, fault=(step, kind))
        assert (world.problem, world.seen[kind]) == ("", 1), step


@pytest.mark.endurance
def test_every_part_is_delivered_once_in_a_minute_of_walks():
    end, first, problems = time.process_time() + 60, 1_000_000, []
    while time.process_time() < end and not problems:
        for name in SCENARIOS:
            for faults in (1, 2, 4):
                problems += explore(name, faults, range(first, first + 10))[0]
        first += 10
    assert problems == []


@pytest.mark.endurance
def test_every_part_is_delivered_once_whichever_step_of_any_walk_fails():
    for scenario in SCENARIOS.values():
        for seed in range(3):
            for step in range(1, walk(scenario, seed).noisy_steps + 1):
                for kind in KINDS:
                    world = walk(attrs.evolve(scenario, faults=1), seed, fault=(step, kind))
                    assert world.problem == "", (scenario, seed, step, kind)


def test_the_walks_reach_everything_that_can_happen():
    """A walk that sees nothing would find nothing wrong."""
    seen: Counter[str] = Counter()
    for name in ("a fetch that takes all its tries", "two questions"):
        seen += explore(name, 3, range(60))[1]
    happens = {"answer", "carried", "text", "recovered", "a fetch became a question", "the user saw an error"}
    assert seen.keys() >= {*happens, *KINDS}


# --- faults in the code ----------------------------------------------------------------------------------------------


class ShortensFirst(KeptAnswers):
    """Removes a part from the queue before a record has it."""

    def carry(self, openid: str, claimed: Any, taken: Any, *args: Any, **options: Any) -> FLOW:
        yield from self.settle(openid, taken.item.id, taken.item.next)
        return (yield from super().carry(openid, claimed, taken, *args, **options))


class LeavesTheRecord(KeptAnswers):
    """Frees what a dead process has taken, although its record may still carry it."""

    def revoke(self, *args: Any) -> FLOW:
        yield from ()
        return True


class PutsAgain(KeptAnswers):
    """Keeps an answer as often as it is put."""

    def put(self, openid: str, id: str, parts: Any, until: float, **options: Any) -> FLOW:
        raw, queue = yield from self._read(openid)
        place = queue.find(id, "place")
        item = Item(id, options.get("key", ""), until, parts=parts, count=len(parts))
        yield from self._replace(openid, raw, queue.replace(place, item) if place else queue.add(item))
        return 0


class IgnoresTakers(KeptAnswers):
    """Takes the next part, whoever has taken it before."""

    def take(self, openid: str, claimed: Any, **options: Any) -> FLOW:
        raw, queue = yield from self._read(openid)
        if queue.items and queue.items[0].state == "kept":
            mine = claimed.key, claimed.claim
            new = queue.take(queue.items[0], mine)
            if (yield from self._replace(openid, raw, new)):
                return new.find_taken(mine)
        return (yield from super().take(openid, claimed, **options))


class NothingRuns(RunningPushes):
    """A registry that forgets everything."""

    def add(self, running: Any) -> bool:
        return True

    def remove(self, running: Any, reply: Any = None) -> bool:
        return True


class AsksForItself(Lane):
    """A process without a registry must look at its lane."""

    def reset(self) -> None:
        super().reset()
        self.registry = NothingRuns()

    def is_dead(self, claim: str) -> FLOW:
        lane, process, _ = claim.split(".")
        return (yield Get(self.store, self._name_lane(lane))) != dump_texts([process])


class ClaimsAgain(AsksForItself):
    """A process that makes the same claim again and again."""

    def make_claim(self, name: str, *, shared: bool) -> FLOW:
        claim = yield from super().make_claim(name, shared=shared)
        return f"{claim.rpartition('.')[0]}.{'0' * 16}"


TWICE = "a part was delivered twice"
MUTATIONS = {
    "a queue that is shortened before the record is written": (
        *(ShortensFirst, "two fetches at once", "dies before"),
        "a part was lost",
    ),
    "a part that is freed while a record may carry it": (LeavesTheRecord, "two fetches at once", "stops before", TWICE),
    "an answer that is put twice": (PutsAgain, "a fetch that takes all its tries", "lies", TWICE),
    "a part that is taken twice": (IgnoresTakers, "two fetches at once", "stalls before", TWICE),
}


def find_problems(name: str, mutation: Mutation, kind: str, seeds: range, most: int = 1000) -> FLOW:
    """Yield the problems of walks in which one step after another fails, of the first ones at *most*."""
    scenario = attrs.evolve(SCENARIOS[name], faults=1)
    for seed in seeds:
        for step in range(1, min(walk(SCENARIOS[name], seed, mutation).noisy_steps, most) + 1):
            yield walk(scenario, seed, mutation, fault=(step, kind)).problem


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_walk_finds(name):
    kept, scenario, kind, problem = MUTATIONS[name]
    assert problem in find_problems(scenario, Mutation(kept=kept), kind, range(20))


def test_a_walk_finds_claims_whose_bytes_repeat_if_there_is_no_registry_to_hide_it():
    name, kind = "a fetch that finds only a place", "freezes"
    assert TWICE in find_problems(name, Mutation(process=ClaimsAgain), kind, range(100), 30)
    assert set(find_problems(name, Mutation(process=AsksForItself), kind, range(4), 30)) == {""}
