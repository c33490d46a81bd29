"""One delivery of a push, from its arrival to its answer; no I/O."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from attrs import field

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Sleep
from wechat_msg._tracebacks import define, frozen
from wechat_msg.answering import acknowledge
from wechat_msg.endpoint.dedup import KEEP, Record, is_unshared, keep_for, load_record, make_unshared_key
from wechat_msg.endpoint.handling import Handled, Handling
from wechat_msg.endpoint.late import AnswerLater, answers_first_try
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.errors import StoreError
from wechat_msg.exchange import Push
from wechat_msg.push import accepts_for
from wechat_msg.replies import Acknowledgement, Reply

__all__ = ["LEASE", "RENEW_EVERY", "PushDelivery", "RunLeased"]

_log = logging.getLogger("wechat_msg")

T = TypeVar("T")

LEASE = 2.5
"""Seconds after which a process that has died no longer keeps others from handling its push."""
RENEW_EVERY = 0.7
"""Seconds between renewals of a lease: two may fail before the lease ends."""
ANSWER_BY = 4.5
"""Seconds after which an answer must be on its way: WeChat hangs up after 5."""
HANG_UP = 5.5
"""Seconds after which WeChat has hung up for certain, on its clock too."""

_ATTEMPTS = 100  # a compare-and-set only fails if another delivery's has succeeded
_ANSWERED = ANSWER_BY + 0.2  # seconds; a store that recovers later is of no use to an answer
_ASK_AGAIN = 0.1  # seconds between two calls of a store that fails
_PAUSES = (0.02, 0.2)  # seconds between two reads of the record: the first pause, and the longest


@frozen
class RunLeased:
    """The step that performs `PushDelivery.work` and renews its lease; its result is None after *seconds*."""

    delivery: PushDelivery
    seconds: float


@define(eq=False, repr=False)
class PushDelivery:
    """One delivery of a push, from its arrival to its answer.

    Of all deliveries of a push one claims the key and runs the handler. The others count themselves, and wait until
    the record of the key holds the reply.

    Attributes:
        handling: The handler, and what belongs to it.
        push: The push.
        arrived: When it arrived, on the clock ``monotonic``.
        options: The options of the endpoint.
        key: The key that all deliveries of the push share.
        store: The store that they share.
        owner: The name of this delivery in the record.
        acknowledgement: The acknowledgement for this kind of push.
        tries: The number of this try.
    """

    handling: Handling
    push: Push
    arrived: float
    options: EndpointOptions[Any, Any] = field(init=False)
    key: str = field(init=False)
    store: AnyStore = field(init=False)
    owner: str = field(init=False)
    acknowledgement: Reply = field(init=False)
    tries: int = field(default=1, init=False)
    _may_be_acknowledged: bool = field(init=False)
    _running: bytes = field(init=False)
    _started: bool = field(default=False, init=False)
    _late: bool = field(default=False, init=False)
    _settled: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.options = self.handling.options
        self.key = self.handling.make_key(self.push.message)
        self.store = self.handling.private_store if self.handling.store is None else self.handling.store
        self.owner = secrets.token_hex(16)
        self.acknowledgement = acknowledge(self.push.message)
        # An acknowledgement means "received", but in virtual payment (虚拟支付) it means "done".
        self._may_be_acknowledged = isinstance(self.acknowledgement, Acknowledgement)
        self._running = Record(self.owner).dump()

    # --- from arrival to answer

    def answer(self) -> Flow[Reply | None]:
        """Return the answer to this delivery; None if it ends with an error, after which WeChat sends the push again.

        Raises:
            Exception: The handler raised it.
        """
        found = yield from self._begin()
        if found is None:
            return None
        pause, longest_pause = _PAUSES
        refused: Record | None = None
        while found.reply is None:
            if found.owner == self.owner and not self._started:
                self._started = True
                reply: Reply | None = yield RunLeased(self, self._left())
                if reply is not None:
                    return reply
            elif found.late and isinstance(self.options.late, AnswerLater):
                return self.acknowledgement
            elif self._left() > 0:
                yield Sleep(min(pause, self._left()))
                pause = min(2 * pause, longest_pause)
            if self._left() <= 0:
                if not self._must_answer():
                    return None
                # A refusal although the record is unchanged: the store does not work, and there is no time to wait.
                if found.late or found == refused or (yield from self._end_without_reply(found)):
                    return self.handling.choose_fallback(self.push.message)
                refused = found
            found = (yield from self._ask_until(self.arrived + _ANSWERED, self._read_record)) or found
        return found.reply

    def _begin(self) -> Flow[Record | None]:
        """Claim the key or read its record; None if the store is down and ``on_store_error`` is "refuse"."""
        try:
            found = yield from self._claim()
        except StoreError as error:
            self.handling.report(error)
            if self.options.on_store_error == "refuse":
                return None
            self.store, self.key = self.handling.private_store, make_unshared_key()
            found = yield from self._claim()
        if found.owner != self.owner and found.reply is None:
            tries = yield from self._ask_until(self.arrived + 0.5, self._count_try)
            self.tries = self.tries + 1 if tries is None else tries
        return found

    def _claim(self) -> Flow[Record]:
        for _ in range(_ATTEMPTS):
            if (yield CompareAndSet(self.store, self.key, None, self._running, LEASE)):
                return Record(self.owner)
            raw: bytes | None = yield Get(self.store, self.key)
            if raw is not None:
                return load_record(raw)  # perhaps our own, if the store did the first step but then failed
        raise StoreError("the store refuses to replace the value that it returns")

    def _read_record(self) -> Flow[Record]:
        """Return the record; a delivery that has seen one never runs the handler only because the store is down."""
        raw: bytes | None = yield Get(self.store, self.key)
        if raw is not None:
            return load_record(raw)
        if self._started:
            return Record(self.owner, late=True)
        return (yield from self._claim())

    def _count_try(self) -> Flow[int]:
        """Return the number of this try."""
        # The number has its own key, because writing to the record would extend the lease.
        key, me = f"{self.key}:tries", self.owner.encode()
        for _ in range(_ATTEMPTS):
            raw: bytes | None = yield Get(self.store, key)
            count, _, counted = (raw or b"1").partition(b" ")
            if not count.isdigit() or len(count) > 3:
                break
            if counted == me:
                return int(count)  # the store counted this try, but then failed
            tries = int(count) + 1
            if (yield CompareAndSet(self.store, key, raw, b"%d %b" % (tries, me), KEEP)):
                return tries
        raise StoreError("the store holds a value that is not a number of tries")

    def _end_without_reply(self, found: Record) -> Flow[bool]:
        """Record that this try ends without the reply; False if the record has changed."""
        if found.owner == self.owner:
            self._late = True
        marked = yield from self._ask_until(self.arrived + _ANSWERED, functools.partial(self._mark_late, found))
        return marked is not False

    def _mark_late(self, found: Record) -> Flow[bool]:
        late = attrs.evolve(found, late=True)
        marked: bool = yield CompareAndSet(self.store, self.key, found.dump(), late.dump(), LEASE)
        return marked

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
        first_try = answers_first_try(self.options.late, shares=not is_unshared(self.key))
        return (first_try or self.tries >= self.options.deliveries) and self._may_be_acknowledged

    def _left(self) -> float:
        limit = ANSWER_BY if self._must_answer() else HANG_UP
        return self.arrived + limit - self.options.monotonic()

    # --- the handler's work

    def work(self) -> Flow[Reply]:
        """Run the handler and save its reply for all deliveries; if it raises, the next delivery may run it again."""
        try:
            handled = yield from self.handling.handle(self.push)
        except GeneratorExit:
            raise  # the flow was closed, and no further step is performed; the lease ends by itself
        except BaseException:
            yield from self._release()
            raise
        if handled.wants_another_try:
            yield from self._release()
            return handled.answer
        late = yield from self._finish(handled)
        if late or handled.only_later:
            yield from self.handling.send_later(self.push.message, handled.reply)
        return handled.answer

    def _finish(self, handled: Handled) -> Flow[bool]:
        """Save the reply; True if the last answer that WeChat waits for has gone out before."""
        self._settled = True  # no renewal is needed while a late reply is being sent
        now = self.options.monotonic()
        # The record may not say so: after a crash, or if the delivery shares nothing, no try knows that it is the last.
        if now > self.arrived + self.options.deliveries * HANG_UP and self._may_be_acknowledged:
            self._late = True
        # If WeChat has hung up, only the record can carry the reply to another try.
        end = now if self._left() > 0 else now + LEASE
        late = yield from self._ask_until(end, functools.partial(self._save_reply, handled))
        return self._late if late is None else late

    def _save_reply(self, handled: Handled) -> Flow[bool]:
        keep = keep_for(self.push.message, accepts_for(self.options.settings, self.push.message))
        expected: bytes | None = self._running
        for _ in range(_ATTEMPTS):
            late = self._late
            # The user gets a late reply as a message, so no further try may carry it.
            reply = Acknowledgement() if late and isinstance(self.options.late, AnswerLater) else handled.answer
            done = Record(self.owner, reply=reply).dump()
            if (yield CompareAndSet(self.store, self.key, expected, done, keep)):
                return late
            expected = yield Get(self.store, self.key)
            found = Record(self.owner) if expected is None else load_record(expected)
            if found.owner != self.owner:
                _log.warning("a handler lost its lease; another one took over its message")
                return self._late
            if found.reply is not None:
                return found.reply != handled.answer  # the store saved the reply, but then failed
            self._late |= found.late
        raise StoreError("the store refuses to replace the value that it returns")

    def _release(self) -> Flow[None]:
        self._settled = True
        try:
            for mine in self._mine():
                if (yield CompareAndSet(self.store, self.key, mine, None)):
                    return
        except StoreError as error:
            self.handling.report(error)

    def renew(self) -> Flow[bool]:
        """Renew the lease; False if there is no lease to renew any more.

        Raises:
            StoreError: The store failed; the next renewal may succeed.
        """
        for mine in self._mine():
            if (yield CompareAndSet(self.store, self.key, mine, mine, LEASE)):
                return True
        mine = Record(self.owner, late=self._late).dump()
        if self._settled or not (yield CompareAndSet(self.store, self.key, None, mine, LEASE)):
            return False
        if self._settled:  # during the step
            yield CompareAndSet(self.store, self.key, mine, None)
        return not self._settled

    def _mine(self) -> tuple[bytes, bytes]:
        """Return the values that the record of this delivery may have while its handler runs."""
        return self._running, Record(self.owner, late=True).dump()
