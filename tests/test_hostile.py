"""The table of hostile requests, for the pure functions and both endpoints; and values that no network can carry."""

import asyncio
import functools
import itertools
import logging
import re
import traceback
from urllib.parse import parse_qsl

import pytest

from tests.helpers.first_principles import KEY, TOKEN, plain_query, seal, sealed_query
from tests.helpers.hostile import CASES, OTHER_KEY, OTHER_TOKEN, PLAIN, SEALED, TEXT, USER_WORDS, Case, to_xml, wrap
from tests.helpers.rows import check_rows
from wechat_msg import (
    AsyncPushEndpoint,
    MalformedPush,
    Message,
    MethodNotAllowed,
    PushEndpoint,
    PushError,
    PushRequest,
    PushSettings,
    answer_echostr,
    open_push,
)
from wechat_msg.push import parse_query

BY_NAME = {case.name: case for case in CASES}
REASONS = {b"Bad Request", b"Forbidden", b"Method Not Allowed", b"Request Entity Too Large"}
REFUSED = {case.name: case for case in CASES if case.error}


def settings_for(case: Case) -> PushSettings:
    return SEALED if case.keyed else PLAIN


def request_of(case: Case) -> PushRequest:
    return PushRequest(case.method, parse_query(case.query_string), case.body, case.content_type)


@functools.cache
def receive(name: str) -> object:
    """Do what an endpoint does before it calls the handler; return the message, the echostr or the error."""
    case = BY_NAME[name]
    request = request_of(case)
    try:
        if request.method == "GET":
            return answer_echostr(settings_for(case), request.query)
        return open_push(settings_for(case), request).message
    except PushError as error:
        return error


def secrets_of(case: Case) -> set[str]:
    """Return what no error text may hold: tokens, keys, signatures, words of the body."""
    words = re.findall(rb"(?<=[>\[\"])[^<>\[\]\"\\]{6,200}(?=[<\]\"])", case.body[:100_000])
    names = {"isBase64Encoded", "FromUserName", "ToUserName", "CreateTime", "MsgType", "Content", "Encrypt"}
    return {
        TOKEN,
        OTHER_TOKEN,
        KEY,
        OTHER_KEY,
        USER_WORDS,
        *(value for _, value in parse_qsl(case.query_string) if len(value) > 5),
        *({word.decode("utf-8", "replace") for word in words} - names),
    }


def test_table_names_every_case_once():
    assert len(BY_NAME) == len(CASES)


#: Odd documents, and the Content that they mean.
ODD_DOCUMENTS = {
    "xml_control_characters": "abcd",
    "json_control_characters": "abcd",
    "json_escaped_control_characters": "a\x01b\x00",
    "json_lone_high_surrogate": "a\ufffdb",
    "json_lone_low_surrogate": "a\ufffdb",
    "json_swapped_surrogates": "\ufffd\ufffd",
    "gbk": "\ufffd\ufffd\ufffd",
    "latin1_declared": "caf\ufffd",
    "utf8_of_a_surrogate": "a\ufffdb",
    "utf8_of_a_surrogate_pair": "a\ufffd\ufffdb",
    "utf8_of_a_surrogate_beside_gbk": "a\ufffd\ufffd\ufffdb",
    "overlong_utf8": "a\ufffd\ufffdb",
    "cut_utf8": "a\ufffd",
    "xml_noncharacters": "a\ufffdb\ufffdc",
    "json_gbk": "\ufffd\ufffd\ufffd",
    "json_cut_utf8": "a\ufffd",
    "json_utf8_of_a_surrogate": "a\ufffdb",
    "json_with_20000_brackets_in_a_text": '[{,"' * 5_000,
    "utf8_declared_as_gbk": "你好",
    "xml_bom": USER_WORDS,
    "json_bom": USER_WORDS,
    "blanks_around": USER_WORDS,
    "attributes": USER_WORDS,
    "comments_and_instructions": USER_WORDS,
    "many_cdata_sections": "]]><![CDATA[".join("a" * 10_000),
    "xml_in_the_content": "<MsgType>event</MsgType>",
}
READ_FROM_THE_ENVELOPE_ONLY = [
    "compatible_with_forged_plain_fields",
    "outer_control_characters",
    "outer_gbk",
    "outer_undeclared_entity",
    "outer_text_that_opens_elements",
    "outer_section_not_closed",
    "outer_end_of_cdata_in_a_text",
    "outer_encrypt_in_a_text",
    "outer_encrypt_behind_the_end_of_a_text",
    "outer_doctype_in_a_text",
    "outer_json_around_xml",
    "sealed_without_url_signature",
    "xml_encrypt_spelt_with_character_references",
    "xml_encrypt_with_blanks_around",
]


class TestPureFunctions:
    def test_raise_the_error_of_the_table_and_no_other(self):
        def check(case: Case):
            outcome = receive(case.name)
            if case.error is None:
                assert isinstance(outcome, (Message, str))
            else:
                assert type(outcome) is case.error
                assert outcome.status_hint == case.status

        check_rows(BY_NAME, check)

    def test_put_no_secret_and_nothing_of_the_body_into_the_error(self):
        def check(case: Case):
            error = receive(case.name)
            shown = f"{error} {error!r} {error.args} {''.join(traceback.format_exception(error))}"
            assert [secret for secret in secrets_of(case) if secret in shown] == []

        check_rows(REFUSED, check)

    def test_read_odd_documents_as_they_are_meant(self):
        def check(name, content):
            for mode in ("plain", "inner"):
                assert receive(f"{mode}_{name}").content == content, mode

        check_rows(ODD_DOCUMENTS.items(), check)

    def test_read_nothing_but_what_is_sealed(self):
        def check(name):
            assert receive(name).content == USER_WORDS

        check_rows(READ_FROM_THE_ENVELOPE_ONLY, check)


class TestPushEndpoint:
    def test_answers_with_the_status_of_the_table_and_gives_nothing_away(self, caplog):
        def check(case: Case):
            handled = []
            endpoint = PushEndpoint(settings_for(case), handled.append)
            caplog.clear()
            response = endpoint.handle(request_of(case))
            assert response.status == case.status
            assert bool(handled) == (case.error is None and case.method == "POST")
            logged = "".join(f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records)
            assert [secret for secret in secrets_of(case) if secret in logged] == []
            if case.error:
                assert case.error.__name__ in logged
                assert response.body in {
                    b"Bad Request",
                    b"Forbidden",
                    b"Method Not Allowed",
                    b"Request Entity Too Large",
                }

        with caplog.at_level(logging.DEBUG):
            check_rows(BY_NAME, check)


class TestAsyncPushEndpoint:
    def test_answers_with_the_status_of_the_table(self):
        def check(case: Case):
            assert runner.run(AsyncPushEndpoint(settings_for(case)).handle(request_of(case))).status == case.status

        with asyncio.Runner() as runner:
            check_rows(BY_NAME, check)


class TestWhatNoNetworkCanCarry:
    def test_query_values_that_are_no_text_are_refused(self):
        names = ["signature", "timestamp", "nonce", "msg_signature"]
        values = [None, b"1714036504", 1714036504, 1.5, ["1714036504"], {}, "\ud800", object()]

        def check(name, value):
            requests = {
                "plain": PushRequest("POST", {**plain_query(), name: value}, TEXT),
                "sealed": PushRequest("POST", {**sealed_query(seal(TEXT)), name: value}, wrap(seal(TEXT))),
            }
            if name == "msg_signature":
                requests.pop("plain")
            for mode, request in requests.items():
                with pytest.raises(PushError):
                    open_push(PLAIN if mode == "plain" else SEALED, request)

        check_rows(itertools.product(names, values), check)

    def test_methods_that_servers_keep_to_themselves_are_refused(self):
        def check(method):
            with pytest.raises(MethodNotAllowed):
                open_push(PLAIN, PushRequest(method, plain_query(), TEXT))
            assert PushEndpoint(PLAIN).handle(PushRequest(method, plain_query(), TEXT)).status == 405

        check_rows(["OPTIONS", "TRACE", "CONNECT", "", "\0", "POST ", "РOST"], check)

    @pytest.mark.parametrize(
        "document", ["<xml>" + "<a/>" * 1_000_000 + "</xml>", "[" + "{}," * 1_000_000 + "{}]"], ids=["xml", "json"]
    )
    def test_a_million_empty_elements_within_max_body_are_refused(self, document):
        settings = PushSettings(token=TOKEN, max_body=1 << 24)
        with pytest.raises(MalformedPush):
            open_push(settings, PushRequest("POST", plain_query(), document.encode()))

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_long_text_within_max_body_is_read(self, form):
        settings = PushSettings(token=TOKEN, max_body=1 << 24)
        text = "字" * 3_000_000
        body = to_xml(text) if form == "xml" else to_xml("")
        if form == "json":
            body = f'{{"ToUserName":"gh","FromUserName":"o","CreateTime":1,"MsgType":"text","Content":"{text}"}}'
        assert open_push(settings, PushRequest("POST", plain_query(), body.encode())).message.content == text
