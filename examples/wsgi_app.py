"""A bot on plain WSGI: ``python examples/wsgi_app.py``, or ``gunicorn examples.wsgi_app:app``."""

import contextlib
import logging
import os
import sys
from pathlib import Path
from wsgiref.simple_server import make_server

from wechat_msg import (
    ClickEvent,
    ImageMessage,
    ImageReply,
    Message,
    PushEndpoint,
    PushSettings,
    Router,
    SettingsError,
    SQLiteStore,
    Store,
    SubscribeEvent,
    TextMessage,
)
from wechat_msg.adapters.wsgi import push_app

logging.basicConfig(level=logging.INFO)
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


def open_store() -> Store:
    """Return the store: Redis if REDIS_URL is set, else a file."""
    if url := os.environ.get("REDIS_URL"):
        import redis

        from wechat_msg.stores.redis import RedisStore

        return RedisStore(redis.Redis.from_url(url))
    return SQLiteStore(os.environ.get("WECHAT_STORE") or Path(__file__).with_suffix(".db"))


try:
    settings = PushSettings.from_env(required=("token", "encoding_aes_key", "appid"))
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(4)  # the status at which gunicorn gives up, instead of starting it again and again

app = push_app(PushEndpoint(settings, router, store=open_store()))

if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    with make_server(host, port, app) as server, contextlib.suppress(KeyboardInterrupt):
        print(f"Listening at http://{host}:{server.server_port}")
        server.serve_forever()
