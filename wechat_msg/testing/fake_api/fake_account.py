"""State of the account of the fake API: access_tokens, users, media, and the objects that calls create."""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg.errors import SettingsError
from wechat_msg.testing.fake_api.access_tokens import ClassicAccessTokens, IssuedAccessToken, StableAccessTokens
from wechat_msg.testing.fake_api.publications import Publication
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import ErrcodeError
from wechat_msg.testing.fake_api.windows import ALLOWED, Windows, name_action

__all__ = ["ACCESS_TOKEN_QUOTA", "FakeAccount", "Media"]

#: How many times a day ``/cgi-bin/token`` may be called.
ACCESS_TOKEN_QUOTA = 2000

_MEDIA_KINDS = ("image", "voice", "video", "thumb")
_MEDIA_LIFETIME = 3 * 86400


@define
class Media:
    """An uploaded file."""

    kind: str
    filename: str
    content: bytes = field(repr=False)
    content_type: str
    created_at: int
    is_permanent: bool
    description: dict[str, Any] = field(factory=dict, repr=False)


class FakeAccount:
    """State of the account of the fake API. The topics read and change it; tests inspect it.

    Attributes:
        appid: AppID of the account.
        secret: AppSecret of the account.
        appkey: AppKey of virtual payment, for both environments.
        verified: Whether the account is verified (微信认证). If not, calls for verified accounts only return 48001.
        limits_messages: Whether the number and time of customer-service messages are limited (45047, 45015).
        url: URL of the server.
        classic: The access_tokens of ``/cgi-bin/token``.
        stable: The access_tokens of ``/cgi-bin/stable_token``.
        access_token_quota: Number of calls of ``/cgi-bin/token`` that are left before it returns 45009.
        allowed_ips: Addresses that may fetch access_tokens, others get 40164; None allows all.
        page_size: Number of OpenIDs on a page.
        users: Responses of ``user/info``, by OpenID.
        blacklist: OpenIDs, oldest first.
        refusing: OpenIDs, see `refuse_messages`.
        codes: OpenID and scope by code, see `add_code`.
        messages: Bodies of the accepted customer-service messages.
        media: The uploaded files, by media_id.
        publish_seconds: Seconds for which a publication is not finished (publish_status 1).
        publish_status: publish_status with which the next publications end: 0 published, 2, 3 or 4 failed.
        publications: The publications, by publish_id.
    """

    def __init__(self, appid: str, secret: str, clock: Callable[[], float], *, verified: bool) -> None:
        self.appid: str = appid
        self.secret: str = secret
        self.appkey: str = "fedcba9876543210fedcba9876543210"
        self.verified: bool = verified
        self.limits_messages: bool = True
        self.url: str = ""
        self._lock = threading.RLock()
        self._clock, self._ahead = clock, 0.0
        self.classic: ClassicAccessTokens = ClassicAccessTokens(self.clock)
        self.stable: StableAccessTokens = StableAccessTokens(self.clock)
        self.access_token_quota: int = ACCESS_TOKEN_QUOTA
        self.allowed_ips: set[str] | None = None
        self.page_size: int = 10_000
        self.users: dict[str, dict[str, Any]] = {}
        self.blacklist: list[str] = []
        self.refusing: set[str] = set()
        self._windows = Windows()
        self.codes: dict[str, tuple[str, str]] = {}
        self.messages: list[dict[str, Any]] = []
        self.media: dict[str, Media] = {}
        self.publish_seconds: float = 0.0
        self.publish_status: int = 0
        self.publications: dict[str, Publication] = {}
        self._created: dict[str, dict[Any, Any]] = {}
        self._numbers = itertools.count(1_000_000_001)
        self._add_examples()

    def _add_examples(self) -> None:
        for openid in ("oUSER", "oUSER2", "oUSER3"):
            self.add_user(openid)
        self.created("tags")[2] = {"id": 2, "name": "星标组"}
        self.add_template("订单通知", "TEMPLATE_ID")
        self.add_subscription_template("订单通知", "TEMPLATE_ID")

    # --- time --------------------------------------------------------------------------------------------------------

    def clock(self) -> float:
        """Return the time of the account, in seconds since the epoch."""
        return self._clock() + self._ahead

    @property
    def now(self) -> int:
        """Time of the account in whole seconds."""
        return int(self.clock())

    def advance(self, seconds: float) -> None:
        """Advance the time of the account, so that access_tokens age."""
        self._ahead += seconds

    # --- access_tokens -----------------------------------------------------------------------------------------------

    @property
    def access_token(self) -> str | None:
        """Latest access_token of ``/cgi-bin/token``; None if there is none."""
        return _value_of(self.classic.newest)

    @property
    def stable_access_token(self) -> str | None:
        """Latest access_token of ``/cgi-bin/stable_token``; None if there is none."""
        return _value_of(self.stable.newest)

    def expire_access_tokens(self) -> None:
        """Expire all access_tokens: calls with them return 42001 from now on."""
        with self._lock:
            self.classic.expire()
            self.stable.expire()

    def revoke_access_tokens(self, *, sticky: bool = False) -> None:
        """Reject all access_tokens: calls with them return 40001 from now on, as after a change of the AppSecret.

        Args:
            sticky: Whether ``/cgi-bin/stable_token`` keeps returning the rejected access_token until a forced refresh.
        """
        with self._lock:
            self.classic.reject()
            self.stable.reject()
            self.stable.is_sticky = sticky

    # --- users -------------------------------------------------------------------------------------------------------

    def add_user(self, openid: str, **fields: Any) -> None:
        """Add a follower who has just sent a message, or change a user.

        Args:
            openid: The user.
            fields: Members of the response of ``user/info``; ``subscribe=0`` if the user has stopped following.
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
            "subscribe_time": self.now,
            "unionid": f"union-{openid}",
            "remark": "",
            "groupid": 0,
            "tagid_list": [],
            "subscribe_scene": "ADD_SCENE_QR_CODE",
            "qr_scene": 98765,
            "qr_scene_str": "",
        }
        with self._lock:
            if openid not in self.users:
                self._windows.open(openid, "message", self.clock(), is_assumed=True)
            self.users[openid] = {**known, **fields}

    def open_window(self, openid: str, action: str = "message") -> None:
        """Simulate an action of a user that allows customer-service messages.

        A message of the user allows 5 within 48 hours; ``CLICK``, ``SCAN``, ``subscribe``, ``scancode_push`` and
        ``scancode_waitmsg`` allow 3 within a minute; ``user_enter_tempsession`` allows 2 within a minute. Further ones
        return 45047, later ones 45015. The numbers do not add up: a message counts against every open window.

        Args:
            openid: The user.
            action: ``message``, or the name of one of these events.

        Raises:
            SettingsError: *action* allows no messages.

        Source:
            https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
        """
        with self._lock:
            self._windows.open(openid, action, self.clock())

    def close_window(self, openid: str) -> None:
        """Forget the actions of a user: customer-service messages to the user return 45015."""
        with self._lock:
            self._windows.close(openid)

    def record_push(self, fields: Mapping[str, Any]) -> None:
        """Record the action of a user in a push; a `PushSimulator` with a fake API calls this for each push.

        A message or an action opens the user's window; ``subscribe`` and ``unsubscribe`` change whether the user
        follows. An unknown user is added.

        Args:
            fields: The push, by its wire names.
        """
        openid, action = fields.get("FromUserName"), name_action(fields)
        if not isinstance(openid, str) or action not in (*ALLOWED, "unsubscribe"):
            return
        with self._lock:
            if openid not in self.users or action in ("subscribe", "unsubscribe"):
                self.add_user(openid, subscribe=int(action != "unsubscribe"))
            if action in ALLOWED:
                self._windows.open(openid, action, self.clock())

    def refuse_messages(self, openid: str) -> None:
        """Refuse template and subscription messages to a user: they return 43101."""
        self.refusing.add(openid)

    def add_code(self, code: str, openid: str, scope: str = "snsapi_userinfo") -> None:
        """Set the user of a login code, on web pages and in Mini Programs. Other codes are those of the first user."""
        self.codes[code] = (openid, scope)

    # --- articles ----------------------------------------------------------------------------------------------------

    def make_publish_event(self, publish_id: str) -> dict[str, Any]:
        """Return the push of the event that reports the end of a publication, for `PushSimulator.push`.

        Args:
            publish_id: Id of the publication, from ``freepublish/submit``.

        Raises:
            SettingsError: There is no such publication.
        """
        with self._lock:
            if publish_id not in self.publications:
                raise SettingsError("publish_id is not that of a publication", hint="没有这个发布任务")
            info = self.publications[publish_id].to_json(self.clock())
        return {"MsgType": "event", "Event": "PUBLISHJOBFINISH", "PublishEventInfo": info}

    def add_comment(self, msg_data_id: int, openid: str, content: str, *, index: int | None = None) -> int:
        """Add a user's comment on an article; return its user_comment_id."""
        with self._lock:
            number = self.new_number()
            self.get_comments(msg_data_id, index)[number] = {
                "user_comment_id": number,
                "openid": openid,
                "create_time": self.now,
                "content": content,
                "comment_type": 0,
            }
        return number

    # --- templates ---------------------------------------------------------------------------------------------------

    def add_template(self, title: str, template_id: str = "") -> str:
        """Add a template of template messages; return its ID."""
        template_id = template_id or self.new_id()
        self.created("templates")[template_id] = {
            "template_id": template_id,
            "title": title,
            "primary_industry": "IT科技",
            "deputy_industry": "互联网|电子商务",
            "content": "商品名称:{{keyword1.DATA}}\n金额:{{keyword2.DATA}}",
            "example": "商品名称:面包\n金额:10元",
        }
        return template_id

    def add_subscription_template(self, title: str, template_id: str = "") -> str:
        """Add a template of subscription messages; return its ID."""
        template_id = template_id or self.new_id()
        self.created("subscription templates")[template_id] = {
            "priTmplId": template_id,
            "title": title,
            "content": "物品名称:{{thing1.DATA}}\n金额:{{amount2.DATA}}",
            "example": "物品名称:面包\n金额:10元",
            "type": 2,
            "keywordEnumValueList": [{"keywordCode": "enum_string3.DATA", "enumValueList": ["已发货", "已签收"]}],
        }
        return template_id

    # --- for the topics ----------------------------------------------------------------------------------------------

    def check_window(self, openid: str) -> None:
        """Check that the recent actions of a user allow a customer-service message."""
        if not self.limits_messages:
            return
        if not self.users[openid]["subscribe"]:
            raise ErrcodeError(45015)
        self._windows.check(openid, self.clock())

    def add_message(self, message: dict[str, Any]) -> None:
        """Store and count a customer-service message."""
        self.messages.append(message)
        self._windows.count(message["touser"], self.clock())

    def get_user(self, openid: Any) -> dict[str, Any]:
        """Return a user; raise 40003 if the OpenID is unknown."""
        if not isinstance(openid, str) or openid not in self.users:
            raise ErrcodeError(40003)
        return self.users[openid]

    def get_users(self, openids: Any, number: range) -> list[dict[str, Any]]:
        """Return users; raise 40032 if their number is not allowed."""
        if not isinstance(openids, list) or len(openids) not in number:
            raise ErrcodeError(40032)
        return [self.get_user(openid) for openid in openids]

    def get_media(self, media_id: Any) -> Media:
        """Return a file; raise 40007 if it is unknown or has expired."""
        media = self.media.get(media_id)
        if media is None or not (media.is_permanent or self.clock() < media.created_at + _MEDIA_LIFETIME):
            raise ErrcodeError(40007)
        return media

    def add_file(
        self,
        request: APIRequest,
        kind: str | None,
        *,
        is_permanent: bool = False,
        description: dict[str, Any] | None = None,
    ) -> str:
        """Store the file of a form; return its media_id."""
        if kind not in _MEDIA_KINDS:
            raise ErrcodeError(40004)
        filename, content, content_type = request.files.get("media", ("", b"", ""))
        if not filename:
            raise ErrcodeError(41005)
        if not content:
            raise ErrcodeError(44001)
        media_id = self.new_id()
        self.media[media_id] = Media(kind, filename, content, content_type, self.now, is_permanent, description or {})
        return media_id

    def get_comments(self, msg_data_id: Any, index: int | None) -> dict[int, dict[str, Any]]:
        """Return the comments on an article, by user_comment_id, oldest first."""
        found: dict[int, dict[str, Any]] = self.created("comments").setdefault((int(msg_data_id), index or 0), {})
        return found

    def url_of(self, media_id: str) -> str:
        """Return the URL of a file, which needs no access_token."""
        return f"{self.url}/fake/file?media_id={media_id}"

    def created(self, kind: str) -> dict[Any, Any]:
        """Return the objects of a *kind* that calls have created, by key: ``tags``, ``templates`` ..."""
        return self._created.setdefault(kind, {})

    def new_number(self) -> int:
        """Return a unique number."""
        return next(self._numbers)

    def new_id(self) -> str:
        """Return a unique id."""
        return secrets.token_urlsafe(32)

    def new_rid(self) -> str:
        """Return a unique rid, the id of a request for WeChat's support."""
        return f"{self.now:08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def _value_of(issued: IssuedAccessToken | None) -> str | None:
    return issued.value if issued else None
