"""The base of every event, the unknown event, and the register."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, dataclass_transform

import attrs

from wechat_msg.fields import content, integer, items, model, nested, number, text, text_if_any, timestamp
from wechat_msg.messages import Message

__all__ = ["Event", "UnknownEvent", "find_event", "is_sent_for_hours", "register_event"]

E = TypeVar("E", bound="Event")


@model
class Event(Message):
    """What every event has. `event` keeps the spelling received; events are told apart without regard to case.

    Attributes:
        event: The Event; for a push of a third-party platform, its InfoType.
    """

    # A few events of the platform itself name neither side.
    to_user_name: str = text("ToUserName", default="")
    from_user_name: str = text("FromUserName", default="")
    msg_type: str = text("MsgType", default="event")
    event: str = text("Event", "InfoType", default=attrs.Factory(lambda self: self.wire_type, takes_self=True))


@model
class UnknownEvent(Event):
    """An event that is not registered, or one that could not be read: everything is in `raw`."""

    event: str = text_if_any("Event", "InfoType", default="")


def is_sent_for_hours(event: str) -> bool:
    """Tell whether WeChat sends *event* again for hours, up to 23, until it is acknowledged; all others for 20 seconds.

    Events of virtual payment (虚拟支付) and of retail (B2b) have plans of their own.
    """
    return event.lower().startswith(("xpay_", "retail_"))


_EVENTS: dict[str, type[Event]] = {}


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(text, text_if_any, content, integer, timestamp, number, nested, items, attrs.field),
)
def register_event(event: str, *also: str) -> Callable[[type[E]], type[E]]:
    """Make the decorated subclass of `Event` the model of *event* (and of *also*); the last one registered wins.

    Example:
        >>> from wechat_msg import Event, parse_message, register_event
        >>> from wechat_msg.fields import text
        >>> @register_event("debug_demo")
        ... class DebugDemoEvent(Event):
        ...     debug_str: str = text("debug_str")
        >>> parse_message({"MsgType": "event", "Event": "debug_demo", "debug_str": "x", "CreateTime": 1}).debug_str
        'x'
    """

    def register(cls: type[E]) -> type[E]:
        modelled = model(cls)
        modelled.wire_type = event
        _EVENTS.update((name.lower(), modelled) for name in (event, *also))
        return modelled

    return register


def find_event(event: str) -> type[Event] | None:
    """Return the class registered for *event*, if there is one."""
    return _EVENTS.get(event.lower())
