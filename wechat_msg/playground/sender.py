"""PushSender: send the page's pushes to the bot, and show the results in the conversation."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg.errors import SettingsError, WeChatError
from wechat_msg.exchange import PushRequest
from wechat_msg.playground.chat import Chat
from wechat_msg.playground.page_push import PagePush
from wechat_msg.playground.panel import problem_to_json, text_to_json, try_to_json
from wechat_msg.playground.slow import SlowSimulator
from wechat_msg.playground.talks import UNNAMED, Talks
from wechat_msg.playground.users import Users, is_openid
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Text, label
from wechat_msg.testing.details import explain_error
from wechat_msg.testing.documents import write_document
from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.pushes import Mode
from wechat_msg.testing.simulator import Delivery, Problem, Try
from wechat_msg.testing.simulator.problems import UNREACHABLE
from wechat_msg.testing.simulator.verdicts import SERVICE_UNAVAILABLE
from wechat_msg.wire import Format

__all__ = ["PushSender", "list_modes"]

_FORMATS: tuple[Format, ...] = get_args(Format)
_RETRY_SECONDS = 2.0
_UNSENDABLE = Text("Cannot create this push", "无法生成这条推送")


def list_modes(settings: PushSettings) -> tuple[Mode, ...]:
    """Return the modes that these settings allow, the usual one first."""
    return ("sealed", "compatible", "plain") if settings.ciphers else ("plain",)


_sent: ContextVar[PagePush] = ContextVar("_sent")


@define(eq=False, repr=False, slots=False)
class PushSender:
    """A sender of any number of pushes at once.

    Args:
        url: Address of the bot.
        settings: The account's settings.
        chat: The conversation that shows them.
        api: The fake of WeChat's API with the users.
        users: The users who write.
        talks: What names the answers.
        time_limit: Seconds that WeChat waits for an answer.

    Raises:
        SettingsError: The URL is invalid.
    """

    url: str
    settings: PushSettings
    chat: Chat
    api: FakeWeChatAPI
    users: Users
    talks: Talks
    time_limit: float
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    _is_watching: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        # One simulator for all pushes: it gives each event another second.
        self._simulator = SlowSimulator(self.url, self.settings, time_limit=self.time_limit, on_try=self._record_try)

    @property
    def is_busy(self) -> bool:
        """Whether a push is being sent."""
        return bool(self._tasks)

    @property
    def delay(self) -> float:
        """Seconds that a request takes to the bot, which count towards WeChat's limit."""
        return self._simulator.delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._simulator.delay = seconds

    def send(self, fields: Mapping[str, Any], mode: str, form: str, openid: str) -> int:
        """Start to push; return the number of the entry.

        Args:
            fields: Wire names and values; a FromUserName among them replaces *openid*.
            mode: Encryption mode.
            form: Data format.
            openid: The user.

        Raises:
            SettingsError: The mode, the format or the user is not possible.
            ReplyError: The fields cannot be written.
        """
        sender = fields.get("FromUserName")
        user = str(sender) if is_openid(sender) else openid
        message = PagePush(user, fields, cast("Mode", mode), cast("Format", form))
        self._check(message)
        self.users.add([user])
        return self._start(message, self._push)

    def send_again(self, message: PagePush) -> int:
        """Start to send the content of a message as a new one; return the number of the entry. See `send`."""
        return self.send(message.fields, message.mode, message.format, str(message.user))

    def replay(self, message: PagePush, number: int | None) -> int | None:
        """Start to send a message once more, as WeChat does; return the number of the entry.

        The push has the same MsgId and CreateTime as the first one. A single try is sent once, without any change: its
        signature and nonce are the same, too.

        Args:
            message: The message.
            number: Number of the try. If None, the whole message.

        Returns:
            None if the message is not over, or its requests are not known.

        Raises:
            SettingsError: The mode or the format is not possible.
        """
        known = message.requests[number - 1 : number] if number else [None] if message.document else []
        if not message.is_done or not known:
            return None
        names = ("user", "fields", "mode", "format", "document")
        copy = PagePush(**{name: getattr(message, name) for name in names}, replays=(message.entry, number))
        self._check(copy)
        return self._start(copy, partial(self._push, request=known[0]))

    def _check(self, message: PagePush) -> None:
        if message.mode not in list_modes(self.settings) or message.format not in _FORMATS:
            raise SettingsError("these settings do not allow this mode or format", hint="这些配置不支持该模式或格式")
        write_document(message.fields, message.format)

    def verify(self) -> int:
        """Start to verify the URL; return the number of the entry."""
        return self._start(PagePush(None, {}, "plain", "xml"), self._verify)

    def watch_bot(self) -> None:
        """Start to try to connect to the bot, until it listens."""
        self._run(self._watch_bot())

    async def close(self) -> None:
        """Cancel all running pushes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- tasks --------------------------------------------------------------------------------------------------------

    def _start(self, message: PagePush, work: Callable[[PagePush], Coroutine[Any, Any, None]]) -> int:
        message.entry = self.chat.add(**message.to_entry())
        if message.user is not None and message.replays is None:
            self.talks.begin(message.user, message.entry, message.fields)
        self._run(work(message))
        return message.entry

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _verify(self, message: PagePush) -> None:
        _sent.set(message)
        verdict = (await self._simulator.verify()).verdict
        self._finish(message)
        if verdict.problem is not None:
            problem = problem_to_json(verdict.problem, verdict.detail)
            self._add_failure(message, problem)

    async def _push(self, message: PagePush, request: PushRequest | None = None) -> None:
        """Push a message; with a request, send only that."""
        _sent.set(message)
        if message.replays is None:
            self._pass_to_api(message)
        try:
            delivery = await self._deliver(message, request)
        except WeChatError as error:
            problem = {"what": text_to_json(label(_UNSENDABLE, explain_error(error)))}
            self._add_failure(message, problem)
        else:
            message.document = delivery.fields
            self._record_delivery(message, delivery)
        self._finish(message)

    async def _deliver(self, message: PagePush, request: PushRequest | None) -> Delivery:
        fields = message.document or {"FromUserName": message.user, **message.fields}
        if request is None:
            return await self._simulator.push(fields, mode=message.mode, format=message.format)
        attempt = await self._simulator.send(request, fields)
        return Delivery(fields, (attempt,), message.format, self.settings.account_kind)

    def _finish(self, message: PagePush) -> None:
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
        message.requests.append(attempt.request)
        self.chat.put(message.entry, **message.to_entry())
        self._record_health(verdict.problem, verdict.detail)

    def _record_delivery(self, message: PagePush, delivery: Delivery) -> None:
        if delivery.problem is not None:
            notice = SERVICE_UNAVAILABLE if delivery.shown.zh == SERVICE_UNAVAILABLE else ""
            self._add_failure(message, problem_to_json(delivery.problem, delivery.verdict.detail), notice)
        elif delivery.reply is not None and delivery.has_reader:
            last, user, of = delivery.tries[-1], str(message.user), message.entry
            named = UNNAMED
            if message.replays is None:
                named = self.talks.name_reply(user, of, message.fields, delivery.reply, last.seconds - self.delay)
            self.chat.add("reply", of=of, user=user, reply=delivery.reply, number=last.number, **named)

    def _add_failure(self, message: PagePush, problem: dict[str, Any] | None, notice: str = "") -> None:
        self.chat.add("failure", of=message.entry, user=message.user, notice=notice, problem=problem)

    def _pass_to_api(self, message: PagePush) -> None:
        """Pass the push to the API, which keeps track of what the user does."""
        self.api.record_push({"FromUserName": message.user, **message.fields})
        self.users.put()

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
