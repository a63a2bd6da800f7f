"""``%%automl``: what a cell means, and what is said about its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

import nbautoml
from tests.unit.magics.conftest import Shell


def test_a_cell_submits_a_run_and_binds_it(shell: Shell) -> None:
    shell.run("%%automl df\nlabel: died\nmetric: auc\niterations: 3")
    run = shell.ip.user_ns["run"]
    assert isinstance(run, nbautoml.AutoMLRun)
    assert run.experiment.name == "df"
    config = run.get_details()["runDefinition"]["config"]
    assert config["primary_metric"] == "AUC_weighted"
    assert config["iterations"] == 3
    assert config["task"] == "classification"


def test_the_live_view_is_shown(shell: Shell) -> None:
    shown = shell.run("%%automl df\nlabel: died\ntask: classification")
    kinds = [set(o.data) for o in shown.outputs]
    assert any("application/vnd.nbautoml.run+json" in kind for kind in kinds) or shown.stdout


def test_a_guessed_task_is_said(shell: Shell) -> None:
    text = shell.text("%%automl df --no-widget\nlabel: age")
    assert "Task regression, guessed from age" in text
    assert "run = AutoML_" in text


def test_flags_do_the_same_as_lines(shell: Shell) -> None:
    flags = "--target died --task classification --experiment e --name mine --no-widget"
    shell.run(f"%%automl df {flags}\niterations: 2")
    assert shell.ip.user_ns["mine"].experiment.name == "e"


def test_a_dry_run_shows_python_that_works_and_starts_nothing(shell: Shell) -> None:
    text = shell.text("%%automl df --dry-run\nlabel: died\ntask: classification\niterations: 2")
    assert "run" not in shell.ip.user_ns
    code = text[text.index("from nbautoml import") :]
    assert "    training_data=df,\n" in code
    shell.ip.run_cell("import nbautoml; nbautoml.Workspace.create('w')")
    shell.run(code)
    assert [r.type for r in shell.runs()] == ["automl"]


def test_code_is_shown_and_the_run_started(shell: Shell) -> None:
    text = shell.text("%%automl df --code --no-widget\nlabel: died\ntask: classification")
    assert "from nbautoml import AutoMLConfig, Experiment, RunDetails, Workspace" in text
    assert len(shell.runs()) == 1


def test_a_workspace_is_made_where_there_is_none_and_said_so(shell: Shell) -> None:
    text = shell.text("%%automl df --no-widget\nlabel: died\ntask: classification")
    assert "Made workspace 'my-project'" in text
    assert (Path.cwd() / ".nbautoml" / "config.json").is_file()


def test_a_file_is_data_too(shell: Shell) -> None:
    shell.ip.user_ns["df"].to_csv("heart.csv", index=False)
    shell.run("%%automl heart.csv --no-widget\nlabel: died\ntask: classification")
    assert shell.ip.user_ns["run"].experiment.name == "heart"


def test_a_registered_dataset_is_data_too(shell: Shell) -> None:
    ws = nbautoml.Workspace.create("w")
    nbautoml.Dataset.Tabular.from_pandas_dataframe(shell.ip.user_ns["df"]).register(ws, name="h")
    shell.run("%%automl --no-widget\ndata: h:1\nlabel: died\ntask: classification")
    assert shell.ip.user_ns["run"].get_details()["runDefinition"]["dataset"] == "h:1"


def test_braces_and_dollars_are_left_alone(shell: Shell) -> None:
    shell.ip.user_ns["df"]["$x"] = shell.ip.user_ns["df"]["died"]
    shell.run("%%automl df --no-widget\nlabel: $x\ntask: classification")
    assert shell.ip.user_ns["run"].properties["label_column_name"] == "$x"


@pytest.mark.parametrize("label", ["7", "[7]"])
def test_numbered_columns_can_be_the_label(shell: Shell, label: str) -> None:
    shell.ip.user_ns["numbered"] = shell.ip.user_ns["df"].set_axis([5, 6, 7], axis="columns")
    shell.run(f"%%automl numbered --no-widget\nlabel: {label}\ntask: classification")
    assert shell.ip.user_ns["run"].properties["label_column_name"] == "7"


def test_the_label_is_checked_in_datasets_too(shell: Shell) -> None:
    shell.ip.user_ns["df"].to_csv("heart.csv", index=False)
    text = shell.text("%%automl heart.csv\nlabel: diedd\ntask: classification")
    assert "line 2: heart has no column 'diedd'. Did you mean 'died'?" in text


MISTAKES = {
    "%%automl df\nlabel: [died, sex]": "line 2: label_column_name must be one column of df",
    "%%automl df\nlabel: died\niteratons: 3": "line 3: %%automl has no setting 'iteratons'. "
    "Did you mean 'iterations'?",
    "%%automl df\nlabel: died\ntask: classification\niterations: none-of": "line 4: iterations",
    "%%automl df\nlabel: died\ntask: classification\nmetric: r2": "line 4: primary_metric",
    "%%automl df\nlabel: diedd": "line 2: df has no column 'diedd'. Did you mean 'died'?",
    "%%automl dff\nlabel: died": "Did you mean 'df'?",
    "%%automl df\nlabel: died\nlabel: sex": "line 3: label_column_name is in line 2 already",
    "%%automl df\nlabel: [": "line 2",
    "%%automl df\njust words": "expects lines of 'key: value'",
    "%%automl df\ntask: classification": "needs the column to predict",
    "%%automl\nlabel: died": "needs data",
    "%%automl df --taget died\niterations: 1": "no flag '--taget'. Did you mean '--target'?",
    "%%automl df --target died\nlabel: sex": "line 2: label_column_name is given behind",
    "%%automl df\nlabel: died\ntask: classification\nallowed_models: [LigthGBM]": "LightGBM",
    "%%automl df\nlabel: died\ntask: forecasting": "line 3",
    "%%automl df --name 1x\nlabel: died": "must be a name of a variable",
}


@pytest.mark.parametrize("cell", MISTAKES)
def test_a_mistake_is_one_message_without_a_traceback(shell: Shell, cell: str) -> None:
    text = shell.text(cell)
    assert MISTAKES[cell] in text
    assert "Traceback" not in text
    assert "File " not in text
    assert "run" not in shell.ip.user_ns


def test_a_cell_names_test_data_and_columns_of_rows(shell: Shell) -> None:
    shell.ip.user_ns["later"] = shell.ip.user_ns["df"].head(3)
    cell = "%%automl df --no-widget\nlabel: died\ntask: classification\niterations: 2\n"
    shell.run(cell + "test_data: later\nweight_column_name: age")
    settings = shell.ip.user_ns["run"].get_details()["runDefinition"]
    assert settings["test_data"] is not None
    assert settings["columns_aside"] == ["age"]


@pytest.mark.parametrize("splits", ["splits", "[[[0, 1, 2, 3], [4, 5]]]"])
def test_a_cell_gives_splits_as_lists_or_by_name(shell: Shell, splits: str) -> None:
    shell.ip.user_ns["splits"] = [[[0, 1, 2, 3], [4, 5]]]
    cell = "%%automl df --no-widget\nlabel: died\ntask: classification\n"
    shell.run(f"{cell}cv_splits_indices: {splits}")
    assert "internal/cv_splits.npz" in shell.ip.user_ns["run"].get_file_names()


def test_a_missing_variable_of_splits_is_told_with_its_line(shell: Shell) -> None:
    cell = "%%automl df --no-widget\nlabel: died\ntask: classification\ncv_splits_indices: nothing"
    assert "line 4: cv_splits_indices must be lists of rows" in shell.text(cell)


@pytest.mark.parametrize("name", ["heart.csv", "heart.jsonl"])
def test_files_of_other_forms_are_data_too(shell: Shell, name: str) -> None:
    frame = shell.ip.user_ns["df"]
    if name.endswith("csv"):
        frame.to_csv(name, index=False, sep=";")
    else:
        frame.to_json(name, orient="records", lines=True)
    text = shell.text(f"%%automl {name} --dry-run\nlabel: died")
    assert "label_column_name='died'" in text
    assert ("separator=';'" in text) == name.endswith("csv")


def test_a_dataset_may_have_a_colon_in_its_name(shell: Shell) -> None:
    ws = nbautoml.Workspace.create("w")
    data = nbautoml.Dataset.Tabular.from_pandas_dataframe(shell.ip.user_ns["df"])
    data.register(ws, name="heart:new")
    text = shell.text("%%automl heart:new:1 --dry-run\nlabel: died")
    assert "Dataset.get_by_name(ws, 'heart:new', version=1)" in text
