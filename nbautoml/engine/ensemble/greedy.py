"""Greedy selection of ensemble members on out-of-fold predictions.

Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble selection from libraries of models", ICML
2004: start from nothing, add again and again the model that helps the mean most, with
replacement; here the sequence is cut where it was best.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias  # Any: floats of any width

import numpy as np
import numpy.typing as npt

from nbautoml.engine.search.budget import Deadline

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
Score: TypeAlias = Callable[[npt.NDArray[np.float64]], float]

ROUNDS = 25
"""More rounds bring no measurable gain (Salinas and Erickson, TabRepo, 2023)."""

# Probabilities below this count as this, so that one sure mistake does not decide alone.
_SMALLEST = 1e-6
# Differences of a score below this are rounding, and the loss decides.
_TIE = 1e-9
# In a round this many models, those of least loss, are scored; where there are many rows or
# classes fewer, because a score costs more and the loss then orders the models well.
_MOST_TRIED = 12
_WORK = 20_000
# In the first round the models with the best scores of their own are scored too.
_FIRST_TRIED = 12
# So many draws without gain end a selection.
_PATIENCE = 8


def relevant_part(predictions: FloatArray, y: npt.NDArray[Any]) -> FloatArray:
    """Return what the loss looks at: the probability of the true class, or the number itself.

    Parameters
    ----------
    predictions : ndarray of shape (n_models, n_rows) or (n_models, n_rows, n_classes)
        Numbers, or probabilities.
    y : ndarray of shape (n_rows,)
        Numbers, or class codes.

    Returns
    -------
    ndarray of shape (n_models, n_rows)
    """
    if predictions.ndim == 3:
        rows = np.arange(len(y))
        # Logarithms of short floats are several times faster, and as good to choose by.
        return np.asarray(predictions[:, rows, y.astype(np.int64)], dtype=np.float32)
    return np.asarray(predictions, dtype=np.float64)


def select_by_loss(
    relevant: FloatArray,
    y: npt.NDArray[Any],
    *,
    is_proba: bool,
    rounds: int = ROUNDS,
    weight: FloatArray | None = None,
) -> tuple[npt.NDArray[np.int64], float]:
    """Return how often each model is drawn when only the loss counts, and that loss; fast.

    Parameters
    ----------
    relevant : ndarray of shape (n_models, n_rows)
        What `relevant_part` returns.
    y : ndarray of shape (n_rows,)
        Numbers, or class codes.
    is_proba : bool
        Whether the loss is the log loss; else it is the mean squared error.
    rounds : int, default 25
        Draws.
    weight : ndarray of float, shape (n_rows,), optional
        How much each row counts.

    Returns
    -------
    counts : ndarray of int, shape (n_models,)
    loss : float
    """
    total = np.zeros(relevant.shape[1], dtype=relevant.dtype)
    picks: list[int] = []
    best_loss, best_length = np.inf, 0
    for done in range(rounds):
        losses = _losses((total + relevant) / (done + 1), y, is_proba, weight)
        picks.append(int(np.argmin(losses)))
        total = total + relevant[picks[-1]]
        if losses[picks[-1]] < best_loss:
            best_loss, best_length = float(losses[picks[-1]]), done + 1
    return np.bincount(picks[:best_length], minlength=len(relevant)), best_loss


def select(
    predictions: FloatArray,
    y: npt.NDArray[Any],
    score: Score,
    *,
    rounds: int = ROUNDS,
    max_members: int = 15,
    deadline: Deadline | None = None,
    weight: FloatArray | None = None,
) -> npt.NDArray[np.int64]:
    """Return how often each model is drawn; the ensemble is their mean by these counts.

    Parameters
    ----------
    predictions : ndarray of shape (n_models, n_rows) or (n_models, n_rows, n_classes)
        Out-of-fold predictions: numbers, or probabilities; those of the best model first.
    y : ndarray of shape (n_rows,)
        Numbers, or class codes.
    score : callable
        Takes the ensemble's predictions, returns its score; greater is better. Ties are
        broken by the loss, then by the model that was drawn before.
    rounds : int, default 25
        Draws.
    max_members : int, default 15
        Most different models.
    deadline : Deadline, optional
        When it is over, the draws so far are all; the first one is always made.
    weight : ndarray of float, shape (n_rows,), optional
        How much each row counts in the loss; `score` weighs rows by itself.

    Returns
    -------
    ndarray of int, shape (n_models,)

    Examples
    --------
    >>> low, high, off = [1.0, 3.0], [3.0, 5.0], [9.0, 0.0]
    >>> y = np.array([2.0, 4.0])
    >>> select(np.array([low, high, off]), y, lambda p: -float(np.abs(p - y).mean())).tolist()
    [1, 1, 0]
    """
    relevant = relevant_part(predictions, y)
    is_proba = predictions.ndim == 3
    total = np.zeros(predictions.shape[1:])
    total_relevant = np.zeros(relevant.shape[1], dtype=relevant.dtype)
    counts = np.zeros(len(predictions), dtype=np.int64)
    best, best_value = counts, (-np.inf, -np.inf)
    most_tried = _most_tried(total.size)
    for done in range(rounds):
        losses = _losses((total_relevant + relevant) / (done + 1), y, is_proba, weight)
        tried = _worth_trying(losses, counts, max_members, most_tried)
        values = [(score((total + predictions[i]) / (done + 1)), -float(losses[i])) for i in tried]
        place = _best_place(values, counts[tried])
        counts = counts.copy()
        counts[tried[place]] += 1
        total = total + predictions[tried[place]]
        total_relevant = total_relevant + relevant[tried[place]]
        if _is_better(values[place], best_value):
            best, best_value = counts, values[place]
        is_late = deadline is not None and deadline.is_over()
        if is_late or counts.sum() - best.sum() >= _PATIENCE:
            break
    return best


def scorings_of_select(n_models: int, n_cells: int = 0, rounds: int = ROUNDS) -> int:
    """Return how often `select` calls its score at most.

    Parameters
    ----------
    n_models : int
        Models to choose from.
    n_cells : int, default 0
        Rows, or rows times classes.
    rounds : int, default 25
        Draws.

    Examples
    --------
    >>> scorings_of_select(2, rounds=3)
    6
    """
    first = min(n_models, _FIRST_TRIED + _MOST_TRIED)
    return first + (rounds - 1) * min(n_models, _most_tried(n_cells))


def _most_tried(n_cells: int) -> int:
    return min(_MOST_TRIED, max(1, _WORK // max(n_cells, 1)))


def _worth_trying(
    losses: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    max_members: int,
    most_tried: int,
) -> npt.NDArray[np.int64]:
    """Return the models to score in a round."""
    order = np.argsort(losses, kind="stable")
    if not counts.any():
        return np.union1d(order[:_MOST_TRIED], np.arange(min(_FIRST_TRIED, len(counts))))
    if np.count_nonzero(counts) >= max_members:
        order = order[counts[order] > 0]
    return np.sort(order[:most_tried])


def blend(predictions: FloatArray, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the mean of the models' predictions, weighted by counts."""
    used = np.flatnonzero(counts)
    mean = np.average(predictions[used], axis=0, weights=counts[used])
    return np.asarray(mean, dtype=np.float64)


def _best_place(values: list[tuple[float, float]], counts: npt.NDArray[np.int64]) -> int:
    """Return the index of the best value; among equals one that is a member already."""
    place = 0
    for i in range(1, len(values)):
        is_ahead = _is_better(values[i], values[place])
        is_tied = not is_ahead and not _is_better(values[place], values[i])
        if is_ahead or (is_tied and counts[i] > counts[place]):
            place = i
    return place


def _is_better(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether a (score, -loss) beats another."""
    if abs(a[0] - b[0]) > _TIE:
        return a[0] > b[0]
    return a[1] > b[1] + _TIE


def _losses(
    relevant: FloatArray, y: npt.NDArray[Any], is_proba: bool, weight: FloatArray | None
) -> npt.NDArray[np.float64]:
    of_rows = -np.log(np.maximum(relevant, _SMALLEST)) if is_proba else (relevant - y) ** 2
    if weight is None:
        return np.asarray(of_rows.mean(axis=1, dtype=np.float64))
    return np.asarray(of_rows @ (weight / weight.sum()), dtype=np.float64)
