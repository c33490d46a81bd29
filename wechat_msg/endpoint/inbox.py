"""The inbox: the pushes that were acknowledged or queued, and are not done; each is one entry in a slot of a lane."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get
from wechat_msg.endpoint.lanes import Lane, Process
from wechat_msg.endpoint.records import InboxEntry, dump_texts, load_entry, load_texts
from wechat_msg.errors import StoreError
from wechat_msg.exchange import Push

__all__ = ["ATTEMPTS", "ENTRY_KEPT", "RETRY_AFTER", "Inbox"]

_log = logging.getLogger("wechat_msg")

ENTRY_KEPT = 172800.0
"""Seconds for which an entry is kept, from the arrival of its push."""
ATTEMPTS = 3
"""How often the handler of an entry is run, or its answer is sent."""
RETRY_AFTER = (5.0, 60.0)
"""Seconds until the second and the third attempt."""

_LARGEST = 256_000  # bytes
_LIMITS_KEPT = 259200.0  # seconds; longer than any entry
_FIRST_LIMIT = 8  # slots
_ATTEMPTS = 100  # a compare-and-set only fails if another process's has succeeded


class Inbox:
    """The entries of one account, as one process writes and finds them.

    Slot *n* of lane *i* has the key ``<identity>:inbox:<i>:<n>``. ``<identity>:lanes`` lists how many slots each lane
    has used at most, so the holder of a lane finds all its entries. Only the holder of a lane writes to free slots.

    Args:
        store: The store that has the entries.
        identity: The first part of all keys.
        process: This process, and its lane.
        clock: Seconds since the epoch.
    """

    def __init__(self, store: AnyStore, identity: str, process: Process, clock: Callable[[], float]) -> None:
        self.store = store
        self._identity = identity
        self._process = process
        self._clock = clock
        self._lock = threading.Lock()
        self._holder = ("", -1, 0.0)  # the process, and its lane and since when it has it, whose slots follow
        self._limit = 0  # slots that the list of limits knows of
        self._limit_ends = 0.0  # when the list must be written again, so that it outlives every entry
        self._used: set[int] = set()  # slots that may have an entry
        self._pending: set[int] = set()  # slots that a delivery of this process is writing
        self._lowest = 0  # no slot below it is free
        self._unneeded: dict[str, bytes] = {}  # entries that the store did not delete

    # --- entries

    def make_entry(
        self, push: Push, key: str, claim: str, *, attempt: int, due_after: float = 0.0, age: float = 0.0
    ) -> InboxEntry | None:
        """Return a new entry for *push*, which came *age* seconds ago; None if it is too large, which is logged."""
        now = self._clock()
        entry = InboxEntry(
            key=key,
            format=push.format,
            is_sealed=push.cipher is not None,
            document=push.document,
            came=now - age,
            due=now + due_after,
            attempt=attempt,
            claim=claim,
        )
        if len(push.document) > _LARGEST:
            _log.warning("a push of %d bytes is too large to be kept（推送过大，无法保存）", len(push.document))
            return None
        return entry

    def put(self, entry: InboxEntry) -> Flow[str]:
        """Write an entry into a free slot of the lane of this process, and return the slot.

        Raises:
            StoreError: The store failed; the entry may have been written.
        """
        value = entry.dump()
        for _ in range(_ATTEMPTS):
            held = yield from self._process.hold_lane()
            lane = held.number
            yield from self._adopt(held)
            number = self._reserve()
            try:
                if number >= self._limit or self._process.monotonic() >= self._limit_ends:
                    yield from self._raise_limit(lane, number)
                slot = f"{lane}:{number}"
                written: bool = yield CompareAndSet(self.store, self._name(slot), None, value, self._kept_for(entry))
            finally:
                self._pending.discard(number)
            if written and self._process.has_held_since(f"{lane}.", held.renewed):
                return slot
            if written:  # the lane may have been taken and searched meanwhile
                yield CompareAndSet(self.store, self._name(slot), value, None)
        raise StoreError("the store refuses to set a value that is absent")

    def take_back(self, slot: str, entry: InboxEntry) -> Flow[None]:
        """Delete an entry that was not needed.

        Raises:
            StoreError: The store failed; `take_back_rest` does it when it works again.
        """
        self._unneeded[slot] = entry.dump()
        yield from self.take_back_rest()

    def take_back_rest(self) -> Flow[None]:
        """Delete the entries that `take_back` could not delete."""
        for slot, raw in tuple(self._unneeded.items()):
            yield CompareAndSet(self.store, self._name(slot), raw, None)
            self._unneeded.pop(slot, None)
            self._release(slot)

    def find(self, slot: str) -> Flow[tuple[bytes, InboxEntry] | None]:
        """Return the entry in *slot*, as bytes and read; None if there is none.

        Raises:
            StoreError: The store failed, or the value is not an entry.
        """
        lane, _, number = slot.partition(":")
        writing = self._is_own(lane) and int(number) in self._pending
        raw: bytes | None = yield Get(self.store, self._name(slot))
        if raw is None:
            if not writing:
                self._release(slot)
            return None
        return raw, load_entry(raw)

    def find_of(self, slot: str, key: str) -> Flow[tuple[bytes, InboxEntry] | None]:
        """Return the entry of one push in *slot*; None if there is none, or another push has the slot by now."""
        found = yield from self.find(slot)
        return found if found is None or found[1].key == key else None

    def replace(self, slot: str, raw: bytes | None, entry: InboxEntry | None) -> Flow[bool]:
        """Replace an entry, or delete it; False if *slot* no longer has *raw*."""
        value = None if entry is None else entry.dump()
        kept_for = 1.0 if entry is None else self._kept_for(entry)
        replaced: bool = yield CompareAndSet(self.store, self._name(slot), raw, value, kept_for)
        if replaced and entry is None:
            self._release(slot)
        return replaced

    def _name(self, slot: str) -> str:
        return f"{self._identity}:inbox:{slot}"

    def _kept_for(self, entry: InboxEntry) -> float:
        return max(entry.came + ENTRY_KEPT - self._clock(), 1.0)

    # --- the slots of this process's lane

    def __len__(self) -> int:
        """Return the number of slots of the lane that may have an entry."""
        return len(self._used) if self._holder[0] == self._process.id else 0

    def list_own(self) -> list[str]:
        """Return the slots of the lane that may have an entry."""
        process, lane, _ = self._holder
        return [f"{lane}:{number}" for number in sorted(self._used)] if process == self._process.id else []

    def _is_own(self, lane: str) -> bool:
        return self._holder[:2] == (self._process.id, int(lane))

    def _adopt(self, lane: Lane) -> Flow[None]:
        """Begin with a lane that was taken: it may have entries of another holder, which may have lowered the limit."""
        holder, number = (self._process.id, lane.number, lane.since), lane.number
        if self._holder == holder:
            return
        limits = yield from self.read_limits()
        with self._lock:
            if self._holder == holder:
                return
            self._limit = 0  # the first entry raises it, so that a process that walks the lane does not lower it
            self._used, self._pending, self._lowest = set(range(_get_limit(limits, number))), set(), 0
            self._holder = holder

    def adopt(self) -> Flow[None]:
        """Learn which slots the lane of this process may have, if it holds one."""
        if self._process.lane is not None:
            yield from self._adopt(self._process.lane)

    def _reserve(self) -> int:
        with self._lock:
            number = self._lowest
            while number in self._used:
                number += 1
            self._used.add(number)
            self._pending.add(number)
            self._lowest = number + 1
            return number

    def _release(self, slot: str) -> None:
        lane, _, number = slot.partition(":")
        with self._lock:
            if self._is_own(lane):
                self._used.discard(int(number))
                self._lowest = min(self._lowest, int(number))

    # --- the list of limits

    def read_limits(self) -> Flow[list[int]]:
        """Return how many slots each lane has used at most."""
        raw: bytes | None = yield Get(self.store, f"{self._identity}:lanes")
        return _read_numbers(raw)

    def _raise_limit(self, lane: int, number: int) -> Flow[None]:
        limit = _FIRST_LIMIT
        while limit <= number:
            limit *= 2
        for _ in range(_ATTEMPTS):
            limits = yield from self.read_limits()
            raised = max(limit, _get_limit(limits, lane) + 1)
            if (yield from self.set_limit(lane, raised, limits)):
                self._limit = max(self._limit, raised)
                self._limit_ends = self._process.monotonic() + _LIMITS_KEPT - ENTRY_KEPT
                return
        raise StoreError("the store refuses to replace the value that it returns")

    def set_limit(self, lane: int, limit: int, limits: Sequence[int]) -> Flow[bool]:
        """Set the number of slots of a lane; False if the list is no longer *limits*."""
        new = [*limits, *[0] * (lane + 1 - len(limits))]
        new[lane] = limit
        key, old = f"{self._identity}:lanes", _dump_numbers(limits) if limits else None
        replaced: bool = yield CompareAndSet(self.store, key, old, _dump_numbers(new), _LIMITS_KEPT)
        return replaced


def _get_limit(limits: Sequence[int], lane: int) -> int:
    return limits[lane] if lane < len(limits) else 0


def _dump_numbers(numbers: Sequence[int]) -> bytes:
    return dump_texts([str(number) for number in numbers])


def _read_numbers(raw: bytes | None) -> list[int]:
    try:
        return [int(text) for text in load_texts(raw)]
    except ValueError:
        raise StoreError("the store holds a value that is not a list of numbers") from None
