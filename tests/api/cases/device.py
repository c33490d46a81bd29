"""Cases of device."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import device

CASES = [
    Case(
        "device.send",
        device.send(["oUSER", "oUSER2"], "TEMPLATE_ID"),
        "POST",
        "/cgi-bin/message/device/subscribe/send",
        json={"to_openid_list": ["oUSER", "oUSER2"], "template_id": "TEMPLATE_ID"},
    ),
    Case(
        "device.send",
        device.send(
            ("oUSER",),
            "TEMPLATE_ID",
            model_id="MODEL",
            sn="SN-1",
            page="pages/device?sn=SN-1",
            miniprogram_state="formal",
            lang="zh_CN",
            data={"thing1": "洗衣完成", "number2": 3},
        ),
        "POST",
        "/cgi-bin/message/device/subscribe/send",
        json={
            "to_openid_list": ["oUSER"],
            "template_id": "TEMPLATE_ID",
            "modelId": "MODEL",
            "sn": "SN-1",
            "page": "pages/device?sn=SN-1",
            "miniprogram_state": "formal",
            "lang": "zh_CN",
            "data": {"thing1": {"value": "洗衣完成"}, "number2": {"value": "3"}},
        },
    ),
    Case(
        "device.get_sn_ticket",
        device.get_sn_ticket("SN-1", "MODEL"),
        "POST",
        "/wxa/getsnticket",
        json={"sn": "SN-1", "model_id": "MODEL"},
        answer={"errcode": 0, "errmsg": "ok", "sn_ticket": "TICKET"},
        result="TICKET",
    ),
]
