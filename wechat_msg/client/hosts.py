"""Hosts: which of WeChat's hosts a client asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from wechat_msg.errors import CallError

__all__ = ["DEFAULT_HOSTS", "Hosts", "to_base_url"]

DEFAULT_HOSTS = (
    "https://api.weixin.qq.com",
    "https://api2.weixin.qq.com",
    "https://sh.api.weixin.qq.com",
    "https://sz.api.weixin.qq.com",
    "https://hk.api.weixin.qq.com",
)
"""The nearest site, the one for disasters (通用异地容灾), Shanghai, Shenzhen, Hong Kong."""
DOWN_FOR = 60.0
"""Seconds for which a host that could not be reached is asked last."""
_INVALID = frozenset(" ?#\\,;")


def to_base_url(host: object) -> str:
    """Return scheme and host of ``https://api.weixin.qq.com`` or ``api.weixin.qq.com``, without a slash at the end.

    Raises:
        CallError: *host* is neither.
    """
    if isinstance(host, str):
        url = host if "://" in host else f"https://{host}"
        try:
            parts = urlsplit(url)
            is_url = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            is_url = False
        # A path is appended, and HTTP libraries treat these characters differently.
        if is_url and url.isprintable() and not _INVALID.intersection(url):
            return url.rstrip("/")
    raise CallError("a host must be like https://api.weixin.qq.com or api.weixin.qq.com（接口域名格式不正确）")


class Hosts:
    """The hosts of a client in order of preference; one that could not be reached is asked last for a minute."""

    def __init__(self, hosts: Iterable[str], monotonic: Callable[[], float]) -> None:
        if isinstance(hosts, (str, bytes)) or not isinstance(hosts, Iterable):
            raise CallError("hosts must be a list")
        self._monotonic = monotonic
        self._down_until = {to_base_url(host): float("-inf") for host in hosts}
        if not self._down_until:
            raise CallError("hosts must not be empty")

    def pick(self) -> str:
        """Return the first host that is not marked down; if all are, the one whose mark ends first."""
        now = self._monotonic()
        return min(self._down_until, key=lambda host: max(self._down_until[host], now))

    def mark_down(self, host: str) -> None:
        """Ask *host* last for a minute."""
        if host in self._down_until:
            self._down_until[host] = self._monotonic() + DOWN_FOR
