"""Looks for numbers that were given to the rows, and are used as features."""

from __future__ import annotations

import numpy as np

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.featurize.options import ColumnPurpose
from nbautoml.engine.guardrails._base import GuardrailInput, named

NAME = "Identifier column detection"
EXPECTED_TWINS = 10.0
"""Whole numbers drawn by chance would have this many equal pairs at least. No pair at all then
has a probability below exp(-10): the numbers were given out, not measured."""


def check(given: GuardrailInput) -> GuardrailReported:
    """Alert when a used column holds whole numbers that are too different to be measured.

    The n numbers of a column with a range of r would have about n² / 2r equal pairs (the
    birthday problem).
    """
    details = []
    for column in given.profile.of_purpose(ColumnPurpose.NUMERIC):
        stats = column.stats
        n_filled = stats.get("n_rows", 0) - stats.get("n_missing", 0)
        if n_filled < 2 or stats.get("n_unique", 0) < n_filled or "min" not in stats:
            continue
        n_values = stats["max"] - stats["min"] + 1
        if n_filled**2 / (2 * n_values) > EXPECTED_TWINS and _is_whole(given, column.name):
            details.append({"Column name": column.name, "Number of different values": n_filled})
    if not details:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="No used column looks like a number that was given to each row.",
        )
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"{named(len(details), 'used column')} with a different whole number in each row, as "
            "ids have. If it is one, leave it out (drop_columns of FeaturizationConfig): it says "
            "nothing about new rows."
        ),
        details=tuple(details),
    )


def _is_whole(given: GuardrailInput, name: str) -> bool:
    numbers = given.columns[name].to_numpy()
    return bool(((numbers == np.floor(numbers)) | np.isnan(numbers)).all())
