"""Says which columns have missing cells, and what becomes of them."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from nbautoml.domain.events import GuardrailReported, GuardrailState
from nbautoml.engine.featurize.options import ColumnPurpose, FeaturizationOptions
from nbautoml.engine.guardrails._base import GuardrailInput, named
from nbautoml.engine.profile import ColumnProfile

NAME = "Missing feature values imputation"

_FILLED_WITH = {
    ColumnPurpose.BOOLEAN: "most_frequent",
    ColumnPurpose.CATEGORICAL: "most_frequent",
    ColumnPurpose.CATEGORICAL_HASH: "marker only",
    ColumnPurpose.DATETIME: "mean of each part",
    ColumnPurpose.TEXT: "empty text",
}


def check(given: GuardrailInput) -> GuardrailReported:
    """Report the columns with missing cells; done when there are any."""
    columns = [column for column in given.profile.used if column.n_missing]
    if not columns:
        return GuardrailReported(
            name=NAME,
            state=GuardrailState.PASSED,
            description="No cell of a used column is missing.",
        )
    return GuardrailReported(
        name=NAME,
        state=GuardrailState.DONE,
        description=(
            f"{named(len(columns), 'column')} had missing cells. They were filled and marked for "
            "linear models; tree models take them as they are."
        ),
        details=tuple(_detail(column, given.profile.options) for column in columns),
    )


def _detail(column: ColumnProfile, options: FeaturizationOptions) -> dict[str, Any]:
    asked = options.params_of("Imputer", column.name).get("strategy", "mean")
    return {
        "Column name": column.name,
        "Missing value count": column.n_missing,
        "Imputation type": _FILLED_WITH.get(column.purpose, str(asked)),
    }
