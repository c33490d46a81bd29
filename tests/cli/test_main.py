"""The command itself: its help, its version, and missing packages."""

from __future__ import annotations

import pytest

from tests.helpers.commands import COMMAND, ask
from tests.helpers.servers import run


class TestCommand:
    def test_without_anything_shows_the_help(self):
        assert ask().stdout == ask("--help").stdout
        assert ask("--lang", "zh").stdout == ask("--help", "--lang", "zh").stdout

    @pytest.mark.parametrize("missing", ["click", "rich", "dotenv"])
    def test_prints_what_to_install(self, missing):
        code = f"import sys; sys.modules[{missing!r}] = None; from wechat_msg.cli import main; main()"
        status, output = run("-c", code)

        assert status == 2
        assert "pip install click rich python-dotenv" in output
        assert "需要" in output
        assert "Traceback" not in output

    def test_is_the_same_as_the_module_and_has_the_same_version(self):
        import wechat_msg

        assert run(*COMMAND, "--version") == (0, wechat_msg.__version__ + "\n")

    def test_escapes_chinese_for_a_terminal_without_chinese(self):
        status, output = run(*COMMAND, "--lang", "zh", "new-settings", environ={"PYTHONIOENCODING": "latin-1"})

        assert status == 0
        assert "\\u516c\\u4f17\\u5e73\\u53f0" in output
