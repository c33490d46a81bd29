"""The thread that renews the leases of running handlers; there is one in each process."""

from __future__ import annotations

import os
import threading
import time

from wechat_msg._flow import drive
from wechat_msg.endpoint.delivery import RENEW_EVERY, PushDelivery
from wechat_msg.errors import StoreError

__all__ = ["LeaseRenewer", "renewer"]


class LeaseRenewer:
    """Renews the leases of deliveries until they are removed; its thread starts with the first one.

    Args:
        every: Seconds between renewals; a parameter for tests.
    """

    def __init__(self, every: float = RENEW_EVERY) -> None:
        self._every = every
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Start empty; the child of a fork has neither the thread nor the handlers."""
        self._ends: dict[PushDelivery, float] = {}
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """Return how many leases it renews."""
        return len(self._ends)

    def add(self, delivery: PushDelivery, limit: float) -> None:
        """Renew the lease of *delivery* from now on, for *limit* seconds at most."""
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="wechat_msg.leases", daemon=True)
                thread.start()
                self._thread = thread
            self._ends[delivery] = time.monotonic() + limit
        if not self._busy.is_set():
            self._busy.set()

    def remove(self, delivery: PushDelivery) -> None:
        """Stop renewing the lease of *delivery*."""
        with self._lock:
            self._ends.pop(delivery, None)

    def _run(self) -> None:
        took = 0.0
        while True:
            self._busy.wait()
            time.sleep(max(self._every - took, 0.0))
            began = time.monotonic()
            with self._lock:
                ends = dict(self._ends)
                if not ends:
                    self._busy.clear()
            self._renew_all(ends)
            took = time.monotonic() - began  # a store that fails slowly must not cost others their leases

    def _renew_all(self, ends: dict[PushDelivery, float]) -> None:
        failed: list[object] = []  # a store that is down is called for one lease only
        for delivery, end in ends.items():
            if delivery.store in failed:
                continue
            try:
                if time.monotonic() > end or not drive(delivery.renew(), lambda step: step.perform()):
                    self.remove(delivery)
            except StoreError as error:
                failed.append(delivery.store)
                delivery.handling.report(error)
            except Exception as error:  # noqa: BLE001, the thread must go on for all other leases
                failed.append(delivery.store)
                delivery.handling.report(StoreError(f"a store raised {type(error).__name__}"))


renewer: LeaseRenewer = LeaseRenewer()
"""Renews the leases of all endpoints of this process."""
