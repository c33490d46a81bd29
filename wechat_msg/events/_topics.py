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
        QualificationVerifySuccessEvent VerifyExpiredEvent WxVerifyDispatchEvent WxVerifyPaySuccEvent
        WxVerifyRefillEvent
    """,
    "channels_orders": """
        ChannelsAftersale ChannelsComplaint ChannelsCoupon ChannelsEcAftersaleUpdateEvent ChannelsEcComplaintUpdateEvent
        ChannelsEcCouponCreateEvent ChannelsEcCouponDeleteEvent ChannelsEcCouponExpireEvent
        ChannelsEcCouponInfoChangeEvent ChannelsEcCouponInvalidEvent ChannelsEcCouponReceiveEvent
        ChannelsEcGuaranteeUpdateEvent ChannelsEcOrderCancelEvent ChannelsEcOrderConfirmEvent
        ChannelsEcOrderDeliverEvent ChannelsEcOrderExtInfoUpdateEvent ChannelsEcOrderNewEvent ChannelsEcOrderPayEvent
        ChannelsEcOrderSettleEvent ChannelsEcOrderWaitShippingEvent ChannelsEcPresentAftersaleUpdateEvent
        ChannelsEcUserCouponExpireEvent ChannelsEcUserCouponUnuseEvent ChannelsEcUserCouponUseEvent
        ChannelsEcVoucherSendSuccEvent ChannelsGuarantee ChannelsOrder ChannelsUserCoupon ChannelsVoucher
    """,
    "channels_shop": """
        ChannelsAccount ChannelsBrand ChannelsEcAcctNotifyEvent ChannelsEcBrandEvent ChannelsEcCloseStoreEvent
        ChannelsEcSharerChangeEvent ChannelsEcStockNoEnoughEvent ChannelsEcWithdrawNotifyEvent ChannelsStock
        ChannelsWithdrawal CooperationShopOrder CooperationShopOrderEvent DropshipOrderCancelEvent DropshipOrderNewEvent
        DropshipOrderUpdateEvent EwaybillInfo EwaybillPushPathEvent HeadSupplierItem HeadSupplierItemUpdateEvent
        ProductCategoryAuditEvent ProductCategoryReview ProductOrderStatus ProductOrderStatusUpdateEvent ProductSpu
        ProductSpuAuditEvent ProductSpuListingEvent ProductSpuUpdateEvent QrcodeStatusEvent SetShopNicknameEvent
        ShopQRCode
    """,
    "channels_vip": """
        ChannelsEcVipCloseEvent ChannelsEcVipGradeInfoUpdateEvent ChannelsEcVipJoinEvent ChannelsEcVipScoreExchangeEvent
        ChannelsEcVipScoreUpdateEvent ChannelsEcVipUserAutoAddEvent ChannelsEcVipUserInfoGetEvent ChannelsRelatedCoupon
        ChannelsRelatedProduct ChannelsScoreExchange ChannelsVip ChannelsVipUser
    """,
    "content_check": "MediaCheckDetail MediaCheckResult WxaMediaCheckEvent",
    "customer_service": "KfCloseSessionEvent KfCreateSessionEvent KfSwitchSessionEvent UserEnterTempSessionEvent",
    "debug": "DebugDemoEvent",
    "dramas_books": """
        BookBanStatusChangeEvent SecbookAudit SecbookAuditDetail SecbookAuditEvent SecvodAudit SecvodAuditDetail
        SecvodAuditEvent SecvodUpload SecvodUploadEvent WxaNovelChapterPermissionEvent
    """,
    "guide": "GuideQrcodeScanEvent GuideScan",
    "instant_delivery": """
        CancelAuthAccountEvent GetAuthInfoEvent GetPreAuthCodeEvent MockUpdateOrderStatusEvent TransportAddOrderEvent
        TransportAddTipsEvent TransportCancelOrderEvent TransportCargo TransportConfirmReturnToBizEvent TransportContact
        TransportGetAgentPosEvent TransportGood TransportGoodsDetail TransportOrderInfo TransportPrecancelOrderEvent
        TransportPrecreateOrderEvent TransportQueryOrderStatusEvent TransportReaddOrderEvent TransportSetRiderScoreEvent
    """,
    "invoices": """
        CloudInvoiceInvoiceresultEvent SubmitInvoiceTitleEvent UpdateInvoiceStatusEvent UserAuthorizeInvoiceEvent
    """,
    "jobs": """
        ArticleDetail ArticleUrl ArticleUrlResult CopyrightCheckItem CopyrightCheckResult MassSendJobFinishEvent
        PublishEventInfo PublishJobFinishEvent PublishedArticle TemplateSendJobFinishEvent
    """,
    "live": "LiveFollow PushMessageApiNotify WxaliveFollowNotifyEvent WxalivePushMessageNotifyEvent",
    "logistics": """
        AddExpressPathEvent DeliveryAgent ExpressAction UpdateBusinessBindResultEvent UpdateWaybillStatusEvent
    """,
    "menu": """
        ClickEvent LocationSelectEvent PicItem PicPhotoOrAlbumEvent PicSysPhotoEvent PicWeixinEvent ScanCodeInfo
        ScanCodePushEvent ScanCodeWaitMsgEvent SendLocationInfo SendPicsInfo ViewEvent ViewMiniProgramEvent
    """,
    "minigames": """
        MiniGame MiniGameGoodsInfo MiniGameOrder MinigameCoinDeliverCompletedEvent
        MinigameGamePayGoodsDeliverNotifyEvent MinigameH5GoodsDeliverNotifyEvent
    """,
    "paid_services": "ChargeMpServiceQuotaNotifyEvent ChargeMpServiceValidityNotifyEvent",
    "penalties": """
        AppealMaterial AppealRecordMaterial BadScoreResult ComplaintCallbackEvent ComplaintCallbackInfo
        ComplaintHistoryItem IllegalMaterial PunishDetail WxaAppealRecordEvent WxaCommentBadScoreEvent
        WxaIllegalRecordEvent WxaPunishEvent
    """,
    "poi": "CreateMapPoiAuditInfoEvent PoiCheckNotifyEvent",
    "relation": "LocationEvent ScanEvent SubscribeEvent UnsubscribeEvent",
    "retail": "RetailAmount RetailPayNotifyEvent RetailRefundNotifyEvent",
    "review": """
        PrivacyApplyResult WeappAuditDelayEvent WeappAuditFailEvent WeappAuditSuccessEvent WxaCategoryAuditEvent
        WxaNicknameAuditEvent WxaPrivacyApplyEvent
    """,
    "services": "InsuranceClaim IotVoipNotifyEvent NotifyServiceMsgSendResultEvent WxainsuranceClaimResultEvent",
    "stores": """
        AddNearbyPoiAuditInfoEvent AddStoreAuditInfoEvent ApplyMerchantAuditInfoEvent ModifyStoreAuditInfoEvent
        NearbyCategoryAuditInfoEvent
    """,
    "subscription": """
        SubscribeMsgChange SubscribeMsgChangeEvent SubscribeMsgPopup SubscribeMsgPopupEvent SubscribeMsgSent
        SubscribeMsgSentEvent
    """,
    "third_party": """
        AuthorizedEvent BetaappAuthorization BetaappAuthorizationApplyEvent BetaappVerifyApplyEvent BetaappVerifyEvent
        ComponentVerifyTicketEvent FastRegisterBetaappInfo FastRegisterInfo Notify3rdWxaAuthAndIcpEvent
        Notify3rdWxaAuthEvent Notify3rdWxaWxverifyEvent NotifyApplyIcpfilingResultEvent NotifyIcpfilingVerifyResultEvent
        NotifyThirdFasteregisterEvent NotifyThirdFastregisterbetaappEvent NotifyThirdFastverifybetaappEvent
        UnauthorizedEvent UpdateauthorizedEvent WxaAuthDispatchInfo
    """,
    "trade": """
        OrderPathApplyResult OrderPathApplyResultNotifyEvent OrderPathAuditResult OrderPathAuditResultNotifyEvent
        TradeManageOrderSettlementEvent TradeManageRemindAccessApiEvent TradeManageRemindShippingEvent
        WxaTradeControlledEvent
    """,
    "trade_component": """
        FundsOrderPayEvent FundsOrderProfitsharingEvent FundsOrderRefundEvent FundsPayment FundsProfitSharing
        FundsRefund FundsWithdrawal MiniprogramSharerActionEvent MiniprogramSharerBindStatusChangeEvent
        OpenProductAccount OpenProductAccountRegisterEvent OpenProductBrandAuditEvent OpenProductCategoryAuditEvent
        OpenProductReceiveCouponEvent OpenProductSceneGroup OpenProductSceneGroupAuditEvent OpenProductSceneGroupExt
        OpenProductSpu OpenProductSpuAuditEvent OpenProductSpuStatusUpdateEvent QualificationAuditResult SharerPromoter
        WithdrawNotifyEvent
    """,
    "trade_orders": """
        AftersaleComplaintUpdateOrderStateEvent AftersaleInfo AftersaleMerchantConfirmReceiptOverdueEvent
        AftersaleMerchantHandleRefundOverdueEvent AftersaleMerchantHandleReturnOverdueEvent AftersaleNewOrderEvent
        AftersaleRefundSuccessEvent AftersaleUpdateOrderEvent AftersaleUserApplyPlatformJudgeOverdueEvent
        AftersaleUserCancelEvent AftersaleUserConfirmRefundCertificateEvent AftersaleUserModifyReturnInfoEvent
        AftersaleUserUploadReturnInfoOverdueEvent AftersaleWaitMerchantConfirmReceiptEvent
        AftersaleWaitMerchantOfflineRefundEvent ComplaintInfo ComplaintNotifyEvent OpenProductOrder
        OpenProductOrderAnalyzeEvent OpenProductOrderCancelEvent OpenProductOrderConfirmEvent OpenProductOrderPayEvent
        OpenProductOrderRefundEvent OpenProductOrderSettleEvent
    """,
    "user_info": "UserAuthorizationCancellationEvent UserAuthorizationRevokeEvent UserInfoModifiedEvent",
    "virtual_payment": """
        XpayAppleSubscribeSigningResultNotifyEvent XpayCoinInfo XpayCoinPayNotifyEvent XpayComplaintNotifyEvent
        XpayGoodsDeliverNotifyEvent XpayGoodsInfo XpayRefundNotifyEvent XpaySubscribeIosRefundQueryNotifyEvent
        XpaySubscribePayFailNotifyEvent XpaySubscribeSigningResultNotifyEvent XpayTeamInfo XpayWeChatPayInfo
        XpayWxpayCallbackNotifyEvent
    """,
    "waybills": """
        AddSingleWaybillEvent AddWaybillEvent CancelSingleWaybillEvent CancelWaybillEvent CheckBizEvent GetQuotaEvent
        NotifySingleWaybillPayEvent QuerySingleWaybillEvent QuerySingleWaybillFeeEvent RemindWaybillEvent WaybillCargo
        WaybillCargoItem WaybillComplaintEvent WaybillContact WaybillEvaluateAgentEvent WaybillGoods WaybillInsurance
        WaybillNotifyQueryEvent WaybillQueryExpectTimeRangeEvent WaybillService
    """,
    "withdrawn": """
        Beacon DeviceBindEvent DeviceSubscribeStatusEvent DeviceTextEvent DeviceUnbindEvent DeviceUnsubscribeStatusEvent
        HardwareEvent HardwareView MerchantOrderEvent ShakearoundUserShakeEvent SubscribeScanProductEvent
        UserScanProductAsyncEvent UserScanProductEnterSessionEvent UserScanProductEvent UserScanProductVerifyActionEvent
        WidgetQuery WidgetSlot WifiConnectedEvent WxaWidgetDataEvent
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
        verify_expired wx_verify_dispatch wx_verify_pay_succ wx_verify_refill
    """,
    "channels_orders": """
        channels_ec_aftersale_update channels_ec_complaint_update channels_ec_coupon_create channels_ec_coupon_delete
        channels_ec_coupon_expire channels_ec_coupon_info_change channels_ec_coupon_invalid channels_ec_coupon_receive
        channels_ec_guarantee_update channels_ec_order_cancel channels_ec_order_confirm channels_ec_order_deliver
        channels_ec_order_ext_info_update channels_ec_order_new channels_ec_order_pay channels_ec_order_settle
        channels_ec_order_wait_shipping channels_ec_present_aftersale_update channels_ec_user_coupon_expire
        channels_ec_user_coupon_unuse channels_ec_user_coupon_use channels_ec_voucher_send_succ
    """,
    "channels_shop": """
        channels_ec_acct_notify channels_ec_brand channels_ec_close_store channels_ec_sharer_change
        channels_ec_stock_no_enough channels_ec_withdraw_notify cooperation_shop_order dropship_order_cancel
        dropship_order_new dropship_order_update ewaybill_push_path head_supplier_item_update product_category_audit
        product_order_status_update product_spu_audit product_spu_listing product_spu_update qrcode_status
        related_shop_order_submission set_shop_nickname
    """,
    "channels_vip": """
        channels_ec_vip_close channels_ec_vip_grade_info_update channels_ec_vip_join channels_ec_vip_score_exchange
        channels_ec_vip_score_update channels_ec_vip_user_auto_add channels_ec_vip_user_info_get
    """,
    "content_check": "wxa_media_check",
    "customer_service": "kf_close_session kf_create_session kf_switch_session user_enter_tempsession",
    "debug": "debug_demo",
    "dramas_books": """
        book_ban_status_change secbook_audit_event secvod_audit_event secvod_upload_event wxa_novel_chapter_permission
    """,
    "guide": "guide_qrcode_scan_event",
    "instant_delivery": """
        cancel_auth_account get_auth_info get_pre_auth_code mock_update_order_status transport_add_order
        transport_add_tips transport_cancel_order transport_confirm_return_to_biz transport_get_agent_pos
        transport_precancel_order transport_precreate_order transport_query_order_status transport_readd_order
        transport_set_rider_score
    """,
    "invoices": "cloud_invoice_invoiceresult_event submit_invoice_title update_invoice_status user_authorize_invoice",
    "jobs": "FREEPUBLISHJOBFINISH MASSSENDJOBFINISH PUBLISHJOBFINISH TEMPLATESENDJOBFINISH",
    "live": "wxalive_follow_notify wxalive_push_message_notify",
    "logistics": "add_express_path express_add_path update_business_bind_result update_waybill_status",
    "menu": """
        CLICK location_select pic_photo_or_album pic_sysphoto pic_weixin scancode_push scancode_waitmsg VIEW
        view_miniprogram
    """,
    "minigames": """
        minigame_coin_deliver_completed minigame_game_pay_goods_deliver_notify minigame_h5_goods_deliver_notify
    """,
    "paid_services": "charge_mp_service_quota_notify charge_mp_service_validity_notify charge_service_quota_notify",
    "penalties": "complaint_callback wxa_appeal_record wxa_comment_bad_score wxa_illegal_record wxa_punish_event",
    "poi": "create_map_poi_audit_info poi_check_notify",
    "relation": "LOCATION SCAN subscribe unsubscribe",
    "retail": "retail_pay_notify retail_refund_notify",
    "review": """
        weapp_audit_delay weapp_audit_fail weapp_audit_success wxa_category_audit wxa_nickname_audit wxa_privacy_apply
    """,
    "services": "iot_voip_notify notify_service_msg_send_result wxainsurance_claim_result",
    "stores": """
        add_nearby_poi_audit_info add_store_audit_info apply_merchant_audit_info modify_store_audit_info
        nearby_category_audit_info
    """,
    "subscription": "subscribe_msg_change_event subscribe_msg_popup_event subscribe_msg_sent_event",
    "third_party": """
        authorized betaapp_authorization_apply_event betaapp_verify_apply_event betaapp_verify_event
        component_verify_ticket notify_3rd_wxa_auth notify_3rd_wxa_auth_and_icp notify_3rd_wxa_wxverify
        notify_apply_icpfiling_result notify_icpfiling_verify_result notify_third_fasteregister
        notify_third_fastregisterbetaapp notify_third_fastverifybetaapp unauthorized updateauthorized
    """,
    "trade": """
        order_path_apply_result_notify order_path_audit_result_notify trade_manage_order_settlement
        trade_manage_remind_access_api trade_manage_remind_shipping wxa_trade_controlled
    """,
    "trade_component": """
        funds_order_pay funds_order_profitsharing funds_order_refund miniprogram_sharer_action
        miniprogram_sharer_bind_status_change open_product_account_register open_product_brand_audit
        open_product_category_audit open_product_receive_coupon open_product_scene_group_audit open_product_spu_audit
        open_product_spu_status_update withdraw_notify
    """,
    "trade_orders": """
        aftersale_complaint_update_order_state aftersale_merchant_confirm_receipt_overdue
        aftersale_merchant_handle_refund_overdue aftersale_merchant_handle_return_overdue aftersale_new_order
        aftersale_refund_success aftersale_update_order aftersale_user_apply_platform_judge_overdue
        aftersale_user_cancel aftersale_user_confirm_refund_certificate aftersale_user_modify_return_info
        aftersale_user_upload_return_info_overdue aftersale_wait_merchant_confirm_receipt
        aftersale_wait_merchant_offline_refund complaint_notify open_product_order_analyze open_product_order_cancel
        open_product_order_confirm open_product_order_pay open_product_order_refund open_product_order_settle
    """,
    "user_info": "user_authorization_cancellation user_authorization_revoke user_info_modified",
    "virtual_payment": """
        xpay_apple_subscribe_signing_result_notify xpay_coin_pay_notify xpay_complaint_notify xpay_goods_deliver_notify
        xpay_refund_notify xpay_subscribe_ios_refund_query_notify xpay_subscribe_pay_fail_notify
        xpay_subscribe_signing_result_notify xpay_wxpay_callback_notify
    """,
    "waybills": """
        add_single_waybill add_waybill cancel_single_waybill cancel_waybill check_biz get_quota
        notify_single_waybill_pay query_single_waybill query_single_waybill_fee remind_waybill waybill_complaint
        waybill_evaluate_agent waybill_notify_query waybill_query_expect_time_range
    """,
    "withdrawn": """
        device_bind device_subscribe_status device_text device_unbind device_unsubscribe_status hardware merchant_order
        ShakearoundUserShake subscribe_scan_product user_scan_product user_scan_product_async
        user_scan_product_enter_session user_scan_product_verify_action WifiConnected wxa_widget_data
    """,
}
