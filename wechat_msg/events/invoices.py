"""Events of invoices (发票)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import text

__all__ = [
    "CloudInvoiceInvoiceresultEvent",
    "SubmitInvoiceTitleEvent",
    "UpdateInvoiceStatusEvent",
    "UserAuthorizeInvoiceEvent",
]


@register_event("user_authorize_invoice")
class UserAuthorizeInvoiceEvent(Event):
    """用户授权开票: the user authorised an invoice, or its authorisation failed.

    Attributes:
        succ_order_id: The order, if the authorisation succeeded.
        fail_order_id: The order, if it failed.
        authorize_app_id: AppID of the account that asked for it; some pushes call it ``AppId``.
        source: Where the user authorised it, such as ``web``.
    """

    succ_order_id: str | None = text("SuccOrderId", default=None)
    fail_order_id: str | None = text("FailOrderId", default=None)
    authorize_app_id: str | None = text("AuthorizeAppId", "AppId", default=None)
    source: str | None = text("Source", default=None)


@register_event("update_invoice_status")
class UpdateInvoiceStatusEvent(Event):
    """发票状态更新: the state of an invoice in the user's card holder changed.

    Attributes:
        status: The new state, such as ``INVOICE_REIMBURSE_INIT``.
        card_id: The kind of card of the invoice.
        code: The code of the invoice's card.
    """

    status: str | None = text("Status", default=None)
    card_id: str | None = text("CardId", default=None)
    code: str | None = text("Code", default=None)


@register_event("submit_invoice_title")
class SubmitInvoiceTitleEvent(Event):
    """用户提交发票抬头: the user sent the data for an invoice. No repr shows them.

    Attributes:
        title: Name of the company or person.
        tax_no: Tax number.
        addr: Address.
        phone: Phone number.
        bank_type: Bank.
        bank_no: Number of the bank account.
        attach: The text that was given with the request.
        title_type: Whether the title is of a company or of a person.
    """

    title: str | None = text("title", default=None, repr=False)
    tax_no: str | None = text("tax_no", default=None, repr=False)
    addr: str | None = text("addr", default=None, repr=False)
    phone: str | None = text("phone", default=None, repr=False)
    bank_type: str | None = text("bank_type", default=None, repr=False)
    bank_no: str | None = text("bank_no", default=None, repr=False)
    attach: str | None = text("attach", default=None, repr=False)
    title_type: str | None = text("title_type", default=None)


@register_event("cloud_invoice_invoiceresult_event")
class CloudInvoiceInvoiceresultEvent(Event):
    """云开票结果: the result of issuing an invoice.

    Attributes:
        fpqqlsh: Serial number of the request (发票请求流水号).
        status: State of the invoice.
        nsrsbh: Tax number of the company that issues it (纳税人识别号).
    """

    fpqqlsh: str | None = text("fpqqlsh", default=None)
    status: str | None = text("status", default=None)
    nsrsbh: str | None = text("nsrsbh", default=None)
