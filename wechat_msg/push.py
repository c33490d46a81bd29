"""Opening a push, from request to message; every step is a pure function of its arguments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from wechat_msg._damage import TYPE_NAMES, explain_body, explain_document, is_plain_push
from wechat_msg.answering import Answer, answer_cloud_function, render_reply, seal_reply
from wechat_msg.crypto import Envelope, MessageCipher
from wechat_msg.errors import (
    AppIdMismatch,
    BodyTooLarge,
    DecryptError,
    MalformedPush,
    MethodNotAllowed,
    ModeMismatch,
    SignatureExpired,
    SignatureMismatch,
    SignatureMissing,
)
from wechat_msg.events._kinds import get_kind
from wechat_msg.exchange import Push, PushRequest, PushResponse, parse_query
from wechat_msg.messages import Message
from wechat_msg.parsing import parse_message
from wechat_msg.settings import MINI_PROGRAM, OFFICIAL_ACCOUNT, AccountKind, PushSettings
from wechat_msg.signature import is_signed
from wechat_msg.wire import Format, detect_format, parse_body, read_encrypts

__all__ = [
    "MINI_PROGRAM",
    "OFFICIAL_ACCOUNT",
    "AccountKind",
    "Answer",
    "Push",
    "PushRequest",
    "PushResponse",
    "PushSettings",
    "accepts_for",
    "answer_cloud_function",
    "answer_echostr",
    "answer_get",
    "answer_path_check",
    "find_format",
    "open_push",
    "parse_query",
    "render_reply",
    "reopen_push",
    "seal_reply",
]

_SIGNED = ("signature", "msg_signature", "timestamp", "nonce")
_MAX_DIGITS = 15  # of a timestamp
_PATH_CHECK = b"CheckContainerPath"


# --- GET: URL verification -------------------------------------------------------------------------------------------


def answer_echostr(settings: PushSettings, query: Mapping[str, str]) -> str:
    """Verify the request that WeChat sends when the server settings are saved (接入验证).

    Args:
        settings: The account's settings.
        query: The query parameters. With ``signature`` they have the plain form that Official Accounts and Mini
            Programs use in every mode; with ``msg_signature`` only, the sealed form of WeCom (企业微信), which needs a
            key.

    Returns:
        The exact text of the answer: as ``text/plain``, without quotes and without a line end.

    Raises:
        SignatureMissing: A parameter is missing, or is given twice with different values.
        SignatureMismatch: The signature was made with another Token.
        MalformedPush: The timestamp is not a number, or echostr is missing.
        ModeMismatch: The settings are those of Cloud Run, which sends no such request; or the sealed form needs a key.
        DecryptError, AppIdMismatch: The sealed form cannot be opened.

    Example:
        >>> answer_echostr(PushSettings(token="AAAAA"), {
        ...     "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696", "timestamp": "1714036504",
        ...     "nonce": "1514711492", "echostr": "4375120948345356249"})
        '4375120948345356249'

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html
    """
    if settings.cloud_run:
        raise ModeMismatch(
            "the settings are those of Cloud Run, which sends no GET to verify a URL",
            hint="当前为云托管（cloud_run）配置：云托管不发送验证 URL 的 GET 请求",
        )
    echostr = query.get("echostr")
    if "signature" in query or "msg_signature" not in query:
        _verify(settings, query, "signature")
        if not isinstance(echostr, str) or not echostr:
            raise MalformedPush(
                "echostr is missing from a signed GET: a redirect may have turned a push into a GET,"
                " or a proxy or gateway dropped it",
                hint="签名正确，但缺少 echostr：可能是跳转（redirect）把 POST 推送变成了 GET，或被代理、网关丢弃",
            )
        return echostr
    _check_sealed(settings, query, echostr or "")
    envelope, _ = _open_envelope(settings, echostr or "")
    try:
        return envelope.content.decode("utf-8")
    except UnicodeDecodeError:
        raise DecryptError("the sealed echostr is not text") from None


def answer_get(settings: PushSettings, query: Mapping[str, str]) -> PushResponse:
    """Return the whole response to the request that `answer_echostr` verifies."""
    body = answer_echostr(settings, query).encode("utf-8", "replace")
    return PushResponse(200, body, headers={"X-Content-Type-Options": "nosniff"})


def answer_path_check(settings: PushSettings, request: PushRequest) -> PushResponse | None:
    """Answer the request with which Cloud Run (云托管) checks the path of its pushes when it is saved.

    Args:
        settings: The account's settings.
        request: The request as received.

    Returns:
        The whole response; None for any other request, and for the settings of any other account.

    Raises:
        MalformedPush: The body is not well-formed.

    Example:
        >>> settings = PushSettings(appid="wx0123456789abcdef", cloud_run=True)
        >>> answer_path_check(settings, PushRequest("POST", {}, b'{"action": "CheckContainerPath"}')).body
        b'success'
    """
    if not settings.cloud_run or len(request.body) > settings.max_body or _PATH_CHECK not in request.body:
        return None
    fields = parse_body(request.body)
    is_check = fields.get("action") == _PATH_CHECK.decode() and not fields.keys() & TYPE_NAMES
    return PushResponse(200, b"success") if is_check else None


# --- POST: a push ----------------------------------------------------------------------------------------------------


def open_push(settings: PushSettings, request: PushRequest, *, now: Callable[[], float] = time.time) -> Push:
    """Verify, decrypt and read one push.

    With a key only the sealed ``Encrypt`` is read; the plain fields of compatible mode (兼容模式) are ignored. With
    ``cloud_run`` nothing is verified, as pushes of Cloud Run (云托管) are not signed.

    Args:
        settings: The account's settings; only they decide the mode.
        request: The request as received.
        now: Clock, seconds since the epoch; used only with ``max_age``.

    Raises:
        PushError: The push is refused; one of the subclasses listed in `wechat_msg.errors`, and no other error.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
    """
    if request.method.upper() != "POST":
        raise MethodNotAllowed("a push is a POST")
    if len(request.body) > settings.max_body:
        raise BodyTooLarge("the body is longer than max_body")
    if settings.cloud_run:
        return _open_plain(settings, request, find_format(request.body))
    if "signature" in request.query:
        _verify(settings, request.query, "signature")
    elif "msg_signature" not in request.query:
        raise _explain_missing(request.query, "signature and msg_signature are missing")
    form = find_format(request.body)
    # The search misses only a name that is escaped; such a push is refused as a plain one.
    is_plain = _is_plain(settings, request) or b"Encrypt" not in request.body
    encrypt = None if is_plain else _choose_encrypt(settings, request.query, read_encrypts(request.body, form))
    push = _open_plain(settings, request, form) if encrypt is None else _open_sealed(settings, request, form, encrypt)
    if settings.max_age is not None:
        _check_age(settings.max_age, request.query["timestamp"], push, now())
    return push


def find_format(body: bytes) -> Format:
    """Return the format of a push as received.

    Raises:
        MalformedPush: The body is neither XML nor JSON. The text names the likely cause.
    """
    try:
        return detect_format(body)
    except MalformedPush:
        raise explain_body(body) from None


def _is_plain(settings: PushSettings, request: PushRequest) -> bool:
    """Return whether an ``Encrypt`` in the body must be a user's text, because WeChat signs what it seals."""
    is_allowed = settings.allow_plaintext or not settings.ciphers
    return is_allowed and "signature" in request.query and "msg_signature" not in request.query


def _choose_encrypt(settings: PushSettings, query: Mapping[str, str], encrypts: list[str]) -> str | None:
    """Return the ``Encrypt`` that is signed; in compatible mode a user's text may contain others."""
    if len(encrypts) < 2:
        return encrypts[0] if encrypts else None
    msg_signature, *parts = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
    signed = [each for each in encrypts if _is_signed_with_any(settings.tokens, msg_signature, (*parts, each))]
    if len(signed) > 1:
        raise MalformedPush("Encrypt is given twice")
    return (signed or encrypts)[-1]


def _open_plain(settings: PushSettings, request: PushRequest, form: Format) -> Push:
    if settings.ciphers and not settings.allow_plaintext:
        if is_plain_push(request.body, form):
            raise ModeMismatch("the push is plain, but encoding_aes_key is set")
        raise explain_document(request.body)
    if "signature" not in request.query and not settings.cloud_run:
        raise _explain_missing(request.query, "signature is missing")
    fields = parse_body(request.body)
    if "Encrypt" in fields:  # an element: msg_signature was lost on the way
        if not isinstance(fields["Encrypt"], str) or b"Encrypt" not in request.body:
            raise MalformedPush("Encrypt is written with escapes")
        return _open_sealed(settings, request, form, fields["Encrypt"])
    if not fields.keys() & TYPE_NAMES:
        raise explain_document(request.body)
    return Push(message=parse_message(fields), format=form, document=request.body)


def _open_sealed(settings: PushSettings, request: PushRequest, form: Format, encrypt: str) -> Push:
    _check_sealed(settings, request.query, encrypt)
    return _read_sealed(settings, form, encrypt)


def _read_sealed(settings: PushSettings, form: Format, encrypt: str) -> Push:
    envelope, cipher = _open_envelope(settings, encrypt)
    message = parse_message(parse_body(envelope.content))
    document = encrypt.encode("utf-8", "replace")
    return Push(message=message, format=form, cipher=cipher, appid=envelope.appid, document=document)


def reopen_push(settings: PushSettings, form: Format, document: bytes, *, is_sealed: bool) -> Push:
    """Open a push again whose signature was verified when it came.

    Args:
        settings: The account's settings; they must still have the key.
        form: `Push.format`.
        document: `Push.document`.
        is_sealed: Whether the push had a cipher.

    Raises:
        PushError: The key has changed, or the document is damaged.
    """
    if is_sealed:
        return _read_sealed(settings, form, document.decode("utf-8", "replace"))
    return Push(message=parse_message(parse_body(document)), format=form, document=document)


def _check_sealed(settings: PushSettings, query: Mapping[str, str], encrypt: str) -> None:
    """Verify ``msg_signature``."""
    if settings.ciphers:
        _verify(settings, query, "msg_signature", encrypt)


def _open_envelope(settings: PushSettings, encrypt: str) -> tuple[Envelope, MessageCipher]:
    """Open the envelope with the first key that works."""
    if settings.cloud_run:
        raise ModeMismatch(
            "the settings are those of Cloud Run, whose pushes are not sealed",
            hint="收到密文推送，但当前为云托管（cloud_run）配置：云托管的推送不加密，请核对推送来自哪里",
        )
    if not settings.ciphers:
        raise ModeMismatch(
            "the push is sealed, but encoding_aes_key is not set（收到密文推送，需要配置 encoding_aes_key）"
        )
    failures: list[DecryptError | AppIdMismatch] = []
    for cipher in settings.ciphers:
        try:
            return cipher.open(encrypt), cipher
        except (DecryptError, AppIdMismatch) as error:
            failures.append(error)
    # With a wrong key the appid is hardly ever reached, so an AppIdMismatch is the most likely reason.
    raise next((error for error in failures if isinstance(error, AppIdMismatch)), failures[0])


def _verify(settings: PushSettings, query: Mapping[str, str], name: str, *sealed: str) -> None:
    """Verify *name*, the signature over Token, timestamp, nonce and *sealed*, with every accepted Token."""
    signature, timestamp, nonce = query.get(name, ""), query.get("timestamp", ""), query.get("nonce", "")
    if not _is_signed_with_any(settings.tokens, signature, (timestamp, nonce, *sealed)):
        raise _explain(query, name)
    if not (timestamp.isdecimal() and timestamp.isascii() and len(timestamp) <= _MAX_DIGITS):
        raise MalformedPush("timestamp is not a number")


def _is_signed_with_any(tokens: Iterable[str], signature: str, parts: tuple[str, ...]) -> bool:
    # A function of its own, so that the frames of a refusal hold no Token.
    for token in tokens:  # noqa: SIM110, a generator costs a microsecond
        if is_signed(signature, (token, *parts)):
            return True
    return False


def _explain(query: Mapping[str, str], signature: str) -> SignatureMismatch:
    is_token_right = signature == "msg_signature" and "signature" in query  # signature was verified first
    for name in (signature, "timestamp", "nonce"):
        if not query.get(name):
            known = " although signature is valid" if is_token_right else ""
            return _explain_missing(query, f"{name} is missing{known}")
    if not is_token_right:
        return SignatureMismatch(f"{signature} does not match")
    return SignatureMismatch(
        "msg_signature does not match although signature is valid, so the Token is right: a proxy, gateway or framework"
        " changed Encrypt or msg_signature on the way, such as each + of the base64 into a space",
        hint="signature 正确，Token 无误；Encrypt 或 msg_signature 在途中被改动：请检查反向代理、网关或框架"
        "是否改写了请求体（例如 + 变成空格、混入换行）或查询参数",
    )


def _explain_missing(query: Mapping[str, str], message: str) -> SignatureMissing:
    """Distinguish a request that was never signed from one that lost a parameter on the way."""
    if not any(query.get(name) for name in _SIGNED):
        return SignatureMissing("the request is not signed: it has no signature, timestamp or nonce")
    return SignatureMissing(
        f"{message}, or given with different values: a proxy, gateway or framework dropped or doubled it on the way",
        hint="签名参数在途中丢失，或重复且取值不同：请检查反向代理、网关或框架是否改写、丢弃了查询参数",
    )


def _check_age(max_age: float, timestamp: str, push: Push, now: float) -> None:
    if abs(now - int(timestamp)) > max_age:
        raise SignatureExpired("timestamp is further from now than max_age")
    # A signature stays valid if timestamp and nonce are swapped, so only a time that is sealed is certain.
    if push.cipher is not None and abs(now - push.message.create_time) > _max_age_of(push.message, max_age):
        raise SignatureExpired("CreateTime is further from now than max_age")


def accepts_for(settings: PushSettings, message: Message) -> float:
    """Return for how many seconds a push that is valid now can remain valid; 0 if ``max_age`` is not set.

    WeChat's clock may be ahead by up to ``max_age``, which makes the push valid for longer.
    """
    if settings.max_age is None:
        return 0.0
    return settings.max_age + _max_age_of(message, settings.max_age)


def _max_age_of(message: Message, max_age: float) -> float:
    # Re-sends have the CreateTime of the first try.
    return max(max_age, get_kind(message).resent_for)
