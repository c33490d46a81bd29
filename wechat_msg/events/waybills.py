"""Events for companies that deliver parcels (快递公司): orders of merchants, and of single senders (散单).

WeChat asks them, and waits for the answer: a document with ResultCode, ResultMsg and members of its own.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import content, integer, items, model, nested, number, text

__all__ = [
    "AddSingleWaybillEvent",
    "AddWaybillEvent",
    "CancelSingleWaybillEvent",
    "CancelWaybillEvent",
    "CheckBizEvent",
    "GetQuotaEvent",
    "NotifySingleWaybillPayEvent",
    "QuerySingleWaybillEvent",
    "QuerySingleWaybillFeeEvent",
    "RemindWaybillEvent",
    "WaybillCargo",
    "WaybillCargoItem",
    "WaybillComplaintEvent",
    "WaybillContact",
    "WaybillEvaluateAgentEvent",
    "WaybillGoods",
    "WaybillInsurance",
    "WaybillNotifyQueryEvent",
    "WaybillQueryExpectTimeRangeEvent",
    "WaybillService",
]


@model
class WaybillContact:
    """A sender or receiver. No repr shows name, numbers and address.

    Attributes:
        id: Id of the contact.
    """

    name: str | None = text("Name", default=None, repr=False)
    tel: str | None = text("Tel", default=None, repr=False)
    mobile: str | None = text("Mobile", default=None, repr=False)
    company: str | None = text("Company", default=None, repr=False)
    post_code: str | None = text("PostCode", default=None, repr=False)
    country: str | None = text("Country", default=None, repr=False)
    province: str | None = text("Province", default=None, repr=False)
    city: str | None = text("City", default=None, repr=False)
    area: str | None = text("Area", default=None, repr=False)
    street: str | None = text("Street", default=None, repr=False)
    address: str | None = text("Address", default=None, repr=False)
    id: str | None = text("Id", default=None)


@model
class WaybillCargoItem:
    """One kind of goods in a parcel.

    Attributes:
        name: Name of the goods.
        count: How many.
    """

    name: str | None = text("Name", default=None)
    count: int | None = integer("Count", default=None)


@model
class WaybillCargo:
    """A parcel.

    Attributes:
        count: Number of pieces.
        space_x: Size of the parcel, in three directions; the unit is unconfirmed.
        space_y: As above.
        space_z: As above.
        weight: Weight; the unit is unconfirmed.
        detail_list: The goods.
    """

    count: int | None = integer("Count", default=None)
    space_x: float | None = number("Space_X", default=None)
    space_y: float | None = number("Space_Y", default=None)
    space_z: float | None = number("Space_Z", default=None)
    weight: float | None = number("Weight", default=None)
    detail_list: tuple[WaybillCargoItem, ...] = items("DetailList", WaybillCargoItem)


@model
class WaybillInsurance:
    """Insurance of a parcel.

    Attributes:
        use_insured: 1 if it is insured.
        insured_value: Declared value; the unit is unconfirmed.
    """

    use_insured: int | None = integer("UseInsured", default=None)
    insured_value: int | None = integer("InsuredValue", default=None)


@model
class WaybillService:
    """Kind of delivery.

    Attributes:
        service_type: Number of the service.
        service_name: Its name.
    """

    service_type: int | None = integer("ServiceType", default=None)
    service_name: str | None = text("ServiceName", default=None)


@model
class _MerchantWaybillEvent(Event):
    """Base class of the events about merchants.

    Attributes:
        biz_id: The merchant's number at the company.
        biz_pwd: The merchant's password at the company.
        shop_app_id: AppID of the merchant.
    """

    biz_id: str | None = text("BizID", default=None)
    biz_pwd: str | None = text("BizPwd", default=None, repr=False)
    shop_app_id: str | None = text("ShopAppID", default=None)


@register_event("add_waybill")
class AddWaybillEvent(_MerchantWaybillEvent):
    """下单: a merchant orders a delivery.

    Attributes:
        token: Token of the order, which the answer repeats. Unconfirmed.
        order_id: The order.
        way_bill_id: Number of the waybill.
        remark: A remark of the merchant.
        sender: The sender.
        receiver: The receiver.
        cargo: The parcel.
        insured: The insurance.
        service: The kind of delivery.
    """

    token: str | None = text("Token", default=None, repr=False)
    order_id: str = text("OrderID")
    way_bill_id: str | None = text("WayBillID", default=None)
    remark: str | None = content("Remark", default=None)
    sender: WaybillContact | None = nested("Sender", WaybillContact, default=None)
    receiver: WaybillContact | None = nested("Receiver", WaybillContact, default=None)
    cargo: WaybillCargo | None = nested("Cargo", WaybillCargo, default=None)
    insured: WaybillInsurance | None = nested("Insured", WaybillInsurance, default=None)
    service: WaybillService | None = nested("Service", WaybillService, default=None)


@register_event("cancel_waybill")
class CancelWaybillEvent(_MerchantWaybillEvent):
    """取消订单: a merchant cancels a delivery.

    Attributes:
        order_id: The order.
        way_bill_id: Number of the waybill.
    """

    order_id: str | None = text("OrderID", default=None)
    way_bill_id: str | None = text("WayBillID", default=None)


@register_event("check_biz")
class CheckBizEvent(_MerchantWaybillEvent):
    """审核商户: WeChat asks whether the merchant is a customer of the company.

    Attributes:
        shop_name: Name of the shop.
        shop_telphone: Phone number of the shop.
        shop_contact: Person to ask in the shop.
        service_name: Name of the service.
        sender_province: The address that parcels come from.
    """

    shop_name: str | None = text("ShopName", default=None)
    shop_telphone: str | None = text("ShopTelphone", default=None, repr=False)
    shop_contact: str | None = text("ShopContact", default=None, repr=False)
    service_name: str | None = text("ServiceName", default=None)
    sender_province: str | None = text("SenderProvince", default=None, repr=False)
    sender_city: str | None = text("SenderCity", default=None, repr=False)
    sender_area: str | None = text("SenderArea", default=None, repr=False)
    sender_address: str | None = text("SenderAddress", default=None, repr=False)


@register_event("get_quota")
class GetQuotaEvent(_MerchantWaybillEvent):
    """查询商户余额: WeChat asks how many waybills the merchant has left."""


@register_event("waybill_notify_query")
class WaybillNotifyQueryEvent(Event):
    """查询运单轨迹: WeChat asks for the path of a parcel. The answer has WaybillCreateTime and Path.

    Attributes:
        waybill_id: Number of the waybill.
        sender_phone: Phone number of the sender.
        receiver_phone: Phone number of the receiver.
    """

    waybill_id: str = text("WaybillId")
    sender_phone: str | None = text("SenderPhone", default=None, repr=False)
    receiver_phone: str | None = text("ReceiverPhone", default=None, repr=False)


@model
class _SingleWaybillEvent(Event):
    """Base class of the events about single senders. Not every event has every member.

    Attributes:
        token: Token of the order.
        wx_app_id: AppID of the Mini Program.
        order_id: The order.
        way_bill_id: Number of the waybill; WeChat's page of one event spells it ``WaybillId``.
    """

    token: str | None = text("Token", default=None, repr=False)
    wx_app_id: str | None = text("WXAppId", default=None)
    order_id: str | None = text("OrderID", default=None)
    way_bill_id: str | None = text("WayBillID", "WaybillId", default=None)


@model
class WaybillGoods:
    """The goods of a single sender.

    Attributes:
        special: Kind of the goods.
        weight: Weight; the unit is unconfirmed.
    """

    special: int | None = integer("Special", default=None)
    weight: float | None = number("Weight", default=None)


@register_event("add_single_waybill")
class AddSingleWaybillEvent(_SingleWaybillEvent):
    """散单下单: a user orders a delivery.

    Attributes:
        company_id: The company.
        account: The account at the company.
        account_pwd: The password of the account.
        sender: The sender.
        receiver: The receiver.
        good_detail: The goods.
        insured: The insurance.
        remark: A remark of the user.
        settingment: How the delivery is paid; this is WeChat's spelling.
        expect_start_time: The courier should come between this time and `expect_end_time`, seconds since the epoch.
        expect_end_time: As above.
        pick_up_start_time: The courier comes between this time and `pick_up_end_time`, seconds since the epoch.
        pick_up_end_time: As above.
        scene: Where the user ordered it.
    """

    company_id: str | None = text("CompanyID", default=None)
    account: str | None = text("Account", default=None)
    account_pwd: str | None = text("AccountPwd", default=None, repr=False)
    sender: WaybillContact | None = nested("Sender", WaybillContact, default=None)
    receiver: WaybillContact | None = nested("Receiver", WaybillContact, default=None)
    good_detail: WaybillGoods | None = nested("GoodDetail", WaybillGoods, default=None)
    insured: WaybillInsurance | None = nested("Insured", WaybillInsurance, default=None)
    remark: str | None = content("Remark", default=None)
    settingment: int | None = integer("Settingment", default=None)
    expect_start_time: int | None = integer("ExpectStartTime", default=None)
    expect_end_time: int | None = integer("ExpectEndTime", default=None)
    pick_up_start_time: int | None = integer("PickUpStartTime", default=None)
    pick_up_end_time: int | None = integer("PickUpEndTime", default=None)
    scene: int | None = integer("Scene", default=None)


@register_event("cancel_single_waybill")
class CancelSingleWaybillEvent(_SingleWaybillEvent):
    """散单取消订单: a user cancels a delivery.

    Attributes:
        cancel_id: Number of the reason.
        cancel_reason: The reason in words.
    """

    cancel_id: str | None = text("CancelID", default=None)
    cancel_reason: str | None = content("CancelReason", default=None)


@register_event("notify_single_waybill_pay")
class NotifySingleWaybillPayEvent(_SingleWaybillEvent):
    """散单支付通知: a user paid for a delivery.

    Attributes:
        fee: The fee; the unit is unconfirmed.
        original_fee: The fee before discounts.
        pay_order_id: Number of the payment.
        pay_finish_time: Seconds since the epoch.
    """

    fee: int | None = integer("Fee", default=None)
    original_fee: int | None = integer("OriginalFee", default=None)
    pay_order_id: str | None = text("PayOrderId", default=None)
    pay_finish_time: int | None = integer("PayFinishTime", default=None)


@register_event("query_single_waybill")
class QuerySingleWaybillEvent(_SingleWaybillEvent):
    """散单查询订单: WeChat asks for the state of a delivery."""


@register_event("query_single_waybill_fee")
class QuerySingleWaybillFeeEvent(_SingleWaybillEvent):
    """散单查询运费: WeChat asks for the price of a delivery. The answer has Fee and OriginalFee.

    Attributes:
        sender: The sender.
        receiver: The receiver.
        good_detail: The goods.
        scene: Where the user asks.
    """

    sender: WaybillContact | None = nested("Sender", WaybillContact, default=None)
    receiver: WaybillContact | None = nested("Receiver", WaybillContact, default=None)
    good_detail: WaybillGoods | None = nested("GoodDetail", WaybillGoods, default=None)
    scene: int | None = integer("Scene", default=None)


@register_event("remind_waybill")
class RemindWaybillEvent(_SingleWaybillEvent):
    """散单催单: a user asks the company to hurry."""


@register_event("waybill_complaint")
class WaybillComplaintEvent(_SingleWaybillEvent):
    """散单投诉: a user complains about a delivery.

    Attributes:
        complain_type: Kind of the complaint.
        content: The complaint.
        pic: A picture.
        name: Name of the user.
        phone: Phone number of the user.
    """

    complain_type: int | None = integer("ComplainType", default=None)
    content: str | None = content("Content", default=None)
    pic: str | None = text("Pic", default=None)
    name: str | None = text("Name", default=None, repr=False)
    phone: str | None = text("Phone", default=None, repr=False)


@register_event("waybill_evaluate_agent")
class WaybillEvaluateAgentEvent(_SingleWaybillEvent):
    """散单评价快递员: a user rates a courier.

    Attributes:
        courier_type: Kind of the courier.
        score: The score.
    """

    courier_type: int | None = integer("CourierType", default=None)
    score: int | None = integer("Score", default=None)


@register_event("waybill_query_expect_time_range")
class WaybillQueryExpectTimeRangeEvent(_SingleWaybillEvent):
    """散单查询期望上门时间: WeChat asks when a courier can come. The answer has ValidTimeRange.

    Attributes:
        id: Id of the address.
    """

    province: str | None = text("Province", default=None, repr=False)
    city: str | None = text("City", default=None, repr=False)
    area: str | None = text("Area", default=None, repr=False)
    street: str | None = text("Street", default=None, repr=False)
    address: str | None = text("Address", default=None, repr=False)
    id: str | None = text("Id", default=None)
