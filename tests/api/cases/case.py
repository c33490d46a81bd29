"""Case: a call of the API, its request, and a sample answer with its result."""

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
        call: Return value of the function.
        method: Expected method.
        path: Expected path.
        params: The whole query, as text, without the access_token.
        json: The whole body.
        files: File name, content and Content-Type of each upload, by form field.
        form: Further form fields of an upload.
        answer: A sample answer: a JSON object, or the bytes of a file.
        content_type: Content-Type of a file.
        result: Expected result of the answer.
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
