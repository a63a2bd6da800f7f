"""Splits that a script can make again: those of the engine, from plain arguments."""

from __future__ import annotations

import numpy as np
import pytest

from nbautoml.engine.validation import ValidationOptions, plan_validation
from nbautoml.runtime.splits import (
    Fold,
    calibration_splits,
    cross_validation_splits,
    random_splits,
)

Y = np.repeat([0, 1, 2], [40, 25, 15])
GROUPS = np.arange(80) // 4


def is_same(left: list[Fold], right: tuple[Fold, ...]) -> bool:
    pairs = zip(left, right, strict=True)
    return all(
        np.array_equal(a, b) for mine, other in pairs for a, b in zip(mine, other, strict=True)
    )


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_cross_validation_is_that_of_a_run(groups: np.ndarray | None) -> None:
    plan = plan_validation(
        "classification", Y, ValidationOptions(n_cross_validations=5), 3, groups=groups
    )
    splits = cross_validation_splits(80, 5, seed=3, strata=Y, groups=groups)
    assert is_same(splits, plan.folds)


@pytest.mark.parametrize("groups", [None, GROUPS])
@pytest.mark.parametrize("n_splits", [None, 4])
def test_random_splits_are_those_of_a_run(n_splits: int | None, groups: np.ndarray | None) -> None:
    options = ValidationOptions(n_cross_validations=n_splits, validation_size=0.2)
    plan = plan_validation("classification", Y, options, 3, groups=groups)
    splits = random_splits(80, n_splits or 1, 0.2, seed=3, strata=Y, groups=groups)
    assert plan.size == 0.2
    assert is_same(splits, plan.folds)


def test_rows_without_classes_are_dealt_evenly() -> None:
    plan = plan_validation(
        "regression", np.linspace(0, 1, 80), ValidationOptions(n_cross_validations=7), 1
    )
    assert is_same(cross_validation_splits(80, 7, seed=1), plan.folds)
    assert {len(valid) for _, valid in plan.folds} == {11, 12}


def test_too_few_rows_to_deal_are_an_error() -> None:
    with pytest.raises(ValueError, match="too few for 3 folds"):
        cross_validation_splits(4, 3, seed=0, strata=np.arange(4))


def test_a_rare_class_is_fitted_on_and_calibrated_on_in_every_pair() -> None:
    y = np.array([0] * 10 + [1])
    for fitted, left_out in calibration_splits(y, 3, seed=0):
        assert 10 in fitted
        assert 10 in left_out
