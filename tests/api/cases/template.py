"""Cases of template."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import Result, template

MINI_PROGRAM = {"appid": "wxMINI", "pagepath": "index?foo=bar"}

CASES = [
    Case(
        "template.set_industry",
        template.set_industry("1", "4"),
        "POST",
        "/cgi-bin/template/api_set_industry",
        json={"industry_id1": "1", "industry_id2": "4"},
    ),
    Case(
        "template.get_industry",
        template.get_industry(),
        "GET",
        "/cgi-bin/template/get_industry",
        answer={
            "primary_industry": {"first_class": "运输与仓储", "second_class": "快递"},
            "secondary_industry": {"first_class": "IT科技", "second_class": "互联网|电子商务"},
        },
        result=template.Industries(
            primary_industry=template.Industry(first_class="运输与仓储", second_class="快递"),
            secondary_industry=template.Industry(first_class="IT科技", second_class="互联网|电子商务"),
        ),
    ),
    Case(
        "template.get_industry",
        template.get_industry(),
        "GET",
        "/cgi-bin/template/get_industry",
        answer={"primary_industry": {}},
        result=template.Industries(primary_industry=template.Industry()),
    ),
    Case(
        "template.add_template",
        template.add_template("TM00015"),
        "POST",
        "/cgi-bin/template/api_add_template",
        json={"template_id_short": "TM00015"},
        answer={"errcode": 0, "errmsg": "ok", "template_id": "TID"},
        result="TID",
    ),
    Case(
        "template.add_template",
        template.add_template("43521", keyword_name_list=["订单编号", "时间"]),
        "POST",
        "/cgi-bin/template/api_add_template",
        json={"template_id_short": "43521", "keyword_name_list": ["订单编号", "时间"]},
        answer={"errcode": 0, "errmsg": "ok", "template_id": "TID"},
        result="TID",
    ),
    Case(
        "template.list_templates",
        template.list_templates(),
        "GET",
        "/cgi-bin/template/get_all_private_template",
        answer={
            "template_list": [
                {
                    "template_id": "TID",
                    "title": "领取奖金提醒",
                    "primary_industry": "IT科技",
                    "deputy_industry": "互联网|电子商务",
                    "content": "{{result.DATA}}\n\n领奖金额:{{withdrawMoney.DATA}}",
                    "example": "您已提交领奖申请\n\n领奖金额：xxxx元",
                }
            ]
        },
        result=(
            template.Template(
                template_id="TID",
                title="领取奖金提醒",
                primary_industry="IT科技",
                deputy_industry="互联网|电子商务",
                content="{{result.DATA}}\n\n领奖金额:{{withdrawMoney.DATA}}",
                example="您已提交领奖申请\n\n领奖金额：xxxx元",
            ),
        ),
    ),
    Case(
        "template.delete_template",
        template.delete_template("TID"),
        "POST",
        "/cgi-bin/template/del_private_template",
        json={"template_id": "TID"},
    ),
    Case(
        "template.send",
        template.send("oUSER", "TID", {"thing1": "拿铁", "number2": 2}),
        "POST",
        "/cgi-bin/message/template/send",
        json={
            "touser": "oUSER",
            "template_id": "TID",
            "data": {"thing1": {"value": "拿铁"}, "number2": {"value": "2"}},
        },
        answer={"errcode": 0, "errmsg": "ok", "msgid": 2854126736411951106},
        result=2854126736411951106,
    ),
    Case(
        "template.send",
        template.send(
            "oUSER",
            "TID",
            {"keyword1": {"value": "巧克力", "color": "#173177"}},
            url="https://example.com/",
            miniprogram=MINI_PROGRAM,
            client_msg_id="MSG_000001",
        ),
        "POST",
        "/cgi-bin/message/template/send",
        json={
            "touser": "oUSER",
            "template_id": "TID",
            "url": "https://example.com/",
            "miniprogram": MINI_PROGRAM,
            "client_msg_id": "MSG_000001",
            "data": {"keyword1": {"value": "巧克力", "color": "#173177"}},
        },
        answer={"errcode": 0, "errmsg": "ok", "msgid": 200228332},
        result=200228332,
    ),
    Case(
        "template.query_blocked",
        template.query_blocked("TID", 0, 10),
        "POST",
        "/wxa/sec/queryblocktmplmsg",
        json={"tmpl_msg_id": "TID", "largest_id": 0, "limit": 10},
        result=Result(),
    ),
    Case(
        "template.send_one_time",
        template.send_one_time("oUSER", "TID", 1000, "标题", "内容"),
        "POST",
        "/cgi-bin/message/template/subscribe",
        json={
            "touser": "oUSER",
            "template_id": "TID",
            "scene": 1000,
            "title": "标题",
            "data": {"content": {"value": "内容"}},
        },
    ),
    Case(
        "template.send_one_time",
        template.send_one_time(
            "oUSER",
            "TID",
            1000,
            "标题",
            {"value": "内容", "color": "#173177"},
            url="https://example.com/",
            miniprogram=MINI_PROGRAM,
        ),
        "POST",
        "/cgi-bin/message/template/subscribe",
        json={
            "touser": "oUSER",
            "template_id": "TID",
            "url": "https://example.com/",
            "miniprogram": MINI_PROGRAM,
            "scene": 1000,
            "title": "标题",
            "data": {"content": {"value": "内容", "color": "#173177"}},
        },
    ),
]
