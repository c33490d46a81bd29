"""网络检测: the addresses of WeChat's servers, and a check that WeChat reaches the server that receives pushes."""

from __future__ import annotations

from wechat_msg.api.call import Call, get, post
from wechat_msg.api.results import Members, Result, ResultOf
from wechat_msg.fields import items, model

__all__ = ["DNSCheck", "NetworkCheck", "PingCheck", "check", "get_api_domain_ips", "get_callback_ips"]


def get_api_domain_ips() -> Call[tuple[str, ...]]:
    """获取微信 API 服务器 IP: list the addresses of api.weixin.qq.com; repeat the call every day.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_the_WeChat_server_IP_address.html
    """
    return get("/cgi-bin/get_api_domain_ip", Members("ip_list", str))


def get_callback_ips() -> Call[tuple[str, ...]]:
    """获取微信推送服务器 IP: list the addresses that pushes come from; repeat the call every day.

    An item may be a network, such as ``101.226.103.0/25``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_the_WeChat_server_IP_address.html
    """
    return get("/cgi-bin/getcallbackip", Members("ip_list", str))


@model
class DNSCheck:
    """Address that the host name resolved to: `ip`, and `real_operator`, the operator of its network."""

    ip: str
    real_operator: str = ""


@model
class PingCheck:
    """Result of one ping.

    Attributes:
        ip: Address of the server.
        from_operator: Operator of the network that the ping came from.
        package_loss: Share of lost packets, such as ``0%``.
        time: Duration, such as ``23.079ms``.
    """

    ip: str
    from_operator: str = ""
    package_loss: str = ""
    time: str = ""


@model
class NetworkCheck(Result):
    """Results of a network check: `dns` and `ping`, each empty if it was not requested."""

    dns: tuple[DNSCheck, ...] = items("dns", DNSCheck)
    ping: tuple[PingCheck, ...] = items("ping", PingCheck)


def check(*, action: str = "all", check_operator: str = "DEFAULT") -> Call[NetworkCheck]:
    """网络通信检测: have WeChat check that it reaches the server that receives pushes.

    Args:
        action: ``dns``, ``ping`` or ``all``.
        check_operator: Operator of the network to check from: ``CHINANET``, ``UNICOM``, ``CAP`` or ``DEFAULT``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Network_Detection.html
    """
    body = {"action": action, "check_operator": check_operator}
    return post("/cgi-bin/callback/check", body, ResultOf(NetworkCheck), is_repeatable=True)
