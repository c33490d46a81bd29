"""Events with the results of jobs: template messages, mass messages and publications."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, items, model, nested, text

__all__ = [
    "ArticleDetail",
    "ArticleUrl",
    "ArticleUrlResult",
    "CopyrightCheckItem",
    "CopyrightCheckResult",
    "MassSendJobFinishEvent",
    "PublishEventInfo",
    "PublishJobFinishEvent",
    "PublishedArticle",
    "TemplateSendJobFinishEvent",
]


@register_event("TEMPLATESENDJOBFINISH")
class TemplateSendJobFinishEvent(Event):
    """模版消息发送任务完成: the result of a template message.

    Attributes:
        msg_id: The msgid that the send call returned, as text.
        status: ``success``, ``failed:user block`` or ``failed: system failed``; compare by prefix.
    """

    msg_id: str = text("MsgID", "MsgId")
    status: str = text("Status")


@model
class CopyrightCheckItem:
    """Result of the original-work check of one article.

    Attributes:
        article_idx: Position of the article, from 1.
        user_declare_state: State of the author's declaration.
        audit_state: 1 no reprint, may be sent; 2 reprint, may be sent; 3 reprint, may not be sent.
        original_article_url: URL of the similar original.
        original_article_type: Type of the similar original.
        can_reprint: 1 if it may be reprinted.
        need_replace_content: 1 if the content must be replaced by the original's.
        need_show_reprint_source: 1 if the source must be shown.
    """

    article_idx: int | None = integer("ArticleIdx", default=None)
    user_declare_state: int | None = integer("UserDeclareState", default=None)
    audit_state: int | None = integer("AuditState", default=None)
    original_article_url: str | None = text("OriginalArticleUrl", default=None)
    original_article_type: int | None = integer("OriginalArticleType", default=None)
    can_reprint: int | None = integer("CanReprint", default=None)
    need_replace_content: int | None = integer("NeedReplaceContent", default=None)
    need_show_reprint_source: int | None = integer("NeedShowReprintSource", default=None)


@model
class CopyrightCheckResult:
    """Result of the original-work check. `check_state` is the `CopyrightCheckItem.audit_state` of the whole message."""

    count: int = integer("Count", default=0)
    result_list: tuple[CopyrightCheckItem, ...] = items("ResultList", CopyrightCheckItem)
    check_state: int | None = integer("CheckState", default=None)


@model
class ArticleUrl:
    """The URL of one sent article; `article_idx` counts from 1."""

    article_idx: int | None = integer("ArticleIdx", default=None)
    article_url: str = text("ArticleUrl")


@model
class ArticleUrlResult:
    """The URLs of the articles sent."""

    count: int = integer("Count", default=0)
    result_list: tuple[ArticleUrl, ...] = items("ResultList", ArticleUrl)


@register_event("MASSSENDJOBFINISH")
class MassSendJobFinishEvent(Event):
    """群发任务完成: the result of a mass message.

    Attributes:
        msg_id: The msg_id that the send call returned, as text.
        status: ``send success``, ``send fail`` or ``err(N)``. Single users may not be reached in spite of success.
        total_count: Size of the group or of the list of OpenIDs.
        filter_count: Users left after filtering, about sent_count + error_count.
        sent_count: Users reached.
        error_count: Users not reached.
        copyright_check_result: Result of the original-work check of articles.
        article_url_result: URLs of the articles.
    """

    msg_id: str = text("MsgID", "MsgId")
    status: str = text("Status")
    total_count: int | None = integer("TotalCount", default=None)
    filter_count: int | None = integer("FilterCount", default=None)
    sent_count: int | None = integer("SentCount", default=None)
    error_count: int | None = integer("ErrorCount", default=None)
    copyright_check_result: CopyrightCheckResult | None = nested(
        "CopyrightCheckResult", CopyrightCheckResult, default=None
    )
    article_url_result: ArticleUrlResult | None = nested("ArticleUrlResult", ArticleUrlResult, default=None)


@model
class PublishedArticle:
    """One published article; `idx` counts from 1."""

    idx: int = integer("idx")
    article_url: str = text("article_url")


@model
class ArticleDetail:
    """The published articles."""

    count: int = integer("count", default=0)
    item: tuple[PublishedArticle, ...] = items("item", PublishedArticle)


@model
class PublishEventInfo:
    """The result of a publication.

    Attributes:
        publish_id: Id that the publish call returned, as text.
        publish_status: 0 success, 1 publishing, 2 original-work check failed, 3 failed, 4 refused by the platform,
            5 deleted by the author after success, 6 banned after success.
        article_id: Only for status 0.
        article_detail: Only for status 0.
        fail_idx: Positions, from 1, of the articles that failed; for status 2 and 4.
    """

    publish_id: str = text("publish_id")
    publish_status: int = integer("publish_status")
    article_id: str | None = text("article_id", default=None)
    article_detail: ArticleDetail | None = nested("article_detail", ArticleDetail, default=None)
    fail_idx: tuple[int, ...] = items("fail_idx", int)


@register_event("PUBLISHJOBFINISH", "FREEPUBLISHJOBFINISH")
class PublishJobFinishEvent(Event):
    """发布任务完成: the result of a publication. One SDK calls the event FREEPUBLISHJOBFINISH; both names work."""

    publish_event_info: PublishEventInfo = nested("PublishEventInfo", PublishEventInfo)
