"""A constant model: what a run answers with when no trial was finished in its time."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyClassifier, DummyRegressor

from nbautoml.domain import events as ev
from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.context import PreparedData, RunContext
from nbautoml.engine.metrics import score_primary
from nbautoml.engine.models._base import Vector
from nbautoml.engine.search.active import mean_and_std
from nbautoml.engine.search.book import TrialRecord, thin_rows
from nbautoml.engine.search.budget import FinishCost
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial import score_predictions
from nbautoml.engine.trial_data import read_classes
from nbautoml.engine.trial_files import charts, mean_metrics, put_trial
from nbautoml.runtime.pipeline import ModelPipeline, spread_proba

BASELINE = "Baseline"


# What a trial's files take in the store (hash, flush, commit), as a share of making them.
_STORE_SHARE = 1.0
# Ensembles are chosen on no more rows than this.
_SCORED_ROWS = 5_000


def measure_finish(context: RunContext, cost: FinishCost) -> None:
    """Do with a constant model what ends a run, so that the time to keep for it is known.

    It takes milliseconds, while the workers still start. Nothing of it is kept.
    """
    data = context.data
    started = time.monotonic()
    predictions = _predict(data)
    charts(data, predictions)
    _write_durably(context.scratch / "measure.npy", predictions)
    pickle.dumps(_model(data))
    cost.observe_write((1.0 + _STORE_SHARE) * (time.monotonic() - started), n_bytes=0)
    started = time.monotonic()
    places, valid = data.fold_places()[0], data.folds[0][1]
    score_predictions(data.y[valid], predictions[places], data.spec, data.weights_of(valid))
    cost.metrics_seconds = data.n_folds * (time.monotonic() - started)
    rows = thin_rows(len(predictions), _SCORED_ROWS)
    y, weight = data.y_valid[rows], data.weights_of(data.valid_rows[rows])
    started = time.monotonic()
    score_primary(
        context.plan.primary_metric,
        y,
        predictions[rows],
        n_classes=data.spec.n_classes,
        y_min=data.spec.y_min,
        y_max=data.spec.y_max,
        sample_weight=weight,
    )
    cost.scoring_seconds = time.monotonic() - started


def run_baseline(context: RunContext, number: int) -> TrialRecord:
    """Fit, score and store a constant model as a trial of its own; takes milliseconds."""
    data = context.data
    started = time.monotonic()
    candidate = Candidate(family=BASELINE, model_name=BASELINE, params={}, scaler="")
    key = context.key_of(candidate)
    context.ports.events.emit(
        ev.TrialStarted(
            number=number, pipeline=BASELINE, family=BASELINE, params={}, n_folds=data.n_folds
        )
    )
    predictions = _predict(data)
    scored = _score(data, predictions)
    put_trial(context, number, predictions, pickle.dumps(_model(data)))
    score, deviation = mean_and_std([m[data.spec.primary_metric] for m in scored])
    record = TrialRecord(
        number=number,
        key=key,
        candidate=candidate,
        outcome=TrialOutcome.COMPLETED,
        score=score,
        score_std=deviation,
        metrics=mean_metrics(scored),
    )
    context.ports.events.emit(
        ev.TrialFinished(
            number=number,
            key=key,
            outcome=TrialOutcome.COMPLETED,
            pipeline=BASELINE,
            family=BASELINE,
            params={},
            n_folds=data.n_folds,
            folds_done=data.n_folds,
            seconds=time.monotonic() - started,
            score=score,
            score_std=deviation,
            metrics=record.metrics,
        )
    )
    return record


def _predict(data: PreparedData) -> npt.NDArray[np.float32]:
    """Return constant predictions for all validation rows, each from its fold's other rows."""
    predictions = np.empty(_shape(data), dtype=np.float32)
    for (train, valid), places in zip(data.folds, data.fold_places(), strict=True):
        predictions[places] = _answers(data, train, len(valid))
    return predictions


def _score(data: PreparedData, predictions: Vector) -> list[dict[str, float]]:
    """Return all metrics of each fold."""
    return [
        score_predictions(data.y[valid], predictions[places], data.spec, data.weights_of(valid))
        for (_, valid), places in zip(data.folds, data.fold_places(), strict=True)
    ]


def _write_durably(path: Path, predictions: Vector) -> None:
    with path.open("wb") as file:
        np.save(file, predictions)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _shape(data: PreparedData) -> tuple[int, ...]:
    n_rows = len(data.valid_rows)
    is_class = data.spec.task is Task.CLASSIFICATION
    return (n_rows, data.spec.n_classes) if is_class else (n_rows,)


def _fit(data: PreparedData, rows: Vector) -> DummyClassifier | DummyRegressor:
    is_class = data.spec.task is Task.CLASSIFICATION
    model = DummyClassifier(strategy="prior") if is_class else DummyRegressor(strategy="mean")
    return model.fit(np.zeros((len(rows), 1)), data.y[rows], data.weights_of(rows))


def _answers(data: PreparedData, train: Vector, n_rows: int) -> Vector:
    model = _fit(data, train)
    X = np.zeros((n_rows, 1))
    if data.spec.task is Task.CLASSIFICATION:
        return spread_proba(model.predict_proba(X), model.classes_, data.spec.n_classes)
    return np.asarray(model.predict(X))


def _model(data: PreparedData) -> ModelPipeline:
    model = _fit(data, np.arange(len(data.y)))
    steps = [("datatransformer", pickle.loads(data.adapter)), (BASELINE, model)]
    codes = getattr(model, "classes_", None)
    pipeline = ModelPipeline(steps, classes=read_classes(data.folder), codes=codes)
    pipeline.predicts_whole = data.predicts_whole
    return pipeline
