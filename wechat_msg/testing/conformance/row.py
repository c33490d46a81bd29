"""Row: one line of the table of conformance checks."""

from __future__ import annotations

from typing import Literal

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.bilingual import Text

__all__ = ["Row", "Status"]

Status = Literal["pass", "warn", "fail", "skip"]


@frozen
class Row:
    """The result of one check.

    Attributes:
        name: The check's name, the same in every language.
        title: What the endpoint should do.
        status: ``pass``, ``fail``, ``warn`` (works, but could be better), or ``skip`` (does not apply, or was not
            requested).
        finding: What the check observed, without users' text.
        impact: What WeChat would show the user, or what an attacker gains; empty for a pass.
        fix: What to do; empty for a pass.
        seconds: How long the check took.
    """

    name: str
    title: Text
    status: Status
    finding: Text
    impact: Text
    fix: Text
    seconds: float
