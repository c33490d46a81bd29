"""One delivery of a push, from its arrival to its answer; no I/O."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any, TypeVar, cast

from attrs import field

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Sleep, Wait
from wechat_msg._tracebacks import define, frozen
from wechat_msg.answering import acknowledge
from wechat_msg.endpoint.dedup import is_unshared, keep_for, make_unshared_key
from wechat_msg.endpoint.handling import Handled, Handling
from wechat_msg.endpoint.lanes import LEASE
from wechat_msg.endpoint.late import AnswerLater, answers_first_try
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.records import NAME, Done, Run, dump_texts, load_record, load_texts
from wechat_msg.endpoint.registry import NO_CLAIM, Running
from wechat_msg.errors import StoreError
from wechat_msg.exchange import Push
from wechat_msg.push import accepts_for
from wechat_msg.replies import Acknowledgement, RenderedReply, Reply

__all__ = ["PushDelivery", "RunWork"]

_log = logging.getLogger("wechat_msg")

T = TypeVar("T")

ANSWER_BY = 4.5
"""Seconds after which an answer must be on its way: WeChat hangs up after 5."""
HANG_UP = 5.5
"""Seconds after which WeChat has hung up for certain, on its clock too."""
RUN_LONGER = 60.0
"""Seconds for which the record of a running handler outlives ``handler_limit``."""
KEEP_TRIES = 60.0
"""Seconds for which the number of tries is kept; they take 15."""

_LONGEST_RUN = 86400.0  # seconds; a store may take no larger number, such as infinity
_ATTEMPTS = 100  # a compare-and-set only fails if another delivery's has succeeded
_ANSWERED = ANSWER_BY + 0.2  # seconds; a store that recovers later is of no use to an answer
_ASK_AGAIN = 0.1  # seconds between two calls of a store that fails
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5  # seconds between two reads of the record


@frozen
class RunWork:
    """The step that performs `PushDelivery.work`; its result is None after *seconds*, or if there is no reply."""

    delivery: PushDelivery
    seconds: float


@define(eq=False, repr=False)
class PushDelivery:
    """One delivery of a push, from its arrival to its answer.

    Of all deliveries of a push one claims the key and runs the handler. The others count themselves, and wait: in the
    process that runs the handler until it has ended, elsewhere until the record of the key holds the reply.

    Attributes:
        handling: The handler, and what belongs to it.
        push: The push.
        arrived: When it arrived, on the clock ``monotonic``.
        options: The options of the endpoint.
        key: The key that all deliveries of the push share.
        store: The store that has the record.
        record_key: The key of the record: *key*, unless this delivery shares nothing.
        name: The name of this delivery in its claims, and among the tries.
        acknowledgement: The acknowledgement for this kind of push.
        tries: The number of this try.
        running: The push while this delivery runs the handler; None if it has claimed nothing.
    """

    handling: Handling
    push: Push
    arrived: float
    options: EndpointOptions[Any, Any] = field(init=False)
    key: str = field(init=False)
    store: AnyStore = field(init=False)
    record_key: str = field(init=False)
    name: str = field(init=False)
    acknowledgement: Reply = field(init=False)
    tries: int = field(default=1, init=False)
    running: Running | None = field(default=None, init=False)
    _is_counted: bool = field(default=False, init=False)
    _may_be_acknowledged: bool = field(init=False)
    _started: bool = field(default=False, init=False)
    _pause: float = field(default=_FIRST_PAUSE, init=False)

    def __attrs_post_init__(self) -> None:
        self.options = self.handling.options
        self.key = self.record_key = self.handling.make_key(self.push.message)
        self.store = self.handling.private_store if self.handling.store is None else self.handling.store
        self.name = secrets.token_hex(NAME // 2)
        self.acknowledgement = acknowledge(self.push.message)
        # An acknowledgement means "received", but in virtual payment (虚拟支付) it means "done".
        self._may_be_acknowledged = isinstance(self.acknowledgement, Acknowledgement)

    # --- from arrival to answer

    def answer(self) -> Flow[Reply | None]:
        """Return the answer to this delivery; None if it ends with an error, after which WeChat sends the push again.

        Raises:
            Exception: The handler raised it.
        """
        found = yield from self._begin()
        if found is None:
            return None
        refused: Run | Running | None = None
        while not isinstance(found, Reply):
            reply = yield from self._wait_for(found)
            if reply is not None:
                return reply
            if self._left() <= 0:
                if not self._must_answer():
                    return None
                # A refusal although the record is unchanged: the store does not work, and there is no time to wait.
                if found.late or found == refused or (yield from self._end_without_reply(found)):
                    return self.handling.choose_fallback(self.push.message)
                refused = found
            found = (yield from self._ask_until(self.arrived + _ANSWERED, self._look_again)) or found
        return found

    def _wait_for(self, found: Run | Running) -> Flow[Reply | None]:
        """Run the handler if this delivery has claimed it, else wait for it; return the answer if there is one."""
        if found is self.running and not self._started:
            self._started = True
            reply: Reply | None = yield RunWork(self, self._left())
            if reply is None and not self._must_answer():
                yield from self._count(found.name, until=_ANSWERED)
            return reply
        if found.late and isinstance(self.options.late, AnswerLater):
            return self.acknowledgement
        left = self._left()
        if left > 0 and isinstance(found, Running) and not found.has_ended:
            reply = yield Wait(self.handling.process.registry.join(found), left)
            return reply
        if left > 0:
            yield Sleep(min(self._pause, left))
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return None

    def _begin(self) -> Flow[Reply | Running | Run | None]:
        """Claim the key or find who did; None if the store is down and ``on_store_error`` is "refuse"."""
        try:
            found = yield from self._look(None)  # most pushes are new
        except StoreError as error:
            self.handling.report(error)
            if self.options.on_store_error == "refuse":
                return None
            self.store, self.record_key = self.handling.private_store, make_unshared_key()
            found = yield from self._look(None)
        if not isinstance(found, Reply) and found is not self.running:
            yield from self._count(found.name, until=0.5)
        return found

    def _look_again(self) -> Flow[Reply | Running | Run]:
        """Read the record, unless the handler runs in this process."""
        running = self.handling.process.find_running(self.key)
        if running is not None:
            return running
        return (yield from self._look((yield Get(self.store, self.record_key))))

    def _look(self, raw: bytes | None) -> Flow[Reply | Running | Run]:
        """Return the reply, or who runs the handler; if there is nobody, claim the key. *raw* is what the store has."""
        for _ in range(_ATTEMPTS):
            if (running := self.handling.process.find_running(self.key)) is not None:
                return running
            record = None if raw is None else load_record(raw)
            if isinstance(record, Done):
                return record.reply
            # A delivery counts itself before it takes over a push, so that another death does not lose the number.
            if record and not (self._is_counted and (yield from self.handling.process.is_dead(record.claim))):
                return record
            if self._started:
                return Run(NO_CLAIM, late=True)  # a delivery runs the handler once
            if (claimed := (yield from self._claim(raw))) is not None:
                return claimed
            raw = yield Get(self.store, self.record_key)
        raise StoreError("the store refuses to replace the value that it returns")

    def _claim(self, raw: bytes | None) -> Flow[Running | None]:
        """Claim the key if the store still has *raw*; None if another delivery was faster."""
        process = self.handling.process
        running = Running(
            self.key, self.name, self.options.monotonic() + self.options.handler_limit, self.store, self.record_key
        )
        if not process.registry.add(running):
            return None
        try:
            running.claim = yield from process.make_claim(self.name, shared=self.record_key == self.key)
            running.record = Run(running.claim).dump()
            claimed: bool = yield CompareAndSet(self.store, self.record_key, raw, running.record, self._run_ttl)
        except BaseException:
            process.give_up(running)  # the store may have done the step before it failed
            raise
        if not claimed:
            process.registry.remove(running)
            return None
        self.running = running
        return running

    @property
    def _run_ttl(self) -> float:
        return min(self.options.handler_limit, _LONGEST_RUN) + RUN_LONGER

    # --- the number of this try

    def _count(self, earlier: str, until: float) -> Flow[None]:
        """Set the number of this try; it is guessed if the store fails until so many seconds after its arrival."""
        if not self._is_counted:
            tries = yield from self._ask_until(self.arrived + until, lambda: self._count_try(earlier))
            self.tries = tries or (1 if self.running else 2)
            self._is_counted = True

    def _count_try(self, earlier: str) -> Flow[int]:
        """Return the number of this try; the delivery *earlier* came before it, and may not have counted itself."""
        identity, _, digest = self.record_key.rpartition("push:")
        key = f"{identity}tries:{digest}"
        for _ in range(_ATTEMPTS):
            raw: bytes | None = yield Get(self.store, key)
            counted = load_texts(raw)
            names = list(dict.fromkeys((*counted, earlier, self.name)))
            if names == counted or (yield CompareAndSet(self.store, key, raw, dump_texts(names), KEEP_TRIES)):
                return names.index(self.name) + 1
        raise StoreError("the store refuses to replace the value that it returns")

    # --- the end of a try without the reply

    def _end_without_reply(self, found: Run | Running) -> Flow[bool]:
        """Record that this try ends without the reply; False if the record has changed."""
        store, key = self.store, self.record_key
        if isinstance(found, Running):
            found.late, store, key = True, found.store, found.record_key
        run, late = Run(found.claim).dump(), Run(found.claim, late=True).dump()

        def mark_late() -> Flow[bool]:
            marked: bool = yield CompareAndSet(store, key, run, late, self._run_ttl)
            return marked

        return (yield from self._ask_until(self.arrived + _ANSWERED, mark_late)) is not False

    def _ask_until(self, end: float, ask: Callable[[], Flow[T]]) -> Flow[T | None]:
        """Ask the store, again and again while it fails; None if it still fails at *end*."""
        while True:
            try:
                return (yield from ask())
            except StoreError as error:
                self.handling.report(error)
            if self.options.monotonic() >= end:
                return None
            yield Sleep(_ASK_AGAIN)

    def _must_answer(self) -> bool:
        """Return whether the user would see an error if WeChat got no answer now."""
        first_try = answers_first_try(self.options.late, shares=not is_unshared(self.record_key))
        return (first_try or self.tries >= self.options.deliveries) and self._may_be_acknowledged

    def _left(self) -> float:
        # A delivery that claimed a free key learns only if it waits whether it is the last.
        may_be_last = self.running is not None and not self._is_counted and self._may_be_acknowledged
        limit = ANSWER_BY if may_be_last or self._must_answer() else HANG_UP
        return round(self.arrived + limit - self.options.monotonic(), 6)  # so that no wait is too short to end

    # --- the handler's work

    def work(self) -> Flow[Reply | None]:
        """Run the handler and save its reply for all deliveries; if it raises, the next delivery may run it again.

        Returns:
            The reply; None if another process has taken over the push.
        """
        running = cast("Running", self.running)
        try:
            handled = yield from self.handling.handle(self.push)
            if handled.wants_another_try:
                yield from self.release()
                return handled.answer
            saved, late = yield from self._save_in_time(running, handled)
        except GeneratorExit:
            raise  # the flow was closed, and no further step is performed
        except BaseException:
            yield from self.release()
            raise
        finally:
            self.abandon()
        if saved is None:
            _log.warning("a handler lost its lease; another one took over its message, so its reply is dropped")
            return None
        if late or handled.only_later:
            yield from self.handling.send_later(self.push.message, handled.reply)
        return saved

    def _save_in_time(self, running: Running, handled: Handled) -> Flow[tuple[Reply | None, bool]]:
        """Save the reply, and wake the deliveries that wait for it in this process; see `_save`."""
        now = self.options.monotonic()
        # The record may not say so: if the store failed, or nothing is shared, no try knows that it is the last.
        if now > self.arrived + self.options.deliveries * HANG_UP and self._may_be_acknowledged:
            running.late = True
        # If WeChat has hung up, only the record can carry the reply to another try.
        end = now if self._left() > 0 else now + LEASE
        saved = yield from self._ask_until(end, lambda: self._save(running, handled))
        if saved is None:
            return self._choose_reply(
                handled, late=running.late
            ), running.late  # it can still go out with this very try
        self.handling.process.registry.remove(running, saved[0])
        return saved

    def _choose_reply(self, handled: Handled, *, late: bool) -> Acknowledgement | RenderedReply:
        # The user gets a late reply as a message, so no further try may carry it.
        return Acknowledgement() if late and isinstance(self.options.late, AnswerLater) else handled.answer

    def _save(self, running: Running, handled: Handled) -> Flow[tuple[Reply | None, bool]]:
        """Save the reply.

        Returns:
            What the record holds now, or None if the push was taken over; and whether the last answer that WeChat waits
            for has gone out before.
        """
        keep = keep_for(self.push.message, accepts_for(self.options.settings, self.push.message))
        expected: bytes | None = running.record
        for _ in range(_ATTEMPTS):
            late = running.late
            reply = self._choose_reply(handled, late=late)
            done = Done(running.claim, reply).dump()
            if (yield CompareAndSet(running.store, running.record_key, expected, done, keep)):
                return reply, late
            expected = yield Get(running.store, running.record_key)
            if expected is None:
                continue  # the store was emptied
            found = load_record(expected)
            if found.claim != running.claim:
                return None, False
            if isinstance(found, Done):  # the store saved the reply, but then failed
                return found.reply, found.reply != handled.answer
            running.late |= found.late
        raise StoreError("the store refuses to replace the value that it returns")

    def release(self) -> Flow[None]:
        """Delete the record, so that the next delivery runs the handler."""
        running = cast("Running", self.running)
        try:
            if not self._is_counted and self._may_be_acknowledged and self.record_key == self.key:
                yield from self._count_try(self.name)  # a delivery that claims a free key cannot know of this one
            for late in (False, True):
                run = Run(running.claim, late).dump()
                if (yield CompareAndSet(running.store, running.record_key, run, None)):
                    break
            self.handling.process.registry.remove(running)
        except StoreError as error:
            self.handling.report(error)

    def abandon(self) -> None:
        """Leave the push to others if its record may still name this delivery."""
        if self.running is not None:
            self.handling.process.give_up(self.running)
