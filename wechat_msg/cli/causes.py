"""Find the most probable cause why a captured push is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from urllib.parse import unquote

from wechat_msg._tracebacks import define
from wechat_msg.crypto import Envelope
from wechat_msg.errors import (
    AppIdMismatch,
    DecryptError,
    MalformedPush,
    ModeMismatch,
    PushError,
    SignatureMismatch,
    SignatureMissing,
)
from wechat_msg.settings import PushSettings
from wechat_msg.signature import is_msg_signature_valid
from wechat_msg.testing.bilingual import Text

__all__ = ["Evidence", "find_cause", "is_sealed", "open_with_any"]

_WRONG_TOKEN = Text(
    "the Token differs from the server settings, or timestamp or nonce was altered",
    "Token 与「服务器配置」中的不一致，或 timestamp、nonce 被改动",
)
_INCOMPLETE = Text(
    "the query is incomplete: give all of it, with each parameter once",
    "查询参数不完整：请取完整的查询串，每个参数只出现一次",
)
_NO_BODY = Text("the body is empty: it was already read, or not recorded", "没有请求体：可能已被读走，或未记录")
_NOT_WHOLE = Text(
    "the body was truncated or re-encoded in transit, or is not a push of WeChat",
    "请求体被截断或转码，或者不是微信的推送",
)
_PLAIN = Text(
    "the console is set to the plain mode, but an EncodingAESKey is given here",
    "公众平台设为明文模式，而这里配置了 EncodingAESKey",
)
_NO_KEY = Text(
    "the console is set to the safe or compatible mode: EncodingAESKey and AppID are needed",
    "公众平台设为安全模式或兼容模式：需要 EncodingAESKey 与 AppID",
)
_WRONG_KEY = Text("the EncodingAESKey differs from the server settings", "EncodingAESKey 与「服务器配置」中的不一致")
_WRONG_KEY_OR_BODY = Text(
    "the EncodingAESKey differs, or the body was altered; give --query to find out which",
    "EncodingAESKey 不一致，或请求体被改动；提供 --query 才能区分",
)
_WRONG_APPID = Text(
    "the AppID given here belongs to another account; third-party platforms set theirs as WECHAT_EXTRA_APPIDS",
    "这里的 AppID 不是该账号的；第三方平台请把平台自己的 AppID 填入 WECHAT_EXTRA_APPIDS",
)
_OTHER_BODY = Text(
    "the Token is correct, but the body belongs to another query, or Encrypt or msg_signature was altered",
    "Token 正确，但请求体与该查询串不是同一次推送，或 Encrypt、msg_signature 被改动",
)
_OTHER_SIGNATURE = Text(
    "the Token is correct; signature was altered in the query", "Token 正确，查询串中的 signature 被改动"
)


def _restore_plus(encrypt: str) -> str:
    return encrypt.replace(" ", "+")


def _remove_spaces(encrypt: str) -> str:
    return "".join(encrypt.split())


#: What may happen to base64 in transit, and how to undo it.
_REPAIRS: list[tuple[Text, Callable[[str], str]]] = [
    (
        Text(
            "each + of the base64 became a space: the body was decoded as a form",
            "base64 中的 + 变成了空格：请求体被当作表单解码了",
        ),
        _restore_plus,
    ),
    (Text("the base64 contains line breaks or spaces", "base64 中混入了换行或空格"), _remove_spaces),
    (Text("the base64 was URL-encoded (%2B)", "base64 被做了 URL 编码（%2B）"), unquote),
]


@define
class Evidence:
    """What is known about a push.

    Attributes:
        settings: The account's settings.
        query: Its query parameters; None if they are unknown.
        body: Its body.
        encrypt: The ciphertext; None if there is none.
        is_readable: Whether the body is valid XML or JSON.
        signed: Whether ``signature`` is valid; None if it was not checked.
        sealed: Whether ``msg_signature`` is valid; None if it was not checked.
    """

    settings: PushSettings
    query: Mapping[str, str] | None
    body: bytes
    encrypt: str | None = None
    is_readable: bool = False
    signed: bool | None = None
    sealed: bool | None = None


def find_cause(error: PushError, evidence: Evidence) -> Text | None:
    """Return the most probable cause of *error*; None if the error itself says it."""
    if not evidence.is_readable and isinstance(error, (MalformedPush, ModeMismatch)):
        return _NOT_WHOLE if evidence.body else _NO_BODY
    match error:
        case SignatureMissing():
            return _INCOMPLETE
        case SignatureMismatch():
            return _explain_signature(evidence)
        case ModeMismatch():
            return _PLAIN if evidence.encrypt is None else _NO_KEY
        case DecryptError():
            return _find_damage(evidence) or (_WRONG_KEY if evidence.sealed else _WRONG_KEY_OR_BODY)
        case AppIdMismatch():
            return _WRONG_APPID
        case MalformedPush():
            return _NOT_WHOLE
    return None


def is_sealed(settings: PushSettings, query: Mapping[str, str], encrypt: str) -> bool:
    """Return whether ``msg_signature`` is valid for any Token of the settings."""
    msg_signature, timestamp, nonce = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
    return any(
        is_msg_signature_valid(token, msg_signature=msg_signature, timestamp=timestamp, nonce=nonce, encrypt=encrypt)
        for token in settings.tokens
    )


def open_with_any(settings: PushSettings, encrypt: str) -> Iterator[Envelope]:
    """Yield the envelope as decrypted by each key that fits."""
    for cipher in settings.ciphers:
        with suppress(PushError):
            yield cipher.open(encrypt)


def _explain_signature(evidence: Evidence) -> Text:
    if evidence.sealed:
        return _OTHER_SIGNATURE
    if evidence.signed is False or evidence.encrypt is None:
        return _WRONG_TOKEN
    return _find_damage(evidence) or (_OTHER_BODY if evidence.signed else _WRONG_TOKEN)


def _find_damage(evidence: Evidence) -> Text | None:
    """Return the first cause whose repair makes the push valid."""
    settings, query, encrypt = evidence.settings, evidence.query, evidence.encrypt or ""
    for cause, repair in _REPAIRS:
        repaired = repair(encrypt)
        is_right = any(open_with_any(settings, repaired)) if query is None else is_sealed(settings, query, repaired)
        if repaired != encrypt and is_right:
            return cause
    return None
