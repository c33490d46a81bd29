"""The ``.env`` file of the working directory."""

from __future__ import annotations

from tests.helpers.commands import COMMAND
from tests.helpers.servers import run
from wechat_msg.testing import FakeWeChatAPI

SECRET = "WECHAT_SECRET"


def ask_for_token(wechat, folder, **environ):
    return run(*COMMAND, "token", "--api", wechat.url, folder=folder, environ=environ)


class TestEnvFile:
    def test_sets_variables_that_the_environment_does_not_have(self, tmp_path):
        below = tmp_path / "below"
        below.mkdir()
        with FakeWeChatAPI("wx1111111111111111", "1" * 32) as wechat:
            text = f"\ufeff# the account\nexport WECHAT_APPID={wechat.appid}\n{SECRET}='{wechat.secret}'\n"
            (tmp_path / ".env").write_text(text, "utf-8")

            assert ask_for_token(wechat, tmp_path)[0] == 0
            assert ask_for_token(wechat, tmp_path, WECHAT_SECRET="2" * 32)[0] == 1
            assert ask_for_token(wechat, below)[0] == 1

    def test_is_reported_if_it_cannot_be_read(self, tmp_path):
        (tmp_path / ".env").write_bytes(f"{SECRET}=geheim\xe9".encode("latin-1"))
        status, output = run(*COMMAND, "--lang", "zh", "--version", folder=tmp_path)
        assert (status, output) == (2, "wechat-msg: .env 不是 UTF-8 编码\n")

        (tmp_path / ".env").write_text(f"{SECRET}=geheim\0x")
        status, output = run(*COMMAND, "--version", folder=tmp_path)
        assert status == 2
        assert output.startswith("wechat-msg: cannot read .env")
        assert "geheim" not in output

    def test_has_a_warning_for_a_line_that_is_no_variable(self, tmp_path):
        (tmp_path / ".env").write_text("# the account\nwhat is geheim\nWECHAT_TOKEN=spamtest\n")
        english, chinese = (run(*COMMAND, "--version", "--lang", each, folder=tmp_path)[1] for each in ("en", "zh"))
        assert english.startswith("wechat-msg: .env:2: ignored, as it is not NAME=value\n")
        assert chinese.startswith("wechat-msg: .env:2：不是 名称=值，已忽略\n")
        assert english.count("\n") == chinese.count("\n") == 2
