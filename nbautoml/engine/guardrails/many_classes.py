"""Looks for a label that is more a number than a class."""

from __future__ import annotations

import numpy as np

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.domain.tasks import Task
from nbautoml.engine.guardrails._base import GuardrailInput

NAME = "Number of classes detection"
MANY_CLASSES = 100
MANY_SHARE = 0.1


def check(given: GuardrailInput) -> GuardrailReported | None:
    """Alert above 100 classes, or when there are classes for more than 10 % of the rows."""
    if given.task is not Task.CLASSIFICATION:
        return None
    n_classes, n_rows = len(np.unique(given.y)), len(given.y)
    is_many = n_classes > MANY_CLASSES or (n_classes > 2 and n_classes > MANY_SHARE * n_rows)
    if not is_many:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description=f"The label has {n_classes} classes in {n_rows:,} rows.",
        )
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"The label has {n_classes} classes in {n_rows:,} rows. If it is a number, "
            "task='regression' fits better; else merge rare classes."
        ),
        details=({"Number of classes": n_classes, "Number of rows": n_rows},),
    )
