"""Order a coffee: name, size, confirmation; ``cancel`` at any time: ``python examples/order_bot.py``."""

import os
from pathlib import Path
from wsgiref.simple_server import make_server

from attrs import define

from wechat_msg import Ask, Conversations, End, PushEndpoint, PushSettings, Router, SQLiteStore, TextMessage
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.filters import command, keywords


@define
class Order:
    name: str = ""
    size: str = ""


store = SQLiteStore(os.environ.get("WECHAT_STORE") or Path(__file__).with_suffix(".db"))
order = Conversations(store, Order, ttl=600, expired="Too late. Say coffee again.")
router = Router()


@router.on(TextMessage, command("cancel", "取消"))
def cancel(_: TextMessage) -> End:
    return order.end("Cancelled.")


router.include(order)  # while a dialogue is open, its next step is asked first


@router.on(TextMessage, keywords("coffee", "咖啡"))
def begin(_: TextMessage) -> Ask:
    return Ask("What is your name?", then=take_name)


@order.step(TextMessage)
def take_name(message: TextMessage, state: Order) -> Ask:
    state.name = message.content
    return Ask("Small or large?", then=take_size)


@order.step(TextMessage)
def take_size(message: TextMessage, state: Order) -> Ask:
    if message.content not in ("small", "large"):
        return Ask("Please say small or large.", then=take_size)
    state.size = message.content
    return Ask(f"A {state.size} coffee for {state.name}: yes or no?", then=confirm)


@order.step(TextMessage)
def confirm(message: TextMessage, state: Order) -> str:
    # Write the order to your database here, with message.msg_id as its key: after a crash, a step may run again.
    return f"Coming, {state.name}!" if message.content == "yes" else "Nothing was ordered."


app = push_app(PushEndpoint(PushSettings.from_env(), router, store=store))

if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), app) as server:
        print(f"Listening at http://127.0.0.1:{server.server_port}")
        server.serve_forever()
