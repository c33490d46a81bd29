"""A world of processes that handle pushes: every step of their flows is performed by hand, in a random order.

Nothing here waits: there is one clock, and it advances only when no flow can take a step. So everything that takes
longer than planned is a fault: a death, a stop, a failure of the store.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import random
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from attrs import define, field, frozen

from wechat_msg import Acknowledgement, AnswerLater, PushSettings, StoreError
from wechat_msg._flow import CompareAndSet, Get, Sleep, Wait
from wechat_msg._handlers import RunHandler
from wechat_msg.endpoint.delivery import PushDelivery, RunWork
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.jobs import begin_job
from wechat_msg.endpoint.kept import KeptAnswers
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.late import LatePolicy
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.records import InboxEntry, load_entry, load_record, load_texts
from wechat_msg.endpoint.registry import RunningPushes
from wechat_msg.endpoint.upkeep import Upkeep
from wechat_msg.endpoint.work import StartWork, Work
from wechat_msg.exchange import Push
from wechat_msg.messages import TextMessage
from wechat_msg.push import reopen_push
from wechat_msg.replies import RenderedReply
from wechat_msg.settings import MINI_PROGRAM

FLOW = Generator[Any, Any, Any]

HANGS_UP = 5.0  # seconds after which WeChat tries again
TRIES = 3
LONGEST = 3000.0  # seconds of a walk
FAULTS_PER_STEP = 0.05
SETTINGS = {
    "account": PushSettings(token="spamtest"),
    "mini program": PushSettings(token="spamtest", account_kind=MINI_PROGRAM),
}
DOCUMENT = (
    b"<xml><ToUserName>gh_1</ToUserName><FromUserName>oUSER</FromUserName><CreateTime>1700000000</CreateTime>"
    b"<MsgType>text</MsgType><Content>%b</Content><MsgId>%d</MsgId></xml>"
)
SEND, HANDLE, LOSE, ENQUEUE = "send", "handle", "lose", "enqueue"


class Broken(Exception):
    """What a handler, or a function that sends, raises."""


class Stop(Exception):
    """The walk has ended."""


@functools.cache
def make_push(number: int, text: bytes = b"hi") -> Push:
    return reopen_push(SETTINGS["account"], "xml", DOCUMENT % (text, number), is_sealed=False)


def find_number(text: str) -> int:
    """Return the number of the run whose answer a text has."""
    return int(re.findall(r"answer (\d+)", text)[0])


#: The judge reads the same values after every step.
read_entry = functools.lru_cache(load_entry)


def describe(value: Any) -> str:
    """Return a step, or its result, as text."""
    if isinstance(value, Get):
        return f"get {value.key[:20]}"
    if isinstance(value, CompareAndSet):
        return f"set {value.key[:20]} {describe(value.expected)} to {describe(value.value)}"
    for load in (load_record, load_entry, load_texts) if isinstance(value, bytes) else ():
        with contextlib.suppress(StoreError):
            return re.sub(r"key='[^']*', format.*?came|, due.*?(?=, attempt)", "came", str(load(value)))
    return str(value)[:60]


# --- the store -------------------------------------------------------------------------------------------------------


class Shelf:
    """A store on the clock of the world, of which the judge can read everything."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.values: dict[str, tuple[bytes, float]] = {}
        self.clock = clock

    def get(self, key: str) -> bytes | None:
        value = self.values.get(key)
        if value is not None and value[1] <= self.clock():
            del self.values[key]
            return None
        return value and value[0]

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        if self.get(key) != expected:
            return False
        if value is not None:
            self.values[key] = value, self.clock() + ttl
        elif expected is not None:
            del self.values[key]
        return True


# --- what a walk explores --------------------------------------------------------------------------------------------


@frozen
class Mutation:
    """The parts that a process consists of; a test replaces one by a faulty one."""

    process: Callable[..., Process] = Process
    registry: Callable[[], RunningPushes] = RunningPushes
    inbox: Callable[..., Inbox] = Inbox
    kept: Callable[..., KeptAnswers] = KeptAnswers


UNCHANGED = Mutation()


@frozen
class Scenario:
    """Processes, pushes and options; and what may go wrong."""

    processes: int = 2
    pushes: int = 1
    spread: float = 2.0
    after: str = "first_try"
    account: str = "account"
    faults: int = 0
    kinds: tuple[str, ...] = ("dies", "stops", "stalls")
    errors: int = 0
    workers: bool = False
    lost_jobs: int = 0
    max_running: int | None = None
    waits_for_room: bool = True
    ordered: bool = False
    durations: tuple[float, ...] = (0.0, 2.0, 4.0, 5.0, 6.0, 12.0)


@define(eq=False)
class Task:
    """A flow that a process performs."""

    name: str
    home: Home
    flow: FLOW
    key: str = ""
    on_end: Callable[[Any, BaseException | None], None] = lambda result, error: None
    is_idle: bool = False
    work: Work | None = None
    step: Any = None
    wake_at: float = 0.0
    stopped_until: float = 0.0
    outcome: tuple[str, Any] | None = None
    is_over: bool = False
    result: Any = None
    error: BaseException | None = None

    def list_names(self) -> list[str]:
        """Return the names of the functions in which the flow is."""
        names: list[str] = []
        flow: Any = self.flow
        while hasattr(flow, "gi_code"):
            names.append(flow.gi_code.co_name)
            flow = flow.gi_yieldfrom
        return names

    @property
    def is_sending(self) -> bool:
        """Whether it is between the check of its lane and the end of the send."""
        names = set(self.list_names())
        if "send_parts" not in names or names & {"delete_entry", "lose", "leave"}:
            return False
        has_written = self.outcome is not None and isinstance(self.step, CompareAndSet)
        return not (has_written and names & {"swap", "_mark_done"})


@define(eq=False)
class Home:
    """One process, from its start to its death."""

    number: int
    process: Process
    handling: Handling
    upkeep: Upkeep
    tasks: list[Task] = field(factory=list)
    running: Counter[str] = field(factory=Counter)
    stopped_until: float = 0.0
    is_alive: bool = True
    is_ending: bool = False


@define(eq=False)
class Fate:
    """What has become of a push."""

    key: str
    number: int
    tries: int = 0
    is_over: bool = False
    given: set[int] = field(factory=set)
    sent: list[int] = field(factory=list)
    is_acknowledged: bool = False
    is_lost: bool = False
    runs: int = 0
    excused: set[int] = field(factory=set)
    """The tasks whose processes died, ended or stood still while they sent it."""


class World:
    """Everything that happens in one walk."""

    def __init__(self, scenario: Scenario, seed: int, mutation: Mutation) -> None:
        self.scenario, self.mutation, self.rng, self.now = scenario, mutation, random.Random(seed), 0.0
        self.store = Shelf(lambda: self.now)
        self.fates: dict[str, Fate] = {}
        self.homes: list[Home] = []
        self.dead: list[Home] = []
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.jobs: list[str] = []
        self.problems: list[str] = []
        self.seen: Counter[str] = Counter()
        self.story: list[str] | None = None  # what has happened, for those who look for the cause of a problem
        self.faults = self.errors = self.reported = self.runs = self.started = 0
        self.down_until = 0.0
        self.numbers = itertools.count()
        self.is_quiet = False  # no further faults
        self.warned = False
        self.is_emptied = False

    # --- processes

    def start_process(self) -> Home:
        scenario = self.scenario
        settings = SETTINGS[scenario.account]
        options: EndpointOptions[Any, Any] = EndpointOptions(
            settings,
            lambda message: HANDLE,
            late=self.make_policy(),
            queue=(lambda job: ENQUEUE) if scenario.workers else None,
            on_lost=lambda message, reason: LOSE,
            deliveries=TRIES,
            max_running=scenario.max_running,
            ordered=scenario.ordered,
            clock=lambda: self.now,
            monotonic=lambda: self.now,
        )
        process = self.mutation.process(self.store, "i", lambda: self.now)
        process.registry = self.mutation.registry()
        handling = Handling(
            options=options,
            store=self.store,
            private_store=Shelf(lambda: self.now),
            process=process,
            inbox=self.mutation.inbox(self.store, "i", process, lambda: self.now),
            is_kept=True,
            identity="i",
            report=self.report,
            is_async=scenario.waits_for_room,
            warn=lambda *args: None,
            kept=self.make_kept(process),
        )
        home = Home(self.started, process, handling, Upkeep(handling, random.uniform))
        self.started += 1
        self.homes.append(home)
        self.start("recover", home, home.upkeep.look_at_all())
        return home

    def make_policy(self) -> LatePolicy:
        return AnswerLater(lambda message: SEND, after=self.scenario.after)  # type: ignore[arg-type]

    def make_kept(self, process: Process) -> KeptAnswers | None:
        return None

    def report(self, error: StoreError) -> None:
        self.reported += 1

    def start_upkeep(self, home: Home) -> None:
        """Start what `PushEndpoint` starts in the background."""
        for name, start in home.upkeep.flows.items():
            if home.process.needs(name):
                self.start(name, home, start(), is_idle=True)

    def start(self, name: str, home: Home, flow: FLOW, **fields: Any) -> Task:
        task = Task(name, home, flow, **fields)
        home.tasks.append(task)
        task.outcome = "send", None
        self.start_upkeep(home)
        return task

    def kill(self, home: Home, *, restart: bool = True) -> None:
        self.excuse(home.tasks)
        home.is_alive = False
        self.homes.remove(home)
        self.dead.append(home)
        for task in home.tasks:
            if task.name.startswith("try"):
                task.on_end(None, ConnectionResetError())
        if restart:
            self.call_later(self.rng.choice((0.0, 1.0, 4.0)), self.start_process)

    def drain(self, home: Home) -> None:
        """Let a process end as its server asks it to; its handlers run on until it has ended."""
        home.is_ending = home.process.is_ending = True

        def hand_back() -> None:
            if home.is_alive:
                self.start("hand back", home, home.upkeep.hand_back_all(), on_end=end)

        def end(result: Any, error: BaseException | None) -> None:
            self.seen["handed back"] += result or 0
            self.call_later(self.rng.choice((0.0, 3.0, 15.0)), lambda: home.is_alive and self.kill(home))

        self.call_later(self.rng.choice((0.0, 1.0)), hand_back)
        if not any(not each.is_ending for each in self.homes):
            self.start_process()

    def excuse(self, tasks: list[Task]) -> None:
        for task in tasks:
            if task.work is not None and task.is_sending:
                self.fates[task.work.running.key].excused.add(id(task))
                self.seen["stopped or died while it sent"] += 1

    def call_later(self, seconds: float, function: Callable[[], Any]) -> None:
        self.events.append((self.now + seconds, next(self.numbers), function))

    # --- WeChat

    def make_push(self, number: int) -> Push:
        return make_push(number)

    def push(self, number: int) -> None:
        key = self.any_home().handling.make_key(self.make_push(number).message)
        self.fates[key] = Fate(key, number)
        self.deliver(self.fates[key], 1)

    def any_home(self) -> Home:
        homes = [home for home in self.homes if not home.is_ending] or [self.start_process()]
        return self.rng.choice(homes)

    def deliver(self, fate: Fate, number: int) -> None:
        """Send a push to one of the processes, as WeChat does for the first or a later time."""
        if fate.is_over or fate.tries >= number:
            return
        if number > TRIES:
            fate.is_over = True
            self.seen["the user saw an error"] += 1
            return
        fate.tries, home, sent_at = number, self.any_home(), self.now
        home.process.monotonic()
        delivery = PushDelivery(home.handling, self.make_push(fate.number), self.now)

        def end(reply: Any, error: BaseException | None) -> None:
            if self.now - sent_at > HANGS_UP:
                return
            if reply is None:
                self.call_later(0.0, lambda: self.deliver(fate, number + 1))
                return
            fate.is_over = True
            self.note_reply(fate, reply)

        flow = getattr(home.handling.inbox, "wrap", lambda flow: flow)(delivery.answer())
        self.start(f"try {number} of {fate.number}", home, flow, key=fate.key, on_end=end)
        self.call_later(HANGS_UP, lambda: self.deliver(fate, number + 1))

    def note_reply(self, fate: Fate, reply: Any) -> None:
        """Note what a user reads, or that the push was acknowledged."""
        if isinstance(reply, RenderedReply):
            fate.given.add(find_number(reply.documents["xml"]))
            self.seen["answered in time"] += 1
        else:
            assert isinstance(reply, Acknowledgement)
            fate.is_acknowledged = True
            self.seen["acknowledged"] += 1

    # --- steps

    def choose(self) -> Task | None:
        """Return a flow that can take a step; if there is none, let time pass."""
        for event in sorted(event for event in self.events if event[0] <= self.now):
            self.events.remove(event)
            event[2]()
        ready, next_time = [], min((event[0] for event in self.events), default=float("inf"))
        for home in self.homes:
            for task in home.tasks:
                at = max(self.ready_at(task), home.stopped_until, task.stopped_until)
                if at <= self.now:
                    ready.append(task)
                elif at < next_time:
                    next_time = at
        if ready:
            return self.pick(ready)
        self.now = next_time
        return None

    def pick(self, ready: list[Task]) -> Task:
        """Return the flow that takes the next step."""
        return self.rng.choice(ready)

    def ready_at(self, task: Task) -> float:
        step = task.step
        if task.outcome is None:
            if isinstance(step, Wait):
                return 0.0 if step.future.done() else task.wake_at
            if isinstance(step, RunWork):
                started = step.delivery.started
                return 0.0 if started is None or started.is_over else task.wake_at
            if isinstance(step, Sleep):
                return task.wake_at
        return task.wake_at if isinstance(step, RunHandler) else 0.0

    def take_step(self) -> None:
        task = self.choose()
        if task is None:
            return
        home = task.home
        if task.outcome is None:
            may_fail = not self.is_quiet and (not task.is_idle or self.rng.random() < 0.1)
            if may_fail and self.faults < self.scenario.faults and self.rng.random() < FAULTS_PER_STEP:
                self.break_something(task)
                if not home.is_alive or max(home.stopped_until, task.stopped_until) > self.now:
                    return
            if task.outcome is None:
                self.perform(task)
                if isinstance(task.step, RunHandler):
                    self.check()
                    return  # it takes its time
        if task.outcome is not None:
            if task.name == "hand back":
                self.excuse(home.tasks)
            self.resume(task)
            self.check()

    def note(self, task: Task, text: str) -> None:
        if self.story is not None:
            self.story.append(f"{self.now:7.2f} process {task.home.number}, {task.name}: {text}")

    def perform(self, task: Task) -> None:
        step = task.step
        if isinstance(step, (Get, CompareAndSet)):
            if self.now < self.down_until and step.store is self.store:
                task.outcome = "throw", StoreError("down")
            else:
                task.outcome = "send", step.perform()
        elif isinstance(step, Wait):
            task.outcome = "send", step.future.result() if step.future.done() else None
        elif isinstance(step, RunWork):
            self.perform_work(task, step)
        elif isinstance(step, StartWork):
            self.seen["taken over"] += 1
            self.start_work(task.home, step.work)
            task.outcome = "send", None
        elif isinstance(step, RunHandler):
            self.call(task, step)
        else:
            task.outcome = "send", None
        if self.story is not None and not (task.is_idle and isinstance(step, Sleep)):
            self.note(task, f"{describe(step)} -> {describe(task.outcome and task.outcome[1])}")

    def perform_work(self, task: Task, step: RunWork) -> None:
        delivery = step.delivery
        if delivery.started is None:
            delivery.started = self.start_work(task.home, delivery.work)
            task.wake_at = self.now + max(step.seconds, 0)
        elif delivery.started.is_over:
            delivery.is_over, error = True, delivery.started.error
            task.outcome = ("throw", error) if error else ("send", delivery.started.result)
        else:
            task.outcome = "send", None

    def start_work(self, home: Home, work: Any) -> Task:
        return self.start(f"work on {self.fates[work.running.key].number}", home, work.run(), work=work)

    def call(self, task: Task, step: RunHandler) -> None:
        """Call a function of the user's; the flow gets the result later."""
        if isinstance(step.handler, functools.partial):
            what, step = LOSE, step
        else:
            what = step.handler(*step.args)
        fails = what in (HANDLE, SEND) and self.errors < self.scenario.errors and self.rng.random() < 0.3
        self.errors += fails
        home, key = task.home, "" if task.work is None else task.work.running.key
        if what == HANDLE:
            fate = self.fates[key]
            self.runs, fate.runs = self.runs + 1, fate.runs + 1
            number = self.runs
            if home.running[key]:
                self.problems.append("a process runs the handler twice at once")
            if self.scenario.ordered and sum(home.running.values()) and not self.faults:
                self.problems.append("two handlers of one user run at once")
            home.running[key] += 1
            task.wake_at = self.now + self.choose_duration(fate)
            task.outcome = ("throw", Broken()) if fails else ("send", self.make_answer(fate, number))
        elif what == SEND:
            self.check_sender(task)
            error = self.find_refusal() or (Broken() if fails else None)
            if error is None:
                self.note_sent(self.fates[key], step.args[0])
            task.wake_at = self.now + self.rng.choice((0.0, 0.3))
            task.outcome = ("throw", error) if error else ("send", None)
        elif what == ENQUEUE:
            if self.seen["job lost"] < self.scenario.lost_jobs and self.rng.random() < 0.3:
                self.seen["job lost"] += 1
                self.errors += 1
            else:
                self.jobs += [step.args[0]] * self.rng.choice((1, 1, 2))
            task.outcome = "send", None
        else:
            # The message is the same for all pushes but for its number.
            message: TextMessage = step.handler.args[0]
            self.fates[home.handling.make_key(message)].is_lost = True
            self.seen["lost"] += 1
            task.outcome = "send", None

    def choose_duration(self, fate: Fate) -> float:
        return self.rng.choice(self.scenario.durations)

    def make_answer(self, fate: Fate, number: int) -> Any:
        return f"answer {number}"

    def find_refusal(self) -> Exception | None:
        """Return the error with which WeChat refuses what is sent."""
        return None

    def note_sent(self, fate: Fate, message: Any) -> None:
        fate.sent.append(find_number(str(message)))
        self.seen["sent"] += 1

    def resume(self, task: Task) -> None:
        (how, value), task.outcome = task.outcome, None  # type: ignore[misc]
        home = task.home
        if isinstance(task.step, RunHandler) and task.work and task.step.handler is home.handling.options.handler:
            home.running[task.work.running.key] -= 1
        try:
            task.step = getattr(task.flow, how)(value)
        except StopIteration as end:
            self.end(task, end.value, None)
        except (Broken, StoreError, RuntimeError) as error:
            self.end(task, None, error)
        else:
            if isinstance(task.step, Sleep):
                task.wake_at = self.now + task.step.seconds
            elif isinstance(task.step, (Wait, RunWork)):
                task.wake_at = self.now + max(task.step.seconds, 0)
            else:
                task.wake_at = 0.0

    def end(self, task: Task, result: Any, error: BaseException | None) -> None:
        task.is_over, task.result, task.error = True, result, error
        task.home.tasks.remove(task)
        self.note(task, f"ends with {result!r}, {error!r}")
        task.on_end(result, error)

    # --- faults

    def break_something(self, task: Task) -> None:  # noqa: C901, a row for each fault
        kind, home = self.rng.choice(self.scenario.kinds), task.home
        is_store = isinstance(task.step, (Get, CompareAndSet)) and task.step.store is self.store
        if kind in ("fails", "lies") and not is_store:
            return
        self.faults += 1
        self.seen[kind] += 1
        self.note(task, f"*** {kind} at {describe(task.step)}")
        if kind in ("dies", "stops", "stalls") and self.rng.random() < 0.5:
            self.perform(task)  # but it does not learn the result
        if kind == "dies":
            self.kill(home)
        elif kind == "stops":
            self.excuse(home.tasks)
            home.stopped_until = self.now + self.rng.choice((3.0, 7.0, 30.0))
        elif kind == "stalls":
            self.excuse([task])
            # The flow that renews the lane only waits for the store, which takes no longer than two seconds.
            task.stopped_until = self.now + (3.0 if task.is_idle else self.rng.choice((3.0, 7.0, 30.0)))
        elif kind == "drains":
            if not home.is_ending:
                self.drain(home)
        elif kind == "empties":
            self.store.values.clear()
            self.is_emptied = True
        elif kind == "outage":
            self.down_until = self.now + self.rng.choice((0.5, 3.0, 8.0))
        else:
            if kind == "lies":
                task.step.perform()
            task.outcome = "throw", StoreError("down")

    # --- the judgement

    def list_entries(self) -> dict[str, InboxEntry]:
        raws = {key: self.store.get(key) for key in list(self.store.values) if key.startswith("i:inbox:")}
        return {key: read_entry(raw) for key, raw in raws.items() if raw is not None}

    def is_waiting(self, fate: Fate) -> bool:
        """Return whether the user waits for an answer that was promised."""
        return fate.is_acknowledged and not (fate.sent or fate.is_lost)

    def list_kept(self) -> set[str]:
        """Return the keys of the pushes whose answers are not lost if all processes die."""
        return {entry.key for entry in self.list_entries().values()}

    def check(self) -> None:
        """Check what holds at every moment."""
        waiting = [fate for fate in self.fates.values() if self.is_waiting(fate)]
        if waiting:
            kept = self.list_kept()
            for fate in waiting:
                if fate.key not in kept and not self.is_excused:
                    self.problems.append("an acknowledged push is in no entry")
        if self.problems:
            raise Stop

    def check_sender(self, task: Task) -> None:
        """Check that the claim of what sends an answer is in the record, or in the entry that alone fences it."""
        running = task.work.running if task.work else None
        if running is None or running.record_key != running.key or not running.slot:
            return  # a delivery without the store, or without an entry
        fence = load_entry if running.is_fenced_by_entry else load_record
        raw = self.store.get(f"i:inbox:{running.slot}" if running.is_fenced_by_entry else running.key)
        is_fenced = raw is not None and fence(raw).claim == running.claim
        if not (is_fenced or self.reported or self.is_emptied or id(task) in self.fates[running.key].excused):
            self.problems.append("an answer is sent for a claim that is not in the record")

    @property
    def is_excused(self) -> bool:
        """Whether the store failed, and it was logged that a push is not kept; or what was in it is lost."""
        return (self.reported > 0 and self.warned) or self.is_emptied

    def judge(self) -> None:
        for fate in self.fates.values():
            unplanned = self.faults + self.errors
            answers = fate.given | set(fate.sent)
            if fate.runs > 1 + unplanned + self.reported:
                self.problems.append("the handler ran again although nothing failed")
            may_be_lost = unplanned > 2 and fate.is_lost
            if fate.is_acknowledged and not (fate.sent or may_be_lost or self.is_excused):
                self.problems.append("an acknowledged push got no answer")
            if self.reported:
                continue
            if len(answers) > 1:
                self.problems.append("two answers reached the user")
            if fate.given and fate.sent:
                self.problems.append("an answer was given and sent")
            if len(fate.sent) > 1 + len(fate.excused):
                self.problems.append("an answer was sent twice")
            self.seen["sent twice"] += len(fate.sent) > 1

    # --- a walk

    @property
    def is_busy(self) -> bool:
        if self.events or self.jobs or not all(fate.is_over for fate in self.fates.values()):
            return True
        return any(not (task.is_idle and isinstance(task.step, Sleep)) for home in self.homes for task in home.tasks)

    def run_jobs(self) -> None:
        if self.jobs and self.rng.random() < 0.1:
            self.run_job(self.jobs.pop(self.rng.randrange(len(self.jobs))))

    def run_job(self, job: str) -> None:
        home = self.any_home()

        def flow() -> FLOW:
            work = yield from begin_job(home.handling, job)
            if work is not None:
                yield StartWork(work)

        self.seen["job"] += 1
        self.start("job", home, flow())

    def live(self, until: Callable[[], bool], limit: float) -> None:
        while until() and self.now < limit:
            self.run_jobs()
            self.take_step()

    def walk(self) -> World:
        with contextlib.suppress(Stop):
            for _ in range(self.scenario.processes):
                self.start_process()
            for number in range(self.scenario.pushes):
                self.call_later(self.rng.choice((0.0, 0.1, self.scenario.spread)), functools.partial(self.push, number))
            self.live(lambda: self.is_busy, LONGEST)
            if self.now >= LONGEST:
                self.problems.append("something never ends")
            self.look_for_the_rest()
            self.judge()
        return self

    def look_for_the_rest(self) -> None:
        """Let a process that has just started look once more at everything that is left over."""
        self.is_quiet = True
        if not self.faults and not self.errors and self.list_entries() and self.scenario.max_running is None:
            self.problems.append("an entry is left over although nothing failed")
        for home in self.homes[:]:
            if len(home.process.registry):
                self.problems.append("a push is left over in a registry")
            if self.rng.random() < 0.5:
                self.kill(home, restart=False)
        self.start_process()
        limit = self.now + (4000.0 if self.errors or self.scenario.workers else 100.0)
        self.live(lambda: self.is_busy or bool(self.list_waiting()), limit)
        if self.list_waiting():
            self.problems.append("an entry is left over")

    def list_waiting(self) -> list[InboxEntry]:
        """Return the entries that are not done.

        Not those that a process wrote after it had lost its lane, and died before it noticed: they are in slots at
        which nobody looks, until the lane is used again. Nobody waits for them.
        """
        limits = dict(enumerate(load_texts(self.store.get("i:lanes"))))
        waiting = []
        for key, entry in self.list_entries().items():
            lane, number = key.split(":")[2:]
            is_found = int(number) < int(limits.get(int(lane), 0)) or self.is_waiting(self.fates[entry.key])
            waiting += [entry] * (entry.state != "lost" and is_found)
        return waiting


class _Listener(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def emit(self, record: logging.LogRecord) -> None:
        if "is not kept in the inbox" in record.msg:
            self.world.warned = True
            self.world.seen["not kept"] += 1


@contextlib.contextmanager
def listen(world: W) -> Iterator[W]:
    """Note what is logged, and keep it from everybody else."""
    log, listener = logging.getLogger("wechat_msg"), _Listener(world)
    log.addHandler(listener)
    propagates, log.propagate = log.propagate, False
    try:
        yield world
    finally:
        log.removeHandler(listener)
        log.propagate = propagates


W = TypeVar("W", bound=World)


def walk(scenario: Scenario, seed: int, mutation: Mutation = UNCHANGED) -> World:
    """Return the world at the end of the walk with this seed."""
    return walk_in(lambda: World(scenario, seed, mutation), seed)


def walk_in(make_world: Callable[[], W], seed: int) -> W:
    """Return a world at the end of its walk."""
    state = random.getstate()
    random.seed(seed)  # the pauses of the code are random, too
    try:
        with listen(make_world()) as world:
            world.walk()
            return world
    finally:
        random.setstate(state)


def explore(scenario: Scenario, seeds: range) -> tuple[list[str], Counter[str]]:
    """Return what was wrong in the first walk in which anything was, and how often things happened."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        world = walk(scenario, seed)
        seen += world.seen
        if world.problems:
            return [f"seed {seed}", *world.problems], seen
    return [], seen
