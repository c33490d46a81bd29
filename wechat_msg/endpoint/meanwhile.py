"""The context manager of `AnswerLater.meanwhile`, which is entered while a handler runs; its errors cost no answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from wechat_msg._flow import Flow
from wechat_msg.endpoint.late import Meanwhile
from wechat_msg.messages import Message
from wechat_msg.routing import RunHandler

__all__ = ["do_nothing", "enter"]

_log = logging.getLogger("wechat_msg")


def do_nothing(_: BaseException | None) -> Flow[object]:
    """Leave nothing, as nothing was entered."""
    return None
    yield  # a flow without a step


def enter(meanwhile: Meanwhile, message: Message) -> Flow[Callable[[BaseException | None], Flow[object]]]:
    """Enter the context manager of `AnswerLater.meanwhile`; return the flow that leaves it."""
    context: Any = yield from _call_safely(meanwhile, message)
    names = ("__aenter__", "__aexit__") if hasattr(type(context), "__aenter__") else ("__enter__", "__exit__")
    enter, leave = (getattr(type(context), name, None) for name in names)
    if enter is None or leave is None:
        if context is not None:
            _log.error("meanwhile returned a %s, not a context manager", type(context).__name__)
        return do_nothing
    yield from _call_safely(enter, context)

    def call_leave(error: BaseException | None) -> Any:
        return leave(context, *((type(error), error, error.__traceback__) if error else (None, None, None)))

    return lambda error: _call_safely(call_leave, error)


def _call_safely(function: Callable[[Any], Any], argument: object) -> Flow[Any]:
    """Call a function of the user's whose error must not cost the answer."""
    try:
        return (yield RunHandler(function, argument))
    except Exception:  # noqa: BLE001, it is only shown while a handler runs
        _log.exception("meanwhile raised an error")
        return None
