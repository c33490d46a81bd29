"""Copies of a push for the user's own terminal and tests: a curl command, a test, a wechat-msg command.

None contains the Token or the key. A curl command contains the signature of its request, and is accepted as long as the
bot accepts the request's timestamp; the others sign with the settings in the user's environment.
"""

from __future__ import annotations

import base64
import json
import pprint
import re
import shlex
from collections.abc import Mapping
from typing import Any

from wechat_msg.exchange import PushRequest
from wechat_msg.playground.page_push import PagePush
from wechat_msg.testing.simulator.transports import make_target, split_url

__all__ = ["list_copies"]

_MAX_ARGUMENT_BYTES = 100_000  # Linux allows 131,072 bytes in one argument
_NOT_A_NAME = re.compile(r"\W+", re.ASCII)


def list_copies(url: str, message: PagePush, number: int | None) -> dict[str, str | None]:
    """Return the copies of a message and of one of its tries, None for those that are impossible.

    Args:
        url: Address of the bot.
        message: The message.
        number: Number of the try. If None, the last one.
    """
    request = next(iter(message.requests[number - 1 : number] if number else message.requests[-1:]), None)
    return {
        "curl": _write_curl(url, request) if request else None,
        "test": _write_test(url, message),
        "push": _write_command(url, message) if message.is_push else None,
    }


def _write_curl(url: str, request: PushRequest) -> str:
    """Write a command for a POSIX shell that sends exactly these bytes."""
    parts = split_url(url)
    address = f"{parts.scheme}://{parts.netloc}{make_target(parts, request)}"
    # -g: curl must not interpret brackets and braces.
    command = f"curl -gi {shlex.quote(address)}"
    if request.method == "GET":
        return command
    command += f" -H {shlex.quote(f'Content-Type: {request.content_type}')}"
    body = request.body.decode(errors="replace")
    if body.encode() == request.body and _is_printable(body) and len(request.body) < _MAX_ARGUMENT_BYTES:
        return f"{command} --data-raw {shlex.quote(body)}"
    encoded = base64.b64encode(request.body).decode()
    return f"printf %s {encoded} | base64 -d | {command} --data-binary @-"


def _write_command(url: str, message: PagePush) -> str:
    options = [f"--mode={message.mode}", f"--format={message.format}"]
    if message.user is not None and "FromUserName" not in message.fields:
        options.append(f"--openid={message.user}")
    if (content := _list_field_options(message.fields)) is not None:
        return shlex.join(["wechat-msg", "push", url, *content, *options])
    documents = (json.dumps(message.fields, ensure_ascii=is_ascii) for is_ascii in (False, True))
    document = shlex.quote(next(filter(_is_printable, documents)))
    return f"printf %s {document} | {shlex.join(['wechat-msg', 'push', url, '--file=-', *options])}"


def _list_field_options(fields: Mapping[str, Any]) -> list[str] | None:
    """Return the options that set the fields; None if only a file can."""
    option, name = {"text": ("--text", "Content"), "event": ("--event", "Event")}.get(
        str(fields.get("MsgType")), ("", "")
    )
    others = {other: value for other, value in fields.items() if other not in ("MsgType", name)}
    if not isinstance(fields.get(name), str) or not all(isinstance(value, str) for value in others.values()):
        return None
    options = [f"{option}={fields[name]}", *(f"--field={other}={value}" for other, value in others.items())]
    return options if all(map(_is_printable, options)) else None


def _write_test(url: str, message: PagePush) -> str:
    """Write a pytest test that sends the message again and expects what the bot has answered."""
    if not message.is_push:
        name, lines = "url_verification", ['assert wechat.verify().verdict.outcome == "verified"']
    else:
        name = str(message.fields.get("Event") or message.fields.get("MsgType"))
        options = {"openid": message.user, "mode": message.mode, "format": message.format}
        arguments = [f"{option}={value!r}" for option, value in options.items() if value is not None]
        fields = pprint.pformat(dict(message.fields), width=100, sort_dicts=False).replace("\n", "\n    ")
        lines = [f"fields = {fields}", f"delivery = wechat.push(fields, {', '.join(arguments)})", _expect(message)]
    body = [f"wechat = wechat_push({url!r})  # with the settings of the environment", *lines]
    slug = _NOT_A_NAME.sub("_", name)[:40].strip("_").lower() or "message"
    return "\n    ".join([f"def test_answers_{slug}(wechat_push):", *body]) + "\n"


def _expect(message: PagePush) -> str:
    """Return the assertion that the last answer meets, or should have met."""
    last: dict[str, Any] = message.wires[-1] if message.wires else {}
    reply = last.get("reply") or {}
    if isinstance(content := reply.get("Content"), str):
        return f"assert delivery.text == {content!r}"
    if reply:
        return f"assert delivery.reply['MsgType'] == {reply.get('MsgType')!r}"
    if last.get("outcome") == "acknowledged":
        return "assert delivery.is_acknowledged"
    return "assert delivery.problem is None"


def _is_printable(text: str) -> bool:
    """Return whether a terminal shows a text as it is; control characters could act on it when pasted."""
    return text.replace("\n", "").isprintable()
