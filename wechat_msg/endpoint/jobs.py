"""Handlers that run where a job queue runs them: the text of a job, and the work that it starts."""

from __future__ import annotations

import json
import logging
import re
from typing import Any, cast

from wechat_msg._flow import Flow, Get
from wechat_msg._handlers import RunHandler
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.records import Done, Free, Run, load_record
from wechat_msg.endpoint.takeover import take_over
from wechat_msg.endpoint.work import Work
from wechat_msg.errors import SettingsError

__all__ = ["begin_job", "enqueue"]

_log = logging.getLogger("wechat_msg")

_VERSION = 1
_SLOT, _DIGEST = re.compile(r"[0-9]{1,9}:[0-9]{1,9}", re.ASCII), re.compile(r"[0-9a-f]{64}", re.ASCII)


def enqueue(handling: Handling, key: str, slot: str) -> Flow[bool]:
    """Give a push in the inbox to the job queue; False if ``queue`` raised an error, which is logged."""
    job = json.dumps({"v": _VERSION, "push": key.rpartition(":")[2], "slot": slot}, separators=(",", ":"))
    try:
        yield RunHandler(cast("Any", handling.options.queue), job)
    except Exception:  # noqa: BLE001, a broker's own errors
        _log.exception("queue raised an error, so a push was not enqueued")
        return False
    return True


def begin_job(handling: Handling, job: str) -> Flow[Work | None]:
    """Claim the push of a job; None if it is done, or runs elsewhere.

    Raises:
        SettingsError: The job was made for another account, or is damaged.
        StoreError: The store failed.
    """
    key, slot = _read_job(handling, job)
    inbox, process = cast("Inbox", handling.inbox), handling.process
    found = yield from inbox.find(slot)
    if found is None or found[1].key != key or found[1].state == "lost" or process.registry.find(key) is not None:
        return None
    raw: bytes | None = yield Get(inbox.store, key)
    record = None if raw is None else load_record(raw)
    if isinstance(record, Done) and not (record.slot == slot and (yield from process.is_dead(found[1].claim))):
        return None
    if isinstance(record, Run) and not isinstance(record, Free) and not (yield from process.is_dead(record.claim)):
        return None
    return (yield from take_over(handling, slot, found, raw))


def _read_job(handling: Handling, job: str) -> tuple[str, str]:
    try:
        fields = json.loads(job)
        version, digest, slot = fields["v"], fields["push"], fields["slot"]
        if version == _VERSION and _SLOT.fullmatch(slot) and _DIGEST.fullmatch(digest):
            return f"{handling.identity}:push:{digest}", slot
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        pass
    raise SettingsError("run_job needs the text that queue= was given")
