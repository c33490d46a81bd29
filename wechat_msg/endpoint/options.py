"""The options of an endpoint, each with its validator."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, Generic, Literal, TypeVar

import attrs
from attrs import field

from wechat_msg._flow import AnyStore
from wechat_msg._handlers import is_async
from wechat_msg._tracebacks import define
from wechat_msg._validators import Validators, is_seconds, is_whole_number
from wechat_msg.endpoint.dedup import NoDedup
from wechat_msg.endpoint.late import AnswerLater, FallbackReply, KeepReply, LatePolicy, LostReason
from wechat_msg.errors import SettingsError
from wechat_msg.settings import PushSettings
from wechat_msg.stores import Store

__all__ = ["EndpointOptions"]

H = TypeVar("H", bound=Callable[..., Any])
S = TypeVar("S", bound=AnyStore)

_SHORTEST = 64  # bytes

_check = Validators(SettingsError)
_optional = attrs.validators.optional


@define(eq=False, repr=False, slots=False, on_setattr=attrs.setters.frozen)
class EndpointOptions(Generic[H, S]):
    """The options of an endpoint; `PushEndpoint` documents them."""

    settings: PushSettings = field(validator=_check.instance_of(PushSettings))
    handler: H | None = field(default=None, validator=_optional(_check(callable, "a function of the message")))
    store: S | NoDedup | None = field(
        default=None,
        kw_only=True,
        validator=_optional(
            _check(
                lambda value: isinstance(value, (Store, NoDedup)) and not isinstance(value, type),
                "a Store, an AsyncStore or NO_DEDUP",
            )
        ),
    )
    late: LatePolicy | None = field(
        default=None, kw_only=True, validator=_optional(_check.instance_of(AnswerLater, FallbackReply, KeepReply))
    )
    queue: Callable[[str], Any] | None = field(
        default=None, kw_only=True, validator=_optional(_check(callable, "a function of the text of a job"))
    )
    executor: Executor | None = field(default=None, kw_only=True, validator=_optional(_check.instance_of(Executor)))
    on_error: Literal["raise", "acknowledge"] | Callable[[Any, Any], Any] = field(
        default="raise",
        kw_only=True,
        validator=_check(
            lambda value: callable(value) or (isinstance(value, str) and value in ("raise", "acknowledge")),
            "'raise', 'acknowledge' or a function of the message and the error",
        ),
    )
    on_store_error: Literal["handle", "refuse"] = field(
        default="handle", kw_only=True, validator=_check.one_of("handle", "refuse")
    )
    on_lost: Callable[[Any, LostReason], Any] | None = field(
        default=None,
        kw_only=True,
        validator=_optional(_check(callable, "a function of the message and the reason")),
    )
    dedup_key: Callable[[Any], str | None] | None = field(
        default=None,
        kw_only=True,
        validator=_optional(
            _check(lambda value: callable(value) and not is_async(value), "a function of the message that is not async")
        ),
    )
    deliveries: int = field(
        default=3, kw_only=True, validator=_check(is_whole_number(1, 100), "a whole number from 1 to 100")
    )
    handler_limit: float = field(
        default=600.0,
        kw_only=True,
        validator=_check(partial(is_seconds, maximum=float("inf")), "a number of seconds greater than 0"),
    )
    max_running: int | None = field(
        default=None, kw_only=True, validator=_optional(_check(is_whole_number(1), "a whole number from 1"))
    )
    ordered: bool = field(default=False, kw_only=True, validator=_check.instance_of(bool))
    text_limit: int = field(
        default=2047, kw_only=True, validator=_check(is_whole_number(_SHORTEST), f"a whole number from {_SHORTEST}")
    )
    clock: Callable[[], float] = field(default=time.time, kw_only=True)
    monotonic: Callable[[], float] = field(default=time.monotonic, kw_only=True)
    sleep: Callable[[float], Any] | None = field(default=None, kw_only=True)
