"""模板消息: template messages of a service account, and one-time subscription messages (一次性订阅消息)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wechat_msg.api._arguments import (
    TemplateValue,
    optional_mapping,
    texts,
    to_template_data,
    without_none,
    write_query,
)
from wechat_msg.api.call import Call, get, post
from wechat_msg.api.results import Member, Members, Result, ResultOf, no_result
from wechat_msg.fields import model, nested

__all__ = [
    "Industries",
    "Industry",
    "Template",
    "add_template",
    "delete_template",
    "get_industry",
    "list_templates",
    "make_subscribe_url",
    "query_blocked",
    "send",
    "send_one_time",
    "set_industry",
]


# --- industries and templates ----------------------------------------------------------------------------------------


@model
class Industry:
    """An industry: `first_class` is its sector, `second_class` the industry in it."""

    first_class: str = ""
    second_class: str = ""


@model
class Industries(Result):
    """Industries of the account.

    Attributes:
        primary_industry: The main industry; None if it is not set.
        secondary_industry: The second industry; None if it is not set.
    """

    primary_industry: Industry | None = nested("primary_industry", Industry, default=None)
    secondary_industry: Industry | None = nested("secondary_industry", Industry, default=None)


@model
class Template:
    """A template of the account.

    Attributes:
        template_id: Id of the template, for `send`.
        title: Title.
        primary_industry: Sector of its industry.
        deputy_industry: Its industry in that sector.
        content: Text with keys such as ``{{keyword1.DATA}}``.
        example: Text with example values.
    """

    template_id: str
    title: str = ""
    primary_industry: str = ""
    deputy_industry: str = ""
    content: str = ""
    example: str = ""


def set_industry(industry_id1: str, industry_id2: str) -> Call[None]:
    """设置所属行业: set the industries of the account, once a month. A change removes templates.

    Args:
        industry_id1: Number of the main industry, as text: ``"1"``.
        industry_id2: Number of the second industry.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """
    body = {"industry_id1": str(industry_id1), "industry_id2": str(industry_id2)}
    return post("/cgi-bin/template/api_set_industry", body, no_result)


def get_industry() -> Call[Industries]:
    """获取设置的行业信息: get the industries of the account.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """
    return get("/cgi-bin/template/get_industry", ResultOf(Industries))


def add_template(template_id_short: str, *, keyword_name_list: Iterable[str] | None = None) -> Call[str]:
    """获得模板 ID: add a template of the library to the account, which has 25 at most. The result is its template_id.

    Args:
        template_id_short: Number of the template in the library, such as ``TM00015`` or ``43521``.
        keyword_name_list: The keywords to use, in order.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """
    keywords = None if keyword_name_list is None else texts(keyword_name_list, "keyword_name_list")
    body = without_none(template_id_short=template_id_short, keyword_name_list=keywords)
    return post("/cgi-bin/template/api_add_template", body, Member("template_id", str))


def list_templates() -> Call[tuple[Template, ...]]:
    """获取模板列表: list the account's templates.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """
    return get("/cgi-bin/template/get_all_private_template", Members("template_list", Template))


def delete_template(template_id: str) -> Call[None]:
    """删除模板: remove a template from the account.

    Args:
        template_id: Id of the template.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """
    return post("/cgi-bin/template/del_private_template", {"template_id": template_id}, no_result)


# --- messages --------------------------------------------------------------------------------------------------------


def send(
    touser: str,
    template_id: str,
    data: Mapping[str, TemplateValue],
    *,
    url: str | None = None,
    miniprogram: Mapping[str, str] | None = None,
    client_msg_id: str | None = None,
) -> Call[int]:
    """发送模板消息: send a template message; the result is its msgid.

    `wechat_msg.TemplateSendJobFinishEvent` reports whether it arrived. The quota begins at 100,000 a day.

    Args:
        touser: The user.
        template_id: The template.
        data: Values by key, such as ``{"thing1": "拿铁", "time2": "15:01"}``. A value may be
            ``{"value": ..., "color": ...}``; WeChat may ignore ``color`` now.
        url: Page that a tap on the message opens.
        miniprogram: Mini Program that a tap on the message opens, ``{"appid": ..., "pagepath": ...}``; if the user's
            WeChat cannot open it, *url* opens.
        client_msg_id: Id of the message. WeChat sends one message per id within 10 minutes (unconfirmed).

    Raises:
        CallError: *data* or *miniprogram* is not a mapping, or a value is not a text, a number or a mapping.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """
    body = without_none(
        touser=touser,
        template_id=template_id,
        url=url,
        miniprogram=optional_mapping(miniprogram, "miniprogram"),
        client_msg_id=client_msg_id,
        data=to_template_data(data),
    )
    return post("/cgi-bin/message/template/send", body, Member("msgid", int))


def query_blocked(tmpl_msg_id: str, largest_id: int, limit: int) -> Call[Result]:
    """查询拦截的模板消息: list the blocked deliveries of a template message.

    They are in `raw` of the result; their form is unconfirmed.

    Args:
        tmpl_msg_id: Id of the template message.
        largest_id: Largest id of the previous page; 0 for the first page (unconfirmed).
        limit: Number of deliveries to list at most.

    Source:
        https://developers.weixin.qq.com/doc/service/api/notify/template/api_queryblocktmplmsg.html
    """
    body = {"tmpl_msg_id": tmpl_msg_id, "largest_id": largest_id, "limit": limit}
    return post("/wxa/sec/queryblocktmplmsg", body, ResultOf(Result), is_repeatable=True)


# --- one-time subscriptions ------------------------------------------------------------------------------------------


def make_subscribe_url(
    appid: str, scene: int, template_id: str, redirect_url: str, *, reserved: str | None = None
) -> str:
    """一次性订阅消息授权页: return the URL of the page on which a user allows one message.

    The user must open it in WeChat. WeChat redirects to *redirect_url* with ``openid``, ``template_id``, ``action``
    (``confirm`` or ``cancel``), ``scene`` and ``reserved``.

    Args:
        appid: AppID of the account.
        scene: 0 to 10000; distinguishes subscriptions.
        template_id: Template of one-time subscriptions, from the console.
        redirect_url: URL to redirect to.
        reserved: Returned unchanged; an unguessable one proves that the user came from this link.

    Example:
        >>> make_subscribe_url("wxAPPID", 1000, "TID", "https://example.com/", reserved="a b")
        'https://mp.weixin.qq.com/mp/subscribemsg?action=get_confirm&appid=wxAPPID&scene=1000&template_id=TID&redirect_url=https%3A%2F%2Fexample.com%2F&reserved=a%20b#wechat_redirect'

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/One-time_subscription_info.html
    """
    query = without_none(
        action="get_confirm",
        appid=appid,
        scene=scene,
        template_id=template_id,
        redirect_url=redirect_url,
        reserved=reserved,
    )
    return f"https://mp.weixin.qq.com/mp/subscribemsg?{write_query(query, 'the query')}#wechat_redirect"


def send_one_time(
    touser: str,
    template_id: str,
    scene: int,
    title: str,
    content: TemplateValue,
    *,
    url: str | None = None,
    miniprogram: Mapping[str, str] | None = None,
) -> Call[None]:
    """发送一次性订阅消息: send the message that a user has allowed.

    Args:
        touser: The user.
        template_id: As for `make_subscribe_url`.
        scene: As for `make_subscribe_url`.
        title: Up to 15 characters.
        content: Up to 200 characters; or ``{"value": ..., "color": ...}``.
        url: As for `send`.
        miniprogram: As for `send`.

    Raises:
        CallError: *content* is not a text, a number or a mapping, or *miniprogram* is not a mapping.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/One-time_subscription_info.html
    """
    body = without_none(
        touser=touser,
        template_id=template_id,
        url=url,
        miniprogram=optional_mapping(miniprogram, "miniprogram"),
        scene=scene,
        title=title,
        data=to_template_data({"content": content}),
    )
    return post("/cgi-bin/message/template/subscribe", body, no_result)
