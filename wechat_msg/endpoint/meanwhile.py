"""The context manager of `AnswerLater.meanwhile`, which is entered while a handler runs; its errors cost no answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from wechat_msg._flow import Flow
from wechat_msg._handlers import RunHandler
from wechat_msg.endpoint.late import Meanwhile
from wechat_msg.messages import Message

__all__ = ["Leave", "do_nothing", "enter"]

_log = logging.getLogger("wechat_msg")


def do_nothing(_: BaseException | None) -> Flow[object]:
    """Leave nothing, as nothing was entered."""
    yield from ()
    return None


Leave = Callable[[BaseException | None], Flow[object]]
"""A flow that leaves a context manager after an error, or without one."""


def enter(meanwhile: Meanwhile, message: Message, *, is_async: bool) -> Flow[Leave]:
    """Enter the context manager of `AnswerLater.meanwhile`; return the flow that leaves it."""
    try:
        context: Any = yield RunHandler(meanwhile, message)
        kind = "a" if is_async and hasattr(type(context), "__aenter__") else ""
        if not hasattr(type(context), f"__{kind}enter__"):
            raise TypeError(f"meanwhile returned a {type(context).__name__}, not a context manager")  # noqa: TRY301
        leave = getattr(type(context), f"__{kind}exit__")
        yield RunHandler(getattr(type(context), f"__{kind}enter__"), context)
    except Exception:  # noqa: BLE001, it is only shown while a handler runs
        _log.exception("meanwhile raised an error")
        return do_nothing

    def call_leave(error: BaseException | None) -> Any:
        return leave(context, *((type(error), error, error.__traceback__) if error else (None, None, None)))

    def leave_safely(error: BaseException | None) -> Flow[object]:
        try:
            return (yield RunHandler(call_leave, error))
        except Exception:  # noqa: BLE001, the handler has ended
            _log.exception("meanwhile raised an error")
            return None

    return leave_safely
