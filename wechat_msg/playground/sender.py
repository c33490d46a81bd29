"""PushSender: send the page's pushes to the bot, and show the results in the conversation."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any, get_args
from urllib.parse import urlsplit

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg.errors import SettingsError, WeChatError
from wechat_msg.playground.chat import Chat
from wechat_msg.playground.panel import problem_to_json, text_to_json, try_to_json
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Text, label
from wechat_msg.testing.details import explain_error
from wechat_msg.testing.documents import write_document
from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.pushes import Mode
from wechat_msg.testing.simulator import AsyncPushSimulator, Delivery, Problem, Try
from wechat_msg.testing.simulator.problems import UNREACHABLE
from wechat_msg.testing.simulator.verdicts import SERVICE_UNAVAILABLE
from wechat_msg.wire import Format

__all__ = ["PushSender", "list_modes"]

_FORMATS: tuple[Format, ...] = get_args(Format)
_RETRY_SECONDS = 2.0
_QUOTED = 20
_UNSENDABLE = Text("Cannot create this push", "无法生成这条推送")


def list_modes(settings: PushSettings) -> tuple[Mode, ...]:
    """Return the modes that these settings allow, the usual one first."""
    return ("sealed", "compatible", "plain") if settings.ciphers else ("plain",)


@define
class _Message:
    """A push that is being sent."""

    fields: Mapping[str, Any]
    mode: Mode
    format: Format
    at: float = field(factory=time.time)
    entry: int = 0
    is_done: bool = False
    tries: list[dict[str, Any]] = field(factory=list)
    wires: list[dict[str, Any]] = field(factory=list)

    def to_entry(self) -> dict[str, Any]:
        """Return the entry for `Chat.put`."""
        members = ("at", "fields", "mode", "format", "tries", "is_done")
        wire = {"tries": self.wires} if self.wires else None
        return {"kind": "message", "wire": wire, **{name: getattr(self, name) for name in members}}


_sent: ContextVar[_Message] = ContextVar("_sent")


@define(eq=False, repr=False, slots=False)
class PushSender:
    """A sender of any number of pushes at once.

    Args:
        url: Address of the bot.
        settings: The account's settings.
        chat: The conversation that shows them.
        api: The fake of WeChat's API with the user.
        openid: The user.
        time_limit: Seconds that WeChat waits for an answer.

    Raises:
        SettingsError: The URL is invalid.
    """

    url: str
    settings: PushSettings
    chat: Chat
    api: FakeWeChatAPI
    openid: str
    time_limit: float
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    _is_watching: bool = field(default=False, init=False)
    _newest: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        # One simulator for all pushes: it gives each event another second.
        self._simulator = AsyncPushSimulator(
            self.url, self.settings, openid=self.openid, time_limit=self.time_limit, on_try=self._record_try
        )

    @property
    def is_busy(self) -> bool:
        """Whether a push is being sent."""
        return bool(self._tasks)

    def send(self, fields: Mapping[str, Any], mode: str, form: str) -> int:
        """Start to push; return the number of the entry.

        Raises:
            SettingsError: The mode or the format is not possible.
            ReplyError: The fields cannot be written.
        """
        if mode not in list_modes(self.settings) or form not in _FORMATS:
            raise SettingsError("these settings do not allow this mode or format", hint="这些配置不支持该模式或格式")
        write_document(fields, form)
        return self._start(_Message(fields, mode, form), self._push)

    def verify(self) -> int:
        """Start to verify the URL; return the number of the entry."""
        return self._start(_Message({}, "plain", "xml"), self._verify)

    def watch_bot(self) -> None:
        """Start to try to connect to the bot, until it listens."""
        self._run(self._watch_bot())

    async def close(self) -> None:
        """Cancel all running pushes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- tasks --------------------------------------------------------------------------------------------------------

    def _start(self, message: _Message, work: Callable[[_Message], Coroutine[Any, Any, None]]) -> int:
        message.entry = self._newest = self.chat.add(**message.to_entry())
        self._run(work(message))
        return message.entry

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _verify(self, message: _Message) -> None:
        _sent.set(message)
        verdict = (await self._simulator.verify()).verdict
        self._finish(message)
        if verdict.problem is not None:
            problem = problem_to_json(verdict.problem, verdict.detail)
            self.chat.add("failure", of=message.entry, notice="", problem=problem)

    async def _push(self, message: _Message) -> None:
        _sent.set(message)
        self._pass_to_api(message.fields)
        try:
            delivery = await self._simulator.push(message.fields, mode=message.mode, format=message.format)
        except WeChatError as error:
            problem = {"what": text_to_json(label(_UNSENDABLE, explain_error(error)))}
            self.chat.add("failure", of=message.entry, notice="", problem=problem)
        else:
            self._record_delivery(message, delivery)
        self._finish(message)

    def _finish(self, message: _Message) -> None:
        message.is_done = True
        self.chat.put(message.entry, **message.to_entry())

    # --- results ------------------------------------------------------------------------------------------------------

    def _record_try(self, attempt: Try) -> None:
        message, verdict = _sent.get(), attempt.verdict
        summary = {
            "number": attempt.number,
            "began": attempt.began,
            "seconds": attempt.seconds,
            "outcome": verdict.outcome,
            "status": attempt.answer.status if attempt.answer else None,
            "problem": problem_to_json(verdict.problem, verdict.detail),
        }
        message.tries.append(summary)
        message.wires.append(try_to_json(self.settings, self.url, attempt))
        self.chat.put(message.entry, **message.to_entry())
        self._record_health(verdict.problem, verdict.detail)

    def _record_delivery(self, message: _Message, delivery: Delivery) -> None:
        if delivery.problem is not None:
            notice = SERVICE_UNAVAILABLE if delivery.shown.zh == SERVICE_UNAVAILABLE else ""
            problem = problem_to_json(delivery.problem, delivery.verdict.detail)
            self.chat.add("failure", of=message.entry, notice=notice, problem=problem)
        elif delivery.reply is not None and delivery.has_reader:
            is_late = message.entry != self._newest  # then the page says to which message this is the answer
            answered = str(message.fields.get("Content", "")) if is_late else ""
            self.chat.add(
                "reply", of=message.entry, reply=delivery.reply, number=len(delivery.tries), answered=answered[:_QUOTED]
            )

    def _pass_to_api(self, fields: Mapping[str, Any]) -> None:
        """Pass the push to the API, which keeps track of what the user does."""
        self.api.record_push({"FromUserName": self.openid, **fields})
        self.put_user()

    def put_user(self) -> None:
        """Put into the conversation whether the user follows the account."""
        self.chat.put("user", kind="user", is_follower=bool(self.api.users[self.openid]["subscribe"]))

    # --- whether the bot listens --------------------------------------------------------------------------------------

    def _record_health(self, problem: Problem | None, detail: str) -> None:
        if problem is None or problem.code != UNREACHABLE.code:
            self.chat.put("bot", kind="bot", is_up=True)
            return
        self.chat.put("bot", kind="bot", is_up=False, problem=problem_to_json(problem, detail))
        if not self._is_watching:
            self.watch_bot()

    async def _watch_bot(self) -> None:
        """Try to connect until it succeeds."""
        self._is_watching = True
        while (detail := await self._find_connect_error()) is not None:
            self.chat.put("bot", kind="bot", is_up=False, problem=problem_to_json(UNREACHABLE, detail))
            await asyncio.sleep(_RETRY_SECONDS)
        self._is_watching = False
        self.chat.put("bot", kind="bot", is_up=True)

    async def _find_connect_error(self) -> str | None:
        """Return why the bot refuses a connection; None if it accepts one."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, port), _RETRY_SECONDS)
        except (OSError, UnicodeError) as error:
            known = isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno
            return os.strerror(known) if known else getattr(error, "strerror", None) or type(error).__name__
        writer.close()
        return None
