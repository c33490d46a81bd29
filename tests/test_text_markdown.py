"""Markdown as the plain text that WeChat shows."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.cpu_time import is_in_proportion, measure
from tests.helpers.rows import check_rows, each_row
from wechat_msg import ReplyError
from wechat_msg.text import split_text, strip_markdown
from wechat_msg.wire import clean_text

INLINE = {
    "emphasis": ("*a* **b** ***c*** _d_ __e__", "a b c d e"),
    "emphasis before an ideograph": ("**注意：**请看**“重点”**吧，共**100%**的", "注意：请看“重点”吧，共100%的"),
    "emphasis around code": ("这是**`code`**吧", "这是code吧"),
    "emphasis in a word": ("**H**yper**T**ext", "HyperText"),
    "emphasis without an end": ("**a", "**a"),
    "names with underscores": ("snake_case_name", "snake_case_name"),
    "products": ("5*3*2, a*b*c, 2**10**2, 2 * 3 * 4", "5*3*2, a*b*c, 2**10**2, 2 * 3 * 4"),
    "waves": ("好的~~ 再见~~", "好的~~ 再见~~"),
    "code": ("`x = a*b*c` and ``a`b``", "x = a*b*c and a`b"),
    "escaped signs": (r"\*a\* 1\. \# \[x\]", "*a* 1. # [x]"),
    "entities": ("a &lt; b &amp;&nbsp;c", "a < b &\xa0c"),
    "line breaks": ("a\nb  \nc\\\nd<br>e<BR />f", "a\nb\nc\nd\ne\nf"),
    "other line ends": ("a\r\nb\rc", "a\nb\nc"),
    "HTML": ("<b>a</b> <!-- c --> x<y", "<b>a</b> <!-- c --> x<y"),
    "HTML around Markdown": ("<div>\n**a**\n</div>", "<div>\na\n</div>"),
    "characters that cannot be sent": ("a\0\ud800b", "ab"),
}
LINK = '<a href="https://e.com/a?b=1&c=2">here</a>'
LINKS = {
    "a link": ("see [here](https://e.com/a?b=1&c=2).", f"see {LINK}."),
    "a link with a title": ('[here](https://e.com/a?b=1&c=2 "title")', LINK),
    "a link by reference": ("[here][1] [1]\n\n[1]: https://e.com/a?b=1&c=2", f'{LINK} {LINK.replace("here", "1")}'),
    "a reference without its address": ("see [here][1]", "see [here][1]"),
    "notes that look like addresses": (
        "见[1]。\n\n[1]: 统计年鉴\n[2]: 3.5\n\n[注]: 仅供参考\n\n> [^1]: Done",
        "见[1]。\n\n[1]: 统计年鉴\n[2]: 3.5\n\n[注]: 仅供参考\n\n> [^1]: Done",
    ),
    "a note after an address": ("[here][1] [a]\n\n[1]: https://e.com/a?b=1&c=2\n[a]: 注", f"{LINK} [a]\n\n[a]: 注"),
    "an address of references only": ("[1]: https://e.com 'x'", "[1]: https://e.com 'x'"),
    "marks in a link": ("[**he**`re`](https://e.com/a?b=1&c=2)", LINK),
    "a link in emphasis": ("**[here](https://e.com/a?b=1&c=2)**", LINK),
    "lines in a link": ("[a\nb](https://e.com)", '<a href="https://e.com">a b</a>'),
    "a space in an address": ("[a](<https://e.com/a b>)", '<a href="https://e.com/a%20b">a</a>'),
    "a quotation mark in an address": ('[a](https://e.com/"b)', '<a href="https://e.com/%22b">a</a>'),
    "an angle bracket in an address": (r"[a](https://e.com/\>\<b)", '<a href="https://e.com/%3E%3Cb">a</a>'),
    "Chinese in an address": ("[中](https://e.com/中)", '<a href="https://e.com/%E4%B8%AD">中</a>'),
    "an address of WeChat": (
        "[满意](weixin://bizmsgmenu?msgmenucontent=满意&msgmenuid=101)",
        '<a href="weixin://bizmsgmenu?msgmenucontent=满意&msgmenuid=101">满意</a>',
    ),
    "a quotation mark in an address of WeChat": ('[a](weixin://x"y)', '<a href="weixin://x%22y">a</a>'),
    "a link without text": ("[](https://e.com)", "https://e.com"),
    "a link whose text is its address": ("[https://e.com/中](https://e.com/中)", "https://e.com/中"),
    "a bare address": ("见 https://e.com/_a_/b_c?d=*。", "见 https://e.com/_a_/b_c?d=*。"),
    "a bare address in emphasis": ("**见 https://e.com/_a_**", "见 https://e.com/_a_"),
    "a bare address in brackets": ("<https://e.com/a_b>", "https://e.com/a_b"),
    "another address": ("[us](mailto:a@e.com) [tel](tel:123) [doc](/a.md)", "us (a@e.com) tel (123) doc (/a.md)"),
    "an address of mail": ("<a@e.com> [a@e.com](mailto:a@e.com)", "a@e.com a@e.com"),
    "a place in the page": ("[top](#top)", "top"),
    "a script": ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
    "a picture": ("![cat](https://e.com/a.png)", '<a href="https://e.com/a.png">cat</a>'),
    "a picture without a text": ("![](https://e.com/a.png)", "https://e.com/a.png"),
    "a picture without a page": ("![cat](a.png)![dog](data:image/png;base64,eA==)", "catdog"),
    "a picture in a link": ("[![cat](https://e.com/a.png)](https://e.com)", '<a href="https://e.com">cat</a>'),
    "a link that is HTML already": (LINK, LINK),
    "a link that is HTML within a link": ("[<a b>c](https://e.com)", '<a href="https://e.com">＜a b>c</a>'),
    "a link in code": (f"`{LINK}`", LINK.replace("<", "＜")),
    "a link in a block of code": (f"```html\n<b>{LINK}</b>\n```", f"<b>{LINK.replace('<', '＜')}</b>"),
}  # fmt: skip
CODE = "def f(x):\n\n    return x * 2 * 3  # **no**\n\t\ty"
BLOCKS = {
    "headings": ("# A **b** #\ntext\n\n### C\nD\n===", "A b\n\ntext\n\nC\n\nD"),
    "paragraphs": ("\n\na\n\n\n\nb\n\n", "a\n\nb"),
    "a list": ("* a\n* **b**", "• a\n• b"),
    "a nested list": ("- a\n  - b\n    - c\n- d", "• a\n  • b\n    • c\n• d"),
    "a list with blank lines": ("1. **A**：\n\n   - x\n\n   - y\n\n2. b", "1. A：\n   • x\n   • y\n2. b"),
    "a list with paragraphs": ("- a\n\n  b\n- c", "• a\n\n  b\n\n• c"),
    "a numbered list": ("9. a\n10. b\n    c", "9. a\n10. b\n    c"),
    "a list with parentheses": ("1) a\n2) b", "1) a\n2) b"),
    "tasks": ("- [ ] a\n- [x] b\n- [X] c\n- [y] d\n1. [ ] e", "☐ a\n☑ b\n☑ c\n• [y] d\n\n1. ☐ e"),
    "an item with code": ("1. a\n   ```\n   b\n\n     c\n   ```", "1. a\n   b\n\n     c"),
    "an empty item": ("-\n- a", "•\n• a"),
    "a quote": ("> a\n> b\n>\n> - c\n\nd", "> a\n> b\n>\n> • c\n\nd"),
    "a quote in a quote": ("> a\n> > b", "> a\n>\n> > b"),
    "fenced code": (f"a\n```python\n{CODE}\n```\nb", f"a\n\n{CODE}\n\nb"),
    "fenced code without an end": (f"~~~\n{CODE}", CODE),
    "indented code": ("a\n\n    b *c*\n      d", "a\n\n    b *c*\n      d"),
    "an empty block of code": ("```\n```", ""),
    "a rule": ("a\n\n---\n\nb", f"a\n\n{'—' * 8}\n\nb"),
    "no text": (" \n\t\n", ""),
}
TABLES = {
    "columns": ("| a | b |\n|---|---|\n| long | c |", "a    | b\nlong | c"),
    "ideographs": (
        "| 名称 | 价格 |\n|:--|--:|\n| a | 5 |\n| 苹果汁 | 12 |",
        "名称   | 价格\na      |    5\n苹果汁 |   12",
    ),
    "marks and lines": ("|a|b|\n|-|-|\n|**c**<br>d|`e\\|f`|", "a   | b\nc d | e|f"),
    "links": (
        "|a|b|\n|-|-|\n|[x](https://e.com)|y|\n|xx|y|",
        'a  | b\n<a href="https://e.com">x</a>  | y\nxx | y',
    ),
    "cells without text": ("|a|b|\n|-|-|\n||c|\n|d|", "a | b\n  | c\nd |"),
    "a head only": ("|a|b|\n|-|-|", "a | b"),
    "rows that are too long": (
        f"| 名称 | 说明 |  |\n|-|-|-|\n| 苹果 | {'红' * 20} | c |\n| 梨 | | |",
        f"名称: 苹果\n说明: {'红' * 20}\nc\n\n名称: 梨",
    ),
    "heads that are too long": (f"|{'h' * 101}|b|\n|-|-|\n|c|d|", "c\nb: d"),
}
PARTS = {
    "a list continued": ("3. c", "3. c"),
    "an inner list": ("    - **b**\n      - c", "    • b\n      • c"),
    "an inner item": ("   2. **b**", "   2. b"),
    "the end of a block of code": ("    return 1\n```", "    return 1"),
    "a line before it": ("\nb", "b"),
}
HOSTILE = [
    *("[", "]", "![", "*", "**a", "_a", ">", "a**b", "`", "`a", "``` \n", "[a](", "[a](b)", "[](<", "<", "<!--"),
    *("<http:", "&", "\\", "| ", "|a\n", "a|b\n-|-\n", "|-", "- ", "- a\n", "* * ", "#", "a\n", "\n", "a\n=\n"),
    *("[a]: x\n", "[a]:\n", "[a][", "[[a]", "  \n", "    a\n", "\t", "> a\n", "> - ", "x  \n", "a*_", "*a `", "[!["),
    *("![a](b", "~~~\n", "https://", "**你，**", "http://a", " - a\n\n", ":", '[a](b "', "*["),
    *("*](", "<br ", "<a ", "你"),
]  # fmt: skip
PIECES = [
    *HOSTILE,
    *"ab 1.\n\n|",
    "    ",
    "1. ",
    "https://e.com/_a_ ",
    "](https://e.com)",
    "](weixin://x)",
    '"',
    "'",
    "---\n",
]
texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200)


def check_text(markdown, plain):
    assert strip_markdown(markdown) == plain


class TestStripMarkdown:
    def test_writes_inline_marks_as_plain_text(self):
        check_rows(INLINE, check_text)

    def test_writes_links_as_wechat_reads_them(self):
        check_rows(LINKS, check_text)

    def test_writes_blocks_as_plain_text(self):
        check_rows(BLOCKS, check_text)

    def test_writes_tables_for_a_phone(self):
        check_rows(TABLES, check_text)

    def test_accepts_one_paragraph_at_a_time(self):
        check_rows(PARTS, check_text)

    def test_gives_the_same_for_paragraphs_one_by_one(self):
        text = "# A\n\n1. **b**\n2. c\n\n> d\n> e\n\n| f | g |\n|---|---|\n| h | i |\n\n- [x] j\n\n[k](https://e.com)"
        assert "\n\n".join(map(strip_markdown, text.split("\n\n"))) == strip_markdown(text)

    def test_leaves_links_that_are_not_cut(self):
        text = strip_markdown("[打开网页](https://example.com/a?b=1&c=2)，" * 100)
        for part in split_text(text):
            assert part.count("<a href=") == part.count("</a>") > 0

    def test_refuses_what_is_not_text(self):
        for value in (None, b"x", 5):
            with pytest.raises(ReplyError, match="text must be text"):
                strip_markdown(value)

    def test_gives_the_same_in_many_threads_that_start_at_once(self):
        """In a process of its own, where no thread has used the parser before."""
        code = """
            import concurrent.futures
            from wechat_msg.text import strip_markdown

            with concurrent.futures.ThreadPoolExecutor(8) as threads:
                print({*threads.map(strip_markdown, ["**a** [b](c)"] * 64)})
        """
        code = textwrap.dedent(code)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.stdout.strip() == "{'a b (c)'}"


class TestAnyText:
    @given(texts)
    def test_is_accepted(self, text):
        plain = strip_markdown(text)
        assert plain == clean_text(plain)
        assert plain == plain.strip("\n")

    @given(st.lists(st.sampled_from("甲乙丙 丁\n戊、。：1"), max_size=60).map("".join))
    def test_without_marks_keeps_its_words(self, text):
        assert strip_markdown(text).split() == text.split()

    @given(
        st.lists(
            st.sampled_from([*'["<>] \n)(\\', "a", "](https://", "](weixin://", "e.com", "`", "<a", "中"]), max_size=40
        )
    )
    def test_has_complete_links_only(self, pieces):
        plain = strip_markdown("".join(pieces))
        opened = re.findall('<a href="([^"]*)">', plain)
        assert len(opened) == plain.count("</a>")
        assert [address for address in opened if not re.fullmatch(r'(?:https?|weixin)://[^\s"<>]*', address)] == []


class TestHostileText:
    def test_takes_time_in_proportion_to_its_length(self):
        """Eight times the text takes eight times as long; quadratic time would be 64 times as long."""

        def check(unit):
            short, long = (unit * (size // len(unit)) for size in (1_000, 8_000))
            assert is_in_proportion(strip_markdown, (short,), (long,), 0.05)

        check_rows(HOSTILE, check)

    @pytest.mark.endurance
    def test_of_a_megabyte_is_accepted(self):
        def check(unit):
            assert measure(strip_markdown, unit * (1_000_000 // len(unit)), times=1) < 60

        check_rows(["[", "*", ">", "![", "**a", "- a\n", "`a", "|a\n", "[a](b)"], check)

    @each_row(
        "text",
        {
            "pictures in pictures": "![" * 3000 + "](a)" * 3000,
            "emphasis in emphasis": "*a **a " * 2000 + "a** a*" * 2000,
            "quotes in quotes": "> " * 5000 + "a",
            "lists in lists": "- " * 5000 + "a",
            "lists in deeper lists": "\n".join("  " * depth + "- a" for depth in range(150)),
            "code in lists": "-     " * 2000 + "- a",
        },
    )
    def test_is_accepted_however_deep_it_is(self, text):
        assert measure(strip_markdown, text, times=1) < 5

    @each_row("mark", ["> ", "- "])
    def test_keeps_its_words_however_deep_they_are(self, mark):
        for depth in range(1, 60):
            assert strip_markdown(mark * depth + "word").endswith("word")
            assert strip_markdown("".join(f"{'  ' * each}{mark}word\n" for each in range(depth))).count("word") == depth

    @each_row(
        "text",
        {
            "one address for many references": f"[a]: https://e.com/{'x' * 10_000}\n\n" + "[a]" * 3_500,
            "one head for many rows": f"|{'h' * 10_000}|b|\n|-|-|\n" + "|c|d|\n" * 2_000,
            "many columns": "|" * 1_500 + "\n" + "-|" * 1_500 + "\n" + "|a\n" * 750,
            "lines that continue a deep quote": "> " * 18 + "a\n" * 10_000,
        },
    )
    def test_becomes_not_many_times_as_long(self, text):
        assert len(strip_markdown(text)) < 30 * len(text)
