"""The way to WeChat: both clients end alike, whatever happens on it, and send nothing twice."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import requests
from attrs import frozen

from tests.both_clients import both, catch, make_fixed
from tests.certificates import Certificate, make_certificate
from tests.raw_http import PATIENCE, Connection, Handle, Server, answering, listen, refuse, render
from wechat_msg import Client
from wechat_msg.api import customer_service, media
from wechat_msg.errors import AnswerLost, ConnectFailed, UnreadableAnswer

MESSAGE = customer_service.send("oUSER", "hi")
UPLOAD = media.upload("image", b"\x89PNG", filename="a.png")
SOON = 0.5


# --- what servers do -------------------------------------------------------------------------------------------------


def hang_up(connection: Connection) -> None:
    connection.socket.shutdown(2)


def reset(connection: Connection) -> None:
    connection.reset()


def say_nothing(connection: Connection) -> None:
    connection.socket.recv(1 << 16)
    connection.socket.recv(1 << 16)


def after_the_first_bytes(then: Handle) -> Handle:
    def handle(connection: Connection) -> object:
        connection.socket.recv(1 << 16)
        return then(connection)

    return handle


def saying(answer: bytes) -> Handle:
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
SILENCE = (SOON, 2 * SOON)

#: Before the first byte of the request: nothing can have been done.
BEFORE = {
    "port_that_refuses": Fault(),
    "port_that_refuses_without_tls": Fault(scheme="http"),
    "host_that_is_none": Fault(host="https://nowhere.invalid"),
    "host_whose_name_is_too_long": Fault(host=f"https://{'a' * 70}.invalid"),
    "host_that_is_none_without_tls": Fault(host="http://nowhere.invalid"),
    "cut_off_at_once": Fault(hang_up),
    "reset_at_once": Fault(reset),
    "cut_off_in_the_handshake": Fault(after_the_first_bytes(hang_up)),
    "reset_in_the_handshake": Fault(after_the_first_bytes(reset)),
    "cut_off_in_the_middle_of_the_handshake": Fault(saying(HALF_A_HELLO)),
    "silence_in_the_handshake": Fault(say_nothing, timeout=SILENCE),
    "another_version_of_tls": Fault(saying(NO_VERSION)),
    "no_cipher_in_common": Fault(saying(NO_CIPHER)),
    "no_tls": Fault(saying(render(b"", "400 Bad Request"))),
    "another_protocol": Fault(saying(b"SSH-2.0-OpenSSH_9.6\r\n")),
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
    "certificates_that_are_none": Fault(hang_up, context=good, trusts=lambda certificates: certificates.nothing),
    "certificates_in_an_empty_folder": Fault(
        hang_up, context=good, trusts=lambda certificates: certificates.nothing.removesuffix("/certificates.pem")
    ),
    "certificate_of_the_client_is_wanted": Fault(hang_up, context=asking_for_a_certificate(ssl.TLSVersion.TLSv1_2)),
    "proxy_that_refuses": Fault(host=ELSEWHERE, is_proxy=True),
    "proxy_that_refuses_without_tls": Fault(host="http://api.weixin.test", is_proxy=True),
    "proxy_that_does_not_want_to": Fault(saying(render(b"no", "403 Forbidden")), host=ELSEWHERE, is_proxy=True),
    "proxy_that_wants_a_password": Fault(saying(render(b"", "407 Who are you")), host=ELSEWHERE, is_proxy=True),
    "proxy_that_hangs_up": Fault(after_the_first_bytes(hang_up), host=ELSEWHERE, is_proxy=True),
    "proxy_that_resets": Fault(after_the_first_bytes(reset), host=ELSEWHERE, is_proxy=True),
    "proxy_that_is_silent": Fault(say_nothing, host=ELSEWHERE, is_proxy=True, timeout=SILENCE),
    "proxy_of_another_kind": Fault(saying(b"\x05\xff"), host=ELSEWHERE, is_proxy=True),
    "tunnel_that_is_cut_off": Fault(through_the_tunnel(hang_up), host=ELSEWHERE, is_proxy=True),
    "tunnel_that_is_silent": Fault(through_the_tunnel(say_nothing), host=ELSEWHERE, is_proxy=True, timeout=SILENCE),
    "tunnel_to_what_is_no_tls": Fault(through_the_tunnel(saying(b"no tls")), host=ELSEWHERE, is_proxy=True),
}
#: After it: nobody knows what was done.
LOST = {
    "cut_off": Fault(after_the_request(hang_up), context=good),
    "cut_off_without_tls": Fault(after_the_request(hang_up), "http"),
    "cut_off_in_the_request": Fault(after_the_first_bytes(hang_up), "http"),
    "reset": Fault(after_the_request(reset), context=good),
    "reset_without_tls": Fault(after_the_request(reset), "http"),
    "silence": Fault(after_the_request(say_nothing), context=good, timeout=(PATIENCE, SOON)),
    "silence_without_tls": Fault(after_the_request(say_nothing), "http", timeout=(PATIENCE, SOON)),
    "half_an_answer": Fault(answering(render(b'{"errcode":0', content_length="13")), context=good),
    "half_a_head": Fault(answering(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"), context=good),
    "half_a_status": Fault(answering(b"HTTP/1.1 200"), "http"),
    "another_protocol_without_tls": Fault(saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "http"),
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
NOT_OF_SESSIONS = ("certificates_that_are_not_found", "certificates_that_are_none", "certificates_in_an_empty_folder")


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
            catch(ConnectFailed, client.call, MESSAGE)
            assert other.connections == []

    @list_faults(LOST)
    def test_after_the_first_byte_loses_the_answer_and_nothing_is_sent_again(self, fault, run):
        with run(fault) as (bad, other, client):
            catch(AnswerLost, client.call, MESSAGE)
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
