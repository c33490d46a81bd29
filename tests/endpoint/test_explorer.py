"""Deliveries of one push in two and three processes, in random orders of their steps, with deaths, stops and faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from typing import Any

import pytest
from attrs import define, field, frozen

from tests.endpoint.test_steps import LATER_IN_THE_END, SETTINGS, TEXT
from wechat_msg import Acknowledgement, AnswerLater, StoreError, TextReply
from wechat_msg._flow import CompareAndSet, Get, Sleep, Wait
from wechat_msg.endpoint.delivery import PushDelivery, RunWork
from wechat_msg.endpoint.handling import Handled, Handling
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.records import Done, dump_texts, load_record
from wechat_msg.endpoint.registry import RunningPushes
from wechat_msg.exchange import Push
from wechat_msg.replies import RenderedReply, Reply
from wechat_msg.stores import MemoryStore

WALKS = 1000
KEY = "push:1"


# --- the world -------------------------------------------------------------------------------------------------------


class Clock:
    """The clock of a process or of a delivery; only the explorer advances it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class CountedHandling(Handling):
    """A handler whose every run has an answer of its own; the runs of a process are watched."""

    def __init__(self, world: World, home: str, fails: bool, **fields: Any) -> None:
        super().__init__(identity="", **fields)
        object.__setattr__(self, "world", world)
        object.__setattr__(self, "home", home)
        object.__setattr__(self, "fails", fails)

    def make_key(self, message: Any) -> str:
        return KEY

    def handle(self, push: Push) -> Generator[Any, Any, Handled]:
        world = self.world
        world.runs.append(self.home)
        number = len(world.runs)
        world.problems += ["a process runs the handler twice at once"] * (self.home in world.running)
        world.running.append(self.home)
        try:
            yield "the handler runs"
            if self.fails and number == 1:
                world.faults += 1
                raise KeyError
        finally:
            world.running.remove(self.home)
        return Handled(RenderedReply(documents={"xml": str(number)}), TextReply(content=str(number)))

    def send_later(self, message: Any, reply: Reply) -> Generator[Any, Any, None]:
        if self.options.late is not None:
            self.world.sent.append(reply.content)
        yield from ()


@frozen
class Mutation:
    """A fault in the code that the explorer must find."""

    make_process: Callable[..., Process] = Process
    make_registry: Callable[[], RunningPushes] = RunningPushes


@define(eq=False)
class World:
    """Processes, the deliveries of a push in them, and what has happened so far."""

    processes: int
    deliveries: int
    late: AnswerLater | None = None
    fails: bool = False
    mutation: Mutation = Mutation()
    store: MemoryStore = field(init=False)
    flows: dict[str, Generator[Any, Any, Any]] = field(factory=dict)
    steps: dict[str, Any] = field(factory=dict)
    home: dict[str, str] = field(factory=dict)
    clocks: dict[str, Clock] = field(factory=dict)
    results: dict[str, Any] = field(factory=dict)
    answers: dict[str, Any] = field(factory=dict)
    seen: dict[str, int] = field(factory=dict)
    runs: list[str] = field(factory=list)
    running: list[str] = field(factory=list)
    sent: list[str] = field(factory=list)
    problems: list[str] = field(factory=list)
    lanes: dict[str, Process] = field(factory=dict)
    faults: int = 0
    broken: int = 0
    version: int = 0

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(clock=lambda: 0.0)
        for number in range(self.deliveries):
            self.add_delivery(f"try {number}", f"process {number % self.processes}", is_last=number > 0)

    def add_delivery(self, name: str, home: str, *, is_last: bool) -> None:
        if home not in self.lanes:
            clock = self.clocks[home] = Clock()
            self.lanes[home] = self.mutation.make_process(self.store, "", clock, lambda error: None)
            self.lanes[home].registry = self.mutation.make_registry()
        clock = self.clocks[name] = Clock()
        options: EndpointOptions[Any, Any] = EndpointOptions(
            SETTINGS,
            print,
            late=self.late,
            deliveries=1 if is_last else 9,
            on_store_error="refuse",
            clock=clock,
            monotonic=clock,
        )
        handling = CountedHandling(
            self,
            home,
            self.fails,
            options=options,
            store=self.store,
            private_store=MemoryStore(),
            process=self.lanes[home],
            report=lambda error: None,
        )
        delivery = PushDelivery(handling, Push(message=TEXT, format="xml"), 0.0)
        self.start(name, home, delivery.answer())

    def start(self, name: str, home: str, flow: Generator[Any, Any, Any]) -> None:
        self.flows[name], self.home[name] = flow, home
        self.resume(name, lambda: next(flow))

    def resume(self, name: str, resume: Callable[[], Any]) -> None:
        try:
            self.steps[name] = resume()
            self.seen[name] = self.version
        except (StopIteration, KeyError, StoreError) as end:
            self.results[name] = end.value if isinstance(end, StopIteration) else end
            if name.startswith("try") and isinstance(end, StopIteration):
                self.answers[name] = end.value
            self.flows.pop(name)
            self.steps.pop(name)
            self.version += 1

    # --- what can happen next

    def list_choices(self, faults: int, failures: int) -> list[tuple[str, str]]:
        choices: list[tuple[str, str]] = []
        for name, step in self.steps.items():
            if isinstance(step, RunWork):
                choices += [(name, "ends")] * (f"work of {name}" in self.results) + [(name, "time is up")]
            elif isinstance(step, Wait):
                choices += [(name, "ends")] * step.future.done() + [(name, "time is up")]
            elif isinstance(step, Sleep):
                choices += [(name, "looks")] * (self.seen[name] < self.version) + [(name, "time is up")]
            else:
                choices.append(
                    (name, "does its step" if isinstance(step, (Get, CompareAndSet)) else "ends its handler")
                )
                if isinstance(step, (Get, CompareAndSet)) and failures:
                    choices += [(name, "fails"), (name, "lies")]
        if faults:
            choices += [(home, what) for home in {self.home[name] for name in self.flows} for what in ("dies", "stops")]
        return choices

    def take(self, name: str, choice: str) -> None:
        if choice in ("dies", "stops"):
            self.end_lease(name, dies=choice == "dies")
            return
        flow, step = self.flows[name], self.steps[name]
        if choice == "time is up":
            self.clocks[name].now += 5.6 if self.clocks[name].now else 4.5
        if isinstance(step, RunWork):
            self.resume_after_work(name, flow, choice)
        elif isinstance(step, Wait):
            self.resume(name, lambda: flow.send(step.future.result() if step.future.done() else None))
        elif choice in ("fails", "lies"):
            self.broken += 1
            if choice == "lies":
                self.perform(step)
            self.resume(name, lambda: flow.throw(StoreError("down")))
        else:
            given = self.perform(step) if isinstance(step, (Get, CompareAndSet)) else None
            self.resume(name, lambda: flow.send(given))
        step = self.steps.get(name)
        if isinstance(step, RunWork) and f"work of {name}" not in self.home:
            self.clocks[f"work of {name}"] = self.clocks[name]
            self.start(f"work of {name}", self.home[name], step.delivery.work())

    def resume_after_work(self, name: str, flow: Generator[Any, Any, Any], choice: str) -> None:
        result = self.results.get(f"work of {name}") if choice == "ends" else None
        resume = flow.throw if isinstance(result, Exception) else flow.send
        self.resume(name, lambda: resume(result))

    def perform(self, step: Any) -> Any:
        result = step.perform()
        self.version += isinstance(step, CompareAndSet)
        return result

    def end_lease(self, home: str, *, dies: bool) -> None:
        """Let the lease of a process end: it dies, or stops for longer than the lease and goes on."""
        self.faults += 1
        self.version += 1
        for number in range(self.processes + 1):
            if self.store.get(f":lane:{number}") == self.lanes[home]._value:
                self.store.compare_and_set(f":lane:{number}", self.lanes[home]._value, None, 1)
        self.clocks[home].now += 3.0
        if dies:
            for name in [name for name in self.flows if self.home[name] == home]:
                self.flows.pop(name).close()
                self.steps.pop(name)

    # --- the judgement

    def judge(self) -> list[str]:
        """Return what is wrong."""
        problems = [*self.problems]
        if len(self.runs) > 1 + self.faults + self.broken:
            problems.append("the handler ran again although no process died or stopped")
        return problems + ([] if self.broken else self.judge_answers())

    def judge_answers(self) -> list[str]:
        raw = self.store.get(KEY)
        record = None if raw is None else load_record(raw)
        given = {answer.documents["xml"] for answer in self.answers.values() if isinstance(answer, RenderedReply)}
        kept = record.reply if isinstance(record, Done) else None
        problems = []
        if len(given | set(self.sent)) > 1 or len(self.sent) > 1:
            problems.append("two answers reached the user")
        if self.sent and given:
            problems.append("an answer was given and sent")
        if given and not (isinstance(kept, RenderedReply) and {kept.documents["xml"]} == given):
            problems.append("an answer that is not in the record reached somebody")
        if self.sent and not isinstance(kept, Acknowledgement):
            problems.append("an answer was sent although the record has one")
        return problems


def walk(make: Callable[[], World], seed: int, faults: int, failures: int, *, must_end: bool = True) -> World:
    """Run a world to its end in an order that the seed decides."""
    rng, world = random.Random(seed), make()
    for _ in range(600):
        if not world.flows:
            break
        choices = world.list_choices(world.faults < faults, world.broken < failures)
        common = [choice for choice in choices if choice[1] in ("does its step", "ends", "looks")]
        world.take(*rng.choice(common if common and rng.random() < 0.85 else choices))
    assert not (must_end and world.flows), "a delivery never ends"
    return world


def explore(make: Callable[[], World], walks: int = WALKS, faults: int = 0, failures: int = 0) -> list[str]:
    """Return what was wrong in the first walk in which anything was."""
    for seed in range(walks):
        if problems := walk(make, seed, faults, failures).judge():
            return [f"seed {seed}", *problems]
    return []


# --- the shipped code ------------------------------------------------------------------------------------------------

SCENARIOS = {
    "2 processes": lambda mutation=Mutation(): World(2, 3, mutation=mutation),
    "2 processes, answering later": lambda mutation=Mutation(): World(2, 3, LATER_IN_THE_END, mutation=mutation),
    "2 processes, the handler fails": lambda mutation=Mutation(): World(
        2, 3, LATER_IN_THE_END, fails=True, mutation=mutation
    ),
    "3 processes": lambda mutation=Mutation(): World(3, 5, LATER_IN_THE_END, mutation=mutation),
}


@pytest.mark.parametrize("name", SCENARIOS)
class TestEveryDelivery:
    @pytest.mark.parametrize("faults", [0, 1, 2])
    def test_is_handled_once_but_for_deaths_and_stops(self, name, faults):
        assert explore(SCENARIOS[name], faults=faults) == []

    def test_is_handled_once_but_for_failures_of_the_store(self, name):
        assert explore(SCENARIOS[name], faults=1, failures=2) == []


# --- faults in the code ----------------------------------------------------------------------------------------------


class NoRegistry(RunningPushes):
    """A registry that forgets everything."""

    def add(self, running: Any) -> bool:
        return True

    def find(self, key: str) -> None:
        return None

    def remove(self, running: Any, reply: Any = None) -> bool:
        running.has_ended, running.reply = True, reply
        if running.ended is not None and not running.ended.done():
            running.ended.set_result(reply)
        return True


class TrustsItself(Process):
    """A process without a registry must look at its lane."""

    def is_dead(self, claim: str) -> Generator[Any, Any, bool]:
        lane, process, _ = claim.split(".")
        return (yield Get(self._store, self._name_lane(lane))) != dump_texts([process])


class Repeats(TrustsItself):
    """A process that makes the same claim again and again."""

    def make_claim(self, name: str, *, shared: bool) -> Generator[Any, Any, str]:
        claim = yield from super().make_claim(name, shared=shared)
        return f"0.{claim.split('.')[1]}.{'0' * 16}"


class WithoutALane(Process):
    """A process that claims without holding a lane."""

    def make_claim(self, name: str, *, shared: bool) -> Generator[Any, Any, str]:
        yield from ()
        return f"0.{self.id}.{name}{random.randbytes(4).hex()}"


class TestTheExplorer:
    def find(self, mutation: Mutation, faults: int, problem: str, walks: int = WALKS) -> bool:
        """Return whether a walk shows the problem."""
        for make in SCENARIOS.values():
            for seed in range(walks):
                if problem in walk(lambda make=make: make(mutation), seed, faults, 0, must_end=False).judge():
                    return True
        return False

    def test_finds_that_there_is_no_registry(self):
        assert self.find(Mutation(TrustsItself, NoRegistry), 2, "a process runs the handler twice at once")

    def test_finds_claims_without_a_lane(self):
        assert self.find(Mutation(WithoutALane), 0, "the handler ran again although no process died or stopped")

    def test_finds_claims_whose_bytes_repeat(self):
        """The registry would hide it."""
        problem = "two answers reached the user"
        assert self.find(Mutation(Repeats, NoRegistry), 2, problem)
        assert not self.find(Mutation(TrustsItself, NoRegistry), 2, problem, walks=WALKS // 3)

    def test_reaches_late_answers_takeovers_and_answers_in_time(self):
        """An explorer that sees nothing would find nothing wrong."""
        worlds = [walk(SCENARIOS["2 processes, answering later"], seed, 1, 0) for seed in range(300)]
        assert any(world.sent for world in worlds)
        assert any(len(world.runs) > 1 for world in worlds)
        assert any(isinstance(answer, RenderedReply) for world in worlds for answer in world.answers.values())
        assert any(world.answers.get("try 1") == Acknowledgement() for world in worlds)
