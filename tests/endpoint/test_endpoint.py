"""What both endpoints answer, and where they run the handler."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import gc
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import attrs
import pytest

from tests.helpers.rows import each_row
from tests.helpers.samples import SAMPLES
from wechat_msg import (
    MINI_PROGRAM,
    NO_DEDUP,
    Acknowledgement,
    AnswerLater,
    AsyncPushEndpoint,
    ErrCodeReply,
    ImageReply,
    MalformedPush,
    MemoryStore,
    PushEndpoint,
    PushRequest,
    PushSettings,
    ReplyError,
    Router,
    SettingsError,
    TextMessage,
    TextReply,
    UnknownMessage,
)
from wechat_msg.adapters.asgi import push_app
from wechat_msg.testing import build_echostr_request, build_push, open_reply

NOW = 1700000000.0
SECRET = "what the user wrote"
PLAIN = PushSettings(token="spamtest")
SEALED = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
OTHER_TOKEN = attrs.evolve(SEALED, token="othertoken")
OTHER_KEY = attrs.evolve(SEALED, encoding_aes_key="B" * 43)
OTHER_APPID = attrs.evolve(SEALED, appid="wxffffffffffffffff")


def push(settings=PLAIN, content=SECRET, *, now=NOW, **options):
    return build_push(settings, {"MsgType": "text", "Content": content}, now=lambda: now, **options)


def echo(settings=PLAIN, echostr="4375120948345356249"):
    return build_echostr_request(settings, echostr, now=lambda: NOW)


def replying(answer):
    return lambda message: answer


def fail_with(error):
    def fail(message):
        raise error

    return fail


def make_async(handler):
    async def answer(message):
        await asyncio.sleep(0)
        return handler(message)

    return answer


@pytest.fixture(params=["sync endpoint", "async endpoint, sync handler", "async endpoint, async handler"])
def handle(request):
    """Send one request through an endpoint of each kind: the same must come out."""

    def handle(handler, push_request, settings=PLAIN):
        if request.param == "sync endpoint":
            return PushEndpoint(settings, handler, clock=lambda: NOW).handle(push_request)
        if request.param == "async endpoint, async handler" and handler is not None:
            handler = make_async(handler)
        return asyncio.run(AsyncPushEndpoint(settings, handler, clock=lambda: NOW).handle(push_request))

    return handle


REFUSED = {
    "GET without parameters": (403, "SignatureMissing", PLAIN, PushRequest("GET", {})),
    "GET with another Token": (403, "SignatureMismatch", PLAIN, echo(OTHER_TOKEN)),
    "GET without echostr": (400, "MalformedPush", PLAIN, PushRequest("GET", push().query)),
    "HEAD": (405, "MethodNotAllowed", PLAIN, attrs.evolve(echo(), method="HEAD")),
    "PUT": (405, "MethodNotAllowed", PLAIN, attrs.evolve(push(), method="PUT")),
    "no signature": (403, "SignatureMissing", PLAIN, attrs.evolve(push(), query={})),
    "another Token": (403, "SignatureMismatch", PLAIN, push(OTHER_TOKEN, mode="plain")),
    "another timestamp": (
        403,
        "SignatureMismatch",
        PLAIN,
        attrs.evolve(push(), query={**push().query, "timestamp": "1"}),
    ),
    "too old": (403, "SignatureExpired", attrs.evolve(PLAIN, max_age=60), push(now=NOW - 61)),
    "no body": (400, "MalformedPush", PLAIN, attrs.evolve(push(), body=b"")),
    "half a body": (400, "MalformedPush", PLAIN, attrs.evolve(push(), body=push().body[:-9])),
    "no common fields": (400, "MalformedPush", PLAIN, attrs.evolve(push(), body=b"<xml><A>1</A></xml>")),
    "too long": (413, "BodyTooLarge", attrs.evolve(PLAIN, max_body=100), push()),
    "sealed without a key": (403, "ModeMismatch", PLAIN, push(SEALED)),
    "plain with a key": (403, "ModeMismatch", SEALED, push(SEALED, mode="plain")),
    "sealed with another Token": (403, "SignatureMismatch", SEALED, push(OTHER_TOKEN)),
    "sealed with another key": (403, "DecryptError", SEALED, push(OTHER_KEY)),
    "sealed for another account": (403, "AppIdMismatch", SEALED, push(OTHER_APPID)),
}
PHRASES = {400: b"Bad Request", 403: b"Forbidden", 405: b"Method Not Allowed", 413: b"Request Entity Too Large"}


class TestRefusal:
    @each_row("name", list(REFUSED))
    def test_has_the_status_of_its_error_and_a_body_without_details(self, handle, name):
        status, _, settings, request = REFUSED[name]
        response = handle(fail_with(AssertionError("a refused push got to the handler")), request, settings)
        assert (response.status, response.body) == (status, PHRASES[status])
        assert response.content_type.startswith("text/plain")

    @each_row("name", list(REFUSED))
    def test_is_logged_with_its_reason_and_without_secrets(self, handle, caplog, name):
        caplog.clear()
        status, error, settings, request = REFUSED[name]
        handle(None, request, settings)
        assert [(record.name, record.levelname) for record in caplog.records if record.name != "asyncio"] == [
            ("wechat_msg", "WARNING")
        ]
        assert f"push refused with {status}, {error}: " in caplog.text
        for secret in (SECRET, settings.token, "AAAAAAAA", *request.query.values()):
            assert len(secret) < 5 or secret not in caplog.text

    @each_row("method", ["HEAD", "PUT", "DELETE", "OPTIONS", ""])
    def test_of_a_method_names_the_allowed_ones(self, handle, method):
        response = handle(None, attrs.evolve(push(), method=method))
        assert response.headers == {"Allow": "GET, POST"}


class TestVerification:
    def test_is_answered_with_echostr_exactly(self, handle):
        response = handle(fail_with(AssertionError), echo(echostr=" <4375>你 "))
        assert (response.status, response.body) == (200, " <4375>你 ".encode())
        assert response.content_type == "text/plain; charset=utf-8"
        assert response.headers == {"X-Content-Type-Options": "nosniff"}

    @each_row("settings", [PLAIN, SEALED])
    @each_row("method", ["GET", "get"])
    def test_is_the_same_in_every_mode(self, handle, settings, method):
        response = handle(None, attrs.evolve(echo(settings), method=method), settings)
        assert response.body == b"4375120948345356249"


class TestAnswer:
    @each_row("answer", [5, 0, False, True, b"hi", [["hi"]], {"Content": "hi"}, object(), TextReply])
    def test_of_another_type_is_an_error_of_the_application(self, handle, answer):
        with pytest.raises(ReplyError, match="a handler must return a Reply, text or None"):
            handle(replying(answer), push())

    def test_that_a_mini_program_cannot_show_is_an_error_of_the_application(self, handle):
        with pytest.raises(ReplyError, match="Mini Program"):
            handle(replying("hi"), push(), attrs.evolve(PLAIN, account_kind=MINI_PROGRAM))

    @each_row("handler", [None, replying(None), replying(""), replying(Acknowledgement())])
    def test_of_nothing_is_success(self, handle, handler):
        response = handle(handler, push())
        assert (response.status, response.body) == (200, b"success")

    def test_may_be_nothing_at_all(self, handle):
        assert handle(replying(Acknowledgement(body="")), push()).body == b""

    def test_of_text_is_a_text_reply(self, handle):
        request = push(content="hi")
        assert open_reply(PLAIN, handle(lambda message: message.content * 2, request)) == {
            "ToUserName": "oABCDEFGHIJKLMNOPQRSTUVWXYZ0",
            "FromUserName": "gh_0123456789ab",
            "CreateTime": "1700000000",
            "MsgType": "text",
            "Content": "hihi",
        }

    def test_may_be_a_reply(self, handle):
        assert open_reply(PLAIN, handle(replying(ImageReply(media_id="MID")), push()))["Image"] == {"MediaId": "MID"}

    @each_row("format", ["xml", "json"])
    @each_row("mode", ["plain", "compatible", "sealed"])
    def test_goes_out_in_the_mode_and_the_format_of_its_push(self, handle, mode, format):
        settings = PLAIN if mode == "plain" else SEALED
        response = handle(lambda message: message.content, push(settings, "你好", mode=mode, format=format), settings)
        assert response.content_type == f"application/{format}; charset=utf-8"
        assert response.body.startswith(b"<xml>" if format == "xml" else b"{")
        assert (b"Encrypt" in response.body) == (mode != "plain")
        assert open_reply(settings, response)["Content"] == "你好"

    def test_to_virtual_payment_is_an_err_code(self, handle):
        request = build_push(PLAIN, {"MsgType": "event", "Event": "xpay_coin_pay_notify"}, format="json")
        assert handle(None, request).body == b'{"ErrCode":0,"ErrMsg":"success"}'
        assert handle(replying(ErrCodeReply(err_code=1, err_msg="no")), request).body == b'{"ErrCode":1,"ErrMsg":"no"}'

    @each_row("sample", SAMPLES)
    def test_is_asked_for_with_the_model_of_the_push(self, sample):
        messages = []
        endpoint = PushEndpoint(PLAIN, messages.append, store=NO_DEDUP)
        for body in (sample.xml, sample.json):
            assert endpoint.handle(attrs.evolve(push(), body=body)).status == 200
        assert messages == [sample.model, sample.model]

    def test_is_asked_for_with_unknown_messages_too(self, handle):
        request = build_push(PLAIN, {"MsgType": "unheard_of", "Thing": "x"})
        response = handle(lambda message: f"{type(message).__name__} {message.raw['Thing']}", request)
        assert open_reply(PLAIN, response)["Content"] == f"{UnknownMessage.__name__} x"

    def test_may_come_from_a_router(self):
        router = Router()
        router.on(TextMessage, content="1")(replying("one"))
        router.default(replying("default"))
        endpoint = PushEndpoint(PLAIN, router)
        contents = [open_reply(PLAIN, endpoint.handle(push(content=content)))["Content"] for content in "12"]
        assert contents == ["one", "default"]


class TestErrorOfTheHandler:
    @each_row(
        "error",
        [
            KeyError("own"),
            ValueError("own"),
            RuntimeError("own"),
            MalformedPush("own"),
            SettingsError("own"),
        ],
    )
    def test_goes_up_unchanged(self, handle, caplog, error):
        with pytest.raises(type(error)) as raised:
            handle(fail_with(error), push())
        assert raised.value is error
        assert "refused" not in caplog.text

    @each_row("error", [StopIteration("own"), asyncio.CancelledError("own"), concurrent.futures.CancelledError("own")])
    def test_goes_up_as_the_cause_of_a_runtime_error_if_it_could_pass_for_something_else(self, handle, error):
        """For the end of a generator, which no future can hold, or of the request."""
        with pytest.raises(RuntimeError, match=type(error).__name__) as raised:
            handle(fail_with(error), push())
        assert raised.value.__cause__ is error

    def test_does_not_break_the_endpoint(self, handle):
        answers = iter([KeyError("own"), "fine"])

        def answer(message):
            step = next(answers)
            if isinstance(step, Exception):
                raise step
            return step

        with pytest.raises(KeyError):
            handle(answer, push())
        assert open_reply(PLAIN, handle(answer, push()))["Content"] == "fine"


class Incomparable:
    """A value that raises an error when it is compared."""

    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("not comparable")


class TestBuilding:
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    @each_row("settings", [None, "spamtest", {"token": "spamtest"}, PushSettings])
    def test_refuses_what_are_not_settings(self, cls, settings):
        with pytest.raises(SettingsError, match="PushSettings"):
            cls(settings, replying("hi"))

    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    @each_row("handler", ["hi", 5, TextReply(content="hi"), replying("hi")(None)])
    def test_refuses_a_handler_that_cannot_be_called(self, cls, handler):
        with pytest.raises(SettingsError, match="handler"):
            cls(PLAIN, handler)

    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    @each_row(
        "option",
        [
            {"store": "a path"},
            {"store": MemoryStore},
            {"late": "later"},
            {"late": AnswerLater},
            {"executor": 4},
            {"on_error": "ignore"},
            {"on_error": Incomparable()},
            {"on_store_error": "ignore"},
            {"on_store_error": Incomparable()},
            {"dedup_key": "MsgId"},
            {"dedup_key": make_async(replying("key"))},
            {"deliveries": 0},
            {"deliveries": 10**400},
            {"deliveries": "3"},
            {"deliveries": True},
            {"deliveries": Incomparable()},
            {"handler_limit": 0},
            {"handler_limit": 10**400},
            {"handler_limit": "ten minutes"},
            {"handler_limit": math.nan},
            {"handler_limit": Incomparable()},
        ],
    )
    def test_refuses_an_option_of_another_kind(self, cls, option):
        (name,) = option
        with pytest.raises(SettingsError, match=name):
            cls(PLAIN, replying("hi"), **option)


class Bot:
    """A handler that is an object."""

    async def __call__(self, message):
        return "async"

    async def method(self, message, extra=None):
        return "async"

    def sync_method(self, message):
        return "sync"


class TestPushEndpoint:
    @each_row("handler", [make_async(replying("hi")), Bot(), Bot().method, functools.partial(Bot().method, extra=1)])
    def test_refuses_an_async_handler_when_it_is_built(self, handler):
        with pytest.raises(SettingsError, match="AsyncPushEndpoint"):
            PushEndpoint(PLAIN, handler)

    @each_row("depth", [0, 1, 2])
    @each_row("add", [lambda router: router.on(TextMessage), lambda router: router.default])
    def test_refuses_a_router_with_an_async_handler_when_it_is_built(self, add, depth):
        handler = make_async(replying("hi"))
        for _ in range(depth + 1):
            router = Router()
            add(router)(handler)
            handler = router
        with pytest.raises(SettingsError, match="AsyncPushEndpoint"):
            PushEndpoint(PLAIN, router)

    def test_refuses_a_handler_that_turns_out_to_be_async_without_a_warning(self):
        endpoint = PushEndpoint(PLAIN, lambda message: make_async(replying("hi"))(message))
        with pytest.raises(ReplyError, match="AsyncPushEndpoint"):
            endpoint.handle(push())
        gc.collect()  # a coroutine that was never awaited would warn now

    def test_refuses_any_other_thing_to_await(self):
        class Promise:
            def __await__(self):
                yield

        with pytest.raises(ReplyError, match="AsyncPushEndpoint"):
            PushEndpoint(PLAIN, replying(Promise())).handle(push())

    def test_runs_the_handler_in_the_thread_that_asks(self):
        threads = []
        PushEndpoint(PLAIN, lambda message: threads.append(threading.get_ident())).handle(push())
        assert threads == [threading.get_ident()]

    def test_takes_methods_and_partials(self):
        for handler in (Bot().sync_method, functools.partial(lambda text, message: text, "sync")):
            assert open_reply(PLAIN, PushEndpoint(PLAIN, handler).handle(push()))["Content"] == "sync"

    @each_row("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
    def test_lets_go_up_what_is_no_error(self, error):
        with pytest.raises(error):
            PushEndpoint(PLAIN, fail_with(error())).handle(push())

    def test_judges_the_age_of_a_push_by_its_clock(self):
        settings = attrs.evolve(PLAIN, max_age=60)
        for now, status in ((NOW, 200), (NOW + 60, 200), (NOW + 61, 403), (NOW - 61, 403)):
            assert PushEndpoint(settings, clock=lambda now=now: now).handle(push()).status == status

    @each_row("max_age", [60, 150, 300, 90000])
    @each_row(
        "fields",
        [
            {"Content": "hi"},
            {"MsgType": "event", "Event": "CLICK"},
            {"MsgType": "event", "Event": "xpay_goods_deliver_notify"},
        ],
    )
    def test_handles_no_recording_twice_while_it_is_young_enough(self, fields, max_age):
        """Also if the clock of WeChat is as far ahead as max_age allows."""
        times = [NOW - max_age]
        handled = []
        settings = attrs.evolve(SEALED, max_age=max_age)
        endpoint = PushEndpoint(settings, handled.append, clock=lambda: times[-1], monotonic=lambda: times[-1])
        recorded = build_push(SEALED, fields, now=lambda: NOW)
        statuses = []
        for since in (-max_age, max_age - 1, max_age, max_age + 1):
            times.append(NOW + since)
            statuses.append(endpoint.handle(recorded).status)
        assert statuses == [200, 200, 200, 403]
        assert len(handled) == 1

    @each_row("ahead", [0, 300])
    def test_handles_no_event_of_hours_twice_while_its_recording_is_young_enough(self, ahead):
        """WeChat signs each re-send anew, a day after the first try, too."""
        times, handled = [NOW - ahead], []
        settings = attrs.evolve(SEALED, max_age=300)
        endpoint = PushEndpoint(settings, handled.append, clock=lambda: times[-1], monotonic=lambda: times[-1])
        fields = {"MsgType": "event", "Event": "xpay_goods_deliver_notify", "CreateTime": int(NOW)}
        for now in (NOW - ahead, NOW + 86400):
            times.append(now)
            resend = build_push(SEALED, fields, now=lambda now=now: max(now, NOW))
            assert endpoint.handle(resend).status == 200
        assert len(handled) == 1

    def test_may_be_shared_by_threads(self):
        endpoint = PushEndpoint(SEALED, lambda message: f"re: {message.content}")

        def ask(number):
            request = push(SEALED, f"{number}" * 50, format="json" if number % 2 else "xml")
            return open_reply(SEALED, endpoint.handle(request))["Content"]

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(200))) == [f"re: {str(number) * 50}" for number in range(200)]


class TestAsyncPushEndpoint:
    def test_runs_a_sync_handler_in_another_thread(self):
        threads = []
        endpoint = AsyncPushEndpoint(PLAIN, lambda message: threads.append(threading.get_ident()))
        asyncio.run(endpoint.handle(push()))
        assert len(threads) == 1
        assert threads != [threading.get_ident()]

    def test_runs_an_async_handler_in_the_thread_of_the_loop(self):
        threads = []

        async def answer(message):
            threads.append(threading.get_ident())

        asyncio.run(AsyncPushEndpoint(PLAIN, answer).handle(push()))
        assert threads == [threading.get_ident()]

    def test_needs_no_other_thread_for_an_async_handler(self):
        class NoThreads(ThreadPoolExecutor):
            def submit(self, *args, **kwargs):
                raise AssertionError("a thread was asked for")

        async def main():
            asyncio.get_running_loop().set_default_executor(NoThreads())
            return await AsyncPushEndpoint(PLAIN, make_async(replying("hi"))).handle(push())

        assert open_reply(PLAIN, asyncio.run(main()))["Content"] == "hi"

    @each_row(
        "handler",
        [Bot(), Bot().method, functools.partial(Bot().method, extra=1), lambda message: Bot().method(message)],
    )
    def test_awaits_every_kind_of_async_handler(self, handler):
        response = asyncio.run(AsyncPushEndpoint(PLAIN, handler).handle(push()))
        assert open_reply(PLAIN, response)["Content"] == "async"

    def test_does_not_stall_the_loop_while_a_sync_handler_blocks(self):
        ticked_often = threading.Event()

        def block(message):
            return "the loop went on" if ticked_often.wait(10) else "the loop stood still"

        async def tick():
            for _ in range(20):
                await asyncio.sleep(0.005)
            ticked_often.set()

        async def main():
            ticking = asyncio.create_task(tick())
            response = await AsyncPushEndpoint(PLAIN, block).handle(push())
            await ticking
            return response

        assert open_reply(PLAIN, asyncio.run(main()))["Content"] == "the loop went on"

    def test_does_not_stall_the_loop_while_a_router_asks_sync_handlers(self):
        loop_went_on = threading.Event()
        router = Router()
        router.on(TextMessage)(lambda message: None)
        router.on(TextMessage)(lambda message: str(loop_went_on.wait(10)))

        async def main():
            asyncio.get_running_loop().call_later(0.02, loop_went_on.set)
            return await AsyncPushEndpoint(PLAIN, router).handle(push())

        assert open_reply(PLAIN, asyncio.run(main()))["Content"] == "True"

    def test_may_be_shared_by_tasks(self):
        async def answer(message):
            await asyncio.sleep(0.001)
            return f"re: {message.content}"

        async def main(handler):
            endpoint = AsyncPushEndpoint(SEALED, handler)
            return await asyncio.gather(*(endpoint.handle(push(SEALED, f"{n}" * 50)) for n in range(100)))

        for handler in (answer, lambda message: f"re: {message.content}"):
            contents = [open_reply(SEALED, response)["Content"] for response in asyncio.run(main(handler))]
            assert contents == [f"re: {str(number) * 50}" for number in range(100)]

    def test_may_be_used_by_one_loop_after_another(self):
        endpoint = AsyncPushEndpoint(PLAIN, make_async(replying("hi")))
        for _ in range(2):
            assert open_reply(PLAIN, asyncio.run(endpoint.handle(push())))["Content"] == "hi"


class TestDrain:
    def test_waits_for_the_handlers_that_still_run(self):
        ended = []

        async def answer(message):
            await asyncio.sleep(0.05)
            ended.append(message.content)

        async def main():
            endpoint = AsyncPushEndpoint(PLAIN, answer)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(endpoint.handle(push(content="hi")), 0.01)  # as a client that hangs up
            await endpoint.drain()

        asyncio.run(main())
        assert ended == ["hi"]

    def test_waits_no_longer_than_its_timeout(self):
        async def main():
            endpoint = AsyncPushEndpoint(PLAIN, lambda message: asyncio.sleep(60))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(endpoint.handle(push()), 0.01)
            await asyncio.wait_for(endpoint.drain(0.01), 5)

        asyncio.run(main())

    def test_is_done_by_the_asgi_application_when_it_ends(self):
        events, ended = asyncio.Queue(), []

        async def answer(message):
            await asyncio.sleep(0.05)
            ended.append("handler")

        async def send(event):
            ended.append(event["type"])

        async def main():
            endpoint = AsyncPushEndpoint(PLAIN, answer)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(endpoint.handle(push()), 0.01)
            for phase in ("startup", "shutdown"):
                await events.put({"type": f"lifespan.{phase}"})
            await push_app(endpoint)({"type": "lifespan"}, events.get, send)

        asyncio.run(main())
        assert ended == ["lifespan.startup.complete", "handler", "lifespan.shutdown.complete"]


class TestContextVariables:
    def test_reach_the_handler(self, handle):
        variable = ContextVar("variable", default="not set")
        token = variable.set("set by a middleware")
        try:
            response = handle(lambda message: variable.get(), push())
        finally:
            variable.reset(token)
        assert open_reply(PLAIN, response)["Content"] == "set by a middleware"

    def test_of_different_tasks_do_not_mix(self):
        variable = ContextVar("variable")
        endpoint = AsyncPushEndpoint(PLAIN, lambda message: f"{message.content} {variable.get()}")

        async def middleware(number):
            variable.set(number)
            return await endpoint.handle(push(content=str(number)))

        async def main():
            return await asyncio.gather(*map(middleware, range(20)))

        contents = [open_reply(PLAIN, response)["Content"] for response in asyncio.run(main())]
        assert contents == [f"{number} {number}" for number in range(20)]
