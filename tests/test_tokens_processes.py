"""One access_token for all: real processes with many threads and tasks, on real stores, before a fake WeChat."""

from __future__ import annotations

import contextlib
import json
import random
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.both_clients import both
from tests.redis_server import run_redis
from tests.servers import ROOT
from tests.test_five_seconds import wait_until
from tests.test_store_faults import OnRedis, OnSQLite
from tests.token_worker import PATH, SOURCES, Report, open_store
from wechat_msg import Client, MemoryStore
from wechat_msg.api.token import AccessToken
from wechat_msg.client.sources import StableTokenSource
from wechat_msg.client.tokens import Clocks, Rejected, TokenManager
from wechat_msg.errors import AccessTokenRejected, StoreError
from wechat_msg.flow import CompareAndSet, Flow, Sleep, drive, perform_store_step
from wechat_msg.testing import FakeWeChatAPI
from wechat_msg.testing.fake_api.tokens import ClassicTokens, Token

FETCH = {"stable": "/cgi-bin/stable_token", "classic": "/cgi-bin/token"}
TICKET = "/cgi-bin/ticket/getticket"
SYNC, ASYNC, MIXED = ["sync"] * 4, ["async"] * 4, ["sync", "async"] * 2
LIFE = 7200.0  # seconds, of a token
NOT_HEARD = 60.0  # seconds, after which a process is taken never to say anything again


# --- processes -------------------------------------------------------------------------------------------------------


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
        # It says one line, and then waits to be told something: no second line can be in the buffer already.
        assert select.select([self.process.stdout], [], [], NOT_HEARD)[0], "the process says nothing"
        line = self.process.stdout.readline()
        assert line, "the process has ended"
        return json.loads(line)


class Team:
    """Processes that share a store."""

    def __init__(self, *workers: Worker) -> None:
        self.workers = workers

    def open(self, wechat: FakeWeChatAPI, place: str, source: str, colours: list[str]) -> None:
        """Let each process make a client that knows of no token."""
        common = {"url": wechat.url, "appid": wechat.appid, "secret": wechat.secret, "place": place, "source": source}
        for worker, colour in zip(self.workers, colours, strict=True):
            worker.tell({"open": {**common, "colour": colour}})
        assert {worker.hear() for worker in self.workers} == {"open"}

    def start(self, callers: int, **job: Any) -> None:
        """Let the callers of all processes start at once."""
        for worker in self.workers:
            worker.tell({"work": {"name": str(worker.process.pid), "callers": callers, **job}})
        assert {worker.hear() for worker in self.workers} == {"ready"}
        for worker in self.workers:
            worker.tell("go")

    def stop(self) -> list[Report]:
        """Let every caller come to an end; one who has not called yet does so."""
        for worker in self.workers:
            worker.tell("stop")
        return [Report(**report) for worker in self.workers for report in worker.hear()]

    def work(self, callers: int = 50, **job: Any) -> list[Report]:
        """Let each caller make one call, all at once."""
        self.start(callers, **job)
        return self.stop()


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    team = Team(*(Worker() for _ in range(4)))
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


def assert_all_succeeded(reports: list[Report], callers: int = 200) -> None:
    assert [report.errors for report in reports] == [[]] * callers


def list_tokens(wechat: FakeWeChatAPI) -> dict[str, list[str]]:
    """Return the tokens with which each caller has come, the first one first."""
    tokens: dict[str, list[str]] = {}
    for request in wechat.requests_to(PATH):
        tokens.setdefault(request.query["caller"], []).append(request.query["access_token"])
    return tokens


# --- no token --------------------------------------------------------------------------------------------------------


class TestColdStart:
    @pytest.mark.parametrize("colours", [SYNC, ASYNC, MIXED], ids=["sync", "async", "mixed"])
    def test_of_200_callers_in_4_processes_fetches_one_token(self, team, wechat, place, source, colours):
        wechat.delay(FETCH[source], 0.2)  # so that all are there before it comes
        team.open(wechat, place, source, colours)

        assert_all_succeeded(team.work())

        assert len(wechat.requests_to(FETCH[source])) == 1
        tokens = list_tokens(wechat)
        assert len(tokens) == 200
        assert {token for used in tokens.values() for token in used} == {
            wechat.access_token or wechat.stable_access_token
        }
        assert {len(used) for used in tokens.values()} == {1}

    def test_of_200_callers_who_want_a_ticket_fetches_one(self, team, wechat, place):
        for path in (TICKET, FETCH["stable"]):
            wechat.delay(path, 0.1)
        team.open(wechat, place, "stable", MIXED)

        assert_all_succeeded(team.work(ticket=True))

        assert [request.path for request in wechat.requests] == [FETCH["stable"], TICKET]

    def test_with_a_wrong_secret_is_refused_once_for_all(self, team, wechat, place, source):
        wechat.delay(FETCH[source], 0.2)
        team.open(wechat, place, source, MIXED)
        wechat.secret = "another"

        reports = team.work()

        assert {error.partition("(")[0] for report in reports for error in report.errors} == {"InvalidCredential"}
        assert [len(report.errors) for report in reports] == [1] * 200
        assert [request.path for request in wechat.requests] == [FETCH[source]]


# --- soon over -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def due_in(seconds: float, place: str, source: str) -> Iterator[FakeWeChatAPI]:
    """Give a fake whose token is in the store, and in so many seconds due for renewal by the clock of everybody.

    It was fetched in the past: by then the fake's clock was behind, and so was that of the client that fetched.
    """
    age = LIFE - SOURCES[source].early - seconds
    with FakeWeChatAPI(clock=lambda: time.time() - age) as wechat, contextlib.closing(open_store(place)) as store:
        with Client(
            wechat.appid,
            wechat.secret,
            hosts=[wechat.url],
            store=store,
            token_source=SOURCES[source](),
            clock=wechat.clock,
        ) as client:
            client.get_access_token()
        wechat.advance(age)
        wechat.clear()
        yield wechat


@pytest.mark.slow
class TestRenewal:
    DELAY = 3.0

    def test_makes_nobody_wait(self, team, place, source, record_property):
        with due_in(0.5, place, source) as wechat:
            wechat.delay(FETCH[source], self.DELAY)
            old = wechat.access_token or wechat.stable_access_token
            team.open(wechat, place, source, MIXED)
            team.start(callers=3, calls=10**9, pause=0.02)
            wait_until(lambda: len(self.list_callers(wechat.requests, lambda token: token != old)) == 12)
            reports = team.stop()
            requests, tokens = wechat.requests, list_tokens(wechat)

        assert_all_succeeded(reports, 12)
        new = wechat.access_token or wechat.stable_access_token
        assert new != old
        for used in tokens.values():
            assert set(used) == {old, new}
            assert used == [old] * used.count(old) + [new] * used.count(new)
        paths = [request.path for request in requests]
        assert paths.count(FETCH[source]) == 1
        began = paths.index(FETCH[source])
        ended = next(n for n, request in enumerate(requests) if request.query.get("access_token") == new)
        assert len(self.list_callers(requests[began:ended], lambda token: token == old)) == 12
        longest = max(report.longest for report in reports)
        record_property(
            "measured",
            f"renewal of {self.DELAY:.0f} s, {source} token, {place.partition(':')[0]}: {len(paths) - 1} calls of 12 callers"
            f" in 4 processes, 1 fetch, longest call {longest * 1000:.0f} ms",
        )
        assert longest < self.DELAY / 2

    @staticmethod
    def list_callers(requests: list[Any], is_meant: Callable[[str], bool]) -> set[str]:
        """Return who has come with such a token."""
        calls = [request.query for request in requests if request.path == PATH]
        return {query["caller"] for query in calls if is_meant(query["access_token"])}


# --- rejected --------------------------------------------------------------------------------------------------------


class TestRejectedToken:
    @pytest.mark.parametrize(
        ("colours", "invalidate"),
        [(SYNC, "revoke_access_tokens"), (ASYNC, "revoke_access_tokens"), (MIXED, "expire_access_tokens")],
        ids=["sync, 40001", "async, 40001", "mixed, 42001"],
    )
    def test_of_200_callers_is_replaced_once(self, team, wechat, place, source, colours, invalidate):
        team.open(wechat, place, source, colours)
        assert_all_succeeded(team.work(callers=1), 4)  # every process has it in memory now
        wechat.clear()
        getattr(wechat, invalidate)()
        wechat.delay(FETCH[source], 0.2)

        assert_all_succeeded(team.work())

        assert len(wechat.requests_to(FETCH[source])) == 1
        tokens = list_tokens(wechat)
        assert len(tokens) == 200
        new = wechat.access_token or wechat.stable_access_token
        assert {(used[-1], len(used) <= 2) for used in tokens.values()} == {(new, True)}

    def test_that_is_given_again_is_forced_out_once(self, team, wechat, place):
        team.open(wechat, place, "stable", MIXED)
        team.work(callers=1)
        wechat.clear()
        wechat.revoke_access_tokens(sticky=True)
        wechat.delay(FETCH["stable"], 0.1)

        assert_all_succeeded(team.work())

        fetches = wechat.requests_to(FETCH["stable"])
        assert [request.json["force_refresh"] for request in fetches] == [False, True]


# --- killed ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
class TestKill:
    LIMIT = 10.0

    def test_of_who_fetches_keeps_the_others_waiting_for_seconds_only(self, team, wechat, place, record_property):
        victim = self.let_fetch(wechat, place, "classic")
        team.open(wechat, place, "classic", MIXED)

        team.start(callers=5)
        killed_at = time.monotonic()
        victim.kill()
        reports = team.stop()
        seconds = time.monotonic() - killed_at

        assert_all_succeeded(reports, 20)
        assert len(wechat.requests_to(FETCH["classic"])) == 2
        record_property(
            "measured",
            f"kill -9 of who fetches the token, {place.partition(':')[0]}: 20 callers in 4 processes go on after"
            f" {seconds:.1f} s",
        )
        assert seconds < self.LIMIT

    def test_of_who_renews_is_noticed_by_nobody(self, team, tmp_path, record_property):
        place = str(tmp_path / "store.db")
        with due_in(0.0, place, "stable") as wechat:
            old = wechat.stable_access_token
            victim = self.let_fetch(wechat, place, "stable")
            team.open(wechat, place, "stable", MIXED)

            team.start(callers=1, calls=10**9, pause=0.05)
            killed_at = time.monotonic()
            victim.kill()
            wait_until(lambda: all(used[-1] != old for used in list_tokens(wechat).values()))
            seconds = time.monotonic() - killed_at
            reports = team.stop()

        assert_all_succeeded(reports, 4)
        assert seconds < self.LIMIT

    def let_fetch(self, wechat: FakeWeChatAPI, place: str, source: str) -> Worker:
        """Start a process that is in the middle of a fetch, for longer than any test takes."""
        wechat.delay(FETCH[source], 60.0, times=1)
        victim = Worker()
        alone = Team(victim)
        alone.open(wechat, place, source, ["sync"])
        alone.start(callers=1)
        wait_until(lambda: wechat.requests_to(FETCH[source]))
        return victim
