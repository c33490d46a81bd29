"""Events of users' data and authorisations in Mini Programs, mobile apps and website apps."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import model, text

__all__ = ["UserAuthorizationCancellationEvent", "UserAuthorizationRevokeEvent", "UserInfoModifiedEvent"]


@model
class _UserInfoEvent(Event):
    """Base class of these events.

    Attributes:
        open_id: The user's OpenID; mobile and website apps spell it ``openid``.
        app_id: The AppID; mobile and website apps spell it ``appid``.
        revoke_info: The withdrawn authorisation, a number as text: 1 licence plate, 2 address, 3 invoice, 4 bluetooth,
            5 microphone, 6 nickname and avatar, 7 camera, 8 phone number, 12 steps, 13 location, 14 image or video,
            15 file, 16 e-mail, 18 chosen place, 19 nickname from the keyboard, 20 avatar from the component.
        plugin_id: The plug-in, if the authorisation was for one.
        open_pid: The user's id in the plug-in.
        union_id: The user's UnionID. Unconfirmed.
    """

    open_id: str | None = text("OpenID", "openid", default=None)
    app_id: str | None = text("AppID", "appid", default=None)
    revoke_info: str | None = text("RevokeInfo", default=None)
    plugin_id: str | None = text("PluginID", default=None)
    open_pid: str | None = text("OpenPID", default=None)
    union_id: str | None = text("UnionID", default=None)


@register_event("user_info_modified")
class UserInfoModifiedEvent(_UserInfoEvent):
    """用户资料变更: the user's profile changed."""


@register_event("user_authorization_revoke")
class UserAuthorizationRevokeEvent(_UserInfoEvent):
    """用户撤回授权: the user withdrew an authorisation. Delete the data that it gave access to."""


@register_event("user_authorization_cancellation")
class UserAuthorizationCancellationEvent(_UserInfoEvent):
    """用户完成注销: the user's account was deleted. Delete all data of the user."""
