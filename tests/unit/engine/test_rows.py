"""Which rows and columns of a raw frame take part in a run, and what they count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.tasks import Task
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.rows import read_weights, take_rows
from nbautoml.engine.validation import ValidationOptions, read_splits
from nbautoml.errors import DatasetError


def plan(validation: ValidationOptions = ValidationOptions(), **settings) -> SearchPlan:  # noqa: B008
    return SearchPlan(
        task=Task.CLASSIFICATION,
        primary_metric="accuracy",
        models=("LightGBM",),
        validation=validation,
        **settings,
    )


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            "w": [1, 2, 0, 1, 2, 3],
            "g": ["a", "b", "a", "c", "b", "c"],
            "cv": [1, 1, 1, 0, 1, 0],
            "label": ["x", "y", "x", "y", None, "x"],
        }
    )


def test_columns_that_say_what_about_rows_are_no_features():
    options = ValidationOptions(cv_split_columns=("cv",), group_column="g")
    rows = take_rows(frame(), "label", plan(options, weight_column="w"))
    assert list(rows.X.columns) == ["size"]


def test_without_such_settings_they_are_features():
    rows = take_rows(frame(), "label", plan())
    assert list(rows.X.columns) == ["size", "w", "g", "cv"]
    assert rows.weight is None
    assert rows.groups is None


def test_rows_without_a_label_or_a_weight_take_no_part():
    rows = take_rows(frame(), "label", plan(weight_column="w"))
    assert rows.X["size"].tolist() == [1.0, 2.0, 4.0, 6.0]
    assert rows.target.values.tolist() == [0, 1, 1, 0]
    assert (rows.target.n_dropped, rows.n_weightless) == (1, 1)


def test_a_class_of_weightless_rows_is_no_class():
    data = frame().assign(label=["x", "y", "z", "y", "x", "x"])
    assert take_rows(data, "label", plan(weight_column="w")).target.encoding.classes == ("x", "y")


def test_weights_are_1_on_average_over_the_training_rows():
    rows = take_rows(frame(), "label", plan(weight_column="w", n_valid_rows=2))
    assert rows.n_valid == 1
    assert rows.weight is not None
    np.testing.assert_allclose(rows.weight, [0.75, 1.5, 0.75, 2.25])


def test_the_average_is_over_the_rows_that_take_part():
    rows = take_rows(frame(), "label", plan(weight_column="w"))
    assert rows.weight is not None
    np.testing.assert_allclose(rows.weight, np.array([1, 2, 1, 3]) / 1.75)


@pytest.mark.parametrize("factor", [1e-300, 1e-3, 7.0, 1e300])
def test_only_ratios_of_weights_mean_something(factor):
    plain = read_weights(pd.Series([1.0, 2.0, 5.0]), 3)
    np.testing.assert_allclose(read_weights(factor * pd.Series([1.0, 2.0, 5.0]), 3), plain)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [1.0, -0.5, 1.0],
            r"'w' must hold finite numbers .* 1 rows do not, such as row 1 with -0.5",
        ),
        ([1.0, np.nan, np.inf], "2 rows do not, such as row 1 with nan"),
        ([1.0, 1.0, np.inf], "such as row 2 with inf"),
        (["1", "many", "2"], "such as row 1 with 'many'"),
        ([0, 0, 0], "'w' is 0 in all training rows"),
        ([1, 1, 0], "'w' is 0 in all validation rows"),
    ],
)
def test_wrong_weights_are_one_clear_error(cells, message):
    with pytest.raises(DatasetError, match=message):
        read_weights(pd.Series(cells, name="w"), 2 if cells == [1, 1, 0] else 3)


@pytest.mark.parametrize(
    "cells",
    [["1", "2"], [True, True], pd.array([1, 2], dtype="Int64"), pd.array([1, 2], "float32")],
    ids=["text", "flags", "nullable", "narrow"],
)
def test_numbers_in_any_form_are_weights(cells):
    assert read_weights(pd.Series(cells), 2).dtype == np.float64


def test_labels_that_are_missing_may_be_an_error():
    with pytest.raises(DatasetError, match=r"1 of 6 rows have no label in column 'label'"):
        take_rows(frame(), "label", plan(exclude_nan_labels=False))


def test_a_missing_column_is_named():
    with pytest.raises(DatasetError, match=r"no column 'weigth' of weight_column_name"):
        take_rows(frame(), "label", plan(weight_column="weigth"))
    with pytest.raises(DatasetError, match=r"no column 'G' of group_column_name.*'g'"):
        take_rows(frame(), "label", plan(ValidationOptions(group_column="G")))


def test_groups_are_coded_without_gaps_among_the_rows_that_stay():
    data = frame().assign(label=[None, "y", None, "y", "x", "x"])
    rows = take_rows(data, "label", plan(ValidationOptions(group_column="g")))
    assert rows.groups is not None
    assert rows.groups.tolist() == [0, 1, 0, 1]


def test_a_row_without_a_group_is_refused():
    data = frame().assign(g=["a", None, "a", "c", "b", "c"])
    with pytest.raises(DatasetError, match="'g' is empty in 1 rows"):
        take_rows(data, "label", plan(ValidationOptions(group_column="g")))


def test_split_columns_become_positions_among_the_rows_that_stay():
    rows = take_rows(frame(), "label", plan(ValidationOptions(cv_split_columns=("cv",))))
    ((train, valid),) = rows.splits
    assert (train.tolist(), valid.tolist()) == ([0, 1, 2], [3, 4])


def test_given_positions_count_all_rows_of_the_data():
    options = ValidationOptions(cv_splits=read_splits([[[0, 1, 4], [5]]]))
    ((train, valid),) = take_rows(frame(), "label", plan(options)).splits
    assert (train.tolist(), valid.tolist()) == ([0, 1], [4])


def test_positions_behind_the_last_row_are_refused():
    options = ValidationOptions(cv_splits=read_splits([[[0, 1], [6]]]))
    with pytest.raises(DatasetError, match="names row 6, but the training data has 6 rows"):
        take_rows(frame(), "label", plan(options))


def test_nothing_is_copied_when_all_rows_stay():
    data = frame().assign(label=["x", "y"] * 3)
    taken = take_rows(data, "label", plan()).X
    assert np.shares_memory(taken["size"].to_numpy(), data["size"].to_numpy())
