"""Probable causes of a refused push, as ``wechat-msg decrypt`` prints them."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlencode

from tests.helpers.commands import SETTINGS, ask, capture
from tests.helpers.rows import check_rows
from wechat_msg.testing import build_push


class TestCauses:
    def test_prints_which_setting_is_wrong(self, tmp_path):
        def check(options, error, cause, opens):
            words, query = capture(tmp_path)
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

    def test_names_msg_signature_if_everything_else_is_correct(self, tmp_path):
        words, query = capture(tmp_path)
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
            words, query = capture(tmp_path, change=base64.b64encode)
            result = ask(*words, *(["--query", urlencode(query)] if has_query else []))

            assert result.exit_code == 1
            assert "MalformedPush: the body is base64: an API gateway" in " ".join(result.stdout.split())

        check_rows([True, False], check)

    def test_prints_what_happened_to_the_query(self, tmp_path):
        def check(change, cause):
            words, query = capture(tmp_path)
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
        words, query = capture(tmp_path, mode="plain")
        result = ask(*words, "--query", urlencode(query))

        assert result.exit_code == 1
        assert "the console is set to the plain mode" in result.stdout
