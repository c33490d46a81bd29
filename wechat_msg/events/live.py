"""Events of live streams of Mini Programs (小程序直播)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = [
    "LiveFollow",
    "PushMessageApiNotify",
    "WxaliveFollowNotifyEvent",
    "WxalivePushMessageNotifyEvent",
]


@model
class LiveFollow:
    """A user's subscription to a live stream.

    Attributes:
        room_id: The room, a number as text.
        user_openid: The user's OpenID.
        time: When it changed, as received.
        live_status: 101 live, 102 not begun, 103 ended.
        action: ``add_follow`` or ``del_follow``.
    """

    room_id: str | None = text("room_id", default=None)
    user_openid: str | None = text("user_openid", default=None)
    time: str | None = text("time", default=None)
    live_status: int | None = integer("live_status", default=None)
    action: str | None = text("action", default=None)


@register_event("wxalive_follow_notify")
class WxaliveFollowNotifyEvent(Event):
    """直播间订阅通知: a user follows or unfollows a live stream. Its members may also be among those of the event."""

    follow_notify: LiveFollow = nested("FollowNotify", LiveFollow, flat=True)


@model
class PushMessageApiNotify:
    """How many users got a message.

    Attributes:
        message_id: Id of the message.
        room_id: The live room.
        total_count: Number of users.
        success_count: Users who got it.
        openid_error_count: Failures because of a wrong OpenID.
        relation_error_count: Failures because of the user's relation to the room.
        user_recv_limit_count: Failures because of the limit of messages to a user.
        internal_error_count: Failures because of errors of the system.
    """

    message_id: str | None = text("message_id", default=None)
    room_id: str | None = text("room_id", default=None)
    total_count: int | None = integer("total_count", default=None)
    success_count: int | None = integer("success_count", default=None)
    openid_error_count: int | None = integer("openid_error_count", default=None)
    relation_error_count: int | None = integer("relation_error_count", default=None)
    user_recv_limit_count: int | None = integer("user_recv_limit_count", default=None)
    internal_error_count: int | None = integer("internal_error_count", default=None)


@register_event("wxalive_push_message_notify")
class WxalivePushMessageNotifyEvent(Event):
    """直播消息推送结果: the result of a message to the followers of a live stream. Unconfirmed."""

    push_message_api_notify: PushMessageApiNotify = nested("PushMessageApiNotify", PushMessageApiNotify, flat=True)
