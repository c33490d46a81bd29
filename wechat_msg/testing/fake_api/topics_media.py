"""Files: temporary media and permanent material."""

from __future__ import annotations

import json
from typing import Any

from wechat_msg.testing.fake_api.account import Account, Media
from wechat_msg.testing.fake_api.answer import Answer, Refusal, make_answer
from wechat_msg.testing.fake_api.routes import Asked, route

_LONGEST_PAGE = 20


# The place of the files whose URLs are handed out: no path of WeChat's.
@route("GET", "/fake/file", "media_id", needs_token=False)
def _get_file(account: Account, asked: Asked) -> Answer:
    media = account.media[asked["media_id"]]
    ending = media.filename.rpartition(".")[2]
    disposition = f'attachment; filename="{asked["media_id"]}.{ending}"'
    return make_answer(media.content, content_type=media.content_type, headers={"Content-disposition": disposition})


# --- temporary -------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/media/upload")
def _upload(account: Account, asked: Asked) -> Any:
    media_id = account.keep_file(asked.request, asked.get("type"))
    # Whether media_id comes beside thumb_media_id is unconfirmed.
    name = "thumb_media_id" if asked["type"] == "thumb" else "media_id"
    return {"type": asked["type"], name: media_id, "created_at": account.now}


@route("GET", "/cgi-bin/media/get/jssdk", "media_id")
@route("GET", "/cgi-bin/media/get", "media_id")
def _get_media(account: Account, asked: Asked) -> Any:
    if account.media[asked["media_id"]].kind == "video":
        return {"video_url": account.url_of(asked["media_id"])}
    return _get_file(account, asked)


@route("POST", "/cgi-bin/media/uploadimg")
def _upload_image(account: Account, asked: Asked) -> Any:
    media_id = account.keep_file(asked.request, "image", is_permanent=True)
    account.media[media_id].kind = "article image"  # not counted among the material
    return {"url": account.url_of(media_id)}


@route("POST", "/cgi-bin/media/uploadnews", "articles")
def _upload_news(account: Account, asked: Asked) -> Any:
    return _keep_text(account, "news", {"news_item": asked["articles"]})


@route("POST", "/cgi-bin/media/uploadvideo", "media_id")
def _upload_video(account: Account, asked: Asked) -> Any:
    return _keep_text(account, "video", asked.request.json)


def _keep_text(account: Account, kind: str, description: dict[str, Any]) -> Any:
    media_id = account.new_name()
    account.media[media_id] = Media(kind, "", b"", "", account.now, kind == "news", description)
    return {"type": kind, "media_id": media_id, "created_at": account.now}


# --- permanent -------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/material/add_material")
def _add_material(account: Account, asked: Asked) -> Any:
    description = json.loads(asked.request.form["description"]) if asked.get("type") == "video" else {}
    media_id = account.keep_file(asked.request, asked.get("type"), is_permanent=True, description=description)
    return {"media_id": media_id, **({"url": account.url_of(media_id)} if asked["type"] == "image" else {})}


def _get_permanent(account: Account, asked: Asked) -> Media:
    media = account.media[asked["media_id"]]
    if not media.is_permanent:
        raise Refusal(40007)
    return media


@route("POST", "/cgi-bin/material/get_material", "media_id")
def _get_material(account: Account, asked: Asked) -> Any:
    media = _get_permanent(account, asked)
    if media.kind == "news":
        return media.description
    if media.kind == "video":
        title, introduction = media.description["title"], media.description["introduction"]
        return {"title": title, "description": introduction, "down_url": account.url_of(asked["media_id"])}
    return _get_file(account, asked)


@route("POST", "/cgi-bin/material/del_material", "media_id")
def _delete_material(account: Account, asked: Asked) -> None:
    _get_permanent(account, asked)
    del account.media[asked["media_id"]]


def _list_permanent(account: Account, kind: str) -> list[tuple[str, Media]]:
    return [(media_id, media) for media_id, media in account.media.items() if media.is_permanent and media.kind == kind]


@route("GET", "/cgi-bin/material/get_materialcount")
def _count_material(account: Account, _: Asked) -> Any:
    return {f"{kind}_count": len(_list_permanent(account, kind)) for kind in ("voice", "video", "image", "news")}


@route("POST", "/cgi-bin/material/batchget_material", "type", "count")
def _list_material(account: Account, asked: Asked) -> Any:
    if asked["count"] > _LONGEST_PAGE:
        raise Refusal(40035)
    found = _list_permanent(account, asked["type"])
    page = [_describe(account, *one) for one in found[asked["offset"] :][: asked["count"]]]
    return {"total_count": len(found), "item_count": len(page), "item": page}


def _describe(account: Account, media_id: str, media: Media) -> Any:
    news = {"content": {**media.description, "create_time": media.created_at, "update_time": media.created_at}}
    file = {"name": media.filename, "url": account.url_of(media_id)}
    return {"media_id": media_id, "update_time": media.created_at, **(news if media.kind == "news" else file)}
