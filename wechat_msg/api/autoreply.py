"""自动回复: the automatic replies of an Official Account that were set in the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wechat_msg.api.call import Call, get
from wechat_msg.api.results import Result, ResultOf
from wechat_msg.fields import content, integer, items, model, nested, timestamp

__all__ = ["AutoReply", "AutoReplyKeyword", "AutoReplyRule", "CurrentAutoReply", "get_current"]


@model
class AutoReply:
    """A reply.

    Attributes:
        type: ``text``, ``img``, ``voice``, ``video`` or ``news`` (unconfirmed).
        content: The text, a media id, or the URL of a video (unconfirmed). No repr shows it.
        news_info: The articles, as received: ``{"list": [...]}``; None for other types.
    """

    type: str | None = None
    content: str = content("content", default="")
    news_info: Mapping[str, Any] | None = None


@model
class AutoReplyKeyword:
    """A keyword of a rule.

    Attributes:
        content: The keyword.
        match_mode: ``contain``: the message contains it; ``equal``: the message is the keyword (unconfirmed).
        type: ``text`` (unconfirmed).
    """

    content: str = ""
    match_mode: str | None = None
    type: str | None = None


@model
class AutoReplyRule:
    """The replies to some keywords.

    Attributes:
        rule_name: Name of the rule.
        create_time: Time of its creation, in seconds since the epoch.
        reply_mode: ``reply_all``: all replies are sent; ``random_one``: one of them (unconfirmed).
        keyword_list_info: The keywords.
        reply_list_info: The replies.
    """

    rule_name: str | None = None
    create_time: int | None = timestamp("create_time", default=None)
    reply_mode: str | None = None
    keyword_list_info: tuple[AutoReplyKeyword, ...] = items("keyword_list_info", AutoReplyKeyword)
    reply_list_info: tuple[AutoReply, ...] = items("reply_list_info", AutoReply)


@model
class CurrentAutoReply(Result):
    """The automatic replies.

    Attributes:
        is_add_friend_reply_open: 1 if new followers get a reply, else 0.
        is_autoreply_open: 1 if messages get automatic replies, else 0.
        add_friend_autoreply_info: Reply to new followers; None if there is none.
        message_default_autoreply_info: Reply to messages without a keyword; None if there is none.
        keyword_autoreply_info: Rules for messages with keywords, from its ``list``.
    """

    is_add_friend_reply_open: int = integer("is_add_friend_reply_open", default=0)
    is_autoreply_open: int = integer("is_autoreply_open", default=0)
    add_friend_autoreply_info: AutoReply | None = nested("add_friend_autoreply_info", AutoReply, default=None)
    message_default_autoreply_info: AutoReply | None = nested("message_default_autoreply_info", AutoReply, default=None)
    keyword_autoreply_info: tuple[AutoReplyRule, ...] = items("list", AutoReplyRule, within="keyword_autoreply_info")


def get_current() -> Call[CurrentAutoReply]:
    """获取公众号的自动回复规则: get the automatic replies that were set in the console.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Getting_Rules_for_Auto_Replies.html
    """
    return get("/cgi-bin/get_current_autoreply_info", ResultOf(CurrentAutoReply))
