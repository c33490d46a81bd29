"""The language of help texts and errors."""

from __future__ import annotations

import re

import pytest

from tests.helpers.commands import CHINESE, answering, ask, find_english
from tests.helpers.rows import check_rows
from wechat_msg.cli.commands import app


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
                (["demo", "now"], "多了 1 个参数"),
                (["push", "http://127.0.0.1/"], "请给出其中之一"),
            ],
            check,
        )

    def test_of_results_is_the_selected_one(self, bot):
        user_reads = "该公众号提供的服务出现故障，请稍后再试"

        def check(*words):
            english, chinese = (ask(*words, "--lang", language).stdout for language in ("en", "zh"))
            assert not CHINESE.search(english.replace(user_reads, ""))
            names = {"Secret", "access", "echostr", "success"}
            assert find_english(chinese, words) <= names

        with answering(b"<html>", "500 Internal Server Error") as failing:
            check_rows(
                [
                    ("push", bot, "--text", "hi", "--token", "another", "--tries", "1"),
                    ("push", failing, "--text", "hi", "--tries", "1"),
                    ("push", "http://127.0.0.1:1/", "--text", "hi", "--tries", "1"),
                    ("check", failing),
                    ("check", "http://127.0.0.1:1/"),
                ],
                check,
            )

    def test_may_stand_before_or_after_the_command(self):
        for words in (["--lang", "zh", "new-settings"], ["new-settings", "--lang=zh"]):
            assert "服务器配置" in ask(*words).stdout

    def test_that_is_unknown_is_refused(self):
        assert ask("new-settings", "--lang", "tlh").exit_code == 2
