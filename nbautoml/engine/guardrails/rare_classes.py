"""Looks for classes that are too rare to be scored."""

from __future__ import annotations

import numpy as np

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.domain.tasks import Task
from nbautoml.engine.guardrails._base import GuardrailInput

NAME = "Rare class detection"
SHOWN_CLASSES = 20


def check(given: GuardrailInput) -> GuardrailReported | None:
    """Alert when a class is not in the validation part, or the training part, of every split."""
    if given.task is not Task.CLASSIFICATION:
        return None
    codes, counts = np.unique(given.y, return_counts=True)
    splits = given.validation.folds
    in_train = np.sum([np.isin(codes, given.y[train]) for train, _ in splits], axis=0)
    in_valid = np.sum([np.isin(codes, given.y[valid]) for _, valid in splits], axis=0)
    is_rare = (in_train < len(splits)) | (in_valid < len(splits))
    if not is_rare.any():
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="Every class is trained on and validated in every split.",
        )
    rare = np.flatnonzero(is_rare)
    rare = rare[np.argsort(counts[rare], kind="stable")][:SHOWN_CLASSES]
    details = [
        {
            "Class": given.label_of(int(codes[at])),
            "Rows": int(counts[at]),
            "Splits that train on it": f"{in_train[at]} of {len(splits)}",
            "Splits that validate it": f"{in_valid[at]} of {len(splits)}",
        }
        for at in rare
    ]
    verb = "is" if is_rare.sum() == 1 else "are"
    classes = "1 class" if is_rare.sum() == 1 else f"{int(is_rare.sum()):,} classes"
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=(
            f"{classes} {verb} too rare for every split: a split without rows of a class says "
            "nothing of it. Merge such classes, or collect more rows of them."
        ),
        details=tuple(details),
    )
