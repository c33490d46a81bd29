"""The test kit for your own tests: pushes as WeChat makes them, its API, and the contract that every store keeps.

Names are imported when they are first used, so the pytest plugin costs nothing until a test asks for a fixture.
"""

import importlib
import sys
import typing

if typing.TYPE_CHECKING:
    from wechat_msg.testing.conformance import check_endpoint
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
    "check_endpoint",
    "open_reply",
]

#: The modules that define these names.
_NAMES_OF_MODULES = {
    "conformance": "check_endpoint",
    "contract": "StoreContract",
    "fake_api": "APIRequest FakeWeChatAPI",
    "pushes": "Mode build_echostr_request build_push open_reply",
    "simulator": "AsyncPushSimulator Delivery PushSimulator Try",
}
_MODULE_OF = {name: module for module, names in _NAMES_OF_MODULES.items() for name in names.split()}

if "pytest" in sys.modules:
    # A failed assert of the contract then shows its values, as those of your own tests do.
    sys.modules["pytest"].register_assert_rewrite(f"{__name__}.contract")

if not typing.TYPE_CHECKING:  # type checkers would accept any name

    def __getattr__(name: str) -> object:
        if name in _NAMES_OF_MODULES:
            return importlib.import_module(f"{__name__}.{name}")
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
