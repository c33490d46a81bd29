"""Access to the playground: a secret key for each start, the allowed host names, and security headers."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from attrs import field
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import SettingsError
from wechat_msg.signature import is_same
from wechat_msg.testing.bilingual import Text

__all__ = ["BrowserSession", "Gate", "refuse_request"]

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# A bot's cards may show pictures from any site, as in WeChat; everything else comes from the playground.
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' http: https:; media-src 'self' http: https:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: For content of others: it may not run or load anything.
_FOREIGN_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
_NOTICE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_WRONG_HOST = Text(
    "Unknown host name. Add it to allowed_hosts if the playground should be reachable by it.",
    "调试台不认识这个主机名。如确需使用，请把它加入 allowed_hosts。",
)
_WRONG_ORIGIN = Text("Requests from pages of other sites are refused.", "不接受其他网站页面发来的请求。")
_NO_KEY = Text(
    "Open the full address that was printed when the playground started, with ?key= at its end.",
    "请打开启动调试台时打印的完整网址（末尾带 ?key=）。",
)
_NOTICE = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>wechat-msg playground</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.7 system-ui, sans-serif; display: grid; place-content: center; min-height: 90vh; padding: 0 24px }}
h1 {{ font-size: 20px; color: #07c160 }}
p {{ max-width: 34em; margin: 4px 0 }}
</style>
<h1>wechat-msg playground</h1><p>{zh}</p><p lang="en">{en}</p></html>"""


def _to_names(names: Iterable[str]) -> frozenset[str]:
    if not isinstance(names, str) and isinstance(names, Iterable):
        listed = list(names)
        if all(isinstance(name, str) for name in listed):
            return frozenset(name.lower() for name in listed)
    raise SettingsError("allowed_hosts must be a list of host names")


@frozen
class BrowserSession:
    """The address of one start of the playground, and the key of its user.

    Attributes:
        base: The address where it listens, such as ``http://127.0.0.1:8765``.
        allowed_hosts: Further host names that may reach it.
        at_any_address: Whether any IP address may reach it, because it listens on all of them.
        key: The secret key.
    """

    base: str
    allowed_hosts: frozenset[str] = field(default=frozenset(), converter=_to_names)
    at_any_address: bool = False
    key: str = field(factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def address(self) -> str:
        """The address that the user opens."""
        return f"{self.base}/?key={self.key}"

    @property
    def cookie(self) -> str:
        """The name of the cookie, which contains the port because browsers share cookies between ports."""
        return f"wechat_playground_{urlsplit(self.base).port or 80}"

    def accepts_host(self, host: str) -> bool:
        """Return whether a Host header names the playground; others may result from DNS rebinding."""
        name = _name_of(host)
        own = {_name_of(urlsplit(self.base).netloc), *_LOOPBACK, *self.allowed_hosts}
        return name in own or (self.at_any_address and _is_address(name))


def _name_of(host: str) -> str:
    """Return the host without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


class Gate:
    """Middleware that admits only the user; the API that bots call requires an access_token instead."""

    def __init__(self, app: ASGIApp, session: BrowserSession) -> None:
        self._app = app
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                policy = _PAGE_POLICY if _is_own(scope["path"]) else _FOREIGN_POLICY
                for name, value in {**_COMMON_HEADERS, "Content-Security-Policy": policy}.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refuse(scope) or self._app)(scope, receive, send_safely)

    def _refuse(self, scope: Scope) -> Response | None:
        """Return the response to a request that is not passed on; None if it is."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        is_own, is_read = _is_own(scope["path"]), scope["method"] in ("GET", "HEAD")
        if not self._session.accepts_host(host):
            return refuse_request(headers, 403, _WRONG_HOST)
        # Programs send no Origin, nor do browsers that read from their own site.
        is_anonymous = origin is None and (is_read or not is_own)
        if not is_anonymous and origin not in (f"http://{host}", f"https://{host}"):
            return refuse_request(headers, 403, _WRONG_ORIGIN)
        if not is_own:
            return None
        if scope["path"] == "/" and (key := parse_qs(scope["query_string"].decode("latin-1")).get("key")):
            return self._log_in(headers, key[0])
        cookie = cookie_parser(headers.get("cookie", "")).get(self._session.cookie)
        return None if is_same(self._session.key, cookie) else refuse_request(headers, 403, _NO_KEY)

    def _log_in(self, headers: Headers, key: str) -> Response:
        if not is_same(self._session.key, key):
            return refuse_request(headers, 403, _NO_KEY)
        response: Response = RedirectResponse("/", 303)
        if headers.get("sec-fetch-site") == "cross-site":
            # After a click on another site's page, browsers do not send the cookie with a redirect.
            response = HTMLResponse("", headers={"Refresh": "0; url=/"})
        response.set_cookie(self._session.cookie, self._session.key, httponly=True, samesite="strict")
        return response


def _is_own(path: str) -> bool:
    return path == "/" or path.startswith("/playground/")


def refuse_request(headers: Headers, status: int, why: Text) -> Response:
    """Return the response to a refused request: a page for browsers, JSON for programs."""
    if "text/html" not in headers.get("accept", ""):
        return JSONResponse({"error": {"en": why.en, "zh": why.zh}}, status)
    return HTMLResponse(_NOTICE.format(zh=why.zh, en=why.en), status, {"Content-Security-Policy": _NOTICE_POLICY})
