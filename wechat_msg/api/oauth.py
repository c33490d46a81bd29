"""网页授权: log users in to web pages, with access tokens of users instead of the account's access_token."""

from __future__ import annotations

from wechat_msg._tracebacks import clears_locals
from wechat_msg.api._arguments import without_none, write_query
from wechat_msg.api.call import APPID, SECRET, Call, get_without_access_token
from wechat_msg.api.results import Result, ResultOf, no_result
from wechat_msg.fields import content, integer, items, model, text

__all__ = [
    "SnsUserInfo",
    "UserAccessToken",
    "check_access_token",
    "get_access_token",
    "get_user_info",
    "make_authorize_url",
    "make_qrconnect_url",
    "refresh_access_token",
]

_HOST = "https://open.weixin.qq.com"


# --- pages -----------------------------------------------------------------------------------------------------------


def make_authorize_url(
    appid: str,
    redirect_uri: str,
    *,
    scope: str = "snsapi_base",
    state: str = "",
    force_popup: bool | None = None,
    force_snap_shot: bool | None = None,
) -> str:
    """网页授权链接: return the URL of the authorisation page. The user must open it in WeChat.

    Some versions of WeChat need the parameters in this order. WeChat redirects to *redirect_uri* with ``code``, for
    `get_access_token`, and ``state``.

    Args:
        appid: AppID of the account.
        redirect_uri: URL to redirect to; its domain must be set in the console.
        scope: ``snsapi_base`` gives the OpenID without asking the user; ``snsapi_userinfo`` asks the user.
        state: Up to 128 letters and digits, returned unchanged. An unguessable one proves that the user came from this
            link.
        force_popup: Whether to ask a user again who has agreed before; None leaves it to WeChat.
        force_snap_shot: Whether to ask in the snapshot mode (快照页) too; None leaves it to WeChat.

    Example:
        >>> make_authorize_url("wxAPPID", "https://example.com/?a=1", state="STATE")
        'https://open.weixin.qq.com/connect/oauth2/authorize?appid=wxAPPID&redirect_uri=https%3A%2F%2Fexample.com%2F%3Fa%3D1&response_type=code&scope=snsapi_base&state=STATE#wechat_redirect'

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
    """
    return _make_url(
        "/connect/oauth2/authorize",
        appid=appid,
        redirect_uri=redirect_uri,
        response_type="code",
        scope=scope,
        state=state,
        forcePopup=_flag(force_popup),
        forceSnapShot=_flag(force_snap_shot),
    )


def make_qrconnect_url(appid: str, redirect_uri: str, *, state: str = "") -> str:
    """网站应用微信登录: return the URL of the page with a QR code that logs users in to a website on a computer.

    WeChat redirects to *redirect_uri* with ``code``, for `get_access_token`, and ``state``.

    Args:
        appid: AppID of the website (网站应用), from the Open Platform.
        redirect_uri: URL to redirect to.
        state: As for `make_authorize_url`.

    Example:
        >>> make_qrconnect_url("wxAPPID", "https://example.com/", state="STATE")
        'https://open.weixin.qq.com/connect/qrconnect?appid=wxAPPID&redirect_uri=https%3A%2F%2Fexample.com%2F&response_type=code&scope=snsapi_login&state=STATE#wechat_redirect'

    Source:
        https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html
    """
    return _make_url(
        "/connect/qrconnect",
        appid=appid,
        redirect_uri=redirect_uri,
        response_type="code",
        scope="snsapi_login",
        state=state,
    )


def _flag(value: object) -> str | None:
    return None if value is None else str(bool(value)).lower()


def _make_url(path: str, **query: str | None) -> str:
    return f"{_HOST}{path}?{write_query(without_none(**query), 'the query')}#wechat_redirect"


# --- user access tokens ----------------------------------------------------------------------------------------------


@model
class UserAccessToken(Result):
    """Credential of one user. No repr shows its two tokens; do not send either of them to the browser.

    Attributes:
        access_token: Argument for `get_user_info`.
        expires_in: Seconds until the access_token expires: 7200.
        refresh_token: Argument for `refresh_access_token`; expires after 30 days.
        openid: The user.
        scope: Scopes that the user has agreed to, separated by commas.
        is_snapshotuser: 1 if the page was opened in the snapshot mode (快照页), where the user is a virtual one.
        unionid: UnionID, if the account is bound to an Open Platform account.
    """

    access_token: str = text("access_token", repr=False)
    expires_in: int = integer("expires_in")
    refresh_token: str = text("refresh_token", default="", repr=False)
    openid: str
    scope: str = ""
    is_snapshotuser: int = 0
    unionid: str | None = None


def get_access_token(code: str) -> Call[UserAccessToken]:
    """通过 code 换取网页授权 access_token: get the OpenID and access_token of a user.

    Args:
        code: Code from the query of the redirect; usable once, within 5 minutes.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
    """
    return Call(
        "GET",
        "/sns/oauth2/access_token",
        ResultOf(UserAccessToken),
        {"appid": APPID, "secret": SECRET, "code": code, "grant_type": "authorization_code"},
        needs_access_token=False,
    )


@clears_locals
def refresh_access_token(refresh_token: str) -> Call[UserAccessToken]:
    """刷新 access_token: get a new access_token of a user.

    Args:
        refresh_token: Refresh token from `UserAccessToken`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
    """
    return get_without_access_token(
        "/sns/oauth2/refresh_token",
        ResultOf(UserAccessToken),
        appid=APPID,
        grant_type="refresh_token",
        refresh_token=refresh_token,
    )


@clears_locals
def check_access_token(access_token: str, openid: str) -> Call[None]:
    """检验授权凭证是否有效: check the access_token of a user; sending the call raises if it is not valid.

    Args:
        access_token: Access token of the user.
        openid: The user.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
    """
    return get_without_access_token("/sns/auth", no_result, access_token=access_token, openid=openid)


# --- users -----------------------------------------------------------------------------------------------------------


@model
class SnsUserInfo(Result):
    """Profile of a user who has agreed to ``snsapi_userinfo``.

    Attributes:
        openid: OpenID.
        nickname: Nickname.
        sex: A number.
        province: Province.
        city: City.
        country: Country.
        headimgurl: URL of the avatar; empty if there is none.
        privilege: Privileges of the user.
        unionid: UnionID, if the account is bound to an Open Platform account.
    """

    openid: str
    nickname: str = content("nickname", default="")
    sex: int | None = None
    province: str = ""
    city: str = ""
    country: str = ""
    headimgurl: str = text("headimgurl", default="", repr=False)
    privilege: tuple[str, ...] = items("privilege", str)
    unionid: str | None = None


@clears_locals
def get_user_info(access_token: str, openid: str, lang: str | None = None) -> Call[SnsUserInfo]:
    """拉取用户信息: get the profile of a user who has agreed to ``snsapi_userinfo``.

    Args:
        access_token: Access token of the user.
        openid: The user.
        lang: ``zh_CN``, ``zh_TW`` or ``en``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
    """
    return get_without_access_token(
        "/sns/userinfo", ResultOf(SnsUserInfo), access_token=access_token, openid=openid, lang=lang
    )
