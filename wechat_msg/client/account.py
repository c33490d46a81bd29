"""Account: what a client was given, validated."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field
from attrs.validators import optional

from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg._validators import Validators, is_seconds, is_whole_number
from wechat_msg.client.hosts import Hosts
from wechat_msg.client.sources import FixedToken, Source
from wechat_msg.errors import CallError

__all__ = ["Account", "Timeout"]

Timeout = float | tuple[float | None, float | None] | None

_check = Validators(CallError)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isascii() and value.isprintable()


def _to_pair(timeout: Timeout) -> tuple[float | None, float | None]:
    match timeout:
        case (connect, read):
            return connect, read
        case _:
            return timeout, timeout


@clears_locals
@frozen(kw_only=True)
class Account:
    """The account of a client, with its hosts, time limits, source of access_tokens and clocks; see `Client`.

    Raises:
        CallError: An option has an invalid value.
    """

    appid: str = field(validator=_check(_is_word, "the AppID, such as wx and 16 hexadecimal digits（请核对 appid）"))
    secret: str | None = field(repr=False, validator=optional(_check(_is_word, "the AppSecret（请核对 secret）")))
    hosts: Hosts
    timeout: tuple[float | None, float | None] = field(
        converter=_to_pair,
        validator=_check(
            lambda pair: all(each is None or is_seconds(each) for each in pair),
            "seconds, or a pair: to connect, to read",
        ),
    )
    total_timeout: float = field(validator=_check(is_seconds, "seconds, greater than 0"))
    retries: int = field(validator=_check(is_whole_number(0), "a whole number, 0 for none"))
    token_source: Source | FixedToken = field(
        validator=_check.instance_of(Source, FixedToken, what="a source, such as ClassicTokenSource()"),
    )
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    random: Callable[[], float]
