"""What belongs to the handler of an endpoint: its options, stores and process; calls it and reads what it gives."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar, cast

import attrs
from attrs import field

from wechat_msg._flow import AnyStore, Flow, Sleep
from wechat_msg._handlers import HandlerCancelled, RunHandler, ask
from wechat_msg._tracebacks import frozen
from wechat_msg.answering import Answer, is_stream
from wechat_msg.endpoint.answers import Answers, Handled
from wechat_msg.endpoint.dedup import make_key, make_unshared_key
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.kept import KeptAnswers
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.late import AnswerLater, LostReason
from wechat_msg.endpoint.meanwhile import Leave, do_nothing, enter
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.streams import Stream
from wechat_msg.errors import ConversationBusy, ReplyError, SettingsError, StoreError
from wechat_msg.exchange import Push
from wechat_msg.messages import Message
from wechat_msg.replies import Reply
from wechat_msg.settings import PushSettings

__all__ = ["CURRENT_SETTINGS", "EXPLANATIONS", "Handling", "WarningLog"]

_log = logging.getLogger("wechat_msg")

F = TypeVar("F", bound=Callable[..., Flow[Any]])
T = TypeVar("T")

CURRENT_SETTINGS: ContextVar[PushSettings | None] = ContextVar("CURRENT_SETTINGS", default=None)
"""The settings of the account whose handler is called; what handlers store begins with its identity."""

_QUIET = 60.0  # seconds
_ASK_AGAIN = 0.1  # seconds between two calls of a store that fails

EXPLANATIONS: Mapping[LostReason, str] = {
    "failed": "its handler failed, or its process died, and no attempt is left（处理函数失败，不再重试）",
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


def _with_current_settings(make_flow: F) -> F:
    """Decorate a flow of `Handling` in which functions of the user's are called."""

    @functools.wraps(make_flow)
    def flow(self: Handling, *args: Any) -> Flow[Any]:
        token = CURRENT_SETTINGS.set(self.options.settings)
        try:
            return (yield from make_flow(self, *args))
        finally:
            try:  # noqa: SIM105, suppress takes longer
                CURRENT_SETTINGS.reset(token)
            except ValueError:  # a flow that is closed, instead of performed, is so elsewhere
                pass

    return cast("F", flow)


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
        is_async: Whether waiting costs no thread, and handlers may be async.
        warn: Logs a warning, at most one a minute for each text.
        answers: What becomes of an answer, under the options.
        is_alone: Whether each delivery is handled by itself, as long as it takes, and nothing else knows of it.
    """

    options: EndpointOptions[Any, Any]
    store: AnyStore | None
    private_store: AnyStore
    process: Process
    inbox: Inbox | None
    is_kept: bool
    identity: str
    report: Callable[[StoreError], None]
    is_async: bool
    warn: Callable[..., None]
    kept: KeptAnswers | None = None
    answers: Answers = field(init=False, default=attrs.Factory(lambda self: Answers(self.options), takes_self=True))
    is_alone: bool = field(init=False, default=attrs.Factory(lambda self: _is_alone(self), takes_self=True))

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

    @_with_current_settings
    def handle(self, push: Push) -> Flow[Handled]:
        """Call the handler, and prepare its answer.

        Raises:
            ConversationBusy: The handler raised it, so the message can be handled again.
            Exception: The handler raised it, and ``on_error`` is "raise"; or ``on_error`` itself raised it.
        """
        try:
            return (yield from self._ask(push))
        except Exception as error:
            if self.options.on_error == "raise" or isinstance(error, ConversationBusy):  # it was not handled at all
                raise
            return self.answers.prepare(push, (yield from self._answer_error(push.message, error)))

    def _answer_error(self, message: Message, error: Exception) -> Flow[Answer]:
        if not callable(self.options.on_error):
            _log.error("the handler of a %s failed; acknowledged", type(message).__name__, exc_info=error)
            return None
        raised = error.__cause__ if isinstance(error, HandlerCancelled) else error
        answer: Answer = yield RunHandler(functools.partial(self.options.on_error, message), raised)
        return answer

    @_with_current_settings
    def read(self, message: Message, stream: Stream) -> Flow[Reply | None]:
        """Return the next reply of a generator; if it fails, that of ``on_error`` is the last one."""
        try:
            return (yield from stream.read())
        except Exception as error:  # noqa: BLE001, what was delivered stays, and no further attempt is made
            answer = yield from self._answer_error(message, error)
        for reply in reversed(self.answers.list_parts(message, answer)):
            stream.unread(reply)
        return (yield from stream.read())

    def _ask(self, push: Push) -> Flow[Handled]:
        """Call the handler, and prepare its answer, or the first one of a generator."""
        message, late = push.message, self.options.late
        handler: Any = self.options.handler  # a push without one needs no delivery
        leave: Leave | None = None
        if isinstance(late, AnswerLater) and late.meanwhile is not None:
            leave = yield from enter(late.meanwhile, message, is_async=self.is_async)
        try:
            answer: Answer = yield from ask(handler, message)
        except GeneratorExit:
            raise  # the flow was closed, and no further step is performed
        except BaseException as error:
            if leave is not None:
                yield from leave(error)
            raise
        if is_stream(answer):
            to_replies = functools.partial(self.answers.list_parts, message)
            return (yield from self._begin(push, Stream(cast("Any", answer), to_replies, leave or do_nothing)))
        if leave is not None:
            yield from leave(None)
        return self.answers.prepare(push, answer)

    def _begin(self, push: Push, stream: Stream) -> Flow[Handled]:
        """Prepare the first answer of a generator."""
        if not self.is_async and self.options.executor is None and self.options.queue is None:
            raise ReplyError("a generator as answer needs executor=（生成器回复需要 executor=）")
        replies = []
        while (reply := (yield from stream.read())) is not None:
            replies.append(reply)
            if self.answers.go_out_later:
                break
        is_followed = bool(replies) and self.answers.go_out_later
        if is_followed and self.answers.are_kept:  # the first part says whether another one follows
            is_followed = yield from stream.look_ahead()
        if not is_followed:
            return self.answers.prepare(push, replies)
        return self.answers.prepare_first(push, replies[0], stream)

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

    @_with_current_settings
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


def _is_alone(handling: Handling) -> bool:
    options = handling.options
    others = (handling.store, options.late, options.executor, options.queue, options.max_running)
    return all(other is None for other in others)
