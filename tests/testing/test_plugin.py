"""The pytest plugin in a user's project: its fixtures are available, and cost nothing until they are used."""

from __future__ import annotations

import importlib.metadata

import pytest

from tests.helpers.servers import run

ENVIRON = {"WECHAT_TOKEN": "spamtest", "WECHAT_ENCODING_AES_KEY": "A" * 43, "WECHAT_APPID": "wx0123456789abcdef"}

#: Tests of a user; their names say what is expected of each.
TESTS = """
import pytest, requests

urls, told = [], []

def bot(environ, start_response):
    start_response("200 OK", [])
    return [b"success"]

async def bot_with_startup(scope, receive, send):
    if scope["type"] == "lifespan":
        for _ in range(2):
            told.append((await receive())["type"])
            await send({"type": told[-1] + ".complete"})
    else:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"success"})

def test_without_token_fails(wechat_push, monkeypatch):
    monkeypatch.delenv("WECHAT_TOKEN")
    wechat_push("/", wsgi=bot)

def test_without_address_fails(wechat_push):
    wechat_push("bot.example")

def test_environment(wechat_push):
    seen = []
    wechat = wechat_push("/wechat", wsgi=bot, tries=1, on_try=seen.append)
    assert wechat.push_text("hi").is_acknowledged
    assert wechat.push_event("subscribe").is_acknowledged
    assert seen[0].request.query["encrypt_type"] == "aes"
    assert wechat.verify().verdict.problem.code == "not_echoed"

def test_given_settings(wechat_push):
    from wechat_msg import PushSettings
    one = wechat_push("/one", PushSettings(token="one"), wsgi=bot)
    two = wechat_push("/two", PushSettings(token="two"), wsgi=bot)
    assert "encrypt_type" not in one.push_text("hi").tries[0].request.query
    assert two.push_text("hi").is_acknowledged

def test_startup_fails(wechat_push):
    assert not wechat_push("/", asgi=bot_with_startup).push_text("hi").is_acknowledged

def test_shutdown():
    assert told == ["lifespan.startup", "lifespan.shutdown"]

@pytest.mark.parametrize("turn", [1, 2])
def test_api(fake_wechat_api, turn):
    query = {"grant_type": "client_credential", "appid": fake_wechat_api.appid, "secret": fake_wechat_api.secret}
    answer = requests.get(fake_wechat_api.url + "/cgi-bin/token", params=query, timeout=5).json()
    assert answer["expires_in"] == 7200
    assert len(fake_wechat_api.requests) == 1
    urls.append(fake_wechat_api.url)

def send(api):
    query = {"grant_type": "client_credential", "appid": api.appid, "secret": api.secret}
    token = requests.get(api.url + "/cgi-bin/token", params=query, timeout=5).json()["access_token"]
    message = {"touser": "oUSER", "msgtype": "text", "text": {"content": "hi"}}
    url = api.url + "/cgi-bin/message/custom/send"
    return requests.post(url, params={"access_token": token}, json=message, timeout=5).json()["errcode"]

def test_both(wechat_push, fake_wechat_api):
    fake_wechat_api.close_window("oUSER")
    wechat_push("/", wsgi=bot).push_event("CLICK", EventKey="A")
    assert [send(fake_wechat_api) for _ in range(4)] == [0, 0, 0, 45047]

def test_api_of_another_account(wechat_push, fake_wechat_api):
    fake_wechat_api.close_window("oUSER")
    wechat_push("/", wsgi=bot, api=None).push_text("hi")
    assert send(fake_wechat_api) == 45015

def test_api_is_closed():
    for url in urls:
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)
"""

#: A program that prints the modules that the plugin loads in addition to those of pytest.
LOADED = """
import sys, pytest
before = set(sys.modules)
import wechat_msg.testing.plugin
print(*sorted(set(sys.modules) - before))
"""

BROKEN_STORE = """
from wechat_msg.testing import StoreContract

class BrokenStore:
    def get(self, key):
        return None

    def compare_and_set(self, key, expected, value, ttl):
        return False

class TestBrokenStore(StoreContract):
    def make_store(self):
        return BrokenStore()
"""


def run_pytest(folder, tests, *options, environ=None):
    """Run a user's tests without the settings of this project; warnings are errors."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_users.py").write_text(tests)
    others = ("anyio", "benchmark", "cacheprovider", "hypothesispytest", "randomly", "xdist")
    plugins = [f"-pno:{name}" for name in others]
    place = "-c", f"{folder}/pytest.ini", str(folder)
    return run("-m", "pytest", *plugins, "-W", "error", *options, *place, environ=environ)


class TestFixtures:
    @pytest.fixture(scope="module")
    @staticmethod
    def printed(tmp_path_factory):
        status, printed = run_pytest(tmp_path_factory.mktemp("project"), TESTS, "-v", environ=ENVIRON)
        assert status == 1, printed
        return printed

    def test_report_which_setting_is_missing(self, printed):
        assert "test_without_token_fails FAILED" in printed
        assert "SettingsError: environment variables missing: WECHAT_TOKEN" in printed

    def test_refuse_an_invalid_address(self, printed):
        assert "test_without_address_fails FAILED" in printed
        assert "SettingsError: url:" in printed

    @pytest.mark.parametrize(
        "name", ["environment", "given_settings", "api[1]", "api[2]", "both", "api_of_another_account"]
    )
    def test_work_without_an_import(self, printed, name):
        assert f"test_{name} PASSED" in printed

    @pytest.mark.parametrize("name", ["shutdown", "api_is_closed"])
    def test_are_closed_after_the_test(self, printed, name):
        assert f"test_{name} PASSED" in printed

    def test_show_the_delivery_in_a_failure(self, printed):
        assert "test_startup_fails FAILED" in printed
        assert "<Delivery acknowledged, tries: 1," in printed


class TestPlugin:
    def test_is_found_by_pytest(self):
        (entry,) = importlib.metadata.entry_points(group="pytest11", name="wechat_msg")
        assert entry.value == "wechat_msg.testing.plugin"

    def test_loads_nothing_but_itself(self):
        """Each project that has the package installed pays for it, with every run of its tests."""
        assert run("-c", LOADED) == (0, "wechat_msg wechat_msg._lazy wechat_msg.testing wechat_msg.testing.plugin\n")

    def test_is_not_needed_for_the_asserts_of_the_contract_to_show_values(self, tmp_path):
        environ = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        status, printed = run_pytest(tmp_path, BROKEN_STORE, "-k", "an_absent_key_can_be_claimed", environ=environ)
        assert status == 1, printed
        assert "assert False is True" in printed

    def test_does_not_disturb_a_project_that_does_not_use_it(self, tmp_path):
        status, printed = run_pytest(tmp_path, "def test(): pass")
        assert status == 0, printed
        assert "1 passed" in printed
        assert "warning" not in printed

    def test_explains_its_fixtures(self, tmp_path):
        _, printed = run_pytest(tmp_path, "", "--fixtures")
        assert "WeChat's side: ``wechat_push(url, settings, ...)``" in printed
        assert "WeChat's API at a local address" in printed
