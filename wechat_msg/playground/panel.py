"""JSON for the page's panel: requests, signatures, answers, and the decrypted contents."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from wechat_msg.errors import PushError
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.details import explain_detail
from wechat_msg.testing.documents import read_document
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import FakeResponse
from wechat_msg.testing.simulator import BotResponse, Problem, Try
from wechat_msg.wire import parse_body, read_encrypt

__all__ = ["call_to_json", "problem_to_json", "text_to_json", "try_to_json"]

_MAX_CHARACTERS = 100_000
_SECRETS = ("access_token", "secret", "appsecret")


def text_to_json(text: Text) -> dict[str, str]:
    """Return a text in both languages."""
    return {"en": text.en, "zh": text.zh}


def problem_to_json(problem: Problem | None, detail: str = "") -> dict[str, Any] | None:
    """Return a problem and its fix; None if there is no problem."""
    if problem is None:
        return None
    what, fix = text_to_json(problem.what), text_to_json(problem.fix)
    return {"code": problem.code, "what": what, "fix": fix, "detail": text_to_json(explain_detail(detail))}


def try_to_json(settings: PushSettings, url: str, attempt: Try) -> dict[str, Any]:
    """Return everything about a try except the secrets of the settings."""
    return {
        "number": attempt.number,
        "began": attempt.began,
        "seconds": attempt.seconds,
        "request": _request_to_json(settings, url, attempt.request),
        "signatures": _signatures_to_json(attempt),
        "answer": _answer_to_json(attempt.answer),
        "outcome": attempt.verdict.outcome,
        "reply": attempt.verdict.reply,
        "problem": problem_to_json(attempt.verdict.problem, attempt.verdict.detail),
        "document": _clip(attempt.verdict.document),
    }


def _request_to_json(settings: PushSettings, url: str, request: PushRequest) -> dict[str, Any]:
    body = request.body.decode(errors="replace")
    return {
        "line": f"{request.method} {urlsplit(url).path or '/'}",
        "query": dict(request.query),
        "content_type": request.content_type,
        "body": _clip(body),
        "opened": _clip(_decrypt(settings, request.body) or body),
        "is_sealed": "msg_signature" in request.query,
    }


def _decrypt(settings: PushSettings, body: bytes) -> str:
    encrypt = _find_encrypt(body)
    if not encrypt or not settings.ciphers:
        return ""
    with contextlib.suppress(PushError):  # a field of that name that the page has sent
        return settings.ciphers[0].decrypt(encrypt).decode(errors="replace")
    return ""


def _find_encrypt(body: bytes) -> str | None:
    with contextlib.suppress(PushError):
        return read_encrypt(body)
    return None


def _answer_to_json(answer: BotResponse | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    body = _clip(answer.body.decode(errors="replace"))
    return {"status": answer.status, "headers": dict(answer.headers), "body": body, "bytes": len(answer.body)}


def _clip(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else text[:_MAX_CHARACTERS] + " …"


def _read(body: bytes, read: Callable[[bytes], Mapping[str, Any]]) -> Mapping[str, Any]:
    with contextlib.suppress(PushError):
        return read(body)
    return {}


# --- signatures -------------------------------------------------------------------------------------------------------


def _signatures_to_json(attempt: Try) -> list[dict[str, Any]]:
    """Return each signature with the parts that it covers; the Token is only named."""
    query, reply = attempt.request.query, _read(attempt.answer.body, read_document) if attempt.answer else {}
    signatures = [("signature", query.get("signature"), [query.get("timestamp"), query.get("nonce")])]
    if "msg_signature" in query:
        sealed = _find_encrypt(attempt.request.body)
        signatures.append(("msg_signature", query["msg_signature"], [query["timestamp"], query["nonce"], sealed]))
    if "MsgSignature" in reply:
        parts = [reply.get(name) for name in ("TimeStamp", "Nonce", "Encrypt")]
        signatures.append(("MsgSignature", reply["MsgSignature"], parts))
    return [
        {"name": name, "value": str(value), "parts": ["Token", *(_clip(str(part)) for part in parts)]}
        for name, value, parts in signatures
    ]


# --- calls of the API -------------------------------------------------------------------------------------------------


def call_to_json(request: APIRequest, answer: FakeResponse) -> dict[str, Any]:
    """Return a call of the API and its answer, without access_tokens and secrets."""
    query = {name: value for name, value in request.query.items() if name not in _SECRETS}
    has_no_secret = not request.is_multipart and not set(_SECRETS) & set(_read(request.body, parse_body))
    return {
        "line": f"{request.method} {request.path}",
        "query": query,
        "body": _clip(request.body.decode(errors="replace")) if has_no_secret else "",
        "answer": _clip(answer.body.decode(errors="replace")),
    }
