"""Cases of draft."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import draft

NEWS = draft.News(
    title="标题",
    content="<p>正文</p>",
    thumb_media_id="TID",
    author="作者",
    digest="摘要",
    content_source_url="https://example.com/source",
    pic_crop_235_1="0_0_1_0.5",
    pic_crop_1_1="0.25_0_0.75_1",
    need_open_comment=True,
    only_fans_can_comment=False,
    crop_percent_list=[draft.CropPercent(ratio="16_9", x1=0, y1=0.166454, x2=1, y2=0.833545)],
    product_key="PKEY",
)
COVER = {
    "crop_percent_list": [{"ratio": "16_9", "x1": "0.000000", "y1": "0.166454", "x2": "1.000000", "y2": "0.833545"}]
}
PRODUCT = {"footer_product_info": {"product_key": "PKEY"}}
NEWS_JSON = {
    "article_type": "news",
    "title": "标题",
    "content": "<p>正文</p>",
    "thumb_media_id": "TID",
    "author": "作者",
    "digest": "摘要",
    "content_source_url": "https://example.com/source",
    "pic_crop_235_1": "0_0_1_0.5",
    "pic_crop_1_1": "0.25_0_0.75_1",
    "need_open_comment": 1,
    "only_fans_can_comment": 0,
    "cover_info": COVER,
    "product_info": PRODUCT,
}
PICTURES = draft.NewsPic(
    title="图",
    content="说明",
    image_media_ids=iter(["MID1", "MID2"]),
    need_open_comment=False,
    only_fans_can_comment=True,
    crop_percent_list=[draft.CropPercent(ratio="1_1", x1=0.25, y1=0, x2=0.75, y2=1)],
    product_key="PKEY",
)
PICTURES_JSON = {
    "article_type": "newspic",
    "title": "图",
    "content": "说明",
    "image_info": {"image_list": [{"image_media_id": "MID1"}, {"image_media_id": "MID2"}]},
    "need_open_comment": 0,
    "only_fans_can_comment": 1,
    "cover_info": {
        "crop_percent_list": [{"ratio": "1_1", "x1": "0.250000", "y1": "0.000000", "x2": "0.750000", "y2": "1.000000"}]
    },
    "product_info": PRODUCT,
}
#: Articles in a response, and as they are read.
STORED = {**NEWS_JSON, "url": "http://mp.weixin.qq.com/s/1", "thumb_url": "http://mmbiz.qpic.cn/1", "show_cover_pic": 0}
ARTICLE = {
    "article_type": "news",
    "title": "标题",
    "content": "<p>正文</p>",
    "thumb_media_id": "TID",
    "author": "作者",
    "digest": "摘要",
    "content_source_url": "https://example.com/source",
    "need_open_comment": 1,
    "only_fans_can_comment": 0,
    "cover_info": draft.CoverInfo(
        crop_percent_list=(draft.CropPercent(ratio="16_9", x1=0.0, y1=0.166454, x2=1.0, y2=0.833545),)
    ),
    "product_info": draft.ProductInfo(footer_product_info=draft.FooterProductInfo(product_key="PKEY")),
    "url": "http://mp.weixin.qq.com/s/1",
    "thumb_url": "http://mmbiz.qpic.cn/1",
    "show_cover_pic": 0,
}
PICTURE_ARTICLE = draft.DraftArticle(
    article_type="newspic",
    title="图",
    content="说明",
    image_info=draft.ImageInfo(
        image_list=(draft.ImageItem(image_media_id="MID1"), draft.ImageItem(image_media_id="MID2"))
    ),
)
PAGE = draft.DraftPage(
    total_count=25,
    item_count=1,
    item=(draft.DraftItem(media_id="MID", update_time=1700000000, news_item=(draft.DraftArticle(**ARTICLE),)),),
    offset=20,
)
PAGE_ANSWER = {
    "total_count": 25,
    "item_count": 1,
    "item": [{"media_id": "MID", "content": {"news_item": [STORED]}, "update_time": 1700000000}],
}

CASES = [
    Case(
        "draft.add",
        draft.add(iter([NEWS, PICTURES])),
        "POST",
        "/cgi-bin/draft/add",
        json={"articles": [NEWS_JSON, PICTURES_JSON]},
        answer={"media_id": "MID", "item": []},
        result="MID",
    ),
    Case(
        "draft.add",
        draft.add(
            [
                draft.News(title="t", content="c", thumb_media_id="TID"),
                draft.NewsPic(title="t", content="c", image_media_ids=()),
                {"title": "t", "content": "c", "thumb_media_id": "TID", "new_member": 1},
            ]
        ),
        "POST",
        "/cgi-bin/draft/add",
        json={
            "articles": [
                {"article_type": "news", "title": "t", "content": "c", "thumb_media_id": "TID"},
                {"article_type": "newspic", "title": "t", "content": "c", "image_info": {"image_list": []}},
                {"title": "t", "content": "c", "thumb_media_id": "TID", "new_member": 1},
            ]
        },
        answer={"media_id": "MID"},
        result="MID",
    ),
    Case(
        "draft.update",
        draft.update("MID", NEWS),
        "POST",
        "/cgi-bin/draft/update",
        json={"media_id": "MID", "index": 0, "articles": NEWS_JSON},
    ),
    Case(
        "draft.update",
        draft.update("MID", {"title": "t", "content": "c", "thumb_media_id": "TID"}, index=2),
        "POST",
        "/cgi-bin/draft/update",
        json={"media_id": "MID", "index": 2, "articles": {"title": "t", "content": "c", "thumb_media_id": "TID"}},
    ),
    Case(
        "draft.get",
        draft.get("MID"),
        "POST",
        "/cgi-bin/draft/get",
        json={"media_id": "MID"},
        answer={
            "news_item": [
                STORED,
                {name: PICTURES_JSON[name] for name in ("article_type", "title", "content", "image_info")},
                {"title": "old", "product_info": {}},
            ]
        },
        result=draft.Draft(
            news_item=(
                draft.DraftArticle(**ARTICLE),
                PICTURE_ARTICLE,
                draft.DraftArticle(title="old", product_info=draft.ProductInfo()),
            )
        ),
    ),
    Case("draft.delete", draft.delete("MID"), "POST", "/cgi-bin/draft/delete", json={"media_id": "MID"}),
    Case("draft.get_count", draft.get_count(), "GET", "/cgi-bin/draft/count", answer={"total_count": 3}, result=3),
    Case(
        "draft.batch_get",
        draft.batch_get(offset=20, count=5, no_content=False),
        "POST",
        "/cgi-bin/draft/batchget",
        json={"offset": 20, "count": 5, "no_content": 0},
        answer=PAGE_ANSWER,
        result=PAGE,
    ),
    Case(
        "draft.iterate_drafts",
        draft.iterate_drafts().first,
        "POST",
        "/cgi-bin/draft/batchget",
        json={"offset": 0, "count": 20},
        answer={"total_count": 0, "item_count": 0, "item": []},
        result=draft.DraftPage(),
    ),
    Case(
        "draft.iterate_drafts",
        draft.iterate_drafts(no_content=True).next_of(PAGE),
        "POST",
        "/cgi-bin/draft/batchget",
        json={"offset": 21, "count": 20, "no_content": 1},
        answer={"total_count": 21, "item_count": 0, "item": []},
        result=draft.DraftPage(total_count=21, offset=21),
    ),
]
