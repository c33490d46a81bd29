"""The other libraries: the steps of the views in their manuals, without a framework and without a search for a handler.

What is not installed is left out.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, Protocol

from wechat_msg import PushRequest, __version__

from .jobs import SEALED

Query = Mapping[str, str]


class Peer(Protocol):
    """A library that receives pushes and answers them."""

    name: ClassVar[str]

    def check_signature(self, query: Query) -> tuple[()]:
        """Check the signature of the URL."""

    def parse(self, xml: bytes) -> Any:
        """Return the message of a plain push."""

    def open(self, request: PushRequest, *, is_sealed: bool) -> Any:
        """Check the signatures and return the message."""

    def read(self, message: Any) -> tuple[Any, ...]:
        """Return the text or the name of the event, both names, the id and the time."""

    def reply(self, message: Any, query: Query, text: str) -> tuple[bytes]:
        """Return a sealed text."""


class Wechatpy:
    """wechatpy, as its echo example has it."""

    name = "wechatpy"

    def __init__(self) -> None:
        import wechatpy
        from wechatpy.crypto import WeChatCrypto
        from wechatpy.utils import check_signature

        self._check, self.parse, self._create_reply = check_signature, wechatpy.parse_message, wechatpy.create_reply
        self._crypto = WeChatCrypto(SEALED.token, SEALED.encoding_aes_key, SEALED.appid)

    def check_signature(self, query: Query) -> tuple[()]:
        self._check(SEALED.token, query["signature"], query["timestamp"], query["nonce"])
        return ()

    def open(self, request: PushRequest, *, is_sealed: bool) -> Any:
        query, xml = request.query, request.body
        self.check_signature(query)
        if is_sealed:
            xml = self._crypto.decrypt_message(xml, query["msg_signature"], query["timestamp"], query["nonce"])
        return self.parse(xml)

    def read(self, message: Any) -> tuple[Any, ...]:
        # Events that it has no class for are without an attribute `event`.
        words = message.content if message.type == "text" else message._data["Event"]
        return words, message.source, message.target, message.id, message.time

    def reply(self, message: Any, query: Query, text: str) -> tuple[bytes]:
        xml = self._create_reply(text, message).render()
        return (self._crypto.encrypt_message(xml, query["nonce"], query["timestamp"]).encode(),)


class WeRoBot:
    """WeRoBot, as its views for Flask and Django have it."""

    name = "WeRoBot"

    def __init__(self) -> None:
        import cryptography  # noqa: F401, WeRoBot misses it only when it seals
        from werobot import WeRoBot
        from werobot.parser import parse_user_msg
        from werobot.replies import TextReply

        self._robot = WeRoBot(token=SEALED.token, enable_session=False)
        self._robot.config.update(APP_ID=SEALED.appid, ENCODING_AES_KEY=SEALED.encoding_aes_key)
        self.parse, self._make_reply = parse_user_msg, TextReply

    def check_signature(self, query: Query) -> tuple[()]:
        assert self._robot.check_signature(query["timestamp"], query["nonce"], query["signature"])
        return ()

    def open(self, request: PushRequest, *, is_sealed: bool) -> Any:
        query = request.query
        self.check_signature(query)
        msg_signature = query["msg_signature"] if is_sealed else ""
        return self._robot.parse_message(
            request.body, timestamp=query["timestamp"], nonce=query["nonce"], msg_signature=msg_signature
        )

    def read(self, message: Any) -> tuple[Any, ...]:
        words = message.content if message.type == "text" else message.type.removesuffix("_event")
        return words, message.source, message.target, message.message_id, message.time

    def reply(self, message: Any, query: Query, text: str) -> tuple[bytes]:
        return (self._robot.crypto.encrypt_message(self._make_reply(message=message, content=text)).encode(),)


def find_peers() -> Iterator[Peer]:
    for peer in (Wechatpy, WeRoBot):
        with suppress(ImportError):
            yield peer()


def describe_ours() -> Iterator[str]:
    """Yield our version, and those of what it depends on."""
    yield f"Python {platform.python_version()}"
    yield f"wechat_msg {__version__}"
    yield f"pycryptodome {version('pycryptodome')}"


def describe_peers() -> Iterator[str]:
    """Yield the versions, of cryptography too, without which they are slower or do not seal at all."""
    for name in ("wechatpy", "WeRoBot", "cryptography"):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"without {name}"


PEERS = list(find_peers())
