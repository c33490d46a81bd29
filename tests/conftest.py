"""Settings for all tests: signals, hypothesis, shared fixtures, and the measurements that are printed at the end."""

from __future__ import annotations

import functools
import gc
import logging
import os
import signal
import threading

import httpx2
import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.certificates import make_certificate

# No deadline, as the machine may be busy. The same values in every run; with the profile "many", which `make endurance`
# has, other values in each run.
for profile, examples in {"tests": 50, "many": 500}.items():
    settings.register_profile(
        profile,
        max_examples=examples,
        derandomize=profile == "tests",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("tests")

CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def pytest_configure():
    # A program that a script starts with & ignores SIGINT, and so do the programs that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # No test, and no program that a test starts, needs the certificates of the user: each client would read them.
    for name in CERTIFICATES:
        os.environ.pop(name, None)


class NoThreadOfEarlierTests(logging.Filter):
    """Keeps what the background of an earlier test's endpoint says out of the log that a test looks at."""

    def __init__(self):
        super().__init__()
        self.threads = set()

    def forget_running(self):
        """From now on, leave out what the threads say that the package has started so far."""
        self.threads = {thread for thread in threading.enumerate() if thread.name.startswith("wechat_msg.")}

    def filter(self, record):
        return threading.current_thread() not in self.threads


no_thread_of_earlier_tests = NoThreadOfEarlierTests()
logging.getLogger("wechat_msg").addFilter(no_thread_of_earlier_tests)


def pytest_runtest_setup():
    """Leave what earlier tests began: threads, and the account of flows whose steps were performed by the test."""
    from wechat_msg.endpoint.handling import CURRENT_SETTINGS

    no_thread_of_earlier_tests.forget_running()
    CURRENT_SETTINGS.set(None)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    """No test has an example in a docstring: to look for them would take each worker a fifth of its time to collect."""
    return [each for each in (yield) if type(each) is pytest.Module]


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected stays; to look through it in each collection of garbage would take 0.1 s."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def certificates_of_the_system():
    """Read them once: every `AsyncClient` without a session needs 25 ms for that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx2, "create_ssl_context", functools.cache(httpx2.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def clean_environ(monkeypatch):
    """An environment that names no proxies and no certificates; returns a function that sets variables."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in CERTIFICATES:
        monkeypatch.delenv(name, raising=False)

    def change(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return change


def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    measured = [value for report in reports for name, value in report.user_properties if name == "measured"]
    if measured:
        terminalreporter.section("measured")
        for line in measured:
            terminalreporter.line(line)
