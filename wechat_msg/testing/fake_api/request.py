"""APIRequest, a request that the fake API received."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field

from wechat_msg._tracebacks import frozen

__all__ = ["APIRequest"]

_BOUNDARY = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)
_PARAMETER = re.compile(r'\b(name|filename)="([^"]*)"')


@frozen
class APIRequest:
    """A request from a client. The repr shows no secrets.

    Attributes:
        method: ``GET`` or ``POST``.
        path: The path, without the query.
        query: The query; the last value of a repeated name.
        headers: The headers, with names in lower case.
        body: The body.
        address: IP address of the client.
        was_handled: Whether the request was processed; False if a planned fault closed the connection first.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    address: str
    was_handled: bool = True

    @property
    def json(self) -> Any:
        """The body read as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def is_multipart(self) -> bool:
        """Whether the body is a multipart form."""
        return self.headers.get("content-type", "").lower().startswith("multipart/form-data")

    @property
    def files(self) -> dict[str, tuple[str, bytes, str]]:
        """File name, content and content type of each file of a form, by field."""
        return {part.name: (part.filename, part.content, part.content_type) for part in self._parts() if part.filename}

    @property
    def form(self) -> dict[str, str]:
        """Text fields of a form, by name."""
        return {part.name: part.content.decode() for part in self._parts() if not part.filename}

    def _parts(self) -> Iterator[_Part]:
        boundary = _BOUNDARY.search(self.headers.get("content-type", ""))
        if self.is_multipart and boundary:
            # The texts before the first and after the last boundary are not parts.
            for part in (b"\r\n" + self.body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
                yield _read_part(part)


@frozen
class _Part:
    """A field of a form; a text if the file name is empty."""

    name: str
    filename: str
    content_type: str
    content: bytes


def _read_part(part: bytes) -> _Part:
    head, _, content = part.partition(b"\r\n\r\n")
    lines = [line.partition(":") for line in head.decode(errors="replace").strip().splitlines()]
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    parameters = dict(_PARAMETER.findall(headers.get("content-disposition", "")))
    return _Part(
        parameters.get("name", ""),
        # Like WeChat, this does not read file names of RFC 2231 (filename*=).
        parameters.get("filename", ""),
        headers.get("content-type", "application/octet-stream"),
        content,
    )
