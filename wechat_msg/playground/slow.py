"""SlowSimulator: a simulator whose pushes arrive late, as from a slow WeChat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wechat_msg.exchange import PushRequest
from wechat_msg.testing.simulator import AsyncPushSimulator, BotResponse, NoResponse
from wechat_msg.testing.simulator.problems import TIMED_OUT
from wechat_msg.testing.simulator.transports import AsyncPushTransport, PushTransport

__all__ = ["SlowSimulator"]


class _SlowTransport:
    """A transport that waits before it sends; the time counts towards the limit.

    Args:
        transport: What sends.
        get_delay: Returns how many seconds to wait.
    """

    def __init__(self, transport: AsyncPushTransport, get_delay: Callable[[], float]) -> None:
        self._transport = transport
        self._get_delay = get_delay

    async def send(self, request: PushRequest, limit: float) -> BotResponse | NoResponse:
        """Send a request and return its result after *limit* seconds at most."""
        delay = self._get_delay()
        await asyncio.sleep(min(delay, limit))
        return await self._transport.send(request, limit - delay) if delay < limit else NoResponse(TIMED_OUT)

    async def close(self) -> None:
        """Release all resources."""
        await self._transport.close()


class SlowSimulator(AsyncPushSimulator):
    """An `AsyncPushSimulator` whose requests take longer to the bot.

    Attributes:
        delay: How many seconds.
    """

    delay: float = 0.0

    def _adapt(self, transport: PushTransport) -> AsyncPushTransport:
        return _SlowTransport(super()._adapt(transport), lambda: self.delay)
