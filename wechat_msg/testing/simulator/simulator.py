"""PushSimulator and AsyncPushSimulator: play WeChat's side against an endpoint."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar, get_args

from attrs import field

from wechat_msg._flow import Flow, Sleep, drive, drive_async
from wechat_msg._tracebacks import frozen
from wechat_msg.errors import ReplyError, SettingsError
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import PushSettings
from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.pushes import Mode, build_echostr_request, build_push, complete_fields
from wechat_msg.testing.simulator.in_process import (
    ASGIApp,
    ASGITransport,
    LoopTransport,
    ThreadTransport,
    WSGIApp,
    WSGITransport,
)
from wechat_msg.testing.simulator.judging import judge_echo, judge_reply
from wechat_msg.testing.simulator.results import Answer, Delivery, NoAnswer, Try, Verdict
from wechat_msg.testing.simulator.transports import AsyncTransport, HTTPTransport, Transport
from wechat_msg.wire import Format, clean_text

__all__ = ["AsyncPushSimulator", "PushSimulator"]

T = TypeVar("T", Transport, AsyncTransport)
R = TypeVar("R")
Judge = Callable[[PushRequest, Answer], Verdict]


@frozen
class _Send:
    """The step that is answered with an Answer or a NoAnswer."""

    request: PushRequest = field(repr=False)
    limit: float


class _Simulator(Generic[T]):
    """What both simulators do, as flows; their options are told where users read of them."""

    def __init__(
        self,
        url: str,
        settings: PushSettings,
        *,
        mode: Mode | None = None,
        format: Format = "xml",
        openid: str = "oUSER",
        time_limit: float = 5.0,
        tries: int = 3,
        pause: float = 1.0,
        wsgi: WSGIApp | None = None,
        asgi: ASGIApp | None = None,
        ssl_context: ssl.SSLContext | None = None,
        api: FakeWeChatAPI | None = None,
        on_try: Callable[[Try], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        _check(settings=settings, mode=mode, format=format, openid=openid, time_limit=time_limit, tries=tries)
        _check(pause=pause, wsgi=wsgi, asgi=asgi, ssl_context=ssl_context, api=api, on_try=on_try, now=now)
        if wsgi is not None and asgi is not None:
            raise SettingsError("an application is wsgi or asgi, not both")
        self.settings: PushSettings = settings
        self._mode: Mode | None = mode
        self._format: Format = format
        self._openid = openid
        self._time_limit, self._tries, self._pause = time_limit, tries, pause
        self._api = api
        self._on_try = on_try or (lambda _: None)
        self._now = now
        self._lock = threading.Lock()
        self._newest = 0
        self._transport: T = self._make_transport(url, wsgi, asgi, ssl_context)

    def _make_transport(
        self, url: str, wsgi: WSGIApp | None, asgi: ASGIApp | None, ssl_context: ssl.SSLContext | None
    ) -> T:
        if asgi is not None:
            return self._adapt_async(ASGITransport(asgi, url))
        return self._adapt(HTTPTransport(url, ssl_context) if wsgi is None else WSGITransport(wsgi, url))

    def _adapt(self, transport: Transport) -> T:
        """Make the kind of transport that this simulator wants of one that blocks."""
        raise NotImplementedError

    def _adapt_async(self, transport: ASGITransport) -> T:
        """Make it of one that is awaited."""
        raise NotImplementedError

    # --- flows --------------------------------------------------------------------------------------------------------

    def _verify(self, echostr: str | None) -> Flow[Try]:
        echostr = str(int.from_bytes(os.urandom(8), "big")) if echostr is None else echostr
        _check(echostr=echostr)
        request = build_echostr_request(self.settings, echostr, now=self._now)
        return (yield from self._try(request, judge_echo, time.monotonic(), 1, self._time_limit))

    def _send(self, request: PushRequest, fields: Mapping[str, Any], time_limit: float | None) -> Flow[Try]:
        limit = self._time_limit if time_limit is None else time_limit
        _check(request=request, time_limit=limit)
        _check_fields(fields)
        judge = judge_echo if request.method == "GET" else self._judge_for(fields)
        return (yield from self._try(request, judge, time.monotonic(), 1, limit))

    def _push(
        self,
        fields: Mapping[str, Any],
        openid: str | None,
        mode: Mode | None,
        format: Format | None,
        tries: int | None,
    ) -> Flow[Delivery]:
        mode = self._mode if mode is None else mode
        form = self._format if format is None else format
        most = self._tries if tries is None else tries
        _check(mode=mode, format=form, tries=most)
        document = self._complete(fields, openid)
        if self._api is not None:
            self._api.record_push(document)
        done, start = [], time.monotonic()
        for number in range(1, most + 1):
            # Signed and sealed anew, as time has passed; the document stays the same.
            request = build_push(self.settings, document, mode=mode, format=form, now=self._now)
            one = yield from self._try(request, self._judge_for(document), start, number, self._time_limit)
            done.append(one)
            if one.verdict.problem is None or not one.verdict.problem.is_retried:
                break
            if number < most and one.seconds < self._time_limit:
                yield Sleep(self._pause)
        return Delivery(document, tuple(done), form, self.settings.account_kind)

    def _try(self, request: PushRequest, judge: Judge, start: float, number: int, limit: float) -> Flow[Try]:
        began = time.monotonic()
        answer = yield _Send(request, limit)
        seconds = time.monotonic() - began
        if isinstance(answer, NoAnswer):
            verdict = Verdict("failed", problem=answer.problem, detail=answer.detail)
            one = Try(number, began - start, seconds, request, None, verdict)
        else:
            one = Try(number, began - start, seconds, request, answer, judge(request, answer))
        self._on_try(one)
        return one

    def _judge_for(self, fields: Mapping[str, Any]) -> Judge:
        return lambda request, answer: judge_reply(self.settings, request, answer, fields)

    def _complete(self, fields: Mapping[str, Any], openid: str | None) -> Mapping[str, Any]:
        """Make up what is missing; of two events never the same second, which is what tells them apart."""
        _check_fields(fields)
        if openid is not None:
            _check(openid=openid)
            fields = {**fields, "FromUserName": openid}
        now = int(self._now())
        if fields.get("MsgType") == "event":
            with self._lock:
                now = self._newest = max(now, self._newest + 1)
        return complete_fields({"FromUserName": self._openid, **fields}, now)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value == clean_text(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_callable_or_none(value: object) -> bool:
    return value is None or callable(value)


_MOST_SECONDS = 3600  # more is a slip of the pen, and far more no clock can wait for
#: Of each option: what it must be, in words and as a check.
_OPTIONS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "settings": ("PushSettings", lambda settings: isinstance(settings, PushSettings)),
    "mode": ("plain, compatible or sealed", lambda mode: mode in (None, *get_args(Mode))),
    "format": ("xml or json", lambda form: form in get_args(Format)),
    "openid": ("text", _is_text),
    "echostr": ("text", _is_text),
    "time_limit": ("seconds, above 0", lambda limit: _is_number(limit) and 0 < limit <= _MOST_SECONDS),
    "tries": ("a whole number above 0", lambda tries: _is_number(tries) and isinstance(tries, int) and tries > 0),
    "pause": ("seconds, not below 0", lambda pause: _is_number(pause) and 0 <= pause <= _MOST_SECONDS),
    "wsgi": ("an application, which can be called", _is_callable_or_none),
    "asgi": ("an application, which can be called", _is_callable_or_none),
    "ssl_context": (
        "an ssl.SSLContext",
        lambda context: isinstance(context, ssl.SSLContext | None),
    ),  # False is not None
    "api": ("a FakeWeChatAPI", lambda api: isinstance(api, FakeWeChatAPI | None)),
    "on_try": ("a function of a Try", _is_callable_or_none),
    "now": ("a function that tells the time", callable),
    "request": ("a PushRequest", lambda request: isinstance(request, PushRequest)),
}


def _check(**options: object) -> None:
    """Refuse an option that is impossible.

    Raises:
        SettingsError: It is; the text says which.
    """
    for name, value in options.items():
        wanted, is_right = _OPTIONS[name]
        if not is_right(value):
            raise SettingsError(wanted, hint="该选项的值无效", setting=name)


def _check_fields(fields: object) -> None:
    if not isinstance(fields, Mapping):
        raise ReplyError("fields are a mapping of wire names to values")


class PushSimulator(_Simulator[Transport]):
    """Plays WeChat's side against an endpoint: over HTTP, or in this process.

    It sends pushes in every mode and format, waits 5 seconds, hangs up, sends again, and judges the answers as WeChat
    would. May be used from many threads.

    Args:
        url: Where the endpoint is; of an application in the same process, the path.
        settings: The account's settings, as entered in WeChat's console; they also say which kind of account it is.
        mode: plain, compatible or sealed; None: sealed if the settings have a key, else plain.
        format: xml or json.
        openid: The user who writes, if the fields do not say; FakeWeChatAPI knows ``oUSER``.
        time_limit: Seconds that WeChat waits for an answer.
        tries: How many times it sends a push in all.
        pause: Seconds before it tries again after an answer that it cannot take; after a time-out it does so at once.
        wsgi: An application to call in this process, instead of over HTTP.
        asgi: The same, for ASGI; it is started before the first push, and shut down by `close`.
        ssl_context: How the endpoint's certificate is checked; None: against the public authorities.
        api: Plays WeChat's API for the same account; is told what users do, as that decides how many customer-service
            messages they may be sent.
        on_try: Is told each try when it is over.
        now: Clock for timestamps, seconds since the epoch.

    Raises:
        SettingsError: One of these is impossible.

    Example:
        >>> from wechat_msg import PushEndpoint, PushSettings
        >>> from wechat_msg.adapters.wsgi import push_app
        >>> settings = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
        >>> app = push_app(PushEndpoint(settings, lambda message: f"You said: {message.content}"))
        >>> with PushSimulator("/wechat", settings, wsgi=app) as wechat:
        ...     wechat.push_text("hi").text
        'You said: hi'
    """

    def _adapt(self, transport: Transport) -> Transport:
        return transport

    def _adapt_async(self, transport: ASGITransport) -> Transport:
        return LoopTransport(transport)

    def verify(self, echostr: str | None = None) -> Try:
        """Verify the URL (接入验证), as saving the server settings does.

        Args:
            echostr: What is to be echoed; None: a random number.
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
        """Send a message or an event until it is taken, or all tries have failed.

        Args:
            fields: Wire names and values, as on WeChat's page; what is missing is made up as by `build_push`.
            openid: Another user than the simulator's, whatever the fields say.
            mode: Another mode.
            format: Another format.
            tries: Another number of tries.

        Raises:
            SettingsError: An option is impossible, or the mode needs a key and the settings have none.
            ReplyError: The fields cannot be written in the format.
        """
        return self._drive(self._push(fields, openid, mode, format, tries))

    def push_text(self, content: str, *, openid: str | None = None) -> Delivery:
        """Send a text message.

        Args:
            content: The text.
            openid: Another user than the simulator's.
        """
        return self.push({"MsgType": "text", "Content": content}, openid=openid)

    def push_event(self, event: str, *, openid: str | None = None, **fields: Any) -> Delivery:
        """Send an event.

        Args:
            event: Its name: ``subscribe``, ``CLICK`` ...
            openid: Another user than the simulator's.
            fields: Its other members, by wire names: ``EventKey="HELP"``.
        """
        return self.push({"MsgType": "event", "Event": event, **fields}, openid=openid)

    def send(self, request: PushRequest, fields: Mapping[str, Any], *, time_limit: float | None = None) -> Try:
        """Send one request once, just as it is, be it forged or broken.

        Args:
            request: The request.
            fields: What it says; the reply must fit to it.
            time_limit: Seconds to wait; None: as long as WeChat does.
        """
        return self._drive(self._send(request, fields, time_limit))

    def close(self) -> None:
        """Shut an ASGI application down; may be called again."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _drive(self, flow: Flow[R]) -> R:
        return drive(flow, self._perform)

    def _perform(self, step: Any) -> Any:
        if isinstance(step, Sleep):
            return time.sleep(step.seconds)
        return self._transport.send(step.request, step.limit)


class AsyncPushSimulator(_Simulator[AsyncTransport]):
    """`PushSimulator` with ``await``, and with the same options; an ASGI application runs in the loop that calls it."""

    def _adapt(self, transport: Transport) -> AsyncTransport:
        return ThreadTransport(transport)

    def _adapt_async(self, transport: ASGITransport) -> AsyncTransport:
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
        return await self._drive(self._push(fields, openid, mode, format, tries))

    async def push_text(self, content: str, *, openid: str | None = None) -> Delivery:
        """See `PushSimulator.push_text`."""
        return await self.push({"MsgType": "text", "Content": content}, openid=openid)

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
        return await drive_async(flow, self._perform)

    async def _perform(self, step: Any) -> Any:
        if isinstance(step, Sleep):
            return await asyncio.sleep(step.seconds)
        return await self._transport.send(step.request, step.limit)
