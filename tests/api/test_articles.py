"""Articles of drafts: what is refused before it is sent, and their pages."""

from __future__ import annotations

import math

import pytest

from tests.helpers.rows import check_rows
from wechat_msg import CallError
from wechat_msg.api import comment, draft, freepublish
from wechat_msg.api.draft import CropPercent, News, NewsPic

WHOLE = {"ratio": "1_1", "x1": 0, "y1": 0, "x2": 1, "y2": 1}


class TestArticles:
    def test_are_refused_if_they_are_something_else(self):
        def check(articles, match):
            with pytest.raises(CallError, match=match):
                draft.add(articles)

        rows = [
            ({"title": "t"}, "article"),
            ("text", "list"),
            (None, "list"),
            ([None], "article"),
            ([["t"]], "article"),
        ]
        check_rows(rows, check)

    def test_of_an_update_are_one_article(self):
        with pytest.raises(CallError, match="an article must be a mapping"):
            draft.update("MID", [News(title="t", content="c", thumb_media_id="TID")])

    def test_show_no_text_in_their_repr(self):
        shown = repr(News(title="TITLE", content="CONTENT", thumb_media_id="TID", author="AUTHOR", digest="DIGEST"))

        assert "TID" in shown
        assert not any(word in shown for word in ("TITLE", "CONTENT", "AUTHOR", "DIGEST"))

    def test_have_their_pictures_in_a_list(self):
        with pytest.raises(CallError, match="image_media_ids"):
            NewsPic(title="t", content="c", image_media_ids="MID")


class TestCropPercent:
    def test_must_be_a_part_of_the_picture(self):
        def check(edge):
            crop = CropPercent(**{**WHOLE, "x2": edge})
            article = News(title="t", content="c", thumb_media_id="TID", crop_percent_list=[crop])
            with pytest.raises(CallError, match="from 0 to 1"):
                draft.add([article])

        check_rows([-0.1, 1.1, math.nan, math.inf, "1", None], check)

    def test_must_be_in_a_list(self):
        def check(crops):
            with pytest.raises(CallError, match="crop_percent_list"):
                NewsPic(title="t", content="c", image_media_ids=["MID"], crop_percent_list=crops)

        check_rows([CropPercent(**WHOLE), [WHOLE], None], check)


class TestPages:
    def test_end_with_the_last_or_an_empty_one(self):
        def check(pages, start, name, total, expected):
            def answer(body):
                count = max(0, min(body["count"], 45 - body[start]))
                item = {"media_id": "MID", "article_id": "AID", "user_comment_id": 1}
                return {"total_count": total, "total": total, name: [item] * count}

            call, starts, found = pages.first, [], 0
            while call is not None:
                starts.append(call.json[start])
                page = call.parse(answer(call.json))
                found += len(pages.items_of(page))
                call = pages.next_of(page)
            assert (starts, found) == (expected, 45)

        check_rows(
            [
                (draft.iterate_drafts(), "offset", "item", 45, [0, 20, 40]),
                (draft.iterate_drafts(), "offset", "item", 60, [0, 20, 40, 45]),
                (freepublish.iterate_published(), "offset", "item", 45, [0, 20, 40]),
                (comment.iterate_comments(1), "begin", "comment", 45, [0]),
            ],
            check,
        )
