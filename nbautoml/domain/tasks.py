"""What a run learns."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """The kind of target, in the SDK's spelling."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    FORECASTING = "forecasting"
