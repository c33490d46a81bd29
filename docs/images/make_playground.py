"""Makes playground.png: a conversation with a café's bot, seen by headless Chromium.

``python docs/images/make_playground.py`` needs chromium, chromedriver, the fonts Noto Sans CJK and Noto Color Emoji.
"""

from __future__ import annotations

import contextlib
import math
import random
import shutil
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import make_server

from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver

from wechat_msg import (
    Article,
    Client,
    ImageMessage,
    NewsReply,
    PushEndpoint,
    PushSettings,
    Router,
    SubscribeEvent,
    TextMessage,
)
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.api import customer_service, media, menu
from wechat_msg.playground import Playground

SETTINGS = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
PICTURE = Path(__file__).parent / "playground.png"
WIDTH, HEIGHT = 1440, 900


# --- the bot ---------------------------------------------------------------------------------------------------------


def make_bot(covers: list[str]) -> Router:
    router = Router()

    @router.on(SubscribeEvent)
    def welcome(_):
        return "欢迎来到云朵咖啡 ☕️ 回复「菜单」看看今天喝什么"

    @router.on(TextMessage, content="菜单")
    def show_drinks(_):
        title, more = "樱花拿铁上新，第二杯半价", "🌸 春日限定，本周到店可享"
        return NewsReply(
            articles=[Article(title=title, description=more, pic_url=covers[0], url="https://example.com")]
        )

    @router.on(ImageMessage)
    def take(_):
        return ""

    @router.on(TextMessage)
    def think(_):
        time.sleep(5.6)  # longer than WeChat waits: its second try gets the reply
        return "推荐低因樱花拿铁，不影响睡眠 😴"

    return router


def draw_cover(width: int = 568, height: int = 242) -> bytes:
    """Return a PNG: petals before an evening sky."""
    dice = random.Random(11)
    petals = [(dice.randrange(width), dice.randrange(height), dice.randrange(3, 16)) for _ in range(38)]

    def colour(x: int, y: int) -> bytes:
        near = any(math.hypot(x - a, (y - b) * 1.5) < size for a, b, size in petals)
        down, right = y / height, x / width
        if near:
            return bytes((255, 214 + int(24 * down), 226))
        return bytes((int(246 - 40 * right), int(140 + 55 * down), int(168 + 30 * right)))

    rows = b"".join(b"\0" + b"".join(colour(x, y) for x in range(width)) for y in range(height))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# --- the stage -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_stage() -> Iterator[tuple[Playground, Client]]:
    covers: list[str] = []
    bot = push_app(PushEndpoint(SETTINGS, make_bot(covers)))
    with make_server("127.0.0.1", 8000, bot, ThreadingServer, QuietHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        playground = Playground(SETTINGS, "http://127.0.0.1:8000/wechat", port=0)
        serving = threading.Thread(target=playground.run)
        serving.start()
        client = Client(playground.api.appid, playground.api.secret, hosts=[playground.base])
        covers.append(
            playground.api.url_of(client.call(media.upload("image", draw_cover(), filename="a.png")).media_id)
        )
        try:
            yield playground, client
        finally:
            playground.stop()
            serving.join()
            server.shutdown()


@contextlib.contextmanager
def open_browser() -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or sys.exit("chromium is not installed")
    for switch in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars", "disable-background-networking"):
        options.add_argument(f"--{switch}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options.add_argument(f"--user-data-dir={profile}")
        browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1.5, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        user = {"userAgent": "Chromium", "acceptLanguage": "zh-CN"}
        browser.execute_cdp_cmd("Network.setUserAgentOverride", user)
        try:
            yield browser
        finally:
            browser.quit()


def play(browser: WebDriver, client: Client) -> None:
    def do(script: str) -> None:
        imports = "Promise.all(['server', 'samples'].map(name => import(`/playground/static/${name}.js`)))"
        browser.execute_async_script(f"{imports}.then(async ([server, samples]) => {{ {script} }}).then(arguments[0])")
        time.sleep(0.5)

    def say(text: str) -> None:
        browser.find_element("id", "text").send_keys(text, "\ue007")
        time.sleep(0.5)

    client.call(
        menu.create(
            [
                menu.ClickButton(name="今日推荐", key="TODAY"),
                menu.ParentButton(name="会员", sub_button=[menu.ClickButton(name="积分", key="POINTS")]),
                menu.ViewButton(name="点单", url="https://example.com/"),
            ]
        )
    )
    do("await server.pushEvent('subscribe')")
    say("菜单")
    do(
        "const file = await server.upload('image', await samples.makeImage());"
        "await server.push({MsgType: 'image', PicUrl: file.url, MediaId: file.media_id})"
    )
    say("下午喝什么不影响睡眠？")
    time.sleep(6)
    items = [
        customer_service.MenuItem(id="1", content="好的，帮我下单"),
        customer_service.MenuItem(id="2", content="再想想"),
    ]
    message = customer_service.MsgMenu(head_content="需要现在帮您下单吗？", items=items)
    client.call(customer_service.send("oUSER", message))
    time.sleep(1)


def main() -> None:
    with open_stage() as (playground, client), open_browser() as browser:
        browser.get(playground.address)
        time.sleep(1)
        play(browser, client)
        PICTURE.write_bytes(browser.get_screenshot_as_png())
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
