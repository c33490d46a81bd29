"""``wechat-msg dev``: real bots in processes of their own, with the playground, and changes of their files."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers.commands import COMMAND, ENVIRON, answering, ask
from tests.helpers.playgrounds import Follower, Page
from tests.helpers.servers import ROOT, TIMEOUT, complete, serve
from tests.helpers.waiting import wait_until
from wechat_msg.cli.dev import read_times

#: An application as WSGI, as ASGI, and its endpoints; its answers come late, through the API that is played.
APPLICATION = """
import time
from wechat_msg import AnswerLater, AsyncPushEndpoint, Client, PushEndpoint, PushSettings, Router
from wechat_msg.adapters import asgi, wsgi
from wechat_msg.api import customer_service

client = Client.from_env()
settings = PushSettings.from_env()

def answer(message):
    client.call(customer_service.send(message.from_user_name, "sent by the API"))
    return "the first version"

async def answer_async(message):
    return answer(message)

router = Router()
endpoint = PushEndpoint(settings, answer)
async_endpoint = AsyncPushEndpoint(settings, answer_async)
wsgi_app = wsgi.push_app(endpoint)

class App:
    async def __call__(self, scope, receive, send):
        await asgi.push_app(async_endpoint)(scope, receive, send)

asgi_app = App()
stranger = PushEndpoint(PushSettings(token="another"), answer)
stranger_wsgi = wsgi.push_app(stranger)

async def stranger_asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        print("the application starts")
        await send({"type": "lifespan.startup.complete"})
        await receive()
    else:
        await asgi.push_app(AsyncPushEndpoint(stranger.settings, answer_async))(scope, receive, send)

def make_app(config=None):
    return wsgi_app

number = 1
"""

#: A project in one file, as that of the quickstart.
DJANGO = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application as create_app
from django.urls import path
from wechat_msg import PushEndpoint, PushSettings
from wechat_msg.adapters.django import push_view

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
endpoint = PushEndpoint(PushSettings.from_env(), lambda message: message.content)
urlpatterns = [path("wechat", push_view(endpoint))]
"""


class Bot:
    """The page, and the file of the bot behind it."""

    def __init__(self, server, file):
        self.server, self.file = server, file
        address = re.search(r"http://\S+\?key=\S+", server.read_log())[0]
        self.page = Page(SimpleNamespace(base=address.partition("/?")[0], address=address)).log_in()
        self.chat = Follower(self.page)

    def ask(self, mode="sealed"):
        """Send a text, and return that of the answer; None if the bot fails."""
        number = self.page.push({"MsgType": "text", "Content": "hi"}, mode=mode)
        self.chat.wait_done(number)
        replies = [each for each in self.chat.entries.values() if each.get("of") == number]
        return next((each["reply"]["Content"] for each in replies if each["kind"] == "reply"), None)

    def wait_for(self, *lines):
        """Wait until these lines have been printed, in this order."""
        form = ".*".join(map(re.escape, lines))
        wait_until(lambda: re.search(form, self.server.read_log(), re.DOTALL), self.server.read_log)

    def change(self, old, new):
        self.file.write_text(self.file.read_text().replace(old, new))


@contextlib.contextmanager
def run_dev(folder, name="app:endpoint", *options, text=APPLICATION, environ=None):
    file = folder / "app.py"
    file.write_text(text)
    environ = environ or dict.fromkeys(ENVIRON, "")
    with serve(*COMMAND, "dev", name, "--port", "0", *options, environ=environ, folder=folder) as server:
        yield Bot(server, file)


@contextlib.contextmanager
def start_dev(folder, text=APPLICATION):
    """Start the command in a session of its own, with pipes; end all its processes at the end."""
    (folder / "app.py").write_text(text)
    with subprocess.Popen(
        (sys.executable, *COMMAND, "dev", "app:endpoint", "--port", "0"),
        cwd=folder,
        env=complete(dict.fromkeys(ENVIRON, "")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


class TestDev:
    @pytest.mark.parametrize("name", ["wsgi_app", "asgi_app", "endpoint", "async_endpoint", "make_app"])
    def test_serves_an_application_whose_calls_reach_the_playground(self, tmp_path, name):
        with run_dev(tmp_path, f"app:{name}") as bot:
            assert bot.ask() == "the first version"
            bot.chat.wait(lambda each: each.get("message", {}).get("text") == {"content": "sent by the API"})
            bot.wait_for(f"✓ app:{name} is running")

    def test_starts_the_bot_again_when_a_file_changes_and_shows_why_it_cannot_be_imported(self, tmp_path):
        with run_dev(tmp_path) as bot:
            bot.wait_for("is running")
            bot.change("first", "second")
            bot.wait_for("changed  app.py")
            assert bot.ask() == "the second version"  # after it has waited for the new bot

            bot.change("number = 1", "number = 1 / 0")
            bot.wait_for("number = 1 / 0", "ZeroDivisionError", "✗ cannot import app:endpoint; it is tried again")
            assert "bot_process" not in bot.server.read_log()
            assert bot.ask() is None

            bot.change("number = 1 / 0", "import os; os._exit(7)")
            bot.wait_for("✗ the bot has ended with status 7; it is started again when a file changes")

            number = bot.page.push({"MsgType": "text", "Content": "hi"})
            bot.chat.wait_done(number)
            assert "503" in str([each for each in bot.chat.entries.values() if each.get("of") == number])

            bot.change("os._exit(7)", "os.kill(os.getpid(), 15)")
            bot.wait_for("✗ the bot was ended by the signal SIGTERM; it is started again when a file changes")

            bot.change("import os; os.kill(os.getpid(), 15)", "")
            bot.wait_for("SIGTERM", "is running")
            assert bot.ask() == "the second version"

    def test_waits_for_a_file_that_does_not_exist_yet(self, tmp_path):
        with run_dev(tmp_path, "other:endpoint") as bot:
            bot.wait_for("ModuleNotFoundError: No module named 'other'", "✗ cannot import other:endpoint")
            (tmp_path / "other.py").write_text("from app import endpoint")
            bot.wait_for("changed  other.py", "✓ other:endpoint is running")

    def test_names_an_object_that_is_no_application(self, tmp_path):
        with run_dev(tmp_path, "app:number") as bot:
            bot.wait_for("the int is neither a WSGI or ASGI application, nor an endpoint, nor a function")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("router", "a Router needs an endpoint: PushEndpoint(settings, ...)"),
            ("answer", "answer() is neither a WSGI or ASGI application, nor an endpoint"),
        ],
    )
    def test_explains_that_a_handler_needs_an_endpoint(self, tmp_path, name, text):
        with run_dev(tmp_path, f"app:{name}") as bot:
            bot.wait_for(text, f"✗ cannot import app:{name}")

    def test_warns_of_an_endpoint_with_another_token(self, tmp_path):
        with run_dev(tmp_path, "app:stranger") as bot:
            bot.wait_for(
                "is running",
                "! app:stranger has another Token  dev uses new settings; let app:stranger use PushSettings.from_env()",
            )

    @pytest.mark.parametrize(
        ("own", "warning"), [("PushSettings.from_env()", None), ("PushSettings(token='another')", "another Token")]
    )
    def test_takes_settings_of_cloud_run_for_what_they_are(self, tmp_path, own, warning):
        text = APPLICATION.replace("settings = PushSettings.from_env()", f"settings = {own}")
        environ = dict.fromkeys(ENVIRON, "") | {"WECHAT_CLOUD_RUN": "1", "WECHAT_APPID": ENVIRON["WECHAT_APPID"]}
        with run_dev(tmp_path, text=text, environ=environ) as bot:
            bot.wait_for("✓ app:endpoint is running")
            assert bot.ask("plain") == (None if warning else "the first version")
            assert ("has another Token" in bot.server.read_log()) == bool(warning)

    @pytest.mark.parametrize("name", ["app:stranger_wsgi", "app:stranger_asgi"])
    def test_explains_the_first_push_that_an_application_refuses(self, tmp_path, name):
        with run_dev(tmp_path, name, environ=ENVIRON) as bot:
            bot.wait_for(*["the application starts"][: name.endswith("asgi")], f"✓ {name} is running")
            assert [bot.ask(), bot.ask()] == [None, None]
            bot.wait_for(
                f"! {name} refused a push (403); its Token or key may be another one",
                "dev uses WECHAT_TOKEN, WECHAT_ENCODING_AES_KEY, WECHAT_APPID;",
                "in .env, or --token, --aes-key and --appid",
                "(for a bot of Cloud Run WECHAT_CLOUD_RUN=1 and WECHAT_APPID)",
            )
            shown = bot.server.read_log()
        assert shown.count("refused a push (403)") == 1
        assert "spamtest" not in shown
        assert "another\n" not in shown

    def test_shows_new_settings_and_the_address_of_the_bot_for_the_other_commands(self, tmp_path, environ):
        with run_dev(tmp_path, "app:wsgi_app") as bot:
            bot.wait_for("✓ app:wsgi_app is running")
            shown = bot.server.read_log()
            for name, value in re.findall(r"export (\w+)=(\S+)", shown):
                environ.setenv(name, value)
            result = ask("push", re.search(r"is running  (http:\S+)", shown)[1], "--text", "hi", "--openid", "oUSER")
        assert "the first version" in result.stdout

    def test_reports_a_port_of_the_bot_that_is_in_use(self):
        with answering(b"") as url:
            port = int(url.rpartition(":")[2])
            for words in (["--bot-port", str(port)], ["--port", str(port - 1)]):
                result = ask("dev", "app:endpoint", *words)
                assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
                assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in result.stderr

    def test_serves_a_django_project(self, tmp_path):
        for file in (ROOT / "examples/django_project/project").iterdir():
            if file.suffix == ".py":
                (tmp_path / "project").mkdir(exist_ok=True)
                (tmp_path / "project" / file.name).write_text(file.read_text())
        (tmp_path / "quickstart.py").write_text(DJANGO)
        for name in ("project.wsgi:application", "project.asgi:application", "quickstart:create_app"):
            with run_dev(tmp_path, name) as bot:
                bot.wait_for(f"✓ {name} is running")
                assert bot.ask() == "hi"

    def test_uses_the_settings_and_shows_no_secret(self, tmp_path):
        text = APPLICATION + '\nassert settings.token == "spamtest"\nPath = __import__("pathlib").Path\n'
        text += 'Path("commands").write_text(Path("/proc/self/cmdline").read_text())'
        with run_dev(tmp_path, text=text, environ={**ENVIRON, "WECHAT_SECRET": "0" * 32}) as bot:
            assert bot.ask() == "the first version"
            shown = bot.server.read_log() + (tmp_path / "commands").read_text()
        for secret in ("spamtest", "A" * 43, "0" * 32):
            assert secret not in shown

    def test_leaves_standard_input_to_the_bot(self, tmp_path):
        """A breakpoint in a handler needs it."""
        with start_dev(tmp_path, APPLICATION + "\nbreakpoint()\n") as process:
            process.stdin.write(b"p 6 * 7\nc\n")
            process.stdin.flush()
            lines = iter(process.stdout.readline, b"")
            assert any(b"42" in line for line in lines if line.startswith(b"(Pdb)"))
            assert any(b"is running" in line for line in lines)

    @pytest.mark.parametrize(
        ("number", "when"),
        [
            (signal.SIGINT, "Open http"),
            (signal.SIGINT, "is running"),
            (signal.SIGTERM, "is running"),
            (signal.SIGKILL, "is running"),
        ],
    )
    def test_ends_all_processes(self, tmp_path, number, when):
        """Ctrl-C reaches all of them, the other signals only the first."""
        with start_dev(tmp_path) as process:
            while when.encode() not in process.stdout.readline():
                pass
            (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
            _, errors = process.communicate(timeout=TIMEOUT)  # the bot holds the other end of the pipes

        assert errors == b"" or number == signal.SIGKILL or when == "Open http"  # there asyncio may warn as it starts
        assert process.returncode == (0 if number != signal.SIGKILL else -signal.SIGKILL)

    def test_needs_an_application(self):
        assert "MODULE:APP is missing: your application or endpoint, such as app:app" in ask("dev").stderr
        assert "缺少 MODULE:APP：你的应用或 endpoint" in ask("dev", "--lang", "zh").stderr

    def test_reports_a_port_in_use(self):
        with answering(b"") as url:
            result = ask("dev", "app:endpoint", "--port", url.rpartition(":")[2])

        assert result.exit_code == 2
        assert "cannot listen on" in result.stderr


class TestReadTimes:
    def test_finds_files_of_python_but_not_those_of_environments(self, tmp_path):
        files = ["app.py", "bot/handlers.py", "bot/data.json", ".venv/a.py", "env/lib/b.py", "env/pyvenv.cfg"]
        for name in [*files, "node_modules/c.py"]:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("")
        (tmp_path / "gone.py").symlink_to("nowhere")
        assert sorted(read_times(tmp_path)) == ["app.py", str(Path("bot", "handlers.py"))]

    def test_shows_every_change(self, tmp_path):
        file = tmp_path / "app.py"
        file.write_text("1")
        before = read_times(tmp_path)
        os.utime(file, (time.time(), time.time() + 1))
        assert read_times(tmp_path) != before
        file.unlink()
        assert read_times(tmp_path) == {}
