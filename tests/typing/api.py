"""Code that nobody runs: it uses the public API as users do and must satisfy mypy and pyright."""

from __future__ import annotations

from collections.abc import Mapping

from wechat_msg import (
    AsyncPushEndpoint,
    Event,
    Message,
    MessageCipher,
    Push,
    PushEndpoint,
    PushRequest,
    PushResponse,
    PushSettings,
    Reply,
    Router,
    ScanEvent,
    TextMessage,
    TextReply,
    UserMessage,
    answer_echostr,
    open_push,
    parse_message,
    register_event,
    register_message,
    seal_reply,
)
from wechat_msg.adapters import asgi, django, fastapi, flask, wsgi
from wechat_msg.fields import integer, items, model, text

settings = PushSettings(token="abc", encoding_aes_key="A" * 43, appid="wx0", extra_appids={"wx1"})
router = Router()


@router.on(TextMessage, lambda message: message.content.isdigit(), content="1")
def answer_text(message: TextMessage) -> str | None:
    content: str = message.content
    menu: str | None = message.bizmsgmenuid
    return menu or content


@router.on(ScanEvent)
async def answer_scan(event: ScanEvent) -> Reply:
    scene: str = event.scene
    return TextReply(content=scene)


@router.default
def answer_other(message: Message) -> None:
    seconds: int = message.create_time
    raw: Mapping[str, object] = message.raw
    print(seconds, raw)


def handle(request: PushRequest) -> PushResponse:
    if request.method == "GET":
        return PushResponse(200, answer_echostr(settings, request.query).encode())
    push: Push = open_push(settings, request)
    return seal_reply(settings, push, "hi")


endpoint = PushEndpoint(settings, router)
async_endpoint = AsyncPushEndpoint(settings, answer_scan)


async def handle_async(request: PushRequest) -> PushResponse:
    return await async_endpoint.handle(request)


wsgi_app = wsgi.push_app(endpoint)
asgi_app = asgi.push_app(async_endpoint)
flask_view = flask.push_view(lambda request: endpoint if request.view_args else None)
django_view = django.push_view(endpoint)
fastapi_router = fastapi.push_router(async_endpoint, "/wechat")

sealed: str = MessageCipher("A" * 43, "wx0").encrypt(b"x")
opened: bytes = MessageCipher("A" * 43, "wx0").decrypt(sealed)


@model
class Part:
    number: int = integer("Number")


@register_message("poke")
class PokeMessage(UserMessage):
    poked: str = text("Poked")


@register_event("my_event")
class MyEvent(Event):
    parts: tuple[Part, ...] = items("Parts", Part)


mine = MyEvent(create_time=1, parts=(Part(number=1),))
poke = PokeMessage(to_user_name="gh", from_user_name="o", create_time=1, poked="nose")
parsed: Message = parse_message({"MsgType": "text"})
