"""``wechat-msg new-settings``: settings for a file and for a shell."""

from __future__ import annotations

import re
import subprocess

from tests.helpers.commands import ask
from tests.helpers.servers import TIMEOUT
from wechat_msg import PushSettings


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
