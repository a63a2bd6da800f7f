"""Which column is the label, and which task it is for, when nobody says."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from nbautoml.domain.tasks import Task

GUESS_ROWS = 5_000
"""Rows that are looked at in order to guess the task."""
MOST_CLASSES = 20
"""A number with more different values than this is taken as a quantity."""

_WHOLE_NAMES = ("target", "label", "class", "y", "outcome", "response")
_MARKS = frozenset({"target", "label", "outcome"})
_OFTEN = frozenset(
    {"survived", "churn", "churned", "attrition", "fraud", "diagnosis", "species", "event"}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


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


def guess_label(names: Sequence[str]) -> tuple[str, str]:
    """Return the column that is most likely to be predicted, and why.

    A person has the last word: it is where a form begins.

    Parameters
    ----------
    names : sequence of str
        Columns that can be predicted, in the order of the table.

    Returns
    -------
    name : str
        Empty when there is no column.
    reason : str
        A part of a sentence.

    Notes
    -----
    In turn: a name that says it (``target``, ``label``, …), one that has such a word at its start
    or end, one that ends in a word for what is often predicted, and the last column, where most
    public tables have theirs.

    Examples
    --------
    >>> guess_label(["age", "DEATH_EVENT", "sex"])
    ('DEATH_EVENT', 'columns with such a name are often what is predicted')
    >>> guess_label(["age", "income"])[0]
    'income'
    """
    for whole in _WHOLE_NAMES:
        for name in names:
            if name.strip().lower() == whole:
                return name, "its name says so"
    words = {name: [word.lower() for word in _WORD.findall(name)] for name in names}
    for name, found in words.items():
        if _MARKS.intersection(found[:1] + found[-1:]):
            return name, "its name says so"
    for name, found in words.items():
        if _OFTEN.intersection(found[-1:]):
            return name, "columns with such a name are often what is predicted"
    if names:
        return names[-1], "it is the last column, where most tables have what is predicted"
    return "", "no column has values that differ and come back"
