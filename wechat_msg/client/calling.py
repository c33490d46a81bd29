"""The flow of a call, written once: get a token, send, judge the answer, repeat where that is safe. No I/O."""

from __future__ import annotations

import functools
import itertools
import platform
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import frozen

from wechat_msg.api.answers import read_answer
from wechat_msg.api.arguments import write_json, write_query
from wechat_msg.api.call import Call, Own
from wechat_msg.client.credentials import Credential
from wechat_msg.client.exchange import Request, Send
from wechat_msg.client.hosts import Hosts, to_base_url
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.receiving import Receiver, Sink
from wechat_msg.client.sources import FixedToken, Source, TicketSource
from wechat_msg.client.tokens import Clocks, Rejected, TokenManager
from wechat_msg.errors import (
    AccessTokenRejected,
    AnswerLost,
    CallError,
    ClientError,
    ConnectFailed,
    SystemBusy,
    UnreadableAnswer,
)
from wechat_msg.flow import AnyStore, Flow, Sleep

__all__ = ["Caller", "Rules"]

T = TypeVar("T")

_USER_AGENT = f"wechat_msg Python/{platform.python_version()}"
_AT_LEAST = 0.05  # seconds; 0 means something else to HTTP libraries
_FIRST_PAUSE = 0.3
_LONGEST_PAUSE = 5.0
_TICKETS = ("jsapi", "wx_card")


@frozen(kw_only=True)
class Rules:
    """How patient a client is.

    Attributes:
        connect_timeout: Seconds; None: for ever.
        read_timeout: Seconds; None: for ever.
        total_timeout: Seconds after which no further try begins.
        retries: How many further tries there are.
    """

    connect_timeout: float | None
    read_timeout: float | None
    total_timeout: float
    retries: int


class Caller:
    """Makes the flows of the calls of one account.

    Args:
        appid: The account.
        secret: Its AppSecret, if the source of tokens wants it.
        hosts: Whom to ask.
        rules: How patiently.
        source: Where access_tokens come from.
        store: Where processes agree on them.
        clocks: Time and chance.
    """

    def __init__(
        self,
        *,
        appid: str,
        secret: str | None,
        hosts: Hosts,
        rules: Rules,
        source: Source | FixedToken,
        store: AnyStore,
        clocks: Clocks,
    ) -> None:
        self._appid = appid
        self._secret = secret
        self._hosts = hosts
        self._rules = rules
        self._source = source
        self._store = store
        self._clocks = clocks
        self._tokens = None if isinstance(source, FixedToken) else self._manage(source, appid)
        self._tickets: dict[str, TokenManager] = {}

    def _manage(self, source: Source, account: str) -> TokenManager:
        return TokenManager(account, f"{self._appid}:{self._secret}", source, self._store, self._call, self._clocks)

    # --- what clients drive

    def call(self, call: Call[T]) -> Flow[T]:
        """Return the result of *call*."""
        if not isinstance(call, Call):
            raise CallError("a client calls what the functions of wechat_msg.api return")
        return (yield from self._call(call, self._clocks.monotonic() + self._rules.total_timeout))

    def get_access_token(self, rejected: str | None = None) -> Flow[Credential]:
        """Return the account's access_token; another one than *rejected*."""
        deadline = self._clocks.monotonic() + self._rules.total_timeout
        if self._tokens is None:
            raise CallError("the token of a FixedToken is with whoever gave it")
        if rejected is None:
            return (yield from self._tokens.get(deadline))
        return (yield from self._tokens.replace(Rejected(rejected, AccessTokenRejected(40001)), deadline))

    def get_ticket(self, kind: str) -> Flow[Credential]:
        """Return a ticket."""
        if kind not in self._tickets:
            if kind not in _TICKETS:
                raise CallError(f"a ticket is one of {', '.join(_TICKETS)}")
            self._tickets.setdefault(kind, self._manage(TicketSource(kind), f"{self._appid}:{kind}"))
        return (yield from self._tickets[kind].get(self._clocks.monotonic() + self._rules.total_timeout))

    # --- tokens

    def _call(self, call: Call[T], deadline: float) -> Flow[T]:
        body = self._make_body(call)  # one for all tries, also after a new token: a pipe can be read only once
        try:
            return (yield from self._call_with(body, call, deadline))
        finally:
            if isinstance(body, MultipartBody):
                body.close()

    def _call_with(self, body: bytes | MultipartBody | None, call: Call[T], deadline: float) -> Flow[T]:
        if not call.needs_access_token:
            return (yield from self._try(call, body, {}, deadline))
        if self._tokens is None:
            return (yield from self._try(call, body, self._fixed_params(), deadline))
        token = yield from self._tokens.get(deadline)
        try:
            return (yield from self._try(call, body, {"access_token": token.value}, deadline))
        except AccessTokenRejected as error:
            rejected = Rejected(token.value, error)
        # Once and no more: if the next one is rejected as well, another will not help either.
        token = yield from self._tokens.replace(rejected, deadline)
        return (yield from self._try(call, body, {"access_token": token.value}, deadline))

    def _fixed_params(self) -> dict[str, str]:
        if not isinstance(self._source, FixedToken):
            return {}
        given = self._source.access_token
        token = given() if callable(given) else given
        return {} if token is None else {self._source.param: token}

    # --- tries

    def _try(
        self, call: Call[T], body: bytes | MultipartBody | None, token: Mapping[str, str], deadline: float
    ) -> Flow[T]:
        """Send *call*, and again where that is safe and can help."""
        sink = None if call.parse_file is None else Sink(call.into)
        for tries in itertools.count():
            host = to_base_url(call.host) if call.host else self._hosts.pick()
            request = self._make_request(call, host, token, body, sink, deadline)
            try:
                answer = yield Send(request)
                return read_answer(call, answer, hide=functools.partial(self._hide, token))
            except ClientError as error:
                error.add_note(request.name)
                pause = self._judge(error, call, host, tries)
                if pause is None or self._clocks.monotonic() + pause >= deadline:
                    raise
                if sink is not None and not sink.restart():
                    raise
            yield Sleep(pause)
        raise AssertionError  # for type checkers: itertools.count has no end

    def _judge(self, error: ClientError, call: Call[Any], host: str, tries: int) -> float | None:
        """Return the seconds to wait before the next try; None: there is none."""
        if tries >= self._rules.retries:
            return None
        # Full jitter, so that those who failed together do not come back together.
        pause = min(_FIRST_PAUSE * 2**tries, _LONGEST_PAUSE) * self._clocks.random()
        if isinstance(error, ConnectFailed):
            self._hosts.rest(host)
            return pause if call.host or self._hosts.pick() == host else 0.0
        may_have_been_done = isinstance(error, (AnswerLost, UnreadableAnswer, SystemBusy))
        return pause if may_have_been_done and call.is_repeatable else None

    # --- requests

    def _make_request(
        self,
        call: Call[Any],
        host: str,
        token: Mapping[str, str],
        body: bytes | MultipartBody | None,
        sink: Sink | None,
        deadline: float,
    ) -> Request:
        left = max(deadline - self._clocks.monotonic(), _AT_LEAST)
        return Request(
            name=f"{call.method} {host}{call.path}",
            method=call.method,
            url=f"{host}{call.path}?{self._write_query(call, token)}".rstrip("?"),
            headers={"User-Agent": _USER_AGENT, **self._write_content_type(body), **call.headers},
            body=body,
            connect_timeout=_at_most(left, self._rules.connect_timeout),
            read_timeout=_at_most(left, self._rules.read_timeout),
            receiver=Receiver(sink, call.progress, limit=self._rules.total_timeout, monotonic=self._clocks.monotonic),
        )

    def _write_query(self, call: Call[Any], token: Mapping[str, str]) -> str:
        params = {name: self._fill(value) for name, value in {**token, **call.params}.items()}
        return write_query(params, f"the parameters of {call.path}")

    def _make_body(self, call: Call[Any]) -> bytes | MultipartBody | None:
        if call.upload is not None:
            return MultipartBody(call.upload)
        if call.json is None:
            return None
        root = call.json
        if isinstance(root, Mapping):
            root = {name: self._fill(value) for name, value in root.items()}
        return write_json(root, f"the body of {call.path}").encode()

    def _fill(self, value: Any) -> Any:
        """Put the client's own AppID and AppSecret where a call has a place for them."""
        if not isinstance(value, Own):
            return value
        if value is Own.APPID:
            return self._appid
        if self._secret is None:
            raise CallError("this call needs the AppSecret: Client(appid, secret)（此接口需要 AppSecret）")
        return self._secret

    @staticmethod
    def _write_content_type(body: bytes | MultipartBody | None) -> dict[str, str]:
        if body is None:
            return {}
        return {"Content-Type": "application/json" if isinstance(body, bytes) else body.content_type}

    def _hide(self, token: Mapping[str, str], text: str) -> str:
        """Take the secrets that were sent out of what WeChat says about them."""
        for secret in (self._secret, *token.values()):
            text = text.replace(secret, "***") if secret else text
        return text


def _at_most(left: float, timeout: float | None) -> float:
    return left if timeout is None else min(left, timeout)
