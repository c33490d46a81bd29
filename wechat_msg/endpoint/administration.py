"""What is in the inbox of an endpoint: listed, tried again or dropped, as ``wechat-msg inbox`` does."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Literal, TypeVar, cast

import attrs
from attrs import field

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, drive, drive_async
from wechat_msg._tracebacks import frozen
from wechat_msg.endpoint.dedup import KEEP, keep_for
from wechat_msg.endpoint.drivers import AsyncPushEndpoint, PushEndpoint
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import ENTRY_KEPT, Inbox
from wechat_msg.endpoint.parts import is_whole
from wechat_msg.endpoint.records import NOBODY, Done, Free, InboxEntry, Record, Run, load_record
from wechat_msg.endpoint.registry import NO_CLAIM
from wechat_msg.endpoint.upkeep import is_left_over
from wechat_msg.errors import PushError, StoreError
from wechat_msg.messages import Message
from wechat_msg.push import reopen_push
from wechat_msg.replies import Acknowledgement

__all__ = ["AnyEndpoint", "EntryChange", "KeptPush", "Retried", "drop", "keeps", "list_kept", "perform", "retry"]

T = TypeVar("T")
AnyEndpoint = PushEndpoint | AsyncPushEndpoint

_ATTEMPTS = 100  # a compare-and-set only fails if another process's has succeeded


@frozen
class KeptPush:
    """A push in the inbox.

    Attributes:
        slot: Where it is.
        entry: Its entry.
        message: The push; None if it can no longer be opened.
        is_owned: Whether a process works on it.
        record: Its record.
    """

    slot: str
    entry: InboxEntry
    message: Message | None = field(repr=False)
    is_owned: bool
    record: Record | None = field(repr=False)
    _raw_entry: bytes = field(repr=False, alias="raw_entry")
    _raw_record: bytes | None = field(repr=False, alias="raw_record")

    @property
    def state(self) -> Literal["waits", "runs", "unsent", "lost"]:
        """``waits`` for a process, ``runs`` in one, ``unsent`` if only its answer has to be sent, or ``lost``."""
        if self.entry.state != "open":
            return "lost" if self.entry.state == "lost" else "unsent"
        return "runs" if self.is_owned else "waits"

    def replace_record(self, store: AnyStore, record: Record, seconds: float) -> Flow[bool]:
        """Replace the record; False if it has changed."""
        replaced: bool = yield CompareAndSet(store, self.entry.key, self._raw_record, record.dump(), seconds)
        return replaced

    def replace_entry(self, inbox: Inbox, entry: InboxEntry | None) -> Flow[bool]:
        """Replace the entry, or delete it; False if it has changed."""
        return (yield from inbox.replace(self.slot, self._raw_entry, entry))


@frozen
class EntryChange:
    """What `retry` or `drop` did with one slot.

    Attributes:
        slot: The slot.
        push: What was there; None if there was nothing.
        is_made: Whether it was changed; a push that a process works on is not.
    """

    slot: str
    push: KeptPush | None
    is_made: bool


@frozen
class Retried:
    """The result of `retry`.

    Attributes:
        changes: The pushes that may be tried again at once.
        before: The inbox after these changes, before any work began.
        started: How many pushes the work was started on; with a job queue, how many were enqueued.
        is_over: Whether handlers still ran when the time was over.
        after: The inbox in the end.
    """

    changes: list[EntryChange]
    before: list[KeptPush]
    started: int
    is_over: bool
    after: list[KeptPush]


def perform(endpoint: AnyEndpoint, flow: Flow[T]) -> T:
    """Perform a flow of this module, for an AsyncPushEndpoint in an event loop of its own.

    Raises:
        StoreError: The store failed.
    """
    if isinstance(endpoint, AsyncPushEndpoint):
        return asyncio.run(drive_async(flow, _perform))
    return drive(flow, _perform)


def _perform(step: Get | CompareAndSet | Callable[[], Any]) -> Any:
    return step.perform() if isinstance(step, Get | CompareAndSet) else step()


def keeps(endpoint: AnyEndpoint) -> bool:
    """Return whether the endpoint has an inbox."""
    return _get_handling(endpoint).inbox is not None


def list_kept(endpoint: AnyEndpoint) -> Flow[list[KeptPush]]:
    """Return what is in the inbox, by slots."""
    handling, kept = _get_handling(endpoint), list[KeptPush]()
    for lane, limit in enumerate((yield from _get_inbox(handling).read_limits())):
        for number in range(limit):
            if (push := (yield from _find(handling, f"{lane}:{number}"))) is not None:
                kept.append(push)
    return kept


def retry(endpoint: AnyEndpoint, slots: Collection[str] = (), *, lost: bool = False, seconds: float) -> Flow[Retried]:
    """Work on what no process works on, or enqueue it, and wait for its handlers.

    What is in the lane of a running process is left to that process, which looks every few seconds.

    Args:
        endpoint: The endpoint.
        slots: Pushes whose attempts begin again, and at once; also if they are lost.
        lost: Whether the attempts of all lost ones do.
        seconds: How long to wait; what still runs then is handed back.
    """
    endpoint._upkeep.leave_looking_to_caller()  # noqa: SLF001, of the same package
    changes = yield from _change(endpoint, slots, _reopen, lost=lost)
    before = yield from list_kept(endpoint)
    monotonic, started = _get_handling(endpoint).options.monotonic, 0
    end = monotonic() + seconds
    while begun := cast("int", (yield endpoint.recover)):
        started += begun
        yield partial(endpoint.drain, max(end - monotonic(), 0.0))
        if monotonic() >= end:
            break
    yield partial(endpoint.drain, 0.0)
    after = yield from list_kept(endpoint)
    return Retried(changes, before, started, started > 0 and monotonic() >= end, after)


def drop(endpoint: AnyEndpoint, slots: Collection[str] = (), *, lost: bool = False) -> Flow[list[EntryChange]]:
    """Delete pushes in these slots, or all that are lost."""
    return (yield from _change(endpoint, slots, _drop, lost=lost))


# --- one push ---------------------------------------------------------------------------------------------------------


def _get_handling(endpoint: AnyEndpoint) -> Handling:
    return endpoint._handling  # noqa: SLF001, of the same package


def _get_inbox(handling: Handling) -> Inbox:
    return cast("Inbox", handling.inbox)


def _find(handling: Handling, slot: str) -> Flow[KeptPush | None]:
    """Return what is in a slot; None if it is empty, or has only what is left over."""
    found = yield from _get_inbox(handling).find(slot)
    if found is None:
        return None
    raw, entry = found
    raw_record: bytes | None = yield Get(cast("AnyStore", handling.store), entry.key)
    record = None if raw_record is None else load_record(raw_record)
    if entry.state != "lost" and is_left_over(record, slot):
        return None
    is_owned = False
    if isinstance(record, Run) or entry.state != "lost":
        claim = record.claim if isinstance(record, Run) else entry.claim
        is_owned = not isinstance(record, Free) and not (yield from handling.process.is_dead(claim))
    try:
        settings = handling.options.settings
        message = reopen_push(settings, entry.format, entry.document, is_sealed=entry.is_sealed).message
    except PushError:
        message = None
    return KeptPush(slot, entry, message, is_owned, record, raw, raw_record)


def _change(
    endpoint: AnyEndpoint,
    slots: Collection[str],
    change: Callable[[Handling, KeptPush], Flow[bool]],
    *,
    lost: bool,
) -> Flow[list[EntryChange]]:
    handling, chosen = _get_handling(endpoint), dict.fromkeys(slots)
    if lost:
        kept = yield from list_kept(endpoint)
        chosen |= dict.fromkeys(push.slot for push in kept if push.state == "lost")
    changes = []
    for slot in chosen:
        first = yield from _find(handling, slot)
        changes.append(EntryChange(slot, first, (yield from _change_one(handling, first, change))))
    return changes


def _change_one(
    handling: Handling, push: KeptPush | None, change: Callable[[Handling, KeptPush], Flow[bool]]
) -> Flow[bool]:
    """Change a push unless a process works on it; also if it has just changed."""
    for _ in range(_ATTEMPTS):
        if push is None or push.is_owned:
            return False
        if (yield from change(handling, push)):
            return True
        push = yield from _find(handling, push.slot)
    raise StoreError("the store refuses to replace the value that it returns")


def _reopen(handling: Handling, push: KeptPush) -> Flow[bool]:
    """Let the next process that looks work on a push, as if it had never been tried."""
    record, slot = push.record, push.slot
    # If the record has the answer to the push, only further answers are in the inbox.
    if not (isinstance(record, Done) and record.slot == slot):
        late = not (isinstance(record, Run) and record.slot) or record.late
        # Before the entry, which would be left over otherwise.
        free = Free(f"..{NOBODY}{secrets.token_hex(4)}", slot, late)
        if not (yield from push.replace_record(_get_inbox(handling).store, free, ENTRY_KEPT)):
            return False
    entry = push.entry
    state: Literal["open", "answered"] = "answered" if entry.parts and is_whole(entry.parts[-1]) else "open"
    now = handling.options.clock()
    new = attrs.evolve(entry, state=state, attempt=0, due=now, claim=NO_CLAIM, reason="")
    return (yield from push.replace_entry(_get_inbox(handling), new))


def _drop(handling: Handling, push: KeptPush) -> Flow[bool]:
    """Delete a push, so that no process works on it."""
    record, keep = push.record, KEEP if push.message is None else keep_for(push.message)
    is_named = record is not None and record.slot == push.slot
    if record is not None and is_named:
        done = Done(record.claim, record.reply if isinstance(record, Done) else Acknowledgement())
        if not (yield from push.replace_record(_get_inbox(handling).store, done, keep)):
            return False
    is_deleted = yield from push.replace_entry(_get_inbox(handling), None)
    return is_deleted or (is_named and push.state != "lost")  # an entry that its record does not name is left over
