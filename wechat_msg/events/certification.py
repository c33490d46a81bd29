"""Events of the account's certification (认证)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, text

__all__ = [
    "AnnualRenewEvent",
    "NamingVerifyFailEvent",
    "NamingVerifySuccessEvent",
    "QualificationVerifyFailEvent",
    "QualificationVerifySuccessEvent",
    "VerifyExpiredEvent",
]


@model
class _ExpiryEvent(Event):
    """Base class of the events with the end of a certification.

    Attributes:
        expired_time: When the certification ends or has ended, in seconds since the epoch.
    """

    expired_time: int | None = integer("ExpiredTime", default=None)


@model
class _FailureEvent(Event):
    """Base class of the events of a certification that failed.

    Attributes:
        fail_time: When it failed, in seconds since the epoch.
        fail_reason: The reason.
    """

    fail_time: int | None = integer("FailTime", default=None)
    fail_reason: str | None = text("FailReason", default=None)


@register_event("qualification_verify_success")
class QualificationVerifySuccessEvent(_ExpiryEvent):
    """资质认证成功: the qualification was verified; interfaces are open from now on."""


@register_event("qualification_verify_fail")
class QualificationVerifyFailEvent(_FailureEvent):
    """资质认证失败: the qualification was not verified."""


@register_event("naming_verify_success")
class NamingVerifySuccessEvent(_ExpiryEvent):
    """名称认证成功: the name was verified."""


@register_event("naming_verify_fail")
class NamingVerifyFailEvent(_FailureEvent):
    """名称认证失败: the name was not verified, although the qualification may have been."""


@register_event("annual_renew")
class AnnualRenewEvent(_ExpiryEvent):
    """年审通知: the yearly review is due before the certification ends."""


@register_event("verify_expired")
class VerifyExpiredEvent(_ExpiryEvent):
    """认证过期失效通知: the certification has ended."""
