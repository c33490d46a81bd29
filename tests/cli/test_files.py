"""Files of pushes: their formats, and errors for other files."""

from __future__ import annotations

import json

from tests.helpers.commands import FORMATS, ask
from tests.helpers.rows import check_rows


class TestFile:
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
                printed = json.loads(result.stdout)
                assert printed["reply"]["ToUserName"] == "oME"
                assert printed["reply"]["Content"] == " from a file "
                assert printed["tries"][0]["body"].startswith({"xml": "<", "json": "{"}[form])

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
                (b"<" * (1 << 21), "longer than 1 MB"),
            ],
            check,
        )

    def test_refuses_a_file_that_is_not_readable(self):
        def check(name):
            assert ask("push", "http://127.0.0.1:1/", "--file", name).exit_code == 2

        check_rows(["nowhere", ".", "a\x00b", "/dev/zero"], check)

    def test_is_not_reported_for_a_file_that_names_another_user(self, bot, tmp_path):
        (tmp_path / "push").write_text("<xml><FromUserName>oME</FromUserName><Content>hi</Content></xml>", "utf-8")
        printed = json.loads(ask("push", bot, "--file", str(tmp_path / "push"), "--openid", "oYOU", "--json").stdout)

        assert printed["reply"]["ToUserName"] == "oYOU"
