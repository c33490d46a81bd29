"""Generators as answers: their parts go out in order while they run."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.endpoint.test_delivery import ASYNC, PLAIN, PROGRAM, build
from tests.endpoint.test_kept_replies import KEEP, MORE, WAIT, Chat
from tests.helpers import virtual_time
from tests.helpers.processes import World, in_virtual_time
from tests.helpers.rows import each_row
from wechat_msg import (
    Article,
    AsyncPushEndpoint,
    FallbackReply,
    NewsReply,
    PushEndpoint,
    ReplyError,
    SettingsError,
    TextReply,
)
from wechat_msg.testing import open_reply

WORDS = ("one", "two", "three")


def generate(world: World, *steps: Any) -> Any:
    """Return a handler whose generator waits for seconds, yields texts and raises errors; it counts as run once."""

    def perform(step: Any) -> Any:
        if isinstance(step, Exception):
            raise step
        return step

    async def generate_async() -> AsyncIterator[Any]:
        for step in steps:
            if isinstance(step, (int, float)):
                await asyncio.sleep(step)
            else:
                yield perform(step)

    def generate_sync() -> Iterator[Any]:
        for step in steps:
            if isinstance(step, (int, float)):
                virtual_time.sleep(step)
            else:
                yield perform(step)

    async def handle(message: Any) -> Any:
        return generate_async() if world.kind == ASYNC else generate_sync()

    return handle


class TestAGenerator:
    @in_virtual_time
    async def test_is_answered_with_its_first_part_at_once_and_the_others_are_sent(self, early_world):
        worker = early_world.start(
            generate(early_world, 1, "one", 7, "two", "", None, 20, ["three", TextReply("four")])
        )
        chat = Chat(worker)
        assert await chat.send() == "one"
        assert chat.tries[0].at == pytest.approx(1, abs=0.1)
        await asyncio.sleep(60)
        assert worker.sent == ["two", "three", "four"]
        assert worker.sent_at == pytest.approx([8, 28, 28], abs=0.1)
        assert (early_world.list_entries(), early_world.lost, len(early_world.runs)) == ({}, [], 1)

    @in_virtual_time
    async def test_is_sent_whole_if_its_first_part_is_late(self, early_world):
        worker = early_world.start(generate(early_world, 7, "one", 7, "two"))
        assert await Chat(worker).send() is None
        await asyncio.sleep(60)
        assert (worker.sent, early_world.list_entries()) == (["one", "two"], {})

    @each_row("steps", [(), (None, "", 3)])
    @in_virtual_time
    async def test_without_a_part_acknowledges(self, early_world, steps):
        worker = early_world.start(generate(early_world, *steps))
        assert await Chat(worker).send() is None
        await asyncio.sleep(20)
        assert (worker.sent, early_world.list_entries()) == ([], {})

    @in_virtual_time
    async def test_is_run_again_after_a_death_and_repeats_no_part(self, early_world):
        steps = ("one", 5, "two", 5, "three", 20, "four")
        first, second = (early_world.start(generate(early_world, *steps)) for _ in range(2))
        assert await Chat(first).send() == "one"
        await second.call("recover")
        await asyncio.sleep(12)
        first.kill()
        await asyncio.sleep(90)
        assert (first.sent, second.sent) == (["two", "three"], ["four"])
        assert (len(early_world.runs), early_world.list_entries()) == (2, {})

    @in_virtual_time
    async def test_is_sent_from_the_first_other_part_on_if_it_differs_the_second_time(self, early_world):
        first, second = (
            early_world.start(generate(early_world, "one", "two", 30)),
            early_world.start(generate(early_world, "one", "zwei", "drei")),
        )
        assert await Chat(first).send() == "one"
        await second.call("recover")
        await asyncio.sleep(2)
        first.kill()
        await asyncio.sleep(60)
        assert (first.sent, second.sent) == (["two"], ["zwei", "drei"])

    @in_virtual_time
    async def test_of_a_mini_program_is_sent_whole(self, early_world):
        worker = early_world.start(generate(early_world, "one", 3, "two"), settings=PROGRAM)
        assert await Chat(worker, settings=PROGRAM).send() is None
        await asyncio.sleep(20)
        assert worker.sent == ["one", "two"]

    @in_virtual_time
    async def test_of_a_mini_program_loses_only_the_parts_that_cannot_be_sent(self, early_world):
        news = NewsReply([Article(title="one"), Article(title="two")])
        worker = early_world.start(generate(early_world, news, 1, "two"), settings=PROGRAM)
        assert await Chat(worker, settings=PROGRAM).send() is None
        await asyncio.sleep(20)
        assert (worker.sent, [reason for _, reason in early_world.lost]) == (["two"], ["unsent"])

    @in_virtual_time
    async def test_that_fails_after_its_first_part_is_logged_and_not_run_again(self, early_world, caplog):
        worker = early_world.start(generate(early_world, "one", "two", KeyError("own")), on_error="acknowledge")
        assert await Chat(worker).send() == "one"
        await asyncio.sleep(90)
        assert (worker.sent, len(early_world.runs), early_world.list_entries()) == (["two"], 1, {})
        assert "the handler of a TextMessage failed" in caplog.text

    @in_virtual_time
    async def test_that_fails_ends_with_the_answer_of_on_error(self, early_world):
        async def on_error(message: Any, error: Exception) -> str:
            return f"sorry, {type(error).__name__}"

        worker = early_world.start(
            generate(early_world, "one", 1, KeyError("own")), on_error=early_world.adapt(on_error)
        )
        assert await Chat(worker).send() == "one"
        await asyncio.sleep(20)
        assert worker.sent == ["sorry, KeyError"]

    @in_virtual_time
    async def test_that_fails_at_once_has_failed_as_a_handler(self, early_world):
        worker = early_world.start(generate(early_world, KeyError("own")))
        with pytest.raises(KeyError):
            await early_world.handle(worker.endpoint, build())

    @in_virtual_time
    async def test_is_sent_whole_if_a_message_cannot_be_sent_at_first(self, early_world):
        worker = early_world.start(generate(early_world, "one", "two", 2, "three"))
        worker.errors = [OSError(), None]
        assert await Chat(worker).send() == "one"
        await asyncio.sleep(60)
        assert (worker.sent, len(early_world.runs)) == (["two", "two", "three"], 1)

    @in_virtual_time
    async def test_works_without_a_store_that_outlives_the_process(self, early_world):
        worker = early_world.start(generate(early_world, "one", 3, "two", "three"), store=None)
        assert await Chat(worker).send() == "one"
        await asyncio.sleep(20)
        assert worker.sent == ["two", "three"]

    @each_row("late", [FallbackReply("x")])
    @in_virtual_time
    async def test_is_cut_without_a_policy_for_the_others(self, early_world, late, caplog):
        worker = early_world.start(generate(early_world, "one", "two"), late=late)
        assert await Chat(worker).send() == "one"
        assert "1 parts with 3 bytes of text are lost" in caplog.text


class TestUnderKeepReply:
    @in_virtual_time
    async def test_its_first_part_is_the_answer_and_the_others_are_fetched_while_it_runs(self, early_world):
        steps = ("one", 1, "two", 8, "three")
        chat = Chat(*(early_world.start(generate(early_world, *steps), late=KEEP) for _ in range(2)))
        assert await chat.send() == "one" + MORE
        assert await chat.send() == "two" + MORE
        assert await chat.send() == "three"
        assert (len(early_world.runs), early_world.kept, early_world.list_entries()) == (1, {}, {})

    @in_virtual_time
    async def test_one_part_needs_no_more(self, early_world):
        chat = Chat(*(early_world.start(generate(early_world, "one", 2), late=KEEP) for _ in range(2)))
        assert await chat.send() == "one"
        assert early_world.kept == {}

    @in_virtual_time
    async def test_parts_are_fetched_in_order_if_it_is_late(self, early_world):
        steps = (16, "one", 1, "two", 1, "three", 30)
        chat = Chat(*(early_world.start(generate(early_world, *steps), late=KEEP) for _ in range(2)))
        assert await chat.send() == WAIT
        assert await chat.send() == "one" + MORE
        await asyncio.sleep(3)
        assert await chat.send() == "two" + MORE
        assert (await chat.send()).startswith("three")
        await asyncio.sleep(60)
        assert (len(early_world.runs), early_world.kept, early_world.list_entries()) == (1, {}, {})

    @in_virtual_time
    async def test_no_part_is_repeated_after_a_death(self, early_world):
        steps = (16, "one", 1, "two", 10, "three")
        first, second = (early_world.start(generate(early_world, *steps), late=KEEP) for _ in range(2))
        chat = Chat(first)
        assert await chat.send() == WAIT
        await second.call("recover")
        await asyncio.sleep(5)
        first.kill()
        chat.workers = itertools.cycle([second])
        await asyncio.sleep(60)
        assert [await chat.send() for _ in WORDS] == ["one" + MORE, "two" + MORE, "three"]
        assert (len(early_world.runs), early_world.kept, early_world.list_entries()) == (2, {}, {})

    @in_virtual_time
    async def test_works_in_memory(self, early_world):
        chat = Chat(early_world.start(generate(early_world, "one", "two", 2, "three"), late=KEEP, store=None))
        assert [await chat.send() for _ in WORDS] == ["one" + MORE, "two" + MORE, "three"]


class TestWithoutAnExecutor:
    def test_a_generator_is_refused(self):
        def generate(message: Any) -> Iterator[str]:
            yield "one"

        with pytest.raises(SettingsError, match="executor"):
            PushEndpoint(PLAIN, generate)
        with pytest.raises(ReplyError, match="executor"):
            PushEndpoint(PLAIN, lambda message: generate(message)).handle(build())

    def test_an_async_generator_needs_an_async_endpoint(self):
        async def generate(message: Any) -> AsyncIterator[str]:
            yield "one"

        with pytest.raises(SettingsError, match="AsyncPushEndpoint"):
            PushEndpoint(PLAIN, generate)
        endpoint = AsyncPushEndpoint(PLAIN, generate)
        assert open_reply(PLAIN, asyncio.run(endpoint.handle(build())))["Content"] == "one"
