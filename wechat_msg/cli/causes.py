"""Why a captured push is refused, most probably: by what holds of it and what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from urllib.parse import unquote

from wechat_msg._tracebacks import frozen
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
from wechat_msg.testing.text import Text

__all__ = ["Evidence", "find_cause", "is_sealed", "open_with_any"]

_WRONG_TOKEN = Text(
    "the Token is not that of the server settings, or timestamp or nonce were altered",
    "Token 与「服务器配置」中的不一致，或 timestamp、nonce 被改动",
)
_INCOMPLETE = Text(
    "the query is not whole: take all of it, with each parameter once",
    "查询参数不完整：请取完整的查询串，每个参数只出现一次",
)
_NO_BODY = Text("there is no body: it was read before, or not recorded", "没有请求体：可能已被读走，或未记录")
_NOT_WHOLE = Text(
    "the body was cut off or re-encoded on its way, or is no push of WeChat",
    "请求体被截断或转码，或者不是微信的推送",
)
_PLAIN = Text(
    "the console is set to the plain mode, while a key is given here",
    "公众平台设为明文模式，而这里配置了 EncodingAESKey",
)
_NO_KEY = Text(
    "the console is set to the safe or compatible mode: EncodingAESKey and AppID are needed",
    "公众平台设为安全模式或兼容模式：需要 EncodingAESKey 与 AppID",
)
_WRONG_KEY = Text("the EncodingAESKey is not that of the server settings", "EncodingAESKey 与「服务器配置」中的不一致")
_WRONG_KEY_OR_BODY = Text(
    "the EncodingAESKey is another one, or the body was altered; with --query it could be told which",
    "EncodingAESKey 不一致，或请求体被改动；提供 --query 才能区分",
)
_WRONG_APPID = Text(
    "the AppID given here is another account's; a third-party platform gives its own as WECHAT_EXTRA_APPIDS",
    "这里的 AppID 不是该账号的；第三方平台请把平台自己的 AppID 填入 WECHAT_EXTRA_APPIDS",
)
_OTHER_BODY = Text(
    "the Token is right, but the body is not the one of this query, or Encrypt or msg_signature was altered",
    "Token 正确，但请求体与该查询串不是同一次推送，或 Encrypt、msg_signature 被改动",
)
_OTHER_SIGNATURE = Text(
    "the Token is right; signature was altered in the query", "Token 正确，查询串中的 signature 被改动"
)
#: What happens to base64 on its way, and how to undo it.
_REPAIRS: list[tuple[Text, Callable[[str], str]]] = [
    (
        Text(
            "each + of the base64 has become a blank: somewhere the body is decoded as a form",
            "base64 中的 + 变成了空格：请求体被当作表单解码了",
        ),
        lambda encrypt: encrypt.replace(" ", "+"),
    ),
    (
        Text("line breaks or blanks were put into the base64", "base64 中混入了换行或空格"),
        lambda encrypt: "".join(encrypt.split()),
    ),
    (Text("the base64 was URL-encoded (%2B)", "base64 被做了 URL 编码（%2B）"), unquote),
]


@frozen
class Evidence:
    """What is known of a push.

    Attributes:
        settings: The account's settings.
        query: Its query parameters; None: they are not known.
        body: Its body.
        encrypt: What is sealed; None: nothing.
        is_readable: Whether the body is XML or JSON at all.
        signed: Whether ``signature`` is right; None: it could not be checked.
        sealed: Whether ``msg_signature`` is.
    """

    settings: PushSettings
    query: Mapping[str, str] | None
    body: bytes
    encrypt: str | None
    is_readable: bool
    signed: bool | None
    sealed: bool | None


def find_cause(error: PushError, evidence: Evidence) -> Text | None:
    """Name the most probable cause of *error*; None: the error says it all."""
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
    """Tell whether ``msg_signature`` is right, by any Token."""
    msg_signature, timestamp, nonce = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
    return any(
        is_msg_signature_valid(token, msg_signature=msg_signature, timestamp=timestamp, nonce=nonce, encrypt=encrypt)
        for token in settings.tokens
    )


def open_with_any(settings: PushSettings, encrypt: str) -> Iterator[Envelope]:
    """Open an envelope with each key that fits."""
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
    """Find what can be undone so that all is right."""
    settings, query, encrypt = evidence.settings, evidence.query, evidence.encrypt or ""
    for cause, repair in _REPAIRS:
        repaired = repair(encrypt)
        is_right = any(open_with_any(settings, repaired)) if query is None else is_sealed(settings, query, repaired)
        if repaired != encrypt and is_right:
            return cause
    return None
