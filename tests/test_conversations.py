"""What a bot remembers of its users, and dialogues of several messages."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from attrs import define, field

from tests.helpers.rows import check_rows, each_row
from wechat_msg import (
    Acknowledgement,
    Ask,
    AsyncPushEndpoint,
    ClickEvent,
    ConversationBusy,
    ConversationChanged,
    ConversationError,
    Conversations,
    ImageMessage,
    ImageReply,
    MemoryStore,
    PushSettings,
    RenderedReply,
    Router,
    SettingsError,
    SQLiteStore,
    StoreError,
    TextMessage,
    TextReply,
    in_thread,
)
from wechat_msg.testing import build_push, open_reply

NUMBERS = itertools.count(1)
SETTINGS = PushSettings(token="spamtest", appid="wx0123456789abcdef")


@define
class Order:
    name: str = ""
    size: str = ""
    words: list[str] = field(factory=list)


@define
class Deep:
    anything: Any = None
    inner: Deep | None = None


def text(content: str, user: str = "o1", number: int | None = None, **others: Any) -> TextMessage:
    """Return a text of a user; without a *number*, it is a new one."""
    values = {"to_user_name": "gh_1", "create_time": 1, "msg_id": str(number or next(NUMBERS)), **others}
    return TextMessage(from_user_name=user, content=content, **values)


def image(user: str = "o1") -> ImageMessage:
    return ImageMessage(from_user_name=user, to_user_name="gh_1", create_time=1, media_id="m", msg_id="9000")


@define
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@define
class Shop:
    """A bot that takes orders of coffee.

    Attributes:
        conversations: Its conversations.
        router: Its handlers.
        orders: What was ordered.
        runs: The texts that steps got.
        steps: The steps by their names.
    """

    conversations: Conversations[Order]
    router: Router = field(factory=Router)
    orders: list[str] = field(factory=list)
    runs: list[str] = field(factory=list)
    steps: dict[str, Any] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        conversations, router = self.conversations, self.router
        router.on(TextMessage, content="cancel")(lambda message: conversations.end("cancelled"))
        router.include(conversations)
        router.on(TextMessage, content="coffee")(lambda message: Ask("name?", then=self.steps["take_name"]))
        router.on(TextMessage, content="what?")(lambda message: "a size")
        router.default(lambda message: "say coffee")
        for step in (self.take_name, self.take_size, self.confirm):
            self.steps[step.__name__] = conversations.step(TextMessage)(step)

    def take_name(self, message: TextMessage, state: Order) -> Ask:
        self.runs.append(message.content)
        state.name = message.content
        return Ask("size?", then=self.steps["take_size"])

    def take_size(self, message: TextMessage, state: Order) -> Ask | None:
        self.runs.append(message.content)
        if message.content == "what?":
            return None
        if message.content == "fail":
            raise RuntimeError
        state.size = message.content
        return Ask(f"{state.size} for {state.name}?", then=self.steps["confirm"])

    def confirm(self, message: TextMessage, state: Order) -> str:
        self.runs.append(message.content)
        if message.content == "yes":
            self.orders.append(f"{state.size} for {state.name}")
        return f"coming, {state.name}"

    def send(self, *texts: str, user: str = "o1") -> list[Any]:
        return [self.router(text(each, user)) for each in texts]


@pytest.fixture
def clock() -> Clock:
    return Clock()


class NotingStore(MemoryStore):
    """A store that notes how it is called.

    Attributes:
        calls: The names of the methods.
        keys: The keys that were written.
    """

    def __init__(self, clock: Any) -> None:
        super().__init__(clock=clock)
        self.calls: list[str] = []
        self.keys: set[str] = set()

    def get(self, key: str) -> bytes | None:
        self.calls.append("get")
        return super().get(key)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        self.calls.append("set")
        self.keys.add(key)
        return super().compare_and_set(key, expected, value, ttl)


@pytest.fixture
def store(clock) -> NotingStore:
    return NotingStore(clock)


@pytest.fixture
def shop(store, clock) -> Shop:
    return Shop(Conversations(store, Order, clock=clock, wait=0.0))


@pytest.fixture
def warnings_of(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records]


class TestDialogue:
    def test_goes_from_step_to_step_and_ends(self, shop):
        assert shop.send("hi", "coffee", "Ann", "large", "yes", "hi") == [
            "say coffee",
            "name?",
            "size?",
            "large for Ann?",
            "coming, Ann",
            "say coffee",
        ]
        assert shop.orders == ["large for Ann"]

    def test_of_one_user_is_not_that_of_another(self, shop):
        shop.send("coffee", "Ann")
        assert shop.send("coffee", "Bob", user="o2") == ["name?", "size?"]
        assert shop.send("large") + shop.send("small", user="o2") == ["large for Ann?", "small for Bob?"]

    def test_waits_while_its_step_returns_none_and_others_answer(self, shop):
        assert shop.send("coffee", "Ann", "what?", "large") == ["name?", "size?", "a size", "large for Ann?"]

    def test_lets_a_message_of_another_class_pass(self, shop):
        shop.send("coffee")
        assert shop.router(image()) == "say coffee"
        assert shop.send("Ann") == ["size?"]

    def test_is_as_it_was_when_a_step_fails(self, shop):
        shop.send("coffee", "Ann")
        with pytest.raises(RuntimeError):
            shop.send("fail")
        assert shop.send("large") == ["large for Ann?"]

    def test_is_ended_by_a_handler_that_is_asked_first(self, shop):
        assert shop.send("coffee", "Ann", "cancel", "Ann") == ["name?", "size?", "cancelled", "say coffee"]

    def test_that_is_not_there_is_not_ended(self, shop):
        shop.router.on(TextMessage, content="forget")(lambda message: shop.conversations.end("over", "nothing"))
        assert shop.send("cancel", "forget", "coffee", "cancel", "forget") == [
            *(None, "nothing", "name?", "cancelled", "nothing")  # None: the default is asked if no handler was for it
        ]

    def test_is_replaced_by_an_ask_from_outside(self, shop):
        shop.send("coffee", "Ann", "large")
        router = Router()
        router.on(TextMessage)(lambda message: Ask("again: name?", then=shop.steps["take_name"]))
        assert router(text("x")) == "again: name?"
        assert shop.send("Bob", "small") == ["size?", "small for Bob?"]

    def test_survives_a_new_process(self, shop, store, clock):
        shop.send("coffee", "Ann")
        other = Shop(Conversations(store, Order, clock=clock))
        assert other.send("large", "yes") == ["large for Ann?", "coming, Ann"]

    def test_costs_one_call_of_the_store_without_a_dialogue_and_five_within(self, shop, store):
        shop.send("hi")
        assert store.calls == ["get"]
        shop.send("coffee")
        store.calls.clear()
        shop.send("Ann")
        assert store.calls == ["get", "set", "get", "set", "set"]


class TestSteps:
    def test_take_a_message_and_a_state(self, store):
        def greet(message):
            return "x"

        with pytest.raises(SettingsError, match=r"greet\(message\) cannot be called with the message and the state"):
            Conversations(store, Order).step(TextMessage)(greet)

    def test_are_still_functions(self, shop):
        steps = shop.steps
        order = Order(name="Ann")
        answer = steps["take_size"](text("large"), order)
        assert answer == Ask("large for Ann?", then=steps["confirm"])
        assert answer.then is steps["confirm"]
        assert order.size == "large"

    def test_may_be_async_and_the_router_is_then_awaited(self, store):
        conversations, router = Conversations(store, Order), Router()
        router.include(conversations)
        router.on(TextMessage, content="go")(lambda message: Ask("?", then=step))

        @conversations.step(TextMessage)
        async def step(message: TextMessage, state: Order) -> Ask | str:
            await asyncio.sleep(0)
            state.words.append(message.content)
            return Ask("more?", then=step) if message.content != "end" else " ".join(state.words)

        assert conversations.is_async
        assert router.is_async

        async def talk():
            return [await router(text(each)) for each in ("go", "a", "b", "end")]

        assert asyncio.run(talk()) == ["?", "more?", "more?", "a b end"]

    def test_may_leave_a_message_to_the_handler_that_begins_a_dialogue(self, store):
        conversations, router = Conversations(store, Order), Router()
        router.include(conversations)
        router.on(TextMessage)(lambda message: Ask(f"begin {message.content}", then=step))
        step = conversations.step(TextMessage)(lambda message, state: conversations.end(None))
        assert [router(text(each)) for each in "abc"] == ["begin a", "begin b", "begin c"]

    def test_may_give_another_state(self, store):
        conversations, router = Conversations(store, Order), Router()
        router.include(conversations)
        router.on(TextMessage, content="go")(lambda message: Ask("?", step, Order("first")))

        @conversations.step(TextMessage, ClickEvent)
        def step(message: TextMessage | ClickEvent, state: Order) -> Ask:
            return Ask(state.name, then=step, state=Order(state.name + "+"))

        assert [router(text(each)) for each in ("go", "a", "b")] == ["?", "first", "first+"]

    def test_end_the_dialogue_with_an_end_a_generator_or_the_question_of_another(self, store):
        conversations, others, router = (
            Conversations(store, Order),
            Conversations(store, Order, name="others"),
            Router(),
        )
        router.include(conversations)
        router.include(others)
        router.on(TextMessage, content="go")(lambda message: Ask("?", then=step))
        answers = {
            "end": lambda: conversations.end("over"),
            "none": lambda: conversations.end(None),
            "parts": lambda: iter(["a", "b"]),
            "ask": lambda: Ask("other?", then=other_step),
        }

        @conversations.step(TextMessage)
        def step(message: TextMessage, state: Order) -> Any:
            return answers[message.content]()

        @others.step(TextMessage)
        def other_step(message: TextMessage, state: Order) -> str:
            return f"other {message.content}"

        def send(content):
            answer = router(text(content))
            return list(answer) if isinstance(answer, Iterator) else answer

        assert [send(each) for each in ("go", "end", "end")] == ["?", "over", None]
        assert [send(each) for each in ("go", "none", "none")] == ["?", None, None]
        assert [send(each) for each in ("go", "none", "go", "end")] == ["?", None, "?", "over"]
        assert [send(each) for each in ("go", "parts", "parts")] == ["?", ["a", "b"], None]
        assert [send(each) for each in ("go", "ask", "x", "x")] == ["?", "other?", "other x", None]

    def test_that_begin_another_dialogue_lose_nothing_when_the_store_fails(self):
        class Failing(MemoryStore):
            calls_left = math.inf

            def count(self) -> None:
                self.calls_left -= 1
                if self.calls_left < 0:
                    raise StoreError("down")

            def get(self, key):
                self.count()
                return super().get(key)

            def compare_and_set(self, key, expected, value, ttl=1.0):
                self.count()
                return super().compare_and_set(key, expected, value, ttl)

        def check(calls: int, change: str) -> None:
            store, router = Failing(), Router()
            first, second = Conversations(store, Order, wait=0.0), Conversations(store, Order, name="other", wait=0.0)
            router.include(first)
            router.include(second)
            router.on(TextMessage, content="go")(lambda message: Ask("first?", then=first_step))
            changes = {"ask": lambda: Ask("second?", then=step), "end": lambda: first.end(Ask("second?", then=step))}
            first_step = first.step(TextMessage)(lambda message, state: changes[change]())
            step = second.step(TextMessage)(lambda message, state: f"second {message.content}")
            router(text("go"))
            answer, store.calls_left = text("x"), calls
            with contextlib.suppress(StoreError):
                assert router(answer) == "second?"
            store.calls_left = math.inf
            assert [router(answer), router(text("y")), router(text("z"))] == ["second?", "second y", None]

        check_rows(itertools.product(range(14), ("ask", "end")), check)

    def test_that_begin_another_dialogue_have_their_own_until_it_has_ended(self, clock):
        """Else a message that arrives between the two changes would go to the first dialogue, and be lost with it."""

        class FailsOnce(MemoryStore):
            calls_left = math.inf

            def compare_and_set(self, key, expected, value, ttl=1.0):
                self.calls_left -= 1
                if self.calls_left == 0:
                    raise StoreError("down")
                return super().compare_and_set(key, expected, value, ttl)

        def check(calls: int) -> None:
            store, router, answered = FailsOnce(clock=clock), Router(), []
            options: dict[str, Any] = {"wait": 0.0, "clock": clock}
            first, second = (Conversations(store, Order, name=name, **options) for name in ("first", "second"))
            router.include(first)
            router.include(second)
            router.on(TextMessage, content="go")(lambda message: Ask("first?", then=take))

            def add(message: TextMessage, state: Order) -> Ask:
                state.words.append(message.content)
                return Ask(" ".join(state.words), then=step if message.content in "xz" else take, state=state)

            take, step = first.step(TextMessage)(add), second.step(TextMessage)(lambda *args: add(*args))
            router(text("go"))
            store.calls_left, last = calls, text("x")
            with contextlib.suppress(StoreError):
                router(last)
            store.calls_left = math.inf
            with contextlib.suppress(ConversationBusy):
                answered.append(router(text("y")))
            router(last)
            clock.now += 60  # a claim that could not be given back has ended
            assert ("y" in router(text("z"))) == bool(answered)

        check_rows(range(1, 7), check)

    def test_that_ask_what_is_in_no_router_change_nothing(self, store):
        first, second, router = Conversations(store, Order), Conversations(store, Order, name="other"), Router()
        router.include(first)
        router.on(TextMessage, content="go")(lambda message: Ask("first?", then=step))
        step = first.step(TextMessage)(lambda message, state: Ask("?", then=other) if message.content == "x" else "end")
        other = second.step(TextMessage)(lambda message, state: None)
        assert router(text("go")) == "first?"
        with pytest.raises(SettingsError, match="in no Router"):
            router(text("x"))
        assert router(text("y")) == "end"

    def test_may_end_a_dialogue_and_begin_it_again(self, store):
        conversations, router = Conversations(store, Order), Router()
        router.include(conversations)
        router.on(TextMessage, content="go")(lambda message: Ask("?", step, Order("first")))
        step = conversations.step(TextMessage)(
            lambda message, state: conversations.end(Ask(f"not {state.name}", then=step))
        )
        assert [router(text(each)) for each in ("go", "a", "b")] == ["?", "not first", "not "]

    def test_need_classes_and_names(self, shop):
        with pytest.raises(SettingsError, match="classes of messages"):
            shop.conversations.step()
        with pytest.raises(SettingsError, match="classes of messages"):
            shop.conversations.step(str)  # type: ignore[type-var]
        with pytest.raises(SettingsError, match="'take_name' again"):

            @shop.conversations.step(TextMessage)
            def take_name(message, state):
                return None

    def test_are_no_generator_functions(self, shop):
        def step(message, state):
            yield "a"

        async def async_step(message, state):
            yield "a"

        for each in (step, async_step):
            with pytest.raises(SettingsError, match=f"the step {each.__name__} must not be a generator function"):
                shop.conversations.step(TextMessage)(each)

    def test_are_all_that_a_question_leads_to(self):
        with pytest.raises(SettingsError, match="then must be a function decorated with step"):
            Ask("?", then=lambda message, state: None)  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match="question must be text"):
            Ask(None, then=None)  # type: ignore[arg-type]

    def test_that_are_in_no_router_are_refused(self, store):
        conversations = Conversations(store, Order)
        step = conversations.step(TextMessage)(lambda message, state: "x")
        router = Router()
        router.on(TextMessage)(lambda message: Ask("?", then=step))
        with pytest.raises(SettingsError, match="Order is in no Router"):
            router(text("x"))

    def test_and_questions_show_nothing_of_a_user(self, shop):
        ask = Ask("secret", shop.steps["confirm"], Order("secret"))
        assert repr(ask) == "Ask(then=<Step confirm of Order>)"
        assert "secret" not in repr(shop.conversations.end("secret"))
        assert repr(shop.conversations.open(text("secret"))).startswith("<wechat_msg.conversations.OpenConversation ")


class TestOnce:
    """A message that is handled again, as its process died before its answer went out."""

    def test_a_message_gets_its_question_again_and_is_no_answer_to_it(self, shop):
        coffee, name = text("coffee"), text("Ann")
        assert [shop.router(each) for each in (coffee, coffee, name, name)] == ["name?", "name?", "size?", "size?"]
        assert shop.runs == ["Ann"]

    def test_the_last_message_gets_its_answer_again(self, shop):
        shop.send("coffee", "Ann", "large")
        yes = text("yes")
        assert [shop.router(yes), shop.router(yes)] == ["coming, Ann"] * 2
        assert shop.orders == ["large for Ann"]

    def test_the_message_that_ended_it_gets_its_answer_again(self, shop):
        shop.send("coffee")
        cancel = text("cancel")
        assert [shop.router(cancel), shop.router(cancel)] == ["cancelled"] * 2

    def test_a_message_that_is_repeated_after_others_gets_the_last_question(self, shop):
        coffee, name = text("coffee"), text("Ann")
        assert [shop.router(each) for each in (coffee, name)] == ["name?", "size?"]
        assert shop.send("large") == ["large for Ann?"]
        assert [shop.router(each) for each in (coffee, name)] == ["large for Ann?"] * 2
        assert shop.send("yes", "coffee") == ["coming, Ann", "name?"]
        assert shop.router(name) == "name?"
        assert shop.runs == ["Ann", "large", "yes"]

    def test_questions_of_other_kinds_are_given_again(self, store):
        conversations, router = Conversations(store, Order), Router()
        router.include(conversations)
        questions = [ImageReply(media_id="m"), ["a", TextReply("b"), None], "", TextReply(content="\ud83d")]
        step = conversations.step(TextMessage)(lambda message, state: Ask(questions.pop(), then=step))
        router.on(TextMessage)(lambda message: Ask("?", then=step))
        router(text("begin"))
        expected = [[{"Content": ""}], [""], ["a", {"Content": "b"}, None], [{"Image": {"MediaId": "m"}}]]
        for want in expected:
            message = text("x")
            router(message)
            again = router(message)
            given = again if isinstance(again, list) else [again]
            fields = [each.to_fields("json") if hasattr(each, "to_fields") else each for each in given]
            assert [
                {k: v for k, v in each.items() if k != "MsgType"} if isinstance(each, dict) else each for each in fields
            ] == want

    @each_row("form", ["step", "end", "ask"])
    def test_an_acknowledgement_is_given_again(self, store, form):
        conversations, router = Conversations(store, Order), Router()
        router.include(conversations)
        router.on(TextMessage, content="go")(lambda message: Ask("?", then=step))
        silence = Acknowledgement("")
        answers = {
            "step": lambda: silence,
            "end": lambda: conversations.end([silence, "x"]),
            "ask": lambda: Ask(silence, then=step),
        }
        step = conversations.step(TextMessage)(lambda message, state: answers[form]())
        router(text("go"))
        message = text("x")
        assert [router(message), router(message)] == [[silence, "x"] if form == "end" else silence] * 2

    def test_a_rendered_reply_is_given_only_once_and_then_nothing(self, store):
        conversations, router = Conversations(store, Order), Router()
        router.include(conversations)
        router.on(TextMessage, content="go")(lambda message: Ask("?", then=step))
        router.on(TextMessage)(lambda message: "another handler")
        reply = RenderedReply(documents={"xml": "<xml/>"})
        step = conversations.step(TextMessage)(lambda message, state: reply)
        router(text("go"))
        message = text("x")
        assert [router(message), router(message), router(text("y"))] == [reply, "", "another handler"]

    def test_events_count_too_but_messages_without_an_id_are_all_new(self, store):
        conversations, router = Conversations(store, Order), Router()
        router.include(conversations)
        seen = []

        @conversations.step(ClickEvent, TextMessage)
        def step(message: Any, state: Order) -> Ask:
            seen.append(message)
            return Ask(str(len(seen)), then=step)

        router.on(TextMessage)(lambda message: Ask("?", then=step))
        router(text("begin"))
        values = {"from_user_name": "o1", "to_user_name": "gh_1", "create_time": 1}
        click = ClickEvent(**values, event_key="K", raw={"EventKey": "K", "CreateTime": "1"})
        plain = TextMessage(**values, content="x")
        assert [router(each) for each in (click, click, plain, plain)] == ["1", "1", "2", "3"]


class TestTime:
    def test_ends_a_dialogue_without_a_word(self, shop, clock):
        shop.send("coffee", "Ann")
        clock.now += 1799
        assert shop.send("large") == ["large for Ann?"]
        clock.now += 1801
        assert shop.send("yes") == ["say coffee"]

    def test_ends_a_dialogue_with_a_word_once_within_a_day(self, store, clock):
        shop = Shop(Conversations(store, Order, clock=clock, expired="too late"))
        shop.send("coffee")
        clock.now += 1801
        assert shop.router(image()) == "say coffee"  # no message for the step
        late = text("Ann")
        assert [shop.router(late), shop.router(late)] == ["too late"] * 2
        assert shop.send("Ann", "coffee") == ["say coffee", "name?"]
        clock.now += 86400 + 1801
        assert shop.send("Ann") == ["say coffee"]

    def test_leaves_nothing_to_end(self, store, clock):
        shop = Shop(Conversations(store, Order, clock=clock, expired="too late"))
        shop.send("coffee")
        clock.now += 1801
        assert shop.send("cancel") == ["too late"]  # its handler had nothing to end, so the dialogue is asked

    def test_ends_a_state(self, store, clock):
        conversations = Conversations(store, Order, clock=clock, ttl=10, expired="x")
        with conversations.open(text("x")) as state:
            state.name = "Ann"
        clock.now += 9
        with conversations.open(text("x")) as state:
            assert state.name == "Ann"
        clock.now += 11
        with conversations.open(text("x")) as state:
            assert state.name == ""


class TestState:
    def test_is_not_opened_by_with_in_an_event_loop_which_would_stop(self, shop):
        async def count():
            with shop.conversations.open(text("x")):
                pass

        with pytest.raises(SettingsError, match="in async def, open needs async with"):
            asyncio.run(count())

    def test_is_saved_at_the_end_of_a_block_unless_it_raises(self, shop):
        conversations = shop.conversations
        with conversations.open(text("x")) as state:
            state.name = "Ann"
        with contextlib.suppress(ZeroDivisionError), conversations.open(text("x")) as state:
            state.name = "Bob"
            raise ZeroDivisionError
        with conversations.open(text("x")) as state:
            assert state.name == "Ann"
        with conversations.open(text("x", user="o2")) as state:
            assert state == Order()

    def test_of_a_dialogue_can_be_opened_and_the_dialogue_continues(self, shop):
        shop.send("coffee", "Ann")
        with shop.conversations.open(text("x")) as state:
            assert state.name == "Ann"
            state.name = "Eve"
        assert shop.send("large") == ["large for Eve?"]

    def test_is_forgotten_with_the_dialogue_by_reset_and_end(self, shop):
        def remember():
            with shop.conversations.open(text("x")) as state:
                before, state.name = state.name, "Ann"
            return before

        remember()
        shop.conversations.reset(text("x"))
        assert remember() == ""
        assert shop.send("cancel", "coffee") == ["cancelled", "name?"]
        shop.conversations.reset(text("x"))
        assert shop.send("Ann") == ["say coffee"]

    def test_that_was_reset_is_not_begun_by_a_message_from_before(self, shop):
        before = text("coffee")
        assert shop.router(before) == "name?"
        shop.conversations.reset(text("x"))
        assert [shop.router(before), *shop.send("Ann", "coffee")] == ["", "say coffee", "name?"]

    def test_is_reset_again_by_the_same_message_unless_others_were_answered_since(self, shop):
        forget = text("x")
        for _ in range(2):
            with shop.conversations.open(text("y")) as state:
                before, state.name = state.name, "Ann"
            shop.conversations.reset(forget)
            assert before == ""
        shop.send("coffee")
        shop.conversations.reset(forget)
        assert shop.send("Ann", "large") == ["size?", "large for Ann?"]

    def test_that_a_message_resets_and_begins_is_begun_again_if_it_fails_in_between(self, store):
        conversations, router = Conversations(store, Order, wait=0.0), Router()
        router.include(conversations)
        step = conversations.step(TextMessage)(lambda message, state: f"hello {message.content}")

        @router.on(TextMessage)
        def handle(message: TextMessage) -> Ask:
            conversations.reset(message)
            return Ask("name?", then=step)

        begin = text("go")
        conversations.reset(begin)  # and its process died
        assert [router(begin), router(begin), router(text("Ann")), router(begin)] == ["name?"] * 2 + ["hello Ann"] * 2

    def test_is_opened_in_event_loops_whatever_the_store(self, tmp_path):
        threads: list[int] = []

        class Blocking(SQLiteStore):
            def get(self, key):
                threads.append(threading.get_ident())
                return super().get(key)

        async def run(store):
            conversations = Conversations(store, Order)
            for each in "ab":
                async with conversations.open(text("x")) as state:
                    state.words.append(each)
            async with conversations.open(text("x")) as state:
                words = state.words
            await conversations.reset(text("x"))
            async with conversations.open(text("x")) as state:
                return words, state.words

        with Blocking(tmp_path / "a.db") as first, SQLiteStore(tmp_path / "b.db") as second:
            for store in (MemoryStore(), first, in_thread(second)):
                assert asyncio.run(run(store)) == (["a", "b"], [])
        assert threading.get_ident() not in threads

    def test_that_another_task_has_open_is_reset_after_that(self):
        async def run():
            conversations = Conversations(MemoryStore(), Order)
            async with conversations.open(text("x")) as state:
                resetting = asyncio.create_task(conversations.reset(text("x")))
                await asyncio.sleep(0.05)
                state.name = "Ann"
            await resetting
            async with conversations.open(text("x")) as state:
                return state.name

        assert asyncio.run(run()) == ""

    def test_of_an_async_store_is_not_opened_without_await(self):
        with (
            pytest.raises(SettingsError, match="async with"),
            Conversations(in_thread(MemoryStore()), Order).open(text("x")),
        ):
            pass

    def test_with_other_types_is_dumped_and_loaded_by_functions(self, store):
        @define
        class When:
            words: set[str] = field(factory=set)

        with pytest.raises(SettingsError, match="dump= and load="):
            Conversations(store, When)
        conversations = Conversations(
            store, When, dump=lambda state: ",".join(state.words), load=lambda value: When(set(value.split(",")))
        )
        with conversations.open(text("x")) as state:
            state.words |= {"a", "b"}
        with conversations.open(text("x")) as state:
            assert state.words == {"a", "b"}

    @each_row("value", [None, {"a": {1: 2}}, object()])
    def test_that_dump_returns_as_something_that_json_has_not_is_not_saved(self, store, value):
        conversations = Conversations(store, Order, dump=lambda state: value, load=Order)
        with pytest.raises(ConversationError, match="cannot be kept"), conversations.open(text("x")):
            pass

    @each_row("value", [3, "\n", object()])
    def test_of_another_type_than_that_of_its_class_is_not_saved(self, value):
        @define
        class Loose:
            anything: Any = None
            number: int = 0

        conversations = Conversations(MemoryStore(), Loose)
        with conversations.open(text("x")) as state:
            state.number = 1
        with (
            pytest.raises(ConversationError, match="cannot be kept") as raised,
            conversations.open(text("x")) as state,
        ):
            state.number, state.anything = (value, None) if isinstance(value, str) else (2, {1: object()})
        assert type(raised.value) is ConversationError
        with conversations.open(text("x")) as state:
            assert state.number == 1

    def test_that_is_too_deep_is_not_saved(self, store):
        deep, nested = [], Deep()
        for _ in range(20_000):
            deep, nested = [deep], Deep(inner=nested)
        conversations = Conversations(store, Deep)
        for each in (Deep(deep), nested):
            with pytest.raises(ConversationError, match="cannot be kept"), conversations.open(text("x")) as state:
                state.anything, state.inner = each.anything, each.inner


@pytest.mark.parametrize("value", [None, "oUSER", 5, TextMessage])
def test_a_conversation_belongs_to_a_message(shop, value):
    for use in (shop.conversations.open, shop.conversations.reset):
        with pytest.raises(SettingsError, match="message must be a message"):
            use(value)


class TestWhatCannotBeRead:
    def test_is_reset_with_one_warning_that_shows_nothing_of_it(self, shop, store, clock, warnings_of):
        @define
        class Changed:  # a later version of the same class
            __qualname__ = "Order"
            name: int = 0

        shop.send("coffee", "secret name")
        changed = Conversations(store, Changed, name="Order", clock=clock)
        for _ in range(2):
            with changed.open(text("x")) as state:
                assert state == Changed()
        assert warnings_of() == ["a state of Order cannot be read, and is reset（状态无法读取，已重置）"]

    def test_ends_its_dialogue(self, shop, store, clock, warnings_of):
        raws = [
            b"garbage",
            b"3",
            b'{"state": 1, "step": "x", "until": 1e9}',
            b'{"step": "take_size", "state": [], "until": 1e9}',
            b"\xff",
            b'{"state": {}, "step": "take_size", "until": null}',
            b'{"state": {}, "step": ["take_size"], "until": 1e9}',
            b'{"state": {}, "step": "take_size", "until": 1e9, "handled": 3}',
            b'{"state": {}, "step": "take_size", "until": 1e9, "handled": [[]]}',
            b'{"state": {}, "step": "take_size", "until": 1e9, "answer": 3}',
            b'{"state": {}, "step": "take_size", "until": 1e9, "answer": [{"part": "{"}]}',
            b'{"state": {}, "step": "take_size", "until": 1e9, "answer": [{}]}',
            b'{"step": "take_size", "until": 1e9}',
            b'{"state": %s' % (b"[" * 200_000),
        ]
        for raw in raws * 2:
            shop.send("coffee")
            (key,) = (key for key in store.keys if ":conversation:" in key)
            store.compare_and_set(key, store.get(key), raw, 60)
            if len(warnings_of()) >= len(raws):
                with shop.conversations.open(text("x")) as state:
                    assert state == Order()
            assert shop.send("Ann", "Ann") == ["say coffee", "say coffee"]
        warning = "a state of Order cannot be read, and is reset（状态无法读取，已重置）"
        assert warnings_of() == [warning] * len(raws) * 2

    def test_is_not_given_to_load(self, store, warnings_of):
        conversations = Conversations(store, Order, dump=lambda state: state.name, load=Order)
        with conversations.open(text("x")) as state:
            state.name = "Ann"
        (key,) = (key for key in store.keys if ":conversation:" in key)
        store.compare_and_set(key, store.get(key), b"garbage", 60)
        with conversations.open(text("x")) as state:
            assert state == Order()
        assert len(warnings_of()) == 1

    def test_does_not_include_what_a_newer_version_has_written(self, shop, store):
        shop.send("coffee", "Ann")
        (key,) = (key for key in store.keys if ":conversation:" in key)
        raw = store.get(key)
        store.compare_and_set(key, raw, raw.replace(b'{"state"', b'{"new": 1, "state"'), 60)
        assert shop.send("large") == ["large for Ann?"]

    def test_like_a_step_that_the_code_no_longer_has(self, shop, store, clock, warnings_of):
        shop.send("coffee", "Ann")
        conversations, router = Conversations(store, Order, clock=clock), Router()
        conversations.step(TextMessage)(lambda message, state: None)
        router.include(conversations)
        router.default(lambda message: "default")
        assert [router(text(each)) for each in "ab"] == ["default"] * 2
        [line] = warnings_of()
        assert line.startswith("a dialogue of Order ends, as there is no step take_size; ")


class TestClaim:
    def test_lets_others_wait_until_they_fail(self, shop):
        shop.send("coffee")
        with shop.conversations.open(text("x")), pytest.raises(ConversationBusy, match="another message"):
            shop.send("Ann")
        assert shop.runs == []
        assert shop.send("Ann") == ["size?"]

    def test_of_one_user_holds_up_no_other(self, shop):
        with shop.conversations.open(text("x")), shop.conversations.open(text("x", user="o2")) as state:
            state.name = "Bob"

    def test_that_ended_while_a_block_ran_is_noticed_and_nothing_is_saved(self, shop, clock):
        conversations = shop.conversations

        def be_slow():
            with conversations.open(text("x")) as slow:
                clock.now += 31
                with conversations.open(text("x")) as fast:
                    fast.name = "fast"
                slow.name = "slow"

        with pytest.raises(ConversationChanged):
            be_slow()
        with conversations.open(text("x")) as state:
            assert state.name == "fast"

    def test_that_ended_does_no_harm_if_nothing_was_changed(self, shop, clock):
        with shop.conversations.open(text("x")) as slow:
            clock.now += 31
            slow.name = "slow"
        with shop.conversations.open(text("x")) as state:
            assert state.name == "slow"

    def test_of_a_process_that_has_died_is_taken_over_by_the_same_message(self, shop):
        shop.send("coffee")
        name = text("Ann")
        shop.conversations.open(name).__enter__()  # and it dies
        with pytest.raises(ConversationBusy):
            shop.send("Bob")
        assert shop.router(name) == "size?"

    def test_of_a_message_that_is_handled_again_is_taken_over_and_one_of_the_two_is_saved(self, shop):
        conversations, message = shop.conversations, text("x")

        def be_slow() -> None:
            with conversations.open(message) as slow:
                with conversations.open(message) as again:
                    again.name = "again"
                slow.name = "slow"

        with pytest.raises(ConversationChanged):
            be_slow()
        with conversations.open(text("y")) as state:
            assert state.name == "again"

    def test_is_given_back_by_a_message_that_fails(self, shop):
        shop.send("coffee", "Ann")
        for _ in range(2):
            with pytest.raises(RuntimeError):
                shop.send("fail")
        with pytest.raises(ConversationError), shop.conversations.open(text("x")) as state:
            state.name = 3  # type: ignore[assignment]
        with shop.conversations.open(text("x")):
            pass

    def test_lets_eight_at_once_order_one_coffee(self, tmp_path):
        with SQLiteStore(tmp_path / "store.db") as store:
            shop = Shop(Conversations(store, Order))
            shop.send("coffee", "Ann", "large")
            barrier = threading.Barrier(8)

            def send_yes(_: int) -> Any:
                barrier.wait()
                return shop.router(text("yes"))

            with ThreadPoolExecutor(8) as pool:
                answers = [*pool.map(send_yes, range(8))]
        assert shop.orders == ["large for Ann"]
        assert sorted(answers) == ["coming, Ann", *["say coffee"] * 7]

    def test_lets_eight_at_once_order_one_coffee_in_an_event_loop(self, tmp_path):
        async def run(store):
            shop = Shop(Conversations(store, Order))
            endpoint = AsyncPushEndpoint(SETTINGS, shop.router, store=store)

            async def send(content):
                push = build_push(SETTINGS, {"MsgType": "text", "Content": content, "MsgId": next(NUMBERS)})
                return open_reply(SETTINGS, await endpoint.handle(push))["Content"]

            for each in ("coffee", "Ann", "large"):
                await send(each)
            answers = await asyncio.gather(*[send("yes") for _ in range(8)])
            await endpoint.drain(0)
            return shop.orders, sorted(answers)

        with SQLiteStore(tmp_path / "store.db") as store:
            assert asyncio.run(run(store)) == (["large for Ann"], ["coming, Ann", *["say coffee"] * 7])


class TestOptions:
    def test_that_are_invalid_are_refused(self, store):
        @define
        class Needy:
            name: str

        rows = {
            "store": ({"store": None}, "store must be"),
            "state": ({"state": dict}, "attrs class or a dataclass"),
            "state with arguments": ({"state": Needy}, "without arguments"),
            "name": ({"name": 3}, "name must be str"),
            "ttl": ({"ttl": 0}, "ttl must be a number of seconds"),
            "claim": ({"claim": -1}, "claim must be"),
            "wait": ({"wait": "5"}, "wait must be"),
            "expired": ({"expired": 3}, "expired must be"),
            "dump": ({"dump": str}, "dump= and load= need each other"),
        }

        def check(options, match):
            values = {"store": store, "state": Order, **options}
            with pytest.raises(SettingsError, match=match):
                Conversations(values.pop("store"), values.pop("state"), **values)

        check_rows(rows, check)

    def test_have_names_that_separate_conversations(self, store):
        first, second = Conversations(store, Order), Conversations(store, Order, name="second")
        with first.open(text("x")) as state:
            state.name = "Ann"
        with second.open(text("x")) as state:
            assert state.name == ""

    @each_row("name", [None, "Order"])
    def test_separate_different_classes_of_one_store(self, store, name):
        """Else each would read the states and steps of the other."""

        @define
        class Order:
            words: str = ""

        kept = [Conversations(store, globals()["Order"]), Conversations(store, Deep)]
        with pytest.raises(SettingsError, match=r"Order and .*<locals>\.Order are both kept as Order .* name="):
            Conversations(store, Order, name=name)
        assert [each.label for each in (*kept, Conversations(store, Order, name="other"))] == ["Order", "Deep", "other"]
        Conversations(MemoryStore(), Order)

    def test_of_the_same_class_are_the_same_in_each_application_that_is_made(self, store):
        def make() -> Conversations[Any]:
            @define
            class Seen:
                count: int = 0

            return Conversations(store, Seen)

        kept = []
        for expected in (1, 2, 3):
            kept.append(make())
            with kept[-1].open(text("x")) as state:
                state.count += 1
                assert state.count == expected

    def test_are_free_again_when_nothing_has_them(self, store):
        @define
        class Short:
            name: str = ""

        Conversations(store, Short, name="Order")
        gc.collect()
        Conversations(store, Order)
