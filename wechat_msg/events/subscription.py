"""Events of subscription messages (订阅消息, 订阅通知), of Official Accounts and Mini Programs.

In XML, an element with the name of the event encloses the list; in JSON, the list is at the top. A single entry may
come without an array. `list` is always a tuple.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, items, model, text

__all__ = [
    "SubscribeMsgChange",
    "SubscribeMsgChangeEvent",
    "SubscribeMsgPopup",
    "SubscribeMsgPopupEvent",
    "SubscribeMsgSent",
    "SubscribeMsgSentEvent",
]


@model
class SubscribeMsgPopup:
    """The user's choice for one template.

    Attributes:
        template_id: The template.
        subscribe_status_string: ``accept`` or ``reject``.
        popup_scene: 0 in a page of a Mini Program, 1 in an H5 page, 2 in an article.
    """

    template_id: str = text("TemplateId")
    subscribe_status_string: str = text("SubscribeStatusString")
    popup_scene: int | None = integer("PopupScene", default=None)


@register_event("subscribe_msg_popup_event")
class SubscribeMsgPopupEvent(Event):
    """用户操作订阅弹窗: the user made a choice in the subscription dialogue."""

    list: tuple[SubscribeMsgPopup, ...] = items("List", SubscribeMsgPopup, within="SubscribeMsgPopupEvent")


@model
class SubscribeMsgChange:
    """The user's new choice for one template; only ``reject`` is pushed at present."""

    template_id: str = text("TemplateId")
    subscribe_status_string: str = text("SubscribeStatusString")


@register_event("subscribe_msg_change_event")
class SubscribeMsgChangeEvent(Event):
    """用户管理订阅通知: the user changed subscriptions in the settings."""

    list: tuple[SubscribeMsgChange, ...] = items("List", SubscribeMsgChange, within="SubscribeMsgChangeEvent")


@model
class SubscribeMsgSent:
    """The result of one subscription message.

    Attributes:
        template_id: The template.
        msg_id: Id of the message, as text.
        error_code: 0 for success.
        error_status: ``success``, or the reason of the failure.
    """

    template_id: str = text("TemplateId")
    msg_id: str = text("MsgID", "MsgId")
    error_code: int | None = integer("ErrorCode", default=None)
    error_status: str | None = text("ErrorStatus", default=None)


@register_event("subscribe_msg_sent_event")
class SubscribeMsgSentEvent(Event):
    """发送订阅通知结果: results of subscription messages. WeChat reports only asynchronous system failures."""

    list: tuple[SubscribeMsgSent, ...] = items("List", SubscribeMsgSent, within="SubscribeMsgSentEvent")
