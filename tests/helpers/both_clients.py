"""Client and AsyncClient with the same interface, so that one test covers both."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Self

import pytest

from tests.helpers.raw_http import Handle, Server, listen
from wechat_msg import AsyncClient, Client, WeChatError
from wechat_msg.api.call import Call, Pages
from wechat_msg.client import FixedToken

TOKEN = "an-access-token-to-hide"
SECRET = "a-secret-to-hide"


class InLoop:
    """An `AsyncClient` with the methods of `Client`; its event loop runs in a thread, so that threads may share it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._complaints: list[str] = []
        self._loop.set_exception_handler(lambda _, context: self._complaints.append(context["message"]))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self.client: AsyncClient = self.run(self._make(args, options))
        except BaseException:
            self._end()
            raise

    async def _make(self, args: Any, options: Any) -> AsyncClient:
        return AsyncClient(*args, **options)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the loop; `close` has ended the loop, and nothing can happen in it any more."""
        if self._loop.is_closed():
            return asyncio.run(coroutine)
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def call(self, call: Call[Any]) -> Any:
        return self.run(self.client.call(call))

    def raw_call(self, *args: Any, **options: Any) -> Any:
        return self.run(self.client.raw_call(*args, **options))

    def iterate(self, pages: Pages[Any, Any]) -> Iterator[Any]:
        items = self.client.iterate(pages)
        while (item := self.run(self._take(items))) is not self:
            yield item

    async def _take(self, items: AsyncIterator[Any]) -> Any:
        return await anext(items, self)

    def get_access_token(self, **options: Any) -> Any:
        return self.run(self.client.get_access_token(**options))

    def get_ticket(self, *args: Any) -> Any:
        return self.run(self.client.get_ticket(*args))

    def close(self) -> None:
        if self._loop.is_closed():
            return
        try:
            self.run(self.client.close())
        finally:
            self._end()
        assert not self._complaints

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def __repr__(self) -> str:
        return repr(self.client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


#: Runs a test with each of the clients.
both = pytest.mark.parametrize("make", [Client, InLoop], ids=["sync", "async"])


def make_fixed(make: Callable[..., Any], *hosts: str, **options: Any) -> Any:
    """Make a client that has its access_token already, and tries once."""
    options = {"retries": 0, "token_source": FixedToken(TOKEN), **options}
    return make("wx0123456789abcdef", SECRET, hosts=hosts, **options)


@contextlib.contextmanager
def serving(make: Callable[..., Any], *handles: Handle, **options: Any) -> Iterator[tuple[Server, Any]]:
    """Run a server, and a client of it that has its access_token already and tries three times, without pauses."""
    options = {"retries": 2, "random": lambda: 0.0, **options}
    with listen(*handles) as server, make_fixed(make, server.url, **options) as client:
        yield server, client


def catch(error: type[WeChatError], function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Return the error that a call raises; it is exactly of this class, and its printed forms hold no secret."""
    with pytest.raises(WeChatError) as caught:
        function(*args, **options)
    assert type(caught.value) is error, repr(caught.value)
    printed = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert TOKEN not in printed
    assert SECRET not in printed
    return caught.value
