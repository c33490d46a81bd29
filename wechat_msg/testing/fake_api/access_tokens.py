"""The life of access tokens, of both kinds."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg.testing.fake_api.response import ErrcodeError

__all__ = ["ClassicAccessTokens", "IssuedAccessToken", "StableAccessTokens"]

#: Seconds that a token is valid.
LIFETIME = 7200.0
#: Seconds that the token before stays valid when a new one has been made.
CHANGE_OVER = 300.0

_DAY = 86400.0
_FORCED_A_DAY = 20
_FORCED_APART = 30.0


@define
class IssuedAccessToken:
    """A token that was handed out."""

    value: str = field(repr=False)
    expires_at: float
    rejected_at: float = math.inf

    def check(self, now: float) -> None:
        """Refuse what is no longer valid."""
        if now >= self.expires_at:
            raise ErrcodeError(42001)
        if now >= self.rejected_at:
            raise ErrcodeError(40001)


class IssuedAccessTokens:
    """All tokens of one kind that were handed out, also those that are over."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._issued: dict[str, IssuedAccessToken] = {}
        self.newest: IssuedAccessToken | None = None

    def find(self, value: str) -> IssuedAccessToken | None:
        """Return the token that has this value."""
        return self._issued.get(value)

    def expire(self) -> None:
        """Let every token answer 42001 from now on."""
        now = self._clock()
        for token in self._issued.values():
            token.expires_at = min(token.expires_at, now)

    def reject(self, after: float = 0.0) -> None:
        """Let every token answer 40001 when *after* seconds have passed."""
        rejected_at = self._clock() + after
        for token in self._issued.values():
            token.rejected_at = min(token.rejected_at, rejected_at)

    def _issue(self, change_over: float) -> IssuedAccessToken:
        self.reject(change_over)
        value = f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(100)}"
        self.newest = self._issued[value] = IssuedAccessToken(value, self._clock() + LIFETIME)
        return self.newest


class ClassicAccessTokens(IssuedAccessTokens):
    """What ``/cgi-bin/token`` hands out: a new one every time, and the one before dies 5 minutes later."""

    def fetch(self) -> IssuedAccessToken:
        """Make a new one."""
        return self._issue(CHANGE_OVER)


class StableAccessTokens(IssuedAccessTokens):
    """What ``/cgi-bin/stable_token`` hands out: the same one to everybody, until it is nearly over."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._forced: list[float] = []
        #: A rejected token is handed out all the same, until a new one is forced.
        self.is_sticky: bool = False

    def fetch(self) -> IssuedAccessToken:
        """Return the current one, or a new one if its last 5 minutes have begun or it has been rejected."""
        newest, now = self.newest, self._clock()
        if newest is None or newest.expires_at - now <= CHANGE_OVER:
            return self._issue(CHANGE_OVER)
        if newest.rejected_at <= now and not self.is_sticky:
            return self._issue(0)
        return newest

    def force(self) -> IssuedAccessToken:
        """Make a new one; the one before dies at once."""
        now = self._clock()
        self._forced = [at for at in self._forced if at > now - _DAY]
        if self._forced and now - self._forced[-1] < _FORCED_APART:
            raise ErrcodeError(45011)
        if len(self._forced) >= _FORCED_A_DAY:
            raise ErrcodeError(45009)
        self._forced.append(now)
        self.is_sticky = False
        return self._issue(0)
