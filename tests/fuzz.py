"""A fuzz target for everything that reads a push: ``make fuzz``, with atheris, for so many seconds.

Whatever the bytes are, a push is opened or refused; and as the words of a user they arrive, and nothing else does.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["wechat_msg"]):
    from wechat_msg import PushError, PushRequest, PushSettings, UnknownMessage, open_push

from tests.helpers.first_principles import APPID, KEY, TOKEN, plain_query, seal, sealed_query

PLAIN = PushSettings(token=TOKEN)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)

HEAD = (
    b"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oUSER]]></FromUserName>"
    b"<CreateTime>1714036504</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA["
)
TAIL = b"]]></Content><MsgId>1</MsgId></xml>"
TOKENS = ["]]>", "<![CDATA[", "</Content>", "<Content>", "<FromUserName>", "<Encrypt>", "</Encrypt>", "</xml>", "<!--"]
MEMBERS = {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId"}
SEEDS = [
    HEAD + b"hi" + TAIL,
    b'{"ToUserName":"gh_1","FromUserName":"oUSER","CreateTime":1,"MsgType":"text","Content":"hi"}',
    b"<xml><Encrypt><![CDATA[AAAA]]></Encrypt></xml>",
    b"a]]></Content><FromUserName>oEVIL</FromUserName><Content><![CDATA[b",
]


def read(data: bytes) -> None:
    for settings, request in (
        (PLAIN, PushRequest("POST", plain_query(), data)),
        (SEALED, PushRequest("POST", plain_query(msg_signature="0" * 40), data)),
        (SEALED, _sealed(data)),
    ):
        with contextlib.suppress(PushError):
            open_push(settings, request)
    _read_words(data)


def _sealed(document: bytes) -> PushRequest:
    sealed = seal(document)
    return PushRequest("POST", sealed_query(sealed), f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode())


def _read_words(words: bytes) -> None:
    message = open_push(PLAIN, PushRequest("POST", plain_query(), HEAD + words + TAIL)).message
    assert message.from_user_name == "oUSER", "another sender"
    assert set(message.raw) <= MEMBERS, "another element"
    text = words.decode("utf-8", "ignore")
    if words == text.encode() and text.isprintable() and "]]]]><![CDATA[>" not in text and len(text) < 2048:
        assert isinstance(message, UnknownMessage) or message.content == text, "another text"


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        words.write_text("".join(f'"{token}"\n' for token in TOKENS))
        for number, seed in enumerate(SEEDS):
            Path(corpus, str(number)).write_bytes(seed)
        limits = [f"-max_total_time={sys.argv[1]}", "-max_len=4096"]
        atheris.Setup([sys.argv[0], *limits, f"-dict={words}", str(corpus)], read)
        atheris.Fuzz()
