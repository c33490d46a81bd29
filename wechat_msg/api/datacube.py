"""数据统计: daily statistics of an Official Account: articles, followers, messages, and pushes to your server."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

from wechat_msg.api._arguments import to_date
from wechat_msg.api.call import Call, post
from wechat_msg.api.results import Members, Result, ResultOf
from wechat_msg.fields import items, model, nested

__all__ = [
    "ArticleReads",
    "ArticleShares",
    "ArticleTotal",
    "ArticleTotalDay",
    "ArticleTotals",
    "BizDetail",
    "BizSummary",
    "BizSummaryDay",
    "InterfaceSummary",
    "JumpPosition",
    "ReadArticle",
    "ReadDetail",
    "ReadUserSource",
    "ShareDetail",
    "SharedArticle",
    "UpstreamMsg",
    "UserCumulate",
    "UserSummary",
    "get_article_read",
    "get_article_share",
    "get_article_total_detail",
    "get_biz_summary",
    "get_interface_summary",
    "get_upstream_msg",
    "get_upstream_msg_dist",
    "get_upstream_msg_dist_month",
    "get_upstream_msg_dist_week",
    "get_upstream_msg_hour",
    "get_upstream_msg_month",
    "get_upstream_msg_week",
    "get_user_cumulate",
    "get_user_summary",
]

R = TypeVar("R", bound=Result)
M = TypeVar("M")

# --- articles --------------------------------------------------------------------------------------------------------


@model
class ReadUserSource:
    """The readers who came from one place.

    Attributes:
        user_count: Number of users.
        scene_desc: The place, in Chinese.
    """

    user_count: int | None = None
    scene_desc: str = ""


@model
class ReadDetail:
    """How often articles were read.

    Attributes:
        read_user: Number of users who read them.
        read_user_source: The same by the place that the users came from.
    """

    read_user: int | None = None
    read_user_source: tuple[ReadUserSource, ...] = items("read_user_source", ReadUserSource)


@model
class ShareDetail:
    """How often articles were shared: `share_user` is the number of users who shared them."""

    share_user: int | None = None


@model
class BizDetail(ReadDetail):
    """What users did with articles. The meanings follow WeChat's names (unconfirmed).

    Attributes:
        share_user: Number of users who shared them (分享).
        zaikan_user: Number of users who recommended them to friends (在看).
        like_user: Number of users who liked them (点赞).
        comment_count: Number of comments (留言).
        collection_user: Number of users who kept them (收藏).
        redirect_ori_page_user: Number of users who opened the original page (阅读原文).
        send_page_count: Number of articles that were published (发表).
    """

    share_user: int | None = None
    zaikan_user: int | None = None
    like_user: int | None = None
    comment_count: int | None = None
    collection_user: int | None = None
    redirect_ori_page_user: int | None = None
    send_page_count: int | None = None


@model
class BizSummaryDay:
    """One day of an account: the date `ref_date`, such as ``2026-11-29``, and its `detail`."""

    ref_date: str
    detail: BizDetail | None = nested("detail", BizDetail, default=None)


@model
class BizSummary(Result):
    """What users did with all articles of the account, by day.

    Attributes:
        list: The days.
        is_delay: Whether WeChat has not yet counted all of them.
    """

    list: tuple[BizSummaryDay, ...] = items("list", BizSummaryDay)
    is_delay: bool | None = None


def get_biz_summary(begin_date: date | str, end_date: date | str) -> Call[BizSummary]:
    """获取发表内容概况数据: get what users did with all articles of the account, by day.

    It is new in 2026, and replaces ``/datacube/getarticlesummary``.

    Args:
        begin_date: The first day, a date or a text such as ``2026-11-01``.
        end_date: The last day, 30 days in all at most; the latest is yesterday.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
    """
    return _get_all("getbizsummary", BizSummary, begin_date, end_date)


@model
class JumpPosition:
    """How many readers left an article at one position.

    Attributes:
        position: The position, a number.
        rate: Share of the readers, a fraction or a percentage (which of the two is unconfirmed).
    """

    position: float | None = None
    rate: float | None = None


@model
class ArticleTotalDay(BizDetail):
    """What users did with one article until one day. The meanings follow WeChat's names (unconfirmed).

    Attributes:
        stat_date: The day.
        praise_money: Money that readers gave (赞赏), in an unconfirmed unit.
        read_subscribe_user: Number of users who followed the account from the article.
        read_delivery_rate: Share of those who received the article that opened it.
        read_finish_rate: Share of the readers who read it to its end.
        read_avg_activetime: Average time of reading, in an unconfirmed unit.
        read_jump_position: Where readers left it.
    """

    stat_date: str
    praise_money: float | None = None
    read_subscribe_user: int | None = None
    read_delivery_rate: float | None = None
    read_finish_rate: float | None = None
    read_avg_activetime: float | None = None
    read_jump_position: tuple[JumpPosition, ...] = items("read_jump_position", JumpPosition)


@model
class ArticleTotal:
    """One article, and what users did with it.

    Attributes:
        ref_date: The day of its publication.
        msgid: Id of the message, and the number of the article in it, from 1, such as ``12003_3``.
        publish_type: How it was published, a value of WeChat's page.
        title: Title.
        content_url: URL of the article.
        detail_list: What users did with it, by day.
    """

    ref_date: str
    msgid: str = ""
    publish_type: str = ""
    title: str = ""
    content_url: str = ""
    detail_list: tuple[ArticleTotalDay, ...] = items("detail_list", ArticleTotalDay)


@model
class ArticleTotals(Result):
    """The articles of one day, and what users did with each.

    Attributes:
        list: The articles.
        is_delay: As in `BizSummary`.
    """

    list: tuple[ArticleTotal, ...] = items("list", ArticleTotal)
    is_delay: bool | None = None


def get_article_total_detail(begin_date: date | str, end_date: date | str) -> Call[ArticleTotals]:
    """获取发表内容累计数据: get what users did with each article of one day.

    It is new in 2026, and replaces ``/datacube/getarticletotal``.

    Args:
        begin_date: The day of publication, a date or a text such as ``2026-11-29``.
        end_date: The same day.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
    """
    return _get_all("getarticletotaldetail", ArticleTotals, begin_date, end_date)


@model
class ReadArticle:
    """How often one article was read on one day: `ref_date`, `msgid` as in `ArticleTotal`, and `detail`."""

    ref_date: str
    msgid: str = ""
    detail: ReadDetail | None = nested("detail", ReadDetail, default=None)


@model
class ArticleReads(Result):
    """How often each article was read on one day.

    Attributes:
        list: The articles.
        is_delay: As in `BizSummary`.
    """

    list: tuple[ReadArticle, ...] = items("list", ReadArticle)
    is_delay: bool | None = None


def get_article_read(begin_date: date | str, end_date: date | str) -> Call[ArticleReads]:
    """获取发表内容阅读数据: get how often each article was read on one day. It is new in 2026.

    Args:
        begin_date: The day, a date or a text such as ``2026-11-29``.
        end_date: The same day.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
    """
    return _get_all("getarticleread", ArticleReads, begin_date, end_date)


@model
class SharedArticle:
    """How often one article was shared on one day: `ref_date`, `msgid` as in `ArticleTotal`, and `detail`."""

    ref_date: str
    msgid: str = ""
    detail: ShareDetail | None = nested("detail", ShareDetail, default=None)


@model
class ArticleShares(Result):
    """How often each article was shared on one day.

    Attributes:
        list: The articles.
        is_delay: As in `BizSummary`.
    """

    list: tuple[SharedArticle, ...] = items("list", SharedArticle)
    is_delay: bool | None = None


def get_article_share(begin_date: date | str, end_date: date | str) -> Call[ArticleShares]:
    """获取发表内容分享数据: get how often each article was shared on one day. It is new in 2026.

    Args:
        begin_date: The day, a date or a text such as ``2026-11-29``.
        end_date: The same day.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
    """
    return _get_all("getarticleshare", ArticleShares, begin_date, end_date)


# --- followers -------------------------------------------------------------------------------------------------------


@model
class UserSummary:
    """How many users followed the account, or stopped, on one day.

    Attributes:
        ref_date: The day.
        user_source: Where the users came from, a number.
        new_user: Number of users who followed.
        cancel_user: Number of users who stopped following; the net increase is `new_user` - `cancel_user`.
    """

    ref_date: str
    user_source: int | None = None
    new_user: int | None = None
    cancel_user: int | None = None


def get_user_summary(begin_date: date | str, end_date: date | str) -> Call[tuple[UserSummary, ...]]:
    """获取用户增减数据: get how many users followed the account, or stopped, by day and by where they came from.

    Args:
        begin_date: The first day, a date or a text such as ``2026-11-23``.
        end_date: The last day, 7 days in all at most; the latest is yesterday.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/User_Analysis_Data_Interface.html
    """
    return _get_list("getusersummary", UserSummary, begin_date, end_date)


@model
class UserCumulate:
    """The followers at the end of one day: `ref_date`, and their number `cumulate_user`."""

    ref_date: str
    cumulate_user: int | None = None


def get_user_cumulate(begin_date: date | str, end_date: date | str) -> Call[tuple[UserCumulate, ...]]:
    """获取累计用户数据: get the number of followers, by day.

    Args:
        begin_date: As for `get_user_summary`.
        end_date: As for `get_user_summary`.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/User_Analysis_Data_Interface.html
    """
    return _get_list("getusercumulate", UserCumulate, begin_date, end_date)


# --- messages of users -----------------------------------------------------------------------------------------------


@model
class UpstreamMsg:
    """Messages of users in one day, hour, week or month.

    Attributes:
        ref_date: The day, or the first day of the week or month.
        ref_hour: The hour, only by hour: 0, 100 ... 2300 (unconfirmed).
        msg_type: Type of the messages, a number.
        count_interval: How many messages each of the users sent, a number of a range, only for the distributions
            (unconfirmed).
        msg_user: Number of users who sent messages.
        msg_count: Number of messages; None for the distributions.
    """

    ref_date: str
    ref_hour: int | None = None
    msg_type: int | None = None
    count_interval: int | None = None
    msg_user: int | None = None
    msg_count: int | None = None


def get_upstream_msg(begin_date: date | str, end_date: date | str) -> Call[tuple[UpstreamMsg, ...]]:
    """获取消息发送概况数据: get the number of messages of users, by day.

    Args:
        begin_date: The first day, a date or a text such as ``2026-11-23``.
        end_date: The last day, 7 days in all at most; the latest is yesterday.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
    """
    return _get_list("getupstreammsg", UpstreamMsg, begin_date, end_date)


def get_upstream_msg_hour(begin_date: date | str, end_date: date | str) -> Call[tuple[UpstreamMsg, ...]]:
    """获取消息发送分时数据: get the number of messages of users, by hour.

    Args:
        begin_date: As for `get_upstream_msg`.
        end_date: The last day. How many days WeChat allows is unconfirmed.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
    """
    return _get_list("getupstreammsghour", UpstreamMsg, begin_date, end_date)


def get_upstream_msg_week(begin_date: date | str, end_date: date | str) -> Call[tuple[UpstreamMsg, ...]]:
    """获取消息发送周数据: get the number of messages of users, by week.

    Args:
        begin_date: As for `get_upstream_msg`.
        end_date: The last day. How many days WeChat allows is unconfirmed.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
    """
    return _get_list("getupstreammsgweek", UpstreamMsg, begin_date, end_date)


def get_upstream_msg_month(begin_date: date | str, end_date: date | str) -> Call[tuple[UpstreamMsg, ...]]:
    """获取消息发送月数据: get the number of messages of users, by month.

    Args:
        begin_date: As for `get_upstream_msg`.
        end_date: The last day. How many days WeChat allows is unconfirmed.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
    """
    return _get_list("getupstreammsgmonth", UpstreamMsg, begin_date, end_date)


def get_upstream_msg_dist(begin_date: date | str, end_date: date | str) -> Call[tuple[UpstreamMsg, ...]]:
    """获取消息发送分布数据: get how many users sent how many messages, by day.

    Args:
        begin_date: As for `get_upstream_msg`.
        end_date: The last day. How many days WeChat allows is unconfirmed.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
    """
    return _get_list("getupstreammsgdist", UpstreamMsg, begin_date, end_date)


def get_upstream_msg_dist_week(begin_date: date | str, end_date: date | str) -> Call[tuple[UpstreamMsg, ...]]:
    """获取消息发送分布周数据: get how many users sent how many messages, by week.

    Args:
        begin_date: As for `get_upstream_msg`.
        end_date: The last day. How many days WeChat allows is unconfirmed.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
    """
    return _get_list("getupstreammsgdistweek", UpstreamMsg, begin_date, end_date)


def get_upstream_msg_dist_month(begin_date: date | str, end_date: date | str) -> Call[tuple[UpstreamMsg, ...]]:
    """获取消息发送分布月数据: get how many users sent how many messages, by month.

    Args:
        begin_date: As for `get_upstream_msg`.
        end_date: The last day. How many days WeChat allows is unconfirmed.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
    """
    return _get_list("getupstreammsgdistmonth", UpstreamMsg, begin_date, end_date)


# --- pushes ----------------------------------------------------------------------------------------------------------


@model
class InterfaceSummary:
    """How the server that receives pushes did on one day. The unit of the times is unconfirmed.

    Attributes:
        ref_date: The day.
        callback_count: Number of pushes.
        fail_count: Number of pushes that it did not answer.
        total_time_cost: Time of all answers; divided by `callback_count`, the average time.
        max_time_cost: The longest time of an answer.
    """

    ref_date: str
    callback_count: int | None = None
    fail_count: int | None = None
    total_time_cost: int | None = None
    max_time_cost: int | None = None


def get_interface_summary(begin_date: date | str, end_date: date | str) -> Call[tuple[InterfaceSummary, ...]]:
    """获取接口分析数据: get how the server that receives pushes did, as WeChat saw it, by day.

    Args:
        begin_date: As for `get_upstream_msg`.
        end_date: The last day. How many days WeChat allows is unconfirmed.

    Raises:
        CallError: A date is neither a date nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Analytics/Analytics_API.html
    """
    return _get_list("getinterfacesummary", InterfaceSummary, begin_date, end_date)


# --- calls -----------------------------------------------------------------------------------------------------------


def _get_all(name: str, cls: type[R], begin_date: date | str, end_date: date | str) -> Call[R]:
    return post(f"/datacube/{name}", _range(begin_date, end_date), ResultOf(cls), is_repeatable=True)


def _get_list(name: str, of: type[M], begin_date: date | str, end_date: date | str) -> Call[tuple[M, ...]]:
    return post(f"/datacube/{name}", _range(begin_date, end_date), Members("list", of), is_repeatable=True)


def _range(begin_date: date | str, end_date: date | str) -> dict[str, str]:
    return {"begin_date": to_date(begin_date, "begin_date"), "end_date": to_date(end_date, "end_date")}
