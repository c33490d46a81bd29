"""发布: publish the drafts of an Official Account (`draft`), and list what is published."""

from __future__ import annotations

from functools import partial
from operator import attrgetter

from wechat_msg.api._arguments import without_none, write_options
from wechat_msg.api.call import Call, Pages, post
from wechat_msg.api.draft import DraftArticle
from wechat_msg.api.results import PageOf, Result, ResultOf, next_offset, no_result
from wechat_msg.fields import integer, items, model, nested, timestamp

__all__ = [
    "ArticleURL",
    "ArticleURLs",
    "PublishJob",
    "PublishStatus",
    "PublishedItem",
    "PublishedNews",
    "PublishedNewsItem",
    "PublishedPage",
    "batch_get",
    "delete",
    "get",
    "get_article",
    "iterate_published",
    "submit",
]

# --- publishing ------------------------------------------------------------------------------------------------------


@model
class PublishJob(Result):
    """A publication that WeChat has accepted; it is not finished yet.

    Attributes:
        publish_id: Id of the publication; `PublishJobFinishEvent.publish_event_info.publish_id` is the same.
        msg_data_id: Id of the articles, for statistics and comments; None if WeChat returns none.
    """

    publish_id: str
    msg_data_id: int | None = None


def submit(media_id: str) -> Call[PublishJob]:
    """发布草稿: publish a draft. Followers are not notified, and no quota of mass messages is used (unconfirmed).

    WeChat checks the articles first, so the publication may still fail: `get` returns its status, and a
    `PublishJobFinishEvent` reports its end. 53503: the draft does not pass a check. 53504 and 53505: it can only be
    published in the console, or must be saved there first. 48001: the account may not publish by API, such as accounts
    of persons and accounts that are not verified, since July 2025.

    Args:
        media_id: Media id of the draft.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Publish/Publish.html
    """
    return post("/cgi-bin/freepublish/submit", {"media_id": media_id}, ResultOf(PublishJob))


@model
class ArticleURL:
    """The address of a published article.

    Attributes:
        idx: Number of the article, from 1.
        article_url: Its URL, which does not expire.
    """

    idx: int
    article_url: str


@model
class ArticleURLs:
    """The published articles.

    Attributes:
        count: Number of articles.
        item: Their addresses.
    """

    count: int = integer("count", default=0)
    item: tuple[ArticleURL, ...] = items("item", ArticleURL)


@model
class PublishStatus(Result):
    """Status of a publication.

    Attributes:
        publish_id: Id of the publication.
        publish_status: 0 published; 1 not finished; 2 the check for original work failed; 3 failed; 4 WeChat refused
            the content. Later: 5 the account has deleted all articles; 6 WeChat has removed all articles.
        article_id: Id of the articles; None if they are not published.
        article_detail: Their addresses; None if they are not published.
        fail_idx: Numbers of the articles that failed, from 1, if the status is 2 or 4.
    """

    publish_id: str | None = None
    publish_status: int
    article_id: str | None = None
    article_detail: ArticleURLs | None = nested("article_detail", ArticleURLs, default=None)
    fail_idx: tuple[int, ...] = items("fail_idx", int)


def get(publish_id: int | str) -> Call[PublishStatus]:
    """发布状态查询: get the status of a publication.

    Args:
        publish_id: Id of the publication, from `submit`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_status.html
    """
    return post("/cgi-bin/freepublish/get", {"publish_id": publish_id}, ResultOf(PublishStatus), is_repeatable=True)


# --- published articles ----------------------------------------------------------------------------------------------


@model
class PublishedNewsItem(DraftArticle):
    """A published article; the other attributes are those of `wechat_msg.api.draft.DraftArticle`.

    Attributes:
        is_deleted: 1 if it was deleted.
    """

    is_deleted: int | None = None


@model
class PublishedNews(Result):
    """A publication: `news_item` lists its articles."""

    news_item: tuple[PublishedNewsItem, ...] = items("news_item", PublishedNewsItem)


def get_article(article_id: str) -> Call[PublishedNews]:
    """获取已发布图文信息: get the articles of a publication.

    Args:
        article_id: Id of the articles, from `get` or a `PublishJobFinishEvent`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_article_from_id.html
    """
    return post(
        "/cgi-bin/freepublish/getarticle", {"article_id": article_id}, ResultOf(PublishedNews), is_repeatable=True
    )


def delete(article_id: str, *, index: int | None = None) -> Call[None]:
    """删除发布文章: delete published articles, for good.

    Args:
        article_id: Id of the articles.
        index: Number of the article, from 1; None for all.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Publish/Delete_posts.html
    """
    return post("/cgi-bin/freepublish/delete", without_none(article_id=article_id, index=index), no_result)


@model
class PublishedItem:
    """One publication of a list.

    Attributes:
        article_id: Id of the articles.
        update_time: Time of the last change, in seconds since the epoch.
        news_item: The articles, from ``content``.
    """

    article_id: str
    update_time: int | None = timestamp("update_time", default=None)
    news_item: tuple[PublishedNewsItem, ...] = items("news_item", PublishedNewsItem, within="content")


@model
class PublishedPage(Result):
    """One page of publications.

    Attributes:
        total_count: Number of publications.
        item_count: Number of publications on the page.
        item: The publications.
        offset: Number of publications before the page, as requested.
    """

    total_count: int = integer("total_count", default=0)
    item_count: int = integer("item_count", default=0)
    item: tuple[PublishedItem, ...] = items("item", PublishedItem)
    offset: int = 0


def batch_get(*, offset: int = 0, count: int = 20, no_content: bool | None = None) -> Call[PublishedPage]:
    """获取已发布的消息列表: list one page of publications; `iterate_published` lists all.

    Args:
        offset: Number of publications to skip.
        count: Publications per page, 1 to 20.
        no_content: Whether to leave out the content of the articles; None means no.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_publication_records.html
    """
    body = write_options(offset=offset, count=count, no_content=no_content)
    return post("/cgi-bin/freepublish/batchget", body, PageOf(PublishedPage, offset), is_repeatable=True)


def iterate_published(*, no_content: bool | None = None) -> Pages[PublishedPage, PublishedItem]:
    """获取已发布的消息列表: iterate over all publications.

    Args:
        no_content: As for `batch_get`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_publication_records.html
    """
    return Pages(batch_get(no_content=no_content), attrgetter("item"), partial(_next_page, no_content=no_content))


def _next_page(page: PublishedPage, *, no_content: bool | None) -> Call[PublishedPage] | None:
    offset = next_offset(page.offset, len(page.item), page.total_count)
    return None if offset is None else batch_get(offset=offset, no_content=no_content)
