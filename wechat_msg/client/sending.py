"""Sending: one call on its way, from its first try to its result. No I/O."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from attrs import field

from wechat_msg._flow import Flow, Sleep
from wechat_msg._tracebacks import frozen
from wechat_msg.api._arguments import write_json, write_query
from wechat_msg.api._response import read_response
from wechat_msg.api.call import Call, Placeholder
from wechat_msg.client.hosts import Hosts, to_base_url
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.receiving import Receiver, Sink
from wechat_msg.client.rules import Clocks, Rules
from wechat_msg.client.steps import Request, Send
from wechat_msg.errors import (
    AnswerLost,
    CallError,
    ClientError,
    ConnectFailed,
    SystemBusy,
    TransportError,
    UnreadableAnswer,
)

__all__ = ["Sender", "Sending"]

T = TypeVar("T")

FIRST_PAUSE = 0.3
LONGEST_PAUSE = 5.0
_USER_AGENT = f"wechat_msg Python/{platform.python_version()}"
_AT_LEAST = 0.05  # seconds; 0 means something else to HTTP libraries


@frozen(kw_only=True)
class Sender:
    """Who sends: the account, whom it asks, and how patiently.

    Attributes:
        appid: Its AppID.
        secret: Its AppSecret, if it has one here.
        hosts: Whom to ask.
        rules: How patiently.
        clocks: Time and chance.
    """

    appid: str
    secret: str | None = field(repr=False)
    hosts: Hosts
    rules: Rules
    clocks: Clocks


class Sending(Generic[T]):
    """One call on its way, with what all of its tries share: the body, and the place that a file goes to.

    Args:
        call: What is asked.
        sender: Who asks.
        deadline: When no further try begins, by the monotonic clock.

    Raises:
        CallError: The call cannot be written.
    """

    def __init__(self, call: Call[T], sender: Sender, deadline: float) -> None:
        self._call = call
        self._sender = sender
        self._deadline = deadline
        self._query = {name: self._fill(value) for name, value in call.params.items()}
        self._body = self._make_body()
        self._sink = None if call.parse_file is None else Sink(call.into)

    def close(self) -> None:
        """Close what was opened."""
        if isinstance(self._body, MultipartBody):
            self._body.close()

    def send(self, token: Mapping[str, str]) -> Flow[T]:
        """Send the call, and again where that is safe and can help.

        Args:
            token: What the query has besides: the access_token.

        Raises:
            TransportError: No time is left, as the token has come too late; nothing was sent.
        """
        if self._sender.clocks.monotonic() >= self._deadline:
            raise TransportError("no time was left to send the call when its access_token had come")
        for tries in itertools.count():
            host = self._pick_host()
            request = self._make_request(host, token)
            try:
                answer = yield Send(request)
                return read_response(self._call, answer, hide=lambda text: self._hide(token, text))
            except ClientError as error:
                error.add_note(request.name)
                pause = self._judge(error, host, tries)
                if pause is None or self._sender.clocks.monotonic() + pause >= self._deadline:
                    raise
                if self._sink is not None and not self._sink.restart():
                    raise
            yield Sleep(pause)
        raise AssertionError  # for type checkers: itertools.count has no end

    def _judge(self, error: ClientError, host: str, tries: int) -> float | None:
        """Return the seconds to wait before the next try; None: there is none."""
        if isinstance(error, ConnectFailed):
            self._sender.hosts.rest(host)
        if tries >= self._sender.rules.retries:
            return None
        # Full jitter, so that those who failed together do not come back together.
        pause = min(FIRST_PAUSE * 2**tries, LONGEST_PAUSE) * self._sender.clocks.random()
        if isinstance(error, ConnectFailed):
            return pause if self._pick_host() == host else 0.0
        may_have_been_done = isinstance(error, (AnswerLost, UnreadableAnswer, SystemBusy))
        return pause if may_have_been_done and self._call.is_repeatable else None

    def _pick_host(self) -> str:
        return to_base_url(self._call.host) if self._call.host else self._sender.hosts.pick()

    # --- the request

    def _make_request(self, host: str, token: Mapping[str, str]) -> Request:
        call, rules, monotonic = self._call, self._sender.rules, self._sender.clocks.monotonic
        left = max(self._deadline - monotonic(), _AT_LEAST)
        # Both together, so that a fetch of a token does not outlast the lock that it is made under.
        connect_timeout = max(_at_most(left / 4, rules.connect_timeout), _AT_LEAST)
        read_timeout = max(_at_most(left - connect_timeout, rules.read_timeout), _AT_LEAST)
        query = write_query({**token, **self._query}, f"the parameters of {call.path}")
        return Request(
            name=f"{call.method} {host}{call.path}",
            method=call.method,
            url=f"{host}{call.path}?{query}" if query else f"{host}{call.path}",
            headers={"User-Agent": _USER_AGENT, **_content_type_of(self._body), **call.headers},
            body=self._body,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            receiver=Receiver(self._sink, call.progress, deadline=self._find_end, monotonic=monotonic),
        )

    def _find_end(self) -> float:
        """Return when an answer that begins now must have come to its end; how long an upload takes does not count."""
        if self._call.upload is None:
            return self._deadline
        return self._sender.clocks.monotonic() + self._sender.rules.total_timeout

    def _make_body(self) -> bytes | MultipartBody | None:
        call = self._call
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
        if not isinstance(value, Placeholder):
            return value
        if value is Placeholder.APPID:
            return self._sender.appid
        if self._sender.secret is None:
            raise CallError("this call needs the AppSecret: Client(appid, secret)（此接口需要 AppSecret）")
        return self._sender.secret

    def _hide(self, token: Mapping[str, str], text: str) -> str:
        """Take the secrets that were sent out of what WeChat says about them."""
        for secret in (self._sender.secret, *token.values()):
            text = text.replace(secret, "***") if secret else text
        return text


def _content_type_of(body: bytes | MultipartBody | None) -> dict[str, str]:
    if body is None:
        return {}
    return {"Content-Type": "application/json" if isinstance(body, bytes) else body.content_type}


def _at_most(left: float, timeout: float | None) -> float:
    return left if timeout is None else min(left, timeout)
