"""Output to full and closed streams, and on a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys

from tests.helpers.commands import COMMAND, ENVIRON
from tests.helpers.servers import ROOT, TIMEOUT
from wechat_msg.testing.conformance import CHECKS


class TestStreams:
    def run(self, redirect, *words):
        """Run the command in a shell; return its status and its output."""
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirect}', "sh", sys.executable, *COMMAND, *words],
            cwd=ROOT,
            env={**os.environ, **ENVIRON},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def test_that_are_full_end_the_command_in_one_line(self):
        for words in (["new-settings"], ["check", "http://127.0.0.1:1/"]):
            status, written = self.run(">/dev/full", *words, "--lang", "zh")
            assert (status, written) == (2, "wechat-msg: 无法写出结果：磁盘空间不足\n")

    def test_may_be_closed(self):
        assert self.run(">&-", "new-settings") == (0, "")
        assert self.run(">&- 2>&-", "push", "http://127.0.0.1:1/") == (2, "")
        assert self.run("<&-", "decrypt") == (2, "wechat-msg: cannot read -: Bad file descriptor\n")


class TestOnATerminal:
    def show(self, words, **environ):
        """Run the command on a new terminal; return its status and everything that it wrote there."""
        ours, theirs = pty.openpty()
        variables = {**os.environ, **ENVIRON, "TERM": "xterm-256color", **environ}
        with subprocess.Popen([sys.executable, *COMMAND, *words], cwd=ROOT, env=variables, stdout=theirs) as process:
            os.close(theirs)
            written = b""
            with open(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # raised at the end
                while piece := terminal.read(1 << 16):
                    written += piece
        return process.returncode, written.decode()

    def test_there_are_colours_and_progress(self, bot):
        status, written = self.show(["check", bot, "--lang", "zh"])

        assert status == 0
        assert "\x1b[32m✓" in written
        assert f"检查中 1/{len(CHECKS)}" in written

    def test_there_are_no_colours_with_no_color(self, bot):
        status, written = self.show(["check", bot], NO_COLOR="1")

        assert status == 0
        assert "✓" in written
        assert "\x1b[32m" not in written
