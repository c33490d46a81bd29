"""A response becomes a result, or an error of the family of ClientError that says what is wrong."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from tests.helpers.both_clients import TOKEN, both, catch, make_fixed, serving
from tests.helpers.raw_http import PATIENCE, Connection, Handle, Request, answering, listen, render
from tests.helpers.rows import check_rows
from wechat_msg import errors
from wechat_msg.api._response import APIResponse, read_response
from wechat_msg.api.access_token import AccessToken, get_stable_access_token
from wechat_msg.api.call import get, get_without_access_token, post, raw_call
from wechat_msg.api.results import Member, Members, ResultOf
from wechat_msg.errors import (
    AccessTokenRejected,
    AnswerLost,
    APIError,
    AuthorizationExpired,
    InvalidCredential,
    InvalidParameter,
    QuotaExhausted,
    SystemBusy,
    UnreadableAnswer,
    WindowClosed,
)
from wechat_msg.testing import FakeWeChatAPI

PATH = "/cgi-bin/anything"
ANYTHING = raw_call("GET", PATH)
JSON = "application/json; encoding=utf-8"
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


class RowServer:
    """A server for the rows of a table: `handle` serves the next connection."""

    handle: Handle
    requests: list[Request]

    def serve(self, connection: Connection) -> None:
        self.handle(connection)


@contextlib.contextmanager
def serving_rows(make: Callable[..., Any], **options: Any) -> Iterator[tuple[RowServer, Any]]:
    """Run one server and one client for all rows of a table."""
    rows = RowServer()
    with serving(make, rows.serve, **options) as (server, client):
        rows.requests = server.requests
        yield rows, client


# --- results ---------------------------------------------------------------------------------------------------------

READ = {
    "nothing": (b"{}", {}),
    "ok": (b'{"errcode":0,"errmsg":"ok"}', {"errcode": 0, "errmsg": "ok"}),
    "errcode_as_text": (b'{"errcode":"0"}', {"errcode": "0"}),
    "errcode_null": (b'{"errcode":null,"a":1}', {"errcode": None, "a": 1}),
    "number_beyond_int32": (b'{"msg_id":2147483648}', {"msg_id": 2**31}),
    "number_beyond_double": (b'{"msg_id":9007199254740993}', {"msg_id": 2**53 + 1}),
    "number_beyond_int64": (b'{"msg_id":18446744073709551617}', {"msg_id": 2**64 + 1}),
    "number_with_point": (b'{"latitude":23.134521}', {"latitude": 23.134521}),
    "chinese": ('{"a":"你好 😀"}'.encode(), {"a": "你好 😀"}),
    "escapes": (rb'{"a":"\u4f60\u597d \ud83d\ude00 \/"}', {"a": "你好 😀 /"}),
    "bom": (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    "blanks": (b'\r\n\t {"a" : 1}\r\n\n', {"a": 1}),
    "raw_line_break": (b'{"a":"x\r\ny\tz"}', {"a": "x\r\ny\tz"}),
    "raw_control_character": (b'{"a":"x\x01\x08\x1fy\x00z"}', {"a": "xyz"}),
    "half_of_a_surrogate_pair": (rb'{"a":"x\ud83dy"}', {"a": "x\ufffdy"}),
    "byte_that_is_not_utf_8": (b'{"a":"x\xffy","b":1}', {"a": "x\ufffdy", "b": 1}),
    "text_cut_in_a_character": (b'{"a":"\xe4\xbd","b":1}', {"a": "\ufffd", "b": 1}),
    "escape_that_is_none": (rb'{"a":"C:\dir\x41\u12","b":1}', {"a": r"C:\dir\x41\u12", "b": 1}),
    "not_a_number": (b'{"a":NaN,"b":-Infinity,"c":1e999,"d":1}', {"a": None, "b": None, "c": None, "d": 1}),
    "digits_without_end": (b'{"a":' + b"9" * 100_000 + b',"b":1}', {"a": None, "b": 1}),
    "member_twice": (b'{"errcode":40007,"errcode":0,"a":1,"a":2}', {"errcode": 0, "a": 2}),
    "long": (encode({"list": ["o" * 28] * 10_000}), {"list": ["o" * 28] * 10_000}),
}


class TestReadable:
    def test_is_read_whatever_its_content_type(self):
        def check(body: bytes, result: object) -> None:
            for content_type in (JSON, "text/plain", "text/html; charset=gbk", "image/jpeg", ""):
                assert read_response(ANYTHING, APIResponse(200, content_type, body)) == result

        check_rows(READ, check)

    @both
    def test_is_read_over_http(self, make):
        with serving_rows(make) as (server, client):

            def check(body: bytes, result: object) -> None:
                server.handle = answering(render(body, content_type="text/plain"))
                assert client.call(ANYTHING) == result

            check_rows(READ, check)

    @both
    def test_may_be_nearly_16_mb(self, make):
        result = {"list": ["o" * 28] * 500_000}
        with serving(make, answering(render(encode(result)))) as (_, client):
            assert client.call(ANYTHING) == result

    def test_gives_numbers_to_models_as_they_are(self):
        body = b'{"ids":[2147483648,"18446744073709551617"],"msg_id":9223372036854775809}'

        assert read_response(get(PATH, Member("msg_id", int)), APIResponse(200, JSON, body)) == 2**63 + 1
        assert read_response(get(PATH, Members("ids", int)), APIResponse(200, JSON, body)) == (2**31, 2**64 + 1)


# --- errors of WeChat ------------------------------------------------------------------------------------------------

RID = "61725984-6126f6f9-040f19c4"

REFUSED = {
    "number": (200, b'{"errcode":40007,"errmsg":"invalid media_id"}', 40007, "invalid media_id", None),
    "text": (200, b'{"errcode":"40007","errmsg":"invalid media_id"}', 40007, "invalid media_id", None),
    "text_with_blanks": (200, b'{"errcode":" 40007 ","errmsg":""}', 40007, "", None),
    "number_with_point": (200, b'{"errcode":40007.0}', 40007, "", None),
    "busy": (200, b'{"errcode":-1,"errmsg":"system error"}', -1, "system error", None),
    "busy_as_text": (200, b'{"errcode":"-1","errmsg":"system error"}', -1, "system error", None),
    "unknown": (200, b'{"errcode":9999999999999,"errmsg":"new"}', 9999999999999, "new", None),
    "without_errmsg": (200, b'{"errcode":40007}', 40007, "", None),
    "errmsg_of_another_kind": (200, b'{"errcode":40007,"errmsg":["a",1]}', 40007, "['a', 1]", None),
    "errmsg_null": (200, b'{"errcode":40007,"errmsg":null}', 40007, "", None),
    "rid": (
        200,
        f'{{"errcode":40007,"errmsg":"invalid media_id rid: {RID}"}}'.encode(),
        40007,
        "invalid media_id",
        RID,
    ),
    "hint": (
        200,
        b'{"errcode":40007,"errmsg":"invalid media_id hint: [Xk0823vr30!]"}',
        40007,
        "invalid media_id hint: [Xk0823vr30!]",
        None,
    ),
    "bom_and_control_character": (200, b'\xef\xbb\xbf{"errcode":40007,"errmsg":"a\x01\nb"}', 40007, "a\nb", None),
    "status_403": (403, b'{"errcode":40007,"errmsg":"no"}', 40007, "no", None),
    "status_500": (500, b'{"errcode":40007,"errmsg":"no"}', 40007, "no", None),
    "with_other_members": (200, b'{"errcode":45065,"errmsg":"exist","msg_id":1}', 45065, "exist", None),
    "in_gbk": (200, '{"errcode":40007,"errmsg":"无效 id"}'.encode("gbk"), 40007, "\ufffd\ufffdЧ id", None),
}


class TestRefusal:
    def test_becomes_the_error_of_its_number(self):
        def check(status: int, body: bytes, errcode: int, errmsg: str, rid: str | None) -> None:
            for content_type in (JSON, "text/plain"):
                with pytest.raises(APIError) as caught:
                    read_response(ANYTHING, APIResponse(status, content_type, body))
                assert (caught.value.errcode, caught.value.errmsg, caught.value.rid) == (errcode, errmsg, rid)
                assert str(errcode) in str(caught.value)

        check_rows(REFUSED, check)

    @both
    def test_is_raised_over_http(self, make):
        with FakeWeChatAPI() as wechat, make_fixed(make, wechat.url) as client:

            def check(status: int, body: bytes, errcode: int, errmsg: str, rid: str | None) -> None:
                wechat.answer(PATH, body, status=status, content_type="text/plain")
                with pytest.raises(APIError) as caught:
                    client.call(ANYTHING)
                assert (caught.value.errcode, caught.value.errmsg, caught.value.rid) == (errcode, errmsg, rid)

            check_rows(REFUSED, check)

    def test_is_of_the_class_of_its_number(self):
        def check(errcode, error):
            catch(error, read_response, ANYTHING, APIResponse(200, JSON, encode({"errcode": errcode})))

        check_rows([(45015, WindowClosed), (45009, QuotaExhausted), (-1, SystemBusy), (7, InvalidParameter)], check)

    def test_is_a_result_if_the_call_counts_it_as_success(self):
        call = post("/cgi-bin/message/custom/send", {}, Member("msg_id", int))
        done = APIResponse(200, JSON, b'{"errcode":45065,"errmsg":"clientmsgid exist","msg_id":9223372036854775809}')

        assert read_response(attrs.evolve(call, also_done=frozenset({45065})), done) == 2**63 + 1
        with pytest.raises(APIError):
            read_response(call, done)

    @both
    def test_does_not_show_what_was_sent(self, make):
        """WeChat quotes the query in some of its texts."""
        with FakeWeChatAPI() as wechat, make_fixed(make, wechat.url) as client:
            wechat.fail(PATH, 40007, f"invalid media_id, access_token={TOKEN} in {TOKEN}")
            error = catch(InvalidParameter, client.call, ANYTHING)

        assert error.errmsg == "invalid media_id, access_token=*** in ***"

    def test_of_the_access_token_has_other_classes_if_none_was_sent(self):
        def check(errcode):
            answer = APIResponse(200, JSON, encode({"errcode": errcode, "errmsg": f"no rid: {RID}"}))

            assert catch(AccessTokenRejected, read_response, ANYTHING, answer).errcode == errcode
            error = catch(InvalidCredential, read_response, get_stable_access_token(), answer)
            assert (error.errcode, error.errmsg, error.rid) == (errcode, "no", RID)
            assert "AppSecret" in error.hint
            catch(AuthorizationExpired, read_response, get_without_access_token("/sns/userinfo", dict), answer)

        check_rows([40001, 40014, 42001], check)


# --- what is no answer of WeChat -------------------------------------------------------------------------------------

NESTED = b'{"a":' * 100_000 + b"1" + b"}" * 100_000

UNREADABLE = {
    "empty": (200, JSON, b"", "HTTP 200, application/json"),
    "empty_500": (500, "", b"", "HTTP 500, no Content-Type, 0 bytes"),
    "html_200": (200, "text/html", HTML, "HTTP 200, text/html, 74 bytes: no JSON object"),
    "html_403": (403, "text/html", HTML, "HTTP 403, text/html"),
    "html_502": (502, "text/html", HTML, "HTTP 502, text/html"),
    "html_504_as_json": (504, JSON, HTML, "HTTP 504, application/json"),
    "truncated": (200, JSON, b'{"errcode":0,"errmsg":"o', "no JSON object"),
    "truncated_in_a_character": (200, JSON, '{"a":"你'.encode()[:-1], "no JSON object"),
    "followed_by_more": (200, JSON, b'{"errcode":0}{"errcode":0}', "no JSON object"),
    "array": (200, JSON, b'[{"errcode":0}]', "no JSON object"),
    "number": (200, JSON, b"0", "no JSON object"),
    "null": (200, JSON, b"null", "no JSON object"),
    "text": (200, JSON, b'"ok"', "no JSON object"),
    "word": (200, "text/plain", b"success", "no JSON object"),
    "xml": (200, "text/xml", b"<xml><errcode>0</errcode></xml>", "no JSON object"),
    "nested_100000_deep": (200, JSON, NESTED, "no JSON object"),
    "nested_100000_deep_and_cut_off": (200, JSON, b"[" * 100_000, "no JSON object"),
    "nested_100_deep": (200, JSON, b'{"a":' * 100 + b"1" + b"}" * 100, "no JSON object"),
    "binary": (200, JSON, bytes(range(256)), "no JSON object"),
    "utf_16": (200, JSON, '{"errcode":0}'.encode("utf-16"), "no JSON object"),
    "errcode_of_another_kind": (200, JSON, b'{"errcode":[40001]}', "an errcode that is not a number"),
    "errcode_that_is_a_word": (200, JSON, b'{"errcode":"SUCCESS"}', "an errcode that is not a number"),
    "errcode_with_fraction": (200, JSON, b'{"errcode":0.5}', "an errcode that is not a number"),
    "errcode_without_end": (200, JSON, b'{"errcode":"' + b"9" * 5000 + b'"}', "an errcode that is not a number"),
    "json_of_somebody_else": (500, JSON, b'{"error":"internal"}', "HTTP 500, application/json"),
    "ok_with_status_502": (502, JSON, b'{"errcode":0}', "HTTP 502, application/json"),
}


class TestUnreadable:
    def test_reports_the_status_and_the_mistake(self):
        def check(status: int, content_type: str, body: bytes, text: str) -> None:
            error = catch(UnreadableAnswer, read_response, ANYTHING, APIResponse(status, content_type, body))
            assert text in str(error)
            assert error.status == status

        check_rows(UNREADABLE, check)

    @both
    def test_is_raised_over_http(self, make):
        with serving_rows(make, retries=0) as (server, client):

            def check(status: int, content_type: str, body: bytes, text: str) -> None:
                server.handle = answering(render(body, f"{status} Whatever", content_type=content_type or None))
                error = catch(UnreadableAnswer, client.call, ANYTHING)
                assert text in str(error)
                assert f"HTTP {status}" in str(error)
                assert error.status == status
                assert error.__notes__[0].startswith("GET http://127.0.0.1:")
                assert error.__notes__[0].endswith(PATH)

            check_rows(UNREADABLE, check)

    def test_blames_a_proxy_only_for_answers_that_are_not_from_wechat(self):
        def hint_of(status: int, body: bytes, call: Any = ANYTHING) -> str:
            return catch(UnreadableAnswer, read_response, call, APIResponse(status, JSON, body)).hint

        not_wechats = [(502, HTML), (200, HTML), (200, b""), (200, b'{"errcode":0'), (500, b'{"error":"internal"}')]
        member, model = get(PATH, Member("id", int)), get(PATH, ResultOf(AccessToken))
        wechats = [(200, b'{"errcode":[1]}'), (200, b"{}", member), (200, b"{}", model)]

        assert {"代理" in hint_of(*each) for each in not_wechats} == {True}
        assert {"代理" in hint_of(*each) for each in wechats} == {False}
        assert {"raw_call" in hint_of(*each) for each in wechats} == {True}

    def test_does_not_show_the_body(self):
        body = b'{"access_token":"SECRET-IN-BODY"'
        error = catch(UnreadableAnswer, read_response, ANYTHING, APIResponse(200, JSON, body))

        assert "SECRET-IN-BODY" not in f"{error} {error!r}"

    def test_shows_a_content_type_of_limited_length(self):
        error = catch(UnreadableAnswer, read_response, ANYTHING, APIResponse(200, "x" * 100_000, b""))

        assert len(str(error)) < 300

    def test_is_an_answer_without_a_required_member(self):
        def check(body):
            error = catch(
                UnreadableAnswer, read_response, get(PATH, ResultOf(AccessToken)), APIResponse(200, JSON, body)
            )

            assert "HTTP 200: a member" in str(error)

        check_rows([b"{}", b'{"access_token":[["T"]],"expires_in":7200}', b'{"access_token":"T"}'], check)

    def test_is_an_answer_that_its_reader_does_not_expect(self):
        def check(parse, body):
            error = catch(UnreadableAnswer, read_response, get(PATH, parse), APIResponse(200, JSON, body))

            assert "HTTP 200" in str(error)

        check_rows(
            [
                (Member("id", int), b'{"id":"a"}'),
                (Member("id", int), b'{"id":null}'),
                (Member("id", int), b"{}"),
                (Members("ids", int), b'{"ids":["a"]}'),
                (Members("ids", str), b'{"ids":[[]]}'),
                (lambda answer: answer["list"][0], b'{"list":[]}'),
                (lambda answer: 1 / answer["count"], b'{"count":0}'),
                (lambda answer: answer["text"].strip(), b'{"text":5}'),
            ],
            check,
        )

    @both
    def test_of_20_mb_is_not_read_to_its_end(self, make):
        sent = []

        def send(connection: Connection) -> None:
            connection.read_request()
            connection.send(render(b"", content_length=str(20 << 20)))
            for _ in range(20):
                connection.send(b" " * (1 << 20))
                sent.append(1)

        with serving(make, send, retries=0) as (_, client):
            error = catch(UnreadableAnswer, client.call, ANYTHING)

        assert "HTTP 200: more than 16 MB" in str(error)
        assert len(sent) <= 20


# --- what is no HTTP -------------------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
IN_CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LOST = (AnswerLost,)

BROKEN = {
    "no_answer": (b"", LOST),
    "half_a_head": (b"HTTP/1.1 200", LOST),
    "a_head_without_end": (OK, LOST),
    "binary": (b"\x00\xff\x12 binary\r\n\r\n", LOST),
    "another_protocol": (b"SSH-2.0-OpenSSH_9.6\r\n", LOST),
    "no_head": (b'{"errcode":0}', LOST),
    "status_that_is_no_number": (b"HTTP/1.1 abc OK\r\n\r\n", LOST),
    "status_of_one_digit": (b"HTTP/1.1 2 OK\r\n\r\n", LOST),
    "two_lengths": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", LOST),
    "length_without_end": (OK + b"Content-Length: 999999999999999999999999\r\n\r\n{}", LOST),
    "body_shorter_than_its_length": (OK + b'Content-Length: 100\r\n\r\n{"errcode":0}', LOST),
    "chunk_without_size": (IN_CHUNKS + b"zz\r\n{}\r\n0\r\n\r\n", LOST),
    "chunk_of_negative_size": (IN_CHUNKS + b"-2\r\n{}\r\n0\r\n\r\n", LOST),
    "half_a_chunk": (IN_CHUNKS + b"5\r\n{}", LOST),
    "chunks_without_last": (IN_CHUNKS + b"2\r\n{}\r\n", LOST),
    "gzip_that_is_none": (OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", LOST),
    "gzip_in_gzip_in_gzip": (
        OK + b"Content-Encoding: " + b"gzip," * 100 + b"gzip\r\nContent-Length: 2\r\n\r\n{}",
        LOST,
    ),
    "status_101": (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", LOST),
    "status_204": (b"HTTP/1.1 204 No Content\r\n\r\n", (UnreadableAnswer,)),
    "status_304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", (UnreadableAnswer,)),
    "status_401": (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", (UnreadableAnswer,)),
    "status_407": (b"HTTP/1.1 407 Proxy\r\nContent-Length: 0\r\n\r\n", (UnreadableAnswer,)),
    "status_999": (b"HTTP/1.1 999 Whatever\r\nContent-Length: 0\r\n\r\n", (UnreadableAnswer,)),
    "content_type_that_is_none": (
        b"HTTP/1.1 200 OK\r\nContent-Type: \xff\xfe;;=\r\nContent-Length: 2\r\n\r\n[]",
        (UnreadableAnswer,),
    ),
}


def catch_any(allowed: tuple[type[Exception], ...], client: Any, call: Any = ANYTHING) -> Any:
    """Return the error that a call raises, which must be one of these."""
    with pytest.raises(errors.ClientError) as caught:
        client.call(call)
    assert type(caught.value) in allowed, repr(caught.value)
    return catch(type(caught.value), _raise, caught.value)


def _raise(error: Exception) -> None:
    raise error


NOWHERE = [
    *("", "/", "//", "?", "http://", "http:///", "http://[", "http://:80/", "http://host:99999/", "https:", "ftp://x/"),
    *("javascript:alert(1)", "http://a b/", "http://xn--.com/", "http://\xe9\xff/", "/%zz%", "x" * 9000),
]


@both
class TestBrokenHTTP:
    def test_is_an_error(self, make):
        rows = RowServer()
        with listen(rows.serve) as server:

            def check(answer: bytes, allowed: tuple[type[Exception], ...]) -> None:
                rows.handle, before = answering(answer), len(server.requests)
                with make_fixed(make, server.url) as client:  # a new one, as the server closes connections
                    error = catch_any(allowed, client)
                assert len(server.requests) == before + 1
                if isinstance(error, UnreadableAnswer):
                    assert f"HTTP {error.status}" in str(error)

            check_rows(BROKEN, check)

    def test_continues_after_100_continue(self, make):
        with serving(make, answering(b"HTTP/1.1 100 Continue\r\n\r\n" + render(b'{"a":1}'))) as (_, client):
            assert client.call(ANYTHING) == {"a": 1}

    def test_does_not_affect_the_next_answer(self, make):
        """More was sent than was announced, on a persistent connection."""

        def send(connection: Connection) -> None:
            while True:
                connection.read_request()
                connection.answer(b'{"a":1}{"errcode":40007}', content_length="7")

        with serving(make, send) as (_, client):
            assert [client.call(ANYTHING) for _ in range(5)] == [{"a": 1}] * 5

    @pytest.mark.parametrize(
        "status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"]
    )
    @pytest.mark.parametrize(
        "call", [ANYTHING, raw_call("POST", PATH, json={}, is_repeatable=True)], ids=["get", "post"]
    )
    def test_that_leads_elsewhere_is_not_followed(self, make, status, call):
        with listen(answering(render(b"{}"))) as elsewhere:
            answer = render(HTML, status, location=f"{elsewhere.url}/", content_type="text/html")
            with serving(make, answering(answer)) as (server, client):
                error = catch(UnreadableAnswer, client.call, call)

        assert f"HTTP {status[:3]}, text/html, {len(HTML)} bytes" in str(error)
        assert len(server.requests) == 3
        assert elsewhere.connections == []

    def test_that_leads_nowhere_is_an_error_like_any_other(self, make):
        with serving_rows(make, retries=0) as (server, client):

            def check(location: str) -> None:
                server.handle = answering(render(HTML, "302 Found", location=location))
                catch(UnreadableAnswer, client.call, ANYTHING)

            check_rows(NOWHERE, check)


# --- what has no end -------------------------------------------------------------------------------------------------


def dripping(head: bytes, piece: bytes, pause: float = 0.1) -> Any:
    """Return a handler that sends a piece at regular intervals."""

    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        while not time.sleep(pause):
            connection.send(piece)

    return handle


def silent(head: bytes) -> Any:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        connection.read(1)

    return handle


ENDLESS = {
    "headers": (dripping(OK, b"X-More: 1\r\n" * 1000, 0), LOST),
    "header": (dripping(OK + b"X-More: ", b"x" * 10_000, 0), LOST),
    "status": (dripping(b"HTTP/1.1 200 ", b"x" * 10_000, 0), LOST),
    "chunk_size": (dripping(IN_CHUNKS, b"0" * 10_000, 0), LOST),
    "body": (dripping(OK + b"\r\n", b"x" * 100_000, 0), (UnreadableAnswer,)),
}
DRIPPING = {
    "body": dripping(OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "body_without_length": dripping(OK + b"\r\n", b" "),
    "chunks": dripping(IN_CHUNKS, b"1\r\n \r\n"),
}
SILENT = {
    "from_the_beginning": silent(b""),
    "in_the_head": silent(OK),
    "in_the_body": silent(OK + b'Content-Length: 100\r\n\r\n{"errcode"'),
    "in_a_chunk": silent(IN_CHUNKS + b"5\r\n{"),
}
LIMIT = 10.0
"""Seconds within which a call must end whose timeout is a tenth of them."""


@both
class TestEndless:
    @pytest.mark.parametrize(("handle", "allowed"), ENDLESS.values(), ids=ENDLESS)
    def test_answer_is_not_read_to_its_end(self, make, handle, allowed):
        with serving(make, handle, retries=0) as (_, client):
            catch_any(allowed, client)

    @pytest.mark.parametrize("handle", DRIPPING.values(), ids=DRIPPING)
    def test_answer_that_comes_byte_by_byte_ends_after_the_total_timeout(self, make, handle):
        began = time.monotonic()
        with serving(make, handle, timeout=PATIENCE, total_timeout=LIMIT / 10, retries=0) as (_, client):
            catch(AnswerLost, client.call, ANYTHING)

        assert time.monotonic() - began < LIMIT

    @pytest.mark.parametrize("handle", SILENT.values(), ids=SILENT)
    def test_silence_ends_after_the_read_timeout(self, make, handle):
        began = time.monotonic()
        timeout = PATIENCE, LIMIT / 20
        with serving(make, handle, timeout=timeout, total_timeout=PATIENCE, retries=0) as (_, client):
            catch(AnswerLost, client.call, ANYTHING)

        assert time.monotonic() - began < LIMIT

    def test_answer_that_comes_slowly_but_in_time_is_read(self, make):
        answer = render(b'{"a":1}')

        def handle(connection: Connection) -> None:
            connection.read_request()
            for byte in answer:
                connection.send(bytes([byte]))
                time.sleep(0.002)

        with serving(make, handle) as (_, client):
            assert client.call(ANYTHING) == {"a": 1}
