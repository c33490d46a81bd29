"""A world in which kept answers are fetched: the shipped flows of the queue, a small owner and a small fetcher.

Every store step of every flow is taken by hand, in a random order. There is one clock, and it advances only when no
flow can take a step.
"""

from __future__ import annotations

import contextlib
import functools
import random
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

import attrs
from attrs import define, field, frozen

from tests.helpers.worlds import Shelf, describe, make_push
from wechat_msg import Acknowledgement, StoreError
from wechat_msg._flow import CompareAndSet, Get, Sleep, Wait, drive
from wechat_msg.endpoint.kept import Claimed, KeptAnswers, Taken, Undelivered, load_queue
from wechat_msg.endpoint.lanes import LEASE, Process
from wechat_msg.endpoint.records import Done, Free, Record, Run, load_record
from wechat_msg.endpoint.registry import Running
from wechat_msg.replies import RenderedReply

FLOW = Generator[Any, Any, Any]

OPENID = "oUSER"
TEXT = "still working"
SLOT, ENTRY = "0:0", b"entry"
LATE = 4.5  # seconds after which the last try is answered
HANGS_UP = 5.0
TRIES = 3
PATIENCE = 20.0  # seconds for which the store is asked again while it fails
KEEP, EXPIRES = 300.0, 86400.0
PAUSE, LOOK_EVERY = 0.5, 1.0  # seconds
LONGEST, MOST_STEPS = 400.0, 20_000  # seconds, and store steps, of a walk
KINDS = (
    "dies before",
    "dies after",
    "stops before",
    "stops after",
    "stalls before",
    "stalls after",
    "freezes",
    "fails",
    "lies",
)
STOPS = (1.0, 4.0, 9.0)  # seconds
FAULTS_PER_STEP = 0.03


class Lane(Process):
    """A process whose lease ends when the world says so, instead of being renewed."""

    def take(self, number: int, *, seconds: float, is_held: bool = False) -> FLOW:
        return super().take(number, seconds=1e9, is_held=is_held)


@frozen
class Mutation:
    """The parts of a process; a test replaces one by a faulty one."""

    process: Callable[..., Process] = Lane
    kept: Callable[..., KeptAnswers] = KeptAnswers


UNCHANGED = Mutation()


@frozen
class Question:
    """A push that is no text: when it is sent, how long its handler takes, how many parts its answer has."""

    at: float
    seconds: float
    parts: int
    is_generator: bool = False


@frozen
class Scenario:
    """What the user sends, and what may go wrong.

    Attributes:
        questions: Pushes that are no texts.
        fetches: When texts are sent.
        kept: Parts of an answer that is kept when the walk begins.
        waits: Seconds for which it is followed by the place of another answer, which is never given.
        processes: How many there are.
        faults: How many things go wrong.
    """

    questions: tuple[Question, ...] = ()
    fetches: tuple[float, ...] = ()
    kept: int = 0
    waits: float = 0.0
    processes: int = 2
    faults: int = 0


@define(eq=False)
class Fate:
    """A push, and what has become of it."""

    key: str
    is_text: bool
    question: Question
    is_over: bool = False
    was_shown_text: bool = False
    given: list[str] = field(factory=list)
    """Answers that are in the record, and are no part of a queue."""

    @property
    def entry(self) -> str:
        """The key of the entry in the inbox."""
        return f"{self.key}:entry"


@define(eq=False)
class Home:
    """One process."""

    process: Process
    kept: KeptAnswers
    is_alive: bool = True
    stopped_until: float = 0.0


@define(eq=False)
class Task:
    """A flow that a process performs."""

    home: Home
    flow: FLOW
    on_end: Callable[[Any], None] = lambda result: None
    step: Any = None
    outcome: tuple[str, Any] | None = ("send", None)
    wake_at: float = 0.0
    stopped_until: float = 0.0


class Broken(Exception):
    """The walk has found a problem."""


class World:
    """Everything that happens in one walk."""

    def __init__(self, scenario: Scenario, seed: int, mutation: Mutation, fault: tuple[int, str] | None) -> None:
        self.scenario, self.mutation, self.fault = scenario, mutation, fault
        self.rng, self.now = random.Random(seed), 0.0
        self.store = Shelf(lambda: self.now)
        self.homes: list[Home] = []
        self.tasks: list[Task] = []
        self.events: list[tuple[float, int, Callable[[], Any]]] = []
        self.fates: dict[str, Fate] = {}
        self.carried: dict[str, list[tuple[int, str]]] = {}
        self.seen: Counter[str] = Counter()
        self.steps = self.faults = self.runs = self.numbers = 0
        self.is_quiet, self.noisy_steps = False, 0
        self.problem = ""
        self.story: list[str] | None = None

    # --- processes

    def start_home(self) -> Home:
        process = self.mutation.process(self.store, "i", lambda: self.now)
        kept = self.mutation.kept(self.store, self.store, "i", process, lambda: self.now, lambda error: None)
        home = Home(process, kept)
        self.homes.append(home)
        self.start(home, self.look_after(home))
        return home

    def start(self, home: Home, flow: FLOW, on_end: Callable[[Any], None] = lambda result: None) -> None:
        self.tasks.append(Task(home, flow, on_end))

    def call_later(self, seconds: float, function: Callable[[], Any]) -> None:
        self.numbers += 1
        self.events.append((self.now + seconds, self.numbers, function))

    def end_lease(self, home: Home) -> None:
        lane = home.process.lane
        if lane is not None and not (home.is_alive and home.stopped_until <= self.now):
            raw = self.store.get(f"i:lane:{lane.number}")
            if raw is not None and home.process.id.encode() in raw:
                del self.store.values[f"i:lane:{lane.number}"]

    def kill(self, home: Home) -> None:
        home.is_alive = False
        self.homes.remove(home)
        for task in [task for task in self.tasks if task.home is home]:
            self.tasks.remove(task)
            task.on_end(None)
        self.call_later(self.rng.choice((0.0, LEASE)), lambda: self.end_lease(home))
        self.call_later(self.rng.choice((0.0, 4.0)), self.start_home)

    # --- WeChat

    def push(self, question: Question, *, is_text: bool) -> Fate:
        key = f"i:push:{'f' if is_text else 'q'}{len(self.fates)}"
        fate = self.fates[key] = Fate(key, is_text, question)
        self.deliver(fate, 1)
        return fate

    def deliver(self, fate: Fate, number: int) -> None:
        if fate.is_over:
            return
        if number > TRIES:
            fate.is_over = True
            self.seen["the user saw an error"] += 1
            return
        sent_at = self.now

        def end(reply: str | None) -> None:
            if reply is not None and self.now - sent_at <= HANGS_UP and not fate.is_over:
                fate.is_over = True
                fate.was_shown_text = reply == TEXT and not fate.is_text
                self.seen["text" if reply == TEXT else "answer"] += 1

        home = self.rng.choice(self.homes or [self.start_home()])
        self.start(home, self.answer(home, fate, number), end)
        self.call_later(HANGS_UP, lambda: self.deliver(fate, number + 1))

    # --- a delivery

    def answer(self, home: Home, fate: Fate, number: int) -> FLOW:
        """Return the text that answers a try; None if there is none in time."""
        arrived, process = self.now, home.process
        while self.now - arrived < HANGS_UP:
            try:
                raw: bytes | None = yield Get(self.store, fate.key)
                record = None if raw is None else load_record(raw)
                if isinstance(record, Done):
                    return get_text(record)
                if record is not None and record.late:
                    return TEXT
                is_here = process.registry.find(fate.key) is not None
                if not is_here and (record is None or (yield from process.is_dead(record.claim))):
                    yield from self.claim(home, fate, raw)
                elif number == TRIES and self.now - arrived >= LATE and record is not None:
                    yield from self.answer_late(home, fate, raw, record)
                else:
                    yield Sleep(PAUSE)
            except StoreError:
                yield Sleep(PAUSE)
        return None

    def claim(self, home: Home, fate: Fate, raw: bytes | None) -> FLOW:
        is_fetch = fate.is_text and (yield from home.kept.has(OPENID))
        running = yield from self.own(home, fate, raw, kind="fetch" if is_fetch else "question")
        if running is not None:
            self.start(home, self.work(home, fate, running, is_fetch=is_fetch))

    def own(self, home: Home, fate: Fate, raw: bytes | None, **fields: Any) -> FLOW:
        """Put a new claim into the record; None if it has changed, or the push runs here already."""
        running, registry = Running(fate.key, make_push(0), "", self.now, self.store, fate.key), home.process.registry
        if not registry.add(running):
            return None
        claimed = False
        try:
            running.claim = yield from home.process.make_claim("delivery", shared=True)
            running.record = Run(running.claim, **fields).dump()
            claimed = yield CompareAndSet(self.store, fate.key, raw, running.record, EXPIRES)
        finally:
            if not claimed:
                registry.remove(running)
        return running if claimed else None

    def answer_late(self, home: Home, fate: Fate, raw: bytes | None, record: Run) -> FLOW:
        """Answer the last try with the text."""
        if record.kind == "fetch":
            yield CompareAndSet(self.store, fate.key, raw, Done(record.claim, make_reply(TEXT)).dump(), KEEP)
            return
        yield CompareAndSet(self.store, fate.entry, None, ENTRY, EXPIRES)
        yield from home.kept.add_place(OPENID, fate.key, fate.key, EXPIRES)
        late = attrs.evolve(record, slot=SLOT, late=True).dump()
        if not (yield CompareAndSet(self.store, fate.key, raw, late, EXPIRES)):
            yield from home.kept.remove_place(OPENID, fate.key)
            yield CompareAndSet(self.store, fate.entry, ENTRY, None)

    # --- the owner of a push

    def work(self, home: Home, fate: Fate, running: Running, *, is_fetch: bool) -> FLOW:
        try:
            if not is_fetch or (yield from self.fetch(home, fate, running)):
                yield from self.handle(home, fate, running)
        finally:
            home.process.registry.remove(running)

    def fetch(self, home: Home, fate: Fate, running: Running) -> FLOW:
        """Answer a push with what is kept; return whether it is a question, as nothing is kept."""
        claimed = Claimed(fate.key, running.claim, running.record)

        def deliver() -> FLOW:
            return (yield from home.kept.deliver(OPENID, claimed, make_done(running.claim), keep=KEEP))

        def become_question() -> FLOW:
            question = Run(running.claim).dump()
            changed = yield CompareAndSet(self.store, fate.key, running.record, question, EXPIRES)
            return changed or (yield Get(self.store, fate.key)) == question

        while (result := (yield from self.ask(deliver))) is not None:
            if result is Undelivered.WAIT:
                yield Sleep(PAUSE)
            elif result is not Undelivered.EMPTY:
                return False
            elif (yield from self.ask(become_question)):
                self.seen["a fetch became a question"] += 1
                return True
        return False

    def handle(self, home: Home, fate: Fate, running: Running) -> FLOW:
        self.runs += 1
        if fate.question.is_generator:
            yield from self.generate(home, fate, running)
            return
        parts = tuple(f"{fate.key} run {self.runs} part {number}" for number in range(fate.question.parts))
        yield Sleep(fate.question.seconds)
        while (yield from self.ask(lambda: self.finish(home, fate, running, parts))) is False:
            pass

    def generate(self, home: Home, fate: Fate, running: Running) -> FLOW:
        """Put one part after another; the push was shown the text, or is not answered by this run."""
        yield Sleep(HANGS_UP * TRIES)
        if not (yield from self.ask(lambda: self.is_late(fate, running))):
            return
        count = fate.question.parts
        for number in range(count + 1):
            parts = (f"{fate.key} run 0 part {number}",) if number < count else ()
            yield from self.ask(lambda: self.put(home, fate, parts, at=number, is_open=number < count))  # noqa: B023
            yield Sleep(self.rng.choice((0.0, fate.question.seconds)))
        yield from self.ask(lambda: self.finish(home, fate, running, ()))

    def put(self, home: Home, fate: Fate, parts: tuple[str, ...], **options: Any) -> FLOW:
        dropped = yield from home.kept.put(OPENID, fate.key, parts, EXPIRES, key=fate.key, **options)
        return dropped == 0

    def is_late(self, fate: Fate, running: Running) -> FLOW:
        raw: bytes | None = yield Get(self.store, fate.key)
        record = None if raw is None else load_record(raw)
        return running.owns(record) and record.late if isinstance(record, Run) else False

    def finish(self, home: Home, fate: Fate, running: Running, parts: tuple[str, ...]) -> FLOW:
        """Give, hold or keep an answer; False if the record has changed meanwhile."""
        raw: bytes | None = yield Get(self.store, fate.key)
        record = None if raw is None else load_record(raw)
        if raw is None or record is None or not running.owns(record):
            return True
        assert isinstance(record, Run)
        if record.late:
            if parts:
                yield from self.put(home, fate, parts)
            done = Done(running.claim, Acknowledgement())
        elif len(parts) == 1:
            done = Done(running.claim, make_reply(parts[0]))
        else:
            claimed = Claimed(fate.key, running.claim, raw)
            taken = yield from home.kept.hold(OPENID, fate.key, claimed, parts, EXPIRES)
            if taken is None:
                return False
            result = yield from home.kept.carry(OPENID, claimed, taken, make_done(running.claim), keep=KEEP)
            return isinstance(result, Done)
        if not (yield CompareAndSet(self.store, fate.key, raw, done.dump(), KEEP)):
            return False
        if record.late:
            yield from self.delete_entry(fate)
        return True

    def ask(self, flow: Callable[[], FLOW]) -> FLOW:
        """Perform a flow, again while the store fails; None if it fails for too long."""
        end = self.now + PATIENCE
        while self.now < end:
            try:
                return (yield from flow())
            except StoreError:
                yield Sleep(PAUSE)
        return None

    def look_after(self, home: Home) -> FLOW:
        """Handle the pushes again whose answers were promised by processes that have died."""
        while True:
            yield Sleep(LOOK_EVERY)
            for fate in list(self.fates.values()):
                with contextlib.suppress(StoreError):
                    yield from self.recover(home, fate)

    def recover(self, home: Home, fate: Fate) -> FLOW:
        if self.store.get(fate.entry) is None or home.process.registry.find(fate.key) is not None:
            return  # what does not concern this process is no step
        raw: bytes | None = yield Get(self.store, fate.key)
        record = None if raw is None else load_record(raw)
        if isinstance(record, Done):
            yield from self.delete_entry(fate)
        elif record is None or isinstance(record, Free) or (yield from home.process.is_dead(record.claim)):
            running = yield from self.own(home, fate, raw, slot=SLOT, late=record is not None and record.late)
            if running is not None:
                yield from self.take_over(home, fate, running)

    def take_over(self, home: Home, fate: Fate, running: Running) -> FLOW:
        """Fence the entry, and handle the push again; if the entry is gone, nobody was promised anything."""
        is_fenced = False
        try:
            entry: bytes | None = yield Get(self.store, fate.entry)
            mine, late = running.claim.encode(), Run(running.claim, SLOT, late=True).dump()
            if entry is None or not (yield CompareAndSet(self.store, fate.entry, entry, mine, EXPIRES)):
                yield CompareAndSet(self.store, fate.key, running.record, None)
            elif (yield CompareAndSet(self.store, fate.key, running.record, late, EXPIRES)):
                is_fenced, running.record = True, late
        finally:
            if not is_fenced:
                home.process.registry.remove(running)
        if is_fenced:
            self.seen["recovered"] += 1
            self.start(home, self.work(home, fate, running, is_fetch=False))

    def delete_entry(self, fate: Fate) -> FLOW:
        entry: bytes | None = yield Get(self.store, fate.entry)
        if entry is not None:
            yield CompareAndSet(self.store, fate.entry, entry, None)

    # --- steps

    def take_step(self) -> None:
        for event in sorted(event for event in self.events if event[0] <= self.now):
            self.events.remove(event)
            event[2]()
        ready, next_time = [], min((event[0] for event in self.events), default=float("inf"))
        for task in self.tasks:
            at = max(task.wake_at, task.stopped_until, task.home.stopped_until)
            if at <= self.now:
                ready.append(task)
            elif at < next_time:
                next_time = at
        if not ready:
            self.now = next_time
            return
        task = self.rng.choice(ready)
        if task.outcome is None:
            self.perform(task)
        if (
            task.outcome is not None
            and task in self.tasks
            and max(task.stopped_until, task.home.stopped_until) <= self.now
        ):
            self.resume(task)

    def perform(self, task: Task) -> None:
        """Perform a store step, and whatever goes wrong with it."""
        if isinstance(task.step, Wait):  # for the lane that another flow of this process takes
            if task.step.future.done():
                task.outcome = "send", task.step.future.result()
            else:
                task.wake_at = self.now + PAUSE
            return
        self.steps += 1
        kind = self.choose_fault()
        self.faults += bool(kind)
        self.seen[kind] += 1
        if kind not in ("fails", "freezes") and not kind.endswith("before"):
            task.outcome = "send", self.ask_store(task)
        if kind in ("fails", "lies"):
            task.outcome = "throw", StoreError("down")
        self.note(task, f"{kind} {describe(task.step)} -> {describe(task.outcome and task.outcome[1])}")
        home = task.home
        if kind.startswith("dies"):
            self.kill(home)
        if kind.startswith(("stops", "freezes")):
            home.stopped_until = self.now + (STOPS[1] if kind == "freezes" else self.rng.choice(STOPS))
            self.call_later(LEASE, lambda: self.end_lease(home))
        if kind.startswith(("stalls", "freezes")):
            task.stopped_until = self.now + (STOPS[2] if kind == "freezes" else self.rng.choice(STOPS))

    def choose_fault(self) -> str:
        """Return what goes wrong with this step."""
        if self.is_quiet or self.faults >= self.scenario.faults:
            return ""
        if self.fault is not None:
            return self.fault[1] if self.fault[0] == self.steps else ""
        return self.rng.choice(KINDS) if self.rng.random() < FAULTS_PER_STEP else ""

    def ask_store(self, task: Task) -> Any:
        step = task.step
        done = isinstance(step, CompareAndSet) and step.value is not None and step.key in self.fates
        result = step.perform()
        if result and done and step.value != step.expected:
            self.check_record(self.fates[step.key], load_record(step.value))
        return result

    def resume(self, task: Task) -> None:
        (how, value), task.outcome = task.outcome, None  # type: ignore[misc]
        try:
            task.step = getattr(task.flow, how)(value)
        except StopIteration as end:
            self.tasks.remove(task)
            task.on_end(end.value)
            return
        if isinstance(task.step, Sleep):
            task.wake_at, task.outcome = self.now + task.step.seconds, ("send", None)

    def note(self, task: Task, text: str) -> None:
        if self.story is not None:
            self.story.append(f"{self.now:7.2f} process {self.homes.index(task.home)}, {task.flow.__name__}: {text}")

    # --- the judgement

    def find_problem(self, text: str) -> None:
        self.problem = text
        raise Broken

    def check_record(self, fate: Fate, record: Record) -> None:
        """Check a record that was written just now."""
        if isinstance(record, Run):
            return
        text = get_text(record)
        if record.carries is None:
            fate.given += [text] * (text not in ("", TEXT))
            return
        self.seen["carried"] += 1
        (item, part), carried = record.carries, self.carried.setdefault(record.carries[0], [])
        if part in [number for number, _ in carried] or text in [other for _, other in carried]:
            self.find_problem("a part was delivered twice")
        if carried and part < carried[-1][0]:
            self.find_problem("parts were delivered out of order")
        if carried and get_run(text) != get_run(carried[-1][1]):
            self.find_problem("parts of two answers were delivered")
        if item != fate.key and not fate.is_text:
            self.find_problem("a question got the answer to another one")
        carried.append((part, text))

    def list_kept(self) -> list[Any]:
        return [item for raw in self.list_queues() for item in load_queue(raw).items]

    def list_queues(self) -> list[bytes | None]:
        return [self.store.get(key) for key in list(self.store.values) if ":user:" in key]

    def judge(self) -> None:
        if self.list_kept():
            self.find_problem("something is left over")
        for fate in self.fates.values():
            carried = self.carried.get(fate.key, [])
            if fate.given and carried:
                self.find_problem("an answer was given and kept")
            if len(set(fate.given)) > 1:
                self.find_problem("two answers were given")
            if (carried or fate.was_shown_text) and len(carried) != fate.question.parts and not fate.given:
                self.find_problem("a part was lost")
        if len(self.carried.get("kept", [])) != self.scenario.kept:
            self.find_problem("a part was lost")

    # --- a walk

    def is_busy(self) -> bool:
        is_running = any(len(home.process.registry) for home in self.homes)
        is_promised = any(self.store.get(fate.entry) for fate in self.fates.values())
        return is_running or is_promised or not all(fate.is_over for fate in self.fates.values())

    def live(self, until: Callable[[], bool]) -> None:
        end = self.now + LONGEST
        while not until():
            self.take_step()
            if self.now > end or self.steps > MOST_STEPS:
                self.find_problem("something never ends")

    def add_place(self) -> None:
        key = "i:push:other"
        self.store.compare_and_set(key, None, Run("0.other.1").dump(), EXPIRES)
        drive(self.homes[0].kept.add_place(OPENID, "other", key, EXPIRES), lambda step: step.perform())
        self.call_later(self.scenario.waits, lambda: self.store.values.pop(key))

    def walk(self) -> World:
        for _ in range(self.scenario.processes):
            self.start_home()
        if self.scenario.kept:
            parts = tuple(f"kept run 0 part {number}" for number in range(self.scenario.kept))
            drive(self.homes[0].kept.put(OPENID, "kept", parts, EXPIRES), lambda step: step.perform())
        if self.scenario.waits:
            self.add_place()
        for question in self.scenario.questions:
            self.call_later(question.at, functools.partial(self.push, question, is_text=False))
        for at in self.scenario.fetches:
            self.call_later(at, functools.partial(self.push, Question(at, 0.0, 1), is_text=True))
        last = max((*(question.at for question in self.scenario.questions), *self.scenario.fetches))
        try:
            self.live(lambda: self.now > last and not self.is_busy())
            self.is_quiet, self.noisy_steps = True, self.steps
            for _ in range(30):
                if not self.list_kept():
                    break
                self.push(Question(self.now, 0.0, 1), is_text=True)
                self.live(lambda: not self.is_busy())
            self.judge()
        except Broken:
            pass
        return self


def make_reply(text: str) -> RenderedReply:
    return RenderedReply(documents={"xml": text})


def make_done(claim: str) -> Callable[[Taken], Done]:
    return lambda taken: Done(claim, make_reply(taken.part))


def get_text(record: Done) -> str:
    return record.reply.documents["xml"] if isinstance(record.reply, RenderedReply) else ""


def get_run(text: str) -> str:
    return text.split(" part ")[0]


def walk(
    scenario: Scenario,
    seed: int,
    mutation: Mutation = UNCHANGED,
    *,
    fault: tuple[int, str] | None = None,
    tell: bool = False,
) -> World:
    """Return the world at the end of a walk; with a *fault*, that happens at the store step with this number."""
    world = World(scenario, seed, mutation, fault)
    if tell:
        world.story = []
    return world.walk()
