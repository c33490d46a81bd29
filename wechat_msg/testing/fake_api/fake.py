"""FakeWeChatAPI: plays api.weixin.qq.com."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import attrs

from wechat_msg.testing.fake_api.account import FakeAccount
from wechat_msg.testing.fake_api.faults import EVERY_PATH, FaultPlan
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import JSON_TYPE, ErrcodeError, FakeResponse, make_response
from wechat_msg.testing.fake_api.topics import serve

if TYPE_CHECKING:
    from wechat_msg.testing.fake_api.server import Server

__all__ = ["APPID", "SECRET", "FakeWeChatAPI"]

#: Of the account that is played if no other is named; it does not exist.
APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
_ACCESS_TOKEN_PATHS = {"classic": "/cgi-bin/token", "stable": "/cgi-bin/stable_token"}


class FakeWeChatAPI(FakeAccount):
    """A server at 127.0.0.1 that answers as WeChat does, for tests without WeChat.

    It hands out access tokens that expire and reject each other, keeps users, tags, media, menus and messages as long
    as it lives, and knows the commonest reasons for which WeChat refuses a call. Faults can be ordered. It starts with
    the followers ``oUSER``, ``oUSER2`` and ``oUSER3``, who have just written (see `open_window`), and with the template
    ``TEMPLATE_ID``, both for template messages and for subscription messages.

    Example:
        >>> import requests
        >>> with FakeWeChatAPI() as wechat:
        ...     wechat.fail("/cgi-bin/token", 45009, times=1)
        ...     answer = requests.get(wechat.url + "/cgi-bin/token", timeout=5).json()
        >>> answer["errcode"]
        45009
    """

    def __init__(
        self,
        appid: str = APPID,
        secret: str = SECRET,
        *,
        verified: bool = True,
        port: int = 0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Make a fake that `start` starts.

        Args:
            appid: The account that it plays.
            secret: The account's AppSecret.
            verified: Whether the account is verified (微信认证). If not, what only verified Official Accounts may call
                answers 48001: customer-service, mass and template messages, users, tags and QR codes.
            port: Where it listens; 0: at a free port.
            clock: Seconds since the epoch; None: the real time.
        """
        super().__init__(appid, secret, clock or time.time, verified=verified)
        self._port = port
        self._server: Server | None = None
        self._closing = threading.Event()
        self._requests: list[APIRequest] = []
        self._delays: FaultPlan[float] = FaultPlan()
        self._outcomes: FaultPlan[FakeResponse | ErrcodeError | Literal["before", "after"]] = FaultPlan()

    # --- the server --------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start to listen; `url` is known from now on."""
        from wechat_msg.testing.fake_api.server import Server

        self._closing.clear()
        self._server = Server(self._port, self.handle)
        self.url: str = self._server.url
        return self

    def close(self) -> None:
        """Stop, and hang up on everybody; may be called again."""
        self._closing.set()
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def handle(self, request: APIRequest) -> FakeResponse | None:
        """Answer a request that somebody else's server has received; None: to be hung up on without an answer."""
        with self._lock:
            delay = self._delays.next(request.path)
            answer = self._answer(request)
        is_closed = delay is not None and self._closing.wait(delay)
        return None if is_closed else answer

    def _answer(self, request: APIRequest) -> FakeResponse | None:
        outcome = self._outcomes.next(request.path)
        self._requests.append(attrs.evolve(request, was_handled=outcome != "before"))
        if outcome == "before":
            return None
        if isinstance(outcome, FakeResponse):
            return outcome
        if isinstance(outcome, ErrcodeError):
            return make_response(outcome.to_json(self.new_rid()))
        answer = serve(self, request)
        return None if outcome == "after" else answer

    # --- what was asked ----------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[APIRequest]:
        """All requests, the oldest first, also those for tokens."""
        with self._lock:
            return list(self._requests)

    def requests_to(self, path: str) -> list[APIRequest]:
        """Return the requests to this path, the oldest first."""
        return [request for request in self.requests if request.path == path]

    @property
    def access_token_fetches(self) -> dict[str, int]:
        """How many times a token was asked for, whether it was given or not: ``classic`` and ``stable``."""
        return {kind: len(self.requests_to(path)) for kind, path in _ACCESS_TOKEN_PATHS.items()}

    def clear(self) -> None:
        """Forget the requests and the messages."""
        with self._lock:
            self._requests.clear()
            self.messages.clear()

    # --- faults ------------------------------------------------------------------------------------------------------

    def answer(
        self,
        path: str,
        answer: Mapping[str, Any] | bytes,
        *,
        status: int = 200,
        content_type: str = JSON_TYPE,
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
    ) -> None:
        """Let a path answer this, and do nothing.

        What is ordered for a number of times comes first, one after the other; then, of what is for good, the newest.

        Args:
            path: Which path; ``*``: every path, also those of the tokens.
            answer: A JSON object, or any bytes.
            status: HTTP status.
            content_type: As the answer names it.
            headers: Further headers.
            times: For how many requests; None: until `clear_faults`.
        """
        planned = make_response(answer, status=status, content_type=content_type, headers=headers)
        with self._lock:
            self._outcomes.add(path, planned, times)

    def fail(self, path: str, errcode: int, errmsg: str = "", *, times: int | None = None) -> None:
        """Let a path answer this errcode, and do nothing.

        Args:
            path: As in `answer`.
            errcode: The number.
            errmsg: The text; empty: WeChat's own.
            times: As in `answer`.
        """
        with self._lock:
            self._outcomes.add(path, ErrcodeError(errcode, errmsg), times)

    def drop(self, path: str, *, when: Literal["before", "after"] = "before", times: int | None = 1) -> None:
        """Let a path close the connection instead of answering.

        Args:
            path: As in `answer`.
            when: before or after that was done which had been asked for.
            times: As in `answer`.
        """
        with self._lock:
            self._outcomes.add(path, when, times)

    def delay(self, path: str, seconds: float, *, times: int | None = None) -> None:
        """Let a path do its work at once, but answer later.

        Args:
            path: As in `answer`.
            seconds: How much later, in real time; ends at once when the fake is closed.
            times: As in `answer`.
        """
        with self._lock:
            self._delays.add(path, seconds, times)

    def clear_faults(self, path: str = EVERY_PATH) -> None:
        """Take back what was ordered for a path; ``*``: for all paths."""
        with self._lock:
            self._outcomes.remove(path)
            self._delays.remove(path)
