"""The page of docs/reference that says which faults were played, and what they cost."""

from __future__ import annotations

import platform
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from tests.faults.fault import Fault
from tests.faults.player import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "reliability.md"
PACKAGES = ("dask", "distributed", "sqlalchemy", "psycopg", "scikit-learn", "lightgbm")

HEAD = """# What runs survive

This page is made by playing faults:
`python -m tests.faults --count {count} --seed {seed} --report`.

Each fault is done to a real run, at a random moment of its search, with real processes, workers and
files. Afterwards has to hold: the run ended as Completed, or as Failed with a reason for people;
every finished trial is in the log once, and as a child run; every stored file has the content that
its hash says; the best model loads and predicts; no process is left; what the widget shows is what
the store holds; the database is whole. "Lost" counts the runs for which one of these did not hold.

| fault | what happens | played | Completed | Failed, with its reason | lost | median seconds |
|---|---|---|---|---|---|---|
"""

TAIL = """
Played on {date} with seed {seed}, on {cores} cores that other work used too, {system}, Python
{python}, {versions}. The times hold the start of the run and of what surrounds it. A small run
stands for the work of most of them: trials that wait, with the files and events of real ones;
{n_automl} of the {count} were AutoML runs.

A short form of every fault is part of the tests (`pytest tests/faults`).
"""


def write_report(
    path: Path,
    outcomes: Sequence[Outcome],
    faults: Mapping[str, Fault],
    *,
    lacks: Mapping[str, str],
    seed: int,
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
        Where to.
    outcomes : sequence of Outcome
        What was played.
    faults : mapping of str to Fault
        All that there are.
    lacks : mapping of str to str
        Those that could not be played, and why.
    seed : int
        The first one.
    """
    lines = [_row(faults[name], played) for name, played in _by_fault(outcomes, faults)]
    text = HEAD.format(count=len(outcomes), seed=seed) + "\n".join(lines) + "\n"
    text += "".join(f"\nNot played here: {name} ({why}).\n" for name, why in lacks.items())
    text += _problems(outcomes)
    text += TAIL.format(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        seed=seed,
        cores=psutil.cpu_count(),
        system=platform.system(),
        python=platform.python_version(),
        versions=", ".join(f"{package} {version(package)}" for package in PACKAGES),
        n_automl=sum(o.work == "automl" for o in outcomes),
        count=len(outcomes),
    )
    path.write_text(text, encoding="utf-8")


def _by_fault(
    outcomes: Iterable[Outcome], faults: Mapping[str, Fault]
) -> list[tuple[str, list[Outcome]]]:
    found: dict[str, list[Outcome]] = {name: [] for name in faults}
    for outcome in outcomes:
        found[outcome.fault].append(outcome)
    return [(name, played) for name, played in found.items() if played]


def _row(fault: Fault, played: Sequence[Outcome]) -> str:
    statuses = Counter(outcome.status for outcome in played)
    cells = (
        fault.name,
        fault.sentence,
        len(played),
        statuses["Completed"],
        statuses["Failed"],
        sum(bool(outcome.problems) for outcome in played),
        f"{statistics.median(outcome.seconds for outcome in played):.0f}",
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _problems(outcomes: Iterable[Outcome]) -> str:
    lost = [outcome for outcome in outcomes if outcome.problems]
    if not lost:
        return ""
    lines = [
        f"- {o.fault}, seed {o.seed} ({o.harm}): {o.problems[0].splitlines()[-1][:200]}"
        for o in lost
    ]
    return "\nWhat was lost:\n\n" + "\n".join(lines) + "\n"
