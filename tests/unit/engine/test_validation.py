"""How rows are split."""

from __future__ import annotations

import numpy as np
import pytest

from nbautoml.engine.validation import (
    ValidationKind,
    ValidationOptions,
    ValidationPlan,
    plan_validation,
)
from nbautoml.errors import ConfigError, DatasetError

DEFAULT = ValidationOptions()


def labels(*counts: int) -> np.ndarray:
    y = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(0).permutation(y)


def plan(y, options=DEFAULT, *, task="classification", seed=7, n_valid_rows=0) -> ValidationPlan:
    return plan_validation(task, np.asarray(y), options, seed, n_valid_rows)


@pytest.mark.parametrize(
    ("n_rows", "kind", "n_folds"),
    [
        (999, "cross_validation", 10),
        (1_000, "cross_validation", 3),
        (20_000, "cross_validation", 3),
        (20_001, "hold_out", 1),
    ],
)
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_defaults_follow_the_number_of_rows(n_rows, kind, n_folds, task):
    made = plan(np.arange(n_rows) % 2, task=task)
    assert (made.kind.value, made.n_folds) == (kind, n_folds)


def test_default_hold_out_is_a_tenth():
    _, valid = plan(np.arange(30_000) % 3).folds[0]
    assert len(valid) == 3_000


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("n_folds", [2, 5, 7])
def test_folds_part_the_rows(task, n_folds):
    y = labels(61, 30, 12)
    made = plan(y, ValidationOptions(n_cross_validations=n_folds), task=task)
    valid = np.concatenate([valid for _, valid in made.folds])
    assert np.sort(valid).tolist() == list(range(len(y)))
    for train, valid in made.folds:
        assert np.array_equal(np.sort(np.concatenate([train, valid])), np.arange(len(y)))


def test_folds_are_stratified_and_of_one_size():
    y = labels(61, 30, 12)
    folds = plan(y, ValidationOptions(n_cross_validations=5)).folds
    counts = np.array([np.bincount(y[valid], minlength=3) for _, valid in folds])
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


@pytest.mark.parametrize(
    "options",
    [
        DEFAULT,
        ValidationOptions(n_cross_validations=5),
        ValidationOptions(validation_size=0.3),
        ValidationOptions(n_cross_validations=4, validation_size=0.5),
    ],
    ids=["default", "folds", "hold-out", "monte carlo"],
)
def test_every_class_is_trained_on_in_every_split(options):
    y = labels(60, 3, 2, 1, 1)
    made = plan(y, options)
    for train, valid in made.folds:
        assert set(y[train]) == set(range(5))
        assert not set(y[valid]) & {3, 4}
    assert made.was_adjusted
    assert "2 classes have a single row each" in made.sentence


def test_one_single_row_is_told():
    assert "One class has a single row" in plan(labels(60, 20, 1)).sentence


def test_default_folds_are_as_many_as_the_smaller_class_has_rows():
    y = labels(60, 4)
    made = plan(y)
    assert (made.n_folds, made.was_adjusted) == (4, True)
    assert "the smaller class has 4 rows" in made.sentence
    assert all(set(y[valid]) == {0, 1} for _, valid in made.folds)


def test_asked_folds_are_kept_beside_a_small_class():
    assert plan(labels(60, 4), ValidationOptions(n_cross_validations=6)).n_folds == 6


def test_more_folds_than_half_the_rows_are_reduced():
    made = plan(np.arange(12.0), ValidationOptions(n_cross_validations=50), task="regression")
    assert made.n_folds == 6
    assert "there are only 12 rows" in made.sentence


def test_validation_size_alone_is_a_hold_out():
    y = labels(70, 30)
    made = plan(y, ValidationOptions(validation_size=0.2))
    assert made.kind is ValidationKind.HOLD_OUT
    assert np.bincount(y[made.folds[0][1]]).tolist() == [14, 6]
    assert "20 % of the rows (20)" in made.sentence


def test_size_and_folds_are_repeated_random_splits():
    made = plan(labels(70, 30), ValidationOptions(n_cross_validations=4, validation_size=0.2))
    assert (made.kind, made.n_folds) == (ValidationKind.MONTE_CARLO, 4)
    drawn = {tuple(valid.tolist()) for _, valid in made.folds}
    assert len(drawn) == 4
    assert {len(valid) for valid in drawn} == {20}


def test_one_random_split_is_allowed():
    made = plan(labels(70, 30), ValidationOptions(n_cross_validations=1, validation_size=0.2))
    assert made.n_folds == 1


def test_given_rows_follow_the_training_rows():
    made = plan(np.arange(30) % 2, n_valid_rows=10)
    train, valid = made.folds[0]
    assert made.kind is ValidationKind.GIVEN
    assert (train.tolist(), valid.tolist()) == (list(range(20)), list(range(20, 30)))
    assert not made.was_adjusted


def test_given_classes_that_are_not_trained_on_are_told():
    made = plan([0, 1] * 10 + [2, 0], n_valid_rows=2)
    assert made.was_adjusted
    assert "1 of its classes are not in the training data" in made.sentence


def test_same_seed_same_splits_other_seed_other_splits():
    y = labels(50, 50)

    def valid(seed: int) -> list[list[int]]:
        return [rows.tolist() for _, rows in plan(y, seed=seed).folds]

    assert valid(1) == valid(1)
    assert valid(1) != valid(2)


@pytest.mark.parametrize(
    ("options", "n_valid_rows", "message"),
    [
        (ValidationOptions(n_cross_validations=1), 0, "at least 2; got 1"),
        (ValidationOptions(validation_size=1.0), 0, "between 0 and 1; got 1.0"),
        (ValidationOptions(validation_size=0.0), 0, "between 0 and 1; got 0.0"),
        (ValidationOptions(n_cross_validations=3), 5, "give only one of them"),
        (ValidationOptions(validation_size=0.3), 5, "give only one of them"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, n_valid_rows, message):
    with pytest.raises(ConfigError, match=message):
        plan(labels(50, 50), options, n_valid_rows=n_valid_rows)


def test_too_few_rows_are_refused():
    with pytest.raises(DatasetError, match="At least 4 rows"):
        plan([0, 1, 1])


def test_too_few_rows_beside_single_ones_are_refused():
    with pytest.raises(DatasetError, match="Only 2 rows belong to a class"):
        plan([0, 0, 1, 2, 3, 4], ValidationOptions(n_cross_validations=3))


def test_too_few_training_rows_beside_given_rows_are_refused():
    with pytest.raises(DatasetError, match="has 1 rows beside"):
        plan([0, 1, 1], n_valid_rows=2)


def test_hold_out_of_tiny_share_still_holds_a_row():
    assert len(plan(labels(8, 8), ValidationOptions(validation_size=0.01)).folds[0][1]) == 1
