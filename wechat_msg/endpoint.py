"""The way of a push, written once, and its two drivers: PushEndpoint and AsyncPushEndpoint."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Generator
from typing import cast

from wechat_msg.errors import PushError, SettingsError
from wechat_msg.push import Answer, PushRequest, PushResponse, PushSettings, answer_get, open_push, refuse, seal_reply
from wechat_msg.routing import AsyncHandler, Handler, Router, RunHandler, ask, call, drive, is_async

__all__ = ["AsyncPushEndpoint", "PushEndpoint"]

_log = logging.getLogger("wechat_msg")


class _Endpoint:
    """What both endpoints are: settings, a handler, and the flow between them."""

    def __init__(
        self,
        settings: PushSettings,
        handler: Handler | AsyncHandler | Router | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(settings, PushSettings):
            raise SettingsError("an endpoint takes PushSettings")
        if handler is not None and not callable(handler):
            raise SettingsError("a handler is a function of the message")
        self.settings = settings
        self.handler = handler
        self._clock = clock

    def _flow(self, request: PushRequest) -> Generator[RunHandler, Answer, PushResponse]:
        try:
            if request.method.upper() == "GET":
                return answer_get(self.settings, request.query)
            push = open_push(self.settings, request, now=self._clock)
        except PushError as error:
            _log.warning("push refused with %d, %s: %s", error.status_hint, type(error).__name__, error)
            return refuse(error)
        # From here on an error is the application's own and goes up to its framework.
        answer = None if self.handler is None else (yield from ask(self.handler, push.message))
        return seal_reply(self.settings, push, answer, now=self._clock)


class PushEndpoint(_Endpoint):
    """Receives the pushes of one account and answers them; safe to share between threads.

    Args:
        settings: The account's settings.
        handler: A function of the message, or a `Router`; None: every push is acknowledged.
        clock: Seconds since the epoch; a parameter for tests.

    Raises:
        SettingsError: The handler, or one of the router's, is asynchronous, or it is not callable.

    Example:
        >>> from wechat_msg.testing import build_push
        >>> settings = PushSettings(token="spamtest")
        >>> endpoint = PushEndpoint(settings, lambda message: "hello")
        >>> response = endpoint.handle(build_push(settings, {"MsgType": "text", "Content": "hi"}))
        >>> response.status, b"hello" in response.body
        (200, True)
    """

    def __init__(
        self,
        settings: PushSettings,
        handler: Handler | Router | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(settings, handler, clock=clock)
        if is_async(handler):
            raise SettingsError("an async handler needs AsyncPushEndpoint（异步处理函数请使用 AsyncPushEndpoint）")

    def handle(self, request: PushRequest) -> PushResponse:
        """Answer one request of WeChat.

        Returns:
            The response; a refused push has a 4xx status and is logged as a warning.

        Raises:
            Exception: Whatever the handler raises.
            ReplyError: What the handler returned cannot be sent.
        """
        return drive(self._flow(request))


class AsyncPushEndpoint(_Endpoint):
    """Like `PushEndpoint`, for asyncio; sync handlers run in the loop's thread pool.

    Example:
        >>> import asyncio
        >>> from wechat_msg.testing import build_push
        >>> settings = PushSettings(token="spamtest")
        >>> async def answer(message):
        ...     return "hello"
        >>> endpoint = AsyncPushEndpoint(settings, answer)
        >>> asyncio.run(endpoint.handle(build_push(settings, {"MsgType": "text", "Content": "hi"}))).status
        200
    """

    async def handle(self, request: PushRequest) -> PushResponse:
        """Answer one request of WeChat; see `PushEndpoint.handle`."""
        flow = self._flow(request)
        answer = None
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as end:
                return cast("PushResponse", end.value)
            answer = await _run(step)


async def _run(step: RunHandler) -> Answer:
    """Await the handler, or run it in a thread so that it cannot stall the loop."""
    if is_async(step.handler):
        return await cast("AsyncHandler", step.handler)(step.message)
    answer = await asyncio.to_thread(call, step)
    return await answer if inspect.isawaitable(answer) else answer
