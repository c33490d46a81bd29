"""WeChat's API: functions that return calls, one module per topic; `wechat_msg.client` sends them.

A name or module is imported when it is first used: ``from wechat_msg.api import user``, or ``wechat_msg.api.user``.
"""

from typing import TYPE_CHECKING

from wechat_msg import _lazy

if TYPE_CHECKING:
    from wechat_msg.api import (
        access_token,
        autoreply,
        callback,
        comment,
        customer_service,
        datacube,
        device,
        draft,
        freepublish,
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
    "autoreply",
    "callback",
    "comment",
    "customer_service",
    "datacube",
    "device",
    "draft",
    "freepublish",
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

if not TYPE_CHECKING:  # type checkers would accept any name
    __getattr__, __dir__ = _lazy.import_lazily(
        __name__,
        {
            "call": "APPID SECRET Call File Pages Upload get post raw_call",
            "results": "Member Members Result ResultOf no_result",
        },
        modules=__all__,
    )
