"""What one run takes of the machine: memory of each of its processes, and how it uses its time.

A process of its own does what a notebook does: it reads a table, submits a run and waits. This
one watches it and all that it starts. Shown are the peak of the sums of resident memory (a page
that several processes share counts for each) and of proportional memory (it is shared out), who
held them at that moment, and when the run did what. Then the fits that ran at the peak are made
again, each alone in a process, on the features that it had and that are there already, to tell the
models' own memory from ours. With ``--beside 1000`` the same run is made on so many rows first;
what is more than it, less the models' own, is said in tables. Linux only.

    python -m benchmarks.resources --rows 100000 --columns 50 --seconds 60 --beside 1000
    python -m benchmarks.resources --table adult.parquet:income --seconds 60 --cpus 0,1
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any  # Any: JSON values

import numpy as np
import pandas as pd
import psutil

SAMPLE_SECONDS = 0.25
MIB = 2**20
SEED = 0

_ROLES = (
    ("nbautoml.runs.controller", "controller"),
    ("template.main", "template and trials"),
    ("resource_tracker", "resource tracker"),
    ("spawn_main", "Dask worker"),
)


@dataclass(slots=True, kw_only=True)
class Peak:
    """The largest sum that was seen, in bytes, who had it, and when (seconds since 1970)."""

    total: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    at: float = 0.0

    def take(self, parts: Counter[str], at: float) -> None:
        """Keep these parts if they are more than those before."""
        if parts.total() > self.total:
            self.total, self.parts, self.at = parts.total(), parts, at

    def __str__(self) -> str:
        names = ", ".join(f"{k} {v / MIB:,.0f}" for k, v in self.parts.most_common())
        return f"{self.total / MIB:,.0f} MiB ({names})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The peaks of a run by their names, and what its process found."""

    peaks: dict[str, Peak]
    answer: dict[str, Any]

    @property
    def peak(self) -> Peak:
        """The peak where shared pages count once."""
        return self.peaks["proportional"]

    def fits(self) -> list[dict[str, Any]]:
        """Return families, pipelines and settings of the trials that ran at the peak."""
        names = ("family", "pipeline", "params")
        at_peak = [f for f in self.answer["fits"] if f["from"] <= self.peak.at <= f["to"]]
        return [{name: fit[name] for name in names} for fit in at_peak]


def main() -> None:
    """Make one run, or two, and print what it took."""
    given = _arguments()
    if given.make:
        _make_rows(given)
        return
    if given.child:
        _be_notebook(given)
        return
    if given.alone:
        sys.stdout.write(str(_grown_by_fit(given, **json.loads(given.alone))))
        return
    small = _measure(["--rows", str(given.beside)]) if given.beside else None
    large = _measure([])
    for name, peak in large.peaks.items():
        sys.stdout.write(f"{name}: {peak}\n")
    for name, value in large.answer.items():
        if name != "fits":
            sys.stdout.write(f"{name}: {value}\n")
    own = 0.0
    for fit in large.fits():
        grown = float(_run(["--alone", json.dumps(fit)]))
        features = fit["params"].get("features", "its usual features")
        sys.stdout.write(f"{fit['pipeline']} alone, {features}: {grown / MIB:,.0f} MiB\n")
        own += grown
    if small is not None:
        sys.stdout.write(f"proportional with {given.beside:,} rows: {small.peak}\n")
        more = large.peak.total - small.peak.total
        table = large.answer["table MiB"] * MIB
        sys.stdout.write(
            f"more than with {given.beside:,} rows: {more / MIB:,.0f} MiB, without the models' "
            f"own {(more - own) / MIB:,.0f}, which is {(more - own) / table:.1f} tables\n"
        )


def _run(more: list[str]) -> str:
    """Run this module again with other arguments behind those that were given."""
    command = [sys.executable, "-m", "benchmarks.resources", *sys.argv[1:], *more]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _measure(more: list[str]) -> Measured:
    """Make one run in a process of its own, and watch it."""
    peaks = {"resident": Peak(), "proportional": Peak(), "without mapped files": Peak()}
    # The run's process may still write its bundle when the run has ended.
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "benchmarks.resources", *sys.argv[1:], *more]
        child = subprocess.Popen(
            [*command, "--child", folder], env={**os.environ, "TMPDIR": folder}
        )
        while child.poll() is None:
            for peak, parts in zip(peaks.values(), _sample(child.pid), strict=True):
                peak.take(parts, time.time())
            time.sleep(SAMPLE_SECONDS)
        if child.returncode:
            sys.exit(child.returncode)
        answer = json.loads((Path(folder) / "answer.json").read_text(encoding="utf-8"))
    return Measured(peaks=peaks, answer=answer)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", help="path:label of a Parquet or CSV file")
    parser.add_argument("--rows", type=int, default=100_000, help="of a made-up table")
    parser.add_argument("--columns", type=int, default=50, help="of a made-up table")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--cpus", default="")
    parser.add_argument("--beside", type=int, default=0, help="rows of a run to compare with")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    parser.add_argument("--make", help=argparse.SUPPRESS)
    parser.add_argument("--features", help=argparse.SUPPRESS)
    return parser.parse_args()


def _sample(pid: int) -> list[Counter[str]]:
    """Return what each kind of process holds: resident, proportional, and what is its own."""
    found: list[Counter[str]] = [Counter(), Counter(), Counter()]
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return found
    for process in processes:
        try:
            role = _role(process, is_root=process.pid == pid)
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except (psutil.Error, OSError):
            continue
        kib = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
        held = (kib["Rss"], kib["Pss"], kib["Pss_Anon"] + kib["Pss_Shmem"])
        for parts, amount in zip(found, held, strict=True):
            parts[role] += amount * 1024
    return found


def _role(process: psutil.Process, *, is_root: bool) -> str:
    words = " ".join(process.cmdline())
    return (
        "notebook" if is_root else next((role for mark, role in _ROLES if mark in words), "others")
    )


def _be_notebook(given: argparse.Namespace) -> None:
    """Submit a run, wait for it, and write down how it used its time."""
    import nbautoml

    if given.cpus:
        os.sched_setaffinity(0, {int(cpu) for cpu in given.cpus.split(",")})
    frame, label = _table(given)
    is_number = pd.api.types.is_float_dtype(frame[label])
    folder = Path(given.child)
    os.environ["NBAUTOML_HOME"] = str(folder / "home")
    workspace = nbautoml.Workspace.create("resources", path=str(folder / "workspace"))
    config = nbautoml.AutoMLConfig(
        "regression" if is_number else "classification",
        training_data=frame,
        label_column_name=label,
        primary_metric="normalized_root_mean_squared_error" if is_number else "AUC_weighted",
        experiment_timeout_minutes=given.seconds / 60,
        model_explainability=False,  # a process of its own, after what is measured here
    )
    begun, clock = time.time(), time.monotonic()
    run = nbautoml.Experiment(workspace, "resources").submit(config)
    submitted = time.monotonic() - clock
    run.wait_for_completion()
    ended = time.monotonic() - clock
    answer = {"table MiB": round(float(frame.memory_usage(deep=True).sum()) / MIB, 1)}
    answer |= {"submit": round(submitted, 2), "whole run": round(ended, 2)}
    answer |= _times(workspace, run.id, begun)
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _table(given: argparse.Namespace) -> tuple[pd.DataFrame, str]:
    if given.table:
        path, _, label = given.table.rpartition(":")
        return (pd.read_parquet if path.endswith(".parquet") else pd.read_csv)(path), label
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(given.rows, given.columns))
    y = X[:, :5] @ [1.0, -1.0, 0.5, 0.5, 2.0] + X[:, 5] * X[:, 6] + rng.normal(size=given.rows)
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(given.columns)])
    return frame.assign(label=np.where(y > 0, "yes", "no")), "label"


def _times(workspace: Any, run_id: str, begun: float) -> dict[str, Any]:
    """Return when the run's events came, in seconds since its submission."""
    with workspace.session.read() as tx:
        records = tx.events.read(run_id)
    found: dict[str, Any] = {}
    trials, started, fits = [], {}, []
    for record in records:
        event, at = record.event, round(record.time - begun, 2)
        kind = type(event).__name__
        if kind == "StatusChanged":
            found[str(event.status)] = at
        elif kind == "PhaseChanged":
            found[event.phase.value] = at
        elif kind == "TrialStarted":
            started[event.number] = at
        elif kind == "TrialFinished":
            first = started.get(event.number, at)
            outcome = f"{event.outcome} {event.folds_done}/{event.n_folds}"
            trials.append((event.number, first, at, event.pipeline, outcome, event.score))
            if not event.is_ensemble:
                times = {"from": begun + first, "to": begun + at}
                facts = {"family": event.family, "pipeline": event.pipeline}
                fits.append({**facts, "params": dict(event.params), **times})
    best = [t[5] for t in trials if t[5] is not None]
    found["first model"] = min((t[2] for t in trials if t[5] is not None), default=None)
    found["last trial"] = max((t[2] for t in trials), default=None)
    found["n trials"], found["largest score"] = len(trials), max(best, default=None)
    with workspace.session.read() as tx:
        found["reason"] = tx.runs.get(run_id).reason
    found["fits"] = fits
    found["trials"] = "".join(f"\n  {t}" for t in trials)
    return found


def _make_rows(given: argparse.Namespace) -> None:
    """Write the table as a run does, with the features that a fit is to see."""
    from nbautoml.domain.tasks import Task
    from nbautoml.engine.context import Ports
    from nbautoml.engine.plan import SearchPlan
    from nbautoml.engine.prepare import prepare
    from nbautoml.engine.trial_data import open_fold
    from nbautoml.testing.executor import (
        FolderArtifacts,
        InProcessExecutor,
        MemoryEvents,
        ScriptedControl,
    )

    frame, label = _table(given)
    is_number = pd.api.types.is_float_dtype(frame[label])
    plan = SearchPlan(
        task=Task.REGRESSION if is_number else Task.CLASSIFICATION,
        primary_metric="normalized_root_mean_squared_error" if is_number else "AUC_weighted",
        models=(given.make,),
    )
    ports = Ports(
        executor=InProcessExecutor(),
        events=MemoryEvents(),
        artifacts=FolderArtifacts(Path(given.child) / "artifacts"),
        control=ScriptedControl(),
        clock=time.time,
    )
    data = prepare(frame, label, plan, ports, Path(given.child) / "scratch")[0].data.folder
    open_fold(data, given.features, 0)
    sys.stdout.write(str(data))


def _grown_by_fit(
    given: argparse.Namespace, family: str, pipeline: str, params: dict[str, Any]
) -> int:
    """Return by how many bytes this process grows, at most, while one model is fitted.

    It gets the features that it had in the run, made by a process of its own.
    """
    from nbautoml.engine.models._base import FitContext
    from nbautoml.engine.models.catalog import get_family
    from nbautoml.engine.search.candidate import candidate_from
    from nbautoml.engine.trial_data import open_fold, read_spec
    from nbautoml.runtime import scalers

    scaler, _, name = pipeline.rpartition(", ")
    candidate = candidate_from(params, family=family, model_name=name, scaler=scaler)
    features = str(candidate.representation)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        asked = ["--child", folder, "--make", family, "--features", features]
        data = Path(_run(asked).splitlines()[-1])
        rows, spec = open_fold(data, features, 0), read_spec(data)
        X, X_valid = np.array(rows.X_train), np.array(rows.X_valid)
        y, y_valid = np.array(rows.y_train), np.array(rows.y_valid)
    if scaler:
        fitted = getattr(scalers, scaler)().fit(X)
        X, X_valid = fitted.transform(X), fitted.transform(X_valid)
    context = FitContext(task=spec.task, n_classes=spec.n_classes)

    def fit(n_rows: int) -> None:
        get_family(family).fit(
            X[:n_rows],
            y[:n_rows],
            params=candidate.params,
            context=context,
            valid=(X_valid[:n_rows], y_valid[:n_rows]),
        )

    fit(min(1000, len(X)))  # what the libraries hold once they are in use
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the mark below falls to it
    fit(len(X))
    return max(0, _resident("VmHWM") - before)


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
