"""Events of logistics (物流助手, 即时配送) for merchants."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, items, model, nested, text

__all__ = [
    "AddExpressPathEvent",
    "DeliveryAgent",
    "ExpressAction",
    "UpdateBusinessBindResultEvent",
    "UpdateWaybillStatusEvent",
]


@model
class ExpressAction:
    """One step of a parcel.

    Attributes:
        action_time: When, in seconds since the epoch.
        action_type: Kind of the step, a number such as 100001.
        action_msg: Text of the step.
    """

    action_time: int | None = integer("ActionTime", default=None)
    action_type: int | None = integer("ActionType", default=None)
    action_msg: str | None = text("ActionMsg", default=None)


@register_event("add_express_path", "express_add_path")
class AddExpressPathEvent(Event):
    """运单轨迹更新: the path of a parcel changed.

    The console of cloud functions calls the event express_add_path; both names work.

    Attributes:
        delivery_id: The delivery company.
        way_bill_id: The waybill.
        order_id: The merchant's id of the order.
        version: Version of the path.
        count: Number of steps.
        actions: The steps.
    """

    delivery_id: str | None = text("DeliveryID", default=None)
    way_bill_id: str | None = text("WayBillId", default=None)
    order_id: str | None = text("OrderId", default=None)
    version: int | None = integer("Version", default=None)
    count: int | None = integer("Count", default=None)
    actions: tuple[ExpressAction, ...] = items("Actions", ExpressAction)


@register_event("update_business_bind_result")
class UpdateBusinessBindResultEvent(Event):
    """审核商户绑定结果: a delivery company accepted or refused the merchant, by its `delivery_id` and `biz_id`."""

    delivery_id: str | None = text("delivery_id", default=None)
    biz_id: str | None = text("biz_id", default=None)


@model
class DeliveryAgent:
    """The courier. No repr shows name and phone.

    Attributes:
        name: Name.
        phone: Phone number.
        reach_time: Expected time of arrival, as received.
    """

    name: str | None = text("name", default=None, repr=False)
    phone: str | None = text("phone", default=None, repr=False)
    reach_time: str | None = text("reach_time", default=None)


@register_event("update_waybill_status")
class UpdateWaybillStatusEvent(Event):
    """配送状态更新: the state of an immediate delivery changed.

    Attributes:
        shopid: The merchant.
        shop_order_id: The merchant's id of the order.
        waybill_id: The waybill.
        action_time: When, in seconds since the epoch.
        order_status: The new state, a number.
        action_msg: Text of the state.
        shop_no: The shop.
        agent: The courier.
    """

    shopid: str | None = text("shopid", default=None)
    shop_order_id: str | None = text("shop_order_id", default=None)
    waybill_id: str | None = text("waybill_id", default=None)
    action_time: int | None = integer("action_time", default=None)
    order_status: int | None = integer("order_status", default=None)
    action_msg: str | None = text("action_msg", default=None)
    shop_no: str | None = text("shop_no", default=None)
    agent: DeliveryAgent | None = nested("agent", DeliveryAgent, default=None)
