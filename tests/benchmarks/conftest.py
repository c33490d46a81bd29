"""Collects what was measured and prints it at the end."""

from __future__ import annotations

import pytest

from .report import Result, format_report

RESULTS = pytest.StashKey[list[Result]]()


@pytest.fixture(scope="session")
def results(pytestconfig):
    return pytestconfig.stash.setdefault(RESULTS, [])


@pytest.hookimpl(trylast=True)  # below what pytest-benchmark prints
def pytest_terminal_summary(terminalreporter, config):
    if RESULTS in config.stash:
        terminalreporter.section("ratios: below 1.00 wechat_msg is the faster one")
        for line in format_report(config.stash[RESULTS]):
            terminalreporter.write_line(line)
