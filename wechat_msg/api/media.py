"""临时素材: images, voice and videos that WeChat keeps for 3 days, for Official Accounts and Mini Programs."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import PurePath
from typing import Any, BinaryIO, Generic, NoReturn, TypeVar

from wechat_msg._tracebacks import frozen
from wechat_msg.api.call import Call, File, FileSource, Progress, Upload
from wechat_msg.api.results import Member, Result, ResultOf, WrongFunction
from wechat_msg.fields import model, text, timestamp

__all__ = ["UploadedMedia", "download", "download_hd_voice", "get_video_url", "upload"]

T = TypeVar("T")

_WRONG_KIND = "（该 media_id 是其他类型的素材，请改用上述函数）"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\.[A-Za-z0-9]{1,10}")
#: Functions for media that WeChat does not return as files, by the member that the response has instead.
_FUNCTIONS = {
    "video_url": "media.get_video_url",
    "down_url": "material.get_video_material",
    "news_item": "material.get_news_material",
}
_EXTENSIONS = {"image": ".jpg", "voice": ".mp3", "video": ".mp4", "thumb": ".jpg", "text": ".txt"}
_EXTENSIONS_BY_START = {b"\x89PNG": ".png", b"GIF8": ".gif", b"#!AMR": ".amr"}


def make_upload(
    type: str,
    file: FileSource,
    *,
    filename: str | None,
    content_type: str | None,
    progress: Progress | None,
    fields: Mapping[str, str] | None = None,
) -> Upload:
    """Return the file of a call; guess the file name and content type that are None, as `upload` says."""
    filename = choose_filename(file, type) if filename is None else filename
    if content_type is None:
        guessed = mimetypes.guess_type(filename)[0] if isinstance(filename, str) else None
        content_type = guessed or "application/octet-stream"
    return Upload(file=file, filename=filename, content_type=content_type, fields=fields or {}, progress=progress)


def choose_filename(file: FileSource, type: str) -> str:
    """Return the file name of an upload, as `upload` says."""
    path = file if isinstance(file, (str, PathLike)) else getattr(file, "name", None)  # may be a file descriptor
    name = PurePath(path).name if isinstance(path, (str, PathLike)) else ""
    candidates = name, f"media{PurePath(name).suffix}"
    plain = (candidate for candidate in candidates if _PLAIN_NAME.fullmatch(candidate))
    start = file[:5] if isinstance(file, bytes) else b""
    found = (extension for known, extension in _EXTENSIONS_BY_START.items() if start.startswith(known))
    return next(plain, f"media{next(found, _EXTENSIONS.get(str(type), '.bin'))}")


def return_file(file: File) -> File:
    """Return the file itself, as a reader of files."""
    return file


def reject_file(_: File) -> NoReturn:
    """Reject a response that is a file: always raise `WrongFunction`."""
    raise WrongFunction(f"media_id is that of a file: use media.download or material.get_material{_WRONG_KIND}")


def reject_json(answer: Mapping[str, Any]) -> NoReturn:
    """Reject a JSON response where a file or another kind of media is expected.

    Raises:
        WrongFunction: The response is that of media which another function reads.
        LookupError: The response is something else.
    """
    for member, function in _FUNCTIONS.items():
        if member in answer:
            raise WrongFunction(f"media_id is that of another kind of media: use {function}{_WRONG_KIND}")
    raise LookupError("file")


@frozen
class MediaResult(Generic[T]):
    """Reader of a response that has *member*; it rejects one about another kind of media."""

    member: str
    read: Callable[[Mapping[str, Any]], T]

    def __call__(self, answer: Mapping[str, Any]) -> T:
        return self.read(answer) if self.member in answer else reject_json(answer)


@model
class UploadedMedia(Result):
    """An uploaded file.

    Attributes:
        media_id: Media id; for a thumb, the thumb_media_id.
        type: Type of the upload.
        created_at: Time of the upload, in seconds since the epoch.
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
    """新增临时素材: upload an image, voice or video for 3 days.

    The call is repeatable: if a response is lost, at worst a second media id exists for 3 days.

    Args:
        type: ``image``: png, jpeg, jpg or gif, 10 MB (2 MB by another note; unconfirmed). ``voice``: amr or mp3, 2 MB,
            60 seconds. ``video``: mp4, 10 MB. ``thumb``: jpg, 64 KB.
        file: The bytes, a path, or a file object opened for reading bytes.
        filename: Plain ASCII. If None, it is the name of the path or the file object if that is plain and has an
            extension, else ``media`` with an extension that fits *type*, or bytes that begin as png, gif or amr do.
        content_type: If None, it is guessed from the extension of the file name.
        progress: Called with the number of bytes sent and the total.

    Raises:
        CallError: *filename* is not plain ASCII.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html
    """
    return Call(
        "POST",
        "/cgi-bin/media/upload",
        ResultOf(UploadedMedia),
        {"type": type},
        upload=make_upload(type, file, filename=filename, content_type=content_type, progress=progress),
        is_repeatable=True,
    )


def download(media_id: str, *, into: BinaryIO | None = None, progress: Progress | None = None) -> Call[File]:
    """获取临时素材: download an image or voice that was uploaded, or that a user sent, in the last 3 days.

    For a video WeChat returns only a URL: sending the call raises `CallError`; use `get_video_url`.

    Args:
        media_id: Media id.
        into: File object, opened for writing bytes, that receives the file; None if it is kept in memory.
        progress: Called with the number of bytes received and the total.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
    """
    return _download("/cgi-bin/media/get", media_id, into, progress)


def get_video_url(media_id: str) -> Call[str]:
    """获取临时素材（视频）: get the URL of a video that was uploaded, or that a user sent, in the last 3 days.

    WeChat once returned only http URLs, so check whether https works.

    Args:
        media_id: Media id of the video; sending the call with the id of other media raises `CallError`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
    """
    return Call(
        "GET",
        "/cgi-bin/media/get",
        MediaResult("video_url", Member("video_url", str)),
        {"media_id": media_id},
        parse_file=reject_file,
        is_repeatable=True,
    )


def download_hd_voice(media_id: str, *, into: BinaryIO | None = None, progress: Progress | None = None) -> Call[File]:
    """获取高清语音素材: download a voice recorded with the JS-SDK, as speex with 16 kHz.

    Args:
        media_id: Media id from the JS-SDK.
        into: As for `download`.
        progress: As for `download`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
    """
    return _download("/cgi-bin/media/get/jssdk", media_id, into, progress)


def _download(path: str, media_id: str, into: BinaryIO | None, progress: Progress | None) -> Call[File]:
    return Call(
        "GET",
        path,
        reject_json,
        {"media_id": media_id},
        parse_file=return_file,
        into=into,
        progress=progress,
        is_repeatable=True,
    )
