"""APIRequest: a request as it came in."""

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
    """A request that a client made. The repr shows nothing that could be secret.

    Attributes:
        method: ``GET`` or ``POST``.
        path: Without the query.
        query: The query; of a name that comes twice, the last one.
        headers: Names in lower case.
        body: The bytes.
        address: The client's IP address.
        was_handled: False: the connection was closed before anything was done.
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
        """The body read as JSON; None: it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def is_multipart(self) -> bool:
        """Whether the body is a form that may hold files."""
        return self.headers.get("content-type", "").lower().startswith("multipart/form-data")

    @property
    def files(self) -> dict[str, tuple[str, bytes, str]]:
        """The files of a form: file name, content and content type, by field."""
        return {part.name: (part.filename, part.content, part.content_type) for part in self._parts() if part.filename}

    @property
    def form(self) -> dict[str, str]:
        """The texts of a form, by field."""
        return {part.name: part.content.decode() for part in self._parts() if not part.filename}

    def _parts(self) -> Iterator[_Part]:
        boundary = _BOUNDARY.search(self.headers.get("content-type", ""))
        if self.is_multipart and boundary:
            # What stands before the first boundary and after the last one is no part.
            for part in (b"\r\n" + self.body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
                yield _read_part(part)


@frozen
class _Part:
    """A field of a form; without a file name it is a text."""

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
        # A file name in the way of RFC 2231 (filename*=) is not read, as WeChat does not read it either.
        parameters.get("filename", ""),
        headers.get("content-type", "application/octet-stream"),
        content,
    )
