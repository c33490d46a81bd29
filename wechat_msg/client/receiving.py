"""Receiver: receives an answer piece by piece; JSON is collected, a file is written to its destination."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from wechat_msg._json import read_object
from wechat_msg.api._response import APIResponse
from wechat_msg.api.call import File, Progress
from wechat_msg.client.disposition import decode_header, read_filename
from wechat_msg.errors import AnswerLost, CallError, UnreadableAnswer

__all__ = ["FileWriter", "Receiver"]

_OK = 200
_WITHOUT_BODY = (204, 205, 304)
_MAX_JSON = 16 << 20
_MAX_IN_MEMORY = 64 << 20
_MAX_ERROR = 1 << 16  # JSON in place of a file is some hundred bytes
_BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"


class FileWriter:
    """The destination of a downloaded file, for all tries of a call.

    Raises:
        CallError: The file object cannot be written, now or later.
    """

    def __init__(self, into: BinaryIO | None) -> None:
        self.is_memory: bool = into is None
        self._into: BinaryIO = io.BytesIO() if into is None else into
        self.written: int = 0
        with _explaining_write_errors():
            self._start = self._into.tell() if self._into.seekable() else None

    def restart(self) -> bool:
        """Go back to where the first byte was written; return False if that is impossible, as in a pipe."""
        if self.written and self._start is not None:
            with _explaining_write_errors():
                self._into.seek(self._start)
                self._into.truncate()
            self.written = 0
        return not self.written

    def write(self, piece: bytes) -> None:
        """Write the next bytes."""
        with _explaining_write_errors():
            left = piece
            while left:
                count = self._into.write(left)
                if count is None and isinstance(self._into, io.RawIOBase):
                    raise BlockingIOError
                left = left[count:] if count else b""  # a raw file may write a part; other files may return None
        self.written += len(piece)
        if self.is_memory and self.written > _MAX_IN_MEMORY:
            size = _MAX_IN_MEMORY >> 20
            raise UnreadableAnswer(f"a file of more than {size} MB needs into=（文件超过 {size} MB，请用 into=）")

    def content(self) -> bytes:
        """Return the bytes, if they are kept in memory."""
        return self._into.getvalue() if isinstance(self._into, io.BytesIO) and self.is_memory else b""


@contextlib.contextmanager
def _explaining_write_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CallError(f"into cannot be written: {type(error).__name__}") from error


class Receiver:
    """The receiver of one answer.

    Args:
        writer: The destination of a file; None if the answer is never a file.
        progress: Called with the number of bytes of the file that have come.
        get_deadline: Called when the headers have come; returns when an answer that is not a file must be complete.
        monotonic: The clock of that deadline.
    """

    def __init__(
        self,
        writer: FileWriter | None,
        progress: Progress | None,
        *,
        get_deadline: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._writer = writer
        self._progress = progress
        self._get_deadline = get_deadline
        self._monotonic = monotonic
        self._deadline = 0.0
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._collected = bytearray()
        self._is_file = False

    @property
    def writes_a_file(self) -> bool:
        """Whether `feed` writes to a file object of the user's, which may be slow."""
        return self._writer is not None and not self._writer.is_memory

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Receive status and headers, whose values were decoded as ISO 8859-1."""
        self._status = status
        self._headers = {name.lower(): decode_header(value) for name, value in headers.items()}
        self._deadline = self._get_deadline()

    def feed(self, piece: bytes) -> None:
        """Receive the next bytes of the body.

        Raises:
            AnswerLost: The answer is not complete in time.
            UnreadableAnswer: The answer is too long.
            CallError: The file object cannot be written.
        """
        if self._is_file:
            self._write(piece)
            return
        self._collected += piece
        if self._looks_like_a_file():
            self._write_collected()
        elif len(self._collected) > _MAX_JSON:
            size = _MAX_JSON >> 20
            raise UnreadableAnswer(f"HTTP {self._status}: more than {size} MB（应答超过 {size} MB）", self._status)
        elif self._monotonic() > self._deadline:
            raise AnswerLost("the answer was not complete in time")

    def end(self) -> APIResponse:
        """Return the complete answer.

        Raises:
            AnswerLost: No body has come, and no header announces that: requests accepts incomplete headers.
            CallError: The file object cannot be written.
        """
        if not self._collected and not self._is_file and self._is_open_ended:
            raise AnswerLost(f"HTTP {self._status}: the answer ends before its body")
        if not self._is_file and self._is_file_like_json():
            self._write_collected()
        file = self._make_file(self._writer) if self._is_file and self._writer else None
        return APIResponse(self._status, self._content_type, bytes(self._collected), file)

    @property
    def _is_open_ended(self) -> bool:
        announces_length = "content-length" in self._headers or "transfer-encoding" in self._headers
        return not announces_length and self._status not in _WITHOUT_BODY

    @property
    def _content_type(self) -> str:
        return self._headers.get("content-type", "")

    @property
    def _is_text(self) -> bool:
        return any(word in self._content_type.lower() for word in ("json", "text"))

    def _looks_like_a_file(self) -> bool:
        """Decide by the first character, as the Content-Type of an error is not reliable."""
        if self._writer is None or self._status != _OK or "text/html" in self._content_type.lower():
            return False
        start = self._collected[:64].lstrip(_BEFORE_JSON)
        if start[:1] == b"{":
            return len(self._collected) > _MAX_ERROR and not self._is_text
        return bool(start)

    def _is_file_like_json(self) -> bool:
        """Tell whether an answer that began like JSON is a small file."""
        if self._writer is None or self._status != _OK or self._is_text or not self._collected:
            return False
        return read_object(bytes(self._collected)) is None

    def _write_collected(self) -> None:
        self._is_file = True
        collected, self._collected = bytes(self._collected), bytearray()
        self._write(collected)

    def _write(self, piece: bytes) -> None:
        if self._writer is not None:
            self._writer.write(piece)
            if self._progress is not None:
                self._progress(self._writer.written, self._get_total())

    def _get_total(self) -> int | None:
        length = self._headers.get("content-length", "")
        is_plain = "content-encoding" not in self._headers and length.isascii() and length.isdecimal()
        return int(length[:18]) if is_plain else None

    def _make_file(self, writer: FileWriter) -> File:
        return File(
            content=writer.content(),
            size=writer.written,
            content_type=self._content_type,
            filename=read_filename(self._headers.get("content-disposition", "")),
            headers=self._headers,
        )
