"""Measures, and prints tables in Markdown: the pure functions, endpoints, stores, clients, start, limits."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from .clients import client_jobs
from .document import replace_table
from .endpoints import endpoint_jobs
from .functions import function_jobs
from .jobs import Job, check
from .limits import check_limits, format_limits
from .peers import PEERS, describe_ours, describe_peers
from .report import count_all_calls, format_table
from .startup import check_startup, format_startup
from .stores import Places, describe_places, open_places, store_jobs

Jobs = Callable[[Places, Callable[[Job], int]], Iterator[Job]]

#: The jobs of a table, and what their floor is.
JOBS: dict[str, tuple[Jobs, str]] = {
    "functions": (lambda places, count: function_jobs(), "bare C calls"),
    "endpoints": (endpoint_jobs, "our functions"),
    "stores": (lambda places, count: store_jobs(places), "bare calls"),
    "clients": (lambda places, count: client_jobs(places), "bare requests"),
}
#: Tables that are not of jobs, and how their results are checked.
OTHERS = {"startup": (format_startup, check_startup), "limits": (format_limits, check_limits)}


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"all, or some of: {', '.join([*JOBS, *OTHERS])}")
    parser.add_argument("--only", default="", metavar="WORDS", help="only the jobs that have these words in their name")
    parser.add_argument("--once", action="store_true", help="measure nothing; check that each side's result is right")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    stay_on_one_core()
    show("versions", [", ".join([*describe_ours(), *describe_peers()])], write=options.write)
    with open_places() as places:
        for name in options.tables or [*JOBS, *OTHERS]:
            make = check_table if options.once else measure_table
            show(name, make(name, places, options.only), write=options.write)


def stay_on_one_core() -> None:
    """Keep servers and clients on one core, so that no time is counted in which a sleeping one is woken up."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def show(name: str, lines: Iterable[str], *, write: bool) -> None:
    """Print *lines* as they come, and put them into the document if *write* is true."""
    shown = []
    for line in lines:
        print(line, flush=True)
        shown.append(line)
    print()
    if write:
        replace_table(name, shown)


def measure_table(name: str, places: Places, only: str) -> Iterator[str]:
    if name not in JOBS:
        return OTHERS[name][0]()
    make, floor = JOBS[name]
    jobs = (job for job in make(places, count_all_calls) if only in str(job))
    peers = [peer.name for peer in PEERS] if name in ("functions", "endpoints") else ()
    return chain([describe_places(places), ""] if name == "stores" else [], format_table(jobs, floor, peers))


def check_table(name: str, places: Places, only: str) -> Iterator[str]:
    if name not in JOBS:
        OTHERS[name][1]()
        yield f"{name}: right"
        return
    for job in JOBS[name][0](places, lambda _: 2):
        if only in str(job):
            check(job)
            yield f"{job}: right"


if __name__ == "__main__":
    main()
