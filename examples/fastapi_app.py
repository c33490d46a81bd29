"""A bot on FastAPI: ``python examples/fastapi_app.py``, or ``uvicorn examples.fastapi_app:app``."""

import asyncio
import logging
import os
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from wechat_msg import (
    AsyncPushEndpoint,
    AsyncStore,
    ClickEvent,
    ImageMessage,
    ImageReply,
    Message,
    PushSettings,
    Router,
    SettingsError,
    SQLiteStore,
    Store,
    SubscribeEvent,
    TextMessage,
)
from wechat_msg.adapters.fastapi import push_router

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("bot")
router = Router()


@router.on(TextMessage, content="help")
@router.on(ClickEvent, event_key="HELP")
def answer_help(_: TextMessage | ClickEvent) -> str:
    return "Send me text or a picture, and it comes back. 发文字或图片给我，我会原样发回。"


@router.on(TextMessage)
async def answer_text(message: TextMessage) -> str:
    await asyncio.sleep(0.1)  # in place of your database, your language model ...
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


def open_store() -> Store | AsyncStore:
    """Return the store: Redis if REDIS_URL is set, else a file."""
    if url := os.environ.get("REDIS_URL"):
        from redis.asyncio import Redis

        from wechat_msg.stores.redis import AsyncRedisStore

        return AsyncRedisStore(Redis.from_url(url))
    return SQLiteStore(os.environ.get("WECHAT_STORE") or Path(__file__).with_suffix(".db"))


try:
    settings = PushSettings.from_env(required=("token", "encoding_aes_key", "appid"))
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(4)  # the status at which gunicorn gives up, instead of starting it again and again

app = FastAPI()
app.include_router(push_router(AsyncPushEndpoint(settings, router, store=open_store()), "/wechat"))

if __name__ == "__main__":
    uvicorn.run(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")))
