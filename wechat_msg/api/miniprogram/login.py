"""小程序登录、用户信息: log in the users of a Mini Program and get their data."""

from __future__ import annotations

from wechat_msg._tracebacks import clears_locals
from wechat_msg.api._arguments import without_none
from wechat_msg.api.call import APPID, SECRET, Call, get, post
from wechat_msg.api.results import Member, Members, Result, ResultOf, no_result
from wechat_msg.fields import integer, model, nested, text, timestamp
from wechat_msg.userdata import compute_session_signature

__all__ = [
    "EncryptKey",
    "EncryptedMsgCheck",
    "PhoneInfo",
    "Session",
    "Watermark",
    "check_encrypted_msg",
    "check_session",
    "code2session",
    "get_paid_unionid",
    "get_phone_number",
    "get_plugin_openpid",
    "get_user_encrypt_key",
    "reset_user_session_key",
]


# --- session ---------------------------------------------------------------------------------------------------------


@model
class Session(Result):
    """A user who has logged in.

    Attributes:
        openid: OpenID.
        session_key: Decrypts data that the Mini Program's client sends, see `wechat_msg.userdata`. No repr shows it; do
            not send it to the client.
        unionid: UnionID, if the Mini Program is bound to an Open Platform account.
    """

    openid: str
    session_key: str = text("session_key", repr=False)
    unionid: str | None = None


def code2session(js_code: str) -> Call[Session]:
    """小程序登录: get the OpenID and session_key of a user.

    Args:
        js_code: Code from ``wx.login``; usable once, within 5 minutes.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
    """
    return Call(
        "GET",
        "/sns/jscode2session",
        ResultOf(Session),
        {"appid": APPID, "secret": SECRET, "js_code": js_code, "grant_type": "authorization_code"},
        needs_access_token=False,
    )


@clears_locals
def check_session(openid: str, session_key: str) -> Call[None]:
    """检验登录态: check a session_key; sending the call raises if it is not valid (87009).

    That the base64 text of *session_key*, not its decoded bytes, is the key of the signature is unconfirmed.

    Args:
        openid: The user.
        session_key: Session key of the user.

    Raises:
        UserDataError: *session_key* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/checkSessionKey.html
    """
    return get("/wxa/checksession", no_result, **_sign(openid, session_key))


@clears_locals
def reset_user_session_key(openid: str, session_key: str) -> Call[Session]:
    """重置登录态: replace the session_key of a user; the expiry stays the same.

    Args:
        openid: The user.
        session_key: The old session key.

    Raises:
        UserDataError: *session_key* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/ResetUserSessionKey.html
    """
    return Call("GET", "/wxa/resetusersessionkey", ResultOf(Session), _sign(openid, session_key))


def _sign(openid: str, session_key: str) -> dict[str, str]:
    signature = compute_session_signature(session_key, "")
    return {"openid": openid, "signature": signature, "sig_method": "hmac_sha256"}


# --- users -----------------------------------------------------------------------------------------------------------


@model
class Watermark:
    """Origin of data: `appid` of the Mini Program, and `timestamp` in seconds since the epoch."""

    timestamp: int = timestamp("timestamp", default=0)
    appid: str = ""


@model
class PhoneInfo:
    """A phone number. No repr shows it.

    Attributes:
        phone_number: Phone number, with its country code unless it is from China.
        pure_phone_number: Phone number without its country code.
        country_code: Country code, such as ``86``.
        watermark: Time of the request, and its Mini Program.
    """

    phone_number: str = text("phoneNumber", repr=False)
    pure_phone_number: str = text("purePhoneNumber", default="", repr=False)
    country_code: str = text("countryCode", default="")
    watermark: Watermark | None = nested("watermark", Watermark, default=None)


def get_phone_number(code: str, *, openid: str | None = None) -> Call[PhoneInfo]:
    """获取手机号: get the phone number of a user who agreed to it.

    Args:
        code: Code from the button ``getPhoneNumber``, not from ``wx.login``; usable once, within 5 minutes.
        openid: The user.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-info/phone-number/getPhoneNumber.html
    """
    body = without_none(code=code, openid=openid)
    return post("/wxa/business/getuserphonenumber", body, Member("phone_info", PhoneInfo))


@model
class EncryptedMsgCheck(Result):
    """Result of a check of encrypted data.

    Attributes:
        vaild: 1 if the data come from WeChat, else 0. The spelling is WeChat's.
        create_time: Time of the data, in seconds since the epoch.
    """

    vaild: int = integer("vaild", "valid")
    create_time: int | None = timestamp("create_time", default=None)


def check_encrypted_msg(encrypted_msg_hash: str) -> Call[EncryptedMsgCheck]:
    """检查加密信息: check whether encrypted data come from WeChat; only for phone numbers of the last 3 days.

    Args:
        encrypted_msg_hash: SHA-256 of the encrypted data, in hexadecimal digits.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-info/basic-info/checkEncryptedData.html
    """
    body = {"encrypted_msg_hash": encrypted_msg_hash}
    return post("/wxa/business/checkencryptedmsg", body, ResultOf(EncryptedMsgCheck), is_repeatable=True)


def get_paid_unionid(
    openid: str, *, transaction_id: str | None = None, mch_id: str | None = None, out_trade_no: str | None = None
) -> Call[str]:
    """支付后获取 UnionID: get the UnionID of a user within 5 minutes after a payment, without the user's consent.

    Args:
        openid: The user.
        transaction_id: Id of the payment; or give *mch_id* and *out_trade_no*.
        mch_id: Id of the merchant.
        out_trade_no: Id that the merchant gave the payment.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-info/basic-info/getPaidUnionid.html
    """
    return get(
        "/wxa/getpaidunionid",
        Member("unionid", str),
        openid=openid,
        transaction_id=transaction_id,
        mch_id=mch_id,
        out_trade_no=out_trade_no,
    )


def get_plugin_openpid(code: str) -> Call[str]:
    """获取插件用户 openpid: get the openpid of a user of a plug-in.

    Args:
        code: Code from ``wx.pluginLogin``.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-info/basic-info/getPluginOpenPId.html
    """
    return post("/wxa/getpluginopenpid", {"code": code}, Member("openpid", str))


@model
class EncryptKey:
    """A key shared by the client and the server of a Mini Program. No repr shows it.

    Attributes:
        encrypt_key: The key.
        version: Version of the key.
        expire_in: Seconds until it expires.
        iv: Initialisation vector.
        create_time: Time of its creation, in seconds since the epoch.
    """

    encrypt_key: str = text("encrypt_key", repr=False)
    version: int
    expire_in: int | None = None
    iv: str = text("iv", default="", repr=False)
    create_time: int | None = timestamp("create_time", default=None)


@clears_locals
def get_user_encrypt_key(openid: str, session_key: str) -> Call[tuple[EncryptKey, ...]]:
    """获取用户 encryptKey: list the latest keys of a user.

    Args:
        openid: The user.
        session_key: Session key of the user.

    Raises:
        UserDataError: *session_key* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-info/internet/getUserEncryptKey.html
    """
    return get("/wxa/business/getuserencryptkey", Members("key_info_list", EncryptKey), **_sign(openid, session_key))
