"""What each module of this package defines, so that it is imported only when some of it is needed."""

__all__ = ["EVENTS_OF_MODULES", "NAMES_OF_MODULES"]

#: The public names.
NAMES_OF_MODULES = {
    "base": "Event UnknownEvent register_event",
    "cards": """
        CardMerchantCheckResultEvent CardNotPassCheckEvent CardPassCheckEvent CardPayOrderEvent CardSkuRemindEvent
        GiftcardPayDoneEvent GiftcardSendToFriendEvent GiftcardUserAcceptEvent SubmitMembercardUserInfoEvent
        UpdateMemberCardEvent UserConsumeCardEvent UserDelCardEvent UserEnterSessionFromCardEvent UserGetCardEvent
        UserGiftingCardEvent UserPayFromPayCellEvent UserViewCardEvent
    """,
    "certification": """
        AnnualRenewEvent NamingVerifyFailEvent NamingVerifySuccessEvent QualificationVerifyFailEvent
        QualificationVerifySuccessEvent VerifyExpiredEvent
    """,
    "content_check": "MediaCheckDetail MediaCheckResult WxaMediaCheckEvent",
    "customer_service": "KfCloseSessionEvent KfCreateSessionEvent KfSwitchSessionEvent UserEnterTempSessionEvent",
    "debug": "DebugDemoEvent",
    "dramas_books": """
        BookBanStatusChangeEvent SecbookAudit SecbookAuditDetail SecbookAuditEvent SecvodAudit SecvodAuditDetail
        SecvodAuditEvent SecvodUpload SecvodUploadEvent WxaNovelChapterPermissionEvent
    """,
    "guide": "GuideQrcodeScanEvent GuideScan",
    "invoices": """
        CloudInvoiceInvoiceresultEvent SubmitInvoiceTitleEvent UpdateInvoiceStatusEvent UserAuthorizeInvoiceEvent
    """,
    "jobs": """
        ArticleDetail ArticleUrl ArticleUrlResult CopyrightCheckItem CopyrightCheckResult MassSendJobFinishEvent
        PublishEventInfo PublishJobFinishEvent PublishedArticle TemplateSendJobFinishEvent
    """,
    "live": "LiveFollow WxaliveFollowNotifyEvent",
    "logistics": """
        AddExpressPathEvent DeliveryAgent ExpressAction UpdateBusinessBindResultEvent UpdateWaybillStatusEvent
    """,
    "menu": """
        ClickEvent LocationSelectEvent PicItem PicPhotoOrAlbumEvent PicSysPhotoEvent PicWeixinEvent ScanCodeInfo
        ScanCodePushEvent ScanCodeWaitMsgEvent SendLocationInfo SendPicsInfo ViewEvent ViewMiniProgramEvent
    """,
    "minigames": "MiniGame MinigameCoinDeliverCompletedEvent",
    "paid_services": "ChargeMpServiceQuotaNotifyEvent ChargeMpServiceValidityNotifyEvent",
    "penalties": """
        AppealMaterial AppealRecordMaterial BadScoreResult ComplaintCallbackEvent ComplaintCallbackInfo IllegalMaterial
        PunishDetail WxaAppealRecordEvent WxaCommentBadScoreEvent WxaPunishEvent
    """,
    "poi": "CreateMapPoiAuditInfoEvent PoiCheckNotifyEvent",
    "relation": "LocationEvent ScanEvent SubscribeEvent UnsubscribeEvent",
    "review": """
        PrivacyApplyResult WeappAuditDelayEvent WeappAuditFailEvent WeappAuditSuccessEvent WxaCategoryAuditEvent
        WxaNicknameAuditEvent WxaPrivacyApplyEvent
    """,
    "subscription": """
        SubscribeMsgChange SubscribeMsgChangeEvent SubscribeMsgPopup SubscribeMsgPopupEvent SubscribeMsgSent
        SubscribeMsgSentEvent
    """,
    "third_party": """
        AuthorizedEvent ComponentVerifyTicketEvent FastRegisterInfo Notify3rdWxaAuthEvent Notify3rdWxaWxverifyEvent
        NotifyThirdFasteregisterEvent UnauthorizedEvent UpdateauthorizedEvent WxaAuthDispatchInfo
    """,
    "trade": """
        TradeManageOrderSettlementEvent TradeManageRemindAccessApiEvent TradeManageRemindShippingEvent
        WxaTradeControlledEvent
    """,
    "user_info": "UserAuthorizationCancellationEvent UserAuthorizationRevokeEvent UserInfoModifiedEvent",
    "virtual_payment": """
        XpayCoinInfo XpayCoinPayNotifyEvent XpayComplaintNotifyEvent XpayGoodsDeliverNotifyEvent XpayGoodsInfo
        XpayRefundNotifyEvent XpaySubscribeIosRefundQueryNotifyEvent XpayTeamInfo XpayWeChatPayInfo
        XpayWxpayCallbackNotifyEvent
    """,
    "withdrawn": """
        Beacon DeviceBindEvent DeviceSubscribeStatusEvent DeviceTextEvent DeviceUnbindEvent DeviceUnsubscribeStatusEvent
        MerchantOrderEvent ShakearoundUserShakeEvent SubscribeScanProductEvent UserScanProductAsyncEvent
        UserScanProductEnterSessionEvent UserScanProductEvent UserScanProductVerifyActionEvent WifiConnectedEvent
    """,
}

#: The events.
EVENTS_OF_MODULES = {
    "cards": """
        card_merchant_check_result card_not_pass_check card_pass_check card_pay_order card_sku_remind giftcard_pay_done
        giftcard_send_to_friend giftcard_user_accept submit_membercard_user_info update_member_card user_consume_card
        user_del_card user_enter_session_from_card user_get_card user_gifting_card user_pay_from_pay_cell user_view_card
    """,
    "certification": """
        annual_renew naming_verify_fail naming_verify_success qualification_verify_fail qualification_verify_success
        verify_expired
    """,
    "content_check": "wxa_media_check",
    "customer_service": "kf_close_session kf_create_session kf_switch_session user_enter_tempsession",
    "debug": "debug_demo",
    "dramas_books": """
        book_ban_status_change secbook_audit_event secvod_audit_event secvod_upload_event wxa_novel_chapter_permission
    """,
    "guide": "guide_qrcode_scan_event",
    "invoices": "cloud_invoice_invoiceresult_event submit_invoice_title update_invoice_status user_authorize_invoice",
    "jobs": "FREEPUBLISHJOBFINISH MASSSENDJOBFINISH PUBLISHJOBFINISH TEMPLATESENDJOBFINISH",
    "live": "wxalive_follow_notify",
    "logistics": "add_express_path express_add_path update_business_bind_result update_waybill_status",
    "menu": """
        CLICK location_select pic_photo_or_album pic_sysphoto pic_weixin scancode_push scancode_waitmsg VIEW
        view_miniprogram
    """,
    "minigames": "minigame_coin_deliver_completed",
    "paid_services": "charge_mp_service_quota_notify charge_mp_service_validity_notify charge_service_quota_notify",
    "penalties": "complaint_callback wxa_appeal_record wxa_comment_bad_score wxa_punish_event",
    "poi": "create_map_poi_audit_info poi_check_notify",
    "relation": "LOCATION SCAN subscribe unsubscribe",
    "review": """
        weapp_audit_delay weapp_audit_fail weapp_audit_success wxa_category_audit wxa_nickname_audit wxa_privacy_apply
    """,
    "subscription": "subscribe_msg_change_event subscribe_msg_popup_event subscribe_msg_sent_event",
    "third_party": """
        authorized component_verify_ticket notify_3rd_wxa_auth notify_3rd_wxa_wxverify notify_third_fasteregister
        unauthorized updateauthorized
    """,
    "trade": """
        trade_manage_order_settlement trade_manage_remind_access_api trade_manage_remind_shipping wxa_trade_controlled
    """,
    "user_info": "user_authorization_cancellation user_authorization_revoke user_info_modified",
    "virtual_payment": """
        xpay_coin_pay_notify xpay_complaint_notify xpay_goods_deliver_notify xpay_refund_notify
        xpay_subscribe_ios_refund_query_notify xpay_wxpay_callback_notify
    """,
    "withdrawn": """
        device_bind device_subscribe_status device_text device_unbind device_unsubscribe_status merchant_order
        ShakearoundUserShake subscribe_scan_product user_scan_product user_scan_product_async
        user_scan_product_enter_session user_scan_product_verify_action WifiConnected
    """,
}
