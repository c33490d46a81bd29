"""The echo bot of the commands."""

from __future__ import annotations

import time

import attrs

from tests.helpers.commands import SETTINGS
from wechat_msg.cli.bot import PATH, EchoBot
from wechat_msg.testing import PushSimulator


class TestEchoBot:
    def test_acknowledges_instead_of_replies_in_a_mini_program(self):
        settings = attrs.evolve(SETTINGS, account_kind="mini_program")
        with EchoBot(settings) as bot, PushSimulator(PATH, settings, wsgi=bot.app) as wechat:
            assert wechat.push_text("hi").is_acknowledged

    def test_ends_while_a_handler_runs(self):
        with EchoBot(SETTINGS) as bot, PushSimulator(PATH, SETTINGS, wsgi=bot.app, time_limit=0.1, tries=1) as wechat:
            assert wechat.push_text("60").problem.code == "timed_out"
            began = time.monotonic()

        assert time.monotonic() - began < 30
