"""What the bots on wechatpy do, with the steps of that project's echo example."""

import os

from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

TOKEN = os.environ["WECHAT_TOKEN"]
CRYPTO = WeChatCrypto(TOKEN, os.environ["WECHAT_ENCODING_AES_KEY"], os.environ["WECHAT_APPID"])


def answer(query, body):
    """Return the answer to a sealed push."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    check_signature(TOKEN, query.get("signature", ""), timestamp, nonce)
    message = parse_message(CRYPTO.decrypt_message(body, query.get("msg_signature", ""), timestamp, nonce))
    text = message.content if message.type == "text" else "only text, please"
    return CRYPTO.encrypt_message(create_reply(text, message).render(), nonce, timestamp)
