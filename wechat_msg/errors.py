"""The whole error tree; every error that leaves this package is one of these.

::

    WeChatError
    ├─ StoreError                       a store is down, full, read-only or too slow
    ├─ PushError (status_hint=400)      a push that is refused, or an answer that cannot be given
    │  ├─ MalformedPush                 the body or the query is not what WeChat sends
    │  ├─ MethodNotAllowed (405)        neither GET nor POST
    │  ├─ BodyTooLarge (413)            more than PushSettings.max_body bytes
    │  ├─ SignatureMismatch (403)       signature or msg_signature is wrong
    │  │  ├─ SignatureMissing (403)     nothing is signed, as when a browser opens the URL; or a parameter was lost
    │  │  └─ SignatureExpired (403)     further from now than PushSettings.max_age
    │  ├─ ModeMismatch (403)            plain where sealed is configured, or sealed without a key
    │  ├─ DecryptError (403)            the envelope cannot be opened
    │  ├─ AppIdMismatch (403)           the envelope belongs to another account
    │  ├─ ReplyError (500)              the handler returned what cannot be sent
    │  └─ SettingsError (500)           Token, EncodingAESKey or appid unusable; also a ValueError
    └─ ClientError                      a call of the API that did not succeed
       ├─ CallError                     a client or a call made of what cannot be; also a ValueError
       ├─ UserDataError                 data of a Mini Program's client that is forged or cannot be opened
       ├─ TransportError                no answer
       │  ├─ ConnectFailed              the request was never sent
       │  └─ AnswerLost                 the request was sent; whether it took effect is unknown
       ├─ UnreadableAnswer              an answer that is not WeChat's, not whole, or not as expected
       └─ APIError                      WeChat says no: errcode, errmsg, rid
          ├─ AccessTokenRejected        the access_token is wrong, replaced or expired
          ├─ InvalidCredential          AppID or AppSecret is wrong
          ├─ IPNotAllowed               this machine's address is not on the account's list
          ├─ SystemBusy                 WeChat is busy; later
          ├─ RateLimited                too many calls in a short time; later
          ├─ QuotaExhausted             nothing left for today, this month, or for good
          ├─ InvalidParameter           the request has to be mended
          ├─ PermissionDenied           the account may not do this, or is restricted
          ├─ AuthorizationExpired       the user's code, login or authorisation is over
          ├─ UserNotFound               no such OpenID, or no follower
          ├─ UserRefused                the user does not want this message
          ├─ WindowClosed               too long since the user's last action, or too many messages since
          └─ DuplicateRequest           WeChat has this request already, or takes it for one that it has

``status_hint`` is the HTTP status to answer with, so that no adapter needs a table. ``hint`` says what to do, in
Chinese. No error text ever holds a token, a key, a signature or a part of the body.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "APIError",
    "AccessTokenRejected",
    "AnswerLost",
    "AppIdMismatch",
    "AuthorizationExpired",
    "BodyTooLarge",
    "CallError",
    "ClientError",
    "ConnectFailed",
    "DecryptError",
    "DuplicateRequest",
    "IPNotAllowed",
    "InvalidCredential",
    "InvalidParameter",
    "MalformedPush",
    "MethodNotAllowed",
    "ModeMismatch",
    "PermissionDenied",
    "PushError",
    "QuotaExhausted",
    "RateLimited",
    "ReplyError",
    "SettingsError",
    "SignatureExpired",
    "SignatureMismatch",
    "SignatureMissing",
    "StoreError",
    "SystemBusy",
    "TransportError",
    "UnreadableAnswer",
    "UserDataError",
    "UserNotFound",
    "UserRefused",
    "WeChatError",
    "WindowClosed",
]


class WeChatError(Exception):
    """Root of every error raised by this package.

    Args:
        args: The message.
        hint: What to do in this case; None: the hint of the class.
    """

    #: What to do, in Chinese; empty when the message says it all.
    hint: str = ""

    def __init__(self, *args: object, hint: str | None = None) -> None:
        super().__init__(*args)
        if hint is not None:
            self.hint = hint

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

    hint = "请求内容不是合法的微信推送，或在途中被截断、改写"


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
    """A signed request has all of signature (or msg_signature), timestamp and nonce; one is missing or ambiguous.

    The hint is about a request without any of them; where only some are missing, the error has a hint of its own.
    """

    hint = "请求没有带签名参数，不是微信发来的：用浏览器直接打开网址就会这样"


class SignatureExpired(SignatureMismatch):
    """The signature is right, but the push is further than ``PushSettings.max_age`` from now."""

    hint = "推送时间超出 max_age：请检查服务器时钟"


class ModeMismatch(PushError):
    """Plain where sealed is configured, or sealed where no key is configured."""

    status_hint = 403
    hint = "消息加解密方式与本端配置不一致：请核对公众平台「服务器配置」"


class DecryptError(PushError):
    """The envelope cannot be opened: bad base64, wrong key, or tampered with."""

    status_hint = 403
    hint = "解密失败：请核对 EncodingAESKey"


class AppIdMismatch(PushError):
    """The envelope was opened, but is addressed to another account.

    Attributes:
        found: What stands where the AppID should; nothing says that it is one.
    """

    status_hint = 403
    found: str = ""
    hint = "解密后的 appid 不是本账号：请核对 appid；第三方平台请把平台自己的 appid 放进 extra_appids"


class ReplyError(PushError):
    """The handler returned something that cannot be sent as an answer to this push."""

    status_hint = 500


class SettingsError(PushError, ValueError):
    """A setting is missing or malformed.

    Args:
        args: What is wrong with it.
        hint: As for every error.
        setting: What the setting is called where it was given: an attribute or a parameter, or an environment variable;
            empty: it is not just one. The text begins with it.
    """

    status_hint = 500

    def __init__(self, *args: object, hint: str | None = None, setting: str = "") -> None:
        super().__init__(*args, hint=hint)
        self.setting: str = setting

    def __str__(self) -> str:
        """Return the name of the setting, the message and the hint."""
        text = super().__str__()
        return f"{self.setting}: {text}" if self.setting else text


class ClientError(WeChatError):
    """A call of the API did not succeed."""


class CallError(ClientError, ValueError):
    """A client or a call was made of what cannot be; nothing was sent."""


class UserDataError(ClientError):
    """Data of a Mini Program's client are forged, belong to another AppID, or cannot be opened."""

    hint: str = "请核对 session_key 是否为该用户最新的（重新 wx.login 后旧的会失效）、appid 是否一致"


class TransportError(ClientError):
    """There is no answer: no connection, a broken one, or a time-out."""


class ConnectFailed(TransportError):
    """No connection could be made, so the request was never sent."""

    hint = "无法连接微信接口：请检查网络、DNS、代理与证书"


class AnswerLost(TransportError):
    """The request was sent, but no answer came in time: whether it took effect is unknown."""

    hint = "请求已发出但没有收到应答，无法确定是否已生效"


class UnreadableAnswer(ClientError):
    """An answer that is not WeChat's, is cut off, or lacks what the call is for.

    Attributes:
        status: Its HTTP status.
    """

    status: int

    def __init__(self, message: str, status: int = 200, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class APIError(ClientError):
    """WeChat answered that it did not do what it was asked.

    Attributes:
        errcode: WeChat's number.
        errmsg: WeChat's text, without the rid.
        rid: Id of the request, for WeChat's support and `wechat_msg.api.quota.get_rid`; None: none was given.
        hint: What to do, in English and Chinese.
    """

    errcode: int
    errmsg: str
    rid: str | None
    hint: str

    def __init__(self, errcode: int, errmsg: str = "", rid: str | None = None, hint: str = "") -> None:
        super().__init__(errcode, errmsg, rid, hint)  # so that it can be pickled
        self.errcode, self.errmsg, self.rid, self.hint = errcode, errmsg, rid, hint

    def __str__(self) -> str:
        """Return number, text, rid and hint."""
        rid = f", rid {self.rid}" if self.rid else ""
        hint = f"（{self.hint}）" if self.hint else ""
        return f"{self.errcode}: {self.errmsg}{rid}{hint}"


class AccessTokenRejected(APIError):
    """The access_token is wrong, expired, or was replaced by another program."""


class InvalidCredential(APIError):
    """AppID or AppSecret is wrong, missing or frozen."""


class IPNotAllowed(APIError):
    """The address of this machine is not on the account's list (IP 白名单), or was refused by the administrator."""


class SystemBusy(APIError):
    """WeChat is busy; try again later."""


class RateLimited(APIError):
    """Too many calls in a short time; try again in a minute."""


class QuotaExhausted(APIError):
    """Nothing is left of a daily, monthly or total amount."""


class InvalidParameter(APIError):
    """The request has to be mended; also the class of every number that is not known."""


class PermissionDenied(APIError):
    """The account may not do this, or may not do it any more; it is the same for every user."""


class AuthorizationExpired(APIError):
    """The user's code, session or authorisation is used up or over; the user must log in or agree again."""


class UserNotFound(APIError):
    """There is no such user, the OpenID belongs to another account, or the user does not follow."""


class UserRefused(APIError):
    """The user, or a protection of the user, does not take this message."""


class WindowClosed(APIError):
    """The user's last action was too long ago, or all messages that it allowed have been sent."""


class DuplicateRequest(APIError):
    """WeChat has this request already, or takes it for one that it has, and did not do it again."""
