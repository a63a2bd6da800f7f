"""Says how rows are split to score the models."""

from __future__ import annotations

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.guardrails._base import GuardrailInput
from nbautoml.engine.validation import ValidationKind

_NAMES = {ValidationKind.CROSS_VALIDATION: "Cross validation"}
_OTHER_NAME = "Validation split handling"


def check(given: GuardrailInput) -> GuardrailReported:
    """Report the split; passed when the user gave validation rows of the same classes."""
    plan = given.validation
    was_given = plan.kind in (ValidationKind.GIVEN, ValidationKind.CUSTOM)
    made = GuardrailState.PASSED if was_given else GuardrailState.DONE
    state = GuardrailState.ALERTED if was_given and plan.was_adjusted else made
    detail = {
        "Number of splits": plan.n_folds,
        "Training rows": min(len(train) for train, _ in plan.folds),
        "Validation rows": min(len(valid) for _, valid in plan.folds),
    }
    return GuardrailReported(
        name=_NAMES.get(plan.kind, _OTHER_NAME),
        state=state,
        description=plan.sentence,
        details=(detail,),
    )
