"""Events of mini games (小游戏)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import content, integer, model, nested, text

__all__ = ["MiniGame", "MinigameCoinDeliverCompletedEvent"]


@model
class MiniGame:
    """The signed content of an event of a mini game.

    Attributes:
        payload: JSON text, letter for letter, as its signature is of these letters. No repr shows it.
        pay_event_sig: Signature, hexadecimal.
        is_mock: 1 if the push is a test from the console.
    """

    payload: str = content("Payload")
    pay_event_sig: str | None = text("PayEventSig", default=None)
    is_mock: int | None = integer("IsMock", default=None)


@register_event("minigame_coin_deliver_completed")
class MinigameCoinDeliverCompletedEvent(Event):
    """代币发货完成: coins were delivered. The push may name neither sender nor receiver."""

    mini_game: MiniGame = nested("MiniGame", MiniGame)
