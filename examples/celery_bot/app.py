"""The web server: ``python examples/celery_bot/app.py``, or gunicorn. It hands each push to the workers of Celery."""

import logging
import os

from flask import Flask
from tasks import endpoint

from wechat_msg.adapters.flask import push_view

logging.basicConfig(level=logging.INFO)

app = Flask(__name__)
app.add_url_rule("/wechat", view_func=push_view(endpoint))

if __name__ == "__main__":
    app.run(os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000")))
