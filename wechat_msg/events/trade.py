"""Events of order shipping management (发货信息管理) and of restricted trade."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, items, model, text

__all__ = [
    "OrderPathApplyResult",
    "OrderPathApplyResultNotifyEvent",
    "OrderPathAuditResult",
    "OrderPathAuditResultNotifyEvent",
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


@model
class OrderPathApplyResult:
    """The result for one Mini Program.

    Attributes:
        appid: AppID of the Mini Program.
        ret_code: The result.
    """

    appid: str | None = text("appid", default=None)
    ret_code: int | None = integer("ret_code", default=None)


@register_event("order_path_apply_result_notify")
class OrderPathApplyResultNotifyEvent(Event):
    """订单中心页设置申请结果: results of applications for a page of orders (订单中心). Unconfirmed."""

    list: tuple[OrderPathApplyResult, ...] = items("list", OrderPathApplyResult)


@model
class OrderPathAuditResult:
    """The review of one Mini Program.

    Attributes:
        appid: AppID of the Mini Program.
        audit_id: Id of the application.
        status: Result of the review.
        apply_time: Seconds since the epoch.
        audit_time: Seconds since the epoch.
        reason: Why it was refused.
    """

    appid: str | None = text("appid", default=None)
    audit_id: str | None = text("audit_id", default=None)
    status: int | None = integer("status", default=None)
    apply_time: int | None = integer("apply_time", default=None)
    audit_time: int | None = integer("audit_time", default=None)
    reason: str | None = text("reason", default=None)


@register_event("order_path_audit_result_notify")
class OrderPathAuditResultNotifyEvent(Event):
    """订单中心页审核结果: results of the reviews of pages of orders (订单中心). Unconfirmed."""

    list: tuple[OrderPathAuditResult, ...] = items("list", OrderPathAuditResult)
