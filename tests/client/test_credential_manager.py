"""How access_tokens are kept, shared, renewed and replaced: step by step, and in every order."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from attrs import define, field, frozen

from tests.helpers.accounts import make_account
from tests.helpers.rows import check_rows
from wechat_msg._flow import CompareAndSet, Flow, Get, Sleep, drive
from wechat_msg.api.access_token import AccessToken
from wechat_msg.api.call import APPID, Call
from wechat_msg.client import ClassicTokenSource, RemoteTokenSource, Source, StableTokenSource
from wechat_msg.client.credential import Credential, load_failure, to_failure
from wechat_msg.client.credential_manager import (
    FETCH_LIMIT,
    LEASE,
    RENEW_INTERVAL,
    CredentialManager,
    RejectedCredential,
)
from wechat_msg.client.sources import TicketSource, fingerprint
from wechat_msg.client.steps import Background
from wechat_msg.errors import (
    AccessTokenRejected,
    AnswerLost,
    CallError,
    ClientError,
    ConnectFailed,
    InvalidCredential,
    IPNotAllowed,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    StoreError,
    SystemBusy,
    TransportError,
    UnreadableAnswer,
)
from wechat_msg.stores import MemoryStore

NOW = 1_700_000_000.0
DAY = 86400.0
LIFE = 7200
STABLE, CLASSIC = StableTokenSource(), ClassicTokenSource()
REMOTE = RemoteTokenSource("https://tokens.example.com", "SHARED")
WRONG_SECRET = InvalidCredential(40125, "invalid appsecret", "rid", "Check it.")
REPLACED, NO_TOKEN, EXPIRED = 40001, 40014, 42001

both_sources = pytest.mark.parametrize("source", [STABLE, CLASSIC], ids=["stable", "classic"])


# --- a world by hand -------------------------------------------------------------------------------------------------


@frozen
class Ask:
    """The step that asks WeChat, or a token server, for a token."""

    call: Call[Any]
    deadline: float

    @property
    def is_forced(self) -> bool:
        return self.call.json["force_refresh"]


def make_access_token(value: str, expires_in: int = LIFE) -> AccessToken:
    return AccessToken(access_token=value, expires_in=expires_in)


def record(value: str, left: float = LIFE, *, early: float = 240.0) -> bytes:
    """Return what a store holds of a token that was fetched now."""
    return Credential.make(make_access_token(value, int(left)), early, NOW).to_record()


class Killed(BaseException):
    """The process of a flow has ended."""


@define(slots=False)
class World:
    """A store, a clock that stands still unless a test moves it, and a WeChat.

    Attributes:
        source: Where tokens come from.
        now: Seconds since the epoch.
        answers: What WeChat answers next; after that it gives T1, T2 and so on, by the number of the request.
        fails: Says of the number of a step (from 1) for the common store whether it fails.
        lost: A step that fails takes effect all the same.
        asked: What WeChat was asked.
        steps: What the last flow has done.
        background: The flows that are to run in the background.
        managers: Those that were made here.
        owners: Whose flow it is.
        failed: Steps of the store that have failed.
    """

    source: Source = STABLE
    now: float = NOW
    answers: list[Any] = field(factory=list)
    fails: Callable[[int], bool] = lambda number: False
    lost: bool = False
    asked: list[Ask] = field(factory=list)
    steps: list[str] = field(factory=list)
    background: list[Flow[None]] = field(factory=list)
    managers: list[CredentialManager] = field(factory=list)
    owners: dict[Flow[Any], CredentialManager] = field(factory=dict)
    failed: list[str] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(clock=self.monotonic)
        self.store_steps = 0

    def monotonic(self) -> float:
        return self.now - NOW + 5000

    # --- managers and their flows

    def make(
        self, *, secret: str = "SECRET", source: Source | None = None, random: Callable[[], float] = lambda: 0.0
    ) -> CredentialManager:
        """Make a manager, as another process would have one."""
        account = make_account(secret=secret, clock=lambda: self.now, monotonic=self.monotonic, random=random)
        self.managers.append(CredentialManager("wx1", account, source or self.source, self.store, self._send))
        return self.managers[-1]

    def _send(self, call: Call[Any], deadline: float) -> Flow[Any]:
        return (yield Ask(call, deadline))

    def getting(self, manager: CredentialManager, patience: float = 30.0) -> Flow[Credential]:
        return self._register(manager, manager.get(self.monotonic() + patience))

    def replacing(
        self, manager: CredentialManager, value: str, errcode: int = REPLACED, patience: float = 30.0
    ) -> Flow[Credential]:
        rejected = RejectedCredential(value, errcode)
        return self._register(manager, manager.replace(rejected, self.monotonic() + patience))

    def _register(self, manager: CredentialManager, flow: Flow[Any]) -> Flow[Any]:
        self.owners[flow] = manager
        return flow

    def get(self, manager: CredentialManager, patience: float = 30.0) -> str:
        return self.run(self.getting(manager, patience)).value

    def replace(self, manager: CredentialManager, value: str, errcode: int = REPLACED) -> str:
        return self.run(self.replacing(manager, value, errcode)).value

    def renew(self) -> None:
        """Run the flows in the background."""
        while self.background:
            self.run(self.background.pop())

    def run(self, flow: Flow[Any]) -> Any:
        self.steps.clear()
        return drive(flow, self.perform)

    def advance(self, flow: Flow[Any], step: Any = None, *, until: type = Killed) -> Any:
        """Perform a step and those that follow; return the first of a kind, which is not performed, or the result."""
        try:
            while True:
                try:
                    given = None if step is None else self.perform(step)
                except (ClientError, StoreError) as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(given)
                if isinstance(step, until):
                    return step
        except StopIteration as end:
            return end.value

    # --- steps

    def perform(self, step: Any) -> Any:
        self.steps.append(self.describe(step))
        match step:
            case Get() | CompareAndSet():
                return self._ask_store(step)
            case Sleep():
                self.now += step.seconds
            case Background():
                self.background.append(step.flow)
            case Ask():
                return self._answer(step)
        return None

    def _ask_store(self, step: Get | CompareAndSet) -> Any:
        assert len(step.key) <= 200
        assert isinstance(step, Get) or step.ttl > 0  # as stores may rely on
        self.store_steps += step.store is self.store
        if step.store is not self.store or not self.fails(self.store_steps):
            return step.perform()
        if self.lost:
            step.perform()
        raise StoreError("down")

    def _answer(self, step: Ask) -> Any:
        self.asked.append(step)
        answer = self.answers.pop(0) if self.answers else make_access_token(f"T{len(self.asked)}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def describe(self, step: Any) -> str:
        if not isinstance(step, (Get, CompareAndSet)):
            return type(step).__name__.lower()
        key = step.key.removeprefix(f"access_token:wx1:{self.source.name}").strip(":").split(":")[0] or "token"
        return f"{'get' if isinstance(step, Get) else 'set'} {key}"

    # --- the store

    def key(self, part: str = "token") -> str:
        """Return the key of the token, or of another part of what is kept about it."""
        name = f"access_token:wx1:{self.source.name}"
        parts = {"token": name, "failure": self.managers[0]._failure_key if self.managers else ""}
        return parts.get(part, f"{name}:{part}")

    def put(self, value: bytes, part: str = "token", ttl: float = DAY) -> None:
        """Save a record, as another process would."""
        assert self.store.compare_and_set(self.key(part), self.store.get(self.key(part)), value, ttl)

    def put_access_token(self, value: str, left: float = LIFE) -> None:
        made = Credential.make(make_access_token(value, int(left)), self.source.renew_before, self.now)
        self.put(made.to_record(), ttl=left)

    def find(self) -> str | None:
        """Return the token in the store."""
        found = Credential.load(self.store.get(self.key()))
        return found.value if found else None

    def with_access_token(self, value: str = "T0", left: float = LIFE) -> CredentialManager:
        """Return a manager that has a token in memory, which is in the store as well."""
        manager = self.make()
        self.put_access_token(value, left)
        assert self.get(manager) == value
        return manager


@pytest.fixture
def world() -> World:
    return World()


def kill(flow: Flow[Any]) -> None:
    """Let a flow perform no step any more."""
    with contextlib.suppress(Killed):
        flow.throw(Killed())
        while True:
            next(flow)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.levelno == logging.WARNING]


# --- the life of a token ---------------------------------------------------------------------------------------------


class TestNoAccessToken:
    @both_sources
    def test_is_fetched_under_a_lock_and_saved(self, source):
        world = World(source)
        assert world.get(world.make()) == "T1"
        assert world.steps == [
            "get token",
            "get lock",
            "set lock",
            "get token",  # somebody may have been quicker
            "get failure",
            "ask",
            "set token",
            "set lock",
        ]
        assert world.store.get(world.key("lock")) is None
        kept = Credential.load(world.store.get(world.key()))
        assert (kept.value, kept.renew_at, kept.expires_at) == ("T1", NOW + LIFE - source.renew_before, NOW + LIFE)

    def test_is_taken_from_the_store(self, world):
        world.get(world.make())
        assert world.get(world.make()) == "T1"
        assert world.steps == ["get token"]

    def test_is_waited_for_if_another_caller_fetches_it(self, world):
        fetching, waiting = world.getting(world.make()), world.getting(world.make())
        asking = world.advance(fetching, until=Ask)
        step = world.advance(waiting, until=Sleep)
        for _ in range(10):
            step = world.advance(waiting, step, until=Sleep)
        assert world.advance(fetching, asking).value == world.advance(waiting, step).value == "T1"
        assert len(world.asked) == 1

    def test_is_taken_from_a_neighbour_of_the_same_process_without_asking_the_store(self, world):
        manager = world.make()
        fetching, waiting = world.getting(manager), world.getting(manager)
        asking = world.advance(fetching, until=Ask)
        step = world.advance(waiting, until=Sleep)
        world.advance(fetching, asking)
        world.steps.clear()
        assert world.advance(waiting, step).value == "T1"
        assert world.steps == ["sleep"]

    def test_is_waited_for_with_short_pauses_that_grow(self, world):
        world.put(b"somebody", "lock", ttl=5)
        flow = world.getting(world.make(random=lambda: 1.0))
        pauses = [(step := world.advance(flow, until=Sleep)).seconds]
        while world.now < NOW + 4:
            pauses.append((step := world.advance(flow, step, until=Sleep)).seconds)
        kill(flow)
        assert pauses[:3] == [0.04, 0.08, 0.16]
        assert set(pauses[3:]) == {0.25}

    def test_is_waited_for_as_long_as_the_caller_has_time(self, world):
        world.put(b"somebody", "lock", ttl=60)
        with pytest.raises(TransportError, match="another caller is still fetching"):
            world.get(world.make(), patience=5)
        assert NOW + 4.7 < world.now <= NOW + 5
        assert world.asked == []

    def test_is_fetched_when_the_caller_who_was_fetching_it_has_died(self, world):
        fetching = world.getting(world.make())
        world.advance(fetching, until=Ask)
        kill(fetching)
        assert world.get(world.make()) == "T1"
        assert NOW + LEASE <= world.now < NOW + LEASE + 0.3

    def test_is_fetched_in_less_time_than_the_lock_lasts(self, world):
        world.get(world.make())
        assert world.asked[0].deadline == world.monotonic() + FETCH_LIMIT
        assert FETCH_LIMIT < LEASE

    def test_is_another_for_each_source(self, world):
        sources = [STABLE, CLASSIC, REMOTE, TicketSource("jsapi")]
        assert [world.get(world.make(source=source)) for source in sources] == ["T1", "T2", "T3", "T4"]

    def test_has_keys_that_any_store_takes(self):
        for source in (STABLE, CLASSIC, REMOTE, TicketSource("wx_card")):
            account = make_account(secret="secret")
            manager = CredentialManager("x" * 100 + ":wx_card", account, source, MemoryStore(), World()._send)
            for key in (manager._key, manager._failure_key):
                assert len(f"{key}:limited") <= 200
                assert key.isascii()
                assert key.isprintable()
                assert "secret" not in key


class TestAGoodAccessToken:
    @both_sources
    def test_is_given_without_any_step_until_it_is_due_for_renewal(self, source):
        world = World(source)
        manager = world.with_access_token()
        for left in (LIFE, source.renew_before + 0.001):
            world.now = NOW + LIFE - left
            assert world.get(manager) == "T0"
            assert world.steps == []

    @both_sources
    def test_is_renewed_in_the_background_of_calls_which_still_use_it(self, source):
        world = World(source)
        manager = world.with_access_token()
        world.now = NOW + LIFE - source.renew_before
        assert world.get(manager) == "T0"
        assert world.steps == ["background"]
        world.renew()
        assert world.get(manager) == world.find() == "T1"

    @both_sources
    def test_is_given_up_to_its_last_moment(self, source):
        world = World(source)
        manager = world.with_access_token()
        world.now = NOW + LIFE - 0.001
        assert world.get(manager) == "T0"
        world.now = NOW + LIFE
        assert world.get(manager) == "T1"

    def test_is_looked_after_once_a_second_at_most(self, world):
        manager = world.with_access_token()
        looked = []
        for tenth in range(25):
            world.now = NOW + LIFE - 200 + tenth / 10
            world.get(manager)
            looked += [tenth] * len(world.steps)
            for flow in world.background:
                kill(flow)  # so that it does not end
            world.background.clear()
        assert looked == [0, 10 * RENEW_INTERVAL, 20 * RENEW_INTERVAL]

    def test_is_looked_after_half_a_minute_later_if_its_renewal_failed(self, world, caplog):
        manager = world.with_access_token()
        world.now = due = NOW + LIFE - 200
        world.answers = [AnswerLost("gone")]
        world.get(manager)
        world.renew()
        assert warnings_of(caplog) == [f"access_token:wx1:stable could not be renewed yet: {AnswerLost('gone')}"]
        world.now = due + 29.9
        world.get(manager)
        assert world.steps == []
        world.now = due + 30
        world.get(manager)
        world.renew()
        assert world.get(manager) == "T2"

    def test_is_not_renewed_if_another_caller_has_done_so(self, world):
        manager = world.with_access_token()
        world.now = NOW + LIFE - 200
        world.put_access_token("THEIRS")
        world.get(manager)
        world.renew()
        assert world.steps == ["get token"]
        assert (world.get(manager), world.asked) == ("THEIRS", [])

    def test_is_not_renewed_while_another_caller_renews_it(self, world):
        manager = world.with_access_token()
        world.now = NOW + LIFE - 200
        world.put(b"somebody", "lock", ttl=8)
        world.get(manager)
        world.renew()
        assert world.steps == ["get token", "get lock"]
        assert (world.get(manager), world.asked) == ("T0", [])

    def test_that_is_due_in_the_store_is_given_and_renewed_in_the_background(self, world):
        world.put_access_token("OLD", left=200)
        world.now += 190
        manager = world.make()
        assert world.get(manager) == "OLD"
        assert world.get(manager) == "OLD"
        assert world.steps == ["background"]
        world.renew()
        assert world.get(manager) == "T1"

    def test_that_has_expired_in_the_store_is_replaced(self, world):
        """The record of a process whose clock runs behind."""
        world.put(record("OLD", 100), ttl=DAY)
        world.now += 100
        assert world.get(world.make()) == world.find() == "T1"


class TestALifeOfAnyLength:
    def test_is_used_up_to_its_end_and_never_fetched_twice_at_once(self):
        def check(expires_in, renewed_after, expires_after):
            world = World()
            world.answers = [make_access_token("ODD", expires_in)]
            manager = world.make()
            assert world.get(manager) == "ODD"
            assert (manager._cached.renew_at, manager._cached.expires_at) == (NOW + renewed_after, NOW + expires_after)
            world.now = NOW + renewed_after - 0.01
            assert (world.get(manager), world.steps) == ("ODD", [])
            world.now = NOW + expires_after - 0.01
            assert (world.get(manager), world.get(world.make())) == ("ODD", "ODD")
            world.now = NOW + expires_after
            assert world.store.get(world.key()) is None
            assert world.get(manager) == "T2"

        check_rows(
            [
                (7200, 6960, 7200),
                (345, 105, 345),  # as WeChat gives the same one again when it is nearly over
                (300, 60, 300),
                (270, 30, 270),
                (241, 30, 241),
                (240, 30, 240),
                (200, 30, 200),
                (60, 30, 60),
                (59, 29.5, 59),
                (10, 5, 10),
                (1, 0.5, 1),
                (2592000, 2591760, 2592000),
                (2592001, 2591760, 2592000),
                (10**18, 2591760, 2592000),
                (10**400, 2591760, 2592000),
            ],
            check,
        )

    def test_that_is_over_is_no_answer(self):
        def check(answer):
            world = World()
            world.answers = [answer]
            with pytest.raises(UnreadableAnswer, match="empty or has no time left"):
                world.get(world.make())
            assert (world.find(), world.store.get(world.key("lock"))) == (None, None)

        check_rows(
            [
                (row,)
                for row in [
                    make_access_token("T", 0),
                    make_access_token("T", -1),
                    make_access_token("T", -(10**400)),
                    make_access_token("", 7200),
                ]
            ],
            check,
        )

    def test_begins_before_the_fetch(self, world):
        manager = world.make()
        flow = world.getting(manager)
        asking = world.advance(flow, until=Ask)
        world.now += 5
        kept = world.advance(flow, asking)
        assert kept.expires_at == NOW + LIFE
        world.now = NOW + LIFE
        assert world.find() is None

    def test_that_ended_while_it_was_fetched_is_given_but_not_saved(self, world):
        world.answers = [make_access_token("SHORT", 3)]
        flow = world.getting(world.make())
        asking = world.advance(flow, until=Ask)
        world.now += 3
        assert world.advance(flow, asking).value == "SHORT"
        assert world.find() is None


# --- rejected --------------------------------------------------------------------------------------------------------


class TestARejectedAccessToken:
    @both_sources
    @pytest.mark.parametrize("errcode", [REPLACED, NO_TOKEN, EXPIRED])
    def test_is_replaced(self, source, errcode):
        world = World(source)
        manager = world.with_access_token()
        assert world.replace(manager, "T0", errcode) == "T1"
        assert (world.get(manager), world.find()) == ("T1", "T1")
        assert len(world.asked) == 1

    def test_is_compared_with_the_one_in_memory_first(self, world):
        manager = world.with_access_token()
        assert world.replace(manager, "EARLIER") == "T0"
        assert world.steps == []

    def test_is_compared_with_the_one_in_the_store_next(self, world):
        manager = world.with_access_token()
        world.put_access_token("THEIRS")
        assert world.replace(manager, "T0") == "THEIRS"
        assert world.steps == ["get token"]

    def test_is_compared_with_the_one_that_came_while_it_waited_for_the_lock(self, world):
        flow = world.replacing(world.with_access_token(), "T0")
        step = world.advance(flow, until=CompareAndSet)
        world.put_access_token("THEIRS")
        assert world.advance(flow, step).value == "THEIRS"
        assert world.asked == []
        assert world.store.get(world.key("lock")) is None

    def test_is_not_replaced_by_one_that_has_expired(self, world):
        manager = world.with_access_token(left=100)
        world.put(record("THEIRS", 50))
        world.now += 50
        assert world.replace(manager, "T0") == "T1"

    def test_is_replaced_by_one_that_is_due_for_renewal(self, world):
        manager = world.with_access_token(left=100)
        world.put(record("THEIRS", 60))
        world.now += 59
        assert world.replace(manager, "T0") == "THEIRS"

    def test_that_is_not_in_the_store_is_replaced_by_the_stored_one(self, world):
        world.put_access_token("THEIRS")
        assert world.replace(world.make(), "NONSENSE") == "THEIRS"

    def test_is_the_end_if_no_other_can_be_had(self, world):
        manager = world.with_access_token()
        world.answers = [make_access_token("T0"), make_access_token("T0")]
        with pytest.raises(AccessTokenRejected, match="gives the rejected access_token again") as caught:
            world.replace(manager, "T0")
        assert "Check AppID and hosts" in caught.value.hint
        assert [ask.is_forced for ask in world.asked] == [False, True]

    def test_stays_in_the_store_until_there_is_another(self, world):
        """So that those to whom it is good news that it was rejected can compare."""
        manager = world.with_access_token()
        world.answers = [AnswerLost("gone")]
        with pytest.raises(AnswerLost):
            world.replace(manager, "T0")
        assert world.find() == "T0"


class TestAStickyStableAccessToken:
    def stick(self, world: World, old: str, new: str) -> None:
        """Let WeChat give the old token until a new one is forced."""
        world.answers += [make_access_token(old), make_access_token(new)]

    def test_is_replaced_by_force_only_if_it_is_given_again(self, world):
        manager = world.with_access_token()
        self.stick(world, "T0", "NEW")
        assert world.replace(manager, "T0") == world.find() == "NEW"
        assert [ask.is_forced for ask in world.asked] == [False, True]

    def test_is_not_replaced_by_force_if_another_is_given(self, world):
        manager = world.with_access_token()
        world.replace(manager, "T0")
        assert [ask.is_forced for ask in world.asked] == [False]
        assert world.store.get(world.key("limited")) is None

    def test_has_one_time_limit_for_both_requests(self, world):
        manager = world.with_access_token()
        self.stick(world, "T0", "NEW")
        flow, end = world.replacing(manager, "T0"), world.monotonic() + FETCH_LIMIT
        asking = world.advance(flow, until=Ask)
        world.now += 3
        world.advance(flow, world.advance(flow, asking, until=Ask))
        assert [ask.deadline for ask in world.asked] == [end, end]

    def test_is_replaced_by_force_every_30_seconds_at_most(self, world):
        manager = world.with_access_token()
        self.stick(world, "T0", "NEW")
        world.replace(manager, "T0")
        world.now += 29.9
        world.answers = [make_access_token("NEW")]
        with pytest.raises(AccessTokenRejected, match="no new access_token was fetched") as caught:
            world.replace(manager, "NEW")
        assert "Too many new access_tokens" in caught.value.hint
        world.now = NOW + 30
        world.store.compare_and_set(world.key("failure"), world.store.get(world.key("failure")), None, 1)
        self.stick(world, "NEW", "NEWER")
        assert world.replace(manager, "NEW") == "NEWER"

    def test_is_replaced_by_force_20_times_a_day_at_most(self, world):
        manager = world.with_access_token("N0")
        for number in range(20):
            self.stick(world, f"N{number}", f"N{number + 1}")
            assert world.replace(manager, f"N{number}") == f"N{number + 1}"
            world.now += 31
        world.answers = [make_access_token("N20")]
        with pytest.raises(AccessTokenRejected, match="no new access_token was fetched"):
            world.replace(manager, "N20")
        world.now = NOW + DAY - 1
        world.put_access_token("N20")
        world.answers = [make_access_token("N20")]
        with pytest.raises(AccessTokenRejected, match="no new access_token was fetched"):
            world.replace(manager, "N20")
        world.now = NOW + DAY + 2
        self.stick(world, "N20", "N21")
        assert world.replace(manager, "N20") == "N21"

    def test_shares_its_limits_with_other_processes(self, world):
        manager, other = world.with_access_token(), world.make()
        self.stick(world, "T0", "NEW")
        world.replace(manager, "T0")
        world.answers = [make_access_token("NEW")]
        with pytest.raises(AccessTokenRejected, match="no new access_token was fetched"):
            world.replace(other, "NEW")

    def test_is_raised_for_the_waiting_callers_without_another_request(self, world):
        manager, other = world.with_access_token(), world.make()
        world.answers = [make_access_token("T0"), make_access_token("T0")]
        for each in (manager, other):
            with pytest.raises(AccessTokenRejected, match="gives the rejected access_token again"):
                world.replace(each, "T0")
        assert len(world.asked) == 2


class TestAClassicAccessToken:
    def war(self, world: World, manager: CredentialManager, battles: int, seconds: float) -> None:
        """Let each token be rejected after so many seconds."""
        for _ in range(battles):
            rejected = world.get(manager)
            assert world.replace(manager, rejected) != rejected
            world.now += seconds

    @pytest.fixture
    def world(self) -> World:
        return World(CLASSIC)

    def test_is_replaced_5_times_in_300_seconds_at_most(self, world):
        manager = world.with_access_token()
        self.war(world, manager, 5, 10)
        with pytest.raises(AccessTokenRejected, match="no new access_token was fetched") as caught:
            world.replace(manager, "T5")
        assert "Too many new access_tokens" in caught.value.hint
        assert len(world.asked) == 5
        world.now = NOW + 299.9
        with pytest.raises(AccessTokenRejected):
            world.replace(manager, "T5")
        world.now = NOW + 302
        assert world.replace(manager, "T5") == "T6"

    def test_is_replaced_200_times_a_day_at_most(self, world):
        manager = world.with_access_token()
        self.war(world, manager, 200, 61)
        with pytest.raises(AccessTokenRejected, match="no new access_token was fetched"):
            world.replace(manager, world.get(manager))

    def test_is_renewed_and_fetched_without_such_limits(self, world):
        manager = world.with_access_token()
        self.war(world, manager, 5, 1)
        world.now += LIFE - 600
        world.get(manager)
        world.renew()
        assert world.get(manager) == "T6"
        world.now += LIFE
        assert world.get(manager) == "T7"

    def test_logs_once_that_another_program_fetches_too(self, world, caplog):
        manager = world.with_access_token()
        self.war(world, manager, 3, 10)
        assert len(warnings_of(caplog)) == 1
        assert "access_token:wx1:classic was replaced before it expired" in warnings_of(caplog)[0]

    def test_logs_nothing_if_it_was_rejected_for_another_reason(self, caplog):
        def check(errcode):
            world = World(CLASSIC)
            world.replace(world.with_access_token(), "T0", errcode)
            assert warnings_of(caplog) == []

        check_rows([(row,) for row in [NO_TOKEN, EXPIRED]], check)

    def test_logs_nothing_if_it_was_due_for_renewal(self, world, caplog):
        """A process that was renewing it has died, and the new one was lost with it."""
        manager = world.with_access_token()
        world.now += LIFE - 600
        world.replace(manager, "T0")
        assert warnings_of(caplog) == []

    def test_logs_nothing_if_it_differs_from_the_one_in_the_store(self, world, caplog):
        manager = world.with_access_token()
        world.put(record("THEIRS", 1))
        world.now += 1
        world.replace(manager, "T0")
        assert warnings_of(caplog) == []

    def test_logs_nothing_about_stable_access_tokens(self, caplog):
        world = World(STABLE)
        world.replace(world.with_access_token(), "T0")
        assert warnings_of(caplog) == []


# --- failures --------------------------------------------------------------------------------------------------------


class TestAFailedFetch:
    def test_is_remembered_for_all_callers_and_forgotten_in_time(self):
        def check(error, seconds):
            world = World()
            first, second = world.make(), world.make()
            world.answers = [error]
            for manager, later in ((first, 0), (second, 0), (first, seconds - 0.01), (second, seconds - 0.01)):
                world.now = NOW + later
                with pytest.raises(type(error)) as caught:
                    world.get(manager)
                assert (type(caught.value), caught.value.args) == (type(error), error.args)
                assert str(caught.value) == str(error)
            assert len(world.asked) == 1
            world.now = NOW + seconds
            assert world.get(second) == "T2"
            assert world.store.get(world.key("lock")) is None

        check_rows(
            [
                (WRONG_SECRET, 120),
                (InvalidCredential(40013, "invalid appid"), 120),
                (IPNotAllowed(40164, "invalid ip 1.2.3.4, not in whitelist"), 60),
                (PermissionDenied(50002, "user limited"), 60),
                (QuotaExhausted(45009, "reach max api daily quota limit"), 60),
                (RateLimited(45011, "api minute-quota reach limit"), 20),
                (SystemBusy(-1, "system error"), 2),
                (ConnectFailed("refused"), 2),
                (AnswerLost("gone"), 2),
                (TransportError("odd"), 2),
                (UnreadableAnswer("HTTP 502, text/html, 5 bytes: no JSON object", 502, hint="可能被代理改写"), 2),
            ],
            check,
        )

    def test_for_a_reason_that_only_this_client_has_is_not_remembered(self, world):
        world.answers = [CallError("this call needs the AppSecret")]
        with pytest.raises(CallError):
            world.get(world.make())
        assert world.get(world.make()) == "T2"

    def test_is_not_held_against_another_secret(self, world):
        world.answers = [WRONG_SECRET]
        with pytest.raises(InvalidCredential):
            world.get(world.make(secret="WRONG"))
        assert world.get(world.make(secret="RIGHT")) == "T2"

    def test_does_not_store_the_secret(self, world):
        world.answers = [WRONG_SECRET]
        with pytest.raises(InvalidCredential):
            world.get(world.make(secret="SECRET"))
        assert not any("SECRET" in key or b"SECRET" in value for key, (value, _) in world.store._entries.items())

    def test_is_raised_for_the_waiting_callers(self, world):
        fetching, waiting = world.getting(world.make()), world.getting(world.make())
        steps = {fetching: world.advance(fetching, until=Ask), waiting: world.advance(waiting, until=Sleep)}
        world.answers = [WRONG_SECRET]
        for flow, step in steps.items():
            with pytest.raises(InvalidCredential):
                world.advance(flow, step)
        assert len(world.asked) == 1

    def test_costs_the_access_token_in_memory_nothing(self, world):
        manager = world.with_access_token()
        world.now = NOW + LIFE - 1
        world.answers = [WRONG_SECRET]
        world.get(manager)
        world.renew()
        assert world.get(manager) == "T0"
        world.now = NOW + LIFE
        with pytest.raises(InvalidCredential):
            world.get(manager)
        assert len(world.asked) == 1

    def test_does_not_hide_an_access_token_that_another_caller_has_fetched(self, world):
        world.answers = [WRONG_SECRET]
        manager = world.make()
        with pytest.raises(InvalidCredential):
            world.get(manager)
        world.put_access_token("THEIRS")
        assert world.get(manager) == "THEIRS"


# --- the store -------------------------------------------------------------------------------------------------------


#: For how long the store fails, and whether what it failed at was done all the same.
FAILURES = {"once": (False, False), "once, but did as it was told": (False, True), "from then on": (True, False)}
#: How often the store is asked, and how often before WeChat is.
STEPS, BEFORE = 7, 5


class TestAStoreThatFails:
    def fail_at(self, world: World, step: int, *, for_good: bool, lost: bool) -> None:
        world.store_steps, world.lost = 0, lost
        world.fails = lambda number: number == step or (for_good and number > step)

    def test_lets_a_shared_source_be_asked_alone(self):
        def check(for_good, lost, step):
            world = World()
            self.fail_at(world, step, for_good=for_good, lost=lost)
            manager = world.make()
            assert world.get(manager) == world.get(manager) == "T1"
            assert len(world.asked) == 1
            assert world.now == NOW

        check_rows([(*row, step) for row in FAILURES.values() for step in range(1, STEPS + 1)], check)

    def test_lets_a_classic_access_token_be_fetched_only_under_the_lock(self):
        def check(for_good, lost, step):
            world = World(CLASSIC)
            self.fail_at(world, step, for_good=for_good, lost=lost)
            manager = world.make()
            if step <= BEFORE:
                with pytest.raises(StoreError):
                    world.get(manager)
                assert world.asked == []
            else:
                assert world.get(manager) == world.get(manager) == "T1"
                assert len(world.asked) == 1

        check_rows([(*row, step) for row in FAILURES.values() for step in range(1, STEPS + 1)], check)

    def test_lets_a_rejected_access_token_be_replaced_by_the_same_rule(self):
        def check(for_good, lost, step, source):
            world = World(source)
            manager = world.with_access_token()
            self.fail_at(world, step, for_good=for_good, lost=lost)
            steps_before = BEFORE if source is STABLE else BEFORE + 2  # as each attempt is counted
            if source is CLASSIC and step <= steps_before:
                with pytest.raises(StoreError):
                    world.replace(manager, "T0")
                assert world.asked == []
            else:
                assert world.replace(manager, "T0") == "T1"
                assert len(world.asked) == 1

        check_rows(
            [
                (*row, step, source)
                for row in FAILURES.values()
                for step in range(1, STEPS + 3)
                for source in [STABLE, CLASSIC]
            ],
            check,
        )

    def test_does_not_disturb_an_access_token_in_memory(self, caplog):
        def check(for_good, lost, step, source):
            caplog.clear()
            world = World(source)
            manager = world.with_access_token()
            world.now = NOW + LIFE - 100
            self.fail_at(world, step, for_good=for_good, lost=lost)
            assert world.get(manager) == "T0"
            world.renew()
            assert world.get(manager) == ("T0" if step <= BEFORE else "T1")
            assert len(world.asked) == (step > BEFORE)
            assert caplog.records

        check_rows(
            [
                (*row, step, source)
                for row in FAILURES.values()
                for step in range(1, STEPS + 1)
                for source in [STABLE, CLASSIC]
            ],
            check,
        )

    def test_hides_no_error_of_wechat(self):
        def check(step, source):
            world = World(source)
            world.answers = [WRONG_SECRET, WRONG_SECRET]
            self.fail_at(world, step, for_good=True, lost=False)
            with pytest.raises(StoreError if source is CLASSIC and step <= BEFORE else InvalidCredential):
                world.get(world.make())

        check_rows([(step, source) for step in range(1, STEPS + 1) for source in [STABLE, CLASSIC]], check)

    def test_is_complained_of(self, world, caplog):
        self.fail_at(world, 1, for_good=True, lost=False)
        world.get(world.make())
        first = caplog.records[0]
        assert first.levelname == "ERROR"
        assert (
            first.getMessage()
            == f"sharing access_token:wx1:stable is degraded: {StoreError('down')} (0 more errors since the last line)"
        )

    def test_makes_a_process_remember_a_failed_fetch_by_itself(self, world):
        self.fail_at(world, 1, for_good=True, lost=False)
        world.answers = [WRONG_SECRET]
        manager = world.make()
        for _ in range(2):
            with pytest.raises(InvalidCredential):
                world.get(manager)
        assert len(world.asked) == 1

    def test_makes_a_process_count_what_it_forces_by_itself(self, world):
        manager = world.with_access_token()
        self.fail_at(world, 1, for_good=True, lost=False)
        world.answers = [make_access_token("T0"), make_access_token("NEW"), make_access_token("NEW")]
        assert world.replace(manager, "T0") == "NEW"
        with pytest.raises(AccessTokenRejected, match="no new access_token was fetched"):
            world.replace(manager, "NEW")

    def test_is_taken_up_again_at_the_next_renewal(self, world):
        self.fail_at(world, 1, for_good=True, lost=False)
        manager = world.make()
        world.get(manager)
        self.fail_at(world, 0, for_good=False, lost=False)
        world.now += LIFE - 240
        world.get(manager)
        world.renew()
        assert world.get(manager) == world.find() == "T2"


HUGE = "1" + "0" * 400
GARBAGE = [
    b"",
    b"\xff\xfe",
    b"garbage",
    b"null",
    b"true",
    b"5",
    b'"T9"',
    b"[]",
    b"{}",
    b"[" * 100_000,
    b"9" * 5000,
    # --- no token
    b'{"value":"T9"}',
    b'{"value":5,"renew_at":1700005000,"expires_at":1700007000}',
    b'{"value":null,"renew_at":1700005000,"expires_at":1700007000}',
    b'{"value":"","renew_at":1700005000,"expires_at":1700007000}',
    b'{"value":"\\ud800","renew_at":1700005000,"expires_at":1700007000}',
    b'{"value":"T9","renew_at":"1700005000","expires_at":"1700007000"}',
    b'{"value":"T9","renew_at":null,"expires_at":null}',
    b'{"value":"T9","renew_at":NaN,"expires_at":NaN}',
    b'{"value":"T9","renew_at":Infinity,"expires_at":Infinity}',
    b'{"value":"T9","renew_at":1e999,"expires_at":1e999}',
    f'{{"value":"T9","renew_at":{HUGE},"expires_at":{HUGE}}}'.encode(),
    # --- no failure
    b'{"error":"APIError","args":[]}',
    b'{"error":"TransportError","args":[]}',
    b'{"error":"APIError","args":"text"}',
    b'{"error":"APIError","args":[1,2,3,4,5]}',
    b'{"error":"UnreadableAnswer","args":[1,2,3]}',
    b'{"error":["APIError"],"args":[1]}',
    b'{"error":"StoreError","args":["x"]}',
    b'{"error":"SystemExit","args":["x"]}',
    b'{"error":"__name__","args":["x"]}',
    b'{"error":"annotations","args":["x"]}',
    # --- no moments
    b'["x"]',
    b"[null]",
    b"[[]]",
    b"[true]",
    b"[NaN]",
    b"[Infinity]",
    b"[-Infinity]",
    b"[1e999]",
    f"[{HUGE}]".encode(),
    f"[-{HUGE}]".encode(),
]


class TestGarbageInTheStore:
    def test_is_taken_for_nothing(self):
        def check(garbage, part):
            world = World()
            manager = world.make()
            world.put(garbage, part, ttl=5)
            assert world.get(manager) == "T1"
            world.put(garbage, part, ttl=5)
            world.answers = [make_access_token("T1"), make_access_token("NEW")]
            assert world.replace(manager, "T1") == "NEW"
            assert [ask.is_forced for ask in world.asked] == [False, False, True]
            world.now += LIFE - 200
            world.put(garbage, part, ttl=5)
            assert world.get(manager) == "NEW"
            world.renew()
            assert world.get(manager) == ("NEW" if part == "lock" else "T4")
            assert world.now < NOW + LIFE - 200 + 11

        check_rows([(garbage, part) for garbage in GARBAGE for part in ["token", "failure", "limited", "lock"]], check)

    def test_is_replaced(self, world):
        manager = world.make()
        world.put(b"garbage")
        world.get(manager)
        assert world.find() == "T1"


class TestARecord:
    def test_of_an_access_token_is_read_as_it_was_written(self):
        made = Credential.make(make_access_token("T1"), 240.0, NOW)
        assert Credential.load(made.to_record()) == made

    def test_of_an_access_token_is_short_enough_for_any_store(self):
        assert len(Credential.make(make_access_token("x" * 512), 240.0, NOW).to_record()) < 1024

    def test_of_moments_is_short_enough_for_any_store(self):
        world = World(CLASSIC)
        manager = world.with_access_token()
        TestAClassicAccessToken().war(world, manager, 200, 61.123456)
        assert len(world.store.get(world.key("limited"))) < 8192

    def test_of_a_failure_is_read_as_it_was_written(self):
        for error in (WRONG_SECRET, APIError_without_text(), AnswerLost("gone"), UnreadableAnswer("HTML", 502)):
            read = load_failure(to_failure(error))
            assert (type(read), read.args, str(read)) == (type(error), error.args, str(error))

    def test_is_json(self, world):
        """Whoever looks into a store can read what is there."""
        world.get(world.make())
        found = json.loads(world.store.get(world.key()))
        assert found == {"value": "T1", "renew_at": NOW + 6960, "expires_at": NOW + 7200}

    def test_shows_no_access_token_in_its_repr(self):
        assert "SECRET" not in repr(Credential("SECRET", 1, 2))
        assert "SECRET" not in repr(RejectedCredential("SECRET", 40001))


def APIError_without_text() -> ClientError:  # noqa: N802
    return SystemBusy(-1)


# --- sources ---------------------------------------------------------------------------------------------------------


class TestATokenServer:
    def test_is_asked_for_an_access_token(self):
        (attempt,) = REMOTE.attempts(None)
        call = attempt.call
        assert (call.method, call.host, call.path) == ("POST", "https://tokens.example.com", "/token")
        assert call.json == {"appid": APPID, "rejected": None}
        assert call.headers == {"Authorization": "Bearer SHARED"}
        assert call.needs_access_token is False
        assert attempt.is_limited is False

    def test_receives_only_the_fingerprint_of_a_rejected_access_token(self, world):
        world = World(REMOTE)
        manager = world.with_access_token("TOKEN")
        world.replace(manager, "TOKEN")
        (ask,) = world.asked
        assert ask.call.json["rejected"] == fingerprint("TOKEN")
        assert "TOKEN" not in repr(attrs.asdict(ask.call, recurse=False))
        assert len(fingerprint("TOKEN")) == 64

    def test_is_asked_once_even_if_it_returns_the_rejected_access_token_again(self):
        world = World(REMOTE)
        manager = world.with_access_token()
        world.answers = [make_access_token("T0")]
        with pytest.raises(AccessTokenRejected, match="gives the rejected access_token again"):
            world.replace(manager, "T0")
        assert len(world.asked) == 1

    def test_is_asked_again_for_an_access_token_that_expires_soon_but_not_at_each_call(self):
        """It has not renewed it yet."""
        world = World(REMOTE)
        manager = world.with_access_token(left=125)
        world.answers = [make_access_token("T0", 100), make_access_token("T0", 70)]
        asked = []
        for second in range(70):
            world.now = NOW + 10 + second
            world.get(manager)
            asked += [second] * len(world.background)
            world.renew()
        assert asked == [20, 50]

    def test_has_a_plain_address_and_secret(self):
        def check(url):
            with pytest.raises(CallError, match="must be printable ASCII"):
                RemoteTokenSource(url, "SHARED")
            with pytest.raises(CallError, match="must be printable ASCII"):
                RemoteTokenSource("https://tokens.example.com", url)

        check_rows(["", "a\r\nb", "https://例子.cn", None, 5], check)


def test_fingerprints_differ_and_exist_for_any_text():
    assert len({fingerprint(value) for value in ("", "a", "b", "密", "\ud800")}) == 5


# --- all orders ------------------------------------------------------------------------------------------------------


#: What may happen at a step: it is performed; its process ends; all stand still for as long as a lease lasts; the store
#: fails; the store does its work and fails.
GO, DIE, STALL, FAIL, LIE = "goes on", "dies", "stalls", "fails", "lies"
Flows = dict[str, Flow[Any]]


class Race:
    """Flows whose steps are taken one by one, in an order from outside.

    Who sleeps is woken only if something has changed. When all sleep and nothing changes any more, the lease ends.
    """

    def __init__(self, world: World, flows: Flows, deaths: int, stalls: int, failures: int) -> None:
        self.world, self.live = world, dict(flows)
        self.left = {DIE: deaths, STALL: stalls, FAIL: failures}
        self.ends: dict[str, Any] = {}
        self._pending: dict[str, Any] = dict.fromkeys(flows)
        self._given: dict[str, list[Any]] = {name: [] for name in flows}
        self._writers: dict[bytes, str] = {}
        self._changes = 0
        self._asleep: dict[str, int] = {}
        self._store_of: dict[str, str] = {}

    def choices(self) -> list[tuple[str, str]]:
        """Return what could happen next."""
        awake = self._list_awake()
        stored = [name for name in awake if isinstance(self._pending[name], (Get, CompareAndSet))]
        return [
            *((name, GO) for name in awake),
            *((name, DIE) for name in awake if self.left[DIE]),
            *((name, STALL) for name in awake[:1] if self.left[STALL]),
            *((name, choice) for name in stored if self.left[FAIL] for choice in (FAIL, LIE)),
        ]

    def _list_awake(self) -> list[str]:
        return [name for name in self.live if self._asleep.get(name) != self._changes]

    def take(self, name: str, choice: str) -> None:
        """Let it happen."""
        flow, step = self.live[name], self._pending[name]
        if choice == DIE:
            self.left[DIE] -= 1
            kill(self.live.pop(name))
        elif choice == STALL:
            self.left[STALL] -= 1
            self.world.now += LEASE
            self._asleep.clear()
        else:
            self._resume(name, choice, flow, step)
        if not self._list_awake():
            self.world.now += LEASE * bool(self.live)
            self._asleep.clear()

    def _resume(self, name: str, choice: str, flow: Flow[Any], step: Any) -> None:
        try:
            given = self._perform(name, choice, step)
            self._remember(name, given)
            step = flow.throw(given) if isinstance(given, Exception) else flow.send(given)
        except StopIteration as end:
            self._end(name, None if end.value is None else end.value.value)
        except (ClientError, StoreError) as error:
            self._end(name, type(error))
        else:
            self._pending[name] = step
            if isinstance(step, Sleep):
                self._asleep[name] = self._changes
                self._given[name] = [self._store_of.get(name)]  # all that it remembers

    def _perform(self, name: str, choice: str, step: Any) -> Any:
        """Return what the flow is given: an answer, or an error."""
        if isinstance(step, Background):
            self.world.owners[step.flow] = self.world.owners[self.live[name]]
            self._add(f"{name}, background", step.flow)
            return None
        if step is None or isinstance(step, Sleep):
            return None
        if isinstance(step, Get):
            self._store_of[name] = "common" if step.store is self.world.store else "private"
        if choice != GO:
            self.left[FAIL] -= 1
            self.world.failed.append(f"{self.world.describe(step)} {choice}")
        if choice == FAIL:
            return StoreError("down")
        if isinstance(step, CompareAndSet) and step.value is not None:
            self._writers.setdefault(step.value, f"{name} {len(self._given[name])}")
        try:
            given = self.world.perform(step)
        except ClientError as error:
            given = error
        self._changes += isinstance(step, Ask) or given is True
        return StoreError("down") if choice == LIE else given

    def _add(self, name: str, flow: Flow[Any]) -> None:
        self.live[name], self._pending[name], self._given[name] = flow, None, []

    def _end(self, name: str, value: Any) -> None:
        self.ends[name] = value
        self._changes += 1
        del self.live[name]

    def _remember(self, name: str, given: Any) -> None:
        shown = type(given) if isinstance(given, Exception) else getattr(given, "value", given)
        owner = self.world.owners.get(self.live[name])
        self._given[name].append((self._name(shown), owner and owner._cached and owner._cached.value))

    def _name(self, value: Any) -> Any:
        """Return who wrote a value, as the owners of locks are random."""
        return self._writers.get(value, value) if isinstance(value, bytes) else value

    def state(self) -> str:
        """Return what all that may follow depends on."""
        stores = [self.world.store, *(manager._private_store for manager in self.world.managers)]
        entries = [{key: (self._name(value), end) for key, (value, end) in store._entries.items()} for store in stores]
        flows = [(name, self._given[name], type(self._pending[name]).__name__) for name in self.live]
        seen = (
            sorted(flows),
            sorted(set(self.live) - set(self._list_awake())),
            [sorted(each.items()) for each in entries],
            [
                (each._cached and each._cached.value, each._next_renewal, each._has_warned)
                for each in self.world.managers
            ],
            [
                (flight._running, flight._failed_at, type(flight._failure))
                for each in self.world.managers
                for flight in each._flights.values()
            ],
            sorted(self.ends.items(), key=str),
            (self.world.now, len(self.world.asked), self.left),
        )
        return repr(seen)

    def abandon(self) -> None:
        for flow in self.live.values():
            kill(flow)


def explore(
    make: Callable[[], tuple[World, Flows]], *, deaths: int = 0, stalls: int = 0, failures: int = 0
) -> Iterator[Race]:
    """Run flows in every order of their steps; of orders that lead to the same, one.

    Args:
        make: Makes a new world and the flows in it.
        deaths: So many flows at most end at some step.
        stalls: So many times at most all stand still.
        failures: So many steps of the store at most fail.
    """
    unexplored: list[list[tuple[str, str]]] = [[]]
    seen: set[str] = set()
    while unexplored:
        taken = unexplored.pop()
        race = Race(*make(), deaths, stalls, failures)
        for choice in taken:
            race.take(*choice)
        while (choices := race.choices()) and (state := race.state()) not in seen:
            seen.add(state)
            unexplored.extend([*taken, other] for other in choices[1:])
            taken = [*taken, choices[0]]
            race.take(*choices[0])
        if not race.live:
            yield race
        race.abandon()


def list_worlds(*args: Any, **options: Any) -> list[tuple[World, dict[str, Any]]]:
    found = [(race.world, race.ends) for race in explore(*args, **options)]
    assert found
    return found


NAMES = ("a", "b", "c")
apart_or_not = pytest.mark.parametrize("apart", [True, False], ids=["processes", "threads"])


class TestInEveryOrder:
    """Flows of so many processes, or of so many threads of one."""

    @pytest.fixture(autouse=True)
    def silence_logs(self, caplog):
        caplog.set_level(logging.CRITICAL, "wechat_msg")

    def managers(self, world: World, apart: bool, count: int) -> dict[str, CredentialManager]:
        together = world.make()
        return {name: world.make() if apart else together for name in NAMES[:count]}

    def cold(self, source: Source, apart: bool, count: int = 3) -> Callable[[], tuple[World, Flows]]:
        def make() -> tuple[World, Flows]:
            world = World(source)
            return world, {name: world.getting(each) for name, each in self.managers(world, apart, count).items()}

        return make

    def due(self, source: Source, apart: bool, count: int = 3) -> Callable[[], tuple[World, Flows]]:
        """Of processes each has found out that the token is due; of threads one will be the first to."""

        def make() -> tuple[World, Flows]:
            world = World(source)
            world.put_access_token("T0")
            managers = self.managers(world, apart, count)
            for manager in managers.values():
                world.get(manager)
            world.now += LIFE - 100
            if not apart:
                return world, {name: world.getting(each) for name, each in managers.items()}
            for manager in managers.values():
                assert world.get(manager) == "T0"
            return world, dict(zip(NAMES, world.background, strict=False))

        return make

    def rejected(self, source: Source, apart: bool, count: int = 3) -> Callable[[], tuple[World, Flows]]:
        def make() -> tuple[World, Flows]:
            world = World(source)
            world.put_access_token("T0")
            managers = self.managers(world, apart, count)
            for manager in managers.values():
                world.get(manager)
            return world, {name: world.replacing(each, "T0") for name, each in managers.items()}

        return make

    # --- one fetches

    @both_sources
    @apart_or_not
    def test_a_cold_start_takes_one_fetch_and_no_time(self, source, apart):
        for world, ends in list_worlds(self.cold(source, apart)):
            assert ends == dict.fromkeys(NAMES, "T1")
            assert (len(world.asked), world.now) == (1, NOW)
            assert world.store.get(world.key("lock")) is None

    @both_sources
    @apart_or_not
    def test_a_renewal_takes_one_fetch_and_no_caller_waits_for_it(self, source, apart):
        for world, ends in list_worlds(self.due(source, apart)):
            assert set(ends.values()) <= {"T0", "T1", None}
            assert (len(world.asked), world.find()) == (1, "T1")
            assert "sleep" not in world.steps
            assert world.store.get(world.key("lock")) is None

    @both_sources
    @apart_or_not
    def test_a_rejection_takes_one_fetch(self, source, apart):
        for world, ends in list_worlds(self.rejected(source, apart)):
            assert ends == dict.fromkeys(NAMES, "T1")
            assert (len(world.asked), world.find(), world.now) == (1, "T1", NOW)

    @apart_or_not
    def test_a_sticky_access_token_is_replaced_by_force_once(self, apart):
        def make() -> tuple[World, Flows]:
            world, flows = self.rejected(STABLE, apart, 2)()
            world.answers = [make_access_token("T0"), make_access_token("NEW")]
            return world, flows

        for world, ends in list_worlds(make):
            assert set(ends.values()) == {"NEW"}
            assert [ask.is_forced for ask in world.asked] == [False, True]

    @apart_or_not
    def test_a_failure_is_found_out_once(self, apart):
        def make() -> tuple[World, Flows]:
            world, flows = self.cold(STABLE, apart)()
            world.answers = [WRONG_SECRET]
            return world, flows

        for world, ends in list_worlds(make):
            assert ends == dict.fromkeys(NAMES, InvalidCredential)
            assert len(world.asked) == 1

    @apart_or_not
    def test_a_start_during_a_rejection_takes_no_further_fetch(self, apart):
        """Some have been told that the token is no good, others find it in the store and take it."""

        def make() -> tuple[World, Flows]:
            world, flows = self.rejected(CLASSIC, apart)()
            return world, {**flows, "a": world.getting(world.make())}

        for world, ends in list_worlds(make):
            assert ends["a"] in ("T0", "T1")
            assert (ends["b"], ends["c"]) == ("T1", "T1")
            assert len(world.asked) == 1

    # --- processes die

    @apart_or_not
    def test_others_get_an_access_token_when_the_lease_of_a_dead_caller_ends(self, apart):
        numbers = set()
        for world, ends in list_worlds(self.cold(STABLE, apart), deaths=1):
            assert len(ends) >= 2
            assert set(ends.values()) <= {"T1", "T2"}
            assert len(set(ends.values())) == 1 or not apart
            assert world.now in (NOW, NOW + LEASE)
            numbers.add(len(world.asked))
        assert numbers == {1, 2}

    @both_sources
    @apart_or_not
    def test_others_get_another_access_token_when_the_lease_of_a_dead_caller_ends(self, source, apart):
        for world, ends in list_worlds(self.rejected(source, apart, 2), deaths=1):
            assert len(ends) >= 1
            assert set(ends.values()) <= {"T1", "T2"}
            assert len(world.asked) <= 2
            assert world.now in (NOW, NOW + LEASE)

    def test_a_process_that_stands_still_costs_one_more_fetch_at_most(self):
        """Its lease has ended meanwhile; when it goes on it leaves the lock and the token of others alone."""
        for world, ends in list_worlds(self.cold(CLASSIC, apart=True, count=2), stalls=1):
            assert len(ends) == 2
            assert set(ends.values()) <= {"T1", "T2"}
            assert len(world.asked) <= 2
            assert world.find() in ("T1", "T2")
            assert world.store.get(world.key("lock")) is None

    # --- the store fails

    @apart_or_not
    def test_all_get_a_shared_access_token_whatever_step_of_the_store_fails(self, apart):
        for world, ends in list_worlds(self.cold(STABLE, apart, 2), failures=1):
            assert len(ends) == 2
            assert set(ends.values()) <= {"T1", "T2"}
            assert 1 <= len(world.asked) <= 2
            assert world.now in (NOW, NOW + LEASE)

    @apart_or_not
    def test_a_classic_access_token_is_fetched_once_whatever_step_of_the_store_fails(self, apart):
        for world, ends in list_worlds(self.cold(CLASSIC, apart, 2), failures=1):
            assert list(ends.values()).count(StoreError) <= 1
            assert set(ends.values()) <= {"T1", StoreError}
            assert len(world.asked) == 1
            assert world.now in (NOW, NOW + LEASE)

    @apart_or_not
    def test_a_classic_access_token_is_replaced_once_whatever_step_of_the_store_fails(self, apart):
        for world, ends in list_worlds(self.rejected(CLASSIC, apart, 2), failures=1):
            assert list(ends.values()).count(StoreError) <= 1
            assert set(ends.values()) <= {"T1", "T2", StoreError}
            assert len(world.asked) == 1 or world.failed == ["set token fails"]  # so that others do not know of it

    @both_sources
    @apart_or_not
    def test_a_renewal_disturbs_no_caller_whatever_step_of_the_store_fails(self, source, apart):
        for world, ends in list_worlds(self.due(source, apart, 2), failures=1):
            assert set(ends.values()) <= {"T0", "T1", None}
            assert len(world.asked) <= 1 or world.failed == ["set token fails"]
            assert "sleep" not in world.steps

    # --- the explorer itself

    def test_finds_what_only_a_certain_order_shows(self):
        """Two who look into the store first and fetch then, without a lock, fetch twice in some orders."""

        def get_carelessly(world: World) -> Flow[Any]:
            found = yield Get(world.store, world.key())
            if found is None:
                yield Ask(STABLE, 0.0)
                yield CompareAndSet(world.store, world.key(), None, record("X"), 60.0)
            return Credential("X", 0, 0)

        def make() -> tuple[World, Flows]:
            world = World()
            return world, {name: get_carelessly(world) for name in NAMES}

        assert {len(world.asked) for world, _ in list_worlds(make)} == {1, 2, 3}
