"""FakeWeChatAPI, a local server that stands in for api.weixin.qq.com."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import attrs

from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.faults import EVERY_PATH, FaultPlan
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import JSON_TYPE, ErrcodeError, FakeResponse, make_response
from wechat_msg.testing.fake_api.topics import serve

if TYPE_CHECKING:
    from wechat_msg.testing.fake_api.server import Server

__all__ = ["APPID", "SECRET", "FakeWeChatAPI"]

#: AppID and AppSecret of the default account, which does not exist.
APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
_ACCESS_TOKEN_PATHS = {"classic": "/cgi-bin/token", "stable": "/cgi-bin/stable_token"}


class FakeWeChatAPI(FakeAccount):
    """A server on 127.0.0.1 that responds as WeChat's API does, for tests without WeChat.

    It issues access_tokens that expire and reject each other, stores users, tags, media, menus and messages until it
    is closed, and refuses calls for the most common reasons. Tests can plan faults. At first it has the followers
    ``oUSER``, ``oUSER2`` and ``oUSER3``, who have just sent a message (see `open_window`), and the template
    ``TEMPLATE_ID``, for both template messages and subscription messages.

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
        """Create the fake API; `start` starts it.

        Args:
            appid: AppID of the account.
            secret: AppSecret of the account.
            verified: Whether the account is verified (微信认证). If not, the calls that only verified Official Accounts
                may make return 48001: customer-service, mass and template messages, users, tags and QR codes.
            port: Port to listen on; 0 for a free port.
            clock: Function that returns seconds since the epoch; None for the real time.
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
        """Start listening, and set `url`."""
        from wechat_msg.testing.fake_api.server import Server

        self._closing.clear()
        self._server = Server(self._port, self.handle)
        self.url: str = self._server.url
        return self

    def close(self) -> None:
        """Stop listening, and close all connections; may be called again."""
        self._closing.set()
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def handle(self, request: APIRequest) -> FakeResponse | None:
        """Return the response to a request that another server received; None if it must close the connection."""
        with self._lock:
            delay = self._delays.next(request.path)
            response = self._respond(request)
        is_closed = delay is not None and self._closing.wait(delay)
        return None if is_closed else response

    def _respond(self, request: APIRequest) -> FakeResponse | None:
        outcome = self._outcomes.next(request.path)
        self._requests.append(attrs.evolve(request, was_handled=outcome != "before"))
        if outcome == "before":
            return None
        if isinstance(outcome, FakeResponse):
            return outcome
        if isinstance(outcome, ErrcodeError):
            return make_response(outcome.to_json(self.new_rid()))
        response = serve(self, request)
        return None if outcome == "after" else response

    # --- requests ----------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[APIRequest]:
        """All requests, oldest first, including those for access_tokens."""
        with self._lock:
            return list(self._requests)

    def requests_to(self, path: str) -> list[APIRequest]:
        """Return the requests to a path, oldest first."""
        return [request for request in self.requests if request.path == path]

    @property
    def access_token_fetches(self) -> dict[str, int]:
        """Number of requests for an access_token, successful or not, by kind: ``classic`` and ``stable``."""
        return {kind: len(self.requests_to(path)) for kind, path in _ACCESS_TOKEN_PATHS.items()}

    def clear(self) -> None:
        """Clear `requests` and `messages`."""
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
        """Plan a fault: a path responds with *answer* and does nothing else.

        Faults with *times* come first, in the order in which they were planned; then the newest of the others.

        Args:
            path: The path; ``*`` for every path, including those of access_tokens.
            answer: A JSON object, or bytes.
            status: HTTP status.
            content_type: Content-Type of the response.
            headers: Further headers.
            times: Number of requests; None for all until `clear_faults`.
        """
        planned = make_response(answer, status=status, content_type=content_type, headers=headers)
        with self._lock:
            self._outcomes.add(path, planned, times)

    def fail(self, path: str, errcode: int, errmsg: str = "", *, times: int | None = None) -> None:
        """Plan a fault: a path responds with an errcode and does nothing else.

        Args:
            path: As in `answer`.
            errcode: The number.
            errmsg: The text; if empty, the text that WeChat uses.
            times: As in `answer`.
        """
        with self._lock:
            self._outcomes.add(path, ErrcodeError(errcode, errmsg), times)

    def drop(self, path: str, *, when: Literal["before", "after"] = "before", times: int | None = 1) -> None:
        """Plan a fault: a path closes the connection without a response.

        Args:
            path: As in `answer`.
            when: Whether it closes before or after it has processed the request.
            times: As in `answer`.
        """
        with self._lock:
            self._outcomes.add(path, when, times)

    def delay(self, path: str, seconds: float, *, times: int | None = None) -> None:
        """Plan a delay: a path processes the request at once, but responds later.

        Args:
            path: As in `answer`.
            seconds: Delay in real seconds; it ends when the fake API is closed.
            times: As in `answer`.
        """
        with self._lock:
            self._delays.add(path, seconds, times)

    def clear_faults(self, path: str = EVERY_PATH) -> None:
        """Remove the planned faults of a path; ``*`` for those of all paths."""
        with self._lock:
            self._outcomes.remove(path)
            self._delays.remove(path)
