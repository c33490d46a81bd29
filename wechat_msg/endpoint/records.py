"""The records of a push in the store: who runs its handler, and its reply; as bytes that begin with a format byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import ReplyError, StoreError
from wechat_msg.replies import Acknowledgement, RenderedReply

__all__ = ["NAME", "Done", "Run", "dump_texts", "load_record", "load_texts"]

_RUN, _DONE, _TEXTS = b"\x01R", b"\x01D", b"\x01T"  # the format byte, and the kind of the value
_LENGTH = 4  # bytes

NAME = 8
"""Characters in the name of a delivery, with which the third part of its claims begins."""


@frozen
class Run:
    """The record of a push whose handler runs.

    Attributes:
        claim: Lane, process and a random text, joined by dots; no two claims are equal.
        late: Whether the push was answered without its reply.
    """

    claim: str
    late: bool = False

    @property
    def name(self) -> str:
        """The delivery that made the claim."""
        return self.claim.rpartition(".")[2][:NAME]

    def dump(self) -> bytes:
        """Return the record as bytes."""
        return _RUN + _pack("late" if self.late else "", self.claim)


@frozen
class Done:
    """The record of a push whose handler has ended.

    Attributes:
        claim: The claim that ended.
        reply: What every re-send gets.
    """

    claim: str
    reply: Acknowledgement | RenderedReply

    def dump(self) -> bytes:
        """Return the record as bytes."""
        if isinstance(self.reply, Acknowledgement):
            return _DONE + _pack(self.claim, self.reply.body)
        documents = [text for document in self.reply.documents.items() for text in document]
        return _DONE + _pack(self.claim, *documents)


def load_record(raw: bytes) -> Run | Done:
    """Return the record that `Run.dump` or `Done.dump` wrote.

    Raises:
        StoreError: They did not write the value; it may be that of a later release.
    """
    try:
        kind, texts = raw[:2], _unpack(raw[2:])
        if kind == _RUN:
            late, claim = texts
            return Run(_check_claim(claim), late={"": False, "late": True}[late])
        if kind == _DONE:
            claim, *texts = texts
            if len(texts) == 1:
                return Done(_check_claim(claim), Acknowledgement(body=texts[0]))
            documents = dict(zip(texts[::2], texts[1::2], strict=True))
            if documents and documents.keys() <= {"xml", "json"}:
                return Done(_check_claim(claim), RenderedReply(documents=cast("Any", documents)))
    except (KeyError, ValueError, ReplyError):
        pass
    raise StoreError("the store holds a value that is not a record of a push")


def _check_claim(claim: str) -> str:
    if claim.count(".") != 2:
        raise ValueError
    return claim


def dump_texts(texts: Sequence[str]) -> bytes:
    """Return other values, such as the name of a process, as bytes."""
    return _TEXTS + _pack(*texts)


def load_texts(raw: bytes | None) -> list[str]:
    """Return what `dump_texts` wrote; an empty list if there is no value.

    Raises:
        StoreError: It did not write the value.
    """
    if raw is None:
        return []
    try:
        if raw[:2] == _TEXTS:
            return _unpack(raw[2:])
    except ValueError:
        pass
    raise StoreError("the store holds a value that is neither a lane nor a number of tries")


def _pack(*texts: str) -> bytes:
    parts: list[bytes] = []
    for text in texts:
        part = text.encode()
        parts += (len(part).to_bytes(_LENGTH), part)
    return b"".join(parts)


def _unpack(raw: bytes) -> list[str]:
    texts: list[str] = []
    while raw:
        end = _LENGTH + int.from_bytes(raw[:_LENGTH])
        if len(raw) < max(end, _LENGTH):
            raise ValueError("a text is cut off")
        texts.append(raw[_LENGTH:end].decode())
        raw = raw[end:]
    return texts
