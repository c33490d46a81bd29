"""The fields of pushes of many events, in the shapes that WeChat's pages show.

Each row is the name of a push, which begins with its event, and its fields in JSON; `XML` and `FLAT` have what is
written otherwise in one of the formats.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["CLASSES", "FIELDS", "FLAT", "XML"]

APPID = "wx0123456789abcdef"
NOW = 1700000000
_CARD = {"CardId": "pFS7Fjg8kV1IdDz01r4SQwMkuCKc", "UserCardCode": "226009850808"}
_GIFT = {"PageId": "PAGE", "OrderId": "Z2y2rY74ksZX1ceuGA"}
_REMINDED = {
    "transaction_id": "42000020212023112332159214xx",
    "merchant_id": "1230000109",
    "sub_merchant_id": "1900000109",
    "merchant_trade_no": "NO_1",
    "pay_time": NOW,
    "msg": "an order waits",
}
_TEAM = {"ActivityId": "A1", "TeamId": "T1", "TeamType": 1, "TeamAction": 0}
_PAID = {"MchOrderNo": "M1", "TransactionId": "4200002", "PaidTime": NOW}
_BOUGHT = {"Quantity": 1, "OrigPrice": 100, "ActualPrice": "90", "Attach": "attached"}
_SCAN = {"KeyStandard": "ean13", "KeyStr": "6901481811083", "Country": "中国", "Province": "广东", "City": "揭阳"}
_DEVICE = {"DeviceType": "gh_1", "DeviceID": "D1", "Content": "ZGF0YQ==", "SessionID": 4294967297, "OpenID": "oDEVICE"}
_COMPONENT = {"AppId": "wxcomponent0000000"}
_AUTHORIZED = {
    **_COMPONENT,
    "AuthorizerAppid": APPID,
    "AuthorizationCode": "queryauthcode@@@1",
    "AuthorizationCodeExpiredTime": "1700003600",
    "PreAuthCode": "preauthcode@@@2",
}
_COMPLAINT = {
    "appid": APPID,
    "option_type": "1",
    "complaint_order_id": "20001",
    "status": "100",
    "create_time": "1690000000",
    "expire_time": "1690086400",
    "type": "3",
    "order_id": "30001",
    "out_trade_no": "NO_1",
    "phone_number": "13800000000",
    "open_id": "oCOMPLAINING",
    "pay_time": "1689990000",
    "total_cost": "100",
    "product_name": "a product",
    "customer_material_content": " it is broken ",
    "customer_material_media_id_list": ["MEDIA_1", "MEDIA_2"],
    "history": [
        {"time": "1690000000", "content": "it is broken", "media_id_list": ["MEDIA_3", "MEDIA_4"]},
        {"time": "1690000001", "content": "we are sorry", "media_id_list": []},
    ],
}
_FOLLOW = {"room_id": 5, "user_openid": "oFAN", "time": NOW, "live_status": 102, "action": "add_follow"}
_BEACON = {"Uuid": "FDA50693-A4E2-4FB1-AFCF-C6EB07647825", "Major": 10001, "Minor": 19007, "Distance": "0.057"}

FIELDS: dict[str, dict[str, Any]] = {
    # cards
    "card_pass_check": {"CardId": "pFS7Fjg8kV1IdDz01r4SQwMkuCKc"},
    "card_not_pass_check": {"CardId": "pFS7Fjg8kV1IdDz01r4SQwMkuCKc", "RefuseReason": "非法代制"},
    "user_get_card": {
        **_CARD,
        "IsGiveByFriend": 1,
        "FriendUserName": "oFRIEND",
        "OuterId": 1,
        "OldUserCardCode": "198374613512",
        "OuterStr": "12b",
        "IsRestoreMemberCard": 0,
        "IsRecommendByFriend": "0",
        "UnionId": "oUNION",
        "SourceScene": "SOURCE_SCENE_QRCODE",
    },
    "user_get_card without most fields": {**_CARD, "OldUserCardCode": ""},
    "user_gifting_card": {**_CARD, "IsReturnBack": 0, "FriendUserName": "oFRIEND", "IsChatRoom": 0},
    "user_del_card": _CARD,
    "user_consume_card": {
        **_CARD,
        "ConsumeSource": "FROM_API",
        "LocationName": "a shop",
        "LocationId": 222222,
        "StaffOpenId": "oSTAFF",
        "VerifyCode": "4242",
        "RemarkAmount": "12.50",
        "OuterStr": "xxxxx",
        "OuterId": "1",
    },
    "user_pay_from_pay_cell": {
        **_CARD,
        "TransId": "10022403432015000000",
        "LocationId": 291710000,
        "LocationName": "a shop",
        "Fee": "10000",
        "OriginalFee": "12000",
    },
    "user_view_card": {**_CARD, "OuterStr": "12b", "OuterId": 0},
    "user_enter_session_from_card": _CARD,
    "update_member_card": {**_CARD, "ModifyBonus": 3, "ModifyBalance": -5},
    "card_sku_remind": {"CardId": "pFS7Fjg8kV1IdDz01r4SQwMkuCKc", "Detail": "the card's quantity is equal to 0"},
    "card_pay_order": {
        "OrderId": "404091456",
        "Status": "ORDER_STATUS_FINANCE_SUCC",
        "CreateOrderTime": 1472520000,
        "PayFinishTime": 0,
        "Desc": "a description",
        "FreeCoinCount": "200",
        "PayCoinCount": "0",
        "RefundFreeCoinCount": "0",
        "RefundPayCoinCount": "0",
        "OrderType": "ORDER_TYPE_SYS_ADD",
        "Memo": "a remark",
        "ReceiptInfo": "an invoice",
    },
    "submit_membercard_user_info": _CARD,
    "card_merchant_check_result": {"MerchantId": 12345, "IsPass": 0, "Reason": "a reason"},
    "giftcard_pay_done": _GIFT,
    "giftcard_send_to_friend": {**_GIFT, "IsChatRoom": True, "IsReturnBack": False},
    "giftcard_user_accept": {**_GIFT, "IsChatRoom": "true"},
    # certification
    "qualification_verify_success": {"ExpiredTime": 1442401156},
    "qualification_verify_fail": {"FailTime": 1442401122, "FailReason": "by time"},
    "naming_verify_success": {"ExpiredTime": "1442401093"},
    "naming_verify_fail": {"FailTime": 1442401061, "FailReason": "by time"},
    "annual_renew": {"ExpiredTime": 1442401004},
    "verify_expired": {"ExpiredTime": 1442400900},
    # debug
    "debug_demo": {"debug_str": "a test"},
    # dramas_books
    "secvod_upload_event": {
        "upload_event": {"media_id": 20001, "source_context": "CONTEXT", "errcode": 0, "errmsg": "ok"}
    },
    "secvod_audit_event": {
        "audit_event": {
            "drama_id": 20001,
            "source_context": "CONTEXT",
            "audit_detail": {"status": 3, "audit_type": 1, "create_time": 1690000000, "audit_time": 1690000001},
        }
    },
    "secbook_audit_event": {
        "audit_event": {
            "book_id": "B1",
            "audit_detail": {"status": 3, "create_time": 1690000000, "audit_time": 1690000001},
        }
    },
    "book_ban_status_change": {
        "book_id": "B1",
        "book_title": "a book",
        "chapter_id": "C1",
        "chapter_title": "a chapter",
        "ban_status": 1,
        "time": 1690000000,
    },
    "wxa_novel_chapter_permission": {
        "BookId": "B1",
        "ChapterIndex": 0,
        "ChapterId": "C1",
        "CustomServerParams": "a=1",
        "Source": 1,
        "ChapterOriginalId": "MY_C1",
        "BookOriginalId": "MY_B1",
    },
    # guide
    "guide_qrcode_scan_event": {
        "GuideScanEvent": {
            "qrcode_guide_account": "guide",
            "qrcode_guide_openid": "oGUIDE",
            "openid": "oVISITOR",
            "action": 1,
            "qrcode_info": "QR",
        }
    },
    # invoices
    "user_authorize_invoice": {
        "SuccOrderId": "1202933957956",
        "FailOrderId": "",
        "AuthorizeAppId": APPID,
        "Source": "web",
    },
    "user_authorize_invoice that failed": {"FailOrderId": "1202933957956", "AppId": APPID, "Source": "web"},
    "update_invoice_status": {"Status": "INVOICE_REIMBURSE_INIT", "CardId": "CARD", "Code": "186921658591"},
    "submit_invoice_title": {
        "title": "a company",
        "tax_no": "92440300L96745",
        "addr": "a street",
        "phone": "0755-10000000",
        "bank_type": "a bank",
        "bank_no": "6222000000000000",
        "attach": "order 7",
        "title_type": "InvoiceUserTitleBusinessType",
    },
    "cloud_invoice_invoiceresult_event": {"fpqqlsh": "SERIAL", "status": 1, "nsrsbh": "150001194112132161"},
    # live
    "wxalive_follow_notify": {"FollowNotify": _FOLLOW},
    # logistics
    "add_express_path": {
        "DeliveryID": "SF",
        "WayBillId": "SF1001",
        "OrderId": "OID1",
        "Version": 2,
        "Count": 2,
        "Actions": [
            {"ActionTime": 1533052800, "ActionType": 100001, "ActionMsg": "揽件成功"},
            {"ActionTime": "1533062800", "ActionType": "200001", "ActionMsg": ""},
        ],
    },
    "express_add_path": {
        "WayBillId": "SF1001",
        "Version": 1,
        "Count": 1,
        "Actions": {"ActionTime": 1533052800, "ActionType": 100001, "ActionMsg": "揽件成功"},
    },
    "update_business_bind_result": {"delivery_id": "TEST", "biz_id": "BIZ"},
    "update_waybill_status": {
        "shopid": "SHOP",
        "shop_order_id": "OID1",
        "waybill_id": "W1",
        "action_time": 1533052800,
        "order_status": 102,
        "action_msg": "on the way",
        "shop_no": "12",
        "agent": {"name": "a courier", "phone": "13800000000", "reach_time": 1533062800},
    },
    # minigames
    "minigame_coin_deliver_completed": {
        "MiniGame": {"Payload": '{"OpenId":"o1","Env":0}', "PayEventSig": "ab12", "IsMock": False}
    },
    # paid_services
    "charge_mp_service_quota_notify": {
        "event_type": 3,
        "appid": APPID,
        "spu_id": "10000077",
        "spu_name": "a service",
        "total_quota": 100,
        "total_used_quota": 90,
    },
    "charge_service_quota_notify": {"event_type": 3, "spu_id": 10000077, "total_quota": "100"},
    "charge_mp_service_validity_notify": {
        "event_type": 4,
        "appid": APPID,
        "spu_id": 10000077,
        "spu_name": "a service",
        "validity_end_time": 1700086400,
    },
    # penalties
    "complaint_callback": {"BussiCallBackInfo": _COMPLAINT},
    "wxa_punish_event": {
        "punish_id": "PUNISH",
        "appid": APPID,
        "punish_time": NOW,
        "illegal_reason": "a reason",
        "illegal_content": ["one thing", "another"],
        "rule_name": "a rule",
        "rule_url": "https://example.com/rule",
        "adjust_guide_url": "https://example.com/guide",
        "event_type": 2,
        "detail": json.dumps({"banned_days": [3, 7], "banned_function_names": ["search", "sharing"]}),
    },
    "wxa_punish_event with a warning": {
        "event_type": 1,
        "detail": json.dumps(
            {
                "warned_type": 1,
                "rectify_deadline": NOW,
                "warned_function_names": ["search"],
                "warned_ban_days": [7],
            }
        ),
    },
    "wxa_punish_event that closes": {"event_type": 3, "detail": '{"suspended_days":7}'},
    "wxa_punish_event with one text": {"event_type": 4, "illegal_content": "one thing", "detail": '{"banned_days":3}'},
    "wxa_punish_event with an empty list": {"event_type": 10, "illegal_content": [], "detail": '{"path":"pages/a"}'},
    "wxa_appeal_record": {
        "appeal_record_id": 1000,
        "appid": APPID,
        "appeal_time": "1690000000",
        "appeal_count": 1,
        "appeal_from": "0",
        "appeal_status": 3,
        "audit_time": 1690086400,
        "audit_reason": "a reason",
        "punish_description": "a penalty",
        "material": [
            {
                "illegal_material": {"content": "what was wrong", "content_url": "https://example.com/wrong"},
                "appeal_material": {"reason": "it was right", "proof_material_id": ["M1", "M2"]},
            },
            {"appeal_material": {"reason": "that, too", "proof_material_id": "M3"}},
        ],
    },
    "wxa_comment_bad_score": {"result": {"comment_id": 2621465832214528001}},
    # poi
    "poi_check_notify": {"UniqId": 123, "PoiId": 421250000, "Result": "fail", "Msg": "a reason"},
    "poi_check_notify in lower case": {"Result": "succ", "msg": "ok"},
    "create_map_poi_audit_info": {
        "audit_id": 11111,
        "status": 3,
        "map_poi_id": "17798756852411111",
        "name": "a shop",
        "address": "a street",
        "latitude": 23.134521,
        "longitude": "113.358803",
        "sh_remark": "a remark",
    },
    # review
    "weapp_audit_success": {"SuccTime": 1488856741},
    "weapp_audit_fail": {"Reason": "1:账号信息不符合规范:<br>", "FailTime": 1488856591, "ScreenShot": "S1|S2"},
    "weapp_audit_delay": {"Reason": "为了更好的服务小程序", "DelayTime": 1488856591},
    "wxa_nickname_audit": {"ret": 2, "nickname": "a name", "reason": "a reason"},
    "wxa_category_audit": {"ret": 3, "first": 1, "second": 2, "reason": ""},
    "wxa_privacy_apply": {
        "result_info": {
            "api_name": "wx.choosePoi",
            "apply_time": "1655211111",
            "audit_id": "4211202267",
            "audit_time": 1655211112,
            "reason": "a reason",
            "status": "2",
        }
    },
    # third_party
    "component_verify_ticket": {**_COMPONENT, "ComponentVerifyTicket": "ticket@@@1"},
    "authorized": _AUTHORIZED,
    "updateauthorized": _AUTHORIZED,
    "unauthorized": {**_COMPONENT, "AuthorizerAppid": APPID},
    "notify_third_fasteregister": {
        **_COMPONENT,
        "appid": APPID,
        "status": 0,
        "auth_code": "queryauthcode@@@1",
        "msg": "OK",
        "info": {
            "name": "a company",
            "code": "123456",
            "code_type": 1,
            "legal_persona_wechat": "somebody",
            "legal_persona_name": "a person",
            "component_phone": "1234567",
            "idname": "another person",
            "wxuser": "someone",
        },
    },
    "notify_3rd_wxa_auth": {
        **_COMPONENT,
        "appid": APPID,
        "taskid": "TASK",
        "task_status": 9,
        "apply_status": 2,
        "message": "a message",
        "dispatch_info": {"provider": "a company", "contact": "0755-1", "dispatch_time": NOW},
    },
    "notify_3rd_wxa_wxverify": {**_COMPONENT, "appid": APPID, "expired": NOW, "message": "a message"},
    # trade
    "trade_manage_remind_access_api": {"msg": "use the API"},
    "trade_manage_remind_shipping": _REMINDED,
    "trade_manage_order_settlement": {
        **_REMINDED,
        "shipped_time": NOW,
        "estimated_settlement_time": 1700864000,
        "confirm_receive_method": 2,
        "confirm_receive_time": 1700864000,
        "settlement_time": 1700864001,
    },
    "wxa_trade_controlled": {"msg": "payments are restricted"},
    # virtual_payment
    "xpay_goods_deliver_notify": {
        "OpenId": "oBUYER",
        "OutTradeNo": "NO_1",
        "Env": 0,
        "WeChatPayInfo": _PAID,
        "GoodsInfo": {"ProductId": "P1", **_BOUGHT},
        "TeamInfo": _TEAM,
        "RetryTimes": "2",
    },
    "xpay_coin_pay_notify": {"OpenId": "oBUYER", "OutTradeNo": "NO_1", "Env": 1, "CoinInfo": _BOUGHT, "RetryTimes": 0},
    "xpay_refund_notify": {
        "OpenId": "oBUYER",
        "WxRefundId": "R1",
        "MchRefundId": "R2",
        "WxOrderId": "O1",
        "MchOrderId": "O2",
        "RefundFee": 100,
        "RetCode": 0,
        "RetMsg": "ok",
        "RefundStartTimestamp": NOW,
        "RefundSuccTimestamp": "1700000001",
        "WxpayRefundTransactionId": "50000000",
        "RetryTimes": 0,
        "TeamInfo": _TEAM,
    },
    "xpay_complaint_notify": {
        "OpenId": "oBUYER",
        "WxOrderId": "O1",
        "MchOrderId": "O2",
        "TransactionId": "4200002",
        "ComplaintId": "C1",
        "ComplaintDetail": " it never came ",
        "ComplaintTime": "2023-11-15T06:13:20+08:00",
        "RetryTimes": 1,
        "RequestId": "REQUEST",
    },
    "xpay_wxpay_callback_notify": {
        "AppId": APPID,
        "NickName": "a Mini Program",
        "MerchantCode": "1230000109",
        "MerchantCompanyName": "a company",
        "BusinessTime": "2023-11-15T06:13:20+08:00",
        "BusinessCode": "B1",
        "BusinessState": "S1",
        "Remark": "a remark",
        "EventType": "punishment",
        "RetryTimes": 0,
    },
    "xpay_subscribe_ios_refund_query_notify": {
        "OpenId": "oBUYER",
        "OutTradeNo": "NO_1",
        "Env": 0,
        "refund_time": "1700000000",
        "order_time": "1690000000",
        "channel_bill": "BILL",
        "bundleid": "com.example.app",
        "product_id": "P1",
        "p_count": "1",
        "refund_request_reason": "OTHER",
        "provide_status": "1",
        "pay_order_id": "O1",
        "consumption_status": "0",
        "service_type": "unipdt",
    },
    # withdrawn
    "merchant_order": {"OrderId": 7197417460812584720, "OrderStatus": 2, "ProductId": "P1", "SkuInfo": "10001:1000012"},
    "WifiConnected": {
        "ConnectTime": 0,
        "ExpireTime": 0,
        "VendorId": "3001224419",
        "PlaceId": 1234,
        "ShopId": 5678,
        "DeviceNo": "D1",
    },
    "ShakearoundUserShake": {
        "ChosenBeacon": _BEACON,
        "AroundBeacons": [
            {**_BEACON, "Major": 10002, "Distance": 166.816},
            {**_BEACON, "Major": 10003, "Distance": 15},
        ],
    },
    "ShakearoundUserShake with one beacon around": {"ChosenBeacon": "", "AroundBeacons": _BEACON},
    "user_scan_product": {**_SCAN, "Sex": 1, "Scene": 2, "ExtInfo": "123"},
    "user_scan_product_enter_session": {"KeyStandard": "ean13", "KeyStr": "6901481811083", "ExtInfo": "123"},
    "user_scan_product_async": {**_SCAN, "RegionCode": "440105"},
    "user_scan_product_verify_action": {
        "KeyStandard": "ean13",
        "KeyStr": "6901481811083",
        "Result": "verify_ok",
        "ReasonMsg": "a reason",
    },
    "subscribe_scan_product": {**_SCAN, "Sex": "0", "Scene": "1", "ExtInfo": "", "EventKey": "K1"},
    "device_text": _DEVICE,
    "device_bind": _DEVICE,
    "device_unbind": {"DeviceID": "D1", "OpenID": "oDEVICE"},
    "device_subscribe_status": {"DeviceType": "gh_1", "DeviceID": "D1", "OpType": 0, "DeviceStatus": "1"},
    "device_unsubscribe_status": {"DeviceType": "gh_1", "DeviceID": "D1"},
}

#: The classes of events that have two names, by the other one.
CLASSES = {
    "charge_service_quota_notify": "ChargeMpServiceQuotaNotifyEvent",
    "express_add_path": "AddExpressPathEvent",
    "related_shop_order_submission": "CooperationShopOrderEvent",
}

#: Events whose members are in an element of their own in XML only.
FLAT = {"wxalive_follow_notify", "wxalive_push_message_notify", "complaint_callback"}


def _write_beacon(name: str, major: int, distance: str) -> str:
    uuid = "FDA50693-A4E2-4FB1-AFCF-C6EB07647825"
    return f"""<{name}>
    <Uuid><![CDATA[{uuid}]]></Uuid>
    <Major>{major}</Major>
    <Minor>19007</Minor>
    <Distance>{distance}</Distance>
  </{name}>"""


#: The fields in XML, where lists have elements of their own for the items.
XML = {
    "ShakearoundUserShake": f"""
  {_write_beacon("ChosenBeacon", 10001, "0.057")}
  <AroundBeacons>
  {_write_beacon("AroundBeacon", 10002, "166.816")}
  {_write_beacon("AroundBeacon", 10003, "15")}
  </AroundBeacons>""",
    "ShakearoundUserShake with one beacon around": f"""
  <ChosenBeacon></ChosenBeacon>
  <AroundBeacons>
  {_write_beacon("AroundBeacon", 10001, "0.057")}
  </AroundBeacons>""",
    "wxa_punish_event with an empty list": """
  <event_type>10</event_type>
  <illegal_content></illegal_content>
  <detail><![CDATA[{"path":"pages/a"}]]></detail>""",
}
