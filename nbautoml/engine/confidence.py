"""Confidence intervals of the best model, as a file of the run."""

from __future__ import annotations

import json
from collections.abc import Collection

import numpy as np

from nbautoml.domain.events import json_safe
from nbautoml.domain.metrics import metrics_for
from nbautoml.engine.context import RunContext
from nbautoml.engine.metrics.confidence import (
    LEVEL,
    ScoredRows,
    bootstrap_intervals,
    count_resamples,
    expected_seconds,
)
from nbautoml.engine.models._base import Vector
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.trial_files import OOF

METRIC_CONFIDENCE = "outputs/metric_confidence.json"
SCHEMA_VERSION = "1.0.0"
# Nobody asked for them, so they must not be felt.
_UNASKED_SECONDS = 1.0
# What they take may be this many times more on a busy machine.
_MARGIN = 3.0


def put_confidence(context: RunContext, number: int, deadline: Deadline) -> None:
    """Store the confidence intervals of a trial with it and with the run.

    They are of all metrics when the plan says so, else of the primary metric if that takes
    less than a second. What does not fit into the run's time is left out.

    Parameters
    ----------
    context : RunContext
        The run.
    number : int
        Number of the best trial; its out-of-fold predictions are stored.
    deadline : Deadline
        When the run has to be done.
    """
    names = _affordable(context, deadline)
    if not names:
        return
    data, spec = context.data, context.data.spec
    rows = ScoredRows(
        y=data.y_valid,
        predicted=_predictions(context, number),
        folds=data.fold_places(),
        y_range=spec.y_max - spec.y_min,
        positive=spec.positive,
        weight=data.w_valid,
    )
    intervals = bootstrap_intervals(rows, names, seed=context.plan.seed)
    payload = {
        "schema_type": "metric_confidence",
        "schema_version": SCHEMA_VERSION,
        "data": {
            "iteration": number,
            "level": LEVEL,
            "resamples": count_resamples(len(rows.y), rows.n_classes),
            "rows": len(rows.y),
            "metrics": {
                name: {
                    "value": interval.value,
                    "lower_ci_95": interval.lower,
                    "upper_ci_95": interval.upper,
                }
                for name, interval in intervals.items()
            },
        },
    }
    content = json.dumps(json_safe(payload)).encode()
    for run in (number, None):
        context.ports.artifacts.put_bytes(run, METRIC_CONFIDENCE, content)


def _affordable(context: RunContext, deadline: Deadline) -> Collection[str]:
    """Return the metrics for which there is time: all, the primary one, or none."""
    plan, spec = context.plan, context.data.spec
    n_rows = len(context.data.valid_rows)
    every = metrics_for(plan.task, has_positive=spec.positive is not None)
    choices: list[tuple[list[str], float]] = [([plan.primary_metric], _UNASKED_SECONDS)]
    if plan.enable_metric_confidence:
        choices = [([m.name for m in every], np.inf), ([plan.primary_metric], np.inf)]
    for names, most in choices:
        seconds = expected_seconds(names, n_rows, spec.n_classes)
        if seconds < most and _MARGIN * seconds < deadline.remaining():
            return names
    return ()


def _predictions(context: RunContext, number: int) -> Vector:
    """Return a trial's out-of-fold predictions, also those of an earlier attempt."""
    path = context.oof_path(number)
    if not path.exists():
        path = context.ports.artifacts.local_path(number, OOF)
    return np.asarray(np.load(path))
