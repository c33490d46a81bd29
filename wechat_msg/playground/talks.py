"""Talks: what each answer is, as far as WeChat can see it: an early text, a kept answer, a part."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg.endpoint import KeepReply

__all__ = ["UNNAMED", "Talks"]

#: An answer in the last part of the time that WeChat waits is most likely the early text of a bot that answers later.
_LATE_SHARE = 0.85
_MORE = KeepReply("…").more  # that a bot has not changed
_QUOTED = 20

#: For the answer to a replay, which is not part of the conversation.
UNNAMED: Mapping[str, Any] = {"mark": "", "part": 0, "answered": ""}


@define
class _Talk:
    """The state of one user's conversation.

    Attributes:
        entry: The user's newest message.
        at: When it was sent.
        quoted: The beginning of its text.
        services: How many customer-service messages have followed it.
        early_text: The last early text; empty if there was none.
        is_awaiting: Whether the bot seems to keep an answer for the user's next text.
        part: Number of the last part of a kept answer; 0 if no part follows.
    """

    entry: int = 0
    at: float = 0.0
    quoted: str = ""
    services: int = 0
    early_text: str = ""
    is_awaiting: bool = False
    part: int = 0


def _quote(fields: Mapping[str, Any]) -> str:
    """Return the beginning of a message's text."""
    return str(fields.get("Content", ""))[:_QUOTED]


@define(eq=False, repr=False)
class Talks:
    """The conversations of all users, which tell what an answer is.

    A bot does not name its answers: these are conclusions from times and texts.

    Args:
        time_limit: Seconds that WeChat waits for an answer.
    """

    time_limit: float
    _talks: dict[str, _Talk] = field(factory=dict, init=False)

    def begin(self, user: str, entry: int, fields: Mapping[str, Any]) -> None:
        """Note that the user has sent a message."""
        talk = self._of(user)
        talk.entry, talk.at, talk.quoted, talk.services = entry, time.time(), _quote(fields), 0

    def name_reply(
        self, user: str, entry: int, fields: Mapping[str, Any], reply: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
        """Return what a passive answer is, for its entry.

        Args:
            user: The user.
            entry: The message that it answers.
            fields: The fields of that message.
            reply: The fields of the answer.
            seconds: How long the bot took in the try that got it.
        """
        talk, text = self._of(user), str(reply.get("Content", ""))
        has_more = text.endswith(_MORE)
        is_late = seconds >= _LATE_SHARE * self.time_limit
        is_early = bool(text) and not has_more and (is_late or text == talk.early_text)
        is_kept = talk.is_awaiting and fields.get("MsgType") == "text" and not is_early
        part = talk.part + 1 if has_more or (is_kept and talk.part) else 0
        talk.part = part if has_more else 0
        talk.early_text = text if is_early else talk.early_text
        talk.is_awaiting = is_early or has_more
        return {
            "mark": "early" if is_early else "kept" if is_kept else "",
            "part": part,
            # The page names the message if it is no longer the newest.
            "answered": "" if entry == talk.entry else _quote(fields),
        }

    def name_service(self, user: str) -> dict[str, Any]:
        """Return which message a delivered customer-service message follows, for its entry."""
        talk = self._of(user)
        talk.is_awaiting = False
        if not talk.entry:
            return {}
        talk.services += 1
        return {"follows": talk.quoted, "after": time.time() - talk.at, "nth": talk.services}

    def note_refusal(self, user: str) -> None:
        """Note that a customer-service message was refused: a bot may keep it for the user's next text."""
        self._of(user).is_awaiting = True

    def _of(self, user: str) -> _Talk:
        return self._talks.setdefault(user, _Talk())
