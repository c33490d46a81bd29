"""The command ``wechat-msg``: its output in both languages, its exit statuses, and its errors for invalid input."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode
from wsgiref.simple_server import make_server

import attrs
import pytest
from click.testing import CliRunner

from tests.helpers.certificates import make_certificate
from tests.helpers.rows import check_rows
from tests.helpers.servers import ROOT, TIMEOUT, run, serve
from tests.helpers.waiting import wait_until
from wechat_msg import PushEndpoint, PushSettings
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.cli.bot import PATH, EchoBot, listen
from wechat_msg.cli.main import app
from wechat_msg.testing import FakeWeChatAPI, PushSimulator, build_echostr_request, build_push
from wechat_msg.testing.conformance import CHECKS

SETTINGS = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
ENVIRON = {"WECHAT_TOKEN": "spamtest", "WECHAT_ENCODING_AES_KEY": "A" * 43, "WECHAT_APPID": "wx0123456789abcdef"}
COMMAND = ("-m", "wechat_msg")
SECRET = {"MsgType": "text", "Content": "秘密 \x9b31m", "CreateTime": 1700000000}
FORMATS = ["xml", "json"]
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def environ(monkeypatch):
    """Replace the settings of the machine by those of the account."""
    for name in list(os.environ):
        if name.startswith(("WECHAT_", "LC_", "LANG", "FORCE_COLOR", "COLUMNS")):
            monkeypatch.delenv(name)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def bot():
    with EchoBot(SETTINGS) as bot, listen(bot.app) as url:
        yield url + PATH


def ask(*words, stdin=None):
    """Run the command in this process."""
    result = CliRunner().invoke(app, words, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "\x1b" not in result.output
    assert "A" * 43 not in result.output
    return result


@contextlib.contextmanager
def answering(answer, status="200 OK"):
    """Serve one answer to everything."""

    def answer_always(environ, start_response):
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [])
        return [answer]

    with listen(answer_always) as url:
        yield url


class TestLanguage:
    def test_of_help_is_the_selected_one(self):
        def check(command):
            english, chinese = (ask(*command, "--help", "--lang", language).stdout for language in ("en", "zh"))

            assert english.startswith("Usage: ")
            assert chinese.startswith("用法: wechat-msg")
            assert not re.search(
                r"OPTIONS|COMMAND|ARGS|TEXT|NAME|VALUE|FILE|URL", re.sub("WECHAT_[A-Z_]+", "", chinese)
            )
            assert len(english.splitlines()) >= len(chinese.splitlines()) - 2
            for line in chinese.splitlines()[2:]:
                described = re.match(r"  (?:-|[a-z]).*?\s{2,}(.+)", line)
                assert not described or CHINESE.search(described[1]), line

        check_rows([[], *([name] for name in app.commands)], check)

    @pytest.mark.parametrize(
        ("locale", "usage"),
        [
            ({"LANG": "zh_CN.UTF-8"}, "用法"),
            ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "Usage"),
            ({"LC_MESSAGES": "zh_TW", "LANG": "en_US.UTF-8"}, "用法"),
            ({}, "Usage"),
        ],
    )
    def test_is_that_of_the_locale(self, locale, usage, environ):
        for name, value in locale.items():
            environ.setenv(name, value)

        assert ask("--help").stdout.startswith(usage)

    def test_of_usage_errors_is_the_selected_one(self):
        def check(words, message):
            result = ask("--lang", "zh", *words)

            assert result.exit_code == 2
            assert message in result.stderr
            assert result.stderr.count("\n") == 1
            assert result.stdout == ""

        check_rows(
            [
                (["frobnicate"], "没有这个命令：frobnicate"),
                (["push", "http://127.0.0.1/", "--frob"], "没有这个选项：--frob"),
                (["push"], "缺少 URL"),
                (["push", "http://127.0.0.1/", "--text"], "选项 --text 用法有误"),
                (["push", "http://127.0.0.1/", "--mode", "open"], "--mode 的值无效，可选：plain、compatible、sealed"),
                (["push", "http://127.0.0.1/", "--tries", "x"], "--tries 的值无效，应为 1 到 10 的整数"),
                (["demo", "now"], "多余的参数：now"),
                (["push", "http://127.0.0.1/"], "请给出其中之一"),
            ],
            check,
        )

    def test_may_stand_before_or_after_the_command(self):
        for words in (["--lang", "zh", "new-settings"], ["new-settings", "--lang=zh"]):
            assert "服务器配置" in ask(*words).stdout

    def test_that_is_unknown_is_refused(self):
        assert ask("new-settings", "--lang", "tlh").exit_code == 2


URL = "http://127.0.0.1:1/wechat"
HI = ("push", URL, "--text", "hi", "--tries", "1")
#: The command line of each mistake, and the error in English and in Chinese.
MISTAKES = {
    "command": (["frobnicate"], "no such command: frobnicate (wechat-msg --help)", "没有这个命令：frobnicate"),
    "command, nearly": (["psuh", URL], "no such command: psuh; did you mean push?", "是不是 push？"),
    "command in capitals": (["Push", URL], "did you mean push?", "是不是 push？"),
    "option": (["--frob"], "no such option: --frob (wechat-msg --help)", "没有这个选项：--frob"),
    "option, nearly": ([*HI, "--txt", "hi"], "did you mean --text? (wechat-msg push --help)", "是不是 --text？"),
    "option in front": (["--token", "x", *HI], "write --token after the command", "--token 应写在命令之后"),
    "option without value": ([*HI, "--openid"], "--openid needs a value (wechat-msg push --help)", "缺少值"),
    "option for a value": ([*HI, "--openid", "--json"], "write --openid=--json", "请写成 --openid=--json"),
    "option with a value of nothing": ([*HI, "--openid="], "--openid is empty", "选项 --openid 的值为空"),
    "option twice": ([*HI, "--text", "ho"], "--text is given twice", "选项 --text 重复"),
    "flag with a value": ([*HI, "--json=yes"], "--json takes no value", "它不带值"),
    "token of nothing": ([*HI, "--token", ""], "--token is empty", "选项 --token 的值为空"),
    "host of nothing": (["serve", "--host", ""], "--host is empty", "选项 --host 的值为空"),
    "api of nothing": (["serve", "--api", ""], "--api is empty", "选项 --api 的值为空"),
    "language": (["new-settings", "--lang=fr"], "--lang must be one of en, zh", "可选：en、zh"),
    "argument missing": (["check"], "URL is missing: your server's address, such as http://127.0.0.1:8000", "缺少 URL"),
    "argument too many": ([*HI, "there"], "too many arguments: there; a value with spaces needs quotes", "请加引号"),
    "argument to options only": (["decrypt", "body.xml"], "this command takes options only", "该命令只接受选项"),
    "choice": (
        [*HI, "--mode", "open"],
        "--mode must be one of plain, compatible, sealed",
        "可选：plain、compatible、sealed",
    ),
    "number": ([*HI, "--port", "1"], "no such option: --port", "没有这个选项：--port"),
    "number too large": (
        ["serve", "--port", "70000"],
        "--port must be a whole number from 0 to 65535",
        "0 到 65535 的整数",
    ),
    "no number": ([*HI[:-1], "x"], "--tries must be a whole number from 1 to 10", "应为 1 到 10 的整数"),
    "nothing to push": (
        ["push", URL],
        "give one of: --text, --image, --event, --file",
        "请给出其中之一：--text、--image",
    ),
    "two to push": ([*HI, "--event", "CLICK"], "--text, --event exclude each other", "--text、--event 不能同时使用"),
    "field by two": ([*HI, "--field", "Content=a"], "--field Content: already set by --text", "已由 --text 给出"),
    "type by two": (
        [*HI, "--field", "MsgType=a"],
        "--field MsgType: already set by",
        "已由 --text、--image 或 --event 给出",
    ),
    "user by two": (
        [*HI, "--openid", "o", "--field", "FromUserName=a"],
        "--field FromUserName: already set by --openid",
        "已由 --openid 给出",
    ),
    "field twice": ([*HI, "--field", "A=1", "--field", "A=2"], "--field A: already set by", "已由 --field 给出"),
    "field without value": ([*HI, "--field", "A"], "--field must be NAME=VALUE", "--field 的格式为 名称=值"),
    "field name": ([*HI, "--field", "a b=c"], "a field name is not an XML name", "字段名只能"),
    "mode without key": (
        [*HI, "--aes-key", "", "--mode", "sealed"],
        "--mode sealed needs the key: give --aes-key and --appid, or set WECHAT_ENCODING_AES_KEY and WECHAT_APPID",
        "--mode sealed 需要密钥：请给出 --aes-key 与 --appid",
    ),
    "token": ([*HI, "--token", "my token"], "--token: must be 3 to 32 letters and digits", "--token：Token 必须为"),
    "key": ([*HI, "--aes-key", "short"], "--aes-key: must be 43 letters and digits", "--aes-key：EncodingAESKey 应为"),
    "appid": ([*HI, "--appid", "wx 1"], "--appid: ", "--appid："),
    "appid missing": ([*HI, "--appid", ""], "WECHAT_ENCODING_AES_KEY needs the AppID: give --appid", "需要 AppID"),
    "account kind": (
        [*HI, "--account-kind", "x"],
        "--account-kind: must be official_account or",
        "--account-kind：应为",
    ),
    "address without scheme": (
        ["check", "localhost:8000/wechat"],
        "URL: must begin with http:// or https://; did you mean http://localhost:8000/wechat?",
        "是不是 http://localhost:8000/wechat？",
    ),
    "path for an address": (["push", "/wechat", *HI[2:]], "as in http://127.0.0.1:8000/wechat", "例如 http://"),
    "scheme": (
        ["playground", "ftp://bot.example/"],
        "URL: must begin with http:// or https://",
        "http:// 或 https:// 开头",
    ),
    "scheme with one slash": (
        ["check", "http:/bot.example"],
        "URL: must begin with http://",
        "http:// 或 https:// 开头",
    ),
    "address of nothing": (["check", ""], "URL: must begin with http://", "http:// 或 https:// 开头"),
    "port of an address": (["check", "http://bot.example:99999/"], "URL: the port must be a number from 1", "端口"),
    "blank in an address": (["check", "http://bot.example/a b"], "%20", "%20"),
    "address of the api": (
        ["serve", "--api", "localhost:8765"],
        "did you mean http://localhost:8765?",
        "--api：网址须以",
    ),
    "file": (["push", URL, "--file", "nowhere"], "cannot read nowhere: No such file or directory", "文件不存在"),
    "folder": (["decrypt", "--body", "."], "cannot read .: Is a directory", "是目录，不是文件"),
    "file of something else": (
        ["push", URL, "--file", "Makefile"],
        "Makefile: the body is neither XML",
        "不是可以推送的",
    ),
    "host": (["serve", "--host", "a..b"], "cannot listen on a..b:8000", "无法监听 a..b:8000"),
    "host of the playground": (["playground", "--host", "a..b"], "cannot listen on a..b:8765", "无法监听 a..b:8765"),
    "query": (["decrypt", "--query", "&"], "--query contains no parameters", "--query 中没有参数"),
}
#: English words in Chinese texts, in addition to user input, options, variables and addresses.
NAMES = {"Token", "App", "Encoding", "Key", "wechat", "plain", "sealed", "compatible", "official", "account", "mini"}
NAMES |= {"program", "http", "https", "xn", "en", "zh", *app.commands}


def find_english(text, words):
    """Return the English words of a Chinese message."""
    found = re.sub(r"https?://\S+|--[a-z-]+|[A-Z]+_[A-Z_]+|\(wechat-msg.*\)$", " ", text.removeprefix("wechat-msg: "))
    typed = {part for word in words for part in re.findall("[A-Za-z][a-z]+", word)}
    return set(re.findall("[A-Za-z][a-z]+", found)) - NAMES - typed


class TestMisuse:
    def test_is_named_in_one_line_of_english(self):
        def check(words, english, _):
            result = ask(*words)

            assert result.exit_code == 2
            assert result.stdout == ""
            assert result.stderr.startswith("wechat-msg: ")
            assert result.stderr.count("\n") == 1
            assert english in result.stderr
            assert not CHINESE.search(result.stderr)

        check_rows(MISTAKES, check)

    def test_is_named_in_one_line_of_chinese_without_any_english(self):
        def check(words, _, chinese):
            result = ask("--lang", "zh", *words)

            assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
            assert chinese in result.stderr
            assert find_english(result.stderr, words) == set()

        check_rows(MISTAKES, check)

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("TOKEN", "my token"),
            ("ENCODING_AES_KEY", "short"),
            ("ACCOUNT_KIND", "circus"),
            ("MAX_AGE", "soon"),
            ("ALLOW_PLAINTEXT", "yes"),
            ("PREVIOUS_ENCODING_AES_KEYS", "short"),
        ],
    )
    def test_of_the_environment_names_the_variable(self, variable, value, environ):
        environ.setenv(f"WECHAT_{variable}", value)
        english, chinese = ask(*HI), ask(*HI, "--lang", "zh")

        assert english.exit_code == chinese.exit_code == 2
        assert english.stderr.startswith(f"wechat-msg: WECHAT_{variable}: ")
        assert chinese.stderr.startswith(f"wechat-msg: WECHAT_{variable}：")
        assert find_english(chinese.stderr, []) <= {"True", "False"}

    def test_is_not_reported_for_values_that_look_like_it(self, bot):
        for words in (["--text=--event"], ["--text", ""], ["--text", "-"], ["-v", "-v", "--text", "hi"]):
            assert ask("push", bot, *words, "--tries", "1").exit_code in (0, 1)

    def test_is_not_reported_for_a_file_that_names_another_user(self, bot, tmp_path):
        (tmp_path / "push").write_text("<xml><FromUserName>oME</FromUserName><Content>hi</Content></xml>", "utf-8")
        told = json.loads(ask("push", bot, "--file", str(tmp_path / "push"), "--openid", "oYOU", "--json").stdout)

        assert told["reply"]["ToUserName"] == "oYOU"


class TestCommand:
    def test_without_anything_shows_the_help(self):
        assert ask().stdout == ask("--help").stdout
        assert ask("--lang", "zh").stdout == ask("--help", "--lang", "zh").stdout

    @pytest.mark.parametrize("missing", ["click", "rich"])
    def test_prints_what_to_install(self, missing):
        code = f"import sys; sys.modules[{missing!r}] = None; from wechat_msg.cli import main; main()"
        status, output = run("-c", code)

        assert status == 2
        assert "pip install click rich" in output
        assert "需要" in output
        assert "Traceback" not in output

    def test_is_the_same_as_the_module_and_has_the_same_version(self):
        import wechat_msg

        assert run(*COMMAND, "--version") == (0, wechat_msg.__version__ + "\n")

    def test_escapes_chinese_for_a_terminal_without_chinese(self):
        status, output = run(*COMMAND, "--lang", "zh", "new-settings", environ={"PYTHONIOENCODING": "latin-1"})

        assert status == 0
        assert "\\u516c\\u4f17\\u5e73\\u53f0" in output


class TestStreams:
    def run(self, redirect, *words):
        """Run the command in a shell; return its status and its output."""
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirect}', "sh", sys.executable, *COMMAND, *words],
            cwd=ROOT,
            env={**os.environ, **ENVIRON},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def test_that_are_full_end_the_command_in_one_line(self):
        for words in (["new-settings"], ["check", "http://127.0.0.1:1/"]):
            status, written = self.run(">/dev/full", *words, "--lang", "zh")
            assert (status, written) == (2, "wechat-msg: 无法写出结果：磁盘空间不足\n")

    def test_may_be_closed(self):
        assert self.run(">&-", "new-settings") == (0, "")
        assert self.run(">&- 2>&-", "push", "http://127.0.0.1:1/") == (2, "")
        assert self.run("<&-", "decrypt") == (2, "wechat-msg: cannot read -: Bad file descriptor\n")


class TestNewSettings:
    def test_can_be_used_as_they_are(self):
        lines = ask("new-settings").stdout.splitlines()
        variables = dict(line.split("=", 1) for line in lines if not line.startswith("#"))

        settings = PushSettings.from_env(environ={**variables, "WECHAT_APPID": "wx0123456789abcdef"})
        assert len(settings.token) == 32

    def test_are_new_each_time(self):
        assert ask("new-settings").stdout != ask("new-settings").stdout

    def test_can_be_read_by_a_shell(self):
        printed = ask("new-settings", "--shell", "--lang", "zh").stdout
        done = subprocess.run(
            ["sh", "-euc", f"{printed}\nenv"], capture_output=True, text=True, timeout=TIMEOUT, check=True
        )
        assert re.search(r"^WECHAT_ENCODING_AES_KEY=\w{43}$", done.stdout, re.MULTILINE)


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

        told = json.loads(result.stdout)
        assert told["reply"]["Image"] == {"MediaId": "MEDIA_ID"}
        assert told["tries"][0]["status"] == 200
        assert told["problem"] is None

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

            told = re.sub(
                "HTTP|XML|JSON|CDATA|success|ToUserName|FromUserName|CreateTime|MsgType", "", "\n".join(lines)
            )
            assert find_english(re.sub(r"[0-9.]+ s\b", "", told), []) == set()

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

    def test_sends_a_file_in_its_own_format(self, bot, tmp_path):
        def check(form):
            document = {
                "xml": "<xml><FromUserName>oME</FromUserName><MsgType>text</MsgType>"
                "<Content> from a file </Content></xml>",
                "json": '{"FromUserName": "oME", "MsgType": "text", "Content": " from a file "}',
            }[form]
            (tmp_path / "push").write_text(document, "utf-8")

            for result in (
                ask("push", bot, "--file", str(tmp_path / "push"), "--json", "-v"),
                ask("push", bot, "--file", "-", "--json", "-v", stdin=document),
            ):
                told = json.loads(result.stdout)
                assert told["reply"]["ToUserName"] == "oME"
                assert told["reply"]["Content"] == " from a file "
                assert told["tries"][0]["body"].startswith({"xml": "<", "json": "{"}[form])

        check_rows(FORMATS, check)

    def test_prints_what_is_wrong_with_a_file(self, tmp_path):
        def check(content, message):
            (tmp_path / "push").write_bytes(content)
            result = ask("push", "http://127.0.0.1:1/", "--file", str(tmp_path / "push"))

            assert result.exit_code == 2
            assert message in result.stderr
            assert result.stderr.count("\n") == 1

        check_rows(
            [
                (b"\x00\xff\x1b[31m" * 9, "not UTF-8"),
                (b"", "neither XML nor JSON"),
                (b"<xml><a>", "not well-formed XML"),
                (b"<!DOCTYPE a [<!ENTITY b 'c'>]><xml><a>&b;</a></xml>", "DOCTYPE"),
                (b'{"MsgType":', "not well-formed JSON"),
                (b"[" * 100_000, "too many elements"),
                (b"<xml><Encrypt>AAAA</Encrypt></xml>", "wechat-msg decrypt"),
                (b"<" * (1 << 21), "longer than any push"),
            ],
            check,
        )

    def test_refuses_a_file_that_is_not_readable(self):
        def check(name):
            assert ask("push", "http://127.0.0.1:1/", "--file", name).exit_code == 2

        check_rows(["nowhere", ".", "a\x00b", "/dev/zero"], check)

    def test_refuses_invalid_options_and_sends_nothing(self):
        def check(words):
            result = ask(*words)

            assert result.exit_code == 2
            assert result.stderr.startswith("wechat-msg: ")
            assert result.stderr.count("\n") == 1

        check_rows(
            [
                ["push", "ftp://127.0.0.1/", "--text", "hi"],
                ["push", "127.0.0.1:8000", "--text", "hi"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--event", "CLICK"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--field", "Content"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--field", "a b=c"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--tries", "0"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--aes-key", "short"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--token", "!"],
                ["push", "http://127.0.0.1:1/", "--text", "hi", "--account-kind", "circus"],
                ["check", "http:///"],
                ["decrypt", "--query", "", "--body", "nowhere"],
                ["decrypt", "--body", "nowhere"],
                ["serve", "--port", "70000"],
                ["serve", "--host", "\udcff"],
                ["serve", "--host", "a..b"],
                ["playground", "ftp://127.0.0.1/"],
            ],
            check,
        )

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

    @pytest.mark.parametrize("words", [["push", "http://127.0.0.1:1/", "--text", "hi"], ["check", "x"], ["decrypt"]])
    def test_prints_which_settings_are_missing(self, words, environ):
        environ.delenv("WECHAT_APPID")
        assert "WECHAT_APPID" in ask(*words).stderr

        environ.delenv("WECHAT_TOKEN")
        environ.delenv("WECHAT_ENCODING_AES_KEY")
        result = ask(*words)
        assert result.exit_code == 2
        assert "wechat-msg new-settings" in result.stderr

    def test_prefers_settings_of_the_command_line(self, environ):
        environ.setenv("WECHAT_TOKEN", "another")
        plain = PushSettings(token="fromline")
        with EchoBot(plain) as bot, listen(bot.app) as url:
            result = ask("push", url + PATH, "--text", "hi", "--token", "fromline", "--mode", "plain")

        assert result.exit_code == 0


class TestDecrypt:
    def capture(self, tmp_path, settings=SETTINGS, change=lambda body: body, **options):
        """Write a push to a file; return the command line that decrypts it."""
        request = build_push(settings, SECRET, **options)
        (tmp_path / "body").write_bytes(change(request.body))
        return ["decrypt", "--body", str(tmp_path / "body")], request.query

    def test_decrypts_a_push_that_an_endpoint_would_accept(self, tmp_path):
        def check(mode, form):
            words, query = self.capture(tmp_path, mode=mode, format=form)
            result = ask(*words, "--query", urlencode(query))

            assert result.exit_code == 0, result.output
            assert re.search(r"^  Content +秘密 \\x9b31m$", result.stdout, re.MULTILINE)
            assert "✓ message  TextMessage" in result.stdout
            assert "✗" not in result.stdout

        check_rows(itertools.product(["compatible", "sealed"], FORMATS), check)

    def test_finds_the_query_in_copied_text(self, tmp_path):
        def check(line):
            words, query = self.capture(tmp_path)

            assert ask(*words, "--query", line.format(urlencode(query))).exit_code == 0
            assert ask(*words, "--query", line.format(urlencode(query).replace("&", "&amp;"))).exit_code == 0

        check_rows(
            [
                "https://example.com/wechat?{}",
                '10.0.0.1 - - [21/Nov/2026:08:00:00 +0800] "POST /wechat?{} HTTP/1.1" 403 9 "-" "Mozilla/4.0"',
                "'{}'",
            ],
            check,
        )

    def test_decrypts_a_push_without_its_query(self, tmp_path):
        words, _ = self.capture(tmp_path)
        result = ask(*words)

        assert result.exit_code == 0
        assert "– msg_signature  no query is given" in result.stdout

    def test_checks_a_url_verification(self, environ):
        query = urlencode(build_echostr_request(SETTINGS).query)

        assert ask("decrypt", "--query", query).exit_code == 0
        environ.setenv("WECHAT_TOKEN", "another")
        assert ask("decrypt", "--query", query).exit_code == 1

    def test_warns_that_it_is_old(self, tmp_path):
        request = build_push(SETTINGS, SECRET, now=lambda: time.time() - 7200)
        (tmp_path / "body").write_bytes(request.body)
        result = ask("decrypt", "--body", str(tmp_path / "body"), "--query", request.query_string)

        assert result.exit_code == 0
        assert "! timestamp  2.0 h ago" in result.stdout

    def test_prints_which_setting_is_wrong(self, tmp_path):
        def check(options, error, cause, opens):
            words, query = self.capture(tmp_path)
            result = ask(*words, "--query", urlencode(query), *options)

            assert result.exit_code == 1
            assert f"✗ refused: {error}: " in result.stdout
            assert re.search(f"^  Probably: .*{cause}", result.stdout, re.MULTILINE)
            assert ("秘密" in result.stdout) == opens

        check_rows(
            [
                (["--token", "another"], "SignatureMismatch", "the Token differs from the server settings", True),
                (["--aes-key", "B" * 43], "DecryptError", "the EncodingAESKey differs from the server settings", False),
                (["--appid", "wxanother"], "AppIdMismatch", "the AppID given here belongs to another account", True),
                (["--aes-key", ""], "ModeMismatch", "EncodingAESKey and AppID are needed", False),
            ],
            check,
        )

    def test_prints_the_appid_of_the_push(self, tmp_path):
        words, query = self.capture(tmp_path, attrs.evolve(SETTINGS, appid="wxother"))

        assert "✗ AppID  wxother, expected wx0123456789abcdef" in ask(*words, "--query", urlencode(query)).stdout
        assert "✗ AppID  wxother，应为 wx0123456789abcdef" in ask(*words, "--lang", "zh").stdout

    def test_names_msg_signature_if_everything_else_is_correct(self, tmp_path):
        words, query = self.capture(tmp_path)
        result = ask(*words, "--query", urlencode({**query, "msg_signature": "0" * 40}))

        assert re.search("^  Probably: the Token is correct, .*msg_signature was altered", result.stdout, re.MULTILINE)

    def test_prints_what_happened_to_the_body(self, tmp_path):
        def check(change, cause):
            # Long enough to contain a +.
            request = build_push(SETTINGS, {"Content": "long " * 400})
            (tmp_path / "body").write_bytes(change(request.body))
            result = ask("decrypt", "--body", str(tmp_path / "body"), "--query", request.query_string)

            assert result.exit_code == 1
            assert cause in result.stdout

        check_rows(
            [
                (lambda body: body.replace(b"+", b" "), "each + of the base64 became a space"),
                (
                    lambda body: re.sub(rb"(CDATA\[[^]]{99})", rb"\1\n ", body),
                    "the base64 contains line breaks or spaces",
                ),
                (lambda body: body.replace(b"+", b"%2B"), "URL-encoded"),
                (lambda body: body[:-30], "the body was truncated or re-encoded"),
                (lambda body: body.decode().encode("utf-16"), "the body was truncated or re-encoded"),
                (lambda body: build_push(SETTINGS, {"Content": "another"}).body, "the body belongs to another query"),
                (lambda body: b"", "the body is empty"),
                (lambda body: bytes(range(256)), "the body was truncated or re-encoded"),
            ],
            check,
        )

    def test_names_a_body_that_a_gateway_encoded(self, tmp_path):
        def check(has_query):
            words, query = self.capture(tmp_path, change=base64.b64encode)
            result = ask(*words, *(["--query", urlencode(query)] if has_query else []))

            assert result.exit_code == 1
            assert "MalformedPush: the body is base64: an API gateway" in " ".join(result.stdout.split())

        check_rows([True, False], check)

    def test_prints_what_happened_to_the_query(self, tmp_path):
        def check(change, cause):
            words, query = self.capture(tmp_path)
            result = ask(*words, "--query", urlencode(change(query)))

            assert result.exit_code == 1
            assert cause in result.stdout

        check_rows(
            [
                (lambda query: {**query, "signature": "0" * 40}, "signature was altered in the query"),
                (lambda query: {**query, "timestamp": "1"}, "timestamp or nonce was altered"),
                (lambda query: {"signature": query["signature"]}, "the query is incomplete"),
                (lambda query: {**query, "msg_signature": ""}, "the query is incomplete"),
            ],
            check,
        )

    def test_prints_that_the_console_is_set_to_another_mode(self, tmp_path):
        words, query = self.capture(tmp_path, mode="plain")
        result = ask(*words, "--query", urlencode(query))

        assert result.exit_code == 1
        assert "the console is set to the plain mode" in result.stdout

    def test_prints_its_steps_instead_of_log_records(self, caplog):
        result = ask("decrypt", stdin="<xml><MsgType>text</MsgType></xml>")

        assert "a common field is missing" in result.stdout
        assert result.stderr == ""

    def test_prints_in_chinese_why_a_push_is_refused(self):
        query = urlencode({"signature": "0" * 40, "timestamp": "1", "nonce": "2"})
        result = ask("decrypt", "--query", query, "--lang", "zh", stdin="<xml><MsgType>text</MsgType></xml>")

        assert "✗ 拒收：SignatureMismatch：签名不符：" in result.stdout
        assert "does not match" not in result.stdout

    def test_survives_garbage(self):
        def check(query, body):
            for words in ([], ["--query", query]):
                result = ask("decrypt", *words, stdin=body)
                assert result.exit_code in (1, 2)
                assert "\x07" not in result.output

        check_rows(
            itertools.product(
                ["%%%=%&\x1b[31m=1", "a=1", "?" * 99, "signature=é&timestamp=١&nonce=1", "x" * 99999],
                [
                    b"\x1b]0;owned\x07",
                    b"<xml><Encrypt>\xf0\x9f\x98\x80 AAAA</Encrypt></xml>",
                    b'{"Encrypt": ["A"]}',
                    b'{"Encrypt": "\\ud800", "MsgType": {}}',
                    b"<xml><MsgType>text</MsgType></xml>",
                ],
            ),
            check,
        )

    def test_refuses_every_changed_byte(self, tmp_path):
        """None is accepted, even if it can be decrypted."""
        request = build_push(SETTINGS, SECRET)
        encrypt = re.search(rb"CDATA\[([^]]{99,})", request.body)[1]
        sealed = base64.b64decode(encrypt)
        for position in range(0, len(sealed), 7):
            changed = bytearray(sealed)
            changed[position] ^= 1
            body = request.body.replace(encrypt, base64.b64encode(changed))
            assert ask("decrypt", "--query", request.query_string, stdin=body).exit_code == 1


class TestServe:
    def test_prints_new_settings_and_no_users_text(self, environ):
        nothing = dict.fromkeys(ENVIRON, "")
        with serve(*COMMAND, "serve", "--port", "0", environ=nothing) as server:
            variables = dict(re.findall(r"export (\w+)=(\S+)", server.read_log()))
            for name, value in variables.items():
                environ.setenv(name, value)
            result = ask("push", f"http://127.0.0.1:{server.port}{PATH}", "--text", "between us")

            assert result.exit_code == 0
            assert "✓ TextMessage  → TextReply\n" in server.read_log()
            assert "between us" not in server.read_log()

    def test_prints_refused_pushes_and_texts_with_verbose(self, environ):
        with serve(*COMMAND, "serve", "--port", "0", "--verbose", environ=ENVIRON) as server:
            url = f"http://127.0.0.1:{server.port}{PATH}"
            ask("push", url, "--text", "hi")
            ask("push", url, "--text", "hi", "--token", "another", "--tries", "1")
            log = server.read_log()

        assert "✓ TextMessage 'hi'  → TextReply 'hi'\n" in log
        assert "! push refused with 403, SignatureMismatch" in log
        assert "spamtest" not in log

    def test_sends_late_answers_as_customer_service_messages(self):
        """For a Mini Program all answers are."""
        environ = {**ENVIRON, "WECHAT_ACCOUNT_KIND": "mini_program"}
        with (
            FakeWeChatAPI() as wechat,
            serve(*COMMAND, "serve", "--port", "0", "--api", wechat.url, environ=environ) as server,
        ):
            result = ask(
                "push", f"http://127.0.0.1:{server.port}{PATH}", "--text", "late", "--account-kind", "mini_program"
            )
            wait_until(lambda: wechat.messages)

        assert result.exit_code == 0
        assert wechat.messages[0]["text"] == {"content": "late"}

    def test_acknowledges_instead_of_replies_in_a_mini_program(self):
        settings = attrs.evolve(SETTINGS, account_kind="mini_program")
        with EchoBot(settings) as bot, PushSimulator(PATH, settings, wsgi=bot.app) as wechat:
            assert wechat.push_text("hi").is_acknowledged

    def test_reports_a_port_in_use(self):
        with answering(b"") as url:
            result = ask("serve", "--port", url.rpartition(":")[2])

        assert result.exit_code == 2
        assert "cannot listen on" in result.stderr

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("command", ["serve", "playground"])
    def test_ends_quietly(self, command, number):
        status, output, errors = interrupt([command, "--port", "0"], number, when=answers)

        assert status == 0
        assert errors.strip() == ""
        assert "Traceback" not in output

    @pytest.mark.parametrize("command", ["serve", "playground"])
    def test_can_be_ended_although_a_script_started_it_in_the_background(self, command):
        """A shell without job control makes background commands ignore SIGINT."""
        in_background = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
        status, _, errors = interrupt([command, "--port", "0"], signal.SIGTERM, when=answers, start=in_background)

        assert status == 0
        assert errors.strip() == ""

    def test_ends_while_a_handler_runs(self):
        with EchoBot(SETTINGS) as bot, PushSimulator(PATH, SETTINGS, wsgi=bot.app, time_limit=0.1, tries=1) as wechat:
            assert wechat.push_text("60").problem.code == "timed_out"
            began = time.monotonic()

        assert time.monotonic() - began < 30


class TestCheck:
    def test_prints_a_table_without_colours_and_ends_with_0(self, bot):
        result = ask("check", bot, "--lang", "zh")

        assert result.exit_code == 0
        assert "✓ 伪造的签名会被拒绝" in result.stdout
        assert "– 慢回复能送达用户" in result.stdout
        assert "0 项不通过" in result.stdout.splitlines()[-1]

    def test_prints_what_an_attacker_gains_and_the_fix(self):
        with answering(b"success") as url:
            result = ask("check", url)
            chinese = ask("check", url, "--json", "--lang", "zh")

        assert result.exit_code == chinese.exit_code == 1
        assert re.search(r"✗ URL verification .*\n    finding: .*\n    impact: .*\n    fix: .*\n", result.stdout)
        told = json.loads(chinese.stdout)
        assert told["url"] == url
        assert told["failed"] == sum(row["status"] == "fail" for row in told["rows"]) > 0
        forgery = next(row for row in told["rows"] if row["name"] == "forgery")
        assert all(CHINESE.search(forgery[name]) for name in ("title", "finding", "impact", "fix"))

    def test_prints_that_no_server_listens(self):
        result = ask("check", "http://127.0.0.1:1/")

        assert result.exit_code == 1
        assert "no connection could be made" in result.stdout


class TestPlayground:
    def test_serves_a_page_for_users_with_the_key(self):
        with serve(*COMMAND, "playground", "--port", "0", environ=dict.fromkeys(ENVIRON, "")) as server:
            url = f"http://127.0.0.1:{server.port}/"
            key = re.search(r"\?key=\S+", server.read_log())[0]
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(url, timeout=TIMEOUT)
            refused.value.close()
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with opener.open(url + key, timeout=TIMEOUT) as page:
                assert b"<html" in page.read()

        assert refused.value.code == 403

    @pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
    def test_prints_what_to_install(self, missing):
        code = f"import sys; sys.modules[{missing!r}] = None; from wechat_msg.cli import main; main()"
        status, output = run("-c", code, "playground", "--lang", "zh")

        assert status == 2
        assert "pip install starlette uvicorn" in output
        assert output.count("\n") == 1


class TestOnATerminal:
    def show(self, words, **environ):
        """Run the command on a new terminal; return its status and everything that it wrote there."""
        ours, theirs = pty.openpty()
        variables = {**os.environ, **ENVIRON, "TERM": "xterm-256color", **environ}
        with subprocess.Popen([sys.executable, *COMMAND, *words], cwd=ROOT, env=variables, stdout=theirs) as process:
            os.close(theirs)
            written = b""
            with open(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # raised at the end
                while piece := terminal.read(1 << 16):
                    written += piece
        return process.returncode, written.decode()

    def test_there_are_colours_and_progress(self, bot):
        status, written = self.show(["check", bot, "--lang", "zh"])

        assert status == 0
        assert "\x1b[32m✓" in written
        assert f"检查中 1/{len(CHECKS)}" in written

    def test_there_are_no_colours_with_no_color(self, bot):
        status, written = self.show(["check", bot], NO_COLOR="1")

        assert status == 0
        assert "✓" in written
        assert "\x1b[32m" not in written


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


def answers(process):
    """Wait until the program prints its address and listens there."""
    line = b""
    while not (address := re.search(rb"http://127\.0\.0\.1:[1-9]\d*", line)):
        line = process.stdout.readline() or pytest.fail(process.stderr.read().decode())
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address[0].decode(), timeout=TIMEOUT)
    refused.value.close()


def interrupt(words, number, *, when, start=()):
    """Run the command, send it the signal *number*, and return status, output and errors."""
    with subprocess.Popen(
        [*start, sys.executable, *COMMAND, *words],
        cwd=ROOT,
        env={**os.environ, **ENVIRON, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            when(process)
            process.send_signal(number)
            output, errors = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    return process.returncode, output.decode(), errors.decode()
