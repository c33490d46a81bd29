"""Check: what an endpoint should do, the impact if it does not, and the fix."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.conformance.probe import Finding, Probe
from wechat_msg.testing.simulator.results import SERVICE_UNAVAILABLE

__all__ = ["ATTACKER", "USER", "Check", "check"]

USER = Text(f"the user reads 「{SERVICE_UNAVAILABLE}」", f"用户会看到「{SERVICE_UNAVAILABLE}」")
"""What WeChat shows if no answer is valid."""
ATTACKER = Text("anyone can send messages to the bot in any user's name", "任何人都能以任意用户的名义给机器人发消息")
"""What forgers gain."""


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
