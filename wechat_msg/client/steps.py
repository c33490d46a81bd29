"""The steps of a client's flows: what has to be sent, and what goes on beside the flow."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field

from wechat_msg._flow import Flow
from wechat_msg._tracebacks import frozen
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.receiving import Receiver

__all__ = ["Beside", "Request", "Send"]


@frozen
class Request:
    """A request, ready to be sent.

    Attributes:
        name: Method, path and host: what may be told of it.
        method: ``GET`` or ``POST``.
        url: The whole URL, with secrets in it.
        headers: What the HTTP library does not add itself.
        body: The bytes, or what gives them piece by piece.
        connect_timeout: Seconds to wait for a connection; None: for ever.
        read_timeout: Seconds to wait for each piece of the answer; None: for ever.
        receiver: Takes the answer.
    """

    name: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | MultipartBody | None = field(repr=False)
    connect_timeout: float | None
    read_timeout: float | None
    receiver: Receiver = field(repr=False)


@frozen
class Send:
    """The step that sends a request and is answered with an `Answer`."""

    request: Request


@frozen
class Beside:
    """The step that has a flow performed beside this one, which does not wait for it."""

    flow: Flow[None]
