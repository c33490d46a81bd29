"""A playground for each module, a page of it, and one browser for all."""

from __future__ import annotations

import pytest

from tests.helpers.playgrounds import Follower, Page, run_bot, run_playground
from tests.helpers.servers import need

_SWITCHES = [
    *("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"),
    *("disable-component-update", "disable-sync", "window-size=1280,860"),
]


@pytest.fixture(scope="module")
def playground():
    with run_bot() as url, run_playground(url, time_limit=0.4) as playground:
        yield playground


@pytest.fixture
def page(playground):
    return Page(playground).log_in()


@pytest.fixture
def chat(page):
    return Follower(page)


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    browser, service = need("chromium"), need("chromedriver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for switch in _SWITCHES:
        options.add_argument(f"--{switch}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(service))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def chromium(driver):
    """The browser; it leaves the page before its playground ends, and forgets what it has logged."""
    yield driver
    driver.get("about:blank")
    driver.get_log("browser")
