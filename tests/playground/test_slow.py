"""A slow WeChat: pushes arrive late, and calls of the API are answered late."""

from __future__ import annotations

import json
import time

import pytest

from tests.helpers.playgrounds import Page, make_client, run_bot, run_playground
from tests.helpers.rows import check_rows
from wechat_msg.api import customer_service


@pytest.fixture
def page():
    with run_bot() as url, run_playground(url, time_limit=1.0) as playground:
        yield Page(playground).log_in()


class TestTheDelay:
    def test_counts_towards_the_time_of_a_push_and_of_a_call(self, page, chat):
        assert page.post("account", {"delay": 0.3})[0] == 200
        done = chat.wait_done(page.push({"MsgType": "text", "Content": "hi"}))
        assert done["tries"][-1]["seconds"] >= 0.3
        client = make_client(page.playground)
        client.get_access_token()
        began = time.monotonic()
        client.call(customer_service.send("oUSER", "hi"))
        assert time.monotonic() - began >= 0.3
        account = chat.wait(lambda entry: entry["id"] == "account" and entry["delay"])
        assert account["is_verified"]

    def test_above_the_limit_nothing_reaches_the_bot(self, page, chat):
        page.post("account", {"delay": 1})
        done = chat.wait_done(page.push({"MsgType": "text", "Content": "hi"}))
        assert [one["problem"]["code"] for one in done["tries"]] == ["timed_out"] * 3
        assert all(one["answer"] is None for one in page.wire(done["id"])["tries"])

    def test_is_from_0_to_10_seconds(self, page, chat):
        def check(delay):
            body = json.dumps({"delay": delay})
            status, _, answer = page.ask("POST", "/playground/account", body)
            assert status == 400
            assert "from 0 to 10" in json.loads(answer)["error"]["en"]

        check_rows([-1, 10.1, "1", None, True, [], 10**40], check)
        assert chat.wait(lambda entry: entry["id"] == "account")["delay"] == 0
