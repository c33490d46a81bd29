"""The two drivers of a push: PushEndpoint and AsyncPushEndpoint; they perform the steps of the same flow."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import contextvars
import functools
import inspect
import logging
import os
import secrets
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ClassVar, cast

import attrs
from attrs import field

from wechat_msg._clock import REAL_CLOCK, Clock
from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Sleep, Wait, drive, drive_async, perform_in_loop
from wechat_msg._handlers import (
    CANCELLED,
    AsyncHandler,
    FlowHandler,
    Handler,
    HandlerCancelled,
    RunHandler,
    RunMiddleware,
    is_async,
    run_handler,
    run_handler_async,
)
from wechat_msg._tracebacks import define, frozen
from wechat_msg._validators import is_seconds
from wechat_msg.answering import Answer, seal_reply
from wechat_msg.endpoint.dedup import NoDedup
from wechat_msg.endpoint.delivery import LoneDelivery, PushDelivery, RunWork
from wechat_msg.endpoint.handling import Handling, WarningLog
from wechat_msg.endpoint.inbox import Inbox
from wechat_msg.endpoint.jobs import begin_job
from wechat_msg.endpoint.kept import KeptAnswers
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.late import AnswerLater, KeepReply, find_keep_reply, is_first_try_enough
from wechat_msg.endpoint.options import EndpointOptions, H, S
from wechat_msg.endpoint.upkeep import RunAside, Upkeep
from wechat_msg.endpoint.work import Rest, StartWork, Work
from wechat_msg.errors import PushError, SettingsError
from wechat_msg.events._kinds import USUAL, get_kind
from wechat_msg.exchange import PushRequest, PushResponse, error_response
from wechat_msg.push import answer_get, answer_path_check, open_push
from wechat_msg.replies import Reply
from wechat_msg.settings import MINI_PROGRAM
from wechat_msg.stores import MemoryStore, Store, for_event_loop
from wechat_msg.stores._error_log import StoreErrorLog
from wechat_msg.text import count_bytes

__all__ = ["AsyncPushEndpoint", "PushEndpoint"]

_log = logging.getLogger("wechat_msg")

_Step = Get | CompareAndSet | Sleep | Wait | RunHandler | RunMiddleware | RunWork | StartWork | RunAside
_TRY_AGAIN = PushResponse(503, b"Service Unavailable")
_WAIT = 0.1  # seconds between two looks on a clock of the caller's own
_DRAIN_PAUSE = 0.05  # seconds between two looks whether the handlers have ended
_MOST_QUEUES = 100_000  # users whose answers a store in memory keeps
_IS_REPLAYED = 300.0  # seconds since a push was signed


@define(eq=False, repr=False, slots=False, on_setattr=attrs.setters.frozen)
class _Endpoint(EndpointOptions[H, S]):
    """The flow from request to response, for both endpoints."""

    _is_async: ClassVar[bool]

    _handling: Handling = field(init=False, on_setattr=attrs.setters.NO_OP)
    _upkeep: Upkeep = field(init=False, on_setattr=attrs.setters.NO_OP)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.clock, Clock):  # it is all three
            object.__setattr__(self, "monotonic", self.clock.monotonic)
            object.__setattr__(self, "sleep", None if self._is_async else self.clock.sleep)
        self._check_combination()
        private_store = MemoryStore(clock=self.monotonic)
        store: AnyStore | NoDedup = private_store if self.store is None else self.store
        if self._is_async and not isinstance(store, NoDedup):
            store = for_event_loop(store)
        shared_store = None if isinstance(store, NoDedup) else store
        # It takes a moment to derive one from a Token: better now than in an event loop.
        identity = "" if self.store is None or shared_store is None else self.settings.identity
        durable_store = shared_store if _is_durable(store) else None
        answers_later = isinstance(self.late, (AnswerLater, KeepReply))
        is_kept = durable_store is not None and (answers_later or self.queue is not None)
        process = Process(durable_store, identity, self.monotonic, watches=is_kept)
        report = StoreErrorLog("deduplication", self.monotonic).report
        kept = None
        if find_keep_reply(self.late) is not None and shared_store is not None:
            # Pushes must not push kept answers out of a store in memory.
            queues = durable_store or _find_queues(cast("MemoryStore", shared_store), self.monotonic)
            kept = KeptAnswers(queues, shared_store, identity, process, self.clock, report)
        self._handling = Handling(
            options=self,
            store=shared_store,
            private_store=private_store,
            process=process,
            inbox=Inbox(durable_store, identity, process, self.clock) if durable_store else None,
            identity=identity,
            kept=kept,
            report=report,
            is_kept=is_kept,
            is_async=self._is_async,
            warn=WarningLog(self.monotonic).warn,
        )
        self._upkeep = Upkeep(self._handling)

    def _check_combination(self) -> None:
        """Raise SettingsError if options do not fit together."""
        store: object = self.store
        late, is_mini_program = self.late, self.settings.account_kind is MINI_PROGRAM
        keeping = find_keep_reply(late)
        if late is not None and is_mini_program and (late.text is not None or keeping is not None):
            raise SettingsError(
                "a Mini Program cannot be answered with text; use AnswerLater, without text= and unsent="
                "（小程序不支持被动回复，请使用 AnswerLater，且不要设置 text= 与 unsent=）"
            )
        if keeping is not None and isinstance(store, NoDedup):
            raise SettingsError("KeepReply needs a store（KeepReply 需要 store）")
        texts = [policy.text for policy in (late, keeping) if policy is not None]
        for text in texts:
            if text is not None and count_bytes(text) > self.text_limit:
                raise SettingsError(f"text= must have at most {self.text_limit} bytes（text= 超过长度上限）")
        if keeping is not None and count_bytes(keeping.more) > self.text_limit // 2:
            raise SettingsError("KeepReply: more must be shorter than half of text_limit（more 过长）")
        if self.queue is not None and not _is_durable(store):
            raise SettingsError(
                "queue= needs a store that the workers share, such as RedisStore"
                "（使用任务队列需要与 worker 共享的 store，例如 RedisStore）"
            )
        if self.ordered and isinstance(store, NoDedup):
            raise SettingsError("ordered= needs a store（ordered=True 需要 store）")
        if not self._is_async:
            self._check_sync()
        if isinstance(self.handler, FlowHandler):
            self.handler.check()

    def _check_sync(self) -> None:
        """Raise SettingsError for what a PushEndpoint cannot do."""
        late = self.late
        send = late.send if isinstance(late, AnswerLater) else None
        if any(map(is_async, (self.handler, self.on_error, send, self.queue, self.on_lost))):
            raise SettingsError("an async handler needs AsyncPushEndpoint（异步处理函数请使用 AsyncPushEndpoint）")
        if isinstance(self.store, Store) and is_async(self.store.get):
            raise SettingsError("an AsyncStore needs AsyncPushEndpoint（AsyncStore 请使用 AsyncPushEndpoint）")
        # One and the same delivery runs the handler and is answered before it ends.
        answers_early = is_first_try_enough(late, shares=not isinstance(self.store, NoDedup)) or self.deliveries == 1
        is_alone = self.executor is None and self.queue is None
        if is_alone and inspect.isgeneratorfunction(self.handler):
            raise SettingsError("a generator as handler needs executor=（生成器处理函数需要 executor=）")
        if late is not None and self.settings.account_kind is not MINI_PROGRAM and answers_early and is_alone:
            raise SettingsError(
                "this policy answers before the handler ends, so it needs executor=, such as a ThreadPoolExecutor"
                "（该策略要在处理函数结束前应答，请传入 executor=ThreadPoolExecutor(...)）"
            )

    def _respond(self, request: PushRequest) -> Flow[PushResponse]:
        """Open the push, get the answer to this delivery, and seal it."""
        arrived = self.monotonic()
        try:
            if request.method.upper() == "GET":
                return answer_get(self.settings, request.query)
            if (checked := answer_path_check(self.settings, request)) is not None:
                return checked
            push = open_push(self.settings, request, now=self.clock)
        except PushError as error:
            _log.warning("push refused with %d, %s: %s", error.status_hint, type(error).__name__, error)
            return error_response(error)
        # From here on an error is the application's own, and the framework gets it.
        reply: Reply | None = None
        if self.handler is not None:
            kind = get_kind(push.message)
            waited = 0.0 if self.settings.cloud_run else self.clock() - int(request.query["timestamp"])
            arrived -= USUAL.answer_within - kind.answer_within  # as if it had come earlier: WeChat waits less for it
            delivery = (LoneDelivery if self._handling.is_alone else PushDelivery)(self._handling, push, arrived)
            try:
                reply = yield from delivery.answer()
            finally:
                if delivery.started is not None and not delivery.is_over:
                    delivery.started.add_done_callback(_log_failure)
                if delivery.is_first and kind.answer_within <= waited < _IS_REPLAYED:
                    self._handling.warn_of_starvation(waited)
            if reply is None:
                return _TRY_AGAIN
        return seal_reply(self.settings, push, reply, now=self.clock)

    def _keep(self, openid: str, answer: Answer) -> Flow[None]:
        """Keep an answer that a program outside gives."""
        kept = self._handling.kept
        if kept is None:
            raise SettingsError("kept.put needs late=KeepReply(...), or AnswerLater(unsent=KeepReply(...))")
        if self.handler is None:
            raise SettingsError("kept.put needs an endpoint with a handler")
        if not isinstance(openid, str) or not openid:
            raise SettingsError("kept.put needs an OpenID, a text that is not empty")
        parts = self._handling.answers.make_kept(openid, answer)
        dropped = yield from kept.put(openid, secrets.token_hex(16), parts, self._handling.answers.keep_until())
        if dropped:
            yield from self._handling.report_lost(None, "full")

    def _check_queue(self) -> None:
        if self.queue is None:
            raise SettingsError("run_job needs an endpoint with queue=（run_job 需要设置了 queue= 的 endpoint）")

    def _warn_of_drain(self, left: int, handed_back: int) -> None:
        if left:
            _log.warning(
                "the process ends while %d handlers run; %d of their pushes were handed back to others",
                left,
                handed_back,
            )


def _check_drain(seconds: object) -> None:
    if not is_seconds(seconds, or_zero=True):
        raise SettingsError("seconds must be a number of seconds, at least 0")


#: The kept answers of each store in memory, as endpoints of one account share them.
_queues: weakref.WeakKeyDictionary[MemoryStore, MemoryStore] = weakref.WeakKeyDictionary()


def _find_queues(store: MemoryStore, monotonic: Callable[[], float]) -> MemoryStore:
    return _queues.setdefault(store, MemoryStore(_MOST_QUEUES, clock=monotonic))


def _is_durable(store: object) -> bool:
    """Return whether other processes can read what is in a store."""
    return store is not None and not isinstance(store, NoDedup | MemoryStore)


def _call(step: RunHandler) -> Flow[None]:
    """Call a function of the user's, and log its error."""
    try:
        yield step
    except Exception:  # noqa: BLE001, nobody waits for it
        _log.exception("on_lost raised an error")


def _perform_for(endpoint: weakref.ref[PushEndpoint], step: Any) -> Any:
    """Perform a step of a flow that must not keep an endpoint alive."""
    return cast("PushEndpoint", endpoint())._perform(step)  # noqa: SLF001


def _perform_async_for(endpoint: weakref.ref[AsyncPushEndpoint], sleep: Callable[[float], Any], step: Any) -> Any:
    """Begin a step of a flow that must not keep an endpoint alive."""
    if isinstance(step, Sleep):
        return sleep(step.seconds)
    return cast("AsyncPushEndpoint", endpoint())._perform(step)  # noqa: SLF001


@define(eq=False, repr=False, slots=False, on_setattr=attrs.setters.frozen)
class PushEndpoint(_Endpoint[Handler | FlowHandler, Store]):
    """The endpoint of one account: it receives pushes and answers them. Threads may share it.

    A message is handled once, however often WeChat sends it, and every re-send gets the same reply.

    Args:
        settings: The account's settings.
        handler: A function of the message, or a `Router`. If None, every push is acknowledged.
        store: Where processes agree on which of them handles a message, and where its reply is kept. If None, a
            `MemoryStore` of its own, which is enough for one process. `NO_DEDUP`: every delivery is handled.
        late: What happens to an answer that is not ready in time, and to further parts of one that is: `AnswerLater`,
            `KeepReply` or `FallbackReply`. If None, one of the next tries gets it, within about 14 seconds.
        queue: Called with the text of a job, so that a worker of a job queue handles the push, by `run_job`. If it
            raises an exception, WeChat gets 503. If None, handlers run in this process.
        executor: Runs the handlers in threads, so that an answer can go out before a handler ends, as `AnswerLater`
            requires. If None, a handler runs in the thread of the request.
        on_error: What happens to an exception of the handler. ``raise``: the framework gets it, and WeChat sends the
            push again. ``acknowledge``: it is logged, and WeChat does not. A function of the message and the error:
            its result is the answer.
        on_store_error: What happens while the store is down. ``handle``: pushes are handled without deduplication.
            ``refuse``: the answer is 503, and WeChat sends the push again.
        on_lost: Called with the message and the reason, a `LostReason`, when a push gets no answer; the message is None
            if the push can no longer be opened, or parts were kept and too many. If None, that is only logged.
        dedup_key: Returns the text that identifies a message, instead of MsgId or content; None if they do.
        deliveries: How often WeChat sends a push in all; sources say 3 or 4.
        handler_limit: Seconds after which a handler that still runs no longer keeps others from handling its message.
        max_running: How many handlers run in this process at a time. Above it an AsyncPushEndpoint lets pushes wait; a
            PushEndpoint answers 503. If None, there is no limit.
        ordered: Whether the messages of one user are handled one after another, in the order of arrival.
        text_limit: Bytes of UTF-8 in a text that WeChat accepts; a longer one is split.
        clock: Seconds since the epoch; this and the next two are parameters for tests. A
            `wechat_msg.testing.VirtualClock` stands for all three.
        monotonic: Seconds, for time limits.
        sleep: Waits for a number of seconds. If None, `time.sleep`.

    Raises:
        SettingsError: An option is invalid; the handler, or one of the router's, is async; an answer would go out
            before the handler ends, and there is no executor; ``queue`` needs a store that outlives the process.

    Example:
        >>> from wechat_msg.testing import build_push
        >>> from wechat_msg import PushSettings
        >>> settings = PushSettings(token="spamtest")
        >>> endpoint = PushEndpoint(settings, lambda message: "hello")
        >>> response = endpoint.handle(build_push(settings, {"MsgType": "text", "Content": "hi"}))
        >>> response.status, b"hello" in response.body
        (200, True)
    """

    _is_async = False
    #: Runs what was taken over if there is no executor.
    _recovery: _OneThread = field(init=False, factory=lambda: _OneThread())

    @property
    def kept(self) -> KeptReplies:
        """The answers that are kept for their users' next messages."""
        return KeptReplies(self)

    def handle(self, request: PushRequest) -> PushResponse:
        """Answer one request of WeChat.

        Returns:
            The response. A refused push has a 4xx status and is logged as a warning; 503 makes WeChat send it again.

        Raises:
            Exception: The handler raised it.
            ReplyError: The handler's answer cannot be sent.
        """
        self._start_upkeep()
        return drive(self._respond(request), self._perform)

    def recover(self) -> int:
        """Start the work on pushes that were acknowledged or queued, and that no process works on any more.

        The first request in any process does the same. Call it when the application starts, as users may wait; never
        when a module is imported, as that may be in a process that forks.

        Returns:
            The number of pushes; their handlers may still run. If the store fails, that is logged, and the process
            looks again later.
        """
        if not self._handling.is_kept:
            return 0
        self._handling.process.is_ending = False
        started = drive(self._upkeep.recover(), self._perform)
        self._start_upkeep()
        return started

    def drain(self, seconds: float = 30.0) -> None:
        """Wait up to *seconds* for running handlers, and let other processes work on what still runs then.

        To be called when the application ends, and takes no more requests.
        """
        _check_drain(seconds)
        process = self._handling.process
        process.is_ending, end = True, self.monotonic() + seconds
        while len(process.registry) and self.monotonic() < end:
            (self.sleep or time.sleep)(_DRAIN_PAUSE)
        left = len(process.registry)
        self._warn_of_drain(left, drive(self._upkeep.hand_back_all(), self._perform))

    def run_job(self, job: str) -> None:
        """Handle the push of a job, in a worker of the job queue; does nothing if it is done, or runs elsewhere.

        Args:
            job: The text that ``queue=`` was called with.

        Raises:
            SettingsError: The text is another one, or the endpoint has no ``queue``.
            StoreError: The store failed.
            Exception: The handler raised it. The push is enqueued again later, so the job need not be.
        """
        self._check_queue()
        work = drive(begin_job(self._handling, job), self._perform)
        self._start_upkeep()  # now there is a lane
        if work is not None:
            drive(work.run(), self._perform)

    def _start_upkeep(self) -> None:
        process = self._handling.process
        if process.store is None:
            return
        for name, start in self._upkeep.flows.items():
            if process.needs(name):
                _started.add(self)
                self.run_in_background(start(), functools.partial(_perform_for, weakref.ref(self)))

    def run_in_background(self, flow: Flow[None], perform: Callable[[Any], Any]) -> None:
        """Perform a flow in a thread of its own; a subclass in a test may do something else."""
        clock = self.clock if isinstance(self.clock, Clock) else REAL_CLOCK

        def perform_or_sleep(step: Any) -> Any:
            return clock.sleep(step.seconds) if isinstance(step, Sleep) else perform(step)

        clock.start("wechat_msg.upkeep", drive, flow, perform_or_sleep, is_background=True)

    def _perform(self, step: _Step) -> Any:
        match step:
            case Get() | CompareAndSet():
                return step.perform()
            case RunHandler():
                return run_handler(step)
            case RunMiddleware():
                return run_handler(step.bind(self._perform))
            case RunWork():
                return self._run_work(step.delivery, step.seconds)
            case Wait():
                return self._wait(step.future, step.seconds)
            case Sleep():
                return (self.sleep or time.sleep)(step.seconds)
            case StartWork():
                return self._start_work(step.work)
            case RunAside():
                return self.run_in_background(_call(step.step), self._perform)

    def _wait(self, future: Future[Any], seconds: float) -> Any:
        if isinstance(self.clock, Clock):
            self.clock.wait(future, seconds)
        elif self.sleep is None:
            REAL_CLOCK.wait(future, seconds)
        else:  # no other wait takes time on a clock of the caller's own
            while seconds > 0 and not future.done():
                self.sleep(min(_WAIT, seconds))
                seconds -= _WAIT
        return future.result() if future.done() else None

    def _run_work(self, delivery: PushDelivery | LoneDelivery, seconds: float) -> Reply | None:
        work: Any = delivery.work
        reply: Reply | None
        self._start_upkeep()  # now there is a lane
        if self.executor is None:
            delivery.is_over = True
            reply = drive(work.run(), self._perform)
            return reply
        if delivery.started is None:
            delivery.started = self._submit(self.executor, work)
        try:
            delivery.started.exception(max(seconds, 0))
        except TimeoutError:
            return None
        delivery.is_over = True
        reply = delivery.started.result()
        return reply

    def _submit(self, executor: Executor, work: Work | Rest) -> Future[Reply | None]:
        context = contextvars.copy_context()
        try:
            future = executor.submit(context.run, drive, work.run(), self._perform)
        except BaseException:
            drive(work.leave(), self._perform)
            raise
        future.add_done_callback(lambda ended: drive(work.leave(), self._perform) if ended.cancelled() else None)
        return future

    def _start_work(self, work: Work | Rest) -> None:
        self._start_upkeep()  # now there is a lane
        if self.executor is not None:
            self._submit(self.executor, work).add_done_callback(_log_failure)
            return
        if self._recovery.add(work):
            self.run_in_background(self._recovery.run(), self._perform)


@frozen(eq=False, repr=False)
class KeptReplies:
    """The answers that an endpoint with `KeepReply` keeps; see `PushEndpoint.kept`."""

    _endpoint: PushEndpoint

    def put(self, openid: str, reply: Answer) -> None:
        """Keep an answer for a user, who gets it with the next message, after what was kept before.

        Args:
            openid: The user, who need not have written before.
            reply: A reply, a text, or several of them.

        Raises:
            ReplyError: There is nothing to keep, or a reply cannot be written.
            SettingsError: The endpoint keeps no answers, or *openid* is empty.
            StoreError: The store failed.
        """
        drive(self._endpoint._keep(openid, reply), self._endpoint._perform)  # noqa: SLF001


@frozen(eq=False, repr=False)
class AsyncKeptReplies:
    """The answers that an endpoint with `KeepReply` keeps; see `AsyncPushEndpoint.kept`."""

    _endpoint: AsyncPushEndpoint

    async def put(self, openid: str, reply: Answer) -> None:
        """Keep an answer for a user; see `KeptReplies.put`."""
        await drive_async(self._endpoint._keep(openid, reply), self._endpoint._perform)  # noqa: SLF001


class _OneThread:
    """Works one after another in a thread, which is started for them and ends after the last one."""

    def __init__(self) -> None:
        self._pid = 0
        self._lock = threading.Lock()
        self._waiting: deque[Work | Rest] = deque()

    def add(self, work: Work | Rest) -> bool:
        """Add a work; return whether the caller must start the thread."""
        with self._lock:
            is_running = self._pid == os.getpid() and bool(self._waiting)
            if self._pid != os.getpid():  # the thread of the parent does not run here
                self._pid = os.getpid()
                self._waiting.clear()
            self._waiting.append(work)
        return not is_running

    def run(self) -> Flow[None]:
        """Perform all works; their errors are logged."""
        while True:
            try:
                yield from self._waiting[0].run()
            except BaseException as error:  # noqa: BLE001, the handler's; the next one must run
                _log.error("a handler failed after its request had ended", exc_info=error)
            with self._lock:
                self._waiting.popleft()
                if not self._waiting:
                    return


#: The endpoints whose pushes other processes can take over.
_started: weakref.WeakSet[PushEndpoint] = weakref.WeakSet()


@atexit.register
def _hand_back_at_exit() -> None:
    """Hand back what still runs when the interpreter ends; it has joined the threads of executors before."""
    for endpoint in tuple(_started):
        endpoint.drain(0.0)


@define(eq=False, repr=False, slots=False, on_setattr=attrs.setters.frozen)
class AsyncPushEndpoint(_Endpoint[Handler | AsyncHandler | FlowHandler, AnyStore]):
    """A `PushEndpoint` for asyncio; sync handlers run in the thread pool of the event loop, or in *executor*.

    A handler runs in its own task, which goes on when WeChat hangs up. A sync store is called in threads.

    Example:
        >>> import asyncio
        >>> from wechat_msg.testing import build_push
        >>> from wechat_msg import PushSettings
        >>> settings = PushSettings(token="spamtest")
        >>> async def answer(message):
        ...     return "hello"
        >>> endpoint = AsyncPushEndpoint(settings, answer)
        >>> asyncio.run(endpoint.handle(build_push(settings, {"MsgType": "text", "Content": "hi"}))).status
        200
    """

    _is_async = True

    #: The running handlers' tasks, each with one that nothing but the end of the event loop cancels before it, once it
    #: has waited for anything; an event loop itself holds tasks weakly.
    _tasks: dict[asyncio.Task[Reply | None], tuple[Work | Rest | LoneDelivery, asyncio.Task[Any] | None]] = field(
        init=False, factory=dict
    )
    _asides: set[asyncio.Task[None]] = field(init=False, factory=set)
    _upkeep_tasks: dict[str, asyncio.Task[None]] = field(init=False, factory=dict)

    @property
    def kept(self) -> AsyncKeptReplies:
        """The answers that are kept for their users' next messages."""
        return AsyncKeptReplies(self)

    async def handle(self, request: PushRequest) -> PushResponse:
        """Answer one request of WeChat; see `PushEndpoint.handle`."""
        self._start_upkeep()
        return await drive_async(self._respond(request), self._perform)

    async def recover(self) -> int:
        """Start the work on pushes that no process works on any more; see `PushEndpoint.recover`."""
        if not self._handling.is_kept:
            return 0
        self._handling.process.is_ending = False
        started = await drive_async(self._upkeep.recover(), self._perform)
        self._start_upkeep()
        return started

    async def drain(self, seconds: float = 30.0) -> None:
        """Wait for running handlers, and let other processes work on the rest; see `PushEndpoint.drain`.

        `wechat_msg.adapters.asgi.push_app` calls it.
        """
        _check_drain(seconds)
        process = self._handling.process
        process.is_ending = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        left = len(process.registry)
        self._warn_of_drain(left, await drive_async(self._upkeep.hand_back_all(), self._perform))

    async def run_job(self, job: str) -> None:
        """Handle the push of a job, in a worker of the job queue; see `PushEndpoint.run_job`."""
        self._check_queue()
        work = await drive_async(begin_job(self._handling, job), self._perform)
        self._start_upkeep()  # now there is a lane
        if work is not None:
            await self._start_task(work)

    def _start_upkeep(self) -> None:
        process = self._handling.process
        if process.store is None:
            return
        is_gone = any(not task.get_loop().is_running() for task in self._upkeep_tasks.values())
        if is_gone:
            self._upkeep_tasks.clear()
        for name, start in self._upkeep.flows.items():
            if process.needs(name, is_gone=is_gone):
                sleep = self.clock.pause if isinstance(self.clock, Clock) else self.sleep or asyncio.sleep
                perform = functools.partial(_perform_async_for, weakref.ref(self), sleep)
                started, loop = drive_async(start(), perform), asyncio.get_running_loop()
                self._upkeep_tasks[name] = loop.create_task(started, context=contextvars.Context())

    def _perform(self, step: _Step) -> Any:
        match step:
            case Get() | CompareAndSet():
                return perform_in_loop(step)
            case RunHandler():
                return self._run_handler(step)
            case RunMiddleware():
                return self._run_handler(step.bind_async(self.executor, self.sleep or asyncio.sleep))
            case RunWork():
                return self._run_work(step.delivery, step.seconds)
            case Wait():
                return self._wait(step.future, step.seconds)
            case Sleep():
                return (self.sleep or asyncio.sleep)(step.seconds)
            case StartWork():
                self._start_upkeep()  # now there is a lane
                self._start_task(step.work).add_done_callback(_log_failure)
            case RunAside():
                task = asyncio.create_task(drive_async(_call(step.step), self._perform))
                self._asides.add(task)
                task.add_done_callback(self._asides.discard)
        return None

    async def _wait(self, future: Future[Any], seconds: float) -> Any:
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Future[Any]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(done.set)

        future.add_done_callback(wake)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), max(seconds, 0))
        return future.result() if future.done() else None

    async def _run_handler(self, step: RunHandler) -> Answer:
        task = cast("asyncio.Task[Reply | None]", asyncio.current_task())
        try:
            answer: Answer = await run_handler_async(step, self.executor)
            if task.cancelling():
                await asyncio.sleep(0)  # raises here, not in the flow, if the handler has just cancelled its task
        except CANCELLED as error:
            _, other = self._tasks.get(task, (None, None))
            # An event loop that shuts down cancels all tasks; a handler that cancels only its own has failed.
            is_own = task in self._tasks and not (other is not None and (other.cancelling() or other.done()))
            if task.cancelling() and not is_own:
                raise
            while task.cancelling():
                task.uncancel()
            raise HandlerCancelled from error
        return answer

    async def _run_work(self, delivery: PushDelivery | LoneDelivery, seconds: float) -> Reply | None:
        self._start_upkeep()  # now there is a lane
        if delivery.started is None:
            work: Any = delivery.work
            delivery.started = self._start_task(work)
            await asyncio.sleep(0)  # many handlers end at once, and a timer costs more than they do
        if not delivery.started.done():
            await asyncio.wait((delivery.started,), timeout=max(seconds, 0))
        if not delivery.started.done():
            return None
        delivery.is_over = True
        reply: Reply | None = delivery.started.result()
        return reply

    def _start_task(self, work: Work | Rest | LoneDelivery) -> asyncio.Task[Reply | None]:
        task = asyncio.create_task(drive_async(work.run(), self._perform))
        self._tasks[task] = work, None
        task.add_done_callback(self._forget)
        asyncio.get_running_loop().call_soon(self._add_witness, task)
        return task

    def _add_witness(self, task: asyncio.Task[Reply | None]) -> None:
        """Give a handler that did not end at once its other task."""
        if not task.done():
            self._tasks[task] = self._tasks[task][0], asyncio.create_task(asyncio.Event().wait())

    def _forget(self, ended: asyncio.Task[Reply | None]) -> None:
        work, other = self._tasks.pop(ended)
        work.abandon()  # it may have been cancelled before its flow began
        if other is not None:
            other.cancel()


def _log_failure(ended: Future[Reply | None] | asyncio.Task[Reply | None]) -> None:
    """Log the exception of a handler whose request has ended."""
    if not ended.cancelled() and (error := ended.exception()):
        _log.error("a handler failed after its request had ended", exc_info=error)
