"""Retrying and dropping while other processes do the same, or work on the push, at every step of the store."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import Executor, Future

import pytest

from wechat_msg import AnswerLater, PushEndpoint, PushSettings
from wechat_msg.endpoint.administration import drop, list_kept, perform, retry
from wechat_msg.testing import build_push

SETTINGS = PushSettings(token="spamtest")


class OwnStore:
    """A store without expiry that calls a function before one of its calls."""

    def __init__(self):
        self.values = {}
        self.left = 0
        self.interrupt = None

    def get(self, key):
        self.count()
        return self.values.get(key)

    def compare_and_set(self, key, expected, value, ttl):
        self.count()
        if self.values.get(key) != expected:
            return False
        self.values[key] = value
        if value is None:
            del self.values[key]
        return True

    def count(self):
        self.left -= 1
        if self.left < 0 and self.interrupt is not None:
            interrupt, self.interrupt = self.interrupt, None
            interrupt()


class Inline(Executor):
    def submit(self, function, /, *args):
        future = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class QuietEndpoint(PushEndpoint):
    """An endpoint that does nothing in the background."""

    run_in_background = staticmethod(lambda flow, perform: None)


class World:
    """A push in the inbox, and processes that end when they have done one thing."""

    def __init__(self, state):
        self.store = OwnStore()
        self.sent = []
        self.dropped = False
        now, jobs = [0.0], []
        endpoint = QuietEndpoint(
            SETTINGS,
            lambda _: 1 / 0,
            store=self.store,
            late=AnswerLater(print),
            queue=jobs.append,
            clock=lambda: time.time() - 100,
            monotonic=lambda: now[0],
            sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        )
        endpoint.handle(build_push(SETTINGS, {"Content": "hi"}, now=endpoint.clock))
        for job in jobs * (3 if state == "lost" else 0):
            with pytest.raises(ZeroDivisionError):
                endpoint.run_job(job)
        endpoint.drain(0)

    def make_endpoint(self):
        return QuietEndpoint(
            SETTINGS, lambda _: "hello", store=self.store, late=AnswerLater(self.sent.append), executor=Inline()
        )

    def recover(self):
        endpoint = self.make_endpoint()
        endpoint.recover()
        endpoint.drain(0)

    def retry(self):
        endpoint = self.make_endpoint()
        perform(endpoint, retry(endpoint, ["0:0"], seconds=1))

    def drop(self):
        endpoint = self.make_endpoint()
        (change,) = perform(endpoint, drop(endpoint, ["0:0"]))
        self.dropped |= change.is_made

    def list(self):
        endpoint = self.make_endpoint()
        return perform(endpoint, list_kept(endpoint))


@pytest.mark.parametrize("state", ["waits", "lost"])
def test_a_push_is_either_answered_once_or_dropped_whatever_happens_in_between(state):
    for first, second in itertools.product(("recover", "retry", "drop"), repeat=2):
        for step in itertools.count():
            world = World(state)
            world.store.left, world.store.interrupt = step, getattr(world, second)
            getattr(world, first)()
            if world.store.interrupt is not None:
                break  # the first one has fewer steps
            world.recover()
            if not world.dropped and "retry" not in (first, second) and state == "lost":
                assert ([each.state for each in world.list()], world.sent) == (["lost"], [])
            else:
                assert (world.list(), len(world.sent)) == ([], 0 if world.dropped else 1), (first, second, step)
        assert step > 2
