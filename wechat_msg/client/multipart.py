"""MultipartBody: a multipart/form-data body that is read while it is sent, so that a large file is never in memory."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from wechat_msg.api.call import Upload
from wechat_msg.errors import CallError

__all__ = ["MultipartBody"]

_UNREADABLE = (OSError, ValueError, TypeError, AttributeError)
_NO_FILE = (
    "the file to upload must be bytes (or a bytearray or memoryview), a path, or a file object opened for reading bytes"
    "（要上传的文件应为 bytes、路径，或以二进制模式打开的文件对象）"
)


class MultipartBody:
    """The body of one upload; `open` it before each try, and `close` it after the last one.

    HTTP libraries use it like a file: it has a length and is read in pieces.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        boundary = secrets.token_hex(16)
        self.content_type: str = f"multipart/form-data; boundary={boundary}"
        try:
            self._head = "".join(_write_head(upload, boundary)).encode()
        except UnicodeEncodeError:
            raise CallError(
                "a form field holds a character that UTF-8 cannot encode（表单字段含有 UTF-8 无法编码的字符）"
            ) from None
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._file: BinaryIO | None = None
        self._is_ours = False
        self._start = self._size = self._sent = 0

    def open(self) -> None:
        """Open the file, or go back to its start.

        Raises:
            CallError: The file cannot be read.
        """
        self._sent = 0
        try:
            if self._file is None:
                self._file, self._is_ours = self._find_file()
                self._start = self._file.tell()
                self._size = self._file.seek(0, os.SEEK_END) - self._start
            self._file.seek(self._start)
            is_binary = isinstance(self._file.read(0), bytes)
        except CallError:
            raise
        except _UNREADABLE as error:
            raise self._refuse(error) from error
        if not is_binary:
            raise CallError(_NO_FILE)

    def _refuse(self, error: Exception) -> CallError:
        file = self._upload.file
        name = f" {os.fsdecode(file)}" if isinstance(file, (str, os.PathLike)) else ""
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        return CallError(f"cannot read the file to upload{name}: {why}", hint=f"无法读取要上传的文件{name}")

    def _find_file(self) -> tuple[BinaryIO, bool]:
        file = self._upload.file
        if isinstance(file, bytes):
            return io.BytesIO(file), True
        if isinstance(file, (str, os.PathLike)):
            opened = Path(file).open("rb")  # noqa: SIM115, closed in close
            if opened.seekable():
                return opened, True
            with opened:
                return self._copy(opened), True
        if not hasattr(file, "read"):
            raise CallError(_NO_FILE)
        return (file, False) if file.seekable() else (self._copy(file), True)

    def _copy(self, pipe: BinaryIO) -> BinaryIO:
        copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115, closed in close
        self._file, self._is_ours = copy, True
        shutil.copyfileobj(pipe, copy)
        copy.seek(0)
        return copy

    def close(self) -> None:
        """Close what `open` opened; a file object of the user's goes back to its start, for another call."""
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.close() if self._is_ours else self._file.seek(self._start)

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(1 << 16), b"")

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, *size* at most; no bytes at the end."""
        left = len(self) - self._sent
        piece = self._read(left if size < 0 else min(size, left))
        self._sent += len(piece)
        if self._upload.progress is not None and piece:
            self._upload.progress(self._sent, len(self))
        return piece

    def _read(self, size: int) -> bytes:
        """Return bytes of the current part: head, file or tail."""
        in_file = self._sent - len(self._head)
        if in_file < 0:
            return self._head[self._sent : self._sent + size]
        if in_file >= self._size:
            return self._tail[in_file - self._size :][:size]
        return self._read_file(min(size, self._size - in_file))

    def _read_file(self, size: int) -> bytes:
        try:
            piece = cast("BinaryIO", self._file).read(size)
        except _UNREADABLE as error:
            raise self._refuse(error) from error
        if not isinstance(piece, bytes):
            raise CallError(_NO_FILE)
        if size and not piece:
            raise CallError("the file to upload became shorter while it was sent（要上传的文件在发送时变短了）")
        return piece


def _write_head(upload: Upload, boundary: str) -> Iterator[str]:
    for name, value in upload.fields.items():
        yield f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    yield f'--{boundary}\r\nContent-Disposition: form-data; name="{upload.name}"; filename="{upload.filename}"\r\n'
    yield f"Content-Type: {upload.content_type}\r\n\r\n"
