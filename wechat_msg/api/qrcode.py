"""带参数二维码: QR codes of an Official Account that carry a scene, and short keys (短 key 托管)."""

from __future__ import annotations

from typing import BinaryIO

from wechat_msg._tracebacks import clears_locals
from wechat_msg.api._arguments import without_none, write_query
from wechat_msg.api.call import Call, File, Progress, post
from wechat_msg.api.media import reject_json, return_file
from wechat_msg.api.results import Member, Result, ResultOf
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
        ticket: Argument for `get_image` and `make_image_url`. No repr shows it.
        expire_seconds: Seconds until it expires; None if it never does.
        url: Content of the code, for drawing it yourself.
    """

    ticket: str = text("ticket", repr=False)
    expire_seconds: int | None = None
    url: str = ""


def create(scene: int | str, expire_seconds: int | None = None) -> Call[QRCode]:
    """创建二维码 ticket: make a QR code; a scan causes a `SubscribeEvent` or `ScanEvent` with its scene.

    Args:
        scene: A number from 1 to 100000, or of 32 bits if the code is temporary; or a text of 1 to 64 characters.
        expire_seconds: Seconds until it expires, up to 2592000 (30 days). If None it is permanent; an account has at
            most 100,000 permanent ones.

    Raises:
        CallError: *scene* is neither an int nor a text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html
    """
    if isinstance(scene, bool) or not isinstance(scene, (int, str)):
        raise CallError("scene must be a whole number or a text（scene 应为整数或文本）")
    limit = "LIMIT_" if expire_seconds is None else ""
    kind, member = ("STR_", "scene_str") if isinstance(scene, str) else ("", "scene_id")
    body = without_none(
        expire_seconds=expire_seconds, action_name=f"QR_{limit}{kind}SCENE", action_info={"scene": {member: scene}}
    )
    return post("/cgi-bin/qrcode/create", body, ResultOf(QRCode))


@clears_locals
def get_image(ticket: str, *, into: BinaryIO | None = None, progress: Progress | None = None) -> Call[File]:
    """通过 ticket 换取二维码: download the image of a QR code, a jpg.

    Args:
        ticket: Ticket of the code.
        into: File object, opened for writing bytes, that receives the file; None if it is kept in memory.
        progress: Called with the number of bytes received and the total.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html
    """
    return Call(
        "GET",
        _IMAGE,
        reject_json,
        {"ticket": ticket},
        parse_file=return_file,
        into=into,
        progress=progress,
        is_repeatable=True,
        needs_access_token=False,
        host=_HOST,
    )


@clears_locals
def make_image_url(ticket: str) -> str:
    """通过 ticket 换取二维码: return the URL of the image, which any page may show.

    Args:
        ticket: Ticket of the code.

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
    """Text stored under a short key.

    Attributes:
        long_data: The text. No repr shows it.
        create_time: Time of its storage, in seconds since the epoch.
        expire_seconds: Seconds until it expires.
    """

    long_data: str = content("long_data")
    create_time: int | None = timestamp("create_time", default=None)
    expire_seconds: int | None = None


def gen_short_key(long_data: str, expire_seconds: int) -> Call[str]:
    """短 key 托管: store a text at WeChat and get a short key for it.

    Args:
        long_data: The text, up to 4 KB.
        expire_seconds: Seconds until it expires, up to 2592000 (30 days).

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/KEY_Shortener.html
    """
    body = {"long_data": long_data, "expire_seconds": expire_seconds}
    return post("/cgi-bin/shorten/gen", body, Member("short_key", str))


def fetch_short_key(short_key: str) -> Call[LongData]:
    """短 key 还原: get the text that is stored under a short key.

    Args:
        short_key: The key.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Account_Management/KEY_Shortener.html
    """
    return post("/cgi-bin/shorten/fetch", {"short_key": short_key}, ResultOf(LongData), is_repeatable=True)
