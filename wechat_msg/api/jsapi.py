"""JS-SDK 票据: the tickets that sign what a page asks of WeChat; clients keep them, see `Client.get_ticket`."""

from __future__ import annotations

from wechat_msg.api.call import Call, get
from wechat_msg.api.reading import Reads, Result
from wechat_msg.fields import integer, model, text

__all__ = ["Ticket", "get_ticket"]


@model
class Ticket(Result):
    """A ticket of the account, not of a page.

    Attributes:
        ticket: The ticket. No repr shows it.
        expires_in: Seconds that it has left.
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
    return get("/cgi-bin/ticket/getticket", Reads(Ticket), type=type)
