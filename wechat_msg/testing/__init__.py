"""The test kit for your own tests: pushes as WeChat makes them."""

from wechat_msg.testing.pushes import Mode, build_echostr_request, build_push, open_reply

__all__ = ["Mode", "build_echostr_request", "build_push", "open_reply"]
