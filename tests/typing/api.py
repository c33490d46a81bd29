"""Code that nobody runs: it uses the public API as users do and must satisfy mypy and pyright."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, assert_type

import httpx2
import requests

import wechat_msg.api
from wechat_msg import (
    NO_DEDUP,
    Answer,
    AnswerLater,
    APIError,
    Article,
    AsyncClient,
    AsyncPushEndpoint,
    AsyncStore,
    ChapterPermission,
    ChapterPermissionReply,
    Client,
    ConnectFailed,
    Event,
    FallbackReply,
    ImageReply,
    IosRefundReply,
    MemoryStore,
    Message,
    MessageCipher,
    MusicReply,
    NewsReply,
    Push,
    PushEndpoint,
    PushRequest,
    PushResponse,
    PushSettings,
    Reply,
    ResultReply,
    Router,
    ScanEvent,
    SQLiteStore,
    Store,
    StoreError,
    TextMessage,
    TextReply,
    UserMessage,
    VideoReply,
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
from wechat_msg.api import (
    APPID,
    Call,
    File,
    Member,
    Members,
    Pages,
    Result,
    ResultOf,
    Upload,
    customer_service,
    draft,
    freepublish,
    get,
    kf,
    material,
    media,
    menu,
    miniprogram,
    no_result,
    post,
    raw_call,
    user,
)
from wechat_msg.api.access_token import AccessToken
from wechat_msg.api.jsapi import Ticket
from wechat_msg.client import (
    ClassicTokenSource,
    FetchAttempt,
    FixedToken,
    RemoteTokenSource,
    Source,
    StableTokenSource,
)
from wechat_msg.client.token_server import make_token_server
from wechat_msg.fields import integer, items, model, text
from wechat_msg.jssdk import make_config
from wechat_msg.testing import APIRequest, AsyncPushSimulator, Delivery, FakeWeChatAPI, PushSimulator, Try
from wechat_msg.testing.conformance import Row, check_endpoint
from wechat_msg.userdata import decrypt_user_data

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


class CustomStore:
    """A store that inherits nothing."""

    def get(self, key: str) -> bytes | None:
        raise StoreError(key)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        return expected is None and value is not None and ttl > 0


class CustomAsyncStore:
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


store: Store = CustomStore()
async_store: AsyncStore = CustomAsyncStore()
store = MemoryStore(max_entries=5)
store = SQLiteStore("pushes.db")
async_store = in_thread(store)
TextReply("hi", to_user_name="oUSER")
ImageReply("MID")
VideoReply("MID", title="t")
NewsReply([Article(title="t")])
NewsReply(["t"])  # type: ignore[list-item]
ChapterPermissionReply([ChapterPermission(start_chapter_index=0, end_chapter_index=9, perm=2)])
ChapterPermissionReply(["1"])  # type: ignore[list-item]
ResultReply(0, result_msg="ok", fields={"WayBillID": "1"})
IosRefundReply(result_code=0, evidence="none")
PushSettings(appid="wx0", cloud_run=True)
TextReply()  # type: ignore[call-arg]
TextReply("hi", "oUSER")  # type: ignore[call-arg]
VideoReply("MID", "t")  # type: ignore[call-arg]
MusicReply("TID")  # type: ignore[call-arg]
later: dict[str, Any] = to_customer_service_message(TextReply(content="hi"), "oUSER")
pool = ThreadPoolExecutor(4)

PushEndpoint(settings, router, store=store, late=AnswerLater(send), executor=pool)
PushEndpoint(settings, router, store=CustomStore(), late=AnswerLater(send, after="last_try"))
PushEndpoint(settings, router, store=NO_DEDUP, late=FallbackReply("..."), on_error="acknowledge")
PushEndpoint(settings, router, store=None, late=None, executor=None, on_error=answer_error, on_store_error="refuse")
PushEndpoint(settings, answer_text, dedup_key=lambda message: message.content, deliveries=4, handler_limit=60)
AsyncPushEndpoint(settings, router, store=async_store, late=AnswerLater(send_async))
AsyncPushEndpoint(settings, answer_scan, store=store, late=AnswerLater(send), executor=pool)
AsyncPushEndpoint(settings, answer_text, store=CustomAsyncStore(), on_error=answer_error_async)
AsyncPushEndpoint(settings, store=NO_DEDUP, late=FallbackReply("..."), on_error=answer_error)

PushEndpoint(settings, answer_scan)  # type: ignore[arg-type]
PushEndpoint(settings, router, store=async_store)  # type: ignore[arg-type]
PushEndpoint(settings, router, store=CustomAsyncStore())  # type: ignore[arg-type]
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


# --- the API ---------------------------------------------------------------------------------------------------------


@model
class DraftCount(Result):
    """The result of a call of one's own."""

    total_count: int = integer("total_count")


def count_drafts() -> Call[DraftCount]:
    return get("/cgi-bin/draft/count", ResultOf(DraftCount))


def count_words(answer: Mapping[str, Any]) -> int:
    return len(answer)


class CustomSource(Source):
    """A source of tokens of one's own."""

    name = "own"
    renew_before = 60.0

    def attempts(self, rejected: str | None) -> Iterable[FetchAttempt]:
        own = Call(
            "GET", "/token", ResultOf(AccessToken), {"not": rejected or ""}, needs_access_token=False, host="https://t"
        )
        yield FetchAttempt(own)
        yield FetchAttempt(own, is_limited=True)


class HalfASource:
    """Not a source."""

    name = "half"


def show_progress(done: int, total: int | None) -> None:
    print(done, total)


client = Client("wx0", "secret", store=store)
Client.from_env("SHOP_", store=store, retries=0)
Client("wx0", "secret", session=requests.Session(), hosts=["api.weixin.qq.com"], timeout=5, total_timeout=10)
Client("wx0", "secret", timeout=(3.05, None), token_source=StableTokenSource())
Client("wx0", "secret", token_source=ClassicTokenSource())
Client("wx0", token_source=RemoteTokenSource("https://tokens.example.com", "shared secret"))
Client("wx0", token_source=FixedToken(lambda: "token"))
Client("wx0", token_source=CustomSource())
Client("wx0", "secret", store=async_store)  # type: ignore[arg-type]
Client("wx0", "secret", store=HalfAStore())  # type: ignore[arg-type]
Client("wx0", "secret", store)  # type: ignore[call-arg]
Client("wx0", "secret", session=httpx2.AsyncClient())  # type: ignore[arg-type]
Client("wx0", "secret", token_source=HalfASource())  # type: ignore[arg-type]
Client("wx0", "secret", timeout="5")  # type: ignore[arg-type]
assert_type(Client.from_env(), Client)
assert_type(AsyncClient.from_env(), AsyncClient)

assert_type(user.get_info("o"), Call[user.UserInfo])
assert_type(client.call(user.get_info("o")), user.UserInfo)
assert_type(client.call(user.get_info("o")).tagid_list, tuple[int, ...])
assert_type(client.call(user.list_tags()), tuple[user.Tag, ...])
assert_type(client.call(kf.list_accounts()), tuple[kf.KfAccount, ...])
assert_type(client.call(miniprogram.query_order(appkey="key", order_id="1")), miniprogram.XpayOrder)
assert_type(client.call(miniprogram.is_trade_managed()), bool)
assert_type(list(client.iterate(miniprogram.iterate_orders())), list[miniprogram.TradeOrder])
assert_type(client.call(media.upload("image", Path("cat.png"), progress=show_progress)), media.UploadedMedia)
assert_type(client.call(media.download("id")).content, bytes)
assert_type(client.call(media.get_video_url("id")), str)
assert_type(client.call(material.get_material("id")).content, bytes)
assert_type(client.call(material.get_news_material("id")).news_item[0].title, str)
assert_type(client.call(material.get_video_material("id")).down_url, str)
assert_type(client.call(media.upload("image", bytearray(b"GIF"))), media.UploadedMedia)
assert_type(client.call(material.upload_image(memoryview(b"GIF"))), str)
assert_type(menu.create({"button": [{"type": "click", "name": "a", "key": "K"}]}), Call[None])
assert_type(menu.create([menu.ClickButton(name="a", key="K"), {"name": "b", "sub_button": []}]), Call[None])
assert_type(menu.create(menu.Menu()), Call[None])
assert_type(menu.add_conditional({"button": [], "matchrule": {"tag_id": "2"}}), Call[str])
assert_type(menu.add_conditional([], {"tag_id": "2"}), Call[str])
assert_type(draft.add([draft.News(title="t", content="c", thumb_media_id="id"), {"title": "t"}]), Call[str])
assert_type(draft.NewsPic(title="t", content="c", image_media_ids=["id"]).image_media_ids, tuple[str, ...])
assert_type(list(client.iterate(draft.iterate_drafts())), list[draft.DraftItem])
assert_type(client.call(freepublish.get(1)).fail_idx, tuple[int, ...])
assert_type(client.raw_call("GET", "/cgi-bin/draft/count"), Mapping[str, Any])
assert_type(client.call(raw_call("GET", "/cgi-bin/draft/count")), Mapping[str, Any])
assert_type(client.call(count_drafts()), DraftCount)
assert_type(client.call(count_drafts().repeatable()).total_count, int)
assert_type(client.call(post("/path", {"appid": APPID}, Member("name", str))), str)
assert_type(client.call(post("/path", {}, Members("ids", int), is_repeatable=True)), tuple[int, ...])
assert_type(client.call(get("/path", count_words, page=1)), int)
assert_type(user.iterate_openids(), Pages[user.OpenIDPage, str])
assert_type(list(client.iterate(user.iterate_openids())), list[str])
assert_type(list(client.iterate(kf.iterate_msg_records(0, 1))), list[kf.MsgRecord])
assert_type(client.get_access_token(), AccessToken)
assert_type(client.get_ticket("jsapi"), Ticket)
assert_type(customer_service.send("o", TextReply(content="hi")), Call[None])

client.call(user.iterate_openids())  # type: ignore[arg-type]
client.iterate(user.get_info("o"))  # type: ignore[arg-type]
client.call(user.get_info())  # type: ignore[call-arg]
client.call(user.get_info("o", "zh_CN"))  # type: ignore[call-arg]
client.call(customer_service.send("o", 5))  # type: ignore[arg-type]
print(client.call(user.get_info("o")).nick_name)  # type: ignore[attr-defined]
assert_type(wechat_msg.api.user.get_info("o"), Call[user.UserInfo])
print(wechat_msg.api.no_such_topic)  # type: ignore[attr-defined]


async def call_async(aclient: AsyncClient) -> None:
    """The same types as above, with nothing but `await` before."""
    async with AsyncClient("wx0", "secret", store=async_store, session=httpx2.AsyncClient()) as other:
        assert_type(other, AsyncClient)
    AsyncClient("wx0", "secret", store=store, token_source=CustomSource())
    AsyncClient("wx0", "secret", session=requests.Session())  # type: ignore[arg-type]

    assert_type(await aclient.call(user.get_info("o")), user.UserInfo)
    assert_type(await aclient.call(user.list_tags()), tuple[user.Tag, ...])
    assert_type(await aclient.call(media.download("id")), File)
    assert_type(await aclient.raw_call("GET", "/cgi-bin/draft/count"), Mapping[str, Any])
    assert_type(await aclient.call(count_drafts()), DraftCount)
    assert_type(await aclient.call(get("/path", count_words)), int)
    assert_type([openid async for openid in aclient.iterate(user.iterate_openids())], list[str])
    assert_type(await aclient.get_access_token(rejected="old"), AccessToken)
    assert_type(await aclient.get_ticket(), Ticket)
    print(aclient.call(user.get_info("o")).subscribe)  # type: ignore[attr-defined]


def handle_failure(call: Call[None]) -> str:
    with client:
        try:
            client.call(call)
        except APIError as error:
            assert_type(error.errcode, int)
            assert_type(error.rid, str | None)
            return error.errmsg + error.hint
        except ConnectFailed as error:
            return str(error)
    return ""


upload = Upload(file=b"bytes", filename="a.txt", fields={"description": "{}"}, progress=show_progress)
raw: Call[Mapping[str, Any]] = raw_call("POST", "/cgi-bin/media/upload", params={"type": "image"}, upload=upload)
Call("POST", "/path", no_result, json={"list": [1]}, also_done=frozenset({45065}))
PushEndpoint(settings, router, late=AnswerLater(lambda body: client.call(customer_service.send_body(body))))

token_server = make_token_server([client], "a long shared secret")
config: dict[str, object] = make_config("wx0", client.get_ticket().ticket, "https://example.com/", ["scanQRCode"])
data: dict[str, Any] = decrypt_user_data("key", "data", "iv", appid="wx0", max_age=300)

with FakeWeChatAPI() as wechat:
    wechat.answer("/path", {"total_count": 1}, times=1)
    requests_seen: list[APIRequest] = wechat.requests_to("/path")
    sent: list[dict[str, Any]] = wechat.messages
    wechat.open_window("oUSER", "CLICK")
    wechat.record_push({"FromUserName": "oUSER", "MsgType": "text"})
    PushSimulator("/", settings, api=wechat)
    PushSimulator("/", settings, api=wechat.url)  # type: ignore[arg-type]
FakeWeChatAPI(verified=False)


def print_try(one: Try) -> None:
    print(one.seconds, one.verdict.problem)


def test_answers_are_typed(wechat_push: Callable[..., PushSimulator]) -> None:
    simulator = wechat_push("/wechat", settings, wsgi=wsgi.push_app(PushEndpoint(settings, router)))
    assert_type(simulator.push_text("hi", openid="oOTHER").text, str | None)
    assert_type(simulator.push({"MsgType": "text"}, mode="sealed", format="json"), Delivery)
    assert_type(next(check_endpoint(simulator)), Row)
    simulator.push({"MsgType": "text"}, mode="secret")  # type: ignore[arg-type]


async def test_answers_in_a_loop() -> None:
    app = asgi.push_app(AsyncPushEndpoint(settings, router))
    async with AsyncPushSimulator("/wechat", settings, asgi=app, on_try=print_try, time_limit=1) as simulator:
        assert_type(await simulator.verify(), Try)
        assert_type(
            (await simulator.push_event("subscribe", openid="oOTHER", EventKey="qrscene_7")).reply,
            Mapping[str, Any] | None,
        )


PushSimulator("http://127.0.0.1:8000/wechat", settings, mode="compatible", format="xml", tries=1)
PushSimulator("http://127.0.0.1:8000/wechat", settings, format="yaml")  # type: ignore[arg-type]
