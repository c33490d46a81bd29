"""Tracebacks that error trackers can record: frames without secrets, and reprs that never fail.

Trackers such as Sentry record the local variables of every frame of a traceback, each by its repr.
"""

from __future__ import annotations

import functools
import inspect
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar, cast

from wechat_msg._classes import define, frozen, safe_repr

__all__ = ["clears_locals", "define", "frozen", "safe_repr"]

F = TypeVar("F", bound=Callable[..., Any])


def clears_locals(target: F) -> F:
    """Decorate a function that takes a secret, so that its errors carry no local variables.

    When an error passes, the frames of this function and of the functions it called lose their local variables; the
    lines of the traceback stay. The same happens to the error's causes. An error raised ``from None`` also loses its
    context, whose arguments may contain a secret.

    Args:
        target: A function or coroutine function, but no generator; or a class, whose ``__init__`` is decorated.

    Example:
        >>> @clears_locals
        ... def open_with(key: str) -> None:
        ...     raise ValueError("wrong key")
        >>> try:
        ...     open_with("secret")
        ... except ValueError as error:
        ...     [sorted(frame.f_locals) for frame, _ in traceback.walk_tb(error.__traceback__)][1:]
        [['target'], []]
    """
    if isinstance(target, type):
        cls: Any = target
        cls.__init__ = clears_locals(cls.__init__)
        return cast("F", cls)
    guarded = _guard_async(target) if inspect.iscoroutinefunction(target) else _guard(target)
    return cast("F", guarded)


def _guard(target: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(target)
    def call(*args: Any, **options: Any) -> Any:
        outer = sys.exception()
        try:
            return target(*args, **options)
        except BaseException as error:
            _clear(error, outer)
            del args, options, outer
            raise

    return call


def _guard_async(target: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(target)
    async def call(*args: Any, **options: Any) -> Any:
        outer = sys.exception()
        try:
            return await target(*args, **options)
        except BaseException as error:
            _clear(error, outer)
            del args, options, outer
            raise

    return call


def _clear(error: BaseException, outer: BaseException | None) -> None:
    """Clear the frames of *error* and of its causes, except *outer*, which the caller was already handling."""
    seen = {id(outer)}
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        traceback.clear_frames(each.__traceback__)  # skips frames that still run, such as the caller's
        if each.__suppress_context__ and each.__cause__ is None:
            each.__context__ = None
        left += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions
