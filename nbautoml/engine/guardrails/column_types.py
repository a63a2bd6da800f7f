"""Passes on what is doubtful about the types of columns."""

from __future__ import annotations

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.guardrails._base import GuardrailInput, named

NAME = "Column type detection"


def check(given: GuardrailInput) -> GuardrailReported:
    """Alert when cells were read in a way that the user should look at."""
    details = [
        {"Column name": column.name, "Type": column.purpose.value, "Note": note}
        for column in given.profile.columns
        for note in column.notes
    ]
    if not details:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="The cells of each column have one type.",
        )
    n_columns = len({detail["Column name"] for detail in details})
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.ALERTED,
        description=f"{named(n_columns, 'column')} should be looked at.",
        details=tuple(details),
    )
