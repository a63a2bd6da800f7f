"""The form's fields are the declared settings, no more and no less."""

from __future__ import annotations

import json

import pytest

from nbautoml.automl.form.fields import SECTIONS, SUGGESTED, form_declaration, form_names, kind_of
from nbautoml.automl.options import AUTOML_OPTIONS, DATA_OPTIONS
from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task

FORM = form_declaration()
FIELDS = {
    field["name"]: field
    for section in FORM["sections"]
    for field in (*section["fields"], *section["more"])
}


def test_it_is_json() -> None:
    assert json.loads(json.dumps(FORM, allow_nan=False)) == FORM


def test_every_setting_of_its_groups_has_just_one_field() -> None:
    groups = {group for section in SECTIONS for group in section.groups}
    expected = {
        option.name
        for option in AUTOML_OPTIONS.values()
        if option.group in groups and not option.not_yet and not option.no_effect
        if option.name not in DATA_OPTIONS and kind_of(option.constraint)
    }
    assert set(FIELDS) == expected - {"experiment_timeout_hours"} | {"experiment"}
    names = [f["name"] for s in FORM["sections"] for f in (*s["fields"], *s["more"])]
    assert len(names) == len(set(names))
    assert set(form_names()) == set(FIELDS) - {"experiment"}


def test_settings_that_do_nothing_yet_are_not_offered() -> None:
    assert not {"y_min", "verbosity", "time_column_name"} & set(FIELDS)
    assert "model_explainability" in FIELDS


def test_fields_say_what_the_declaration_says() -> None:
    field = FIELDS["iterations"]
    assert field["kind"] == "number"
    assert field["takes"] == "a whole number of at least 1"
    assert field["unit"] == "models"
    assert field["doc"] == AUTOML_OPTIONS["iterations"].doc


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_metrics_are_those_that_the_task_reports(task: Task) -> None:
    offered = [
        name
        for group in FIELDS["primary_metric"]["choices"][task.value]
        for name, _ in group["words"]
    ]
    assert set(offered) == {spec.name for spec in metrics_for(task, has_positive=True)}
    assert FIELDS["primary_metric"]["default"][task.value] in offered


def test_models_are_those_of_the_task() -> None:
    choices = FIELDS["allowed_models"]["choices"]
    offered = {task: {name for name, _ in choices[task][0]["words"]} for task in FORM["tasks"]}
    assert "LogisticRegression" in offered["classification"] - offered["regression"]
    assert "ElasticNet" in offered["regression"] - offered["classification"]


def test_only_tasks_that_can_be_run_are_offered() -> None:
    assert FORM["tasks"] == ["classification", "regression"]
    words = FIELDS["task"]["choices"]["classification"][0]["words"]
    assert [name for name, _ in words] == FORM["tasks"]


def test_what_is_left_to_the_run_is_no_box_to_tick() -> None:
    assert FIELDS["enable_stack_ensemble"]["kind"] == "choice"
    assert FIELDS["enable_voting_ensemble"]["kind"] == "flag"


def test_suggested_values_belong_to_fields() -> None:
    assert set(SUGGESTED) <= set(FIELDS)
