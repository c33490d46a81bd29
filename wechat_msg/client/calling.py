"""Caller: gets an access_token, sends the call, and if WeChat rejects the access_token, sends it once more. No I/O."""

from __future__ import annotations

import re
from typing import TypeVar

from wechat_msg._flow import AnyStore, Flow
from wechat_msg.api.call import Call
from wechat_msg.client.account import Account
from wechat_msg.client.credential import Credential
from wechat_msg.client.credential_manager import REPLACED, CredentialManager, RejectedCredential
from wechat_msg.client.sending import OutgoingCall
from wechat_msg.client.sources import FixedToken, Source, TicketSource
from wechat_msg.errors import AccessTokenRejected, CallError

__all__ = ["Caller"]

T = TypeVar("T")

_TICKETS = ("jsapi", "wx_card")
_ACCESS_TOKEN = re.compile(r"\S+", re.ASCII)


class Caller:
    """The flows of the calls of one account.

    Args:
        account: The account.
        store: The store that its processes share.
    """

    def __init__(self, account: Account, store: AnyStore) -> None:
        self._account = account
        self._store = store
        source = account.token_source
        self._access_tokens = None if isinstance(source, FixedToken) else self._make_manager(account.appid, source)
        self._tickets: dict[str, CredentialManager] = {}

    def _make_manager(self, name: str, source: Source) -> CredentialManager:
        return CredentialManager(name, self._account, source, self._store, self._call)

    # --- flows for the clients

    def call(self, call: Call[T]) -> Flow[T]:
        """Return the result of *call*."""
        if not isinstance(call, Call):
            raise CallError("call must be a Call, such as the functions of wechat_msg.api return")
        return (yield from self._call(call, self._deadline()))

    def get_access_token(self, rejected: str | None = None) -> Flow[Credential]:
        """Return the account's access_token; another one than *rejected*."""
        if self._access_tokens is None:
            raise CallError("a client with a FixedToken has no access_token of its own to give out")
        if rejected is None:
            return (yield from self._access_tokens.get(self._deadline()))
        credential = RejectedCredential(rejected, REPLACED)
        return (yield from self._access_tokens.replace(credential, self._deadline()))

    def get_ticket(self, kind: str) -> Flow[Credential]:
        """Return a ticket."""
        if kind not in _TICKETS:
            raise CallError(f"the type of a ticket must be one of {', '.join(_TICKETS)}")
        if kind not in self._tickets:
            self._tickets.setdefault(kind, self._make_manager(f"{self._account.appid}:{kind}", TicketSource(kind)))
        return (yield from self._tickets[kind].get(self._deadline()))

    def _deadline(self) -> float:
        return self._account.monotonic() + self._account.total_timeout

    # --- sending with an access_token

    def _call(self, call: Call[T], deadline: float) -> Flow[T]:
        # One for both access_tokens: some bodies, such as pipes, can be read only once.
        outgoing = OutgoingCall(call, self._account, deadline)
        try:
            return (yield from self._send(outgoing, call, deadline))
        finally:
            outgoing.close()

    def _send(self, outgoing: OutgoingCall[T], call: Call[T], deadline: float) -> Flow[T]:
        if not call.needs_access_token:
            return (yield from outgoing.send({}))
        if self._access_tokens is None:
            return (yield from outgoing.send(self._get_fixed_params()))
        credential = yield from self._access_tokens.get(deadline)
        try:
            return (yield from outgoing.send({"access_token": credential.value}))
        except AccessTokenRejected as error:
            rejected = RejectedCredential(credential.value, error.errcode)
        # Only once: if WeChat rejects the next one as well, a third one does not help either.
        credential = yield from self._access_tokens.replace(rejected, deadline)
        return (yield from outgoing.send({"access_token": credential.value}))

    def _get_fixed_params(self) -> dict[str, str]:
        source = self._account.token_source
        if not isinstance(source, FixedToken):
            return {}
        access_token = source.access_token() if callable(source.access_token) else source.access_token
        if access_token is None:
            return {}
        if not isinstance(access_token, str) or not _ACCESS_TOKEN.fullmatch(access_token):
            raise CallError("the access_token of a FixedToken must be a non-empty ASCII text without spaces")
        return {source.param: access_token}
