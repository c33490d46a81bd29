"""SimulatorOptions: the options of both simulators, with their validators."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import attrs
from attrs import field
from attrs.validators import optional

from wechat_msg._tracebacks import define
from wechat_msg._validators import Validators, is_seconds, is_whole_number
from wechat_msg.errors import SettingsError
from wechat_msg.testing.clock import VirtualClock
from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.pushes import Mode
from wechat_msg.testing.simulator.in_process import ASGIApp, WSGIApp
from wechat_msg.testing.simulator.verdicts import Try
from wechat_msg.wire import Format, clean_text

__all__ = ["SimulatorOptions", "check", "is_clean_text"]

check: Validators = Validators(partial(SettingsError, hint="该选项的值无效"))
_is_limit = partial(is_seconds, maximum=3600)  # a larger value is most likely a typing error
_limit = check(_is_limit, "seconds, above 0 and at most 3,600")
_pause = check(partial(_is_limit, or_zero=True), "seconds, from 0 to 3,600")
_application = optional(check(callable, "an application, which is callable"))


def is_clean_text(value: object) -> bool:
    """Return whether *value* is text without characters that XML forbids."""
    return isinstance(value, str) and value == clean_text(value)


@define(kw_only=True, eq=False, repr=False, slots=False, on_setattr=attrs.setters.frozen)
class SimulatorOptions:
    """The options of a simulator; `PushSimulator` documents them."""

    mode: Mode | None = field(default=None, validator=optional(check.one_of(*get_args(Mode))))
    format: Format = field(default="xml", validator=check.one_of(*get_args(Format)))
    openid: str = field(default="oUSER", validator=check(is_clean_text, "text"))
    time_limit: float = field(default=5.0, validator=_limit)
    tries: int = field(default=3, validator=check(is_whole_number(1), "a whole number from 1"))
    pause: float = field(default=1.0, validator=_pause)
    wsgi: WSGIApp | None = field(default=None, validator=_application)
    asgi: ASGIApp | None = field(default=None, validator=_application)
    lifespan_limit: float = field(default=10.0, validator=_limit)
    ssl_context: ssl.SSLContext | None = field(default=None, validator=optional(check.instance_of(ssl.SSLContext)))
    api: FakeWeChatAPI | None = field(default=None, validator=optional(check.instance_of(FakeWeChatAPI)))
    on_try: Callable[[Try], None] | None = field(
        default=None, validator=optional(check(callable, "a function of a Try"))
    )
    clock: VirtualClock | None = field(default=None, validator=optional(check.instance_of(VirtualClock)))
    now: Callable[[], float] = field(default=time.time, validator=check(callable, "a function that returns the time"))

    def override(self, **options: Any) -> SimulatorOptions:
        """Return the options, with those of *options* that are not None in place of the simulator's."""
        given = {name: value for name, value in options.items() if value is not None}
        own = {each.name: getattr(self, each.name) for each in attrs.fields(SimulatorOptions)}
        return SimulatorOptions(**{**own, **given})
