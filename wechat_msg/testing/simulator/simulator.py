"""PushSimulator and AsyncPushSimulator: play WeChat's side against an endpoint."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar

from attrs import field, setters

from wechat_msg._clock import REAL_CLOCK
from wechat_msg._flow import Flow, Sleep, drive, drive_async
from wechat_msg._tracebacks import define, frozen
from wechat_msg.errors import ReplyError, SettingsError
from wechat_msg.events._kinds import USUAL, find_kind
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import PushSettings
from wechat_msg.testing.pushes import Mode, build_echostr_request, build_path_check, build_push, complete_fields
from wechat_msg.testing.simulator.in_process import (
    ASGITransport,
    LoopTransport,
    SimulatorClock,
    ThreadTransport,
    WSGITransport,
)
from wechat_msg.testing.simulator.judging import judge_echo, judge_reply
from wechat_msg.testing.simulator.options import SimulatorOptions, check, is_clean_text
from wechat_msg.testing.simulator.transports import AsyncPushTransport, HTTPTransport, PushTransport
from wechat_msg.testing.simulator.verdicts import NOTHING, BotResponse, Delivery, NoResponse, Try, Verdict
from wechat_msg.wire import Format

__all__ = ["AsyncPushSimulator", "PushSimulator"]

T = TypeVar("T", PushTransport, AsyncPushTransport)
R = TypeVar("R")
Judge = Callable[[PushRequest, BotResponse], Verdict]


@frozen
class _Send:
    """The step that returns a BotResponse or a NoResponse."""

    request: PushRequest = field(repr=False)
    limit: float


@define(eq=False, repr=False, slots=False, on_setattr=setters.frozen)
class _Simulator(SimulatorOptions, Generic[T]):
    """What both simulators share: their options and flows."""

    url: str
    settings: PushSettings = field(validator=check.instance_of(PushSettings))
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _last_event_time: int = field(default=0, init=False, on_setattr=setters.NO_OP)
    _transport: T = field(init=False, on_setattr=setters.NO_OP)

    def __attrs_post_init__(self) -> None:
        if self.clock is not None and self.now is time.time:
            object.__setattr__(self, "now", self.clock)
        if self.wsgi is not None and self.asgi is not None:
            raise SettingsError("give wsgi or asgi, not both", hint="wsgi 与 asgi 只能给出其一")
        if self.clock is not None and self.wsgi is None and self.asgi is None:
            raise SettingsError("clock= needs wsgi= or asgi=", hint="clock 只用于进程内的 wsgi 或 asgi 应用")
        if self.asgi is not None:
            app = ASGITransport(self.asgi, self.url, lifespan_limit=self.lifespan_limit)
            self._transport = self._adapt_async(app)
        elif self.wsgi is not None:
            self._transport = self._adapt(WSGITransport(self.wsgi, self.url, clock=self._time))
        else:
            self._transport = self._adapt(HTTPTransport(self.url, self.ssl_context))

    @property
    def _time(self) -> SimulatorClock:
        return self.clock or REAL_CLOCK

    def _adapt(self, transport: PushTransport) -> T:
        """Turn a blocking transport into the kind that this simulator uses."""
        raise NotImplementedError

    def _adapt_async(self, transport: ASGITransport) -> T:
        """Turn an awaitable transport into the kind that this simulator uses."""
        raise NotImplementedError

    # --- flows --------------------------------------------------------------------------------------------------------

    def _verify(self, echostr: str | None) -> Flow[Try]:
        echostr = str(int.from_bytes(os.urandom(8), "big")) if echostr is None else echostr
        if not is_clean_text(echostr):
            raise SettingsError("echostr must be text", hint="echostr 应为文本")
        if self.settings.cloud_run:
            request = build_path_check(self.format)
        else:
            request = build_echostr_request(self.settings, echostr, now=self.now)
        return (yield from self._try(request, judge_echo, self._time.monotonic(), 1, self.time_limit))

    def _send(self, request: PushRequest, fields: Mapping[str, Any], time_limit: float | None) -> Flow[Try]:
        if not isinstance(request, PushRequest):
            raise SettingsError("request must be a PushRequest", hint="request 应为 PushRequest")
        limit = self.override(time_limit=time_limit).time_limit
        _check_fields(fields)
        judge = judge_echo if request.method == "GET" else self._judge_for(fields)
        return (yield from self._try(request, judge, self._time.monotonic(), 1, limit))

    def _push(self, fields: Mapping[str, Any], openid: str | None, **overrides: Any) -> Flow[Delivery]:
        options = self.override(openid=openid, **overrides)
        document = self._complete(fields, options.openid, is_override=openid is not None)
        if self.api is not None:
            self.api.record_push(document)
        tries, start = [], self._time.monotonic()
        limit = self.time_limit * find_kind(str(document.get("Event", ""))).answer_within / USUAL.answer_within
        for number in range(1, options.tries + 1):
            # Signed and sealed again, as time has passed; the document stays the same.
            request = build_push(self.settings, document, mode=options.mode, format=options.format, now=self.now)
            current = yield from self._try(request, self._judge_for(document), start, number, limit)
            tries.append(current)
            if current.verdict.problem is None or not current.verdict.problem.is_retried:
                break
            if number < options.tries and current.seconds < limit:
                yield Sleep(self.pause)
        return Delivery(document, tuple(tries), options.format, self.settings.account_kind)

    def _try(self, request: PushRequest, judge: Judge, start: float, number: int, limit: float) -> Flow[Try]:
        began = self._time.monotonic()
        answer = yield _Send(request, limit)
        seconds = self._time.monotonic() - began
        if isinstance(answer, NoResponse):
            verdict = Verdict("failed", problem=answer.problem, detail=answer.detail)
            ended = Try(number, began - start, seconds, request, None, verdict)
        else:
            ended = Try(number, began - start, seconds, request, answer, judge(request, answer))
        if self.on_try is not None:
            self.on_try(ended)
        return ended

    def _judge_for(self, fields: Mapping[str, Any]) -> Judge:
        return lambda request, answer: judge_reply(self.settings, request, answer, fields)

    def _complete(self, fields: Mapping[str, Any], openid: str, *, is_override: bool) -> Mapping[str, Any]:
        """Add the missing fields. No two events get the same second, which is what tells them apart."""
        _check_fields(fields)
        now = int(self.now())
        if fields.get("MsgType") == "event":
            with self._lock:
                now = self._last_event_time = max(now, self._last_event_time + 1)
        user = {"FromUserName": openid}
        return complete_fields({**fields, **user} if is_override else {**user, **fields}, now)


def _check_fields(fields: object) -> None:
    if not isinstance(fields, Mapping):
        raise ReplyError("fields must be a mapping of wire names to values", hint="fields 应为字段名到值的映射")


def _read_shown(delivery: Delivery) -> str:
    return "" if delivery.shown == NOTHING else delivery.shown.zh


class PushSimulator(_Simulator[PushTransport]):
    """A simulator of WeChat's side for an endpoint, over HTTP or in this process.

    It sends pushes in every mode and format, waits 5 seconds, hangs up, sends again, and judges the answers as WeChat
    does. Threads may share one simulator.

    Args:
        url: Address of the endpoint; for an application in the same process, its path.
        settings: The account's settings, as entered in WeChat's console, with the kind of account.
        mode: plain, compatible or sealed. If None, sealed if the settings have a key, else plain.
        format: xml or json.
        openid: The user who writes, unless the fields name one; FakeWeChatAPI knows ``oUSER``.
        time_limit: Seconds that WeChat waits for an answer. Of 5 seconds, two kinds of events get only 4 or 3.
        tries: How many times it sends a push in all.
        pause: Seconds before it sends again after an invalid answer; after a time-out it sends again at once.
        wsgi: A WSGI application to call in this process, instead of over HTTP.
        asgi: The same for an ASGI application, which starts before the first push and which `close` shuts down.
        lifespan_limit: Seconds that an ASGI application may take to start, and to shut down.
        ssl_context: How the endpoint's certificate is checked. If None, against the public authorities.
        api: A fake of WeChat's API for the same account. It receives what users do, which decides how many
            customer-service messages the account may send them.
        on_try: Called with each try when it is over.
        clock: The `VirtualClock` of the application, which must be in this process, and of the simulator.
        now: Clock for timestamps, seconds since the epoch; *clock*, if there is one.

    Raises:
        SettingsError: An option is invalid.

    Example:
        >>> from wechat_msg import PushEndpoint, PushSettings
        >>> from wechat_msg.adapters.wsgi import push_app
        >>> settings = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
        >>> app = push_app(PushEndpoint(settings, lambda message: f"You said: {message.content}"))
        >>> with PushSimulator("/wechat", settings, wsgi=app) as wechat:
        ...     wechat.push_text("hi").text
        'You said: hi'
    """

    def _adapt(self, transport: PushTransport) -> PushTransport:
        return transport

    def _adapt_async(self, transport: ASGITransport) -> PushTransport:
        return LoopTransport(transport, clock=self._time)

    def verify(self, echostr: str | None = None) -> Try:
        """Verify the URL (接入验证), as saving the server settings does; for Cloud Run, check the path of its pushes.

        Args:
            echostr: The text to echo. If None, a random number. Cloud Run sends none.
        """
        return self._drive(self._verify(echostr))

    def push(
        self,
        fields: Mapping[str, Any],
        *,
        openid: str | None = None,
        mode: Mode | None = None,
        format: Format | None = None,
        tries: int | None = None,
    ) -> Delivery:
        """Send a message or an event until WeChat accepts the answer, or all tries have failed.

        Args:
            fields: Wire names and values, as on WeChat's page; missing ones get values as by `build_push`.
            openid: Replaces the simulator's user and the fields' one.
            mode: Replaces the simulator's mode.
            format: Replaces the simulator's format.
            tries: Replaces the simulator's number of tries.

        Raises:
            SettingsError: An option is invalid, or the mode needs a key and the settings have none.
            ReplyError: The fields cannot be written in the format.
        """
        return self._drive(self._push(fields, openid, mode=mode, format=format, tries=tries))

    def push_text(self, content: str, *, openid: str | None = None) -> Delivery:
        """Send a text message.

        Args:
            content: The text.
            openid: Replaces the simulator's user.
        """
        return self.push({"MsgType": "text", "Content": content}, openid=openid)

    def chat(self, content: str, *, openid: str | None = None) -> str:
        """Send a text message; return what the user then reads in the chat.

        That is the text of the reply, ``[image]`` and the like for other replies, an empty string if nothing is shown,
        and 「该公众号提供的服务出现故障，请稍后再试」 if no try gets a valid answer.

        Args:
            content: The text.
            openid: Replaces the simulator's user.
        """
        return _read_shown(self.push_text(content, openid=openid))

    def push_event(self, event: str, *, openid: str | None = None, **fields: Any) -> Delivery:
        """Send an event.

        Args:
            event: Its name, such as ``subscribe`` or ``CLICK``.
            openid: Replaces the simulator's user.
            fields: Its other members by wire names, such as ``EventKey="HELP"``.
        """
        return self.push({"MsgType": "event", "Event": event, **fields}, openid=openid)

    def send(self, request: PushRequest, fields: Mapping[str, Any], *, time_limit: float | None = None) -> Try:
        """Send one request once, unchanged, even if it is forged or malformed.

        Args:
            request: The request.
            fields: The fields in it, which the reply must match.
            time_limit: Seconds to wait. If None, the simulator's.
        """
        return self._drive(self._send(request, fields, time_limit))

    def close(self) -> None:
        """Shut down an ASGI application; may be called more than once."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _drive(self, flow: Flow[R]) -> R:
        return drive(flow, self._perform)

    def _perform(self, step: Any) -> Any:
        if isinstance(step, Sleep):
            return self._time.sleep(step.seconds)
        return self._transport.send(step.request, step.limit)


class AsyncPushSimulator(_Simulator[AsyncPushTransport]):
    """The asynchronous `PushSimulator`, with the same options. An ASGI application runs in the caller's event loop."""

    def _adapt(self, transport: PushTransport) -> AsyncPushTransport:
        return ThreadTransport(transport)

    def _adapt_async(self, transport: ASGITransport) -> AsyncPushTransport:
        return transport

    async def verify(self, echostr: str | None = None) -> Try:
        """See `PushSimulator.verify`."""
        return await self._drive(self._verify(echostr))

    async def push(
        self,
        fields: Mapping[str, Any],
        *,
        openid: str | None = None,
        mode: Mode | None = None,
        format: Format | None = None,
        tries: int | None = None,
    ) -> Delivery:
        """See `PushSimulator.push`."""
        return await self._drive(self._push(fields, openid, mode=mode, format=format, tries=tries))

    async def push_text(self, content: str, *, openid: str | None = None) -> Delivery:
        """See `PushSimulator.push_text`."""
        return await self.push({"MsgType": "text", "Content": content}, openid=openid)

    async def chat(self, content: str, *, openid: str | None = None) -> str:
        """See `PushSimulator.chat`."""
        return _read_shown(await self.push_text(content, openid=openid))

    async def push_event(self, event: str, *, openid: str | None = None, **fields: Any) -> Delivery:
        """See `PushSimulator.push_event`."""
        return await self.push({"MsgType": "event", "Event": event, **fields}, openid=openid)

    async def send(self, request: PushRequest, fields: Mapping[str, Any], *, time_limit: float | None = None) -> Try:
        """See `PushSimulator.send`."""
        return await self._drive(self._send(request, fields, time_limit))

    async def close(self) -> None:
        """See `PushSimulator.close`."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def _drive(self, flow: Flow[R]) -> R:
        if self.clock is not None:
            self.clock.check_loop()
        return await drive_async(flow, self._perform)

    async def _perform(self, step: Any) -> Any:
        if isinstance(step, Sleep):
            return await asyncio.sleep(step.seconds)
        return await self._transport.send(step.request, step.limit)
