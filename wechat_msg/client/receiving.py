"""How an answer is taken, piece by piece: JSON is collected, a file goes where it belongs."""

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

__all__ = ["Receiver", "Sink"]

_OK = 200
_WITHOUT_BODY = (204, 205, 304)
_MAX_JSON = 16 << 20
_MAX_IN_MEMORY = 64 << 20
_SMALL = 1 << 16  # JSON in place of a file is some hundred bytes
_BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"


class Sink:
    """Where the bytes of a file go; one for all tries of a call.

    Raises:
        CallError: The file object cannot be written, now or later.
    """

    def __init__(self, into: BinaryIO | None) -> None:
        self.is_memory: bool = into is None
        self._into: BinaryIO = io.BytesIO() if into is None else into
        self.written: int = 0
        with _about_writing():
            self._start = self._into.tell() if self._into.seekable() else None

    def restart(self) -> bool:
        """Go back to where the first byte was written; False: that cannot be done, as it is a pipe."""
        if self.written and self._start is not None:
            with _about_writing():
                self._into.seek(self._start)
                self._into.truncate()
            self.written = 0
        return not self.written

    def write(self, piece: bytes) -> None:
        """Write the next bytes."""
        with _about_writing():
            left = piece
            while left:
                taken = self._into.write(left)
                if taken is None and isinstance(self._into, io.RawIOBase):
                    raise BlockingIOError
                left = left[taken:] if taken else b""  # a raw file may take a part, others say nothing of it
        self.written += len(piece)
        if self.is_memory and self.written > _MAX_IN_MEMORY:
            raise UnreadableAnswer(f"more than {_MAX_IN_MEMORY >> 20} MB for a file kept in memory; use into=")

    def content(self) -> bytes:
        """Return the bytes, if they are kept in memory."""
        return self._into.getvalue() if isinstance(self._into, io.BytesIO) and self.is_memory else b""


@contextlib.contextmanager
def _about_writing() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CallError(f"the file object given as into cannot be written: {type(error).__name__}") from error


class Receiver:
    """Takes one answer.

    Args:
        sink: Where a file goes; None: the answer is never a file.
        progress: Is told how much of the file has come.
        deadline: Tells, when the head has come, until when the end of an answer which is no file must have come.
        monotonic: The clock for that.
    """

    def __init__(
        self,
        sink: Sink | None,
        progress: Progress | None,
        *,
        deadline: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._sink = sink
        self._progress = progress
        self._get_deadline = deadline
        self._monotonic = monotonic
        self._deadline = 0.0
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._collected = bytearray()
        self._is_file = False

    @property
    def writes_a_file(self) -> bool:
        """Whether `feed` writes into a file object of the user's, which may take its time."""
        return self._sink is not None and not self._sink.is_memory

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the head, whose values were decoded as ISO 8859-1."""
        self._status = status
        self._headers = {name.lower(): decode_header(value) for name, value in headers.items()}
        self._deadline = self._get_deadline()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            AnswerLost: It comes too slowly.
            UnreadableAnswer: It is too long.
            CallError: The file object cannot be written.
        """
        if self._is_file:
            self._write(piece)
            return
        self._collected += piece
        if self._looks_like_a_file():
            self._write_collected()
        elif len(self._collected) > _MAX_JSON:
            raise UnreadableAnswer(f"HTTP {self._status}: more than {_MAX_JSON >> 20} MB", self._status)
        elif self._monotonic() > self._deadline:
            raise AnswerLost("the answer does not come to its end")

    def end(self) -> APIResponse:
        """Return the answer, now that it is whole.

        Raises:
            AnswerLost: No body has come, and no header says so: requests takes a head that breaks off for a whole one.
            CallError: The file object cannot be written.
        """
        if not self._collected and not self._is_file and self._is_open_ended:
            raise AnswerLost(f"HTTP {self._status}: the answer breaks off before its body")
        if not self._is_file and self._is_odd_file():
            self._write_collected()
        file = self._make_file(self._sink) if self._is_file and self._sink else None
        return APIResponse(self._status, self._content_type, bytes(self._collected), file)

    @property
    def _is_open_ended(self) -> bool:
        announces_its_end = "content-length" in self._headers or "transfer-encoding" in self._headers
        return not announces_its_end and self._status not in _WITHOUT_BODY

    @property
    def _content_type(self) -> str:
        return self._headers.get("content-type", "")

    @property
    def _is_text(self) -> bool:
        return any(word in self._content_type.lower() for word in ("json", "text"))

    def _looks_like_a_file(self) -> bool:
        """Tell by the first character, as the Content-Type of an error is not reliable."""
        if self._sink is None or self._status != _OK or "text/html" in self._content_type.lower():
            return False
        start = self._collected[:64].lstrip(_BEFORE_JSON)
        if start[:1] == b"{":
            return len(self._collected) > _SMALL and not self._is_text
        return bool(start)

    def _is_odd_file(self) -> bool:
        """Tell whether what began like JSON is a small file all the same."""
        if self._sink is None or self._status != _OK or self._is_text or not self._collected:
            return False
        return read_object(bytes(self._collected)) is None

    def _write_collected(self) -> None:
        self._is_file = True
        collected, self._collected = bytes(self._collected), bytearray()
        self._write(collected)

    def _write(self, piece: bytes) -> None:
        if self._sink is not None:
            self._sink.write(piece)
            if self._progress is not None:
                self._progress(self._sink.written, self._total())

    def _total(self) -> int | None:
        length = self._headers.get("content-length", "")
        is_plain = "content-encoding" not in self._headers and length.isascii() and length.isdecimal()
        return int(length[:18]) if is_plain else None

    def _make_file(self, sink: Sink) -> File:
        return File(
            content=sink.content(),
            size=sink.written,
            content_type=self._content_type,
            filename=read_filename(self._headers.get("content-disposition", "")),
            headers=self._headers,
        )
