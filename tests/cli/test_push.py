"""``wechat-msg push``: what it prints in both formats and languages, and how it ends."""

from __future__ import annotations

import itertools
import json
import re
import signal
import threading
from wsgiref.simple_server import make_server

import pytest

from tests.helpers.certificates import make_certificate
from tests.helpers.commands import CHINESE, FORMATS, HI, SETTINGS, answering, ask, find_english, interrupt
from tests.helpers.rows import check_rows
from tests.helpers.servers import TIMEOUT
from wechat_msg import PushEndpoint
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.cli.bot import PATH, EchoBot, listen


class TestPush:
    def test_prints_the_reply(self, bot):
        result = ask("push", bot, "--text", "你好")

        assert result.exit_code == 0
        assert re.match(r"✓ try 1  0.00 s → 0.\d\d s  HTTP 200  replied\n", result.stdout)
        assert re.search(r"^  Content +你好$", result.stdout, re.MULTILINE)

    def test_prints_requests_and_answers_without_secrets(self, bot):
        def check(mode, form):
            result = ask(
                "push", bot, "--event", "CLICK", "--field", "EventKey=HELP", "--mode", mode, "--format", form, "-v"
            )

            assert result.exit_code == 0
            assert "Encrypt" in result.stdout
            assert "EventKey" in result.stdout
            assert "spamtest" not in result.stdout

        check_rows(itertools.product(["compatible", "sealed"], FORMATS), check)

    def test_prints_json(self, bot):
        result = ask("push", bot, "--image", "http://example.com/cat.jpg", "--json")

        printed = json.loads(result.stdout)
        assert printed["reply"]["Image"] == {"MediaId": "MEDIA_ID"}
        assert printed["tries"][0]["status"] == 200
        assert printed["problem"] is None

    def test_prints_each_try_what_the_user_sees_and_the_fix(self):
        with answering(b"", "500 Oops") as url:
            result = ask("push", url, "--text", "hi", "--tries", "2", "--lang", "zh")

        assert result.exit_code == 1
        assert [line[:9] for line in result.stdout.splitlines()[:2]] == ["✗ 第 1 次  ", "✗ 第 2 次  "]
        assert "用户看到：该公众号提供的服务出现故障，请稍后再试" in result.stdout
        assert "解决办法：请查看服务日志" in result.stdout

    def test_prints_json_in_the_selected_language(self):
        with answering(b"<html>", "200 OK") as url:
            result = ask("push", url, "--text", "hi", "--lang", "zh", "--json", "--verbose")

        problem = json.loads(result.stdout)["problem"]
        assert result.exit_code == 1
        assert problem["code"] == "unreadable"
        assert CHINESE.search(problem["what"])

    def test_prints_that_no_server_listens(self):
        result = ask("push", "http://127.0.0.1:1/", "--text", "hi", "--tries", "1")

        assert result.exit_code == 1
        assert "no connection could be made [Connection refused]" in result.stdout
        assert "无法建立连接 [连接被拒绝]" in ask(*HI, "--lang", "zh").stdout

    def test_prints_what_a_status_may_mean(self):
        def check(status, english, chinese):
            with answering(b"", status) as url:
                for command in (["push", url, "--text", "hi", "--tries", "1"], ["check", url]):
                    assert re.search(english, ask(*command).stdout)
                    assert re.search(chinese, ask(*command, "--lang", "zh").stdout)

        check_rows(
            [
                (
                    "403 Forbidden",
                    "either the bot rejects signature or ciphertext.*; or CSRF protection",
                    "可能是机器人拒绝了签名或密文.*；也可能是被 CSRF",
                ),
                (
                    "404 Not Found",
                    "either the path does not exist.*; or another server listens on this host and port",
                    "可能是路径不存在.*；也可能是该主机与端口上",
                ),
            ],
            check,
        )

    def test_prints_in_chinese_without_english_what_is_wrong_with_an_answer(self):
        def check(answer):
            with answering(answer) as url:
                lines = ask("push", url, "--text", "hi", "--tries", "1", "--lang", "zh").stdout.splitlines()

            printed = re.sub(
                "HTTP|XML|JSON|CDATA|success|ToUserName|FromUserName|CreateTime|MsgType", "", "\n".join(lines)
            )
            assert find_english(re.sub(r"[0-9.]+ s\b", "", printed), []) == set()

        check_rows([b"<!doctype html><br>", b"<xml>", b"{}", b"x" * (2 << 20)], check)

    def test_checks_certificates_by_default(self, tmp_path):
        context = make_certificate(tmp_path).context
        with EchoBot(SETTINGS) as bot, make_server("127.0.0.1", 0, bot.app, ThreadingServer, QuietHandler) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            words = ["push", f"https://127.0.0.1:{server.server_port}{PATH}", "--text", "hi", "--tries", "1"]
            strict, lenient = ask(*words), ask(*words, "--insecure")
            server.shutdown()

        assert "the TLS handshake failed [self-signed certificate]" in strict.stdout
        assert lenient.exit_code == 0

    def test_escapes_control_characters_of_a_reply(self, bot):
        result = ask("push", bot, "--text", "\x9b31m\u202e\u2028[bold]a👨‍👩‍👧", "-v")

        assert "\\x9b31m\\u202e" in result.stdout
        assert "[bold]a👨‍👩‍👧" in result.stdout
        assert "\x9b" not in result.stdout

    def test_survives_any_text(self, bot):
        def check(option, value):
            given = [] if option in ("--text", "--image", "--event") else ["--text", "hi"]
            for as_json in ([], ["--json"]):
                assert ask("push", bot, *given, option, value, *as_json, "--tries", "1").exit_code in (0, 1, 2)

        check_rows(
            itertools.product(
                ["--text", "--image", "--event", "--openid", "--field"],
                ["", "\udcff", "\x1b[2J", "é=\x00", "x" * 70_000],
            ),
            check,
        )


class TestInterrupted:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_push_ends_quietly(self, number):
        arrived, over = threading.Event(), threading.Event()

        def handle(_message):
            arrived.set()
            over.wait(TIMEOUT)

        with listen(push_app(PushEndpoint(SETTINGS, handle))) as url:
            status, _, errors = interrupt(["push", url, "--text", "hi"], number, when=lambda _: arrived.wait(TIMEOUT))
            over.set()

        assert status == 130
        assert errors.strip() == ""
