"""What went over the wire, as JSON for the panel: requests, signatures, answers, and what was inside."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from wechat_msg.errors import PushError
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import PushSettings
from wechat_msg.testing.details import explain_detail
from wechat_msg.testing.documents import read_document
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import FakeResponse
from wechat_msg.testing.simulator import Answer, Problem, Try
from wechat_msg.testing.text import Text
from wechat_msg.wire import parse_body, read_encrypt

__all__ = ["show_call", "show_problem", "show_text", "show_try"]

_MOST_CHARACTERS = 100_000
_SECRETS = ("access_token", "secret", "appsecret")


def show_text(text: Text) -> dict[str, str]:
    """Return a text in both languages."""
    return {"en": text.en, "zh": text.zh}


def show_problem(problem: Problem | None, detail: str = "") -> dict[str, Any] | None:
    """Return what is wrong, and how to mend it."""
    if problem is None:
        return None
    what, mend = show_text(problem.what), show_text(problem.mend)
    return {"code": problem.code, "what": what, "mend": mend, "detail": show_text(explain_detail(detail))}


def show_try(settings: PushSettings, url: str, one: Try) -> dict[str, Any]:
    """Return everything about a try, but for the secrets of the settings."""
    return {
        "number": one.number,
        "began": one.began,
        "seconds": one.seconds,
        "request": _show_request(settings, url, one.request),
        "signatures": _explain_signatures(one),
        "answer": _show_answer(one.answer),
        "outcome": one.verdict.outcome,
        "problem": show_problem(one.verdict.problem, one.verdict.detail),
        "document": _clip(one.verdict.document),
    }


def _show_request(settings: PushSettings, url: str, request: PushRequest) -> dict[str, Any]:
    body = request.body.decode(errors="replace")
    return {
        "line": f"{request.method} {urlsplit(url).path or '/'}",
        "query": dict(request.query),
        "content_type": request.content_type,
        "body": _clip(body),
        "opened": _clip(_open(settings, request.body) or body),
        "is_sealed": "msg_signature" in request.query,
    }


def _open(settings: PushSettings, body: bytes) -> str:
    encrypt = _find_encrypt(body)
    if not encrypt or not settings.ciphers:
        return ""
    with contextlib.suppress(PushError):  # a member of that name which the page has asked for
        return settings.ciphers[0].decrypt(encrypt).decode(errors="replace")
    return ""


def _find_encrypt(body: bytes) -> str | None:
    with contextlib.suppress(PushError):
        return read_encrypt(body)
    return None


def _show_answer(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    body = _clip(answer.body.decode(errors="replace"))
    return {"status": answer.status, "headers": dict(answer.headers), "body": body, "bytes": len(answer.body)}


def _clip(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + " …"


def _read(body: bytes, read: Callable[[bytes], Mapping[str, Any]]) -> Mapping[str, Any]:
    with contextlib.suppress(PushError):
        return read(body)
    return {}


# --- signatures -------------------------------------------------------------------------------------------------------


def _explain_signatures(one: Try) -> list[dict[str, Any]]:
    """Tell of each signature what it is made of; that is also where the Token is left out."""
    query, reply = one.request.query, _read(one.answer.body, read_document) if one.answer else {}
    listed = [("signature", query.get("signature"), [query.get("timestamp"), query.get("nonce")])]
    if "msg_signature" in query:
        sealed = _find_encrypt(one.request.body)
        listed.append(("msg_signature", query["msg_signature"], [query["timestamp"], query["nonce"], sealed]))
    if "MsgSignature" in reply:
        parts = [reply.get(name) for name in ("TimeStamp", "Nonce", "Encrypt")]
        listed.append(("MsgSignature", reply["MsgSignature"], parts))
    return [
        {"name": name, "value": str(value), "parts": ["Token", *(_clip(str(part)) for part in parts)]}
        for name, value, parts in listed
    ]


# --- calls of the API -------------------------------------------------------------------------------------------------


def show_call(request: APIRequest, answer: FakeResponse) -> dict[str, Any]:
    """Return a call of the API and its answer, but for tokens and secrets."""
    query = {name: value for name, value in request.query.items() if name not in _SECRETS}
    is_shown = not request.is_multipart and not set(_SECRETS) & set(_read(request.body, parse_body))
    return {
        "line": f"{request.method} {request.path}",
        "query": query,
        "body": _clip(request.body.decode(errors="replace")) if is_shown else "",
        "answer": _clip(answer.body.decode(errors="replace")),
    }
