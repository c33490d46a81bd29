"""Media of replies, uploaded once and used again, and the state 正在输入: what handlers do with a client.

This module joins both directions: it takes messages, calls WeChat's API, and returns replies.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Future
from os import PathLike
from pathlib import Path
from typing import Any, Self, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

import attrs

from wechat_msg._clock import REAL_CLOCK, Clock
from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get, Wait, drive, drive_async
from wechat_msg._tracebacks import frozen
from wechat_msg.api import customer_service, material, media
from wechat_msg.api.call import Call, File
from wechat_msg.client import AsyncClient, Client
from wechat_msg.errors import APIError, CallError, ClientError, StoreError
from wechat_msg.messages import ImageMessage, Message, ShortVideoMessage, VideoMessage, VoiceMessage
from wechat_msg.replies import ImageReply, VideoReply, VoiceReply
from wechat_msg.settings import MINI_PROGRAM, OFFICIAL_ACCOUNT, AccountKind
from wechat_msg.stores import Store, for_event_loop
from wechat_msg.stores._error_log import StoreErrorLog

__all__ = ["AsyncMediaLibrary", "MediaLibrary", "Typing", "show_typing"]

_log = logging.getLogger("wechat_msg")

T = TypeVar("T")
LocalFile = bytes | str | PathLike[str]
"""A file to upload: its bytes, or a path."""
MediaMessage = ImageMessage | VoiceMessage | VideoMessage | ShortVideoMessage
"""A message with a file."""
MediaReply = ImageReply | VoiceReply | VideoReply
"""A reply with an uploaded file."""

_REUSE = 2.9 * 86400  # seconds; WeChat keeps an upload for 3 days
_DELETE_AFTER = 3600.0  # seconds since a permanent upload
_REUSE_PERMANENT = _DELETE_AFTER / 2  # so WeChat has half an hour or more for the answer
_LOOK_EVERY = 60.0  # seconds between two looks for permanent uploads to delete, if the last one left none
_MOST_DELETED = 3  # permanent uploads that one use deletes, because an answer waits for it
_MOST_PAGES = 50  # pages of materials in which an upload is searched for by its name
_KEEP_LIST = 365 * 86400.0  # seconds
_TRIES = 5  # to change the list of permanent uploads, which other processes change too
_MAX_SIZE = 64 << 20  # bytes, as for a download that is kept in memory
_INVALID_MEDIA_ID = 40007

_TYPING_ALLOWED = 30.0  # seconds since the user's action
_TYPING_REPEATED, _TYPING_LASTS = 10.0, 15.0  # seconds


# --- files -----------------------------------------------------------------------------------------------------------


@frozen
class _Content:
    """The bytes of a file, their digest, and the file name for the upload."""

    content: bytes = attrs.field(repr=False)
    digest: str
    filename: str


@frozen
class _Read:
    """The step that reads a file; its result is its `_Content`."""

    type: str
    file: LocalFile = attrs.field(repr=False)

    def perform(self) -> _Content:
        """Read the file.

        Raises:
            CallError: It cannot be read, is empty, or is too large.
        """
        content = self.file if isinstance(self.file, bytes) else _read(self.file)
        if not content:
            raise CallError("the file to upload is empty（要上传的文件为空）")
        if len(content) > _MAX_SIZE:
            raise CallError(f"the file to upload has more than {_MAX_SIZE >> 20} MB（要上传的文件太大）")
        return _Content(content, hashlib.sha256(content).hexdigest(), media.choose_filename(self.file, self.type))


def _read(path: str | PathLike[str]) -> bytes:
    if not isinstance(path, str | PathLike):
        raise CallError("the file to upload must be bytes or a path（要上传的文件须为 bytes 或路径）")
    try:
        with Path(path).open("rb") as file:
            return file.read(_MAX_SIZE + 1)
    except (OSError, ValueError) as error:
        raise CallError(f"the file to upload cannot be read: {type(error).__name__}（无法读取要上传的文件）") from error


def _make_download(video_url: str) -> Call[Any]:
    try:
        url = urlsplit(video_url)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
    except ValueError:  # its text has the URL
        raise CallError("WeChat has no valid URL for the video（微信返回的视频地址无效）") from None
    return Call(
        "GET",
        url.path,
        media.reject_json,
        query,
        parse_file=media.return_file,
        is_repeatable=True,
        needs_access_token=False,
        host=f"{url.scheme}://{url.netloc}",
    )


def _to_bytes(media_id: str) -> bytes:
    return media_id.encode("utf-8", "replace")


def _read_text(value: bytes | None) -> str:
    """Return a value of the store as text; an empty one if it is not what this module writes."""
    text = (value or b"").decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else ""


# --- permanent uploads -----------------------------------------------------------------------------------------------


@frozen
class _Upload:
    """A permanent upload, which is listed before it begins, so that it is found after a death.

    Attributes:
        since: Seconds since the epoch.
        type: Type of the file.
        media_id: Media id; empty if it is not known, as the upload has not ended.
    """

    since: int
    type: str
    media_id: str = ""


def _load_uploads(record: bytes | None) -> dict[str, _Upload]:
    try:
        uploads = {name: _Upload(*values) for name, values in json.loads(record or b"{}").items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    types = (int, str, str)
    return {name: each for name, each in uploads.items() if (*map(type, attrs.astuple(each)),) == types}


def _dump_uploads(uploads: dict[str, _Upload]) -> bytes | None:
    values = {name: attrs.astuple(upload) for name, upload in uploads.items()}
    return json.dumps(values, separators=(",", ":")).encode() if values else None


class _PermanentUploads:
    """The permanent uploads of an account, by names that are unique; all processes share their list in the store."""

    def __init__(
        self, store: AnyStore, key: str, clock: Callable[[], float], report: Callable[[StoreError], None]
    ) -> None:
        self._store, self._key, self._clock, self._report = store, key, clock, report
        self._unsaved: dict[str, _Upload | None] = {}
        self._look_at = 0.0

    def add(self, type: str, make_call: Callable[[str], Call[material.AddedMaterial]], filename: str) -> Flow[str]:
        """Upload a file and return its media id; *make_call* makes the call from a file name."""
        name, upload = f"{secrets.token_hex(8)}-{filename}", _Upload(int(self._clock()), type)
        yield from self._change({name: upload})
        try:
            added: material.AddedMaterial = yield make_call(name)
        except APIError:
            yield from self._change({name: None})
            raise
        yield from self._change({name: attrs.evolve(upload, media_id=added.media_id)})
        return added.media_id

    def delete_old(self) -> Flow[None]:
        """Delete some of the uploads that are older than an hour; what fails is tried again an hour later.

        Raises:
            StoreError: The store failed.
        """
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY
        uploads = self._merge(_load_uploads((yield Get(self._store, self._key))))
        old = [name for name, upload in uploads.items() if upload.since + _DELETE_AFTER <= now]
        for name in old[:_MOST_DELETED]:
            if not (yield from self._delete(name, uploads[name])):
                self._unsaved[name] = attrs.evolve(uploads[name], since=int(now))
                break  # WeChat may be slow or down, and an answer waits
            self._unsaved[name] = None
        else:
            if len(old) > _MOST_DELETED:
                self._look_at = now
        if self._unsaved:
            yield from self._change({})

    def _delete(self, name: str, upload: _Upload) -> Flow[bool]:
        try:
            if media_id := upload.media_id or (yield from self._find(name, upload.type)):
                yield material.delete_material(media_id)
        except ClientError as error:
            if isinstance(error, APIError) and error.errcode == _INVALID_MEDIA_ID:
                return True  # another process has deleted it
            _log.warning("a permanent upload cannot be deleted: %s", error)
            return False
        return True

    def _find(self, name: str, type: str) -> Flow[str]:
        """Return the media id of the upload with this name; empty if there is none, as the upload had failed."""
        pages = material.iterate_materials("image" if type == "thumb" else type)
        call: Call[material.MaterialPage] | None = pages.first
        for _ in range(_MOST_PAGES):
            if call is None:
                break
            page: material.MaterialPage = yield call
            for item in page.item:
                if item.name == name:
                    return item.media_id
            call = pages.find_next(call, page)
        return ""

    def _change(self, changes: dict[str, _Upload | None]) -> Flow[None]:
        """Add uploads to the list, and remove those that are None; what cannot be saved now is saved with the next."""
        self._unsaved |= changes
        try:
            for _ in range(_TRIES):
                if (yield from self._save()):
                    return
        except StoreError as error:
            self._report(error)

    def _save(self) -> Flow[bool]:
        unsaved, record = dict(self._unsaved), (yield Get(self._store, self._key))
        value = _dump_uploads(self._merge(_load_uploads(record)))
        if value != record and not (yield CompareAndSet(self._store, self._key, record, value, _KEEP_LIST)):
            return False
        for name, upload in unsaved.items():
            if self._unsaved.get(name) is upload:
                self._unsaved.pop(name, None)
        return True

    def _merge(self, uploads: dict[str, _Upload]) -> dict[str, _Upload]:
        merged = {**uploads, **dict(self._unsaved)}
        return {name: upload for name, upload in merged.items() if upload is not None}


# --- the library -----------------------------------------------------------------------------------------------------


class _Library:
    """The flows of both libraries."""

    def __init__(self, appid: str, store: AnyStore, clock: Callable[[], float]) -> None:
        self._prefix = f"{appid}:media"
        self._store = store
        self._report = StoreErrorLog("the reuse of uploads", clock).report
        self._permanent = _PermanentUploads(store, f"{self._prefix}:permanent", clock, self._report)

    def _upload(self, type: str, file: LocalFile, *, permanent: bool, **options: str | None) -> Flow[str]:
        """Return the media id of a file, which is uploaded if no upload can be used again."""
        content: _Content = yield _Read(type, file)
        key = f"{self._prefix}:{'permanent:' if permanent else ''}{type}:{content.digest}"
        upload = self._add_permanent if permanent else self._add
        try:
            yield from self._permanent.delete_old()
            record: bytes | None = yield Get(self._store, key)
        except StoreError as error:
            self._report(error)
            return (yield from upload(type, content, **options))
        if media_id := _read_text(record):
            return media_id
        media_id = yield from upload(type, content, **options)
        try:
            yield from self._remember(key, record, media_id, _REUSE_PERMANENT if permanent else _REUSE)
        except StoreError as error:
            self._report(error)
        return media_id

    def _add(self, type: str, content: _Content, **_: str | None) -> Flow[str]:
        uploaded: media.UploadedMedia = yield media.upload(type, content.content, filename=content.filename)
        return uploaded.media_id

    def _add_permanent(
        self, type: str, content: _Content, *, title: str | None = None, description: str | None = None
    ) -> Flow[str]:
        def make_call(filename: str) -> Call[material.AddedMaterial]:
            if type == "video":
                return material.add_video(content.content, title or "", description or "", filename=filename)
            return material.add_material(type, content.content, filename=filename)

        return (yield from self._permanent.add(type, make_call, content.filename))

    def _remember(self, key: str, record: bytes | None, media_id: str, ttl: float) -> Flow[None]:
        # In this order, because an upload that is used again must be one that can be forgotten.
        if (yield CompareAndSet(self._store, self._key_of(media_id), None, key.encode(), ttl)):
            yield CompareAndSet(self._store, key, record, _to_bytes(media_id), ttl)

    def _forget(self, reply: MediaReply | str) -> Flow[None]:
        if not isinstance(reply, MediaReply | str):
            raise CallError("forget needs a reply with a media id, or a media id（forget 需要带 media_id 的回复）")
        media_id = reply if isinstance(reply, str) else reply.media_id
        record: bytes | None = yield Get(self._store, self._key_of(media_id))
        if key := _read_text(record):
            yield CompareAndSet(self._store, key, _to_bytes(media_id), None)
            yield CompareAndSet(self._store, self._key_of(media_id), record, None)

    def _fetch(self, message: MediaMessage) -> Flow[File]:
        if not isinstance(message, MediaMessage) or not message.media_id:
            raise CallError("the message has no file to download（该消息没有可下载的文件）")
        if isinstance(message, (ImageMessage, VoiceMessage)):
            return cast("File", (yield media.download(message.media_id)))
        return cast("File", (yield _make_download((yield media.get_video_url(message.media_id)))))

    def _key_of(self, media_id: str) -> str:
        return f"{self._prefix}:id:{hashlib.sha256(_to_bytes(media_id)).hexdigest()}"


def _check(client: object, store: object, cls: type) -> None:
    if not isinstance(client, cls):
        raise CallError(f"the client must be of the class {cls.__name__}（client 应为 {cls.__name__}）")
    if not isinstance(store, Store) or isinstance(store, type):
        raise CallError("store must be a Store（store 应为存储）")


class MediaLibrary(_Library):
    """Files for replies, each uploaded once and used again for 2.9 days, by all processes that share the store.

    A file is known by its content: the same bytes under another name are not uploaded again. If the store fails, the
    file is uploaded, and only its reuse is lost.

    Args:
        client: The client of the account.
        store: The store in which processes share media ids; the keys begin with the account's AppID.
        clock: Seconds since the epoch; a parameter for tests.

    Raises:
        CallError: *client* is not a `Client`, or *store* is not a store for it.

    Example:
        >>> from wechat_msg import Client, MemoryStore
        >>> from wechat_msg.testing import FakeWeChatAPI
        >>> with FakeWeChatAPI() as wechat, Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        ...     library = MediaLibrary(client, MemoryStore())
        ...     library.image(b"a picture") == library.image(b"a picture")
        True
    """

    def __init__(self, client: Client, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        _check(client, store, Client)
        if inspect.iscoroutinefunction(store.get):
            raise CallError("store must be a Store; an AsyncStore needs AsyncMediaLibrary")
        super().__init__(client.appid, store, clock)
        self._client = client

    def image(self, file: LocalFile, *, permanent: bool = False) -> ImageReply:
        """Return the reply with an image.

        Args:
            file: The bytes or the path of a png, jpeg, jpg or gif, 10 MB at most.
            permanent: Whether it is uploaded as permanent material (永久素材). Then it is used again for half an hour
                only, and deleted when the library is next used, an hour after the upload or later.

        Raises:
            CallError: The file cannot be read, is empty, or has more than 64 MB.
            ClientError: The upload failed; see `Client.call`.
        """
        return ImageReply(self._drive(self._upload("image", file, permanent=permanent)))

    def voice(self, file: LocalFile, *, permanent: bool = False) -> VoiceReply:
        """Return the reply with a voice message.

        Args:
            file: The bytes or the path of an amr or mp3, 2 MB and 60 seconds at most.
            permanent: As for `image`.

        Raises:
            ClientError: As for `image`.
        """
        return VoiceReply(self._drive(self._upload("voice", file, permanent=permanent)))

    def video(
        self,
        file: LocalFile,
        *,
        title: str | None = None,
        description: str | None = None,
        thumb_media_id: str | None = None,
        permanent: bool = False,
    ) -> VideoReply:
        """Return the reply with a video.

        Args:
            file: The bytes or the path of an mp4, 10 MB at most.
            title: Title.
            description: Description.
            thumb_media_id: Media id of the cover, from `thumb`; only a customer-service message shows it.
            permanent: As for `image`.

        Raises:
            ClientError: As for `image`.
        """
        upload = self._upload("video", file, permanent=permanent, title=title, description=description)
        return VideoReply(self._drive(upload), title=title, description=description, thumb_media_id=thumb_media_id)

    def thumb(self, file: LocalFile, *, permanent: bool = False) -> str:
        """Return the media id of a thumb, the cover of music or of a video.

        Args:
            file: The bytes or the path of a jpg, 64 KB at most.
            permanent: As for `image`.

        Raises:
            ClientError: As for `image`.
        """
        return self._drive(self._upload("thumb", file, permanent=permanent))

    def fetch(self, message: MediaMessage) -> File:
        """Return the file of a message, which WeChat keeps for 3 days; it is kept in memory, 64 MB at most.

        Args:
            message: A message with an image, a voice or a video.

        Raises:
            CallError: The message has no file, or WeChat gives no valid URL for it.
            ClientError: The download failed; see `Client.call`.
        """
        return self._drive(self._fetch(message))

    def forget(self, reply: MediaReply | str) -> None:
        """Upload the file of *reply* anew when it is next needed, such as after WeChat has refused its media id.

        Args:
            reply: A reply from this library, or the media id of a thumb.

        Raises:
            CallError: *reply* is neither.
            StoreError: The store failed.
        """
        self._drive(self._forget(reply))

    def _drive(self, flow: Flow[T]) -> T:
        return drive(flow, self._perform)

    def _perform(self, step: Get | CompareAndSet | _Read | Call[Any]) -> Any:
        return self._client.call(step) if isinstance(step, Call) else step.perform()


class AsyncMediaLibrary(_Library):
    """A `MediaLibrary` for asyncio; it takes an `AsyncClient` and any store. Files are read in a thread.

    Example:
        >>> import asyncio
        >>> from wechat_msg import AsyncClient, MemoryStore
        >>> from wechat_msg.testing import FakeWeChatAPI
        >>> async def main():
        ...     with FakeWeChatAPI() as wechat:
        ...         async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        ...             library = AsyncMediaLibrary(client, MemoryStore())
        ...             return await library.image(b"a picture") == await library.image(b"a picture")
        >>> asyncio.run(main())
        True
    """

    def __init__(self, client: AsyncClient, store: AnyStore, *, clock: Callable[[], float] = time.time) -> None:
        _check(client, store, AsyncClient)
        super().__init__(client.appid, for_event_loop(store), clock)
        self._client = client

    async def image(self, file: LocalFile, *, permanent: bool = False) -> ImageReply:
        """Return the reply with an image; see `MediaLibrary.image`."""
        return ImageReply(await self._drive(self._upload("image", file, permanent=permanent)))

    async def voice(self, file: LocalFile, *, permanent: bool = False) -> VoiceReply:
        """Return the reply with a voice message; see `MediaLibrary.voice`."""
        return VoiceReply(await self._drive(self._upload("voice", file, permanent=permanent)))

    async def video(
        self,
        file: LocalFile,
        *,
        title: str | None = None,
        description: str | None = None,
        thumb_media_id: str | None = None,
        permanent: bool = False,
    ) -> VideoReply:
        """Return the reply with a video; see `MediaLibrary.video`."""
        upload = self._upload("video", file, permanent=permanent, title=title, description=description)
        return VideoReply(
            await self._drive(upload), title=title, description=description, thumb_media_id=thumb_media_id
        )

    async def thumb(self, file: LocalFile, *, permanent: bool = False) -> str:
        """Return the media id of a thumb; see `MediaLibrary.thumb`."""
        return await self._drive(self._upload("thumb", file, permanent=permanent))

    async def fetch(self, message: MediaMessage) -> File:
        """Return the file of a message; see `MediaLibrary.fetch`."""
        return await self._drive(self._fetch(message))

    async def forget(self, reply: MediaReply | str) -> None:
        """Upload the file of *reply* anew when it is next needed; see `MediaLibrary.forget`."""
        await self._drive(self._forget(reply))

    async def _drive(self, flow: Flow[T]) -> T:
        return await drive_async(flow, self._perform)

    def _perform(self, step: Get | CompareAndSet | _Read | Call[Any]) -> Any:
        match step:
            case Call():
                return self._client.call(step)
            case _Read():
                return asyncio.to_thread(step.perform)
            case Get() | CompareAndSet():
                return step.perform()


# --- 正在输入 ---------------------------------------------------------------------------------------------------------


class Typing:
    """The context manager that `show_typing` returns, for one ``with`` or ``async with``.

    Attributes:
        is_answered: Set it to True in the block if an answer was sent there, which has ended the state.
    """

    def __init__(
        self,
        client: Client | AsyncClient,
        message: Message,
        account_kind: AccountKind | str,
        clock: Callable[[], float],
    ) -> None:
        if not isinstance(message, Message):
            raise CallError("show_typing needs the message that is answered（show_typing 需要正在回复的消息）")
        self.is_answered = False
        self._client = client
        self._message = message
        is_program = _to_account_kind(account_kind) is MINI_PROGRAM
        self._set = customer_service.set_mini_program_typing if is_program else customer_service.set_typing
        self._clock = clock
        self._waits = clock if isinstance(clock, Clock) else REAL_CLOCK
        self._end: Future[None] = Future()

    def __enter__(self) -> Self:
        if not isinstance(self._client, Client):
            raise CallError("an AsyncClient needs async with（AsyncClient 请使用 async with）")
        try:
            self._waits.start("wechat_msg.typing", drive, self._show(), self._perform)
        except RuntimeError as error:  # no more threads can be started
            _log_failure(error)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._end.done():
            self._end.set_result(None)

    async def __aenter__(self) -> Self:
        if isinstance(self._client, Client):  # its thread does not block the event loop
            return self.__enter__()
        task = asyncio.create_task(drive_async(self._show(), self._perform_async), name="wechat_msg.typing")
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def _show(self) -> Flow[None]:
        try:
            yield from self._repeat()
        except Exception as error:  # noqa: BLE001, it is only shown while a handler runs
            _log_failure(error)

    def _repeat(self) -> Flow[None]:
        openid, end, is_shown = self._message.from_user_name, self._end, False
        while not end.done() and self._clock() < self._message.create_time + _TYPING_ALLOWED:
            yield self._set(openid)
            is_shown = True
            yield Wait(end, _TYPING_REPEATED)
        if not is_shown:
            return
        yield Wait(end, _TYPING_LASTS - _TYPING_REPEATED)
        if end.done() and not self.is_answered:
            yield self._set(openid, "CancelTyping")

    def _perform(self, step: Wait | Call[Any]) -> Any:
        if isinstance(step, Wait):
            return self._waits.wait(step.future, step.seconds)
        return self._client.call(step)

    async def _perform_async(self, step: Wait | Call[Any]) -> Any:
        if isinstance(step, Wait):
            return await asyncio.wait([asyncio.wrap_future(step.future)], timeout=step.seconds)
        return await cast("AsyncClient", self._client).call(step)


_tasks: set[asyncio.Task[None]] = set()  # an event loop holds only weak references to its tasks


def _to_account_kind(kind: AccountKind | str) -> AccountKind:
    try:
        return AccountKind(kind if isinstance(kind, str | AccountKind) else "")
    except ValueError:
        raise CallError(
            "account_kind must be official_account or mini_program（应为 official_account 或 mini_program）"
        ) from None


def _log_failure(error: Exception) -> None:
    _log.debug("typing cannot be shown: %s", error)


def show_typing(
    client: Client | AsyncClient,
    message: Message,
    *,
    account_kind: AccountKind | str = OFFICIAL_ACCOUNT,
    clock: Callable[[], float] = time.time,
) -> Typing:
    """Show the user that an answer is being written (对方正在输入) while a block runs.

    The calls are made in a thread or a task of their own, so the block neither waits for them nor sees their errors,
    which are logged at level DEBUG. They are repeated every 10 seconds, for as long as WeChat allows: 30 seconds after
    the user's action. At the end of the block the state is cancelled. For accounts that may send customer-service
    messages (客服消息).

    Args:
        client: The client of the account; with an `AsyncClient` it is ``async with``.
        message: The message or event that is being answered.
        account_kind: The kind of the account, as in `PushSettings`.
        clock: Seconds since the epoch, or a `wechat_msg.testing.VirtualClock`; a parameter for tests.

    Raises:
        CallError: *message* is not a message, or *account_kind* is not a kind of account.

    Example:
        >>> from wechat_msg import AnswerLater, Client
        >>> from wechat_msg.api import customer_service
        >>> client = Client("wx0123456789abcdef", "0123456789abcdef0123456789abcdef")
        >>> def send(body):
        ...     client.call(customer_service.send_body(body))
        >>> late = AnswerLater(send, meanwhile=lambda message: show_typing(client, message))
    """
    return Typing(client, message, account_kind, clock)
