"""What a store holds about a token or ticket: itself, why the last fetch failed, when new ones were forced."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from attrs import field

from wechat_msg import errors
from wechat_msg._tracebacks import frozen
from wechat_msg.client.sources import Fetched
from wechat_msg.errors import (
    ClientError,
    InvalidCredential,
    IPNotAllowed,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    UnreadableAnswer,
)

__all__ = ["Credential", "dump", "load_failure", "load_times", "remember_for", "to_failure"]

_MAX_LIFE = 30 * 86400
_AT_LEAST = 30.0
_LATEST = 1e11  # the year 5138; what is later, or no finite number, is no moment that was written here


@frozen
class Credential:
    """A token or ticket.

    Attributes:
        value: What is sent.
        renew_at: Seconds since the epoch; from then on a new one is fetched, while this one goes on being used.
        expires_at: Seconds since the epoch; from then on it is of no use.
    """

    value: str = field(repr=False)
    renew_at: float
    expires_at: float

    @classmethod
    def make(cls, fetched: Fetched, early: float, now: float) -> Credential:
        """Take what was fetched at *now*.

        Raises:
            UnreadableAnswer: It is empty, or has no time left.
        """
        life = min(fetched.expires_in, _MAX_LIFE)
        if not fetched.value or life <= 0:
            raise UnreadableAnswer("the token is empty or has no time left")
        # One that comes with little time left is used for a while all the same: else each call would fetch.
        return cls(fetched.value, now + max(life - early, min(life / 2, _AT_LEAST)), now + life)

    def to_record(self) -> bytes:
        """Write it down."""
        return dump({"value": self.value, "renew_at": self.renew_at, "expires_at": self.expires_at})

    @classmethod
    def load(cls, record: bytes | None) -> Credential | None:
        """Read what `to_record` has written; None: it is something else."""
        match _load(record):
            case {"value": str(value), "renew_at": renew_at, "expires_at": end}:
                if value and value.isprintable() and _is_moment(renew_at) and _is_moment(end):
                    return cls(value, renew_at, end)
        return None


def to_failure(error: ClientError) -> bytes:
    """Write down why a fetch failed, so that nobody else has to find out."""
    return dump({"error": type(error).__name__, "args": error.args, "hint": error.hint})


def load_failure(record: bytes | None) -> ClientError | None:
    """Read what `to_failure` has written; None: it is something else."""
    match _load(record):
        case {"error": str(name), "args": list(args), "hint": str(hint)}:
            cls = getattr(errors, name, None)
            if isinstance(cls, type) and issubclass(cls, ClientError) and args:
                with contextlib.suppress(TypeError):  # more of them than this error has
                    error = cls(*args)
                    error.hint = hint
                    return error
    return None


def remember_for(error: ClientError) -> float:
    """Return for how many seconds a fetch that failed like this is not tried again, by anybody."""
    return next((seconds for cls, seconds in _REMEMBER.items() if isinstance(error, cls)), 2.0)


#: A wrong AppSecret stays wrong until somebody mends it, and each try counts against the account's 2,000 a day.
_REMEMBER: dict[type[ClientError], float] = {
    InvalidCredential: 120.0,
    IPNotAllowed: 60.0,
    PermissionDenied: 60.0,
    QuotaExhausted: 60.0,
    RateLimited: 20.0,
}


def load_times(record: bytes | None) -> list[float]:
    """Read a list of moments; what is something else is an empty one."""
    match _load(record):
        case [*times] if all(map(_is_moment, times)):
            return times
    return []


def _is_moment(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < _LATEST


def dump(value: Any) -> bytes:
    """Write a record."""
    return json.dumps(value, separators=(",", ":")).encode()


def _load(record: bytes | None) -> Any:
    try:
        return json.loads(record or b"null")
    except (ValueError, RecursionError):
        return None
