"""Events of virtual payment (虚拟支付). `from_user_name` is an id of the platform; the user is `open_id`.

WeChat expects an `ErrCodeReply`; ``success`` means the same as ErrCode 0. Amounts are in cents (分).
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import content, integer, model, nested, text

__all__ = [
    "XpayAppleSubscribeSigningResultNotifyEvent",
    "XpayCoinInfo",
    "XpayCoinPayNotifyEvent",
    "XpayComplaintNotifyEvent",
    "XpayGoodsDeliverNotifyEvent",
    "XpayGoodsInfo",
    "XpayRefundNotifyEvent",
    "XpaySubscribeIosRefundQueryNotifyEvent",
    "XpaySubscribePayFailNotifyEvent",
    "XpaySubscribeSigningResultNotifyEvent",
    "XpayTeamInfo",
    "XpayWeChatPayInfo",
    "XpayWxpayCallbackNotifyEvent",
]


@model
class XpayWeChatPayInfo:
    """The payment in WeChat Pay.

    Attributes:
        mch_order_no: WeChat Pay's number of the order at the merchant.
        transaction_id: Id of the payment.
        paid_time: When it was paid, in seconds since the epoch.
    """

    mch_order_no: str | None = text("MchOrderNo", default=None)
    transaction_id: str | None = text("TransactionId", default=None)
    paid_time: int | None = integer("PaidTime", default=None)


@model
class XpayCoinInfo:
    """The coins (代币) that were bought.

    Attributes:
        quantity: How many.
        orig_price: Price before discounts.
        actual_price: Price that was paid.
        attach: The text that was given with the order.
    """

    quantity: int | None = integer("Quantity", default=None)
    orig_price: int | None = integer("OrigPrice", default=None)
    actual_price: int | None = integer("ActualPrice", default=None)
    attach: str | None = text("Attach", default=None)


@model
class XpayGoodsInfo(XpayCoinInfo):
    """The goods (道具) that were bought: as `XpayCoinInfo`, with the id of the product."""

    product_id: str | None = text("ProductId", default=None)


@model
class XpayTeamInfo:
    """The group purchase (拼团).

    Attributes:
        activity_id: The campaign.
        team_id: The group.
        team_type: Kind of the group, a number.
        team_action: What the user did, a number.
    """

    activity_id: str | None = text("ActivityId", default=None)
    team_id: str | None = text("TeamId", default=None)
    team_type: int | None = integer("TeamType", default=None)
    team_action: int | None = integer("TeamAction", default=None)


@model
class _XpayEvent(Event):
    """Base class of the events of one user.

    Attributes:
        open_id: The user's OpenID.
    """

    open_id: str | None = text("OpenId", default=None)


@model
class _XpayOrderEvent(_XpayEvent):
    """Base class of the events of one order.

    Attributes:
        out_trade_no: The merchant's id of the order.
        env: 0 live, 1 sandbox.
        we_chat_pay_info: The payment, if there is one.
        team_info: The group purchase, if it was one.
        retry_times: How often the push was repeated (unconfirmed).
    """

    out_trade_no: str = text("OutTradeNo")
    env: int | None = integer("Env", default=None)
    we_chat_pay_info: XpayWeChatPayInfo | None = nested("WeChatPayInfo", XpayWeChatPayInfo, default=None)
    team_info: XpayTeamInfo | None = nested("TeamInfo", XpayTeamInfo, default=None)
    retry_times: int | None = integer("RetryTimes", default=None)


@register_event("xpay_goods_deliver_notify")
class XpayGoodsDeliverNotifyEvent(_XpayOrderEvent):
    """道具发货推送: the user paid for goods, which must be delivered."""

    goods_info: XpayGoodsInfo | None = nested("GoodsInfo", XpayGoodsInfo, default=None)


@register_event("xpay_coin_pay_notify")
class XpayCoinPayNotifyEvent(_XpayOrderEvent):
    """代币支付推送: the user paid for coins."""

    coin_info: XpayCoinInfo | None = nested("CoinInfo", XpayCoinInfo, default=None)


@register_event("xpay_refund_notify")
class XpayRefundNotifyEvent(_XpayEvent):
    """退款推送: the result of a refund.

    Attributes:
        wx_refund_id: WeChat's id of the refund.
        mch_refund_id: The merchant's id of the refund.
        wx_order_id: WeChat's id of the order.
        mch_order_id: The merchant's id of the order.
        refund_fee: The amount.
        ret_code: 0 for success.
        ret_msg: The text of ret_code.
        refund_start_timestamp: When it began, in seconds since the epoch.
        refund_succ_timestamp: When it succeeded, in seconds since the epoch.
        wxpay_refund_transaction_id: WeChat Pay's id of the refund.
        retry_times: How often the push was repeated.
        team_info: The group purchase, if it was one.
    """

    wx_refund_id: str | None = text("WxRefundId", default=None)
    mch_refund_id: str | None = text("MchRefundId", default=None)
    wx_order_id: str | None = text("WxOrderId", default=None)
    mch_order_id: str | None = text("MchOrderId", default=None)
    refund_fee: int | None = integer("RefundFee", default=None)
    ret_code: int | None = integer("RetCode", default=None)
    ret_msg: str | None = text("RetMsg", default=None)
    refund_start_timestamp: int | None = integer("RefundStartTimestamp", default=None)
    refund_succ_timestamp: int | None = integer("RefundSuccTimestamp", default=None)
    wxpay_refund_transaction_id: str | None = text("WxpayRefundTransactionId", default=None)
    retry_times: int | None = integer("RetryTimes", default=None)
    team_info: XpayTeamInfo | None = nested("TeamInfo", XpayTeamInfo, default=None)


@register_event("xpay_complaint_notify")
class XpayComplaintNotifyEvent(_XpayEvent):
    """用户投诉推送: the user complained about an order.

    Attributes:
        wx_order_id: WeChat's id of the order.
        mch_order_id: The merchant's id of the order.
        transaction_id: WeChat Pay's id of the payment.
        complaint_id: The complaint.
        complaint_detail: What the user wrote; no repr shows it.
        complaint_time: When, as received.
        retry_times: How often the push was repeated.
        request_id: Id of the push.
    """

    wx_order_id: str | None = text("WxOrderId", default=None)
    mch_order_id: str | None = text("MchOrderId", default=None)
    transaction_id: str | None = text("TransactionId", default=None)
    complaint_id: str | None = text("ComplaintId", default=None)
    complaint_detail: str | None = content("ComplaintDetail", default=None)
    complaint_time: str | None = text("ComplaintTime", default=None)
    retry_times: int | None = integer("RetryTimes", default=None)
    request_id: str | None = text("RequestId", default=None)


@register_event("xpay_wxpay_callback_notify")
class XpayWxpayCallbackNotifyEvent(Event):
    """微信支付商户号通知: WeChat Pay has examined or punished the merchant.

    Attributes:
        app_id: AppID of the Mini Program.
        nick_name: Its name.
        merchant_code: The merchant.
        merchant_company_name: Its company.
        business_time: When it happened, ISO 8601.
        business_code: What it is about.
        business_state: Its state.
        remark: Text of the notification.
        event_type: ``due_diligence`` or ``punishment``.
        retry_times: How often the push was repeated.
    """

    app_id: str | None = text("AppId", default=None)
    nick_name: str | None = text("NickName", default=None)
    merchant_code: str | None = text("MerchantCode", default=None)
    merchant_company_name: str | None = text("MerchantCompanyName", default=None)
    business_time: str | None = text("BusinessTime", default=None)
    business_code: str | None = text("BusinessCode", default=None)
    business_state: str | None = text("BusinessState", default=None)
    remark: str | None = text("Remark", default=None)
    event_type: str | None = text("EventType", default=None)
    retry_times: int | None = integer("RetryTimes", default=None)


@register_event("xpay_subscribe_ios_refund_query_notify")
class XpaySubscribeIosRefundQueryNotifyEvent(_XpayEvent):
    """iOS 退款问询: Apple asks whether a refund should be granted, and waits for the answer for 3 seconds.

    The question is asked 3 times. Numbers and times are text, as received.

    Attributes:
        out_trade_no: The merchant's id of the order. Unconfirmed.
        env: 0 live, 1 sandbox. Unconfirmed.
        refund_time: When the refund was asked for.
        order_time: When the order was made.
        channel_bill: Apple's number of the payment.
        bundleid: The app.
        product_id: The product.
        p_count: How many.
        refund_request_reason: The user's reason.
        provide_status: 0 if the goods were not delivered, 1 if they were, 2 if they are being delivered.
        pay_order_id: The merchant's id of the order.
        consumption_status: Whether the goods were used. Unconfirmed.
        service_type: Kind of the payment. Unconfirmed.
    """

    out_trade_no: str | None = text("OutTradeNo", default=None)
    env: int | None = integer("Env", default=None)
    refund_time: str | None = text("refund_time", default=None)
    order_time: str | None = text("order_time", default=None)
    channel_bill: str | None = text("channel_bill", default=None)
    bundleid: str | None = text("bundleid", default=None)
    product_id: str | None = text("product_id", default=None)
    p_count: str | None = text("p_count", default=None)
    refund_request_reason: str | None = text("refund_request_reason", default=None)
    provide_status: str | None = text("provide_status", default=None)
    pay_order_id: str | None = text("pay_order_id", default=None)
    consumption_status: str | None = text("consumption_status", default=None)
    service_type: str | None = text("service_type", default=None)


@model
class _XpaySubscribeEvent(_XpayEvent):
    """Base class of the events of subscriptions (订阅).

    Attributes:
        out_trade_no: The merchant's id of the order.
        env: 0 live, 1 sandbox.
    """

    out_trade_no: str | None = text("OutTradeNo", default=None)
    env: int | None = integer("Env", default=None)


@model
class _XpaySigningEvent(_XpaySubscribeEvent):
    """Base class of the results of contracts.

    Attributes:
        product_id: The product.
        contract_result: The result, a number.
        contract_result_msg: Text of the result.
        contract_id: The contract.
        attach: The text that was given with the order.
    """

    product_id: str | None = text("ProductId", default=None)
    contract_result: int | None = integer("ContractResult", default=None)
    contract_result_msg: str | None = text("ContractResultMsg", default=None)
    contract_id: str | None = text("ContractId", default=None)
    attach: str | None = content("Attach", default=None)


@register_event("xpay_subscribe_signing_result_notify")
class XpaySubscribeSigningResultNotifyEvent(_XpaySigningEvent):
    """订阅签约结果推送: the result of the contract of a subscription. The members after `env` are unconfirmed."""


@register_event("xpay_apple_subscribe_signing_result_notify")
class XpayAppleSubscribeSigningResultNotifyEvent(_XpaySigningEvent):
    """苹果订阅签约结果推送: the result of the contract of a subscription by Apple. Unconfirmed."""


@register_event("xpay_subscribe_pay_fail_notify")
class XpaySubscribePayFailNotifyEvent(_XpaySubscribeEvent):
    """订阅扣款失败推送: a payment of a subscription failed. Its own members are not known; they are in `raw`."""
