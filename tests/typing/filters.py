"""Code that nobody runs: filters give their handlers values of precise types."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import assert_type

from wechat_msg import Message, Router, TextMessage
from wechat_msg.filters import Command, any_of, command, keywords, matches, not_, startswith


def find_age(message: TextMessage) -> int | None:
    return int(message.content) if message.content.isdecimal() else None


assert_type(matches(r"\d+"), Callable[[Message], re.Match[str] | None])
assert_type(matches(re.compile("x")), Callable[[Message], re.Match[str] | None])
assert_type(command("/ask", "/问"), Callable[[Message], Command | None])
assert_type(keywords("help"), Callable[[Message], str | None])
assert_type(startswith("a", "b"), Callable[[Message], bool])
assert_type(not_(find_age), Callable[[TextMessage], bool])
assert_type(any_of(find_age), Callable[[TextMessage], int | None])
assert_type(any_of(command("/help"), keywords("help")), Callable[[Message], Command | str | None])
assert_type(any_of(find_age, keywords("help")), Callable[[TextMessage], int | str | None])
assert_type(any_of(keywords("a"), keywords("b"), keywords("c")), Callable[[Message], str | None])

matches(rb"\d+")  # type: ignore[arg-type]
command(1)  # type: ignore[arg-type]
not_("help")  # type: ignore[arg-type]


def use(router: Router) -> None:
    router.on(TextMessage, matches(r"\d+"), startswith("1"), not_(any_of(find_age, keywords("a"))))
