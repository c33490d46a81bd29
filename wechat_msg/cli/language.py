"""Which language the command speaks, and what it refuses in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wechat_msg.errors import WeChatError
from wechat_msg.testing.text import Language, Text

__all__ = ["Failure", "find_language"]

_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
_LANGUAGES: Mapping[str, Language] = {"en": "en", "zh": "zh"}


class Failure(WeChatError):
    """Why a command cannot do what it is asked."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


def find_language(arguments: Sequence[str], environ: Mapping[str, str]) -> Language:
    """Find it in ``--lang``, which may stand anywhere, so that also errors and help are in it; else in the locale.

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
