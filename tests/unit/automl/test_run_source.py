"""A run as source: what is written is read back as the same run."""

from __future__ import annotations

import pytest

from nbautoml.automl.run_source import cell_source, python_source, setup_source
from nbautoml.magics.body import parse_body
from nbautoml.magics.flags import parse_line

ODD = [
    "died",
    "yes",
    "7",
    "1e3",
    "null",
    "a: b",
    "# no comment",
    "- x",
    "[a, b]",
    "{a}",
    "it's",
    'say "x"',
    "tab\tand\nline",
    "é ü 漢 😀",
    "back\\slash",
    "  blanks  ",
    "%s {x} $y",
    "\u2028",
    "*anchor",
    "@at",
    "'",
    "|",
    "?",
]


def read(cell: str) -> tuple[str, dict[str, object]]:
    """Return the data and the settings that a cell gives, as the magic reads it."""
    first, _, below = cell.partition("\n")
    assert first.startswith("%%automl")
    line, body = parse_line(first.removeprefix("%%automl")), parse_body(below)
    settings = dict(body.settings)
    data = line.data if line.data is not None else settings.pop("training_data")
    return str(data), settings


@pytest.mark.parametrize("name", ODD)
def test_odd_names_of_columns_come_back(name: str) -> None:
    overrides = {"column_purposes": {name: "Text"}, "drop_columns": [name, "id"]}
    settings = {
        "label_column_name": name,
        "task": "classification",
        "cv_split_column_names": [name],
        "featurization": overrides,
    }
    assert read(cell_source(settings, "d")) == ("d", settings)


@pytest.mark.parametrize("name", [*ODD, "--wait", "-x.csv", "../a b/c.csv", "heart:2"])
def test_odd_names_of_data_come_back(name: str) -> None:
    assert read(cell_source({"iterations": 3}, name)) == (name, {"iterations": 3})


@pytest.mark.parametrize("value", [5, 0.25, 1e-05, True, False, "auto", ["LightGBM", "KNN"]])
def test_values_keep_their_types(value: object) -> None:
    name = {list: "allowed_models", bool: "enable_voting_ensemble"}.get(
        type(value), "n_cross_validations"
    )
    assert read(cell_source({name: value}, "d"))[1] == {name: value}


def test_a_cell_is_short() -> None:
    settings = {
        "label_column_name": "died",
        "task": "classification",
        "primary_metric": "AUC_weighted",
        "experiment_timeout_minutes": 15,
        "featurization": {"column_purposes": {"zip": "Categorical"}, "drop_columns": ["id"]},
    }
    assert cell_source(settings, "my heart.csv", experiment="e-1") == (
        "%%automl 'my heart.csv' --experiment e-1\n"
        "label: died\n"
        "task: classification\n"
        "metric: AUC_weighted\n"
        "timeout_minutes: 15\n"
        "featurization:\n"
        "  column_purposes:\n"
        "    zip: Categorical\n"
        "  drop_columns: [id]"
    )


def test_python_names_the_data_and_the_workspace() -> None:
    code = python_source(
        {"training_data": None, "task": "regression"},
        {"training_data": "Dataset.get_by_name(ws, 'd')"},
        "e",
        home="Workspace.from_config('..')",
    )
    assert "import AutoMLConfig, Dataset, Experiment, RunDetails, Workspace\n" in code
    assert "ws = Workspace.from_config('..')\n" in code
    assert "    training_data=Dataset.get_by_name(ws, 'd'),\n    task='regression',\n" in code
    compile(code, "cell", "exec")


def test_the_workspace_is_opened_only_where_a_cell_does_not_find_it() -> None:
    assert setup_source() == "%load_ext nbautoml"
    assert setup_source("Workspace.from_config('..')") == (
        "%load_ext nbautoml\nfrom nbautoml import Workspace\n\nws = Workspace.from_config('..')"
    )
