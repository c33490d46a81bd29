"""The messages of users, one frozen class per MsgType, and the base class of all pushes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar, dataclass_transform

import attrs

from wechat_msg.fields import Registry, content, integer, items, lenient_text, model, nested, number, text, timestamp

__all__ = [
    "DeviceEventMessage",
    "DeviceStatusMessage",
    "DeviceTextMessage",
    "FileMessage",
    "ImageMessage",
    "LinkMessage",
    "LocationMessage",
    "Message",
    "MiniProgramPageMessage",
    "ShortVideoMessage",
    "TextMessage",
    "UnknownMessage",
    "UserMessage",
    "VideoMessage",
    "VoiceMessage",
    "register_message",
]

M = TypeVar("M", bound="Message")


@model
class Message:
    """Base class of messages and events. Wire names are attributes in snake_case: ``FromUserName`` is `from_user_name`.

    Instances are frozen, and compare by value without `raw`. The repr contains no text of the user: it may be logged.

    Attributes:
        to_user_name: The account: its original id ``gh_...`` (its AppID in a cloud function).
        from_user_name: The user's OpenID, or a fixed id of the platform.
        create_time: Seconds since the epoch.
        msg_type: The MsgType as received; ``event`` for events.
        raw: All fields as received, by their wire names. Of XML, the values are text, lists and mappings; of JSON, also
            numbers.
    """

    #: MsgType (or Event) that the class is registered for; the default of ``msg_type`` (or ``event``).
    wire_type: ClassVar[str] = ""

    to_user_name: str = text("ToUserName")
    from_user_name: str = text("FromUserName")
    create_time: int = timestamp("CreateTime")
    msg_type: str = text("MsgType", default=attrs.Factory(lambda self: self.wire_type, takes_self=True))
    raw: Mapping[str, Any] = attrs.field(factory=dict, repr=False, eq=False)

    @property
    def created_at(self) -> datetime:
        """`create_time` as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.create_time, UTC)

    def as_text(self, text: str) -> TextMessage:
        """Return a `TextMessage` with this text, and the sender, receiver, time, ids and `raw` of this message.

        Middleware passes it on instead of a voice message that was recognised, or of a click on a menu.

        Args:
            text: The `content` of the new message.

        Example:
            >>> from wechat_msg import VoiceMessage
            >>> voice = VoiceMessage(to_user_name="gh", from_user_name="o", create_time=0, msg_id="1", media_id="M")
            >>> heard = voice.as_text("hello")
            >>> heard.content, heard.msg_id
            ('hello', '1')
        """
        kind: Any = UserMessage if isinstance(self, UserMessage) else Message
        kept = {name: getattr(self, name) for name in attrs.fields_dict(kind) if name != "msg_type"}
        return TextMessage(content=text, **kept)


@model
class UserMessage(Message):
    """Base class of the messages that users send.

    Attributes:
        msg_id: Id of the message, the same in every re-send, as text. WeChat sends a 64-bit number, or text to a cloud
            function.
        msg_data_id: Id of the article that the message was sent from; None if it was not sent from one.
        idx: Position of that article, from 1.
        business_id: Sub-merchant (客服子商户) of a Mini Program's customer service. Unconfirmed.
    """

    msg_id: str = text("MsgId", default="")
    msg_data_id: str | None = text("MsgDataId", default=None)
    idx: int | None = integer("Idx", default=None)
    business_id: str | None = text("BusinessId", default=None)


@model
class UnknownMessage(Message):
    """A message whose type is not registered, or whose fields are unreadable. All fields are in `raw`."""

    msg_id: str | None = lenient_text("MsgId", default=None)


#: The models of messages. ``with MESSAGES.temporary():`` undoes what a test registers.
MESSAGES = Registry["Message"]()


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(text, lenient_text, content, integer, timestamp, number, nested, items, attrs.field),
)
def register_message(msg_type: str) -> Callable[[type[M]], type[M]]:
    """Make the decorated subclass of `Message` the model of *msg_type*, whose case does not matter; the last one wins.

    Example:
        >>> from wechat_msg import UserMessage, parse_message, register_message
        >>> from wechat_msg.fields import text
        >>> @register_message("poke")
        ... class PokeMessage(UserMessage):
        ...     poked_part: str = text("PokedPart")
        >>> parse_message({"MsgType": "poke", "PokedPart": "nose", "ToUserName": "gh_1", "FromUserName": "o1",
        ...                "CreateTime": 1700000000}).poked_part
        'nose'
    """

    def register(cls: type[M]) -> type[M]:
        modelled = model(cls)
        modelled.wire_type = msg_type
        MESSAGES.add(modelled, msg_type)
        return modelled

    return register


@register_message("text")
class TextMessage(UserMessage):
    """文本消息: text.

    Attributes:
        content: The text, letter for letter. After a click on a menu message, the caption of the item.
        bizmsgmenuid: Id of the clicked item of a menu message (msgmenu); None if the user typed the text.
    """

    content: str = content("Content")
    bizmsgmenuid: str | None = text("bizmsgmenuid", default=None)


@register_message("image")
class ImageMessage(UserMessage):
    """图片消息: a picture.

    Attributes:
        pic_url: URL of the picture.
        media_id: Id of temporary media, valid for 3 days; empty if the push has none.
    """

    pic_url: str | None = text("PicUrl", default=None)
    media_id: str = text("MediaId", default="")


@register_message("voice")
class VoiceMessage(UserMessage):
    """语音消息: a voice message.

    Attributes:
        media_id: Id of temporary media, valid for 3 days; empty if the push has none.
        format: ``amr``, ``speex`` ...
        media_id16_k: Media id of the version with 16 kHz.
        recognition: Result of speech recognition, if the account enabled it. WeChat has withdrawn it.
    """

    media_id: str = text("MediaId", default="")
    format: str | None = text("Format", default=None)
    media_id16_k: str | None = text("MediaId16K", default=None)
    recognition: str | None = content("Recognition", default=None)


@register_message("video")
class VideoMessage(UserMessage):
    """视频消息: a video.

    Attributes:
        media_id: Id of temporary media, valid for 3 days; empty if the push has none.
        thumb_media_id: Id of its picture, as temporary media.
    """

    media_id: str = text("MediaId", default="")
    thumb_media_id: str | None = text("ThumbMediaId", default=None)


@register_message("shortvideo")
class ShortVideoMessage(UserMessage):
    """小视频消息: a short video. The ids are as in `VideoMessage`."""

    media_id: str = text("MediaId", default="")
    thumb_media_id: str | None = text("ThumbMediaId", default=None)


@register_message("location")
class LocationMessage(UserMessage):
    """地理位置消息: a place that the user sent. The event ``LOCATION`` is `LocationEvent`.

    Attributes:
        location_x: Latitude in degrees.
        location_y: Longitude in degrees.
        scale: Zoom level of the map.
        label: The address as text.
    """

    location_x: float = number("Location_X", repr=False)
    location_y: float = number("Location_Y", repr=False)
    scale: float | None = number("Scale", default=None)
    label: str | None = content("Label", default=None)


@register_message("link")
class LinkMessage(UserMessage):
    """链接消息: a shared link."""

    title: str | None = content("Title", default=None)
    description: str | None = content("Description", default=None)
    url: str = text("Url", repr=False)


@register_message("file")
class FileMessage(UserMessage):
    """文件消息: a file. WeChat does not document it; the fields are those that have been observed.

    Attributes:
        title: Name of the file.
        description: Its description.
        file_key: Key of the file.
        file_md5: MD5 of the file, hexadecimal.
        file_total_len: Size in bytes.
    """

    title: str | None = content("Title", default=None)
    description: str | None = content("Description", default=None)
    file_key: str | None = text("FileKey", default=None)
    file_md5: str | None = text("FileMd5", default=None)
    file_total_len: int | None = integer("FileTotalLen", default=None)


@register_message("miniprogrampage")
class MiniProgramPageMessage(UserMessage):
    """小程序卡片消息: a card of a Mini Program's page.

    Attributes:
        title: Title of the card.
        app_id: AppID of the Mini Program.
        page_path: Path of the page with its query.
        thumb_url: Temporary URL of the card's picture.
        thumb_media_id: Id of the picture as temporary media, valid for 3 days.
    """

    title: str | None = content("Title", default=None)
    app_id: str | None = text("AppId", default=None)
    page_path: str = text("PagePath")
    thumb_url: str | None = text("ThumbUrl", default=None)
    thumb_media_id: str | None = text("ThumbMediaId", default=None)


@model
class _DeviceMessage(UserMessage):
    """Base class of the messages of devices (硬件设备), which their users' accounts send. WeChat has withdrawn them.

    Attributes:
        device_type: Type of the device: the account's original id.
        device_id: Id of the device.
        content: The content, base64.
        session_id: Id of the session.
        open_id: The user's OpenID, the same as `from_user_name`.
    """

    device_type: str | None = text("DeviceType", default=None)
    device_id: str = text("DeviceID")
    content: str | None = text("Content", default=None, repr=False)
    session_id: str | None = text("SessionID", default=None)
    open_id: str | None = text("OpenID", default=None)


@register_message("device_text")
class DeviceTextMessage(_DeviceMessage):
    """设备消息: a message of a device."""


@register_message("device_event")
class DeviceEventMessage(_DeviceMessage):
    """设备事件: a device was bound or unbound, or its state was asked for.

    Attributes:
        event: What happened, such as ``bind``.
        op_type: What the user did (unconfirmed).
        device_status: 1 if the device is connected, 0 if not (unconfirmed).
    """

    event: str | None = text("Event", default=None)
    op_type: str | None = text("OpType", default=None)
    device_status: int | None = integer("DeviceStatus", default=None)


@register_message("device_status")
class DeviceStatusMessage(_DeviceMessage):
    """设备状态: a device went online or offline."""
