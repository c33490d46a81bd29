"""Failure, an error in two languages, and the choice of the language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wechat_msg.errors import WeChatError
from wechat_msg.testing.bilingual import Language, Text

__all__ = ["Failure", "find_language"]

_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
_LANGUAGES: Mapping[str, Language] = {"en": "en", "zh": "zh"}


class Failure(WeChatError):
    """An error that ends a command, in two languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


def find_language(arguments: Sequence[str], environ: Mapping[str, str]) -> Language:
    """Return the language of ``--lang``, which may stand anywhere on the command line, else of the locale.

    Example:
        >>> find_language(["push", "--lang", "en"], {"LANG": "zh_CN.UTF-8"})
        'en'
        >>> find_language(["push"], {"LANG": "zh_CN.UTF-8"})
        'zh'
        >>> find_language([], {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"})
        'en'
    """
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, _, value = word.partition("=")
        if name == "--lang" and (value or following) in _LANGUAGES:
            return _LANGUAGES[value or following]
    locale = next((environ[name] for name in _LOCALE if environ.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "en"
