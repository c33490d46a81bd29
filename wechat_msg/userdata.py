"""用户数据: data from a Mini Program's client, decrypted and verified, and signatures of requests."""

from __future__ import annotations

import binascii
import hmac
import time
from collections.abc import Callable
from hashlib import sha1, sha256
from typing import Any

from Crypto.Cipher import AES
from Crypto.Util.Padding import unpad

from wechat_msg._json import read_object
from wechat_msg._tracebacks import clears_locals
from wechat_msg.errors import UserDataError
from wechat_msg.signature import is_same

__all__ = [
    "compute_pay_signature",
    "compute_raw_data_signature",
    "compute_session_signature",
    "decrypt_user_data",
    "is_raw_data_valid",
    "verify_raw_data",
]

_AES_BLOCK = 16  # also the length of the key and of the IV
_PLUS_LOST = (
    "In a form or query + means a space: send JSON, or use encodeURIComponent. "
    "表单或查询参数解码时 + 会变成空格，请改用 JSON 提交，或先用 encodeURIComponent 编码"
)
_NOT_DECODED = "Decode the form or query before using the value. 该值仍是 URL 编码（如 %2B），请先解码"
#: Damage of base64 in transit from the client: the character that shows it, what it is, and what to do.
_DAMAGE = {" ": ("it has spaces where + was", _PLUS_LOST), "%": ("it is percent-encoded", _NOT_DECODED)}


@clears_locals
def decrypt_user_data(
    session_key: str,
    encrypted_data: str,
    iv: str,
    *,
    appid: str,
    max_age: float | None = None,
    now: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """开放数据解密: decrypt the ``encryptedData`` that the client received from WeChat.

    The data are encrypted, but not signed. A user can change 16 bytes of them without a trace: the first ones by *iv*,
    others at the price of 16 damaged bytes before them. For important data, such as a phone number, ask WeChat with the
    code that the client receives. Damaged data lose one character or member, as in all answers of WeChat.

    Args:
        session_key: The user's session_key from ``jscode2session``, base64 of 16 bytes. Do not send it to the client.
        encrypted_data: As the client sends it: base64.
        iv: As the client sends it: base64 of 16 bytes.
        appid: AppID of the Mini Program. The ``watermark`` of the data must contain it.
        max_age: Largest difference in seconds between now and the time in the ``watermark``. If it is None, the time is
            not checked.
        now: Clock, seconds since the epoch; used only with *max_age*.

    Returns:
        The data as sent, including their ``watermark``.

    Raises:
        UserDataError: A value is damaged, as by a form that turned ``+`` into a space; the session_key does not fit the
            data; or the data were manipulated, are too old, or belong to another Mini Program. The text contains none
            of the values.

    Example:
        >>> decrypt_user_data(
        ...     "tiihtNczf5v6AKRyjwEUhQ==",
        ...     "+vOR4FEdnyH9SabOGzC14nipkZNz2AykaYwOWPadG3QSVtBKZDZuIlh3LMA4mf7XcLImuQZzr2G9+t1N"
        ...     "DzRdRmWxgg8yODdZxNhjd3juLNLmwey+hKWbAtLvjVEncPvG",
        ...     "r7BXXKkLb8qrSNn05n0qiA==",
        ...     appid="wx0123456789abcdef",
        ... )
        {'openId': 'oUSER', 'watermark': {'timestamp': 1700000000, 'appid': 'wx0123456789abcdef'}}

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
    """
    key, first = _decode_block(session_key, "session_key"), _decode_block(iv, "iv")
    data = _decrypt(key, first, _decode_base64(encrypted_data, "encrypted_data"))
    if data is None:
        raise UserDataError("the data cannot be decrypted with this session_key")
    _check_watermark(data.get("watermark"), appid, max_age, now)
    return data


@clears_locals
def compute_raw_data_signature(raw_data: str, session_key: str) -> str:
    """数据签名: return the ``signature`` that the client receives from WeChat with ``rawData``.

    Args:
        raw_data: The text of ``rawData`` exactly as the client sends it.
        session_key: The user's session_key. Its base64 text is signed, not the bytes that it stands for.

    Returns:
        40 lower-case hexadecimal digits.

    Raises:
        UserDataError: A value is not text, or *session_key* is empty or damaged, as by a form that turned ``+`` into a
            space.

    Example:
        >>> compute_raw_data_signature('{"nickName":"Band"}', "HyVFkGl5F5OQWJZZaNzBBg==")
        '19036804514e3177482cf7382c6a337cf79b246d'

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
    """
    signed = _encode(raw_data, "raw_data") + _encode_session_key(session_key)
    return sha1(signed).hexdigest()  # noqa: S324  # WeChat's choice


@clears_locals
def verify_raw_data(raw_data: str, session_key: str, *, signature: str) -> None:
    """数据签名校验: check that ``rawData`` is what WeChat sent to the client.

    Args:
        raw_data: The text of ``rawData`` exactly as the client sends it.
        session_key: The user's session_key from ``jscode2session``. Do not send it to the client.
        signature: As the client sends it: 40 lower-case hexadecimal digits.

    Raises:
        UserDataError: The signature differs, one of the three values is not text, or *session_key* is empty or damaged.
            The comparison takes constant time, and the text contains none of the values.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
    """
    if not is_same(compute_raw_data_signature(raw_data, session_key), signature):
        raise UserDataError("signature of raw_data does not match")


def is_raw_data_valid(raw_data: str, session_key: str, *, signature: str) -> bool:
    """Return whether `verify_raw_data` accepts these values; never raise.

    Example:
        >>> is_raw_data_valid('{"nickName":"Band"}', "HyVFkGl5F5OQWJZZaNzBBg==", signature="forged")
        False
    """
    try:
        verify_raw_data(raw_data, session_key, signature=signature)
    except UserDataError:
        return False
    return True


@clears_locals
def compute_session_signature(session_key: str, body: str) -> str:
    """用户登录态签名: return the ``signature`` that proves to WeChat that a request is for a logged-in user.

    The base64 text of *session_key* is signed, not its bytes; for the check of the session itself this is unconfirmed.

    Args:
        session_key: The user's session_key.
        body: The body of the request exactly as sent; empty if there is none.

    Returns:
        64 lower-case hexadecimal digits.

    Raises:
        UserDataError: A value is not text, or *session_key* is empty or damaged.

    Example:
        >>> compute_session_signature("o0q0otL8aEzpcZL/FT9WsQ==", '{"foo":"bar"}')
        '654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b'

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/checkSessionKey.html
    """
    return _compute_hmac(_encode_session_key(session_key), _encode(body, "body"))


@clears_locals
def compute_pay_signature(appkey: str, uri: str, post_body: str) -> str:
    """支付签名: return the ``pay_sig`` of a request of virtual payment (虚拟支付).

    Args:
        appkey: AppKey of the environment (``env``) of the request, from the console.
        uri: Path of the request without its query, such as ``/xpay/query_user_balance``.
        post_body: The body of the request exactly as sent.

    Returns:
        64 lower-case hexadecimal digits.

    Raises:
        UserDataError: A value is not text, or *appkey* is empty.

    Example:
        >>> compute_pay_signature(
        ...     "12345", "/xpay/query_user_balance", '{"openid": "xxx", "user_ip": "127.0.0.1", "env": 0}'
        ... )
        'c37809f27c6d7fd1837ad2500a04512b66b34fd793a39a385fade56dca89a4b5'

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    signed = _encode(uri, "uri") + b"&" + _encode(post_body, "post_body")
    return _compute_hmac(_encode_key(appkey, "appkey"), signed)


def _decrypt(key: bytes, iv: bytes, encrypted: bytes) -> dict[str, Any] | None:
    """Return the data; None for all failures, so that an attacker cannot tell them apart."""
    try:
        return read_object(unpad(AES.new(key, AES.MODE_CBC, iv).decrypt(encrypted), _AES_BLOCK))
    except ValueError:
        return None


def _check_watermark(watermark: Any, appid: str, max_age: float | None, now: Callable[[], float]) -> None:
    if not isinstance(watermark, dict) or not appid or not is_same(appid, watermark.get("appid")):
        raise UserDataError("the data belong to another Mini Program")
    if max_age is None:
        return
    timestamp = watermark.get("timestamp")
    if not isinstance(timestamp, int) or abs(int(now()) - timestamp) > max_age:
        raise UserDataError("the data are further from now than max_age")


def _decode_block(value: str, name: str) -> bytes:
    block = _decode_base64(value, name)
    if len(block) != _AES_BLOCK:
        raise UserDataError(f"{name} is not the base64 of 16 bytes")
    return block


def _decode_base64(value: str, name: str) -> bytes:
    try:
        return binascii.a2b_base64(_encode(value, name), strict_mode=True)
    except binascii.Error:
        raise _not_base64(value, name) from None


def _not_base64(value: str, name: str) -> UserDataError:
    for sign, (what, hint) in _DAMAGE.items():
        if sign in value:
            return UserDataError(f"{name} is not base64: {what}", hint=hint)
    return UserDataError(f"{name} is not base64")


def _encode_session_key(value: str) -> bytes:
    key = _encode_key(value, "session_key")
    if any(sign in value for sign in _DAMAGE):
        raise _not_base64(value, "session_key")
    return key


def _encode_key(value: str, name: str) -> bytes:
    key = _encode(value, name)
    if not key:  # anyone could sign with an empty key
        raise UserDataError(f"{name} is empty")
    return key


def _encode(value: str, name: str) -> bytes:
    try:
        return str.encode(value)
    except (TypeError, UnicodeEncodeError):
        raise UserDataError(f"{name} is not text") from None


def _compute_hmac(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, sha256).hexdigest()
