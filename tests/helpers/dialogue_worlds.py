"""A world of processes in which one user has a dialogue: every step of its flows is performed by hand, in random order.

Nothing waits: there is one clock, which advances when no flow can take a step. A delivery stands for all that an
endpoint does with a message: it is handled again if its process has died, is too slow, or its handler has failed.
"""

from __future__ import annotations

import inspect
import json
import random
import types
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from typing import Any

from attrs import define, field, frozen

from tests.helpers.kept_worlds import NotedShelf
from tests.helpers.worlds import Shelf
from wechat_msg import Ask, ConversationBusy, ConversationChanged, Conversations, Router, StoreError, TextMessage
from wechat_msg._flow import CompareAndSet, Get, Sleep
from wechat_msg._handlers import RunHandler, ask

COMES_AGAIN = 5.0  # seconds
CLAIM = 30.0
STALLS = 1.0, 6.0, 31.0, 70.0
ALL = "dies", "stalls", "fails", "lies", "unheard"
MOST_STEPS = 20_000
REPLIES = {"go": "words?", "reset": "forgotten", "cancel": "cancelled"}


@frozen
class Scenario:
    """What the user says, and what may go wrong.

    Attributes:
        bursts: Texts; those of one burst are sent at once, when all before have been answered.
        kinds: ``dies``, ``stalls``, ``fails`` (the store does nothing), ``lies`` (it does, and says that it did not),
            and ``unheard`` (the process dies with the answer).
        faults: How many of them.
        durations: Seconds that a step of the dialogue takes.
        place: The number of the step at which the only fault happens; if None, they happen anywhere.
        is_before: Whether that fault happens before the step has its effect; None if that is random.
        has_ids: Whether messages have an id.
        wrap: Returns the store as the conversations see it.
        wait: Seconds for which a message waits for another one.
        pauses: Seconds until the user writes again.
    """

    bursts: Sequence[Sequence[str]]
    kinds: Sequence[str] = ALL
    faults: int = 0
    durations: Sequence[float] = (0.0, 1.0)
    place: int | None = None
    is_before: bool | None = None
    has_ids: bool = True
    wrap: Callable[[Shelf], Any] = lambda shelf: shelf
    wait: float = 5.0
    pauses: Sequence[float] = (0.0,)


@types.coroutine
def perform_by_hand(step: Any) -> Generator[Any, Any, Any]:
    """Await a step, which the world performs."""
    return (yield step)


@frozen
class AsyncShelf:
    """A store for ``async def``: each of its calls is a step of the world."""

    shelf: Shelf

    async def get(self, key: str) -> bytes | None:
        return await perform_by_hand(Get(self.shelf, key))  # type: ignore[no-any-return]

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return await perform_by_hand(CompareAndSet(self.shelf, key, expected, value, ttl))  # type: ignore[no-any-return]


def perform_at_once(step: Get | CompareAndSet) -> Any:
    """Perform a step of either kind of store."""
    result = step.perform()
    if not inspect.iscoroutine(result):
        return result
    try:
        result.send(result.send(None).perform())
    except StopIteration as end:
        return end.value


@define(eq=False)
class Delivery:
    """A message on its way."""

    message: TextMessage
    flows: list[Task] = field(factory=list)
    runs: int = 0
    answer: str | None = None
    is_answered: bool = False


@define(eq=False)
class Task:
    """The flows that handle a message in one process: the last one goes on, and then the one before it."""

    delivery: Delivery
    flows: list[Any]
    step: Any = None
    outcome: tuple[str, Any] | None = ("send", None)
    ready_at: float = 0.0
    is_over: bool = False


class DialogueWorld:
    """Everything that happens in one walk."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.rng, self.now = scenario, random.Random(seed), 0.0
        self.store = NotedShelf(lambda: self.now, self.note_write)
        self.seen: Counter[str] = Counter()
        self.problems: list[str] = []
        self.tasks: list[Task] = []
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.waiting: list[Delivery] = []
        self.deliveries: list[Delivery] = []
        self.saved: tuple[str, list[str]] = "", []  # the words of the dialogue, and the key that has them in the store
        self.faults = self.taken = 0
        self.routers = [self.make_router(), self.make_router()]

    def make_router(self) -> Router:
        """Return the bot, as each process has it: it repeats all words of the dialogue, until the word ``end``.

        ``switch`` and ``switch-back`` take the words to another dialogue; ``reset`` and ``cancel`` end the first one.
        """
        router, store = Router(), self.scenario.wrap(self.store)
        words, others = (
            Conversations(store, Words, name=name, claim=CLAIM, wait=self.scenario.wait, clock=lambda: self.now)
            for name in ("words", "others")
        )

        @router.on(TextMessage, content="reset")
        async def reset(message: TextMessage) -> str:
            await words.reset(message)
            return "forgotten"

        router.on(TextMessage, content="cancel")(lambda message: words.end("cancelled"))
        router.include(words)
        router.include(others)

        def answer(message: TextMessage, state: Words, here: Any, there: Any) -> Ask | str:
            state.words.append(message.content)
            said = " ".join(state.words)
            if message.content.startswith("switch"):
                return Ask(said, then=there, state=state)
            return f"{said}!" if message.content == "end" else Ask(said, then=here)

        take = words.step(TextMessage)(lambda message, state: answer(message, state, take, take_other))
        take_other = others.step(TextMessage)(lambda message, state: answer(message, state, take_other, take))
        router.on(TextMessage, content="go")(lambda message: Ask("words?", then=take))
        router.default(lambda message: "say go")
        return router

    # --- the user and the endpoint

    def run(self) -> DialogueWorld:
        """Let the user say everything, and judge what has come of it."""
        number = 0
        for burst in self.scenario.bursts:
            for content in burst:
                number += 1
                msg_id = str(number) if self.scenario.has_ids else ""
                message = TextMessage(
                    from_user_name="o", to_user_name="gh", create_time=1, content=content, msg_id=msg_id
                )
                self.waiting.append(Delivery(message))
            self.let_pass(self.rng.choice(self.scenario.pauses))
            self.deliveries += self.waiting
            for delivery in self.waiting:
                self.deliver(delivery)
            while self.waiting and self.taken < MOST_STEPS:
                self.take_step()
        while self.tasks and self.taken < MOST_STEPS:  # those who are too slow
            self.take_step()
        self.judge()
        return self

    def let_pass(self, seconds: float) -> None:
        """Let time pass, and those who are too slow go on meanwhile."""
        end = self.now + seconds
        while any(at <= end for at in (*(task.ready_at for task in self.tasks), *(event[0] for event in self.events))):
            self.take_step()
        self.now = end

    def deliver(self, delivery: Delivery) -> None:
        """Let a process handle a message, and another one if it does not end in time."""
        if delivery.is_answered:
            return
        task = Task(delivery, [ask(self.rng.choice(self.routers), delivery.message)])
        delivery.flows.append(task)
        self.tasks.append(task)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        self.taken += 1
        self.events.append((self.now + seconds, self.taken, function))

    def lose(self, task: Task) -> None:
        """Let another process handle the message of a flow that is dead or too slow."""
        if task is task.delivery.flows[-1]:
            self.call_later(COMES_AGAIN, lambda: self.deliver(task.delivery))

    def end(self, task: Task, answer: Any, error: Exception | None) -> None:
        task.is_over = True
        self.tasks.remove(task)
        is_heard = task is task.delivery.flows[-1]  # the endpoint's record has the claim of another otherwise
        self.seen[type(error).__name__ if error else "answered" if is_heard else "not heard"] += 1
        task.delivery.runs -= isinstance(error, ConversationBusy)  # the step found another dialogue busy
        if error is not None or self.breaks("unheard"):
            self.lose(task)
        elif is_heard:
            task.delivery.answer, task.delivery.is_answered = answer, True
            self.waiting.remove(task.delivery)

    # --- steps

    def take_step(self) -> None:
        """Perform one step of a flow that is ready, or let time pass."""
        self.taken += 1
        for event in sorted(event for event in self.events if event[0] <= self.now):
            self.events.remove(event)
            event[2]()
        ready = [task for task in self.tasks if task.ready_at <= self.now]
        if not ready:
            self.now = min([task.ready_at for task in self.tasks] + [event[0] for event in self.events])
            return
        task = self.rng.choice(ready)
        if task.outcome is None:
            self.perform(task)
        elif task.outcome is not None:
            self.resume(task)

    def breaks(self, *kinds: str) -> str:
        """Return the fault that happens now, one of *kinds*; empty if none does."""
        scenario = self.scenario
        possible = [kind for kind in scenario.kinds if kind in kinds]
        if not possible or self.faults >= scenario.faults:
            return ""
        is_now = self.seen["steps"] == scenario.place if scenario.place is not None else self.rng.random() < 0.06
        if not is_now:
            return ""
        self.faults += 1
        kind = self.rng.choice(possible)
        self.seen[kind] += 1
        return kind

    def perform(self, task: Task) -> None:
        self.seen["steps"] += 1
        kind = self.breaks(
            "dies", "stalls", *(("fails", "lies") if isinstance(task.step, (Get, CompareAndSet)) else ())
        )
        is_before = self.rng.random() < 0.5 if self.scenario.is_before is None else self.scenario.is_before
        if kind == "fails" or (kind == "dies" and is_before):
            task.outcome = "throw", StoreError("down")
        elif isinstance(task.step, RunHandler):
            self.call(task)
        elif isinstance(task.step, Sleep):
            task.outcome, task.ready_at = ("send", None), self.now + task.step.seconds
        elif kind == "stalls" and is_before:
            pass  # it is performed when the process goes on
        else:
            task.outcome = "send", perform_at_once(task.step)
        if kind == "lies":
            task.outcome = "throw", StoreError("down")
        if kind == "stalls":
            seconds = self.rng.choice(STALLS)
            task.ready_at = self.now + seconds
            if seconds > COMES_AGAIN:
                self.lose(task)
        if kind == "dies":
            for flow in reversed(task.flows):
                flow.close()
            self.tasks.remove(task)
            self.lose(task)

    def call(self, task: Task) -> None:
        """Call a handler; the flow gets the result later."""
        task.delivery.runs += len(task.step.args) > 1  # of a step
        result = task.step.handler(*task.step.args)
        task.outcome = "send", None if inspect.iscoroutine(result) else result
        task.flows += [result] * inspect.iscoroutine(result)
        task.ready_at = self.now + self.rng.choice(self.scenario.durations)

    def resume(self, task: Task) -> None:
        (how, value), task.outcome = task.outcome, None  # type: ignore[misc]
        try:
            task.step = getattr(task.flows[-1], how)(value)
        except StopIteration as end:
            self.leave(task, ("send", end.value))
        except (StoreError, ConversationBusy, ConversationChanged) as error:
            self.leave(task, ("throw", error))

    def leave(self, task: Task, outcome: tuple[str, Any]) -> None:
        """Return to the flow that called the one that has ended, if there is one."""
        task.flows.pop()
        if task.flows:
            task.outcome = outcome
        else:
            how, value = outcome
            self.end(task, *((value, None) if how == "send" else (None, value)))

    # --- the judgement

    def note_write(self, key: str, value: bytes) -> None:
        if ":conversation:" not in key:
            return
        record = json.loads(value)
        words = [] if record["state"] is None else record["state"]["words"]
        if words and words[:-1] != self.saved[1]:
            self.problems.append("a change was lost")
        if words or key == self.saved[0]:  # else the dialogue has gone on elsewhere
            self.saved = key, words

    def judge(self) -> None:
        if self.waiting or self.tasks:
            self.problems.append("the user waits for ever")
        for delivery in self.deliveries:
            content, words = delivery.message.content, (delivery.answer or "").rstrip("!").split()
            if delivery.runs > 1 + self.faults:
                self.problems.append("a step ran again although nothing failed")
            if len(words) != len({*words}):
                self.problems.append("a message was taken twice")
            is_own = (delivery.answer == REPLIES[content]) if content in REPLIES else words[-1:] == [content]
            if len(self.scenario.bursts) == len(self.deliveries) and not is_own:
                self.problems.append("a message got the answer to another one")
        last = self.deliveries[-1].answer or ""
        said: list[str] = []
        for delivery in self.deliveries:
            said = [] if delivery.message.content in REPLIES else [*said, delivery.message.content]
        if self.deliveries[-1].message.content == "end" and sorted(last.rstrip("!").split()) != sorted(said):
            self.problems.append("a word is missing at the end")
        if any(":claim:" in key and self.store.get(key) for key in list(self.store.values)) and not self.faults:
            self.problems.append("a claim is left over")


@define
class Words:
    """What the user has said."""

    words: list[str] = field(factory=list)
