"""TokenManager: keeps one token or ticket of an account, and sees to it that one of many fetches the next."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from typing import Protocol, cast

from attrs import field

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Sleep
from wechat_msg._tracebacks import frozen
from wechat_msg.api.call import Call
from wechat_msg.client.credentials import Credential, dump, load_failure, load_times, remember_for, to_failure
from wechat_msg.client.rules import Clocks
from wechat_msg.client.single_flight import Turn
from wechat_msg.client.sources import DAY, Fetched, Source
from wechat_msg.client.steps import Beside
from wechat_msg.errors import AccessTokenRejected, CallError, ClientError, StoreError, TransportError
from wechat_msg.stores import MemoryStore
from wechat_msg.stores._error_log import StoreErrorLog

__all__ = ["Rejected", "TokenManager"]

_log = logging.getLogger("wechat_msg")

LEASE = 8.0
"""Seconds after which others no longer wait for the one who fetches: the process may have been killed."""
FETCH_LIMIT = 7.5
"""Seconds that a fetch may take; less than the lease, so that two never fetch at once."""
LOOK_EVERY = 1.0
"""Seconds between two attempts of one process to renew what is still good."""
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


class SendCall(Protocol):
    """Sends the call of a source; gives up at *deadline*, by the monotonic clock."""

    def __call__(self, call: Call[Fetched], deadline: float) -> Flow[Fetched]: ...


@frozen
class Rejected:
    """What WeChat did not take.

    Attributes:
        value: The token.
        errcode: What WeChat said.
    """

    value: str = field(repr=False)
    errcode: int


@frozen
class Wanted:
    """What a caller wants.

    Attributes:
        is_good: Tells whether a token will do.
        deadline: When the caller gives up waiting for others, by the monotonic clock.
        rejected: What WeChat did not take, if it is because of that.
    """

    is_good: Callable[[Credential], bool]
    deadline: float
    rejected: Rejected | None = None


class TokenManager:
    """One token or ticket, in the store and in front of it in memory.

    - It is good: it comes from memory, and nothing else happens.
    - It is due for renewal: one of all processes fetches a new one, beside the calls, which go on with the old one.
    - There is none: one fetches it, the others wait until it is in the store.
    - WeChat rejects it: if there is another one in the store that is taken, else one fetches.

    Args:
        account: Name of the account in the keys of the store.
        credentials: What is wrong when WeChat says so, such as the AppSecret: another one is tried at once.
        source: Where it comes from.
        store: Where processes agree.
        send: Sends the calls of the source.
        clocks: Time and chance.
    """

    def __init__(
        self, account: str, credentials: str, source: Source, store: AnyStore, send: SendCall, clocks: Clocks
    ) -> None:
        self._source = source
        self._store = store
        self._send = send
        self._clocks = clocks
        self._private_store = MemoryStore(clock=clocks.monotonic)
        self._turns = {id(each): Turn(LEASE, clocks.monotonic) for each in (store, self._private_store)}
        self._key = f"token:{account}:{source.name}"
        self._failure_key = f"{self._key}:failure:{hashlib.sha256(credentials.encode()).hexdigest()[:16]}"
        self._trouble = StoreErrorLog(f"sharing {self._key}", clocks.monotonic)
        self._kept: Credential | None = None
        self._next_look = float("-inf")
        self._has_warned = False

    # --- what others ask

    def get(self, deadline: float) -> Flow[Credential]:
        """Return what is good."""
        kept, now = self._kept, self._clocks.now()
        if kept is None or kept.expires_at <= now:
            return (yield from self._obtain(Wanted(self._is_valid, deadline)))
        if kept.renew_at <= now and self._next_look <= self._clocks.monotonic():
            self._next_look = self._clocks.monotonic() + LOOK_EVERY
            yield Beside(self._renew())
        return kept

    def replace(self, rejected: Rejected, deadline: float) -> Flow[Credential]:
        """Return another than the rejected one.

        Raises:
            AccessTokenRejected: There is none.
        """

        def is_another(credential: Credential) -> bool:
            return credential.value != rejected.value and self._is_valid(credential)

        if self._kept is not None and is_another(self._kept):
            return self._kept
        return (yield from self._obtain(Wanted(is_another, deadline, rejected)))

    # --- one of many fetches

    def _is_valid(self, credential: Credential) -> bool:
        return self._clocks.now() < credential.expires_at

    def _is_fresh(self, credential: Credential) -> bool:
        return self._clocks.now() < credential.renew_at

    def _renew(self) -> Flow[None]:
        """Get a new one early; if somebody else is at it, or it fails, the old one is still good."""
        try:
            yield from self._try_to_obtain(self._store, Wanted(self._is_fresh, float("inf")))
        except (ClientError, StoreError) as error:
            self._next_look = self._clocks.monotonic() + 30 * LOOK_EVERY
            # Its text only: who keeps the record would keep the frames of the error, and they hold tokens.
            _log.warning("%s could not be renewed yet: %s", self._key, str(error))

    def _obtain(self, wanted: Wanted) -> Flow[Credential]:
        try:
            return (yield from self._obtain_from(self._store, wanted))
        except StoreError as error:
            self._trouble.report(error)
            if not self._source.is_shared:
                raise
        # All who ask get the same, so to ask alone does no harm.
        return (yield from self._obtain_from(self._private_store, wanted))

    def _obtain_from(self, store: AnyStore, wanted: Wanted) -> Flow[Credential]:
        pause, turn, began = _FIRST_PAUSE, self._turns[id(store)], self._clocks.monotonic()
        while (found := (yield from turn.take(self._try_to_obtain(store, wanted), began))) is None:
            pause = min(pause * (1 + self._clocks.random()), _LONGEST_PAUSE)
            if self._clocks.monotonic() + pause > wanted.deadline:
                raise TransportError("somebody else fetches the token and has not come to an end")
            yield Sleep(pause)
            if self._kept is not None and wanted.is_good(self._kept):  # a neighbour in this process was told
                return self._kept
        return found

    def _try_to_obtain(self, store: AnyStore, wanted: Wanted) -> Flow[Credential | None]:
        """Take what is in the store, or fetch; None: somebody else is about to."""
        current, _ = yield from self._load(store)
        if current is not None and wanted.is_good(current):
            return self._keep(current)
        lock, owner = f"{self._key}:lock", secrets.token_hex(8).encode()
        if (yield Get(store, lock)) is not None:  # to read first costs less than to be refused
            return None
        is_ours = True  # until the store denies it: if its answer is lost, nobody knows
        try:
            is_ours = yield CompareAndSet(store, lock, None, owner, LEASE)
            if not is_ours:
                return None
            current, record = yield from self._load(store)  # somebody may have put it there just now
            if current is not None and wanted.is_good(current):
                return self._keep(current)
            return self._keep((yield from self._fetch(store, record, current, wanted)))
        finally:
            if is_ours:
                yield from self._set(store, lock, owner, None, LEASE)

    def _fetch(
        self, store: AnyStore, record: bytes | None, current: Credential | None, wanted: Wanted
    ) -> Flow[Credential]:
        """Fetch a new one and put it into the store in place of *record*."""
        failure = load_failure((yield Get(store, self._failure_key)))
        if failure is not None:
            raise failure
        self._warn_of_war(current, wanted.rejected)
        began = self._clocks.now()
        try:
            fetched = yield from self._ask_source(store, wanted)
            made = Credential.make(fetched, self._source.early, began)
        except CallError:  # what is wrong with this client is nothing that others should hear of
            raise
        except ClientError as error:
            yield from self._set(store, self._failure_key, None, to_failure(error), remember_for(error))
            raise
        yield from self._save(store, record, made)
        _log.info("%s is new, good for %d s", self._key, fetched.expires_in)
        return made

    def _ask_source(self, store: AnyStore, wanted: Wanted) -> Flow[Fetched]:
        value = None if wanted.rejected is None else wanted.rejected.value
        deadline = self._clocks.monotonic() + FETCH_LIMIT  # whatever time the caller has left, as others wait as well
        for attempt in self._source.attempts(value):
            if attempt.is_limited and not (yield from self._spend(store)):
                raise AccessTokenRejected(40001, "no new access_token was fetched", hint=_TOO_OFTEN)
            fetched = yield from self._send(attempt.call, deadline)
            if fetched.value != value:
                return fetched
        raise AccessTokenRejected(40001, "the source gives the rejected access_token again", hint=_SAME_AGAIN)

    def _spend(self, store: AnyStore) -> Flow[bool]:
        """Count an attempt that is limited; False: there have been too many."""
        key, now = f"{self._key}:limited", self._clocks.now()
        record = yield Get(store, key)
        times = [time for time in load_times(record) if now - time < DAY]
        if any(sum(now - time < seconds for time in times) >= count for count, seconds in self._source.limits):
            return False
        return cast("bool", (yield CompareAndSet(store, key, record, dump([*times, now]), DAY)))

    # --- the store

    def _load(self, store: AnyStore) -> Flow[tuple[Credential | None, bytes | None]]:
        record = yield Get(store, self._key)
        return Credential.load(record), record

    def _keep(self, credential: Credential) -> Credential:
        self._kept = credential
        return credential

    def _save(self, store: AnyStore, record: bytes | None, made: Credential) -> Flow[None]:
        ttl = made.expires_at - self._clocks.now()
        if ttl > 0 and not (yield from self._set(store, self._key, record, made.to_record(), ttl)):
            # The one before may have expired meanwhile; but one that somebody else has put there stays.
            yield from self._set(store, self._key, None, made.to_record(), ttl)

    def _set(self, store: AnyStore, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> Flow[bool]:
        """Write what others would profit from; if the store fails they have to find out themselves."""
        try:
            return cast("bool", (yield CompareAndSet(store, key, expected, value, ttl)))
        except StoreError as error:
            self._trouble.report(error)
            return False

    # --- token wars

    def _warn_of_war(self, current: Credential | None, rejected: Rejected | None) -> None:
        """Say once that somebody else seems to fetch tokens for this account."""
        if rejected is None or self._source.is_shared or rejected.errcode != REPLACED or self._has_warned:
            return
        if current is not None and self._is_fresh(current):  # it is the rejected one, or it would have been taken
            self._has_warned = True
            _log.warning(_WAR, self._key)


REPLACED = 40001
"""The errcode of a token that is not the latest; of one whose time is over it is another."""
_TOO_OFTEN = (
    "Too many new tokens in a short time: probably another program fetches them, too. Let all programs share one store "
    "or a token server, or use StableTokenSource. "
    "短时间内多次重新获取 access_token，很可能有其他程序也在获取："
    "请让所有程序共用同一个存储或中控服务器，或改用 StableTokenSource"
)
_SAME_AGAIN = (
    "WeChat does not take this access_token, but it is the one that is given out. Check AppID and hosts. "
    "微信拒绝了这个 access_token，但重新获取得到的仍是同一个：请核对 AppID 与接口域名是否属于同一环境"
)
_WAR = (
    "%s was replaced before its time: probably another program fetches access_tokens of this account, and each ends "
    "the other's. Let all programs share one store or a token server, or use StableTokenSource."
    "（access_token 提前失效：很可能有其他程序也在获取，互相顶替。"
    "请共用同一个存储或中控服务器，或改用 StableTokenSource）"
)
