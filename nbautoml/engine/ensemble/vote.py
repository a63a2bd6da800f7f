"""VotingEnsemble: members and weights chosen on out-of-fold predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any  # Any: numbers of any kind

import numpy as np
import numpy.typing as npt

from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.greedy import ROUNDS, scorings_of_select, select
from nbautoml.engine.ensemble.nested import IntArray, join, parts_of
from nbautoml.engine.ensemble.sharpen import best_power, raised
from nbautoml.engine.models._base import Vector
from nbautoml.engine.search.book import TrialRecord, stack_oof, thin_rows
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.trial_data import DataSpec
from nbautoml.runtime.voting import log_shares, share_out

LOG_LOSS = "log_loss"
FloatArray = npt.NDArray[np.float64]
FEWEST_MEMBERS = 2
_FEW_ROWS = 2_000
# More rows than this do not change what is chosen in a draw.
_MOST_ROWS = 5_000
MOST_BYTES = 120_000_000
"""An ensemble's models, as they are stored, take at most this much together: it is loaded by each
process that serves it, and several times over where it is written and checked."""
# Rows that draws are made of; with many classes fewer, so that they fit into memory.
_POOL_ROWS, _POOL_CELLS = 10_000, 400_000
# A power is one number, for which so many rows and classes of them are enough.
_FEWEST_POWER_ROWS, _POWER_CELLS = 500, 40_000
_DIGITS = 4
# What is added up of a row's loss is that of this probability at least.
_LEAST = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How many draws of the rows the weights are the mean of.

    Bagged ensemble selection (Caruana et al. 2004, section 2.3): on few rows one choice fits
    them too well. `nested` counts for the choices that are only made to score the ensemble.
    """

    shipped: int
    nested: int


_MANY_DRAWS = Draws(shipped=10, nested=5)
_FEW_DRAWS = Draws(shipped=4, nested=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """What members and weights are chosen on.

    Parameters
    ----------
    predictions : ndarray of shape (n_models, n_rows) or (n_models, n_rows, n_classes)
        Out-of-fold predictions; those of the best model first.
    y : ndarray of shape (n_rows,)
        Numbers, or class codes.
    weight : ndarray of shape (n_rows,) or None
        How much each row counts.
    spec : DataSpec
        The primary metric, and what it needs.
    sizes : tuple of int
        Bytes of each model as it is stored, 0 where they are not known; empty for no limit.
    """

    predictions: npt.NDArray[np.float32]
    y: Vector
    weight: Vector | None
    spec: DataSpec
    sizes: tuple[int, ...] = ()

    def weight_of(self, rows: IntArray) -> FloatArray | None:
        """Return how much some rows count; None where all count the same, or none does."""
        weight = None if self.weight is None else self.weight[rows]
        return weight if weight is not None and weight.any() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """To which powers a product of probabilities takes those of each choice.

    Parameters
    ----------
    shipped : ndarray of shape (n_choices,)
        Chosen on all rows.
    nested : tuple of ndarray
        For each part, chosen on the other rows.
    """

    shipped: FloatArray
    nested: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """An ensemble.

    Parameters
    ----------
    choices : tuple of TrialRecord
        What was chosen among.
    shares : ndarray of int, shape (n_choices,)
        The weights, in twenty-fifths; they sum to 25.
    parts : tuple of ndarray
        Positions of validation rows that were left out together.
    nested_shares : tuple of ndarray
        For each part, the weights that were chosen on the other rows.
    predictions : ndarray of shape (n_valid,) or (n_valid, n_classes)
        What the answer's weights of a part predict for it.
    powers : Powers or None
        What takes the place of the shares where probabilities are joined by their product.
    """

    choices: tuple[TrialRecord, ...]
    shares: IntArray
    parts: tuple[IntArray, ...]
    nested_shares: tuple[IntArray, ...]
    predictions: npt.NDArray[np.float32]
    powers: Powers | None = None

    @property
    def is_geometric(self) -> bool:
        """Whether probabilities are joined by their geometric mean."""
        return self.powers is not None

    @property
    def members(self) -> tuple[TrialRecord, ...]:
        """Trials with a weight, the heaviest first."""
        return tuple(self.choices[i] for i in heaviest(self._all_weights))

    @property
    def weights(self) -> tuple[float, ...]:
        """The members' weights; they sum to 1 but for a geometric mean."""
        return tuple(float(self._all_weights[i]) for i in heaviest(self._all_weights))

    @property
    def nested_weights(self) -> tuple[FloatArray, ...]:
        """For each part, the weights that were chosen on the other rows."""
        if self.powers is not None:
            return self.powers.nested
        return tuple(shares / ROUNDS for shares in self.nested_shares)

    @property
    def _all_weights(self) -> FloatArray:
        return self.shares / ROUNDS if self.powers is None else self.powers.shipped


def heaviest(shares: npt.NDArray[Any]) -> list[int]:
    """Return the places of all that have a share, the largest first.

    Examples
    --------
    >>> heaviest(np.array([5, 0, 20]))
    [2, 0]
    """
    return [int(i) for i in np.argsort(-shares, kind="stable") if shares[i]]


def most_scorings(n_choices: int, n_rows: int, n_classes: int = 0) -> int:
    """Return how often `choose_vote` scores a mixture when no deadline cuts it."""
    draws = _draws(n_rows)
    n_selections = draws.shipped + 5 * draws.nested
    if n_classes > 2:
        n_selections *= 2  # for the plain mean, and for the geometric one
    n_cells = min(n_rows, _MOST_ROWS) * max(n_classes, 1)
    return n_selections * scorings_of_select(n_choices, n_cells)


def _draws(n_rows: int) -> Draws:
    return _MANY_DRAWS if n_rows <= _FEW_ROWS else _FEW_DRAWS


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
    The weights that are shipped are chosen on all validation rows; the predictions, and so score
    and charts, come from weights that were chosen without the row.

    Where log loss is to be small and there are more than two classes, probabilities are joined
    by a product of powers (a geometric mean whose members are made more or less certain first),
    unless the plain mean is clearly better out of fold.
    """
    data, plan = context.data, context.plan
    n_rows = len(data.valid_rows)
    most = min(_POOL_ROWS, max(_POOL_CELLS // max(data.spec.n_classes, 1), _FEW_ROWS))
    kept = thin_rows(n_rows, most)
    pool = Pool(
        predictions=stack_oof(choices, kept),
        y=data.y_valid[kept],
        weight=data.weights_of(data.valid_rows[kept]),
        spec=data.spec,
        sizes=tuple(choice.model_bytes for choice in choices),
    )
    chooser = _Chooser(
        pool, plan.ensemble.max_members, seed=plan.seed, deadline=deadline or Deadline()
    )
    draws = _draws(n_rows)
    everything = np.arange(len(kept))
    parts = parts_of(data, plan.seed)
    rests = [np.flatnonzero(~np.isin(kept, part, assume_unique=True)) for part in parts]
    nested = tuple(chooser.choose(rest, draws.nested) for rest in rests)
    vote = Vote(
        choices=tuple(choices),
        shares=chooser.choose(everything, draws.shipped),
        parts=parts,
        nested_shares=nested,
        predictions=join(parts, _predict(choices, parts, [one / ROUNDS for one in nested])),
    )
    if data.spec.primary_metric != LOG_LOSS or data.spec.n_classes <= 2:
        return vote
    powers = Powers(
        shipped=chooser.choose_powers(everything, draws.shipped),
        nested=tuple(chooser.choose_powers(rest, draws.nested) for rest in rests),
    )
    pooled = join(parts, _predict(choices, parts, powers.nested, is_geometric=True))
    weight = data.weights_of(data.valid_rows)
    if _is_clearly_better(vote.predictions, pooled, data.y_valid, weight):
        return vote
    return replace(vote, powers=powers, predictions=pooled)


def _is_clearly_better(
    plain: npt.NDArray[np.float32],
    pooled: npt.NDArray[np.float32],
    y: Vector,
    weight: FloatArray | None,
) -> bool:
    """Whether the plain mean's log loss is smaller by more than one standard error.

    Out of fold it is flattered: a row is predicted by one fold's model of each member, and by the
    mean of all of them later, which makes it more cautious.
    """
    picked = np.arange(len(y)), y.astype(np.int64)
    losses = (-np.log(np.maximum(p[picked].astype(np.float64), _LEAST)) for p in (plain, pooled))
    plain_losses, pooled_losses = losses
    leads = pooled_losses - plain_losses
    lead = np.average(leads, weights=weight)
    error = math.sqrt(np.average((leads - lead) ** 2, weights=weight) / len(leads))
    return bool(lead > error)


def _predict(
    choices: Sequence[TrialRecord],
    parts: Sequence[IntArray],
    weights: Sequence[FloatArray],
    *,
    is_geometric: bool = False,
) -> list[npt.NDArray[np.float32]]:
    """Return each part's rows as mixed by its weights; one model's file is open at a time."""
    mixed: list[npt.NDArray[np.float32]] = []
    for i, choice in enumerate(choices):
        if choice.oof is None or not any(one[i] for one in weights):
            continue
        saved = np.load(choice.oof, mmap_mode="r")
        if not mixed:
            mixed = [np.zeros((len(p), *saved.shape[1:]), dtype=np.float32) for p in parts]
        for place, (part, one) in enumerate(zip(parts, weights, strict=True)):
            if one[i]:
                answers = log_shares(saved[part]) if is_geometric else saved[part]
                mixed[place] += answers * np.float32(one[i])
    return [share_out(logs) for logs in mixed] if is_geometric else mixed


class _Chooser:
    """Chooses shares of models on some rows of a pool."""

    def __init__(self, pool: Pool, max_members: int, *, seed: int, deadline: Deadline) -> None:
        self._pool = pool
        self._max_members = max_members
        self._seed = seed
        self._deadline = deadline
        self._powers = [1.0] * len(pool.predictions)  # those that were found last

    def choose(self, rows: IntArray, n_draws: int) -> IntArray:
        """Return each model's share in twenty-fifths, the mean of what some draws choose."""
        return self._choose(self._pool, rows, n_draws)

    def choose_powers(self, rows: IntArray, n_draws: int) -> FloatArray:
        """Return each model's power in a product of probabilities.

        Each is first taken to the power that serves it best alone; shares are chosen then.
        """
        pool = self._pool
        most = max(_FEWEST_POWER_ROWS, _POWER_CELLS // max(pool.spec.n_classes, 1))
        some = rows[thin_rows(len(rows), most)]
        weight = pool.weight_of(some)
        powers = []
        for one, before in zip(pool.predictions, self._powers, strict=True):
            is_late = self._deadline.is_over()
            found = 1.0 if is_late else best_power(one[some], pool.y[some], weight, before)
            powers.append(found)
        self._powers = powers
        fair = [raised(one, power) for one, power in zip(pool.predictions, powers, strict=True)]
        shares = self._choose(replace(pool, predictions=np.stack(fair)), rows, n_draws)
        return np.round(shares / ROUNDS * powers, _DIGITS)

    def _choose(self, pool: Pool, rows: IntArray, n_draws: int) -> IntArray:
        rng = np.random.default_rng([self._seed, len(rows)])
        weights = np.zeros(len(pool.predictions))
        for _ in range(n_draws):
            counts = self._select(pool, np.sort(rng.choice(rows, size=len(rows))))
            weights += counts / counts.sum()
            if self._deadline.is_over():
                break
        sizes = pool.sizes
        return round_shares(within_size(weights, sizes) if sizes else weights, self._max_members)

    def _select(self, pool: Pool, rows: IntArray) -> IntArray:
        rows = rows[thin_rows(len(rows), _MOST_ROWS)]
        weight = pool.weight_of(rows)
        return select(
            pool.predictions[:, rows],
            pool.y[rows],
            make_scorer(pool.spec, pool.y[rows], weight),
            max_members=self._max_members,
            deadline=self._deadline,
            weight=weight,
        )


def choose_shares(
    pool: Pool, rows: IntArray, *, max_members: int, seed: int, deadline: Deadline | None = None
) -> IntArray:
    """Return each model's share in a vote, in twenty-fifths.

    Parameters
    ----------
    pool : Pool
        What is chosen among, and on.
    rows : ndarray of int
        Positions of the rows of the pool that may be looked at.
    max_members : int
        Most models with a share.
    seed : int
        Seed of the draws.
    deadline : Deadline, optional
        When it is over, what was chosen until then is the choice.
    """
    chooser = _Chooser(pool, max_members, seed=seed, deadline=deadline or Deadline())
    return chooser.choose(rows, _draws(len(rows)).shipped)


def within_size(
    weights: npt.NDArray[np.float64], sizes: Sequence[int], most: int = MOST_BYTES
) -> npt.NDArray[np.float64]:
    """Return weights without those models that would make an ensemble too large.

    The heaviest are taken first; the first one of all is always taken.

    Examples
    --------
    >>> within_size(np.array([3.0, 9.0, 2.0]), [40, 70, 20], most=100).tolist()
    [0.0, 9.0, 2.0]
    """
    kept = np.zeros(len(weights))
    total = 0
    for i in np.argsort(-weights, kind="stable"):
        if weights[i] > 0 and (total + sizes[i] <= most or not kept.any()):
            kept[i] = weights[i]
            total += sizes[i]
    return kept


def round_shares(weights: npt.NDArray[np.float64], most: int) -> IntArray:
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


def make_scorer(
    spec: DataSpec, y: Vector, weight: Vector | None
) -> Callable[[npt.NDArray[np.float64]], float]:
    """Return the primary metric on some rows, greater for better; the least where undefined."""

    def score(predictions: npt.NDArray[np.float64]) -> float:
        gain = spec.gain(y, predictions, weight)
        return -math.inf if math.isnan(gain) else gain

    return score
