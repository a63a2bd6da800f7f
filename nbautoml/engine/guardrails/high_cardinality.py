"""Says which columns have very many categories, and what becomes of them."""

from __future__ import annotations

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.featurize.options import ColumnPurpose
from nbautoml.engine.guardrails._base import GuardrailInput, named

NAME = "High cardinality feature detection"


def check(given: GuardrailInput) -> GuardrailReported:
    """Report hashed columns and ids; done when there are any."""
    hashed = given.profile.of_purpose(ColumnPurpose.CATEGORICAL_HASH)
    ids = [c for c in given.profile.dropped if c.stats.get("n_unique", 0) > 1]
    if not hashed and not ids:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="No column has so many categories that it needs special care.",
        )
    details = [
        {
            "Column name": column.name,
            "Number of different values": int(column.stats.get("n_unique", 0)),
            "Handling": handling,
        }
        for columns, handling in ((hashed, "hashed"), (ids, "dropped"))
        for column in columns
    ]
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.DONE,
        description=(
            f"{named(len(hashed), 'column')} with many categories hashed, "
            f"{named(len(ids), 'id column')} dropped."
        ),
        details=tuple(details),
    )
