"""WeChat's algorithms, written once more with nothing but SHA-1 and AES: none of the code under test is used here."""

from __future__ import annotations

import base64
import hashlib

from Crypto.Cipher import AES

TOKEN = "spamtest01"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APPID = "wx0123456789abcdef"
TIMESTAMP = "1714036504"
NONCE = "1514711492"
RANDOM16 = b"0123456789abcdef"


def sign(*parts: str) -> str:
    return hashlib.sha1(b"".join(sorted(part.encode() for part in parts))).hexdigest()


def pad(plain: bytes) -> bytes:
    count = 32 - len(plain) % 32
    return plain + bytes([count]) * count


def encrypt(padded: bytes, key: str = KEY) -> str:
    aes_key = base64.b64decode(key + "=")
    return base64.b64encode(AES.new(aes_key, AES.MODE_CBC, aes_key[:16]).encrypt(padded)).decode()


def fill(content: bytes, *, length: int | None = None, appid: str = APPID, random16: bytes = RANDOM16) -> bytes:
    """Lay out an envelope: random bytes, length, content, appid."""
    size = len(content) if length is None else length
    return random16 + size.to_bytes(4, "big") + content + appid.encode()


def seal(
    content: bytes,
    *,
    key: str = KEY,
    length: int | None = None,
    appid: str = APPID,
    random16: bytes = RANDOM16,
) -> str:
    return encrypt(pad(fill(content, length=length, appid=appid, random16=random16)), key)


def unseal(encrypt: str, key: str = KEY) -> tuple[bytes, str]:
    """Return the content and the appid of an envelope, and insist on everything else about it."""
    aes_key = base64.b64decode(key + "=")
    padded = AES.new(aes_key, AES.MODE_CBC, aes_key[:16]).decrypt(base64.b64decode(encrypt, validate=True))
    assert len(padded) % 32 == 0
    count = padded[-1]
    assert 1 <= count <= 32
    assert padded[-count:] == bytes([count]) * count
    end = 20 + int.from_bytes(padded[16:20], "big")
    assert end <= len(padded) - count
    return padded[20:end], padded[end:-count].decode("ascii")


def plain_query(
    token: str = TOKEN, *, timestamp: str = TIMESTAMP, nonce: str = NONCE, **more: str | None
) -> dict[str, str]:
    """Sign a plain push; a parameter that is None is left out."""
    query = {"signature": sign(token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce, **more}
    return {name: value for name, value in query.items() if value is not None}


def sealed_query(
    sealed: str, token: str = TOKEN, *, timestamp: str = TIMESTAMP, nonce: str = NONCE, **more: str | None
) -> dict[str, str]:
    """Sign a sealed push; a parameter that is None is left out."""
    msg_signature = sign(token, timestamp, nonce, sealed)
    more = {"openid": "oUSER", "encrypt_type": "aes", "msg_signature": msg_signature, **more}
    return plain_query(token, timestamp=timestamp, nonce=nonce, **more)
