"""Checks of the training data, one a file, each with the SDK's name and states.

A guardrail is a function of `GuardrailInput` that returns one `GuardrailReported`, or None
when it has no meaning for the task. Other packages add theirs through the entry-point group
``nbautoml.guardrails``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any  # Any: labels are codes or floats

import numpy.typing as npt
import pandas as pd

from nbautoml.domain.catalog import Catalog
from nbautoml.domain.events import GuardrailReported
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.build import build_adapter
from nbautoml.engine.guardrails._base import Guardrail, GuardrailInput
from nbautoml.engine.profile import DataProfile
from nbautoml.engine.validation import ValidationPlan

__all__ = ["BUILTINS", "GUARDRAILS", "Guardrail", "GuardrailInput", "run_guardrails"]

BUILTINS = {
    "validation": "nbautoml.engine.guardrails.validation_split:check",
    "class_balance": "nbautoml.engine.guardrails.class_balance:check",
    "many_classes": "nbautoml.engine.guardrails.many_classes:check",
    "missing_values": "nbautoml.engine.guardrails.missing_values:check",
    "high_cardinality": "nbautoml.engine.guardrails.high_cardinality:check",
    "column_types": "nbautoml.engine.guardrails.column_types:check",
    "dropped_data": "nbautoml.engine.guardrails.dropped_data:check",
    "target_leakage": "nbautoml.engine.guardrails.target_leakage:check",
    "id_columns": "nbautoml.engine.guardrails.id_columns:check",
    "duplicate_rows": "nbautoml.engine.guardrails.duplicate_rows:check",
    "label_noise": "nbautoml.engine.guardrails.label_noise:check",
    "rare_classes": "nbautoml.engine.guardrails.rare_classes:check",
    "time_order": "nbautoml.engine.guardrails.time_order:check",
    "unknown_categories": "nbautoml.engine.guardrails.unknown_categories:check",
    "drift": "nbautoml.engine.guardrails.drift:check",
}

logger = logging.getLogger(__name__)

GUARDRAILS: Catalog[Guardrail] = Catalog("guardrail", BUILTINS, "nbautoml.guardrails")


def run_guardrails(
    X: pd.DataFrame,
    y: npt.NDArray[Any],
    profile: DataProfile,
    validation: ValidationPlan,
    task: Task | str,
    *,
    columns: pd.DataFrame | None = None,
    class_labels: Sequence[str] = (),
    n_dropped_rows: int = 0,
    n_weightless_rows: int = 0,
) -> tuple[GuardrailReported, ...]:
    """Return what all guardrails found, in the order of the catalog.

    One that fails is left out and logged.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Raw rows that have a label.
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    profile : DataProfile
        What the columns are.
    validation : ValidationPlan
        How the rows are split.
    task : Task
        What is learned.
    columns : DataFrame of shape (n_rows, n_used_columns), optional
        The used columns of `X` as the input adapter reads them; read here when not given.
    class_labels : sequence of str
        Names of the classes.
    n_dropped_rows : int, default 0
        Number of rows that had no label.
    n_weightless_rows : int
        Number of rows whose weight is 0.
    """
    given = GuardrailInput(
        X=X,
        columns=build_adapter(profile).transform(X) if columns is None else columns,
        y=y,
        profile=profile,
        validation=validation,
        task=Task(task),
        class_labels=tuple(class_labels),
        n_dropped_rows=n_dropped_rows,
        n_weightless_rows=n_weightless_rows,
    )
    found = (_checked(name, given) for name in GUARDRAILS)
    return tuple(report for report in found if report is not None)


def _checked(name: str, given: GuardrailInput) -> GuardrailReported | None:
    try:
        return GUARDRAILS.get(name)(given)
    except Exception:  # noqa: BLE001 - also code of others; a check must never end a run
        logger.warning("guardrail %r failed and is left out", name, exc_info=True)
        return None
