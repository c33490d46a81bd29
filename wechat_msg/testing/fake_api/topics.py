"""All topics, whose functions fill in the table of the paths."""

from __future__ import annotations

# ruff: noqa: F401
from wechat_msg.testing.fake_api import topics_token
from wechat_msg.testing.fake_api.routes import ROUTES, serve

__all__ = ["ROUTES", "serve"]
