"""发货信息管理: tell WeChat that the goods of an order are on their way; until then it keeps the payment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any

from attrs import Factory, field

from wechat_msg._tracebacks import frozen
from wechat_msg.api._arguments import as_list, to_object, to_objects, without_none
from wechat_msg.api.call import APPID, Call, Pages, post
from wechat_msg.api.results import Member, Members, Result, ResultOf, no_result
from wechat_msg.errors import CallError
from wechat_msg.fields import content, items, model, nested, timestamp

__all__ = [
    "DeliveryCompany",
    "OrderKey",
    "ShippedItem",
    "Shipping",
    "ShippingContact",
    "ShippingItem",
    "SubOrder",
    "TradeOrder",
    "TradeOrderPage",
    "get_delivery_list",
    "get_order",
    "get_order_list",
    "is_trade_managed",
    "is_trade_management_confirmation_completed",
    "iterate_orders",
    "notify_confirm_receive",
    "set_msg_jump_path",
    "upload_combined_shipping_info",
    "upload_shipping_info",
]

# --- what is shipped -------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class OrderKey:
    """Which order it is: the id that WeChat Pay (微信支付) gave the payment, or that of the merchant.

    Attributes:
        transaction_id: Id that WeChat Pay gave the payment; or give the other two.
        mchid: Id of the merchant.
        out_trade_no: Id that the merchant gave the payment.
        order_number_type: 2 with *transaction_id*, else 1; it follows from the others.

    Example:
        >>> OrderKey(mchid="1900000001", out_trade_no="ORDER-1").order_number_type
        1
    """

    transaction_id: str | None = None
    mchid: str | None = None
    out_trade_no: str | None = None
    order_number_type: int = field(
        init=False, default=Factory(lambda self: 1 if self.transaction_id is None else 2, takes_self=True)
    )


@model
class ShippingContact:
    """Phone numbers of a parcel, with asterisks as in ``189****1234`` (unconfirmed). No repr shows them.

    Attributes:
        consignor_contact: Phone number of the sender.
        receiver_contact: Phone number of the receiver.
    """

    consignor_contact: str | None = content("consignor_contact", default=None)
    receiver_contact: str | None = content("receiver_contact", default=None)


@frozen(kw_only=True)
class ShippingItem:
    """A parcel, or what else is delivered.

    Attributes:
        item_desc: The goods, such as ``拿铁 x1``.
        tracking_no: Number of the parcel; only for express delivery.
        express_company: Id of the express company, from `get_delivery_list`; only for express delivery.
        contact: Phone numbers; some companies need one.
    """

    item_desc: str | None = field(default=None, repr=False)
    tracking_no: str | None = None
    express_company: str | None = None
    contact: ShippingContact | Mapping[str, Any] | None = field(default=None, repr=False)


def _keep_items(items: Iterable[ShippingItem | Mapping[str, Any]]) -> Iterable[ShippingItem | Mapping[str, Any]]:
    return tuple(items) if isinstance(items, Iterator) else items  # the order may be used more than once


@frozen(kw_only=True)
class SubOrder:
    """One of the orders that were paid together.

    Attributes:
        order_key: The order.
        logistics_type: As for `upload_shipping_info`.
        shipping_list: As for `upload_shipping_info`.
        delivery_mode: As for `upload_shipping_info`.
        is_all_delivered: As for `upload_shipping_info`.
    """

    order_key: OrderKey | Mapping[str, Any]
    logistics_type: int
    shipping_list: Iterable[ShippingItem | Mapping[str, Any]] = field(converter=_keep_items)
    delivery_mode: int = 1
    is_all_delivered: bool | None = None


def upload_shipping_info(
    order_key: OrderKey | Mapping[str, Any],
    openid: str,
    logistics_type: int,
    shipping_list: Iterable[ShippingItem | Mapping[str, Any]],
    *,
    upload_time: datetime | str,
    delivery_mode: int = 1,
    is_all_delivered: bool | None = None,
) -> Call[None]:
    """发货信息录入: tell WeChat how an order is delivered.

    Args:
        order_key: The order.
        openid: The user who paid.
        logistics_type: 1 for express delivery, 2 for delivery within the city, 3 for goods that are not delivered, such
            as virtual ones, 4 if the user fetches them.
        shipping_list: The parcels; one, unless *delivery_mode* is 2.
        upload_time: Time of this information, with its time zone; a text has the form of RFC 3339, such as
            ``2026-11-29T13:55:58+08:00``.
        delivery_mode: 1 if everything is delivered together, 2 if in several parcels.
        is_all_delivered: Whether everything is on its way now; needed if *delivery_mode* is 2.

    Raises:
        CallError: An order or parcel is neither of its class nor a mapping, *shipping_list* is not a list, or
            *upload_time* has no time zone.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    order = SubOrder(
        order_key=order_key,
        logistics_type=logistics_type,
        shipping_list=shipping_list,
        delivery_mode=delivery_mode,
        is_all_delivered=is_all_delivered,
    )
    return _upload("upload_shipping_info", _write_order(order), openid, upload_time)


def upload_combined_shipping_info(
    order_key: OrderKey | Mapping[str, Any],
    openid: str,
    sub_orders: Iterable[SubOrder | Mapping[str, Any]],
    *,
    upload_time: datetime | str,
) -> Call[None]:
    """发货信息合单录入: tell WeChat how orders that were paid together are delivered.

    Args:
        order_key: The payment of all.
        openid: The user who paid.
        sub_orders: The orders.
        upload_time: As for `upload_shipping_info`.

    Raises:
        CallError: An order or parcel is neither of its class nor a mapping, *sub_orders* is not a list, or
            *upload_time* has no time zone.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    body = {
        "order_key": to_object(order_key, OrderKey, "order_key"),
        "sub_orders": [_write_order(order) for order in as_list(sub_orders, "sub_orders")],
    }
    return _upload("upload_combined_shipping_info", body, openid, upload_time)


def _write_order(order: SubOrder | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(order, SubOrder):
        return to_object(order, SubOrder, "each of sub_orders")
    return without_none(
        order_key=to_object(order.order_key, OrderKey, "order_key"),
        logistics_type=order.logistics_type,
        delivery_mode=order.delivery_mode,
        is_all_delivered=order.is_all_delivered,
        shipping_list=to_objects(order.shipping_list, ShippingItem, "shipping_list"),
    )


def _upload(name: str, body: Mapping[str, Any], openid: str, upload_time: datetime | str) -> Call[None]:
    whole = {**body, "upload_time": _write_time(upload_time), "payer": {"openid": openid}}
    return post(f"/wxa/sec/order/{name}", whole, no_result)


def _write_time(time: datetime | str) -> str:
    if isinstance(time, str):
        return time
    if isinstance(time, datetime) and time.utcoffset() is not None:
        return time.isoformat(timespec="milliseconds")
    raise CallError(
        "upload_time must be a datetime with a time zone, such as datetime.now(UTC), or a text"
        "（upload_time 应为带时区的 datetime 或文本）"
    )


# --- orders ----------------------------------------------------------------------------------------------------------


@model
class ShippedItem:
    """A parcel of which WeChat knows.

    Attributes:
        express_company: Id of the express company.
        tracking_no: Number of the parcel.
        goods_desc: The goods. No repr shows them.
        contact: Phone numbers.
        upload_time: Time of the information, in seconds since the epoch.
    """

    express_company: str = ""
    tracking_no: str = ""
    goods_desc: str = content("goods_desc", default="")
    contact: ShippingContact | None = nested("contact", ShippingContact, default=None)
    upload_time: int | None = timestamp("upload_time", default=None)


@model
class Shipping:
    """How an order is delivered.

    Attributes:
        logistics_type: As for `upload_shipping_info`.
        delivery_mode: As for `upload_shipping_info`.
        goods_desc: The goods. No repr shows them.
        finish_shipping: Whether everything is on its way.
        finish_shipping_count: How often the delivery was completed: 0, 1, or more if it was changed afterwards.
        shipping_list: The parcels.
    """

    logistics_type: int | None = None
    delivery_mode: int | None = None
    goods_desc: str = content("goods_desc", default="")
    finish_shipping: bool | None = None
    finish_shipping_count: int | None = None
    shipping_list: tuple[ShippedItem, ...] = items("shipping_list", ShippedItem)


@model
class TradeOrder:
    """An order.

    Attributes:
        order_state: 1 if it is to be shipped, 2 if it is shipped, 3 if the user has received it, 4 if it is done, 5 if
            it is refunded.
        merchant_trade_no: Id that the merchant gave the payment.
        transaction_id: Id that WeChat Pay gave the payment.
        merchant_id: Id of the merchant.
        sub_merchant_id: Id of the sub-merchant (二级商户).
        openid: The user who paid.
        description: What was paid for. No repr shows it.
        paid_amount: The payment, in fen (分).
        pay_time: Time of the payment, in seconds since the epoch.
        trade_create_time: Time of the order, in seconds since the epoch.
        in_complaint: Whether the user has complained.
        shipping: How it is delivered.
    """

    order_state: int
    merchant_trade_no: str = ""
    transaction_id: str = ""
    merchant_id: str = ""
    sub_merchant_id: str = ""
    openid: str = ""
    description: str = content("description", default="")
    paid_amount: int | None = None
    pay_time: int | None = timestamp("pay_time", default=None)
    trade_create_time: int | None = timestamp("trade_create_time", default=None)
    in_complaint: bool | None = None
    shipping: Shipping | None = nested("shipping", Shipping, default=None)


def get_order(
    *,
    transaction_id: str | None = None,
    merchant_id: str | None = None,
    sub_merchant_id: str | None = None,
    merchant_trade_no: str | None = None,
) -> Call[TradeOrder]:
    """查询订单发货状态: get one order.

    Args:
        transaction_id: Id that WeChat Pay gave the payment; or give *merchant_id* and *merchant_trade_no*.
        merchant_id: Id of the merchant.
        sub_merchant_id: Id of the sub-merchant (二级商户).
        merchant_trade_no: Id that the merchant gave the payment.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    body = without_none(
        transaction_id=transaction_id,
        merchant_id=merchant_id,
        sub_merchant_id=sub_merchant_id,
        merchant_trade_no=merchant_trade_no,
    )
    return post("/wxa/sec/order/get_order", body, Member("order", TradeOrder), is_repeatable=True)


@model
class TradeOrderPage(Result):
    """One page of orders.

    Attributes:
        order_list: The orders of this page.
        has_more: Whether there are more pages.
        last_index: Argument for the next page.
    """

    order_list: tuple[TradeOrder, ...] = items("order_list", TradeOrder)
    has_more: bool = False
    last_index: str = ""


def get_order_list(
    *,
    begin_time: int | None = None,
    end_time: int | None = None,
    order_state: int | None = None,
    openid: str | None = None,
    last_index: str | None = None,
    page_size: int | None = None,
) -> Call[TradeOrderPage]:
    """查询订单列表: list one page of orders; `iterate_orders` lists all.

    Args:
        begin_time: Earliest time of payment, in seconds since the epoch.
        end_time: Latest time of payment, in seconds since the epoch.
        order_state: As in `TradeOrder`; None for all.
        openid: The user; None for all.
        last_index: None for the first page, then the `last_index` of the previous page.
        page_size: Orders per page; None for as many as WeChat chooses.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    body = without_none(
        pay_time_range=without_none(begin_time=begin_time, end_time=end_time) or None,
        order_state=order_state,
        openid=openid,
        last_index=last_index,
        page_size=page_size,
    )
    return post("/wxa/sec/order/get_order_list", body, ResultOf(TradeOrderPage), is_repeatable=True)


def iterate_orders(
    *,
    begin_time: int | None = None,
    end_time: int | None = None,
    order_state: int | None = None,
    openid: str | None = None,
    page_size: int | None = None,
) -> Pages[TradeOrderPage, TradeOrder]:
    """查询订单列表: iterate over orders, as `get_order_list` lists them.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    list_page = partial(
        get_order_list,
        begin_time=begin_time,
        end_time=end_time,
        order_state=order_state,
        openid=openid,
        page_size=page_size,
    )
    return Pages(list_page(), attrgetter("order_list"), partial(_next_page, list_page))


def _next_page(list_page: Callable[..., Call[TradeOrderPage]], page: TradeOrderPage) -> Call[TradeOrderPage] | None:
    return list_page(last_index=page.last_index) if page.has_more and page.last_index else None


def notify_confirm_receive(
    received_time: int,
    *,
    transaction_id: str | None = None,
    merchant_id: str | None = None,
    sub_merchant_id: str | None = None,
    merchant_trade_no: str | None = None,
) -> Call[None]:
    """确认收货提醒: remind the user to confirm that an order has arrived.

    Args:
        received_time: Time of its arrival, in seconds since the epoch.
        transaction_id: As for `get_order`.
        merchant_id: As for `get_order`.
        sub_merchant_id: As for `get_order`.
        merchant_trade_no: As for `get_order`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    body = without_none(
        transaction_id=transaction_id,
        merchant_id=merchant_id,
        sub_merchant_id=sub_merchant_id,
        merchant_trade_no=merchant_trade_no,
        received_time=received_time,
    )
    return post("/wxa/sec/order/notify_confirm_receive", body, no_result)


# --- the account -----------------------------------------------------------------------------------------------------


def set_msg_jump_path(path: str) -> Call[None]:
    """消息跳转路径设置: set the page that WeChat's messages about orders open.

    Args:
        path: The page, with its query.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    return post("/wxa/sec/order/set_msg_jump_path", {"path": path}, no_result, is_repeatable=True)


def is_trade_managed(*, appid: str | None = None) -> Call[bool]:
    """查询是否已开通发货信息管理服务: check whether WeChat keeps payments until orders are shipped.

    Args:
        appid: The Mini Program; None for that of the client.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    path = "/wxa/sec/order/is_trade_managed"
    return post(
        path, {"appid": APPID if appid is None else appid}, Member("is_trade_managed", bool), is_repeatable=True
    )


def is_trade_management_confirmation_completed(*, appid: str | None = None) -> Call[bool]:
    """查询是否已完成交易结算管理确认: check whether the developer has confirmed the rules of `is_trade_managed`.

    Args:
        appid: The Mini Program; None for that of the client.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
    """
    path = "/wxa/sec/order/is_trade_management_confirmation_completed"
    return post(path, {"appid": APPID if appid is None else appid}, Member("completed", bool), is_repeatable=True)


@model
class DeliveryCompany:
    """An express company: `delivery_id` for `ShippingItem.express_company`, and its name `delivery_name`."""

    delivery_id: str
    delivery_name: str = ""


def get_delivery_list() -> Call[tuple[DeliveryCompany, ...]]:
    """获取运力 id 列表: list the express companies that WeChat knows.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/industry/express/business/express_open_msg.html
    """
    path = "/cgi-bin/express/delivery/open_msg/get_delivery_list"
    return post(path, {}, Members("delivery_list", DeliveryCompany), is_repeatable=True)
