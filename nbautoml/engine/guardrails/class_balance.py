"""Looks for classes that are rare beside others."""

from __future__ import annotations

import numpy as np

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.domain.tasks import Task
from nbautoml.engine.guardrails._base import GuardrailInput

NAME = "Class balancing detection"
IMBALANCE_SHARE = 0.2
"""Classes are out of balance when the smallest has at most this share of the largest
("Prevent overfitting and imbalanced data with automated ML", learn.microsoft.com)."""


def check(given: GuardrailInput) -> GuardrailReported | None:
    """Alert when the smallest class has at most a fifth of the rows of the largest."""
    if given.task is not Task.CLASSIFICATION:
        return None
    codes, counts = np.unique(given.y, return_counts=True)
    smallest, largest = int(counts.argmin()), int(counts.argmax())
    if counts[smallest] > IMBALANCE_SHARE * counts[largest]:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="The classes are in balance.",
        )
    detail = {
        "Size of the smallest class": int(counts[smallest]),
        "Name of the smallest class": given.label_of(int(codes[smallest])),
        "Size of the largest class": int(counts[largest]),
        "Name of the largest class": given.label_of(int(codes[largest])),
        "Number of samples in the training data": len(given.y),
    }
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            "The classes are out of balance, so accuracy can look good while rare classes are "
            "missed. A metric such as AUC_weighted or norm_macro_recall shows it."
        ),
        details=(detail,),
    )
