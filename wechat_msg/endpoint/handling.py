"""What an endpoint does with one push: calls the handler and prepares its answer, or sends the answer later."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from wechat_msg._flow import AnyStore, Flow, Sleep
from wechat_msg._tracebacks import define, frozen
from wechat_msg.answering import Answer, acknowledge, explain_refusal, list_replies, may_reply, write_reply
from wechat_msg.endpoint.dedup import make_key, make_unshared_key
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.kept import KeptAnswers
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.late import AnswerLater, KeepReply, LostReason, Meanwhile
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.parts import add_more, dump_part, dump_parts, load_kept
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
        parts: All *replies* for the store, if there is a *rest*.
    """

    answer: Acknowledgement | RenderedReply
    replies: Sequence[Reply]
    rest: Sequence[Reply] = ()
    parts: Sequence[str] = ()

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

    def handle(self, push: Push) -> Flow[Handled]:
        """Call the handler, and prepare its answer.

        Raises:
            Exception: The handler raised it, and ``on_error`` is "raise"; or ``on_error`` itself raised it.
        """
        try:
            return self._prepare(push, (yield from self._ask(push.message)))
        except Exception as error:
            if self.options.on_error == "raise":
                raise
            answer: Answer = None
            if callable(self.options.on_error):
                raised = error.__cause__ if isinstance(error, HandlerCancelled) else error
                answer = yield RunHandler(functools.partial(self.options.on_error, push.message), raised)
            else:
                _log.exception("the handler of a %s failed; acknowledged", type(push.message).__name__)
            return self._prepare(push, answer)

    def _ask(self, message: Message) -> Flow[Answer]:
        handler = cast("Any", self.options.handler)  # a push without a handler needs no delivery
        if not isinstance(self.options.late, AnswerLater) or self.options.late.meanwhile is None:
            return (yield from ask(handler, message))
        leave = yield from _enter(self.options.late.meanwhile, message)
        try:
            answer = yield from ask(handler, message)
        except GeneratorExit:
            raise  # the flow was closed, and no further step is performed
        except BaseException as error:
            yield from _call_safely(leave, error)
            raise
        yield from _call_safely(leave, None)
        return answer

    def _prepare(self, push: Push, answer: Answer) -> Handled:
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
        parts = dump_parts(late, replies, message.from_user_name) if rest else ()
        if rest and isinstance(late, KeepReply):
            first = add_more(first, late.more, self.options.text_limit)
        written = write_reply(push, first, now=self.options.clock)
        is_empty = isinstance(replies[0], Acknowledgement) or replies[0] == ErrCodeReply()
        return Handled(written, () if is_empty else replies, rest, parts)

    def _split(self, replies: list[Reply]) -> list[Reply]:
        """Split the texts that are too long for one message, with room for `KeepReply.more`."""
        limit = self.options.text_limit
        if len(replies) == 1 and (not isinstance(replies[0], TextReply) or _fits(replies[0].content, limit)):
            return replies
        room = limit - count_bytes(self.options.late.more) if isinstance(self.options.late, KeepReply) else limit
        return [
            part
            for reply in replies
            for part in (_split_reply(reply, room) if isinstance(reply, TextReply) else (reply,))
        ]

    def _warn_of_cut(self, lost: Sequence[Reply]) -> None:
        """Log that an answer has more parts than one response can hold."""
        count = sum(count_bytes(reply.content) for reply in lost if isinstance(reply, TextReply))
        _log.warning(
            "an answer is too long for one reply: %d parts with %d bytes of text are lost; AnswerLater sends them, and"
            " KeepReply keeps them（回复过长，其余部分已丢弃：可用 AnswerLater 发送，或用 KeepReply 保留）",
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
        return policy.fetch is None or bool(policy.fetch(message))

    def make_kept(self, openid: str, answer: Answer) -> tuple[str, ...]:
        """Return the parts of an answer that answers no push.

        Raises:
            ReplyError: It is empty, or cannot be kept.
        """
        nobody = Message(from_user_name=openid, to_user_name="", create_time=0)
        replies = self._split(list_replies(nobody, answer))
        if not replies or isinstance(replies[0], Acknowledgement):
            raise ReplyError("there is no answer to keep（没有可保留的回复）")
        return tuple(dump_part(reply, openid) for reply in replies)

    def write_kept(self, push: Push, part: str, *, is_last: bool) -> RenderedReply | Acknowledgement:
        """Write a part that was kept as the answer to a push."""
        more, reply = cast("KeepReply", self._keeping).more, load_kept(part) or acknowledge(push.message)
        written = reply if is_last else add_more(reply, more, self.options.text_limit)
        return write_reply(push, written, now=self.options.clock)

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


def _enter(meanwhile: Meanwhile, message: Message) -> Flow[Callable[[BaseException | None], object]]:
    """Enter the context manager of `AnswerLater.meanwhile`; return the function that leaves it."""
    context: Any = yield from _call_safely(meanwhile, message)
    names = ("__aenter__", "__aexit__") if hasattr(type(context), "__aenter__") else ("__enter__", "__exit__")
    enter, leave = (getattr(type(context), name, None) for name in names)
    if enter is None or leave is None:
        if context is not None:
            _log.error("meanwhile returned a %s, not a context manager", type(context).__name__)
        return bool
    yield from _call_safely(enter, context)
    return lambda error: leave(context, *((type(error), error, error.__traceback__) if error else (None, None, None)))


def _call_safely(function: Callable[[Any], Any], argument: object) -> Flow[Any]:
    """Call a function of the user's whose error must not cost the answer."""
    try:
        return (yield RunHandler(function, argument))
    except Exception:  # noqa: BLE001, it is only shown while a handler runs
        _log.exception("meanwhile raised an error")
        return None
