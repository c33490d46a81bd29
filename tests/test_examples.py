"""Every example, started by its one command as a process of its own, and talked to as WeChat would."""

import contextlib
import json
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from examples import cloud_function
from tests.redis_server import run_redis
from tests.servers import GUNICORN, ROOT, TIMEOUT, UVICORN, Client, run, serve
from wechat_msg import PushSettings
from wechat_msg.testing import build_echostr_request, build_push, open_reply

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


@contextlib.contextmanager
def start(command, folder, **environ):
    """Start an example whose store is a file in *folder*."""
    place = {"WECHAT_STORE": f"{folder}/store.db", "REDIS_URL": ""}
    with serve(*command, environ={**ENVIRON, **place, **environ}) as server:
        yield server


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
def server(request, tmp_path_factory):
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

    @pytest.mark.parametrize("mode", ["plain", "compatible", "sealed"])
    @pytest.mark.parametrize("format", ["xml", "json"])
    def test_holds_a_conversation(self, client, mode, format):
        for fields, expected in CONVERSATION:
            fields = {**fields, "FromUserName": f"o-{mode}-{format}"}  # else the events would be re-sends
            response = client.push("/wechat", build_push(SETTINGS, fields, mode=mode, format=format))
            reply = open_reply(SETTINGS, response.body)

            assert response.status == 200
            assert expected is reply is None or expected.items() <= reply.items()
            assert reply is None or (b"Encrypt" in response.body) is (mode != "plain")

    @pytest.mark.parametrize("fields", HELP, ids=["text", "menu"])
    def test_helps(self, client, fields):
        reply = open_reply(SETTINGS, client.push("/wechat", build_push(SETTINGS, fields)).body)

        assert reply["Content"].startswith("Send me text or a picture")

    def test_knows_a_resend_by_its_msg_id_and_answers_as_before(self, client):
        message = {"MsgId": 4375120948345356249, "CreateTime": 1555684067}
        first, again = (
            client.push("/wechat", build_push(SETTINGS, {**message, "Content": content})).body
            for content in ("handled", "not handled again")
        )

        assert open_reply(SETTINGS, first)["Content"] == "handled"
        assert open_reply(SETTINGS, again) == open_reply(SETTINGS, first)
        assert again != first  # sealed afresh

    @pytest.mark.parametrize("mode", ["plain", "sealed"])
    def test_refuses_forged_push_and_logs_it_without_secrets(self, server, client, mode):
        assert client.push("/wechat", build_push(STRANGER, TEXT, mode=mode)).status == 403

        log = server.read_log()
        assert "push refused with 403, SignatureMismatch" in log
        for secret in (SETTINGS.token, SETTINGS.encoding_aes_key, TEXT["Content"]):
            assert secret not in log

    def test_refuses_forged_url_verification(self, client):
        assert client.push("/wechat", build_echostr_request(STRANGER)).status == 403

    def test_refuses_other_methods(self, client):
        assert client.send("PUT", "/wechat").status == 405


def test_flask_serves_every_account_at_a_path_of_its_own(tmp_path):
    with start(COMMANDS["flask"], tmp_path) as server, contextlib.closing(Client(server.port)) as client:
        assert client.push(f"/wechat/{SETTINGS.appid}", build_push(SETTINGS, TEXT)).status == 200
        assert client.push("/wechat/wx_of_another", build_push(SETTINGS, TEXT)).status == 404


@pytest.mark.parametrize("command", [*(COMMANDS[name] for name in EXAMPLES), [*SLOW_BOT["slow"], "--late", "fallback"]])
def test_readme_tells_the_command(command):
    assert f"`python {' '.join(command)}`" in (ROOT / "examples/README.md").read_text("utf-8")


class TestStore:
    """A message is handled by one process only, and all of them know the reply."""

    @pytest.mark.parametrize("name", [*EXAMPLES, "slow"])
    def test_is_a_file_next_to_a_copied_example(self, name, tmp_path):
        command = {**COMMANDS, **SLOW_BOT}[name]
        shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
        script = tmp_path / command[0]

        with start([str(script), *command[1:]], tmp_path, WECHAT_STORE="") as server:
            push(server, TEXT)

        stem = "wechat_msg" if name == "django" else script.stem
        assert list(tmp_path.rglob("*.db")) == [script.with_name(f"{stem}.db")]

    def test_may_be_a_file_of_your_choice(self, tmp_path):
        assert {answer_after_the_others(name, tmp_path) for name in EXAMPLES} == {EXAMPLES[0]}
        assert (tmp_path / "store.db").exists()

    def test_may_be_in_redis(self, tmp_path):
        with run_redis() as redis:
            assert {answer_after_the_others(name, tmp_path, REDIS_URL=redis.url) for name in EXAMPLES} == {EXAMPLES[0]}
        assert not list(tmp_path.iterdir())

    def test_is_shared_by_the_workers_of_gunicorn(self, tmp_path):
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


def answer_after_the_others(name, folder, **environ):
    """Start an example, send it what the others were sent, and tell by whom it is answered."""
    with start(COMMANDS[name], folder, **environ) as server:
        return push(server, {"MsgType": "text", "Content": name, "MsgId": 1, "CreateTime": 1555684067})["Content"]


def wait_for_log(server, pattern):
    deadline = time.monotonic() + TIMEOUT
    while not re.search(pattern, server.read_log()):
        assert time.monotonic() < deadline, server.read_log()
        time.sleep(0.01)


def send_three_times(server, content):
    """Send a message three times at once, so that there is no waiting for the last try; return the replies."""
    request = build_push(SETTINGS, {"Content": content, "MsgId": 1})
    with ThreadPoolExecutor(3) as pool:
        responses = list(pool.map(lambda _: deliver(server, request), range(3)))
    return [open_reply(SETTINGS, response.body) for response in responses if response.status == 200]


@pytest.fixture(scope="module", params=SLOW_BOT)
def slow_server(request, tmp_path_factory):
    with start(SLOW_BOT[request.param], tmp_path_factory.mktemp("store")) as server:
        yield server


class TestSlowBot:
    def test_answers_after_as_many_seconds_and_works_once(self, slow_server):
        began = time.monotonic()

        replies = send_three_times(slow_server, "0.3")

        assert time.monotonic() - began >= 0.3
        assert [reply["Content"] for reply in replies] == ["0.3 seconds later ... 0.3 秒后"] * 3
        assert slow_server.read_log().count("handling message 1") == 1

    @pytest.mark.parametrize("content", ["hello", "100", "-1", "nan", "1e9"])
    def test_asks_for_a_number_of_seconds(self, slow_server, content):
        reply = push(slow_server, {"MsgType": "text", "Content": content})

        assert reply["Content"].startswith("Send me a number of seconds")

    def test_acknowledges_everything_else(self, slow_server):
        assert push(slow_server, {"MsgType": "event", "Event": "subscribe"}) is None

    @pytest.mark.slow
    def test_sends_later_what_is_not_there_in_time(self, tmp_path):
        with start(SLOW_BOT["slow-gunicorn"], tmp_path, SLOW_BOT_LATE="answer-later") as server:
            assert push(server, {"MsgType": "text", "Content": "5.2", "FromUserName": "oUSER"}) is None
            body = {"touser": "oUSER", "msgtype": "text", "text": {"content": "5.2 seconds later ... 5.2 秒后"}}
            wait_for_log(server, re.escape(f"customer-service message: {json.dumps(body, ensure_ascii=False)}"))

    @pytest.mark.slow
    def test_sends_later_what_is_not_there_for_the_last_try(self, tmp_path):
        with start(SLOW_BOT["slow-uvicorn"], tmp_path, SLOW_BOT_LATE="answer-later-last") as server:
            assert None in send_three_times(server, "6")
            wait_for_log(server, "customer-service message: .*6 seconds later")

    @pytest.mark.slow
    def test_answers_the_last_try_with_a_fixed_text(self, tmp_path):
        with start([*SLOW_BOT["slow"], "--late", "fallback"], tmp_path) as server:
            (reply,) = send_three_times(server, "6")

        assert reply["Content"] == "That took too long, sorry. 时间太长，没能等到结果，抱歉。"

    def test_refuses_policy_that_does_not_exist(self):
        status, output = run(*SLOW_BOT["slow"], "--late", "never", environ=ENVIRON)

        assert status == 2
        assert "invalid choice: 'never'" in output


class TestStart:
    """Without its settings an example stops and says what is missing."""

    @pytest.mark.parametrize("command", EXAMPLES)
    @pytest.mark.parametrize("missing", ENVIRON)
    def test_says_which_variable_is_missing(self, command, missing):
        environ = {name: value for name, value in ENVIRON.items() if name != missing}

        status, output = run(*COMMANDS[command], environ=environ)

        assert status != 0
        assert output == f"environment variables missing: {missing}（缺少环境变量：{missing}）\n"

    @pytest.mark.parametrize("command", [*COMMANDS, *SLOW_BOT])
    def test_says_so_once_and_stops(self, command):
        status, output = run(*{**COMMANDS, **SLOW_BOT}[command])

        assert status != 0
        assert output.count("missing: WECHAT_TOKEN, WECHAT_ENCODING_AES_KEY, WECHAT_APPID") == 1
        assert "Traceback" not in output

    @pytest.mark.parametrize("malformed", ["WECHAT_TOKEN", "WECHAT_ENCODING_AES_KEY", "WECHAT_ALLOW_PLAINTEXT"])
    def test_says_what_is_malformed_and_not_how(self, malformed):
        status, output = run(*COMMANDS["flask"], environ={**ENVIRON, malformed: "my secret"})

        assert status != 0
        assert output.count("\n") == 1
        assert malformed.removeprefix("WECHAT_").lower() in output.lower()
        assert "my secret" not in output

    def test_takes_sealed_pushes_only_unless_told_otherwise(self, tmp_path):
        with start(COMMANDS["wsgi"], tmp_path) as server, contextlib.closing(Client(server.port)) as client:
            assert client.push("/", build_push(SETTINGS, TEXT)).status == 200
            assert client.push("/", build_push(SETTINGS, TEXT, mode="plain")).status == 403


class TestCloudFunction:
    @pytest.mark.parametrize(("fields", "expected"), CONVERSATION)
    def test_answers_with_dict_or_success(self, fields, expected):
        event = {"ToUserName": "wx0123456789abcdef", "FromUserName": "oUSER", "CreateTime": 1555684067, **fields}

        answer = cloud_function.main_handler(event, None)

        names = {"ToUserName": "oUSER", "FromUserName": "wx0123456789abcdef"}
        assert answer == "success" if expected is None else {**expected, **names}.items() <= answer.items()

    def test_virtual_payment_gets_its_own_acknowledgement(self):
        event = {"MsgType": "event", "Event": "xpay_goods_deliver_notify", "CreateTime": 1555684067}

        assert cloud_function.main_handler(event) == {"ErrCode": 0, "ErrMsg": "success"}

    def test_runs_on_its_sample(self):
        status, output = run("examples/cloud_function.py", "--sample")

        assert status == 0
        assert json.loads(output)["Content"] == "hello"

    def test_runs_on_an_event_from_stdin(self):
        event = {**cloud_function.SAMPLE, "Content": "你好"}

        status, output = run("examples/cloud_function.py", stdin=json.dumps(event))

        assert status == 0
        assert json.loads(output)["Content"] == "你好"
