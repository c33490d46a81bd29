"""The conformance checks: a bot with one fault fails the check for it, and our examples pass all."""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from xml.etree import ElementTree as ET

import attrs
import pytest
from attrs import frozen
from flask import Flask

from tests.helpers.certificates import make_certificate
from tests.helpers.hostile_bots import hang_up, stay_silent
from tests.helpers.raw_http import answering, listen
from tests.helpers.rows import check_rows, each_row
from tests.helpers.servers import GUNICORN, serve
from tests.test_examples import ENVIRON, SETTINGS
from wechat_msg import (
    MINI_PROGRAM,
    NO_DEDUP,
    PushEndpoint,
    PushError,
    PushRequest,
    PushSettings,
    SettingsError,
    open_push,
)
from wechat_msg.adapters.flask import push_view
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.push import parse_query
from wechat_msg.signature import compute_msg_signature, is_signature_valid
from wechat_msg.testing import PushSimulator
from wechat_msg.testing.conformance import CHECKS, check_endpoint
from wechat_msg.testing.conformance.probe import Probe
from wechat_msg.wire import read_encrypt

PLAIN = PushSettings(token="spamtest")
SEALED = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
EXAMPLES = {
    "flask": ["examples/flask_app.py"],
    "django": ["examples/django_project/manage.py", "runserver"],
    "fastapi": ["examples/fastapi_app.py"],
    "wsgi-gunicorn": [*GUNICORN, "examples.wsgi_app:app"],
    "comparison": ["examples/comparison/wechat_msg_bot.py"],
}


def echo(message):
    return getattr(message, "content", None)


def make(settings=SEALED, handler=echo, **options):
    """Return a bot on our endpoint with these settings and options."""
    return push_app(PushEndpoint(settings, handler, **options))


def bot(answer):
    """Return a bot that calls *answer* with the request, for a body, or for status, body and content type."""

    def app(environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        answered = answer(PushRequest(environ["REQUEST_METHOD"], parse_query(environ["QUERY_STRING"]), body))
        status, content, kind = answered if isinstance(answered, tuple) else (200, answered, "text/plain")
        start_response(f"{status} ?", [("Content-Type", kind)])
        return [content]

    return app


def spoil(condition, answer):
    """Return a bot that answers the requests that meet *condition* with *answer*, and all others correctly."""
    endpoint = PushEndpoint(SEALED, echo)

    def respond(request):
        if condition(request):
            return answer(request)
        response = endpoint.handle(request)
        return response.status, response.body, response.content_type

    return bot(respond)


def is_get(request):
    return request.method == "GET"


def is_post(request):
    return request.method == "POST"


def is_garbage(request):
    with contextlib.suppress(PushError):
        return open_push(SEALED, request) is None
    return is_post(request)


def contains(word):
    """Return a function that returns whether a push contains *word*."""
    return lambda request: is_post(request) and not is_garbage(request) and word in str(read(request).raw.values())


def read(request):
    return open_push(SEALED, request).message


@frozen
class AnyMessage:
    """The users of a message that was not parsed."""

    from_user_name: str = "oUSER"
    to_user_name: str = "gh_0123456789ab"


def opened(request):
    """Return the document of a push as WeChat wrote it; empty for other requests."""
    with contextlib.suppress(PushError):
        return SEALED.ciphers[0].decrypt(read_encrypt(request.body) or "")
    return b""


def has_a_text_that_parsers_refuse(request):
    try:
        return opened(request).startswith(b"<xml>") and ET.fromstring(opened(request)) is None
    except ET.ParseError:
        return is_post(request) and not is_garbage(request)


def holds_two_senders(request):
    return opened(request).count(b"<FromUserName>") > 1


def answer_with_a_parser(request):
    """Answer as most bots do: with an XML parser, and without escaping in CDATA."""
    try:
        members = {child.tag: child.text or "" for child in ET.fromstring(opened(request))}
    except ET.ParseError:
        return 500, b"", "text/html"
    return seal(AnyMessage(members["FromUserName"], members["ToUserName"]), members.get("Content", "hello"))


def seal(message, content, extra=""):
    """Answer as bots do that write user input into CDATA without escaping."""
    document = (
        f"<xml><ToUserName>{message.from_user_name}</ToUserName><FromUserName>{message.to_user_name}</FromUserName>"
        f"<CreateTime>1</CreateTime><MsgType>text</MsgType><Content><![CDATA[{content}]]></Content>{extra}</xml>"
    )
    encrypt = SEALED.ciphers[0].encrypt(document.encode())
    signature = compute_msg_signature(SEALED.token, timestamp="1", nonce="2", encrypt=encrypt)
    parts = {"Encrypt": encrypt, "MsgSignature": signature, "TimeStamp": 1, "Nonce": 2}
    return ("<xml>" + "".join(f"<{name}>{value}</{name}>" for name, value in parts.items()) + "</xml>").encode()


def expand(request):
    """Read XML and expand its entities, as the standard library does."""
    root = ET.fromstring(request.body)
    body = f"<xml><ToUserName/><Encrypt>{root.findtext('Encrypt')}</Encrypt></xml>".encode()
    return PushEndpoint(SEALED, echo).handle(attrs.evolve(request, body=body)).body


def answer_first_only(identify):
    """Acknowledge re-sent messages: the reply is lost with the first connection."""
    seen = set()

    def answer(request):
        key = identify(request)
        return b"success" if key in seen else (seen.add(key), seal(read(request), "hello"))[1]

    return spoil(lambda request: not is_garbage(request) and is_post(request), answer)


def die_of(condition):
    """Refuse the first request that meets *condition*, and fail afterwards."""
    died = []

    def answer(request):
        died.append(request)
        return (413 if len(died) == 1 else 500), b"", "text/html"

    return spoil(lambda request: died or condition(request), answer)


FAULTS = {
    "verification": [spoil(is_get, lambda r: b'"' + r.query.get("echostr", "").encode() + b'"')],
    "echostr_is_text": [spoil(is_get, lambda r: (200, r.query.get("echostr", "").encode(), "text/html"))],
    "modes": [
        spoil(contains("check"), lambda r: seal(read(r), "x").replace(b"<Nonce>2", b"<Nonce>3")),
        make(attrs.evolve(SEALED, token="another")),
        bot(lambda r: (500, b"", "text/html")),
    ],
    "json_format": [spoil(lambda r: r.body.startswith(b"{"), lambda r: (500, b"", "text/html"))],
    "types": [
        spoil(contains("voice"), lambda r: b"not supported"),
        spoil(contains("SCAN"), lambda r: (404, b"", "text/html")),
    ],
    "unknown": [spoil(contains("check_of_new_event"), lambda r: (500, b"", "text/html"))],
    "any_text": [
        spoil(has_a_text_that_parsers_refuse, lambda r: (500, b"", "text/html")),
        spoil(holds_two_senders, lambda r: seal(AnyMessage("oANOTHER"), "hello")),
    ],
    "injection": [
        spoil(contains("]]>"), lambda r: seal(read(r), read(r).content)),
        spoil(is_post, lambda r: answer_with_a_parser(r)),
    ],
    "long_text": [make(handler=lambda message: f"You said: {getattr(message, 'content', '')}", text_limit=4096)],
    "resend": [
        make(handler=(lambda numbers: lambda message: f"{next(numbers)}")(itertools.count()), store=NO_DEDUP),
        answer_first_only(lambda r: (read(r).raw.get("MsgId"), read(r).create_time)),
        answer_first_only(lambda r: r.query["msg_signature"]),
    ],
    "slow": [spoil(contains("take your time"), lambda r: (503, b"", "text/html"))],
    "visit": [spoil(lambda r: not r.query, lambda r: (200, b"hello", "text/html"))],
    "forgery": [
        spoil(lambda r: not is_signature_valid("spamtest", **signed(r)), lambda r: seal(AnyMessage(), "x")),
        spoil(lambda r: "msg_signature" not in r.query, lambda r: (200, seal(AnyMessage(), "x"), "text/xml")),
    ],
    "downgrade": [make(attrs.evolve(SEALED, allow_plaintext=True))],
    "outer_fields": [
        spoil(
            lambda r: not is_garbage(r) and b"<Content>" in r.body,
            lambda r: seal(read(r), ET.fromstring(r.body).findtext("Content")),
        )
    ],
    "appid": [make(attrs.evolve(SEALED, extra_appids=["wxfedcba9876543210"]))],
    "garbage": [spoil(is_garbage, lambda r: (500, b"", "text/html"))],
    "entities": [spoil(lambda r: b"DOCTYPE" in r.body, expand)],
    "big": [make(attrs.evolve(SEALED, max_body=1 << 30)), die_of(lambda r: len(r.body) > 1 << 20)],
}


def signed(request):
    return {name: request.query.get(name, "") for name in ("signature", "timestamp", "nonce")}


def check_bot(app, settings=SEALED, **options):
    """Return the rows of an application by their names."""
    simulator = PushSimulator("/wechat", settings, wsgi=app, time_limit=1.0, pause=0.0)
    return {row.name: row for row in check_endpoint(simulator, resend_after=0.0, **options)}


class TestAFault:
    @each_row(("name", "app"), [(name, app) for name, apps in FAULTS.items() for app in apps])
    def test_is_found(self, name, app):
        row = check_bot(app, slow_text="take your time")[name]
        assert row.status in ("fail", "warn")
        assert row.finding.en
        assert row.finding.zh
        assert row.impact.zh
        assert row.fix.zh

    def test_is_not_found_in_a_good_bot(self):
        statuses = {row.status for row in check_bot(make(), slow_text="hi").values()}
        assert statuses == {"pass"}

    def test_exists_for_every_check(self):
        assert {check.name for check in CHECKS} == {*FAULTS, "speed"}

    def test_of_speed_is_a_warning(self):
        (speed,) = (check for check in CHECKS if check.name == "speed")
        probe = Probe(PushSimulator("/", SEALED, wsgi=make()), None, 0.0)
        assert speed.run(probe).status == "pass"
        probe.slowest = 4.2
        assert speed.run(probe).status == "warn"


class TestALongText:
    def find(self, handler):
        return check_bot(make(handler=handler, text_limit=4096))["long_text"]

    def test_is_sent_back_by_an_honest_bot(self):
        assert self.find(echo).status == "pass"

    def test_is_a_warning_for_a_bot_whose_reply_is_too_long(self):
        row = self.find(lambda message: "你说：" + getattr(message, "content", ""))
        assert (row.status, row.finding.en.partition(" [")[0]) == (
            "warn",
            "a text of 2047 bytes: the text is longer than 2,047 bytes of UTF-8",
        )
        assert "3 bytes" in row.fix.en


class TestTheTable:
    def test_skips_checks_that_need_a_key(self):
        rows = check_bot(make(PLAIN), PLAIN)
        assert {name for name, row in rows.items() if row.status == "skip"} == {
            "slow",
            "downgrade",
            "outer_fields",
            "appid",
        }
        assert {row.status for row in rows.values()} == {"pass", "skip"}

    def test_asks_for_plain_answers_too_where_the_settings_allow_them(self):
        settings = attrs.evolve(SEALED, allow_plaintext=True)
        rows = check_bot(make(settings), settings)
        assert rows["modes"].finding.en == "plain, compatible, sealed"
        assert rows["downgrade"].status == "skip"

    def test_of_a_mini_program_accepts_no_replies_and_requires_json(self):
        settings = attrs.evolve(SEALED, account_kind=MINI_PROGRAM)
        assert {row.status for row in check_bot(make(settings, lambda _: None), settings).values()} == {"pass", "skip"}
        xml_only = spoil(lambda r: r.body.startswith(b"{"), lambda r: (500, b"", "text/html"))
        rows = check_bot(xml_only, settings)
        assert rows["json_format"].status == "fail"
        assert "Mini Program" in rows["modes"].finding.en

    def test_needs_a_simulator(self):
        with pytest.raises(SettingsError, match="PushSimulator"):
            next(check_endpoint("http://127.0.0.1:1/wechat"))

    @pytest.mark.parametrize(
        "is_unanswered",
        [lambda _: True, is_post, lambda r: any(contains(word)(r) for word in ("voice", "SCAN", "check_of_new_event"))],
        ids=["always", "to pushes", "now and then"],
    )
    def test_ends_soon_without_answers(self, is_unanswered):
        unanswered = []
        app = spoil(is_unanswered, lambda request: unanswered.append(request) or time.sleep(1.0) or b"success")
        simulator = PushSimulator("/", SEALED, wsgi=app, time_limit=0.3, pause=0.0)
        rows = list(check_endpoint(simulator, resend_after=0.0))
        last = [row for row in rows if row.status == "fail"][-1]
        assert "in time" in last.finding.en
        assert {row.status for row in rows[rows.index(last) + 1 :]} == {"skip"}
        assert len(unanswered) <= 3

    def test_is_complete_for_any_answer_of_a_bot(self):
        def check(answer, status):
            rows = check_bot(bot(lambda _: (status, answer, "text/html")))
            assert rows["verification" if status == 302 else "modes"].status == "fail"
            assert len(rows) == len(CHECKS)

        check_rows(
            itertools.product(
                [b"\xff\x00", b"<xml><a>", b"{}", b"[]", b"success\n", b"1" * (2 << 20)], [200, 302, 500]
            ),
            check,
        )


def answer_status(status, where=lambda _: True, **headers):
    """Return a server that answers requests of some methods with this status, and all others correctly."""
    good = make()

    def app(environ, start_response):
        if not where(environ["REQUEST_METHOD"]):
            return good(environ, start_response)
        start_response(f"{status} ?", [("Content-Type", "text/html"), *headers.items()])
        return [b"<html></html>"]

    return app


def is_a_get(method):
    return method == "GET"


def is_a_post(method):
    return method == "POST"


def make_flask_with_a_slash():
    app = Flask(__name__)
    app.add_url_rule("/wechat/", view_func=push_view(PushEndpoint(SEALED, echo)))
    return app


#: For each: the application, the finding of the only row that fails, and a word of its fix.
WRONG_ADDRESSES = {
    "to https": (
        answer_status(301, Location="https://bot.example/wechat?signature=s"),
        r"301 -> https:.*/wechat\]$",
        "https",
    ),
    "to a slash, by Flask": (make_flask_with_a_slash(), r"308 -> .*/wechat/\]$", "slash"),
    "to a slash, by Django": (  # which fails at a POST, with DEBUG
        lambda environ, start: answer_status(
            *{"GET": (301,), "POST": (500,)}[environ["REQUEST_METHOD"]], Location="/wechat/"
        )(environ, start),
        r"301 -> /wechat/\]$",
        "slash",
    ),
    "to a login": (answer_status(302, Location="/login?next=/wechat"), r"302 -> /login\]$", "login"),
    "to nowhere": (answer_status(308), r"308\]$", "address"),
    "to somewhere else, pushes alone": (answer_status(307, is_a_post, Location="/"), r"307 -> /\]$", "address"),
    "404": (answer_status(404), r"404\]$", "path"),
    "405": (answer_status(405), r"405\]$", "path"),
    "405 for pushes alone": (answer_status(405, is_a_post), r"405\]$", "POST"),
    "502": (answer_status(502), r"502\]$", "proxy"),
    "504": (answer_status(504), r"504\]$", "proxy"),
}


class TestAWrongAddress:
    def only_failure(self, rows):
        """Return the row that fails; all later ones must be skipped."""
        (failed,) = (row for row in rows if row.status in ("fail", "warn"))
        assert {row.status for row in rows[: rows.index(failed)]} <= {"pass"}
        assert {row.status for row in rows[rows.index(failed) + 1 :]} == {"skip"}
        return failed

    def test_ends_the_check_in_one_row(self):
        def check(app, finding, advice):
            failed = self.only_failure(list(check_bot(app).values()))
            assert re.search(finding, failed.finding.en)
            assert "signature" not in failed.finding.en
            assert advice in failed.fix.en

        check_rows(WRONG_ADDRESSES, check)

    def test_where_no_server_is_ends_the_check_in_one_row(self):
        def check(url, finding, advice):
            failed = self.only_failure(list(check_endpoint(PushSimulator(url, SEALED))))
            assert failed.name == "verification"
            assert finding in failed.finding.en
            assert advice in failed.fix.en

        check_rows(
            [
                ("http://127.0.0.1:1/wechat", "Connection refused", "start the server"),
                ("http://nosuchhost.invalid/wechat", "no connection", "check host"),
            ],
            check,
        )

    def test_where_no_answer_comes_ends_the_check_in_one_row(self):
        def check(handle, finding, advice):
            with listen(handle) as server:
                failed = self.only_failure(list(check_endpoint(PushSimulator(server.url, SEALED, time_limit=0.2))))
            assert failed.name == "verification"
            assert finding in failed.finding.en
            assert advice in failed.fix.en

        check_rows(
            [
                (stay_silent, "no complete answer", "5 seconds"),
                (hang_up, "closed", "log"),
                (answering(b"220 mail.example ESMTP\r\n"), "not HTTP", "port"),
            ],
            check,
        )

    def test_with_a_wrong_certificate_ends_the_check_in_one_row(self, tmp_path):
        certificate = make_certificate(tmp_path)
        with listen(hang_up, context=certificate.context) as server:
            failed = self.only_failure(list(check_endpoint(PushSimulator(server.url, SEALED))))
        assert "TLS" in failed.finding.en
        assert "certificate" in failed.fix.en

    def test_where_every_message_is_refused_ends_the_check_in_one_row(self):
        def check(status, advice):
            failed = self.only_failure(list(check_bot(answer_status(status, is_a_post)).values()))
            assert failed.name == "modes"
            assert advice in failed.fix.en

        check_rows([(400, "http or https"), (401, "login"), (403, "CSRF"), (422, "GET and POST"), (500, "log")], check)

    def test_with_a_wrong_token_ends_the_check_before_the_rows_that_would_fail_for_the_same_reason(self):
        rows = check_bot(make(attrs.evolve(SEALED, token="another")))
        assert {name for name, row in rows.items() if row.status == "fail"} == {"verification", "modes"}
        assert {row.status for row in list(rows.values())[3:]} == {"skip"}
        for name in ("verification", "modes"):
            assert "check Token, EncodingAESKey, AppID and mode" in rows[name].fix.en

    def test_differs_from_a_bot_that_cannot_be_verified(self):
        def check(status):
            rows = check_bot(answer_status(status, is_a_get))
            assert {name for name, row in rows.items() if row.status == "fail"} == {"verification"}
            assert "path" in rows["verification"].fix.en

        check_rows([404, 405], check)

    def test_differs_from_a_bot_that_answers_404_to_an_event(self):
        rows = check_bot(spoil(contains("SCAN"), lambda r: (404, b"", "text/html")))
        assert {name for name, row in rows.items() if row.status == "fail"} == {"types"}


class TestABotThatDownloadsMedia:
    def test_is_warned_as_the_media_id_is_invented(self):
        def check(answer):
            rows = check_bot(spoil(lambda r: contains("MEDIA_ID")(r) and read(r).msg_type != "miniprogrampage", answer))
            assert {name for name, row in rows.items() if row.status in ("fail", "warn")} - {"speed"} == {"types"}
            types = rows["types"]
            assert types.status == "warn"
            assert "image" in types.finding.en
            assert "invented" in types.finding.en
            assert "download" in types.fix.en
            assert "location" not in types.finding.en

        check_rows([lambda _: (500, b"", "text/html"), lambda _: b"sorry", lambda _: time.sleep(1.2) or b""], check)

    def test_passes_if_it_answers_with_an_apology(self):
        rows = check_bot(make(handler=lambda message: "Sorry, I could not get your picture."))
        assert rows["types"].status == "pass"

    def test_fails_if_it_fails_at_other_messages_too(self):
        rows = check_bot(
            spoil(lambda r: contains("MEDIA_ID")(r) or contains("LOCATION")(r), lambda _: (500, b"", "text/html"))
        )
        assert rows["types"].status == "fail"
        assert "invented" not in rows["types"].finding.en


@pytest.mark.parametrize("command", EXAMPLES.values(), ids=EXAMPLES)
def test_our_examples_pass_every_row(command, tmp_path):
    place = {"WECHAT_STORE": str(tmp_path / "store.db"), "REDIS_URL": ""}
    with serve(*command, environ={**ENVIRON, **place}) as server:
        rows = list(check_endpoint(PushSimulator(f"http://127.0.0.1:{server.port}/wechat", SETTINGS)))
    assert {row.name: row.finding.en for row in rows if row.status not in ("pass", "skip")} == {}
    assert [row.name for row in rows if row.status == "skip"] == ["slow"]


def test_our_slow_bot_passes_every_row(tmp_path):
    place = {"WECHAT_STORE": str(tmp_path / "store.db"), "REDIS_URL": ""}
    with serve("examples/slow_bot.py", environ={**ENVIRON, **place}) as server:
        simulator = PushSimulator(f"http://127.0.0.1:{server.port}/wechat", SETTINGS, time_limit=1.0, pause=0.0)
        rows = list(check_endpoint(simulator, slow_text="1.5", resend_after=0.0))
    assert {row.name: row.status for row in rows if row.status != "pass"} == {}


def test_the_bot_on_another_sdk_fails_where_its_users_are_hurt():
    """As docs/comparison.md says about wechatpy; WeRoBot would need another environment."""
    with serve("examples/comparison/wechatpy_bot.py", environ={**ENVIRON, "PORT": "0"}) as server:
        rows = {
            row.name: row for row in check_endpoint(PushSimulator(f"http://127.0.0.1:{server.port}/wechat", SETTINGS))
        }
    assert {"any_text", "injection", "resend", "downgrade"} <= {
        name for name, row in rows.items() if row.status == "fail"
    }
    assert rows["modes"].status == "pass"
