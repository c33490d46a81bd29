"""Cases of autoreply."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import autoreply
from wechat_msg.api.autoreply import AutoReply, AutoReplyKeyword, AutoReplyRule

ARTICLES = {"list": [{"title": "标题", "author": "作者", "digest": "摘要", "show_cover": 0, "content_url": "http://a"}]}

CASES = [
    Case(
        "autoreply.get_current",
        autoreply.get_current(),
        "GET",
        "/cgi-bin/get_current_autoreply_info",
        answer={
            "is_add_friend_reply_open": 1,
            "is_autoreply_open": 1,
            "add_friend_autoreply_info": {"type": "text", "content": "欢迎\n关注"},
            "message_default_autoreply_info": {"type": "img", "content": "MID"},
            "keyword_autoreply_info": {
                "list": [
                    {
                        "rule_name": "规则",
                        "create_time": 1423028166,
                        "reply_mode": "reply_all",
                        "keyword_list_info": [
                            {"type": "text", "match_mode": "contain", "content": "news"},
                            {"type": "text", "match_mode": "equal", "content": "新闻"},
                        ],
                        "reply_list_info": [
                            {"type": "news", "content": "MID", "news_info": ARTICLES},
                            {"type": "text", "content": "hi"},
                        ],
                    },
                    {"rule_name": "空"},
                ]
            },
        },
        result=autoreply.CurrentAutoReply(
            is_add_friend_reply_open=1,
            is_autoreply_open=1,
            add_friend_autoreply_info=AutoReply(type="text", content="欢迎\n关注"),
            message_default_autoreply_info=AutoReply(type="img", content="MID"),
            keyword_autoreply_info=(
                AutoReplyRule(
                    rule_name="规则",
                    create_time=1423028166,
                    reply_mode="reply_all",
                    keyword_list_info=(
                        AutoReplyKeyword(type="text", match_mode="contain", content="news"),
                        AutoReplyKeyword(type="text", match_mode="equal", content="新闻"),
                    ),
                    reply_list_info=(
                        AutoReply(type="news", content="MID", news_info=ARTICLES),
                        AutoReply(type="text", content="hi"),
                    ),
                ),
                AutoReplyRule(rule_name="空"),
            ),
        ),
    ),
    Case(
        "autoreply.get_current",
        autoreply.get_current(),
        "GET",
        "/cgi-bin/get_current_autoreply_info",
        answer={"is_add_friend_reply_open": 0, "is_autoreply_open": 0},
        result=autoreply.CurrentAutoReply(),
    ),
]
