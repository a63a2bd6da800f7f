"""How much worse a model scores when a column tells it nothing: permutation importance.

The column's cells are put in a random order, which leaves the column as it is but takes away
what it says of each row. The loss of score is its importance: Breiman, "Random forests", 2001,
section 10; for any model and any metric, Fisher, Rudin and Dominici, "All models are wrong, but
many are useful", 2019. Rows are those that the models were not fitted on, where a run still has
such models: on rows that a model knows by heart, columns that it only memorised look important.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbautoml.engine.explain.mixing import Ground
from nbautoml.engine.search.budget import Deadline

FloatArray = npt.NDArray[np.float64]
Score = Callable[[npt.NDArray[np.generic], FloatArray, FloatArray | None], float]
"""Labels, answers and weights of rows to a number of which more is better; NaN for none."""

REPEATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRows:
    """Rows with a model that is asked about them, and their labels.

    Parameters
    ----------
    ground : Ground
        Rows and model.
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    weight : ndarray of float, shape (n_rows,), or None
        How much each row counts; None when all count the same.
    """

    ground: Ground
    y: npt.NDArray[np.generic]
    weight: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permuted:
    """What permuting columns did.

    Parameters
    ----------
    names : tuple of str
        The columns.
    means : ndarray of float, shape (n_columns,)
        Mean loss of score; NaN for columns that were not reached in time.
    deviations : ndarray of float, shape (n_columns,)
        Standard deviation over the repeats; 0 after a single one.
    repeats : ndarray of int, shape (n_columns,)
        How often each column was permuted.
    score : float
        The score as it is, more being better.
    n_rows : int
        How many rows were scored.
    """

    names: tuple[str, ...]
    means: FloatArray
    deviations: FloatArray
    repeats: npt.NDArray[np.int64]
    score: float
    n_rows: int

    @property
    def is_whole(self) -> bool:
        """Whether every column was permuted at least once."""
        return bool((self.repeats > 0).all())


def permute_columns(
    parts: Sequence[ScoredRows],
    score: Score,
    *,
    seed: int,
    deadline: Deadline,
    repeats: int = REPEATS,
    report: Callable[[int, int], None] | None = None,
) -> Permuted:
    """Return the permutation importance of all columns.

    The first round goes through the columns as they stand, the next ones begin with those that
    mattered most: when time ends, it is the least important columns that were permuted seldom.

    Parameters
    ----------
    parts : sequence of ScoredRows
        Rows of the folds, each with the model that was not fitted on them; the same columns in
        all. The score is the mean over the parts, as a trial's is over its folds.
    score : callable
        See `Score`.
    seed : int
        Seed of the permutations: those of a column do not depend on the order of the columns.
    deadline : Deadline
        When to stop, with what there is.
    repeats : int, default 5
        How often each column is permuted.
    report : callable, optional
        Told how many columns of how many the first round has done.
    """
    names = parts[0].ground.names
    base = _mean_score(parts, score, None, (seed, 0))
    losses: list[list[float]] = [[] for _ in names]
    order = list(range(len(names)))
    for round_number in range(repeats):
        for done, column in enumerate(order):
            if deadline.is_over():
                return _permuted(parts, names, losses, base)
            losses[column].append(base - _mean_score(parts, score, column, (seed, round_number)))
            if report is not None and not round_number:
                report(done + 1, len(order))
        order.sort(key=lambda j: (-np.nan_to_num(np.mean(losses[j]), nan=-np.inf), j))
    return _permuted(parts, names, losses, base)


def _mean_score(
    parts: Sequence[ScoredRows], score: Score, column: int | None, seeds: tuple[int, int]
) -> float:
    """Return the mean score over the parts that have one, with one column permuted."""
    found = []
    for number, part in enumerate(parts):
        rows = np.arange(part.ground.n_rows)
        changes = {}
        if column is not None:
            rng = np.random.default_rng([*seeds, number, column])
            changes = {column: rng.permutation(len(rows))}
        found.append(score(part.y, part.ground.answers(rows, changes), part.weight))
    known = [value for value in found if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _permuted(
    parts: Sequence[ScoredRows],
    names: tuple[str, ...],
    losses: Sequence[Sequence[float]],
    base: float,
) -> Permuted:
    return Permuted(
        names=names,
        means=np.array([np.mean(one) if one else np.nan for one in losses], dtype=np.float64),
        deviations=np.array([np.std(one) if one else 0.0 for one in losses], dtype=np.float64),
        repeats=np.array([len(one) for one in losses], dtype=np.int64),
        score=base,
        n_rows=sum(part.ground.n_rows for part in parts),
    )
