"""Check: what is asked of an endpoint, what it costs not to do it, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.conformance.probe import Finding, Probe
from wechat_msg.testing.simulator.results import SERVICE_UNAVAILABLE
from wechat_msg.testing.text import Text

__all__ = ["ATTACKER", "USER", "Check", "check"]

USER = Text(f"the user reads 「{SERVICE_UNAVAILABLE}」", f"用户会看到「{SERVICE_UNAVAILABLE}」")
"""What WeChat shows when no answer can be taken."""
ATTACKER = Text("anybody can write to the bot in any user's name", "任何人都能以任意用户的名义给机器人发消息")
"""What forgers gain."""


@frozen
class Check:
    """One row of the table to be.

    Attributes:
        title: What is asked of the endpoint.
        shown: What WeChat would show the user otherwise, or what an attacker gains.
        mend: How to mend it.
        run: Finds out.
    """

    title: Text
    shown: Text
    mend: Text
    run: Callable[[Probe], Finding] = field(repr=False)

    @property
    def name(self) -> str:
        """Its name, the same in every language."""
        return self.run.__name__


def check(title: Text, *, shown: Text, mend: Text) -> Callable[[Callable[[Probe], Finding]], Check]:
    """Make a check of the decorated function."""
    return lambda run: Check(title, shown, mend, run)
