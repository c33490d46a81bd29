"""The bot: which message gets which answer."""

import logging

from wechat_msg import ClickEvent, ImageMessage, ImageReply, Message, Router, SubscribeEvent, TextMessage

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
