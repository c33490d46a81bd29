"""WeChat's API: functions that return calls, one module per topic; `wechat_msg.client` sends them.

A name or module is imported when it is first used: ``from wechat_msg.api import user``, or ``wechat_msg.api.user``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wechat_msg.api import (
        access_token,
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
        user,
    )
    from wechat_msg.api.call import APPID, SECRET, Call, File, Pages, Upload, get, post, raw_call
    from wechat_msg.api.results import Member, Members, Result, ResultOf, no_result

__all__ = [
    "APPID",
    "SECRET",
    "Call",
    "File",
    "Member",
    "Members",
    "Pages",
    "Result",
    "ResultOf",
    "Upload",
    "access_token",
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
    "no_result",
    "oauth",
    "post",
    "qrcode",
    "quota",
    "raw_call",
    "subscribe",
    "template",
    "user",
]

#: The names that are not modules, by the module that defines them.
_NAMES = {
    "call": {"APPID", "SECRET", "Call", "File", "Pages", "Upload", "get", "post", "raw_call"},
    "results": {"Member", "Members", "Result", "ResultOf", "no_result"},
}

if not TYPE_CHECKING:  # type checkers would accept any name

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        for home, names in _NAMES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{home}"), name)
        return import_module(f"{__name__}.{name}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
