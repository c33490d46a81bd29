"""The browser playground: a local page that looks like a WeChat chat, to try a bot without WeChat."""

from wechat_msg.playground.access import BrowserSession
from wechat_msg.playground.app import make_app
from wechat_msg.playground.serving import Playground, run_playground

__all__ = ["BrowserSession", "Playground", "make_app", "run_playground"]
