"""网络检测: the addresses of WeChat's servers, and whether they reach the server that pushes go to."""

from __future__ import annotations

from wechat_msg.api.call import Call, get, post
from wechat_msg.api.reading import Reads, Result, TakesAll
from wechat_msg.fields import items, model

__all__ = ["DNSCheck", "NetworkCheck", "PingCheck", "check", "get_api_domain_ips", "get_callback_ips"]


def get_api_domain_ips() -> Call[tuple[str, ...]]:
    """获取微信 API 服务器 IP: list the addresses of api.weixin.qq.com; ask again every day.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_the_WeChat_server_IP_address.html
    """
    return get("/cgi-bin/get_api_domain_ip", TakesAll("ip_list", str))


def get_callback_ips() -> Call[tuple[str, ...]]:
    """获取微信推送服务器 IP: list the addresses that pushes come from; ask again every day.

    Some may stand for many: ``101.226.103.0/25``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_the_WeChat_server_IP_address.html
    """
    return get("/cgi-bin/getcallbackip", TakesAll("ip_list", str))


@model
class DNSCheck:
    """What the name of the server was resolved to: `ip`, and `real_operator`, whose network it is in."""

    ip: str
    real_operator: str = ""


@model
class PingCheck:
    """How the server answered.

    Attributes:
        ip: Its address.
        from_operator: From whose network it was asked.
        package_loss: Share of lost packets, such as ``0%``.
        time: How long it took, such as ``23.079ms``.
    """

    ip: str
    from_operator: str = ""
    package_loss: str = ""
    time: str = ""


@model
class NetworkCheck(Result):
    """What WeChat found out: `dns` and `ping`, each empty if it was not asked for."""

    dns: tuple[DNSCheck, ...] = items("dns", DNSCheck)
    ping: tuple[PingCheck, ...] = items("ping", PingCheck)


def check(*, action: str = "all", check_operator: str = "DEFAULT") -> Call[NetworkCheck]:
    """网络通信检测: have WeChat try to reach the server that pushes go to.

    Args:
        action: ``dns``, ``ping`` or ``all``.
        check_operator: From whose network: ``CHINANET``, ``UNICOM``, ``CAP`` or ``DEFAULT``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Network_Detection.html
    """
    body = {"action": action, "check_operator": check_operator}
    return post("/cgi-bin/callback/check", body, Reads(NetworkCheck), is_repeatable=True)
