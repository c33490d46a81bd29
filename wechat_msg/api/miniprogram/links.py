"""小程序链接: URL Schemes, URL Links and Short Links that open a Mini Program, also from outside WeChat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wechat_msg.api._arguments import optional_mapping, without_none
from wechat_msg.api.call import Call, post
from wechat_msg.api.results import Member, Result, ResultOf
from wechat_msg.fields import model, nested, timestamp

__all__ = [
    "LinkInfo",
    "LinkQuota",
    "SchemeQuery",
    "UrlLinkQuery",
    "generate_nfc_scheme",
    "generate_scheme",
    "generate_short_link",
    "generate_url_link",
    "query_scheme",
    "query_url_link",
]


@model
class LinkInfo:
    """Target and lifetime of a link.

    Attributes:
        appid: AppID of the Mini Program.
        path: The page.
        query: Query of the page.
        create_time: Time of creation, in seconds since the epoch.
        expire_time: Expiry, in seconds since the epoch.
        env_version: Version that opens: ``release``, ``trial`` or ``develop``.
    """

    appid: str | None = None
    path: str = ""
    query: str = ""
    create_time: int | None = timestamp("create_time", default=None)
    expire_time: int | None = timestamp("expire_time", default=None)
    env_version: str | None = None


@model
class LinkQuota:
    """Remaining quota: links can be opened `remain_visit_quota` more times."""

    remain_visit_quota: int | None = None


# --- URL Scheme ------------------------------------------------------------------------------------------------------


@model
class SchemeQuery(Result):
    """Result of a query about a scheme.

    Attributes:
        scheme_info: Target and lifetime of the scheme.
        quota_info: Remaining quota of schemes.
    """

    scheme_info: LinkInfo | None = nested("scheme_info", LinkInfo, default=None)
    quota_info: LinkQuota | None = nested("quota_info", LinkQuota, default=None)


def generate_scheme(
    *,
    path: str | None = None,
    query: str | None = None,
    env_version: str | None = None,
    is_expire: bool | None = None,
    expire_type: int | None = None,
    expire_time: int | None = None,
    expire_interval: int | None = None,
) -> Call[str]:
    """获取加密 scheme 码: make a scheme (``weixin://``).

    An account can make 500,000 schemes and URL Links a day, each for 30 days at most.

    Args:
        path: A released page, without query; None for the start page.
        query: Up to 1,024 characters.
        env_version: Version that opens: ``release``, ``trial`` or ``develop``.
        is_expire: Whether it expires.
        expire_type: 0 if it expires at *expire_time*; 1 if it expires after *expire_interval*.
        expire_time: Seconds since the epoch.
        expire_interval: Days, 30 at most.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/url-scheme/generateScheme.html
    """
    body = without_none(
        jump_wxa=_jump_wxa(path, query, env_version),
        is_expire=is_expire,
        expire_type=expire_type,
        expire_time=expire_time,
        expire_interval=expire_interval,
    )
    return post("/wxa/generatescheme", body, Member("openlink", str))


def generate_nfc_scheme(
    model_id: str,
    *,
    sn: str | None = None,
    path: str | None = None,
    query: str | None = None,
    env_version: str | None = None,
) -> Call[str]:
    """获取 NFC 的小程序 scheme: make a scheme for an NFC tag.

    Args:
        model_id: Model of the device.
        sn: Serial number of the device.
        path: As for `generate_scheme`.
        query: As for `generate_scheme`.
        env_version: As for `generate_scheme`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/url-scheme/generateNFCScheme.html
    """
    body = without_none(jump_wxa=_jump_wxa(path, query, env_version), model_id=model_id, sn=sn)
    return post("/wxa/generatenfcscheme", body, Member("openlink", str))


def query_scheme(scheme: str, *, query_type: int | None = None) -> Call[SchemeQuery]:
    """查询 scheme 码: get the target of a scheme, or the remaining quota of schemes.

    Args:
        scheme: The scheme.
        query_type: 0 for its target, 1 for the remaining quota.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/url-scheme/queryScheme.html
    """
    body = without_none(scheme=scheme, query_type=query_type)
    return post("/wxa/queryscheme", body, ResultOf(SchemeQuery), is_repeatable=True)


def _jump_wxa(path: str | None, query: str | None, env_version: str | None) -> dict[str, Any] | None:
    return without_none(path=path, query=query, env_version=env_version) or None


# --- URL Link --------------------------------------------------------------------------------------------------------


@model
class UrlLinkQuery(Result):
    """Result of a query about a URL Link.

    Attributes:
        url_link_info: Target and lifetime of the URL Link.
        quota_info: Remaining quota of URL Links.
    """

    url_link_info: LinkInfo | None = nested("url_link_info", LinkInfo, default=None)
    quota_info: LinkQuota | None = nested("quota_info", LinkQuota, default=None)


def generate_url_link(
    *,
    path: str | None = None,
    query: str | None = None,
    expire_type: int | None = None,
    expire_time: int | None = None,
    expire_interval: int | None = None,
    cloud_base: Mapping[str, Any] | None = None,
    env_version: str | None = None,
) -> Call[str]:
    """获取加密 URL Link: make a link (``https://``).

    An account can make 500,000 schemes and URL Links a day, each for 30 days at most.

    Args:
        path: As for `generate_scheme`.
        query: As for `generate_scheme`.
        expire_type: As for `generate_scheme`.
        expire_time: As for `generate_scheme`.
        expire_interval: As for `generate_scheme`.
        cloud_base: Page of the account in the cloud (云开发静态网站) that opens the Mini Program: ``env``, ``domain``,
            ``path``, ``query``, ``resource_appid``.
        env_version: As for `generate_scheme`.

    Raises:
        CallError: *cloud_base* is not a mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/url-link/generateUrlLink.html
    """
    body = without_none(
        path=path,
        query=query,
        expire_type=expire_type,
        expire_time=expire_time,
        expire_interval=expire_interval,
        cloud_base=optional_mapping(cloud_base, "cloud_base"),
        env_version=env_version,
    )
    return post("/wxa/generate_urllink", body, Member("url_link", str))


def query_url_link(url_link: str, *, query_type: int | None = None) -> Call[UrlLinkQuery]:
    """查询加密 URL Link: get the target of a link, or the remaining quota of links.

    Args:
        url_link: The link.
        query_type: As for `query_scheme`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/url-link/queryUrlLink.html
    """
    body = without_none(url_link=url_link, query_type=query_type)
    return post("/wxa/query_urllink", body, ResultOf(UrlLinkQuery), is_repeatable=True)


# --- Short Link ------------------------------------------------------------------------------------------------------


def generate_short_link(page_url: str, *, page_title: str | None = None, is_permanent: bool | None = None) -> Call[str]:
    """获取 Short Link: make a link that opens the Mini Program inside WeChat.

    Args:
        page_url: The page with its query; up to 1,024 characters.
        page_title: Up to 20 characters.
        is_permanent: Whether it never expires; an account can make 100,000 such links. Others expire after 30 days;
            an account can make 10,000,000 a day.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/short-link/generateShortLink.html
    """
    body = without_none(page_url=page_url, page_title=page_title, is_permanent=is_permanent)
    return post("/wxa/genwxashortlink", body, Member("link", str))
