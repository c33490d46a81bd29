"""Events of the account's menu (自定义菜单)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import content, integer, items, model, nested, number, text

__all__ = [
    "ClickEvent",
    "LocationSelectEvent",
    "PicItem",
    "PicPhotoOrAlbumEvent",
    "PicSysPhotoEvent",
    "PicWeixinEvent",
    "ScanCodeInfo",
    "ScanCodePushEvent",
    "ScanCodeWaitMsgEvent",
    "SendLocationInfo",
    "SendPicsInfo",
    "ViewEvent",
    "ViewMiniProgramEvent",
]


@register_event("CLICK")
class ClickEvent(Event):
    """点击菜单拉取消息: the user pressed a menu button of type click. `event_key` is its key."""

    event_key: str = text("EventKey")


@register_event("VIEW")
class ViewEvent(Event):
    """点击菜单跳转链接: the user pressed a menu button of type view.

    Attributes:
        event_key: The URL that was opened.
        menu_id: Id of the conditional menu (个性化菜单), if the button was on one.
    """

    event_key: str = text("EventKey")
    menu_id: str | None = text("MenuId", default=None)


@register_event("view_miniprogram")
class ViewMiniProgramEvent(Event):
    """点击菜单跳转小程序: the user pressed a menu button that opens a Mini Program.

    Attributes:
        event_key: Path of the page.
        menu_id: Id of the conditional menu, if the button was on one.
    """

    event_key: str = text("EventKey")
    menu_id: str | None = text("MenuId", default=None)


@model
class ScanCodeInfo:
    """The scanned code: `scan_type` is ``qrcode`` or ``barcode``, and `scan_result` is its text."""

    scan_type: str = text("ScanType")
    scan_result: str = content("ScanResult")


@model
class _ScanCodeEvent(Event):
    event_key: str = text("EventKey")
    scan_code_info: ScanCodeInfo = nested("ScanCodeInfo", ScanCodeInfo)


@register_event("scancode_push")
class ScanCodePushEvent(_ScanCodeEvent):
    """扫码推事件: the user scanned a code, and WeChat opened it."""


@register_event("scancode_waitmsg")
class ScanCodeWaitMsgEvent(_ScanCodeEvent):
    """扫码推事件且弹出「消息接收中」: the user scanned a code and waits for the reply."""


@model
class PicItem:
    """One picture, by the MD5 of the file, hexadecimal."""

    pic_md5_sum: str = text("PicMd5Sum")


@model
class SendPicsInfo:
    """The pictures that the user chose; they follow as separate image messages. Empty if the user cancelled."""

    count: int = integer("Count", default=0)
    pic_list: tuple[PicItem, ...] = items("PicList", PicItem)


@model
class _SendPicsEvent(Event):
    event_key: str = text("EventKey")
    send_pics_info: SendPicsInfo = nested("SendPicsInfo", SendPicsInfo)


@register_event("pic_sysphoto")
class PicSysPhotoEvent(_SendPicsEvent):
    """弹出系统拍照发图: the user took pictures with the camera."""


@register_event("pic_photo_or_album")
class PicPhotoOrAlbumEvent(_SendPicsEvent):
    """弹出拍照或者相册发图: the user took pictures or chose them from the album."""


@register_event("pic_weixin")
class PicWeixinEvent(_SendPicsEvent):
    """弹出微信相册发图器: the user chose pictures from WeChat's album."""


@model
class SendLocationInfo:
    """The place that the user chose.

    Attributes:
        location_x: Latitude in degrees.
        location_y: Longitude in degrees.
        scale: Zoom level of the map.
        label: The address as text.
        poiname: Name of the place; may be empty.
    """

    location_x: float = number("Location_X", repr=False)
    location_y: float = number("Location_Y", repr=False)
    scale: float | None = number("Scale", default=None)
    label: str | None = content("Label", default=None)
    poiname: str | None = content("Poiname", default=None)


@register_event("location_select")
class LocationSelectEvent(Event):
    """弹出地理位置选择器: the user chose a place; a location message follows."""

    event_key: str = text("EventKey")
    send_location_info: SendLocationInfo = nested("SendLocationInfo", SendLocationInfo)
