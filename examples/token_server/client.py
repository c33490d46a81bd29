"""A program that gets its access_token from the token server: python examples/token_server/client.py.

It has no AppSecret, and its address need not be on the account's list (IP 白名单).
"""

import os
import sys

from wechat_msg import Client, WeChatError
from wechat_msg.api import callback
from wechat_msg.client import RemoteTokenSource


def make_client() -> Client:
    server = os.environ.get("WECHAT_TOKEN_SERVER", "http://127.0.0.1:8080")
    source = RemoteTokenSource(server, os.environ.get("WECHAT_TOKEN_SERVER_SECRET", ""))
    return Client.from_env(token_source=source)


def main() -> int:
    try:
        with make_client() as client:
            print("WeChat's addresses 微信服务器地址:", *client.call(callback.get_api_domain_ips()))
    except WeChatError as error:
        print(error, *getattr(error, "__notes__", []), sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
