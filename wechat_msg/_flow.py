"""Flows: generators that yield steps that need I/O, and the two functions that perform the steps."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from types import NoneType
from typing import Any, TypeVar

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg.stores._base import AsyncStore, Store
from wechat_msg.stores._thread import for_event_loop

__all__ = [
    "AnyStore",
    "CompareAndSet",
    "EitherStore",
    "Flow",
    "Get",
    "Sleep",
    "Wait",
    "drive",
    "drive_async",
    "perform_in_loop",
]

T = TypeVar("T")
_RESULTS_OF_STORES = (bool, bytes, NoneType)  # it takes longer to learn that they are no awaitables
Flow = Generator[Any, Any, T]
"""A generator that yields steps, receives their results, and returns a T."""
AnyStore = Store | AsyncStore


@define
class Get:
    """The step that reads the value of a key."""

    store: AnyStore | EitherStore
    key: str

    def perform(self) -> bytes | Awaitable[bytes | None] | None:
        """Call the store; the result of an `AsyncStore` must be awaited."""
        return self.store.get(self.key)


@define
class CompareAndSet:
    """The step that sets the value of a key if it has the expected one; its result is True if it took effect."""

    store: AnyStore | EitherStore
    key: str
    expected: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    ttl: float = 1.0

    def perform(self) -> bool | Awaitable[bool]:
        """Call the store; the result of an `AsyncStore` must be awaited."""
        return self.store.compare_and_set(self.key, self.expected, self.value, self.ttl)


@define
class Sleep:
    """The step that waits for a number of seconds."""

    seconds: float


@define
class Wait:
    """The step that waits for a future, for a number of seconds at most; its result is None if there is none yet."""

    future: Future[Any]
    seconds: float


class EitherStore:
    """A store for flows that do not know their driver: in an event loop, threads call a sync store that may block."""

    def __init__(self, store: AnyStore) -> None:
        self.get: Callable[[str], Any] = store.get
        self.compare_and_set: Callable[[str, bytes | None, bytes | None, float], Any] = store.compare_and_set
        self.in_loop: AnyStore = for_event_loop(store)


def perform_in_loop(step: Get | CompareAndSet) -> Any:
    """Perform a step in an event loop; a sync store must not block, unless it is an `EitherStore`."""
    if isinstance(step.store, EitherStore):
        step.store = step.store.in_loop
    return step.perform()


def drive(flow: Flow[T], perform: Callable[[Any], Any]) -> T:
    """Perform the steps of *flow* and return its result; an error of a step is raised in the flow."""
    resume: Callable[[Any], Any] = flow.send
    result: Any = None
    while True:
        try:
            step = resume(result)
        except StopIteration as end:
            returned: T = end.value
            return returned
        try:
            resume, result = flow.send, perform(step)
        except BaseException as error:  # noqa: BLE001, the flow decides what to do
            resume, result = flow.throw, error


async def drive_async(flow: Flow[T], perform: Callable[[Any], Any]) -> T:
    """Like `drive`, but await what *perform* returns if it has to be awaited; a store in memory returns at once."""
    resume: Callable[[Any], Any] = flow.send
    result: Any = None
    given: Any
    while True:
        try:
            step = resume(result)
        except StopIteration as end:
            returned: T = end.value
            return returned
        try:
            given = perform(step)
            if not isinstance(given, _RESULTS_OF_STORES) and inspect.isawaitable(given):
                given = await given
            resume, result = flow.send, given
        except BaseException as error:  # noqa: BLE001, the flow decides what to do
            resume, result = flow.throw, error
