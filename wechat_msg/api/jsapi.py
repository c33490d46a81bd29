"""JS-SDK 票据: tickets that sign the configuration of a web page. Clients cache them, see `Client.get_ticket`."""

from __future__ import annotations

from wechat_msg.api.call import Call, get
from wechat_msg.api.results import Result, ResultOf
from wechat_msg.fields import integer, model, text

__all__ = ["Ticket", "get_ticket"]


@model
class Ticket(Result):
    """Ticket of an account; all its pages share it.

    Attributes:
        ticket: The ticket. No repr shows it.
        expires_in: Seconds until it expires.
    """

    ticket: str = text("ticket", repr=False)
    expires_in: int = integer("expires_in")

    @property
    def value(self) -> str:
        """The same as `ticket`."""
        return self.ticket


def get_ticket(type: str = "jsapi") -> Call[Ticket]:
    """获取 ticket: fetch a ticket.

    Args:
        type: ``jsapi`` for the JS-SDK, ``wx_card`` for cards.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html
    """
    return get("/cgi-bin/ticket/getticket", ResultOf(Ticket), type=type)
