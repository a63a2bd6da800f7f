"""Whether an ensemble is better than the best single trial.

The best of many trials owes part of its score to luck: it was chosen by that score. An
ensemble's score has no such part, because its weights are chosen on other rows. So the single
trial is scored in the same way here: each part of the rows by the trial that is best on the
others. The single trial stays the answer when it leads by more than one standard error of that
lead; by less, a mean of models was the better one on most tables of docs/decisions/ensembles.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbautoml.domain.metrics import Direction
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.nested import IntArray, join
from nbautoml.engine.ensemble.vote import make_scorer
from nbautoml.engine.models._base import Vector
from nbautoml.engine.search.book import TrialRecord, stack_oof, thin_rows
from nbautoml.engine.trial import score_predictions

# Trials behind these are not the best on four fifths of the rows either.
_MOST_SINGLES = 10
_MOST_ROWS = 5_000


def score_folds(context: RunContext, predictions: Vector) -> list[dict[str, float]]:
    """Return all metrics of each fold.

    Parameters
    ----------
    context : RunContext
        The run.
    predictions : ndarray of shape (n_valid,) or (n_valid, n_classes)
        Predictions for all validation rows.
    """
    data = context.data
    return [
        score_predictions(data.y[valid], predictions[places], data.spec, data.weights_of(valid))
        for (_, valid), places in zip(data.folds, data.fold_places(), strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What an ensemble is compared with.

    Parameters
    ----------
    scores : ndarray of shape (n_parts,)
        The primary metric of each part of the rows, from what was chosen without it.
    is_single : bool
        Whether it is the choice of a single trial.
    """

    scores: npt.NDArray[np.float64]
    is_single: bool

    @property
    def mean(self) -> float:
        """The mean over the parts; NaN when the metric is defined in none."""
        known = self.scores[np.isfinite(self.scores)]
        return float(known.mean()) if len(known) else math.nan

    def is_matched_by(self, other: Rival, direction: Direction) -> bool:
        """Whether another one is as good; a single trial's lead must be more than chance.

        Notes
        -----
        One standard error of the difference, from the parts: Breiman, Friedman, Olshen, Stone,
        "Classification and Regression Trees" (1984), section 3.4.3.
        """
        sign = 1.0 if direction is Direction.MAXIMIZE else -1.0
        leads = sign * (self.scores - other.scores)
        leads = leads[np.isfinite(leads)]
        if not len(leads):
            return True
        chance = leads.std(ddof=1) / math.sqrt(len(leads)) if len(leads) > 1 else 0.0
        return bool(leads.mean() <= (chance if self.is_single else 0.0))


def as_rival(
    context: RunContext,
    predictions: Vector,
    parts: Sequence[IntArray],
    *,
    is_single: bool = False,
) -> Rival:
    """Return how good predictions are on each part of the validation rows."""
    data = context.data
    places = data.fold_places() if data.n_folds > 1 else parts
    name = data.spec.primary_metric
    scores = []
    for place in places:
        rows = data.valid_rows[place]
        scored = score_predictions(
            data.y[rows], predictions[place], data.spec, data.weights_of(rows)
        )
        scores.append(scored[name])
    return Rival(scores=np.array(scores, dtype=np.float64), is_single=is_single)


def choose_single(
    context: RunContext, choices: Sequence[TrialRecord], parts: Sequence[IntArray]
) -> Rival:
    """Return how good it is to choose a single trial, on rows on which it was not chosen.

    Parameters
    ----------
    context : RunContext
        The run.
    choices : sequence of TrialRecord
        Trials with out-of-fold predictions, the best first.
    parts : sequence of ndarray
        Positions of validation rows that are left out together.
    """
    singles = list(choices[:_MOST_SINGLES])
    rows = np.arange(len(context.data.valid_rows))
    predicted = []
    for part in parts:
        rest = np.setdiff1d(rows, part, assume_unique=True)
        best = _best_on(context, singles, rest[thin_rows(len(rest), _MOST_ROWS)])
        predicted.append(stack_oof([best], part)[0])
    return as_rival(context, join(parts, predicted), parts, is_single=True)


def _best_on(context: RunContext, singles: list[TrialRecord], rows: IntArray) -> TrialRecord:
    data = context.data
    of_table = data.valid_rows[rows]
    score = make_scorer(data.spec, data.y[of_table], data.weights_of(of_table))
    values = [score(one.astype(np.float64)) for one in stack_oof(singles, rows)]
    return singles[int(np.argmax(values))]
