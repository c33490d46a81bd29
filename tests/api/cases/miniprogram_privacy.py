"""Cases of miniprogram: the privacy statement and logs."""

from __future__ import annotations

from datetime import date

from tests.api.cases.case import Case
from wechat_msg.api import miniprogram

OWNER = {
    "contact_email": "a@example.com",
    "contact_phone": "13800000000",
    "contact_qq": "10001",
    "contact_weixin": "weixin",
    "ext_file_media_id": "MEDIA",
    "notice_method": "弹窗",
    "store_expire_timestamp": "30天",
}
JS_ERR = {
    "errorMsg": "TypeError: x is undefined",
    "errorMsgMd5": "f2fa36da",
    "errorStack": "at pages/index",
    "errorStackMd5": "fcab3d17",
    "uv": 2,
    "uvPercent": "0.5%",
    "pv": "3",
    "pvPercent": "1%",
}

CASES = [
    Case(
        "miniprogram.get_privacy_setting",
        miniprogram.get_privacy_setting(),
        "POST",
        "/cgi-bin/component/getprivacysetting",
        json={},
        answer={"errcode": 0, "errmsg": "ok", "code_exist": 0},
        result=miniprogram.PrivacySetting(code_exist=False),
    ),
    Case(
        "miniprogram.get_privacy_setting",
        miniprogram.get_privacy_setting(privacy_ver=2),
        "POST",
        "/cgi-bin/component/getprivacysetting",
        json={"privacy_ver": 2},
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "code_exist": 1,
            "privacy_list": ["UserInfo", "Location"],
            "setting_list": [{"privacy_key": "UserInfo", "privacy_text": "注册", "privacy_label": "用户信息"}],
            "update_time": 1611030001,
            "owner_setting": OWNER,
            "privacy_desc": {"privacy_desc_list": [{"privacy_key": "UserInfo", "privacy_desc": "用户信息（头像等）"}]},
        },
        result=miniprogram.PrivacySetting(
            code_exist=True,
            privacy_list=("UserInfo", "Location"),
            setting_list=(
                miniprogram.PrivacyItem(privacy_key="UserInfo", privacy_text="注册", privacy_label="用户信息"),
            ),
            update_time=1611030001,
            owner_setting=miniprogram.OwnerSetting(**OWNER),
            privacy_desc=miniprogram.PrivacyDescs(
                privacy_desc_list=(miniprogram.PrivacyDesc(privacy_key="UserInfo", privacy_desc="用户信息（头像等）"),)
            ),
        ),
    ),
    Case(
        "miniprogram.set_privacy_setting",
        miniprogram.set_privacy_setting(
            miniprogram.OwnerSetting(contact_email="a@example.com", notice_method="弹窗"),
            setting_list=[miniprogram.PrivacyItem(privacy_key="UserInfo", privacy_text="注册")],
        ),
        "POST",
        "/cgi-bin/component/setprivacysetting",
        json={
            "owner_setting": {"contact_email": "a@example.com", "notice_method": "弹窗"},
            "setting_list": [{"privacy_key": "UserInfo", "privacy_text": "注册"}],
        },
    ),
    Case(
        "miniprogram.set_privacy_setting",
        miniprogram.set_privacy_setting(
            OWNER, setting_list=[{"privacy_key": "Location", "privacy_text": "送货"}], privacy_ver=1
        ),
        "POST",
        "/cgi-bin/component/setprivacysetting",
        json={
            "privacy_ver": 1,
            "owner_setting": OWNER,
            "setting_list": [{"privacy_key": "Location", "privacy_text": "送货"}],
        },
    ),
    Case(
        "miniprogram.set_privacy_setting",
        miniprogram.set_privacy_setting(miniprogram.OwnerSetting(contact_qq="10001", notice_method="公告")),
        "POST",
        "/cgi-bin/component/setprivacysetting",
        json={"owner_setting": {"contact_qq": "10001", "notice_method": "公告"}},
    ),
    Case(
        "miniprogram.upload_privacy_ext_file",
        miniprogram.upload_privacy_ext_file("补充文档".encode()),
        "POST",
        "/cgi-bin/component/uploadprivacyextfile",
        files={"file": ("media.txt", "补充文档".encode(), "text/plain")},
        answer={"errcode": 0, "errmsg": "ok", "ext_file_media_id": "MEDIA"},
        result="MEDIA",
    ),
    Case(
        "miniprogram.upload_privacy_ext_file",
        miniprogram.upload_privacy_ext_file(b"statement", filename="statement.txt"),
        "POST",
        "/cgi-bin/component/uploadprivacyextfile",
        files={"file": ("statement.txt", b"statement", "text/plain")},
        answer={"errcode": 0, "errmsg": "ok", "ext_file_media_id": "MEDIA"},
        result="MEDIA",
    ),
    Case(
        "miniprogram.get_jserr_list",
        miniprogram.get_jserr_list(date(2026, 11, 23), "2026-11-29"),
        "POST",
        "/wxaapi/log/jserr_list",
        json={
            "startTime": "2026-11-23",
            "endTime": "2026-11-29",
            "errType": "0",
            "appVersion": "0",
            "openid": "",
            "keyword": "",
            "orderby": "uv",
            "desc": True,
            "offset": 0,
            "limit": 30,
        },
        answer={"errcode": 0, "errmsg": "ok", "data": [], "totalCount": 0},
        result=miniprogram.JsErrPage(),
    ),
    Case(
        "miniprogram.get_jserr_list",
        miniprogram.get_jserr_list(
            "2026-11-23",
            "2026-11-29",
            offset=30,
            limit=10,
            err_type="1",
            app_version="1.2.3",
            openid="oUSER",
            keyword="undefined",
            orderby="pv",
            desc=False,
        ),
        "POST",
        "/wxaapi/log/jserr_list",
        json={
            "startTime": "2026-11-23",
            "endTime": "2026-11-29",
            "errType": "1",
            "appVersion": "1.2.3",
            "openid": "oUSER",
            "keyword": "undefined",
            "orderby": "pv",
            "desc": False,
            "offset": 30,
            "limit": 10,
        },
        answer={"errcode": 0, "errmsg": "ok", "data": [JS_ERR], "totalCount": 31},
        result=miniprogram.JsErrPage(
            data=(
                miniprogram.JsErr(
                    error_msg="TypeError: x is undefined",
                    error_msg_md5="f2fa36da",
                    error_stack="at pages/index",
                    error_stack_md5="fcab3d17",
                    uv=2,
                    uv_percent="0.5%",
                    pv=3,
                    pv_percent="1%",
                ),
            ),
            total_count=31,
        ),
    ),
]
