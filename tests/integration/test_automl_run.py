"""AutoML runs, whole: submitted from here, done by a controller on a real Dask cluster."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from nbautoml import AutoMLConfig, AutoMLRun, Dataset, Experiment, Model, Workspace
from nbautoml.domain.events import TrialFinished
from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.magics.commands import run_command
from nbautoml.magics.home import Home
from nbautoml.runs.recovery import recover_runs

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace.create("w", path=tmp_path_factory.mktemp("workspace"))
    yield workspace
    for name in workspace.experiments:
        for run in workspace.experiments[name].get_runs():
            run.cancel()
            run.wait_for_completion(raise_on_error=False)
    workspace.session.close()


def cancer() -> pd.DataFrame:
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    return frame.assign(target=frame["target"].map({0: "malignant", 1: "benign"}))


def submit(workspace: Workspace, name: str, **settings: object) -> AutoMLRun:
    run = Experiment(workspace, name).submit(
        AutoMLConfig(**({"model_explainability": False} | settings))
    )
    assert isinstance(run, AutoMLRun)
    return run


@pytest.fixture(scope="module")
def finished(workspace: Workspace) -> AutoMLRun:
    run = submit(
        workspace,
        "cancer",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        primary_metric="AUC_weighted",
        n_cross_validations=3,
        iterations=6,
    )
    run.wait_for_completion()
    return run


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def done(run: AutoMLRun) -> list[TrialFinished]:
    with run.session.read() as tx:
        records = tx.events.read(run.id)
    return [r.event for r in records if isinstance(r.event, TrialFinished)]


def test_a_run_ends_after_its_iterations(finished: AutoMLRun) -> None:
    children = list(finished.get_children())
    assert [c.id for c in children] == [f"{finished.id}_{n}" for n in reversed(range(6))]
    assert {c.get_status() for c in children} == {"Completed"}
    assert [int(c.properties["iteration"]) for c in children] == [5, 4, 3, 2, 1, 0]


def test_the_last_iteration_is_the_voting_ensemble(finished: AutoMLRun) -> None:
    last = next(finished.get_children())
    assert last.properties["run_algorithm"] == "VotingEnsemble"


def test_every_child_has_all_metrics_and_its_charts(finished: AutoMLRun) -> None:
    names = {spec.name for spec in metrics_for(Task.CLASSIFICATION)}
    for child in finished.get_children():
        assert names <= set(child.get_metrics()), child.id
        files = {"confusion_matrix", "accuracy_table", "outputs/model.pkl"}
        assert files <= set(child.get_file_names()), child.id


def test_the_best_child_is_best(finished: AutoMLRun) -> None:
    best = finished.get_best_child()
    score = best.get_metrics()["AUC_weighted"]
    ensemble = done(finished)[-1]
    singles = [e.score for e in done(finished) if not e.is_ensemble and e.score is not None]
    assert score == (ensemble.score if ensemble.is_best else max(singles))
    assert score > 0.98
    assert finished.properties["best_child_run_id"] == best.id


def test_the_fitted_model_takes_raw_rows_in_any_order(finished: AutoMLRun) -> None:
    child, model = finished.get_output()
    rows = cancer().drop(columns="target")
    predicted = model.predict(rows)
    shuffled = rows[list(reversed(rows.columns))].assign(extra=1)
    assert child.id == finished.get_best_child().id
    assert list(model.predict(shuffled)) == list(predicted)
    assert set(predicted) == {"benign", "malignant"}
    assert (predicted == cancer()["target"]).mean() > 0.95
    assert model.predict_proba(rows).shape == (len(rows), 2)
    assert model.steps[0][0] == "datatransformer"


def test_an_iteration_can_be_chosen(finished: AutoMLRun) -> None:
    child, model = finished.get_output(iteration=1)
    assert child.id == f"{finished.id}_1"
    assert len(model.predict(cancer().drop(columns="target"))) == 569
    with pytest.raises(NotFoundError):
        finished.get_output(iteration=99)


def test_another_metric_can_choose(finished: AutoMLRun) -> None:
    child, _ = finished.get_output(metric="log_loss")
    losses = {c.id: c.get_metrics()["log_loss"] for c in finished.get_children()}
    assert child.id == min(losses, key=losses.__getitem__)


def test_the_best_model_is_registered_with_its_bundle(
    finished: AutoMLRun, workspace: Workspace, tmp_path: Path
) -> None:
    model = finished.register_model("cancer-model", description="d", tags={"area": "health"})
    assert (model.name, model.version, finished.model_id) == ("cancer-model", 1, "cancer-model")
    found = Model(workspace, "cancer-model")
    found.download(tmp_path)
    names = {p.name for p in tmp_path.rglob("*") if p.is_file()}
    assert {"model.pkl", "requirements.txt", "schema.json", "manifest.json", "score.py"} <= names


def test_a_child_that_is_not_best_is_exported_when_it_is_registered(
    finished: AutoMLRun, workspace: Workspace
) -> None:
    worst = min(range(5), key=lambda n: done(finished)[n].score or 0.0)
    model = finished.register_model("other-model", iteration=worst)
    assert any(name.endswith("manifest.json") for name in model.get_file_names())


def test_guardrails_are_reported(finished: AutoMLRun, capsys: pytest.CaptureFixture[str]) -> None:
    found = finished.get_guardrails()["guardrails"]
    assert {g["state"] for g in found} <= {"Passed", "Done", "Alerted"}
    assert any("Missing feature values" in g["name"] for g in found)
    assert "Missing feature values" in capsys.readouterr().out


def test_the_leaderboard_has_a_row_a_child(finished: AutoMLRun) -> None:
    board = finished.leaderboard()
    assert len(board) == 6
    assert board["AUC_weighted"].is_monotonic_decreasing


def test_the_run_can_be_opened_again(finished: AutoMLRun, workspace: Workspace) -> None:
    again = workspace.get_run(finished.id)
    assert isinstance(again, AutoMLRun)
    assert isinstance(AutoMLRun(workspace.experiments["cancer"], finished.id), AutoMLRun)
    assert [r.id for r in workspace.experiments["cancer"].get_runs()] == [finished.id]


def test_nothing_is_left_running(finished: AutoMLRun) -> None:
    import psutil

    with finished.session.read() as tx:
        owner = tx.runs.get(finished.id).owner
    assert owner is not None
    wait_until(lambda: not psutil.pid_exists(owner.pid), 15)
    assert not (finished.session.state_dir / "runs" / finished.id / "scratch").exists()


def test_regression_with_validation_data_and_output(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = load_diabetes(as_frame=True).frame
    run = submit(
        workspace,
        "diabetes",
        task="regression",
        training_data=frame[:300],
        validation_data=frame[300:],
        label_column_name="target",
        primary_metric="r2_score",
        iterations=5,
        blocked_models=["KNN"],
    )
    run.wait_for_completion(show_output=True)
    child, model = run.get_output()
    names = {spec.name for spec in metrics_for(Task.REGRESSION)}
    assert names <= set(child.get_metrics())
    assert {"residuals", "predicted_true"} <= set(child.get_file_names())
    assert child.get_metrics()["r2_score"] > 0.3
    assert model.predict(frame.drop(columns="target")).shape == (442,)
    text = capsys.readouterr().out
    assert "ITERATION   PIPELINE" in text
    assert "VotingEnsemble" in text
    assert not any("KNN" in t.pipeline for t in done(run))


def test_a_registered_dataset_with_three_classes(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "wine.csv"
    load_wine(as_frame=True).frame.to_csv(path, index=False)
    data = Dataset.Tabular.from_delimited_files(path=str(path)).register(workspace, name="wine")
    run = submit(
        workspace,
        "wine",
        task="classification",
        training_data=data,
        label_column_name="target",
        n_cross_validations=2,
        iterations=3,
        allowed_models=["lightgbm", "LogisticRegression"],
    )
    run.wait_for_completion()
    _, model = run.get_output()
    assert list(model.classes_) == [0, 1, 2]
    assert run.snapshot().config is not None
    assert run.snapshot().config.dataset == "wine:1"


def test_cancel_keeps_what_is_finished(workspace: Workspace) -> None:
    run = submit(
        workspace,
        "canceled",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        n_cross_validations=5,
        iterations=500,
        enable_early_stopping=False,
    )
    wait_until(lambda: len(done(run)) >= 2)
    run.cancel()
    details = run.wait_for_completion()
    assert details["status"] == "Canceled"
    assert len(done(run)) < 500
    _, model = run.get_output()
    assert len(model.predict(cancer().drop(columns="target"))) == 569


def test_a_killed_controller_is_resumed_and_no_trial_is_repeated(workspace: Workspace) -> None:
    run = submit(
        workspace,
        "killed",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        n_cross_validations=5,
        iterations=12,
        enable_early_stopping=False,
    )
    wait_until(lambda: len(done(run)) >= 4)
    with run.session.read() as tx:
        owner = tx.runs.get(run.id).owner
    assert owner is not None
    os.kill(owner.pid, signal.SIGKILL)
    before = {e.number: e for e in done(run)}
    wait_until(lambda: run.id in recover_runs(run.session), 15)
    run.wait_for_completion()
    after = done(run)
    assert max(Counter(e.number for e in after).values()) == 1
    assert {e.number: e for e in after if e.number in before} == before
    keys = [e.key for e in after if not e.is_ensemble]
    assert len(keys) == len(set(keys))
    assert sorted(e.number for e in after) == list(range(12))


def test_a_finished_run_goes_on_and_repeats_nothing(workspace: Workspace) -> None:
    run = submit(
        workspace,
        "continued",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        n_cross_validations=3,
        iterations=4,
        allowed_models=["LightGBM", "LogisticRegression"],
    )
    run.wait_for_completion()
    before = {e.number: e for e in done(run)}
    keys = [e.key for e in before.values()]
    again = AutoMLRun(run.experiment, run.id)  # a handle made anew, as after a kernel's restart
    assert again.continue_experiment(iterations=3) is again
    again.wait_for_completion()
    after = sorted(done(again), key=lambda e: e.number)
    assert [e.number for e in after] == list(range(7))
    assert {e.number: e for e in after if e.number in before} == before
    assert not {e.key for e in after[4:]} & set(keys)
    assert [e.number for e in after if e.is_ensemble] == [3, 6]
    snapshot = again.snapshot()
    assert (snapshot.status.value, snapshot.n_done, snapshot.n_failed) == ("Completed", 7, 0)
    assert snapshot.config is not None and snapshot.config.max_iterations == 7
    child, model = again.get_output()
    assert child.number == snapshot.best
    assert (model.predict(cancer().drop(columns="target")) == cancer()["target"]).mean() > 0.95


def test_a_finished_run_goes_on_for_a_time(workspace: Workspace) -> None:
    run = next(iter(workspace.experiments["continued"].get_runs()))
    assert isinstance(run, AutoMLRun)
    n_before = len(done(run))
    asked = time.time()
    run.continue_experiment(experiment_timeout_minutes=0.2)
    run.wait_for_completion()
    assert time.time() - asked < 12 + 1.0
    assert len(done(run)) > n_before + 1
    assert done(run)[-1].is_ensemble


def test_a_paused_run_waits_until_it_is_asked_to_go_on(workspace: Workspace) -> None:
    run = submit(
        workspace,
        "paused",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        n_cross_validations=3,
        experiment_timeout_minutes=10,
        enable_early_stopping=False,
    )
    wait_until(lambda: len(done(run)) >= 2)
    run.pause()
    wait_until(lambda: run.get_status() == "Paused" and not run.snapshot().n_running)
    before, deadline = len(done(run)), run.snapshot().deadline
    time.sleep(2.0)
    assert len(done(run)) == before
    run.resume()
    wait_until(lambda: len(done(run)) > before)
    assert run.get_status() == "Running"
    moved = run.snapshot().deadline
    assert moved is not None and deadline is not None and moved >= deadline + 2.0
    run.finish_now()
    assert run.wait_for_completion()["status"] == "Completed"


def test_finish_now_completes_with_an_ensemble(workspace: Workspace) -> None:
    run = submit(
        workspace,
        "finished-early",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        n_cross_validations=3,
        experiment_timeout_minutes=10,
        enable_early_stopping=False,
    )
    wait_until(lambda: len(done(run)) >= 3)
    run.finish_now()
    assert run.wait_for_completion()["status"] == "Completed"
    assert done(run)[-1].is_ensemble


def test_a_data_mistake_fails_the_run_in_words(workspace: Workspace) -> None:
    frame = cancer().assign(target="same")
    run = submit(
        workspace,
        "one-class",
        task="classification",
        training_data=frame,
        label_column_name="target",
        iterations=2,
    )
    details = run.wait_for_completion(raise_on_error=False)
    assert details["status"] == "Failed"
    assert "class" in details["error"]
    assert "Traceback" not in details["error"]


def test_a_label_that_is_not_a_column_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'target'"):
        AutoMLConfig(
            task="classification", training_data=cancer(), label_column_name="targte", iterations=2
        )


def test_an_iteration_that_hangs_is_stopped_at_its_time_and_the_run_goes_on(
    workspace: Workspace,
) -> None:
    run = submit(
        workspace,
        "hanging",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        n_cross_validations=2,
        iterations=8,
        iteration_timeout_minutes=0.05,
        allowed_models=["nbautoml.testing.fast_family:HangingFamily", "LogisticRegression"],
    )
    assert run.wait_for_completion()["status"] == "Completed"
    outcomes = {e.family: e.outcome.value for e in done(run)}
    assert outcomes["LogisticRegression"] == "Completed"
    assert "TimeLimit" in outcomes.values()
    late = next(e for e in done(run) if e.outcome.value == "TimeLimit")
    child = next(c for c in run.get_children() if c.number == late.number)
    assert child.get_status() == "Failed"
    assert child.get_details()["error"]


def test_the_exit_score_ends_the_run(workspace: Workspace) -> None:
    run = submit(
        workspace,
        "good-enough",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        primary_metric="AUC_weighted",
        n_cross_validations=2,
        experiment_exit_score=0.9,
        experiment_timeout_minutes=5,
    )
    assert run.wait_for_completion()["message"] == "The exit score was reached."
    assert len(done(run)) < 10


def test_a_run_of_a_few_seconds_ends_in_time_with_a_model(workspace: Workspace) -> None:
    """There is no time for workers: the controller fits, and has a constant at the worst."""
    run = submit(
        workspace,
        "hasty",
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        n_cross_validations=3,
        experiment_timeout_minutes=0.07,
        model_explainability=False,
    )
    assert run.wait_for_completion()["status"] == "Completed"
    best, model = run.get_output()
    assert best.get_status() == "Completed"
    assert set(model.predict(cancer().drop(columns="target"))) <= {"malignant", "benign"}


def test_an_old_notebook_reads_as_it_was_written(workspace: Workspace) -> None:
    """The cells of a typical lesson: details, children by iteration, names of steps."""
    automl_settings = {
        "experiment_timeout_minutes": 5,
        "max_concurrent_iterations": 2,
        "primary_metric": "accuracy",
        "n_cross_validations": 2,
        "iterations": 3,
    }
    config = AutoMLConfig(
        task="classification",
        training_data=cancer(),
        label_column_name="target",
        path=".",
        enable_early_stopping=True,
        featurization="auto",
        debug_log="automl_errors.log",
        blocked_models=["XGBoostClassifier"],
        **automl_settings,
    )
    experiment = Experiment(workspace=workspace, name="lesson")
    remote_run = experiment.submit(config, show_output=False)
    remote_run.wait_for_completion()
    metrics = {
        int(child.get_properties()["iteration"]): child.get_metrics()["accuracy"]
        for child in remote_run.get_children()
    }
    best_run, fitted_model = remote_run.get_output()
    assert sorted(metrics) == [0, 1, 2]
    assert best_run.get_details()["properties"]["run_algorithm"]
    assert [name for name, _ in fitted_model.steps][0] == "datatransformer"
    assert "XGBoost" not in str([t.pipeline for t in done(remote_run)])


def test_lines_register_the_best_model_and_predict_with_it(
    finished: AutoMLRun, workspace: Workspace
) -> None:
    variables = {"ws": workspace, "run": finished, "rows": cancer().drop(columns="target").head(7)}
    said: list[str] = []
    home = Home(variables, said.append)
    run_command("model from-a-line = run", home)
    run_command("predict from-a-line rows", home)
    run_command("predict run rows again", home)
    found = variables["predictions"]
    assert found.shape == (7, 3)
    assert set(found["prediction"]) <= {"benign", "malignant"}
    pd.testing.assert_frame_equal(found, variables["again"])


def test_a_run_at_the_end_of_a_cell_is_its_view(finished: AutoMLRun) -> None:
    shell = InteractiveShell.instance()
    shell.user_ns["finished"] = finished
    with capture_output() as shown:
        shell.run_cell("finished")
    InteractiveShell.clear_instance()
    (output,) = shown.outputs
    assert output.data["application/vnd.nbautoml.run+json"]["run_id"] == finished.id
    assert "text/html" in output.data


def test_a_run_deploys_its_best_model_and_another_one(
    workspace: Workspace, finished: AutoMLRun
) -> None:
    best = finished.get_best_child()
    service = finished.deploy("cancer-service")
    other = finished.deploy("cancer-other", iteration=0, model_name="first")
    try:
        service.wait_for_deployment()
        other.wait_for_deployment()
        rows = json.loads(cancer().head(5).to_json(orient="records"))
        expected = finished.get_output()[1].predict(cancer().head(5)).tolist()

        assert json.loads(service.run({"data": rows}))["result"] == expected
        assert [m.run_id for m in service.models] == [best.id]
        assert other.models[0].name == "first"
        # a model that is registered is not registered again
        assert finished.deploy("cancer-service", overwrite=True).models[0].version == 1
        assert set(workspace.webservices) >= {"cancer-service", "cancer-other"}
    finally:
        for name in ("cancer-service", "cancer-other"):
            workspace.webservices[name].delete()
