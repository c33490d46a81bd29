"""How the owner of a push leaves it to others; what stands in the record of a push without a reply."""

from __future__ import annotations

from typing import cast

import attrs

from wechat_msg._flow import CompareAndSet, Flow, Get
from wechat_msg.answering import acknowledge
from wechat_msg.endpoint.dedup import keep_for
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import ATTEMPTS, ENTRY_KEPT, RETRY_AFTER, Inbox
from wechat_msg.endpoint.late import LostReason
from wechat_msg.endpoint.records import Done, Free, InboxEntry, Run, load_record
from wechat_msg.endpoint.registry import NO_CLAIM, Running
from wechat_msg.replies import Acknowledgement, RenderedReply

__all__ = ["compute_run_ttl", "hand_back", "make_last_record", "record_given", "settle"]

_LONGEST_RUN = 86400.0  # seconds; a store may take no larger number, such as infinity
_RUN_LONGER = 60.0  # seconds for which the record of a running handler outlives handler_limit


def compute_run_ttl(handling: Handling, slot: str = "") -> float:
    """Return for how many seconds the record of a running handler is kept."""
    longest = min(handling.options.handler_limit, _LONGEST_RUN) + _RUN_LONGER
    return max(longest, ENTRY_KEPT) if slot else longest


def make_last_record(handling: Handling, running: Running) -> Done | None:
    """Return the record of a push that gets no further reply; None if it must not be acknowledged."""
    may_end = isinstance(acknowledge(running.push.message), Acknowledgement)
    return Done(running.claim, handling.answers.write_fallback(running.push)) if may_end else None


def hand_back(handling: Handling, running: Running, *, failed: bool) -> Flow[bool]:
    """Let others work on a push whose record has the claim of *running*; if it *failed*, after a pause.

    Returns:
        Whether there was anything to hand back.
    """
    if running.is_fenced_by_entry:
        return (yield from _hand_back_entry(handling, running, running.slot, failed=failed)) is not None
    raw: bytes | None = yield Get(running.store, running.record_key)
    record = None if raw is None else load_record(raw)
    if not isinstance(record, Run) or record.claim != running.claim or isinstance(record, Free):
        return False
    if not record.slot and record.late and not failed:
        return False  # it was acknowledged, but is not kept, so nobody else could answer it
    if not record.slot:
        deleted: bool = yield CompareAndSet(running.store, running.record_key, raw, None)
        if deleted and (record.late or running.late):
            yield from handling.report_lost(running.push.message, "failed")
        return deleted
    entry = yield from _hand_back_entry(handling, running, record.slot, failed=failed)
    is_lost = entry is not None and entry.state == "lost"
    new = make_last_record(handling, running) if is_lost else Free(record.claim, record.slot, record.late)
    yield CompareAndSet(running.store, running.record_key, raw, None if new is None else new.dump(), ENTRY_KEPT)
    return True


def settle(handling: Handling, running: Running) -> Flow[None]:
    """Hand back a push that was given up; or record its reply, if that went out while the store failed."""
    if running.given is None:
        yield from hand_back(handling, running, failed=True)
    else:
        yield from record_given(handling, running, running.given)


def record_given(handling: Handling, running: Running, given: Acknowledgement | RenderedReply) -> Flow[bool]:
    """Record the reply that went out while the store failed; False if the push has another owner by now."""
    raw: bytes | None = yield Get(running.store, running.record_key)
    record = None if raw is None else load_record(raw)
    done = Done(running.claim, given)
    if record is None or not running.owns(record):
        return record == done
    saved: bool = yield CompareAndSet(
        running.store, running.record_key, raw, done.dump(), keep_for(running.push.message)
    )
    if saved and record.slot:
        inbox = cast("Inbox", handling.inbox)
        found = yield from inbox.find_of(record.slot, running.record_key)
        if found is not None:
            yield from inbox.replace(record.slot, found[0], None)
    return saved


def _hand_back_entry(handling: Handling, running: Running, slot: str, *, failed: bool) -> Flow[InboxEntry | None]:
    """Change the entry for the next owner; None if somebody else has it."""
    inbox = cast("Inbox", handling.inbox)
    found = yield from inbox.find_of(slot, running.record_key)
    if found is None or (running.is_fenced_by_entry and found[1].claim != running.claim):
        return None
    entry = _postpone(handling, found[1], failed=failed)
    if not (yield from inbox.replace(slot, found[0], entry)):
        return None
    if entry.state == "lost":
        yield from handling.report_lost(running.push.message, entry.reason or "failed")
    return entry


def _postpone(handling: Handling, entry: InboxEntry, *, failed: bool) -> InboxEntry:
    """Return the entry for the next owner."""
    now = handling.options.clock()
    if not failed:
        return attrs.evolve(entry, claim=NO_CLAIM, due=now, attempt=max(entry.attempt - 1, 0))
    if entry.attempt >= ATTEMPTS:
        reason: LostReason = "unsent" if entry.state == "answered" else "failed"
        return attrs.evolve(entry, claim=NO_CLAIM, state="lost", reason=reason)
    return attrs.evolve(entry, claim=NO_CLAIM, due=now + RETRY_AFTER[max(entry.attempt, 1) - 1])
