"""The steps of a client's flows, besides those of `wechat_msg._flow`."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field

from wechat_msg._flow import Flow
from wechat_msg._tracebacks import frozen
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.client.receiving import Receiver

__all__ = ["Background", "Request", "Send"]


@frozen
class Request:
    """An HTTP request, ready to be sent.

    Attributes:
        name: Method, host and path: the part that errors may show.
        method: ``GET`` or ``POST``.
        url: The whole URL; it holds secrets.
        headers: The headers that the HTTP library does not add itself.
        body: The bytes, or an object that is read while they are sent.
        connect_timeout: Seconds to wait for a connection; None if there is no limit.
        read_timeout: Seconds to wait for each piece of the answer; None if there is no limit.
        receiver: Receives the answer.
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
    """The step that sends a request and gives its `APIResponse`."""

    request: Request


@frozen
class Background:
    """The step that runs a flow in the background; the flow that yields it does not wait."""

    flow: Flow[None]
