"""Looks for categories that only the validation rows have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.featurize.options import ColumnPurpose
from nbautoml.engine.guardrails._base import GuardrailInput, named

NAME = "Unknown category detection"
UNKNOWN_SHARE = 0.05
"""The share of cells from which a saved model warns of unreadable ones, too."""


def check(given: GuardrailInput) -> GuardrailReported:
    """Alert when many validation rows have a category that no training row has.

    The first split is looked at. Columns of very many categories have new ones in every
    random split; of them only given validation rows say something.
    """
    train, valid = given.validation.folds[0]
    details = []
    for name, column in given.columns.items():
        is_category = isinstance(column.dtype, pd.CategoricalDtype)
        if not is_category or _is_expected(given, str(name)):
            continue
        codes = column.cat.codes.to_numpy()
        is_known = np.zeros(len(column.cat.categories) + 1, dtype=bool)
        is_known[codes[train]] = True
        is_known[-1] = True  # a missing cell is no category
        n_unknown = int((~is_known[codes[valid]]).sum())
        if n_unknown > UNKNOWN_SHARE * len(valid):
            share = f"{n_unknown / len(valid):.1%}"
            details.append({"Column name": str(name), "Validation rows": n_unknown, "Share": share})
    if not details:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="The training rows have the categories of the validation rows.",
        )
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"{named(len(details), 'column')} with categories that only validation rows have. "
            "Models take them as unknown; check how the rows were split, and how categories are "
            "written."
        ),
        details=tuple(details),
    )


def _is_expected(given: GuardrailInput, name: str) -> bool:
    is_hashed = given.purpose_of(name) is ColumnPurpose.CATEGORICAL_HASH
    return given.is_random_split and is_hashed
