"""The functions of this package that one sealed push calls, in order: ``python -m tests.helpers.walk``.

The push is a text message to a Flask application with a Router and the default MemoryStore. Functions that attrs
generates are left out.
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
    """Records each call of a function of the package once, and at which depth."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depths: dict[FrameType, int] = {}  # keeps the frames, so that a generator that goes on is recognised

    def record(self, frame: FrameType, event: str, _argument: object) -> None:
        """Note a call; the function to give to `sys.setprofile`."""
        code = frame.f_code
        if event != "call" or frame in self._depths or not code.co_filename.startswith(str(PACKAGE)):
            return
        caller = frame.f_back
        while caller is not None and caller not in self._depths:
            caller = caller.f_back
        depth = 0 if caller is None else self._depths[caller] + 1
        self._depths[frame] = depth
        place = f"{Path(code.co_filename).relative_to(PACKAGE.parent)}:{code.co_firstlineno}"
        self.lines.append(f"{'  ' * depth}{code.co_qualname}  {place}")


def take_walk() -> list[str]:
    """Return one line for each function that the push calls."""
    client, walk = make_client(), Walk()
    for msg_id in (1, 2):  # the first push fills what is kept for all that follow
        request = build_push(SETTINGS, {"MsgType": "text", "Content": "hi", "MsgId": msg_id})
        url = f"/wechat?{request.query_string}"
        sys.setprofile(walk.record if msg_id == 2 else None)
        try:
            response = client.post(url, data=request.body, content_type="text/xml")
        finally:
            sys.setprofile(None)
    assert b"Encrypt" in response.data
    return walk.lines


if __name__ == "__main__":
    lines = take_walk()
    print("\n".join(lines))
    print(f"\n{len(lines)} calls")
