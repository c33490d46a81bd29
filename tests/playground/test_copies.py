"""Copies of a push: the curl command, the test and the wechat-msg command do what the page did."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

from tests.helpers.playgrounds import KEY, SETTINGS, TOKEN
from tests.helpers.rows import check_rows
from tests.helpers.servers import TIMEOUT, need
from wechat_msg.testing import PushSimulator, open_reply
from wechat_msg.testing.documents import read_document

ENVIRON = {
    "WECHAT_TOKEN": TOKEN,
    "WECHAT_ENCODING_AES_KEY": KEY,
    "WECHAT_APPID": SETTINGS.appid,
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}
HOSTILE = [
    *("'; touch hacked; '", "$(touch hacked) `touch hacked` \\", "--mode=plain", "@/etc/passwd", "a\nb\r\n\tc"),
    *("\x1b[201~;touch hacked\n", "\"\"\"\n'''", "{} [1-3] %s", "😀 ]]> <b>", "\u202e\u2028"),
]
PUSHES = [
    *({"MsgType": "text", "Content": content} for content in HOSTILE),
    {"MsgType": "text", "Content": "x" * 30_000},
    {"MsgType": "event", "Event": "CLICK", "EventKey": "HELP"},
    {"MsgType": "event", "Event": "LOCATION", "Latitude": 23.1, "Longitude": 113.3, "Precision": 119.3},
    {"MsgType": "event", "Event": "x'); import os; os.abort() #", "EventKey": "$(touch hacked)"},
    {"MsgType": "event", "Event": "scancode_waitmsg", "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "'北京"}},
]


def copy(page, entry, number=None):
    status, _, body = page.ask("GET", f"/playground/copies/{entry}" + (f"?number={number}" if number else ""))
    assert status == 200
    return json.loads(body)


def run_shell(command, tmp_path):
    """Run a command as pasted into a shell; it must not create a file."""
    script = command.encode()
    done = subprocess.run(["sh"], input=script, cwd=tmp_path, env=ENVIRON, capture_output=True, timeout=TIMEOUT)
    assert list(tmp_path.iterdir()) == []
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class TestCopies:
    def test_curl_sends_the_same_bytes_again(self, page, chat, tmp_path):
        need("curl")

        def check(fields):
            number = page.push(fields, "compatible")
            wanted = chat.wait(lambda entry: entry.get("of") == number)["reply"]
            head, _, body = run_shell(copy(page, number, 1)["curl"], tmp_path).partition(b"\r\n\r\n")
            assert head.split()[1] == b"200"
            assert open_reply(SETTINGS, body)["Content"] == wanted["Content"]

        check_rows(PUSHES, check)

    def test_curl_verifies_the_url(self, page, chat, tmp_path):
        need("curl")
        number = page.post("verification", {})[1]["id"]
        chat.wait_done(number)
        copies = copy(page, number)
        assert page.wire(number)["tries"][0]["request"]["query"]["echostr"].encode() in run_shell(
            copies["curl"], tmp_path
        )
        assert copies["push"] is None
        run_test(copies["test"])

    def test_a_test_sends_the_same_fields_and_expects_the_answer(self, page, chat):
        def check(fields):
            number = page.push(fields)
            chat.wait_done(number)
            delivery = run_test(copy(page, number)["test"])
            assert delivery.fields.items() >= fields.items()

        check_rows([*PUSHES, {"MsgType": "text", "Content": "quiet"}, {"MsgType": "text", "Content": "news"}], check)

    def test_a_test_of_a_failure_expects_an_answer(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "slow"})
        chat.wait_done(number)
        assert "assert delivery.problem is None" in copy(page, number)["test"]

    def test_the_command_sends_the_same_fields(self, page, chat, tmp_path):
        def check(fields):
            number = page.push(fields, "compatible", "json")
            chat.wait_done(number)
            command = copy(page, number)["push"]
            assert "wechat-msg push http://" in command
            program = f"{shlex.join([sys.executable, '-m', 'wechat_msg', 'push'])} --verbose --json "
            result = json.loads(run_shell(command.replace("wechat-msg push ", program, 1), tmp_path))
            sent = json.loads(result["tries"][-1]["body"])
            received = read_document(page.wire(number)["tries"][0]["request"]["opened"].encode())
            for name in fields:
                assert str(sent[name]) == str(received[name])
            assert sent["FromUserName"] == "oUSER"

        # A process for each: the kinds of command, and what is most dangerous in each.
        check_rows([PUSHES[at] for at in (0, 5, 13, 14)], check)

    def test_the_command_shows_chinese_as_it_is(self, page, chat):
        number = page.push(PUSHES[-1])
        chat.wait_done(number)
        assert "北京" in copy(page, number)["push"]

    def test_a_large_body_is_piped_into_curl(self, page, chat, tmp_path):
        need("curl")
        number = page.push({"MsgType": "text", "Content": "x" * 200_000})
        chat.wait_done(number)
        curl = copy(page, number, 1)["curl"]
        assert max(map(len, shlex.split(curl.partition("|")[2]))) < 1000
        run_shell(curl, tmp_path)

    def test_none_contains_a_secret(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "hi"}, "compatible")
        chat.wait_done(number)
        for text in copy(page, number, 1).values():
            assert TOKEN not in text
            assert KEY not in text

    def test_a_try_that_is_not_known_has_no_curl(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "hi"})
        chat.wait_done(number)
        assert copy(page, number, 9)["curl"] is None


def run_test(source):
    """Run a copied test; return the delivery."""
    found = {}

    class Simulator(PushSimulator):
        def push(self, fields, **options):
            found["delivery"] = super().push(fields, **options)
            return found["delivery"]

    names = {}
    exec(source, names)
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    test(lambda url: Simulator(url, SETTINGS))
    return found.get("delivery")
