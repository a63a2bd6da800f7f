"""Which column is the label, and which task it is for."""

from __future__ import annotations

import pandas as pd
import pytest

from nbautoml.automl.guess import guess_label, guess_task


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (["target", "age"], "target"),
        (["y", "age"], "y"),
        (["pos_y", "age"], "age"),
        (["passenger_class", "Survived", "fare"], "Survived"),
        (["age", "DEATH_EVENT", "sex"], "DEATH_EVENT"),
        (["target_value", "x"], "target_value"),
        (["area", "SalePrice"], "SalePrice"),
        ([], ""),
    ],
)
def test_the_label_is_suggested_by_name_and_else_by_place(names: list[str], label: str) -> None:
    assert guess_label(names)[0] == label
    assert guess_label(names)[1]


@pytest.mark.parametrize(
    ("values", "task", "reason"),
    [
        (["a", "b", None], "classification", "2 different values that are no numbers"),
        ([True, False], "classification", "no numbers"),
        ([0.5, 1.5, 2.25], "regression", "fractions"),
        (list(range(21)), "regression", "21 different values"),
        (list(range(20)), "classification", "only 20 different values"),
    ],
)
def test_the_task_follows_from_the_values(values: list[object], task: str, reason: str) -> None:
    found, why = guess_task(pd.Series(values))
    assert found.value == task
    assert reason in why
