"""Several processes of one account on one store, in virtual time: they die, end, and lose their store."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import attrs
from attrs import define, field

from tests.endpoint.test_delivery import ASYNC, PLAIN, SYNC, TOLD, Rig, build, check_log, describe
from tests.helpers import virtual_time
from tests.helpers.virtual_time import FaultyStore, in_virtual_thread
from wechat_msg import AnswerLater, AsyncPushEndpoint, MemoryStore, PushRequest, PushSettings, StoreError, open_push
from wechat_msg.endpoint.dedup import make_key
from wechat_msg.endpoint.kept import Queue, load_queue
from wechat_msg.endpoint.late import LatePolicy
from wechat_msg.endpoint.records import InboxEntry, Record, load_entry, load_record, load_texts

FOR_EVER = 1e3  # seconds; at the end of a test this time passes, with the background of all that live


@define(slots=False)
class ProcessStore(FaultyStore):
    """The store as one process reaches it; if the process is dead, no call returns.

    Attributes:
        is_dead: Whether the process is dead.
        writes: The keys that it has written, in order.
    """

    is_dead: bool = field(default=False, init=False)
    writes: list[str] = field(factory=list, init=False)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        done = super().compare_and_set(key, expected, value, ttl)
        self.writes += [key] * done
        return done

    def _call(self, method: Callable[..., Any], *args: Any) -> Any:
        if self.is_dead:
            virtual_time.sleep(FOR_EVER)
            raise StoreError("dead")
        return super()._call(method, *args)


@attrs.frozen
class AsyncProcessStore:
    """The same for an async endpoint."""

    _store: ProcessStore

    async def get(self, key: str) -> bytes | None:
        await self._wait()
        return self._store.get(key)

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        await self._wait()
        return self._store.compare_and_set(key, expected, value, ttl)

    async def _wait(self) -> None:
        if self._store.is_dead:
            await asyncio.sleep(FOR_EVER)
            raise StoreError("dead")


@define(eq=False)
class Worker:
    """A process.

    Attributes:
        endpoint: Its endpoint.
        store: The store as it reaches it.
        runs: The times at which its handler was called.
        sent: What it has sent.
        lost: What was lost: the text of the message, and the reason.
        errors: What its next calls of the sender raise; the last one stays.
        dies_after_sending: Whether the process dies in its next call of the sender.
    """

    world: World
    store: ProcessStore
    endpoint: Any = None
    runs: list[float] = field(factory=list)
    sent: list[str] = field(factory=list)
    sent_at: list[float] = field(factory=list)
    lost: list[tuple[str | None, str]] = field(factory=list)
    errors: list[BaseException | None] = field(factory=list)
    dies_after_sending: bool = False

    def kill(self) -> None:
        """Let nothing that the process does from now on have an effect."""
        self.store.is_dead = True

    async def send(self, message: dict[str, Any]) -> None:
        if self.store.is_dead:
            await asyncio.sleep(FOR_EVER)
        self.sent.append(message["text"]["content"])
        self.sent_at.append(self.world.now)
        if self.dies_after_sending:
            self.kill()
            await asyncio.sleep(FOR_EVER)
        error = self.errors[0] if self.errors else None
        self.errors[:-1] = self.errors[1:-1]
        if error:
            raise error

    async def lose(self, message: Any, reason: str) -> None:
        self.lost.append((message and getattr(message, "content", type(message).__name__), reason))

    async def push(self, *requests: PushRequest, **options: Any) -> list[tuple[float, Any]]:
        """Push as WeChat does."""
        tries = await self.world.wechat(self.endpoint, **options).push(*(requests or (build(self.settings),)))
        return [describe(self.settings, one) for one in tries]

    @property
    def settings(self) -> PushSettings:
        settings: PushSettings = self.endpoint.settings
        return settings

    async def call(self, name: str, *args: Any) -> Any:
        """Call ``recover``, ``drain`` or ``run_job``."""
        return await self._call(getattr(self.endpoint, name), *args)

    async def keep(self, *args: Any) -> None:
        """Call ``kept.put``."""
        await self._call(self.endpoint.kept.put, *args)

    async def _call(self, function: Any, *args: Any) -> Any:
        if isinstance(self.endpoint, AsyncPushEndpoint):
            return await function(*args)
        return await in_virtual_thread(function, *args)


class World(Rig):
    """A store, and the processes on it; to be used in a test `in_virtual_time`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.workers: list[Worker] = []

    @functools.cached_property
    def memory(self) -> MemoryStore:
        """What is in the store."""
        return MemoryStore(clock=asyncio.get_running_loop().time)

    def start(
        self,
        seconds: float | Callable[[Any], Awaitable[Any]] = 20.0,
        answer: Any = TOLD,
        *,
        kind: str = "",
        settings: PushSettings = PLAIN,
        late: Mapping[str, Any] | LatePolicy | None = None,
        **options: Any,
    ) -> Worker:
        """Start a process whose handler takes so many seconds, or is *seconds* itself.

        *late* has options of `AnswerLater`, or is another policy.
        """
        kind = kind or self.kind
        store = ProcessStore(inner=self.memory)
        worker = Worker(self, store)
        wait = self.handler(seconds, answer) if isinstance(seconds, (int, float)) else seconds

        async def handle(message: Any) -> Any:
            worker.runs.append(round(self.now, 3))
            return await wait(message)

        rig = Rig(kind)
        if late is None or isinstance(late, Mapping):
            after = {"after": "last_try" if kind == SYNC else "first_try"}
            late = AnswerLater(rig.adapt(worker.send), **{**after, **(late or {})})
        options = {
            "store": AsyncProcessStore(store) if kind == ASYNC else store,
            "late": late,
            "on_lost": rig.adapt(worker.lose),
            **options,
        }
        worker.endpoint = rig.build(handle, settings, **options)
        self.workers.append(worker)
        return worker

    # --- what there is

    @property
    def runs(self) -> list[float]:
        """The times at which handlers were called, in all processes."""
        return sorted(at for worker in self.workers for at in worker.runs)

    @runs.setter
    def runs(self, _: list[float]) -> None:
        self.began: list[float] = []

    @property
    def sent(self) -> list[str]:
        """What all processes have sent."""
        return [text for worker in self.workers for text in worker.sent]

    @property
    def lost(self) -> list[tuple[str | None, str]]:
        """What all processes have lost."""
        return [one for worker in self.workers for one in worker.lost]

    def list_entries(self) -> dict[str, InboxEntry]:
        """Return all entries of the inbox by their slots."""
        return {
            key.partition(":inbox:")[2]: load_entry(raw)
            for key in tuple(self.memory._entries)
            if ":inbox:" in key and (raw := self.memory.get(key)) is not None
        }

    @property
    def kept(self) -> dict[str, Queue]:
        """What is kept for users, and will be."""
        queues = {
            key.partition(":user:")[2]: load_queue(raw)
            for key in tuple(self.memory._entries)
            if ":user:" in key and (raw := self.memory.get(key)) is not None
        }
        return {user: queue for user, queue in queues.items() if queue.items}

    def find_record(self, request: PushRequest | None = None, settings: PushSettings = PLAIN) -> Record | None:
        """Return the record of a push."""
        push = open_push(settings, request or build(settings), now=lambda: 1700000000)
        raw = self.memory.get(make_key(push.message, settings.identity))
        return None if raw is None else load_record(raw)

    def read_limits(self, settings: PushSettings = PLAIN) -> list[int]:
        """Return how many slots each lane has."""
        return [int(text) for text in load_texts(self.memory.get(f"{settings.identity}:lanes"))]


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function; each run has a world of its own, and the log to itself."""

    @functools.wraps(test)
    def run_test(*args: Any, **fixtures: Any) -> None:
        own = {name: World(value.kind) if isinstance(value, World) else value for name, value in fixtures.items()}
        try:
            virtual_time.run(test(*args, **own))
        finally:
            if caplog := fixtures.get("caplog"):
                check_log(caplog.get_records("call"))
                caplog.clear()

    return run_test


def read_job(job: str) -> dict[str, Any]:
    """Return the members of a job."""
    fields: dict[str, Any] = json.loads(job)
    return fields
