"""Signatures of plain and sealed pushes: compute and verify."""

from __future__ import annotations

from hashlib import sha1
from hmac import compare_digest
from typing import Any

from wechat_msg._tracebacks import clears_locals
from wechat_msg.errors import MalformedPush, SignatureMismatch

__all__ = [
    "compute_msg_signature",
    "compute_signature",
    "is_msg_signature_valid",
    "is_signature_valid",
    "verify_msg_signature",
    "verify_signature",
]


@clears_locals
def compute_signature(*parts: str) -> str:
    """Return the signature over *parts*: SHA-1 of the parts, sorted by code point and joined without separator.

    Args:
        parts: The signed values as received, the Token among them.

    Returns:
        40 lower-case hexadecimal digits.

    Raises:
        MalformedPush: A part is not text.

    Example:
        >>> compute_signature("AAAAA", "1714036504", "1514711492")
        'f464b24fc39322e44b38aa78f5edd27bd1441696'

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    """
    return _compute(parts)


@clears_locals
def compute_msg_signature(token: str, *, timestamp: str, nonce: str, encrypt: str) -> str:
    """Return the ``msg_signature`` of a sealed push or reply.

    Args:
        token: The Token of the server settings; not the access_token.
        timestamp: Decimal seconds since the epoch, as text.
        nonce: Query parameter, or the Nonce of the reply.
        encrypt: Content of the ``Encrypt`` element, base64 as received.

    Raises:
        MalformedPush: A value is not text.

    Example:
        >>> compute_msg_signature("tokenA", timestamp="1700000000", nonce="B52nonce", encrypt="+9/abcDEF==")
        'e801e6c86303afa41ae88c62f8a39a31718df208'
    """
    return _compute((token, timestamp, nonce, encrypt))


@clears_locals
def verify_signature(token: str, *, signature: str, timestamp: str, nonce: str) -> None:
    """Check that a plain push was signed with *token*.

    Args:
        token: The Token of the server settings; not the access_token.
        signature: Query parameter as received: 40 lower-case hexadecimal digits.
        timestamp: Query parameter as received: decimal seconds since the epoch, as text. Its age is not checked here.
        nonce: Query parameter as received.

    Raises:
        SignatureMismatch: The signature differs, or one of the four values is missing, empty or not text. The
            comparison takes constant time, and the message contains none of the values.

    Example:
        >>> verify_signature("AAAAA", timestamp="1714036504", nonce="1514711492",
        ...                  signature="f464b24fc39322e44b38aa78f5edd27bd1441696")

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html
    """
    if not is_signed(signature, (token, timestamp, nonce)):
        raise SignatureMismatch("signature does not match")


@clears_locals
def verify_msg_signature(token: str, *, msg_signature: str, timestamp: str, nonce: str, encrypt: str) -> None:
    """Check that a sealed push was signed with *token*.

    Args:
        token: The Token of the server settings; not the access_token.
        msg_signature: Query parameter as received: 40 lower-case hexadecimal digits.
        timestamp: Query parameter as received.
        nonce: Query parameter as received.
        encrypt: Content of the ``Encrypt`` element exactly as received.

    Raises:
        SignatureMismatch: The signature differs, or one of the five values is missing, empty or not text.

    Source:
        https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
    """
    if not is_signed(msg_signature, (token, timestamp, nonce, encrypt)):
        raise SignatureMismatch("msg_signature does not match")


def is_signature_valid(token: str, *, signature: str, timestamp: str, nonce: str) -> bool:
    """Return whether `verify_signature` accepts these values; never raise.

    Example:
        >>> is_signature_valid("AAAAA", signature="forged", timestamp="1714036504", nonce="1514711492")
        False
    """
    return is_signed(signature, (token, timestamp, nonce))


def is_msg_signature_valid(token: str, *, msg_signature: str, timestamp: str, nonce: str, encrypt: str) -> bool:
    """Return whether `verify_msg_signature` accepts these values; never raise."""
    return is_signed(msg_signature, (token, timestamp, nonce, encrypt))


def is_signed(signature: str, parts: tuple[str, ...]) -> bool:
    """Return whether *signature* is the signature over *parts*, none of which may be empty."""
    try:
        return all(parts) and is_same(_digest(parts), signature)
    except (TypeError, UnicodeEncodeError):  # a value is a number, a list, or has a lone surrogate
        return False


def is_same(expected: str, given: Any) -> bool:
    """Compare in constant time. All signatures of this package are compared here."""
    try:
        return compare_digest(expected, given)
    except TypeError:  # one of them is None, bytes or a number, or is not ASCII
        return False


def _compute(parts: tuple[str, ...]) -> str:
    try:
        return _digest(parts)
    except (TypeError, UnicodeEncodeError):
        raise MalformedPush("a signed value is not text") from None


def _digest(parts: tuple[str, ...]) -> str:
    # WeChat sorts bytes of UTF-8, which is the same as sorting by code point, and chose SHA-1.
    return sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324
