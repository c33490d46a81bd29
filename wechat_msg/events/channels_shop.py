"""Events of a shop of Channels (视频号小店, 微信小店): account, products, supply and delivery.

Shops get JSON in secure mode only. The members are unconfirmed: they are those that one SDK reads.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, items, lenient_text, model, nested, text

__all__ = [
    "ChannelsAccount",
    "ChannelsBrand",
    "ChannelsEcAcctNotifyEvent",
    "ChannelsEcBrandEvent",
    "ChannelsEcCloseStoreEvent",
    "ChannelsEcSharerChangeEvent",
    "ChannelsEcStockNoEnoughEvent",
    "ChannelsEcWithdrawNotifyEvent",
    "ChannelsStock",
    "ChannelsWithdrawal",
    "CooperationShopOrder",
    "CooperationShopOrderEvent",
    "DropshipOrderCancelEvent",
    "DropshipOrderNewEvent",
    "DropshipOrderUpdateEvent",
    "EwaybillInfo",
    "EwaybillPushPathEvent",
    "HeadSupplierItem",
    "HeadSupplierItemUpdateEvent",
    "ProductCategoryAuditEvent",
    "ProductCategoryReview",
    "ProductOrderStatus",
    "ProductOrderStatusUpdateEvent",
    "ProductSpu",
    "ProductSpuAuditEvent",
    "ProductSpuListingEvent",
    "ProductSpuUpdateEvent",
    "QrcodeStatusEvent",
    "SetShopNicknameEvent",
    "ShopQRCode",
]


@model
class ChannelsAccount:
    """What happened to the account."""

    event: str | None = text("event", default=None)


@register_event("channels_ec_acct_notify")
class ChannelsEcAcctNotifyEvent(Event):
    """账户变更: the account of the shop changed."""

    account_info: ChannelsAccount = nested("account_info", ChannelsAccount)


@model
class ChannelsBrand:
    """A brand.

    Attributes:
        brand_id: Id of the brand.
        audit_id: Id of the application.
        status: Result of the review.
        reason: Why it was refused.
    """

    brand_id: str | None = text("brand_id", default=None)
    audit_id: str | None = text("audit_id", default=None)
    status: int | None = integer("status", default=None)
    reason: str | None = text("reason", default=None)


@register_event("channels_ec_brand")
class ChannelsEcBrandEvent(Event):
    """品牌审核: the review of a brand."""

    brand_event: ChannelsBrand = nested("BrandEvent", ChannelsBrand)


@register_event("channels_ec_close_store")
class ChannelsEcCloseStoreEvent(Event):
    """关闭店铺: the shop was closed.

    Attributes:
        appid: AppID of the shop.
        close_timestamp: Seconds since the epoch.
    """

    appid: str | None = text("appid", default=None)
    close_timestamp: int | None = integer("close_timestamp", default=None)


@register_event("channels_ec_sharer_change")
class ChannelsEcSharerChangeEvent(Event):
    """分享员变更: a promoter joined or left.

    Attributes:
        bind_status: The state.
        openid: The promoter's OpenID.
        sharer_type: Kind of the promoter.
    """

    bind_status: int | None = integer("bind_status", default=None)
    openid: str | None = text("openid", default=None)
    sharer_type: int | None = integer("sharer_type", default=None)


@model
class ChannelsStock:
    """What is left of a product.

    Attributes:
        product_id: The product.
        sku_id: The variant of the product.
        remaining_stock_amount: How many are left.
        remaining_code_amount: How many codes are left.
    """

    product_id: str = text("product_id")
    sku_id: str | None = text("sku_id", default=None)
    remaining_stock_amount: int | None = integer("remaining_stock_amount", default=None)
    remaining_code_amount: int | None = integer("remaining_code_amount", default=None)


@register_event("channels_ec_stock_no_enough")
class ChannelsEcStockNoEnoughEvent(Event):
    """库存不足: little is left of a product."""

    channels_ec_stock_no_enough: ChannelsStock = nested("channels_ec_stock_no_enough", ChannelsStock)


@model
class ChannelsWithdrawal:
    """A withdrawal of money.

    Attributes:
        event: What happened.
        withdraw_id: Its id.
    """

    event: str | None = text("event", default=None)
    withdraw_id: str | None = text("withdraw_id", default=None)


@register_event("channels_ec_withdraw_notify")
class ChannelsEcWithdrawNotifyEvent(Event):
    """提现: a withdrawal of money changed."""

    withdraw_info: ChannelsWithdrawal = nested("withdraw_info", ChannelsWithdrawal)


@model
class ProductCategoryReview:
    """The review of a category.

    Attributes:
        audit_id: Id of the application.
        status: The result.
        reason: Why it was refused.
    """

    audit_id: str = text("audit_id")
    status: int | None = integer("status", default=None)
    reason: str | None = text("reason", default=None)


@register_event("product_category_audit")
class ProductCategoryAuditEvent(Event):
    """类目审核: the review of a category."""

    product_category_audit: ProductCategoryReview = nested("ProductCategoryAudit", ProductCategoryReview)


@model
class ProductOrderStatus:
    """The state of an order.

    Attributes:
        order_id: The order.
        status: Its state.
    """

    order_id: str = text("order_id")
    status: int | None = integer("status", default=None)


@register_event("product_order_status_update")
class ProductOrderStatusUpdateEvent(Event):
    """订单状态更新: the state of an order changed."""

    product_order_status_update: ProductOrderStatus = nested("ProductOrderStatusUpdate", ProductOrderStatus)


@model
class ProductSpu:
    """The state of a product.

    Attributes:
        product_id: The product.
        status: Its state.
        reason: Why it was refused.
        audit_info: More about the review, usually JSON text. Only in `ProductSpuAuditEvent`.
        product_type: 1 of the shop, 4 a gift on sale, 5 not for sale. Only in `ProductSpuAuditEvent`.
    """

    product_id: str = text("product_id")
    status: int | None = integer("status", default=None)
    reason: str | None = text("reason", default=None)
    audit_info: str | None = lenient_text("audit_info", default=None)
    product_type: int | None = integer("product_type", default=None)


@register_event("product_spu_audit")
class ProductSpuAuditEvent(Event):
    """商品审核: the review of a product."""

    product_spu_audit: ProductSpu = nested("ProductSpuAudit", ProductSpu)


@register_event("product_spu_listing")
class ProductSpuListingEvent(Event):
    """商品上下架: a product went on sale, or off."""

    product_spu_listing: ProductSpu = nested("ProductSpuListing", ProductSpu)


@register_event("product_spu_update")
class ProductSpuUpdateEvent(Event):
    """商品更新: a product changed."""

    product_spu_update: ProductSpu = nested("ProductSpuUpdate", ProductSpu)


@model
class CooperationShopOrder:
    """An order of a shop that works with yours.

    Attributes:
        shop_appid: AppID of the shop.
        order_id: The order.
    """

    shop_appid: str | None = text("shop_appid", default=None)
    order_id: str | None = text("order_id", default=None)


@register_event("cooperation_shop_order", "related_shop_order_submission")
class CooperationShopOrderEvent(Event):
    """合作店铺订单, 关联店铺订单: an order of a shop that works with yours.

    WeChat has replaced the first of the two names by the second.

    Attributes:
        data: The order; one SDK calls the member ``EventData``.
    """

    data: CooperationShopOrder = nested("Data", CooperationShopOrder, "EventData")


@register_event("dropship_order_new")
class DropshipOrderNewEvent(Event):
    """代发单创建: a new order to deliver for another shop."""

    ds_order_id: str = text("ds_order_id")


@register_event("dropship_order_cancel")
class DropshipOrderCancelEvent(Event):
    """代发单取消: an order to deliver for another shop was cancelled."""

    ds_order_id: str = text("ds_order_id")


@register_event("dropship_order_update")
class DropshipOrderUpdateEvent(Event):
    """代发单更新: an order to deliver for another shop changed.

    Attributes:
        ds_order_id: The order.
        update_time: Seconds since the epoch.
    """

    ds_order_id: str = text("ds_order_id")
    update_time: int | None = integer("update_time", default=None)


@model
class EwaybillInfo:
    """The state of a waybill.

    Attributes:
        ewaybill_order_id: The order of the waybill.
        waybill_id: Its number.
        status: Its state.
        desc: Text of the state.
        update_time: Seconds since the epoch.
    """

    ewaybill_order_id: str | None = text("ewaybill_order_id", default=None)
    waybill_id: str | None = text("waybill_id", default=None)
    status: int | None = integer("status", default=None)
    desc: str | None = text("desc", default=None)
    update_time: int | None = integer("update_time", default=None)


@register_event("ewaybill_push_path")
class EwaybillPushPathEvent(Event):
    """电子面单轨迹: the state of a waybill changed."""

    waybill_info: EwaybillInfo = nested("waybill_info", EwaybillInfo)


@model
class HeadSupplierItem:
    """A product of a supplier.

    Attributes:
        event_type: What happened.
        appid: AppID of the shop.
        product_id: The product.
        version: Its version.
        update_fields: What changed.
    """

    event_type: int | None = integer("event_type", default=None)
    appid: str | None = text("appid", default=None)
    product_id: str | None = text("product_id", default=None)
    version: str | None = text("version", default=None)
    update_fields: tuple[str, ...] = items("update_fields", str)


@register_event("head_supplier_item_update")
class HeadSupplierItemUpdateEvent(Event):
    """供货商品更新: a product of a supplier changed."""

    item_info: HeadSupplierItem = nested("item_info", HeadSupplierItem)


@model
class ShopQRCode:
    """A QR code.

    Attributes:
        ticket: Ticket of the code.
        status: Its state.
        scan_user_type: Who scanned it.
    """

    ticket: str | None = text("ticket", default=None)
    status: str | None = text("status", default=None)
    scan_user_type: str | None = text("scan_user_type", default=None)


@register_event("qrcode_status")
class QrcodeStatusEvent(Event):
    """二维码状态: a QR code was scanned or confirmed."""

    qrcode_info: ShopQRCode = nested("qrcode_info", ShopQRCode)


@register_event("set_shop_nickname")
class SetShopNicknameEvent(Event):
    """店铺改名: the shop has a new name.

    Attributes:
        appid: AppID of the shop.
        old_nickname: The old name.
        new_nickname: The new name.
    """

    appid: str | None = text("appid", default=None)
    old_nickname: str | None = text("old_nickname", default=None)
    new_nickname: str | None = text("new_nickname", default=None)
