"""Environment: the proxies and certificates that environment variables name, for both clients alike."""

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

__all__ = ["EMPTY", "Environment", "check_socks_support"]

_SCHEMES = ("http", "https", "socks5", "socks5h")
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PLAIN = re.compile(r"[!-~]+")
_PORTS = {"http": 80, "https": 443}


@frozen
class Environment:
    """Proxies and certificates of the program's environment.

    Attributes:
        proxies: URL of the proxy for ``http``, ``https`` and ``all``.
        excepted: Hosts that are reached without a proxy, as in ``NO_PROXY``.
        certificates: File or directory with the certificates to trust; None if the HTTP library chooses them.
    """

    proxies: Mapping[str, str] = field(factory=dict, repr=False)  # may hold passwords
    excepted: tuple[str, ...] = ()
    certificates: str | None = None

    @classmethod
    def read(cls) -> Self:
        """Read the variables; if there are none for proxies, the settings of macOS and Windows."""
        proxies = getproxies()
        excepted = tuple(re.split(r"[,\s]+", proxies.pop("no", "").strip().lower()))
        return cls(proxies, excepted, next(filter(None, map(os.environ.get, _CERTIFICATES)), None))

    def find_proxy(self, url: str) -> str | None:
        """Return the URL of the proxy for *url*; None if there is none.

        Raises:
            CallError: The environment names a proxy that is not a URL.
        """
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
        if any(_matches(entry, host, port) for entry in self.excepted):
            return None
        name = next((name for name in (parts.scheme, "all") if self.proxies.get(name)), None)
        return None if name is None else _to_proxy(self.proxies[name], f"{name.upper()}_PROXY")

    def find_certificates(self, url: str, proxy: str | None) -> str | None:
        """Return the certificates to trust; None if neither *url* nor *proxy* uses TLS."""
        return self.certificates if "https" in (urlsplit(url).scheme, urlsplit(proxy or "").scheme) else None


EMPTY = Environment()


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Tell whether *entry* is the host, its parent domain, its network, or ``*``; optionally with a port."""
    if entry in ("", "*"):
        return entry == "*"
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdecimal():
        return int(digits) == port and _matches(name, host, port)
    name = entry.strip("[]").lstrip("*.")
    return host == name or host.endswith(f".{name}")


def _to_proxy(value: str, variable: str) -> str:
    url = value if "://" in value else f"http://{value}"
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in _SCHEMES and parts.hostname and parts.port != 0 and _PLAIN.fullmatch(url):
            return parts.geturl()
    raise CallError(f"{variable} must be the URL of a proxy: {', '.join(_SCHEMES)}（代理地址不正确，请检查环境变量）")


def check_socks_support(proxy: str | None, module: str, package: str) -> None:
    """Check that the HTTP library can use the proxy, if it is a SOCKS proxy.

    Raises:
        CallError: The package that this needs is not installed.
    """
    if proxy and proxy.startswith("socks") and importlib.util.find_spec(module) is None:
        raise CallError(f"a SOCKS proxy needs the package {package}（使用 SOCKS 代理需要安装 {package}）")
