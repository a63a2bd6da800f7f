"""The protocol: which runs there are, in which order, how each is made and what is kept of it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any  # Any: JSON values

import pandas as pd

from benchmarks.automl import machine
from benchmarks.automl.adapters.contract import ANSWER, PREDICTIONS, REQUEST, Request
from benchmarks.automl.data import Maker, Split, UnknownSetError, load_split, prepare
from benchmarks.automl.scoring import DEFAULT_METRICS, METRICS, BadPredictionsError, score_all
from benchmarks.automl.systems import HERE, System, python_of
from benchmarks.automl.watch import Watched, run_watched

SCHEMA = 1

LIMIT_FACTOR, LIMIT_EXTRA_SECONDS = 3.0, 120.0
"""A run that takes longer than three budgets and two minutes is killed and has failed."""

MAX_OTHER_SHARE = 0.05
"""More of the cores' time than this to other work, and the run is marked as disturbed."""

LOG_TAIL_CHARACTERS = 2000

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "POLARS_MAX_THREADS",
)


class UnknownMetricError(ValueError):
    """A metric that does not exist or does not fit the table's task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A table, what to make best on it, and the seed of its split."""

    table: str
    metric: str
    """Empty for the usual one of the table's task."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One run to make."""

    task: Task
    system: System
    seconds: float
    position: int
    """When its turn is among the systems on this task; 0 is the first."""

    @property
    def file_name(self) -> str:
        metric = f"-{self.task.metric}" if self.task.metric else ""
        table = f"{self.task.table}{metric}-seed{self.task.seed}"
        return f"{table}-{self.seconds:g}s-{self.system.name}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where runs are made and what they may use."""

    out: Path
    envs: Path
    cpus: tuple[int, ...]
    is_busy_allowed: bool = False


def plan(
    sets: Sequence[str], systems: Sequence[System], *, seconds: float, seeds: Sequence[int]
) -> Iterator[Planned]:
    """Yield the runs in their order.

    On each task the systems take their turns from another one on, so that none always runs on
    the coolest or the most loaded machine.

    Parameters
    ----------
    sets : sequence of str
        ``"table"``, or ``"table:metric"`` to make another metric best than the task's usual one.
    systems : sequence of System
        In the order of the first task.
    seconds : float
        Budget of each run.
    seeds : sequence of int
        One split each.
    """
    tasks = [
        Task(table=name.partition(":")[0], metric=name.partition(":")[2], seed=seed)
        for seed in seeds
        for name in sets
    ]
    for number, task in enumerate(tasks):
        first = number % len(systems)
        order = [*systems[first:], *systems[:first]]
        for position, system in enumerate(order):
            yield Planned(task=task, system=system, seconds=seconds, position=position)


def run_all(
    runs: Sequence[Planned],
    tables: Mapping[str, Maker],
    settings: Settings,
    say: Callable[[str], None],
) -> None:
    """Make the runs that have no result yet, one after the other.

    Parameters
    ----------
    runs : sequence of Planned
        What `plan` gave.
    tables : mapping of str to callable
        What can be read, by name.
    settings : Settings
        Where and with which cores.
    say : callable
        Gets a line about each run.
    """
    unknown = sorted({run.task.table for run in runs} - set(tables))
    if unknown:
        raise UnknownSetError(f"No table is called {unknown}; there are {sorted(tables)}")
    pythons = {run.system.name: python_of(run.system, settings.envs) for run in runs}
    for number, run in enumerate(runs, 1):
        path = settings.out / "runs" / run.file_name
        where = f"[{number}/{len(runs)}] {run.task.table} seed {run.task.seed} {run.system.name}"
        if path.exists():
            say(f"{where}: result is there")
            continue
        split = _split_of(run.task, tables, settings.out)
        result = run_one(run, split, pythons[run.system.name], settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, result)
        say(f"{where}: {_in_words(result)}")


def _split_of(task: Task, tables: Mapping[str, Maker], out: Path) -> Split:
    folder = out / "data" / f"{task.table}-seed{task.seed}"
    return load_split(folder) or prepare(tables[task.table](), task.seed, folder)


def metric_of(task: Task, split: Split) -> str:
    """Return the metric to make best.

    Raises
    ------
    UnknownMetricError
        When the task names one that the table's task does not have.
    """
    metric = task.metric or DEFAULT_METRICS[split.task]
    fitting = [name for name, known in METRICS.items() if split.task in known.tasks]
    if metric not in fitting:
        raise UnknownMetricError(
            f"{task.table}:{metric}: the metric of a {split.task} table is one of {fitting}"
        )
    return metric


def run_one(run: Planned, split: Split, python: Path, settings: Settings) -> dict[str, Any]:
    """Make one run and return its result.

    Raises
    ------
    BusyMachineError
        When other work keeps the cores busy and that is not allowed.
    """
    metric = metric_of(run.task, split)
    if settings.is_busy_allowed:
        busy = machine.busy_share(settings.cpus)
    else:
        busy = machine.wait_for_calm(settings.cpus)
    load_before = machine.load()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))  # short: sockets have it in their path
    try:
        request = _request(run, split, metric, settings, folder)
        watched = _watch(run, python, settings, folder, request)
        measured = _measured(folder, split, watched, metric)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    other = watched.other_cpu_seconds / (watched.wall_seconds * len(settings.cpus))
    return {
        "schema": SCHEMA,
        "table": run.task.table,
        "seed": run.task.seed,
        "system": run.system.name,
        "seconds": run.seconds,
        "position": run.position,
        "metric": metric,
        **{key: value for key, value in asdict(split).items() if key != "folder"},
        **measured,
        **{key: value for key, value in asdict(watched).items() if key != "exit_code"},
        "load_before": load_before,
        "load_after": machine.load(),
        "busy_before": busy,
        "other_share": other,
        "is_disturbed": other > MAX_OTHER_SHARE or busy > machine.MAX_BUSY_SHARE,
        "machine": machine.describe(settings.cpus),
        "commit": machine.commit(HERE),
        "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _request(run: Planned, split: Split, metric: str, settings: Settings, folder: Path) -> Request:
    request = Request(
        train=str(split.train.resolve()),
        test=str(split.test.resolve()),
        label=split.label,
        task=split.task,
        metric=metric,
        seconds=run.seconds,
        n_threads=len(settings.cpus),
        seed=run.task.seed,
        folder=str(folder / "work"),
    )
    Path(request.folder).mkdir()
    (folder / REQUEST).write_text(json.dumps(asdict(request)), encoding="utf-8")
    return request


def _watch(
    run: Planned, python: Path, settings: Settings, folder: Path, request: Request
) -> Watched:
    threads = str(request.n_threads)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return run_watched(
        [str(python), "-m", run.system.module, str(folder)],
        env={
            **kept,
            **dict.fromkeys(THREAD_VARIABLES, threads),
            "PYTHONPATH": str(HERE.parents[1]),
            "PYTHONHASHSEED": str(run.task.seed),
            "TMPDIR": request.folder,
        },
        cwd=Path(request.folder),
        log=folder / "log.txt",
        limit_seconds=LIMIT_FACTOR * run.seconds + LIMIT_EXTRA_SECONDS,
        cpus=settings.cpus,
    )


def _measured(folder: Path, split: Split, watched: Watched, metric: str) -> dict[str, Any]:
    """Return what the run answered, or why it has failed."""
    answer = folder / ANSWER
    if watched.exit_code is None:
        return _failure("killed at the limit", folder)
    if watched.exit_code != 0 or not answer.is_file():
        return _failure(f"ended with exit code {watched.exit_code}", folder)
    try:
        scores = score_all(split.task, split.truth(), pd.read_parquet(folder / PREDICTIONS))
    except BadPredictionsError as error:
        return _failure(f"bad predictions: {error}", folder)
    return {
        "status": "ok",
        "score": scores[metric],
        "scores": scores,
        **json.loads(answer.read_text(encoding="utf-8")),
    }


def _failure(reason: str, folder: Path) -> dict[str, Any]:
    log = folder / "log.txt"
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return {"status": "failed", "reason": reason, "log": text[-LOG_TAIL_CHARACTERS:]}


def _write(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result whole or not at all: one that is there is never made again."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(result, indent=1), encoding="utf-8")
    partial.replace(path)


def _in_words(result: Mapping[str, Any]) -> str:
    mark = ", disturbed" if result["is_disturbed"] else ""
    took = f"{result['wall_seconds']:.0f} s in all, {result['cpu_seconds']:.0f} s of processor"
    if result["status"] != "ok":
        return f"FAILED ({result['reason']}), {took}{mark}"
    fit = f"fit {result['fit_seconds']:.1f} of {result['seconds']:g} s"
    return f"{result['metric']} {result['score']:.4f}, {fit}, {took}{mark}"
