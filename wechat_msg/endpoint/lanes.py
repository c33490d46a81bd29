"""The lane of a process: the one lease that shows the other processes that its claims are alive."""

from __future__ import annotations

import itertools
import os
import secrets
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Wait
from wechat_msg._tracebacks import frozen
from wechat_msg.endpoint.records import dump_texts, load_texts
from wechat_msg.endpoint.registry import NO_CLAIM, Running, RunningPushes
from wechat_msg.errors import StoreError

__all__ = ["LEASE", "LOST_AFTER", "RENEW_EVERY", "Lane", "Process"]

LEASE = 2.5
"""Seconds after which a process that has died no longer keeps others from handling its pushes."""
RENEW_EVERY = 0.7
"""Seconds between renewals of a lane: two may fail before the lease ends."""
LOST_AFTER = 2.0
"""Seconds without a renewal after which a process claims nothing with its lane: the lease ends soon."""
IDLE = 10.0
"""Seconds without a push after which a process gives its lane back."""

_LANES = 1000  # processes of one account that handle pushes at the same time
_PATIENCE = 5.0  # seconds; another delivery that takes the lane has failed by then


@frozen
class Lane:
    """A lane that this process holds.

    Attributes:
        number: Its number.
        since: When it was taken; from then on no other process can have had it.
        awake_since: From then on no renewal was too late, by the clock of this process.
        renewed: When it was renewed last.
    """

    number: int
    since: float
    awake_since: float
    renewed: float


class Process:
    """An endpoint in one process: its id, the pushes whose handlers it runs, and its lane.

    Lane *i* belongs to the process whose id the store holds under ``<identity>:lane:<i>``. A claim names both, and is
    alive while they belong together. A process takes the lowest free lane before its first claim; `upkeep` renews it.
    The child of a fork is another process.

    Args:
        store: The store that has the lanes; None if no other process can read the claims: then they are always alive.
        identity: The first part of all keys.
        monotonic: Seconds.
        watches: Whether this process looks after the inbox. If not, it takes other lanes, as the entries in a lane are
            left to the process that holds it.
    """

    id: str
    registry: RunningPushes
    is_ending: bool

    def __init__(
        self, store: AnyStore | None, identity: str, monotonic: Callable[[], float], *, watches: bool = True
    ) -> None:
        self.store = store
        self.monotonic = monotonic
        self._identity = identity
        self._first_lane = 0 if watches else _LANES
        self.reset()
        _processes.add(self)

    def reset(self) -> None:
        """Become a process that has claimed nothing, as the child of a fork is."""
        self.id = secrets.token_hex(8)
        self._pid = os.getpid()
        self.registry = RunningPushes()
        self.waiting: dict[str, None] = {}  # the names of the deliveries that wait for room, in order
        self.is_ending = False
        self._lock = threading.Lock()
        self._value = dump_texts([self.id])
        self._names, self._claims = itertools.count(secrets.randbits(32)), itertools.count()
        self._lane: Lane | None = None
        self._taking: Future[StoreError | None] | None = None
        self._last_used = self.monotonic()
        self._given_up: list[Running] = []
        self._upkeep: set[str] = set()

    # --- claims

    def make_name(self) -> str:
        """Return a name for a delivery; two processes are no likelier to make the same one than if it were random."""
        return f"{next(self._names) % 2**32:08x}"

    def make_claim(self, name: str, *, shared: bool) -> Flow[str]:
        """Return a new claim of the delivery *name*; a *shared* record needs a lane, which is taken if there is none.

        Raises:
            StoreError: The store failed, so there is no lane.
        """
        lane = ""
        if shared and self.store is not None:
            lane = str((yield from self.hold_lane()).number)
        return f"{lane}.{self.id}.{name}{next(self._claims):x}"

    def is_dead(self, claim: str) -> Flow[bool]:
        """Return whether the process that made a claim, for a push that does not run here, has lost its lane."""
        lane, process, _ = claim.split(".")
        if process == self.id:
            return True  # what this process runs is in its registry
        if not lane:
            return not process  # the claim of a push that nobody has handled yet
        if self.store is None:
            return False
        raw: bytes | None = yield Get(self.store, self._name_lane(lane))
        return load_texts(raw) != [process]

    def has_held_since(self, claim: str, began: float) -> bool:
        """Return whether nobody can have taken over a claim: its lane was never lost since it began, and is fresh."""
        lane, number = self._lane, claim.partition(".")[0]
        if not number:
            return True
        is_fresh = lane is not None and self.monotonic() - lane.renewed < LOST_AFTER
        return is_fresh and str(cast("Lane", lane).number) == number and cast("Lane", lane).since <= began

    def was_awake_since(self, began: float) -> bool:
        """Return whether this process has not stood still since then, so that the store lost what is gone."""
        lane = self._lane
        return lane is not None and lane.awake_since <= began and self.monotonic() - lane.renewed < LOST_AFTER

    def find_running(self, key: str) -> Running | None:
        """Return the push with this key if its handler runs here, and has not taken too long."""
        running = self.registry.find(key)
        if running is not None and self.monotonic() > running.ends:
            self.give_up(running)
            return None
        return running

    def give_up(self, running: Running) -> None:
        """Let other deliveries handle a push whose record this process could not change; `upkeep` will do it."""
        if self.registry.remove(running) and running.store is self.store and running.claim != NO_CLAIM:
            self._given_up.append(running)

    def list_given_up(self) -> list[Running]:
        """Return what was given up, or has taken too long, and remove it from the registry."""
        for running in self.registry.list_over(self.monotonic()):
            self.give_up(running)
        return self._given_up[:]

    def forget(self, running: Running) -> None:
        """Remove what was given up from the list: its record is changed."""
        self._given_up.remove(running)

    # --- the lane

    def _name_lane(self, number: int | str) -> str:
        return f"{self._identity}:lane:{number}"

    @property
    def lane(self) -> Lane | None:
        """The lane, also if its lease may have ended."""
        return self._lane

    def hold_lane(self) -> Flow[Lane]:
        """Return the lane; one is taken if there is none, or its lease may have ended."""
        while True:
            self._last_used = now = self.monotonic()
            if (lane := self._lane) and now - lane.renewed < LOST_AFTER:
                return lane
            yield from self._take_lane_once()

    def _take_lane_once(self) -> Flow[None]:
        """Take a lane, or wait until another delivery of this process has done so."""
        with self._lock:
            other, mine = self._taking, Future[StoreError | None]()
            self._taking = other or mine
        if other is not None:
            error: StoreError | None = yield Wait(other, _PATIENCE)
            if error or not other.done():
                raise StoreError(error.args[0] if error else "the store did not answer in time")
            return
        failed: StoreError | None = None
        try:
            yield from self._take_lane()
        except StoreError as error:
            failed = error
            raise
        finally:
            self._taking = None
            mine.set_result(failed)

    def _take_lane(self) -> Flow[None]:
        """Take the former lane if no other process has it, else the lowest free one."""
        if self._lane and (yield from self.renew()):
            return
        for number in range(self._first_lane, self._first_lane + _LANES):
            began = self.monotonic()
            if (yield from self.take(number, seconds=LEASE)):
                self._lane = Lane(number, began, began, began)
                return
        raise StoreError("the store has no free lane, or refuses to replace the value that it returns")

    def is_free(self, number: int) -> Flow[bool]:
        """Return whether no process holds the lane *number*."""
        raw: bytes | None = yield Get(cast("AnyStore", self.store), self._name_lane(number))
        return raw is None

    def take(self, number: int, *, seconds: float, is_held: bool = False) -> Flow[bool]:
        """Take the lane *number*, or, if it *is_held* by this process, renew its lease; False if another has it."""
        expected = self._value if is_held else None
        taken: bool = yield CompareAndSet(
            cast("AnyStore", self.store), self._name_lane(number), expected, self._value, seconds
        )
        return taken

    def let_go(self, number: int) -> Flow[None]:
        """Give a lane back, so that any process can take it at once."""
        yield CompareAndSet(cast("AnyStore", self.store), self._name_lane(number), self._value, None)

    def renew(self) -> Flow[bool]:
        """Renew the lease of the lane, also if it has just ended; False if another process has the lane."""
        lane, began = self._lane, self.monotonic()
        if lane is None:
            return False
        kept = yield from self.take(lane.number, seconds=LEASE, is_held=True)
        # What this process has just let go must not be taken again: nothing might let it go a second time.
        renewed = kept or (self._lane is lane and (yield from self.take(lane.number, seconds=LEASE)))
        with self._lock:
            if self._lane is lane:  # no delivery has renewed it, or taken another, meanwhile
                is_in_time = began - lane.renewed < LOST_AFTER
                since = lane.since if kept and is_in_time else began
                awake_since = lane.awake_since if is_in_time else began
                self._lane = Lane(lane.number, since, awake_since, began) if renewed else None
            was_let_go = self._lane is None
        if renewed and was_let_go:  # while this step was on its way
            yield from self.let_go(lane.number)
        return renewed

    def leave_lane(self, *, is_busy: bool) -> Flow[None]:
        """Let the lane go if this process has had no push for some time, and is not *is_busy*."""
        with self._lock:
            lane, idle = self._lane, not (is_busy or self.registry) and self.monotonic() - self._last_used >= IDLE
            if lane is None or not idle:
                return
            self._lane = None
        yield from self.let_go(lane.number)

    def end(self) -> Flow[None]:
        """Let the lane go at once."""
        lane, self._lane = self._lane, None
        if lane is not None:
            yield from self.let_go(lane.number)

    # --- what runs in the background

    def needs(self, name: str, *, is_gone: bool = False) -> bool:
        """Return whether the caller must start the flow *name*: it does not run, or *is_gone* with its event loop."""
        if self._pid != os.getpid():  # after a fork that Python did not notice, as of uWSGI
            self.reset()
        if self.store is None or (name in self._upkeep and not is_gone):
            return False
        with self._lock:
            needed = is_gone or name not in self._upkeep
            self._upkeep.add(name)
        return needed

    def has_ended(self, name: str) -> None:
        """Record that the flow *name* no longer runs."""
        self._upkeep.discard(name)

    def may_end(self, name: str) -> bool:
        """Return whether the flow *name* ends, as there is nothing to renew and nothing to hand back."""
        with self._lock:
            ends = self._lane is None and not self._given_up
            if ends:
                self._upkeep.discard(name)
        return ends


_processes: weakref.WeakSet[Process] = weakref.WeakSet()


def _reset_all() -> None:
    for process in tuple(_processes):
        process.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
