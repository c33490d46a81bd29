"""The answers that are kept for a user until his next text fetches them: the queue of their parts, and its flows."""

from __future__ import annotations

import enum
import hashlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Literal

import attrs
from attrs import field

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get
from wechat_msg._tracebacks import frozen
from wechat_msg.endpoint.inbox import ENTRY_KEPT
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.records import Done, Free, Record, Run, load_record, pack, unpack
from wechat_msg.errors import StoreError

__all__ = [
    "LARGEST_QUEUE",
    "MOST_PARTS",
    "Claimed",
    "Item",
    "KeptAnswers",
    "Queue",
    "Taken",
    "Undelivered",
    "load_queue",
]

_QUEUE = b"\x02Q"  # the format byte, and the kind of the value
_REMEMBERED = 32  # ids
_REMEMBERED_FOR = 600.0  # seconds for which a queue without items is kept
LARGEST_QUEUE = 256_000
"""Bytes of all that is kept for a user."""
MOST_PARTS = 100
"""Parts of one answer, and of all that are kept for a user."""
_ATTEMPTS = 100  # a compare-and-set only fails if another process's has succeeded


State = Literal["place", "kept"]
_STATES: dict[str, State] = {"place": "place", "kept": "kept"}


# --- the queue -------------------------------------------------------------------------------------------------------


@frozen
class Item:
    """An answer that is kept, or will be.

    Attributes:
        id: Identifies it.
        key: The key of the record of the push that it answers; empty if it answers none.
        until: When it expires, in seconds since the epoch.
        state: ``place``: its user waits for it, but it has no parts yet. ``kept``: any push may fetch the next part.
        parts: The parts that were not delivered.
        next: The number of the first of them; no two deliveries carry the part of an item with the same number.
        count: How many parts it has had, with those that were delivered or dropped.
        taken: Who delivers the first of *parts*: the key of a record, and the claim in it; None if nobody does.
        is_open: Whether further parts may follow.
    """

    id: str
    key: str
    until: float
    state: State = "kept"
    parts: tuple[str, ...] = field(default=(), repr=False)
    next: int = 0
    count: int = 0
    taken: tuple[str, str] | None = None
    is_open: bool = False


@frozen
class Taken:
    """A part that a push delivers, and nobody else.

    Attributes:
        item: The item; the part is the first of its parts.
        is_last: Whether nothing follows it in the whole queue.
    """

    item: Item
    is_last: bool

    @property
    def part(self) -> str:
        """The part."""
        return self.item.parts[0]


@frozen
class Queue:
    """What is kept for one user.

    Attributes:
        items: The items, the oldest first. An item may have a place, too, until it is known who delivers it.
        gone: The ids of the last items that have left, so that none is added a second time.
    """

    items: tuple[Item, ...] = ()
    gone: tuple[str, ...] = ()

    def dump(self) -> bytes | None:
        """Return the queue as bytes; None if it is empty."""
        if not self.items and not self.gone:
            return None
        texts = [str(len(self.gone)), *self.gone]
        for item in self.items:
            record_key, claim = item.taken or ("", "")
            texts += (item.id, item.key, repr(item.until), item.state, str(item.next), str(item.count))
            texts += (record_key, claim, "open" if item.is_open else "", str(len(item.parts)), *item.parts)
        return _QUEUE + pack(*texts)

    # --- what is asked of it

    def find(self, id: str, state: str) -> Item | None:
        """Return the item with an id and a state."""
        return next((item for item in self.items if item.id == id and item.state == state), None)

    def find_taken(self, by: tuple[str, str]) -> Taken | None:
        """Return the part that a claim has taken."""
        for item in self.items:
            if item.taken == by:
                follows = len(item.parts) > 1 or item.is_open or any(other.id != item.id for other in self.items)
                return Taken(item, not follows)
        return None

    # --- its transitions

    def expire(self, now: float) -> Queue:
        """Remove the items that have expired."""
        queue = self
        for item in self.items:
            if item.until <= now:
                queue = queue.remove(item, is_gone=item.state == "kept")
        return queue

    def add_place(self, id: str, key: str, until: float) -> Queue:
        """Reserve the place of an answer that is not known yet."""
        is_known = id in self.gone or any(item.id == id for item in self.items)
        if is_known or len(self.items) >= MOST_PARTS:
            return self
        return self.add(Item(id, key, until, "place"))

    def remove_place(self, id: str) -> Queue:
        """Remove a place if it has not become an item."""
        place = self.find(id, "place")
        return self if place is None else self.remove(place)

    def put(
        self, id: str, parts: tuple[str, ...], until: float, *, key: str = "", at: int = 0, is_open: bool = False
    ) -> Queue:
        """Keep the parts of an answer from number *at* on: in its place, in the open item, or at the end."""
        kept = self.find(id, "kept")
        if id in self.gone or (kept and not kept.is_open):
            return self
        if kept is not None:
            new, count = parts[max(kept.count - at, 0) :], max(kept.count, at + len(parts))
            return self.change(kept, parts=kept.parts + new, count=count, is_open=is_open)
        place = self.find(id, "place")
        item = Item(id, key, until, "kept", parts, at, at + len(parts), None, is_open)
        queue = self.add(item) if place is None else self.replace(place, item)
        return queue.change(item)

    def take(self, item: Item, by: tuple[str, str]) -> Queue:
        """Let a claim, and nobody else, deliver the next part."""
        return self.change(item, taken=by)

    def release(self, claim: str) -> Queue:
        """Let others deliver what a claim has taken, and cannot deliver."""
        item = next((item for item in self.items if item.taken and item.taken[1] == claim), None)
        return self if item is None else self.change(item, taken=None)

    def settle(self, id: str, part: int) -> Queue:
        """Remove a part that is in a record."""
        item = self.find(id, "kept")
        if item is None or item.next != part:
            return self
        return self.change(item, parts=item.parts[1:], next=part + 1, taken=None)

    def close(self, item: Item) -> Queue:
        """Wait no longer for an answer, or for its further parts."""
        return self.change(item, is_open=False) if item.state == "kept" else self.remove(item)

    def fit(self) -> tuple[Queue, int]:
        """Drop the oldest parts that nobody has taken until the queue is not too large; return their number, too."""
        queue, dropped = self, 0
        while sum(len(item.parts) for item in queue.items) > MOST_PARTS or len(queue.dump() or b"") > LARGEST_QUEUE:
            item = next((each for each in queue.items if len(each.parts) > bool(each.taken)), None)
            if item is None:
                break
            if item.taken:
                queue = queue.change(item, parts=item.parts[:1] + item.parts[2:])
            else:
                queue = queue.change(item, parts=item.parts[1:], next=item.next + 1)
            dropped += 1
        return queue, dropped

    # --- what they consist of

    def add(self, item: Item) -> Queue:
        """Add an item at the end."""
        return attrs.evolve(self, items=(*self.items, item))

    def replace(self, item: Item, new: Item) -> Queue:
        """Put another item in the place of an item."""
        return attrs.evolve(self, items=tuple(new if each is item else each for each in self.items))

    def remove(self, item: Item, *, is_gone: bool = False) -> Queue:
        """Remove an item; if it *is_gone*, no other with its id is added."""
        gone = (*self.gone, item.id)[-_REMEMBERED:] if is_gone else self.gone
        return Queue(tuple(each for each in self.items if each is not item), gone)

    def change(self, item: Item, **changes: Any) -> Queue:
        """Change an item; it leaves if nothing of it is left, and nothing will follow."""
        new = attrs.evolve(item, **changes)
        has_left = new.state == "kept" and not (new.parts or new.is_open)
        return self.remove(item, is_gone=True) if has_left else self.replace(item, new)


def load_queue(raw: bytes | None) -> Queue:
    """Return the queue that `Queue.dump` wrote; an empty one if there is no value.

    Raises:
        StoreError: It did not write the value; it may be that of a later release.
    """
    if raw is None:
        return Queue()
    try:
        if raw[:2] == _QUEUE:
            texts = iter(unpack(raw[2:]))
            gone = _read_texts(texts)
            return Queue(tuple(_read_item(each, texts) for each in texts), gone)
    except (KeyError, ValueError):
        pass
    raise StoreError("the store holds a value that is not a queue of kept answers")


def _read_texts(texts: Iterator[str]) -> tuple[str, ...]:
    """Return the texts that follow their number."""
    number = int(next(texts, ""))
    read = tuple(itertools.islice(texts, number))
    if len(read) < number:
        raise ValueError
    return read


def _read_item(id: str, texts: Iterator[str]) -> Item:
    key, until, state, number, count, record_key, claim, is_open = itertools.islice(texts, 8)
    return Item(
        id=id,
        key=key,
        until=float(until),
        state=_STATES[state],
        next=int(number),
        count=int(count),
        taken=(record_key, claim) if claim else None,
        is_open={"": False, "open": True}[is_open],
        parts=_read_texts(texts),
    )


# --- its flows -------------------------------------------------------------------------------------------------------


class Undelivered(enum.Enum):
    """Why no part was delivered."""

    WAIT = "another push delivers the next part, or it is not known yet"
    EMPTY = "nothing is kept"
    OVERTAKEN = "the record is no longer that of the claim"


@frozen
class Claimed:
    """The claim of the push that delivers a part.

    Attributes:
        key: The key of its record.
        claim: The claim.
        record: The record as the claim wrote it, of a push that no try was acknowledged for.
    """

    key: str
    claim: str
    record: bytes = field(repr=False)


class KeptAnswers:
    """The queues of the users of one account.

    A part is delivered in these steps, each of which is a compare-and-set: the item in the queue is taken by the claim
    of a push; the record of that push becomes a `Done` that carries the part; the part leaves the queue; the record is
    kept no longer than others. For a process that finds an item taken, the record shows which step was the last.

    Args:
        store: The store that has the queues.
        records: The store that has the records of pushes.
        identity: The first part of all keys.
        process: This process.
        clock: Seconds since the epoch.
        report: Called with an error of the store that prevents nothing.
    """

    def __init__(
        self,
        store: AnyStore,
        records: AnyStore,
        identity: str,
        process: Process,
        clock: Callable[[], float],
        report: Callable[[StoreError], None],
    ) -> None:
        self._store = store
        self._records = records
        self._identity = identity
        self._process = process
        self._clock = clock
        self._report = report

    def has(self, openid: str) -> Flow[bool]:
        """Return whether anything is kept for a user, or will be, so that a text is a fetch."""
        _, queue = yield from self._read(openid)
        return bool(queue.items)

    # --- what is put into a queue

    def add_place(self, openid: str, id: str, key: str, until: float) -> Flow[None]:
        """Reserve the place of the answer to a push whose record has the *key*, before the push is acknowledged."""
        yield from self._change(openid, lambda queue: queue.add_place(id, key, until))

    def remove_place(self, openid: str, id: str) -> Flow[None]:
        """Remove a place that is not needed: the answer was given in time, or is lost."""
        yield from self._change(openid, lambda queue: queue.remove_place(id))

    def remove_unneeded_place(self, openid: str, id: str, key: str) -> Flow[None]:
        """Remove a place if the push that it answers has ended, and nothing follows its reply."""
        _, record = yield from self._read_record(key)
        if record is None or (isinstance(record, Done) and not record.slot):
            yield from self.remove_place(openid, id)

    def put(
        self,
        openid: str,
        id: str,
        parts: tuple[str, ...],
        until: float,
        *,
        key: str = "",
        at: int = 0,
        is_open: bool = False,
    ) -> Flow[int]:
        """Keep an answer, or further parts of one that *is_open*; nothing happens if it was put before.

        Args:
            openid: The user.
            id: Identifies the answer.
            parts: Its parts, from number *at* on.
            until: When it expires.
            key: The key of the record of the push that it answers.
            at: How many parts precede *parts*; those that the answer has already are not added again.
            is_open: Whether further parts may follow.

        Returns:
            How many parts were dropped, as the queue is full.
        """
        return (
            yield from self._change(openid, lambda queue: queue.put(id, parts, until, key=key, at=at, is_open=is_open))
        )

    # --- what leaves it

    def deliver(
        self,
        openid: str,
        claimed: Claimed,
        make_done: Callable[[Taken], Done],
        *,
        keep: float,
        must: bool = False,
    ) -> Flow[Done | Undelivered]:
        """Answer a push with the next part.

        Args:
            openid: The user.
            claimed: The claim of the push.
            make_done: Returns the record for the part that was taken.
            keep: Seconds for which the record is kept.
            must: Whether a part is delivered although it is not known yet whether another one follows.

        Returns:
            The record of the push if it has an answer.
        """
        taken = yield from self.take(openid, claimed, must=must)
        if isinstance(taken, Taken):
            return (yield from self.carry(openid, claimed, taken, make_done, keep=keep))
        raw: bytes | None = yield Get(self._records, claimed.key)
        return taken if raw == claimed.record else _find_own(raw, claimed)

    def take(self, openid: str, claimed: Claimed, *, must: bool = False) -> Flow[Taken | Undelivered]:
        """Take the next part."""
        mine = claimed.key, claimed.claim
        for _ in range(_ATTEMPTS):
            raw, queue = yield from self._read(openid)
            if (taken := queue.find_taken(mine)) is not None:
                return taken  # by a step after which the store failed
            if not queue.items:
                return Undelivered.EMPTY
            head = queue.items[0]
            if head.taken is not None:
                new = yield from self._look_at_taker(queue, head, *head.taken)
            elif head.state == "kept" and len(head.parts) > (head.is_open and not must):
                new = queue.take(head, mine)
            else:
                new = yield from self._look_at_push(queue, head)
            if new is None:
                return Undelivered.WAIT
            if (yield from self._replace(openid, raw, new)) and (taken := new.find_taken(mine)) is not None:
                return taken
        raise StoreError("the store refuses to replace the value that it returns")

    def carry(
        self, openid: str, claimed: Claimed, taken: Taken, make_done: Callable[[Taken], Done], *, keep: float
    ) -> Flow[Done | Undelivered]:
        """Answer a push with the part that it has taken; see `deliver`."""
        item = taken.item
        carries = item.id, item.next
        done = attrs.evolve(make_done(taken), carries=carries)
        # As long as the part may be in the queue, the record must be there for those who find it.
        ttl = max(item.until - self._clock(), 0.0) + keep
        found: Done | Undelivered = done
        if not (yield CompareAndSet(self._records, claimed.key, claimed.record, done.dump(), ttl)):
            found = _find_own((yield Get(self._records, claimed.key)), claimed)
        if not isinstance(found, Done) or found.carries != carries:
            yield from self.undo(openid, claimed.claim)
            return found
        try:
            yield from self.settle(openid, *carries)
            yield CompareAndSet(self._records, claimed.key, found.dump(), found.dump(), keep)
        except StoreError as error:
            self._report(error)  # the next fetch will settle it
        return found

    def settle(self, openid: str, id: str, part: int) -> Flow[None]:
        """Remove a part that is in a record."""
        yield from self._change(openid, lambda queue: queue.settle(id, part))

    def undo(self, openid: str, claim: str) -> Flow[None]:
        """Let others deliver the part that a claim has taken, as its record was refused."""
        yield from self._change(openid, lambda queue: queue.release(claim))

    def revoke(self, key: str, raw: bytes, record: Run) -> Flow[bool]:
        """Take the record of a push from a dead process, which then can carry nothing; False if it has changed."""
        free = Free(record.claim, record.slot, record.late, record.kind).dump() if record.slot else None
        revoked: bool = yield CompareAndSet(self._records, key, raw, free, ENTRY_KEPT)
        return revoked

    def _look_at_taker(self, queue: Queue, item: Item, key: str, claim: str) -> Flow[Queue | None]:
        """Return the queue after what the taker of an item has done, or cannot do; None if it may still do it."""
        raw, record = yield from self._read_record(key)
        if isinstance(record, Done) and record.carries == (item.id, item.next):
            return queue.settle(item.id, item.next)
        is_free = isinstance(record, Free)
        if isinstance(record, Run) and not is_free and record.claim == claim and not record.late:
            running = self._process.registry.find(key)
            if (running is not None and running.claim == claim) or not (yield from self._process.is_dead(claim)):
                return None
            if not (yield from self.revoke(key, raw, record)):
                return queue
        return queue.release(claim)

    def _look_at_push(self, queue: Queue, item: Item) -> Flow[Queue | None]:
        """Return the queue after the end of the push that an item answers; None if the push has not ended."""
        if self._process.registry.find(item.key) is not None:
            return None
        _, record = yield from self._read_record(item.key)
        has_ended = record is None or (isinstance(record, Done) and not record.slot)
        if not has_ended and isinstance(record, Run) and not record.slot:  # its user was told nothing
            has_ended = yield from self._process.is_dead(record.claim)
        return queue.close(item) if has_ended else None

    # --- the store

    def _read_record(self, key: str) -> Flow[tuple[bytes, Record | None]]:
        raw: bytes | None = yield Get(self._records, key)
        return raw or b"", None if raw is None else load_record(raw)

    def _name(self, openid: str) -> str:
        return f"{self._identity}:user:{hashlib.sha256(openid.encode('utf-8', 'replace')).hexdigest()}"

    def _read(self, openid: str) -> Flow[tuple[bytes | None, Queue]]:
        """Return the queue of a user, as it is in the store, and read."""
        raw: bytes | None = yield Get(self._store, self._name(openid))
        return raw, load_queue(raw).expire(self._clock())

    def _replace(self, openid: str, raw: bytes | None, queue: Queue) -> Flow[bool]:
        now = self._clock()
        ttl = max([item.until - now for item in queue.items], default=_REMEMBERED_FOR)
        replaced: bool = yield CompareAndSet(self._store, self._name(openid), raw, queue.dump(), max(ttl, 1.0))
        return replaced

    def _change(self, openid: str, change: Callable[[Queue], Queue]) -> Flow[int]:
        """Change the queue of a user; return how many parts were dropped, as it is full."""
        for _ in range(_ATTEMPTS):
            raw, queue = yield from self._read(openid)
            new, dropped = change(queue).fit()
            if new == queue or (yield from self._replace(openid, raw, new)):
                return dropped
        raise StoreError("the store refuses to replace the value that it returns")


def _find_own(raw: bytes | None, claimed: Claimed) -> Done | Undelivered:
    """Return the record if the claim has ended; it may have been answered by a step after which the store failed."""
    record = None if raw is None else load_record(raw)
    return record if isinstance(record, Done) and record.claim == claimed.claim else Undelivered.OVERTAKEN
