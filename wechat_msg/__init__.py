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
    from wechat_msg.events.content_check import *
    from wechat_msg.events.customer_service import *
    from wechat_msg.events.jobs import *
    from wechat_msg.events.menu import *
    from wechat_msg.events.relation import *
    from wechat_msg.events.subscription import *
    from wechat_msg.events.user_info import *
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
    "Answer",
    "AnswerLater",
    "AnswerLost",
    "AppIdMismatch",
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
    "BodyTooLarge",
    "CallError",
    "CallNext",
    "ClickEvent",
    "Client",
    "ClientError",
    "ConnectFailed",
    "ConversationBusy",
    "ConversationChanged",
    "ConversationError",
    "Conversations",
    "CopyrightCheckItem",
    "CopyrightCheckResult",
    "DecryptError",
    "DeviceEventMessage",
    "DeviceStatusMessage",
    "DeviceTextMessage",
    "DuplicateRequest",
    "End",
    "ErrCodeReply",
    "Event",
    "FallbackReply",
    "FileMessage",
    "Handler",
    "IPNotAllowed",
    "ImageMessage",
    "ImageReply",
    "InvalidCredential",
    "InvalidParameter",
    "KeepReply",
    "KfCloseSessionEvent",
    "KfCreateSessionEvent",
    "KfSwitchSessionEvent",
    "LinkMessage",
    "LocationEvent",
    "LocationMessage",
    "LocationSelectEvent",
    "LostReason",
    "MalformedPush",
    "MassSendJobFinishEvent",
    "MediaCheckDetail",
    "MediaCheckResult",
    "MemoryStore",
    "Message",
    "MessageCipher",
    "MethodNotAllowed",
    "Middleware",
    "MiniProgramPageMessage",
    "ModeMismatch",
    "MusicReply",
    "NewsReply",
    "PermissionDenied",
    "PicItem",
    "PicPhotoOrAlbumEvent",
    "PicSysPhotoEvent",
    "PicWeixinEvent",
    "PublishEventInfo",
    "PublishJobFinishEvent",
    "PublishedArticle",
    "Push",
    "PushEndpoint",
    "PushError",
    "PushRequest",
    "PushResponse",
    "PushSettings",
    "QuotaExhausted",
    "RateLimited",
    "RawReply",
    "RenderedReply",
    "Reply",
    "ReplyError",
    "Route",
    "Router",
    "SQLiteStore",
    "ScanCodeInfo",
    "ScanCodePushEvent",
    "ScanCodeWaitMsgEvent",
    "ScanEvent",
    "SendLocationInfo",
    "SendPicsInfo",
    "SettingsError",
    "ShortVideoMessage",
    "SignatureExpired",
    "SignatureMismatch",
    "SignatureMissing",
    "Store",
    "StoreError",
    "SubscribeEvent",
    "SubscribeMsgChange",
    "SubscribeMsgChangeEvent",
    "SubscribeMsgPopup",
    "SubscribeMsgPopupEvent",
    "SubscribeMsgSent",
    "SubscribeMsgSentEvent",
    "SystemBusy",
    "TemplateSendJobFinishEvent",
    "TextMessage",
    "TextReply",
    "TransferCustomerServiceReply",
    "TransportError",
    "UnknownEvent",
    "UnknownMessage",
    "UnreadableAnswer",
    "UnsubscribeEvent",
    "UserAuthorizationCancellationEvent",
    "UserAuthorizationRevokeEvent",
    "UserDataError",
    "UserEnterTempSessionEvent",
    "UserInfoModifiedEvent",
    "UserMessage",
    "UserNotFound",
    "UserRefused",
    "VideoMessage",
    "VideoReply",
    "ViewEvent",
    "ViewMiniProgramEvent",
    "VoiceMessage",
    "VoiceReply",
    "WeChatError",
    "WindowClosed",
    "WxaMediaCheckEvent",
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
        Acknowledgement Article ErrCodeReply ImageReply MusicReply NewsReply RawReply RenderedReply Reply TextReply
        TransferCustomerServiceReply VideoReply VoiceReply to_customer_service_message
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
