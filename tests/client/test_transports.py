"""The way to WeChat: both clients end alike, whatever happens on it, and send nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import requests
from asgiref.sync import async_to_sync
from attrs import frozen

from tests.helpers.both_clients import InLoop, both, catch, make_fixed
from tests.helpers.certificates import Certificate, make_certificate
from tests.helpers.raw_http import PATIENCE, Connection, Handle, Server, answering, listen, refuse, render
from tests.helpers.rows import check_rows
from tests.helpers.servers import run as run_python
from wechat_msg import AsyncClient, Client, MemoryStore
from wechat_msg.api import customer_service, media
from wechat_msg.api.call import raw_call
from wechat_msg.errors import AnswerLost, CallError, ConnectFailed, UnreadableAnswer
from wechat_msg.testing import FakeWeChatAPI

MESSAGE = customer_service.send("oUSER", "hi")
UPLOAD = media.upload("image", b"\x89PNG", filename="a.png")
SOON = 0.3


# --- what servers do -------------------------------------------------------------------------------------------------


def hang_up(connection: Connection) -> None:
    connection.socket.shutdown(2)


def reset(connection: Connection) -> None:
    connection.reset()


def send_nothing(connection: Connection) -> None:
    connection.socket.recv(1 << 16)
    connection.socket.recv(1 << 16)


def after_the_first_bytes(then: Handle) -> Handle:
    def handle(connection: Connection) -> object:
        connection.socket.recv(1 << 16)
        return then(connection)

    return handle


def sending(answer: bytes) -> Handle:
    def handle(connection: Connection) -> None:
        connection.socket.recv(1 << 16)
        connection.send(answer)
        connection.socket.shutdown(1)
        connection.socket.recv(1 << 16)

    return handle


def after_the_request(then: Handle) -> Handle:
    def handle(connection: Connection) -> object:
        connection.read_request()
        return then(connection)

    return handle


def through_the_tunnel(then: Handle) -> Handle:
    """Be a proxy that makes the connection, and the server at its end."""

    def handle(connection: Connection) -> object:
        connection.read_head()
        connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return then(connection)

    return handle


#: Fatal alerts of TLS: as from a server that has no version, or no cipher, in common with the client.
NO_VERSION = b"\x15\x03\x01\x00\x02\x02\x46"
NO_CIPHER = b"\x15\x03\x03\x00\x02\x02\x28"
HALF_A_HELLO = b"\x16\x03\x03\x00\x7a\x02\x00"


@frozen
class Fault:
    """A way in which a host cannot be asked, or does not answer.

    Attributes:
        handle: Serves its connections; None: nobody listens.
        scheme: How it is asked; whether it can speak TLS is another matter.
        context: With it the server speaks TLS before `handle` begins.
        host: Is asked instead of the server; None: the server is.
        is_proxy: The server is the proxy for `host`.
        trusts: What the program trusts: a path of certificates.
        timeout: Seconds that the client waits for a connection, and for each piece of an answer.
    """

    handle: Handle | None = None
    scheme: str = "https"
    context: Callable[[Certificates], ssl.SSLContext] | None = None
    host: str | None = None
    is_proxy: bool = False
    trusts: Callable[[Certificates], str] = lambda certificates: certificates.good.path
    timeout: tuple[float, float] = (PATIENCE, PATIENCE)


@frozen
class Certificates:
    """Certificates of several kinds; only the good one is for 127.0.0.1 and for now."""

    good: Certificate
    other_host: Certificate
    expired: Certificate
    nothing: str


@pytest.fixture(scope="session")
def certificates(certificate, tmp_path_factory):
    made = {}
    for name, options in {"other_host": {"name": "DNS:api.weixin.test"}, "expired": {"has_expired": True}}.items():
        made[name] = make_certificate(tmp_path_factory.mktemp(name), **options)
    nothing = tmp_path_factory.mktemp("nothing") / "certificates.pem"
    nothing.write_text("no certificates\n")
    return Certificates(certificate, **made, nothing=str(nothing))


def asking_for_a_certificate(version: ssl.TLSVersion) -> Callable[[Certificates], ssl.SSLContext]:
    """Serve only clients that have a certificate."""

    def make(certificates: Certificates) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        path = certificates.good.path
        context.load_cert_chain(path, path.replace("certificate.pem", "key.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(path)
        return context

    return make


def good(certificates: Certificates) -> ssl.SSLContext:
    return certificates.good.context


ELSEWHERE = "https://api.weixin.test"
SILENCE = (SOON, 1.0)

#: Before the first byte of the request: nothing can have been done.
BEFORE = {
    "port_that_refuses": Fault(),
    "port_that_refuses_without_tls": Fault(scheme="http"),
    "unknown_host": Fault(host="https://nowhere.invalid"),
    "host_whose_name_is_too_long": Fault(host=f"https://{'a' * 70}.invalid"),
    "unknown_host_without_tls": Fault(host="http://nowhere.invalid"),
    "cut_off_at_once": Fault(hang_up),
    "cut_off_in_the_handshake": Fault(after_the_first_bytes(hang_up)),
    "reset_in_the_handshake": Fault(after_the_first_bytes(reset)),
    "cut_off_in_the_middle_of_the_handshake": Fault(sending(HALF_A_HELLO)),
    "silence_in_the_handshake": Fault(send_nothing, timeout=SILENCE),
    "another_version_of_tls": Fault(sending(NO_VERSION)),
    "no_cipher_in_common": Fault(sending(NO_CIPHER)),
    "no_tls": Fault(sending(render(b"", "400 Bad Request"))),
    "another_protocol": Fault(sending(b"SSH-2.0-OpenSSH_9.6\r\n")),
    "certificate_that_is_not_trusted": Fault(
        hang_up, context=good, trusts=lambda certificates: certificates.other_host.path
    ),
    "certificate_of_another_host": Fault(
        hang_up,
        context=lambda certificates: certificates.other_host.context,
        trusts=lambda certificates: certificates.other_host.path,
    ),
    "certificate_that_has_expired": Fault(
        hang_up,
        context=lambda certificates: certificates.expired.context,
        trusts=lambda certificates: certificates.expired.path,
    ),
    "certificates_that_are_not_found": Fault(hang_up, context=good, trusts=lambda certificates: "/no/such/file.pem"),
    "certificates_that_are_garbage": Fault(hang_up, context=good, trusts=lambda certificates: certificates.nothing),
    "certificates_in_an_empty_folder": Fault(
        hang_up, context=good, trusts=lambda certificates: certificates.nothing.removesuffix("/certificates.pem")
    ),
    "certificate_of_the_client_is_wanted": Fault(hang_up, context=asking_for_a_certificate(ssl.TLSVersion.TLSv1_2)),
    "proxy_that_refuses": Fault(host=ELSEWHERE, is_proxy=True),
    "proxy_that_refuses_without_tls": Fault(host="http://api.weixin.test", is_proxy=True),
    "proxy_that_does_not_want_to": Fault(sending(render(b"no", "403 Forbidden")), host=ELSEWHERE, is_proxy=True),
    "proxy_that_wants_a_password": Fault(sending(render(b"", "407 Who are you")), host=ELSEWHERE, is_proxy=True),
    "proxy_that_hangs_up": Fault(after_the_first_bytes(hang_up), host=ELSEWHERE, is_proxy=True),
    "proxy_that_resets": Fault(after_the_first_bytes(reset), host=ELSEWHERE, is_proxy=True),
    "proxy_that_is_silent": Fault(send_nothing, host=ELSEWHERE, is_proxy=True, timeout=SILENCE),
    "proxy_of_another_kind": Fault(sending(b"\x05\xff"), host=ELSEWHERE, is_proxy=True),
    "tunnel_that_is_cut_off": Fault(through_the_tunnel(hang_up), host=ELSEWHERE, is_proxy=True),
    "tunnel_that_is_silent": Fault(through_the_tunnel(send_nothing), host=ELSEWHERE, is_proxy=True, timeout=SILENCE),
    "tunnel_to_what_is_no_tls": Fault(through_the_tunnel(sending(b"no tls")), host=ELSEWHERE, is_proxy=True),
}
#: After it: nobody knows what was done.
LOST = {
    "cut_off": Fault(after_the_request(hang_up), context=good),
    "cut_off_without_tls": Fault(after_the_request(hang_up), "http"),
    "cut_off_in_the_request": Fault(after_the_first_bytes(hang_up), "http"),
    "reset": Fault(after_the_request(reset), context=good),
    "reset_without_tls": Fault(after_the_request(reset), "http"),
    "silence": Fault(after_the_request(send_nothing), context=good, timeout=(PATIENCE, SOON)),
    "silence_without_tls": Fault(after_the_request(send_nothing), "http", timeout=(PATIENCE, SOON)),
    "half_an_answer": Fault(answering(render(b'{"errcode":0', content_length="13")), context=good),
    "half_a_head": Fault(answering(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"), context=good),
    "half_a_status": Fault(answering(b"HTTP/1.1 200"), "http"),
    "another_protocol_without_tls": Fault(sending(b"SSH-2.0-OpenSSH_9.6\r\n"), "http"),
    "no_tls_to_a_port_with": Fault(hang_up, "http", context=good),
    "certificate_of_the_client_is_wanted_in_tls_1_3": Fault(
        hang_up, context=asking_for_a_certificate(ssl.TLSVersion.TLSv1_3)
    ),
    "proxy_without_tls": Fault(after_the_request(hang_up), host="http://api.weixin.test", is_proxy=True),
}
UNREADABLE = {
    "page": Fault(answering(render(b"<html>", content_type="text/html")), context=good),
    "page_502": Fault(answering(render(b"<html>", "502 Bad Gateway")), "http"),
    "nothing": Fault(answering(render(b"")), "http"),
    "half_an_object": Fault(answering(render(b'{"errcode":0')), context=good),
    "proxy_that_wants_a_password_without_tls": Fault(
        answering(render(b"", "407 Who are you")), host="http://api.weixin.test", is_proxy=True
    ),
}
#: For these the user's own session of httpx2 cannot be made.
NOT_OF_SESSIONS = (
    "certificates_that_are_not_found",
    "certificates_that_are_garbage",
    "certificates_in_an_empty_folder",
)


@pytest.fixture
def run(make, certificates, clean_environ) -> Callable[..., Any]:
    """Return what runs a server with a fault, one without, and a client that asks the former first."""

    @contextlib.contextmanager
    def begin(fault: Fault, *, has_session: bool = False, **options: Any) -> Iterator[tuple[Server, Server, Any]]:
        context = fault.context(certificates) if fault.context else None
        with contextlib.ExitStack() as stack:
            bad = stack.enter_context(listen(fault.handle, context=context) if fault.handle else refusing())
            other = stack.enter_context(listen(answering(render(b'{"errcode":0,"media_id":"M","created_at":1}'))))
            variables = {"SSL_CERT_FILE": fault.trusts(certificates), "NO_PROXY": "127.0.0.1"}
            if fault.is_proxy:
                variables |= {"HTTP_PROXY": bad.url, "HTTPS_PROXY": bad.url}
            clean_environ(**variables)
            if has_session:
                options["session"] = requests.Session() if make is Client else httpx2.AsyncClient()
            host = fault.host or f"{fault.scheme}://{bad.url.partition('://')[2]}"
            options = {"retries": 1, "timeout": fault.timeout, "random": lambda: 0.0, **options}
            client = stack.enter_context(make_fixed(make, host, other.url, **options))
            yield bad, other, client
            if has_session:
                options["session"].close() if make is Client else client.run(options["session"].aclose())

    return begin


@contextlib.contextmanager
def refusing() -> Iterator[Server]:
    with refuse() as url:
        yield Server(url)


def list_faults(faults: dict[str, Fault]) -> Any:
    return pytest.mark.parametrize("fault", faults.values(), ids=faults)


@both
class TestFault:
    @list_faults(BEFORE)
    def test_before_the_first_byte_is_a_failure_to_connect_and_the_next_host_is_asked(self, fault, run):
        with run(fault) as (bad, other, client):
            client.call(MESSAGE)
            assert len(other.requests) == 1
            assert bad.requests == []

        with run(fault, retries=0) as (bad, other, client):
            error = catch(ConnectFailed, client.call, MESSAGE)
            host = urlsplit(fault.host or bad.url).netloc
            assert re.match(
                f"cannot connect to {host}( through the proxy)?: [^（]+（无法(通过代理)?连接 {host}：", str(error)
            )
            assert other.connections == []

    @list_faults(LOST)
    def test_after_the_first_byte_loses_the_answer_and_nothing_is_sent_again(self, fault, run):
        with run(fault) as (bad, other, client):
            error = catch(AnswerLost, client.call, MESSAGE)
            assert re.match("(no answer from [a-z0-9.:]+: |HTTP 200: the answer ends)", str(error))
            assert len(bad.connections) == 1
            assert other.connections == []

    @list_faults(UNREADABLE)
    def test_of_an_answer_that_is_not_wechats_is_no_reason_to_send_again(self, fault, run):
        with run(fault) as (bad, other, client):
            catch(UnreadableAnswer, client.call, MESSAGE)
            assert len(bad.requests) == 1
            assert other.connections == []

    @pytest.mark.parametrize("name", ["reset_in_the_handshake", "silence_in_the_handshake", "proxy_that_is_silent"])
    def test_before_the_first_byte_of_an_upload_leaves_it_whole_for_the_next_host(self, name, run):
        with run(BEFORE[name]) as (_, other, client):
            assert client.call(UPLOAD).media_id == "M"
            assert b"\r\n\r\n\x89PNG\r\n" in other.requests[0].body

    @list_faults({name: fault for name, fault in (BEFORE | LOST | UNREADABLE).items() if name not in NOT_OF_SESSIONS})
    def test_is_the_same_with_a_session_of_the_user(self, fault, run):
        errors = {ConnectFailed: BEFORE, AnswerLost: LOST, UnreadableAnswer: UNREADABLE}
        error = next(error for error, faults in errors.items() if fault in faults.values())
        with run(fault, has_session=True, retries=0) as (_, _, client):
            catch(error, client.call, MESSAGE)


# --- connections that are kept ---------------------------------------------------------------------------------------


def echo(connection: Connection) -> None:
    """Answer each request with what it asks for."""
    while True:
        query = connection.read_request().line.split("?")[1].split(" ")[0]
        connection.answer(b'{"asked":"%s"}' % parse_qs(query)["who"][0].encode())


def ask(who: str) -> Any:
    return raw_call("GET", "/cgi-bin/anything", params={"who": who})


class TestEventLoops:
    """One AsyncClient in several: a connection belongs to the loop in which it was made."""

    def test_one_after_another_may_use_it(self, clean_environ):
        clean_environ()
        with listen(echo) as server:
            client = make_fixed(AsyncClient, server.url)
            for number in range(3):
                assert asyncio.run(client.call(ask(f"job {number}"))) == {"asked": f"job {number}"}

        assert len(server.requests) == len(server.connections) == 3

    def test_that_django_makes_may_use_it(self, clean_environ):
        clean_environ()
        with listen(echo) as server:
            call = async_to_sync(make_fixed(AsyncClient, server.url).call)

            assert [call(ask(who))["asked"] for who in ("a", "b")] == ["a", "b"]
            assert len(server.requests) == 2

    def test_at_the_same_time_may_use_it(self, clean_environ):
        clean_environ()

        async def ask_often(who: str) -> set[str]:
            answers = await asyncio.gather(*(client.call(ask(f"{who}{number}")) for number in range(20)))
            return {answer["asked"] for answer in answers}

        with listen(echo) as server, ThreadPoolExecutor(4) as threads:
            client = make_fixed(AsyncClient, server.url)
            asked = threads.map(lambda who: asyncio.run(ask_often(who)), "abcd")

            assert list(asked) == [{f"{who}{number}" for number in range(20)} for who in "abcd"]
            assert len(server.requests) == 80

    def test_that_ends_closes_its_connections(self, clean_environ):
        clean_environ()
        hung_up = threading.Event()

        def handle(connection: Connection) -> None:
            try:
                echo(connection)
            finally:
                hung_up.set()

        with listen(handle) as server:
            client = make_fixed(AsyncClient, server.url)
            asyncio.run(client.call(ask("a")))

            assert hung_up.wait(PATIENCE)

    def test_has_its_own_renewals_to_wait_for(self, clean_environ):
        """A renewal that ended with its loop is not waited for in another one."""
        clean_environ()

        async def begin_renewal() -> None:
            await client.get_access_token()
            wechat.advance(7000)
            await client.get_access_token()

        with FakeWeChatAPI() as wechat:
            client = AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url], clock=wechat.clock)
            asyncio.run(begin_renewal())
            asyncio.run(client.close())

    def test_may_use_a_session_of_the_user_only_if_it_is_the_first(self, clean_environ):
        clean_environ()

        async def call_twice() -> None:
            for _ in range(2):
                await client.call(ask("a"))

        with listen(echo) as server:
            session = httpx2.AsyncClient()
            client = make_fixed(AsyncClient, server.url, session=session)
            with asyncio.Runner() as runner:
                runner.run(call_twice())
                with pytest.raises(CallError, match="event loop"), asyncio.Runner() as other:
                    other.run(client.call(ask("b")))
                runner.run(call_twice())
                runner.run(session.aclose())

            assert len(server.requests) == 4

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    def test_that_gets_a_session_used_elsewhere_before_raises_an_error_of_the_family(self, clean_environ):
        clean_environ()
        with listen(echo) as server:
            session = httpx2.AsyncClient()
            asyncio.run(session.get(f"{server.url}/x?who=a"))
            client = make_fixed(AsyncClient, server.url, session=session)
            catch(AnswerLost, asyncio.run, client.call(ask("b")))
            del client, session
            gc.collect()  # here, where it may complain of what the session has left open

    def test_may_not_use_a_session_that_is_closed(self, clean_environ):
        clean_environ()

        async def call() -> None:
            session = httpx2.AsyncClient()
            await session.aclose()
            await make_fixed(AsyncClient, "http://api.weixin.test", session=session).call(ask("a"))

        with pytest.raises(CallError, match="closed"):
            asyncio.run(call())

    def test_that_may_not_use_it_leaves_no_failure_in_the_store(self, clean_environ):
        clean_environ()
        with FakeWeChatAPI() as wechat:
            wechat.answer("/cgi-bin/anything", {})
            session, options = httpx2.AsyncClient(), {"hosts": [wechat.url], "store": MemoryStore()}
            client = AsyncClient(wechat.appid, wechat.secret, session=session, **options)
            with asyncio.Runner() as runner:
                runner.run(client.raw_call("GET", "/cgi-bin/anything", needs_access_token=False))
                with pytest.raises(CallError), asyncio.Runner() as other:
                    other.run(client.get_access_token())
                runner.run(session.aclose())
            with Client(wechat.appid, wechat.secret, **options) as another:
                assert another.get_access_token().access_token


FORKING = """
import os, sys, requests
from requests.adapters import HTTPAdapter
from wechat_msg import Client
from wechat_msg.api.call import raw_call
from wechat_msg.client import FixedToken

class Adapter(HTTPAdapter):
    def __init__(self, block):
        self.own = block    # which requests does not know of
        super().__init__()
    def init_poolmanager(self, *args, **options):
        super().init_poolmanager(*args, **{**options, "block": self.own})

url, kind = sys.argv[1:]
session = None if kind == "none" else requests.Session()
if kind == "adapter":
    session.mount("http://", Adapter(True))

def make():
    return Client("wx1", hosts=[url], session=session, token_source=FixedToken("T"), retries=0)

client = make()

def ask(who, times):
    asked = [f"{who}.{number}" for number in range(times)]
    return {client.call(raw_call("GET", "/x", params={"who": each}))["asked"] == each for each in asked}

if session is not None:
    session.get(f"{url}/x?who=before")
ask("parent", 2)
barrier, gate = os.pipe()
children = []
for number in range(4):
    children.append(os.fork())
    if not children[-1]:
        os.close(gate)
        os.read(barrier, 1)
        client = make() if kind == "late" else client
        os._exit(ask(f"child {number}", 50) != {True})
os.close(gate)
answers = ask("parent", 50)
print(answers, [os.waitpid(child, 0)[1] for child in children], ask("parent", 1))
"""


class TestFork:
    def test_gives_each_process_connections_of_its_own(self):
        def check(session):
            with listen(echo) as server:
                status, output = run_python("-c", FORKING, server.url, session)

            assert (status, output) == (0, "{True} [0, 0, 0, 0] {True}\n")
            # The parent goes on with the one that it had; a user's session begins anew with the client.
            assert len(server.connections) == (5 if session == "none" else 6)

        check_rows(["none", "plain", "adapter", "late"], check)

    def test_is_noticed_also_where_the_package_is_imported_after_it(self):
        with listen(echo) as server:
            status, output = run_python("-c", IMPORTING_LATE, server.url)

        assert (status, output) == (0, "[0, 0]\n")
        assert len(server.connections) == 3


IMPORTING_LATE = """
import os, sys
import requests

url, = sys.argv[1:]
session = requests.Session()
session.get(f"{url}/x?who=before")
children = []
for number in range(2):
    children.append(os.fork())
    if not children[-1]:
        from wechat_msg import Client
        from wechat_msg.api.call import raw_call
        from wechat_msg.client import FixedToken

        client = Client("wx1", hosts=[url], session=session, token_source=FixedToken("T"), retries=0)
        asked = [f"{number}.{each}" for each in range(20)]
        answers = [client.call(raw_call("GET", "/x", params={"who": each}))["asked"] for each in asked]
        os._exit(answers != asked)
print([os.waitpid(child, 0)[1] for child in children])
"""

FORKING_ASYNC = """
import asyncio, os, sys
from wechat_msg import AsyncClient, SQLiteStore
url, path = sys.argv[1:]
client = AsyncClient("wx0123456789abcdef", "0123456789abcdef0123456789abcdef", hosts=[url], store=SQLiteStore(path))
asyncio.run(client.get_access_token())
child = os.fork()
ticket = asyncio.run(client.get_ticket("wx_card")).ticket
if not child:
    os._exit(not ticket)
print(os.waitpid(child, 0)[1])
"""


def test_async_client_continues_after_a_fork(tmp_path):
    """Also its store, which runs in threads that the child does not have."""
    with FakeWeChatAPI("wx0123456789abcdef", "0123456789abcdef0123456789abcdef") as wechat:
        assert run_python("-c", FORKING_ASYNC, wechat.url, str(tmp_path / "wechat.db")) == (0, "0\n")


class Clock:
    """Seconds, as a test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestIdleConnections:
    """A NAT forgets them without a word, so that what is sent over one is lost."""

    def test_are_used_again_for_half_a_minute(self, clean_environ):
        clean_environ()
        clock = Clock()
        with listen(echo) as server, make_fixed(Client, server.url, monotonic=clock) as client:
            for connections, seconds in [(1, 29), (1, 29), (1, 31), (2, 29), (2, 3600), (3, 0)]:
                client.call(ask("a"))
                assert len(server.connections) == connections
                clock.now += seconds

    def test_are_not_used_again_though_others_are_in_use(self, clean_environ):
        clean_environ()
        clock, together = Clock(), threading.Barrier(3)

        def answer_together(connection: Connection) -> None:
            while True:
                who = connection.read_request().line
                if "together" in who:
                    together.wait(PATIENCE)
                connection.answer(b"{}")

        with (
            listen(answer_together) as server,
            make_fixed(Client, server.url, monotonic=clock) as client,
            ThreadPoolExecutor(3) as threads,
        ):
            for connections in (3, 5):  # of the three only the one that was in use is used again
                list(threads.map(client.call, [ask("together")] * 3))
                assert len(server.connections) == connections
                for _ in range(2):
                    clock.now += 20
                    client.call(ask("alone"))

    def test_of_a_session_of_the_user_are_not_used_again_after_a_pause(self, clean_environ):
        clean_environ()
        clock, session = Clock(), requests.Session()
        with session, listen(echo) as server:
            client = make_fixed(Client, server.url, monotonic=clock, session=session)
            for connections, seconds in [(1, 29), (1, 31), (2, 0)]:
                client.call(ask("a"))
                assert len(server.connections) == connections
                clock.now += seconds

    def test_to_a_proxy_are_not_used_again(self, clean_environ):
        clock = Clock()
        with listen(echo) as proxy:
            clean_environ(HTTP_PROXY=proxy.url)
            with make_fixed(Client, "http://api.weixin.test", monotonic=clock) as client:
                for connections, seconds in [(1, 29), (1, 31), (2, 0)]:
                    client.call(ask("a"))
                    assert len(proxy.connections) == connections
                    clock.now += seconds

    def test_of_the_async_client_are_not_used_again(self, clean_environ, monkeypatch):
        """By the clock of the system, as httpx2 takes no other."""
        clean_environ()
        ahead, monotonic = 0, time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + ahead)
        with listen(echo) as server, make_fixed(InLoop, server.url) as client:
            for connections, seconds in [(1, 25), (1, 31), (2, 0)]:
                client.call(ask("a"))
                assert len(server.connections) == connections
                ahead += seconds

    def test_are_closed(self, clean_environ):
        clean_environ()
        clock, hung_up = Clock(), threading.Event()

        def handle(connection: Connection) -> None:
            try:
                echo(connection)
            finally:
                hung_up.set()

        with listen(handle, echo) as server, make_fixed(Client, server.url, monotonic=clock) as client:
            client.call(ask("a"))
            clock.now += 31
            client.call(ask("a"))

            assert hung_up.wait(PATIENCE)
