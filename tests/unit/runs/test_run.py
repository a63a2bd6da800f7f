"""The handle on a run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.errors import NotFoundError, TrainingError
from nbautoml.runs.ending import end_without_owner
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.offline import OfflineRun
from nbautoml.runs.run import Run


def test_a_run_that_is_not_there_is_refused(run: Run) -> None:
    with pytest.raises(NotFoundError):
        Run(run.experiment, "nowhere")


def test_children_come_newest_first(run: Run) -> None:
    assert [c.id for c in run.get_children()] == ["r_1", "r_0"]


def test_children_can_be_filtered(run: Run) -> None:
    Run(run.experiment, "r_0").add_properties({"iteration": 0})
    assert [c.id for c in run.get_children(properties={"iteration": "0"})] == ["r_0"]
    assert [c.id for c in run.get_children(status="Completed")] == []


def test_a_child_knows_its_parent(run: Run) -> None:
    parent = Run(run.experiment, "r_1").parent
    assert parent is not None
    assert (parent.id, run.parent) == ("r", None)


def test_tags_and_properties_are_text(run: Run) -> None:
    run.set_tags({"model": "best", "n": 3})
    run.tag("model", "second")
    run.add_properties({"score": 0.5})
    assert run.tags == {"model": "second", "n": "3"}
    assert run.properties == {"score": "0.5"}


def test_a_metric_logged_repeatedly_is_a_list(run: Run) -> None:
    run.log("loss", 0.5)
    run.log("loss", 0.25)
    run.log_list("curve", [1.0, 2.0])
    run.log("accuracy", 0.9)
    assert run.get_metrics() == {"loss": [0.5, 0.25], "curve": [1.0, 2.0], "accuracy": 0.9}
    assert run.get_metrics("accuracy") == {"accuracy": 0.9}


def test_nan_metrics_come_back_as_nan(run: Run) -> None:
    run.log("auc", math.nan)
    assert math.isnan(run.get_metrics()["auc"])


def test_metrics_of_children_come_by_their_id(run: Run) -> None:
    Run(run.experiment, "r_0").log("accuracy", 0.8)
    assert run.get_metrics(recursive=True) == {"r_0": {"accuracy": 0.8}, "r_1": {}}


def test_files_are_stored_listed_and_copied(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("hello")
    run.upload_file("outputs/a.txt", source)
    run.upload_file("outputs/deep/b.txt", source)
    assert run.get_file_names() == ["outputs/a.txt", "outputs/deep/b.txt"]
    run.download_file("outputs/a.txt", tmp_path / "copy.txt")
    assert (tmp_path / "copy.txt").read_text() == "hello"
    run.download_files("outputs", tmp_path / "all", append_prefix=False)
    assert (tmp_path / "all" / "deep" / "b.txt").read_text() == "hello"


def test_a_file_goes_into_a_folder_under_its_own_name(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("hello")
    run.upload_file("outputs/a.txt", source)
    folder = tmp_path / "folder"
    folder.mkdir()
    run.download_file("outputs/a.txt", folder)
    assert (folder / "a.txt").read_text() == "hello"


def test_a_file_that_is_not_there_is_refused(run: Run) -> None:
    with pytest.raises(NotFoundError):
        run.download_file("outputs/none.txt")
    with pytest.raises(NotFoundError, match="no files whose names begin with 'logs'"):
        run.download_files("logs")


def test_details_have_the_sdks_keys(run: Run) -> None:
    details = run.get_details()
    keys = ("runId", "target", "status", "startTimeUtc", "properties", "runDefinition", "logFiles")
    assert set(keys) <= set(details)
    assert (details["runId"], details["status"], details["target"]) == ("r", "Running", "local")


def test_a_request_is_appended_for_the_controller(run: Run) -> None:
    run.finish_now()
    run.add_minutes(5)
    run.pause()
    run.resume()
    with run.session.read() as tx:
        found = [(r.kind, dict(r.payload)) for r in tx.requests.read("r")]
    assert found == [
        (RequestKind.FINISH_NOW, {}),
        (RequestKind.ADD_MINUTES, {"minutes": 5.0}),
        (RequestKind.PAUSE, {}),
        (RequestKind.RESUME, {}),
    ]


def test_nothing_is_asked_of_a_run_that_has_ended(run: Run) -> None:
    end_without_owner(run.session, "r", RunStatus.COMPLETED, "")
    run.cancel()
    with run.session.read() as tx:
        assert tx.requests.read("r") == []
    assert run.get_status() == "Completed"


def test_ending_a_run_ends_its_open_children(run: Run) -> None:
    end_without_owner(run.session, "r", RunStatus.FAILED, "lost")
    assert [c.get_status() for c in run.get_children()] == ["Canceled", "Canceled"]
    with pytest.raises(TrainingError, match="Run r failed: lost"):
        run.wait_for_completion()


def test_print_reads_as_in_the_sdk(run: Run) -> None:
    text = "Run(Experiment: e,\nId: r,\nType: automl.child,\nStatus: Running)"
    assert repr(run) == text


def test_outside_of_a_run_the_context_is_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBAUTOML_RUN_ID", raising=False)
    assert isinstance(Run.get_context(), OfflineRun)
    with pytest.raises(NotFoundError):
        Run.get_context(allow_offline=False)


def test_runs_of_an_experiment_leave_out_children(run: Run) -> None:
    assert [r.id for r in run.experiment.get_runs()] == ["r"]
    assert len(list(run.experiment.get_runs(include_children=True))) == 3


@pytest.mark.parametrize("name", ["", "-a", "a b", "x" * 256, "a/b"])
def test_experiment_names_are_checked(run: Run, name: str) -> None:
    from nbautoml.errors import ConfigError

    with pytest.raises(ConfigError, match="cannot be called"):
        Experiment(run.experiment.workspace, name)


def test_only_configurations_can_be_submitted(run: Run) -> None:
    from nbautoml.errors import ConfigError

    with pytest.raises(ConfigError, match="give it an AutoMLConfig"):
        run.experiment.submit({"task": "classification"})  # type: ignore[arg-type]
