"""Handled once, answered always: what each delivery of a push does from its arrival to its answer; no I/O."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable
from typing import TypeVar

import attrs
from attrs import field

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Sleep
from wechat_msg._tracebacks import define, frozen
from wechat_msg.endpoint.dedup import KEEP, Record, is_lone, load_record, make_lone_key
from wechat_msg.endpoint.late import AnswerLater, FallbackReply
from wechat_msg.errors import StoreError
from wechat_msg.replies import Acknowledgement, ErrCodeReply, RenderedReply, Reply

__all__ = ["LEASE", "RENEW_EVERY", "Delivery", "Handled", "Rules", "Work"]

_log = logging.getLogger("wechat_msg")

T = TypeVar("T")

LEASE = 2.5
"""Seconds after which a process that has died no longer keeps others from handling its message."""
RENEW_EVERY = 0.7
"""Seconds between renewals of a lease: two may fail before it ends."""
ANSWER_BY = 4.5
"""Seconds after which an answer must be on its way: WeChat hangs up at 5."""
HANG_UP = 5.5
"""Seconds after which WeChat has hung up for certain, on its clock, too."""

_ATTEMPTS = 100  # each failure of which is another delivery's success
_ANSWERED = ANSWER_BY + 0.2  # by then a store that fails must have recovered to be of use to an answer
_ASK_AGAIN = 0.1  # seconds after which a store that failed is asked again for what matters
_PAUSES = (0.02, 0.2)  # seconds between two looks at the store: the first, and the longest


@frozen(kw_only=True)
class Rules:
    """What an endpoint was told about tries, slow handlers and stores that are down.

    Attributes:
        deliveries: How often WeChat sends a push in all.
        late: What becomes of an answer that is not there in time.
        refuse: Without its store the endpoint handles nothing; else it handles without deduplication.
        private_store: A store that cannot fail, for a delivery that has nobody to share with.
        report: Told of every error of a store.
        monotonic: Clock for time limits, in seconds.
    """

    deliveries: int
    late: AnswerLater | FallbackReply | None
    refuse: bool
    private_store: AnyStore
    report: Callable[[StoreError], None]
    monotonic: Callable[[], float]


@frozen
class Handled:
    """What came of a handler.

    Attributes:
        answer: What the push is answered with.
        reply: What the handler meant the user to get; the same, but for an account that cannot answer a push with it.
        only_later: The reply can only be sent later.
    """

    answer: Acknowledgement | RenderedReply
    reply: Reply
    only_later: bool = False

    @property
    def wants_another_try(self) -> bool:
        """Whether the answer itself asks WeChat to come again, which the same answer again would not serve."""
        return isinstance(self.reply, ErrCodeReply) and self.reply.err_code != 0


@frozen
class Work:
    """The step that runs `Delivery.work` while its lease is renewed; answered with None if it takes more *seconds*."""

    delivery: Delivery
    seconds: float


@define(eq=False)
class Delivery:
    """One delivery of a push, from its arrival to its answer.

    Of all deliveries of a push one claims its key and runs the handler; the others count themselves, and wait for the
    record of the key to turn from running into done.

    Attributes:
        rules: The endpoint's rules.
        store: The store that all deliveries share.
        key: The key of the push.
        run: The flow that runs the handler.
        send_later: The flow that takes a reply for which it was too late.
        acknowledgement: The acknowledgement that this push wants.
        stopgap: What the last try is answered with if the reply is not there.
        keep: For how many seconds the reply is kept.
        arrived: When it came, on the clock of the rules.
    """

    rules: Rules
    store: AnyStore
    key: str
    run: Callable[[], Flow[Handled]]
    send_later: Callable[[Reply], Flow[None]]
    acknowledgement: Reply
    stopgap: Reply
    keep: float
    arrived: float
    owner: str = field(factory=lambda: secrets.token_hex(16), init=False)
    _running: bytes = field(init=False)
    _tries: int = field(default=1, init=False)
    _started: bool = field(default=False, init=False)
    _late: bool = field(default=False, init=False)
    _settled: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._running = Record(self.owner).dump()

    # --- from arrival to answer

    def answer(self) -> Flow[Reply | None]:
        """Return what this delivery is answered with; None: with an error, upon which WeChat comes again.

        Raises:
            Exception: Whatever the handler raises.
        """
        found = yield from self._begin()
        if found is None:
            return None
        pause, longest_pause = _PAUSES
        refused: Record | None = None
        while found.reply is None:
            if found.owner == self.owner and not self._started:
                self._started = True
                reply: Reply | None = yield Work(self, self._left())
                if reply is not None:
                    return reply
            elif found.late and isinstance(self.rules.late, AnswerLater):
                return self.acknowledgement
            elif self._left() > 0:
                yield Sleep(min(pause, self._left()))
                pause = min(2 * pause, longest_pause)
            if self._left() <= 0:
                if not self._must_answer():
                    return None
                # Refused although it is still the same: not by a store that works, and there is no time to wait.
                if found.late or found == refused or (yield from self._leave(found)):
                    return self.stopgap
                refused = found
            found = (yield from self._insist(self._look, self.arrived + _ANSWERED)) or found
        return found.reply

    def _begin(self) -> Flow[Record | None]:
        """Claim the key or see who has it; None: the store cannot tell, and nothing is to be done without it."""
        try:
            found = yield from self._claim()
        except StoreError as error:
            self.rules.report(error)
            if self.rules.refuse:
                return None
            self.store, self.key = self.rules.private_store, make_lone_key()
            found = yield from self._claim()
        if found.owner != self.owner and found.reply is None:
            self._tries = yield from self._count()
        return found

    def _claim(self) -> Flow[Record]:
        for _ in range(_ATTEMPTS):
            if (yield CompareAndSet(self.store, self.key, None, self._running, LEASE)):
                return Record(self.owner)
            raw: bytes | None = yield Get(self.store, self.key)
            if raw is not None:
                return load_record(raw)  # perhaps our own: a store may do as it was told, and then fail to say so
        raise StoreError("the store contradicts itself")

    def _look(self) -> Flow[Record]:
        """See how things stand; who has seen a handler run never runs it as well because the store is down."""
        raw: bytes | None = yield Get(self.store, self.key)
        if raw is not None:
            return load_record(raw)
        if self._started:
            return Record(self.owner, late=True)
        return (yield from self._claim())

    def _count(self) -> Flow[int]:
        """Return the number of this try, or a guess."""
        tries = yield from self._insist(self._add_try, self.arrived + 0.5)
        return self._tries + 1 if tries is None else tries

    def _add_try(self) -> Flow[int]:
        # It has a key of its own, as writing to the record would prolong the lease.
        key, me = f"{self.key}:tries", self.owner.encode()
        for _ in range(_ATTEMPTS):
            raw: bytes | None = yield Get(self.store, key)
            count, _, counted = (raw or b"1").partition(b" ")
            if not count.isdigit() or len(count) > 3:
                break
            if counted == me:
                return int(count)  # the store did as it was told, and failed to say so
            tries = int(count) + 1
            if (yield CompareAndSet(self.store, key, raw, b"%d %b" % (tries, me), KEEP)):
                return tries
        raise StoreError("the store holds something that is not a number of tries")

    def _leave(self, found: Record) -> Flow[bool]:
        """Put down that this try ends without the reply; False: the record is another one by now."""
        if found.owner == self.owner:
            self._late = True
        left = yield from self._insist(functools.partial(self._mark_late, found), self.arrived + _ANSWERED)
        return left is not False

    def _mark_late(self, found: Record) -> Flow[bool]:
        late = attrs.evolve(found, late=True)
        marked: bool = yield CompareAndSet(self.store, self.key, found.dump(), late.dump(), LEASE)
        return marked

    def _insist(self, ask: Callable[[], Flow[T]], until: float) -> Flow[T | None]:
        """Ask the store, and again while it fails; None: it still did *until* then."""
        while True:
            try:
                return (yield from ask())
            except StoreError as error:
                self.rules.report(error)
            if self.rules.monotonic() >= until:
                return None
            yield Sleep(_ASK_AGAIN)

    @property
    def _may_be_acknowledged(self) -> bool:
        """Whether the acknowledgement does not say that the work is done, as in virtual payment (虚拟支付) it does."""
        return isinstance(self.acknowledgement, Acknowledgement)

    def _must_answer(self) -> bool:
        """Tell whether the user would see an error if WeChat got no answer now."""
        late = self.rules.late
        # No other try learns of the reply of a delivery that is alone.
        at_once = isinstance(late, AnswerLater) and (late.at_once or is_lone(self.key))
        return (at_once or self._tries >= self.rules.deliveries) and self._may_be_acknowledged

    def _left(self) -> float:
        limit = ANSWER_BY if self._must_answer() else HANG_UP
        return self.arrived + limit - self.rules.monotonic()

    # --- the handler's work

    def work(self) -> Flow[Reply]:
        """Run the handler and put its reply down for all deliveries; what it raises frees the key for the next one."""
        try:
            handled = yield from self.run()
        except GeneratorExit:
            raise  # the flow is dropped, and nobody takes its steps; the lease ends by itself
        except BaseException:
            yield from self._release()
            raise
        if handled.wants_another_try:
            yield from self._release()
            return handled.answer
        late = yield from self._finish(handled)
        if late or handled.only_later:
            yield from self.send_later(handled.reply)
        return handled.answer

    def _finish(self, handled: Handled) -> Flow[bool]:
        """Put down what came of the handler; True: the last answer that WeChat waited for has gone out before."""
        self._settled = True  # no renewal is needed while a late reply is being sent
        now = self.rules.monotonic()
        # Nobody may have been told: a try after a crash, or one that is alone, cannot know that it is the last.
        if now > self.arrived + self.rules.deliveries * HANG_UP and self._may_be_acknowledged:
            self._late = True
        # If WeChat has hung up, the record is the only way in which the reply reaches another try.
        until = now if self._left() > 0 else now + LEASE
        late = yield from self._insist(functools.partial(self._put_down, handled), until)
        return self._late if late is None else late

    def _put_down(self, handled: Handled) -> Flow[bool]:
        """Turn the record into done."""
        expected: bytes | None = self._running
        for _ in range(_ATTEMPTS):
            late = self._late
            # What reaches the user another way is not to come a second time.
            reply = Acknowledgement() if late and isinstance(self.rules.late, AnswerLater) else handled.answer
            done = Record(self.owner, reply=reply).dump()
            if (yield CompareAndSet(self.store, self.key, expected, done, self.keep)):
                return late
            expected = yield Get(self.store, self.key)
            found = Record(self.owner) if expected is None else load_record(expected)
            if found.owner != self.owner:
                _log.warning("a handler stood still for so long that another one has taken its message over")
                return self._late
            if found.reply is not None:
                return found.reply != handled.answer  # put down before, by a store that failed to say so
            self._late |= found.late
        raise StoreError("the store contradicts itself")

    def _release(self) -> Flow[None]:
        self._settled = True
        try:
            for mine in self._mine():
                if (yield CompareAndSet(self.store, self.key, mine, None)):
                    return
        except StoreError as error:
            self.rules.report(error)

    def renew(self) -> Flow[bool]:
        """Renew the lease; False: there is nothing to renew any more.

        Raises:
            StoreError: Perhaps next time.
        """
        for mine in self._mine():
            if (yield CompareAndSet(self.store, self.key, mine, mine, LEASE)):
                return True
        mine = Record(self.owner, late=self._late).dump()
        if self._settled or not (yield CompareAndSet(self.store, self.key, None, mine, LEASE)):
            return False
        if self._settled:  # in between
            yield CompareAndSet(self.store, self.key, mine, None)
        return not self._settled

    def _mine(self) -> tuple[bytes, bytes]:
        return self._running, Record(self.owner, late=True).dump()
