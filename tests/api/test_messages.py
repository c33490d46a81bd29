"""Calls for messages, media and agents: file names, checks of arguments, retries, pages."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.helpers.rows import check_rows, each_row
from wechat_msg import (
    MINI_PROGRAM,
    AnswerLater,
    MusicReply,
    PushEndpoint,
    PushSettings,
    ReplyError,
    Router,
    TextMessage,
    TextReply,
    TransferCustomerServiceReply,
)
from wechat_msg.api import comment, customer_service, draft, freepublish, kf, mass, material, media, template
from wechat_msg.api._response import APIResponse, read_response
from wechat_msg.api.customer_service import Link, MenuItem, MiniProgramPage, MpNews, MpNewsArticle, MsgMenu, WxCard
from wechat_msg.errors import CallError, DuplicateRequest, UnreadableAnswer
from wechat_msg.testing import build_push

KINDS = [
    MpNews(media_id="MID"),
    MpNewsArticle(article_id="AID"),
    MsgMenu(items=[MenuItem(id="1", content="secret")], head_content="secret", tail_content="secret"),
    WxCard(card_id="CID", card_ext="secret"),
    MiniProgramPage(title="secret", pagepath="pages/a", thumb_media_id="TID"),
    Link(title="secret", description="secret", url="https://example.com/", thumb_url="https://example.com/t.jpg"),
]


class NamedFile(io.BytesIO):
    def __init__(self, name):
        super().__init__(b"content")
        self.name = name


class TestFileName:
    def test_is_that_of_the_file_if_wechat_accepts_it(self):
        def check(make, path, filename, content_type):
            upload = media.upload("image", make(path)).upload
            assert (upload.filename, upload.content_type) == (filename, content_type)

        check_rows(
            [
                (make, *row)
                for make in [str, Path, NamedFile]
                for row in [
                    ("photos/a-1_b.c.PNG", "a-1_b.c.PNG", "image/png"),
                    ("relative.gif", "relative.gif", "image/gif"),
                    ("photos/照片.png", "media.png", "image/png"),
                    ("photos/a b.png", "media.png", "image/png"),
                    ('photos/a".png', "media.png", "image/png"),
                    ("photos/a\r\nb.png", "media.png", "image/png"),
                    ("C:\\照片\\a.png", "media.png", "image/png"),
                    ("photos/" + "a" * 200 + ".png", "media.png", "image/png"),
                    ("photos/a.图片", "media.jpg", "image/jpeg"),
                    ("photos/upload", "media.jpg", "image/jpeg"),
                    ("photos/.png", "media.jpg", "image/jpeg"),
                    ("", "media.jpg", "image/jpeg"),
                ]
            ],
            check,
        )

    def test_fits_the_type_if_the_file_has_none(self):
        def check(file, type, filename):
            assert media.upload(type, file).upload.filename == filename

        check_rows(
            [
                (file, *row)
                for file in [b"content", io.BytesIO(b"content"), NamedFile(3), NamedFile(b"a.png")]
                for row in [
                    ("image", "media.jpg"),
                    ("voice", "media.mp3"),
                    ("video", "media.mp4"),
                    ("thumb", "media.jpg"),
                    ("new", "media.bin"),
                ]
            ],
            check,
        )

    def test_fits_the_bytes_if_they_begin_as_a_known_type(self):
        def check(content, type, filename):
            assert media.upload(type, content).upload.filename == filename

        check_rows(
            [
                (b"\x89PNG\r\n\x1a\n", "image", "media.png"),
                (b"GIF89a", "image", "media.gif"),
                (b"#!AMR\n", "voice", "media.amr"),
                (b"\xff\xd8\xff", "image", "media.jpg"),
                (b"", "voice", "media.mp3"),
            ],
            check,
        )

    def test_may_be_given(self):
        upload = media.upload("image", "photos/a.png", filename="b.gif").upload
        assert (upload.filename, upload.content_type) == ("b.gif", "image/gif")

    def test_of_an_unknown_extension_means_any_bytes(self):
        assert media.upload("image", b"", filename="a.unheard-of").upload.content_type == "application/octet-stream"

    def test_that_is_given_must_be_plain(self):
        with pytest.raises(CallError, match="filename"):
            media.upload("image", b"", filename="照片.png")


class TestUploads:
    def test_pass_on_the_progress_callback(self):
        def progress(sent, total):
            pass

        calls = [
            media.upload("image", b"", progress=progress),
            material.add_material("image", b"", progress=progress),
            material.add_video(b"", "t", "i", progress=progress),
            material.upload_image(b"", progress=progress),
            kf.upload_head_img("anna@gh", b"", progress=progress),
        ]
        assert [call.upload.progress for call in calls] == [progress] * 5

    def test_of_articles_are_a_list_of_mappings(self):
        with pytest.raises(CallError, match="an article must be a mapping"):
            material.upload_news({"title": "t"})


class TestDownloads:
    def test_pass_on_the_file_object_and_the_callback(self):
        def check(download):
            def progress(received, total):
                pass

            into = io.BytesIO()
            call = download("MID", into=into, progress=progress)
            assert call.into is into
            assert call.progress is progress

        check_rows([media.download, media.download_hd_voice, material.get_material], check)

    def test_reject_an_answer_that_is_neither_file_nor_error(self):
        def check(download):
            with pytest.raises(UnreadableAnswer):
                read_response(download("MID"), APIResponse(200, "application/json", b'{"errcode":0,"errmsg":"ok"}'))

        check_rows([media.download, media.download_hd_voice, material.get_material], check)


class TestCustomerService:
    def test_refuses_other_objects(self):
        def check(message):
            with pytest.raises(ReplyError, match="customer-service message"):
                customer_service.send("oUSER", message)

        check_rows([TransferCustomerServiceReply(), None, 5, {"content": "hi"}], check)

    def test_refuses_a_body_that_is_not_a_mapping(self):
        with pytest.raises(CallError, match="body must be a mapping"):
            customer_service.send_body("hi")
        with pytest.raises(CallError, match="body must be a mapping"):
            customer_service.send_business_body("hi")

    def test_refuses_a_menu_of_other_items(self):
        def check(items):
            with pytest.raises(CallError, match="items must be"):
                MsgMenu(items=items)

        check_rows(["ab", None, ["a"], [{"id": "1", "content": "a"}]], check)

    def test_accepts_the_content_of_a_message_without_a_keyword(self):
        def check(message, by_keyword):
            assert message == by_keyword
            with pytest.raises(TypeError, match="positional"):
                type(message)("a", "b")

        check_rows(
            [
                (MpNews("MID"), MpNews(media_id="MID")),
                (MpNewsArticle("AID"), MpNewsArticle(article_id="AID")),
                (MsgMenu([MenuItem(id="1", content="a")]), MsgMenu(items=[MenuItem(id="1", content="a")])),
                (WxCard("CID"), WxCard(card_id="CID")),
                (mass.Images(["MID"]), mass.Images(media_ids=["MID"])),
            ],
            check,
        )

    def test_shows_no_words_in_reprs(self):
        def check(message):
            assert "secret" not in repr(message)
            assert "secret" not in repr(customer_service.send("oUSER", message))

        check_rows(KINDS, check)

    def test_has_messages_that_are_not_passive_replies(self):
        def check(message):
            with pytest.raises(ReplyError, match="cannot be sent as a reply"):
                message.to_fields("xml")

        check_rows(KINDS, check)

    def test_sends_what_the_handler_of_a_mini_program_returned(self):
        """The user of a Mini Program is answered only by customer-service messages."""

        def check(message):
            sent = []
            router = Router()
            router.on(TextMessage)(lambda _: message)
            settings = PushSettings(token="spamtest", account_kind=MINI_PROGRAM)
            endpoint = PushEndpoint(settings, router, late=AnswerLater(sent.append))
            response = endpoint.handle(build_push(settings, {"FromUserName": "oUSER", "Content": "hi"}))
            assert response.body == b"success"
            assert [customer_service.send_body(body) for body in sent] == [customer_service.send("oUSER", message)]

        check_rows(KINDS, check)


EXISTS = APIResponse(200, "application/json", b'{"errcode":45065,"errmsg":"clientmsgid exist","msg_id":34182}')


def make_mass_calls(clientmsgid):
    return [
        mass.send_to_all("hi", clientmsgid=clientmsgid),
        mass.send_to_tag(2, "hi", clientmsgid=clientmsgid),
        mass.send(["oUSER1", "oUSER2"], "hi", clientmsgid=clientmsgid),
    ]


class TestTyping:
    """45081: the typing state is on already."""

    ON_ALREADY = APIResponse(200, "application/json", b'{"errcode":45081,"errmsg":"already in typing status"}')

    def test_that_is_on_already_is_a_success(self):
        def check(ask):
            assert read_response(ask("oUSER"), self.ON_ALREADY) is None

        check_rows([customer_service.set_typing, customer_service.set_mini_program_typing], check)

    def test_that_is_still_on_is_a_failure_for_cancel_typing(self):
        def check(ask):
            with pytest.raises(DuplicateRequest):
                read_response(ask("oUSER", "CancelTyping"), self.ON_ALREADY)

        check_rows([customer_service.set_typing, customer_service.set_mini_program_typing], check)


class TestMass:
    def test_refuses_what_cannot_be_a_mass_message(self):
        def check(message):
            for send in (mass.send_to_all, mass.preview):
                with pytest.raises(CallError, match="cannot be a mass message"):
                    send(message)

        check_rows([MusicReply(thumb_media_id="TID"), MpNewsArticle(article_id="AID"), None, 5], check)

    def test_refuses_a_text_where_a_list_is_needed(self):
        with pytest.raises(CallError, match="openids must be a list"):
            mass.send("oUSER", "hi")
        with pytest.raises(CallError, match="media_ids must be a list"):
            mass.Images(media_ids="MID")

    def test_shows_no_words_in_reprs(self):
        assert "secret" not in repr(mass.Images(media_ids=["MID"], recommend="secret"))
        assert "secret" not in repr(mass.send_to_all("secret"))

    def test_without_a_tag_is_not_sent_to_all(self):
        assert mass.send_to_tag(None, "hi").json["filter"]["is_to_all"] is False

    def test_is_repeatable_only_with_a_clientmsgid(self):
        def check(clientmsgid):
            assert {call.is_repeatable for call in make_mass_calls(clientmsgid)} == {bool(clientmsgid)}

        check_rows([None, "", "id1"], check)

    def test_that_was_sent_before_is_a_failure_without_a_clientmsgid(self):
        """Group B gets nothing, as WeChat compares the content; the msg_id is that of the message to group A."""

        def check(clientmsgid):
            for call in make_mass_calls(clientmsgid):
                with pytest.raises(DuplicateRequest):
                    read_response(call, EXISTS)

        check_rows([None, ""], check)

    def test_that_was_sent_before_is_a_success_with_a_clientmsgid(self):
        for call in make_mass_calls("id1"):
            assert read_response(call, EXISTS) == mass.MassSent(msg_id=34182)

    def test_accepts_subclasses_of_replies(self):
        class Greeting(TextReply):
            pass

        assert mass.send_to_all(Greeting(content="hi")) == mass.send_to_all("hi")


class TestRepeating:
    def test_is_not_allowed_where_it_sends_creates_or_deletes(self):
        def check(call):
            assert not call.is_repeatable

        check_rows(
            [
                customer_service.send("oUSER", "hi"),
                customer_service.send_body({}),
                customer_service.send_business_body({}),
                kf.add_account("anna@gh", "anna"),
                kf.delete_account("anna@gh"),
                kf.invite_worker("anna@gh", "anna_wx"),
                kf.create_session("anna@gh", "oUSER"),
                kf.close_session("anna@gh", "oUSER"),
                material.add_material("image", b""),
                material.add_video(b"", "t", "i"),
                material.upload_news([]),
                material.upload_video("MID", "t", "d"),
                material.delete_material("MID"),
                mass.preview("hi"),
                mass.delete(1),
                draft.add([]),
                draft.delete("MID"),
                freepublish.submit("MID"),
                freepublish.delete("AID"),
                comment.delete(1, 7),
                comment.add_reply(1, 7, "hi"),
                comment.delete_reply(1, 7),
            ],
            check,
        )

    def test_is_allowed_where_it_does_no_harm(self):
        def check(call):
            assert call.is_repeatable

        check_rows(
            [
                customer_service.set_typing("oUSER"),
                customer_service.set_mini_program_typing("oUSER"),
                kf.update_account("anna@gh", "anna"),
                kf.upload_head_img("anna@gh", b""),
                kf.set_admin("oANNA"),
                kf.cancel_admin("oANNA"),
                kf.list_accounts(),
                kf.list_online_accounts(),
                kf.get_session("oUSER"),
                kf.list_sessions("anna@gh"),
                kf.get_wait_cases(),
                kf.get_msg_list(0, 1),
                media.upload("image", b""),
                media.download("MID"),
                media.get_video_url("MID"),
                media.download_hd_voice("MID"),
                material.upload_image(b""),
                material.get_material("MID"),
                material.get_news_material("MID"),
                material.get_video_material("MID"),
                material.get_material_count(),
                material.batch_get_material("image"),
                mass.get_status(1),
                mass.get_speed(),
                mass.set_speed(1),
                draft.update("MID", {}),
                draft.get("MID"),
                draft.get_count(),
                draft.batch_get(),
                freepublish.get(1),
                freepublish.get_article("AID"),
                freepublish.batch_get(),
                comment.open_comments(1),
                comment.close_comments(1),
                comment.list_comments(1),
                comment.mark_elect(1, 7),
                comment.unmark_elect(1, 7),
            ],
            check,
        )


class TestPages:
    @staticmethod
    def walk(pages, answer):
        """Request all pages; *answer* returns the answer to a body."""
        bodies = []
        call = pages.first
        while call is not None:
            bodies.append(call.json)
            call = pages.next_of(call.parse(answer(call.json)))
        return bodies

    def test_of_materials_end_with_the_last(self):
        def answer(body):
            count = min(20, 45 - body["offset"])
            return {"total_count": 45, "item_count": count, "item": [{"media_id": "MID"}] * count}

        bodies = self.walk(material.iterate_materials("image"), answer)
        assert bodies == [{"type": "image", "offset": offset, "count": 20} for offset in (0, 20, 40)]

    def test_of_materials_end_with_an_empty_one(self):
        bodies = self.walk(material.iterate_materials("image"), lambda _: {"total_count": 45, "item": []})
        assert len(bodies) == 1

    def test_of_materials_have_items(self):
        pages = material.iterate_materials("image")
        page = pages.first.parse({"total_count": 1, "item": [{"media_id": "MID"}]})
        assert [item.media_id for item in pages.items_of(page)] == ["MID"]

    def test_of_records_end_with_one_that_is_not_full(self):
        def check(total, begins):
            def answer(body):
                count = max(0, min(3, total + 1 - body["msgid"]))
                return {"recordlist": [{"openid": "oUSER"}] * count, "number": count, "msgid": body["msgid"] + count}

            bodies = self.walk(kf.iterate_msg_records(10, 20, number=3), answer)
            assert bodies == [{"starttime": 10, "endtime": 20, "msgid": begin, "number": 3} for begin in begins]

        check_rows([(0, [1]), (3, [1, 4]), (5, [1, 4]), (6, [1, 4, 7])], check)

    def test_of_records_have_items(self):
        pages = kf.iterate_msg_records(10, 20)
        page = pages.first.parse({"recordlist": [{"openid": "oUSER", "text": "secret"}]})
        assert [record.text for record in pages.items_of(page)] == ["secret"]
        assert "secret" not in repr(page)


class Unprintable:
    """An object of which nothing can be shown."""

    def __str__(self):
        raise KeyError("user's text")

    __repr__ = __str__


class TestArgumentsThatAreNoText:
    @each_row("filename", [5, 10**5_000, Unprintable()])
    def test_are_refused_as_the_name_of_a_file(self, filename):
        with pytest.raises(CallError):
            media.upload("image", b"x", filename=filename)

    @each_row("name", [5, 10**5_000, Unprintable()])
    def test_are_refused_as_the_name_of_data(self, name):
        with pytest.raises(CallError, match="the names in data must be texts"):
            template.send("oUSER", "TEMPLATE", {name: "x"})
