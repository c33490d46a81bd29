"""临时素材: pictures, voice and videos that WeChat keeps for 3 days, for Official Accounts and Mini Programs."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import PurePath
from typing import Any, BinaryIO, NoReturn

from wechat_msg.api.call import Call, File, FileSource, Progress, Upload
from wechat_msg.api.reading import Reads, Result
from wechat_msg.fields import model, text, timestamp

__all__ = ["UploadedMedia", "VideoURL", "download", "download_hd_voice", "upload"]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\.[A-Za-z0-9]{1,10}")
_ENDINGS = {"image": ".jpg", "voice": ".mp3", "video": ".mp4", "thumb": ".jpg"}


def make_upload(
    type: str,
    file: FileSource,
    *,
    filename: str | None,
    content_type: str | None,
    progress: Progress | None,
    fields: Mapping[str, str] | None = None,
) -> Upload:
    """Make the file that a call sends; what is not given is guessed as `upload` says."""
    filename = _choose_filename(file, type) if filename is None else filename
    if content_type is None:
        content_type = mimetypes.guess_type(str(filename))[0] or "application/octet-stream"
    return Upload(file=file, filename=filename, content_type=content_type, fields=fields or {}, progress=progress)


def _choose_filename(file: FileSource, type: str) -> str:
    path = file if isinstance(file, (str, PathLike)) else getattr(file, "name", None)  # which may be a number
    name = PurePath(path).name if isinstance(path, (str, PathLike)) else ""
    candidates = name, f"media{PurePath(name).suffix}"
    plain = (candidate for candidate in candidates if _PLAIN_NAME.fullmatch(candidate))
    return next(plain, f"media{_ENDINGS.get(str(type), '.bin')}")


def take_file(file: File) -> File:
    """Take an answer that is a file for the result."""
    return file


def refuse_json(_: Mapping[str, Any]) -> NoReturn:
    """Refuse an answer that is no file.

    Raises:
        LookupError: Always.
    """
    raise LookupError("file")


@model
class UploadedMedia(Result):
    """What was uploaded.

    Attributes:
        media_id: Media id; also that of a thumb, which WeChat calls thumb_media_id.
        type: As it was uploaded.
        created_at: When, in seconds since the epoch.
    """

    media_id: str = text("media_id", "thumb_media_id")
    type: str | None = None
    created_at: int | None = timestamp("created_at", default=None)


def upload(
    type: str,
    file: FileSource,
    *,
    filename: str | None = None,
    content_type: str | None = None,
    progress: Progress | None = None,
) -> Call[UploadedMedia]:
    """新增临时素材: upload a picture, voice or video for 3 days.

    It is repeated if the answer gets lost: at worst that leaves a second media id, which ends by itself.

    Args:
        type: ``image``: png, jpeg, jpg or gif, 10 MB (2 MB by another note; unconfirmed). ``voice``: amr or mp3, 2 MB,
            60 seconds. ``video``: mp4, 10 MB. ``thumb``: jpg, 64 KB.
        file: The bytes, a path, or a file object opened for reading bytes.
        filename: Plain ASCII. None: that of the path or of the file object, if it is plain and has an ending; else
            ``media`` with an ending that fits.
        content_type: None: what the file name's ending stands for.
        progress: Is called with the number of bytes sent and their total.

    Raises:
        CallError: *filename* is not plain.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html
    """
    return Call(
        "POST",
        "/cgi-bin/media/upload",
        Reads(UploadedMedia),
        {"type": type},
        upload=make_upload(type, file, filename=filename, content_type=content_type, progress=progress),
        is_repeatable=True,
    )


@model
class VideoURL(Result):
    """Where a video is.

    Attributes:
        video_url: Its address; once only http, so see whether https works.
    """

    video_url: str


def download(media_id: str, *, into: BinaryIO | None = None, progress: Progress | None = None) -> Call[File | VideoURL]:
    """获取临时素材: download what was uploaded, or what a user sent, in the last 3 days.

    A video is not downloaded: the result is its address.

    Args:
        media_id: Media id.
        into: Takes the bytes: opened for writing bytes; None: they are kept in memory.
        progress: Is called with the number of bytes received and their total.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
    """
    return Call(
        "GET",
        "/cgi-bin/media/get",
        Reads(VideoURL),
        {"media_id": media_id},
        parse_file=take_file,
        into=into,
        progress=progress,
        is_repeatable=True,
    )


def download_hd_voice(media_id: str, *, into: BinaryIO | None = None, progress: Progress | None = None) -> Call[File]:
    """获取高清语音素材: download a voice message that was recorded with the JS-SDK: speex, 16 kHz.

    Args:
        media_id: Media id that the JS-SDK gave.
        into: As for `download`.
        progress: As for `download`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
    """
    return Call(
        "GET",
        "/cgi-bin/media/get/jssdk",
        refuse_json,
        {"media_id": media_id},
        parse_file=take_file,
        into=into,
        progress=progress,
        is_repeatable=True,
    )
