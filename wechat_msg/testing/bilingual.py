"""Text: sentences for users in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from wechat_msg._tracebacks import frozen

__all__ = ["Language", "Text", "join", "label", "same"]

Language = Literal["en", "zh"]


@frozen
class Text:
    """A sentence in two languages.

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
        """Return the sentence in this language."""
        return self.zh if language == "zh" else self.en

    def format(self, **values: object) -> Text:
        """Fill in values."""
        return Text(self.en.format(**values), self.zh.format(**values))

    def __str__(self) -> str:
        """Return both languages."""
        return f"{self.en}（{self.zh}）" if self.zh != self.en else self.en


def join(texts: Iterable[Text]) -> Text:
    """Join texts with commas.

    Example:
        >>> join([Text("one", "一"), Text("two", "二")]).to("zh")
        '一、二'
    """
    listed = list(texts)
    return Text(", ".join(text.en for text in listed), "、".join(text.zh for text in listed))


def label(name: Text, text: Text) -> Text:
    """Return the text with a name and a colon before it."""
    return Text(f"{name.en}: {text.en}", f"{name.zh}：{text.zh}")


def same(word: str) -> Text:
    """Return a text that is the same in both languages."""
    return Text(word, word)
