"""All sides do the same work; `make bench` measures how long they take, and no test judges that."""

from __future__ import annotations

from tests.helpers.servers import run


def test_every_side_of_a_benchmark_returns_the_right_result():
    """In a process of its own, as Django can be set up only once in a process."""
    status, output = run("-m", "tests.benchmarks", "--once")
    assert status == 0, output
    assert "whole job, sealed: popup event, 3 items: right" in output
    assert "claim + finish: SQLiteStore: right" in output
    assert "AsyncPushEndpoint: MemoryStore: right" in output
    assert "AsyncClient: customer_service.send: right" in output
    assert "startup: right" in output
