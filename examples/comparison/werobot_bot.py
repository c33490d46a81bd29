"""An echo bot on WeRoBot, set up as that project's documentation says."""

import os
import time

from werobot import WeRoBot

robot = WeRoBot(token=os.environ["WECHAT_TOKEN"], enable_session=False)
robot.config["APP_ID"] = os.environ["WECHAT_APPID"]
robot.config["ENCODING_AES_KEY"] = os.environ["WECHAT_ENCODING_AES_KEY"]


@robot.text
def echo(message):
    if message.content.isdecimal():
        time.sleep(int(message.content))  # in place of a database, a language model ...
    return message.content


@robot.handler
def answer(_):
    return "only text, please"


if __name__ == "__main__":
    robot.run(host="127.0.0.1", port=int(os.environ["PORT"]), server="wsgiref")
