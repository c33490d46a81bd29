"""Every example, started by its one command as a process of its own, and talked to as WeChat would."""

import base64
import contextlib
import itertools
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from examples import cloud_function
from tests.helpers.forking import fork_from
from tests.helpers.redis_server import run_redis
from tests.helpers.rows import check_rows
from tests.helpers.run_document import WITHOUT_PLUGINS
from tests.helpers.servers import GUNICORN, ROOT, TIMEOUT, UVICORN, Client
from tests.helpers.servers import run as run_alone
from tests.helpers.servers import start as start_alone
from tests.helpers.waiting import wait_until
from wechat_msg import PushSettings
from wechat_msg.testing import FakeWeChatAPI, build_echostr_request, build_push, open_reply

COMMANDS = {
    "flask": ["examples/flask_app.py"],
    "flask-gunicorn": [*GUNICORN, "examples.flask_app:app"],
    "wsgi": ["examples/wsgi_app.py"],
    "wsgi-gunicorn": [*GUNICORN, "examples.wsgi_app:app"],
    "django": ["examples/django_project/manage.py", "runserver"],
    "django-gunicorn": [*GUNICORN, "--chdir", "examples/django_project", "project.wsgi"],
    "django-uvicorn": [*UVICORN, "--app-dir", "examples/django_project", "project.asgi:application"],
    "fastapi": ["examples/fastapi_app.py"],
    "fastapi-uvicorn": [*UVICORN, "examples.fastapi_app:app"],
}
EXAMPLES = ["flask", "django", "fastapi", "wsgi"]
SLOW_BOT = {
    "slow": ["examples/slow_bot.py"],
    "slow-uvicorn": [*UVICORN, "examples.slow_bot:app"],
    "slow-gunicorn": [*GUNICORN, "examples.slow_bot:wsgi_app"],
}
CELERY_BOT = {
    "celery": ["examples/celery_bot/app.py"],
    "celery-gunicorn": [*GUNICORN, "--chdir", "examples/celery_bot", "app:app"],
}
CELERY = ["--workdir", "examples/celery_bot", "--app", "tasks", "worker", "--loglevel", "INFO"]
SETTINGS = PushSettings(
    token="aTokenForTests", encoding_aes_key="aKeyForTests" * 3 + "1234567", appid="wx0123456789abcdef"
)
ENVIRON = {
    "WECHAT_TOKEN": SETTINGS.token,
    "WECHAT_ENCODING_AES_KEY": SETTINGS.encoding_aes_key,
    "WECHAT_APPID": SETTINGS.appid,
}
STRANGER = PushSettings(token="aTokenOfAnother", encoding_aes_key=SETTINGS.encoding_aes_key, appid=SETTINGS.appid)

TEXT = {"MsgType": "text", "Content": "你好 ]]> <b>&amp;\n😀"}
CONVERSATION = [
    (TEXT, {"MsgType": "text", "Content": TEXT["Content"]}),
    ({"MsgType": "image", "MediaId": "a picture"}, {"MsgType": "image", "Image": {"MediaId": "a picture"}}),
    (
        {"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_poster7"},
        {"MsgType": "text", "Content": "Welcome! You come from poster7. 欢迎关注！"},
    ),
    ({"MsgType": "event", "Event": "subscribe"}, {"MsgType": "text", "Content": "Welcome! 欢迎关注！"}),
    ({"MsgType": "event", "Event": "unsubscribe"}, None),
    ({"MsgType": "event", "Event": "CLICK", "EventKey": "ANOTHER_BUTTON"}, None),
    ({"MsgType": "telepathy"}, None),
]
HELP = [{"MsgType": "text", "Content": "help"}, {"MsgType": "event", "Event": "CLICK", "EventKey": "HELP"}]

#: What the examples import, directly or not.
LIBRARIES = [
    *("requests", "flask", "fastapi", "uvicorn.main", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread"),
    *("uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "uvicorn.lifespan.on", "redis"),
    *("django.core.management.commands.runserver", "django.core.servers.basehttp", "django.urls", "django.http"),
    *("wechat_msg.client.clients", "wechat_msg.endpoint", "wechat_msg.stores.sqlite", "wechat_msg.api.subscribe"),
    *("wechat_msg.adapters.flask", "wechat_msg.adapters.fastapi", "rich.progress"),
]


@pytest.fixture(scope="module")
def forks():
    with fork_from(*LIBRARIES) as forks:
        yield forks


@pytest.fixture(scope="module")
def run(forks):
    """Run a program to its end; it finds the libraries imported already."""
    return forks.run


@pytest.fixture
def wechat():
    with FakeWeChatAPI(SETTINGS.appid) as wechat:
        yield wechat


@pytest.fixture(scope="module")
def start(forks):
    """Start an example whose store is a file in a folder; it finds the libraries imported already, too."""

    def start(command, folder, **environ):
        place = {"WECHAT_STORE": f"{folder}/store.db", "REDIS_URL": ""}
        return forks.serve(*command, environ={**ENVIRON, **place, **environ})

    return start


def push(server, fields):
    """Send a push and return the reply."""
    response = deliver(server, build_push(SETTINGS, fields))
    assert response.status == 200
    return open_reply(SETTINGS, response.body)


def deliver(server, request):
    """Send a push on a connection of its own."""
    with contextlib.closing(Client(server.port)) as client:
        return client.push("/wechat", request)


@pytest.fixture(scope="module", params=COMMANDS)
def server(start, request, tmp_path_factory):
    with start(COMMANDS[request.param], tmp_path_factory.mktemp("store"), WECHAT_ALLOW_PLAINTEXT="1") as server:
        yield server


@pytest.fixture
def client(server):
    with contextlib.closing(Client(server.port)) as client:
        yield client


class TestBot:
    def test_passes_url_verification(self, client):
        assert (
            client.push("/wechat", build_echostr_request(SETTINGS, "4375120948345356249")).body
            == b"4375120948345356249"
        )

    def test_holds_a_conversation(self, client):
        def check(mode, format, turn):
            fields, expected = turn
            fields = {**fields, "FromUserName": f"o-{mode}-{format}"}  # else the events would be re-sends
            response = client.push("/wechat", build_push(SETTINGS, fields, mode=mode, format=format))
            reply = open_reply(SETTINGS, response.body)

            assert response.status == 200
            assert expected is reply is None or expected.items() <= reply.items()
            assert reply is None or (b"Encrypt" in response.body) is (mode != "plain")

        check_rows(itertools.product(["plain", "compatible", "sealed"], ["xml", "json"], CONVERSATION), check)

    def test_answers_with_a_help_text(self, client):
        def check(fields):
            reply = open_reply(SETTINGS, client.push("/wechat", build_push(SETTINGS, fields)).body)
            assert reply["Content"].startswith("Send me text or a picture")

        check_rows({"text": HELP[0], "menu": HELP[1]}, check)

    def test_knows_a_resend_by_its_msg_id_and_answers_as_before(self, client):
        message = {"MsgId": 4375120948345356249, "CreateTime": 1555684067}
        first, again = (
            client.push("/wechat", build_push(SETTINGS, {**message, "Content": content})).body
            for content in ("handled", "not handled again")
        )

        assert open_reply(SETTINGS, first)["Content"] == "handled"
        assert open_reply(SETTINGS, again) == open_reply(SETTINGS, first)
        assert again != first  # sealed afresh

    def test_refuses_forged_push_and_logs_it_without_secrets(self, server, client):
        def check(mode):
            before = server.read_log()
            assert client.push("/wechat", build_push(STRANGER, TEXT, mode=mode)).status == 403

            log = server.read_log()
            assert "push refused with 403, SignatureMismatch" in log.removeprefix(before)
            for secret in (SETTINGS.token, SETTINGS.encoding_aes_key, TEXT["Content"]):
                assert secret not in log

        check_rows(["plain", "sealed"], check)

    def test_refuses_forged_url_verification(self, client):
        assert client.push("/wechat", build_echostr_request(STRANGER)).status == 403

    def test_refuses_other_methods(self, client):
        assert client.send("PUT", "/wechat").status == 405


def test_flask_serves_every_account_at_a_path_of_its_own(start, tmp_path):
    with start(COMMANDS["flask"], tmp_path) as server, contextlib.closing(Client(server.port)) as client:
        assert client.push(f"/wechat/{SETTINGS.appid}", build_push(SETTINGS, TEXT)).status == 200
        assert client.push("/wechat/wx_of_another", build_push(SETTINGS, TEXT)).status == 404


def test_readme_names_the_commands():
    text = (ROOT / "examples/README.md").read_text("utf-8")
    commands = [*(COMMANDS[name] for name in EXAMPLES), CELERY_BOT["celery"], [*SLOW_BOT["slow"], "--late", "keep"]]

    assert [command for command in commands if f"`python {' '.join(command)}`" not in text] == []
    assert f"`celery {' '.join(CELERY)}`" in text


class TestStore:
    """A message is handled by one process only, and all of them know the reply."""

    @pytest.mark.parametrize("name", [*EXAMPLES, "slow"])
    def test_is_a_file_next_to_a_copied_example(self, start, name, tmp_path):
        command = {**COMMANDS, **SLOW_BOT}[name]
        shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
        script = tmp_path / command[0]

        with start([str(script), *command[1:]], tmp_path, WECHAT_STORE="") as server:
            push(server, TEXT)

        stem = "wechat_msg" if name == "django" else script.stem
        assert list(tmp_path.rglob("*.db")) == [script.with_name(f"{stem}.db")]

    def test_may_be_a_file_of_your_choice(self, start, tmp_path):
        assert {answer_after_the_others(start, name, tmp_path) for name in EXAMPLES} == {EXAMPLES[0]}
        assert (tmp_path / "store.db").exists()

    def test_may_be_in_redis(self, start, tmp_path):
        with run_redis() as redis:
            assert {answer_after_the_others(start, name, tmp_path, REDIS_URL=redis.url) for name in EXAMPLES} == {
                EXAMPLES[0]
            }
        assert not list(tmp_path.iterdir())

    def test_is_shared_by_the_workers_of_gunicorn(self, start, tmp_path):
        one_at_a_time = ["--preload", "--workers", "2", "--threads", "1"]
        telling = ["--access-logfile", "-", "--access-logformat", "answered by %(p)s"]
        message = {"MsgType": "text", "Content": "0.9", "MsgId": 1, "CreateTime": 1555684067}

        command = [*SLOW_BOT["slow-gunicorn"], *one_at_a_time, *telling]
        with start(command, tmp_path) as server, ThreadPoolExecutor(2) as pool:
            first, again = pool.map(lambda _: push(server, message), range(2))
            wait_for_log(server, "(?s)answered by.*answered by")
            log = server.read_log()

        assert first == again
        assert len(set(re.findall(r"answered by <(\d+)>", log))) == 2
        assert log.count("handling message 1") == 1


def answer_after_the_others(start, name, folder, **environ):
    """Start an example, send it what the others were sent, and tell by whom it is answered."""
    with start(COMMANDS[name], folder, **environ) as server:
        return push(server, {"MsgType": "text", "Content": name, "MsgId": 1, "CreateTime": 1555684067})["Content"]


def wait_for_log(server, pattern):
    wait_until(lambda: re.search(pattern, server.read_log()), server.read_log)


def send_three_times(server, content):
    """Send a message three times at once, so that there is no waiting for the last try; return the replies."""
    request = build_push(SETTINGS, {"Content": content, "MsgId": 1})
    with ThreadPoolExecutor(3) as pool:
        responses = list(pool.map(lambda _: deliver(server, request), range(3)))
    return [open_reply(SETTINGS, response.body) for response in responses if response.status == 200]


@pytest.fixture(scope="module", params=SLOW_BOT)
def slow_server(start, request, tmp_path_factory):
    with start(SLOW_BOT[request.param], tmp_path_factory.mktemp("store")) as server:
        yield server


class TestSlowBot:
    def test_answers_after_as_many_seconds_and_works_once(self, slow_server):
        began = time.monotonic()

        replies = send_three_times(slow_server, "0.3")

        assert time.monotonic() - began >= 0.3
        assert [reply["Content"] for reply in replies] == ["0.3 seconds later ... 0.3 秒后"] * 3
        assert slow_server.read_log().count("handling message 1") == 1

    def test_asks_for_a_number_of_seconds(self, slow_server):
        def check(content):
            reply = push(slow_server, {"MsgType": "text", "Content": content})
            assert reply["Content"].startswith("Send me a number of seconds")

        check_rows(["hello", "100", "-1", "nan", "1e9"], check)

    def test_acknowledges_everything_else(self, slow_server):
        assert push(slow_server, {"MsgType": "event", "Event": "subscribe"}) is None

    @pytest.mark.endurance
    def test_sends_later_what_is_not_there_in_time(self, start, tmp_path):
        with start(SLOW_BOT["slow-gunicorn"], tmp_path, SLOW_BOT_LATE="answer-later") as server:
            assert push(server, {"MsgType": "text", "Content": "5.2", "FromUserName": "oUSER"}) is None
            body = {"touser": "oUSER", "msgtype": "text", "text": {"content": "5.2 seconds later ... 5.2 秒后"}}
            wait_for_log(server, re.escape(f"customer-service message: {json.dumps(body, ensure_ascii=False)}"))

    @pytest.mark.endurance
    def test_sends_later_what_is_not_there_for_the_last_try(self, start, tmp_path):
        with start(SLOW_BOT["slow-uvicorn"], tmp_path, SLOW_BOT_LATE="answer-later-last") as server:
            assert None in send_three_times(server, "6")
            wait_for_log(server, "customer-service message: .*6 seconds later")

    @pytest.mark.endurance
    @pytest.mark.parametrize("name", ["slow-gunicorn", "slow-uvicorn"])
    def test_calls_wechat_to_send_it_later_if_it_has_the_secret(self, start, wechat, tmp_path, name):
        account = {"WECHAT_SECRET": wechat.secret, "WECHAT_API_HOSTS": wechat.url}
        with start(SLOW_BOT[name], tmp_path, SLOW_BOT_LATE="answer-later", **account) as server:
            assert push(server, {"MsgType": "text", "Content": "4.8", "FromUserName": "oUSER"}) is None
            wait_until(lambda: wechat.messages, server.read_log)

        assert wechat.messages == [
            {"touser": "oUSER", "msgtype": "text", "text": {"content": "4.8 seconds later ... 4.8 秒后"}}
        ]

    @pytest.mark.endurance
    def test_answers_the_last_try_with_a_fixed_text(self, start, tmp_path):
        with start([*SLOW_BOT["slow"], "--late", "fallback"], tmp_path) as server:
            (reply,) = send_three_times(server, "6")

        assert reply["Content"] == "That took too long, sorry. 时间太长，没能等到结果，抱歉。"

    @pytest.mark.endurance
    def test_keeps_what_is_not_there_for_the_last_try(self, start, tmp_path):
        with start([*SLOW_BOT["slow"], "--late", "keep"], tmp_path) as server:
            (reply,) = send_three_times(server, "6")
            assert reply["Content"].startswith("I am thinking.")
            assert push(server, {"MsgType": "text", "Content": "?"})["Content"].startswith("6 seconds later")

    @pytest.mark.parametrize("name", ["slow-gunicorn", "slow-uvicorn"])
    def test_keeps_all_but_the_first_of_several_answers(self, start, name, tmp_path):
        with start(SLOW_BOT[name], tmp_path, SLOW_BOT_LATE="keep-first") as server:
            texts = [push(server, {"MsgType": "text", "Content": text})["Content"] for text in ("list", "1", "?", "?")]

        assert [text[:4] for text in texts] == ["One.", "1 se", "Two.", "Thre"]
        assert "回复任意文字查看后文" in texts[2]

    def test_refuses_policy_that_does_not_exist(self, run):
        status, output = run(*SLOW_BOT["slow"], "--late", "never", environ=ENVIRON)

        assert status == 2
        assert "invalid choice: 'never'" in output


@contextlib.contextmanager
def start_celery_bot(start, name, folder, **environ):
    """Start the web server of the bot and yield it, with the environment and the Redis of its workers."""
    with run_redis() as redis, start(CELERY_BOT[name], folder, REDIS_URL=redis.url, **environ) as web:
        yield web, redis, {**ENVIRON, "REDIS_URL": redis.url, **environ}


def start_celery(environ):
    """Start a worker with two processes. It does not wait for others, as it is alone."""
    return start_alone("-m", "celery", *CELERY, "--concurrency", "2", "--without-mingle", environ=environ)


@pytest.fixture(scope="module", params=CELERY_BOT)
def celery_bot(start, request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    with start_celery_bot(start, request.param, folder) as (web, _, environ), start_celery(environ) as worker:
        wait_for_log(worker, " ready")
        yield web, worker


ORDER_BOT = ["examples/order_bot.py"]
ORDER_BOT_GUNICORN = [*GUNICORN, "examples.order_bot:app"]


class TestOrderBot:
    """A dialogue over HTTP, with other processes in turn; the store is a file."""

    def test_takes_an_order_from_one_process_to_the_next(self, start, tmp_path):
        numbers = itertools.count(1)

        def send(server, content, user="oANN", **fields):
            message = {"MsgType": "text", "Content": content, "FromUserName": user, "MsgId": next(numbers), **fields}
            reply = push(server, message)
            return reply and reply["Content"]

        with start(ORDER_BOT, tmp_path) as server:
            assert send(server, "hello") is None
            assert send(server, "a COFFEE, please") == "What is your name?"
            assert send(server, "Ann ]]> 李") == "Small or large?"
            assert send(server, "coffee", "oBOB") == "What is your name?"
        with start(ORDER_BOT_GUNICORN, tmp_path) as server:
            assert send(server, "", MsgType="image", MediaId="m") is None
            assert send(server, "huge") == "Please say small or large."
            assert send(server, "large") == "A large coffee for Ann ]]> 李: yes or no?"
            assert send(server, "取消", "oBOB") == "Cancelled."
            assert send(server, "Bob", "oBOB") is None
        with start(ORDER_BOT, tmp_path) as server, ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: send(server, "yes"), range(8)))
        assert sorted(replies, key=str) == ["Coming, Ann ]]> 李!", *[None] * 7]


class TestCeleryBot:
    def test_answers_after_as_many_seconds_and_works_once_in_a_worker(self, celery_bot):
        web, worker = celery_bot

        replies = send_three_times(web, "0.3")

        assert [reply["Content"] for reply in replies] == ["0.3 seconds later ... 0.3 秒后"] * 3
        assert worker.read_log().count("handling message 1") == 1
        assert "handling" not in web.read_log()

    def test_asks_for_a_number_of_seconds(self, celery_bot):
        assert push(celery_bot[0], {"Content": "hello"})["Content"].startswith("Send me a number of seconds")

    def test_writes_no_text_of_a_user_into_the_queue_or_a_log(self, start, tmp_path):
        with start_celery_bot(start, "celery", tmp_path) as (web, redis, environ), ThreadPoolExecutor(1) as pool:
            response = pool.submit(push, web, {"Content": "a secret of mine"})
            (job,) = wait_until(lambda: redis.execute("LRANGE", "celery", 0, -1))
            with start_celery(environ) as worker:
                reply = response.result()
                if reply is None:  # the worker needed longer for its start than WeChat waits
                    wait_for_log(worker, "customer-service message: .*Send me a number of seconds")
                else:
                    assert reply["Content"].startswith("Send me a number of seconds")
                logs = worker.read_log() + web.read_log()

        args, _, _ = json.loads(base64.b64decode(json.loads(job)["body"]))
        assert json.loads(args[0]).keys() == {"v", "push", "slot"}
        assert "a secret of mine" not in logs
        assert SETTINGS.encoding_aes_key not in logs + str(args)

    @pytest.mark.endurance
    def test_sends_later_what_is_not_there_in_time(self, start, wechat, tmp_path):
        account = {"WECHAT_SECRET": wechat.secret, "WECHAT_API_HOSTS": wechat.url}
        with (
            start_celery_bot(start, "celery-gunicorn", tmp_path, **account) as (web, _, environ),
            start_celery(environ),
        ):
            assert push(web, {"Content": "6", "FromUserName": "oUSER"}) is None
            wait_until(lambda: wechat.messages, web.read_log)

        assert wechat.messages == [
            {"touser": "oUSER", "msgtype": "text", "text": {"content": "6 seconds later ... 6 秒后"}}
        ]

    @pytest.mark.endurance
    def test_loses_no_message_when_workers_are_killed(self, start, wechat, tmp_path):
        """One worker while it runs two handlers, then a process of the next worker; each user gets one answer."""
        account = {"WECHAT_SECRET": wechat.secret, "WECHAT_API_HOSTS": wechat.url}
        users = [f"oUSER{number}" for number in range(4)]  # as many as the web server has threads
        for user in users:
            wechat.add_user(user)
        with start_celery_bot(start, "celery-gunicorn", tmp_path, **account) as (web, _, environ):
            with start_celery(environ) as worker, ThreadPoolExecutor(len(users)) as pool:
                replies = list(pool.map(lambda user: push(web, {"Content": "6", "FromUserName": user}), users))
                assert replies == [None] * len(users)
                assert worker.read_log().count("handling") == 2
            with start_celery(environ) as worker:
                pid = wait_until(lambda: re.search(r"handling message \d+ in process (\d+)", worker.read_log()))[1]
                os.kill(int(pid), signal.SIGKILL)
                wait_until(lambda: len(wechat.messages) >= len(users), worker.read_log)

        assert sorted(message["touser"] for message in wechat.messages) == users


class TestStart:
    """Without its settings an example stops and says what is missing."""

    @pytest.mark.parametrize("command", EXAMPLES)
    @pytest.mark.parametrize("missing", ENVIRON)
    def test_names_the_missing_variable(self, command, missing, run):
        environ = {name: value for name, value in ENVIRON.items() if name != missing}

        status, output = run(*COMMANDS[command], environ=environ)

        assert status != 0
        assert output == f"environment variables missing: {missing}（缺少环境变量：{missing}）\n"

    @pytest.mark.parametrize("command", [*COMMANDS, *SLOW_BOT, *CELERY_BOT])
    def test_reports_it_once_and_stops(self, command, run):
        status, output = run(*{**COMMANDS, **SLOW_BOT, **CELERY_BOT}[command])

        assert status != 0
        assert output.count("missing: WECHAT_TOKEN, WECHAT_ENCODING_AES_KEY, WECHAT_APPID") == 1
        assert "Traceback" not in output

    @pytest.mark.parametrize("malformed", ["WECHAT_TOKEN", "WECHAT_ENCODING_AES_KEY", "WECHAT_ALLOW_PLAINTEXT"])
    def test_names_the_malformed_variable_without_its_value(self, malformed, run):
        status, output = run(*COMMANDS["flask"], environ={**ENVIRON, malformed: "my secret"})

        assert status != 0
        assert output.count("\n") == 1
        assert malformed.removeprefix("WECHAT_").lower() in output.lower()
        assert "my secret" not in output

    def test_accepts_only_sealed_pushes_by_default(self, start, tmp_path):
        with start(COMMANDS["wsgi"], tmp_path) as server, contextlib.closing(Client(server.port)) as client:
            assert client.push("/", build_push(SETTINGS, TEXT)).status == 200
            assert client.push("/", build_push(SETTINGS, TEXT, mode="plain")).status == 403


class TestCloudFunction:
    def test_answers_with_dict_or_success(self):
        names = {"ToUserName": "oUSER", "FromUserName": "wx0123456789abcdef"}

        def check(fields, expected):
            event = {"ToUserName": "wx0123456789abcdef", "FromUserName": "oUSER", "CreateTime": 1555684067, **fields}
            answer = cloud_function.main_handler(event, None)
            assert answer == "success" if expected is None else {**expected, **names}.items() <= answer.items()

        check_rows(CONVERSATION, check)

    def test_virtual_payment_gets_its_own_acknowledgement(self):
        event = {"MsgType": "event", "Event": "xpay_goods_deliver_notify", "CreateTime": 1555684067}

        assert cloud_function.main_handler(event) == {"ErrCode": 0, "ErrMsg": "success"}

    def test_runs_on_its_sample(self, run):
        status, output = run("examples/cloud_function.py", "--sample")

        assert status == 0
        assert json.loads(output)["Content"] == "hello"

    def test_runs_on_an_event_from_stdin(self, run):
        event = {**cloud_function.SAMPLE, "Content": "你好"}

        status, output = run("examples/cloud_function.py", stdin=json.dumps(event))

        assert status == 0
        assert json.loads(output)["Content"] == "你好"


# --- programs that call WeChat ---------------------------------------------------------------------------------------

SEND = "/cgi-bin/message/subscribe/send"
STABLE = "/cgi-bin/stable_token"
NOTICE = ["--template", "TEMPLATE_ID", "--data", "thing1=拿铁"]
#: Where waiting does not help: which path answers what.
ENDS = [
    (SEND, 45009, "reach max api daily quota limit"),
    (SEND, 48001, "api unauthorized"),
    (STABLE, 40125, "invalid appsecret"),
    (STABLE, 40164, "203.0.113.7"),
]


class Notice:
    """The example push_notice.py, with a list of users and its record in a folder."""

    def __init__(self, run_program, wechat, folder, number):
        self.run_program, self.wechat, self.folder = run_program, wechat, folder
        self.users = [f"o{each}" for each in range(number)]
        for user in self.users:
            wechat.add_user(user)
        (folder / "openids.txt").write_text("\n".join(self.users), "utf-8")
        self.command = [str(ROOT / "examples/push_notice.py"), str(folder / "openids.txt"), *NOTICE]
        self.command += ["--record", str(folder / "record.db")]
        self.environ = {
            "WECHAT_APPID": wechat.appid,
            "WECHAT_SECRET": wechat.secret,
            "WECHAT_API_HOSTS": wechat.url,
        }

    def run(self, *options, stdin=""):
        status, output = self.run_program(*self.command, *options, environ=self.environ, stdin=stdin)
        assert "Traceback" not in output
        assert self.wechat.secret not in output
        return status, output

    @contextlib.contextmanager
    def start(self, *options, stderr=subprocess.STDOUT):
        environ = {**os.environ, **self.environ, "PYTHONUNBUFFERED": "1", "TERM": "xterm"}
        command = [sys.executable, *self.command, *options]
        with subprocess.Popen(
            command, cwd=self.folder, env=environ, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @property
    def asked(self):
        """The users of all requests to send, in order."""
        return [request.json["touser"] for request in self.wechat.requests_to(SEND)]

    def wait_until_asked(self, number):
        wait_until(lambda: len(self.asked) >= number)


@pytest.fixture
def notice(run, wechat, tmp_path):
    return Notice(run, wechat, tmp_path, 7)


class TestPushNotice:
    def test_sends_to_all_users_on_the_list(self, wechat, notice):
        status, output = notice.run("--data", "time2=15:01", "--page", "pages/index?from=notice")

        assert status == 0
        assert "sent 7, skipped 0, in doubt 0" in output
        assert notice.asked == notice.users
        assert wechat.requests_to(SEND)[0].json == {
            "touser": "o0",
            "template_id": "TEMPLATE_ID",
            "page": "pages/index?from=notice",
            "data": {"thing1": {"value": "拿铁"}, "time2": {"value": "15:01"}},
        }

    def test_takes_the_list_from_standard_input_as_it_comes(self, notice):
        notice.command[1] = "-"

        status, output = notice.run(stdin="o1\r\n\n  o2\t\no1\n\n")

        assert (status, notice.asked) == (0, ["o1", "o2"])
        assert "3 of 3" in output

    def test_sends_to_all_who_follow_an_official_account(self, wechat, notice):
        notice.command[1] = "--all"
        wechat.page_size = 3

        status, output = notice.run("--biz", "--workers", "2")

        asked = [request.json["touser"] for request in wechat.requests_to("/cgi-bin/message/subscribe/bizsend")]
        assert status == 0
        assert f"{len(wechat.users)} of {len(wechat.users)}" in output
        assert Counter(asked) == dict.fromkeys(wechat.users, 1)

    def test_skips_users_that_it_can_never_reach(self, wechat, notice):
        wechat.refuse_messages("o1")
        del wechat.users["o4"]

        status, output = notice.run()
        again = notice.run()

        assert status == 0
        assert "sent 5, skipped 2, in doubt 0" in output
        assert again == (status, output)
        assert notice.asked == notice.users

    def test_keeps_a_record_for_each_notice(self, notice):
        del notice.command[-2:]  # the name of the file

        for data in ("thing1=拿铁", "thing1=拿铁", "thing1=美式"):
            with notice.start("--data", data) as process:
                process.communicate(timeout=TIMEOUT)
            assert process.returncode == 0

        assert Counter(notice.asked) == dict.fromkeys(notice.users, 2)
        assert len(list(notice.folder.glob("notice-*.db"))) == 2

    def test_shares_one_access_token_between_its_workers(self, wechat, notice):
        wechat.delay(SEND, 60, times=3)
        with notice.start("--workers", "3"):
            notice.wait_until_asked(3)

        assert wechat.access_token_fetches == {"classic": 0, "stable": 1}


class TestPushNoticeInTrouble:
    def test_waits_while_wechat_is_busy(self, wechat, notice):
        wechat.fail(SEND, -1, times=1)
        wechat.fail(SEND, 45011, times=1)

        status, output = notice.run()

        assert (status, notice.asked) == (0, ["o0", "o0", *notice.users])
        assert "again in 0.5 s: -1: system error" in output
        assert "again in 1 s: 45011: " in output

    def test_waits_while_wechat_cannot_be_reached(self, notice):
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
            notice.environ["WECHAT_API_HOSTS"] = f"http://127.0.0.1:{port}"
            with notice.start() as process:
                assert process.stdout.readline().startswith("again in 0.5 s: ")
                reserved.close()
                with FakeWeChatAPI(SETTINGS.appid, port=port) as wechat:
                    for user in notice.users:
                        wechat.add_user(user)
                    output, _ = process.communicate(timeout=TIMEOUT)

        assert "sent 7, skipped 0, in doubt 0" in output

    def test_gives_up_in_the_end_and_continues_in_the_next_run(self, wechat, notice):
        wechat.answer(SEND, {"errcode": 0}, times=2)
        wechat.fail(SEND, 45011)

        status, output = notice.run("--max-wait", "0")
        wechat.clear_faults()
        again, _ = notice.run()

        assert (status, again) == (1, 0)
        assert "sent 2, skipped 0, in doubt 0" in output
        assert "stopped 已停止: 45011: " in output
        assert notice.asked == ["o0", "o1", "o2", "o2", "o3", "o4", "o5", "o6"]

    @pytest.mark.parametrize(("path", "errcode", "text"), ENDS)
    def test_stops_where_waiting_does_not_help_and_continues_later(self, wechat, notice, path, errcode, text):
        wechat.answer(SEND, {"errcode": 0}, times=3)
        wechat.fail(path, errcode, text, times=1)

        status, output = notice.run()
        again, later = notice.run()

        assert (status, again) == (1, 0)
        assert re.search(rf"stopped 已停止: {errcode}: {text}, rid \S+（.*[.] .+）", output)
        assert "in doubt 0" in output
        assert "sent 7, skipped 0, in doubt 0" in later
        assert set(Counter(notice.asked).values()) <= {1, 2}
        assert len(notice.asked) == len(notice.users) + (path == SEND)

    @pytest.mark.parametrize("fault", ["no answer", "an answer of somebody else"])
    def test_leaves_to_the_operator_who_may_have_got_it(self, wechat, notice, fault):
        wechat.answer(SEND, {"errcode": 0}, times=2)
        if fault == "no answer":
            wechat.drop(SEND, when="after")
        else:
            wechat.answer(SEND, b"<html>Bad Gateway", status=502, content_type="text/html", times=1)

        for status, output in (notice.run(), notice.run()):
            assert status == 3
            assert "sent 6, skipped 0, in doubt 1" in output
            assert "in doubt 无法确定是否已发出: o2 (" in output
        assert notice.asked == notice.users

    def test_stops_when_every_answer_is_lost(self, run, wechat, tmp_path):
        notice = Notice(run, wechat, tmp_path, 15)
        wechat.drop(SEND, when="after", times=None)

        status, output = notice.run()

        assert status == 1
        assert "sent 0, skipped 0, in doubt 10" in output
        assert "stopped 已停止: 10 answers in a row were lost" in output
        assert notice.asked == notice.users[:10]

    def test_has_no_doubtful_user_if_the_access_token_is_lost(self, wechat, notice):
        wechat.drop(STABLE, when="after", times=None)

        status, output = notice.run("--max-wait", "0")

        assert (status, notice.asked) == (1, [])
        assert "sent 0, skipped 0, in doubt 0" in output

    def test_survives_a_rejected_access_token(self, wechat, notice):
        wechat.fail(SEND, 42001, times=1)

        status, _ = notice.run()

        assert (status, notice.asked) == (0, ["o0", *notice.users])


class TestPushNoticeIsKilled:
    """Nobody gets a notice twice, and nobody is forgotten."""

    @pytest.mark.parametrize("workers", [1, 3])
    def test_knows_to_which_users_it_was_sending(self, run, wechat, tmp_path, workers):
        notice = Notice(run, wechat, tmp_path, 12)
        wechat.delay(SEND, 0, times=4)
        wechat.delay(SEND, 60, times=workers)
        with notice.start("--workers", str(workers)) as process:
            notice.wait_until_asked(4 + workers)
            process.send_signal(signal.SIGKILL)
        in_doubt = sorted(notice.asked[4 : 4 + workers]) if workers == 1 else None

        status, output = notice.run()

        assert status == 3
        assert f"sent {12 - workers}, skipped 0, in doubt {workers}" in output
        assert Counter(notice.asked) == dict.fromkeys(notice.users, 1)
        assert in_doubt in (None, list_doubts(output))
        assert output.count("(killed while sending)") == workers

    def test_survives_that_again_and_again(self, run, wechat, tmp_path):
        notice = Notice(run, wechat, tmp_path, 60)
        wechat.delay(SEND, 0.005)
        for number in (7, 20, 33, 46):
            with notice.start("--workers", "3") as process:
                notice.wait_until_asked(number)
                process.send_signal(signal.SIGKILL)

        status, output = notice.run()
        doubts = list_doubts(output)

        assert set(Counter(notice.asked).values()) == {1}
        assert {*notice.asked, *doubts} == set(notice.users)
        assert f"sent {60 - len(doubts)}, skipped 0, in doubt {len(doubts)}" in output
        assert len(doubts) <= 4 * 3
        assert status == (3 if doubts else 0)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ends_what_it_has_begun_if_asked_politely(self, wechat, notice, number):
        wechat.delay(SEND, 0, times=2)
        wechat.delay(SEND, 0.5, times=1)
        with notice.start() as process:
            notice.wait_until_asked(3)
            process.send_signal(number)
            output, _ = process.communicate(timeout=TIMEOUT)
        again, _ = notice.run()

        assert process.returncode == 130
        assert output == "sent 3, skipped 0, in doubt 0\n"
        assert again == 0
        assert notice.asked == notice.users

    def test_does_not_wait_for_wechat_any_longer_then(self, wechat, notice):
        wechat.fail(SEND, 45011)
        with notice.start("--max-wait", "1e9") as process:
            assert process.stdout.readline().startswith("again in 0.5 s: ")
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=TIMEOUT)

        assert process.returncode == 130
        assert "sent 0, skipped 0, in doubt 0\n" in output
        assert "Traceback" not in output

    def test_two_at_once_share_the_work(self, run, wechat, tmp_path):
        notice = Notice(run, wechat, tmp_path, 30)
        wechat.delay(SEND, 0.01)
        with notice.start() as one, notice.start() as other:
            for process in (one, other):
                process.communicate(timeout=TIMEOUT)

        assert Counter(notice.asked) == dict.fromkeys(notice.users, 1)


def list_doubts(output):
    return sorted(re.findall(r"^in doubt 无法确定是否已发出: (\S+)", output, re.MULTILINE))


class TestPushNoticeShowsItsProgress:
    def test_in_lines_where_there_is_no_terminal(self, run, wechat, tmp_path):
        _, output = Notice(run, wechat, tmp_path, 110).run("--workers", "2")

        assert re.findall(r"^\d+ of 110$", output, re.MULTILINE) == ["100 of 110", "110 of 110"]
        assert "\x1b" not in output

    def test_with_a_bar_on_a_terminal(self, notice):
        terminal, programs_end = pty.openpty()
        with notice.start(stderr=programs_end) as process:
            os.close(programs_end)
            shown = read_to_the_end(terminal)
            result, _ = process.communicate(timeout=TIMEOUT)

        assert "━" in shown
        assert "7/7" in shown
        assert result == "sent 7, skipped 0, in doubt 0\n"


def read_to_the_end(terminal):
    shown = b""
    with contextlib.suppress(OSError):  # that is how a terminal ends
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)
    return shown.decode()


class TestPushNoticeOptions:
    @pytest.mark.parametrize("data", ["thing1", "=拿铁", "thing1=", ""])
    def test_shows_the_format_of_data(self, notice, data):
        status, output = notice.run("--data", data)

        assert status == 2
        assert "must have the form thing1=拿铁" in output

    @pytest.mark.parametrize("missing", ["WECHAT_APPID", "WECHAT_SECRET"])
    def test_names_the_missing_variable(self, notice, missing):
        del notice.environ[missing]

        assert notice.run() == (
            1,
            f"stopped 已停止: environment variables missing: {missing}（缺少环境变量：{missing}）\n",
        )

    @pytest.mark.parametrize(("place", "name"), [(1, "no-such-file.txt"), (-1, "no-such-folder/record.db")])
    def test_names_the_file_that_cannot_be_opened(self, notice, place, name):
        notice.command[place] = str(notice.folder / name)

        status, output = notice.run()

        assert (status, notice.asked) == (1, [])
        assert "stopped 已停止: " in output

    def test_requires_a_list_or_all_users(self, notice):
        assert notice.run("--all")[0] == 2
        del notice.command[1]
        assert notice.run()[0] == 2

    def test_readme_shows_the_command(self, run):
        text = (ROOT / "examples/README.md").read_text("utf-8")
        (command,) = re.findall(r"^python (examples/push_notice.py .*)$", text, re.MULTILINE)

        status, output = run(*command.split(), "--record", "/dev/null/record.db", environ=ENVIRON)

        assert status == 1
        assert "missing: WECHAT_SECRET" in output


class TestTokenServer:
    SECRET = "a-shared-secret-for-tests"

    @contextlib.contextmanager
    def start(self, forks, wechat, folder, **environ):
        """Start the server with two workers that tell who of them answers."""
        telling = ["--access-logfile", "-", "--access-logformat", "answered by %(p)s"]
        command = [*GUNICORN, "--workers", "2", *telling, "examples.token_server.app:app"]
        with forks.serve(*command, environ=self.make_environ(wechat, folder, **environ)) as server:
            yield server

    def make_environ(self, wechat, folder, **environ):
        return {
            "WECHAT_APPID": wechat.appid,
            "WECHAT_SECRET": wechat.secret,
            "WECHAT_API_HOSTS": wechat.url,
            "WECHAT_STORE": f"{folder}/tokens.db",
            "WECHAT_TOKEN_SERVER_SECRET": self.SECRET,
            **environ,
        }

    def run_client(self, wechat, server, run=run_alone, **environ):
        return run(
            "examples/token_server/client.py",
            environ={
                "WECHAT_APPID": wechat.appid,
                "WECHAT_API_HOSTS": wechat.url,
                "WECHAT_TOKEN_SERVER": f"http://127.0.0.1:{server.port}",
                "WECHAT_TOKEN_SERVER_SECRET": self.SECRET,
                **environ,
            },
        )

    def ask(self, server, appid):
        """Ask on a connection of its own."""
        body, headers = json.dumps({"appid": appid}).encode(), {"Authorization": f"Bearer {self.SECRET}"}
        with contextlib.closing(Client(server.port)) as client:
            return json.loads(client.send("POST", "/token", body, headers).body)

    def ask_both_workers(self, server, appid):
        """Ask until both have answered, and return all tokens that they gave."""
        asked_before = len(server.read_log())
        tokens = set()

        def ask_again():
            with ThreadPoolExecutor(4) as pool:
                tokens.update(pool.map(lambda _: self.ask(server, appid)["access_token"], range(4)))
            return len(set(re.findall(r"answered by <(\d+)>", server.read_log()[asked_before:]))) == 2

        wait_until(ask_again)
        return tokens

    def test_gives_all_programs_the_same_access_token(self, forks, wechat, tmp_path):
        with self.start(forks, wechat, tmp_path) as server:
            assert self.ask_both_workers(server, wechat.appid) == {wechat.stable_access_token}
            with ThreadPoolExecutor(2) as pool:
                done = list(pool.map(lambda _: self.run_client(wechat, server), range(2)))

        assert [status for status, _ in done] == [0, 0]
        calls = wechat.requests_to("/cgi-bin/get_api_domain_ip")
        assert [call.query["access_token"] for call in calls] == [wechat.stable_access_token] * 2
        assert wechat.access_token_fetches == {"classic": 0, "stable": 1}

    def test_replaces_a_rejected_access_token_for_all(self, forks, wechat, tmp_path):
        with self.start(forks, wechat, tmp_path) as server:
            (rejected,) = self.ask_both_workers(server, wechat.appid)
            wechat.revoke_access_tokens()
            done = [self.run_client(wechat, server, forks.run) for _ in range(3)]

        assert [status for status, _ in done] == [0, 0, 0]
        assert wechat.stable_access_token != rejected
        assert wechat.access_token_fetches["stable"] == 2

    def test_refuses_programs_that_do_not_know_the_secret(self, forks, wechat, tmp_path):
        with self.start(forks, wechat, tmp_path) as server:
            status, output = self.run_client(
                wechat, server, forks.run, WECHAT_TOKEN_SERVER_SECRET="a-secret-that-is-wrong"
            )
            log = server.read_log()

        assert status == 1
        assert "40125: wrong shared secret" in output
        assert f"POST http://127.0.0.1:{server.port}/token" in output
        assert wechat.requests == []
        for secret in (self.SECRET, "a-secret-that-is-wrong", wechat.secret):
            assert secret not in log + output

    def test_passes_on_the_error_of_wechat_to_programs(self, forks, wechat, tmp_path):
        wechat.allowed_ips = {"203.0.113.7"}
        with self.start(forks, wechat, tmp_path) as server:
            status, output = self.run_client(wechat, server, forks.run)

        assert status == 1
        assert "40164: invalid ip 127.0.0.1" in output

    def test_serves_several_accounts(self, forks, wechat, tmp_path):
        others = {"WECHAT_PREFIXES": "WECHAT_, SHOP_", "SHOP_APPID": "wx_shop", "SHOP_SECRET": "secret of the shop"}
        others["SHOP_API_HOSTS"] = wechat.url
        with self.start(forks, wechat, tmp_path, **others) as server:
            assert self.ask(server, wechat.appid)["access_token"] == wechat.stable_access_token
            assert self.ask(server, "wx_shop")["errmsg"].startswith("invalid appid rid: ")  # the fake plays only one
            assert self.ask(server, "wx_nobody")["errmsg"] == "the server has no such account"

        assert [request.json["secret"] for request in wechat.requests] == [wechat.secret, "secret of the shop"]

    @pytest.mark.parametrize("secret", ["", "too short"])
    def test_refuses_to_start_without_a_good_secret(self, wechat, tmp_path, secret, run):
        environ = self.make_environ(wechat, tmp_path, WECHAT_TOKEN_SERVER_SECRET=secret)

        status, output = run(*GUNICORN, "examples.token_server.app:app", environ=environ)

        assert status != 0
        assert output.count("16 or more ASCII characters") == 1
        assert "WECHAT_TOKEN_SERVER_SECRET" in output
        assert "Traceback" not in output

    @pytest.mark.parametrize("missing", ["WECHAT_APPID", "WECHAT_SECRET"])
    def test_refuses_to_start_without_an_account(self, wechat, tmp_path, missing, run):
        environ = self.make_environ(wechat, tmp_path, **{missing: ""})

        status, output = run(*GUNICORN, "examples.token_server.app:app", environ=environ)

        assert status != 0
        assert f"missing: {missing}" in output

    def test_client_names_the_missing_variable(self, wechat, run):
        for environ in ({}, {"WECHAT_APPID": wechat.appid}):
            status, output = run("examples/token_server/client.py", environ=environ)

            assert status == 1
            assert "Traceback" not in output


def test_the_tests_of_the_flask_bot_pass(run):
    """As its readers run them, without this project's configuration."""
    options = ("-q", *WITHOUT_PLUGINS, "-c", os.devnull, "--rootdir", "examples")
    status, output = run("-m", "pytest", *options, "examples/test_flask_app.py", environ={"PYTEST_ADDOPTS": ""})

    assert status == 0, output
    assert "11 passed" in output
