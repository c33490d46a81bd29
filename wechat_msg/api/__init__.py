"""WeChat's API: functions that return calls, one module per topic; `wechat_msg.client` sends them.

The modules are loaded when they are first used: ``from wechat_msg.api import user``, or ``wechat_msg.api.user``.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from wechat_msg.api.call import APPID, SECRET, Call, File, Pages, Upload, get, post, raw_call
from wechat_msg.api.reading import Reads, Result, Takes, TakesAll, nothing

if TYPE_CHECKING:
    from wechat_msg.api import (
        callback,
        customer_service,
        jsapi,
        kf,
        mass,
        material,
        media,
        menu,
        miniprogram,
        oauth,
        qrcode,
        quota,
        subscribe,
        template,
        token,
        user,
    )

__all__ = [
    "APPID",
    "SECRET",
    "Call",
    "File",
    "Pages",
    "Reads",
    "Result",
    "Takes",
    "TakesAll",
    "Upload",
    "callback",
    "customer_service",
    "get",
    "jsapi",
    "kf",
    "mass",
    "material",
    "media",
    "menu",
    "miniprogram",
    "nothing",
    "oauth",
    "post",
    "qrcode",
    "quota",
    "raw_call",
    "subscribe",
    "template",
    "token",
    "user",
]


if not TYPE_CHECKING:  # to type checkers it would mean that there is every name

    def __getattr__(name: str) -> ModuleType:
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
