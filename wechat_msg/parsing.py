"""Parser of pushes: from a mapping to the model that MsgType, Event or InfoType names."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from wechat_msg.errors import MalformedPush
from wechat_msg.events.base import EVENTS, UnknownEvent
from wechat_msg.fields import Registry, UnreadableField, build
from wechat_msg.messages import MESSAGES, Message, UnknownMessage

__all__ = ["parse_message"]

_log = logging.getLogger("wechat_msg")


def parse_message(mapping: Mapping[str, Any]) -> Message:
    """Build the model of a push from its fields, or from the dict that a cloud function (云函数) receives.

    Args:
        mapping: Wire names and values. Numbers may be text, a list may be an object or an array.

    Returns:
        An instance of the class that is registered for the type. If the type is not registered or its fields are
        unreadable, an `UnknownMessage` or `UnknownEvent` with all fields in `raw`. Unreadable fields are logged as a
        warning.

    Raises:
        MalformedPush: A common field (ToUserName, FromUserName, CreateTime, MsgType) is missing or unreadable. An
            event may lack ToUserName and FromUserName.

    Example:
        >>> message = parse_message({"ToUserName": "wx0123456789abcdef", "FromUserName": "oUSER", "MsgType": "text",
        ...                          "CreateTime": 1555684067, "MsgId": "49d7_1555684067", "Content": "hi"})
        >>> message.content, message.created_at.year
        ('hi', 2019)
    """
    if not isinstance(mapping, (dict, Mapping)):  # dict is there because it is fast
        raise MalformedPush("the push is not a mapping")
    cls, unknown = _choose(mapping)
    if cls is not None:
        try:
            return build(cls, mapping, raw=mapping)
        except UnreadableField as error:
            _log.warning("%s: field %s cannot be read; passed on as %s", cls.__name__, error, unknown.__name__)
        except (
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # from a class of the user
            _log.warning("%s: %s; passed on as %s", cls.__name__, type(error).__name__, unknown.__name__)
    try:
        return build(unknown, mapping, raw=mapping)
    except UnreadableField as error:
        raise MalformedPush(f"the push has no readable {error}") from None


def _choose(mapping: Mapping[str, Any]) -> tuple[type[Message] | None, type[Message]]:
    """Return the registered class, if there is one, and the class to use instead if it fails."""
    msg_type = mapping.get("MsgType")
    if msg_type is None and "InfoType" in mapping:  # a push of a third-party platform (第三方平台)
        return _find(EVENTS, mapping["InfoType"]), UnknownEvent
    if not isinstance(msg_type, str) or not msg_type.strip():
        raise MalformedPush("the push has no readable MsgType")
    if msg_type.strip().lower() == "event":
        return _find(EVENTS, mapping.get("Event")), UnknownEvent
    return _find(MESSAGES, msg_type), UnknownMessage


def _find(models: Registry[Any], name: object) -> type[Message] | None:
    return models.find(name.strip()) if isinstance(name, str) else None
