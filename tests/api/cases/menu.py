"""Cases of menu."""

from __future__ import annotations

from typing import Any

from tests.api.cases.case import Case
from wechat_msg.api import menu

#: Every kind of button, and how WeChat has it.
BUTTONS: list[tuple[menu.Button, dict[str, Any]]] = [
    (menu.ClickButton(name="歌曲", key="K"), {"type": "click", "name": "歌曲", "key": "K"}),
    (menu.ScanCodePushButton(name="扫", key="K"), {"type": "scancode_push", "name": "扫", "key": "K"}),
    (menu.ScanCodeWaitMsgButton(name="等", key="K"), {"type": "scancode_waitmsg", "name": "等", "key": "K"}),
    (menu.PicSysPhotoButton(name="拍", key="K"), {"type": "pic_sysphoto", "name": "拍", "key": "K"}),
    (menu.PicPhotoOrAlbumButton(name="选", key="K"), {"type": "pic_photo_or_album", "name": "选", "key": "K"}),
    (menu.PicWeixinButton(name="相册", key="K"), {"type": "pic_weixin", "name": "相册", "key": "K"}),
    (menu.LocationSelectButton(name="位置", key="K"), {"type": "location_select", "name": "位置", "key": "K"}),
    (menu.ViewButton(name="搜索", url="URL"), {"type": "view", "name": "搜索", "url": "URL"}),
    (
        menu.MiniProgramButton(name="小程序", url="URL", appid="wxMINI", pagepath="pages/a"),
        {"type": "miniprogram", "name": "小程序", "url": "URL", "appid": "wxMINI", "pagepath": "pages/a"},
    ),
    (menu.MediaIdButton(name="图片", media_id="M"), {"type": "media_id", "name": "图片", "media_id": "M"}),
    (menu.ViewLimitedButton(name="图文", media_id="M"), {"type": "view_limited", "name": "图文", "media_id": "M"}),
    (menu.ArticleIdButton(name="发布", article_id="A"), {"type": "article_id", "name": "发布", "article_id": "A"}),
    (
        menu.ArticleViewLimitedButton(name="发布", article_id="A"),
        {"type": "article_view_limited", "name": "发布", "article_id": "A"},
    ),
    (menu.TextButton(name="文字", value="你好"), {"type": "text", "name": "文字", "value": "你好"}),
    (menu.ImgButton(name="图片", value="M"), {"type": "img", "name": "图片", "value": "M"}),
    (menu.VoiceButton(name="语音", value="M"), {"type": "voice", "name": "语音", "value": "M"}),
    (menu.VideoButton(name="视频", value="URL"), {"type": "video", "name": "视频", "value": "URL"}),
    (
        menu.NewsButton(name="图文", value="M", news_info={"list": [{"title": "标题"}]}),
        {"type": "news", "name": "图文", "value": "M", "news_info": {"list": [{"title": "标题"}]}},
    ),
    (
        menu.UnknownButton(name="新", raw={"type": "new_kind", "name": "新", "new_field": 1}),
        {"type": "new_kind", "name": "新", "new_field": 1},
    ),
    (
        menu.ParentButton(name="菜单", sub_button=[menu.ViewButton(name="搜索", url="URL")]),
        {"name": "菜单", "sub_button": [{"type": "view", "name": "搜索", "url": "URL"}]},
    ),
    (menu.ParentButton(name="空", sub_button=[]), {"name": "空", "sub_button": []}),
]
CLICK, CLICK_JSON = BUTTONS[0]
VIEW, VIEW_JSON = BUTTONS[7]
PARENT, PARENT_JSON = BUTTONS[-2]

CASES = [
    *(
        Case("menu.create", menu.create([button]), "POST", "/cgi-bin/menu/create", json={"button": [wire]})
        for button, wire in BUTTONS
    ),
    Case(
        "menu.create",
        menu.create((CLICK, PARENT)),
        "POST",
        "/cgi-bin/menu/create",
        json={"button": [CLICK_JSON, PARENT_JSON]},
    ),
    Case(
        "menu.get",
        menu.get(),
        "GET",
        "/cgi-bin/menu/get",
        answer={
            "menu": {"button": [{**CLICK_JSON, "sub_button": []}, PARENT_JSON], "menuid": 208396938},
            "conditionalmenu": [
                {
                    "button": [VIEW_JSON],
                    "matchrule": {"tag_id": "2", "client_platform_type": "1"},
                    "menuid": 208396993,
                }
            ],
        },
        result=menu.Menus(
            menu=menu.Menu(button=[CLICK, PARENT], menuid="208396938"),
            conditionalmenu=(
                menu.ConditionalMenu(
                    button=[VIEW],
                    matchrule=menu.MatchRule(tag_id=2, client_platform_type=1),
                    menuid="208396993",
                ),
            ),
        ),
    ),
    Case(
        "menu.get",
        menu.get(),
        "GET",
        "/cgi-bin/menu/get",
        answer={"menu": {"button": [wire for _, wire in BUTTONS]}},
        result=menu.Menus(menu=menu.Menu(button=[button for button, _ in BUTTONS])),
    ),
    Case("menu.delete", menu.delete(), "GET", "/cgi-bin/menu/delete"),
    Case(
        "menu.get_current",
        menu.get_current(),
        "GET",
        "/cgi-bin/get_current_selfmenu_info",
        answer={
            "is_menu_open": 1,
            "selfmenu_info": {"button": [CLICK_JSON, {"name": "菜单", "sub_button": {"list": [VIEW_JSON]}}]},
        },
        result=menu.CurrentMenu(is_menu_open=1, selfmenu_info=menu.SelfMenuInfo(button=[CLICK, PARENT])),
    ),
    Case(
        "menu.get_current",
        menu.get_current(),
        "GET",
        "/cgi-bin/get_current_selfmenu_info",
        answer={"is_menu_open": 0},
        result=menu.CurrentMenu(),
    ),
    Case(
        "menu.add_conditional",
        menu.add_conditional([VIEW], menu.MatchRule(tag_id=2, client_platform_type=2)),
        "POST",
        "/cgi-bin/menu/addconditional",
        json={"button": [VIEW_JSON], "matchrule": {"tag_id": "2", "client_platform_type": "2"}},
        answer={"menuid": "208379533"},
        result="208379533",
    ),
    Case(
        "menu.add_conditional",
        menu.add_conditional([VIEW], menu.MatchRule(tag_id=2)),
        "POST",
        "/cgi-bin/menu/addconditional",
        json={"button": [VIEW_JSON], "matchrule": {"tag_id": "2"}},
        answer={"menuid": 208379533},
        result="208379533",
    ),
    Case(
        "menu.delete_conditional",
        menu.delete_conditional("208379533"),
        "POST",
        "/cgi-bin/menu/delconditional",
        json={"menuid": "208379533"},
    ),
    Case(
        "menu.try_match",
        menu.try_match("weixin"),
        "POST",
        "/cgi-bin/menu/trymatch",
        json={"user_id": "weixin"},
        answer={"button": [{**VIEW_JSON, "sub_button": []}, PARENT_JSON]},
        result=(VIEW, PARENT),
    ),
]
