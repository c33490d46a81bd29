"""The base class of events, the unknown event, and the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, dataclass_transform

import attrs

from wechat_msg._lazy import import_before_fork
from wechat_msg._tracebacks import frozen
from wechat_msg.events._topics import EVENTS_OF_MODULES
from wechat_msg.fields import Registry, content, integer, items, lenient_text, model, nested, number, text, timestamp
from wechat_msg.messages import Message

__all__ = ["EVENTS", "Event", "PushKind", "UnknownEvent", "get_kind", "register_event"]

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


@frozen
class PushKind:
    """What is special about a kind of push.

    Attributes:
        needs_errcode: Whether its acknowledgement is an ErrCode; others are acknowledged with ``success``.
        resent_for: Seconds after which WeChat no longer re-sends it; 0 if WeChat makes only the usual three tries.
        answered_for: Seconds in which the user can get a customer-service message because of it.
    """

    needs_errcode: bool = False
    resent_for: float = 0.0
    answered_for: float = 172800.0


_USUAL = PushKind()
_BRIEF = PushKind(answered_for=60.0)
_BRIEFLY_ANSWERED = {"click", "scancode_push", "scancode_waitmsg", "subscribe", "scan", "user_enter_tempsession"}
#: The kinds by the beginning of the event's name. WeChat re-sends these for up to 23 hours.
_KINDS = {
    "xpay_": PushKind(needs_errcode=True, resent_for=86400.0),  # virtual payment (虚拟支付)
    "retail_": PushKind(resent_for=86400.0),  # retail (B2b)
}


def get_kind(message: Message) -> PushKind:
    """Return the kind of a push."""
    if not isinstance(message, Event):
        return _USUAL
    name = message.event.lower()
    if name in _BRIEFLY_ANSWERED:
        return _BRIEF
    return next((kind for prefix, kind in _KINDS.items() if name.startswith(prefix)), _USUAL)


import_before_fork(*[f"{__package__}.{module}" for module in EVENTS_OF_MODULES])

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
