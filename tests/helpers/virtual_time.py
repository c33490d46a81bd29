"""Time that passes only when nothing is left to do: 20 seconds of pushes take some milliseconds."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any

from attrs import define, field, frozen

from wechat_msg import MemoryStore, PushRequest, PushResponse, StoreError
from wechat_msg.testing import VirtualClock

HANGS_UP = 5.0
"""Seconds that WeChat waits for an answer."""

_START = 1_700_000_000.0
_loops: list[asyncio.AbstractEventLoop] = []  # that of the test, which may run others


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run *main* on a clock of its own; everything that asyncio reports is an error."""
    complaints: list[str] = []

    async def watch() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
        _loops.append(loop)
        return await main

    with VirtualClock(start=_START) as clock:
        try:
            result = clock.run(watch())
        finally:
            _loops.pop()
    assert not complaints
    return result


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function."""

    @functools.wraps(test)
    def run_test(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    return run_test


def get_clock() -> VirtualClock:
    """Return the clock of the test."""
    clock: VirtualClock = _loops[-1].clock  # type: ignore[attr-defined]
    return clock


def sleep(seconds: float) -> None:
    """Sleep in a thread of the clock."""
    get_clock().sleep(seconds)


def await_here(wanted: Awaitable[Any]) -> Any:
    """Await something in the event loop of the test, from a thread of its clock."""

    result: Future[Any] = Future()

    async def await_it() -> None:
        try:
            result.set_result(await wanted)
        except BaseException as error:
            result.set_exception(error)

    asyncio.run_coroutine_threadsafe(await_it(), _loops[-1])
    get_clock().wait(result)
    return result.result(0)


async def in_virtual_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run a sync function in a thread of the clock."""
    run_here = functools.partial(contextvars.copy_context().run, function)
    return await asyncio.get_running_loop().run_in_executor(None, run_here, *args)


def make_executor(workers: int = 32) -> Executor:
    """Return an executor of the clock."""
    return get_clock().make_executor(workers)


class OtherTime:
    """The clock of the test, which tells a time of its own.

    Args:
        read: Returns seconds since the epoch.
    """

    def __init__(self, read: Callable[[], float]) -> None:
        clock, self._read = get_clock(), read
        self.monotonic, self.sleep, self.pause = clock.monotonic, clock.sleep, clock.pause
        self.wait, self.start = clock.wait, clock.start

    def __call__(self) -> float:
        return self._read()


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
