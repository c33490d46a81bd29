"""Events of the reviews of Mini Programs (小程序审核)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = [
    "PrivacyApplyResult",
    "WeappAuditDelayEvent",
    "WeappAuditFailEvent",
    "WeappAuditSuccessEvent",
    "WxaCategoryAuditEvent",
    "WxaNicknameAuditEvent",
    "WxaPrivacyApplyEvent",
]


@register_event("weapp_audit_success")
class WeappAuditSuccessEvent(Event):
    """代码审核通过: a version passed the review, at `succ_time`, in seconds since the epoch."""

    succ_time: int | None = integer("SuccTime", default=None)


@register_event("weapp_audit_fail")
class WeappAuditFailEvent(Event):
    """代码审核不通过: a version did not pass the review.

    Attributes:
        reason: The reason.
        fail_time: When it failed, in seconds since the epoch.
        screen_shot: Media ids of pictures, joined by ``|``.
    """

    reason: str | None = text("Reason", default=None)
    fail_time: int | None = integer("FailTime", default=None)
    screen_shot: str | None = text("ScreenShot", default=None)


@register_event("weapp_audit_delay")
class WeappAuditDelayEvent(Event):
    """代码审核延后: the review of a version takes longer.

    Attributes:
        reason: The reason.
        delay_time: Since when, in seconds since the epoch.
    """

    reason: str | None = text("Reason", default=None)
    delay_time: int | None = integer("DelayTime", default=None)


@register_event("wxa_nickname_audit")
class WxaNicknameAuditEvent(Event):
    """名称审核结果: the result of the review of a name. A third-party platform gets it with InfoType in place of Event.

    Attributes:
        ret: 2 refused, 3 passed.
        nickname: The name.
        reason: Reason, if it was refused.
    """

    ret: int | None = integer("ret", default=None)
    nickname: str | None = text("nickname", default=None)
    reason: str | None = text("reason", default=None)


@register_event("wxa_category_audit")
class WxaCategoryAuditEvent(Event):
    """类目审核结果: the result of the review of a category.

    Attributes:
        ret: 2 refused, 3 passed.
        first: Id of the first-level category, as text.
        second: Id of the second-level category, as text.
        reason: Reason, if it was refused.
    """

    ret: int | None = integer("ret", default=None)
    first: str | None = text("first", default=None)
    second: str | None = text("second", default=None)
    reason: str | None = text("reason", default=None)


@model
class PrivacyApplyResult:
    """The result of the review of one private interface.

    Attributes:
        api_name: The interface, such as ``wx.choosePoi``.
        apply_time: When it was applied for, in seconds since the epoch.
        audit_id: The review, a number as text.
        audit_time: When it was reviewed, in seconds since the epoch.
        reason: Reason, if it was refused.
        status: The result.
    """

    api_name: str | None = text("api_name", default=None)
    apply_time: int | None = integer("apply_time", default=None)
    audit_id: str | None = text("audit_id", default=None)
    audit_time: int | None = integer("audit_time", default=None)
    reason: str | None = text("reason", default=None)
    status: int | None = integer("status", default=None)


@register_event("wxa_privacy_apply")
class WxaPrivacyApplyEvent(Event):
    """隐私接口申请审核结果: the result of the application for a private interface."""

    result_info: PrivacyApplyResult = nested("result_info", PrivacyApplyResult)
