"""A dialogue in two processes, in random orders of their steps, with deaths, stalls and a store that fails."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import attrs
import pytest
from attrs import frozen

from tests.helpers.dialogue_worlds import DialogueWorld, Scenario
from tests.helpers.rows import check_rows
from tests.helpers.worlds import Shelf

TALK = (("go",), ("a",), ("b",), ("end",))
ANSWERS = ["words?", "a", "a b", "a b end!"]
SCENARIOS = {
    "one fault": Scenario(TALK, faults=1),
    "four faults": Scenario((("go",), ("a",), ("b",), ("c",), ("end",)), faults=4),
    "several texts at once": Scenario((("go",), ("a", "b", "c"), ("end",))),
    "several texts at once, and four faults": Scenario((("go",), ("a", "b", "c"), ("d", "e"), ("end",)), faults=4),
    "steps that take longer than their claim": Scenario(
        (("go",), ("a", "b"), ("end",)), ("dies",), 2, (0.0, 10.0, 40.0)
    ),
}


def walk(scenario: Scenario, seeds: int) -> tuple[Counter[str], dict[str, int]]:
    """Return what was seen in the walks with these seeds, and the problems with the first seed of each."""
    seen, problems = Counter[str](), dict[str, int]()
    for seed in range(seeds):
        world = DialogueWorld(scenario, seed).run()
        seen += world.seen
        problems.update((problem, seed) for problem in world.problems if problem not in problems)
    return seen, problems


def test_a_user_reads_the_same_whatever_goes_wrong_at_one_step():
    """A process that dies, stalls up to 70 seconds, or loses its store: no answer changes, no text is taken twice."""
    calm = DialogueWorld(Scenario(TALK), 0).run()
    assert [delivery.answer for delivery in calm.deliveries] == ANSWERS
    places, ends = range(calm.seen["steps"]), Counter[str]()

    def check(kind: str, place: int, is_before: bool) -> None:
        for seed in range(8 if kind == "stalls" else 1):
            world = DialogueWorld(Scenario(TALK, (kind,), 1, place=place, is_before=is_before), seed).run()
            assert ([delivery.answer for delivery in world.deliveries], world.problems) == (ANSWERS, [])
            ends.update(world.seen)

    check_rows(itertools.product(("dies", "stalls", "fails", "lies"), places, (True, False)), check)
    assert min(ends[kind] for kind in ("dies", "stalls", "fails", "lies")) > calm.seen["steps"]
    assert ends["StoreError"] > 0
    assert ends["not heard"] > 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_nothing_is_taken_twice(name):
    seen, problems = walk(SCENARIOS[name], 60)
    assert problems == {}
    expected = {"dies", "stalls", "fails", "lies", "unheard"} if "four" in name else {"answered"}
    assert expected <= seen.keys()


@pytest.mark.endurance
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_in_thousands_of_orders(name):
    seen, problems = walk(SCENARIOS[name], 3000)
    assert problems == {}
    if "four" in name:
        assert {"StoreError", "ConversationBusy", "ConversationChanged", "not heard"} <= seen.keys()


# --- the explorer finds what is wrong --------------------------------------------------------------------------------


@frozen
class GrantsAllClaims:
    """A store in which every message has every claim."""

    shelf: Shelf

    def get(self, key: str) -> bytes | None:
        return self.shelf.get(key)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return ":claim:" in key or self.shelf.compare_and_set(key, expected, value, ttl)


@frozen
class LastWriterWins(GrantsAllClaims):
    """A store that compares nothing, either."""

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return super().compare_and_set(key, self.shelf.get(key), value, ttl)


FAULTY: dict[str, tuple[dict[str, Any], set[str]]] = {
    "without claims": ({"wrap": GrantsAllClaims}, {"a step ran again although nothing failed"}),
    "without a comparison": ({"wrap": LastWriterWins}, {"a change was lost"}),
    "without ids": ({"has_ids": False, "faults": 4, "kinds": ("unheard",)}, {"a message was taken twice"}),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_would_be_wrong_is_found(name):
    changes, expected = FAULTY[name]
    _, problems = walk(attrs.evolve(SCENARIOS["several texts at once"], **changes), 20)
    assert expected <= problems.keys()
