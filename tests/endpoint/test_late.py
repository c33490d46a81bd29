"""The policies for late replies, and replies as customer-service messages."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from tests.helpers.rows import each_row
from wechat_msg import (
    Acknowledgement,
    AnswerLater,
    Article,
    ErrCodeReply,
    FallbackReply,
    ImageReply,
    MusicReply,
    NewsReply,
    RawReply,
    Reply,
    ReplyError,
    SettingsError,
    TextReply,
    TransferCustomerServiceReply,
    VideoReply,
    VoiceReply,
    to_customer_service_message,
)
from wechat_msg.replies import RenderedReply

ARTICLE = Article(title="t", description="d", pic_url="https://example.com/p.jpg", url="https://example.com/")

#: Every kind of reply that there is a message for: msgtype, and its object as WeChat's page names the members.
MESSAGES: list[tuple[Reply, str, dict[str, Any]]] = [
    (TextReply(content="a\n<a href='x'>你好</a>"), "text", {"content": "a\n<a href='x'>你好</a>"}),
    (TextReply(content=""), "text", {"content": ""}),
    (ImageReply(media_id="MID"), "image", {"media_id": "MID"}),
    (VoiceReply(media_id="MID"), "voice", {"media_id": "MID"}),
    (VideoReply(media_id="MID"), "video", {"media_id": "MID"}),
    (
        VideoReply(media_id="MID", title="t", description="d", thumb_media_id="TID"),
        "video",
        {"media_id": "MID", "thumb_media_id": "TID", "title": "t", "description": "d"},
    ),
    (
        MusicReply(thumb_media_id="TID"),
        "music",
        {"title": "", "description": "", "musicurl": "", "thumb_media_id": "TID"},
    ),
    (
        MusicReply(thumb_media_id="TID", title="t", description="d", music_url="http://a", hq_music_url="http://b"),
        "music",
        {"title": "t", "description": "d", "musicurl": "http://a", "hqmusicurl": "http://b", "thumb_media_id": "TID"},
    ),
    (
        NewsReply(articles=[ARTICLE]),
        "news",
        {
            "articles": [
                {
                    "title": "t",
                    "description": "d",
                    "picurl": "https://example.com/p.jpg",
                    "url": "https://example.com/",
                }
            ]
        },
    ),
    (
        NewsReply(articles=[Article()]),
        "news",
        {"articles": [{"title": "", "description": "", "picurl": "", "url": ""}]},
    ),
]


class TestToCustomerServiceMessage:
    @each_row(("reply", "msgtype", "content"), MESSAGES)
    def test_has_the_content_of_the_reply(self, reply, msgtype, content):
        assert to_customer_service_message(reply, "oUSER") == {
            "touser": "oUSER",
            "msgtype": msgtype,
            msgtype: content,
        }

    def test_leaves_out_both_names_and_the_time_of_the_reply(self):
        reply = TextReply(content="hi", to_user_name="oOTHER", from_user_name="gh_1", create_time=5)
        assert to_customer_service_message(reply, "oUSER") == to_customer_service_message(
            TextReply(content="hi"), "oUSER"
        )

    @each_row(
        "reply",
        [
            Reply(),
            Acknowledgement(),
            Acknowledgement(body=""),
            ErrCodeReply(),
            RawReply(fields={"MsgType": "text"}),
            RenderedReply(documents={"xml": "<xml/>"}),
            TransferCustomerServiceReply(),
            TransferCustomerServiceReply(kf_account="anna@example"),
        ],
    )
    def test_refuses_a_reply_that_there_is_no_message_for(self, reply):
        with pytest.raises(ReplyError, match=f"{type(reply).__name__} cannot be sent as a customer-service message"):
            to_customer_service_message(reply, "oUSER")

    @each_row("count", [2, 8])
    def test_refuses_more_articles_than_wechat_takes(self, count):
        with pytest.raises(ReplyError, match="45008"):
            to_customer_service_message(NewsReply(articles=[ARTICLE] * count), "oUSER")

    def test_takes_replies_of_the_users_own_kind(self):
        @attrs.frozen(kw_only=True)
        class MenuReply(Reply):
            msg_type = "msgmenu"

            def to_customer_service(self) -> dict[str, Any]:
                return {"head_content": "?"}

        assert to_customer_service_message(MenuReply(), "oUSER")["msgmenu"] == {"head_content": "?"}

    def test_refuses_replies_without_a_policy(self):
        @attrs.frozen(kw_only=True)
        class AiReply(Reply):
            msg_type = "transfer_biz_ai_ivr"

        with pytest.raises(ReplyError, match="AiReply cannot be sent"):
            to_customer_service_message(AiReply(), "oUSER")


class Sender:
    """A sender that is an object."""

    async def __call__(self, message: dict[str, Any]) -> None:
        """Send nothing."""


async def send(message: dict[str, Any]) -> None:
    """Send nothing."""


class TestAnswerLater:
    @each_row("sender", [print, send, Sender(), [].append, lambda message: None])
    def test_takes_every_callable(self, sender):
        assert AnswerLater(sender).send is sender

    @each_row("sender", [None, "send", {"touser": "o"}, 5])
    def test_refuses_anything_else(self, sender):
        with pytest.raises(SettingsError, match="send"):
            AnswerLater(sender)

    def test_is_for_the_first_try_by_default(self):
        assert (AnswerLater(send).after, AnswerLater(send, after="last_try").after) == ("first_try", "last_try")

    @each_row("after", ["", "first", "FIRST_TRY", None, 1, ["first_try"]])
    def test_refuses_any_other_try(self, after):
        with pytest.raises(SettingsError, match="first_try"):
            AnswerLater(send, after=after)

    def test_is_frozen_and_compares_by_value(self):
        assert AnswerLater(send) == AnswerLater(send) != AnswerLater(send, after="last_try")
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            AnswerLater(send).after = "last_try"


class TestFallbackReply:
    def test_takes_text(self):
        assert FallbackReply("请稍候").text == "请稍候"

    @each_row("text", ["", None, 5, b"text", TextReply(content="x")])
    def test_refuses_anything_else(self, text):
        with pytest.raises(SettingsError, match="text must be text, and not empty"):
            FallbackReply(text)

    def test_is_frozen_and_compares_by_value(self):
        assert FallbackReply("a") == FallbackReply("a") != FallbackReply("b")
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            FallbackReply("a").text = "b"
