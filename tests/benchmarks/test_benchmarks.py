"""All sides do the same work; ``--benchmark-only`` measures how long they take, and no test judges that."""

from __future__ import annotations

import pytest

from tests.helpers.servers import run

from .jobs import JOBS, check
from .report import measure


@pytest.mark.parametrize("job", JOBS, ids=str)
def test_job_of_the_benchmark_runs(job, benchmark, pytestconfig, request):
    benchmark.group = job.name
    benchmark.pedantic(job.ours, rounds=100, iterations=10, warmup_rounds=1)
    check(job)
    if pytestconfig.getoption("benchmark_only"):
        measured = measure(job)
        benchmark.extra_info.update(seconds=measured.seconds, ratio=measured.ratio)
        request.getfixturevalue("results").append(measured)


def test_jobs_of_stores_endpoints_and_clients_are_done_right():
    """In a process of their own, as Django can be set up only once in a process."""
    status, output = run("-m", "tests.benchmarks", "--once")
    assert status == 0, output
    assert "claim + finish: SQLiteStore: right" in output
    assert "AsyncPushEndpoint: MemoryStore: right" in output
    assert "AsyncClient: customer_service.send: right" in output
