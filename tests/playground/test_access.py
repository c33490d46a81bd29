"""Who may read and use the page: its key, its host names, and pages of other sites."""

from __future__ import annotations

import contextlib
import itertools
import socket
from urllib.parse import urlsplit

import pytest

from tests.helpers.playgrounds import SETTINGS, Page, run_playground
from tests.helpers.rows import check_rows
from wechat_msg import SettingsError
from wechat_msg.playground import Playground


class TestAccess:
    def test_is_refused_without_the_key(self, playground):
        stranger = Page(playground)
        own = ("events", "static/main.js", "wires/1", "copies/1", "conversation")
        for path in ("/", "/?key=wrong", *(f"/playground/{each}" for each in own)):
            status, headers, body = stranger.ask("GET", path, Accept="text/html")
            assert status == 403
            assert "set-cookie" not in headers
            assert b"?key=" in body
        assert stranger.post("pushes", {})[0] == 403
        assert Page(playground, "wechat_playground=x").post("clearing", {})[0] == 403

    def test_the_cookie_is_for_this_page_only(self, playground):
        _, headers, body = Page(playground).ask("GET", playground.address.removeprefix(playground.base))
        assert headers["location"] == "/"
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert str(urlsplit(playground.base).port) in cookie.partition("=")[0]
        assert body == b""

    def test_is_possible_by_a_link_on_another_site(self, playground):
        path = playground.address.removeprefix(playground.base)
        status, headers, _ = Page(playground).ask("GET", path, Sec_Fetch_Site="cross-site")
        assert (status, headers["refresh"]) == (200, "0; url=/")
        assert "set-cookie" in headers

    def test_is_refused_under_other_host_names(self, page):
        def check(host, path):
            with contextlib.closing(
                socket.create_connection(("127.0.0.1", urlsplit(page.playground.base).port))
            ) as link:
                cookie = f"Cookie: {page.cookie}\r\n"
                link.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}Connection: close\r\n\r\n".encode())
                assert link.makefile("rb").readline().split()[1] in (b"403", b"400")

        check_rows(
            itertools.product(
                ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1:8765", "", "localhost@evil"],
                ["/", "/playground/events", "/cgi-bin/token", "/fake/file?media_id=x"],
            ),
            check,
        )

    def test_is_refused_to_pages_of_other_sites(self, page):
        def check(origin):
            for path in (
                "pushes",
                "replays",
                "users",
                "conversation",
                "account",
                "media?kind=image",
                "clearing",
                "verification",
            ):
                assert page.ask("POST", f"/playground/{path}", b"{}", Origin=origin)[0] == 403

        check_rows(["http://evil.example", "null", None, "http://127.0.0.1:1", "http://["], check)

    def test_of_the_api_is_refused_to_pages_of_other_sites(self, page):
        assert page.ask("POST", "/cgi-bin/stable_token", b"{}", Origin="http://evil.example")[0] == 403

    def test_is_possible_under_allowed_names(self):
        with run_playground("http://127.0.0.1:1/", allowed_hosts=["Bot.Test"]) as playground:
            path = playground.address.removeprefix(playground.base)
            assert Page(playground).ask("GET", path, Host="bot.test:80")[0] == 303
            assert Page(playground).ask("GET", path, Host="other.test:80")[0] == 403

    def test_is_possible_by_any_address_if_it_listens_everywhere(self):
        with run_playground("http://127.0.0.1:1/", host="0.0.0.0") as playground:
            assert playground.address.startswith("http://127.0.0.1:")
            path = playground.address.removeprefix(playground.base)
            assert Page(playground).ask("GET", path, Host="192.168.1.9:80")[0] == 303
            assert Page(playground).ask("GET", path, Host="evil.example:80")[0] == 403

    def test_needs_a_list_of_allowed_hosts(self):
        def check(names):
            with pytest.raises(SettingsError, match="allowed_hosts"):
                Playground(SETTINGS, "http://127.0.0.1:1/", port=0, allowed_hosts=names)

        check_rows(["bot.test", [1], 5], check)

    def test_lets_the_page_run_only_its_own_scripts(self, page):
        status, headers, body = page.ask("GET", "/")
        assert status == 200
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert b"style=" not in body
