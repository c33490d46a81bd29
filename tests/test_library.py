"""MediaLibrary and show_typing: uploads that are used again, stores that fail, deaths, and calls in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from attrs import define, field

from tests.helpers.both_clients import InLoop, both
from tests.helpers.rows import check_rows, each_row
from tests.helpers.virtual_time import FaultyStore
from wechat_msg import (
    MINI_PROGRAM,
    AnswerLater,
    APIError,
    AsyncCallNext,
    AsyncClient,
    AsyncPushEndpoint,
    CallError,
    Client,
    ImageMessage,
    ImageReply,
    MemoryStore,
    Message,
    PushEndpoint,
    PushSettings,
    Router,
    ShortVideoMessage,
    StoreError,
    TextMessage,
    TextReply,
    TransportError,
    VideoMessage,
    VideoReply,
    VoiceMessage,
    VoiceReply,
    in_thread,
)
from wechat_msg.adapters.asgi import push_app as asgi_app
from wechat_msg.adapters.wsgi import push_app as wsgi_app
from wechat_msg.api import customer_service, material
from wechat_msg.library import AsyncMediaLibrary, MediaLibrary, Typing, show_typing
from wechat_msg.testing import AsyncPushSimulator, FakeWeChatAPI, PushSimulator, VirtualClock

UPLOAD, ADD = "/cgi-bin/media/upload", "/cgi-bin/material/add_material"
DELETE, LIST = "/cgi-bin/material/del_material", "/cgi-bin/material/batchget_material"
TYPING, PROGRAM_TYPING = "/cgi-bin/message/custom/typing", "/cgi-bin/message/custom/business/typing"
HOUR, DAY = 3600.0, 86400.0
PNG, JPG = b"\x89PNG\r\n\x1a\n a picture", b"\xff\xd8\xff a picture"
FIELDS: dict[str, Any] = {"to_user_name": "gh", "from_user_name": "oUSER", "create_time": 1_700_000_000}


class Death(BaseException):
    """The end of a process."""


def raise_at(number: int) -> Callable[[int], bool]:
    """Return the `FaultyStore.fails` of a process that dies when it makes this call of the store."""

    def fails(call: int) -> bool:
        if call == number:
            raise Death
        return False

    return fails


class Blocking:
    """An `AsyncMediaLibrary` with the methods of `MediaLibrary`."""

    def __init__(self, client: InLoop, *args: Any, **options: Any) -> None:
        self._client = client
        self._library = AsyncMediaLibrary(client.client, *args, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._library, name)
        return lambda *args, **options: self._client.run(method(*args, **options))


@define
class World:
    """WeChat, a client, a store and a time that a test sets."""

    wechat: FakeWeChatAPI
    client: Any
    now: list[float]
    store: FaultyStore = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = FaultyStore(inner=MemoryStore(clock=self.time))

    def time(self) -> float:
        return self.now[0]

    def start(self, store: Any = None) -> Any:
        """Make a library, as a process does."""
        cls = MediaLibrary if isinstance(self.client, Client) else Blocking
        return cls(self.client, self.store if store is None else store, clock=self.time)

    def count(self, path: str) -> int:
        return len(self.wechat.requests_to(path))

    @property
    def permanent(self) -> list[str]:
        return [media_id for media_id, each in self.wechat.media.items() if each.is_permanent]


@pytest.fixture(params=[Client, InLoop], ids=["sync", "async"])
def world(request: Any) -> Iterator[World]:
    with create_world(request.param) as world:
        yield world


@contextlib.contextmanager
def create_world(make: Callable[..., Any]) -> Iterator[World]:
    now = [1_700_000_000.0]
    with (
        FakeWeChatAPI(clock=lambda: now[0]) as wechat,
        make(wechat.appid, wechat.secret, hosts=[wechat.url], retries=0, clock=lambda: now[0]) as client,
    ):
        yield World(wechat, client, now)


class TestUpload:
    def test_is_used_again_for_the_same_content(self, world, tmp_path):
        (tmp_path / "cat.jpg").write_bytes(JPG)
        library = world.start()
        reply = library.image(JPG)
        assert type(reply) is ImageReply
        assert [library.image(JPG), library.image(tmp_path / "cat.jpg"), world.start().image(JPG)] == [reply] * 3
        assert world.wechat.media[reply.media_id].content == JPG
        assert library.image(PNG) != reply
        assert world.count(UPLOAD) == 2

    def test_is_a_reply_of_its_kind(self, world):
        library = world.start()
        voice, video, thumb = library.voice(b"v"), library.video(b"v", title="T", description="D"), library.thumb(b"v")
        image = library.image(b"v")
        kinds = [world.wechat.media[each].kind for each in (voice.media_id, video.media_id, thumb, image.media_id)]
        assert kinds == ["voice", "video", "thumb", "image"]
        assert voice == VoiceReply(voice.media_id)
        assert video == VideoReply(video.media_id, title="T", description="D")
        again = library.video(b"v", thumb_media_id=thumb)
        assert again == VideoReply(video.media_id, thumb_media_id=thumb)

    def test_is_named_after_its_path_or_its_first_bytes(self, world, tmp_path):
        (tmp_path / "a-cat.gif").write_bytes(b"any")
        library = world.start()
        replies = [
            library.image(tmp_path / "a-cat.gif"),
            library.image(PNG),
            library.image(JPG),
            library.voice(b"#!AMR"),
        ]
        names = [world.wechat.media[reply.media_id].filename for reply in replies]
        assert names == ["a-cat.gif", "media.png", "media.jpg", "media.amr"]

    def test_is_repeated_before_wechat_deletes_the_file(self, world):
        library = world.start()
        reply = library.image(JPG)
        world.now[0] += 2.8 * DAY
        assert library.image(JPG) == reply
        world.now[0] += 0.15 * DAY
        assert world.wechat.get_media(reply.media_id)
        assert library.image(JPG) != reply

    def test_of_another_account_is_not_used(self, world):
        library = world.start()
        reply = library.image(JPG)
        with FakeWeChatAPI("wxother") as other, Client("wxother", other.secret, hosts=[other.url]) as client:
            assert MediaLibrary(client, world.store).image(JPG) != reply
            assert len(other.requests_to(UPLOAD)) == 1

    def test_at_the_same_time_does_no_harm(self, world):
        barrier, library = threading.Barrier(4), world.start()

        def upload() -> Any:
            barrier.wait(5)
            return library.image(JPG)

        with ThreadPoolExecutor(4) as pool:
            replies = [future.result() for future in [pool.submit(upload) for _ in range(4)]]
        assert {reply.media_id for reply in replies} <= world.wechat.media.keys()
        assert library.image(JPG) in replies

    def test_with_an_odd_media_id_is_not_used_again(self, world):
        media_ids = "你好", "a\nb", "\ud800"
        for media_id in media_ids:
            world.wechat.answer(UPLOAD, json.dumps({"media_id": media_id}).encode(), times=2)
            for _ in range(2):
                world.start().forget(world.start().image(media_id.encode("utf-8", "replace")))
        assert world.count(UPLOAD) == 2 * len(media_ids)

    def test_that_wechat_refuses_raises_its_error(self, world):
        world.wechat.fail(UPLOAD, 45001, times=1)
        library = world.start()
        with pytest.raises(APIError, match="45001"):
            library.image(JPG)
        assert library.image(JPG).media_id in world.wechat.media

    def test_takes_bytes_or_a_path_with_content(self, world, tmp_path):
        (tmp_path / "empty.jpg").touch()
        with (tmp_path / "large.jpg").open("wb") as large:
            large.truncate((64 << 20) + 1)
        library = world.start()

        def check(file: Any) -> None:
            with pytest.raises(CallError, match="the file to upload"):
                library.image(file)

        names = ["empty.jpg", "large.jpg", "missing.jpg", "", "a\0b"]
        large_bytes = bytes((64 << 20) + 1)
        check_rows([b"", large_bytes, *(str(tmp_path / name) for name in names), None, 1, object()], check)
        assert world.count(UPLOAD) == 0

    def test_does_not_read_the_file_again_while_it_is_sent(self, world, tmp_path):
        path = tmp_path / "a.jpg"
        path.write_bytes(JPG)
        library = world.start()
        first = library.image(path)
        path.write_bytes(PNG)
        second = library.image(path)
        assert [world.wechat.media[each.media_id].content for each in (first, second)] == [JPG, PNG]


class TestStore:
    """Of a library, whose every step may fail."""

    @each_row("lost", [False, True])
    @each_row("permanent", [False, True])
    @both
    def test_costs_only_the_reuse_if_a_step_fails(self, make, permanent, lost):
        with create_world(make) as world:
            calls = None
            for number in itertools.count(1):
                content = b"picture %d" % number
                store = FaultyStore(lambda call, n=number: call == n, lost=lost, inner=MemoryStore(clock=world.time))
                library = world.start(store)
                reply = library.image(content, permanent=permanent)
                assert world.wechat.media[reply.media_id].content == content
                if store.calls < number:
                    break
                calls = number
                assert world.wechat.media[library.image(content, permanent=permanent).media_id].content == content
                world.now[0] += HOUR + 1
                library.image(content)
                assert world.permanent == []
            assert calls == (8 if permanent else 4)

    def test_that_is_down_is_logged_and_used_again_later(self, world, caplog):
        world.store.down = True
        library = world.start()
        replies = {library.image(JPG, permanent=permanent).media_id for permanent in (True, True, False)}
        assert len(replies) == 3
        assert [record.levelname for record in caplog.records if "degraded" in record.message] == ["ERROR"]
        assert world.store.calls == 3 + 3 + 1  # each of which may take seconds
        world.store.down = False
        world.now[0] += HOUR + 1
        library.image(JPG)
        assert world.permanent == []
        assert library.image(JPG) == library.image(JPG)

    def test_with_records_that_are_damaged_is_repaired(self, world):
        library = world.start()
        library.image(JPG)
        library.image(JPG, permanent=True)
        entries = world.store._inner._entries
        for key in list(entries):
            for value in (b"\xff", b"[]", b'{"a":1}', b'{"a":[1,2,3],"b":["x","y","z"]}', b"[" * 9999):
                expected = world.store.get(key)
                assert world.store.compare_and_set(key, expected, value, 99)
                with contextlib.suppress(APIError):
                    world.start().forget(library.image(JPG))
                world.start().image(JPG, permanent=True)

    def test_may_be_of_any_kind_that_the_client_can_use(self, world):
        if isinstance(world.client, Client):
            with pytest.raises(CallError, match="AsyncMediaLibrary"):
                world.start(in_thread(MemoryStore()))
        else:
            library = world.start(in_thread(MemoryStore()))
            assert library.image(JPG) == library.image(JPG)
        for store in (MemoryStore, {}, "redis"):
            with pytest.raises(CallError, match="store must be"):
                world.start(store)

    def test_belongs_to_the_client_of_its_kind(self):
        client, aclient = Client("wx1", "s"), AsyncClient("wx1", "s")
        for cls, wrong in ((MediaLibrary, aclient), (AsyncMediaLibrary, client), (MediaLibrary, None)):
            with pytest.raises(CallError, match="the client must be"):
                cls(wrong, MemoryStore())  # type: ignore[call-overload, arg-type]


class TestDeath:
    @each_row("permanent", [False, True])
    @both
    def test_at_any_step_of_the_store_leaves_nothing_for_good(self, make, permanent):
        with create_world(make) as world:
            for number in itertools.count(1):
                content = b"picture %d" % number

                inner = MemoryStore(clock=world.time)
                dying = FaultyStore(raise_at(number), inner=inner)
                try:
                    world.start(dying).image(content, permanent=permanent)
                    break
                except Death:
                    library = world.start(FaultyStore(inner=inner))
                assert library.image(content, permanent=permanent) == library.image(content, permanent=permanent)
                uploads = [each for each in world.wechat.media.values() if each.content == content]
                assert len(uploads) <= 2
                world.now[0] += HOUR + 1
                world.start(inner).image(b"another")
                assert world.permanent == []
            assert number == (9 if permanent else 5)

    @both
    def test_while_uploads_are_deleted_leaves_nothing_for_good(self, make):
        with create_world(make) as world:
            inner, number = MemoryStore(clock=world.time), 0
            for number in itertools.count(1):
                world.start(inner).image(b"picture %d" % number, permanent=True)
                world.now[0] += HOUR + 1
                dying = FaultyStore(raise_at(number), inner=inner)
                with contextlib.suppress(Death):
                    world.start(dying).image(JPG)
                    break
                world.start(inner).image(JPG)
                assert world.permanent == []
            assert number == 5

    def test_while_wechat_answers_leaves_nothing_for_good(self, world):
        """The upload has taken place, and nobody has its media id: it is found by its name."""
        world.wechat.drop(ADD, when="after")
        with pytest.raises(TransportError):
            world.start().image(JPG, permanent=True)
        assert len(world.permanent) == 1
        world.now[0] += HOUR + 1
        world.start().image(JPG)
        assert world.permanent == []
        assert world.count(DELETE) == 1

    def test_finds_the_upload_among_many(self, world):
        for number in range(45):
            world.client.call(material.add_material("image", b"%d" % number))
        world.wechat.drop(ADD, when="after")
        with pytest.raises(TransportError):
            world.start().image(JPG, permanent=True)
        world.now[0] += HOUR + 1
        world.start().image(JPG)
        assert len(world.permanent) == 45
        assert world.count(LIST) == 3


class TestPermanentUpload:
    def test_is_used_again_for_half_an_hour_and_deleted_after_an_hour(self, world):
        library = world.start()
        reply = library.image(JPG, permanent=True)
        assert library.image(JPG) != reply
        world.now[0] += HOUR / 2 - 1
        assert library.image(JPG, permanent=True) == reply
        world.now[0] += 2
        assert library.image(JPG, permanent=True) != reply
        assert len(world.permanent) == 2
        world.now[0] += HOUR / 2
        world.start().image(JPG)
        assert reply.media_id not in world.wechat.media
        assert len(world.permanent) == 1

    def test_is_of_any_type(self, world):
        library = world.start()
        media_ids = [
            library.voice(b"v", permanent=True).media_id,
            library.video(b"v", title="T", permanent=True).media_id,
            library.thumb(b"v", permanent=True),
        ]
        found = [world.wechat.media[each] for each in media_ids]
        assert [each.kind for each in found] == ["voice", "video", "thumb"]
        assert found[1].description == {"title": "T", "introduction": ""}
        assert world.permanent == media_ids

    def test_is_deleted_with_some_others_at_each_use(self, world):
        library = world.start()
        for number in range(8):
            library.image(b"%d" % number, permanent=True)
        world.now[0] += HOUR + 1
        left = []
        for _ in range(4):
            library.image(JPG)
            left.append(len(world.permanent))
        assert left == [5, 2, 0, 0]

    def test_that_cannot_be_deleted_costs_no_answer_and_is_tried_again_an_hour_later(self, world, caplog):
        library = world.start()
        library.image(JPG, permanent=True)
        world.now[0] += HOUR + 1
        world.wechat.fail(DELETE, 48001, times=1)
        assert library.image(PNG) == library.image(PNG)
        assert [each.levelname for each in caplog.records if "permanent upload" in each.message] == ["WARNING"]
        world.now[0] += 61
        library.image(PNG)
        assert world.count(DELETE) == 1
        world.now[0] += HOUR
        library.image(PNG)
        assert world.permanent == []

    def test_is_not_deleted_while_wechat_is_down(self, world):
        library = world.start()
        for number in range(8):
            library.image(b"%d" % number, permanent=True)
        world.now[0] += HOUR + 1
        world.wechat.drop(DELETE, times=None)
        for _ in range(3):
            library.image(JPG)
        assert world.count(DELETE) == 1
        world.wechat.clear_faults(DELETE)
        for _ in range(3):
            world.now[0] += HOUR + 1
            library.image(JPG)
        assert world.permanent == []

    def test_that_is_gone_is_no_longer_listed(self, world):
        library = world.start()
        reply = library.image(JPG, permanent=True)
        del world.wechat.media[reply.media_id]
        for _ in range(2):
            world.now[0] += 2 * HOUR
            library.image(JPG)
        assert world.count(DELETE) == 1
        assert not world.store.holds("permanent")

    def test_that_wechat_refuses_is_not_searched_for(self, world):
        library = world.start()
        world.wechat.fail(ADD, 45001, times=1)
        with pytest.raises(APIError):
            library.image(JPG, permanent=True)
        world.now[0] += HOUR + 1
        library.image(JPG)
        assert world.count(LIST) == 0

    def test_of_many_processes_is_listed_once(self, world):
        barrier = threading.Barrier(4)

        def upload(number: int) -> Any:
            library = world.start()
            barrier.wait(5)
            return library.image(b"%d" % number, permanent=True)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(upload, range(4)))
        world.now[0] += HOUR + 1
        library = world.start()
        library.image(JPG)
        library.image(JPG)
        assert world.permanent == []


class TestForgottenUpload:
    @each_row("permanent", [False, True])
    @both
    def test_is_repeated_by_all_processes(self, make, permanent):
        with create_world(make) as world:
            library = world.start()
            reply = library.image(JPG, permanent=permanent)
            world.start().forget(reply)
            again = library.image(JPG, permanent=permanent)
            assert again != reply
            library.forget(reply)
            assert library.image(JPG, permanent=permanent) == again

    def test_may_be_a_thumb_and_need_not_be_known(self, world):
        library = world.start()
        thumb = library.thumb(JPG)
        library.forget(thumb)
        assert library.thumb(JPG) != thumb
        for reply in ("", "你好", ImageReply("unknown"), VideoReply("x")):
            library.forget(reply)

    def test_is_not_forgotten_if_the_store_fails(self, world):
        library = world.start()
        reply = library.image(JPG)
        world.store.down = True
        with pytest.raises(StoreError):
            library.forget(reply)


@pytest.mark.parametrize("reply", [None, 5, b"id", TextReply("hi")])
def test_what_has_no_media_id_cannot_be_forgotten(world, reply):
    with pytest.raises(CallError, match="media id"):
        world.start().forget(reply)


class TestFetch:
    def test_returns_the_file_of_a_message(self, world):
        library = world.start()
        upload = {kind: getattr(library, kind)(PNG).media_id for kind in ("image", "voice", "video")}
        messages = [
            ImageMessage(media_id=upload["image"], **FIELDS),
            VoiceMessage(media_id=upload["voice"], **FIELDS),
            VideoMessage(media_id=upload["video"], **FIELDS),
            ShortVideoMessage(media_id=upload["video"], **FIELDS),
        ]
        files = [library.fetch(message) for message in messages]
        assert [file.content for file in files] == [PNG] * 4
        assert files[0].filename
        assert files[0].filename.endswith(".png")

    def test_lets_middleware_pass_a_voice_message_on_as_a_text(self):
        router = Router()

        async def answer(wechat: FakeWeChatAPI) -> Any:
            async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
                library = AsyncMediaLibrary(client, MemoryStore())

                @router.use
                async def hear(message: Message, call_next: AsyncCallNext) -> Any:
                    if isinstance(message, VoiceMessage):
                        message = message.as_text((await library.fetch(message)).content.decode())
                    return await call_next(message)

                @router.on(TextMessage)
                async def echo(message: TextMessage) -> str:
                    return f"You said {message.content}."

                media_id = (await library.voice(b"hello")).media_id
                return await router(VoiceMessage(media_id=media_id, **FIELDS))

        with FakeWeChatAPI() as wechat:
            assert asyncio.run(answer(wechat)) == "You said hello."

    def test_refuses_a_message_without_a_file(self, world):
        for message in (TextMessage(content="x", **FIELDS), VideoMessage(**FIELDS), None):
            with pytest.raises(CallError, match="no file"):
                world.start().fetch(message)

    @each_row("url", ["http://[", "http://[secret]/x", "", "ftp://wechat.example/x", "x", "http://", "http://a:b/x"])
    def test_refuses_a_url_of_a_video_that_is_none(self, world, url):
        world.wechat.answer("/cgi-bin/media/get", json.dumps({"video_url": url}).encode(), times=1)
        with pytest.raises(CallError) as raised:
            world.start().fetch(VideoMessage(media_id="x", **FIELDS))
        assert "secret" not in str(raised.value)

    def test_raises_the_error_of_the_call(self, world):
        for cls in (ImageMessage, VideoMessage):
            with pytest.raises(APIError, match="40007"):
                world.start().fetch(cls(media_id="unknown", **FIELDS))


# --- 正在输入 ---------------------------------------------------------------------------------------------------------


KINDS = ["sync", "async", "async with a sync client"]


@define
class Block:
    """A block in which typing is shown, in virtual time, with each of the clients.

    Attributes:
        seconds: How long it takes.
        error: What it raises.
        is_answered: Whether it has sent an answer.
        prepare: Prepares WeChat.
        age: Seconds since the user's action.
        options: Of `show_typing`.
    """

    seconds: float
    error: BaseException | None = None
    is_answered: bool = False
    prepare: Callable[[FakeWeChatAPI], object] = lambda wechat: None
    age: float = 0.0
    options: dict[str, Any] = field(factory=dict)
    path: str = TYPING

    def run(self, kind: str) -> tuple[list[str], list[str]]:
        """Return the commands of the block itself, and those of the minute after it."""
        with VirtualClock(start=FIELDS["create_time"] + self.age) as clock, FakeWeChatAPI(clock=clock) as wechat:
            self.prepare(wechat)
            options = {"hosts": [wechat.url], "retries": 0}
            if kind == "sync":
                with Client(wechat.appid, wechat.secret, **options) as client:
                    inside = self._run_sync(client, wechat, clock)
                    clock.sleep(60)
            else:
                cls = AsyncClient if kind == "async" else Client
                inside = clock.run(self._run_async(cls(wechat.appid, wechat.secret, **options), wechat, clock))
            return inside, self._list(wechat)[len(inside) :]

    def _list(self, wechat: FakeWeChatAPI) -> list[str]:
        return [request.json["command"] for request in wechat.requests_to(self.path)]

    def _run_sync(self, client: Client, wechat: FakeWeChatAPI, clock: VirtualClock) -> list[str]:
        message, commands = TextMessage(content="x", **FIELDS), []
        with (
            contextlib.suppress(KeyError),
            show_typing(client, message, clock=clock, **self.options) as typing,
        ):
            clock.sleep(self.seconds)
            commands = self._end(wechat, typing)
        return commands or self._list(wechat)

    async def _run_async(self, client: Any, wechat: FakeWeChatAPI, clock: VirtualClock) -> list[str]:
        message, commands = TextMessage(content="x", **FIELDS), []
        with contextlib.suppress(KeyError):
            async with show_typing(client, message, clock=clock, **self.options) as typing:
                await asyncio.sleep(self.seconds)
                commands = self._end(wechat, typing)
        commands = commands or self._list(wechat)
        await asyncio.sleep(60)
        if isinstance(client, AsyncClient):
            await client.close()
        else:
            client.close()
        return commands

    def _end(self, wechat: FakeWeChatAPI, typing: Typing) -> list[str]:
        typing.is_answered = self.is_answered
        if self.error:
            raise self.error
        return self._list(wechat)


class TestShowTyping:
    @each_row("kind", KINDS)
    def test_repeats_the_call_while_wechat_allows_it_and_cancels_at_the_end(self, kind):
        def check(block, inside, after):
            assert block.run(kind) == (["Typing"] * inside, after)

        rows = {
            "1 s": (Block(1), 1, ["CancelTyping"]),
            "9 s": (Block(9), 1, ["CancelTyping"]),
            "12 s": (Block(12), 2, ["CancelTyping"]),
            "29 s": (Block(29), 3, ["CancelTyping"]),
            "34 s, while the last one lasts": (Block(34), 3, ["CancelTyping"]),
            "50 s": (Block(50), 3, []),
            "answered": (Block(12, is_answered=True), 2, []),
            "an error": (Block(12, KeyError("x")), 2, ["CancelTyping"]),
            "an action 15 s ago": (Block(29, age=15), 2, []),
            "an action 40 s ago": (Block(12, age=40), 0, []),
            "a Mini Program": (
                Block(12, options={"account_kind": MINI_PROGRAM}, path=PROGRAM_TYPING),
                2,
                ["CancelTyping"],
            ),
            "a Mini Program by its name": (
                Block(12, options={"account_kind": "mini_program"}, path=PROGRAM_TYPING),
                2,
                ["CancelTyping"],
            ),
        }
        check_rows(rows, check)

    @each_row("kind", KINDS)
    def test_raises_and_logs_nothing_if_the_call_fails(self, kind, caplog):
        caplog.set_level(logging.DEBUG, "wechat_msg")
        for prepare in (
            lambda wechat: wechat.fail(TYPING, 45080),
            lambda wechat: wechat.drop(TYPING, times=None),
            lambda wechat: wechat.fail("*", 40001),
            lambda wechat: wechat.answer(TYPING, b"<html>"),
        ):
            caplog.clear()
            inside, after = Block(25, prepare=prepare).run(kind)
            assert len(inside) <= 1
            assert after == []
            assert "typing cannot be shown" in caplog.text
            assert max(record.levelno for record in caplog.records) <= logging.INFO  # of the access_token

    def test_sends_nothing_if_the_block_has_ended_before(self):
        with VirtualClock(start=FIELDS["create_time"]) as clock, FakeWeChatAPI(clock=clock) as wechat:
            client = Client(wechat.appid, wechat.secret, hosts=[wechat.url])
            with show_typing(client, TextMessage(content="x", **FIELDS), clock=clock):
                pass
            clock.sleep(60)
            client.close()
            assert wechat.requests == []

    def test_waits_for_no_call(self):
        """Also in real time, with a WeChat that does not answer."""
        with FakeWeChatAPI() as wechat, Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            wechat.delay("*", 60)
            message = TextMessage(content="x", **FIELDS | {"create_time": int(time.time())})
            start = time.monotonic()
            with show_typing(client, message):
                pass

            async def answer() -> None:
                aclient = AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url])
                async with aclient, show_typing(aclient, message):
                    await asyncio.sleep(0.05)

            asyncio.run(answer())
            assert time.monotonic() - start < 2

    def test_with_an_async_client_needs_async_with(self):
        client = AsyncClient("wx1", "s")
        with pytest.raises(CallError, match="async with"), show_typing(client, TextMessage(content="x", **FIELDS)):
            pass

    def test_needs_a_message_and_a_kind_of_account(self):
        client, message = Client("wx0123456789abcdef", "0" * 32), TextMessage(content="x", **FIELDS)
        with pytest.raises(CallError, match="the message that is answered"):
            show_typing(client, "oUSER")
        for kind in ("program", functools.reduce(lambda inner, _: [inner], range(100_000))):
            with pytest.raises(CallError, match="account_kind must be"):
                show_typing(client, message, account_kind=kind)

    def test_is_what_an_endpoint_does_meanwhile(self):
        with VirtualClock() as clock, FakeWeChatAPI(clock=clock) as wechat:
            client = Client(wechat.appid, wechat.secret, hosts=[wechat.url])

            def handle(message: Any) -> str:
                clock.sleep(12)
                return "done"

            late = AnswerLater(
                lambda body: client.call(customer_service.send_body(body)),
                meanwhile=lambda message: show_typing(client, message, clock=clock),
            )
            endpoint = PushEndpoint(SETTINGS, handle, late=late, executor=clock.make_executor(), clock=clock)
            simulator = PushSimulator("/", SETTINGS, wsgi=wsgi_app(endpoint), openid="oUSER", clock=clock)
            assert simulator.push_text("hi").is_acknowledged
            clock.sleep(60)
            client.close()
            check_meanwhile(wechat)

    def test_is_what_an_async_endpoint_does_meanwhile(self):
        with VirtualClock() as clock, FakeWeChatAPI(clock=clock) as wechat:

            async def main() -> None:
                async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:

                    async def handle(message: Any) -> str:
                        await asyncio.sleep(12)
                        return "done"

                    async def send(body: Any) -> None:
                        await client.call(customer_service.send_body(body))

                    late = AnswerLater(send, meanwhile=lambda message: show_typing(client, message, clock=clock))
                    endpoint = AsyncPushEndpoint(SETTINGS, handle, late=late, clock=clock)
                    simulator = AsyncPushSimulator("/", SETTINGS, asgi=asgi_app(endpoint), openid="oUSER", clock=clock)
                    assert (await simulator.push_text("hi")).is_acknowledged
                    await asyncio.sleep(60)

            clock.run(main())
            check_meanwhile(wechat)


SETTINGS = PushSettings(token="spamtest")


def check_meanwhile(wechat: FakeWeChatAPI) -> None:
    assert sorted(each.json["command"] for each in wechat.requests_to(TYPING)) == ["CancelTyping", "Typing", "Typing"]
    assert [message["text"]["content"] for message in wechat.messages] == ["done"]
