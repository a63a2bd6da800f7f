"""Rows that are set aside for a test of the best model, before anything looks at the data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.tasks import Task
from nbautoml.engine.validation.plan import Fold
from nbautoml.errors import DatasetError
from nbautoml.runtime import parsing
from nbautoml.runtime.splits import deal_groups, draw_rows

_FEWEST_TRAIN, _FEWEST_TEST = 4, 1
# Draws the test rows of another stream than the folds, which follow from the seed alone.
_STREAM = 0x7E57


def split_test_rows(
    labels: pd.Series,
    task: Task | str,
    size: float,
    seed: int,
    groups: npt.NDArray[np.int64] | None = None,
) -> Fold:
    """Return the rows to learn from and the rows to test on, each in their order.

    Parameters
    ----------
    labels : Series of shape (n_rows,)
        The label. Rows without one are never test rows.
    task : Task
        Test rows of a classification are stratified by class, as far as there are classes with
        two rows or more; those of a regression are random.
    size : float
        Share of the labelled rows to test on, between 0 and 1.
    seed : int
        The same labels, size and seed give the same rows.
    groups : ndarray of int, shape (n_rows,), optional
        Codes of groups of rows; no group is on both sides.

    Raises
    ------
    DatasetError
        When too few rows are left on one side.

    Examples
    --------
    >>> labels = pd.Series(["a", "b"] * 10)
    >>> train, test = split_test_rows(labels, "classification", 0.2, seed=0)
    >>> len(train), labels[test].value_counts().to_dict()
    (16, {'a': 2, 'b': 2})
    """
    codes, _ = parsing.distinct(labels)
    labelled = np.flatnonzero(codes >= 0)
    strata = codes[labelled] if Task(task) is Task.CLASSIFICATION else np.zeros_like(labelled)
    if (np.bincount(strata) < 2).all():
        strata = np.zeros_like(strata)
    if round(size * len(labelled)) < _FEWEST_TEST or len(labelled) < _FEWEST_TRAIN + _FEWEST_TEST:
        raise DatasetError(
            f"test_size={size:g} of {len(labelled):,} rows with a label leaves too few rows to "
            "test on or to learn from; give test_data, or a larger share of more rows."
        )
    rng = np.random.default_rng([seed, _STREAM])
    if groups is None:
        (_, test), _ = draw_rows(strata, size, rng)
    else:
        test = _draw_groups(strata, groups[labelled], size, rng)
    is_test = np.zeros(len(codes), dtype=bool)
    is_test[labelled[test]] = True
    if groups is not None:  # rows without a label go with their group, and are never tested on
        is_out = np.isin(groups, groups[is_test])
        return np.flatnonzero(~is_out), np.flatnonzero(is_test)
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def _draw_groups(
    strata: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    size: float,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    found, codes = np.unique(groups, return_inverse=True)
    if len(found) < 3:
        raise DatasetError(
            f"test_size needs at least 3 groups, one to test on and 2 to learn from; the labelled "
            f"rows have {len(found)}."
        )
    part = deal_groups(strata, codes, np.array([1.0 - size, size]), rng, is_random=True)
    return np.flatnonzero(part == 1)
