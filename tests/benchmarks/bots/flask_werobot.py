"""On WeRoBot and Flask, set up as that project's documentation says."""

import os

from flask import Flask
from werobot import WeRoBot
from werobot.contrib.flask import make_view

robot = WeRoBot(
    token=os.environ["WECHAT_TOKEN"],
    encoding_aes_key=os.environ["WECHAT_ENCODING_AES_KEY"],
    app_id=os.environ["WECHAT_APPID"],
    enable_session=False,
)


@robot.text
def echo(message):
    return message.content


@robot.handler
def answer(_):
    return "only text, please"


app = Flask(__name__)
app.add_url_rule("/wechat", endpoint="wechat", view_func=make_view(robot), methods=["GET", "POST"])
