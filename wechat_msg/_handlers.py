"""The steps that call handlers and middleware, and the base class of handlers that ask others."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Executor
from types import NoneType
from typing import Any

from wechat_msg._flow import CompareAndSet, Flow, Get, Sleep, drive, drive_async, perform_in_loop
from wechat_msg._tracebacks import define
from wechat_msg.answering import Answer, Change
from wechat_msg.errors import ReplyError, SettingsError
from wechat_msg.messages import Message

__all__ = [
    "CANCELLED",
    "END",
    "AsyncHandler",
    "FlowHandler",
    "Handler",
    "HandlerCancelled",
    "RunHandler",
    "RunMiddleware",
    "Visit",
    "ask",
    "call",
    "check_parameters",
    "is_async",
    "perform",
    "perform_async",
    "read_next",
    "run_handler",
    "run_handler_async",
    "settle",
    "takes_arguments",
]

Handler = Callable[[Any], Answer]
"""A function that takes a message and returns the answer."""
AsyncHandler = Callable[[Any], Awaitable[Answer]]
"""An async `Handler`."""

#: The errors of asyncio and concurrent.futures for something that was cancelled.
CANCELLED = (asyncio.CancelledError, concurrent.futures.CancelledError)
#: What `read_next` returns at the end of a generator.
END = object()


# --- steps -----------------------------------------------------------------------------------------------------------


@define(init=False)
class RunHandler:
    """The step that calls a function of the user's; its result is that of the function.

    Args:
        handler: The function, sync or async.
        args: Its arguments.
    """

    handler: Callable[..., Any]
    args: tuple[Any, ...]

    def __init__(self, handler: Callable[..., Any], *args: Any) -> None:
        self.handler = handler
        self.args = args


@define
class RunMiddleware:
    """The step that calls a middleware; its result is the answer of the middleware.

    Attributes:
        middleware: The middleware, sync or async.
        message: The message.
        rest: Returns the flow of what the middleware stands around, for the message that it passes on.
    """

    middleware: Callable[..., Any]
    message: Any
    rest: Callable[[Any], Flow[Any]]

    def bind(self, perform: Callable[[Any], Any]) -> RunHandler:
        """Return the step that calls the middleware, and performs the steps inside it by *perform*."""
        return RunHandler(self.middleware, self.message, lambda message: drive(self.rest(message), perform))

    def bind_async(self, executor: Executor | None, sleep: Callable[[float], Awaitable[object]]) -> RunHandler:
        """Return the same step for an event loop; a sync middleware runs in one thread with everything inside it."""
        if not is_async(self.middleware):
            return self.bind(perform)

        async def call_next(message: Any) -> Any:
            return await drive_async(self.rest(message), lambda step: perform_async(step, executor, sleep))

        return RunHandler(self.middleware, self.message, call_next)


_Step = RunHandler | RunMiddleware | Sleep | Get | CompareAndSet


def takes_arguments(function: Callable[..., Any], count: int) -> bool:
    """Return whether a function can be called with *count* arguments, as far as one can know without a call."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions that are written in C
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def check_parameters(role: str, function: object, count: int, what: str, what_zh: str) -> None:
    """Check that a function can be called with *count* arguments, which are *what*.

    Raises:
        SettingsError: It cannot.
    """
    if isinstance(function, FlowHandler) or not callable(function) or takes_arguments(function, count):
        return
    parameters = ", ".join(inspect.signature(function).parameters)
    name = f"{getattr(function, '__name__', type(function).__name__)}({parameters})"
    raise SettingsError(f"{role}: {name} cannot be called with {what}（参数须为{what_zh}）")


class HandlerCancelled(RuntimeError):
    """A handler or filter raised a CancelledError although its request was not cancelled; that error is the cause.

    An event loop or a framework would treat the CancelledError itself as the cancellation of the request.
    """

    def __init__(self, function: str = "the handler") -> None:
        super().__init__(f"{function} raised CancelledError")


def is_async(handler: object) -> bool:
    """Return whether *handler*, or anything that it asks, is async."""
    if isinstance(handler, FlowHandler):
        return handler.is_async
    functions = handler, getattr(handler, "__call__", None)  # noqa: B004
    return any(inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in functions)


def call(step: RunHandler) -> Any:
    """Call the handler. StopIteration would end a flow, and CancelledError a request, so both are wrapped."""
    try:
        return step.handler(*step.args)
    except StopIteration as error:
        raise RuntimeError("the handler raised StopIteration") from error
    except CANCELLED as error:
        raise HandlerCancelled from error


def run_handler(step: RunHandler) -> Any:
    """Perform the step in this thread.

    Raises:
        ReplyError: The handler is async.
    """
    answer = call(step)
    if not isinstance(answer, (str, NoneType)) and inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise ReplyError(
            "an async handler needs AsyncPushEndpoint, and async middleware around it"
            "（异步处理函数请使用 AsyncPushEndpoint，其外层中间件也须为 async def）"
        )
    return answer


async def run_handler_async(step: RunHandler, executor: Executor | None = None) -> Any:
    """Await the handler, or run it in a thread so that it cannot block the event loop.

    Raises:
        HandlerCancelled: It raised a CancelledError, and its task is not being cancelled.
    """
    try:
        if is_async(step.handler):
            answer = step.handler(*step.args)
        else:
            context = contextvars.copy_context()
            answer = await asyncio.get_running_loop().run_in_executor(executor, lambda: context.run(call, step))
        return await answer if inspect.isawaitable(answer) else answer
    except CANCELLED as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise HandlerCancelled from error


def perform(step: _Step) -> Any:
    """Perform a step of a handler's flow in this thread."""
    match step:
        case RunHandler():
            return run_handler(step)
        case RunMiddleware():
            return run_handler(step.bind(perform))
        case Sleep():
            return time.sleep(step.seconds)
    return run_handler(RunHandler(step.perform))  # of a store, which must not be async


def perform_async(
    step: _Step, executor: Executor | None = None, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> Any:
    """Begin a step of a handler's flow in an event loop, for `drive_async`; what is sync runs in *executor*."""
    match step:
        case RunHandler():
            return run_handler_async(step, executor)
        case RunMiddleware():
            return run_handler_async(step.bind_async(executor, sleep), executor)
        case Sleep():
            return sleep(step.seconds)
    return perform_in_loop(step)


# --- generators as answers -------------------------------------------------------------------------------------------


def read_next(stream: Iterator[Any] | AsyncIterator[Any]) -> RunHandler:
    """Return the step that reads the next part of an answer; its result is `END` if there is no other."""
    return RunHandler(_next_async if isinstance(stream, AsyncIterator) else _next, stream)


def _next(stream: Iterator[Any]) -> Any:
    return next(stream, END)


async def _next_async(stream: AsyncIterator[Any]) -> Any:
    return await anext(stream, END)


# --- handlers that ask others ----------------------------------------------------------------------------------------


@define
class Visit:
    """What a handler that asks others reports about one message.

    Attributes:
        missed: Whether nothing was for the message, so that the default handler is asked.
    """

    missed: bool = True


class FlowHandler:
    """Base class of handlers that ask other handlers, or a store, by the steps of a flow: `Router`, `Conversations`.

    Attributes:
        is_included: Whether a router asks it.
    """

    is_included = False

    @property
    def is_async(self) -> bool:
        """Whether anything in it is async."""
        raise NotImplementedError

    def flow(self, message: Message, visit: Visit) -> Flow[Answer]:
        """Yield the steps that answer *message*, and return the answer; ``visit.missed`` is False if it was for it."""
        raise NotImplementedError

    def check(self) -> None:
        """Check that everything in it fits together; an endpoint calls this when it is made.

        Raises:
            SettingsError: It does not.
        """
        raise NotImplementedError

    def __call__(self, message: Message) -> Any:
        """Return the answer to *message*; or an awaitable of the answer, if anything in it is async.

        Raises:
            ReplyError: A handler or middleware that looks sync returned an awaitable.
        """
        flow = self.flow(message, Visit())
        return drive_async(flow, perform_async) if self.is_async else drive(flow, perform)


def ask(handler: Callable[..., Any], message: Message, *more: object, visit: Visit | None = None) -> Flow[Answer]:
    """Yield the steps that call *handler* with *message* and *more*, and return the answer."""
    visit = visit or Visit()
    if isinstance(handler, FlowHandler):
        return (yield from handler.flow(message, visit))
    visit.missed = False
    answer: Answer = yield RunHandler(handler, message, *more)
    return (yield from settle(message, answer)) if isinstance(answer, Change) else answer


def settle(message: Message, answer: Answer) -> Flow[Answer]:
    """Yield the steps that make the changes of an answer, and return what the user gets."""
    while isinstance(answer, Change):
        answer = yield from answer.settle(message)
    return answer
