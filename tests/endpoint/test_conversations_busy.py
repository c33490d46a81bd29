"""Messages that find their user's conversation busy when WeChat no longer sends them again: none is lost."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from attrs import define, field

from tests.endpoint.test_delivery import (  # noqa: F401, the fixture works by its name
    HUNG_UP,
    PAYMENT,
    PLAIN,
    build,
    build_event,
    ends,
    list_log,
    no_secrets_in_the_log,
)
from tests.endpoint.test_jobs import Broker, work
from tests.helpers.processes import Worker, in_virtual_time
from tests.helpers.rows import each_row
from tests.helpers.virtual_time import FaultyStore, WeChat, get_clock
from wechat_msg import ConversationBusy, Conversations, FallbackReply, KeepReply, MemoryStore

WORKS = 25  # seconds for which the first message has the conversation
BUSY = "ConversationBusy"


def write(word: str, number: int) -> Any:
    return build(PLAIN, {"Content": word, "MsgId": number})


FIRST, SECOND = write("slow", 1), write("quick", 2)


@define
class Words:
    words: list[str] = field(factory=list)


class Bot:
    """Handlers that have the conversation while they work: for the text ``slow``, and nothing else, that takes long.

    Attributes:
        conversations: The conversations.
    """

    def __init__(self, wait: float = 5.0, works: float = WORKS) -> None:
        clock = get_clock()
        self.conversations = Conversations(
            MemoryStore(clock=clock), Words, wait=wait, claim=1000.0, clock=clock, ttl=10000.0
        )
        self._works = works

    async def handle(self, message: Any) -> str:
        async with self.conversations.open(message) as state:
            word = getattr(message, "content", "event")
            await asyncio.sleep(self._works if word == "slow" else 0)
            state.words.append(word)
            return " ".join(state.words)


async def push_both(worker: Worker, second: Any = SECOND, **options: Any) -> list[Any]:
    """Push two messages of one user, the second after a second; return how that one was answered, when all is done."""
    first = asyncio.create_task(worker.push(FIRST))
    await asyncio.sleep(1)
    tries = await worker.push(second, **options)
    await first
    await asyncio.sleep(200)
    return [(round(at - 1, 3), what) for at, what in tries]


def use_store(*, is_shared: bool) -> dict[str, Any]:
    """Return the option for a store that dies with its process, so that nothing is in the inbox; or none."""
    return {} if is_shared else {"store": MemoryStore(clock=get_clock())}


def list_failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    return [record.getMessage() for record in records]


class TestAnAcknowledgedMessage:
    @each_row(("wait", "is_shared"), [(0.0, True), (0.0, False), (5.0, True), (5.0, False)])
    @in_virtual_time
    async def test_waits_for_the_conversation_and_its_answer_is_sent(self, early_world, caplog, wait, is_shared):
        worker = early_world.start(Bot(wait).handle, **use_store(is_shared=is_shared))
        assert await push_both(worker) == ends((4.5, "success"))
        assert (worker.sent, worker.lost) == (["slow", "slow quick"], [])
        assert worker.sent_at == pytest.approx([WORKS, WORKS], abs=0.6)
        assert list_failures(caplog) == []

    @each_row(("wait", "is_shared"), [(0.0, True), (0.0, False), (5.0, True), (5.0, False)])
    @in_virtual_time
    async def test_waits_for_the_conversation_and_its_answer_is_kept(self, world, caplog, wait, is_shared):
        worker = world.start(Bot(wait).handle, late=KeepReply("wait", more=""), **use_store(is_shared=is_shared))
        assert await push_both(worker) == ends(*HUNG_UP, (14.5, "wait"))
        fetched = [(await worker.push(write("1", number)))[0][1] for number in (3, 4)]
        assert (fetched, worker.lost, list_failures(caplog)) == (["slow", "slow quick"], [], [])

    @in_virtual_time
    async def test_that_waits_for_minutes_needs_no_further_attempt(self, early_world, caplog):
        worker = early_world.start(Bot(works=300).handle)
        first = asyncio.create_task(worker.push(FIRST))
        await asyncio.sleep(1)
        await worker.push(SECOND)
        await asyncio.sleep(310)
        await first
        assert (worker.sent, worker.lost, list_failures(caplog)) == (["slow", "slow quick"], [], [])

    @each_row("late", [None, FallbackReply("wait")])
    @in_virtual_time
    async def test_is_handled_without_a_policy_too_and_its_answer_is_reported(self, early_world, late):
        worker = early_world.start()
        options = {"late": late, "on_lost": early_world.adapt(worker.lose)}
        worker.endpoint = early_world.build(Bot().handle, store=worker.endpoint.store, **options)
        assert await push_both(worker) == ends(*HUNG_UP, (14.5, "wait" if late else "success"))
        assert worker.lost == [("slow", "late"), ("quick", "late")]

    @in_virtual_time
    async def test_may_have_been_acknowledged_by_another_process(self, early_world):
        bot = Bot(wait=20.0, works=40)
        worker, store = early_world.start(), early_world.memory
        options = {"on_lost": early_world.adapt(worker.lose), "store": FaultyStore(inner=store)}
        endpoints = [early_world.build(bot.handle, **options) for _ in range(2)]
        first = asyncio.create_task(early_world.wechat(endpoints[0]).push(FIRST))
        await asyncio.sleep(1)
        tries = iter([*endpoints, endpoints[1]])
        assert (await WeChat(lambda request: early_world.handle(next(tries), request)).push(SECOND))[-1].was_answered
        await asyncio.sleep(100)
        await first
        assert worker.lost == [("slow", "late"), ("quick", "late")]

    @in_virtual_time
    async def test_is_handed_back_while_it_waits(self, early_world):
        bot = Bot(wait=0.0, works=100)
        first, second = early_world.start(bot.handle), early_world.start(bot.handle)
        pushing = asyncio.create_task(first.push(FIRST))
        await asyncio.sleep(1)
        await second.push(SECOND)
        await asyncio.sleep(10)
        await second.call("drain", 0.0)
        runs = len(second.runs)
        await asyncio.sleep(150)
        await pushing
        assert (first.sent, second.sent, early_world.lost) == (["slow", "slow quick"], [], [])
        assert len(second.runs) == runs

    @in_virtual_time
    async def test_that_no_other_process_could_answer_waits_after_a_drain_too(self, early_world):
        worker = early_world.start(Bot().handle, **use_store(is_shared=False))
        pushing = asyncio.create_task(push_both(worker))
        await asyncio.sleep(10)
        await worker.call("drain", 0.0)
        await pushing
        assert (worker.sent, worker.lost) == (["slow", "slow quick"], [])

    @in_virtual_time
    async def test_of_a_process_that_has_died_waits_in_another_one(self, early_world):
        bot = Bot(works=60)
        first, second = early_world.start(bot.handle), early_world.start(bot.handle)
        pushing = asyncio.create_task(first.push(FIRST))
        await asyncio.sleep(1)
        await second.push(SECOND)
        second.kill()
        await asyncio.sleep(100)
        await pushing
        assert (first.sent, second.sent, early_world.lost) == (["slow", "slow quick"], [], [])

    @in_virtual_time
    async def test_of_virtual_payment_is_never_acknowledged_and_waits(self, world):
        worker = world.start(Bot(wait=0.0).handle, late=KeepReply("wait"))
        first = asyncio.create_task(worker.push(FIRST))
        await asyncio.sleep(1)
        [*tries, last] = await worker.push(build_event(PAYMENT), tries=9)
        assert ({what for _, what in tries}, last) == ({"hung up"}, (pytest.approx(WORKS, abs=1), "slow event"))
        await first


class TestAMessageThatIsSentAgain:
    @each_row("late", [None, FallbackReply("wait")])
    @in_virtual_time
    async def test_does_not_wait_beyond_its_own_time_without_a_policy(self, world, late):
        worker = world.start(Bot(wait=1.0).handle, late=FallbackReply("wait"))
        worker.endpoint = world.build(Bot(wait=1.0).handle, late=late, on_lost=world.adapt(worker.lose))
        assert await push_both(worker) == ends((1, BUSY), (2, BUSY), (3, BUSY))
        assert worker.lost == [("slow", "late")]


class TestAMessageThatWaitsTooLong:
    @each_row(("is_shared", "lost_at"), [(True, 3 * 21 + 5 + 60), (False, 20)])
    @in_virtual_time
    async def test_is_reported_once_as_every_loss(self, early_world, caplog, is_shared, lost_at):
        """The conversation is busy for longer than ``handler_limit``, in each attempt."""
        times = []

        async def handle(message: Any) -> str:
            await asyncio.sleep(1)
            raise ConversationBusy("busy")

        async def lose(message: Any, reason: str) -> None:
            times.append((message.content, reason, early_world.now))

        worker = early_world.start(
            handle, handler_limit=20, on_lost=early_world.adapt(lose), **use_store(is_shared=is_shared)
        )
        assert await worker.push(SECOND) == ends((4.5, "success"))
        await asyncio.sleep(200)
        assert times == [("quick", "failed", pytest.approx(lost_at, abs=15))]
        assert len([line for line in list_log(caplog) if "is lost" in line]) == 1


class TestAJob:
    @each_row("late", [None, FallbackReply("wait")])
    @in_virtual_time
    async def test_waits_for_the_conversation(self, world, caplog, late):
        broker, bot = Broker(world), Bot(wait=1.0)
        options = {"queue": broker.enqueue, "late": late or {"after": "first_try"}}
        web, worker = (world.start(bot.handle, **options) for _ in range(2))
        working = [asyncio.create_task(work(worker, broker)), asyncio.create_task(work(worker, broker, after=1))]
        tries = await push_both(web)
        assert tries[-1] == ends((14.5, "wait") if late else (4.5, "success"))[0]
        await asyncio.gather(*working)
        assert worker.sent == ([] if late else ["slow", "slow quick"])
        assert world.lost == ([("slow", "late"), ("quick", "late")] if late else [])
        assert bool(list_failures(caplog)) == bool(late)
