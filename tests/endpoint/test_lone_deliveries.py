"""NO_DEDUP without a policy: no record is written, and every other promise of an endpoint holds."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.helpers.servers import TIMEOUT
from wechat_msg import NO_DEDUP, AsyncPushEndpoint, ErrCodeReply, PushEndpoint, PushSettings
from wechat_msg._handlers import HandlerCancelled
from wechat_msg.testing import VirtualClock, build_push, open_reply

SETTINGS = PushSettings(token="spamtest")


def push():
    return build_push(SETTINGS, {"Content": "hi"})


class TestDrain:
    def test_waits_for_a_handler_in_the_thread_of_its_request(self):
        begun, end, ended = threading.Event(), threading.Event(), []

        def answer(message):
            begun.set()
            end.wait(TIMEOUT)
            ended.append(message.content)

        sleeps = []
        endpoint = PushEndpoint(SETTINGS, answer, store=NO_DEDUP, sleep=lambda _: (sleeps.append(1), end.set()))
        request = threading.Thread(target=endpoint.handle, args=(push(),))
        request.start()
        assert begun.wait(TIMEOUT)
        endpoint.drain(TIMEOUT)
        request.join(TIMEOUT)

        assert (ended, bool(sleeps)) == (["hi"], True)

    def test_waits_for_an_async_handler(self):
        ended = []

        async def answer(message):
            await asyncio.sleep(0.05)
            ended.append(message.content)

        async def main():
            endpoint = AsyncPushEndpoint(SETTINGS, answer, store=NO_DEDUP)
            request = asyncio.create_task(endpoint.handle(push()))
            await asyncio.sleep(0.01)
            await endpoint.drain(TIMEOUT)
            assert ended == ["hi"]
            await request

        asyncio.run(main())


class TestAnAsyncHandler:
    def test_continues_when_its_request_is_cancelled(self):
        ended = asyncio.Event()

        async def answer(message):
            await asyncio.sleep(0.02)
            ended.set()

        async def main():
            request = asyncio.create_task(AsyncPushEndpoint(SETTINGS, answer, store=NO_DEDUP).handle(push()))
            await asyncio.sleep(0.01)
            request.cancel()
            await asyncio.wait_for(ended.wait(), TIMEOUT)

        asyncio.run(main())

    def test_that_cancels_its_own_task_has_failed(self):
        async def answer(message):
            asyncio.current_task().cancel()
            await asyncio.sleep(0.01)

        async def main():
            with pytest.raises(HandlerCancelled):
                await AsyncPushEndpoint(SETTINGS, answer, store=NO_DEDUP).handle(push())
            endpoint = AsyncPushEndpoint(SETTINGS, answer, store=NO_DEDUP, on_error=lambda message, error: "sorry")
            assert open_reply(SETTINGS, await endpoint.handle(push()))["Content"] == "sorry"

        asyncio.run(main())


@pytest.mark.parametrize(("answer", "lost"), [("hello", ["late"]), (None, []), (ErrCodeReply(), [])])
def test_only_an_answer_with_content_is_lost_after_the_last_try(answer, lost):
    clock, reasons = VirtualClock(), []
    endpoint = PushEndpoint(
        SETTINGS,
        lambda message: (clock.sleep(20), answer)[1],
        store=NO_DEDUP,
        clock=clock,
        on_lost=lambda message, reason: reasons.append(reason),
    )
    endpoint.handle(build_push(SETTINGS, {"Content": "hi"}, now=clock))

    assert reasons == lost
