"""客服消息: messages to one user, within the time after the user's last action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import attrs
from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.api._arguments import as_list, as_mapping, without_none
from wechat_msg.api.call import Call, post
from wechat_msg.api.results import no_result
from wechat_msg.errors import CallError
from wechat_msg.replies import Reply, TextReply, to_customer_service_message

__all__ = [
    "CustomerServiceMessage",
    "Link",
    "MenuItem",
    "MiniProgramPage",
    "MpNews",
    "MpNewsArticle",
    "MsgMenu",
    "WxCard",
    "send",
    "send_body",
    "send_business_body",
    "set_mini_program_typing",
    "set_typing",
]

_ALREADY_TYPING = 45081
_OWN_FIELDS = attrs.filters.exclude(*attrs.fields_dict(Reply))


@frozen(kw_only=True)
class CustomerServiceMessage(Reply):
    """A message for `send` that is not a passive reply (被动回复).

    The fields that it inherits from `Reply` are ignored. A handler of a Mini Program may return it if `AnswerLater`
    sends the answers.
    """

    def to_customer_service(self) -> dict[str, Any]:
        """Return the object that the body holds under the msgtype."""
        return without_none(**attrs.asdict(self, filter=_OWN_FIELDS))


@frozen
class MpNews(CustomerServiceMessage):
    """图文消息（mpnews）: articles; a customer-service message holds 1. `MpNewsArticle` replaces it there.

    Attributes:
        media_id: Media id of the articles.
    """

    msg_type: ClassVar[str] = "mpnews"

    media_id: str


@frozen
class MpNewsArticle(CustomerServiceMessage):
    """已发布的图文消息: a published article. Official Accounts only.

    Attributes:
        article_id: Id of the article, from its publication.
    """

    msg_type: ClassVar[str] = "mpnewsarticle"

    article_id: str


@frozen(kw_only=True)
class MenuItem:
    """An option of a `MsgMenu`.

    Attributes:
        id: Value of `TextMessage.bizmsgmenuid` when the user taps the option.
        content: Text of the option, and of that message.
    """

    id: str
    content: str = field(repr=False)


def _to_items(items: Iterable[MenuItem]) -> tuple[MenuItem, ...]:
    listed = tuple(as_list(items, "items"))
    if not all(isinstance(item, MenuItem) for item in listed):
        raise CallError("items must be MenuItem objects（items 应为 MenuItem 的列表）")
    return listed


@frozen
class MsgMenu(CustomerServiceMessage):
    """菜单消息: a question with options. Official Accounts only.

    Attributes:
        items: The options; ``list`` on the wire.
        head_content: Text above the options.
        tail_content: Text below the options.
    """

    msg_type: ClassVar[str] = "msgmenu"

    items: tuple[MenuItem, ...] = field(converter=_to_items, repr=False)
    head_content: str | None = field(default=None, kw_only=True, repr=False)
    tail_content: str | None = field(default=None, kw_only=True, repr=False)

    def to_customer_service(self) -> dict[str, Any]:
        """Return the object that the body holds under the msgtype."""
        return without_none(
            head_content=self.head_content,
            list=[attrs.asdict(item) for item in self.items],
            tail_content=self.tail_content,
        )


@frozen
class WxCard(CustomerServiceMessage):
    """卡券: a card or voucher. Official Accounts only.

    Attributes:
        card_id: Id of the card.
        card_ext: Further members, as JSON; only for mass messages.
    """

    msg_type: ClassVar[str] = "wxcard"

    card_id: str
    card_ext: str | None = field(default=None, kw_only=True, repr=False)


@frozen(kw_only=True)
class MiniProgramPage(CustomerServiceMessage):
    """小程序卡片: a page of a Mini Program.

    Attributes:
        title: Title.
        pagepath: Path of the page, with its query.
        thumb_media_id: Media id of the image; 520 x 416 is recommended.
        appid: A Mini Program that is linked to the Official Account; None if a Mini Program sends its own page.
    """

    msg_type: ClassVar[str] = "miniprogrampage"

    title: str = field(repr=False)
    pagepath: str
    thumb_media_id: str
    appid: str | None = None


@frozen(kw_only=True)
class Link(CustomerServiceMessage):
    """图文链接: a link with title and image. For Mini Programs; whether Official Accounts may send it is unconfirmed.

    Attributes:
        title: Title.
        description: Description.
        url: URL that a tap opens.
        thumb_url: URL of the image.
    """

    msg_type: ClassVar[str] = "link"

    title: str = field(repr=False)
    description: str = field(repr=False)
    url: str
    thumb_url: str


def send(
    openid: str,
    message: str | Reply,
    *,
    kf_account: str | None = None,
    is_ai_msg: bool | None = None,
    businessid: str | None = None,
) -> Call[None]:
    """发送客服消息: send a message to a user after a recent action of the user.

    A message of the user allows 5 messages within 48 hours. A tap on a menu button that causes an event, a follow, or a
    scan of a QR code allows 3 within a minute. A user who enters the session of a Mini Program allows 2 within a minute
    (unconfirmed).

    Args:
        openid: The user.
        message: A text; a text, image, voice, video, music or news reply; or a message of this module. Mini Programs
            send texts, images, `MiniProgramPage` and `Link`.
        kf_account: Agent whose name and avatar the user sees; None for those of the account.
        is_ai_msg: Whether a grey line tells the user that a third-party AI wrote the message.
        businessid: Id of the sub-merchant.

    Raises:
        ReplyError: *message* cannot be a customer-service message, or is a news reply with more than one article.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
    """
    reply = TextReply(content=message) if isinstance(message, str) else message
    options = without_none(
        customservice=None if kf_account is None else {"kf_account": kf_account},
        aimsgcontext=None if is_ai_msg is None else {"is_ai_msg": int(bool(is_ai_msg))},
        businessid=businessid,
    )
    return send_body(to_customer_service_message(reply, openid) | options)


def send_body(body: Mapping[str, Any]) -> Call[None]:
    """发送客服消息: send a message given as a body, such as one from `AnswerLater`.

    Args:
        body: ``touser``, ``msgtype``, the object of that name, and other members of WeChat's page.

    Raises:
        CallError: *body* is not a mapping.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
    """
    return post("/cgi-bin/message/custom/send", as_mapping(body, "body"), no_result)


def send_business_body(body: Mapping[str, Any]) -> Call[None]:
    """发送子商户客服消息: send a message for a sub-merchant of a Mini Program. The whole call is unconfirmed.

    Args:
        body: As for `send_body`.

    Raises:
        CallError: *body* is not a mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/sendCustomMessage.html
    """
    return post("/cgi-bin/message/custom/business/send", as_mapping(body, "body"), no_result)


def set_typing(openid: str, command: str = "Typing", *, businessid: str | None = None) -> Call[None]:
    """客服输入状态: show the user of an Official Account that an answer is being written.

    The user must have acted within the last 30 seconds. The state lasts 15 seconds, or until a message is sent. If it
    is already on, WeChat answers 45081, which counts as success.

    Args:
        openid: The user.
        command: ``Typing``, or ``CancelTyping`` to end the state.
        businessid: Id of the sub-merchant.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
    """
    return _set_typing("/cgi-bin/message/custom/typing", openid, command, businessid)


def set_mini_program_typing(openid: str, command: str = "Typing", *, businessid: str | None = None) -> Call[None]:
    """小程序客服输入状态: show the user of a Mini Program that an answer is being written, as `set_typing` does.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/setTyping.html
    """
    return _set_typing("/cgi-bin/message/custom/business/typing", openid, command, businessid)


def _set_typing(path: str, openid: str, command: str, businessid: str | None) -> Call[None]:
    return Call(
        "POST",
        path,
        no_result,
        json=without_none(touser=openid, command=command, businessid=businessid),
        is_repeatable=True,
        # 45081: the state is on. That is what Typing asks for, but not CancelTyping.
        also_done=frozenset({_ALREADY_TYPING} if command == "Typing" else ()),
    )
