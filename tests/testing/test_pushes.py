"""build_push and open_reply do what WeChat does; most tests check that with the standard library alone."""

from __future__ import annotations

import hashlib
import itertools
import json
from xml.etree import ElementTree as ET

import attrs
import pytest

from tests.helpers.rows import check_rows, each_row
from tests.helpers.samples import SAMPLES
from wechat_msg import (
    AppIdMismatch,
    DecryptError,
    MalformedPush,
    MessageCipher,
    ModeMismatch,
    PushEndpoint,
    PushResponse,
    PushSettings,
    SettingsError,
    SignatureMismatch,
    TextReply,
    answer_echostr,
    open_push,
    parse_message,
    seal_reply,
)
from wechat_msg.testing import build_echostr_request, build_path_check, build_push, open_reply

PLAIN = PushSettings(token="spamtest")
SEALED = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
HI = {"MsgType": "text", "Content": "hi"}
NOW = 1700000000.75
MODES = ["plain", "compatible", "sealed"]
FORMATS = ["xml", "json"]


def build(settings, fields, **options):
    return build_push(settings, fields, now=lambda: NOW, random_bytes=lambda size: b"\x01" * size, **options)


def sign(*parts):
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def read(body):
    """Read a flat document with the standard library."""
    if body.startswith(b"{"):
        return json.loads(body)
    return {child.tag: child.text for child in ET.fromstring(body)}


class TestBuildPush:
    def test_refuses_to_seal_without_a_key(self):
        def check(mode):
            with pytest.raises(SettingsError, match="encoding_aes_key"):
                build(PLAIN, HI, mode=mode)

        check_rows(["compatible", "sealed"], check)

    @each_row("form", ["yaml", [], 10**5_000])
    def test_refuses_another_format(self, form):
        for build in (lambda: build_push(PLAIN, HI, format=form), lambda: build_path_check(form)):
            with pytest.raises(SettingsError, match="format must be xml or json"):
                build()

    def test_adds_missing_fields(self):
        def check(format):
            fields = parse_message(read(build(PLAIN, {"Content": "hi"}, format=format).body))
            assert (fields.msg_type, fields.content, fields.create_time) == ("text", "hi", 1700000000)
            assert fields.to_user_name.startswith("gh_")
            assert len(fields.from_user_name) == 28
            assert fields.msg_id.isdecimal()

        check_rows(FORMATS, check)

    def test_keeps_given_fields(self):
        given = {
            "ToUserName": "gh",
            "FromUserName": "o",
            "CreateTime": "1",
            "MsgType": "text",
            "MsgId": "x",
            "Content": "",
        }
        assert read(build(PLAIN, given, format="json").body) == given

    def test_gives_every_message_its_own_id(self):
        assert len({build_push(PLAIN, HI, format="json").body for _ in range(10)}) == 10

    def test_gives_events_no_id(self):
        assert "MsgId" not in read(build(PLAIN, {"MsgType": "event", "Event": "CLICK"}).body)

    def test_gives_pushes_of_a_third_party_platform_only_a_time(self):
        ticket = {"AppId": "wx0", "InfoType": "component_verify_ticket", "ComponentVerifyTicket": "t"}
        assert read(build(PLAIN, ticket).body) == {"CreateTime": "1700000000", **ticket}

    def test_signs_as_wechat_does(self):
        def check(mode, format):
            request = build(SEALED, HI, mode=mode, format=format)
            assert request.method == "POST"
            query = request.query
            assert query["timestamp"] == "1700000000"
            assert query["nonce"].isdecimal()
            assert query["signature"] == sign("spamtest", query["timestamp"], query["nonce"])
            assert query["openid"] == "oABCDEFGHIJKLMNOPQRSTUVWXYZ0"
            if mode == "plain":
                assert query.keys() == {"signature", "timestamp", "nonce", "openid"}
            else:
                encrypt = read(request.body)["Encrypt"]
                assert query["encrypt_type"] == "aes"
                assert query["msg_signature"] == sign("spamtest", query["timestamp"], query["nonce"], encrypt)

        check_rows(itertools.product(MODES, FORMATS), check)

    def test_has_the_plain_fields_of_the_mode(self):
        def check(mode, names, format):
            assert read(build(SEALED, {**HI, "AppId": "wx0"}, mode=mode, format=format).body).keys() == names

        check_rows(
            [
                (mode, names, form)
                for form in FORMATS
                for mode, names in [
                    ("plain", {"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Content", "AppId"}),
                    (
                        "compatible",
                        {"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Content", "AppId", "Encrypt"},
                    ),
                    ("sealed", {"ToUserName", "Encrypt"}),
                ]
            ],
            check,
        )

    def test_has_the_platform_as_plain_field_of_its_push(self):
        request = build(SEALED, {"AppId": "wx0", "InfoType": "authorized"})
        assert read(request.body).keys() == {"AppId", "Encrypt"}
        assert open_push(SEALED, request).message.event == "authorized"

    def test_names_the_format(self):
        def check(format, content_type):
            request = build(PLAIN, HI, format=format)
            assert request.content_type == content_type
            assert request.body.startswith(b"<xml>" if format == "xml" else b"{")

        check_rows([("xml", "text/xml"), ("json", "application/json")], check)

    def test_seals_if_and_only_if_there_is_a_key(self):
        assert "Encrypt" in read(build(SEALED, HI).body)
        assert "Encrypt" not in read(build(PLAIN, HI).body)

    def test_builds_pushes_that_are_parsed_to_their_models(self):
        def check(sample, format, mode):
            settings = PLAIN if mode == "plain" else SEALED
            push = open_push(settings, build_push(settings, json.loads(sample.json), mode=mode, format=format))
            assert push.message == sample.model
            assert push.format == format

        check_rows(itertools.product(SAMPLES, FORMATS, MODES), check)

    def test_forges_with_the_settings_of_another_account(self):
        def check(forger, error):
            with pytest.raises(error):
                open_push(SEALED, build_push(forger, HI))

        check_rows(
            [
                (attrs.evolve(SEALED, token="othertoken"), SignatureMismatch),
                (attrs.evolve(SEALED, encoding_aes_key="B" * 43), DecryptError),
                (attrs.evolve(SEALED, appid="wxffffffffffffffff"), AppIdMismatch),
                (PLAIN, ModeMismatch),
            ],
            check,
        )

    def test_repeats_itself_with_the_same_clock_and_random_bytes(self):
        assert build(SEALED, HI) == build(SEALED, HI)
        assert build_push(SEALED, HI).query["nonce"] != build_push(SEALED, HI).query["nonce"]


class TestBuildEchostrRequest:
    def test_signs_as_wechat_does(self):
        request = build_echostr_request(PLAIN, "42", now=lambda: NOW)
        assert (request.method, request.body) == ("GET", b"")
        assert request.query == {
            "signature": sign("spamtest", "1700000000", request.query["nonce"]),
            "timestamp": "1700000000",
            "nonce": request.query["nonce"],
            "echostr": "42",
        }

    def test_is_answered(self):
        def check(settings):
            assert answer_echostr(settings, build_echostr_request(settings, "你 好").query) == "你 好"

        check_rows([PLAIN, SEALED], check)


class TestOpenReplyRefuses:
    def test_an_unreadable_answer(self):
        def check(body):
            with pytest.raises(MalformedPush):
                open_reply(PLAIN, body)

        check_rows([b"SUCCESS", b" success", b"<html>", b"Internal Server Error", b"[]", b"null", b'"hi"'], check)

    def test_a_status_other_than_200(self):
        def check(status, body):
            with pytest.raises(MalformedPush, match="200"):
                open_reply(PLAIN, PushResponse(status, body))

        check_rows(itertools.product([201, 204, 302, 403, 500], [b"", b"success", b"<xml><A>1</A></xml>"]), check)

    def test_a_refusal_of_the_endpoint(self):
        with pytest.raises(MalformedPush):
            open_reply(SEALED, PushEndpoint(SEALED).handle(build_push(PLAIN, HI)))

    def test_an_envelope_with_a_changed_or_missing_member(self):
        def check(name, format):
            document = read(reply_to(SEALED, format).body)
            assert document.keys() == {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
            for changed in ({**document, name: "0"}, {key: value for key, value in document.items() if key != name}):
                body = json.dumps(changed).encode()
                if "Encrypt" in changed:
                    with pytest.raises(SignatureMismatch):
                        open_reply(SEALED, body)
                else:
                    assert "Content" not in open_reply(SEALED, body)

        check_rows(itertools.product(["Encrypt", "MsgSignature", "TimeStamp", "Nonce"], FORMATS), check)

    def test_a_reply_sealed_with_another_key(self):
        response = reply_to(SEALED, "xml")
        with pytest.raises(SettingsError, match="encoding_aes_key"):
            open_reply(PLAIN, response)
        with pytest.raises(DecryptError):
            open_reply(attrs.evolve(SEALED, encoding_aes_key="B" * 43), response)


def reply_to(settings, format):
    push = open_push(settings, build_push(settings, HI, format=format))
    return seal_reply(settings, push, TextReply(content="你好"), now=lambda: NOW)


class TestOpenReply:
    def test_returns_none_for_an_acknowledgement(self):
        def check(response):
            assert open_reply(SEALED, response) is None

        check_rows([b"", b"success", PushResponse(200, b"success"), PushResponse(200, b"")], check)

    def test_reads_the_members_of_a_reply(self):
        def check(settings, format):
            response = reply_to(settings, format)
            fields = {
                "ToUserName": "oABCDEFGHIJKLMNOPQRSTUVWXYZ0",
                "FromUserName": "gh_0123456789ab",
                "CreateTime": "1700000000" if format == "xml" else 1700000000,
                "MsgType": "text",
                "Content": "你好",
            }
            assert open_reply(settings, response) == open_reply(settings, response.body) == fields

        check_rows(itertools.product([PLAIN, SEALED], FORMATS), check)

    def test_decrypts_what_the_cipher_encrypts(self):
        encrypt = MessageCipher("A" * 43, SEALED.appid).encrypt(b"<xml><A>1</A></xml>")
        document = {
            "Encrypt": encrypt,
            "TimeStamp": 1,
            "Nonce": "2",
            "MsgSignature": sign("spamtest", "1", "2", encrypt),
        }
        assert open_reply(SEALED, json.dumps(document).encode()) == {"A": "1"}
