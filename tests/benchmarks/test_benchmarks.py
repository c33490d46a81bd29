"""All sides do the same work; how long they take is measured with ``--benchmark-only`` and judged by no test."""

from __future__ import annotations

import pytest

from .jobs import JOBS, compare
from .report import measure


@pytest.mark.parametrize("job", JOBS, ids=str)
def test_job(job, benchmark, pytestconfig, request):
    benchmark.group = job.name
    result = benchmark.pedantic(job.ours, rounds=100, iterations=10, warmup_rounds=1)
    assert compare(result) == job.expected
    if job.theirs:
        assert compare(job.theirs()) == job.expected
    job.floor()
    if pytestconfig.getoption("benchmark_only"):
        measured = measure(job)
        benchmark.extra_info.update(seconds=measured.seconds, ratio=measured.ratio)
        request.getfixturevalue("results").append(measured)
