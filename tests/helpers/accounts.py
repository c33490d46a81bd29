"""The account of a client, for tests of what works without one."""

from __future__ import annotations

from typing import Any

from wechat_msg.client import StableTokenSource
from wechat_msg.client.account import Account
from wechat_msg.client.hosts import Hosts


def make_account(*, hosts: Any = ("https://one.example.com",), **options: Any) -> Account:
    """Make an account with the defaults of a client, on clocks that stand still."""
    given: dict[str, Any] = {
        "appid": "wx1",
        "secret": "SECRET",
        "timeout": (3.05, 10.0),
        "total_timeout": 30.0,
        "retries": 2,
        "token_source": StableTokenSource(),
        "clock": lambda: 0.0,
        "monotonic": lambda: 0.0,
        "random": lambda: 0.0,
        **options,
    }
    return Account(hosts=Hosts(hosts, given["monotonic"]), **given)
