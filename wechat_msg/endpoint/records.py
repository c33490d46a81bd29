"""What stands in the store: the record of a push, its entry in the inbox; as bytes that begin with a format byte.

`kept` has the queue of a user's kept answers.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal, cast

from attrs import field

from wechat_msg._tracebacks import define, frozen
from wechat_msg.endpoint.late import LostReason
from wechat_msg.errors import ReplyError, StoreError
from wechat_msg.replies import Acknowledgement, RenderedReply
from wechat_msg.wire import Format

__all__ = [
    "NAME",
    "NOBODY",
    "Done",
    "EntryState",
    "Free",
    "InboxEntry",
    "Kind",
    "Record",
    "Run",
    "UnreadableEntry",
    "dump_texts",
    "load_entry",
    "load_record",
    "load_texts",
    "pack",
    "unpack",
]

# The format byte, and the kind of the value.
_RUN, _FREE, _DONE, _CARRIES, _ENTRY, _TEXTS = b"\x02R", b"\x02F", b"\x02D", b"\x02C", b"\x02E", b"\x02T"
_AS_IT_CAME = "surrogateescape"  # a push may hold bytes that are not UTF-8

EntryState = Literal["open", "answered", "lost"]
Kind = Literal["question", "fetch"]
"""Whether a push is handled, or gets an answer that was kept."""

# What a record begins with if its push was answered without the reply, and of which kind it is.
_STATES: dict[tuple[bool, Kind], str] = {
    (False, "question"): "",
    (True, "question"): "late",
    (False, "fetch"): "fetch",
    (True, "fetch"): "late fetch",
}
_READ_STATES = {text: state for state, text in _STATES.items()}

NAME = 8
"""Characters in the name of a delivery, with which the third part of its claims begins."""
NOBODY = "-" * NAME
"""Stands for the name in the claim of a process that works without a delivery."""


@define
class Run:
    """The record of a push whose handler runs.

    Attributes:
        claim: Lane, process and a random text, joined by dots; no two claims are equal.
        slot: Where the inbox has the push: lane and number, joined by a colon; empty if it has not.
        late: Whether the push was answered without its reply.
        kind: Whether the push is handled, or gets an answer that was kept.
    """

    claim: str
    slot: str = ""
    late: bool = False
    kind: Kind = "question"

    @property
    def name(self) -> str:
        """The delivery that made the claim; empty if none did."""
        return self.claim.rpartition(".")[2][:NAME].removeprefix(NOBODY)

    def dump(self) -> bytes:
        """Return the record as bytes."""
        return _RUN + pack(_STATES[self.late, self.kind], self.claim, self.slot)


@define
class Free(Run):
    """The record of a push that is in the inbox, and whose handler does not run; *claim* is the last one."""

    def dump(self) -> bytes:
        """Return the record as bytes."""
        return _FREE + pack(_STATES[self.late, self.kind], self.claim, self.slot)


@define
class Done:
    """The record of a push whose handler has ended.

    Attributes:
        claim: The claim that ended.
        reply: What every re-send gets.
        slot: Where the inbox has what is still to be sent; empty if there is nothing.
        carries: Which part of a kept answer the reply is: the id of the item, and the number of the part.
    """

    claim: str
    reply: Acknowledgement | RenderedReply
    slot: str = ""
    carries: tuple[str, int] | None = None

    def dump(self) -> bytes:
        """Return the record as bytes."""
        if isinstance(self.reply, Acknowledgement):
            texts = [self.reply.body]
        else:
            texts = [text for document in self.reply.documents.items() for text in document]
        if self.carries is None:
            return _DONE + pack(self.claim, self.slot, *texts)
        item, part = self.carries
        return _CARRIES + pack(item, str(part), self.claim, self.slot, *texts)


Record = Run | Done
"""A record of a push."""


def load_record(raw: bytes) -> Record:
    """Return the record that `Run.dump`, `Free.dump` or `Done.dump` wrote.

    Raises:
        StoreError: They did not write the value; it may be that of a later release.
    """
    try:
        form, texts = raw[:2], unpack(raw[2:])
        if form in (_RUN, _FREE):
            state, claim, slot = texts
            return (Run if form == _RUN else Free)(_check_claim(claim), slot, *_READ_STATES[state])
        carries = None
        if form == _CARRIES:
            item, part, *texts = texts
            carries = item, int(part)
        if form in (_DONE, _CARRIES):
            claim, slot, *texts = texts
            if len(texts) == 1:
                return Done(_check_claim(claim), Acknowledgement(body=texts[0]), slot, carries)
            documents = dict(zip(texts[::2], texts[1::2], strict=True))
            if documents and documents.keys() <= {"xml", "json"}:
                return Done(_check_claim(claim), RenderedReply(documents=cast("Any", documents)), slot, carries)
    except (KeyError, ValueError, ReplyError):
        pass
    raise StoreError("the store holds a value that is not a record of a push")


@frozen
class InboxEntry:
    """A push in the inbox: what is needed to handle it, or to send its answer, after the death of a process.

    Attributes:
        key: The key of the record of the push.
        format: The data format of the push.
        is_sealed: Whether *document* is sealed.
        document: The push as it came: the body, or its ``Encrypt``.
        came: When it came, in seconds since the epoch.
        due: When it may be tried again, if no process works on it.
        attempt: How many runs of the handler have begun.
        claim: The claim of the process that works on it, or that did so last.
        state: ``open`` until the handler has ended, then ``answered``; ``lost`` after the last attempt.
        parts: The messages to send, as JSON.
        sent: How many of them were sent.
        reason: Why it is lost.
    """

    key: str
    format: Format
    is_sealed: bool
    document: bytes = field(repr=False)
    came: float
    due: float
    attempt: int
    claim: str
    state: EntryState = "open"
    parts: tuple[str, ...] = field(default=(), repr=False)
    sent: int = 0
    reason: LostReason | Literal[""] = ""

    def dump(self) -> bytes:
        """Return the entry as bytes."""
        numbers = (repr(self.came), repr(self.due), str(self.attempt), str(self.sent))
        sealed = "sealed" if self.is_sealed else ""
        document = self.document.decode("utf-8", _AS_IT_CAME)
        texts = (self.key, self.format, sealed, *numbers, self.claim, self.state, self.reason, document, *self.parts)
        return _ENTRY + pack(*texts, errors=_AS_IT_CAME)


class UnreadableEntry(StoreError):
    """A value is not an entry of the inbox, or one of a later release."""


def load_entry(raw: bytes) -> InboxEntry:
    """Return the entry that `InboxEntry.dump` wrote.

    Raises:
        UnreadableEntry: It did not write the value; it may be that of a later release.
    """
    try:
        key, form, sealed, came, due, attempt, sent, claim, state, reason, document, *parts = unpack(
            raw[2:], errors=_AS_IT_CAME
        )
        if raw[:2] == _ENTRY and form in ("xml", "json") and state in ("open", "answered", "lost"):
            return InboxEntry(
                key=key,
                format=cast("Format", form),
                is_sealed={"": False, "sealed": True}[sealed],
                document=document.encode("utf-8", _AS_IT_CAME),
                came=float(came),
                due=float(due),
                attempt=int(attempt),
                claim=_check_claim(claim),
                state=cast("Any", state),
                parts=tuple(parts),
                sent=int(sent),
                reason=cast("Any", reason),
            )
    except (KeyError, ValueError):
        pass
    raise UnreadableEntry("the store holds a value that is not an entry of the inbox")


def _check_claim(claim: str) -> str:
    if claim.count(".") != 2:
        raise ValueError
    return claim


def dump_texts(texts: Sequence[str]) -> bytes:
    """Return other values, such as the name of a process, as bytes."""
    return _TEXTS + pack(*texts)


def load_texts(raw: bytes | None) -> list[str]:
    """Return what `dump_texts` wrote; an empty list if there is no value.

    Raises:
        StoreError: It did not write the value.
    """
    if raw is None:
        return []
    try:
        if raw[:2] == _TEXTS:
            return unpack(raw[2:])
    except ValueError:
        pass
    raise StoreError("the store holds a value that is neither a lane nor a number")


def pack(*texts: str, errors: str = "strict") -> bytes:
    """Return texts as bytes: their lengths in characters, a line end, and the texts."""
    return f"{','.join([str(len(text)) for text in texts])}\n{''.join(texts)}".encode("utf-8", errors)


def unpack(raw: bytes, errors: str = "strict") -> list[str]:
    """Return what `pack` wrote.

    Raises:
        ValueError: It did not write the value.
    """
    head, _, joined = raw.decode("utf-8", errors).partition("\n")
    ends = [0, *itertools.accumulate(int(length) for length in head.split(",") if length)]
    texts = [joined[start:end] for start, end in itertools.pairwise(ends)]
    if pack(*texts, errors=errors) != raw:
        raise ValueError("a text is cut off")
    return texts
