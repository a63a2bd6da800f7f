"""Which task a label is for, when the cell does not say."""

from __future__ import annotations

import pandas as pd

from nbautoml.domain.tasks import Task

MOST_CLASSES = 20
"""A number with more different values than this is taken as a quantity."""


def guess_task(label: pd.Series) -> tuple[Task, str]:
    """Return the task that fits a label, and why.

    Parameters
    ----------
    label : Series of shape (n_rows,)
        The column to predict, or its first rows.

    Returns
    -------
    task : Task
    reason : str
        A part of a sentence.

    Examples
    --------
    >>> guess_task(pd.Series(["a", "b"]))[0].value
    'classification'
    >>> guess_task(pd.Series([0.5, 1.25, 2.0]))[0].value
    'regression'
    """
    known = label.dropna()
    n_values = int(known.nunique())
    if not pd.api.types.is_numeric_dtype(known) or pd.api.types.is_bool_dtype(known):
        return Task.CLASSIFICATION, f"it has {n_values:,} different values that are no numbers"
    has_fractions = bool((known % 1 != 0).any())
    if has_fractions and n_values > 2:
        return Task.REGRESSION, "it holds numbers with fractions"
    if n_values > MOST_CLASSES:
        return Task.REGRESSION, f"it holds numbers with {n_values:,} different values"
    return Task.CLASSIFICATION, f"it has only {n_values:,} different values"
