"""Events of features that WeChat has withdrawn: shops, Wi-Fi, shake-around, product codes, devices.

They may still arrive at accounts that have them.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import build_from_json, content, integer, items, model, nested, number, text

__all__ = [
    "Beacon",
    "DeviceBindEvent",
    "DeviceSubscribeStatusEvent",
    "DeviceTextEvent",
    "DeviceUnbindEvent",
    "DeviceUnsubscribeStatusEvent",
    "HardwareEvent",
    "HardwareView",
    "MerchantOrderEvent",
    "ShakearoundUserShakeEvent",
    "SubscribeScanProductEvent",
    "UserScanProductAsyncEvent",
    "UserScanProductEnterSessionEvent",
    "UserScanProductEvent",
    "UserScanProductVerifyActionEvent",
    "WidgetQuery",
    "WidgetSlot",
    "WifiConnectedEvent",
    "WxaWidgetDataEvent",
]


@register_event("merchant_order")
class MerchantOrderEvent(Event):
    """订单付款通知 (微信小店): an order in the old shop was paid. WeChat has withdrawn it.

    Attributes:
        order_id: The order.
        order_status: Its state, a number.
        product_id: The product.
        sku_info: The variant of the product.
    """

    order_id: str = text("OrderId")
    order_status: int | None = integer("OrderStatus", default=None)
    product_id: str | None = text("ProductId", default=None)
    sku_info: str | None = text("SkuInfo", default=None)


@register_event("WifiConnected")
class WifiConnectedEvent(Event):
    """Wi-Fi连网成功: the user connected to a shop's Wi-Fi. WeChat has withdrawn it.

    Attributes:
        connect_time: When, in seconds since the epoch.
        expire_time: Until when the connection is valid, in seconds since the epoch; 0 if it is not limited.
        vendor_id: The provider.
        place_id: The shop, in old pushes.
        shop_id: The shop, in newer ones.
        device_no: The device.
    """

    connect_time: int | None = integer("ConnectTime", default=None)
    expire_time: int | None = integer("ExpireTime", default=None)
    vendor_id: str | None = text("VendorId", default=None)
    place_id: str | None = text("PlaceId", default=None)
    shop_id: str | None = text("ShopId", default=None)
    device_no: str | None = text("DeviceNo", default=None)


@model
class Beacon:
    """A beacon near the user.

    Attributes:
        uuid: Its UUID.
        major: Its major number.
        minor: Its minor number.
        distance: Distance in metres. Unconfirmed.
    """

    uuid: str | None = text("Uuid", default=None)
    major: int | None = integer("Major", default=None)
    minor: int | None = integer("Minor", default=None)
    distance: float | None = number("Distance", default=None)


@register_event("ShakearoundUserShake")
class ShakearoundUserShakeEvent(Event):
    """摇一摇周边: the user shook the phone near beacons. WeChat has withdrawn it.

    Attributes:
        chosen_beacon: The beacon whose page the user opened.
        around_beacons: The others.
    """

    chosen_beacon: Beacon | None = nested("ChosenBeacon", Beacon, default=None)
    around_beacons: tuple[Beacon, ...] = items("AroundBeacons", Beacon, item="AroundBeacon")


@model
class _ScanProductEvent(Event):
    """Base class of the events of product codes. Which attributes an event has depends on its kind.

    Attributes:
        key_standard: Standard of the code, such as ``ean13``.
        key_str: The code.
        country: The user's country.
        province: The user's province.
        city: The user's city.
        sex: 1 male, 2 female, 0 unknown.
        scene: How the page was opened, a number.
        ext_info: The text that was given with the QR code.
        region_code: The user's region.
        result: Result of the review of a product.
        reason_msg: Reason of the result.
        event_key: The key of the code (unconfirmed).
    """

    key_standard: str | None = text("KeyStandard", default=None)
    key_str: str | None = text("KeyStr", default=None)
    country: str | None = text("Country", default=None, repr=False)
    province: str | None = text("Province", default=None, repr=False)
    city: str | None = text("City", default=None, repr=False)
    sex: int | None = integer("Sex", default=None)
    scene: int | None = integer("Scene", default=None)
    ext_info: str | None = text("ExtInfo", default=None)
    region_code: str | None = text("RegionCode", default=None, repr=False)
    result: str | None = text("Result", default=None)
    reason_msg: str | None = text("ReasonMsg", default=None)
    event_key: str | None = text("EventKey", default=None)


@register_event("user_scan_product")
class UserScanProductEvent(_ScanProductEvent):
    """打开商品主页: the user opened the page of a product by its code. WeChat has withdrawn it."""


@register_event("user_scan_product_enter_session")
class UserScanProductEnterSessionEvent(_ScanProductEvent):
    """从商品主页进入公众号会话: the user opened the account's chat from a product's page. WeChat has withdrawn it."""


@register_event("user_scan_product_async")
class UserScanProductAsyncEvent(_ScanProductEvent):
    """地理位置信息异步推送: the region of a user who opened a product's page. WeChat has withdrawn it."""


@register_event("user_scan_product_verify_action")
class UserScanProductVerifyActionEvent(_ScanProductEvent):
    """商品审核结果: the result of the review of a product. WeChat has withdrawn it."""


@register_event("subscribe_scan_product")
class SubscribeScanProductEvent(_ScanProductEvent):
    """从商品主页关注公众号: the user follows the account from a product's page. WeChat has withdrawn it."""


@model
class _DeviceEvent(Event):
    """Base class of the events of devices (硬件设备); `DeviceEventMessage` is the same as a message.

    Attributes:
        device_type: Type of the device: the account's original id.
        device_id: Id of the device.
        content: The content, base64.
        session_id: Id of the session.
        open_id: The user's OpenID.
        op_type: What the user did (unconfirmed).
        device_status: 1 if the device is connected, 0 if not (unconfirmed).
    """

    device_type: str | None = text("DeviceType", default=None)
    device_id: str | None = text("DeviceID", default=None)
    content: str | None = text("Content", default=None, repr=False)
    session_id: str | None = text("SessionID", default=None)
    open_id: str | None = text("OpenID", default=None)
    op_type: str | None = text("OpType", default=None)
    device_status: int | None = integer("DeviceStatus", default=None)


@register_event("device_text")
class DeviceTextEvent(_DeviceEvent):
    """设备消息: a message of a device. WeChat has withdrawn it."""


@register_event("device_bind")
class DeviceBindEvent(_DeviceEvent):
    """绑定设备: the user bound a device. WeChat has withdrawn it."""


@register_event("device_unbind")
class DeviceUnbindEvent(_DeviceEvent):
    """解绑设备: the user unbound a device. WeChat has withdrawn it."""


@register_event("device_subscribe_status")
class DeviceSubscribeStatusEvent(_DeviceEvent):
    """订阅设备状态: the user wants to see the state of a device. WeChat has withdrawn it."""


@register_event("device_unsubscribe_status")
class DeviceUnsubscribeStatusEvent(_DeviceEvent):
    """退订设备状态: the user no longer wants to see the state of a device. WeChat has withdrawn it."""


@model
class HardwareView:
    """What a device shows."""

    message_view: str | None = text("MessageView", default=None)
    message_action: str | None = text("MessageAction", default=None)


@register_event("hardware")
class HardwareEvent(Event):
    """硬件: a device of a hardware account. WeChat has withdrawn it. Unconfirmed.

    Attributes:
        hard_ware: What is shown for the device.
    """

    hard_ware: HardwareView = nested("HardWare", HardwareView)


@model
class WidgetSlot:
    """One value that a search widget knows, and its name."""

    key: str | None = text("key", default=None)
    value: str | None = content("value", default=None)


@model
class WidgetQuery:
    """What a search widget asks for.

    Attributes:
        type: Kind of the widget.
        slot_list: The values that it knows.
        longitude: Where the user is, in degrees.
        latitude: Where the user is, in degrees.
    """

    type: int | None = integer("type", default=None)
    slot_list: tuple[WidgetSlot, ...] = items("slot_list", WidgetSlot)
    longitude: float | None = number("longitude", default=None, repr=False)
    latitude: float | None = number("latitude", default=None, repr=False)


@register_event("wxa_widget_data")
class WxaWidgetDataEvent(Event):
    """搜索小程序服务直达: a search widget asks for data. WeChat has withdrawn it.

    The answer is a document of the widget's type.

    Attributes:
        query: JSON text; `widget_query` reads it.
        scene: Where the widget is shown.
    """

    query: str | None = content("Query", default=None)
    scene: int | None = integer("Scene", default=None)

    @property
    def widget_query(self) -> WidgetQuery | None:
        """The members of `query`; None if it is missing or unreadable."""
        return build_from_json(WidgetQuery, self.query or "")
