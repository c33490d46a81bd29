"""The token server: what it answers, to friends and to strangers, in this process and as a program of its own."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from wsgiref.simple_server import make_server

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as WebClient
from werkzeug.wrappers import Response

from tests.helpers.both_clients import both
from tests.helpers.rows import check_rows
from tests.helpers.servers import ROOT, TIMEOUT, run, serve
from wechat_msg import (
    AsyncClient,
    CallError,
    Client,
    ConnectFailed,
    InvalidCredential,
    InvalidParameter,
    IPNotAllowed,
    MemoryStore,
    QuotaExhausted,
    RateLimited,
    StoreError,
    SystemBusy,
)
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.api import callback
from wechat_msg.client import ClassicTokenSource, RemoteTokenSource
from wechat_msg.client.sources import fingerprint
from wechat_msg.client.token_server import make_token_server
from wechat_msg.testing import FakeWeChatAPI

SHARED = "a-shared-secret-for-tests"
WRONG = "a-wrong-secret-for-tests"
APP_SECRET = "an-app-secret-for-tests"
BEARER = {"Authorization": f"Bearer {SHARED}"}
STABLE = "/cgi-bin/stable_token"
PROGRAM = ("-m", "wechat_msg.client.token_server", "--port", "0")


@pytest.fixture
def wechat():
    with FakeWeChatAPI(secret=APP_SECRET) as wechat:
        yield wechat


@pytest.fixture
def client(wechat):
    with make_client(wechat) as client:
        yield client


@pytest.fixture
def server(client):
    return WebClient(make_token_server(client, SHARED))


def make_client(wechat, **options):
    """Make a client that waits for nothing."""
    options = {"appid": wechat.appid, "secret": wechat.secret, "random": lambda: 0.0, **options}
    return Client(hosts=[wechat.url], **options)


def make_remote(make, wechat, url, shared_secret=SHARED, **options):
    """Make a client that asks the token server at *url*."""
    source = RemoteTokenSource(url, shared_secret)
    options = {"appid": wechat.appid, "random": lambda: 0.0, **options}
    return make(token_source=source, hosts=[wechat.url], **options)


def ask(server, appid, rejected=None):
    """Ask as a friend does."""
    return server.post("/token", json={"appid": appid, "rejected": rejected}, headers=BEARER)


@contextlib.contextmanager
def asked_by(make, client, wechat):
    """Serve the tokens of *client*; yield another client, that asks for them."""
    with listen(make_token_server(client, SHARED)) as url, make_remote(make, wechat, url) as remote:
        yield remote


@contextlib.contextmanager
def listen(application, handler=QuietHandler, server_class=ThreadingServer):
    """Serve *application* as the program does, in this process; yield its URL."""
    with make_server("127.0.0.1", 0, application, server_class, handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class TestMake:
    def test_refuses_a_shared_secret_that_is_short_or_no_ascii_text(self, client):
        def check(secret):
            with pytest.raises(CallError, match="16 or more ASCII characters"):
                make_token_server(client, secret)

        check_rows(["", "fifteen letters", None, b"sixteen letters!", "密钥" * 16], check)

    def test_refuses_what_are_no_clients(self):
        def check(clients):
            with pytest.raises(CallError, match="a Client for each account"):
                make_token_server(clients, SHARED)

        check_rows([[], ["wx0123456789abcdef"], [None]], check)

    def test_refuses_clients_for_asyncio(self, wechat):
        with pytest.raises(CallError, match="a Client for each account"):
            make_token_server([AsyncClient(wechat.appid, wechat.secret)], SHARED)

    def test_takes_one_client_or_any_number(self, wechat, client):
        for clients in (client, [client], iter([client])):
            assert ask(WebClient(make_token_server(clients, SHARED)), wechat.appid).status_code == 200


class TestGiving:
    def test_returns_the_access_token_and_the_seconds_that_it_has_left(self, wechat):
        with make_client(wechat, clock=wechat.clock) as client:
            server = WebClient(make_token_server(client, SHARED))
            first = ask(server, wechat.appid)
            wechat.advance(1000)
            later = ask(server, wechat.appid)

        assert first.json.keys() == {"access_token", "expires_in"}
        assert first.json["access_token"] == later.json["access_token"] == wechat.stable_access_token
        assert 7195 <= first.json["expires_in"] <= 7200
        assert 6195 <= later.json["expires_in"] <= 6200

    def test_is_kept_by_no_cache_on_the_way(self, server, wechat):
        answer = ask(server, wechat.appid)

        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Type"] == "application/json"
        assert int(answer.headers["Content-Length"]) == len(answer.data)

    def test_fetches_once_for_all_who_ask_at_once(self, client, wechat):
        wechat.delay(STABLE, 0.1)
        application = make_token_server(client, SHARED)
        with ThreadPoolExecutor(20) as pool:
            access_tokens = pool.map(
                lambda _: ask(WebClient(application), wechat.appid).json["access_token"], range(20)
            )
            assert set(access_tokens) == {wechat.stable_access_token}

        assert wechat.access_token_fetches["stable"] == 1

    def test_gives_another_in_place_of_a_rejected_one(self, server, wechat):
        rejected = ask(server, wechat.appid).json["access_token"]
        wechat.revoke_access_tokens()

        given = ask(server, wechat.appid, fingerprint(rejected)).json["access_token"]

        assert given == wechat.stable_access_token != rejected
        assert ask(server, wechat.appid).json["access_token"] == given

    @pytest.mark.parametrize("rejected", ["", "0" * 64, "an older token", 1, [], {}, True])
    def test_returns_its_own_one_to_a_program_whose_access_token_was_rejected(self, server, wechat, rejected):
        given = ask(server, wechat.appid).json

        assert ask(server, wechat.appid, rejected).json["access_token"] == given["access_token"]
        assert wechat.access_token_fetches["stable"] == 1

    def test_serves_each_account_its_own(self, wechat):
        with FakeWeChatAPI("wxfedcba9876543210") as other, make_client(wechat) as one, make_client(other) as two:
            server = WebClient(make_token_server([one, two], SHARED))

            assert ask(server, wechat.appid).json["access_token"] == wechat.stable_access_token
            assert ask(server, other.appid).json["access_token"] == other.stable_access_token


class TestRefusing:
    """Whatever comes, the answer is one of its own, and it holds nothing secret."""

    def test_refuses_programs_without_the_secret(self, client, wechat):
        def check(authorization):
            environ = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}

            status, answer = call_plainly(client, json.dumps({"appid": wechat.appid}).encode(), **environ)

            assert (status, answer["errcode"]) == ("403 Forbidden", 40125)
            assert wechat.requests == []

        check_rows(
            [
                (row,)
                for row in [
                    None,
                    "",
                    "Bearer",
                    "Bearer ",
                    SHARED,
                    f"Basic {SHARED}",
                    f"Bearer {SHARED[:-1]}",
                    f"Bearer {SHARED} ",
                    f"Bearer {SHARED}{SHARED}",
                    "Bearer ÿ密钥",
                    "\x00" * 5000,
                ]
            ],
            check,
        )

    def test_logs_the_address_of_a_refused_program(self, client, caplog):
        call_plainly(client, b"{}", REMOTE_ADDR="203.0.113.7", HTTP_AUTHORIZATION="Bearer guessed-at-random")

        assert caplog.messages == ["token server: wrong shared secret from 203.0.113.7"]

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"])
    def test_refuses_other_methods(self, server, method):
        answer = server.open("/token", method=method, headers=BEARER)

        assert answer.status_code == 405

    @pytest.mark.parametrize("path", ["/", "/token/", "/tokens", "//token", "/token/../token", "/favicon.ico", "/密钥"])
    def test_refuses_other_paths(self, server, wechat, path):
        answer = server.post(path, json={"appid": wechat.appid}, headers=BEARER)

        assert (answer.status_code, answer.json["errcode"]) == (404, 40066)

    @pytest.mark.parametrize("appid", ["wx_of_nobody", "", None, 0, 1e999, ["wx0123456789abcdef"], {"appid": 1}])
    def test_refuses_accounts_that_it_does_not_have(self, client, appid):
        body = json.dumps({"appid": appid}).encode().replace(b"Infinity", b"1e999")

        status, answer = call_plainly(client, body, **AUTHORIZED)

        assert (status, answer["errcode"]) == ("404 Not Found", 40013)

    def test_refuses_what_is_no_json_object(self, client):
        def check(body):
            status, answer = call_plainly(client, body, **AUTHORIZED)

            assert (status, answer["errcode"]) == ("400 Bad Request", 47001)

        check_rows(
            [
                (row,)
                for row in [
                    b"",
                    b"{",
                    b"appid=wx0123456789abcdef",
                    b"[]",
                    b'[{"appid": "wx0123456789abcdef"}]',
                    b"null",
                    b"42",
                    b'"wx0123456789abcdef"',
                    b'{"appid": "wx0123456789abcdef"}{}',
                    b'{"appid":' + b"[" * 4000,
                    b'{"appid":' + b"9" * 4200,
                    b'{"appid": "wx0123456789abcdef", "rejected": "' + b"x" * 10_000_000 + b'"}',
                    "{}".encode("utf-16"),
                ]
            ],
            check,
        )

    def test_refuses_a_body_of_no_length(self, client, wechat):
        def check(length):
            body = json.dumps({"appid": wechat.appid}).encode()

            status, _ = call_plainly(client, body, CONTENT_LENGTH=length, **AUTHORIZED)

            assert status == "400 Bad Request"

        check_rows(["", "0", "-1", "-99999999999", "many", "1e3", "0x10", "9" * 5000, "1;2", "½"], check)

    def test_reads_no_more_than_it_needs_however_much_is_announced(self, client, wechat):
        body = io.BytesIO(json.dumps({"appid": wechat.appid}).encode() + b" " * 100_000)

        status, _ = call_plainly(client, body, CONTENT_LENGTH=str(10**15), **AUTHORIZED)

        assert status == "200 OK"
        assert body.tell() == 4096

    def test_refuses_a_body_that_breaks_off(self, client):
        class Broken:
            def read(self, _):
                raise ConnectionResetError

        status, _ = call_plainly(client, Broken(), CONTENT_LENGTH="100", **AUTHORIZED)

        assert status == "400 Bad Request"


AUTHORIZED = {"HTTP_AUTHORIZATION": BEARER["Authorization"]}


def call_plainly(client, body, **environ):
    """Call the application with exactly this; return status and answer."""
    started = []
    environ = {
        "PATH_INFO": "/token",
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(body)) if isinstance(body, bytes) else "",
        "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body,
        **environ,
    }
    answer = b"".join(make_token_server(client, SHARED)(environ, lambda *args: started.append(args)))
    for secret in (SHARED, APP_SECRET):
        assert secret not in answer.decode()
    return started[0][0], json.loads(answer)


class TestTrouble:
    """Whoever asks the server gets the error that WeChat would give."""

    @pytest.mark.parametrize(
        ("errcode", "error"),
        [(40013, InvalidCredential), (40125, InvalidCredential), (45009, QuotaExhausted), (-1, SystemBusy)],
    )
    @both
    def test_passes_on_the_error_that_wechat_returns(self, make, client, wechat, errcode, error):
        wechat.fail(STABLE, errcode, "as WeChat says")
        with asked_by(make, client, wechat) as remote, pytest.raises(error) as caught:
            remote.get_access_token()

        assert type(caught.value) is error
        assert (caught.value.errcode, caught.value.errmsg) == (errcode, "as WeChat says")

    @both
    def test_reports_a_wrong_secret_with_a_number_that_means_no_access_token(self, make, client, wechat):
        """40001 is also what WeChat says to a wrong AppSecret; who asks the server would take it for a login."""
        wechat.fail(STABLE, 40001, "as WeChat says")
        with asked_by(make, client, wechat) as remote, pytest.raises(InvalidCredential) as caught:
            remote.get_access_token()

        assert (caught.value.errcode, caught.value.errmsg) == (40125, "as WeChat says")

    @both
    def test_hands_on_which_address_is_not_allowed_and_the_rid(self, make, client, wechat):
        wechat.allowed_ips = {"203.0.113.7"}
        with asked_by(make, client, wechat) as remote, pytest.raises(IPNotAllowed) as caught:
            remote.get_access_token()

        assert caught.value.errcode == 40164
        assert caught.value.errmsg.startswith("invalid ip 127.0.0.1")
        assert len(caught.value.rid) == 26

    def test_reports_that_wechat_is_unreachable_and_logs_why(self, client, wechat, caplog):
        wechat.close()
        with asked_by(Client, client, wechat) as remote, pytest.raises(SystemBusy, match="ConnectFailed"):
            remote.get_access_token()

        assert f"token server: no access_token for {wechat.appid}: cannot connect to 127.0.0.1:" in caplog.text

    def test_reports_that_its_store_is_down(self, wechat, caplog):
        with make_client(wechat, store=NoStore(), token_source=ClassicTokenSource()) as client:
            answer = ask(WebClient(make_token_server(client, SHARED)), wechat.appid)

        assert (answer.status_code, answer.json) == (503, {"errcode": -1, "errmsg": "StoreError"})
        assert "the disk is full" in caplog.text

    def test_reports_that_new_access_tokens_are_requested_too_often(self, client, wechat):
        with asked_by(Client, client, wechat) as remote:
            access_token = remote.get_access_token().access_token
            wechat.revoke_access_tokens(sticky=True)
            access_token = remote.get_access_token(rejected=access_token).access_token
            wechat.revoke_access_tokens(sticky=True)
            with pytest.raises(RateLimited, match="no new access_token was fetched"):
                remote.get_access_token(rejected=access_token)


class NoStore(MemoryStore):
    def get(self, key):
        raise StoreError("the disk is full")


class TestRemote:
    """A client with a `RemoteTokenSource`."""

    @both
    def test_calls_with_the_access_token_of_the_server(self, make, client, wechat):
        with asked_by(make, client, wechat) as remote:
            assert remote.call(callback.get_api_domain_ips())
            assert remote.get_access_token().access_token == client.get_access_token().access_token

        assert wechat.access_token_fetches == {"classic": 0, "stable": 1}

    @both
    def test_gets_another_when_wechat_rejects_it(self, make, client, wechat):
        with asked_by(make, client, wechat) as remote:
            remote.call(callback.get_api_domain_ips())
            wechat.revoke_access_tokens()

            assert remote.call(callback.get_api_domain_ips())
            assert remote.get_access_token().access_token == wechat.stable_access_token

        assert wechat.access_token_fetches["stable"] == 2

    def test_all_who_are_rejected_get_the_same(self, client, wechat):
        with listen(make_token_server(client, SHARED)) as url, contextlib.ExitStack() as stack:
            remotes = [stack.enter_context(make_remote(Client, wechat, url)) for _ in range(5)]
            with ThreadPoolExecutor(5) as pool:
                list(pool.map(lambda remote: remote.call(callback.get_api_domain_ips()), remotes))
                wechat.revoke_access_tokens()
                list(pool.map(lambda remote: remote.call(callback.get_api_domain_ips()), remotes))
            assert {remote.get_access_token().access_token for remote in remotes} == {wechat.stable_access_token}

        assert wechat.access_token_fetches["stable"] == 2

    def test_finds_a_server_below_a_path(self, client, wechat):
        application = DispatcherMiddleware(Response("nothing here", 404), {"/wx": make_token_server(client, SHARED)})
        with listen(application) as url:
            for address in (f"{url}/wx", f"{url}/wx/"):
                with make_remote(Client, wechat, address) as remote:
                    assert remote.get_access_token().access_token == wechat.stable_access_token

    @pytest.mark.parametrize(
        ("path", "options", "error"),
        [
            ("", {"shared_secret": WRONG}, InvalidCredential),
            ("", {"appid": "wx_of_nobody"}, InvalidCredential),
            ("/elsewhere", {}, InvalidParameter),
        ],
    )
    @both
    def test_reports_the_error_of_the_server(self, make, client, wechat, path, options, error):
        with (
            listen(make_token_server(client, SHARED)) as url,
            make_remote(make, wechat, url + path, **options) as remote,
            pytest.raises(error) as caught,
        ):
            remote.call(callback.get_api_domain_ips())

        assert type(caught.value) is error

    @both
    def test_reports_that_the_server_is_unreachable(self, make, client, wechat):
        with listen(make_token_server(client, SHARED)) as url:
            pass
        with make_remote(make, wechat, url) as remote, pytest.raises(ConnectFailed) as caught:
            remote.call(callback.get_api_domain_ips())

        assert caught.value.__notes__ == [f"POST {url}/token"]


class TestSecrecy:
    def test_logs_and_answers_hold_no_secrets(self, client, wechat, caplog):
        caplog.set_level(logging.DEBUG)
        with asked_by(Client, client, wechat) as remote:
            remote.call(callback.get_api_domain_ips())
            wechat.revoke_access_tokens()
            remote.call(callback.get_api_domain_ips())
        with listen(make_token_server(client, SHARED)) as url, make_remote(Client, wechat, url, WRONG) as stranger:
            refuse(stranger)

        access_tokens = {request.query.get("access_token") for request in wechat.requests} - {None}
        assert len(access_tokens) == 2
        for secret in (wechat.secret, SHARED, WRONG, *access_tokens):
            assert secret not in caplog.text

    def test_answers_hide_what_wechat_repeats(self, server, wechat):
        wechat.fail(STABLE, 40125, f"invalid appsecret {wechat.secret}", times=1)

        assert ask(server, wechat.appid).json["errmsg"].startswith("invalid appsecret *** rid: ")


def refuse(stranger):
    with pytest.raises(InvalidCredential, match="wrong shared secret"):
        stranger.get_access_token()


POST_LONG = b"POST /token HTTP/1.1\r\nContent-Length: 4000\r\n\r\n"


class TestConnections:
    """What the program's server does besides its application."""

    @pytest.mark.parametrize("first_line", ["POST /token", "GET /token", "POST /elsewhere"])
    def test_answers_a_client_that_sends_slowly(self, client, first_line):
        """To hang up while the body is on its way would destroy the answer."""
        with listen(make_token_server(client, SHARED)) as url, connect(url) as connection:
            connection.sendall(f"{first_line} HTTP/1.1\r\nContent-Length: 2\r\n\r\n".encode())
            time.sleep(0.1)
            connection.sendall(b"{")
            time.sleep(0.1)
            connection.sendall(b"}")

            assert connection.recv(100).startswith((b"HTTP/1.0 403", b"HTTP/1.0 404", b"HTTP/1.0 405"))

    @pytest.mark.parametrize("sent", [b"", b"POST /tok", b"POST /token HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"])
    def test_closes_the_connection_of_a_client_that_falls_silent(self, client, capfd, sent):
        class Impatient(QuietHandler):
            timeout = 0.1

        with listen(make_token_server(client, SHARED), Impatient) as url, connect(url) as connection:
            connection.sendall(sent)
            while connection.recv(1000):
                pass

        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("begin", [b"", b"POST /token HTTP/1.1\r\n", POST_LONG], ids=["line", "head", "body"])
    def test_closes_the_connection_of_a_client_that_sends_byte_by_byte(self, client, capfd, begin):
        """However steadily: no byte is late, and still the request does not come to its end."""

        class Impatient(QuietHandler):
            timeout = 0.3

        sent = 0
        with listen(make_token_server(client, SHARED), Impatient) as url, connect(url) as connection:
            connection.sendall(begin)
            with contextlib.suppress(ConnectionError):
                while sent < 200:
                    connection.sendall(b"x")
                    sent += 1
                    time.sleep(0.05)

        assert sent < 200
        assert capfd.readouterr().err == ""

    def test_serves_so_many_at_a_time_and_lets_the_others_wait(self, client, wechat):
        class Small(ThreadingServer):
            max_threads = 2

        threads = threading.active_count()
        with listen(make_token_server(client, SHARED), server_class=Small) as url, contextlib.ExitStack() as stack:
            silent = [stack.enter_context(connect(url)) for _ in range(8)]
            waiting = stack.enter_context(connect(url))
            waiting.sendall(b"GET /token HTTP/1.0\r\n\r\n")
            waiting.settimeout(0.2)
            with pytest.raises(TimeoutError):
                waiting.recv(100)
            assert threading.active_count() <= threads + 3  # two, and that of the server

            for connection in silent:
                connection.close()
            waiting.settimeout(TIMEOUT)
            assert waiting.recv(100).startswith(b"HTTP/1.0 405")
            for _ in range(5):
                with make_remote(Client, wechat, url) as remote:
                    assert remote.get_access_token()

    def test_logs_nothing_about_a_client_that_hangs_up(self, client, wechat, capfd):
        with listen(make_token_server(client, SHARED)) as url:
            for sent in (b"", b"POST /token HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"):
                with connect(url) as connection:
                    connection.sendall(sent)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            with make_remote(Client, wechat, url) as remote:
                assert remote.get_access_token()

        assert capfd.readouterr().err == ""


def connect(url):
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=TIMEOUT)


def make_environ(wechat, **more):
    """Return the variables of the program."""
    return {
        "WECHAT_APPID": wechat.appid,
        "WECHAT_SECRET": wechat.secret,
        "WECHAT_TOKEN_SERVER_SECRET": SHARED,
        **more,
    }


class TestProgram:
    """``python -m wechat_msg.client.token_server``, over real HTTP."""

    @both
    def test_serves_all_who_know_the_secret(self, make, wechat):
        with serve(*PROGRAM, "--api", wechat.url, environ=make_environ(wechat)) as server:
            url = f"http://127.0.0.1:{server.port}"
            with make_remote(make, wechat, url) as one, make_remote(make, wechat, url) as two:
                assert one.call(callback.get_api_domain_ips()) == two.call(callback.get_api_domain_ips())
                assert one.get_access_token().access_token == two.get_access_token().access_token
                wechat.revoke_access_tokens()
                assert one.call(callback.get_api_domain_ips()) == two.call(callback.get_api_domain_ips())
            with make_remote(make, wechat, url, WRONG) as stranger:
                refuse(stranger)
            log = server.read_log()

        assert wechat.access_token_fetches == {"classic": 0, "stable": 2}
        assert "token server: wrong shared secret from 127.0.0.1" in log
        access_tokens = {
            request.query["access_token"] for request in wechat.requests if "access_token" in request.query
        }
        for secret in (wechat.secret, SHARED, WRONG, *access_tokens):
            assert secret not in log

    def test_asks_the_hosts_of_the_environment(self, wechat):
        with (
            serve(*PROGRAM, environ=make_environ(wechat, WECHAT_API_HOSTS=wechat.url)) as server,
            make_remote(Client, wechat, f"http://127.0.0.1:{server.port}") as remote,
        ):
            assert remote.get_access_token().access_token == wechat.stable_access_token

    def test_keeps_the_access_token_in_a_file_from_one_start_to_the_next(self, wechat, tmp_path):
        command = [*PROGRAM, "--api", wechat.url, "--classic", "--store", f"{tmp_path}/tokens.db"]
        access_tokens = set()
        for _ in range(2):
            with (
                serve(*command, environ=make_environ(wechat)) as server,
                make_remote(Client, wechat, f"http://127.0.0.1:{server.port}") as remote,
            ):
                access_tokens.add(remote.get_access_token().access_token)

        assert access_tokens == {wechat.access_token}
        assert wechat.access_token_fetches == {"classic": 1, "stable": 0}

    @pytest.mark.parametrize(
        ("variable", "value", "told"),
        [
            ("WECHAT_TOKEN_SERVER_SECRET", "", "16 or more ASCII characters"),
            ("WECHAT_TOKEN_SERVER_SECRET", "too short", "16 or more ASCII characters"),
            ("WECHAT_APPID", "", "missing: WECHAT_APPID"),
            ("WECHAT_SECRET", "", "missing: WECHAT_SECRET"),
        ],
    )
    def test_refuses_to_start_without_its_settings(self, wechat, variable, value, told):
        status, output = run(*PROGRAM, environ=make_environ(wechat, **{variable: value}))

        assert status == 2
        assert told in output
        assert variable in output
        assert "Traceback" not in output
        for secret in (wechat.secret, SHARED, "too short"):
            assert secret not in output

    @pytest.mark.parametrize("options", [["--api", "ftp://example.com"], ["--store", ":memory:"]])
    def test_refuses_options_that_cannot_be(self, wechat, options):
        status, output = run(*PROGRAM, *options, environ=make_environ(wechat))

        assert "Traceback" not in output
        assert status == 2

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ends_quietly(self, wechat, number):
        command = (sys.executable, *PROGRAM, "--api", wechat.url)
        environ = {"PATH": "", **make_environ(wechat)}
        with subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                address = process.stdout.readline().strip()
                with make_remote(Client, wechat, address) as remote:
                    remote.get_access_token()
                process.send_signal(number)
                output, _ = process.communicate(timeout=TIMEOUT)
            finally:
                process.kill()

        assert process.returncode == 0
        assert "Traceback" not in output
