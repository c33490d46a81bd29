"""One contract for all adapters, each behind a real server and asked over real HTTP."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests import hostile
from tests.hostile import PLAIN, SEALED
from tests.servers import GUNICORN, UVICORN, Client, render_request, serve
from wechat_msg import AsyncPushEndpoint, PushSettings, SettingsError
from wechat_msg.adapters import flask, wsgi
from wechat_msg.testing import build_echostr_request, build_push, open_reply

ADAPTERS = {
    "wsgi": [*GUNICORN, "tests.apps:make_wsgi()"],
    "asgi-sync": [*UVICORN, "--factory", "tests.apps:make_asgi_sync"],
    "asgi-async": [*UVICORN, "--factory", "tests.apps:make_asgi_async"],
    "flask": [*GUNICORN, "tests.apps:make_flask()"],
    "django-sync": [*GUNICORN, "tests.apps:make_django_wsgi()"],
    "django-sync-asgi": [*UVICORN, "--factory", "tests.apps:make_django_asgi_sync"],
    "django-async": [*UVICORN, "--factory", "tests.apps:make_django_asgi_async"],
    "fastapi-sync": [*UVICORN, "--factory", "tests.apps:make_fastapi_sync"],
    "fastapi-async": [*UVICORN, "--factory", "tests.apps:make_fastapi_async"],
}
STRANGER = PushSettings(token="aTokenOfAnother")


@pytest.fixture(scope="module", params=ADAPTERS)
def adapter(request):
    return request.param


@pytest.fixture(scope="module")
def server(adapter):
    with serve(*ADAPTERS[adapter]) as server:
        yield server


@pytest.fixture
def client(server):
    with contextlib.closing(Client(server.port)) as client:
        yield client


def text(content="hi", settings=PLAIN, **options):
    return build_push(settings, {"MsgType": "text", "Content": content}, **options)


def is_healthy(client):
    return client.push("/plain", text()).status == 200


class TestUrlVerification:
    @pytest.mark.parametrize("echostr", ["4375120948345356249", "你好 <b>&amp;</b> %41+\r\n", " "])
    def test_echoes_verbatim_as_plain_text(self, client, echostr):
        response = client.push("/plain", build_echostr_request(PLAIN, echostr))

        assert (response.status, response.body) == (200, echostr.encode())
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["x-content-type-options"] == "nosniff"

    def test_refuses_forged_signature(self, client):
        assert client.push("/plain", build_echostr_request(STRANGER)).status == 403


class TestPush:
    @pytest.mark.parametrize(
        ("path", "settings", "mode"),
        [("/plain", PLAIN, "plain"), ("/sealed", SEALED, "compatible"), ("/sealed", SEALED, "sealed")],
        ids=["plain", "compatible", "sealed"],
    )
    @pytest.mark.parametrize("format", ["xml", "json"])
    def test_is_answered_in_its_mode_and_format(self, client, path, settings, mode, format):
        response = client.push(path, text("hi", settings, mode=mode, format=format))

        assert response.status == 200
        assert response.headers["content-type"] == f"application/{format}; charset=utf-8"
        assert open_reply(settings, response.body)["Content"] == "'hi'"
        assert (b"Encrypt" in response.body) is (mode != "plain")

    @pytest.mark.parametrize(("format", "arriving"), [("xml", "你好\n"), ("json", "你好\r\n")])
    def test_text_reaches_the_handler_as_its_format_gives_it(self, client, format, arriving):
        response = client.push("/plain", text("你好\r\n", format=format))

        assert open_reply(PLAIN, response.body)["Content"] == ascii(arriving)

    def test_is_acknowledged_as_plain_text(self, client):
        response = client.push("/plain", build_push(PLAIN, {"MsgType": "event", "Event": "subscribe"}))

        assert (response.status, response.body) == (200, b"success")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"

    @pytest.mark.parametrize("path", ["/plain", "/sealed"])
    def test_with_forged_signature_is_refused(self, client, path):
        assert client.push(path, text(settings=STRANGER)).status == 403

    def test_over_the_limit_is_refused(self, client):
        assert client.push("/plain", text("x" * PLAIN.max_body)).status == 413

    @pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE"])
    def test_with_another_method_is_refused(self, client, method):
        response = client.send(method, "/plain")

        assert response.status == 405
        assert {"GET", "POST"} <= set(response.headers["allow"].split(", "))


class TestHandler:
    def test_that_raises_is_an_error_of_the_application(self, client):
        assert client.push("/plain", text("raise")).status == 500
        assert is_healthy(client)

    def test_that_takes_its_time_does_not_keep_another_from_running(self, server):
        def meet(_):
            with contextlib.closing(Client(server.port)) as client:
                return client.push("/plain", text("meet")).status

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(meet, range(2))) == [200, 200]


class TestConversion:
    """The adapter adds nothing to a request or a response and takes nothing away."""

    @pytest.mark.parametrize("path", ["/mirror", "/read-first/mirror"])
    @pytest.mark.parametrize(
        "content_type",
        ["text/xml; charset=gbk", "application/json", "application/x-www-form-urlencoded", "multipart/form-data", ""],
    )
    def test_body_and_content_type_are_unchanged(self, client, path, content_type):
        for body in (b"", "你好\r\n".encode(), bytes(range(256)), b"\xef\xbb\xbf \n", b"a=1&b=%20", b"x" * 1_000_000):
            seen = json.loads(client.send("POST", path, body, {"Content-Type": content_type}).body)

            assert seen["body"] == body.hex()
            assert seen["content_type"] == content_type

    def test_middleware_did_read_the_body_first(self, server, client):
        client.send("POST", "/read-first/mirror", b"x" * 4711)

        assert "the middleware has read 4711 bytes" in server.read_log()

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_query_is_decoded_once_and_what_is_given_twice_is_left_out(self, client, method):
        seen = json.loads(client.send(method, "/mirror?a=%2B+%2525&b=&c=%E4%BD%A0&d=1&d=2&e").body)

        assert seen["method"] == method
        assert seen["query"] == {"a": "+ %25", "b": "", "c": "你", "e": ""}

    def test_response_is_unchanged(self, client):
        response = client.send("GET", "/mirror")

        assert response.status == 203
        assert response.headers["content-type"] == "application/x-mirror"
        assert response.headers["content-length"] == str(len(response.body))
        assert response.headers["x-mirror"] == "yes"


class TestChoice:
    """A function picks the endpoint."""

    def test_known_account_has_its_own_settings(self, client):
        path = f"/wechat/{SEALED.appid}"

        assert client.push(path, build_echostr_request(SEALED, "42")).body == b"42"
        assert client.push(path, text(settings=SEALED)).status == 200
        assert client.push(path, text(settings=PLAIN)).status == 403

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_unknown_account_is_not_found(self, client, method):
        assert client.send(method, "/wechat/wx0").status == 404


class TestNetwork:
    """What broken clients, odd proxies and attackers send: afterwards all is well, and the log holds no traceback."""

    @pytest.fixture(autouse=True)
    def _check_health(self, server, client):
        log = server.read_log()
        yield
        assert is_healthy(client)
        assert "Traceback" not in server.read_log().removeprefix(log)

    def test_chunked_body(self, adapter, client):
        response = client.send_raw(render_in_chunks(text()))

        assert response.status == (400 if adapter == "django-sync" else 200)  # Django on WSGI does not read it

    def test_chunked_body_over_the_limit(self, adapter, client):
        response = client.send_raw(render_in_chunks(text("x" * PLAIN.max_body)))

        assert response is None or response.status == (400 if adapter == "django-sync" else 413)

    @pytest.mark.parametrize("reset", [False, True])
    def test_client_that_hangs_up_in_the_middle_of_the_body(self, client, reset):
        for _ in range(5):
            client.hang_up(render(text())[:-10], reset=reset)

    def test_client_that_hangs_up_before_the_answer(self, client):
        client.hang_up(render(text()))

    def test_body_that_ends_before_its_declared_length(self, client):
        response = client.send_raw(render(text())[:-10], end=True)

        assert response is None or response.status == 400

    def test_body_that_goes_on_after_its_declared_length(self, client):
        push = text()
        cut = render(push, {"Content-Length": str(len(push.body) - 1)})

        assert set(client.send_until_closed(cut + render(text()))) == {400}  # the second push is never seen

    @pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "1, 2", "９"])
    def test_declared_length_that_is_no_length(self, client, length):
        response = client.send_raw(render(text(), {"Content-Length": length}), end=True)

        assert response is None or response.status // 100 == 4

    def test_every_hostile_request_gets_its_status(self, client):
        unexpected = []
        for case in hostile.CASES:
            target = f"/{'sealed' if case.keyed else 'plain'}?{case.query_string}"
            request = render_request(case.method, target, case.body, {"Content-Type": case.content_type})
            response = client.send_raw(request, case.method)
            was_cut_off = response is None and len(case.body) > PLAIN.max_body
            if not was_cut_off and (response is None or response.status != case.status):
                unexpected.append((case.name, response and response.status, case.status))

        assert not unexpected


def render(push, headers=None):
    return render_request("POST", f"/plain?{urlencode(push.query)}", push.body, headers)


def render_in_chunks(push):
    parts = [push.body[start : start + 60_000] for start in range(0, len(push.body), 60_000)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
    headers = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    return render_request("POST", f"/plain?{urlencode(push.query)}", body, headers)


@pytest.mark.parametrize("adapt", [flask.push_view, wsgi.push_app])
def test_async_endpoint_is_refused_where_nothing_can_await_it(adapt):
    with pytest.raises(SettingsError, match="cannot await"):
        adapt(AsyncPushEndpoint(PLAIN))
