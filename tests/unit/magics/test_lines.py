"""``%automl``: lines that look after runs."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

import nbautoml
from nbautoml.automl.options import AUTOML_OPTIONS
from nbautoml.magics.body import known_keys
from nbautoml.magics.commands import COMMANDS
from nbautoml.magics.life import predictions_of
from tests.unit.magics.conftest import Shell

CELL = "%%automl df --no-widget\nlabel: died\ntask: classification"


def test_status_tells_how_the_run_stands(shell: Shell) -> None:
    shell.run(CELL)
    assert shell.ip.user_ns["run"].id in shell.text("%automl status")


def test_a_run_can_be_named_by_variable_and_by_id(shell: Shell) -> None:
    shell.run(CELL.replace("--no-widget", "--no-widget --name first"))
    first = shell.ip.user_ns["first"].id
    assert first in shell.text("%automl status first")
    assert first in shell.text(f"%automl status {first[:15]}")


def test_the_latest_run_is_meant_when_none_is_named(shell: Shell) -> None:
    shell.run(CELL)
    run_id = shell.ip.user_ns.pop("run").id
    assert run_id in shell.text("%automl status")


def test_runs_are_listed(shell: Shell) -> None:
    shell.run(CELL)
    run_id = shell.ip.user_ns["run"].id
    assert run_id in shell.text("%automl runs")
    assert run_id in shell.text("%automl runs df")
    assert "No experiment is called 'dff'. Did you mean 'df'?" in shell.text("%automl runs dff")


@pytest.mark.parametrize("word", ["cancel", "stop"])
def test_a_run_can_be_stopped(shell: Shell, word: str) -> None:
    shell.run(CELL)
    assert "is asked to stop" in shell.text(f"%automl {word}")
    assert shell.ip.user_ns["run"].get_status() == "Canceled"
    assert "has ended already: Canceled" in shell.text(f"%automl {word}")


def test_best_says_when_there_is_none(shell: Shell) -> None:
    shell.run(CELL)
    assert "no completed model yet" in shell.text("%automl best")


def test_without_a_workspace_nothing_breaks(shell: Shell) -> None:
    assert "no runs" in shell.text("%automl runs")
    assert "no workspace here yet" in shell.text("%automl status")


def test_an_unknown_word_gets_a_hint(shell: Shell) -> None:
    assert "no command 'statsu'. Did you mean 'status'?" in shell.text("%automl statsu")


def test_data_is_registered_listed_and_shown(shell: Shell) -> None:
    assert "There is no workspace here yet, so there are no datasets" in shell.text(
        "%automl dataset"
    )
    assert "heart is version 1" in shell.text("%automl dataset heart = df")
    assert "heart is version 1" in shell.text("%automl dataset heart = df")  # the same content
    shell.ip.user_ns["df"] = shell.ip.user_ns["df"].head(30)
    assert "heart is version 2" in shell.text("%automl dataset heart = df")
    listed = shell.text("%automl dataset")
    assert "heart" in listed and "30" in listed
    assert "version=1" in shell.text("%automl dataset heart:1")


@pytest.mark.parametrize("line", ["heart =", "= df", "="])
def test_data_is_not_registered_without_a_name_or_data(shell: Shell, line: str) -> None:
    assert "To register data: %automl dataset NAME = DATA" in shell.text(f"%automl dataset {line}")


def test_unknown_data_gets_a_hint(shell: Shell) -> None:
    shell.run("%automl dataset heart = df")
    assert "Did you mean 'heart'?" in shell.text("%automl dataset hart")
    assert "Did you mean 'df'?" in shell.text("%automl dataset heart = dff")


def test_compute_targets_are_listed(shell: Shell) -> None:
    assert "local" in shell.text("%automl compute")
    assert "No compute target is called 'lokal'. Did you mean 'local'?" in shell.text(
        "%automl compute lokal"
    )


def test_models_say_how_to_make_one(shell: Shell) -> None:
    shell.run(CELL)
    assert "%automl model NAME = RUN" in shell.text("%automl model")
    assert "To register a model" in shell.text("%automl model heart =")
    assert "To register a model" in shell.text("%automl model heart = run best")
    assert "no completed model yet" in shell.text("%automl model heart = run")


def test_a_run_predicts_and_the_notebook_gets_the_predictions(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = shell.ip.user_ns["df"]
    fitted = DummyClassifier(strategy="prior").fit(frame[["age"]], frame["died"])
    monkeypatch.setattr(nbautoml.AutoMLRun, "get_output", lambda run: (run, fitted))
    shell.run(CELL)
    frame.index = range(100, 140)
    assert "predictions has 40 rows." in shell.text("%automl predict run df")
    found = shell.ip.user_ns["predictions"]
    assert list(found.columns) == ["prediction", "probability of no", "probability of yes"]
    assert found.index.equals(frame.index)
    assert found["probability of no"].iloc[0] == pytest.approx(0.75)
    shell.run("%automl predict run df mine")
    assert len(shell.ip.user_ns["mine"]) == 40


def test_predictions_of_numbers_have_no_probabilities() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    found = predictions_of(DummyRegressor().fit(frame, [1.0, 3.0]), frame)
    assert found.to_dict("list") == {"prediction": [2.0, 2.0]}


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("", "takes a model and data"),
        ("heart", "takes a model and data"),
        ("heart df 1x", "need a name of a variable; got '1x'"),
        ("hart df", "'hart' is no registered model, no deployment and no run."),
    ],
)
def test_a_wrong_prediction_is_explained(shell: Shell, line: str, answer: str) -> None:
    assert answer in shell.text(f"%automl predict {line}")


def test_words_behind_a_command_are_completed(shell: Shell) -> None:
    shell.run(CELL)
    shell.run("%automl dataset heart = df")
    assert "heart" in shell.complete("%automl dataset h")
    assert "run" in shell.complete("%automl predict r")
    assert "df" in shell.complete("%automl predict run d")
    assert "local" in shell.complete("%automl compute l")


def test_help_names_every_command_and_setting(shell: Shell) -> None:
    text = shell.text("%automl help")
    assert shell.text("%automl").strip() == text.strip()
    missing = [name for name in [*COMMANDS, *known_keys()] if name not in text]
    assert [n for n in missing if n in COMMANDS or n in AUTOML_OPTIONS] == []


@pytest.mark.parametrize("key", known_keys())
def test_help_on_a_setting_has_its_sentence(shell: Shell, key: str) -> None:
    text = shell.text(f"%automl help {key}")
    assert "No setting is called" not in text
    assert len(text.split()) > 5
