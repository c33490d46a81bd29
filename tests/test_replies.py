"""Replies: the values that they accept, and the documents of each kind."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import pytest

from tests.helpers.rows import each_row
from wechat_msg import (
    MINI_PROGRAM,
    Acknowledgement,
    Article,
    ChapterPermission,
    ChapterPermissionReply,
    ErrCodeReply,
    ImageReply,
    IosRefundReply,
    MusicReply,
    NewsReply,
    Push,
    PushResponse,
    PushSettings,
    RawReply,
    Reply,
    ReplyError,
    ResultReply,
    TextMessage,
    TextReply,
    TransferCustomerServiceReply,
    UnknownEvent,
    VideoReply,
    VoiceReply,
    answer_cloud_function,
    render_reply,
    seal_reply,
)
from wechat_msg.replies import RenderedReply
from wechat_msg.wire import Format

SETTINGS = PushSettings(token="spamtest")
MESSAGE = TextMessage(to_user_name="gh_account", from_user_name="oUSER", create_time=1600000000, content="hi")
NOW = 1700000000.75
ARTICLE = Article(title="t", description="d", pic_url="https://example.com/p.jpg", url="https://example.com/")
ARTICLE_MEMBERS = {
    "Title": "t",
    "Description": "d",
    "PicUrl": "https://example.com/p.jpg",
    "Url": "https://example.com/",
}

#: Every kind of reply: the reply, its MsgType, and its members as WeChat's page names them.
REPLIES: list[tuple[Reply, str, dict[str, Any]]] = [
    (TextReply(content="a\n<a href='x'>b</a> ]]>"), "text", {"Content": "a\n<a href='x'>b</a> ]]>"}),
    (ImageReply(media_id="MID"), "image", {"Image": {"MediaId": "MID"}}),
    (VoiceReply(media_id="MID"), "voice", {"Voice": {"MediaId": "MID"}}),
    (VideoReply(media_id="MID"), "video", {"Video": {"MediaId": "MID"}}),
    (
        VideoReply(media_id="MID", title="t", description="d"),
        "video",
        {"Video": {"MediaId": "MID", "Title": "t", "Description": "d"}},
    ),
    # Only a customer-service message has a cover.
    (VideoReply(media_id="MID", thumb_media_id="TID"), "video", {"Video": {"MediaId": "MID"}}),
    (MusicReply(thumb_media_id="TID"), "music", {"Music": {"ThumbMediaId": "TID"}}),
    (
        MusicReply(thumb_media_id="TID", title="t", description="d", music_url="http://a", hq_music_url="http://b"),
        "music",
        {
            "Music": {
                "Title": "t",
                "Description": "d",
                "MusicUrl": "http://a",
                "HQMusicUrl": "http://b",
                "ThumbMediaId": "TID",
            }
        },
    ),
    (TransferCustomerServiceReply(), "transfer_customer_service", {}),
    (
        TransferCustomerServiceReply(kf_account="anna@example"),
        "transfer_customer_service",
        {"TransInfo": {"KfAccount": "anna@example"}},
    ),
]

KINDS = [
    TextReply,
    ImageReply,
    VoiceReply,
    VideoReply,
    MusicReply,
    NewsReply,
    Article,
    TransferCustomerServiceReply,
    Acknowledgement,
    ErrCodeReply,
    ResultReply,
    IosRefundReply,
    ChapterPermission,
    ChapterPermissionReply,
    RawReply,
    RenderedReply,
    Reply,
]

PERM = ChapterPermission(start_chapter_index=0, end_chapter_index=2, perm=0)


def seal(reply: Reply | str | None, form: Format = "xml", message: Any = MESSAGE) -> PushResponse:
    return seal_reply(SETTINGS, Push(message=message, format=form), reply, now=lambda: NOW)


def read_xml(body: bytes) -> dict[str, Any]:
    """Read with the standard library; every name may occur once."""

    def read(element: ET.Element) -> Any:
        if len(element) == 0:
            return element.text or ""
        assert len({child.tag for child in element}) == len(element)
        assert not (element.text or "").strip()
        return {child.tag: read(child) for child in element}

    root = ET.fromstring(body.decode())
    assert root.tag == "xml"
    return read(root)


class TestWrongTypes:
    @each_row(
        ("cls", "values"),
        [
            (TextReply, {"content": None}),
            (TextReply, {"content": b"hi"}),
            (TextReply, {"content": 5}),
            (TextReply, {"content": "hi", "to_user_name": 5}),
            (TextReply, {"content": "hi", "from_user_name": b"gh"}),
            (TextReply, {"content": "hi", "create_time": "1700000000"}),
            (TextReply, {"content": "hi", "create_time": 1700000000.5}),
            (TextReply, {"content": "hi", "create_time": True}),
            (ImageReply, {"media_id": None}),
            (ImageReply, {"media_id": 5}),
            (VoiceReply, {"media_id": b"MID"}),
            (VideoReply, {"media_id": []}),
            (VideoReply, {"media_id": "MID", "title": 5}),
            (VideoReply, {"media_id": "MID", "description": []}),
            (VideoReply, {"media_id": "MID", "thumb_media_id": 5}),
            (MusicReply, {"thumb_media_id": None}),
            (MusicReply, {"thumb_media_id": "TID", "title": 1}),
            (MusicReply, {"thumb_media_id": "TID", "description": 1}),
            (MusicReply, {"thumb_media_id": "TID", "music_url": 1}),
            (MusicReply, {"thumb_media_id": "TID", "hq_music_url": 1}),
            (Article, {"title": None}),
            (Article, {"description": 5}),
            (Article, {"pic_url": b"x"}),
            (Article, {"url": []}),
            (NewsReply, {"articles": None}),
            (NewsReply, {"articles": ARTICLE}),
            (NewsReply, {"articles": "article"}),
            (NewsReply, {"articles": [{"Title": "t"}]}),
            (NewsReply, {"articles": [ARTICLE, None]}),
            (TransferCustomerServiceReply, {"kf_account": 5}),
            (Acknowledgement, {"body": "SUCCESS"}),
            (Acknowledgement, {"body": None}),
            (Acknowledgement, {"body": ["success"]}),
            (RawReply, {"fields": None}),
            (RawReply, {"fields": [("A", "b")]}),
            (RawReply, {"fields": "<xml/>"}),
            (RenderedReply, {"documents": None}),
            (RenderedReply, {"documents": "<xml/>"}),
            (ErrCodeReply, {"err_code": "0"}),
            (ErrCodeReply, {"err_code": None}),
            (ErrCodeReply, {"err_code": False}),
            (ErrCodeReply, {"err_msg": None}),
            (ErrCodeReply, {"fields": []}),
            (ResultReply, {"result_code": "0"}),
            (ResultReply, {"result_msg": 0}),
            (ResultReply, {"fields": []}),
            (IosRefundReply, {"result_code": 2, "evidence": "e"}),
            (IosRefundReply, {"result_code": True, "evidence": "e"}),
            (IosRefundReply, {"result_code": 0, "evidence": ""}),
            (IosRefundReply, {"result_code": 0, "evidence": None}),
            (IosRefundReply, {"result_code": 0, "evidence": "e", "result_info": None}),
            (ChapterPermissionReply, {"perms": []}),
            (ChapterPermissionReply, {"perms": 5}),
            (ChapterPermissionReply, {"perms": PERM}),
            (ChapterPermissionReply, {"perms": [PERM, None]}),
            (ChapterPermission, {"start_chapter_index": -1, "end_chapter_index": 2, "perm": 0}),
            (ChapterPermission, {"start_chapter_index": 0, "end_chapter_index": "2", "perm": 0}),
            (ChapterPermission, {"start_chapter_index": 0, "end_chapter_index": 2, "perm": 3}),
        ],
    )
    def test_are_refused_when_the_reply_is_made(self, cls, values):
        with pytest.raises(ReplyError):
            cls(**values)

    @each_row("cls", [TextReply, ImageReply, VoiceReply, VideoReply, MusicReply, NewsReply, RawReply])
    def test_include_leaving_out_what_is_required(self, cls):
        with pytest.raises(TypeError, match="missing 1 required"):
            cls()

    @each_row("count", [0, 9, 100])
    def test_include_a_number_of_articles_that_wechat_does_not_show(self, count):
        with pytest.raises(ReplyError, match="1 to 8"):
            NewsReply(articles=[ARTICLE] * count)


class TestReply:
    @each_row(("reply", "msg_type", "members"), REPLIES)
    def test_goes_out_as_xml_with_both_names_swapped(self, reply, msg_type, members):
        response = seal(reply)
        assert (response.status, response.content_type) == (200, "application/xml; charset=utf-8")
        assert read_xml(response.body) == {
            "ToUserName": "oUSER",
            "FromUserName": "gh_account",
            "CreateTime": "1700000000",
            "MsgType": msg_type,
            **members,
        }

    @each_row(("reply", "msg_type", "members"), REPLIES)
    def test_goes_out_as_json_with_both_names_swapped(self, reply, msg_type, members):
        response = seal(reply, "json")
        assert (response.status, response.content_type) == (200, "application/json; charset=utf-8")
        assert json.loads(response.body) == {
            "ToUserName": "oUSER",
            "FromUserName": "gh_account",
            "CreateTime": 1700000000,
            "MsgType": msg_type,
            **members,
        }

    def test_has_its_time_as_a_bare_number(self):
        assert b"<CreateTime>1700000000</CreateTime>" in seal(TextReply(content="hi")).body

    def test_has_its_members_in_the_order_of_wechats_page(self):
        names = [child.tag for child in ET.fromstring(seal(TextReply(content="hi")).body)]
        assert names == ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"]

    @each_row("form", ["xml", "json"])
    def test_goes_to_its_own_recipient_if_it_has_one(self, form):
        reply = TextReply(content="hi", to_user_name="oOTHER", from_user_name="gh_other", create_time=0)
        body = seal(reply, form).body
        fields = read_xml(body) if form == "xml" else json.loads(body)
        assert (fields["ToUserName"], fields["FromUserName"], int(fields["CreateTime"])) == ("oOTHER", "gh_other", 0)

    def test_without_a_kind_cannot_be_sent(self):
        with pytest.raises(ReplyError, match="Reply cannot be sent"):
            seal(Reply())

    @each_row("reply", [reply for reply, *_ in REPLIES] + [NewsReply(articles=[ARTICLE])])
    def test_is_frozen_slotted_and_compares_by_value(self, reply):
        assert reply == attrs.evolve(reply) != attrs.evolve(reply, create_time=5)
        assert hash(reply) == hash(attrs.evolve(reply))
        assert not hasattr(reply, "__dict__")
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            reply.create_time = 5

    @each_row(
        ("reply", "by_keyword"),
        [
            (TextReply("hi"), TextReply(content="hi")),
            (ImageReply("MID"), ImageReply(media_id="MID")),
            (VoiceReply("MID"), VoiceReply(media_id="MID")),
            (VideoReply("MID", title="t"), VideoReply(media_id="MID", title="t")),
            (NewsReply([ARTICLE]), NewsReply(articles=[ARTICLE])),
            (TransferCustomerServiceReply("a@b"), TransferCustomerServiceReply(kf_account="a@b")),
            (Acknowledgement(""), Acknowledgement(body="")),
            (ErrCodeReply(1, err_msg="no"), ErrCodeReply(err_code=1, err_msg="no")),
            (ResultReply(1, result_msg="no"), ResultReply(result_code=1, result_msg="no")),
            (ChapterPermissionReply([PERM]), ChapterPermissionReply(perms=[PERM])),
            (RawReply({"A": 1}), RawReply(fields={"A": 1})),
        ],
    )
    def test_takes_what_it_is_made_of_without_a_keyword(self, reply, by_keyword):
        assert reply == by_keyword

    @each_row("cls", [MusicReply, Article, RenderedReply, IosRefundReply, ChapterPermission, Reply])
    def test_takes_keywords_only_where_no_value_stands_out(self, cls):
        with pytest.raises(TypeError, match="positional"):
            cls("hi")

    @each_row("cls", KINDS)
    def test_takes_everything_else_as_keywords(self, cls):
        with pytest.raises(TypeError, match="positional"):
            cls("hi", "oUSER")

    @each_row(
        "reply",
        [
            TextReply(content="a secret"),
            VideoReply(media_id="MID", title="a secret", description="a secret"),
            MusicReply(thumb_media_id="TID", title="a secret", description="a secret"),
            NewsReply(articles=[Article(title="a secret", description="a secret")]),
            RawReply(fields={"A": "a secret"}),
            RenderedReply(documents={"xml": "a secret"}),
            ErrCodeReply(fields={"A": "a secret"}),
            ResultReply(fields={"A": "a secret"}),
            IosRefundReply(result_code=1, evidence="a secret"),
        ],
    )
    def test_shows_no_texts_in_its_repr(self, reply):
        assert repr(reply).startswith(f"{type(reply).__name__}(")
        assert "a secret" not in repr(reply)

    @each_row("form", ["xml", "json"])
    def test_may_be_of_the_users_own_kind(self, form):
        @attrs.frozen(kw_only=True)
        class AiReply(Reply):
            msg_type = "transfer_biz_ai_ivr"

            def to_fields(self, form: Format) -> dict[str, Any]:
                return {}

        body = seal(AiReply(), form).body
        fields = read_xml(body) if form == "xml" else json.loads(body)
        assert fields["MsgType"] == "transfer_biz_ai_ivr"
        assert fields.keys() == {"ToUserName", "FromUserName", "CreateTime", "MsgType"}


class TestNewsReply:
    @each_row("count", [1, 2, 8])
    def test_has_an_item_element_for_every_article_in_xml(self, count):
        root = ET.fromstring(seal(NewsReply(articles=[ARTICLE] * count)).body)
        assert [child.tag for child in root][-3:] == ["MsgType", "ArticleCount", "Articles"]
        assert root.findtext("MsgType") == "news"
        assert root.findtext("ArticleCount") == str(count)
        assert [item.tag for item in root.find("Articles")] == ["item"] * count
        for item in root.find("Articles"):
            assert {child.tag: child.text for child in item} == ARTICLE_MEMBERS

    @each_row("count", [1, 2, 8])
    def test_has_a_plain_list_of_articles_in_json(self, count):
        assert json.loads(seal(NewsReply(articles=[ARTICLE] * count), "json").body) == {
            "ToUserName": "oUSER",
            "FromUserName": "gh_account",
            "CreateTime": 1700000000,
            "MsgType": "news",
            "ArticleCount": count,
            "Articles": [ARTICLE_MEMBERS] * count,
        }

    def test_has_empty_members_where_an_article_has_no_value(self):
        assert json.loads(seal(NewsReply(articles=[Article(url="u"), Article(title="t")]), "json").body)[
            "Articles"
        ] == [
            {"Title": "", "Description": "", "PicUrl": "", "Url": "u"},
            {"Title": "t", "Description": "", "PicUrl": "", "Url": ""},
        ]

    def test_takes_any_iterable_once(self):
        reply = NewsReply(articles=(Article(title=str(n)) for n in range(3)))
        assert [article.title for article in reply.articles] == ["0", "1", "2"]
        assert seal(reply).body == seal(reply).body


class TestAcknowledgement:
    @each_row("form", ["xml", "json"])
    @each_row("body", ["success", ""])
    def test_is_the_bare_word_or_nothing(self, form, body):
        response = seal(Acknowledgement(body=body), form)
        assert (response.status, response.body) == (200, body.encode())
        assert response.content_type.startswith("text/plain")

    @each_row("answer", [None, ""])
    def test_is_what_no_answer_means(self, answer):
        assert seal(answer) == seal(Acknowledgement())


class TestResultReply:
    """`tests.endpoint.test_kinds` has the documents of each event."""

    @each_row("form", ["xml", "json"])
    def test_repeats_an_element_of_xml(self, form):
        event = UnknownEvent(create_time=1, event="waybill_query_expect_time_range")
        ranges = [{"StartTime": "09:00", "EndTime": "10:00"}, {"StartTime": "11:00", "EndTime": "12:00"}]
        body = seal(ResultReply(0, fields={"ValidTimeRange": ranges}), form, event).body.decode()
        assert body.count("ValidTimeRange") == (4 if form == "xml" else 1)
        assert body.index("ResultCode") < body.index("ValidTimeRange")


class TestErrCodeReply:
    def test_is_bare_xml(self):
        assert seal(ErrCodeReply()).body == b"<xml><ErrCode>0</ErrCode><ErrMsg><![CDATA[success]]></ErrMsg></xml>"

    def test_is_bare_json(self):
        assert seal(ErrCodeReply(err_code=-1, err_msg="no"), "json").body == b'{"ErrCode":-1,"ErrMsg":"no"}'

    @each_row("answer", [None, ""])
    def test_is_what_no_answer_means_for_virtual_payment(self, answer):
        event = UnknownEvent(create_time=1, event="XPAY_goods_deliver_notify")
        assert json.loads(seal(answer, "json", event).body) == {"ErrCode": 0, "ErrMsg": "success"}

    @each_row("make", [ErrCodeReply, ResultReply])
    @each_row("name", ["ErrCode", "errmsg", "ResultCode", "resultmsg"])
    def test_has_its_code_and_description_only_once(self, name, make):
        with pytest.raises(ReplyError, match="fields must be a mapping without the code"):
            make(fields={name: 5})

    def test_takes_further_members(self):
        perms = [{"StartChapterIndex": 0, "EndChapterIndex": 2, "Perm": 0}]
        reply = ErrCodeReply(fields={"ChapterPerms": perms})
        assert json.loads(seal(reply, "json").body) == {"ErrCode": 0, "ErrMsg": "success", "ChapterPerms": perms}
        assert read_xml(seal(reply).body)["ChapterPerms"] == {
            "StartChapterIndex": "0",
            "EndChapterIndex": "2",
            "Perm": "0",
        }


class TestRawReply:
    def test_goes_out_with_nothing_added(self):
        fields = MappingProxyType({"Token": "t", "Nested": {"A": 1, "B": None}, "List": ["a", "b"]})
        assert seal(RawReply(fields=fields)).body == (
            b"<xml><Token><![CDATA[t]]></Token><Nested><A>1</A></Nested>"
            b"<List><![CDATA[a]]></List><List><![CDATA[b]]></List></xml>"
        )
        assert seal(RawReply(fields=fields), "json").body == b'{"Token":"t","Nested":{"A":1},"List":["a","b"]}'

    @each_row("form", ["xml", "json"])
    @each_row("fields", [{"A": object()}, {"a b": "c"}, {5: "c"}, {"A": b"c"}])
    def test_is_refused_if_it_cannot_be_written(self, form, fields):
        with pytest.raises(ReplyError):
            seal(RawReply(fields=fields), form)


class TestRenderedReply:
    DOCUMENTS = MappingProxyType({"xml": "<xml><A>1</A></xml>", "json": '{"A":1}'})

    @each_row("form", ["xml", "json"])
    def test_goes_out_as_it_was_written(self, form):
        response = seal(RenderedReply(documents=self.DOCUMENTS), form)
        assert response == PushResponse(200, self.DOCUMENTS[form].encode(), f"application/{form}; charset=utf-8")

    @each_row(("form", "other"), [("xml", "json"), ("json", "xml")])
    def test_cannot_go_out_in_a_format_that_it_was_not_written_in(self, form, other):
        with pytest.raises(ReplyError, match=f"cannot be written as {form}"):
            seal(RenderedReply(documents={other: self.DOCUMENTS[other]}), form)

    @each_row(("form", "other"), [("xml", "json"), ("json", "xml")])
    def test_is_converted_letter_for_letter(self, form, other):
        for reply in ("a\rb\r\nc]]>d\r", VideoReply("id", title="\r]]>\r", description=" x ")):
            message = Push(message=MESSAGE, format=form)
            rendered = render_reply(SETTINGS, message, reply, now=lambda: NOW)
            assert seal(rendered, other) == seal(reply, other)

    @each_row("form", ["xml", "json"])
    def test_of_a_class_of_the_users_own_is_not_converted(self, form):
        class OneFormat(TextReply):
            def to_fields(self, asked):
                if asked != form:
                    raise ValueError
                return {"Content": self.content, "Count": 3}

        rendered = render_reply(SETTINGS, Push(message=MESSAGE, format=form), OneFormat("hi"), now=lambda: NOW)
        with pytest.raises(ReplyError, match="cannot be written"):
            seal(rendered, "json" if form == "xml" else "xml")

    @each_row("documents", [None, "<xml/>", {"xml": 5}, {"json": b"{}"}])
    def test_holds_text_by_format_and_nothing_else(self, documents):
        with pytest.raises(ReplyError, match="documents"):
            RenderedReply(documents=documents)

    def test_was_judged_before_so_a_mini_program_may_give_it(self):
        settings = PushSettings(token="spamtest", account_kind=MINI_PROGRAM)
        push = Push(message=MESSAGE, format="json")
        assert seal_reply(settings, push, RenderedReply(documents=self.DOCUMENTS)).body == b'{"A":1}'


class TestCloudFunction:
    @each_row(("reply", "msg_type", "members"), REPLIES)
    def test_returns_the_members_of_a_reply(self, reply, msg_type, members):
        assert answer_cloud_function(MESSAGE, reply, now=lambda: NOW) == {
            "ToUserName": "oUSER",
            "FromUserName": "gh_account",
            "CreateTime": 1700000000,
            "MsgType": msg_type,
            **members,
        }

    def test_returns_a_plain_list_of_articles(self):
        answer = answer_cloud_function(MESSAGE, NewsReply(articles=[ARTICLE, ARTICLE]))
        assert (answer["ArticleCount"], answer["Articles"]) == (2, [ARTICLE_MEMBERS] * 2)

    @each_row(("answer", "returned"), [(None, "success"), ("", "success"), (Acknowledgement(body=""), "")])
    def test_returns_text_for_an_acknowledgement(self, answer, returned):
        assert answer_cloud_function(MESSAGE, answer) == returned

    def test_returns_an_err_code_to_virtual_payment(self):
        event = UnknownEvent(create_time=1, event="xpay_goods_deliver_notify")
        assert answer_cloud_function(event, None) == {"ErrCode": 0, "ErrMsg": "success"}

    def test_returns_no_reply_that_a_mini_program_cannot_show(self):
        with pytest.raises(ReplyError, match="customer-service message"):
            answer_cloud_function(MESSAGE, "hi", account_kind=MINI_PROGRAM)
        answer = answer_cloud_function(MESSAGE, TransferCustomerServiceReply(), account_kind=MINI_PROGRAM)
        assert answer["MsgType"] == "transfer_customer_service"


class TestMiniProgram:
    SETTINGS = PushSettings(token="spamtest", account_kind=MINI_PROGRAM)
    PUSH = Push(message=MESSAGE, format="json")

    @each_row("reply", ["hi", *(reply for reply, *_ in REPLIES[:-2]), NewsReply(articles=[ARTICLE])])
    def test_cannot_be_answered_with_what_only_official_accounts_show(self, reply):
        with pytest.raises(ReplyError, match="customer-service message"):
            seal_reply(self.SETTINGS, self.PUSH, reply)

    @each_row(
        "reply", [None, Acknowledgement(), ErrCodeReply(), RawReply(fields={"A": "b"}), TransferCustomerServiceReply()]
    )
    def test_can_be_answered_with_the_rest(self, reply):
        assert seal_reply(self.SETTINGS, self.PUSH, reply).status == 200
