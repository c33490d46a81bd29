"""All topic modules, whose import registers their paths."""

# ruff: noqa: F401

from __future__ import annotations

from wechat_msg.testing.fake_api import (
    topics_access_token,
    topics_comment,
    topics_draft,
    topics_login,
    topics_media,
    topics_menu,
    topics_message,
    topics_miniprogram,
    topics_statistics,
    topics_template,
    topics_trade,
    topics_user,
)
from wechat_msg.testing.fake_api.routes import ROUTES, serve

__all__ = ["ROUTES", "serve"]
