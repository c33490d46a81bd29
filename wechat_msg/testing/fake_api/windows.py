"""Limits of customer-service messages to a user: their number, and the time after an action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wechat_msg._tracebacks import define
from wechat_msg.errors import SettingsError
from wechat_msg.events._kinds import KINDS, MESSAGE
from wechat_msg.testing.fake_api.response import ErrcodeError

__all__ = ["ALLOWED", "Windows", "name_action"]

_MESSAGE = "message"
#: Number of messages that each action of a user allows, and within how many seconds. Events are in lower case.
#: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
ALLOWED: Mapping[str, tuple[int, float]] = {
    name: (kind.messages, kind.answered_for) for name, kind in {_MESSAGE: MESSAGE, **KINDS}.items() if kind.messages
}


def name_action(fields: Mapping[str, Any]) -> str:
    """Return the action of a push: ``message``, or the event in lower case."""
    return str(fields.get("Event")).lower() if fields.get("MsgType") == "event" else _MESSAGE


@define
class _Window:
    """Messages that one action allows.

    Attributes:
        left: Number of messages left.
        closes_at: End of the window, in seconds since the epoch.
        is_assumed: Whether the window exists without a push, for convenience of tests.
    """

    left: int
    closes_at: float
    is_assumed: bool


class Windows:
    """Windows of all users, one for each action.

    Their numbers do not add up: a message counts against every open window.
    """

    def __init__(self) -> None:
        self._windows: dict[str, dict[str, _Window]] = {}

    def open(self, openid: str, action: str, now: float, *, is_assumed: bool = False) -> None:
        """Open the window of an action, or restart it.

        Raises:
            SettingsError: *action* allows no messages.
        """
        name = action.lower()
        if name not in ALLOWED:
            raise SettingsError(f"action must be one of {', '.join(ALLOWED)}")
        amount, seconds = ALLOWED[name]
        known = {other: window for other, window in self._windows.get(openid, {}).items() if not window.is_assumed}
        self._windows[openid] = {**known, name: _Window(amount, now + seconds, is_assumed)}

    def close(self, openid: str) -> None:
        """Close all windows of the user."""
        self._windows.pop(openid, None)

    def check(self, openid: str, now: float) -> None:
        """Check that a message may be sent; raise 45015 or 45047 if not."""
        opened = self._list_open(openid, now)
        if not opened:
            raise ErrcodeError(45015)
        if not any(window.left for window in opened):
            raise ErrcodeError(45047)

    def count(self, openid: str, now: float) -> None:
        """Count a sent message."""
        for window in self._list_open(openid, now):
            window.left = max(window.left - 1, 0)

    def _list_open(self, openid: str, now: float) -> list[_Window]:
        return [window for window in self._windows.get(openid, {}).values() if now < window.closes_at]
