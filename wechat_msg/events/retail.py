"""Events of payments in B2b stores (B2b 门店助手).

Amounts are in cents (分). WeChat repeats these pushes for up to 12 hours, until the answer is ``success`` or empty.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import content, integer, model, nested, text

__all__ = [
    "RetailAmount",
    "RetailPayNotifyEvent",
    "RetailRefundNotifyEvent",
]


@model
class RetailAmount:
    """The amounts of an order.

    Attributes:
        order_amount: Amount of the order.
        payer_amount: What the payer paid.
        currency: The currency.
    """

    order_amount: int | None = integer("order_amount", default=None)
    payer_amount: int | None = integer("payer_amount", default=None)
    currency: str | None = text("currency", default=None)


@register_event("retail_pay_notify")
class RetailPayNotifyEvent(Event):
    """B2b 支付结果: an order was paid or closed.

    Attributes:
        appid: AppID of the Mini Program.
        mchid: Number of the merchant.
        out_trade_no: Your number of the order.
        order_id: WeChat's number of the order.
        pay_status: ``ORDER_PAY_SUCC`` or ``ORDER_CLOSE``.
        pay_time: Time of the payment.
        attach: What you attached to the order.
        payer_openid: The payer's OpenID.
        amount: The amounts.
        wxpay_transaction_id: Number of the payment in WeChat Pay.
        env: Environment of the order.
    """

    appid: str | None = text("appid", default=None)
    mchid: str | None = text("mchid", default=None)
    out_trade_no: str | None = text("out_trade_no", default=None)
    order_id: str = text("order_id")
    pay_status: str | None = text("pay_status", default=None)
    pay_time: str | None = text("pay_time", default=None)
    attach: str | None = content("attach", default=None)
    payer_openid: str | None = text("payer_openid", default=None)
    amount: RetailAmount | None = nested("amount", RetailAmount, default=None)
    wxpay_transaction_id: str | None = text("wxpay_transaction_id", default=None)
    env: int | None = integer("env", default=None)


@register_event("retail_refund_notify")
class RetailRefundNotifyEvent(Event):
    """B2b 退款结果: an order was refunded, or its refund failed.

    Attributes:
        appid: AppID of the Mini Program.
        mchid: Number of the merchant.
        out_refund_no: Your number of the refund.
        refund_id: WeChat's number of the refund.
        out_trade_no: Your number of the order.
        order_id: WeChat's number of the order.
        refund_amount: Amount of the refund.
        order_amount: Amount of the order.
        refund_from: Who began the refund, such as ``REFUND_FROM_USER``; WeChat's page has numbers in its table and
            words in its sample.
        refund_reason: Why, a number or a word in the same way.
        own_create_time: Time of the refund's beginning, the member ``create_time`` of the push.
        refund_time: Time of the refund's end.
        refund_status: ``REFUND_SUCC`` or ``REFUND_FAIL``.
        wxpay_refund_id: Number of the refund in WeChat Pay.
        env: Environment of the order.
        pay_channel: 0 WeChat Pay, 1 bank.
        refund_desc: Description of the refund.
    """

    appid: str | None = text("appid", default=None)
    mchid: str | None = text("mchid", default=None)
    out_refund_no: str | None = text("out_refund_no", default=None)
    refund_id: str | None = text("refund_id", default=None)
    out_trade_no: str | None = text("out_trade_no", default=None)
    order_id: str = text("order_id")
    refund_amount: int | None = integer("refund_amount", default=None)
    order_amount: int | None = integer("order_amount", default=None)
    refund_from: str | None = text("refund_from", default=None)
    refund_reason: str | None = text("refund_reason", default=None)
    own_create_time: str | None = text("create_time", default=None)
    refund_time: str | None = text("refund_time", default=None)
    refund_status: str | None = text("refund_status", default=None)
    wxpay_refund_id: str | None = text("wxpay_refund_id", default=None)
    env: int | None = integer("env", default=None)
    pay_channel: int | None = integer("pay_channel", default=None)
    refund_desc: str | None = content("refund_desc", default=None)
