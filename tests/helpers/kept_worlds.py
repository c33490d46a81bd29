"""A world of processes that keep answers for their user's next texts: the shipped deliveries, works and queues."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from attrs import frozen

from tests.helpers.worlds import SEND, UNCHANGED, Fate, Mutation, Scenario, Shelf, Task, World, make_push, walk_in
from wechat_msg import AnswerLater, KeepReply
from wechat_msg.endpoint.kept import KeptAnswers, Queue, load_queue
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.late import LatePolicy
from wechat_msg.endpoint.records import Done, load_record
from wechat_msg.endpoint.registry import make_item
from wechat_msg.exchange import Push
from wechat_msg.replies import RenderedReply

FLOW = Generator[Any, Any, Any]
WAIT, FETCH = "please wait", "1"
FIRST_TEXT = 1000  # pushes with larger numbers are texts that fetch
MOST_FETCHES = 60
ANSWER = re.compile(r"answer (\d+)\.(\d+)")

Part = tuple[int, int]
"""A run of a handler, and a part of its answer."""


@frozen
class KeptScenario(Scenario):
    """What the user writes, and what a handler answers.

    Attributes:
        parts: How many parts an answer has.
        fetches: When the user writes texts that fetch.
        puts: When an answer is put from outside.
        refuses: How often WeChat refuses what is sent; None if the policy is `KeepReply`.
        any_text: Whether any text fetches.
    """

    after: str = "last_try"
    parts: int = 2
    fetches: tuple[float, ...] = ()
    puts: tuple[float, ...] = ()
    refuses: float | None = None
    any_text: bool = False


class NotedShelf(Shelf):
    """A store that tells what is written."""

    def __init__(self, clock: Callable[[], float], note: Callable[[str, bytes], None]) -> None:
        super().__init__(clock)
        self.note = note

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        is_done = super().compare_and_set(key, expected, value, ttl)
        if is_done and value is not None:
            self.note(key, value)
        return is_done


class KeptWorld(World):
    """Everything that happens in one walk."""

    scenario: KeptScenario

    def __init__(self, scenario: KeptScenario, seed: int, mutation: Mutation) -> None:
        super().__init__(scenario, seed, mutation)
        self.store = NotedShelf(lambda: self.now, self.note_write)
        self.keys: dict[int, str] = {}  # of the pushes, by the runs of their handlers
        self.counts: dict[int, int] = {}  # of parts, by runs
        self.parts: list[Part] = []  # as they were delivered, in this order
        self.carried: dict[str, list[Part]] = {}  # by the keys of records
        self.read: dict[str, list[str]] = {}  # what the user has read, by the keys of pushes
        self.texts = FIRST_TEXT
        self.waited: dict[str, list[Fate]] = {}  # what the user waited for when a text was sent
        for at in scenario.fetches:
            self.call_later(at, self.fetch)
        for at in scenario.puts:
            self.call_later(at, self.put)

    # --- processes

    def make_policy(self) -> LatePolicy:
        scenario = self.scenario
        fetch = None if scenario.any_text else lambda message: message.content == FETCH
        if scenario.refuses is None:
            return KeepReply(WAIT, after=scenario.after, more="+", fetch=fetch)  # type: ignore[arg-type]
        unsent = KeepReply(WAIT, more="+", fetch=fetch)
        return AnswerLater(lambda message: SEND, after=scenario.after, unsent=unsent)  # type: ignore[arg-type, return-value]

    def make_kept(self, process: Process) -> KeptAnswers:
        return self.mutation.kept(self.store, self.store, "i", process, lambda: self.now, self.report)

    # --- the user

    def make_push(self, number: int) -> Push:
        return make_push(number) if number < FIRST_TEXT else make_push(number, b"1")

    def fetch(self) -> Fate:
        self.texts += 1
        waited = [fate for fate in self.fates.values() if self.is_waiting(fate)]
        self.push(self.texts)
        fate = next(fate for fate in self.fates.values() if fate.number == self.texts)
        self.waited[fate.key] = waited
        return fate

    def put(self) -> None:
        home, self.runs = self.any_home(), self.runs + 1
        parts = tuple(home.handling.answers.make_kept("oUSER", f"answer {self.runs}.0"))
        run, key = self.runs, f"put:{self.runs}"

        def end(result: Any, error: BaseException | None) -> None:
            self.fates[key].is_acknowledged = error is None and result is not None

        self.fates[key] = Fate(key, 0, is_over=True)
        self.keys[run], self.counts[run] = key, 1
        flow = home.handling.kept.put("oUSER", str(run), parts, home.handling.answers.keep_until())  # type: ignore[union-attr]
        self.start("put", home, flow, on_end=end)

    def note_reply(self, fate: Fate, reply: Any) -> None:
        text = reply.documents["xml"] if isinstance(reply, RenderedReply) else str(getattr(reply, "content", ""))
        self.read.setdefault(fate.key, []).append(text)
        if found := ANSWER.search(text):
            self.seen["a part was read"] += 1
            self.note_part(fate.key, (int(found[1]), int(found[2])))
            return
        raw = self.store.get(fate.key)
        record = None if raw is None else load_record(raw)
        is_fetch = isinstance(record, Done) and isinstance(record.reply, RenderedReply)
        fate.is_acknowledged = not is_fetch
        self.seen["a fetch found nothing" if is_fetch else "acknowledged"] += 1

    # --- what is delivered

    def note_write(self, key: str, value: bytes) -> None:
        record = load_record(value) if key in self.fates else None
        reply = record.reply if isinstance(record, Done) else None
        if isinstance(reply, RenderedReply) and (found := ANSWER.search(reply.documents["xml"])):
            self.note_part(key, (int(found[1]), int(found[2])))

    def note_part(self, key: str, part: Part) -> None:
        """Note a part that a push carries: it is in its record, or the user has read it."""
        if part not in self.carried.setdefault(key, []):
            self.carried[key].append(part)
            self.parts.append(part)

    def note_sent(self, fate: Fate, message: Any) -> None:
        found = ANSWER.search(str(message))
        assert found
        self.parts.append((int(found[1]), int(found[2])))
        self.seen["sent"] += 1

    def find_refusal(self) -> Exception | None:
        if self.scenario.refuses and self.rng.random() < self.scenario.refuses:
            error = RuntimeError("refused")
            error.errcode = 48001  # type: ignore[attr-defined]
            self.seen["refused"] += 1
            return error
        return None

    def choose_duration(self, fate: Fate) -> float:
        return 0.0 if fate.number >= FIRST_TEXT else super().choose_duration(fate)

    def make_answer(self, fate: Fate, number: int) -> Any:
        count = 1 if fate.number >= FIRST_TEXT else self.scenario.parts
        self.keys[number], self.counts[number] = fate.key, count
        waits = any(self.is_waiting(each) for each in self.waited.get(fate.key, ()))
        if waits and self.scenario.refuses is None and not (self.faults or self.errors):
            self.problems.append("a fetch was handled although its user waits")
        return [f"answer {number}.{part}" for part in range(count)]

    # --- the judgement

    def has_all(self, fate: Fate) -> bool:
        """Return whether all parts of an answer to a push were delivered."""
        runs = [run for run, key in self.keys.items() if key == fate.key]
        return any(all((run, part) in self.parts for part in range(self.counts[run])) for run in runs)

    def is_waiting(self, fate: Fate) -> bool:
        return fate.is_acknowledged and not (fate.is_lost or self.has_all(fate))

    def read_queue(self) -> Queue:
        raws = [self.store.get(key) for key in list(self.store.values) if key.startswith("i:user:")]
        return load_queue(raws[0]) if raws else Queue()

    def list_kept(self) -> set[str]:
        kept = {item.id for item in self.read_queue().items if item.state == "kept"}
        mine = {key for key in self.fates if (key[4:] if key.startswith("put:") else make_item(key)) in kept}
        return super().list_kept() | mine

    def look_for_the_rest(self) -> None:
        """Let the user fetch until nothing is left."""
        super().look_for_the_rest()
        for _ in range(MOST_FETCHES):
            if not self.read_queue().items:
                break
            fate, before = self.fetch(), self.now
            self.live(lambda fate=fate: self.is_busy or not fate.is_over, before + 1000.0)  # type: ignore[misc]
        else:
            self.problems.append("an item is left over")
        if self.list_waiting():
            self.problems.append("an entry is left over after the last fetch")
        if any(len(home.process.registry) for home in self.homes):
            self.problems.append("a push is left over in a registry after the last fetch")

    def judge(self) -> None:
        unplanned = self.faults + self.errors
        if not unplanned and self.seen["the user saw an error"]:
            self.problems.append("the user saw an error although nothing failed")
        for key, parts in self.carried.items() if not self.reported else ():
            read = "".join(self.read.get(key, ()))
            if len(parts) > 1:
                self.problems.append("a push got two answers")
            if read and not any(f"answer {run}.{part}" in read for run, part in parts):
                self.problems.append("a part is in a record whose push was answered without it")
        for fate in self.fates.values():
            self.judge_one(fate, unplanned)

    def judge_one(self, fate: Fate, unplanned: int) -> None:
        """Note what is wrong with the answer to one push."""
        if fate.runs > 1 + unplanned + self.reported:
            self.problems.append("the handler ran again although nothing failed")
        mine = [part for part in self.parts if self.keys[part[0]] == fate.key]
        may_be_lost = self.is_excused or (fate.is_lost and (unplanned > 2 or self.reported > 0))
        # What goes out without the store is in no record, so a part of it may be lost with its response.
        # Nor is it kept if its user saw an error, and it was sent all the same.
        was_sent = self.scenario.refuses is not None and fate.key not in self.read
        is_owed = fate.is_acknowledged or (mine and not (self.reported or was_sent))
        if is_owed and not (self.has_all(fate) or may_be_lost):
            self.problems.append("a part was lost")
        if self.reported:
            return
        if len({run for run, _ in mine}) > 1:
            self.problems.append("two answers reached the user")
        extra = sum(count - 1 for count in Counter(mine).values())
        if extra > len(fate.excused):
            self.problems.append("a part was delivered twice")
        if not extra and mine != sorted(mine):
            self.problems.append("parts came out of order")
        self.seen["whole answers"] += bool(mine)


class Moment(KeptWorld):
    """A walk whose steps at the last try are chosen by numbers, so that one after another every order can be had."""

    def __init__(self, scenario: KeptScenario, seed: int, numbers: Sequence[int]) -> None:
        super().__init__(scenario, seed, UNCHANGED)
        self.chosen, self.options = list(numbers), list[int]()

    def pick(self, ready: list[Task]) -> Task:
        if any(task.is_idle for task in ready):
            return next(task for task in ready if task.is_idle)
        if len(ready) == 1 or self.now < 13.0 or all(fate.is_over for fate in self.fates.values()):
            return ready[0]
        position = len(self.options)
        self.options.append(len(ready))
        self.chosen += [0] * (position == len(self.chosen))
        return ready[self.chosen[position]]

    def find_next(self) -> list[int] | None:
        """Return the numbers of the next order; None if this was the last one."""
        for position in reversed(range(len(self.options))):
            if self.chosen[position] + 1 < self.options[position]:
                return [*self.chosen[:position], self.chosen[position] + 1]
        return None


def walk_kept(scenario: KeptScenario, seed: int, mutation: Mutation = UNCHANGED) -> KeptWorld:
    """Return the world at the end of the walk with this seed."""
    return walk_in(lambda: KeptWorld(scenario, seed, mutation), seed)


def walk_in_every_order(scenario: KeptScenario, seed: int) -> Iterator[Moment]:
    """Yield worlds that differ only in the order of the steps for which the time is the same."""
    numbers: list[int] | None = []
    while numbers is not None:
        world = walk_in(functools.partial(Moment, scenario, seed, numbers), seed)
        yield world
        numbers = world.find_next()
