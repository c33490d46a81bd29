"""Common mistakes in settings. An error names the mistake, never the value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wechat_msg.errors import SettingsError

__all__ = ["AROUND", "KEY", "TOKEN", "Mistake", "explain_setting"]

Mistake = tuple[re.Pattern[str], str, str]
"""A pattern of the value, and what to do about it in English and Chinese."""

AROUND: Sequence[Mistake] = (
    (re.compile(r"\s.*|.*\s", re.DOTALL), "remove the spaces or line ends around it", "首尾有空格或换行，请去掉"),
    (re.compile(r"""["'“”‘’`].*|.*["'“”‘’`]"""), "remove the quotation marks around it", "首尾有引号，请去掉"),
    (re.compile(r".*[^\x00-\x7f].*"), "type it in half-width letters", "含有全角或中文字符，请用半角输入"),
)
TOKEN: Sequence[Mistake] = (
    *AROUND,
    (re.compile(r"[A-Za-z0-9+/]{43}=?"), "this looks like the EncodingAESKey", "这看起来是 EncodingAESKey"),
)
KEY: Sequence[Mistake] = (
    *AROUND,
    (re.compile(r".*="), "drop the trailing =", "请去掉末尾的 ="),
    (re.compile(r"[0-9a-fA-F]{32}"), "this looks like the AppSecret", "这看起来是 AppSecret，不是 EncodingAESKey"),
    (re.compile(r"wx[0-9a-f]{16}"), "this looks like the AppID", "这看起来是 AppID，不是 EncodingAESKey"),
)


def explain_setting(value: object, rule: str, hint: str, mistakes: Sequence[Mistake], *, setting: str) -> SettingsError:
    """Return the error for a value that breaks *rule*, with the first of the *mistakes* that fits the value."""
    for pattern, english, chinese in mistakes:
        if isinstance(value, str) and pattern.fullmatch(value):
            return SettingsError(f"{rule}; {english}", hint=f"{hint}：{chinese}", setting=setting)
    return SettingsError(rule, hint=hint, setting=setting)
