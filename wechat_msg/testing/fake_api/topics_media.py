"""Topic: temporary media and permanent material."""

from __future__ import annotations

import json
from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount, Media
from wechat_msg.testing.fake_api.response import ErrcodeError, FakeResponse, make_response
from wechat_msg.testing.fake_api.routes import Params, route

_MAX_PAGE_SIZE = 20


# Serves the URLs of files; WeChat has no such path.
@route("GET", "/fake/file", "media_id", needs_access_token=False)
def _get_file(account: FakeAccount, params: Params) -> FakeResponse:
    media = account.media[params["media_id"]]
    ending = media.filename.rpartition(".")[2]
    disposition = f'attachment; filename="{params["media_id"]}.{ending}"'
    return make_response(media.content, content_type=media.content_type, headers={"Content-disposition": disposition})


# --- temporary -------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/media/upload")
def _upload(account: FakeAccount, params: Params) -> Any:
    media_id = account.add_file(params.request, params.get("type"))
    # Whether WeChat also returns media_id for a thumb is unconfirmed.
    name = "thumb_media_id" if params["type"] == "thumb" else "media_id"
    return {"type": params["type"], name: media_id, "created_at": account.now}


@route("GET", "/cgi-bin/media/get/jssdk", "media_id")
@route("GET", "/cgi-bin/media/get", "media_id")
def _get_media(account: FakeAccount, params: Params) -> Any:
    if account.media[params["media_id"]].kind == "video":
        return {"video_url": account.url_of(params["media_id"])}
    return _get_file(account, params)


@route("POST", "/cgi-bin/media/uploadimg")
def _upload_image(account: FakeAccount, params: Params) -> Any:
    media_id = account.add_file(params.request, "image", is_permanent=True)
    account.media[media_id].kind = "article image"  # not counted among the material
    return {"url": account.url_of(media_id)}


@route("POST", "/cgi-bin/media/uploadnews", "articles")
def _upload_news(account: FakeAccount, params: Params) -> Any:
    return _add_document(account, "news", {"news_item": params["articles"]})


@route("POST", "/cgi-bin/media/uploadvideo", "media_id")
def _upload_video(account: FakeAccount, params: Params) -> Any:
    return _add_document(account, "video", params.request.json)


def _add_document(account: FakeAccount, kind: str, description: dict[str, Any]) -> Any:
    media_id = account.new_id()
    account.media[media_id] = Media(kind, "", b"", "", account.now, kind == "news", description)
    return {"type": kind, "media_id": media_id, "created_at": account.now}


# --- permanent -------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/material/add_material")
def _add_material(account: FakeAccount, params: Params) -> Any:
    description = json.loads(params.request.form["description"]) if params.get("type") == "video" else {}
    media_id = account.add_file(params.request, params.get("type"), is_permanent=True, description=description)
    return {"media_id": media_id, **({"url": account.url_of(media_id)} if params["type"] == "image" else {})}


def _get_permanent(account: FakeAccount, params: Params) -> Media:
    media = account.media[params["media_id"]]
    if not media.is_permanent or media.kind == "draft":
        raise ErrcodeError(40007)
    return media


@route("POST", "/cgi-bin/material/get_material", "media_id")
def _get_material(account: FakeAccount, params: Params) -> Any:
    media = _get_permanent(account, params)
    if media.kind == "news":
        return media.description
    if media.kind == "video":
        title, introduction = media.description["title"], media.description["introduction"]
        return {"title": title, "description": introduction, "down_url": account.url_of(params["media_id"])}
    return _get_file(account, params)


@route("POST", "/cgi-bin/material/del_material", "media_id")
def _delete_material(account: FakeAccount, params: Params) -> None:
    _get_permanent(account, params)
    del account.media[params["media_id"]]


def _list_permanent(account: FakeAccount, kind: str) -> list[tuple[str, Media]]:
    return [(media_id, media) for media_id, media in account.media.items() if media.is_permanent and media.kind == kind]


@route("GET", "/cgi-bin/material/get_materialcount")
def _count_material(account: FakeAccount, _: Params) -> Any:
    return {f"{kind}_count": len(_list_permanent(account, kind)) for kind in ("voice", "video", "image", "news")}


@route("POST", "/cgi-bin/material/batchget_material", "type", "count")
def _list_material(account: FakeAccount, params: Params) -> Any:
    if params["count"] > _MAX_PAGE_SIZE:
        raise ErrcodeError(40035)
    found = _list_permanent(account, params["type"])
    page = [_describe(account, *one) for one in found[params["offset"] :][: params["count"]]]
    return {"total_count": len(found), "item_count": len(page), "item": page}


def _describe(account: FakeAccount, media_id: str, media: Media) -> Any:
    news = {"content": {**media.description, "create_time": media.created_at, "update_time": media.created_at}}
    file = {"name": media.filename, "url": account.url_of(media_id)}
    return {"media_id": media_id, "update_time": media.created_at, **(news if media.kind == "news" else file)}
