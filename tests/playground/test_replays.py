"""Messages that are sent once more: as they were, one try alone, or as new ones."""

from __future__ import annotations

import itertools
import json

from tests.helpers.playgrounds import FORMATS, SETTINGS, Follower, Page, run_bot, run_playground
from tests.helpers.rows import check_rows
from wechat_msg import PushEndpoint
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.testing.documents import read_document


class TestReplays:
    def replay(self, page, chat, entry, **how):
        status, answer = page.post("replays", {"entry": entry, **how})
        assert status == 202, answer
        chat.wait_done(answer["id"])
        return answer["id"], page.wire(answer["id"])["tries"][0]["request"]

    def test_a_message_has_the_same_id_and_another_signature(self, page, chat):
        def check(form, mode):
            number = page.push({"MsgType": "text", "Content": "again"}, mode, form)
            chat.wait_done(number)
            (first,) = page.wire(number)["tries"]
            replayed, request = self.replay(page, chat, number)
            assert read_document(request["opened"].encode()) == read_document(first["request"]["opened"].encode())
            assert request["query"]["nonce"] != first["request"]["query"]["nonce"]
            assert chat.entries[replayed]["replays"] == [number, None]

        check_rows(itertools.product(FORMATS, ["sealed", "compatible"]), check)

    def test_a_try_is_sent_without_any_change(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "slow"})
        chat.wait_done(number)
        replayed, request = self.replay(page, chat, number, number=2)
        assert request == page.wire(number)["tries"][1]["request"]
        assert chat.entries[replayed]["replays"] == [number, 2]
        assert len(chat.entries[replayed]["tries"]) == 1

    def test_a_replay_can_be_replayed(self, page, chat):
        number = page.push({"MsgType": "event", "Event": "CLICK", "EventKey": "HELP"})
        chat.wait_done(number)
        replayed, request = self.replay(page, chat, number)
        _, other = self.replay(page, chat, replayed)
        assert other["opened"] == request["opened"]

    def test_a_new_message_has_another_id(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "again"})
        chat.wait_done(number)
        (first,) = page.wire(number)["tries"]
        copied, request = self.replay(page, chat, number, is_new=True)
        documents = [read_document(one["opened"].encode()) for one in (first["request"], request)]
        assert documents[0]["MsgId"] != documents[1]["MsgId"]
        assert chat.entries[copied]["replays"] is None
        assert chat.entries[copied]["fields"] == {"MsgType": "text", "Content": "again"}

    def test_the_handler_runs_once_for_a_message_and_its_replays(self):
        handled = []

        def handle(message):
            handled.append(message.content)
            return str(len(handled))

        with run_bot(app=push_app(PushEndpoint(SETTINGS, handle))) as url, run_playground(url) as playground:
            page = Page(playground).log_in()
            chat = Follower(page)
            number = page.push({"MsgType": "text", "Content": "once"})
            chat.wait_done(number)
            replays = [self.replay(page, chat, number)[0], self.replay(page, chat, number, number=1)[0]]
            answers = [chat.wait(lambda entry, of=of: entry.get("of") == of)["reply"] for of in (number, *replays)]
        assert handled == ["once"]
        assert [answer["Content"] for answer in answers] == ["1", "1", "1"]

    def test_what_cannot_be_replayed_is_refused(self, page, chat):
        done = page.push({"MsgType": "text", "Content": "hi"})
        reply = chat.wait(lambda entry: entry.get("of") == done)["id"]
        verification = page.post("verification", {})[1]["id"]
        for number in (done, verification):
            chat.wait_done(number)
        running = page.push({"MsgType": "text", "Content": "slow"})

        def check(asked):
            status, answer = page.post("replays", asked)
            assert status == 404
            assert "no longer stored" in answer["error"]["en"]

        check_rows(
            [{"entry": entry} for entry in (None, "1", 0, 10**30, [1], True, reply, verification, running)]
            + [{"entry": done, "number": number} for number in (0, -1, 2, 10**30, "1", True, [])],
            check,
        )
        assert json.loads(page.ask("GET", "/playground/copies/999999")[2])["error"]
