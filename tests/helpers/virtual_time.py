"""Time that passes only when nothing is left to do: 20 seconds of pushes take some milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import selectors
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any

from attrs import define, field, frozen

from wechat_msg import MemoryStore, PushRequest, PushResponse, StoreError
from wechat_msg._flow import Flow, Sleep, drive

HANGS_UP = 5.0
"""Seconds that WeChat waits for an answer."""


# --- the loop --------------------------------------------------------------------------------------------------------


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that never waits: its clock jumps to the end of the wait."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        events = super().select(0)
        if not events and timeout is None:
            raise RuntimeError("all tasks wait for something that never happens")
        if not events:
            self.now += max(timeout or 0.0, 0.0)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer; calls in an executor run in virtual threads."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.complaints: list[str] = []
        self.set_exception_handler(lambda _, context: self.complaints.append(context["message"]))

    def time(self) -> float:
        return self._jumping.now

    def block(self, seconds: float) -> None:
        """Let time pass in which no task runs, as a blocking call does."""
        self._jumping.now += seconds

    def run_in_executor(self, executor: Executor | None, function: Callable[..., Any], *args: Any) -> Any:
        return self.create_task(in_virtual_thread(function, *args))


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run *main* in virtual time; everything that asyncio reports is an error."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(main)
    assert not loop.complaints
    return result


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function."""

    @functools.wraps(test)
    def run_test(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    return run_test


# --- threads ---------------------------------------------------------------------------------------------------------

_here = threading.local()


class _VirtualThread(threading.Thread):
    """A thread that runs only while the loop does not, and waits by letting the loop wait."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.loop = asyncio.get_running_loop()
        self._function = function
        self._turn, self._parked = threading.Semaphore(0), threading.Semaphore(0)
        self._wanted: Awaitable[Any] | None = None
        self._got: Future[Any] = Future()
        self.result: Future[Any] = Future()
        self.start()

    def run(self) -> None:
        self._turn.acquire()
        _here.thread = self
        try:
            self.result.set_result(self._function())
        except BaseException as error:
            self.result.set_exception(error)
        self._parked.release()

    def advance(self, got: Future[Any]) -> Awaitable[Any] | None:
        """Run until the thread waits, and return what it waits for; None if it has ended."""
        self._wanted, self._got = None, got
        self._turn.release()
        self._parked.acquire()
        return self._wanted

    def wait(self, wanted: Awaitable[Any]) -> Any:
        self._wanted = wanted
        self._parked.release()
        self._turn.acquire()
        return self._got.result()


async def in_virtual_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run a sync function in which `await_here` and `sleep` take virtual time."""
    thread = _VirtualThread(functools.partial(contextvars.copy_context().run, function, *args))
    got: Future[Any] = Future()
    while (wanted := thread.advance(got)) is not None:
        got = Future()
        try:
            got.set_result(await wanted)
        except BaseException as error:
            got.set_exception(error)
    return thread.result.result()


def await_here(wanted: Awaitable[Any]) -> Any:
    """Await something in a virtual thread."""
    return _here.thread.wait(wanted)


def sleep(seconds: float) -> None:
    """Sleep in a virtual thread."""
    await_here(asyncio.sleep(seconds))


class VirtualExecutor(Executor):
    """An executor with virtual threads; to be made while the loop runs."""

    def __init__(self, workers: int = 32) -> None:
        self._free = asyncio.Semaphore(workers)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = _VirtualFuture()
        task = self._loop.create_task(self._run(future, functools.partial(function, *args, **kwargs)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return future

    async def _run(self, future: Future[Any], function: Callable[[], Any]) -> None:
        async with self._free:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(await in_virtual_thread(function))
            except BaseException as error:
                future.set_exception(error)


class _VirtualFuture(Future[Any]):
    """A future whose `result` waits in virtual time."""

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if not self.done():
            await_here(self._wait(timeout))
        return super().exception(0)

    async def _wait(self, seconds: float | None) -> None:
        done = asyncio.Event()
        self.add_done_callback(lambda _: done.set())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), seconds)


# --- WeChat ----------------------------------------------------------------------------------------------------------


@frozen
class Try:
    """How one delivery of a push ended.

    Attributes:
        at: The time on the loop's clock.
        response: The answer; None if there was none within 5 seconds, or an error.
        error: The error that the endpoint raised; a framework answers it with 500.
    """

    at: float
    response: PushResponse | None = None
    error: BaseException | None = None

    @property
    def was_answered(self) -> bool:
        """Whether the try was answered with a 200."""
        return self.response is not None and self.response.status == 200


@define
class WeChat:
    """A client that pushes as WeChat does: hangs up after 5 seconds and re-sends until it gets a 200.

    Attributes:
        handle: Passes a request to the endpoint.
        tries: The number of deliveries of a push.
        cancels: Whether the server cancels a request when WeChat hangs up, as some servers do.
        abandoned: The requests after which WeChat hung up.
    """

    handle: Callable[[PushRequest], Coroutine[Any, Any, PushResponse]]
    tries: int = 3
    cancels: bool = False
    abandoned: list[asyncio.Task[PushResponse]] = field(factory=list, init=False)

    async def push(self, *requests: PushRequest) -> list[Try]:
        """Send a push; of several requests, the first is the first try, and the last is repeated."""
        tries: list[Try] = []
        while len(tries) < self.tries and not (tries and tries[-1].was_answered):
            tries.append(await self.deliver(requests[min(len(tries), len(requests) - 1)]))
        return tries

    async def deliver(self, request: PushRequest) -> Try:
        """Send a request once."""
        task = asyncio.create_task(self.handle(request))
        await asyncio.wait((task,), timeout=HANGS_UP)
        now = asyncio.get_running_loop().time()
        if not task.done():
            self._hang_up(task)
            return Try(now)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        return Try(now, error=error) if error else Try(now, task.result())

    def _hang_up(self, task: asyncio.Task[PushResponse]) -> None:
        self.abandoned.append(task)
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        if self.cancels:
            task.cancel()


# --- lanes and stores ------------------------------------------------------------------------------------------------


def run_in_background(flow: Flow[None], perform: Callable[[Any], Any]) -> None:
    """Perform *flow*, in a virtual thread; to be called in one."""

    def perform_or_sleep(step: Any) -> Any:
        return sleep(step.seconds) if isinstance(step, Sleep) else perform(step)

    task = _here.thread.loop.create_task(in_virtual_thread(drive, flow, perform_or_sleep))
    _background.add(task)
    task.add_done_callback(_background.discard)


_background: set[asyncio.Task[Any]] = set()


@define(slots=False)
class FaultyStore:
    """A `MemoryStore` that fails on demand; to be made while the loop runs.

    Attributes:
        fails: Returns whether a call fails; its number counts from 1.
        seconds: How long a call takes.
        lost: A call that fails takes effect nevertheless.
        down: Every call fails.
        calls: The number of calls so far.
    """

    fails: Callable[[int], bool] = lambda number: False
    seconds: float = field(default=0.0, kw_only=True)
    lost: bool = field(default=False, kw_only=True)
    down: bool = field(default=False, kw_only=True)
    calls: int = field(default=0, init=False)
    _inner: MemoryStore = field(factory=lambda: MemoryStore(clock=asyncio.get_running_loop().time), kw_only=True)

    def get(self, key: str) -> bytes | None:
        return self._call(self._inner.get, key)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return self._call(self._inner.compare_and_set, key, expected, value, ttl)

    def holds(self, part: str) -> bool:
        """Return whether the store has a key with this part."""
        return any(part in key for key in self._inner._entries)

    def _call(self, method: Callable[..., Any], *args: Any) -> Any:
        self.calls += 1
        fails = self.down or self.fails(self.calls)
        if self.seconds:
            sleep(self.seconds)
        if fails and self.lost:
            method(*args)
        if fails:
            raise StoreError("the store is down")
        return method(*args)


@frozen
class AwaitableStore:
    """An async store that calls a `FaultyStore`, without threads."""

    _store: FaultyStore

    async def get(self, key: str) -> bytes | None:
        return self._store.get(key)

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return self._store.compare_and_set(key, expected, value, ttl)
