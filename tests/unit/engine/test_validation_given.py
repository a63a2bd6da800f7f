"""Splits that the user made, groups of rows, test rows, and the number of folds by budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbautoml.engine.validation import (
    ValidationKind,
    ValidationOptions,
    check_range,
    keep_rows,
    plan_validation,
    read_split_columns,
    read_splits,
    split_test_rows,
)
from nbautoml.errors import ConfigError, DatasetError

GROUPED = ValidationOptions(group_column="patient")


def plan(y, options=ValidationOptions(), *, task="classification", **more):  # noqa: B008 - frozen
    return plan_validation(task, np.asarray(y), options, 7, **more)


@pytest.mark.parametrize(
    "marks",
    [
        [1, 1, 0, 1],
        [1.0, 1.0, 0.0, 1.0],
        [True, True, False, True],
        pd.array([1, 1, 0, 1], dtype="Int8"),
    ],
    ids=["int", "float", "bool", "nullable"],
)
def test_a_split_column_marks_training_and_validation_rows(marks):
    ((train, valid),) = read_split_columns(pd.DataFrame({"cv": marks}), ["cv"])
    assert (train.tolist(), valid.tolist()) == ([0, 1, 3], [2])


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ([1, 0, 2], r"'cv' .* must hold 1 \(train\) or 0 \(validate\) .* found 2 in 1 rows"),
        ([1, 0, -1], "found -1 in 1 rows"),
        ([1, 0, 0.5], "found 0.5 in 1 rows"),
        ([1, 0, None], "found nan in 1 rows"),
        (["1", "0", "1"], "found '1', '0' in 3 rows"),
        ([1, 1, 1], r"no row with 0 \(validate\)"),
        ([0, 0, 0], r"no row with 1 \(train\)"),
    ],
)
def test_every_other_value_of_a_split_column_is_refused(marks, message):
    with pytest.raises(DatasetError, match=message):
        read_split_columns(pd.DataFrame({"cv": marks}), ["cv"])


def test_a_missing_split_column_is_named():
    with pytest.raises(DatasetError, match="no column 'cv'"):
        read_split_columns(pd.DataFrame({"a": [1]}), ["cv"])


def test_given_rows_become_sorted_arrays():
    splits = read_splits([[np.array([3, 0]), [1]], ([2], np.array([0, 1], dtype=np.uint8))])
    found = [(train.tolist(), valid.tolist()) for train, valid in splits]
    assert found == [([0, 3], [1]), ([2], [0, 1])]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (5, "must be a list of .* pairs; got int"),
        ([], "must be a list of .* pairs; got an empty one"),
        ([[0, 1, 2]], "Split 0 .* must be a pair"),
        ([[[0, 1], []]], "validation rows of split 0 .* are empty"),
        ([[[], [1]]], "training rows of split 0 .* are empty"),
        ([[[0, 1], [1, 2]]], "1 rows both in training and in validation, such as row 1"),
        ([[[0, 0, 1], [2]]], "name 1 rows more than once"),
        ([[[0, -1], [2]]], "must count from 0; got -1"),
        ([[[0.5, 1.0], [2]]], "list of whole numbers; got 0.5"),
        ([[["a"], [2]]], "list of whole numbers; got 'a'"),
        ([[[[0]], [2]]], r"list of whole numbers; got an array of shape \(1, 1\)"),
        ([[[True, False], [2]]], "list of whole numbers; got True"),
    ],
)
def test_wrong_lists_of_rows_are_refused(splits, message):
    with pytest.raises(ConfigError, match=message):
        read_splits(splits)


def test_rows_behind_the_last_one_are_refused():
    splits = read_splits([[[0, 1], [2]], [[0], [4]]])
    check_range(splits, 5)
    with pytest.raises(DatasetError, match="Split 1 of cv_splits_indices names row 4, .* 4 rows"):
        check_range(splits, 4)


def test_splits_follow_the_rows_that_stay():
    splits = read_splits([[[0, 1, 2], [3, 4]]])
    ((train, valid),) = keep_rows(splits, np.array([True, False, True, False, True]))
    assert (train.tolist(), valid.tolist()) == ([0, 1], [2])


def test_a_split_without_a_labelled_validation_row_is_refused():
    with pytest.raises(DatasetError, match="Split 0 has no validation row with a label"):
        keep_rows(read_splits([[[0, 1], [2]]]), np.array([True, True, False]))


def test_given_splits_are_used_as_they_are():
    splits = read_splits([[[0, 1, 2], [3]], [[3, 4, 5], [0]]])
    made = plan([0, 1, 0, 1, 0, 1], splits=splits)
    assert made.kind is ValidationKind.CUSTOM
    assert made.folds == splits
    assert made.sentence == "2 splits as given; 2 of 6 rows validate."
    assert not made.was_adjusted


def test_a_class_that_a_given_split_does_not_train_on_is_told():
    made = plan([0, 0, 1, 1], splits=read_splits([[[0, 1], [2, 3]]]))
    assert made.was_adjusted
    assert "1 class is validated in a split that does not train on all of them" in made.sentence


def test_a_single_training_row_is_refused():
    with pytest.raises(DatasetError, match="Split 0 has a single training row"):
        plan([0, 1, 1], splits=read_splits([[[0], [1, 2]]]))


def grouped(n_groups=30, seed=0):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), rng.integers(1, 12, n_groups))
    y = (rng.random(len(groups)) < 0.3).astype(int)
    order = rng.permutation(len(groups))
    return y[order], groups[order]


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_cross_validations": 4},
        {"validation_size": 0.25},
        {"n_cross_validations": 3, "validation_size": 0.4},
        {"is_auto": True},
    ],
    ids=["default", "folds", "hold-out", "monte carlo", "auto"],
)
def test_no_group_is_on_both_sides(task, options):
    y, groups = grouped()
    made = plan(y, ValidationOptions(group_column="g", **options), task=task, groups=groups)
    for train, valid in made.folds:
        assert not set(groups[train]) & set(groups[valid])
        assert len(train) + len(valid) == len(y)
    assert "30 groups kept together" in made.sentence


def test_folds_of_groups_are_of_one_size_and_stratified():
    y, groups = grouped(n_groups=120)
    made = plan(y, ValidationOptions(n_cross_validations=5, group_column="g"), groups=groups)
    sizes = np.array([len(valid) for _, valid in made.folds])
    shares = np.array([y[valid].mean() for _, valid in made.folds])
    assert np.ptp(sizes) <= 0.05 * len(y)
    assert np.ptp(shares) <= 0.03
    assert sizes.sum() == len(y)


def test_random_splits_of_groups_differ_and_hold_out_their_share():
    y, groups = grouped(n_groups=120)
    options = ValidationOptions(n_cross_validations=3, validation_size=0.2, group_column="g")
    made = plan(y, options, groups=groups)
    assert len({valid.tobytes() for _, valid in made.folds}) == 3
    for _, valid in made.folds:
        assert abs(len(valid) / len(y) - 0.2) < 0.03


def test_folds_of_groups_are_never_more_than_groups():
    y, groups = [0, 1] * 6, np.repeat(np.arange(3), 4)
    made = plan(y, GROUPED, groups=groups)
    assert made.n_folds == 3
    assert made.was_adjusted
    assert "there are only 3 groups" in made.sentence


def test_a_hold_out_of_two_large_groups_has_one_on_each_side():
    y, groups = [0, 1] * 50, np.repeat([0, 1], 50)
    options = ValidationOptions(validation_size=0.1, group_column="g")
    ((train, valid),) = plan(y, options, groups=groups).folds
    assert (len(train), len(valid)) == (50, 50)


def test_one_group_cannot_be_split():
    with pytest.raises(DatasetError, match="same value in group column 'patient'"):
        plan([0, 1] * 5, GROUPED, groups=np.zeros(10, np.int64))


def test_a_class_in_one_group_is_told():
    y = np.repeat([0, 1, 2], [10, 10, 5])
    groups = np.concatenate([np.arange(20) // 2, np.full(5, 10)])
    made = plan(y, ValidationOptions(n_cross_validations=3, group_column="g"), groups=groups)
    assert made.was_adjusted
    assert "1 class is validated in a split that does not train on all of them" in made.sentence


@pytest.mark.parametrize(
    ("budget", "kind", "n_folds"),
    [
        (None, "cross_validation", 5),
        (60.0, "cross_validation", 5),
        (59.0, "cross_validation", 3),
        (36.0, "cross_validation", 3),
        (35.0, "hold_out", 1),
    ],
)
def test_auto_takes_as_many_folds_as_there_is_time_for(budget, kind, n_folds):
    options = ValidationOptions(is_auto=True, budget_seconds=budget)
    made = plan(np.arange(500) % 2, options, fit_seconds=1.0)
    assert (made.kind.value, made.n_folds) == (kind, n_folds)


@pytest.mark.parametrize(
    ("n_rows", "n_valid"), [(900, 300), (9_000, 2_500), (20_000, 4_000), (200_000, 10_000)]
)
def test_auto_holds_out_enough_rows_and_no_more(n_rows, n_valid):
    options = ValidationOptions(is_auto=True, budget_seconds=1.0)
    ((_, valid),) = plan(np.arange(n_rows) % 2, options, fit_seconds=10.0).folds
    assert len(valid) == n_valid


def test_auto_has_no_more_folds_than_the_smaller_class_has_rows():
    made = plan([1] * 3 + [0] * 50, ValidationOptions(is_auto=True))
    assert (made.n_folds, made.was_adjusted) == (3, True)


def test_test_rows_are_stratified_and_part_the_rows():
    labels = pd.Series(["yes"] * 30 + ["no"] * 70)
    train, test = split_test_rows(labels, "classification", 0.2, seed=3)
    assert labels[test].value_counts().to_dict() == {"no": 14, "yes": 6}
    assert np.sort(np.concatenate([train, test])).tolist() == list(range(100))


def test_test_rows_of_a_regression_are_random_and_repeatable():
    labels = pd.Series(np.arange(100.0))
    first = split_test_rows(labels, "regression", 0.25, seed=3)
    again = split_test_rows(labels, "regression", 0.25, seed=3)
    other = split_test_rows(labels, "regression", 0.25, seed=4)
    assert len(first[1]) == 25
    assert first[1].tolist() == again[1].tolist()
    assert first[1].tolist() != other[1].tolist()


def test_classes_of_one_row_each_are_drawn_at_random():
    _, test = split_test_rows(pd.Series([f"c{i}" for i in range(20)]), "classification", 0.2, 0)
    assert len(test) == 4


def test_a_class_with_one_row_is_learned_and_not_tested():
    labels = pd.Series(["rare"] + ["a"] * 20 + ["b"] * 20)
    train, _ = split_test_rows(labels, "classification", 0.5, seed=0)
    assert 0 in train


def test_rows_without_a_label_are_never_test_rows():
    labels = pd.Series([None, 1.0] * 50)
    train, test = split_test_rows(labels, "regression", 0.3, seed=0)
    assert labels[test].notna().all()
    assert (len(train), len(test)) == (85, 15)


def test_no_group_is_learned_and_tested():
    y, groups = grouped(n_groups=60)
    labels = pd.Series(y).where(np.arange(len(y)) % 9 > 0)
    train, test = split_test_rows(labels, "classification", 0.2, 0, groups)
    assert not set(groups[train]) & set(groups[test])
    assert abs(len(test) / labels.notna().sum() - 0.2) < 0.05


@pytest.mark.parametrize(("n_rows", "size"), [(4, 0.5), (100, 0.001)])
def test_too_few_rows_for_a_test_are_refused(n_rows, size):
    with pytest.raises(DatasetError, match="too few rows to test on or to learn from"):
        split_test_rows(pd.Series(np.arange(float(n_rows))), "regression", size, 0)


def test_two_groups_are_too_few_for_a_test():
    with pytest.raises(DatasetError, match="at least 3 groups"):
        split_test_rows(pd.Series([0, 1] * 10), "classification", 0.2, 0, np.repeat([0, 1], 10))
