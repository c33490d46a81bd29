"""Topic: drafts, and their publication."""

from __future__ import annotations

import re
from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount, Media
from wechat_msg.testing.fake_api.publications import Publication
from wechat_msg.testing.fake_api.response import ErrcodeError, ok
from wechat_msg.testing.fake_api.routes import Params, route

_MAX_PAGE_SIZE = 20
_MAX_IMAGES = 20
_MAX_CONTENT = 20_000
#: Longest values, and the errcode of a longer one; which errcode WeChat returns is unconfirmed.
_LIMITS = {"title": (32, 45003), "author": (16, 40035), "digest": (128, 45004), "content": (_MAX_CONTENT, 45002)}
_SCRIPT = re.compile(r"<script\b.*?</script>|\bon[a-z]+=(\"[^\"]*\"|'[^']*')", re.DOTALL | re.IGNORECASE)
_IMAGE = re.compile(r"<img\b[^>]*?\bsrc=[\"']([^\"']*)[\"'][^>]*>", re.IGNORECASE)

# --- drafts ----------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/draft/add", "articles")
def _add(account: FakeAccount, params: Params) -> Any:
    if not isinstance(params["articles"], list):
        raise ErrcodeError(44003)
    articles, media_id = [_check(account, article) for article in params["articles"]], account.new_id()
    draft = Media("draft", "", b"", "", account.now, is_permanent=True, description={"news_item": articles})
    account.media[media_id] = draft
    return {"media_id": media_id}


def _check(account: FakeAccount, article: dict[str, Any]) -> dict[str, Any]:
    """Check an article, and return it as WeChat stores it."""
    for name, (longest, errcode) in _LIMITS.items():
        if len(article.get(name, "")) > longest:
            raise ErrcodeError(errcode)
    kind = article.get("article_type", "news")
    if not article["title"] or kind not in ("news", "newspic"):
        raise ErrcodeError(40035)
    for media_id in [article["thumb_media_id"]] if kind == "news" else _list_images(article):
        if not account.get_media(media_id).is_permanent:
            raise ErrcodeError(40007)
    content = _IMAGE.sub(lambda image: image[0] if image[1].startswith(account.url) else "", article["content"])
    return {**article, "article_type": kind, "content": _SCRIPT.sub("", content), "url": _new_url(account)}


def _list_images(article: dict[str, Any]) -> list[str]:
    images = [image["image_media_id"] for image in article["image_info"]["image_list"]]
    if len(images) not in range(1, _MAX_IMAGES + 1):
        raise ErrcodeError(40035)
    return images


def _new_url(account: FakeAccount) -> str:
    return f"http://mp.weixin.qq.com/s?__biz=MzA&mid={account.new_number()}&tempkey={account.new_id()}"


def _get_draft(account: FakeAccount, params: Params) -> Media:
    draft = account.media[params["media_id"]]
    if draft.kind != "draft":
        raise ErrcodeError(40007)
    return draft


@route("POST", "/cgi-bin/draft/update", "media_id", "articles")
def _update(account: FakeAccount, params: Params) -> None:
    draft = _get_draft(account, params)
    draft.description["news_item"][params["index"]] = _check(account, params["articles"])
    draft.created_at = account.now


@route("POST", "/cgi-bin/draft/get", "media_id")
def _get(account: FakeAccount, params: Params) -> Any:
    return _get_draft(account, params).description


@route("POST", "/cgi-bin/draft/delete", "media_id")
def _delete(account: FakeAccount, params: Params) -> None:
    _get_draft(account, params)
    del account.media[params["media_id"]]


def _list_drafts(account: FakeAccount) -> dict[str, Media]:
    return {media_id: media for media_id, media in account.media.items() if media.kind == "draft"}


@route("GET", "/cgi-bin/draft/count")
def _count(account: FakeAccount, _: Params) -> Any:
    return {"total_count": len(_list_drafts(account))}


@route("POST", "/cgi-bin/draft/batchget", "count")
def _batch_get(account: FakeAccount, params: Params) -> Any:
    drafts = _list_drafts(account).items()
    return _page(params, [("media_id", key, draft.created_at, draft.description["news_item"]) for key, draft in drafts])


def _page(params: Params, found: list[tuple[str, str, int, list[dict[str, Any]]]]) -> Any:
    """Return a page of drafts or publications, newest first: the name of each id, the id, the time and the articles."""
    if params["count"] > _MAX_PAGE_SIZE:
        raise ErrcodeError(40035)
    hidden = "content" if params.get("no_content") else ""
    page = []
    for name, key, at, articles in found[::-1][params["offset"] :][: params["count"]]:
        shown = [{member: value for member, value in article.items() if member != hidden} for article in articles]
        page.append({name: key, "update_time": at, "content": {"news_item": shown}})
    return {"total_count": len(found), "item_count": len(page), "item": page}


# --- publishing ------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/freepublish/submit", "media_id")
def _submit(account: FakeAccount, params: Params) -> Any:
    articles = [{**article, "is_deleted": False} for article in _get_draft(account, params).description["news_item"]]
    ends_at = account.clock() + account.publish_seconds
    job = Publication(str(account.new_number()), account.new_id(), articles, ends_at, account.publish_status)
    account.publications[job.publish_id] = job
    if job.outcome == 0:  # that the draft is gone from now on, and stays if the publication fails, is unconfirmed
        del account.media[params["media_id"]]
    return ok(publish_id=job.publish_id, msg_data_id=account.new_number())


@route("POST", "/cgi-bin/freepublish/get", "publish_id")
def _get_status(account: FakeAccount, params: Params) -> Any:
    return account.publications[str(params["publish_id"])].to_json(account.clock())


def _list_published(account: FakeAccount) -> dict[str, Publication]:
    """Return what is published, by article_id, oldest first."""
    now = account.clock()
    return {job.article_id: job for job in account.publications.values() if job.get_status(now) == 0}


def _get_published(account: FakeAccount, params: Params) -> list[dict[str, Any]]:
    # Which errcode WeChat returns for an unknown article_id is unconfirmed; here it is 40035.
    return _list_published(account)[params["article_id"]].articles


@route("POST", "/cgi-bin/freepublish/getarticle", "article_id")
def _get_article(account: FakeAccount, params: Params) -> Any:
    return {"news_item": _get_published(account, params)}


@route("POST", "/cgi-bin/freepublish/batchget", "count")
def _batch_get_published(account: FakeAccount, params: Params) -> Any:
    jobs = _list_published(account).items()
    return _page(params, [("article_id", key, int(job.ends_at), job.articles) for key, job in jobs])


@route("POST", "/cgi-bin/freepublish/delete", "article_id")
def _delete_published(account: FakeAccount, params: Params) -> None:
    articles, index = _get_published(account, params), params.get("index") or 0
    for article in [articles[index - 1]] if index else articles:
        article["is_deleted"] = True
