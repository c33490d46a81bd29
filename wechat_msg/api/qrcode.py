"""带参数二维码: QR codes of an Official Account that tell which of them was scanned, and short keys (短 key 托管)."""

from __future__ import annotations

from typing import BinaryIO

from wechat_msg._tracebacks import clears_locals
from wechat_msg.api._arguments import without_none, write_query
from wechat_msg.api.call import Call, File, Progress, post
from wechat_msg.api.media import refuse_json, take_file
from wechat_msg.api.reading import Reads, Result, Takes
from wechat_msg.errors import CallError
from wechat_msg.fields import content, model, text, timestamp

__all__ = ["LongData", "QRCode", "create", "fetch_short_key", "gen_short_key", "get_image", "make_image_url"]

_HOST = "https://mp.weixin.qq.com"
_IMAGE = "/cgi-bin/showqrcode"


# --- QR codes --------------------------------------------------------------------------------------------------------


@model
class QRCode(Result):
    """A QR code.

    Attributes:
        ticket: Stands for it in `get_image` and `make_image_url`. No repr shows it.
        expire_seconds: Seconds that it lasts; None: for ever.
        url: What the code says, to draw it oneself.
    """

    ticket: str = text("ticket", repr=False)
    expire_seconds: int | None = None
    url: str = ""


def create(scene: int | str, expire_seconds: int | None = None) -> Call[QRCode]:
    """创建二维码 ticket: make a QR code; whoever scans it causes a `SubscribeEvent` or `ScanEvent` with its scene.

    Args:
        scene: A number from 1 to 100000, or of 32 bits if the code is temporary; or a text of 1 to 64 characters.
        expire_seconds: Seconds that it lasts, up to 2592000 (30 days); None: for ever, and there are 100,000 of those
            at most.

    Raises:
        CallError: *scene* is neither a number nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html
    """
    if isinstance(scene, bool) or not isinstance(scene, (int, str)):
        raise CallError("scene must be a whole number or text")
    limit = "LIMIT_" if expire_seconds is None else ""
    kind, member = ("STR_", "scene_str") if isinstance(scene, str) else ("", "scene_id")
    body = without_none(
        expire_seconds=expire_seconds,
        action_name=f"QR_{limit}{kind}SCENE",
        action_info={"scene": {member: scene}},
    )
    return post("/cgi-bin/qrcode/create", body, Reads(QRCode))


@clears_locals
def get_image(ticket: str, *, into: BinaryIO | None = None, progress: Progress | None = None) -> Call[File]:
    """通过 ticket 换取二维码: download the picture of a QR code, a jpg.

    Args:
        ticket: Its ticket.
        into: Takes the bytes: opened for writing bytes; None: they are kept in memory.
        progress: Is called with the number of bytes received and their total.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html
    """
    return Call(
        "GET",
        _IMAGE,
        refuse_json,
        {"ticket": ticket},
        parse_file=take_file,
        into=into,
        progress=progress,
        is_repeatable=True,
        needs_access_token=False,
        host=_HOST,
    )


@clears_locals
def make_image_url(ticket: str) -> str:
    """通过 ticket 换取二维码: return the URL of the picture, which any page may show.

    Args:
        ticket: Its ticket.

    Example:
        >>> make_image_url("gQH47j/A+w==")
        'https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH47j%2FA%2Bw%3D%3D'

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html
    """
    return f"{_HOST}{_IMAGE}?{write_query({'ticket': ticket}, 'the query')}"


# --- short keys ------------------------------------------------------------------------------------------------------


@model
class LongData(Result):
    """What a short key stands for.

    Attributes:
        long_data: The text. No repr shows it.
        create_time: When it was stored, in seconds since the epoch.
        expire_seconds: Seconds that are left.
    """

    long_data: str = content("long_data")
    create_time: int | None = timestamp("create_time", default=None)
    expire_seconds: int | None = None


def gen_short_key(long_data: str, expire_seconds: int) -> Call[str]:
    """短 key 托管: store a text with WeChat and get a short key for it.

    Args:
        long_data: Up to 4 KB.
        expire_seconds: Seconds that it is kept; up to 2592000 (30 days).

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/KEY_Shortener.html
    """
    body = {"long_data": long_data, "expire_seconds": expire_seconds}
    return post("/cgi-bin/shorten/gen", body, Takes("short_key", str))


def fetch_short_key(short_key: str) -> Call[LongData]:
    """短 key 还原: get back the text that a short key stands for.

    Args:
        short_key: The key.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/KEY_Shortener.html
    """
    return post("/cgi-bin/shorten/fetch", {"short_key": short_key}, Reads(LongData), is_repeatable=True)
