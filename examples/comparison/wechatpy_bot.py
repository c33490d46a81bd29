"""An echo bot on wechatpy and Flask, with the steps of that project's own echo example."""

import os
import time

from flask import Flask, abort, request
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import check_signature

TOKEN = os.environ["WECHAT_TOKEN"]
CRYPTO = WeChatCrypto(TOKEN, os.environ["WECHAT_ENCODING_AES_KEY"], os.environ["WECHAT_APPID"])

app = Flask(__name__)


def answer(xml):
    message = parse_message(xml)
    if message.type != "text":
        return create_reply("only text, please", message).render()
    if message.content.isdecimal():
        time.sleep(int(message.content))  # in place of a database, a language model ...
    return create_reply(message.content, message).render()


@app.route("/wechat", methods=["GET", "POST"])
def wechat():
    query = request.args
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    try:
        check_signature(TOKEN, query.get("signature", ""), timestamp, nonce)
        if request.method == "GET":
            return query.get("echostr", "")
        if query.get("encrypt_type", "raw") == "raw":
            return answer(request.data)
        xml = CRYPTO.decrypt_message(request.data, query.get("msg_signature", ""), timestamp, nonce)
    except (InvalidSignatureException, InvalidAppIdException):
        abort(403)
    return CRYPTO.encrypt_message(answer(xml), nonce, timestamp)


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
