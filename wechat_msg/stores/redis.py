"""RedisStore and AsyncRedisStore: for any number of machines."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import redis
import redis.asyncio
from redis import exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.client import NEVER_DECODE
from redis.retry import Retry

from wechat_msg._tracebacks import clears_locals
from wechat_msg.errors import SettingsError, StoreError

__all__ = ["AsyncRedisStore", "RedisStore"]

#: Before an expected and before a new value stands "="; None is empty. One key a call, so it may be of any cluster.
_SCRIPT = """\
local found = redis.call('GET', KEYS[1])
if (found and '=' .. found or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], string.sub(ARGV[2], 2), 'PX', ARGV[3]) end
return 1
"""
_LONGEST = 3e9  # seconds; with more, what Redis counts in milliseconds since 1970 would overflow some day
_MOST_CONNECTIONS = 32  # of a process; who comes later waits
#: Settings of a client that only one pool may have.
_NOT_COPIED = re.compile("maint|orig_|oss_|himport|event_dispatcher|max_connections|timeout$")


class RedisStore:
    """A store in Redis, for any number of processes and machines; also in a cluster, and with Sentinel.

    An ordinary client only tells where Redis is and how to log in: the store makes connections of its own that wait
    for *timeout* and try only once, as with redis-py's defaults a push could wait for a minute. Clients of a
    cluster or of Sentinel are used as they are: set ``socket_timeout`` and ``retry`` there.

    Args:
        client: Its ``decode_responses`` and ``protocol`` do not matter.
        prefix: Stands before every key.
        timeout: Seconds to wait for Redis.

    Raises:
        SettingsError: *client* is anything else, as an asynchronous client, or *timeout* is not greater than 0.
    """

    def __init__(
        self, client: redis.Redis | redis.RedisCluster, *, prefix: str = "wechat_msg:", timeout: float = 1.0
    ) -> None:
        if not isinstance(client, (redis.Redis, redis.RedisCluster)):
            raise SettingsError("RedisStore takes a client of redis.Redis or redis.RedisCluster")
        _check_timeout(timeout)
        self._prefix = prefix
        self._owns_client = _is_ordinary(client, redis)
        self._client: Any = _copy(client, redis, Retry, timeout) if self._owns_client else client
        self._script = self._client.register_script(_SCRIPT)

    def close(self) -> None:
        """Close the store's own connections; the store can still be used."""
        if self._owns_client:
            self._client.close()

    @clears_locals
    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        with _translated():
            return _read_value(self._client.execute_command("GET", self._prefix + key, **_AS_BYTES))

    @clears_locals
    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        with _translated():
            return _read_outcome(self._script([self._prefix + key], _make_arguments(expected, value, ttl)))


class AsyncRedisStore:
    """`RedisStore` for asyncio; it may be used in one event loop after another.

    Args:
        client: Its ``decode_responses`` and ``protocol`` do not matter.
        prefix: Stands before every key.
        timeout: Seconds to wait for Redis, whatever the client.

    Raises:
        SettingsError: *client* is anything else, as a sync client, or *timeout* is not greater than 0.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis | redis.asyncio.RedisCluster,
        *,
        prefix: str = "wechat_msg:",
        timeout: float = 1.0,
    ) -> None:
        if not isinstance(client, (redis.asyncio.Redis, redis.asyncio.RedisCluster)):
            raise SettingsError("AsyncRedisStore takes a client of redis.asyncio.Redis or redis.asyncio.RedisCluster")
        _check_timeout(timeout)
        self._prefix = prefix
        self._timeout = timeout
        self._client: Any = client
        # Connections belong to the loop in which they were made, and a loop that ends closes its generators.
        self._opened: dict[asyncio.AbstractEventLoop, tuple[Any, AsyncGenerator[Any, None]]] = {}

    async def aclose(self) -> None:
        """Close the store's own connections in the running event loop; the store can still be used."""
        _, opening = self._opened.pop(asyncio.get_running_loop(), (None, None))
        if opening is not None:
            await opening.aclose()

    @clears_locals
    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        with _translated():
            async with asyncio.timeout(self._timeout):
                client = (await self._find_script()).registered_client
                return _read_value(await client.execute_command("GET", self._prefix + key, **_AS_BYTES))

    @clears_locals
    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        with _translated():
            async with asyncio.timeout(self._timeout):
                script = await self._find_script()
                return _read_outcome(await script([self._prefix + key], _make_arguments(expected, value, ttl)))

    async def _find_script(self) -> Any:
        """Return the script, which knows its client, for the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._opened:
            # A weak dictionary would keep them: a generator refers to the loop that closes it.
            for ended in [other for other in list(self._opened) if other.is_closed()]:
                self._opened.pop(ended, None)
            opening = self._open()
            self._opened[loop] = await anext(opening), opening
        return self._opened[loop][0]

    async def _open(self) -> AsyncGenerator[Any, None]:
        if not _is_ordinary(self._client, redis.asyncio):
            yield self._client.register_script(_SCRIPT)
            return
        client = _copy(self._client, redis.asyncio, AsyncRetry, self._timeout)
        try:
            yield client.register_script(_SCRIPT)
        finally:
            await client.aclose()


#: Lets a client that decodes leave an answer alone.
_AS_BYTES = {NEVER_DECODE: True}


def _is_ordinary(client: Any, package: Any) -> bool:
    # A pool of a derived class, like Sentinel's, finds its connections in its own way.
    return type(getattr(client, "connection_pool", None)) in (package.ConnectionPool, package.BlockingConnectionPool)


def _copy(client: Any, package: Any, retry_class: Any, timeout: float) -> Any:
    """Make a client for the same Redis that neither waits nor tries for long, and has few connections."""
    pool = client.connection_pool
    inherited = {name: value for name, value in pool.connection_kwargs.items() if not _NOT_COPIED.match(name)}
    limits = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        # What was done, but not answered, would not be done the second time, and look as if somebody else had done it.
        "retry": retry_class(NoBackoff(), 0),
        "retry_on_timeout": False,
        "retry_on_error": [],
        "health_check_interval": 0,
        "decode_responses": False,
        "encoding": "utf-8",
        "protocol": 2,
    }
    copied = package.BlockingConnectionPool(
        connection_class=pool.connection_class,
        max_connections=_MOST_CONNECTIONS,
        timeout=timeout,
        **{**inherited, **limits},
    )
    return package.Redis.from_pool(copied)  # which closes it with itself


def _check_timeout(timeout: float) -> None:
    if not isinstance(timeout, (int, float)) or not timeout > 0:
        raise SettingsError("timeout is greater than 0")


def _make_arguments(expected: bytes | None, value: bytes | None, ttl: float) -> list[bytes | int]:
    milliseconds = max(1, math.ceil(min(ttl, _LONGEST) * 1000))
    return [_mark_none(expected), _mark_none(value), milliseconds]


def _mark_none(value: bytes | None) -> bytes:
    return b"" if value is None else b"=" + value


def _read_value(answer: object) -> bytes | None:
    if answer is None or isinstance(answer, bytes):
        return answer
    raise StoreError(_NOT_REDIS)


def _read_outcome(answer: object) -> bool:
    if answer not in (0, 1):
        raise StoreError(_NOT_REDIS)
    return answer == 1


_NOT_REDIS = "Redis: what answers there does not speak its protocol"
#: What an error means; the first that fits, as many are subclasses of others.
_MEANINGS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.TimeoutError, "does not answer in time"),
    (TimeoutError, "does not answer in time"),
    (exceptions.AuthenticationError, "refuses the user or the password"),
    (exceptions.NoPermissionError, "refuses the user or the password"),
    (exceptions.BusyLoadingError, "is loading its data"),
    (exceptions.ReadOnlyError, "is a read-only replica"),
    (exceptions.OutOfMemoryError, "is out of memory"),
    (exceptions.InvalidResponse, "what answers there does not speak its protocol"),
    (exceptions.ResponseError, "refuses the command"),
    (exceptions.RedisError, "cannot be reached, or breaks the connection"),
    (UnicodeEncodeError, "cannot hold this key: it is not ASCII"),
    (OSError, "cannot be reached, or breaks the connection"),
)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn whatever comes from redis-py into a StoreError; its own text might hold a key, a value or a password."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001, from what is not Redis anything may come
        meaning = next((text for kind, text in _MEANINGS if isinstance(error, kind)), "answers what nobody can read")
        raise StoreError(f"Redis: {meaning}") from None
