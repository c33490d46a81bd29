"""Events of the custom trade component (自定义版交易组件): account, products, money and promoters.

Shops get JSON in secure mode only. The members are unconfirmed: they are those that one SDK reads.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, items, model, nested, text

__all__ = [
    "FundsOrderPayEvent",
    "FundsOrderProfitsharingEvent",
    "FundsOrderRefundEvent",
    "FundsPayment",
    "FundsProfitSharing",
    "FundsRefund",
    "FundsWithdrawal",
    "MiniprogramSharerActionEvent",
    "MiniprogramSharerBindStatusChangeEvent",
    "OpenProductAccount",
    "OpenProductAccountRegisterEvent",
    "OpenProductBrandAuditEvent",
    "OpenProductCategoryAuditEvent",
    "OpenProductReceiveCouponEvent",
    "OpenProductSceneGroup",
    "OpenProductSceneGroupAuditEvent",
    "OpenProductSceneGroupExt",
    "OpenProductSpu",
    "OpenProductSpuAuditEvent",
    "OpenProductSpuStatusUpdateEvent",
    "QualificationAuditResult",
    "SharerPromoter",
    "WithdrawNotifyEvent",
]


@model
class OpenProductAccount:
    """State of the registration."""

    status: int | None = integer("status", default=None)


@register_event("open_product_account_register")
class OpenProductAccountRegisterEvent(Event):
    """交易组件开通: the component was activated, or refused."""

    open_product_account_register: OpenProductAccount = nested("OpenProductAccountRegister", OpenProductAccount)


@model
class QualificationAuditResult:
    """The result of a review.

    Attributes:
        status: The result.
        audit_id: Id of the application.
        brand_id: The brand; only in `OpenProductBrandAuditEvent`.
        audit_type: Kind of the review.
        reject_reason: Why it was refused.
    """

    status: int | None = integer("status", default=None)
    audit_id: str = text("audit_id")
    brand_id: str | None = text("brand_id", default=None)
    audit_type: int | None = integer("audit_type", default=None)
    reject_reason: str | None = text("reject_reason", default=None)


@register_event("open_product_brand_audit")
class OpenProductBrandAuditEvent(Event):
    """品牌审核: the review of a brand."""

    qualification_audit_result: QualificationAuditResult = nested("QualificationAuditResult", QualificationAuditResult)


@register_event("open_product_category_audit")
class OpenProductCategoryAuditEvent(Event):
    """类目审核: the review of a category."""

    qualification_audit_result: QualificationAuditResult = nested("QualificationAuditResult", QualificationAuditResult)


@model
class OpenProductSpu:
    """The state of a product.

    Attributes:
        status: The state.
        out_product_id: Your id of the product.
        product_id: WeChat's id of the product.
        reject_reason: Why it was refused.
        spu_status: Whether the product is on sale, a number.
        info_version: Version of the product.
    """

    status: int | None = integer("status", default=None)
    out_product_id: str | None = text("out_product_id", default=None)
    product_id: str | None = text("product_id", default=None)
    reject_reason: str | None = text("reject_reason", default=None)
    spu_status: int | None = integer("spu_status", default=None)
    info_version: str | None = text("info_version", default=None)


@register_event("open_product_spu_audit")
class OpenProductSpuAuditEvent(Event):
    """商品审核: the review of a product."""

    open_product_spu_audit: OpenProductSpu = nested("OpenProductSpuAudit", OpenProductSpu)


@register_event("open_product_spu_status_update")
class OpenProductSpuStatusUpdateEvent(Event):
    """商品状态变更: the state of a product changed.

    Attributes:
        open_product_spu_audit: The state; this element is called ``OpenProductSpuAudit``, too.
    """

    open_product_spu_audit: OpenProductSpu = nested("OpenProductSpuAudit", OpenProductSpu)


@model
class OpenProductSceneGroupExt:
    """One part of a scene.

    Attributes:
        ext_id: Its id.
        name: Its name.
        status: Its state.
    """

    ext_id: str | None = text("ext_id", default=None)
    name: str | None = text("name", default=None)
    status: int | None = integer("status", default=None)


@model
class OpenProductSceneGroup:
    """A scene that the component is used in.

    Attributes:
        group_id: Its id.
        name: Its name.
        reason: Why it was refused.
        scene_group_ext_list: Its parts.
    """

    group_id: str | None = text("group_id", default=None)
    name: str | None = text("name", default=None)
    reason: str | None = text("reason", default=None)
    scene_group_ext_list: tuple[OpenProductSceneGroupExt, ...] = items("scene_group_ext_list", OpenProductSceneGroupExt)


@register_event("open_product_scene_group_audit")
class OpenProductSceneGroupAuditEvent(Event):
    """场景审核: the review of a scene."""

    scene_group_audit: OpenProductSceneGroup = nested("SceneGroupAudit", OpenProductSceneGroup)


@register_event("open_product_receive_coupon")
class OpenProductReceiveCouponEvent(Event):
    """用户领券: a user takes a coupon.

    The answer has ret_code, ret_msg, out_coupon_id, out_user_coupon_id and request_id.

    Attributes:
        out_coupon_id: Your id of the coupon.
        request_id: Id of the request.
    """

    out_coupon_id: str = text("out_coupon_id")
    request_id: str | None = text("request_id", default=None)


@model
class FundsPayment:
    """A payment.

    Attributes:
        trade_no: Number of the order.
        transaction_id: Number of the payment in WeChat Pay.
        pay_time: Time of the payment.
    """

    trade_no: str = text("trade_no")
    transaction_id: str | None = text("transaction_id", default=None)
    pay_time: str | None = text("pay_time", default=None)


@register_event("funds_order_pay")
class FundsOrderPayEvent(Event):
    """资金订单支付: an order was paid."""

    order_info: FundsPayment = nested("order_info", FundsPayment)


@model
class FundsProfitSharing:
    """A division of money.

    Attributes:
        profit_sharing_no: Its number.
        amount: The amount; the unit is unconfirmed.
        result: The result.
        finish_time: Time of its end.
    """

    profit_sharing_no: str = text("profit_sharing_no")
    amount: int | None = integer("amount", default=None)
    result: str | None = text("result", default=None)
    finish_time: str | None = text("finish_time", default=None)


@register_event("funds_order_profitsharing")
class FundsOrderProfitsharingEvent(Event):
    """资金订单分账: money was divided among receivers."""

    order_info: FundsProfitSharing = nested("order_info", FundsProfitSharing)


@model
class FundsRefund:
    """A refund.

    Attributes:
        refund_no: Its number.
        status: The result.
        success_time: Time of its end.
    """

    refund_no: str = text("refund_no")
    status: str | None = text("status", default=None)
    success_time: str | None = text("success_time", default=None)


@register_event("funds_order_refund")
class FundsOrderRefundEvent(Event):
    """资金订单退款: an order was refunded."""

    order_info: FundsRefund = nested("order_info", FundsRefund)


@model
class FundsWithdrawal:
    """A withdrawal of money.

    Attributes:
        out_request_no: Your number of the request.
        event: What happened.
    """

    out_request_no: str = text("out_request_no")
    event: int | None = integer("event", default=None)


@register_event("withdraw_notify")
class WithdrawNotifyEvent(Event):
    """提现: the state of a withdrawal of money."""

    withdraw_info: FundsWithdrawal = nested("withdraw_info", FundsWithdrawal)


@model
class SharerPromoter:
    """A promoter.

    Attributes:
        finder_nickname: Name of the promoter's channel.
        promoter_id: Id of the promoter.
        promoter_openid: OpenID of the promoter.
    """

    finder_nickname: str | None = text("finder_nickname", default=None)
    promoter_id: str | None = text("promoter_id", default=None)
    promoter_openid: str | None = text("promoter_openid", default=None)


@register_event("miniprogram_sharer_action")
class MiniprogramSharerActionEvent(Event):
    """分享员操作: a promoter, or a user who came by one, did something.

    Attributes:
        type: What happened.
        openid: The user's OpenID.
        promoter: The promoter.
    """

    type: int | None = integer("type", default=None)
    openid: str | None = text("openid", default=None)
    promoter: SharerPromoter | None = nested("promoter", SharerPromoter, default=None)


@register_event("miniprogram_sharer_bind_status_change")
class MiniprogramSharerBindStatusChangeEvent(Event):
    """分享员绑定状态变更: a promoter joined or left.

    Attributes:
        openid: The promoter's OpenID.
        bind_status: The state.
    """

    openid: str | None = text("openid", default=None)
    bind_status: int | None = integer("bind_status", default=None)
