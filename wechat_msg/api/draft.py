"""草稿: drafts of articles of an Official Account, to be published (`freepublish`) or sent to many users (`mass`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.api._arguments import as_list, as_mapping, texts, without_none, write_options
from wechat_msg.api.call import Call, Pages, post
from wechat_msg.api.call import get as get_call
from wechat_msg.api.material import NewsItem
from wechat_msg.api.results import Member, PageOf, Result, ResultOf, next_offset, no_result
from wechat_msg.errors import CallError
from wechat_msg.fields import integer, items, model, nested, number, timestamp

__all__ = [
    "CoverInfo",
    "CropPercent",
    "Draft",
    "DraftArticle",
    "DraftItem",
    "DraftPage",
    "FooterProductInfo",
    "ImageInfo",
    "ImageItem",
    "News",
    "NewsPic",
    "ProductInfo",
    "add",
    "batch_get",
    "delete",
    "get",
    "get_count",
    "iterate_drafts",
    "update",
]

# --- articles to write -----------------------------------------------------------------------------------------------


@model
class CropPercent:
    """Part of the cover that is shown in one format.

    Attributes:
        ratio: Format: ``1_1``, ``16_9`` or ``2.35_1``.
        x1: Left edge, from 0 to 1.
        y1: Upper edge, from 0 to 1.
        x2: Right edge, from 0 to 1.
        y2: Lower edge, from 0 to 1.
    """

    ratio: str
    x1: float = number("x1")
    y1: float = number("y1")
    x2: float = number("x2")
    y2: float = number("y2")

    def to_json(self) -> dict[str, str]:
        """Return the part in the form of WeChat's API."""
        edges = {"x1": self.x1, "y1": self.y1, "x2": self.x2, "y2": self.y2}
        return {"ratio": self.ratio, **{name: _write_edge(edge) for name, edge in edges.items()}}


def _write_edge(edge: float) -> str:
    if not isinstance(edge, (int, float)) or not 0 <= edge <= 1:
        raise CallError("the edges of a CropPercent must be numbers from 0 to 1（裁剪坐标应为 0 到 1）")
    return f"{edge:.6f}"


def _to_crops(crops: Iterable[CropPercent]) -> tuple[CropPercent, ...]:
    listed = tuple(as_list(crops, "crop_percent_list"))
    if not all(isinstance(crop, CropPercent) for crop in listed):
        raise CallError("crop_percent_list must be CropPercent objects（应为 CropPercent 的列表）")
    return listed


@frozen(kw_only=True)
class _Article:
    article_type: ClassVar[str]

    title: str = field(repr=False)
    content: str = field(repr=False)
    need_open_comment: bool | None = None
    only_fans_can_comment: bool | None = None
    crop_percent_list: tuple[CropPercent, ...] = field(default=(), converter=_to_crops)
    product_key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the article in the form of WeChat's API."""
        crops = [crop.to_json() for crop in self.crop_percent_list]
        product = {"footer_product_info": {"product_key": self.product_key}}
        return write_options(
            article_type=self.article_type,
            title=self.title,
            content=self.content,
            need_open_comment=self.need_open_comment,
            only_fans_can_comment=self.only_fans_can_comment,
            cover_info={"crop_percent_list": crops} if crops else None,
            product_info=None if self.product_key is None else product,
        )


@frozen(kw_only=True)
class News(_Article):
    """图文消息（news）: an article.

    Attributes:
        title: Title, up to 32 characters.
        content: HTML, less than 20,000 characters and 1 MB. WeChat removes JavaScript, and shows only images whose URLs
            are from `wechat_msg.api.material.upload_image`.
        thumb_media_id: Media id of the cover, a permanent material.
        author: Author, up to 16 characters.
        digest: Summary, up to 128 characters.
        content_source_url: Target of "read the original" (阅读原文).
        pic_crop_235_1: Part of the cover that is shown in the format 2.35 to 1: ``X1_Y1_X2_Y2``, each from 0 to 1.
        pic_crop_1_1: Part of the cover that is shown as a square, as for *pic_crop_235_1*.
        need_open_comment: Whether comments are allowed.
        only_fans_can_comment: Whether only followers may comment.
        crop_percent_list: Parts of the cover that are shown.
        product_key: Key of the product at the end of the article.

    Raises:
        CallError: *crop_percent_list* is not a list of `CropPercent` objects.
    """

    article_type: ClassVar[str] = "news"

    thumb_media_id: str
    author: str | None = field(default=None, repr=False)
    digest: str | None = field(default=None, repr=False)
    content_source_url: str | None = None
    pic_crop_235_1: str | None = None
    pic_crop_1_1: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the article in the form of WeChat's API."""
        return super().to_json() | without_none(
            thumb_media_id=self.thumb_media_id,
            author=self.author,
            digest=self.digest,
            content_source_url=self.content_source_url,
            pic_crop_235_1=self.pic_crop_235_1,
            pic_crop_1_1=self.pic_crop_1_1,
        )


def _to_media_ids(media_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts(media_ids, "image_media_ids"))


@frozen(kw_only=True)
class NewsPic(_Article):
    """图片消息（newspic）: up to 20 pictures with a text.

    Attributes:
        title: Title, up to 32 characters.
        content: Text, up to 20,000 characters; that HTML has no effect is unconfirmed.
        image_media_ids: Media ids of the pictures, permanent materials; the first is the cover (unconfirmed).
        need_open_comment: Whether comments are allowed.
        only_fans_can_comment: Whether only followers may comment.
        crop_percent_list: Parts of the cover that are shown.
        product_key: Key of the product at the end.

    Raises:
        CallError: *image_media_ids* is not a list of texts, or *crop_percent_list* not one of `CropPercent` objects.
    """

    article_type: ClassVar[str] = "newspic"

    image_media_ids: tuple[str, ...] = field(converter=_to_media_ids)

    def to_json(self) -> dict[str, Any]:
        """Return the article in the form of WeChat's API."""
        images = [{"image_media_id": media_id} for media_id in self.image_media_ids]
        return super().to_json() | {"image_info": {"image_list": images}}


Article = News | NewsPic | Mapping[str, Any]
"""An article: `News`, `NewsPic`, or a mapping with the members of WeChat's page, which is sent as it is."""


def _article_to_json(article: Article) -> dict[str, Any]:
    return article.to_json() if isinstance(article, _Article) else as_mapping(article, "an article")


# --- articles in responses -------------------------------------------------------------------------------------------


@model
class ImageItem:
    """A picture of a ``newspic``: `image_media_id` is its media id."""

    image_media_id: str = ""


@model
class ImageInfo:
    """The pictures of a ``newspic``: `image_list` lists them."""

    image_list: tuple[ImageItem, ...] = items("image_list", ImageItem)


@model
class CoverInfo:
    """The cover of an article: `crop_percent_list` lists the parts that are shown."""

    crop_percent_list: tuple[CropPercent, ...] = items("crop_percent_list", CropPercent)


@model
class FooterProductInfo:
    """The product at the end of an article: `product_key` is its key."""

    product_key: str | None = None


@model
class ProductInfo:
    """The products of an article: `footer_product_info` is the one at its end."""

    footer_product_info: FooterProductInfo | None = nested("footer_product_info", FooterProductInfo, default=None)


@model
class DraftArticle(NewsItem):
    """An article of a draft; the other attributes are those of `wechat_msg.api.material.NewsItem`.

    Attributes:
        article_type: ``news`` or ``newspic``; None in drafts that are older than the types.
        image_info: The pictures; None if it is no ``newspic``.
        cover_info: The cover; None if WeChat returns none.
        product_info: The products; None if there are none.
    """

    article_type: str | None = None
    image_info: ImageInfo | None = nested("image_info", ImageInfo, default=None)
    cover_info: CoverInfo | None = nested("cover_info", CoverInfo, default=None)
    product_info: ProductInfo | None = nested("product_info", ProductInfo, default=None)


# --- drafts ----------------------------------------------------------------------------------------------------------


def add(articles: Iterable[Article]) -> Call[str]:
    """新增草稿: add a draft. The result is its media id, which `mass.preview` also accepts.

    Args:
        articles: The articles of the draft; a mapping is sent as it is.

    Raises:
        CallError: *articles* is not a list of articles, or an edge of a `CropPercent` is not a number from 0 to 1.

    Example:
        >>> call = add([News(title="今日", content="<p>你好</p>", thumb_media_id="MEDIA_ID", need_open_comment=True)])
        >>> call.json["articles"][0]["need_open_comment"]
        1

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html
    """
    body = {"articles": [_article_to_json(article) for article in as_list(articles, "articles")]}
    return post("/cgi-bin/draft/add", body, Member("media_id", str))


def update(media_id: str, article: Article, *, index: int = 0) -> Call[None]:
    """更新草稿: replace one article of a draft.

    Args:
        media_id: Media id of the draft.
        article: The article; a mapping is sent as it is.
        index: Number of the article in the draft, from 0.

    Raises:
        CallError: *article* is not an article, or an edge of a `CropPercent` is not a number from 0 to 1.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Update_draft.html
    """
    # WeChat's name for the one article is "articles", too.
    body = {"media_id": media_id, "index": index, "articles": _article_to_json(article)}
    return post("/cgi-bin/draft/update", body, no_result, is_repeatable=True)


@model
class Draft(Result):
    """A draft: `news_item` lists its articles."""

    news_item: tuple[DraftArticle, ...] = items("news_item", DraftArticle)


def get(media_id: str) -> Call[Draft]:
    """获取草稿详情: get the articles of a draft.

    To change one article, send the changed mapping: ``{**draft.raw["news_item"][0], "title": "New"}``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Get_draft.html
    """
    return post("/cgi-bin/draft/get", {"media_id": media_id}, ResultOf(Draft), is_repeatable=True)


def delete(media_id: str) -> Call[None]:
    """删除草稿: delete a draft, for good.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Delete_draft.html
    """
    return post("/cgi-bin/draft/delete", {"media_id": media_id}, no_result)


def get_count() -> Call[int]:
    """获取草稿总数: count the drafts.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Count_drafts.html
    """
    return get_call("/cgi-bin/draft/count", Member("total_count", int))


@model
class DraftItem:
    """One draft of a list.

    Attributes:
        media_id: Media id.
        update_time: Time of the last change, in seconds since the epoch.
        news_item: The articles, from ``content``.
    """

    media_id: str
    update_time: int | None = timestamp("update_time", default=None)
    news_item: tuple[DraftArticle, ...] = items("news_item", DraftArticle, within="content")


@model
class DraftPage(Result):
    """One page of drafts.

    Attributes:
        total_count: Number of drafts.
        item_count: Number of drafts on the page.
        item: The drafts.
        offset: Number of drafts before the page, as requested.
    """

    total_count: int = integer("total_count", default=0)
    item_count: int = integer("item_count", default=0)
    item: tuple[DraftItem, ...] = items("item", DraftItem)
    offset: int = 0


def batch_get(*, offset: int = 0, count: int = 20, no_content: bool | None = None) -> Call[DraftPage]:
    """获取草稿列表: list one page of drafts; `iterate_drafts` lists all.

    Args:
        offset: Number of drafts to skip.
        count: Drafts per page, 1 to 20.
        no_content: Whether to leave out the content of the articles; None means no.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Get_draft_list.html
    """
    body = write_options(offset=offset, count=count, no_content=no_content)
    return post("/cgi-bin/draft/batchget", body, PageOf(DraftPage, offset), is_repeatable=True)


def iterate_drafts(*, no_content: bool | None = None) -> Pages[DraftPage, DraftItem]:
    """获取草稿列表: iterate over all drafts.

    Args:
        no_content: As for `batch_get`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Get_draft_list.html
    """
    return Pages(batch_get(no_content=no_content), attrgetter("item"), partial(_next_page, no_content=no_content))


def _next_page(page: DraftPage, *, no_content: bool | None) -> Call[DraftPage] | None:
    offset = next_offset(page.offset, len(page.item), page.total_count)
    return None if offset is None else batch_get(offset=offset, no_content=no_content)
