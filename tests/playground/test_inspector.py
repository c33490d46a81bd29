"""The page as an inspector, in a real browser: users, search, replays, copies, files, a slow WeChat."""

from __future__ import annotations

import json
import re

import pytest

from tests.helpers.waiting import wait_until
from tests.playground.test_conversation_file import MESSAGE, REPLY, write_file

CONTRAST = """
const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function read(colour) {
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data];
}
const mix = (above, below) => below.map((one, at) => above[at] * above[3] / 255 + one * (1 - above[3] / 255));
const under = (element) => {
  if (!element) return [255, 255, 255];
  const own = read(getComputedStyle(element).backgroundColor);
  return own[3] === 255 ? own.slice(0, 3) : mix(own, under(element.parentElement));
};
const light = (colour) => colour.map((one) => one / 255)
  .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
  .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
const found = {};
for (const element of document.querySelectorAll("body *")) {
  const hasText = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
  if (!element.offsetParent || element.disabled || !hasText) continue;
  const below = under(element);
  const [low, high] = [light(below), light(mix(read(getComputedStyle(element).color), below))].sort((a, b) => a - b);
  found[`${element.tagName}#${element.id}.${element.className}`] = (high + 0.05) / (low + 0.05);
}
return found;
"""


@pytest.fixture
def browser(page, chromium):
    """The page of an empty conversation, in English."""
    page.post("clearing", {})
    page.post("account", {"is_verified": True, "delay": 0})
    chromium.get(page.playground.address)
    chromium.execute_script("localStorage.language = 'en'; location.reload()")
    wait_until(lambda: read(chromium, "#users [role=tab]"))
    yield chromium
    assert chromium.get_log("browser") == []


def read(browser, selector):
    return browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(one => one.innerText)", selector
    )


def press(browser, selector, text=""):
    """Click the first element that has the text."""
    script = """
    const found = [...document.querySelectorAll(arguments[0])].find((one) => one.textContent.includes(arguments[1]));
    found?.click();
    return Boolean(found && !found.disabled);
    """
    wait_until(lambda: browser.execute_script(script, selector, text))


def write(browser, text):
    browser.find_element("id", "text").send_keys(text, "\ue007")


def select(browser, text):
    """Select a message of the user, and wait until the panel shows it whole."""
    press(browser, ".row-user", text)
    wait_until(lambda: text in "".join(read(browser, ".section .code")))
    wait_until(lambda: browser.execute_script("return !document.querySelector('.actions :disabled')"))


class TestUsers:
    def test_a_user_is_added_and_has_a_conversation_of_their_own(self, page, chat, browser):
        write(browser, "from the first")
        wait_until(lambda: len(read(browser, ".row-account")) == 1)
        press(browser, ".users .add")
        press(browser, "dialog .send")
        wait_until(lambda: read(browser, "[role=tab][aria-selected=true]")[0] == "oUSER2")
        assert read(browser, ".row-user") == []
        write(browser, "from the second")
        wait_until(lambda: "from the second" in "".join(read(browser, ".row-account")))
        assert chat.wait(lambda entry: entry.get("fields", {}).get("Content") == "from the second")["user"] == "oUSER2"
        page.push({"MsgType": "text", "Content": "while away"})
        wait_until(lambda: read(browser, ".users b") == ["1"])
        press(browser, ".users [role=tab]")
        wait_until(lambda: len(read(browser, ".row-account")) == 2)
        assert read(browser, ".users b") == []


class TestSearch:
    def test_shows_what_contains_the_text_also_in_what_comes_later(self, page, chat, browser):
        for content in ("Apple", "pear"):
            chat.wait_done(page.push({"MsgType": "text", "Content": content}))
        press(browser, "#find")
        browser.find_element("id", "query").send_keys("APPLE")
        shown = ".row-of:not([hidden]) .bubble"
        wait_until(lambda: read(browser, shown) == ["Apple", "Apple"])
        assert read(browser, "#found") == ["2 found"]
        browser.find_element("id", "query").send_keys("\ue003" * 5, "reply")  # a word of the playground itself
        wait_until(lambda: read(browser, "#found") == ["0 found"])
        browser.find_element("id", "query").send_keys("\ue003" * 5, "apple")
        chat.wait_done(page.push({"MsgType": "text", "Content": "pineapple"}))
        wait_until(lambda: read(browser, shown) == ["Apple", "Apple", "pineapple", "pineapple"])
        browser.find_element("id", "query").send_keys("\ue00c")
        wait_until(lambda: len(read(browser, shown)) == 6)


class TestReplays:
    def test_buttons_of_the_panel_send_it_again(self, page, chat, browser):
        write(browser, "repeat me")
        for number, (button, label) in enumerate(
            [("Replay message", "replayed message"), ("Replay this try", "replay of try 1"), ("Send again", "")], 2
        ):
            select(browser, "repeat me")
            press(browser, ".actions button", button)
            wait_until(lambda number=number: len(read(browser, ".row-user")) == number)
            assert (
                read(browser, ".row-user:last-of-type .label, .row-user .label")[number - 2 :] == [label][: bool(label)]
            )
        wait_until(lambda: len(read(browser, ".row-account")) == 4)


class TestCopies:
    def test_are_in_the_clipboard(self, page, chat, browser):
        browser.execute_cdp_cmd(
            "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
        )
        browser.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
        write(browser, "copy me")
        select(browser, "copy me")
        clipboard = "const done = arguments[0]; navigator.clipboard.readText().then(done, () => done(''))"
        for button, begin in [
            ("curl", "curl -gi"),
            ("Test", "def test_answers_text"),
            ("wechat-msg push", "wechat-msg push"),
        ]:
            press(browser, ".actions button", button)
            wait_until(lambda begin=begin: browser.execute_async_script(clipboard).startswith(begin))

    def test_are_shown_where_there_is_no_clipboard(self, page, chat, browser):
        browser.execute_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        write(browser, "copy me")
        select(browser, "copy me")
        press(browser, ".actions button", "Test")
        shown = "return document.querySelector('dialog[open] textarea')?.value ?? ''"
        assert "wechat_push" in wait_until(lambda: browser.execute_script(shown))
        press(browser, "dialog .send")
        wait_until(lambda: not browser.execute_script(shown))


class TestFiles:
    def test_an_exported_conversation_is_imported(self, page, chat, browser, tmp_path):
        hostile = "<img src=x onerror=alert(1)>"
        reply = {**REPLY, "reply": {"MsgType": "news", "Articles": [hostile, 5, None]}}
        odd = {**MESSAGE, "id": 3, "fields": {"MsgType": {"x": []}, "Event": []}, "at": 1e300}
        path = tmp_path / "conversation.json"
        path.write_bytes(
            write_file(
                MESSAGE, REPLY, reply, odd, {**MESSAGE, "id": 4, "fields": {"MsgType": "text", "Content": hostile}}
            )
        )
        browser.find_element("id", "import").send_keys(str(path))
        wait_until(lambda: read(browser, "#toast") == ["5 entries imported"])
        wait_until(lambda: hostile in "".join(read(browser, ".row-user")))
        press(browser, ".row-user", "hi")
        wait_until(lambda: "54775168754871453" in "".join(read(browser, ".section .code")))
        assert "curl" not in read(browser, ".actions button")
        exported = "return fetch(document.getElementById('export').href).then((one) => one.text())"
        assert len(json.loads(browser.execute_script(exported))["entries"]) == 5

    def test_a_file_that_is_none_is_refused_with_the_reason(self, page, browser, tmp_path):
        path = tmp_path / "conversation.json"
        path.write_text("{}")
        browser.find_element("id", "import").send_keys(str(path))
        wait_until(lambda: "Not a conversation" in "".join(read(browser, "#toast")))
        # The browser logs each refused request.
        assert [entry["message"][-40:] for entry in browser.get_log("browser")]


class TestTheKnob:
    def test_wechat_becomes_slower(self, page, chat, browser):
        press(browser, "#tools summary")
        browser.execute_script(
            "const knob = document.getElementById('delay'); knob.value = 2; knob.dispatchEvent(new Event('change'))"
        )
        chat.wait(lambda entry: entry["id"] == "account" and entry["delay"] == 2)
        wait_until(lambda: browser.execute_script("return tools.classList.contains('on') && !tools.open"))


class TestLooks:
    def test_the_panel_of_attachments_closes_after_sending(self, page, browser):
        shown = "return !document.getElementById('extras').hidden"
        for send in ("location", "text"):
            press(browser, "#more")
            wait_until(lambda: browser.execute_script(shown))
            if send == "location":
                press(browser, "#extras button", "Location")
                press(browser, "dialog .send")
            else:
                write(browser, "hi")
            wait_until(lambda: not browser.execute_script(shown))

    def test_samples_are_in_the_language_of_the_page(self, page, browser):
        values = "return [...document.querySelectorAll('dialog input, dialog textarea')].map((one) => one.value).join()"
        for language in ("en", "zh"):
            browser.execute_script("localStorage.language = arguments[0]; location.reload()", language)
            wait_until(lambda language=language: read(browser, "#language") == [{"en": "中文", "zh": "EN"}[language]])
            wait_until(lambda: read(browser, ".menu > div"))
            texts = ["".join(read(browser, ".menu > div"))]
            for number in (3, 4, 5, 7):
                browser.execute_script("document.querySelectorAll('#extras button')[arguments[0]].click()", number)
                texts.append(wait_until(lambda: browser.execute_script(values)))
                browser.execute_script("document.getElementById('dialog').close()")
            for text in texts:
                assert bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh"), text

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_texts_have_enough_contrast_and_nothing_is_too_wide(self, page, chat, browser, scheme, width):
        colours = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": colours})
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        try:
            write(browser, "hi")
            select(browser, "hi")
            press(browser, "#tools summary")
            browser.execute_script("text.value = 'x'; text.dispatchEvent(new Event('input'))")
            for event in ("unsubscribe", "subscribe"):
                chat.wait_done(page.push({"MsgType": "event", "Event": event}))
                wanted = {"unsubscribe": "Follow", "subscribe": "Following"}[event]
                wait_until(lambda wanted=wanted: read(browser, "#follow") == [wanted])
                low = {name: ratio for name, ratio in browser.execute_script(CONTRAST).items() if ratio < 4.5}
                assert low == {}
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        finally:
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
            browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
