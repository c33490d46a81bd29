"""A bot as a cloud function (云函数): ``python examples/cloud_function.py --sample``, or an event as JSON on stdin.

WeChat calls a cloud function inside its own network: nothing is signed or encrypted, so no Token and no key is needed.
There is no store either: a push that is sent again is handled again, so check its MsgId before an irrevocable action.
"""

import json
import logging
import sys
from typing import Any

from wechat_msg import (
    ClickEvent,
    ImageMessage,
    ImageReply,
    Message,
    Router,
    SubscribeEvent,
    TextMessage,
    answer_cloud_function,
    parse_message,
)

log = logging.getLogger("bot")
router = Router()


@router.on(TextMessage, content="help")
@router.on(ClickEvent, event_key="HELP")
def answer_help(_: TextMessage | ClickEvent) -> str:
    return "Send me text or a picture, and it comes back. 发文字或图片给我，我会原样发回。"


@router.on(TextMessage)
def answer_text(message: TextMessage) -> str:
    return message.content


@router.on(ImageMessage)
def answer_image(message: ImageMessage) -> ImageReply:
    return ImageReply(media_id=message.media_id)


@router.on(SubscribeEvent)
def answer_subscribe(event: SubscribeEvent) -> str:
    return f"Welcome! You come from {event.scene}. 欢迎关注！" if event.scene else "Welcome! 欢迎关注！"


@router.default
def answer_other(message: Message) -> None:
    log.info("acknowledged: %r", message)


def main_handler(event: dict[str, Any], _context: object = None) -> dict[str, Any] | str:
    """Answer one push: a dict is a reply, ``success`` an acknowledgement."""
    message = parse_message(event)
    return answer_cloud_function(message, router(message))  # for a Mini Program: account_kind=MINI_PROGRAM


SAMPLE = {
    "ToUserName": "wx0123456789abcdef",
    "FromUserName": "oABCDEFGHIJKLMNOPQRSTUVWXYZ0",
    "CreateTime": 1555684067,
    "MsgType": "text",
    "Content": "hello",
    "MsgId": "49d73fd2_1555684067",
}

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    event = SAMPLE if "--sample" in sys.argv else json.load(sys.stdin)
    print(json.dumps(main_handler(event), ensure_ascii=False))
