"""The record of a push and its entry in the inbox, as the owner of the push, and nobody else, changes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import attrs
from attrs import field

from wechat_msg._flow import CompareAndSet, Flow, Get
from wechat_msg._tracebacks import define
from wechat_msg.endpoint.dedup import keep_for
from wechat_msg.endpoint.handback import hand_back, make_last_record
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import ENTRY_KEPT, Inbox
from wechat_msg.endpoint.kept import KeptAnswers
from wechat_msg.endpoint.late import LostReason
from wechat_msg.endpoint.records import NOBODY, Done, EntryState, InboxEntry, Run, load_record
from wechat_msg.endpoint.registry import Running
from wechat_msg.endpoint.tries import count_try
from wechat_msg.errors import StoreError
from wechat_msg.push import accepts_for
from wechat_msg.replies import Acknowledgement

__all__ = ["WHILE_IT_FAILS", "Gone", "Overtaken", "OwnedPush", "skip_first"]

_ATTEMPTS = 100  # a compare-and-set only fails if another delivery's has succeeded
WHILE_IT_FAILS = 1.0
"""Seconds between two calls of a store that fails, while no try waits."""


class Overtaken(Exception):
    """Another process has taken over the push."""


class Gone(Overtaken):
    """The store has lost the push, and another process may have had it before."""


def skip_first(entry: InboxEntry, done: Done) -> InboxEntry:
    """Return the entry without the part that is the reply in the record."""
    return entry if isinstance(done.reply, Acknowledgement) else attrs.evolve(entry, sent=max(entry.sent, 1))


@define(eq=False, repr=False)
class OwnedPush:
    """The record of a push, and its entry in the inbox, as its owner changes them.

    Attributes:
        handling: The handler, and what belongs to it.
        running: The push, and its claim.
        entry: The entry in the inbox as this process knows it; None if it has not read it.
        is_first: Whether a delivery claimed an absent record for it, so that no later one knows of that delivery.
    """

    handling: Handling
    running: Running
    entry: InboxEntry | None = None
    is_first: bool = False
    _raw: bytes | None = field(default=None, alias="raw")
    _spare: str = field(default="", init=False)  # the slot of an entry that the record does not name yet

    @property
    def _inbox(self) -> Inbox:
        return cast("Inbox", self.handling.inbox)

    @property
    def found_entry(self) -> InboxEntry:
        """The entry, which was read before."""
        return cast("InboxEntry", self.entry)

    @property
    def keep(self) -> float:
        """Seconds for which the record is kept when everything is done."""
        message = self.running.push.message
        return keep_for(message, accepts_for(self.handling.options.settings, message))

    def ask(self, ask: Callable[[], Flow[object]]) -> Flow[None]:
        """Ask the store, again and again while it fails and the handler's time is not over.

        Raises:
            StoreError: It fails for that long.
        """

        def done() -> Flow[bool]:
            yield from ask()
            return True

        if not (yield from self.handling.ask_until(self.running.ends, done, pause=WHILE_IT_FAILS)):
            raise StoreError("the store fails, so the answer of a handler stays in the inbox")

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

    # --- the record

    def read_record(self) -> Flow[bytes | None]:
        """Return the record, None if it is gone, and learn from it whether a try was answered.

        Raises:
            Overtaken: It has another claim, or the push was handed back.
        """
        running = self.running
        raw: bytes | None = yield Get(running.store, running.record_key)
        record = None if raw is None else load_record(raw)
        is_mine = record is not None and running.owns(record)
        has_other = record is not None and record.slot != self._spare and (bool(record.slot) or not is_mine)
        if self._spare and has_other:
            # Somebody else has put the push into the inbox.
            yield from self._inbox.replace(self._spare, self._raw, None)
            self.entry, self._raw, self._spare = None, None, ""
        if record is None:
            if running.has_ended:
                raise Overtaken
            self.handling.warn_of_gone_records()
        elif isinstance(record, Run) and is_mine:
            running.slot, running.late = record.slot, running.late or record.late
        elif not isinstance(record, Done) or record.claim != running.claim:
            raise Overtaken
        return raw

    def learn(self, raw: bytes, done: Done) -> None:
        """Note that the record has the reply; an entry then shows alone who works on the push."""
        running = self.running
        running.record, running.is_fenced_by_entry = raw, bool(done.slot)
        running.slot = done.slot or running.slot
        if done.slot and self.entry is not None:
            self.entry = skip_first(self.entry, done)

    def replace_record(self, new: Run | Done | None, kept_for: float = 1.0) -> Flow[bool]:
        """Replace the record if it has the claim of the owner; False if not."""
        running, value = self.running, None if new is None else new.dump()
        expected: bytes | None = Run(running.claim, running.slot, running.late).dump()
        for _ in range(_ATTEMPTS):
            if (yield CompareAndSet(running.store, running.record_key, expected, value, kept_for)):
                return True
            expected = yield Get(running.store, running.record_key)
            if expected is None or not running.owns(load_record(expected)):
                return False
        raise StoreError("the store refuses to replace the value that it returns")

    def check_ownership(self) -> Flow[None]:
        """Check that the record has the claim of the owner; if the record is gone, write it again.

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
                raise Gone
            mine = Run(running.claim, running.slot, late=True).dump()
            if not (yield CompareAndSet(running.store, running.record_key, None, mine, ENTRY_KEPT)):
                raise Overtaken

    def ensure_lane(self) -> Flow[None]:
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
            yield from self.replace_record(Run(claim, running.slot, late=True), kept_for=ENTRY_KEPT)
        ):
            raise Overtaken
        running.claim, running.began = claim, began
        entry = attrs.evolve(self.found_entry, claim=claim)
        if not (yield from self._inbox.replace(running.slot, self._raw, entry)):
            raise Overtaken
        self.entry, self._raw = entry, entry.dump()

    # --- the entry

    def _find_entry(self) -> Flow[tuple[bytes, InboxEntry] | None]:
        """Return the entry in the slot; None if it is gone.

        Raises:
            Gone: The store has evicted it, and another push has the slot by now.
        """
        found = yield from self._inbox.find(self.running.slot)
        if found is not None and found[1].key != self.running.record_key:
            self.handling.warn_of_gone_records()
            raise Gone
        return found

    def load(self) -> Flow[None]:
        """Read the entry."""
        running = self.running
        found = yield from self._find_entry()
        if found is None or found[1].claim != running.claim:
            yield from self.check_ownership()
        if found is not None:
            self._raw, self.entry = found
            if running.is_fenced_by_entry:
                self.entry = skip_first(self.entry, cast("Done", load_record(running.record)))
            return
        self._raw = None
        self.entry = self._inbox.make_entry(running.push, running.record_key, running.claim, attempt=1)

    def swap(self, **changes: Any) -> Flow[None]:
        """Change the entry; also if a process that stood still while it took over the push has changed it."""
        new = attrs.evolve(self.found_entry, claim=self.running.claim, **changes)
        for _ in range(_ATTEMPTS):
            replaced = yield from self._inbox.replace(self.running.slot, self._raw, new)
            if not replaced:
                found = yield from self._find_entry()
                replaced = found is not None and found[1] == new  # the store did it, but then failed
                if not replaced:
                    yield from self.check_ownership()
                    self._raw = None if found is None else found[0]
            if replaced:
                self.entry, self._raw = new, new.dump()
                return
        raise StoreError("the store refuses to replace the value that it returns")

    def keep_parts(self, parts: Sequence[str], *, are_all: bool = True) -> Flow[str]:
        """Put the parts of an answer into the inbox, and return the slot; empty if it is not kept.

        If they are not *all*, the handler runs again after a death, and the parts are what it has given so far.
        """
        state: EntryState = "answered" if are_all else "open"
        running, inbox = self.running, self.handling.inbox
        if inbox is None:
            return ""
        if running.slot:
            if self.entry is None or self.entry.state == "open":
                yield from self.load()
                yield from self.swap(state=state, parts=tuple(parts), sent=0)
            return running.slot
        if not self._spare:
            entry = inbox.make_entry(running.push, running.record_key, running.claim, attempt=1)
            if entry is None:
                return ""
            self.entry = attrs.evolve(entry, state=state, parts=tuple(parts))
            self._raw = self.entry.dump()
            self._spare = yield from inbox.put(self.entry)
        return self._spare

    def delete_entry(self) -> Flow[None]:
        """Delete the entry."""
        if self.entry is None:
            found = yield from self._inbox.find_of(self.running.slot, self.running.record_key)
            self._raw = found and found[0]
        if self._raw is not None:
            yield from self._inbox.replace(self.running.slot, self._raw, None)

    # --- the end

    def close(self) -> Flow[None]:
        """Record that everything is done, and delete the entry."""
        yield from self._mark_done()
        yield from self.delete_entry()
        self.handling.process.registry.remove(self.running, Acknowledgement())

    def remove_place(self) -> Flow[None]:
        """Let the user's messages no longer wait for the answer."""
        kept = cast("KeptAnswers", self.handling.kept)
        yield from kept.remove_place(self.running.push.message.from_user_name, self.running.item)

    def _mark_done(self) -> Flow[None]:
        """Take the slot out of the record: another entry may get it."""
        running = self.running
        if running.is_fenced_by_entry:
            done = attrs.evolve(cast("Done", load_record(running.record)), slot="").dump()
            yield CompareAndSet(running.store, running.record_key, running.record, done, self.keep)
        else:
            yield from self.replace_record(make_last_record(self.handling, running), kept_for=self.keep)

    def lose(self, reason: LostReason) -> Flow[None]:
        """Keep the entry as lost, and report it."""
        running = self.running
        yield from self.ask(lambda: self.swap(state="lost", reason=reason))
        if self.handling.answers.are_kept:
            yield from self.ask(self.remove_place)
        yield from self._mark_done()
        self.handling.process.registry.remove(running, Acknowledgement())
        yield from self.handling.report_lost(running.push.message, reason)
