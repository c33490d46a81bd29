"""Replies of handlers: passive replies (被动回复) and acknowledgements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg._validators import Validator, Validators, is_whole_number
from wechat_msg.errors import ReplyError
from wechat_msg.wire import Format

__all__ = [
    "Acknowledgement",
    "Article",
    "ChapterPermission",
    "ChapterPermissionReply",
    "ErrCodeReply",
    "ImageReply",
    "IosRefundReply",
    "MusicReply",
    "NewsReply",
    "RawReply",
    "RenderedReply",
    "Reply",
    "ResultReply",
    "TextReply",
    "TransferCustomerServiceReply",
    "VideoReply",
    "VoiceReply",
    "to_customer_service_message",
]

_MAX_ARTICLES = 8

_check = Validators(ReplyError)
_text = _check.instance_of(str, what="text")
_optional_text = attrs.validators.optional(_text)
_integer = _check(is_whole_number(), "a whole number")
_index = _check(is_whole_number(0), "a whole number from 0")
_mapping = _check.instance_of(Mapping, what="a mapping")

_STATUS = {"errcode", "errmsg", "resultcode", "resultmsg"}


def _has_no_status(value: object) -> bool:
    return isinstance(value, Mapping) and not {name.lower() for name in value if isinstance(name, str)} & _STATUS


_further = _check(_has_no_status, "a mapping without the code and its description")


def _is_mapping_to_text(value: object) -> bool:
    return isinstance(value, (dict, Mapping)) and {*map(type, value.values())} <= {str}


def _without_none(**members: str | None) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


@frozen(kw_only=True)
class Reply:
    """Base class of replies.

    Arguments are keywords, except for the one value that most replies of a kind need: ``TextReply("hi")``.

    Attributes:
        to_user_name: The user's OpenID; if None, that of the sender of the push.
        from_user_name: The account's original id; if None, the one that the push was sent to.
        create_time: Seconds since the epoch; if None, the current time.
    """

    msg_type: ClassVar[str] = ""

    to_user_name: str | None = field(default=None, validator=_optional_text)
    from_user_name: str | None = field(default=None, validator=_optional_text)
    create_time: int | None = field(default=None, validator=attrs.validators.optional(_integer))

    def to_fields(self, form: Format) -> dict[str, Any]:
        """Return the members of the reply by their wire names, without the four members of all replies."""
        raise ReplyError(f"{type(self).__name__} cannot be sent as a reply")

    def to_customer_service(self) -> dict[str, Any]:
        """Return the object that a customer-service message (客服消息) has under the name of its msgtype.

        Raises:
            ReplyError: There is no customer-service message of this kind.
        """
        raise ReplyError(
            f"{type(self).__name__} cannot be sent as a customer-service message（这种回复不能改用客服消息发送）"
        )


# Keywords are marked field by field, because before attrs 25.4 kw_only of a class overrides that of its fields.


@frozen
class TextReply(Reply):
    """回复文本消息: text.

    Attributes:
        content: Line breaks and ``<a href>`` links work. WeChat once named a limit of 2,048 bytes of UTF-8.
    """

    msg_type: ClassVar[str] = "text"

    content: str = field(validator=_text, repr=False)

    def to_fields(self, form: Format) -> dict[str, Any]:
        return {"Content": self.content}

    def to_customer_service(self) -> dict[str, Any]:
        return {"content": self.content}


@frozen
class ImageReply(Reply):
    """回复图片消息: a picture that was uploaded before."""

    msg_type: ClassVar[str] = "image"

    media_id: str = field(validator=_text)

    def to_fields(self, form: Format) -> dict[str, Any]:
        return {"Image": {"MediaId": self.media_id}}

    def to_customer_service(self) -> dict[str, Any]:
        return {"media_id": self.media_id}


@frozen
class VoiceReply(Reply):
    """回复语音消息: a voice message that was uploaded before."""

    msg_type: ClassVar[str] = "voice"

    media_id: str = field(validator=_text)

    def to_fields(self, form: Format) -> dict[str, Any]:
        return {"Voice": {"MediaId": self.media_id}}

    def to_customer_service(self) -> dict[str, Any]:
        return {"media_id": self.media_id}


@frozen
class VideoReply(Reply):
    """回复视频消息: a video that was uploaded before.

    Attributes:
        media_id: Media id of the video.
        title: Title.
        description: Description.
        thumb_media_id: Media id of the cover; only a customer-service message shows it, and requires it.
    """

    msg_type: ClassVar[str] = "video"

    media_id: str = field(validator=_text)
    title: str | None = field(default=None, kw_only=True, validator=_optional_text, repr=False)
    description: str | None = field(default=None, kw_only=True, validator=_optional_text, repr=False)
    thumb_media_id: str | None = field(default=None, kw_only=True, validator=_optional_text)

    def to_fields(self, form: Format) -> dict[str, Any]:
        return {"Video": {"MediaId": self.media_id, "Title": self.title, "Description": self.description}}

    def to_customer_service(self) -> dict[str, Any]:
        # Whether WeChat accepts a video without a cover is unconfirmed, so this is not checked.
        return _without_none(
            media_id=self.media_id,
            thumb_media_id=self.thumb_media_id,
            title=self.title,
            description=self.description,
        )


@frozen(kw_only=True)
class MusicReply(Reply):
    """回复音乐消息: music.

    Attributes:
        thumb_media_id: Media id of the cover; the only one required.
        title: Title.
        description: Description.
        music_url: Link to the music.
        hq_music_url: Link to a version of higher quality, preferred on Wi-Fi.
    """

    msg_type: ClassVar[str] = "music"

    thumb_media_id: str = field(validator=_text)
    title: str | None = field(default=None, validator=_optional_text, repr=False)
    description: str | None = field(default=None, validator=_optional_text, repr=False)
    music_url: str | None = field(default=None, validator=_optional_text)
    hq_music_url: str | None = field(default=None, validator=_optional_text)

    def to_fields(self, form: Format) -> dict[str, Any]:
        music = {
            "Title": self.title,
            "Description": self.description,
            "MusicUrl": self.music_url,
            "HQMusicUrl": self.hq_music_url,
            "ThumbMediaId": self.thumb_media_id,
        }
        return {"Music": music}

    def to_customer_service(self) -> dict[str, Any]:
        return _without_none(
            title=self.title or "",
            description=self.description or "",
            musicurl=self.music_url or "",
            hqmusicurl=self.hq_music_url,
            thumb_media_id=self.thumb_media_id,
        )


@frozen(kw_only=True)
class Article:
    """One article of a `NewsReply`.

    Attributes:
        title: Title.
        description: Description.
        pic_url: Picture, jpg or png; 360 x 200 for the first, 200 x 200 for the others.
        url: The page that a tap opens.
    """

    title: str = field(default="", validator=_text, repr=False)
    description: str = field(default="", validator=_text, repr=False)
    pic_url: str = field(default="", validator=_text)
    url: str = field(default="", validator=_text)

    def to_fields(self) -> dict[str, str]:
        """Return the members of the article by their wire names."""
        return {"Title": self.title, "Description": self.description, "PicUrl": self.pic_url, "Url": self.url}


def _to_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    try:
        return tuple(values)
    except TypeError:
        return (None,)  # which the validator refuses


# Functions of their own, from which type checkers learn what these attributes take.


def _to_articles(articles: Iterable[Article]) -> tuple[Article, ...]:
    return _to_tuple(articles)


def _to_perms(perms: Iterable[ChapterPermission]) -> tuple[ChapterPermission, ...]:
    return _to_tuple(perms)


def _all_are(cls: type) -> Validator:
    return _check(lambda values: all(isinstance(value, cls) for value in values), f"{cls.__name__} objects")


@frozen
class NewsReply(Reply):
    """回复图文消息: articles.

    Attributes:
        articles: 1 to 8. WeChat shows exactly 1 in answer to a message; up to 8 in answer to an event (unconfirmed).
    """

    msg_type: ClassVar[str] = "news"

    articles: Sequence[Article] = field(
        converter=_to_articles,
        validator=[
            _all_are(Article),
            _check(
                lambda articles: 1 <= len(articles) <= _MAX_ARTICLES,
                f"1 to {_MAX_ARTICLES} articles（图文消息为 1 到 {_MAX_ARTICLES} 条）",
            ),
        ],
    )

    def to_fields(self, form: Format) -> dict[str, Any]:
        articles = [article.to_fields() for article in self.articles]
        return {"ArticleCount": len(articles), "Articles": {"item": articles} if form == "xml" else articles}

    def to_customer_service(self) -> dict[str, Any]:
        if len(self.articles) > 1:
            raise ReplyError("a customer-service message has 1 article（客服图文消息只能有 1 条，错误码 45008）")
        return {"articles": [{name.lower(): value for name, value in self.articles[0].to_fields().items()}]}


@frozen
class TransferCustomerServiceReply(Reply):
    """转发消息到客服: hand the message over to human agents; the only reply that Mini Programs may give too.

    Attributes:
        kf_account: The agent; if None, any agent. The user is assigned to this agent even if the agent is offline.
    """

    msg_type: ClassVar[str] = "transfer_customer_service"

    kf_account: str | None = field(default=None, validator=_optional_text)

    def to_fields(self, form: Format) -> dict[str, Any]:
        return {} if self.kf_account is None else {"TransInfo": {"KfAccount": self.kf_account}}


@frozen
class Acknowledgement(Reply):
    """The text ``success``, or an empty body: the push has arrived, and the user sees nothing. Never sealed."""

    body: str = field(default="success", validator=_check.one_of("success", ""))


@frozen
class RawReply(Reply):
    """A document of your own, for events that need an answer of their own; sealed like any reply.

    Attributes:
        fields: Wire names and values: text, numbers, mappings, lists. Nothing is added.
    """

    fields: Mapping[str, Any] = field(validator=_mapping, repr=False)

    def to_fields(self, form: Format) -> dict[str, Any]:
        return dict(self.fields)


@frozen
class ErrCodeReply(Reply):
    """The answer to virtual payment (虚拟支付) and some other events: ErrCode and ErrMsg.

    ``iot_voip_notify`` gets them in lower case.

    Attributes:
        err_code: 0 means done. With any other value WeChat sends the event again, up to 15 times.
        err_msg: Description of err_code.
        fields: Further members, by their wire names.
    """

    err_code: int = field(default=0, validator=_integer)
    err_msg: str = field(default="success", kw_only=True, validator=_text)
    fields: Mapping[str, Any] = field(factory=dict, kw_only=True, validator=_further, repr=False)

    def to_fields(self, form: Format) -> dict[str, Any]:
        return {"ErrCode": self.err_code, "ErrMsg": self.err_msg, **self.fields}


@frozen
class ResultReply(Reply):
    """The answer of a delivery company to events of logistics (物流助手): ResultCode, ResultMsg.

    The document begins with ToUserName, FromUserName, CreateTime, MsgType and Event, which WeChat requires. Immediate
    delivery (即时配送, ``transport_add_order`` and others) gets the two names in lower case.

    Attributes:
        result_code: 0 means done; other values are the company's.
        result_msg: Description of result_code, which WeChat requires for most events; if None, it is ``success`` for 0,
            and missing for other values.
        fields: Further members, by their wire names, in the order of the document; a list repeats its element in XML.

    Example:
        >>> ResultReply(0, fields={"WayBillID": "1234"}).to_fields("json")
        {'ResultCode': 0, 'ResultMsg': 'success', 'WayBillID': '1234'}

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/server/event_push/express/provider/Cancel_order_event.html
    """

    result_code: int = field(default=0, validator=_integer)
    result_msg: str | None = field(default=None, kw_only=True, validator=_optional_text)
    fields: Mapping[str, Any] = field(factory=dict, kw_only=True, validator=_further, repr=False)

    def to_fields(self, form: Format) -> dict[str, Any]:
        result_msg = "success" if self.result_msg is None and self.result_code == 0 else self.result_msg
        return {"ResultCode": self.result_code, "ResultMsg": result_msg, **self.fields}


@frozen(kw_only=True)
class IosRefundReply(Reply):
    """The answer to ``xpay_subscribe_ios_refund_query_notify``: whether Apple should refund a user; within 3 seconds.

    Attributes:
        result_code: 0 to allow the refund, 1 to refuse it.
        evidence: What the user got for the money; required, also to allow it.
        result_info: Description of result_code.
    """

    result_code: int = field(validator=_check(is_whole_number(0, 1), "0 or 1"))
    evidence: str = field(
        repr=False, validator=_check(lambda value: isinstance(value, str) and value, "text, and not empty")
    )
    result_info: str = field(default="", repr=False, validator=_text)

    def to_fields(self, form: Format) -> dict[str, Any]:
        response = {"result_code": self.result_code, "result_info": self.result_info, "evidence": self.evidence}
        return {"ErrCode": 0, "ErrMsg": "success", "IosRefundQueryResponse": response}


@frozen(kw_only=True)
class ChapterPermission:
    """Chapters of a novel that a user may read, or may not, in a `ChapterPermissionReply`.

    Attributes:
        start_chapter_index: The first chapter, counted from 0.
        end_chapter_index: The last one; whether it belongs to them is unconfirmed.
        perm: 0 free, 1 unlocked, 2 locked.
    """

    start_chapter_index: int = field(validator=_index)
    end_chapter_index: int = field(validator=_index)
    perm: int = field(validator=_check(is_whole_number(0, 2), "0, 1 or 2"))

    def to_fields(self) -> dict[str, int]:
        """Return the members by their wire names."""
        return {
            "StartChapterIndex": self.start_chapter_index,
            "EndChapterIndex": self.end_chapter_index,
            "Perm": self.perm,
        }


@frozen
class ChapterPermissionReply(Reply):
    """The answer to ``wxa_novel_chapter_permission``: which chapters the user may read; within 4 seconds.

    Attributes:
        perms: One or more.
    """

    perms: Sequence[ChapterPermission] = field(
        converter=_to_perms, validator=[_all_are(ChapterPermission), _check(bool, "one or more")]
    )

    def to_fields(self, form: Format) -> dict[str, Any]:
        return {"ErrCode": 0, "ErrMsg": "success", "ChapterPerms": [perm.to_fields() for perm in self.perms]}


@frozen(kw_only=True)
class RenderedReply(Reply):
    """A reply that is written but not sealed yet, so that all re-sends of a push get the same reply.

    Attributes:
        documents: The document by its data format: ``xml``, ``json``, or both.
    """

    # The documents have them, so nothing reads them here.
    to_user_name: str | None = field(default=None)
    from_user_name: str | None = field(default=None)
    create_time: int | None = field(default=None)

    documents: Mapping[Format, str] = field(validator=_check(_is_mapping_to_text, "a mapping to text"), repr=False)


def to_customer_service_message(reply: Reply, openid: str) -> dict[str, Any]:
    """Make the customer-service message (客服消息) with the content of *reply*.

    Args:
        reply: A text, image, voice, video, music or news reply.
        openid: The user.

    Returns:
        The body of ``POST /cgi-bin/message/custom/send``.

    Raises:
        ReplyError: There is no such message, a news reply has more than one article, or *reply* is not a `Reply`.

    Example:
        >>> to_customer_service_message(TextReply(content="hi"), "oUSER")
        {'touser': 'oUSER', 'msgtype': 'text', 'text': {'content': 'hi'}}

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
    """
    if not isinstance(reply, Reply):
        raise ReplyError("reply must be a Reply to make a customer-service message")
    return {"touser": openid, "msgtype": reply.msg_type, reply.msg_type: reply.to_customer_service()}
