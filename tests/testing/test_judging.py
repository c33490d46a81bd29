"""The judging of answers: every problem is found, every valid answer is accepted, and any answer has a verdict."""

from __future__ import annotations

import itertools
import json
import logging

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.first_principles import APPID, KEY, NONCE, TIMESTAMP, TOKEN, seal, sign
from tests.helpers.rows import check_rows
from wechat_msg import MINI_PROGRAM, PushRequest, PushSettings
from wechat_msg.testing import Delivery, PushSimulator, Try, build_echostr_request, build_path_check, build_push
from wechat_msg.testing.simulator import BotResponse, Verdict, problems
from wechat_msg.testing.simulator.judging import judge_echo, judge_reply

PLAIN = PushSettings(token=TOKEN)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
MINI = PushSettings(token=TOKEN, account_kind=MINI_PROGRAM)
OTHER_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"

MODES = ["plain", "compatible", "sealed"]
FORMATS = ["xml", "json"]
MESSAGE = {"ToUserName": "gh_1", "FromUserName": "oUSER", "CreateTime": 1714036504, "MsgType": "text", "Content": "hi"}
EVENT = {**MESSAGE, "MsgType": "event", "Event": "CLICK", "EventKey": "A"}
QUOTA = {**EVENT, "Event": "get_quota"}
REFUND = {**EVENT, "Event": "xpay_subscribe_ios_refund_query_notify"}
WORDS = "words-of-a-user"

HEAD = {"ToUserName": "oUSER", "FromUserName": "gh_1", "CreateTime": 1714036504}
TEXT = {**HEAD, "MsgType": "text", "Content": WORDS}
ARTICLE = {"Title": WORDS, "Description": "d", "PicUrl": "p", "Url": "u"}


# --- answers, written by hand -----------------------------------------------------------------------------------------


def xml(document):
    """Write a document as naive bots do, without escaping in CDATA."""

    def write(name, value):
        if isinstance(value, list):
            return "".join(write(name, one) for one in value)
        inside = "".join(write(*member) for member in value.items()) if isinstance(value, dict) else value
        return f"<{name}><![CDATA[{inside}]]></{name}>" if isinstance(value, str) else f"<{name}>{inside}</{name}>"

    return write("xml", document).encode()


def in_json(document):
    return json.dumps(document).encode()


def sealed(content, write=xml, token=TOKEN, without="", **changed):
    """Put a document into its envelope."""
    encrypt = seal(content, **{name: changed.pop(name) for name in ("key", "appid") if name in changed})
    envelope = {
        "Encrypt": encrypt,
        "MsgSignature": sign(token, TIMESTAMP, NONCE, encrypt),
        "TimeStamp": int(TIMESTAMP),
        "Nonce": NONCE,
        **changed,
    }
    envelope.pop(without, None)
    return write(envelope)


def text(content):
    return xml({**TEXT, "Content": content})


def without(name, document=TEXT):
    return {key: value for key, value in document.items() if key != name}


def news(*articles, count=None):
    return {**HEAD, "MsgType": "news", "ArticleCount": len(articles) if count is None else count, "Articles": articles}


def news_in_xml(*articles, count=None):
    return xml({**news(*articles, count=count), "Articles": {"item": list(articles)}})


REPLIES = [
    TEXT,
    {**HEAD, "MsgType": "image", "Image": {"MediaId": "M"}},
    {**HEAD, "MsgType": "voice", "Voice": {"MediaId": "M"}},
    {**HEAD, "MsgType": "video", "Video": {"MediaId": "M"}},
    {**HEAD, "MsgType": "video", "Video": {"MediaId": "M", "Title": "t", "Description": "d"}},
    {**HEAD, "MsgType": "music", "Music": {"ThumbMediaId": "M", "Title": "t", "MusicUrl": "u", "HQMusicUrl": "h"}},
    {**HEAD, "MsgType": "transfer_customer_service"},
    {**HEAD, "MsgType": "transfer_customer_service", "TransInfo": {"KfAccount": "a@b"}},
    {**HEAD, "MsgType": "transfer_biz_ai_ivr"},
]


# --- verdicts ---------------------------------------------------------------------------------------------------------


@frozen
class Case:
    """An answer and the code of its problem."""

    name: str
    code: str
    body: bytes
    mode: str = "plain"
    settings: PushSettings = PLAIN
    format: str = "xml"
    status: int = 200
    fields: dict = MESSAGE
    detail: str | None = None


def judge(body, mode="plain", settings=None, format="xml", status=200, fields=MESSAGE):
    settings = settings or (PLAIN if mode == "plain" else SEALED)
    request = build_push(settings, fields, mode=mode, format=format)
    return judge_reply(settings, request, BotResponse(status, {}, body), fields)


def wrong_seal(name, body, detail):
    return Case(f"seal: {name}", "wrong_seal", body, mode="sealed", settings=SEALED, detail=detail)


def injected(name, code, content, **options):
    return Case(f"injected: {name}", code, text(content), **options)


CASES = [
    *[Case(f"status {status}", "redirected", b"success", status=status) for status in (301, 302, 307, 308, 304)],
    *[Case(f"status {status}", "wrong_status", b"success", status=status) for status in (201, 204, 404, 500, 100, 999)],
    *[
        Case(f"answer {body[:12]!r}", "unreadable", body)
        for body in (
            *(b"SUCCESS", b"success\n", b" success", b'"success"', b"\xef\xbb\xbfsuccess", b"ok", b" ", b"\0"),
            *(b"<xml>", b"<xml></xml>", b"<xml/>", b"{", b"[]", b"null", b"<html><br></html>", b"\xff\xfe<\0x\0"),
            *(b"<!DOCTYPE xml [<!ENTITY a 'b'>]><xml><a>&a;</a></xml>", b"\x1f\x8b\x08\0", xml(TEXT)[:-1]),
            *(xml(TEXT) + b"<xml>", xml(TEXT).replace(b"words", b"\xff"), xml(TEXT).replace(b"CDATA", b"cdata")),
            *(b'{"MsgType": "text", "MsgType": "news"}', b'{"a":' * 50 + b"1" + b"}" * 50, b'{"a": NaN}'),
        )
    ],
    Case("answer with a control character", "unreadable", text("a\x08b"), detail="control characters"),
    injected("the end of CDATA", "unreadable", "a]]>b"),
    injected("the end of the document", "unreadable", "]]></Content></xml><xml><Content><![CDATA["),
    injected(
        "another type",
        "repeated",
        "]]></Content><MsgType><![CDATA[news]]></MsgType><Content><![CDATA[",
        detail="MsgType",
    ),
    injected("the same again", "repeated", f"]]></Content><Content><![CDATA[{WORDS}", detail=""),
    injected("an element of an image", "repeated", "]]></Content><Image/><Content><![CDATA["),
    Case(
        "injected: in a title",
        "repeated",
        xml({**REPLIES[4], "Video": {"MediaId": "M", "Title": f"]]></Title><Title><![CDATA[{WORDS}"}}),
        detail="",
    ),
    Case("injected: in the only article", "repeated", news_in_xml({**ARTICLE, "Title": "]]></Title><Title><![CDATA["})),
    Case(
        "injected: in one of two articles",
        "repeated",
        news_in_xml(ARTICLE, {**ARTICLE, "Url": "]]></Url><Url><![CDATA["}),
        fields=EVENT,
    ),
    Case("two lists of articles", "repeated", xml({**news(), "Articles": [{"item": ARTICLE}, {"item": ARTICLE}]})),
    Case("a list in JSON", "repeated", in_json({**TEXT, "MsgType": ["text"]}), format="json"),
    Case("JSON to XML", "wrong_format", in_json(TEXT)),
    Case("XML to JSON", "wrong_format", xml(TEXT), format="json"),
    Case("sealed JSON to XML", "wrong_format", sealed(xml(TEXT), in_json), mode="sealed", settings=SEALED),
    Case("JSON in a seal of XML", "wrong_format", sealed(in_json(TEXT)), mode="sealed", settings=SEALED),
    Case("not sealed", "unsealed", xml(TEXT), mode="sealed", settings=SEALED),
    Case("ErrCode above 0", "asks_again", xml({"ErrCode": 1, "ErrMsg": "busy"})),
    Case("ErrCode below 0", "asks_again", xml({"ErrCode": -1})),
    Case("ErrCode twice", "repeated", xml({"ErrCode": [0, 0]})),
    Case("success to a delivery company", "no_document", b"success", fields=QUOTA, detail="ResultCode"),
    Case("nothing to a delivery company", "no_document", b"", fields=QUOTA, detail="ResultCode"),
    Case("ErrCode to a delivery company", "no_document", xml({"ErrCode": 0}), fields=QUOTA, detail="ResultCode"),
    Case("resultcode in lower case", "no_document", xml({"resultcode": 0}), fields=QUOTA, detail="ResultCode"),
    Case("a text to a delivery company", "no_document", xml(TEXT), fields=QUOTA, detail="ResultCode"),
    Case(
        "a refund without evidence", "no_document", xml({"ErrCode": 0}), fields=REFUND, detail="IosRefundQueryResponse"
    ),
    Case("a refund to be asked again", "asks_again", xml({"ErrCode": 1}), fields=REFUND),
    Case("not sealed, ErrCode", "unsealed", xml({"ErrCode": 0}), mode="sealed", settings=SEALED),
    Case("sealed to plain", "sealed", sealed(xml(TEXT)), settings=SEALED),
    *[
        wrong_seal(f"no {name}", sealed(xml(TEXT), without=name), name)
        for name in ("MsgSignature", "TimeStamp", "Nonce")
    ],
    wrong_seal("two nonces", sealed(xml(TEXT), Nonce=["1", "2"]), "Nonce"),
    wrong_seal("a seal in the seal", sealed(xml(TEXT), Encrypt={"Encrypt": "x"}), "Encrypt"),
    wrong_seal("another token", sealed(xml(TEXT), token="another"), "SignatureMismatch"),
    wrong_seal("a signature of Chinese", sealed(xml(TEXT), MsgSignature="签名"), "SignatureMismatch"),
    wrong_seal("another time", sealed(xml(TEXT), TimeStamp=1), "SignatureMismatch"),
    wrong_seal("another key", sealed(xml(TEXT), key=OTHER_KEY), None),
    wrong_seal("another account", sealed(xml(TEXT), appid="wxfedcba9876543210"), "AppIdMismatch"),
    wrong_seal(
        "no base64",
        xml({"Encrypt": "!", "MsgSignature": sign(TOKEN, "1", "1", "!"), "TimeStamp": 1, "Nonce": "1"}),
        None,
    ),
    Case("sealed nothing", "unreadable", sealed(b""), mode="sealed", settings=SEALED),
    Case("sealed success", "unreadable", sealed(b"success"), mode="sealed", settings=SEALED),
    *[
        Case(f"no {name}", "incomplete", xml(without(name)), detail=name)
        for name in ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Content")
    ],
    *[Case(f"empty {name}", "incomplete", xml({**TEXT, name: ""}), detail=name) for name in TEXT],
    *[
        Case(f"CreateTime {time!r}", "incomplete", xml({**TEXT, "CreateTime": time}), detail="CreateTime")
        for time in ("now", -1, 1.5, "١٢٣", 17140365041714, {"a": 1})
    ],
    *[
        Case(f"{reply['MsgType']} of nothing", "incomplete", xml({**HEAD, "MsgType": reply["MsgType"]}))
        for reply in REPLIES[1:6]
    ],
    Case("an image that is text", "incomplete", xml({**REPLIES[1], "Image": "M"}), detail="Image.MediaId"),
    Case("an article of nothing", "incomplete", news_in_xml(without("Title", ARTICLE)), detail="Title"),
    Case("an article that is text", "incomplete", news_in_xml("t"), detail="Title"),
    Case("lists of articles", "incomplete", in_json(news([ARTICLE])), format="json", detail="Title"),
    Case("2,048 bytes of text", "text_too_long", text("x" * 2048), detail="2048 bytes"),
    Case("683 Chinese characters", "text_too_long", text("长" * 683)),
    Case("a sealed text", "text_too_long", sealed(text("x" * 2048)), mode="sealed", settings=SEALED),
    Case("another user", "wrong_addressee", xml({**TEXT, "ToUserName": "oOTHER"})),
    Case("another account", "wrong_addressee", xml({**TEXT, "FromUserName": "gh_2"})),
    Case("names not exchanged", "wrong_addressee", xml({**TEXT, "ToUserName": "gh_1", "FromUserName": "oUSER"})),
    *[
        Case(f"type {kind!r}", "wrong_type", xml({**TEXT, "MsgType": kind}))
        for kind in ("event", "Text", WORDS, 5, {"a": 1})
    ],
    Case("type that is no text", "wrong_type", in_json({**TEXT, "MsgType": {"a": 1}}), format="json"),
    *[
        Case(f"{reply['MsgType']} of a Mini Program", "not_for_account", xml(reply), settings=MINI)
        for reply in (*REPLIES[:3], REPLIES[-1])
    ],
    *[
        Case(f"member {name}", "unknown_member", xml({**TEXT, name: "x"}))
        for name in ("content", "Contents", WORDS, "Image", "MsgId")
    ],
    Case("two articles to a message", "articles", news_in_xml(ARTICLE, ARTICLE), detail="2"),
    Case("nine articles to an event", "articles", news_in_xml(*[ARTICLE] * 9), fields=EVENT),
    Case("more articles than counted", "articles", news_in_xml(ARTICLE, ARTICLE, count=1), fields=EVENT),
    Case("fewer articles than counted", "articles", news_in_xml(ARTICLE, count=2), fields=EVENT),
    Case("no article", "articles", xml({**news(), "Articles": {"Title": "t"}}), detail="0"),
    Case("no article in JSON", "articles", in_json({**news(), "Articles": []}), format="json", detail="0"),
]
#: Problems of requests without an answer, and of URL verification.
OTHERS = {"unreachable", "tls_failed", "timed_out", "hung_up", "not_http", "too_long", "not_echoed", "not_success"}


class TestProblem:
    def test_is_found(self):
        def check(case):
            verdict = judge(case.body, case.mode, case.settings, case.format, case.status, case.fields)
            assert verdict.outcome == "failed"
            assert verdict.reply is None
            assert verdict.problem.code == case.code, verdict
            if case.detail is not None:
                assert verdict.detail == case.detail
            assert WORDS not in f"{verdict!r} {verdict}"

        check_rows(CASES, check)

    def test_has_a_case_each(self):
        every = {value.code for value in vars(problems).values() if isinstance(value, problems.Problem)}
        assert {case.code for case in CASES} | OTHERS == every

    def test_is_in_two_languages(self):
        for problem in vars(problems).values():
            if isinstance(problem, problems.Problem):
                for said in (problem.what, problem.fix):
                    assert said.en.isascii(), problem
                    assert any("\u4e00" <= character <= "\u9fff" for character in said.zh), problem

    def test_of_a_seal_without_a_key_is_found(self):
        """A push of another account may be sent on purpose."""
        request = build_push(SEALED, MESSAGE)
        verdict = judge_reply(PLAIN, request, BotResponse(200, {}, sealed(xml(TEXT))), MESSAGE)
        assert verdict.problem.code == "wrong_seal"


class TestDetail:
    def judge(self, status=200, body=b"<html></html>", **headers):
        request = build_push(PLAIN, MESSAGE)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return judge_reply(PLAIN, request, BotResponse(status, named, body), MESSAGE)

    def test_has_the_target_of_a_redirect_without_the_signature(self):
        def check(location, detail):
            verdict = self.judge(301, location=location)
            assert (verdict.problem.code, verdict.detail) == ("redirected", detail)
            assert "http or https" in verdict.problem.fix.en

        check_rows(
            [
                ("https://bot.example/wechat", "HTTP 301 -> https://bot.example/wechat"),
                ("/wechat/?signature=s&nonce=n", "HTTP 301 -> /wechat/"),
                ("/login#signature=s", "HTTP 301 -> /login"),
                ("/" + "x" * 1000, "HTTP 301 -> /" + "x" * 199),
                ("", "HTTP 301"),
            ],
            check,
        )

    def test_comes_with_a_fix_for_the_status(self):
        def check(status, advice):
            problem = self.judge(status).problem
            assert problem == problems.WRONG_STATUS
            assert advice in problem.fix.en

        check_rows(
            [
                (400, "http or https"),
                (401, "login"),
                (403, "Token"),
                (403, "CSRF"),
                (404, "path"),
                (404, "another server"),
                (422, "GET and POST"),
                (429, "limit"),
                (405, "GET and POST"),
                (500, "log"),
                (502, "proxy"),
                (503, "overloaded"),
            ],
            check,
        )

    def test_comes_with_a_fix_for_a_web_page(self):
        def check(page):
            problem = self.judge(body=page).problem
            assert problem == problems.UNREADABLE
            assert "web page" in problem.fix.en

        check_rows([b"<!DOCTYPE html><br>", b"\n<html><br></html>"], check)

    def test_has_the_compression(self):
        def check(encoding):
            verdict = self.judge(body=b"\x1f\x8b", content_encoding=encoding)
            assert (verdict.problem.code, verdict.detail) == ("unreadable", f"Content-Encoding: {encoding.lower()}")

        check_rows(["gzip", "deflate", "br", "GZIP"], check)

    def test_is_empty_for_an_encoding_that_changes_nothing(self):
        assert self.judge(body=xml(TEXT), content_encoding="identity").outcome == "replied"
        assert self.judge(body=b"success", content_encoding="gzip").outcome == "acknowledged"

    def test_is_a_problem_for_an_answer_longer_than_any_reply(self):
        def check(write):
            assert self.judge(body=write({**TEXT, "Content": "x" * (1 << 17)})).problem.code == "too_long"

        check_rows([xml, in_json], check)


class TestGoodAnswer:
    def test_is_a_text_of_2047_bytes(self):
        def check(content):
            assert judge(text(content)).outcome == "replied"

        check_rows(["x" * 2047, "长" * 682 + "x"], check)

    def test_is_an_acknowledgement(self):
        def check(mode, format, body):
            assert judge(body, mode, format=format) == Verdict("acknowledged")

        check_rows(itertools.product(MODES, FORMATS, [b"success", b""]), check)

    def test_is_a_reply_to_the_message(self):
        def check(reply, format):
            write = {"xml": xml, "json": in_json}[format]
            for mode, body in [
                ("plain", write(reply)),
                ("compatible", write(reply)),
                ("compatible", sealed(write(reply), write)),
                ("sealed", sealed(write(reply), write)),
            ]:
                verdict = judge(body, mode, format=format)
                assert verdict.outcome == "replied", (mode, verdict)
                assert verdict.reply["MsgType"] == reply["MsgType"]
                assert verdict.document.encode() == write(reply)

        check_rows(itertools.product(REPLIES, FORMATS), check)

    def test_has_articles(self):
        def check(count, fields):
            assert judge(news_in_xml(*[ARTICLE] * count), fields=fields).outcome == "replied"
            assert judge(in_json(news(*[ARTICLE] * count)), format="json", fields=fields).outcome == "replied"

        check_rows([(1, MESSAGE), (1, EVENT), (2, EVENT), (8, EVENT)], check)

    def test_has_a_number_of_its_own(self):
        def check(document, format):
            write = {"xml": xml, "json": in_json}[format]
            assert judge(write(document), format=format).outcome == "acknowledged"
            assert judge(sealed(write(document), write), "sealed", format=format).outcome == "acknowledged"

        check_rows(itertools.product([{"ErrCode": 0, "ErrMsg": "success"}, {"ErrCode": "0"}], FORMATS), check)

    def test_hands_over_for_a_mini_program(self):
        assert judge(xml(REPLIES[6]), settings=MINI).outcome == "replied"

    def test_may_contain_any_text(self):
        def check(content):
            assert judge(text(content)).reply["Content"] == content.replace("]]><![CDATA[", "")

        check_rows(["a]]]]><![CDATA[>b", "<b>&amp;</b>", " a\n\tb ", "👋"], check)


class TestPathCheck:
    """The answer to the POST with which Cloud Run checks a path."""

    def test_is_success_or_empty(self):
        def check(status, body, code):
            for form in FORMATS:
                verdict = judge_echo(build_path_check(form), BotResponse(status, {}, body))
                assert (verdict.problem and verdict.problem.code) == code
                assert verdict.outcome == ("failed" if code else "verified")

        rows = [(200, b"success", None), (200, b"", None), (200, b"ok", "not_success"), (403, b"", "wrong_status")]
        check_rows(rows, check)


class TestEcho:
    def test_is_exact(self):
        def check(status, body, code):
            verdict = judge_echo(build_echostr_request(PLAIN, "42"), BotResponse(status, {}, body))
            assert (verdict.problem and verdict.problem.code) == code
            assert verdict.outcome == ("failed" if code else "verified")

        check_rows(
            [
                *[
                    (200, body, "not_echoed")
                    for body in (b"", b"success", b'"42"', b"42\n", b" 42", b"\xef\xbb\xbf42", b"\xff")
                ],
                *[
                    (302, b"42", "redirected"),
                    (500, b"42", "wrong_status"),
                    (201, b"42", "wrong_status"),
                    (200, b"42", None),
                ],
            ],
            check,
        )


# --- any answer -------------------------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [*TEXT, "Image", "Articles", "item", "ArticleCount", "ErrCode", "Encrypt", "MsgSignature", "TimeStamp", "Nonce"]
)
kinds = st.sampled_from(["text", "image", "news", "music", "transfer_customer_service"])
documents = st.builds(
    lambda base, kind, more: {**base, "MsgType": kind, **more},
    st.sampled_from([{}, HEAD]),
    kinds,
    st.dictionaries(names, values),
)
queries = st.dictionaries(st.sampled_from(["encrypt_type", "nonce"]), st.sampled_from(["aes", ""]))


class TestAnythingAtAll:
    def check(self, body, status=200):
        for mode in ("plain", "compatible", "sealed"):
            for form in ("xml", "json"):
                assert isinstance(judge(body, mode, format=form, status=status), Verdict)
        assert isinstance(judge_echo(build_echostr_request(PLAIN, "1"), BotResponse(status, {}, body)), Verdict)

    @given(st.binary(), st.integers())
    def test_of_bytes_has_a_verdict(self, body, status):
        self.check(body, status)
        self.check(body)

    @given(documents)
    def test_of_json_has_a_verdict(self, document):
        body = json.dumps(document).encode()
        self.check(body)
        self.check(sealed(body, in_json))

    @given(st.text(), st.sampled_from([xml(reply) for reply in REPLIES]), st.integers(0, 400), st.integers(0, 40))
    def test_of_damaged_xml_has_a_verdict(self, inserted, body, start, length):
        damaged = body[:start] + inserted.encode("utf-8", "surrogatepass") + body[start + length :]
        self.check(damaged)
        self.check(sealed(damaged))

    @given(
        st.binary(),
        st.binary(),
        st.dictionaries(st.sampled_from(["encrypt_type", "nonce"]), st.sampled_from(["aes", ""])),
    )
    def test_to_any_request_has_a_verdict(self, push, body, query):
        request = PushRequest("POST", query, push)
        for answer in (body, xml(TEXT), sealed(xml(TEXT)), in_json(TEXT)):
            assert isinstance(judge_reply(PLAIN, request, BotResponse(200, {}, answer), {}), Verdict)
            assert isinstance(judge_reply(SEALED, request, BotResponse(200, {}, answer), {}), Verdict)


# --- secrets ----------------------------------------------------------------------------------------------------------


class TestSecrecy:
    @pytest.mark.parametrize("mode", ["plain", "sealed"])
    def test_holds_for_everything_printable(self, mode, caplog):
        caplog.set_level(logging.DEBUG)
        fields = {**MESSAGE, "Content": WORDS}
        bodies = [xml(TEXT), text("a]]>"), xml({**TEXT, WORDS: WORDS}), xml({**TEXT, "MsgType": WORDS}), b"success"]
        bodies += [sealed(body) for body in bodies]
        seen = []

        def app(environ, start_response):
            start_response("200 OK", [("X-Words", WORDS)])
            return [bodies[len(seen) // 2]]

        with PushSimulator("/", SEALED, wsgi=app, mode=mode, tries=1, on_try=seen.append) as wechat:
            for _ in bodies:
                seen.append(wechat.push(fields))
        assert {type(one) for one in seen} == {Try, Delivery}
        printed = " ".join(f"{one!r} {one} {one.verdict} {one.verdict.detail}" for one in seen) + caplog.text
        request = seen[0].request
        for secret in (WORDS, TOKEN, KEY, request.query["signature"], request.query["nonce"], request.body.decode()):
            assert secret not in printed
