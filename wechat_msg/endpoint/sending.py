"""How the parts of a late answer reach the user: they are sent, or kept for the user's next messages."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from typing import Any, Literal, cast

from wechat_msg._flow import Flow
from wechat_msg._handlers import RunHandler
from wechat_msg.endpoint.answers import Handled
from wechat_msg.endpoint.handling import Handling
from wechat_msg.endpoint.inbox import ATTEMPTS
from wechat_msg.endpoint.kept import KeptAnswers
from wechat_msg.endpoint.late import AnswerLater, LostReason
from wechat_msg.endpoint.owned import WHILE_IT_FAILS, OwnedPush
from wechat_msg.endpoint.parts import load_kept, load_message
from wechat_msg.endpoint.registry import Running, make_item
from wechat_msg.endpoint.streams import Stream, compute_digest
from wechat_msg.errors import ReplyError
from wechat_msg.events._kinds import get_kind
from wechat_msg.messages import Message
from wechat_msg.replies import Reply

__all__ = [
    "add_place",
    "answer_late",
    "give_up",
    "report_unsent",
    "send_or_keep",
    "send_parts",
    "send_stream",
    "send_stream_at_once",
]

_log = logging.getLogger("wechat_msg")

#: WeChat's numbers for messages that it refuses for good: no permission, too late, too many, too long.
_REFUSED = {48001, 45015, 45047, 45002}


def answer_late(owned: OwnedPush, handled: Handled) -> Flow[None]:
    """Put the answer to a push that was acknowledged into the inbox, and send or keep it."""
    handling, message = owned.handling, owned.running.push.message
    yield from owned.ask(owned.load)
    if not handled.replies:
        if handling.answers.are_kept:
            yield from owned.ask(owned.remove_place)
        yield from owned.ask(owned.close)
    elif not handling.answers.go_out_later:
        yield from owned.lose("late")
    elif handled.stream is not None:
        yield from send_stream(owned, handled, is_begun=False)
    else:
        parts = _dump_all(handling, message, handled.replies)
        if not parts:
            yield from owned.lose("unsent")
            return
        yield from owned.ask(lambda: owned.swap(state="answered", parts=parts, sent=0))
        yield from send_parts(owned)
        yield from report_unsent(handling, message, len(handled.replies) - len(parts))


def _dump_all(handling: Handling, message: Message, replies: Sequence[Reply]) -> tuple[str, ...]:
    return tuple(part for reply in replies if (part := handling.answers.dump(message, reply)) is not None)


def report_unsent(handling: Handling, message: Message, count: int) -> Flow[None]:
    """Report an answer of which so many parts could not be sent; the others were."""
    if count > 0:
        yield from handling.report_lost(message, "unsent")


def send_parts(owned: OwnedPush) -> Flow[None]:
    """Send the parts that were not sent yet, or keep them, and delete the entry."""
    handling = owned.handling
    if not isinstance(handling.options.late, AnswerLater):
        yield from _keep_and_close(owned, owned.found_entry.parts[owned.found_entry.sent :])
        return
    if owned.found_entry.reason:
        yield from give_up(owned, owned.found_entry.reason)
        return
    while (entry := owned.found_entry).sent < len(entry.parts):
        if outcome := (yield from _send(owned, entry.parts[entry.sent])):
            yield from _end_unsent(owned, outcome)
            return
        if entry.sent + 1 == len(entry.parts):
            break
        yield from owned.ask(lambda: owned.swap(sent=owned.found_entry.sent + 1))
    yield from owned.ask(owned.close)


def send_stream(owned: OwnedPush, handled: Handled, *, is_begun: bool) -> Flow[None]:
    """Send or keep the parts of a generator while it runs; those that left before it was run again are skipped.

    Args:
        owned: The push; its entry is read.
        handled: The generator, and its first reply.
        is_begun: Whether the entry counts that as sent if the push was answered with it, so that nothing is skipped.
    """
    handling, message, stream = owned.handling, owned.running.push.message, cast("Stream", handled.stream)
    if not is_begun or not owned.found_entry.sent:
        stream.unread(handled.replies[0])
    gone = [] if is_begun else list(owned.found_entry.parts[: owned.found_entry.sent])
    while (reply := (yield from handling.read(message, stream))) is not None:
        part = yield from _dump(handling, message, reply)
        if part is None or (gone and gone.pop(0) == compute_digest(part)):
            continue
        gone, number = [], owned.found_entry.sent
        sent = *owned.found_entry.parts[:number], compute_digest(part)
        if handling.answers.are_kept:
            yield from owned.ask(functools.partial(keep, handling, owned.running, (part,), at=number, is_open=True))
        elif outcome := (yield from _send(owned, part)):
            left = [part, *(yield from _read_parts(handling, message, stream))]
            yield from owned.ask(functools.partial(owned.swap, state="answered", parts=(*sent[:number], *left)))
            yield from _end_unsent(owned, outcome)
            return
        yield from owned.ask(functools.partial(owned.swap, parts=sent, sent=number + 1))
    if handling.answers.are_kept:
        yield from owned.ask(functools.partial(keep, handling, owned.running, (), at=owned.found_entry.sent))
    yield from owned.ask(owned.close)


def send_stream_at_once(handling: Handling, running: Running, handled: Handled, *, is_begun: bool) -> Flow[None]:
    """Send or keep the parts of a generator that is not in the inbox."""
    message, stream = running.push.message, cast("Stream", handled.stream)
    if not is_begun or handled.in_time == 0:
        stream.unread(handled.replies[0])
    number = int(is_begun and handled.in_time)
    while (reply := (yield from handling.read(message, stream))) is not None:
        if handling.answers.are_kept:
            part = yield from _dump(handling, message, reply)
            if part is not None:
                is_kept = yield from _keep_at_once(handling, running, (part,), at=number, is_open=True)
                yield from report_unsent(handling, message, int(not is_kept))
                number += 1
        else:
            yield from send_or_keep(handling, running, [reply])
    if handling.answers.are_kept:
        yield from _keep_at_once(handling, running, (), at=number)


def _dump(handling: Handling, message: Message, reply: Reply) -> Flow[str | None]:
    """Return a part of a generator for the store; one that cannot be sent is lost, and the others are not."""
    part = handling.answers.dump(message, reply)
    yield from report_unsent(handling, message, int(part is None))
    return part


def _read_parts(handling: Handling, message: Message, stream: Stream) -> Flow[list[str]]:
    """Return the parts that a generator still gives."""
    parts = []
    while (reply := (yield from handling.read(message, stream))) is not None:
        if (part := (yield from _dump(handling, message, reply))) is not None:
            parts.append(part)
    return parts


_Outcome = Literal["", "again"] | LostReason


def _send(owned: OwnedPush, part: str) -> Flow[_Outcome]:
    """Send the part that is next; return why it was not sent, or ``again`` if that may pass."""
    handling, message, entry = owned.handling, owned.running.push.message, owned.found_entry
    if handling.options.clock() > entry.came + get_kind(message).answered_for:
        return "window"
    yield from owned.ask(owned.ensure_lane)
    try:
        yield RunHandler(cast("AnswerLater", handling.options.late).send, load_message(part))
    except Exception as error:  # noqa: BLE001, an error of the sender must not end the handler's thread
        if handling.kept is not None and (entry.attempt >= ATTEMPTS or _is_final(error)):
            number = getattr(error, "errcode", type(error).__name__)
            _log.warning("a customer-service message is kept instead, as it could not be sent: %s", number)
            return "unsent"
        _log.exception("the late reply to a %s could not be sent", type(message).__name__)
        return "unsent" if _is_final(error) else "again"
    return ""


def _end_unsent(owned: OwnedPush, outcome: _Outcome) -> Flow[None]:
    if outcome == "again":
        yield from owned.leave(failed=True)
    elif outcome:
        yield from give_up(owned, outcome)


def give_up(owned: OwnedPush, reason: LostReason) -> Flow[None]:
    """Keep the parts that could not be sent, if the policy says so; else they are lost."""
    handling, entry = owned.handling, owned.found_entry
    left = entry.parts[entry.sent :]
    parts = _list_keepable(handling, left)
    if not parts:
        yield from owned.lose(reason)
        return
    # Whoever takes over the push now keeps them, too; what it has sent is not kept.
    yield from owned.ask(lambda: owned.swap(reason=reason))
    yield from _keep_and_close(owned, parts)
    if len(parts) < len(left):
        yield from handling.report_lost(owned.running.push.message, reason)


def send_or_keep(handling: Handling, running: Running, replies: Sequence[Reply]) -> Flow[None]:
    """Send or keep an answer that is not in the inbox; report it if it is lost."""
    message, late = running.push.message, handling.options.late
    if not handling.answers.go_out_later:
        yield from handling.report_lost(message, "late")
        return
    left = _dump_all(handling, message, replies)
    lost = len(replies) - len(left)
    try:
        while left and isinstance(late, AnswerLater):
            yield RunHandler(late.send, load_message(left[0]))
            left = left[1:]
    except Exception:  # noqa: BLE001, an error of the sender must not end the handler's thread
        _log.exception("the late reply to a %s could not be sent", type(message).__name__)
    parts = _list_keepable(handling, left)
    is_kept = parts and (yield from _keep_at_once(handling, running, parts))
    yield from report_unsent(handling, message, lost + len(left) - (len(parts) if is_kept else 0))


def _keep_at_once(handling: Handling, running: Running, parts: Sequence[str], **options: Any) -> Flow[bool | None]:
    """Keep parts of an answer that is not in the inbox; None if the store fails until the handler's time is over."""
    ask = functools.partial(keep, handling, running, parts, **options)
    return (yield from handling.ask_until(running.ends, ask, pause=WHILE_IT_FAILS))


def keep(
    handling: Handling, running: Running, parts: Sequence[str], *, at: int = 0, is_open: bool = False
) -> Flow[bool]:
    """Keep parts, from number *at* on, for the user's next messages; if they are kept already, nothing changes."""
    kept = cast("KeptAnswers", handling.kept)
    openid, until = running.push.message.from_user_name, handling.answers.keep_until()
    dropped = yield from kept.put(
        openid, running.item, tuple(parts), until, key=running.record_key, at=at, is_open=is_open
    )
    if dropped:
        yield from handling.report_lost(None, "full")
    return True


def add_place(handling: Handling, message: Message, key: str) -> Flow[bool]:
    """Let the user's messages wait for the answer to the push whose record has the *key*: it will be kept."""
    kept = cast("KeptAnswers", handling.kept)
    yield from kept.add_place(message.from_user_name, make_item(key), key, handling.answers.keep_until())
    return True


def _keep_and_close(owned: OwnedPush, parts: Sequence[str]) -> Flow[None]:
    yield from owned.ask(lambda: keep(owned.handling, owned.running, parts))
    yield from owned.ask(owned.close)


def _list_keepable(handling: Handling, parts: Sequence[str]) -> list[str]:
    return [part for part in parts if handling.kept is not None and load_kept(part) is not None]


def _is_final(error: Exception) -> bool:
    return isinstance(error, ReplyError) or getattr(error, "errcode", None) in _REFUSED
