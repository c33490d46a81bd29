"""Files that go up and come down: every byte, in pieces, and again from the start when the line breaks."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import os
import pickle
import random
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from tests.helpers.both_clients import both, catch, make_fixed, serving
from tests.helpers.raw_http import PATIENCE, Connection, Request, answering, listen, render
from tests.helpers.rows import check_rows
from tests.helpers.servers import run
from wechat_msg import AsyncClient
from wechat_msg.api import material, media
from wechat_msg.api.call import Call, File, Upload
from wechat_msg.api.results import Member
from wechat_msg.errors import AnswerLost, CallError, InvalidParameter, UnreadableAnswer
from wechat_msg.testing import FakeWeChatAPI

MB = 1 << 20
LARGE = random.Random(1).randbytes(20 * MB)
SMALL = LARGE[:300_000]
UPLOAD, DOWNLOAD = "/cgi-bin/media/upload", "/cgi-bin/media/get"
UPLOADED = b'{"type":"image","media_id":"MEDIA","created_at":1700000000}'
REFUSED = b'{"errcode":40007,"errmsg":"invalid media_id rid: 61725984-6126f6f9-040f19c4"}'


# --- up --------------------------------------------------------------------------------------------------------------


def upload(file: Any, **options: Any) -> Call[str]:
    given = {"filename": "a.jpg", "content_type": "image/jpeg", **options}
    return Call(
        "POST",
        UPLOAD,
        Member("media_id", str),
        {"type": "image"},
        upload=Upload(file=file, **given),
        is_repeatable=True,
    )


def take(connection: Connection) -> None:
    while True:
        connection.read_request()
        connection.answer(UPLOADED)


def break_after(size: int) -> Any:
    def handle(connection: Connection) -> None:
        connection.read_head()
        connection.read(size)
        connection.reset()

    return handle


@frozen
class Form:
    """What an independent parser makes of a body."""

    fields: dict[str, str]
    files: dict[str, tuple[str, str, bytes]]


def read_form(request: Request) -> Form:
    content_type, options = parse_options_header(request.headers["content-type"])
    parser = FormDataParser(stream_factory=lambda *_, **__: io.BytesIO(), max_form_memory_size=None, silent=False)
    _, form, files = parser.parse(io.BytesIO(request.body), content_type, len(request.body), options)
    return Form(
        form.to_dict(),
        {name: (file.filename or "", file.mimetype, file.read()) for name, file in files.items()},
    )


def content_of(request: Request) -> bytes:
    return read_form(request).files["media"][2]


@contextlib.contextmanager
def written(descriptor: int, content: bytes) -> Iterator[None]:
    """Write into a pipe, in a thread."""

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as file:
            file.write(content)

    thread = threading.Thread(target=write)
    thread.start()
    yield
    thread.join()


class Sources:
    """Where the bytes of an upload can come from."""

    @contextlib.contextmanager
    def bytes(self, folder, content):
        yield content

    @contextlib.contextmanager
    def bytearray(self, folder, content):
        yield bytearray(content)

    @contextlib.contextmanager
    def memoryview(self, folder, content):
        yield memoryview(content)

    @contextlib.contextmanager
    def memoryview_with_gaps(self, folder, content):
        yield memoryview(bytes(byte for byte in content for _ in "ab"))[::2]

    @contextlib.contextmanager
    def path(self, folder, content):
        (folder / "照片.jpg").write_bytes(content)
        yield folder / "照片.jpg"

    @contextlib.contextmanager
    def path_as_text(self, folder, content):
        with self.path(folder, content) as path:
            yield str(path)

    @contextlib.contextmanager
    def file(self, folder, content):
        with self.path(folder, content) as path, path.open("rb") as file:
            yield file

    @contextlib.contextmanager
    def unbuffered_file(self, folder, content):
        with self.path(folder, content) as path, path.open("rb", buffering=0) as file:
            yield file

    @contextlib.contextmanager
    def file_that_was_begun(self, folder, content):
        with self.path(folder, b"read before" + content) as path, path.open("rb") as file:
            assert file.read(11) == b"read before"
            yield file

    @contextlib.contextmanager
    def memory_that_was_begun(self, folder, content):
        file = io.BytesIO(b"read before" + content)
        file.seek(11)
        yield file

    @contextlib.contextmanager
    def temporary_file(self, folder, content):
        with tempfile.SpooledTemporaryFile(max_size=1000) as file:
            file.write(content)
            file.seek(0)
            yield file

    @contextlib.contextmanager
    def slow_file(self, folder, content):
        class InSmallPieces(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                return super().read(min(size or 0, 4321) if size != -1 else size)

        yield InSmallPieces(content)

    @contextlib.contextmanager
    def pipe(self, folder, content):
        reading, writing = os.pipe()
        with written(writing, content), os.fdopen(reading, "rb") as file:
            yield file

    @contextlib.contextmanager
    def path_of_pipe(self, folder, content):
        """As a shell makes one: ``program <(command)``."""
        reading, writing = os.pipe()
        with written(writing, content), os.fdopen(reading, "rb"):
            yield f"/dev/fd/{reading}"

    @contextlib.contextmanager
    def named_pipe(self, folder, content):
        os.mkfifo(folder / "fifo")
        thread = threading.Thread(target=(folder / "fifo").write_bytes, args=(content,))
        thread.start()
        yield folder / "fifo"
        thread.join()


SOURCES = [name for name in vars(Sources) if not name.startswith("_")]
#: Those that read a disk or a pipe; the rest differ from them in nothing that depends on the size.
LARGE_SOURCES = ["path", "file_that_was_begun", "bytes", "pipe"]
from_every_source = pytest.mark.parametrize("source", SOURCES)


@pytest.fixture
def sources(tmp_path):
    return lambda name, content: getattr(Sources(), name)(tmp_path, content)


@both
class TestUpload:
    @from_every_source
    def test_sends_every_byte(self, make, source, sources):
        with serving(make, take) as (server, client), sources(source, SMALL) as file:
            assert client.call(upload(file)) == "MEDIA"

        assert content_of(server.requests[0]) == SMALL

    @pytest.mark.parametrize("source", LARGE_SOURCES)
    def test_sends_20_mb_again_from_their_start_when_the_line_breaks_in_the_middle(self, make, source, sources):
        with serving(make, break_after(7 * MB), take) as (server, client), sources(source, LARGE) as file:
            assert client.call(upload(file)) == "MEDIA"

        assert content_of(server.requests[0]) == LARGE
        assert len(server.connections) == 2

    @from_every_source
    def test_sends_the_same_again_when_the_answer_is_lost(self, make, source, sources):
        with FakeWeChatAPI() as wechat, make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            wechat.drop(UPLOAD, when="before")
            wechat.drop(UPLOAD, when="after")
            with sources(source, SMALL) as file:
                client.call(upload(file))

            assert [request.files["media"][1] == SMALL for request in wechat.requests_to(UPLOAD)] == [True] * 3

    @from_every_source
    def test_sends_the_same_again_when_the_access_token_was_rejected(self, make, source, sources):
        with FakeWeChatAPI() as wechat, make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            client.get_access_token()
            wechat.revoke_access_tokens()
            with sources(source, SMALL) as file:
                client.call(upload(file))

            assert [request.files["media"][1] == SMALL for request in wechat.requests_to(UPLOAD)] == [True] * 2

    def test_sends_nothing_again_that_may_have_been_done_and_must_not_be_done_twice(self, make):
        once = Call("POST", UPLOAD, dict, upload=Upload(file=SMALL, filename="a.jpg"))
        with serving(make, break_after(1000), take) as (server, client):
            catch(AnswerLost, client.call, once)

        assert len(server.connections) == 1

    def test_may_be_called_again_with_the_same_call(self, make, tmp_path):
        (tmp_path / "a.jpg").write_bytes(SMALL)
        call = upload(tmp_path / "a.jpg")
        with serving(make, take) as (server, client):
            client.call(call)
            client.call(call)

        assert [content_of(request) == SMALL for request in server.requests] == [True, True]

    def test_sends_what_a_buffer_held_when_the_call_was_made(self, make):
        buffer = bytearray(SMALL)
        call = upload(buffer)
        buffer.clear()
        with serving(make, take) as (server, client):
            client.call(pickle.loads(pickle.dumps(call)))

        assert content_of(server.requests[0]) == SMALL

    def test_leaves_the_users_file_open_and_where_it_was(self, make, sources):
        with serving(make, take) as (_server, client), sources("file", SMALL) as file:
            client.call(upload(file))

            assert not file.closed
            assert file.read() == SMALL

    def test_sends_an_empty_file(self, make):
        with serving(make, take) as (server, client):
            client.call(upload(b""))

        assert content_of(server.requests[0]) == b""

    def test_sends_no_more_than_there_was_at_the_beginning(self, make, tmp_path):
        path = tmp_path / "growing.mp3"
        path.write_bytes(SMALL)

        def grow(*_: object) -> None:
            with path.open("ab") as file:
                file.write(b"more")

        with serving(make, take) as (server, client):
            client.call(upload(path, progress=grow))

        assert content_of(server.requests[0]) == SMALL

    def test_may_come_to_a_halt_for_longer_than_a_connection_may_take(self, make):
        def halt(connection: Connection) -> None:
            _, headers = connection.read_head()
            time.sleep(1.2)
            connection.read(int(headers["content-length"]))
            connection.answer(UPLOADED)

        with serving(make, halt, timeout=(0.5, PATIENCE), total_timeout=PATIENCE, retries=0) as (_, client):
            assert client.call(upload(LARGE)) == "MEDIA"

    def test_raises_the_error_that_wechat_returns_for_it(self, make):
        with serving(make, answering(render(REFUSED))) as (_server, client):
            error = catch(InvalidParameter, client.call, upload(LARGE))

        assert error.errcode == 40007


@both
class TestForm:
    def send(self, make, call: Call[Any]) -> Request:
        with serving(make, take) as (server, client):
            client.call(call)
        return server.requests[0]

    def test_has_the_file_with_its_name_and_content_type(self, make):
        form = read_form(self.send(make, upload(b"\xff\xd8\xff", name="media")))

        assert form == Form({}, {"media": ("a.jpg", "image/jpeg", b"\xff\xd8\xff")})

    def test_has_the_fields_letter_for_letter(self, make):
        fields = {"description": '{"title":"标题","introduction":"a\r\nb"}', "empty": ""}

        assert read_form(self.send(make, upload(b"x", fields=fields))).fields == fields

    def test_has_a_length_that_is_sent_first(self, make):
        """WeChat does not take a body in chunks."""
        request = self.send(make, upload(SMALL))

        assert request.headers["content-length"] == str(len(request.body))
        assert "transfer-encoding" not in request.headers
        assert "expect" not in request.headers

    def test_has_nothing_in_its_head_that_wechat_does_not_read(self, make):
        request = self.send(make, upload(b"x", fields={"description": "标题"}))
        boundary = request.headers["content-type"].partition("boundary=")[2]
        heads = [part.partition(b"\r\n\r\n")[0] for part in request.body.split(f"--{boundary}".encode())[1:-1]]

        assert [head.decode("ascii").strip().split("\r\n") for head in heads] == [
            ['Content-Disposition: form-data; name="description"'],
            ['Content-Disposition: form-data; name="media"; filename="a.jpg"', "Content-Type: image/jpeg"],
        ]

    def test_survives_content_that_looks_like_a_boundary(self, make):
        content = b"\r\n--\r\n--boundary--\r\n\r\n"

        assert content_of(self.send(make, upload(content))) == content


NAMES = ["照片.jpg", 'a".jpg', "a\r\nX-Injected: 1.jpg", "a\n.jpg", "a\0.jpg", "a\\.jpg", "é.jpg", "\ud800.jpg"]


class TestNames:
    def test_that_would_break_the_form_or_need_an_encoding_are_refused(self):
        def check(value, option):
            catch(CallError, upload, b"x", **{option: value})

        check_rows(
            [
                (value, option)
                for value in [
                    "照片.jpg",
                    'a".jpg',
                    "a\r\nX-Injected: 1.jpg",
                    "a\n.jpg",
                    "a\0.jpg",
                    "a\\.jpg",
                    "é.jpg",
                    "\ud800.jpg",
                    "",
                    None,
                    b"a",
                ]
                for option in ["filename", "content_type", "name"]
            ],
            check,
        )

    def test_of_fields_are_refused_too(self):
        def check(name):
            catch(CallError, upload, b"x", fields={name: "value"})

        check_rows(['a"b', "a\r\nX: 1", "标题", "", None, 5], check)

    def test_stand_for_texts_only(self):
        def check(value):
            catch(CallError, upload, b"x", fields={"description": value})

        check_rows([None, 5, b"bytes"], check)

    def test_refuses_fields_that_are_not_a_mapping(self):
        def check(fields):
            catch(CallError, upload, b"x", fields=fields)

        check_rows([None, 5, "description", [("description", "value")], b"x"], check)

    @both
    def test_stand_for_texts_that_can_be_written(self, make):
        with serving(make, take) as (server, client):
            catch(CallError, client.call, upload(b"x", fields={"description": "\ud800"}))

        assert not server.connections


class _Broken:
    """Files that cannot be sent."""

    @contextlib.contextmanager
    def missing_path(self, folder):
        yield folder / "missing.jpg"

    @contextlib.contextmanager
    def empty_path(self, folder):
        yield ""

    @contextlib.contextmanager
    def path_with_zero(self, folder):
        yield "a\0b"

    @contextlib.contextmanager
    def folder(self, folder):
        yield folder

    @contextlib.contextmanager
    def closed_file(self, folder):
        file = io.BytesIO(b"x")
        file.close()
        yield file

    @contextlib.contextmanager
    def file_in_text_mode(self, folder):
        (folder / "a.txt").write_text("text")
        with (folder / "a.txt").open() as file:
            yield file

    @contextlib.contextmanager
    def text_in_memory(self, folder):
        yield io.StringIO("text")

    @contextlib.contextmanager
    def file_opened_for_writing(self, folder):
        with (folder / "a.jpg").open("wb") as file:
            yield file

    @contextlib.contextmanager
    def none(self, folder):
        yield None

    @contextlib.contextmanager
    def number(self, folder):
        yield 7


@both
class TestUnreadableFile:
    def test_is_an_error_before_anything_is_sent(self, make, tmp_path):
        def check(name):
            with serving(make, take) as (server, client), getattr(_Broken(), name)(tmp_path) as file:
                error = catch(CallError, client.call, upload(file))

            assert "file" in str(error)
            assert not server.connections

        check_rows([(row,) for row in [name for name in vars(_Broken) if not name.startswith("_")]], check)

    def test_that_was_released_is_an_error_when_the_call_is_made(self, make):
        view = memoryview(b"x")
        view.release()

        assert "released" in str(catch(CallError, upload, view))

    def test_that_becomes_shorter_while_it_is_sent_is_an_error_and_no_file_for_wechat(self, make, tmp_path):
        path = tmp_path / "a.jpg"
        path.write_bytes(LARGE)
        with serving(make, take) as (server, client):
            error = catch(CallError, client.call, upload(path, progress=lambda *_: os.truncate(path, 5000)))
            path.write_bytes(SMALL)
            assert client.call(upload(path)) == "MEDIA"

        assert "shorter" in str(error)
        assert [content_of(request) == SMALL for request in server.requests] == [True]

    def test_that_breaks_while_it_is_sent_is_an_error_and_not_tried_again(self, make):
        class Breaking(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                if self.tell() > MB:
                    raise OSError("the disk is broken")
                return super().read(size)

        with serving(make, take) as (server, client):
            catch(CallError, client.call, upload(Breaking(LARGE)))

        assert not server.requests
        assert len(server.connections) <= 1


# --- down ------------------------------------------------------------------------------------------------------------


def download(into: Any = None, **options: Any) -> Call[Any]:
    return Call(
        "GET", DOWNLOAD, dict, {"media_id": "M"}, parse_file=lambda file: file, into=into, is_repeatable=True, **options
    )


def give(content: bytes, **headers: str) -> Any:
    return answering(render(content, **{"content_type": "image/jpeg", **headers}))


def break_off(content: bytes, *, of: int) -> Any:
    """Announce so many bytes, send these, and hang up."""
    return answering(render(content, content_type="image/jpeg", content_length=str(of)))


def fetch(make: Any, *handles: Any, into: Any = None, **options: Any) -> File:
    with serving(make, *handles) as (_server, client):
        return client.call(download(into, **options))


class Targets:
    """Where the bytes of a download can go; each gives a file and a function that tells what is in it."""

    @contextlib.contextmanager
    def memory(self, folder):
        file = io.BytesIO()
        yield file, file.getvalue

    @contextlib.contextmanager
    def memory_that_was_begun(self, folder):
        file = io.BytesIO()
        file.write(b"before")
        yield file, lambda: file.getvalue().removeprefix(b"before")

    @contextlib.contextmanager
    def file(self, folder):
        with (folder / "a.jpg").open("wb") as file:
            yield file, lambda: file.flush() or (folder / "a.jpg").read_bytes()

    @contextlib.contextmanager
    def unbuffered_file(self, folder):
        with (folder / "a.jpg").open("wb", buffering=0) as file:
            yield file, (folder / "a.jpg").read_bytes

    @contextlib.contextmanager
    def file_that_is_appended_to(self, folder):
        (folder / "a.jpg").write_bytes(b"before")
        with (folder / "a.jpg").open("ab") as file:
            yield file, lambda: file.flush() or (folder / "a.jpg").read_bytes().removeprefix(b"before")

    @contextlib.contextmanager
    def temporary_file(self, folder):
        with tempfile.SpooledTemporaryFile(max_size=1000) as file:
            yield file, lambda: file.seek(0) or file.read()

    @contextlib.contextmanager
    def file_that_takes_a_part(self, folder):
        """As a raw file may: it says how much it has taken."""

        class Partial(io.FileIO):
            def write(self, data: Any, /) -> int:
                return super().write(bytes(data)[:1000])

        with Partial(folder / "a.jpg", "wb") as file:
            yield file, (folder / "a.jpg").read_bytes


to_every_target = pytest.mark.parametrize("target", [name for name in vars(Targets) if not name.startswith("_")])


@pytest.fixture
def targets(tmp_path):
    return lambda name: getattr(Targets(), name)(tmp_path)


@both
class TestDownload:
    def test_returns_the_bytes_and_their_description(self, make):
        file = fetch(make, give(SMALL, content_disposition='attachment; filename="MEDIA.jpg"', x_more="1"))

        assert file == File(content=SMALL, size=len(SMALL), content_type="image/jpeg", filename="MEDIA.jpg")
        assert file.headers["x-more"] == "1"

    @to_every_target
    def test_puts_every_byte_into_the_file_object(self, make, target, targets):
        with targets(target) as (into, read):
            file = fetch(make, give(SMALL), into=into)

            assert read() == SMALL
            assert file == File(content=b"", size=len(SMALL), content_type="image/jpeg")
            assert not into.closed

    @to_every_target
    def test_begins_again_where_it_began_when_the_line_breaks_in_the_middle(self, make, target, targets):
        with targets(target) as (into, read):
            fetch(make, break_off(b"x" * 500_000, of=600_000), give(SMALL), into=into)

            assert read() == SMALL

    def test_begins_again_in_memory(self, make):
        assert fetch(make, break_off(b"x" * 500_000, of=600_000), give(SMALL)).content == SMALL

    def test_writes_the_first_bytes_before_the_last_have_been_sent(self, make):
        class Watched(io.BytesIO):
            def write(self, data: Any, /) -> int:
                came.set()
                return super().write(data)

        def send_slowly(connection: Connection) -> None:
            connection.read_request()
            whole = render(SMALL, content_type="image/jpeg")
            connection.send(whole[:2000])
            in_time.append(came.wait(PATIENCE))
            connection.send(whole[2000:])

        came, in_time, into = threading.Event(), [], Watched()
        fetch(make, send_slowly, into=into)

        assert in_time == [True]
        assert into.getvalue() == SMALL

    def test_takes_a_file_that_begins_like_json_for_a_file(self, make):
        def check(content):
            into = io.BytesIO()
            fetch(make, give(content), into=into)

            assert into.getvalue() == content

        check_rows([b"{", b'{"a": 1', b"{\x89PNG", b"\xef\xbb\xbf{\xff", b" {", b"{" * 200_000], check)

    def test_takes_whatever_wechat_calls_a_picture_for_a_file(self, make):
        def check(content):
            assert fetch(make, give(content)).content == content

        check_rows([b"\xff", b" ", b"\n" * 100_000, b"[1]", b"null", b"<html>", b"\0" * 70_000], check)

    def test_takes_a_file_without_content_type(self, make):
        assert fetch(make, give(SMALL, content_type=None)).content == SMALL

    def test_unpacks_what_was_packed_on_the_way(self, make):
        into = io.BytesIO()
        file = fetch(make, give(gzip.compress(SMALL), content_encoding="gzip"), into=into)

        assert into.getvalue() == SMALL
        assert file.size == len(SMALL)

    def test_takes_a_file_in_chunks(self, make):
        chunks = b"".join(
            b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (SMALL[:1], SMALL[1:90_000], SMALL[90_000:])
        )
        head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"

        assert fetch(make, answering(head + chunks + b"0\r\n\r\n")).content == SMALL

    def test_takes_a_file_without_length_to_the_end_of_the_connection(self, make):
        assert fetch(make, give(SMALL, content_length=None)).content == SMALL

    def test_ends_where_the_length_ends(self, make):
        assert fetch(make, give(SMALL, content_length="1000")).content == SMALL[:1000]


@both
class TestBrokenDownload:
    def test_is_an_error_when_all_tries_are_used_up(self, make):
        with serving(make, break_off(SMALL, of=len(SMALL) + 1)) as (server, client):
            catch(AnswerLost, client.call, download(io.BytesIO()))

        assert len(server.requests) == 3

    def test_in_chunks_is_noticed(self, make):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
        with serving(make, answering(head + b"186a0\r\n" + SMALL[:50_000])) as (_server, client):
            catch(AnswerLost, client.call, download())

    def test_in_gzip_is_noticed(self, make):
        packed = gzip.compress(SMALL)
        broken = packed[:1000] + bytes(100) + packed[1100:]
        with serving(make, give(broken, content_encoding="gzip")) as (_server, client):
            catch(AnswerLost, client.call, download())

    def test_of_an_empty_file_is_no_file(self, make):
        into = io.BytesIO()
        with serving(make, give(b"")) as (_server, client):
            error = catch(UnreadableAnswer, client.call, download(into))

        assert "HTTP 200, image/jpeg, 0 bytes" in str(error)

    def test_of_more_than_fits_into_memory_is_refused(self, make):
        pack = zlib.compressobj(1, wbits=31)
        content = b"".join([*(pack.compress(b"x" * MB) for _ in range(65)), pack.flush()])
        with serving(make, give(content, content_encoding="gzip")) as (_server, client):
            error = catch(UnreadableAnswer, client.call, download())

            assert "into=" in str(error)
            assert client.call(download(io.BytesIO())).size == 65 * MB

    def test_with_another_status_writes_nothing(self, make):
        def check(status):
            into = io.BytesIO()
            with serving(make, answering(render(SMALL, status, content_type="image/jpeg"))) as (_server, client):
                error = catch(UnreadableAnswer, client.call, download(into))

            assert error.status == int(status[:3])
            assert f"HTTP {error.status}" in str(error)
            assert into.getvalue() == b""

        check_rows(["502 Bad Gateway", "403 Forbidden", "206 Partial Content", "302 Found"], check)

    def test_with_a_page_in_place_of_the_file_writes_nothing(self, make):
        into = io.BytesIO()
        page = b"<html>" + b"log in here " * 20_000
        with serving(make, give(page, content_type="text/html; charset=utf-8")) as (_server, client):
            catch(UnreadableAnswer, client.call, download(into))

        assert into.getvalue() == b""


@both
class TestJSONInPlaceOfAFile:
    def test_is_raised_and_not_written(self, make):
        answer = b""

        def give(connection: Connection) -> None:
            while True:
                connection.read_request()
                connection.send(answer)

        types = "application/json; encoding=utf-8", "text/plain", "image/jpeg", "application/octet-stream", "text/html"
        rows = [(prefix, kind) for prefix in (b"", b"\xef\xbb\xbf", b"\r\n ") for kind in (*types, None)]
        with serving(make, give) as (server, client):

            def check(prefix, content_type):
                nonlocal answer
                answer = render(prefix + REFUSED, content_type=content_type)
                server.requests.clear()
                into = io.BytesIO(b"before")
                into.seek(0, os.SEEK_END)

                assert catch(InvalidParameter, client.call, download(into)).errcode == 40007
                assert into.getvalue() == b"before"
                assert len(server.requests) == 1

            check_rows(rows, check)

    def test_may_come_byte_by_byte(self, make):
        def send(connection: Connection) -> None:
            connection.read_request()
            for byte in render(REFUSED, content_type="image/jpeg"):
                connection.send(bytes([byte]))

        into = io.BytesIO()
        with serving(make, send) as (_server, client):
            catch(InvalidParameter, client.call, download(into))

        assert into.getvalue() == b""

    def test_may_be_the_result(self, make):
        answer = b'{"video_url":"http://example.com/video"}'

        assert fetch(make, give(answer, content_type="text/plain")) == {"video_url": "http://example.com/video"}

    def test_may_be_long(self, make):
        """As the articles of permanent material are."""

        def check(content_type):
            into = io.BytesIO()
            answer = b'{"news_item":[{"content":"' + b"word " * 50_000 + b'"}]}'

            assert fetch(make, give(answer, content_type=content_type), into=into)["news_item"]
            assert into.getvalue() == b""

        check_rows(["application/json", "text/plain"], check)

    def test_is_not_repeated_into_the_file_that_comes_when_wechat_is_no_longer_busy(self, make):
        into = io.BytesIO()
        busy = give(b'{"errcode":-1,"errmsg":"system error"}', content_type="text/plain")
        fetch(make, busy, busy, give(SMALL), into=into)

        assert into.getvalue() == SMALL


PICTURE, VIDEO, NEWS = "picture", "video", "articles"


def keep_media(client: Any) -> dict[str, dict[str, str]]:
    """Keep media of each kind, temporary and permanent; return the media ids."""
    articles = [{"title": "t", "content": "c"}]
    temporary = {kind: client.call(media.upload(name, SMALL)) for kind, name in ((PICTURE, "image"), (VIDEO, "video"))}
    permanent = {
        PICTURE: client.call(material.add_material("image", SMALL)),
        VIDEO: client.call(material.add_video(SMALL, "t", "d")),
        NEWS: client.call(material.upload_news(articles)),
    }
    return {
        "temporary": {kind: kept.media_id for kind, kept in temporary.items()},
        "permanent": {kind: kept.media_id for kind, kept in permanent.items()},
    }


@both
class TestKindsOfMedia:
    """Each kind has a function of its own, so that the type of the result is known before."""

    def test_are_asked_for_with_their_own_functions(self, make):
        with FakeWeChatAPI() as wechat, make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            kept = keep_media(client)

            assert client.call(media.download(kept["temporary"][PICTURE])).content == SMALL
            assert client.call(media.get_video_url(kept["temporary"][VIDEO])).startswith(wechat.url)
            assert client.call(material.get_material(kept["permanent"][PICTURE])).content == SMALL
            assert client.call(material.get_video_material(kept["permanent"][VIDEO])).title == "t"
            assert client.call(material.get_news_material(kept["permanent"][NEWS])).news_item[0].content == "c"

    def test_asked_for_with_another_function_are_refused_at_once_by_the_name_of_the_right_one(self, make):
        def check(ask, life, kind, instead):
            with FakeWeChatAPI() as wechat, make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
                call = ask(keep_media(client)[life][kind])

                assert instead in str(catch(CallError, client.call, call))
                assert len(wechat.requests_to(call.path)) == 1

        check_rows(
            [
                (media.download, "temporary", VIDEO, "media.get_video_url"),
                (media.get_video_url, "temporary", PICTURE, "media.download"),
                (material.get_material, "permanent", VIDEO, "material.get_video_material"),
                (material.get_material, "permanent", NEWS, "material.get_news_material"),
                (material.get_news_material, "permanent", VIDEO, "material.get_video_material"),
                (material.get_news_material, "permanent", PICTURE, "material.get_material"),
                (material.get_video_material, "permanent", NEWS, "material.get_news_material"),
            ],
            check,
        )


@contextlib.contextmanager
def read_pipe() -> Iterator[tuple[Any, list[bytes]]]:
    """Give the writing end of a pipe, and what comes out of the other."""
    reading, writing = os.pipe()
    came: list[bytes] = []

    def read() -> None:
        with os.fdopen(reading, "rb") as file:
            came.append(file.read())

    thread = threading.Thread(target=read)
    thread.start()
    with os.fdopen(writing, "wb", buffering=0) as file:
        yield file, came
    thread.join()


@both
class TestDownloadIntoAPipe:
    def test_puts_every_byte_into_it(self, make):
        with read_pipe() as (pipe, came):
            fetch(make, give(LARGE), into=pipe)

        assert came == [LARGE]

    def test_is_not_tried_again_after_the_first_byte(self, make):
        handles = break_off(SMALL, of=400_000), give(SMALL)
        with serving(make, *handles) as (server, client), read_pipe() as (pipe, came):
            catch(AnswerLost, client.call, download(pipe))

        assert len(server.requests) == 1
        assert SMALL.startswith(came[0])

    def test_is_tried_again_before_the_first_byte(self, make):
        with read_pipe() as (pipe, came):
            fetch(make, break_off(b"", of=400_000), give(SMALL), into=pipe)

        assert came == [SMALL]

    def test_whose_reader_has_gone_is_an_error(self, make):
        reading, writing = os.pipe()
        os.close(reading)
        with serving(make, give(SMALL)) as (server, client), os.fdopen(writing, "wb", buffering=0) as pipe:
            catch(CallError, client.call, download(pipe))

        assert len(server.requests) == 1


@both
class TestUnwritableFile:
    def test_that_is_none_is_an_error_before_anything_is_sent(self, make):
        def check(into):
            with serving(make, give(SMALL)) as (server, client):
                catch(CallError, client.call, download(into))

            assert not server.connections

        check_rows([(row,) for row in ["a.jpg", Path("a.jpg"), 7, b"x"]], check)

    def test_that_is_closed_is_an_error_before_anything_is_sent(self, make):
        into = io.BytesIO()
        into.close()
        with serving(make, give(SMALL)) as (server, client):
            catch(CallError, client.call, download(into))

        assert not server.connections

    @pytest.mark.parametrize("mode", ["r", "rb", "w"])
    def test_that_takes_no_bytes_is_an_error(self, make, mode, tmp_path):
        (tmp_path / "a").write_bytes(b"")
        with serving(make, give(SMALL)) as (server, client), (tmp_path / "a").open(mode) as into:
            error = catch(CallError, client.call, download(into))

        assert "into" in str(error)
        assert len(server.requests) <= 1

    def test_on_a_full_disk_is_an_error(self, make):
        with serving(make, give(SMALL)) as (server, client), open("/dev/full", "wb", buffering=0) as into:
            catch(CallError, client.call, download(into))

        assert len(server.requests) == 1


# --- both ways -------------------------------------------------------------------------------------------------------


@frozen
class Progress:
    """Notes what it is told."""

    told: list[tuple[int, int | None]]

    def __call__(self, done: int, total: int | None) -> None:
        self.told.append((done, total))

    @property
    def is_steady(self) -> bool:
        done = [each for each, _ in self.told]
        return done == sorted(set(done)) and done[0] > 0


class Stop(Exception):
    """What a user may raise to end a transfer."""


def stop(*_: object) -> None:
    raise Stop


@both
class TestProgress:
    def test_of_an_upload_goes_up_to_its_length(self, make):
        progress = Progress([])
        with serving(make, take) as (server, client):
            client.call(upload(SMALL, progress=progress))
        total = int(server.requests[0].headers["content-length"])

        assert progress.is_steady
        assert progress.told[-1] == (total, total)
        assert {each for _, each in progress.told} == {total}
        assert len(progress.told) > 3

    def test_of_an_upload_that_is_repeated_begins_again(self, make):
        progress = Progress([])
        with serving(make, break_after(MB), take) as (server, client):
            client.call(upload(LARGE, progress=progress))
        total = int(server.requests[0].headers["content-length"])
        done = [each for each, _ in progress.told]
        again = next(place for place in range(1, len(done)) if done[place] <= done[place - 1])

        assert Progress(progress.told[:again]).is_steady
        assert Progress(progress.told[again:]).is_steady
        assert progress.told[-1] == (total, total)

    def test_of_a_download_goes_up_to_its_size(self, make):
        def check(into):
            progress = Progress([])
            fetch(make, give(SMALL), into=into, progress=progress)

            assert progress.is_steady
            assert progress.told[-1] == (len(SMALL), len(SMALL))

        check_rows([(row,) for row in [None, io.BytesIO()]], check)

    def test_of_a_download_of_unknown_size_has_no_total(self, make):
        def check(headers):
            progress = Progress([])
            fetch(
                make,
                give(gzip.compress(SMALL) if "content_encoding" in headers else SMALL, **headers),
                progress=progress,
            )

            assert progress.told[-1] == (len(SMALL), None)

        check_rows([{"content_length": None}, {"content_encoding": "gzip"}], check)

    def test_is_not_reported_for_json_in_place_of_a_file(self, make):
        progress = Progress([])
        fetch(make, give(b'{"video_url":"http://example.com"}'), progress=progress)

        assert progress.told == []

    def test_may_end_an_upload_by_raising(self, make):
        with serving(make, take) as (server, client):
            with pytest.raises(Stop):
                client.call(upload(LARGE, progress=stop))
            assert client.call(upload(SMALL)) == "MEDIA"

        assert len(server.requests) == 1

    def test_reports_a_nonblocking_pipe_that_is_full(self, make):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with (
            os.fdopen(reading, "rb"),
            os.fdopen(writing, "wb", buffering=0) as pipe,
            serving(make, give(bytes(1 << 20))) as (_server, client),
        ):
            error = catch(CallError, client.call, download(pipe))

        assert "cannot be written" in str(error)

    def test_may_end_a_download_by_raising(self, make):
        with serving(make, give(SMALL)) as (server, client):
            with pytest.raises(Stop):
                client.call(download(progress=stop))
            assert client.call(download()).content == SMALL

        assert len(server.requests) == 2


class TestEventLoop:
    """Of the async client, while files are under way."""

    def test_continues_while_a_pipe_is_full(self):
        """Otherwise no task of the same event loop could read it."""

        async def main() -> bytes:
            reading, writing = os.pipe()
            with os.fdopen(reading, "rb", buffering=0) as source, os.fdopen(writing, "wb", buffering=0) as pipe:
                ending = threading.Timer(PATIENCE, source.close)  # which wakes up whoever writes
                ending.start()
                with listen(give(SMALL)) as server:
                    async with make_fixed(AsyncClient, server.url) as client:
                        reader = asyncio.create_task(read_slowly(source, len(SMALL)))
                        await client.call(download(pipe))
                        ending.cancel()
                        return await reader

        async def read_slowly(source: Any, size: int) -> bytes:
            came = b""
            os.set_blocking(source.fileno(), False)
            while len(came) < size:
                await asyncio.sleep(0)
                came += source.read(1000) or b""
            return came

        assert asyncio.run(main()) == SMALL

    def test_may_cancel_an_upload(self, tmp_path):
        async def main() -> None:
            begun = asyncio.Event()
            loop = asyncio.get_running_loop()
            (tmp_path / "a").write_bytes(LARGE)
            call = upload(tmp_path / "a", progress=lambda *_: loop.call_soon_threadsafe(begun.set))
            with listen(lambda connection: connection.read_head() and released.wait(PATIENCE), take) as server:
                async with make_fixed(AsyncClient, server.url) as client:
                    task = asyncio.create_task(client.call(call))
                    await begun.wait()
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                    released.set()
                    assert await client.call(upload(SMALL)) == "MEDIA"

        released = threading.Event()
        asyncio.run(main())


# --- memory ----------------------------------------------------------------------------------------------------------

#: A program that prints by how many MB its memory has grown at most.
MEMORY = """
import asyncio, pathlib, re, sys
from wechat_msg import AsyncClient, Client
from wechat_msg.api import media
from wechat_msg.client import FixedToken

def peak():  # unlike ru_maxrss it does not begin with what the parent process had
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024

async def call_all(calls):
    if kind == "sync":
        with Client("wx0123456789abcdef", hosts=[url], token_source=FixedToken("T")) as client:
            for call in calls:
                client.call(call)
    else:
        async with AsyncClient("wx0123456789abcdef", hosts=[url], token_source=FixedToken("T")) as client:
            for call in calls:
                await client.call(call)

url, kind, transfer, path = sys.argv[1:]
asyncio.run(call_all([media.upload("image", bytes(1000)), media.download("M")]))  # what is needed once
before = peak()
if transfer == "upload":
    asyncio.run(call_all([media.upload("image", path)]))
else:
    with open(path, "wb") as into:
        asyncio.run(call_all([media.download("M", into=into)]))
print(peak() - before)
"""


def serve_without_memory(sizes: Iterator[int]) -> Any:
    """Throw away what is uploaded; the downloads are so long, one after the other."""

    def handle(connection: Connection) -> None:
        while True:
            line, headers = connection.read_head()
            if line.startswith("POST"):
                left = int(headers["content-length"])
                while left:
                    left -= len(connection.read(min(left, MB)))
                connection.answer(UPLOADED)
            else:
                size = next(sizes)
                connection.send(render(b"", content_type="image/jpeg", content_length=str(size)))
                for start in range(0, size, MB):
                    connection.send(LARGE[: min(size - start, MB)])

    return handle


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measured with what Linux says of a process")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("transfer", ["upload", "download"])
def test_memory_stays_flat(kind, transfer, tmp_path, record_property):
    path, size = tmp_path / "file", 20 if transfer == "upload" else 50
    if transfer == "upload":
        path.write_bytes(LARGE)
    with listen(serve_without_memory(iter((1000, 50 * MB)))) as server:
        status, output = run("-c", MEMORY, server.url, kind, transfer, str(path))
    assert status == 0, output
    grown = float(output)
    record_property("measured", f"memory for {transfer} of {size} MB, {kind}: +{grown:.1f} MB")

    assert grown < 8
    assert path.stat().st_size == size * MB
