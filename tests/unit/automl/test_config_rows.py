"""Settings that say what rows count, belong to, validate or test."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.resolve import resolve
from nbautoml.engine.plan import SearchPlan
from nbautoml.errors import ConfigError, DatasetError, NbAutoMLError

FRAME = pd.DataFrame(
    {
        "age": [40, 50, 60],
        "w": [1.0, 2.0, 3.0],
        "patient": ["a", "a", "b"],
        "cv1": [1, 1, 0],
        "cv2": [0, 1, 1],
        "ill": [0, 1, 0],
    }
)
SPLITS = [[[0, 1], [2]]]


def make(**settings: object) -> AutoMLConfig:
    defaults: dict[str, object] = {"training_data": FRAME, "label_column_name": "ill"}
    return AutoMLConfig("classification", **(defaults | settings))


def plan(**settings: object) -> SearchPlan:
    return resolve(make(**settings), n_slots=1, timeout_seconds=None)


def test_columns_reach_the_plan() -> None:
    made = plan(weight_column_name="w", cv_split_column_names=["cv1", "cv2"])
    assert made.weight_column == "w"
    assert made.validation.cv_split_columns == ("cv1", "cv2")
    assert made.columns_aside == ("w", "cv1", "cv2")
    grouped = plan(group_column_name="patient", exclude_nan_labels=False)
    assert grouped.validation.group_column == "patient"
    assert grouped.columns_aside == ("patient",)
    assert grouped.exclude_nan_labels is False


def test_one_split_column_may_be_named_alone() -> None:
    assert plan(cv_split_column_names="cv1").validation.cv_split_columns == ("cv1",)


def test_numbered_columns_are_texts_in_the_plan() -> None:
    frame = FRAME.set_axis(range(6), axis="columns")
    config = AutoMLConfig(
        "classification",
        training_data=frame,
        label_column_name=5,
        weight_column_name=1,
        group_column_name=2,
    )
    made = resolve(config, n_slots=1, timeout_seconds=None)
    assert made.columns_aside == ("1", "2")


def test_given_rows_reach_the_plan_and_are_no_part_of_the_written_form() -> None:
    config = make(cv_splits_indices=[[np.array([1, 0]), np.array([2])]])
    ((train, valid),) = resolve(config, n_slots=1, timeout_seconds=None).validation.cv_splits
    assert (train.tolist(), valid.tolist()) == ([0, 1], [2])
    assert "cv_splits_indices" not in json.loads(json.dumps(config.to_dict()))


@pytest.mark.parametrize(
    ("settings", "is_auto", "budget"),
    [
        ({"n_cross_validations": "auto"}, True, None),
        ({"n_cross_validations": "auto", "experiment_timeout_minutes": 30}, True, 1800.0),
        ({"n_cross_validations": "auto", "experiment_timeout_hours": 1}, True, 3600.0),
        (
            {"n_cross_validations": "auto", "experiment_timeout_minutes": 30, "iterations": 9},
            True,
            None,
        ),
        ({"n_cross_validations": 4}, False, None),
    ],
)
def test_auto_counts_the_time_that_the_run_was_given(
    settings: dict[str, object], is_auto: bool, budget: float | None
) -> None:
    validation = plan(**settings).validation
    assert (validation.is_auto, validation.budget_seconds) == (is_auto, budget)


def test_what_is_left_of_the_time_does_not_count_for_auto() -> None:
    config = make(n_cross_validations="auto", experiment_timeout_minutes=30)
    assert resolve(config, n_slots=1, timeout_seconds=1.0).validation.budget_seconds == 1800.0


BOTH = {
    "validation_data": FRAME,
    "cv_splits_indices": SPLITS,
    "cv_split_column_names": ["cv1"],
    "n_cross_validations": 3,
    "validation_size": 0.3,
    "group_column_name": "patient",
}


@pytest.mark.parametrize("first", ["validation_data", "cv_splits_indices", "cv_split_column_names"])
@pytest.mark.parametrize("second", BOTH)
def test_two_ways_of_validation_are_refused(first: str, second: str) -> None:
    if first == second:
        return
    with pytest.raises(ConfigError, match="AutoMLConfig got both") as caught:
        make(**{first: BOTH[first], second: BOTH[second]})
    assert first in str(caught.value)
    assert second in str(caught.value)


@pytest.mark.parametrize("other", [{}, {"n_cross_validations": 3}, {"validation_size": 0.3}])
def test_groups_go_with_any_drawn_split(other: dict[str, object]) -> None:
    assert plan(group_column_name="patient", **other).validation.group_column == "patient"


REFUSED = [
    ({"validation_size": 1}, "validation_size of AutoMLConfig must be .* below 1; got 1"),
    ({"test_size": 1}, "test_size of AutoMLConfig must be .* below 1; got 1"),
    (
        {"n_cross_validations": "auto", "validation_size": 0.2},
        "n_cross_validations='auto' and validation_size",
    ),
    ({"test_size": 0.2, "test_data": FRAME}, "got both test_data and test_size"),
    (
        {"test_size": 0.2, "cv_split_column_names": ["cv1"]},
        "got both cv_split_column_names and test_size",
    ),
    (
        {"test_data": FRAME, "cv_split_column_names": ["cv1"]},
        "got both cv_split_column_names and test_data",
    ),
    ({"test_size": 0.2, "cv_splits_indices": SPLITS}, "got both cv_splits_indices and test_size"),
    (
        {"weight_column_name": "weight"},
        r"weight_column_name of AutoMLConfig is 'weight', which is no column of training_data",
    ),
    (
        {"weight_column_name": "ill"},
        "weight_column_name of AutoMLConfig is 'ill', which is the label",
    ),
    ({"group_column_name": "Patient"}, "group_column_name .* 'Patient', which is no column"),
    ({"group_column_name": "ill"}, "group_column_name .* which is the label"),
    (
        {"cv_split_column_names": ["cv1", "cv3"]},
        "cv_split_column_names .* 'cv3', which is no column",
    ),
    ({"cv_split_column_names": ["ill"]}, "cv_split_column_names .* which is the label"),
    ({"cv_split_column_names": ["cv1", "cv1"]}, "names a column more than once"),
    (
        {"weight_column_name": "w", "validation_data": FRAME.drop(columns="w")},
        "weight_column_name .* which is no column of validation_data",
    ),
    (
        {"weight_column_name": "w", "test_data": FRAME.drop(columns="w")},
        "weight_column_name .* which is no column of test_data",
    ),
    ({"cv_splits_indices": [[[0, 1], [1]]]}, "1 rows both in training and in validation"),
    (
        {"weight_column_name": "w", "featurization": {"column_purposes": {"w": "Numeric"}}},
        "featurization of AutoMLConfig names 'w', which is no feature",
    ),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_what_cannot_be_is_refused_when_it_is_given(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"test_size": 0.0, "cv_split_column_names": ["cv1"]},
        {"test_data": FRAME, "cv_splits_indices": SPLITS},
        {"test_data": FRAME.drop(columns="ill"), "test_include_predictions_only": True},
        {"test_size": 0.2, "group_column_name": "patient", "weight_column_name": "w"},
        {"validation_data": FRAME, "test_size": 0.2},
    ],
)
def test_what_goes_together_is_accepted(settings: dict[str, object]) -> None:
    assert make(**settings).given >= set(settings)


def old(**settings: object) -> AutoMLConfig:
    data = {"X": FRAME[["age"]], "y": FRAME["ill"]}
    return AutoMLConfig("classification", **(data | settings))


@pytest.mark.filterwarnings("ignore:.*old name")
class TestSampleWeight:
    """The spelling of 2018 to 2020."""

    def test_it_becomes_a_column(self) -> None:
        config = old(sample_weight=np.array([1.0, 2.0, 3.0]))
        assert config.values["weight_column_name"] == "sample_weight"
        frame = config.values["training_data"]
        assert list(frame.columns) == ["age", "ill", "sample_weight"]
        assert frame["sample_weight"].tolist() == [1.0, 2.0, 3.0]

    def test_validation_rows_have_theirs(self) -> None:
        config = old(
            X_valid=FRAME[["age"]],
            y_valid=FRAME["ill"],
            sample_weight=[1.0, 2.0, 3.0],
            sample_weight_valid=[4.0, 5.0, 6.0],
        )
        assert config.values["validation_data"]["sample_weight"].tolist() == [4.0, 5.0, 6.0]

    @pytest.mark.parametrize(
        "settings",
        [
            {"sample_weight_valid": [1, 2, 3]},
            {"X_valid": FRAME[["age"]], "y_valid": FRAME["ill"], "sample_weight": [1, 2, 3]},
            {"X_valid": FRAME[["age"]], "y_valid": FRAME["ill"], "sample_weight_valid": [1, 2, 3]},
        ],
    )
    def test_both_parts_need_weights(self, settings: dict[str, object]) -> None:
        with pytest.raises(ConfigError, match="sample_weight_valid .* go together"):
            old(**settings)

    def test_sizes_must_match(self) -> None:
        message = "training_data has 3 rows and sample_weight has 2"
        with pytest.raises(DatasetError, match=message):
            old(sample_weight=[1.0, 2.0])

    @pytest.mark.parametrize("given", ["training_data", "weight_column_name"])
    def test_they_belong_to_X(self, given: str) -> None:
        with pytest.raises(NbAutoMLError, match="belong to X and y"):
            if given == "training_data":
                make(sample_weight=[1, 2, 3])
            else:
                old(sample_weight=[1, 2, 3], weight_column_name="age")
