"""Cases of oauth."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import oauth
from wechat_msg.api.call import APPID, SECRET

TOKEN = {
    "access_token": "USER_TOKEN",
    "expires_in": 7200,
    "refresh_token": "REFRESH_TOKEN",
    "openid": "oUSER",
    "scope": "snsapi_userinfo",
    "is_snapshotuser": 1,
    "unionid": "oUNION",
}
USER_TOKEN = oauth.UserAccessToken(
    access_token="USER_TOKEN",
    expires_in=7200,
    refresh_token="REFRESH_TOKEN",
    openid="oUSER",
    scope="snsapi_userinfo",
    is_snapshotuser=1,
    unionid="oUNION",
)
USER = {
    "openid": "oUSER",
    "nickname": " 小王",
    "sex": 1,
    "province": "广东",
    "city": "广州",
    "country": "中国",
    "headimgurl": "https://thirdwx.qlogo.cn/mmopen/g3Mon/46",
    "privilege": ["PRIVILEGE1", "PRIVILEGE2"],
    "unionid": "oUNION",
}
USER_INFO = oauth.SnsUserInfo(
    openid="oUSER",
    nickname=" 小王",
    sex=1,
    province="广东",
    city="广州",
    country="中国",
    headimgurl="https://thirdwx.qlogo.cn/mmopen/g3Mon/46",
    privilege=("PRIVILEGE1", "PRIVILEGE2"),
    unionid="oUNION",
)

CASES = [
    Case(
        "oauth.get_access_token",
        oauth.get_access_token("CODE"),
        "GET",
        "/sns/oauth2/access_token",
        params={"appid": APPID, "secret": SECRET, "code": "CODE", "grant_type": "authorization_code"},
        answer=TOKEN,
        result=USER_TOKEN,
    ),
    Case(
        "oauth.get_access_token",
        oauth.get_access_token("CODE"),
        "GET",
        "/sns/oauth2/access_token",
        params={"appid": APPID, "secret": SECRET, "code": "CODE", "grant_type": "authorization_code"},
        answer={
            "access_token": "USER_TOKEN",
            "expires_in": 7200,
            "refresh_token": "REFRESH_TOKEN",
            "openid": "oUSER",
            "scope": "snsapi_base",
        },
        result=oauth.UserAccessToken(
            access_token="USER_TOKEN",
            expires_in=7200,
            refresh_token="REFRESH_TOKEN",
            openid="oUSER",
            scope="snsapi_base",
        ),
    ),
    Case(
        "oauth.refresh_access_token",
        oauth.refresh_access_token("REFRESH_TOKEN"),
        "GET",
        "/sns/oauth2/refresh_token",
        params={"appid": APPID, "grant_type": "refresh_token", "refresh_token": "REFRESH_TOKEN"},
        answer=TOKEN,
        result=USER_TOKEN,
    ),
    Case(
        "oauth.get_user_info",
        oauth.get_user_info("USER_TOKEN", "oUSER"),
        "GET",
        "/sns/userinfo",
        params={"access_token": "USER_TOKEN", "openid": "oUSER"},
        answer=USER,
        result=USER_INFO,
    ),
    Case(
        "oauth.get_user_info",
        oauth.get_user_info("USER_TOKEN", "oUSER", lang="zh_CN"),
        "GET",
        "/sns/userinfo",
        params={"access_token": "USER_TOKEN", "openid": "oUSER", "lang": "zh_CN"},
        answer={"openid": "oUSER"},
        result=oauth.SnsUserInfo(openid="oUSER"),
    ),
    Case(
        "oauth.check_access_token",
        oauth.check_access_token("USER_TOKEN", "oUSER"),
        "GET",
        "/sns/auth",
        params={"access_token": "USER_TOKEN", "openid": "oUSER"},
    ),
]
