"""Text: what people are told, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from wechat_msg._tracebacks import frozen

__all__ = ["Language", "Text", "join", "label", "same"]

Language = Literal["en", "zh"]


@frozen
class Text:
    """One sentence in two languages.

    Example:
        >>> hello = Text("Hello, {name}", "你好，{name}")
        >>> hello.format(name="WeChat").to("zh")
        '你好，WeChat'
        >>> str(Text("yes", "是"))
        'yes（是）'
    """

    en: str
    zh: str

    def to(self, language: Language) -> str:
        """Return it in this language."""
        return self.zh if language == "zh" else self.en

    def format(self, **values: object) -> Text:
        """Fill in values."""
        return Text(self.en.format(**values), self.zh.format(**values))

    def __str__(self) -> str:
        """Return both."""
        return f"{self.en}（{self.zh}）" if self.zh != self.en else self.en


def join(texts: Iterable[Text]) -> Text:
    """Write several one after the other.

    Example:
        >>> join([Text("one", "一"), Text("two", "二")]).to("zh")
        '一、二'
    """
    listed = list(texts)
    return Text(", ".join(text.en for text in listed), "、".join(text.zh for text in listed))


def label(name: Text, text: Text) -> Text:
    """Write what something is about in front of it."""
    return Text(f"{name.en}: {text.en}", f"{name.zh}：{text.zh}")


def same(word: str) -> Text:
    """Make a text of a word that both languages share."""
    return Text(word, word)
