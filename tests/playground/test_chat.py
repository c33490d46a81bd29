"""The conversation: what a follower gets, and how much is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from urllib.parse import urlsplit

from tests.helpers.playgrounds import Follower
from wechat_msg.playground.chat import Chat


def take(chat, known, times=1):
    """Return what a follower who knows the change *known* gets next."""

    async def follow():
        follower = chat.follow(known)
        news = [await anext(follower) for _ in range(times)]
        await follower.aclose()
        return news[-1][0], json.loads(news[-1][1])

    return follow()


class TestTheConversation:
    def test_continues_where_the_page_lost_it(self, page):
        first = Follower(page)
        first.wait_done(page.push({"MsgType": "text", "Content": "one"}))
        later = Follower(page, first.known)
        later.wait_done(page.push({"MsgType": "text", "Content": "two"}))
        contents = [entry["fields"]["Content"] for entry in later.entries.values() if entry["kind"] == "message"]
        assert contents == ["two"]

    def test_can_be_cleared(self, page, chat):
        chat.wait_done(page.push({"MsgType": "text", "Content": "one"}))
        assert page.post("clearing", {}) == (200, {})
        fresh = Follower(page)
        fresh.wait(lambda entry: entry["id"] == "cleared")
        assert not any(isinstance(number, int) for number in fresh.entries)

    def test_a_slow_reader_gets_only_the_last_state(self):
        async def play():
            chat = Chat()
            number = chat.add("message")
            follower = chat.follow()
            known, _ = await anext(follower)
            for state in range(5000):
                chat.put(number, state=state)
            news, text = await anext(follower)
            return json.loads(text), news - known

        entries, changes = asyncio.run(play())
        assert entries == [{"id": 1, "state": 4999}]
        assert changes == 5000

    def test_keeps_no_more_than_its_limits(self):
        async def play():
            chat = Chat(max_entries=10, max_characters=5000)
            chat.put("about", kind="about")
            for number in range(1000):
                chat.add("message", number=number)
            _, few = await take(chat, 0)
            chat.add("message", wire="x" * 4900)
            _, short = await take(chat, 0)
            return few, short, chat.get_wire(1001), chat.get_wire(1)

        few, short, wire, gone = asyncio.run(play())
        assert [entry.get("number") for entry in few] == [None, *range(991, 1000)]
        assert [entry["id"] for entry in short] == ["about", 1001]
        assert len(wire) == 4902
        assert gone == "null"

    def test_a_page_that_does_not_read_blocks_no_other(self, page, chat):
        with contextlib.closing(socket.socket()) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(("127.0.0.1", urlsplit(page.playground.base).port))
            deaf.sendall(
                f"GET /playground/events HTTP/1.1\r\nHost: {page.host}\r\nCookie: {page.cookie}\r\n\r\n".encode()
            )
            numbers = [page.push({"MsgType": "text", "Content": "x" * 100_000}) for _ in range(8)]
            for number in numbers:
                chat.wait_done(number)
