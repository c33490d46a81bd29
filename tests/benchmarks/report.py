"""How a job is measured, and the tables of the results."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from inspect import iscoroutinefunction
from math import ceil
from statistics import median
from time import perf_counter
from typing import NamedTuple

from .jobs import Job, Side, wechatpy

TURNS = 200
TURN = 0.003  # seconds: so short that whatever else the machine does slows all sides alike
LIMIT = 5.0  # seconds for all turns, of which slow jobs get fewer
TRIALS = 99


class Result(NamedTuple):
    """Medians over the turns, by side: the seconds of one call, and our seconds divided by the side's."""

    job: Job
    seconds: Mapping[str, float]
    ratio: Mapping[str, float]


def measure(job: Job) -> Result:
    """Let the sides take turns, each with as many calls as fill its turn."""
    sides = [(name, side) for name in ("ours", "theirs", "floor") if (side := getattr(job, name))]
    calls = {name: count_calls(job, side) for name, side in sides}
    times: dict[str, list[float]] = {name: [] for name, _ in sides}
    end = perf_counter() + LIMIT
    while len(times["ours"]) < TURNS and perf_counter() < end:
        for name, side in sides:
            times[name].append(run(job, side, calls[name]))
    ratios = {name: [ours / other for ours, other in zip(times["ours"], times[name], strict=True)] for name in times}
    return Result(
        job,
        seconds={name: median(values) for name, values in times.items()},
        ratio={name: median(values) for name, values in ratios.items()},
    )


def count_calls(job: Job, side: Side) -> int:
    """Return how many calls fill a turn."""
    return ceil(TURN / median(run(job, side, 1) for _ in range(TRIALS)))


def count_all_calls(job: Job) -> int:
    """Tell how often `measure` calls, at the most, what is slower than the floor of *job*.

    The floor may be twice as fast by then, as the machine has less to do.
    """
    return 2 * TRIALS + TURNS * (1 + 2 * count_calls(job, job.floor))


def run(job: Job, side: Side, calls: int) -> float:
    """Return the seconds of one call, the mean of *calls*; the call before them gets the CPU's caches ready."""
    if iscoroutinefunction(side):
        return job.runner.run(run_async(job, side, calls))
    side()
    start = job.timer()
    for _ in range(calls):
        side()
    return (job.timer() - start) / calls


async def run_async(job: Job, side: Side, calls: int) -> float:
    """Like `run`, without leaving the event loop between the calls."""
    await side()
    start = job.timer()
    for _ in range(calls):
        await side()
    return (job.timer() - start) / calls


def format_floors(results: Iterable[Result]) -> Iterator[str]:
    """Yield lines of Markdown for jobs that wechatpy has no counterpart of."""
    yield "| job | case | wechat_msg | floor | ratio |"
    yield "|---|---|--:|--:|--:|"
    for job, seconds, ratio in results:
        cells = [job.name, job.case, *(f"{seconds[side] * 1e6:.1f} µs" for side in ("ours", "floor"))]
        yield f"| {' | '.join(cells)} | {ratio['floor']:.2f} |"


def format_report(results: Iterable[Result]) -> Iterator[str]:
    """Yield lines of Markdown, which docs/benchmarks.md shows as they are."""
    yield ", ".join(describe_versions())
    yield ""
    yield "| job | case | wechat_msg | to wechatpy | target | | to bare C calls |"
    yield "|---|---|--:|--:|--:|---|--:|"
    for job, seconds, ratio in results:
        target = f"≤ {job.target:.2f}" if job.target else ""
        to_theirs = f"{ratio['theirs']:.2f}" if "theirs" in ratio else "-"
        cells = [job.name, job.case, f"{seconds['ours'] * 1e6:.1f} µs", to_theirs, target, judge(job, ratio)]
        yield f"| {' | '.join(cells)} | {ratio['floor']:.2f} |"


def judge(job: Job, ratio: Mapping[str, float]) -> str:
    if job.target is None or "theirs" not in ratio:
        return ""
    return "met" if round(ratio["theirs"], 2) <= job.target else "**MISSED**"


def describe_versions() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    yield from (f"{name} {version(name)}" for name in ("wechat_msg", "pycryptodome", "xmltodict"))
    if wechatpy is None:
        yield "wechatpy is not installed"
    else:
        backend = wechatpy.crypto.WeChatCipher.__module__.rpartition(".")[2].replace("pycrypto", "pycryptodome")
        yield f"wechatpy {version('wechatpy')} on {backend} {version(backend)}"
