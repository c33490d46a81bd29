"""``wechat-msg check``: its table and its exit status."""

from __future__ import annotations

import json
import re

from tests.helpers.commands import CHINESE, answering, ask


class TestCheck:
    def test_prints_a_table_without_colours_and_ends_with_0(self, bot):
        result = ask("check", bot, "--lang", "zh")

        assert result.exit_code == 0
        assert "✓ 伪造的签名会被拒绝" in result.stdout
        assert "– 慢回复能送达用户" in result.stdout
        assert "0 项不通过" in result.stdout.splitlines()[-1]

    def test_prints_what_an_attacker_gains_and_the_fix(self):
        with answering(b"success") as url:
            result = ask("check", url)
            chinese = ask("check", url, "--json", "--lang", "zh")

        assert result.exit_code == chinese.exit_code == 1
        assert re.search(r"✗ URL verification .*\n    finding: .*\n    impact: .*\n    fix: .*\n", result.stdout)
        printed = json.loads(chinese.stdout)
        assert printed["url"] == url
        assert printed["failed"] == sum(row["status"] == "fail" for row in printed["rows"]) > 0
        forgery = next(row for row in printed["rows"] if row["name"] == "forgery")
        assert all(CHINESE.search(forgery[name]) for name in ("title", "finding", "impact", "fix"))

    def test_prints_that_no_server_listens(self):
        result = ask("check", "http://127.0.0.1:1/")

        assert result.exit_code == 1
        assert "no connection could be made" in result.stdout
