"""Testing a fitted model on rows that no part of its run has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any  # Any: fitted models, labels of any type, payloads of charts

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.tasks import Task
from nbautoml.engine.models._base import Vector
from nbautoml.engine.rows import read_weights
from nbautoml.engine.target import UNKNOWN_CODE, TargetEncoding
from nbautoml.engine.trial import score_predictions
from nbautoml.engine.trial_data import DataSpec
from nbautoml.engine.trial_files import chart_payloads
from nbautoml.runtime import parsing

ORIGINAL, PREDICTED, PROBABILITY = "_orig", "_predicted", "_predicted_proba"
"""What the SDK appends to the names of columns of ``predictions.csv`` (release notes of
azureml-train-automl-runtime 1.35)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How a run scores its models: what a test of one of them needs, too.

    Parameters
    ----------
    encoding : TargetEncoding
        How labels became numbers.
    spec : DataSpec
        Task, metric, classes and range of the label.
    """

    encoding: TargetEncoding
    spec: DataSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTest:
    """What a test found.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, n_columns)
        ``<label>_orig``, ``<label>_predicted``, ``<class>_predicted_proba`` and
        ``<feature>_orig``, in this order.
    metrics : mapping of str to (float or None)
        All metrics of the task over the rows that have a label; None where one has no meaning
        for these rows. Empty when no row has a label.
    charts : mapping of str to dict
        The charts' data by name; empty when no row has a label.
    n_scored : int
        Number of rows that have a label.
    n_unknown : int
        Number of those whose class the training data did not have: each counts as a mistake.
    """

    predictions: pd.DataFrame
    metrics: Mapping[str, float | None]
    charts: Mapping[str, dict[str, Any]]
    n_scored: int
    n_unknown: int


def run_test(
    model: Any,
    frame: pd.DataFrame,
    label: str,
    scoring: Scoring,
    *,
    weight_column: str | None = None,
    only_predictions: bool = False,
) -> ModelTest:
    """Test a model.

    Parameters
    ----------
    model : estimator
        What a run answers with: it takes raw rows.
    frame : DataFrame of shape (n_rows, n_columns)
        Raw rows; without the label's column nothing is scored.
    label : str
        Name of the label's column.
    scoring : Scoring
        How the run scored.
    weight_column : str, optional
        Column that says how much each row counts.
    only_predictions : bool, default False
        Whether labels and features are left out of `ModelTest.predictions`.

    Raises
    ------
    DatasetError
        When a label or a weight is not what it must be.
    """
    has_label = label in frame.columns
    features = frame.drop(columns=[label]) if has_label else frame
    outputs = _predict(model, features, scoring)
    columns = _name_outputs(model, label, outputs, scoring)
    if not only_predictions:
        columns = [
            *([frame[[label]].add_suffix(ORIGINAL)] if has_label else []),
            *columns,
            features.add_suffix(ORIGINAL),
        ]
    predictions = pd.concat([part.reset_index(drop=True) for part in columns], axis=1)
    if not has_label:
        return ModelTest(predictions=predictions, metrics={}, charts={}, n_scored=0, n_unknown=0)
    weight = None if weight_column is None else read_weights(frame[weight_column], len(frame))
    return _scored(frame[label], outputs, weight, scoring, predictions)


def _predict(model: Any, features: pd.DataFrame, scoring: Scoring) -> npt.NDArray[np.float64]:
    is_class = scoring.spec.task is Task.CLASSIFICATION
    answer = model.predict_proba(features) if is_class else model.predict(features)
    return np.asarray(answer, dtype=np.float64)


def _name_outputs(model: Any, label: str, outputs: Vector, scoring: Scoring) -> list[pd.DataFrame]:
    if scoring.spec.task is not Task.CLASSIFICATION:
        return [pd.DataFrame({f"{label}{PREDICTED}": outputs})]
    names = [f"{name}{PROBABILITY}" for name in scoring.encoding.class_labels]
    classes = np.asarray(model.classes_)
    predicted = pd.DataFrame({f"{label}{PREDICTED}": classes[outputs.argmax(axis=1)]})
    return [predicted, pd.DataFrame(outputs, columns=names)]


def _scored(
    labels: pd.Series,
    outputs: Vector,
    weight: Vector | None,
    scoring: Scoring,
    predictions: pd.DataFrame,
) -> ModelTest:
    y, spec, names = _encode(labels, scoring)
    has_one = y != UNKNOWN_CODE if spec.task is Task.CLASSIFICATION else ~np.isnan(y)
    if weight is not None:
        has_one &= weight > 0
    if not has_one.any():
        return ModelTest(predictions=predictions, metrics={}, charts={}, n_scored=0, n_unknown=0)
    y, outputs = y[has_one], outputs[has_one]
    n_new = spec.n_classes - scoring.spec.n_classes
    if n_new:
        outputs = np.column_stack([outputs, np.zeros((len(outputs), n_new))])
    weight = None if weight is None else weight[has_one]
    metrics = score_predictions(y, outputs, spec, weight)
    return ModelTest(
        predictions=predictions,
        metrics={n: float(v) if np.isfinite(v) else None for n, v in metrics.items()},
        charts=chart_payloads(y, outputs, spec, names, weight=weight),
        n_scored=int(has_one.sum()),
        n_unknown=int((y >= scoring.spec.n_classes).sum()) if n_new else 0,
    )


def _encode(labels: pd.Series, scoring: Scoring) -> tuple[Vector, DataSpec, tuple[str, ...]]:
    """Return labels as numbers; classes that the training data did not have come last."""
    encoding, spec = scoring.encoding, scoring.spec
    y = encoding.encode(labels)
    if spec.task is not Task.CLASSIFICATION:
        return y, spec, ()
    codes, values = parsing.distinct(labels[(y == UNKNOWN_CODE)])
    places = np.flatnonzero(y == UNKNOWN_CODE)
    y = y.copy()
    y[places[codes >= 0]] = spec.n_classes + codes[codes >= 0]
    names = (*encoding.class_labels, *(parsing.label_of(value) for value in values))
    return y, replace(spec, n_classes=spec.n_classes + len(values)), names
