"""The work of the owner of a push: it runs the handler, and gets the answer to the user; no I/O."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, cast

import attrs
from attrs import field

from wechat_msg._flow import CompareAndSet, Flow, Get
from wechat_msg._tracebacks import define, frozen
from wechat_msg.answering import acknowledge
from wechat_msg.endpoint.dedup import keep_for
from wechat_msg.endpoint.handback import hand_back, make_last_record
from wechat_msg.endpoint.handling import Handled, Handling
from wechat_msg.endpoint.inbox import ENTRY_KEPT, Inbox
from wechat_msg.endpoint.late import AnswerLater, LostReason
from wechat_msg.endpoint.line import leave_line, wait_for_turn
from wechat_msg.endpoint.records import NOBODY, Done, InboxEntry, Run, load_record
from wechat_msg.endpoint.registry import Running
from wechat_msg.endpoint.tries import count_try
from wechat_msg.errors import StoreError
from wechat_msg.events.base import get_kind
from wechat_msg.push import accepts_for
from wechat_msg.replies import Acknowledgement, ErrCodeReply, RenderedReply, Reply, to_customer_service_message
from wechat_msg.routing import CANCELLED, RunHandler

__all__ = ["HANG_UP", "StartWork", "Work"]

_log = logging.getLogger("wechat_msg")

HANG_UP = 5.5
"""Seconds after which WeChat has hung up for certain, on its clock too."""

_ATTEMPTS = 100  # a compare-and-set only fails if another delivery's has succeeded
_WITHOUT_A_TRY = 2.5  # seconds for which a store that fails is asked to save a reply that no try waits for
_WHILE_IT_FAILS = 1.0  # seconds between two calls of a store that fails, while nobody waits

#: WeChat's numbers for messages that it refuses for good: no permission, too late, too many, too long.
_REFUSED = {48001, 45015, 45047, 45002}


class Overtaken(Exception):
    """Another process has taken over the push."""


class _Gone(Overtaken):
    """The store has lost the push, and another process may have had it before."""


@frozen
class StartWork:
    """The step that starts a `Work` where handlers run, and does not wait for it."""

    work: Work


@define
class _Saved:
    """What stands in the record: a reply, or None if the push is late and its answer goes through the inbox."""

    reply: Acknowledgement | RenderedReply | None
    late: bool


@define(eq=False, repr=False)
class Work:
    """The work of the owner of one push.

    Attributes:
        handling: The handler, and what belongs to it.
        running: The push, and its claim.
        try_ends: When WeChat has hung up on the try that runs the handler, on the clock ``monotonic``.
        last_try_ends: When it has hung up on the last try.
        is_first: Whether a delivery claimed an absent record for it, so that no later one knows of that delivery.
        entry: The entry in the inbox as this process knows it; None if it has not read it.
    """

    handling: Handling
    running: Running
    try_ends: float
    last_try_ends: float
    is_first: bool = False
    entry: InboxEntry | None = None
    _raw: bytes | None = field(default=None, alias="raw")
    _parts_slot: str = field(default="", init=False)  # where the answer is before the record names it

    def run(self) -> Flow[Reply | None]:
        """Run the handler, and save or send its answer; if it raises, the push can be handled again.

        Returns:
            The reply; None if another process has taken over the push.

        Raises:
            Exception: The handler raised it.
        """
        process = self.handling.process
        waited = self.handling.options.monotonic() - self.running.began
        if self.running.name and waited > HANG_UP:
            self.handling.warn_of_starvation(waited)
        try:
            if self.handling.options.ordered:
                yield from wait_for_turn(self.handling, self.running)
            reply = yield from self._run()
        except GeneratorExit:
            raise  # the flow was closed, and no further step is performed
        except _Gone:
            process.registry.remove(self.running)
            yield from self.handling.report_lost(self.running.push.message, "gone")
            return None
        except Overtaken:
            if not self.running.has_ended:  # it was not handed back, which is logged already
                self.handling.warn_of_lost_claim()
            process.registry.remove(self.running)
            return None
        except BaseException as error:
            yield from self.leave(failed=not isinstance(error, (*CANCELLED, KeyboardInterrupt)))
            raise
        finally:
            process.give_up(self.running)
        if self.handling.options.ordered:
            yield from leave_line(self.handling, self.running)
        return reply

    def leave(self, *, failed: bool = False) -> Flow[None]:
        """Let others handle the push; if it *failed*, after a pause."""
        running = self.running
        try:
            if self.is_first and running.store is self.handling.store:
                yield from count_try(running.store, running.record_key, "", running.name)
            yield from hand_back(self.handling, running, failed=failed)
            self.handling.process.registry.remove(running)
        except StoreError as error:
            self.handling.report(error)

    def abandon(self) -> None:
        """Leave the push to others if its record may still name this process."""
        self.handling.process.give_up(self.running)

    # --- the handler

    def _run(self) -> Flow[Reply | None]:
        running = self.running
        if running.has_ended:
            return None  # it waited for a thread or its turn, and was handed back meanwhile
        running.ends = self.handling.process.monotonic() + self.handling.options.handler_limit
        if self.entry is not None and self.entry.state == "answered":
            yield from self._send_parts()
            return Acknowledgement()
        handled = yield from self.handling.handle(running.push)
        if handled.wants_another_try and not running.late:
            yield from self._delete()
            return handled.answer
        return (yield from self._finish(handled))

    def _finish(self, handled: Handled) -> Flow[Reply | None]:
        """Save or send the answer."""
        running, process = self.running, self.handling.process
        saved = yield from self._save_or_decide(handled)
        if saved.reply is None:
            yield from self._answer_late(handled.reply)
            return Acknowledgement()
        if saved.late or handled.only_later or running.slot:
            yield from self._complete(saved, handled)
        if running.given is None:
            process.registry.remove(running, saved.reply)
        else:
            process.registry.end(running, saved.reply)
            process.give_up(running)
        return saved.reply

    def _save_or_decide(self, handled: Handled) -> Flow[_Saved]:
        """Save the reply; if the store fails for too long, decide what happens to it.

        Raises:
            StoreError: The store fails, and the inbox has the push, so that the handler will be run again.
        """
        running, now = self.running, self.handling.options.monotonic()
        # The record may not say so: if the store failed, or nothing is shared, no try knows that it is the last.
        is_over = now > self.last_try_ends and isinstance(acknowledge(running.push.message), Acknowledgement)
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
        """Do what is left when the reply is in the record: send what can only be sent, and empty the slot."""
        running = self.running
        self.handling.process.registry.end(running, saved.reply)
        if running.is_fenced_by_entry:
            yield from self._send_parts()
        elif saved.late or handled.only_later:
            yield from self.handling.send_later(running.push.message, handled.reply)
        else:
            yield from self._ask(self._delete_entry)

    def _choose_reply(self, handled: Handled) -> Acknowledgement | RenderedReply:
        # The user gets a late reply as a message, so no further try may carry it.
        sends = isinstance(self.handling.options.late, AnswerLater)
        return Acknowledgement() if self.running.late and sends else handled.answer

    def _save(self, handled: Handled, *, is_over: bool) -> Flow[_Saved]:
        """Save the reply for all deliveries, unless the push is in the inbox, and late or *is_over*: no try follows.

        Raises:
            Overtaken: The record has another claim.
        """
        running, message = self.running, self.running.push.message
        keep = keep_for(message, accepts_for(self.handling.options.settings, message))
        expected: bytes | None = running.record
        for _ in range(_ATTEMPTS):
            if running.slot and running.late:
                return _Saved(None, late=True)
            late, reply, slot = running.late, self._choose_reply(handled), ""
            if running.slot and is_over:
                run = Run(running.claim, running.slot, late=True).dump()
                running.late = yield CompareAndSet(running.store, running.record_key, expected, run, ENTRY_KEPT)
            else:
                slot = (yield from self._keep_parts(handled.reply)) if handled.only_later else ""
                done = Done(running.claim, reply, slot).dump()
                if (yield CompareAndSet(running.store, running.record_key, expected, done, keep)):
                    running.record, running.slot, running.is_fenced_by_entry = done, slot or running.slot, bool(slot)
                    return _Saved(reply, late)
            expected = yield from self._read_again()
            if expected and isinstance(found := load_record(expected), Done):  # saved, but then the store failed
                running.record, running.is_fenced_by_entry = expected, bool(found.slot)
                running.slot = found.slot or running.slot
                return _Saved(found.reply, found.reply != handled.answer)
        raise StoreError("the store refuses to replace the value that it returns")

    def _read_again(self) -> Flow[bytes | None]:
        """Return the record, None if it is gone, and learn from it whether a try was answered.

        Raises:
            Overtaken: It has another claim, or the push was handed back.
        """
        running = self.running
        raw: bytes | None = yield Get(running.store, running.record_key)
        record = None if raw is None else load_record(raw)
        is_mine = record is not None and running.owns(record)
        if record is not None and self._parts_slot and (record.slot or not is_mine):
            # Somebody else has put the push into the inbox.
            yield from self._inbox.replace(self._parts_slot, self._raw, None)
            self.entry, self._raw, self._parts_slot = None, None, ""
        if record is None:
            if running.has_ended:
                raise Overtaken
            self.handling.warn_of_gone_records()
        elif isinstance(record, Run) and is_mine:
            running.slot, running.late = record.slot, running.late or record.late
        elif not isinstance(record, Done) or record.claim != running.claim:
            raise Overtaken
        return raw

    def _keep_parts(self, reply: Reply) -> Flow[str]:
        """Put an answer that can only be sent into the inbox, and return the slot; empty if it is not kept."""
        running, inbox = self.running, self.handling.inbox
        if inbox is None:
            return ""
        parts = (_to_part(reply, running),)
        if running.slot:
            if self.entry is None or self.entry.state == "open":
                yield from self._load()
                yield from self._swap(state="answered", parts=parts, sent=0)
            return running.slot
        if not self._parts_slot:
            entry = inbox.make_entry(running.push, running.record_key, running.claim, attempt=1)
            if entry is None:
                return ""
            self.entry = attrs.evolve(entry, state="answered", parts=parts)
            self._raw = self.entry.dump()
            self._parts_slot = yield from inbox.put(self.entry)
        return self._parts_slot

    def _delete(self) -> Flow[None]:
        """Forget the push, so that the next delivery runs the handler."""
        if not self.running.slot:
            yield from self.leave()
            return
        yield from self._ask(lambda: self._replace_record(None))
        yield from self._ask(self._delete_entry)
        self.handling.process.registry.remove(self.running)

    # --- the answer that is sent

    @property
    def _inbox(self) -> Inbox:
        return cast("Inbox", self.handling.inbox)

    def _ask(self, ask: Callable[[], Flow[object]]) -> Flow[None]:
        """Ask the store, again and again while it fails and the handler's time is not over."""

        def done() -> Flow[bool]:
            yield from ask()
            return True

        if not (yield from self.handling.ask_until(self.running.ends, done, pause=_WHILE_IT_FAILS)):
            raise StoreError("the store fails, so the answer of a handler stays in the inbox")

    def _answer_late(self, reply: Reply) -> Flow[None]:
        """Put the answer into the inbox, and send it."""
        yield from self._ask(self._load)
        if isinstance(reply, Acknowledgement) or reply == ErrCodeReply():
            yield from self._ask(self._close)
        elif not isinstance(self.handling.options.late, AnswerLater):
            yield from self.lose("late")
        else:
            try:
                parts = (_to_part(reply, self.running),)
            except Exception:  # noqa: BLE001, the user's own reply class may raise anything
                _log.exception("the late reply to a %s could not be sent", type(self.running.push.message).__name__)
                yield from self.lose("unsent")
                return
            yield from self._ask(lambda: self._swap(state="answered", parts=parts, sent=0))
            yield from self._send_parts()

    def _send_parts(self) -> Flow[None]:
        """Send the parts that were not sent yet, and delete the entry."""
        policy, message = self.handling.options.late, self.running.push.message
        while (entry := self._get_entry()).sent < len(entry.parts):
            if self.handling.options.clock() > entry.came + get_kind(message).answered_for:
                yield from self.lose("window")
                return
            yield from self._ask(self._ensure_lane)
            try:
                yield RunHandler(cast("AnswerLater", policy).send, json.loads(entry.parts[entry.sent]))
            except Exception as error:  # noqa: BLE001, an error of the sender must not end the handler's thread
                _log.exception("the late reply to a %s could not be sent", type(message).__name__)
                if getattr(error, "errcode", None) in _REFUSED:
                    yield from self.lose("unsent")
                else:
                    yield from self.leave(failed=True)
                return
            if entry.sent + 1 == len(entry.parts):
                break
            yield from self._ask(lambda: self._swap(sent=self._get_entry().sent + 1))
        yield from self._ask(self._close)

    def _get_entry(self) -> InboxEntry:
        return cast("InboxEntry", self.entry)

    def _ensure_lane(self) -> Flow[None]:
        """Make a new claim if the lane was lost since the last one, so that nobody else sends the same.

        Raises:
            Overtaken: Somebody else has the push.
        """
        running, process = self.running, self.handling.process
        if process.has_held_since(running.claim, running.began):
            return
        claim = yield from process.make_claim(running.name or NOBODY, shared=True)
        began = process.monotonic()  # by now there is a lane
        if not running.is_fenced_by_entry and not (
            yield from self._replace_record(Run(claim, running.slot, late=True), kept_for=ENTRY_KEPT)
        ):
            raise Overtaken
        running.claim, running.began = claim, began
        entry = attrs.evolve(self._get_entry(), claim=claim)
        if not (yield from self._inbox.replace(running.slot, self._raw, entry)):
            raise Overtaken
        self.entry, self._raw = entry, entry.dump()

    # --- the entry

    def _find_entry(self) -> Flow[tuple[bytes, InboxEntry] | None]:
        """Return the entry in the slot; None if it is gone.

        Raises:
            _Gone: The store has evicted it, and another push has the slot by now.
        """
        found = yield from self._inbox.find(self.running.slot)
        if found is not None and found[1].key != self.running.record_key:
            self.handling.warn_of_gone_records()
            raise _Gone
        return found

    def _load(self) -> Flow[None]:
        """Read the entry."""
        running = self.running
        found = yield from self._find_entry()
        if found is None or found[1].claim != running.claim:
            yield from self._check_ownership()
        if found is not None:
            self._raw, self.entry = found
            return
        self._raw = None
        self.entry = self._inbox.make_entry(running.push, running.record_key, running.claim, attempt=1)

    def _swap(self, **changes: Any) -> Flow[None]:
        """Change the entry; also if a process that stood still while it took over the push has changed it."""
        new = attrs.evolve(self._get_entry(), claim=self.running.claim, **changes)
        for _ in range(_ATTEMPTS):
            replaced = yield from self._inbox.replace(self.running.slot, self._raw, new)
            if not replaced:
                found = yield from self._find_entry()
                replaced = found is not None and found[1] == new  # the store did it, but then failed
                if not replaced:
                    yield from self._check_ownership()
                    self._raw = None if found is None else found[0]
            if replaced:
                self.entry, self._raw = new, new.dump()
                return
        raise StoreError("the store refuses to replace the value that it returns")

    def _check_ownership(self) -> Flow[None]:
        """Check that the record has the claim of this work; if the record is gone, write it again.

        Raises:
            Overtaken: It has another claim, or is gone although this process did not hold its lane all the time.
        """
        running = self.running
        raw: bytes | None = yield Get(running.store, running.record_key)
        if running.is_fenced_by_entry or (raw is not None and not running.owns(load_record(raw))):
            raise Overtaken
        if raw is None:
            self.handling.warn_of_gone_records()
            if not self.handling.process.was_awake_since(running.began):
                raise _Gone
            mine = Run(running.claim, running.slot, late=True).dump()
            if not (yield CompareAndSet(running.store, running.record_key, None, mine, ENTRY_KEPT)):
                raise Overtaken

    def _replace_record(self, new: Run | Done | None, kept_for: float = 1.0) -> Flow[bool]:
        """Replace the record if it has the claim of this work; False if not."""
        running, value = self.running, None if new is None else new.dump()
        expected: bytes | None = Run(running.claim, running.slot, running.late).dump()
        for _ in range(_ATTEMPTS):
            if (yield CompareAndSet(running.store, running.record_key, expected, value, kept_for)):
                return True
            expected = yield Get(running.store, running.record_key)
            if expected is None or not running.owns(load_record(expected)):
                return False
        raise StoreError("the store refuses to replace the value that it returns")

    def _close(self) -> Flow[None]:
        """Record that everything is done, and delete the entry."""
        yield from self._mark_done()
        yield from self._delete_entry()
        self.handling.process.registry.remove(self.running, Acknowledgement())

    def _mark_done(self) -> Flow[None]:
        """Take the slot out of the record: another entry may get it."""
        running, message = self.running, self.running.push.message
        keep = keep_for(message, accepts_for(self.handling.options.settings, message))
        if running.is_fenced_by_entry:
            done = attrs.evolve(cast("Done", load_record(running.record)), slot="").dump()
            yield CompareAndSet(running.store, running.record_key, running.record, done, keep)
        else:
            yield from self._replace_record(make_last_record(running), kept_for=keep)

    def _delete_entry(self) -> Flow[None]:
        if self.entry is None:
            found = yield from self._inbox.find_of(self.running.slot, self.running.record_key)
            self._raw = found and found[0]
        if self._raw is not None:
            yield from self._inbox.replace(self.running.slot, self._raw, None)

    def lose(self, reason: LostReason) -> Flow[None]:
        """Keep the entry as lost, and report it."""
        running = self.running
        yield from self._ask(lambda: self._swap(state="lost", reason=reason))
        yield from self._mark_done()
        self.handling.process.registry.remove(running, Acknowledgement())
        yield from self.handling.report_lost(running.push.message, reason)


def _to_part(reply: Reply, running: Running) -> str:
    openid = reply.to_user_name or running.push.message.from_user_name
    return json.dumps(to_customer_service_message(reply, openid), ensure_ascii=False)
