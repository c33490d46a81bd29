"""Events of order shipping management (发货信息管理) and of restricted trade."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, text

__all__ = [
    "TradeManageOrderSettlementEvent",
    "TradeManageRemindAccessApiEvent",
    "TradeManageRemindShippingEvent",
    "WxaTradeControlledEvent",
]


@model
class _TradeEvent(Event):
    msg: str | None = text("msg", default=None)


@register_event("trade_manage_remind_access_api")
class TradeManageRemindAccessApiEvent(_TradeEvent):
    """提醒接入发货信息管理服务API: the account should use the API of shipping management, as `msg` says."""


@register_event("wxa_trade_controlled")
class WxaTradeControlledEvent(_TradeEvent):
    """小程序支付管控: payments of the Mini Program are restricted, as `msg` says."""


@model
class _OrderEvent(_TradeEvent):
    """Base class of the events of one order.

    Attributes:
        transaction_id: WeChat Pay's id of the payment.
        merchant_id: The merchant that was paid.
        sub_merchant_id: The sub-merchant, if there is one.
        merchant_trade_no: The merchant's id of the order.
        pay_time: When it was paid, in seconds since the epoch.
        msg: Text of the notification.
    """

    transaction_id: str | None = text("transaction_id", default=None)
    merchant_id: str | None = text("merchant_id", default=None)
    sub_merchant_id: str | None = text("sub_merchant_id", default=None)
    merchant_trade_no: str | None = text("merchant_trade_no", default=None)
    pay_time: int | None = integer("pay_time", default=None)


@register_event("trade_manage_remind_shipping")
class TradeManageRemindShippingEvent(_OrderEvent):
    """提醒需要上传发货信息: an order waits for its shipping information."""


@register_event("trade_manage_order_settlement")
class TradeManageOrderSettlementEvent(_OrderEvent):
    """订单将要结算或已经结算: an order was shipped, or it was settled. Times are in seconds since the epoch.

    Attributes:
        shipped_time: When it was shipped.
        estimated_settlement_time: When it will be settled; only on shipping.
        confirm_receive_method: 1 the user confirmed the receipt, 2 it was confirmed automatically; only on settlement.
        confirm_receive_time: When the receipt was confirmed; only on settlement.
        settlement_time: When it was settled; only on settlement.
    """

    shipped_time: int | None = integer("shipped_time", default=None)
    estimated_settlement_time: int | None = integer("estimated_settlement_time", default=None)
    confirm_receive_method: int | None = integer("confirm_receive_method", default=None)
    confirm_receive_time: int | None = integer("confirm_receive_time", default=None)
    settlement_time: int | None = integer("settlement_time", default=None)
