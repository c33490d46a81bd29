"""What the fake keeps of its account: tokens, users, media, and what calls have made."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from typing import Any

from attrs import define, field

from wechat_msg.testing.fake_api.answer import Refusal
from wechat_msg.testing.fake_api.tokens import ClassicTokens, StableTokens, Token

__all__ = ["TOKEN_QUOTA", "Account", "Media"]

#: How many times a day the token of ``/cgi-bin/token`` may be fetched.
TOKEN_QUOTA = 2000


@define
class Media:
    """A file that was uploaded."""

    type: str
    filename: str
    content: bytes = field(repr=False)
    content_type: str
    created_at: int
    is_permanent: bool
    description: dict[str, Any] = field(factory=dict, repr=False)


class Account:
    """The account that is played: the topics read and change it, and tests look at it.

    Attributes:
        appid: Its AppID.
        secret: Its AppSecret.
        url: Where the fake listens.
        token_quota: How many times the token of ``/cgi-bin/token`` may still be fetched; then it answers 45009.
        allowed_ips: The addresses that may fetch tokens, others get 40164; None: all.
        page_size: How many OpenIDs are on a page.
        users: What ``user/info`` answers, by OpenID.
        blacklist: OpenIDs, the oldest first.
        messages: The bodies of the customer-service messages that were accepted.
        media: The files that were uploaded, by media_id.
    """

    def __init__(self, appid: str, secret: str, clock: Callable[[], float]) -> None:
        self.appid, self.secret, self.url = appid, secret, ""
        self._clock, self._ahead = clock, 0.0
        self.classic, self.stable = ClassicTokens(self.clock), StableTokens(self.clock)
        self.token_quota = TOKEN_QUOTA
        self.allowed_ips: set[str] | None = None
        self.page_size = 10_000
        self.users: dict[str, dict[str, Any]] = {}
        self.blacklist: list[str] = []
        self.refusing: set[str] = set()
        self.out_of_window: set[str] = set()
        self.codes: dict[str, tuple[str, str]] = {}
        self.messages: list[dict[str, Any]] = []
        self.media: dict[str, Media] = {}
        self._made: dict[str, dict[Any, Any]] = {}
        self._numbers = itertools.count(1_000_000_001)

    # --- time --------------------------------------------------------------------------------------------------------

    def clock(self) -> float:
        """Return the account's time, in seconds since the epoch."""
        return self._clock() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass for the account, so that tokens get older."""
        self._ahead += seconds

    # --- tokens ------------------------------------------------------------------------------------------------------

    @property
    def access_token(self) -> str | None:
        """The token that ``/cgi-bin/token`` has handed out last."""
        return _value_of(self.classic.newest)

    @property
    def stable_access_token(self) -> str | None:
        """The token that ``/cgi-bin/stable_token`` has handed out last."""
        return _value_of(self.stable.newest)

    def expire_access_tokens(self) -> None:
        """Let every token that was handed out answer 42001 from now on."""
        self.classic.expire()
        self.stable.expire()

    def revoke_access_tokens(self, *, sticky: bool = False) -> None:
        """Let every token that was handed out answer 40001 from now on, as after a change of the AppSecret.

        Args:
            sticky: ``/cgi-bin/stable_token`` goes on handing out the same rejected token, until a new one is forced.
        """
        self.classic.reject()
        self.stable.reject()
        self.stable.is_sticky = sticky

    # --- users -------------------------------------------------------------------------------------------------------

    def add_user(self, openid: str, **fields: Any) -> None:
        """Add a follower, or change one.

        Args:
            openid: Whose.
            fields: What ``user/info`` tells; ``subscribe=0``: has stopped following.
        """
        known = self.users.get(openid) or {
            "subscribe": 1,
            "openid": openid,
            "nickname": "",
            "sex": 0,
            "language": "zh_CN",
            "city": "",
            "province": "",
            "country": "",
            "headimgurl": "",
            "subscribe_time": int(self.clock()),
            "unionid": f"union-{openid}",
            "remark": "",
            "groupid": 0,
            "tagid_list": [],
            "subscribe_scene": "ADD_SCENE_QR_CODE",
            "qr_scene": 98765,
            "qr_scene_str": "",
        }
        self.users[openid] = {**known, **fields}

    def close_window(self, openid: str) -> None:
        """Let customer-service messages to this user answer 45015: the last 48 hours brought nothing from them."""
        self.out_of_window.add(openid)

    def refuse_messages(self, openid: str) -> None:
        """Let template and subscription messages to this user answer 43101."""
        self.refusing.add(openid)

    def add_code(self, code: str, openid: str, scope: str = "snsapi_userinfo") -> None:
        """Let a code of a web page or a Mini Program stand for this user; any other stands for the first user."""
        self.codes[code] = (openid, scope)

    # --- for the topics ----------------------------------------------------------------------------------------------

    def get_user(self, openid: Any) -> dict[str, Any]:
        """Return a user, or refuse an OpenID that nobody has."""
        if not isinstance(openid, str) or openid not in self.users:
            raise Refusal(40003)
        return self.users[openid]

    def made(self, kind: str) -> dict[Any, Any]:
        """Return what calls have made of a *kind*, by its key: ``tags``, ``templates`` ..."""
        return self._made.setdefault(kind, {})

    def new_number(self) -> int:
        """Return a number that nothing else has."""
        return next(self._numbers)

    def new_name(self, prefix: str = "") -> str:
        """Return a name that nothing else has."""
        return prefix + secrets.token_urlsafe(32)

    def new_rid(self) -> str:
        """Return the number of a request, for WeChat's support."""
        return f"{int(self.clock()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def _value_of(token: Token | None) -> str | None:
    return token.value if token else None
