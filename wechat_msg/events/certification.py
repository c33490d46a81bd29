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
    "WxVerifyDispatchEvent",
    "WxVerifyPaySuccEvent",
    "WxVerifyRefillEvent",
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


@register_event("wx_verify_pay_succ")
class WxVerifyPaySuccEvent(Event):
    """微信认证支付成功: the fee of a verification was paid. Unconfirmed.

    Attributes:
        order_id: The order of the verification.
    """

    order_id: str = text("OrderId")


@register_event("wx_verify_dispatch")
class WxVerifyDispatchEvent(Event):
    """微信认证派单: the verification was given to a company that examines it. Unconfirmed.

    Attributes:
        provider: Name of the company.
        contact: How to reach the company.
        dispatch_time: Seconds since the epoch.
    """

    provider: str | None = text("Provider", default=None)
    contact: str | None = text("Contact", default=None)
    dispatch_time: int | None = integer("DispatchTime", default=None)


@register_event("wx_verify_refill")
class WxVerifyRefillEvent(Event):
    """微信认证打回重填: the application must be filled in again. Unconfirmed.

    Attributes:
        refill_time: Seconds since the epoch.
        refill_reason: What is missing.
    """

    refill_time: int | None = integer("RefillTime", default=None)
    refill_reason: str | None = text("RefillReason", default=None)
