"""The workers: ``celery --workdir examples/celery_bot --app tasks worker --loglevel INFO``.

They send late answers, so they need the AppSecret in WECHAT_SECRET; without it, an answer is only logged.
"""

import json
import logging
import os
import sys
from typing import Any

import redis
from celery import Celery
from handlers import router

from wechat_msg import AnswerLater, Client, PushEndpoint, PushSettings, SettingsError
from wechat_msg.api import customer_service
from wechat_msg.stores.redis import RedisStore

log = logging.getLogger(__name__)
REDIS_URL = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"

celery = Celery("bot", broker=REDIS_URL)
celery.conf.update(
    task_acks_late=True,  # a job of a killed worker stays in the queue
    task_ignore_result=True,  # the endpoint keeps the answer
    worker_prefetch_multiplier=1,  # no worker holds jobs that another one could begin
    broker_transport_options={"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0},
)


@celery.task
def answer_push(job: str) -> None:
    endpoint.run_job(job)


def send_later(message: dict[str, Any]) -> None:
    if client:
        client.call(customer_service.send_body(message))
    else:
        log.info("customer-service message: %s", json.dumps(message, ensure_ascii=False))


try:
    settings = PushSettings.from_env(required=("token", "encoding_aes_key", "appid"))
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(4)  # the status at which gunicorn gives up, instead of starting it again and again

store = RedisStore(redis.Redis.from_url(REDIS_URL))
client = Client.from_env(store=store) if os.environ.get("WECHAT_SECRET") else None
endpoint = PushEndpoint(settings, router, store=store, late=AnswerLater(send_later), queue=answer_push.delay)
