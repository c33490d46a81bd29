"""Which handler answers which message."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import re
import warnings

import attrs
import pytest

from tests.helpers.rows import each_row
from wechat_msg import (
    AsyncPushEndpoint,
    ClickEvent,
    Event,
    ImageMessage,
    LocationEvent,
    LocationMessage,
    Message,
    PushSettings,
    ReplyError,
    Router,
    ScanEvent,
    SettingsError,
    SubscribeEvent,
    TextMessage,
    TextReply,
    UnknownEvent,
    UnknownMessage,
    UserMessage,
    parse_message,
)
from wechat_msg._handlers import RunHandler, ask, call, is_async, run_handler
from wechat_msg.testing import build_push, open_reply

SETTINGS = PushSettings(token="spamtest")
COMMON = {"to_user_name": "gh_1", "from_user_name": "o1", "create_time": 1}
TEXT = TextMessage(**COMMON, content="hi")
IMAGE = ImageMessage(**COMMON, media_id="m")
CLICK = ClickEvent(**COMMON, event_key="BUY")
SCAN = ScanEvent(**COMMON, event_key="123")
SUBSCRIBE = SubscribeEvent(**COMMON, event_key="qrscene_123")
UNKNOWN_MESSAGE = parse_message({"ToUserName": "g", "FromUserName": "o", "CreateTime": 1, "MsgType": "unheard_of"})
UNKNOWN_EVENT = parse_message({"CreateTime": 1, "MsgType": "event", "Event": "unheard_of"})


def replying(text):
    return lambda message: text


def ask_async(router: Router, content: str = "hi") -> str | None:
    """Ask *router* as an asynchronous endpoint does; return the text of its answer."""
    endpoint = AsyncPushEndpoint(SETTINGS, router)
    response = asyncio.run(endpoint.handle(build_push(SETTINGS, {"MsgType": "text", "Content": content})))
    reply = open_reply(SETTINGS, response)
    return None if reply is None else reply["Content"]


class TestARouter:
    @each_row("part", ["text", 5, None])
    def test_needs_functions(self, part):
        router = Router()
        for add in (router.on(TextMessage), router.default, router.use, router.observe, router.error(ValueError)):
            with pytest.raises(SettingsError, match="needs functions"):
                add(part)
        assert (router.handlers, router.routes()) == ((), ())


class TestOnRefuses:
    @each_row("criteria", [(), (replying("x"),), (str,), (TextMessage, int), (object,), (Message, Exception)])
    def test_anything_but_classes_of_messages_and_events(self, criteria):
        with pytest.raises(SettingsError, match="classes of messages and events"):
            Router().on(*criteria)

    @each_row("criterion", ["text", 5, None, TEXT])
    def test_what_is_neither_a_class_nor_a_function(self, criterion):
        with pytest.raises(SettingsError, match="filters"):
            Router().on(TextMessage, criterion)

    def test_an_asynchronous_predicate_which_would_always_be_true(self):
        async def is_known(message):
            return False

        with pytest.raises(SettingsError, match="filters"):
            Router().on(TextMessage, is_known)

    @each_row(
        ("add", "match"),
        [
            (Router().on(TextMessage), "Router.on: call() cannot be called with the message"),
            (Router().default, "Router.default: call() cannot be called with the message"),
            (Router().observe, "Router.observe: call() cannot be called with the message"),
            (Router().use, "Router.use: call() cannot be called with the message and call_next"),
            (Router().error(KeyError), "Router.error: call() cannot be called with the message and the error"),
        ],
    )
    def test_functions_with_other_parameters(self, add, match):
        def call():
            return "x"

        with pytest.raises(SettingsError, match=re.escape(match)):
            add(call)

    def test_a_handler_with_three_parameters(self):
        with pytest.raises(SettingsError, match=re.escape("<lambda>(a, b, c) cannot be called with the message")):
            Router().on(TextMessage, replying("x"))(lambda a, b, c: "x")

    @each_row(
        ("kinds", "field"),
        [
            ((TextMessage,), "contents"),
            ((TextMessage,), "Content"),
            ((Message,), "content"),
            ((TextMessage, ImageMessage), "content"),
            ((ScanEvent, ClickEvent), "scene"),
        ],
    )
    def test_a_field_that_a_class_does_not_have(self, kinds, field):
        with pytest.raises(SettingsError, match=field):
            Router().on(*kinds, **{field: "x"})


class TestOn:
    def test_takes_messages_of_the_class_only(self):
        router = Router()
        router.on(TextMessage)(replying("text"))
        router.on(ClickEvent)(replying("click"))
        assert router(TEXT) == "text"
        assert router(CLICK) == "click"
        assert router(IMAGE) is None

    def test_takes_messages_of_any_of_several_classes(self):
        router = Router()
        router.on(TextMessage, ScanEvent)(replying("yes"))
        assert [router(message) for message in (TEXT, SCAN, IMAGE)] == ["yes", "yes", None]

    def test_takes_messages_of_subclasses(self):
        router = Router()
        router.on(UserMessage)(replying("message"))
        router.on(Event)(replying("event"))
        assert [router(message) for message in (TEXT, IMAGE, CLICK)] == ["message", "message", "event"]

    def test_takes_everything_for_the_base_of_all(self):
        router = Router()
        router.on(Message)(replying("yes"))
        assert {router(message) for message in (TEXT, CLICK, UNKNOWN_MESSAGE, UNKNOWN_EVENT)} == {"yes"}

    def test_takes_unknown_ones_by_their_classes(self):
        router = Router()
        router.on(UnknownMessage, msg_type="unheard_of")(replying("message"))
        router.on(UnknownEvent, event="unheard_of")(replying("event"))
        assert (router(UNKNOWN_MESSAGE), router(UNKNOWN_EVENT)) == ("message", "event")

    def test_distinguishes_the_message_location_from_the_event_location(self):
        router = Router()
        router.on(LocationEvent)(replying("event"))
        assert router(LocationMessage(**COMMON, location_x=1.0, location_y=2.0)) is None
        assert router(LocationEvent(**COMMON, latitude=1.0, longitude=2.0)) == "event"

    def test_takes_messages_whose_field_has_the_value(self):
        router = Router()
        router.on(ClickEvent, event_key="SELL")(replying("sell"))
        router.on(ClickEvent, event_key="BUY")(replying("buy"))
        assert router(CLICK) == "buy"
        assert router(attrs.evolve(CLICK, event_key="buy")) is None

    def test_takes_messages_all_of_whose_fields_have_the_values(self):
        router = Router()
        router.on(ClickEvent, event_key="BUY", from_user_name="o1")(replying("yes"))
        assert router(CLICK) == "yes"
        assert router(attrs.evolve(CLICK, from_user_name="o2")) is None

    def test_takes_messages_whose_property_has_the_value(self):
        router = Router()
        router.on(ScanEvent, SubscribeEvent, scene="123")(replying("yes"))
        assert (router(SCAN), router(SUBSCRIBE)) == ("yes", "yes")
        assert router(attrs.evolve(SUBSCRIBE, event_key="123")) is None

    def test_takes_messages_that_the_predicate_is_for(self):
        router = Router()
        router.on(TextMessage, lambda message: message.content.isdigit())(replying("number"))
        assert router(TEXT) is None
        assert router(attrs.evolve(TEXT, content="42")) == "number"

    def test_takes_messages_that_all_predicates_are_for(self):
        router = Router()
        router.on(TextMessage, lambda message: len(message.content) > 1, lambda message: message.content < "i")(
            replying("yes")
        )
        assert router(TEXT) == "yes"
        assert router(attrs.evolve(TEXT, content="h")) is None
        assert router(attrs.evolve(TEXT, content="jk")) is None

    def test_asks_a_predicate_only_about_messages_of_its_class(self):
        router = Router()
        router.on(TextMessage, lambda message: message.content == "hi")(replying("yes"))
        assert router(IMAGE) is None

    def test_takes_any_true_value_of_a_predicate_for_yes(self):
        router = Router()
        router.on(TextMessage, lambda message: message.content)(replying("yes"))
        assert router(TEXT) == "yes"
        assert router(attrs.evolve(TEXT, content="")) is None

    def test_leaves_the_decorated_function_as_it_was(self):
        router = Router()

        def answer(message):
            return "yes"

        assert router.on(TextMessage)(answer) is answer
        assert router.default(answer) is answer

    def test_lets_an_error_of_a_predicate_go_up(self):
        router = Router()
        router.on(TextMessage, lambda message: message.no_such_field)(replying("yes"))
        with pytest.raises(AttributeError):
            router(TEXT)


class TestRouter:
    def test_without_handlers_has_no_answer(self):
        assert Router()(TEXT) is None

    def test_asks_handlers_in_the_order_they_were_added(self):
        router = Router()
        router.on(Message)(replying("first"))
        router.on(TextMessage)(replying("second"))
        assert router(TEXT) == "first"

    def test_continues_with_the_next_handler_after_none(self):
        asked = []
        router = Router()
        for number in (1, 2, 3, 4):
            router.on(TextMessage)(
                lambda message, number=number: asked.append(number) or ("x" if number == 3 else None)
            )
        assert router(TEXT) == "x"
        assert asked == [1, 2, 3]

    def test_stops_at_empty_text(self):
        router = Router()
        router.on(TextMessage)(replying(""))
        router.on(TextMessage)(replying("second"))
        assert router(TEXT) == ""

    def test_passes_the_message_and_the_answer_through_unchanged(self):
        router, reply = Router(), TextReply(content="hi")
        router.on(TextMessage)(lambda message: reply if message is TEXT else None)
        assert router(TEXT) is reply

    def test_lets_an_error_of_a_handler_go_up(self):
        class HandlerError(Exception):
            pass

        error = HandlerError()

        def fail(message):
            raise error

        router = Router()
        router.on(TextMessage)(fail)
        router.on(TextMessage)(replying("second"))
        with pytest.raises(HandlerError) as raised:
            router(TEXT)
        assert raised.value is error

    def test_lists_its_handlers_in_order_and_the_default_last(self):
        router, handlers = Router(), [replying("1"), replying("2"), replying("default")]
        router.default(handlers[2])
        for handler in handlers[:2]:
            router.on(TextMessage)(handler)
        assert router.handlers == tuple(handlers)
        assert Router().handlers == ()

    def test_is_a_plain_function_of_the_message(self):
        router = Router()
        router.on(TextMessage)(replying("yes"))
        assert list(map(router, (TEXT, IMAGE))) == ["yes", None]


class TestDefault:
    def test_is_asked_if_no_handler_was_for_the_message(self):
        router = Router()
        router.on(ClickEvent)(replying("click"))
        router.default(lambda message: message.msg_type)
        assert (router(TEXT), router(CLICK)) == ("text", "click")

    def test_is_called_if_a_field_or_a_predicate_did_not_match(self):
        router = Router()
        router.on(TextMessage, content="other")(replying("other"))
        router.on(TextMessage, lambda message: False)(replying("never"))
        router.default(replying("default"))
        assert router(TEXT) == "default"

    @each_row("answer", [None, ""])
    def test_is_not_asked_if_a_handler_was_for_the_message(self, answer):
        router = Router()
        router.on(TextMessage)(replying(answer))
        router.default(replying("default"))
        assert router(TEXT) == answer

    def test_is_the_last_one_given(self):
        router = Router()
        router.default(replying("first"))
        router.default(replying("last"))
        assert router(TEXT) == "last"


class TestNestedRouter:
    def test_is_asked_like_a_handler(self):
        inner, outer = Router(), Router()
        inner.on(TextMessage)(replying("inner"))
        outer.on(UserMessage, from_user_name="o1")(inner)
        outer.default(replying("default"))
        assert outer(TEXT) == "inner"
        assert outer(attrs.evolve(TEXT, from_user_name="o2")) == "default"

    def test_lets_the_outer_one_continue_if_it_has_no_answer(self):
        inner, outer = Router(), Router()
        inner.on(ImageMessage)(replying("inner"))
        outer.on(Message)(inner)
        outer.on(Message)(replying("outer"))
        assert (outer(TEXT), outer(IMAGE)) == ("outer", "inner")

    def test_has_a_default_of_its_own(self):
        inner, outer = Router(), Router()
        inner.default(replying("inner default"))
        outer.on(TextMessage)(inner)
        outer.default(replying("outer default"))
        assert (outer(TEXT), outer(IMAGE)) == ("inner default", "outer default")

    def test_may_be_the_default(self):
        inner, outer = Router(), Router()
        inner.on(TextMessage)(replying("inner"))
        outer.default(inner)
        assert outer(TEXT) == "inner"

    def test_may_be_deep_and_asynchronous(self):
        async def answer(message):
            return f"deep {message.content}"

        router = Router()
        router.on(TextMessage)(answer)
        for _ in range(5):
            outer = Router()
            outer.on(UserMessage)(router)
            router = outer
        assert ask_async(router) == "deep hi"


class TestAsyncHandlers:
    def test_that_look_sync_are_refused_in_a_sync_run_without_a_warning(self):
        async def answer(message):
            return "never"

        router = Router()
        router.on(TextMessage)(lambda message: answer(message))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ReplyError, match="AsyncPushEndpoint"):
                router(TEXT)
            gc.collect()  # a coroutine that was never awaited would warn now

    def test_make_the_result_of_the_router_awaitable(self):
        async def answer(message):
            return "async"

        router = Router()
        router.on(ImageMessage)(answer)
        router.on(TextMessage)(replying("sync"))
        assert asyncio.run(router(IMAGE)) == "async"
        assert asyncio.run(router(TEXT)) == "sync"

    def test_mix_with_sync_ones(self):
        asked = []

        async def pass_on(message):
            await asyncio.sleep(0)
            asked.append("async")

        def pass_on_too(message):
            asked.append("sync")

        async def answer(message):
            await asyncio.sleep(0)
            return "answer"

        router = Router()
        router.on(TextMessage)(pass_on)
        router.on(TextMessage)(pass_on_too)
        router.on(TextMessage, content="hi")(answer)
        assert ask_async(router) == "answer"
        assert asked == ["async", "sync"]
        assert ask_async(router, "ho") is None

    def test_may_be_the_default(self):
        async def answer(message):
            return "default"

        router = Router()
        router.default(answer)
        assert ask_async(router) == "default"

    def test_let_their_errors_go_up(self):
        async def fail(message):
            raise LookupError("own")

        router = Router()
        router.on(TextMessage)(fail)
        router.default(replying("default"))
        with pytest.raises(LookupError, match="own"):
            ask_async(router)


async def answer_async(message):
    return "async"


class AsyncBot:
    """A handler that is an object, or has a method that is one."""

    async def __call__(self, message):
        return "async"

    async def method(self, message, extra=None):
        return "async"


class TestIsAsync:
    @each_row(
        "handler",
        [
            answer_async,
            AsyncBot(),
            AsyncBot().method,
            functools.partial(answer_async),
            functools.partial(AsyncBot().method),
        ],
    )
    def test_is_true_for_functions_that_return_an_awaitable(self, handler):
        assert is_async(handler)
        router = Router()
        router.on(TextMessage)(replying("sync"))
        assert not is_async(router)
        router.default(handler)
        assert is_async(router)

    @each_row("handler", [replying("x"), print, [].append, functools.partial(replying, "x"), TextReply, None, 5, "x"])
    def test_is_false_for_anything_else(self, handler):
        assert not is_async(handler)


class TestRunHandler:
    def test_calls_the_handler_with_the_message_and_returns_its_answer(self):
        reply = TextReply(content="hi")
        assert run_handler(RunHandler(lambda message: (message is TEXT, reply), TEXT)) == (True, reply)

    def test_calls_any_function_of_one_argument(self):
        """A sender gets a dict, on_error an exception."""
        assert run_handler(RunHandler(sorted, {"b": 1, "a": 2})) == ["a", "b"]

    @each_row("error", [KeyError("own"), SystemExit(), KeyboardInterrupt()])
    def test_lets_its_error_go_up(self, error):
        def fail(message):
            raise error

        with pytest.raises(type(error)) as raised:
            run_handler(RunHandler(fail, TEXT))
        assert raised.value is error

    @each_row("run", [run_handler, call])
    def test_makes_an_error_of_stop_iteration_which_would_end_a_flow(self, run):
        with pytest.raises(RuntimeError, match="StopIteration") as raised:
            run(RunHandler(lambda message: next(iter(())), TEXT))
        assert isinstance(raised.value.__cause__, StopIteration)

    def test_refuses_a_coroutine_and_closes_it(self):
        coroutine = answer_async(TEXT)
        with pytest.raises(ReplyError, match="AsyncPushEndpoint"):
            run_handler(RunHandler(lambda message: coroutine, TEXT))
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED

    def test_refuses_anything_else_to_await(self):
        class Promise:
            def __await__(self):
                yield

        with pytest.raises(ReplyError, match="AsyncPushEndpoint"):
            run_handler(RunHandler(lambda message: Promise(), TEXT))

    def test_is_the_one_step_by_which_a_function_is_asked(self):
        handler = replying("yes")
        flow = ask(handler, TEXT)
        assert next(flow) == RunHandler(handler, TEXT)
        with pytest.raises(StopIteration) as end:
            flow.send("yes")
        assert end.value.value == "yes"

    def test_is_a_step_for_each_handler_that_a_router_asks(self):
        router, handlers = Router(), [replying(None), replying(None), replying("yes"), replying("never")]
        for handler in handlers:
            router.on(TextMessage)(handler)
        flow = ask(router, TEXT)
        steps = [next(flow), flow.send(None), flow.send(None)]
        assert [step.handler for step in steps] == handlers[:3]
        with pytest.raises(StopIteration) as end:
            flow.send("yes")
        assert end.value.value == "yes"
