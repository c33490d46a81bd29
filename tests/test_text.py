"""Texts that are too long for one message."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.cpu_time import is_in_proportion
from tests.helpers.rows import check_rows, each_row
from wechat_msg import PushEndpoint, PushSettings, ReplyError, SettingsError
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.testing import PushSimulator
from wechat_msg.text import count_bytes, split_text
from wechat_msg.wire import parse_body, render_body

PLAIN = PushSettings(token="token")
MORE = "\n（回复任意文字查看后文）"
LINK = '<a href="https://example.com/a?b=1&c=2">打开网页</a>'
APP_LINK = (
    '<a href="https://example.com" data-miniprogram-appid="wx0123456789abcdef"'
    ' data-miniprogram-path="pages/index?a=1">小程序</a>'
)
MENU_LINK = '<a href="weixin://bizmsgmenu?msgmenucontent=满意&msgmenuid=101">满意</a>'
ADDRESS = "https://example.com/a,b;c?d=1.2&e=(f)!g#h"
POEM = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。"

#: What users see as one character, although it is several code points.
CHARACTERS = {
    "a family": "👨‍👩‍👧‍👦",
    "a profession with a skin tone": "👩🏽‍🚀",
    "a skin tone": "👍🏿",
    "a heart on fire": "❤️‍🔥",
    "a flag of two letters": "🇨🇳",
    "a rainbow flag": "🏳️‍🌈",
    "a flag with tags": "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "a keycap": "1️⃣",
    "a presentation of an emoji": "☎️",
    "a letter with two accents": "e\u0323\u0302",
    "a base with a hundred marks": "o" + "\u0300\u0316" * 50,
    "a syllable in Jamo": "\u1112\u1161\u11ab",
    "a syllable with a trailing Jamo": "하\u11ab",
    "an old syllable": "\u1107\u1109\u1100\u119e\u11af",
    "a conjunct": "क्ष्म्य",
    "a conjunct with a joiner": "र्\u200dय",
    "a syllable with signs": "நி",
    "a Thai vowel": "กำ",
    "a Thai tone": "ก็",
    "a Kana with a mark": "ｶﾞ",
    "an ideograph with a variation": "葛\U000e0100",
    "a stop with a variation": "。\ufe01",
    "a number sign of Arabic": "\u0600١",
}
WHOLE = [*CHARACTERS.values(), LINK, APP_LINK, MENU_LINK, ADDRESS + "，"]
PIECES = [
    *WHOLE,
    *"ab1中文。，！？…；：、.,!?;\"'”’）(（“<>",
    "word",
    "3.14",
    " ",
    "\n",
    "\n\n",
    "\r\n",
    "　",
    "<a ",
    "<a>",
    "</a>",
]

limits = st.integers(4, 80) | st.integers(200, 600)
texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200)


def find_cuts(text: str, parts: list[str]) -> list[tuple[int, int]]:
    """Return start and end of each cut in the text; it asserts that cuts are of nothing but white space."""
    cuts, end = [], 0
    for part in parts:
        start = text.index(part, end)
        assert text[end:start].strip() == ""
        cuts.append((end, start))
        end = start + len(part)
    assert text[end:].strip() == ""
    return cuts[1:]


class TestPlaces:
    def test_short_text_is_the_only_part(self):
        for text in ("x", " x \n", "é" * 1023, "x" * 2047, "。" * 682, "<a"):
            assert split_text(text) == [text]
            assert split_text(text, more=MORE) == [text]

    def test_text_without_characters_has_no_part(self):
        assert split_text("") == []
        assert split_text("\0\x1f\ud800") == []

    def test_white_space_that_is_too_long_has_no_part(self):
        assert split_text(" \n" * 2000) == []

    @each_row(
        ("text", "limit", "parts"),
        {
            "a paragraph before a line": ("one, two.\n\nthree\nfour", 19, ["one, two.", "three\nfour"]),
            "a paragraph with spaces in the blank line": ("one, two.\r\n \r\nab\r\ncd", 17, ["one, two.", "ab\r\ncd"]),
            "a line before a sentence": ("one, two\nthree. four", 17, ["one, two", "three. four"]),
            "a line keeps its indentation": ("def f():\n\n    return 1", 18, ["def f():", "    return 1"]),
            "a sentence before a clause": ("One, two, three! Four, five", 24, ["One, two, three!", "Four, five"]),
            "a Chinese sentence": (POEM, 72, [POEM]),
            "two Chinese sentences": (POEM, 71, [POEM[:12], POEM[12:]]),
            "a closing quotation mark": ("他说：“天气很好。”然后走了。", 36, ["他说：“天气很好。”", "然后走了。"]),
            "an opening quotation mark": ("天气很好，他说“然后就走了”。", 24, ["天气很好，", "他说“然后就走", "了”。"]),
            "an ellipsis": ("我想一想……再说吧", 20, ["我想一想……", "再说吧"]),
            "several stops": ("真的吗？！是的", 17, ["真的吗？！", "是的"]),
            "a number is no sentence": ("it is 3.14 today", 12, ["it is 3.14", "today"]),
            "a number of a list is no sentence": ("abcdefg h 1. ij kl", 15, ["abcdefg h 1. ij", "kl"]),
            "an ASCII stop in Chinese": ("我们你好!走吧了", 17, ["我们你好!", "走吧了"]),
            "no stop before another": ("他们真的走了吗？！", 24, ["他们真的走了", "吗？！"]),
            "no stop before two closing marks": ("他们真的走了。”）好", 24, ["他们真的走", "了。”）好"]),
            "no comma before a closing mark": ("他们走了，”好", 15, ["他们走", "了，”好"]),
            "not after an opening mark": ("中文字“好的", 12, ["中文字", "“好的"]),
            "a line that just fits": ("one two\nthree", 7, ["one two", "three"]),
            "a word": ("alpha beta gamma", 13, ["alpha beta", "gamma"]),
            "a word among ideographs": ("中文字字word中文", 14, ["中文字字", "word中文"]),
            "a long word": ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
            "only stops": ("。" * 5, 6, ["。。", "。。", "。"]),
            "space at the end": ("ab" + " " * 9, 4, ["ab"]),
            "space at the start": (" " * 9 + "ab", 4, ["ab"]),
            "a space with a mark": ("abc  \u0301d", 5, ["abc", " \u0301d"]),
            "an early sentence is not worth a short part": ("A. bcdefgh ij", 12, ["A. bcdefgh", "ij"]),
        },
    )
    def test_is_the_best_one(self, text, limit, parts):
        assert split_text(text, limit) == parts

    def test_more_follows_all_parts_but_the_last(self):
        assert split_text("one two three", 8, "…") == ["one…", "two…", "three"]
        parts = split_text(POEM * 100, more=MORE)
        assert len(parts) > 3
        assert [part.endswith(MORE) for part in parts] == [True] * (len(parts) - 1) + [False]
        assert "".join(parts).replace(MORE, "") == POEM * 100

    def test_the_last_part_needs_no_room_for_more(self):
        assert split_text("abcdefghijk", 7, "…") == ["abcd…", "efghijk"]

    def test_what_cannot_be_sent_is_dropped_and_not_counted(self):
        assert count_bytes("a\0\ud83d你\uffff") == 4
        assert split_text("a\0" * 2047) == ["a" * 2047]
        assert split_text("abcdefgh", 7, "\0…") == ["abcd…", "efgh"]
        assert split_text("👨\0\u200d👩" * 5, 11) == ["👨\u200d👩"] * 5


class TestCharacters:
    @each_row("character", CHARACTERS)
    def test_are_never_cut(self, character):
        size = len(character.encode())
        for before in ("", "x", "中", "a，"):
            unit = before + character
            for limit in range(max(size, 4), 2 * size + 8):
                cuts = {place % len(unit) for cut in find_cuts(unit * 6, split_text(unit * 6, limit)) for place in cut}
                assert cuts <= {*range(len(before) + 1)}

    def test_that_are_too_long_are_cut_between_code_points(self):
        text = "o" + "\u0300" * 3000
        parts = split_text(text)
        assert "".join(parts) == text
        assert [len(part.encode()) for part in parts] == [2047, 2046, 1908]

    def test_of_a_run_of_flags_stay_in_pairs(self):
        assert split_text("🇨🇳🇯🇵🇰🇷", 20) == ["🇨🇳🇯🇵", "🇰🇷"]
        assert split_text("🇨🇳🇯🇵🇰🇷", 12) == ["🇨🇳", "🇯🇵", "🇰🇷"]


class TestLinks:
    @each_row(
        "whole", [LINK, APP_LINK, MENU_LINK, LINK.replace("a ", "A ", 1), ADDRESS, ADDRESS.replace("https", "HTTP")]
    )
    def test_are_never_cut(self, whole):
        size = len(whole.encode())
        for limit in range(size, size + 60, 7):
            text = f"见{whole}，" * 5 + whole
            assert sum(part.count(whole) for part in split_text(text, limit)) == 6

    def test_end_before_the_full_stop(self):
        assert split_text("See https://example.com/a. Then go on", 30) == ["See https://example.com/a.", "Then go on"]
        assert split_text("See https://e.com/a. Then go on", 25) == ["See https://e.com/a.", "Then go on"]
        assert split_text("见见见见见https://e.com/长长长长长", 40) == ["见见见见见https://e.com/长长长", "长长"]
        assert split_text("(https://example.com/a)见上文链接", 24) == ["(https://example.com/a)", "见上文链接"]

    def test_that_are_too_long_become_several(self):
        text = f'<a href="https://e.com">{POEM * 2}</a>'
        parts = split_text(text, 104)
        assert parts == [f'<a href="https://e.com">{POEM}</a>'] * 2

    def test_whose_tags_are_too_long_leave_their_text(self):
        text = f'See <a href="https://e.com/{"x" * 2000}">{"this page " * 9}</a>.'
        assert split_text(text) == ["See " + "this page " * 9 + "."]

    def test_with_an_address_that_is_too_long_are_cut(self):
        address = "https://example.com/" + "x" * 3000
        parts = split_text(f"见 {address}")
        assert "".join(parts) == f"见 {address}" or "".join(parts) == f"见{address}"
        assert len(parts) == 2

    def test_without_an_end_are_text(self):
        for text in ("<a href=x" * 50, '<a href="x">y' * 50, "</a>" * 50, "<a " + "<b" * 99):
            parts = split_text(text, 40)
            find_cuts(text, parts)
            assert max(map(count_bytes, parts)) <= 40
            assert len(parts) < len(text) / 15


class TestAnyText:
    @given(texts, limits)
    def test_has_parts_within_the_limit(self, text, limit):
        for more in ("", MORE):
            size = limit + len(more.encode())
            parts = split_text(text, size, more)
            for part in parts:
                body = part.removesuffix(more) if part is not parts[-1] else part
                assert body.strip() or parts == [text]
                assert len(part.encode()) <= size

    @given(texts, limits)
    def test_has_parts_that_are_sent_as_they_are(self, text, limit):
        for part in split_text(text, limit):
            document = render_body({"Content": part}, "json").encode()
            assert parse_body(document) == {"Content": part}
            assert split_text(part, limit) == [part]

    @given(st.lists(st.sampled_from(PIECES[:-1]), max_size=60).map("".join), st.integers(205, 900))
    def test_loses_nothing_but_white_space_at_cuts(self, text, limit):
        """The limit is longer than each link. No other piece ends one, so the pieces make up no longer ones."""
        find_cuts(text, split_text(text, limit))

    @given(st.lists(st.sampled_from([*WHOLE, *"中。，a \n"]), max_size=60), st.integers(205, 400))
    def test_has_cuts_between_whole_characters_and_links_only(self, pieces, limit):
        text = "".join(pieces)
        places, end = set(), 0
        for piece in pieces:
            places |= {end, end + len(piece)} | ({end + len(piece) - 1} if piece.endswith("，") else set())
            end += len(piece)
        for cut in find_cuts(text, split_text(text, limit)):
            assert {*cut} <= places


class LinkReader(HTMLParser):
    """Reader of a part that finds out whether its links are complete."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str | None] = []
        self.is_open = False

    def handle_starttag(self, tag, attributes):
        assert tag == "a"
        assert not self.is_open
        self.is_open = True
        self.links.append(dict(attributes)["href"])

    def handle_endtag(self, tag):
        assert self.is_open
        self.is_open = False


LONG_TEXTS = {
    "Chinese": POEM * 420,
    "Chinese without stops": "长" * 10_000,
    "one word": "x" * 30_000,
    "emoji": "".join(CHARACTERS[name] for name in list(CHARACTERS)[:9]) * 200,
    "links": LINK * 500,
    "links on lines": f"{LINK}\n{MENU_LINK}\n{APP_LINK}\n" * 100,
    "one link": f'<a href="https://example.com">{POEM * 420}</a>',
}


class TestLongTexts:
    @each_row("text", LONG_TEXTS)
    def test_are_accepted_by_wechat(self, text):
        parts = split_text(text, more=MORE)
        answers = iter(parts)
        app = push_app(PushEndpoint(PLAIN, lambda message: next(answers)))
        with PushSimulator("/", PLAIN, wsgi=app, pause=0) as wechat:
            assert [wechat.push_text("more").text for _ in parts] == parts

    @each_row("text", LONG_TEXTS)
    def test_have_parts_that_are_nearly_full(self, text):
        sizes = [count_bytes(part) for part in split_text(text)]
        assert min(sizes[:-1]) > 1900
        assert max(sizes) <= 2047

    @each_row("text", {name: text for name, text in LONG_TEXTS.items() if "link" in name})
    def test_have_complete_links_in_each_part(self, text):
        for part in split_text(text):
            reader = LinkReader()
            reader.feed(part)
            reader.close()
            assert reader.links
            assert not reader.is_open

    def test_take_time_in_proportion_to_their_length(self):
        """Eight times the text takes eight times as long; a search that starts again and again takes 64 times."""
        units = [
            *(
                "x",
                "长",
                "。",
                "“",
                ")",
                " ",
                "\n",
                ".",
                "!",
                "x, ",
                "，\u0301",
                " \u0301",
                "\u0301",
                "\u200d",
                "🇨🇳",
                "\u1100",
            ),
            *("<a ", "<a>", "<a >", '<a href="x">', "<b", "</a>", "http://", "https://e.com/ ", "http://....", LINK),
        ]

        def check(unit):
            for prefix in ("", "<a >", "http://"):
                short, long = ((prefix + unit * (size // len(unit))) for size in (4_000, 32_000))
                for of_short, of_long in ((300, 300), (2500, 20_000)):
                    assert is_in_proportion(split_text, (short, of_short), (long, of_long), 0.02)

        check_rows(units, check)


class TestArguments:
    @each_row("limit", [3, 0, -1, 2047.0, "2047", None, True])
    def test_refuse_a_limit_that_is_too_small_or_no_whole_number(self, limit):
        with pytest.raises(SettingsError, match="limit: must be a whole number from 4") as caught:
            split_text("x", limit)
        assert caught.value.setting == "limit"

    def test_refuse_a_limit_without_room_for_a_character_and_more(self):
        assert split_text("长", len(MORE.encode()) + 4, MORE) == ["长"]
        with pytest.raises(SettingsError, match="limit: must be a whole number from 41"):
            split_text("长", len(MORE.encode()) + 3, MORE)

    def test_refuse_what_is_not_text(self):
        with pytest.raises(ReplyError):
            split_text(b"x")
        with pytest.raises(SettingsError, match="more"):
            split_text("x", more=None)
