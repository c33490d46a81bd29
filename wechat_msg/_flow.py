"""Flows: generators that yield the steps which need I/O, and the two loops that perform them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar, cast

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.stores.base import AsyncStore, Store

__all__ = [
    "AnyStore",
    "CompareAndSet",
    "Flow",
    "Get",
    "Sleep",
    "drive",
    "drive_async",
    "perform_store_step",
    "perform_store_step_async",
]

T = TypeVar("T")
Flow = Generator[Any, Any, T]
"""Yields steps, is sent what they give, and returns a T."""
AnyStore = Store | AsyncStore


@frozen
class Get:
    """The step that is answered with the value of a key."""

    store: AnyStore
    key: str

    def ask(self) -> bytes | Awaitable[bytes | None] | None:
        """Ask the store."""
        return self.store.get(self.key)


@frozen
class CompareAndSet:
    """The step that is answered with True if it took effect."""

    store: AnyStore
    key: str
    expected: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    ttl: float = 1.0

    def ask(self) -> bool | Awaitable[bool]:
        """Ask the store."""
        return self.store.compare_and_set(self.key, self.expected, self.value, self.ttl)


@frozen
class Sleep:
    """The step that takes so many seconds."""

    seconds: float


def perform_store_step(step: Get | CompareAndSet) -> Any:
    """Ask a sync store."""
    return step.ask()


async def perform_store_step_async(step: Get | CompareAndSet) -> Any:
    """Ask a store of either kind; a sync one must be quick."""
    answer = step.ask()
    return await answer if inspect.isawaitable(answer) else answer


def drive(flow: Flow[T], perform: Callable[[Any], Any]) -> T:
    """Perform the steps of *flow* and return what it returns; what a step raises is raised in the flow."""
    resume: Callable[[Any], Any] = flow.send
    given: Any = None
    while True:
        try:
            step = resume(given)
        except StopIteration as end:
            return cast("T", end.value)
        try:
            resume, given = flow.send, perform(step)
        except BaseException as error:  # noqa: BLE001, it is the flow's to deal with
            resume, given = flow.throw, error


async def drive_async(flow: Flow[T], perform: Callable[[Any], Awaitable[Any]]) -> T:
    """Like `drive`; *perform* is awaited."""
    resume: Callable[[Any], Any] = flow.send
    given: Any = None
    while True:
        try:
            step = resume(given)
        except StopIteration as end:
            return cast("T", end.value)
        try:
            resume, given = flow.send, await perform(step)
        except BaseException as error:  # noqa: BLE001, it is the flow's to deal with
            resume, given = flow.throw, error
