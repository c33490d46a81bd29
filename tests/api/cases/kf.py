"""Cases of kf."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import kf

RECORDS = {
    "errcode": 0,
    "errmsg": "ok",
    "recordlist": [
        {"openid": "oUSER", "opercode": 2002, "text": " 您好", "time": 1400563710, "worker": "anna@gh"},
        {"openid": "oUSER", "opercode": 2003, "text": "你好", "time": 1400563731, "worker": "anna@gh"},
    ],
    "number": 2,
    "msgid": 20165267,
}
RECORD_PAGE = kf.MsgRecordPage(
    recordlist=(
        kf.MsgRecord(openid="oUSER", opercode=2002, text=" 您好", time=1400563710, worker="anna@gh"),
        kf.MsgRecord(openid="oUSER", opercode=2003, text="你好", time=1400563731, worker="anna@gh"),
    ),
    number=2,
    msgid=20165267,
)

CASES = [
    Case(
        "kf.add_account",
        kf.add_account("anna@gh", "安娜"),
        "POST",
        "/customservice/kfaccount/add",
        json={"kf_account": "anna@gh", "nickname": "安娜"},
    ),
    Case(
        "kf.add_account",
        kf.add_account("anna@gh", "安娜", business_id="BID", password="5f4dcc3b5aa765d61d8327deb882cf99"),
        "POST",
        "/customservice/kfaccount/add",
        json={
            "kf_account": "anna@gh",
            "nickname": "安娜",
            "business_id": "BID",
            "password": "5f4dcc3b5aa765d61d8327deb882cf99",
        },
    ),
    Case(
        "kf.update_account",
        kf.update_account("anna@gh", "安娜"),
        "POST",
        "/customservice/kfaccount/update",
        json={"kf_account": "anna@gh", "nickname": "安娜"},
    ),
    Case(
        "kf.update_account",
        kf.update_account("anna@gh", "安娜", business_id="BID", password="5f4dcc3b5aa765d61d8327deb882cf99"),
        "POST",
        "/customservice/kfaccount/update",
        json={
            "kf_account": "anna@gh",
            "nickname": "安娜",
            "business_id": "BID",
            "password": "5f4dcc3b5aa765d61d8327deb882cf99",
        },
    ),
    Case(
        "kf.delete_account",
        kf.delete_account("anna@gh"),
        "POST",
        "/customservice/kfaccount/del",
        json={"kf_account": "anna@gh"},
    ),
    Case(
        "kf.invite_worker",
        kf.invite_worker("anna@gh", "anna_wx"),
        "POST",
        "/customservice/kfaccount/inviteworker",
        json={"kf_account": "anna@gh", "invite_wx": "anna_wx"},
    ),
    Case(
        "kf.upload_head_img",
        kf.upload_head_img("anna@gh", b"\xff\xd8\xff"),
        "POST",
        "/customservice/kfaccount/uploadheadimg",
        params={"kf_account": "anna@gh"},
        files={"media": ("media.jpg", b"\xff\xd8\xff", "image/jpeg")},
    ),
    Case(
        "kf.upload_head_img",
        kf.upload_head_img("anna@gh", b"\x89PNG", filename="anna.png", content_type="image/x-png"),
        "POST",
        "/customservice/kfaccount/uploadheadimg",
        params={"kf_account": "anna@gh"},
        files={"media": ("anna.png", b"\x89PNG", "image/x-png")},
    ),
    Case(
        "kf.set_admin",
        kf.set_admin("oANNA"),
        "GET",
        "/customservice/kfaccount/setadmin",
        params={"kf_openid": "oANNA"},
    ),
    Case(
        "kf.set_admin",
        kf.set_admin("oANNA", business_id="BID"),
        "GET",
        "/customservice/kfaccount/setadmin",
        params={"kf_openid": "oANNA", "business_id": "BID"},
    ),
    Case(
        "kf.cancel_admin",
        kf.cancel_admin("oANNA"),
        "GET",
        "/customservice/kfaccount/canceladmin",
        params={"kf_openid": "oANNA"},
    ),
    Case(
        "kf.cancel_admin",
        kf.cancel_admin("oANNA", business_id="BID"),
        "GET",
        "/customservice/kfaccount/canceladmin",
        params={"kf_openid": "oANNA", "business_id": "BID"},
    ),
    Case(
        "kf.list_accounts",
        kf.list_accounts(),
        "GET",
        "/cgi-bin/customservice/getkflist",
        answer={
            "kf_list": [
                {
                    "kf_account": "anna@gh",
                    "kf_nick": "安娜",
                    "kf_id": 1001,
                    "kf_headimgurl": "http://mmbiz.qpic.cn/0",
                    "kf_wx": "anna_wx",
                    "kf_openid": "oANNA",
                },
                {
                    "kf_account": "ben@gh",
                    "kf_nick": "ben",
                    "kf_id": "1002",
                    "kf_headimgurl": "",
                    "invite_wx": "ben_wx",
                    "invite_expire_time": 123456789,
                    "invite_status": "waiting",
                },
            ]
        },
        result=(
            kf.KfAccount(
                kf_account="anna@gh",
                kf_nick="安娜",
                kf_id="1001",
                kf_headimgurl="http://mmbiz.qpic.cn/0",
                kf_wx="anna_wx",
                kf_openid="oANNA",
            ),
            kf.KfAccount(
                kf_account="ben@gh",
                kf_nick="ben",
                kf_id="1002",
                kf_headimgurl="",
                invite_wx="ben_wx",
                invite_expire_time=123456789,
                invite_status="waiting",
            ),
        ),
    ),
    Case(
        "kf.list_online_accounts",
        kf.list_online_accounts(),
        "GET",
        "/cgi-bin/customservice/getonlinekflist",
        answer={
            "kf_online_list": [
                {"kf_account": "anna@gh", "status": 1, "kf_id": "1001", "accepted_case": 2, "kf_openid": "oANNA"}
            ]
        },
        result=(kf.OnlineKfAccount(kf_account="anna@gh", status=1, kf_id="1001", accepted_case=2, kf_openid="oANNA"),),
    ),
    Case(
        "kf.list_online_accounts",
        kf.list_online_accounts(),
        "GET",
        "/cgi-bin/customservice/getonlinekflist",
        answer={"kf_online_list": []},
        result=(),
    ),
    Case(
        "kf.create_session",
        kf.create_session("anna@gh", "oUSER"),
        "POST",
        "/customservice/kfsession/create",
        json={"kf_account": "anna@gh", "openid": "oUSER"},
    ),
    Case(
        "kf.close_session",
        kf.close_session("anna@gh", "oUSER"),
        "POST",
        "/customservice/kfsession/close",
        json={"kf_account": "anna@gh", "openid": "oUSER"},
    ),
    Case(
        "kf.get_session",
        kf.get_session("oUSER"),
        "GET",
        "/customservice/kfsession/getsession",
        params={"openid": "oUSER"},
        answer={"errcode": 0, "errmsg": "ok", "kf_account": "anna@gh", "createtime": 1400563710},
        result=kf.UserSession(kf_account="anna@gh", createtime=1400563710),
    ),
    Case(
        "kf.get_session",
        kf.get_session("oUSER"),
        "GET",
        "/customservice/kfsession/getsession",
        params={"openid": "oUSER"},
        result=kf.UserSession(),
    ),
    Case(
        "kf.list_sessions",
        kf.list_sessions("anna@gh"),
        "GET",
        "/customservice/kfsession/getsessionlist",
        params={"kf_account": "anna@gh"},
        answer={"sessionlist": [{"openid": "oUSER", "createtime": 1400563710}]},
        result=(kf.KfSession(openid="oUSER", createtime=1400563710),),
    ),
    Case(
        "kf.get_wait_cases",
        kf.get_wait_cases(),
        "GET",
        "/customservice/kfsession/getwaitcase",
        answer={"count": 150, "waitcaselist": [{"latest_time": 1400563710, "openid": "oUSER"}]},
        result=kf.WaitCases(count=150, waitcaselist=(kf.WaitCase(openid="oUSER", latest_time=1400563710),)),
    ),
    Case(
        "kf.get_msg_list",
        kf.get_msg_list(1400500000, 1400570000),
        "POST",
        "/customservice/msgrecord/getmsglist",
        json={"starttime": 1400500000, "endtime": 1400570000, "msgid": 1, "number": 10000},
        answer=RECORDS,
        result=RECORD_PAGE,
    ),
    Case(
        "kf.get_msg_list",
        kf.get_msg_list(1400500000, 1400570000, msgid=20165267, number=50),
        "POST",
        "/customservice/msgrecord/getmsglist",
        json={"starttime": 1400500000, "endtime": 1400570000, "msgid": 20165267, "number": 50},
        answer={"errcode": 0, "errmsg": "ok", "recordlist": [], "number": 0, "msgid": 20165267},
        result=kf.MsgRecordPage(msgid=20165267),
    ),
    Case(
        "kf.iterate_msg_records",
        kf.iterate_msg_records(1400500000, 1400570000, number=2).first,
        "POST",
        "/customservice/msgrecord/getmsglist",
        json={"starttime": 1400500000, "endtime": 1400570000, "msgid": 1, "number": 2},
        answer=RECORDS,
        result=RECORD_PAGE,
    ),
    Case(
        "kf.iterate_msg_records",
        kf.iterate_msg_records(1400500000, 1400570000, number=2).next_of(RECORD_PAGE),
        "POST",
        "/customservice/msgrecord/getmsglist",
        json={"starttime": 1400500000, "endtime": 1400570000, "msgid": 20165267, "number": 2},
        answer=RECORDS,
        result=RECORD_PAGE,
    ),
]
