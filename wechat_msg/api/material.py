"""永久素材: permanent images, voice, videos and articles of an Official Account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, BinaryIO, TypeVar

from wechat_msg.api._arguments import as_list, as_mapping, write_json
from wechat_msg.api.call import Call, File, FileSource, Pages, Progress, get, post
from wechat_msg.api.media import MediaResult, UploadedMedia, make_upload, reject_file, reject_json, return_file
from wechat_msg.api.results import Member, PageOf, Result, ResultOf, next_offset, no_result
from wechat_msg.fields import content, integer, items, model, timestamp

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
    """An added material.

    Attributes:
        media_id: Media id; it does not expire.
        url: URL, only for images.
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
    """新增永久素材: add an image, voice or thumb; `add_video` adds a video.

    An account holds 100,000 images and articles, and 1,000 of each other type.

    Args:
        type: ``image``: bmp, png, jpeg, jpg or gif, 10 MB. ``voice``: mp3, wma, wav or amr, 2 MB, 60 seconds.
            ``thumb``.
        file: The bytes, a path, or a file object opened for reading bytes.
        filename: As for `wechat_msg.api.media.upload`.
        content_type: As for `wechat_msg.api.media.upload`.
        progress: As for `wechat_msg.api.media.upload`.

    Raises:
        CallError: *filename* is not plain ASCII.

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
    """新增永久素材（视频）: add a video; an account holds 1,000.

    Args:
        file: The bytes, a path, or a file object opened for reading bytes.
        title: Title.
        introduction: Description.
        filename: As for `wechat_msg.api.media.upload`.
        content_type: As for `wechat_msg.api.media.upload`.
        progress: As for `wechat_msg.api.media.upload`.

    Raises:
        CallError: *filename* is not plain ASCII.

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
    file: FileSource, *, filename: str | None = None, content_type: str | None = None, progress: Progress | None = None
) -> Call[str]:
    """上传图文消息内的图片: upload an image for articles; the result is its URL.

    It does not count as material. The call is repeatable: if a response is lost, at worst a second URL exists.

    Args:
        file: jpg or png, less than 1 MB.
        filename: As for `wechat_msg.api.media.upload`.
        content_type: As for `wechat_msg.api.media.upload`.
        progress: As for `wechat_msg.api.media.upload`.

    Raises:
        CallError: *filename* is not plain ASCII.

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
    """上传图文消息素材: upload articles for a mass message; older pages describe it.

    Args:
        articles: Mappings with the members of WeChat's page: ``title``, ``content``, ``thumb_media_id`` ...

    Raises:
        CallError: *articles* is not a list of mappings.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
    """
    body = {"articles": [as_mapping(article, "an article") for article in as_list(articles, "articles")]}
    return post("/cgi-bin/media/uploadnews", body, ResultOf(UploadedMedia))


def upload_video(media_id: str, title: str, description: str) -> Call[UploadedMedia]:
    """上传视频（群发用）: get the media id of a video for a mass message; older pages describe it.

    Args:
        media_id: Media id of the uploaded video.
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
        content: Body of the article, HTML. No repr shows it.
        content_source_url: Target of "read the original".
        thumb_media_id: Media id of the cover.
        show_cover_pic: 1 if the article shows the cover; unconfirmed.
        need_open_comment: 1 if comments are allowed.
        only_fans_can_comment: 1 if only followers may comment.
        url: URL of the article; unconfirmed.
        thumb_url: URL of the cover; unconfirmed.
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
    """A material of articles: `news_item` lists them."""

    news_item: tuple[NewsItem, ...] = items("news_item", NewsItem)


@model
class VideoMaterial(Result):
    """A material that is a video.

    Attributes:
        title: Title.
        description: Description.
        down_url: URL to download it from.
    """

    title: str | None = None
    description: str | None = None
    down_url: str


def get_material(media_id: str, *, into: BinaryIO | None = None, progress: Progress | None = None) -> Call[File]:
    """获取永久素材: download an image, voice or thumb.

    For articles and videos, sending the call raises `CallError`, which names the function for them.

    Args:
        media_id: Media id.
        into: As for `wechat_msg.api.media.download`.
        progress: As for `wechat_msg.api.media.download`.

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
    """获取永久素材（图文）: get the articles of a material.

    Args:
        media_id: Media id of the articles; sending the call with the id of other media raises `CallError`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Getting_Permanent_Assets.html
    """
    return _get_details(media_id, MediaResult("news_item", ResultOf(NewsMaterial)))


def get_video_material(media_id: str) -> Call[VideoMaterial]:
    """获取永久素材（视频）: get the title, description and URL of a video.

    Args:
        media_id: Media id of the video; sending the call with the id of other media raises `CallError`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Getting_Permanent_Assets.html
    """
    return _get_details(media_id, MediaResult("down_url", ResultOf(VideoMaterial)))


def _get_details(media_id: str, read: MediaResult[T]) -> Call[T]:
    return Call(
        "POST",
        "/cgi-bin/material/get_material",
        read,
        json={"media_id": media_id},
        parse_file=reject_file,
        is_repeatable=True,
    )


def delete_material(media_id: str) -> Call[None]:
    """删除永久素材: delete a material; it must not be used by the menu or an automatic reply.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Deleting_Permanent_Assets.html
    """
    return post("/cgi-bin/material/del_material", {"media_id": media_id}, no_result)


@model
class MaterialCount(Result):
    """Number of materials of each type."""

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
        name: File name; None for articles.
        url: URL; None for articles.
        update_time: Time of the last change, in seconds since the epoch.
        news_item: The articles, from ``content``; empty for other types.
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
        item_count: Number of materials on the page.
        item: The materials.
        offset: Number of materials before the page, as requested.
    """

    total_count: int = integer("total_count", default=0)
    item_count: int = integer("item_count", default=0)
    item: tuple[MaterialItem, ...] = items("item", MaterialItem)
    offset: int = 0


def batch_get_material(type: str, *, offset: int = 0, count: int = 20) -> Call[MaterialPage]:
    """获取素材列表: list one page of materials; `iterate_materials` lists all.

    Args:
        type: ``image``, ``video``, ``voice`` or ``news``.
        offset: Number of materials to skip.
        count: Materials per page, 1 to 20.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_materials_list.html
    """
    return post(
        "/cgi-bin/material/batchget_material",
        {"type": type, "offset": offset, "count": count},
        PageOf(MaterialPage, offset),
        is_repeatable=True,
    )


def iterate_materials(type: str) -> Pages[MaterialPage, MaterialItem]:
    """获取素材列表: iterate over all materials of a type.

    Args:
        type: ``image``, ``video``, ``voice`` or ``news``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_materials_list.html
    """
    return Pages(batch_get_material(type), attrgetter("item"), partial(_next_page, type))


def _next_page(type: str, page: MaterialPage) -> Call[MaterialPage] | None:
    offset = next_offset(page.offset, len(page.item), page.total_count)
    return None if offset is None else batch_get_material(type, offset=offset)
