"""Cases of subscribe."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import subscribe

MINI_PROGRAM = {"appid": "wxMINI", "pagepath": "index?foo=bar"}

CASES = [
    Case(
        "subscribe.send",
        subscribe.send("oUSER", "TID", {"thing1": "拿铁", "amount2": 12.5}),
        "POST",
        "/cgi-bin/message/subscribe/send",
        json={
            "touser": "oUSER",
            "template_id": "TID",
            "data": {"thing1": {"value": "拿铁"}, "amount2": {"value": "12.5"}},
        },
        result=subscribe.SentMessage(),
    ),
    Case(
        "subscribe.send",
        subscribe.send(
            "oUSER",
            "TID",
            {"thing1": {"value": "拿铁"}},
            page="index?foo=bar",
            miniprogram_state="trial",
            lang="zh_CN",
        ),
        "POST",
        "/cgi-bin/message/subscribe/send",
        json={
            "touser": "oUSER",
            "template_id": "TID",
            "page": "index?foo=bar",
            "miniprogram_state": "trial",
            "lang": "zh_CN",
            "data": {"thing1": {"value": "拿铁"}},
        },
        answer={"errcode": 0, "errmsg": "ok", "msgid": 2854126736411951106},
        result=subscribe.SentMessage(msgid=2854126736411951106),
    ),
    Case(
        "subscribe.send_biz",
        subscribe.send_biz("oUSER", "TID", {"time1": "15:01"}),
        "POST",
        "/cgi-bin/message/subscribe/bizsend",
        json={"touser": "oUSER", "template_id": "TID", "data": {"time1": {"value": "15:01"}}},
        result=subscribe.SentMessage(),
    ),
    Case(
        "subscribe.send_biz",
        subscribe.send_biz("oUSER", "TID", {"time1": "15:01"}, page="https://example.com/", miniprogram=MINI_PROGRAM),
        "POST",
        "/cgi-bin/message/subscribe/bizsend",
        json={
            "touser": "oUSER",
            "template_id": "TID",
            "page": "https://example.com/",
            "miniprogram": MINI_PROGRAM,
            "data": {"time1": {"value": "15:01"}},
        },
        result=subscribe.SentMessage(),
    ),
    Case(
        "subscribe.add_template",
        subscribe.add_template("401", [1, 2], "测试数据"),
        "POST",
        "/wxaapi/newtmpl/addtemplate",
        json={"tid": "401", "kidList": [1, 2], "sceneDesc": "测试数据"},
        answer={"errmsg": "ok", "errcode": 0, "priTmplId": "TID"},
        result="TID",
    ),
    Case(
        "subscribe.delete_template",
        subscribe.delete_template("TID"),
        "POST",
        "/wxaapi/newtmpl/deltemplate",
        json={"priTmplId": "TID"},
    ),
    Case(
        "subscribe.list_templates",
        subscribe.list_templates(),
        "GET",
        "/wxaapi/newtmpl/gettemplate",
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "data": [
                {
                    "priTmplId": "TID",
                    "title": "报名结果通知",
                    "content": "会议时间:{{date2.DATA}}\n会议状态:{{enum_string1.DATA}}\n",
                    "example": "会议时间:2016年8月8日\n会议状态:已开始\n",
                    "type": 2,
                    "keywordEnumValueList": [
                        {"keywordCode": "enum_string1.DATA", "enumValueList": ["未开始", "已开始"]},
                    ],
                },
                {"priTmplId": "TID2", "title": "", "content": "", "example": "", "type": 3},
            ],
        },
        result=(
            subscribe.SubscribeTemplate(
                pri_tmpl_id="TID",
                title="报名结果通知",
                content="会议时间:{{date2.DATA}}\n会议状态:{{enum_string1.DATA}}",
                example="会议时间:2016年8月8日\n会议状态:已开始",
                type=2,
                keyword_enum_value_list=(
                    subscribe.KeywordEnumValues(keyword_code="enum_string1.DATA", enum_value_list=("未开始", "已开始")),
                ),
            ),
            subscribe.SubscribeTemplate(pri_tmpl_id="TID2", type=3),
        ),
    ),
    Case(
        "subscribe.list_categories",
        subscribe.list_categories(),
        "GET",
        "/wxaapi/newtmpl/getcategory",
        answer={"errcode": 0, "errmsg": "ok", "data": [{"id": 616, "name": "公交"}]},
        result=(subscribe.Category(id=616, name="公交"),),
    ),
    Case(
        "subscribe.list_template_titles",
        subscribe.list_template_titles([2, 616], 0, 30),
        "GET",
        "/wxaapi/newtmpl/getpubtemplatetitles",
        params={"ids": "2,616", "start": "0", "limit": "30"},
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "count": 55,
            "data": [{"tid": 99, "title": "付款成功通知", "type": 2, "categoryId": "616"}],
        },
        result=subscribe.TemplateTitlePage(
            count=55,
            data=(subscribe.TemplateTitle(tid="99", title="付款成功通知", type=2, category_id="616"),),
        ),
    ),
    Case(
        "subscribe.list_template_keywords",
        subscribe.list_template_keywords("99"),
        "GET",
        "/wxaapi/newtmpl/getpubtemplatekeywords",
        params={"tid": "99"},
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "count": 1,
            "data": [{"kid": 1, "name": "物品名称", "example": "名称", "rule": "thing"}],
        },
        result=subscribe.TemplateKeywords(
            count=1, data=(subscribe.TemplateKeyword(kid=1, name="物品名称", example="名称", rule="thing"),)
        ),
    ),
    Case(
        "subscribe.set_user_notify",
        subscribe.set_user_notify("oUSER", 2001, "CODE", '{"wxa_path":"p"}'),
        "POST",
        "/wxa/set_user_notify",
        json={"openid": "oUSER", "notify_type": 2001, "notify_code": "CODE", "content_json": '{"wxa_path":"p"}'},
    ),
    Case(
        "subscribe.set_user_notify",
        subscribe.set_user_notify("oUSER", 2001, "CODE", {"标题": 1}, check_json={"pay_amount": 1}),
        "POST",
        "/wxa/set_user_notify",
        json={
            "openid": "oUSER",
            "notify_type": 2001,
            "notify_code": "CODE",
            "content_json": '{"标题":1}',
            "check_json": '{"pay_amount":1}',
        },
    ),
    Case(
        "subscribe.set_user_notify_ext",
        subscribe.set_user_notify_ext("oUSER", 2001, "CODE", {"a": "好"}),
        "POST",
        "/wxa/set_user_notifyext",
        json={"openid": "oUSER", "notify_type": 2001, "notify_code": "CODE", "ext_json": '{"a":"好"}'},
    ),
    Case(
        "subscribe.get_user_notify",
        subscribe.get_user_notify("oUSER", 2001, "CODE"),
        "POST",
        "/wxa/get_user_notify",
        json={"openid": "oUSER", "notify_type": 2001, "notify_code": "CODE"},
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "notify_info": {
                "notify_type": 2001,
                "content_json": '{"wxa_path":"p"}',
                "code_state": 1,
                "code_expire_time": 1700000000,
            },
        },
        result=subscribe.NotifyInfo(
            notify_type=2001, content_json='{"wxa_path":"p"}', code_state=1, code_expire_time=1700000000
        ),
    ),
]
