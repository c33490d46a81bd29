"""The functions of this package that one sealed push calls, in order: ``python -m tests.helpers.walk``.

The push is a text message to a Flask application with a Router and the default MemoryStore. Functions that attrs
generates, and comprehensions, are left out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import flask

import wechat_msg
from wechat_msg import PushEndpoint, PushSettings, Router, TextMessage
from wechat_msg.adapters.flask import push_view
from wechat_msg.testing import build_push

PACKAGE = Path(wechat_msg.__file__).parent
SETTINGS = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")


def make_client() -> Any:
    """Return a client of a Flask application whose bot answers text messages."""
    router = Router()
    router.on(TextMessage)(lambda message: f"You said: {message.content}")
    app = flask.Flask(__name__)
    app.add_url_rule("/wechat", view_func=push_view(PushEndpoint(SETTINGS, router)), methods=["GET", "POST"])
    return app.test_client()


class Walk:
    """The calls of functions of the package, each once and indented by its depth.

    A flow that goes on after a step, and then calls a function, is shown again in brackets.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depths: dict[FrameType, int] = {}  # keeps the frames, so that a flow that goes on is recognised
        self._path: list[FrameType] = []

    def record(self, frame: FrameType, event: str, _argument: object) -> None:
        """Add a line for a call; to be given to `sys.setprofile`."""
        code = frame.f_code
        if event != "call" or frame in self._depths or not code.co_filename.startswith(str(PACKAGE)):
            return
        if code.co_name.endswith(("comp>", "genexpr>")):
            return
        caller = frame.f_back
        while caller is not None and caller not in self._depths:
            caller = caller.f_back
        depth = 0 if caller is None else self._depths[caller] + 1
        if caller is not None and self._path[depth - 1 : depth] != [caller]:
            self.lines.append(f"{'  ' * (depth - 1)}({caller.f_code.co_qualname})")
            self._path[depth - 1 :] = [caller]
        self._path[depth:] = [frame]
        self._depths[frame] = depth
        place = f"{Path(code.co_filename).relative_to(PACKAGE.parent)}:{code.co_firstlineno}"
        self.lines.append(f"{'  ' * depth}{code.co_qualname}  {place}")

    @property
    def count(self) -> int:
        """The number of calls."""
        return len(self._depths)


def take_walk() -> Walk:
    """Return the functions that the push calls."""
    client, walk = make_client(), Walk()
    for msg_id in (1, 2):  # the first push fills the caches
        request = build_push(SETTINGS, {"MsgType": "text", "Content": "hi", "MsgId": msg_id})
        url = f"/wechat?{request.query_string}"
        sys.setprofile(walk.record if msg_id == 2 else None)
        try:
            response = client.post(url, data=request.body, content_type="text/xml")
        finally:
            sys.setprofile(None)
    assert b"Encrypt" in response.data
    return walk


if __name__ == "__main__":
    taken = take_walk()
    print("\n".join(taken.lines))
    print(f"\n{taken.count} calls")
