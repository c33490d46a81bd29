"""Cases of customer_service."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg import Article, ImageReply, MusicReply, NewsReply, TextReply, VideoReply, VoiceReply
from wechat_msg.api import customer_service
from wechat_msg.api.customer_service import (
    Link,
    MenuItem,
    MiniProgramPage,
    MpNews,
    MpNewsArticle,
    MsgMenu,
    WxCard,
)

MESSAGES = [
    ("你好 <a href='https://example.com'>a</a>", "text", {"content": "你好 <a href='https://example.com'>a</a>"}),
    (TextReply(content="hi"), "text", {"content": "hi"}),
    (ImageReply(media_id="MID"), "image", {"media_id": "MID"}),
    (VoiceReply(media_id="MID"), "voice", {"media_id": "MID"}),
    (
        VideoReply(media_id="MID", thumb_media_id="TID", title="t", description="d"),
        "video",
        {"media_id": "MID", "thumb_media_id": "TID", "title": "t", "description": "d"},
    ),
    (
        MusicReply(thumb_media_id="TID", title="t", description="d", music_url="http://a", hq_music_url="http://b"),
        "music",
        {"title": "t", "description": "d", "musicurl": "http://a", "hqmusicurl": "http://b", "thumb_media_id": "TID"},
    ),
    (
        NewsReply(articles=[Article(title="t", description="d", url="http://a", pic_url="http://p")]),
        "news",
        {"articles": [{"title": "t", "description": "d", "url": "http://a", "picurl": "http://p"}]},
    ),
    (MpNews(media_id="MID"), "mpnews", {"media_id": "MID"}),
    (MpNewsArticle(article_id="AID"), "mpnewsarticle", {"article_id": "AID"}),
    (
        MsgMenu(
            head_content="满意吗?",
            items=[MenuItem(id="101", content="满意"), MenuItem(id="102", content="不满意")],
            tail_content="谢谢",
        ),
        "msgmenu",
        {
            "head_content": "满意吗?",
            "list": [{"id": "101", "content": "满意"}, {"id": "102", "content": "不满意"}],
            "tail_content": "谢谢",
        },
    ),
    (MsgMenu(items=[MenuItem(id="1", content="a")]), "msgmenu", {"list": [{"id": "1", "content": "a"}]}),
    (WxCard(card_id="CID"), "wxcard", {"card_id": "CID"}),
    (
        MiniProgramPage(title="t", pagepath="pages/a?b=1", thumb_media_id="TID"),
        "miniprogrampage",
        {"title": "t", "pagepath": "pages/a?b=1", "thumb_media_id": "TID"},
    ),
    (
        MiniProgramPage(title="t", appid="wx0123456789abcdef", pagepath="pages/a", thumb_media_id="TID"),
        "miniprogrampage",
        {"title": "t", "appid": "wx0123456789abcdef", "pagepath": "pages/a", "thumb_media_id": "TID"},
    ),
    (
        Link(title="t", description="d", url="https://example.com/", thumb_url="https://example.com/t.jpg"),
        "link",
        {"title": "t", "description": "d", "url": "https://example.com/", "thumb_url": "https://example.com/t.jpg"},
    ),
]

CASES = [
    *(
        Case(
            "customer_service.send",
            customer_service.send("oUSER", message),
            "POST",
            "/cgi-bin/message/custom/send",
            json={"touser": "oUSER", "msgtype": msgtype, msgtype: content},
        )
        for message, msgtype, content in MESSAGES
    ),
    Case(
        "customer_service.send",
        customer_service.send("oUSER", "hi", kf_account="anna@gh", is_ai_msg=True, businessid="BID"),
        "POST",
        "/cgi-bin/message/custom/send",
        json={
            "touser": "oUSER",
            "msgtype": "text",
            "text": {"content": "hi"},
            "customservice": {"kf_account": "anna@gh"},
            "aimsgcontext": {"is_ai_msg": 1},
            "businessid": "BID",
        },
    ),
    Case(
        "customer_service.send",
        customer_service.send("oUSER", "hi", is_ai_msg=False),
        "POST",
        "/cgi-bin/message/custom/send",
        json={
            "touser": "oUSER",
            "msgtype": "text",
            "text": {"content": "hi"},
            "aimsgcontext": {"is_ai_msg": 0},
        },
    ),
    Case(
        "customer_service.send_body",
        customer_service.send_body({"touser": "oUSER", "msgtype": "text", "text": {"content": "hi"}}),
        "POST",
        "/cgi-bin/message/custom/send",
        json={"touser": "oUSER", "msgtype": "text", "text": {"content": "hi"}},
    ),
    Case(
        "customer_service.send_business_body",
        customer_service.send_business_body(
            {"touser": "oUSER", "msgtype": "text", "text": {"content": "hi"}, "businessid": "BID"}
        ),
        "POST",
        "/cgi-bin/message/custom/business/send",
        json={"touser": "oUSER", "msgtype": "text", "text": {"content": "hi"}, "businessid": "BID"},
    ),
    Case(
        "customer_service.set_typing",
        customer_service.set_typing("oUSER"),
        "POST",
        "/cgi-bin/message/custom/typing",
        json={"touser": "oUSER", "command": "Typing"},
    ),
    Case(
        "customer_service.set_typing",
        customer_service.set_typing("oUSER", "CancelTyping", businessid="BID"),
        "POST",
        "/cgi-bin/message/custom/typing",
        json={"touser": "oUSER", "command": "CancelTyping", "businessid": "BID"},
    ),
    Case(
        "customer_service.set_typing",
        customer_service.set_typing("oUSER"),
        "POST",
        "/cgi-bin/message/custom/typing",
        json={"touser": "oUSER", "command": "Typing"},
        answer={"errcode": 45081, "errmsg": "already typing"},
    ),
    Case(
        "customer_service.set_mini_program_typing",
        customer_service.set_mini_program_typing("oUSER"),
        "POST",
        "/cgi-bin/message/custom/business/typing",
        json={"touser": "oUSER", "command": "Typing"},
    ),
    Case(
        "customer_service.set_mini_program_typing",
        customer_service.set_mini_program_typing("oUSER", "CancelTyping", businessid="BID"),
        "POST",
        "/cgi-bin/message/custom/business/typing",
        json={"touser": "oUSER", "command": "CancelTyping", "businessid": "BID"},
    ),
]
