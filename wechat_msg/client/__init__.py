"""Clients of WeChat's API, and the sources of their access_tokens.

requests or httpx2 is imported when a client is made.
"""

from wechat_msg.client.clients import AsyncClient, Client
from wechat_msg.client.hosts import DEFAULT_HOSTS
from wechat_msg.client.sources import (
    ClassicTokenSource,
    FetchAttempt,
    FixedToken,
    RemoteTokenSource,
    Source,
    StableTokenSource,
)

__all__ = [
    "DEFAULT_HOSTS",
    "AsyncClient",
    "ClassicTokenSource",
    "Client",
    "FetchAttempt",
    "FixedToken",
    "RemoteTokenSource",
    "Source",
    "StableTokenSource",
]
