"""Events of mini games (小游戏)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.events.virtual_payment import XpayGoodsInfo, XpayWeChatPayInfo
from wechat_msg.fields import build_from_json, content, integer, model, nested, text

__all__ = [
    "MiniGame",
    "MiniGameGoodsInfo",
    "MiniGameOrder",
    "MinigameCoinDeliverCompletedEvent",
    "MinigameGamePayGoodsDeliverNotifyEvent",
    "MinigameH5GoodsDeliverNotifyEvent",
]


@model
class MiniGame:
    """The signed content of an event of a mini game.

    Attributes:
        payload: JSON text, letter for letter, as its signature is of these letters. No repr shows it.
        pay_event_sig: Signature: HMAC-SHA256 with the AppKey, hexadecimal, of the event's name, ``&`` and the payload.
        is_mock: 1 if the push is a test from the console.
    """

    payload: str = content("Payload")
    pay_event_sig: str | None = text("PayEventSig", default=None)
    is_mock: int | None = integer("IsMock", default=None)


@register_event("minigame_coin_deliver_completed")
class MinigameCoinDeliverCompletedEvent(Event):
    """代币发货完成: coins were delivered. The push may name neither sender nor receiver."""

    mini_game: MiniGame = nested("MiniGame", MiniGame)


@model
class MiniGameGoodsInfo(XpayGoodsInfo):
    """The goods that were bought: as `XpayGoodsInfo`, with their zone and source.

    Attributes:
        zone_id: Zone of the game.
        order_source: 1 in the game, 2 in the store, 3 in a test of the store.
    """

    zone_id: str | None = text("ZoneId", default=None)
    order_source: int | None = integer("OrderSource", default=None)


@model
class MiniGameOrder:
    """An order of goods. Prices are in cents (分).

    Attributes:
        open_id: The user's OpenID.
        env: 0 live, 1 sandbox.
        out_trade_no: Id of the order.
        goods_info: The goods.
        we_chat_pay_info: The payment, if there is one.
    """

    open_id: str | None = text("OpenId", default=None)
    env: int | None = integer("Env", default=None)
    out_trade_no: str = text("OutTradeNo")
    goods_info: MiniGameGoodsInfo | None = nested("GoodsInfo", MiniGameGoodsInfo, default=None)
    we_chat_pay_info: XpayWeChatPayInfo | None = nested("WeChatPayInfo", XpayWeChatPayInfo, default=None)


@model
class _MiniGameGoodsEvent(Event):
    """Base class of the events of goods. WeChat wants the answer to the first try again for every repeat."""

    mini_game: MiniGame = nested("MiniGame", MiniGame)

    @property
    def order(self) -> MiniGameOrder | None:
        """The order in `mini_game.payload`; None if that is unreadable."""
        return build_from_json(MiniGameOrder, self.mini_game.payload)


@register_event("minigame_h5_goods_deliver_notify")
class MinigameH5GoodsDeliverNotifyEvent(_MiniGameGoodsEvent):
    """小游戏 H5 道具发货推送: the user paid for goods on a web page, which must be delivered."""


@register_event("minigame_game_pay_goods_deliver_notify")
class MinigameGamePayGoodsDeliverNotifyEvent(_MiniGameGoodsEvent):
    """小游戏道具发货推送: the user paid for goods in the game, which must be delivered."""
