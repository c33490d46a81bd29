"""Row: one line of the conformance table."""

from __future__ import annotations

from typing import Literal

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.text import Text

__all__ = ["Row", "Status"]

Status = Literal["pass", "warn", "fail", "skip"]


@frozen
class Row:
    """What one check has found.

    Attributes:
        name: The check's name, the same in every language.
        title: What is asked of the endpoint.
        status: ``pass``; ``warn``: works, but could be better; ``fail``;
            ``skip``: does not apply, or was not asked for.
        finding: What was seen, without users' words.
        shown: What WeChat would show the user, or what an attacker gains; empty for a pass.
        mend: How to mend it; empty for a pass.
        seconds: How long the check took.
    """

    name: str
    title: Text
    status: Status
    finding: Text
    shown: Text
    mend: Text
    seconds: float
