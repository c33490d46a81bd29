"""One contract for all adapters, each tested on a real server over HTTP."""

import contextlib
import gzip
import io
import itertools
import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask import Request as FlaskRequest
from flask import request as current_request
from werkzeug.test import EnvironBuilder

from tests.helpers import hostile
from tests.helpers.forking import fork_from
from tests.helpers.hostile import CLOUD_RUN, PLAIN, SEALED
from tests.helpers.rows import check_rows
from tests.helpers.servers import GUNICORN, UVICORN, Client, render_request
from tests.helpers.waiting import wait_until
from wechat_msg import AsyncPushEndpoint, PushEndpoint, PushSettings, SettingsError
from wechat_msg.adapters import flask, wsgi
from wechat_msg.testing import build_echostr_request, build_path_check, build_push, open_reply

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
#: What the applications and their servers import, directly or not.
LIBRARIES = [
    *("uvicorn.main", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "uvicorn.lifespan.on"),
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "flask", "fastapi", "tests.helpers.apps"),
    *("django.core.handlers.asgi", "django.core.handlers.wsgi", "django.http", "django.urls"),
    *("wechat_msg.adapters.asgi", "wechat_msg.adapters.flask", "wechat_msg.adapters.fastapi", "wechat_msg.endpoint"),
]


@pytest.fixture(scope="module", params=ADAPTERS)
def adapter(request):
    return request.param


@pytest.fixture(scope="module")
def forks():
    with fork_from(*LIBRARIES) as forks:
        yield forks


@pytest.fixture(scope="module")
def server(adapter, forks):
    with forks.serve(*ADAPTERS[adapter]) as server:
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
    def test_echoes_verbatim_as_plain_text(self, client):
        def check(echostr):
            response = client.push("/plain", build_echostr_request(PLAIN, echostr))
            assert (response.status, response.body) == (200, echostr.encode())
            assert response.headers["content-type"] == "text/plain; charset=utf-8"
            assert response.headers["x-content-type-options"] == "nosniff"

        check_rows(["4375120948345356249", "你好 <b>&amp;</b> %41+\r\n", " "], check)

    def test_refuses_forged_signature(self, client):
        assert client.push("/plain", build_echostr_request(STRANGER)).status == 403


class TestCloudRun:
    def test_checks_the_path(self, client):
        def check(format):
            response = client.push("/cloud-run", build_path_check(format))
            assert (response.status, response.body) == (200, b"success")
            assert response.headers["content-type"] == "text/plain; charset=utf-8"

        check_rows(["json", "xml"], check)

    def test_gets_an_answer_in_the_format_of_its_push(self, client):
        def check(format):
            response = client.push("/cloud-run", text("hi", CLOUD_RUN, format=format))
            assert response.headers["content-type"] == f"application/{format}; charset=utf-8"
            assert open_reply(CLOUD_RUN, response.body)["Content"] == "'hi'"

        check_rows(["json", "xml"], check)

    def test_does_not_reach_other_endpoints(self, client):
        assert client.push("/plain", build_path_check()).status == 403
        assert client.push("/sealed", text("hi", CLOUD_RUN)).status == 403
        assert client.push("/cloud-run", text("hi", SEALED)).status == 403
        assert client.push("/cloud-run", build_echostr_request(PLAIN)).status == 403


class TestPush:
    def test_is_answered_in_its_mode_and_format(self, client):
        def check(mode, format):
            path, settings = ("/plain", PLAIN) if mode == "plain" else ("/sealed", SEALED)
            response = client.push(path, text("hi", settings, mode=mode, format=format))
            assert response.status == 200
            assert response.headers["content-type"] == f"application/{format}; charset=utf-8"
            assert open_reply(settings, response.body)["Content"] == "'hi'"
            assert (b"Encrypt" in response.body) is (mode != "plain")

        check_rows(itertools.product(["plain", "compatible", "sealed"], ["xml", "json"]), check)

    def test_text_reaches_the_handler_as_its_format_gives_it(self, client):
        def check(format, arriving):
            response = client.push("/plain", text("你好\r\n", format=format))
            assert open_reply(PLAIN, response.body)["Content"] == ascii(arriving)

        check_rows([("xml", "你好\n"), ("json", "你好\r\n")], check)

    def test_is_acknowledged_as_plain_text(self, client):
        response = client.push("/plain", build_push(PLAIN, {"MsgType": "event", "Event": "subscribe"}))

        assert (response.status, response.body) == (200, b"success")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"

    def test_with_forged_signature_is_refused(self, client):
        assert client.push("/plain", text(settings=STRANGER)).status == 403
        assert client.push("/sealed", text(settings=STRANGER)).status == 403

    def test_over_the_limit_is_refused_by_the_endpoint(self, server, client):
        assert client.push("/plain", text("x" * PLAIN.max_body)).status == 413
        assert "push refused with 413, BodyTooLarge" in server.read_log()

    def test_with_another_method_is_refused(self, client):
        def check(method):
            response = client.send(method, "/plain")
            assert response.status == 405
            assert {"GET", "POST"} <= set(response.headers["allow"].split(", "))

        check_rows(["HEAD", "PUT", "PATCH", "DELETE"], check)


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

    CONTENT_TYPES = (
        "text/xml; charset=gbk",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
    )
    BODIES = (b"", "你好\r\n".encode(), bytes(range(256)), b"\xef\xbb\xbf \n", b"a=1&b=%20", b"x" * 1_000_000)

    def test_body_and_content_type_are_unchanged(self, client):
        def check(path, content_type, body):
            seen = json.loads(client.send("POST", path, body, {"Content-Type": content_type}).body)
            assert seen["body"] == body.hex()
            assert seen["content_type"] == content_type

        check_rows(itertools.product(["/mirror", "/read-first/mirror"], self.CONTENT_TYPES, self.BODIES), check)

    def test_chunked_body_is_unchanged(self, client):
        def check(path, parts):
            seen = json.loads(client.send_raw(render_chunks(path, parts)).body)
            assert bytes.fromhex(seen["body"]) == b"".join(parts)

        paths = ["/mirror", "/read-first/mirror", "/prefix/mirror"]
        check_rows(itertools.product(paths, [[b"<xml>", b"</xml>"], [b"x" * 60_000] * 16]), check)

    def test_body_is_there_although_it_was_read_before(self, server, client):
        client.send("POST", "/read-first/mirror", b"x" * 4711)

        assert "4711 bytes were read" in server.read_log()

    def test_query_is_decoded_once_and_what_has_two_values_is_left_out(self, client):
        def check(method, path):
            seen = json.loads(client.send(method, f"{path}?a=%2B+%2525&b=&c=%E4%BD%A0&d=1&d=2&e&f=3&b=&f=3").body)
            assert seen["method"] == method
            assert seen["query"] == {"a": "+ %25", "b": "", "c": "你", "e": "", "f": "3"}

        check_rows(itertools.product(["GET", "POST"], ["/mirror", "/prefix/mirror"]), check)

    def test_response_is_unchanged(self, client):
        response = client.send("GET", "/mirror")

        assert response.status == 203
        assert response.headers["content-type"] == "application/x-mirror"
        assert response.headers["content-length"] == str(len(response.body))
        assert response.headers["x-mirror"] == "yes"


class TestSurroundings:
    """Middleware, guards and prefixes work as they do around any other view."""

    def test_what_reads_the_body_after_the_view_gets_it(self, server, client):
        """Also where it is longer than the framework's limit, or than the endpoint's."""

        def check(length):
            push = text("x" * length)
            log = server.read_log()

            response = client.push("/read-after/plain", push)

            assert response.status == (413 if len(push.body) > PLAIN.max_body else 200)
            read = int(wait_for(r"(\d+) bytes were read", server, log)[1])
            assert min(len(push.body), PLAIN.max_body + 1) <= read <= len(push.body)

        check_rows([10, 1_010_000, PLAIN.max_body], check)

    def test_what_reads_a_chunked_body_after_the_view_gets_it(self, server, client):
        push, log = text("chunked"), server.read_log()

        assert client.send_raw(render_in_chunks(push, "/read-after/plain")).status == 200
        assert int(wait_for(r"(\d+) bytes were read", server, log)[1]) == len(push.body)

    def test_body_that_was_consumed_before_is_reported_as_empty(self, server, client):
        assert client.push("/consumed/plain", text("consumed")).status == 400
        assert "MalformedPush: the body is empty" in server.read_log()

    def test_guard_is_asked_first(self, client):
        def check(method):
            assert client.send(method, "/guarded/plain").status == 401
            assert client.send(method, "/guarded/plain", headers={"X-Guard": "open"}).status == 403

        check_rows(["GET", "POST"], check)

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

    def test_unknown_account_is_not_found(self, client):
        assert client.send("GET", "/wechat/wx0").status == 404
        assert client.send("POST", "/wechat/wx0").status == 404


class TestNetwork:
    """Requests of broken clients, proxies and attackers; afterwards the bot works, and the log holds no traceback."""

    @pytest.fixture(autouse=True)
    def _check_health(self, server, client):
        log = server.read_log()
        yield
        assert is_healthy(client)
        assert "Traceback" not in server.read_log().removeprefix(log)

    def test_chunked_body(self, client):
        for length in (2, PLAIN.max_body - 1000):
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

    def test_body_that_continues_after_its_declared_length(self, client):
        push = text()
        cut = render(push, {"Content-Length": str(len(push.body) - 1)})

        assert set(client.send_until_closed(cut + render(text()))) == {400}  # the second push is never seen

    def test_declared_length_that_is_no_length(self, client):
        def check(length):
            response = client.send_raw(render(text(), {"Content-Length": length}), end=True)
            assert response is None or response.status // 100 == 4
            assert is_healthy(client)

        check_rows(["-1", "1e3", "0x10", "1, 2", "９"], check)

    def test_damage_on_the_way_is_named_in_the_log(self, server, client):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        target = urlencode({**text().query, "msg_signature": "0"})

        def check(path, damage):
            body, name = damage
            log = server.read_log()
            assert client.send("POST", f"{path}?{target}", body, form).status == 400
            text = f"push refused with 400, MalformedPush: the body is {name}"
            assert text in server.read_log().removeprefix(log)

        damages = [(b"", "empty"), (b"PHhtbD48L3htbD4=", "base64"), (b"xml=%3Cxml%3E", "form-encoded")]
        check_rows(itertools.product(["/plain", "/sealed"], damages), check)

    def test_every_hostile_request_gets_its_status(self, client):
        def check(case):
            target = f"/{'sealed' if case.keyed else 'plain'}?{case.query_string}"
            request = render_request(case.method, target, case.body, {"Content-Type": case.content_type})
            response = client.send_raw(request, case.method)
            was_cut_off = response is None and len(case.body) > PLAIN.max_body
            assert was_cut_off or (response and response.status) == case.status

        check_rows({case.name: case for case in hostile.CASES}, check)


def wait_for(pattern, server, log):
    """Wait for a line that is printed after the answer was sent."""
    return wait_until(lambda: re.search(pattern, server.read_log().removeprefix(log)))


def render(push, headers=None):
    return render_request("POST", f"/plain?{urlencode(push.query)}", push.body, headers)


def render_in_chunks(push, path="/plain"):
    parts = [push.body[start : start + 60_000] for start in range(0, len(push.body), 60_000)]
    return render_chunks(f"{path}?{urlencode(push.query)}", parts)


def render_chunks(target, parts):
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
    return render_request("POST", target, body, {"Content-Length": "", "Transfer-Encoding": "chunked"})


class ShortReads(io.BytesIO):
    """The input of a server that passes on seven bytes at a time."""

    def read(self, size=-1):
        return super().read(min(size, 7) if size >= 0 else 7)


def make_flask_app(cls=FlaskRequest):
    app = Flask("bot")
    app.request_class = cls
    app.add_url_rule("/wechat", view_func=flask.push_view(PushEndpoint(PLAIN, lambda message: message.content)))
    return app


def test_flask_reads_a_body_that_its_server_passes_on_in_pieces():
    request, app = build_push(PLAIN, {"Content": "你好"}), make_flask_app()
    environ = EnvironBuilder("/wechat", method="POST", query_string=request.query).get_environ()
    environ |= {"wsgi.input": ShortReads(request.body), "CONTENT_LENGTH": str(len(request.body))}
    with app.request_context(environ):
        response = app.full_dispatch_request()
        assert (response.status_code, current_request.get_data()) == (200, request.body)


def test_flask_reads_a_body_as_the_requests_of_the_application_do():
    class Unzips(FlaskRequest):
        @property
        def stream(self):
            return io.BytesIO(gzip.decompress(super().stream.read()))

    request = build_push(PLAIN, {"Content": "你好"})
    client = make_flask_app(Unzips).test_client()
    zipped = gzip.compress(request.body)
    assert client.post("/wechat", query_string=request.query, data=zipped).status_code == 200


def test_async_endpoint_is_refused_where_nothing_can_await_it():
    for adapt in (flask.push_view, wsgi.push_app):
        with pytest.raises(SettingsError, match="cannot await"):
            adapt(AsyncPushEndpoint(PLAIN))


@pytest.fixture(scope="module")
def fastapi_client(forks):
    with (
        forks.serve(*UVICORN, "--factory", "tests.helpers.apps:make_fastapi_guards") as server,
        contextlib.closing(Client(server.port)) as client,
    ):
        yield client


class TestFastAPI:
    def test_dependency_runs_wherever_it_is_declared(self, fastapi_client):
        def check(path):
            assert fastapi_client.push(f"/fastapi{path}", text()).status == 401
            assert fastapi_client.push(f"/fastapi{path}", text(), {"X-Guard": "open"}).status == 200

        check_rows(["/app/plain", "/router/plain", "/outer/inner/plain"], check)

    def test_router_also_serves_an_application_of_starlette_alone(self, fastapi_client):
        assert fastapi_client.push("/plain", text()).status == 200
        assert fastapi_client.send("PUT", "/plain").status == 405

    def test_routes_are_not_in_the_schema(self, fastapi_client):
        assert json.loads(fastapi_client.send("GET", "/fastapi/openapi.json").body)["paths"] == {}
