"""Where access_tokens come from: WeChat, stable or classic; a token server; or somebody who hands them in."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar, Protocol

from attrs import field

from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg.api import access_token, jsapi
from wechat_msg.api.call import APPID, Call
from wechat_msg.api.results import ResultOf
from wechat_msg.errors import CallError

__all__ = [
    "Attempt",
    "ClassicTokenSource",
    "Fetched",
    "FixedToken",
    "RemoteTokenSource",
    "Source",
    "StableTokenSource",
    "TicketSource",
    "fingerprint",
]

DAY = 86400.0
Limits = tuple[tuple[int, float], ...]


class Fetched(Protocol):
    """What a source gives."""

    @property
    def value(self) -> str:
        """The token or ticket."""
        ...

    @property
    def expires_in(self) -> int:
        """Seconds that it has left."""
        ...


@frozen
class Attempt:
    """One way to fetch.

    Attributes:
        call: Fetches.
        is_limited: Counts against the source's `limits`.
    """

    call: Call[Fetched]
    is_limited: bool = False


class Source(ABC):
    """Knows how to fetch a token or ticket; when, and who of many does it, is the business of the client.

    Attributes:
        name: Tells sources of one account apart, as each has a token of its own; printable ASCII.
        early: How many seconds before its end a new one is fetched.
        is_shared: Whether all who fetch get the same; otherwise the second fetch makes the first one useless.
        limits: How many limited attempts may be made in how many seconds.
    """

    name: ClassVar[str]
    early: ClassVar[float] = 600.0
    is_shared: ClassVar[bool] = True
    limits: ClassVar[Limits] = ()

    @property
    def credentials(self) -> str:
        """What a fetch is made with besides AppID and AppSecret: if it is another, an earlier failure means nothing."""
        return ""

    @abstractmethod
    def attempts(self, rejected: str | None) -> Iterable[Attempt]:
        """Give the ways to fetch, one after the other, until one gives something else than *rejected*."""


@frozen
class StableTokenSource(Source):
    """稳定版接口调用凭据: the access_token that all programs get alike until it is nearly over; the default.

    A new one is forced only if WeChat rejects the one that it goes on giving, at most 20 times a day and 30 seconds
    apart.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html
    """

    name: ClassVar[str] = "stable"
    early: ClassVar[float] = 240.0  # until 300 seconds before its end WeChat gives the same one again
    limits: ClassVar[Limits] = ((1, 30.0), (20, DAY))

    def attempts(self, rejected: str | None) -> Iterable[Attempt]:
        """Ask for the token of all; insist on a new one only if that is the rejected one."""
        yield Attempt(access_token.get_stable_access_token())
        yield Attempt(access_token.get_stable_access_token(force_refresh=True), is_limited=rejected is not None)


@frozen
class ClassicTokenSource(Source):
    """接口调用凭据: an access_token of one's own; whoever fetches the next one ends it 5 minutes later.

    All programs of the account must share one store, or use something else. How often a rejected token is replaced
    is limited, so that two programs which fight over it do not use up the 2,000 a day.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_access_token.html
    """

    name: ClassVar[str] = "classic"
    is_shared: ClassVar[bool] = False
    limits: ClassVar[Limits] = ((5, 300.0), (200, DAY))

    def attempts(self, rejected: str | None) -> Iterable[Attempt]:
        """Fetch a new one."""
        yield Attempt(access_token.get_access_token(), is_limited=rejected is not None)


def _check_printable(_instance: object, _attribute: object, value: str) -> None:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise CallError("url and shared_secret of a token server are plain ASCII, and not empty")


@clears_locals
@frozen
class RemoteTokenSource(Source):
    """中控服务器: a token server of one's own, `wechat_msg.client.token_server`.

    Args:
        url: Where it listens: ``https://tokens.example.com``.
        shared_secret: What it asks of whoever comes.
    """

    name: ClassVar[str] = "remote"
    early: ClassVar[float] = 120.0  # the server renews earlier, so what it gives by then is new

    url: str = field(validator=_check_printable)
    shared_secret: str = field(repr=False, validator=_check_printable)

    @property
    def credentials(self) -> str:
        """Where, and the secret."""
        return f"{self.url} {self.shared_secret}"

    def attempts(self, rejected: str | None) -> Iterable[Attempt]:
        """Ask the server, and tell it which token was rejected, by fingerprint."""
        yield Attempt(
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
    """Return what tells a token from others without telling the token."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


@frozen
class TicketSource(Source):
    """Fetches a ticket: ``jsapi`` or ``wx_card``."""

    name: ClassVar[str] = "ticket"

    type: str

    def attempts(self, rejected: str | None) -> Iterable[Attempt]:  # noqa: ARG002
        """Fetch one."""
        yield Attempt(jsapi.get_ticket(self.type))


@frozen
class FixedToken:
    """A token that others take care of; it is used as it is, and never replaced.

    In a container of WeChat Cloud Run (云托管) the platform adds the credential itself: `FixedToken()` sends none, with
    ``hosts=["http://api.weixin.qq.com"]``.

    Args:
        access_token: The token; a function that returns the current one; None: none is sent.
        param: Name of the query parameter; the older way of the cloud is ``cloudbase_access_token``.
    """

    access_token: str | Callable[[], str] | None = field(default=None, repr=False)
    param: str = "access_token"
