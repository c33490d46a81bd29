"""The base class of events, the unknown event, and the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, dataclass_transform

import attrs

from wechat_msg.events._topics import EVENTS_OF_MODULES
from wechat_msg.fields import Registry, content, integer, items, lenient_text, model, nested, number, text, timestamp
from wechat_msg.messages import Message

__all__ = ["EVENTS", "Event", "UnknownEvent", "register_event"]

E = TypeVar("E", bound="Event")


@model
class Event(Message):
    """Base class of events.

    Attributes:
        event: The Event, or the InfoType of a push of a third-party platform, as received. Its case does not matter.
    """

    # A few events of WeChat itself have neither.
    to_user_name: str = text("ToUserName", default="")
    from_user_name: str = text("FromUserName", default="")
    msg_type: str = text("MsgType", default="event")
    event: str = text("Event", "InfoType", default=attrs.Factory(lambda self: self.wire_type, takes_self=True))


@model
class UnknownEvent(Event):
    """An event that is not registered, or whose fields are unreadable. All fields are in `raw`."""

    event: str = lenient_text("Event", "InfoType", default="")


#: The models of events. ``with EVENTS.temporary():`` undoes what a test registers.
EVENTS = Registry["Event"]({f"{__package__}.{module}": names for module, names in EVENTS_OF_MODULES.items()})


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(text, lenient_text, content, integer, timestamp, number, nested, items, attrs.field),
)
def register_event(event: str, *also: str) -> Callable[[type[E]], type[E]]:
    """Make the decorated subclass of `Event` the model of *event* (and of *also*); the last one registered wins.

    Example:
        >>> from wechat_msg import Event, parse_message, register_event
        >>> from wechat_msg.fields import text
        >>> @register_event("lamp_lit")
        ... class LampLitEvent(Event):
        ...     lamp_name: str = text("LampName")
        >>> parse_message({"MsgType": "event", "Event": "lamp_lit", "LampName": "x", "CreateTime": 1}).lamp_name
        'x'
    """

    def register(cls: type[E]) -> type[E]:
        modelled = model(cls)
        modelled.wire_type = event
        EVENTS.add(modelled, event, *also)
        return modelled

    return register
