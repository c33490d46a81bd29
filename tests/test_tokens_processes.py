"""One access_token for all: real processes with many threads and tasks, on real stores, before a fake WeChat."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.redis_server import run_redis
from tests.servers import ROOT
from tests.token_worker import PATH, Report
from wechat_msg.testing import FakeWeChatAPI

LIMIT = 60.0  # seconds, after which whatever a test waits for is taken never to come
FETCH = {"stable": "/cgi-bin/stable_token", "classic": "/cgi-bin/token"}
TEAMS = {"sync": ["sync"] * 4, "async": ["async"] * 4, "sync and async": ["sync", "async"] * 2}


class Worker:
    """A process that runs tests/token_worker.py."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-m", "tests.token_worker"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def kill(self) -> None:
        with self.process as process:
            process.kill()

    def tell(self, what: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout
        # It says one line at a time and then waits for the next command: none is left in a buffer.
        assert select.select([self.process.stdout], [], [], LIMIT)[0], "the worker says nothing"
        line = self.process.stdout.readline()
        assert line, "the worker has ended"
        return json.loads(line)


class Team:
    """Processes that work on one store."""

    def __init__(self, workers: list[Worker]) -> None:
        self.workers = workers

    def open(self, wechat: FakeWeChatAPI, place: str, source: str, colours: list[str]) -> None:
        """Let each process make a client that knows nothing yet."""
        common = {
            "url": wechat.url,
            "appid": wechat.appid,
            "secret": wechat.secret,
            "place": place,
            "source": source,
        }
        for worker, colour in zip(self.workers, colours, strict=True):
            worker.tell({"open": {**common, "colour": colour}})
        assert [worker.hear() for worker in self.workers] == ["open"] * len(self.workers)

    @contextlib.contextmanager
    def at_work(self, callers: int, **job: Any) -> Iterator[list[Report]]:
        """Let all callers of all processes start at once; they stop at the end, and then their reports are there."""
        for number, worker in enumerate(self.workers):
            worker.tell({"work": {"name": str(number), "callers": callers, **job}})
        assert [worker.hear() for worker in self.workers] == ["ready"] * len(self.workers)
        for worker in self.workers:
            worker.tell("go")
        reports: list[Report] = []
        yield reports
        for worker in self.workers:
            worker.tell("stop")
        reports += [Report(**report) for worker in self.workers for report in worker.hear()]

    def work(self, callers: int, **job: Any) -> list[Report]:
        """Let each caller make one call, all at once."""
        with self.at_work(callers, **job) as reports:
            pass
        return reports


@pytest.fixture(scope="module")
def team():
    team = Team([Worker() for _ in range(4)])
    yield team
    for worker in team.workers:
        worker.kill()


@pytest.fixture(params=["sqlite", "redis"])
def place(request, tmp_path):
    """Where a store is."""
    if request.param == "sqlite":
        yield str(tmp_path / "store.db")
        return
    with run_redis() as server:
        yield server.url


@pytest.fixture(params=FETCH)
def source(request):
    return request.param


@pytest.fixture
def wechat():
    with FakeWeChatAPI() as wechat:
        yield wechat


class TestColdStart:
    @pytest.mark.parametrize("colours", TEAMS.values(), ids=TEAMS)
    def test_of_200_callers_in_4_processes_fetches_one_token(self, team, wechat, place, source, colours, record_property):
        wechat.delay(FETCH[source], 0.2)
        team.open(wechat, place, source, colours)

        reports = team.work(callers=50)

        assert [report.errors for report in reports] == [[]] * 200
        assert len(wechat.requests_to(FETCH[source])) == 1
        calls = wechat.requests_to(PATH)
        assert len(calls) == 200
        record_property("measured", f"longest {max(report.longest for report in reports):.2f}")
