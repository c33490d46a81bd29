"""The key that all deliveries of a push share, and the record that the store holds under it."""

from __future__ import annotations

import enum
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import ReplyError, StoreError
from wechat_msg.events.base import Event, get_kind
from wechat_msg.messages import Message
from wechat_msg.replies import Acknowledgement, RenderedReply

__all__ = [
    "KEEP",
    "NO_DEDUP",
    "NoDedup",
    "Record",
    "is_unshared",
    "keep_for",
    "load_record",
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
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


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
        parts: list[Any] = ["own", message.to_user_name, content]
    else:
        parts = [message.to_user_name, message.from_user_name, message.create_time, *_identify(message)]
    return f"{identity}:push:{hashlib.sha256(_SORTED.encode(parts).encode()).hexdigest()}"


def make_unshared_key() -> str:
    """Return a key that no other delivery has."""
    return f"{_UNSHARED}:{secrets.token_hex(16)}"


def is_unshared(key: str) -> bool:
    """Return whether *key* was made by `make_unshared_key`."""
    return key.rpartition(":")[0] == _UNSHARED  # in other keys ":push" precedes the last colon


def _identify(message: Message) -> tuple[Any, ...]:
    msg_id = getattr(message, "msg_id", None)
    if msg_id and not isinstance(message, Event):
        return "message", msg_id
    raw = {name: _canonical(value) for name, value in message.raw.items() if name != _COUNTER}
    return "event", getattr(message, "event", message.msg_type).lower(), raw


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


# --- the record ------------------------------------------------------------------------------------------------------


@frozen
class Record:
    """The value of a key: which delivery runs the handler, or the reply.

    Attributes:
        owner: The delivery that runs the handler.
        late: Whether the last answer that WeChat waits for went out without the reply.
        reply: The reply; None if the handler still runs.
    """

    owner: str
    late: bool = False
    reply: Acknowledgement | RenderedReply | None = None

    def dump(self) -> bytes:
        """Return the record as bytes."""
        if isinstance(self.reply, RenderedReply):
            content: dict[str, Any] = {"documents": dict(self.reply.documents)}
        elif self.reply is not None:
            content = {"body": self.reply.body}
        else:
            content = {"late": self.late}
        return _COMPACT.encode({"owner": self.owner, **content}).encode()


def load_record(raw: bytes) -> Record:
    """Return the record that `Record.dump` wrote.

    Raises:
        StoreError: The value was not written by `Record.dump`.
    """
    try:
        content = json.loads(raw)
        owner = str(content["owner"])
        if "documents" in content:
            return Record(owner, reply=RenderedReply(documents=content["documents"]))
        if "body" in content:
            return Record(owner, reply=Acknowledgement(body=content["body"]))
        return Record(owner, late=bool(content["late"]))
    except (KeyError, TypeError, ValueError, RecursionError, ReplyError):
        raise StoreError("the store holds a value that is not a record of a push") from None
