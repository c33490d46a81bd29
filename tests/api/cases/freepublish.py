"""Cases of freepublish."""

from __future__ import annotations

from tests.api.cases.case import Case
from tests.api.cases.draft import ARTICLE, STORED
from wechat_msg.api import freepublish

PUBLISHED = freepublish.PublishedNewsItem(**ARTICLE, is_deleted=0)
PAGE = freepublish.PublishedPage(
    total_count=41,
    item_count=1,
    item=(freepublish.PublishedItem(article_id="AID", update_time=1700000000, news_item=(PUBLISHED,)),),
    offset=20,
)

CASES = [
    Case(
        "freepublish.submit",
        freepublish.submit("MID"),
        "POST",
        "/cgi-bin/freepublish/submit",
        json={"media_id": "MID"},
        answer={"errcode": 0, "errmsg": "ok", "publish_id": "100000001", "msg_data_id": 2247483650},
        result=freepublish.PublishJob(publish_id="100000001", msg_data_id=2247483650),
    ),
    Case(
        "freepublish.submit",
        freepublish.submit("MID"),
        "POST",
        "/cgi-bin/freepublish/submit",
        json={"media_id": "MID"},
        answer={"errcode": 0, "errmsg": "ok", "publish_id": 100000001},
        result=freepublish.PublishJob(publish_id="100000001"),
    ),
    Case(
        "freepublish.get",
        freepublish.get(100000001),
        "POST",
        "/cgi-bin/freepublish/get",
        json={"publish_id": 100000001},
        answer={
            "publish_id": "100000001",
            "publish_status": 0,
            "article_id": "AID",
            "article_detail": {"count": 1, "item": [{"idx": 1, "article_url": "http://mp.weixin.qq.com/s/1"}]},
            "fail_idx": [],
        },
        result=freepublish.PublishStatus(
            publish_id="100000001",
            publish_status=0,
            article_id="AID",
            article_detail=freepublish.ArticleURLs(
                count=1, item=(freepublish.ArticleURL(idx=1, article_url="http://mp.weixin.qq.com/s/1"),)
            ),
        ),
    ),
    Case(
        "freepublish.get",
        freepublish.get("100000001"),
        "POST",
        "/cgi-bin/freepublish/get",
        json={"publish_id": "100000001"},
        answer={"publish_id": 100000001, "publish_status": 2, "fail_idx": [1, 2]},
        result=freepublish.PublishStatus(publish_id="100000001", publish_status=2, fail_idx=(1, 2)),
    ),
    Case(
        "freepublish.get_article",
        freepublish.get_article("AID"),
        "POST",
        "/cgi-bin/freepublish/getarticle",
        json={"article_id": "AID"},
        answer={"news_item": [{**STORED, "is_deleted": False}]},
        result=freepublish.PublishedNews(news_item=(PUBLISHED,)),
    ),
    Case(
        "freepublish.delete",
        freepublish.delete("AID"),
        "POST",
        "/cgi-bin/freepublish/delete",
        json={"article_id": "AID"},
    ),
    Case(
        "freepublish.delete",
        freepublish.delete("AID", index=2),
        "POST",
        "/cgi-bin/freepublish/delete",
        json={"article_id": "AID", "index": 2},
    ),
    Case(
        "freepublish.batch_get",
        freepublish.batch_get(offset=20, no_content=True),
        "POST",
        "/cgi-bin/freepublish/batchget",
        json={"offset": 20, "count": 20, "no_content": 1},
        answer={
            "total_count": 41,
            "item_count": 1,
            "item": [
                {
                    "article_id": "AID",
                    "content": {"news_item": [{**STORED, "is_deleted": False}]},
                    "update_time": 1700000000,
                }
            ],
        },
        result=PAGE,
    ),
    Case(
        "freepublish.iterate_published",
        freepublish.iterate_published().first,
        "POST",
        "/cgi-bin/freepublish/batchget",
        json={"offset": 0, "count": 20},
        answer={"total_count": 0},
        result=freepublish.PublishedPage(),
    ),
    Case(
        "freepublish.iterate_published",
        freepublish.iterate_published(no_content=False).next_of(PAGE),
        "POST",
        "/cgi-bin/freepublish/batchget",
        json={"offset": 21, "count": 20, "no_content": 0},
        answer={"total_count": 21, "item_count": 0, "item": []},
        result=freepublish.PublishedPage(total_count=21, offset=21),
    ),
]
