"""Of the flows of a process that want a token, one asks the store."""

from __future__ import annotations

import asyncio

import pytest

from tests.helpers.accounts import make_account
from wechat_msg import MemoryStore, StoreError
from wechat_msg._flow import CompareAndSet, Flow, Get, Sleep
from wechat_msg.api.access_token import AccessToken
from wechat_msg.client.credential_manager import LEASE, CredentialManager
from wechat_msg.client.single_flight import SingleFlight
from wechat_msg.client.sources import StableTokenSource


def work(result: object = "done") -> Flow[object]:
    """A flow of one step."""
    yield "step"
    if isinstance(result, Exception):
        raise result
    return result


def end(flow: Flow[object], given: object = None) -> object:
    """Let a flow come to its end; return what it returns."""
    with pytest.raises(StopIteration) as ended:
        flow.send(given)
    return ended.value.value


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def single(clock: Clock) -> SingleFlight:
    return SingleFlight(8.0, clock)


class TestSingleFlight:
    def test_is_of_one_at_a_time(self, single):
        first, second = single.run(work(), 100.0), single.run(work(), 100.0)
        assert next(first) == "step"
        assert end(second) is None
        assert end(first) == "done"
        assert next(single.run(work(), 100.0)) == "step"

    def test_that_fails_fails_for_those_who_waited(self, single, clock):
        first = single.run(work(StoreError("down")), 100.0)
        next(first)
        clock.now = 101.0
        with pytest.raises(StoreError, match="down"):
            first.send(None)
        with pytest.raises(StoreError, match="down") as caught:
            next(single.run(work(), 100.5))
        assert caught.value.__traceback__.tb_next.tb_next is None, "it was raised here, and not in the flow that failed"
        assert next(single.run(work(), 101.0)) == "step"

    def test_that_is_never_released_is_over_after_a_while(self, single, clock):
        abandoned = single.run(work(), 100.0)
        next(abandoned)
        clock.now = 107.9
        assert end(single.run(work(), 107.9)) is None
        clock.now = 108.0
        assert next(single.run(work(), 108.0)) == "step"
        assert end(abandoned) == "done"

    def test_ends_no_turn_of_another_caller(self, single, clock):
        """Who took too long may still come to an end."""
        slow, next_one = single.run(work(), 100.0), single.run(work(), 108.0)
        next(slow)
        clock.now = 108.0
        next(next_one)
        assert end(slow) == "done"
        assert end(single.run(work(), 108.0)) is None
        assert end(next_one) == "done"

    def test_that_is_cancelled_is_free(self, single):
        first = single.run(work(), 100.0)
        next(first)
        with pytest.raises(asyncio.CancelledError):
            first.throw(asyncio.CancelledError())
        assert next(single.run(work(), 100.0)) == "step"


class TestCredentialManager:
    def make(self, clock: Clock, store: MemoryStore) -> CredentialManager:
        def send(call: object, deadline: float) -> Flow[object]:
            return (yield "fetch")

        account = make_account(monotonic=clock, clock=clock, random=lambda: 0.5)
        return CredentialManager("wx1", account, StableTokenSource(), store, send)

    def test_asks_the_store_for_one_of_many_callers(self, clock):
        store = MemoryStore(clock=clock)
        manager = self.make(clock, store)
        first, *others = (manager.get(1000.0) for _ in range(50))
        step = next(first)
        while step != "fetch":
            step = first.send(step.perform())
        for flow in others:
            assert isinstance(next(flow), Sleep)
        for flow in others:
            assert isinstance(flow.send(None), Sleep)
        step = first.send(AccessToken(access_token="T1", expires_in=7200))
        while not isinstance(step, CompareAndSet) or step.value is not None:  # the last one frees the lock
            step = first.send(step.perform())
        assert end(first, step.perform()).value == "T1"
        assert {end(flow).value for flow in others} == {"T1"}

    @pytest.mark.parametrize("takes_effect", [True, False])
    def test_leaves_no_lock_if_it_is_cancelled_while_it_takes_it(self, clock, takes_effect):
        store = MemoryStore(clock=clock)
        flow = self.make(clock, store).get(1000.0)
        step = next(flow)
        while isinstance(step, Get):
            step = flow.send(step.perform())
        assert isinstance(step, CompareAndSet)
        assert step.ttl == LEASE
        if takes_effect:
            step.perform()
        with pytest.raises(asyncio.CancelledError):
            flow.send(flow.throw(asyncio.CancelledError()).perform())
        assert store.get(step.key) is None
