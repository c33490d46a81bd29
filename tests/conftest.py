"""Settings for all tests: signals, hypothesis, shared fixtures, and the measurements that are printed at the end."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.certificates import make_certificate

# The same values in every run, and no deadline, as the machine may be busy.
settings.register_profile("tests", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_configure():
    # A program that a script starts with & ignores SIGINT, and so do the programs that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
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
