"""The package's warnings between the lines of a command."""

from __future__ import annotations

import logging

from wechat_msg.cli.logs import LinesHandler, handle_logs
from wechat_msg.cli.output import Output


class TestLinesHandler:
    def test_prints_warnings_in_the_selected_language(self, capsys):
        for language in ("en", "zh"):
            with handle_logs(LinesHandler(Output(language))):
                logging.getLogger("wechat_msg").warning("push refused with %d（%s）", 403, "签名不符")
        assert capsys.readouterr().out == "! push refused with 403\n! 签名不符\n"
