"""Calls as values: a request to WeChat's API and the reader of its response. `wechat_msg.client` sends them."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, BinaryIO, Final, Generic, TypeVar

import attrs
from attrs import field

from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg._validators import Validators
from wechat_msg.api._arguments import without_none
from wechat_msg.api.results import Result
from wechat_msg.errors import CallError

__all__ = [
    "APPID",
    "SECRET",
    "Call",
    "File",
    "FileSource",
    "Pages",
    "Placeholder",
    "Progress",
    "Upload",
    "get",
    "get_without_access_token",
    "post",
    "raw_call",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", bound=Result)
Item = TypeVar("Item")

_StoredFile = bytes | str | PathLike[str] | BinaryIO
FileSource = _StoredFile | bytearray | memoryview
"""Source of a file: the bytes, a path, or a file object opened for reading bytes."""
Progress = Callable[[int, int | None], object]
"""Callback that receives the number of bytes transferred and the total, None if the total is unknown."""

_METHOD = re.compile(r"[A-Z]{1,10}", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+", re.ASCII)
_PLAIN = re.compile(r"[^\x00-\x1f\x7f-\U0010ffff\"\\]{1,200}")


class Placeholder(enum.Enum):
    """Type of `APPID` and `SECRET`."""

    APPID = enum.auto()
    SECRET = enum.auto()


APPID: Final = Placeholder.APPID
"""Placeholder for the AppID of the client that sends the call."""
SECRET: Final = Placeholder.SECRET
"""Placeholder for the AppSecret of the client that sends the call."""


@frozen(kw_only=True)
class File:
    """A file that WeChat returned.

    Attributes:
        content: The bytes; empty if they were written to the file object given as ``into``.
        size: Number of bytes.
        content_type: The Content-Type of the response.
        filename: File name in the response, without folders and control characters; None if there is none.
        headers: All headers of the response; names in lower case, values decoded as UTF-8, else as ISO 8859-1.
    """

    content: bytes = field(repr=False)
    size: int
    content_type: str = ""
    filename: str | None = None
    headers: Mapping[str, str] = field(factory=dict, repr=False, eq=False)


def _is_plain(value: object) -> bool:
    # WeChat refuses encoded names (filename*=); a line break would end the header.
    return isinstance(value, str) and _PLAIN.fullmatch(value) is not None


def _are_headers(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(part, str) and part.isascii() and part.isprintable() for pair in value.items() for part in pair
    )


_check = Validators(CallError)
_plain = _check(_is_plain, "plain ASCII, without quotes（文件名只能用 ASCII）")
_form_fields = _check(
    lambda fields: (
        isinstance(fields, Mapping)
        and all(_is_plain(name) and isinstance(value, str) for name, value in fields.items())
    ),
    "texts, with names of plain ASCII without quotes（表单字段应为文本，名称只能用 ASCII）",
)
_method = _check(lambda value: isinstance(value, str) and _METHOD.fullmatch(value), "GET or POST（应为 GET 或 POST）")
# Anything but a plain path could send the access_token to another host.
_path = _check(
    lambda value: isinstance(value, str) and _PATH.fullmatch(value),
    "like /cgi-bin/user/info; put the query into params（路径形如 /cgi-bin/user/info，查询参数请放入 params）",
)
_params = _check.instance_of(Mapping, what="a mapping（应为映射）")
_body = _check.instance_of(bytes, type(None), what="bytes（应为 bytes）")
_headers = _check(_are_headers, "a mapping of plain ASCII texts（应为 ASCII 文本的映射）")


def _copy_buffer(file: FileSource) -> _StoredFile:
    if not isinstance(file, (bytearray, memoryview)):
        return file
    try:
        return bytes(file)  # the original may change before the call is sent or pickled
    except ValueError:
        raise CallError("the memoryview to upload was released") from None


@frozen(kw_only=True)
class Upload:
    """A file to send as multipart/form-data. It is read while it is sent, and from its start again for each retry.

    Attributes:
        file: The bytes, a path or a file object. An unseekable one, such as a pipe, is copied to a temporary file.
        filename: File name in the request. Its extension tells WeChat the type of the file.
        content_type: Content-Type of the file in the request.
        name: Name of the form field.
        fields: Further form fields.
        progress: Called with the number of bytes sent and the total, in the thread that sends.
    """

    file: _StoredFile = field(repr=False, converter=_copy_buffer)
    filename: str = field(repr=False, validator=_plain)
    content_type: str = field(default="application/octet-stream", validator=_plain)
    name: str = field(default="media", validator=_plain)
    fields: Mapping[str, str] = field(factory=dict, repr=False, validator=_form_fields)
    progress: Progress | None = field(default=None, repr=False)


@clears_locals
@frozen
class Call(Generic[T_co]):
    """One request to WeChat's API, as a value that can be stored, queued and sent more than once.

    *T_co* is the type of its result. The repr shows neither parameters nor body.

    Raises:
        CallError: Method, path, params or headers are invalid.

    Attributes:
        method: ``GET`` or ``POST``.
        path: As printed on WeChat's page, with a leading slash.
        parse: Reader that makes the result from the JSON object of the response.
        params: The query, without the access_token. The client replaces `APPID` and `SECRET`.
        json: The body, any JSON value; None if there is none. `APPID` and `SECRET` may be members of the root.
        body: JSON to send byte for byte instead of *json*, for a request whose signature covers the bytes.
        upload: A file to send instead of a JSON body.
        parse_file: Reader that makes the result from a file; None if the response is never a file.
        into: File object, opened for writing bytes, that receives the file; None if the file is kept in memory.
        progress: Called with the number of bytes received and the total, in the thread that receives.
        is_repeatable: Whether a repeated request does no harm, so that the client retries it if the response is lost.
        also_done: Values of errcode that mean success for this request, because what it asks for is already done. A
            value that means so for other arguments only is not among them.
        needs_access_token: Whether the account's access_token is added to the query.
        host: Used instead of the client's hosts, such as ``https://mp.weixin.qq.com``.
        headers: Further headers.
    """

    method: str = field(validator=_method)
    path: str = field(validator=_path)
    parse: Callable[[Mapping[str, Any]], T_co] = field(repr=False)
    params: Mapping[str, str | int | Placeholder] = field(factory=dict, repr=False, validator=_params)
    json: Any = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False, kw_only=True, validator=_body)
    upload: Upload | None = field(default=None, repr=False, kw_only=True)
    parse_file: Callable[[File], T_co] | None = field(default=None, repr=False, kw_only=True)
    into: BinaryIO | None = field(default=None, repr=False, kw_only=True)
    progress: Progress | None = field(default=None, repr=False, kw_only=True)
    is_repeatable: bool = field(default=False, kw_only=True)
    also_done: frozenset[int] = field(default=frozenset(), repr=False, kw_only=True)
    needs_access_token: bool = field(default=True, repr=False, kw_only=True)
    host: str | None = field(default=None, repr=False, kw_only=True)
    headers: Mapping[str, str] = field(factory=dict, repr=False, kw_only=True, validator=_headers)

    def repeatable(self) -> Call[T_co]:
        """Return a copy of the call that the client may retry even if the first request may have succeeded.

        Example:
            >>> from wechat_msg.api.results import no_result
            >>> post("/cgi-bin/message/custom/send", {"touser": "oUSER"}, no_result).repeatable().is_repeatable
            True
        """
        return attrs.evolve(self, is_repeatable=True)


@clears_locals
def get(path: str, parse: Callable[[Mapping[str, Any]], T], **params: str | int | Placeholder | None) -> Call[T]:
    """Return a GET call without the parameters that are None; it is repeatable."""
    return Call("GET", path, parse, without_none(**params), is_repeatable=True)


@clears_locals
def get_without_access_token(
    path: str, parse: Callable[[Mapping[str, Any]], T], **params: str | int | Placeholder | None
) -> Call[T]:
    """Return a GET call, as `get` does, that does not send the account's access_token."""
    return Call("GET", path, parse, without_none(**params), is_repeatable=True, needs_access_token=False)


@clears_locals
def post(
    path: str, json: Mapping[str, Any], parse: Callable[[Mapping[str, Any]], T], *, is_repeatable: bool = False
) -> Call[T]:
    """Return a POST call with a JSON body."""
    return Call("POST", path, parse, json=json, is_repeatable=is_repeatable)


@clears_locals
def raw_call(
    method: str,
    path: str,
    *,
    params: Mapping[str, str | int | Placeholder] | None = None,
    json: Any = None,
    upload: Upload | None = None,
    is_repeatable: bool | None = None,
    needs_access_token: bool = True,
    host: str | None = None,
) -> Call[Mapping[str, Any]]:
    """Return a call for a path that has no function in this package; its result is the response as received.

    Args:
        method: ``GET`` or ``POST``.
        path: As printed on WeChat's page.
        params: The query, without the access_token.
        json: The body.
        upload: A file to send instead of a JSON body.
        is_repeatable: Whether a repeated request does no harm; if None, GET requests are repeatable.
        needs_access_token: Whether the account's access_token is added to the query.
        host: Used instead of the client's hosts.

    Example:
        >>> raw_call("GET", "/cgi-bin/draft/count")
        Call(method='GET', path='/cgi-bin/draft/count', is_repeatable=True)
    """
    return Call(
        method,
        path,
        dict,
        params or {},
        json,
        upload=upload,
        is_repeatable=method == "GET" if is_repeatable is None else is_repeatable,
        needs_access_token=needs_access_token,
        host=host,
    )


# --- pages -----------------------------------------------------------------------------------------------------------


@frozen
class Pages(Generic[P, Item]):
    """A list that WeChat returns in pages; `Client.iterate` fetches each page when it is needed.

    Attributes:
        first: Call for the first page.
        items_of: Function that returns the items of a page.
        next_of: Function that returns the call for the page after a page, or None after the last one.
    """

    first: Call[P]
    items_of: Callable[[P], Iterable[Item]] = field(repr=False)
    next_of: Callable[[P], Call[P] | None] = field(repr=False)

    def find_next(self, call: Call[P], page: P) -> Call[P] | None:
        """Return the call after *call*, which returned *page*; None after the last one, or if it would be the same."""
        following = self.next_of(page)
        return None if following == call else following
