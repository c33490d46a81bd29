"""Events of orders and after-sales orders (售后) of the custom trade component (自定义版交易组件).

Shops get JSON in secure mode only. The members are unconfirmed: they are those that one SDK reads.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = [
    "AftersaleComplaintUpdateOrderStateEvent",
    "AftersaleInfo",
    "AftersaleMerchantConfirmReceiptOverdueEvent",
    "AftersaleMerchantHandleRefundOverdueEvent",
    "AftersaleMerchantHandleReturnOverdueEvent",
    "AftersaleNewOrderEvent",
    "AftersaleRefundSuccessEvent",
    "AftersaleUpdateOrderEvent",
    "AftersaleUserApplyPlatformJudgeOverdueEvent",
    "AftersaleUserCancelEvent",
    "AftersaleUserConfirmRefundCertificateEvent",
    "AftersaleUserModifyReturnInfoEvent",
    "AftersaleUserUploadReturnInfoOverdueEvent",
    "AftersaleWaitMerchantConfirmReceiptEvent",
    "AftersaleWaitMerchantOfflineRefundEvent",
    "ComplaintInfo",
    "ComplaintNotifyEvent",
    "OpenProductOrder",
    "OpenProductOrderAnalyzeEvent",
    "OpenProductOrderCancelEvent",
    "OpenProductOrderConfirmEvent",
    "OpenProductOrderPayEvent",
    "OpenProductOrderRefundEvent",
    "OpenProductOrderSettleEvent",
]


@model
class OpenProductOrder:
    """An order, and what happened to it.

    Attributes:
        out_order_id: Your id of the order.
        order_id: WeChat's id of the order.
        openid: The user's OpenID; only in `OpenProductOrderAnalyzeEvent`.
        transaction_id: Number of the payment in WeChat Pay; only in `OpenProductOrderPayEvent`.
        pay_time: Time of the payment; only in `OpenProductOrderPayEvent`.
        settle_no: Number of the settlement; only in `OpenProductOrderSettleEvent`.
        amount: Settled amount, of which the unit is unconfirmed; only in `OpenProductOrderSettleEvent`.
        settle_time: Time of the settlement; only in `OpenProductOrderSettleEvent`.
    """

    out_order_id: str | None = text("out_order_id", default=None)
    order_id: str = text("order_id")
    openid: str | None = text("openid", default=None)
    transaction_id: str | None = text("transaction_id", default=None)
    pay_time: str | None = text("pay_time", default=None)
    settle_no: str | None = text("settle_no", default=None)
    amount: int | None = integer("amount", default=None)
    settle_time: str | None = text("settle_time", default=None)


@model
class _OpenProductOrderEvent(Event):
    """Base class of the events of orders."""

    order_info: OpenProductOrder = nested("order_info", OpenProductOrder)


@register_event("open_product_order_analyze")
class OpenProductOrderAnalyzeEvent(_OpenProductOrderEvent):
    """订单分析: an order was analysed."""


@register_event("open_product_order_cancel")
class OpenProductOrderCancelEvent(_OpenProductOrderEvent):
    """订单取消: an order was cancelled."""


@register_event("open_product_order_confirm")
class OpenProductOrderConfirmEvent(_OpenProductOrderEvent):
    """订单确认收货: the goods of an order were received."""


@register_event("open_product_order_pay")
class OpenProductOrderPayEvent(_OpenProductOrderEvent):
    """订单支付: an order was paid."""


@register_event("open_product_order_refund")
class OpenProductOrderRefundEvent(_OpenProductOrderEvent):
    """订单退款: an order was refunded."""


@register_event("open_product_order_settle")
class OpenProductOrderSettleEvent(_OpenProductOrderEvent):
    """订单结算: an order was settled."""


@model
class AftersaleInfo:
    """An after-sales order.

    Attributes:
        aftersale_id: WeChat's id of the after-sales order.
        out_aftersale_id: Your id of the after-sales order.
        order_id: WeChat's id of the order; only in `AftersaleNewOrderEvent`.
        out_order_id: Your id of the order; only in `AftersaleNewOrderEvent`.
    """

    aftersale_id: str = text("aftersale_id")
    out_aftersale_id: str | None = text("out_aftersale_id", default=None)
    order_id: str | None = text("order_id", default=None)
    out_order_id: str | None = text("out_order_id", default=None)


@model
class _AftersaleEvent(Event):
    """Base class of the events of after-sales orders."""

    aftersale_info: AftersaleInfo = nested("aftersale_info", AftersaleInfo)


@register_event("aftersale_new_order")
class AftersaleNewOrderEvent(_AftersaleEvent):
    """售后单创建: a user made an after-sales order."""


@register_event("aftersale_update_order")
class AftersaleUpdateOrderEvent(_AftersaleEvent):
    """售后单更新: an after-sales order changed."""


@register_event("aftersale_user_cancel")
class AftersaleUserCancelEvent(_AftersaleEvent):
    """用户取消售后: the user cancelled the after-sales order."""


@register_event("aftersale_user_modify_return_info")
class AftersaleUserModifyReturnInfoEvent(_AftersaleEvent):
    """用户修改退货信息: the user changed the data of the return."""


@register_event("aftersale_user_confirm_refund_certificate")
class AftersaleUserConfirmRefundCertificateEvent(_AftersaleEvent):
    """用户确认退款凭证: the user confirmed the proof of the refund."""


@register_event("aftersale_user_upload_return_info_overdue")
class AftersaleUserUploadReturnInfoOverdueEvent(_AftersaleEvent):
    """用户上传退货信息超时: the user sent no data of the return in time."""


@register_event("aftersale_user_apply_platform_judge_overdue")
class AftersaleUserApplyPlatformJudgeOverdueEvent(_AftersaleEvent):
    """用户申请平台介入超时: the user did not ask the platform to decide in time."""


@register_event("aftersale_wait_merchant_confirm_receipt")
class AftersaleWaitMerchantConfirmReceiptEvent(_AftersaleEvent):
    """待商家确认收货: the merchant must confirm that the goods came back."""


@register_event("aftersale_wait_merchant_offline_refund")
class AftersaleWaitMerchantOfflineRefundEvent(_AftersaleEvent):
    """待商家线下退款: the merchant must refund outside WeChat."""


@register_event("aftersale_merchant_confirm_receipt_overdue")
class AftersaleMerchantConfirmReceiptOverdueEvent(_AftersaleEvent):
    """商家确认收货超时: the merchant did not confirm the receipt in time."""


@register_event("aftersale_merchant_handle_refund_overdue")
class AftersaleMerchantHandleRefundOverdueEvent(_AftersaleEvent):
    """商家处理退款超时: the merchant did not handle the refund in time."""


@register_event("aftersale_merchant_handle_return_overdue")
class AftersaleMerchantHandleReturnOverdueEvent(_AftersaleEvent):
    """商家处理退货超时: the merchant did not handle the return in time."""


@register_event("aftersale_refund_success")
class AftersaleRefundSuccessEvent(_AftersaleEvent):
    """退款成功: the refund succeeded."""


@register_event("aftersale_complaint_update_order_state")
class AftersaleComplaintUpdateOrderStateEvent(_AftersaleEvent):
    """纠纷单状态更新: the state of a dispute changed."""


@model
class ComplaintInfo:
    """A complaint.

    Attributes:
        complaint_order_id: Id of the complaint.
        state: Its state.
        event: What happened.
    """

    complaint_order_id: str = text("complaint_order_id")
    state: int | None = integer("state", default=None)
    event: int | None = integer("event", default=None)


@register_event("complaint_notify")
class ComplaintNotifyEvent(Event):
    """纠纷单通知: a complaint was made, or changed."""

    complaint_info: ComplaintInfo = nested("complaint_info", ComplaintInfo)
