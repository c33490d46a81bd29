"""Router: chooses the handlers of a message."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
from collections.abc import Awaitable, Callable
from types import NoneType
from typing import Any, TypeVar

from wechat_msg._flow import Flow, drive
from wechat_msg._tracebacks import define, frozen
from wechat_msg.answering import Answer
from wechat_msg.errors import ReplyError, SettingsError
from wechat_msg.messages import Message

__all__ = [
    "CANCELLED",
    "AsyncHandler",
    "Handler",
    "HandlerCancelled",
    "Router",
    "RunHandler",
    "ask",
    "call",
    "is_async",
    "run_handler",
]

Handler = Callable[[Any], Answer]
"""A function that takes a message and returns the answer."""
AsyncHandler = Callable[[Any], Awaitable[Answer]]
"""An async `Handler`."""

#: The errors of asyncio and concurrent.futures for something that was cancelled.
CANCELLED = (asyncio.CancelledError, concurrent.futures.CancelledError)

M = TypeVar("M", bound=Message)
H = TypeVar("H", bound=Callable[..., Any])
Predicate = Callable[[Any], object]


@define
class RunHandler:
    """The step that calls a function of the user's with one argument; its result is that of the function."""

    handler: Callable[[Any], Any]
    message: Any


class HandlerCancelled(RuntimeError):
    """A handler raised a CancelledError although its request was not cancelled; that error is the cause.

    An event loop or a framework would treat the CancelledError itself as the cancellation of the request.
    """

    def __init__(self) -> None:
        super().__init__("the handler raised CancelledError")


def ask(handler: Handler | AsyncHandler | Router, message: Message) -> Flow[Answer]:
    """Yield the steps that call *handler*, or those of a router's handlers, and return the answer."""
    if isinstance(handler, Router):
        return (yield from handler.flow(message))
    answer: Answer = yield RunHandler(handler, message)
    return answer


def is_async(handler: object) -> bool:
    """Return whether *handler*, or a handler of a router, is async."""
    if isinstance(handler, Router):
        return any(map(is_async, handler.handlers))
    functions = handler, getattr(handler, "__call__", None)  # noqa: B004
    return any(inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in functions)


def call(step: RunHandler) -> Answer | Awaitable[Answer]:
    """Call the handler. StopIteration would end a flow, and CancelledError a request, so both are wrapped."""
    try:
        answer: Answer | Awaitable[Answer] = step.handler(step.message)
    except StopIteration as error:
        raise RuntimeError("the handler raised StopIteration") from error
    except CANCELLED as error:
        raise HandlerCancelled from error
    return answer


def run_handler(step: RunHandler) -> Answer:
    """Perform the step in this thread.

    Raises:
        ReplyError: The handler is async.
    """
    answer = call(step)
    if not isinstance(answer, (str, NoneType)) and inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise ReplyError("an async handler needs AsyncPushEndpoint（异步处理函数请使用 AsyncPushEndpoint）")
    return answer


@frozen
class _Route:
    kinds: tuple[type[Message], ...]
    predicates: tuple[Predicate, ...]
    fields: tuple[tuple[str, object], ...]
    handler: Handler | AsyncHandler | Router

    def matches(self, message: Message) -> bool:
        return (
            isinstance(message, self.kinds)
            and all(getattr(message, name) == value for name, value in self.fields)
            and all(predicate(message) for predicate in self.predicates)
        )


class Router:
    """A list of handlers, each for certain messages; a router is a handler itself.

    Matching handlers are called in the order in which they were added, until one returns an answer that is not None;
    ``""`` is an answer, and acknowledges. The default handler is called if no other handler matches.

    Example:
        >>> from wechat_msg import Message, Router, SubscribeEvent, TextMessage
        >>> router = Router()
        >>> @router.on(TextMessage, content="help")
        ... def answer_help(message: TextMessage) -> str:
        ...     return "Send me any text."
        >>> @router.on(TextMessage, lambda message: message.content.isdecimal())
        ... def answer_number(message: TextMessage) -> str:
        ...     return str(int(message.content) * 2)
        >>> @router.on(SubscribeEvent)
        ... def answer_subscribe(event: SubscribeEvent) -> str:
        ...     return "Welcome!"
        >>> @router.default
        ... def answer_other(message: Message) -> str:
        ...     return "?"
        >>> router(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="21"))
        '42'
    """

    def __init__(self) -> None:
        self._routes: list[_Route] = []
        self._default: Handler | AsyncHandler | Router | None = None

    def on(self, *kinds_and_predicates: type[M] | Callable[[M], object], **fields: object) -> Callable[[H], H]:
        """Add the decorated handler for messages of the given classes.

        Args:
            kinds_and_predicates: Classes of messages and events, and predicates, which are functions of the message.
                The message must be an instance of one of the classes, and all predicates must return true.
            fields: Attributes or properties of the message, and the values that they must have.

        Raises:
            SettingsError: There is no class, a predicate is async, or a class has no such attribute.
        """
        kinds = tuple(kind for kind in kinds_and_predicates if isinstance(kind, type))
        predicates = tuple(predicate for predicate in kinds_and_predicates if not isinstance(predicate, type))
        if not kinds or not all(issubclass(kind, Message) for kind in kinds):
            raise SettingsError("Router.on needs classes of messages and events")
        if not all(callable(predicate) and not is_async(predicate) for predicate in predicates):
            raise SettingsError("Router.on needs predicates that are functions of the message, and not async")
        for name in fields:
            if not all(hasattr(kind, name) for kind in kinds):
                raise SettingsError(f"Router.on: {kinds[0].__name__} has no {name}")

        def add(handler: H) -> H:
            self._routes.append(_Route(kinds, predicates, tuple(fields.items()), handler))
            return handler

        return add

    @property
    def handlers(self) -> tuple[Handler | AsyncHandler | Router, ...]:
        """All handlers in the order in which they were added, the default one last."""
        default = () if self._default is None else (self._default,)
        return (*(route.handler for route in self._routes), *default)

    def default(self, handler: H) -> H:
        """Set the handler for messages that no other handler matches."""
        self._default = handler
        return handler

    def flow(self, message: Message) -> Flow[Answer]:
        """Yield the steps that call the matching handlers, and return the answer."""
        found = False
        for route in self._routes:
            if route.matches(message):
                found = True
                answer = yield from ask(route.handler, message)
                if answer is not None:
                    return answer
        if not found and self._default is not None:
            return (yield from ask(self._default, message))
        return None

    def __call__(self, message: Message) -> Answer:
        """Return the answer to *message*.

        Raises:
            ReplyError: A matching handler is async; give the router to an AsyncPushEndpoint.
        """
        return drive(self.flow(message), run_handler)
