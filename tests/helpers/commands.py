"""The command ``wechat-msg`` in this process or another one, and servers and files for it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner

from tests.helpers.servers import ROOT, TIMEOUT
from wechat_msg import PushSettings
from wechat_msg.cli.bot import listen
from wechat_msg.cli.commands import app
from wechat_msg.testing import build_push

SETTINGS = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
ENVIRON = {"WECHAT_TOKEN": "spamtest", "WECHAT_ENCODING_AES_KEY": "A" * 43, "WECHAT_APPID": "wx0123456789abcdef"}
COMMAND = ("-m", "wechat_msg")
SECRET = {"MsgType": "text", "Content": "秘密 \x9b31m", "CreateTime": 1700000000}
FORMATS = ["xml", "json"]
CHINESE = re.compile("[\u4e00-\u9fff]")
URL = "http://127.0.0.1:1/wechat"
HI = ("push", URL, "--text", "hi", "--tries", "1")
#: English words in Chinese texts, in addition to user input, options, variables and addresses.
NAMES = {"Token", "App", "Encoding", "Key", "wechat", "plain", "sealed", "compatible", "official", "account", "mini"}
NAMES |= {"program", "http", "https", "xn", "en", "zh", *app.commands}


def ask(*words, stdin=None):
    """Run the command in this process."""
    result = CliRunner().invoke(app, words, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "\x1b" not in result.output
    assert "A" * 43 not in result.output
    return result


@contextlib.contextmanager
def answering(answer, status="200 OK"):
    """Serve one answer to everything."""

    def answer_always(environ, start_response):
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [])
        return [answer]

    with listen(answer_always) as url:
        yield url


def find_english(text, words):
    """Return the English words of a Chinese message."""
    found = re.sub(r"https?://\S+|--[a-z-]+|[A-Z]+_[A-Z_]+|\(wechat-msg.*\)$", " ", text.removeprefix("wechat-msg: "))
    typed = {part for word in words for part in re.findall("[A-Za-z][a-z]+", word)}
    return set(re.findall("[A-Za-z][a-z]+", found)) - NAMES - typed


def answers(process):
    """Wait until the program prints its address and listens there."""
    line = b""
    while not (address := re.search(rb"http://127\.0\.0\.1:[1-9]\d*", line)):
        line = process.stdout.readline() or pytest.fail(process.stderr.read().decode())
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address[0].decode(), timeout=TIMEOUT)
    refused.value.close()


def interrupt(words, number, *, when, start=()):
    """Run the command, send it the signal *number*, and return status, output and errors."""
    with subprocess.Popen(
        [*start, sys.executable, *COMMAND, *words],
        cwd=ROOT,
        env={**os.environ, **ENVIRON, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            when(process)
            process.send_signal(number)
            output, errors = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    return process.returncode, output.decode(), errors.decode()


def capture(tmp_path, settings=SETTINGS, change=lambda body: body, **options):
    """Write a push to a file; return the command line that decrypts it."""
    request = build_push(settings, SECRET, **options)
    (tmp_path / "body").write_bytes(change(request.body))
    return ["decrypt", "--body", str(tmp_path / "body")], request.query
