"""A token server (中控服务器): gunicorn --bind 127.0.0.1:8080 --workers 2 --threads 8 examples.token_server.app:app.

Only this program fetches access_tokens; other programs request them here, as client.py does. WECHAT_APPID and
WECHAT_SECRET are those of one account; for several, WECHAT_PREFIXES lists the prefixes of variables: ``WECHAT_,SHOP_``.
"""

import logging
import os
import sys
from pathlib import Path

from wechat_msg import Client, SQLiteStore, WeChatError
from wechat_msg.client.token_server import make_token_server

logging.basicConfig(level=logging.INFO)

# All workers share the access_token in this file. A program that can read the file can use the access_token.
store = SQLiteStore(os.environ.get("WECHAT_STORE") or Path(__file__).with_name("tokens.db"))
prefixes = os.environ.get("WECHAT_PREFIXES", "WECHAT_").split(",")

try:
    clients = [Client.from_env(prefix.strip(), store=store) for prefix in prefixes]
    app = make_token_server(clients, os.environ.get("WECHAT_TOKEN_SERVER_SECRET", ""))
except WeChatError as error:
    print(f"{error} [WECHAT_APPID, WECHAT_SECRET, WECHAT_TOKEN_SERVER_SECRET]", file=sys.stderr)
    sys.exit(4)  # the status at which gunicorn gives up, instead of starting it again and again
