"""The error tree: every error that leaves this package is one of these classes.

::

    WeChatError
    ├─ StoreError                       a store is down, full, read-only or too slow
    ├─ ConversationError                the state of a conversation cannot be kept
    │  ├─ ConversationBusy              another message of the user is being handled
    │  └─ ConversationChanged           another message has changed the state meanwhile
    ├─ PushError (status_hint=400)      a push that was refused, or a reply that cannot be sent
    │  ├─ MalformedPush                 the body or the query is not what WeChat sends
    │  ├─ MethodNotAllowed (405)        neither GET nor POST
    │  ├─ BodyTooLarge (413)            more than PushSettings.max_body bytes
    │  ├─ SignatureMismatch (403)       the signature or msg_signature is wrong
    │  │  ├─ SignatureMissing (403)     there is no signature, as in a browser; or a parameter was lost
    │  │  └─ SignatureExpired (403)     the timestamp is outside PushSettings.max_age
    │  ├─ ModeMismatch (403)            plain where sealed is configured, or sealed without a key
    │  ├─ DecryptError (403)            the envelope cannot be decrypted
    │  ├─ AppIdMismatch (403)           the envelope is for another account
    │  ├─ ReplyError (500)              the handler returned something that cannot be sent
    │  └─ SettingsError (500)           a setting is missing or invalid; also a ValueError
    └─ ClientError                      an API call failed
       ├─ CallError                     invalid arguments for a client or a call; also a ValueError
       ├─ UserDataError                 data from a Mini Program's client are forged or cannot be decrypted
       ├─ TransportError                there is no answer
       │  ├─ ConnectFailed              the request was never sent
       │  └─ AnswerLost                 the request was sent; whether it took effect is unknown
       ├─ UnreadableAnswer              the answer is not WeChat's, incomplete, or not as expected
       └─ APIError                      WeChat refused the call: errcode, errmsg, rid
          ├─ AccessTokenRejected        the access_token is wrong, replaced or expired
          ├─ InvalidCredential          AppID or AppSecret is wrong
          ├─ IPNotAllowed               this machine's address is not on the account's allow list
          ├─ SystemBusy                 WeChat is busy; try again later
          ├─ RateLimited                too many calls in a short time; try again in a minute
          ├─ QuotaExhausted             the daily, monthly or total quota is used up
          ├─ InvalidParameter           the request is invalid
          ├─ PermissionDenied           the account may not do this
          ├─ AuthorizationExpired       the user's code, login or authorisation has expired
          ├─ UserNotFound               there is no such OpenID, or the user is not a follower
          ├─ UserRefused                the user refuses this message
          ├─ WindowClosed               the user's last action is too long ago, or allows no more messages
          └─ DuplicateRequest           WeChat has already received this request, or takes it for an earlier one

``status_hint`` is the HTTP status of the response, so adapters need no table. ``hint`` says in Chinese what to do.
No error text contains a Token, an access_token, a key, a signature or a part of the body.
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
    "ConversationBusy",
    "ConversationChanged",
    "ConversationError",
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
    """Base class of all errors that this package raises.

    Args:
        args: The message.
        hint: What to do in this case. None stands for the hint of the class.
    """

    #: What to do, in Chinese; empty if the message says it all.
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
    """A store is down, full, read-only or too slow, or contains invalid data."""

    hint = "存储不可用：请检查 Redis、数据库或 SQLite 文件是否正常、可写、未满"


class ConversationError(WeChatError):
    """The state of a conversation cannot be kept: a value is not of the type that its field has."""


class ConversationBusy(ConversationError):
    """Another message of the user is still being handled; nothing was saved, and the message can be handled again."""

    hint = "该用户的上一条消息仍在处理中；请勿在同一会话打开期间再次打开"


class ConversationChanged(ConversationError):
    """Another message has changed the conversation meanwhile, as this one took too long; nothing was saved."""

    hint = (
        "会话状态已被其他消息修改，本次修改未保存：请缩短会话打开的时间，或增大 claim=；"
        "若在步骤或 open 中又打开或重置了同一会话，请改用步骤的参数或 end"
    )


class PushError(WeChatError):
    """A push was refused, or its reply cannot be sent."""

    #: The HTTP status of the response.
    status_hint: ClassVar[int] = 400


class MalformedPush(PushError):
    """The request is not a push of WeChat: the body is unreadable, fields are missing, or the query is invalid."""

    hint = "请求内容不是合法的微信推送，或在途中被截断、改写"


class MethodNotAllowed(PushError):
    """The method is neither GET, by which WeChat verifies a URL, nor POST, by which it pushes."""

    status_hint = 405
    hint = "微信只会使用 GET（接入验证）和 POST（消息推送）"


class BodyTooLarge(PushError):
    """The body is longer than ``PushSettings.max_body``."""

    status_hint = 413
    hint = "请求体超过 max_body"


class SignatureMismatch(PushError):
    """The signature was made with another Token, or over other values."""

    status_hint = 403
    hint = "签名不符：请核对公众平台「服务器配置」里的 Token，它不是 AppSecret，也不是 access_token"


class SignatureMissing(SignatureMismatch):
    """One of signature (or msg_signature), timestamp and nonce is missing or ambiguous.

    The class's hint is for a request that has none of them. If only some are missing, the error has its own hint.
    """

    hint = "请求没有带签名参数，不是微信发来的：用浏览器直接打开网址就会这样"


class SignatureExpired(SignatureMismatch):
    """The signature is valid, but the timestamp is further than ``PushSettings.max_age`` from now."""

    hint = "推送时间超出 max_age：请检查服务器时钟"


class ModeMismatch(PushError):
    """A plain push arrived although a key is configured, or a sealed one although none is."""

    status_hint = 403
    hint = "消息加解密方式与本端配置不一致：请核对公众平台「服务器配置」"


class DecryptError(PushError):
    """The envelope cannot be decrypted: invalid base64, a wrong key, or manipulated data."""

    status_hint = 403
    hint = "解密失败：请核对 EncodingAESKey"


class AppIdMismatch(PushError):
    """The envelope was decrypted, but is addressed to another account.

    Attributes:
        found: The text at the place of the AppID; it may be anything.
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
        hint: As in `WeChatError`.
        setting: Name of the attribute, parameter or environment variable; empty if the error is about several. The
            text begins with it.
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
    """Base class of the errors of API calls."""


class CallError(ClientError, ValueError):
    """Invalid arguments for a client or a call; nothing was sent."""


class UserDataError(ClientError):
    """Data from a Mini Program's client are forged, belong to another AppID, or cannot be decrypted."""

    hint: str = "请核对 session_key 是否为该用户最新的（重新 wx.login 后旧的会失效）、appid 是否一致"


class TransportError(ClientError):
    """There is no answer: the connection failed or broke, or the time limit passed."""


class ConnectFailed(TransportError):
    """The connection failed, so the request was not sent."""

    hint = "请检查网络、DNS、代理与证书"


class AnswerLost(TransportError):
    """The request was sent, but no answer arrived in time; whether it took effect is unknown."""

    hint = "请求已发出但没有收到应答，无法确定是否已生效"


class UnreadableAnswer(ClientError):
    """The answer is not WeChat's, is cut off, or lacks the result of the call.

    Attributes:
        status: HTTP status of the answer.
    """

    status: int

    def __init__(self, message: str, status: int = 200, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class APIError(ClientError):
    """WeChat refused the call, or failed to perform it.

    Attributes:
        errcode: WeChat's error number.
        errmsg: WeChat's text, without the rid.
        rid: Id of the request, for WeChat's support and `wechat_msg.api.quota.get_rid`; None if there is none.
        hint: What to do, in English and Chinese.
    """

    errcode: int
    errmsg: str
    rid: str | None
    hint: str

    def __init__(self, errcode: int, errmsg: str = "", rid: str | None = None, hint: str = "") -> None:
        super().__init__(errcode, errmsg, rid, hint)  # for pickle
        self.errcode, self.errmsg, self.rid, self.hint = errcode, errmsg, rid, hint

    def __str__(self) -> str:
        """Return number, text, rid and hint."""
        rid = f", rid {self.rid}" if self.rid else ""
        hint = f"（{self.hint}）" if self.hint else ""
        return f"{self.errcode}: {self.errmsg}{rid}{hint}"


class AccessTokenRejected(APIError):
    """The access_token is wrong or expired, or another program replaced it."""


class InvalidCredential(APIError):
    """AppID or AppSecret is wrong, missing or frozen."""


class IPNotAllowed(APIError):
    """This machine's address is not on the account's allow list (IP 白名单), or the administrator refused it."""


class SystemBusy(APIError):
    """WeChat is busy; try again later."""


class RateLimited(APIError):
    """Too many calls in a short time; try again in a minute."""


class QuotaExhausted(APIError):
    """The daily, monthly or total quota is used up."""


class InvalidParameter(APIError):
    """The request is invalid; also the class of all unknown error numbers."""


class PermissionDenied(APIError):
    """The account may not do this, or no longer; this holds for all users."""


class AuthorizationExpired(APIError):
    """The user's code, session or authorisation is used or has expired; the user must log in or agree again."""


class UserNotFound(APIError):
    """There is no such user, the OpenID belongs to another account, or the user is not a follower."""


class UserRefused(APIError):
    """The user, or a setting that protects the user, refuses this message."""


class WindowClosed(APIError):
    """The user's last action is too long ago, or all messages that it allows were sent."""


class DuplicateRequest(APIError):
    """WeChat has already received this request, or takes it for an earlier one, and did not perform it again."""
