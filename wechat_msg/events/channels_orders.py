"""Events of the orders and coupons of a shop of Channels (视频号小店, 微信小店).

Shops get JSON in secure mode only. The members are unconfirmed: they are those that one SDK reads.
Times are in seconds since the epoch.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, items, model, nested, text

__all__ = [
    "ChannelsAftersale",
    "ChannelsComplaint",
    "ChannelsCoupon",
    "ChannelsEcAftersaleUpdateEvent",
    "ChannelsEcComplaintUpdateEvent",
    "ChannelsEcCouponCreateEvent",
    "ChannelsEcCouponDeleteEvent",
    "ChannelsEcCouponExpireEvent",
    "ChannelsEcCouponInfoChangeEvent",
    "ChannelsEcCouponInvalidEvent",
    "ChannelsEcCouponReceiveEvent",
    "ChannelsEcGuaranteeUpdateEvent",
    "ChannelsEcOrderCancelEvent",
    "ChannelsEcOrderConfirmEvent",
    "ChannelsEcOrderDeliverEvent",
    "ChannelsEcOrderExtInfoUpdateEvent",
    "ChannelsEcOrderNewEvent",
    "ChannelsEcOrderPayEvent",
    "ChannelsEcOrderSettleEvent",
    "ChannelsEcOrderWaitShippingEvent",
    "ChannelsEcPresentAftersaleUpdateEvent",
    "ChannelsEcUserCouponExpireEvent",
    "ChannelsEcUserCouponUnuseEvent",
    "ChannelsEcUserCouponUseEvent",
    "ChannelsEcVoucherSendSuccEvent",
    "ChannelsGuarantee",
    "ChannelsOrder",
    "ChannelsUserCoupon",
    "ChannelsVoucher",
]


@model
class ChannelsOrder:
    """An order, and what happened to it.

    Attributes:
        order_id: The order.
        cancel_type: Who cancelled it; only in `ChannelsEcOrderCancelEvent`.
        confirm_type: How the receipt was confirmed; only in `ChannelsEcOrderConfirmEvent`.
        finish_delivery: 1 if everything was sent; only in `ChannelsEcOrderDeliverEvent`.
        type: What changed; only in `ChannelsEcOrderExtInfoUpdateEvent`.
        pay_time: Only in `ChannelsEcOrderPayEvent`.
        settle_time: Only in `ChannelsEcOrderSettleEvent`.
    """

    order_id: str = text("order_id")
    cancel_type: int | None = integer("cancel_type", default=None)
    confirm_type: int | None = integer("confirm_type", default=None)
    finish_delivery: int | None = integer("finish_delivery", default=None)
    type: int | None = integer("type", default=None)
    pay_time: int | None = integer("pay_time", default=None)
    settle_time: int | None = integer("settle_time", default=None)


@model
class _ChannelsOrderEvent(Event):
    """Base class of the events of orders."""

    order_info: ChannelsOrder = nested("order_info", ChannelsOrder)


@register_event("channels_ec_order_new")
class ChannelsEcOrderNewEvent(_ChannelsOrderEvent):
    """订单下单: a new order."""


@register_event("channels_ec_order_pay")
class ChannelsEcOrderPayEvent(_ChannelsOrderEvent):
    """订单支付: an order was paid."""


@register_event("channels_ec_order_wait_shipping")
class ChannelsEcOrderWaitShippingEvent(_ChannelsOrderEvent):
    """订单待发货: an order waits for its delivery."""


@register_event("channels_ec_order_deliver")
class ChannelsEcOrderDeliverEvent(_ChannelsOrderEvent):
    """订单发货: goods of an order were sent."""


@register_event("channels_ec_order_confirm")
class ChannelsEcOrderConfirmEvent(_ChannelsOrderEvent):
    """订单确认收货: the goods of an order were received."""


@register_event("channels_ec_order_cancel")
class ChannelsEcOrderCancelEvent(_ChannelsOrderEvent):
    """订单取消: an order was cancelled."""


@register_event("channels_ec_order_settle")
class ChannelsEcOrderSettleEvent(_ChannelsOrderEvent):
    """订单结算: an order was settled."""


@register_event("channels_ec_order_ext_info_update")
class ChannelsEcOrderExtInfoUpdateEvent(_ChannelsOrderEvent):
    """订单其他信息更新: other data of an order changed."""


@model
class ChannelsAftersale:
    """The state of an after-sales order.

    Attributes:
        after_sale_order_id: The after-sales order.
        order_id: The order.
        status: The state.
        wxa_vip_discounted_price: Discount of a member; only in `ChannelsEcAftersaleUpdateEvent`.
    """

    after_sale_order_id: str = text("after_sale_order_id")
    order_id: str | None = text("order_id", default=None)
    status: str | None = text("status", default=None)
    wxa_vip_discounted_price: int | None = integer("wxa_vip_discounted_price", default=None)


@register_event("channels_ec_aftersale_update")
class ChannelsEcAftersaleUpdateEvent(Event):
    """售后单更新: an after-sales order changed."""

    finder_shop_aftersale_status_update: ChannelsAftersale = nested(
        "finder_shop_aftersale_status_update", ChannelsAftersale
    )


@register_event("channels_ec_present_aftersale_update")
class ChannelsEcPresentAftersaleUpdateEvent(Event):
    """礼物单售后更新: the after-sales order of a present changed."""

    finder_shop_present_aftersale_status_update: ChannelsAftersale = nested(
        "finder_shop_present_aftersale_status_update", ChannelsAftersale
    )


@model
class ChannelsGuarantee:
    """The state of a guarantee.

    Attributes:
        guarantee_order_id: The guarantee.
        order_id: The order.
        status: The state.
    """

    guarantee_order_id: str = text("guarantee_order_id")
    order_id: str | None = text("order_id", default=None)
    status: str | None = text("status", default=None)


@register_event("channels_ec_guarantee_update")
class ChannelsEcGuaranteeUpdateEvent(Event):
    """保障单更新: a guarantee changed."""

    finder_shop_guarantee_status_update: ChannelsGuarantee = nested(
        "finder_shop_guarantee_status_update", ChannelsGuarantee
    )


@model
class ChannelsComplaint:
    """The state of a complaint.

    Attributes:
        complaint_id: The complaint.
        after_sale_order_id: The after-sales order.
        order_id: The order.
        complaint_status: The state.
    """

    complaint_id: str = text("complaint_id")
    after_sale_order_id: str | None = text("after_sale_order_id", default=None)
    order_id: str | None = text("order_id", default=None)
    complaint_status: int | None = integer("complaint_status", default=None)


@register_event("channels_ec_complaint_update")
class ChannelsEcComplaintUpdateEvent(Event):
    """纠纷单更新: a complaint changed."""

    finder_shop_complaint: ChannelsComplaint = nested("finder_shop_complaint", ChannelsComplaint)


@model
class ChannelsCoupon:
    """A coupon, and when something happened to it.

    Attributes:
        coupon_id: The coupon.
        create_time: Only in `ChannelsEcCouponCreateEvent`.
        delete_time: Only in `ChannelsEcCouponDeleteEvent`.
        expire_time: Only in `ChannelsEcCouponExpireEvent`.
        change_time: Only in `ChannelsEcCouponInfoChangeEvent`.
        invalid_time: Only in `ChannelsEcCouponInvalidEvent`.
    """

    coupon_id: str = text("coupon_id")
    create_time: int | None = integer("create_time", default=None)
    delete_time: int | None = integer("delete_time", default=None)
    expire_time: int | None = integer("expire_time", default=None)
    change_time: int | None = integer("change_time", default=None)
    invalid_time: int | None = integer("invalid_time", default=None)


@model
class _ChannelsCouponEvent(Event):
    """Base class of the events of coupons."""

    coupon_info: ChannelsCoupon = nested("coupon_info", ChannelsCoupon)


@register_event("channels_ec_coupon_create")
class ChannelsEcCouponCreateEvent(_ChannelsCouponEvent):
    """优惠券创建: a coupon was made."""


@register_event("channels_ec_coupon_delete")
class ChannelsEcCouponDeleteEvent(_ChannelsCouponEvent):
    """优惠券删除: a coupon was deleted."""


@register_event("channels_ec_coupon_expire")
class ChannelsEcCouponExpireEvent(_ChannelsCouponEvent):
    """优惠券过期: a coupon expired."""


@register_event("channels_ec_coupon_info_change")
class ChannelsEcCouponInfoChangeEvent(_ChannelsCouponEvent):
    """优惠券信息变更: a coupon changed."""


@register_event("channels_ec_coupon_invalid")
class ChannelsEcCouponInvalidEvent(_ChannelsCouponEvent):
    """优惠券作废: a coupon was made invalid."""


@model
class ChannelsUserCoupon:
    """A user's coupon, and when something happened to it.

    Attributes:
        coupon_id: The coupon.
        user_coupon_id: The coupon of this user.
        receive_time: Only in `ChannelsEcCouponReceiveEvent`.
        expire_time: Only in `ChannelsEcUserCouponExpireEvent`.
        unuse_time: Only in `ChannelsEcUserCouponUnuseEvent`.
        use_time: Only in `ChannelsEcUserCouponUseEvent`.
    """

    coupon_id: str | None = text("coupon_id", default=None)
    user_coupon_id: str = text("user_coupon_id")
    receive_time: int | None = integer("receive_time", default=None)
    expire_time: int | None = integer("expire_time", default=None)
    unuse_time: int | None = integer("unuse_time", default=None)
    use_time: int | None = integer("use_time", default=None)


@register_event("channels_ec_coupon_receive")
class ChannelsEcCouponReceiveEvent(Event):
    """优惠券领取: a user took a coupon."""

    receive_info: ChannelsUserCoupon = nested("receive_info", ChannelsUserCoupon)


@register_event("channels_ec_user_coupon_expire")
class ChannelsEcUserCouponExpireEvent(Event):
    """用户优惠券过期: a user's coupon expired."""

    user_coupon_info: ChannelsUserCoupon = nested("user_coupon_info", ChannelsUserCoupon)


@register_event("channels_ec_user_coupon_use")
class ChannelsEcUserCouponUseEvent(Event):
    """用户优惠券使用: a user used a coupon."""

    user_info: ChannelsUserCoupon = nested("user_info", ChannelsUserCoupon)


@register_event("channels_ec_user_coupon_unuse")
class ChannelsEcUserCouponUnuseEvent(Event):
    """用户优惠券返还: a user got a used coupon back."""

    user_info: ChannelsUserCoupon = nested("user_info", ChannelsUserCoupon)


@model
class ChannelsVoucher:
    """A voucher. Times and amounts are text, as received.

    Attributes:
        code: Code of the voucher.
        code_type: Kind of the code.
        status: State of the voucher.
        start_time: Beginning of its validity.
        end_time: End of its validity.
        consume_store_name: The store that it was used in.
        voucher_type: Kind of the voucher.
        voucher_buy_amount: What the user paid; the unit is unconfirmed.
        voucher_actual_amount: What it is worth; the unit is unconfirmed.
        telphone_no: Phone number of the user.
        product_id: The product.
        sku_id: The variant of the product.
        order_id: The order.
        openid: The user's OpenID.
    """

    code: str | None = text("code", default=None, repr=False)
    code_type: str | None = text("code_type", default=None)
    status: str | None = text("status", default=None)
    send_time: str | None = text("send_time", default=None)
    update_time: str | None = text("update_time", default=None)
    start_time: str | None = text("start_time", default=None)
    end_time: str | None = text("end_time", default=None)
    consume_time: str | None = text("consume_time", default=None)
    refund_time: str | None = text("refund_time", default=None)
    consume_store_name: str | None = text("consume_store_name", default=None)
    voucher_type: str | None = text("voucher_type", default=None)
    voucher_buy_amount: str | None = text("voucher_buy_amount", default=None)
    voucher_actual_amount: str | None = text("voucher_actual_amount", default=None)
    telphone_no: str | None = text("telphone_no", default=None, repr=False)
    product_id: str | None = text("product_id", default=None)
    sku_id: str | None = text("sku_id", default=None)
    order_id: str | None = text("order_id", default=None)
    openid: str | None = text("openid", default=None)


@register_event("channels_ec_voucher_send_succ")
class ChannelsEcVoucherSendSuccEvent(Event):
    """卡券发放成功: vouchers were given to a user."""

    voucher_list: tuple[ChannelsVoucher, ...] = items("voucher_list", ChannelsVoucher)
