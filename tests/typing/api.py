"""Code that nobody runs: it uses the public API as users do and must satisfy mypy and pyright."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from wechat_msg import (
    NO_DEDUP,
    Answer,
    AnswerLater,
    AsyncPushEndpoint,
    AsyncStore,
    Event,
    FallbackReply,
    MemoryStore,
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
    SQLiteStore,
    Store,
    StoreError,
    TextMessage,
    TextReply,
    UserMessage,
    answer_echostr,
    in_thread,
    open_push,
    parse_message,
    register_event,
    register_message,
    seal_reply,
    to_customer_service_message,
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


# --- handled once ----------------------------------------------------------------------------------------------------


class OwnStore:
    """A store that inherits nothing."""

    def get(self, key: str) -> bytes | None:
        raise StoreError(key)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return expected is None and value is not None and ttl > 0


class OwnAsyncStore:
    """An async one."""

    async def get(self, key: str) -> bytes | None:
        return None

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return False


class HalfAStore:
    """Not a store."""

    def get(self, key: str) -> bytes | None:
        return None


def send(message: dict[str, Any]) -> None:
    print(message["touser"])


async def send_async(message: dict[str, Any]) -> int:
    return len(message)


def answer_error(message: Message, error: Exception) -> Answer:
    return f"{message.msg_type} {error}"


async def answer_error_async(message: Message, error: Exception) -> Answer:
    return TextReply(content=f"{message.msg_type} {error}")


store: Store = OwnStore()
async_store: AsyncStore = OwnAsyncStore()
store = MemoryStore(max_entries=5)
store = SQLiteStore("pushes.db")
async_store = in_thread(store)
later: dict[str, Any] = to_customer_service_message(TextReply(content="hi"), "oUSER")
pool = ThreadPoolExecutor(4)

PushEndpoint(settings, router, store=store, late=AnswerLater(send), executor=pool)
PushEndpoint(settings, router, store=OwnStore(), late=AnswerLater(send, after="last_try"))
PushEndpoint(settings, router, store=NO_DEDUP, late=FallbackReply("..."), on_error="acknowledge")
PushEndpoint(settings, router, store=None, late=None, executor=None, on_error=answer_error, on_store_error="refuse")
PushEndpoint(settings, answer_text, dedup_key=lambda message: message.content, deliveries=4, handler_limit=60)
AsyncPushEndpoint(settings, router, store=async_store, late=AnswerLater(send_async))
AsyncPushEndpoint(settings, answer_scan, store=store, late=AnswerLater(send), executor=pool)
AsyncPushEndpoint(settings, answer_text, store=OwnAsyncStore(), on_error=answer_error_async)
AsyncPushEndpoint(settings, store=NO_DEDUP, late=FallbackReply("..."), on_error=answer_error)

PushEndpoint(settings, answer_scan)  # type: ignore[arg-type]
PushEndpoint(settings, router, store=async_store)  # type: ignore[arg-type]
PushEndpoint(settings, router, store=OwnAsyncStore())  # type: ignore[arg-type]
PushEndpoint(settings, router, store=HalfAStore())  # type: ignore[arg-type]
AsyncPushEndpoint(settings, router, store=HalfAStore())  # type: ignore[arg-type]
PushEndpoint(settings, router, store=MemoryStore)  # type: ignore[arg-type]
PushEndpoint(settings, router, late=send)  # type: ignore[arg-type]
AsyncPushEndpoint(settings, router, late="please wait")  # type: ignore[arg-type]
PushEndpoint(settings, router, executor=4)  # type: ignore[arg-type]
PushEndpoint(settings, router, on_error="ignore")  # type: ignore[arg-type]
PushEndpoint(settings, router, on_store_error="raise")  # type: ignore[arg-type]
AsyncPushEndpoint(settings, router, dedup_key=lambda message: 5)  # type: ignore[arg-type, return-value]
PushEndpoint(settings, router, store)  # type: ignore[call-arg]
AnswerLater("send")  # type: ignore[arg-type]
AnswerLater(send, after="second_try")  # type: ignore[arg-type]
in_thread(async_store)  # type: ignore[arg-type]
