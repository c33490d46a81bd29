"""RedisStore and AsyncRedisStore: stores for any number of machines."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import redis
import redis.asyncio
from attrs import field
from redis import exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.client import NEVER_DECODE
from redis.retry import Retry

from wechat_msg._tracebacks import clears_locals, define
from wechat_msg._validators import Validators, is_seconds
from wechat_msg.errors import SettingsError, StoreError

__all__ = ["AsyncRedisStore", "RedisStore"]

#: "=" stands before the expected and the new value; None is empty. One key per call, as clusters require.
_SCRIPT = """\
local found = redis.call('GET', KEYS[1])
if (found and '=' .. found or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], string.sub(ARGV[2], 2), 'PX', ARGV[3]) end
return 1
"""
_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_MAX_TTL = 3e9  # seconds; longer ones could overflow the milliseconds since 1970 of Redis
_MAX_CONNECTIONS = 32  # of a process; further callers wait
#: Settings of a client that must not be copied to another pool.
_NOT_COPIED = re.compile("maint|orig_|oss_|himport|event_dispatcher|max_connections|timeout$")

_NOT_REDIS = "Redis: the server does not speak the Redis protocol"
#: The meaning of an error: the first class that matches, as many are subclasses of others.
_MEANINGS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.TimeoutError, "does not answer in time"),
    (TimeoutError, "does not answer in time"),
    (exceptions.AuthenticationError, "rejects the user or the password"),
    (exceptions.NoPermissionError, "rejects the user or the password"),
    (exceptions.BusyLoadingError, "is loading its data"),
    (exceptions.ReadOnlyError, "is a read-only replica"),
    (exceptions.OutOfMemoryError, "is out of memory"),
    (exceptions.InvalidResponse, "the server does not speak the Redis protocol"),
    (exceptions.ResponseError, "rejects the command"),
    (exceptions.RedisError, "cannot be reached, or closed the connection"),
    (UnicodeEncodeError, "cannot hold this key: it is not ASCII"),
    (OSError, "cannot be reached, or closed the connection"),
)

_Argument = str | bytes | int

_check = Validators(SettingsError)
_check_timeout = _check(is_seconds, "seconds, greater than 0")


@define(slots=False, eq=False, repr=False)
class RedisStore:
    """A store in Redis, for any number of processes and machines; also in a cluster, and with Sentinel.

    Of an ordinary client, the store uses only address and login. It makes connections of its own that wait for
    *timeout* and try once, as with redis-py's defaults a push could wait for a minute. Clients of a cluster or of
    Sentinel are used as they are: set ``socket_timeout`` and ``retry`` there.

    Args:
        client: The client; its ``decode_responses`` and ``protocol`` have no effect.
        prefix: The beginning of every key.
        timeout: Seconds to wait for Redis.

    Raises:
        SettingsError: *client* is not such a client, or *timeout* is not greater than 0.
    """

    _given: redis.Redis | redis.RedisCluster = field(
        alias="client",
        validator=_check.instance_of(
            redis.Redis, redis.RedisCluster, what="a client of redis.Redis or redis.RedisCluster"
        ),
    )
    _prefix: str = field(default="wechat_msg:", alias="prefix", kw_only=True)
    _timeout: float = field(default=1.0, alias="timeout", kw_only=True, validator=_check_timeout)

    def __attrs_post_init__(self) -> None:
        self._owns_client = _is_ordinary(self._given, redis)
        self._client: Any = self._given
        if self._owns_client:
            self._client = _copy(self._given, redis, Retry, self._timeout, socket_timeout=self._timeout)

    def close(self) -> None:
        """Close the store's own connections; the store can still be used."""
        if self._owns_client:
            self._client.close()

    @clears_locals
    def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        with _translated:
            return _read_value(self._execute("GET", self._prefix + key))

    @clears_locals
    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        with _translated:
            for command, read in _list_attempts(self._prefix + key, expected, value, ttl):
                try:
                    answer = self._execute(*command)
                except exceptions.NoScriptError:
                    self._client.script_load(_SCRIPT)
                    answer = self._execute(*command)
                if read(answer):
                    return True
            return False

    def _execute(self, *command: _Argument) -> object:
        if not self._owns_client:
            return self._client.execute_command(*command, **_AS_BYTES)
        pool = self._client.connection_pool
        connection = pool.get_connection()
        try:
            connection.send_packed_command([_pack(*command)])
            return connection.read_response(disable_decoding=True)
        finally:
            pool.release(connection)


@define(slots=False, eq=False, repr=False)
class AsyncRedisStore:
    """A `RedisStore` for asyncio; it may be used in one event loop after another.

    Args:
        client: The client; its ``decode_responses`` and ``protocol`` have no effect.
        prefix: The beginning of every key.
        timeout: Seconds to wait for Redis, with any client.

    Raises:
        SettingsError: *client* is not such a client, or *timeout* is not greater than 0.
    """

    _client: redis.asyncio.Redis | redis.asyncio.RedisCluster = field(
        alias="client",
        validator=_check.instance_of(
            redis.asyncio.Redis,
            redis.asyncio.RedisCluster,
            what="a client of redis.asyncio.Redis or redis.asyncio.RedisCluster",
        ),
    )
    _prefix: str = field(default="wechat_msg:", alias="prefix", kw_only=True)
    _timeout: float = field(default=1.0, alias="timeout", kw_only=True, validator=_check_timeout)
    #: Connections belong to the event loop in which they were made, and a loop that ends closes its generators.
    _opened: dict[asyncio.AbstractEventLoop, tuple[Any, AsyncGenerator[Any, None]]] = field(factory=dict, init=False)

    async def aclose(self) -> None:
        """Close the store's own connections in the running event loop; the store can still be used."""
        _, opening = self._opened.pop(asyncio.get_running_loop(), (None, None))
        if opening is not None:
            await opening.aclose()

    @clears_locals
    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        with _translated:
            async with asyncio.timeout(self._timeout):
                return _read_value(await self._execute("GET", self._prefix + key))

    @clears_locals
    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """See `Store.compare_and_set`."""
        with _translated:
            async with asyncio.timeout(self._timeout):
                for command, read in _list_attempts(self._prefix + key, expected, value, ttl):
                    try:
                        answer = await self._execute(*command)
                    except exceptions.NoScriptError:
                        await (await self._find_client()).script_load(_SCRIPT)
                        answer = await self._execute(*command)
                    if read(answer):
                        return True
                return False

    async def _execute(self, *command: _Argument) -> object:
        client = await self._find_client()
        if client is self._client:
            return await client.execute_command(*command, **_AS_BYTES)
        pool = client.connection_pool
        connection = await pool.get_connection()
        try:
            await connection.send_packed_command([_pack(*command)])
            return await connection.read_response(disable_decoding=True)
        finally:
            await pool.release(connection)

    async def _find_client(self) -> Any:
        """Return the client for the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._opened:
            # A weak dictionary would not drop them: a generator refers to the loop that closes it.
            for ended in [other for other in list(self._opened) if other.is_closed()]:
                self._opened.pop(ended, None)
            opening = self._open()
            self._opened[loop] = await anext(opening), opening
        return self._opened[loop][0]

    async def _open(self) -> AsyncGenerator[Any, None]:
        if not _is_ordinary(self._client, redis.asyncio):
            yield self._client
            return
        client = _copy(self._client, redis.asyncio, AsyncRetry, self._timeout, socket_timeout=None)  # calls have one
        try:
            yield client
        finally:
            await client.aclose()


#: The option of a command whose answer is not decoded, with any client.
_AS_BYTES = {NEVER_DECODE: True}


def _is_ordinary(client: Any, package: Any) -> bool:
    # A pool of a derived class, such as Sentinel's, has its own way to find a server.
    return type(getattr(client, "connection_pool", None)) in (package.ConnectionPool, package.BlockingConnectionPool)


def _copy(client: Any, package: Any, retry_class: Any, timeout: float, *, socket_timeout: float | None) -> Any:
    """Return a client for the same Redis with short timeouts, no retries and few connections."""
    pool = client.connection_pool
    inherited = {name: value for name, value in pool.connection_kwargs.items() if not _NOT_COPIED.match(name)}
    limits = {
        "socket_timeout": socket_timeout,
        "socket_connect_timeout": timeout,
        # A retry after a lost answer would not take effect, and look as if another process had been faster.
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
        max_connections=_MAX_CONNECTIONS,
        timeout=timeout,
        **{**inherited, **limits},
    )
    return package.Redis.from_pool(copied)  # closing the client closes the pool


def _pack(*command: _Argument) -> bytes:
    """Return a command as it is sent; redis-py, which looks at more types, takes twice as long."""
    parts = [str(part).encode() if isinstance(part, (str, int)) else bytes(part) for part in command]
    return b"*%d\r\n%b" % (len(parts), b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]))


def _list_attempts(
    key: str, expected: bytes | None, value: bytes | None, ttl: float
) -> Iterator[tuple[tuple[_Argument, ...], Callable[[object], bool]]]:
    """Yield commands, each with the function that reads its answer, until one takes effect."""
    milliseconds = max(1, math.ceil(min(ttl, _MAX_TTL) * 1000))
    if expected is None and value is not None:
        # Cheaper than the script, which follows if there is a value, as it also tells whether a store can have set it.
        yield ("SET", key, value, "NX", "PX", milliseconds), _read_claim
    yield ("EVALSHA", _SHA, 1, key, _encode(expected), _encode(value), milliseconds), _read_outcome


def _encode(value: bytes | None) -> bytes:
    return b"" if value is None else b"=" + value


def _read_value(answer: object) -> bytes | None:
    if answer is None or isinstance(answer, bytes):
        return answer
    raise StoreError(_NOT_REDIS)


def _read_claim(answer: object) -> bool:
    if answer is None:
        return False
    if answer != b"OK" and answer is not True:  # a client of the user has read it already
        raise StoreError(_NOT_REDIS)
    return True


def _read_outcome(answer: object) -> bool:
    if answer not in (0, 1):
        raise StoreError(_NOT_REDIS)
    return answer == 1


class _Translated:
    """Raises a StoreError for any error of redis-py, whose own text might hold a key, a value or a password."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        # A server that is not Redis may cause any error.
        if isinstance(error, Exception) and not isinstance(error, StoreError):
            meaning = next((text for kind, text in _MEANINGS if isinstance(error, kind)), "gave an unreadable answer")
            raise StoreError(f"Redis: {meaning}") from None


_translated = _Translated()
