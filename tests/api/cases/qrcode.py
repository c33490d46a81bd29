"""Cases of qrcode."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import File, qrcode

TEMPORARY = {"ticket": "gQH47joA", "expire_seconds": 60, "url": "http://weixin.qq.com/q/kZgfwMTm72WWPkovabbI"}
PERMANENT = {"ticket": "gQH47joA", "url": "http://weixin.qq.com/q/kZgfwMTm72WWPkovabbI"}
JPEG = b"\xff\xd8\xff\xe0 a picture"

CASES = [
    Case(
        "qrcode.create",
        qrcode.create(123, 604800),
        "POST",
        "/cgi-bin/qrcode/create",
        json={"expire_seconds": 604800, "action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 123}}},
        answer=TEMPORARY,
        result=qrcode.QRCode(ticket="gQH47joA", expire_seconds=60, url=TEMPORARY["url"]),
    ),
    Case(
        "qrcode.create",
        qrcode.create("测试", expire_seconds=60),
        "POST",
        "/cgi-bin/qrcode/create",
        json={"expire_seconds": 60, "action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "测试"}}},
        answer=TEMPORARY,
        result=qrcode.QRCode(ticket="gQH47joA", expire_seconds=60, url=TEMPORARY["url"]),
    ),
    Case(
        "qrcode.create",
        qrcode.create(123),
        "POST",
        "/cgi-bin/qrcode/create",
        json={"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 123}}},
        answer=PERMANENT,
        result=qrcode.QRCode(ticket="gQH47joA", url=PERMANENT["url"]),
    ),
    Case(
        "qrcode.create",
        qrcode.create("123"),
        "POST",
        "/cgi-bin/qrcode/create",
        json={"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "123"}}},
        answer=PERMANENT,
        result=qrcode.QRCode(ticket="gQH47joA", url=PERMANENT["url"]),
    ),
    Case(
        "qrcode.get_image",
        qrcode.get_image("gQH47j/A+w=="),
        "GET",
        "/cgi-bin/showqrcode",
        params={"ticket": "gQH47j/A+w=="},
        answer=JPEG,
        content_type="image/jpg",
        result=File(content=JPEG, size=len(JPEG), content_type="image/jpg"),
    ),
    Case(
        "qrcode.gen_short_key",
        qrcode.gen_short_key("loooooong 数据", 86400),
        "POST",
        "/cgi-bin/shorten/gen",
        json={"long_data": "loooooong 数据", "expire_seconds": 86400},
        answer={"errcode": 0, "errmsg": "ok", "short_key": "KEY"},
        result="KEY",
    ),
    Case(
        "qrcode.fetch_short_key",
        qrcode.fetch_short_key("KEY"),
        "POST",
        "/cgi-bin/shorten/fetch",
        json={"short_key": "KEY"},
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "long_data": "loooooong 数据\n",
            "create_time": 1611047541,
            "expire_seconds": 86300,
        },
        result=qrcode.LongData(long_data="loooooong 数据\n", create_time=1611047541, expire_seconds=86300),
    ),
]
