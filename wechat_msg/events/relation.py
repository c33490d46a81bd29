"""Events of following and unfollowing, of QR codes with a scene, and of reported locations."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import number, text

__all__ = ["LocationEvent", "ScanEvent", "SubscribeEvent", "UnsubscribeEvent"]

_SCENE_PREFIX = "qrscene_"


@register_event("subscribe")
class SubscribeEvent(Event):
    """关注事件: the user follows the account, perhaps by scanning a QR code with a scene (带参数二维码).

    Attributes:
        event_key: ``qrscene_`` and the scene, as received. It may be empty, or have another prefix.
        ticket: Ticket of the QR code.
    """

    event_key: str | None = text("EventKey", default=None)
    ticket: str | None = text("Ticket", default=None)

    @property
    def scene(self) -> str | None:
        """The scene value of the QR code without its prefix; None if the user followed in another way.

        Example:
            >>> SubscribeEvent(create_time=0, event_key="qrscene_123").scene
            '123'
        """
        key = self.event_key or ""
        return key.removeprefix(_SCENE_PREFIX) if key.startswith(_SCENE_PREFIX) else None


@register_event("unsubscribe")
class UnsubscribeEvent(Event):
    """取消关注事件: the user unfollows the account. Delete the user's data; a reply is not shown."""

    event_key: str | None = text("EventKey", default=None)


@register_event("SCAN")
class ScanEvent(Event):
    """扫描带参数二维码事件: a follower scans a QR code with a scene.

    Attributes:
        event_key: The scene value, as received.
        ticket: Ticket of the QR code.
    """

    event_key: str = text("EventKey")
    ticket: str | None = text("Ticket", default=None)

    @property
    def scene(self) -> str:
        """The scene value of the QR code, which is `event_key`, here without a prefix."""
        return self.event_key


@register_event("LOCATION")
class LocationEvent(Event):
    """上报地理位置事件: the user's position. The message type ``location`` is `LocationMessage`.

    Attributes:
        latitude: Degrees.
        longitude: Degrees.
        precision: Metres.
    """

    latitude: float = number("Latitude", repr=False)
    longitude: float = number("Longitude", repr=False)
    precision: float | None = number("Precision", default=None)
