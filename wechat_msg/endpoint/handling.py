"""What an endpoint does with one push: calls the handler and prepares its answer, or sends the answer later."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from wechat_msg._flow import AnyStore, Flow, Sleep
from wechat_msg._tracebacks import define, frozen
from wechat_msg.answering import Answer, acknowledge, explain_refusal, may_reply, to_reply, write_reply
from wechat_msg.endpoint.dedup import make_key, make_unshared_key
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.late import AnswerLater, FallbackReply, LostReason
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.errors import SettingsError, StoreError
from wechat_msg.exchange import Push
from wechat_msg.messages import Message
from wechat_msg.replies import (
    Acknowledgement,
    ErrCodeReply,
    RenderedReply,
    Reply,
    TextReply,
    to_customer_service_message,
)
from wechat_msg.routing import HandlerCancelled, RunHandler, ask

__all__ = ["EXPLANATIONS", "Handled", "Handling", "WarningLog"]

_log = logging.getLogger("wechat_msg")

T = TypeVar("T")

_QUIET = 60.0  # seconds
_ASK_AGAIN = 0.1  # seconds between two calls of a store that fails

EXPLANATIONS: Mapping[LostReason, str] = {
    "failed": "its handler failed, or its process died, three times（处理函数三次失败）",
    "overload": "max_running handlers were running, and nothing could be kept（处理函数已达 max_running 上限）",
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
        reply: What the handler meant the user to get; differs from *answer* if it can only be sent later.
        only_later: Whether the reply can only be sent later.
    """

    answer: Acknowledgement | RenderedReply
    reply: Reply
    only_later: bool = False

    @property
    def wants_another_try(self) -> bool:
        """Whether the answer asks WeChat to send the push again; then it must be handled again."""
        return isinstance(self.reply, ErrCodeReply) and self.reply.err_code != 0


@frozen(kw_only=True, repr=False)
class Handling:
    """The handler of an endpoint, and everything that decides how its answer reaches the user.

    Attributes:
        options: The endpoint's options.
        store: The store that all deliveries of a push share; None if every delivery is handled.
        private_store: A store in memory, for a delivery that shares nothing.
        process: The pushes whose handlers run in this process, and its lane.
        inbox: What was acknowledged or queued, and is not done; None if the store dies with the process.
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

    def choose_fallback(self, message: Message) -> Reply:
        """Return the answer to the last try of *message* if the reply is not ready."""
        # Some events of the platform name no user who could read a text.
        if isinstance(self.options.late, FallbackReply) and message.from_user_name:
            return TextReply(content=self.options.late.content)
        return acknowledge(message)

    def handle(self, push: Push) -> Flow[Handled]:
        """Call the handler, and prepare its answer.

        Raises:
            Exception: The handler raised it, and ``on_error`` is "raise"; or ``on_error`` itself raised it.
        """
        try:
            handler = cast("Any", self.options.handler)  # a push without a handler needs no delivery
            return self._prepare(push, (yield from ask(handler, push.message)))
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

    def _prepare(self, push: Push, answer: Answer) -> Handled:
        reply = passive = to_reply(push.message, answer)
        only_later = not may_reply(self.options.settings.account_kind, reply)
        if only_later:
            if not isinstance(self.options.late, AnswerLater):
                raise explain_refusal(reply)
            passive = acknowledge(push.message)
        return Handled(write_reply(push, passive, now=self.options.clock), reply, only_later=only_later)

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

    def send_later(self, message: Message, reply: Reply) -> Flow[None]:
        """Send a reply that is too late for every try, and is not in the inbox; report it if it is lost."""
        if isinstance(reply, Acknowledgement):
            return
        if not isinstance(self.options.late, AnswerLater):
            yield from self.report_lost(message, "late")
            return
        try:
            later = to_customer_service_message(reply, reply.to_user_name or message.from_user_name)
            yield RunHandler(self.options.late.send, later)
        except Exception:  # noqa: BLE001, an error of the sender must not end the handler's thread
            _log.exception("the late reply to a %s could not be sent", type(message).__name__)
            yield from self.report_lost(message, "unsent")

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
