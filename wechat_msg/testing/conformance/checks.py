"""Check: what an endpoint should do, the impact if it does not, and the fix; Finding and Row: its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.simulator.verdicts import SERVICE_UNAVAILABLE

if TYPE_CHECKING:
    from wechat_msg.testing.conformance.probe import Probe

__all__ = ["ATTACKER", "USER", "Check", "Finding", "Row", "Status", "check"]

Status = Literal["pass", "warn", "fail", "skip"]

USER = Text(f"the user reads 「{SERVICE_UNAVAILABLE}」", f"用户会看到「{SERVICE_UNAVAILABLE}」")
"""What WeChat shows if no answer is valid."""
ATTACKER = Text("anyone can send messages to the bot in any user's name", "任何人都能以任意用户的名义给机器人发消息")
"""What forgers gain."""


@frozen
class Finding:
    """What a check found.

    Attributes:
        status: The result.
        text: What the check observed.
        impact: The impact; None if it is that of the check.
        fix: What to do; None if it is what the check says.
    """

    status: Status
    text: Text
    impact: Text | None = None
    fix: Text | None = None


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


@frozen
class Check:
    """One conformance check.

    Attributes:
        title: What the endpoint should do.
        impact: What WeChat would show the user otherwise, or what an attacker gains.
        fix: What to do.
        run: The function that performs the check.
    """

    title: Text
    impact: Text
    fix: Text
    run: Callable[[Probe], Finding] = field(repr=False)

    @property
    def name(self) -> str:
        """The name of the check, the same in every language."""
        return self.run.__name__


def check(title: Text, *, impact: Text, fix: Text) -> Callable[[Callable[[Probe], Finding]], Check]:
    """Turn the decorated function into a `Check`."""
    return lambda run: Check(title, impact, fix, run)
