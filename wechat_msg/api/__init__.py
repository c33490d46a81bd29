"""WeChat's API: functions that return calls, one module per topic; `wechat_msg.client` sends them."""

from wechat_msg.api.call import APPID, SECRET, Call, File, Pages, Upload, get, post, raw_call
from wechat_msg.api.reading import Reads, Result, Takes, TakesAll, nothing

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
    "get",
    "nothing",
    "post",
    "raw_call",
]
