"""The simulators: they send what WeChat sends, and their time and memory have limits with any bot."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wechatpy import parse_message as parse_with_wechatpy
from wechatpy import replies as theirs
from wechatpy.crypto import WeChatCrypto

from tests.helpers.certificates import make_certificate
from tests.helpers.first_principles import APPID, KEY, TOKEN
from tests.helpers.forking import fork_from
from tests.helpers.hostile_bots import BOTS, LONG, Endless, answer_to_hello, never_accept, stay_silent
from tests.helpers.raw_http import answering, listen, refuse, render
from tests.helpers.rows import check_rows
from tests.helpers.servers import GUNICORN, TIMEOUT, UVICORN, run, serve
from tests.helpers.waiting import wait_until
from wechat_msg import (
    MINI_PROGRAM,
    Article,
    AsyncPushEndpoint,
    ErrCodeReply,
    ImageReply,
    MusicReply,
    NewsReply,
    PushEndpoint,
    PushRequest,
    PushSettings,
    RawReply,
    ReplyError,
    SettingsError,
    TextReply,
    TransferCustomerServiceReply,
    VideoReply,
    VoiceReply,
    open_push,
    parse_query,
)
from wechat_msg.adapters import asgi, wsgi
from wechat_msg.testing import AsyncPushSimulator, FakeWeChatAPI, PushSimulator, build_push

PLAIN = PushSettings(token=TOKEN, appid=APPID)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
SLACK = 10.0
"""Seconds that a busy machine may take on top of a limit."""

MODES = ["plain", "compatible", "sealed"]
FORMATS = ["xml", "json"]
both = pytest.mark.parametrize("colour", ["sync", "async"])
every_mode = pytest.mark.parametrize("mode", MODES)
every_format = pytest.mark.parametrize("format", FORMATS)


class Blocking:
    """An `AsyncPushSimulator` with the methods of `PushSimulator`, so that one test covers both."""

    def __init__(self, simulator, runner):
        self._simulator = simulator
        self._runner = runner

    def __getattr__(self, name):
        method = getattr(self._simulator, name)
        return lambda *args, **options: self._runner.run(method(*args, **options))


@contextlib.contextmanager
def simulate(colour, url="/wechat", settings=PLAIN, **options):
    """Create a simulator of either colour; by default it does not pause."""
    options = {"pause": 0, **options}
    if colour == "sync":
        with PushSimulator(url, settings, **options) as wechat:
            yield wechat
    else:
        with asyncio.Runner() as runner:
            wechat = Blocking(AsyncPushSimulator(url, settings, **options), runner)
            yield wechat
            wechat.close()


def fail_with(colour, code, url="/wechat", limit=5.0, **options):
    """Push once; check that it fails in time with this problem; return the try."""
    with simulate(colour, url, tries=1, time_limit=limit, **options) as wechat:
        delivery = wechat.push_text("hi")
    assert delivery.problem is not None, delivery
    assert delivery.problem.code == code, delivery
    assert delivery.seconds < limit + SLACK
    return delivery.tries[0]


@both
class TestUser:
    """The user who writes: the simulator's, or that of a single push."""

    def test_may_be_another_for_each_push(self, colour):
        app = wsgi.push_app(PushEndpoint(PLAIN, lambda message: f"Hello {message.from_user_name}"))
        with simulate(colour, wsgi=app, openid="oUSER") as wechat:
            assert wechat.push_text("hi").text == "Hello oUSER"
            assert wechat.push_text("hi", openid="oOTHER").text == "Hello oOTHER"
            assert wechat.push_event("subscribe", openid="oOTHER", EventKey="").text == "Hello oOTHER"
            assert wechat.push({"MsgType": "text", "FromUserName": "oONE"}).text == "Hello oONE"
            assert wechat.push({"MsgType": "text", "FromUserName": "oONE"}, openid="oOTHER").text == "Hello oOTHER"
            assert wechat.push_text("hi").text == "Hello oUSER"


# --- over HTTP --------------------------------------------------------------------------------------------------------


@both
class TestHostileBot:
    @pytest.mark.parametrize("bot", BOTS, ids=lambda bot: bot.name)
    def test_is_judged_in_time(self, colour, bot):
        with listen(bot.handle) as server:
            if bot.code is None:
                with simulate(colour, server.url) as wechat:
                    assert wechat.push_text("hi").is_acknowledged
            else:
                fail_with(colour, bot.code, server.url, bot.limit)
            assert len(server.connections) == 1  # no redirect is followed, and nothing is sent twice

    def test_that_does_not_read_a_long_push_is_judged_by_its_answer(self, colour):
        def answer_early(connection):
            connection.read_head()
            connection.send(render(b"", "413 Content Too Large"))
            connection.socket.shutdown(socket.SHUT_WR)
            time.sleep(0.2)  # until the client has filled all buffers

        with listen(answer_early) as server, simulate(colour, server.url, tries=1) as wechat:
            delivery = wechat.push_text("x" * (16 << 20))
        assert (delivery.problem.code, delivery.verdict.detail) == ("wrong_status", "HTTP 413")

    def test_that_accepts_no_connection_is_given_up(self, colour):
        with never_accept() as url:
            fail_with(colour, "timed_out", url, 0.2)

    def test_that_does_not_listen_is_unreachable(self, colour):
        with refuse() as url:
            assert fail_with(colour, "unreachable", url).verdict.detail == "Connection refused"

    def test_that_has_no_address_is_unreachable(self, colour):
        assert fail_with(colour, "unreachable", "http://nosuchhost.invalid/").verdict.detail

    def test_with_an_invalid_name_is_unreachable(self, colour):
        fail_with(colour, "unreachable", f"http://{'a' * 70}.invalid/")

    def test_whose_name_is_not_resolved_in_time_is_unreachable(self, colour, monkeypatch):
        released = threading.Event()

        def look_up(*args, **options):
            released.wait(5)
            raise socket.gaierror

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        try:
            fail_with(colour, "unreachable", "http://slow.invalid/", 0.2)
        finally:
            released.set()

    def test_is_found_at_the_second_address_of_its_name(self, colour, monkeypatch):
        with refuse() as dead, listen(answering(render(b"success"))) as server:
            ports = [int(url.rpartition(":")[2]) for url in (dead, server.url)]
            real = socket.getaddrinfo

            def look_up(host, port, *args, **options):
                names = ports if host == "two.invalid" else [port]
                return [one for at in names for one in real("127.0.0.1", at, *args, **options)]

            monkeypatch.setattr(socket, "getaddrinfo", look_up)
            with simulate(colour, "http://two.invalid/") as wechat:
                assert wechat.push_text("hi").is_acknowledged

    def test_is_called_as_wechat_calls(self, colour):
        with listen(answering(render(b"success"))) as server, simulate(colour, f"{server.url}/w?tenant=1#x") as wechat:
            assert wechat.push_text("hi").is_acknowledged
        (request,) = server.requests
        assert re.fullmatch(
            r"POST /w\?tenant=1&signature=\w+&timestamp=\d+&nonce=\d+&openid=oUSER HTTP/1.1", request.line
        )
        assert request.headers["host"] == server.url.removeprefix("http://")
        assert request.headers["content-type"] == "text/xml"
        assert request.headers["user-agent"] == "Mozilla/4.0"


@pytest.fixture
def certify(tmp_path):
    return lambda **options: make_certificate(tmp_path, **options)


@both
class TestTLS:
    def test_with_a_trusted_certificate_is_used(self, colour, certify):
        certificate = certify()
        with (
            listen(answering(render(b"success")), context=certificate.context) as server,
            simulate(colour, server.url, ssl_context=certificate.make_client_context()) as wechat,
        ):
            assert wechat.push_text("hi").is_acknowledged

    def test_with_an_untrusted_certificate_fails(self, colour, certify):
        with listen(stay_silent, context=certify().context) as server:
            assert fail_with(colour, "tls_failed", server.url).verdict.detail == "self-signed certificate"

    @pytest.mark.parametrize(
        ("options", "detail"),
        [({"has_expired": True}, "certificate has expired"), ({"name": "DNS:other.invalid"}, "IP address mismatch")],
        ids=["expired", "of another host"],
    )
    def test_with_a_wrong_certificate_fails(self, colour, certify, options, detail):
        certificate = certify(**options)
        with listen(stay_silent, context=certificate.context) as server:
            one = fail_with(colour, "tls_failed", server.url, ssl_context=certificate.make_client_context())
        assert detail in one.verdict.detail

    def test_is_not_spoken_by_a_plain_server(self, colour):
        with listen(answer_to_hello(render(b"", "400 Bad Request"))) as server:
            url = server.url.replace("http:", "https:")
            verdict = fail_with(colour, "tls_failed", url).verdict
        assert verdict.detail == "WRONG_VERSION_NUMBER"
        assert "write http://" in verdict.problem.fix.en

    def test_is_not_spoken_with_a_plain_address(self, colour, certify):
        with listen(stay_silent, context=certify().context) as server:
            url = server.url.replace("https:", "http:")
            with simulate(colour, url, tries=1) as wechat:
                assert wechat.push_text("hi").problem.code in ("not_http", "hung_up")

    def test_is_broken_off_by_the_server(self, colour):
        with listen(answer_to_hello(b"")) as server:
            fail_with(colour, "tls_failed", server.url.replace("http:", "https:"))

    @pytest.mark.parametrize("hello", [b"\x16\x03\x03\x40\x00", b""], ids=["dripping", "silent"])
    def test_never_ends_its_handshake(self, colour, hello):
        def handle(connection):
            connection.socket.recv(1)
            for byte in [hello[i : i + 1] for i in range(len(hello))] + [b"\x02"] * 1000:
                time.sleep(0.02 if hello else 0.4)
                connection.send(byte)

        with listen(handle) as server:
            one = fail_with(colour, "timed_out", server.url.replace("http:", "https:"), 0.3)
        assert one.verdict.detail == "in the TLS handshake"


#: A program that prints how many MB of memory the pushes to each address need at most.
MEMORY = """
import asyncio, pathlib, re, sys
from wechat_msg import PushSettings
from wechat_msg.testing import AsyncPushSimulator, PushSimulator

def peak():  # unlike ru_maxrss, it does not include the parent process
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024

settings = PushSettings(token="spamtest")
for url in sys.argv[1:]:
    before = peak()
    codes = {PushSimulator(url, settings, tries=1).push_text("hi").problem.code}
    codes.add(asyncio.run(AsyncPushSimulator(url, settings, tries=1).push_text("hi")).problem.code)
    print(*codes, round(peak() - before, 1))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the memory used")
def test_memory_stays_small_whatever_comes(record_property):
    greedy = [bot for bot in BOTS if bot.is_greedy]
    with contextlib.ExitStack() as stack:
        warming = stack.enter_context(listen(answering(render(b"x"))))
        urls = [stack.enter_context(listen(bot.handle)).url for bot in greedy]
        status, printed = run("-c", MEMORY, warming.url, *urls)
    assert status == 0, printed
    lines = [line.split() for line in printed.splitlines()[1:]]
    assert [code for code, _ in lines] == [bot.code for bot in greedy]
    most = max(float(grown) for _, grown in lines)
    record_property(
        "measured", f"a bomb, an answer of {LONG} MB or an endless one costs the simulator {most} MB at most"
    )
    assert most < 20


# --- applications in this process -------------------------------------------------------------------------------------


def answering_wsgi(*pieces, status="200 OK", before=lambda: None):
    def app(environ, start_response):
        before()
        start_response(status, [("Content-Type", "text/plain")])
        return pieces[0] if len(pieces) == 1 and not isinstance(pieces[0], bytes) else pieces

    return app


def write_endlessly(data):
    def app(environ, start_response):
        write = start_response("200 OK", [])
        while True:
            write(data)

    return app


def throw(error):
    def app(*_):
        raise error

    return app


SILENT = logging.CRITICAL + 1


@both
class TestWSGI:
    def test_app_that_answers_badly_is_judged(self, colour, caplog):
        def check(app, code):
            caplog.set_level(SILENT)
            fail_with(colour, code, wsgi=app)

        check_rows(
            [
                (throw(ValueError("no")), "wrong_status"),
                (throw(SystemExit(1)), "wrong_status"),
                (answering_wsgi(b"", before=throw(KeyError(1))), "wrong_status"),
                (lambda environ, start_response: None, "wrong_status"),
                (lambda environ, start_response: [], "wrong_status"),
                (answering_wsgi("success"), "wrong_status"),
                (answering_wsgi(["success"]), "wrong_status"),
                (answering_wsgi(b"", status="OK"), "wrong_status"),
                (answering_wsgi(b"", status=""), "wrong_status"),
                (answering_wsgi(b"x" * (1 << 20), b"x"), "too_long"),
                (answering_wsgi(Endless(b"x" * 65536)), "too_long"),
                (write_endlessly(b"x" * 65536), "too_long"),
            ],
            check,
        )

    @pytest.mark.parametrize("app", [answering_wsgi(Endless(b"")), write_endlessly(b"")], ids=["iterated", "written"])
    def test_app_that_never_ends_is_stopped(self, colour, app):
        before = threading.active_count()
        fail_with(colour, "timed_out", limit=0.1, wsgi=app)
        wait_until(lambda: threading.active_count() <= before)

    def test_app_that_blocks_is_left_behind(self, colour):
        released = threading.Event()
        try:
            fail_with(colour, "timed_out", limit=0.1, wsgi=answering_wsgi(b"", before=lambda: released.wait(10)))
        finally:
            released.set()

    @pytest.mark.parametrize("is_broken", [True, False])
    def test_app_has_its_answer_closed(self, colour, is_broken, caplog):
        caplog.set_level(SILENT)
        closed = []

        class Pieces:
            def __iter__(self):
                yield b"success"
                if is_broken:
                    raise ValueError

            def close(self):
                closed.append(True)

        with simulate(colour, wsgi=answering_wsgi(Pieces()), tries=1) as wechat:
            assert wechat.push_text("hi").is_acknowledged is not is_broken
        assert closed == [True]

    def test_app_sees_the_request_as_behind_a_server(self, colour):
        seen = []

        def app(environ, start_response):
            seen.append({**environ, "body": environ["wsgi.input"].read()})
            start_response("200 OK", [("X-Name", "v")])
            return [b"success"]

        with simulate(colour, "https://bot.example/a%20b?tenant=1", wsgi=app) as wechat:
            one = wechat.push_text("hi").tries[0]
        (environ,) = seen
        assert (environ["PATH_INFO"], environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == (
            "/a b",
            "bot.example",
            "https",
        )
        assert environ["QUERY_STRING"].startswith("tenant=1&signature=")
        assert environ["body"] == one.request.body
        assert environ["CONTENT_LENGTH"] == str(len(one.request.body))
        assert (one.answer.status, one.answer.headers) == (200, {"x-name": "v"})


def send_all(*messages, before=lambda: None):
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        before()
        for message in messages:
            await send(message)

    return app


def send_endlessly(data):
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await send(START)
        while True:
            await send({"type": "http.response.body", "body": data, "more_body": True})

    return app


START = {"type": "http.response.start", "status": 200, "headers": [(b"X-Name", b"\xe9")]}
SUCCESS = {"type": "http.response.body", "body": b"success"}


def with_lifespan(lifespan, *messages):
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        else:
            for message in messages or (START, SUCCESS):
                await send(message)

    return app


@both
class TestASGI:
    def test_app_that_answers_badly_is_judged(self, colour, caplog):
        def check(app, code):
            caplog.set_level(SILENT)
            fail_with(colour, code, asgi=app)

        check_rows(
            [
                (throw(ValueError("no")), "wrong_status"),
                (send_all(before=throw(SystemExit(1))), "wrong_status"),
                (send_all(), "wrong_status"),
                (send_all(START), "wrong_status"),
                (send_all(SUCCESS), "wrong_status"),
                (send_all({"type": "http.response.start"}, SUCCESS), "wrong_status"),
                (send_all({**START, "status": "OK"}, SUCCESS), "wrong_status"),
                (send_all({**START, "headers": [("X", "y")]}, SUCCESS), "wrong_status"),
                (send_all(START, {**SUCCESS, "body": "success"}), "wrong_status"),
                (send_all({}), "wrong_status"),
                (send_all(START, {**SUCCESS, "body": b"x" * (1 << 20) + b"x"}), "too_long"),
                (send_endlessly(b"x" * 65536), "too_long"),
            ],
            check,
        )

    def test_app_that_never_ends_is_stopped(self, colour):
        ended = []

        async def app(scope, receive, send):
            try:
                await send_endlessly(b"")(scope, receive, send)
            except ConnectionResetError:
                ended.append(True)
                raise

        with simulate(colour, asgi=app, tries=1, time_limit=0.1) as wechat:
            assert wechat.push_text("hi").problem.code == "timed_out"
            wechat.push_text("hi")  # runs the event loop
        assert ended

    def test_app_sees_that_wechat_hangs_up(self, colour):
        seen = []

        async def app(scope, receive, send):
            assert scope["type"] == "http"
            seen.extend([await receive(), await receive()])

        with simulate(colour, asgi=app, tries=1, time_limit=0.1) as wechat:
            one = wechat.push_text("hi").tries[0]
            assert one.verdict.problem.code == "timed_out"
            wechat.push_text("hi")
        assert seen[:2] == [
            {"type": "http.request", "body": one.request.body, "more_body": False},
            {"type": "http.disconnect"},
        ]

    def test_app_sees_the_request_as_behind_a_server(self, colour):
        seen = []

        async def app(scope, receive, send):
            assert scope["type"] == "http"
            seen.append(scope)
            await send_all(START, SUCCESS)(scope, receive, send)

        with simulate(colour, "http://bot.example/a%20b?tenant=1", asgi=app) as wechat:
            delivery = wechat.push_text("hi")
        (scope,) = seen
        assert delivery.is_acknowledged
        assert delivery.tries[0].answer.headers == {"x-name": "é"}
        assert (scope["path"], scope["raw_path"], scope["method"]) == ("/a b", b"/a%20b", "POST")
        assert scope["query_string"].startswith(b"tenant=1&signature=")
        assert dict(scope["headers"])[b"host"] == b"bot.example"

    def test_app_is_started_once_and_shut_down(self, colour):
        told = []

        async def lifespan(receive, send):
            for _ in range(2):
                name = (await receive())["type"]
                told.append(name)
                await send({"type": f"{name}.complete"})

        with simulate(colour, asgi=with_lifespan(lifespan)) as wechat:
            assert told == []
            assert wechat.push_text("hi").is_acknowledged
            assert wechat.push_text("hi").is_acknowledged
            assert told == ["lifespan.startup"]
            wechat.close()
            assert told == ["lifespan.startup", "lifespan.shutdown"]
            wechat.close()
            assert wechat.push_text("hi").is_acknowledged
        assert told == ["lifespan.startup", "lifespan.shutdown"] * 2

    def test_app_that_cannot_start_is_unreachable(self, colour):
        async def lifespan(receive, send):
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no database"})

        one = fail_with(colour, "unreachable", asgi=with_lifespan(lifespan))
        assert one.verdict.detail == "the application could not start"

    @pytest.mark.parametrize("kind", ["deaf", "mute", "breaks at shutdown"])
    def test_app_that_ignores_lifespan_events_gets_pushes(self, colour, kind):
        async def lifespan(receive, send):
            if kind == "deaf":
                await asyncio.Event().wait()
            await receive()
            if kind == "mute":
                await asyncio.Event().wait()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            raise ValueError

        began = time.monotonic()
        with simulate(colour, asgi=with_lifespan(lifespan), lifespan_limit=0.1) as wechat:
            assert wechat.push_text("hi").is_acknowledged
        assert time.monotonic() - began < SLACK


class TestASGIFromWithoutALoop:
    def test_app_that_blocks_its_loop_is_left_behind(self):
        released = threading.Event()
        app = send_all(START, SUCCESS, before=lambda: released.wait(TIMEOUT))
        began = time.monotonic()
        try:
            fail_with("sync", "timed_out", limit=0.1, asgi=app, lifespan_limit=0.1)
        finally:
            released.set()
        assert time.monotonic() - began < SLACK

    def test_its_thread_ends(self):
        before = set(threading.enumerate())
        with simulate("sync", asgi=send_all(START, SUCCESS)) as wechat:
            assert wechat.push_text("hi").is_acknowledged
        assert set(threading.enumerate()) <= before


# --- tries ------------------------------------------------------------------------------------------------------------


class Bot:
    """An application with one answer for each push; it repeats the last answer, and records the requests."""

    def __init__(self, *answers):
        self.answers = answers
        self.requests = []

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read()
        query = parse_query(environ["QUERY_STRING"])
        self.requests.append(PushRequest(environ["REQUEST_METHOD"], query, body))
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        status, body, seconds = (200, answer, 0) if isinstance(answer, bytes) else answer
        time.sleep(seconds)
        start_response(f"{status} Status", [])
        return [body]


BROKEN = (500, b"", 0)
SLOW = (200, b"success", 3.0)


@both
class TestTries:
    def test_end_after_three(self, colour):
        bot = Bot(BROKEN)
        with simulate(colour, wsgi=bot) as wechat:
            delivery = wechat.push_text("hi")
        assert [one.number for one in delivery.tries] == [1, 2, 3]
        assert len(bot.requests) == 3
        assert delivery.shown.en == "该公众号提供的服务出现故障，请稍后再试"

    def test_carry_the_same_document_with_new_signatures_and_ciphertexts(self, colour):
        def check(mode):
            bot, clock = Bot(BROKEN), iter(range(1700000000, 1700000100))
            with simulate(colour, settings=SEALED, wsgi=bot, now=lambda: next(clock)) as wechat:
                delivery = wechat.push({"Content": "hi"}, mode=mode)
            opens = PLAIN if mode == "plain" else SEALED
            messages = [open_push(opens, request).message for request in bot.requests]
            assert len({(message.msg_id, message.create_time, message.content) for message in messages}) == 1
            assert messages[0].msg_id == str(delivery.fields["MsgId"])
            for name in ("nonce", "timestamp", "signature", *(() if mode == "plain" else ("msg_signature",))):
                assert len({request.query[name] for request in bot.requests}) == 3, name
            assert len({request.body for request in bot.requests}) == (1 if mode == "plain" else 3)

        check_rows(MODES, check)

    def test_end_with_the_first_success(self, colour):
        bot = Bot(BROKEN, b"success")
        with simulate(colour, wsgi=bot) as wechat:
            delivery = wechat.push_text("hi")
        assert [one.verdict.outcome for one in delivery.tries] == ["failed", "acknowledged"]
        assert delivery.is_acknowledged

    def test_end_with_an_unreadable_answer(self, colour):
        bot = Bot(b"<html>", b"success")
        with simulate(colour, wsgi=bot) as wechat:
            delivery = wechat.push_text("hi")
        assert (len(delivery.tries), delivery.problem.code) == (1, "unreadable")

    def test_follow_a_failure_after_a_pause(self, colour):
        before, after = [], []
        with simulate(colour, wsgi=Bot(BROKEN), pause=0.1) as wechat:
            for _ in range(3):
                began = time.monotonic()
                first, second, third = wechat.push_text("hi").tries
                assert second.began - (first.began + first.seconds) >= 0.099
                assert third.began - (second.began + second.seconds) >= 0.099
                before.append(first.began)
                after.append(time.monotonic() - began - third.began - third.seconds)
        # No pause before the first or after the last; a busy machine may cause one.
        assert min(before) < 0.1
        assert min(after) < 0.1

    def test_follow_a_time_out_at_once(self, colour):
        with simulate(colour, wsgi=Bot(SLOW), pause=30, time_limit=0.1) as wechat:
            delivery = wechat.push_text("hi")
        assert [one.verdict.problem.code for one in delivery.tries] == ["timed_out"] * 3
        assert all(0.1 <= one.seconds < 3.0 for one in delivery.tries)
        assert 0.3 <= delivery.seconds < 9.0

    def test_are_reported_while_they_happen(self, colour):
        bot, told = Bot(BROKEN), []
        with simulate(colour, wsgi=bot, on_try=lambda one: told.append((one, len(bot.requests)))) as wechat:
            delivery = wechat.push_text("hi")
        assert [one for one, _ in told] == list(delivery.tries)
        assert [count for _, count in told] == [1, 2, 3]

    def test_are_one_action_of_the_user_for_the_api(self, colour):
        api = FakeWeChatAPI()
        api.close_window("oUSER")
        with simulate(colour, wsgi=Bot(BROKEN), api=api, pause=0) as wechat:
            wechat.push({"MsgType": "event", "Event": "CLICK", "EventKey": "A"})
            wechat.push({"MsgType": "event", "Event": "subscribe", "FromUserName": "oNEW"})
        for openid in ("oUSER", "oNEW"):
            api.check_window(openid)
        assert api.users["oNEW"]["subscribe"] == 1

    def test_find_the_reply_of_the_handler_that_went_on_after_the_hang_up(self, colour):
        calls, hung_up = [], threading.Event()

        def work(message):
            calls.append(message)
            hung_up.wait(TIMEOUT)
            return "done"

        async def work_async(message):
            calls.append(message)
            await asyncio.to_thread(hung_up.wait, TIMEOUT)
            return "done"

        apps = {
            "wsgi": wsgi.push_app(PushEndpoint(PLAIN, work)),
            "asgi": asgi.push_app(AsyncPushEndpoint(PLAIN, work_async)),
        }
        for name, app in apps.items():
            calls.clear()
            hung_up.clear()
            with simulate(colour, time_limit=0.5, on_try=lambda _: hung_up.set(), **{name: app}) as wechat:
                delivery = wechat.push_text("hi")
            assert (delivery.text, len(calls)) == ("done", 1), name
            assert [one.verdict.outcome for one in delivery.tries] == ["failed", "replied"]


@both
class TestChat:
    """What a user reads."""

    def chat(self, colour, answer, settings=PLAIN, content="hi", **options):
        app = wsgi.push_app(PushEndpoint(settings, answer)) if callable(answer) else answering_wsgi(answer)
        with simulate(colour, settings=settings, wsgi=app, **options) as wechat:
            return wechat.chat(content)

    def test_is_the_text_of_the_reply(self, colour):
        def check(answer, read):
            assert self.chat(colour, answer) == read

        check_rows(
            [
                (lambda _: "hello", "hello"),
                (lambda _: "nothing", "nothing"),
                (lambda _: "长" * 682 + "x", "长" * 682 + "x"),
                (lambda _: ImageReply(media_id="M"), "[image]"),
                (lambda _: None, ""),
            ],
            check,
        )

    def test_is_what_wechat_shows_when_no_answer_is_valid(self, colour):
        unavailable = "该公众号提供的服务出现故障，请稍后再试"

        def check(answer):
            assert self.chat(colour, answer) == unavailable

        check_rows([b"no reply at all", b"<xml><MsgType>text</MsgType></xml>"], check)
        with simulate(colour, wsgi=Bot(SLOW), time_limit=0.1) as wechat:
            assert wechat.chat("hi") == unavailable

    def test_is_nothing_in_a_mini_program_that_fails(self, colour):
        settings = PushSettings(token="spamtest", account_kind=MINI_PROGRAM)
        assert self.chat(colour, b"no reply at all", settings) == ""

    def test_of_a_bot_that_keeps_answers_gives_each_user_their_own(self, colour):
        kept = {}

        def keep(message):
            parts = kept.setdefault(message.from_user_name, [])
            if parts:
                return parts.pop(0)
            parts += [f"{message.content}, part {number}" for number in (1, 2)]
            return "Please wait"

        with simulate(colour, wsgi=wsgi.push_app(PushEndpoint(PLAIN, keep))) as wechat:
            assert [wechat.chat("a story"), wechat.chat("a song", openid="oUSER2")] == ["Please wait"] * 2
            assert [wechat.chat("1"), wechat.chat("2")] == ["a story, part 1", "a story, part 2"]
            assert wechat.chat("1", openid="oUSER2") == "a song, part 1"
            assert wechat.chat("another") == "Please wait"


class TestShown:
    def test_is_nothing_after_unsubscribe(self):
        def check(answer):
            app = answering_wsgi(answer)
            delivery = PushSimulator("/", PLAIN, wsgi=app, pause=0.0).push_event("unsubscribe")
            assert not delivery.has_reader
            assert delivery.shown.en == "nothing"

        check_rows([b"success", b"no reply at all"], check)

    def test_is_nothing_in_a_mini_program_however_it_fails(self):
        settings = PushSettings(token="spamtest", account_kind="mini_program")
        delivery = PushSimulator("/", settings, wsgi=answering_wsgi(b"no reply at all"), pause=0.0).push_text("hi")
        assert delivery.problem
        assert delivery.shown.zh == "无"

    def test_is_nothing_if_wechat_will_send_it_again(self):
        app = answering_wsgi(b"<xml><ErrCode>1</ErrCode></xml>")
        delivery = PushSimulator("/", PLAIN, wsgi=app, pause=0.0).push_event("xpay_goods_deliver_notify")
        assert len(delivery.tries) == 3
        assert delivery.shown.en == "nothing"

    def test_is_the_kind_of_a_reply_without_text(self):
        app = wsgi.push_app(PushEndpoint(PLAIN, lambda _: ImageReply(media_id="M")))
        assert PushSimulator("/", PLAIN, wsgi=app).push_text("hi").shown.en == "[image]"


@both
class TestCreateTime:
    def test_is_never_that_of_another_event(self, colour):
        bot = Bot(b"success")
        with simulate(colour, wsgi=bot, now=lambda: 1700000000.5) as wechat:
            times = [wechat.push_event("CLICK", EventKey="A").fields["CreateTime"] for _ in range(3)]
        assert times == [1700000000, 1700000001, 1700000002]

    def test_of_messages_is_the_time_because_they_have_msg_ids(self, colour):
        with simulate(colour, wsgi=Bot(b"success"), now=lambda: 1700000000.5) as wechat:
            sent = [wechat.push_text("hi").fields for _ in range(3)]
        assert [fields["CreateTime"] for fields in sent] == [1700000000] * 3
        assert len({fields["MsgId"] for fields in sent}) == 3

    def test_is_left_as_given(self, colour):
        with simulate(colour, wsgi=Bot(b"success")) as wechat:
            assert wechat.push({"Content": "hi", "CreateTime": 5}).fields["CreateTime"] == 5


class TestManyAtOnce:
    COUNT = 100

    def test_threads_share_a_simulator(self):
        app = wsgi.push_app(PushEndpoint(SEALED, lambda message: message.content))
        with simulate("sync", settings=SEALED, wsgi=app) as wechat, ThreadPoolExecutor(self.COUNT) as pool:
            deliveries = list(pool.map(wechat.push_text, map(str, range(self.COUNT))))
        assert [delivery.text for delivery in deliveries] == [str(number) for number in range(self.COUNT)]
        assert len({delivery.fields["MsgId"] for delivery in deliveries}) == self.COUNT

    def test_threads_share_an_application_with_a_loop(self):
        async def answer(message):
            await asyncio.sleep(0.1)
            return message.content

        app = asgi.push_app(AsyncPushEndpoint(SEALED, answer))
        with simulate("sync", settings=SEALED, asgi=app) as wechat, ThreadPoolExecutor(self.COUNT) as pool:
            deliveries = list(pool.map(wechat.push_text, map(str, range(self.COUNT))))
        assert [delivery.text for delivery in deliveries] == [str(number) for number in range(self.COUNT)]

    @pytest.mark.parametrize("kind", ["wsgi", "http"])
    def test_tasks_do_not_wait_for_each_other(self, kind):
        all_are_here = threading.Barrier(self.COUNT, timeout=TIMEOUT)  # fails with the few threads of an event loop

        def answer(connection):
            connection.read_request()
            all_are_here.wait()
            connection.send(render(b"success"))

        async def push_all(url, **options):
            wechat = AsyncPushSimulator(url, PLAIN, time_limit=TIMEOUT, tries=1, **options)
            deliveries = await asyncio.gather(*(wechat.push_text("hi") for _ in range(self.COUNT)))
            await wechat.close()
            return deliveries

        with listen(answer) as server:
            app = answering_wsgi(b"success", before=all_are_here.wait)
            where = {"url": "/", "wsgi": app} if kind == "wsgi" else {"url": server.url}
            deliveries = asyncio.run(push_all(**where))
        assert all(delivery.is_acknowledged for delivery in deliveries)


# --- invalid options --------------------------------------------------------------------------------------------------


class TestInvalidOptions:
    def test_url_is_refused(self):
        def check(url):
            with pytest.raises(SettingsError, match=r"url: .*网址") as caught, simulate("sync", url):
                pass
            assert "user:password" not in str(caught.value)

        check_rows(
            [
                *(
                    "",
                    "bot.example/wechat",
                    "//bot.example/",
                    "ftp://bot.example/",
                    "http://",
                    "http:///wechat",
                    "http://:80/",
                ),
                *(
                    "http://bot.example/we chat",
                    "http://bot.example/\n",
                    " http://bot.example/",
                    "http://bot.example/微信",
                ),
                *(
                    "http://微信.example/",
                    "http://bot.example:99999/",
                    "http://bot.example:0/",
                    "http://bot.example:http/",
                ),
                *(
                    "http://[::1/",
                    "http://user:password@bot.example/",
                    "http://user@bot.example/",
                    None,
                    b"http://b/",
                    5,
                ),
            ],
            check,
        )

    def test_url_is_refused_with_the_reason(self):
        def check(url, reason):
            with pytest.raises(SettingsError, match=reason), simulate("sync", url):
                pass

        check_rows(
            [
                ("bot.example/wechat", "must begin with http://"),
                ("localhost:8000/wechat", "must begin with http://"),
                ("http:/bot.example", "must begin with http://"),
                ("http:///wechat", "must have a host"),
                ("http://bot.example:http/", "port"),
                ("http://bot.example/we chat", "%20"),
                ("http://微信.example/", "xn--"),
                ("http://user@bot.example/", "must not contain a user name"),
            ],
            check,
        )

    def test_option_is_refused(self):
        def check(name, value):
            with pytest.raises(SettingsError), simulate("sync", "http://127.0.0.1:1/", **{name: value}):
                pass

        check_rows(
            [
                *[
                    (name, value)
                    for name in ("time_limit", "pause", "tries")
                    for value in (-1, "1", float("nan"), True)
                ],
                *[(name, value) for name in ("time_limit", "pause") for value in (float("inf"), 1e300)],
                *[("time_limit", 0), ("tries", 0), ("tries", 1.5), ("tries", None)],
                *[
                    ("mode", "safe"),
                    ("mode", ["plain"]),
                    ("mode", ""),
                    ("format", "yaml"),
                    ("format", None),
                    ("format", {}),
                ],
                *[("openid", None), ("openid", "o\ud800"), ("ssl_context", False), ("wsgi", "module:app"), ("asgi", 5)],
                *[
                    ("on_try", "print"),
                    ("now", 1700000000),
                    ("now", None),
                    ("api", "http://127.0.0.1:1"),
                    ("api", False),
                ],
            ],
            check,
        )

    def test_settings_are_refused(self):
        with pytest.raises(SettingsError, match="PushSettings"), simulate("sync", settings={"token": TOKEN}):
            pass

    def test_two_applications_are_refused(self):
        with pytest.raises(SettingsError, match="not both"), simulate("sync", wsgi=Bot(b""), asgi=send_all()):
            pass

    def test_option_of_one_push_is_refused(self):
        def check(options):
            bot = Bot(b"success")
            with simulate("sync", wsgi=bot) as wechat:
                with pytest.raises(SettingsError):
                    wechat.push({"Content": "hi"}, **options)
                with pytest.raises(SettingsError):
                    wechat.send(build_push(PLAIN, {}), {}, time_limit=0)
                with pytest.raises(SettingsError, match="PushRequest"):
                    wechat.send(b"GET / HTTP/1.1", {})
                with pytest.raises(ReplyError, match="mapping"):
                    wechat.send(build_push(PLAIN, {}), None)
                with pytest.raises(SettingsError):
                    wechat.verify("\ud800")
            assert bot.requests == []

        check_rows(
            [
                *[
                    {"mode": "safe"},
                    {"mode": "sealed"},
                    {"format": "yaml"},
                    {"tries": 0},
                    {"tries": -1},
                    {"tries": "3"},
                ],
                *[{"openid": 5}, {"openid": "o\ud800"}],
            ],
            check,
        )

    def test_fields_are_refused(self):
        def check(fields, format):
            bot = Bot(b"success")
            with simulate("sync", wsgi=bot, format=format) as wechat, pytest.raises(ReplyError):
                wechat.push(fields)
            assert bot.requests == []

        check_rows(
            itertools.product(
                [
                    None,
                    "hi",
                    [("Content", "hi")],
                    {"Content": b"hi"},
                    {"a b": "c"},
                    {5: "c"},
                    {"Content": {1, 2}},
                ],
                FORMATS,
            ),
            check,
        )

    def test_malformed_request_is_sent(self):
        """A user sends a malformed request to see how the endpoint reacts."""
        bot = Bot(b"<xml><MsgType>text</MsgType></xml>", b"{}", b"success")
        with simulate("sync", wsgi=bot) as wechat:
            for expected in ("incomplete", "incomplete", None):
                problem = wechat.send(PushRequest("POST", {"encrypt_type": "raw"}, b"\xff garbage"), {}).verdict.problem
                assert (problem and problem.code) == expected


# --- endpoints of our own ---------------------------------------------------------------------------------------------

REPLIES = {
    "text": "hello ]]> <b>&amp;</b> 你好 👋",
    "TextReply": TextReply(content="]]></Content><MsgType>news</MsgType><Content>"),
    "image": ImageReply(media_id="M"),
    "voice": VoiceReply(media_id="M"),
    "video": VideoReply(media_id="M", title="]]>", description="<d>"),
    "video alone": VideoReply(media_id="M"),
    "music": MusicReply(thumb_media_id="M", title="t", music_url="http://a.example/?a=1&b=2"),
    "news": NewsReply(articles=[Article(title="]]></Title><Title>", description="d", url="http://a.example/?a&b")]),
    "transfer": TransferCustomerServiceReply(),
    "transfer to one": TransferCustomerServiceReply(kf_account="a@b"),
    "raw": RawReply(
        fields={
            "ToUserName": "oUSER",
            "FromUserName": "gh_0123456789ab",
            "CreateTime": 1,
            "MsgType": "text",
            "Content": "c",
        }
    ),
}


def read_nothing(message):
    return None


class TestOwnEndpoint:
    def test_replies_are_accepted(self):
        def check(reply, mode, format):
            settings = PLAIN if mode == "plain" else SEALED
            app = wsgi.push_app(PushEndpoint(settings, lambda message: reply))
            with simulate("sync", settings=settings, mode=mode, format=format, wsgi=app) as wechat:
                delivery = wechat.push_text("hi")
            assert delivery.verdict.outcome == "replied", delivery
            if not isinstance(reply, RawReply | str):
                assert delivery.reply["MsgType"] == reply.msg_type

        check_rows(itertools.product(REPLIES.values(), MODES, FORMATS), check)

    def test_eight_articles_are_accepted_for_an_event(self):
        def check(mode, format):
            settings = PLAIN if mode == "plain" else SEALED
            news = NewsReply(articles=[Article(title=str(number)) for number in range(8)])
            app = wsgi.push_app(PushEndpoint(settings, lambda message: news))
            with simulate("sync", settings=settings, mode=mode, format=format, wsgi=app) as wechat:
                assert wechat.push_event("CLICK", EventKey="A").verdict.outcome == "replied"
                assert wechat.push_text("hi").problem.code == "articles"

        check_rows(itertools.product(MODES, FORMATS), check)

    def test_acknowledgements_are_accepted(self):
        def check(reply, mode, format):
            settings = PLAIN if mode == "plain" else SEALED
            app = wsgi.push_app(PushEndpoint(settings, lambda message: reply))
            with simulate("sync", settings=settings, mode=mode, format=format, wsgi=app) as wechat:
                assert wechat.push_text("hi").is_acknowledged

        check_rows(itertools.product([None, "", ErrCodeReply()], MODES, FORMATS), check)

    def test_of_a_mini_program_hands_over(self):
        settings = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID, account_kind=MINI_PROGRAM)
        app = wsgi.push_app(PushEndpoint(settings, lambda message: TransferCustomerServiceReply()))
        with simulate("sync", settings=settings, format="json", wsgi=app) as wechat:
            assert wechat.push_text("hi").reply["MsgType"] == "transfer_customer_service"

    def test_texts_come_back_letter_for_letter(self):
        def check(text, mode, format):
            settings = PLAIN if mode == "plain" else SEALED
            app = wsgi.push_app(PushEndpoint(settings, lambda message: message.content))
            with simulate("sync", settings=settings, mode=mode, format=format, wsgi=app) as wechat:
                delivery = wechat.push_text(text)
            assert delivery.text == text
            assert delivery.reply["ToUserName"] == "oUSER"

        check_rows(
            itertools.product(
                ["a]]>b", "]]></Content></xml>", "]]></Content><FromUserName>oOTHER</FromUserName>"], MODES, FORMATS
            ),
            check,
        )

    def test_is_verified(self):
        def check(echostr):
            app = wsgi.push_app(PushEndpoint(PLAIN, read_nothing))
            with simulate("sync", wsgi=app) as wechat:
                one = wechat.verify(echostr)
            # Our endpoints refuse an empty echostr.
            assert one.verdict.outcome == ("failed" if echostr == "" else "verified")

        check_rows([None, "", "4375120948345356249", "你好 &+%\r\n"], check)

    def test_with_another_token_refuses(self):
        app = wsgi.push_app(PushEndpoint(PushSettings(token="another"), read_nothing))
        with simulate("sync", wsgi=app) as wechat:
            assert wechat.verify().verdict.detail == "HTTP 403"
            assert wechat.push_text("hi").verdict.detail == "HTTP 403"


PATHS = [("/plain", PLAIN, "plain"), ("/sealed", SEALED, "compatible"), ("/sealed", SEALED, "sealed")]


def check_every_mode_and_format(colour, base="", **options):
    for path, settings, mode in PATHS:
        for form in FORMATS:
            with simulate(colour, base + path, settings, mode=mode, format=form, **options) as wechat:
                assert wechat.verify().verdict.outcome == "verified", (mode, form)
                assert wechat.push_text("hi 你好").text == ascii("hi 你好"), (mode, form)
                assert wechat.push_event("subscribe").is_acknowledged, (mode, form)


#: Django can be configured only once in a process.
DJANGO = """
from tests.helpers import apps
from tests.testing import test_simulator
{kind} = apps.make_django_{kind}{colour}()
for one in ("sync", "async"):
    test_simulator.check_every_mode_and_format(one, {kind}={kind})
print("all accepted")
"""


SERVERS = {
    "flask": [*GUNICORN, "tests.helpers.apps:make_flask()"],
    "django": [*GUNICORN, "tests.helpers.apps:make_django_wsgi()"],
    "fastapi": [*UVICORN, "--factory", "tests.helpers.apps:make_fastapi_async"],
}


@pytest.fixture(scope="module")
def forks():
    with fork_from("django", "tests.helpers.apps", "tests.testing.test_simulator", options=("-W", "error")) as forks:
        yield forks


class TestFrameworks:
    @pytest.mark.parametrize("framework", SERVERS)
    def test_are_pushed_to_over_http(self, framework):
        with serve(*SERVERS[framework]) as server:
            for colour in ("sync", "async"):
                check_every_mode_and_format(colour, f"http://127.0.0.1:{server.port}")

    @both
    def test_flask_is_pushed_to_in_process(self, colour):
        from tests.helpers import apps

        check_every_mode_and_format(colour, wsgi=apps.make_flask())

    @both
    @pytest.mark.parametrize("endpoint", ["sync", "async"])
    def test_fastapi_is_pushed_to_in_process(self, colour, endpoint):
        from tests.helpers import apps

        check_every_mode_and_format(colour, asgi=getattr(apps, f"make_fastapi_{endpoint}")())

    @pytest.mark.parametrize(("kind", "endpoint"), [("wsgi", ""), ("asgi", "_sync"), ("asgi", "_async")])
    def test_django_is_pushed_to_in_process(self, forks, tmp_path, kind, endpoint):
        (tmp_path / "push.py").write_text(DJANGO.format(kind=kind, colour=endpoint), "utf-8")
        assert forks.run(str(tmp_path / "push.py")) == (0, "all accepted\n")


# --- the other implementation -----------------------------------------------------------------------------------------


def make_their_news(message):
    reply = theirs.ArticlesReply(message=message)
    reply.add_article({"title": "t", "description": "d", "image": "http://a.example/p", "url": "http://a.example/"})
    return reply


THEIR_REPLIES = {
    "text": lambda message: theirs.TextReply(message=message, content="hello <b> & 你好"),
    "image": lambda message: theirs.ImageReply(message=message, media_id="M"),
    "voice": lambda message: theirs.VoiceReply(message=message, media_id="M"),
    "video": lambda message: theirs.VideoReply(message=message, media_id="M", title="t", description="d"),
    "music": lambda message: theirs.MusicReply(
        message=message, thumb_media_id="M", title="t", description="d", music_url="u", hq_music_url="h"
    ),
    "news": make_their_news,
    "transfer_customer_service": lambda message: theirs.TransferCustomerServiceReply(message=message),
}


class TestBotOfWeChatPy:
    def serve(self, make, mode):
        crypto = WeChatCrypto(TOKEN, KEY, APPID)

        def app(environ, start_response):
            query, body = parse_query(environ["QUERY_STRING"]), environ["wsgi.input"].read()
            if mode != "plain":
                body = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
            answer = make(parse_with_wechatpy(body)).render()
            if mode != "plain":
                answer = crypto.encrypt_message(answer, query["nonce"], query["timestamp"])
            start_response("200 OK", [])
            return [answer.encode()]

        return app

    def test_replies_are_accepted(self):
        def check(kind, mode):
            app = self.serve(THEIR_REPLIES[kind], mode)
            with simulate("sync", settings=SEALED, mode=mode, wsgi=app) as wechat:
                delivery = wechat.push_text("hi")
            assert delivery.verdict.outcome == "replied", delivery
            assert delivery.reply["MsgType"] == kind

        check_rows(itertools.product(THEIR_REPLIES, MODES), check)

    def test_may_reply_with_nothing(self):
        def check(mode):
            app = answering_wsgi(theirs.EmptyReply().render().encode())
            with simulate("sync", settings=SEALED, mode=mode, wsgi=app) as wechat:
                assert wechat.push_text("hi").is_acknowledged

        check_rows(MODES, check)

    def test_of_another_token_is_found_out(self):
        other = WeChatCrypto("another", KEY, APPID)
        text = "<xml><MsgType>text</MsgType></xml>"
        app = answering_wsgi(other.encrypt_message(text, "1", "1").encode())
        with simulate("sync", settings=SEALED, wsgi=app) as wechat:
            delivery = wechat.push_text("hi")
        assert (delivery.problem.code, delivery.verdict.detail) == ("wrong_seal", "SignatureMismatch")
