"""What becomes of the answer of a handler: the reply to the push, and the parts that go out later."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import Any, cast

import attrs

from wechat_msg._tracebacks import define, frozen
from wechat_msg.answering import (
    Answer,
    acknowledge,
    explain_refusal,
    is_nothing,
    list_replies,
    may_reply,
    write_reply,
)
from wechat_msg.endpoint.kept import LARGEST_QUEUE, MOST_PARTS
from wechat_msg.endpoint.late import AnswerLater, KeepReply, find_keep_reply
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.parts import NOTHING, add_more, dump_part, load_kept
from wechat_msg.endpoint.streams import Stream, compute_digest
from wechat_msg.errors import ReplyError
from wechat_msg.exchange import Push
from wechat_msg.messages import Message, TextMessage
from wechat_msg.replies import Acknowledgement, ErrCodeReply, RenderedReply, Reply, TextReply
from wechat_msg.text import count_bytes, split_text

__all__ = ["Answers", "Handled"]

_log = logging.getLogger("wechat_msg")

_LARGEST_ANSWER = LARGEST_QUEUE * 3 // 4  # bytes; the rest is room for what else stands in a queue


@define
class Handled:
    """The result of a handler.

    Attributes:
        answer: The answer to the push.
        replies: What the handler meant the user to get; empty for an acknowledgement.
        rest: Those of them that do not go out with *answer*.
        parts: All *replies* for the store, if there is a *rest*; what stands there for the first one of a *stream*.
        stream: The further replies of a generator.
        in_time: How many of the *replies* are in *answer*: one or none.
    """

    answer: Acknowledgement | RenderedReply
    replies: Sequence[Reply]
    rest: Sequence[Reply] = ()
    parts: Sequence[str] = ()
    stream: Stream | None = None
    in_time: int = 1

    @property
    def continues(self) -> bool:
        """Whether further parts follow *answer*."""
        return self.stream is not None or len(self.rest) > 0

    @property
    def wants_another_try(self) -> bool:
        """Whether the answer asks WeChat to send the push again; then it must be handled again."""
        return any(reply.err_code for reply in self.replies if isinstance(reply, ErrCodeReply))


@frozen(repr=False)
class Answers:
    """How answers reach their users under the options of an endpoint.

    Attributes:
        options: The endpoint's options.
    """

    options: EndpointOptions[Any, Any]

    @property
    def go_out_later(self) -> bool:
        """Whether an answer can reach its user after the response to its push."""
        return isinstance(self.options.late, (AnswerLater, KeepReply))

    @property
    def are_kept(self) -> bool:
        """Whether answers are kept for their users' next messages, and not only those that could not be sent."""
        return isinstance(self.options.late, KeepReply)

    @property
    def keeping(self) -> KeepReply | None:
        """The policy for answers that are kept."""
        return find_keep_reply(self.options.late)

    def choose_fallback(self, message: Message, *, is_fetch: bool = False) -> Reply:
        """Return the answer to a try of *message* if its own answer, or the kept one that it fetches, is not ready."""
        # Some events of the platform name no user who could read a text.
        policy = self.keeping if is_fetch else self.options.late
        text = None if policy is None else policy.text
        return TextReply(content=text) if text and message.from_user_name else acknowledge(message)

    def write_fallback(self, push: Push, *, is_fetch: bool = False) -> Acknowledgement | RenderedReply:
        """Write the answer to every try that gets no other one."""
        return write_reply(push, self.choose_fallback(push.message, is_fetch=is_fetch), now=self.options.clock)

    def prepare(self, push: Push, answer: Answer, *, is_followed: bool = False) -> Handled:
        """Prepare an answer; if it *is_followed*, it is the first one of a generator.

        Raises:
            ReplyError: It has none of the allowed types, or the account cannot give it.
        """
        message, late = push.message, self.options.late
        replies = self._split(list_replies(message, answer)) or [acknowledge(message)]
        first, in_time = replies[0], 1
        if not may_reply(self.options.settings.account_kind, first):
            if not isinstance(late, AnswerLater):
                raise explain_refusal(first)
            first, in_time = acknowledge(message), 0
        if in_time and len(replies) == 1 and not is_followed:
            return Handled(write_reply(push, first, now=self.options.clock), () if is_nothing(first) else replies)
        if len(replies) > in_time and not self.go_out_later:
            self._warn_of_cut(replies[in_time:])
            replies = replies[:in_time]
        rest = replies[in_time:]
        parts = self._dump_all(message, replies, in_time) if rest or (is_followed and in_time) else ()
        if (rest or is_followed) and isinstance(late, KeepReply):
            first = add_more(first, late.more, self.options.text_limit)
        written = write_reply(push, first, now=self.options.clock)
        return Handled(written, () if is_nothing(replies[0]) else replies, rest, parts, in_time=in_time)

    def prepare_first(self, push: Push, reply: Reply, stream: Stream) -> Handled:
        """Prepare the first reply of a generator."""
        handled = self.prepare(push, reply, is_followed=True)
        part = handled.parts[0] if handled.parts else NOTHING
        return attrs.evolve(handled, rest=(), parts=(compute_digest(part),), stream=stream)

    def list_parts(self, message: Message, answer: Answer) -> Sequence[Reply]:
        """Return the replies of one answer of several; none for an acknowledgement."""
        replies = self._split(list_replies(message, answer), is_one_of_several=True)
        return () if replies and is_nothing(replies[0]) else replies

    def _split(self, replies: list[Reply], *, is_one_of_several: bool = False) -> list[Reply]:
        """Split the texts that are too long for one message, with room for `KeepReply.more`."""
        limit = self.options.text_limit
        is_one = len(replies) == 1 and not is_one_of_several
        if is_one and (not isinstance(replies[0], TextReply) or _fits(replies[0].content, limit)):
            return replies
        room = limit if self.keeping is None else limit - count_bytes(self.keeping.more)
        parts = [
            part
            for reply in replies
            for part in (_split_reply(reply, room) if isinstance(reply, TextReply) else (reply,))
        ]
        if len(parts) > MOST_PARTS:
            self._warn_of_cut(parts[MOST_PARTS:])
        return parts[:MOST_PARTS]

    def _dump_all(self, message: Message, replies: Sequence[Reply], in_time: int) -> list[str]:
        """Return the parts for the store; one that cannot be sent has none, unless it goes out in time."""
        parts = [self.dump(message, reply) for reply in replies[in_time:]]
        if not in_time:
            return [part for part in parts if part is not None]
        with contextlib.suppress(Exception):  # it is only needed if it does not go out in time
            return [self._dump(message, replies[0]), *filter(None, parts)]
        return [NOTHING, *filter(None, parts)]

    def dump(self, message: Message, reply: Reply) -> str | None:
        """Return a part for the store; None if the reply cannot be sent or kept, which is logged."""
        try:
            return self._dump(message, reply)
        except Exception:  # noqa: BLE001, the user's own reply class may raise anything
            _log.exception("the late reply to a %s could not be sent", type(message).__name__)
            return None

    def _dump(self, message: Message, reply: Reply) -> str:
        sends = isinstance(self.options.late, AnswerLater)
        if not sends and not message.from_user_name:
            raise ReplyError("the push names no user to reply to（该推送没有用户，无法回复）")
        return dump_part(reply, message.from_user_name, sends=sends, keeps=not sends or self.keeping is not None)

    def _warn_of_cut(self, lost: Sequence[Reply]) -> None:
        """Log that an answer has more parts than one response can hold."""
        count = sum(count_bytes(reply.content) for reply in lost if isinstance(reply, TextReply))
        _log.warning(
            "an answer is too long: %d parts with %d bytes of text are lost; AnswerLater sends up to 100 parts, and"
            " KeepReply keeps them（回复过长，其余部分已丢弃：AnswerLater 可发送、KeepReply 可保留最多 100 段）",
            len(lost),
            count,
        )

    def may_fetch(self, message: Message) -> bool:
        """Return whether a message gets what is kept for its user, if anything is."""
        policy = self.keeping
        if policy is None or not isinstance(message, TextMessage):
            return False
        try:
            return policy.fetch is None or bool(policy.fetch(message))
        except Exception:  # noqa: BLE001, the message is handled instead
            _log.exception("fetch of KeepReply raised an error")
            return False

    def make_kept(self, openid: str, answer: Answer) -> tuple[str, ...]:
        """Return the parts of an answer that answers no push.

        Raises:
            ReplyError: It is empty, or cannot be kept.
        """
        nobody = Message(from_user_name=openid, to_user_name="", create_time=0)
        replies = self._split(list_replies(nobody, answer))
        if not replies or isinstance(replies[0], Acknowledgement):
            raise ReplyError("there is no answer to keep（没有可保留的回复）")
        try:
            parts = tuple(dump_part(reply, openid) for reply in replies)
        except ReplyError:
            raise
        except Exception as error:
            raise ReplyError("the answer cannot be written（回复无法写出）") from error
        if sum(len(part.encode()) for part in parts) > _LARGEST_ANSWER:
            raise ReplyError("the answer is too large to be kept（回复过大，无法保留）")
        return parts

    def write_kept(self, push: Push, part: str, *, is_last: bool) -> RenderedReply | Acknowledgement:
        """Write a part that was kept as the answer to a push."""
        more, reply = cast("KeepReply", self.keeping).more, load_kept(part) or acknowledge(push.message)
        written = reply if is_last else add_more(reply, more, self.options.text_limit)
        try:
            return write_reply(push, written, now=self.options.clock)
        except ReplyError:  # in the format of this push
            _log.exception("a kept answer cannot be written, and is lost")
            return write_reply(push, acknowledge(push.message), now=self.options.clock)

    def keep_until(self) -> float:
        """Return until when an answer is kept, in seconds since the epoch."""
        return self.options.clock() + cast("KeepReply", self.keeping).keep


def _fits(text: str, limit: int) -> bool:
    return len(text) * 4 <= limit or count_bytes(text) <= limit


def _split_reply(reply: TextReply, limit: int) -> list[TextReply]:
    if _fits(reply.content, limit):
        return [reply]
    return [attrs.evolve(reply, content=part) for part in split_text(reply.content, limit)]
