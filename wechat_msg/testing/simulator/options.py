"""SimulatorOptions: the options of both simulators, with their validators."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import attrs
from attrs import field
from attrs.validators import optional

from wechat_msg._tracebacks import frozen
from wechat_msg._validators import Validators, is_whole_number
from wechat_msg.errors import SettingsError
from wechat_msg.settings import PushSettings
from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.pushes import Mode
from wechat_msg.testing.simulator.in_process import ASGIApp, WSGIApp
from wechat_msg.testing.simulator.verdicts import Try
from wechat_msg.wire import Format, clean_text

__all__ = ["SimulatorOptions", "is_clean_text"]

_MAX_SECONDS = 3600  # a larger value is most likely a typing error

_check = Validators(partial(SettingsError, hint="该选项的值无效"))


def is_clean_text(value: object) -> bool:
    """Return whether *value* is text without characters that XML forbids."""
    return isinstance(value, str) and value == clean_text(value)


def _is_duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MAX_SECONDS


_limit = _check(lambda value: _is_duration(value) and value != 0, "seconds, above 0 and at most 3,600")
_application = optional(_check(callable, "an application, which is callable"))


@frozen
class SimulatorOptions:
    """The options of a simulator; `PushSimulator` documents them."""

    settings: PushSettings = field(validator=_check.instance_of(PushSettings), repr=False)
    mode: Mode | None = field(validator=optional(_check.one_of(*get_args(Mode))))
    format: Format = field(validator=_check.one_of(*get_args(Format)))
    openid: str = field(validator=_check(is_clean_text, "text"))
    time_limit: float = field(validator=_limit)
    tries: int = field(validator=_check(is_whole_number(1), "a whole number from 1"))
    pause: float = field(validator=_check(_is_duration, "seconds, from 0 to 3,600"))
    wsgi: WSGIApp | None = field(validator=_application)
    asgi: ASGIApp | None = field(validator=_application)
    lifespan_limit: float = field(validator=_limit)
    ssl_context: ssl.SSLContext | None = field(validator=optional(_check.instance_of(ssl.SSLContext)))
    api: FakeWeChatAPI | None = field(validator=optional(_check.instance_of(FakeWeChatAPI)))
    on_try: Callable[[Try], None] | None = field(validator=optional(_check(callable, "a function of a Try")))
    now: Callable[[], float] = field(validator=_check(callable, "a function that returns the time"))

    def __attrs_post_init__(self) -> None:
        """Check that there is one application at most."""
        if self.wsgi is not None and self.asgi is not None:
            raise SettingsError("give wsgi or asgi, not both", hint="wsgi 与 asgi 只能给出其一")

    def override(self, **options: Any) -> SimulatorOptions:
        """Return a copy in which *options* that are not None replace the simulator's."""
        return attrs.evolve(self, **{name: value for name, value in options.items() if value is not None})
