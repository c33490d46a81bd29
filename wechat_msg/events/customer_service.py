"""Events of customer service (客服): sessions with agents, and users who enter one from a Mini Program."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import text

__all__ = ["KfCloseSessionEvent", "KfCreateSessionEvent", "KfSwitchSessionEvent", "UserEnterTempSessionEvent"]


@register_event("kf_create_session")
class KfCreateSessionEvent(Event):
    """接入会话: an agent took the user's session."""

    kf_account: str = text("KfAccount")


@register_event("kf_close_session")
class KfCloseSessionEvent(Event):
    """关闭会话: an agent closed the user's session. `close_type` is unconfirmed."""

    kf_account: str = text("KfAccount")
    close_type: str | None = text("CloseType", default=None)


@register_event("kf_switch_session")
class KfSwitchSessionEvent(Event):
    """转接会话: the user's session was transferred from one agent to another."""

    from_kf_account: str = text("FromKfAccount")
    to_kf_account: str = text("ToKfAccount")


@register_event("user_enter_tempsession")
class UserEnterTempSessionEvent(Event):
    """进入客服会话: the user entered customer service. `session_from` is the ``session-from`` of the button."""

    session_from: str | None = text("SessionFrom", default=None)
