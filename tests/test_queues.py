"""The recipes of docs/queues.md, saved and started as their readers would do it, with the real queues."""

import asyncio
import contextlib
import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huey import SqliteHuey

from tests.helpers.documents import read_commands, read_section
from tests.helpers.redis_server import run_redis
from tests.helpers.servers import TIMEOUT, Client, run, serve, start
from tests.helpers.waiting import wait_until
from wechat_msg import AsyncPushEndpoint, PushEndpoint, PushSettings, SQLiteStore
from wechat_msg.testing import FakeWeChatAPI, build_push, open_reply

PAGE = "docs/queues.md"
BROKER = "redis://127.0.0.1:6379/"
SETTINGS = PushSettings(token="aTokenForTests", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")

#: What a project of Django has besides the recipe.
MANAGE = "import sys; from django.core.management import execute_from_command_line as run; run(sys.argv)"
PROJECT = """
SECRET_KEY, ALLOWED_HOSTS, ROOT_URLCONF = "secret", ["*"], "urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""


class Recipe:
    """The bot of a recipe in a folder; its broker and WeChat's API are its own."""

    def __init__(self, name, folder, broker, wechat):
        self.folder, self.broker, self.wechat = folder, broker, wechat
        (bot,) = read_section(PAGE, "The bot", "code")
        *project, recipe = read_section(PAGE, name, "code")
        self.save("urls.py" if project else "bot.py", bot.source + recipe.source)
        for block in project:
            self.save("settings.py", PROJECT + block.source)
            self.save("manage.py", MANAGE)
        self.environ = {
            "WECHAT_TOKEN": SETTINGS.token,
            "WECHAT_ENCODING_AES_KEY": SETTINGS.encoding_aes_key,
            "WECHAT_APPID": SETTINGS.appid,
            "WECHAT_SECRET": wechat.secret,
            "WECHAT_API_HOSTS": wechat.url,
            **({"DJANGO_SETTINGS_MODULE": "settings"} if project else {}),  # Celery would load it, too
        }
        (web,) = self.read_commands("The bot")
        self.web = [*web[:-1], "django.core.wsgi:get_wsgi_application()"] if project else web
        self.has_broker = BROKER in recipe.source
        *self.preparations, self.worker = self.read_commands(name)

    def save(self, name, source):
        if importlib.util.find_spec("django.tasks"):
            source = source.replace("from django_tasks import", "from django.tasks import")
        (self.folder / name).write_text(self.adapt(source), "utf-8")

    def adapt(self, text):
        return text.replace(BROKER, f"redis://127.0.0.1:{self.broker.port}/")

    def read_commands(self, section):
        (block,) = read_section(PAGE, section, "shell")
        for program, *arguments in read_commands(block):
            if program != "pip":
                words = [] if program == "python" else [str(Path(sys.executable).with_name(program))]
                yield [*words, *map(self.adapt, arguments)]

    def start_web(self):
        options = ["--bind", "127.0.0.1:0", "--no-control-socket"]
        return serve(*self.web, *options, environ=self.environ, folder=self.folder)

    def start_worker(self):
        return start(*self.worker, environ=self.environ, folder=self.folder)


@contextlib.contextmanager
def save(name, folder):
    with run_redis() as broker, FakeWeChatAPI(SETTINGS.appid) as wechat:
        recipe = Recipe(name, folder, broker, wechat)
        for command in recipe.preparations:
            status, output = run(*command, environ=recipe.environ, folder=folder)
            assert status == 0, output
        yield recipe


def deliver(web, content):
    with contextlib.closing(Client(web.port)) as client:
        return client.push("/wechat", build_push(SETTINGS, {"Content": content, "FromUserName": "oUSER"}))


def read_answer(recipe, response):
    """Return the answer; on a busy machine a worker may need more than 4.5 seconds, and sends it then."""
    if reply := open_reply(SETTINGS, response.body):
        return reply["Content"]
    wait_until(lambda: recipe.wechat.messages)
    return recipe.wechat.messages[-1]["text"]["content"]


@pytest.mark.parametrize("name", ["Celery", "RQ", "Huey", "Dramatiq", "Django tasks"])
def test_workers_answer_and_without_its_broker_the_server_refuses(name, tmp_path):
    with save(name, tmp_path) as recipe, recipe.start_web() as web, ThreadPoolExecutor(1) as pool:
        first = pool.submit(deliver, web, "hi")
        with pytest.raises(TimeoutError):
            first.result(timeout=0.3)  # the web process does not handle it
        with recipe.start_worker() as worker:
            wait_until(first.done, worker.read_log)
            assert read_answer(recipe, first.result()) == "You said: hi"
            assert read_answer(recipe, deliver(web, "again")) == "You said: again"
            log = web.read_log() + worker.read_log()
            assert "Traceback" not in log, log

        if recipe.has_broker:
            recipe.broker.kill()
            assert deliver(web, "hi").status == 503


def test_server_may_be_async_and_its_worker_not(tmp_path):
    store = SQLiteStore(tmp_path / "wechat.db")
    worker = PushEndpoint(SETTINGS, lambda _: "by the worker", store=store, queue=lambda job: None)

    async def serve_one():
        jobs = asyncio.Queue()
        server = AsyncPushEndpoint(SETTINGS, lambda _: "by the server", store=store, queue=jobs.put)
        response = asyncio.create_task(server.handle(build_push(SETTINGS, {"Content": "hi"})))
        await asyncio.to_thread(worker.run_job, await jobs.get())
        return open_reply(SETTINGS, (await response).body)["Content"]

    assert asyncio.run(serve_one()) == "by the worker"


@pytest.mark.endurance
def test_job_that_its_queue_loses_is_enqueued_again_after_a_minute(tmp_path):
    with save("Huey", tmp_path) as recipe, recipe.start_web() as web:
        assert open_reply(SETTINGS, deliver(web, "hi").body) is None
        SqliteHuey(filename=tmp_path / "queue.db").flush()
        with recipe.start_worker() as worker:
            wait_until(lambda: recipe.wechat.messages, worker.read_log, timeout=2 * TIMEOUT)

    assert [message["text"] for message in recipe.wechat.messages] == [{"content": "You said: hi"}]
