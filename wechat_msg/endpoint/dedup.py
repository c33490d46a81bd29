"""The key that all deliveries of a push have in common, and the record that the store holds under it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import ReplyError, StoreError
from wechat_msg.events import Event
from wechat_msg.events.base import is_sent_for_hours
from wechat_msg.messages import Message
from wechat_msg.replies import Acknowledgement, RenderedReply

__all__ = ["KEEP", "KEEP_LONG", "Record", "is_lone", "keep_for", "load_record", "make_key", "make_lone_key"]

KEEP = 300.0
"""Seconds for which a reply is kept; the tries of a message take 15."""
KEEP_LONG = 86400.0
"""The same for events that WeChat sends again for hours."""

_SPARE = 10.0  # seconds: clocks of servers and stores differ
_ALONE = "alone"
#: How often WeChat has sent an event of virtual payment or retail; so it is not the same in all tries.
_COUNTER = "RetryTimes"

_SORTED = json.JSONEncoder(sort_keys=True)
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


# --- the key ---------------------------------------------------------------------------------------------------------


def make_key(message: Message, identity: str = "", content: str | None = None) -> str:
    """Return the key that all deliveries of a push have in common, and no other push has.

    It begins with the identity of the account that received the push. ToUserName follows: a push says so itself, and
    the owner of another account can make it say anything. A message is known by ToUserName, MsgId, FromUserName and
    CreateTime; an event, which has no MsgId, by ToUserName, FromUserName, CreateTime, Event and everything it holds, in
    whatever order. All of that is a digest: it tells nothing.

    Args:
        message: The push.
        identity: `PushSettings.identity`; may be empty where no other account uses the store.
        content: What tells this push from others of its ToUserName, instead of the above.

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
        parts = [message.to_user_name, message.from_user_name, message.create_time, *_tell_apart(message)]
    return f"{identity}:push:{hashlib.sha256(_SORTED.encode(parts).encode()).hexdigest()}"


def make_lone_key() -> str:
    """Return the key of a delivery that is to have nothing in common with any other."""
    return f"{_ALONE}:{secrets.token_hex(16)}"


def is_lone(key: str) -> bool:
    """Tell whether *key* was made by `make_lone_key`."""
    return key.rpartition(":")[0] == _ALONE  # in other keys ":push" precedes the last colon


def _tell_apart(message: Message) -> tuple[Any, ...]:
    msg_id = getattr(message, "msg_id", None)
    if msg_id and not isinstance(message, Event):
        return "message", msg_id
    raw = {name: _canonical(value) for name, value in message.raw.items() if name != _COUNTER}
    return "event", getattr(message, "event", message.msg_type).lower(), raw


def _canonical(value: Any) -> Any:
    """Make equal what XML and JSON write differently: numbers are text, and nothing is the empty text."""
    if isinstance(value, Mapping):
        return {str(name): _canonical(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    return "" if value is None else str(value)


def keep_for(message: Message, accepted: float = 0.0) -> float:
    """Return for how many seconds the reply to *message* is kept; longer than the *accepted* for which it may come."""
    usual = KEEP_LONG if isinstance(message, Event) and is_sent_for_hours(message.event) else KEEP
    return max(usual, accepted + _SPARE)


# --- what the store holds --------------------------------------------------------------------------------------------


@frozen
class Record:
    """What a key has for its value: who is at work, or the reply.

    Attributes:
        owner: The delivery whose handler runs.
        late: The last answer that WeChat waits for has gone out without the reply.
        reply: The reply; None: the handler runs.
    """

    owner: str
    late: bool = False
    reply: Acknowledgement | RenderedReply | None = None

    def dump(self) -> bytes:
        """Return it as bytes."""
        if isinstance(self.reply, RenderedReply):
            content: dict[str, Any] = {"documents": dict(self.reply.documents)}
        elif self.reply is not None:
            content = {"body": self.reply.body}
        else:
            content = {"late": self.late}
        return _COMPACT.encode({"owner": self.owner, **content}).encode()


def load_record(raw: bytes) -> Record:
    """Read what `Record.dump` has written.

    Raises:
        StoreError: Somebody else has.
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
        raise StoreError("the store holds something that is not a record of a push") from None
