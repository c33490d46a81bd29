"""The pushes whose handlers run in this process; deliveries of such a push wait here, without asking the store."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from concurrent.futures import Future

from wechat_msg._flow import AnyStore
from wechat_msg.endpoint.records import Free, Kind, Record, Run
from wechat_msg.exchange import Push
from wechat_msg.replies import Acknowledgement, RenderedReply, Reply

__all__ = ["NO_CLAIM", "Running", "RunningPushes", "make_item"]


NO_CLAIM = ".."


def make_item(key: str) -> str:
    """Return the id of the kept answer to the push with this key."""
    return key.rpartition(":")[2][:32]


class Running:
    """A push whose handler runs in this process, or will run after its claim.

    Attributes:
        key: The key that all deliveries of the push share.
        push: The push.
        name: The delivery that runs the handler.
        began: When it was claimed, on the clock ``monotonic``.
        store: The store that has the record.
        record_key: The key of the record.
        claim: The claim in the record; `NO_CLAIM` if the store has not been asked for it.
        record: The record with that claim.
        ends: When the handler has taken too long, so that it keeps no other delivery from handling the push; infinite
            until it begins.
        slot: Where the inbox has the push, as far as this process knows; empty if it has not.
        late: Whether a try was answered without the reply.
        given: The reply that went out although it is not in the record, as the store failed.
        kind: Whether its handler runs, or it gets an answer that was kept.
        tries: The deliveries of the push in this process.
        is_fenced_by_entry: Whether the record has the reply already, so that the entry alone shows who works on it.
        has_ended: Whether the reply is in the record, or the handler ended without one.
        reply: The reply when it is in the record; None if the handler ended without one.
        ended: Gets the reply; None if no delivery has waited for it.
    """

    # The values of a class, as most pushes never set their own.
    claim: str = NO_CLAIM
    record: bytes = b""
    ends: float = math.inf
    slot: str = ""
    late: bool = False
    given: Acknowledgement | RenderedReply | None = None
    kind: Kind = "question"
    is_fenced_by_entry: bool = False
    has_ended: bool = False
    reply: Reply | None = None
    ended: Future[Reply | None] | None = None

    def __init__(self, key: str, push: Push, name: str, began: float, store: AnyStore, record_key: str) -> None:
        self.key = key
        self.push = push
        self.name = name
        self.began = began
        self.store = store
        self.record_key = record_key
        self.tries: set[str] = set()

    @property
    def known_reply(self) -> Reply | None:
        """The reply that every try gets, although the work on the push goes on: that of the record, or a given one."""
        if self.is_fenced_by_entry:
            return self.reply
        return None if self.late else self.given

    @property
    def item(self) -> str:
        """The id of its answer, if that is kept for the user."""
        return make_item(self.record_key)

    def owns(self, record: Record) -> bool:
        """Return whether a record says that this work goes on."""
        return isinstance(record, Run) and not isinstance(record, Free) and record.claim == self.claim


class RunningPushes:
    """The pushes whose handlers run, by their keys; threads may share it."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}
        self._fetches: set[str] = set()
        self._lone: set[object] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of pushes whose handlers run."""
        return len(self._running) - len(self._fetches) + len(self._lone)

    def add_lone(self, delivery: object) -> None:
        """Count a delivery that shares nothing with others, while its handler runs."""
        self._lone.add(delivery)

    def remove_lone(self, delivery: object) -> None:
        """No longer count it."""
        self._lone.discard(delivery)

    def add(self, running: Running) -> bool:
        """Add a push; False if it runs already."""
        is_new = self._running.setdefault(running.key, running) is running
        if is_new and running.kind == "fetch":
            self._fetches.add(running.key)
        return is_new

    def find(self, key: str) -> Running | None:
        """Return the running push with this key, if there is one."""
        return self._running.get(key)

    def list_over(self, now: float) -> Iterator[Running]:
        """Return the pushes whose handlers have taken too long."""
        return (running for running in tuple(self._running.values()) if now > running.ends)

    def end(self, running: Running, reply: Reply | None = None) -> None:
        """Wake the deliveries that wait for a push; it stays until it is removed, as its answer may not be sent yet."""
        with self._lock:
            if running.has_ended:
                return
            running.has_ended, running.reply = True, reply
        if running.ended is not None:
            running.ended.set_result(reply)

    def remove(self, running: Running, reply: Reply | None = None) -> bool:
        """Remove a push, and wake the deliveries that wait for it; False if it was removed before."""
        if self._running.get(running.key) is not running:
            return False
        with self._lock:
            if self._running.get(running.key) is not running:
                return False
            del self._running[running.key]
            self._fetches.discard(running.key)
        self.end(running, reply)
        return True

    def list_all(self) -> list[Running]:
        """Return all pushes."""
        return list(self._running.values())

    def join(self, running: Running) -> Future[Reply | None]:
        """Return a future that gets the reply."""
        with self._lock:
            if running.ended is None:
                running.ended = Future()
                if running.has_ended:
                    running.ended.set_result(running.reply)
            return running.ended
