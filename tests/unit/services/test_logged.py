"""What a front shows of a run that is no AutoML run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NotFoundError
from nbautoml.runs.experiment import Experiment
from nbautoml.runs.run import Run
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.services.catalog import catalog
from nbautoml.services.logged import (
    SAVED,
    logged_figures,
    logged_file,
    logged_images,
    run_logged,
    run_view,
)
from nbautoml.services.logs import log_lines, run_log
from nbautoml.services.view import view, view_frames
from nbautoml.store.session import open_session

MATRIX = {"data": {"class_labels": ["no", "yes"], "matrix": [[3, 1], [0, 4]]}}


@pytest.fixture
def run(tmp_path: Path, make_workspace) -> Iterator[Run]:
    with open_session(make_workspace(tmp_path)) as session:
        run = Experiment(WorkspaceHandle(session), "scores").start_logging()
        yield run
        run.complete()


def test_all_that_was_logged_is_shown_by_its_form(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"png")
    for value in (0.5, float("nan"), 0.25):
        run.log("loss", value)
    run.log("solver", "lbfgs")
    run.log_row("folds", fold=1, score=0.8)
    run.log_row("folds", fold=2)
    run.log_image("roc", path=picture)
    run.log_confusion_matrix("cm", MATRIX)
    found = run_logged(run.session, run.id)
    assert found["values"] == [
        {"name": "loss", "value": 0.25, "n": 3},
        {"name": "solver", "value": "lbfgs", "n": 1},
    ]
    assert found["series"] == [{"name": "loss", "x": [0, 1, 2], "y": [0.5, None, 0.25]}]
    (table,) = found["tables"]
    assert (table["columns"], table["rows"]) == (["fold", "score"], [[1.0, 0.8], [2.0, None]])
    assert found["images"] == [{"name": "roc", "file": "roc.png"}]
    assert [c["title"] for c in found["charts"]] == [
        "cm: Confusion matrix",
        "cm: Confusion matrix, normalized",
    ]
    assert [f["name"] for f in found["files"]] == ["cm", "roc.png"]
    assert found["seq"] == run.snapshot().seq


def test_steps_that_were_given_are_the_places_on_the_axis(run: Run) -> None:
    run.log("loss", 0.5, step=10)
    run.log("loss", 0.25, step=20)
    assert run_logged(run.session, run.id)["series"][0]["x"] == [10, 20]


def test_what_is_saved_is_small(run: Run) -> None:
    run.log_list("curve", range(500))
    for i in range(40):
        run.log_list(f"m{i}", [1, 2])
    run.log_table("t", {"a": range(100)})
    shown = run_view(run.session, run.snapshot(), now=5.0)
    logged = shown["logged"]
    assert (len(logged["series"]), len(logged["series"][0]["x"])) == (SAVED.series, SAVED.points)
    assert (logged["series"][0]["x"][0], logged["series"][0]["x"][-1]) == (0, 499)
    assert (len(logged["tables"][0]["rows"]), logged["tables"][0]["n_rows"]) == (SAVED.rows, 100)
    assert logged["lines"][-1]["text"] == "t: 100 rows"


def test_numbers_in_a_shape_of_their_own_are_no_chart_and_no_error(run: Run) -> None:
    run.log_confusion_matrix("cm", {"data": {"matrix": 3}})
    run.log_residuals("res", {"data": {"bin_edges": [0, 1, 2], "bin_counts": [3, 4]}})
    run.log_predictions(
        "pred",
        {"data": {"bin_edges": [0, 1], "bin_counts": [2], "bin_averages": [1], "bin_errors": [0]}},
    )
    titles = [figure.title for figure in logged_figures(run.session, run.id)]
    assert titles == ["res: Residuals", "pred: Predicted and true"]


def test_files_are_found_among_names_alone(run: Run, tmp_path: Path) -> None:
    run.upload_file("outputs/ä b.txt", tmp_path / ".nbautoml" / "config.json")
    assert logged_file(run.session, run.id, "outputs/ä b.txt").is_file()
    with pytest.raises(NotFoundError, match="has no file"):
        logged_file(run.session, run.id, "../config.json")
    with pytest.raises(NotFoundError):
        logged_file(run.session, "nowhere", "a")


def test_pictures_have_their_media_type(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg/>")
    run.log_image("a", path=tmp_path / "a.svg")
    ((name, path, kind),) = logged_images(run.session, run.id)
    assert (name, path.read_text(), kind) == ("a", "<svg/>", "image/svg+xml")


def test_the_header_says_what_kind_of_run_it_is(run: Run) -> None:
    header = view(run.snapshot(), now=5.0)["header"]
    assert (header["kind"], header["title"], header["status"]) == (
        "interactive",
        "scores",
        "Running",
    )
    assert header["compute"]["name"] == "local"


def test_a_script_says_when_it_ends(run: Run) -> None:
    described = ev.RunDescribed(
        what="script", experiment="e", text="a.py", timeout_seconds=60.0, deadline=1060.0
    )
    with run.session.write() as tx:
        tx.events.append(run.id, [described, ev.DeadlineChanged(deadline=1120.0)], 1000.0)
    header = view(run.snapshot(), now=1030.0)["header"]
    assert (header["ends"], header["work"], header["deadline"]) == (
        "ends after 2 min",
        "a.py",
        1120.0,
    )


def test_a_reason_of_many_lines_is_one_in_the_header(run: Run) -> None:
    run.fail("KeyError: 'x'\nTraceback …")
    header = view(run.snapshot(), now=5.0)["header"]
    assert (header["text"], header["reason"]) == (
        "Failed: KeyError: 'x'",
        "KeyError: 'x'\nTraceback …",
    )


def test_each_event_is_told_to_who_watches(run: Run) -> None:
    before = run.snapshot()
    run.log("a", 1)
    after = run.snapshot()
    (frame,) = view_frames(after, since=before.seq, now=5.0, previous=before)
    assert (frame["seq"], frame["trials"]) == (before.seq + 1, [])


def test_the_log_has_a_line_for_each_line_of_output(run: Run) -> None:
    with run.session.write() as tx:
        tx.events.append(run.id, [ev.OutputWritten(text="one\ntwo")], 1000.0)
    run.log("loss", 0.5)
    run.log_row("t", a=1, b="x")
    texts = [line["text"] for line in run_log(run.session, run.id)["lines"]]
    assert texts == ["Logged by hand.", "Running.", "one", "two", "loss: 0.5", "t: a 1, b x"]


def test_a_line_names_some_of_many_files() -> None:
    event = ev.FilesStored(names=tuple(f"f{i}" for i in range(7)))
    (line,) = log_lines([ev.EventRecord(run_id="r", seq=1, time=1.0, event=event)])
    assert line["text"] == "Stored f0, f1, f2, f3, f4 and 2 more."


def test_the_list_of_runs_has_the_first_thing_that_was_logged(run: Run) -> None:
    run.log("loss", 0.5)
    run.log("loss", 0.25)
    newest = catalog(run.session)["runs"][0]
    assert (newest["id"], newest["metric"], newest["score"]) == (run.id, "loss", 0.25)
    assert (newest["type"], newest["best"]) == ("interactive", None)


def test_an_automl_run_is_viewed_as_before(run: Run) -> None:
    shown = run_view(run.session, Run(run.experiment, "AutoML_x").snapshot(), now=5.0)
    assert "logged" not in shown
    assert shown["header"]["kind"] == "automl"
    assert run.snapshot().status is RunStatus.RUNNING
