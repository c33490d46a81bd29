"""The thread that renews the leases of running handlers."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers.servers import run
from tests.helpers.waiting import wait_until
from wechat_msg import PushEndpoint, PushSettings, StoreError
from wechat_msg.endpoint.delivery import LEASE, RENEW_EVERY
from wechat_msg.endpoint.leases import LeaseRenewer, renewer
from wechat_msg.stores import MemoryStore
from wechat_msg.testing import build_push

EVERY = 0.01
SETTINGS = PushSettings(token="spamtest")


class Lease:
    """A fake delivery that counts its renewals.

    Attributes:
        store: The store of the lease.
        outcome: The result of a renewal, or the error that it raises.
        seconds: How long a renewal takes.
    """

    def __init__(self, store: object = "store", outcome: Any = True, seconds: float = 0.0) -> None:
        self.store = store
        self.outcome = outcome
        self.seconds = seconds
        self.renewed: list[float] = []
        self.reported: list[Exception] = []
        self.handling = SimpleNamespace(report=self.reported.append)

    def renew(self) -> Generator[Any, Any, Any]:
        self.renewed.append(time.monotonic())
        time.sleep(self.seconds)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        yield from ()
        return self.outcome


def list_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wechat_msg.leases"]


def fail_to_start(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.fixture
def quick_renewer() -> LeaseRenewer:
    """A renewer with short pauses."""
    return LeaseRenewer(EVERY)


def test_two_renewals_may_fail_and_the_third_is_still_in_time():
    assert 3 * RENEW_EVERY < LEASE < 4 * RENEW_EVERY


class TestLeaseRenewer:
    def test_renews_until_the_lease_is_removed(self, quick_renewer):
        lease = Lease()
        quick_renewer.add(lease, 60)
        wait_until(lambda: len(lease.renewed) >= 3)
        quick_renewer.remove(lease)
        wait_until(lambda: not quick_renewer._busy.is_set())
        count = len(lease.renewed)
        time.sleep(5 * EVERY)
        assert len(lease.renewed) == count

    def test_waits_before_the_first_renewal_because_most_handlers_are_quick(self):
        renewer = LeaseRenewer(0.05)
        lease = Lease()
        for _ in range(2):
            begun = time.monotonic()
            lease.renewed.clear()
            renewer.add(lease, 60)
            wait_until(lambda: lease.renewed)
            assert lease.renewed[0] - begun >= 0.05
            renewer.remove(lease)
            time.sleep(0.15)  # its thread goes to sleep

    def test_stops_at_the_limit(self, quick_renewer):
        lease = Lease()
        added = time.monotonic()
        quick_renewer.add(lease, 0.2)
        wait_until(lambda: len(quick_renewer) == 0)
        assert time.monotonic() - added >= 0.2
        assert lease.renewed[-1] - added < 10

    def test_stops_when_there_is_nothing_to_renew_any_more(self, quick_renewer):
        lease = Lease(outcome=False)
        quick_renewer.add(lease, 60)
        wait_until(lambda: len(quick_renewer) == 0)
        assert len(lease.renewed) == 1

    def test_ignores_the_removal_of_a_lease_that_it_does_not_have(self, quick_renewer):
        lease = Lease()
        quick_renewer.remove(lease)
        quick_renewer.add(lease, 60)
        quick_renewer.remove(lease)
        quick_renewer.remove(lease)
        assert len(quick_renewer) == 0

    def test_starts_its_one_thread_with_the_first_lease(self):
        before = len(list_threads())
        renewer = LeaseRenewer(EVERY)
        assert len(list_threads()) == before
        leases = [Lease() for _ in range(5)]
        for lease in leases:
            renewer.add(lease, 60)
        assert len(list_threads()) == before + 1
        assert all(thread.daemon for thread in list_threads())
        wait_until(lambda: all(lease.renewed for lease in leases))
        for lease in leases:
            renewer.remove(lease)

    def test_starts_one_thread_for_leases_that_come_at_once(self):
        before, renewer, barrier = len(list_threads()), LeaseRenewer(EVERY), threading.Barrier(8)
        leases = [Lease() for _ in range(8)]

        def add(lease: Lease) -> None:
            barrier.wait()
            renewer.add(lease, 60)

        threads = [threading.Thread(target=add, args=(lease,)) for lease in leases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list_threads()) == before + 1
        wait_until(lambda: all(lease.renewed for lease in leases))
        for lease in leases:
            renewer.remove(lease)

    def test_tries_again_to_start_a_thread_that_could_not_be_started(self, quick_renewer, monkeypatch):
        """The system may be out of threads for a moment."""
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail_to_start)
            with pytest.raises(RuntimeError, match="can't start"):
                quick_renewer.add(Lease(), 60)
        lease = Lease()
        quick_renewer.add(lease, 60)
        wait_until(lambda: lease.renewed)
        quick_renewer.remove(lease)
        assert len(quick_renewer) == 0

    def test_sleeps_while_there_is_nothing_to_renew_and_wakes_up_again(self, quick_renewer):
        for _ in range(3):
            lease = Lease()
            quick_renewer.add(lease, 60)
            wait_until(lambda lease=lease: lease.renewed)
            quick_renewer.remove(lease)
            wait_until(lambda: not quick_renewer._busy.is_set())

    @pytest.mark.parametrize("error", [StoreError("down"), OSError("no network"), TypeError("a bug")], ids=repr)
    def test_survives_a_store_that_fails_and_calls_it_again(self, quick_renewer, error):
        lease = Lease(outcome=error)
        quick_renewer.add(lease, 60)
        wait_until(lambda: len(lease.renewed) >= 3)
        lease.outcome = True
        count = len(lease.reported)
        wait_until(lambda: len(lease.renewed) > count + 2)
        assert len(quick_renewer) == 1
        assert all(isinstance(reported, StoreError) for reported in lease.reported)
        quick_renewer.remove(lease)

    def test_reports_the_class_of_a_foreign_error_but_not_its_text(self, quick_renewer):
        lease = Lease(outcome=OSError("redis://user:password@host"))
        quick_renewer.add(lease, 60)
        wait_until(lambda: lease.reported)
        quick_renewer.remove(lease)
        assert lease.reported[0].args == ("a store raised OSError",)

    def test_calls_a_store_that_fails_for_one_lease_at_a_time(self, quick_renewer):
        store = object()
        leases = [Lease(store, StoreError("down")) for _ in range(5)]
        for lease in leases:
            quick_renewer.add(lease, 60)
        wait_until(lambda: leases[0].renewed)
        for lease in leases:
            quick_renewer.remove(lease)
        assert sum(len(lease.renewed) for lease in leases) <= len(leases[0].renewed) + 1

    def test_renews_in_other_stores_while_one_fails_slowly(self):
        renewer = LeaseRenewer(0.05)
        frozen = [Lease("frozen", StoreError("timed out"), seconds=0.1) for _ in range(5)]
        other = Lease("other")
        for lease in (*frozen, other):
            renewer.add(lease, 60)
        wait_until(lambda: len(other.renewed) >= 4)
        for lease in (*frozen, other):
            renewer.remove(lease)
        gaps = [later - earlier for earlier, later in itertools.pairwise(other.renewed)]
        assert min(gaps) < 0.14  # the time that the store took counts as a pause

    def test_keeps_the_lease_of_a_slow_handler_in_a_real_store(self):
        class Endpoint(PushEndpoint):
            renewer = LeaseRenewer(EVERY)

        store, runs = MemoryStore(clock=lambda: 2.5 * time.monotonic()), []

        def answer(message: Any) -> str:
            runs.append(message)
            time.sleep(1.5)
            return "done"

        endpoints = [Endpoint(SETTINGS, answer, store=store) for _ in range(2)]
        request = build_push(SETTINGS, {"Content": "hi"})
        threads = [threading.Thread(target=endpoint.handle, args=(request,)) for endpoint in endpoints]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(runs) == 1


class TestAfterAFork:
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    def test_restarts_in_the_child_with_neither_thread_nor_leases(self):
        status, output = run("-W", "error", "-c", FORKS)
        assert (status, output) == (0, "the child renews its own lease only\n")

    def test_does_not_rely_on_fork(self, monkeypatch):
        """Windows has none."""
        monkeypatch.delattr(os, "register_at_fork")
        lease, renewer = Lease(), LeaseRenewer(EVERY)
        renewer.add(lease, 60)
        wait_until(lambda: lease.renewed)
        renewer.remove(lease)


FORKS = """
import os, threading
from tests.endpoint.test_leases import EVERY, LeaseRenewer, Lease, list_threads, wait_until

renewer, lease = LeaseRenewer(EVERY), Lease()
renewer.add(lease, 60)
wait_until(lambda: lease.renewed)
renewer._lock.acquire()  # as if the thread held it
child = os.fork()
if child:
    renewer._lock.release()
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
assert not renewer._ends and not list_threads()
own = Lease()
lease.renewed.clear()
renewer.add(own, 60)
wait_until(lambda: len(own.renewed) > 2)
assert len(list_threads()) == 1 and not lease.renewed
print("the child renews its own lease only", flush=True)
os._exit(0)
"""


def test_the_endpoints_of_a_process_share_one_renewer():
    assert renewer._every == RENEW_EVERY
