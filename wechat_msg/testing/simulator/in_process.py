"""Transports to a WSGI or ASGI application in the same process, without a port."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import SplitResult, unquote_to_bytes
from wsgiref.util import setup_testing_defaults

from wechat_msg._clock import REAL_CLOCK, RealClock
from wechat_msg.exchange import PushRequest
from wechat_msg.testing.clock import VirtualClock
from wechat_msg.testing.simulator import problems
from wechat_msg.testing.simulator.transports import MAX_RESPONSE_BYTES, PushTransport, make_target, split_url
from wechat_msg.testing.simulator.verdicts import BotResponse, NoResponse

__all__ = ["ASGIApp", "ASGITransport", "LoopTransport", "SimulatorClock", "ThreadTransport", "WSGIApp", "WSGITransport"]

WSGIApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
SimulatorClock = RealClock | VirtualClock

T = TypeVar("T")

_log = logging.getLogger("wechat_msg.testing")
_CRASHED = BotResponse(500, {}, b"Internal Server Error")  # as servers answer an exception
_TIMED_OUT = NoResponse(problems.TIMED_OUT)
_TOO_LONG = NoResponse(problems.TOO_LONG, f"more than {MAX_RESPONSE_BYTES} bytes")
#: Seconds that requests may still take before their application is shut down.
_DRAIN_LIMIT = 1.0
_MAX_THREADS = 1000


class _Disconnected(ConnectionResetError):
    """The error that servers raise when WeChat no longer reads; it ends an endless answer."""


def _read_url(url: str) -> SplitResult:
    """Split an address, which may be a path alone."""
    return split_url(f"http://testserver{url}" if url.startswith("/") else url)


# --- WSGI -------------------------------------------------------------------------------------------------------------


class WSGITransport:
    """A transport that calls a WSGI application in a thread.

    As in a real server, the application goes on after WeChat has hung up.

    Args:
        app: The application.
        url: The path, or an address, whose host the application sees.
        clock: The clock of the application.

    Raises:
        SettingsError: *url* is invalid.
    """

    def __init__(self, app: WSGIApp, url: str, *, clock: SimulatorClock = REAL_CLOCK) -> None:
        self._app = app
        self._clock = clock
        self._parts = _read_url(url)

    def close(self) -> None:
        """Do nothing; there is nothing to release."""

    def send(self, request: PushRequest, limit: float) -> BotResponse | NoResponse:
        """Call the application and return its result after *limit* seconds at most."""
        deadline = self._clock.monotonic() + limit
        answer: Future[BotResponse | NoResponse] = self._clock.start("WeChat", self._call, request, deadline)
        self._clock.wait(answer, limit)
        return answer.result(0) if answer.done() else _TIMED_OUT

    def _call(self, request: PushRequest, deadline: float) -> BotResponse | NoResponse:
        head: list[Any] = ["500", []]
        body = bytearray()

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], None]:
            head[:] = [status, headers]
            return write

        def write(piece: bytes) -> None:
            if len(body) > MAX_RESPONSE_BYTES or self._clock.monotonic() > deadline:
                raise _Disconnected
            body.extend(piece[: MAX_RESPONSE_BYTES + 1])

        try:
            pieces = self._app(self._make_environ(request), start_response)
            with contextlib.ExitStack() as stack:
                stack.callback(getattr(pieces, "close", lambda: None))
                for piece in pieces:
                    write(piece)
            answer: BotResponse | NoResponse = BotResponse(
                int(head[0][:3]), {name.lower(): value for name, value in head[1]}, bytes(body)
            )
        except _Disconnected:
            answer = _TIMED_OUT
        except (Exception, SystemExit):  # noqa: BLE001, servers answer any exception with 500
            _log.exception("the application raised an exception")
            answer = _CRASHED
        return answer if len(body) <= MAX_RESPONSE_BYTES else _TOO_LONG

    def _make_environ(self, request: PushRequest) -> dict[str, Any]:
        path, _, query = make_target(self._parts, request).partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.content_type,
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_HOST": self._parts.netloc,
            "SERVER_NAME": str(self._parts.hostname),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": self._parts.scheme,
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()},
        }
        setup_testing_defaults(environ)
        return environ


# --- ASGI -------------------------------------------------------------------------------------------------------------


class ASGITransport:
    """A transport that calls an ASGI application in the running event loop.

    The application starts before its first request; `close` shuts it down.

    Args:
        app: The application.
        url: As for `WSGITransport`.
        lifespan_limit: Seconds that it may take to start, and to shut down.

    Raises:
        SettingsError: *url* is invalid.
    """

    def __init__(self, app: ASGIApp, url: str, *, lifespan_limit: float) -> None:
        self._app = app
        self._parts = _read_url(url)
        self.lifespan_limit: float = lifespan_limit
        self._lifespan: _Lifespan | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Shut down the application; running requests get a second to end."""
        await _end(self._calls, _DRAIN_LIMIT)
        lifespan, self._lifespan = self._lifespan, None
        if lifespan:
            await lifespan.stop()

    async def start(self) -> None:
        """Start the application if it has not been started."""
        if self._lifespan is None:
            self._lifespan = _Lifespan(self._app, self.lifespan_limit)
        await self._lifespan.start()

    async def send(self, request: PushRequest, limit: float) -> BotResponse | NoResponse:
        """Call the application and return its result after *limit* seconds at most."""
        await self.start()
        if self._lifespan and self._lifespan.has_failed:
            return NoResponse(problems.UNREACHABLE, "the application could not start")
        call = _Call(request)
        task = asyncio.create_task(self._run(call, request))
        self._calls.add(task)  # the event loop keeps only weak references to tasks
        task.add_done_callback(self._calls.discard)
        try:
            await asyncio.wait([call.answer], timeout=limit)
        finally:
            call.set_answer(_TIMED_OUT)
        return call.answer.result()

    async def _run(self, call: _Call, request: PushRequest) -> None:
        try:
            await self._app(self._make_scope(request), call.receive, call.send)
        except _Disconnected:
            pass
        except (Exception, SystemExit):  # noqa: BLE001, servers answer any exception with 500
            _log.exception("the application raised an exception")
        call.set_answer(_CRASHED)

    def _make_scope(self, request: PushRequest) -> dict[str, Any]:
        path, _, query = make_target(self._parts, request).partition("?")
        headers = {"host": self._parts.netloc, "content-type": request.content_type}
        headers["content-length"] = str(len(request.body))
        headers |= {name.lower(): value for name, value in request.headers.items()}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": self._parts.scheme,
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": (str(self._parts.hostname), self._parts.port or 80),
            "state": {},
        }


class _Call:
    """One request, as the application reads and answers it."""

    def __init__(self, request: PushRequest) -> None:
        self.answer: asyncio.Future[BotResponse | NoResponse] = asyncio.get_running_loop().create_future()
        self._unread = [{"type": "http.request", "body": request.body, "more_body": False}]
        self._head: MutableMapping[str, Any] = {"status": 500}
        self._body = bytearray()

    async def receive(self) -> MutableMapping[str, Any]:
        if self._unread:
            return self._unread.pop()
        await asyncio.wait([self.answer])
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await asyncio.sleep(0)  # lets the time limit pass for an application that never waits
        if self.answer.done():
            raise _Disconnected
        if message["type"] == "http.response.start":
            self._head = message
            return
        self._body += message.get("body", b"")[: MAX_RESPONSE_BYTES + 1]
        if len(self._body) > MAX_RESPONSE_BYTES:
            self.set_answer(_TOO_LONG)
        elif not message.get("more_body"):
            self.set_answer(BotResponse(int(self._head["status"]), self._read_headers(), bytes(self._body)))

    def _read_headers(self) -> dict[str, str]:
        headers = self._head.get("headers", ())
        return {bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1") for name, value in headers}

    def set_answer(self, answer: BotResponse | NoResponse) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class _Lifespan:
    """Startup and shutdown of an application, which may support neither."""

    def __init__(self, app: ASGIApp, limit: float) -> None:
        self.has_failed = False
        self._app = app
        self._limit = limit
        self._inbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._started = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            self._inbox.put_nowait({"type": "lifespan.startup"})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._started.wait(), self._limit)
        self._started.set()

    async def stop(self) -> None:
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        if self._task:
            await _end([self._task], self._limit)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            await self._app(scope, self._inbox.get, self._send)
        except (Exception, SystemExit):  # noqa: BLE001, applications without lifespan raise, too
            _log.info("the application does not support lifespan events", exc_info=True)
        finally:
            self._started.set()

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"].startswith("lifespan.startup"):
            self.has_failed = message["type"].endswith("failed")
            self._started.set()


async def _end(tasks: Collection[asyncio.Task[None]], limit: float) -> None:
    """Wait for tasks and cancel those that take too long."""
    _, running = await asyncio.wait(tasks, timeout=limit) if tasks else ((), ())
    for task in running:
        task.cancel()


# --- sync to async, async to sync ---------------------------------------------------------------------------------


class ThreadTransport:
    """An asynchronous transport that calls a blocking one in threads."""

    def __init__(self, transport: PushTransport) -> None:
        self._transport = transport
        # The loop's own pool has few threads: a request would wait for one while its time limit runs.
        self._threads = ThreadPoolExecutor(_MAX_THREADS, "WeChat")

    async def send(self, request: PushRequest, limit: float) -> BotResponse | NoResponse:
        """Send a request and return its result after *limit* seconds at most."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._transport.send, request, limit)

    async def close(self) -> None:
        """Release all resources."""
        threads, self._threads = self._threads, ThreadPoolExecutor(_MAX_THREADS, "WeChat")
        threads.shutdown(wait=False)
        self._transport.close()


class LoopTransport:
    """A blocking transport that runs an `ASGITransport` in an event loop in a thread, until `close`."""

    def __init__(self, transport: ASGITransport, *, clock: SimulatorClock = REAL_CLOCK) -> None:
        self._transport = transport
        self._clock = clock
        self._lock = threading.Lock()
        self._runner: _LoopThread | None = None

    def send(self, request: PushRequest, limit: float) -> BotResponse | NoResponse:
        """Call the application and return its result after *limit* seconds at most."""
        runner = self._start()
        try:
            return runner.run(self._transport.send(request, limit), limit)
        except TimeoutError:  # the application blocks the event loop
            return _TIMED_OUT

    def close(self) -> None:
        """Shut down the application and end the loop; may be called more than once."""
        runner, self._runner = self._runner, None
        if runner is not None:
            with contextlib.suppress(TimeoutError):
                runner.run(self._transport.close(), self._transport.lifespan_limit)
            runner.close(self._transport.lifespan_limit)

    def _start(self) -> _LoopThread:
        with self._lock:
            if self._runner is None:
                self._runner = _LoopThread(self._clock)
                with contextlib.suppress(TimeoutError):
                    self._runner.run(self._transport.start(), self._transport.lifespan_limit)
            return self._runner


class _LoopThread:
    """An event loop that runs in its own thread."""

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._loop = clock.make_loop() if isinstance(clock, VirtualClock) else asyncio.new_event_loop()
        self._ended: Future[None] = clock.start("WeChat", self._serve)

    def run(self, work: Coroutine[Any, Any, T], limit: float) -> T:
        result = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._clock.wait(result, limit)
        return result.result(0)

    def close(self, limit: float) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._clock.wait(self._ended, limit)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # cancels the remaining tasks at the end
            runner.get_loop().run_forever()
