"""Events of shopping guides (对话能力, 导购)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = ["GuideQrcodeScanEvent", "GuideScan"]


@model
class GuideScan:
    """A scan of a guide's QR code.

    Attributes:
        qrcode_guide_account: WeChat id of the guide.
        qrcode_guide_openid: OpenID of the guide.
        openid: OpenID of the user.
        action: What happened, a number.
        qrcode_info: The text of the QR code.
    """

    qrcode_guide_account: str | None = text("qrcode_guide_account", default=None)
    qrcode_guide_openid: str | None = text("qrcode_guide_openid", default=None)
    openid: str | None = text("openid", default=None)
    action: int | None = integer("action", default=None)
    qrcode_info: str | None = text("qrcode_info", default=None)


@register_event("guide_qrcode_scan_event")
class GuideQrcodeScanEvent(Event):
    """导购二维码扫码事件: a user scanned the QR code of a shopping guide."""

    guide_scan_event: GuideScan = nested("GuideScanEvent", GuideScan)
