"""From the scale on which a model is a sum to the scale on which it answers.

A boosted classifier adds up margins (log odds) and answers with probabilities. Contributions to
the margin are carried over along the straight line from the base to the row: a column gets its
share of the margin's way, times the mean slope of the answer on that way. That is the
Aumann-Shapley value of the answer as a function of the margins (Aumann and Shapley, "Values of
non-atomic games", 1974; along a straight line: Sundararajan, Taly and Yan, "Axiomatic
attribution for deep networks", 2017), and with one margin the rescale rule by which Chen,
Lundberg and Lee, "Explaining a series of models by propagating Shapley values", 2022, pass
Shapley values through a series of models. What is carried sums to the answer less the base's.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

FloatArray = npt.NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
"""Of the mean slope of several margins; what is missing of the sum is shared out."""
_FLAT = 1e-6
"""Below this length of the way the slope is taken at its middle: the quotient loses its digits."""


class Link(StrEnum):
    """How margins become answers."""

    IDENTITY = "identity"
    LOGISTIC = "logistic"  # one margin; probabilities of two classes
    SOFTMAX = "softmax"  # a margin a class
    EXPM1 = "expm1"  # numbers learned as log(1 + y)


def answer_of(margins: FloatArray, link: Link) -> FloatArray:
    """Return answers from margins.

    Parameters
    ----------
    margins : ndarray of shape (n_rows, n_margins)
        Sums.
    link : Link
        How they become answers.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)

    Examples
    --------
    >>> answer_of(np.array([[0.0]]), Link.LOGISTIC).tolist()
    [[0.5, 0.5]]
    """
    if link is Link.LOGISTIC:
        second = expit(margins)
        return np.concatenate([1.0 - second, second], axis=1)
    if link is Link.SOFTMAX:
        return np.asarray(softmax(margins, axis=1))
    return np.expm1(margins) if link is Link.EXPM1 else margins


def carry(values: FloatArray, base: FloatArray, link: Link) -> tuple[FloatArray, FloatArray]:
    """Return contributions to the answers, from contributions to the margins.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features, n_margins)
        Contributions; with `base` they sum to the margins.
    base : ndarray of shape (n_margins,)
        What the margins are before any column is looked at.
    link : Link
        How margins become answers.

    Returns
    -------
    values : ndarray of shape (n_rows, n_features, n_outputs)
    base : ndarray of shape (n_outputs,)
        With the values they sum to the answers.

    Examples
    --------
    >>> values, base = carry(np.array([[[1.0], [1.0]]]), np.array([0.0]), Link.LOGISTIC)
    >>> base.tolist(), values[0, :, 1].round(4).tolist()
    ([0.5, 0.5], [0.1904, 0.1904])
    """
    base_answer = answer_of(base[np.newaxis], link)
    if link is Link.IDENTITY:
        return values, base_answer[0]
    way = values.sum(axis=1)
    answer = answer_of(base + way, link)
    if link is Link.SOFTMAX:
        slopes = _softmax_slopes(base, way)
        carried = np.einsum("rfm,rkm->rfk", values, slopes)
        return _made_whole(carried, answer - base_answer), base_answer[0]
    slopes = _mean_slope(base, way, answer - base_answer, link)
    return values * slopes[:, np.newaxis, :], base_answer[0]


def _mean_slope(base: FloatArray, way: FloatArray, risen: FloatArray, link: Link) -> FloatArray:
    """Return the mean slope of answers of one margin, shape (n_rows, n_outputs)."""
    is_flat = np.abs(way) < _FLAT
    quotient = risen / np.where(is_flat, 1.0, way)
    middle = base + way / 2
    if link is Link.LOGISTIC:
        second = expit(middle)
        slope = second * (1.0 - second)
        return np.where(is_flat, np.concatenate([-slope, slope], axis=1), quotient)
    return np.where(is_flat, np.exp(middle), quotient)


def _softmax_slopes(base: FloatArray, way: FloatArray) -> FloatArray:
    """Return mean slopes of each class by each margin, shape (n_rows, n_classes, n_classes)."""
    n_rows, n_classes = way.shape
    slopes = np.zeros((n_rows, n_classes, n_classes))
    own = np.arange(n_classes)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        proba = softmax(base + (node + 1) / 2 * way, axis=1)
        slopes -= weight / 2 * proba[:, :, np.newaxis] * proba[:, np.newaxis, :]
        slopes[:, own, own] += weight / 2 * proba
    return slopes


def _made_whole(carried: FloatArray, risen: FloatArray) -> FloatArray:
    """Share out what numeric integration left of the sum, by the size of the contributions."""
    left = risen - carried.sum(axis=1)
    sizes = np.abs(carried)
    total = sizes.sum(axis=1)
    shares = np.divide(
        sizes, total[:, np.newaxis], out=np.zeros_like(sizes), where=total[:, np.newaxis] > 0
    )
    return np.asarray(carried + shares * left[:, np.newaxis])
