"""A dialogue in two processes, in random orders of their steps, with deaths, stalls and a store that fails."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from attrs import frozen

from tests.helpers.dialogue_worlds import ALL, AsyncShelf, DialogueWorld, Scenario
from tests.helpers.rows import check_rows
from tests.helpers.worlds import Shelf

TALKS: dict[str, list[tuple[str, str]]] = {
    "one dialogue": [("go", "words?"), ("a", "a"), ("b", "a b"), ("end", "a b end!")],
    "to another dialogue and back": [
        ("go", "words?"),
        ("a", "a"),
        ("switch", "a switch"),
        ("b", "a switch b"),
        ("switch-back", "a switch b switch-back"),
        ("end", "a switch b switch-back end!"),
    ],
    "a reset": [("go", "words?"), ("a", "a"), ("reset", "forgotten"), ("go", "words?"), ("b", "b"), ("end", "b end!")],
    "an end": [("go", "words?"), ("a", "a"), ("cancel", "cancelled"), ("go", "words?"), ("b", "b"), ("end", "b end!")],
}


def make_talk(name: str, kinds: Sequence[str] = ALL, faults: int = 0, **others: Any) -> Scenario:
    """Return the scenario of a talk; that with a reset is on an async store, where a message waits for no other one."""
    if name == "a reset":
        others |= {"wrap": AsyncShelf, "wait": 0.0}
    return Scenario([(said,) for said, _ in TALKS[name]], kinds, faults, **others)


PAUSES = 0.0, 0.0, 6.0, 40.0
#: Without those who stand still so long that a message from before the change is new to the other dialogue.
ALL_BUT_STALLS = tuple(kind for kind in ALL if kind != "stalls")
SCENARIOS = {
    "one fault": make_talk("one dialogue", faults=1),
    "four faults": Scenario((("go",), ("a",), ("b",), ("c",), ("end",)), faults=4),
    "several texts at once": Scenario((("go",), ("a", "b", "c"), ("end",))),
    "several texts at once, and four faults": Scenario((("go",), ("a", "b", "c"), ("d", "e"), ("end",)), faults=4),
    "steps that take longer than their claim": Scenario(
        (("go",), ("a", "b"), ("end",)), ("dies",), 2, (0.0, 10.0, 40.0)
    ),
    "to another dialogue and back, and four faults": make_talk(
        "to another dialogue and back", ALL_BUT_STALLS, 4, pauses=PAUSES
    ),
    "to another dialogue with several texts at once, and four faults": Scenario(
        (("go",), ("a", "switch", "b"), ("c", "d"), ("end",)), ALL_BUT_STALLS, 4, pauses=PAUSES
    ),
    "a reset, and four faults": make_talk("a reset", faults=4, pauses=PAUSES),
    "an end, and four faults": make_talk("an end", faults=4, pauses=PAUSES),
}


def walk(scenario: Scenario, seeds: int) -> tuple[Counter[str], dict[str, int]]:
    """Return what was seen in the walks with these seeds, and the problems with the first seed of each."""
    seen, problems = Counter[str](), dict[str, int]()
    for seed in range(seeds):
        world = DialogueWorld(scenario, seed).run()
        seen += world.seen
        problems.update((problem, seed) for problem in world.problems if problem not in problems)
    return seen, problems


@pytest.mark.parametrize("name", TALKS)
def test_a_user_reads_the_same_whatever_goes_wrong_at_one_step(name):
    """A process that dies, stalls up to 70 seconds, or loses its store: no answer changes, no text is taken twice."""
    expected = [answer for _, answer in TALKS[name]]
    calm = DialogueWorld(make_talk(name), 0).run()
    assert [delivery.answer for delivery in calm.deliveries] == expected
    places, ends = range(calm.seen["steps"]), Counter[str]()

    def check(kind: str, place: int, is_before: bool) -> None:
        for seed in range(2 if kind == "stalls" else 1):
            world = DialogueWorld(make_talk(name, (kind,), 1, place=place, is_before=is_before), seed).run()
            assert ([delivery.answer for delivery in world.deliveries], world.problems) == (expected, [])
            ends.update(world.seen)

    check_rows(itertools.product(("dies", "stalls", "fails", "lies"), places, (True, False)), check)
    assert min(ends[kind] for kind in ("dies", "stalls", "fails", "lies")) > calm.seen["steps"]
    assert ends["StoreError"] > 0
    assert ends["not heard"] > 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_nothing_is_taken_twice(name):
    seen, problems = walk(SCENARIOS[name], 40)
    assert problems == {}
    expected = {*SCENARIOS[name].kinds} if "four" in name else {"answered"}
    assert expected <= seen.keys()


@pytest.mark.endurance
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_in_thousands_of_orders(name):
    seen, problems = walk(SCENARIOS[name], 3000)
    assert problems == {}
    if "four" in name:
        assert {"StoreError", "ConversationBusy"} <= seen.keys()
    if "four" in name and "stalls" in SCENARIOS[name].kinds:
        assert {"ConversationChanged", "not heard"} <= seen.keys()


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
