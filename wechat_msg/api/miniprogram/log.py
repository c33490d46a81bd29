"""小程序日志: errors of a Mini Program on the devices of its users."""

from __future__ import annotations

from datetime import date

from wechat_msg.api._arguments import to_date
from wechat_msg.api.call import Call, post
from wechat_msg.api.results import Result, ResultOf
from wechat_msg.fields import content, integer, items, lenient_text, model, text

__all__ = ["JsErr", "JsErrPage", "get_jserr_list"]


@model
class JsErr:
    """An error of JavaScript. Its texts may contain words of users, and no repr shows them.

    Attributes:
        error_msg: Text of the error.
        error_msg_md5: MD5 of the text.
        error_stack: Stack of the error.
        error_stack_md5: MD5 of the stack.
        uv: Number of users that it occurred to.
        uv_percent: Their share of all users, if WeChat writes it as text.
        pv: How often it occurred.
        pv_percent: Its share of all errors, if WeChat writes it as text.
    """

    error_msg: str = content("errorMsg", default="")
    error_msg_md5: str = text("errorMsgMd5", default="")
    error_stack: str = content("errorStack", default="")
    error_stack_md5: str = text("errorStackMd5", default="")
    uv: int | None = None
    uv_percent: str = lenient_text("uvPercent", default="")
    pv: int | None = None
    pv_percent: str = lenient_text("pvPercent", default="")


@model
class JsErrPage(Result):
    """One page of errors.

    Attributes:
        data: The errors of this page.
        total_count: Number of errors on all pages.
    """

    data: tuple[JsErr, ...] = items("data", JsErr)
    total_count: int = integer("totalCount", default=0)


def get_jserr_list(
    start_time: date | str,
    end_time: date | str,
    *,
    offset: int = 0,
    limit: int = 30,
    err_type: str = "0",
    app_version: str = "0",
    openid: str = "",
    keyword: str = "",
    orderby: str = "uv",
    desc: bool = True,
) -> Call[JsErrPage]:
    """查询 JS 错误列表: list one page of errors of a Mini Program.

    The values that the arguments may have, and the largest page, are unconfirmed.

    Args:
        start_time: The first day, a date or a text such as ``2026-11-23``.
        end_time: The last day.
        offset: Number of errors to skip.
        limit: Number of errors to list.
        err_type: Type of the errors; ``0`` for all.
        app_version: Version of the Mini Program; ``0`` for all.
        openid: The user; empty for all.
        keyword: Word in the text of the error; empty for all.
        orderby: ``uv`` or ``pv``, the number that sorts the list.
        desc: Whether the largest number comes first.

    Raises:
        CallError: A time is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/operation/getJsErrList.html
    """
    body = {
        "startTime": to_date(start_time, "start_time"),
        "endTime": to_date(end_time, "end_time"),
        "errType": err_type,
        "appVersion": app_version,
        "openid": openid,
        "keyword": keyword,
        "orderby": orderby,
        "desc": desc,
        "offset": offset,
        "limit": limit,
    }
    return post("/wxaapi/log/jserr_list", body, ResultOf(JsErrPage), is_repeatable=True)
