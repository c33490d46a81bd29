"""The whole error tree; every error that leaves this package is one of these.

::

    WeChatError
    ├─ StoreError                       a store is down, full, read-only or too slow
    └─ PushError (status_hint=400)      a push that is refused, or an answer that cannot be given
       ├─ MalformedPush                 the body or the query is not what WeChat sends
       ├─ MethodNotAllowed (405)        neither GET nor POST
       ├─ BodyTooLarge (413)            more than PushSettings.max_body bytes
       ├─ SignatureMismatch (403)       signature or msg_signature is wrong
       │  ├─ SignatureMissing (403)     no signature at all, as when a browser opens the URL
       │  └─ SignatureExpired (403)     further from now than PushSettings.max_age
       ├─ ModeMismatch (403)            plain where sealed is configured, or sealed without a key
       ├─ DecryptError (403)            the envelope cannot be opened
       ├─ AppIdMismatch (403)           the envelope belongs to another account
       ├─ ReplyError (500)              the handler returned what cannot be sent
       └─ SettingsError (500)           Token, EncodingAESKey or appid unusable; also a ValueError

``status_hint`` is the HTTP status to answer with, so that no adapter needs a table. ``hint`` says in Chinese what to
check. No error text ever holds a token, a key, a signature or a part of the body.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AppIdMismatch",
    "BodyTooLarge",
    "DecryptError",
    "MalformedPush",
    "MethodNotAllowed",
    "ModeMismatch",
    "PushError",
    "ReplyError",
    "SettingsError",
    "SignatureExpired",
    "SignatureMismatch",
    "SignatureMissing",
    "StoreError",
    "WeChatError",
]


class WeChatError(Exception):
    """Root of every error raised by this package."""

    #: What to check, in Chinese; empty when the message says it all.
    hint: ClassVar[str] = ""

    def __str__(self) -> str:
        """Return the message followed by the hint."""
        message = super().__str__()
        return f"{message}（{self.hint}）" if self.hint else message


class StoreError(WeChatError):
    """A store cannot do its work: it is down, full, read-only, too slow, or holds what it should not."""

    hint = "存储不可用：请检查 Redis、数据库或 SQLite 文件是否正常、可写、未满"


class PushError(WeChatError):
    """A push was refused, or could not be answered."""

    #: The HTTP status to answer with.
    status_hint: ClassVar[int] = 400


class MalformedPush(PushError):
    """The request is not a push of WeChat: unreadable body, missing fields, odd query."""

    hint = "请求内容不是合法的微信推送"


class MethodNotAllowed(PushError):
    """WeChat verifies with GET and pushes with POST; everything else is refused."""

    status_hint = 405
    hint = "微信只会使用 GET（接入验证）和 POST（消息推送）"


class BodyTooLarge(PushError):
    """The body is longer than ``PushSettings.max_body``."""

    status_hint = 413
    hint = "请求体超过 max_body"


class SignatureMismatch(PushError):
    """The signature was made with another Token or over other values."""

    status_hint = 403
    hint = "签名不符：请核对公众平台「服务器配置」里的 Token，它不是 AppSecret，也不是 access_token"


class SignatureMissing(SignatureMismatch):
    """What must be signed is not: signature, timestamp or nonce is missing, empty or given twice."""

    hint = "请求没有带签名参数，不是微信发来的：用浏览器直接打开网址就会这样"


class SignatureExpired(SignatureMismatch):
    """The signature is right, but further than ``PushSettings.max_age`` from now."""

    hint = "签名时间超出 max_age：请检查服务器时钟"


class ModeMismatch(PushError):
    """Plain where sealed is configured, or sealed where no key is configured."""

    status_hint = 403
    hint = "消息加解密方式与本端配置不一致：请核对公众平台「服务器配置」"


class DecryptError(PushError):
    """The envelope cannot be opened: bad base64, wrong key, or tampered with."""

    status_hint = 403
    hint = "解密失败：请核对 EncodingAESKey"


class AppIdMismatch(PushError):
    """The envelope was opened, but is addressed to another account."""

    status_hint = 403
    hint = "解密后的 appid 不是本账号：请核对 appid；第三方平台请把平台自己的 appid 放进 extra_appids"


class ReplyError(PushError):
    """The handler returned something that cannot be sent as an answer to this push."""

    status_hint = 500


class SettingsError(PushError, ValueError):
    """A setting is missing or malformed."""

    status_hint = 500
