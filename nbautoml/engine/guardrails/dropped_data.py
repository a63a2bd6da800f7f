"""Says which columns and rows take no part in the run."""

from __future__ import annotations

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.guardrails._base import GuardrailInput, named

NAME = "Dropped columns and rows"


def check(given: GuardrailInput) -> GuardrailReported:
    """Report unused columns and rows without a label; done when there are any."""
    columns = given.profile.dropped
    if not columns and not given.n_dropped_rows and not given.n_weightless_rows:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="All columns and rows are used.",
        )
    parts = []
    if columns:
        parts.append(f"{named(len(columns), 'column')} not used")
    if given.n_dropped_rows:
        parts.append(f"{named(given.n_dropped_rows, 'row')} without a label left out")
    if given.n_weightless_rows:
        parts.append(f"{named(given.n_weightless_rows, 'row')} of weight 0 left out")
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.DONE,
        description=f"{'; '.join(parts)}.",
        details=tuple({"Column name": c.name, "Reason": c.reason} for c in columns),
    )
