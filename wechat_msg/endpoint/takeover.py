"""How a process becomes the owner of a push in the inbox that no process works on."""

from __future__ import annotations

import logging
from typing import Any, cast

import attrs

from wechat_msg._flow import CompareAndSet, Flow, Get
from wechat_msg.endpoint.dedup import keep_for
from wechat_msg.endpoint.handback import compute_run_ttl, make_last_record
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import ATTEMPTS, Inbox
from wechat_msg.endpoint.owned import skip_first
from wechat_msg.endpoint.records import NOBODY, Done, InboxEntry, Run, load_record
from wechat_msg.endpoint.registry import Running
from wechat_msg.endpoint.sending import give_up
from wechat_msg.endpoint.work import HANG_UP, Work
from wechat_msg.errors import PushError, StoreError
from wechat_msg.push import reopen_push

__all__ = ["take_over"]

_log = logging.getLogger("wechat_msg")

_ATTEMPTS = 100  # a compare-and-set only fails if another process's has succeeded


def take_over(
    handling: Handling, slot: str, found: tuple[bytes, InboxEntry], raw_record: bytes | None
) -> Flow[Work | None]:
    """Claim a push in the inbox that nobody works on; None if somebody else was faster, or nothing can be done.

    Args:
        handling: The handler, and what belongs to it.
        slot: Where the entry is.
        found: The entry.
        raw_record: The record of the push, which says that nobody works on it.

    Raises:
        StoreError: The store failed.
    """
    (raw, entry), process, inbox = found, handling.process, cast("Inbox", handling.inbox)
    record = None if raw_record is None else load_record(raw_record)
    try:
        push = reopen_push(handling.options.settings, entry.format, entry.document, is_sealed=entry.is_sealed)
    except PushError as error:
        _log.error("a push in the inbox cannot be opened any more: %s: %s", type(error).__name__, error)
        if (yield from inbox.replace(slot, raw, attrs.evolve(entry, state="lost", reason="unreadable"))):
            yield from handling.report_lost(None, "unreadable")
        return None
    now, options = process.monotonic(), handling.options
    running = Running(entry.key, push, "", now, cast("Any", handling.store), entry.key)
    running.slot, running.is_fenced_by_entry = slot, isinstance(record, Done)
    is_needed = record is not None and bool(record.slot)  # else no try was acknowledged, and the entry may be deleted
    running.reply = record.reply if isinstance(record, Done) else None
    running.late = isinstance(record, Done) or (isinstance(record, Run) and record.late)
    if not process.registry.add(running):
        return None
    try:
        running.record = raw_record or b""
        running.claim = yield from process.make_claim(running.name or NOBODY, shared=True)
        running.began = process.monotonic()  # by now there is a lane
        if not running.is_fenced_by_entry:
            run = Run(running.claim, slot, running.late)
            running.record = run.dump()
            ttl = compute_run_ttl(handling, slot)
            if not (yield CompareAndSet(running.store, running.record_key, raw_record, running.record, ttl)):
                process.registry.remove(running)
                return None
        fenced = yield from _fence(handling, running, found, is_needed=is_needed)
        if fenced is not None and not running.late and (not is_needed or fenced.state == "answered"):
            fenced = fenced if (yield from _set_late(handling, running)) else None
    except BaseException:
        process.give_up(running)
        raise
    if fenced is None:
        process.registry.remove(running)
        return None
    last_try_ends = now + fenced.came + options.deliveries * HANG_UP - options.clock()
    work = Work(
        handling,
        running,
        try_ends=now,
        last_try_ends=last_try_ends,
        entry=skip_first(fenced, record) if isinstance(record, Done) else fenced,
        raw=fenced.dump(),
    )
    if fenced.attempt > ATTEMPTS:  # it has killed every process that worked on it
        yield from (give_up(work, "unsent") if fenced.state == "answered" else work.lose("failed"))
        return None
    return work


def _set_late(handling: Handling, running: Running) -> Flow[bool]:
    """Record that no try carries the reply; False if the push is somebody else's."""
    late, ttl = Run(running.claim, running.slot, late=True).dump(), compute_run_ttl(handling, running.slot)
    written: bool = yield CompareAndSet(running.store, running.record_key, running.record, late, ttl)
    if not written and (yield Get(running.store, running.record_key)) != late:  # an acknowledged try writes the same
        return False
    running.late, running.record = True, late
    return True


def _fence(
    handling: Handling, running: Running, found: tuple[bytes, InboxEntry] | None, *, is_needed: bool
) -> Flow[InboxEntry | None]:
    """Count the attempt, so that every further step of the former owner fails; None if the push is somebody else's."""
    inbox, strict = cast("Inbox", handling.inbox), running.is_fenced_by_entry
    for _ in range(_ATTEMPTS):
        if found is not None:
            raw, entry = found
            mine = attrs.evolve(entry, attempt=entry.attempt + 1, claim=running.claim)
            if (yield from inbox.replace(running.slot, raw, mine)):
                record: bytes | None = yield Get(running.store, running.record_key)
                return mine if strict or record == running.record else None
            found = yield from inbox.find(running.slot)
        if strict:
            return None
        if found is None:  # the push is done, or its delivery did not need the entry
            done = make_last_record(handling, running) if is_needed or running.late else None
            value, keep = None if done is None else done.dump(), keep_for(running.push.message)
            yield CompareAndSet(running.store, running.record_key, running.record, value, keep)
            return None
    raise StoreError("the store refuses to replace the value that it returns")
