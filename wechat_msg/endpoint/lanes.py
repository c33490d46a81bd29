"""The lane of a process: the one lease that shows the other processes that its claims are alive."""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Sleep, Wait
from wechat_msg.endpoint.records import Run, dump_texts, load_texts
from wechat_msg.endpoint.registry import NO_CLAIM, Running, RunningPushes
from wechat_msg.errors import StoreError

__all__ = ["LEASE", "LOST_AFTER", "RENEW_EVERY", "Process"]

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


class Process:
    """An endpoint in one process: its id, the pushes whose handlers it runs, and its lane.

    Lane *i* belongs to the process whose id the store holds under ``<identity>:lane:<i>``. A claim names both, and is
    alive while they belong together. A process takes the lowest free lane before its first claim; a keeper, which is a
    thread or a task that performs `keep`, renews it. The child of a fork is another process.

    Args:
        store: The store that has the lanes; None if no other process can read the claims: then they are always alive.
        identity: The first part of all keys.
        monotonic: Seconds.
        report: Called with every error of the store.
    """

    id: str
    registry: RunningPushes

    def __init__(
        self,
        store: AnyStore | None,
        identity: str,
        monotonic: Callable[[], float],
        report: Callable[[StoreError], None],
    ) -> None:
        self._store = store
        self._identity = identity
        self._monotonic = monotonic
        self._report = report
        self.reset()
        _processes.add(self)

    def reset(self) -> None:
        """Become a process that has claimed nothing, as the child of a fork is."""
        self.id = secrets.token_hex(8)
        self.registry = RunningPushes()
        self._lock = threading.Lock()
        self._value = dump_texts([self.id])
        self._lane: tuple[int, float] | None = None  # its number, and when it was renewed
        self._taking: Future[StoreError | None] | None = None
        self._used = self._monotonic()
        self._given_up: list[Running] = []
        self._is_kept = False

    # --- claims

    def make_claim(self, name: str, *, shared: bool) -> Flow[str]:
        """Return a new claim of the delivery *name*; a *shared* record needs a lane, which is taken if there is none.

        Raises:
            StoreError: The store failed, so there is no lane.
        """
        lane = ""
        if shared and self._store is not None:
            while not (held := self._find_lane()):
                yield from self._take_lane_once(self._store)
            lane = str(held[0])
        return f"{lane}.{self.id}.{name}{secrets.token_hex(4)}"

    def is_dead(self, claim: str) -> Flow[bool]:
        """Return whether the process that made a claim, for a push that does not run here, has lost its lane."""
        lane, process, _ = claim.split(".")
        if process == self.id:
            return True  # what this process runs is in its registry
        if not lane or self._store is None:
            return False
        raw: bytes | None = yield Get(self._store, self._name_lane(lane))
        return load_texts(raw) != [process]

    def find_running(self, key: str) -> Running | None:
        """Return the push with this key if its handler runs here, and has not taken too long."""
        running = self.registry.find(key)
        if running is not None and self._monotonic() > running.ends:
            self.give_up(running)
            return None
        return running

    def give_up(self, running: Running) -> None:
        """Let other deliveries handle a push whose record this process could not delete; the keeper will do it."""
        if self.registry.remove(running) and running.store is self._store and running.claim != NO_CLAIM:
            self._given_up.append(running)

    # --- the lane

    def _name_lane(self, number: int | str) -> str:
        return f"{self._identity}:lane:{number}"

    def _find_lane(self) -> tuple[int, float] | None:
        """Return the lane; None if the lease may have ended."""
        with self._lock:
            self._used = now = self._monotonic()
            return self._lane if self._lane and now - self._lane[1] < LOST_AFTER else None

    def _take_lane_once(self, store: AnyStore) -> Flow[None]:
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
            yield from self._take_lane(store)
        except StoreError as error:
            failed = error
            raise
        finally:
            self._taking = None
            mine.set_result(failed)

    def _take_lane(self, store: AnyStore) -> Flow[None]:
        """Take the former lane if no other process has it, else the lowest free one."""
        former = self._lane
        if former and (yield from self._renew(store, former[0])):
            return
        for number in range(_LANES):
            began = self._monotonic()
            if (yield CompareAndSet(store, self._name_lane(number), None, self._value, LEASE)):
                self._lane = number, began
                return
        raise StoreError("the store has no free lane, or refuses to replace the value that it returns")

    def _renew(self, store: AnyStore, number: int) -> Flow[bool]:
        """Renew the lease of a lane, also if it has just ended; False if another process has the lane."""
        began, renewed = self._monotonic(), False
        for expected in (self._value, None):
            renewed = renewed or (yield CompareAndSet(store, self._name_lane(number), expected, self._value, LEASE))
        with self._lock:
            if self._lane and self._lane[0] == number:  # not another one that a delivery has taken meanwhile
                self._lane = (number, began) if renewed else None
        return renewed

    # --- the keeper

    def needs_keeper(self, *, is_gone: bool = False) -> bool:
        """Return whether the caller must start a keeper, as there is none, or it *is_gone* with its event loop."""
        if self._store is None:
            return False
        with self._lock:
            needed, self._is_kept = is_gone or not self._is_kept, True
        return needed

    def keep(self) -> Flow[None]:
        """Renew the lane until the process is idle, and delete the records of claims that were given up."""
        store, pause = cast("AnyStore", self._store), RENEW_EVERY
        try:
            while True:
                yield Sleep(pause)
                began = self._monotonic()
                try:
                    yield from self._renew_and_clean_up(store, began)
                except StoreError as error:
                    self._report(error)
                except Exception as error:  # noqa: BLE001, the keeper must go on
                    self._report(StoreError(f"a store raised {type(error).__name__}"))
                with self._lock:
                    if not (self._lane or self._given_up):
                        self._is_kept = False
                        return
                pause = max(RENEW_EVERY - (self._monotonic() - began), 0.0)
        except BaseException:
            self._is_kept = False  # the event loop has ended
            raise

    def _renew_and_clean_up(self, store: AnyStore, now: float) -> Flow[None]:
        for running in self.registry.list_over(now):
            self.give_up(running)
        with self._lock:
            lane, is_idle = self._lane, not self.registry and now - self._used >= IDLE
            self._lane = None if is_idle else lane
        if lane and is_idle:
            yield CompareAndSet(store, self._name_lane(lane[0]), self._value, None)
        elif lane:
            yield from self._renew(store, lane[0])
        while self._given_up:
            running = self._given_up[0]
            for late in (False, True):
                yield CompareAndSet(store, running.record_key, Run(running.claim, late).dump(), None)
            self._given_up.remove(running)


_processes: weakref.WeakSet[Process] = weakref.WeakSet()


def _reset_all() -> None:
    for process in tuple(_processes):
        process.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
