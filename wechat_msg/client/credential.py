"""Credential, and the records of a store: a credential, the reason of a failed fetch, the times of forced fetches."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from attrs import field

from wechat_msg import errors
from wechat_msg._tracebacks import frozen
from wechat_msg.client.sources import FetchedCredential
from wechat_msg.errors import (
    ClientError,
    InvalidCredential,
    IPNotAllowed,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    UnreadableAnswer,
)

__all__ = ["Credential", "dump", "get_failure_ttl", "load_failure", "load_times", "to_failure"]

MIN_USE = 30.0
"""Seconds that a credential with little time left is used before it is renewed."""
_MAX_LIFE = 30 * 86400
_LATEST = 1e11  # the year 5138; a later time, or an infinite one, was not written by this module


@frozen
class Credential:
    """An access_token or a ticket.

    Attributes:
        value: The text that is sent.
        renew_at: Seconds since the epoch; from then on a new one is fetched, while this one is still used.
        expires_at: Seconds since the epoch; from then on it is invalid.
    """

    value: str = field(repr=False)
    renew_at: float
    expires_at: float

    @classmethod
    def make(cls, fetched: FetchedCredential, renew_before: float, now: float) -> Credential:
        """Return the credential that was fetched at *now*.

        Raises:
            UnreadableAnswer: It is empty, or has no time left.
        """
        life = min(fetched.expires_in, _MAX_LIFE)
        if not fetched.value or life <= 0:
            raise UnreadableAnswer(
                "the access_token or ticket is empty or has no time left（access_token 或 ticket 为空或已到期）"
            )
        # One with little time left is still used for a while; otherwise each call would fetch.
        return cls(fetched.value, now + max(life - renew_before, min(life / 2, MIN_USE)), now + life)

    def to_record(self) -> bytes:
        """Return the record of this credential."""
        return dump({"value": self.value, "renew_at": self.renew_at, "expires_at": self.expires_at})

    @classmethod
    def load(cls, record: bytes | None) -> Credential | None:
        """Read a record of `to_record`; return None if it is anything else."""
        match _load(record):
            case {"value": str(value), "renew_at": renew_at, "expires_at": end}:
                if value and value.isprintable() and _is_time(renew_at) and _is_time(end):
                    return cls(value, renew_at, end)
        return None


def to_failure(error: ClientError) -> bytes:
    """Return a record of why a fetch failed, so that other processes do not repeat it."""
    return dump({"error": type(error).__name__, "args": error.args, "hint": error.hint})


def load_failure(record: bytes | None) -> ClientError | None:
    """Read a record of `to_failure`; return None if it is anything else."""
    match _load(record):
        case {"error": str(name), "args": list(args), "hint": str(hint)}:
            cls = getattr(errors, name, None)
            if isinstance(cls, type) and issubclass(cls, ClientError) and args:
                with contextlib.suppress(TypeError):  # more arguments than this error has
                    error = cls(*args)
                    error.hint = hint
                    return error
    return None


def get_failure_ttl(error: ClientError) -> float:
    """Return the seconds for which no process repeats a fetch that failed with *error*."""
    return next((seconds for cls, seconds in FAILURE_TTLS.items() if isinstance(error, cls)), 2.0)


FAILURE_TTLS: dict[type[ClientError], float] = {
    InvalidCredential: 120.0,
    IPNotAllowed: 60.0,
    PermissionDenied: 60.0,
    QuotaExhausted: 60.0,
    RateLimited: 20.0,
}
"""A wrong AppSecret stays wrong until it is corrected, and each try counts against the account's 2,000 a day."""


def load_times(record: bytes | None) -> list[float]:
    """Read a list of times; return an empty list if the record is anything else."""
    match _load(record):
        case [*times] if all(map(_is_time, times)):
            return times
    return []


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < _LATEST


def dump(value: Any) -> bytes:
    """Return the record of a value."""
    return json.dumps(value, separators=(",", ":")).encode()


def _load(record: bytes | None) -> Any:
    try:
        return json.loads(record or b"null")
    except (ValueError, RecursionError):
        return None
