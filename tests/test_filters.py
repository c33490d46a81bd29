"""Filters: what they find in texts as users write them, and what they refuse."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.cpu_time import is_in_proportion
from tests.helpers.rows import each_row
from wechat_msg import (
    Event,
    ImageMessage,
    LinkMessage,
    Message,
    Router,
    SettingsError,
    TextMessage,
    UnknownMessage,
    VoiceMessage,
)
from wechat_msg.filters import Command, any_of, command, keywords, matches, not_, startswith

FIELDS = {"from_user_name": "o", "to_user_name": "gh", "create_time": 0}
WITHOUT_TEXT = [
    ImageMessage(media_id="help", **FIELDS),
    LinkMessage(title="help", description="help", url="help", **FIELDS),
    VoiceMessage(media_id="help", **FIELDS),
    UnknownMessage(msg_type="help", raw={"Content": "help"}, **FIELDS),
    Event(event="help", **FIELDS),
]
#: White space and invisible characters, as they stand around texts that were pasted.
AROUND = [" ", "\n", "\r\n", "\t", "\u3000", "\xa0", "\u2005", "\u200b", "\ufeff", "\u200d", "\u200e", "\u2060", "\xad"]
FAMILY = "👨‍👩‍👧"
texts = st.text(max_size=30) | st.lists(
    st.sampled_from([*AROUND, *"aＡ/／１你😀ﷺ", FAMILY, "ß", "İ"]), max_size=30
).map("".join)


def make_text(content):
    return TextMessage(content=content, **FIELDS)


class TestMatches:
    @each_row(
        ("regex", "content", "groups"),
        {
            "a text": (r"(\w+) weather", "Beijing weather", ("Beijing",)),
            "an ideographic space": (r"(\w+) weather", "北京\u3000weather", ("北京",)),
            "full-width digits by their class": (r"(\d+)元", "４２元", ("４２",)),
            "full-width digits by a range": (r"([0-9]+)元", "４２元", ("42",)),
            "full-width letters and signs": (r"([a-z]+):([0-9]+)", "ａｂ：４", ("ab", "4")),
            "Chinese signs": (r"记：(.+)", "记：明天，下雨！", ("明天，下雨！",)),
            "a zero-width space inside": (r"订单([0-9]+)", "订单\u200b42", ("42",)),
            "an emoji of several": (r"a([0-9])(.+)", f"a４{FAMILY}", ("4", FAMILY)),
            "lines": (r"(?s)a(.+)", "a\nb", ("\nb",)),
            "a compiled expression": (re.compile("(HI)", re.IGNORECASE), "hi", ("hi",)),
        },
    )
    def test_finds_the_groups_in(self, regex, content, groups):
        assert matches(regex)(make_text(content)).groups() == groups

    @each_row("content", ["Hi", "hi!", "oh hi", "hi\nhi", "", "h i"])
    def test_finds_nothing_in_a_text_that_does_not_match_as_a_whole(self, content):
        assert matches("hi")(make_text(content)) is None

    def test_keeps_the_own_text_of_the_user_if_it_matches(self):
        assert matches("(.*)")(make_text(f" Ａ：\u200b{FAMILY}　１ "))[1] == f"Ａ：\u200b{FAMILY}　１"

    def test_accepts_an_empty_text_if_the_expression_does(self):
        assert matches("")(make_text(" \u200b"))

    @each_row("regex", ["(", "a{99999999999999999999}", "(" * 20_000 + ")" * 20_000, rb"x", re.compile(b"x"), None, 5])
    def test_refuses_what_is_no_regular_expression_for_text(self, regex):
        with pytest.raises(SettingsError, match=r"matches .*（.*正则表达式"):
            matches(regex)


class TestCommand:
    @each_row(
        ("content", "name", "text"),
        {
            "a command with a text": ("/ask what is it", "/ask", "what is it"),
            "nothing else": ("/ask", "/ask", ""),
            "another case": ("/ASK x", "/ask", "x"),
            "full-width forms": ("／ＡＳＫ\u3000x", "/ask", "x"),
            "a full-width slash": ("／问 天气", "/问", "天气"),
            "a line end": ("/ask\nfirst\nsecond ", "/ask", "first\nsecond"),
            "invisible characters": ("\ufeff/a\u200bsk\u200d  \u200bx\u200b", "/ask", "x"),
            "the text as it was written": (
                f"/ask １＋１＝？ Ａ\u200b {FAMILY}",
                "/ask",
                f"１＋１＝？ Ａ\u200b {FAMILY}",
            ),
        },
    )
    def test_finds_name_and_text_of(self, content, name, text):
        assert command("/ask", "/问")(make_text(content)) == Command(name, text)

    @each_row("content", ["", " ", "ask", "/asks", "/ask,x", "please /ask", "/问天气", "/"])
    def test_finds_nothing_in_a_text_with_another_first_word(self, content):
        assert command("/ask", "/问")(make_text(content)) is None

    def test_gives_the_first_of_names_that_are_compared_as_equal(self):
        assert command("/Ask", "/ask")(make_text("/ASK")).name == "/Ask"

    def test_shows_no_text_of_the_user_in_a_repr(self):
        assert repr(command("/ask")(make_text("/ask secret"))) == "Command(name='/ask')"

    @each_row("names", [(), ("",), ("/ask", ""), (" ",), ("\u200b",), ("/ask me",), ("/ask ",), ("a\u3000b",), (None,)])
    def test_refuses_what_is_no_word(self, names):
        with pytest.raises(SettingsError, match="command needs"):
            command(*names)


class TestKeywords:
    @each_row(
        ("content", "word"),
        {
            "a word": ("please help me", "help"),
            "a Chinese word": ("请帮助我", "帮助"),
            "another case": ("HELP", "help"),
            "full-width forms": ("ＨＥＬＰ！", "help"),
            "the first given, not the first written": ("帮助 help", "help"),
            "a part of a word": ("helpful", "help"),
            "a zero-width space inside": ("帮\u200b助", "帮助"),
            "an ideographic space": ("人工\u3000客服", "人工 客服"),
            "an emoji without its variation": ("I ❤ it", "❤️"),
            "a sharp s": ("STRASSE", "straße"),
            "an accent of its own": ("cafe\u0301", "café"),
        },
    )
    def test_finds_the_word_as_it_was_given(self, content, word):
        assert keywords("help", "帮助", "人工 客服", "❤️", "straße", "café")(make_text(content)) == word

    def test_finds_nothing_in_a_text_without_them(self):
        assert keywords("help", "帮助")(make_text("hel p 帮 助")) is None

    @each_row("words", [(), ("",), ("help", " \u200b"), (None,), (["help"],)])
    def test_refuses_what_is_empty_or_no_text(self, words):
        with pytest.raises(SettingsError, match="keywords needs texts that are not empty, as separate arguments"):
            keywords(*words)


class TestStartswith:
    @each_row("content", ["add x", "ADD x", "ａｄｄ\u3000x", "\u200b add x", "记一笔"])
    def test_is_true_for_a_text_with_one_of_the_prefixes(self, content):
        assert startswith("add ", " 记")(make_text(content)) is True

    @each_row("content", ["address", "add", "", "please add x"])
    def test_is_false_for_other_texts(self, content):
        assert startswith("add ", "记")(make_text(content)) is False

    def test_refuses_what_is_empty(self):
        for prefixes in ((), ("",), (" ",), ("a", 1)):
            with pytest.raises(SettingsError, match="startswith needs"):
                startswith(*prefixes)


class TestCombinations:
    def test_give_the_first_true_value(self):
        find = any_of(startswith("x"), command("/help"), keywords("help"))
        assert find(make_text("/help me")) == Command("/help", "me")
        assert find(make_text("I need help")) == "help"
        assert find(make_text("x")) is True
        assert find(make_text("y")) is None

    def test_stop_at_the_first_true_value(self):
        assert any_of(lambda message: 1, lambda message: 1 / 0)(make_text("x")) == 1

    def test_turn_an_answer_round(self):
        find = not_(keywords("help"))
        assert find(make_text("help")) is False
        assert find(make_text("hi")) is True
        assert find(WITHOUT_TEXT[0]) is True

    def test_refuse_what_is_no_filter(self):
        async def find(message):
            return True

        for filters in ((), (find,), (startswith("x"), find), (TextMessage,), ("help",), (None,)):
            with pytest.raises(SettingsError, match="any_of needs functions of the message"):
                any_of(*filters)
        for each in (find, TextMessage, "help"):
            with pytest.raises(SettingsError, match="not_ needs functions of the message"):
                not_(each)


EVERY = {
    "matches": matches("help"),
    "command": command("help"),
    "keywords": keywords("help"),
    "startswith": startswith("help"),
    "any_of": any_of(keywords("help"), startswith("help")),
}


class TestEveryFilter:
    @each_row("find", EVERY)
    def test_is_for_a_text_whatever_stands_around_it(self, find):
        for around in AROUND:
            assert find(make_text(f"{around}help{around}{around}"))

    @each_row("word", [*"￣´¨¸", "￣▽￣", "hi￣", "¨hi"])
    def test_takes_signs_that_unicode_compares_as_a_blank_and_a_mark(self, word):
        for find in (command(word), keywords(word), startswith(word), startswith(f"\u200b {word}")):
            for around in AROUND:
                assert find(make_text(f"{around}{word} hi{around}"))

    @each_row("find", EVERY)
    def test_is_for_recognised_speech(self, find):
        assert find(VoiceMessage(media_id="x", recognition="help", **FIELDS))

    @each_row("find", EVERY)
    def test_is_not_for_a_message_without_text(self, find):
        assert [message for message in WITHOUT_TEXT if find(message)] == []

    @given(texts)
    def test_accepts_any_text(self, text):
        for find in EVERY.values():
            find(make_text(text))

    @given(texts)
    def test_finds_a_text_in_itself(self, text):
        message = make_text(f"a{text}b")
        assert matches(r"(?s)a(.*)b")(message)[1] == text
        assert keywords(message.content)(message) == message.content
        assert startswith(message.content)(message)

    @each_row("unit", [" ", "\u200b", "a", "\u3000x", "ﷺ", "\u200d", "e\u0301", " \u200bx"])
    def test_takes_time_in_proportion_to_the_text(self, unit):
        def find_all(message):
            for find in EVERY.values():
                find(message)

        short, long = ((make_text(f"x{unit * size}x"),) for size in (10_000, 80_000))
        assert is_in_proportion(find_all, short, long, 0.05)

    def test_chooses_a_handler_of_a_router(self):
        router = Router()

        @router.on(TextMessage, VoiceMessage, any_of(command("/help"), keywords("帮助")))
        def help_user(message):
            return "helped"

        @router.on(Message, not_(keywords("x")))
        def other(message):
            return "other"

        assert router(make_text("／help")) == "helped"
        assert router(VoiceMessage(media_id="x", recognition="帮助。", **FIELDS)) == "helped"
        assert router(make_text("help")) == "other"
        assert router(make_text("x")) is None
