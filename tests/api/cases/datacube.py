"""Cases of datacube."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tests.api.cases.case import Case
from wechat_msg.api import datacube

BEGIN, END = date(2026, 11, 23), datetime(2026, 11, 29, 12, tzinfo=UTC)
SOURCES = [{"user_count": 5, "scene_desc": "公众号消息"}, {"user_count": "3", "scene_desc": "聊天会话"}]
READ = {"read_user": 8, "read_user_source": SOURCES}
NUMBERS = {
    "share_user": 1,
    "zaikan_user": 2,
    "like_user": 3,
    "comment_count": 4,
    "collection_user": 5,
    "redirect_ori_page_user": 6,
    "send_page_count": 7,
}
TOTAL = {
    "praise_money": 8.5,
    "read_subscribe_user": 9,
    "read_delivery_rate": 0.25,
    "read_finish_rate": "0.5",
    "read_avg_activetime": 61.5,
}


def read_sources():
    return (
        datacube.ReadUserSource(user_count=5, scene_desc="公众号消息"),
        datacube.ReadUserSource(user_count=3, scene_desc="聊天会话"),
    )


def make_case(function, answer, result):
    name = function.__name__.removeprefix("get_")
    return Case(
        f"datacube.{function.__name__}",
        function(BEGIN, END),
        "POST",
        f"/datacube/get{name.replace('_', '')}",
        json={"begin_date": "2026-11-23", "end_date": "2026-11-29"},
        answer=answer,
        result=result,
    )


def make_upstream_case(function, members, **options):
    answer = {"list": [{"ref_date": "2026-11-23", **members}]}
    return make_case(function, answer, (datacube.UpstreamMsg(ref_date="2026-11-23", **members, **options),))


COUNTS = {"msg_type": 1, "msg_user": 2, "msg_count": 5}
RANGES = {"count_interval": 2, "msg_user": 3}

CASES = [
    make_case(
        datacube.get_biz_summary,
        {"list": [{"ref_date": "2026-11-23", "detail": {**READ, **NUMBERS}}], "is_delay": False},
        datacube.BizSummary(
            list=(
                datacube.BizSummaryDay(
                    ref_date="2026-11-23",
                    detail=datacube.BizDetail(read_user=8, read_user_source=read_sources(), **NUMBERS),
                ),
            ),
            is_delay=False,
        ),
    ),
    Case(
        "datacube.get_biz_summary",
        datacube.get_biz_summary("2026-11-23", "2026-11-23"),
        "POST",
        "/datacube/getbizsummary",
        json={"begin_date": "2026-11-23", "end_date": "2026-11-23"},
        answer={"list": [], "is_delay": 1},
        result=datacube.BizSummary(is_delay=True),
    ),
    make_case(
        datacube.get_article_total_detail,
        {
            "list": [
                {
                    "ref_date": "2026-11-23",
                    "msgid": "12003_3",
                    "publish_type": 0,
                    "title": "标题",
                    "content_url": "https://mp.weixin.qq.com/s/a",
                    "detail_list": [
                        {
                            "stat_date": "2026-11-24",
                            **READ,
                            **NUMBERS,
                            **TOTAL,
                            "read_jump_position": [{"position": 1, "rate": 0.75}],
                        }
                    ],
                }
            ],
            "is_delay": False,
        },
        datacube.ArticleTotals(
            list=(
                datacube.ArticleTotal(
                    ref_date="2026-11-23",
                    msgid="12003_3",
                    publish_type="0",
                    title="标题",
                    content_url="https://mp.weixin.qq.com/s/a",
                    detail_list=(
                        datacube.ArticleTotalDay(
                            stat_date="2026-11-24",
                            read_user=8,
                            read_user_source=read_sources(),
                            **NUMBERS,
                            **{**TOTAL, "read_finish_rate": 0.5},
                            read_jump_position=(datacube.JumpPosition(position=1.0, rate=0.75),),
                        ),
                    ),
                ),
            ),
            is_delay=False,
        ),
    ),
    make_case(
        datacube.get_article_read,
        {"list": [{"ref_date": "2026-11-23", "msgid": "12003_3", "detail": READ}], "is_delay": True},
        datacube.ArticleReads(
            list=(
                datacube.ReadArticle(
                    ref_date="2026-11-23",
                    msgid="12003_3",
                    detail=datacube.ReadDetail(read_user=8, read_user_source=read_sources()),
                ),
            ),
            is_delay=True,
        ),
    ),
    make_case(
        datacube.get_article_share,
        {"list": [{"ref_date": "2026-11-23", "msgid": "12003_3", "detail": {"share_user": 2}}], "is_delay": False},
        datacube.ArticleShares(
            list=(
                datacube.SharedArticle(
                    ref_date="2026-11-23", msgid="12003_3", detail=datacube.ShareDetail(share_user=2)
                ),
            ),
            is_delay=False,
        ),
    ),
    make_case(
        datacube.get_user_summary,
        {"list": [{"ref_date": "2026-11-23", "user_source": 30, "new_user": 4, "cancel_user": 1}]},
        (datacube.UserSummary(ref_date="2026-11-23", user_source=30, new_user=4, cancel_user=1),),
    ),
    make_case(
        datacube.get_user_cumulate,
        {"list": [{"ref_date": "2026-11-23", "cumulate_user": 1217056}]},
        (datacube.UserCumulate(ref_date="2026-11-23", cumulate_user=1217056),),
    ),
    make_upstream_case(datacube.get_upstream_msg, COUNTS),
    make_upstream_case(datacube.get_upstream_msg_hour, {"ref_hour": 2300, **COUNTS}),
    make_upstream_case(datacube.get_upstream_msg_week, COUNTS),
    make_upstream_case(datacube.get_upstream_msg_month, COUNTS),
    make_upstream_case(datacube.get_upstream_msg_dist, RANGES),
    make_upstream_case(datacube.get_upstream_msg_dist_week, RANGES),
    make_upstream_case(datacube.get_upstream_msg_dist_month, RANGES),
    make_case(
        datacube.get_interface_summary,
        {
            "list": [
                {
                    "ref_date": "2026-11-23",
                    "callback_count": 36974,
                    "fail_count": 67,
                    "total_time_cost": 14994291,
                    "max_time_cost": 5044,
                }
            ]
        },
        (
            datacube.InterfaceSummary(
                ref_date="2026-11-23",
                callback_count=36974,
                fail_count=67,
                total_time_cost=14994291,
                max_time_cost=5044,
            ),
        ),
    ),
]
