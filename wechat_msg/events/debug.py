"""Events that the console sends to test the server (调试)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import text

__all__ = ["DebugDemoEvent"]


@register_event("debug_demo")
class DebugDemoEvent(Event):
    """消息推送调试: a test of the message push."""

    debug_str: str | None = text("debug_str", default=None)
