"""Lifetimes of access_tokens, classic and stable."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg.testing.fake_api.response import ErrcodeError

__all__ = ["LIFETIME", "ClassicAccessTokens", "IssuedAccessToken", "StableAccessTokens"]

#: Seconds for which an access_token is valid.
LIFETIME = 7200.0
#: Seconds for which the previous access_token stays valid after a new one was issued.
CHANGE_OVER = 300.0

_DAY = 86400.0
_MAX_FORCED_A_DAY = 20
_MIN_SECONDS_APART = 30.0


@define
class IssuedAccessToken:
    """An access_token, or a ticket, that the fake API issued."""

    value: str = field(repr=False)
    expires_at: float
    rejected_at: float = math.inf

    def check(self, now: float) -> None:
        """Check that it is valid at *now*; raise 42001 or 40001 if not."""
        if now >= self.expires_at:
            raise ErrcodeError(42001)
        if now >= self.rejected_at:
            raise ErrcodeError(40001)


class IssuedAccessTokens:
    """The issued access_tokens of one kind, including expired ones."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._issued: dict[str, IssuedAccessToken] = {}
        self.newest: IssuedAccessToken | None = None

    def find(self, value: str) -> IssuedAccessToken | None:
        """Return the access_token with this value; None if there is none."""
        return self._issued.get(value)

    def expire(self) -> None:
        """Expire all access_tokens now (42001)."""
        now = self._clock()
        for issued in self._issued.values():
            issued.expires_at = min(issued.expires_at, now)

    def reject(self, after: float = 0.0) -> None:
        """Reject all access_tokens (40001) after *after* seconds."""
        rejected_at = self._clock() + after
        for issued in self._issued.values():
            issued.rejected_at = min(issued.rejected_at, rejected_at)

    def _issue(self, change_over: float) -> IssuedAccessToken:
        self.reject(change_over)
        value = f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(100)}"
        self.newest = self._issued[value] = IssuedAccessToken(value, self._clock() + LIFETIME)
        return self.newest


class ClassicAccessTokens(IssuedAccessTokens):
    """The access_tokens of ``/cgi-bin/token``: each fetch issues one; the previous one expires 5 minutes later."""

    def fetch(self) -> IssuedAccessToken:
        """Issue a new access_token."""
        return self._issue(CHANGE_OVER)


class StableAccessTokens(IssuedAccessTokens):
    """The access_tokens of ``/cgi-bin/stable_token``: all fetches return the same one until it nearly expires."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._forced: list[float] = []
        #: Whether a rejected access_token is returned until a forced refresh.
        self.is_sticky: bool = False

    def fetch(self) -> IssuedAccessToken:
        """Return the current access_token; issue a new one if it expires within 5 minutes or was rejected."""
        newest, now = self.newest, self._clock()
        if newest is None or newest.expires_at - now <= CHANGE_OVER:
            return self._issue(CHANGE_OVER)
        if newest.rejected_at <= now and not self.is_sticky:
            return self._issue(0)
        return newest

    def force(self) -> IssuedAccessToken:
        """Issue a new access_token; the previous one expires at once."""
        now = self._clock()
        self._forced = [at for at in self._forced if at > now - _DAY]
        if self._forced and now - self._forced[-1] < _MIN_SECONDS_APART:
            raise ErrcodeError(45011)
        if len(self._forced) >= _MAX_FORCED_A_DAY:
            raise ErrcodeError(45009)
        self._forced.append(now)
        self.is_sticky = False
        return self._issue(0)
