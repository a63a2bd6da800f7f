"""Whether the rows of requests are like those of the training data.

What is compared are shares: of ten ranges of numbers, or of the commonest words. Their distance
is the population stability index, ``sum((now - then) * ln(now / then))``, with the customary
limits (Siddiqi, "Credit Risk Scorecards", 2006): below 0.1 nothing happened, above 0.25 much did.
By chance alone the index of b shares of n rows is about (b - 1) / n, so that few rows say nothing.

    python -m nbautoml.serving.drift NAME FILE     writes the report of a deployment as JSON
"""

from __future__ import annotations

import html
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any  # Any: JSON values

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.errors import NotAvailableError
from nbautoml.registry.profile import WORD, Shares, word_of
from nbautoml.registry.schema import ModelSchema
from nbautoml.serving.folder import Folder, read_json
from nbautoml.serving.forms import RequestFaultError, ScoreRequest, read_form
from nbautoml.serving.logfile import last_lines
from nbautoml.serving.schema import MAX_ROWS, RequestRows
from nbautoml.serving.scorer import read_body
from nbautoml.serving.standing import folder_of
from nbautoml.serving.supervisor import MAIN
from nbautoml.store.session import Session

MODERATE, STRONG = 0.1, 0.25
FEWEST_ROWS = 200
"""Fewer rows than this are counted, but not judged: ten shares differ by 0.05 by chance alone."""
_LEAST_SHARE = 1e-4
"""Stands for a share of nothing, whose logarithm there is none of."""
_BAR_PIXELS = 120
_RUNS = "nbautoml.runs.child_process"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """How far one column has moved.

    Parameters
    ----------
    name : str
        The column.
    kind : {"number", "word"}
        What it holds.
    psi : float
        Population stability index.
    verdict : str
        ``"stable"``, ``"moderate"``, ``"strong"``, or ``"too few rows"``.
    missing_then, missing_now : float
        Shares of rows without a value.
    unseen : float
        Share of values that are no word of the training data; 0 for numbers.
    """

    name: str
    kind: str
    psi: float
    verdict: str
    missing_then: float
    missing_now: float
    unseen: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Requests of a deployment against the training data of its model.

    Parameters
    ----------
    model : str
        ``name:version``.
    n_rows, n_requests : int
        What was compared.
    since, until : float or None
        Seconds since the epoch of the first and the last of these requests.
    columns : tuple of ColumnDrift
        Those that moved farthest first.
    prediction : ColumnDrift or None
        The same of the model's answers; None where none were recorded.
    """

    model: str
    n_rows: int
    n_requests: int
    since: float | None
    until: float | None
    columns: tuple[ColumnDrift, ...]
    prediction: ColumnDrift | None

    def to_pandas_dataframe(self) -> pd.DataFrame:
        """Return a row a column, the answers first."""
        rows = [] if self.prediction is None else [self.prediction]
        return pd.DataFrame([asdict(row) for row in (*rows, *self.columns)])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)

    def _repr_html_(self) -> str:
        rows = ([self.prediction] if self.prediction else []) + list(self.columns)
        head = ("", "moved by (PSI)", "", "missing in training", "missing now", "never seen")
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(row.name)}</th><td>{row.psi:.3f} "
            f"{_bar(row.psi)}</td><td>{row.verdict}</td><td>{row.missing_then:.1%}</td>"
            f"<td>{row.missing_now:.1%}</td><td>{row.unseen:.1%}</td></tr>"
            for row in rows
        )
        names = "".join(f"<th>{name}</th>" for name in head)
        title = (
            f"{html.escape(self.model)}: {self.n_rows:,} rows of {self.n_requests:,} requests "
            "against the training data"
        )
        return f"<table><caption>{title}</caption><tr>{names}</tr>{cells}</table>"


def drift_of(session: Session, name: str, *, n_requests: int = 5000) -> DriftReport:
    """Return how far the requests of a deployment are from the training data.

    Parameters
    ----------
    session : Session
        The open store.
    name : str
        The deployment.
    n_requests : int, default 5000
        The newest ones, so many at most.

    Raises
    ------
    NotAvailableError
        When nothing is known of the training data, or no requests were written down.
    WebserviceNotFoundError
        When there is none of that name.
    """
    with session.read() as tx:
        tx.deployments.get(name)
    folder = folder_of(session, name)
    revision = read_json(folder.spec_file).get("slots", {}).get(MAIN)
    job = folder.job(int(revision)) if revision is not None else {}
    bundle = _bundle_of(folder, name, revision, job)
    profile = read_json(bundle / "profile.json")
    if not profile:
        raise NotAvailableError(
            f"The model of {name} was made by an earlier version, without a profile of its "
            "training data. Train it again, or compare with data of your own."
        )
    rows = RequestRows(ModelSchema.from_dict(read_json(bundle / "schema.json")))
    lines = last_lines(folder.data_log, n_requests).splitlines()
    version = ", ".join(job["models"])
    seen = _read_log(lines, rows, version)
    if not seen.frames:
        raise NotAvailableError(
            f"No answered requests to {version} were written down. Switch that on: "
            f"Webservice(ws, {name!r}).update(collect_model_data=True)."
        )
    return compare(profile, seen.frame(), seen.answers, model=version, times=seen.times)


def compare(
    profile: Mapping[str, Any],
    frame: pd.DataFrame,
    answers: Sequence[Any],
    *,
    model: str,
    times: Sequence[float] = (),
) -> DriftReport:
    """Return how far rows are from a profile of training rows.

    Parameters
    ----------
    profile : mapping
        See `nbautoml.registry.profile.describe_profile`.
    frame : DataFrame of shape (n_rows, n_columns)
        Rows of requests.
    answers : sequence
        What the model answered, as far as that is known.
    model : str
        Name and version.
    times : sequence of float
        When the requests came.
    """
    found = [
        _moved(name, Shares.from_dict(shares), frame[name])
        for name, shares in profile["columns"].items()
        if name in frame.columns
    ]
    prediction = None
    if answers and profile.get("prediction"):
        shares = Shares.from_dict(profile["prediction"])
        prediction = _moved("prediction", shares, pd.Series(list(answers)))
    return DriftReport(
        model=model,
        n_rows=len(frame),
        n_requests=len(times),
        since=min(times, default=None),
        until=max(times, default=None),
        columns=tuple(sorted(found, key=lambda column: -column.psi)),
        prediction=prediction,
    )


def stability_index(then: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """Return the population stability index of two lists of shares.

    Examples
    --------
    >>> round(stability_index([0.5, 0.5], [0.5, 0.5]), 3)
    0.0
    >>> round(stability_index([0.5, 0.5], [0.75, 0.25]), 3)
    0.275
    """
    before = np.maximum(np.asarray(then, dtype=np.float64), _LEAST_SHARE)
    after = np.maximum(np.asarray(now, dtype=np.float64), _LEAST_SHARE)
    return float(((after - before) * np.log(after / before)).sum())


def _moved(name: str, shares: Shares, cells: pd.Series[Any]) -> ColumnDrift:
    n_known = int(cells.notna().sum())
    psi = stability_index(shares.shares, shares.of(cells)) if n_known else 0.0
    if shares.kind == WORD:
        known = cells.dropna().astype(object).map(word_of)
        unseen = float((~known.isin(shares.words)).mean()) if n_known else 0.0
    else:
        unseen = 0.0
    return ColumnDrift(
        name=name,
        kind=shares.kind,
        psi=psi,
        verdict=_verdict(psi, n_known),
        missing_then=shares.missing,
        missing_now=float(cells.isna().mean()),
        unseen=unseen,
    )


def _verdict(psi: float, n_rows: int) -> str:
    if n_rows < FEWEST_ROWS:
        return "too few rows"
    if psi >= STRONG:
        return "strong"
    return "moderate" if psi >= MODERATE else "stable"


def _bar(psi: float) -> str:
    width = round(_BAR_PIXELS * min(psi / (2 * STRONG), 1.0))
    mark = round(_BAR_PIXELS * STRONG / (2 * STRONG))
    return (
        f'<svg width="{_BAR_PIXELS}" height="10" role="img" aria-label="{psi:.3f}">'
        f'<rect width="{width}" height="10" fill="currentColor" fill-opacity="0.55"/>'
        f'<path d="M{mark} 0V10" stroke="currentColor"/></svg>'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Rows and answers of requests that were written down."""

    frames: list[pd.DataFrame]
    answers: list[Any]
    times: list[float]

    def frame(self) -> pd.DataFrame:
        return pd.concat(self.frames, ignore_index=True)


def _read_log(lines: Sequence[str], rows: RequestRows, version: str) -> _Seen:
    seen = _Seen(frames=[], answers=[], times=[])
    for line in lines:
        try:
            told = json.loads(line)
            if told["model"] != version or told["status"] != 200:
                continue
            request = read_form(read_body(told["request"].encode()), {}, rows.names)
            frame = rows.check(request.rows[:MAX_ROWS]).frame
        except (ValueError, KeyError, RequestFaultError):
            continue  # a line that was cut, or a request of another version
        seen.frames.append(frame)
        seen.times.append(float(told["time"]))
        seen.answers.extend(_answers(told["reply"], request))
    return seen


def _answers(reply: str, request: ScoreRequest) -> list[Any]:
    """Return what a model answered; nothing where it was asked for probabilities alone."""
    content = json.loads(reply)
    content = json.loads(content) if isinstance(content, str) else content
    for name in ("predictions", "Results", "result"):
        found = content.get(name)
        if isinstance(found, list) and (name == "predictions" or request.method == "predict"):
            return found
    return []


def _bundle_of(folder: Folder, name: str, revision: Any, job: Mapping[str, Any]) -> Path:
    entry = job.get("entry", {})
    if entry.get("kind") != "bundle":
        raise NotAvailableError(
            f"{name} answers with an entry script, so it is not known what its rows mean. Drift "
            "is told for models of nbautoml that are deployed without one."
        )
    return folder.revision(int(revision)) / str(entry["folder"])


def write_report(session: Session, name: str, path: str) -> None:
    """Write the report of a deployment to a file as JSON."""
    text = json.dumps(drift_of(session, name).to_dict(), allow_nan=False)
    Path(path).write_text(text, encoding="utf-8")


def main() -> int:
    """Write the report that the command line names; return the exit code."""
    done: int = importlib.import_module(_RUNS).work_for(write_report)
    return done


if __name__ == "__main__":
    sys.exit(main())
