"""``wechat-msg decrypt``: its steps for good and bad pushes."""

from __future__ import annotations

import base64
import itertools
import re
import time
from urllib.parse import urlencode

import attrs

from tests.helpers.commands import FORMATS, SECRET, SETTINGS, ask, capture
from tests.helpers.rows import check_rows
from wechat_msg.testing import build_echostr_request, build_push


class TestDecrypt:
    def test_decrypts_a_push_that_an_endpoint_would_accept(self, tmp_path):
        def check(mode, form):
            words, query = capture(tmp_path, mode=mode, format=form)
            result = ask(*words, "--query", urlencode(query))

            assert result.exit_code == 0, result.output
            assert re.search(r"^  Content +秘密 \\x9b31m$", result.stdout, re.MULTILINE)
            assert "✓ message  TextMessage" in result.stdout
            assert "✗" not in result.stdout

        check_rows(itertools.product(["compatible", "sealed"], FORMATS), check)

    def test_finds_the_query_in_copied_text(self, tmp_path):
        def check(line):
            words, query = capture(tmp_path)

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
        words, _ = capture(tmp_path)
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

    def test_prints_the_appid_of_the_push(self, tmp_path):
        words, query = capture(tmp_path, attrs.evolve(SETTINGS, appid="wxother"))

        assert "✗ AppID  wxother, expected wx0123456789abcdef" in ask(*words, "--query", urlencode(query)).stdout
        assert "✗ AppID  wxother，应为 wx0123456789abcdef" in ask(*words, "--lang", "zh").stdout

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
