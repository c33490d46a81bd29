"""Proxies and certificates of the environment: they mean the same to both clients, and no value breaks one."""

from __future__ import annotations

import base64
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.helpers.both_clients import both, catch, make_fixed
from tests.helpers.raw_http import Connection, answering, listen, refuse, render
from wechat_msg import Client, MemoryStore
from wechat_msg.api.call import raw_call
from wechat_msg.client.environment import Environment
from wechat_msg.errors import CallError, ConnectFailed
from wechat_msg.testing import FakeWeChatAPI

ANYTHING = raw_call("GET", "/cgi-bin/anything")
TLS, PLAIN = "https://api.weixin.qq.com/cgi-bin/token", "http://api.weixin.qq.com/cgi-bin/token"

FOUND = [
    ({}, TLS, None),
    ({"HTTPS_PROXY": "http://proxy:1"}, TLS, "http://proxy:1"),
    ({"https_proxy": "http://proxy:1"}, TLS, "http://proxy:1"),
    ({"https_proxy": "http://lower:1", "HTTPS_PROXY": "http://upper:1"}, TLS, "http://lower:1"),
    ({"HTTPS_PROXY": "http://proxy:1"}, PLAIN, None),
    ({"HTTP_PROXY": "http://proxy:1"}, PLAIN, "http://proxy:1"),
    ({"HTTP_PROXY": "http://proxy:1"}, TLS, None),
    ({"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}, PLAIN, None),  # in CGI it is a header of the request
    ({"ALL_PROXY": "http://proxy:1"}, TLS, "http://proxy:1"),
    ({"all_proxy": "http://proxy:1"}, PLAIN, "http://proxy:1"),
    ({"ALL_PROXY": "socks://all:1", "HTTPS_PROXY": "http://proxy:1"}, TLS, "http://proxy:1"),
    ({"HTTPS_PROXY": "proxy:1"}, TLS, "http://proxy:1"),
    ({"HTTPS_PROXY": "HTTP://proxy"}, TLS, "http://proxy"),
    ({"HTTPS_PROXY": "https://user:pass@proxy:1/"}, TLS, "https://user:pass@proxy:1/"),
    ({"HTTPS_PROXY": "socks5h://[::1]:1"}, TLS, "socks5h://[::1]:1"),
    ({"HTTPS_PROXY": ""}, TLS, None),
]
EXCEPTED = [
    ("api.weixin.qq.com", True),
    ("API.weixin.QQ.com", True),
    ("weixin.qq.com", True),
    (".qq.com", True),
    ("*.qq.com", True),
    ("*", True),
    ("a.test, qq.com ,b.test", True),
    ("qq.com:443", True),
    ("qq.com:8443", False),
    ("xin.qq.com", False),
    ("qq.co", False),
    ("api.weixin.qq.com.test", False),
    ("10.0.0.0/8", False),
    (",", False),
    ("", False),
]
EXCEPTED_ADDRESSES = [
    ("127.0.0.1", "127.0.0.1", True),
    ("127.0.0.0/8", "127.0.0.1", True),
    ("127.0.0.1/8", "127.0.0.1", True),
    ("127.0.0.1:80", "127.0.0.1", True),
    ("127.0.0.1:81", "127.0.0.1", False),
    ("10.0.0.0/8", "127.0.0.1", False),
    ("::1", "[::1]", True),
    ("[::1]", "[::1]", True),
    ("[::1]:80", "[::1]", True),
    ("fe80::/10", "[::1]", False),
    ("::/0", "127.0.0.1", False),
    ("127.0.0.1/99", "127.0.0.1", False),
]
#: Malformed URLs, and protocols that a client does not speak; what curl calls socks is SOCKS 4.
BAD = [
    *(
        "http://",
        "http://:8080",
        "http://proxy:port",
        "http://proxy:99999",
        "http://proxy:0",
        "http://[proxy",
        "://proxy",
    ),
    *("ftp://proxy:1", "socks://proxy:1", "socks4://proxy:1", "http://pro xy:1", "http://proxy\x01:1", "代理:1"),
    *("http://user:pa#ss@proxy:1", "http://user:密码@proxy:1"),
]


class TestFindProxy:
    @pytest.mark.parametrize(("variables", "url", "proxy"), FOUND)
    def test_takes_the_most_exact_variable(self, clean_environ, variables, url, proxy):
        clean_environ(**variables)

        assert Environment.read().find_proxy(url) == proxy

    @pytest.mark.parametrize(("entries", "is_excepted"), EXCEPTED)
    def test_excepts_hosts_and_all_below_them(self, clean_environ, entries, is_excepted):
        clean_environ(HTTPS_PROXY="http://proxy:1", NO_PROXY=entries)

        assert (Environment.read().find_proxy(TLS) is None) == is_excepted

    @pytest.mark.parametrize(("entries", "host", "is_excepted"), EXCEPTED_ADDRESSES)
    def test_excepts_addresses_and_networks(self, clean_environ, entries, host, is_excepted):
        clean_environ(HTTP_PROXY="http://proxy:1", no_proxy=entries)

        assert (Environment.read().find_proxy(f"http://{host}/") is None) == is_excepted

    @pytest.mark.parametrize("value", BAD)
    def test_refuses_a_malformed_url_without_showing_it(self, clean_environ, value):
        clean_environ(https_proxy=value)
        error = catch(CallError, Environment.read().find_proxy, TLS)

        assert "HTTPS_PROXY" in str(error)
        assert value not in str(error)
        assert Environment.read().find_proxy(PLAIN) is None

    def test_does_not_show_passwords(self, clean_environ):
        clean_environ(HTTPS_PROXY="http://user:pass@proxy:1")

        assert "pass" not in repr(Environment.read())


class TestFindCertificates:
    @pytest.mark.parametrize(
        ("variables", "path"),
        [
            ({}, None),
            ({"REQUESTS_CA_BUNDLE": "a", "CURL_CA_BUNDLE": "b", "SSL_CERT_FILE": "c", "SSL_CERT_DIR": "d"}, "a"),
            ({"CURL_CA_BUNDLE": "b", "SSL_CERT_FILE": "c", "SSL_CERT_DIR": "d"}, "b"),
            ({"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": "c", "SSL_CERT_DIR": "d"}, "c"),
            ({"SSL_CERT_DIR": "d"}, "d"),
        ],
    )
    def test_takes_the_first_variable_that_is_set(self, clean_environ, variables, path):
        clean_environ(**variables)

        assert Environment.read().find_certificates(TLS, None) == path

    def test_is_about_tls_only(self, clean_environ):
        clean_environ(SSL_CERT_FILE="c")
        environment = Environment.read()

        assert environment.find_certificates(PLAIN, None) is None
        assert environment.find_certificates(PLAIN, "http://proxy:1") is None
        assert environment.find_certificates(PLAIN, "https://proxy:1") == "c"


# --- over the network ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def proxying(answer: bytes = b'{"by":"proxy"}') -> Iterator[Any]:
    with listen(answering(render(answer))) as proxy:
        yield proxy


@both
class TestProxy:
    @pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
    def test_is_asked(self, make, clean_environ, name):
        with proxying() as proxy:
            clean_environ(**{name: proxy.url})
            with make_fixed(make, "http://api.weixin.test") as client:
                assert client.call(ANYTHING) == {"by": "proxy"}

        assert proxy.requests[0].line.startswith("GET http://api.weixin.test/cgi-bin/anything?")

    def test_gets_its_password(self, make, clean_environ):
        with proxying() as proxy:
            clean_environ(HTTP_PROXY=proxy.url.replace("http://", "http://user:p%40ss@"))
            with make_fixed(make, "http://api.weixin.test") as client:
                client.call(ANYTHING)

        assert proxy.requests[0].headers["proxy-authorization"] == f"Basic {base64.b64encode(b'user:p@ss').decode()}"

    @pytest.mark.parametrize("excepted", ["127.0.0.1", "127.0.0.0/8", "*"])
    def test_is_not_asked_for_what_is_excepted(self, make, clean_environ, excepted):
        with proxying() as proxy, proxying(b'{"by":"server"}') as server:
            clean_environ(HTTP_PROXY=proxy.url, NO_PROXY=excepted)
            with make_fixed(make, server.url) as client:
                assert client.call(ANYTHING) == {"by": "server"}

        assert proxy.connections == []

    @pytest.mark.parametrize("value", BAD)
    def test_with_a_malformed_url_fails_the_call_and_not_the_constructor(self, make, clean_environ, value):
        with proxying(b'{"by":"server"}') as server:
            clean_environ(ALL_PROXY=value, NO_PROXY="127.0.0.1")
            with make_fixed(make, "http://api.weixin.test", server.url, retries=1) as client:
                error = catch(CallError, client.call, ANYTHING)
            with make_fixed(make, server.url) as client:
                assert client.call(ANYTHING) == {"by": "server"}

        assert "ALL_PROXY" in str(error)
        assert value not in str(error)

    def test_with_a_malformed_url_is_no_failure_that_others_hear_of(self, make, clean_environ):
        with FakeWeChatAPI() as wechat:
            options = {"hosts": [wechat.url], "store": MemoryStore()}
            clean_environ(HTTP_PROXY="http://")
            with make(wechat.appid, wechat.secret, **options) as client:
                catch(CallError, client.get_access_token)
            clean_environ(HTTP_PROXY="")
            with make(wechat.appid, wechat.secret, **options) as client:
                assert client.get_access_token().access_token

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
    def test_of_socks_names_the_package_that_is_missing(self, make, clean_environ, monkeypatch, scheme):
        module, package = ("socks", "PySocks") if make is Client else ("socksio", "socksio")
        monkeypatch.setitem(sys.modules, module, None)
        clean_environ(ALL_PROXY=f"{scheme}://127.0.0.1:1")
        with make_fixed(make, "http://api.weixin.test") as client:
            assert package in str(catch(CallError, client.call, ANYTHING))

    def test_of_socks_is_of_no_interest_where_another_is_named(self, make, clean_environ, monkeypatch):
        """As with the programs that set all three variables."""
        for module in ("socks", "socksio"):
            monkeypatch.setitem(sys.modules, module, None)
        with proxying() as proxy:
            clean_environ(all_proxy="socks5://127.0.0.1:1", http_proxy=proxy.url)
            with make_fixed(make, "http://api.weixin.test") as client:
                assert client.call(ANYTHING) == {"by": "proxy"}


@both
class TestCertificates:
    def call(self, make, certificate):
        server = listen(answering(render(b'{"a":1}')), context=certificate.context)
        with server as listening, make_fixed(make, listening.url) as client:
            assert client.call(ANYTHING) == {"a": 1}

    @pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
    def test_that_the_environment_names_are_trusted(self, make, clean_environ, certificate, name):
        clean_environ(**{name: certificate.path})
        self.call(make, certificate)

    def test_of_a_folder_are_trusted(self, make, clean_environ, certificate, tmp_path):
        (tmp_path / f"{certificate.hash}.0").symlink_to(certificate.path)
        clean_environ(SSL_CERT_DIR=str(tmp_path))
        self.call(make, certificate)

    def test_that_are_not_found_matter_to_tls_only(self, make, clean_environ):
        clean_environ(SSL_CERT_FILE="/no/such/file.pem")
        with proxying(b"{}") as server, make_fixed(make, server.url) as client:
            assert client.call(ANYTHING) == {}


class TestSessionOfRequests:
    """Of a session of requests, what it says itself comes first; of one of httpx2 it always does."""

    def test_prefers_its_own_proxies(self, clean_environ):
        with proxying() as proxy, refuse() as other, requests.Session() as session:
            clean_environ(HTTP_PROXY=other, ALL_PROXY="socks://x", NO_PROXY="api.weixin.test")
            for name in ("http", "all", "http://api.weixin.test"):
                session.proxies = {name: proxy.url}
                with make_fixed(Client, "http://api.weixin.test", session=session) as client:
                    assert client.call(ANYTHING) == {"by": "proxy"}

    def test_reads_missing_settings_from_the_environment(self, clean_environ):
        with proxying() as proxy, requests.Session() as session:
            clean_environ(HTTP_PROXY=proxy.url)
            session.proxies = {"https": "http://127.0.0.1:1"}
            with make_fixed(Client, "http://api.weixin.test", session=session) as client:
                assert client.call(ANYTHING) == {"by": "proxy"}

    @pytest.mark.parametrize("name", ["http", "all"])
    def test_may_disable_the_proxy(self, clean_environ, name):
        with proxying(b'{"by":"server"}') as server, refuse() as proxy, requests.Session() as session:
            clean_environ(HTTP_PROXY=proxy)
            session.proxies = {name: ""}
            with make_fixed(Client, server.url, session=session) as client:
                assert client.call(ANYTHING) == {"by": "server"}

    def test_may_not_trust_the_environment(self, clean_environ):
        with proxying(b'{"by":"server"}') as server, refuse() as proxy, requests.Session() as session:
            clean_environ(HTTP_PROXY=proxy)
            session.trust_env = False
            with make_fixed(Client, server.url, session=session) as client:
                assert client.call(ANYTHING) == {"by": "server"}

    @pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
    @pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
    def test_prefers_its_own_certificates(self, clean_environ, certificate, name):
        clean_environ(**{name: "/no/such/file.pem"})
        with listen(answering(render(b'{"a":1}')), context=certificate.context) as server:
            for verify in (certificate.path, False):
                with requests.Session() as session:
                    session.verify = verify
                    with make_fixed(Client, server.url, session=session) as client:
                        assert client.call(ANYTHING) == {"a": 1}

    @pytest.mark.parametrize("proxy", ["http://", "http://proxy:port", "ftp://x", "socks9://x", "http://a b", "代理:1"])
    def test_with_a_malformed_proxy_never_connects(self, clean_environ, proxy):
        clean_environ()
        with requests.Session() as session:
            session.proxies = {"http": proxy}
            with make_fixed(Client, "http://api.weixin.test", session=session) as client:
                catch(ConnectFailed, client.call, ANYTHING)

    def test_with_a_header_that_cannot_be_sent_never_connects(self, clean_environ):
        clean_environ()
        with listen(answering(render(b"{}"))) as server, requests.Session() as session:
            session.headers["X-Mine"] = "a\r\nb"
            with make_fixed(Client, server.url, session=session) as client:
                catch(ConnectFailed, client.call, ANYTHING)

        assert server.connections == []

    def test_with_certificates_that_are_not_found_never_connects(self, clean_environ):
        clean_environ()
        for name in ("verify", "cert"):
            with requests.Session() as session, refuse() as url:
                setattr(session, name, "/no/such/file.pem")
                with make_fixed(Client, url.replace("http:", "https:"), session=session) as client:
                    assert "/no/such/file.pem" in str(catch(ConnectFailed, client.call, ANYTHING))


def be_a_socks_proxy(connection: Connection) -> None:
    """Speak SOCKS 5, and answer instead of the server."""
    connection.socket.recv(1 << 10)
    connection.send(b"\x05\x00")
    assert b"api.weixin.test" in connection.socket.recv(1 << 10)
    connection.send(b"\x05\x00\x00\x01" + bytes(6))
    connection.read_request()
    connection.send(render(b'{"by":"socks"}'))


def test_socks_proxy_is_asked(clean_environ):
    pytest.importorskip("socks")
    with listen(be_a_socks_proxy) as proxy:
        clean_environ(ALL_PROXY=proxy.url.replace("http:", "socks5h:"))
        with make_fixed(Client, "http://api.weixin.test") as client:
            assert client.call(ANYTHING) == {"by": "socks"}
