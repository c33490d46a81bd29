"""Programs that tests start heed Ctrl-C; what tests have measured is printed at the end."""

from __future__ import annotations

import signal


def pytest_configure():
    # A script lets what it starts with & ignore SIGINT, and programs inherit that from who starts them.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    measured = [value for report in reports for name, value in report.user_properties if name == "measured"]
    if measured:
        terminalreporter.section("measured")
        for line in measured:
            terminalreporter.line(line)
