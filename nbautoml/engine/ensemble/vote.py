"""VotingEnsemble: members and weights chosen on out-of-fold predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbautoml.domain.metrics import Direction
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.greedy import ROUNDS, blend, scorings_of_select, select
from nbautoml.engine.metrics import score_primary
from nbautoml.engine.models._base import Vector
from nbautoml.engine.search.book import TrialRecord, stack_oof, thin_rows
from nbautoml.engine.search.budget import Deadline

FEWEST_MEMBERS = 2
# Weights are the mean of what several draws of the rows choose (bagged ensemble selection,
# Caruana et al. 2004, section 2.3): on few rows one choice fits them too well.
_MANY_DRAWS, _FEW_DRAWS = 10, 4
_FEW_ROWS = 2_000
# More rows than this do not change what is chosen.
_MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """An ensemble.

    Parameters
    ----------
    members : tuple of TrialRecord
        Members, the heaviest first.
    weights : tuple of float
        Their weights, in twenty-fifths; they sum to 1.
    predictions : ndarray of shape (n_valid,) or (n_valid, n_classes)
        The members' out-of-fold predictions, mixed by the weights.
    honest : ndarray of the same shape
        The same, each row mixed by weights that were chosen without it; NaN for the few rows
        that every draw contained.
    """

    members: tuple[TrialRecord, ...]
    weights: tuple[float, ...]
    predictions: npt.NDArray[np.float32]
    honest: npt.NDArray[np.float32]


def most_scorings(n_choices: int, n_rows: int) -> int:
    """Return how often `choose_vote` scores a mixture when no deadline cuts it."""
    n_draws = _MANY_DRAWS if n_rows <= _FEW_ROWS else _FEW_DRAWS
    return n_draws * scorings_of_select(n_choices)


def choose_vote(
    context: RunContext, choices: list[TrialRecord], deadline: Deadline | None = None
) -> Vote:
    """Choose members and weights among trials, the best of them first.

    Parameters
    ----------
    context : RunContext
        The run.
    choices : list of TrialRecord
        Trials with out-of-fold predictions, the best first.
    deadline : Deadline, optional
        When it is over, what was chosen until then is the choice.

    Notes
    -----
    The members' predictions are out of fold: no model is scored on rows that it was fitted on.
    The weights are chosen on all validation rows, as the best single trial is, so that the two
    scores compare. How much of the score is luck of that choice shows in ``honest``.
    """
    y, weight = context.data.y_valid, context.data.w_valid
    predictions = stack_oof(choices, np.arange(len(y)))
    weights = np.zeros(len(choices))
    honest = np.zeros(predictions.shape[1:])
    n_honest = np.zeros(len(y))
    for draw in _draws(len(y), context.plan.seed):
        counts = _choose(context, predictions, (y, weight), draw, deadline or Deadline())
        weights += counts / counts.sum()
        is_out = np.ones(len(y), dtype=bool)
        is_out[draw] = False
        honest[is_out] += blend(predictions[:, is_out], counts)
        n_honest += is_out
        if deadline is not None and deadline.is_over():
            break
    shares = round_shares(weights, context.plan.ensemble.max_members)
    order = [int(i) for i in np.argsort(-shares, kind="stable") if shares[i]]
    seen = np.where(n_honest, n_honest, np.nan).reshape(-1, *(1 for _ in honest.shape[1:]))
    return Vote(
        members=tuple(choices[i] for i in order),
        weights=tuple(int(shares[i]) / ROUNDS for i in order),
        predictions=blend(predictions, shares).astype(np.float32),
        honest=(honest / seen).astype(np.float32),
    )


def round_shares(weights: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.int64]:
    """Return weights as twenty-fifths that sum to 25, for the heaviest ones only.

    Examples
    --------
    >>> round_shares(np.array([0.5, 0.3, 0.2]), 2).tolist()
    [16, 9, 0]
    """
    kept = np.zeros(len(weights))
    heaviest = np.argsort(-weights, kind="stable")[:most]
    kept[heaviest] = weights[heaviest]
    exact = kept / kept.sum() * ROUNDS
    shares = np.floor(exact).astype(np.int64)
    rest = np.argsort(shares - exact, kind="stable")[: ROUNDS - int(shares.sum())]
    shares[rest] += 1
    return np.asarray(shares)


def _draws(n_rows: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Return rows drawn with replacement, again and again."""
    rng = np.random.default_rng([seed, n_rows])
    for _ in range(_MANY_DRAWS if n_rows <= _FEW_ROWS else _FEW_DRAWS):
        yield np.sort(rng.integers(n_rows, size=n_rows))


def _choose(
    context: RunContext,
    predictions: npt.NDArray[np.float32],
    labels: tuple[Vector, Vector | None],
    rows: npt.NDArray[np.int64],
    deadline: Deadline,
) -> npt.NDArray[np.int64]:
    """Return how often each model is drawn on some rows; `labels` has their weights with it."""
    rows = rows[thin_rows(len(rows), _MOST_ROWS)]
    y = labels[0][rows]
    weight = None if labels[1] is None else labels[1][rows]
    return select(
        predictions[:, rows],
        y,
        _scorer(context, y, weight),
        max_members=context.plan.ensemble.max_members,
        deadline=deadline,
        weight=weight,
    )


def _scorer(
    context: RunContext, y: Vector, weight: Vector | None
) -> Callable[[npt.NDArray[np.float64]], float]:
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
            sample_weight=weight,
        )
        return -math.inf if math.isnan(value) else sign * value

    return score
