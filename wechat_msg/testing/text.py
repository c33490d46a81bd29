"""Text: what people are told, in English and Chinese."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

__all__ = ["Language", "Text"]

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
