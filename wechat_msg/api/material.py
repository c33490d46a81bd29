"""永久素材: pictures, voice, videos and articles that an Official Account keeps for good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, BinaryIO, TypeVar

from wechat_msg._tracebacks import frozen
from wechat_msg.api._arguments import as_list, as_mapping, write_json
from wechat_msg.api.call import Call, File, FileSource, Pages, Progress, get, post
from wechat_msg.api.media import MediaResult, UploadedMedia, make_upload, reject_file, reject_json, return_file
from wechat_msg.api.results import Member, Result, ResultOf, no_result
from wechat_msg.fields import build, content, integer, items, model, timestamp

__all__ = [
    "AddedMaterial",
    "MaterialCount",
    "MaterialItem",
    "MaterialPage",
    "NewsItem",
    "NewsMaterial",
    "VideoMaterial",
    "add_material",
    "add_video",
    "batch_get_material",
    "delete_material",
    "get_material",
    "get_material_count",
    "get_news_material",
    "get_video_material",
    "iterate_materials",
    "upload_image",
    "upload_news",
    "upload_video",
]

T = TypeVar("T")

# --- adding ----------------------------------------------------------------------------------------------------------


@model
class AddedMaterial(Result):
    """What was added.

    Attributes:
        media_id: Media id; does not end.
        url: Address of a picture.
    """

    media_id: str
    url: str | None = None


def add_material(
    type: str,
    file: FileSource,
    *,
    filename: str | None = None,
    content_type: str | None = None,
    progress: Progress | None = None,
) -> Call[AddedMaterial]:
    """新增永久素材: add a picture, voice or thumb; a video is added with `add_video`.

    An account keeps 100,000 pictures and articles, and 1,000 of each other kind.

    Args:
        type: ``image``: bmp, png, jpeg, jpg or gif, 10 MB. ``voice``: mp3, wma, wav or amr, 2 MB, 60 seconds.
            ``thumb``.
        file: The bytes, a path, or a file object opened for reading bytes.
        filename: As for `wechat_msg.api.media.upload`.
        content_type: Likewise.
        progress: Likewise.

    Raises:
        CallError: *filename* is not plain.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html
    """
    return Call(
        "POST",
        "/cgi-bin/material/add_material",
        ResultOf(AddedMaterial),
        {"type": type},
        upload=make_upload(type, file, filename=filename, content_type=content_type, progress=progress),
    )


def add_video(
    file: FileSource,
    title: str,
    introduction: str,
    *,
    filename: str | None = None,
    content_type: str | None = None,
    progress: Progress | None = None,
) -> Call[AddedMaterial]:
    """新增永久素材（视频）: add a video; an account keeps 1,000.

    Args:
        file: The bytes, a path, or a file object opened for reading bytes.
        title: Title.
        introduction: Description.
        filename: As for `wechat_msg.api.media.upload`.
        content_type: Likewise.
        progress: Likewise.

    Raises:
        CallError: *filename* is not plain.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html
    """
    description = write_json({"title": title, "introduction": introduction}, "title and introduction")
    return Call(
        "POST",
        "/cgi-bin/material/add_material",
        ResultOf(AddedMaterial),
        {"type": "video"},
        upload=make_upload(
            "video",
            file,
            filename=filename,
            content_type=content_type,
            progress=progress,
            fields={"description": description},
        ),
    )


def upload_image(
    file: FileSource,
    *,
    filename: str | None = None,
    content_type: str | None = None,
    progress: Progress | None = None,
) -> Call[str]:
    """上传图文消息内的图片: upload a picture for use inside of articles; the result is its address.

    It does not count as material. It is repeated if the answer gets lost: at worst that leaves a second address.

    Args:
        file: jpg or png, less than 1 MB.
        filename: As for `wechat_msg.api.media.upload`.
        content_type: Likewise.
        progress: Likewise.

    Raises:
        CallError: *filename* is not plain.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html
    """
    return Call(
        "POST",
        "/cgi-bin/media/uploadimg",
        Member("url", str),
        upload=make_upload("image", file, filename=filename, content_type=content_type, progress=progress),
        is_repeatable=True,
    )


def upload_news(articles: Iterable[Mapping[str, Any]]) -> Call[UploadedMedia]:
    """上传图文消息素材: upload articles for a mass message, as older pages had it.

    Args:
        articles: Objects as WeChat's page names them: ``title``, ``content``, ``thumb_media_id`` ...

    Raises:
        CallError: An article is no mapping.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    body = {"articles": [as_mapping(article, "an article") for article in as_list(articles, "articles")]}
    return post("/cgi-bin/media/uploadnews", body, ResultOf(UploadedMedia))


def upload_video(media_id: str, title: str, description: str) -> Call[UploadedMedia]:
    """上传视频（群发用）: get the media id that a mass message needs of a video, as older pages had it.

    Args:
        media_id: Media id that the upload gave.
        title: Title.
        description: Description.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    body = {"media_id": media_id, "title": title, "description": description}
    return post("/cgi-bin/media/uploadvideo", body, ResultOf(UploadedMedia))


# --- reading and deleting --------------------------------------------------------------------------------------------


@model
class NewsItem:
    """One article.

    Attributes:
        title: Title.
        author: Author.
        digest: Summary.
        content: The article, HTML. No repr shows it.
        content_source_url: Where "read the original" leads to.
        thumb_media_id: Media id of the cover.
        show_cover_pic: 1: the cover is shown in the article; unconfirmed.
        need_open_comment: 1: it may be commented on.
        only_fans_can_comment: 1: by followers only.
        url: Address of the article; unconfirmed.
        thumb_url: Address of the cover; unconfirmed.
    """

    title: str = ""
    author: str | None = None
    digest: str | None = None
    content: str = content("content", default="")
    content_source_url: str | None = None
    thumb_media_id: str | None = None
    show_cover_pic: int | None = None
    need_open_comment: int | None = None
    only_fans_can_comment: int | None = None
    url: str | None = None
    thumb_url: str | None = None


@model
class NewsMaterial(Result):
    """A material that is articles."""

    news_item: tuple[NewsItem, ...] = items("news_item", NewsItem)


@model
class VideoMaterial(Result):
    """A material that is a video.

    Attributes:
        title: Title.
        description: Description.
        down_url: Where it can be downloaded.
    """

    title: str | None = None
    description: str | None = None
    down_url: str


def get_material(media_id: str, *, into: BinaryIO | None = None, progress: Progress | None = None) -> Call[File]:
    """获取永久素材: download a picture, voice or thumb.

    Articles and videos are no files: sending the call raises `CallError`, which names the function for them.

    Args:
        media_id: Media id.
        into: As for `wechat_msg.api.media.download`.
        progress: Likewise.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Getting_Permanent_Assets.html
    """
    return Call(
        "POST",
        "/cgi-bin/material/get_material",
        reject_json,
        json={"media_id": media_id},
        parse_file=return_file,
        into=into,
        progress=progress,
        is_repeatable=True,
    )


def get_news_material(media_id: str) -> Call[NewsMaterial]:
    """获取永久素材（图文）: tell the articles of a material.

    Args:
        media_id: Media id of the articles; sending the call with that of another kind of media raises `CallError`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Getting_Permanent_Assets.html
    """
    return _describe(media_id, MediaResult("news_item", ResultOf(NewsMaterial)))


def get_video_material(media_id: str) -> Call[VideoMaterial]:
    """获取永久素材（视频）: tell title, description and address of a video.

    Args:
        media_id: Media id of the video; sending the call with that of another kind of media raises `CallError`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Getting_Permanent_Assets.html
    """
    return _describe(media_id, MediaResult("down_url", ResultOf(VideoMaterial)))


def _describe(media_id: str, read: MediaResult[T]) -> Call[T]:
    return Call(
        "POST",
        "/cgi-bin/material/get_material",
        read,
        json={"media_id": media_id},
        parse_file=reject_file,
        is_repeatable=True,
    )


def delete_material(media_id: str) -> Call[None]:
    """删除永久素材: delete a material; not one that the menu or an automatic reply uses.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Deleting_Permanent_Assets.html
    """
    return post("/cgi-bin/material/del_material", {"media_id": media_id}, no_result)


@model
class MaterialCount(Result):
    """How many materials of each kind there are."""

    voice_count: int
    video_count: int
    image_count: int
    news_count: int


def get_material_count() -> Call[MaterialCount]:
    """获取素材总数: count the materials.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_the_total_of_all_materials.html
    """
    return get("/cgi-bin/material/get_materialcount", ResultOf(MaterialCount))


@model
class MaterialItem:
    """One material of a list.

    Attributes:
        media_id: Media id.
        name: File name; not of articles.
        url: Address; not of articles.
        update_time: When it changed last, in seconds since the epoch.
        news_item: The articles, out of ``content``; of nothing else.
    """

    media_id: str
    name: str | None = None
    url: str | None = None
    update_time: int | None = timestamp("update_time", default=None)
    news_item: tuple[NewsItem, ...] = items("news_item", NewsItem, within="content")


@model
class MaterialPage(Result):
    """One page of materials.

    Attributes:
        total_count: Number of materials of this type.
        item_count: Number of those on the page.
        item: The materials.
        offset: Number of materials before the page, as asked for.
    """

    total_count: int = integer("total_count", default=0)
    item_count: int = integer("item_count", default=0)
    item: tuple[MaterialItem, ...] = items("item", MaterialItem)
    offset: int = 0


@frozen
class _MaterialPageResult:
    offset: int

    def __call__(self, answer: Mapping[str, Any]) -> MaterialPage:
        return build(MaterialPage, answer, raw=answer, offset=self.offset)


def batch_get_material(type: str, *, offset: int = 0, count: int = 20) -> Call[MaterialPage]:
    """获取素材列表: list materials, one page; `iterate_materials` lists all.

    Args:
        type: ``image``, ``video``, ``voice`` or ``news``.
        offset: Number of materials to leave out.
        count: Materials a page, 1 to 20.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_materials_list.html
    """
    return post(
        "/cgi-bin/material/batchget_material",
        {"type": type, "offset": offset, "count": count},
        _MaterialPageResult(offset),
        is_repeatable=True,
    )


def iterate_materials(type: str) -> Pages[MaterialPage, MaterialItem]:
    """获取素材列表: list all materials, page after page.

    Args:
        type: ``image``, ``video``, ``voice`` or ``news``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_materials_list.html
    """
    return Pages(batch_get_material(type), attrgetter("item"), partial(_next_page, type))


def _next_page(type: str, page: MaterialPage) -> Call[MaterialPage] | None:
    end = page.offset + len(page.item)
    return batch_get_material(type, offset=end) if page.item and end < page.total_count else None
