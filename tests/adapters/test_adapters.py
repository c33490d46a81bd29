"""One contract for all adapters, each behind a real server and asked over real HTTP."""

import contextlib
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests.helpers import hostile
from tests.helpers.hostile import PLAIN, SEALED
from tests.helpers.servers import GUNICORN, TIMEOUT, UVICORN, Client, render_request, serve
from wechat_msg import AsyncPushEndpoint, PushSettings, SettingsError
from wechat_msg.adapters import flask, wsgi
from wechat_msg.testing import build_echostr_request, build_push, open_reply

ADAPTERS = {
    "wsgi": [*GUNICORN, "tests.helpers.apps:make_wsgi()"],
    "asgi-sync": [*UVICORN, "--factory", "tests.helpers.apps:make_asgi_sync"],
    "asgi-async": [*UVICORN, "--factory", "tests.helpers.apps:make_asgi_async"],
    "flask": [*GUNICORN, "tests.helpers.apps:make_flask()"],
    "django-sync": [*GUNICORN, "tests.helpers.apps:make_django_wsgi()"],
    "django-sync-asgi": [*UVICORN, "--factory", "tests.helpers.apps:make_django_asgi_sync"],
    "django-async": [*UVICORN, "--factory", "tests.helpers.apps:make_django_asgi_async"],
    "fastapi-sync": [*UVICORN, "--factory", "tests.helpers.apps:make_fastapi_sync"],
    "fastapi-async": [*UVICORN, "--factory", "tests.helpers.apps:make_fastapi_async"],
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

    def test_over_the_limit_is_refused_by_the_endpoint(self, server, client):
        assert client.push("/plain", text("x" * PLAIN.max_body)).status == 413
        assert "push refused with 413, BodyTooLarge" in server.read_log()

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

    @pytest.mark.parametrize("path", ["/mirror", "/read-first/mirror", "/prefix/mirror"])
    @pytest.mark.parametrize("parts", [[b"<xml>", b"</xml>"], [b"x" * 60_000] * 16], ids=["short", "long"])
    def test_chunked_body_is_unchanged(self, client, path, parts):
        seen = json.loads(client.send_raw(render_chunks(path, parts)).body)

        assert bytes.fromhex(seen["body"]) == b"".join(parts)

    def test_body_is_there_although_it_was_read_before(self, server, client):
        client.send("POST", "/read-first/mirror", b"x" * 4711)

        assert "4711 bytes were read" in server.read_log()

    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("path", ["/mirror", "/prefix/mirror"])
    def test_query_is_decoded_once_and_what_has_two_values_is_left_out(self, client, method, path):
        seen = json.loads(client.send(method, f"{path}?a=%2B+%2525&b=&c=%E4%BD%A0&d=1&d=2&e&f=3&b=&f=3").body)

        assert seen["method"] == method
        assert seen["query"] == {"a": "+ %25", "b": "", "c": "你", "e": "", "f": "3"}

    def test_response_is_unchanged(self, client):
        response = client.send("GET", "/mirror")

        assert response.status == 203
        assert response.headers["content-type"] == "application/x-mirror"
        assert response.headers["content-length"] == str(len(response.body))
        assert response.headers["x-mirror"] == "yes"


class TestSurroundings:
    """What an application puts around the view works as it does around any other."""

    @pytest.mark.parametrize("length", [10, 1_010_000, PLAIN.max_body])
    def test_what_reads_the_body_after_the_view_gets_it(self, server, client, length):
        """Also where it is longer than what the framework takes otherwise, or than what the endpoint takes."""
        push = text("x" * length)
        log = server.read_log()

        response = client.push("/read-after/plain", push)

        assert response.status == (413 if len(push.body) > PLAIN.max_body else 200)
        read = int(wait_for(r"(\d+) bytes were read", server, log)[1])
        assert min(len(push.body), PLAIN.max_body + 1) <= read <= len(push.body)

    def test_what_reads_a_chunked_body_after_the_view_gets_it(self, server, client):
        push, log = text("chunked"), server.read_log()

        assert client.send_raw(render_in_chunks(push, "/read-after/plain")).status == 200
        assert int(wait_for(r"(\d+) bytes were read", server, log)[1]) == len(push.body)

    def test_body_that_was_consumed_before_is_told_as_such(self, server, client):
        assert client.push("/consumed/plain", text("consumed")).status == 400
        assert "MalformedPush: the body is empty" in server.read_log()

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_guard_is_asked_first(self, client, method):
        assert client.send(method, "/guarded/plain").status == 401
        assert client.send(method, "/guarded/plain", headers={"X-Guard": "open"}).status == 403

    def test_push_that_the_guard_lets_pass_is_answered(self, client):
        assert client.push("/guarded/plain", text(), {"X-Guard": "open"}).status == 200
        assert client.push("/guarded/plain", build_echostr_request(PLAIN, "42"), {"X-Guard": "open"}).body == b"42"


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

    @pytest.mark.parametrize("length", [2, PLAIN.max_body - 1000])
    def test_chunked_body(self, client, length):
        assert client.send_raw(render_in_chunks(text("x" * length))).status == 200

    def test_chunked_body_over_the_limit(self, client):
        response = client.send_raw(render_in_chunks(text("x" * PLAIN.max_body)))

        assert response is None or response.status == 413

    def test_body_of_http_1_0(self, client):
        response = client.send_raw(render(text()).replace(b"HTTP/1.1", b"HTTP/1.0", 1))

        assert open_reply(PLAIN, response.body)["Content"] == "'hi'"

    @pytest.mark.parametrize("reset", [False, True])
    def test_client_that_hangs_up_in_the_middle_of_the_body(self, client, reset):
        for _ in range(5):
            client.hang_up(render(text())[:-10], reset=reset)
            client.hang_up(render_in_chunks(text())[:-15], reset=reset)

    @pytest.mark.parametrize("cut", [3, 15])
    def test_chunked_body_that_ends_too_early(self, client, cut):
        response = client.send_raw(render_in_chunks(text())[:-cut], end=True)

        assert response is None or response.status == 400

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

    @pytest.mark.parametrize("path", ["/plain", "/sealed"])
    def test_damage_on_the_way_is_named_in_the_log(self, server, client, path):
        query = {**text().query, "msg_signature": "0"}
        for body, named in ((b"", "empty"), (b"PHhtbD48L3htbD4=", "base64"), (b"xml=%3Cxml%3E", "form-encoded")):
            form = {"Content-Type": "application/x-www-form-urlencoded"}

            assert client.send("POST", f"{path}?{urlencode(query)}", body, form).status == 400
            assert f"push refused with 400, MalformedPush: the body is {named}" in server.read_log()

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


def wait_for(pattern, server, log):
    """Find what is printed after the answer has gone out."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := re.search(pattern, server.read_log().removeprefix(log))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def render(push, headers=None):
    return render_request("POST", f"/plain?{urlencode(push.query)}", push.body, headers)


def render_in_chunks(push, path="/plain"):
    parts = [push.body[start : start + 60_000] for start in range(0, len(push.body), 60_000)]
    return render_chunks(f"{path}?{urlencode(push.query)}", parts)


def render_chunks(target, parts):
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
    return render_request("POST", target, body, {"Content-Length": "", "Transfer-Encoding": "chunked"})


@pytest.mark.parametrize("adapt", [flask.push_view, wsgi.push_app])
def test_async_endpoint_is_refused_where_nothing_can_await_it(adapt):
    with pytest.raises(SettingsError, match="cannot await"):
        adapt(AsyncPushEndpoint(PLAIN))


@pytest.fixture(scope="module")
def fastapi_client():
    with (
        serve(*UVICORN, "--factory", "tests.helpers.apps:make_fastapi_guards") as server,
        contextlib.closing(Client(server.port)) as client,
    ):
        yield client


class TestFastAPI:
    @pytest.mark.parametrize("path", ["/app/plain", "/router/plain", "/outer/inner/plain"])
    def test_dependency_runs_wherever_it_is_declared(self, fastapi_client, path):
        assert fastapi_client.push(f"/fastapi{path}", text()).status == 401
        assert fastapi_client.push(f"/fastapi{path}", text(), {"X-Guard": "open"}).status == 200

    def test_router_also_serves_an_application_of_starlette_alone(self, fastapi_client):
        assert fastapi_client.push("/plain", text()).status == 200
        assert fastapi_client.send("PUT", "/plain").status == 405

    def test_routes_are_not_in_the_schema(self, fastapi_client):
        assert json.loads(fastapi_client.send("GET", "/fastapi/openapi.json").body)["paths"] == {}
