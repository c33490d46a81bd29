"""The key that all deliveries of a push share, and how long its reply is kept."""

from __future__ import annotations

import enum
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from wechat_msg.events._kinds import get_kind
from wechat_msg.events.base import Event
from wechat_msg.messages import Message

__all__ = [
    "KEEP",
    "NO_DEDUP",
    "NoDedup",
    "is_unshared",
    "keep_for",
    "make_key",
    "make_unshared_key",
]

KEEP = 300.0
"""Seconds for which a reply is kept, unless WeChat re-sends the push for longer; the usual tries take 15."""

_MARGIN = 10.0  # seconds: the clocks of servers and stores differ
_UNSHARED = "unshared"

#: The number of tries, in events that have it; it differs from one try to the next.
_COUNTER = "RetryTimes"

_SORTED = json.JSONEncoder(sort_keys=True)


class NoDedup(enum.Enum):
    """The type of `NO_DEDUP`."""

    NO_DEDUP = enum.auto()


NO_DEDUP: Final = NoDedup.NO_DEDUP
"""Value of ``store=`` for an endpoint that handles every delivery, re-sends included."""


# --- the key ---------------------------------------------------------------------------------------------------------


def make_key(message: Message, identity: str = "", content: str | None = None) -> str:
    """Return the key that all deliveries of a push share, and no other push has.

    It begins with the identity of the account that received the push, because ToUserName is part of the push: the owner
    of another account can write anything there. The rest is a digest. A message is identified by ToUserName, MsgId,
    FromUserName and CreateTime; an event, which has no MsgId, by ToUserName, FromUserName, CreateTime, Event and all
    its other members, in any order.

    Args:
        message: The push.
        identity: `PushSettings.identity`; may be empty if no other account uses the store.
        content: Identifies the push, together with its ToUserName, instead of the members above.

    Example:
        >>> import attrs
        >>> from wechat_msg import TextMessage
        >>> message = TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="hi", msg_id="1")
        >>> make_key(message) == make_key(attrs.evolve(message, content="ho"))
        True
        >>> make_key(message) == make_key(attrs.evolve(message, msg_id="2"))
        False
        >>> make_key(message, "wx0123456789abcdef").startswith("wx0123456789abcdef:push:")
        True

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
    """
    if content is not None:
        parts: tuple[str | int, ...] = "own", message.to_user_name, _SORTED.encode(content)
    else:
        parts = message.to_user_name, message.from_user_name, message.create_time, *_identify(message)
    return f"{identity}:push:{hashlib.sha256(ascii(parts).encode()).hexdigest()}"


def make_unshared_key() -> str:
    """Return a key that no other delivery has."""
    return f"{_UNSHARED}:{secrets.token_hex(16)}"


def is_unshared(key: str) -> bool:
    """Return whether *key* was made by `make_unshared_key`."""
    return key.rpartition(":")[0] == _UNSHARED  # in other keys ":push" precedes the last colon


def _identify(message: Message) -> tuple[str, ...]:
    msg_id = getattr(message, "msg_id", None)
    if msg_id and not isinstance(message, Event):
        return "message", msg_id
    raw = {name: _canonical(value) for name, value in message.raw.items() if name != _COUNTER}
    return "event", getattr(message, "event", message.msg_type).lower(), _SORTED.encode(raw)


def _canonical(value: Any) -> Any:
    """Make values equal that XML and JSON write differently: numbers become text, None becomes the empty text."""
    if isinstance(value, Mapping):
        return {str(name): _canonical(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    return "" if value is None else str(value)


def keep_for(message: Message, accepted: float = 0.0) -> float:
    """Return for how many seconds the reply to *message* is kept: longer than the *accepted* for which it is valid."""
    return max(KEEP, get_kind(message).resent_for, accepted + _MARGIN)
