import base64
import json
import re
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import attrs
import pytest

from tests.helpers.cpu_time import measure
from tests.helpers.first_principles import (
    APPID,
    KEY,
    NONCE,
    RANDOM16,
    TIMESTAMP,
    TOKEN,
    plain_query,
    seal,
    sealed_query,
    sign,
    unseal,
)
from tests.helpers.hostile import lose
from tests.helpers.rows import each_row
from tests.helpers.vectors import V1, V4, V5, V7, V11, V12, V16, Vector
from wechat_msg import (
    MINI_PROGRAM,
    OFFICIAL_ACCOUNT,
    Acknowledgement,
    AppIdMismatch,
    Article,
    BodyTooLarge,
    DecryptError,
    ErrCodeReply,
    ImageReply,
    MalformedPush,
    Message,
    MethodNotAllowed,
    ModeMismatch,
    MusicReply,
    NewsReply,
    Push,
    PushRequest,
    PushResponse,
    PushSettings,
    RawReply,
    Reply,
    ReplyError,
    SignatureExpired,
    SignatureMismatch,
    SignatureMissing,
    TextMessage,
    TextReply,
    TransferCustomerServiceReply,
    UnknownEvent,
    VideoReply,
    VoiceReply,
    answer_echostr,
    open_push,
    seal_reply,
)
from wechat_msg.answering import acknowledge, answer_cloud_function, may_reply, render_reply, to_reply
from wechat_msg.exchange import error_response, parse_query
from wechat_msg.push import answer_get
from wechat_msg.replies import RenderedReply
from wechat_msg.testing import build_push

NOW = 1714036504
OLD_TOKEN = "formerToken02"
OLD_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"
PLAIN = PushSettings(token=TOKEN)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
ROTATING = PushSettings(
    token=TOKEN,
    encoding_aes_key=KEY,
    appid=APPID,
    extra_appids=["wxfedcba9876543210"],
    previous_tokens=[OLD_TOKEN],
    previous_encoding_aes_keys=[OLD_KEY],
)
TEXT = (
    b"<xml><ToUserName>gh_1</ToUserName><FromUserName>oUSER</FromUserName><CreateTime>1714036504</CreateTime>"
    b"<MsgType>text</MsgType><Content>hi</Content><MsgId>6054768590064713728</MsgId></xml>"
)
LONG = TEXT.replace(b"hi", b"long " * 400)  # so long that there is a + in its base64
TOLERANT = attrs.evolve(SEALED, allow_plaintext=True)
LOST = {
    "empty": "the body is empty: a proxy, a redirect or a middleware",
    "blank": "the body is empty",
    "base64": "base64: an API gateway or cloud function .*isBase64Encoded",
    "base64_in_lines": "base64",
    "form_of_one_field": "form-encoded: a framework or proxy",
    "form_of_a_name": "form-encoded",
    "form_of_fields": "form-encoded",
    "multipart": "form-encoded",
    "json_string": "one JSON string: a gateway or framework",
    "event_with_base64": "the event of an API gateway or cloud function",
    "event_with_text": "the event of an API gateway or cloud function",
    "wrapped": "neither Encrypt nor MsgType: it was cut off, wrapped or converted",
    "cut": "neither Encrypt nor MsgType|not well-formed.*截断",
    "gzip": "neither XML nor JSON: .*re-encoded",
}
MESSAGE = TextMessage(
    to_user_name="gh_1",
    from_user_name="oUSER",
    create_time=NOW,
    content="hi",
    msg_id="6054768590064713728",
)

every_mode = each_row("mode", ["plain", "compatible", "sealed"])
sealed_modes = each_row("mode", ["compatible", "sealed"])
every_format = each_row("form", ["xml", "json"])


def wrap(sealed: str) -> bytes:
    return json.dumps({"ToUserName": "gh_1", "Encrypt": sealed}).encode()


def post_plain(body: bytes = TEXT, **query: str) -> PushRequest:
    return PushRequest("POST", plain_query(**query), body)


def post_sealed(sealed: str, token: str = TOKEN, **query: str) -> PushRequest:
    return PushRequest("POST", sealed_query(sealed, token, **query), wrap(sealed))


def post_vector(vector: Vector, body: str) -> PushRequest:
    query = {"timestamp": vector.timestamp, "nonce": vector.nonce, "msg_signature": vector.msg_signature}
    return PushRequest("POST", query, body.encode())


def settings_of(vector: Vector) -> PushSettings:
    return PushSettings(token=vector.token, encoding_aes_key=vector.encoding_aes_key, appid=vector.receiver_id)


def read(document: bytes | str) -> object:
    """Read a reply as WeChat would: JSON, or XML with elements as members."""
    if document.lstrip()[:1] in ("{", b"{"):
        return json.loads(document)
    return read_element(ET.fromstring(document))


def read_element(element: ET.Element) -> object:
    return {child.tag: read_element(child) for child in element} if len(element) else element.text or ""


class TestParseQuery:
    def test_leaves_out_what_is_given_with_different_values(self):
        assert parse_query("a=1&b=2&a=3&c=3&c=4&c=3") == {"b": "2"}

    def test_takes_equal_values_for_one(self):
        assert parse_query("a=1&b=%2B&a=1&b=%2b&c=&c=&a=1") == {"a": "1", "b": "+", "c": ""}

    def test_notices_a_repetition_under_another_encoding(self):
        assert parse_query("nonce=1&%6eonce=2&n%6Fnce=3") == {}

    @each_row("query_string", ["", "&", "&&&", "%", "=", b"\xff\xfe=\xfd", "%ff%fe", "a;b", "\ud800=1"])
    def test_accepts_any_text(self, query_string):
        assert isinstance(parse_query(query_string), dict)

    def test_does_not_take_a_semicolon_for_a_separator(self):
        assert parse_query("a=1;b=2") == {"a": "1;b=2"}

    @each_row("convert", [str, str.encode])
    def test_decodes_names_and_values_of_text_and_bytes(self, convert):
        query = {"echostr": "a+b/c== 你好", "empty": "", "名": "x"}
        assert parse_query(convert(urlencode(query))) == query


class TestPushRequest:
    @each_row("query", [None, "nonce=1", b"nonce=1", ["nonce"], 1])
    def test_refuses_query_that_is_no_mapping(self, query):
        with pytest.raises(MalformedPush):
            PushRequest("POST", query)

    @each_row("body", [None, "<xml/>", {}, 1, ["<xml/>"]])
    def test_refuses_body_that_is_not_bytes(self, body):
        with pytest.raises(MalformedPush):
            PushRequest("POST", {}, body)

    @each_row("kind", [bytes, bytearray, memoryview])
    def test_takes_every_kind_of_bytes(self, kind):
        request = PushRequest("POST", plain_query(), kind(TEXT))
        assert request.body == TEXT
        assert open_push(PLAIN, request).message == MESSAGE

    def test_repr_shows_neither_query_nor_body(self):
        text = repr(PushRequest("POST", {"signature": "secret-query"}, b"secret-body"))
        assert "secret" not in text

    def test_query_string_holds_what_cannot_be_written_as_a_question_mark(self):
        assert PushRequest("GET", {"openid": "\ud800"}).query_string == "openid=%3F"

    @each_row("query", [{"echostr": "a+b/c== &?你好", "empty": ""}, {}])
    def test_query_string_is_read_back_by_parse_query(self, query):
        assert parse_query(PushRequest("GET", query).query_string) == query


class TestPushResponse:
    def test_repr_does_not_show_the_body(self):
        assert "secret" not in repr(PushResponse(200, b"secret-body"))


class TestRefuse:
    @each_row(
        ("error", "status"),
        [
            (MalformedPush("secret-reason"), 400),
            (SignatureMismatch("secret-reason"), 403),
            (SignatureExpired("secret-reason"), 403),
            (ModeMismatch("secret-reason"), 403),
            (DecryptError("secret-reason"), 403),
            (AppIdMismatch("secret-reason"), 403),
            (MethodNotAllowed("secret-reason"), 405),
            (BodyTooLarge("secret-reason"), 413),
        ],
    )
    def test_gives_the_status_and_nothing_that_helps_an_attacker(self, error, status):
        response = error_response(error)
        assert response.status == status
        assert b"secret" not in response.body

    def test_gives_the_same_answer_to_everyone_without_the_secrets(self):
        errors = (SignatureMismatch(), SignatureExpired(), ModeMismatch(), DecryptError(), AppIdMismatch())
        assert len({error_response(error).body for error in errors}) == 1

    def test_names_the_methods_that_are_allowed(self):
        assert error_response(MethodNotAllowed()).headers == {"Allow": "GET, POST"}


class TestAnswerEchostr:
    @each_row("settings", [PLAIN, SEALED])
    @each_row("missing", ["signature", "timestamp", "nonce"])
    def test_reports_a_missing_parameter(self, settings, missing):
        query = plain_query(echostr="1")
        with pytest.raises(SignatureMissing, match=missing):
            answer_echostr(settings, {name: value for name, value in query.items() if name != missing})

    def test_rejects_signature_made_with_other_token(self):
        with pytest.raises(SignatureMismatch):
            answer_echostr(PLAIN, plain_query("another", echostr="1"))

    @each_row("echostr", [None, "", 1, b"1", ["1"]])
    def test_refuses_request_without_readable_echostr(self, echostr):
        with pytest.raises(MalformedPush):
            answer_echostr(PLAIN, {**plain_query(), "echostr": echostr})

    @each_row("settings", [PLAIN, SEALED])
    @each_row("query", [{}, {"openid": "oUSER"}, {"signature": "", "echostr": "1"}])
    def test_distinguishes_a_browser_from_a_wrong_token(self, settings, query):
        """Opening the URL in a browser must not look like a wrong Token or a missing key."""
        with pytest.raises(SignatureMissing, match="浏览器"):
            answer_echostr(settings, query)

    @each_row("missing", ["signature", "timestamp", "nonce"])
    def test_blames_a_proxy_and_no_browser_for_one_parameter_that_is_missing(self, missing):
        query = plain_query(echostr="1")
        query.pop(missing)
        with pytest.raises(SignatureMissing, match=r"proxy.*代理") as caught:
            answer_echostr(PLAIN, query)
        assert "浏览器" not in str(caught.value)

    def test_blames_a_redirect_for_a_signed_request_without_echostr(self):
        with pytest.raises(MalformedPush, match=r"echostr is missing.*redirect.*跳转"):
            answer_echostr(PLAIN, plain_query())

    def test_refuses_timestamp_that_is_not_a_number(self):
        with pytest.raises(MalformedPush):
            answer_echostr(PLAIN, plain_query(timestamp="yesterday", echostr="1"))

    @each_row("settings", [PLAIN, SEALED])
    def test_has_no_age_because_the_console_may_repeat_a_request(self, settings):
        assert answer_echostr(attrs.evolve(settings, max_age=1), plain_query(timestamp="1", echostr="1")) == "1"

    def test_refuses_sealed_form_without_a_key(self):
        sealed = seal(b"1616140317555161061")
        with pytest.raises(ModeMismatch):
            answer_echostr(PLAIN, sealed_query(sealed, signature=None, echostr=sealed))

    def test_rejects_sealed_form_signed_with_other_token(self):
        sealed = seal(b"1616140317555161061")
        with pytest.raises(SignatureMismatch):
            answer_echostr(SEALED, sealed_query(sealed, "another", signature=None, echostr=sealed))

    def test_rejects_sealed_form_of_another_account(self):
        sealed = seal(b"1616140317555161061", appid="wxfedcba9876543210")
        with pytest.raises(AppIdMismatch):
            answer_echostr(SEALED, sealed_query(sealed, signature=None, echostr=sealed))

    @each_row("sealed", ["4375120948345356249", seal(b"1", key=OLD_KEY), seal(b"\xff")])
    def test_rejects_sealed_form_that_cannot_be_opened(self, sealed):
        with pytest.raises(DecryptError):
            answer_echostr(SEALED, sealed_query(sealed, signature=None, echostr=sealed))

    @each_row("vector", [V1, V16])
    def test_answers_the_published_request(self, vector: Vector):
        query = {"signature": vector.signature, "timestamp": vector.timestamp, "nonce": vector.nonce}
        echostr = vector.echostr or "5927782489442352469"
        assert answer_echostr(PushSettings(token=vector.token), {**query, "echostr": echostr}) == echostr

    @each_row("vector", [V7, V12])
    def test_answers_the_published_sealed_request(self, vector: Vector):
        query = {"msg_signature": vector.msg_signature, "timestamp": vector.timestamp, "nonce": vector.nonce}
        assert answer_echostr(settings_of(vector), {**query, "echostr": vector.encrypt}) == vector.plaintext

    def test_answers_the_plain_form_although_a_key_is_set(self):
        assert answer_echostr(SEALED, plain_query(echostr="4375120948345356249")) == "4375120948345356249"

    def test_answers_the_same_request_twice(self):
        query = plain_query(echostr="1")
        assert answer_echostr(PLAIN, query) == answer_echostr(PLAIN, query) == "1"

    @each_row("echostr", ["<b>&amp;</b>", " 1 ", "你好", "a+b/c=="])
    def test_answers_with_echostr_exactly(self, echostr):
        assert answer_echostr(PLAIN, plain_query(echostr=echostr)) == echostr

    def test_accepts_previous_token(self):
        assert answer_echostr(ROTATING, plain_query(OLD_TOKEN, echostr="1")) == "1"

    def test_accepts_previous_key(self):
        sealed = seal(b"1", key=OLD_KEY)
        assert answer_echostr(ROTATING, sealed_query(sealed, signature=None, echostr=sealed)) == "1"


class TestAnswerGet:
    def test_answers_so_that_no_browser_takes_echostr_for_a_page(self):
        response = answer_get(PLAIN, plain_query(echostr="<script>alert(1)</script>"))
        assert (response.status, response.body) == (200, b"<script>alert(1)</script>")
        assert response.content_type.startswith("text/plain")
        assert response.headers == {"X-Content-Type-Options": "nosniff"}

    def test_answers_echostr_that_is_no_unicode(self):
        assert answer_get(PLAIN, plain_query(echostr="1\ud800")).status == 200


class TestOpenPush:
    @each_row("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POSTS", "", None])
    def test_refuses_other_methods(self, method):
        with pytest.raises(MethodNotAllowed):
            open_push(PLAIN, PushRequest(method, plain_query(), TEXT))

    def test_refuses_body_longer_than_max_body(self):
        settings = PushSettings(token=TOKEN, max_body=len(TEXT) - 1)
        with pytest.raises(BodyTooLarge):
            open_push(settings, post_plain())

    def test_refuses_long_body_before_it_looks_at_anything_else(self):
        with pytest.raises(BodyTooLarge):
            open_push(PLAIN, PushRequest("POST", {}, b"?" * 10_000_000))

    @each_row("missing", ["signature", "timestamp", "nonce"])
    def test_reports_a_missing_parameter_of_a_plain_push(self, missing):
        query = {name: value for name, value in plain_query().items() if name != missing}
        with pytest.raises(SignatureMissing, match=missing):
            open_push(PLAIN, PushRequest("POST", query, TEXT))

    @each_row("missing", ["msg_signature", "timestamp", "nonce"])
    def test_reports_a_missing_parameter_of_a_sealed_push(self, missing):
        query = sealed_query(seal(TEXT), signature=None)
        query.pop(missing)
        with pytest.raises(SignatureMissing, match=missing):
            open_push(SEALED, PushRequest("POST", query, wrap(seal(TEXT))))

    @each_row("settings", [PLAIN, SEALED])
    @each_row("body", [b"", TEXT, wrap(seal(TEXT))])
    def test_reports_an_unsigned_request_with_every_body(self, settings, body):
        with pytest.raises(SignatureMissing, match=r"not signed.*浏览器"):
            open_push(settings, PushRequest("POST", {"openid": "oUSER"}, body))

    @each_row("missing", ["signature", "timestamp", "nonce"])
    def test_blames_a_proxy_for_a_parameter_of_a_plain_push_that_is_missing(self, missing):
        query = plain_query()
        query.pop(missing)
        with pytest.raises(SignatureMissing, match=f"{missing}.*proxy.*代理") as caught:
            open_push(PLAIN, PushRequest("POST", query, TEXT))
        assert "浏览器" not in str(caught.value)

    def test_reports_that_msg_signature_was_lost_when_signature_is_valid(self):
        query = sealed_query(seal(TEXT))
        query.pop("msg_signature")
        with pytest.raises(SignatureMissing, match="msg_signature is missing although signature is valid") as caught:
            open_push(SEALED, PushRequest("POST", query, wrap(seal(TEXT))))
        assert "proxy" in str(caught.value)
        assert "浏览器" not in str(caught.value)

    def test_blames_the_token_when_msg_signature_is_missing_and_signature_is_forged(self):
        with pytest.raises(SignatureMismatch) as caught:
            open_push(SEALED, PushRequest("POST", plain_query("another"), wrap(seal(TEXT))))
        assert not isinstance(caught.value, SignatureMissing)

    @each_row(
        ("encrypt", "query"),
        [
            (seal(LONG).replace("+", " "), {}),
            (seal(LONG)[:76] + "\n" + seal(LONG)[76:], {}),
            ("", {}),
            (seal(LONG), {"msg_signature": "0" * 40}),
        ],
    )
    def test_does_not_blame_the_token_with_which_signature_was_made(self, encrypt, query):
        assert encrypt != seal(LONG) or query
        altered = PushRequest("POST", {**sealed_query(seal(LONG)), **query}, wrap(encrypt))
        with pytest.raises(SignatureMismatch, match=r"signature is valid, so the Token is right.*proxy") as caught:
            open_push(SEALED, altered)
        assert "Token 无误；Encrypt 或 msg_signature 在途中被改动" in str(caught.value)
        assert "请核对" not in str(caught.value)

    def test_blames_the_token_when_neither_signature_matches(self):
        query = sealed_query(seal(TEXT), "another")
        for given in (query, {name: value for name, value in query.items() if name != "signature"}):
            with pytest.raises(SignatureMismatch, match=r"does not match.*请核对公众平台"):
                open_push(SEALED, PushRequest("POST", given, wrap(seal(TEXT))))

    @each_row("settings", [PLAIN, SEALED, TOLERANT])
    @each_row(("lost", "text"), LOST.items())
    def test_reports_how_the_body_was_damaged_and_the_probable_cause(self, settings, lost, text):
        push = build_push(settings, {"MsgType": "text", "Content": "words of a user"})
        body = lose(push.body)[lost]
        with pytest.raises(MalformedPush, match=text) as caught:
            open_push(settings, attrs.evolve(push, body=body))
        assert re.search("[\u4e00-\u9fff]{4}", caught.value.hint)
        assert "words of a user" not in f"{caught.value!r}"

    def test_judges_a_megabyte_of_odd_bytes_in_no_time(self):
        """Nothing that only names a damage may cost much: anybody can send these."""
        query = {**sealed_query(seal(TEXT), signature=None), "msg_signature": "forged"}
        for unit in (b"%3c", b"A", b"A\n", b"a=", b'"', b" ", b"--\n"):
            request = PushRequest("POST", query, unit * (SEALED.max_body // len(unit) - 1) + b"<")

            def open_it(request=request):
                with pytest.raises(MalformedPush):
                    open_push(SEALED, request)

            assert measure(open_it) < 0.5

    def test_rejects_sealed_push_whose_signature_is_of_another_body(self):
        another = seal(TEXT.replace(b"hi", b"ho"))
        with pytest.raises(SignatureMismatch):
            open_push(SEALED, PushRequest("POST", sealed_query(seal(TEXT)), wrap(another)))

    def test_refuses_every_flipped_bit_without_a_new_signature(self):
        query, body = sealed_query(seal(TEXT)), wrap(seal(TEXT))
        start = body.index(b'"Encrypt": "') + len(b'"Encrypt": "')
        for index in range(start, start + len(seal(TEXT))):
            spoilt = bytearray(body)
            spoilt[index] ^= 1
            with pytest.raises(SignatureMismatch):
                open_push(SEALED, PushRequest("POST", query, bytes(spoilt)))

    @each_row("form", ["xml", "json"])
    def test_never_reads_the_same_message_from_flipped_bits_signed_with_the_token(self, form):
        """An attacker with the Token but without the key can only spoil a message, which is then refused."""
        settings = attrs.evolve(SEALED, token=OLD_TOKEN)
        request = build_push(settings, {"Content": "words of the user"}, format=form, random_bytes=bytes)
        sealed = base64.b64decode(read(request.body)["Encrypt"])
        expected = open_push(settings, request).message
        for index in range(len(sealed)):
            spoilt = base64.b64encode(sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]).decode()
            forged = PushRequest("POST", sealed_query(spoilt, OLD_TOKEN), wrap(spoilt))
            try:
                assert open_push(settings, forged).message != expected
            except (DecryptError, AppIdMismatch, MalformedPush):
                continue

    def test_refuses_plain_push_when_a_key_is_set(self):
        with pytest.raises(ModeMismatch):
            open_push(SEALED, post_plain())

    def test_refuses_plain_push_with_every_encrypt_type(self):
        for encrypt_type in ("raw", "aes", ""):
            with pytest.raises(ModeMismatch):
                open_push(SEALED, post_plain(encrypt_type=encrypt_type))

    @each_row("mode", ["compatible", "sealed"])
    def test_refuses_sealed_push_without_a_key_and_names_the_missing_setting(self, mode):
        with pytest.raises(ModeMismatch, match="encoding_aes_key"):
            open_push(PLAIN, build_push(SEALED, {"Content": "hi"}, mode=mode))

    def test_refuses_sealed_push_to_an_account_that_allows_plaintext_but_has_no_key(self):
        with pytest.raises(ModeMismatch):
            open_push(attrs.evolve(PLAIN, allow_plaintext=True), post_sealed(seal(TEXT)))

    def test_does_not_let_allow_plaintext_replace_msg_signature(self):
        """An account in transition still opens nothing sealed that is not signed as a whole."""
        settings = attrs.evolve(SEALED, allow_plaintext=True)
        with pytest.raises(SignatureMismatch):
            open_push(settings, PushRequest("POST", plain_query(), wrap(seal(TEXT))))

    @each_row("distance", [301, -301, 10**9])
    @every_mode
    def test_refuses_push_further_from_now_than_max_age(self, mode, distance):
        settings = PushSettings(
            token=TOKEN, encoding_aes_key=KEY, appid=APPID, max_age=300, allow_plaintext=mode == "plain"
        )
        request = build_push(settings, {"Content": "hi"}, mode=mode, now=lambda: NOW)
        with pytest.raises(SignatureExpired):
            open_push(settings, request, now=lambda: NOW + distance)

    @each_row(
        ("signed", "replayed"),
        [
            ({"timestamp": "1714036504", "nonce": "1814036504"}, {"timestamp": "1814036504", "nonce": "1714036504"}),
            ({"timestamp": "1714036501", "nonce": "814036504"}, {"timestamp": "1814036504", "nonce": "171403650"}),
        ],
    )
    def test_refuses_an_old_recording_whose_nonce_passes_for_the_time(self, signed, replayed):
        """The signature is right: what is signed are the values, sorted and joined."""
        recorded = post_sealed(seal(TEXT), **signed)
        again = attrs.evolve(recorded, query={**recorded.query, **replayed})
        assert open_push(SEALED, again).message == MESSAGE
        with pytest.raises(SignatureExpired, match="CreateTime is further"):
            open_push(attrs.evolve(SEALED, max_age=300), again, now=lambda: 1814036504)

    @sealed_modes
    @each_row(
        ("fields", "limit"),
        [
            ({"MsgType": "text", "Content": "hi"}, 300),
            ({"MsgType": "event", "Event": "CLICK", "EventKey": "BUY"}, 300),
            ({"MsgType": "event", "Event": "xpay_goods_deliver_notify"}, 86400),
            ({"MsgType": "event", "Event": "RETAIL_pay_notify"}, 86400),
        ],
    )
    def test_takes_a_resend_whose_first_try_may_have_been_so_long_ago(self, mode, fields, limit):
        strict = attrs.evolve(SEALED, max_age=300)
        now = NOW + limit
        resend = build_push(SEALED, {**fields, "CreateTime": NOW}, mode=mode, now=lambda: now)
        assert open_push(strict, resend, now=lambda: now).message.create_time == NOW
        older = build_push(SEALED, {**fields, "CreateTime": NOW - 1}, mode=mode, now=lambda: now)
        with pytest.raises(SignatureExpired, match="CreateTime is further"):
            open_push(strict, older, now=lambda: now)

    def test_does_not_judge_a_time_that_anybody_can_change(self):
        strict = PushSettings(token=TOKEN, max_age=300)
        push = build_push(PLAIN, {"Content": "hi", "CreateTime": 1}, now=lambda: NOW)
        assert open_push(strict, push, now=lambda: NOW).message.create_time == 1

    def test_names_the_time_that_is_too_old(self):
        strict = attrs.evolve(SEALED, max_age=300)
        with pytest.raises(SignatureExpired, match="timestamp is further"):
            open_push(strict, build_push(SEALED, {"Content": "hi"}, now=lambda: NOW), now=lambda: NOW + 301)

    def test_reports_expiry_only_when_the_signature_was_right(self):
        with pytest.raises(SignatureMismatch) as caught:
            open_push(PushSettings(token=TOKEN, max_age=300), PushRequest("POST", plain_query("another"), TEXT))
        assert not isinstance(caught.value, SignatureExpired)

    def test_rejects_push_of_a_token_that_is_no_longer_accepted(self):
        with pytest.raises(SignatureMismatch):
            open_push(attrs.evolve(ROTATING, previous_tokens=[]), post_sealed(seal(TEXT), OLD_TOKEN))

    def test_rejects_push_of_a_key_that_is_no_longer_accepted(self):
        with pytest.raises(DecryptError):
            open_push(attrs.evolve(ROTATING, previous_encoding_aes_keys=[]), post_sealed(seal(TEXT, key=OLD_KEY)))

    @each_row("key", [KEY, OLD_KEY])
    def test_reports_a_foreign_appid_whichever_key_fits(self, key):
        with pytest.raises(AppIdMismatch):
            open_push(ROTATING, post_sealed(seal(TEXT, key=key, appid="wx1")))

    def test_opens_the_published_push_in_secure_mode(self):
        body = f"<xml><ToUserName>asdasdasd</ToUserName><Encrypt><![CDATA[{V11.encrypt}]]></Encrypt></xml>"
        push = open_push(settings_of(V11), post_vector(V11, body))
        assert push.message == TextMessage(
            to_user_name="asdasdasd",
            from_user_name="asdasdasdsadasd",
            create_time=1234567898,
            content="hello",
            msg_id="12345",
        )
        assert (push.format, push.appid) == ("xml", V11.receiver_id)

    def test_opens_the_published_push_in_compatible_mode(self):
        encrypt = f"<Encrypt><![CDATA[{V5.encrypt}]]></Encrypt>\n</xml>"
        request = post_vector(V5, V5.plaintext.replace("</xml>", encrypt).replace("abcdteT", "forged"))
        request = attrs.evolve(request, query={**request.query, "signature": V5.signature})
        assert open_push(settings_of(V5), request).message == TextMessage(
            to_user_name="gh_10f6c3c3ac5a",
            from_user_name="oyORnuP8q7ou2gfYjqLzSIWZf0rs",
            create_time=1409735668,
            content="abcdteT",
            msg_id="6054768590064713728",
        )

    @each_row(
        "fields",
        [
            {"MsgType": "text", "Content": " ]]> <b>&amp; 你好👋\n"},
            {"MsgType": "image", "PicUrl": "http://a.example/?a=1&b=2", "MediaId": "media"},
            {"MsgType": "location", "Location_X": 23.134521, "Location_Y": 113.358803, "Scale": 20, "Label": "位置"},
            {"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_123", "Ticket": "ticket"},
            {
                "MsgType": "event",
                "Event": "pic_weixin",
                "EventKey": "6",
                "SendPicsInfo": {"Count": 2, "PicList": {"item": [{"PicMd5Sum": "a"}, {"PicMd5Sum": "b"}]}},
            },
            {"MsgType": "event", "Event": "telepathy", "Thought": "x"},
            {"MsgType": "telepathy", "Thought": "x"},
        ],
    )
    def test_reads_equal_models_in_every_mode_and_format(self, fields):
        settings = attrs.evolve(SEALED, allow_plaintext=True)
        messages = [
            open_push(
                settings,
                build_push(settings, {"MsgId": "6054768590064713728", **fields}, mode=mode, format=form, now=lambda: 1),
            ).message
            for mode in ("plain", "compatible", "sealed")
            for form in ("xml", "json")
        ]
        assert all(message == messages[0] for message in messages)
        assert type(messages[0]) is not Message

    def test_reads_only_what_is_sealed_in_compatible_mode(self):
        body = TEXT.replace(b"hi", b"forged").replace(b"</xml>", f"<Encrypt>{seal(TEXT)}</Encrypt></xml>".encode())
        assert open_push(SEALED, PushRequest("POST", sealed_query(seal(TEXT)), body)).message == MESSAGE

    def test_opens_sealed_push_without_url_signature(self):
        assert open_push(SEALED, post_sealed(seal(TEXT), signature=None)).message == MESSAGE

    def test_opens_plain_and_sealed_pushes_while_the_mode_is_switched(self):
        settings = attrs.evolve(SEALED, allow_plaintext=True)
        assert open_push(settings, post_plain()).message == MESSAGE
        assert open_push(settings, post_sealed(seal(TEXT))).message == MESSAGE

    @each_row("token", [TOKEN, OLD_TOKEN])
    @each_row("key", [KEY, OLD_KEY])
    def test_opens_pushes_of_both_tokens_and_keys_while_they_change(self, token, key):
        assert open_push(ROTATING, post_sealed(seal(TEXT, key=key), token)).message == MESSAGE

    def test_accepts_signature_with_one_token_and_msg_signature_with_the_other(self):
        request = post_sealed(seal(TEXT), OLD_TOKEN, signature=sign(TOKEN, TIMESTAMP, NONCE))
        assert open_push(ROTATING, request).message == MESSAGE

    @each_row("appid", [APPID, "wxfedcba9876543210"])
    def test_returns_the_accepted_appid_of_the_push(self, appid):
        assert open_push(ROTATING, post_sealed(seal(TEXT, appid=appid))).appid == appid

    def test_asks_for_no_key_in_cloud_run(self):
        with pytest.raises(ModeMismatch, match="those of Cloud Run, whose pushes are not sealed") as info:
            open_push(PushSettings(appid=APPID, cloud_run=True), post_sealed(seal(TEXT)))
        assert "encoding_aes_key" not in str(info.value)

    @each_row("distance", [0, 300, -300])
    def test_opens_push_within_max_age(self, distance):
        settings = PushSettings(token=TOKEN, max_age=300)
        assert open_push(settings, post_plain(), now=lambda: NOW + distance).message == MESSAGE

    def test_does_not_ask_for_the_time_without_max_age(self):
        assert open_push(PLAIN, post_plain(), now=lambda: pytest.fail("asked for the time")).message == MESSAGE

    def test_opens_body_of_exactly_max_body(self):
        assert open_push(PushSettings(token=TOKEN, max_body=len(TEXT)), post_plain()).message == MESSAGE

    @each_row("content_type", ["", "text/xml", "application/json", "text/plain; charset=gbk", ";;", "你好"])
    def test_does_not_rely_on_the_content_type(self, content_type):
        for request in (post_plain(), post_sealed(seal(TEXT))):
            settings = attrs.evolve(SEALED, allow_plaintext=True)
            assert open_push(settings, attrs.evolve(request, content_type=content_type)).message == MESSAGE

    def test_takes_the_format_from_the_outer_document(self):
        assert open_push(SEALED, post_sealed(seal(TEXT))).format == "json"
        assert open_push(PLAIN, post_plain()).format == "xml"

    def test_cleans_text_of_control_characters(self):
        body = TEXT.replace(b"hi", b"<![CDATA[a\x00b\x07c\x1f]]>")
        assert open_push(PLAIN, post_plain(body)).message.content == "abc"

    def test_replaces_halves_of_surrogate_pairs(self):
        fields = b'"ToUserName":"gh_1","FromUserName":"oUSER","CreateTime":1,"MsgType":"text"'
        body = rb'{"Content":"a\ud83db\ude00c\ud83d\ude00",' + fields + b"}"
        assert open_push(PLAIN, post_plain(body)).message.content == "a\ufffdb\ufffdc😀"


class TestSealReply:
    def open(self, settings: PushSettings = SEALED, *, form: str = "xml", mode: str | None = None, **fields) -> Push:
        """Open a push that is to be answered."""
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "Content": "hi", **fields}
        return open_push(settings, build_push(settings, fields, format=form, mode=mode))

    @each_row("answer", [1, 0, False, b"bytes", ["text"], {"Content": "x"}, object(), TextReply, Message])
    def test_refuses_what_is_no_answer(self, answer):
        with pytest.raises(ReplyError):
            seal_reply(SEALED, self.open(), answer)

    @every_format
    def test_refuses_a_reply_to_a_push_that_names_no_user(self, form):
        push = self.open(form=form, MsgType="event", Event="debug_demo", FromUserName="")
        with pytest.raises(ReplyError, match="no user"):
            seal_reply(SEALED, push, "thanks")
        assert seal_reply(SEALED, push, None).body == b"success"
        assert seal_reply(SEALED, push, TextReply(content="thanks", to_user_name="oUSER")).status == 200

    def test_refuses_the_bare_base_of_replies(self):
        with pytest.raises(ReplyError):
            seal_reply(SEALED, self.open(), Reply())

    @every_format
    @each_row(
        "fields",
        [
            {"a b": 1},
            {"": 1},
            {"1st": 1},
            {"a><b": 1},
            {"A": {"b c": 1}},
            {"A": {1, 2}},
            {"A": b"bytes"},
            {"A": float("nan")},
            {"A": float("inf")},
        ],
    )
    def test_refuses_fields_that_cannot_be_written(self, form, fields):
        with pytest.raises(ReplyError):
            seal_reply(SEALED, self.open(form=form), RawReply(fields=fields))

    @each_row(
        "answer",
        [
            "text",
            TextReply(content="text"),
            ImageReply(media_id="m"),
            VoiceReply(media_id="m"),
            VideoReply(media_id="m"),
            MusicReply(thumb_media_id="m"),
            NewsReply(articles=[Article()]),
        ],
    )
    def test_refuses_for_a_mini_program_what_it_cannot_answer_and_names_the_way_out(self, answer):
        settings = attrs.evolve(SEALED, account_kind=MINI_PROGRAM)
        with pytest.raises(ReplyError, match=r"customer-service message.*TransferCustomerServiceReply.*客服"):
            seal_reply(settings, self.open(settings), answer)

    @every_format
    @every_mode
    @each_row(
        "answer",
        [None, "", Acknowledgement(), "\x00", "\ufffe\x1f\ud800", TextReply(content=""), TextReply(content="\x00")],
    )
    def test_acknowledges_with_a_bare_success(self, form, mode, answer):
        settings = attrs.evolve(SEALED, allow_plaintext=True)
        response = seal_reply(settings, self.open(settings, form=form, mode=mode), answer)
        assert (response.status, response.body) == (200, b"success")
        assert response.content_type.startswith("text/plain")

    def test_acknowledges_with_an_empty_body_if_requested(self):
        assert seal_reply(SEALED, self.open(), Acknowledgement(body="")).body == b""

    @each_row("event", ["xpay_goods_deliver_notify", "xpay_coin_pay_notify", "XPAY_REFUND_NOTIFY"])
    @each_row("answer", [None, ""])
    @each_row("settings", [SEALED, attrs.evolve(SEALED, account_kind=MINI_PROGRAM)])
    @every_format
    def test_acknowledges_virtual_payment_with_err_code(self, form, settings, answer, event):
        push = self.open(settings, form=form, MsgType="event", Event=event)
        outer = read(seal_reply(settings, push, answer).body)
        document, appid = unseal(outer["Encrypt"])
        assert (
            document
            == {
                "xml": b"<xml><ErrCode>0</ErrCode><ErrMsg><![CDATA[success]]></ErrMsg></xml>",
                "json": b'{"ErrCode":0,"ErrMsg":"success"}',
            }[form]
        )
        assert appid == APPID

    def test_acknowledges_plain_virtual_payment_in_the_plain(self):
        push = self.open(PLAIN, form="json", MsgType="event", Event="xpay_goods_deliver_notify")
        assert seal_reply(PLAIN, push, None).body == b'{"ErrCode":0,"ErrMsg":"success"}'

    def test_acknowledges_a_user_who_merely_writes_of_virtual_payment_with_success(self):
        assert seal_reply(PLAIN, self.open(PLAIN, Content="xpay_goods_deliver_notify"), None).body == b"success"

    @each_row(
        ("answer", "members"),
        [
            (TransferCustomerServiceReply(), {"MsgType": "transfer_customer_service"}),
            (ErrCodeReply(err_code=1, err_msg="later"), {"ErrCode": 1, "ErrMsg": "later"}),
            (RawReply(fields={"result": {"code": 0}}), {"result": {"code": 0}}),
        ],
    )
    def test_lets_a_mini_program_answer_with(self, answer, members):
        settings = attrs.evolve(SEALED, account_kind=MINI_PROGRAM)
        response = seal_reply(settings, self.open(settings, form="json"), answer)
        assert members.items() <= json.loads(unseal(read(response.body)["Encrypt"])[0]).items()

    @each_row("answer", [None, "", Acknowledgement(), Acknowledgement(body="")])
    def test_lets_a_mini_program_acknowledge(self, answer):
        settings = attrs.evolve(SEALED, account_kind=MINI_PROGRAM)
        assert seal_reply(settings, self.open(settings), answer).body in (b"success", b"")

    @every_format
    def test_answers_a_plain_push_in_the_plain_and_in_its_format(self, form):
        response = seal_reply(PLAIN, self.open(PLAIN, form=form), "你好", now=lambda: NOW)
        assert {name: str(value) for name, value in read(response.body).items()} == {
            "ToUserName": "oUSER",
            "FromUserName": "gh_1",
            "CreateTime": str(NOW),
            "MsgType": "text",
            "Content": "你好",
        }
        assert response.content_type == f"application/{form}; charset=utf-8"

    @every_format
    def test_answers_a_plain_push_in_the_plain_although_a_key_is_set(self, form):
        settings = attrs.evolve(SEALED, allow_plaintext=True)
        response = seal_reply(settings, self.open(settings, form=form, mode="plain"), "你好")
        assert read(response.body)["Content"] == "你好"

    @every_format
    @each_row("mode", ["compatible", "sealed"])
    def test_seals_the_answer_to_a_sealed_push_in_its_format(self, form, mode):
        response = seal_reply(SEALED, self.open(form=form, mode=mode), "你好", now=lambda: NOW + 1)
        outer = read(response.body)
        assert list(outer) == ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"]
        assert str(outer["TimeStamp"]) == str(NOW + 1)
        assert outer["MsgSignature"] == sign(TOKEN, str(NOW + 1), outer["Nonce"], outer["Encrypt"])
        document, appid = unseal(outer["Encrypt"])
        assert document.startswith(b"<" if form == "xml" else b"{")
        assert read(document)["Content"] == "你好"
        assert appid == APPID
        assert response.content_type == f"application/{form}; charset=utf-8"
        assert "你好" not in response.body.decode()

    def test_writes_timestamp_as_number_and_nonce_as_text_in_json(self):
        outer = read(seal_reply(SEALED, self.open(form="json"), "x").body)
        assert isinstance(outer["TimeStamp"], int)
        assert isinstance(outer["Nonce"], str)

    def test_gives_the_published_reply_byte_for_byte(self):
        settings = settings_of(V4)
        push = attrs.evolve(self.open(settings, form="json"), cipher=settings.ciphers[0], appid=V4.receiver_id)
        random = {16: V4.random16.encode(), 4: int(V4.nonce).to_bytes(4, "big")}
        response = seal_reply(
            settings,
            push,
            RawReply(fields={"demo_resp": "good luck"}),
            now=lambda: int(V4.timestamp),
            random_bytes=random.__getitem__,
        )
        assert read(response.body) == {
            "Encrypt": V4.encrypt,
            "MsgSignature": V4.msg_signature,
            "TimeStamp": int(V4.timestamp),
            "Nonce": V4.nonce,
        }

    @each_row("token", [TOKEN, OLD_TOKEN])
    @each_row("key", [KEY, OLD_KEY])
    @each_row("appid", [APPID, "wxfedcba9876543210"])
    def test_seals_with_the_key_and_appid_of_the_push_and_signs_with_the_newest_token(self, token, key, appid):
        push = open_push(ROTATING, post_sealed(seal(TEXT, key=key, appid=appid), token))
        outer = read(seal_reply(ROTATING, push, "hello").body)
        document, sealed_for = unseal(outer["Encrypt"], key)
        assert json.loads(document)["Content"] == "hello"
        assert sealed_for == appid
        assert outer["MsgSignature"] == sign(TOKEN, str(outer["TimeStamp"]), outer["Nonce"], outer["Encrypt"])

    def test_seals_every_answer_with_new_random_bytes(self):
        push = self.open()
        outers = [read(seal_reply(SEALED, push, "hello", now=lambda: NOW).body) for _ in range(20)]
        assert len({outer["Encrypt"] for outer in outers}) == 20
        assert len({outer["Nonce"] for outer in outers}) > 10

    def test_seals_the_same_way_with_the_same_random_bytes(self):
        push = self.open(form="json")
        responses = [
            seal_reply(SEALED, push, "hello", now=lambda: NOW, random_bytes=lambda count: RANDOM16[:count])
            for _ in range(3)
        ]
        assert responses[0] == responses[1] == responses[2]
        document = (
            '{"ToUserName":"oUSER","FromUserName":"gh_1","CreateTime":1714036504,"MsgType":"text","Content":"hello"}'
        )
        assert read(responses[0].body)["Encrypt"] == seal(document.encode())

    def test_keeps_names_and_time_that_the_handler_chose(self):
        reply = TextReply(content="x", to_user_name="oOTHER", from_user_name="gh_2", create_time=5)
        members = read(seal_reply(PLAIN, self.open(PLAIN, form="json"), reply).body)
        assert (members["ToUserName"], members["FromUserName"], members["CreateTime"]) == ("oOTHER", "gh_2", 5)

    @every_format
    def test_takes_the_sender_s_name_for_text_and_never_for_markup(self, form):
        """Both names come from the push, that is from outside."""
        name = 'o]]></ToUserName><Content>"x</Content>'
        push = self.open(PLAIN, form=form, FromUserName=name)
        members = read(seal_reply(PLAIN, push, "hello").body)
        assert (members["ToUserName"], members["Content"]) == (name, "hello")

    def test_answers_an_unknown_event(self):
        push = self.open(MsgType="event", Event="telepathy")
        assert isinstance(push.message, UnknownEvent)
        assert unseal(read(seal_reply(SEALED, push, "hello").body)["Encrypt"])[1] == APPID


class TestRenderReply:
    NEWS = NewsReply(articles=[Article(title="一"), Article(title="二")])
    ANSWERS = ("你好 ]]> <b>", NEWS, ErrCodeReply(), RawReply(fields={"A": "b"}), TransferCustomerServiceReply())

    def open(self, form: str = "xml", mode: str = "sealed", settings: PushSettings = SEALED, **fields) -> Push:
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "MsgId": 1, **fields}
        settings = attrs.evolve(settings, allow_plaintext=True)
        return open_push(settings, build_push(settings, fields, format=form, mode=mode, now=lambda: NOW))

    @every_format
    @each_row("answer", ANSWERS)
    def test_writes_the_reply_to_every_resend_in_every_mode_and_format(self, form, answer):
        rendered = render_reply(SEALED, self.open(form), answer, now=lambda: NOW)
        for again_form in ("xml", "json"):
            push = self.open(again_form, "plain")
            expected = seal_reply(SEALED, push, answer, now=lambda: NOW)
            assert seal_reply(SEALED, push, rendered, now=lambda: NOW + 5) == expected
            sealed = seal_reply(SEALED, self.open(again_form), rendered, now=lambda: NOW + 5)
            document, _ = unseal(read(sealed.body)["Encrypt"])
            assert document == expected.body
            assert int(read(sealed.body)["TimeStamp"]) == NOW + 5

    @each_row("answer", [None, "", Acknowledgement(), Acknowledgement(body="")])
    def test_leaves_an_acknowledgement_as_it_is(self, answer):
        rendered = render_reply(SEALED, self.open(), answer)
        assert rendered == (answer if isinstance(answer, Acknowledgement) else Acknowledgement())

    def test_writes_the_err_code_that_virtual_payment_wants(self):
        push = self.open("json", MsgType="event", Event="xpay_goods_deliver_notify")
        assert render_reply(SEALED, push, None).documents["json"] == '{"ErrCode":0,"ErrMsg":"success"}'

    def test_keeps_the_time_that_the_handler_chose(self):
        rendered = render_reply(SEALED, self.open(), TextReply(content="x", create_time=5), now=lambda: NOW)
        assert read(rendered.documents["xml"])["CreateTime"] == "5"

    @each_row(("form", "other"), [("xml", "json"), ("json", "xml")])
    def test_does_without_a_format_that_the_push_does_not_have(self, form, other):
        @attrs.frozen(kw_only=True)
        class OneFormatReply(RawReply):
            def to_fields(self, wanted):
                return {"A": "b"} if wanted == form else {"not a name": object()}

        assert list(render_reply(SEALED, self.open(form), OneFormatReply(fields={})).documents) == [form]
        with pytest.raises(ReplyError):
            render_reply(SEALED, self.open(other), OneFormatReply(fields={}))

    def test_leaves_a_rendered_reply_as_it_is(self):
        rendered = render_reply(SEALED, self.open(), "hi", now=lambda: NOW)
        assert render_reply(SEALED, self.open(), rendered, now=lambda: NOW + 5) == rendered

    @each_row("answer", [5, b"hi", Reply(), RawReply(fields={"a b": 1})])
    def test_refuses_what_cannot_be_sent(self, answer):
        with pytest.raises(ReplyError):
            render_reply(SEALED, self.open(), answer)

    def test_refuses_a_reply_without_a_user(self):
        push = self.open(MsgType="event", Event="minigame_coin_deliver_completed", FromUserName="")
        with pytest.raises(ReplyError, match="no user"):
            render_reply(SEALED, push, "hi")

    def test_refuses_for_a_mini_program_what_it_cannot_answer(self):
        settings = attrs.evolve(SEALED, account_kind=MINI_PROGRAM)
        with pytest.raises(ReplyError, match="Mini Program"):
            render_reply(settings, self.open(), "hi")
        assert isinstance(render_reply(settings, self.open(), TransferCustomerServiceReply()), RenderedReply)


class TestToReply:
    @each_row("reply", [TextReply(content="x"), Acknowledgement(), Reply(), ErrCodeReply(err_code=1)])
    def test_leaves_a_reply_as_it_is(self, reply):
        assert to_reply(MESSAGE, reply) is reply

    def test_makes_a_text_reply_of_text(self):
        assert to_reply(MESSAGE, "hi") == TextReply(content="hi")

    @each_row("answer", [None, ""])
    def test_makes_the_acknowledgement_of_nothing(self, answer):
        event = UnknownEvent(create_time=1, event="XPAY_goods_deliver_notify")
        assert to_reply(MESSAGE, answer) == acknowledge(MESSAGE) == Acknowledgement()
        assert to_reply(event, answer) == acknowledge(event) == ErrCodeReply()

    @each_row("answer", [0, False, b"hi", {}, [], TextReply])
    def test_refuses_anything_else(self, answer):
        with pytest.raises(ReplyError, match="a handler must return"):
            to_reply(MESSAGE, answer)


class TestMayReply:
    @each_row("reply", [Acknowledgement(), ErrCodeReply(), RawReply(fields={}), TransferCustomerServiceReply()])
    def test_is_true_for_both_kinds_of_account(self, reply):
        assert may_reply(MINI_PROGRAM, reply)
        assert may_reply(OFFICIAL_ACCOUNT, reply)

    @each_row("reply", [TextReply(content="x"), ImageReply(media_id="m"), MusicReply(thumb_media_id="m"), Reply()])
    def test_is_false_for_a_mini_program(self, reply):
        assert not may_reply(MINI_PROGRAM, reply)
        assert may_reply(OFFICIAL_ACCOUNT, reply)


class TestAnswerCloudFunction:
    @each_row("answer", [1, False, b"bytes", {"Content": "x"}, Reply(), RawReply(fields={"a b": 1})])
    def test_refuses_what_is_no_answer(self, answer):
        with pytest.raises(ReplyError):
            answer_cloud_function(MESSAGE, answer)

    def test_refuses_for_a_mini_program_what_it_cannot_answer(self):
        with pytest.raises(ReplyError, match="TransferCustomerServiceReply"):
            answer_cloud_function(MESSAGE, "hello", account_kind=MINI_PROGRAM)

    @each_row(
        ("answer", "returned"),
        [(None, "success"), ("", "success"), (Acknowledgement(), "success"), (Acknowledgement(body=""), "")],
    )
    def test_acknowledges_without_a_reply(self, answer, returned):
        assert answer_cloud_function(MESSAGE, answer) == returned

    def test_returns_what_the_platform_writes_as_json(self):
        returned = answer_cloud_function(MESSAGE, "a]]>b\0 你好", now=lambda: NOW)
        assert json.loads(json.dumps(returned)) == {
            "ToUserName": "oUSER",
            "FromUserName": "gh_1",
            "CreateTime": NOW,
            "MsgType": "text",
            "Content": "a]]>b 你好",
        }

    def test_transfers_the_users_of_a_mini_program(self):
        reply = TransferCustomerServiceReply()
        returned = answer_cloud_function(MESSAGE, reply, account_kind=MINI_PROGRAM, now=lambda: NOW)
        assert returned == {
            "ToUserName": "oUSER",
            "FromUserName": "gh_1",
            "CreateTime": NOW,
            "MsgType": "transfer_customer_service",
        }

    def test_acknowledges_virtual_payment_with_err_code(self):
        event = UnknownEvent(create_time=1, event="xpay_goods_deliver_notify")
        assert answer_cloud_function(event, None) == {"ErrCode": 0, "ErrMsg": "success"}
