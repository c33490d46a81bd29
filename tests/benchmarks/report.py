"""How a job is measured, and the tables of the results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import iscoroutinefunction
from math import ceil
from statistics import median
from time import perf_counter
from typing import NamedTuple

from .jobs import Job, Side

TURNS = 200
TURN = 0.003  # seconds: so short that whatever else the machine does slows all sides alike
LIMIT = 5.0  # seconds for all turns, of which slow jobs get fewer
TRIALS = 99


class Result(NamedTuple):
    """Medians over the turns: the seconds of one call of ours, and these divided by those of each other side."""

    job: Job
    seconds: float
    ratio: Mapping[str, float]


def measure(job: Job) -> Result:
    """Let the sides take turns, each with as many calls as fill its turn."""
    calls = {name: count_calls(job, side) for name, side in job.sides.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = perf_counter() + LIMIT
    while len(times["ours"]) < TURNS and perf_counter() < end:
        for name, side in job.sides.items():
            times[name].append(run(job, side, calls[name]))
    ours = times.pop("ours")
    return Result(job, median(ours), {name: median(map(divide, ours, others)) for name, others in times.items()})


def divide(ours: float, other: float) -> float:
    return ours / other


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


def format_table(jobs: Iterable[Job], floor: str, peers: Sequence[str] = ()) -> Iterator[str]:
    """Measure *jobs*, and yield a table in Markdown; *floor* says what that is."""
    others = [f"of {name}" for name in peers]
    yield format_row("job", "case", "wechat_msg", *others, "target", "", f"of {floor}")
    yield f"|---|---|--:|{'--:|' * len(others)}--:|---|--:|"
    for job, seconds, ratio in map(measure, jobs):
        ratios = [f"{ratio[name]:.2f}" if name in ratio else "" for name in (*peers, "floor")]
        judged = max(ratio[name] for name in job.peers or ("floor",))
        verdict = judge(judged, job.target, ".2f")
        yield format_row(job.name, job.case, f"{seconds * 1e6:.1f} µs", *ratios[:-1], *verdict, ratios[-1])


def format_row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def judge(value: float, target: float | None, form: str) -> tuple[str, str]:
    """Return two cells: the target, and whether *value*, as the table shows it, meets it."""
    if target is None:
        return "", ""
    return f"≤ {target:{form}}", "met" if float(f"{value:{form}}") <= target else "**MISSED**"
