"""API 调用次数: how often a call may be made and has been made, and what became of a request."""

from __future__ import annotations

from wechat_msg.api.call import APPID, SECRET, Call, nothing, post
from wechat_msg.api.reading import Reads, Result, Takes
from wechat_msg.fields import integer, model, nested, text, timestamp

__all__ = ["Quota", "QuotaInfo", "RateLimit", "RidInfo", "clear", "clear_api", "clear_v2", "get", "get_rid"]


@model
class Quota:
    """How often a call may be made on one day.

    Attributes:
        daily_limit: Times a day.
        used: Times that it was made today.
        remain: Times that are left today.
    """

    daily_limit: int
    used: int
    remain: int


@model
class RateLimit:
    """How often a call may be made in a short time: `call_count` times in `refresh_second` seconds."""

    call_count: int | None = None
    refresh_second: int | None = None


@model
class QuotaInfo(Result):
    """The limits of one call.

    Attributes:
        quota: Its limit for a day.
        rate_limit: Its limit for a short time.
        component_rate_limit: The same for a third-party platform (第三方平台).
    """

    quota: Quota | None = nested("quota", Quota, default=None)
    rate_limit: RateLimit | None = nested("rate_limit", RateLimit, default=None)
    component_rate_limit: RateLimit | None = nested("component_rate_limit", RateLimit, default=None)


def clear() -> Call[None]:
    """重置 API 调用次数: set the counts of all calls back; 10 times a month, along with `clear_v2`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/openApi/clear_quota.html
    """
    return post("/cgi-bin/clear_quota", {"appid": APPID}, nothing)


def clear_v2() -> Call[None]:
    """使用 AppSecret 重置 API 调用次数: the same without an access_token, for when none can be had any more.

    Whether WeChat reads the query or the body is unconfirmed, so both are sent.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/openApi-mgnt/clearQuotaByAppSecret.html
    """
    credentials = {"appid": APPID, "appsecret": SECRET}
    return Call(
        "POST",
        "/cgi-bin/clear_quota/v2",
        nothing,
        credentials,
        credentials,
        needs_access_token=False,
    )


def get(cgi_path: str) -> Call[QuotaInfo]:
    """查询 API 调用额度: tell the limits of one call.

    Args:
        cgi_path: Its path, such as ``/cgi-bin/message/custom/send``; none that begins with ``/sns/``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/openApi/get_api_quota.html
    """
    return post("/cgi-bin/openapi/quota/get", {"cgi_path": cgi_path}, Reads(QuotaInfo), is_repeatable=True)


def clear_api(cgi_path: str) -> Call[None]:
    """重置指定 API 调用次数: set the count of one call back; 50 times a month.

    Args:
        cgi_path: As for `get`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/server/API/openApi-mgnt/api_clearapiquota.html
    """
    return post("/cgi-bin/openapi/quota/clear", {"cgi_path": cgi_path}, nothing)


@model
class RidInfo:
    """One request that WeChat did not do. No repr shows what was sent and answered.

    Attributes:
        invoke_time: When it came, in seconds since the epoch.
        cost_in_ms: Milliseconds that it took.
        request_url: Its query.
        request_body: Its body.
        response_body: The answer.
        client_ip: Address that it came from.
    """

    invoke_time: int | None = timestamp("invoke_time", default=None)
    cost_in_ms: int | None = integer("cost_in_ms", default=None)
    request_url: str = text("request_url", default="", repr=False)
    request_body: str = text("request_body", default="", repr=False)
    response_body: str = text("response_body", default="", repr=False)
    client_ip: str = ""


def get_rid(rid: str) -> Call[RidInfo]:
    """查询 rid 信息: tell about one request of the account in the last 7 days.

    Args:
        rid: Its id, as `APIError.rid` has it.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/openApi/get_rid_info.html
    """
    return post("/cgi-bin/openapi/rid/get", {"rid": rid}, Takes("request", RidInfo), is_repeatable=True)
