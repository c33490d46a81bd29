"""Conversations behind an endpoint: their keys begin with the account's identity, wherever handlers run."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest
from attrs import define, field

from tests.helpers.rows import each_row
from tests.helpers.waiting import wait_until
from wechat_msg import (
    AnswerLater,
    Ask,
    AsyncPushEndpoint,
    ConversationBusy,
    ConversationError,
    Conversations,
    MemoryStore,
    PushEndpoint,
    PushSettings,
    Router,
    SettingsError,
    SQLiteStore,
    TextMessage,
    WeChatError,
    in_thread,
)
from wechat_msg.testing import VirtualClock, build_push, open_reply

SETTINGS = PushSettings(token="spamtest", identity="first")
OTHER = PushSettings(token="spamtest", identity="second")
NUMBERS = itertools.count(1)


@define
class Words:
    words: list[str] = field(factory=list)


class NotingStore(MemoryStore):
    """A store that notes the keys of conversations."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        self.keys.add(key)
        return super().compare_and_set(key, expected, value, ttl)

    @property
    def kinds(self) -> set[str]:
        """What the keys of conversations and claims begin with."""
        return {key.rpartition(":")[0] for key in self.keys}


@pytest.fixture
def store() -> NotingStore:
    return NotingStore()


@pytest.fixture
def conversations(store) -> Conversations[Words]:
    return Conversations(store, Words)


def make_push(content: str = "hi", settings: PushSettings = SETTINGS) -> Any:
    return build_push(settings, {"MsgType": "text", "Content": content, "MsgId": next(NUMBERS)})


def read(response: Any, settings: PushSettings = SETTINGS) -> str:
    assert response.status == 200
    return str(open_reply(settings, response)["Content"])


def remember(conversations: Conversations[Words]) -> Any:
    def handle(message: TextMessage) -> str:
        with conversations.open(message) as state:
            state.words.append(message.content)
            return " ".join(state.words)

    return handle


def remember_async(conversations: Conversations[Words]) -> Any:
    async def handle(message: TextMessage) -> str:
        async with conversations.open(message) as state:
            state.words.append(message.content)
            return " ".join(state.words)

    return handle


EXPECTED = {"first:conversation", "first:claim"}


class TestIdentity:
    def test_holds_in_on_lost(self, conversations, store):
        clock = VirtualClock()

        def remember_loss(message: TextMessage, reason: str) -> None:
            with conversations.open(message) as state:
                state.words.append(reason)

        def handle(message: TextMessage) -> str:
            clock.sleep(20)
            return "too late"

        endpoint = PushEndpoint(SETTINGS, handle, clock=clock, on_lost=remember_loss)
        endpoint.handle(build_push(SETTINGS, {"Content": "hi"}, now=clock))
        assert store.kinds == EXPECTED

    def test_separates_accounts_and_joins_endpoints_of_one(self, conversations, store):
        handle = remember(conversations)
        rows = [(SETTINGS, "a"), (OTHER, "a"), (SETTINGS, "a b"), (OTHER, "a b")]
        for (settings, expected), word in zip(rows, "aabb", strict=True):
            assert read(PushEndpoint(settings, handle).handle(make_push(word, settings)), settings) == expected
        assert store.kinds == {f"{name}:{kind}" for name in ("first", "second") for kind in ("conversation", "claim")}

    def test_is_there_in_threads_and_tasks(self, conversations, store):
        async def run() -> list[str]:
            return [
                read(await AsyncPushEndpoint(SETTINGS, handle, executor=pool).handle(make_push(word)))
                for word, handle, pool in (
                    ("a", remember(conversations), None),
                    ("b", remember(conversations), executor),
                    ("c", remember_async(conversations), None),
                )
            ]

        with ThreadPoolExecutor(1) as executor:
            endpoint = PushEndpoint(SETTINGS, remember(conversations), executor=executor)
            assert [*asyncio.run(run()), read(endpoint.handle(make_push("d")))] == ["a", "a b", "a b c", "a b c d"]
        assert store.kinds == EXPECTED

    def test_is_there_for_steps_and_middleware(self, conversations, store):
        router = Router()
        router.include(conversations)

        @router.use
        def sign(message: Any, call_next: Any) -> Any:
            with conversations.open(message) as state:
                state.words.append("middleware")
            return call_next(message)

        router.on(TextMessage)(lambda message: conversations.end("over", "nothing"))
        assert read(PushEndpoint(SETTINGS, router).handle(make_push())) == "over"
        assert read(asyncio.run(AsyncPushEndpoint(SETTINGS, router).handle(make_push()))) == "over"
        assert store.kinds == EXPECTED

    def test_is_there_in_generators_and_what_goes_out_later(self, conversations, store):
        sent: list[Any] = []

        def handle(message: TextMessage) -> Iterator[str]:
            for word in "abc":
                with conversations.open(message) as state:
                    state.words.append(word)
                yield "".join(state.words)

        async def handle_async(message: TextMessage) -> AsyncIterator[str]:
            for word in "def":
                async with conversations.open(message) as state:
                    state.words.append(word)
                yield "".join(state.words)

        async def send_async(message: Any) -> None:
            sent.append(message)

        async def run() -> str:
            endpoint = AsyncPushEndpoint(SETTINGS, handle_async, late=AnswerLater(send_async))
            answer = read(await endpoint.handle(make_push()))
            await endpoint.drain()
            return answer

        with ThreadPoolExecutor(1) as executor:
            endpoint = PushEndpoint(SETTINGS, handle, late=AnswerLater(sent.append), executor=executor)
            assert read(endpoint.handle(make_push())) == "a"
        assert asyncio.run(run()) == "abcd"
        assert [each["text"]["content"] for each in sent] == ["ab", "abc", "abcde", "abcdef"]
        assert store.kinds == EXPECTED

    def test_is_there_in_jobs_and_in_the_rest_of_their_answers(self, conversations, store, tmp_path):
        sent: list[Any] = []
        jobs: list[str] = []

        def handle(message: TextMessage) -> Iterator[str]:
            for word in "abc":
                with conversations.open(message) as state:
                    state.words.append(word)
                yield "".join(state.words)

        with SQLiteStore(tmp_path / "store.db") as shared:
            options: dict[str, Any] = {
                "store": shared,
                "queue": jobs.append,
                "late": AnswerLater(sent.append, after="at_once"),
            }
            assert PushEndpoint(SETTINGS, handle, **options).handle(make_push()).status == 200
            PushEndpoint(SETTINGS, handle, **options).run_job(jobs[0])
            wait_until(lambda: len(sent) == 3)
        assert [each["text"]["content"] for each in sent] == ["a", "ab", "abc"]
        assert store.kinds == EXPECTED

    def test_is_left_where_it_was(self, conversations, store):
        PushEndpoint(SETTINGS, remember(conversations)).handle(make_push())
        store.keys.clear()
        conversations.reset(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content=""))
        assert store.kinds == {":claim", ":conversation"}

    def test_without_an_appid_is_derived_from_the_token(self, conversations, store):
        settings = PushSettings(token="spamtest")
        PushEndpoint(settings, remember(conversations)).handle(make_push(settings=settings))
        assert all(key.startswith("token-") and "spamtest" not in key for key in store.keys)


class TestBusy:
    @each_row("on_error", ["raise", "acknowledge", lambda message, error: "sorry"])
    def test_a_message_is_sent_again_with_any_on_error(self, on_error):
        conversations = Conversations(MemoryStore(), Words, wait=0.0)
        inner = remember(conversations)

        def handle(message: TextMessage) -> str:
            if message.content != "nested":
                return inner(message)
            with conversations.open(message):
                return inner(attrs.evolve(message, msg_id="nested"))

        endpoint = PushEndpoint(SETTINGS, handle, on_error=on_error)
        push = make_push("nested")
        for _ in range(2):
            with pytest.raises(ConversationBusy):
                endpoint.handle(push)
        assert read(endpoint.handle(make_push("a"))) == "a"

    @each_row("kind", [Exception, WeChatError])
    def test_a_message_is_sent_again_with_an_error_handler_for_everything(self, kind):
        router = make_busy()
        router.error(kind)(lambda message, error: "sorry")
        with pytest.raises(ConversationBusy):
            PushEndpoint(SETTINGS, router).handle(make_push("x"))

    @each_row("kind", [ConversationBusy, ConversationError])
    def test_is_answered_by_an_error_handler_for_it(self, kind):
        router = make_busy()
        router.error(kind)(lambda message, error: "please wait")
        router.error(Exception)(lambda message, error: "sorry")
        assert read(PushEndpoint(SETTINGS, router).handle(make_push("x"))) == "please wait"


def make_busy() -> Router:
    """Return a router with a handler that finds the conversation claimed."""
    conversations, router = Conversations(MemoryStore(), Words, wait=0.0), Router()

    @router.on(TextMessage)
    def handle(message: TextMessage) -> str:
        with conversations.open(message), conversations.open(attrs.evolve(message, msg_id="nested")):
            return "never"

    return router


class TestKinds:
    def test_an_async_store_or_step_needs_an_async_endpoint(self):
        router = Router()
        router.include(Conversations(in_thread(MemoryStore()), Words))
        with pytest.raises(SettingsError, match="AsyncPushEndpoint"):
            PushEndpoint(SETTINGS, router)
        AsyncPushEndpoint(SETTINGS, router)

    def test_a_dialogue_runs_in_an_async_endpoint_on_any_store(self, tmp_path):

        async def run(store: Any) -> list[str]:
            conversations, router = Conversations(store, Words), Router()
            router.include(conversations)
            router.on(TextMessage)(lambda message: Ask("?", then=step))

            @conversations.step(TextMessage)
            def step(message: TextMessage, state: Words) -> Ask:
                state.words.append(message.content)
                return Ask("".join(state.words), then=step)

            endpoint = AsyncPushEndpoint(SETTINGS, router)
            return [read(await endpoint.handle(make_push(word))) for word in "xab"]

        with SQLiteStore(tmp_path / "a.db") as first, SQLiteStore(tmp_path / "b.db") as second:
            for store in (MemoryStore(), first, in_thread(second)):
                assert asyncio.run(run(store)) == ["?", "a", "ab"]
