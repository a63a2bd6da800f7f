"""A constant model: what a run answers with when no trial was finished in its time."""

from __future__ import annotations

import pickle
import time

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from nbautoml.domain import events as ev
from nbautoml.domain.status import TrialOutcome
from nbautoml.domain.tasks import Task
from nbautoml.engine.context import PreparedData, RunContext
from nbautoml.engine.models._base import Vector
from nbautoml.engine.search.active import mean_and_std
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial import score_predictions
from nbautoml.engine.trial_data import read_classes
from nbautoml.engine.trial_files import mean_metrics, put_trial
from nbautoml.runtime.pipeline import ModelPipeline, spread_proba

BASELINE = "Baseline"


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
    predictions = np.empty(_shape(data), dtype=np.float32)
    scored = []
    for (train, valid), places in zip(data.folds, data.fold_places(), strict=True):
        answers = _answers(data, train, len(valid))
        predictions[places] = answers
        scored.append(score_predictions(data.y[valid], answers, data.spec))
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


def _shape(data: PreparedData) -> tuple[int, ...]:
    n_rows = len(data.valid_rows)
    is_class = data.spec.task is Task.CLASSIFICATION
    return (n_rows, data.spec.n_classes) if is_class else (n_rows,)


def _fit(data: PreparedData, rows: Vector) -> DummyClassifier | DummyRegressor:
    is_class = data.spec.task is Task.CLASSIFICATION
    model = DummyClassifier(strategy="prior") if is_class else DummyRegressor(strategy="mean")
    return model.fit(np.zeros((len(rows), 1)), data.y[rows])


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
    return ModelPipeline(steps, classes=read_classes(data.folder), codes=codes)
