"""Code that nobody runs: handlers, filters and middleware as users write them must satisfy mypy and pyright."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, assert_type

from wechat_msg import (
    Answer,
    AsyncCallNext,
    CallNext,
    ClickEvent,
    Event,
    ImageMessage,
    Message,
    Reply,
    Route,
    Router,
    ScanEvent,
    SubscribeEvent,
    TextMessage,
    TextReply,
    UserMessage,
    VoiceMessage,
)
from wechat_msg.filters import Command, any_of, command, keywords, matches

router = Router()
other = Router()


def find_age(message: TextMessage) -> int | None:
    return int(message.content) if message.content.isdecimal() else None


def find_words(message: TextMessage) -> re.Match[str] | None:
    return re.match(r"(\w+) weather", message.content)


def is_short(message: Message) -> bool:
    return bool(message.msg_type)


# --- handlers --------------------------------------------------------------------------------------------------------


@router.on(TextMessage)
def take_text(message: TextMessage) -> str:
    return message.content


@router.on(TextMessage, content="help")
async def take_text_async(message: TextMessage) -> Reply | None:
    return TextReply(message.content)


@router.on(TextMessage)
def take_base(message: Message) -> list[str]:
    return [message.msg_type]


@router.on(TextMessage)
def take_untyped(message):  # type: ignore[no-untyped-def]
    return message.content


@router.on(TextMessage)
def take_in_parts(message: TextMessage) -> Iterator[str | Reply]:
    yield message.content


@router.on(TextMessage)
async def take_in_parts_async(message: TextMessage) -> AsyncIterator[str]:
    yield message.content


@router.on(ScanEvent, SubscribeEvent)
def take_two(event: ScanEvent | SubscribeEvent) -> str:
    return event.scene or ""


@router.on(ScanEvent, SubscribeEvent, from_user_name="o")
def take_base_of_two(event: Event) -> None:
    print(event.event)


@router.on(ScanEvent, SubscribeEvent, ClickEvent)
def take_three(event: ScanEvent | SubscribeEvent | ClickEvent) -> str:
    return event.event_key or ""


@router.on(ScanEvent, SubscribeEvent, ClickEvent, TextMessage, is_short)
def take_more(message: Message) -> str:
    return message.msg_type


@router.on(TextMessage, content="help")
@router.on(ClickEvent, event_key="HELP")
def take_either(message: Message) -> str:
    return message.msg_type


# --- filters ---------------------------------------------------------------------------------------------------------


@router.on(TextMessage, find_age)
def take_age(message: TextMessage, age: int) -> str:
    return f"{message.content} {age + 1}"


@router.on(TextMessage, find_age)
async def take_age_async(message: TextMessage, age: int) -> str:
    return f"{message.content} {age + 1}"


@router.on(TextMessage, find_age)
def take_age_only_as_a_condition(message: TextMessage) -> str:
    return message.content


@router.on(TextMessage, find_words, is_short, content="x")
def take_words(message: TextMessage, found: re.Match[str]) -> str:
    return found[1] + message.content


@router.on(TextMessage, is_short)
def take_true(message: TextMessage, found: bool) -> str:
    return f"{message.content} {found}"


@router.on(TextMessage, lambda message: message.content.isdigit())
def take_digits(message: TextMessage) -> str:
    return message.content


@router.on(TextMessage, lambda message: message.content.split())
def take_list(message: TextMessage, words: list[str]) -> str:
    return words[0] + message.content


@router.on(TextMessage, find_age)
def take_age_in_parts(message: TextMessage, age: int) -> Iterator[str]:
    yield message.content * age


@router.on(TextMessage, VoiceMessage, matches(r"(\w+) weather"))
def take_two_and_words(message: TextMessage | VoiceMessage, found: re.Match[str]) -> str:
    return found[1] + message.msg_id


@router.on(TextMessage, VoiceMessage, keywords("help"), is_short, content="x")
def take_two_and_keyword(message: UserMessage, found: str) -> str:
    return found + message.msg_id


@router.on(TextMessage, command("/ask"))
async def take_command(message: TextMessage, found: Command) -> str:
    return found.text + message.content


@router.on(TextMessage, any_of(matches("a"), command("b")))
def take_any(message: TextMessage, found: object) -> str:  # mypy has no narrower class for two
    return f"{found}" + message.content


class Bot:
    """Handlers that are methods."""

    def take(self, message: TextMessage) -> str:
        return message.content

    def take_age(self, message: TextMessage, age: int) -> str:
        return message.content * age


router.on(TextMessage)(Bot().take)
router.on(TextMessage, find_age)(Bot().take_age)
assert_type(router.on(TextMessage)(take_text), Callable[[TextMessage], str])
assert_type(router.on(TextMessage, find_age)(take_age), Callable[[TextMessage, int], str])
assert_type(router.on(TextMessage, find_age)(other), Router)
assert_type(router.on(TextMessage)(other), Router)
assert_type(router.include(other), Router)
assert_type(router.default(other), Router)
assert_type(take_text(TextMessage(to_user_name="gh", from_user_name="o", create_time=0, content="")), str)


# --- the rest of a router --------------------------------------------------------------------------------------------


@router.default
def take_rest(message: Message) -> str:
    return message.msg_type


@router.default
async def take_rest_async(message: Message) -> Answer:
    return message.msg_type


@router.observe
def count(message: Message) -> int:
    return len(message.raw)


@router.observe
async def count_async(message: Message) -> None:
    print(message.raw)


@router.error(ValueError)
def answer_error(message: Message, error: ValueError) -> str:
    return f"{message.msg_type} {error}"


@router.error(UnicodeDecodeError)
async def answer_error_async(message: Message, error: UnicodeDecodeError) -> Answer:
    return f"{message.msg_type} {error.reason}"


@router.error(KeyError)
def answer_base_error(message: Message, error: Exception) -> None:
    print(message, error)


@router.use
def sign(message: Message, call_next: CallNext) -> Answer:
    answer = call_next(message)
    return f"{answer}!" if isinstance(answer, str) else answer


@router.use
async def hear(message: Message, call_next: AsyncCallNext) -> Answer:
    if isinstance(message, VoiceMessage):
        return None
    return await call_next(message)


routes: tuple[Route, ...] = router.routes()
answer: Any = router(TextMessage(to_user_name="gh", from_user_name="o", create_time=0, content=""))


# --- what both refuse ------------------------------------------------------------------------------------------------


def take_image(message: ImageMessage) -> str:
    return message.media_id


def take_nothing() -> str:
    return ""


def take_keyword(*, message: TextMessage) -> str:
    return message.content


def give_number(message: TextMessage) -> int:
    return len(message.content)


async def give_number_async(message: TextMessage) -> int:
    return len(message.content)


def take_age_as_text(message: TextMessage, age: str) -> str:
    return message.content + age


def find_in_image(message: ImageMessage) -> bool:
    return bool(message.media_id)


def pass_on_async_without_async(message: Message, call_next: AsyncCallNext) -> Answer:
    return ""


async def pass_on_sync(message: Message, call_next: CallNext) -> Answer:
    return call_next(message)


def forget_call_next(message: Message) -> Answer:
    return message.msg_type


def pass_on_texts(message: TextMessage, call_next: CallNext) -> Answer:
    return call_next(message)


def answer_key_error(message: Message, error: KeyError) -> str:
    return message.msg_type


router.on(TextMessage)(take_image)  # type: ignore[arg-type]
router.on(Message)(take_text)  # type: ignore[arg-type]
router.on(TextMessage, ImageMessage)(take_text)  # type: ignore[arg-type]
router.on(TextMessage, ImageMessage, VoiceMessage)(take_two)  # type: ignore[arg-type]
router.on(TextMessage)(take_nothing)  # type: ignore[arg-type]
router.on(TextMessage)(take_keyword)  # type: ignore[arg-type]
router.on(TextMessage)(give_number)  # type: ignore[arg-type, type-var]
router.on(TextMessage)(give_number_async)  # type: ignore[arg-type, type-var]
router.on(TextMessage)(take_age)  # type: ignore[arg-type]
router.on(TextMessage, find_age)(take_age_as_text)  # type: ignore[arg-type]
router.on(TextMessage, VoiceMessage, command("/ask"))(take_age)  # type: ignore[arg-type]
router.on(TextMessage, find_in_image)  # type: ignore[arg-type]
router.on(str)  # type: ignore[type-var]
router.on()  # type: ignore[call-overload]
router.on(TextMessage, "help")  # type: ignore[call-overload]
router.default(take_text)  # type: ignore[type-var]
router.include(take_text)  # type: ignore[type-var]
router.use(pass_on_async_without_async)  # type: ignore[type-var]
router.use(pass_on_sync)  # type: ignore[type-var]
router.use(forget_call_next)  # type: ignore[type-var]
router.use(pass_on_texts)  # type: ignore[type-var]
router.error(ValueError)(answer_key_error)  # type: ignore[arg-type]
router.error(str)  # type: ignore[type-var]
router.error(BaseException)  # type: ignore[type-var]
