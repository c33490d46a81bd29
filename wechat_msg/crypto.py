"""The AES envelope of sealed pushes."""

from __future__ import annotations

import binascii
import os
import re
import secrets
import string
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from Crypto.Cipher import AES

from wechat_msg._mistakes import AROUND, KEY, explain_setting
from wechat_msg._tracebacks import clears_locals, safe_repr
from wechat_msg.errors import AppIdMismatch, DecryptError, ReplyError

if TYPE_CHECKING:
    from Crypto.Cipher._mode_cbc import CbcMode

__all__ = [
    "Envelope",
    "MessageCipher",
    "encode_appid",
    "generate_encoding_aes_key",
    "generate_token",
    "parse_encoding_aes_key",
]

T = TypeVar("T")

_ALPHANUMERIC = string.ascii_letters + string.digits
_ENCODING_AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}", re.ASCII)
_APPID = re.compile(r"[!-~]+", re.ASCII)
_AES_BLOCK = 16
_PAD_BLOCK = 32  # PKCS#7 with blocks of 32, although AES has blocks of 16
_PADDINGS = [bytes([length]) * length for length in range(_PAD_BLOCK + 1)]
_LENGTH = 4  # bytes that hold the length of the content
_HEADER = 16 + _LENGTH  # 16 random bytes and the length, unsigned 32-bit big-endian


class Envelope(NamedTuple):
    """Content of an opened envelope.

    Attributes:
        content: The sealed document, bytes as sent.
        appid: The id at the end of the envelope: the account's appid or one of ``extra_appids``.
    """

    content: bytes
    appid: str

    def __repr__(self) -> str:
        """Leave out the content, which users wrote."""
        return f"Envelope(appid={self.appid!r})"


class MessageCipher:
    """A cipher that seals and opens the content of ``Encrypt`` with one EncodingAESKey; safe to share between threads.

    Args:
        encoding_aes_key: The 43 characters of the server settings.
        appid: The id that is written, and expected, at the end of an envelope.
        extra_appids: Further ids that are accepted there, such as the appid of a third-party platform.
        random_bytes: Source of the 16 random bytes of an envelope; a parameter for tests.

    Raises:
        SettingsError: The key or an appid is malformed.

    Example:
        >>> cipher = MessageCipher("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wxb11529c136998cb6")
        >>> cipher.decrypt(cipher.encrypt("你好".encode())).decode()
        '你好'

    Source:
        https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
    """

    __slots__ = ("_aes_key", "_appids", "_decryptors", "_encryptors", "_end", "_random_bytes", "appid")

    @clears_locals
    def __init__(
        self,
        encoding_aes_key: str,
        appid: str,
        *,
        extra_appids: Iterable[str] = (),
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._aes_key = parse_encoding_aes_key(encoding_aes_key)
        # Creating an AES object costs more than sealing a short message, so idle objects are kept here for reuse.
        # list.pop is atomic: two threads never share an object, and no lock is held across a fork.
        self._encryptors: list[tuple[CbcMode, bytes]] = []
        self._decryptors: list[CbcMode] = []
        self.appid: str = appid
        self._end = encode_appid(appid)
        self._appids = {encode_appid(known): known for known in (appid, *extra_appids)}
        self._random_bytes = random_bytes

    def __getstate__(self) -> tuple[Any, ...]:
        """Leave out the AES objects, which can be neither copied nor pickled."""
        return self._aes_key, self.appid, self._appids, self._random_bytes

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._aes_key, self.appid, self._appids, self._random_bytes = state
        self._end = encode_appid(self.appid)
        self._encryptors, self._decryptors = [], []

    @safe_repr
    def __repr__(self) -> str:
        return f"MessageCipher(appid={self.appid!r})"

    @clears_locals
    def encrypt(
        self, content: bytes, *, appid: str | None = None, random_bytes: Callable[[int], bytes] | None = None
    ) -> str:
        """Seal *content* and return the base64 text for the ``Encrypt`` element.

        Args:
            content: The document to seal, UTF-8.
            appid: The id for the end of the envelope; the cipher's own if it is None.
            random_bytes: Source of random bytes for this envelope; the cipher's own if it is None.

        Raises:
            SettingsError: *appid* is malformed.
            ReplyError: *content* is not bytes.
        """
        if not isinstance(content, bytes):
            raise ReplyError("only bytes can be sealed")
        end = self._end if appid is None or appid == self.appid else encode_appid(appid)
        start = (random_bytes or self._random_bytes)(16)
        length = len(start) + _LENGTH + len(content) + len(end)
        padding = _PADDINGS[_PAD_BLOCK - length % _PAD_BLOCK]
        plain = b"".join((start, len(content).to_bytes(_LENGTH, "big"), content, end, padding))
        return binascii.b2a_base64(self._encrypt_cbc(plain), newline=False).decode("ascii")

    def decrypt(self, encrypt: str) -> bytes:
        """Open the content of an ``Encrypt`` element and return the document in it.

        Raises:
            DecryptError: The text is not strict base64, the key is wrong, or the data were manipulated.
            AppIdMismatch: The envelope ends with an appid that is not accepted.
        """
        return self.open(encrypt).content

    def open(self, encrypt: str) -> Envelope:
        """Do what `decrypt` does, and also return which of the accepted appids the envelope ends with."""
        plain = self._decrypt_cbc(_decode_base64(encrypt))
        pad = plain[-1]
        if not 1 <= pad <= _PAD_BLOCK or not plain.endswith(_PADDINGS[pad]):
            raise DecryptError("the envelope's padding is wrong")
        end = _HEADER + int.from_bytes(plain[16:_HEADER], "big")
        if len(plain) - pad < end:
            raise DecryptError("the envelope's declared length is wrong")
        appid = self._appids.get(plain[end:-pad])
        if appid is None:
            error = AppIdMismatch("the envelope is addressed to another account")
            error.found = plain[end:-pad].decode("ascii", "replace")
            raise error
        return Envelope(plain[_HEADER:end], appid)

    def _encrypt_cbc(self, plain: bytes) -> bytes:
        """Encrypt with the IV that belongs to the key.

        A reused AES object continues the chain from the last block that it encrypted. XOR of that block and the IV with
        the first block of the new text undoes this. An object that fails is not reused.
        """
        iv = self._aes_key[:_AES_BLOCK]
        cbc, last = _pop(self._encryptors) or (self._new_cbc(), iv)
        first = int.from_bytes(plain[:_AES_BLOCK], "big") ^ int.from_bytes(iv, "big") ^ int.from_bytes(last, "big")
        sealed = cbc.encrypt(first.to_bytes(_AES_BLOCK, "big") + plain[_AES_BLOCK:])
        self._encryptors.append((cbc, sealed[-_AES_BLOCK:]))
        return sealed

    def _decrypt_cbc(self, sealed: bytes) -> bytes:
        """Decrypt all blocks but the first, which is random: a reused AES object no longer has the IV for it."""
        if not sealed or len(sealed) % _AES_BLOCK:
            raise DecryptError("the envelope's size is wrong")
        cbc = _pop(self._decryptors) or self._new_cbc()
        plain = cbc.decrypt(sealed)
        self._decryptors.append(cbc)
        return plain

    def _new_cbc(self) -> CbcMode:
        return AES.new(self._aes_key, AES.MODE_CBC, self._aes_key[:_AES_BLOCK])


@clears_locals
def parse_encoding_aes_key(encoding_aes_key: str, setting: str = "encoding_aes_key") -> bytes:
    """Return the 32-byte AES key that *encoding_aes_key* stands for.

    The 43rd character carries two spare bits, which the console sets at random. So up to four texts stand for the same
    key; all are accepted.

    Raises:
        SettingsError: The text is not 43 characters of the base64 alphabet. The error names *setting*, and common
            mistakes such as a trailing ``=``.

    Example:
        >>> parse_encoding_aes_key("A" * 43) == bytes(32) == parse_encoding_aes_key("A" * 42 + "B")
        True
    """
    if not isinstance(encoding_aes_key, str) or not _ENCODING_AES_KEY.fullmatch(encoding_aes_key):
        rule, hint = "must be 43 letters and digits", "EncodingAESKey 应为 43 位字母或数字"
        raise explain_setting(encoding_aes_key, rule, hint, KEY, setting=setting)
    return binascii.a2b_base64(encoding_aes_key + "=")


def generate_encoding_aes_key() -> str:
    """Return a new EncodingAESKey: 43 letters and digits from a secure source, as the console makes them.

    Example:
        >>> len(parse_encoding_aes_key(generate_encoding_aes_key()))
        32
    """
    return _random_text(43)


def generate_token() -> str:
    """Return a new Token for the server settings: 32 letters and digits from a secure source.

    Example:
        >>> len(generate_token())
        32
    """
    return _random_text(32)


def _pop(idle: list[T]) -> T | None:
    try:
        return idle.pop()
    except IndexError:
        return None


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


def _decode_base64(encrypt: str) -> bytes:
    if not isinstance(encrypt, str):
        raise DecryptError("the envelope is not text")
    try:
        return binascii.a2b_base64(encrypt, strict_mode=True)
    except ValueError:  # also binascii.Error, which is a subclass
        raise DecryptError("the envelope is not base64") from None


def encode_appid(appid: str, setting: str = "appid") -> bytes:
    """Return *appid* as bytes for the end of an envelope.

    Raises:
        SettingsError: *appid* is empty, or not printable ASCII. The error names *setting*.
    """
    if not isinstance(appid, str) or not _APPID.fullmatch(appid):
        rule, hint = "must be the account's AppID, such as wx0123456789abcdef", "AppID 为空或含有非法字符"
        raise explain_setting(appid, rule, hint, AROUND, setting=setting)
    return appid.encode("ascii")
