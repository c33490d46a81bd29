"""From what the page asks for to pushes at the bot, and what comes of them to the conversation."""

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
from wechat_msg.playground.wire import show_problem, show_text, show_try
from wechat_msg.settings import PushSettings
from wechat_msg.testing.details import explain_error
from wechat_msg.testing.documents import write_document
from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.pushes import Mode
from wechat_msg.testing.simulator import AsyncPushSimulator, Delivery, Problem, Try
from wechat_msg.testing.simulator.problems import UNREACHABLE
from wechat_msg.testing.simulator.results import SERVICE_UNAVAILABLE
from wechat_msg.testing.text import Text, label
from wechat_msg.wire import Format

__all__ = ["Sender", "list_modes"]

_FORMATS = get_args(Format)
_LOOK_AGAIN = 2.0
_UNSENDABLE = Text("This push cannot be made", "无法生成这条推送")


def list_modes(settings: PushSettings) -> tuple[Mode, ...]:
    """Return the modes that can be played with these settings, the usual one first."""
    return ("sealed", "compatible", "plain") if settings.ciphers else ("plain",)


@define
class _Message:
    """A push on its way."""

    fields: Mapping[str, Any]
    mode: Mode
    format: Format
    at: float = field(factory=time.time)
    entry: int = 0
    is_done: bool = False
    tries: list[dict[str, Any]] = field(factory=list)
    wires: list[dict[str, Any]] = field(factory=list)

    def show(self) -> dict[str, Any]:
        """Return its entry, for `Chat.put`."""
        members = ("at", "fields", "mode", "format", "tries", "is_done")
        wire = {"tries": self.wires} if self.wires else None
        return {"kind": "message", "wire": wire, **{name: getattr(self, name) for name in members}}


_sent: ContextVar[_Message] = ContextVar("_sent")


class Sender:
    """Sends what the page asks for; any number of pushes may be on their way.

    Args:
        url: Where the bot is.
        settings: The account's settings.
        chat: Where it is shown.
        api: Knows the user.
        openid: The user.
        time_limit: Seconds that WeChat waits for an answer.

    Raises:
        SettingsError: The URL is none.
    """

    def __init__(
        self, url: str, settings: PushSettings, chat: Chat, api: FakeWeChatAPI, openid: str, time_limit: float
    ) -> None:
        self._url, self._settings, self._chat, self._api, self._openid = url, settings, chat, api, openid
        # One for all, as it is what keeps events of the same second apart.
        self._simulator = AsyncPushSimulator(url, settings, openid=openid, time_limit=time_limit, on_try=self._note_try)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_looking = False

    def send(self, fields: Mapping[str, Any], mode: str, form: str) -> int:
        """Start to push; return the number of its entry.

        Raises:
            SettingsError: The mode or the format is none that can be played.
            ReplyError: The fields cannot be written.
        """
        for one in _FORMATS:
            for other in list_modes(self._settings):
                if (one, other) == (form, mode):
                    write_document(fields, one)
                    return self._start(_Message(fields, other, one), self._push)
        raise SettingsError("mode or format: none that these settings allow", hint="这些配置不支持所选的模式或格式")

    def verify(self) -> int:
        """Start to verify the URL; return the number of the entry."""
        return self._start(_Message({}, "plain", "xml"), self._verify)

    def look(self) -> None:
        """Start to look whether the bot is there."""
        self._run(self._look())

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- tasks --------------------------------------------------------------------------------------------------------

    def _start(self, message: _Message, work: Callable[[_Message], Coroutine[Any, Any, None]]) -> int:
        message.entry = self._chat.add(**message.show())
        self._run(work(message))
        return message.entry

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _verify(self, message: _Message) -> None:
        _sent.set(message)
        one = await self._simulator.verify()
        self._finish(message)
        if one.verdict.problem is not None:
            problem = show_problem(one.verdict.problem, one.verdict.detail)
            self._chat.add("failure", of=message.entry, notice="", problem=problem)

    async def _push(self, message: _Message) -> None:
        _sent.set(message)
        self._follow(message.fields)
        try:
            delivery = await self._simulator.push(message.fields, mode=message.mode, format=message.format)
        except WeChatError as error:
            problem = {"what": show_text(label(_UNSENDABLE, explain_error(error)))}
            self._chat.add("failure", of=message.entry, notice="", problem=problem)
        else:
            self._note_delivery(message, delivery)
        self._finish(message)

    def _finish(self, message: _Message) -> None:
        message.is_done = True
        self._chat.put(message.entry, **message.show())

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _note_try(self, one: Try) -> None:
        message, verdict = _sent.get(), one.verdict
        short: dict[str, Any] = {
            "number": one.number,
            "began": one.began,
            "seconds": one.seconds,
            "outcome": verdict.outcome,
        }
        short["status"] = one.answer.status if one.answer else None
        short["problem"] = show_problem(verdict.problem, verdict.detail)
        message.tries.append(short)
        message.wires.append(show_try(self._settings, self._url, one))
        self._chat.put(message.entry, **message.show())
        self._note_health(verdict.problem, verdict.detail)

    def _note_delivery(self, message: _Message, delivery: Delivery) -> None:
        if delivery.problem is not None:
            notice = SERVICE_UNAVAILABLE if delivery.shown.zh == SERVICE_UNAVAILABLE else ""
            problem = show_problem(delivery.problem, delivery.verdict.detail)
            self._chat.add("failure", of=message.entry, notice=notice, problem=problem)
        elif delivery.reply is not None and delivery.has_reader:
            self._chat.add("reply", of=message.entry, reply=delivery.reply)

    def _follow(self, fields: Mapping[str, Any]) -> None:
        """Let the API know what the user does."""
        self._api.record_push({"FromUserName": self._openid, **fields})
        self.show_user()

    def show_user(self) -> None:
        """Show whether the user follows the account."""
        self._chat.put("user", kind="user", is_follower=bool(self._api.users[self._openid]["subscribe"]))

    # --- whether the bot is there -------------------------------------------------------------------------------------

    def _note_health(self, problem: Problem | None, detail: str) -> None:
        if problem is None or problem.code != UNREACHABLE.code:
            self._chat.put("bot", kind="bot", is_up=True)
            return
        self._chat.put("bot", kind="bot", is_up=False, problem=show_problem(problem, detail))
        if not self._is_looking:
            self.look()

    async def _look(self) -> None:
        """Look until it is there."""
        self._is_looking = True
        while (detail := await self._knock()) is not None:
            self._chat.put("bot", kind="bot", is_up=False, problem=show_problem(UNREACHABLE, detail))
            await asyncio.sleep(_LOOK_AGAIN)
        self._is_looking = False
        self._chat.put("bot", kind="bot", is_up=True)

    async def _knock(self) -> str | None:
        """Return why no connection can be made; None: one can."""
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, port), _LOOK_AGAIN)
        except (OSError, UnicodeError) as error:
            known = isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno
            return os.strerror(known) if known else getattr(error, "strerror", None) or type(error).__name__
        writer.close()
        return None
