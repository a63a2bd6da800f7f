"""Which rows models are fitted on, and which rows score them."""

from __future__ import annotations

from nbautoml.engine.validation.given import (
    check_range,
    keep_rows,
    read_split_columns,
    read_splits,
)
from nbautoml.engine.validation.plan import ValidationKind, ValidationOptions, ValidationPlan
from nbautoml.engine.validation.set_aside import split_test_rows
from nbautoml.engine.validation.split import plan_validation

__all__ = [
    "ValidationKind",
    "ValidationOptions",
    "ValidationPlan",
    "check_range",
    "keep_rows",
    "plan_validation",
    "read_split_columns",
    "read_splits",
    "split_test_rows",
]
