"""The line of one user's pushes, which ``ordered=True`` handles one after another; a list of claims in the store."""

from __future__ import annotations

import hashlib

from wechat_msg._flow import CompareAndSet, Flow, Get, Sleep
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.records import Done, Free, dump_texts, load_record, load_texts
from wechat_msg.endpoint.registry import Running
from wechat_msg.errors import StoreError

__all__ = ["leave_line", "wait_for_turn"]

_ATTEMPTS = 100  # a compare-and-set only fails if another push's has succeeded
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5  # seconds between two looks at the line
_KEPT_LONGER = 60.0  # seconds


def wait_for_turn(handling: Handling, running: Running) -> Flow[None]:
    """Join the line of the push's user, and wait until all pushes before it are done."""
    try:
        yield from _change(handling, running, join=True)
        pause = _FIRST_PAUSE
        while not (yield from _is_first(handling, running)):
            yield Sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    except StoreError as error:
        handling.report(error)  # better out of order than not at all


def leave_line(handling: Handling, running: Running) -> Flow[None]:
    """Let the next push be handled."""
    try:
        yield from _change(handling, running, join=False)
    except StoreError as error:
        handling.report(error)  # the next one finds that this one is done


def _make_key(handling: Handling, running: Running) -> str:
    message = running.push.message
    user = f"{message.to_user_name}\n{message.from_user_name}"
    return f"{handling.identity}:line:{hashlib.sha256(user.encode('utf-8', 'replace')).hexdigest()}"


def _make_ticket(running: Running) -> str:
    return f"{running.claim} {running.record_key}"


def _change(handling: Handling, running: Running, *, join: bool) -> Flow[None]:
    key, ticket = _make_key(handling, running), _make_ticket(running)
    ttl = min(handling.options.handler_limit, 86400.0) + _KEPT_LONGER
    for _ in range(_ATTEMPTS):
        raw: bytes | None = yield Get(running.store, key)
        tickets = [each for each in load_texts(raw) if each != ticket] + [ticket] * join
        if (yield CompareAndSet(running.store, key, raw, dump_texts(tickets) if tickets else None, ttl)):
            return
    raise StoreError("the store refuses to replace the value that it returns")


def _is_first(handling: Handling, running: Running) -> Flow[bool]:
    """Return whether the push is at the head of the line; remove a head that nobody works on."""
    key, ticket = _make_key(handling, running), _make_ticket(running)
    while True:
        raw: bytes | None = yield Get(running.store, key)
        tickets = load_texts(raw)
        if ticket not in tickets or tickets[0] == ticket:
            return True  # it can only be missing if the store was emptied
        claim, _, record_key = tickets[0].partition(" ")
        if (yield from _is_worked_on(handling, running, claim, record_key)):
            return False
        ttl = min(handling.options.handler_limit, 86400.0) + _KEPT_LONGER
        yield CompareAndSet(running.store, key, raw, dump_texts(tickets[1:]), ttl)


def _is_worked_on(handling: Handling, running: Running, claim: str, record_key: str) -> Flow[bool]:
    raw: bytes | None = yield Get(running.store, record_key)
    record = None if raw is None else load_record(raw)
    if record is None or isinstance(record, Free) or record.claim != claim:
        return False
    if isinstance(record, Done) and not record.slot:  # with a slot, further parts of the answer go out
        return False
    if any(each.claim == claim for each in handling.process.registry.list_all()):
        return True
    return not (yield from handling.process.is_dead(claim))
