"""API 调用次数: daily quotas and rate limits of calls, and the details of a failed request."""

from __future__ import annotations

from wechat_msg.api.call import APPID, SECRET, Call, post
from wechat_msg.api.results import Member, Result, ResultOf, no_result
from wechat_msg.fields import integer, model, nested, text, timestamp

__all__ = ["Quota", "QuotaInfo", "RateLimit", "RidInfo", "clear", "clear_api", "clear_v2", "get", "get_rid"]


@model
class Quota:
    """Daily quota of a call.

    Attributes:
        daily_limit: Calls a day.
        used: Calls made today.
        remain: Calls left today.
    """

    daily_limit: int
    used: int
    remain: int


@model
class RateLimit:
    """Rate limit of a call: `call_count` times in `refresh_second` seconds."""

    call_count: int | None = None
    refresh_second: int | None = None


@model
class QuotaInfo(Result):
    """Limits of one call.

    Attributes:
        quota: Daily quota.
        rate_limit: Rate limit.
        component_rate_limit: Rate limit of a third-party platform (第三方平台).
    """

    quota: Quota | None = nested("quota", Quota, default=None)
    rate_limit: RateLimit | None = nested("rate_limit", RateLimit, default=None)
    component_rate_limit: RateLimit | None = nested("component_rate_limit", RateLimit, default=None)


def clear() -> Call[None]:
    """重置 API 调用次数: reset the counts of all calls; 10 times a month, including `clear_v2`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/openApi/clear_quota.html
    """
    return post("/cgi-bin/clear_quota", {"appid": APPID}, no_result)


def clear_v2() -> Call[None]:
    """使用 AppSecret 重置 API 调用次数: reset the counts of all calls without an access_token.

    It also works when the quota for fetching one is used up. Whether WeChat reads the query or the body is unconfirmed,
    so both are sent.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/openApi-mgnt/clearQuotaByAppSecret.html
    """
    credentials = {"appid": APPID, "appsecret": SECRET}
    return Call("POST", "/cgi-bin/clear_quota/v2", no_result, credentials, credentials, needs_access_token=False)


def get(cgi_path: str) -> Call[QuotaInfo]:
    """查询 API 调用额度: get the limits of one call.

    Args:
        cgi_path: Path of the call, such as ``/cgi-bin/message/custom/send``; it must not begin with ``/sns/``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/openApi/get_api_quota.html
    """
    return post("/cgi-bin/openapi/quota/get", {"cgi_path": cgi_path}, ResultOf(QuotaInfo), is_repeatable=True)


def clear_api(cgi_path: str) -> Call[None]:
    """重置指定 API 调用次数: reset the count of one call; 50 times a month.

    Args:
        cgi_path: As for `get`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/server/API/openApi-mgnt/api_clearapiquota.html
    """
    return post("/cgi-bin/openapi/quota/clear", {"cgi_path": cgi_path}, no_result)


@model
class RidInfo:
    """Details of one failed request. No repr shows the request and the response.

    Attributes:
        invoke_time: Time of the request, in seconds since the epoch.
        cost_in_ms: Duration in milliseconds.
        request_url: Query of the request.
        request_body: Body of the request.
        response_body: Body of the response.
        client_ip: Address that the request came from.
    """

    invoke_time: int | None = timestamp("invoke_time", default=None)
    cost_in_ms: int | None = integer("cost_in_ms", default=None)
    request_url: str = text("request_url", default="", repr=False)
    request_body: str = text("request_body", default="", repr=False)
    response_body: str = text("response_body", default="", repr=False)
    client_ip: str = ""


def get_rid(rid: str) -> Call[RidInfo]:
    """查询 rid 信息: get the details of one request of the last 7 days.

    Args:
        rid: Id of the request, from `APIError.rid`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/openApi/get_rid_info.html
    """
    return post("/cgi-bin/openapi/rid/get", {"rid": rid}, Member("request", RidInfo), is_repeatable=True)
