"""The flow of a call, written once: get a token, send, and if WeChat does not take the token, once more. No I/O."""

from __future__ import annotations

import re
from typing import TypeVar

from wechat_msg._flow import AnyStore, Flow
from wechat_msg.api.call import Call
from wechat_msg.client.credentials import Credential
from wechat_msg.client.sending import Sender, Sending
from wechat_msg.client.sources import FixedToken, Source, TicketSource
from wechat_msg.client.tokens import REPLACED, Rejected, TokenManager
from wechat_msg.errors import AccessTokenRejected, CallError

__all__ = ["Caller"]

T = TypeVar("T")

_TICKETS = ("jsapi", "wx_card")
_TOKEN = re.compile(r"\S+", re.ASCII)


class Caller:
    """Makes the flows of the calls of one account.

    Args:
        sender: The account, whom it asks, and how patiently.
        source: Where its access_tokens come from.
        store: Where processes agree on them.
    """

    def __init__(self, sender: Sender, source: Source | FixedToken, store: AnyStore) -> None:
        self._sender = sender
        self._source = source
        self._store = store
        self._tokens = None if isinstance(source, FixedToken) else self._manage(source, sender.appid)
        self._tickets: dict[str, TokenManager] = {}

    def _manage(self, source: Source, account: str) -> TokenManager:
        credentials = f"{self._sender.appid}:{self._sender.secret}:{source.credentials}"
        return TokenManager(account, credentials, source, self._store, self._call, self._sender.clocks)

    # --- what clients drive

    def call(self, call: Call[T]) -> Flow[T]:
        """Return the result of *call*."""
        if not isinstance(call, Call):
            raise CallError("a client calls what the functions of wechat_msg.api return")
        return (yield from self._call(call, self._deadline()))

    def get_access_token(self, rejected: str | None = None) -> Flow[Credential]:
        """Return the account's access_token; another one than *rejected*."""
        if self._tokens is None:
            raise CallError("the token of a FixedToken is with whoever gave it")
        if rejected is None:
            return (yield from self._tokens.get(self._deadline()))
        return (yield from self._tokens.replace(Rejected(rejected, REPLACED), self._deadline()))

    def get_ticket(self, kind: str) -> Flow[Credential]:
        """Return a ticket."""
        if kind not in _TICKETS:
            raise CallError(f"a ticket is one of {', '.join(_TICKETS)}")
        if kind not in self._tickets:
            self._tickets.setdefault(kind, self._manage(TicketSource(kind), f"{self._sender.appid}:{kind}"))
        return (yield from self._tickets[kind].get(self._deadline()))

    def _deadline(self) -> float:
        return self._sender.clocks.monotonic() + self._sender.rules.total_timeout

    # --- tokens

    def _call(self, call: Call[T], deadline: float) -> Flow[T]:
        # One for both tokens: a pipe, for one, can be read only once.
        sending = Sending(call, self._sender, deadline)
        try:
            return (yield from self._send(sending, call, deadline))
        finally:
            sending.close()

    def _send(self, sending: Sending[T], call: Call[T], deadline: float) -> Flow[T]:
        if not call.needs_access_token:
            return (yield from sending.send({}))
        if self._tokens is None:
            return (yield from sending.send(self._fixed_params()))
        token = yield from self._tokens.get(deadline)
        try:
            return (yield from sending.send({"access_token": token.value}))
        except AccessTokenRejected as error:
            rejected = Rejected(token.value, error.errcode)
        # Once and no more: if the next one is rejected as well, another will not help either.
        token = yield from self._tokens.replace(rejected, deadline)
        return (yield from sending.send({"access_token": token.value}))

    def _fixed_params(self) -> dict[str, str]:
        if not isinstance(self._source, FixedToken):
            return {}
        given = self._source.access_token
        token = given() if callable(given) else given
        if token is None:
            return {}
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise CallError("what a FixedToken gives must be an access_token")
        return {self._source.param: token}
