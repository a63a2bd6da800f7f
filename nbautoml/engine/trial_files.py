"""What a finished trial leaves: predictions of all folds, charts, and the model as one file."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any  # Any: payloads of charts are JSON values

import numpy as np
import numpy.typing as npt

from nbautoml.domain.tasks import Task
from nbautoml.engine.context import PreparedData, RunContext
from nbautoml.engine.metrics import (
    accuracy_table_payload,
    confusion_matrix_payload,
    predicted_true_payload,
    residuals_payload,
)
from nbautoml.engine.models._base import Vector
from nbautoml.engine.trial import REFIT_FILE, featurizer_file, part_file, prediction_file
from nbautoml.engine.trial_data import ALL_ROWS, DataSpec
from nbautoml.runtime.bag import PackedPart, open_model

MODEL = "outputs/model.pkl"
OOF = "internal/oof_predictions.npy"


def merge_folds(data: PreparedData, folder: Path) -> npt.NDArray[np.float32]:
    """Return predictions for all validation rows from those of each fold.

    Rows that are in the validation part of several folds get the mean.

    Returns
    -------
    ndarray of float32, shape (n_valid,) or (n_valid, n_classes)
    """
    total: npt.NDArray[np.float64] | None = None
    n_seen = np.zeros(len(data.valid_rows))
    for fold, places in enumerate(data.fold_places()):
        predictions = np.load(folder / prediction_file(fold))
        if total is None:
            total = np.zeros((len(n_seen), *predictions.shape[1:]))
        total[places] += predictions
        n_seen[places] += 1
    assert total is not None
    shape = (-1, *(1 for _ in total.shape[1:]))
    return np.asarray(total / n_seen.reshape(shape), dtype=np.float32)


def mean_metrics(folds: Sequence[Mapping[str, float]]) -> dict[str, float | None]:
    """Return the mean of each metric over the folds that have it; None where none has.

    Examples
    --------
    >>> mean_metrics([{"accuracy": 0.5}, {"accuracy": 1.0}])
    {'accuracy': 0.75}
    """
    means: dict[str, float | None] = {}
    for name in folds[0]:
        values = np.array([fold[name] for fold in folds], dtype=np.float64)
        values = values[np.isfinite(values)]
        means[name] = float(values.mean()) if len(values) else None
    return means


def charts(data: PreparedData, predictions: Vector) -> dict[str, dict[str, Any]]:
    """Return the charts' data by name, over the validation rows of all folds."""
    return chart_payloads(
        data.y_valid, predictions, data.spec, data.class_labels, weight=data.w_valid
    )


def chart_payloads(
    y: Vector,
    predictions: Vector,
    spec: DataSpec,
    class_labels: Sequence[str],
    *,
    weight: Vector | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the charts' data by name.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    predictions : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities or numbers.
    spec : DataSpec
        The task.
    class_labels : sequence of str
        Names of the classes.
    weight : ndarray of float, shape (n_rows,), optional
        How much each row counts.
    """
    if spec.task is Task.CLASSIFICATION:
        return {
            "confusion_matrix": confusion_matrix_payload(
                y, predictions, class_labels, sample_weight=weight
            ),
            "accuracy_table": accuracy_table_payload(
                y, predictions, class_labels, sample_weight=weight
            ),
        }
    return {
        "residuals": residuals_payload(y, predictions, sample_weight=weight),
        "predicted_true": predicted_true_payload(y, predictions, sample_weight=weight),
    }


def pack_trial(data: PreparedData, folder: Path) -> bytes:
    """Return the model file of a trial: the mean of its fold models, or its only one."""
    parts = tuple(_packed(fold, folder / part_file(fold)) for fold in range(data.n_folds))
    return pickle.dumps(data.packed(open_model, parts))


def refit_part(folder: Path) -> PackedPart:
    """Return the fit on all rows that a refit left."""
    return _packed(ALL_ROWS, folder / REFIT_FILE)


def _packed(fold: int, fitted: Path) -> PackedPart:
    featurizer = fitted.with_name(featurizer_file(fold))
    return PackedPart(featurizer=featurizer.read_bytes(), fitted=fitted.read_bytes())


def put_trial(
    context: RunContext,
    number: int,
    predictions: Vector,
    model: bytes,
    more: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Store the files of a finished trial, and keep its predictions at hand."""
    path = context.oof_path(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, predictions)
    files: dict[str, Path | bytes] = {OOF: path, MODEL: model, **more}
    for name, payload in charts(context.data, predictions).items():
        files[name] = json.dumps(payload).encode()
    context.ports.artifacts.put_all(number, files)
