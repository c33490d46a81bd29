"""Events for companies of instant delivery (即时配送).

WeChat asks them, and waits for the answer: a document with resultcode, resultmsg and members of its own.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import content, integer, items, model, nested, number, text

__all__ = [
    "CancelAuthAccountEvent",
    "GetAuthInfoEvent",
    "GetPreAuthCodeEvent",
    "MockUpdateOrderStatusEvent",
    "TransportAddOrderEvent",
    "TransportAddTipsEvent",
    "TransportCancelOrderEvent",
    "TransportCargo",
    "TransportConfirmReturnToBizEvent",
    "TransportContact",
    "TransportGetAgentPosEvent",
    "TransportGood",
    "TransportGoodsDetail",
    "TransportOrderInfo",
    "TransportPrecancelOrderEvent",
    "TransportPrecreateOrderEvent",
    "TransportQueryOrderStatusEvent",
    "TransportReaddOrderEvent",
    "TransportSetRiderScoreEvent",
]


@model
class TransportContact:
    """A sender or receiver.

    Attributes:
        address_detail: Floor and door.
        lng: Longitude in degrees.
        lat: Latitude in degrees.
        coordinate_type: System of coordinates.
    """

    name: str | None = text("name", default=None, repr=False)
    city: str | None = text("city", default=None)
    address: str | None = text("address", default=None, repr=False)
    address_detail: str | None = text("address_detail", default=None, repr=False)
    phone: str | None = text("phone", default=None, repr=False)
    lng: float | None = number("lng", default=None, repr=False)
    lat: float | None = number("lat", default=None, repr=False)
    coordinate_type: int | None = integer("coordinate_type", default=None)


@model
class TransportGood:
    """One kind of goods.

    Attributes:
        good_count: How many.
        good_name: Name of the goods.
        good_price: Price of one.
        good_unit: Unit that they are counted in.
    """

    good_count: int | None = integer("good_count", default=None)
    good_name: str | None = text("good_name", default=None)
    good_price: float | None = number("good_price", default=None)
    good_unit: str | None = text("good_unit", default=None)


@model
class TransportGoodsDetail:
    """The goods of an order."""

    goods: tuple[TransportGood, ...] = items("goods", TransportGood)


@model
class TransportCargo:
    """What is to be delivered. The units are unconfirmed.

    Attributes:
        goods_value: Value of the goods.
        goods_detail: The goods.
        goods_pickup_info: What the courier must know to get the goods.
        goods_delivery_info: What the courier must know to deliver the goods.
        cargo_first_class: Category of the goods.
        cargo_second_class: Category within `cargo_first_class`.
    """

    goods_value: float | None = number("goods_value", default=None)
    goods_height: float | None = number("goods_height", default=None)
    goods_length: float | None = number("goods_length", default=None)
    goods_width: float | None = number("goods_width", default=None)
    goods_weight: float | None = number("goods_weight", default=None)
    goods_detail: TransportGoodsDetail | None = nested("goods_detail", TransportGoodsDetail, default=None)
    goods_pickup_info: str | None = text("goods_pickup_info", default=None)
    goods_delivery_info: str | None = text("goods_delivery_info", default=None)
    cargo_first_class: str | None = text("cargo_first_class", default=None)
    cargo_second_class: str | None = text("cargo_second_class", default=None)


@model
class TransportOrderInfo:
    """How an order is to be delivered. Times are in seconds since the epoch; the units of money are unconfirmed.

    Attributes:
        delivery_service_code: Code of the service.
        order_type: Kind of the order.
        poi_seq: Serial number of the order at the shop.
        order_time: When the user ordered.
        is_insured: 1 if it is insured.
        declared_value: Value for the insurance.
        tips: Tip for the courier.
        is_direct_delivery: 1 if the delivery is direct.
        cash_on_delivery: Cash to be paid at the delivery.
        cash_on_pickup: Cash to be paid at the pick-up.
        rider_pick_method: How the courier gets the goods.
        is_finish_code_needed: 1 if the delivery needs a code.
        is_pickup_code_needed: 1 if the pick-up needs a code.
        note: A note of the user.
    """

    delivery_service_code: str | None = text("delivery_service_code", default=None)
    order_type: int | None = integer("order_type", default=None)
    expected_delivery_time: int | None = integer("expected_delivery_time", default=None)
    expected_finish_time: int | None = integer("expected_finish_time", default=None)
    expected_pick_time: int | None = integer("expected_pick_time", default=None)
    poi_seq: str | None = text("poi_seq", default=None)
    order_time: int | None = integer("order_time", default=None)
    is_insured: int | None = integer("is_insured", default=None)
    declared_value: float | None = number("declared_value", default=None)
    tips: float | None = number("tips", default=None)
    is_direct_delivery: int | None = integer("is_direct_delivery", default=None)
    cash_on_delivery: float | None = number("cash_on_delivery", default=None)
    cash_on_pickup: float | None = number("cash_on_pickup", default=None)
    rider_pick_method: int | None = integer("rider_pick_method", default=None)
    is_finish_code_needed: int | None = integer("is_finish_code_needed", default=None)
    is_pickup_code_needed: int | None = integer("is_pickup_code_needed", default=None)
    note: str | None = content("note", default=None)


@model
class _TransportEvent(Event):
    """Base class of the events about an order.

    Attributes:
        shopid: The shop's id at the company.
        shop_order_id: The order.
        shop_no: Number of the shop's branch.
        delivery_sign: Signature of the request.
        waybill_id: The company's number of the order.
    """

    shopid: str | None = text("shopid", default=None)
    shop_order_id: str = text("shop_order_id")
    shop_no: str | None = text("shop_no", default=None)
    delivery_sign: str | None = text("delivery_sign", default=None, repr=False)
    waybill_id: str | None = text("waybill_id", default=None)


@model
class _TransportOrderEvent(_TransportEvent):
    """Base class of the events with a complete order.

    Attributes:
        sender: The sender.
        receiver: The receiver.
        cargo: What is to be delivered.
        order_info: How it is to be delivered.
        wx_token: Token of the order.
        delivery_token: The token that the company gave in answer to `TransportPrecreateOrderEvent`, which keeps the
            price; not in that event.
    """

    sender: TransportContact | None = nested("sender", TransportContact, default=None)
    receiver: TransportContact | None = nested("receiver", TransportContact, default=None)
    cargo: TransportCargo | None = nested("cargo", TransportCargo, default=None)
    order_info: TransportOrderInfo | None = nested("order_info", TransportOrderInfo, default=None)
    wx_token: str | None = text("wx_token", default=None, repr=False)
    delivery_token: str | None = text("delivery_token", default=None, repr=False)


@register_event("transport_add_order")
class TransportAddOrderEvent(_TransportOrderEvent):
    """下配送单: a shop orders a delivery."""


@register_event("transport_readd_order")
class TransportReaddOrderEvent(_TransportOrderEvent):
    """重新下单: a shop orders a delivery again."""


@register_event("transport_precreate_order")
class TransportPrecreateOrderEvent(_TransportOrderEvent):
    """预下配送单: WeChat asks for the price of a delivery."""


@model
class _TransportCancelEvent(_TransportEvent):
    """Base class of the events of cancellation.

    Attributes:
        cancel_reason_id: Number of the reason.
        cancel_reason: The reason in words.
    """

    cancel_reason_id: int | None = integer("cancel_reason_id", default=None)
    cancel_reason: str | None = content("cancel_reason", default=None)


@register_event("transport_cancel_order")
class TransportCancelOrderEvent(_TransportCancelEvent):
    """取消配送单: a shop cancels a delivery."""


@register_event("transport_precancel_order")
class TransportPrecancelOrderEvent(_TransportCancelEvent):
    """预取消配送单: WeChat asks for the price of cancelling a delivery."""


@register_event("transport_query_order_status")
class TransportQueryOrderStatusEvent(_TransportEvent):
    """查询配送单状态: WeChat asks for the state of a delivery."""


@register_event("transport_add_tips")
class TransportAddTipsEvent(_TransportEvent):
    """增加小费: a shop gives the courier a tip.

    Attributes:
        tips: The tip.
        remark: A remark of the shop.
    """

    tips: float | None = number("tips", default=None)
    remark: str | None = content("remark", default=None)


@register_event("transport_confirm_return_to_biz")
class TransportConfirmReturnToBizEvent(_TransportEvent):
    """异常件退回确认: the shop got the goods back."""


@register_event("transport_get_agent_pos")
class TransportGetAgentPosEvent(_TransportEvent):
    """查询骑手位置: WeChat asks where the courier is. The answer has lng, lat, distance and reach_time."""


@register_event("transport_set_rider_score")
class TransportSetRiderScoreEvent(_TransportEvent):
    """评价骑手: a user rates a courier.

    Attributes:
        delivery_ontime_score: Score of the time.
        cargo_intact_score: Score of the state of the goods.
        attitude_score: Score of the courier's attitude.
    """

    delivery_ontime_score: int | None = integer("delivery_ontime_score", default=None)
    cargo_intact_score: int | None = integer("cargo_intact_score", default=None)
    attitude_score: int | None = integer("attitude_score", default=None)


@register_event("mock_update_order_status")
class MockUpdateOrderStatusEvent(_TransportEvent):
    """模拟更新配送单状态: a test changes the state of a delivery.

    Attributes:
        order_status: The new state.
        action_time: Seconds since the epoch.
        action_msg: Text of the change.
    """

    order_status: int | None = integer("order_status", default=None)
    action_time: int | None = integer("action_time", default=None)
    action_msg: str | None = text("action_msg", default=None)


@register_event("get_pre_auth_code")
class GetPreAuthCodeEvent(Event):
    """获取预授权码: a shop begins to authorise WeChat. The answer has pre_auth_code.

    Attributes:
        wx_appid: AppID of the shop.
    """

    wx_appid: str | None = text("wx_appid", default=None)


@register_event("get_auth_info")
class GetAuthInfoEvent(Event):
    """获取授权信息: a shop has authorised WeChat. The answer has appkey, account_type and account.

    Attributes:
        wx_appid: AppID of the shop.
        code: Code of the authorisation.
    """

    wx_appid: str | None = text("wx_appid", default=None)
    code: str | None = text("code", default=None, repr=False)


@register_event("cancel_auth_account")
class CancelAuthAccountEvent(Event):
    """取消授权: a shop withdraws its authorisation.

    Attributes:
        shopid: The shop's id at the company.
        wx_appid: AppID of the shop.
    """

    shopid: str | None = text("shopid", default=None)
    wx_appid: str | None = text("wx_appid", default=None)
