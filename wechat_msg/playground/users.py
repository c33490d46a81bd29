"""Users: the users of the account whose conversations the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wechat_msg.errors import SettingsError
from wechat_msg.playground.chat import Chat
from wechat_msg.testing.fake_api.fake import FakeWeChatAPI

__all__ = ["Users", "is_openid"]

MAX_USERS = 20
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def is_openid(value: object) -> bool:
    """Return whether a value can be the OpenID of a user here."""
    return isinstance(value, str) and _OPENID.fullmatch(value) is not None


class Users:
    """The users of the page, in the order in which they came.

    Args:
        chat: The conversation that shows them.
        api: The fake of WeChat's API that knows them.
        openid: The first one.

    Raises:
        SettingsError: *openid* is not an OpenID.
    """

    def __init__(self, chat: Chat, api: FakeWeChatAPI, openid: str) -> None:
        self._chat = chat
        self._api = api
        self._openids: list[str] = []
        self.add([openid])

    def __contains__(self, openid: object) -> bool:
        return openid in self._openids

    def add(self, openids: Iterable[object]) -> None:
        """Add users; those that are known stay where they are.

        Raises:
            SettingsError: One is not an OpenID, or there are too many. Then none is added.
        """
        added = list(openids)
        if not all(map(is_openid, added)):
            raise SettingsError(
                "an OpenID has 1 to 64 letters, digits, - and _", hint="OpenID 由 1 到 64 个字母、数字、- 与 _ 组成"
            )
        wanted = list(dict.fromkeys([*self._openids, *map(str, added)]))
        if len(wanted) > MAX_USERS:
            raise SettingsError(f"at most {MAX_USERS} users", hint=f"最多 {MAX_USERS} 个用户")
        if len(wanted) == len(self._openids):
            return
        self._openids = wanted
        for openid in self._openids:
            if openid not in self._api.users:
                self._api.add_user(openid)
        self.put()

    def put(self) -> None:
        """Put into the conversation who they are, and whether they follow the account."""
        users = [
            {"openid": openid, "is_follower": bool(self._api.users[openid]["subscribe"])} for openid in self._openids
        ]
        self._chat.put("users", kind="users", users=users)
