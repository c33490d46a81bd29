"""What type checkers accept of conversations, and what they reject."""

from __future__ import annotations

from typing import Any, assert_type

from attrs import define

from wechat_msg import (
    Ask,
    AsyncPushEndpoint,
    ClickEvent,
    Conversations,
    End,
    ImageMessage,
    MemoryStore,
    PushEndpoint,
    PushSettings,
    Router,
    TextMessage,
    in_thread,
)


@define
class Order:
    name: str = ""


@define
class Other:
    count: int = 0


settings = PushSettings(token="abc")
router = Router()
order = Conversations(MemoryStore(), Order, ttl=600, expired="too late")
other = Conversations(in_thread(MemoryStore()), Other, dump=lambda state: state.count, load=Other)
assert_type(order, Conversations[Order])
assert_type(router.include(order), Conversations[Order])


@router.on(TextMessage)
def begin(message: TextMessage) -> Ask:
    return Ask("name?", then=take_name)


@router.on(TextMessage)
async def begin_with_state(message: TextMessage) -> Ask | None:
    return Ask("name?", take_name, Order("Ann"))


@router.on(TextMessage)
def cancel(message: TextMessage) -> End:
    return order.end("cancelled", otherwise="nothing")


@order.step(TextMessage)
def take_name(message: TextMessage, state: Order) -> Ask | str | None:
    state.name = message.content
    return Ask("picture?", then=take_picture, state=state)


@order.step(ImageMessage, ClickEvent)
async def take_picture(message: ImageMessage | ClickEvent, state: Order) -> str:
    return state.name


@other.step(TextMessage)
def count(message: TextMessage, state: Other) -> str:
    return str(state.count)


def remember(message: TextMessage) -> str:
    with order.open(message) as state:
        assert_type(state, Order)
        state.count = 1  # type: ignore[attr-defined]
        return state.name


async def remember_async(message: TextMessage) -> int:
    async with other.open(message) as state:
        return state.count


def call_steps(message: TextMessage) -> None:
    assert_type(take_name(message, Order()), Ask | str | None)
    take_name(message, Other())  # type: ignore[arg-type]
    take_name("text", Order())  # type: ignore[arg-type]


PushEndpoint(settings, order)
AsyncPushEndpoint(settings, other)

Ask("?", then=begin)  # type: ignore[arg-type]
Ask("?", then=take_name, state=Other())  # type: ignore[misc]
Ask(3, then=take_name)  # type: ignore[arg-type]
Conversations(None, Order)  # type: ignore[arg-type]
Conversations(MemoryStore(), Order())  # type: ignore[arg-type]
order.step(str)  # type: ignore[type-var]
order.end(3)  # type: ignore[arg-type]


@order.step(TextMessage)  # type: ignore[arg-type]
def wrong_state(message: TextMessage, state: Other) -> None: ...


@order.step(TextMessage)  # type: ignore[arg-type]
def wrong_message(message: ImageMessage, state: Order) -> None: ...


@order.step(TextMessage)  # type: ignore[arg-type]
def no_state(message: TextMessage) -> None: ...


def anything(message: Any, state: Any) -> Any: ...


order.step(TextMessage)(anything)
