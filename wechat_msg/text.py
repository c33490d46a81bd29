"""Texts for WeChat: splits those that are too long for one message, and makes plain text of Markdown."""

from __future__ import annotations

from wechat_msg._fork import importing
from wechat_msg._validators import is_whole_number
from wechat_msg.errors import ReplyError, SettingsError
from wechat_msg.wire import clean_text

__all__ = ["split_text", "strip_markdown"]

_LARGEST_CHARACTER = 4  # bytes of UTF-8


def count_bytes(text: str) -> int:
    """Return the length of a text as WeChat counts it: bytes of UTF-8, without what `clean_text` drops."""
    return len(clean_text(text).encode())


def split_text(text: str, limit: int = 2047, more: str = "") -> list[str]:
    r"""Split a text into parts that are short enough for one message each.

    A part ends, if possible, at the end of a paragraph, else of a line, of a sentence, of a clause or of a word, as
    long as it is at least half full. No cut is inside a character as users see it (such as an emoji made of several
    code points), an ``<a href>`` link, or the address of a web page. White space at a cut is dropped, but not the
    indentation of the next line. Characters that cannot be sent, such as control characters, are dropped as well.

    What is longer than a part is cut all the same. A link becomes several links to the same address, each with a
    piece of its text; if its tags take more than half of a part, only its text is left.

    Args:
        text: The text. If it is short enough, it is the only part, unchanged.
        limit: The largest number of bytes of UTF-8 in a part. WeChat accepts 2,047.
        more: What to append to all parts but the last; it counts towards *limit*.

    Returns:
        The parts, in order. A text without characters has none, nor has white space that is longer than *limit*.

    Raises:
        SettingsError: *limit* is not a whole number, or leaves less than 4 bytes in addition to *more*; or *more* is
            not text.
        ReplyError: *text* is not text.

    Example:
        >>> split_text("First line.\nSecond line. It is longer.", 30)
        ['First line.\nSecond line.', 'It is longer.']
        >>> split_text("春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。", 45, more="…")
        ['春眠不觉晓，处处闻啼鸟。…', '夜来风雨声，花落知多少。']
    """
    if not isinstance(text, str):
        raise ReplyError("text must be text")
    if not isinstance(more, str):
        raise SettingsError("must be text", setting="more")
    more = clean_text(more)
    least = len(more.encode()) + _LARGEST_CHARACTER
    if not is_whole_number(least)(limit):
        raise SettingsError(f"must be a whole number from {least}", setting="limit")
    text = clean_text(text)
    if len(text.encode()) <= limit:
        return [text] if text else []
    with importing:
        from wechat_msg._splitting import split

    parts = split(text, limit - len(more.encode()), limit)
    return [*(part + more for part in parts[:-1]), *parts[-1:]]


def strip_markdown(text: str) -> str:
    r"""Return a text in Markdown, such as the answer of a language model, as the plain text that WeChat shows.

    - Links and pictures with an address that WeChat opens (``http``, ``https``, ``weixin``) become ``<a href>`` links;
      bare addresses stay as they are, and other addresses follow the text of their links in parentheses.
    - Headings, emphasis and code lose their marks; code keeps its line breaks and indentation.
    - Items of lists begin with ``•``, with their number, or with ``☐`` and ``☑``; quoted lines with ``>``.
    - A table has aligned columns if it fits on a phone; else each row becomes lines of ``head: cell``.
    - Line breaks are kept, ``<br>`` is one. Other HTML is text. As WeChat makes a link of ``<a href>`` in any text, the
      ``<`` of such tags in code becomes full-width.

    A text may be passed in parts, each a paragraph, as a model writes them. A part does not know the others: do not
    divide a fenced block of code. A text with lists in lists is returned as it is if they are ten deep or more.

    Args:
        text: The text; no text is invalid Markdown.

    Returns:
        The plain text, without line ends around it; empty if nothing is left to show.

    Raises:
        SettingsError: The package markdown-it-py, the extra ``markdown``, is not installed.
        ReplyError: *text* is not text.

    Example:
        >>> print(strip_markdown("# Tea\n- **green**, see [here](https://example.com)\n- black"))
        Tea
        <BLANKLINE>
        • green, see <a href="https://example.com">here</a>
        • black
    """
    if not isinstance(text, str):
        raise ReplyError("text must be text")
    try:
        from wechat_msg._markdown import write_plain
    except ModuleNotFoundError as error:
        raise SettingsError(
            "strip_markdown needs markdown-it-py, the extra markdown（请安装附加依赖 markdown）"
        ) from error
    return write_plain(clean_text(text))
