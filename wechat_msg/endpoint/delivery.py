"""One delivery of a push, from its arrival to its answer; no I/O."""

from __future__ import annotations

import functools
import logging
import secrets
from typing import Any, cast

import attrs

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Sleep, Wait
from wechat_msg._tracebacks import define
from wechat_msg.endpoint.dedup import is_unshared, keep_for, make_unshared_key
from wechat_msg.endpoint.handback import compute_run_ttl
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import ENTRY_KEPT, Inbox
from wechat_msg.endpoint.jobs import enqueue
from wechat_msg.endpoint.kept import Claimed, KeptAnswers, Taken, Undelivered
from wechat_msg.endpoint.late import is_first_try_enough
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.records import Done, Free, InboxEntry, Run, load_record
from wechat_msg.endpoint.registry import NO_CLAIM, Running, make_item
from wechat_msg.endpoint.sending import add_place
from wechat_msg.endpoint.tries import count_try
from wechat_msg.endpoint.work import HANG_UP, Work
from wechat_msg.errors import StoreError
from wechat_msg.events._kinds import get_kind
from wechat_msg.exchange import Push
from wechat_msg.replies import Reply

__all__ = ["LoneDelivery", "PushDelivery", "RunWork"]

_log = logging.getLogger("wechat_msg")

ANSWER_BY = 4.5
"""Seconds after which an answer must be on its way: WeChat hangs up after 5."""
KEEP_BY = 3.5
"""Seconds after which the push is put into the inbox if this try may be acknowledged."""

_ATTEMPTS = 100  # a compare-and-set only fails if another delivery's has succeeded
_ANSWERED = ANSWER_BY + 0.2  # seconds; a store that recovers later is of no use to an answer
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5  # seconds between two reads of the record
_SHORTEST_WAIT = 1e-6  # seconds; clocks are not exact enough for a shorter one to end
_REQUEUE_AFTER = 60.0  # seconds after which a job that nobody has begun is enqueued again

_GONE = Run(NO_CLAIM)  # stands for the record of a handler that this delivery has run, and that ended without a reply
_NO_ROOM = Free(NO_CLAIM)  # stands for the record of a push that is not claimed, as max_running handlers run


class _NotEnqueued(StoreError):
    """A push was not given to the job queue, and WeChat has to send it again."""


@define
class RunWork:
    """The step that performs the work of a delivery, or goes on waiting for it.

    Its result is None after *seconds*, or if there is no reply.
    """

    delivery: PushDelivery | LoneDelivery
    seconds: float


class PushDelivery:
    """One delivery of a push, from its arrival to its answer.

    Of all deliveries of a push one claims the key and runs the handler. The others count themselves, and wait: in the
    process that runs the handler until it has ended, elsewhere until the record of the key holds the reply.

    Attributes:
        handling: The handler, and what belongs to it.
        push: The push.
        arrived: When it arrived, on the clock ``monotonic``; earlier for a kind for which WeChat waits less.
        options: The options of the endpoint.
        key: The key that all deliveries of the push share.
        store: The store that has the record.
        record_key: The key of the record: *key*, unless this delivery shares nothing.
        name: The name of this delivery in its claims, and among the tries.
        tries: The number of this try.
        work: The handler's work if this delivery runs it; None if it has claimed nothing.
        started: The running work, as the driver knows it.
        is_over: Whether the work has ended.
    """

    # The values of a class, as most deliveries never set their own.
    tries: int = 1
    work: Work | None = None
    started: Any = None
    is_over: bool = False
    _is_counted: bool = False
    _unclaimed: bytes | None = None  # the record that `_NO_ROOM` stands for
    _is_queued: bool = False
    _fetch: Running | None = None  # this push, if it gets an answer that was kept
    _is_fetch: bool = False  # whether it does, here or in another process
    _has_place: bool = False  # whether the user's next texts wait for the answer
    _kept: tuple[str, InboxEntry] | None = None
    _has_tried_to_keep: bool = False
    _is_too_large: bool = False
    _pause: float = _FIRST_PAUSE

    def __init__(self, handling: Handling, push: Push, arrived: float) -> None:
        self.handling = handling
        self.push = push
        self.arrived = arrived
        self.options: EndpointOptions[Any, Any] = handling.options
        self.key: str = handling.make_key(push.message)
        self.record_key: str = self.key
        self.store: AnyStore = handling.private_store if handling.store is None else handling.store
        self.name: str = handling.process.make_name()
        self._may_be_acknowledged: bool = get_kind(push.message).may_be_acknowledged

    @property
    def is_first(self) -> bool:
        """Whether this delivery runs the handler, and found no other one."""
        return self.work is not None and self.work.is_first and self.tries == 1

    # --- from arrival to answer

    def answer(self) -> Flow[Reply | None]:
        """Return the answer to this delivery; None if it ends with an error, after which WeChat sends the push again.

        Raises:
            Exception: The handler raised it.
        """
        try:
            reply = yield from self._answer()
            if self._fetch is not None and reply is None:
                yield from self._leave_fetch()
        except Exception:
            yield from self._take_back()
            raise
        finally:
            if self._fetch is not None:
                self.handling.process.give_up(self._fetch)
            if self.handling.process.waiting:
                self.handling.process.waiting.pop(self.name, None)
        if self._kept is not None or self._has_place:
            yield from self._take_back()
        return reply

    def _answer(self) -> Flow[Reply | None]:
        found = yield from self._begin()
        if found is None:
            return None
        refused: list[Run | Running] = []
        while not isinstance(found, Reply):
            if found is _NO_ROOM and not self.handling.is_async:
                return (yield from self._refuse())
            self._is_fetch = found.kind == "fetch"
            reply = yield from self._wait_for(found)
            if reply is not None:
                return reply
            if self._left() <= 0 and not self._must_answer():
                yield from self._count(found, until=_ANSWERED)
            if self._may_keep() and self._left() <= 0:
                yield from self._keep(found)
            elif self._left() <= 0:
                if not self._must_answer() or (yield from self._should_be_sent_again(found)):
                    return None
                ended = found.late or (yield from self._end_without_reply(found, is_refused=found in refused))
                if ended is not False:
                    return self._choose_fallback() if ended else None
                refused.append(found)
            running = self.handling.process.find_running(self.key)
            # If it has been refused, the record has another claim than this process, unless only this has the reply.
            is_refused = running is not None and running.given is None and any(each is running for each in refused)
            look = self._read if is_refused else functools.partial(self._look_again, found)
            found = (yield from self.handling.ask_until(self.arrived + _ANSWERED, look)) or found
        return found

    def _wait_for(self, found: Run | Running) -> Flow[Reply | None]:
        """Run the handler if this delivery has claimed it, else wait for it; return the answer if there is one."""
        if isinstance(found, Running) and found.known_reply is not None:
            return found.known_reply
        reply: Reply | None = None
        if self.work is not None and found is self.work.running and not self.is_over:
            reply = yield RunWork(self, self._left())
            return reply
        if self._fetch is not None and found is self._fetch:
            return (yield from self._deliver_kept(self._fetch))
        if found.late and self.handling.answers.go_out_later:
            self._has_acknowledged(found.slot)
            return self._choose_fallback()
        left = self._left()
        if isinstance(found, Running) and found.has_ended and found.reply is not None:
            return found.reply
        if left > 0 and isinstance(found, Running) and not found.has_ended:
            reply = yield Wait(self.handling.process.registry.join(found), left)
        elif left > 0:
            yield Sleep(min(self._pause, left))
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return reply

    def _refuse(self) -> Flow[Reply | None]:
        """End a delivery for which no thread may wait; the last one is answered, and its push is kept if it can be."""
        if self.tries < self.options.deliveries or not self._may_be_acknowledged:
            return None
        if self._keeps():
            yield from self._keep(_NO_ROOM)
        if (self._keeps() and self._kept is None) or not (yield from self._end_without_reply(_NO_ROOM)):
            return None
        return self._choose_fallback()

    def _choose_fallback(self) -> Reply:
        return self.handling.answers.choose_fallback(self.push.message, is_fetch=self._is_fetch)

    def _begin(self) -> Flow[Reply | Running | Run | None]:
        """Claim the key or find who did; None if WeChat has to send the push again."""
        try:
            found = yield from self._look(None)  # most pushes are new
            if found is _NO_ROOM:
                found = yield from self._look_again()  # another process may handle it
        except StoreError as error:
            if not isinstance(error, _NotEnqueued):  # that is logged already
                self.handling.report(error)
            if self.options.on_store_error == "refuse" or self.options.queue is not None:
                return None
            self.store, self.record_key = self.handling.private_store, make_unshared_key()
            found = yield from self._look(None)
            if found is _NO_ROOM:
                return None  # it can neither be handled nor kept
        if (
            found is not None
            and not isinstance(found, Reply)
            and not ((self.work and found is self.work.running) or found is self._fetch or self._is_queued)
        ):
            yield from self._count(found, until=0.5)
        return found

    def _look_again(self, found: Run | Running | None = None) -> Flow[Reply | Running | Run | None]:
        """Read the record, unless the handler runs in this process, or *found* is that it is not the turn of a push."""
        running, waiting = self._find_running(), self.handling.process.waiting
        if running is None and self.work is not None and self.work.running.reply is not None:
            return self.work.running.reply  # the record does not have it if the store failed
        if running is None and found is _NO_ROOM and self._left() > 0:
            waiting[self.name] = None
            if not self.handling.has_room(self.name):
                return found  # thousands may wait, so only the next ones ask the store
        new = running or (yield from self._look((yield Get(self.store, self.record_key))))
        if waiting and new is not _NO_ROOM:
            waiting.pop(self.name, None)
        return new

    def _find_running(self) -> Running | None:
        """Return the push if its handler runs here, and was not handed back."""
        running = self.handling.process.find_running(self.key)
        return None if running is None or (running.has_ended and running.reply is None) else running

    def _read(self) -> Flow[Reply | Run | None]:
        """Read the record, which does not have the claim of what runs in this process: not yet, or no longer."""
        raw: bytes | None = yield Get(self.store, self.record_key)
        record = None if raw is None else load_record(raw)
        return record.reply if isinstance(record, Done) else record

    def _look(self, raw: bytes | None) -> Flow[Reply | Running | Run | None]:
        """Return the reply, or who runs the handler; if there is nobody, claim the key. *raw* is what the store has."""
        for _ in range(_ATTEMPTS):
            if (running := self._find_running()) is not None:
                return running
            record = None if raw is None else load_record(raw)
            if isinstance(record, Done):
                return record.reply
            # A delivery counts itself before it takes over a push, so that another death does not lose the number.
            # What is in the inbox is taken over by those who look after it.
            if record and (record.slot or not (self._is_counted and (yield from self._is_dead(record)))):
                return record
            if self.work is not None or self._is_queued or self.handling.process.registry.find(self.key) is not None:
                return _GONE  # a delivery runs the handler once, and a process never twice at once
            is_fetch = self.handling.kept is not None and (yield from self._may_be_fetch(self.handling.kept))
            if not is_fetch and self.options.queue is None and not self.handling.has_room(self.name):
                self._unclaimed = raw
                return _NO_ROOM
            is_mine = is_fetch or self.options.queue is None
            mine = yield from (self._claim(raw, is_fetch=is_fetch) if is_mine else self._enqueue(raw))
            if mine is not None:
                return mine
            raw = yield Get(self.store, self.record_key)
        raise StoreError("the store refuses to replace the value that it returns")

    def _is_dead(self, record: Run) -> Flow[bool]:
        return (yield from self.handling.process.is_dead(record.claim))

    def _may_be_fetch(self, kept: KeptAnswers) -> Flow[bool]:
        """Return whether the push gets an answer that was kept; other pushes are handled."""
        message = self.push.message
        if self.record_key != self.key or not self.handling.answers.may_fetch(message):
            return False
        return (yield from kept.has(message.from_user_name))

    def _claim(self, raw: bytes | None, *, is_fetch: bool) -> Flow[Running | None]:
        """Claim the key if the store still has *raw*; None if another delivery was faster."""
        process, now, options = self.handling.process, self.options.monotonic(), self.options
        running = Running(self.key, self.push, self.name, now, self.store, self.record_key)
        running.kind = "fetch" if is_fetch else "question"
        if not process.registry.add(running):
            return None
        try:
            running.claim = yield from process.make_claim(self.name, shared=self.record_key == self.key)
            running.began = options.monotonic()  # by now there is a lane
            running.record = Run(running.claim, kind=running.kind).dump()
            ttl = compute_run_ttl(self.handling)
            claimed: bool = yield CompareAndSet(self.store, self.record_key, raw, running.record, ttl)
        except BaseException:
            process.give_up(running)  # the store may have done the step before it failed
            raise
        if not claimed:
            process.registry.remove(running)
            return None
        if is_fetch:
            self._fetch = running
            return running
        last_try_ends = self.arrived + options.deliveries * HANG_UP
        self.work = Work(
            self.handling,
            running,
            try_ends=self.arrived + HANG_UP,
            last_try_ends=last_try_ends,
            is_first=raw is None,
            answers_try=True,
        )
        return running

    # --- an answer that was kept

    def _deliver_kept(self, fetch: Running) -> Flow[Reply | None]:
        """Return the next part of what is kept; None if it is not known yet, or the push is no longer a fetch."""
        openid, kept = self.push.message.from_user_name, cast("KeptAnswers", self.handling.kept)
        claimed, must = Claimed(fetch.key, fetch.claim, fetch.record), self._left() <= 0 and self._must_answer()
        found = yield from self.handling.ask_until(
            self.arrived + _ANSWERED,
            lambda: kept.deliver(openid, claimed, self._make_done, keep=keep_for(self.push.message), must=must),
        )
        if isinstance(found, Done):
            self._fetch = None
            self.handling.process.registry.remove(fetch, found.reply)
            return found.reply
        if found is Undelivered.WAIT and (left := self._left()) > 0:
            yield Sleep(min(self._pause, left))
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            if self._left() <= 0 and self._must_answer():  # a part that is there need not wait for the next one
                return (yield from self._deliver_kept(fetch))
        elif found is Undelivered.EMPTY or found is Undelivered.OVERTAKEN:
            yield from self._leave_fetch()
        return None

    def _make_done(self, taken: Taken) -> Done:
        reply = self.handling.answers.write_kept(self.push, taken.part, is_last=taken.is_last)
        return Done(cast("Running", self._fetch).claim, reply)

    def _leave_fetch(self) -> Flow[None]:
        """Forget the claim, so that the next look at the push makes another: it may have to be handled."""
        fetch, self._fetch = cast("Running", self._fetch), None
        try:
            if not self._is_counted:
                yield from self._count(fetch, until=_ANSWERED)
            yield CompareAndSet(fetch.store, fetch.record_key, fetch.record, None)
            self.handling.process.registry.remove(fetch)
        except StoreError as error:
            self.handling.report(error)
        finally:
            self.handling.process.give_up(fetch)

    def _enqueue(self, raw: bytes | None) -> Flow[Run | None]:
        """Put the push into the inbox and enqueue it; None if another delivery was faster.

        Raises:
            _NotEnqueued: The push is too large, or ``queue`` raised an error.
            StoreError: The store failed.
        """
        inbox, claim = self._inbox, self._make_free_claim()
        entry = inbox.make_entry(self.push, self.key, claim, attempt=0, due_after=_REQUEUE_AFTER)
        if entry is None:
            raise _NotEnqueued
        slot = yield from inbox.put(entry)
        free = Free(claim, slot)
        if not (yield CompareAndSet(self.store, self.key, raw, free.dump(), ENTRY_KEPT)):
            yield from inbox.replace(slot, entry.dump(), None)
            return None
        self._is_queued = True
        if not (yield from enqueue(self.handling, self.key, slot)):
            yield CompareAndSet(self.store, self.key, free.dump(), None)
            yield from inbox.replace(slot, entry.dump(), None)
            raise _NotEnqueued
        return free

    def _make_free_claim(self) -> str:
        """Return a claim of no process, with the name of this delivery."""
        return f"..{self.name}{secrets.token_hex(4)}"

    # --- the number of this try

    def _count(self, found: Run | Running, until: float) -> Flow[None]:
        """Set the number of this try; it is guessed if the store fails until so many seconds after its arrival."""
        if not self._is_counted:
            tries = yield from self.handling.ask_until(
                self.arrived + until, lambda: count_try(self.store, self.record_key, found.name, self.name)
            )
            self.tries = tries or self._guess(found)
            self._is_counted = True

    def _guess(self, found: Run | Running) -> int:
        if not isinstance(found, Running):
            return 1 if self.work else 2
        found.tries.update((found.name, self.name))
        return len(found.tries)

    # --- the end of a try without the reply

    @property
    def _inbox(self) -> Inbox:
        return cast("Inbox", self.handling.inbox)

    def _should_keep(self) -> bool:
        """Return whether a push is put into the inbox before it is acknowledged."""
        policy = self.handling.answers.go_out_later and self._may_be_acknowledged
        return policy and self.handling.is_kept and not self._is_fetch

    def _keeps(self) -> bool:
        """Return whether this delivery can do so: it shares its record."""
        return self._should_keep() and self.record_key == self.key

    def _needs_place(self) -> bool:
        """Return whether the user's next texts have to wait for the answer."""
        shares = self.record_key == self.key and bool(self.push.message.from_user_name)
        return self.handling.answers.are_kept and shares and self._may_be_acknowledged and not self._is_fetch

    def _may_keep(self) -> bool:
        return not self._has_tried_to_keep and (self._keeps() or self._needs_place()) and self._must_answer()

    def _keep(self, found: Run | Running) -> Flow[None]:
        """Put the push into the inbox, and reserve the place of its answer, before it is acknowledged."""
        self._has_tried_to_keep = True
        if found.late:
            return
        if self._keeps() and not found.slot:
            yield from self._put_into_inbox(found)
        is_safe = bool(found.slot or self._kept) or not self.handling.is_kept
        if is_safe and self._needs_place():  # else nobody would fill the place after a death
            self._has_place = True
            ask = functools.partial(add_place, self.handling, self.push.message, self.key)
            yield from self.handling.ask_until(self.arrived + ANSWER_BY, ask)

    def _put_into_inbox(self, found: Run | Running) -> Flow[None]:
        claim = self._make_free_claim() if _is_absent(found) else found.claim
        attempt, age = int(found is not _NO_ROOM), self.options.monotonic() - self.arrived
        entry = self._inbox.make_entry(self.push, self.key, claim, attempt=attempt, age=age)
        if entry is None:
            self._is_too_large = True
            return
        slot = yield from self.handling.ask_until(self.arrived + ANSWER_BY, lambda: self._inbox.put(entry))
        self._kept = (slot, entry) if slot else None

    def _take_back(self) -> Flow[None]:
        """Delete the entry and the place that were not needed, as the answer was ready in time."""
        try:
            if self._kept is not None:
                (slot, entry), self._kept = self._kept, None
                yield from self._inbox.take_back(slot, entry)
            if self._has_place:
                self._has_place, kept = False, cast("KeptAnswers", self.handling.kept)
                openid = self.push.message.from_user_name
                yield from kept.remove_unneeded_place(openid, make_item(self.key), self.key)
        except StoreError as error:
            self.handling.report(error)

    def _has_acknowledged(self, slot: str) -> None:
        """Leave the entry of this delivery in the inbox if the record has its *slot*."""
        self._has_place = False
        if self._kept is not None and self._kept[0] == slot:
            self._kept = None

    def _should_be_sent_again(self, found: Run | Running, *, marked: bool = True) -> Flow[bool]:
        """Return whether the push is not acknowledged, as it is not in the inbox, and WeChat sends it again."""
        is_kept = found.slot or found.late or self._kept is not None or self._is_too_large
        if not self._should_keep() or (is_kept and marked):
            return False
        if self._keeps():
            yield from self._count(found, until=_ANSWERED)
            if self.tries < self.options.deliveries:
                return True
        _log.warning("a %s was acknowledged, but is not kept in the inbox", type(self.push.message).__name__)
        return False

    def _end_without_reply(self, found: Run | Running, *, is_refused: bool = False) -> Flow[bool | None]:
        """Record that this try ends without the reply; False if the record has changed, None if WeChat tries again.

        If it *is_refused* although the record is unchanged, the store does not work, and there is no time to wait.
        """
        slot, before, after = self._mark_fetch(found) if self._is_fetch else self._mark(found)
        if after is None:
            if found is _NO_ROOM:
                yield from self.handling.report_lost(self.push.message, "overload")
            return True
        ttl, end = compute_run_ttl(self.handling, slot), self.arrived + _ANSWERED
        write = functools.partial(self._write_mark, found, before, after, ttl)
        marked = None if is_refused else (yield from self.handling.ask_until(end, write))
        if marked is False:
            return False
        if marked is None and (yield from self._should_be_sent_again(found, marked=False)):
            return None
        if isinstance(found, Running) and found.given is not None:  # only this process has its reply
            if marked:
                self._has_acknowledged(slot)  # the record has the entry, and its owner deletes it
            return False
        self._has_acknowledged(slot)
        if isinstance(found, Running) and not self._is_fetch:
            found.late = True
            if marked:
                found.slot, found.record = slot, after
        return True

    def _write_mark(self, found: Run | Running, before: bytes | None, after: bytes, ttl: float) -> Flow[bool]:
        """Replace the record; False if it is another one by now."""
        store, key = (found.store, found.record_key) if isinstance(found, Running) else (self.store, self.record_key)
        if (yield CompareAndSet(store, key, before, after, ttl)):
            return True
        raw: bytes | None = yield Get(store, key)
        if raw is None and self._find_running() is found:  # it is not claimed yet, or the store was emptied
            written: bool = yield CompareAndSet(store, key, None, after, ttl)
            return written
        return raw == after  # by a step after which the store failed

    def _mark_fetch(self, found: Run | Running) -> tuple[str, bytes, bytes]:
        """Return the record of a fetch, and the one that says that nothing could be fetched."""
        before = found.record if isinstance(found, Running) else found.dump()
        return "", before, Done(found.claim, self.handling.answers.write_fallback(self.push, is_fetch=True)).dump()

    def _mark(self, found: Run | Running) -> tuple[str, bytes | None, bytes | None]:
        """Return the slot, the record that is expected, and the one that says that the push was answered."""
        slot = found.slot or (self._kept[0] if self._kept else "")
        if isinstance(found, Running):
            run = Run(found.claim, found.slot, found.late)
            return slot, run.dump(), Run(found.claim, slot, late=True).dump()
        if _is_absent(found):
            before = self._unclaimed if found is _NO_ROOM else None
            return slot, before, Free(self._make_free_claim(), slot, late=True).dump() if slot else None
        return slot, found.dump(), attrs.evolve(found, slot=slot, late=True).dump()

    def _must_answer(self) -> bool:
        """Return whether the user would see an error if WeChat got no answer now."""
        first_try = is_first_try_enough(self.options.late, shares=not is_unshared(self.record_key))
        return (first_try or self.tries >= self.options.deliveries) and self._may_be_acknowledged

    def _answers_at_once(self) -> bool:
        return self.options.late is not None and self.options.late.after == "at_once"

    def _left(self) -> float:
        """Return the seconds until there is something to do."""
        # A delivery that claimed a free key learns only if it waits whether it is the last.
        is_mine = self.work is not None or self._fetch is not None or self._is_queued
        may_be_last = is_mine and not self._is_counted and self._may_be_acknowledged
        if not (may_be_last or self._must_answer()):
            limit = HANG_UP
        elif self._answers_at_once() and self._must_answer() and not self._is_fetch:
            limit = 0.0
        else:
            limit = KEEP_BY if self._may_keep() else ANSWER_BY
        left = self.arrived + limit - self.options.monotonic()
        return left if left > _SHORTEST_WAIT else min(left, 0.0)


class LoneDelivery:
    """A delivery of a push that shares nothing with others, so that no record of it is needed: its own work, too.

    Args:
        handling: The handler, and what belongs to it.
        push: The push.
        arrived: When it arrived, on the clock ``monotonic``.
    """

    is_first = True
    is_over = False
    started: Any = None

    def __init__(self, handling: Handling, push: Push, arrived: float) -> None:
        self.handling = handling
        self.push = push
        self.arrived = arrived

    @property
    def work(self) -> LoneDelivery:
        """What the driver runs."""
        return self

    def answer(self) -> Flow[Reply | None]:
        """Return the answer; None if it is not ready before WeChat hangs up, which only an event loop can know."""
        if not self.handling.is_async:
            return (yield from self.run())
        reply: Reply | None = yield RunWork(self, self.arrived + HANG_UP - self.handling.options.monotonic())
        return reply

    def run(self) -> Flow[Reply | None]:
        """Call the handler, and return its answer."""
        handling, registry = self.handling, self.handling.process.registry
        registry.add_lone(self)
        try:
            handled = yield from handling.handle(self.push)
        finally:
            registry.remove_lone(self)
        is_late = handling.options.monotonic() > self.arrived + handling.options.deliveries * HANG_UP
        if is_late and handled.replies and not get_kind(self.push.message).resent_for:
            yield from handling.report_lost(self.push.message, "late")
        return handled.answer

    def abandon(self) -> None:
        """Do nothing: no record names this process."""


def _is_absent(found: Run | Running) -> bool:
    return found is _NO_ROOM or found is _GONE
