"""The work of the owner of a push: it runs the handler, and gets the answer to the user; no I/O."""

from __future__ import annotations

from typing import TypeVar

from attrs import field

from wechat_msg._flow import CompareAndSet, Flow, Sleep
from wechat_msg._handlers import CANCELLED
from wechat_msg._tracebacks import define, frozen
from wechat_msg.endpoint.answers import Handled
from wechat_msg.endpoint.handback import record_given
from wechat_msg.endpoint.inbox import ENTRY_KEPT
from wechat_msg.endpoint.line import leave_line, wait_for_turn
from wechat_msg.endpoint.owned import WHILE_IT_FAILS, Gone, Overtaken, OwnedPush
from wechat_msg.endpoint.records import Done, Run, load_record
from wechat_msg.endpoint.registry import Running
from wechat_msg.endpoint.sending import (
    add_place,
    answer_late,
    report_unsent,
    send_or_keep,
    send_parts,
    send_stream,
    send_stream_at_once,
)
from wechat_msg.errors import ConversationBusy, StoreError
from wechat_msg.events._kinds import get_kind
from wechat_msg.replies import Acknowledgement, RenderedReply, Reply

__all__ = ["HANG_UP", "Rest", "StartWork", "Work"]

T = TypeVar("T")

HANG_UP = 5.5
"""Seconds after which WeChat has hung up for certain, on its clock too."""

_ATTEMPTS = 100  # a compare-and-set only fails if another delivery's has succeeded
_WHILE_BUSY = 0.5  # seconds until a handler that found its user's conversation busy is called again
_WITHOUT_A_TRY = 2.5  # seconds for which a store that fails is asked to save a reply that no try waits for


@frozen
class StartWork:
    """The step that starts a work where handlers run, and does not wait for it."""

    work: Work | Rest


@define
class _Saved:
    """What stands in the record: a reply, or None if the push is late and its answer goes through the inbox."""

    reply: Acknowledgement | RenderedReply | None
    late: bool


@define(eq=False, repr=False, kw_only=True)
class Work(OwnedPush):
    """The work of the owner of one push.

    Attributes:
        try_ends: When WeChat has hung up on the try that runs the handler, on the clock ``monotonic``.
        last_try_ends: When it has hung up on the last try.
        answers_try: Whether a try waits for it, and nobody waits for what follows the reply.
    """

    try_ends: float
    last_try_ends: float
    answers_try: bool = False
    _is_continued: bool = field(default=False, init=False)

    def run(self) -> Flow[Reply | None]:
        """Run the handler, and save or send its answer; if it raises, the push can be handled again.

        Returns:
            The reply; None if another process has taken over the push.

        Raises:
            Exception: The handler raised it.
        """
        waited = self.handling.options.monotonic() - self.running.began
        if self.running.name and waited > HANG_UP:
            self.handling.warn_of_starvation(waited)
        reply = yield from self.guard(self._run_in_turn() if self.handling.options.ordered else self._run())
        if not self._is_continued:
            yield from self.leave_line()
        return reply

    def leave_line(self) -> Flow[None]:
        """Let the next push of the user be handled."""
        if self.handling.options.ordered:
            yield from leave_line(self.handling, self.running)

    def _run_in_turn(self) -> Flow[Reply | None]:
        yield from wait_for_turn(self.handling, self.running)
        return (yield from self._run())

    def guard(self, flow: Flow[T]) -> Flow[T | None]:
        """Perform a part of the work; if it fails, others can handle the push again."""
        process = self.handling.process
        try:
            return (yield from flow)
        except GeneratorExit:
            raise  # the flow was closed, and no further step is performed
        except Gone:
            process.registry.remove(self.running)
            yield from self.handling.report_lost(self.running.push.message, "gone")
        except Overtaken:
            if not self.running.has_ended:  # it was not handed back, which is logged already
                self.handling.warn_of_lost_claim()
            process.registry.remove(self.running)
        except BaseException as error:
            yield from self.leave(failed=not isinstance(error, (*CANCELLED, KeyboardInterrupt)))
            raise
        finally:
            self.abandon()
        return None

    def abandon(self) -> None:
        """Leave the push to others if its record may still name this process, and no `Rest` goes on."""
        if not self._is_continued:
            self.handling.process.give_up(self.running)

    # --- the handler

    def _run(self) -> Flow[Reply | None]:
        running = self.running
        if running.has_ended:
            return None  # it waited for a thread or its turn, and was handed back meanwhile
        running.ends = self.handling.process.monotonic() + self.handling.options.handler_limit
        if self.entry is not None and self.entry.state == "answered":
            yield from send_parts(self)
            return Acknowledgement()
        handled = yield from self._handle()
        may_be_refused = get_kind(running.push.message).may_be_refused
        if handled.wants_another_try and may_be_refused and not running.late:
            yield from self._delete()
            return handled.answer
        return (yield from self._finish(handled))

    def _handle(self) -> Flow[Handled]:
        """Call the handler; if it finds the user's conversation busy, and WeChat sends nothing again, call it again."""
        while True:
            try:
                return (yield from self.handling.handle(self.running.push))
            except ConversationBusy:
                if not (yield from self._may_call_again()):
                    raise

    def _may_call_again(self) -> Flow[bool]:
        """Wait, and return True; False, at once, if WeChat sends the push again, or the handler's time is over.

        Raises:
            Overtaken: Another process has the push, or it was handed back.
        """
        running = self.running
        yield from self._check_claim()  # another process may have acknowledged the push
        is_left_to_us = running.late or running.slot or self.handling.answers.go_out_later
        if not is_left_to_us or self.handling.process.monotonic() >= running.ends:
            return False
        yield Sleep(_WHILE_BUSY)
        yield from self._check_claim()
        return True

    def _check_claim(self) -> Flow[None]:
        if not self.running.is_fenced_by_entry:
            yield from self.ask(self.read_record)

    def _finish(self, handled: Handled) -> Flow[Reply | None]:
        """Save or send the answer."""
        running, process = self.running, self.handling.process
        saved = yield from self._save_or_decide(handled)
        yield from self._report_late_document(handled)
        if saved.reply is None:
            yield from answer_late(self, handled)
            return Acknowledgement()
        if handled.continues and not saved.late and self.answers_try:
            self._is_continued = True
            process.registry.end(running, saved.reply)
            yield StartWork(Rest(self, self._complete_and_end(saved, handled)))
        else:
            yield from self._complete_and_end(saved, handled)
        return saved.reply

    def _report_late_document(self, handled: Handled) -> Flow[None]:
        """Report an answer that can only go out with the push, if it comes after the last try."""
        message, kind = self.running.push.message, get_kind(self.running.push.message)
        is_over = self.handling.options.monotonic() > self.last_try_ends and not kind.resent_for
        if is_over and not kind.may_be_acknowledged and handled.replies:
            yield from self.handling.report_lost(message, "late")

    def _complete_and_end(self, saved: _Saved, handled: Handled) -> Flow[None]:
        running, process = self.running, self.handling.process
        if saved.late or handled.continues or running.slot:
            yield from self._complete(saved, handled)
        if running.given is None:
            process.registry.remove(running, saved.reply)
        else:
            process.registry.end(running, saved.reply)
            process.give_up(running)

    def _save_or_decide(self, handled: Handled) -> Flow[_Saved]:
        """Save the reply; if the store fails for too long, decide what happens to it.

        Raises:
            StoreError: The store fails, and the inbox has the push, so that the handler will be run again.
        """
        running, now = self.running, self.handling.options.monotonic()
        # The record may not say so: if the store failed, or nothing is shared, no try knows that it is the last.
        is_over = now > self.last_try_ends and get_kind(running.push.message).may_be_acknowledged
        running.late = running.late or (is_over and not running.slot)
        if running.slot and (running.late or is_over):
            end = running.ends  # nobody waits
        else:  # if WeChat has hung up, only the record can carry the reply to another try
            end = now if now < self.try_ends else now + _WITHOUT_A_TRY
        saved = yield from self.handling.ask_until(end, lambda: self._save(handled, is_over=is_over))
        if saved is not None:
            return saved
        if running.slot and running.late:  # a try was acknowledged meanwhile
            return _Saved(None, late=True)
        if running.slot:
            raise StoreError("the store fails, so the answer of a handler stays in the inbox")
        saved = _Saved(self._choose_reply(handled), running.late)
        if running.late or now < self.try_ends:  # it still reaches the user; `settle` records it later
            running.given = saved.reply
        return saved

    def _complete(self, saved: _Saved, handled: Handled) -> Flow[None]:
        """Do what is left when the reply is in the record: send or keep the rest, and empty the slot."""
        running = self.running
        self.handling.process.registry.end(running, saved.reply)
        if running.given is not None and not saved.late and not (yield from self._record_given(running.given)):
            return
        if running.is_fenced_by_entry and handled.stream is not None:
            yield from send_stream(self, handled, is_begun=True)
            return
        if running.is_fenced_by_entry:
            yield from send_parts(self)
            yield from report_unsent(self.handling, running.push.message, len(handled.replies) - len(handled.parts))
            return
        if handled.stream is not None and self.handling.answers.go_out_later:
            yield from send_stream_at_once(self.handling, running, handled, is_begun=not saved.late)
        elif left := handled.replies if saved.late else handled.rest:
            yield from send_or_keep(self.handling, running, left)
        if running.slot:
            yield from self.ask(self.delete_entry)

    def _record_given(self, given: Acknowledgement | RenderedReply) -> Flow[bool]:
        """Record the reply that went out without the record; False if nothing may follow it.

        Else the next owner, after a death, would run the handler again for an answer of which a part is elsewhere.
        """
        handling, running = self.handling, self.running
        is_recorded = yield from handling.ask_until(
            running.ends, lambda: record_given(handling, running, given), pause=WHILE_IT_FAILS
        )
        if is_recorded is None:
            yield from handling.report_lost(running.push.message, "unsent")
        elif not is_recorded:
            handling.warn_of_lost_claim()
        return bool(is_recorded)

    def _choose_reply(self, handled: Handled) -> Acknowledgement | RenderedReply:
        # The user gets a late answer otherwise, so no further try may carry it.
        is_late = self.running.late and self.handling.answers.go_out_later
        return self.handling.answers.write_fallback(self.running.push) if is_late else handled.answer

    def _save(self, handled: Handled, *, is_over: bool) -> Flow[_Saved]:
        """Save the reply for all deliveries, unless the push is in the inbox, and late or *is_over*: no try follows.

        Raises:
            Overtaken: The record has another claim.
        """
        running = self.running
        expected: bytes | None = running.record
        for _ in range(_ATTEMPTS):
            if running.slot and running.late:
                return _Saved(None, late=True)
            late, reply, slot = running.late, self._choose_reply(handled), ""
            if running.slot and is_over:
                run = Run(running.claim, running.slot, late=True).dump()
                running.late = yield CompareAndSet(running.store, running.record_key, expected, run, ENTRY_KEPT)
            else:
                if handled.continues and not (late and self.handling.answers.go_out_later):
                    slot = yield from self._keep_rest(handled)
                done = Done(running.claim, reply, slot)
                raw = done.dump()
                if (yield CompareAndSet(running.store, running.record_key, expected, raw, self.keep)):
                    self.learn(raw, done)
                    return _Saved(reply, late)
            expected = yield from self.read_record()
            if expected and isinstance(found := load_record(expected), Done):  # saved, but then the store failed
                self.learn(expected, found)
                return _Saved(found.reply, found.reply != handled.answer)
        raise StoreError("the store refuses to replace the value that it returns")

    def _keep_rest(self, handled: Handled) -> Flow[str]:
        """Put the answer into the inbox, as only its first part goes out with the push; return the slot."""
        if self.running.record_key != self.running.key:
            return ""  # nobody else finds the record, so others would send the first part, too
        if self.handling.answers.are_kept:
            yield from add_place(self.handling, self.running.push.message, self.running.record_key)
        return (yield from self.keep_parts(handled.parts, are_all=handled.stream is None))

    def _delete(self) -> Flow[None]:
        """Forget the push, so that the next delivery runs the handler."""
        if not self.running.slot:
            yield from self.leave()
            return
        yield from self.ask(lambda: self.replace_record(None))
        yield from self.ask(self.delete_entry)
        self.handling.process.registry.remove(self.running)


@define(eq=False, repr=False)
class Rest:
    """The end of a `Work`, when the reply is on its way: the other parts of the answer are sent or kept."""

    work: Work
    _flow: Flow[None]

    @property
    def running(self) -> Running:
        """The push."""
        return self.work.running

    def run(self) -> Flow[None]:
        """Send or keep them."""
        try:
            yield from self.work.guard(self._flow)
        except Exception:
            yield from self.work.leave_line()  # the record still has the slot, so the user's next message would wait
            raise
        else:
            yield from self.work.leave_line()
        finally:
            self.abandon()

    def leave(self) -> Flow[None]:
        """Let others send them."""
        return self.work.leave()

    def abandon(self) -> None:
        """Leave them to others if the record may still name this process."""
        self.work.handling.process.give_up(self.running)
