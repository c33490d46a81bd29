"""Client and AsyncClient: perform the steps of the flows, with requests or httpx2, a store and a clock."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from wechat_msg._flow import (
    AnyStore,
    CompareAndSet,
    Flow,
    Get,
    Sleep,
    drive,
    drive_async,
)
from wechat_msg._tracebacks import clears_locals, safe_repr
from wechat_msg.api.access_token import AccessToken
from wechat_msg.api.call import Call, Pages, raw_call
from wechat_msg.api.jsapi import Ticket
from wechat_msg.api.results import Result
from wechat_msg.client.account import Account, Timeout
from wechat_msg.client.calling import Caller
from wechat_msg.client.credential import Credential
from wechat_msg.client.hosts import DEFAULT_HOSTS, Hosts, to_base_url
from wechat_msg.client.redaction import hide_secrets_in_logs
from wechat_msg.client.sources import FixedToken, RemoteTokenSource, Source, StableTokenSource
from wechat_msg.client.steps import Background, Send
from wechat_msg.errors import CallError
from wechat_msg.stores import MemoryStore, Store, for_event_loop

if TYPE_CHECKING:
    import httpx2
    import requests

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")
_random = random.SystemRandom()  # that of the application may be seeded
P = TypeVar("P", bound=Result)
Item = TypeVar("Item")
S = TypeVar("S", bound=AnyStore)
Session = TypeVar("Session")


class _Client(Generic[S, Session]):
    """Base class of both clients: their options, and the flows of their account."""

    _default_sleep: ClassVar[Any]

    @clears_locals
    def __init__(
        self,
        appid: str,
        secret: str | None = None,
        *,
        store: S | None = None,
        session: Session | None = None,
        hosts: Iterable[str] = DEFAULT_HOSTS,
        timeout: Timeout = (3.05, 10.0),
        total_timeout: float = 30.0,
        retries: int = 2,
        token_source: Source | FixedToken | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Any] | None = None,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self.appid = appid
        self._clock = clock
        self._sleep: Callable[[float], Any] = sleep or self._default_sleep
        self._is_closed = False
        account = Account(
            appid=appid,
            secret=secret,
            hosts=Hosts(hosts, monotonic),
            timeout=timeout,
            total_timeout=total_timeout,
            retries=retries,
            token_source=StableTokenSource() if token_source is None else token_source,
            clock=clock,
            monotonic=monotonic,
            random=random,
        )
        self._caller = Caller(account, MemoryStore(clock=monotonic) if store is None else self._adapt_store(store))
        self._open(session, monotonic)
        hide_secrets_in_logs()

    def _adapt_store(self, store: S) -> AnyStore:
        """Return *store* as this client can use it; raise CallError if it cannot."""
        raise NotImplementedError

    def _open(self, session: Session | None, monotonic: Callable[[], float]) -> None:
        """Prepare to send."""
        raise NotImplementedError

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.appid!r})"

    @classmethod
    @clears_locals
    def from_env(cls, prefix: str = "WECHAT_", *, environ: Mapping[str, str] | None = None, **options: Any) -> Self:
        """Make a client from the variables ``WECHAT_APPID``, ``WECHAT_SECRET`` and ``WECHAT_API_HOSTS``.

        The last one is optional: a list of hosts, separated by commas: ``api2.weixin.qq.com,api.weixin.qq.com``. The
        secret is optional if a `RemoteTokenSource` or `FixedToken` is given.

        Args:
            prefix: The beginning of the variables' names.
            environ: The variables; if None, those of the process, ``os.environ``.
            options: The options of the class itself; *hosts* overrides the variable.

        Raises:
            CallError: A variable is missing, or is not a list of hosts.
        """
        environ = os.environ if environ is None else environ
        values = {name: environ.get(prefix + name, "").strip() for name in ("APPID", "SECRET", "API_HOSTS")}
        has_tokens = isinstance(options.get("token_source"), (RemoteTokenSource, FixedToken))
        required = ["APPID"] if has_tokens else ["APPID", "SECRET"]
        missing = ", ".join(prefix + name for name in required if not values[name])
        if missing:
            raise CallError(f"environment variables missing: {missing}（缺少环境变量：{missing}）")
        if values["API_HOSTS"]:
            options.setdefault("hosts", _split_hosts(values["API_HOSTS"], f"{prefix}API_HOSTS"))
        return cls(values["APPID"], values["SECRET"] or None, **options)

    def _to_access_token(self, credential: Credential) -> AccessToken:
        return AccessToken(access_token=credential.value, expires_in=self._left(credential))

    def _to_ticket(self, credential: Credential) -> Ticket:
        return Ticket(ticket=credential.value, expires_in=self._left(credential))

    def _left(self, credential: Credential) -> int:
        return max(int(credential.expires_at - self._clock()), 0)

    def _check_open(self) -> None:
        if self._is_closed:
            raise CallError("the client is closed（客户端已关闭）")


class Client(_Client[Store, "requests.Session"]):
    """A client of WeChat's API for one account; one client serves a whole program, and threads may share it.

    The access_token is fetched when it is needed, and kept in *store*. One of all the threads, processes and machines
    that share the store renews it, while the others go on with the old one.

    Args:
        appid: The account's AppID.
        secret: Its AppSecret; not needed with a `RemoteTokenSource` or `FixedToken`.
        store: The store in which processes share the access_token; if None, a `MemoryStore` for this process.
        session: A session of requests, with its own proxies, certificates and adapters. It is not closed, but its
            adapters get new connections after a fork or a pause. If None, the client makes one.
        hosts: The hosts to ask, in order; if no connection can be made, the next one is asked.
        timeout: Seconds to wait for a connection, and for each piece of the answer; or one number for both. If None,
            only *total_timeout* limits them.
        total_timeout: Seconds after which no further try begins.
        retries: The number of further tries, 0 for none. A call is repeated if no connection was made; if the answer
            was lost or WeChat is busy, only if the call is repeatable.
        token_source: The source of access_tokens; if None, `StableTokenSource()`.
        clock: Seconds since the epoch; this and the next three are parameters for tests.
        monotonic: Seconds, for time limits.
        sleep: Waits for a number of seconds; if None, `time.sleep`, or `asyncio.sleep` in `AsyncClient`.
        random: A number from 0 to 1.

    Raises:
        CallError: An option has an invalid value.

    Example:
        >>> from wechat_msg.api import user
        >>> from wechat_msg.testing import FakeWeChatAPI
        >>> with FakeWeChatAPI() as wechat, Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        ...     wechat.add_user("oUSER", remark="friend")
        ...     client.call(user.get_info("oUSER")).subscribe
        1
    """

    _default_sleep = staticmethod(time.sleep)

    def _adapt_store(self, store: Store) -> AnyStore:
        if not _is_store(store) or inspect.iscoroutinefunction(store.get):
            raise CallError("store must be a Store; an AsyncStore needs AsyncClient")
        return store

    def _open(self, session: requests.Session | None, monotonic: Callable[[], float]) -> None:
        from wechat_msg.client.sync_transport import SyncTransport  # imports requests only when it is used

        self._transport = SyncTransport(session, monotonic)
        self._threads: set[threading.Thread] = set()

    def call(self, call: Call[T]) -> T:
        """Send *call* and return its result.

        Raises:
            APIError: WeChat refused the call.
            TransportError: There is no answer.
            UnreadableAnswer: The answer is not one of WeChat's.
            CallError: The call cannot be sent.
            StoreError: There is no access_token, and the store is down.
        """
        return self._drive(self._caller.call(call))

    @clears_locals
    def raw_call(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """Make a call that `wechat_msg.api` has no function for; see `wechat_msg.api.raw_call`."""
        return self.call(raw_call(method, path, **options))

    def iterate(self, pages: Pages[P, Item]) -> Iterator[Item]:
        """Yield the items of a paged list; each page is fetched when it is needed."""
        call: Call[P] | None = pages.first
        while call is not None:
            page = self.call(call)
            yield from pages.items_of(page)
            call = pages.find_next(call, page)

    @clears_locals
    def get_access_token(self, *, rejected: str | None = None) -> AccessToken:
        """Return the account's access_token, for calls that another program makes.

        Args:
            rejected: An access_token that WeChat rejected; another one is returned.
        """
        return self._to_access_token(self._drive(self._caller.get_access_token(rejected)))

    def get_ticket(self, type: str = "jsapi") -> Ticket:
        """Return a ticket, cached like the access_token: ``jsapi`` for `wechat_msg.jssdk`, ``wx_card`` for cards."""
        return self._to_ticket(self._drive(self._caller.get_ticket(type)))

    def close(self) -> None:
        """Wait for a renewal in the background, and close the connections; a *session* of the user's stays open."""
        self._is_closed = True
        for thread in tuple(self._threads):
            if thread.is_alive():
                thread.join()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @clears_locals
    def _drive(self, flow: Flow[T]) -> T:
        self._check_open()
        return drive(flow, self._perform)

    def _perform(self, step: Send | Get | CompareAndSet | Sleep | Background) -> Any:
        match step:
            case Send():
                return self._transport.send(step.request)
            case Get() | CompareAndSet():
                return step.perform()
            case Sleep():
                return self._sleep(step.seconds)
            case Background():
                return self._run_in_background(step.flow)

    def _run_in_background(self, flow: Flow[None]) -> None:
        # Not a daemon: at its end the program waits for the new access_token; otherwise it would be lost.
        thread = threading.Thread(target=self._renew, args=(flow,), name="wechat_msg.renew", daemon=False)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the program is ending, or no more threads can be started
            self._threads.discard(thread)
            drive(flow, self._perform)

    @clears_locals
    def _renew(self, flow: Flow[None]) -> None:
        try:
            drive(flow, self._perform)
        finally:
            self._threads.discard(threading.current_thread())


class AsyncClient(_Client[AnyStore, "httpx2.AsyncClient"]):
    """A `Client` for asyncio, with httpx2 (extra ``async``).

    It may be used in several event loops, one after another or at once; but with a *session* only in one, as the
    session's connections belong to an event loop. A sync store runs in threads of its own.

    Example:
        >>> import asyncio
        >>> from wechat_msg.api import user
        >>> from wechat_msg.testing import FakeWeChatAPI
        >>> async def main():
        ...     with FakeWeChatAPI() as wechat:
        ...         async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        ...             wechat.add_user("oUSER")
        ...             return await client.call(user.get_info("oUSER"))
        >>> asyncio.run(main()).subscribe
        1
    """

    _default_sleep = staticmethod(asyncio.sleep)

    def _adapt_store(self, store: AnyStore) -> AnyStore:
        if not _is_store(store):
            raise CallError("store must be a Store or an AsyncStore")
        return for_event_loop(store)

    def _open(self, session: httpx2.AsyncClient | None, monotonic: Callable[[], float]) -> None:  # noqa: ARG002
        try:
            from wechat_msg.client.async_transport import AsyncTransport  # imports httpx2 only when it is used
        except ModuleNotFoundError as error:
            raise CallError("AsyncClient needs httpx2, the extra async（请安装附加依赖 async）") from error

        self._transport = AsyncTransport(session)
        self._tasks: set[asyncio.Task[None]] = set()  # an event loop holds only weak references to its tasks

    async def call(self, call: Call[T]) -> T:
        """Send *call* and return its result; see `Client.call`."""
        return await self._drive(self._caller.call(call))

    @clears_locals
    async def raw_call(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """Make a call that `wechat_msg.api` has no function for; see `wechat_msg.api.raw_call`."""
        return await self.call(raw_call(method, path, **options))

    async def iterate(self, pages: Pages[P, Item]) -> AsyncIterator[Item]:
        """Yield the items of a paged list; each page is fetched when it is needed."""
        call: Call[P] | None = pages.first
        while call is not None:
            page = await self.call(call)
            for item in pages.items_of(page):
                yield item
            call = pages.find_next(call, page)

    @clears_locals
    async def get_access_token(self, *, rejected: str | None = None) -> AccessToken:
        """Return the account's access_token; see `Client.get_access_token`."""
        return self._to_access_token(await self._drive(self._caller.get_access_token(rejected)))

    async def get_ticket(self, type: str = "jsapi") -> Ticket:
        """Return a ticket; see `Client.get_ticket`."""
        return self._to_ticket(await self._drive(self._caller.get_ticket(type)))

    async def close(self) -> None:
        """Wait for a renewal in the background, and close the connections; a *session* of the user's stays open."""
        self._is_closed = True
        here = asyncio.get_running_loop()
        if tasks := [task for task in tuple(self._tasks) if task.get_loop() is here]:
            await asyncio.wait(tasks)
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @clears_locals
    async def _drive(self, flow: Flow[T]) -> T:
        self._check_open()
        self._transport.check()
        return await drive_async(flow, self._perform)

    def _perform(self, step: Send | Get | CompareAndSet | Sleep | Background) -> Any:
        match step:
            case Send():
                return self._transport.send(step.request)
            case Get() | CompareAndSet():
                return step.perform()
            case Sleep():
                return self._sleep(step.seconds)
            case Background():
                task = asyncio.create_task(self._renew(step.flow), name="wechat_msg.renew")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return None

    @clears_locals
    async def _renew(self, flow: Flow[None]) -> None:
        await drive_async(flow, self._perform)


def _split_hosts(listed: str, name: str) -> list[str]:
    hosts = [host.strip() for host in listed.split(",") if host.strip()]
    try:
        return [to_base_url(host) for host in hosts or [""]]
    except CallError as error:
        raise CallError(f"{name}: {error}") from None


def _is_store(store: object) -> bool:
    return isinstance(store, Store) and not isinstance(store, type)
