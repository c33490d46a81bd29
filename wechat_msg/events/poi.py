"""Events of shops on the map (门店)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, number, text

__all__ = ["CreateMapPoiAuditInfoEvent", "PoiCheckNotifyEvent"]


@register_event("poi_check_notify")
class PoiCheckNotifyEvent(Event):
    """门店审核: the result of the review of a shop.

    Attributes:
        uniq_id: The merchant's own id of the shop.
        poi_id: WeChat's id of the shop.
        result: ``succ`` or ``fail``.
        msg: Text of the result; some pushes spell it ``msg``.
    """

    uniq_id: str | None = text("UniqId", default=None)
    poi_id: str | None = text("PoiId", default=None)
    result: str | None = text("Result", default=None)
    msg: str | None = text("Msg", "msg", default=None)


@register_event("create_map_poi_audit_info")
class CreateMapPoiAuditInfoEvent(Event):
    """腾讯地图添加门店审核: the result of the review of a place that was added to Tencent Maps. Unconfirmed.

    Attributes:
        audit_id: The review.
        status: Result of the review.
        map_poi_id: The place on the map.
        name: Its name.
        address: Its address.
        latitude: Its latitude in degrees.
        longitude: Its longitude in degrees.
        sh_remark: Remark of the review.
    """

    audit_id: str | None = text("audit_id", default=None)
    status: int | None = integer("status", default=None)
    map_poi_id: str | None = text("map_poi_id", default=None)
    name: str | None = text("name", default=None)
    address: str | None = text("address", default=None)
    latitude: float | None = number("latitude", default=None)
    longitude: float | None = number("longitude", default=None)
    sh_remark: str | None = text("sh_remark", default=None)
