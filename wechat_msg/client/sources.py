"""Sources of access_tokens: WeChat (stable or classic), a token server, or the program itself."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar, Protocol

from attrs import field

from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg._validators import Validators
from wechat_msg.api import access_token, jsapi
from wechat_msg.api.call import APPID, Call
from wechat_msg.api.results import ResultOf
from wechat_msg.errors import CallError

__all__ = [
    "DAY",
    "ClassicTokenSource",
    "FetchAttempt",
    "FetchedCredential",
    "FixedToken",
    "RemoteTokenSource",
    "Source",
    "StableTokenSource",
    "TicketSource",
    "fingerprint",
]

DAY = 86400.0
Limits = tuple[tuple[int, float], ...]


class FetchedCredential(Protocol):
    """The answer to the call of a source."""

    @property
    def value(self) -> str:
        """The access_token or ticket."""
        ...

    @property
    def expires_in(self) -> int:
        """Seconds until it expires."""
        ...


@frozen
class FetchAttempt:
    """One way to fetch a credential.

    Attributes:
        call: The call that fetches it.
        is_limited: Whether it counts against the source's `limits`.
    """

    call: Call[FetchedCredential]
    is_limited: bool = False


class Source(ABC):
    """A way to fetch access_tokens or tickets; the client decides when to fetch, and which process does.

    Attributes:
        name: Part of the store's keys, as each source of an account has its own access_token; printable ASCII.
        renew_before: Seconds before its end at which an access_token is renewed.
        gives_same_token: Whether every fetch gives the same access_token; otherwise each fetch ends the one before.
        limits: How many limited attempts may be made in how many seconds.
    """

    name: ClassVar[str]
    renew_before: ClassVar[float] = 600.0
    gives_same_token: ClassVar[bool] = True
    limits: ClassVar[Limits] = ()

    @property
    def credentials(self) -> str:
        """What a fetch sends besides AppID and AppSecret; when it changes, an earlier failure does not count."""
        return ""

    @abstractmethod
    def attempts(self, rejected: str | None) -> Iterable[FetchAttempt]:
        """Yield the ways to fetch; the client tries them until one gives another credential than *rejected*."""


@frozen
class StableTokenSource(Source):
    """稳定版接口调用凭据: the access_token that WeChat gives to all programs alike; the default.

    A new one is forced only if WeChat rejects the one that it gives, at most 20 times a day and 30 seconds apart.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html
    """

    name: ClassVar[str] = "stable"
    renew_before: ClassVar[float] = 240.0  # until 300 seconds before its end WeChat gives the same one again
    limits: ClassVar[Limits] = ((1, 30.0), (20, DAY))

    def attempts(self, rejected: str | None) -> Iterable[FetchAttempt]:
        """Ask for the current access_token; force a new one only if that is the rejected one."""
        yield FetchAttempt(access_token.get_stable_access_token())
        yield FetchAttempt(access_token.get_stable_access_token(force_refresh=True), is_limited=rejected is not None)


@frozen
class ClassicTokenSource(Source):
    """接口调用凭据: an access_token that ends 5 minutes after any program fetches the next one.

    All programs of the account must share one store, or use another source. How often a rejected one is replaced is
    limited, so that two programs that replace each other's access_tokens do not use up the 2,000 a day.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_access_token.html
    """

    name: ClassVar[str] = "classic"
    gives_same_token: ClassVar[bool] = False
    limits: ClassVar[Limits] = ((5, 300.0), (200, DAY))

    def attempts(self, rejected: str | None) -> Iterable[FetchAttempt]:
        """Fetch a new access_token."""
        yield FetchAttempt(access_token.get_access_token(), is_limited=rejected is not None)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and bool(value)


_check_plain = Validators(CallError)(_is_plain, "printable ASCII, and not empty")


@clears_locals
@frozen
class RemoteTokenSource(Source):
    """中控服务器: a token server of one's own, `wechat_msg.client.token_server`.

    Args:
        url: Its URL: ``https://tokens.example.com``.
        shared_secret: The secret that it requires.
    """

    name: ClassVar[str] = "remote"
    renew_before: ClassVar[float] = 120.0  # the server renews earlier, so it gives a new one by then

    url: str = field(validator=_check_plain)
    shared_secret: str = field(repr=False, validator=_check_plain)

    @property
    def credentials(self) -> str:
        """The URL and the secret."""
        return f"{self.url} {self.shared_secret}"

    def attempts(self, rejected: str | None) -> Iterable[FetchAttempt]:
        """Ask the server; send the fingerprint of the rejected access_token."""
        yield FetchAttempt(
            Call(
                "POST",
                "/token",
                ResultOf(access_token.AccessToken),
                json={"appid": APPID, "rejected": None if rejected is None else fingerprint(rejected)},
                is_repeatable=True,
                needs_access_token=False,
                host=self.url.rstrip("/"),
                headers={"Authorization": f"Bearer {self.shared_secret}"},
            )
        )


def fingerprint(value: str) -> str:
    """Return the SHA-256 of an access_token, which identifies it without revealing it."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


@frozen
class TicketSource(Source):
    """A source of tickets: ``jsapi`` or ``wx_card``."""

    name: ClassVar[str] = "ticket"

    type: str

    def attempts(self, rejected: str | None) -> Iterable[FetchAttempt]:  # noqa: ARG002
        """Fetch a ticket."""
        yield FetchAttempt(jsapi.get_ticket(self.type))


@frozen
class FixedToken:
    """An access_token that the program provides; the client sends it as it is, and never replaces it.

    In a container of WeChat Cloud Run (云托管) the platform adds the credential itself: `FixedToken()` sends none, with
    ``hosts=["http://api.weixin.qq.com"]``.

    Args:
        access_token: The access_token, or a function that returns the current one; None if none is sent.
        param: Name of the query parameter; the older way of Cloud Run is ``cloudbase_access_token``.
    """

    access_token: str | Callable[[], str] | None = field(default=None, repr=False)
    param: str = "access_token"
