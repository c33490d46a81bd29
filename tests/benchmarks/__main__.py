"""Measures what stores, endpoints and clients cost, and prints it; ``--once`` only checks the results of each job."""

from __future__ import annotations

import os
import sys

from .clients import client_jobs
from .endpoints import endpoint_jobs
from .jobs import Job, check
from .report import count_all_calls, format_floors, measure
from .stores import describe, open_places, store_jobs


def main(once: bool) -> None:
    stay_on_one_core()
    with open_places() as places:
        print(", ".join(describe(places)), flush=True)
        count = (lambda _: 2) if once else count_all_calls
        for jobs in (store_jobs(places), endpoint_jobs(places, count), client_jobs(places)):
            print()
            for line in map(do_once, jobs) if once else format_floors(map(measure, jobs)):
                print(line, flush=True)


def stay_on_one_core() -> None:
    """Keep servers and clients on one core, so that no time is counted in which a sleeping one is woken up."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def do_once(job: Job) -> str:
    check(job)
    return f"{job}: right"


if __name__ == "__main__":
    main(once="--once" in sys.argv[1:])
