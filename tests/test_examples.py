"""Every example, started by its one command as a process of its own, and talked to as WeChat would."""

import contextlib
import json

import pytest

from examples import cloud_function
from tests.servers import GUNICORN, ROOT, UVICORN, Client, run, serve
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


@pytest.fixture(scope="module", params=COMMANDS)
def server(request):
    with serve(*COMMANDS[request.param], environ={**ENVIRON, "WECHAT_ALLOW_PLAINTEXT": "1"}) as server:
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
            response = client.push("/wechat", build_push(SETTINGS, fields, mode=mode, format=format))
            reply = open_reply(SETTINGS, response.body)

            assert response.status == 200
            assert expected is reply is None or expected.items() <= reply.items()
            assert reply is None or (b"Encrypt" in response.body) is (mode != "plain")

    @pytest.mark.parametrize("fields", HELP, ids=["text", "menu"])
    def test_helps(self, client, fields):
        reply = open_reply(SETTINGS, client.push("/wechat", build_push(SETTINGS, fields)).body)

        assert reply["Content"].startswith("Send me text or a picture")

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


def test_flask_serves_every_account_at_a_path_of_its_own():
    with serve(*COMMANDS["flask"], environ=ENVIRON) as server, contextlib.closing(Client(server.port)) as client:
        assert client.push(f"/wechat/{SETTINGS.appid}", build_push(SETTINGS, TEXT)).status == 200
        assert client.push("/wechat/wx_of_another", build_push(SETTINGS, TEXT)).status == 404


@pytest.mark.parametrize("example", ["flask", "django", "fastapi", "wsgi"])
def test_readme_tells_the_command(example):
    assert f"`python {' '.join(COMMANDS[example])}`" in (ROOT / "examples/README.md").read_text("utf-8")


class TestStart:
    """Without its settings an example stops and says what is missing."""

    @pytest.mark.parametrize("command", ["flask", "wsgi", "django", "fastapi"])
    @pytest.mark.parametrize("missing", ENVIRON)
    def test_says_which_variable_is_missing(self, command, missing):
        environ = {name: value for name, value in ENVIRON.items() if name != missing}

        status, output = run(*COMMANDS[command], environ=environ)

        assert status != 0
        assert output == f"environment variables missing: {missing}（缺少环境变量：{missing}）\n"

    @pytest.mark.parametrize("command", COMMANDS)
    def test_says_so_once_and_stops(self, command):
        status, output = run(*COMMANDS[command])

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

    def test_takes_sealed_pushes_only_unless_told_otherwise(self):
        with serve(*COMMANDS["wsgi"], environ=ENVIRON) as server, contextlib.closing(Client(server.port)) as client:
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
