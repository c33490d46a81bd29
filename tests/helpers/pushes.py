"""Pushes of partners, payments, registration and shops: the members of each event, without the common ones.

A value that begins with ``secret`` must not be in a repr. Ids that WeChat sends as numbers are more than 2**53.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["PUSHES"]

_ORDER = json.dumps(
    {
        "OpenId": "oUSER0000000000000000000023",
        "Env": 24,
        "OutTradeNo": "1000000000000000025",
        "GoodsInfo": {
            "ProductId": "1000000000000000027",
            "Quantity": 28,
            "ZoneId": "1000000000000000029",
            "OrigPrice": 30,
            "ActualPrice": 31,
            "Attach": "secret Attach 32",
            "OrderSource": 33,
        },
        "WeChatPayInfo": {
            "MchOrderNo": "1000000000000000035",
            "TransactionId": "1000000000000000036",
            "PaidTime": 1700000037,
        },
    }
)
_QUERY = json.dumps(
    {"type": 1, "slot_list": [{"key": "city", "value": "secret"}], "longitude": 113.35, "latitude": "23.13"}
)

PUSHES: dict[str, dict[str, Any]] = {
    # verification, registration and filing
    "wx_verify_pay_succ": {"OrderId": "1000000000000000001"},
    "wx_verify_dispatch": {"Provider": "Provider 1", "Contact": "Contact 2", "DispatchTime": 1700000003},
    "wx_verify_refill": {"RefillTime": 1700000001, "RefillReason": "RefillReason 2"},
    "betaapp_verify_event": {
        "ApplyAuthorizationInfoNoitfy": {
            "appid": "wx0000000000000002",
            "mp_appid": "wx0000000000000003",
            "operation_time": "2026-11-29 10:00:04",
            "status": 5,
            "msg": "msg 6",
        }
    },
    "betaapp_verify_apply_event": {
        "ApplyAuthorizationInfoNoitfy": {
            "appid": "wx0000000000000002",
            "mp_appid": "wx0000000000000003",
            "operation_time": "2026-11-29 10:00:04",
            "status": 5,
            "msg": "msg 6",
        }
    },
    "betaapp_authorization_apply_event": {
        "ApplyAuthorizationInfoNoitfy": {
            "appid": "wx0000000000000002",
            "mp_appid": "wx0000000000000003",
            "operation_time": "2026-11-29 10:00:04",
            "status": 5,
            "msg": "msg 6",
            "ticket": "ticket 7",
        }
    },
    "notify_third_fastregisterbetaapp": {
        "AppId": "wx0000000000000001",
        "appid": "wx0000000000000002",
        "info": {"unique_id": "1000000000000000004", "name": "name 5"},
        "status": 6,
        "msg": "msg 7",
    },
    "notify_third_fastverifybetaapp": {
        "AppId": "wx0000000000000001",
        "appid": "wx0000000000000002",
        "info": {
            "name": "name 4",
            "code_type": 5,
            "code": "code 6",
            "legal_persona_name": "secret legal_persona_name 7",
            "legal_persona_wechat": "secret legal_persona_wechat 8",
            "component_phone": "secret component_phone 9",
        },
        "status": 10,
        "msg": "msg 11",
    },
    "notify_3rd_wxa_auth_and_icp": {
        "AppId": "wx0000000000000001",
        "appid": "wx0000000000000002",
        "taskid": "1000000000000000003",
        "task_status": 4,
        "apply_status": 5,
        "message": "message 6",
        "dispatch_info": {"provider": "provider 8", "contact": "contact 9", "dispatch_time": 1700000010},
        "procedure_id": "1000000000000000011",
        "procedure_status": 12,
    },
    "notify_apply_icpfiling_result": {
        "AppId": "wx0000000000000001",
        "authorizer_appid": "wx0000000000000002",
        "beian_status": 3,
    },
    "notify_icpfiling_verify_result": {
        "AppId": "wx0000000000000001",
        "task_id": "1000000000000000002",
        "verify_appid": "wx0000000000000003",
        "result": 4,
        "along_with_auth_result": 5,
    },
    # stores and places
    "apply_merchant_audit_info": {"audit_id": 3704612354559743001, "status": 2, "reason": "reason 3"},
    "add_store_audit_info": {
        "audit_id": 3704612354559743001,
        "status": 2,
        "reason": "reason 3",
        "is_upgrade": True,
        "poiid": "1000000000000000005",
    },
    "modify_store_audit_info": {"audit_id": 3704612354559743001, "status": 2, "reason": "reason 3"},
    "add_nearby_poi_audit_info": {
        "audit_id": 3704612354559743001,
        "status": 2,
        "reason": "reason 3",
        "poi_id": "1000000000000000004",
    },
    "nearby_category_audit_info": {"audit_id": 3704612354559743001, "status": 2, "reason": "reason 3"},
    # services and withdrawn features
    "hardware": {"HardWare": {"MessageView": "MessageView 2", "MessageAction": "MessageAction 3"}},
    "iot_voip_notify": {
        "Action": "join_voip_room",
        "Payload": "secret Payload 2",
        "RoomId": "1000000000000000003",
        "SessionKey": "secret SessionKey 4",
        "ServerToken": "secret ServerToken 5",
        "ModelId": "1000000000000000006",
        "Sn": "Sn 7",
    },
    "notify_service_msg_send_result": {
        "openid": "oUSER0000000000000000000001",
        "notify_code": "notify_code 2",
        "notify_type": 3,
        "card_status": 4,
        "fail_ret": 5,
        "fail_msg": "fail_msg 6",
    },
    "wxalive_push_message_notify": {
        "PushMessageApiNotify": {
            "message_id": "1000000000000000002",
            "room_id": 3704612354559743003,
            "total_count": 4,
            "success_count": 5,
            "openid_error_count": 6,
            "relation_error_count": 7,
            "user_recv_limit_count": True,
            "internal_error_count": 9,
        }
    },
    "wxa_illegal_record": {
        "illegal_record_id": "1000000000000000001",
        "appid": "wx0000000000000002",
        "create_time": "2026-11-29 10:00:03",
        "illegal_reason": "illegal_reason 4",
        "illegal_content": "illegal_content 5",
        "rule_url": "rule_url 6",
        "rule_name": "rule_name 7",
    },
    "order_path_apply_result_notify": {
        "list": [{"appid": "wx0000000000000002", "ret_code": 3}, {"appid": "wx0000000000000004", "ret_code": 5}]
    },
    "order_path_audit_result_notify": {
        "list": [
            {
                "appid": "wx0000000000000002",
                "audit_id": 3704612354559743003,
                "status": 4,
                "apply_time": 1700000005,
                "audit_time": 1700000006,
                "reason": "reason 7",
            },
            {
                "appid": "wx0000000000000008",
                "audit_id": 3704612354559743009,
                "status": 10,
                "apply_time": 1700000011,
                "audit_time": 1700000012,
                "reason": "reason 13",
            },
        ]
    },
    "wxa_widget_data": {"Query": _QUERY, "Scene": 2},
    "wxainsurance_claim_result": {
        "upload_event": {
            "OrderNo": "1000000000000000002",
            "Status": 6,
            "FinishTime": 1700000004,
            "PayFailReason": "reason 5",
        }
    },
    # virtual payment and mini games
    "xpay_subscribe_signing_result_notify": {
        "OpenId": "oUSER0000000000000000000001",
        "OutTradeNo": "1000000000000000002",
        "Env": 3,
        "ProductId": "1000000000000000004",
        "ContractResult": 5,
        "ContractResultMsg": "ContractResultMsg 6",
        "ContractId": "1000000000000000007",
        "Attach": "secret Attach 8",
    },
    "xpay_apple_subscribe_signing_result_notify": {
        "OpenId": "oUSER0000000000000000000001",
        "OutTradeNo": "1000000000000000002",
        "Env": 3,
        "ProductId": "1000000000000000004",
        "ContractResult": 5,
        "ContractResultMsg": "ContractResultMsg 6",
        "ContractId": "1000000000000000007",
        "Attach": "secret Attach 8",
    },
    "xpay_subscribe_pay_fail_notify": {
        "OpenId": "oUSER0000000000000000000001",
        "OutTradeNo": "1000000000000000002",
        "Env": 3,
    },
    "minigame_h5_goods_deliver_notify": {
        "MiniGame": {
            "Payload": _ORDER,
            "PayEventSig": "PayEventSig 38",
            "IsMock": 39,
        }
    },
    "minigame_game_pay_goods_deliver_notify": {
        "MiniGame": {
            "Payload": _ORDER,
            "PayEventSig": "PayEventSig 38",
            "IsMock": 39,
        }
    },
    # B2b stores
    "retail_pay_notify": {
        "appid": "wx0000000000000001",
        "mchid": "1000000000000000002",
        "out_trade_no": "1000000000000000003",
        "order_id": "1000000000000000004",
        "pay_status": "ORDER_PAY_SUCC",
        "pay_time": "2026-11-29 10:00:06",
        "attach": "secret attach 7",
        "payer_openid": "oUSER0000000000000000000008",
        "amount": {"order_amount": 10, "payer_amount": 11, "currency": "CNY"},
        "wxpay_transaction_id": "1000000000000000013",
        "env": 14,
    },
    "retail_refund_notify": {
        "appid": "wx0000000000000001",
        "mchid": "1000000000000000002",
        "out_refund_no": "1000000000000000003",
        "refund_id": "1000000000000000004",
        "out_trade_no": "1000000000000000005",
        "order_id": "1000000000000000006",
        "refund_amount": 7,
        "order_amount": 8,
        "refund_from": "REFUND_FROM_USER",
        "refund_reason": 10,
        "create_time": "2026-11-29 10:00:11",
        "refund_time": "2026-11-29 10:00:12",
        "refund_status": "REFUND_SUCC",
        "wxpay_refund_id": "1000000000000000014",
        "env": 15,
        "pay_channel": 16,
        "refund_desc": "secret refund_desc 17",
    },
    # delivery of parcels
    "add_waybill": {
        "BizID": "1000000000000000001",
        "BizPwd": "secret BizPwd 2",
        "ShopAppID": "wx0000000000000003",
        "Token": "secret Token 4",
        "OrderID": "1000000000000000005",
        "WayBillID": "1000000000000000006",
        "Remark": "secret Remark 7",
        "Sender": {
            "Name": "secret Name 9",
            "Tel": "secret Tel 10",
            "Mobile": "secret Mobile 11",
            "Company": "Company 12",
            "PostCode": "PostCode 13",
            "Country": "Country 14",
            "Province": "Province 15",
            "City": "City 16",
            "Area": "Area 17",
            "Address": "secret Address 18",
        },
        "Receiver": {
            "Name": "secret Name 20",
            "Tel": "secret Tel 21",
            "Mobile": "secret Mobile 22",
            "Company": "Company 23",
            "PostCode": "PostCode 24",
            "Country": "Country 25",
            "Province": "Province 26",
            "City": "City 27",
            "Area": "Area 28",
            "Address": "secret Address 29",
        },
        "Cargo": {
            "Count": 31,
            "Space_X": 32.5,
            "Space_Y": 33.5,
            "Space_Z": 34.5,
            "Weight": 35.5,
            "DetailList": [{"Name": "Name 37", "Count": 38}, {"Name": "Name 39", "Count": 40}],
        },
        "Insured": {"UseInsured": True, "InsuredValue": 43},
        "Service": {"ServiceType": 45, "ServiceName": "ServiceName 46"},
    },
    "cancel_waybill": {
        "BizID": "1000000000000000001",
        "BizPwd": "secret BizPwd 2",
        "ShopAppID": "wx0000000000000003",
        "OrderID": "1000000000000000004",
        "WayBillID": "1000000000000000005",
    },
    "check_biz": {
        "BizID": "1000000000000000001",
        "BizPwd": "secret BizPwd 2",
        "ShopAppID": "wx0000000000000003",
        "ShopName": "ShopName 4",
        "ShopTelphone": "secret ShopTelphone 5",
        "ShopContact": "secret ShopContact 6",
        "ServiceName": "ServiceName 7",
        "SenderProvince": "SenderProvince 8",
        "SenderCity": "SenderCity 9",
        "SenderArea": "SenderArea 10",
        "SenderAddress": "secret SenderAddress 11",
    },
    "get_quota": {"BizID": "1000000000000000001", "BizPwd": "secret BizPwd 2", "ShopAppID": "wx0000000000000003"},
    "waybill_notify_query": {
        "WaybillId": "1000000000000000001",
        "SenderPhone": "secret SenderPhone 2",
        "ReceiverPhone": "secret ReceiverPhone 3",
    },
    "add_single_waybill": {
        "Token": "secret Token 1",
        "WXAppId": "wx0000000000000002",
        "OrderID": "1000000000000000003",
        "WayBillID": "1000000000000000004",
        "CompanyID": "1000000000000000005",
        "Account": "Account 6",
        "AccountPwd": "secret AccountPwd 7",
        "Sender": {
            "Name": "secret Name 9",
            "Tel": "secret Tel 10",
            "Mobile": "secret Mobile 11",
            "Province": "Province 12",
            "City": "City 13",
            "Area": "Area 14",
            "Street": "Street 15",
            "Address": "secret Address 16",
            "Id": "1000000000000000017",
        },
        "Receiver": {
            "Name": "secret Name 19",
            "Tel": "secret Tel 20",
            "Mobile": "secret Mobile 21",
            "Province": "Province 22",
            "City": "City 23",
            "Area": "Area 24",
            "Street": "Street 25",
            "Address": "secret Address 26",
            "Id": "1000000000000000027",
        },
        "GoodDetail": {"Special": 29, "Weight": 30.5},
        "Insured": {"UseInsured": True, "InsuredValue": 33},
        "Remark": "secret Remark 34",
        "Settingment": 35,
        "ExpectStartTime": 1700000036,
        "ExpectEndTime": 1700000037,
        "PickUpStartTime": 1700000038,
        "PickUpEndTime": 1700000039,
        "Scene": 40,
    },
    "cancel_single_waybill": {
        "Token": "secret Token 1",
        "WXAppId": "wx0000000000000002",
        "OrderID": "1000000000000000003",
        "WayBillID": "1000000000000000004",
        "CancelID": 3704612354559743005,
        "CancelReason": "secret CancelReason 6",
    },
    "notify_single_waybill_pay": {
        "Token": "secret Token 1",
        "WXAppId": "wx0000000000000002",
        "OrderID": "1000000000000000003",
        "WayBillID": "1000000000000000004",
        "Fee": 5,
        "OriginalFee": 6,
        "PayOrderId": "1000000000000000007",
        "PayFinishTime": 1700000008,
    },
    "query_single_waybill": {
        "Token": "secret Token 1",
        "WXAppId": "wx0000000000000002",
        "OrderID": "1000000000000000003",
        "WayBillID": "1000000000000000004",
    },
    "query_single_waybill_fee": {
        "Sender": {
            "Name": "secret Name 2",
            "Tel": "secret Tel 3",
            "Mobile": "secret Mobile 4",
            "Province": "Province 5",
            "City": "City 6",
            "Area": "Area 7",
            "Street": "Street 8",
            "Address": "secret Address 9",
            "Id": "1000000000000000010",
        },
        "Receiver": {
            "Name": "secret Name 12",
            "Tel": "secret Tel 13",
            "Mobile": "secret Mobile 14",
            "Province": "Province 15",
            "City": "City 16",
            "Area": "Area 17",
            "Street": "Street 18",
            "Address": "secret Address 19",
            "Id": "1000000000000000020",
        },
        "GoodDetail": {"Special": 22, "Weight": 23.5},
        "Scene": 24,
    },
    "remind_waybill": {
        "Token": "secret Token 1",
        "WXAppId": "wx0000000000000002",
        "OrderID": "1000000000000000003",
        "WayBillID": "1000000000000000004",
    },
    "waybill_complaint": {
        "Token": "secret Token 1",
        "WXAppId": "wx0000000000000002",
        "OrderID": "1000000000000000003",
        "WayBillID": "1000000000000000004",
        "ComplainType": 5,
        "Content": "secret Content 6",
        "Pic": "Pic 7",
        "Name": "secret Name 8",
        "Phone": "secret Phone 9",
    },
    "waybill_evaluate_agent": {
        "Token": "secret Token 1",
        "WXAppId": "wx0000000000000002",
        "OrderID": "1000000000000000003",
        "WayBillID": "1000000000000000004",
        "CourierType": 5,
        "Score": 6,
    },
    "waybill_query_expect_time_range": {
        "WXAppId": "wx0000000000000001",
        "Province": "Province 2",
        "City": "City 3",
        "Area": "Area 4",
        "Street": "Street 5",
        "Address": "secret Address 6",
        "Id": "1000000000000000007",
    },
    # instant delivery
    "transport_add_order": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
        "sender": {
            "name": "secret name 7",
            "city": "city 8",
            "address": "secret address 9",
            "address_detail": "secret address_detail 10",
            "phone": "secret phone 11",
            "lng": 12.5,
            "lat": 13.5,
            "coordinate_type": 14,
        },
        "receiver": {
            "name": "secret name 16",
            "city": "city 17",
            "address": "secret address 18",
            "address_detail": "secret address_detail 19",
            "phone": "secret phone 20",
            "lng": 21.5,
            "lat": 22.5,
            "coordinate_type": 23,
        },
        "cargo": {
            "goods_value": 25.5,
            "goods_height": 26.5,
            "goods_length": 27.5,
            "goods_width": 28.5,
            "goods_weight": 29.5,
            "goods_detail": {
                "goods": [
                    {"good_count": 32, "good_name": "good_name 33", "good_price": 34.5, "good_unit": "good_unit 35"},
                    {"good_count": 36, "good_name": "good_name 37", "good_price": 38.5, "good_unit": "good_unit 39"},
                ]
            },
            "goods_pickup_info": "goods_pickup_info 40",
            "goods_delivery_info": "goods_delivery_info 41",
            "cargo_first_class": "cargo_first_class 42",
            "cargo_second_class": "cargo_second_class 43",
        },
        "order_info": {
            "delivery_service_code": "delivery_service_code 45",
            "order_type": 46,
            "expected_delivery_time": 1700000047,
            "expected_finish_time": 1700000048,
            "expected_pick_time": 1700000049,
            "poi_seq": "poi_seq 50",
            "order_time": 1700000051,
            "is_insured": True,
            "declared_value": 53.5,
            "tips": 54.5,
            "is_direct_delivery": True,
            "cash_on_delivery": 56.5,
            "cash_on_pickup": 57.5,
            "rider_pick_method": 58,
            "is_finish_code_needed": True,
            "is_pickup_code_needed": True,
            "note": "secret note 61",
        },
        "wx_token": "secret wx_token 62",
        "delivery_token": "secret delivery_token 63",
    },
    "transport_readd_order": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
        "sender": {
            "name": "secret name 7",
            "city": "city 8",
            "address": "secret address 9",
            "address_detail": "secret address_detail 10",
            "phone": "secret phone 11",
            "lng": 12.5,
            "lat": 13.5,
            "coordinate_type": 14,
        },
        "receiver": {
            "name": "secret name 16",
            "city": "city 17",
            "address": "secret address 18",
            "address_detail": "secret address_detail 19",
            "phone": "secret phone 20",
            "lng": 21.5,
            "lat": 22.5,
            "coordinate_type": 23,
        },
        "cargo": {
            "goods_value": 25.5,
            "goods_height": 26.5,
            "goods_length": 27.5,
            "goods_width": 28.5,
            "goods_weight": 29.5,
            "goods_detail": {
                "goods": [
                    {"good_count": 32, "good_name": "good_name 33", "good_price": 34.5, "good_unit": "good_unit 35"},
                    {"good_count": 36, "good_name": "good_name 37", "good_price": 38.5, "good_unit": "good_unit 39"},
                ]
            },
            "goods_pickup_info": "goods_pickup_info 40",
            "goods_delivery_info": "goods_delivery_info 41",
            "cargo_first_class": "cargo_first_class 42",
            "cargo_second_class": "cargo_second_class 43",
        },
        "order_info": {
            "delivery_service_code": "delivery_service_code 45",
            "order_type": 46,
            "expected_delivery_time": 1700000047,
            "expected_finish_time": 1700000048,
            "expected_pick_time": 1700000049,
            "poi_seq": "poi_seq 50",
            "order_time": 1700000051,
            "is_insured": True,
            "declared_value": 53.5,
            "tips": 54.5,
            "is_direct_delivery": True,
            "cash_on_delivery": 56.5,
            "cash_on_pickup": 57.5,
            "rider_pick_method": 58,
            "is_finish_code_needed": True,
            "is_pickup_code_needed": True,
            "note": "secret note 61",
        },
        "wx_token": "secret wx_token 62",
        "delivery_token": "secret delivery_token 63",
    },
    "transport_precreate_order": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
        "sender": {
            "name": "secret name 7",
            "city": "city 8",
            "address": "secret address 9",
            "address_detail": "secret address_detail 10",
            "phone": "secret phone 11",
            "lng": 12.5,
            "lat": 13.5,
            "coordinate_type": 14,
        },
        "receiver": {
            "name": "secret name 16",
            "city": "city 17",
            "address": "secret address 18",
            "address_detail": "secret address_detail 19",
            "phone": "secret phone 20",
            "lng": 21.5,
            "lat": 22.5,
            "coordinate_type": 23,
        },
        "cargo": {
            "goods_value": 25.5,
            "goods_height": 26.5,
            "goods_length": 27.5,
            "goods_width": 28.5,
            "goods_weight": 29.5,
            "goods_detail": {
                "goods": [
                    {"good_count": 32, "good_name": "good_name 33", "good_price": 34.5, "good_unit": "good_unit 35"},
                    {"good_count": 36, "good_name": "good_name 37", "good_price": 38.5, "good_unit": "good_unit 39"},
                ]
            },
            "goods_pickup_info": "goods_pickup_info 40",
            "goods_delivery_info": "goods_delivery_info 41",
            "cargo_first_class": "cargo_first_class 42",
            "cargo_second_class": "cargo_second_class 43",
        },
        "order_info": {
            "delivery_service_code": "delivery_service_code 45",
            "order_type": 46,
            "expected_delivery_time": 1700000047,
            "expected_finish_time": 1700000048,
            "expected_pick_time": 1700000049,
            "poi_seq": "poi_seq 50",
            "order_time": 1700000051,
            "is_insured": True,
            "declared_value": 53.5,
            "tips": 54.5,
            "is_direct_delivery": True,
            "cash_on_delivery": 56.5,
            "cash_on_pickup": 57.5,
            "rider_pick_method": 58,
            "is_finish_code_needed": True,
            "is_pickup_code_needed": True,
            "note": "secret note 61",
        },
    },
    "transport_cancel_order": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
        "cancel_reason_id": 6,
        "cancel_reason": "secret cancel_reason 7",
    },
    "transport_precancel_order": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
        "cancel_reason_id": 6,
        "cancel_reason": "secret cancel_reason 7",
    },
    "transport_query_order_status": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
    },
    "transport_add_tips": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
        "tips": 6.5,
        "remark": "secret remark 7",
    },
    "transport_confirm_return_to_biz": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
    },
    "transport_get_agent_pos": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
    },
    "transport_set_rider_score": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
        "delivery_ontime_score": 6,
        "cargo_intact_score": 7,
        "attitude_score": 8,
    },
    "mock_update_order_status": {
        "shopid": "1000000000000000001",
        "shop_order_id": "1000000000000000002",
        "shop_no": "1000000000000000003",
        "delivery_sign": "secret delivery_sign 4",
        "waybill_id": "1000000000000000005",
        "order_status": 6,
        "action_time": 1700000007,
        "action_msg": "action_msg 8",
    },
    "get_pre_auth_code": {"wx_appid": "wx0000000000000001"},
    "get_auth_info": {"wx_appid": "wx0000000000000001", "code": "secret code 2"},
    "cancel_auth_account": {"shopid": "1000000000000000001", "wx_appid": "wx0000000000000002"},
    # the custom trade component
    "open_product_account_register": {"OpenProductAccountRegister": {"status": 2}},
    "open_product_brand_audit": {
        "QualificationAuditResult": {
            "status": 2,
            "audit_id": "1000000000000000003",
            "brand_id": 3704612354559743004,
            "audit_type": 5,
            "reject_reason": "reject_reason 6",
        }
    },
    "open_product_category_audit": {
        "QualificationAuditResult": {
            "status": 2,
            "audit_id": "1000000000000000003",
            "audit_type": 4,
            "reject_reason": "reject_reason 5",
        }
    },
    "open_product_spu_audit": {
        "OpenProductSpuAudit": {
            "status": 2,
            "out_product_id": "1000000000000000003",
            "product_id": 3704612354559743004,
            "spu_status": 5,
            "info_version": "6",
            "reject_reason": "reject_reason 5",
        }
    },
    "open_product_spu_status_update": {
        "OpenProductSpuAudit": {
            "status": 2,
            "out_product_id": "1000000000000000003",
            "product_id": 3704612354559743004,
            "spu_status": 5,
            "info_version": "6",
            "reject_reason": "reject_reason 5",
        }
    },
    "open_product_scene_group_audit": {
        "SceneGroupAudit": {
            "group_id": 3704612354559743002,
            "name": "name 3",
            "reason": "reason 4",
            "scene_group_ext_list": [
                {"ext_id": 3704612354559743006, "name": "name 7", "status": 8},
                {"ext_id": 3704612354559743009, "name": "name 10", "status": 11},
            ],
        }
    },
    "open_product_receive_coupon": {"out_coupon_id": "1000000000000000001", "request_id": "1000000000000000002"},
    "funds_order_pay": {
        "order_info": {
            "trade_no": "1000000000000000002",
            "transaction_id": "1000000000000000003",
            "pay_time": "2026-11-29 10:00:04",
        }
    },
    "funds_order_profitsharing": {
        "order_info": {
            "profit_sharing_no": "1000000000000000002",
            "amount": 3,
            "result": "result 4",
            "finish_time": "2026-11-29 10:00:05",
        }
    },
    "funds_order_refund": {
        "order_info": {"refund_no": "1000000000000000002", "status": "status 3", "success_time": "2026-11-29 10:00:04"}
    },
    "withdraw_notify": {"withdraw_info": {"out_request_no": "1000000000000000002", "event": 3}},
    "miniprogram_sharer_action": {
        "type": 1,
        "openid": "oUSER0000000000000000000002",
        "promoter": {
            "finder_nickname": "finder_nickname 4",
            "promoter_id": "1000000000000000005",
            "promoter_openid": "oUSER0000000000000000000006",
        },
    },
    "miniprogram_sharer_bind_status_change": {"openid": "oUSER0000000000000000000001", "bind_status": 2},
    # its orders
    "open_product_order_analyze": {
        "order_info": {
            "out_order_id": "1000000000000000002",
            "order_id": 3704612354559743003,
            "openid": "oUSER0000000000000000000004",
        }
    },
    "open_product_order_cancel": {
        "order_info": {"out_order_id": "1000000000000000002", "order_id": 3704612354559743003}
    },
    "open_product_order_confirm": {
        "order_info": {"out_order_id": "1000000000000000002", "order_id": 3704612354559743003}
    },
    "open_product_order_pay": {
        "order_info": {
            "out_order_id": "1000000000000000002",
            "order_id": 3704612354559743003,
            "transaction_id": "1000000000000000004",
            "pay_time": "2026-11-29 10:00:05",
        }
    },
    "open_product_order_refund": {
        "order_info": {"out_order_id": "1000000000000000002", "order_id": 3704612354559743003}
    },
    "open_product_order_settle": {
        "order_info": {
            "out_order_id": "1000000000000000002",
            "order_id": 3704612354559743003,
            "settle_no": "1000000000000000004",
            "amount": 5,
            "settle_time": "2026-11-29 10:00:06",
        }
    },
    "aftersale_new_order": {
        "aftersale_info": {
            "aftersale_id": 3704612354559743002,
            "out_aftersale_id": "1000000000000000003",
            "order_id": 3704612354559743004,
            "out_order_id": "1000000000000000005",
        }
    },
    "aftersale_update_order": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_user_cancel": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_user_modify_return_info": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_user_confirm_refund_certificate": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_user_upload_return_info_overdue": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_user_apply_platform_judge_overdue": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_wait_merchant_confirm_receipt": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_wait_merchant_offline_refund": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_merchant_confirm_receipt_overdue": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_merchant_handle_refund_overdue": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_merchant_handle_return_overdue": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_refund_success": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "aftersale_complaint_update_order_state": {
        "aftersale_info": {"aftersale_id": 3704612354559743002, "out_aftersale_id": "1000000000000000003"}
    },
    "complaint_notify": {"complaint_info": {"complaint_order_id": 3704612354559743002, "state": 3, "event": 4}},
    # shops of Channels
    "channels_ec_acct_notify": {"account_info": {"event": 2}},
    "channels_ec_brand": {
        "BrandEvent": {
            "brand_id": 3704612354559743002,
            "audit_id": 3704612354559743003,
            "status": 4,
            "reason": "reason 5",
        }
    },
    "channels_ec_close_store": {"appid": "wx0000000000000001", "close_timestamp": 1700000002},
    "channels_ec_sharer_change": {"bind_status": 1, "openid": "oUSER0000000000000000000002", "sharer_type": 3},
    "channels_ec_stock_no_enough": {
        "channels_ec_stock_no_enough": {
            "product_id": 3704612354559743002,
            "sku_id": 3704612354559743003,
            "remaining_stock_amount": 4,
            "remaining_code_amount": 5,
        }
    },
    "channels_ec_withdraw_notify": {"withdraw_info": {"event": 2, "withdraw_id": "1000000000000000003"}},
    "product_category_audit": {
        "ProductCategoryAudit": {"audit_id": 3704612354559743002, "status": 3, "reason": "reason 4"}
    },
    "product_order_status_update": {"ProductOrderStatusUpdate": {"order_id": 3704612354559743002, "status": 3}},
    "product_spu_audit": {
        "ProductSpuAudit": {
            "product_id": 3704612354559743002,
            "status": 3,
            "reason": "reason 4",
            "audit_info": "audit_info 5",
            "product_type": 4,
        }
    },
    "product_spu_listing": {
        "ProductSpuListing": {"product_id": 3704612354559743002, "status": 3, "reason": "reason 4"}
    },
    "product_spu_update": {"ProductSpuUpdate": {"product_id": 3704612354559743002, "status": 3, "reason": "reason 4"}},
    "cooperation_shop_order": {"Data": {"shop_appid": "wx0000000000000002", "order_id": "1000000000000000003"}},
    "related_shop_order_submission": {"Data": {"shop_appid": "wx0000000000000002", "order_id": "1000000000000000003"}},
    "dropship_order_new": {"ds_order_id": "1000000000000000001"},
    "dropship_order_cancel": {"ds_order_id": "1000000000000000001"},
    "dropship_order_update": {"ds_order_id": "1000000000000000001", "update_time": 1700000002},
    "ewaybill_push_path": {
        "waybill_info": {
            "ewaybill_order_id": "1000000000000000002",
            "waybill_id": "1000000000000000003",
            "status": 4,
            "desc": "desc 5",
            "update_time": 1700000006,
        }
    },
    "head_supplier_item_update": {
        "item_info": {
            "event_type": 2,
            "appid": "wx0000000000000003",
            "product_id": 3704612354559743004,
            "version": 5,
            "update_fields": ["stock", "price"],
        }
    },
    "qrcode_status": {"qrcode_info": {"ticket": "ticket 2", "status": 3, "scan_user_type": 4}},
    "set_shop_nickname": {
        "appid": "wx0000000000000001",
        "old_nickname": "old_nickname 2",
        "new_nickname": "new_nickname 3",
    },
    # their orders and coupons
    "channels_ec_order_new": {"order_info": {"order_id": 3704612354559743002}},
    "channels_ec_order_pay": {"order_info": {"order_id": 3704612354559743002, "pay_time": 1700000003}},
    "channels_ec_order_wait_shipping": {"order_info": {"order_id": 3704612354559743002}},
    "channels_ec_order_deliver": {"order_info": {"order_id": 3704612354559743002, "finish_delivery": True}},
    "channels_ec_order_confirm": {"order_info": {"order_id": 3704612354559743002, "confirm_type": 3}},
    "channels_ec_order_cancel": {"order_info": {"order_id": 3704612354559743002, "cancel_type": 3}},
    "channels_ec_order_settle": {"order_info": {"order_id": 3704612354559743002, "settle_time": 1700000003}},
    "channels_ec_order_ext_info_update": {"order_info": {"order_id": 3704612354559743002, "type": 3}},
    "channels_ec_aftersale_update": {
        "finder_shop_aftersale_status_update": {
            "after_sale_order_id": 3704612354559743002,
            "order_id": 3704612354559743003,
            "status": "status 4",
            "wxa_vip_discounted_price": 5,
        }
    },
    "channels_ec_present_aftersale_update": {
        "finder_shop_present_aftersale_status_update": {
            "after_sale_order_id": 3704612354559743002,
            "order_id": 3704612354559743003,
            "status": "status 4",
        }
    },
    "channels_ec_guarantee_update": {
        "finder_shop_guarantee_status_update": {
            "guarantee_order_id": 3704612354559743002,
            "order_id": 3704612354559743003,
            "status": "status 4",
        }
    },
    "channels_ec_complaint_update": {
        "finder_shop_complaint": {
            "complaint_id": "1000000000000000002",
            "after_sale_order_id": 3704612354559743003,
            "order_id": 3704612354559743004,
            "complaint_status": 5,
        }
    },
    "channels_ec_coupon_create": {"coupon_info": {"coupon_id": "1000000000000000002", "create_time": 1700000003}},
    "channels_ec_coupon_delete": {"coupon_info": {"coupon_id": "1000000000000000002", "delete_time": 1700000003}},
    "channels_ec_coupon_expire": {"coupon_info": {"coupon_id": "1000000000000000002", "expire_time": 1700000003}},
    "channels_ec_coupon_info_change": {"coupon_info": {"coupon_id": "1000000000000000002", "change_time": 1700000003}},
    "channels_ec_coupon_invalid": {"coupon_info": {"coupon_id": "1000000000000000002", "invalid_time": 1700000003}},
    "channels_ec_coupon_receive": {
        "receive_info": {
            "coupon_id": 3704612354559743002,
            "user_coupon_id": "1000000000000000003",
            "receive_time": 1700000004,
        }
    },
    "channels_ec_user_coupon_expire": {
        "user_coupon_info": {
            "coupon_id": 3704612354559743002,
            "user_coupon_id": "1000000000000000003",
            "expire_time": 1700000004,
        }
    },
    "channels_ec_user_coupon_use": {
        "user_info": {"coupon_id": 3704612354559743002, "user_coupon_id": "1000000000000000003", "use_time": True}
    },
    "channels_ec_user_coupon_unuse": {
        "user_info": {
            "coupon_id": 3704612354559743002,
            "user_coupon_id": "1000000000000000003",
            "unuse_time": 1700000004,
        }
    },
    "channels_ec_voucher_send_succ": {
        "voucher_list": [
            {
                "code": "secret code 2",
                "code_type": 3,
                "status": 4,
                "send_time": 1700000005,
                "update_time": 1700000006,
                "start_time": 1700000007,
                "end_time": 1700000008,
                "consume_time": 1700000009,
                "refund_time": 1700000010,
                "consume_store_name": "consume_store_name 11",
                "voucher_type": 12,
                "voucher_buy_amount": 13,
                "voucher_actual_amount": 14,
                "telphone_no": "secret telphone_no 15",
                "product_id": 3704612354559743016,
                "sku_id": 3704612354559743017,
                "order_id": 3704612354559743018,
                "openid": "oUSER0000000000000000000019",
            },
            {
                "code": "secret code 20",
                "code_type": 21,
                "status": 22,
                "send_time": 1700000023,
                "update_time": 1700000024,
                "start_time": 1700000025,
                "end_time": 1700000026,
                "consume_time": 1700000027,
                "refund_time": 1700000028,
                "consume_store_name": "consume_store_name 29",
                "voucher_type": 30,
                "voucher_buy_amount": 31,
                "voucher_actual_amount": 32,
                "telphone_no": "secret telphone_no 33",
                "product_id": 3704612354559743034,
                "sku_id": 3704612354559743035,
                "order_id": 3704612354559743036,
                "openid": "oUSER0000000000000000000037",
            },
        ]
    },
    # their members
    "channels_ec_vip_join": {
        "user_info": {"join_time": 1700000002, "phone_number": "secret phone_number 3", "grade": 4}
    },
    "channels_ec_vip_close": {"user_info": {"close_time": 1700000002}},
    "channels_ec_vip_grade_info_update": {"user_info": {"grade": 2, "experience_value": 3}},
    "channels_ec_vip_score_update": {"user_info": {"score": 2, "delta_score": 3}},
    "channels_ec_vip_score_exchange": {
        "exchange_info": {
            "pay_score": 2,
            "score_item_type": 3,
            "coupon_info": {"related_coupon_id": 3704612354559743005},
            "product_info": {"related_product_id": 3704612354559743007},
        }
    },
    "channels_ec_vip_user_auto_add": {
        "info": {
            "shop_appid": "wx0000000000000002",
            "identity": "identity 3",
            "outer_userid": "1000000000000000004",
            "add_time": 1700000005,
        }
    },
    "channels_ec_vip_user_info_get": {"info": {"shop_appid": "wx0000000000000002"}},
}
