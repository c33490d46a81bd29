"""Cases of jsapi."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import jsapi

CASES = [
    Case(
        "jsapi.get_ticket",
        call,
        "GET",
        "/cgi-bin/ticket/getticket",
        params={"type": kind},
        answer={"errcode": 0, "errmsg": "ok", "ticket": "TICKET", "expires_in": 7200},
        result=jsapi.Ticket(ticket="TICKET", expires_in=7200),
    )
    for call, kind in [(jsapi.get_ticket(), "jsapi"), (jsapi.get_ticket("wx_card"), "wx_card")]
]
