"""Mapping to model, by MsgType, Event or InfoType; what is not known stays usable."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from wechat_msg.errors import MalformedPush
from wechat_msg.events import UnknownEvent
from wechat_msg.events.base import find_event
from wechat_msg.fields import UnreadableField, build
from wechat_msg.messages import Message, UnknownMessage, find_message

__all__ = ["parse_message"]

_log = logging.getLogger("wechat_msg")


def parse_message(mapping: Mapping[str, Any]) -> Message:
    """Make the model of a push from its fields; also for the dict that a cloud function (云函数) gets.

    Args:
        mapping: Wire names and values. Numbers may be text, a list may be an object or an array.

    Returns:
        The class registered for the type. An `UnknownMessage` or `UnknownEvent`, with everything in `raw`, for a type
        that is not registered and for one whose fields cannot be read; the latter is logged as a warning.

    Raises:
        MalformedPush: A common field (ToUserName, FromUserName, CreateTime, MsgType) is missing or unreadable. An
            event may lack ToUserName and FromUserName.

    Example:
        >>> message = parse_message({"ToUserName": "wx0123456789abcdef", "FromUserName": "oUSER", "MsgType": "text",
        ...                          "CreateTime": 1555684067, "MsgId": "49d7_1555684067", "Content": "hi"})
        >>> message.content, message.created_at.year
        ('hi', 2019)
    """
    if not isinstance(mapping, Mapping):
        raise MalformedPush("the push is not a mapping")
    cls, unknown = _choose(mapping)
    if cls is not None:
        try:
            return build(cls, mapping, raw=mapping)
        except UnreadableField as error:
            _log.warning("%s: field %s cannot be read; passed on as %s", cls.__name__, error, unknown.__name__)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # a registered class of the user
            _log.warning("%s: %s; passed on as %s", cls.__name__, type(error).__name__, unknown.__name__)
    try:
        return build(unknown, mapping, raw=mapping)
    except UnreadableField as error:
        raise MalformedPush(f"the push has no readable {error}") from None


def _choose(mapping: Mapping[str, Any]) -> tuple[type[Message] | None, type[Message]]:
    """Return the registered class, if there is one, and the one to fall back to."""
    msg_type = mapping.get("MsgType")
    if msg_type is None and "InfoType" in mapping:  # a push of a third-party platform (第三方平台)
        return _find(find_event, mapping["InfoType"]), UnknownEvent
    if not isinstance(msg_type, str) or not msg_type.strip():
        raise MalformedPush("the push has no readable MsgType")
    if msg_type.strip().lower() == "event":
        return _find(find_event, mapping.get("Event")), UnknownEvent
    return _find(find_message, msg_type), UnknownMessage


def _find(find: Callable[[str], type[Message] | None], name: object) -> type[Message] | None:
    return find(name.strip()) if isinstance(name, str) else None
