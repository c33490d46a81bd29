"""Settings of the command line and of the environment: which ones win, and errors for missing and malformed ones."""

from __future__ import annotations

import pytest

from tests.helpers.commands import HI, ask, find_english
from wechat_msg import PushSettings
from wechat_msg.cli.account_options import to_variables
from wechat_msg.cli.bot import PATH, EchoBot, listen


class TestSettings:
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

    @pytest.mark.parametrize("words", [["push", "http://127.0.0.1:1/", "--text", "hi"], ["check", "x"], ["decrypt"]])
    def test_prints_which_settings_are_missing(self, words, environ):
        environ.delenv("WECHAT_APPID")
        assert "WECHAT_APPID" in ask(*words).stderr

        environ.delenv("WECHAT_TOKEN")
        environ.delenv("WECHAT_ENCODING_AES_KEY")
        result = ask(*words)
        assert result.exit_code == 2
        assert "wechat-msg new-settings" in result.stderr

    def test_of_cloud_run_need_no_token(self, environ):
        environ.delenv("WECHAT_TOKEN")
        environ.delenv("WECHAT_ENCODING_AES_KEY")
        environ.setenv("WECHAT_CLOUD_RUN", "1")
        settings = PushSettings(appid="wx0123456789abcdef", cloud_run=True)
        assert to_variables(settings) == {"WECHAT_APPID": settings.appid, "WECHAT_CLOUD_RUN": "1"}
        with EchoBot(settings) as bot, listen(bot.app) as url:
            result = ask("push", url + PATH, "--text", "hi")

        assert result.exit_code == 0

    def test_of_cloud_run_need_an_appid(self, environ):
        for name in ("WECHAT_TOKEN", "WECHAT_ENCODING_AES_KEY", "WECHAT_APPID"):
            environ.delenv(name)
        environ.setenv("WECHAT_CLOUD_RUN", "1")
        result = ask(*HI)
        assert result.exit_code == 2
        assert "WECHAT_APPID" in result.stderr

    def test_prefers_settings_of_the_command_line(self, environ):
        environ.setenv("WECHAT_TOKEN", "another")
        plain = PushSettings(token="fromline")
        with EchoBot(plain) as bot, listen(bot.app) as url:
            result = ask("push", url + PATH, "--text", "hi", "--token", "fromline", "--mode", "plain")

        assert result.exit_code == 0
