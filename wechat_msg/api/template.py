"""模板消息: messages of a service account with a fixed wording, and one-time subscriptions (一次性订阅消息)."""

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
    """An industry: `first_class` is the wider one, `second_class` the closer one."""

    first_class: str = ""
    second_class: str = ""


@model
class Industries(Result):
    """What the account says it does.

    Attributes:
        primary_industry: The main industry; None: not set.
        secondary_industry: The other one; None: not set.
    """

    primary_industry: Industry | None = nested("primary_industry", Industry, default=None)
    secondary_industry: Industry | None = nested("secondary_industry", Industry, default=None)


@model
class Template:
    """A template of the account.

    Attributes:
        template_id: Id, for `send`.
        title: Title.
        primary_industry: Wider industry that it belongs to.
        deputy_industry: Closer industry that it belongs to.
        content: The wording, with places like ``{{keyword1.DATA}}``.
        example: The wording, filled in.
    """

    template_id: str
    title: str = ""
    primary_industry: str = ""
    deputy_industry: str = ""
    content: str = ""
    example: str = ""


def set_industry(industry_id1: str, industry_id2: str) -> Call[None]:
    """设置所属行业: say what the account does; once a month. A change takes templates away.

    Args:
        industry_id1: Number of the main industry, as text: ``"1"``.
        industry_id2: Number of the other one.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """
    body = {"industry_id1": str(industry_id1), "industry_id2": str(industry_id2)}
    return post("/cgi-bin/template/api_set_industry", body, no_result)


def get_industry() -> Call[Industries]:
    """获取设置的行业信息: tell what the account does.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """
    return get("/cgi-bin/template/get_industry", ResultOf(Industries))


def add_template(template_id_short: str, *, keyword_name_list: Iterable[str] | None = None) -> Call[str]:
    """获得模板 ID: take a template from the library; 25 at most. The result is its template_id.

    Args:
        template_id_short: Its number in the library, such as ``TM00015`` or ``43521``.
        keyword_name_list: The keywords to take, in order.

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
        template_id: Its id.

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

    Whether it arrived is told by `wechat_msg.TemplateSendJobFinishEvent`. 100,000 a day to begin with.

    Args:
        touser: The user.
        template_id: The template.
        data: What its places are filled with, such as ``{"thing1": "拿铁", "time2": "15:01"}``. Instead of a text,
            ``{"value": ..., "color": ...}``; WeChat may not heed ``color`` any more.
        url: Page that a tap on the message opens.
        miniprogram: Mini Program that a tap on the message opens, ``{"appid": ..., "pagepath": ...}``; if the user's
            WeChat cannot open it, *url* is opened.
        client_msg_id: The same one within 10 minutes is not sent twice (unconfirmed).

    Raises:
        CallError: *data* or *miniprogram* is no mapping, or a value is neither text nor number nor mapping.

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
    """查询拦截的模板消息: list the sends of a template message that were blocked.

    They stand in `raw` of the result; their form is unconfirmed.

    Args:
        tmpl_msg_id: Id of the template message.
        largest_id: Largest id on the page before; 0: the first page (unconfirmed).
        limit: How many to list at most.

    Source:
        https://developers.weixin.qq.com/doc/service/api/notify/template/api_queryblocktmplmsg.html
    """
    body = {"tmpl_msg_id": tmpl_msg_id, "largest_id": largest_id, "limit": limit}
    return post("/wxa/sec/queryblocktmplmsg", body, ResultOf(Result), is_repeatable=True)


# --- one-time subscriptions ------------------------------------------------------------------------------------------


def make_subscribe_url(
    appid: str, scene: int, template_id: str, redirect_url: str, *, reserved: str | None = None
) -> str:
    """一次性订阅消息授权页: return the page on which a user allows one message; open it in WeChat.

    WeChat goes on to *redirect_url* with ``openid``, ``template_id``, ``action`` (``confirm`` or ``cancel``),
    ``scene`` and ``reserved``.

    Args:
        appid: AppID of the account.
        scene: 0 to 10000; tells subscriptions apart.
        template_id: Template of one-time subscriptions, from the console.
        redirect_url: Where to go on to.
        reserved: Comes back unchanged; a value that nobody can guess shows that the user really came from here.

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
    """发送一次性订阅消息: send the one message that a user has allowed.

    Args:
        touser: The user.
        template_id: As for `make_subscribe_url`.
        scene: As for `make_subscribe_url`.
        title: Up to 15 characters.
        content: Up to 200 characters; or ``{"value": ..., "color": ...}``.
        url: As for `send`.
        miniprogram: As for `send`.

    Raises:
        CallError: *content* is neither text nor number nor mapping, or *miniprogram* is no mapping.

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
