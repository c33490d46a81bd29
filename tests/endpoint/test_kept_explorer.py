"""Answers that are kept, in two processes, in random orders of their steps, with deaths, stops, failures and ends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator
from typing import Any

import attrs
import pytest

from tests.endpoint.test_explorer import NoRegistry, Repeats, TrustsItself
from tests.helpers.kept_worlds import KeptScenario, walk_in_every_order, walk_kept
from tests.helpers.worlds import Mutation
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.kept import Item, KeptAnswers
from wechat_msg.endpoint.records import InboxEntry
from wechat_msg.endpoint.registry import make_item

FLOW = Generator[Any, Any, Any]

LAST = (1.0, 14.4, 14.5, 14.6, 16.0)
SCENARIOS = {
    "answers after the last try": KeptScenario(durations=(*LAST, 22.0), fetches=(2.0, 16.0)),
    "answers after the first try": KeptScenario(
        after="first_try", durations=(0.0, 4.4, 4.5, 4.6, 8.0, 12.0), fetches=(5.0, 9.0, 9.0)
    ),
    "answers at once": KeptScenario(after="at_once", durations=(0.0, 0.1, 3.0, 8.0), fetches=(0.1, 3.0, 9.0)),
    "answers of one part": KeptScenario(parts=1, durations=LAST, fetches=(16.0, 16.0)),
    "answers of three parts": KeptScenario(
        parts=3, pushes=2, durations=(0.0, *LAST), fetches=(1.0, 1.0, 16.0), puts=(3.0,)
    ),
    "any text fetches": KeptScenario(
        any_text=True, pushes=2, after="first_try", durations=(1.0, 4.5, 6.0), fetches=(1.0, 6.0), spread=6.0
    ),
    "answers that WeChat refuses": KeptScenario(
        refuses=0.5, after="first_try", durations=(1.0, 4.5, 6.0), fetches=(1.0, 8.0)
    ),
    "answers of which WeChat refuses some": KeptScenario(
        refuses=0.3, parts=3, pushes=2, errors=1, durations=LAST, fetches=(1.0, 16.0)
    ),
    "answers from outside": KeptScenario(pushes=0, puts=(0.0, 0.0, 2.0), fetches=(0.0, 0.0, 2.0)),
}
FAULTS = (
    {"faults": 0},
    {"faults": 1},
    {"faults": 2, "kinds": ("dies", "stops", "stalls", "drains")},
    {"faults": 2, "kinds": ("fails", "lies", "dies")},
)


def explore(name: str, seeds: range) -> tuple[list[str], Counter[str]]:
    """Return what was wrong in the first walk in which anything was, and how often things happened."""
    seen: Counter[str] = Counter()
    for faults in FAULTS:
        for seed in seeds:
            world = walk_kept(attrs.evolve(SCENARIOS[name], **faults), seed)
            seen += world.seen
            if world.problems:
                return [f"{name}, {faults}, seed {seed}", *world.problems], seen
    return [], seen


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_part_of_what_was_promised_reaches_the_user_once(name):
    assert explore(name, range(8))[0] == []


@pytest.mark.endurance
def test_every_part_of_what_was_promised_reaches_the_user_in_a_minute_of_walks():
    end, first, problems = time.process_time() + 60, 1_000_000, []
    while time.process_time() < end and not problems:
        for name in SCENARIOS:
            problems += explore(name, range(first, first + 5))[0]
        first += 5
    assert problems == []


def test_the_walks_reach_everything_that_can_happen():
    """A walk that sees nothing would find nothing wrong."""
    seen = explore("answers after the first try", range(12))[1]
    seen += explore("answers of which WeChat refuses some", range(12))[1]
    assert seen.keys() >= {
        *("acknowledged", "a part was read", "a fetch found nothing", "whole answers", "refused", "sent"),
        *("dies", "stops", "stalls", "drains", "fails", "lies", "taken over"),
    }


# --- the moment of the last try --------------------------------------------------------------------------------------


def count_outcomes(scenario: KeptScenario, seeds: range) -> Counter[str]:
    """Return how often an answer was in time, or late, in every order of the steps."""
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        for world in walk_in_every_order(scenario, seed):
            outcomes["late" if world.seen["acknowledged"] else "in time"] += 1
            outcomes += Counter(world.problems)
    return outcomes


def test_an_answer_in_the_moment_of_the_last_try_is_either_in_time_or_late():
    moment, before = (KeptScenario(durations=(seconds,), parts=1, spread=0.0) for seconds in (14.5, 13.5))
    assert count_outcomes(moment, range(10)).keys() == {"in time", "late"}
    assert count_outcomes(before, range(3)).keys() == {"in time"}


@pytest.mark.endurance
def test_an_answer_of_two_parts_in_the_moment_of_the_last_try_is_either_in_time_or_late():
    scenario = KeptScenario(durations=(14.5,), spread=0.0)
    assert count_outcomes(scenario, range(2)).keys() == {"in time", "late"}


@pytest.mark.endurance
def test_an_answer_in_the_moment_of_the_last_try_is_either_in_time_or_late_in_ten_thousand_walks():
    scenario = KeptScenario(durations=(14.5,), spread=0.0)
    assert all(walk_kept(scenario, seed).problems == [] for seed in range(10_000))


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


class NoPlace(KeptAnswers):
    """Lets nobody wait."""

    def add_place(self, *args: Any) -> FLOW:
        yield from ()


class KeepsTheRestFirst(Inbox):
    """Keeps what follows the first part of an answer before the record has that."""

    def put(self, entry: InboxEntry) -> FLOW:
        if entry.state == "answered":
            kept = KeptAnswers(self.store, self.store, "i", self._process, self._clock, lambda error: None)
            yield from kept.put("oUSER", make_item(entry.key), entry.parts[1:], 1e6, at=1)
        return (yield from super().put(entry))


MUTATIONS = {
    "a queue that is shortened before the record is written": (
        *(Mutation(kept=ShortensFirst), "answers after the first try", FAULTS[1]),
        "a part was lost",
    ),
    "a part that is freed while a record may carry it": (
        *(Mutation(kept=LeavesTheRecord), "answers from outside", {"faults": 2, "kinds": ("stops", "stalls")}),
        "a part was delivered twice",
    ),
    "an answer that is put twice": (
        *(Mutation(kept=PutsAgain), "answers after the first try", FAULTS[2]),
        "a part was delivered twice",
    ),
    "no place": (
        *(Mutation(kept=NoPlace), "answers after the first try", FAULTS[0]),
        "a fetch was handled although its user waits",
    ),
    "parts that are kept before the first one is in the record": (
        *(Mutation(inbox=KeepsTheRestFirst), "answers after the last try", FAULTS[1]),
        "a part was lost",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_walk_finds(name):
    mutation, scenario, faults, problem = MUTATIONS[name]
    scenario = attrs.evolve(SCENARIOS[scenario], **faults)
    assert any(problem in walk_kept(scenario, seed, mutation).problems for seed in range(1000))


def test_a_walk_finds_claims_whose_bytes_repeat_if_there_is_no_registry_to_hide_it():
    faults = {"faults": 3, "kinds": ("stops", "stalls")}
    scenario = attrs.evolve(SCENARIOS["answers of one part"], **faults)
    repeats, differ = (Mutation(process=process, registry=NoRegistry) for process in (Repeats, TrustsItself))
    problem = "two answers reached the user"
    assert any(problem in walk_kept(scenario, seed, repeats).problems for seed in range(1000))
    assert not any(problem in walk_kept(scenario, seed, differ).problems for seed in range(50))
