"""A draft: what a form holds, read and checked field by field."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from nbautoml.automl.form.draft import Draft, read_draft
from nbautoml.errors import ConfigError

COLUMNS = ["age", "zip", "id", "died"]
FRAME = pd.DataFrame(
    {"age": range(40), "zip": ["a", "b"] * 20, "id": range(40), "died": ["yes", "no"] * 20}
)


def draft(columns: dict[str, str] | None = None, experiment: str = "", **settings: Any) -> Draft:
    given = {"label_column_name": "died", "task": "classification"} | settings
    form = {"settings": given, "columns": columns or {}, "experiment": experiment}
    return read_draft(form, COLUMNS, "Heart failure")


def problems(found: Draft) -> list[tuple[str, str]]:
    return [(problem.field, problem.message) for problem in found.problems]


def test_what_was_typed_becomes_a_config() -> None:
    found = draft(iterations=" 5 ", experiment_timeout_minutes="0.5", n_cross_validations="auto")
    assert problems(found) == []
    config = found.config(FRAME)
    assert config.values["iterations"] == 5
    assert config.values["experiment_timeout_minutes"] == 0.5
    assert config.values["n_cross_validations"] == "auto"


def test_what_was_not_given_or_is_so_anyway_is_left_out() -> None:
    found = draft(
        iterations="", enable_early_stopping=True, featurization="auto", blocked_models=[]
    )
    assert dict(found.settings) == {"label_column_name": "died", "task": "classification"}


def test_false_and_open_flags_are_given() -> None:
    found = draft(enable_early_stopping=False, enable_stack_ensemble="false")
    assert found.settings["enable_early_stopping"] is False
    assert found.settings["enable_stack_ensemble"] is False


def test_columns_become_a_featurization() -> None:
    found = draft({"zip": "Categorical", "id": "drop"})
    assert found.settings["featurization"] == {
        "column_purposes": {"zip": "Categorical"},
        "drop_columns": ["id"],
    }
    assert found.config(FRAME).values["featurization"].drop_columns == ["id"]


@pytest.mark.parametrize(
    ("settings", "field", "message"),
    [
        ({"iterations": "none"}, "iterations", "iterations must be a whole number of at least 1"),
        ({"iterations": "1.5"}, "iterations", "got 1.5"),
        ({"n_cross_validations": "1"}, "n_cross_validations", "or a whole number of at least 2"),
        ({"task": ""}, "task", "task is missing"),
        ({"label_column_name": ""}, "label_column_name", "label_column_name is missing"),
        ({"label_column_name": "dead"}, "label_column_name", "Did you mean"),
        ({"primary_metric": "r2_score"}, "primary_metric", "must be one of"),
        ({"primary_metric": "AUC_binary"}, "primary_metric", "positive_label"),
        ({"allowed_models": ["ElasticNet"]}, "allowed_models", "must be among"),
        ({"weight_column_name": "died"}, "weight_column_name", "is the label"),
        ({"validation_size": "1"}, "validation_size", "below 1"),
        ({"featurization": "of"}, "featurization", "must be one of"),
    ],
)
def test_a_mistake_is_one_sentence_at_its_field(
    settings: dict[str, Any], field: str, message: str
) -> None:
    found = problems(draft(**settings))
    assert [name for name, _ in found] == [field]
    assert message in found[0][1]
    assert "AutoMLConfig" not in found[0][1]


def test_all_values_that_are_wrong_by_themselves_are_told_at_once() -> None:
    found = problems(draft(iterations="x", test_size="2", experiment="a b"))
    assert [name for name, _ in found] == ["iterations", "test_size", "experiment"]


def test_what_is_wrong_with_columns_is_told_at_the_table() -> None:
    (problem,) = problems(draft({"died": "Text"}))
    assert problem[0] == "columns"
    assert "which is the label" in problem[1]
    assert problems(draft({"zip": "Colour"}))[0][0] == "columns"


def test_choices_for_columns_need_featurization() -> None:
    (problem,) = problems(draft({"zip": "Text"}, featurization="off"))
    assert problem[0] == "featurization"


def test_the_experiment_is_named_after_the_data_unless_said_otherwise() -> None:
    assert draft().experiment == "Heart-failure"
    assert "--experiment" not in _cell(draft())
    assert "--experiment mine" in _cell(draft(experiment="mine"))


def _cell(found: Draft) -> str:
    home = "Workspace.from_config()"
    return found.sources("heart.csv", "data", home=home, cell_home=home)["cell"]


def test_a_draft_with_problems_is_no_config() -> None:
    with pytest.raises(ConfigError, match="iterations must be"):
        draft(iterations="0").config(FRAME)


@pytest.mark.parametrize(
    "form",
    [
        {"settings": ["x"]},
        {"settings": {"verbosity": "1"}},
        {"settings": {"training_data": "x"}},
        {"columns": "zip"},
        {"experiment": 3},
    ],
)
def test_what_no_form_sends_is_refused(form: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read_draft(form, COLUMNS, "d")
