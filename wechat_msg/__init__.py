"""Receive the message pushes (消息推送) of WeChat Official Accounts and Mini Programs, answer them, call WeChat's API.

Names are imported when they are first used, so ``import wechat_msg`` itself costs next to nothing. It imports no
framework and no HTTP library.
"""

import typing

from wechat_msg import _lazy

if typing.TYPE_CHECKING:
    from wechat_msg._handlers import AsyncHandler, Handler
    from wechat_msg.answering import Answer, answer_cloud_function, render_reply, seal_reply
    from wechat_msg.client import AsyncClient, Client
    from wechat_msg.conversations import Ask, Conversations, End
    from wechat_msg.crypto import MessageCipher, generate_encoding_aes_key, generate_token
    from wechat_msg.endpoint import *
    from wechat_msg.errors import *
    from wechat_msg.events.base import Event, UnknownEvent, register_event
    from wechat_msg.events.cards import *
    from wechat_msg.events.certification import *
    from wechat_msg.events.content_check import *
    from wechat_msg.events.customer_service import *
    from wechat_msg.events.debug import *
    from wechat_msg.events.dramas_books import *
    from wechat_msg.events.guide import *
    from wechat_msg.events.invoices import *
    from wechat_msg.events.jobs import *
    from wechat_msg.events.live import *
    from wechat_msg.events.logistics import *
    from wechat_msg.events.menu import *
    from wechat_msg.events.minigames import *
    from wechat_msg.events.paid_services import *
    from wechat_msg.events.penalties import *
    from wechat_msg.events.poi import *
    from wechat_msg.events.relation import *
    from wechat_msg.events.review import *
    from wechat_msg.events.subscription import *
    from wechat_msg.events.third_party import *
    from wechat_msg.events.trade import *
    from wechat_msg.events.user_info import *
    from wechat_msg.events.virtual_payment import *
    from wechat_msg.events.withdrawn import *
    from wechat_msg.exchange import Push, PushRequest, PushResponse, parse_query
    from wechat_msg.messages import *
    from wechat_msg.parsing import parse_message
    from wechat_msg.push import answer_echostr, open_push
    from wechat_msg.replies import *
    from wechat_msg.routing import (
        AsyncCallNext,
        AsyncMiddleware,
        CallNext,
        Middleware,
        Route,
        Router,
    )
    from wechat_msg.settings import *
    from wechat_msg.signature import *
    from wechat_msg.stores import AsyncStore, MemoryStore, SQLiteStore, Store, in_thread

__version__ = "0.1.0"

__all__ = [
    "MINI_PROGRAM",
    "NO_DEDUP",
    "OFFICIAL_ACCOUNT",
    "APIError",
    "AccessTokenRejected",
    "AccountKind",
    "Acknowledgement",
    "AddExpressPathEvent",
    "AnnualRenewEvent",
    "Answer",
    "AnswerLater",
    "AnswerLost",
    "AppIdMismatch",
    "AppealMaterial",
    "AppealRecordMaterial",
    "Article",
    "ArticleDetail",
    "ArticleUrl",
    "ArticleUrlResult",
    "Ask",
    "AsyncCallNext",
    "AsyncClient",
    "AsyncHandler",
    "AsyncMiddleware",
    "AsyncPushEndpoint",
    "AsyncStore",
    "AuthorizationExpired",
    "AuthorizedEvent",
    "BadScoreResult",
    "Beacon",
    "BodyTooLarge",
    "BookBanStatusChangeEvent",
    "CallError",
    "CallNext",
    "CardMerchantCheckResultEvent",
    "CardNotPassCheckEvent",
    "CardPassCheckEvent",
    "CardPayOrderEvent",
    "CardSkuRemindEvent",
    "ChapterPermission",
    "ChapterPermissionReply",
    "ChargeMpServiceQuotaNotifyEvent",
    "ChargeMpServiceValidityNotifyEvent",
    "ClickEvent",
    "Client",
    "ClientError",
    "CloudInvoiceInvoiceresultEvent",
    "ComplaintCallbackEvent",
    "ComplaintCallbackInfo",
    "ComponentVerifyTicketEvent",
    "ConnectFailed",
    "ConversationBusy",
    "ConversationChanged",
    "ConversationError",
    "Conversations",
    "CopyrightCheckItem",
    "CopyrightCheckResult",
    "CreateMapPoiAuditInfoEvent",
    "DebugDemoEvent",
    "DecryptError",
    "DeliveryAgent",
    "DeviceBindEvent",
    "DeviceEventMessage",
    "DeviceStatusMessage",
    "DeviceSubscribeStatusEvent",
    "DeviceTextEvent",
    "DeviceTextMessage",
    "DeviceUnbindEvent",
    "DeviceUnsubscribeStatusEvent",
    "DuplicateRequest",
    "End",
    "ErrCodeReply",
    "Event",
    "ExpressAction",
    "FallbackReply",
    "FastRegisterInfo",
    "FileMessage",
    "GiftcardPayDoneEvent",
    "GiftcardSendToFriendEvent",
    "GiftcardUserAcceptEvent",
    "GuideQrcodeScanEvent",
    "GuideScan",
    "Handler",
    "IPNotAllowed",
    "IllegalMaterial",
    "ImageMessage",
    "ImageReply",
    "InvalidCredential",
    "InvalidParameter",
    "IosRefundReply",
    "KeepReply",
    "KfCloseSessionEvent",
    "KfCreateSessionEvent",
    "KfSwitchSessionEvent",
    "LinkMessage",
    "LiveFollow",
    "LocationEvent",
    "LocationMessage",
    "LocationSelectEvent",
    "LostReason",
    "MalformedPush",
    "MassSendJobFinishEvent",
    "MediaCheckDetail",
    "MediaCheckResult",
    "MemoryStore",
    "MerchantOrderEvent",
    "Message",
    "MessageCipher",
    "MethodNotAllowed",
    "Middleware",
    "MiniGame",
    "MiniProgramPageMessage",
    "MinigameCoinDeliverCompletedEvent",
    "ModeMismatch",
    "MusicReply",
    "NamingVerifyFailEvent",
    "NamingVerifySuccessEvent",
    "NewsReply",
    "Notify3rdWxaAuthEvent",
    "Notify3rdWxaWxverifyEvent",
    "NotifyThirdFasteregisterEvent",
    "PermissionDenied",
    "PicItem",
    "PicPhotoOrAlbumEvent",
    "PicSysPhotoEvent",
    "PicWeixinEvent",
    "PoiCheckNotifyEvent",
    "PrivacyApplyResult",
    "PublishEventInfo",
    "PublishJobFinishEvent",
    "PublishedArticle",
    "PunishDetail",
    "Push",
    "PushEndpoint",
    "PushError",
    "PushRequest",
    "PushResponse",
    "PushSettings",
    "QualificationVerifyFailEvent",
    "QualificationVerifySuccessEvent",
    "QuotaExhausted",
    "RateLimited",
    "RawReply",
    "RenderedReply",
    "Reply",
    "ReplyError",
    "ResultReply",
    "Route",
    "Router",
    "SQLiteStore",
    "ScanCodeInfo",
    "ScanCodePushEvent",
    "ScanCodeWaitMsgEvent",
    "ScanEvent",
    "SecbookAudit",
    "SecbookAuditDetail",
    "SecbookAuditEvent",
    "SecvodAudit",
    "SecvodAuditDetail",
    "SecvodAuditEvent",
    "SecvodUpload",
    "SecvodUploadEvent",
    "SendLocationInfo",
    "SendPicsInfo",
    "SettingsError",
    "ShakearoundUserShakeEvent",
    "ShortVideoMessage",
    "SignatureExpired",
    "SignatureMismatch",
    "SignatureMissing",
    "Store",
    "StoreError",
    "SubmitInvoiceTitleEvent",
    "SubmitMembercardUserInfoEvent",
    "SubscribeEvent",
    "SubscribeMsgChange",
    "SubscribeMsgChangeEvent",
    "SubscribeMsgPopup",
    "SubscribeMsgPopupEvent",
    "SubscribeMsgSent",
    "SubscribeMsgSentEvent",
    "SubscribeScanProductEvent",
    "SystemBusy",
    "TemplateSendJobFinishEvent",
    "TextMessage",
    "TextReply",
    "TradeManageOrderSettlementEvent",
    "TradeManageRemindAccessApiEvent",
    "TradeManageRemindShippingEvent",
    "TransferCustomerServiceReply",
    "TransportError",
    "UnauthorizedEvent",
    "UnknownEvent",
    "UnknownMessage",
    "UnreadableAnswer",
    "UnsubscribeEvent",
    "UpdateBusinessBindResultEvent",
    "UpdateInvoiceStatusEvent",
    "UpdateMemberCardEvent",
    "UpdateWaybillStatusEvent",
    "UpdateauthorizedEvent",
    "UserAuthorizationCancellationEvent",
    "UserAuthorizationRevokeEvent",
    "UserAuthorizeInvoiceEvent",
    "UserConsumeCardEvent",
    "UserDataError",
    "UserDelCardEvent",
    "UserEnterSessionFromCardEvent",
    "UserEnterTempSessionEvent",
    "UserGetCardEvent",
    "UserGiftingCardEvent",
    "UserInfoModifiedEvent",
    "UserMessage",
    "UserNotFound",
    "UserPayFromPayCellEvent",
    "UserRefused",
    "UserScanProductAsyncEvent",
    "UserScanProductEnterSessionEvent",
    "UserScanProductEvent",
    "UserScanProductVerifyActionEvent",
    "UserViewCardEvent",
    "VerifyExpiredEvent",
    "VideoMessage",
    "VideoReply",
    "ViewEvent",
    "ViewMiniProgramEvent",
    "VoiceMessage",
    "VoiceReply",
    "WeChatError",
    "WeappAuditDelayEvent",
    "WeappAuditFailEvent",
    "WeappAuditSuccessEvent",
    "WifiConnectedEvent",
    "WindowClosed",
    "WxaAppealRecordEvent",
    "WxaAuthDispatchInfo",
    "WxaCategoryAuditEvent",
    "WxaCommentBadScoreEvent",
    "WxaMediaCheckEvent",
    "WxaNicknameAuditEvent",
    "WxaNovelChapterPermissionEvent",
    "WxaPrivacyApplyEvent",
    "WxaPunishEvent",
    "WxaTradeControlledEvent",
    "WxaliveFollowNotifyEvent",
    "XpayCoinInfo",
    "XpayCoinPayNotifyEvent",
    "XpayComplaintNotifyEvent",
    "XpayGoodsDeliverNotifyEvent",
    "XpayGoodsInfo",
    "XpayRefundNotifyEvent",
    "XpaySubscribeIosRefundQueryNotifyEvent",
    "XpayTeamInfo",
    "XpayWeChatPayInfo",
    "XpayWxpayCallbackNotifyEvent",
    "__version__",
    "answer_cloud_function",
    "answer_echostr",
    "compute_msg_signature",
    "compute_signature",
    "generate_encoding_aes_key",
    "generate_token",
    "in_thread",
    "is_msg_signature_valid",
    "is_signature_valid",
    "open_push",
    "parse_message",
    "parse_query",
    "register_event",
    "register_message",
    "render_reply",
    "seal_reply",
    "to_customer_service_message",
    "verify_msg_signature",
    "verify_signature",
]

#: The modules that define these names; `wechat_msg.events` defines all others.
_NAMES_OF_MODULES = {
    "_handlers": "AsyncHandler Handler",
    "answering": "Answer answer_cloud_function render_reply seal_reply",
    "client": "AsyncClient Client",
    "conversations": "Ask Conversations End",
    "crypto": "MessageCipher generate_encoding_aes_key generate_token",
    "endpoint": "NO_DEDUP AnswerLater AsyncPushEndpoint FallbackReply KeepReply LostReason PushEndpoint",
    "errors": """
        AccessTokenRejected AnswerLost APIError AppIdMismatch AuthorizationExpired BodyTooLarge CallError
        ClientError ConnectFailed ConversationBusy ConversationChanged ConversationError DecryptError DuplicateRequest
        InvalidCredential InvalidParameter IPNotAllowed MalformedPush MethodNotAllowed ModeMismatch PermissionDenied
        PushError QuotaExhausted RateLimited ReplyError SettingsError SignatureExpired SignatureMismatch
        SignatureMissing StoreError SystemBusy TransportError UnreadableAnswer UserDataError UserNotFound UserRefused
        WeChatError WindowClosed
    """,
    "exchange": "Push PushRequest PushResponse parse_query",
    "messages": """
        DeviceEventMessage DeviceStatusMessage DeviceTextMessage FileMessage ImageMessage LinkMessage
        LocationMessage Message MiniProgramPageMessage ShortVideoMessage TextMessage UnknownMessage UserMessage
        VideoMessage VoiceMessage register_message
    """,
    "parsing": "parse_message",
    "push": "answer_echostr open_push",
    "replies": """
        Acknowledgement Article ChapterPermission ChapterPermissionReply ErrCodeReply ImageReply IosRefundReply
        MusicReply NewsReply RawReply RenderedReply Reply ResultReply TextReply TransferCustomerServiceReply VideoReply
        VoiceReply to_customer_service_message
    """,
    "routing": "AsyncCallNext AsyncMiddleware CallNext Middleware Route Router",
    "settings": "MINI_PROGRAM OFFICIAL_ACCOUNT AccountKind PushSettings",
    "signature": """
        compute_msg_signature compute_signature is_msg_signature_valid is_signature_valid verify_msg_signature
        verify_signature
    """,
    "stores": "AsyncStore MemoryStore SQLiteStore Store in_thread",
}

if not typing.TYPE_CHECKING:  # type checkers would accept any name
    __getattr__, __dir__ = _lazy.import_lazily(
        __name__,
        _NAMES_OF_MODULES,
        others="events",
        modules=("events", "api", "fields", "filters", "jssdk", "library", "text", "userdata", "wire"),
    )
