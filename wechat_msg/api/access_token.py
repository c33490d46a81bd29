"""接口调用凭据: fetch the access_token of an account. Clients do so themselves, see `wechat_msg.client`."""

from __future__ import annotations

from wechat_msg.api.call import APPID, SECRET, Call, get_without_access_token
from wechat_msg.api.results import Result, ResultOf
from wechat_msg.fields import integer, model, text

__all__ = ["AccessToken", "get_access_token", "get_stable_access_token"]


@model
class AccessToken(Result):
    """Credential that nearly every call needs.

    Attributes:
        access_token: The credential, up to 512 characters. No repr shows it.
        expires_in: Seconds until it expires.
    """

    access_token: str = text("access_token", repr=False)
    expires_in: int = integer("expires_in")

    @property
    def value(self) -> str:
        """The same as `access_token`."""
        return self.access_token


def get_access_token() -> Call[AccessToken]:
    """获取接口调用凭据: fetch a new access_token; the previous one expires 5 minutes later.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_access_token.html
    """
    return get_without_access_token(
        "/cgi-bin/token", ResultOf(AccessToken), grant_type="client_credential", appid=APPID, secret=SECRET
    )


def get_stable_access_token(*, force_refresh: bool = False) -> Call[AccessToken]:
    """获取稳定版接口调用凭据: fetch the access_token that every caller shares until it nearly expires.

    It is independent of the access_token of `get_access_token`.

    Args:
        force_refresh: Issue a new access_token; the previous one expires at once. At most 20 times a day, 30 seconds
            apart.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html
    """
    return Call(
        "POST",
        "/cgi-bin/stable_token",
        ResultOf(AccessToken),
        json={"grant_type": "client_credential", "appid": APPID, "secret": SECRET, "force_refresh": force_refresh},
        is_repeatable=not force_refresh,
        needs_access_token=False,
    )
