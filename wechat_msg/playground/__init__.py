"""The browser playground: a local page that looks like a WeChat chat, to try a bot without WeChat."""

from wechat_msg.playground.app import make_app
from wechat_msg.playground.serving import Playground, run_playground
from wechat_msg.playground.session import Session

__all__ = ["Playground", "Session", "make_app", "run_playground"]
