"""Processes that work on what others left, and pushes that wait for one of ``max_running`` handlers to end."""

from __future__ import annotations

import asyncio
from typing import Any

from attrs import define

from tests.helpers.virtual_time import FaultyStore, WeChat, in_virtual_time
from wechat_msg import AnswerLater, AsyncPushEndpoint, PushSettings, StoreError
from wechat_msg.testing import build_push

SETTINGS = PushSettings(token="spamtest")


def make_push(number: int):
    return build_push(SETTINGS, {"MsgType": "text", "Content": "hi", "MsgId": number, "FromUserName": f"user{number}"})


@define
class Connection:
    """The store of one process, which can be cut off from it, as if it had died."""

    store: FaultyStore
    is_cut: bool = False

    async def get(self, key: str) -> bytes | None:
        return self._check().get(key)

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return self._check().compare_and_set(key, expected, value, ttl)

    def _check(self) -> FaultyStore:
        if self.is_cut:
            raise StoreError("the store is down")
        return self.store


class Bot:
    """Processes of a bot whose handler takes some seconds."""

    def __init__(self, seconds: float, **options: Any) -> None:
        self.store = FaultyStore()
        self.seconds = seconds
        self.options = options
        self.runs = 0
        self.sent: list[dict[str, Any]] = []

    def start(self) -> tuple[AsyncPushEndpoint, Connection]:
        async def send(body: dict[str, Any]) -> None:
            if not connection.is_cut:
                self.sent.append(body)

        connection = Connection(self.store)
        clock = asyncio.get_running_loop().time
        late = AnswerLater(send)
        return AsyncPushEndpoint(
            SETTINGS, self.answer, store=connection, late=late, monotonic=clock, **self.options
        ), connection

    async def answer(self, message: Any) -> str:
        self.runs += 1
        await asyncio.sleep(self.seconds)
        return "answer"


@in_virtual_time
async def test_a_process_that_takes_over_a_push_while_it_has_none_keeps_it():
    bot = Bot(seconds=20)
    first, connection = bot.start()
    [answered] = await WeChat(first.handle).push(make_push(1))
    connection.is_cut = True
    others = [bot.start()[0] for _ in range(3)]
    assert [await other.recover() for other in others] == [0, 0, 0]  # the lease of the first has not ended
    await asyncio.sleep(60)

    assert answered.was_answered
    assert bot.runs == 2
    assert len(bot.sent) == 1


@in_virtual_time
async def test_many_pushes_that_wait_for_room_do_not_ask_the_store():
    bot = Bot(seconds=100, max_running=1)
    endpoint, _ = bot.start()
    tries = [asyncio.create_task(endpoint.handle(make_push(number))) for number in range(50)]
    await asyncio.sleep(1)
    calls = bot.store.calls
    await asyncio.sleep(2)

    assert bot.store.calls - calls < 20  # the lease is renewed
    assert not any(task.done() for task in tries)
    assert {response.status for response in await asyncio.gather(*tries)} == {200}


@in_virtual_time
async def test_pushes_that_wait_for_room_are_handled_in_order():
    bot = Bot(seconds=1, max_running=1)
    endpoint, _ = bot.start()
    order = []

    async def push(number):
        [last] = await WeChat(endpoint.handle).push(make_push(number))
        order.append(number)
        assert last.was_answered

    await asyncio.gather(*map(push, range(3)))

    assert order == [0, 1, 2]


@in_virtual_time
async def test_a_push_without_room_and_without_a_store_is_sent_again():
    bot = Bot(seconds=100, max_running=1)
    endpoint, _ = bot.start()
    running = asyncio.create_task(endpoint.handle(make_push(1)))
    await asyncio.sleep(1)
    bot.store.down = True
    tries = await WeChat(endpoint.handle).push(make_push(2))

    assert [each.response.status for each in tries] == [503, 503, 503]
    await running
