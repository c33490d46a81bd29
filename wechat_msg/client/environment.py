"""Which proxy and which certificates the environment names: one reading of it for both clients."""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import CallError

__all__ = ["NOTHING", "Environment", "check_socks"]

_SCHEMES = ("http", "https", "socks5", "socks5h")
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PLAIN = re.compile(r"[!-~]+")
_PORTS = {"http": 80, "https": 443}


@frozen
class Environment:
    """What the variables of the program say.

    Attributes:
        proxies: URL of the proxy for ``http``, ``https`` and ``all``.
        excepted: Hosts that are reached without a proxy, as in ``NO_PROXY``.
        certificates: File or directory with the certificates to trust; None: those that the HTTP library trusts.
    """

    proxies: Mapping[str, str] = field(factory=dict, repr=False)  # may hold passwords
    excepted: tuple[str, ...] = ()
    certificates: str | None = None

    @classmethod
    def read(cls) -> Self:
        """Read the variables; where there are none for proxies, also what macOS and Windows have set."""
        proxies = getproxies()
        excepted = tuple(re.split(r"[,\s]+", proxies.pop("no", "").strip().lower()))
        return cls(proxies, excepted, next(filter(None, map(os.environ.get, _CERTIFICATES)), None))

    def find_proxy(self, url: str) -> str | None:
        """Return the URL of the proxy to ask; None: none.

        Raises:
            CallError: What the environment has is no URL of a proxy.
        """
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
        if any(_covers(entry, host, port) for entry in self.excepted):
            return None
        name = next((name for name in (parts.scheme, "all") if self.proxies.get(name)), None)
        return None if name is None else _to_proxy(self.proxies[name], f"{name.upper()}_PROXY")

    def find_certificates(self, url: str, proxy: str | None) -> str | None:
        """Return the certificates to trust, if there is anything to trust on the way."""
        return self.certificates if "https" in (urlsplit(url).scheme, urlsplit(proxy or "").scheme) else None


NOTHING = Environment()


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Tell whether *entry* is the host, a domain above it, a network around it, or ``*``; perhaps with a port."""
    if entry in ("", "*"):
        return entry == "*"
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdecimal():
        return int(digits) == port and _covers(name, host, port)
    name = entry.strip("[]").lstrip("*.")
    return host == name or host.endswith(f".{name}")


def _to_proxy(value: str, variable: str) -> str:
    url = value if "://" in value else f"http://{value}"
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in _SCHEMES and parts.hostname and parts.port != 0 and _PLAIN.fullmatch(url):
            return parts.geturl()
    raise CallError(f"{variable} is not the URL of a proxy: {', '.join(_SCHEMES)}（代理地址不正确，请检查环境变量）")


def check_socks(proxy: str | None, module: str, package: str) -> None:
    """Make sure that the HTTP library can ask a SOCKS proxy.

    Raises:
        CallError: The package that it needs for that is not installed.
    """
    if proxy and proxy.startswith("socks") and importlib.util.find_spec(module) is None:
        raise CallError(f"a SOCKS proxy needs the package {package}（使用 SOCKS 代理需要安装 {package}）")
