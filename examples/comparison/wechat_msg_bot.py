"""An echo bot on wechat_msg and Flask, to compare with those on other SDKs."""

import os
import time

from flask import Flask

from wechat_msg import PushEndpoint, PushSettings, TextMessage
from wechat_msg.adapters.flask import push_view


def answer(message):
    if not isinstance(message, TextMessage):
        return "only text, please"
    if message.content.isdecimal():
        time.sleep(int(message.content))  # in place of a database, a language model ...
    return message.content


app = Flask(__name__)
app.add_url_rule("/wechat", view_func=push_view(PushEndpoint(PushSettings.from_env(), answer)))

if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
