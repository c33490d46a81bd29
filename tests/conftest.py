"""What holds for all tests: signals, and the values that hypothesis tries. What tests measure is printed at the end."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# The same values every time, so that a test fails for everybody or for nobody; and however busy the machine is.
settings.register_profile("tests", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


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
