"""What an endpoint does with one push: calls the handler and prepares its answer, or sends the answer later."""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from wechat_msg._flow import AnyStore, Flow, Sleep
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
from wechat_msg.endpoint.dedup import make_key, make_unshared_key
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.kept import MOST_PARTS, KeptAnswers
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.late import AnswerLater, KeepReply, LostReason
from wechat_msg.endpoint.meanwhile import Leave, do_nothing, enter
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.parts import NOTHING, add_more, dump_part, load_kept
from wechat_msg.endpoint.streams import Stream, compute_digest, is_stream
from wechat_msg.errors import ReplyError, SettingsError, StoreError
from wechat_msg.exchange import Push
from wechat_msg.messages import Message, TextMessage
from wechat_msg.replies import (
    Acknowledgement,
    ErrCodeReply,
    RenderedReply,
    Reply,
    TextReply,
)
from wechat_msg.routing import HandlerCancelled, RunHandler, ask
from wechat_msg.text import count_bytes, split_text

__all__ = ["EXPLANATIONS", "Handled", "Handling", "WarningLog"]

_log = logging.getLogger("wechat_msg")

T = TypeVar("T")

_QUIET = 60.0  # seconds
_LARGEST_ANSWER = 60_000  # characters, each of which may take four bytes
_ASK_AGAIN = 0.1  # seconds between two calls of a store that fails

EXPLANATIONS: Mapping[LostReason, str] = {
    "failed": "its handler failed, or its process died, three times（处理函数三次失败）",
    "overload": "max_running handlers were running, and nothing could be kept（处理函数已达 max_running 上限）",
    "full": "too many answers were kept for its user（为该用户保留的回复过多）",
    "gone": "the store was emptied while its process stood still（存储被清空）",
    "late": "it came after the last try; AnswerLater could send it"
    "（回复超时，微信已不再重试；可用 AnswerLater 改发客服消息）",
    "unreadable": "the push can no longer be opened; the settings have changed（推送已无法解密，配置已变更）",
    "unsent": "it could not be sent, or WeChat refused it（客服消息发送失败，或被微信拒绝）",
    "window": "the time in which the user can get a message is over（已超出客服消息的发送时限）",
}


class WarningLog:
    """Warnings, each of which is logged once a minute.

    Args:
        monotonic: Seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._quiet_until: dict[str, float] = {}

    def warn(self, text: str, *args: object) -> None:
        """Log a warning, unless it was logged in the last minute."""
        now = self._monotonic()
        if now >= self._quiet_until.get(text, now):
            self._quiet_until[text] = now + _QUIET
            _log.warning(text, *args)


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
        return bool(self.rest) or self.stream is not None

    @property
    def wants_another_try(self) -> bool:
        """Whether the answer asks WeChat to send the push again; then it must be handled again."""
        return any(isinstance(reply, ErrCodeReply) and reply.err_code for reply in self.replies)


@frozen(kw_only=True, repr=False)
class Handling:
    """The handler of an endpoint, and everything that decides how its answer reaches the user.

    Attributes:
        options: The endpoint's options.
        store: The store that all deliveries of a push share; None if every delivery is handled.
        private_store: A store in memory, for a delivery that shares nothing.
        process: The pushes whose handlers run in this process, and its lane.
        inbox: What was acknowledged or queued, and is not done; None if the store dies with the process.
        kept: The answers that wait for their users' next messages; None if the policy keeps none.
        is_kept: Whether this endpoint puts pushes into the inbox, and looks after it.
        identity: The first part of all keys.
        report: Called with every error of a store.
        waits_for_room: Whether a push above ``max_running`` waits, as that costs no thread.
        warn: Logs a warning, at most one a minute for each text.
    """

    options: EndpointOptions[Any, Any]
    store: AnyStore | None
    private_store: AnyStore
    process: Process
    inbox: Inbox | None
    is_kept: bool
    identity: str
    report: Callable[[StoreError], None]
    waits_for_room: bool
    warn: Callable[..., None]
    kept: KeptAnswers | None = None

    def make_key(self, message: Message) -> str:
        """Return the key that all deliveries of *message* share, if they share anything.

        Raises:
            SettingsError: ``dedup_key`` returned neither text nor None.
        """
        if self.store is None:
            return make_unshared_key()
        content = None if self.options.dedup_key is None else self.options.dedup_key(message)
        if content is not None and not isinstance(content, str):
            raise SettingsError("dedup_key must return text or None")
        return make_key(message, self.identity, content)

    def choose_fallback(self, message: Message, *, is_fetch: bool = False) -> Reply:
        """Return the answer to a try of *message* if its own answer, or the kept one that it fetches, is not ready."""
        # Some events of the platform name no user who could read a text.
        policy = self._keeping if is_fetch else self.options.late
        text = None if policy is None else policy.text
        return TextReply(content=text) if text and message.from_user_name else acknowledge(message)

    def write_fallback(self, push: Push, *, is_fetch: bool = False) -> Acknowledgement | RenderedReply:
        """Write the answer to every try that gets no other one."""
        return write_reply(push, self.choose_fallback(push.message, is_fetch=is_fetch), now=self.options.clock)

    def handle(self, push: Push) -> Flow[Handled]:
        """Call the handler, and prepare its answer.

        Raises:
            Exception: The handler raised it, and ``on_error`` is "raise"; or ``on_error`` itself raised it.
        """
        try:
            return (yield from self._ask(push))
        except Exception as error:
            if self.options.on_error == "raise":
                raise
            return self._prepare(push, (yield from self._answer_error(push.message, error)))

    def _answer_error(self, message: Message, error: Exception) -> Flow[Answer]:
        if not callable(self.options.on_error):
            _log.error("the handler of a %s failed; acknowledged", type(message).__name__, exc_info=error)
            return None
        raised = error.__cause__ if isinstance(error, HandlerCancelled) else error
        answer: Answer = yield RunHandler(functools.partial(self.options.on_error, message), raised)
        return answer

    def read(self, message: Message, stream: Stream) -> Flow[Reply | None]:
        """Return the next reply of a generator; if it fails, that of ``on_error`` is the last one."""
        try:
            return (yield from stream.read())
        except Exception as error:  # noqa: BLE001, what was delivered stays, and no further attempt is made
            answer = yield from self._answer_error(message, error)
        for reply in reversed(self._list_parts(message, answer)):
            stream.unread(reply)
        return (yield from stream.read())

    def _ask(self, push: Push) -> Flow[Handled]:
        """Call the handler, and prepare its answer, or the first one of a generator."""
        message, handler = push.message, cast("Any", self.options.handler)  # a push without one needs no delivery
        late = self.options.late
        leave: Leave = do_nothing
        if isinstance(late, AnswerLater) and late.meanwhile is not None:
            leave = yield from enter(late.meanwhile, message, is_async=self.waits_for_room)
        try:
            answer: Answer = yield from ask(handler, message)
        except GeneratorExit:
            raise  # the flow was closed, and no further step is performed
        except BaseException as error:
            yield from leave(error)
            raise
        if is_stream(answer):
            stream = Stream(cast("Any", answer), functools.partial(self._list_parts, message), leave)
            return (yield from self._begin(push, stream))
        yield from leave(None)
        return self._prepare(push, answer)

    def _list_parts(self, message: Message, answer: Answer) -> Sequence[Reply]:
        """Return the replies of one answer of several; none for an acknowledgement."""
        replies = self._split(list_replies(message, answer), is_one_of_several=True)
        return () if replies and is_nothing(replies[0]) else replies

    def _begin(self, push: Push, stream: Stream) -> Flow[Handled]:
        """Prepare the first answer of a generator."""
        is_sync = not self.waits_for_room
        if is_sync and self.options.executor is None and self.options.queue is None:
            raise ReplyError("a generator as answer needs executor=（生成器回复需要 executor=）")
        replies = []
        while (reply := (yield from stream.read())) is not None:
            replies.append(reply)
            if self.answers_later:
                break
        # Under KeepReply the first part says whether another one follows.
        if not replies or not self.answers_later or (self.keeps_replies and not (yield from stream.look_ahead())):
            return self._prepare(push, replies)
        handled = self._prepare(push, replies[0], is_followed=True)
        return attrs.evolve(handled, parts=(compute_digest(handled.parts[0]),), stream=stream)

    def _prepare(self, push: Push, answer: Answer, *, is_followed: bool = False) -> Handled:
        message, late = push.message, self.options.late
        replies = self._split(list_replies(message, answer)) or [acknowledge(message)]
        first, in_time = replies[0], 1
        if not may_reply(self.options.settings.account_kind, first):
            if not isinstance(late, AnswerLater):
                raise explain_refusal(first)
            first, in_time = acknowledge(message), 0
        if len(replies) > in_time and not self.answers_later:
            self._warn_of_cut(replies[in_time:])
            replies = replies[:in_time]
        rest = replies[in_time:]
        parts = self._dump_all(message, replies, in_time) if rest or is_followed else ()
        if (rest or is_followed) and isinstance(late, KeepReply):
            first = add_more(first, late.more, self.options.text_limit)
        written = write_reply(push, first, now=self.options.clock)
        return Handled(written, () if is_nothing(replies[0]) else replies, rest, parts, in_time=in_time)

    def _split(self, replies: list[Reply], *, is_one_of_several: bool = False) -> list[Reply]:
        """Split the texts that are too long for one message, with room for `KeepReply.more`."""
        limit = self.options.text_limit
        is_one = len(replies) == 1 and not is_one_of_several
        if is_one and (not isinstance(replies[0], TextReply) or _fits(replies[0].content, limit)):
            return replies
        room = limit if self._keeping is None else limit - count_bytes(self._keeping.more)
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
        return dump_part(reply, message.from_user_name, sends=sends, keeps=not sends or self._keeping is not None)

    def _warn_of_cut(self, lost: Sequence[Reply]) -> None:
        """Log that an answer has more parts than one response can hold."""
        count = sum(count_bytes(reply.content) for reply in lost if isinstance(reply, TextReply))
        _log.warning(
            "an answer is too long: %d parts with %d bytes of text are lost; AnswerLater sends up to 100 parts, and"
            " KeepReply keeps them（回复过长，其余部分已丢弃：AnswerLater 可发送、KeepReply 可保留最多 100 段）",
            len(lost),
            count,
        )

    @property
    def answers_later(self) -> bool:
        """Whether an answer can reach its user after the response to its push."""
        return isinstance(self.options.late, AnswerLater | KeepReply)

    @property
    def keeps_replies(self) -> bool:
        """Whether answers are kept for their users' next messages, and not only those that could not be sent."""
        return isinstance(self.options.late, KeepReply)

    def may_fetch(self, message: Message) -> bool:
        """Return whether a message gets what is kept for its user, if anything is."""
        policy = self._keeping
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
        if sum(map(len, parts)) > _LARGEST_ANSWER:
            raise ReplyError("the answer is too large to be kept（回复过大，无法保留）")
        return parts

    def write_kept(self, push: Push, part: str, *, is_last: bool) -> RenderedReply | Acknowledgement:
        """Write a part that was kept as the answer to a push."""
        more, reply = cast("KeepReply", self._keeping).more, load_kept(part) or acknowledge(push.message)
        written = reply if is_last else add_more(reply, more, self.options.text_limit)
        try:
            return write_reply(push, written, now=self.options.clock)
        except ReplyError:  # in the format of this push
            _log.exception("a kept answer cannot be written, and is lost")
            return write_reply(push, acknowledge(push.message), now=self.options.clock)

    @property
    def _keeping(self) -> KeepReply | None:
        """The policy for answers that are kept."""
        late = self.options.late
        policy = late.unsent if isinstance(late, AnswerLater) else late
        return policy if isinstance(policy, KeepReply) else None

    def keep_until(self) -> float:
        """Return until when an answer is kept, in seconds since the epoch."""
        return self.options.clock() + cast("KeepReply", self._keeping).keep

    def has_room(self, name: str = "") -> bool:
        """Return whether a further handler may run in this process, and the delivery *name* is next if it waits."""
        limit, waiting = self.options.max_running, self.process.waiting
        if limit is None:
            return True
        if (free := limit - len(self.process.registry)) > 0:
            return name not in waiting or name in itertools.islice(waiting, free)
        self.warn("max_running=%s handlers run, so pushes have to wait（处理函数已达 max_running 上限）", limit)
        return False

    def warn_of_starvation(self, seconds: float) -> None:
        """Log that a push waited longer for a thread than WeChat waits for its answer."""
        self.warn(
            "a push waited %d seconds for a thread, longer than WeChat waits for its answer: more threads are needed"
            "（推送等待线程的时间超过了微信的等待时间：请增加线程）",
            seconds,
        )

    def warn_of_lost_claim(self) -> None:
        """Log that a reply is dropped."""
        self.warn("a handler lost its lease; another one took over its message, so its reply is dropped")

    def warn_of_gone_records(self) -> None:
        """Log that a push has no record although its handler runs."""
        self.warn("records of pushes are gone: the store was emptied, or evicts keys（存储被清空，或淘汰了数据）")

    def ask_until(self, end: float, ask: Callable[[], Flow[T]], pause: float = _ASK_AGAIN) -> Flow[T | None]:
        """Ask the store, again and again while it fails; None if it still fails at *end*."""
        while True:
            try:
                return (yield from ask())
            except StoreError as error:
                self.report(error)
            if self.options.monotonic() >= end:
                return None
            yield Sleep(pause)

    def report_lost(self, message: Message | None, reason: LostReason) -> Flow[None]:
        """Log that a push gets no answer, and call ``on_lost``."""
        name = "push" if message is None else type(message).__name__
        _log.error("the answer to a %s is lost: %s", name, EXPLANATIONS[reason])
        if self.options.on_lost is None:
            return
        try:
            yield RunHandler(functools.partial(self.options.on_lost, message), reason)
        except Exception:  # noqa: BLE001, an error of on_lost changes nothing
            _log.exception("on_lost raised an error")


def _fits(text: str, limit: int) -> bool:
    return len(text) * 4 <= limit or count_bytes(text) <= limit


def _split_reply(reply: TextReply, limit: int) -> list[TextReply]:
    if _fits(reply.content, limit):
        return [reply]
    return [attrs.evolve(reply, content=part) for part in split_text(reply.content, limit)]
