"""中控服务器: a WSGI application that gives access_tokens to other programs, and replaces those that WeChat rejected.

As a program: ``python -m wechat_msg.client.token_server``, with the variables ``WECHAT_APPID``, ``WECHAT_SECRET`` and
``WECHAT_TOKEN_SERVER_SECRET``, and ``WECHAT_API_HOSTS`` for other hosts of the API; its clients use
`wechat_msg.client.RemoteTokenSource`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import make_server

from wechat_msg._json import read_object
from wechat_msg._tracebacks import clears_locals
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.client.clients import Client
from wechat_msg.client.sources import ClassicTokenSource, StableTokenSource, fingerprint
from wechat_msg.errors import AccessTokenRejected, APIError, CallError, InvalidCredential, WeChatError
from wechat_msg.signature import is_same
from wechat_msg.stores import SQLiteStore

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["make_token_server"]

_log = logging.getLogger("wechat_msg")

_MAX_BODY = 4096
_MIN_SECRET = 16
#: Errcodes of WeChat, so that a client gets the same errors as from WeChat.
_WRONG_APPID, _WRONG_SECRET, _TOO_OFTEN, _BUSY = 40013, 40125, 45011, -1
_INVALID_CREDENTIAL = 40001  # for a fetch it means a wrong AppSecret, for other calls a wrong access_token
_WRONG_URL, _WRONG_METHOD, _NO_JSON = 40066, 43002, 47001


@clears_locals
def make_token_server(clients: Client | Iterable[Client], shared_secret: str) -> WSGIApplication:
    """Make the WSGI application; any WSGI server can run it, behind TLS.

    ``POST /token`` with the header ``Authorization: Bearer <shared secret>`` and a JSON body ``{"appid", "rejected"}``,
    where ``rejected`` is null or the SHA-256 of a token that WeChat rejected, is answered as WeChat answers:
    ``{"access_token", "expires_in"}`` or ``{"errcode", "errmsg"}``.

    Args:
        clients: One client for each account; their stores, sources and hosts are used.
        shared_secret: The secret that requests must carry; 16 or more ASCII characters.

    Raises:
        CallError: *shared_secret* is too short, or *clients* holds no clients.
    """
    if not isinstance(shared_secret, str) or not shared_secret.isascii() or len(shared_secret) < _MIN_SECRET:
        raise CallError(f"shared_secret must be {_MIN_SECRET} or more ASCII characters（共享密钥至少 16 个字符）")
    listed = [clients] if isinstance(clients, Client) else list(clients)
    if not listed or not all(isinstance(client, Client) for client in listed):
        raise CallError("clients must be a Client for each account")
    accounts = {client.appid: client for client in listed}

    @clears_locals
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        status, found = _answer(environ, accounts, shared_secret)
        body = json.dumps(found).encode()
        start_response(
            status,
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
            ],
        )
        return [body]

    return answer


def _answer(
    environ: WSGIEnvironment, accounts: Mapping[str, Client], shared_secret: str
) -> tuple[str, Mapping[str, Any]]:
    body = _read_body(environ)  # first: a client that still sends when the connection is closed misses the answer
    if environ.get("PATH_INFO") != "/token":
        return "404 Not Found", _make_error(_WRONG_URL, "the only path is /token")
    if environ.get("REQUEST_METHOD") != "POST":
        return "405 Method Not Allowed", _make_error(_WRONG_METHOD, "the method must be POST")
    if not is_same(f"Bearer {shared_secret}", environ.get("HTTP_AUTHORIZATION")):
        _log.warning("token server: wrong shared secret from %s", environ.get("REMOTE_ADDR", "?"))
        return "403 Forbidden", _make_error(_WRONG_SECRET, "wrong shared secret")
    params = read_object(body)
    if params is None:
        return "400 Bad Request", _make_error(_NO_JSON, "the body is not a JSON object")
    client = accounts.get(str(params.get("appid")))
    if client is None:
        return "404 Not Found", _make_error(_WRONG_APPID, "the server has no such account")
    return _get_access_token(client, params.get("rejected"))


def _read_body(environ: WSGIEnvironment) -> bytes:
    try:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body: bytes = environ["wsgi.input"].read(max(0, min(size, _MAX_BODY)))
    except (ValueError, OSError):
        return b""
    return body


def _get_access_token(client: Client, rejected: object) -> tuple[str, Mapping[str, Any]]:
    """Return the access_token; another one if it is the rejected one."""
    try:
        current = client.get_access_token()
        if rejected is not None and fingerprint(current.access_token) == rejected:
            current = client.get_access_token(rejected=current.access_token)
    except AccessTokenRejected as error:
        return "503 Service Unavailable", _make_error(_TOO_OFTEN, error.errmsg)
    except InvalidCredential as error:
        errcode = _WRONG_SECRET if error.errcode == _INVALID_CREDENTIAL else error.errcode
        return "502 Bad Gateway", _make_error(errcode, error.errmsg, error.rid)
    except APIError as error:
        return "502 Bad Gateway", _make_error(error.errcode, error.errmsg, error.rid)
    except WeChatError as error:
        _log.warning("token server: no access_token for %s: %s", client.appid, error)
        return "503 Service Unavailable", _make_error(_BUSY, type(error).__name__)
    return "200 OK", {"access_token": current.access_token, "expires_in": current.expires_in}


def _make_error(errcode: int, errmsg: str, rid: str | None = None) -> Mapping[str, Any]:
    return {"errcode": errcode, "errmsg": f"{errmsg} rid: {rid}" if rid else errmsg}


# --- as a program ----------------------------------------------------------------------------------------------------


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m wechat_msg.client.token_server", description="access_token 中控服务器")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on; 0 for a free one")
    parser.add_argument(
        "--store", help="SQLite file that keeps the access_token; by default it is fetched at each start"
    )
    parser.add_argument("--classic", action="store_true", help="fetch with /cgi-bin/token instead of stable_token")
    parser.add_argument("--api", action="append", help="host of WeChat's API, repeatable; default: WECHAT_API_HOSTS")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Run the server until it is stopped."""
    parser = _make_parser()
    options = parser.parse_args(arguments)
    try:
        client = Client.from_env(
            store=SQLiteStore(options.store) if options.store else None,
            token_source=ClassicTokenSource() if options.classic else StableTokenSource(),
            **({"hosts": options.api} if options.api else {}),
        )
        application = make_token_server(client, os.environ.get("WECHAT_TOKEN_SERVER_SECRET", ""))
    except WeChatError as error:
        parser.error(f"{error} [WECHAT_APPID, WECHAT_SECRET, WECHAT_TOKEN_SERVER_SECRET]")
    logging.basicConfig(level=logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C
    with (
        contextlib.suppress(KeyboardInterrupt),
        make_server(options.host, options.port, application, ThreadingServer, QuietHandler) as server,
    ):
        print(f"http://{options.host}:{server.server_port}", flush=True)  # noqa: T201, the program that starts it reads the port
        server.serve_forever()


if __name__ == "__main__":
    main()
