"""JS-SDK: signatures for pages that use WeChat's interfaces, and the parameters of ``wx.config``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from hashlib import sha1

from wechat_msg import signature
from wechat_msg._tracebacks import clears_locals
from wechat_msg.api._arguments import texts
from wechat_msg.errors import CallError, MalformedPush

__all__ = ["compute_card_signature", "compute_signature", "make_config"]


@clears_locals
def compute_signature(jsapi_ticket: str, *, noncestr: str, timestamp: str, url: str) -> str:
    """JS-SDK 签名: return the ``signature`` of ``wx.config`` for one page.

    Args:
        jsapi_ticket: The account's ticket of type ``jsapi``. Do not send it to the page.
        noncestr: Any text. Pass the same text to ``wx.config`` as ``nonceStr``, with a capital S.
        timestamp: Decimal seconds since the epoch, as text.
        url: URL of the page as the browser shows it, with its query. ``#`` and everything after it is left out.

    Returns:
        40 lower-case hexadecimal digits.

    Raises:
        CallError: A value is empty or not text, or *url* does not begin with ``http://`` or ``https://``.

    Example:
        >>> compute_signature("TICKET", noncestr="Wm3WZYTPz0wzccnW", timestamp="1414587457",
        ...                   url="https://example.com/page?id=1#top")
        '48cdaa55ebfd371de97f679136c1d70e7782fc09'

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html
    """
    _check_texts(jsapi_ticket=jsapi_ticket, noncestr=noncestr, timestamp=timestamp, url=url)
    if not url.startswith(("http://", "https://")):
        raise CallError("url must be the complete URL of the page（url 须为包含 http(s):// 的完整网页地址）")
    page = url.partition("#")[0]
    signed = f"jsapi_ticket={jsapi_ticket}&noncestr={noncestr}&timestamp={timestamp}&url={page}"
    try:
        return sha1(signed.encode()).hexdigest()  # noqa: S324  # WeChat's choice
    except UnicodeEncodeError:
        raise CallError("a signed value is not text") from None


@clears_locals
def make_config(
    appid: str,
    jsapi_ticket: str,
    url: str,
    js_api_list: Iterable[str],
    *,
    open_tag_list: Iterable[str] = (),
    debug: bool = False,
    now: Callable[[], float] = time.time,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> dict[str, object]:
    """JS-SDK 权限验证配置: return the parameters of ``wx.config``, ready for JSON.

    Args:
        appid: AppID of the account that *jsapi_ticket* belongs to.
        jsapi_ticket: The account's ticket of type ``jsapi``. The result does not contain it.
        url: URL of the page, as in `compute_signature`. The page can send its ``location.href``.
        js_api_list: Names of the interfaces that the page uses, such as ``["chooseImage", "scanQRCode"]``.
        open_tag_list: Names of the open tags that the page uses, such as ``["wx-open-launch-weapp"]``.
        debug: If true, WeChat shows the answers of all interfaces to all visitors of the page.
        now: Clock, seconds since the epoch.
        random_bytes: Source of ``nonceStr``; a parameter for tests.

    Raises:
        CallError: As in `compute_signature`, or a list contains something that is not text.

    Example:
        >>> config = make_config("wx0123456789abcdef", "TICKET", "https://example.com/page", ["chooseImage"])
        >>> list(config)
        ['debug', 'appId', 'timestamp', 'nonceStr', 'signature', 'jsApiList']

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html
    """
    _check_texts(appid=appid)
    timestamp, noncestr = int(now()), random_bytes(8).hex()
    config: dict[str, object] = {
        "debug": debug,
        "appId": appid,
        "timestamp": timestamp,
        "nonceStr": noncestr,
        "signature": compute_signature(jsapi_ticket, noncestr=noncestr, timestamp=str(timestamp), url=url),
        "jsApiList": texts(js_api_list, "js_api_list"),
    }
    tags = texts(open_tag_list, "open_tag_list")
    return {**config, "openTagList": tags} if tags else config


@clears_locals
def compute_card_signature(api_ticket: str, *values: str) -> str:
    """卡券签名: return the signature of ``addCard`` or ``chooseCard``.

    The documentation of each interface lists the values to sign. Their order does not matter, and empty values change
    nothing.

    Args:
        api_ticket: The account's ticket of type ``wx_card``, which is not the ticket of `compute_signature`.
        values: The other signed values, such as timestamp, nonce_str, card_id, code and openid.

    Returns:
        40 lower-case hexadecimal digits.

    Raises:
        CallError: *api_ticket* is empty, or a value is not text.

    Example:
        >>> compute_card_signature("TICKET", "1414587457", "NONCE", "CARD")
        'e73d8ddcdfdb0dfad1d329b5cc4723a9b240754e'

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html
    """
    _check_texts(api_ticket=api_ticket)
    try:
        return signature.compute_signature(api_ticket, *values)
    except MalformedPush:
        raise CallError("a signed value is not text") from None


def _check_texts(**values: str) -> None:
    for name, value in values.items():
        if not isinstance(value, str) or not value:
            raise CallError(f"{name} must be a text that is not empty（{name} 不能为空）")
