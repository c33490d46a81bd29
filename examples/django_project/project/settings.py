"""The settings, from the environment."""

import os
import secrets
import sys
from pathlib import Path

from wechat_msg import PushSettings, SettingsError, SQLiteStore, Store


def open_store() -> Store:
    """Return the store: Redis if REDIS_URL is set, else a file."""
    if url := os.environ.get("REDIS_URL"):
        import redis

        from wechat_msg.stores.redis import RedisStore

        return RedisStore(redis.Redis.from_url(url))
    return SQLiteStore(os.environ.get("WECHAT_STORE") or Path(__file__).parents[1] / "wechat_msg.db")


try:
    WECHAT = PushSettings.from_env(required=("token", "encoding_aes_key", "appid"))
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(4)  # the status at which gunicorn gives up, instead of starting it again and again

WECHAT_STORE = open_store()  # or wechat_msg.stores.django.DjangoStore(): in a table of your own database

DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50)  # nothing of the bot is signed with it
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")

ROOT_URLCONF = "project.urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
