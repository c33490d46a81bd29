"""What tests have measured is printed at the end."""

from __future__ import annotations


def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    measured = [value for report in reports for name, value in report.user_properties if name == "measured"]
    if measured:
        terminalreporter.section("measured")
        for line in measured:
            terminalreporter.line(line)
