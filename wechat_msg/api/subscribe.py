"""订阅消息: messages that users have subscribed to, of Mini Programs and of service accounts (订阅通知)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wechat_msg.api._arguments import (
    TemplateValue,
    as_list,
    as_mapping,
    optional_mapping,
    to_template_data,
    without_none,
    write_json,
)
from wechat_msg.api.call import Call, get, post
from wechat_msg.api.results import Member, Members, Result, ResultOf, no_result
from wechat_msg.errors import CallError
from wechat_msg.fields import content, integer, items, model, text, timestamp

__all__ = [
    "Category",
    "KeywordEnumValues",
    "NotifyInfo",
    "SentMessage",
    "SubscribeTemplate",
    "TemplateKeyword",
    "TemplateKeywords",
    "TemplateTitle",
    "TemplateTitlePage",
    "add_template",
    "delete_template",
    "get_user_notify",
    "list_categories",
    "list_template_keywords",
    "list_template_titles",
    "list_templates",
    "send",
    "send_biz",
    "set_user_notify",
    "set_user_notify_ext",
]


# --- messages --------------------------------------------------------------------------------------------------------


@model
class SentMessage(Result):
    """What is known of a message that was sent.

    Attributes:
        msgid: Its id; None: WeChat did not tell, as no page says that it does.
    """

    msgid: int | None = None


def send(
    touser: str,
    template_id: str,
    data: Mapping[str, TemplateValue],
    *,
    page: str | None = None,
    miniprogram_state: str | None = None,
    lang: str | None = None,
) -> Call[SentMessage]:
    """发送订阅消息: send a subscription message of a Mini Program.

    A place whose key begins with ``thing`` takes 20 characters; ``number`` 32 digits; ``letter`` 32 letters;
    ``symbol`` 5 symbols; ``character_string`` 32 digits, letters and symbols; ``time`` a time of 24 hours, with a date
    or without; ``date`` a date, with a time or without (spans of both with ``~``); ``amount`` a currency sign and 10
    digits, perhaps 元; ``phone_number`` 17 digits and symbols; ``car_number`` 8 characters; ``name`` 10 Chinese
    characters or 20 letters and symbols; ``phrase`` 5 Chinese characters; ``enum`` one of the values of the template.
    No line breaks. What does not fit is refused (47003).

    Args:
        touser: The user.
        template_id: The template.
        data: What its places are filled with, such as ``{"thing1": "拿铁", "time2": "15:01"}``.
        page: Page that a tap on the message opens, with its query.
        miniprogram_state: Version that is opened: ``developer``, ``trial`` or ``formal``.
        lang: ``zh_CN``, ``en_US``, ``zh_HK`` or ``zh_TW``.

    Raises:
        CallError: *data* is no mapping, or a value is neither text nor number nor mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html
    """
    body = without_none(
        touser=touser,
        template_id=template_id,
        page=page,
        miniprogram_state=miniprogram_state,
        lang=lang,
        data=to_template_data(data),
    )
    return post("/cgi-bin/message/subscribe/send", body, ResultOf(SentMessage))


def send_biz(
    touser: str,
    template_id: str,
    data: Mapping[str, TemplateValue],
    *,
    page: str | None = None,
    miniprogram: Mapping[str, str] | None = None,
) -> Call[SentMessage]:
    """发送订阅通知: send a subscription message of a service account.

    Args:
        touser: The user.
        template_id: The template.
        data: As for `send`.
        page: URL of the page that a tap on the message opens.
        miniprogram: Mini Program that a tap on the message opens, ``{"appid": ..., "pagepath": ...}``.

    Raises:
        CallError: *data* or *miniprogram* is no mapping, or a value is neither text nor number nor mapping.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
    """
    body = without_none(
        touser=touser,
        template_id=template_id,
        page=page,
        miniprogram=optional_mapping(miniprogram, "miniprogram"),
        data=to_template_data(data),
    )
    return post("/cgi-bin/message/subscribe/bizsend", body, ResultOf(SentMessage))


# --- the account's templates -----------------------------------------------------------------------------------------


@model
class KeywordEnumValues:
    """The values that a place of the kind ``enum`` takes.

    Attributes:
        keyword_code: Key of the place, such as ``enum_string1.DATA``.
        enum_value_list: The values.
    """

    keyword_code: str = text("keywordCode", default="")
    enum_value_list: tuple[str, ...] = items("enumValueList", str)


@model
class SubscribeTemplate:
    """A template of the account.

    Attributes:
        pri_tmpl_id: Its id, for `send`.
        title: Title.
        content: The wording, with places like ``{{thing1.DATA}}``.
        example: The wording, filled in.
        type: 2: for one message each time that the user agrees; 3: long-term.
        keyword_enum_value_list: The values of its places of the kind ``enum``.
    """

    pri_tmpl_id: str = text("priTmplId")
    title: str = ""
    content: str = ""
    example: str = ""
    type: int | None = None
    keyword_enum_value_list: tuple[KeywordEnumValues, ...] = items("keywordEnumValueList", KeywordEnumValues)


def add_template(tid: str, kid_list: Iterable[int], scene_desc: str) -> Call[str]:
    """选用模板: take a template from the library; the result is its priTmplId.

    Args:
        tid: Its title, from `list_template_titles`.
        kid_list: Its 2 to 5 keywords, from `list_template_keywords`, in order.
        scene_desc: What it is for; up to 15 characters.

    Raises:
        CallError: *kid_list* is not a list of numbers.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/addMessageTemplate.html
    """
    body = {"tid": str(tid), "kidList": _integers(kid_list, "kid_list"), "sceneDesc": scene_desc}
    return post("/wxaapi/newtmpl/addtemplate", body, Member("priTmplId", str))


def delete_template(pri_tmpl_id: str) -> Call[None]:
    """删除模板: remove a template from the account.

    Args:
        pri_tmpl_id: Its id.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/deleteMessageTemplate.html
    """
    return post("/wxaapi/newtmpl/deltemplate", {"priTmplId": pri_tmpl_id}, no_result)


def list_templates() -> Call[tuple[SubscribeTemplate, ...]]:
    """获取已有模板列表: list the account's templates.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/getMessageTemplateList.html
    """
    return get("/wxaapi/newtmpl/gettemplate", Members("data", SubscribeTemplate))


# --- the library of templates ----------------------------------------------------------------------------------------


@model
class Category:
    """A category of the account."""

    id: int
    name: str = ""


@model
class TemplateTitle:
    """A template of the library.

    Attributes:
        tid: Its id, for `list_template_keywords` and `add_template`.
        title: Title.
        type: 2: for one message each time that the user agrees; 3: long-term.
        category_id: Category that it belongs to.
    """

    tid: str
    title: str = ""
    type: int | None = None
    category_id: str | None = text("categoryId", default=None)


@model
class TemplateTitlePage(Result):
    """Some templates of the library.

    Attributes:
        count: How many there are in all.
        data: Those of this page.
    """

    count: int = 0
    data: tuple[TemplateTitle, ...] = items("data", TemplateTitle)


@model
class TemplateKeyword:
    """A keyword of a template of the library.

    Attributes:
        kid: Its number, for `add_template`.
        name: Name.
        example: Example of a value.
        rule: Kind of its values, such as ``thing``.
    """

    kid: int
    name: str = ""
    example: str = ""
    rule: str = ""


@model
class TemplateKeywords(Result):
    """The keywords of a template of the library: their `count`, and `data` with each of them."""

    count: int = 0
    data: tuple[TemplateKeyword, ...] = items("data", TemplateKeyword)


def list_categories() -> Call[tuple[Category, ...]]:
    """获取类目: list the account's categories.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/getCategory.html
    """
    return get("/wxaapi/newtmpl/getcategory", Members("data", Category))


def list_template_titles(ids: Iterable[int], start: int, limit: int) -> Call[TemplateTitlePage]:
    """获取所属类目下的公共模板: list templates of the library.

    Args:
        ids: Categories, from `list_categories`.
        start: How many to leave out from the beginning.
        limit: How many to list; 30 at most.

    Raises:
        CallError: *ids* is not a list of numbers.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/getPubTemplateTitleList.html
    """
    joined = ",".join(map(str, _integers(ids, "ids")))
    return get(
        "/wxaapi/newtmpl/getpubtemplatetitles", ResultOf(TemplateTitlePage), ids=joined, start=start, limit=limit
    )


def list_template_keywords(tid: str) -> Call[TemplateKeywords]:
    """获取关键词列表: list the keywords of a template of the library.

    Args:
        tid: The template, from `list_template_titles`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/getPubTemplateKeyWordsById.html
    """
    return get("/wxaapi/newtmpl/getpubtemplatekeywords", ResultOf(TemplateKeywords), tid=tid)


def _integers(values: Iterable[int], name: str) -> list[int]:
    listed = as_list(values, name)
    if not all(isinstance(value, int) for value in listed):
        raise CallError(f"{name} must be a list of numbers")
    return listed


# --- service cards ---------------------------------------------------------------------------------------------------


@model
class NotifyInfo:
    """A service card (服务卡片).

    Attributes:
        notify_type: Kind of the card.
        content_json: What it shows, as JSON text; no repr shows it.
        code_state: State of its notify_code, a number.
        code_expire_time: When that ends, in seconds since the epoch.
    """

    notify_type: int
    content_json: str = content("content_json", default="")
    code_state: int | None = integer("code_state", default=None)
    code_expire_time: int | None = timestamp("code_expire_time", default=None)


def set_user_notify(
    openid: str,
    notify_type: int,
    notify_code: str,
    content_json: str | Mapping[str, Any],
    *,
    check_json: str | Mapping[str, Any] | None = None,
) -> Call[None]:
    """激活与更新服务卡片: show a service card to a user of a Mini Program, or change what it shows.

    Args:
        openid: The user.
        notify_type: Kind of the card.
        notify_code: Code that the Mini Program's client got for this card.
        content_json: What it shows; a mapping is written as JSON.
        check_json: What WeChat checks before; a mapping is written as JSON.

    Raises:
        CallError: *content_json* or *check_json* is neither text nor mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/setUserNotify.html
    """
    body = without_none(
        openid=openid,
        notify_type=notify_type,
        notify_code=notify_code,
        content_json=_json_text(content_json, "content_json"),
        check_json=None if check_json is None else _json_text(check_json, "check_json"),
    )
    return post("/wxa/set_user_notify", body, no_result)


def set_user_notify_ext(
    openid: str, notify_type: int, notify_code: str, ext_json: str | Mapping[str, Any]
) -> Call[None]:
    """更新服务卡片扩展信息: add to what a service card shows.

    Args:
        openid: The user.
        notify_type: Kind of the card.
        notify_code: As for `set_user_notify`.
        ext_json: What to add; a mapping is written as JSON.

    Raises:
        CallError: *ext_json* is neither text nor mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/setUserNotifyExt.html
    """
    body = {
        "openid": openid,
        "notify_type": notify_type,
        "notify_code": notify_code,
        "ext_json": _json_text(ext_json, "ext_json"),
    }
    return post("/wxa/set_user_notifyext", body, no_result)


def get_user_notify(openid: str, notify_type: int, notify_code: str) -> Call[NotifyInfo]:
    """查询服务卡片状态: tell what a service card shows.

    Args:
        openid: The user.
        notify_type: Kind of the card.
        notify_code: As for `set_user_notify`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/getUserNotify.html
    """
    body = {"openid": openid, "notify_type": notify_type, "notify_code": notify_code}
    return post("/wxa/get_user_notify", body, Member("notify_info", NotifyInfo), is_repeatable=True)


def _json_text(value: str | Mapping[str, Any], name: str) -> str:
    return value if isinstance(value, str) else write_json(as_mapping(value, name), name)
