"""Cases of quota."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import quota
from wechat_msg.api.call import APPID, SECRET

PATH = "/cgi-bin/message/custom/send"

CASES = [
    Case(
        "quota.clear",
        quota.clear(),
        "POST",
        "/cgi-bin/clear_quota",
        json={"appid": APPID},
    ),
    Case(
        "quota.clear_v2",
        quota.clear_v2(),
        "POST",
        "/cgi-bin/clear_quota/v2",
        params={"appid": APPID, "appsecret": SECRET},
        json={"appid": APPID, "appsecret": SECRET},
    ),
    Case(
        "quota.get",
        quota.get(PATH),
        "POST",
        "/cgi-bin/openapi/quota/get",
        json={"cgi_path": PATH},
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "quota": {"daily_limit": 500000, "used": 5, "remain": 499995},
            "rate_limit": {"call_count": 30000, "refresh_second": 60},
            "component_rate_limit": {"call_count": 60000, "refresh_second": 60},
        },
        result=quota.QuotaInfo(
            quota=quota.Quota(daily_limit=500000, used=5, remain=499995),
            rate_limit=quota.RateLimit(call_count=30000, refresh_second=60),
            component_rate_limit=quota.RateLimit(call_count=60000, refresh_second=60),
        ),
    ),
    Case(
        "quota.get",
        quota.get(PATH),
        "POST",
        "/cgi-bin/openapi/quota/get",
        json={"cgi_path": PATH},
        answer={"errcode": 0, "errmsg": "ok", "quota": {"daily_limit": 10, "used": 1, "remain": 9}},
        result=quota.QuotaInfo(quota=quota.Quota(daily_limit=10, used=1, remain=9)),
    ),
    Case(
        "quota.clear_api",
        quota.clear_api(PATH),
        "POST",
        "/cgi-bin/openapi/quota/clear",
        json={"cgi_path": PATH},
    ),
    Case(
        "quota.get_rid",
        quota.get_rid("61725984-6126f6f9-040f19c4"),
        "POST",
        "/cgi-bin/openapi/rid/get",
        json={"rid": "61725984-6126f6f9-040f19c4"},
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "request": {
                "invoke_time": 1635156704,
                "cost_in_ms": 30,
                "request_url": "access_token=50_Im7xxxx",
                "request_body": "",
                "response_body": '{"errcode":45009,"errmsg":"reach max api daily quota limit"}',
                "client_ip": "113.xx.70.51",
            },
        },
        result=quota.RidInfo(
            invoke_time=1635156704,
            cost_in_ms=30,
            request_url="access_token=50_Im7xxxx",
            request_body="",
            response_body='{"errcode":45009,"errmsg":"reach max api daily quota limit"}',
            client_ip="113.xx.70.51",
        ),
    ),
]
