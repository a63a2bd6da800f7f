"""Looks for equal rows of different classes."""

from __future__ import annotations

import numpy as np

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.domain.tasks import Task
from nbautoml.engine.guardrails._base import GuardrailInput, named, row_hashes

NAME = "Label noise detection"
LOST_SHARE = 0.05
"""Above this share of rows that every model must get wrong, labels or columns should be looked
at before models."""


def check(given: GuardrailInput) -> GuardrailReported | None:
    """Alert when many rows equal a row of another class in all used columns.

    Of equal rows a model can get right at most those of the most frequent class.
    """
    if given.task is not Task.CLASSIFICATION:
        return None
    _, rows = np.unique(row_hashes(given.columns), return_inverse=True)
    codes = np.asarray(given.y, dtype=np.int64)
    n_classes = int(codes.max()) + 1
    cells, counts = np.unique(rows * n_classes + codes, return_counts=True)
    most = np.zeros(int(rows.max()) + 1, dtype=np.int64)
    np.maximum.at(most, cells // n_classes, counts)
    n_kinds = np.bincount(cells // n_classes, minlength=len(most))
    n_mixed, n_lost = int((n_kinds[rows] > 1).sum()), len(codes) - int(most.sum())
    if n_lost <= LOST_SHARE * len(codes):
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description=f"{named(n_mixed, 'row')} equal a row of another class.",
        )
    best = 1 - n_lost / len(codes)
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"{named(n_mixed, 'row')} equal a row of another class in all used columns, so no "
            f"model can have an accuracy above {best:.1%} on these rows. Labels may be wrong, or a "
            "column that tells them apart is missing."
        ),
        details=(
            {
                "Rows": len(codes),
                "Rows that equal one of another class": n_mixed,
                "Best possible accuracy": f"{best:.1%}",
            },
        ),
    )
