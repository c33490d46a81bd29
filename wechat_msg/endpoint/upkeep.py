"""What a process does in the background: it renews its lane, and takes over pushes that no process works on."""

from __future__ import annotations

import functools
import random
import weakref
from collections.abc import Callable
from typing import Any, cast

import attrs
from attrs import field

from wechat_msg._flow import CompareAndSet, Flow, Get, Sleep
from wechat_msg._handlers import RunHandler
from wechat_msg._tracebacks import define
from wechat_msg.endpoint.handback import hand_back, settle
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import ENTRY_KEPT, Inbox
from wechat_msg.endpoint.jobs import enqueue
from wechat_msg.endpoint.lanes import LEASE, RENEW_EVERY, Process
from wechat_msg.endpoint.records import Done, Free, InboxEntry, Record, Run, UnreadableEntry, load_record
from wechat_msg.endpoint.takeover import take_over
from wechat_msg.endpoint.work import StartWork
from wechat_msg.errors import StoreError

__all__ = ["LOOK_EVERY", "RunAside", "Upkeep"]

_LANES_PER_LOOK = 5
_random = random.SystemRandom()  # that of the application may be seeded

LOOK_EVERY = 5.0
"""Seconds between two looks at the inbox."""

_RECORD_IS_GONE = 60.0  # seconds after which an entry without a record has no owner
_LONGEST_PAUSE = 1800.0  # seconds; what is due later shows that the clock was put back
_WITHOUT_ROOM = 0.5  # seconds until the next look if something waits for a running handler to end
_REQUEUE_PAUSES = ((120.0, 60.0), (600.0, 300.0), (float("inf"), 1800.0))  # seconds since it came, seconds to wait


@define(eq=False, repr=False)
class Upkeep:
    """The flows that one process performs in the background.

    Attributes:
        handling: The handler, and what belongs to it.
        uniform: Returns a random number between two others.
        flows: The flows that a process must perform, by their names.
    """

    handling: Handling
    uniform: Callable[[float, float], float] = _random.uniform
    _next_lane: int = 0
    _has_looked: str = ""  # the id of the process that has looked at all lanes
    _waits_for_room: bool = False
    flows: dict[str, Callable[[], Flow[None]]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.flows = {"keep_lane": self.keep_lane}
        if self.handling.is_kept:
            self.flows["watch_inbox"] = self.watch_inbox

    def leave_looking_to_caller(self) -> None:
        """Never look in the background: the caller does, and each look would keep the other from its lanes."""
        self.flows.pop("watch_inbox", None)

    @property
    def _process(self) -> Process:
        return self.handling.process

    @property
    def _inbox(self) -> Inbox:
        return cast("Inbox", self.handling.inbox)

    def _try(self, flow: Callable[[], Flow[Any]]) -> Flow[Any]:
        """Perform a flow; an error of the store is reported, as the background must go on."""
        try:
            return (yield from flow())
        except StoreError as error:
            self.handling.report(error)
        except Exception as error:  # noqa: BLE001, a store of the user's own may raise anything
            self.handling.report(StoreError(f"a store raised {type(error).__name__}"))
        return None

    # --- the lane

    def keep_lane(self) -> Flow[None]:
        """Renew the lane until the process is idle, and hand back what was given up."""
        return _repeat(weakref.ref(self), self._process, "keep_lane", Upkeep._keep_lane_once, RENEW_EVERY)

    def _keep_lane_once(self) -> Flow[float | None]:
        began = self._process.monotonic()
        yield from self._try(self._renew_and_clean_up)
        if self._process.may_end("keep_lane"):
            return None
        return max(RENEW_EVERY - (self._process.monotonic() - began), 0.0)

    def _renew_and_clean_up(self) -> Flow[None]:
        process = self._process
        yield from process.renew()
        for running in process.list_given_up():
            yield from _run_aside(settle(self.handling, running))  # a slow on_lost must not cost the lane
            process.forget(running)
        yield from process.leave_lane(is_busy=self.handling.inbox is not None and len(self._inbox) > 0)

    # --- the inbox

    def watch_inbox(self) -> Flow[None]:
        """Look at the inbox now and then, until the event loop ends or the endpoint is gone."""
        return _repeat(weakref.ref(self), self._process, "watch_inbox", Upkeep._watch_inbox_once, 0.0)

    def _watch_inbox_once(self) -> Flow[float | None]:
        self._waits_for_room = False
        if not self._process.is_ending:
            is_new = self._has_looked != self._process.id
            yield from self._try(self.look_at_all if is_new else self._look_once)
        return _WITHOUT_ROOM if self._waits_for_room else LOOK_EVERY * self.uniform(0.8, 1.2)

    def recover(self) -> Flow[int]:
        """Look at everything, and return how much was started; an error of the store is reported."""
        started: int | None = yield from self._try(self.look_at_all)
        return started or 0

    def look_at_all(self) -> Flow[int]:
        """Start the work on everything in the inbox that no process works on; return how much."""
        started = yield from self._look_at_own_lane()
        limits = yield from self._inbox.read_limits()
        for lane, limit in enumerate(limits):
            if limit and not self._process.is_ending:
                started += yield from self._look_at_lane(lane)
        self._has_looked = self._process.id
        return started

    def _look_once(self) -> Flow[None]:
        yield from self._look_at_own_lane()
        limits = yield from self._inbox.read_limits()
        looked_at = 0
        for _ in limits:
            lane = self._next_lane % len(limits)
            self._next_lane = lane + 1
            if limits[lane] and not self._is_own(lane):
                yield from self._look_at_lane(lane)
                looked_at += 1
            if looked_at == _LANES_PER_LOOK or self._waits_for_room or self._process.is_ending:
                return

    def _is_own(self, lane: int) -> bool:
        return self._process.lane is not None and self._process.lane.number == lane

    def _look_at_own_lane(self) -> Flow[int]:
        yield from self._inbox.take_back_rest()
        yield from self._inbox.adopt()
        started, running = 0, {each.slot for each in self._process.registry.list_all()}
        for slot in self._inbox.list_own():
            if self._waits_for_room:
                break
            if slot not in running:
                started += (yield from self._look_into(slot)) or 0
        return started

    def _look_at_lane(self, lane: int) -> Flow[int]:
        """Look at the slots of a lane whose process has died; its lease keeps other processes from doing the same."""
        process, started = self._process, 0
        if self._is_own(lane) or not (yield from process.is_free(lane)):
            return 0
        if not (yield from process.take(lane, seconds=LEASE)):
            return 0
        renewed, used = process.monotonic(), 0
        limits = yield from self._inbox.read_limits()  # the former holder may have raised its limit until now
        limit = limits[lane] if lane < len(limits) else 0
        for number in range(limit):
            if self._waits_for_room:
                used = limit
                break
            if process.monotonic() - renewed > RENEW_EVERY:
                renewed = process.monotonic()
                if not (yield from process.take(lane, seconds=LEASE, is_held=True)):
                    return started
            if (count := (yield from self._look_into(f"{lane}:{number}"))) is not None:
                started, used = started + count, number + 1
        if used < limit:  # a process that has taken the lane meanwhile has raised it
            yield from self._inbox.set_limit(lane, used, limits)
        yield from process.let_go(lane)
        return started

    def _look_into(self, slot: str) -> Flow[int | None]:
        """Look at the entry in a slot, and return how much was started; None if the slot is empty."""
        try:
            found = yield from self._inbox.find(slot)
        except UnreadableEntry as error:  # perhaps of a later release
            self.handling.report(error)
            return 0
        return None if found is None else (yield from self._look_at(slot, found))

    def _look_at(self, slot: str, found: tuple[bytes, InboxEntry]) -> Flow[int]:
        """Start the work on one entry if it is due and no process works on it; delete it if it is done."""
        raw, entry = found
        if entry.state == "lost" or self._process.registry.find(entry.key) is not None:
            return 0
        raw_record: bytes | None = yield Get(cast("Any", self.handling.store), entry.key)
        if self._process.registry.find(entry.key) is not None:
            return 0  # it was claimed meanwhile
        record = None if raw_record is None else load_record(raw_record)
        if is_left_over(record, slot):
            yield from self._inbox.replace(slot, raw, None)
            return 0
        if not (yield from self._is_due(entry, record)) or self._process.is_ending:
            return 0
        if self.handling.options.queue is not None:
            return (yield from self._enqueue_again(slot, found, raw_record))
        if not self.handling.has_room():
            self._waits_for_room = True
            return 0
        work = yield from take_over(self.handling, slot, found, raw_record)
        if work is None:
            return 0
        yield StartWork(work)
        return 1

    def _is_due(self, entry: InboxEntry, record: Record | None) -> Flow[bool]:
        """Return whether no process works on an entry, and the pause after a failure is over."""
        now = self.handling.options.clock()
        is_due = not now < entry.due <= now + _LONGEST_PAUSE
        if isinstance(record, Free):
            return is_due
        if isinstance(record, Run):
            return (yield from self._process.is_dead(record.claim))
        if record is None and now > entry.came + _RECORD_IS_GONE:
            return True
        return is_due and (yield from self._process.is_dead(entry.claim))

    def _enqueue_again(self, slot: str, found: tuple[bytes, InboxEntry], raw_record: bytes | None) -> Flow[int]:
        """Enqueue a job that the broker has lost, or whose worker has died or failed."""
        (raw, entry), now, store = found, self.handling.options.clock(), cast("Any", self.handling.store)
        record = None if raw_record is None else load_record(raw_record)
        if isinstance(record, Run) and not isinstance(record, Free):  # later looks wait until it is due
            free = Free(record.claim, slot, record.late).dump()
            if not (yield CompareAndSet(store, entry.key, raw_record, free, ENTRY_KEPT)):
                return 0
        pause = next(pause for age, pause in _REQUEUE_PAUSES if now - entry.came < age)
        if not (yield from self._inbox.replace(slot, raw, attrs.evolve(entry, due=now + pause))):
            return 0
        yield from enqueue(self.handling, entry.key, slot)
        return 1

    # --- the end

    def hand_back_all(self) -> Flow[int]:
        """Hand back everything that still runs here, and let the lane go; return how much was handed back."""
        handed_back = 0
        for running in self._process.registry.list_all():
            hand = functools.partial(hand_back, self.handling, running, failed=False)
            handed_back += bool((yield from self._try(hand)))
            self._process.registry.end(running)  # it stays until its handler has ended: nobody runs it twice here
        yield from self._try(self._process.end)
        return handed_back


@define
class RunAside:
    """The step that calls a function of the user's, and does not wait for it."""

    step: RunHandler


def _run_aside(flow: Flow[None]) -> Flow[None]:
    """Perform a flow that does not need the results of the functions of the user's that it calls."""
    resume: Callable[[Any], Any] = flow.send
    given: Any = None
    while True:
        try:
            step = resume(given)
        except StopIteration:
            return
        try:
            resume, given = flow.send, (yield RunAside(step) if isinstance(step, RunHandler) else step)
        except BaseException as error:  # noqa: BLE001, the flow decides what to do
            resume, given = flow.throw, error


def _repeat(
    upkeep: weakref.ref[Upkeep],
    process: Process,
    name: str,
    do_once: Callable[[Upkeep], Flow[float | None]],
    pause: float | None,
) -> Flow[None]:
    """Do something again and again, until it returns no pause; an endpoint that nobody uses any more ends it, too."""
    try:
        while pause is not None:
            if pause:
                yield Sleep(pause)
            found = upkeep()
            pause = None if found is None else (yield from do_once(found))
            del found
    except BaseException:
        process.has_ended(name)  # the event loop has ended
        raise


def is_left_over(record: Record | None, slot: str) -> bool:
    """Return whether the entry in *slot* was not needed, or is done."""
    if record is None:
        return False
    return record.slot != slot and (isinstance(record, Done) or bool(record.slot))
