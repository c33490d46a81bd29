"""Pushes to three processes, in virtual time, while one process after another dies, ends, or loses its store."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from attrs import define, field

from tests.endpoint.test_delivery import ASYNC, EXECUTOR, build
from tests.helpers import virtual_time
from tests.helpers.processes import Worker, World
from tests.helpers.rows import each_row

PUSHES = 30
SECONDS = (0, 2, 6, 12, 18)  # of the handlers
POLICIES: dict[str, dict[str, Any]] = {
    "first try": {},
    "last try": {"late": {"after": "last_try"}},
    "max_running": {"max_running": 3},
    "ordered": {"ordered": True, "max_running": 2},
    "queue": {"queue": True},
}


@define
class Run:
    """One run of 30 pushes.

    Attributes:
        randomness: Decides everything.
        options: The options of the endpoints.
        world: The processes.
        live: Those that get requests.
        replies: What the users got as passive replies.
        acknowledged: The pushes whose users were to get a message.
        endings: Processes that end.
        jobs: The jobs of the queue that no worker has begun.
    """

    randomness: random.Random
    options: dict[str, Any]
    world: World = field(factory=lambda: World(ASYNC))
    live: list[Worker] = field(factory=list)
    replies: list[str] = field(factory=list)
    acknowledged: set[str] = field(factory=set)
    endings: list[asyncio.Task[None]] = field(factory=list)
    jobs: list[str] = field(factory=list)

    async def handle(self, message: Any) -> str:
        await asyncio.sleep(SECONDS[int(message.content) % len(SECONDS)])
        return f"re {message.content}"

    def start(self) -> Worker:
        kind = self.randomness.choice([EXECUTOR, ASYNC])
        options = {"late": {"after": "first_try"}, **self.options}
        if "queue" in options:
            options["queue"] = self.jobs.append
        worker = self.world.start(self.handle, kind=kind, **options)
        self.live.append(worker)
        return worker

    async def push(self, number: int) -> None:
        """Push as WeChat does; each try reaches another process."""
        request = build(fields={"MsgId": 1000 + number, "Content": str(number), "FromUserName": f"oUSER{number % 7}"})
        for _ in range(3):
            worker = self.randomness.choice(self.live)
            [(_, answer)] = await worker.push(request, tries=1)
            if not worker.store.is_dead and answer == "success":
                self.acknowledged.add(f"re {number}")
                return
            if not worker.store.is_dead and answer not in (503, "hung up"):
                self.replies.append(answer)
                return
            await asyncio.sleep(0.01)

    async def work(self) -> None:
        """Run the jobs of the queue; it loses some, and delivers others twice."""
        while True:
            await asyncio.sleep(self.randomness.uniform(0.01, 0.2))
            for _ in range(self.randomness.choice([0, *[1] * 18, 2]) if self.jobs else 0):
                worker = self.randomness.choice(self.live)
                self.endings.append(asyncio.create_task(worker.call("run_job", self.jobs[0])))
            del self.jobs[:1]

    async def trouble(self) -> None:
        """Let twelve processes die or end, and start others."""
        for _ in range(12):
            await asyncio.sleep(self.randomness.uniform(1, 4))
            worker = self.live.pop(self.randomness.randrange(3))
            ending = self.randomness.choice([self.kill, self.end])
            self.endings.append(asyncio.create_task(ending(worker)))
            other = self.start()
            if self.randomness.random() < 0.5:
                await other.call("recover")

    async def kill(self, worker: Worker) -> None:
        worker.kill()

    async def end(self, worker: Worker) -> None:
        await worker.call("drain", self.randomness.choice([0, 3]))
        await asyncio.sleep(self.randomness.choice([0, 1, 5]))
        worker.kill()

    async def run(self) -> None:
        for _ in range(3):
            self.start()
        working, trouble = asyncio.create_task(self.work()), asyncio.create_task(self.trouble())
        pushing = []
        for number in range(PUSHES):
            pushing.append(asyncio.create_task(self.push(number)))
            await asyncio.sleep(self.randomness.uniform(0, 1.2))
        await asyncio.gather(trouble, *pushing)
        await asyncio.gather(*(worker.call("recover") for worker in self.live))
        await asyncio.sleep(600 if "queue" in self.options else 250)
        for _ in range(4):  # the queue may lose a job several times, and the pauses between grow to 1,800 s
            if self.list_states() <= {"lost"}:
                break
            await asyncio.sleep(1000)
        working.cancel()

    def list_states(self) -> set[str]:
        return {entry.state for entry in self.world.list_entries().values()}

    def check(self) -> None:
        answers = [*self.replies, *self.world.sent]
        # Lost is only what has killed three processes.
        lost = {f"re {content}" for content, reason in self.world.lost if reason == "failed"}
        assert len(answers) == len(set(answers)), "two answers"
        assert self.acknowledged <= {*answers} | lost
        assert len(self.world.lost) == len(lost)
        assert self.list_states() <= {"lost"}


def run_all(seeds: range, options: dict[str, Any]) -> int:
    """Make one run for each seed, and return how many pushes were acknowledged."""
    acknowledged = 0
    for seed in seeds:
        run = Run(random.Random(seed), options)
        virtual_time.run(run.run())
        run.check()
        acknowledged += len(run.acknowledged)
    return acknowledged


class TestAnAcknowledgedPush:
    @each_row("options", POLICIES)
    def test_is_answered_once_whatever_processes_die_or_end(self, options):
        assert run_all(range(2), options) > 10

    @pytest.mark.endurance
    @each_row("options", POLICIES)
    def test_is_answered_once_in_many_runs(self, options):
        assert run_all(range(1000, 1100), options) > 300
