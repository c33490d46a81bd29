"""The test kit for your own tests: pushes as WeChat makes them, its API, and the contract that every store keeps.

Names are imported when they are first used, so the pytest plugin costs nothing until a test asks for a fixture.
"""

import sys
import typing

from wechat_msg import _lazy

if typing.TYPE_CHECKING:
    from wechat_msg.testing.clock import ClockError, VirtualClock
    from wechat_msg.testing.conformance import check_endpoint
    from wechat_msg.testing.contract import StoreContract
    from wechat_msg.testing.fake_api import APIRequest, FakeWeChatAPI
    from wechat_msg.testing.pushes import Mode, build_echostr_request, build_path_check, build_push, open_reply
    from wechat_msg.testing.simulator import AsyncPushSimulator, Delivery, PushSimulator, Try

__all__ = [
    "APIRequest",
    "AsyncPushSimulator",
    "ClockError",
    "Delivery",
    "FakeWeChatAPI",
    "Mode",
    "PushSimulator",
    "StoreContract",
    "Try",
    "VirtualClock",
    "build_echostr_request",
    "build_path_check",
    "build_push",
    "check_endpoint",
    "open_reply",
]

if "pytest" in sys.modules:
    # A failed assert of the contract then shows its values, as those of your own tests do.
    sys.modules["pytest"].register_assert_rewrite(f"{__name__}.contract")

if not typing.TYPE_CHECKING:  # type checkers would accept any name
    __getattr__, __dir__ = _lazy.import_lazily(
        __name__,
        {
            "clock": "ClockError VirtualClock",
            "conformance": "check_endpoint",
            "contract": "StoreContract",
            "fake_api": "APIRequest FakeWeChatAPI",
            "pushes": "Mode build_echostr_request build_path_check build_push open_reply",
            "simulator": "AsyncPushSimulator Delivery PushSimulator Try",
        },
    )
