"""How tokens are kept, shared, renewed and replaced: every step taken by hand, and in every order; no I/O, no thread."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from attrs import define, frozen

from wechat_msg.api.call import APPID, SECRET, Call
from wechat_msg.api.jsapi import Ticket
from wechat_msg.api.token import AccessToken
from wechat_msg.client import ClassicTokenSource, RemoteTokenSource, Source, StableTokenSource
from wechat_msg.client.credentials import Credential
from wechat_msg.client.exchange import Beside
from wechat_msg.client.sources import TicketSource, fingerprint
from wechat_msg.client.tokens import FETCH_LIMIT, LEASE, Clocks, Rejected, TokenManager
from wechat_msg.errors import (
    AccessTokenRejected,
    AnswerLost,
    CallError,
    ClientError,
    ConnectFailed,
    InvalidCredential,
    IPNotAllowed,
    QuotaExhausted,
    RateLimited,
    StoreError,
    SystemBusy,
    TransportError,
    UnreadableAnswer,
)
from wechat_msg.flow import CompareAndSet, Flow, Get, Sleep, drive
from wechat_msg.stores import MemoryStore

NOW = 1_700_000_000.0
DAY = 86400.0
LIFE = 7200
STABLE, CLASSIC = StableTokenSource(), ClassicTokenSource()
REMOTE = RemoteTokenSource("https://tokens.example.com", "SHARED")
both_sources = pytest.mark.parametrize("source", [STABLE, CLASSIC], ids=["stable", "classic"])


# --- a world by hand -------------------------------------------------------------------------------------------------


@frozen
class Ask:
    """The step that asks WeChat, or a token server, for a token."""

    call: Call[Any]
    deadline: float


def token(value: str, expires_in: int = LIFE) -> AccessToken:
    return AccessToken(access_token=value, expires_in=expires_in)


@define
class World:
    """A store, a clock that stands still unless a test moves it, and a WeChat.

    Attributes:
        source: Where tokens come from.
        now: Seconds since the epoch.
        answers: What WeChat answers next; after that it gives T1, T2 and so on, by the number of the request.
        asked: What it was asked.
        steps: What was done, in order.
        beside: The flows that are to be performed beside others.
        managers: Those that were made here.
    """

    source: Source = STABLE
    now: float = NOW
    answers: list[Any] = attrs.field(factory=list)
    asked: list[Ask] = attrs.field(factory=list)
    steps: list[str] = attrs.field(factory=list)
    beside: list[Flow[None]] = attrs.field(factory=list)
    managers: list[TokenManager] = attrs.field(factory=list)
    store: MemoryStore = attrs.Factory(lambda self: MemoryStore(clock=self.monotonic), takes_self=True)

    def monotonic(self) -> float:
        return self.now - NOW + 5000

    def make(self, *, secret: str = "SECRET", store: Any = None, source: Source | None = None) -> TokenManager:
        """Make a manager, as another process would have one."""
        clocks = Clocks(lambda: self.now, self.monotonic, lambda: 0.0)
        source, store = source or self.source, store or self.store
        self.managers.append(TokenManager("wx1", f"wx1:{secret}", source, store, self._send, clocks))
        return self.managers[-1]

    @staticmethod
    def _send(call: Call[Any], deadline: float) -> Flow[Any]:
        return (yield Ask(call, deadline))

    def get(self, manager: TokenManager, patience: float = 30.0) -> str:
        return self.run(manager.get(self.monotonic() + patience)).value

    def replace(self, manager: TokenManager, value: str, errcode: int = 40001, patience: float = 30.0) -> str:
        rejected = Rejected(value, AccessTokenRejected(errcode))
        return self.run(manager.replace(rejected, self.monotonic() + patience)).value

    def renew(self) -> None:
        """Perform what is to be done beside."""
        while self.beside:
            self.run(self.beside.pop())

    def run(self, flow: Flow[Any]) -> Any:
        self.steps.clear()
        return drive(flow, self.perform)

    def perform(self, step: Any) -> Any:
        self.steps.append(self.describe(step))
        match step:
            case Get() | CompareAndSet():
                return step.ask()
            case Sleep():
                self.now += step.seconds
                return None
            case Beside():
                return self.beside.append(step.flow)
            case Ask():
                return self.answer(step)
        raise AssertionError(step)

    def answer(self, step: Ask) -> Any:
        self.asked.append(step)
        answer = self.answers.pop(0) if self.answers else token(f"T{len(self.asked)}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def describe(self, step: Any) -> str:
        if not isinstance(step, (Get, CompareAndSet)):
            return type(step).__name__.lower()
        key = step.key.removeprefix(f"token:wx1:{self.source.name}")
        store = "" if step.store is self.store else "own "
        return f"{'get' if isinstance(step, Get) else 'set'} {store}{key.strip(':').split(':')[0] or 'token'}"

    # --- the store

    def key(self, part: str) -> str:
        """Return the key of the token, or of another part of what is kept about it."""
        name = f"token:wx1:{self.source.name}"
        return self.managers[0]._failure_key if part == "failure" else name if part == "token" else f"{name}:{part}"

    def find(self) -> Credential | None:
        return Credential.load(self.store.get(self.key("token")))

    def put(self, value: bytes, part: str = "token", ttl: float = 1000.0) -> None:
        """Let somebody else have put something into the store."""
        assert self.store.compare_and_set(self.key(part), self.store.get(self.key(part)), value, ttl)

    def put_token(self, value: str, left: float = LIFE) -> None:
        self.put(Credential.make(token(value, int(left)), self.source.early, self.now).to_record(), ttl=left)

    def with_token(self, value: str = "T0", left: float = LIFE) -> TokenManager:
        """Return a manager that has a token in memory, and in the store."""
        manager = self.make()
        self.put_token(value, left)
        assert self.get(manager) == value
        return manager


@pytest.fixture
def world() -> World:
    return World()


def is_forced(ask: Ask) -> bool:
    return ask.call.json["force_refresh"]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


# --- the life of a token ---------------------------------------------------------------------------------------------


class TestAColdStart:
    @both_sources
    def test_asks_the_store_fetches_under_a_lock_and_saves(self, source):
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
        assert world.find() == Credential("T1", NOW + LIFE - source.early, NOW + LIFE)
        assert world.store.get(world.key("lock")) is None

    def test_takes_what_is_in_the_store(self, world):
        world.get(world.make())
        assert world.get(world.make()) == "T1"
        assert world.steps == ["get token"]

    def test_gives_the_fetch_less_time_than_the_lock_lasts(self, world):
        world.get(world.make())
        assert world.asked[0].deadline == world.monotonic() + FETCH_LIMIT
        assert FETCH_LIMIT < LEASE

    def test_waits_for_somebody_elses_fetch(self, world):
        manager, rival = world.make(), world.make()
        fetching = rival.get(world.monotonic() + 30)
        while not isinstance(step := fetching.send(None), Ask):
            assert step.ask() in (None, True) or True
            step = None
        kill(fetching)


class TestAGoodToken:
    @both_sources
    def test_is_given_without_any_step(self, source):
        world = World(source)
        manager = world.make()
        world.get(manager)
        world.now = NOW + LIFE - source.early - 0.001
        assert world.get(manager) == "T1"
        assert world.steps == []
