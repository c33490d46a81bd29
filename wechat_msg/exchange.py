"""Request and response without a framework, and the opened push."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.crypto import MessageCipher
from wechat_msg.errors import MalformedPush, MethodNotAllowed, PushError
from wechat_msg.messages import Message
from wechat_msg.wire import Format

__all__ = ["Push", "PushRequest", "PushResponse", "error_response", "parse_query"]


_UNUSUAL = re.compile(r"[^0-9A-Za-z_=&.-]")  # what may be escaped, or separate pairs for some


def _check_query(_instance: object, _attribute: object, query: object) -> None:
    if not isinstance(query, (dict, Mapping)):  # dict is there because it is fast
        raise MalformedPush("the query must be a mapping; parse_query makes one")


def _to_bytes(body: bytes | bytearray | memoryview) -> bytes:
    if isinstance(body, (bytes, bytearray, memoryview)):
        return body if isinstance(body, bytes) else bytes(body)
    raise MalformedPush("the body must be bytes, exactly as received")


@frozen
class PushRequest:
    """A request, as an adapter reads it from its framework.

    Attributes:
        method: The HTTP method.
        query: The query parameters, made by `parse_query`, as frameworks treat repeated parameters differently.
        body: The body, exactly as received.
        content_type: The Content-Type header. It does not decide how the body is read.
        headers: Further headers of a request that is built to be sent; adapters set none, as endpoints read none.
    """

    method: str = field(converter=str)
    query: Mapping[str, str] = field(repr=False, validator=_check_query)
    body: bytes = field(default=b"", repr=False, converter=_to_bytes)
    content_type: str = ""
    headers: Mapping[str, str] = field(factory=dict, repr=False)

    @property
    def query_string(self) -> str:
        """The query as in a URL."""
        return urlencode(self.query, errors="replace")


@frozen
class PushResponse:
    """A response, which an adapter turns into its framework's response.

    Attributes:
        status: The HTTP status.
        body: The body.
        content_type: Value of the Content-Type header.
        headers: Further headers.
    """

    status: int
    body: bytes = field(repr=False)
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Push:
    """An opened push: the message, and how to format and seal its answer.

    Attributes:
        message: The message or event.
        format: The data format of the push and of its answer.
        cipher: The cipher that opened the push; None if it was plain.
        appid: The id at the end of the envelope; None if the push was plain.
        document: What `reopen_push` needs: the body, or its ``Encrypt`` if the push was sealed.
    """

    message: Message
    format: Format
    cipher: MessageCipher | None = None
    appid: str | None = None
    document: bytes = field(default=b"", repr=False, eq=False)


def parse_query(query_string: str | bytes) -> dict[str, str]:
    """Read a query string.

    A parameter with two different values is left out, as either could be forged. Equal values count as one, as some
    proxies append the query a second time.

    Example:
        >>> parse_query("nonce=1&timestamp=2&nonce=3&timestamp=2&echostr=a%2Bb")
        {'timestamp': '2', 'echostr': 'a+b'}
    """
    if isinstance(query_string, bytes):
        query_string = query_string.decode("utf-8", "replace")
    pairs = _split_query(query_string)
    query = dict(pairs)
    if len(query) < len(pairs):
        for name in {name for name, value in pairs if value != query[name]}:
            del query[name]
    return query


def _split_query(query_string: str) -> list[tuple[str, str]]:
    """Return the parameters; nothing in most queries is escaped, and then `parse_qsl` takes ten times as long."""
    if _UNUSUAL.search(query_string):
        return parse_qsl(query_string, keep_blank_values=True)
    return [(name, value) for name, _, value in (pair.partition("=") for pair in query_string.split("&") if pair)]


def error_response(error: PushError) -> PushResponse:
    """Return the response to a refused request: the status, and nothing that helps an attacker."""
    headers = {"Allow": "GET, POST"} if isinstance(error, MethodNotAllowed) else {}
    return PushResponse(error.status_hint, HTTPStatus(error.status_hint).phrase.encode(), headers=headers)
