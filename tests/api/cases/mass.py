"""Cases of mass."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg import ImageReply, TextReply, VideoReply, VoiceReply
from wechat_msg.api import mass
from wechat_msg.api.mass import Images, MassSent, MpNews, WxCard

IMAGES = Images(media_ids=["MID1", "MID2"], recommend="看", need_open_comment=True, only_fans_can_comment=False)
MESSAGES = [
    ("你好", {"msgtype": "text", "text": {"content": "你好"}}),
    (TextReply(content="hi"), {"msgtype": "text", "text": {"content": "hi"}}),
    (VoiceReply(media_id="MID"), {"msgtype": "voice", "voice": {"media_id": "MID"}}),
    (MpNews(media_id="MID"), {"msgtype": "mpnews", "mpnews": {"media_id": "MID"}}),
    (VideoReply(media_id="MID"), {"msgtype": "mpvideo", "mpvideo": {"media_id": "MID"}}),
    (
        VideoReply(media_id="MID", title="t", description="d", thumb_media_id="not in mass messages"),
        {"msgtype": "mpvideo", "mpvideo": {"media_id": "MID", "title": "t", "description": "d"}},
    ),
    (WxCard(card_id="CID"), {"msgtype": "wxcard", "wxcard": {"card_id": "CID"}}),
    (
        WxCard(card_id="CID", card_ext='{"code":"1"}'),
        {"msgtype": "wxcard", "wxcard": {"card_id": "CID", "card_ext": '{"code":"1"}'}},
    ),
]
MANY_PICTURES = [
    (ImageReply(media_id="MID"), {"msgtype": "image", "images": {"media_ids": ["MID"]}}),
    (Images(media_ids=("MID",)), {"msgtype": "image", "images": {"media_ids": ["MID"]}}),
    (
        IMAGES,
        {
            "msgtype": "image",
            "images": {
                "media_ids": ["MID1", "MID2"],
                "recommend": "看",
                "need_open_comment": 1,
                "only_fans_can_comment": 0,
            },
        },
    ),
]
ONE_PICTURE = [
    (ImageReply(media_id="MID"), {"msgtype": "image", "image": {"media_id": "MID"}}),
    (IMAGES, {"msgtype": "image", "image": {"media_id": "MID1"}}),
]
SENT = {"errcode": 0, "errmsg": "send job submission success", "msg_id": 34182, "msg_data_id": 206227730}

CASES = [
    *(
        Case(
            "mass.send_to_all",
            mass.send_to_all(message),
            "POST",
            "/cgi-bin/message/mass/sendall",
            json={"filter": {"is_to_all": True}, **written},
            answer=SENT,
            result=MassSent(msg_id=34182, msg_data_id=206227730),
        )
        for message, written in MESSAGES + MANY_PICTURES
    ),
    Case(
        "mass.send_to_all",
        mass.send_to_all("hi", send_ignore_reprint=True, clientmsgid="id1"),
        "POST",
        "/cgi-bin/message/mass/sendall",
        json={
            "filter": {"is_to_all": True},
            "msgtype": "text",
            "text": {"content": "hi"},
            "send_ignore_reprint": 1,
            "clientmsgid": "id1",
        },
        answer={"errcode": 45065, "errmsg": "clientmsgid exist", "msg_id": 34182},
        result=MassSent(msg_id=34182),
    ),
    Case(
        "mass.send_to_tag",
        mass.send_to_tag(2, MpNews(media_id="MID"), send_ignore_reprint=False, clientmsgid="id1"),
        "POST",
        "/cgi-bin/message/mass/sendall",
        json={
            "filter": {"is_to_all": False, "tag_id": 2},
            "msgtype": "mpnews",
            "mpnews": {"media_id": "MID"},
            "send_ignore_reprint": 0,
            "clientmsgid": "id1",
        },
        answer=SENT,
        result=MassSent(msg_id=34182, msg_data_id=206227730),
    ),
    Case(
        "mass.send_to_tag",
        mass.send_to_tag(0, "hi"),
        "POST",
        "/cgi-bin/message/mass/sendall",
        json={"filter": {"is_to_all": False, "tag_id": 0}, "msgtype": "text", "text": {"content": "hi"}},
        answer={"errcode": 0, "errmsg": "ok", "msg_id": 9223372036854775807},
        result=MassSent(msg_id=9223372036854775807),
    ),
    *(
        Case(
            "mass.send",
            mass.send(["oUSER1", "oUSER2"], message),
            "POST",
            "/cgi-bin/message/mass/send",
            json={"touser": ["oUSER1", "oUSER2"], **written},
            answer=SENT,
            result=MassSent(msg_id=34182, msg_data_id=206227730),
        )
        for message, written in MESSAGES + MANY_PICTURES
    ),
    Case(
        "mass.send",
        mass.send(iter(["oUSER1", "oUSER2"]), "hi", send_ignore_reprint=True, clientmsgid="id1"),
        "POST",
        "/cgi-bin/message/mass/send",
        json={
            "touser": ["oUSER1", "oUSER2"],
            "msgtype": "text",
            "text": {"content": "hi"},
            "send_ignore_reprint": 1,
            "clientmsgid": "id1",
        },
        answer=SENT,
        result=MassSent(msg_id=34182, msg_data_id=206227730),
    ),
    *(
        Case(
            "mass.preview",
            mass.preview(message, openid="oUSER"),
            "POST",
            "/cgi-bin/message/mass/preview",
            json={"touser": "oUSER", **written},
            answer={"errcode": 0, "errmsg": "preview success", "msg_id": 34182},
            result=MassSent(msg_id=34182),
        )
        for message, written in MESSAGES + ONE_PICTURE
    ),
    Case(
        "mass.preview",
        mass.preview("hi", towxname="anna_wx"),
        "POST",
        "/cgi-bin/message/mass/preview",
        json={"towxname": "anna_wx", "msgtype": "text", "text": {"content": "hi"}},
        result=MassSent(),
    ),
    Case(
        "mass.delete",
        mass.delete(34182),
        "POST",
        "/cgi-bin/message/mass/delete",
        json={"msg_id": 34182},
    ),
    Case(
        "mass.delete",
        mass.delete(url="https://mp.weixin.qq.com/s/1", article_idx=2),
        "POST",
        "/cgi-bin/message/mass/delete",
        json={"url": "https://mp.weixin.qq.com/s/1", "article_idx": 2},
    ),
    Case(
        "mass.get_status",
        mass.get_status("34182"),
        "POST",
        "/cgi-bin/message/mass/get",
        json={"msg_id": "34182"},
        answer={"msg_id": 34182, "msg_status": "SEND_SUCCESS"},
        result=mass.MassStatus(msg_id=34182, msg_status="SEND_SUCCESS"),
    ),
    Case(
        "mass.get_speed",
        mass.get_speed(),
        "POST",
        "/cgi-bin/message/mass/speed/get",
        json={},
        answer={"speed": 3, "realspeed": 15},
        result=mass.MassSpeed(speed=3, realspeed=15),
    ),
    Case(
        "mass.set_speed",
        mass.set_speed(4),
        "POST",
        "/cgi-bin/message/mass/speed/set",
        json={"speed": 4},
    ),
]
