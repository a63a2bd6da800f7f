"""VotingEnsemble: chosen on out-of-fold predictions, scored on rows that did not choose it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbautoml.domain.metrics import Direction
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.greedy import blend, select
from nbautoml.engine.metrics import score_primary
from nbautoml.engine.models._base import Vector
from nbautoml.engine.search.book import TrialRecord, stack_oof, thin_rows

# The weights are scored on parts of the rows, each with weights that the other parts chose.
_N_PARTS = 5
FEWEST_MEMBERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """An ensemble.

    Parameters
    ----------
    members : tuple of TrialRecord
        Members, the heaviest first.
    weights : tuple of float
        Their weights; they sum to 1.
    predictions : ndarray of shape (n_valid,) or (n_valid, n_classes)
        What it predicts for the validation rows, each row with the weights that rows of other
        parts chose.
    """

    members: tuple[TrialRecord, ...]
    weights: tuple[float, ...]
    predictions: npt.NDArray[np.float32]


def choose_vote(context: RunContext, choices: list[TrialRecord]) -> Vote:
    """Choose members and weights among trials, the best of them first.

    The weights come from all validation rows. The predictions by which the ensemble is scored
    come from weights chosen without the rows that they are for, so that its score compares
    with that of a new model, not of a fitted one.
    """
    y = context.data.y_valid
    predictions = stack_oof(choices, np.arange(len(y)))
    counts = _choose(context, predictions, y, np.arange(len(y)))
    honest = np.empty(predictions.shape[1:], dtype=np.float32)
    parts = deal_parts(y)
    for part in range(parts.max() + 1):
        inside = parts == part
        others = _choose(context, predictions, y, np.flatnonzero(~inside))
        honest[inside] = blend(predictions[:, inside], others)
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
    total = int(counts.sum())
    return Vote(
        members=tuple(choices[i] for i in order),
        weights=tuple(int(counts[i]) / total for i in order),
        predictions=honest,
    )


def deal_parts(y: Vector) -> npt.NDArray[np.int64]:
    """Return the part of each row; every part sees all classes or the whole range.

    Examples
    --------
    >>> deal_parts(np.array([0, 0, 1, 1, 0, 1, 0, 1, 0, 1])).tolist()
    [0, 1, 0, 1, 2, 2, 3, 3, 4, 4]
    """
    parts = np.empty(len(y), dtype=np.int64)
    parts[np.argsort(y, kind="stable")] = np.arange(len(y)) % min(_N_PARTS, len(y))
    return parts


def _choose(
    context: RunContext,
    predictions: npt.NDArray[np.float32],
    y: Vector,
    rows: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    rows = rows[thin_rows(len(rows))]
    return select(
        predictions[:, rows],
        y[rows],
        _scorer(context, y[rows]),
        max_members=context.plan.ensemble.max_members,
    )


def _scorer(context: RunContext, y: Vector) -> Callable[[npt.NDArray[np.float64]], float]:
    """Return the primary metric on some rows, greater for better; the least where undefined."""
    spec, plan = context.data.spec, context.plan
    sign = 1.0 if plan.metric.direction is Direction.MAXIMIZE else -1.0

    def score(predictions: npt.NDArray[np.float64]) -> float:
        value = score_primary(
            plan.primary_metric,
            y,
            predictions,
            n_classes=spec.n_classes,
            y_min=spec.y_min,
            y_max=spec.y_max,
        )
        return -math.inf if math.isnan(value) else sign * value

    return score
