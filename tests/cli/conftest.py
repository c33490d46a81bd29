"""The environment of an account, and a bot of this account."""

from __future__ import annotations

import os

import pytest

from tests.helpers.commands import ENVIRON, SETTINGS
from wechat_msg.cli.bot import PATH, EchoBot, listen


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
