"""The test kit for your own tests: pushes as WeChat makes them, its API, and the contract that every store keeps."""

import sys

if "pytest" in sys.modules:
    # So that a failed assert of the contract is told as well as those of your own tests.
    sys.modules["pytest"].register_assert_rewrite("wechat_msg.testing.contract")

from wechat_msg.testing.contract import StoreContract
from wechat_msg.testing.fake_api import APIRequest, FakeWeChatAPI
from wechat_msg.testing.pushes import Mode, build_echostr_request, build_push, open_reply
from wechat_msg.testing.simulator import AsyncPushSimulator, Delivery, PushSimulator, Try

__all__ = [
    "APIRequest",
    "AsyncPushSimulator",
    "Delivery",
    "FakeWeChatAPI",
    "Mode",
    "PushSimulator",
    "StoreContract",
    "Try",
    "build_echostr_request",
    "build_push",
    "open_reply",
]
