"""Router: chooses the handlers of a message."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from attrs import field

from wechat_msg._flow import Flow
from wechat_msg._handlers import (
    CANCELLED,
    END,
    FlowHandler,
    HandlerCancelled,
    RunHandler,
    RunMiddleware,
    Visit,
    ask,
    check_parameters,
    is_async,
    read_next,
    settle,
)
from wechat_msg._tracebacks import frozen
from wechat_msg.answering import Answer, is_stream
from wechat_msg.errors import ConversationBusy, ConversationError, ReplyError, SettingsError
from wechat_msg.messages import Message

__all__ = [
    "AsyncCallNext",
    "AsyncMiddleware",
    "CallNext",
    "Middleware",
    "Route",
    "Router",
    "Takes",
    "TakesFound",
]

CallNext = Callable[[Message], Answer]
"""What a middleware calls to ask the handlers inside it, with the message or another one."""
AsyncCallNext = Callable[[Message], Awaitable[Answer]]
"""The `CallNext` of an async middleware."""
Middleware = Callable[[Message, CallNext], Answer]
"""A function that stands around the handlers of a router; see `Router.use`."""
AsyncMiddleware = Callable[[Message, AsyncCallNext], Awaitable[Answer]]
"""An async `Middleware`."""

_log = logging.getLogger("wechat_msg")


# --- the router ------------------------------------------------------------------------------------------------------

M = TypeVar("M", bound=Message)
N = TypeVar("N", bound=Message)
O = TypeVar("O", bound=Message)  # noqa: E741
V = TypeVar("V")
R = TypeVar("R", bound=Answer | Awaitable[Answer])
F = TypeVar("F", bound=FlowHandler)
D = TypeVar("D", bound=Callable[[Message], Answer | Awaitable[Answer]])
B = TypeVar("B", bound=Callable[[Message], object])
W = TypeVar("W", bound=Middleware | AsyncMiddleware)
X = TypeVar("X", bound=Exception)


class Takes(Generic[M]):
    """The decorator that `Router.on` returns, for handlers of a message of class M."""

    def __init__(self, add: Callable[[Any], None]) -> None:
        self._add = add

    @overload
    def __call__(self, handler: F) -> F: ...
    @overload
    def __call__(self, handler: Callable[[Message], R]) -> Callable[[Message], R]: ...
    @overload
    def __call__(self, handler: Callable[[M], R]) -> Callable[[M], R]: ...
    def __call__(self, handler: Any) -> Any:
        """Add the handler; return it unchanged."""
        self._add(handler)
        return handler


class TakesFound(Generic[M, V]):
    """The same after a filter: handlers may have a second parameter, for what it found, of class V."""

    def __init__(self, add: Callable[[Any], None]) -> None:
        self._add = add

    @overload
    def __call__(self, handler: F) -> F: ...
    @overload
    def __call__(self, handler: Callable[[Message], R]) -> Callable[[Message], R]: ...
    @overload
    def __call__(self, handler: Callable[[M], R]) -> Callable[[M], R]: ...
    @overload
    def __call__(self, handler: Callable[[M, V], R]) -> Callable[[M, V], R]: ...
    def __call__(self, handler: Any) -> Any:
        """Add the handler; return it unchanged."""
        self._add(handler)
        return handler


@frozen
class Route:
    """A handler of a router, and the conditions under which it is called.

    Attributes:
        kinds: Classes; the message is an instance of one.
        predicates: Filters; each returns a true value.
        fields: Attributes of the message by name, and their values.
        handler: The handler.
        takes_found: Whether the handler gets a second argument: what the first filter returned.
    """

    kinds: tuple[type[Message], ...]
    predicates: tuple[Callable[[Any], object], ...]
    fields: Mapping[str, object]
    handler: Callable[..., Any]
    takes_found: bool
    #: Returns the value of the first filter; a false value if the message, of one of the classes, does not match.
    find: Callable[[Message], Any] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "find", _make_find(self.predicates, self.fields))


def _make_find(predicates: Sequence[Callable[[Any], object]], fields: Mapping[str, object]) -> Callable[[Any], Any]:
    pairs = tuple(fields.items())
    if len(pairs) == 1 and not predicates:  # hundreds of these may be asked about each message
        ((only, expected),) = pairs
        return lambda message: getattr(message, only) == expected
    first, *others = predicates or (_take_all,)
    if not pairs and not others:
        return first

    def find(message: Message) -> Any:
        for name, value in pairs:
            if not getattr(message, name) == value:  # noqa: SIM201, a value may define what is equal
                return None
        found = first(message)
        if found:
            for predicate in others:
                if not predicate(message):
                    return None
        return found

    return find


def _take_all(_: Message) -> bool:
    return True


def _takes_found(handler: object) -> bool:
    """Return whether a handler has two positional parameters without defaults."""
    if isinstance(handler, FlowHandler) or not callable(handler):
        return False
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):  # some functions that are written in C
        return False
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return sum(each.default is each.empty and each.kind in kinds for each in parameters) == 2


class Router(FlowHandler):
    """A list of handlers, each for certain messages; a router is a handler itself.

    Matching handlers are called in the order in which they were added, until one returns an answer that is not None;
    ``""`` is an answer, and acknowledges. The default handler is called if no other handler matches.

    A message passes, from outside: the error handlers, the middleware as they were added, the observers, the
    handlers, the default handler. Each router has its own; those of an included router stand inside.

    Called with a message, a router returns the answer; or an awaitable of it, if anything in it is async.

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
        self._routes: list[Route] = []
        self._default: Callable[[Any], Any] | None = None
        self._middleware: list[Middleware | AsyncMiddleware] = []
        self._observers: list[Callable[[Message], object]] = []
        self._error_handlers: dict[type[Exception], Callable[[Any, Any], Any]] = {}
        self._by_class: dict[type[Message], list[Route]] = {}
        self._is_async: bool | None = None
        self._included: tuple[FlowHandler, ...] = ()

    # --- what is added

    @overload
    def on(self, kind: type[M], /, **fields: object) -> Takes[M]: ...
    @overload
    def on(  # type: ignore[overload-overlap]  # a class is callable, too
        self, kind: type[M], other: type[N], /, **fields: object
    ) -> Takes[M | N]: ...
    @overload
    def on(  # type: ignore[overload-overlap]
        self, kind: type[M], other: type[N], third: type[O], /, *more: Callable[..., object], **fields: object
    ) -> Takes[M | N | O]: ...
    @overload
    def on(
        self, kind: type[M], first: Callable[[M], V | None], /, *filters: Callable[[M], object], **fields: object
    ) -> TakesFound[M, V]: ...
    @overload
    def on(
        self,
        kind: type[M],
        other: type[N],
        first: Callable[[M | N], V | None],
        /,
        *filters: Callable[[M | N], object],
        **fields: object,
    ) -> TakesFound[M | N, V]: ...
    def on(self, kind: Any = None, /, *more: Any, **fields: Any) -> Any:
        """Add the decorated handler for messages of the given classes.

        Args:
            kind: A class of messages or events.
            more: Further classes, and filters, which are functions of the message. The message must be an instance of
                one of the classes, and all filters must return true. A handler with two parameters gets what the first
                filter returned.
            fields: Attributes or properties of the message, and the values that they must have.

        Raises:
            SettingsError: There is no class, a filter is async, a class has no such attribute, a handler has two
                parameters but there is no filter, it cannot be called with the message, or it is this router or asks
                it.
        """
        kinds = tuple(each for each in (kind, *more) if isinstance(each, type))
        predicates = tuple(each for each in (kind, *more) if not isinstance(each, type))
        if not kinds or not all(issubclass(kind, Message) for kind in kinds):
            raise SettingsError("Router.on needs classes of messages and events（Router.on 需要消息或事件的类）")
        if not all(callable(predicate) and not is_async(predicate) for predicate in predicates):
            raise SettingsError(
                "Router.on needs filters that are functions of the message, and not async; a text is content="
                "（过滤器须为普通函数，不能是 async；比较文本请用 content=）"
            )
        for name in fields:
            if not all(hasattr(kind, name) for kind in kinds):
                raise SettingsError(f"Router.on: {kinds[0].__name__} has no {name}")

        def add(handler: Any) -> None:
            takes_found = _takes_found(handler)
            if takes_found and not predicates:
                raise SettingsError(
                    "Router.on: a handler with two parameters needs a filter（处理函数有两个参数时须提供过滤器）"
                )
            if not takes_found:
                check_parameters("Router.on", handler, 1, "the message", "消息")
            self._add(Route(kinds, predicates, fields, handler, takes_found))

        return TakesFound(add)

    def include(self, handler: F) -> F:
        """Ask another router, or conversations, about every message that gets to this place; return it.

        Raises:
            SettingsError: It is neither; or it is this router, or asks it.
        """
        if not isinstance(handler, FlowHandler):
            raise SettingsError("Router.include needs a Router or Conversations; use on for functions")
        self._add(Route((Message,), (), {}, handler, takes_found=False))
        return handler

    def _add(self, route: Route) -> None:
        self._check_part(route.handler)
        self._routes.append(route)
        self._note(route.handler)

    def _check_part(self, part: object) -> None:
        """Check that *part* can be called, and that this does not ask this router again, and so on without end."""
        if not callable(part):
            raise SettingsError(f"a Router needs functions, not {type(part).__name__}（Router 需要函数）")
        inside: list[Router] = [part] if isinstance(part, Router) else []
        for router in inside:
            if router is self:
                raise SettingsError("a router must not be asked by itself（路由器不能直接或间接包含自身）")
            parts = router._list_parts()  # noqa: SLF001
            inside += (each for each in parts if isinstance(each, Router) and each not in inside)

    def _note(self, part: object) -> None:
        """Forget what was computed before this part was added."""
        if isinstance(part, FlowHandler):
            part.is_included = True
        self._by_class, self._is_async = {}, None

    def default(self, handler: D) -> D:
        """Set the handler for messages that no other handler matches, here or in what is included.

        Raises:
            SettingsError: It is not a function of the message, or it is this router, or asks it.
        """
        self._check_part(handler)
        check_parameters("Router.default", handler, 1, "the message", "消息")
        self._default = handler
        self._note(handler)
        return handler

    def observe(self, observer: B) -> B:
        """Add a function that sees every message before the handlers; its result is ignored, its error is logged.

        Raises:
            SettingsError: It is not a function of the message, or it is a generator function, which would not run; or
                it is this router, or asks it.
        """
        self._check_part(observer)
        if inspect.isgeneratorfunction(observer) or inspect.isasyncgenfunction(observer):
            raise SettingsError("Router.observe needs a function that is not a generator（观察者不能是生成器函数）")
        check_parameters("Router.observe", observer, 1, "the message", "消息")
        self._observers.append(observer)
        self._note(observer)
        return observer

    def use(self, middleware: W) -> W:
        """Add a function of the message and of `CallNext`, which stands around everything that is in this router.

        It may pass on another message, change the answer, or return one without asking. None keeps the answer of
        ``call_next``, and ``""`` silences. An async one may stand around handlers of both kinds, another one only
        around those that are not async.

        Raises:
            SettingsError: It is not a function of the message and of ``call_next``.

        Example:
            >>> from wechat_msg import Router, TextMessage
            >>> router = Router()
            >>> @router.use
            ... def sign(message, call_next):
            ...     answer = call_next(message)
            ...     return f"{answer} -- your bot" if isinstance(answer, str) else answer
            >>> @router.on(TextMessage)
            ... def answer(message):
            ...     return "hello"
            >>> router(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="hi"))
            'hello -- your bot'
        """
        self._check_part(middleware)
        check_parameters("Router.use", middleware, 2, "the message and call_next", "消息与 call_next")
        self._middleware.append(middleware)
        self._note(middleware)
        return middleware

    def error(self, kind: type[X], /) -> Callable[[Callable[[Any, X], R]], Callable[[Any, X], R]]:
        """Add the decorated function of the message and of the error for errors of the given class.

        The nearest class of the error counts, in the innermost router that has one. The function's result is the
        answer, and None acknowledges; if it raises an error, routers further outside and the endpoint get that.

        `ConversationBusy` is only for a handler of its own class, or of `ConversationError`: the message was not
        handled, and WeChat sends it again if no handler answers.

        Raises:
            SettingsError: It is not a class of exceptions, or the function is not one of the message and the error, or
                is this router or asks it.
        """
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise SettingsError("Router.error needs a class of exceptions（Router.error 需要异常类）")

        def add(handler: Callable[[Any, X], R]) -> Callable[[Any, X], R]:
            self._check_part(handler)
            check_parameters("Router.error", handler, 2, "the message and the error", "消息与异常")
            self._error_handlers[kind] = handler
            self._note(handler)
            return handler

        return add

    # --- what is in it

    @property
    def handlers(self) -> tuple[Callable[..., Any], ...]:
        """All handlers in the order in which they were added, the default one last."""
        default = () if self._default is None else (self._default,)
        return (*(route.handler for route in self._routes), *default)

    def routes(self) -> tuple[Route, ...]:
        """Return the handlers in the order in which they were added, with their conditions; not the default one."""
        return tuple(self._routes)

    def _list_parts(self) -> tuple[Callable[..., Any], ...]:
        return (*self.handlers, *self._middleware, *self._observers, *self._error_handlers.values())

    @property
    def is_async(self) -> bool:
        """Whether a handler, middleware, observer or error handler is async, here or in what is included."""
        if self._is_async is None:
            parts = self._list_parts()
            self._included = tuple(part for part in parts if isinstance(part, FlowHandler))
            self._is_async = any(is_async(part) for part in parts if not isinstance(part, FlowHandler))
        return self._is_async or any(map(is_async, self._included))

    def check(self) -> None:
        """Check that no sync middleware stands around async handlers.

        Raises:
            SettingsError: One does.
        """
        inside = any(map(is_async, (*self.handlers, *self._observers)))
        for middleware in reversed(self._middleware):
            inside = inside or is_async(middleware)
            if inside and not is_async(middleware):
                name = getattr(middleware, "__name__", type(middleware).__name__)
                raise SettingsError(
                    f"the middleware {name} stands around async handlers, so write it as async def"
                    "（该中间件内层有异步处理函数，请用 async def 编写）"
                )
        for handler in (*self.handlers, *self._observers):
            if isinstance(handler, FlowHandler):
                handler.check()

    # --- one message

    def flow(self, message: Message, visit: Visit) -> Flow[Answer]:
        """Yield the steps that call what matches the message, and return the answer."""
        try:
            answer = yield from self._pass(0, message, visit)
        except Exception as error:
            handler = self._find_error_handler(error)
            if handler is None:
                raise
            return (yield from _answer_error(handler, message, error, visit))
        if self._error_handlers and is_stream(answer):
            return (yield from self._guard(message, answer))
        return answer

    def _pass(self, place: int, message: Message, visit: Visit) -> Flow[Answer]:
        """Call the middleware from *place* on, and what they stand around; None of one keeps the answer inside it."""
        if place == len(self._middleware):
            return (yield from self._ask_handlers(message, visit))
        kept: Answer = None

        def rest(other: Message) -> Flow[Answer]:
            nonlocal kept
            answer = yield from self._pass(place + 1, other, visit)
            kept = kept if answer is None else answer
            return answer

        answer = yield RunMiddleware(self._middleware[place], message, rest)
        answer = yield from settle(message, answer)
        return kept if answer is None else answer

    def _ask_handlers(self, message: Message, visit: Visit) -> Flow[Answer]:
        inside = Visit()
        for observer in self._observers:
            yield from _show(observer, message)
        try:
            for route, found in self._match(message):
                more = (found,) if route.takes_found else ()
                answer = yield from ask(route.handler, message, *more, visit=inside)
                if answer is not None:
                    return answer
            if inside.missed and self._default is not None:
                return (yield from ask(self._default, message, visit=inside))
        finally:
            visit.missed = visit.missed and inside.missed
        return None

    def _match(self, message: Message) -> Iterator[tuple[Route, Any]]:
        """Find the routes that the message matches, each with what its first filter returned, while they are read."""
        for route in self._find_routes(type(message)):
            try:
                found = route.find(message)
            except StopIteration as error:
                raise RuntimeError("a filter raised StopIteration") from error
            except CANCELLED as error:
                raise HandlerCancelled("a filter") from error
            if found:
                yield route, found

    def _find_routes(self, kind: type[Message]) -> list[Route]:
        by_class = self._by_class  # another thread may add a route
        if kind not in by_class:
            by_class[kind] = [route for route in self._routes if issubclass(kind, route.kinds)]
        return by_class[kind]

    def _find_error_handler(self, error: Exception) -> Callable[[Any, Any], Any] | None:
        classes: Any = type(error).__mro__
        if isinstance(error, ConversationBusy):  # the message is to come again, so no general handler may answer it
            classes = [each for each in classes if issubclass(each, ConversationError)]
        return next((self._error_handlers[each] for each in classes if each in self._error_handlers), None)

    def _guard(self, message: Message, stream: Any) -> Flow[Answer]:
        """Return a generator with the parts of *stream*; if that fails, the answer to the error is the last one."""
        is_rescued = False

        def read(_: object) -> Flow[Any]:
            nonlocal stream, is_rescued
            try:
                return (yield read_next(stream))
            except Exception as error:
                handler = self._find_error_handler(error)
                if is_rescued or handler is None:
                    raise
                is_rescued = True
                answer = yield from _answer_error(handler, message, error, Visit())
                if isinstance(answer, AsyncIterator) and not reads_async:
                    raise ReplyError(
                        "an error handler that returns an async generator must be async def"
                        "（返回异步生成器的错误处理函数须为 async def）"
                    ) from error
            stream = answer if is_stream(answer) else iter((answer,))
            return (yield read_next(stream))

        reads_async = isinstance(stream, AsyncIterator) or any(map(is_async, self._error_handlers.values()))
        guarded: Answer = yield RunMiddleware(_read_async if reads_async else _read, stream, read)
        return guarded


def _show(observer: Callable[[Message], object], message: Message) -> Flow[None]:
    """Call an observer, and log its error; an `Ask` or `End` that it returns changes nothing."""
    try:
        if isinstance(observer, FlowHandler):
            yield from ask(observer, message)
        else:
            yield RunHandler(observer, message)
    except Exception:  # noqa: BLE001, it changes nothing
        _log.exception("an observer raised an error")


def _answer_error(handler: Callable[[Any, Any], Any], message: Message, error: Exception, visit: Visit) -> Flow[Answer]:
    """Call an error handler; its None is an answer, too, so that no other handler is asked."""
    answer = yield from ask(handler, message, error, visit=visit)
    return "" if answer is None else answer


def _read(stream: object, read: Callable[[object], Any]) -> Iterator[Any]:
    """Yield what *read* returns, until the `END`; this and the next are middleware of `Router._guard`."""
    while (part := read(stream)) is not END:
        yield part


async def _read_async(stream: object, read: Callable[[object], Awaitable[Any]]) -> AsyncIterator[Any]:
    while (part := await read(stream)) is not END:
        yield part
