"""What the bot answers: "30" is answered after 30 seconds. Handlers run in the workers of Celery."""

import logging
import os
import re
import time

from wechat_msg import Router, TextMessage

log = logging.getLogger(__name__)
router = Router()


def is_number(message: TextMessage) -> bool:
    return bool(re.fullmatch(r"\d{1,2}(\.\d)?", message.content))


@router.on(TextMessage, is_number)
def answer_slowly(message: TextMessage) -> str:
    log.info("handling message %s in process %s", message.msg_id, os.getpid())
    time.sleep(float(message.content))  # in place of your database, your language model ...
    return f"{message.content} seconds later ... {message.content} 秒后"


@router.on(TextMessage)
def answer_help(_: TextMessage) -> str:
    return "Send me a number of seconds. 请发送秒数，例如 30。"
