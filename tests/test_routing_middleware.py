"""What stands around the handlers of a router: middleware, observers, error handlers, included routers."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import inspect
import itertools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest

from tests.helpers.rows import each_row
from wechat_msg import (
    AnswerLater,
    AsyncPushEndpoint,
    ImageMessage,
    Message,
    PushEndpoint,
    PushSettings,
    ReplyError,
    Route,
    Router,
    SettingsError,
    TextMessage,
    UserMessage,
)
from wechat_msg._flow import Get, Sleep
from wechat_msg._handlers import FlowHandler, HandlerCancelled, RunHandler, ask
from wechat_msg.answering import Change
from wechat_msg.stores import MemoryStore
from wechat_msg.testing import build_push, open_reply

SETTINGS = PushSettings(token="spamtest")
COMMON = {"to_user_name": "gh_1", "from_user_name": "o1", "create_time": 1}
TEXT = TextMessage(**COMMON, content="hi")
IMAGE = ImageMessage(**COMMON, media_id="m")
COLOURS = ["sync", "async"]


def answering(answer, colour="sync"):
    """Return a handler of one colour; it raises an answer that is an error."""

    def handle(message):
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def handle_async(message):
        await asyncio.sleep(0)
        return handle(message)

    return handle if colour == "sync" else handle_async


def passing(change, colour="sync"):
    """Return a middleware of one colour that changes the answer."""

    def middleware(message, call_next):
        return change(call_next(message))

    async def middleware_async(message, call_next):
        return change(await call_next(message))

    return middleware if colour == "sync" else middleware_async


def make_router(*handlers, kind=Message):
    router = Router()
    for handler in handlers:
        router.on(kind)(handler)
    return router


def run(router, message=TEXT):
    """Ask a router here and now."""
    answer = router(message)
    return asyncio.run(wait(answer)) if inspect.isawaitable(answer) else answer


async def wait(answer):
    return await answer


def push(endpoint, content="hi"):
    """Return the text that the user gets from an endpoint; None for an acknowledgement."""
    request = build_push(SETTINGS, {"MsgType": "text", "Content": content})
    response = endpoint.handle(request)
    reply = open_reply(SETTINGS, asyncio.run(wait(response)) if inspect.isawaitable(response) else response)
    return None if reply is None else reply["Content"]


class TestMiddleware:
    @each_row("colour", COLOURS)
    def test_stands_around_the_handlers_in_the_order_in_which_it_was_added(self, colour):
        router = make_router(answering("x"))
        router.use(passing(lambda answer: f"1{answer}1", colour))
        router.use(passing(lambda answer: f"2{answer}2"))
        assert run(router) == "12x21"

    def test_runs_for_every_message_that_reaches_its_router(self):
        inner, outer, seen = make_router(kind=ImageMessage), Router(), []
        inner.use(passing(seen.append))
        outer.on(TextMessage, content="hi")(inner)
        outer(TEXT)
        outer(attrs.evolve(TEXT, content="ho"))
        assert seen == [None]

    def test_stands_around_the_observers_and_the_default_handler(self):
        router, seen = Router(), []

        @router.use
        def replace(message, call_next):
            return f"{call_next(IMAGE)}!"

        router.observe(seen.append)
        router.default(lambda message: message.msg_type)
        assert (router(TEXT), seen) == ("image!", [IMAGE])

    @each_row(("changed", "answer"), [(None, "x"), ("", ""), ("other", "other"), ([], [])])
    def test_keeps_the_answer_with_none_and_replaces_it_with_any_other(self, changed, answer):
        def check(colour):
            router = make_router(answering("x", colour))
            router.use(passing(lambda _: changed, colour))
            assert run(router) == answer

        for colour in COLOURS:
            check(colour)

    def test_may_answer_without_asking_the_handlers(self):
        router, asked = make_router(lambda message: asked.append(message)), []
        router.use(lambda message, call_next: "closed")
        assert (router(TEXT), asked) == ("closed", [])

    def test_that_neither_asks_nor_answers_leaves_the_message_to_the_outer_router(self):
        inner, outer = make_router(answering("inner")), Router()
        inner.use(lambda message, call_next: None)
        outer.include(inner)
        outer.default(answering("default"))
        assert outer(TEXT) == "default"

    @each_row(("answers", "answer"), [(["a", "b"], "b"), (["a", None], "a"), ([None, "b"], "b"), ([None, None], None)])
    def test_may_ask_twice_and_the_last_answer_is_kept(self, answers, answer):
        router = make_router(lambda message: left.pop(0))
        left = [*answers]

        @router.use
        def repeat(message, call_next):
            call_next(message)
            call_next(message)

        assert (router(TEXT), left) == (answer, [])

    def test_that_asks_twice_gets_the_default_answer_for_the_second_message(self):
        router = make_router(answering("text"), kind=TextMessage)
        router.default(answering("default"))
        router.use(lambda message, call_next: [call_next(TEXT), call_next(IMAGE)])
        assert router(TEXT) == ["text", "default"]

    def test_of_an_included_router_stands_inside_that_of_the_outer_one(self):
        inner, outer = make_router(answering("x")), Router()
        inner.use(passing(lambda answer: f"({answer})"))
        outer.use(passing(lambda answer: f"[{answer}]"))
        outer.include(inner)
        assert outer(TEXT) == "[(x)]"

    def test_may_catch_the_error_of_a_handler(self):
        router = make_router(answering(KeyError("own")))

        @router.use
        def catch(message, call_next):
            try:
                return call_next(message)
            except KeyError:
                return "caught"

        assert router(TEXT) == "caught"

    def test_that_catches_an_error_and_returns_none_leaves_the_default_handler_out(self):
        inner, outer = make_router(answering(KeyError("own"))), Router()

        @inner.use
        def catch(message, call_next):
            with pytest.raises(KeyError):
                call_next(message)

        outer.include(inner)
        outer.default(answering("default"))
        assert outer(TEXT) is None

    @each_row("colour", COLOURS)
    def test_lets_its_error_go_up(self, colour):
        def fail(answer):
            raise LookupError(answer)

        router = make_router(answering("x"))
        router.use(passing(fail, colour))
        with pytest.raises(LookupError, match="x"):
            run(router)

    @each_row("colour", COLOURS)
    def test_keeps_context_variables_for_the_handlers(self, colour):
        language = contextvars.ContextVar("language", default="none")
        router = make_router(lambda message: language.get())

        def choose(message, call_next):
            language.set("zh")
            return call_next(message)

        async def choose_async(message, call_next):
            return await choose(message, call_next)

        router.use(choose if colour == "sync" else choose_async)
        assert contextvars.copy_context().run(run, router) == "zh"

    def test_may_be_a_generator_that_adds_parts(self):
        router = make_router(answering("x"))

        @router.use
        def add(message, call_next):
            yield call_next(message)
            yield "!"

        assert list(router(TEXT)) == ["x", "!"]


class TestColours:
    def test_of_async_middleware_may_stand_around_both(self):
        router = make_router(answering(None), answering("x", "async"))
        router.use(passing(lambda answer: f"{answer}!", "async"))
        router.check()
        assert push(AsyncPushEndpoint(SETTINGS, router)) == "x!"

    def test_of_async_middleware_outside_sync_ones_are_allowed(self):
        router = make_router(answering("x"))
        router.use(passing(lambda answer: f"{answer}1", "async"))
        router.use(passing(lambda answer: f"{answer}2"))
        assert push(AsyncPushEndpoint(SETTINGS, router)) == "x21"

    @each_row("part", ["handler", "default", "observer", "middleware", "included", "included error handler"])
    def test_must_not_be_sync_outside_and_async_inside(self, part):
        router, inner = Router(), Router()
        router.use(passing(str))
        match part:
            case "handler":
                router.on(TextMessage)(answering("x", "async"))
            case "default":
                router.default(answering("x", "async"))
            case "observer":
                router.observe(answering("x", "async"))
            case "middleware":
                router.use(passing(str, "async"))
            case "included":
                router.include(inner).on(TextMessage)(answering("x", "async"))
            case _:

                @router.include(inner).error(KeyError)
                async def excuse(message, error):
                    return "x"

        with pytest.raises(SettingsError, match="the middleware middleware stands around async handlers"):
            AsyncPushEndpoint(SETTINGS, router)
        with pytest.raises(SettingsError, match="AsyncPushEndpoint"):
            PushEndpoint(SETTINGS, router)

    def test_are_checked_in_included_routers_too(self):
        inner, outer = make_router(answering("x", "async")), Router()
        inner.use(passing(str))
        outer.include(inner)
        with pytest.raises(SettingsError, match="async def"):
            AsyncPushEndpoint(SETTINGS, outer)

    def test_of_error_handlers_may_be_async_around_sync_middleware(self):
        async def excuse(message, error):
            return f"sorry: {error}"

        router = make_router(answering(ValueError("x")))
        router.use(passing(str))
        router.error(ValueError)(excuse)
        assert push(AsyncPushEndpoint(SETTINGS, router)) == "sorry: x"

    @each_row("part", ["use", "observe", "error"])
    def test_of_every_part_are_those_of_the_router(self, part):
        async def function(message, other=None):
            return None

        router = make_router(answering("x"))
        outer = make_router(router)
        assert not outer.is_async
        (router.error(KeyError) if part == "error" else getattr(router, part))(function)
        assert outer.is_async
        with pytest.raises(SettingsError, match="AsyncPushEndpoint"):
            PushEndpoint(SETTINGS, outer)

    def test_follow_a_default_handler_that_is_replaced(self):
        router = Router()
        router.default(answering("x", "async"))
        assert router.is_async
        router.default(answering("x"))
        assert not router.is_async

    def test_that_cannot_be_seen_are_refused_when_the_handler_is_called(self):
        handler = answering("x", "async")
        router = make_router(lambda message: handler(message))
        router.use(passing(str))
        with pytest.raises(ReplyError, match="async middleware around it"):
            push(AsyncPushEndpoint(SETTINGS, router))


class TestInAnEventLoop:
    def test_sync_middleware_and_all_that_it_stands_around_hold_one_thread(self):
        """More would wait for each other in a pool that is full."""
        names = []

        def note(*_):
            names.append(threading.current_thread().name)

        inner = make_router(note)
        inner.use(passing(note))
        router = make_router(inner)
        router.observe(note)
        router.use(passing(note))
        with ThreadPoolExecutor(1, thread_name_prefix="own") as executor:
            assert push(AsyncPushEndpoint(SETTINGS, router, executor=executor)) is None
        assert names == ["own_0"] * 4

    @each_row("parts", ["handler", "middleware", "observer", "error handler"])
    def test_sync_parts_do_not_block_it(self, parts):
        released = threading.Event()

        def block(message, other=None):
            assert released.wait(5)
            return other(message) if callable(other) else "done"

        router = Router()
        match parts:
            case "handler":
                router.on(TextMessage)(block)
                router.use(passing(lambda answer: answer, "async"))
            case "middleware":
                router.on(TextMessage)(answering("done"))
                router.use(block)
            case "observer":
                router.on(TextMessage)(answering("done"))
                router.observe(block)
            case _:
                router.on(TextMessage)(answering(KeyError()))
                router.error(KeyError)(block)

        async def run():
            request = build_push(SETTINGS, {"MsgType": "text", "Content": "hi"})
            handling = asyncio.create_task(AsyncPushEndpoint(SETTINGS, router).handle(request))
            await asyncio.sleep(0.01)
            released.set()
            return await handling

        assert open_reply(SETTINGS, asyncio.run(run()))["Content"] == "done"

    @each_row("handler", COLOURS)
    def test_many_messages_pass_async_middleware_at_a_time(self, handler):
        barrier = asyncio.Barrier(20)

        async def meet(message, call_next):
            await barrier.wait()
            return await call_next(message)

        router = make_router(answering("x", handler))
        router.use(meet)

        async def run():
            return await asyncio.gather(*(router(TEXT) for _ in range(20)))

        assert asyncio.run(run()) == ["x"] * 20

    @each_row("wait_for", [False, True])
    def test_middleware_may_limit_the_time_of_the_handlers(self, wait_for):
        router = Router()

        @router.use
        async def limit(message, call_next):
            try:
                if wait_for:
                    return await asyncio.wait_for(call_next(message), 0.01)
                async with asyncio.timeout(0.01):
                    return await call_next(message)
            except TimeoutError:
                return "too slow"

        @router.on(TextMessage)
        async def sleep(message):
            await asyncio.sleep(60)

        assert run(router) == "too slow"
        assert push(AsyncPushEndpoint(SETTINGS, router)) == "too slow"

    def test_cancellation_passes_through_middleware_and_error_handlers(self):
        router, ended = Router(), []
        router.use(passing(str, "async"))
        router.error(Exception)(lambda message, error: ended.append(error))

        @router.on(TextMessage)
        async def sleep(message):
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("handler")

        async def cancel():
            task = asyncio.create_task(wait(router(TEXT)))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())
        assert ended == ["handler"]

    @each_row("colour", COLOURS)
    def test_a_handler_that_raises_cancelled_error_has_failed(self, colour):
        """Its own task goes on, so error handlers answer."""
        router = make_router(answering(asyncio.CancelledError(), colour))
        router.use(passing(lambda answer: answer, "async"))
        router.error(HandlerCancelled)(lambda message, error: type(error.__cause__).__name__)
        assert run(router) == "CancelledError"
        assert push(AsyncPushEndpoint(SETTINGS, router)) == "CancelledError"

    @each_row("endpoint", [PushEndpoint, AsyncPushEndpoint])
    @each_row("error", [asyncio.CancelledError, concurrent.futures.CancelledError, StopIteration])
    def test_a_filter_that_raises_what_would_end_the_request_has_failed(self, endpoint, error):
        router, errors = Router(), []
        router.on(TextMessage, answering(error()))(answering("x"))
        assert push(endpoint(SETTINGS, router, on_error="acknowledge")) is None
        push(endpoint(SETTINGS, router, on_error=lambda message, error: errors.append(error)))
        assert [type(each) for each in errors] == [RuntimeError if error is StopIteration else error]
        router.error(RuntimeError)(lambda message, error: f"{error}: {type(error.__cause__).__name__}")
        assert push(endpoint(SETTINGS, router)) == f"a filter raised {error.__name__}: {error.__name__}"

    def test_middleware_that_raises_cancelled_error_has_failed(self):
        async def fail(message, call_next):
            raise asyncio.CancelledError

        router, errors = make_router(answering("x")), []
        router.use(fail)
        endpoint = AsyncPushEndpoint(SETTINGS, router, on_error=lambda message, error: errors.append(error))
        assert push(endpoint) is None
        assert [type(error) for error in errors] == [asyncio.CancelledError]


class TestObserver:
    @each_row("colour", COLOURS)
    def test_sees_each_message_before_the_handlers(self, colour):
        seen = []
        router = make_router(lambda message: seen.append("handler"))

        def observe(message):
            seen.append(message.msg_type)

        async def observe_async(message):
            observe(message)

        assert router.observe(observe) is observe
        router.observe(observe if colour == "sync" else observe_async)
        run(router)
        assert seen == ["text", "text", "handler"]

    def test_changes_no_answer_and_does_not_count_as_a_handler(self):
        router = Router()
        router.observe(answering("observer"))
        assert router(TEXT) is None
        router.default(answering("default"))
        assert router(TEXT) == "default"

    @each_row("colour", COLOURS)
    def test_that_fails_is_logged_and_stops_nothing(self, colour, caplog):
        router = make_router(answering("x"))
        router.observe(answering(KeyError("own"), colour))
        router.error(KeyError)(lambda message, error: "sorry")
        assert run(router) == "x"
        record = caplog.records[-1]
        assert (record.levelno, record.message) == (logging.ERROR, "an observer raised an error")

    def test_changes_nothing_by_a_change_that_it_returns(self):
        store, router = MemoryStore(), make_router(answering("x"))
        router.observe(answering(Counting(store, "y")))
        assert router(TEXT) == "x"
        assert store.get("count") is None

    def test_must_not_be_a_generator_which_would_never_run(self):
        def observe(message):
            yield message

        async def observe_async(message):
            yield message

        for observer in (observe, observe_async):
            with pytest.raises(SettingsError, match="not a generator"):
                Router().observe(observer)


class OwnError(ValueError):
    pass


class TestErrorHandler:
    @each_row("colour", COLOURS)
    def test_answers_instead_of_a_handler_that_failed(self, colour):
        async def excuse_async(message, error):
            return f"{message.msg_type}: {error}"

        def excuse(message, error):
            return f"{message.msg_type}: {error}"

        router = make_router(answering(ValueError("own"), colour))
        assert router.error(ValueError)(excuse) is excuse
        assert run(router) == "text: own"
        router.error(ValueError)(excuse_async)
        assert run(router) == "text: own"

    @each_row("place", ["filter", "middleware", "default", "included"])
    def test_covers_everything_in_its_router(self, place):
        router, fail = Router(), answering(ValueError("own"))
        router.error(ValueError)(lambda message, error: f"sorry: {error}")
        match place:
            case "filter":
                router.on(TextMessage, fail)(answering("x"))
            case "middleware":
                router.use(lambda message, call_next: fail(message))
            case "default":
                router.default(fail)
            case _:
                router.include(make_router(fail))
        assert router(TEXT) == "sorry: own"

    @each_row(
        ("error", "answer"),
        [(OwnError(), "own"), (UnicodeError(), "value"), (KeyError(), "any"), (LookupError(), "any")],
    )
    def test_is_that_of_the_nearest_class(self, error, answer):
        router = make_router(answering(error))
        for kind, text in ((Exception, "any"), (ValueError, "value"), (OwnError, "own")):
            router.error(kind)(lambda message, error, text=text: text)
        assert router(TEXT) == answer

    def test_of_the_innermost_router_comes_first(self):
        inner, outer = make_router(answering(OwnError())), Router()
        outer.include(inner)
        outer.error(OwnError)(lambda message, error: "outer")
        assert outer(TEXT) == "outer"
        inner.error(Exception)(lambda message, error: "inner")
        assert outer(TEXT) == "inner"

    def test_that_returns_none_acknowledges_and_no_other_handler_is_asked(self):
        inner, outer = make_router(answering(KeyError())), Router()
        inner.error(KeyError)(answering_error(None))
        outer.include(inner)
        outer.on(TextMessage)(answering("next"))
        outer.default(answering("default"))
        assert outer(TEXT) == ""

    def test_that_answers_an_error_of_a_filter_leaves_the_default_handler_out(self):
        inner, outer = Router(), Router()
        inner.on(TextMessage, answering(KeyError()))(answering("x"))
        inner.default(answering("inner default"))
        inner.error(KeyError)(answering_error(None))
        outer.include(inner)
        outer.default(answering("default"))
        assert outer(TEXT) == ""

    def test_that_raises_an_error_leaves_it_to_the_outer_router_and_the_endpoint(self):
        inner, outer = make_router(answering(KeyError("first"))), Router()

        @inner.error(KeyError)
        def fail(message, error):
            raise OwnError from error

        outer.include(inner)
        endpoint = PushEndpoint(SETTINGS, outer, on_error=lambda message, error: type(error).__name__)
        assert push(endpoint) == "OwnError"
        outer.error(OwnError)(lambda message, error: f"outer: {error.__cause__}")
        assert push(PushEndpoint(SETTINGS, outer)) == "outer: 'first'"

    def test_for_another_class_leaves_the_error_as_it_was(self):
        error = KeyError("own")
        router = make_router(answering(error))
        router.error(ValueError)(answering_error("x"))
        with pytest.raises(KeyError) as raised:
            router(TEXT)
        assert raised.value is error

    @each_row("error", [KeyboardInterrupt(), SystemExit()])
    def test_takes_no_end_of_the_program(self, error):
        router = make_router(answering(error))
        router.error(Exception)(answering_error("x"))
        with pytest.raises(type(error)):
            router(TEXT)

    @each_row("kind", [BaseException, KeyboardInterrupt, str, "ValueError", ValueError(), None])
    def test_needs_a_class_of_exceptions(self, kind):
        with pytest.raises(SettingsError, match="class of exceptions"):
            Router().error(kind)


def answering_error(answer):
    return lambda message, error: answer


class TestInclude:
    def test_returns_the_router_and_asks_it_at_its_place(self):
        outer, inner = Router(), make_router(answering("inner"), kind=TextMessage)
        outer.on(TextMessage, content="first")(answering("first"))
        assert outer.include(inner) is inner
        outer.on(Message)(answering("last"))
        messages = (attrs.evolve(TEXT, content="first"), TEXT, IMAGE)
        assert [outer(message) for message in messages] == ["first", "inner", "last"]

    def test_takes_no_function(self):
        with pytest.raises(SettingsError, match="Router or Conversations"):
            Router().include(answering("x"))

    def test_leaves_the_default_answer_to_the_outer_router_if_nothing_was_found(self):
        outer, inner = Router(), make_router(answering("inner"), kind=ImageMessage)
        outer.include(inner)
        outer.on(UserMessage)(make_router(kind=TextMessage))
        outer.default(answering("default"))
        assert (outer(TEXT), outer(IMAGE)) == ("default", "inner")

    def test_leaves_the_default_handler_out_if_an_included_one_was_for_the_message(self):
        outer = Router()
        outer.include(make_router(answering(None), kind=TextMessage))
        outer.default(answering("default"))
        assert (outer(TEXT), outer(IMAGE)) == (None, "default")

    def test_counts_the_default_handler_of_the_included_one(self):
        outer, inner = Router(), Router()
        outer.include(inner)
        inner.default(answering(None))
        outer.default(answering("default"))
        assert outer(TEXT) is None

    def test_asks_the_inner_default_handler_whatever_was_found_before(self):
        outer, inner = make_router(answering(None)), Router()
        outer.include(inner)
        inner.default(answering("inner default"))
        assert outer(TEXT) == "inner default"


class TestRouterThatAsksItself:
    @each_row("length", [1, 2, 5])
    def test_is_refused_wherever_it_is_added_and_changes_nothing(self, length):
        routers = [make_router() for _ in range(length)]
        first, last = routers[0], routers[-1]
        for outer, inner in itertools.pairwise(routers):
            outer.include(inner)
        added = (last.include, last.on(Message), last.default, last.observe, last.error(KeyError))
        for add in added:
            with pytest.raises(SettingsError, match="asked by itself"):
                add(first)
        assert (last.handlers, first.is_async, first(TEXT)) == ((), False, None)

    @each_row("connect", ["default", "observe"])
    def test_is_refused_whatever_connects_the_two(self, connect):
        first, last = Router(), Router()
        getattr(first, connect)(last)
        with pytest.raises(SettingsError, match="asked by itself"):
            last.include(first)

    def test_is_not_one_that_is_asked_at_several_places(self):
        shared = make_router(answering("x"), kind=ImageMessage)
        for _ in range(30):
            outer = Router()
            outer.include(shared)
            outer.on(ImageMessage)(shared)
            shared = outer
        shared.default(answering("default"))
        assert shared.handlers


class TestRoutes:
    def test_are_listed_with_their_conditions(self):
        def is_short(message):
            return True

        def answer(message, found):
            return "x"

        router, inner = Router(), Router()
        router.on(TextMessage, ImageMessage, is_short, msg_type="text")(answer)
        router.include(inner)
        router.default(answering("default"))
        first, second = router.routes()
        assert (first.kinds, first.predicates) == ((TextMessage, ImageMessage), (is_short,))
        assert (first.fields, first.handler, first.takes_found) == ({"msg_type": "text"}, answer, True)
        assert second == Route((Message,), (), {}, inner, takes_found=False)

    def test_added_later_are_asked(self):
        router = make_router(answering(None))
        assert router(TEXT) is None
        router.on(TextMessage)(answering("later"))
        assert router(TEXT) == "later"


class TestSecondArgument:
    def test_is_what_the_first_filter_returned(self):
        router = Router()
        router.on(TextMessage, lambda message: message.content, lambda message: 5, msg_type="text")(
            lambda message, found: [found, message.msg_type]
        )
        assert router(TEXT) == ["hi", "text"]
        assert router(attrs.evolve(TEXT, content="")) is None

    @each_row(
        "handler",
        [
            lambda message: "one",
            lambda message, found=None: found or "one",
            lambda message, *more: "".join(more) or "one",
            lambda message, *, found=None: found or "one",
        ],
    )
    def test_is_only_given_where_it_is_required(self, handler):
        router = Router()
        router.on(TextMessage, lambda message: "found")(handler)
        assert router(TEXT) == "one"

    def test_is_given_to_methods_and_async_handlers(self):
        class Bot:
            async def answer(self, message, found):
                return found

        router = Router()
        router.on(TextMessage, lambda message: message.content)(Bot().answer)
        assert run(router) == "hi"

    def test_needs_a_filter(self):
        with pytest.raises(SettingsError, match="needs a filter"):
            Router().on(TextMessage, content="x")(lambda message, found: "x")

    def test_is_never_given_to_a_function_that_python_cannot_describe(self):
        router = Router()
        router.on(TextMessage, lambda message: True)(max)
        with pytest.raises(TypeError, match="TextMessage"):
            router(TEXT)


def make_stream(*parts, colour="sync"):
    """Return a handler with the parts as its answer; an error is raised."""

    def handle(message):
        for part in parts:
            if isinstance(part, Exception):
                raise part
            yield part

    async def handle_async(message):
        for part in handle(message):
            await asyncio.sleep(0)
            yield part

    return handle if colour == "sync" else handle_async


def read_all(answer):
    """Return the parts of an answer."""

    async def read():
        return [part async for part in answer]

    return asyncio.run(read()) if hasattr(answer, "__anext__") else list(answer)


class TestGenerator:
    @each_row("colour", COLOURS)
    def test_is_handed_through_unread(self, colour):
        router, seen = make_router(make_stream("a", "b", colour=colour), answering("next")), []
        router.use(passing(seen.append, colour))
        router.error(Exception)(answering_error("sorry"))
        answer = run(router)
        assert len(seen) == 1
        assert inspect.isgenerator(seen[0]) or inspect.isasyncgen(seen[0])
        assert read_all(answer) == ["a", "b"]

    def test_is_the_very_one_if_there_is_no_error_handler(self):
        stream = iter("ab")
        assert make_router(answering(stream))(TEXT) is stream

    @each_row("handler", COLOURS)
    @each_row("excuse", COLOURS)
    def test_that_fails_ends_with_the_answer_to_its_error(self, handler, excuse):
        async def excuse_async(message, error):
            return f"{message.content}: {error}"

        router = make_router(make_stream("a", ValueError("own"), "never", colour=handler))
        router.error(ValueError)(
            excuse_async if excuse == "async" else lambda message, error: f"{message.content}: {error}"
        )
        assert read_all(run(router)) == ["a", "hi: own"]

    @each_row(("answer", "parts"), [(None, [""]), (["x", "y"], [["x", "y"]]), (iter("xy"), ["x", "y"])])
    def test_may_end_with_any_answer(self, answer, parts):
        router = make_router(make_stream(ValueError()))
        router.error(ValueError)(answering_error(answer))
        assert read_all(router(TEXT)) == parts

    @each_row("colour", COLOURS)
    def test_names_its_error_as_the_cause_if_the_answer_to_it_cannot_be_read(self, colour):
        router, excuse = make_router(make_stream("a", ValueError("own"))), make_stream("x", colour="async")
        router.default(answering("makes the router async", colour))
        router.error(ValueError)(lambda message, error: excuse(message))
        answer = run(router)
        assert next(answer) == "a"
        with pytest.raises(ReplyError, match="must be async def") as raised:
            next(answer)
        assert repr(raised.value.__cause__) == "ValueError('own')"

    def test_may_end_with_an_async_generator_of_an_async_error_handler(self):
        router, excuse = make_router(make_stream("a", ValueError("own"))), make_stream("x", "y", colour="async")

        @router.error(ValueError)
        async def answer_error(message, error):
            return excuse(message)

        assert read_all(run(router)) == ["a", "x", "y"]

    def test_lets_an_error_go_up_that_no_router_takes(self):
        router = make_router(make_stream("a", KeyError("own")))
        router.error(ValueError)(answering_error("sorry"))
        answer = router(TEXT)
        assert next(answer) == "a"
        with pytest.raises(KeyError, match="own"):
            next(answer)

    def test_lets_the_error_of_an_error_handler_go_up(self):
        def fail(message, error):
            yield "b"
            raise ValueError("second")

        router = make_router(make_stream("a", ValueError("first")))
        router.error(ValueError)(fail)
        answer = router(TEXT)
        assert [next(answer), next(answer)] == ["a", "b"]
        with pytest.raises(ValueError, match="second"):
            next(answer)

    def test_that_fails_is_answered_by_the_innermost_router_that_takes_the_error(self):
        inner, outer = make_router(make_stream("a", OwnError())), Router()
        outer.include(inner)
        inner.error(KeyError)(answering_error("inner"))
        outer.error(ValueError)(answering_error("outer"))
        assert read_all(outer(TEXT)) == ["a", "outer"]
        inner.error(OwnError)(answering_error("inner"))
        assert read_all(outer(TEXT)) == ["a", "inner"]

    def test_of_middleware_is_covered_by_the_error_handlers(self):
        router = make_router(make_stream("a", ValueError("own")))
        router.error(ValueError)(answering_error("sorry"))

        @router.use
        def number(message, call_next):
            for place, part in enumerate(call_next(message)):
                yield f"{place}{part}"

        assert read_all(router(TEXT)) == ["0a", "sorry"]

    @each_row("handler", COLOURS)
    @each_row("endpoint", COLOURS)
    def test_that_fails_is_read_by_an_endpoint_with_its_last_part(self, handler, endpoint):
        if (handler, endpoint) == ("async", "sync"):
            return
        sent = []
        router = make_router(make_stream("a", "b", ValueError("own"), colour=handler))
        router.use(passing(lambda answer: answer, endpoint))
        router.error(ValueError)(answering_error("sorry"))
        late = AnswerLater(lambda message: sent.append(message["text"]["content"]))
        with ThreadPoolExecutor(2) as executor:
            if endpoint == "sync":
                assert push(PushEndpoint(SETTINGS, router, late=late, executor=executor)) == "a"
            else:

                async def run():
                    own = AsyncPushEndpoint(SETTINGS, router, late=late, executor=executor)
                    response = await own.handle(build_push(SETTINGS, {"MsgType": "text", "Content": "hi"}))
                    while len(sent) < 2:  # noqa: ASYNC110, another thread sends
                        await asyncio.sleep(0.001)
                    return open_reply(SETTINGS, response)["Content"]

                assert asyncio.run(run()) == "a"
        assert sent == ["b", "sorry"]

    def test_without_parts_acknowledges_and_no_other_handler_is_asked(self):
        router = make_router(make_stream(), answering("next"))
        router.error(ValueError)(answering_error("sorry"))
        with ThreadPoolExecutor(1) as executor:
            assert push(PushEndpoint(SETTINGS, router, executor=executor)) is None


@attrs.frozen
class Counting(Change):
    """An answer that counts itself in a store."""

    store: MemoryStore
    answer: object

    def settle(self, message):
        value = yield Get(self.store, "count")
        self.store.compare_and_set("count", value, (value or b"") + b"1", 60)
        return self.answer


class TestChange:
    @each_row("endpoint", [PushEndpoint, AsyncPushEndpoint])
    def test_is_settled_without_a_router(self, endpoint):
        store = MemoryStore()
        assert push(endpoint(SETTINGS, answering(Counting(store, "x")))) == "x"
        assert store.get("count") == b"1"

    def test_is_refused_as_a_part_of_an_answer(self):
        with pytest.raises(ReplyError, match="must be the whole answer"):
            push(PushEndpoint(SETTINGS, answering(["x", Counting(MemoryStore(), "y")])))

    def test_is_settled_before_middleware_sees_the_answer(self):
        store = MemoryStore()
        router = make_router(answering(Counting(store, Counting(store, "x"))))
        router.use(passing(lambda answer: f"{answer}!"))
        assert router(TEXT) == "x!"
        assert store.get("count") == b"11"

    def test_that_gives_no_answer_leaves_the_message_to_the_next_handler(self):
        store = MemoryStore()
        assert make_router(answering(Counting(store, None)), answering("next"))(TEXT) == "next"
        assert store.get("count") == b"1"

    @each_row("place", ["middleware", "default", "error handler"])
    def test_may_come_from_anywhere(self, place):
        store, router = MemoryStore(), Router()
        answer = Counting(store, "x")
        match place:
            case "middleware":
                router.use(lambda message, call_next: answer)
            case "default":
                router.default(answering(answer))
            case _:
                router.default(answering(KeyError()))
                router.error(KeyError)(answering_error(answer))
        assert router(TEXT) == "x"
        assert store.get("count") == b"1"


class Waiting(FlowHandler):
    """A handler that yields every step that a flow of a handler may yield."""

    def __init__(self, store, colour="sync"):
        self.store = store
        self.is_checked = False
        self.handler = answering("x", colour)

    @property
    def is_async(self):
        return inspect.iscoroutinefunction(self.handler)

    def flow(self, message, visit):
        if not isinstance(message, TextMessage):
            return None
        visit.missed = False
        yield Sleep(0.001)
        value = yield Get(self.store, "key")
        answer = yield RunHandler(self.handler, message)
        return f"{answer} {value}"

    def check(self):
        self.is_checked = True


class TestFlowHandler:
    @each_row("colour", COLOURS)
    def test_may_stand_in_every_place(self, colour):
        def check(wrapped):
            handler, router = Waiting(MemoryStore(), colour), Router()
            router.include(handler)
            if wrapped:
                router.use(passing(lambda answer: answer, wrapped))
            assert run(handler) == run(router) == "x None"
            assert push(AsyncPushEndpoint(SETTINGS, router)) == "x None"
            if not router.is_async:
                assert push(PushEndpoint(SETTINGS, router)) == "x None"
            assert (handler.is_included, handler.is_checked) == (True, True)

        for wrapped in (None, "async", *["sync"] * (colour == "sync")):
            check(wrapped)

    def test_that_missed_the_message_leaves_it_to_the_default_handler(self):
        router = Router()
        router.include(Waiting(MemoryStore()))
        router.default(answering("default"))
        assert router(IMAGE) == "default"

    def test_is_asked_by_its_flow(self):
        flow = ask(Waiting(MemoryStore()), TEXT)
        assert next(flow) == Sleep(0.001)
