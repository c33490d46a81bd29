"""OutgoingCall: sends one call, and repeats it where that is safe. No I/O."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from wechat_msg._flow import Flow, Sleep
from wechat_msg.api._arguments import write_json, write_query
from wechat_msg.api._response import read_response
from wechat_msg.api.call import Call, Placeholder
from wechat_msg.client.account import Account
from wechat_msg.client.hosts import to_base_url
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.receiving import FileWriter, Receiver
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

__all__ = ["OutgoingCall"]

T = TypeVar("T")

FIRST_PAUSE = 0.3
LONGEST_PAUSE = 5.0
_USER_AGENT = f"wechat_msg Python/{platform.python_version()}"
_MIN_TIMEOUT = 0.05  # seconds; 0 has another meaning in HTTP libraries


class OutgoingCall(Generic[T]):
    """One call on its way, with what all of its tries share: the request body and the destination of a file.

    Args:
        call: The call.
        account: The account that calls.
        deadline: The time on the monotonic clock after which no further try begins.

    Raises:
        CallError: The call cannot be written.
    """

    def __init__(self, call: Call[T], account: Account, deadline: float) -> None:
        self._call = call
        self._account = account
        self._deadline = deadline
        self._query = {name: self._fill_placeholder(value) for name, value in call.params.items()}
        self._body = self._make_body()
        self._writer = None if call.parse_file is None else FileWriter(call.into)

    def close(self) -> None:
        """Close the file that is uploaded."""
        if isinstance(self._body, MultipartBody):
            self._body.close()

    def send(self, credentials: Mapping[str, str]) -> Flow[T]:
        """Send the call; repeat it where that is safe and can help.

        Args:
            credentials: Further query parameters: the access_token.

        Raises:
            TransportError: No time was left after the access_token was fetched; nothing was sent.
        """
        if self._account.monotonic() >= self._deadline:
            raise TransportError(
                "no time was left to send the call after its access_token was fetched",
                hint="获取 access_token 后时限已到，请求未发出",
            )
        for tries in itertools.count():
            host = self._pick_host()
            request = self._make_request(host, credentials)
            try:
                answer = yield Send(request)
                return read_response(self._call, answer, hide=lambda text: self._hide(credentials, text))
            except ClientError as error:
                error.add_note(request.name)
                pause = self._compute_pause(error, host, tries)
                if pause is None or self._account.monotonic() + pause >= self._deadline:
                    raise
                if self._writer is not None and not self._writer.restart():
                    raise
            yield Sleep(pause)
        raise AssertionError  # for type checkers: itertools.count has no end

    def _compute_pause(self, error: ClientError, host: str, tries: int) -> float | None:
        """Return the seconds to wait before the next try; None if the call is not repeated."""
        if isinstance(error, ConnectFailed):
            self._account.hosts.mark_down(host)
        if tries >= self._account.retries:
            return None
        # Full jitter, so that clients that failed at the same time do not repeat at the same time.
        pause = min(FIRST_PAUSE * 2**tries, LONGEST_PAUSE) * self._account.random()
        if isinstance(error, ConnectFailed):
            return pause if self._pick_host() == host else 0.0
        may_have_taken_effect = isinstance(error, (AnswerLost, UnreadableAnswer, SystemBusy))
        return pause if may_have_taken_effect and self._call.is_repeatable else None

    def _pick_host(self) -> str:
        return to_base_url(self._call.host) if self._call.host else self._account.hosts.pick()

    # --- the request

    def _make_request(self, host: str, credentials: Mapping[str, str]) -> Request:
        call, monotonic = self._call, self._account.monotonic
        left = max(self._deadline - monotonic(), _MIN_TIMEOUT)
        # The sum of both is limited, so that the fetch of an access_token does not outlast its lock.
        connect_limit, read_limit = self._account.timeout
        connect_timeout = max(_at_most(left / 4, connect_limit), _MIN_TIMEOUT)
        read_timeout = max(_at_most(left - connect_timeout, read_limit), _MIN_TIMEOUT)
        query = write_query({**credentials, **self._query}, f"the parameters of {call.path}")
        return Request(
            name=f"{call.method} {host}{call.path}",
            method=call.method,
            url=f"{host}{call.path}?{query}" if query else f"{host}{call.path}",
            headers={"User-Agent": _USER_AGENT, **_content_type_of(self._body), **call.headers},
            body=self._body,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            receiver=Receiver(self._writer, call.progress, get_deadline=self._answer_deadline, monotonic=monotonic),
        )

    def _answer_deadline(self) -> float:
        """Return when an answer that begins now must be complete; the duration of an upload does not count."""
        if self._call.upload is None:
            return self._deadline
        return self._account.monotonic() + self._account.total_timeout

    def _make_body(self) -> bytes | MultipartBody | None:
        call = self._call
        if call.upload is not None:
            return MultipartBody(call.upload)
        if call.body is not None or call.json is None:
            return call.body
        root = call.json
        if isinstance(root, Mapping):
            root = {name: self._fill_placeholder(value) for name, value in root.items()}
        return write_json(root, f"the body of {call.path}").encode()

    def _fill_placeholder(self, value: Any) -> Any:
        """Return the client's own AppID or AppSecret if *value* is a placeholder for it."""
        if not isinstance(value, Placeholder):
            return value
        if value is Placeholder.APPID:
            return self._account.appid
        if self._account.secret is None:
            raise CallError("this call needs the AppSecret: Client(appid, secret)（此接口需要 AppSecret）")
        return self._account.secret

    def _hide(self, credentials: Mapping[str, str], text: str) -> str:
        """Mask the secrets that were sent in a text of WeChat's."""
        for secret in (self._account.secret, *credentials.values()):
            text = text.replace(secret, "***") if secret else text
        return text


def _content_type_of(body: bytes | MultipartBody | None) -> dict[str, str]:
    if body is None:
        return {}
    return {"Content-Type": "application/json" if isinstance(body, bytes) else body.content_type}


def _at_most(left: float, timeout: float | None) -> float:
    return left if timeout is None else min(left, timeout)
