"""Clients of WeChat's API, and where their access_tokens come from.

Imports requests or httpx2 only when a client is made.
"""

from wechat_msg.client.clients import AsyncClient, Client
from wechat_msg.client.hosts import DEFAULT_HOSTS
from wechat_msg.client.sources import (
    Attempt,
    ClassicTokenSource,
    FixedToken,
    RemoteTokenSource,
    Source,
    StableTokenSource,
)

__all__ = [
    "DEFAULT_HOSTS",
    "AsyncClient",
    "Attempt",
    "ClassicTokenSource",
    "Client",
    "FixedToken",
    "RemoteTokenSource",
    "Source",
    "StableTokenSource",
]
