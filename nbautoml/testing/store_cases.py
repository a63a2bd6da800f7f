"""Runs, events and threads for the suites that stores must pass."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from nbautoml.domain import events as ev
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.store.events import EventTail
from nbautoml.store.session import Session

N_THREADS = 4
N_PER_THREAD = 15

BAD_NAMES = (
    *("", "/etc/passwd", "../secret", "a/../../b", "a//b", "a/", "./a", "a\\b", "C:/x", "C:x"),
    *("nul\x00", "line\nbreak", "x" * 600),
)


def add_run(session: Session, run_id: str = "run", **changes: object) -> RunRecord:
    """Create a run (and its experiment) with the fields that matter to a test."""
    values: dict[str, object] = {
        "experiment": "experiment",
        "type": "automl",
        "status": RunStatus.NOT_STARTED,
        "created_at": 100.0,
        **changes,
    }
    record = RunRecord(id=run_id, **values)  # type: ignore[arg-type]
    with session.write() as tx:
        tx.experiments.get_or_create(record.experiment)
        tx.runs.create(record)
    return record


def in_threads(work: Callable[[int], None], n: int = N_THREADS) -> None:
    """Run `work(i)` in `n` threads at once; raises what one of them raised."""
    start = threading.Barrier(n)

    def enter(i: int) -> None:
        start.wait()
        work(i)

    with ThreadPoolExecutor(n) as pool:
        list(pool.map(enter, range(n)))  # raises what a thread raised


def log_line(text: str) -> ev.LogWritten:
    """Return an event that ends nothing."""
    return ev.LogWritten(level="INFO", message=text)


def trial_finished(number: int = 0) -> ev.TrialFinished:
    """Return an event that must be durable."""
    return ev.TrialFinished(
        number=number,
        key=f"key-{number}",
        outcome=TrialOutcome.COMPLETED,
        pipeline="MaxAbsScaler, LightGBM",
        family="LightGBM",
        params={"n": 3, "rate": math.nan},
        n_folds=5,
        folds_done=5,
        seconds=1.5,
        score=0.75,
        metrics={"AUC_weighted": 0.75, "bad": None},
    )


def wait_until(is_true: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Poll until something is true; raises when it takes longer than any machine should."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing happened within {seconds:.0f} s")
        time.sleep(0.005)


def collect(tail: EventTail, found: list[ev.EventRecord]) -> bool:
    """Add what a tail sees to `found`; returns whether there is anything in it."""
    found.extend(tail.poll())
    return bool(found)
