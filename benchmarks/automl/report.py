"""From the files of the runs to the tables that people read, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: JSON values

import pandas as pd

from benchmarks.automl.scoring import METRICS
from benchmarks.automl.systems import REFERENCE, SYSTEMS

MAX_RESCALED = 2.0
"""A rescaled loss is cut here: one failure must not decide a mean."""

MIN_SCALE = 0.01
"""Least unit of the rescaled loss, as a share of the way from the best to the constant predictor.

Where default LightGBM itself is (nearly) best, the difference to it is no unit.
"""

LATE_FACTOR = 1.1
"""A fit that took longer than this many budgets is marked as late (the reader may discount it)."""

SAME = 1e-9
"""Losses closer than this are the same."""

OURS = "nbautoml"
MIB = 2**20


class NoResultsError(FileNotFoundError):
    """There is nothing to report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What all systems were asked: a table, a metric, a seed and a budget."""

    table: str
    metric: str
    seconds: float
    seed: int

    @property
    def title(self) -> str:
        return f"{self.table} ({self.metric})"


Result = Mapping[str, Any]


def load_results(folder: Path) -> list[Result]:
    """Return the results of all runs below a folder.

    Raises
    ------
    NoResultsError
        When there are none.
    """
    paths = sorted((folder / "runs").glob("*.json"))
    if not paths:
        raise NoResultsError(f"No results of runs in {folder / 'runs'}")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def loss_of(result: Result) -> float:
    """Return the loss that a run is ranked with; a failed one has the constant predictor's."""
    metric = result["metric"]
    score = result["score"] if result["status"] == "ok" else result["constant"][metric]
    return METRICS[metric].loss(score)


def losses_frame(results: Iterable[Result]) -> pd.DataFrame:
    """Return losses with a row a task and a column a system; NaN where no run was made."""
    found: dict[Task, dict[str, float]] = {}
    for result in results:
        found.setdefault(_task(result), {})[result["system"]] = loss_of(result)
    present = {name for row in found.values() for name in row}
    known = [n for n in SYSTEMS if n in present] + sorted(present - set(SYSTEMS))
    index = pd.Index(list(found), dtype=object, tupleize_cols=False)
    return pd.DataFrame(list(found.values()), index=index, columns=known, dtype=float)


def rescale(losses: pd.DataFrame, constant: pd.Series) -> pd.DataFrame:
    """Return losses as 0 for the best of a task and 1 for default LightGBM.

    Parameters
    ----------
    losses : DataFrame
        One row a task, one column a system, default LightGBM among them.
    constant : Series
        The constant predictor's loss on each task.

    Returns
    -------
    DataFrame
        From 0 to `MAX_RESCALED`.
    """
    best = losses.min(axis=1)
    unit = losses[REFERENCE] - best
    least = MIN_SCALE * (constant - best).abs()
    scale = unit.where(unit > least, least).clip(lower=SAME)
    rescaled: pd.DataFrame = losses.sub(best, axis=0).div(scale, axis=0).clip(upper=MAX_RESCALED)
    return rescaled


def markdown(results: Sequence[Result]) -> str:
    """Return all tables of some results, one section a budget."""
    parts = []
    for seconds in sorted({r["seconds"] for r in results}):
        chosen = [r for r in results if r["seconds"] == seconds]
        parts.append(f"## {seconds:g} s\n\n" + _section(chosen))
    return "\n".join(parts) + "\n" + _origin(results)


def _section(results: Sequence[Result]) -> str:
    losses = losses_frame(results)
    whole = losses.dropna()
    parts = [_scores_table(results, list(losses.columns))]
    left_out = len(losses) - len(whole)
    if left_out:
        parts.append(f"{left_out} of {len(losses)} rows lack a system and are left out below.\n")
    if len(whole):
        parts.append(_summary_table(results, whole))
    if OURS in whole and len(whole):
        parts.append(_against_table(whole))
    parts.append(_cost_table(results, list(losses.columns)))
    parts.append(_other_scores_table(results, list(losses.columns)))
    parts.append(_failures(results))
    return "\n".join(part for part in parts if part)


def _task(result: Result) -> Task:
    keys = ("table", "metric", "seconds", "seed")
    return Task(**{key: result[key] for key in keys})


def _scores_table(results: Sequence[Result], systems: Sequence[str]) -> str:
    rows = []
    by_task = _by_task(results)
    for task, found in by_task.items():
        losses = {name: loss_of(r) for name, r in found.items()}
        best = min(losses.values())
        cells = [
            _score_cell(found[name], is_best=losses[name] <= best + SAME) if name in found else "–"
            for name in systems
        ]
        some = next(iter(found.values()))
        size = f"{some['n_train']:,} × {some['n_columns']}"
        rows.append([task.title, str(task.seed), size, *cells])
    note = (
        "\nOn rows kept back. **Best.** † fit later than "
        f"{LATE_FACTOR:g} budgets; ~ other work disturbed the run; "
        "failed: counts as the constant predictor's score, in brackets.\n"
    )
    return _table(["table", "seed", "rows × columns", *systems], rows) + note


def _score_cell(result: Result, *, is_best: bool) -> str:
    if result["status"] != "ok":
        return f"failed ({_number(result['constant'][result['metric']])})"
    text = _number(result["score"])
    marks = "†" * _is_late(result) + "~" * bool(result["is_disturbed"])
    return f"**{text}**{marks}" if is_best else f"{text}{marks}"


def _is_late(result: Result) -> bool:
    if result["status"] != "ok":
        return False
    return bool(result["fit_seconds"] > LATE_FACTOR * result["seconds"])


def _summary_table(results: Sequence[Result], losses: pd.DataFrame) -> str:
    ranks = losses.rank(axis=1).mean()
    is_best = losses.sub(losses.min(axis=1), axis=0) <= SAME
    rows = []
    rescaled = None
    if REFERENCE in losses:
        rescaled = rescale(losses, _constants(results, losses)).mean()
    for name in ranks.sort_values(kind="stable").index:
        unit = "–" if rescaled is None else f"{rescaled[name]:.3f}"
        own = [r for r in results if r["system"] == name]
        n_failed = sum(r["status"] != "ok" for r in own)
        rows.append([name, f"{ranks[name]:.2f}", unit, str(is_best[name].sum()), str(n_failed)])
    note = (
        f"\n{len(losses)} rows with all systems. Rescaled loss: 0 is the best system of a row, 1 "
        f"is {REFERENCE}, cut at {MAX_RESCALED:g}; 1 − score for AUC and accuracy. Where "
        f"{REFERENCE} is nearly best itself, the unit is {MIN_SCALE:.0%} of the way from the best "
        "to the constant predictor.\n"
    )
    return _table(["system", "mean rank", "rescaled loss", "best on", "failed"], rows) + note


def _constants(results: Sequence[Result], losses: pd.DataFrame) -> pd.Series:
    known = {_task(r): METRICS[r["metric"]].loss(r["constant"][r["metric"]]) for r in results}
    return pd.Series([known[task] for task in losses.index], index=losses.index)


def _against_table(losses: pd.DataFrame) -> str:
    ours = losses[OURS]
    rows = []
    for name in losses.columns:
        if name == OURS:
            continue
        difference = losses[name] - ours
        wins, defeats = int((difference > SAME).sum()), int((difference < -SAME).sum())
        # A part of the larger loss: 20 % less and 20 % more weigh the same.
        larger = pd.concat([losses[name], ours], axis=1).max(axis=1).clip(lower=SAME)
        gain = (difference / larger).mean()
        ties = len(losses) - wins - defeats
        rows.append([name, str(wins), str(ties), str(defeats), f"{gain:+.1%}"])
    note = "\nLess loss: mean of (theirs − ours) / the larger of the two.\n"
    return _table([f"{OURS} against", "better", "same", "worse", "less loss"], rows) + note


COSTS: tuple[tuple[str, Callable[[pd.DataFrame], str]], ...] = (
    ("fit s, median", lambda f: f"{f['fit_seconds'].median():.1f}"),
    ("most over budget, s", lambda f: f"{(f['fit_seconds'] - f['seconds']).max():+.1f}"),
    ("late", lambda f: str(int((f["fit_seconds"] > LATE_FACTOR * f["seconds"]).sum()))),
    ("processor s", lambda f: f"{f['cpu_seconds'].median():.0f}"),
    ("peak MB, largest", lambda f: f"{f['peak_rss_bytes'].max() / MIB:,.0f}"),
    ("of it own MB", lambda f: f"{f['peak_pss_bytes'].max() / MIB:,.0f}"),
    ("models", lambda f: f"{f['n_models'].median():.0f}"),
    ("model MB", lambda f: f"{f['model_bytes'].median() / MIB:.1f}"),
    ("µs a row", lambda f: f"{(f['predict_seconds'] / f['n_test']).median() * 1e6:,.0f}"),
)
"""Columns of the table of costs, from the runs of one system that did not fail."""


def _cost_table(results: Sequence[Result], systems: Sequence[str]) -> str:
    rows = []
    for name in systems:
        own = [r for r in results if r["system"] == name and r["status"] == "ok"]
        if own:
            frame = pd.DataFrame(own)
            rows.append([name, *(measure(frame) for _, measure in COSTS)])
    note = (
        "\nFit: from the call to its return. Peak: all processes of the system together; own: "
        "pages that they share counted once. Processor: the whole run, imports and prediction "
        "included. µs a row: median over tables of the time to predict the test rows, for a row.\n"
    )
    return _table(["system", *(title for title, _ in COSTS)], rows) + note if rows else ""


def _other_scores_table(results: Sequence[Result], systems: Sequence[str]) -> str:
    """Classes have two faces: how often right, and how sure; both are shown for every run."""
    rows = []
    for task, found in _by_task(results).items():
        names = {n for r in found.values() if r["status"] == "ok" for n in r["scores"]}
        for other in sorted((names & set(METRICS)) - {task.metric}):
            cells = [
                _number(found[s]["scores"][other])
                if s in found and found[s]["status"] == "ok"
                else "–"
                for s in systems
            ]
            rows.append([task.title, str(task.seed), other, *cells])
    note = "\nScores of the same runs that no system was asked to make best.\n"
    return _table(["table", "seed", "also", *systems], rows) + note if rows else ""


def _failures(results: Sequence[Result]) -> str:
    failed = [r for r in results if r["status"] != "ok"]
    lines = [
        f"- {r['system']} on {_task(r).title}, seed {r['seed']}: {r['reason']}: "
        f"`{_last_line(r['log'])}`"
        for r in failed
    ]
    return "Failed:\n\n" + "\n".join(lines) + "\n" if lines else ""


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:200].replace("`", "'") if lines else "no message"


def _origin(results: Sequence[Result]) -> str:
    """Say on what the figures were taken and with which versions."""
    machines = {
        f"{m['cpu']}, {len(m['cpus_used'])} of {m['n_cpus']} cores, {m['memory_gb']:g} GB"
        for m in (r["machine"] for r in results)
    }
    versions: dict[str, set[str]] = {}
    for result in results:
        if result["status"] == "ok":
            main = next(iter(result["versions"].values()))
            if result["system"] == OURS:
                main += f" (commit {result['commit']})"
            versions.setdefault(result["system"], set()).add(main)
    named = "; ".join(f"{name} {', '.join(sorted(found))}" for name, found in versions.items())
    n_disturbed = sum(bool(r["is_disturbed"]) for r in results)
    return (
        f"{len(results)} runs on {'; '.join(sorted(machines))}. {named}. "
        f"Disturbed by other work: {n_disturbed}.\n"
    )


def _by_task(results: Sequence[Result]) -> dict[Task, dict[str, Result]]:
    found: dict[Task, dict[str, Result]] = {}
    for result in results:
        found.setdefault(_task(result), {})[result["system"]] = result
    return dict(sorted(found.items(), key=lambda item: (item[0].title, item[0].seed)))


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
