"""VirtualClock: time that passes only when nothing is left to do, so that a test of 48 hours takes milliseconds."""

from __future__ import annotations

import asyncio
import functools
import heapq
import io
import itertools
import math
import selectors
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextvars import Context
from typing import Any, Self, TypeVar, TypeVarTuple, Unpack, cast

from wechat_msg._validators import is_seconds, is_whole_number
from wechat_msg.errors import SettingsError, WeChatError

__all__ = ["ClockError", "VirtualClock", "VirtualLoop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_GRACE = 1.0  # real seconds in which another thread, or a socket, may wake one of those who wait for ever
_GRACE_IF_SILENT = 0.02  # the same for sockets on which nothing has happened in that time
_LOOK_EVERY = 0.001  # real seconds between two looks at sockets
_ONLY_BACKGROUND = 3600.0  # seconds of virtual time that pass at most while only the background does anything


class ClockError(WeChatError):
    """A test on a `VirtualClock` cannot go on: everyone waits for ever, or a thread waits for something real."""


class _Closed(GeneratorExit):
    """Ends a thread of a clock that was closed; as at the end of a flow, no further step is performed."""


class _Wait:
    """One wait of one thread or event loop.

    Attributes:
        thread: The thread that waits; None if it is the one that drives the clock.
        alarm: Called instead of waking a thread.
        is_background: Whether nobody waits for what follows.
        is_woken: Whether it ends before its time.
        is_over: Whether it has ended.
    """

    __slots__ = ("alarm", "is_background", "is_over", "is_woken", "thread")

    def __init__(self, thread: _Thread | None, alarm: Callable[[], object] | None = None) -> None:
        self.thread, self.alarm = thread, alarm
        self.is_background = alarm is not None or (thread is not None and thread.is_background)
        self.is_woken = self.is_over = False


class _Thread(threading.Thread):
    """A thread that runs only while all others of its clock wait."""

    def __init__(self, clock: VirtualClock, name: str, function: Callable[[], object], *, is_background: bool) -> None:
        super().__init__(name=name, daemon=True)
        self.clock, self.function, self.is_background = clock, function, is_background
        self.turn = threading.Semaphore(0)

    def run(self) -> None:
        _here.thread = self
        self.clock._run_thread(self)  # noqa: SLF001


_here = threading.local()


class VirtualClock:
    """A clock whose time passes only while everyone waits: tests of slow handlers and re-sends take milliseconds.

    Calling it returns seconds since the epoch, so it is the ``clock=`` of endpoints, simulators, stores and
    `FakeWeChatAPI`. The threads of `make_executor` and of a simulator run one at a time, in an order that is always the
    same; when all of them wait, time jumps to the next moment at which one goes on. What a test calls in its own thread
    takes no time unless it waits: `sleep`, a push of a simulator, or the result of a future of `make_executor`.

    Only these waits, and those of asyncio within `run`, take virtual time. `time.sleep` or a call over the network take
    real time, during which the clock stands still.

    Args:
        start: Seconds since the epoch at which it starts. If None, the real time, in whole seconds.
        patience: Real seconds that a handler may take from one wait to the next.

    Raises:
        SettingsError: An option is invalid.

    Example:
        >>> from wechat_msg import AnswerLater, PushEndpoint, PushSettings
        >>> from wechat_msg.adapters.wsgi import push_app
        >>> from wechat_msg.testing import PushSimulator
        >>> settings, sent = PushSettings(token="spamtest"), []
        >>> with VirtualClock() as clock:
        ...     def ponder(message):
        ...         clock.sleep(8)
        ...         return "done"
        ...     endpoint = PushEndpoint(
        ...         settings, ponder, late=AnswerLater(sent.append), executor=clock.make_executor(), clock=clock
        ...     )
        ...     wechat = PushSimulator("/", settings, wsgi=push_app(endpoint), clock=clock)
        ...     wechat.push_text("hi").is_acknowledged, clock.monotonic(), sent
        ...     clock.sleep(60)
        (True, 4.5, [])
        >>> sent[0]["text"]["content"]
        'done'
    """

    def __init__(self, *, start: float | None = None, patience: float = 10.0) -> None:
        if start is not None and not is_seconds(start, or_zero=True, maximum=math.inf):
            raise SettingsError("start must be seconds since the epoch", hint="start 应为时间戳（秒）")
        if not is_seconds(patience):
            raise SettingsError(
                "patience must be a number of seconds greater than 0", hint="patience 应为大于 0 的秒数"
            )
        self._start = float(int(time.time())) if start is None else start
        self._patience = patience
        self._now = 0.0
        self._only_background = 0.0  # seconds that have passed while only the background did anything
        self._lock = threading.Lock()
        self._driver: _Wait | None = None
        self._ready: deque[_Wait] = deque()
        self._timers: list[tuple[float, int, _Wait]] = []
        self._numbers = itertools.count()
        self._handed_back = threading.Semaphore(0)
        self._bell = threading.Event()  # the driver is woken, or a thread is ready
        self._threads: set[_Thread] = set()
        self._loops: set[VirtualLoop] = set()
        self._silent: set[Any] = set()
        self._is_closed = False
        self._failure: ClockError | None = None

    # --- for tests

    def __call__(self) -> float:
        """Return seconds since the epoch."""
        return self._start + self._now

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due in it; in a handler, wait.

        In a coroutine it blocks the event loop, as `time.sleep` does; `asyncio.sleep` does not.

        Raises:
            ClockError: A handler blocks for real; or the clock is closed, or used in a thread that it has not started.
        """
        self._pass(self._make_wait(), self._now + max(seconds, 0.0))

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine as `asyncio.run` does, in an event loop on this clock, and return its result.

        Functions that the loop runs in threads run in threads of this clock, whatever executor it was given.

        Raises:
            Exception: The coroutine raised it.
            ClockError: All tasks and threads wait for something that never happens.
        """
        self._only_background = 0.0
        with asyncio.Runner(loop_factory=self.make_loop) as runner:
            return runner.run(main)

    def make_executor(self, max_workers: int = 32) -> Executor:
        """Return an executor with threads of this clock, to use in place of a `ThreadPoolExecutor`.

        Its futures wait in virtual time: ``result`` and ``exception``, not the functions of `concurrent.futures`.

        Raises:
            SettingsError: *max_workers* is not a whole number from 1.
        """
        if not is_whole_number(1)(max_workers):
            raise SettingsError("max_workers must be a whole number from 1", hint="max_workers 应为正整数")
        return _Executor(self, max_workers)

    def close(self) -> None:
        """End all threads: whatever still waits raises an exception that is no `Exception`. May be called again."""
        self._is_closed = True
        for thread in tuple(self._threads):
            thread.turn.release()
            thread.join(_GRACE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # --- for endpoints and simulators

    def wait(self, future: Future[Any], seconds: float | None = None) -> None:
        """Wait until a future is done, for a number of seconds at most."""
        if not future.done():
            wait = self._make_wait()
            future.add_done_callback(lambda _: self._wake(wait))
            self._pass(wait, None if seconds is None else self._now + max(seconds, 0.0))

    async def pause(self, seconds: float) -> None:
        """Wait in an event loop of this clock, for what goes on in the background for ever."""
        loop, done = self.check_loop(), asyncio.Event()
        alarm = _Wait(None, lambda: loop.call_soon_threadsafe(done.set))
        self._set_timer(alarm, self._now + seconds)
        try:
            await done.wait()
        finally:
            alarm.is_over = True

    def start(self, name: str, function: Callable[..., T], *args: Any, is_background: bool = False) -> Future[T]:
        """Call a function in a thread of this clock; *is_background*: it goes on for ever, and nobody waits for it."""
        future: Future[T] = _Future(self)
        call = functools.partial(_resolve, future, functools.partial(function, *args))
        self._start_thread(name, call, is_background=is_background)
        return future

    def make_loop(self) -> VirtualLoop:
        """Return an event loop on this clock, as `run` uses it."""
        return VirtualLoop(self)

    def check_loop(self) -> VirtualLoop:
        """Return the running event loop.

        Raises:
            ClockError: It is not one of this clock.
        """
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop) or loop.clock is not self:
            raise ClockError("this event loop is not on the clock; use clock.run(...)", hint="请用 clock.run(...) 运行")
        return loop

    # --- waiting

    def _make_wait(self) -> _Wait:
        thread = getattr(_here, "thread", None)
        return _Wait(thread if thread is not None and thread.clock is self else None)

    def _set_timer(self, wait: _Wait, when: float) -> None:
        heapq.heappush(self._timers, (when, next(self._numbers), wait))

    def _wake(self, wait: _Wait) -> None:
        """End a wait; any thread may call this."""
        with self._lock:
            if wait.is_woken or wait.is_over:
                return
            wait.is_woken = True
            if wait.alarm is None and wait.thread is not None:
                self._ready.append(wait)
            self._bell.set()
        if wait.alarm is not None:
            wait.is_over = True
            wait.alarm()

    def _pass(self, wait: _Wait, end: float | None) -> None:
        """Let the others run, and time pass, until a wait is woken, or until *end*."""
        if self._is_closed and wait.thread is None:
            if end is not None and end <= self._now:
                return  # an event loop that ends its tasks
            raise self._failure or ClockError("the clock is closed", hint="该 VirtualClock 已关闭")
        if self._is_closed:
            raise _Closed
        try:
            if wait.thread is None:
                self._drive(wait, end)
                return
            if end is not None:
                self._set_timer(wait, end)
            self._handed_back.release()
            wait.thread.turn.acquire()
        finally:
            wait.is_over = True
        if self._is_closed:
            raise _Closed

    def _start_thread(self, name: str, function: Callable[[], object], *, is_background: bool) -> None:
        thread = _Thread(self, name, function, is_background=is_background)
        self._threads.add(thread)
        thread.start()
        self._wake(_Wait(thread))

    def _run_thread(self, thread: _Thread) -> None:
        thread.turn.acquire()
        try:
            if not self._is_closed:
                thread.function()
        except _Closed:
            pass
        finally:
            self._threads.discard(thread)
            self._handed_back.release()

    # --- the thread that lets the others run

    def _drive(self, wait: _Wait, end: float | None) -> None:
        with self._lock:
            if self._driver is not None:
                raise ClockError(
                    "only one thread that the clock has not started can wait on it at a time; give endpoints"
                    " executor=clock.make_executor()",
                    hint="请使用 executor=clock.make_executor()",
                )
            self._driver = wait
        try:
            while True:
                self._bell.clear()
                if wait.is_woken or not self._step(end):
                    return
        finally:
            self._driver = None

    def _step(self, end: float | None) -> bool:
        """Let something happen; False if it is time for the driver to go on."""
        if self._ready:
            self._let_run(self._ready.popleft())
            return True
        while self._timers and self._timers[0][2].is_over:
            heapq.heappop(self._timers)
        first = self._timers[0][0] if self._timers else math.inf
        target = min(first, math.inf if end is None else end)
        if target > self._now and self._has_real_events():
            return True
        if target == math.inf:
            if self._bell.wait(min(_GRACE, self._patience)):
                return True
            raise self._make_deadlock()
        self._count_background(target, end)
        self._now = max(self._now, target)
        if first > target:
            return False
        self._wake(heapq.heappop(self._timers)[2])
        return True

    def _count_background(self, target: float, end: float | None) -> None:
        """Count the time for which nobody but the background waits, as it may wait for ever."""
        if target <= self._now:
            return
        if end is not None or not all(wait.is_background or wait.is_over for _, _, wait in self._timers):
            self._only_background = 0.0
            return
        self._only_background += target - self._now
        if self._only_background > _ONLY_BACKGROUND:
            raise self._make_deadlock()

    def _let_run(self, wait: _Wait) -> None:
        """Let a thread run until it waits or ends."""
        wait.is_over, thread = True, cast("_Thread", wait.thread)
        thread.turn.release()
        try:
            if self._handed_back.acquire(timeout=self._patience):
                return
        except BaseException:
            self._is_closed = True  # two threads would run at the same time
            raise
        self._is_closed = True
        error = ClockError(
            f"a thread has blocked for {self._patience:g} seconds of real time; on a VirtualClock it must wait with"
            " clock.sleep, or in asyncio",
            hint="处理函数真实阻塞；请改用 clock.sleep 等待",
        )
        error.add_note(f"This is where it is:\n{_describe_thread(thread)}")
        self._failure = error
        raise error

    def _make_deadlock(self) -> ClockError:
        error = ClockError(
            "everyone waits for something that never happens", hint="所有线程与任务都在等待，不会再有进展"
        )
        for thread in self._threads:
            if not thread.is_background:
                error.add_note(f"A thread waits here:\n{_describe_thread(thread)}")
        for task in itertools.chain.from_iterable(map(asyncio.all_tasks, self._loops)):
            task.print_stack(file=(stack := io.StringIO()))
            error.add_note(stack.getvalue())
        return error

    def _has_real_events(self) -> bool:
        """Wait for sockets of event loops, for some real time, and wake the loops whose sockets are ready."""
        loops = {loop: sockets for loop in self._loops if (sockets := loop.list_sockets())}
        if not loops:
            return False
        known = set().union(*loops.values()) <= self._silent
        end = time.monotonic() + (_GRACE_IF_SILENT if known else _GRACE)
        while not self._bell.is_set():
            for loop in loops:
                loop.wake_if_ready()
            if time.monotonic() > end:
                self._silent = set().union(*loops.values())
                return False
            time.sleep(_LOOK_EVERY)
        self._silent = set()
        return True


def _describe_thread(thread: threading.Thread) -> str:
    """Return the last calls of a thread that are not this module's."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001
    calls = [] if frame is None else traceback.extract_stack(frame)
    return "".join(traceback.format_list([call for call in calls if call.filename != __file__][-3:]))


# --- executors and event loops ----------------------------------------------------------------------------------------


class _Future(Future[T]):
    """A future for which its clock waits."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def result(self, timeout: float | None = None) -> T:
        self._clock.wait(self, timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._clock.wait(self, timeout)
        return super().exception(0)


def _resolve(future: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except _Closed:
        raise
    except BaseException as error:  # noqa: BLE001, it is raised where the result is asked for
        future.set_exception(error)
    else:
        future.set_result(result)


class _Executor(Executor):
    """Threads of a clock, of which each ends when nothing is left to do."""

    def __init__(self, clock: VirtualClock, max_workers: int) -> None:
        self._clock = clock
        self._free = max_workers
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running: set[Future[Any]] = set()
        self._is_shut_down = False

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        if self._is_shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[T] = _Future(self._clock)
        self._waiting.append((future, functools.partial(function, *args, **kwargs)))
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        if self._free:
            self._free -= 1
            name = getattr(function, "__qualname__", "executor")
            self._clock._start_thread(name, self._work, is_background=False)  # noqa: SLF001
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        self._is_shut_down = True
        while cancel_futures and self._waiting:
            self._waiting.popleft()[0].cancel()
        for future in tuple(self._running) if wait else ():
            self._clock.wait(future)

    def _work(self) -> None:
        while self._waiting:
            future, call = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                _resolve(future, call)
        self._free += 1


class _Selector(selectors.DefaultSelector):
    """A selector that waits on a clock."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        return self.loop.wait_for_events(timeout)

    def look(self) -> list[Any]:
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a clock; what it runs in executors runs in threads of the clock.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._waits_on_clock: _Wait | None = None
        self._selector_on_clock = _Selector()
        self._selector_on_clock.loop = self
        super().__init__(self._selector_on_clock)
        self._own_sockets = self._list_fds()
        self._threads = clock.make_executor(10_000)

    def time(self) -> float:
        """See `VirtualClock.monotonic`."""
        return self.clock.monotonic()

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call a function soon, from any thread."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if (wait := self._waits_on_clock) is not None:
            self.clock._wake(wait)  # noqa: SLF001
        return handle

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Call a function in a thread of the clock."""
        own = executor if isinstance(executor, _Executor) else self._threads
        return asyncio.wrap_future(own.submit(func, *args), loop=self)

    # --- the selector

    def wait_for_events(self, timeout: float | None) -> list[Any]:
        """Let the clock go on until there is something to do."""
        clock = self.clock
        self._waits_on_clock = wait = clock._make_wait()  # noqa: SLF001
        clock._loops.add(self)  # noqa: SLF001
        try:
            events = self._selector_on_clock.look()
            if not events:
                clock._pass(wait, None if timeout is None else clock.monotonic() + max(timeout, 0.0))  # noqa: SLF001
                events = self._selector_on_clock.look()
        finally:
            clock._loops.discard(self)  # noqa: SLF001
            self._waits_on_clock = None
        return events

    def _list_fds(self) -> set[int]:
        return {key.fd for key in self._selector_on_clock.get_map().values()}

    def list_sockets(self) -> set[tuple[int, int]]:
        """Return the sockets on which something real may happen."""
        return {(id(self), fd) for fd in self._list_fds() - self._own_sockets}

    def wake_if_ready(self) -> None:
        """End the wait if a socket is ready."""
        if self._waits_on_clock is not None and self._selector_on_clock.look():
            self.clock._wake(self._waits_on_clock)  # noqa: SLF001
