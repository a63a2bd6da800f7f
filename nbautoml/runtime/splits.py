"""Dealing rows, or groups of rows, to the parts of a split: the same every time, by a seed."""

from __future__ import annotations

from typing import Any, TypeAlias  # Any: class codes of any integer type

import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = npt.NDArray[np.int64]
FloatArray: TypeAlias = npt.NDArray[np.float64]
Fold: TypeAlias = tuple[IntArray, IntArray]


def cross_validation_splits(
    n_rows: int,
    n_folds: int,
    *,
    seed: int,
    strata: npt.NDArray[Any] | None = None,
    groups: IntArray | None = None,
) -> list[Fold]:
    """Return the training and validation rows of each fold.

    Parameters
    ----------
    n_rows : int
        How many rows there are.
    n_folds : int
        How many parts they are dealt to; each validates once.
    seed : int
        The same seed gives the same folds.
    strata : ndarray of int, shape (n_rows,), optional
        Class of each row: folds differ by at most one row in each class. A class with a single
        row is only trained on.
    groups : ndarray of int, shape (n_rows,), optional
        Codes of groups, from 0 without gaps; no group is on both sides.

    Examples
    --------
    >>> splits = cross_validation_splits(6, 3, seed=0, strata=np.array([0, 0, 0, 1, 1, 1]))
    >>> [valid.tolist() for _, valid in splits]
    [[2, 5], [0, 4], [1, 3]]
    """
    rng = np.random.default_rng(seed)
    strata = _strata_of(n_rows, strata)
    if groups is None:
        fold_of, _ = deal_rows(strata, n_folds, rng)
    else:
        fold_of = deal_groups(strata, groups, np.full(n_folds, 1 / n_folds), rng)
    return folds_of(fold_of, n_folds)


def random_splits(
    n_rows: int,
    n_splits: int,
    size: float,
    *,
    seed: int,
    strata: npt.NDArray[Any] | None = None,
    groups: IntArray | None = None,
) -> list[Fold]:
    """Return splits that each hold out a random share of the rows.

    Parameters
    ----------
    n_rows : int
        How many rows there are.
    n_splits : int
        How many splits to draw.
    size : float
        Share of the rows that validate, between 0 and 1.
    seed : int
        The same seed gives the same splits.
    strata : ndarray of int, shape (n_rows,), optional
        Class of each row: each class gives its share.
    groups : ndarray of int, shape (n_rows,), optional
        Codes of groups, from 0 without gaps; no group is on both sides.

    Examples
    --------
    >>> [(train.tolist(), valid.tolist()) for train, valid in random_splits(4, 1, 0.25, seed=0)]
    [([0, 1, 2], [3])]
    """
    rng = np.random.default_rng(seed)
    strata = _strata_of(n_rows, strata)
    return [draw_split(strata, size, rng, groups)[0] for _ in range(n_splits)]


def calibration_splits(y: npt.NDArray[Any], n_splits: int, *, seed: int) -> list[Fold]:
    """Return pairs of the rows to fit a classifier on and those to calibrate it on.

    Each class is spread over the pairs. Rows of a class with fewer than `n_splits` of them are
    fitted on and calibrated on in every pair, so that no class is ever unknown.

    Examples
    --------
    >>> [(len(fitted), len(left_out)) for fitted, left_out in calibration_splits(
    ...     np.array([0, 0, 0, 0, 1]), 2, seed=0)]
    [(3, 3), (3, 3)]
    """
    order = np.random.default_rng(seed).permutation(len(y))
    part = np.empty(len(y), dtype=np.intp)
    for code in np.unique(y):
        rows = order[y[order] == code]
        part[rows] = np.arange(len(rows)) % n_splits if len(rows) >= n_splits else -1
    is_rare = part < 0
    return [
        (np.flatnonzero(part != i), np.flatnonzero((part == i) | is_rare)) for i in range(n_splits)
    ]


def folds_of(fold_of: IntArray, n_folds: int) -> list[Fold]:
    """Return the other rows and the rows of each fold, from the fold of each row."""
    places = np.arange(len(fold_of))
    return [(places[fold_of != fold], places[fold_of == fold]) for fold in range(n_folds)]


def draw_split(
    strata: IntArray, size: float, rng: np.random.Generator, groups: IntArray | None = None
) -> tuple[Fold, int]:
    """Return one random split, and how many classes have a row that is only trained on."""
    if groups is None:
        return draw_rows(strata, size, rng)
    part = deal_groups(strata, groups, np.array([1.0 - size, size]), rng, is_random=True)
    return (np.flatnonzero(part == 0), np.flatnonzero(part == 1)), 0


def _strata_of(n_rows: int, strata: npt.NDArray[Any] | None) -> IntArray:
    return np.zeros(n_rows, dtype=np.int64) if strata is None else np.asarray(strata)


def deal_rows(strata: IntArray, n_folds: int, rng: np.random.Generator) -> tuple[IntArray, int]:
    """Return each row's fold, -1 for rows that are only trained on, and their number.

    The rows of each class are shuffled and dealt out in turn, going on where the class
    before ended, so that folds differ by at most one row in size and in each class.

    Raises
    ------
    ValueError
        When there are fewer rows to deal than folds.
    """
    fold_of = np.full(len(strata), -1, dtype=np.int64)
    n_dealt, n_single = 0, 0
    for rows in rows_by_class(strata):
        if len(rows) == 1:
            n_single += 1
            continue
        fold_of[rng.permutation(rows)] = (n_dealt + np.arange(len(rows))) % n_folds
        n_dealt += len(rows)
    if n_dealt < n_folds:
        raise ValueError(
            f"Only {n_dealt} rows belong to a class with more than one row; that is too few for "
            f"{n_folds} folds."
        )
    return fold_of, n_single


def draw_rows(strata: IntArray, size: float, rng: np.random.Generator) -> tuple[Fold, int]:
    """Return one random split and the number of rows that can only be trained on.

    Each class gives its share; what rounding leaves over goes to the classes with the
    largest remainders. At least one row of each class stays in the training part.
    """
    groups = rows_by_class(strata)
    sizes = np.array([len(rows) for rows in groups])
    n_valid = min(max(1, round(size * len(strata))), int((sizes - 1).sum()))
    exact = sizes * n_valid / len(strata)
    quota = np.minimum(np.floor(exact).astype(np.int64), sizes - 1)
    order = np.argsort(-(exact - quota) + 1e-9 * rng.random(len(sizes)), kind="stable")
    while quota.sum() < n_valid:
        for place in order:
            if quota.sum() < n_valid and quota[place] < sizes[place] - 1:
                quota[place] += 1
    is_valid = np.zeros(len(strata), dtype=bool)
    for rows, n_rows in zip(groups, quota, strict=True):
        is_valid[rng.permutation(rows)[:n_rows]] = True
    return (np.flatnonzero(~is_valid), np.flatnonzero(is_valid)), int((sizes == 1).sum())


def deal_groups(
    strata: IntArray,
    groups: IntArray,
    shares: FloatArray,
    rng: np.random.Generator,
    *,
    is_random: bool = False,
) -> IntArray:
    """Return each row's part; the rows of a group are in one part.

    Groups are dealt one by one to the part in which they leave classes and sizes nearest to
    the shares.

    Parameters
    ----------
    strata : ndarray of int, shape (n_rows,)
        Classes, or zeros.
    groups : ndarray of int, shape (n_rows,)
        Codes of the groups, from 0 without gaps; at least as many as there are parts.
    shares : ndarray of shape (n_parts,)
        Size of each part; they sum to 1.
    rng : Generator
        Decides between equals.
    is_random : bool, default False
        Whether the order is random, so that another draw gives another split; else large
        groups come first, which comes closer to the shares.

    Returns
    -------
    ndarray of int, shape (n_rows,)
    """
    counts = _count_classes(strata, groups)
    scaled = counts / counts.sum(axis=0)
    order = rng.permutation(len(counts))
    if not is_random:
        order = order[np.argsort(-counts[order, -1], kind="stable")]
    sums = np.zeros((len(shares), counts.shape[1]))
    part_of = np.empty(len(counts), dtype=np.int64)
    for group in order:
        row = scaled[group]
        # The growth of sum((size of a part / its share) ** 2 * share), over classes and rows.
        growth = (2.0 * sums @ row + row @ row) / shares
        part_of[group] = growth.argmin()
        sums[part_of[group]] += row
    return np.asarray(_without_empty(part_of, counts[:, -1], len(shares))[groups])


def _count_classes(strata: IntArray, groups: IntArray) -> FloatArray:
    """Return how many rows of each class each group has; the last column counts all its rows."""
    classes, codes = np.unique(strata, return_inverse=True)
    n_groups, n_classes = int(groups.max()) + 1, len(classes)
    cells = np.bincount(groups * n_classes + codes, minlength=n_groups * n_classes)
    counts = cells.reshape(n_groups, n_classes).astype(np.float64)
    return np.column_stack([counts, counts.sum(axis=1)])


def _without_empty(part_of: IntArray, sizes: FloatArray, n_parts: int) -> IntArray:
    """Return parts of which none is empty: each empty one gets a small group of the fullest."""
    part_of = part_of.copy()
    for part in range(n_parts):
        if not (part_of == part).any():
            fullest = np.bincount(part_of, minlength=n_parts).argmax()
            members = np.flatnonzero(part_of == fullest)
            part_of[members[sizes[members].argmin()]] = part
    return part_of


def rows_by_class(strata: IntArray) -> list[IntArray]:
    """Return the rows of each class, in the order of the classes."""
    order = np.argsort(strata, kind="stable")
    starts = np.flatnonzero(np.diff(strata[order])) + 1
    return list(np.split(order, starts))
