"""``wechat-msg token``: whether an access_token can be had, and from where."""

from __future__ import annotations

import re

from tests.helpers.commands import CHINESE, ask
from wechat_msg import Client
from wechat_msg.cli.bot import listen
from wechat_msg.client.token_server import make_token_server
from wechat_msg.testing import FakeWeChatAPI

SHARED = "a shared secret of the servers"


class TestToken:
    def test_shows_when_it_ends_and_prints_it_only_if_asked(self):
        with FakeWeChatAPI() as wechat:
            shown = ask("token", "--api", wechat.url).stdout
            printed = ask("token", "--api", wechat.url, "--show").stdout

        assert re.fullmatch(r"✓ wx0123456789abcdef has an access_token  until \S+ \S+, for 7\d{3} s\n", shown)
        assert printed.strip() not in shown
        assert re.fullmatch(r"\S{100,}\n", printed)

    def test_comes_from_a_token_server_without_the_secret_of_the_account(self, environ):
        environ.setenv("WECHAT_TOKEN_SERVER_SECRET", SHARED)
        with FakeWeChatAPI() as wechat, Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            with listen(make_token_server(client, SHARED)) as url:
                by_option = ask("token", "--token-server", url, "--show")
                environ.setenv("WECHAT_TOKEN_SERVER", url)
                by_variable = ask("token", "--show")
            assert by_option.stdout == by_variable.stdout == client.get_access_token().access_token + "\n"

    def test_reports_what_is_missing_or_refused(self, environ):
        with FakeWeChatAPI() as wechat:
            for words, status, text in (
                ([], 2, "environment variables missing: WECHAT_SECRET"),
                (["--token-server", "https://tokens.example"], 2, "set WECHAT_TOKEN_SERVER_SECRET"),
                (["--token-server", "tokens.example"], 2, "set WECHAT_TOKEN_SERVER_SECRET"),
                (["--api", "localhost:1"], 2, "did you mean http://localhost:1?"),
                (["--api", wechat.url, "--appid", "wx9999999999999999"], 1, "40013: "),
                (["--api", "http://127.0.0.1:1"], 1, "cannot connect to 127.0.0.1:1: Connection refused"),
            ):
                result = ask("token", *words)
                assert (result.exit_code, result.stdout) == (status, ""), words
                assert text in result.stderr

            environ.setenv("WECHAT_SECRET", "0" * 32)
            result = ask("token", "--api", wechat.url, "--lang", "zh")

        assert result.exit_code == 1
        assert result.stderr.startswith("wechat-msg: 40125: ")
        assert CHINESE.search(result.stderr)
        assert "0" * 32 not in result.output
