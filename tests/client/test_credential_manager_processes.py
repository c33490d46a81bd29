"""One access_token for all: real processes with many threads and tasks, on real stores, before a fake WeChat."""

from __future__ import annotations

import contextlib
import json
import math
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.endpoint.test_store_faults import OnRedis, OnSQLite
from tests.helpers.both_clients import both
from tests.helpers.redis_server import run_redis
from tests.helpers.servers import ROOT
from tests.helpers.token_worker import PATH, SOURCES, Report, open_store
from tests.helpers.waiting import wait_until
from wechat_msg import Client
from wechat_msg.client import ClassicTokenSource, StableTokenSource
from wechat_msg.client.credential_manager import LEASE
from wechat_msg.errors import AccessTokenRejected, StoreError, WeChatError
from wechat_msg.testing import APIRequest, FakeWeChatAPI
from wechat_msg.testing.fake_api.access_tokens import ClassicAccessTokens, IssuedAccessToken

FETCH = {"stable": "/cgi-bin/stable_token", "classic": "/cgi-bin/token"}
TICKET = "/cgi-bin/ticket/getticket"
SYNC, ASYNC, MIXED = ["sync"] * 4, ["async"] * 4, ["sync", "async"] * 2
LIFE = 7200.0  # seconds, of a token
ENDLESS = 10**9
STORE_FAULTS = [
    ("redis", "killed"),
    ("redis", "frozen"),
    ("redis", "out_of_memory"),
    ("sqlite", "gone_with_its_folder"),
    ("sqlite", "read_only"),
]
NOT_HEARD = 60.0  # seconds, after which a process is taken never to say anything again


# --- processes -------------------------------------------------------------------------------------------------------


class Worker:
    """A process that runs tests/helpers/token_worker.py."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-m", "tests.helpers.token_worker"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def kill(self) -> None:
        with self.process as process:
            process.kill()

    def send(self, what: Any) -> None:
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
        self.is_idle = True  # each has said all that it had to say

    def open(self, wechat: FakeWeChatAPI, place: str, source: str, colours: list[str]) -> None:
        """Let each process make a client that knows of no token."""
        common = {"url": wechat.url, "appid": wechat.appid, "secret": wechat.secret, "place": place, "source": source}
        self.is_idle = False
        for worker, colour in zip(self.workers, colours, strict=True):
            worker.send({"open": {**common, "colour": colour}})
        assert [worker.hear() for worker in self.workers] == ["open"] * len(self.workers)
        self.is_idle = True

    def start(self, callers: int, **job: Any) -> None:
        """Let the callers of all processes start at once."""
        self.is_idle = False
        for worker in self.workers:
            worker.send({"work": {"name": str(worker.process.pid), "callers": callers, **job}})
        assert [worker.hear() for worker in self.workers] == ["ready"] * len(self.workers)
        for worker in self.workers:
            worker.send("go")

    def stop(self) -> list[Report]:
        """Let every caller come to an end; one who has not called yet does so."""
        for worker in self.workers:
            worker.send("stop")
        reports = [Report(**report) for worker in self.workers for report in worker.hear()]
        self.is_idle = True
        return reports

    def kill(self) -> None:
        for worker in self.workers:
            worker.kill()

    def work(self, callers: int = 25, **job: Any) -> list[Report]:
        """Let each caller make one call, all at once."""
        self.start(callers, **job)
        return self.stop()


@pytest.fixture(scope="module")
def teams() -> Iterator[list[Team]]:
    """The team that is at hand, if there is one."""
    teams: list[Team] = []
    yield teams
    for team in teams:
        team.kill()


@pytest.fixture
def team(teams) -> Iterator[Team]:
    """A team that no test before this one has left in the middle of something."""
    if not teams:
        teams.append(Team(*(Worker() for _ in range(4))))
    yield teams[0]
    if not teams[0].is_idle:
        teams.pop().kill()


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


def name_of(place: str) -> str:
    return "Redis" if place.startswith("redis:") else "SQLite"


def newest_access_token(wechat: FakeWeChatAPI) -> str | None:
    return wechat.access_token or wechat.stable_access_token


def assert_all_succeeded(reports: list[Report], callers: int = 100) -> None:
    assert [report.errors for report in reports] == [[]] * callers


def list_access_tokens(wechat: FakeWeChatAPI) -> dict[str, list[str]]:
    """Return the tokens with which each caller has come, the first one first."""
    access_tokens: dict[str, list[str]] = {}
    for request in wechat.requests_to(PATH):
        access_tokens.setdefault(request.query["caller"], []).append(request.query["access_token"])
    return access_tokens


def list_callers(requests: list[APIRequest], is_meant: Callable[[str], bool]) -> set[str]:
    """Return who has come with such a token."""
    calls = [request.query for request in requests if request.path == PATH]
    return {query["caller"] for query in calls if is_meant(query["access_token"])}


# --- no token --------------------------------------------------------------------------------------------------------


class TestColdStart:
    @pytest.mark.parametrize(
        "colours",
        [pytest.param(SYNC, marks=pytest.mark.endurance), pytest.param(ASYNC, marks=pytest.mark.endurance), MIXED],
        ids=["sync", "async", "mixed"],
    )
    def test_of_100_callers_in_4_processes_fetches_one_access_token(self, team, wechat, place, source, colours):
        wechat.delay(FETCH[source], 0.1)  # so that all are there before it comes
        team.open(wechat, place, source, colours)

        assert_all_succeeded(team.work())

        assert len(wechat.requests_to(FETCH[source])) == 1
        access_tokens = list_access_tokens(wechat)
        assert len(access_tokens) == 100
        assert {access_token for used in access_tokens.values() for access_token in used} == {
            newest_access_token(wechat)
        }
        assert {len(used) for used in access_tokens.values()} == {1}

    def test_of_100_callers_who_want_a_ticket_fetches_one(self, team, wechat, place):
        for path in (TICKET, FETCH["stable"]):
            wechat.delay(path, 0.1)
        team.open(wechat, place, "stable", MIXED)

        assert_all_succeeded(team.work(ticket=True))

        assert [request.path for request in wechat.requests] == [FETCH["stable"], TICKET]

    def test_with_a_wrong_secret_is_refused_once_for_all(self, team, wechat, place):
        team.open(wechat, place, "classic", MIXED)
        wechat.secret = "another"

        reports = team.work()

        assert {error.partition("(")[0] for report in reports for error in report.errors} == {"InvalidCredential"}
        assert [len(report.errors) for report in reports] == [1] * 100
        assert [request.path for request in wechat.requests] == [FETCH["classic"]]


# --- soon over -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def due_in(seconds: float, place: str, source: str) -> Iterator[FakeWeChatAPI]:
    """Give a fake whose token is in the store, and in so many seconds due for renewal by the clock of everybody.

    It was fetched in the past: the fake's clock was behind then, and so was that of the client that fetched it.
    """
    age = LIFE - SOURCES[source].renew_before - seconds
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


@pytest.mark.endurance
class TestRenewal:
    DELAY = 3.0

    def test_makes_no_caller_wait(self, team, place, source, record_property):
        with due_in(0.5, place, source) as wechat:
            wechat.delay(FETCH[source], self.DELAY)
            old = newest_access_token(wechat)
            team.open(wechat, place, source, MIXED)
            team.start(callers=3, calls=ENDLESS, pause=0.02)
            wait_until(lambda: len(list_callers(wechat.requests, lambda access_token: access_token != old)) == 12)
            reports = team.stop()
            requests, access_tokens = wechat.requests, list_access_tokens(wechat)

        assert_all_succeeded(reports, 12)
        new = newest_access_token(wechat)
        assert new != old
        for used in access_tokens.values():
            assert set(used) == {old, new}
            assert used == [old] * used.count(old) + [new] * used.count(new)
        paths = [request.path for request in requests]
        assert paths.count(FETCH[source]) == 1
        began = paths.index(FETCH[source])
        ended = next(n for n, request in enumerate(requests) if request.query.get("access_token") == new)
        assert len(list_callers(requests[began:ended], lambda access_token: access_token == old)) == 12
        longest = max(report.longest for report in reports)
        record_property(
            "measured",
            f"renewal of {self.DELAY:.0f} s, {source} token, {name_of(place)}: {len(paths) - 1} calls of 12 callers"
            f" in 4 processes, 1 fetch, longest call {longest * 1000:.0f} ms",
        )
        assert longest < self.DELAY * 0.8


# --- rejected --------------------------------------------------------------------------------------------------------


class TestRejectedAccessToken:
    @pytest.mark.parametrize(
        ("colours", "source", "invalidate"),
        [
            (SYNC, "stable", "revoke_access_tokens"),
            (ASYNC, "classic", "revoke_access_tokens"),
            (MIXED, "stable", "expire_access_tokens"),
            (MIXED, "classic", "expire_access_tokens"),
        ],
        ids=["sync, stable, 40001", "async, classic, 40001", "mixed, stable, 42001", "mixed, classic, 42001"],
    )
    def test_of_100_callers_is_replaced_once(self, team, wechat, place, source, colours, invalidate):
        team.open(wechat, place, source, colours)
        assert_all_succeeded(team.work(callers=1), 4)  # every process has it in memory now
        wechat.clear()
        getattr(wechat, invalidate)()
        wechat.delay(FETCH[source], 0.1)

        assert_all_succeeded(team.work())

        assert len(wechat.requests_to(FETCH[source])) == 1
        access_tokens = list_access_tokens(wechat)
        assert len(access_tokens) == 100
        new = newest_access_token(wechat)
        assert {(used[-1], len(used) <= 2) for used in access_tokens.values()} == {(new, True)}

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


@pytest.mark.endurance
class TestKill:
    LIMIT = 20.0  # seconds; the answer to the one who fetches would take a minute

    @pytest.fixture
    def victim(self):
        victim = Worker()
        yield victim
        victim.kill()

    def test_of_the_fetching_process_keeps_the_others_waiting_for_seconds_only(
        self, team, victim, wechat, place, record_property
    ):
        self.let_fetch(victim, wechat, place, "classic")
        team.open(wechat, place, "classic", MIXED)

        team.start(callers=5)
        killed_at = time.monotonic()
        victim.kill()
        reports = team.stop()
        seconds = time.monotonic() - killed_at

        assert_all_succeeded(reports, 20)
        assert len(wechat.requests_to(FETCH["classic"])) == 2
        record_property(
            "measured", f"who fetches the token is killed, {name_of(place)}: the others go on after {seconds:.1f} s"
        )
        assert seconds < self.LIMIT

    def test_of_the_renewing_process_is_noticed_by_no_caller(self, team, victim, tmp_path, record_property):
        place = str(tmp_path / "store.db")
        with due_in(0.0, place, "stable") as wechat:
            old = wechat.stable_access_token
            self.let_fetch(victim, wechat, place, "stable")
            team.open(wechat, place, "stable", MIXED)

            team.start(callers=2, calls=ENDLESS, pause=0.02)
            killed_at = time.monotonic()
            victim.kill()
            wait_until(lambda: len(list_callers(wechat.requests, lambda access_token: access_token != old)) == 8)
            seconds = time.monotonic() - killed_at
            reports = team.stop()

        assert_all_succeeded(reports, 8)
        assert len(wechat.requests_to(FETCH["stable"])) == 2
        longest = max(report.longest for report in reports)
        record_property(
            "measured",
            f"who renews the token is killed: all others have another after {seconds:.1f} s,"
            f" longest call {longest * 1000:.0f} ms",
        )
        assert longest < LEASE * 0.8

    def let_fetch(self, victim: Worker, wechat: FakeWeChatAPI, place: str, source: str) -> None:
        """Bring a process to the middle of a fetch, whose answer would take longer than any test."""
        wechat.delay(FETCH[source], 60.0, times=1)
        alone = Team(victim)
        alone.open(wechat, place, source, ["sync"])
        alone.start(callers=1, calls=2)  # with the first call it takes a token out of the store, if there is one
        wait_until(lambda: len(wechat.requests_to(FETCH[source])) == 1)


# --- the store is down -----------------------------------------------------------------------------------------------


@pytest.fixture(params=STORE_FAULTS, ids=" ".join)
def backend(request, tmp_path):
    kind, fault = request.param
    with OnRedis() if kind == "redis" else OnSQLite(tmp_path) as backend:
        backend.broken = getattr(backend, fault)
        yield backend


@both
class TestStoreThatIsDown:
    @contextlib.contextmanager
    def open(self, make, wechat, backend, source):
        """Make a client that has a token in memory."""
        with make(
            wechat.appid,
            wechat.secret,
            hosts=[wechat.url],
            store=backend.make_store("sync" if make is Client else "async"),
            token_source=SOURCES[source](),
            clock=wechat.clock,
        ) as client:
            client.raw_call("GET", PATH)
            wechat.clear()
            yield client

    def test_is_not_needed_while_the_access_token_is_valid(self, make, wechat, backend, source, caplog):
        with self.open(make, wechat, backend, source) as client, backend.broken():
            client.raw_call("GET", PATH)
            wechat.advance(LIFE - SOURCES[source].renew_before)
            for _ in range(20):
                client.raw_call("GET", PATH)
            client.close()  # waits for the renewal

        assert [request.path for request in wechat.requests] == [PATH] * 21
        said = [record.getMessage() for record in caplog.records if record.name == "wechat_msg"]
        assert len(said) == 1
        assert "could not be renewed yet" in said[0]

    def test_does_not_keep_the_stable_source_from_fetching(self, make, wechat, backend):
        with self.open(make, wechat, backend, "stable") as client:
            with backend.broken():
                wechat.advance(LIFE)
                for _ in range(3):
                    client.raw_call("GET", PATH)
                assert len(wechat.requests_to(FETCH["stable"])) == 1
            wechat.advance(LIFE)
            client.raw_call("GET", PATH)

        assert len(wechat.requests_to(FETCH["stable"])) == 2
        assert len(wechat.requests_to(PATH)) == 4

    def test_is_an_error_for_the_classic_source_until_it_is_well(self, make, wechat, backend):
        with self.open(make, wechat, backend, "classic") as client:
            with backend.broken():
                wechat.advance(LIFE)
                for _ in range(2):
                    with pytest.raises(StoreError):
                        client.raw_call("GET", PATH)
                assert wechat.requests == []
            client.raw_call("GET", PATH)

        assert [request.path for request in wechat.requests] == [FETCH["classic"], PATH]


# --- token wars ------------------------------------------------------------------------------------------------------


class HarshAccessTokens(ClassicAccessTokens):
    """Classic tokens of which the one before dies at once."""

    def fetch(self) -> IssuedAccessToken:
        return self._issue(0.0)


class TestAccessTokenWar:
    """Two programs of one account that share no store; an hour takes some milliseconds."""

    HOURS = 4

    @pytest.fixture
    def wechat(self):
        with FakeWeChatAPI(clock=lambda: 1700000000.0) as wechat:
            yield wechat

    def fight(self, wechat, source, every):
        """Let two clients call every so many seconds; return the errors, and how often each of the two succeeded."""
        options = {"hosts": [wechat.url], "clock": wechat.clock, "monotonic": wechat.clock}
        clients = [Client(wechat.appid, wechat.secret, token_source=source(), **options) for _ in range(2)]
        errors, successes = [], [0, 0]
        end = wechat.clock() + self.HOURS * 3600
        with clients[0], clients[1]:
            while wechat.clock() < end:
                for number, client in enumerate(clients):
                    try:
                        client.raw_call("GET", PATH)
                        successes[number] += 1
                    except WeChatError as error:
                        errors.append(error)
                    self.wait_for_renewals()  # which time would otherwise overtake
                wechat.advance(every)
        # RejectedCredential, one more try, and never a third.
        assert len(wechat.requests_to(PATH)) <= 2 * (sum(successes) + len(errors))
        return errors, successes

    def wait_for_renewals(self):
        for thread in threading.enumerate():
            if thread.name == "wechat_msg.renew":
                thread.join()

    def list_warnings(self, caplog):
        return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]

    def test_costs_a_fetch_in_five_minutes_and_each_client_warns_once(self, wechat, caplog):
        errors, _ = self.fight(wechat, ClassicTokenSource, every=60.0)

        assert errors == []
        # Both fetch once. From then on a token dies 5 minutes after the other one was fetched, and is replaced.
        assert 2 + 10 * self.HOURS < len(wechat.requests_to(FETCH["classic"])) <= 2 + 12 * self.HOURS
        warnings = self.list_warnings(caplog)
        assert len(warnings) == 2
        for warning in warnings:
            assert "another program" in warning
            assert "share one store or a token server, or use StableTokenSource" in warning

    def test_in_which_access_tokens_die_at_once_is_ended_by_the_limit_of_fetches(self, wechat, caplog):
        wechat.classic = HarshAccessTokens(wechat.clock)

        errors, successes = self.fight(wechat, ClassicTokenSource, every=30.0)

        # Each of the two replaces 5 rejected tokens in 5 minutes and 200 a day; those that grow old come in addition.
        grown_old = 2 * math.ceil(self.HOURS * 3600 / (LIFE - ClassicTokenSource.renew_before))
        assert len(wechat.requests_to(FETCH["classic"])) <= 2 * 200 + grown_old
        assert {type(error) for error in errors} == {AccessTokenRejected}
        assert all("probably another program fetches them, too" in str(error) for error in errors)
        assert min(successes) >= 200
        assert len(self.list_warnings(caplog)) == 2

    def test_is_none_with_the_stable_source(self, wechat, caplog):
        errors, successes = self.fight(wechat, StableTokenSource, every=120.0)

        assert errors == []
        assert len(wechat.requests_to(PATH)) == sum(successes)
        lives = math.ceil(self.HOURS * 3600 / (LIFE - StableTokenSource.renew_before))
        assert len(wechat.requests_to(FETCH["stable"])) <= 2 * lives
        assert self.list_warnings(caplog) == []
