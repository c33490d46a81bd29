"""Call: what to ask WeChat and how to read the answer, as a value; whoever sends it is `wechat_msg.client`."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, BinaryIO, Final, Generic, TypeVar

import attrs
from attrs import field

from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg.api._arguments import without_none
from wechat_msg.api.reading import Result, nothing
from wechat_msg.errors import CallError

__all__ = [
    "APPID",
    "SECRET",
    "Call",
    "File",
    "FileSource",
    "Own",
    "Pages",
    "Progress",
    "Upload",
    "get",
    "get_without_token",
    "nothing",
    "post",
    "raw_call",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", bound=Result)
Item = TypeVar("Item")

_KeptFile = bytes | str | PathLike[str] | BinaryIO
FileSource = _KeptFile | bytearray | memoryview
"""Where the bytes of a file come from: themselves, a path, or a file object opened for reading bytes."""
Progress = Callable[[int, int | None], object]
"""Is told how many bytes have gone over the line, and how many there are in all if that is known."""


_METHOD = re.compile(r"[A-Z]{1,10}", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+", re.ASCII)
_PLAIN = re.compile(r"[^\x00-\x1f\x7f-\U0010ffff\"\\]{1,200}")


class Own(enum.Enum):
    """The type of `APPID` and `SECRET`."""

    APPID = enum.auto()
    SECRET = enum.auto()


APPID: Final = Own.APPID
"""Stands in a call for the AppID of the client that sends it."""
SECRET: Final = Own.SECRET
"""Stands in a call for the AppSecret of the client that sends it."""


@frozen(kw_only=True)
class File:
    """An answer that is a file.

    Attributes:
        content: The bytes; empty if they went to the file object that was given as ``into``.
        size: Number of bytes.
        content_type: As WeChat says.
        filename: As WeChat says, without folders and control characters; None: it does not.
        headers: All headers of the answer; names in lower case, values decoded as UTF-8, or else as ISO 8859-1.
    """

    content: bytes = field(repr=False)
    size: int
    content_type: str = ""
    filename: str | None = None
    headers: Mapping[str, str] = field(factory=dict, repr=False, eq=False)


def _check_plain(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    # WeChat refuses names that need an encoding (filename*=), and a line break would end the header.
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise CallError(f"{attribute.name} of an upload must be plain ASCII, without quotes（文件名只能用 ASCII）")


def _check_fields(instance: object, attribute: attrs.Attribute[Any], fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        _check_plain(instance, attribute, name)
        if not isinstance(value, str):
            raise CallError("fields of an upload are texts")


def _keep_file(file: FileSource) -> _KeptFile:
    if not isinstance(file, (bytearray, memoryview)):
        return file
    try:
        return bytes(file)  # a copy, as the call may be sent or pickled when the original has changed
    except ValueError:
        raise CallError("the memoryview to upload was released") from None


@frozen(kw_only=True)
class Upload:
    """A file to send, as multipart/form-data; read while it is sent, and again from the start if that is repeated.

    Attributes:
        file: Where the bytes come from. What cannot be sought, like a pipe, is copied to a temporary file first.
        filename: The name that WeChat is told. Its ending says what kind of file it is.
        content_type: The Content-Type that WeChat is told.
        name: Name of the form field.
        fields: Further form fields.
        progress: Is called with the number of bytes sent and their total, in whatever thread sends.
    """

    file: _KeptFile = field(repr=False, converter=_keep_file)
    filename: str = field(repr=False, validator=_check_plain)
    content_type: str = field(default="application/octet-stream", validator=_check_plain)
    name: str = field(default="media", validator=_check_plain)
    fields: Mapping[str, str] = field(factory=dict, repr=False, validator=_check_fields)
    progress: Progress | None = field(default=None, repr=False)


def _check_method(_instance: object, _attribute: object, method: str) -> None:
    if not isinstance(method, str) or not _METHOD.fullmatch(method):
        raise CallError("the method of a call is GET or POST")


def _check_path(_instance: object, _attribute: object, path: str) -> None:
    # What is not a plain path could lead to another host, and the access_token with it.
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise CallError("the path of a call is written like /cgi-bin/user/info; its query goes into params")


def _check_params(_instance: object, _attribute: object, params: object) -> None:
    if not isinstance(params, Mapping):
        raise CallError("params is a mapping")


def _check_headers(_instance: object, _attribute: object, headers: object) -> None:
    if not isinstance(headers, Mapping) or not all(_is_plain(part) for pair in headers.items() for part in pair):
        raise CallError("headers is a mapping of plain ASCII texts")


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isprintable()


@clears_locals
@frozen
class Call(Generic[T_co]):
    """One request to WeChat's API whose answer is a T; a value, which may be kept, queued and sent more than once.

    The repr shows neither parameters nor body.

    Raises:
        CallError: Method, path, params or headers cannot be.

    Attributes:
        method: ``GET`` or ``POST``.
        path: As printed on WeChat's page, with a leading slash.
        parse: Makes the result of the answer's JSON object.
        params: The query, without the access_token. `APPID` and `SECRET` are filled in by the client.
        json: The body: what JSON can hold; None: none. `APPID` and `SECRET` may be members of the root.
        upload: A file to send instead of a JSON body.
        parse_file: Makes the result of an answer that is a file; None: it never is one.
        into: Takes the bytes of that file: opened for writing bytes; None: they are kept in memory.
        progress: Is called with the number of bytes received and their total, in whatever thread receives.
        is_repeatable: To do it twice is no worse than to do it once, so it is repeated if the answer gets lost.
        also_done: Values of errcode with which this very request is done all the same: what it asks for is so already.
            Not those that mean so for other arguments only.
        needs_access_token: The account's access_token goes into the query.
        host: Instead of the client's hosts: ``https://mp.weixin.qq.com``.
        headers: Further headers.
    """

    method: str = field(validator=_check_method)
    path: str = field(validator=_check_path)
    parse: Callable[[Mapping[str, Any]], T_co] = field(repr=False)
    params: Mapping[str, str | int | Own] = field(factory=dict, repr=False, validator=_check_params)
    json: Any = field(default=None, repr=False)
    upload: Upload | None = field(default=None, repr=False, kw_only=True)
    parse_file: Callable[[File], T_co] | None = field(default=None, repr=False, kw_only=True)
    into: BinaryIO | None = field(default=None, repr=False, kw_only=True)
    progress: Progress | None = field(default=None, repr=False, kw_only=True)
    is_repeatable: bool = field(default=False, kw_only=True)
    also_done: frozenset[int] = field(default=frozenset(), repr=False, kw_only=True)
    needs_access_token: bool = field(default=True, repr=False, kw_only=True)
    host: str | None = field(default=None, repr=False, kw_only=True)
    headers: Mapping[str, str] = field(factory=dict, repr=False, kw_only=True, validator=_check_headers)

    def repeatable(self) -> Call[T_co]:
        """Return the same call, but allowed to be repeated when nobody knows whether it was done.

        Example:
            >>> post("/cgi-bin/message/custom/send", {"touser": "oUSER"}, nothing).repeatable().is_repeatable
            True
        """
        return attrs.evolve(self, is_repeatable=True)


@clears_locals
def get(path: str, parse: Callable[[Mapping[str, Any]], T], **params: str | int | Own | None) -> Call[T]:
    """Make a call that reads; parameters that are None are left out."""
    return Call("GET", path, parse, without_none(**params), is_repeatable=True)


@clears_locals
def get_without_token(path: str, parse: Callable[[Mapping[str, Any]], T], **params: str | int | Own | None) -> Call[T]:
    """Make a call that reads and is not about the account, so that its access_token is not sent."""
    return Call("GET", path, parse, without_none(**params), is_repeatable=True, needs_access_token=False)


@clears_locals
def post(
    path: str,
    json: Mapping[str, Any],
    parse: Callable[[Mapping[str, Any]], T],
    *,
    is_repeatable: bool = False,
) -> Call[T]:
    """Make a call with a JSON body."""
    return Call("POST", path, parse, json=json, is_repeatable=is_repeatable)


@clears_locals
def raw_call(
    method: str,
    path: str,
    *,
    params: Mapping[str, str | int | Own] | None = None,
    json: Any = None,
    upload: Upload | None = None,
    is_repeatable: bool | None = None,
    needs_access_token: bool = True,
    host: str | None = None,
) -> Call[Mapping[str, Any]]:
    """Make a call for whatever has no function of its own; its result is the answer as it is.

    Args:
        method: ``GET`` or ``POST``.
        path: As printed on WeChat's page.
        params: The query, without the access_token.
        json: The body.
        upload: A file to send instead of a JSON body.
        is_repeatable: Whether to do it twice is no worse than to do it once; None: a GET is.
        needs_access_token: Whether the account's access_token goes into the query.
        host: Instead of the client's hosts.

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
    """A list that WeChat hands out in pages; `Client.iterate` asks for them one after the other, as they are needed.

    Attributes:
        first: Asks for the first page.
        items_of: Gives the items of a page.
        next_of: Makes the call for the page that follows; None: there is none.
    """

    first: Call[P]
    items_of: Callable[[P], Iterable[Item]] = field(repr=False)
    next_of: Callable[[P], Call[P] | None] = field(repr=False)
