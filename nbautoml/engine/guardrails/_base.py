"""What a guardrail gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any  # Any: labels are codes or floats

import numpy.typing as npt
import pandas as pd

from nbautoml.domain.events import GuardrailReported
from nbautoml.domain.tasks import Task
from nbautoml.engine.profile import DataProfile
from nbautoml.engine.validation import ValidationPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailInput:
    """The training data and what is known of it (see `run_guardrails`)."""

    X: pd.DataFrame
    y: npt.NDArray[Any]
    profile: DataProfile
    validation: ValidationPlan
    task: Task
    class_labels: tuple[str, ...] = ()
    n_dropped_rows: int = 0
    n_weightless_rows: int = 0

    def label_of(self, code: int) -> str:
        """Return the name of a class."""
        return self.class_labels[code] if code < len(self.class_labels) else str(code)


Guardrail = Callable[[GuardrailInput], GuardrailReported | None]


def named(count: int, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> named(1, "column"), named(1200, "row")
    ('1 column', '1,200 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
