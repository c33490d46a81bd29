"""Pushes of WeChat Cloud Run, which are not signed, at an endpoint."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.first_principles import APPID, KEY
from tests.helpers.rows import check_rows, each_row
from wechat_msg import (
    AnswerLater,
    BodyTooLarge,
    MalformedPush,
    MethodNotAllowed,
    ModeMismatch,
    PushEndpoint,
    PushError,
    PushRequest,
    PushSettings,
    SettingsError,
    SQLiteStore,
    answer_echostr,
    open_push,
)
from wechat_msg.adapters import wsgi
from wechat_msg.push import answer_path_check
from wechat_msg.testing import (
    PushSimulator,
    build_echostr_request,
    build_path_check,
    build_push,
    check_endpoint,
    open_reply,
)

CLOUD_RUN = PushSettings(appid=APPID, cloud_run=True)
PLAIN = PushSettings(token="spamtest", appid=APPID)
SEALED = PushSettings(token="spamtest", encoding_aes_key=KEY, appid=APPID)
GENUINE = [
    request.body
    for form in ("xml", "json")
    for request in (build_path_check(form), build_push(CLOUD_RUN, {"Content": "CheckContainerPath"}, format=form))
]


def cut_and_change(body):
    """Put any bytes in the place of a part of *body*."""
    places = st.integers(0, len(body))
    return st.builds(lambda start, end, new: body[:start] + new + body[end:], places, places, st.binary(max_size=8))


@pytest.fixture
def clock(wechat_clock):
    return wechat_clock


class TestThePathCheck:
    @each_row("form", ["xml", "json"])
    def test_is_answered_before_a_message_is_read(self, form):
        handled = []
        response = PushEndpoint(CLOUD_RUN, handled.append).handle(build_path_check(form))
        assert (response.status, response.body, handled) == (200, b"success", [])

    @each_row(
        "body",
        [
            b'{"action":"AnotherAction"}',
            b'{"MsgType":"text","action":"CheckContainerPath"}',
            b'{"Action":"CheckContainerPath"}',
            b"<xml><Content>CheckContainerPath</Content></xml>",
            b"<xml></xml>",
        ],
    )
    def test_is_not_any_other_request(self, body):
        assert answer_path_check(CLOUD_RUN, PushRequest("POST", {}, body)) is None

    def test_is_not_answered_for_another_account(self):
        for settings in (PLAIN, SEALED):
            assert answer_path_check(settings, build_path_check()) is None
            assert PushEndpoint(settings).handle(build_path_check()).status == 403

    def test_that_is_damaged_is_refused(self):
        with pytest.raises(MalformedPush):
            answer_path_check(CLOUD_RUN, PushRequest("POST", {}, b'{"action":"CheckContainerPath"'))

    def test_is_verified_by_the_simulator(self):
        def check(settings, form, outcome):
            with PushSimulator("/", CLOUD_RUN, wsgi=wsgi.push_app(PushEndpoint(settings)), format=form) as wechat:
                assert wechat.verify().verdict.outcome == outcome

        check_rows([(CLOUD_RUN, "json", "verified"), (CLOUD_RUN, "xml", "verified"), (PLAIN, "json", "failed")], check)


class TestAPush:
    @each_row("form", ["xml", "json"])
    def test_is_opened_without_a_signature(self, form):
        push = open_push(CLOUD_RUN, build_push(CLOUD_RUN, {"Content": "hi"}, format=form))
        assert (push.message.content, push.format, push.cipher) == ("hi", form, None)

    @each_row(
        ("request_", "error"),
        [
            (PushRequest("PUT", {}, b"{}"), MethodNotAllowed),
            (PushRequest("POST", {}, b" " * ((1 << 20) + 1)), BodyTooLarge),
            (PushRequest("POST", {}, b""), MalformedPush),
            (PushRequest("POST", {}, b'{"a": 1}'), MalformedPush),
            (build_push(SEALED, {"Content": "hi"}), ModeMismatch),
            (build_push(SEALED, {"Content": "hi"}, mode="compatible", format="json"), ModeMismatch),
        ],
    )
    def test_is_refused_if_it_is_none(self, request_, error):
        with pytest.raises(error):
            open_push(CLOUD_RUN, request_)

    def test_is_refused_by_any_other_account(self):
        for settings in (PLAIN, SEALED):
            assert PushEndpoint(settings).handle(build_push(CLOUD_RUN, {"Content": "hi"})).status == 403

    def test_may_have_a_query_that_means_nothing(self):
        push = build_push(CLOUD_RUN, {"Content": "hi"}, format="json")
        request = PushRequest("POST", {"timestamp": "yesterday", "signature": "forged"}, push.body)
        assert PushEndpoint(CLOUD_RUN, lambda message: message.content).handle(request).status == 200

    def test_is_not_verified_by_a_get(self):
        request = build_echostr_request(PLAIN)
        for settings in (CLOUD_RUN, PushSettings(token="spamtest", appid=APPID, cloud_run=True)):
            with pytest.raises(ModeMismatch, match="云托管"):
                answer_echostr(settings, request.query)
            assert PushEndpoint(settings).handle(request).status == 403

    def test_is_handled_once_and_answered_by_a_later_try(self, clock):
        runs = []

        def handle(message):
            runs.append(message)
            clock.sleep(8)
            return "slow"

        app = wsgi.push_app(PushEndpoint(CLOUD_RUN, handle, clock=clock))
        with PushSimulator("/", CLOUD_RUN, wsgi=app, clock=clock, format="json") as wechat:
            delivery = wechat.push_text("hi")
        assert delivery.text == "slow"
        assert [round(one.seconds) for one in delivery.tries] == [5, 3]
        assert len(runs) == 1

    def test_that_was_acknowledged_is_opened_again_by_another_process(self, clock, tmp_path):
        sent, calls = [], []

        def handle(message):
            calls.append(message)
            if len(calls) == 1:
                clock.sleep(7)
                raise RuntimeError("the first attempt fails")
            return message.content

        store = SQLiteStore(tmp_path / "pushes", clock=clock)
        options = {"store": store, "late": AnswerLater(sent.append), "executor": clock.make_executor(), "clock": clock}
        app = wsgi.push_app(PushEndpoint(CLOUD_RUN, handle, **options))
        with PushSimulator("/", CLOUD_RUN, wsgi=app, clock=clock, format="json", openid="oUSER1") as wechat:
            assert wechat.push_text("hi").is_acknowledged
            clock.sleep(60)
        assert [(body["touser"], body["text"]["content"]) for body in sent] == [("oUSER1", "hi")]
        assert len(calls) == 2

    def test_of_a_payment_is_answered_with_a_document_of_its_format(self):
        endpoint = PushEndpoint(PushSettings(appid=APPID, cloud_run=True, account_kind="mini_program"))
        push = build_push(CLOUD_RUN, {"MsgType": "event", "Event": "xpay_goods_deliver_notify"}, format="json")
        assert open_reply(CLOUD_RUN, endpoint.handle(push)) == {"ErrCode": 0, "ErrMsg": "success"}


def test_no_conformance_check_fits():
    simulator = PushSimulator("/", CLOUD_RUN, wsgi=wsgi.push_app(PushEndpoint(CLOUD_RUN)))
    with pytest.raises(SettingsError, match="Cloud Run signs nothing"):
        next(check_endpoint(simulator))


@given(st.one_of(st.binary(), st.sampled_from(GENUINE).flatmap(cut_and_change)))
def test_nothing_that_arrives_raises_another_error(body):
    for opens in (open_push, answer_path_check):
        with contextlib.suppress(PushError):
            opens(CLOUD_RUN, PushRequest("POST", {}, body))
