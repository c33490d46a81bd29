"""A bot with slow answers: "7" is answered after 7 seconds.  python examples/slow_bot.py --late keep

WeChat waits 5 seconds for an answer and sends a message three times, so an endpoint alone answers within 14 seconds.
``--late`` determines what happens to an answer that takes longer, and to all but the first of several answers: send
"list". Under other servers SLOW_BOT_LATE does the same: ``uvicorn examples.slow_bot:app``, or
``gunicorn --threads 16 examples.slow_bot:wsgi_app``. To send a late answer, it needs the AppSecret in WECHAT_SECRET;
without it, the answer is only logged. What it has acknowledged is in its SQLite file until it is answered: kill the
bot while it thinks, start it again, and the user gets the answer all the same.
"""

import argparse
import asyncio
import json
import logging
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from wechat_msg import (
    AnswerLater,
    AsyncPushEndpoint,
    Client,
    FallbackReply,
    KeepReply,
    PushEndpoint,
    PushSettings,
    Router,
    SettingsError,
    SQLiteStore,
    Store,
    TextMessage,
)
from wechat_msg.adapters import asgi, wsgi
from wechat_msg.api import customer_service

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("bot")
router, async_router = Router(), Router()


def is_number(message: TextMessage) -> bool:
    return bool(re.fullmatch(r"\d{1,2}(\.\d)?", message.content))


@router.on(TextMessage, is_number)
def answer_slowly(message: TextMessage) -> str:
    log.info("handling message %s", message.msg_id)
    time.sleep(float(message.content))  # in place of your database, your language model ...
    return f"{message.content} seconds later ... {message.content} 秒后"


@async_router.on(TextMessage, is_number)
async def answer_slowly_async(message: TextMessage) -> str:
    log.info("handling message %s", message.msg_id)
    await asyncio.sleep(float(message.content))
    return f"{message.content} seconds later ... {message.content} 秒后"


@router.on(TextMessage, content="list")
@async_router.on(TextMessage, content="list")
def answer_in_parts(_: TextMessage) -> list[str]:
    return ["One. 一。", "Two. 二。", "Three. 三。"]


@router.on(TextMessage)
@async_router.on(TextMessage)
def answer_help(_: TextMessage) -> str:
    return "Send me a number of seconds. 请发送秒数，例如 7。"


def send_later(message: dict[str, Any]) -> None:
    if client:
        client.call(customer_service.send_body(message))
    else:
        log.info("customer-service message: %s", json.dumps(message, ensure_ascii=False))


WAIT = "I am thinking. Send any text to read the answer. 正在思考，回复任意文字查看答案。"
KEEP = KeepReply(WAIT, more="\n(Send any text for more. 回复任意文字查看后文)")
POLICIES = {
    "none": None,
    # For accounts that may send customer-service messages.
    "answer-later": AnswerLater(send_later),
    "answer-later-last": AnswerLater(send_later, after="last_try"),
    "answer-later-text": AnswerLater(send_later, text="One moment, please. 请稍候。", unsent=KEEP),
    "answer-later-at-once": AnswerLater(send_later, text="One moment, please. 请稍候。", after="at_once"),
    # For the others.
    "keep": KEEP,
    "keep-first": KeepReply(WAIT, after="first_try", fetch=lambda message: not is_number(message)),
    "fallback": FallbackReply("That took too long, sorry. 时间太长，没能等到结果，抱歉。"),
}


def open_store() -> Store:
    """Return the store: Redis if REDIS_URL is set, else a file."""
    if url := os.environ.get("REDIS_URL"):
        import redis

        from wechat_msg.stores.redis import RedisStore

        return RedisStore(redis.Redis.from_url(url))
    return SQLiteStore(os.environ.get("WECHAT_STORE") or Path(__file__).with_suffix(".db"))


options = argparse.ArgumentParser(description='A bot with slow answers: "7" is answered after 7 seconds.')
options.add_argument("--late", choices=POLICIES, default=os.environ.get("SLOW_BOT_LATE", "none"))
late = POLICIES[options.parse_args(None if __name__ == "__main__" else []).late]

try:
    settings = PushSettings.from_env(required=("token", "encoding_aes_key", "appid"))
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(4)  # the status at which gunicorn gives up, instead of starting it again and again

store = open_store()
client = Client.from_env(store=store) if os.environ.get("WECHAT_SECRET") else None
executor = ThreadPoolExecutor(16)  # handles up to 16 messages at a time

app = asgi.push_app(AsyncPushEndpoint(settings, async_router, store=store, late=late))
wsgi_app = wsgi.push_app(PushEndpoint(settings, router, store=store, late=late, executor=executor))

if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")))
