"""The code of trials of all families, features and ways of validation gives their own scores."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from sklearn.datasets import load_breast_cancer, load_iris

from nbautoml.domain.tasks import Task
from nbautoml.engine.codegen import ScriptFacts, write_notebook, write_script
from nbautoml.engine.featurize.options import FeaturizationOptions
from nbautoml.engine.models.catalog import families_for, get_family
from nbautoml.engine.validation import ValidationOptions
from tests.slow.engine.test_codegen import Prepared, candidate_of, is_equal, mixed, run_source

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[Task, Prepared]:
    return {
        task: Prepared(tmp_path_factory.mktemp(task.value), mixed(task), task)
        for task in (Task.CLASSIFICATION, Task.REGRESSION)
    }


def both_tasks() -> list[Any]:
    tasks = (Task.CLASSIFICATION, Task.REGRESSION)
    return [pytest.param(t, name, id=f"{name}-{t}") for t in tasks for name in families_for(t)]


@pytest.mark.parametrize(("task", "name"), both_tasks())
def test_the_code_of_each_family_gives_the_trials_metrics(
    prepared: dict[Task, Prepared], task: Task, name: str
) -> None:
    run = prepared[task]
    for place in range(min(2, len(get_family(name).portfolio(task)))):
        member, metrics = run.trial(candidate_of(name, task, place))
        source = write_script(run.script_facts(member))
        assert is_equal(run_source(source, run.frame), metrics)


@pytest.mark.parametrize("name", ["LightGBM", "RandomForest", "XGBoostRegressor"])
def test_a_label_learned_in_logarithms_is_written(
    prepared: dict[Task, Prepared], name: str
) -> None:
    run = prepared[Task.REGRESSION]
    member, metrics = run.trial(candidate_of(name, Task.REGRESSION, target="log"))
    assert is_equal(run_source(write_script(run.script_facts(member)), run.frame), metrics)


def weighted(frame: pd.DataFrame) -> pd.DataFrame:
    weights = np.random.default_rng(1).integers(0, 4, len(frame))
    return frame.assign(importance=weights)


WITH_WEIGHTS = ("LightGBM", "XGBoostRegressor", "ElasticNet", "KNN", "GradientBoosting", "SGD")


@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_weights_of_rows_are_used(tmp_path: Path, name: str) -> None:
    frame = weighted(mixed(Task.REGRESSION))
    run = Prepared(tmp_path, frame, Task.REGRESSION, weight_column="importance")
    member, metrics = run.trial(candidate_of(name, Task.REGRESSION))
    assert is_equal(run_source(write_script(run.script_facts(member)), frame), metrics)


@pytest.mark.parametrize("name", ["LightGBM", "MultinomialNaiveBayes", "LinearSVM"])
def test_weights_of_classified_rows_are_used(tmp_path: Path, name: str) -> None:
    frame = weighted(mixed(Task.CLASSIFICATION))
    run = Prepared(tmp_path, frame, Task.CLASSIFICATION, weight_column="importance")
    member, metrics = run.trial(candidate_of(name, Task.CLASSIFICATION))
    assert is_equal(run_source(write_script(run.script_facts(member)), frame), metrics)


def iris() -> pd.DataFrame:
    frame: pd.DataFrame = load_iris(as_frame=True).frame.rename(columns={"target": "label"})
    return frame.assign(plant=np.arange(len(frame)) // 5)


@pytest.mark.parametrize(
    "options",
    [
        ValidationOptions(validation_size=0.3),
        ValidationOptions(n_cross_validations=4, validation_size=0.25),
        ValidationOptions(n_cross_validations=4, group_column="plant"),
        ValidationOptions(validation_size=0.3, group_column="plant"),
    ],
    ids=["hold-out", "random", "groups", "hold-out of groups"],
)
@pytest.mark.parametrize("name", ["LightGBM", "LogisticRegression"])
def test_each_way_of_validation_is_written(
    tmp_path: Path, options: ValidationOptions, name: str
) -> None:
    frame = iris()
    run = Prepared(tmp_path, frame, Task.CLASSIFICATION, validation=options)
    member, metrics = run.trial(candidate_of(name, Task.CLASSIFICATION))
    assert is_equal(run_source(write_script(run.script_facts(member)), frame), metrics)


def test_columns_that_mark_splits_are_used(tmp_path: Path) -> None:
    frame = iris()
    for number in range(2):
        frame[f"split{number}"] = (np.arange(len(frame)) % 3 != number).astype(int)
    options = ValidationOptions(cv_split_columns=("split0", "split1"))
    run = Prepared(tmp_path, frame, Task.CLASSIFICATION, validation=options)
    member, metrics = run.trial(candidate_of("LightGBM", Task.CLASSIFICATION))
    assert is_equal(run_source(write_script(run.script_facts(member)), frame), metrics)


@pytest.mark.parametrize("name", ["XGBoostClassifier", "LogisticRegression"])
def test_a_fold_may_lack_a_class(tmp_path: Path, name: str) -> None:
    frame = iris()
    options = ValidationOptions(n_cross_validations=3, group_column="label2")
    frame = frame.assign(label2=frame["label"])
    run = Prepared(tmp_path, frame, Task.CLASSIFICATION, validation=options)
    assert run.facts.has_unseen_classes
    member, metrics = run.trial(candidate_of(name, Task.CLASSIFICATION))
    assert is_equal(run_source(write_script(run.script_facts(member)), frame), metrics)


def test_given_validation_rows_are_used(tmp_path: Path) -> None:
    frame = weighted(mixed(Task.CLASSIFICATION))
    run = Prepared(
        tmp_path,
        frame,
        Task.CLASSIFICATION,
        validation=ValidationOptions(),
        n_valid_rows=50,
        weight_column="importance",
    )
    member, metrics = run.trial(candidate_of("LightGBM", Task.CLASSIFICATION))
    source = write_script(run.script_facts(member, validation_data="valid"))
    assert is_equal(run_source(source, frame.iloc[:-50], frame.iloc[-50:]), metrics)


def test_numbers_written_as_text_can_be_the_label(tmp_path: Path) -> None:
    frame = mixed(Task.REGRESSION).drop(index=5).reset_index(drop=True)
    frame["label"] = frame["label"].map("${:,.2f}".format)
    run = Prepared(tmp_path, frame, Task.REGRESSION)
    member, metrics = run.trial(candidate_of("RandomForest", Task.REGRESSION))
    assert is_equal(run_source(write_script(run.script_facts(member)), frame), metrics)


@pytest.mark.parametrize(
    "relabel",
    [
        pytest.param(lambda f: f["label"].map({0: 7.0, 1: 8.0, 2: 12.0}), id="numbers"),
        pytest.param(lambda f: f["label"].astype("category"), id="categories"),
        pytest.param(lambda f: f["label"] > 0, id="truths"),
        pytest.param(
            lambda f: pd.Timestamp("2020-01-01") + pd.to_timedelta(f["label"], unit="D"),
            id="dates",
        ),
    ],
)
def test_labels_of_any_type_are_read(tmp_path: Path, relabel: Any) -> None:
    frame = iris()
    frame["label"] = relabel(frame)
    run = Prepared(tmp_path, frame, Task.CLASSIFICATION)
    member, metrics = run.trial(candidate_of("DecisionTree", Task.CLASSIFICATION))
    assert is_equal(run_source(write_script(run.script_facts(member)), frame), metrics)


def test_plain_columns_and_what_a_user_asked_are_written(tmp_path: Path) -> None:
    frame = mixed(Task.CLASSIFICATION)
    asked = FeaturizationOptions(is_auto=False, drop_columns=("row",))
    run = Prepared(tmp_path, frame, Task.CLASSIFICATION, featurization=asked)
    member, metrics = run.trial(candidate_of("LogisticRegression", Task.CLASSIFICATION))
    source = write_script(run.script_facts(member))
    assert "Dropped as asked." in source
    assert is_equal(run_source(source, frame), metrics)


@pytest.fixture(scope="module")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ScriptFacts, dict[str, Any]]:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:150, [0, 1, 2, 3, -1]]
    frame = frame.rename(columns={"target": "label"})
    folder = tmp_path_factory.mktemp("cancer")
    run = Prepared(folder, frame, Task.CLASSIFICATION)
    member, metrics = run.trial(candidate_of("LightGBM", Task.CLASSIFICATION))
    frame.to_csv(folder / "rows.csv", index=False)
    return folder, run.script_facts(member, training_data=str(folder / "rows.csv")), metrics


def test_the_script_prints_the_score_of_a_file(
    cancer: tuple[Path, ScriptFacts, dict[str, Any]],
) -> None:
    folder, facts, metrics = cancer
    path = folder / "script.py"
    path.write_text(write_script(facts))
    done = subprocess.run(
        [sys.executable, path, "--training_data", folder / "rows.csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    first, *others = done.stdout.splitlines()
    assert first == f"{facts.metric}: {metrics[facts.metric]!r}"
    assert len(others) == len(metrics) - 1


def test_the_notebook_runs_to_the_same_score(
    cancer: tuple[Path, ScriptFacts, dict[str, Any]],
) -> None:
    folder, facts, metrics = cancer
    notebook = nbformat.reads(write_notebook(facts), as_version=4)
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}}).execute()
    answers = [c.outputs[0] for c in notebook.cells if c.cell_type == "code" and c.outputs]
    assert answers[0]["data"]["text/plain"] == repr(metrics[facts.metric])
