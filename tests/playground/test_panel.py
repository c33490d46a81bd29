"""Requests and answers in the page's panel."""

from __future__ import annotations

import itertools
import json

from tests.helpers.playgrounds import FORMATS, KEY, TOKEN
from tests.helpers.rows import check_rows


class TestPanel:
    def test_go_out_in_every_mode_and_format(self, page, chat):
        def check(mode, format):
            number = page.push({"MsgType": "text", "Content": "你好"}, mode, format)
            assert chat.wait(lambda entry: entry.get("of") == number)["reply"]["Content"] == "你好"
            (one,) = page.wire(number)["tries"]
            assert ("你好" in one["request"]["body"]) == (mode == "compatible")
            assert "你好" in one["request"]["opened"]
            assert "你好" in one["document"]
            assert "你好" not in one["answer"]["body"]
            assert one["request"]["body"].startswith("<" if format == "xml" else "{")

        check_rows(itertools.product(["compatible", "sealed"], FORMATS), check)

    def test_the_secrets_are_never_shown(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "hi"}, "compatible")
        chat.wait_done(number)
        shown = json.dumps([page.wire(number), list(chat.entries.values())])
        assert TOKEN not in shown
        assert KEY not in shown
        assert [one["name"] for one in page.wire(number)["tries"][0]["signatures"]] == [
            "signature",
            "msg_signature",
            "MsgSignature",
        ]
