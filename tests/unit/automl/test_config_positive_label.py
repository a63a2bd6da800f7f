"""The class for which binary metrics are reported."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbautoml import AutoMLConfig
from nbautoml.automl.resolve import resolve
from nbautoml.errors import ConfigError

FRAME = pd.DataFrame({"x": range(8), "y": ["no", "yes"] * 4, "code": [0, 1] * 4})


def make(task: str = "classification", label: str = "y", **settings: object) -> AutoMLConfig:
    return AutoMLConfig(task, training_data=FRAME, label_column_name=label, **settings)


def test_it_reaches_the_plan_also_from_stored_settings() -> None:
    config = AutoMLConfig.from_dict(make(positive_label="yes").to_dict())
    assert resolve(config, n_slots=1, timeout_seconds=None).positive_label == "yes"


@pytest.mark.parametrize("given", [1, 1.0, "1", np.int64(1)])
def test_whole_numbers_read_the_same_however_they_are_written(given: object) -> None:
    assert make(label="code", positive_label=given).values["positive_label"] == given


def test_without_one_there_is_none() -> None:
    assert resolve(make(), n_slots=1, timeout_seconds=None).positive_label is None


def test_no_class_of_the_label_is_refused_with_the_classes() -> None:
    with pytest.raises(ConfigError, match=r"'yess', which is no class .* 'no', 'yes'.*mean 'yes'"):
        make(positive_label="yess")


def test_a_task_without_classes_is_refused() -> None:
    with pytest.raises(ConfigError, match="task is 'regression', which has no classes"):
        make("regression", "code", positive_label=1)


@pytest.mark.parametrize("given", [["yes"], float("nan"), ""])
def test_something_that_is_no_class_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match="positive_label of AutoMLConfig must be a class"):
        make(positive_label=given)
