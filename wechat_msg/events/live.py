"""Events of live streams of Mini Programs (小程序直播)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = ["LiveFollow", "WxaliveFollowNotifyEvent"]


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
