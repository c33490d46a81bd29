"""PagePush: a push of the page, with everything that is known about it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg.exchange import PushRequest
from wechat_msg.testing.pushes import Mode
from wechat_msg.wire import Format

__all__ = ["PagePush"]


@define
class PagePush:
    """A push that is being sent, was sent, or was imported.

    Attributes:
        user: The user who sends it; None for the verification of the URL.
        fields: Its fields, as the page gave them.
        mode: Encryption mode.
        format: Data format.
        document: All its fields, with MsgId and CreateTime; empty until the push is over.
        replays: The entry that it repeats and, if a single try is repeated, the number of that; None if it is new.
        at: When it was sent.
        entry: Its number in the conversation.
        is_done: Whether it is over.
        tries: What the conversation shows of each try.
        wires: What the panel shows of each try.
        requests: The request of each try.
    """

    user: str | None
    fields: Mapping[str, Any]
    mode: Mode
    format: Format
    document: Mapping[str, Any] = field(factory=dict)
    replays: tuple[int, int | None] | None = None
    at: float = field(factory=time.time)
    entry: int = 0
    is_done: bool = False
    tries: list[dict[str, Any]] = field(factory=list)
    wires: list[dict[str, Any]] = field(factory=list)
    requests: list[PushRequest] = field(factory=list)

    @property
    def is_push(self) -> bool:
        """Whether it is a message or an event, and not the verification of the URL."""
        return self.user is not None

    @property
    def _size(self) -> int:
        return sum(len(request.body) for request in self.requests)

    def to_entry(self) -> dict[str, Any]:
        """Return the entry for `Chat.put`."""
        members = ("at", "user", "fields", "mode", "format", "replays", "tries", "is_done")
        wire = {"tries": self.wires, "is_done": self.is_done, "is_push": self.is_push} if self.wires else None
        shown = {name: getattr(self, name) for name in members}
        return {"kind": "message", "wire": wire, "source": self, "size": self._size, **shown}
