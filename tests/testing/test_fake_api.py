"""FakeWeChatAPI, called by a plain HTTP client."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.helpers.rows import check_rows
from tests.helpers.waiting import wait_until
from wechat_msg import SettingsError
from wechat_msg.testing import APIRequest, FakeWeChatAPI
from wechat_msg.testing.fake_api.server import Server
from wechat_msg.testing.fake_api.topics import ROUTES

TIMEOUT = 10
NOW = 1_763_703_600.0
JPG = ("a.jpg", b"\xff\xd8\r\n--not the boundary\r\n\xff\xd9", "image/jpeg")
OK = {"errcode": 0, "errmsg": "ok"}


class PlainClient:
    """A plain HTTP client of the fake; it sends the account's access_token unless another is given."""

    def __init__(self, wechat):
        self.wechat = wechat
        self.session = requests.Session()
        self.session.trust_env = False  # to look for proxies would take a quarter of the time of a request

    def access_token(self):
        return self.wechat.access_token or self.fetch()["access_token"]

    def fetch(self, **changes):
        query = {"grant_type": "client_credential", "appid": self.wechat.appid, "secret": self.wechat.secret}
        return self.get("/cgi-bin/token", access_token=None, **{**query, **changes})

    def fetch_stable(self, **changes):
        body = {"grant_type": "client_credential", "appid": self.wechat.appid, "secret": self.wechat.secret}
        return self.post("/cgi-bin/stable_token", {**body, **changes}, access_token=None)

    def get(self, path, **query):
        return self.ask("GET", path, None, **query).json()

    def post(self, path, body, **query):
        return self.ask("POST", path, json.dumps(body, ensure_ascii=False).encode(), **query).json()

    def upload(self, path, files, form=None, **query):
        return self.ask("POST", path, form, files=files, **query).json()

    def ask(self, method, path, data=None, *, access_token="", files=None, **query):
        if access_token is not None:
            query["access_token"] = access_token or self.access_token()
        return self.session.request(
            method, self.wechat.url + path, params=query, data=data, files=files, timeout=TIMEOUT
        )

    def errcode_of(self, access_token):
        """Return the errcode of a call with an access_token; 0 if there is none."""
        return self.get("/cgi-bin/get_api_domain_ip", access_token=access_token).get("errcode", 0)


@pytest.fixture
def wechat():
    with FakeWeChatAPI(clock=lambda: NOW) as wechat:
        yield wechat


@pytest.fixture
def client(wechat):
    client = PlainClient(wechat)
    with client.session:
        yield client


# --- access_tokens ---------------------------------------------------------------------------------------------------


class TestClassicAccessToken:
    def test_is_valid_for_two_hours(self, wechat, client):
        answer = client.fetch()
        assert answer == {"access_token": wechat.access_token, "expires_in": 7200}
        wechat.advance(7199)
        assert client.errcode_of(answer["access_token"]) == 0
        wechat.advance(1)
        assert client.errcode_of(answer["access_token"]) == 42001

    def test_is_new_with_every_fetch_and_the_previous_one_expires_five_minutes_later(self, wechat, client):
        first, second = client.fetch()["access_token"], client.fetch()["access_token"]
        assert first != second
        wechat.advance(299)
        assert (client.errcode_of(first), client.errcode_of(second)) == (0, 0)
        wechat.advance(1)
        assert (client.errcode_of(first), client.errcode_of(second)) == (40001, 0)

    def test_has_a_quota_that_is_used_up_and_can_be_cleared(self, wechat, client):
        access_token = client.access_token()
        wechat.access_token_quota = 1
        client.fetch()
        assert client.fetch()["errcode"] == 45009
        assert client.post("/cgi-bin/clear_quota", {"appid": wechat.appid}, access_token=access_token) == OK
        assert "access_token" in client.fetch()

    def test_has_a_quota_that_cannot_be_cleared_an_eleventh_time(self, wechat, client):
        own = {"appid": wechat.appid, "appsecret": wechat.secret}
        answers = [client.post("/cgi-bin/clear_quota/v2", own, access_token=None)["errcode"] for _ in range(11)]
        assert answers == [0] * 10 + [48006]


class TestStableAccessToken:
    def test_is_the_same_for_all_fetches_with_the_time_left(self, wechat, client):
        first = client.fetch_stable()
        wechat.advance(6855)
        assert client.fetch_stable() == {"access_token": first["access_token"], "expires_in": 345}

    def test_is_replaced_in_its_last_five_minutes_in_which_it_stays_valid(self, wechat, client):
        old = client.fetch_stable()["access_token"]
        wechat.advance(6900)
        new = client.fetch_stable()["access_token"]
        assert new == wechat.stable_access_token != old
        assert (client.errcode_of(old), client.errcode_of(new)) == (0, 0)
        wechat.advance(300)
        assert client.errcode_of(old) == 42001

    def test_expires_at_once_when_a_new_one_is_forced(self, client):
        old = client.fetch_stable()["access_token"]
        new = client.fetch_stable(force_refresh=True)["access_token"]
        assert (client.errcode_of(old), client.errcode_of(new)) == (40001, 0)
        assert client.fetch_stable()["access_token"] == new

    def test_can_be_forced_every_thirty_seconds_and_twenty_times_a_day(self, wechat, client):
        assert "access_token" in client.fetch_stable(force_refresh=True)
        wechat.advance(29)
        assert client.fetch_stable(force_refresh=True)["errcode"] == 45011
        for _ in range(19):
            wechat.advance(30)
            assert "access_token" in client.fetch_stable(force_refresh=True)
        wechat.advance(30)
        assert client.fetch_stable(force_refresh=True)["errcode"] == 45009
        wechat.advance(86400)
        assert "access_token" in client.fetch_stable(force_refresh=True)

    def test_does_not_affect_the_classic_one(self, client):
        classic, stable = client.fetch()["access_token"], client.fetch_stable()["access_token"]
        client.fetch_stable(force_refresh=True)
        client.fetch()
        assert (client.errcode_of(classic), client.errcode_of(stable)) == (0, 40001)


class TestRejectedAccessTokens:
    def test_return_42001_if_expired(self, wechat, client):
        access_tokens = client.fetch()["access_token"], client.fetch_stable()["access_token"]
        wechat.expire_access_tokens()
        assert [client.errcode_of(access_token) for access_token in access_tokens] == [42001, 42001]
        assert client.errcode_of(client.fetch_stable()["access_token"]) == 0

    def test_return_40001_with_the_text_of_wechat_if_revoked(self, wechat, client):
        client.fetch()
        wechat.revoke_access_tokens()
        answer = client.get("/cgi-bin/getcallbackip")
        assert answer["errcode"] == 40001
        assert answer["errmsg"].startswith("invalid credential, access_token is invalid or not latest rid: ")
        assert client.errcode_of(client.fetch()["access_token"]) == 0

    def test_are_replaced_if_stable(self, wechat, client):
        old = client.fetch_stable()["access_token"]
        wechat.revoke_access_tokens()
        new = client.fetch_stable()["access_token"]
        assert (client.errcode_of(old), client.errcode_of(new)) == (40001, 0)

    def test_are_returned_until_a_forced_refresh_if_sticky(self, wechat, client):
        old = client.fetch_stable()["access_token"]
        wechat.revoke_access_tokens(sticky=True)
        assert client.fetch_stable()["access_token"] == old
        new = client.fetch_stable(force_refresh=True)["access_token"]
        assert (client.errcode_of(old), client.errcode_of(new)) == (40001, 0)
        assert client.fetch_stable()["access_token"] == new

    def test_have_other_errcodes_than_missing_and_unknown_ones(self, client):
        def check(access_token, errcode):
            assert client.errcode_of(access_token) == errcode

        check_rows([(None, 41001), ("made-up", 40014)], check)


WRONG_CREDENTIALS = [
    ({"appid": "wxffffffffffffffff"}, 40013),
    ({"secret": "f" * 32}, 40125),
    ({"appid": ""}, 41002),
    ({"secret": ""}, 41004),
    ({"grant_type": "authorization_code"}, 40002),
]


class TestCredentials:
    def test_wrong_ones_are_refused_by_both_kinds(self, client):
        def check(changes, errcode):
            assert client.fetch(**changes)["errcode"] == errcode
            assert client.fetch_stable(**changes)["errcode"] == errcode

        check_rows(WRONG_CREDENTIALS, check)

    def test_an_address_that_is_not_in_the_whitelist_is_named(self, wechat, client):
        wechat.allowed_ips = {"203.0.113.7"}
        answer = client.fetch_stable()
        assert answer["errcode"] == 40164
        assert answer["errmsg"].startswith("invalid ip 127.0.0.1 ")
        wechat.allowed_ips.add("127.0.0.1")
        assert "access_token" in client.fetch_stable()

    def test_the_stable_access_token_cannot_be_fetched_with_get(self, client):
        assert client.get("/cgi-bin/stable_token", access_token=None)["errcode"] == 43002

    def test_fetches_are_counted_whether_they_succeed_or_not(self, wechat, client):
        client.fetch()
        client.fetch(secret="wrong")
        client.fetch_stable()
        assert wechat.access_token_fetches == {"classic": 2, "stable": 1}
        assert len(wechat.requests_to("/cgi-bin/token")) == 2


# --- requests --------------------------------------------------------------------------------------------------------


class TestRequests:
    def test_are_recorded(self, wechat, client):
        access_token = client.access_token()
        client.post("/cgi-bin/user/info/updateremark", {"openid": "oUSER", "remark": "小明"})
        assert [request.path for request in wechat.requests] == ["/cgi-bin/token", "/cgi-bin/user/info/updateremark"]
        (request,) = wechat.requests_to("/cgi-bin/user/info/updateremark")
        assert (request.method, request.query, request.address) == ("POST", {"access_token": access_token}, "127.0.0.1")
        assert request.json == {"openid": "oUSER", "remark": "小明"}
        assert request.headers["content-length"] == str(len(request.body))
        assert request.was_handled

    def test_can_be_cleared(self, wechat, client):
        client.post(SEND, TEXT)
        wechat.clear()
        assert (wechat.requests, wechat.messages) == ([], [])
        assert client.errcode_of(wechat.access_token) == 0

    def test_no_repr_shows_a_secret(self, wechat, client):
        client.fetch_stable()
        client.errcode_of(client.access_token())
        shown = repr(wechat.requests) + repr(wechat) + repr(wechat.stable.newest)
        assert "APIRequest(method='GET', path='/cgi-bin/token'" in shown
        assert not any(secret in shown for secret in (wechat.secret, wechat.access_token, wechat.stable_access_token))

    def test_a_form_is_read(self, wechat, client):
        client.upload(
            "/cgi-bin/material/add_material", {"media": JPG}, {"description": "{}", "说明": "是"}, type="image"
        )
        (request,) = wechat.requests_to("/cgi-bin/material/add_material")
        assert request.files == {"media": JPG}
        assert request.form == {"description": "{}", "说明": "是"}
        assert request.json is None

    def test_a_body_in_chunks_is_read(self, wechat, client):
        client.access_token()
        body = json.dumps(TEXT).encode()
        assert client.ask("POST", SEND, iter([body[:5], body[5:]])).json() == OK
        (request,) = wechat.requests_to(SEND)
        assert request.headers["transfer-encoding"] == "chunked"
        assert request.json == TEXT

    def test_what_is_not_a_form_has_no_files(self):
        request = APIRequest("POST", "/", {}, {"content-type": "multipart/form-data"}, b"{}", "127.0.0.1")
        assert (request.files, request.form) == ({}, {})


SEND = "/cgi-bin/message/custom/send"
TEXT = {"touser": "oUSER", "msgtype": "text", "text": {"content": "hi"}}

REFUSED_BODIES = [
    (b"", 44002),
    (b"{", 47001),
    (b"[]", 47001),
    (b"touser=oUSER", 47001),
    (b"[" * 100_000, 47001),
    ('{"touser":"oUSER","text":"中"}'.encode("gbk"), 47001),
    (json.dumps({**TEXT, "text": {"content": "中"}}).encode(), 40033),
]


class TestRefusals:
    def test_a_body_must_be_json_with_characters_as_they_are(self, client):
        def check(body, errcode):
            assert client.ask("POST", SEND, body).json()["errcode"] == errcode

        check_rows(REFUSED_BODIES, check)

    def test_escapes_of_ascii_are_allowed(self, client):
        def check(content):
            body = json.dumps(TEXT).replace("hi", content)
            assert client.ask("POST", SEND, body.encode()).json() == OK

        check_rows(["line\\nend", "\\u0007", "a \\\\u4e2d written out"], check)

    def test_the_method_must_be_correct(self, client):
        assert client.get(SEND)["errcode"] == 43002
        assert client.post("/cgi-bin/user/get", {})["errcode"] == 43001

    def test_an_unknown_path_is_refused(self, client):
        assert client.get("/cgi-bin/nothing")["errcode"] == 40066

    def test_a_refusal_has_a_rid(self, client):
        answer = client.get("/cgi-bin/user/info", openid="oNOBODY")
        assert answer["errcode"] == 40003
        assert answer["errmsg"].rpartition(" rid: ")[2].count("-") == 2

    def test_json_comes_as_wechat_sends_it(self, wechat, client):
        wechat.add_user("oUSER", remark="小明")
        answer = client.ask("GET", "/cgi-bin/user/info", openid="oUSER")
        assert answer.headers["content-type"] == "application/json; encoding=utf-8"
        assert "小明".encode() in answer.content


# --- faults ----------------------------------------------------------------------------------------------------------


class TestFaults:
    PATH = "/cgi-bin/user/info"

    def ask(self, client, path=PATH):
        return client.get(path, openid="oUSER").get("errcode", 0)

    def test_an_errcode_is_returned_for_the_planned_number_of_requests(self, wechat, client):
        wechat.fail(self.PATH, -1, times=2)
        assert [self.ask(client) for _ in range(3)] == [-1, -1, 0]

    def test_an_errcode_without_times_is_returned_until_the_faults_are_cleared(self, wechat, client):
        wechat.fail(self.PATH, 45009, "used up")
        assert [self.ask(client) for _ in range(3)] == [45009] * 3
        assert client.get(self.PATH)["errmsg"].startswith("used up rid: ")
        wechat.clear_faults(self.PATH)
        assert self.ask(client) == 0

    def test_faults_with_times_come_before_those_without(self, wechat, client):
        wechat.fail(self.PATH, 1)
        wechat.fail(self.PATH, 2)
        wechat.fail(self.PATH, 3, times=1)
        wechat.fail(self.PATH, 4, times=1)
        assert [self.ask(client) for _ in range(4)] == [3, 4, 2, 2]

    def test_other_paths_are_unaffected_unless_the_path_is_an_asterisk(self, wechat, client):
        wechat.fail(self.PATH, -1)
        assert self.ask(client, "/cgi-bin/user/get") == 0
        wechat.fail("*", -2)
        assert self.ask(client, "/cgi-bin/user/get") == -2
        wechat.clear_faults("*")
        assert self.ask(client) == 0

    def test_an_answer_can_be_anything(self, wechat, client):
        wechat.answer(self.PATH, {"subscribe": 7}, times=1)
        wechat.answer(self.PATH, b"<html>", status=502, content_type="text/html", headers={"Retry-After": "3"}, times=1)
        assert client.get(self.PATH) == {"subscribe": 7}
        answer = client.ask("GET", self.PATH)
        assert (answer.status_code, answer.content) == (502, b"<html>")
        assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("text/html", "3")

    def test_an_unknown_path_can_have_an_answer(self, wechat, client):
        wechat.answer("/cgi-bin/draft/count", {"total_count": 3})
        assert client.get("/cgi-bin/draft/count") == {"total_count": 3}

    def test_a_request_dropped_before_it_was_done_has_no_effect(self, wechat, client):
        client.access_token()
        wechat.drop(SEND)
        with pytest.raises(requests.ConnectionError):
            client.post(SEND, TEXT)
        assert wechat.messages == []
        assert client.post(SEND, TEXT) == OK
        assert [request.was_handled for request in wechat.requests_to(SEND)] == [False, True]

    def test_a_request_dropped_after_it_was_done_has_its_effect(self, wechat, client):
        client.access_token()
        wechat.drop(SEND, when="after")
        with pytest.raises(requests.ConnectionError):
            client.post(SEND, TEXT)
        assert wechat.messages == [TEXT]
        assert [request.was_handled for request in wechat.requests_to(SEND)] == [True]

    def test_a_delayed_answer_does_not_delay_others(self, wechat, client):
        access_token = client.access_token()
        wechat.delay(SEND, 0.3, times=1)
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(client.post, SEND, TEXT, access_token=access_token)
            wait_until(lambda: wechat.messages)
            assert PlainClient(wechat).errcode_of(access_token) == 0
            assert not late.done()
            assert late.result() == OK

    def test_closing_the_fake_ends_a_delay(self, wechat, client):
        client.access_token()
        wechat.delay(SEND, 60)
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(client.post, SEND, TEXT)
            wait_until(lambda: wechat.messages)
            wechat.close()
            with pytest.raises(requests.ConnectionError):
                late.result(TIMEOUT)


def connect(wechat):
    return http.client.HTTPConnection("127.0.0.1", int(wechat.url.rpartition(":")[2]), timeout=TIMEOUT)


class TestServer:
    def test_connections_are_persistent(self, wechat):
        with contextlib.closing(connect(wechat)) as connection:
            kept = []
            for _ in range(3):
                connection.request("GET", "/cgi-bin/token")
                connection.getresponse().read()
                kept.append(connection.sock)
            assert kept[0] is not None
            assert kept == [kept[0]] * 3

    @pytest.mark.parametrize(
        ("header", "body"),
        [
            ("Content-Length: 100", "{}"),
            ("Transfer-Encoding: chunked", "64\r\n{}"),
            ("Transfer-Encoding: chunked", "2\r\n{}\r\n"),
        ],
    )
    def test_ignores_a_client_that_closes_the_connection_within_its_request(self, wechat, capfd, header, body):
        with contextlib.closing(connect(wechat)) as connection:
            connection.connect()
            connection.sock.sendall(f"POST {SEND} HTTP/1.1\r\n{header}\r\n\r\n{body}".encode())
            connection.sock.shutdown(socket.SHUT_WR)
            assert connection.sock.recv(100) == b""
        assert wechat.requests == []
        assert capfd.readouterr().err == ""

    def test_closing_closes_persistent_connections(self, wechat, client):
        client.access_token()
        wechat.close()
        with pytest.raises(requests.ConnectionError):
            client.fetch()

    def test_it_can_be_closed_twice_and_started_again(self, wechat, client):
        wechat.close()
        wechat.close()
        wechat.start()
        assert "access_token" in client.fetch()

    def test_listens_on_the_given_port(self, wechat):
        port = int(wechat.url.rpartition(":")[2])
        wechat.close()
        with FakeWeChatAPI(port=port) as other:
            assert other.url == wechat.url

    def test_its_clock_is_the_real_one_if_none_is_given(self):
        wechat = FakeWeChatAPI()
        assert abs(wechat.clock() - time.time()) < 5
        wechat.advance(3600)
        assert abs(wechat.clock() - time.time() - 3600) < 5

    def test_serves_two_hundred_clients_at_once(self, wechat):
        wechat.limits_messages = False
        access_token = PlainClient(wechat).access_token()
        together = threading.Barrier(200, timeout=TIMEOUT)

        def ask(number):
            client = PlainClient(wechat)
            with client.session:
                together.wait()
                return client.post(SEND, {**TEXT, "text": {"content": str(number)}}, access_token=access_token)

        with ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(ask, range(200)))
        assert answers == [OK] * 200
        assert sorted(int(message["text"]["content"]) for message in wechat.messages) == list(range(200))

    def test_receives_and_sends_twenty_megabytes(self, client):
        content = bytes(range(256)) * (20 * 4096)
        files = {"media": ("a.mp3", content, "audio/mp3")}
        media_id = client.upload("/cgi-bin/media/upload", files, type="voice")["media_id"]
        assert client.ask("GET", "/cgi-bin/media/get", media_id=media_id).content == content


# --- topics ----------------------------------------------------------------------------------------------------------


class TestMessages:
    def test_are_stored_if_accepted(self, wechat, client):
        news = {"touser": "oUSER2", "msgtype": "news", "news": {"articles": [{"title": "a"}]}}
        assert client.post(SEND, TEXT) == client.post(SEND, news) == OK
        assert wechat.messages == [TEXT, news]

    def test_are_refused_if_invalid(self, wechat, client):
        def check(changes, errcode):
            assert client.post(SEND, {**TEXT, **changes})["errcode"] == errcode
            assert wechat.messages == []

        check_rows(
            [
                ({"touser": "oNOBODY"}, 40003),
                ({"touser": None}, 40003),
                ({"msgtype": "fax"}, 40008),
                ({"msgtype": "image"}, 40035),
                ({"text": {"content": ""}}, 44004),
                ({"msgtype": "image", "image": {"media_id": "unknown"}}, 40007),
                ({"msgtype": "news", "news": {"articles": [{}, {}]}}, 45008),
                ({"text": {"content": "长" * 683}}, 45002),
            ],
            check,
        )

    def test_a_text_of_2047_bytes_is_accepted(self, client):
        assert client.post(SEND, {**TEXT, "text": {"content": "长" * 682 + "x"}}) == OK

    def test_to_a_user_on_the_blacklist_are_refused(self, client):
        client.post("/cgi-bin/tags/members/batchblacklist", {"openid_list": ["oUSER"]})
        assert client.post(SEND, TEXT)["errcode"] == 43019

    def test_a_mass_message_is_sent_once_for_each_clientmsgid(self, client):
        message = {"filter": {"is_to_all": True}, "msgtype": "text", "text": {"content": "hi"}, "clientmsgid": "one"}
        first = client.post("/cgi-bin/message/mass/sendall", message)
        again = client.post("/cgi-bin/message/mass/sendall", message)
        assert (again["errcode"], again["msg_id"]) == (45065, first["msg_id"])
        status = client.post("/cgi-bin/message/mass/get", {"msg_id": first["msg_id"]})
        assert status == {"msg_id": first["msg_id"], "msg_status": "SEND_SUCCESS"}

    def test_a_mass_message_without_clientmsgid_is_identified_by_its_content(self, client):
        def send(content, **to):
            message = {"filter": to, "msgtype": "text", "text": {"content": content}}
            return client.post("/cgi-bin/message/mass/sendall", message)

        first = send("hi", is_to_all=True)
        again = send("hi", is_to_all=False, tag_id=2)
        assert (again["errcode"], again["msg_id"]) == (45065, first["msg_id"])
        assert send("hello", is_to_all=True)["errcode"] == 0

    def test_records_come_in_pages(self, client):
        asked = {"starttime": 1, "endtime": 2, "msgid": 1, "number": 1}
        page = client.post("/customservice/msgrecord/getmsglist", asked)
        assert (page["number"], page["msgid"]) == (1, 2)
        assert client.post("/customservice/msgrecord/getmsglist", {**asked, "msgid": 3})["recordlist"] == []


HOURS = 3600
PUSHED = {"ToUserName": "gh_1", "FromUserName": "oUSER", "CreateTime": 1, "MsgType": "text", "Content": "hi"}


class TestTheWindow:
    """Number of customer-service messages to a user after an action, and the time for them."""

    def send(self, client, times=1, openid="oUSER"):
        client.fetch()  # hours may have passed
        return [client.post(SEND, {**TEXT, "touser": openid})["errcode"] for _ in range(times)]

    def test_is_open_at_first_as_if_every_follower_had_just_sent_a_message(self, wechat, client):
        wechat.add_user("oNEW")
        for openid in ("oUSER", "oUSER2", "oNEW"):
            assert self.send(client, 6, openid) == [0] * 5 + [45047]

    def test_can_be_closed_and_opened(self, wechat, client):
        wechat.close_window("oUSER")
        wechat.add_user("oUSER", remark="the same as before")
        assert self.send(client) == [45015]
        assert self.send(client, openid="oUSER2") == [0]
        wechat.open_window("oUSER")
        assert self.send(client) == [0]

    def test_allows_what_the_last_action_allows(self, wechat, client):
        def check(action, amount, seconds):
            wechat.close_window("oUSER")
            wechat.open_window("oUSER", action)
            assert self.send(client, amount + 1) == [0] * amount + [45047]
            wechat.open_window("oUSER", action)
            wechat.advance(seconds - 1)
            assert self.send(client) == [0]
            wechat.advance(1)
            assert self.send(client) == [45015]

        check_rows(
            [
                ("message", 5, 48 * HOURS),
                ("CLICK", 3, 60),
                ("scancode_push", 3, 60),
                ("scancode_waitmsg", 3, 60),
                ("subscribe", 3, 60),
                ("SCAN", 3, 60),
                ("user_enter_tempsession", 2, 60),
            ],
            check,
        )

    def test_is_renewed_by_every_message_and_does_not_add_up(self, wechat, client):
        for _ in range(3):
            wechat.open_window("oUSER")
        wechat.open_window("oUSER", "CLICK")
        assert self.send(client, 6) == [0] * 5 + [45047]

    def test_of_a_click_allows_three_more_when_those_of_a_message_are_used_up(self, wechat, client):
        self.send(client, 5)
        wechat.record_push(PUSHED)
        self.send(client, 5)
        wechat.open_window("oUSER", "CLICK")
        assert self.send(client, 4) == [0] * 3 + [45047]
        wechat.open_window("oUSER", "CLICK")
        wechat.advance(60)
        assert self.send(client) == [45047]

    def test_does_not_count_refused_messages(self, client):
        for _ in range(9):
            client.post(SEND, {**TEXT, "text": {"content": ""}})
        assert self.send(client) == [0]

    def test_is_opened_by_pushes(self, wechat, client):
        self.send(client, 5)
        wechat.record_push(PUSHED)
        assert self.send(client) == [0]

    def test_is_that_of_the_first_recorded_push(self, wechat, client):
        """The message that every follower is assumed to have sent no longer counts."""
        wechat.record_push({**PUSHED, "MsgType": "event", "Event": "subscribe", "EventKey": ""})
        assert self.send(client, 4) == [0] * 3 + [45047]
        wechat.advance(60)
        assert self.send(client) == [45015]

    def test_is_not_opened_by_events_that_are_not_actions_of_the_user(self, wechat, client):
        wechat.close_window("oUSER")
        for event in ("VIEW", "LOCATION", "TEMPLATESENDJOBFINISH"):
            wechat.record_push({**PUSHED, "MsgType": "event", "Event": event})
        assert self.send(client) == [45015]

    def test_is_closed_when_the_user_stops_following(self, wechat, client):
        wechat.record_push({**PUSHED, "MsgType": "event", "Event": "unsubscribe"})
        assert wechat.users["oUSER"]["subscribe"] == 0
        assert self.send(client) == [45015]
        wechat.record_push({**PUSHED, "MsgType": "event", "Event": "subscribe"})
        assert self.send(client) == [0]

    def test_of_an_unknown_user_opens_with_the_first_push(self, wechat, client):
        wechat.record_push({**PUSHED, "FromUserName": "oNEW"})
        assert self.send(client, openid="oNEW") == [0]

    def test_is_unchanged_by_a_push_that_is_not_of_a_user(self, wechat):
        def check(fields):
            wechat.record_push(fields)
            assert len(wechat.users) == 3

        check_rows([{}, {"MsgType": "text"}, {"FromUserName": ["o"]}, {"MsgType": "event", "Event": None}], check)

    def test_is_opened_only_by_actions(self, wechat):
        with pytest.raises(SettingsError, match="action"):
            wechat.open_window("oUSER", "VIEW")

    def test_can_be_switched_off(self, wechat, client):
        wechat.limits_messages = False
        wechat.close_window("oUSER")
        assert self.send(client, 9) == [0] * 9


class TestAnAccountThatIsNotVerified:
    @pytest.fixture
    def wechat(self):
        with FakeWeChatAPI(verified=False) as wechat:
            yield wechat

    def test_may_not_make_calls_for_verified_accounts(self, client):
        def check(path, body):
            answer = client.post(path, body)
            assert answer["errcode"] == 48001
            assert answer["errmsg"].startswith("api unauthorized rid: ")

        check_rows(
            [
                (SEND, TEXT),
                ("/cgi-bin/message/custom/typing", {"touser": "oUSER", "command": "Typing"}),
                ("/cgi-bin/message/template/send", {}),
                ("/cgi-bin/message/mass/sendall", {}),
                ("/cgi-bin/tags/create", {"tag": {"name": "a"}}),
                ("/cgi-bin/qrcode/create", {}),
            ],
            check,
        )

    def test_may_read_no_users(self, client):
        assert client.get("/cgi-bin/user/info", openid="oUSER")["errcode"] == 48001

    def test_still_has_access_tokens_and_files(self, client):
        assert client.errcode_of(client.access_token()) == 0
        assert "media_id" in client.upload("/cgi-bin/material/add_material", {"media": JPG}, type="image")

    def test_may_make_them_once_it_is_verified(self, wechat, client):
        wechat.verified = True
        assert client.post(SEND, TEXT) == OK


TEMPLATED = {"touser": "oUSER", "template_id": "TEMPLATE_ID", "data": {"thing1": {"value": "面包"}}}


class TestTemplates:
    PATHS = ("/cgi-bin/message/template/send", "/cgi-bin/message/subscribe/send", "/cgi-bin/message/subscribe/bizsend")

    def test_a_message_must_fit(self, wechat, client):
        def check(path, changes, errcode):
            wechat.refuse_messages("oUSER2")
            assert client.post(path, {**TEMPLATED, **changes})["errcode"] == errcode

        check_rows(
            [
                (path, *row)
                for path in self.PATHS
                for row in [
                    ({}, 0),
                    ({"touser": "oNOBODY"}, 40003),
                    ({"touser": "oUSER2"}, 43101),
                    ({"template_id": "unknown"}, 40037),
                    ({"template_id": None}, 40037),
                    ({"data": None}, 47003),
                    ({"data": {"thing1": {"value": ""}}}, 47003),
                    ({"data": {"thing1": {"value": "长" * 21}}}, 47003),
                ]
            ],
            check,
        )

    def test_the_errmsg_names_the_value_that_does_not_fit(self, client):
        answer = client.post(self.PATHS[0], {**TEMPLATED, "data": {"phrase2": {"value": "长长长长长长"}}})
        assert answer["errmsg"].startswith("argument invalid! data.phrase2.value invalid rid: ")

    def test_a_user_who_does_not_follow_gets_no_template_message(self, wechat, client):
        wechat.add_user("oUSER", subscribe=0)
        assert client.post(self.PATHS[0], TEMPLATED)["errcode"] == 43004

    def test_can_be_added_used_and_deleted(self, client):
        added = client.post("/wxaapi/newtmpl/addtemplate", {"tid": "401", "kidList": [1, 2]})["priTmplId"]
        assert client.post(self.PATHS[1], {**TEMPLATED, "template_id": added})["errcode"] == 0
        assert client.post("/wxaapi/newtmpl/deltemplate", {"priTmplId": added}) == OK
        listed = client.get("/wxaapi/newtmpl/gettemplate")["data"]
        assert [template["priTmplId"] for template in listed] == ["TEMPLATE_ID"]


class TestMedia:
    def test_an_upload_can_be_downloaded_for_three_days(self, wechat, client):
        uploaded = client.upload("/cgi-bin/media/upload", {"media": JPG}, type="image")
        assert (uploaded["type"], uploaded["created_at"]) == ("image", int(NOW))
        answer = client.ask("GET", "/cgi-bin/media/get", media_id=uploaded["media_id"])
        assert (answer.content, answer.headers["content-type"]) == (JPG[1], "image/jpeg")
        assert answer.headers["content-disposition"] == f'attachment; filename="{uploaded["media_id"]}.jpg"'
        wechat.advance(3 * 86400)
        assert (
            client.get(
                "/cgi-bin/media/get", media_id=uploaded["media_id"], access_token=client.fetch()["access_token"]
            )["errcode"]
            == 40007
        )

    def test_the_download_of_a_video_is_its_url(self, client):
        media_id = client.upload("/cgi-bin/media/upload", {"media": JPG}, type="video")["media_id"]
        url = client.get("/cgi-bin/media/get", media_id=media_id)["video_url"]
        assert client.session.get(url, timeout=TIMEOUT).content == JPG[1]

    def test_the_upload_of_a_thumb_returns_only_a_thumb_media_id(self, client):
        uploaded = client.upload("/cgi-bin/media/upload", {"media": JPG}, type="thumb")
        assert set(uploaded) == {"type", "thumb_media_id", "created_at"}

    def test_an_upload_must_hold_a_file(self, client):
        def check(files, kind, errcode):
            assert client.upload("/cgi-bin/media/upload", files, type=kind)["errcode"] == errcode

        check_rows(
            [
                ({"media": JPG}, "fax", 40004),
                ({"file": JPG}, "image", 41005),
                ({"media": ("a.jpg", b"", "image/jpeg")}, "image", 44001),
            ],
            check,
        )

    def test_a_file_name_of_rfc_2231_is_not_read(self, client):
        client.session.headers["Content-Type"] = "multipart/form-data; boundary=B"
        body = b"--B\r\nContent-Disposition: form-data; name=\"media\"; filename*=UTF-8''a.jpg\r\n\r\nx\r\n--B--\r\n"
        assert client.ask("POST", "/cgi-bin/media/upload", body, type="image").json()["errcode"] == 41005

    def test_material_stays_until_it_is_deleted(self, wechat, client):
        added = client.upload("/cgi-bin/material/add_material", {"media": JPG}, type="image")
        wechat.advance(365 * 86400)
        client.fetch()
        body = json.dumps({"media_id": added["media_id"]})
        assert client.ask("POST", "/cgi-bin/material/get_material", body).content == JPG[1]
        assert client.get("/cgi-bin/material/get_materialcount")["image_count"] == 1
        listed = client.post("/cgi-bin/material/batchget_material", {"type": "image", "offset": 0, "count": 20})
        assert listed["item"][0]["url"] == added["url"]
        assert client.ask("POST", "/cgi-bin/material/del_material", body).json() == OK
        assert client.ask("POST", "/cgi-bin/material/get_material", body).json()["errcode"] == 40007

    def test_a_permanent_video_has_a_description(self, client):
        form = {"description": json.dumps({"title": "片", "introduction": "段"}, ensure_ascii=False)}
        media_id = client.upload("/cgi-bin/material/add_material", {"media": JPG}, form, type="video")["media_id"]
        found = client.post("/cgi-bin/material/get_material", {"media_id": media_id})
        assert (found["title"], found["description"]) == ("片", "段")

    def test_temporary_media_are_not_material(self, client):
        media_id = client.upload("/cgi-bin/media/upload", {"media": JPG}, type="image")["media_id"]
        assert client.post("/cgi-bin/material/get_material", {"media_id": media_id})["errcode"] == 40007


class TestUsers:
    def test_followers_come_in_pages_of_which_the_last_is_empty(self, wechat, client):
        wechat.page_size = 2
        first = client.get("/cgi-bin/user/get")
        assert first == {
            "total": 3,
            "count": 2,
            "data": {"openid": ["oUSER", "oUSER2"]},
            "next_openid": "oUSER2",
        }
        second = client.get("/cgi-bin/user/get", next_openid="oUSER2")
        assert (second["data"], second["next_openid"]) == ({"openid": ["oUSER3"]}, "oUSER3")
        behind = client.get("/cgi-bin/user/get", next_openid="oUSER3")
        assert behind == {"total": 3, "count": 0, "next_openid": ""}

    def test_only_the_openid_of_a_former_follower_is_returned(self, wechat, client):
        wechat.add_user("oGONE", subscribe=0)
        assert client.get("/cgi-bin/user/info", openid="oGONE") == {"subscribe": 0, "openid": "oGONE"}
        assert "oGONE" not in client.get("/cgi-bin/user/get")["data"]["openid"]

    def test_a_remark_is_stored(self, wechat, client):
        assert client.post("/cgi-bin/user/info/updateremark", {"openid": "oUSER", "remark": "小明"}) == OK
        assert client.get("/cgi-bin/user/info", openid="oUSER")["remark"] == "小明"
        assert wechat.users["oUSER"]["remark"] == "小明"

    def test_tags_are_created_added_and_removed(self, client):
        tag = client.post("/cgi-bin/tags/create", {"tag": {"name": "广东"}})["tag"]["id"]
        tagged = {"openid_list": ["oUSER", "oUSER2"], "tagid": tag}
        assert client.post("/cgi-bin/tags/members/batchtagging", tagged) == OK
        assert client.post("/cgi-bin/tags/getidlist", {"openid": "oUSER"}) == {"tagid_list": [tag]}
        assert client.post("/cgi-bin/user/tag/get", {"tagid": tag})["data"] == {"openid": ["oUSER", "oUSER2"]}
        assert client.post("/cgi-bin/tags/members/batchuntagging", {**tagged, "openid_list": ["oUSER"]}) == OK
        assert {"id": tag, "name": "广东", "count": 1} in client.get("/cgi-bin/tags/get")["tags"]
        assert client.post("/cgi-bin/tags/delete", {"tag": {"id": tag}}) == OK
        assert client.get("/cgi-bin/user/info", openid="oUSER2")["tagid_list"] == []

    def test_an_invalid_tag_is_refused(self, client):
        def check(path, body, errcode):
            assert client.post(f"/cgi-bin/tags/{path}", body)["errcode"] == errcode

        check_rows(
            [
                ("create", {"tag": {"name": "星标组"}}, 45157),
                ("create", {"tag": {"name": "长" * 31}}, 45158),
                ("update", {"tag": {"id": 2, "name": "a"}}, 45058),
                ("delete", {"tag": {"id": 999}}, 45159),
                ("members/batchtagging", {"openid_list": ["oUSER"], "tagid": 999}, 45159),
                ("members/batchtagging", {"openid_list": ["oNOBODY"], "tagid": 2}, 40003),
                ("members/batchtagging", {"openid_list": ["oUSER"] * 51, "tagid": 2}, 40032),
            ],
            check,
        )

    def test_the_blacklist_is_stored(self, wechat, client):
        users = {"openid_list": ["oUSER", "oUSER2"]}
        client.post("/cgi-bin/tags/members/batchblacklist", users)
        assert client.post("/cgi-bin/tags/members/getblacklist", {"begin_openid": ""})["data"]["openid"] == [
            "oUSER",
            "oUSER2",
        ]
        client.post("/cgi-bin/tags/members/batchunblacklist", {"openid_list": ["oUSER"]})
        assert wechat.blacklist == ["oUSER2"]


BUTTONS = [{"name": "菜单", "sub_button": [{"type": "click", "name": "赞", "key": "V1"}]}]


class TestMenus:
    def test_do_not_exist_at_first(self, client):
        assert client.get("/cgi-bin/menu/get")["errcode"] == 46003
        assert client.get("/cgi-bin/get_current_selfmenu_info")["is_menu_open"] == 0
        conditional = {"button": BUTTONS, "matchrule": {"tag_id": "2"}}
        assert client.post("/cgi-bin/menu/addconditional", conditional)["errcode"] == 65303

    def test_exist_until_they_are_deleted(self, client):
        assert client.post("/cgi-bin/menu/create", {"button": BUTTONS}) == OK
        assert client.get("/cgi-bin/menu/get")["menu"]["button"] == BUTTONS
        shown = client.get("/cgi-bin/get_current_selfmenu_info")["selfmenu_info"]["button"]
        assert shown[0]["sub_button"] == {"list": BUTTONS[0]["sub_button"]}
        assert client.get("/cgi-bin/menu/delete") == OK
        assert client.get("/cgi-bin/menu/get")["errcode"] == 46003

    def test_the_newest_conditional_menu_that_matches_wins(self, wechat, client):
        wechat.add_user("oUSER", tagid_list=[2])
        special = [{"type": "click", "name": "星", "key": "V2"}]
        client.post("/cgi-bin/menu/create", {"button": BUTTONS})
        for button in (BUTTONS, special):
            client.post("/cgi-bin/menu/addconditional", {"button": button, "matchrule": {"tag_id": "2"}})
        assert client.post("/cgi-bin/menu/trymatch", {"user_id": "oUSER"})["button"] == special
        assert client.post("/cgi-bin/menu/trymatch", {"user_id": "oUSER2"})["button"] == BUTTONS


class TestCodes:
    def test_a_qr_code_has_a_picture(self, client):
        scene = {"scene": {"scene_str": "shop"}}
        code = client.post("/cgi-bin/qrcode/create", {"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene})
        picture = client.ask("GET", "/cgi-bin/showqrcode", access_token=None, ticket=code["ticket"])
        assert picture.content.startswith(b"\x89PNG\r\n")
        assert client.ask("GET", "/cgi-bin/showqrcode", access_token=None, ticket="unknown").status_code == 404

    def test_only_a_temporary_one_expires(self, client):
        scene = {"scene": {"scene_id": 1}}
        temporary = {"action_name": "QR_SCENE", "action_info": scene, "expire_seconds": 600}
        assert client.post("/cgi-bin/qrcode/create", temporary)["expire_seconds"] == 600
        permanent = {"action_name": "QR_LIMIT_SCENE", "action_info": scene}
        assert "expire_seconds" not in client.post("/cgi-bin/qrcode/create", permanent)

    def test_a_mini_program_code_is_a_picture_or_json(self, client):
        code = client.ask("POST", "/wxa/getwxacode", b'{"path":"pages/index"}')
        assert code.content.startswith(b"\x89PNG\r\n")
        assert (code.headers["content-type"], code.headers["num-used"]) == ("image/png", "1")
        assert client.post("/wxa/getwxacodeunlimit", {"scene": "a=1", "page": "/pages/index"})["errcode"] == 41030
        assert client.post("/wxa/getwxacodeunlimit", {"scene": "a%20"})["errcode"] == 40129


class TestLogin:
    @pytest.fixture
    def own(self, wechat):
        return {
            "appid": wechat.appid,
            "secret": wechat.secret,
            "grant_type": "authorization_code",
            "access_token": None,
        }

    def test_a_code_can_be_used_once(self, wechat, client, own):
        wechat.add_code("CODE", "oUSER2", "snsapi_base")
        answer = client.get("/sns/oauth2/access_token", **own, code="CODE")
        assert (answer["openid"], answer["scope"]) == ("oUSER2", "snsapi_base")
        assert client.get("/sns/oauth2/access_token", **own, code="CODE")["errcode"] == 40163
        assert client.get("/sns/oauth2/access_token", **own)["errcode"] == 41008
        assert client.get("/sns/jscode2session", **own, js_code="CODE2")["openid"] == "oUSER"

    def test_the_access_token_of_a_user_is_valid_for_that_user_only(self, wechat, client, own):
        access_token = client.get("/sns/oauth2/access_token", **own, code="CODE")["access_token"]
        assert client.get("/sns/auth", access_token=access_token, openid="oUSER") == OK
        assert client.get("/sns/userinfo", access_token=access_token, openid="oUSER")["openid"] == "oUSER"
        assert client.get("/sns/userinfo", access_token=access_token, openid="oUSER2")["errcode"] == 40003
        wechat.advance(7200)
        assert client.get("/sns/auth", access_token=access_token, openid="oUSER")["errcode"] == 42001

    def test_it_can_be_refreshed(self, wechat, client, own):
        answer = client.get("/sns/oauth2/access_token", **own, code="CODE")
        query = {"appid": wechat.appid, "access_token": None}
        again = client.get("/sns/oauth2/refresh_token", **query, refresh_token=answer["refresh_token"])
        assert client.get("/sns/auth", access_token=again["access_token"], openid="oUSER") == OK
        assert client.get("/sns/oauth2/refresh_token", **query, refresh_token="unknown")["errcode"] == 40030

    def test_the_silent_scope_does_not_allow_the_profile(self, wechat, client, own):
        wechat.add_code("CODE", "oUSER", "snsapi_base")
        access_token = client.get("/sns/oauth2/access_token", **own, code="CODE")["access_token"]
        assert client.get("/sns/userinfo", access_token=access_token, openid="oUSER")["errcode"] == 48001

    def test_a_session_is_checked_by_its_signature(self, client, own):
        session_key = client.get("/sns/jscode2session", **own, js_code="CODE")["session_key"]
        signature = hmac.new(session_key.encode(), b"", hashlib.sha256).hexdigest()
        signed = {"openid": "oUSER", "sig_method": "hmac_sha256", "signature": signature}
        assert client.get("/wxa/checksession", **signed) == OK
        assert client.get("/wxa/resetusersessionkey", **signed)["session_key"] != session_key
        assert client.get("/wxa/checksession", **signed)["errcode"] == 87009
        assert client.get("/wxa/checksession", **{**signed, "openid": "oUSER2"})["errcode"] == 87007

    def test_a_ticket_stays_the_same_for_two_hours(self, wechat, client):
        ticket = client.get("/cgi-bin/ticket/getticket", type="jsapi")
        assert ticket["expires_in"] == 7200
        wechat.advance(7100)
        again = client.get("/cgi-bin/ticket/getticket", type="jsapi")
        assert again == {**ticket, "expires_in": 100}
        wechat.advance(100)
        access_token = client.fetch()["access_token"]
        assert (
            client.get("/cgi-bin/ticket/getticket", type="jsapi", access_token=access_token)["ticket"]
            != ticket["ticket"]
        )


# --- every path ------------------------------------------------------------------------------------------------------

TO = {"touser": "oUSER"}
BY_USER = {"openid": "oUSER"}
AGENT = {"kf_account": "a@wechat"}
SIGNED = {**BY_USER, "sig_method": "hmac_sha256"}
CARD = {**BY_USER, "notify_type": 2001, "notify_code": "CODE"}
SCENE = {"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 1}}}
DATA = {"template_id": "TEMPLATE_ID", "data": {"thing1": {"value": "面包"}}}
MASS = {"msgtype": "text", "text": {"content": "hi"}}
ARTICLES = {"articles": [{"title": "a"}]}
BUTTON = {"button": [{"type": "click", "name": "a", "key": "b"}]}
ONE_TAGGED = {"openid_list": ["oUSER"], "tagid": 2}
LISTED = {"openid_list": ["oUSER"]}
ONE_DAY = {"begin_date": "2026-11-29", "end_date": "2026-11-29"}
SHIPPED = {"order_key": {"order_number_type": 2, "transaction_id": "1"}, "logistics_type": 4, "delivery_mode": 1}
PARCELS = {"shipping_list": [{"item_desc": "面包"}]}
PAID = {"payer": BY_USER, "upload_time": "2026-11-29T13:55:58+08:00"}
PAYMENT = {**BY_USER, "env": 0}
PAY_ORDER = {"env": 0, "order_id": "1"}
CONTRACT = {**BY_USER, "product_id": "1", "out_contract_code": "1"}
COMPLAINT = {"env": 0, "complaint_id": "1"}

ARTICLE = {"title": "a", "content": "b", "thumb_media_id": "<THUMB>"}
COMMENT = {"msg_data_id": 1, "user_comment_id": "<COMMENT>"}

#: A successful request to every path: a text is the query of an upload; a dict is the query of a GET or the
#: body of a POST. `prepare` returns the values of the placeholders in angle brackets.
REQUESTS = {
    "/cgi-bin/ticket/getticket": {"type": "jsapi"},
    "/cgi-bin/clear_quota": {"appid": "<APPID>"},
    "/cgi-bin/openapi/quota/get": {"cgi_path": SEND},
    "/cgi-bin/openapi/quota/clear": {"cgi_path": SEND},
    "/cgi-bin/openapi/rid/get": {"rid": "61725984-6126f6f9-040f19c4"},
    "/cgi-bin/get_api_domain_ip": {},
    "/cgi-bin/getcallbackip": {},
    "/cgi-bin/callback/check": {"action": "all", "check_operator": "DEFAULT"},
    "/cgi-bin/message/custom/send": TEXT,
    "/cgi-bin/message/custom/business/send": TEXT,
    "/cgi-bin/message/custom/typing": {**TO, "command": "Typing"},
    "/cgi-bin/message/custom/business/typing": {**TO, "command": "Typing"},
    "/customservice/kfaccount/add": {"kf_account": "b@wechat", "nickname": "b"},
    "/customservice/kfaccount/update": {**AGENT, "nickname": "b"},
    "/customservice/kfaccount/del": AGENT,
    "/customservice/kfaccount/inviteworker": {**AGENT, "invite_wx": "wx"},
    "/customservice/kfaccount/uploadheadimg": "kf_account=a@wechat",
    "/customservice/kfaccount/setadmin": {"kf_openid": "oUSER"},
    "/customservice/kfaccount/canceladmin": {"kf_openid": "oUSER"},
    "/cgi-bin/customservice/getkflist": {},
    "/cgi-bin/customservice/getonlinekflist": {},
    "/customservice/kfsession/create": {**AGENT, **BY_USER},
    "/customservice/kfsession/close": {**AGENT, **BY_USER},
    "/customservice/kfsession/getsession": BY_USER,
    "/customservice/kfsession/getsessionlist": AGENT,
    "/customservice/kfsession/getwaitcase": {},
    "/customservice/msgrecord/getmsglist": {"starttime": 1, "endtime": 2, "msgid": 1, "number": 9},
    "/cgi-bin/message/mass/sendall": {"filter": {"tag_id": 2}, **MASS},
    "/cgi-bin/message/mass/send": {
        "touser": ["oUSER", "oUSER2"],
        "msgtype": "image",
        "images": {"media_ids": ["<MEDIA>"]},
    },
    "/cgi-bin/message/mass/preview": {**TO, **MASS},
    "/cgi-bin/message/mass/get": {"msg_id": "<MASS>"},
    "/cgi-bin/message/mass/delete": {"msg_id": "<MASS>"},
    "/cgi-bin/message/mass/speed/get": {},
    "/cgi-bin/message/mass/speed/set": {"speed": 1},
    "/cgi-bin/media/upload": "type=image",
    "/cgi-bin/media/get": {"media_id": "<MEDIA>"},
    "/cgi-bin/media/get/jssdk": {"media_id": "<MEDIA>"},
    "/cgi-bin/media/uploadimg": "",
    "/cgi-bin/media/uploadnews": ARTICLES,
    "/cgi-bin/media/uploadvideo": {"media_id": "<MEDIA>", "title": "a", "description": "b"},
    "/cgi-bin/material/add_material": "type=image",
    "/cgi-bin/material/get_material": {"media_id": "<NEWS>"},
    "/cgi-bin/material/del_material": {"media_id": "<NEWS>"},
    "/cgi-bin/material/get_materialcount": {},
    "/cgi-bin/material/batchget_material": {"type": "news", "offset": 0, "count": 20},
    "/cgi-bin/draft/add": {"articles": [ARTICLE]},
    "/cgi-bin/draft/update": {"media_id": "<DRAFT>", "index": 0, "articles": ARTICLE},
    "/cgi-bin/draft/get": {"media_id": "<DRAFT>"},
    "/cgi-bin/draft/delete": {"media_id": "<DRAFT>"},
    "/cgi-bin/draft/count": {},
    "/cgi-bin/draft/batchget": {"offset": 0, "count": 20},
    "/cgi-bin/freepublish/submit": {"media_id": "<DRAFT>"},
    "/cgi-bin/freepublish/get": {"publish_id": "<JOB>"},
    "/cgi-bin/freepublish/getarticle": {"article_id": "<PUBLISHED>"},
    "/cgi-bin/freepublish/batchget": {"offset": 0, "count": 20},
    "/cgi-bin/freepublish/delete": {"article_id": "<PUBLISHED>"},
    "/cgi-bin/comment/open": {"msg_data_id": 1},
    "/cgi-bin/comment/close": {"msg_data_id": 1},
    "/cgi-bin/comment/list": {"msg_data_id": 1, "begin": 0, "count": 49, "type": 0},
    "/cgi-bin/comment/markelect": COMMENT,
    "/cgi-bin/comment/unmarkelect": COMMENT,
    "/cgi-bin/comment/delete": COMMENT,
    "/cgi-bin/comment/reply/add": {**COMMENT, "content": "a"},
    "/cgi-bin/comment/reply/delete": COMMENT,
    "/cgi-bin/get_current_autoreply_info": {},
    "/cgi-bin/template/api_set_industry": {"industry_id1": "1", "industry_id2": "4"},
    "/cgi-bin/template/get_industry": {},
    "/cgi-bin/template/api_add_template": {"template_id_short": "TM00015"},
    "/cgi-bin/template/get_all_private_template": {},
    "/cgi-bin/template/del_private_template": {"template_id": "TEMPLATE_ID"},
    "/wxa/sec/queryblocktmplmsg": {"tmpl_msg_id": "1", "largest_id": 0, "limit": 10},
    "/cgi-bin/message/template/send": {**TO, **DATA},
    "/cgi-bin/message/template/subscribe": {**TO, **DATA, "scene": "1", "title": "a"},
    "/cgi-bin/message/subscribe/send": {**TO, **DATA},
    "/cgi-bin/message/subscribe/bizsend": {**TO, **DATA},
    "/cgi-bin/message/wxopen/template/uniform_send": {**TO, "mp_template_msg": DATA},
    "/wxaapi/newtmpl/addtemplate": {"tid": "401", "kidList": [1, 2], "sceneDesc": "a"},
    "/wxaapi/newtmpl/deltemplate": {"priTmplId": "TEMPLATE_ID"},
    "/wxaapi/newtmpl/getcategory": {},
    "/wxaapi/newtmpl/getpubtemplatekeywords": {"tid": "99"},
    "/wxaapi/newtmpl/getpubtemplatetitles": {"ids": "616", "start": 0, "limit": 30},
    "/wxaapi/newtmpl/gettemplate": {},
    "/wxa/set_user_notify": {**CARD, "content_json": "{}"},
    "/wxa/set_user_notifyext": {**CARD, "ext_json": "{}"},
    "/wxa/get_user_notify": CARD,
    "/cgi-bin/user/info": BY_USER,
    "/cgi-bin/user/info/batchget": {"user_list": [BY_USER]},
    "/cgi-bin/user/get": {},
    "/cgi-bin/user/info/updateremark": {**BY_USER, "remark": ""},
    "/cgi-bin/changeopenid": {"from_appid": "wx", **LISTED},
    "/cgi-bin/tags/create": {"tag": {"name": "b"}},
    "/cgi-bin/tags/get": {},
    "/cgi-bin/tags/update": {"tag": {"id": 100, "name": "b"}},
    "/cgi-bin/tags/delete": {"tag": {"id": 100}},
    "/cgi-bin/tags/getidlist": BY_USER,
    "/cgi-bin/user/tag/get": {"tagid": 2, "next_openid": ""},
    "/cgi-bin/tags/members/batchtagging": ONE_TAGGED,
    "/cgi-bin/tags/members/batchuntagging": ONE_TAGGED,
    "/cgi-bin/tags/members/getblacklist": {"begin_openid": ""},
    "/cgi-bin/tags/members/batchblacklist": LISTED,
    "/cgi-bin/tags/members/batchunblacklist": LISTED,
    "/cgi-bin/qrcode/create": SCENE,
    "/cgi-bin/shorten/gen": {"long_data": "a"},
    "/cgi-bin/shorten/fetch": {"short_key": "<SHORT>"},
    "/cgi-bin/shorturl": {"action": "long2short", "long_url": "https://example.com"},
    "/cgi-bin/menu/create": BUTTON,
    "/cgi-bin/menu/get": {},
    "/cgi-bin/menu/delete": {},
    "/cgi-bin/get_current_selfmenu_info": {},
    "/cgi-bin/menu/addconditional": {**BUTTON, "matchrule": {"tag_id": "2"}},
    "/cgi-bin/menu/delconditional": {"menuid": "<MENU>"},
    "/cgi-bin/menu/trymatch": {"user_id": "oUSER"},
    "/wxa/checksession": {**SIGNED, "signature": "<SIGNATURE>"},
    "/wxa/resetusersessionkey": {**SIGNED, "signature": "<SIGNATURE>"},
    "/wxa/business/getuserencryptkey": {**SIGNED, "signature": "<SIGNATURE>"},
    "/wxa/business/getuserphonenumber": {"code": "CODE"},
    "/wxa/business/checkencryptedmsg": {"encrypted_msg_hash": "0" * 64},
    "/wxa/getpaidunionid": {**BY_USER, "transaction_id": "1"},
    "/wxa/getpluginopenpid": {"code": "CODE"},
    "/wxa/msg_sec_check": {**BY_USER, "content": "hi", "version": 2, "scene": 1},
    "/wxa/media_check_async": {
        **BY_USER,
        "media_url": "https://example.com",
        "media_type": 2,
        "version": 2,
        "scene": 1,
    },
    "/wxa/getuserriskrank": {**BY_USER, "appid": "<APPID>", "scene": 0},
    "/cgi-bin/wxaapp/createwxaqrcode": {"path": "pages/index"},
    "/wxa/getwxacode": {"path": "pages/index"},
    "/wxa/getwxacodeunlimit": {"scene": "a=1"},
    "/wxa/generatescheme": {"jump_wxa": {"path": "pages/index"}},
    "/wxa/generatenfcscheme": {"model_id": "1"},
    "/wxa/queryscheme": {"scheme": "<SCHEME>"},
    "/wxa/generate_urllink": {"path": "pages/index"},
    "/wxa/query_urllink": {"url_link": "<LINK>"},
    "/wxa/genwxashortlink": {"page_url": "pages/index"},
    "/cgi-bin/message/wxopen/activityid/create": {},
    "/cgi-bin/message/wxopen/updatablemsg/send": {
        "activity_id": "<ACTIVITY>",
        "target_state": 0,
        "template_info": {"parameter_list": [{"name": "member_count", "value": "2"}]},
    },
    "/cgi-bin/message/wxopen/chattoolmsg/send": {"activity_id": "<ACTIVITY>", "target_state": 1, "template_id": "a"},
    "/cgi-bin/component/getprivacysetting": {},
    "/cgi-bin/component/setprivacysetting": {"owner_setting": {"contact_qq": "10001"}},
    "/cgi-bin/component/uploadprivacyextfile": "",
    "/wxaapi/log/jserr_list": {"startTime": "2026-11-29", "endTime": "2026-11-29"},
    "/cgi-bin/message/device/subscribe/send": {"to_openid_list": ["oUSER"], "template_id": "TEMPLATE_ID"},
    "/wxa/getsnticket": {"sn": "1", "model_id": "1"},
    "/datacube/getbizsummary": ONE_DAY,
    "/datacube/getarticletotaldetail": ONE_DAY,
    "/datacube/getarticleread": ONE_DAY,
    "/datacube/getarticleshare": ONE_DAY,
    "/datacube/getusersummary": ONE_DAY,
    "/datacube/getusercumulate": ONE_DAY,
    "/datacube/getupstreammsg": ONE_DAY,
    "/datacube/getupstreammsghour": ONE_DAY,
    "/datacube/getupstreammsgweek": ONE_DAY,
    "/datacube/getupstreammsgmonth": ONE_DAY,
    "/datacube/getupstreammsgdist": ONE_DAY,
    "/datacube/getupstreammsgdistweek": ONE_DAY,
    "/datacube/getupstreammsgdistmonth": ONE_DAY,
    "/datacube/getinterfacesummary": ONE_DAY,
    "/wxa/sec/order/upload_shipping_info": {**SHIPPED, **PARCELS, **PAID},
    "/wxa/sec/order/upload_combined_shipping_info": {**SHIPPED, **PAID, "sub_orders": [{**SHIPPED, **PARCELS}]},
    "/wxa/sec/order/get_order": {"transaction_id": "1"},
    "/wxa/sec/order/get_order_list": {},
    "/wxa/sec/order/notify_confirm_receive": {"transaction_id": "1", "received_time": 1},
    "/wxa/sec/order/set_msg_jump_path": {"path": "pages/order"},
    "/wxa/sec/order/is_trade_managed": {"appid": "<APPID>"},
    "/wxa/sec/order/is_trade_management_confirmation_completed": {"appid": "<APPID>"},
    "/cgi-bin/express/delivery/open_msg/get_delivery_list": {},
    "/xpay/query_order": PAY_ORDER,
    "/xpay/refund_order": {**PAY_ORDER, "refund_order_id": "2", "refund_fee": 1, "left_fee": 600},
    "/xpay/notify_provide_goods": PAY_ORDER,
    "/xpay/download_bill": {"env": 0, "begin_ds": "20261101", "end_ds": "20261130"},
    "/xpay/query_user_balance": PAYMENT,
    "/xpay/currency_pay": {**PAYMENT, "order_id": "1", "amount": 1},
    "/xpay/cancel_currency_pay": PAYMENT,
    "/xpay/present_currency": PAYMENT,
    "/xpay/start_upload_goods": {"env": 0, "upload_item": [{"id": "1", "name": "a", "price": 1}]},
    "/xpay/query_upload_goods": {"env": 0},
    "/xpay/start_publish_goods": {"env": 0},
    "/xpay/query_publish_goods": {"env": 0},
    "/xpay/query_subscribe_contract": CONTRACT,
    "/xpay/send_subscribe_pre_payment": {**CONTRACT, "deduct_price": 1},
    "/xpay/submit_subscribe_pay_order": {**CONTRACT, "offer_id": "1", "order_id": "1", "deduct_price": 1},
    "/xpay/cancel_subscribe_contract": {**CONTRACT, "termination_reason": "a"},
    "/xpay/get_complaint_list": {"env": 0, "begin_date": "2026-11-01", "end_date": "2026-11-30", "limit": 1},
    "/xpay/response_complaint": {**COMPLAINT, "response_content": "a"},
    "/xpay/complete_complaint": COMPLAINT,
}


def prepare(wechat, client):
    """Create one object of each kind; return the values of the placeholders in `REQUESTS`."""
    client.post("/customservice/kfaccount/add", {**AGENT, "nickname": "a"})
    client.post("/cgi-bin/tags/create", {"tag": {"name": "a"}})
    client.post("/cgi-bin/menu/create", BUTTON)
    login = {"appid": wechat.appid, "secret": wechat.secret, "grant_type": "authorization_code", "js_code": "CODE2"}
    session_key = client.get("/sns/jscode2session", access_token=None, **login)["session_key"]
    sent = {"filter": {"is_to_all": True}, **MASS, "clientmsgid": "first"}
    conditional = {**BUTTON, "matchrule": {"tag_id": "2"}}
    thumb = client.upload("/cgi-bin/material/add_material", {"media": JPG}, type="thumb")["media_id"]
    article = {"articles": [{**ARTICLE, "thumb_media_id": thumb}]}
    drafts = [client.post("/cgi-bin/draft/add", article)["media_id"] for _ in range(2)]
    publish_id = client.post("/cgi-bin/freepublish/submit", {"media_id": drafts[1]})["publish_id"]
    comment = wechat.add_comment(1, "oUSER", "a")
    client.post("/cgi-bin/comment/reply/add", {"msg_data_id": 1, "user_comment_id": comment, "content": "a"})
    return {
        "<THUMB>": thumb,
        "<DRAFT>": drafts[0],
        "<JOB>": str(publish_id),
        "<PUBLISHED>": client.post("/cgi-bin/freepublish/get", {"publish_id": publish_id})["article_id"],
        "<COMMENT>": str(comment),
        "<APPID>": wechat.appid,
        "<MEDIA>": client.upload("/cgi-bin/media/upload", {"media": JPG}, type="image")["media_id"],
        "<NEWS>": client.post("/cgi-bin/media/uploadnews", ARTICLES)["media_id"],
        "<MASS>": str(client.post("/cgi-bin/message/mass/sendall", sent)["msg_id"]),
        "<MENU>": client.post("/cgi-bin/menu/addconditional", conditional)["menuid"],
        "<SHORT>": client.post("/cgi-bin/shorten/gen", {"long_data": "a"})["short_key"],
        "<SCHEME>": client.post("/wxa/generatescheme", {})["openlink"],
        "<SESSION_KEY>": session_key,
        "<SIGNATURE>": sign(session_key, b""),
        "<LINK>": client.post("/wxa/generate_urllink", {"path": "a"})["url_link"],
        "<ACTIVITY>": client.get("/cgi-bin/message/wxopen/activityid/create")["activity_id"],
    }


def sign(key, signed):
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


WITHOUT_ACCESS_TOKEN = {path for path, route in ROUTES.items() if not route.needs_access_token}


class TestEveryPath:
    def test_is_requested_here_if_it_needs_an_access_token(self):
        assert set(REQUESTS) == set(ROUTES) - WITHOUT_ACCESS_TOKEN

    def test_without_an_access_token_is_known(self):
        own = {path for path in WITHOUT_ACCESS_TOKEN if not path.startswith("/sns/")} - {"/fake/file"}
        access_tokens = {"/cgi-bin/token", "/cgi-bin/stable_token"}
        assert own == {*access_tokens, "/cgi-bin/clear_quota/v2", "/cgi-bin/showqrcode"}

    def test_succeeds_with_valid_arguments(self):
        """Each has an account of its own; one server serves all of them."""
        accounts = []
        with contextlib.closing(Server(0, lambda request: accounts[-1].handle(request))) as server:

            def check(path, sample):
                wechat = FakeWeChatAPI(clock=lambda: NOW)
                wechat.url = server.url
                accounts.append(wechat)
                client = PlainClient(wechat)
                made = prepare(wechat, client)
                asked, method = self.fill(sample, made), ROUTES[path].methods.split()[0]
                if isinstance(asked, str):
                    files = {"media": JPG, "file": JPG}
                    answer = client.ask("POST", path, files=files, **dict([asked.split("=")] if asked else []))
                elif method == "GET":
                    answer = client.ask("GET", path, **asked)
                else:
                    body = json.dumps(asked, ensure_ascii=False).encode()
                    query = {
                        "pay_sig": sign(wechat.appkey, path.encode() + b"&" + body),
                        "signature": sign(made["<SESSION_KEY>"], body),
                    }
                    answer = client.ask("POST", path, body, **query if path.startswith("/xpay/") else {})
                assert answer.headers["content-type"].startswith("image/") or answer.json().get("errcode", 0) == 0
                client.session.close()

            check_rows(REQUESTS.items(), check)

    def fill(self, asked, made):
        written = json.dumps(asked)
        for name, value in made.items():
            written = written.replace(name, value)
        return json.loads(written)

    def test_needs_an_access_token(self, client):
        def check(path):
            answer = client.ask(ROUTES[path].methods.split()[0], path, b"{}", access_token=None)
            assert answer.json()["errcode"] == 41001

        check_rows(REQUESTS.keys(), check)

    def test_refuses_a_request_without_its_required_members(self, client):
        def check(path):
            answer = client.ask(ROUTES[path].methods.split()[0], path, b'{"nothing":1}')
            assert answer.json()["errcode"] > 40000

        check_rows([path for path in REQUESTS if ROUTES[path].needed], check)
