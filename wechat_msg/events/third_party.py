"""Events of third-party platforms (第三方平台), which have InfoType in place of Event.

They name neither sender nor receiver. `app_id` is the AppID of the platform.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = [
    "AuthorizedEvent",
    "BetaappAuthorization",
    "BetaappAuthorizationApplyEvent",
    "BetaappVerifyApplyEvent",
    "BetaappVerifyEvent",
    "ComponentVerifyTicketEvent",
    "FastRegisterBetaappInfo",
    "FastRegisterInfo",
    "Notify3rdWxaAuthAndIcpEvent",
    "Notify3rdWxaAuthEvent",
    "Notify3rdWxaWxverifyEvent",
    "NotifyApplyIcpfilingResultEvent",
    "NotifyIcpfilingVerifyResultEvent",
    "NotifyThirdFasteregisterEvent",
    "NotifyThirdFastregisterbetaappEvent",
    "NotifyThirdFastverifybetaappEvent",
    "UnauthorizedEvent",
    "UpdateauthorizedEvent",
    "WxaAuthDispatchInfo",
]


@model
class _ComponentEvent(Event):
    app_id: str | None = text("AppId", default=None)


@register_event("component_verify_ticket")
class ComponentVerifyTicketEvent(_ComponentEvent):
    """验证票据: the ticket for the platform's access_token; one comes every 10 minutes and is valid for 12 hours.

    `component_verify_ticket` is a secret; no repr shows it.
    """

    component_verify_ticket: str = text("ComponentVerifyTicket", repr=False)


@register_event("unauthorized")
class UnauthorizedEvent(_ComponentEvent):
    """取消授权: an account withdrew its authorisation. `authorizer_appid` is its AppID."""

    authorizer_appid: str = text("AuthorizerAppid")


@model
class _AuthorizationEvent(_ComponentEvent):
    """Base class of the events of an authorisation.

    Attributes:
        authorizer_appid: AppID of the account that gave it.
        authorization_code: Code to get its tokens; no repr shows it.
        authorization_code_expired_time: When the code expires, in seconds since the epoch.
        pre_auth_code: The code that the authorisation began with; no repr shows it.
    """

    authorizer_appid: str = text("AuthorizerAppid")
    authorization_code: str | None = text("AuthorizationCode", default=None, repr=False)
    authorization_code_expired_time: int | None = integer("AuthorizationCodeExpiredTime", default=None)
    pre_auth_code: str | None = text("PreAuthCode", default=None, repr=False)


@register_event("authorized")
class AuthorizedEvent(_AuthorizationEvent):
    """授权成功: an account authorised the platform."""


@register_event("updateauthorized")
class UpdateauthorizedEvent(_AuthorizationEvent):
    """授权更新: an account changed its authorisation."""


@model
class FastRegisterInfo:
    """The company or person that a Mini Program was registered for. No repr shows the members.

    Attributes:
        name: Name of the company.
        code: Number of the company.
        code_type: Kind of the number, a number.
        legal_persona_wechat: WeChat id of the legal representative.
        legal_persona_name: Name of the legal representative.
        component_phone: Phone number of the platform.
        idname: Name of the person, for a personal Mini Program.
        wxuser: WeChat id of the person, for a personal Mini Program.
    """

    name: str | None = text("name", default=None, repr=False)
    code: str | None = text("code", default=None, repr=False)
    code_type: int | None = integer("code_type", default=None, repr=False)
    legal_persona_wechat: str | None = text("legal_persona_wechat", default=None, repr=False)
    legal_persona_name: str | None = text("legal_persona_name", default=None, repr=False)
    component_phone: str | None = text("component_phone", default=None, repr=False)
    idname: str | None = text("idname", default=None, repr=False)
    wxuser: str | None = text("wxuser", default=None, repr=False)


@register_event("notify_third_fasteregister")
class NotifyThirdFasteregisterEvent(_ComponentEvent):
    """快速注册小程序结果: the result of registering a Mini Program; WeChat spells the name so.

    Attributes:
        appid: AppID of the new Mini Program; `app_id` is that of the platform.
        status: 0 for success.
        auth_code: Code to get its tokens; no repr shows it.
        msg: The text of status.
        info: What the Mini Program was registered for.
    """

    appid: str | None = text("appid", default=None)
    status: int | None = integer("status", default=None)
    auth_code: str | None = text("auth_code", default=None, repr=False)
    msg: str | None = text("msg", default=None)
    info: FastRegisterInfo | None = nested("info", FastRegisterInfo, default=None)


@model
class WxaAuthDispatchInfo:
    """The company that examines a certification.

    Attributes:
        provider: The company.
        contact: How to reach it.
        dispatch_time: When it got the task, in seconds since the epoch.
    """

    provider: str | None = text("provider", default=None)
    contact: str | None = text("contact", default=None)
    dispatch_time: int | None = integer("dispatch_time", default=None)


@register_event("notify_3rd_wxa_auth")
class Notify3rdWxaAuthEvent(_ComponentEvent):
    """小程序认证结果: the state of the certification of a Mini Program.

    Attributes:
        appid: AppID of the Mini Program; `app_id` is that of the platform.
        taskid: The task.
        task_status: State of the task, a number.
        apply_status: State of the application, a number.
        message: Text of the state.
        dispatch_info: The company that examines it.
    """

    appid: str | None = text("appid", default=None)
    taskid: str | None = text("taskid", default=None)
    task_status: int | None = integer("task_status", default=None)
    apply_status: int | None = integer("apply_status", default=None)
    message: str | None = text("message", default=None)
    dispatch_info: WxaAuthDispatchInfo | None = nested("dispatch_info", WxaAuthDispatchInfo, default=None)


@register_event("notify_3rd_wxa_wxverify")
class Notify3rdWxaWxverifyEvent(_ComponentEvent):
    """小程序认证年审和过期通知: the certification of a Mini Program must be renewed, or has ended.

    Attributes:
        appid: AppID of the Mini Program; `app_id` is that of the platform.
        expired: When it ends, as received.
        message: Text of the notification.
    """

    appid: str | None = text("appid", default=None)
    expired: str | None = text("expired", default=None)
    message: str | None = text("message", default=None)


@model
class BetaappAuthorization:
    """The result of an application for a trial Mini Program (试用小程序).

    Attributes:
        appid: AppID of the trial Mini Program.
        mp_appid: AppID of the Mini Program.
        operation_time: Time of the operation.
        status: Result of the application.
        msg: The result in words.
        ticket: Only in `BetaappAuthorizationApplyEvent`.
    """

    appid: str | None = text("appid", default=None)
    mp_appid: str | None = text("mp_appid", default=None)
    operation_time: str | None = text("operation_time", default=None)
    status: int | None = integer("status", default=None)
    msg: str | None = text("msg", default=None)
    ticket: str | None = text("ticket", default=None)


@model
class _BetaappEvent(Event):
    """Base class of the events of trial Mini Programs.

    Attributes:
        apply_authorization_info_noitfy: The result; this is WeChat's spelling.
    """

    apply_authorization_info_noitfy: BetaappAuthorization = nested("ApplyAuthorizationInfoNoitfy", BetaappAuthorization)


@register_event("betaapp_verify_event")
class BetaappVerifyEvent(_BetaappEvent):
    """试用小程序转正: a trial Mini Program was verified."""


@register_event("betaapp_verify_apply_event")
class BetaappVerifyApplyEvent(_BetaappEvent):
    """试用小程序转正申请: an application for the verification of a trial Mini Program."""


@register_event("betaapp_authorization_apply_event")
class BetaappAuthorizationApplyEvent(_BetaappEvent):
    """试用小程序授权申请: an application for the authorisation of a trial Mini Program."""


@model
class FastRegisterBetaappInfo:
    """The application for a trial Mini Program.

    Attributes:
        unique_id: Id of the application.
        name: Name of the trial Mini Program.
    """

    unique_id: str | None = text("unique_id", default=None)
    name: str | None = text("name", default=None)


@register_event("notify_third_fastregisterbetaapp")
class NotifyThirdFastregisterbetaappEvent(_ComponentEvent):
    """创建试用小程序: the result of creating a trial Mini Program.

    Attributes:
        appid: AppID of the trial Mini Program, if it was created.
        info: The application.
        status: The result.
        msg: The result in words.
    """

    appid: str | None = text("appid", default=None)
    info: FastRegisterBetaappInfo | None = nested("info", FastRegisterBetaappInfo, default=None)
    status: int | None = integer("status", default=None)
    msg: str | None = text("msg", default=None)


@register_event("notify_third_fastverifybetaapp")
class NotifyThirdFastverifybetaappEvent(_ComponentEvent):
    """试用小程序快速认证: the result of verifying a trial Mini Program.

    Attributes:
        appid: AppID of the Mini Program.
        info: The company.
        status: The result.
        msg: The result in words.
    """

    appid: str | None = text("appid", default=None)
    info: FastRegisterInfo | None = nested("info", FastRegisterInfo, default=None)
    status: int | None = integer("status", default=None)
    msg: str | None = text("msg", default=None)


@register_event("notify_3rd_wxa_auth_and_icp")
class Notify3rdWxaAuthAndIcpEvent(Notify3rdWxaAuthEvent):
    """小程序认证及备案: the state of an authentication and filing in one. Unconfirmed.

    Attributes:
        procedure_id: Id of both.
        procedure_status: State of both.
    """

    procedure_id: str | None = text("procedure_id", default=None)
    procedure_status: int | None = integer("procedure_status", default=None)


@register_event("notify_apply_icpfiling_result")
class NotifyApplyIcpfilingResultEvent(_ComponentEvent):
    """小程序备案审核: the result of the filing of a Mini Program.

    Attributes:
        authorizer_appid: AppID of the Mini Program.
        beian_status: State of the filing.
    """

    authorizer_appid: str | None = text("authorizer_appid", default=None)
    beian_status: int | None = integer("beian_status", default=None)


@register_event("notify_icpfiling_verify_result")
class NotifyIcpfilingVerifyResultEvent(_ComponentEvent):
    """小程序备案核验: the result of a verification of a person for the filing. Unconfirmed.

    Attributes:
        task_id: Id of the task.
        verify_appid: AppID of the Mini Program.
        result: 2 failed, 3 passed.
        along_with_auth_result: Result of the verification that was made with it; 9: the check by SMS passed.
    """

    task_id: str | None = text("task_id", default=None)
    verify_appid: str | None = text("verify_appid", default=None)
    result: int | None = integer("result", default=None)
    along_with_auth_result: int | None = integer("along_with_auth_result", default=None)
