"""自定义菜单: the menu of an Official Account, and conditional menus for some of its users (个性化菜单)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, TypeVar, dataclass_transform

import attrs

from wechat_msg.api._arguments import as_list, without_none
from wechat_msg.api.call import Call, post
from wechat_msg.api.call import get as get_call
from wechat_msg.api.results import Member, Result, ResultOf, no_result
from wechat_msg.errors import CallError
from wechat_msg.fields import UnreadableField, build, integer, items, model, nested

__all__ = [
    "ArticleIdButton",
    "ArticleViewLimitedButton",
    "Button",
    "ClickButton",
    "ConditionalMenu",
    "CurrentMenu",
    "ImgButton",
    "LocationSelectButton",
    "MatchRule",
    "MediaIdButton",
    "Menu",
    "Menus",
    "MiniProgramButton",
    "NewsButton",
    "ParentButton",
    "PicPhotoOrAlbumButton",
    "PicSysPhotoButton",
    "PicWeixinButton",
    "ScanCodePushButton",
    "ScanCodeWaitMsgButton",
    "SelfMenuInfo",
    "TextButton",
    "UnknownButton",
    "VideoButton",
    "ViewButton",
    "ViewLimitedButton",
    "VoiceButton",
    "add_conditional",
    "create",
    "delete",
    "delete_conditional",
    "get",
    "get_current",
    "try_match",
]

B = TypeVar("B", bound="Button")


# --- buttons ---------------------------------------------------------------------------------------------------------


@model
class Button:
    """Base class of buttons.

    Attributes:
        name: Label, up to 16 bytes of UTF-8, or 60 in a submenu.
    """

    type: ClassVar[str] = ""

    name: str

    def to_json(self) -> dict[str, Any]:
        """Return the button in the form of WeChat's API."""
        return without_none(type=self.type, **_members(self))


Buttons = Iterable[Button | Mapping[str, Any]]
"""Buttons, each a `Button` or a mapping in the form of WeChat's API."""


def _members(instance: Any) -> dict[str, Any]:
    return attrs.asdict(instance, recurse=False)


_BUTTONS: dict[str, type[Button]] = {}


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(attrs.field,))
def _button(kind: str) -> Callable[[type[B]], type[B]]:
    """Register a class for buttons of the type *kind*."""

    def register(cls: type[B]) -> type[B]:
        _BUTTONS[kind] = cls = model(cls)
        cls.type = kind
        return cls

    return register


@model
class _KeyButton(Button):
    key: str


@_button("click")
class ClickButton(_KeyButton):
    """点击推事件: causes a `wechat_msg.ClickEvent` with `key`, which has up to 128 bytes."""


@_button("scancode_push")
class ScanCodePushButton(_KeyButton):
    """扫码推事件: scans a code, opens it, and causes a `wechat_msg.ScanCodePushEvent`."""


@_button("scancode_waitmsg")
class ScanCodeWaitMsgButton(_KeyButton):
    """扫码带提示: scans a code and causes a `wechat_msg.ScanCodeWaitMsgEvent`, while the user waits for the reply."""


@_button("pic_sysphoto")
class PicSysPhotoButton(_KeyButton):
    """系统拍照发图: takes photos and causes a `wechat_msg.PicSysPhotoEvent`."""


@_button("pic_photo_or_album")
class PicPhotoOrAlbumButton(_KeyButton):
    """拍照或者相册发图: takes or selects photos and causes a `wechat_msg.PicPhotoOrAlbumEvent`."""


@_button("pic_weixin")
class PicWeixinButton(_KeyButton):
    """微信相册发图: selects photos from WeChat's album and causes a `wechat_msg.PicWeixinEvent`."""


@_button("location_select")
class LocationSelectButton(_KeyButton):
    """发送位置: selects a place and causes a `wechat_msg.LocationSelectEvent`."""


@_button("view")
class ViewButton(Button):
    """跳转 URL: opens the web page `url`, which has up to 1,024 bytes."""

    url: str


@_button("miniprogram")
class MiniProgramButton(Button):
    """跳转小程序: opens a Mini Program.

    Attributes:
        url: Web page that opens if WeChat is too old for Mini Programs; up to 1,024 bytes.
        appid: AppID of the Mini Program, which must be linked to the account.
        pagepath: Page of the Mini Program.
    """

    url: str
    appid: str
    pagepath: str


@_button("media_id")
class MediaIdButton(Button):
    """下发消息: sends a permanent material."""

    media_id: str


@_button("view_limited")
class ViewLimitedButton(Button):
    """跳转图文消息 URL: opens a permanent material that is an article."""

    media_id: str


@_button("article_id")
class ArticleIdButton(Button):
    """下发图文消息: sends a published article."""

    article_id: str


@_button("article_view_limited")
class ArticleViewLimitedButton(Button):
    """跳转已发布图文 URL: opens a published article."""

    article_id: str


@model
class _ValueButton(Button):
    value: str = ""


@_button("text")
class TextButton(_ValueButton):
    """Button made in the console that sends the text `value`."""


@_button("img")
class ImgButton(_ValueButton):
    """Button made in the console that sends an image; `value` is its media id."""


@_button("voice")
class VoiceButton(_ValueButton):
    """Button made in the console that sends a voice message; `value` is its media id."""


@_button("video")
class VideoButton(_ValueButton):
    """Button made in the console that sends a video; `value` is its download URL."""


@_button("news")
class NewsButton(_ValueButton):
    """Button made in the console that sends articles.

    Attributes:
        value: Media id of the articles.
        news_info: The articles, as received: ``{"list": [...]}``.
    """

    news_info: Mapping[str, Any] | None = None


@model
class UnknownButton(Button):
    """Button of an unknown type; it is sent as it was received, in `raw`."""

    name: str = ""
    raw: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return the button as it was received."""
        return dict(self.raw)


def _list_buttons(values: Any) -> list[Any]:
    """Return the items of a list, or of ``{"list": [...]}``, as some responses have it."""
    found: Any = values.get("list") if isinstance(values, Mapping) else values
    return as_list(found, "buttons")


def _as_buttons(values: Buttons) -> tuple[Button, ...]:
    return tuple(value if isinstance(value, Button) else _read_button(value) for value in _list_buttons(values))


@_button("")
class ParentButton(Button):
    """A button that opens a submenu.

    Attributes:
        name: Label, up to 16 bytes of UTF-8.
        sub_button: Up to 5 buttons, from top to bottom; a `ParentButton` is not allowed.
    """

    sub_button: Sequence[Button] = attrs.field(converter=_as_buttons)

    def to_json(self) -> dict[str, Any]:
        """Return the button in the form of WeChat's API."""
        return {"name": self.name, "sub_button": [button.to_json() for button in self.sub_button]}


def _read_button(value: object) -> Button:
    members = _check_mapping(value)
    with suppress(KeyError, UnreadableField):
        return build(_BUTTONS[members.get("type", "")], members)
    return UnknownButton(name=str(members.get("name", "")), raw=members)


def _check_mapping(button: object) -> Mapping[str, Any]:
    if not isinstance(button, Mapping):
        raise CallError(f"a button must be a Button or a mapping, not {type(button).__name__}（按钮应为映射）")
    return button


# --- menus -----------------------------------------------------------------------------------------------------------


@model
class MatchRule:
    """Condition for a conditional menu; a user must match all attributes that are not None.

    Attributes:
        tag_id: Tag of the user.
        client_platform_type: Operating system of the user: 1 is iOS, 2 is Android, 3 is another one.
    """

    tag_id: int | None = None
    client_platform_type: int | None = None

    def to_json(self) -> dict[str, str]:
        """Return the rule in the form of WeChat's API."""
        return {name: str(value) for name, value in without_none(**_members(self)).items()}


@model
class Menu:
    """The menu for all users.

    Attributes:
        button: Buttons, from left to right.
        menuid: Id of the menu; None if there are no conditional menus.
    """

    button: Sequence[Button] = attrs.field(default=(), converter=_as_buttons)
    menuid: str | None = None


@model
class ConditionalMenu(Menu):
    """A menu for the users who match `matchrule`."""

    matchrule: MatchRule | None = nested("matchrule", MatchRule, default=None)


@model
class Menus(Result):
    """All menus created by API.

    Attributes:
        menu: The menu for all users.
        conditionalmenu: The conditional menus, newest first.
    """

    menu: Menu | None = nested("menu", Menu, default=None)
    conditionalmenu: tuple[ConditionalMenu, ...] = items("conditionalmenu", ConditionalMenu)


@model
class SelfMenuInfo:
    """Content of the current menu: `button` lists its buttons, from left to right."""

    button: Sequence[Button] = attrs.field(default=(), converter=_as_buttons)


@model
class CurrentMenu(Result):
    """The current menu, created by API or in the console.

    Attributes:
        is_menu_open: 1 if the menu is shown, else 0.
        selfmenu_info: The menu.
    """

    is_menu_open: int = integer("is_menu_open", default=0)
    selfmenu_info: SelfMenuInfo = nested("selfmenu_info", SelfMenuInfo, factory=SelfMenuInfo)


Body = Buttons | Menu | Mapping[str, Any]
"""A menu: its buttons, a `Menu`, or a body as on WeChat's page, ``{"button": [...]}``."""


def create(buttons: Body) -> Call[None]:
    """创建自定义菜单: create the menu of the account, or replace it.

    Users see it when they open the account again, or after 5 minutes.

    Args:
        buttons: Up to 3 buttons, from left to right; a mapping is sent as it is. Or a body as on WeChat's page,
            ``{"button": [...]}``. Or the result of `get`, as a `Menu` or as ``{"menu": {...}}``; its conditional menus
            are ignored.

    Raises:
        CallError: *buttons* is something else, has an item that is not a button, or has a ``matchrule``.

    Example:
        >>> call = create([
        ...     ClickButton(name="今日歌曲", key="MUSIC"),
        ...     ParentButton(name="更多", sub_button=[ViewButton(name="官网", url="https://example.com/")]),
        ... ])
        >>> call.json["button"][1]
        {'name': '更多', 'sub_button': [{'type': 'view', 'name': '官网', 'url': 'https://example.com/'}]}
        >>> create({"button": [{"type": "click", "name": "今日歌曲", "key": "MUSIC"}]}).json
        {'button': [{'type': 'click', 'name': '今日歌曲', 'key': 'MUSIC'}]}

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html
    """
    body = _to_body(buttons)
    if "matchrule" in body:
        raise CallError("buttons has a matchrule: use add_conditional（个性化菜单请用 add_conditional）")
    return post("/cgi-bin/menu/create", body, no_result, is_repeatable=True)


def get() -> Call[Menus]:
    """获取自定义菜单配置: get all menus created by API; sending the call raises if there is none (46003).

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Getting_Custom_Menu_Configurations.html
    """
    return get_call("/cgi-bin/menu/get", ResultOf(Menus))


def delete() -> Call[None]:
    """删除自定义菜单: delete the menu and all conditional menus.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Deleting_Custom-Defined_Menu.html
    """
    return Call("GET", "/cgi-bin/menu/delete", no_result)


def get_current() -> Call[CurrentMenu]:
    """查询自定义菜单信息: get the current menu, created by API or in the console.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Querying_Custom_Menus.html
    """
    return get_call("/cgi-bin/get_current_selfmenu_info", ResultOf(CurrentMenu))


# --- conditional menus -----------------------------------------------------------------------------------------------


def add_conditional(buttons: Body, match_rule: MatchRule | Mapping[str, Any] | None = None) -> Call[str]:
    """创建个性化菜单: create a menu for some users. The result is its menuid.

    A menu for all users must exist. A user who matches several menus sees the newest. Conditional menus cannot be
    changed.

    Args:
        buttons: As for `create`, but links to at most 3 domains (65316). A body may have a ``matchrule``.
        match_rule: The condition; a mapping is sent as it is. None if *buttons* has a ``matchrule``.

    Raises:
        CallError: *buttons* is invalid, as for `create`; or the rule is missing, given twice or something else.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Personalized_menu_interface.html
    """
    body = _to_body(buttons)
    if ("matchrule" in body) == (match_rule is not None):
        raise CallError(
            "match_rule must be given once: as the argument, or as the matchrule of the body",
            hint="match_rule 只能给出一次：作为参数，或写在 matchrule 中",
        )
    rule = _rule_to_json(body.get("matchrule", match_rule))
    return post("/cgi-bin/menu/addconditional", body | {"matchrule": rule}, Member("menuid", str))


def delete_conditional(menuid: str) -> Call[None]:
    """删除个性化菜单: delete a conditional menu.

    Args:
        menuid: Id of the menu.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Personalized_menu_interface.html
    """
    return post("/cgi-bin/menu/delconditional", {"menuid": str(menuid)}, no_result)


def try_match(user_id: str) -> Call[tuple[Button, ...]]:
    """测试个性化菜单匹配结果: get the buttons that a user sees.

    Args:
        user_id: OpenID or WeChat id of a follower.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Personalized_menu_interface.html
    """
    return post("/cgi-bin/menu/trymatch", {"user_id": user_id}, _read_buttons, is_repeatable=True)


def _to_body(menu: Any) -> dict[str, Any]:
    """Return the body of a menu: its buttons, and its ``matchrule`` if it has one."""
    if isinstance(menu, Menu):
        return without_none(button=_to_json(menu.button), matchrule=getattr(menu, "matchrule", None))
    if not isinstance(menu, Mapping):
        return {"button": _to_json(menu)}
    body = menu.get("menu", menu)
    if not isinstance(body, Mapping) or "button" not in body:
        raise CallError(
            'buttons must be a list of buttons, or a body such as {"button": [...]}（buttons 应为按钮列表或请求体）'
        )
    return without_none(button=_to_json(body["button"]), matchrule=body.get("matchrule"))


def _to_json(buttons: Any) -> list[dict[str, Any]]:
    return [_button_to_json(button) for button in _list_buttons(buttons)]


def _button_to_json(button: object) -> dict[str, Any]:
    """Return a button in the form of WeChat's API, with all members of a mapping."""
    if isinstance(button, Button):
        return button.to_json()
    members = dict(_check_mapping(button))
    return members | ({"sub_button": _to_json(members["sub_button"])} if "sub_button" in members else {})


def _rule_to_json(rule: object) -> dict[str, Any]:
    if isinstance(rule, MatchRule):
        return rule.to_json()
    if isinstance(rule, Mapping):
        return dict(rule)
    raise CallError("match_rule must be a MatchRule or a mapping（match_rule 应为映射）")


def _read_buttons(answer: Mapping[str, Any]) -> tuple[Button, ...]:
    return _as_buttons(answer["button"])
