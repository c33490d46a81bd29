"""Events of stores of Mini Programs (门店小程序, withdrawn) and of nearby Mini Programs (附近的小程序).

All are unconfirmed: one SDK reads them.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, text

__all__ = [
    "AddNearbyPoiAuditInfoEvent",
    "AddStoreAuditInfoEvent",
    "ApplyMerchantAuditInfoEvent",
    "ModifyStoreAuditInfoEvent",
    "NearbyCategoryAuditInfoEvent",
]


@model
class _StoreAuditEvent(Event):
    """Base class of these events.

    Attributes:
        audit_id: Id of the application.
        status: Result of the review.
        reason: Why it was refused.
    """

    audit_id: str | None = text("audit_id", default=None)
    status: int | None = integer("status", default=None)
    reason: str | None = text("reason", default=None)


@register_event("apply_merchant_audit_info")
class ApplyMerchantAuditInfoEvent(_StoreAuditEvent):
    """门店小程序类目审核: the review of a merchant who applied for stores. WeChat has withdrawn it."""


@register_event("add_store_audit_info")
class AddStoreAuditInfoEvent(_StoreAuditEvent):
    """创建门店审核: the review of a new store. WeChat has withdrawn it.

    Attributes:
        is_upgrade: 1 if it is an upgrade.
        poiid: Id of the place.
    """

    is_upgrade: int | None = integer("is_upgrade", default=None)
    poiid: str | None = text("poiid", default=None)


@register_event("modify_store_audit_info")
class ModifyStoreAuditInfoEvent(_StoreAuditEvent):
    """修改门店审核: the review of a changed store. WeChat has withdrawn it."""


@register_event("add_nearby_poi_audit_info")
class AddNearbyPoiAuditInfoEvent(_StoreAuditEvent):
    """附近的小程序地点审核: the review of a place of a nearby Mini Program.

    Attributes:
        poi_id: Id of the place.
    """

    poi_id: str | None = text("poi_id", default=None)


@register_event("nearby_category_audit_info")
class NearbyCategoryAuditInfoEvent(_StoreAuditEvent):
    """附近的小程序类目审核: the review of a category of a nearby Mini Program."""
