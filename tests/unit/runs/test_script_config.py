"""A script run is checked when it is submitted."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nbautoml.compute.cluster_options import ClusterOptions
from nbautoml.compute.kinds.cluster import ClusterBackend
from nbautoml.data.dataset import Dataset
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import ComputeTargetException, ConfigError, NotAvailableError, NotFoundError
from nbautoml.runs import script
from nbautoml.runs.environment import Environment
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.run_configuration import RunConfiguration
from nbautoml.runs.script import ScriptRunConfig
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.session import Session


@pytest.fixture
def experiment(session: Session, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.setattr(script, "launch", lambda _session, _run_id: None)
    return Experiment(WorkspaceHandle(session), "scripts")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)")
    return folder


def settings(run: Run) -> dict[str, Any]:
    with run.session.read() as tx:
        return dict(tx.runs.get(run.id).settings)


def test_a_submitted_run_waits_with_all_that_it_needs(experiment: Experiment, source: Path) -> None:
    config = ScriptRunConfig(
        source,
        "train.py",
        ["--rate", 0.1, "--out", Path("outputs"), "--n", 3],
        max_run_duration_seconds=60,
    )
    run = experiment.submit(config, tags={"a": "1"})
    assert run.id.startswith("scripts_")
    assert (run.type, run.display_name, run.get_status()) == (
        "azureml.scriptrun",
        "train.py",
        "NotStarted",
    )
    found = settings(run)
    assert found["command"] == ["--rate", "0.1", "--out", "outputs", "--n", "3"]
    assert (found["script"], found["python"], found["compute_target"]) == (
        "train.py",
        None,
        "local",
    )
    assert found["max_run_duration_seconds"] == 60.0
    assert (run.tags, run.get_snapshot_id()) == ({"a": "1"}, found["snapshot"])
    assert run.get_details()["runDefinition"]["script"] == "train.py"


def test_a_run_that_waits_says_already_what_it_will_do(
    experiment: Experiment, source: Path
) -> None:
    run = experiment.submit(ScriptRunConfig(source, "train.py", ["-v"]))
    described = run.snapshot().described
    assert described is not None
    assert (described.what, described.text, described.deadline) == ("script", "train.py -v", None)


def test_the_source_is_kept_as_it_was(experiment: Experiment, source: Path, tmp_path: Path) -> None:
    run = experiment.submit(ScriptRunConfig(source, "train.py"))
    (source / "train.py").write_text("print(2)")
    run.restore_snapshot(path=tmp_path / "back")
    assert (tmp_path / "back" / "train.py").read_text() == "print(1)"


def test_older_notebooks_put_things_into_the_run_configuration(
    experiment: Experiment, source: Path
) -> None:
    older = RunConfiguration(script="train.py", arguments=["-v"])
    config = ScriptRunConfig(source, run_config=older)
    config.run_config.environment = Environment("mine")
    config.run_config.environment_variables = {"EPOCHS": "3"}
    run = experiment.submit(config)
    assert run.get_environment().name == "mine"
    assert run.get_environment().environment_variables == {"EPOCHS": "3"}
    assert settings(run)["command"] == ["-v"]


def test_a_command_is_a_line_or_words(experiment: Experiment, source: Path) -> None:
    line = experiment.submit(ScriptRunConfig(source, command="python train.py | cat"))
    words = experiment.submit(ScriptRunConfig(source, command=["python", "train.py", 1]))
    assert (settings(line)["command"], line.display_name) == (
        "python train.py | cat",
        "python train.py | cat",
    )
    assert settings(words)["command"] == ["python", "train.py", "1"]


def test_datasets_arrive_as_their_id(
    experiment: Experiment, source: Path, session: Session
) -> None:
    data = Dataset.Tabular.from_pandas_dataframe(pd.DataFrame({"a": [1, 2]}))
    run = experiment.submit(ScriptRunConfig(source, "train.py", ["--data", data]))
    dataset_id = settings(run)["command"][1]
    found = Dataset.get_by_id(experiment.workspace, dataset_id)
    assert found.to_pandas_dataframe()["a"].tolist() == [1, 2]


def test_a_missing_package_is_said_at_once_and_makes_no_run(
    experiment: Experiment, source: Path
) -> None:
    needy = Environment("needy")
    needy.python.conda_dependencies.add_pip_package("surely-not-installed>=2")
    with pytest.raises(ConfigError, match="pip install 'surely-not-installed>=2'"):
        experiment.submit(ScriptRunConfig(source, "train.py", environment=needy))
    assert list(experiment.get_runs()) == []


def test_another_interpreter_is_looked_for(experiment: Experiment, source: Path) -> None:
    here = ScriptRunConfig(source, "train.py", python_executable=sys.executable)
    assert settings(experiment.submit(here))["python"] is None
    other = ScriptRunConfig(source, "train.py", python_executable="sh")
    assert settings(experiment.submit(other))["python"] == shutil.which("sh")
    managed = Environment("managed")
    managed.python.user_managed_dependencies = True
    managed.python.interpreter_path = "/nowhere/python"
    with pytest.raises(NotFoundError, match="'/nowhere/python' of the run is not there"):
        experiment.submit(ScriptRunConfig(source, "train.py", environment=managed))


def test_a_script_for_a_cluster_runs_here_and_says_so(source: Path, session: Session) -> None:
    with session.write() as tx:
        tx.computes.put(
            ComputeRecord(
                name="cpu-cluster",
                kind=ClusterBackend.kind,
                options=ClusterBackend.record_options(ClusterOptions()),
                created_at=1.0,
            )
        )
    job = ScriptRunConfig(source, "train.py", compute_target="cpu-cluster").job(session)
    assert job.compute_target == "cpu-cluster"
    assert job.notes[0].startswith("compute_target 'cpu-cluster' is a cluster; scripts run on")
    with pytest.raises(ComputeTargetException, match="cpu-clusters"):
        ScriptRunConfig(source, "train.py", compute_target="cpu-clusters").job(session)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "takes script= .* or command="),
        ({"script": "a.py", "command": "ls"}, "one of them"),
        ({"script": "a.py", "max_run_duration_seconds": 0}, "must be above 0; got 0"),
    ],
)
def test_settings_are_checked_when_they_are_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ScriptRunConfig(".", **changes)


@pytest.mark.parametrize("name", ["distributed_job_config", "resume_from"])
def test_what_is_not_built_is_said(name: str) -> None:
    with pytest.raises(NotAvailableError, match=f"{name} of ScriptRunConfig is not built"):
        ScriptRunConfig(".", "a.py", **{name: object()})


def test_a_script_has_to_be_in_its_folder(experiment: Experiment, source: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no file 'tain.py' .*Python files there: train.py"):
        experiment.submit(ScriptRunConfig(source, "tain.py"))
    with pytest.raises(ConfigError, match="must lie in source_directory"):
        experiment.submit(ScriptRunConfig(source, "../train.py"))
    with pytest.raises(NotFoundError, match="source_directory of ScriptRunConfig is no folder"):
        experiment.submit(ScriptRunConfig(source / "none", "train.py"))


def test_arguments_are_values_that_a_command_line_takes(
    experiment: Experiment, source: Path
) -> None:
    with pytest.raises(ConfigError, match="texts, numbers, paths or datasets; got list"):
        experiment.submit(ScriptRunConfig(source, "train.py", [[1, 2]]))


def test_a_dataset_with_a_name_is_found_by_it(experiment: Experiment, source: Path) -> None:
    rows = Dataset.Tabular.from_pandas_dataframe(pd.DataFrame({"a": [1, 2]}))

    run = experiment.submit(
        ScriptRunConfig(source, "train.py", ["--rows", rows.as_named_input("rows")])
    )

    found = run.input_datasets["rows"]
    assert not isinstance(found, str)
    assert settings(run)["command"] == ["--rows", found.id]
    assert found.to_pandas_dataframe()["a"].tolist() == [1, 2]


def test_a_run_without_named_data_has_none(experiment: Experiment, source: Path) -> None:
    assert experiment.submit(ScriptRunConfig(source, "train.py")).input_datasets == {}
