"""Cases of callback."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import callback

CASES = [
    Case(
        "callback.get_api_domain_ips",
        callback.get_api_domain_ips(),
        "GET",
        "/cgi-bin/get_api_domain_ip",
        answer={"ip_list": ["101.89.47.18", "101.91.34.103"]},
        result=("101.89.47.18", "101.91.34.103"),
    ),
    Case(
        "callback.get_callback_ips",
        callback.get_callback_ips(),
        "GET",
        "/cgi-bin/getcallbackip",
        answer={"ip_list": ["101.226.62.77", "101.226.103.0/25"]},
        result=("101.226.62.77", "101.226.103.0/25"),
    ),
    Case(
        "callback.check",
        callback.check(),
        "POST",
        "/cgi-bin/callback/check",
        json={"action": "all", "check_operator": "DEFAULT"},
        answer={
            "dns": [{"ip": "111.161.64.40", "real_operator": "UNICOM"}],
            "ping": [{"ip": "111.161.64.40", "from_operator": "UNICOM", "package_loss": "0%", "time": "23.079ms"}],
        },
        result=callback.NetworkCheck(
            dns=(callback.DNSCheck(ip="111.161.64.40", real_operator="UNICOM"),),
            ping=(callback.PingCheck(ip="111.161.64.40", from_operator="UNICOM", package_loss="0%", time="23.079ms"),),
        ),
    ),
    Case(
        "callback.check",
        callback.check(action="dns", check_operator="CHINANET"),
        "POST",
        "/cgi-bin/callback/check",
        json={"action": "dns", "check_operator": "CHINANET"},
        answer={"dns": [{"ip": "111.161.64.40", "real_operator": "CHINANET"}]},
        result=callback.NetworkCheck(dns=(callback.DNSCheck(ip="111.161.64.40", real_operator="CHINANET"),)),
    ),
]
