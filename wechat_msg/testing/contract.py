"""StoreContract: the tests that every store must pass, for your test class to inherit."""

# The names of tests say what they assert, and tests consist of asserts.
# ruff: noqa: D102, S101

from __future__ import annotations

import asyncio
import inspect
import threading
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, ParamSpec, TypeVar, cast

from wechat_msg.stores._base import AsyncStore, Store

__all__ = ["StoreContract"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_LONG = 60.0
_YEAR = 365 * 24 * 3600.0
#: The number of concurrent calls where a test says "at once".
_MANY = 20
_ALL_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
#: Key endings that some databases treat as equal, as a wildcard or as the end of the text.
_LOOKALIKES = ("", "a ", "a  ", " a", "[a]", "{a}", "{}", "%s", "..", *"aA%_*?'\"`\\/")


def _test(
    scenario: Callable[[StoreContract, AsyncStore], Coroutine[None, None, None]],
) -> Callable[[StoreContract], None]:
    """Turn a *scenario* into an ordinary test method, which needs no plugin to run."""

    def test(self: StoreContract) -> None:
        async def run() -> None:
            store = self.make_store()
            try:
                with ThreadPoolExecutor(_MANY, thread_name_prefix="StoreContract") as pool:
                    await scenario(self, _as_async(store, pool))
            finally:
                await _finish(self.close_store(store))

        asyncio.run(run())

    # Not functools.wraps: its __wrapped__ would make pytest look for a fixture named "store".
    test.__name__, test.__qualname__ = scenario.__name__, scenario.__qualname__
    return test


class StoreContract:
    """The tests of the `Store` and `AsyncStore` protocols; inherit from it to test your own store.

    ::

        from wechat_msg.testing import StoreContract

        class TestMyStore(StoreContract):
            def make_store(self):
                return MyStore("tcp://127.0.0.1:1234")

    pytest finds the tests in the subclass and needs no plugin for them, even if the store is asynchronous. With
    ``class TestMyStore(StoreContract, unittest.TestCase)`` unittest runs them, too. A fixture with ``autouse`` can set
    attributes of ``self`` that `make_store` needs.

    Each test creates one store, uses unique keys, and calls the store while its own event loop runs: an asynchronous
    store in the loop, a sync store from up to 20 threads. The stores of all tests may share their data. The values
    that the tests leave in the store expire, nearly all of them within a minute.
    """

    #: Time to live, in seconds, of values that expire during a test. Set a longer one if the store is so slow that
    #: they expire too early; with your own clock (see `advance`) that does not happen.
    short_ttl: ClassVar[float] = 0.2

    def make_store(self) -> Store | AsyncStore:
        """Return the store to test; must be overridden. Each test calls it once, while an event loop runs."""
        raise NotImplementedError("override make_store: it returns the store to test")

    def advance(self, seconds: float) -> Awaitable[None] | None:
        """Sleep for *seconds*. Override it to advance the store's clock instead. May be a coroutine."""
        return asyncio.sleep(seconds)

    def close_store(self, store: Store | AsyncStore) -> Awaitable[None] | None:
        """Clean up after a test: call ``aclose`` or ``close`` of *store* if it exists. May be a coroutine."""
        close = getattr(store, "aclose", None) or getattr(store, "close", None)
        return cast("Awaitable[None] | None", close()) if close else None

    async def _let_expire(self) -> None:
        """Wait until a short time to live has passed, even if the store rounds it up by milliseconds."""
        await _finish(self.advance(self.short_ttl + 0.05))

    # --- claiming, setting, deleting ---------------------------------------------------------------------------------

    @_test
    async def test_a_new_key_is_absent(self, store: AsyncStore) -> None:
        await _must_be_absent(store, _new_key())

    @_test
    async def test_an_absent_key_can_be_claimed(self, store: AsyncStore) -> None:
        key = _new_key()
        await _must_set(store, key, None, b"first")
        await _must_hold(store, key, b"first")

    @_test
    async def test_a_claimed_key_cannot_be_claimed_again(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first")
        await _must_refuse(store, key, None, b"second")
        await _must_refuse(store, key, None, b"first")
        await _must_hold(store, key, b"first")

    @_test
    async def test_the_expected_value_is_replaced(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first")
        await _must_set(store, key, b"first", b"second")
        await _must_hold(store, key, b"second")
        await _must_set(store, key, b"second", b"third")
        await _must_hold(store, key, b"third")

    @_test
    async def test_any_other_value_is_left_alone(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first")
        for other in (b"", b"f", b"First", b"first ", b" first", b"first\0", b"\0first", b"second"):
            await _must_refuse(store, key, other, b"second")
        await _must_hold(store, key, b"first")

    @_test
    async def test_an_absent_key_has_no_expected_value(self, store: AsyncStore) -> None:
        key = _new_key()
        await _must_refuse(store, key, b"first", b"second")
        await _must_refuse(store, key, b"", b"second")
        await _must_refuse(store, key, b"", None)
        await _must_be_absent(store, key)

    @_test
    async def test_a_value_is_deleted_only_if_it_is_the_expected_one(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first")
        await _must_refuse(store, key, b"other", None)
        await _must_hold(store, key, b"first")
        await _must_set(store, key, b"first", None)
        await _must_be_absent(store, key)
        await _must_refuse(store, key, b"first", None)

    @_test
    async def test_deleting_an_absent_key_returns_whether_it_was_absent(self, store: AsyncStore) -> None:
        key = _new_key()
        await _must_set(store, key, None, None)
        await _must_be_absent(store, key)
        await _must_set(store, key, None, b"first")
        await _must_refuse(store, key, None, None)
        await _must_hold(store, key, b"first")

    @_test
    async def test_a_deleted_key_can_be_claimed_again(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first")
        await _must_set(store, key, b"first", None)
        await _must_set(store, key, None, b"second")
        await _must_hold(store, key, b"second")

    @_test
    async def test_two_keys_are_independent(self, store: AsyncStore) -> None:
        first, second = await _claim(store, b"first"), await _claim(store, b"second")
        await _must_set(store, first, b"first", None)
        await _must_hold(store, second, b"second")
        await _must_refuse(store, second, b"first", None)
        await _must_set(store, second, b"second", b"third")
        await _must_be_absent(store, first)

    # --- time to live ------------------------------------------------------------------------------------------------

    @_test
    async def test_a_value_expires(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", self.short_ttl)
        await self._let_expire()
        await _must_be_absent(store, key)

    @_test
    async def test_a_value_does_not_expire_before_its_time(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", _LONG)
        await self._let_expire()
        await _must_hold(store, key, b"first")

    @_test
    async def test_reading_does_not_make_a_value_live_longer(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", self.short_ttl)
        for _ in range(5):
            await store.get(key)
        await self._let_expire()
        await _must_be_absent(store, key)

    @_test
    async def test_an_expired_value_is_no_longer_the_expected_one(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", self.short_ttl)
        await self._let_expire()
        await _must_refuse(store, key, b"first", b"second")
        await _must_refuse(store, key, b"first", None)
        await _must_be_absent(store, key)

    @_test
    async def test_an_expired_value_can_be_deleted_as_absent(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", self.short_ttl)
        await self._let_expire()
        await _must_set(store, key, None, None)
        await _must_be_absent(store, key)

    @_test
    async def test_an_expired_key_can_be_claimed_again(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", self.short_ttl)
        await self._let_expire()
        await _must_set(store, key, None, b"second")
        await _must_refuse(store, key, None, b"third")
        await _must_hold(store, key, b"second")
        await self._let_expire()
        await _must_hold(store, key, b"second")

    @_test
    async def test_setting_a_value_again_makes_it_live_longer(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", self.short_ttl)
        await _must_set(store, key, b"first", b"first", _LONG)
        await self._let_expire()
        await _must_hold(store, key, b"first")

    @_test
    async def test_setting_a_value_again_makes_it_live_shorter(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", _LONG)
        await _must_set(store, key, b"first", b"first", self.short_ttl)
        await self._let_expire()
        await _must_be_absent(store, key)

    @_test
    async def test_a_refused_value_does_not_make_the_other_live_longer(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", self.short_ttl)
        await _must_refuse(store, key, None, b"second", _LONG)
        await _must_refuse(store, key, b"other", b"second", _LONG)
        await self._let_expire()
        await _must_be_absent(store, key)

    @_test
    async def test_a_refused_value_does_not_make_the_other_live_shorter(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", _LONG)
        await _must_refuse(store, key, None, b"second", self.short_ttl)
        await _must_refuse(store, key, b"other", b"second", self.short_ttl)
        await _must_refuse(store, key, b"other", None, self.short_ttl)
        await self._let_expire()
        await _must_hold(store, key, b"first")

    @_test
    async def test_a_time_to_live_may_be_a_fraction_of_a_second(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", 0.05)
        await self._let_expire()
        await _must_be_absent(store, key)
        # A busy machine may take longer than that for two calls, but not three times.
        found = [await store.get(await _claim(store, b"second", 0.95)) for _ in range(3)]
        assert b"second" in found, "a value with ttl=0.95 was absent at once"

    @_test
    async def test_a_time_to_live_may_be_a_year(self, store: AsyncStore) -> None:
        key = await _claim(store, b"first", _YEAR)
        await self._let_expire()
        await _must_hold(store, key, b"first")
        await _must_set(store, key, b"first", None)

    # --- keys and values ---------------------------------------------------------------------------------------------

    @_test
    async def test_a_value_may_hold_any_bytes(self, store: AsyncStore) -> None:
        key, value = _new_key(), bytes(range(256))
        await _must_set(store, key, None, value)
        await _must_hold(store, key, value)
        await _must_refuse(store, key, value[::-1], b"other")
        await _must_set(store, key, value, value[::-1])
        await _must_hold(store, key, value[::-1])

    @_test
    async def test_an_empty_value_is_not_absent(self, store: AsyncStore) -> None:
        key = await _claim(store, b"")
        await _must_hold(store, key, b"")
        await _must_refuse(store, key, None, b"second")
        await _must_refuse(store, key, None, None)
        await _must_set(store, key, b"", b"third")
        await _must_set(store, key, b"third", b"")
        await _must_hold(store, key, b"")

    @_test
    async def test_a_value_may_have_64_kilobytes(self, store: AsyncStore) -> None:
        value = bytes(range(256)) * 256
        key = await _claim(store, value)
        await _must_refuse(store, key, value[:-1] + b"\0", b"other")
        await _must_hold(store, key, value)
        await _must_set(store, key, value, b"short")
        await _must_hold(store, key, b"short")

    @_test
    async def test_a_key_may_have_200_printable_characters(self, store: AsyncStore) -> None:
        key = (_new_key() + _ALL_PRINTABLE * 2)[:200]
        await _must_set(store, key, None, b"first")
        await _must_hold(store, key, b"first")
        await _must_be_absent(store, key[:-1])
        await _must_be_absent(store, key[:-1] + "~")
        await _must_set(store, key, b"first", None)
        await _must_be_absent(store, key)

    @_test
    async def test_keys_are_the_same_only_if_every_character_is(self, store: AsyncStore) -> None:
        common = _new_key()
        keys = [common + ending for ending in _LOOKALIKES]
        for key in keys:
            await _must_set(store, key, None, key.encode())
        for key in keys:
            await _must_hold(store, key, key.encode())
        for key in keys:
            await _must_set(store, key, key.encode(), None)

    # --- many at once ------------------------------------------------------------------------------------------------

    @_test
    async def test_of_many_claims_at_once_exactly_one_wins(self, store: AsyncStore) -> None:
        for _ in range(5):
            await _must_have_one_winner(store, _new_key(), None)

    @_test
    async def test_of_many_claims_of_an_expired_key_exactly_one_wins(self, store: AsyncStore) -> None:
        keys = [await _claim(store, b"old", self.short_ttl) for _ in range(3)]
        await self._let_expire()
        for key in keys:
            await _must_have_one_winner(store, key, None)

    @_test
    async def test_of_many_that_expect_the_same_value_exactly_one_wins(self, store: AsyncStore) -> None:
        await _must_have_one_winner(store, await _claim(store, b"old"), b"old")

    @_test
    async def test_of_many_deletions_at_once_exactly_one_wins(self, store: AsyncStore) -> None:
        key = await _claim(store, b"old")
        won = await asyncio.gather(*(store.compare_and_set(key, b"old", None, _LONG) for _ in range(_MANY)))
        assert sum(won) == 1, f"{sum(won)} deletions of the same value won; exactly one must"

    @_test
    async def test_no_increment_is_lost(self, store: AsyncStore) -> None:
        key, times, workers = await _claim(store, b"0"), 10, 8
        await asyncio.gather(*(_increment(store, key, times, limit=times * workers) for _ in range(workers)))
        counted = int(await store.get(key) or b"0")
        assert counted == times * workers, f"{times * workers} increments, but only {counted} were counted"

    @_test
    async def test_many_keys_at_once_do_not_get_into_the_way_of_each_other(self, store: AsyncStore) -> None:
        keys = [_new_key() for _ in range(_MANY)]
        won = await asyncio.gather(*(store.compare_and_set(key, None, key.encode(), _LONG) for key in keys))
        assert all(won), f"only {sum(won)} of {_MANY} claims of different keys won; all must"
        held = await asyncio.gather(*map(store.get, keys))
        is_right = held == [key.encode() for key in keys]
        assert is_right, "claims of different keys at once mixed up their values"


# --- assertions ------------------------------------------------------------------------------------------------------


def _new_key() -> str:
    return f"contract:{uuid.uuid4().hex}:"


async def _claim(store: AsyncStore, value: bytes, ttl: float = _LONG) -> str:
    """Set a new key to *value* and return the key."""
    key = _new_key()
    await _must_set(store, key, None, value, ttl)
    return key


async def _must_set(
    store: AsyncStore, key: str, expected: bytes | None, value: bytes | None, ttl: float = _LONG
) -> None:
    done = await store.compare_and_set(key, expected, value, ttl)
    assert done is True, f"{_call(expected, value, ttl)} returned {done!r}, not True, although it was as expected"


async def _must_refuse(
    store: AsyncStore, key: str, expected: bytes | None, value: bytes | None, ttl: float = _LONG
) -> None:
    done = await store.compare_and_set(key, expected, value, ttl)
    assert done is False, f"{_call(expected, value, ttl)} returned {done!r}, not False, although it was not as expected"


async def _must_hold(store: AsyncStore, key: str, value: bytes) -> None:
    found = await store.get(key)
    assert type(found) is bytes, f"get returned {_show(found)}, not the bytes {_show(value)}"
    # Compared outside the assert: pytest would take minutes to show the difference of two long values.
    is_right = found == value
    assert is_right, f"get returned {_show(found)} instead of {_show(value)}"


async def _must_be_absent(store: AsyncStore, key: str) -> None:
    found = await store.get(key)
    assert found is None, f"get returned {_show(found)} of a key that is absent or expired"


async def _must_have_one_winner(store: AsyncStore, key: str, expected: bytes | None) -> None:
    values = [b"claim %d" % number for number in range(_MANY)]
    won = await asyncio.gather(*(store.compare_and_set(key, expected, value, _LONG) for value in values))
    assert sum(won) == 1, f"{sum(won)} claims won; exactly one must"
    await _must_hold(store, key, values[won.index(True)])


async def _increment(store: AsyncStore, key: str, times: int, *, limit: int) -> None:
    # Each refused call was overtaken by another increment, so there are no more attempts than increments.
    for _ in range(limit):
        old = await store.get(key) or b"0"
        times -= await store.compare_and_set(key, old, b"%d" % (int(old) + 1), _LONG)
        if not times:
            return
    raise AssertionError("compare_and_set refused an increment although there was no concurrent one")


def _call(expected: bytes | None, value: bytes | None, ttl: float) -> str:
    return f"compare_and_set(key, {_show(expected)}, {_show(value)}, ttl={ttl:g})"


def _show(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


# --- calling ---------------------------------------------------------------------------------------------------------


def _as_async(store: Store | AsyncStore, pool: ThreadPoolExecutor) -> AsyncStore:
    # Not isinstance: both protocols have methods of the same names.
    if inspect.iscoroutinefunction(store.get):
        return cast("AsyncStore", store)
    return _InThreads(cast("Store", store), pool)


class _InThreads:
    """A sync store that is called from threads; concurrent calls start at the same time."""

    def __init__(self, store: Store, pool: ThreadPoolExecutor) -> None:
        self._store = store
        self._pool = pool
        self._gate = threading.Event()
        self._gate.set()

    async def get(self, key: str) -> bytes | None:
        return await self._call(self._store.get, key)

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return await self._call(self._store.compare_and_set, key, expected, value, ttl)

    async def _call(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        loop, gate = asyncio.get_running_loop(), self._gate
        if gate.is_set():
            # Calls gathered together with this one are already scheduled, and run before this callback.
            self._gate = gate = threading.Event()
            loop.call_soon(gate.set)

        def call() -> _R:
            gate.wait()
            return function(*args, **kwargs)

        return await loop.run_in_executor(self._pool, call)


async def _finish(result: Awaitable[None] | None) -> None:
    if inspect.isawaitable(result):
        await result
