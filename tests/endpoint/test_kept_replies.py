"""Answers that are kept for their users' next messages, and texts that users read meanwhile."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.endpoint.test_delivery import (
    CLICK,
    FIELDS,
    OPENID,
    PLAIN,
    TOLD,
    build,
    build_event,
)
from tests.helpers.processes import Worker, in_virtual_time
from tests.helpers.rows import each_row
from tests.helpers.virtual_time import WeChat
from wechat_msg import (
    AnswerLater,
    ImageReply,
    KeepReply,
    MemoryStore,
    PushEndpoint,
    RawReply,
    Reply,
    ReplyError,
    SettingsError,
    TextReply,
)
from wechat_msg.testing import open_reply

WAIT = "正在思考，回复任意文字查看答案"
MORE = "\n（回复任意文字查看后文）"
KEEP = KeepReply(WAIT)


class Chat:
    """A user who writes to processes in turn; each try of a message reaches the next one."""

    def __init__(self, *workers: Worker, settings: Any = PLAIN) -> None:
        self.workers = itertools.cycle(workers)
        self.settings = settings
        self.numbers = itertools.count(1)
        self.tries: list[Any] = []

    async def handle(self, request: Any) -> Any:
        return await self.handle_at(next(self.workers), request)

    async def handle_at(self, worker: Worker, request: Any) -> Any:
        return await worker.world.handle(worker.endpoint, request)

    async def send(self, text: str = "hi", **fields: Any) -> Any:
        """Send a message, and return what the user reads: the text, another reply, or None for nothing."""
        number = next(self.numbers)
        request = build(self.settings, {**FIELDS, "Content": text, "MsgId": 1000 + number, **fields})
        self.tries = await WeChat(self.handle).push(request)
        last = self.tries[-1]
        if not last.was_answered:
            return "service failed"
        document = open_reply(self.settings, last.response)
        return None if document is None else document.get("Content", document)


class TestKeepReply:
    @each_row(("seconds", "at"), [(0, 0), (1, 1), (8, 8), (13, 13)])
    @in_virtual_time
    async def test_changes_nothing_about_an_answer_in_time(self, world, seconds, at):
        chat = Chat(world.start(seconds, late=KEEP), world.start(seconds, late=KEEP))
        assert await chat.send() == TOLD
        assert chat.tries[-1].at == pytest.approx(at, abs=0.6)
        assert world.kept == {}

    @each_row("seconds", [20, 60])
    @in_virtual_time
    async def test_shows_a_text_and_gives_the_answer_to_the_next_message(self, world, seconds):
        chat = Chat(world.start(seconds, late=KEEP), world.start(seconds, late=KEEP))
        assert await chat.send() == WAIT
        assert chat.tries[-1].at == pytest.approx(14.5, abs=0.1)
        await asyncio.sleep(seconds)
        assert await chat.send("1") == TOLD
        assert world.runs == [pytest.approx(0, abs=0.1)]
        await asyncio.sleep(60)
        assert (world.list_entries(), world.lost) == ({}, [])

    @in_virtual_time
    async def test_lets_a_message_wait_for_the_answer_over_three_tries(self, world):
        chat = Chat(world.start(26, late=KEEP), world.start(26, late=KEEP))
        assert await chat.send() == WAIT
        assert await chat.send("1") == TOLD
        assert len(chat.tries) == 3
        assert len(world.runs) == 1

    @in_virtual_time
    async def test_shows_the_text_again_while_the_handler_runs(self, world):
        chat = Chat(world.start(60, late=KEEP), world.start(60, late=KEEP))
        assert [await chat.send() for _ in range(4)] == [WAIT] * 4
        await asyncio.sleep(2)
        assert await chat.send() == TOLD
        assert len(world.runs) == 1
        await asyncio.sleep(30)
        assert world.kept == {}

    @in_virtual_time
    async def test_handles_a_message_that_comes_before_the_user_has_read_the_text(self, early_world):
        chat = Chat(early_world.start(20, late=KEEP), early_world.start(20, late=KEEP))
        first = asyncio.create_task(chat.send())
        await asyncio.sleep(1)
        second = asyncio.create_task(chat.send())
        assert [await first, await second] == [WAIT, WAIT]
        await asyncio.sleep(10)
        assert [await chat.send(), await chat.send()] == [TOLD + MORE, TOLD]
        assert len(early_world.runs) == 2

    @in_virtual_time
    async def test_gives_each_of_two_messages_at_once_a_part_of_its_own(self, early_world):
        answer = ["one", "two"]
        chat = Chat(early_world.start(20, answer, late=KEEP), early_world.start(20, answer, late=KEEP))
        assert await chat.send() == WAIT
        await asyncio.sleep(20)
        texts = await asyncio.gather(chat.send(), chat.send())
        assert sorted(texts) == ["one" + MORE, "two"]
        assert len(early_world.runs) == 1

    @in_virtual_time
    async def test_gives_the_parts_in_order_and_announces_more(self, world):
        answer = ["one", ImageReply(media_id="m1"), "three"]
        chat = Chat(world.start(20, answer, late=KEEP), world.start(20, answer, late=KEEP))
        assert await chat.send() == WAIT
        await asyncio.sleep(20)
        assert await chat.send() == "one" + MORE
        assert (await chat.send())["Image"] == {"MediaId": "m1"}
        assert await chat.send() == "three"
        assert len(world.runs) == 1

    @in_virtual_time
    async def test_keeps_what_follows_the_first_part_of_an_answer_in_time(self, world):
        answer = ["one", "two", "three"]
        chat = Chat(world.start(1, answer, late=KEEP), world.start(1, answer, late=KEEP))
        assert [await chat.send() for _ in range(3)] == ["one" + MORE, "two" + MORE, "three"]
        assert len(world.runs) == 1
        assert await chat.send() == "one" + MORE

    @each_row("seconds", [0, 20])
    @in_virtual_time
    async def test_gives_a_long_answer_in_parts_that_wechat_accepts(self, world, seconds):
        answer = "".join(f"第{number}句话说的是很多很多的事情。" for number in range(700))
        chat = Chat(world.start(seconds, answer, late=KEEP), world.start(seconds, answer, late=KEEP))
        texts = []
        while not texts or texts[-1] == WAIT or texts[-1].endswith(MORE):
            texts.append(await chat.send())
        parts = [text for text in texts if text != WAIT]
        assert all(len(text.encode()) <= 2047 for text in parts)
        assert "".join(text.removesuffix(MORE) for text in parts) == answer
        assert len(world.runs) == 1

    @in_virtual_time
    async def test_handles_a_text_that_is_no_fetch(self, world):
        policy = KeepReply(WAIT, fetch=lambda message: message.content == "1")

        async def handle(message: Any) -> str:
            await asyncio.sleep(0 if message.content == "/help" else 20)
            return f"reply to {message.content}"

        chat = Chat(world.start(handle, late=policy), world.start(handle, late=policy))
        assert await chat.send("question") == WAIT
        assert await chat.send("/help") == "reply to /help"
        await asyncio.sleep(10)
        assert await chat.send("1") == "reply to question"
        assert await chat.send("/help") == "reply to /help"

    @in_virtual_time
    async def test_handles_what_is_no_text_and_keeps_its_answer_too(self, world):
        chat = Chat(world.start(20, late=KEEP), world.start(20, late=KEEP))
        picture = {"MsgType": "image", "PicUrl": "http://a.b/c", "MediaId": "m"}
        assert [await chat.send(), await chat.send(**picture)] == [WAIT, WAIT]
        await asyncio.sleep(20)
        assert [await chat.send(), await chat.send()] == [TOLD + MORE, TOLD]
        assert len(world.runs) == 2

    @in_virtual_time
    async def test_keeps_nothing_if_the_handler_has_no_answer(self, world):
        chat = Chat(world.start(20, None, late=KEEP), world.start(20, None, late=KEEP))
        assert await chat.send() == WAIT
        await asyncio.sleep(20)
        assert (world.kept, world.list_entries()) == ({}, {})
        assert await chat.send() == WAIT
        assert len(world.runs) == 2
        await asyncio.sleep(20)

    @in_virtual_time
    async def test_forgets_an_answer_after_some_time(self, world):
        policy = KeepReply(WAIT, keep=100)
        chat = Chat(world.start(20, late=policy))
        assert await chat.send() == WAIT
        await asyncio.sleep(130)
        assert await chat.send() == WAIT
        assert len(world.runs) == 2
        await asyncio.sleep(20)

    @in_virtual_time
    async def test_gives_the_answer_although_the_process_of_the_handler_has_died(self, world):
        first, second = world.start(20, late=KEEP), world.start(20, late=KEEP)
        chat = Chat(first, second)
        assert await chat.send() == WAIT
        first.kill()
        chat.workers = itertools.cycle([second])
        await asyncio.sleep(40)
        assert await chat.send() == TOLD
        assert len(world.runs) == 2
        await asyncio.sleep(60)
        assert (world.list_entries(), world.lost) == ({}, [])

    @each_row(("after", "at"), [("first_try", 4.5), ("at_once", 0)])
    @in_virtual_time
    async def test_shows_the_text_as_early_as_wanted(self, early_world, after, at):
        policy = KeepReply(WAIT, after=after)
        chat = Chat(early_world.start(7, late=policy), early_world.start(7, late=policy))
        assert await chat.send() == WAIT
        assert chat.tries[0].at == pytest.approx(at, abs=0.1)
        await asyncio.sleep(7)
        assert await chat.send() == TOLD

    @in_virtual_time
    async def test_works_without_a_store_that_outlives_the_process(self, world):
        worker = world.start(20, ["one", "two"], late=KEEP, store=None)
        chat = Chat(worker)
        assert await chat.send() == WAIT
        await asyncio.sleep(20)
        assert [await chat.send(), await chat.send(), await chat.send()] == ["one" + MORE, "two", WAIT]
        await asyncio.sleep(20)

    @in_virtual_time
    async def test_keeps_in_memory_what_follows_the_first_part(self, world):
        chat = Chat(world.start(0, ["one", "two"], late=KEEP, store=MemoryStore()))
        assert [await chat.send(), await chat.send(), await chat.send()] == ["one" + MORE, "two", "one" + MORE]


class TestKeptPut:
    @in_virtual_time
    async def test_keeps_an_answer_for_a_user_who_never_wrote(self, world):
        worker = world.start(0, late=KEEP)
        chat = Chat(worker, world.start(0, late=KEEP))
        await worker.keep(OPENID, "your order has left")
        await worker.keep(OPENID, [TextReply("one"), ImageReply(media_id="m")])
        assert [await chat.send(), await chat.send()] == ["your order has left" + MORE, "one" + MORE]
        assert (await chat.send())["MsgType"] == "image"
        assert await chat.send() == TOLD

    @each_row("answer", ["", None, [], 5, [[]]])
    @in_virtual_time
    async def test_refuses_what_cannot_be_kept(self, world, answer):
        worker = world.start(0, late=KEEP)
        with pytest.raises(ReplyError):
            await worker.keep(OPENID, answer)

    @each_row(
        "reply", [RawReply(fields={"a b": "1"}), RawReply(fields={"A": float("nan")}), RawReply(fields={"A": b"1"})]
    )
    @in_virtual_time
    async def test_refuses_a_reply_that_cannot_be_written(self, world, reply):
        worker = world.start(0, late=KEEP)
        with pytest.raises(ReplyError):
            await worker.keep(OPENID, reply)
        assert await Chat(worker).send() == TOLD

    @in_virtual_time
    async def test_is_shared_by_endpoints_of_one_store_in_memory(self, world):
        store = MemoryStore()
        first, second = (world.start(0, late=KEEP, store=store) for _ in range(2))
        await first.keep(OPENID, "news")
        assert await Chat(second).send() == "news"

    @each_row("options", [{"late": None}, {"late": AnswerLater(print, after="last_try")}])
    def test_needs_a_policy_that_keeps_answers(self, options):
        with pytest.raises(SettingsError, match="KeepReply"):
            PushEndpoint(PLAIN, lambda message: "", **options).kept.put(OPENID, "news")

    @each_row("openid", ["", None, 5, b"o"])
    def test_needs_an_openid(self, openid):
        with pytest.raises(SettingsError, match="OpenID"):
            PushEndpoint(PLAIN, lambda message: "", late=KEEP).kept.put(openid, "news")

    def test_needs_a_handler(self):
        with pytest.raises(SettingsError, match="handler"):
            PushEndpoint(PLAIN, late=KEEP).kept.put(OPENID, "news")


class XmlReply(Reply):
    """A reply of a user's own that can be written as XML only."""

    msg_type = "text"

    def to_fields(self, form: str) -> dict[str, Any]:
        if form != "xml":
            raise NotImplementedError
        return {"Content": "own"}


class TestAPartThatCannotBeWritten:
    @each_row("seconds", [0, 20])
    @in_virtual_time
    async def test_is_lost_and_the_others_are_kept(self, world, seconds):
        answer = ["one", RawReply(fields={"a b": "1"}), "three"]
        chat = Chat(world.start(seconds, answer, late=KEEP), world.start(seconds, answer, late=KEEP))
        shown = [await chat.send()]
        await asyncio.sleep(20)
        shown += [await chat.send(), await chat.send()][: 2 if seconds else 1]
        assert [text for text in shown if text != WAIT] == ["one" + MORE, "three"]
        await asyncio.sleep(20)
        assert [reason for _, reason in world.lost][:1] == ["unsent"]

    @in_virtual_time
    async def test_in_the_format_of_no_push_is_kept_in_the_other(self, world):
        chat = Chat(world.start(20, XmlReply(), late=KEEP), world.start(20, XmlReply(), late=KEEP))
        assert await chat.send() == WAIT
        await asyncio.sleep(20)
        assert await chat.send() == "own"

    @in_virtual_time
    async def test_to_an_event_without_a_user_is_not_kept(self, world):
        worker = world.start(20, late=KEEP)
        await worker.push(build_event({**CLICK, "FromUserName": ""}))
        await asyncio.sleep(120)
        assert world.kept == {}


class TestAFetchThatRaisesAnError:
    @in_virtual_time
    async def test_is_logged_and_the_message_is_handled(self, world, caplog):
        policy = KeepReply(WAIT, fetch=lambda message: 1 / 0)
        assert await Chat(world.start(0, late=policy)).send() == TOLD
        assert "fetch of KeepReply raised an error" in caplog.text


class TestAnAnswerFromOutside:
    def test_that_is_too_large_is_refused(self):
        endpoint = PushEndpoint(PLAIN, lambda message: "", late=KEEP, text_limit=10**6)
        with pytest.raises(ReplyError, match="too large"):
            endpoint.kept.put(OPENID, "x" * 300_000)

    def test_may_hold_characters_that_cannot_be_sent(self):
        endpoint = PushEndpoint(PLAIN, lambda message: "", late=KEEP)
        endpoint.kept.put(OPENID, "a\ud800b\x00c")
        assert open_reply(PLAIN, endpoint.handle(build()))["Content"] == "abc"


class TestATextThatShowsNothing:
    @each_row("text", ["\x00", "\ud800"])
    def test_is_refused(self, text):
        with pytest.raises(SettingsError, match="not empty"):
            KeepReply(text)
