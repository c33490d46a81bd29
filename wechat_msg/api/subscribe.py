"""订阅消息: subscription messages of Mini Programs and of service accounts (订阅通知)."""

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
    """A sent message.

    Attributes:
        msgid: Id of the message; None if WeChat does not return it, which no page documents.
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

    The key of a value limits it: ``thing`` to 20 characters; ``number`` to 32 digits; ``letter`` to 32 letters;
    ``symbol`` to 5 symbols; ``character_string`` to 32 digits, letters and symbols; ``time`` to a 24-hour time, with or
    without a date; ``date`` to a date, with or without a time (both may be ranges with ``~``); ``amount`` to a currency
    sign and 10 digits, optionally with 元; ``phone_number`` to 17 digits and symbols; ``car_number`` to 8 characters;
    ``name`` to 10 Chinese characters or 20 letters and symbols; ``phrase`` to 5 Chinese characters; ``enum`` to the
    values of the template. Line breaks are not allowed. WeChat refuses other values (47003).

    Args:
        touser: The user.
        template_id: The template.
        data: Values by key, such as ``{"thing1": "拿铁", "time2": "15:01"}``.
        page: Page that a tap on the message opens, with its query.
        miniprogram_state: Version that opens: ``developer``, ``trial`` or ``formal``.
        lang: ``zh_CN``, ``en_US``, ``zh_HK`` or ``zh_TW``.

    Raises:
        CallError: *data* is not a mapping, or a value is not a text, a number or a mapping.

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
        CallError: *data* or *miniprogram* is not a mapping, or a value is not a text, a number or a mapping.

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
    """Allowed values of a key of the type ``enum``.

    Attributes:
        keyword_code: The key, such as ``enum_string1.DATA``.
        enum_value_list: The values.
    """

    keyword_code: str = text("keywordCode", default="")
    enum_value_list: tuple[str, ...] = items("enumValueList", str)


@model
class SubscribeTemplate:
    """A template of the account.

    Attributes:
        pri_tmpl_id: Id of the template, for `send`.
        title: Title.
        content: Text with keys such as ``{{thing1.DATA}}``.
        example: Text with example values.
        type: 2 if each consent of the user allows one message; 3 if the subscription is long-term.
        keyword_enum_value_list: Allowed values of its keys of the type ``enum``.
    """

    pri_tmpl_id: str = text("priTmplId")
    title: str = ""
    content: str = ""
    example: str = ""
    type: int | None = None
    keyword_enum_value_list: tuple[KeywordEnumValues, ...] = items("keywordEnumValueList", KeywordEnumValues)


def add_template(tid: str, kid_list: Iterable[int], scene_desc: str) -> Call[str]:
    """选用模板: add a template of the library to the account; the result is its priTmplId.

    Args:
        tid: Id of the template in the library, from `list_template_titles`.
        kid_list: Ids of 2 to 5 keywords, from `list_template_keywords`, in order.
        scene_desc: Purpose, up to 15 characters.

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
        pri_tmpl_id: Id of the template.

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
    """A category (类目) of the account."""

    id: int
    name: str = ""


@model
class TemplateTitle:
    """A template of the library.

    Attributes:
        tid: Id of the template, for `list_template_keywords` and `add_template`.
        title: Title.
        type: As in `SubscribeTemplate`.
        category_id: Id of its category.
    """

    tid: str
    title: str = ""
    type: int | None = None
    category_id: str | None = text("categoryId", default=None)


@model
class TemplateTitlePage(Result):
    """One page of templates of the library.

    Attributes:
        count: Number of templates on all pages.
        data: The templates of this page.
    """

    count: int = 0
    data: tuple[TemplateTitle, ...] = items("data", TemplateTitle)


@model
class TemplateKeyword:
    """A keyword of a template of the library.

    Attributes:
        kid: Id of the keyword, for `add_template`.
        name: Name.
        example: Example value.
        rule: Type of its values, such as ``thing``.
    """

    kid: int
    name: str = ""
    example: str = ""
    rule: str = ""


@model
class TemplateKeywords(Result):
    """The keywords of a template of the library: `count` is their number, `data` the keywords."""

    count: int = 0
    data: tuple[TemplateKeyword, ...] = items("data", TemplateKeyword)


def list_categories() -> Call[tuple[Category, ...]]:
    """获取类目: list the account's categories.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/getCategory.html
    """
    return get("/wxaapi/newtmpl/getcategory", Members("data", Category))


def list_template_titles(ids: Iterable[int], start: int, limit: int) -> Call[TemplateTitlePage]:
    """获取所属类目下的公共模板: list one page of templates of the library.

    Args:
        ids: Ids of categories, from `list_categories`.
        start: Number of templates to skip.
        limit: Number of templates to list, 30 at most.

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
        tid: Id of the template, from `list_template_titles`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/getPubTemplateKeyWordsById.html
    """
    return get("/wxaapi/newtmpl/getpubtemplatekeywords", ResultOf(TemplateKeywords), tid=tid)


def _integers(values: Iterable[int], name: str) -> list[int]:
    listed = as_list(values, name)
    if not all(isinstance(value, int) for value in listed):
        raise CallError(f"{name} must be a list of numbers（{name} 应为数字的列表）")
    return listed


# --- service cards ---------------------------------------------------------------------------------------------------


@model
class NotifyInfo:
    """A service card (服务卡片).

    Attributes:
        notify_type: Type of the card.
        content_json: Content of the card, as JSON. No repr shows it.
        code_state: State of its notify_code, a number.
        code_expire_time: Expiry of its notify_code, in seconds since the epoch.
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
    """激活与更新服务卡片: show a service card to a user of a Mini Program, or update it.

    Args:
        openid: The user.
        notify_type: Type of the card.
        notify_code: Code that the Mini Program's client got for this card.
        content_json: Content of the card, as JSON or a mapping.
        check_json: Data that WeChat checks first, as JSON or a mapping.

    Raises:
        CallError: *content_json* or *check_json* is neither a text nor a mapping.

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
    """更新服务卡片扩展信息: update the extension of a service card.

    Args:
        openid: The user.
        notify_type: Type of the card.
        notify_code: As for `set_user_notify`.
        ext_json: The extension, as JSON or a mapping.

    Raises:
        CallError: *ext_json* is neither a text nor a mapping.

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
    """查询服务卡片状态: get a service card.

    Args:
        openid: The user.
        notify_type: Type of the card.
        notify_code: As for `set_user_notify`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/getUserNotify.html
    """
    body = {"openid": openid, "notify_type": notify_type, "notify_code": notify_code}
    return post("/wxa/get_user_notify", body, Member("notify_info", NotifyInfo), is_repeatable=True)


def _json_text(value: str | Mapping[str, Any], name: str) -> str:
    return value if isinstance(value, str) else write_json(as_mapping(value, name), name)
