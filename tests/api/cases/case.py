"""Case: a call of the API, the request it must be, and an answer with the result it must be read into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from wechat_msg.api.call import Call


@frozen
class Case:
    """One call of one function.

    Attributes:
        function: ``module.function`` below `wechat_msg.api`.
        call: What the function returned.
        method: The method that must be used.
        path: The path that must be asked for.
        params: The whole query, as text, without the access_token.
        json: The whole body.
        files: What is uploaded: file name, content and Content-Type, by form field.
        form: Further form fields of an upload.
        answer: A sample answer: a JSON object, or the bytes of a file.
        content_type: Content-Type of a file.
        result: What the answer must become.
    """

    function: str
    call: Call[Any]
    method: str
    path: str
    params: Mapping[str, str] = field(factory=dict, kw_only=True)
    json: Any = field(default=None, kw_only=True)
    files: Mapping[str, tuple[str, bytes, str]] = field(factory=dict, kw_only=True)
    form: Mapping[str, str] = field(factory=dict, kw_only=True)
    answer: Any = field(factory=lambda: {"errcode": 0, "errmsg": "ok"}, kw_only=True)
    content_type: str = field(default="application/json; charset=utf-8", kw_only=True)
    result: Any = field(default=None, kw_only=True)
