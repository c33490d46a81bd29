"""Which of WeChat's hosts is asked."""

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
_REST = 60.0
_ODD = frozenset(" ?#\\,;")


def to_base_url(host: object) -> str:
    """Return scheme and host of ``https://api.weixin.qq.com`` or ``api.weixin.qq.com``, without a slash at the end.

    Raises:
        CallError: It is neither.
    """
    if isinstance(host, str):
        url = host if "://" in host else f"https://{host}"
        try:
            parts = urlsplit(url)
            is_url = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            is_url = False
        # A path is to follow, and libraries do not agree about odd characters.
        if is_url and url.isprintable() and not _ODD.intersection(url):
            return url.rstrip("/")
    raise CallError("a host is written like https://api.weixin.qq.com or api.weixin.qq.com（接口域名格式不正确）")


class Hosts:
    """The hosts in order of preference; one that could not be reached is asked last for a minute."""

    def __init__(self, hosts: Iterable[str], monotonic: Callable[[], float]) -> None:
        if isinstance(hosts, (str, bytes)) or not isinstance(hosts, Iterable):
            raise CallError("hosts is a list")
        self._monotonic = monotonic
        self._rests_until = {to_base_url(host): float("-inf") for host in hosts}
        if not self._rests_until:
            raise CallError("hosts is empty")

    def pick(self) -> str:
        """Return the first that does not rest; if all do, the one that has rested longest."""
        now = self._monotonic()
        return min(self._rests_until, key=lambda host: max(self._rests_until[host], now))

    def rest(self, host: str) -> None:
        """Take it that *host* cannot be reached for now."""
        if host in self._rests_until:
            self._rests_until[host] = self._monotonic() + _REST
