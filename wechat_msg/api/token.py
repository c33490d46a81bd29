"""接口调用凭据: how an account gets its access_token; clients do so by themselves, see `wechat_msg.client.tokens`."""

from __future__ import annotations

from wechat_msg.api.call import APPID, SECRET, Call, get_without_token
from wechat_msg.api.reading import Reads, Result
from wechat_msg.fields import integer, model, text

__all__ = ["AccessToken", "get_access_token", "get_stable_access_token"]


@model
class AccessToken(Result):
    """The credential that nearly every call needs.

    Attributes:
        access_token: The credential; up to 512 characters. No repr shows it.
        expires_in: Seconds that it has left.
    """

    access_token: str = text("access_token", repr=False)
    expires_in: int = integer("expires_in")

    @property
    def value(self) -> str:
        """The same as `access_token`."""
        return self.access_token


def get_access_token() -> Call[AccessToken]:
    """获取接口调用凭据: fetch a new access_token; the one before dies 5 minutes later.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_access_token.html
    """
    return get_without_token(
        "/cgi-bin/token", Reads(AccessToken), grant_type="client_credential", appid=APPID, secret=SECRET
    )


def get_stable_access_token(*, force_refresh: bool = False) -> Call[AccessToken]:
    """获取稳定版接口调用凭据: fetch the access_token that all who ask so get alike, until it is nearly over.

    It has nothing to do with that of `get_access_token`.

    Args:
        force_refresh: Make a new one; the one before dies at once. 20 times a day, 30 seconds apart.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html
    """
    return Call(
        "POST",
        "/cgi-bin/stable_token",
        Reads(AccessToken),
        json={
            "grant_type": "client_credential",
            "appid": APPID,
            "secret": SECRET,
            "force_refresh": force_refresh,
        },
        is_repeatable=not force_refresh,
        needs_access_token=False,
    )
