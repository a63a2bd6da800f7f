"""An explanation as plain JSON values: what the tab of a run, and static pages, show of it.

The shapes are described in ``docs/howto/explanations.md``. Numbers have six significant digits,
texts of cells are cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values, cells of any type

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.metrics import Direction, metric
from nbautoml.engine.explain.contributions import sources_of
from nbautoml.engine.explain.dependence import Dependence
from nbautoml.engine.explain.parts import split_model
from nbautoml.engine.explain.permutation import Permuted
from nbautoml.engine.explain.study import Explained, Subject
from nbautoml.runtime import parsing

FloatArray = npt.NDArray[np.float64]

SCHEMA = 1
SHOWN_COLUMNS, SHOWN_FEATURES = 30, 60
"""Columns of the sample that are shown; engineered features that are listed."""
_DIGITS = 6
_CELL_CHARACTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Which model is explained.

    Parameters
    ----------
    number : int
        Its number in the run.
    pipeline : str
        Its name.
    label : str
        Name of the label's column.
    class_labels : tuple of str
        Names of the classes; empty for numbers.
    made_at, seconds : float
        When the explanation was made, in seconds since the epoch, and how long that took.
    """

    number: int
    pipeline: str
    label: str
    class_labels: tuple[str, ...]
    made_at: float
    seconds: float


def dashboard_of(explained: Explained, subject: Subject, facts: ModelFacts) -> dict[str, Any]:
    """Return an explanation as JSON values.

    Parameters
    ----------
    explained : Explained
        What was found out.
    subject : Subject
        The model and the rows.
    facts : ModelFacts
        Which model it is.
    """
    spec = subject.spec
    maximize = metric(spec.primary_metric).direction is Direction.MAXIMIZE
    order = np.argsort(-explained.importance(), kind="stable")
    return {
        "schema": SCHEMA,
        "n": facts.number,
        "pipeline": facts.pipeline,
        "task": spec.task.value,
        "label": facts.label,
        "classes": list(facts.class_labels),
        "metric": {"name": spec.primary_metric, "maximize": maximize},
        "score": _number(explained.permuted.score if maximize else -explained.permuted.score),
        "made_at": round(facts.made_at, 3),
        "seconds": round(facts.seconds, 2),
        "notes": list(explained.notes),
        "held_out": explained.is_held_out,
        "scored_rows": explained.permuted.n_rows,
        "explained_rows": explained.raw.n_rows if explained.raw is not None else 0,
        "how": explained.how,
        "raw": _raw_features(explained, subject, order),
        "engineered": _engineered_features(explained, subject),
        "sample": _sample(explained, subject, facts, order[:SHOWN_COLUMNS]),
        "dependence": [_curve(one, facts) for one in explained.dependence],
        "cohorts": [
            {
                "column": cohort.column,
                "part": cohort.part,
                "rows": cohort.n_rows,
                "score": _number(cohort.score),
                "error": _number(cohort.error),
            }
            for cohort in explained.cohorts
        ],
    }


def _raw_features(
    explained: Explained, subject: Subject, order: npt.NDArray[np.int64]
) -> list[dict[str, Any]]:
    kinds = {form.name: form.kind for form in subject.adapter.columns}
    names = explained.permuted.names
    sizes = None if explained.raw is None else explained.raw.sizes()
    return [
        {"name": names[j], "kind": kinds[names[j]], "size": _at(sizes, j)}
        | _loss(explained.permuted, j)
        for j in order.tolist()
    ]


def _engineered_features(explained: Explained, subject: Subject) -> list[dict[str, Any]]:
    """Return the most important engineered features, with the columns that they are made of."""
    values, permuted = explained.engineered, explained.permuted_engineered
    if values is not None:
        names, sizes = values.names, values.sizes()
    elif permuted is not None:
        names, sizes = permuted.names, np.nan_to_num(permuted.means, nan=0.0)
    else:
        return []
    of = _sources(subject)
    order = np.argsort(-sizes, kind="stable")[:SHOWN_FEATURES].tolist()
    return [
        {
            "name": names[j],
            "of": list(of.get(names[j], ())),
            "size": _number(sizes[j]) if values is not None else None,
        }
        | ({} if permuted is None else _loss(permuted, j))
        for j in order
    ]


def _sources(subject: Subject) -> dict[str, tuple[str, ...]]:
    mixture = split_model(subject.model)
    found: dict[str, tuple[str, ...]] = {}
    for part in () if mixture is None else mixture.parts:
        names = [entry.name for entry in part.featurizer.lineage_]
        found |= dict(zip(names, sources_of(part.featurizer), strict=True))
    return found


def _loss(permuted: Permuted, place: int) -> dict[str, Any]:
    return {
        "loss": _number(permuted.means[place]),
        "loss_std": _number(permuted.deviations[place]),
        "repeats": int(permuted.repeats[place]),
    }


def _sample(
    explained: Explained,
    subject: Subject,
    facts: ModelFacts,
    shown: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """Return the explained rows: their cells, what is true, what was said, and why."""
    values = explained.raw
    n_rows = 0 if values is None else values.n_rows
    forms = {form.name: form.kind for form in subject.adapter.columns}
    names = [explained.permuted.names[j] for j in shown.tolist()]
    places = {str(name): i for i, name in enumerate(subject.frame.columns)}
    columns = [subject.frame.iloc[:n_rows, places[name]].tolist() for name in names]
    answers = explained.answers[:n_rows]
    outputs = _told_outputs(answers)
    parts: dict[str, Any] = {"contributions": [], "rest": [], "base": []}
    if values is not None:
        parts = _contributions(values.values, values.base, outputs, shown)
    predicted = None if subject.predicted is None else subject.predicted[:n_rows]
    return {
        "columns": [{"name": name, "kind": forms[name]} for name in names],
        "cells": [[_cell(cells[i]) for cells in columns] for i in range(n_rows)],
        "truth": _labels(subject.y[:n_rows], facts),
        "said": _said(answers, facts),
        "output": _rounded(_chosen(answers, outputs)),
        "told": _told_names(outputs, facts, n_rows),
        "held_out": None if predicted is None else _said(predicted, facts),
        "held_out_output": None if predicted is None else _rounded(_chosen(predicted, outputs)),
        **parts,
    }


def _told_outputs(answers: FloatArray) -> npt.NDArray[np.int64]:
    """Return which output of each row is explained: the second of two, else what is said."""
    if answers.shape[1] == 2:
        return np.ones(len(answers), dtype=np.int64)
    return np.asarray(answers.argmax(axis=1), dtype=np.int64)


def _told_names(outputs: npt.NDArray[np.int64], facts: ModelFacts, n_rows: int) -> list[str]:
    """Return what is explained of each row, in words."""
    if not facts.class_labels:
        return [facts.label] * n_rows
    return [f"probability of {facts.class_labels[i]}" for i in outputs.tolist()]


def _chosen(answers: FloatArray, outputs: npt.NDArray[np.int64]) -> FloatArray:
    return np.asarray(answers[np.arange(len(answers)), outputs])


def _contributions(
    values: FloatArray,
    base: FloatArray,
    outputs: npt.NDArray[np.int64],
    shown: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """Return contributions of the shown columns, and what all others add together."""
    told = outputs if len(base) > 1 else np.zeros(len(outputs), dtype=np.int64)
    of_row = values[told, np.arange(values.shape[1])]
    is_hidden = np.ones(of_row.shape[1], dtype=bool)
    is_hidden[shown] = False
    rest = of_row[:, is_hidden].sum(axis=1)
    return {
        "contributions": [_rounded(row) for row in of_row[:, shown]],
        "rest": _rounded(rest),
        "base": _rounded(base[told]),
    }


def _said(answers: FloatArray, facts: ModelFacts) -> list[Any]:
    if facts.class_labels:
        return [facts.class_labels[i] for i in answers.argmax(axis=1).tolist()]
    return _rounded(answers[:, 0])


def _labels(y: npt.NDArray[np.generic], facts: ModelFacts) -> list[Any]:
    if facts.class_labels:
        return [facts.class_labels[int(code)] for code in y.tolist()]
    return _rounded(np.asarray(y, dtype=np.float64))


def _curve(dependence: Dependence, facts: ModelFacts) -> dict[str, Any]:
    labels = [
        _number(label) if isinstance(label, float) else label[:_CELL_CHARACTERS]
        for label in dependence.grid.labels
    ]
    outputs = _output_names(facts, len(dependence.mean))
    return {
        "name": dependence.grid.name,
        "ordered": dependence.grid.is_ordered,
        "values": labels,
        "outputs": [
            {"name": name, "mean": _rounded(mean)}
            for name, mean in zip(outputs, dependence.mean, strict=True)
        ],
        "curves": [_rounded(curve) for curve in dependence.curves],
    }


def _output_names(facts: ModelFacts, n_outputs: int) -> list[str]:
    if not facts.class_labels:
        return [facts.label]
    return [f"probability of {name}" for name in facts.class_labels[-n_outputs:]]


def _cell(value: Any) -> Any:
    """Return a raw cell as a JSON value."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.integer | np.floating):
        return int(value) if isinstance(value, int | np.integer) else _number(value)
    return parsing.label_of(value)[:_CELL_CHARACTERS]


def _at(values: FloatArray | None, place: int) -> float | None:
    return None if values is None else _number(values[place])


def _rounded(values: Sequence[float] | FloatArray) -> list[float | None]:
    return [_number(value) for value in np.asarray(values).tolist()]


def _number(value: Any) -> float | None:
    number = float(value)
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None
