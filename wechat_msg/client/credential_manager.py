"""CredentialManager: keeps one access_token or ticket of an account; of many processes, one fetches the next."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from typing import cast

from attrs import field

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Sleep
from wechat_msg._tracebacks import frozen
from wechat_msg.api.call import Call
from wechat_msg.client.account import Account
from wechat_msg.client.credential import Credential, dump, get_failure_ttl, load_failure, load_times, to_failure
from wechat_msg.client.single_flight import SingleFlight
from wechat_msg.client.sources import DAY, FetchedCredential, Source
from wechat_msg.client.steps import Background
from wechat_msg.errors import AccessTokenRejected, CallError, ClientError, StoreError, TransportError
from wechat_msg.stores import MemoryStore
from wechat_msg.stores._error_log import StoreErrorLog

__all__ = ["REPLACED", "CredentialManager", "RejectedCredential"]

_log = logging.getLogger("wechat_msg")

LEASE = 8.0
"""Seconds after which others stop waiting for the process that fetches, as it may have been killed."""
FETCH_LIMIT = 7.5
"""Seconds that a fetch may take; less than the lease, so that two processes never fetch at once."""
RENEW_INTERVAL = 1.0
"""Seconds between two attempts of one process to renew a credential that is still valid."""
FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.25
REPLACED = 40001
"""The errcode of an access_token that is not the latest; an expired one has another errcode."""
_TOO_OFTEN = (
    "Too many new access_tokens in a short time: probably another program fetches them, too. Let all programs share "
    "one store or a token server, or use StableTokenSource. "
    "短时间内多次重新获取 access_token，很可能有其他程序也在获取："
    "请让所有程序共用同一个存储或中控服务器，或改用 StableTokenSource"
)
_SAME_AGAIN = (
    "WeChat rejects this access_token, but the source gives it again. Check AppID and hosts. "
    "微信拒绝了这个 access_token，但重新获取得到的仍是同一个：请核对 AppID 与接口域名是否属于同一环境"
)
_REPLACED_BY_OTHERS = (
    "%s was replaced before it expired: probably another program fetches access_tokens of this account, and each ends "
    "the other's. Let all programs share one store or a token server, or use StableTokenSource."
    "（access_token 提前失效：很可能有其他程序也在获取，互相顶替。"
    "请共用同一个存储或中控服务器，或改用 StableTokenSource）"
)

SendCall = Callable[[Call[FetchedCredential], float], Flow[FetchedCredential]]


@frozen
class RejectedCredential:
    """A credential that WeChat rejected.

    Attributes:
        value: The access_token or ticket.
        errcode: The errcode that WeChat answered.
    """

    value: str = field(repr=False)
    errcode: int


@frozen
class CredentialRequest:
    """A caller's request for a credential.

    Attributes:
        accepts: Tells whether a credential meets the request.
        deadline: The time on the monotonic clock at which the caller stops waiting for others.
        rejected: The credential that WeChat rejected; None if that is not the reason for the request.
    """

    accepts: Callable[[Credential], bool]
    deadline: float
    rejected: RejectedCredential | None = None


class CredentialManager:
    """One access_token or ticket, in the store and cached in memory.

    - It is fresh: it comes from memory, without any I/O.
    - It is due for renewal: one of all processes fetches a new one in the background; calls go on with the old one.
    - There is none: one process fetches it, the others wait until it is in the store.
    - WeChat rejects it: if the store has another one, that is used; else one process fetches.

    Args:
        name: Name of the account, or of the account's ticket, in the keys of the store.
        account: The account.
        source: Fetches the credential.
        store: The store that processes share.
        send: Sends a call of the source until a deadline on the monotonic clock.
    """

    def __init__(self, name: str, account: Account, source: Source, store: AnyStore, send: SendCall) -> None:
        self._account = account
        self._source = source
        self._store = store
        self._send = send
        self._private_store = MemoryStore(clock=account.monotonic)
        self._flights = {id(each): SingleFlight(LEASE, account.monotonic) for each in (store, self._private_store)}
        self._key = f"access_token:{name}:{source.name}"
        # With other credentials, such as a new AppSecret, an earlier failure does not count.
        credentials = f"{account.appid}:{account.secret}:{source.credentials}"
        self._failure_key = f"{self._key}:failure:{hashlib.sha256(credentials.encode()).hexdigest()[:16]}"
        self._error_log = StoreErrorLog(f"sharing {self._key}", account.monotonic)
        self._cached: Credential | None = None
        self._next_renewal = float("-inf")
        self._has_warned = False

    # --- what callers request

    def get(self, deadline: float) -> Flow[Credential]:
        """Return a valid credential."""
        cached, now = self._cached, self._account.clock()
        if cached is None or cached.expires_at <= now:
            return (yield from self._obtain(CredentialRequest(self._is_valid, deadline)))
        if cached.renew_at <= now and self._next_renewal <= self._account.monotonic():
            self._next_renewal = self._account.monotonic() + RENEW_INTERVAL
            yield Background(self._renew())
        return cached

    def replace(self, rejected: RejectedCredential, deadline: float) -> Flow[Credential]:
        """Return another credential than the rejected one.

        Raises:
            AccessTokenRejected: There is no other.
        """

        def is_another(credential: Credential) -> bool:
            return credential.value != rejected.value and self._is_valid(credential)

        if self._cached is not None and is_another(self._cached):
            return self._cached
        return (yield from self._obtain(CredentialRequest(is_another, deadline, rejected)))

    def _is_valid(self, credential: Credential) -> bool:
        return self._account.clock() < credential.expires_at

    def _is_fresh(self, credential: Credential) -> bool:
        return self._account.clock() < credential.renew_at

    # --- one fetch for many callers

    def _renew(self) -> Flow[None]:
        """Fetch a new credential before the old one expires; if this fails, the old one is still valid."""
        try:
            yield from self._try_to_obtain(self._store, CredentialRequest(self._is_fresh, float("inf")))
        except (ClientError, StoreError) as error:
            self._next_renewal = self._account.monotonic() + 30 * RENEW_INTERVAL
            # The text only: a log record that holds the error would hold its frames, and with them credentials.
            _log.warning("%s could not be renewed yet: %s", self._key, str(error))

    def _obtain(self, request: CredentialRequest) -> Flow[Credential]:
        try:
            return (yield from self._obtain_from(self._store, request))
        except StoreError as error:
            self._error_log.report(error)
            if not self._source.gives_same_token:
                raise
        # The source gives the same access_token to every process, so it is safe to fetch without the shared store.
        return (yield from self._obtain_from(self._private_store, request))

    def _obtain_from(self, store: AnyStore, request: CredentialRequest) -> Flow[Credential]:
        pause, flight, began = FIRST_PAUSE, self._flights[id(store)], self._account.monotonic()
        while (found := (yield from flight.run(self._try_to_obtain(store, request), began))) is None:
            pause = min(pause * (1 + self._account.random()), LONGEST_PAUSE)
            if self._account.monotonic() + pause > request.deadline:
                raise TransportError(
                    "another caller is still fetching the access_token", hint="另一个调用方仍在获取 access_token"
                )
            yield Sleep(pause)
            if self._cached is not None and request.accepts(self._cached):  # another caller of this process was faster
                return self._cached
        return found

    def _try_to_obtain(self, store: AnyStore, request: CredentialRequest) -> Flow[Credential | None]:
        """Return the credential in the store, or fetch one; None if another process is fetching."""
        current, _ = yield from self._load(store)
        if current is not None and request.accepts(current):
            return self._cache(current)
        lock, owner = f"{self._key}:lock", secrets.token_hex(8).encode()
        if (yield Get(store, lock)) is not None:  # a read is cheaper than a write that fails
            return None
        may_own_lock = True  # unless the store denies it; its answer may be lost
        try:
            may_own_lock = yield CompareAndSet(store, lock, None, owner, LEASE)
            if not may_own_lock:
                return None
            current, record = yield from self._load(store)  # another process may have saved one just now
            if current is not None and request.accepts(current):
                return self._cache(current)
            return self._cache((yield from self._fetch(store, record, current, request)))
        finally:
            if may_own_lock:
                yield from self._set(store, lock, owner, None, LEASE)

    def _fetch(
        self, store: AnyStore, record: bytes | None, current: Credential | None, request: CredentialRequest
    ) -> Flow[Credential]:
        """Fetch a credential, and save it in the store in place of *record*."""
        failure = load_failure((yield Get(store, self._failure_key)))
        if failure is not None:
            raise failure
        self._warn_if_replaced_by_others(current, request.rejected)
        began = self._account.clock()
        try:
            fetched = yield from self._ask_source(store, request.rejected)
            credential = Credential.make(fetched, self._source.renew_before, began)
        except CallError:  # a mistake of this program, so it is not shared with others
            raise
        except ClientError as error:
            yield from self._set(store, self._failure_key, None, to_failure(error), get_failure_ttl(error))
            raise
        yield from self._save(store, record, credential)
        _log.info("%s was fetched, valid for %d s", self._key, fetched.expires_in)
        return credential

    def _ask_source(self, store: AnyStore, rejected: RejectedCredential | None) -> Flow[FetchedCredential]:
        value = None if rejected is None else rejected.value
        deadline = self._account.monotonic() + FETCH_LIMIT  # not the caller's, as other callers wait for it too
        for attempt in self._source.attempts(value):
            if attempt.is_limited and not (yield from self._count_limited_attempt(store)):
                raise AccessTokenRejected(REPLACED, "no new access_token was fetched", hint=_TOO_OFTEN)
            fetched = yield from self._send(attempt.call, deadline)
            if fetched.value != value:
                return fetched
        raise AccessTokenRejected(REPLACED, "the source gives the rejected access_token again", hint=_SAME_AGAIN)

    def _count_limited_attempt(self, store: AnyStore) -> Flow[bool]:
        """Count a limited attempt; return False if a limit is reached."""
        key, now = f"{self._key}:limited", self._account.clock()
        record = yield Get(store, key)
        times = [time for time in load_times(record) if now - time < DAY]
        if any(sum(now - time < seconds for time in times) >= count for count, seconds in self._source.limits):
            return False
        return cast("bool", (yield CompareAndSet(store, key, record, dump([*times, now]), DAY)))

    # --- the store

    def _load(self, store: AnyStore) -> Flow[tuple[Credential | None, bytes | None]]:
        record = yield Get(store, self._key)
        return Credential.load(record), record

    def _cache(self, credential: Credential) -> Credential:
        self._cached = credential
        return credential

    def _save(self, store: AnyStore, record: bytes | None, credential: Credential) -> Flow[None]:
        ttl = credential.expires_at - self._account.clock()
        if ttl > 0 and not (yield from self._set(store, self._key, record, credential.to_record(), ttl)):
            # *record* may have expired meanwhile; a record that another process has saved stays.
            yield from self._set(store, self._key, None, credential.to_record(), ttl)

    def _set(self, store: AnyStore, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> Flow[bool]:
        """Write what helps other processes; log if the store fails, as they can do without it."""
        try:
            return cast("bool", (yield CompareAndSet(store, key, expected, value, ttl)))
        except StoreError as error:
            self._error_log.report(error)
            return False

    # --- another program that fetches

    def _warn_if_replaced_by_others(self, current: Credential | None, rejected: RejectedCredential | None) -> None:
        """Log once that another program seems to fetch access_tokens of this account."""
        if rejected is None or self._source.gives_same_token or rejected.errcode != REPLACED or self._has_warned:
            return
        if current is not None and self._is_fresh(current):  # the rejected one: another one would have been accepted
            self._has_warned = True
            _log.warning(_REPLACED_BY_OTHERS, self._key)
