"""The way of a push, written once, and its two drivers: PushEndpoint and AsyncPushEndpoint."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

from wechat_msg._flow import (
    AnyStore,
    CompareAndSet,
    Flow,
    Get,
    Sleep,
    drive,
    drive_async,
    perform_store_step,
    perform_store_step_async,
)
from wechat_msg.answering import Answer, acknowledge, may_reply, render_reply, seal_reply, to_reply
from wechat_msg.endpoint.dedup import keep_for, make_key, make_lone_key
from wechat_msg.endpoint.delivery import RENEW_EVERY, Delivery, Handled, Rules, Work
from wechat_msg.endpoint.late import AnswerLater, FallbackReply
from wechat_msg.endpoint.leases import keeper
from wechat_msg.endpoint.options import NoDedup, check_options, require
from wechat_msg.errors import PushError, StoreError
from wechat_msg.exchange import Push, PushRequest, PushResponse, refuse
from wechat_msg.messages import Message
from wechat_msg.push import accepts_for, answer_get, open_push
from wechat_msg.replies import Acknowledgement, Reply, TextReply, to_customer_service_message
from wechat_msg.routing import (
    CANCELLED,
    AsyncHandler,
    Handler,
    HandlerCancelled,
    Router,
    RunHandler,
    ask,
    call,
    is_async,
    run_handler,
)
from wechat_msg.settings import MINI_PROGRAM, PushSettings
from wechat_msg.stores import MemoryStore, Store, for_event_loop
from wechat_msg.stores._error_log import StoreErrorLog

__all__ = ["AsyncPushEndpoint", "PushEndpoint"]

_log = logging.getLogger("wechat_msg")

H = TypeVar("H", bound=Callable[..., Any])
S = TypeVar("S", bound=AnyStore)


_TRY_AGAIN = PushResponse(503, b"Service Unavailable")


class _Endpoint(Generic[H, S]):
    """What both endpoints are: settings, a handler, and the flow between them."""

    _default_sleep: ClassVar[Any]

    def __init__(
        self,
        settings: PushSettings,
        handler: H | None = None,
        *,
        store: S | NoDedup | None = None,
        late: AnswerLater | FallbackReply | None = None,
        executor: Executor | None = None,
        on_error: Literal["raise", "acknowledge"] | Callable[[Any, Any], Any] = "raise",
        on_store_error: Literal["handle", "refuse"] = "handle",
        dedup_key: Callable[[Any], str | None] | None = None,
        deliveries: int = 3,
        handler_limit: float = 600.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Any] | None = None,
    ) -> None:
        check_options(
            settings=settings,
            handler=handler,
            store=store,
            late=late,
            executor=executor,
            on_error=on_error,
            on_store_error=on_store_error,
            dedup_key=dedup_key,
            deliveries=deliveries,
            handler_limit=handler_limit,
        )
        require(
            not isinstance(late, FallbackReply) or settings.account_kind is not MINI_PROGRAM,
            "a Mini Program cannot be answered with text; use AnswerLater（小程序不支持被动回复，请使用 AnswerLater）",
        )
        self.settings = settings
        self.handler = handler
        self._late = late
        self._executor = executor
        self._on_error = on_error
        self._dedup_key = dedup_key
        self._handler_limit = handler_limit
        self._clock = clock
        self._sleep: Callable[[float], Any] = sleep or self._default_sleep
        self._private_store = MemoryStore(clock=monotonic)
        self._store = self._choose_store(store)
        # A store of its own needs none; to derive one from a Token takes a moment, better now than in an event loop.
        self._identity = "" if self._store is None or self._store is self._private_store else settings.identity
        self._rules = Rules(
            deliveries=deliveries,
            late=late,
            refuse=on_store_error == "refuse",
            private_store=self._private_store,
            report=StoreErrorLog("deduplication", monotonic).report,
            monotonic=monotonic,
        )
        self._check()

    def _check(self) -> None:
        """Refuse what this colour cannot do."""

    def _choose_store(self, store: AnyStore | NoDedup | None) -> AnyStore | None:
        """Return the store that deliveries share, if they share one."""
        if isinstance(store, NoDedup):
            return None
        return self._private_store if store is None else store

    # --- from request to response

    def _flow(self, request: PushRequest) -> Flow[PushResponse]:
        arrived = self._rules.monotonic()
        try:
            if request.method.upper() == "GET":
                return answer_get(self.settings, request.query)
            push = open_push(self.settings, request, now=self._clock)
        except PushError as error:
            _log.warning("push refused with %d, %s: %s", error.status_hint, type(error).__name__, error)
            return refuse(error)
        # From here on an error is the application's own and goes up to its framework.
        reply: Answer = None
        if self.handler is not None:
            reply = yield from self._deliver(push, arrived).answer()
            if reply is None:
                return _TRY_AGAIN
        return seal_reply(self.settings, push, reply, now=self._clock)

    def _deliver(self, push: Push, arrived: float) -> Delivery:
        message = push.message
        return Delivery(
            rules=self._rules,
            store=self._private_store if self._store is None else self._store,
            key=make_lone_key() if self._store is None else self._make_key(message),
            run=functools.partial(self._handle, push),
            send_later=functools.partial(self._send_later, message),
            acknowledgement=acknowledge(message),
            stopgap=self._choose_stopgap(message),
            keep=keep_for(message, accepts_for(self.settings, message)),
            arrived=arrived,
        )

    def _choose_stopgap(self, message: Message) -> Reply:
        # Some events of the platform name no user who could read it.
        if isinstance(self._late, FallbackReply) and message.from_user_name:
            return TextReply(content=self._late.content)
        return acknowledge(message)

    def _make_key(self, message: Message) -> str:
        content = None if self._dedup_key is None else self._dedup_key(message)
        require(content is None or isinstance(content, str), "dedup_key gives text, or None")
        return make_key(message, self._identity, content)

    def _handle(self, push: Push) -> Flow[Handled]:
        """Ask the handler, and make what it returns ready to go out."""
        try:
            return self._prepare(push, (yield from ask(cast("H", self.handler), push.message)))
        except Exception as error:
            if self._on_error == "raise":
                raise
            answer: Answer = None
            if callable(self._on_error):
                raised = error.__cause__ if isinstance(error, HandlerCancelled) else error
                answer = yield RunHandler(functools.partial(self._on_error, push.message), raised)
            else:
                _log.exception("the handler of a %s failed; acknowledged", type(push.message).__name__)
            return self._prepare(push, answer)

    def _prepare(self, push: Push, answer: Answer) -> Handled:
        reply = to_reply(push.message, answer)
        only_later = isinstance(self._late, AnswerLater) and not may_reply(self.settings.account_kind, reply)
        passive = acknowledge(push.message) if only_later else reply
        return Handled(render_reply(self.settings, push, passive, now=self._clock), reply, only_later=only_later)

    def _send_later(self, message: Message, reply: Reply) -> Flow[None]:
        """Hand a reply for which it is too late to whom ``late`` names."""
        if isinstance(reply, Acknowledgement):
            return
        if not isinstance(self._late, AnswerLater):
            _log.warning(
                "the reply to a %s came after the last try and cannot be delivered; AnswerLater could send it"
                "（回复超时，微信已不再重试；可用 AnswerLater 改发客服消息）",
                type(message).__name__,
            )
            return
        try:
            later = to_customer_service_message(reply, reply.to_user_name or message.from_user_name)
            yield RunHandler(self._late.send, later)
        except Exception:  # noqa: BLE001, the handler's thread is not to end by what a sender raises
            _log.exception("the late reply to a %s could not be sent", type(message).__name__)


class PushEndpoint(_Endpoint[Handler | Router, Store]):
    """Receives the pushes of one account and answers them; safe to share between threads.

    A message is handled once, however often WeChat sends it, and every re-send gets the same reply.

    Args:
        settings: The account's settings.
        handler: A function of the message, or a `Router`; None: every push is acknowledged.
        store: Where processes agree on who handles a message and what its reply is. None: a `MemoryStore` of its own,
            which is enough for one process. `NO_DEDUP`: every delivery is handled.
        late: What becomes of a reply that is not there in time; None: it is delivered by one of the next tries, about
            14 seconds in all. `AnswerLater`, `FallbackReply`.
        executor: Runs the handlers in threads, so that an answer can go out before a handler ends, which `AnswerLater`
            wants. None: a handler runs in the thread that asks.
        on_error: What an exception of the handler becomes. ``raise``: it goes up to the framework, and WeChat comes
            again. ``acknowledge``: it is logged, and WeChat does not. A function of the message and the error: what it
            returns is answered.
        on_store_error: Without its store the endpoint goes on without deduplication (``handle``), or lets WeChat come
            again (``refuse``).
        dedup_key: Gives the text that tells a message from others, instead of MsgId or content; None: as usual.
        deliveries: How often WeChat sends a push in all; sources say 3 or 4.
        handler_limit: Seconds after which a handler no longer keeps others from handling its message.
        clock: Seconds since the epoch; this and the next two are parameters for tests.
        monotonic: Seconds, for time limits.
        sleep: Waits for so many seconds.

    Raises:
        SettingsError: An option is of the wrong kind; the handler, or one of the router's, is asynchronous; an answer
            before the handler ends is wanted without an executor.

    Example:
        >>> from wechat_msg.testing import build_push
        >>> settings = PushSettings(token="spamtest")
        >>> endpoint = PushEndpoint(settings, lambda message: "hello")
        >>> response = endpoint.handle(build_push(settings, {"MsgType": "text", "Content": "hi"}))
        >>> response.status, b"hello" in response.body
        (200, True)
    """

    _default_sleep = staticmethod(time.sleep)

    def _check(self) -> None:
        require(not is_async(self.handler), _NEEDS_ASYNC)
        require(not is_async(self._on_error), _NEEDS_ASYNC)
        require(self._store is None or not is_async(self._store.get), "an AsyncStore needs AsyncPushEndpoint")
        if isinstance(self._late, AnswerLater):
            require(not is_async(self._late.send), _NEEDS_ASYNC)
        require(
            self._executor is not None or not self._answers_before_the_handler_ends(),
            "this policy answers before the handler ends, so it needs executor=, such as a ThreadPoolExecutor"
            "（该策略要在处理函数结束前应答，请传入 executor=ThreadPoolExecutor(...)）",
        )

    def _answers_before_the_handler_ends(self) -> bool:
        """Tell whether one and the same delivery runs the handler and is answered without it."""
        if self._late is None or self.settings.account_kind is MINI_PROGRAM:
            return False
        at_once = isinstance(self._late, AnswerLater) and (self._late.at_once or self._store is None)
        return at_once or self._rules.deliveries == 1

    def handle(self, request: PushRequest) -> PushResponse:
        """Answer one request of WeChat.

        Returns:
            The response; a refused push has a 4xx status and is logged as a warning. 503 where WeChat is to come again.

        Raises:
            Exception: Whatever the handler raises.
            ReplyError: What the handler returned cannot be sent.
        """
        return drive(self._flow(request), self._perform)

    def _perform(self, step: Get | CompareAndSet | Sleep | RunHandler | Work) -> Any:
        match step:
            case Get() | CompareAndSet():
                return perform_store_step(step)
            case RunHandler():
                return run_handler(step)
            case Work():
                return self._work(step)
            case Sleep():
                return self._sleep(step.seconds)

    def _work(self, work: Work) -> Reply | None:
        if self._executor is None:
            return self._run(work.delivery)
        context = contextvars.copy_context()
        future = self._executor.submit(context.run, drive, work.delivery.work(), self._perform)
        keeper.add(work.delivery, self._handler_limit)  # also while it waits for its turn
        future.add_done_callback(lambda _: keeper.remove(work.delivery))
        if wait((future,), timeout=max(work.seconds, 0)).done:
            return future.result()
        future.add_done_callback(_log_failure)
        return None

    def _run(self, delivery: Delivery) -> Reply:
        keeper.add(delivery, self._handler_limit)
        try:
            return drive(delivery.work(), self._perform)
        finally:
            keeper.remove(delivery)


class AsyncPushEndpoint(_Endpoint[Handler | AsyncHandler | Router, AnyStore]):
    """Like `PushEndpoint`, for asyncio; sync handlers run in the loop's thread pool, or in *executor*.

    A handler runs in a task of its own, which goes on when WeChat hangs up. A sync store runs in threads of its own.

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

    _default_sleep = staticmethod(asyncio.sleep)

    @functools.cached_property
    def _tasks(self) -> dict[asyncio.Task[Reply], asyncio.Task[None]]:
        """The handlers that run, and what renews their leases; the loop itself holds its tasks weakly only."""
        return {}

    def _choose_store(self, store: AnyStore | NoDedup | None) -> AnyStore | None:
        chosen = super()._choose_store(store)
        return None if chosen is None else for_event_loop(chosen)

    async def handle(self, request: PushRequest) -> PushResponse:
        """Answer one request of WeChat; see `PushEndpoint.handle`."""
        return await drive_async(self._flow(request), self._perform)

    async def drain(self, seconds: float = 30.0) -> None:
        """Wait for the handlers that still run, *seconds* at most: at the end of an application, with no request left.

        What was acknowledged before its handler has ended would be lost otherwise. `wechat_msg.adapters.asgi.push_app`
        does so by itself.
        """
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def _perform(self, step: Get | CompareAndSet | Sleep | RunHandler | Work) -> Any:
        match step:
            case Get() | CompareAndSet():
                return await perform_store_step_async(step)
            case RunHandler():
                return await self._run_handler(step)
            case Work():
                return await self._work(step)
            case Sleep():
                return await self._sleep(step.seconds)

    async def _run_handler(self, step: RunHandler) -> Answer:
        task = cast("asyncio.Task[Reply]", asyncio.current_task())
        try:
            answer = await self._await_handler(step)
            if task.cancelling():
                await asyncio.sleep(0)  # raises here, not in the flow, if the handler has just cancelled its task
        except CANCELLED as error:
            renewing = self._tasks[task]
            # A loop that shuts down cancels all tasks; a handler that cancels its own one has failed.
            if task.cancelling() and (renewing.cancelling() or renewing.done()):
                raise
            while task.cancelling():
                task.uncancel()
            raise HandlerCancelled from error
        return answer

    async def _await_handler(self, step: RunHandler) -> Answer:
        """Await the handler, or run it in a thread so that it cannot stall the loop."""
        if is_async(step.handler):
            return await cast("AsyncHandler", step.handler)(step.message)
        context = contextvars.copy_context()
        answer = await asyncio.get_running_loop().run_in_executor(self._executor, lambda: context.run(call, step))
        return await answer if inspect.isawaitable(answer) else answer

    async def _work(self, work: Work) -> Reply | None:
        renewing = asyncio.create_task(self._renew(work.delivery))
        task = asyncio.create_task(self._run(work.delivery))
        self._tasks[task] = renewing
        task.add_done_callback(self._forget)
        done: set[asyncio.Task[Reply]] = set()
        try:
            done, _ = await asyncio.wait((task,), timeout=max(work.seconds, 0))
        finally:
            if not done:  # the time is up, or the client hung up
                task.add_done_callback(_log_failure)
        return task.result() if done else None

    async def _run(self, delivery: Delivery) -> Reply:
        return await drive_async(delivery.work(), self._perform)

    def _forget(self, task: asyncio.Task[Reply]) -> None:
        self._tasks.pop(task).cancel()

    async def _renew(self, delivery: Delivery) -> None:
        end = self._rules.monotonic() + self._handler_limit
        while self._rules.monotonic() < end:
            await self._sleep(RENEW_EVERY)
            try:
                if not await drive_async(delivery.renew(), self._perform):
                    return
            except StoreError as error:
                self._rules.report(error)


_NEEDS_ASYNC = "an async handler needs AsyncPushEndpoint（异步处理函数请使用 AsyncPushEndpoint）"


def _log_failure(ended: Future[Reply] | asyncio.Task[Reply]) -> None:
    """Log what nobody is there to be told."""
    if not ended.cancelled() and (error := ended.exception()):
        _log.error("a handler failed after its request had ended", exc_info=error)
