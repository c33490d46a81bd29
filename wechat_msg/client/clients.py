"""Client and AsyncClient: they perform the steps of the flows, with requests or httpx2, a store and a clock."""

from __future__ import annotations

import asyncio
import inspect
import os
import random as chance
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
    perform_async,
)
from wechat_msg._tracebacks import clears_locals, safe_repr
from wechat_msg.api.access_token import AccessToken
from wechat_msg.api.call import Call, Pages, raw_call
from wechat_msg.api.jsapi import Ticket
from wechat_msg.api.results import Result
from wechat_msg.client.calling import Caller
from wechat_msg.client.credentials import Credential
from wechat_msg.client.hosts import DEFAULT_HOSTS, Hosts, to_base_url
from wechat_msg.client.redaction import watch_logs
from wechat_msg.client.rules import Clocks, Rules
from wechat_msg.client.sending import Sender
from wechat_msg.client.sources import FixedToken, RemoteTokenSource, Source, StableTokenSource
from wechat_msg.client.steps import Beside, Send
from wechat_msg.errors import CallError
from wechat_msg.stores import MemoryStore, Store, for_event_loop

if TYPE_CHECKING:
    import httpx2
    import requests

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")
P = TypeVar("P", bound=Result)
Item = TypeVar("Item")
S = TypeVar("S", bound=AnyStore)
Session = TypeVar("Session")
Timeout = float | tuple[float | None, float | None] | None


class _Client(Generic[S, Session]):
    """What both clients are: the flows of an account, and the rules for their options."""

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
        random: Callable[[], float] = chance.random,
    ) -> None:
        connect, read = _split(timeout)
        _require(_is_word(appid), "appid is the AppID, such as wx and 16 hexadecimal digits（请核对 appid）")
        _require(secret is None or _is_word(secret), "secret is the AppSecret（请核对 secret）")
        _require(_is_seconds(connect) and _is_seconds(read), _TIMEOUT)
        _require(total_timeout is not None and _is_seconds(total_timeout), "total_timeout is seconds, more than 0")
        _require(isinstance(retries, int) and retries >= 0, "retries is a whole number, 0 for none")
        source = StableTokenSource() if token_source is None else token_source
        _require(isinstance(source, (Source, FixedToken)), "token_source is a source, such as ClassicTokenSource()")
        self.appid = appid
        self._clock = clock
        self._is_closed = False
        sender = Sender(
            appid=appid,
            secret=secret,
            hosts=Hosts(hosts, monotonic),
            rules=Rules(connect_timeout=connect, read_timeout=read, total_timeout=total_timeout, retries=retries),
            clocks=Clocks(clock, monotonic, random),
        )
        self._caller = Caller(sender, source, MemoryStore(clock=monotonic) if store is None else self._take(store))
        self._sleep: Callable[[float], Any] = sleep or self._default_sleep
        self._open(session, monotonic)
        watch_logs()

    def _take(self, store: S) -> AnyStore:
        """Return *store* as the steps of the flows can ask it.

        Raises:
            CallError: It is none that they can.
        """
        raise NotImplementedError

    def _open(self, session: Session | None, monotonic: Callable[[], float]) -> None:
        """Get ready to send."""
        raise NotImplementedError

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.appid!r})"

    @classmethod
    @clears_locals
    def from_env(cls, prefix: str = "WECHAT_", *, environ: Mapping[str, str] | None = None, **options: Any) -> Self:
        """Make a client of the variables ``WECHAT_APPID``, ``WECHAT_SECRET`` and ``WECHAT_API_HOSTS``.

        The last one, which may be missing, lists hosts with commas between: ``api2.weixin.qq.com,api.weixin.qq.com``.
        The secret may be missing if a `RemoteTokenSource` or `FixedToken` is given.

        Args:
            prefix: What the names begin with.
            environ: The variables; None: those of the process, ``os.environ``.
            options: As for the class itself; *hosts* is preferred to the variable.

        Raises:
            CallError: A variable is missing, or no list of hosts.
        """
        environ = os.environ if environ is None else environ
        values = {name: environ.get(prefix + name, "").strip() for name in ("APPID", "SECRET", "API_HOSTS")}
        has_tokens = isinstance(options.get("token_source"), (RemoteTokenSource, FixedToken))
        required = ["APPID"] if has_tokens else ["APPID", "SECRET"]
        missing = ", ".join(prefix + name for name in required if not values[name])
        _require(not missing, f"environment variables missing: {missing}（缺少环境变量：{missing}）")
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
        _require(not self._is_closed, "the client is closed（客户端已关闭）")


class Client(_Client[Store, "requests.Session"]):
    """Calls WeChat's API for one account; one client serves a whole program, and threads may share it.

    The access_token is fetched when it is needed, kept in *store*, and renewed by one of all the threads, processes
    and machines that share the store, while the others go on with the old one.

    Args:
        appid: The account's AppID.
        secret: Its AppSecret; not needed with a `RemoteTokenSource` or `FixedToken`.
        store: Where processes agree on the access_token. None: a `MemoryStore` of its own, for one process.
        session: A session of requests, with proxies, certificates and adapters as wanted; it is not closed, but its
            adapters get new connections after a fork or a pause. None: one of its own.
        hosts: Whom to ask; if no connection can be made, the next.
        timeout: Seconds to wait for a connection, and for each piece of the answer; or one number for both; None: as
            much as *total_timeout* leaves.
        total_timeout: Seconds after which nothing is tried again.
        retries: How many further tries there are where a try may be repeated: always if there was no connection; if
            the answer was lost or WeChat is busy, only for calls that are repeatable. 0: none.
        token_source: `StableTokenSource` (None), `ClassicTokenSource`, `RemoteTokenSource`, `FixedToken`.
        clock: Seconds since the epoch; this and the next three are parameters for tests.
        monotonic: Seconds, for time limits.
        sleep: Waits for so many seconds; None: `time.sleep`, and `asyncio.sleep` in `AsyncClient`.
        random: A number from 0 to 1.

    Raises:
        CallError: An option is of the wrong kind.

    Example:
        >>> from wechat_msg.api import user
        >>> from wechat_msg.testing import FakeWeChatAPI
        >>> with FakeWeChatAPI() as wechat, Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        ...     wechat.add_user("oUSER", remark="friend")
        ...     client.call(user.get_info("oUSER")).subscribe
        1
    """

    _default_sleep = staticmethod(time.sleep)

    def _take(self, store: Store) -> AnyStore:
        _require(_is_store(store, is_async=False), "store is a Store; an AsyncStore needs AsyncClient")
        return store

    def _open(self, session: requests.Session | None, monotonic: Callable[[], float]) -> None:
        from wechat_msg.client.sync_transport import SyncTransport  # requests is imported by whoever uses it

        self._transport = SyncTransport(session, monotonic)
        self._threads: set[threading.Thread] = set()

    def call(self, call: Call[T]) -> T:
        """Send *call* and return its result.

        Raises:
            APIError: WeChat says that it did not do it.
            TransportError: There is no answer.
            UnreadableAnswer: It is not WeChat's.
            CallError: The call cannot be sent.
            StoreError: There is no token, and the store cannot be asked.
        """
        return self._drive(self._caller.call(call))

    @clears_locals
    def raw_call(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """Call what has no function of its own; see `wechat_msg.api.raw_call`."""
        return self.call(raw_call(method, path, **options))

    def iterate(self, pages: Pages[P, Item]) -> Iterator[Item]:
        """Yield the items of a list that comes in pages; each page is fetched when it is needed."""
        call: Call[P] | None = pages.first
        while call is not None:
            page = self.call(call)
            yield from pages.items_of(page)
            call = pages.next_of(page)

    @clears_locals
    def get_access_token(self, *, rejected: str | None = None) -> AccessToken:
        """Return the account's access_token, for calls that others make.

        Args:
            rejected: One that WeChat did not take; another one is returned.
        """
        return self._to_access_token(self._drive(self._caller.get_access_token(rejected)))

    def get_ticket(self, type: str = "jsapi") -> Ticket:
        """Return a ticket, kept like the access_token: ``jsapi`` for `wechat_msg.jssdk`, ``wx_card`` for cards."""
        return self._to_ticket(self._drive(self._caller.get_ticket(type)))

    def close(self) -> None:
        """Wait for a renewal that is under way, and close what is not the user's."""
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

    def _perform(self, step: Send | Get | CompareAndSet | Sleep | Beside) -> Any:
        match step:
            case Send():
                return self._transport.send(step.request)
            case Get() | CompareAndSet():
                return step.perform()
            case Sleep():
                return self._sleep(step.seconds)
            case Beside():
                return self._run_beside(step.flow)

    def _run_beside(self, flow: Flow[None]) -> None:
        # No daemon: at its end the program waits for the new token, which nobody would know of otherwise.
        thread = threading.Thread(target=self._renew, args=(flow,), name="wechat_msg.renew", daemon=False)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the program is ending, or may have no more threads
            self._threads.discard(thread)
            drive(flow, self._perform)

    @clears_locals
    def _renew(self, flow: Flow[None]) -> None:
        try:
            drive(flow, self._perform)
        finally:
            self._threads.discard(threading.current_thread())


class AsyncClient(_Client[AnyStore, "httpx2.AsyncClient"]):
    """Like `Client`, for asyncio, with httpx2 (extra ``async``).

    It may be used in several event loops, one after another or at once; but with a *session* only in one, to which the
    session's connections belong. A sync store runs in threads of its own.

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

    def _take(self, store: AnyStore) -> AnyStore:
        _require(_is_store(store), "store is a Store or an AsyncStore")
        return for_event_loop(store)

    def _open(self, session: httpx2.AsyncClient | None, monotonic: Callable[[], float]) -> None:  # noqa: ARG002
        try:
            from wechat_msg.client.async_transport import AsyncTransport  # httpx2 is imported by whoever uses it
        except ModuleNotFoundError as error:
            raise CallError("AsyncClient needs httpx2, the extra async（请安装附加依赖 async）") from error

        self._transport = AsyncTransport(session)
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds its tasks weakly only

    async def call(self, call: Call[T]) -> T:
        """Send *call* and return its result; see `Client.call`."""
        return await self._drive(self._caller.call(call))

    @clears_locals
    async def raw_call(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """Call what has no function of its own; see `wechat_msg.api.raw_call`."""
        return await self.call(raw_call(method, path, **options))

    async def iterate(self, pages: Pages[P, Item]) -> AsyncIterator[Item]:
        """Yield the items of a list that comes in pages; each page is fetched when it is needed."""
        call: Call[P] | None = pages.first
        while call is not None:
            page = await self.call(call)
            for item in pages.items_of(page):
                yield item
            call = pages.next_of(page)

    @clears_locals
    async def get_access_token(self, *, rejected: str | None = None) -> AccessToken:
        """Return the account's access_token; see `Client.get_access_token`."""
        return self._to_access_token(await self._drive(self._caller.get_access_token(rejected)))

    async def get_ticket(self, type: str = "jsapi") -> Ticket:
        """Return a ticket; see `Client.get_ticket`."""
        return self._to_ticket(await self._drive(self._caller.get_ticket(type)))

    async def close(self) -> None:
        """Wait for a renewal that is under way, and close what is not the user's."""
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

    async def _perform(self, step: Send | Get | CompareAndSet | Sleep | Beside) -> Any:
        match step:
            case Send():
                return await self._transport.send(step.request)
            case Get() | CompareAndSet():
                return await perform_async(step)
            case Sleep():
                return await self._sleep(step.seconds)
            case Beside():
                task = asyncio.create_task(self._renew(step.flow), name="wechat_msg.renew")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return None

    @clears_locals
    async def _renew(self, flow: Flow[None]) -> None:
        await drive_async(flow, self._perform)


_TIMEOUT = "timeout is seconds, or a pair: to connect, to read"


def _require(condition: object, text: str) -> None:
    if not condition:
        raise CallError(text)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isascii() and value.isprintable()


def _split_hosts(listed: str, name: str) -> list[str]:
    hosts = [host.strip() for host in listed.split(",") if host.strip()]
    try:
        return [to_base_url(host) for host in hosts or [""]]
    except CallError as error:
        raise CallError(f"{name}: {error}") from None


def _split(timeout: Timeout) -> tuple[float | None, float | None]:
    match timeout:
        case (connect, read):
            return connect, read
        case int() | float() | None:
            return timeout, timeout
    raise CallError(_TIMEOUT)


def _is_seconds(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and 0 < value < float("inf"))


def _is_store(store: object, *, is_async: bool | None = None) -> bool:
    if not isinstance(store, Store) or isinstance(store, type):
        return False
    return is_async is None or inspect.iscoroutinefunction(store.get) == is_async
