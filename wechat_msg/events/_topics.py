"""What each module of this package defines, so that it is imported only when some of it is needed."""

__all__ = ["EVENTS_OF_MODULES", "NAMES_OF_MODULES"]

#: The public names.
NAMES_OF_MODULES = {
    "base": "Event UnknownEvent register_event",
    "content_check": "MediaCheckDetail MediaCheckResult WxaMediaCheckEvent",
    "customer_service": "KfCloseSessionEvent KfCreateSessionEvent KfSwitchSessionEvent UserEnterTempSessionEvent",
    "jobs": """
        ArticleDetail ArticleUrl ArticleUrlResult CopyrightCheckItem CopyrightCheckResult MassSendJobFinishEvent
        PublishEventInfo PublishJobFinishEvent PublishedArticle TemplateSendJobFinishEvent
    """,
    "menu": """
        ClickEvent LocationSelectEvent PicItem PicPhotoOrAlbumEvent PicSysPhotoEvent PicWeixinEvent ScanCodeInfo
        ScanCodePushEvent ScanCodeWaitMsgEvent SendLocationInfo SendPicsInfo ViewEvent ViewMiniProgramEvent
    """,
    "relation": "LocationEvent ScanEvent SubscribeEvent UnsubscribeEvent",
    "subscription": """
        SubscribeMsgChange SubscribeMsgChangeEvent SubscribeMsgPopup SubscribeMsgPopupEvent SubscribeMsgSent
        SubscribeMsgSentEvent
    """,
    "user_info": "UserAuthorizationCancellationEvent UserAuthorizationRevokeEvent UserInfoModifiedEvent",
}

#: The events.
EVENTS_OF_MODULES = {
    "content_check": "wxa_media_check",
    "customer_service": "kf_close_session kf_create_session kf_switch_session user_enter_tempsession",
    "jobs": "FREEPUBLISHJOBFINISH MASSSENDJOBFINISH PUBLISHJOBFINISH TEMPLATESENDJOBFINISH",
    "menu": """
        CLICK location_select pic_photo_or_album pic_sysphoto pic_weixin scancode_push scancode_waitmsg VIEW
        view_miniprogram
    """,
    "relation": "LOCATION SCAN subscribe unsubscribe",
    "subscription": "subscribe_msg_change_event subscribe_msg_popup_event subscribe_msg_sent_event",
    "user_info": "user_authorization_cancellation user_authorization_revoke user_info_modified",
}
