"""Cases of access_token."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import access_token
from wechat_msg.api.call import APPID, SECRET

ANSWER = {"access_token": "ACCESS_TOKEN", "expires_in": 7200}
STABLE = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}

CASES = [
    Case(
        "access_token.get_access_token",
        access_token.get_access_token(),
        "GET",
        "/cgi-bin/token",
        params={"grant_type": "client_credential", "appid": APPID, "secret": SECRET},
        answer=ANSWER,
        result=access_token.AccessToken(access_token="ACCESS_TOKEN", expires_in=7200),
    ),
    Case(
        "access_token.get_stable_access_token",
        access_token.get_stable_access_token(),
        "POST",
        "/cgi-bin/stable_token",
        json={**STABLE, "force_refresh": False},
        answer={**ANSWER, "expires_in": 345},
        result=access_token.AccessToken(access_token="ACCESS_TOKEN", expires_in=345),
    ),
    Case(
        "access_token.get_stable_access_token",
        access_token.get_stable_access_token(force_refresh=True),
        "POST",
        "/cgi-bin/stable_token",
        json={**STABLE, "force_refresh": True},
        answer=ANSWER,
        result=access_token.AccessToken(access_token="ACCESS_TOKEN", expires_in=7200),
    ),
]
