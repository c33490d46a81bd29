"""Code that nobody runs: the methods of a library, and what show_typing takes."""

from __future__ import annotations

from typing import assert_type

from wechat_msg import (
    AsyncClient,
    Client,
    ImageMessage,
    ImageReply,
    Message,
    SQLiteStore,
    TextMessage,
    VideoReply,
    VoiceReply,
    in_thread,
)
from wechat_msg.api.call import File
from wechat_msg.library import AsyncMediaLibrary, MediaLibrary, Typing, show_typing


def use(client: Client, store: SQLiteStore, message: Message, image: ImageMessage) -> None:
    library = MediaLibrary(client, store)
    assert_type(library.image("cat.png"), ImageReply)
    assert_type(library.voice(b"voice", permanent=True), VoiceReply)
    assert_type(library.video(b"video", title="T", thumb_media_id=library.thumb(b"thumb")), VideoReply)
    assert_type(library.fetch(image), File)
    assert_type(message.as_text("hi"), TextMessage)
    library.forget(library.thumb(b"thumb"))
    library.fetch(message)  # type: ignore[arg-type]
    library.image(3)  # type: ignore[arg-type]
    MediaLibrary(client, in_thread(store))  # type: ignore[arg-type]
    with show_typing(client, message) as typing:
        assert_type(typing, Typing)


async def use_async(client: AsyncClient, store: SQLiteStore, message: Message, image: ImageMessage) -> None:
    library = AsyncMediaLibrary(client, store)
    assert_type(await library.image("cat.png"), ImageReply)
    assert_type(await library.thumb(b"thumb"), str)
    assert_type(await library.fetch(image), File)
    AsyncMediaLibrary(client, in_thread(store))
    MediaLibrary(client, store)  # type: ignore[arg-type]
    async with show_typing(client, message) as typing:
        assert_type(typing, Typing)
