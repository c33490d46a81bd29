"""What answers are, as far as WeChat can see it: early texts, kept answers, parts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.playgrounds import SETTINGS, Follower, Page, run_bot, run_playground
from tests.helpers.rows import check_rows
from wechat_msg import KeepReply, PushEndpoint
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.playground.talks import Talks

TEXT, EVENT = {"MsgType": "text", "Content": "?"}, {"MsgType": "event", "Event": "CLICK"}
MORE = KeepReply("…").more
SERVICE, REFUSED = "service", "refused"


def play(*steps):
    """Return the mark and the part of each answer; a step is a text with its seconds and the message, or an event."""
    talks, named = Talks(5.0), []
    for number, step in enumerate(steps, 1):
        if step == SERVICE:
            talks.name_service("oUSER")
        elif step == REFUSED:
            talks.note_refusal("oUSER")
        else:
            content, seconds, fields = step
            talks.begin("oUSER", number, fields)
            one = talks.name_reply("oUSER", number, fields, {"MsgType": "text", "Content": content}, seconds)
            named.append((one["mark"], one["part"]))
    return named


class TestAnswers:
    def test_are_named_by_what_came_before(self):
        quick, early = ("hello", 0.1, TEXT), ("wait", 4.5, TEXT)
        check_rows(
            {
                "in time": ([quick, quick], [("", 0), ("", 0)]),
                "kept": ([early, quick, quick], [("early", 0), ("kept", 0), ("", 0)]),
                "asked too early": ([early, ("wait", 0.1, TEXT), quick], [("early", 0), ("early", 0), ("kept", 0)]),
                "events are no fetches": (
                    [early, ("menu", 0.1, EVENT)],
                    [("early", 0), ("", 0)],
                ),
                "sent later": ([early, SERVICE, quick], [("early", 0), ("", 0)]),
                "refused, so kept": ([early, SERVICE, REFUSED, quick], [("early", 0), ("kept", 0)]),
                "parts": (
                    [(f"1{MORE}", 0.1, TEXT), (f"2{MORE}", 0.1, TEXT), ("3", 0.1, TEXT), quick],
                    [("", 1), ("kept", 2), ("kept", 3), ("", 0)],
                ),
                "a part that comes late": (
                    [(f"1{MORE}", 4.5, TEXT), quick, (f"1{MORE}", 0.1, TEXT)],
                    [("", 1), ("kept", 2), ("", 1)],
                ),
            },
            self.check,
        )

    def check(self, steps, named):
        assert play(*steps) == named

    def test_customer_service_messages_are_numbered_after_each_message(self):
        talks = Talks(5.0)
        assert talks.name_service("oUSER") == {}
        for number, content in enumerate(["one", "two" * 20], 1):
            talks.begin("oUSER", number, {"MsgType": "text", "Content": content})
            talks.begin("oANN", number, {})
            named = [talks.name_service("oUSER") for _ in range(2)]
            assert [one["nth"] for one in named] == [1, 2]
            assert {one["follows"] for one in named} == {content[:20]}
            assert named[0]["after"] < 5


class TestABotThatKeepsAnswers:
    def converse(self, handler, *contents):
        """Return the mark and the part of the answer to each text."""
        named = []
        with ThreadPoolExecutor(4) as executor:
            endpoint = PushEndpoint(SETTINGS, handler, late=KeepReply("wait", after="first_try"), executor=executor)
            with run_bot(app=push_app(endpoint)) as url, run_playground(url) as playground:
                page = Page(playground).log_in()
                chat = Follower(page)
                for content in contents:
                    number = page.push({"MsgType": "text", "Content": content})
                    reply = chat.wait(lambda entry, of=number: entry.get("of") == of)
                    named.append((reply["mark"], reply["part"]))
        return named

    def test_its_parts_are_counted(self):
        named = self.converse(
            lambda message: "长。" * 1000 if message.content == "long" else "ok", "long", "?", "?", "hi"
        )
        assert named == [("", 1), ("kept", 2), ("kept", 3), ("", 0)]

    @pytest.mark.endurance
    def test_its_early_text_and_its_kept_answer_are_marked(self):
        def handle(message):
            if message.content == "slow":
                time.sleep(6)
            return "answer"

        assert self.converse(handle, "slow", "?", "hi") == [("early", 0), ("kept", 0), ("", 0)]
