"""小程序码: codes that open a page of a Mini Program when they are scanned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from wechat_msg.api._arguments import optional_mapping, without_none
from wechat_msg.api.call import Call, File, Progress
from wechat_msg.api.media import reject_json, return_file

__all__ = ["create_wxa_qrcode", "get_wxacode", "get_wxacode_unlimit"]


def get_wxacode(
    path: str,
    *,
    width: int | None = None,
    auto_color: bool | None = None,
    line_color: Mapping[str, int] | None = None,
    is_hyaline: bool | None = None,
    env_version: str | None = None,
    into: BinaryIO | None = None,
    progress: Progress | None = None,
) -> Call[File]:
    """获取小程序码: make a code for a page with its query.

    An account can make 100,000 different codes, including those of `create_wxa_qrcode`. The header ``num-used`` of the
    file is the number of codes made so far.

    Args:
        path: The page with its query; up to 1,024 characters.
        width: Width in pixels.
        auto_color: Whether WeChat chooses the colour.
        line_color: The colour: ``{"r": 0, "g": 0, "b": 0}``.
        is_hyaline: Whether the background is transparent.
        env_version: Version that opens: ``release``, ``trial`` or ``develop``.
        into: File object, opened for writing bytes, that receives the file; None if it is kept in memory.
        progress: Called with the number of bytes received and the total.

    Raises:
        CallError: *line_color* is not a mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/getQRCode.html
    """
    body = without_none(
        path=path,
        width=width,
        auto_color=auto_color,
        line_color=optional_mapping(line_color, "line_color"),
        is_hyaline=is_hyaline,
        env_version=env_version,
    )
    return _make_call("/wxa/getwxacode", body, into, progress)


def get_wxacode_unlimit(
    scene: str,
    *,
    page: str | None = None,
    check_path: bool | None = None,
    env_version: str | None = None,
    width: int | None = None,
    auto_color: bool | None = None,
    line_color: Mapping[str, int] | None = None,
    is_hyaline: bool | None = None,
    into: BinaryIO | None = None,
    progress: Progress | None = None,
) -> Call[File]:
    """获取不限制的小程序码: make a code for a page with a scene. Their number is unlimited, at 5,000 a minute.

    Args:
        scene: Up to 32 digits, letters and characters of ``!#$&'()*+,/:;=?@-._~``.
        page: The page, without a leading slash and without query; None for the start page.
        check_path: Whether WeChat refuses a page that has not been released; None means yes.
        env_version: As for `get_wxacode`.
        width: Width in pixels, 280 to 1,280.
        auto_color: As for `get_wxacode`.
        line_color: As for `get_wxacode`.
        is_hyaline: As for `get_wxacode`.
        into: As for `get_wxacode`.
        progress: As for `get_wxacode`.

    Raises:
        CallError: *line_color* is not a mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/getUnlimitedQRCode.html
    """
    body = without_none(
        scene=scene,
        page=page,
        check_path=check_path,
        env_version=env_version,
        width=width,
        auto_color=auto_color,
        line_color=optional_mapping(line_color, "line_color"),
        is_hyaline=is_hyaline,
    )
    return _make_call("/wxa/getwxacodeunlimit", body, into, progress, is_repeatable=True)


def create_wxa_qrcode(
    path: str, *, width: int | None = None, into: BinaryIO | None = None, progress: Progress | None = None
) -> Call[File]:
    """获取小程序二维码: make a square QR code for a page with its query; it counts as one of `get_wxacode`.

    Args:
        path: The page with its query; up to 128 characters.
        width: Width in pixels.
        into: As for `get_wxacode`.
        progress: As for `get_wxacode`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/qrcode-link/qr-code/createQRCode.html
    """
    return _make_call("/cgi-bin/wxaapp/createwxaqrcode", without_none(path=path, width=width), into, progress)


def _make_call(
    path: str, body: Mapping[str, Any], into: BinaryIO | None, progress: Progress | None, *, is_repeatable: bool = False
) -> Call[File]:
    return Call(
        "POST",
        path,
        reject_json,
        json=body,
        parse_file=return_file,
        into=into,
        progress=progress,
        is_repeatable=is_repeatable,
    )
