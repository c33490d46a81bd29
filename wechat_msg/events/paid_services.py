"""Events of paid services of Mini Programs (付费服务)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, text

__all__ = ["ChargeMpServiceQuotaNotifyEvent", "ChargeMpServiceValidityNotifyEvent"]


@model
class _ChargeEvent(Event):
    """Base class of these events.

    Attributes:
        event_type: 3 for the quota, 4 for the validity.
        appid: AppID of the Mini Program.
        spu_id: The service, a number as text.
        spu_name: Its name.
    """

    event_type: int | None = integer("event_type", default=None)
    appid: str | None = text("appid", default=None)
    spu_id: str | None = text("spu_id", default=None)
    spu_name: str | None = text("spu_name", default=None)


@register_event("charge_mp_service_quota_notify", "charge_service_quota_notify")
class ChargeMpServiceQuotaNotifyEvent(_ChargeEvent):
    """付费服务用量预警: 20, 10, 5 or 0 % of a service's quota are left. Sources differ in the name; both work.

    Attributes:
        total_quota: The quota.
        total_used_quota: How much of it is used.
    """

    total_quota: int | None = integer("total_quota", default=None)
    total_used_quota: int | None = integer("total_used_quota", default=None)


@register_event("charge_mp_service_validity_notify")
class ChargeMpServiceValidityNotifyEvent(_ChargeEvent):
    """付费服务到期预警: a service ends soon, at `validity_end_time`, a time as received."""

    validity_end_time: str | None = text("validity_end_time", default=None)
